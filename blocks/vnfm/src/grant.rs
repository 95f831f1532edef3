//! Grants: what is asked of the NFVO before any resource is, and what it answered (IFA 007 6.3, SOL003 9).

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use manifold_call::CallError;
use manifold_descriptors::vnfd::{AffinityScope, AffinityType as Kind, DeploymentFlavour};
use manifold_lcm::{Found, Progress, Step, StepCx, StepError, UndoProgress};
use manifold_nfvo_interface::GrantAsk;
use manifold_sol::{
    AffinityType, ConstraintIdType, ConstraintResourceRef, Grant, GrantInfo, GrantRequest, GrantedResourceType,
    PlacementConstraint, PlacementScope, ResourceDefinition, ResourceHandle,
};
use manifold_vim_interface::{FlavourId, ImageId, LocationConstraints};
use serde_json::Value;

use crate::instance::{Attachment, Instantiated, Network, Vnfc};
use crate::layout::VnfcPlan;
use crate::neighbours::Links;
use crate::port::Slot;
use crate::vnfc::has_image;

/// The step's name, under which other steps find the grant.
pub(crate) const GRANT: &str = "grant";

/// Why no step gives a grant back: SOL003 9 has no operation for it. An unused grant binds nothing.
pub(crate) const NOT_GIVEN_BACK: &str = "SOL003 knows no way to give a grant back; unused, it binds nothing";

/// The resource definition of a VNFC's machine.
pub(crate) fn machine_id(vnfc: &str) -> String {
    format!("machine/{vnfc}")
}

/// The resource definition of an internal link's network.
pub(crate) fn network_id(link: &str) -> String {
    format!("network/{link}")
}

fn port_id(vnfc: &str, cp: &str) -> String {
    format!("port/{vnfc}/{cp}")
}

fn definition(id: String, kind: GrantedResourceType) -> ResourceDefinition {
    ResourceDefinition {
        id,
        kind,
        ..ResourceDefinition::default()
    }
}

/// The definition of an internal link's network to make.
pub(crate) fn add_network(link: &str) -> ResourceDefinition {
    ResourceDefinition {
        resource_template_id: Some(link.to_owned()),
        ..definition(network_id(link), GrantedResourceType::Vl)
    }
}

/// The definition of a VNFC's machine, to make (without handle) or to remove (with it).
pub(crate) fn machine(vnfc: &str, vdu: &str, resource: Option<ResourceHandle>) -> ResourceDefinition {
    ResourceDefinition {
        vdu_id: Some(vdu.to_owned()),
        resource,
        ..definition(machine_id(vnfc), GrantedResourceType::Compute)
    }
}

/// The definitions of a VNFC to make.
pub(crate) fn add_vnfc(vnfc: &VnfcPlan) -> Vec<ResourceDefinition> {
    let ports = vnfc.ports.iter().map(|port| ResourceDefinition {
        vdu_id: Some(vnfc.vdu.clone()),
        resource_template_id: Some(port.cp.clone()),
        ..definition(port_id(&vnfc.id, &port.cp), GrantedResourceType::Linkport)
    });
    std::iter::once(machine(&vnfc.id, &vnfc.vdu, None))
        .chain(ports)
        .collect()
}

/// The definitions of a VNFC to remove.
pub(crate) fn remove_vnfc(vnfc: &Vnfc) -> Vec<ResourceDefinition> {
    let ports = vnfc.ports.iter().map(|port| ResourceDefinition {
        vdu_id: Some(vnfc.vdu.clone()),
        resource_template_id: Some(port.cp.clone()),
        resource: Some(port.handle()),
        ..definition(port_id(&vnfc.id, &port.cp), GrantedResourceType::Linkport)
    });
    let compute = vnfc
        .machine
        .as_ref()
        .map(|made| machine(&vnfc.id, &vnfc.vdu, Some(made.handle())));
    compute.into_iter().chain(ports).collect()
}

