//! VNFC instances in plans: their steps, and what the steps gave.

use std::collections::BTreeMap;

use manifold_descriptors::vnfd::DeploymentFlavour;
use manifold_lcm::{Outputs, Plan, StepError, StepHandle};
use manifold_store::Sealed;
use manifold_vnfm_interface::VnfInstanceId;

use crate::grant::machine_id;
use crate::instance::{Machine, Network, Port, Vnfc};
use crate::layout::VnfcPlan;
use crate::machine::{MakeMachine, Plugs};
use crate::neighbours::Links;
use crate::port::{self, MakePorts};

/// VNFC instances that a plan makes.
pub(crate) struct NewVnfcs<'a> {
    pub(crate) links: &'a Links,
    pub(crate) vnf: VnfInstanceId,
    pub(crate) flavour: &'a DeploymentFlavour,
    pub(crate) user_data: &'a BTreeMap<String, Sealed>,
    pub(crate) vnfcs: &'a [VnfcPlan],
    /// Networks that there are before the operation.
    pub(crate) networks: BTreeMap<String, Network>,
}

impl NewVnfcs<'_> {
    /// For each: its ports, then its machine on them.
    pub(crate) fn plan(&self, plan: &mut Plan, after: &[StepHandle]) {
        for vnfc in self.vnfcs {
            let ports = MakePorts {
                links: self.links.clone(),
                vnf: self.vnf,
                vnfc: vnfc.clone(),
                networks: self.networks.clone(),
            };
            let ports = plan.step(port::step_name(&vnfc.id), ports).after_all(after).handle();
            let machine = MakeMachine {
                links: self.links.clone(),
                vnf: self.vnf,
                vnfc: vnfc.id.clone(),
                vdu: vnfc.vdu.clone(),
                host_name: vnfc.host_name.clone(),
                has_image: has_image(self.flavour, &vnfc.vdu),
                user_data: self.user_data.get(&vnfc.vdu).cloned(),
                ports: Plugs::Made,
            };
            plan.step(machine_id(&vnfc.id), machine).after(&ports);
        }
    }
}

/// The step that ends a VNFC's machine.
pub(crate) fn machine_gone(vnfc: &str) -> String {
    format!("remove-machine/{vnfc}")
}

/// The step that ends a VNFC's ports.
pub(crate) fn ports_gone(vnfc: &str) -> String {
    format!("remove-ports/{vnfc}")
}

/// Whether a step has done its work.
pub(crate) fn is_done(outputs: &Outputs, step: &str) -> bool {
    outputs.iter().any(|(done, _)| done == step)
}

/// Whether the machines of a VDU boot an image.
pub(crate) fn has_image(flavour: &DeploymentFlavour, vdu: &str) -> bool {
    flavour.vdu(vdu).is_some_and(|vdu| vdu.boot_image().is_some())
}

/// The VNFC instances that were made: those that have their ports, with a machine or still without. What was made of one that
/// lacks some of its ports is found by its labels when the VNF is terminated.
pub(crate) fn made(plans: &[VnfcPlan], outputs: &Outputs) -> Result<Vec<Vnfc>, StepError> {
    let mut vnfcs = Vec::new();
    for plan in plans {
        let Some(ports) = outputs.find::<Vec<Port>>(&port::step_name(&plan.id))? else {
            continue;
        };
        vnfcs.push(Vnfc {
            id: plan.id.clone(),
            vdu: plan.vdu.clone(),
            number: plan.number,
            host_name: plan.host_name.clone(),
            ports,
            former: Vec::new(),
            machine: outputs.find::<Machine>(&machine_id(&plan.id))?,
        });
    }
    Ok(vnfcs)
}
