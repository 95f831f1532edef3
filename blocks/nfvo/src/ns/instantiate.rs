//! Instantiate NS (IFA 013 7.3.3, SOL005 6.4.4; the order of calls: GR NFV-IFA 043 5.4.5).
//!
//! ```text
//!   network/<link>@<vim> ─┬─> mscs/<link>                    between the link's networks
//!                         ├─> sap/<sapd>
//!                         └─> vnf/<key>/instantiate          when all networks are there that it is on
//!   vnf/<key>/create ─────────┘                              then: path/<nfp>@<vim>, traffic/<rule>@<vim>
//! ```
//!
//! A PNF takes no step: it is connected already, and that was looked at before the start. What nested NSs consist of is made by the
//! same plan, and they themselves are documents that are written at its end. Undone: networks, services, ports and VNFs are gone,
//! the NS is NOT_INSTANTIATED as before.

use std::collections::BTreeMap;
use std::sync::Arc;

use manifold_lcm::{Ending, Machine, Occurrence, Operation, Outputs, Plan, PlanError, StepError, Task};
use manifold_sol::{
    AffectedNsVl, AffectedVnf, ChangeType, InstantiateNsRequest, NsResourceChanges, NsState, NsVirtualLinkInfo,
    ResourceHandle, SapInfo, WanConnectionInfo, WanConnectionProtocolInfo, WanMscsInfo, WanNsVirtualLink,
};
use manifold_store::{Expect, Kind, Write};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::adopt;
use super::layout::{Layout, LinkPart, PlannedLink, PlannedNetwork, PlannedSap, PlannedWan};
use super::mscs::{MadeMscs, MakeMscs};
use super::nested::{self, of};
use super::network::{MadeNetwork, MadePort, MakeNetwork, MakeSap};
use super::packets::{MakePath, MakeRule};
use super::paths::Packets;
use super::show;
use super::vnf::{CreateVnf, InstantiateVnf, MadeVnf};
use crate::near::Near;
use crate::record::{NS, NsLink, NsNetwork, NsRecord, NsSap, NsVnf};

pub(crate) const KIND: &str = "ns.instantiate";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Params {
    pub(crate) ns: String,
    /// As it was asked, for the occurrence to show.
    pub(crate) request: InstantiateNsRequest,
    pub(crate) layout: Layout,
    #[serde(default)]
    pub(crate) packets: Packets,
}

pub(crate) struct Instantiate {
    pub(crate) near: Arc<Near>,
}

impl Operation for Instantiate {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn version(&self) -> u32 {
        1
    }

    fn machine(&self) -> Machine {
        Machine::Ns
    }

    fn subject_kind(&self) -> Kind {
        NS
    }

    fn supports(&self, _: Task) -> bool {
        true
    }

