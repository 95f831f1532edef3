//! An NS as a graph, with states asked for now: of each VIM side by side. A VIM that does not answer makes states unknown, not the
//! answer impossible.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use futures_util::future::join_all;
use manifold_call::{Context, Outcome};
use manifold_nfvo_interface::{
    NsTopology, TopologyEnd, TopologyLink, TopologyNetwork, TopologyPort, TopologyVnf, TopologyVnfc,
};
use manifold_sol::{CpProtocolInfo, ResourceHandle, VnfInstance, VnfcResourceInfo};
use manifold_vim_interface::{OperationalState, QueryFilter, RunningState, VimHandle, VirtualCompute, VirtualNetwork};
use serde_json::Value;

use super::nested::Whole;
use crate::near::Near;
use crate::record::{NsLink, NsNetwork, NsRecord};

/// What VIMs say now.
#[derive(Default)]
struct Live {
    machines: BTreeMap<String, VirtualCompute>,
    networks: BTreeMap<String, VirtualNetwork>,
}

/// The graph of an NS with all that it nests; `record` is its own.
pub(super) async fn topology(
    near: &Near,
    cx: &Context,
    record: NsRecord,
    whole: &Whole,
    vnfs: &[VnfInstance],
) -> Outcome<NsTopology> {
    let all = &whole.ns;
    let names: BTreeSet<&String> = all.vims.iter().chain(all.vnfs.iter().map(|vnf| &vnf.vim)).collect();
    let vims: Vec<VimHandle> = names.into_iter().filter_map(|name| near.vim(name).ok()).collect();
    let mut live = Live::default();
    for (vim, answer) in vims.iter().zip(join_all(vims.iter().map(|vim| ask(cx, vim))).await) {
        match answer {
            Ok((machines, networks)) => {
                live.machines.extend(
                    machines
                        .into_iter()
                        .map(|machine| (machine.compute_id.to_string(), machine)),
                );
                live.networks.extend(
                    networks
                        .into_iter()
                        .map(|network| (network.network_resource_id.to_string(), network)),
                );
            }
            Err(error) => tracing::warn!(
                vim = vim.id,
                ?error,
                "A VIM did not tell its states; they are shown as unknown."
            ),
        }
    }
    // The innermost first: each is taken into the one that holds it.
    let mut inner: BTreeMap<String, NsTopology> = BTreeMap::new();
    let below = whole.foreign.iter().rev().chain(whole.nested.iter().rev());
    for record in below.chain([&record]) {
        let nested = record.nested.iter().filter_map(|held| inner.remove(&held.id)).collect();
        inner.insert(record.id.clone(), graph(record, vnfs, nested, &live));
    }
    Ok(inner.remove(&record.id).unwrap_or_default())
}

/// Of one NS; those in it are given.
fn graph(record: &NsRecord, vnfs: &[VnfInstance], nested: Vec<NsTopology>, live: &Live) -> NsTopology {
    let is_here = |vnf: &&VnfInstance| record.vnfs.iter().any(|known| known.id == vnf.id);
    let mut links: Vec<TopologyLink> = record
        .links
        .iter()
        .map(|link| TopologyLink {
            id: link.info.id.clone(),
            name: name_of(link),
            inside: None,
            networks: link.networks.iter().map(|network| ns_network(network, live)).collect(),
            mscs: link.mscs.clone(),
        })
        .collect();
    links.extend(vnfs.iter().filter(is_here).flat_map(|vnf| internal_links(vnf, live)));
    let link_id = |name: &str| {
        let found = record
            .links
            .iter()
            .find(|link| link.info.ns_virtual_link_desc_id == name);
        found.map_or_else(|| name.to_owned(), |link| link.info.id.clone())
    };
    NsTopology {
        id: record.id.clone(),
        name: record.name.clone(),
        state: record.state.as_wire(),
        vnfs: record
            .vnfs
            .iter()
            .map(|known| TopologyVnf {
                id: known.id.clone(),
                name: known.name.clone(),
                profile: known.profile.clone(),
                vim: known.vim.clone(),
                vnfcs: vnfs
                    .iter()
                    .find(|vnf| vnf.id == known.id)
                    .map(|vnf| vnfcs(vnf, live))
                    .unwrap_or_default(),
            })
            .collect(),
        pnfs: record
            .pnfs
            .iter()
            .flat_map(|pnf| {
                pnf.info.cp_info.iter().map(|cp| TopologyEnd {
                    name: pnf.info.pnf_name.clone().unwrap_or_else(|| pnf.info.pnf_id.clone()),
                    link: pnf.links.get(&cp.cpd_id).map(|link| link_id(link)).unwrap_or_default(),
                    vim: pnf.vim.clone(),
                    addresses: cp
                        .cp_protocol_data
                        .iter()
                        .filter_map(|data| data.ip_over_ethernet.as_ref())
                        .flat_map(|ether| &ether.ip_addresses)
                        .flat_map(|ip| &ip.fixed_addresses)
                        .filter_map(|text| text.parse().ok())
                        .collect(),
                })
            })
            .collect(),
        saps: record
            .saps
            .iter()
            .map(|sap| TopologyEnd {
                name: sap.info.sap_name.clone(),
                link: link_id(&sap.link),
                vim: sap.vim.clone(),
                addresses: addresses(&sap.info.sap_protocol_info),
            })
            .collect(),
        links,
        nested,
    }
}

/// A link that is several of the descriptor has all their names.
fn name_of(link: &NsLink) -> String {
    let first = link.info.ns_virtual_link_desc_id.as_str();
    let also = link.also.iter().map(String::as_str);
    [first].into_iter().chain(also).collect::<Vec<_>>().join(" = ")
}

