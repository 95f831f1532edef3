//! Change external VNF connectivity (IFA 007 7.2.12, SOL003 5.4.11): external connection points move to other networks.
//!
//! ```text
//!     grant ──> new ports of each VNFC that moves ──(all of them)──> its old machine removed ──> its new machine ──> old ports
//! ```
//!
//! An interface cannot be taken out of a machine that runs, so a VNFC that moves gets a new machine: its identity, its host name, its
//! other ports and all addresses on networks that it stays on are kept; what was in its memory and on its disk is not. A VNFC none of
//! whose connection points moves is not touched. One that has no machine gets one.
//!
//! Not undone: the old machine is gone. Whoever wants the connectivity back asks for it: what comes back to a network that it was on
//! gets the addresses that it had there, if nobody else has them by now. Given up: each VNFC is recorded as it is; the next change
//! goes on from there, and uses ports that this one made.

mod rewiring;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use manifold_call::{Context, Outcome};
use manifold_lcm::{
    Ending, Found, Machine as States, Occurrence, Operation, Outputs, Plan, PlanError, Progress, Step, StepCx,
    StepError, Task, UndoProgress,
};
use manifold_sol::{ChangeExtVnfConnectivityRequest, ChangeType, ExtVirtualLinkData, GrantRequest, VnfLcmOperation};
use manifold_store::{Kind, Write};
use manifold_vim_interface::{PortId, VimHandle, VirtualNetworkPort};
use manifold_vnfm_interface::{Ask, VnfInstanceId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::rewiring::{Rewiring, merged, rewiring};
use crate::grant::{self, AskGrant, GRANT, Needs, machine_id};
use crate::instance::{INSTANCE, Instance, Instantiated, Machine, Port, Vnfc};
use crate::instantiate::refused;
use crate::label;
use crate::layout::{VnfcPlan, Wish};
use crate::machine::{Machines, MakeMachine, Plugs, RemoveMachines};
use crate::neighbours::Links;
use crate::network::end;
use crate::occurrence::Summary;
use crate::port::{self, MakePorts};
use crate::start::{self, Beginning, Opening};
use crate::vnfc::{has_image, is_done, machine_gone};
use crate::vnfm::Vnfm;

/// The operation's name in journals.
pub(crate) const KIND: &str = "vnf.change-ext-conn";

/// Why no step is undone.
const FORWARD_ONLY: &str = "the old machine does not come back";

/// Ports that are remembered of a VNFC after they were left.
const FORMER_MAX: usize = 16;

/// Everything that the plan needs to know.
#[derive(Debug, Serialize, Deserialize)]
struct Params {
    request: ChangeExtVnfConnectivityRequest,
    instance: Instance,
    /// As they are when it is done.
    ext_links: Vec<ExtVirtualLinkData>,
    /// Of every VNFC instance.
    vnfcs: Vec<Rewiring>,
}

impl Params {
    fn moving(&self) -> impl Iterator<Item = (&Rewiring, &Vnfc)> {
        let instantiated = self.instance.instantiated.as_ref();
        self.vnfcs
            .iter()
            .filter(|rewiring| rewiring.moves)
            .filter_map(move |rewiring| Some((rewiring, instantiated?.vnfc(&rewiring.plan.id)?)))
    }
}

impl Vnfm {
    pub(crate) async fn begin_change(
        &self,
        cx: &Context,
        ask: &Ask<ChangeExtVnfConnectivityRequest>,
    ) -> Outcome<Beginning> {
        let opened = match self.open(cx, KIND, ask.vnf_instance_id, &ask.request).await? {
            Opening::Known(occurrence) => return Ok(Beginning::Known(occurrence)),
            Opening::Free(opened) => opened,
        };
        let instance = &opened.instance;
        let instantiated = instance.resources()?;
        let ext_links = merged(&instantiated.ext_links, &ask.request.ext_virtual_links);
        let wish = Wish {
            vnf_name: "",
            flavour: &instantiated.flavour,
            ext_links: &ext_links,
            counts: BTreeMap::new(),
            have: BTreeMap::new(),
        };
        let plans = wish.present(&instantiated.vnfcs).map_err(|faults| refused(&faults))?;
        let strays = self.strays(cx, instance.id, instantiated).await?;
        let vnfcs = plans
            .into_iter()
            .filter_map(|plan| Some(rewiring(instantiated.vnfc(&plan.id)?, plan, &strays)))
            .collect();
        let params = Params {
            request: ask.request.clone(),
            instance: instance.clone(),
            ext_links,
            vnfcs,
        };
        opened.start(cx, KIND, &params)
    }

    /// Ports of the VNF that no VNFC is recorded to have: an operation that was given up made them, or did not remove them.
    async fn strays(
        &self,
        cx: &Context,
        vnf: VnfInstanceId,
        instantiated: &Instantiated,
    ) -> Outcome<Vec<(String, VirtualNetworkPort)>> {
        let known: BTreeSet<PortId> = instantiated
            .vnfcs
            .iter()
            .flat_map(|vnfc| vnfc.ports.iter().map(|port| port.id))
            .collect();
        let mut strays = Vec::new();
        for id in &instantiated.vims {
            let vim = self.links().vim(id)?;
            let found = vim.networks.query(cx, label::owned_by(vnf)).await?;
            let unknown = found.network_port_data.into_iter();
            let unknown =
                unknown.filter(|port| !known.contains(&port.resource_id) && port.attached_resource_id.is_none());
            strays.extend(unknown.map(|port| (vim.id.clone(), port)));
        }
        Ok(strays)
    }
}

/// The operation.
pub(crate) struct Change(pub(crate) Links);

impl Operation for Change {
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
        let mut plan = Plan::of(KIND);
        let mut ready = Vec::new();
        if params.moving().next().is_some() {
            let ask = ask_grant(links, &params)?;
            let grant = plan.step(GRANT, ask).preparation().forward_only(grant::NOT_GIVEN_BACK);
            ready.push(grant.handle());
        }
        let granted = ready.clone();
        for (rewiring, _) in params.moving() {
            let new = rewiring.new_ports();
            if new.is_empty() {
                continue;
            }
            let ports = MakePorts {
                links: links.clone(),
                vnf,
                vnfc: VnfcPlan {
                    ports: new,
                    ..rewiring.plan.clone()
                },
                networks: grant::by_link(&instantiated.networks),
            };
            let step = plan.step(port::step_name(&rewiring.plan.id), ports).after_all(&granted);
            ready.push(step.handle());
        }
        // No machine goes before every port is there that a new one needs.
        let mut done = ready.clone();
        for (rewiring, vnfc) in params.moving() {
            let mut before = ready.clone();
            if let Some(old) = &vnfc.machine {
                let remove = RemoveMachines(Machines {
                    links: links.clone(),
                    vnf,
                    vim: old.vim.clone(),
                    vnfc: Some(vnfc.id.clone()),
                });
                let step = plan.step(machine_gone(&vnfc.id), remove).after_all(&before);
                before = vec![step.forward_only(FORWARD_ONLY).handle()];
            }
            let ports = if rewiring.new_ports().is_empty() {
                Plugs::There(rewiring.kept().cloned().collect())
            } else {
                Plugs::Mixed(rewiring.slots.clone())
            };
            let machine = MakeMachine {
                links: links.clone(),
                vnf,
                vnfc: vnfc.id.clone(),
                vdu: vnfc.vdu.clone(),
                host_name: vnfc.host_name.clone(),
                has_image: has_image(&instantiated.flavour, &vnfc.vdu),
                user_data: instantiated.user_data.get(&vnfc.vdu).cloned(),
                ports,
            };
            let step = plan.step(machine_id(&vnfc.id), machine).after_all(&before);
            done.push(step.handle());
        }
        for vim in &instantiated.vims {
            let left = RemoveLeft {
                links: links.clone(),
                vnf,
                vim: vim.clone(),
                keep: params
                    .vnfcs
                    .iter()
                    .flat_map(|rewiring| rewiring.kept().map(|port| port.id))
                    .collect(),
                makers: params.vnfcs.iter().map(|rewiring| rewiring.plan.id.clone()).collect(),
            };
            plan.step(format!("left-ports/{vim}"), left)
                .after_all(&done)
                .forward_only(FORWARD_ONLY);
        }
        Ok(plan)
    }

    fn conclude(&self, ending: &Ending<'_>) -> Result<Vec<Write>, StepError> {
        record(ending, true)
    }

    fn abandon(&self, ending: &Ending<'_>) -> Result<Vec<Write>, StepError> {
        record(ending, false)
    }

    fn summary(&self, occurrence: &Occurrence, outputs: &Outputs) -> Value {
        let mut summary = Summary::of(outputs);
        if let Ok(params) = occurrence.params::<Params>() {
            for (_, vnfc) in params.moving() {
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

// grant: machines and ports that go, those that come in their place

fn ask_grant(links: &Links, params: &Params) -> Outcome<AskGrant> {
    let instantiated = params.instance.resources()?;
    let flavour = &instantiated.flavour;
    let needs = params.moving().fold(Needs::default(), |needs, (rewiring, _)| {
        needs.rewired(flavour, &rewiring.plan, &rewiring.slots)
    });
    let add = params.moving().flat_map(|(rewiring, _)| {
        grant::add_vnfc(&VnfcPlan {
            ports: rewiring.new_ports(),
            ..rewiring.plan.clone()
        })
    });
    let remove = params.moving().flat_map(|(rewiring, vnfc)| {
        let mut leaving = vnfc.clone();
        leaving
            .ports
            .retain(|port| rewiring.kept().all(|kept| kept.id != port.id));
        grant::remove_vnfc(&leaving)
    });
    let moving: BTreeSet<&str> = params.moving().map(|(rewiring, _)| rewiring.plan.id.as_str()).collect();
    let staying = instantiated
        .vnfcs
        .iter()
        .filter(|vnfc| !moving.contains(vnfc.id.as_str()));
    let new: Vec<(&str, &str)> = params
        .moving()
        .map(|(_, vnfc)| (vnfc.id.as_str(), vnfc.vdu.as_str()))
        .collect();
    let request = GrantRequest {
        vnf_instance_id: params.instance.id.to_string(),
        vnfd_id: params.instance.vnfd_id.clone(),
        flavour_id: Some(flavour.id.clone()),
        operation: VnfLcmOperation::ChangeExtConn,
        add_resources: add.collect(),
        remove_resources: remove.collect(),
        placement_constraints: grant::placement(flavour, new.into_iter(), staying),
        additional_params: params.request.additional_params.clone(),
        ..GrantRequest::default()
    };
    Ok(AskGrant {
        links: links.clone(),
        request,
        needs,
    })
}

// left-ports: ports that no VNFC has any more, also those that nobody recorded

struct RemoveLeft {
    links: Links,
    vnf: VnfInstanceId,
    vim: String,
    keep: BTreeSet<PortId>,
    /// VNFCs for which the operation may have made ports.
    makers: Vec<String>,
}

impl RemoveLeft {
    async fn ids(&self, cx: &StepCx, vim: &VimHandle) -> Result<Vec<manifold_call::Uuid>, StepError> {
        let mut keep = self.keep.clone();
        for vnfc in &self.makers {
            let made: Option<Vec<Port>> = cx.find_output(&port::step_name(vnfc))?;
            keep.extend(made.into_iter().flatten().map(|port| port.id));
        }
        let found = vim
            .networks
            .query(&cx.context_of("find"), label::owned_by(self.vnf))
            .await?;
        let all = found.network_port_data.iter().map(|port| port.resource_id);
        Ok(all.filter(|id| !keep.contains(id)).map(|id| id.0).collect())
    }
}

#[async_trait]
impl Step for RemoveLeft {
    async fn find(&self, cx: &StepCx) -> Result<Found, StepError> {
        let left = self.ids(cx, &self.links.vim(&self.vim)?).await?;
        if left.is_empty() {
            Found::done(&left)
        } else {
            Ok(Found::Absent)
        }
    }

    async fn act(&self, cx: &StepCx) -> Result<Progress, StepError> {
        let vim = self.links.vim(&self.vim)?;
        let ids = self.ids(cx, &vim).await?;
        end(cx, &vim, "ports", ids.clone()).await?;
        Progress::done(&ids)
    }

    async fn undo(&self, _cx: &StepCx, _made: Option<&Value>) -> Result<UndoProgress, StepError> {
        Ok(UndoProgress::Done)
    }

    fn limit(&self) -> Duration {
        // Some milliseconds each; a VIM that restarts meanwhile takes some seconds.
        Duration::from_secs(60)
    }
}

// the end: each VNFC with the ports and the machine that it has now

fn record(ending: &Ending<'_>, is_complete: bool) -> Result<Vec<Write>, StepError> {
    let params: Params = ending.occurrence.params()?;
    let doc = ending.subject()?;
    let mut instance = Instance::read(doc)?;
    if let Some(instantiated) = &mut instance.instantiated {
        instantiated.vims.extend(grant::vims(ending.outputs)?);
        if is_complete {
            instantiated.ext_links.clone_from(&params.ext_links);
        }
        for rewiring in &params.vnfcs {
            let Some(vnfc) = instantiated.vnfcs.iter_mut().find(|vnfc| vnfc.id == rewiring.plan.id) else {
                continue;
            };
            if is_done(ending.outputs, &machine_gone(&vnfc.id)) {
                vnfc.machine = None;
            }
            let new = ending.outputs.find::<Machine>(&machine_id(&vnfc.id))?;
            if new.is_some() || (is_complete && !rewiring.moves) {
                remember(vnfc, rewiring.ports(ending.outputs)?);
            }
            vnfc.machine = new.or(vnfc.machine.take());
        }
    }
    Ok(vec![instance.put(doc)?])
}

/// Gives a VNFC its ports, and keeps in mind which it left.
fn remember(vnfc: &mut Vnfc, ports: Vec<Port>) {
    let left = std::mem::replace(&mut vnfc.ports, ports);
    for port in left {
        if vnfc.ports.iter().any(|kept| kept.id == port.id) {
            continue;
        }
        vnfc.former
            .retain(|former| former.cp != port.cp || former.network != port.network);
        vnfc.former.insert(0, port);
    }
    vnfc.former.truncate(FORMER_MAX);
}
