//! Heal VNF (IFA 007 7.2.9, SOL003 5.4.9): VNFC instances that are not well get new machines on their old ports, so that their
//! addresses stay.
//!
//! ```text
//!     grant ──> old machine of each VNFC removed ──> new machine on the same ports
//! ```
//!
//! Not undone: the old machine is gone. Given up: a VNFC that has no machine is recorded without, and healing finds it again.

use manifold_call::{CallError, Context, Outcome};
use manifold_lcm::{Ending, Machine as States, Occurrence, Operation, Outputs, Plan, PlanError, StepError, Task};
use manifold_sol::{ChangeType, GrantRequest, HealVnfRequest, VnfLcmOperation};
use manifold_store::{Kind, Write};
use manifold_vim_interface::{OperationalState, RunningState, VirtualCompute};
use manifold_vnfm_interface::Ask;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::grant::{self, AskGrant, GRANT, Needs, machine_id};
use crate::instance::{INSTANCE, Instance, Instantiated, Machine, Vnfc};
use crate::instantiate::refused;
use crate::label;
use crate::machine::{Machines, MakeMachine, RemoveMachines};
use crate::neighbours::Links;
use crate::occurrence::Summary;
use crate::start::{self, Beginning, Opening};
use crate::vnfc::has_image;
use crate::vnfm::Vnfm;

/// The operation's name in journals.
pub(crate) const KIND: &str = "vnf.heal";

/// Why no step is undone.
const FORWARD_ONLY: &str = "the old machine does not come back";

/// Everything that the plan needs to know.
#[derive(Debug, Serialize, Deserialize)]
struct Params {
    request: HealVnfRequest,
    instance: Instance,
    /// Identifiers of the VNFC instances that get a new machine. None: nothing is to be done.
    vnfcs: Vec<String>,
}

impl Params {
    fn patients(&self) -> Outcome<Vec<&Vnfc>> {
        let instantiated = self.instance.resources()?;
        Ok(self.vnfcs.iter().filter_map(|id| instantiated.vnfc(id)).collect())
    }
}

impl Vnfm {
    pub(crate) async fn begin_heal(&self, cx: &Context, ask: &Ask<HealVnfRequest>) -> Outcome<Beginning> {
        let opened = match self.open(cx, KIND, ask.vnf_instance_id, &ask.request).await? {
            Opening::Known(occurrence) => return Ok(Beginning::Known(occurrence)),
            Opening::Free(opened) => opened,
        };
        let instantiated = opened.instance.resources()?;
        let named = &ask.request.vnfc_instance_id;
        let unknown = named.iter().filter(|id| instantiated.vnfc(id).is_none());
        let faults: Vec<String> = unknown.map(|id| format!("there is no VNFC instance {id}")).collect();
        if !faults.is_empty() {
            return Err(refused(&faults));
        }
        let vnfcs = if named.is_empty() {
            self.not_well(cx, &opened.instance, instantiated).await?
        } else {
            let mut ids = named.clone();
            ids.sort();
            ids.dedup();
            ids
        };
        let params = Params { request: ask.request.clone(), instance: opened.instance.clone(), vnfcs };
        opened.start(cx, KIND, &params)
    }

    /// Asks the VIMs which VNFC instances have no machine that does what it shall. Errors: a VIM does not answer; then nobody
    /// knows, and to take its machines for dead would kill them.
    async fn not_well(&self, cx: &Context, instance: &Instance, instantiated: &Instantiated) -> Outcome<Vec<String>> {
        let mut well = Vec::new();
        for vim in &instantiated.vims {
            let found = self.links().vim(vim)?.compute.query(cx, label::owned_by(instance.id)).await?;
            well.extend(found.into_iter().filter(is_well).map(|compute| compute.compute_id));
        }
        let ill = |vnfc: &&Vnfc| !vnfc.machine.as_ref().is_some_and(|machine| well.contains(&machine.id));
        Ok(instantiated.vnfcs.iter().filter(ill).map(|vnfc| vnfc.id.clone()).collect())
    }
}

fn is_well(compute: &VirtualCompute) -> bool {
    compute.running_state == RunningState::Running && compute.operational_state == OperationalState::Enabled
}

/// The operation.
pub(crate) struct Heal(pub(crate) Links);

impl Operation for Heal {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn version(&self) -> u32 {
        1
    }

