//! Instantiate VNF (IFA 007 7.2.3, SOL003 5.4.4). No resource is asked for before the grant is held.
//!
//! ```text
//!     grant ──> networks ──> ports of each VNFC ──> its machine ──> INSTANTIATED
//! ```
//!
//! Undone: no resource with the VNF's label is left, and it is NOT_INSTANTIATED as before. Given up: what was made is recorded,
//! the VNF counts as INSTANTIATED, and terminating it removes that.

use std::collections::BTreeMap;

use manifold_call::{CallError, Context, Outcome};
use manifold_descriptors::vnfd::DeploymentFlavour;
use manifold_lcm::{Ending, Machine, Occurrence, Operation, Outputs, Plan, PlanError, StepError, Task};
use manifold_sol::{ChangeType, GrantRequest, InstantiateVnfRequest, VnfLcmOperation};
use manifold_store::{Kind, Sealed, Write};
use manifold_vnfm_interface::{Ask, VnfInstanceId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::grant::{self, AskGrant, GRANT, Needs};
use crate::instance::{INSTANCE, Instance, Instantiated, Network};
use crate::layout::{VnfcPlan, Wish};
use crate::machine::seal_place;
use crate::neighbours::Links;
use crate::network::MakeNetwork;
use crate::occurrence::Summary;
use crate::start::{Beginning, Opening};
use crate::vnfc::{self, NewVnfcs};
use crate::vnfm::Vnfm;
use crate::{instance, start};

/// The operation's name in journals.
pub(crate) const KIND: &str = "vnf.instantiate";

/// Everything that the plan needs to know.
#[derive(Debug, Serialize, Deserialize)]
struct Params {
    vnf: VnfInstanceId,
    vnf_name: String,
    vnfd_id: String,
    request: InstantiateVnfRequest,
    /// Without boot data, which may hold secrets.
    flavour: DeploymentFlavour,
    user_data: BTreeMap<String, Sealed>,
    scale_levels: BTreeMap<String, u32>,
    vnfcs: Vec<VnfcPlan>,
}

impl Vnfm {
    pub(crate) async fn begin_instantiate(&self, cx: &Context, ask: &Ask<InstantiateVnfRequest>) -> Outcome<Beginning> {
        let opened = match self.open(cx, KIND, ask.vnf_instance_id, &ask.request).await? {
            Opening::Known(occurrence) => return Ok(Beginning::Known(occurrence)),
            Opening::Free(opened) => opened,
        };
        let (id, request) = (opened.instance.id, &ask.request);
        if opened.instance.instantiated.is_some() {
            let fault = CallError::conflict(format!("VNF instance {id} is INSTANTIATED already"));
            return Err(fault.cure("heal or scale it, or terminate it first"));
        }
        let vnfd = self.descriptor(cx, &opened.instance.vnfd_id).await?;
        let Some(mut flavour) = vnfd.flavour(&request.flavour_id).cloned() else {
            let known: Vec<&str> = vnfd.flavours.iter().map(|flavour| flavour.id.as_str()).collect();
            let (wanted, known) = (&request.flavour_id, known.join(", "));
            return Err(CallError::invalid(format!(
                "there is no deployment flavour {wanted}; there are: {known}"
            )));
        };
        let mut faults = Vec::new();
        let boot_data = take_boot_data(&mut flavour, &mut faults);
        let vnf_name = opened.instance.display_name();
        let level = request.instantiation_level_id.as_deref();
        let Some(scale_levels) = flavour.scale_levels_at(level) else {
            let known: Vec<&str> = flavour.instantiation_levels.keys().map(String::as_str).collect();
            faults.push(format!(
                "there is no instantiation level {}; there are: {}",
                level.unwrap_or_default(),
                known.join(", ")
            ));
            return Err(refused(&faults));
        };
        let counts = flavour
            .vdus
            .iter()
            .filter_map(|vdu| Some((vdu.id.clone(), flavour.instances_at_level(vdu, level)?)));
        let wish = Wish {
            vnf_name: &vnf_name,
            flavour: &flavour,
            ext_links: &request.ext_virtual_links,
            counts: counts.collect(),
            have: BTreeMap::new(),
        };
        let vnfcs = wish.lacking().unwrap_or_else(|more| {
            faults.extend(more);
            Vec::new()
        });
        if !faults.is_empty() {
            return Err(refused(&faults));
        }
        let sealer = self.store().sealer();
        let mut user_data = BTreeMap::new();
        for (vdu, content) in boot_data {
            let sealed = sealer.seal(&seal_place(id, &vdu), content.as_bytes());
            let sealed =
                sealed.map_err(|error| CallError::internal("boot data could not be sealed").caused_by(error))?;
            user_data.insert(vdu, sealed);
        }
        let vnfd_id = opened.instance.vnfd_id.clone();
        let request = request.clone();
        let params = Params {
            vnf: id,
            vnf_name,
            vnfd_id,
            request,
            flavour,
            user_data,
            scale_levels,
            vnfcs,
        };
        opened.start(cx, KIND, &params)
    }
}

/// All faults at once.
pub(crate) fn refused(faults: &[String]) -> CallError {
    CallError::invalid(faults.join("; "))
}

/// Takes the boot data out of a flavour, by VDU.
fn take_boot_data(flavour: &mut DeploymentFlavour, faults: &mut Vec<String>) -> BTreeMap<String, String> {
    let mut by_vdu = BTreeMap::new();
    for vdu in &mut flavour.vdus {
        let Some(boot_data) = vdu.boot_data.take() else {
            continue;
        };
        if !boot_data.key_values.is_empty() {
            faults.push(format!(
                "VDU {}: boot data as key-value pairs is not offered, only as text",
                vdu.id
            ));
        }
        match (boot_data.content, boot_data.source_path) {
            (Some(content), _) => {
                by_vdu.insert(vdu.id.clone(), content);
            }
            (None, Some(path)) => {
                faults.push(format!(
                    "VDU {}: boot data in a file of the package ({path}) is not offered, only as text",
                    vdu.id
                ));
            }
            (None, None) => {}
        }
    }
    by_vdu
}

/// The operation.
pub(crate) struct Instantiate(pub(crate) Links);

impl Operation for Instantiate {
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
        start::supports(task, start::Undo::Offered)
    }

    fn plan(&self, occurrence: &Occurrence) -> Result<Plan, PlanError> {
        let params: Params = occurrence.params()?;
        let links = &self.0;
        let mut plan = Plan::of(KIND);
        let ask = ask_grant(links, &params);
        let grant = plan
            .step(GRANT, ask)
            .preparation()
            .forward_only(grant::NOT_GIVEN_BACK)
            .handle();
        let mut networks = vec![grant.clone()];
        for link in &params.flavour.virtual_links {
            let network = MakeNetwork {
                links: links.clone(),
                vnf: params.vnf,
                vnf_name: params.vnf_name.clone(),
                link: link.clone(),
            };
            networks.push(plan.step(grant::network_id(&link.id), network).after(&grant).handle());
        }
        let vnfcs = NewVnfcs {
            links,
            vnf: params.vnf,
            flavour: &params.flavour,
            user_data: &params.user_data,
            vnfcs: &params.vnfcs,
            networks: BTreeMap::new(),
        };
        vnfcs.plan(&mut plan, &networks);
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
            for network in networks(&params, outputs).unwrap_or_default() {
                summary.link(ChangeType::Added, &network);
            }
            for vnfc in vnfc::made(&params.vnfcs, outputs).unwrap_or_default() {
                if let Some(machine) = &vnfc.machine {
                    summary.vnfc(&vnfc.id, &vnfc.vdu, ChangeType::Added, machine);
                }
            }
        }
        summary.into_value()
    }
}

