//! Terminate VNF (IFA 007 7.2.7, SOL003 5.4.8): its resources are removed, also those that nobody recorded.
//!
//! ```text
//!     grant ──> (stop) ──> machines ──> ports ──> networks ──> NOT_INSTANTIATED        at each VIM
//! ```
//!
//! Not undone: what is removed does not come back. What is absent already counts as removed, so it may be repeated until it
//! succeeds. Given up: the VNF stays INSTANTIATED, without the machines that are gone.

use std::collections::BTreeSet;
use std::time::Duration;

use manifold_call::{Context, Outcome};
use manifold_lcm::{Ending, Machine, Occurrence, Operation, Outputs, Plan, PlanError, StepError, Task};
use manifold_sol::{CancelModeType, ChangeType, GrantRequest, TerminateVnfRequest, VnfLcmOperation};
use manifold_store::{Kind, Write};
use manifold_vnfm_interface::Ask;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::grant::{self, AskGrant, GRANT, Needs};
use crate::instance::{INSTANCE, Instance};
use crate::machine::{Machines, RemoveMachines, StopMachines};
use crate::neighbours::Links;
use crate::network::RemoveNetworks;
use crate::occurrence::Summary;
use crate::port::RemovePorts;
use crate::start::{self, Beginning, Opening};
use crate::vnfc::is_done;
use crate::vnfm::Vnfm;

/// The operation's name in journals.
pub(crate) const KIND: &str = "vnf.terminate";

/// Why no step is undone.
const FORWARD_ONLY: &str = "what is removed does not come back";

/// Everything that the plan needs to know.
#[derive(Debug, Serialize, Deserialize)]
struct Params {
    request: TerminateVnfRequest,
    instance: Instance,
    /// How long machines may take to stop; `None`: they are not asked to.
    patience: Option<Duration>,
}

impl Vnfm {
    pub(crate) async fn begin_terminate(&self, cx: &Context, ask: &Ask<TerminateVnfRequest>) -> Outcome<Beginning> {
        let opened = match self.open(cx, KIND, ask.vnf_instance_id, &ask.request).await? {
            Opening::Known(occurrence) => return Ok(Beginning::Known(occurrence)),
            Opening::Free(opened) => opened,
        };
        let declared = opened
            .instance
            .resources()?
            .flavour
            .lcm_operations
            .min_graceful_termination_timeout_ms;
        let patience = match ask.request.termination_type {
            CancelModeType::Forceful => None,
            // SOL003 5.5.2.8: without a time given, the descriptor's or the VNFM's own holds.
            CancelModeType::Graceful => Some(match ask.request.graceful_termination_timeout {
                Some(seconds) => Duration::from_secs(seconds.into()),
                None => declared.map_or(self.config().graceful_termination, Duration::from_millis),
            }),
        };
        let params = Params {
            request: ask.request.clone(),
            instance: opened.instance.clone(),
            patience,
        };
        opened.start(cx, KIND, &params)
    }
}

/// The operation.
pub(crate) struct Terminate(pub(crate) Links);

impl Operation for Terminate {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn version(&self) -> u32 {
        1
    }

    fn machine(&self) -> Machine {
        Machine::Vnf
    }

    fn subject_kind(&self) -> Kind {
        INSTANCE
    }

    fn supports(&self, task: Task) -> bool {
        start::supports(task, start::Undo::NotOffered)
    }

    fn plan(&self, occurrence: &Occurrence) -> Result<Plan, PlanError> {
        let params: Params = occurrence.params()?;
        let (links, vnf) = (&self.0, params.instance.id);
        let mut plan = Plan::of(KIND);
        let ask = ask_grant(links, &params)?;
        let mut before = plan
            .step(GRANT, ask)
            .preparation()
            .forward_only(grant::NOT_GIVEN_BACK)
            .handle();
        let granted = before.clone();
        for vim in vims(&params)? {
            let machines = || Machines {
                links: links.clone(),
                vnf,
                vim: vim.clone(),
                vnfc: None,
            };
            if let Some(patience) = params.patience {
                let stop = StopMachines {
                    machines: machines(),
                    patience,
                };
                before = plan
                    .step(format!("stop/{vim}"), stop)
                    .after(&granted)
                    .forward_only(FORWARD_ONLY)
                    .handle();
            } else {
                before = granted.clone();
            }
            let remove = RemoveMachines(machines());
            let gone = plan
                .step(machines_step(vim), remove)
                .after(&before)
                .forward_only(FORWARD_ONLY)
                .handle();
            let ports = RemovePorts {
                links: links.clone(),
                vnf,
                vim: vim.clone(),
                vnfc: None,
            };
            let gone = plan
                .step(format!("ports/{vim}"), ports)
                .after(&gone)
                .forward_only(FORWARD_ONLY)
                .handle();
            let networks = RemoveNetworks {
                links: links.clone(),
                vnf,
                vim: vim.clone(),
            };
            plan.step(networks_step(vim), networks)
                .after(&gone)
                .forward_only(FORWARD_ONLY);
        }
        Ok(plan)
    }