    fn plan(&self, occurrence: &Occurrence) -> Result<Plan, PlanError> {
        let Params {
            ns, layout, packets, ..
        } = occurrence.params()?;
        let near = || Arc::clone(&self.near);
        let mut plan = Plan::of(KIND);
        let mut networks = BTreeMap::new();
        for planned in &layout.networks {
            let step = MakeNetwork {
                near: near(),
                ns: ns.clone(),
                planned: planned.clone(),
            };
            let handle = plan
                .step(PlannedNetwork::step(&planned.link, &planned.vim), step)
                .handle();
            networks.insert((planned.link.clone(), planned.vim.clone()), handle);
        }
        for link in &layout.links {
            let Some(PlannedWan::Mscs {
                name,
                mtu,
                bandwidth,
                ends,
            }) = &link.wan
            else {
                continue;
            };
            let (name, mtu, bandwidth, ends) = (name.clone(), *mtu, *bandwidth, ends.clone());
            let step = MakeMscs {
                near: near(),
                ns: ns.clone(),
                link: link.link.clone(),
                name,
                mtu,
                bandwidth,
                ends,
            };
            plan.step(mscs_step(&link.link), step).after_all(
                networks
                    .iter()
                    .filter(|((on, _), _)| *on == link.link)
                    .map(|(_, step)| step),
            );
        }
        let mut ready = Vec::new();
        for sap in &layout.saps {
            let step = MakeSap {
                near: near(),
                ns: ns.clone(),
                planned: sap.clone(),
            };
            let made = plan
                .step(sap_step(&sap.sapd), step)
                .after_all(networks.get(&(sap.link.clone(), sap.vim.clone())));
            ready.push(made.handle());
        }
        let link_ids: BTreeMap<String, String> = layout
            .links
            .iter()
            .map(|link| (link.link.clone(), link.id.clone()))
            .collect();
        for vnf in &layout.vnfs {
            let create = CreateVnf {
                near: near(),
                ns: ns.clone(),
                planned: vnf.clone(),
            };
            let created = plan.step(CreateVnf::step(&vnf.key), create).handle();
            let used = vnf
                .ends
                .iter()
                .filter_map(|(_, link)| networks.get(&(link.clone(), vnf.vim.clone())));
            let instantiate = InstantiateVnf {
                near: near(),
                planned: vnf.clone(),
                link_ids: link_ids.clone(),
            };
            let made = plan
                .step(format!("vnf/{}/instantiate", vnf.key), instantiate)
                .after(&created)
                .after_all(used);
            ready.push(made.handle());
        }
        ready.extend(networks.into_values());
        for planned in packets.paths {
            let (near, ns) = (near(), ns.clone());
            plan.step(MakePath::step(&planned), MakePath { near, ns, planned })
                .after_all(&ready);
        }
        for planned in packets.rules {
            let (near, ns) = (near(), ns.clone());
            plan.step(MakeRule::step(&planned), MakeRule { near, ns, planned })
                .after_all(&ready);
        }
        Ok(plan)
    }

    fn reads(&self, occurrence: &Occurrence) -> Vec<(Kind, String)> {
        let params = occurrence.params::<Params>();
        let adopted = params.map(|params| params.layout.adopted).unwrap_or_default();
        adopted.into_iter().map(|adopted| (NS, adopted.id)).collect()
    }

    fn conclude(&self, ending: &Ending<'_>) -> Result<Vec<Write>, StepError> {
        let params: Params = ending.occurrence.params()?;
        let record: NsRecord = ending.subject()?.read()?;
        self.write(ending, fill(record, &params, ending.outputs)?)
    }

    fn restore(&self, ending: &Ending<'_>) -> Result<Vec<Write>, StepError> {
        let record: NsRecord = ending.subject()?.read()?;
        let record = NsRecord {
            operation: None,
            ..record
        };
        let mut writes = self.write(ending, vec![record])?;
        for (kind, id) in self.reads(ending.occurrence) {
            if let Some(held) = ending.doc(kind, &id) {
                writes.push(adopt::released(held, &ending.occurrence.tenant)?.into());
            }
        }
        Ok(writes)
    }

    fn abandon(&self, ending: &Ending<'_>) -> Result<Vec<Write>, StepError> {
        let params: Params = ending.occurrence.params()?;
        let mut record: NsRecord = ending.subject()?.read()?;
        // A step that failed may have left something: terminating looks for it.
        record.doubtful = true;
        self.write(ending, fill(record, &params, ending.outputs)?)
    }

    fn summary(&self, occurrence: &Occurrence, outputs: &Outputs) -> Value {
        let Ok(params) = occurrence.params::<Params>() else {
            return Value::Null;
        };
        let made = |step: &str| outputs.iter().any(|(name, _)| name == step);
        let affected_vnfs = params.layout.vnfs.iter().filter_map(|vnf| {
            let made: MadeVnf = outputs.find(&CreateVnf::step(&vnf.key)).ok()??;
            Some(AffectedVnf {
                vnf_instance_id: made.id.to_string(),
                vnfd_id: vnf.vnfd_id.clone(),
                vnf_profile_id: vnf.profile_in_ns().to_owned(),
                vnf_name: Some(vnf.name.clone()),
                change_type: ChangeType::Added,
            })
        });
        let is_there = |link: &PlannedLink| {
            let mut own = params
                .layout
                .networks
                .iter()
                .filter(|network| network.link == link.link);
            own.any(|network| network.existing.is_some())
        };
        let affected_vls = params
            .layout
            .links
            .iter()
            .filter(|link| link.vims.iter().any(|vim| made(&PlannedNetwork::step(&link.link, vim))))
            .filter(|link| !is_there(link));
        let changes = NsResourceChanges {
            affected_vnfs: affected_vnfs.collect(),
            affected_vls: affected_vls
                .map(|link| AffectedNsVl {
                    ns_virtual_link_instance_id: link.id.clone(),
                    ns_virtual_link_desc_id: link.outermost_name().to_owned(),
                    vl_profile_id: link.outermost_name().to_owned(),
                    change_type: ChangeType::Added,
                })
                .collect(),
        };
        serde_json::to_value(changes).unwrap_or_default()
    }
}

