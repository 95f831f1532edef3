use crate::ObjectId;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// A node: a network namespace of its own, which stands for a piece of equipment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeWish {
    /// What people call it: `site-1/host-a`. At most 60 bytes of `[a-z0-9/_.-]`.
    pub name: String,
    /// What it stands for.
    pub role: NodeRole,
    /// Whether it forwards IP packets between its links (gateways and routers do; hosts and switches do not).
    pub forwarding: bool,
    /// Processes that run in it for as long as it exists: what a physical function does. Empty for everything else.
    pub services: Vec<NodeService>,
}

/// What a node stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum NodeRole {
    /// A compute host of an NFVI-PoP.
    Host,
    /// A PoP's gateway to the WAN.
    Gateway,
    /// Switching equipment: a PoP's underlay or a provider network.
    Fabric,
    /// The WAN's equipment.
    Wan,
    /// A physical network function.
    Function,
    /// A place from which a user's side looks in: what is plugged to a SAP.
    Access,
}

/// A process of a physical function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "service")]
pub enum NodeService {
    /// An HTTP/1.1 server, part of the agent's program, which answers every GET with `body` as text/plain.
    Http {
        /// TCP port.
        port: u16,
        /// At most 4,096 bytes.
        body: String,
    },
}

/// A link between two nodes, named by its ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CableWish {
    /// Both ends.
    pub ends: [CableEnd; 2],
    /// In bytes, without the Ethernet header.
    pub mtu_bytes: u32,
    /// In bits per second, each direction; `None` = as fast as the kernel.
    pub rate_bits_per_second: Option<u64>,
}

/// One end of a cable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CableEnd {
    /// The node that it is plugged into.
    pub node: ObjectId,
    /// The interface's name there: at most 15 bytes, unique in the node. For people; the id is the identity.
    pub interface: String,
    /// Addresses on it; empty on a switch.
    pub addresses: Vec<IpNet>,
    /// The switch in this node that it is a port of.
    pub switch: Option<ObjectId>,
    /// Routes that go through it: destination and next hop.
    pub routes: Vec<(IpNet, IpAddr)>,
}

/// A plain bridge, without addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SwitchWish {
    /// Where it stands.
    pub node: ObjectId,
    /// In bytes.
    pub mtu_bytes: u32,
}
