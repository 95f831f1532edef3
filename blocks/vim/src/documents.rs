//! What the VIM keeps.

use ipnet::IpNet;
use manifold_call::Uuid;
use manifold_store::Sealed;
use manifold_vim_interface::Window;
use manifold_vim_interface::{
    AddressRange, AffinityConstraint, AffinityKind, AffinityScope, Metadata, NfpRule, TrafficRuleData,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// One document.
// A machine is twice as large as a port, and there are fewer of them: a box would save little.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "type")]
pub enum Document {
    /// A virtual network.
    Network(Network),
    /// A subnet.
    Subnet(Subnet),
    /// A port.
    Port(Port),
    /// A machine.
    Compute(Compute),
    /// An affinity group.
    Group(Group),
    /// A compute flavour.
    Flavour(Flavour),
    /// A software image.
    Image(Image),
    /// A network forwarding path.
    Path(Path),
    /// A traffic rule.
    Rule(Rule),
}

/// A virtual network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Network {
    /// For people.
    pub name: String,
    /// Limit of each port, in bits per second; 0 = none.
    pub bandwidth: u64,
    /// How its parts on different hosts are joined.
    pub transport: Transport,
    /// Whether other tenants may plug into it.
    pub shared: bool,
    /// The networks that a router shall join with this one, as asked of this one.
    pub connected: BTreeSet<Uuid>,
    /// Whether the PoP's gateway is on it.
    pub gateway_reachable: bool,
    /// In bytes.
    pub mtu: u32,
    /// Kept.
    pub metadata: Metadata,
}

/// How a network's parts on different hosts are joined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Transport {
    /// Tunnels between the hosts.
    Vxlan {
        /// Unique in the PoP.
        vni: u32,
    },
    /// An infrastructure provider network.
    Provider {
        /// Its name in the inventory.
        network: String,
    },
}

/// A subnet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subnet {
    /// Its network.
    pub network: Uuid,
    /// The subnet, without host bits.
    pub cidr: IpNet,
    /// Where a router answers if one is there; no port has it.
    pub gateway: IpAddr,
    /// Fixed leases (IPv4).
    pub dhcp: bool,
    /// Where addresses are chosen from; empty = everywhere.
    pub pools: Vec<AddressRange>,
    /// Kept.
    pub metadata: Metadata,
}

/// A port.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Port {
    /// For people.
    pub name: String,
    /// Its network.
    pub network: Uuid,
    /// The machine that uses it.
    pub compute: Option<Uuid>,
    /// Made with its machine, and goes with it.
    pub implicit: bool,
    /// The access point that it is plugged into.
    pub access_point: Option<String>,
    /// Addresses.
    pub addresses: Vec<IpAddr>,
    /// MAC address.
    pub mac: String,
    /// Limit of its own, in bits per second; 0 = none.
    pub bandwidth: Option<u64>,
    /// Kept.
    pub metadata: Metadata,
}

/// A machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Compute {
    /// For people; the host name inside is made of it.
    pub name: String,
    /// The flavour that it was made of.
    pub flavour: Uuid,
    /// Number of virtual CPUs.
    pub vcpus: u32,
    /// In mebibytes.
    pub memory_mib: u64,
    /// What it boots.
    pub image: Uuid,
    /// Its ports, in the order in which it sees them.
    pub ports: Vec<Uuid>,
    /// The host's name.
    pub host: String,
    /// The zone.
    pub zone: String,
    /// The rules that it was placed by.
    pub rules: Vec<AffinityConstraint>,
    /// `meta-data` of its NoCloud disk.
    pub meta_data: String,
    /// `network-config` of its NoCloud disk: as things were when it was made, because it is read at the first boot.
    pub network_config: String,
    /// `user-data` of its NoCloud disk, sealed.
    pub user_data: Option<Sealed>,
    /// Whether it shall run.
    pub on: bool,
    /// Raised when it shall start afresh.
    pub generation: u64,
    /// The keys of operations that took effect already, newest last.
    pub applied: Vec<Uuid>,
    /// Kept.
    pub metadata: Metadata,
}

/// An affinity or anti-affinity group; its members say so themselves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    /// For people.
    pub name: String,
    /// Together or apart.
    pub kind: AffinityKind,
    /// In what.
    pub scope: AffinityScope,
}

/// A compute flavour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Flavour {
    /// For people.
    pub name: String,
    /// Number of virtual CPUs.
    pub vcpus: u32,
    /// In mebibytes.
    pub memory_mib: u64,
    /// Kept.
    pub metadata: Metadata,
}

/// A network forwarding path.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Path {
    /// For people.
    pub name: String,
    /// Where its packets pass, in order: each place has the port that they come in by and, where it is another, the one that
    /// they go out by. As things were when it was made: a machine keeps its ports.
    pub places: Vec<Vec<Uuid>>,
    /// The class.
    pub rules: Vec<NfpRule>,
    /// Higher goes first.
    pub priority: u32,
    /// Its packets come from whoever is on the first port's network.
    #[serde(default)]
    pub from_network: bool,
    /// In one of these times; empty = always.
    #[serde(default)]
    pub schedule: Vec<Window>,
    /// Whether it holds.
    pub enabled: bool,
    /// Kept.
    pub metadata: Metadata,
}

/// A traffic rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rule(pub TrafficRuleData);

/// A software image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    /// For people.
    pub name: String,
    /// Who made it.
    pub provider: String,
    /// Its version.
    pub version: String,
    /// `kernel`, `qcow2` or `raw`.
    pub format: String,
    /// Appended to the kernel's command line; empty for disks.
    pub command_line: String,
    /// SHA-256 over the files' SHA-256s, in hexadecimal; names the folder of the files.
    pub checksum: String,
    /// In bytes.
    pub size: u64,
    /// Kept.
    pub metadata: Metadata,
}
