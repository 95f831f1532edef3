//! Scale VNF (IFA 007 7.2.4, SOL003 5.4.5): more or fewer VNFC instances along an aspect.
//!
//! ```text
//!     out:  grant ──> ports of each new VNFC ──> its machine ──> levels raised
//!     in:   grant ──> machine of each old VNFC ──> its ports ──> levels lowered
//! ```
//!
//! Out is undone like an instantiation. In is not: what is removed does not come back. Given up: the levels stay, and the VNFC
//! instances that there are now are recorded; the next scaling makes or removes what then differs.

use std::collections::BTreeMap;

use manifold_call::{CallError, Context, Outcome};
use manifold_lcm::{Ending, Machine, Occurrence, Operation, Outputs, Plan, PlanError, StepError, Task};
use manifold_sol::{ChangeType, GrantRequest, ScaleType, ScaleVnfRequest, VnfLcmOperation};
use manifold_store::{Kind, Write};
use manifold_vnfm_interface::Ask;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::grant::{self, AskGrant, GRANT, Needs};
use crate::instance::{INSTANCE, Instance, Instantiated, Vnfc};
use crate::instantiate::refused;
use crate::layout::{VnfcPlan, Wish};
use crate::machine::{Machines, RemoveMachines};
use crate::neighbours::Links;
use crate::occurrence::Summary;
use crate::port::RemovePorts;
use crate::start::{self, Beginning, Opening};
use crate::vnfc::{self, NewVnfcs, is_done, machine_gone, ports_gone};
use crate::vnfm::Vnfm;

/// The operations' names in journals.
pub(crate) const OUT: &str = "vnf.scale-out";
pub(crate) const IN: &str = "vnf.scale-in";

/// Why no step of scaling in is undone.
const FORWARD_ONLY: &str = "what is removed does not come back";

/// Everything that the plans need to know.
#[derive(Debug, Serialize, Deserialize)]
struct Params {
    request: ScaleVnfRequest,
    instance: Instance,
    /// Of every aspect, when it is done.
    scale_levels: BTreeMap<String, u32>,
    /// Out only.
    add: Vec<VnfcPlan>,
    /// In only: identifiers.
    remove: Vec<String>,
}

impl Vnfm {
    pub(crate) async fn begin_scale(&self, cx: &Context, ask: &Ask<ScaleVnfRequest>) -> Outcome<Beginning> {
        let request = &ask.request;
        let kind = match request.kind {
            ScaleType::ScaleOut => OUT,
            ScaleType::ScaleIn => IN,
        };
        let opened = match self.open(cx, kind, ask.vnf_instance_id, request).await? {
            Opening::Known(occurrence) => return Ok(Beginning::Known(occurrence)),
            Opening::Free(opened) => opened,
        };
        let name = opened.instance.display_name();
        let params = params(&name, opened.instance.resources()?, request).map_err(|faults| refused(&faults))?;
        let (scale_levels, add, remove) = params;
        let params = Params {
            request: request.clone(),
            instance: opened.instance.clone(),
            scale_levels,
            add,
            remove,
        };
        opened.start(cx, kind, &params)
    }
}

type Change = (BTreeMap<String, u32>, Vec<VnfcPlan>, Vec<String>);

