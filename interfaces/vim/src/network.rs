//! Virtualised network resources (IFA 005 7.4.1, information elements 8.4.5).

use crate::{ComputeId, Metadata, OperationalState, QueryFilter};
use ipnet::IpNet;
use manifold_call::{Subject, interface, uuid_id};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use utoipa::ToSchema;

uuid_id! {
    /// A virtualised network.
    pub NetworkId
}
uuid_id! {
    /// A subnet of a virtualised network.
    pub SubnetId
}
uuid_id! {
    /// A port of a virtualised network.
    pub PortId
}

interface! {
    /// Virtualised networks, subnets and ports (IFA 005 7.4.1). Producer: VIM.
    pub trait VirtualisedNetworks as BoundVirtualisedNetworks by Vim {
        /// Makes a network, a subnet or a port: whichever the request holds. Errors: `Exhausted` (no segment identifier or
        /// address left), `Conflict` (subnets that would share a routing domain overlap; an address is taken), `NotFound` (the
        /// network, or the provider network: names those that exist).
        async fn allocate(ask: AllocateNetworkResource) -> NetworkResource;
        /// The tenant's networks, subnets and ports that match, and shared ones.
        async fn query(filter: QueryFilter) -> NetworkResources;
        /// Changes what may change of a network, subnet or port. Not the IP version, CIDR or network of a subnet.
        async fn update(ask: UpdateNetworkResource) -> NetworkResource;
        /// Ends networks, subnets and ports: in the order port, subnet, network whatever the order asked. Answers with those that
        /// are gone; an id that does not exist counts as gone. `Conflict` names what still uses one that cannot go.
        async fn terminate(ids: Vec<manifold_call::Uuid>) -> Vec<manifold_call::Uuid>;
    }
}

/// AllocateVirtualisedNetworkResource: the variant is IFA 005's networkResourceType with the data that matches it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AllocateNetworkResource {
    /// For people.
    pub network_resource_name: String,
    /// What.
    #[serde(flatten)]
    pub data: NetworkResourceData,
    /// Kept.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub metadata: Metadata,
}

/// What to make.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "networkResourceType", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum NetworkResourceData {
    /// A network.
    Network {
        /// Of what kind.
        #[serde(rename = "typeNetworkData")]
        data: VirtualNetworkData,
    },
    /// A subnet.
    Subnet {
        /// Of what kind.
        #[serde(rename = "typeSubnetData")]
        data: NetworkSubnetData,
    },
    /// A port.
    NetworkPort {
        /// Of what kind.
        #[serde(rename = "typeNetworkPortData")]
        data: VirtualNetworkPortData,
    },
}

/// A network to make (IFA 005 8.4.5.2).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct VirtualNetworkData {
    /// Limit of each port, in bits per second, unless the port has its own.
    pub bandwidth: Option<u64>,
    /// `vxlan` (the default) or `provider`.
    pub network_type: Option<String>,
    /// The infrastructure provider network that realises it.
    pub provider_network: Option<String>,
    /// Wished segment identifier (VNI); `None` = the VIM chooses.
    pub segmentation_id: Option<u32>,
    /// Whether other tenants may plug into it.
    pub is_shared: bool,
    /// Subnets to make with it.
    pub layer3_attributes: Vec<NetworkSubnetData>,
    /// Networks that a router joins with this one, and nothing else does.
    pub connected_networks: Vec<NetworkId>,
    /// Ours: the network reaches the PoP's gateway, where a WIM can pick it up by its segment identifier (UC54-2, UC54-6 of
    /// GR NFV-IFA 043: "routable by the PoP gateway").
    pub gateway_reachable: bool,
    /// Ours: MTU wished, in bytes; `None` = what the underlay leaves, at most 1,500.
    pub mtu: Option<u32>,
}

/// A subnet to make (IFA 005 8.4.5.3).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NetworkSubnetData {
    /// Of which network; `None` inside [`VirtualNetworkData::layer3_attributes`].
    #[serde(default)]
    pub network_id: Option<NetworkId>,
    /// The subnet. Its family is IFA 005's ipVersion.
    #[schema(value_type = String)]
    pub cidr: IpNet,
    /// Where a router answers; `None` = the subnet's first address, taken only if a router is made.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub gateway_ip: Option<IpAddr>,
    /// Fixed leases for ports (IPv4).
    #[serde(default)]
    pub is_dhcp_enabled: bool,
    /// Ranges (first, last) from which the VIM chooses addresses; empty = the whole subnet but for the gateway's.
    #[serde(default)]
    pub address_pool: Vec<AddressRange>,
}

/// First and last address, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AddressRange {
    /// First.
    #[schema(value_type = String)]
    pub first: IpAddr,
    /// Last.
    #[schema(value_type = String)]
    pub last: IpAddr,
}