/// The definition of an internal link's network to remove.
pub(crate) fn remove_network(network: &Network) -> ResourceDefinition {
    ResourceDefinition {
        resource: Some(network.handle()),
        ..add_network(&network.link)
    }
}

/// The descriptor's rules, spelled out for the machines that are to be made (named by the request) and those that there are
/// (named by their VIMs). A rule that binds nothing that is to be made is left out.
pub(crate) fn placement<'a>(
    flavour: &DeploymentFlavour,
    new: impl Iterator<Item = (&'a str, &'a str)> + Clone,
    present: impl Iterator<Item = &'a Vnfc> + Clone,
) -> Vec<PlacementConstraint> {
    let mut constraints = Vec::new();
    for rule in &flavour.affinity_rules {
        let scope = match rule.scope {
            AffinityScope::NfviNode => PlacementScope::NfviNode,
            AffinityScope::Zone => PlacementScope::Zone,
            AffinityScope::ZoneGroup => PlacementScope::ZoneGroup,
            AffinityScope::NfviPop => PlacementScope::NfviPop,
            // It is a rule for links of a network service; a VNF's machines know nothing of it.
            AffinityScope::NetworkLinkAndNode => continue,
        };
        let concerns = |vdu: &str| rule.targets.iter().any(|target| target == vdu);
        let reference = |id_type, resource_id| ConstraintResourceRef { id_type, resource_id };
        let made = new.clone().filter(|(_, vdu)| concerns(vdu));
        let mut resource: Vec<ConstraintResourceRef> = made
            .map(|(vnfc, _)| reference(ConstraintIdType::Grant, machine_id(vnfc)))
            .collect();
        if resource.is_empty() {
            continue;
        }
        let there = present.clone().filter(|vnfc| concerns(&vnfc.vdu));
        let machines = there.filter_map(|vnfc| vnfc.machine.as_ref());
        resource.extend(machines.map(|machine| reference(ConstraintIdType::ResMgmt, machine.id.to_string())));
        if resource.len() > 1 {
            let affinity_or_anti_affinity = match rule.kind {
                Kind::Affinity => AffinityType::Affinity,
                Kind::AntiAffinity => AffinityType::AntiAffinity,
            };
            constraints.push(PlacementConstraint {
                affinity_or_anti_affinity,
                scope,
                resource,
            });
        }
    }
    constraints
}

/// Asks for the grant, and holds it only if it says all that is needed.
pub(crate) struct AskGrant {
    pub(crate) links: Links,
    /// Without the occurrence's identifier.
    pub(crate) request: GrantRequest,
    pub(crate) needs: Needs,
}

/// What a grant must say.
#[derive(Default)]
pub(crate) struct Needs {
    machines: Vec<NeededMachine>,
}

struct NeededMachine {
    vnfc: String,
    vdu: String,
    has_image: bool,
    /// VIMs that it must be at, because what it plugs into is there; with the reason.
    at: Vec<(String, String)>,
    /// Internal links, granted at the same time, that it plugs into.
    links: Vec<String>,
}

impl Needs {
    /// A VNFC to make; `networks` are those that there are.
    pub(crate) fn vnfc(mut self, flavour: &DeploymentFlavour, vnfc: &VnfcPlan, networks: &[Network]) -> Self {
        let mut needed = NeededMachine {
            vnfc: vnfc.id.clone(),
            vdu: vnfc.vdu.clone(),
            has_image: has_image(flavour, &vnfc.vdu),
            at: Vec::new(),
            links: Vec::new(),
        };
        for port in &vnfc.ports {
            match &port.on {
                Attachment::Internal { link } => match networks.iter().find(|network| network.link == *link) {
                    Some(network) => needed.at.push((network.vim.clone(), format!("internal link {link}"))),
                    None => needed.links.push(link.clone()),
                },
                Attachment::External {
                    link, vim: Some(vim), ..
                } => {
                    needed.at.push((vim.clone(), format!("external link {link}")));
                }
                Attachment::External { vim: None, .. } => {}
            }
        }
        self.machines.push(needed);
        self
    }