async fn ask(cx: &Context, vim: &VimHandle) -> Outcome<(Vec<VirtualCompute>, Vec<VirtualNetwork>)> {
    let all = QueryFilter::default;
    let (machines, networks) = tokio::try_join!(vim.compute.query(cx, all()), vim.networks.query(cx, all()))?;
    Ok((machines, networks.network_data))
}

fn ns_network(network: &NsNetwork, live: &Live) -> TopologyNetwork {
    let id = network.id.to_string();
    let seen = live.networks.get(&id);
    TopologyNetwork {
        vim: network.vim.clone(),
        segmentation_id: seen.and_then(|seen| seen.segmentation_id).or(network.segmentation_id),
        provider_network: network.provider_network.clone(),
        state: network_state(seen),
        id,
    }
}

fn network_state(seen: Option<&VirtualNetwork>) -> String {
    match seen.map(|seen| seen.operational_state) {
        Some(OperationalState::Enabled) => "ENABLED",
        Some(OperationalState::Disabled) => "DISABLED",
        None => "UNKNOWN",
    }
    .to_owned()
}

fn internal_links(vnf: &VnfInstance, live: &Live) -> Vec<TopologyLink> {
    let info = vnf.instantiated_vnf_info.iter();
    info.flat_map(|info| &info.vnf_virtual_link_resource_info)
        .map(|link| {
            let seen = live.networks.get(&link.network_resource.resource_id);
            let network = TopologyNetwork {
                vim: vim_of(&link.network_resource),
                id: link.network_resource.resource_id.clone(),
                segmentation_id: seen.and_then(|seen| seen.segmentation_id),
                provider_network: seen.and_then(|seen| seen.provider_network.clone()),
                state: network_state(seen),
            };
            TopologyLink {
                id: link.id.clone(),
                name: link.vnf_virtual_link_desc_id.clone(),
                inside: Some(vnf.id.clone()),
                networks: vec![network],
                mscs: None,
            }
        })
        .collect()
}

fn vim_of(handle: &ResourceHandle) -> String {
    handle
        .vim_connection_id
        .clone()
        .or_else(|| handle.vim_id.clone())
        .unwrap_or_default()
}

fn vnfcs(vnf: &VnfInstance, live: &Live) -> Vec<TopologyVnfc> {
    let Some(info) = &vnf.instantiated_vnf_info else {
        return vec![];
    };
    // Which link a port of a network is on: by the VNFM's words for external and internal links.
    let mut ports: BTreeMap<&str, &str> = BTreeMap::new();
    for link in &info.ext_virtual_link_info {
        ports.extend(
            link.ext_link_ports
                .iter()
                .map(|port| (port.id.as_str(), link.id.as_str())),
        );
    }
    for link in &info.vnf_virtual_link_resource_info {
        ports.extend(
            link.vnf_link_ports
                .iter()
                .map(|port| (port.id.as_str(), link.id.as_str())),
        );
    }
    let link_of = |cp: &manifold_sol::VnfcCpInfo| {
        let ext = cp
            .vnf_ext_cp_id
            .as_ref()
            .and_then(|id| info.ext_cp_info.iter().find(|ext| ext.id == *id));
        let port = ext
            .and_then(|ext| ext.ext_link_port_id.as_ref())
            .or(cp.vnf_link_port_id.as_ref());
        port.and_then(|port| ports.get(port.as_str()))
            .map(|link| (*link).to_owned())
            .unwrap_or_default()
    };
    info.vnfc_resource_info
        .iter()
        .map(|vnfc| self::vnfc(vnfc, live, &link_of))
        .collect()
}

fn vnfc(vnfc: &VnfcResourceInfo, live: &Live, link_of: &dyn Fn(&manifold_sol::VnfcCpInfo) -> String) -> TopologyVnfc {
    let compute_id = vnfc.compute_resource.resource_id.clone();
    let seen = live.machines.get(&compute_id);
    let kept = |key: &str| {
        vnfc.metadata
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let state = match seen.map(|seen| seen.running_state) {
        Some(RunningState::Running) => "RUNNING",
        Some(RunningState::Stopped) => "STOPPED",
        Some(RunningState::Crashed) => "CRASHED",
        Some(RunningState::Unknown) | None => "UNKNOWN",
    };
    TopologyVnfc {
        id: vnfc.id.clone(),
        name: seen.map_or_else(|| kept("name"), |seen| seen.compute_name.clone()),
        vdu: vnfc.vdu_id.clone(),
        host: seen.map_or_else(|| kept("host"), |seen| seen.host_id.clone()),
        state: state.to_owned(),
        ports: vnfc
            .vnfc_cp_info
            .iter()
            .map(|cp| TopologyPort {
                cpd: cp.cpd_id.clone(),
                link: link_of(cp),
                addresses: addresses(&cp.cp_protocol_info),
                mac: cp
                    .cp_protocol_info
                    .iter()
                    .find_map(|info| info.ip_over_ethernet.as_ref()?.mac_address.clone())
                    .unwrap_or_default(),
            })
            .collect(),
        compute_id,
    }
}

fn addresses(info: &[CpProtocolInfo]) -> Vec<IpAddr> {
    let ip = info
        .iter()
        .filter_map(|info| info.ip_over_ethernet.as_ref())
        .flat_map(|ether| &ether.ip_addresses);
    ip.flat_map(|ip| &ip.addresses)
        .filter_map(|text| text.parse().ok())
        .collect()
}