    fn machine(&self) -> States {
        States::Vnf
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
        let instantiated = params.instance.resources()?;
        let patients = params.patients()?;
        let mut plan = Plan::of(KIND);
        if patients.is_empty() {
            return Ok(plan);
        }
        let ask = ask_grant(links, &params, &patients)?;
        let grant = plan.step(GRANT, ask).preparation().forward_only(grant::NOT_GIVEN_BACK).handle();
        for vnfc in patients {
            let mut before = grant.clone();
            if let Some(old) = &vnfc.machine {
                let part = Some(vnfc.id.clone());
                let remove = RemoveMachines(Machines { links: links.clone(), vnf, vim: old.vim.clone(), vnfc: part });
                let step = plan.step(machine_gone(&vnfc.id), remove).after(&before);
                before = step.forward_only(FORWARD_ONLY).handle();
            }
            let machine = MakeMachine {
                links: links.clone(),
                vnf,
                vnfc: vnfc.id.clone(),
                vdu: vnfc.vdu.clone(),
                host_name: vnfc.host_name.clone(),
                has_image: has_image(&instantiated.flavour, &vnfc.vdu),
                user_data: instantiated.user_data.get(&vnfc.vdu).cloned(),
                ports: Some(vnfc.ports.clone()),
            };
            plan.step(machine_id(&vnfc.id), machine).after(&before);
        }
        Ok(plan)
    }

    fn conclude(&self, ending: &Ending<'_>) -> Result<Vec<Write>, StepError> {
        record(ending)
    }

    fn abandon(&self, ending: &Ending<'_>) -> Result<Vec<Write>, StepError> {
        record(ending)
    }

    fn summary(&self, occurrence: &Occurrence, outputs: &Outputs) -> Value {
        let mut summary = Summary::of(outputs);
        if let Ok(params) = occurrence.params::<Params>() {
            for vnfc in params.patients().unwrap_or_default() {
                let new: Option<Machine> = outputs.find(&machine_id(&vnfc.id)).ok().flatten();
                match (new, &vnfc.machine) {
                    (Some(new), _) => summary.vnfc(&vnfc.id, &vnfc.vdu, ChangeType::Modified, &new),
                    (None, Some(old)) if is_done(outputs, &machine_gone(&vnfc.id)) => {
                        summary.vnfc(&vnfc.id, &vnfc.vdu, ChangeType::Removed, old);
                    }
                    (None, _) => {}
                }
            }
        }
        summary.into_value()
    }
}

fn machine_gone(vnfc: &str) -> String {
    format!("remove-machine/{vnfc}")
}

fn is_done(outputs: &Outputs, step: &str) -> bool {
    outputs.iter().any(|(done, _)| done == step)
}

// grant: the old machines go, the new ones come; rules bind the new ones to those that stay

fn ask_grant(links: &Links, params: &Params, patients: &[&Vnfc]) -> Result<AskGrant, CallError> {
    let instantiated = params.instance.resources()?;
    let needs = patients.iter().fold(Needs::default(), |needs, vnfc| needs.machine(instantiated, vnfc));
    let old = patients.iter().filter_map(|vnfc| {
        let machine = vnfc.machine.as_ref()?;
        Some(grant::machine(&vnfc.id, &vnfc.vdu, Some(machine.handle())))
    });
    let staying = instantiated.vnfcs.iter().filter(|vnfc| !params.vnfcs.contains(&vnfc.id));
    let new = patients.iter().map(|vnfc| (vnfc.id.as_str(), vnfc.vdu.as_str()));
    let request = GrantRequest {
        vnf_instance_id: params.instance.id.to_string(),
        vnfd_id: params.instance.vnfd_id.clone(),
        flavour_id: Some(instantiated.flavour.id.clone()),
        operation: VnfLcmOperation::Heal,
        add_resources: patients.iter().map(|vnfc| grant::machine(&vnfc.id, &vnfc.vdu, None)).collect(),
        remove_resources: old.collect(),
        placement_constraints: grant::placement(&instantiated.flavour, new, staying),
        additional_params: params.request.additional_params.clone(),
        ..GrantRequest::default()
    };
    Ok(AskGrant { links: links.clone(), request, needs })
}

// the end: each VNFC with the machine that it has now

fn record(ending: &Ending<'_>) -> Result<Vec<Write>, StepError> {
    let params: Params = ending.occurrence.params()?;
    let doc = ending.subject()?;
    let mut instance = Instance::read(doc)?;
    for vnfc in instance.instantiated.iter_mut().flat_map(|instantiated| &mut instantiated.vnfcs) {
        if !params.vnfcs.contains(&vnfc.id) {
            continue;
        }
        if is_done(ending.outputs, &machine_gone(&vnfc.id)) {
            vnfc.machine = None;
        }
        if let Some(new) = ending.outputs.find::<Machine>(&machine_id(&vnfc.id))? {
            vnfc.machine = Some(new);
        }
    }
    Ok(vec![instance.put(doc)?])
}
