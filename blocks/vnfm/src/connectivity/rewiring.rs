//! What a change of external links means for the interfaces of each VNFC. Pure.

use std::collections::BTreeSet;

use manifold_lcm::{Outputs, StepError};
use manifold_sol::{ExtVirtualLinkData, VnfExtCpData};
use manifold_vim_interface::{PortId, VirtualNetworkPort};
use serde::{Deserialize, Serialize};

use crate::instance::{Attachment, Port, Vnfc};
use crate::label;
use crate::layout::{Former, PortPlan, VnfcPlan};
use crate::port::{self, Slot, filled};

/// What becomes of a VNFC's interfaces.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Rewiring {
    pub(super) plan: VnfcPlan,
    pub(super) slots: Vec<Slot>,
    /// Whether it gets a new machine.
    pub(super) moves: bool,
}

impl Rewiring {
    pub(super) fn new_ports(&self) -> Vec<PortPlan> {
        let new = self.slots.iter().filter_map(|slot| match slot {
            Slot::New(plan) => Some(plan.clone()),
            Slot::Kept(_) => None,
        });
        new.collect()
    }

    pub(super) fn kept(&self) -> impl Iterator<Item = &Port> {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Kept(port) => Some(port),
            Slot::New(_) => None,
        })
    }

    /// The ports that it has when it is done. Errors: a new one was not made.
    pub(super) fn ports(&self, outputs: &Outputs) -> Result<Vec<Port>, StepError> {
        let made: Option<Vec<Port>> = outputs.find(&port::step_name(&self.plan.id))?;
        filled(&self.slots, &made.unwrap_or_default())
    }
}

/// What external links are when a change has been made: connection points that are named are where the change says, the others
/// stay where they are.
pub(super) fn merged(now: &[ExtVirtualLinkData], change: &[ExtVirtualLinkData]) -> Vec<ExtVirtualLinkData> {
    let named: BTreeSet<&str> = change
        .iter()
        .flat_map(|link| link.ext_cps.iter().map(|cp| cp.cpd_id.as_str()))
        .collect();
    let mut links: Vec<ExtVirtualLinkData> = now.to_vec();
    for link in &mut links {
        link.ext_cps.retain(|cp| !named.contains(cp.cpd_id.as_str()));
    }
    for link in change {
        let cps: Vec<VnfExtCpData> = link.ext_cps.clone();
        match links.iter_mut().find(|known| known.id == link.id) {
            Some(known) => {
                known.vim_connection_id = link.vim_connection_id.clone().or(known.vim_connection_id.take());
                known.resource_id.clone_from(&link.resource_id);
                known.ext_cps.extend(cps);
            }
            None => links.push(link.clone()),
        }
    }
    links.retain(|link| !link.ext_cps.is_empty());
    links
}

/// What becomes of one; `strays` are ports of the VNF that no VNFC is recorded to have.
pub(super) fn rewiring(vnfc: &Vnfc, plan: VnfcPlan, strays: &[(String, VirtualNetworkPort)]) -> Rewiring {
    let slots: Vec<Slot> = plan.ports.iter().map(|wish| slot(vnfc, wish, strays)).collect();
    let now: BTreeSet<PortId> = vnfc.ports.iter().map(|port| port.id).collect();
    let kept = slots.iter().filter_map(|slot| match slot {
        Slot::Kept(port) => Some(port.id),
        Slot::New(_) => None,
    });
    let is_as_it_was = slots.iter().all(|slot| matches!(slot, Slot::Kept(_))) && kept.collect::<BTreeSet<_>>() == now;
    Rewiring {
        moves: !is_as_it_was || vnfc.machine.is_none(),
        plan,
        slots,
    }
}

fn slot(vnfc: &Vnfc, wish: &PortPlan, strays: &[(String, VirtualNetworkPort)]) -> Slot {
    let network = match &wish.on {
        Attachment::External { network, .. } => Some(*network),
        Attachment::Internal { .. } => None,
    };
    let serves = |addresses: &[std::net::IpAddr], mac: &str| {
        wish.addresses.iter().all(|address| addresses.contains(address))
            && wish.mac.as_ref().is_none_or(|wished| wished == mac)
    };
    let here = vnfc
        .ports
        .iter()
        .find(|port| port.cp == wish.cp)
        .filter(|port| match (&port.on, network) {
            (Attachment::External { .. }, Some(network)) => {
                port.network == network && serves(&port.addresses, &port.mac)
            }
            (Attachment::Internal { .. }, None) => true,
            (Attachment::External { .. }, None) | (Attachment::Internal { .. }, Some(_)) => false,
        });
    if let Some(port) = here {
        return Slot::Kept(Port {
            on: wish.on.clone(),
            ..port.clone()
        });
    }
    let stray = strays.iter().find(|(_, port)| {
        label::is_part(&port.metadata, &vnfc.id)
            && port.metadata.get(label::CP) == Some(&wish.cp)
            && Some(port.network_id) == network
            && serves(&port.ip_address, &port.mac_address)
    });
    if let Some((vim, port)) = stray {
        return Slot::Kept(Port {
            cp: wish.cp.clone(),
            vim: vim.clone(),
            id: port.resource_id,
            network: port.network_id,
            addresses: port.ip_address.clone(),
            mac: port.mac_address.clone(),
            on: wish.on.clone(),
        });
    }
    let was = |port: &&Port| port.cp == wish.cp && Some(port.network) == network && serves(&port.addresses, &port.mac);
    Slot::New(PortPlan {
        former: vnfc.former.iter().find(was).map(|port| Former {
            addresses: port.addresses.clone(),
            mac: port.mac.clone(),
        }),
        ..wish.clone()
    })
}
