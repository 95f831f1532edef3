//! An NS as a graph: NS → VNF → VNFC → port → virtual network → WAN service, with live addresses and states. Ours: SOL005 has
//! the same facts, spread over several resources of two reference points.

use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use utoipa::ToSchema;

/// An NS and what it consists of.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NsTopology {
    /// Identifier.
    pub id: String,
    /// Name.
    pub name: String,
    /// `INSTANTIATED` or `NOT_INSTANTIATED`.
    pub state: String,
    /// VNFs.
    pub vnfs: Vec<TopologyVnf>,
    /// PNFs.
    pub pnfs: Vec<TopologyEnd>,
    /// SAPs.
    pub saps: Vec<TopologyEnd>,
    /// NS links, and the VNFs' own.
    pub links: Vec<TopologyLink>,
    /// NSs in it. A link that crosses NSs has one id in all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(no_recursion)]
    pub nested: Vec<NsTopology>,
}

/// A VNF.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TopologyVnf {
    /// Identifier.
    pub id: String,
    /// Name.
    pub name: String,
    /// Profile in the NSD.
    pub profile: String,
    /// The VIM that it is on.
    pub vim: String,
    /// VNFC instances.
    pub vnfcs: Vec<TopologyVnfc>,
}

/// A VNFC instance.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TopologyVnfc {
    /// Identifier.
    pub id: String,
    /// The machine's name.
    pub name: String,
    /// Descriptor.
    pub vdu: String,
    /// The machine at its VIM.
    pub compute_id: String,
    /// Host.
    pub host: String,
    /// RUNNING, STOPPED, CRASHED, UNKNOWN: asked for now.
    pub state: String,
    /// Its ports.
    pub ports: Vec<TopologyPort>,
}

/// A port.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TopologyPort {
    /// Connection point descriptor.
    pub cpd: String,
    /// The link that it is on: [`TopologyLink::id`].
    pub link: String,
    /// Addresses.
    #[schema(value_type = Vec<String>)]
    pub addresses: Vec<IpAddr>,
    /// MAC address.
    pub mac: String,
}

/// A SAP or a PNF's connection point.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TopologyEnd {
    /// Name.
    pub name: String,
    /// The link that it is on.
    pub link: String,
    /// The VIM that knows its place.
    pub vim: String,
    /// Addresses.
    #[schema(value_type = Vec<String>)]
    pub addresses: Vec<IpAddr>,
}

/// A virtual link.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TopologyLink {
    /// Identifier.
    pub id: String,
    /// Name in its descriptor.
    pub name: String,
    /// The VNF that it is inside of; `None` for the NS's own.
    pub inside: Option<String>,
    /// Its networks.
    pub networks: Vec<TopologyNetwork>,
    /// The WAN service between them.
    pub mscs: Option<String>,
}

/// A network.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TopologyNetwork {
    /// The VIM.
    pub vim: String,
    /// Identifier there.
    pub id: String,
    /// VXLAN identifier, for those that have one.
    pub segmentation_id: Option<u32>,
    /// Provider network, for those that have one.
    pub provider_network: Option<String>,
    /// ENABLED or DISABLED: asked for now.
    pub state: String,
}