impl Instantiate {
    /// The NS, as its document was, and what it nests.
    fn write(&self, ending: &Ending<'_>, records: Vec<NsRecord>) -> Result<Vec<Write>, StepError> {
        let doc = ending.subject()?;
        let put = |record: NsRecord| {
            let expect = if record.id == doc.id {
                Expect::Exactly(doc.revision)
            } else {
                Expect::Any
            };
            Ok(record.put(&ending.occurrence.tenant, expect)?.into())
        };
        records.into_iter().map(put).collect()
    }
}

pub(super) fn mscs_step(link: &str) -> String {
    format!("mscs/{link}")
}

pub(super) fn sap_step(sapd: &str) -> String {
    format!("sap/{sapd}")
}

/// What was made, into the record and those of the NSs that it nests; the record stays the first. What was not, because its failure
/// was accepted, is left out.
fn fill(mut record: NsRecord, params: &Params, outputs: &Outputs) -> Result<Vec<NsRecord>, StepError> {
    let layout = &params.layout;
    record.state = NsState::Instantiated;
    record.flavour_id = Some(params.request.ns_flavour_id.clone());
    record.level_id = params.request.ns_instantiation_level_id.clone();
    record.pnfs = layout.pnfs.clone();
    record.packet_vims = params.packets.vims().cloned().collect();
    record.packets = params.packets.clone();
    let is_made = |step: &str| outputs.iter().any(|(name, _)| name == step);
    record.packets.paths.retain(|path| is_made(&path.step()));
    record.packets.rules.retain(|rule| is_made(&rule.step()));
    let mut all = vec![record];
    nested::enter(&mut all, layout)?;
    fill_made(&mut all, &params.ns, layout, outputs)?;
    // Whatever network was planned may be there, made or half made.
    all[0].vims = layout.networks.iter().map(|network| network.vim.clone()).collect();
    Ok(all)
}

/// VNFs, links and SAPs that were made, into the NSs that have them; `ns`: the outermost one, which stands first.
pub(super) fn fill_made(all: &mut [NsRecord], ns: &str, layout: &Layout, outputs: &Outputs) -> Result<(), StepError> {
    for vnf in &layout.vnfs {
        let Some(made) = outputs.find::<MadeVnf>(&CreateVnf::step(&vnf.key))? else {
            continue;
        };
        let ns = vnf.home.as_ref().map_or(ns, |home| home.ns.as_str());
        of(all, ns)?.vnfs.push(NsVnf {
            id: made.id.to_string(),
            key: vnf.key.clone(),
            profile: vnf.profile_in_ns().to_owned(),
            name: vnf.name.clone(),
            vnfd_id: vnf.vnfd_id.clone(),
            vim: vnf.vim.clone(),
        });
    }
    for link in &layout.links {
        fill_link(all, ns, link, outputs)?;
        all[0].asked_wim |= matches!(link.wan, Some(PlannedWan::Mscs { .. }));
    }
    for sap in &layout.saps {
        fill_sap(all, ns, layout, sap, outputs)?;
    }
    Ok(())
}