    /// A machine for a VNFC that has its ports.
    pub(crate) fn machine(mut self, instantiated: &Instantiated, vnfc: &Vnfc) -> Self {
        self.machines.push(NeededMachine {
            vnfc: vnfc.id.clone(),
            vdu: vnfc.vdu.clone(),
            has_image: has_image(&instantiated.flavour, &vnfc.vdu),
            at: vnfc
                .ports
                .iter()
                .map(|port| (port.vim.clone(), format!("port of {}", port.cp)))
                .collect(),
            links: Vec::new(),
        });
        self
    }

    /// A machine for a VNFC some of whose interfaces change.
    pub(crate) fn rewired(mut self, flavour: &DeploymentFlavour, vnfc: &VnfcPlan, slots: &[Slot]) -> Self {
        let at = slots.iter().filter_map(|slot| match slot {
            Slot::Kept(port) => Some((port.vim.clone(), format!("port of {}", port.cp))),
            Slot::New(plan) => match &plan.on {
                Attachment::External {
                    link, vim: Some(vim), ..
                } => Some((vim.clone(), format!("external link {link}"))),
                Attachment::External { vim: None, .. } | Attachment::Internal { .. } => None,
            },
        });
        self.machines.push(NeededMachine {
            vnfc: vnfc.id.clone(),
            vdu: vnfc.vdu.clone(),
            has_image: has_image(flavour, &vnfc.vdu),
            at: at.collect(),
            links: Vec::new(),
        });
        self
    }

    fn check(&self, request: &GrantRequest, granted: &Granted) -> Vec<String> {
        let mut faults = Vec::new();
        for wanted in &request.add_resources {
            if let Err(fault) = granted.vim_of(&wanted.id) {
                faults.push(fault.detail);
            }
        }
        for needed in &self.machines {
            let Ok(vim) = granted.vim_of(&machine_id(&needed.vnfc)) else {
                continue;
            };
            faults.extend(granted.flavour_of(&needed.vdu, &vim).err().map(|fault| fault.detail));
            if needed.has_image {
                faults.extend(granted.image_of(&needed.vdu, &vim).err().map(|fault| fault.detail));
            }
            let granted_links = needed
                .links
                .iter()
                .filter_map(|link| Some((granted.vim_of(&network_id(link)).ok()?, format!("internal link {link}"))));
            for (at, what) in needed.at.iter().cloned().chain(granted_links) {
                if at != vim {
                    faults.push(format!(
                        "{} is granted at VIM {vim}, and its {what} is at {at}",
                        needed.vnfc
                    ));
                }
            }
        }
        faults.sort();
        faults.dedup();
        faults
    }
}

#[async_trait]
impl Step for AskGrant {
    async fn find(&self, _cx: &StepCx) -> Result<Found, StepError> {
        // The same key again gives the same grant: asking is looking.
        Ok(Found::Absent)
    }

    async fn act(&self, cx: &StepCx) -> Result<Progress, StepError> {
        let request = GrantRequest {
            vnf_lcm_op_occ_id: cx.occurrence().id.to_string(),
            ..self.request.clone()
        };
        let grant = self
            .links
            .outside()?
            .granting
            .grant(&cx.context(), GrantAsk(request.clone()))
            .await?;
        let granted = Granted(grant);
        let faults = self.needs.check(&request, &granted);
        if faults.is_empty() {
            return Progress::done(&granted.0);
        }
        let what = format!(
            "grant {} does not say what is needed: {}",
            granted.0.id,
            faults.join("; ")
        );
        Err(StepError::permanent(CallError::conflict(what)))
    }

    async fn undo(&self, _cx: &StepCx, _made: Option<&Value>) -> Result<UndoProgress, StepError> {
        Ok(UndoProgress::Done)
    }

    fn limit(&self) -> Duration {
        // The NFVO may have to bring images to a VIM first, some hundred megabytes each; its own answer has 30 s, and the
        // same question goes on where the first one stopped.
        Duration::from_secs(120)
    }
}

