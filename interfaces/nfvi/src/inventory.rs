//! What equipment there is: given to a VIM and a WIM by whoever built the infrastructure (the lab, or an operator's file), never
//! discovered by touching. Hosts, gateways, provider networks and functions are named here; what runs on them is not.

use crate::ObjectId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// One NFVI-PoP: what a VIM manages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PopInventory {
    /// The NFVI-PoP's identifier: `site-1`.
    pub pop: String,
    /// Where it is, in words.
    pub location: String,
    /// Resource zones; every host is in one.
    pub zones: Vec<String>,
    /// Compute hosts.
    pub hosts: Vec<HostInventory>,
    /// The way out to the WAN, if there is one.
    pub gateway: Option<GatewayInventory>,
    /// Infrastructure provider networks.
    pub provider_networks: Vec<ProviderNetworkInventory>,
    /// Where users' equipment is plugged in: what a SAP is realised at.
    pub access_points: Vec<AccessPointInventory>,
}

/// A compute host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HostInventory {
    /// Its node.
    pub node: ObjectId,
    /// `host-a`; unique in the PoP.
    pub name: String,
    /// The zone that it is in.
    pub zone: String,
    /// Its tunnel address on the underlay.
    pub underlay: IpAddr,
    /// Of the underlay, in bytes.
    pub underlay_mtu_bytes: u32,
    /// Virtual CPUs that may be given away in all.
    pub vcpus: u32,
    /// Memory that may be given away in all, in mebibytes.
    pub memory_mib: u64,
    /// By provider network: the cable over which this host reaches it.
    pub provider_cables: BTreeMap<String, ObjectId>,
}

/// A PoP's gateway to the WAN.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayInventory {
    /// Its node.
    pub node: ObjectId,
    /// Its tunnel address on the PoP's underlay.
    pub underlay: IpAddr,
    /// Its address on the WAN.
    pub wan: IpAddr,
    /// Of the WAN link, in bytes.
    pub wan_mtu_bytes: u32,
    /// The connectivity service endpoint by which the WIM knows it (SOL005 ConnectivityServiceEndpointInfo).
    pub connectivity_service_endpoint: String,
}

/// An infrastructure provider network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProviderNetworkInventory {
    /// `field`; unique in the PoP.
    pub name: String,
    /// In bytes.
    pub mtu_bytes: u32,
    /// Physical functions that are plugged into it.
    pub functions: Vec<FunctionInventory>,
}

/// A physical network function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FunctionInventory {
    /// Its node.
    pub node: ObjectId,
    /// `meter`; unique in the PoP.
    pub name: String,
    /// Its addresses on the provider network.
    pub addresses: Vec<IpAddr>,
}

/// A place where a user's equipment is plugged into a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessPointInventory {
    /// `client`; unique in the PoP.
    pub name: String,
    /// Its node.
    pub node: ObjectId,
    /// The host that it is plugged into.
    pub host: ObjectId,
}

/// The WAN: what a WIM manages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WanInventory {
    /// The WAN's name.
    pub wan: String,
    /// The gateways that it connects: by connectivity service endpoint.
    pub gateways: BTreeMap<String, WanGateway>,
    /// What the WAN carries in all, in bits per second.
    pub capacity_bits_per_second: u64,
}

/// A gateway as the WIM sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WanGateway {
    /// The PoP that it belongs to.
    pub pop: String,
    /// Its node.
    pub node: ObjectId,
    /// Its address on the WAN.
    pub wan: IpAddr,
    /// Of the WAN link, in bytes.
    pub wan_mtu_bytes: u32,
}

/// The segment of a virtual network on a PoP's gateway has this id, so that a VIM, which makes it, and a WIM, which stitches it
/// to the WAN, agree on it by the segment identifier that the VIM tells and the WIM is told.
pub fn gateway_segment(gateway: ObjectId, vni: u32) -> ObjectId {
    ObjectId::named(gateway.0, &format!("vni-{vni}"))
}