/// The levels to be, the VNFCs to make and those to remove. Errors: all faults at once.
fn params(name: &str, instantiated: &Instantiated, request: &ScaleVnfRequest) -> Result<Change, Vec<String>> {
    let flavour = &instantiated.flavour;
    let aspect_id = &request.aspect_id;
    let mut faults = Vec::new();
    let steps = request.number_of_steps.unwrap_or(1);
    if steps == 0 {
        faults.push("the number of steps is at least 1".to_owned());
    }
    if steps > 1 && !flavour.lcm_operations.scaling_by_more_than_one_step_supported {
        faults.push(format!(
            "{steps} steps are asked for, and the descriptor allows one at a time"
        ));
    }
    let level = instantiated.scale_levels.get(aspect_id).copied().unwrap_or(0);
    let mut scale_levels = instantiated.scale_levels.clone();
    match flavour.scaling_aspects.get(aspect_id) {
        None => {
            let known: Vec<&str> = flavour.scaling_aspects.keys().map(String::as_str).collect();
            faults.push(format!(
                "there is no scaling aspect {aspect_id}; there are: {}",
                known.join(", ")
            ));
        }
        Some(aspect) => {
            let max = aspect.max_scale_level;
            let (target, beyond) = match request.kind {
                ScaleType::ScaleOut => (level.saturating_add(steps), level.saturating_add(steps) > max),
                ScaleType::ScaleIn => (level.saturating_sub(steps), steps > level),
            };
            if beyond {
                faults.push(format!(
                    "aspect {aspect_id} stands at level {level} of 0 to {max}, and {steps} steps lead beyond that"
                ));
            }
            scale_levels.insert(aspect_id.clone(), target);
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    // Only the VDUs of this aspect: others may stand where an instantiation level put them.
    let touched = flavour.vdus.iter().filter(|vdu| vdu.deltas.contains_key(aspect_id));
    let now = |vdu: &manifold_descriptors::vnfd::Vdu| {
        (
            vdu.instances_at(&instantiated.scale_levels),
            vdu.instances_at(&scale_levels),
        )
    };
    let numbers = instantiated.numbers();
    let (mut counts, mut remove) = (BTreeMap::new(), Vec::new());
    for vdu in touched {
        let (_, target) = now(vdu);
        let (least, most) = (vdu.min_number_of_instances, vdu.max_number_of_instances);
        if target > most || target < least {
            faults.push(format!(
                "VDU {} would have {target} instances, and its profile allows {least} to {most}",
                vdu.id
            ));
            continue;
        }
        match request.kind {
            ScaleType::ScaleOut => {
                counts.insert(vdu.id.clone(), target);
            }
            ScaleType::ScaleIn => {
                let have = numbers.get(&vdu.id).cloned().unwrap_or_default();
                let surplus = have.len().saturating_sub(usize::try_from(target).unwrap_or(usize::MAX));
                // The newest first: those that the level added go with it.
                let newest = have.iter().rev().take(surplus).copied().collect::<Vec<_>>();
                let of = |number: u32| move |vnfc: &&Vnfc| vnfc.vdu == vdu.id && vnfc.number == number;
                remove.extend(
                    newest
                        .into_iter()
                        .filter_map(|number| instantiated.vnfcs.iter().find(of(number)).map(|vnfc| vnfc.id.clone())),
                );
            }
        }
    }
    let wish = Wish {
        vnf_name: name,
        flavour,
        ext_links: &instantiated.ext_links,
        counts,
        have: numbers,
    };
    let add = wish.lacking().unwrap_or_else(|more| {
        faults.extend(more);
        Vec::new()
    });
    if faults.is_empty() {
        Ok((scale_levels, add, remove))
    } else {
        Err(faults)
    }
}

/// Out.
pub(crate) struct ScaleOut(pub(crate) Links);

impl Operation for ScaleOut {
    fn kind(&self) -> &'static str {
        OUT
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
        start::supports(task, start::Undo::Offered)
    }

    fn plan(&self, occurrence: &Occurrence) -> Result<Plan, PlanError> {
        let params: Params = occurrence.params()?;
        let instantiated = params.instance.resources()?;
        let mut plan = Plan::of(OUT);
        let ask = ask_grant(&self.0, &params)?;
        let grant = plan
            .step(GRANT, ask)
            .preparation()
            .forward_only(grant::NOT_GIVEN_BACK)
            .handle();
        let vnfcs = NewVnfcs {
            links: &self.0,
            vnf: params.instance.id,
            flavour: &instantiated.flavour,
            user_data: &instantiated.user_data,
            vnfcs: &params.add,
            networks: grant::by_link(&instantiated.networks),
        };
        vnfcs.plan(&mut plan, &[grant]);
        Ok(plan)
    }

    fn conclude(&self, ending: &Ending<'_>) -> Result<Vec<Write>, StepError> {
        let params: Params = ending.occurrence.params()?;
        record(ending, &params, Some(&params.scale_levels))
    }

    fn abandon(&self, ending: &Ending<'_>) -> Result<Vec<Write>, StepError> {
        record(ending, &ending.occurrence.params()?, None)
    }

    fn summary(&self, occurrence: &Occurrence, outputs: &Outputs) -> Value {
        summary(occurrence, outputs)
    }
}

/// In.
pub(crate) struct ScaleIn(pub(crate) Links);

impl Operation for ScaleIn {
    fn kind(&self) -> &'static str {
        IN
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
        let instantiated = params.instance.resources()?;
        let mut plan = Plan::of(IN);
        let ask = ask_grant(links, &params)?;
        let grant = plan
            .step(GRANT, ask)
            .preparation()
            .forward_only(grant::NOT_GIVEN_BACK)
            .handle();
        for vnfc in params.remove.iter().filter_map(|id| instantiated.vnfc(id)) {
            let part = Some(vnfc.id.clone());
            let mut before = grant.clone();
            if let Some(machine) = &vnfc.machine {
                let (vim, vnfc_id) = (machine.vim.clone(), part.clone());
                let remove = RemoveMachines(Machines {
                    links: links.clone(),
                    vnf,
                    vim,
                    vnfc: vnfc_id,
                });
                let step = plan.step(machine_gone(&vnfc.id), remove).after(&before);
                before = step.forward_only(FORWARD_ONLY).handle();
            }
            if let Some(port) = vnfc.ports.first() {
                let ports = RemovePorts {
                    links: links.clone(),
                    vnf,
                    vim: port.vim.clone(),
                    vnfc: part,
                };
                plan.step(ports_gone(&vnfc.id), ports)
                    .after(&before)
                    .forward_only(FORWARD_ONLY);
            }
        }
        Ok(plan)
    }

    fn conclude(&self, ending: &Ending<'_>) -> Result<Vec<Write>, StepError> {
        let params: Params = ending.occurrence.params()?;
        record(ending, &params, Some(&params.scale_levels))
    }

    fn abandon(&self, ending: &Ending<'_>) -> Result<Vec<Write>, StepError> {
        record(ending, &ending.occurrence.params()?, None)
    }

    fn summary(&self, occurrence: &Occurrence, outputs: &Outputs) -> Value {
        summary(occurrence, outputs)
    }
}