/// A grant that is held.
pub(crate) struct Granted(pub(crate) Grant);

impl Granted {
    pub(crate) fn of(cx: &StepCx) -> Result<Self, StepError> {
        cx.output(GRANT).map(Self)
    }

    fn info(&self, definition: &str) -> Option<&GrantInfo> {
        self.0
            .add_resources
            .iter()
            .find(|info| info.resource_definition_id == definition)
    }

    /// The VIM where a resource is to be made.
    pub(crate) fn vim_of(&self, definition: &str) -> Result<String, CallError> {
        let info = self
            .info(definition)
            .ok_or_else(|| CallError::conflict(format!("it grants no {definition}")))?;
        let connections = &self.0.vim_connection_info;
        let only = || (connections.len() == 1).then(|| connections.keys().next()).flatten();
        let connection = info.vim_connection_id.as_ref().or_else(only);
        let connection = connection
            .ok_or_else(|| CallError::conflict(format!("it does not say at which VIM {definition} is to be")))?;
        Ok(self.vim(connection).to_owned())
    }

    /// The VIM behind a connection of the grant's.
    fn vim<'a>(&'a self, connection: &'a str) -> &'a str {
        let info = self.0.vim_connection_info.get(connection);
        info.and_then(|info| info.vim_id.as_deref()).unwrap_or(connection)
    }

    fn is_at(&self, connection: Option<&String>, vim: &str) -> bool {
        connection.is_none_or(|connection| self.vim(connection) == vim)
    }

    /// Every VIM that it names.
    pub(crate) fn vims(&self) -> impl Iterator<Item = String> + '_ {
        let connections = self
            .0
            .add_resources
            .iter()
            .filter_map(|info| info.vim_connection_id.as_ref());
        connections
            .chain(self.0.vim_connection_info.keys())
            .map(|connection| self.vim(connection).to_owned())
    }

    /// The flavour of a VDU's machines at a VIM.
    pub(crate) fn flavour_of(&self, vdu: &str, vim: &str) -> Result<FlavourId, CallError> {
        let assets = self
            .0
            .vim_assets
            .iter()
            .flat_map(|assets| &assets.compute_resource_flavours);
        let found = assets
            .filter(|flavour| flavour.vnfd_virtual_compute_desc_id == vdu)
            .find(|flavour| self.is_at(flavour.vim_connection_id.as_ref(), vim));
        let found = found.ok_or_else(|| CallError::conflict(format!("it names no flavour of {vdu} at {vim}")))?;
        found
            .vim_flavour_id
            .parse()
            .map_err(|_| CallError::conflict(format!("{} is no flavour's identifier", found.vim_flavour_id)))
    }

    /// The image of a VDU's machines at a VIM.
    pub(crate) fn image_of(&self, vdu: &str, vim: &str) -> Result<ImageId, CallError> {
        let assets = self.0.vim_assets.iter().flat_map(|assets| &assets.software_images);
        let found = assets
            .filter(|image| image.vnfd_software_image_id == vdu)
            .find(|image| self.is_at(image.vim_connection_id.as_ref(), vim));
        let found = found.ok_or_else(|| CallError::conflict(format!("it names no image of {vdu} at {vim}")))?;
        found
            .vim_software_image_id
            .parse()
            .map_err(|_| CallError::conflict(format!("{} is no image's identifier", found.vim_software_image_id)))
    }

    /// The zone and the host that the machine must be in; `None` when the grant leaves both to the VIM.
    pub(crate) fn location_of(&self, vnfc: &str) -> Option<LocationConstraints> {
        let id = machine_id(vnfc);
        let zone = self.info(&id).and_then(|info| info.zone_id.as_ref());
        let zone_id = zone.map(|zone| {
            let named = self.0.zones.iter().find(|info| info.id == *zone);
            named.map_or_else(|| zone.clone(), |info| info.zone_id.clone())
        });
        let hosts: Option<&serde_json::Map<String, Value>> =
            self.0.additional_params.get("hosts").and_then(Value::as_object);
        let host_id = hosts
            .and_then(|hosts| hosts.get(&id))
            .and_then(Value::as_str)
            .map(ToOwned::to_owned);
        (zone_id.is_some() || host_id.is_some()).then_some(LocationConstraints { zone_id, host_id })
    }
}

