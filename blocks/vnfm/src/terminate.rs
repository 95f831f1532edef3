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
        let declared = opened.instance.resources()?.flavour.lcm_operations.min_graceful_termination_timeout_ms;
        let patience = match ask.request.termination_type {
            CancelModeType::Forceful => None,
            // SOL003 5.5.2.8: without a time given, the descriptor's or the VNFM's own holds.
            CancelModeType::Graceful => Some(match ask.request.graceful_termination_timeout {
                Some(seconds) => Duration::from_secs(seconds.into()),
                None => declared.map_or(self.config().graceful_termination, Duration::from_millis),
            }),
        };
        let params = Params { request: ask.request.clone(), instance: opened.instance.clone(), patience };
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
        let mut before = plan.step(GRANT, ask).preparation().forward_only(grant::NOT_GIVEN_BACK).handle();
        let granted = before.clone();
        for vim in vims(&params)? {
            let machines = || Machines { links: links.clone(), vnf, vim: vim.clone(), vnfc: None };
            if let Some(patience) = params.patience {
                let stop = StopMachines { machines: machines(), patience };
                before = plan.step(format!("stop/{vim}"), stop).after(&granted).forward_only(FORWARD_ONLY).handle();
            } else {
                before = granted.clone();
            }
            let remove = RemoveMachines(machines());
            let gone = plan.step(machines_step(vim), remove).after(&before).forward_only(FORWARD_ONLY).handle();
            let ports = RemovePorts { links: links.clone(), vnf, vim: vim.clone(), vnfc: None };
            let gone = plan.step(format!("ports/{vim}"), ports).after(&gone).forward_only(FORWARD_ONLY).handle();
            let networks = RemoveNetworks { links: links.clone(), vnf, vim: vim.clone() };
            plan.step(networks_step(vim), networks).after(&gone).forward_only(FORWARD_ONLY);
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
                vnfc.machine = vnfc.machine.take().filter(|machine| !is_done(ending.outputs, &machines_step(&machine.vim)));
            }
            instantiated.networks.retain(|network| !is_done(ending.outputs, &networks_step(&network.vim)));
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
            for network in instantiated.networks.iter().filter(|network| is_done(outputs, &networks_step(&network.vim))) {
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

fn is_done(outputs: &Outputs, step: &str) -> bool {
    outputs.iter().any(|(done, _)| done == step)
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
        remove_resources: instantiated.vnfcs.iter().flat_map(grant::remove_vnfc).chain(networks).collect(),
        ..GrantRequest::default()
    };
    Ok(AskGrant { links: links.clone(), request, needs: Needs::default() })
}
