//! Heal VNF (IFA 007 7.2.9, SOL003 5.4.9): VNFC instances that are not well get new machines on their old ports, so that their
//! addresses stay.
//!
//! ```text
//!     grant ──> old machine of each VNFC removed ──> new machine on the same ports
//! ```
//!
//! Not undone: the old machine is gone. Given up: a VNFC that has no machine is recorded without, and healing finds it again.

use std::collections::BTreeMap;

use manifold_call::{CallError, Context, Outcome};
use manifold_lcm::{Ending, Machine as States, Occurrence, Operation, Outputs, Plan, PlanError, StepError, Task};
use manifold_sol::{ChangeType, GrantRequest, HealVnfRequest, VnfLcmOperation};
use manifold_store::{Kind, Write};
use manifold_vim_interface::RunningState;
use manifold_vnfm_interface::Ask;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::grant::{self, AskGrant, GRANT, Needs, machine_id};
use crate::instance::{INSTANCE, Instance, Instantiated, Machine, Vnfc};
use crate::instantiate::refused;
use crate::label;
use crate::machine::{Machines, MakeMachine, Plugs, RemoveMachines};
use crate::neighbours::Links;
use crate::occurrence::Summary;
use crate::start::{self, Beginning, Opening};
use crate::vnfc::{has_image, is_done, machine_gone};
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
        let params = Params {
            request: ask.request.clone(),
            instance: opened.instance.clone(),
            vnfcs,
        };
        opened.start(cx, KIND, &params)
    }

    /// Asks the VIMs which VNFC instances have no machine that does what it shall. Errors: `Unavailable`, a VIM does not answer,
    /// or has not been told yet whether a machine runs; to take such machines for dead would kill them.
    async fn not_well(&self, cx: &Context, instance: &Instance, instantiated: &Instantiated) -> Outcome<Vec<String>> {
        let mut found = BTreeMap::new();
        for vim in &instantiated.vims {
            let vim = self.links().vim(vim)?;
            let machines = vim.compute.query(cx, label::owned_by(instance.id)).await?;
            found.extend(
                machines
                    .into_iter()
                    .map(|machine| (machine.compute_id, machine.running_state)),
            );
        }
        let (mut ill, mut unknown) = (Vec::new(), Vec::new());
        for vnfc in &instantiated.vnfcs {
            match vnfc.machine.as_ref().and_then(|machine| found.get(&machine.id)) {
                Some(RunningState::Running) => {}
                Some(RunningState::Unknown) => unknown.push(vnfc.id.as_str()),
                Some(RunningState::Crashed | RunningState::Stopped) | None => ill.push(vnfc.id.clone()),
            }
        }
        if unknown.is_empty() {
            return Ok(ill);
        }
        let unknown = unknown.join(", ");
        Err(
            CallError::unavailable(format!("nobody has told yet whether the machines of {unknown} run"))
                .cure("ask again in a moment, or name the VNFC instances to heal"),
        )
    }
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
        let grant = plan
            .step(GRANT, ask)
            .preparation()
            .forward_only(grant::NOT_GIVEN_BACK)
            .handle();
        for vnfc in patients {
            let mut before = grant.clone();
            if let Some(old) = &vnfc.machine {
                let part = Some(vnfc.id.clone());
                let remove = RemoveMachines(Machines {
                    links: links.clone(),
                    vnf,
                    vim: old.vim.clone(),
                    vnfc: part,
                });
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
                ports: Plugs::There(vnfc.ports.clone()),
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

// grant: the old machines go, the new ones come; rules bind the new ones to those that stay

fn ask_grant(links: &Links, params: &Params, patients: &[&Vnfc]) -> Result<AskGrant, CallError> {
    let instantiated = params.instance.resources()?;
    let needs = patients
        .iter()
        .fold(Needs::default(), |needs, vnfc| needs.machine(instantiated, vnfc));
    let old = patients.iter().filter_map(|vnfc| {
        let machine = vnfc.machine.as_ref()?;
        Some(grant::machine(&vnfc.id, &vnfc.vdu, Some(machine.handle())))
    });
    let staying = instantiated
        .vnfcs
        .iter()
        .filter(|vnfc| !params.vnfcs.contains(&vnfc.id));
    let new = patients.iter().map(|vnfc| (vnfc.id.as_str(), vnfc.vdu.as_str()));
    let request = GrantRequest {
        vnf_instance_id: params.instance.id.to_string(),
        vnfd_id: params.instance.vnfd_id.clone(),
        flavour_id: Some(instantiated.flavour.id.clone()),
        operation: VnfLcmOperation::Heal,
        add_resources: patients
            .iter()
            .map(|vnfc| grant::machine(&vnfc.id, &vnfc.vdu, None))
            .collect(),
        remove_resources: old.collect(),
        placement_constraints: grant::placement(&instantiated.flavour, new, staying),
        additional_params: params.request.additional_params.clone(),
        ..GrantRequest::default()
    };
    Ok(AskGrant {
        links: links.clone(),
        request,
        needs,
    })
}

// the end: each VNFC with the machine that it has now

fn record(ending: &Ending<'_>) -> Result<Vec<Write>, StepError> {
    let params: Params = ending.occurrence.params()?;
    let doc = ending.subject()?;
    let mut instance = Instance::read(doc)?;
    if let Some(instantiated) = &mut instance.instantiated {
        instantiated.vims.extend(grant::vims(ending.outputs)?);
    }
    for vnfc in instance
        .instantiated
        .iter_mut()
        .flat_map(|instantiated| &mut instantiated.vnfcs)
    {
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

#[cfg(test)]
mod tests {
    use manifold_call::{CallError, ErrorKind};
    use manifold_lcm::State;
    use manifold_sol::{LcmOperationState, VnfInstance, VnfcResourceInfo};
    use manifold_vnfm_interface::{VnfInstanceId, VnfLifecycleManagement};

    use super::*;
    use crate::testing::{Site, cx};

    async fn heal(site: &Site, vnf_instance_id: VnfInstanceId, named: &[&str]) -> Outcome<manifold_call::OccurrenceId> {
        let vnfc_instance_id = named.iter().map(|id| (*id).to_owned()).collect();
        let request = HealVnfRequest {
            vnfc_instance_id,
            ..HealVnfRequest::default()
        };
        site.vnfm
            .heal(
                &cx(),
                Ask {
                    vnf_instance_id,
                    request,
                },
            )
            .await
    }

    fn vnfc<'a>(vnf: &'a VnfInstance, id: &str) -> &'a VnfcResourceInfo {
        let info = vnf.instantiated_vnf_info.as_ref().unwrap();
        info.vnfc_resource_info.iter().find(|vnfc| vnfc.id == id).unwrap()
    }

    #[tokio::test]
    async fn what_is_not_well_gets_a_new_machine_and_keeps_its_addresses() {
        let site = Site::new().await;
        let id = site.instantiated().await;
        let before = site.find(id).await;
        let machine = |vnf: &VnfInstance, id: &str| vnfc(vnf, id).compute_resource.resource_id.clone();
        site.world
            .vim
            .become_state(machine(&before, "frontend-1").parse().unwrap(), RunningState::Crashed);
        site.world.vim.lose(machine(&before, "worker-2").parse().unwrap());
        let occurrence = heal(&site, id, &[]).await.unwrap();
        site.ended(occurrence, State::Completed).await;
        let after = site.find(id).await;
        for (id, healed) in [("frontend-1", true), ("worker-1", false), ("worker-2", true)] {
            assert_eq!(machine(&before, id) != machine(&after, id), healed, "{id}");
            assert_eq!(vnfc(&before, id).vnfc_cp_info, vnfc(&after, id).vnfc_cp_info, "{id}");
            let compute = site.world.vim.compute(&machine(&after, id)).unwrap();
            let macs: Vec<String> = compute
                .virtual_network_interface
                .iter()
                .map(|nic| nic.mac_address.clone())
                .collect();
            let told = vnfc(&after, id)
                .vnfc_cp_info
                .iter()
                .filter_map(|cp| cp.cp_protocol_info[0].ip_over_ethernet.as_ref()?.mac_address.clone());
            assert_eq!(macs, told.collect::<Vec<_>>(), "{id}");
        }
        assert_eq!(site.world.vim.counts(), (1, 4, 3));
        assert_eq!(site.world.log.take()[0], "grant HEAL");
        // The first boot's data is given again.
        assert!(site.world.vim.user_data(&machine(&after, "frontend-1")).is_some());
        let told = site.vnfm.find_operation(&cx(), occurrence).await.unwrap();
        let changes: Vec<_> = told
            .resource_changes
            .unwrap()
            .affected_vnfcs
            .into_iter()
            .map(|vnfc| vnfc.change_type)
            .collect();
        assert_eq!(changes, [ChangeType::Modified, ChangeType::Modified]);
    }

    #[tokio::test]
    async fn a_vnf_that_is_well_is_left_alone() {
        let site = Site::new().await;
        let id = site.instantiated().await;
        let before = site.world.snapshot(&site.vnfm).await;
        let occurrence = heal(&site, id, &[]).await.unwrap();
        site.ended(occurrence, State::Completed).await;
        assert_eq!(site.world.snapshot(&site.vnfm).await, before);
        assert!(site.world.log.take().is_empty());
    }

    #[tokio::test]
    async fn those_that_are_named_are_healed_and_unknown_names_are_told() {
        let site = Site::new().await;
        let id = site.instantiated().await;
        let error = heal(&site, id, &["worker-7", "worker-8"]).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid);
        assert!(
            error.detail.contains("worker-7") && error.detail.contains("worker-8"),
            "{error}"
        );
        let before = site.find(id).await;
        let occurrence = heal(&site, id, &["worker-1", "worker-1"]).await.unwrap();
        site.ended(occurrence, State::Completed).await;
        let after = site.find(id).await;
        assert_ne!(
            vnfc(&before, "worker-1").compute_resource,
            vnfc(&after, "worker-1").compute_resource
        );
        assert_eq!(vnfc(&before, "worker-2"), vnfc(&after, "worker-2"));
    }

    /// After a restart a VIM knows nothing of its machines for a moment: they are not to die of that.
    #[tokio::test]
    async fn machines_of_which_nothing_is_known_are_not_taken_for_dead() {
        let site = Site::new().await;
        let id = site.instantiated().await;
        let before = site.find(id).await;
        let machine = &vnfc(&before, "worker-1").compute_resource.resource_id;
        site.world
            .vim
            .become_state(machine.parse().unwrap(), RunningState::Unknown);
        let error = heal(&site, id, &[]).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unavailable);
        assert!(error.detail.contains("worker-1"), "{error}");
        assert_eq!(site.find(id).await, before);
        // Who names it takes the decision.
        let occurrence = heal(&site, id, &["worker-1"]).await.unwrap();
        site.ended(occurrence, State::Completed).await;
        assert!(site.world.vim.compute(machine).is_none());
        assert_eq!(site.world.vim.counts(), (1, 4, 3));
    }

    #[tokio::test]
    async fn given_up_without_a_machine_it_is_found_and_healed_the_next_time() {
        let site = Site::new().await;
        let id = site.instantiated().await;
        site.world
            .vim
            .refuse("machine my-gateway-worker-1", 1, CallError::exhausted("no room"));
        let occurrence = heal(&site, id, &["worker-1"]).await.unwrap();
        site.ended(occurrence, State::FailedTemp).await;
        assert_eq!(
            site.vnfm.rollback(&cx(), occurrence).await.unwrap_err().kind,
            ErrorKind::Unsupported
        );
        let told = site.vnfm.fail(&cx(), occurrence).await.unwrap();
        assert_eq!(told.operation_state, LcmOperationState::Failed);
        let info = site.find(id).await.instantiated_vnf_info.unwrap();
        assert_eq!((info.vnfc_info.len(), info.vnfc_resource_info.len()), (3, 2));
        let occurrence = heal(&site, id, &[]).await.unwrap();
        site.ended(occurrence, State::Completed).await;
        assert_eq!(site.world.vim.counts(), (1, 4, 3));
    }
}