/// A SAP that was made, into the NS that has it; `ns` is the outermost one.
fn fill_sap(
    all: &mut [NsRecord],
    ns: &str,
    layout: &Layout,
    sap: &PlannedSap,
    outputs: &Outputs,
) -> Result<(), StepError> {
    let Some(port) = outputs.find::<MadePort>(&sap_step(&sap.sapd))? else {
        return Ok(());
    };
    let (ns, sapd) = match &sap.home {
        Some(home) => (home.ns.as_str(), &home.name),
        None => (ns, &sap.sapd),
    };
    let link = layout.name_in(&sap.link, ns).to_owned();
    of(all, ns)?.saps.push(NsSap {
        info: SapInfo {
            id: sap.id.clone(),
            sapd_id: sapd.clone(),
            sap_name: sap.name.clone(),
            description: sap.description.clone(),
            sap_protocol_info: vec![show::protocol_info(&port.mac, &port.addresses)],
            resource_handle: Some(handle(&sap.vim, port.id.to_string(), "port")),
        },
        vim: sap.vim.clone(),
        link,
    });
    Ok(())
}

/// A link into every NS that it reaches; `ns` is the outermost one.
fn fill_link(all: &mut [NsRecord], ns: &str, link: &PlannedLink, outputs: &Outputs) -> Result<(), StepError> {
    let mut networks = Vec::new();
    for vim in &link.vims {
        let Some(made) = outputs.find::<MadeNetwork>(&PlannedNetwork::step(&link.link, vim))? else {
            continue;
        };
        networks.push(NsNetwork {
            vim: vim.clone(),
            id: made.id,
            subnets: made.subnets,
            segmentation_id: made.segmentation_id,
            provider_network: made.provider_network,
        });
    }
    let service = match &link.wan {
        None => None,
        Some(PlannedWan::External { mscs_id, mtu }) => Some((mscs_id.clone(), None, *mtu)),
        Some(PlannedWan::Mscs { .. }) => outputs
            .find::<MadeMscs>(&mscs_step(&link.link))?
            .map(|made| (made.id.to_string(), Some(made.name), made.mtu)),
    };
    let own = [LinkPart {
        ns: ns.to_owned(),
        names: vec![link.link.clone()],
    }];
    let parts = if link.parts.is_empty() { &own } else { &link.parts[..] };
    for (at, part) in parts.iter().enumerate() {
        let Some((name, also)) = part.names.split_first() else {
            continue;
        };
        let record = of(all, &part.ns)?;
        record.vims.extend(link.vims.iter().cloned());
        // The outermost NS has the service; the others are on it.
        if let Some((mscs_id, mscs_name, mtu)) = service.as_ref().filter(|_| at == 0) {
            record.wan.push(WanConnectionInfo {
                wan_connection_info_id: manifold_call::Uuid::new_v5(&show::space(&link.id), b"wan").to_string(),
                ns_virtual_link: Some(WanNsVirtualLink {
                    ns_virtual_link_info_id: link.id.clone(),
                    ns_virtual_link_profile_id: name.clone(),
                }),
                protocol_info: Some(WanConnectionProtocolInfo {
                    mscs_info: Some(WanMscsInfo {
                        mscs_id: mscs_id.clone(),
                        mscs_name: mscs_name.clone(),
                        mscs_type: "L2VPN".to_owned(),
                        mtu_mscs: Some(*mtu),
                    }),
                }),
            });
        }
        record.links.push(NsLink {
            info: NsVirtualLinkInfo {
                id: link.id.clone(),
                ns_virtual_link_desc_id: name.clone(),
                ns_virtual_link_profile_id: name.clone(),
                resource_handle: networks
                    .iter()
                    .map(|network| handle(&network.vim, network.id.to_string(), "network"))
                    .collect(),
                link_port: vec![],
            },
            also: also.to_vec(),
            networks: networks.clone(),
            mscs: service.as_ref().map(|(id, ..)| id.clone()),
        });
    }
    Ok(())
}

fn handle(vim: &str, id: String, kind: &str) -> ResourceHandle {
    ResourceHandle {
        vim_id: Some(vim.to_owned()),
        resource_id: id,
        vim_level_resource_type: Some(kind.to_owned()),
        ..ResourceHandle::default()
    }
}
