//! What virtual links of VNFs and of network services have in common: protocols, subnets, bit rates, affinity.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::diagnostic::Place;

pub(crate) mod read;

/// Protocol of a layer, as SOL001 spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LayerProtocol {
    /// Ethernet.
    Ethernet,
    /// MPLS.
    Mpls,
    /// ODU2.
    Odu2,
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
    /// Pseudo-wire.
    PseudoWire,
}

impl LayerProtocol {
    /// From SOL001's spelling.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "ethernet" => Self::Ethernet,
            "mpls" => Self::Mpls,
            "odu2" => Self::Odu2,
            "ipv4" => Self::Ipv4,
            "ipv6" => Self::Ipv6,
            "pseudo-wire" => Self::PseudoWire,
            _ => return None,
        })
    }
}

/// IP version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IpVersion {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

/// Protocols and shape of a virtual link.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectivityType {
    /// Protocols carried.
    pub layer_protocols: Vec<LayerProtocol>,
    /// `line`, `tree` or `mesh`, where stated.
    pub flow_pattern: Option<String>,
}

/// Bit rates of a virtual link. `None`: not stated, which for a most means unlimited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bitrate {
    /// Bits per second over all leaves (of a mesh: of the link).
    pub root_bits_per_second: Option<u64>,
    /// Bits per second of one leaf.
    pub leaf_bits_per_second: Option<u64>,
}

/// Layer 2 properties of a virtual link.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct L2ProtocolData {
    /// Name of the network.
    pub name: Option<String>,
    /// `flat`, `vlan`, `vxlan` or `gre`.
    pub network_type: Option<String>,
    /// Whether VLAN tags pass unchanged.
    pub vlan_transparent: bool,
    /// Largest payload of a frame in bytes.
    pub mtu_bytes: Option<u32>,
    /// Segmentation id (a VLAN tag for `vlan`), where stated.
    pub segmentation_id: Option<u32>,
}

impl L2ProtocolData {
    /// The provider network that the link shall be on: the name, when the type is one that exists outside of the
    /// virtualised infrastructure (`flat` or `vlan`).
    pub fn provider_network(&self) -> Option<&str> {
        match self.network_type.as_deref() {
            Some("flat" | "vlan") => self.name.as_deref(),
            _ => None,
        }
    }
}

/// A subnet of a virtual link.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct L3ProtocolData {
    /// Name, where stated.
    pub name: Option<String>,
    /// IP version; agrees with `cidr`.
    pub ip_version: IpVersion,
    /// Addresses, host bits zero.
    pub cidr: IpNet,
    /// Ranges to hand out; empty: all usable ones.
    pub ip_allocation_pools: Vec<IpPool>,
    /// Gateway, where stated.
    pub gateway_ip: Option<IpAddr>,
    /// Whether DHCP hands out the addresses. SOL001 leaves the lack of it open; here it counts as true.
    pub dhcp_enabled: bool,
    /// `slaac`, `dhcpv6-stateful` or `dhcpv6-stateless`, where stated.
    pub ipv6_address_mode: Option<String>,
    /// Where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// A range of addresses, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IpPool {
    /// First address.
    pub start: IpAddr,
    /// Last address.
    pub end: IpAddr,
}

/// Together or apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AffinityType {
    /// On the same element of the scope.
    Affinity,
    /// On different elements of the scope.
    AntiAffinity,
}

/// How far affinity reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AffinityScope {
    /// One NFVI node (host).
    NfviNode,
    /// One resource zone.
    Zone,
    /// One group of zones.
    ZoneGroup,
    /// One NFVI point of presence.
    NfviPop,
    /// One network link and node (NS virtual links).
    NetworkLinkAndNode,
}

impl AffinityScope {
    /// From SOL001's spelling.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "nfvi_node" => Self::NfviNode,
            "zone" => Self::Zone,
            "zone_group" => Self::ZoneGroup,
            "nfvi_pop" => Self::NfviPop,
            "network_link_and_node" => Self::NetworkLinkAndNode,
            _ => return None,
        })
    }
}

/// A placement rule. With one target it holds among the instances of that target; with several, a group, among all of theirs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AffinityRule {
    /// The name of the policy (and of the target, when a policy names several separate targets).
    pub id: String,
    /// Together or apart.
    pub kind: AffinityType,
    /// How far.
    pub scope: AffinityScope,
    /// VDUs and virtual links, or VNF profiles and NS virtual links.
    pub targets: Vec<String>,
}
