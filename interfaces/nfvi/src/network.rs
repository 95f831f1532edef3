use crate::{ObjectId, Traffic};
use ipnet::{IpNet, Ipv4Net};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

/// A virtual network's presence on one node: a bridge, and how it reaches the network's other nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SegmentWish {
    /// Where it stands.
    pub node: ObjectId,
    /// The MTU of what is plugged in, in bytes; the same on every node of the network. The underlay carries 50 (IPv4) or 70
    /// (IPv6) bytes more.
    pub mtu_bytes: u32,
    /// How frames reach the other nodes; `None` for a network that lives on this node alone.
    pub transport: Option<Transport>,
    /// DHCPv4 on this node for the ports of the segment, with fixed leases; `None` = no DHCP.
    pub dhcp: Option<DhcpWish>,
}

/// How the parts of a virtual network on several nodes are joined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "transport")]
pub enum Transport {
    /// VXLAN (RFC 7348) with the peers as static flood entries, no multicast.
    Vxlan {
        /// 1 to 16,777,215.
        vni: u32,
        /// This node's tunnel address; must be on one of its cables.
        local: IpAddr,
        /// The other nodes' tunnel addresses.
        peers: Vec<IpAddr>,
    },
    /// The bridge takes in this cable's end: the network is a provider network.
    Provider {
        /// A cable that ends in this node.
        cable: ObjectId,
    },
}

/// DHCPv4 for one segment. The server has no address of its own in the network but answers as `server`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DhcpWish {
    /// The subnet.
    pub subnet: Ipv4Net,
    /// The server identifier that answers carry: usually the gateway's address.
    pub server: Ipv4Addr,
    /// The default router that leases carry.
    pub gateway: Option<Ipv4Addr>,
    /// In seconds.
    pub lease_s: u32,
}

/// A plug on a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PortWish {
    /// The segment that it is plugged into; fixes the node.
    pub segment: ObjectId,
    /// What hangs on it.
    pub plug: Plug,
    /// The address that frames from here carry.
    pub mac: MacAddr,
    /// The addresses that packets from here may carry. IPv4 ones get a fixed DHCP lease where the segment has DHCP.
    pub addresses: Vec<IpAddr>,
    /// Drop whatever claims another MAC or IP address (RFC 2827 at the edge). Off only for machines that route.
    pub anti_spoofing: bool,
    /// Limit towards and from what is plugged in, in bits per second each; `None` = no limit.
    pub rate_bits_per_second: Option<u64>,
    /// What else happens to its packets.
    #[serde(default)]
    pub traffic: Traffic,
}

/// What hangs on a port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "plug")]
pub enum Plug {
    /// A tap, for a [`crate::MachineWish`] to open. It exists, and its rules hold, before the machine does.
    Tap,
    /// An interface inside another node, made there with the port's MAC and addresses.
    Node {
        /// The node.
        node: ObjectId,
        /// The interface's name there: at most 15 bytes.
        interface: String,
        /// The subnets' prefix lengths go with the addresses here.
        addresses: Vec<IpNet>,
        /// The default router, if any.
        gateway: Option<IpAddr>,
    },
}

/// Forwards between the segments that it names, with an address in each: a namespace of its own on the segments' node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RouterWish {
    /// All on one node.
    pub legs: Vec<RouterLeg>,
}

/// A router's plug in one segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RouterLeg {
    /// The segment.
    pub segment: ObjectId,
    /// The router's MAC there.
    pub mac: MacAddr,
    /// The router's addresses there: the gateways of the subnets.
    pub addresses: Vec<IpNet>,
}

/// A WAN service's end at a gateway: joins the gateway's segment of a virtual network to the same service's other ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StitchWish {
    /// The gateway's segment of the virtual network.
    pub segment: ObjectId,
    /// The service's segment identifier on the WAN: 1 to 16,777,215.
    pub wan_vni: u32,
    /// The gateway's address on the WAN.
    pub local: IpAddr,
    /// The other ends' addresses on the WAN.
    pub peers: Vec<IpAddr>,
    /// Limit into the WAN, in bits per second; `None` = no limit.
    pub rate_bits_per_second: Option<u64>,
}

/// An Ethernet address, written `52:54:00:12:34:56`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MacAddr(pub [u8; 6]);

impl MacAddr {
    /// The locally administered unicast address that an object's id always gives (IEEE 802 9.2).
    pub fn of(id: ObjectId) -> Self {
        let bytes = id.0.as_bytes();
        // Versions 5 and 7 of UUIDs both end in 62 bits that differ between objects.
        MacAddr([0x02, bytes[11], bytes[12], bytes[13], bytes[14], bytes[15]])
    }
}

impl fmt::Display for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a text is no Ethernet address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no Ethernet address (six hexadecimal bytes with colons between)")]
pub struct NotAMac(pub String);

impl FromStr for MacAddr {
    type Err = NotAMac;
    fn from_str(text: &str) -> Result<Self, NotAMac> {
        let refuse = || NotAMac(text.to_owned());
        let mut bytes = [0; 6];
        let mut parts = text.split(':');
        for byte in &mut bytes {
            let part = parts.next().filter(|part| part.len() == 2).ok_or_else(refuse)?;
            *byte = u8::from_str_radix(part, 16).map_err(|_| refuse())?;
        }
        if parts.next().is_some() {
            Err(refuse())
        } else {
            Ok(MacAddr(bytes))
        }
    }
}

impl Serialize for MacAddr {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MacAddr {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}
