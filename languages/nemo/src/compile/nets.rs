//! What a net is wished to be: its own properties, and those of the nets inside of its nodes that it is one with, as far as it is
//! silent itself.

use super::CompileError;
use super::properties::Properties;
use crate::service::{ModelUse, Net, Service};
use ipnet::IpNet;
use manifold_descriptors::link::{Bitrate, ConnectivityType, IpVersion, L2ProtocolData, L3ProtocolData, LayerProtocol};
use manifold_descriptors::nsd::Qos;
use manifold_nemo_syntax::script::Value;
use std::collections::BTreeMap;

const NETWORKS: [&str; 4] = ["ipprefix", "ip-prefix", "subnet", "cidr"];
const GATEWAY: [&str; 3] = ["gateway", "gatewayip", "gateway-ip"];

/// Most bits per second of a net that does not say.
pub(crate) const MAX_BITRATE_OTHERWISE: u64 = 10_000_000_000;

/// A net's wishes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wish {
    /// Networks that the script says.
    pub(crate) networks: Vec<IpNet>,
    gateway: Option<std::net::IpAddr>,
    has_dhcp: bool,
    pub(crate) l2: Option<L2ProtocolData>,
    pub(crate) max_bitrate: Bitrate,
    pub(crate) min_bitrate: Bitrate,
    pub(crate) qos: Option<Qos>,
    flow_pattern: &'static str,
}

impl Wish {
    fn of(net: &Net, properties: &BTreeMap<String, Value>) -> Result<Self, CompileError> {
        let properties = Properties::new(&net.name, properties);
        let provider = properties.word(&["provider", "provider-network"])?;
        let tag = properties.number(&["vlan", "vlanid", "vlan-id"], 4094)?;
        let mtu = properties.number(&["mtu"], 65_535)?;
        let network_type = provider.as_ref().map(|_| if tag.is_some() { "vlan" } else { "flat" });
        let l2 = (provider.is_some() || mtu.is_some()).then(|| L2ProtocolData {
            name: provider.clone(),
            network_type: network_type.map(str::to_owned),
            mtu_bytes: mtu.filter(|mtu| *mtu > 0),
            segmentation_id: tag.filter(|_| provider.is_some()),
            ..L2ProtocolData::default()
        });
        let latency = properties.micros(&["latency", "delay"])?;
        let variation = properties.micros(&["jitter", "delay-variation"])?;
        let loss = properties.ratio(&["loss", "packet-loss"])?;
        let has_qos = latency.is_some() || variation.is_some();
        let rate = |root| Bitrate {
            root_bits_per_second: Some(root),
            leaf_bits_per_second: None,
        };
        let dhcp = properties.word(&["dhcp"])?;
        Ok(Self {
            networks: properties.networks(&NETWORKS)?,
            gateway: properties.address(&GATEWAY)?,
            has_dhcp: !dhcp.is_some_and(|word| matches!(word.to_ascii_lowercase().as_str(), "no" | "off" | "false")),
            l2,
            max_bitrate: rate(
                properties
                    .rate(&["bandwidth", "bitrate", "max-bandwidth"])?
                    .unwrap_or(MAX_BITRATE_OTHERWISE),
            ),
            min_bitrate: rate(
                properties
                    .rate(&["min-bandwidth", "guaranteed-bandwidth"])?
                    .unwrap_or(0),
            ),
            qos: has_qos.then(|| Qos {
                latency_us: latency.or(variation),
                packet_delay_variation_us: variation.or(latency),
                packet_loss_ratio: loss,
                priority: None,
            }),
            flow_pattern: match net.shape.as_str() {
                "p2p" => "line",
                "p2mp" => "tree",
                _ => "mesh",
            },
        })
    }

    /// Whether it is a network that exists outside, where addresses are not ours to give.
    pub(crate) fn is_provided(&self) -> bool {
        self.l2.as_ref().is_some_and(|l2| l2.provider_network().is_some())
    }

    /// Subnets as descriptors have them.
    pub(crate) fn subnets(&self, networks: &[IpNet]) -> Vec<L3ProtocolData> {
        let subnet = |cidr: &IpNet| L3ProtocolData {
            name: None,
            ip_version: if cidr.addr().is_ipv4() {
                IpVersion::Ipv4
            } else {
                IpVersion::Ipv6
            },
            cidr: *cidr,
            ip_allocation_pools: Vec::new(),
            gateway_ip: self.gateway.filter(|gateway| cidr.contains(gateway)),
            dhcp_enabled: self.has_dhcp,
            ipv6_address_mode: None,
            place: None,
        };
        networks.iter().map(subnet).collect()
    }

    /// Ethernet, which carries whatever an interface speaks, and the IP that the subnets are of.
    pub(crate) fn connectivity(&self, networks: &[IpNet]) -> ConnectivityType {
        let mut layer_protocols = vec![LayerProtocol::Ethernet];
        if networks.iter().any(|network| network.addr().is_ipv4()) {
            layer_protocols.push(LayerProtocol::Ipv4);
        }
        if networks.iter().any(|network| network.addr().is_ipv6()) {
            layer_protocols.push(LayerProtocol::Ipv6);
        }
        ConnectivityType {
            layer_protocols,
            flow_pattern: Some(self.flow_pattern.to_owned()),
        }
    }
}

/// The wishes of every net of every composite.
pub(crate) fn wishes(service: &Service) -> Result<Vec<Vec<Wish>>, CompileError> {
    let mut all: Vec<Vec<Wish>> = Vec::with_capacity(service.composites.len());
    let mut known: Vec<Vec<BTreeMap<String, Value>>> = Vec::with_capacity(service.composites.len());
    for composite in &service.composites {
        let mut properties: Vec<BTreeMap<String, Value>> =
            composite.nets.iter().map(|net| net.properties.clone()).collect();
        let mut used: Vec<IpNet> = Vec::new();
        for (net, own) in composite.nets.iter().zip(&properties) {
            used.extend(Properties::new(&net.name, own).networks(&NETWORKS)?);
        }
        for (net, own) in composite.nets.iter().zip(&mut properties) {
            for end in &net.ends {
                let ModelUse::Composite(inner) = composite.nodes[end.node].of else {
                    continue;
                };
                let points = &service.composites[inner].points;
                let Some(inside) = points.iter().find(|point| point.name == end.point).and_then(|p| p.net) else {
                    continue;
                };
                let inherited = &known[inner][inside];
                let networks = Properties::new(&net.name, inherited).networks(&NETWORKS)?;
                let meets = |one: &IpNet| used.iter().any(|other| one.contains(other) || other.contains(one));
                let has_own = !Properties::new(&net.name, own).networks(&NETWORKS)?.is_empty();
                let takes_networks = !has_own && !networks.iter().any(meets);
                for (key, value) in inherited {
                    let is_address = NETWORKS
                        .iter()
                        .chain(&GATEWAY)
                        .any(|name| name.eq_ignore_ascii_case(key));
                    if (takes_networks || !is_address) && !own.contains_key(key) {
                        own.insert(key.clone(), value.clone());
                    }
                }
                if takes_networks {
                    used.extend(networks);
                }
            }
        }
        let wish = composite
            .nets
            .iter()
            .zip(&properties)
            .map(|(net, own)| Wish::of(net, own));
        all.push(wish.collect::<Result<_, _>>()?);
        known.push(properties);
    }
    Ok(all)
}
