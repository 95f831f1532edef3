//! What paths pass and rules are for, as the VIM knows it: made by steps of the same operation, or there before.

use std::collections::BTreeMap;
use std::sync::Arc;

use manifold_call::{CallError, Uuid};
use manifold_lcm::{StepCx, StepError};
use manifold_sol::VnfInstance;
use manifold_vim_interface::{CreateNfp, Metadata, PortId, TrafficRuleData};
use manifold_vnfm_interface::VnfInstanceId;
use serde::{Deserialize, Serialize};

use super::instantiate::sap_step;
use super::layout::{PlannedNetwork, plain};
use super::network::{MadeNetwork, MadePort, metadata};
use super::paths::{Packet, Place, PlannedPath, PlannedRule, Target};
use super::vnf::{CreateVnf, MadeVnf};
use crate::near::Near;
use crate::record::NsRecord;

/// The key of the metadata that says which path or rule of its NS it is: by the name of the step that makes it.
pub(super) const PACKET_KEY: &str = "nfvoPacket";

/// What was there before the operation began.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct There {
    /// By key.
    pub(crate) vnfs: BTreeMap<String, VnfInstanceId>,
    /// Ports, by descriptor.
    pub(crate) saps: BTreeMap<String, Uuid>,
    /// By the name of the step that makes such a one.
    pub(crate) networks: BTreeMap<String, Uuid>,
}

impl There {
    /// All that the NS has.
    pub(crate) fn of(record: &NsRecord) -> Self {
        let vnfs = record.vnfs.iter().filter_map(|vnf| {
            let id: VnfInstanceId = vnf.id.parse().ok()?;
            Some((vnf.key.clone(), id))
        });
        let saps = record.saps.iter().filter_map(|sap| {
            let port = sap.info.resource_handle.as_ref()?;
            Some((sap.info.sapd_id.clone(), port.resource_id.parse().ok()?))
        });
        let networks = record.links.iter().flat_map(|link| {
            let name = &link.info.ns_virtual_link_desc_id;
            let own = link.networks.iter();
            own.map(move |network| (PlannedNetwork::step(name, &network.vim), network.id.0))
        });
        There {
            vnfs: vnfs.collect(),
            saps: saps.collect(),
            networks: networks.collect(),
        }
    }
}

/// Looks for it.
pub(super) struct Passed<'a> {
    pub(super) near: &'a Arc<Near>,
    pub(super) cx: &'a StepCx,
    pub(super) there: &'a There,
    /// Only what was there before: what is made in its stead is not meant.
    pub(super) is_before: bool,
}

impl Passed<'_> {
    fn made<T: serde::de::DeserializeOwned>(&self, step: &str) -> Result<Option<T>, StepError> {
        if self.is_before {
            return Ok(None);
        }
        self.cx.find_output(step)
    }

    fn network(&self, link: &str, vim: &str) -> Result<Uuid, StepError> {
        let step = PlannedNetwork::step(link, vim);
        let made = self.made::<MadeNetwork>(&step)?.map(|network| network.id.0);
        made.or_else(|| self.there.networks.get(&step).copied())
            .ok_or_else(|| missing(&format!("network of link {link} at {vim}")))
    }

    fn sap(&self, sapd: &str) -> Result<Uuid, StepError> {
        let made = self.made::<MadePort>(&sap_step(sapd))?.map(|port| port.id);
        made.or_else(|| self.there.saps.get(sapd).copied())
            .ok_or_else(|| missing(&format!("SAP {sapd}")))
    }

    /// The VIM's ports of a VNF; with a connection point, only its.
    async fn ports(&self, key: &str, cpd: Option<&str>) -> Result<Vec<PortId>, StepError> {
        let made = self.made::<MadeVnf>(&CreateVnf::step(key))?.map(|vnf| vnf.id);
        let id = made
            .or_else(|| self.there.vnfs.get(key).copied())
            .ok_or_else(|| missing(&format!("VNF {key}")))?;
        let cx = self.cx.context_of(&format!("find {key}"));
        let vnf: VnfInstance = self.near.vnfm()?.find(&cx, id).await?;
        let info = vnf.instantiated_vnf_info.unwrap_or_default();
        let is_asked = |instance: Option<&String>| {
            let Some(cpd) = cpd else { return true };
            let known = info.ext_cp_info.iter().find(|cp| Some(&cp.id) == instance);
            known.map_or(instance.is_some_and(|id| id == cpd), |cp| cp.cpd_id == cpd)
        };
        let all = info.ext_virtual_link_info.iter().flat_map(|link| &link.ext_link_ports);
        let asked = all.filter(|port| is_asked(port.cp_instance_id.as_ref()));
        let read = |id: &String| {
            id.parse::<Uuid>()
                .map(PortId)
                .map_err(|_| StepError::internal(format!("the VNFM calls a port {id}, which is no port of a VIM")))
        };
        asked.map(|port| read(&port.resource_handle.resource_id)).collect()
    }

    /// The path as its VIM is asked for it.
    pub(super) async fn path(&self, ns: &str, planned: &PlannedPath) -> Result<CreateNfp, StepError> {
        let mut passed: Vec<PortId> = Vec::new();
        for place in &planned.places {
            match place {
                Place::Sap { sapd } => passed.push(PortId(self.sap(sapd)?)),
                Place::Vnf { key, ingress, egress } => {
                    let mut ways = vec![ingress];
                    ways.extend(Some(egress).filter(|egress| *egress != ingress));
                    for cpd in ways {
                        let found = self.ports(key, Some(cpd)).await?;
                        let first = found.first().ok_or_else(|| {
                            StepError::permanent(CallError::conflict(format!(
                                "path {}: VNF {key} has no port for its connection point {cpd}",
                                planned.name
                            )))
                        })?;
                        passed.push(*first);
                    }
                }
            }
        }
        Ok(CreateNfp {
            nfp_name: plain(&planned.name),
            virtual_network_port: passed,
            total_vnp: None,
            nfp_rule: planned.rules.clone(),
            from_network: planned.is_from_network(),
            priority: planned.priority,
            schedule: planned.schedule.clone(),
            metadata: self.metadata(ns, &Packet::Path(planned.clone())),
        })
    }

    /// The rule as its VIM is asked for it.
    pub(super) async fn rule(&self, ns: &str, planned: &PlannedRule) -> Result<TrafficRuleData, StepError> {
        let mut targets = Vec::new();
        for target in &planned.targets {
            match target {
                Target::Network { link } => targets.push(self.network(link, &planned.vim)?),
                Target::Sap { sapd } => targets.push(self.sap(sapd)?),
                Target::Vnf { key, cpd } => {
                    let found = self.ports(key, cpd.as_deref()).await?;
                    targets.extend(found.into_iter().map(|port| port.0));
                }
            }
        }
        Ok(TrafficRuleData {
            name: plain(&planned.data.name),
            targets,
            metadata: self.metadata(ns, &Packet::Rule(planned.clone())),
            ..planned.data.clone()
        })
    }

    fn metadata(&self, ns: &str, packet: &Packet) -> Metadata {
        let mut all = metadata(ns, self.cx);
        all.insert(PACKET_KEY.to_owned(), packet.step());
        all
    }
}

fn missing(what: &str) -> StepError {
    StepError::internal(format!("the {what} was neither made nor there"))
}