    fn conclude(&self, ending: &Ending<'_>) -> Result<Vec<Write>, StepError> {
        let doc = ending.subject()?;
        let mut instance = Instance::read(doc)?;
        instance.instantiated = None;
        Ok(vec![instance.put(doc)?])
    }

    fn abandon(&self, ending: &Ending<'_>) -> Result<Vec<Write>, StepError> {
        let doc = ending.subject()?;
        let mut instance = Instance::read(doc)?;
        if let Some(instantiated) = &mut instance.instantiated {
            for vnfc in &mut instantiated.vnfcs {
                vnfc.machine = vnfc
                    .machine
                    .take()
                    .filter(|machine| !is_done(ending.outputs, &machines_step(&machine.vim)));
            }
            instantiated
                .networks
                .retain(|network| !is_done(ending.outputs, &networks_step(&network.vim)));
        }
        Ok(vec![instance.put(doc)?])
    }

    fn summary(&self, occurrence: &Occurrence, outputs: &Outputs) -> Value {
        let mut summary = Summary::of(outputs);
        let params = occurrence.params::<Params>().ok();
        if let Some(instantiated) = params.and_then(|params| params.instance.instantiated) {
            for vnfc in &instantiated.vnfcs {
                if let Some(machine) = &vnfc.machine
                    && is_done(outputs, &machines_step(&machine.vim))
                {
                    summary.vnfc(&vnfc.id, &vnfc.vdu, ChangeType::Removed, machine);
                }
            }
            for network in instantiated
                .networks
                .iter()
                .filter(|network| is_done(outputs, &networks_step(&network.vim)))
            {
                summary.link(ChangeType::Removed, network);
            }
        }
        summary.into_value()
    }
}

fn machines_step(vim: &str) -> String {
    format!("machines/{vim}")
}

fn networks_step(vim: &str) -> String {
    format!("networks/{vim}")
}

fn vims(params: &Params) -> Result<&BTreeSet<String>, PlanError> {
    Ok(&params.instance.resources()?.vims)
}

// grant: everything that is recorded

fn ask_grant(links: &Links, params: &Params) -> Result<AskGrant, PlanError> {
    let instantiated = params.instance.resources()?;
    let networks = instantiated.networks.iter().map(grant::remove_network);
    let request = GrantRequest {
        vnf_instance_id: params.instance.id.to_string(),
        vnfd_id: params.instance.vnfd_id.clone(),
        flavour_id: Some(instantiated.flavour.id.clone()),
        operation: VnfLcmOperation::Terminate,
        remove_resources: instantiated
            .vnfcs
            .iter()
            .flat_map(grant::remove_vnfc)
            .chain(networks)
            .collect(),
        ..GrantRequest::default()
    };
    Ok(AskGrant {
        links: links.clone(),
        request,
        needs: Needs::default(),
    })
}

#[cfg(test)]
mod tests {
    use manifold_call::{CallError, ErrorKind};
    use manifold_lcm::State;
    use manifold_sol::{InstantiationState, LcmOperationState};
    use manifold_vnfm_interface::{VnfInstanceId, VnfLifecycleManagement};

    use super::*;
    use crate::testing::{Site, cx};

    async fn gracefully(
        site: &Site,
        vnf_instance_id: VnfInstanceId,
        seconds: u32,
    ) -> Outcome<manifold_call::OccurrenceId> {
        let request = TerminateVnfRequest {
            termination_type: CancelModeType::Graceful,
            graceful_termination_timeout: Some(seconds),
        };
        site.vnfm
            .terminate(
                &cx(),
                Ask {
                    vnf_instance_id,
                    request,
                },
            )
            .await
    }

