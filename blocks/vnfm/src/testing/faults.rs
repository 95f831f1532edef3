//! Every step of every operation of the VNFM, struck by every fault.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use manifold_lcm::fault::{Arena, matrix};
use manifold_lcm::{Engine, Registry, Start};
use manifold_sol::{CancelModeType, HealVnfRequest, ScaleType, TerminateVnfRequest, VnfState};
use manifold_store::Store;
use manifold_vnfm_interface::{Ask, VnfInstanceId, VnfLifecycleManagement};
use serde_json::Value;

use super::{World, created, cx, gateway, instantiate_request, registry, scale_request};
use crate::start::Beginning;
use crate::{Vnfm, VnfmConfig, connectivity, heal, instantiate, scale, terminate};

struct Block {
    world: World,
    /// Of the engine's life that began last.
    vnfm: Mutex<Option<Arc<Vnfm>>>,
    vnf: Mutex<Option<VnfInstanceId>>,
}

impl Block {
    fn new() -> Self {
        let world = World::new();
        world.nfvo.onboard(gateway());
        Self {
            world,
            vnfm: Mutex::default(),
            vnf: Mutex::default(),
        }
    }

    fn vnfm(&self) -> Arc<Vnfm> {
        self.vnfm.lock().unwrap().clone().unwrap()
    }
}

#[async_trait]
impl Arena for Block {
    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.world.store)
    }

    fn registry(&self) -> Registry {
        let vnfm = Vnfm::new(VnfmConfig::default(), self.store());
        let registry = registry(&vnfm);
        *self.vnfm.lock().unwrap() = Some(vnfm);
        registry
    }

    async fn connect(&self, engine: &Engine) {
        self.vnfm().connect(self.world.neighbours(engine));
    }

    async fn sample(&self, engine: &Engine, operation: &str) -> Result<Start, String> {
        let vnfm = self.vnfm();
        let vnf_instance_id = created(&vnfm, "gateway").await;
        *self.vnf.lock().unwrap() = Some(vnf_instance_id);
        let instantiate = Ask {
            vnf_instance_id,
            request: instantiate_request(self.world.outside),
        };
        if operation != instantiate::KIND {
            let occurrence = vnfm
                .instantiate(&cx(), instantiate.clone())
                .await
                .map_err(|error| error.to_string())?;
            engine
                .settled(occurrence, super::LIMIT)
                .await
                .map_err(|error| error.to_string())?;
        }
        let scale = |kind| Ask {
            vnf_instance_id,
            request: scale_request(kind, 1),
        };
        let begun = match operation {
            instantiate::KIND => vnfm.begin_instantiate(&cx(), &instantiate).await,
            scale::OUT => vnfm.begin_scale(&cx(), &scale(ScaleType::ScaleOut)).await,
            scale::IN => vnfm.begin_scale(&cx(), &scale(ScaleType::ScaleIn)).await,
            heal::KIND => {
                let request = HealVnfRequest {
                    vnfc_instance_id: vec!["worker-1".to_owned()],
                    ..HealVnfRequest::default()
                };
                vnfm.begin_heal(
                    &cx(),
                    &Ask {
                        vnf_instance_id,
                        request,
                    },
                )
                .await
            }
            connectivity::KIND => {
                let elsewhere = self.world.vim.provide("elsewhere");
                vnfm.begin_change(&cx(), &super::change_request(vnf_instance_id, elsewhere))
                    .await
            }
            terminate::KIND => {
                let request = TerminateVnfRequest {
                    termination_type: CancelModeType::Graceful,
                    graceful_termination_timeout: None,
                };
                vnfm.begin_terminate(
                    &cx(),
                    &Ask {
                        vnf_instance_id,
                        request,
                    },
                )
                .await
            }
            other => return Err(format!("there is no sample of {other}")),
        };
        match begun.map_err(|error| error.to_string())? {
            Beginning::New(start) => Ok(*start),
            Beginning::Known(occurrence) => Err(format!("{occurrence} has begun already")),
        }
    }

    async fn snapshot(&self) -> Value {
        self.world.snapshot(&self.vnfm()).await
    }

    /// What the VNF says of itself is what the VIM has, no more and no less.
    async fn check_completed(&self, operation: &str) -> Result<(), String> {
        let vnf = self.vnf.lock().unwrap().unwrap();
        let found = self.vnfm().find(&cx(), vnf).await.map_err(|error| error.to_string())?;
        let machines = match operation {
            scale::OUT => 4,
            scale::IN => 2,
            terminate::KIND => 0,
            _ => 3,
        };
        let told = found.instantiated_vnf_info.map_or(0, |info| {
            let runs = |id: &str| self.world.vim.compute(id).is_some();
            let made = info
                .vnfc_resource_info
                .iter()
                .filter(|vnfc| runs(&vnfc.compute_resource.resource_id))
                .count();
            let started = info
                .vnfc_info
                .iter()
                .filter(|vnfc| vnfc.vnfc_state == VnfState::Started)
                .count();
            if made == started { made } else { usize::MAX }
        });
        let has = self.world.vim.counts();
        let networks = usize::from(machines > 0);
        // Each machine has one port inside, and the front end one more.
        let expected = (networks, machines + networks, machines);
        if has == expected && told == machines {
            Ok(())
        } else {
            Err(format!(
                "the VIM has {has:?} and the VNF tells of {told}, instead of {expected:?}"
            ))
        }
    }
}

/// Whatever strikes, an operation ends complete or as if it had never begun, and nothing is made twice or left over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_in_every_step_ends_in_completion_or_in_the_world_as_before() {
    let report = matrix(async || Block::new()).await;
    report.assert_all_right();
    // Six operations of three to nine steps; fewer cases would mean that plans lost steps.
    assert!(report.cases > 150, "{} cases", report.cases);
}
