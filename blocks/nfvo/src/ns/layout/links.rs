//! Networks of each link: one for each site that the link has an end at; between sites, something on the WAN.

use std::collections::{BTreeMap, BTreeSet};

use manifold_call::CallError;
use manifold_descriptors::nsd::NsVirtualLink;
use manifold_vim_interface::{AddressRange, NetworkSubnetData, VirtualNetworkData};
use serde::Deserialize;

use super::ends::Ends;
use super::{Layout, PlannedLink, PlannedNetwork, PlannedVnf, PlannedWan, Question, plain};
use crate::fault::Faults;
use crate::ns::pools;

/// Largest MTU of a link that crosses the WAN, in bytes, whatever the gateways could do: what Ethernet equipment takes as given.
const MTU_MAX: u32 = 1_500;

/// `additionalParamsForNs.wan`, for one link (ours).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct GivenWan {
    mscs_id: String,
    /// Segment identifiers that the service picks up, by VIM.
    #[serde(default)]
    vn_segment_ids: BTreeMap<String, u32>,
}

pub(super) fn lay(question: &Question<'_>, ends: &Ends, vnfs: Vec<PlannedVnf>, faults: &mut Faults) -> Layout {
    let given = given_wan(question, faults);
    let mut layout = Layout {
        pnfs: ends.pnfs.clone(),
        saps: ends.saps.clone(),
        vnfs,
        ..Layout::default()
    };
    for link in &question.nsd.virtual_links {
        if question.staying.links.contains_key(&link.id) {
            continue;
        }
        let sites = sites_of(&layout, question, &link.id);
        // A link without ends, or whose VNFs found no place.
        if sites.is_empty() {
            continue;
        }
        lay_link(question, ends, link, &sites, given.get(&link.id), &mut layout, faults);
    }
    layout
}

/// The sites of a link, and how many addresses each needs there.
fn sites_of(layout: &Layout, question: &Question<'_>, link: &str) -> BTreeMap<String, u128> {
    let mut sites: BTreeMap<String, u128> = BTreeMap::new();
    for vnf in &layout.vnfs {
        let flavour = question
            .vnfd(&vnf.vnfd_id)
            .and_then(|(_, vnfd)| vnfd.flavour(&vnf.flavour_id));
        for (cpd, _) in vnf.ends.iter().filter(|(_, on)| on == link) {
            let machines = flavour.map_or(1, |flavour| {
                let behind = flavour
                    .vdus
                    .iter()
                    .filter(|vdu| vdu.connection_points.iter().any(|cp| cp.ext_cpd.as_ref() == Some(cpd)));
                behind
                    .map(|vdu| flavour.instances_at_level(vdu, vnf.level.as_deref()).unwrap_or(0))
                    .sum()
            });
            *sites.entry(vnf.vim.clone()).or_default() += u128::from(machines.max(1));
        }
    }
    for sap in layout.saps.iter().filter(|sap| sap.link == link) {
        *sites.entry(sap.vim.clone()).or_default() += u128::from(sap.addresses.is_empty());
    }
    for pnf in layout.pnfs.iter().filter(|pnf| pnf.links.values().any(|on| on == link)) {
        sites.entry(pnf.vim.clone()).or_default();
    }
    sites
}

fn lay_link(
    question: &Question<'_>,
    ends: &Ends,
    link: &NsVirtualLink,
    sites: &BTreeMap<String, u128>,
    given: Option<&GivenWan>,
    layout: &mut Layout,
    faults: &mut Faults,
) {
    let is_multi_site = sites.len() > 1;
    let mtu_wished = link.l2.as_ref().and_then(|l2| l2.mtu_bytes);
    let provider = ends.providers.get(&link.id);
    if let Some(on) = provider.filter(|_| is_multi_site) {
        let all: Vec<&str> = sites.keys().map(String::as_str).collect();
        faults.invalid(format!(
            "link {} is on provider network {} and has ends at {}; a provider network ends at its site",
            link.id,
            on.network,
            all.join(", ")
        ));
        return;
    }
    let mtu = if is_multi_site {
        wan_mtu(question, link, sites, faults)
    } else {
        mtu_wished
    };
    let pools = divide(link, ends, sites, faults);
    let name = plain(&format!("{}.{}", question.ns_name, link.id));
    for (at, vim) in sites.keys().enumerate() {
        let subnets = link.l3.iter().zip(&pools).map(|(l3, pools)| NetworkSubnetData {
            network_id: None,
            cidr: l3.cidr,
            gateway_ip: l3.gateway_ip,
            is_dhcp_enabled: l3.dhcp_enabled,
            address_pool: pools.get(at).cloned().unwrap_or_default(),
        });
        layout.networks.push(PlannedNetwork {
            link: link.id.clone(),
            vim: vim.clone(),
            name: name.clone(),
            data: VirtualNetworkData {
                bandwidth: link
                    .max_bitrate
                    .leaf_bits_per_second
                    .or(link.max_bitrate.root_bits_per_second),
                network_type: Some(if provider.is_some() { "provider" } else { "vxlan" }.to_owned()),
                provider_network: provider.map(|on| on.network.clone()),
                segmentation_id: given.and_then(|given| given.vn_segment_ids.get(vim).copied()),
                is_shared: false,
                layer3_attributes: subnets.collect(),
                connected_networks: vec![],
                gateway_reachable: is_multi_site,
                mtu,
            },
            existing: None,
        });
    }
    layout.links.push(PlannedLink {
        id: question.part(&format!("link/{}", link.id)),
        link: link.id.clone(),
        vims: sites.keys().cloned().collect(),
        wan: is_multi_site
            .then(|| wan(question, link, sites, given, mtu.unwrap_or(MTU_MAX), faults))
            .flatten(),
        parts: vec![],
    });
}