// grant: what is added or removed, and the rules that bind what is added to what is there

fn ask_grant(links: &Links, params: &Params) -> Result<AskGrant, CallError> {
    let instantiated = params.instance.resources()?;
    let flavour = &instantiated.flavour;
    let networks = &instantiated.networks;
    let needs = params
        .add
        .iter()
        .fold(Needs::default(), |needs, vnfc| needs.vnfc(flavour, vnfc, networks));
    let removed = params.remove.iter().filter_map(|id| instantiated.vnfc(id));
    let request = GrantRequest {
        vnf_instance_id: params.instance.id.to_string(),
        vnfd_id: params.instance.vnfd_id.clone(),
        flavour_id: Some(flavour.id.clone()),
        operation: VnfLcmOperation::Scale,
        add_resources: params.add.iter().flat_map(grant::add_vnfc).collect(),
        remove_resources: removed.flat_map(grant::remove_vnfc).collect(),
        placement_constraints: grant::placement(flavour, grant::named(&params.add), instantiated.vnfcs.iter()),
        additional_params: params.request.additional_params.clone(),
        ..GrantRequest::default()
    };
    Ok(AskGrant {
        links: links.clone(),
        request,
        needs,
    })
}

// the end: the VNFCs that there are now, and the levels if they were reached

fn record(
    ending: &Ending<'_>,
    params: &Params,
    reached: Option<&BTreeMap<String, u32>>,
) -> Result<Vec<Write>, StepError> {
    let doc = ending.subject()?;
    let mut instance = Instance::read(doc)?;
    if let Some(instantiated) = &mut instance.instantiated {
        let gone = |vnfc: &Vnfc| {
            params.remove.contains(&vnfc.id) && (reached.is_some() || is_done(ending.outputs, &ports_gone(&vnfc.id)))
        };
        instantiated.vnfcs.retain(|vnfc| !gone(vnfc));
        for vnfc in &mut instantiated.vnfcs {
            if is_done(ending.outputs, &machine_gone(&vnfc.id)) {
                vnfc.machine = None;
            }
        }
        instantiated.vnfcs.extend(vnfc::made(&params.add, ending.outputs)?);
        instantiated.vims.extend(grant::vims(ending.outputs)?);
        if let Some(levels) = reached {
            instantiated.scale_levels.clone_from(levels);
        }
    }
    Ok(vec![instance.put(doc)?])
}

