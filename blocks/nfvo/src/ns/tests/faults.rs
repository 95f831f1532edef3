//! Every step of every operation, struck by every fault.

use std::sync::Arc;

use async_trait::async_trait;
use manifold_lcm::fault::{Arena, matrix_of};
use manifold_lcm::{Engine, Registry, Start};
use manifold_nfvo_interface::NsInstanceId;
use manifold_sol::{HealNsRequest, HealVnfData, InstantiateNsRequest, NestedNsInstanceData, ScaleVnfType};
use manifold_store::{Query, Store};
use serde_json::Value;

use super::packet_updates::{other_packets, second};
use super::updates::{V2, everything, to_nsd};
use super::{nested, nested_updates, scale};
use crate::Nfvo;
use crate::fakes::{DEMO, LIMIT, Site, TWO_SITE, World, cx, locked, two_site};
use crate::ns::{heal, instantiate, terminate, update};
use crate::record::{self, NsRecord};

struct Lives {
    world: World,
    service: Service,
    nfvo: std::sync::Mutex<Option<Arc<Nfvo>>>,
}

/// What the samples work on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Service {
    /// The demo's.
    Alone,
    /// The demo's, inside of another one that is made with it.
    Nested,
    /// The demo's, there before, inside of another one.
    Adopted,
}

impl Lives {
    fn nfvo(&self) -> Arc<Nfvo> {
        Arc::clone(locked(&self.nfvo).as_ref().unwrap())
    }