/// Every gateway on the way must be able to carry it.
fn wan_mtu(
    question: &Question<'_>,
    link: &NsVirtualLink,
    sites: &BTreeMap<String, u128>,
    faults: &mut Faults,
) -> Option<u32> {
    let mut mtu = MTU_MAX;
    for site in sites.keys().filter_map(|vim| question.survey.site(vim)) {
        match site.pop.gateway_mtu {
            Some(gateway) => mtu = mtu.min(gateway),
            None => faults.push(
                CallError::invalid(format!(
                    "link {} has an end at {}, which has no gateway to other sites",
                    link.id, site.vim
                ))
                .cure("ask for one site for all VNFs of the link, or give the site a gateway"),
            ),
        }
    }
    if let Some(wished) = link.l2.as_ref().and_then(|l2| l2.mtu_bytes) {
        if wished > mtu {
            faults.invalid(format!(
                "link {} wants an MTU of {wished}, and its gateways carry {mtu}",
                link.id
            ));
        }
        mtu = mtu.min(wished);
    }
    Some(mtu)
}

/// For each subnet and each site, in their orders: the pool. Within one site nothing needs to be divided: the whole subnet is its,
/// unless something of it is taken by what no VIM knows of.
fn divide(
    link: &NsVirtualLink,
    ends: &Ends,
    sites: &BTreeMap<String, u128>,
    faults: &mut Faults,
) -> Vec<Vec<Vec<AddressRange>>> {
    let nobody = BTreeSet::new();
    let fixed = ends.fixed.get(&link.id).unwrap_or(&nobody);
    let needs: Vec<u128> = sites.values().copied().collect();
    let mut all = Vec::new();
    for l3 in &link.l3 {
        let is_whole =
            needs.len() == 1 && l3.ip_allocation_pools.is_empty() && !fixed.iter().any(|taken| l3.cidr.contains(taken));
        match pools::split(l3, fixed, &needs) {
            Some(_) if is_whole => all.push(vec![vec![]]),
            Some(pools) => all.push(pools),
            None => {
                let needed: u128 = needs.iter().sum();
                faults.push(
                    CallError::exhausted(format!(
                        "{} of link {} has fewer addresses than the {needed} needed",
                        l3.cidr, link.id
                    ))
                    .cure("give the link a larger subnet, or the service fewer machines"),
                );
                all.push(vec![]);
            }
        }
    }
    all
}

fn wan(
    question: &Question<'_>,
    link: &NsVirtualLink,
    sites: &BTreeMap<String, u128>,
    given: Option<&GivenWan>,
    mtu: u32,
    faults: &mut Faults,
) -> Option<PlannedWan> {
    if let Some(given) = given {
        return Some(PlannedWan::External {
            mscs_id: given.mscs_id.clone(),
            mtu,
        });
    }
    if !question.has_wim {
        let all: Vec<&str> = sites.keys().map(String::as_str).collect();
        faults.push(
            CallError::invalid(format!(
                "link {} has ends at {}, and there is no WIM",
                link.id,
                all.join(", ")
            ))
            .cure(format!(
                "set the connectivity service up and name it: additionalParamsForNs.wan.{}.mscsId",
                link.id
            )),
        );
        return None;
    }
    let mut gateways = Vec::new();
    for site in sites.keys().filter_map(|vim| question.survey.site(vim)) {
        match site.pop.network_connectivity_endpoint.first() {
            Some(endpoint) => gateways.push((site.vim.clone(), endpoint.clone())),
            None => faults.invalid(format!(
                "link {} has an end at {}, which has no connectivity service endpoint",
                link.id, site.vim
            )),
        }
    }
    Some(PlannedWan::Mscs {
        name: plain(&format!("{}.{}", question.ns_name, link.id)),
        mtu,
        bandwidth: link
            .max_bitrate
            .root_bits_per_second
            .or(link.min_bitrate.root_bits_per_second),
        ends: gateways,
    })
}

fn given_wan(question: &Question<'_>, faults: &mut Faults) -> BTreeMap<String, GivenWan> {
    let Some(value) = question.request.additional_params_for_ns.get("wan") else {
        return BTreeMap::new();
    };
    match BTreeMap::<String, GivenWan>::deserialize(value) {
        Ok(given) => {
            for link in given.keys().filter(|link| question.nsd.virtual_link(link).is_none()) {
                faults.invalid(format!(
                    "additionalParamsForNs.wan names {link}, which is no link of the NSD"
                ));
            }
            given
        }
        Err(error) => {
            faults.invalid(format!(
                "additionalParamsForNs.wan is not as it should be, {{LINK: {{\"mscsId\": …}}}}: {error}"
            ));
            BTreeMap::new()
        }
    }
}