fn summary(occurrence: &Occurrence, outputs: &Outputs) -> Value {
    let mut summary = Summary::of(outputs);
    if let Ok(params) = occurrence.params::<Params>() {
        for vnfc in vnfc::made(&params.add, outputs).unwrap_or_default() {
            if let Some(machine) = &vnfc.machine {
                summary.vnfc(&vnfc.id, &vnfc.vdu, ChangeType::Added, machine);
            }
        }
        let instantiated = params.instance.instantiated.as_ref();
        for vnfc in params.remove.iter().filter_map(|id| instantiated?.vnfc(id)) {
            if let Some(machine) = vnfc
                .machine
                .as_ref()
                .filter(|_| is_done(outputs, &machine_gone(&vnfc.id)))
            {
                summary.vnfc(&vnfc.id, &vnfc.vdu, ChangeType::Removed, machine);
            }
        }
    }
    summary.into_value()
}

#[cfg(test)]
mod tests {
    use manifold_call::ErrorKind;
    use manifold_lcm::State;
    use manifold_sol::{ConstraintIdType, LcmOperationState};
    use manifold_vnfm_interface::VnfLifecycleManagement;

    use super::*;
    use crate::testing::{Site, cx};

    async fn workers(site: &Site, id: manifold_vnfm_interface::VnfInstanceId) -> (u32, Vec<String>) {
        let info = site.find(id).await.instantiated_vnf_info.unwrap();
        let workers = info
            .vnfc_info
            .iter()
            .filter(|vnfc| vnfc.vdu_id == "worker")
            .map(|vnfc| vnfc.id.clone());
        (info.scale_status[0].scale_level, workers.collect())
    }

    #[tokio::test]
    async fn out_adds_the_next_numbers_and_in_takes_the_newest() {
        let site = Site::new().await;
        let id = site.instantiated().await;
        site.world.nfvo.requests();
        let occurrence = site.scale(id, ScaleType::ScaleOut, 2).await.unwrap();
        site.ended(occurrence, State::Completed).await;
        assert_eq!(
            workers(&site, id).await,
            (
                3,
                ["worker-1", "worker-2", "worker-3", "worker-4"]
                    .map(str::to_owned)
                    .into()
            )
        );
        // The new ones are kept apart from each other and from those that were there.
        let request = site.world.nfvo.requests().remove(0);
        let kinds: Vec<_> = request.placement_constraints[0]
            .resource
            .iter()
            .map(|one| one.id_type)
            .collect();
        assert_eq!(kinds.iter().filter(|kind| **kind == ConstraintIdType::Grant).count(), 2);
        assert_eq!(
            kinds.iter().filter(|kind| **kind == ConstraintIdType::ResMgmt).count(),
            2
        );

        site.world.log.take();
        let occurrence = site.scale(id, ScaleType::ScaleIn, 3).await.unwrap();
        site.ended(occurrence, State::Completed).await;
        assert_eq!(workers(&site, id).await, (0, vec!["worker-1".to_owned()]));
        assert_eq!(site.world.vim.counts(), (1, 3, 2));
        let asked = site.world.log.take();
        assert_eq!(asked[0], "grant SCALE");
        let told = site.vnfm.find_operation(&cx(), occurrence).await.unwrap();
        assert_eq!(told.resource_changes.unwrap().affected_vnfcs.len(), 3);
    }