    fn nsd(&self) -> &'static str {
        match self.service {
            Service::Alone => TWO_SITE,
            Service::Nested | Service::Adopted => nested::AROUND,
        }
    }

    /// What it is updated to: everything else in the demo's, and one more inside; or without the one that was taken in.
    fn next_nsd(&self) -> &'static str {
        match self.service {
            Service::Alone => V2,
            Service::Nested => nested_updates::MORE_AROUND,
            Service::Adopted => nested_updates::NOTHING_INSIDE,
        }
    }

    /// How an NS is instantiated, by its NSD.
    async fn request(&self, ns: &str) -> InstantiateNsRequest {
        let all = self.records().await;
        let is_demo = |ns: &&NsRecord| ns.nsd_id == TWO_SITE;
        if all.iter().find(|known| known.id == ns).is_some_and(|ns| is_demo(&ns)) {
            return two_site();
        }
        match all.iter().find(is_demo) {
            None => nested::around_request(),
            Some(there) => InstantiateNsRequest {
                nested_ns_instance_data: vec![NestedNsInstanceData {
                    nested_ns_instance_id: there.id.clone(),
                    ns_profile_id: "demo".to_owned(),
                }],
                ..nested::anyhow()
            },
        }
    }

    async fn records(&self) -> Vec<NsRecord> {
        let all = record::list::<NsRecord>(&*self.world.store, record::NS, Query::all()).await;
        all.unwrap().into_iter().map(|(_, ns)| ns).collect()
    }

    /// An NS of an NSD, with its resources if so wished.
    async fn ns(&self, engine: &Engine, nsd: &str, is_instantiated: bool) -> Result<NsInstanceId, String> {
        let request = manifold_sol::CreateNsRequest {
            nsd_id: nsd.to_owned(),
            ns_name: "demo".into(),
            ns_description: String::new(),
        };
        let made = self
            .nfvo()
            .create_ns("a", request)
            .await
            .map_err(|error| error.to_string())?;
        let id: NsInstanceId = made.id.parse().unwrap();
        if is_instantiated {
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
        Ok(id)
    }

    /// Networks and machines at all sites.
    fn counts(&self) -> (usize, usize) {
        let each = self.world.vims.iter().map(|vim| {
            let held = locked(&vim.held);
            (held.networks.len(), held.machines.len())
        });
        each.fold((0, 0), |(a, b), (c, d)| (a + c, b + d))
    }

    /// The start that the NFVO itself would give to the engine.
    async fn start(&self, operation: &str, id: NsInstanceId) -> Start {
        let (nfvo, cx) = (self.nfvo(), cx("a"));
        let (doc, record): (_, NsRecord) =
            record::find(&*self.world.store, &cx.tenant, record::NS, &id.to_string(), "NS")
                .await
                .unwrap();
        let whole = nfvo.whole(&cx, &record).await.unwrap();
        let mut claims = Vec::new();
        let params = match operation {
            instantiate::KIND => {
                let request = self.request(&id.to_string()).await;
                let adoptions = nfvo
                    .adoptions(&cx, &record, &request.nested_ns_instance_data)
                    .await
                    .unwrap();
                let params = nfvo.instantiation(&cx, &record, request, &adoptions).await.unwrap();
                claims.extend(adoptions.iter().map(|one| one.claim(&cx, &params.layout).unwrap()));
                record::json(&params).unwrap()
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
            update::KIND => {
                let request = to_nsd(self.next_nsd(), true);
                let intent = nfvo.updating(&cx, &record, request).await.unwrap();
                claims.extend(intent.claims(&cx).unwrap());
                record::json(&intent.params).unwrap()
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
        let start = Start::new(&cx, operation, &doc.id, params);
        claims.into_iter().fold(start, Start::write)
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
        // An update keeps the forwarding graph, and the version that is updated to has none.
        match operation {
            instantiate::KIND | terminate::KIND => {
                let demo = super::paths::with_packets(|_| {});
                self.world.onboard("a", &demo).await;
            }
            _ => self.world.onboard("a", &DEMO).await,
        }
        self.world.onboard("a", &nested::machines()).await;
        self.world.onboard("a", &[nested::around()]).await;
        self.world
            .onboard(
                "a",
                &[second(|nsd| {
                    everything(nsd);
                    other_packets(nsd);
                })],
            )
            .await;
        self.world.onboard("a", &nested_updates::next_around()).await;
        if self.service == Service::Adopted {
            self.ns(engine, TWO_SITE, true).await?;
        }
        let id = self.ns(engine, self.nsd(), operation != instantiate::KIND).await?;
        Ok(self.start(operation, id).await)
    }

    async fn snapshot(&self) -> Value {
        self.world.snapshot().await
    }

    async fn check_completed(&self, operation: &str) -> Result<(), String> {
        if operation == terminate::KIND {
            match self.service {
                Service::Alone | Service::Nested if self.world.is_empty() => {}
                // The demo's networks and machines, as before.
                Service::Adopted if self.counts() == (4, 4) => {}
                _ => return Err(format!("something else is left: {:#}", self.world.snapshot().await)),
            }
        }
        let all = self.records().await;
        let held = all.iter().filter(|ns| ns.parent.is_some()).count();
        let wished = match (self.service, operation) {
            (Service::Alone, _) => (1, 0),
            (Service::Nested, terminate::KIND) => (1, 0),
            (Service::Nested, update::KIND) => (3, 2),
            (Service::Nested, _) => (2, 1),
            (Service::Adopted, terminate::KIND | update::KIND) => (2, 0),
            (Service::Adopted, _) => (2, 1),
        };
        if (all.len(), held) != wished {
            return Err(format!(
                "{} NS instances are there, {held} of them held; wished: {wished:?}",
                all.len()
            ));
        }
        Ok(())
    }
}

async fn all_faults_of(operation: &str) {
    all_faults(operation, Service::Alone).await;
}

async fn all_faults(operation: &str, service: Service) {
    let make = async || Lives {
        world: World::new(true),
        service,
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
            terminate::KIND,
            update::KIND
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
    all_faults(instantiate::KIND, Service::Nested).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scaling_and_healing_in_a_nested_service_survives_every_fault_of_every_step() {
    all_faults(crate::ns::scale::OUT, Service::Nested).await;
    all_faults(crate::ns::scale::IN, Service::Nested).await;
    all_faults(heal::KIND, Service::Nested).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn terminating_services_in_services_survives_every_fault_of_every_step() {
    all_faults(terminate::KIND, Service::Nested).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn taking_a_service_in_and_letting_it_go_survives_every_fault_of_every_step() {
    all_faults(instantiate::KIND, Service::Adopted).await;
    all_faults(heal::KIND, Service::Adopted).await;
    all_faults(terminate::KIND, Service::Adopted).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn updating_survives_every_fault_of_every_step() {
    all_faults(update::KIND, Service::Alone).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn updating_services_in_services_survives_every_fault_of_every_step() {
    all_faults(update::KIND, Service::Nested).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn letting_a_service_go_by_an_update_survives_every_fault_of_every_step() {
    all_faults(update::KIND, Service::Adopted).await;
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
