//! NFVI-PoP, resource zones, hosts' capacity and provider networks (IFA 005 7.3.x capacity, 8.4; GR NFV-IFA 043 6.2.5).

use crate::{ComputeId, NetworkId, PortId, QueryFilter};
use manifold_call::interface;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use utoipa::ToSchema;

interface! {
    /// What the PoP consists of and has left. Producer: VIM.
    pub trait Topology as BoundTopology by Vim {
        /// The PoP (one for each VIM here).
        async fn query_nfvi_pop(filter: QueryFilter) -> Vec<NfviPop>;
        /// Its resource zones.
        async fn query_resource_zone(filter: QueryFilter) -> Vec<ResourceZone>;
        /// Its hosts with total, allocated and available compute capacity.
        async fn query_compute_capacity(filter: QueryFilter) -> Vec<ComputeCapacity>;
        /// Its infrastructure provider networks: which hosts reach them, over what, and which functions are plugged in.
        async fn query_provider_networks(filter: QueryFilter) -> Vec<ProviderNetwork>;
    }
}

/// IFA 005 NfviPop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NfviPop {
    /// `site-1`.
    pub nfvi_pop_id: String,
    /// The VIM's identifier.
    pub vim_id: String,
    /// In words.
    pub geographical_location_info: String,
    /// The gateway's connectivity service endpoints.
    pub network_connectivity_endpoint: Vec<String>,
    /// The access points where SAPs can be realised (ours).
    pub access_points: Vec<String>,
    /// The largest MTU of a network that reaches the gateway, in bytes (ours).
    pub gateway_mtu: Option<u32>,
}

/// IFA 005 ResourceZone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResourceZone {
    /// Identifier.
    pub zone_id: String,
    /// Name.
    pub zone_name: String,
    /// `ENABLED`.
    pub zone_state: String,
    /// The PoP.
    pub nfvi_pop_id: String,
}

/// One host's compute capacity (IFA 005 CapacityInformation, by host: ours).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ComputeCapacity {
    /// `host-a`.
    pub host_id: String,
    /// The zone that it is in.
    pub zone_id: String,
    /// In all.
    pub total: Capacity,
    /// Given away.
    pub allocated: Capacity,
    /// Machines on it.
    pub computes: Vec<ComputeId>,
}

/// An amount of compute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Capacity {
    /// Virtual CPUs.
    pub vcpus: u32,
    /// In mebibytes.
    pub memory_mib: u64,
}

/// An infrastructure provider network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProviderNetwork {
    /// `field`.
    pub name: String,
    /// In bytes.
    pub mtu: u32,
    /// Hosts that reach it, and through which interface.
    pub hosts: Vec<ProviderAttachment>,
    /// Functions that are plugged in.
    pub functions: Vec<ProviderFunction>,
    /// Virtual networks that it realises.
    pub networks: Vec<NetworkId>,
    /// vNICs that reach it (Enh632.004).
    pub ports: Vec<PortId>,
}

/// A host on a provider network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProviderAttachment {
    /// `host-a`.
    pub host_id: String,
    /// The cable's identifier.
    pub interface: String,
}

/// A function on a provider network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProviderFunction {
    /// `meter`.
    pub name: String,
    /// Its addresses there.
    #[schema(value_type = Vec<String>)]
    pub addresses: Vec<IpAddr>,
}