    #[tokio::test]
    async fn beyond_the_aspects_levels_it_is_refused_before_anything_is_asked() {
        let site = Site::new().await;
        let id = site.instantiated().await;
        for (kind, steps) in [
            (ScaleType::ScaleOut, 3),
            (ScaleType::ScaleIn, 2),
            (ScaleType::ScaleOut, 0),
            (ScaleType::ScaleOut, u32::MAX),
        ] {
            let error = site.scale(id, kind, steps).await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::Invalid, "{kind:?} by {steps}: {error}");
        }
        let request = ScaleVnfRequest {
            aspect_id: "height".to_owned(),
            number_of_steps: Some(0),
            ..ScaleVnfRequest::default()
        };
        let error = site
            .vnfm
            .scale(
                &cx(),
                Ask {
                    vnf_instance_id: id,
                    request,
                },
            )
            .await
            .unwrap_err();
        assert!(
            error.detail.contains("at least 1") && error.detail.contains("height; there are: workers"),
            "{error}"
        );
        assert!(site.world.log.take().is_empty());
    }

    #[tokio::test]
    async fn an_instance_without_resources_is_not_scaled() {
        let site = Site::new().await;
        let id = site.created().await;
        assert_eq!(
            site.scale(id, ScaleType::ScaleOut, 1).await.unwrap_err().kind,
            ErrorKind::Conflict
        );
    }

    #[tokio::test]
    async fn out_is_rolled_back_to_the_world_as_before_and_in_is_not() {
        let site = Site::new().await;
        let id = site.instantiated().await;
        let before = site.world.snapshot(&site.vnfm).await;
        let full = || manifold_call::CallError::exhausted("no room");
        site.world.vim.refuse("machine my-gateway-worker-3", 1, full());
        let occurrence = site.scale(id, ScaleType::ScaleOut, 1).await.unwrap();
        site.ended(occurrence, State::FailedTemp).await;
        site.vnfm.rollback(&cx(), occurrence).await.unwrap();
        site.ended(occurrence, State::RolledBack).await;
        assert_eq!(site.world.snapshot(&site.vnfm).await, before);

        site.world
            .vim
            .refuse("end port", 1, manifold_call::CallError::conflict("it is held"));
        let occurrence = site.scale(id, ScaleType::ScaleIn, 1).await.unwrap();
        site.ended(occurrence, State::FailedTemp).await;
        assert_eq!(
            site.vnfm.rollback(&cx(), occurrence).await.unwrap_err().kind,
            ErrorKind::Unsupported
        );
        site.vnfm.retry(&cx(), occurrence).await.unwrap();
        site.ended(occurrence, State::Completed).await;
        assert_eq!(workers(&site, id).await, (0, vec!["worker-1".to_owned()]));
    }

    /// What a scaling that was given up left is what the next one goes on from.
    #[tokio::test]
    async fn given_up_it_keeps_its_level_and_the_next_one_makes_up_the_difference() {
        let site = Site::new().await;
        let id = site.instantiated().await;
        site.world.vim.refuse(
            "machine my-gateway-worker-4",
            1,
            manifold_call::CallError::exhausted("no room"),
        );
        let occurrence = site.scale(id, ScaleType::ScaleOut, 2).await.unwrap();
        site.ended(occurrence, State::FailedTemp).await;
        let told = site.vnfm.fail(&cx(), occurrence).await.unwrap();
        assert_eq!(told.operation_state, LcmOperationState::Failed);
        let (level, names) = workers(&site, id).await;
        assert_eq!((level, names.len()), (1, 4));
        let occurrence = site.scale(id, ScaleType::ScaleIn, 1).await.unwrap();
        site.ended(occurrence, State::Completed).await;
        assert_eq!(workers(&site, id).await, (0, vec!["worker-1".to_owned()]));
        assert_eq!(site.world.vim.counts(), (1, 3, 2));
    }

    /// The package may be gone: the instance holds what it needs.
    #[tokio::test]
    async fn it_scales_without_its_package() {
        let site = Site::new().await;
        let id = site.instantiated().await;
        site.world.nfvo.remove("gateway");
        let occurrence = site.scale(id, ScaleType::ScaleOut, 1).await.unwrap();
        site.ended(occurrence, State::Completed).await;
    }
}