    #[tokio::test]
    async fn machines_go_before_ports_and_ports_before_networks() {
        let site = Site::new().await;
        let id = site.instantiated().await;
        let occurrence = site.terminate(id).await.unwrap();
        site.ended(occurrence, State::Completed).await;
        let asked = site.world.log.take();
        let kinds: Vec<String> = asked
            .iter()
            .map(|call| call.split(' ').take(2).collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(kinds, ["grant TERMINATE", "end machine", "end port", "end network"]);
        assert_eq!(site.world.vim.counts(), (0, 0, 0));
        let found = site.find(id).await;
        assert_eq!(found.instantiation_state, InstantiationState::NotInstantiated);
        assert!(found.instantiated_vnf_info.is_none());
        let told = site.vnfm.find_operation(&cx(), occurrence).await.unwrap();
        let changes = told.resource_changes.unwrap();
        assert_eq!(
            (changes.affected_vnfcs.len(), changes.affected_virtual_links.len()),
            (3, 1)
        );
        assert_eq!(site.terminate(id).await.unwrap_err().kind, ErrorKind::Conflict);
        site.vnfm.delete(&cx(), id).await.unwrap();
        assert_eq!(site.vnfm.find(&cx(), id).await.unwrap_err().kind, ErrorKind::NotFound);
    }

    #[tokio::test]
    async fn gracefully_machines_are_stopped_before_they_go() {
        let site = Site::new().await;
        let id = site.instantiated().await;
        let occurrence = gracefully(&site, id, 60).await.unwrap();
        site.ended(occurrence, State::Completed).await;
        assert_eq!(site.world.log.take()[..4], ["grant TERMINATE", "Stop", "Stop", "Stop"]);
    }

    #[tokio::test]
    async fn who_does_not_stop_in_time_is_ended_all_the_same() {
        let site = Site::new().await;
        let id = site.instantiated().await;
        site.world.vim.ignore_stop();
        let occurrence = gracefully(&site, id, 0).await.unwrap();
        site.ended(occurrence, State::Completed).await;
        assert_eq!(site.world.vim.counts(), (0, 0, 0));
    }

    #[tokio::test]
    async fn what_is_gone_already_is_no_hindrance() {
        let site = Site::new().await;
        let id = site.instantiated().await;
        for vnfc in site.find(id).await.instantiated_vnf_info.unwrap().vnfc_resource_info {
            site.world.vim.lose(vnfc.compute_resource.resource_id.parse().unwrap());
        }
        let occurrence = gracefully(&site, id, 60).await.unwrap();
        site.ended(occurrence, State::Completed).await;
        assert_eq!(site.world.vim.counts(), (0, 0, 0));
    }

    #[tokio::test]
    async fn it_cannot_be_undone_and_given_up_it_can_be_asked_for_again() {
        let site = Site::new().await;
        let id = site.instantiated().await;
        site.world
            .vim
            .refuse("end network", 1, CallError::conflict("it is held"));
        let occurrence = site.terminate(id).await.unwrap();
        site.ended(occurrence, State::FailedTemp).await;
        assert_eq!(
            site.vnfm.rollback(&cx(), occurrence).await.unwrap_err().kind,
            ErrorKind::Unsupported
        );
        let told = site.vnfm.fail(&cx(), occurrence).await.unwrap();
        assert_eq!(told.operation_state, LcmOperationState::Failed);
        let found = site.find(id).await;
        assert_eq!(found.instantiation_state, InstantiationState::Instantiated);
        assert!(found.instantiated_vnf_info.unwrap().vnfc_resource_info.is_empty());
        assert_eq!(site.vnfm.delete(&cx(), id).await.unwrap_err().kind, ErrorKind::Conflict);
        let occurrence = site.terminate(id).await.unwrap();
        site.ended(occurrence, State::Completed).await;
        assert_eq!(site.world.vim.counts(), (0, 0, 0));
    }

    #[tokio::test]
    async fn a_refused_grant_leaves_everything_as_it_is() {
        let site = Site::new().await;
        let id = site.instantiated().await;
        let before = site.world.snapshot(&site.vnfm).await;
        site.world.nfvo.refuse(Some(CallError::forbidden("not now")));
        let occurrence = site.terminate(id).await.unwrap();
        site.ended(occurrence, State::RolledBack).await;
        assert_eq!(site.world.snapshot(&site.vnfm).await, before);
    }
}
