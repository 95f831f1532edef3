//! What links of VNFs and network services have in common.

use super::text::{Fields, Yaml};
use crate::link::{AffinityRule, AffinityScope, AffinityType, Bitrate, ConnectivityType, IpVersion};
use crate::link::{L2ProtocolData, L3ProtocolData, LayerProtocol};

pub(super) fn protocol(protocol: LayerProtocol) -> &'static str {
    match protocol {
        LayerProtocol::Ethernet => "ethernet",
        LayerProtocol::Mpls => "mpls",
        LayerProtocol::Odu2 => "odu2",
        LayerProtocol::Ipv4 => "ipv4",
        LayerProtocol::Ipv6 => "ipv6",
        LayerProtocol::PseudoWire => "pseudo-wire",
    }
}

pub(super) fn protocols(all: &[LayerProtocol]) -> Yaml {
    Yaml::words(all.iter().map(|one| protocol(*one)))
}

pub(super) fn connectivity(of: &ConnectivityType) -> Yaml {
    Fields::new()
        .with("layer_protocols", protocols(&of.layer_protocols))
        .with_some("flow_pattern", of.flow_pattern.as_ref())
        .flow()
}

/// A bit rate. SOL001 demands one: what is not said is `otherwise`.
pub(super) fn bitrate(rate: &Bitrate, otherwise: u64) -> Yaml {
    Fields::new()
        .with("root", rate.root_bits_per_second.unwrap_or(otherwise))
        .with_some("leaf", rate.leaf_bits_per_second)
        .flow()
}

/// Most bits per second of a link that does not say: what the program counts a link as when it plans, without a limit on it.
pub(super) const MAX_BITRATE_OTHERWISE: u64 = 10_000_000_000;

/// `virtual_link_protocol_data`; `None`: nothing is said.
pub(super) fn protocol_data(l2: Option<&L2ProtocolData>, l3: &[L3ProtocolData]) -> Option<Yaml> {
    let mut items: Vec<Yaml> = Vec::new();
    let mut l2 = l2.map(layer2);
    for subnet in l3 {
        let version = ip_version(subnet.ip_version);
        let item = Fields::new()
            .with("associated_layer_protocol", version)
            .with_some("l2_protocol_data", l2.take())
            .with("l3_protocol_data", layer3(subnet, version));
        items.push(item.into());
    }
    if let Some(l2) = l2 {
        let item = Fields::new()
            .with("associated_layer_protocol", "ethernet")
            .with("l2_protocol_data", l2);
        items.push(item.into());
    }
    (!items.is_empty()).then_some(Yaml::List(items))
}

fn layer2(l2: &L2ProtocolData) -> Yaml {
    Fields::new()
        .with_some("name", l2.name.as_ref())
        .with_some("network_type", l2.network_type.as_ref())
        .with_some("vlan_transparent", l2.vlan_transparent.then_some(true))
        .with_some("mtu", l2.mtu_bytes)
        .with_some("segmentation_id", l2.segmentation_id)
        .flow()
}

pub(super) fn ip_version(version: IpVersion) -> &'static str {
    match version {
        IpVersion::Ipv4 => "ipv4",
        IpVersion::Ipv6 => "ipv6",
    }
}

fn layer3(l3: &L3ProtocolData, version: &str) -> Yaml {
    let pool = |pool: &crate::link::IpPool| {
        Fields::new()
            .with("start_ip_address", pool.start.to_string())
            .with("end_ip_address", pool.end.to_string())
            .flow()
    };
    let pools: Vec<Yaml> = l3.ip_allocation_pools.iter().map(pool).collect();
    Fields::new()
        .with_some("name", l3.name.as_ref())
        .with("ip_version", version)
        .with("cidr", l3.cidr.to_string())
        .with_some("ip_allocation_pools", (!pools.is_empty()).then_some(Yaml::List(pools)))
        .with_some("gateway_ip", l3.gateway_ip.map(|gateway| gateway.to_string()))
        .with("dhcp_enabled", l3.dhcp_enabled)
        .with_some("ipv6_address_mode", l3.ipv6_address_mode.as_ref())
        .flow()
}

/// A policy as one item of `policies`.
pub(super) fn policy<T: Into<String>>(
    name: &str,
    type_name: &str,
    targets: impl IntoIterator<Item = T>,
    properties: Fields,
) -> Yaml {
    let targets: Vec<String> = targets.into_iter().map(Into::into).collect();
    let body = Fields::new()
        .with("type", type_name)
        .with_some("targets", (!targets.is_empty()).then(|| Yaml::words(targets)))
        .with_some("properties", (!properties.is_empty()).then_some(properties));
    Fields::new().with(name, body).into()
}

/// Rules as policies, and the groups that they need: a rule with several targets is one over a group.
pub(super) fn affinity(
    rules: &[AffinityRule],
    policy_types: [&str; 2],
    group_type: &str,
    is_taken: impl Fn(&str) -> bool,
    groups: &mut Fields,
    policies: &mut Vec<Yaml>,
) {
    let mut named: Vec<String> = Vec::new();
    for rule in rules {
        let type_name = match rule.kind {
            AffinityType::Affinity => policy_types[0],
            AffinityType::AntiAffinity => policy_types[1],
        };
        let properties = Fields::new().with("scope", scope(rule.scope));
        if let [one] = rule.targets.as_slice() {
            policies.push(policy(&rule.id, type_name, [one], properties));
            continue;
        }
        let group = super::free_name(&format!("{}_group", rule.id), |name| {
            is_taken(name) || named.iter().any(|n| n == name)
        });
        let body = Fields::new()
            .with("type", group_type)
            .with("members", Yaml::words(rule.targets.iter()));
        groups.put(&group, body);
        policies.push(policy(&rule.id, type_name, [&group], properties));
        named.push(group);
    }
}

fn scope(scope: AffinityScope) -> &'static str {
    match scope {
        AffinityScope::NfviNode => "nfvi_node",
        AffinityScope::Zone => "zone",
        AffinityScope::ZoneGroup => "zone_group",
        AffinityScope::NfviPop => "nfvi_pop",
        AffinityScope::NetworkLinkAndNode => "network_link_and_node",
    }
}