/// The VNFCs to make, as placement rules name them.
pub(crate) fn named(vnfcs: &[VnfcPlan]) -> impl Iterator<Item = (&str, &str)> + Clone {
    vnfcs.iter().map(|vnfc| (vnfc.id.as_str(), vnfc.vdu.as_str()))
}

/// The identifier of the grant among an operation's outputs.
pub(crate) fn grant_id(outputs: &manifold_lcm::Outputs) -> Option<String> {
    outputs.find::<Grant>(GRANT).ok().flatten().map(|grant| grant.id)
}

/// The VIMs that the operation's grant names: what it made is at one of them.
pub(crate) fn vims(outputs: &manifold_lcm::Outputs) -> Result<Vec<String>, StepError> {
    let grant: Option<Grant> = outputs.find(GRANT)?;
    Ok(grant
        .into_iter()
        .flat_map(|grant| Granted(grant).vims().collect::<Vec<_>>())
        .collect())
}

/// The networks by internal link, those that there are.
pub(crate) fn by_link(networks: &[Network]) -> BTreeMap<String, Network> {
    networks
        .iter()
        .map(|network| (network.link.clone(), network.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use manifold_lcm::State;
    use manifold_sol::{AffinityType, ConstraintIdType, InstantiateVnfRequest, PlacementScope};
    use manifold_vnfm_interface::{Ask, VnfInstanceId, VnfLifecycleManagement};

    use crate::testing::{Site, cx, instantiate_request};

    fn ask(site: &Site, vnf_instance_id: VnfInstanceId) -> Ask<InstantiateVnfRequest> {
        Ask {
            vnf_instance_id,
            request: instantiate_request(site.world.outside),
        }
    }

    #[tokio::test]
    async fn the_grant_request_names_every_resource_and_the_rules_between_machines() {
        let site = Site::new().await;
        site.instantiated().await;
        let request = site.world.nfvo.requests().remove(0);
        let ids: Vec<&str> = request.add_resources.iter().map(|added| added.id.as_str()).collect();
        assert_eq!(
            ids,
            [
                "machine/frontend-1",
                "port/frontend-1/front_in",
                "port/frontend-1/access",
                "machine/worker-1",
                "port/worker-1/work_in",
                "machine/worker-2",
                "port/worker-2/work_in",
                "network/internal",
            ]
        );
        assert!(request.remove_resources.is_empty());
        let [rule] = request.placement_constraints.as_slice() else {
            panic!("{:?}", request.placement_constraints)
        };
        assert_eq!(
            (rule.affinity_or_anti_affinity, rule.scope),
            (AffinityType::AntiAffinity, PlacementScope::NfviNode)
        );
        let bound: Vec<_> = rule
            .resource
            .iter()
            .map(|one| (one.id_type, one.resource_id.as_str()))
            .collect();
        let grant = ConstraintIdType::Grant;
        assert_eq!(bound, [(grant, "machine/worker-1"), (grant, "machine/worker-2")]);
    }

    #[tokio::test]
    async fn a_grant_that_does_not_say_enough_is_not_held() {
        for lacks in ["flavours", "images"] {
            let site = Site::new().await;
            let id = site.created().await;
            *site.world.nfvo.leaves_out.lock().unwrap() = Some(lacks);
            let occurrence = site.vnfm.instantiate(&cx(), ask(&site, id)).await.unwrap();
            let error = site.ended(occurrence, State::RolledBack).await.error.unwrap();
            assert!(
                error.detail.contains("frontend") && error.detail.contains("worker"),
                "{}",
                error.detail
            );
            assert_eq!(site.world.vim.counts(), (0, 0, 0));
        }
    }
}