// grant: every machine, port and network at once, with the descriptor's rules for where machines stand

fn ask_grant(links: &Links, params: &Params) -> AskGrant {
    let flavour = &params.flavour;
    let networks = flavour.virtual_links.iter().map(|link| grant::add_network(&link.id));
    let needs = params
        .vnfcs
        .iter()
        .fold(Needs::default(), |needs, vnfc| needs.vnfc(flavour, vnfc, &[]));
    let request = GrantRequest {
        vnf_instance_id: params.vnf.to_string(),
        vnfd_id: params.vnfd_id.clone(),
        flavour_id: Some(flavour.id.clone()),
        operation: VnfLcmOperation::Instantiate,
        instantiation_level_id: params.request.instantiation_level_id.clone(),
        add_resources: params.vnfcs.iter().flat_map(grant::add_vnfc).chain(networks).collect(),
        placement_constraints: grant::placement(flavour, grant::named(&params.vnfcs), std::iter::empty()),
        additional_params: params.request.additional_params.clone(),
        ..GrantRequest::default()
    };
    AskGrant {
        links: links.clone(),
        request,
        needs,
    }
}

// the end: what was made is what the VNF consists of

fn record(ending: &Ending<'_>) -> Result<Vec<Write>, StepError> {
    let params: Params = ending.occurrence.params()?;
    let doc = ending.subject()?;
    let mut instance = Instance::read(doc)?;
    instance.instantiated = Some(Instantiated {
        user_data: params.user_data.clone(),
        scale_levels: params.scale_levels.clone(),
        ext_links: params.request.ext_virtual_links.clone(),
        vims: grant::vims(ending.outputs)?.into_iter().collect(),
        networks: networks(&params, ending.outputs)?,
        vnfcs: vnfc::made(&params.vnfcs, ending.outputs)?,
        flavour: params.flavour,
    });
    Ok(vec![instance.put(doc)?])
}

fn networks(params: &Params, outputs: &Outputs) -> Result<Vec<instance::Network>, StepError> {
    let made = params.flavour.virtual_links.iter();
    made.filter_map(|link| outputs.find::<Network>(&grant::network_id(&link.id)).transpose())
        .collect()
}

#[cfg(test)]
mod tests;
