//! Every step of every operation, struck by every fault.

use std::sync::Arc;

use async_trait::async_trait;
use manifold_lcm::fault::{Arena, matrix_of};
use manifold_lcm::{Engine, Registry, Start};
use manifold_nfvo_interface::NsInstanceId;
use manifold_sol::{HealNsRequest, HealVnfData, InstantiateNsRequest, ScaleVnfType};
use manifold_store::{Query, Store};
use serde_json::Value;

use super::{nested, scale};
use crate::Nfvo;
use crate::fakes::{DEMO, LIMIT, Site, TWO_SITE, World, cx, locked, two_site};
use crate::ns::{heal, instantiate, terminate};
use crate::record::{self, NsRecord};

struct Lives {
    world: World,
    /// The demo's service inside of another one.
    is_nested: bool,
    nfvo: std::sync::Mutex<Option<Arc<Nfvo>>>,
}

impl Lives {
    fn nfvo(&self) -> Arc<Nfvo> {
        Arc::clone(locked(&self.nfvo).as_ref().unwrap())
    }

    /// The NSD of the samples, and how it is instantiated.
    fn service(&self) -> (&'static str, InstantiateNsRequest) {
        match self.is_nested {
            false => (TWO_SITE, two_site()),
            true => (nested::AROUND, nested::around_request()),
        }
    }

    /// The start that the NFVO itself would give to the engine.
    async fn start(&self, operation: &str, id: NsInstanceId) -> Start {
        let (nfvo, cx) = (self.nfvo(), cx("a"));
        let (doc, record): (_, NsRecord) =
            record::find(&*self.world.store, &cx.tenant, record::NS, &id.to_string(), "NS")
                .await
                .unwrap();
        let whole = nfvo.whole(&cx, &record).await.unwrap();
        let params = match operation {
            instantiate::KIND => {
                record::json(&nfvo.instantiation(&cx, &record, self.service().1).await.unwrap()).unwrap()
            }
            terminate::KIND => record::json(&terminate::Params::of(&whole, Default::default())).unwrap(),
            heal::KIND => {
                let heal_vnf_data = vec![HealVnfData {
                    vnf_instance_id: whole.ns.vnfs[0].id.clone(),
                    ..Default::default()
                }];
                let request = HealNsRequest {
                    heal_vnf_data,
                    ..Default::default()
                };
                record::json(&nfvo.healing(&cx, &record, request).await.unwrap()).unwrap()
            }
            _ => {
                let kind = if operation == crate::ns::scale::OUT {
                    ScaleVnfType::ScaleOut
                } else {
                    ScaleVnfType::ScaleIn
                };
                let gateway = whole.ns.vnfs.iter().find(|vnf| vnf.profile == "gateway").unwrap();
                let (kind, params) = nfvo.scaling(&cx, &record, scale(&gateway.id, kind, 1)).await.unwrap();
                assert_eq!(kind, operation);
                record::json(&params).unwrap()
            }
        };
        Start::new(&cx, operation, &doc.id, params)
    }
}

#[async_trait]
impl Arena for Lives {
    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.world.store)
    }

    fn registry(&self) -> Registry {
        let nfvo = self.world.nfvo();
        let registry = World::registry(&nfvo);
        *locked(&self.nfvo) = Some(nfvo);
        registry
    }

    async fn connect(&self, engine: &Engine) {
        self.world.connect(&self.nfvo(), engine);
    }

    async fn sample(&self, engine: &Engine, operation: &str) -> Result<Start, String> {
        self.world.onboard("a", &super::paths::with_packets(|_| {})).await;
        self.world.onboard("a", &[nested::around()]).await;
        let nfvo = self.nfvo();
        let request = manifold_sol::CreateNsRequest {
            nsd_id: self.service().0.into(),
            ns_name: "demo".into(),
            ns_description: String::new(),
        };
        let id: NsInstanceId = nfvo
            .create_ns("a", request)
            .await
            .map_err(|error| error.to_string())?
            .id
            .parse()
            .unwrap();
        if operation != instantiate::KIND {
            let start = self.start(instantiate::KIND, id).await;
            let started = engine.start(start).await.map_err(|error| error.to_string())?;
            let ended = engine
                .settled(started, LIMIT)
                .await
                .map_err(|error| error.to_string())?;
            if ended.error.is_some() {
                return Err(format!("{:?}", ended.error));
            }
        }
        Ok(self.start(operation, id).await)
    }

    async fn snapshot(&self) -> Value {
        self.world.snapshot().await
    }

    async fn check_completed(&self, operation: &str) -> Result<(), String> {
        if operation == terminate::KIND && !self.world.is_empty() {
            return Err(format!("something is left: {:#}", self.world.snapshot().await));
        }
        let all = record::list::<NsRecord>(&*self.world.store, record::NS, Query::all()).await;
        let services = all.map_err(|error| error.to_string())?.len();
        let wished = if self.is_nested && operation != terminate::KIND {
            2
        } else {
            1
        };
        if services != wished {
            return Err(format!("{services} NS instances are there, not {wished}"));
        }
        Ok(())
    }
}

async fn all_faults_of(operation: &str) {
    all_faults(operation, false).await;
}

async fn all_faults(operation: &str, is_nested: bool) {
    let make = async || Lives {
        world: World::new(true),
        is_nested,
        nfvo: std::sync::Mutex::default(),
    };
    matrix_of(make, operation).await.assert_all_right();
}

/// One test for each operation that is registered: a new one without a test here is found by this.
#[test]
fn every_operation_has_its_test() {
    let world = World::new(true);
    let registry = World::registry(&world.nfvo());
    let kinds: Vec<&str> = registry.kinds().collect();
    assert_eq!(
        kinds,
        [
            heal::KIND,
            instantiate::KIND,
            crate::ns::scale::IN,
            crate::ns::scale::OUT,
            terminate::KIND
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instantiating_survives_every_fault_of_every_step() {
    all_faults_of(instantiate::KIND).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scaling_out_survives_every_fault_of_every_step() {
    all_faults_of(crate::ns::scale::OUT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scaling_in_survives_every_fault_of_every_step() {
    all_faults_of(crate::ns::scale::IN).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn healing_survives_every_fault_of_every_step() {
    all_faults_of(heal::KIND).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn terminating_survives_every_fault_of_every_step() {
    all_faults_of(terminate::KIND).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instantiating_services_in_services_survives_every_fault_of_every_step() {
    all_faults(instantiate::KIND, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scaling_and_healing_in_a_nested_service_survives_every_fault_of_every_step() {
    all_faults(crate::ns::scale::OUT, true).await;
    all_faults(crate::ns::scale::IN, true).await;
    all_faults(heal::KIND, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn terminating_services_in_services_survives_every_fault_of_every_step() {
    all_faults(terminate::KIND, true).await;
}

/// The figure that the goal of ten milliseconds stands on: commits, of which each costs 0.4 ms.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_ns_takes_few_commits() {
    let world = World::new(true);
    world.onboard("a", &DEMO).await;
    let site: Site = world.site();
    let id = site.new_ns("a", TWO_SITE, "demo").await;
    let count = || {
        site.engine
            .metrics()
            .commits_total
            .load(std::sync::atomic::Ordering::Relaxed)
    };
    let started = site.instantiate("a", id, two_site()).await.unwrap();
    site.settled(started).await;
    let started = site.terminate("a", id).await.unwrap();
    site.settled(started).await;
    assert!(count() <= 24, "{} commits", count());
}
