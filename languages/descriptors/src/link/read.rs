//! Links and affinity rules out of TOSCA.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{AffinityRule, AffinityScope, AffinityType, Bitrate, ConnectivityType, IpPool, IpVersion};
use super::{L2ProtocolData, L3ProtocolData, LayerProtocol};
use crate::code::Code;
use crate::diagnostic::{Diagnostics, Place, Severity};
use crate::source::Report;
use crate::tosca::template::{Policy, Topology};
use crate::tosca::types::Sort;
use crate::tosca::values::Env;
use crate::yaml::Node;

pub(crate) fn layer_protocols(properties: &Node) -> Vec<LayerProtocol> {
    properties
        .texts_of("layer_protocols")
        .iter()
        .filter_map(|name| LayerProtocol::from_name(name))
        .collect()
}

pub(crate) fn connectivity_type(properties: &Node) -> ConnectivityType {
    let Some(node) = properties.get("connectivity_type") else {
        return ConnectivityType::default();
    };
    ConnectivityType {
        layer_protocols: layer_protocols(node),
        flow_pattern: node.text_of("flow_pattern"),
    }
}

pub(crate) fn bitrate(properties: &Node, key: &str) -> Bitrate {
    let Some(node) = properties.at(&["vl_profile", key]) else {
        return Bitrate::default();
    };
    Bitrate {
        root_bits_per_second: node.u64_of("root"),
        leaf_bits_per_second: node.u64_of("leaf"),
    }
}

/// Layer 2 and layer 3 data of a link's profile.
pub(crate) fn protocol_data(report: &mut Report, properties: &Node) -> (Option<L2ProtocolData>, Vec<L3ProtocolData>) {
    let (mut l2, mut l3) = (None, Vec::new());
    for item in properties
        .at(&["vl_profile", "virtual_link_protocol_data"])
        .map(Node::items)
        .unwrap_or_default()
    {
        if let Some(node) = item.get("l2_protocol_data") {
            l2.get_or_insert(L2ProtocolData {
                name: node.text_of("name"),
                network_type: node.text_of("network_type"),
                vlan_transparent: node.bool_of("vlan_transparent").unwrap_or(false),
                mtu_bytes: node.u32_of("mtu"),
                segmentation_id: node.u32_of("segmentation_id"),
            });
        }
        if let Some(node) = item.get("l3_protocol_data") {
            l3.extend(subnet(report, node));
        }
    }
    for (at, one) in l3.iter().enumerate() {
        if let Some(other) = l3[..at].iter().find(|other| overlap(&one.cidr, &other.cidr)) {
            let place = one.place.clone().unwrap_or_default();
            overlap_error(
                &mut report.diagnostics,
                place,
                format!("{} and {} of one link overlap", other.cidr, one.cidr),
            );
        }
    }
    (l2, l3)
}

/// Whether two subnets have an address in common.
pub(crate) fn overlap(one: &IpNet, other: &IpNet) -> bool {
    one.contains(other) || other.contains(one)
}

pub(crate) fn overlap_error(diagnostics: &mut Diagnostics, place: Place, message: String) {
    diagnostics.push_plain(Severity::Error, Code::SubnetsOverlap, place, message, None);
}

fn subnet(report: &mut Report, node: &Node) -> Option<L3ProtocolData> {
    let cidr_node = node.get("cidr")?;
    let text = cidr_node.text()?;
    let Ok(cidr) = text.parse::<IpNet>() else {
        let help = Some("write a network and its prefix length, like 192.168.10.0/24 or fd00:10::/64".to_owned());
        report.error_help(Code::BadAddress, cidr_node.span, format!("`{text}` is no CIDR"), help);
        return None;
    };
    if cidr != cidr.trunc() {
        let help = Some(format!("write `{}`", cidr.trunc()));
        report.error_help(
            Code::BadAddress,
            cidr_node.span,
            format!("`{text}` is an address of a host, not a network"),
            help,
        );
    }
    let ip_version = if cidr.addr().is_ipv4() {
        IpVersion::Ipv4
    } else {
        IpVersion::Ipv6
    };
    if let Some(stated) = node.get("ip_version") {
        let name = if ip_version == IpVersion::Ipv4 { "ipv4" } else { "ipv6" };
        if stated
            .text()
            .is_some_and(|text| text != name && (text == "ipv4" || text == "ipv6"))
        {
            report.error(Code::BadAddress, stated.span, format!("`{text}` is {name}"));
        }
    }
    let inside = |report: &mut Report, node: Option<&Node>, what: &str| -> Option<IpAddr> {
        let node = node?;
        let text = node.text()?;
        match text.parse::<IpAddr>() {
            Ok(address) if cidr.contains(&address) => Some(address),
            Ok(_) => {
                report.error(
                    Code::BadAddress,
                    node.span,
                    format!("{what} {text} is outside of {}", cidr.trunc()),
                );
                None
            }
            Err(_) => {
                report.error(Code::BadAddress, node.span, format!("{what} `{text}` is no address"));
                None
            }
        }
    };
    let gateway_ip = inside(report, node.get("gateway_ip"), "gateway");
    let mut pools = Vec::new();
    for pool in node.get("ip_allocation_pools").map(Node::items).unwrap_or_default() {
        let start = inside(report, pool.get("start_ip_address"), "start");
        let end = inside(report, pool.get("end_ip_address"), "end");
        let (Some(start), Some(end)) = (start, end) else {
            continue;
        };
        if start > end {
            report.error(
                Code::BadAddress,
                pool.span,
                format!("the pool ends ({end}) before it starts ({start})"),
            );
            continue;
        }
        pools.push(IpPool { start, end });
    }
    Some(L3ProtocolData {
        name: node.text_of("name"),
        ip_version,
        cidr: cidr.trunc(),
        ip_allocation_pools: pools,
        gateway_ip,
        dhcp_enabled: node.bool_of("dhcp_enabled").unwrap_or(true),
        ipv6_address_mode: node.text_of("ipv6_address_mode"),
        place: Some(report.place(cidr_node.span)),
    })
}

/// Affinity and anti-affinity rules. A group is one rule over its members; targets beside each other are a rule each, as SOL001
/// has it (clauses 6.10.10, 6.10.11).
pub(crate) fn affinity_rules(report: &mut Report, env: &Env<'_>, together: &str, apart: &str) -> Vec<AffinityRule> {
    let topology: &Topology = env.topology;
    let mut rules = Vec::new();
    for (type_name, kind) in [(together, AffinityType::Affinity), (apart, AffinityType::AntiAffinity)] {
        let policies: Vec<&Policy> = topology.policies_of(env.types, type_name).collect();
        for policy in policies {
            let properties = env.properties(
                report,
                Sort::Policy,
                &policy.type_name,
                policy.properties.as_ref(),
                &policy.name,
                policy.span,
            );
            let Some(name) = properties.get("scope") else { continue };
            let Some(scope) = name.text().and_then(AffinityScope::from_name) else {
                report.warning(
                    Code::PolicyIgnored,
                    name.span,
                    format!("policy `{}` has a scope that has no effect here", policy.name),
                );
                continue;
            };
            for target in &policy.targets {
                let targets: Vec<String> = topology
                    .spelled_out(target)
                    .into_iter()
                    .map(|(name, _)| name.clone())
                    .collect();
                let id = if policy.targets.len() == 1 {
                    policy.name.clone()
                } else {
                    format!("{}/{}", policy.name, target.0)
                };
                rules.push(AffinityRule {
                    id,
                    kind,
                    scope,
                    targets,
                });
            }
        }
    }
    rules
}