/// A port to make (IFA 005 8.4.5.4; addresses are of release 3).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VirtualNetworkPortData {
    /// Of which network.
    pub network_id: NetworkId,
    /// Limit, in bits per second.
    #[serde(default)]
    pub bandwidth: Option<u64>,
    /// Wished addresses; empty = one of each subnet's pool.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub ip_address: Vec<IpAddr>,
    /// Wished MAC address.
    #[serde(default)]
    pub mac_address: Option<String>,
    /// Ours: plugged into this access point of the PoP instead of waiting for a machine: how a SAP is realised.
    #[serde(default)]
    pub access_point: Option<String>,
}

/// What was made, changed or found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum NetworkResource {
    /// A network.
    NetworkData(VirtualNetwork),
    /// A subnet.
    SubnetData(NetworkSubnet),
    /// A port.
    NetworkPortData(VirtualNetworkPort),
}

/// A query's answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NetworkResources {
    /// Networks.
    pub network_data: Vec<VirtualNetwork>,
    /// Subnets.
    pub subnet_data: Vec<NetworkSubnet>,
    /// Ports.
    pub network_port_data: Vec<VirtualNetworkPort>,
}

/// A network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VirtualNetwork {
    /// Identifier.
    pub network_resource_id: NetworkId,
    /// Name.
    pub network_resource_name: String,
    /// Its subnets.
    pub subnet_id: Vec<SubnetId>,
    /// Its ports.
    pub network_port: Vec<PortId>,
    /// Limit of each port, in bits per second; 0 = none.
    pub bandwidth: u64,
    /// `vxlan` or `provider`.
    pub network_type: String,
    /// The infrastructure provider network that realises it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_network: Option<String>,
    /// VNI, for `vxlan`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segmentation_id: Option<u32>,
    /// Whether other tenants may plug into it.
    pub is_shared: bool,
    /// Whether it is as wished.
    pub operational_state: OperationalState,
    /// Networks that a router joins with this one, in both directions (Enh632.009).
    pub connected_networks: Vec<NetworkId>,
    /// In bytes (ours).
    pub mtu: u32,
    /// Whether the PoP's gateway is on it (ours).
    pub gateway_reachable: bool,
    /// Kept.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub metadata: Metadata,
}

/// A subnet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NetworkSubnet {
    /// Identifier.
    pub resource_id: SubnetId,
    /// Its network.
    pub network_id: NetworkId,
    /// The subnet.
    #[schema(value_type = String)]
    pub cidr: IpNet,
    /// Where a router answers, if one is there.
    #[schema(value_type = String)]
    pub gateway_ip: IpAddr,
    /// Fixed leases for ports.
    pub is_dhcp_enabled: bool,
    /// Ranges from which addresses are chosen.
    pub address_pool: Vec<AddressRange>,
    /// Kept.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub metadata: Metadata,
}

/// A port.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VirtualNetworkPort {
    /// Identifier.
    pub resource_id: PortId,
    /// Its name.
    pub network_resource_name: String,
    /// Its network.
    pub network_id: NetworkId,
    /// The machine that uses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attached_resource_id: Option<ComputeId>,
    /// The access point that it is plugged into (ours).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_point: Option<String>,
    /// Addresses.
    #[schema(value_type = Vec<String>)]
    pub ip_address: Vec<IpAddr>,
    /// MAC address.
    pub mac_address: String,
    /// Limit, in bits per second; 0 = none.
    pub bandwidth: u64,
    /// Whether it is as wished.
    pub operational_state: OperationalState,
    /// Kept.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub metadata: Metadata,
}

/// UpdateVirtualisedNetworkResource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateNetworkResource {
    /// A network's or port's.
    pub network_resource_id: manifold_call::Uuid,
    /// New limit, in bits per second; 0 takes it away.
    #[serde(default)]
    pub bandwidth: Option<u64>,
    /// For a network: the networks that a router shall join with it from now on.
    #[serde(default)]
    pub connected_networks: Option<Vec<NetworkId>>,
    /// Replaces the metadata when given.
    #[serde(default)]
    pub metadata: Option<Metadata>,
}

impl Subject for AllocateNetworkResource {
    fn subject(&self) -> String {
        let what = match self.data {
            NetworkResourceData::Network { .. } => "network",
            NetworkResourceData::Subnet { .. } => "subnet",
            NetworkResourceData::NetworkPort { .. } => "port",
        };
        format!("{what} {}", self.network_resource_name)
    }
}
impl Subject for UpdateNetworkResource {
    fn subject(&self) -> String {
        self.network_resource_id.to_string()
    }
}
