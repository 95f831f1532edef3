//! What happens to the packets of a port besides being carried: rules, and the hops of forwarding paths. Part of a port's wish, so
//! that a change of them is a port ensured again: nothing else moves.

use crate::MacAddr;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A port's rules and hops.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Traffic {
    /// At most 128. Among those that block, allow and limit, the first that matches decides; higher priority goes first, and of
    /// equal ones the earlier. Of those that give a precedence, so does the first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<TrafficRule>,
    /// At most 128: what of this port's frames goes to another port than they are addressed to. The first that matches counts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hops: Vec<PathHop>,
}

/// What happens to the packets of a class at a port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrafficRule {
    /// Higher goes first.
    pub priority: u32,
    /// Of which packets.
    pub direction: TrafficDirection,
    /// The class.
    pub classifier: Classifier,
    /// What happens.
    pub action: TrafficAction,
    /// In one of these times; empty = always.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<Window>,
}

/// Seen from what is plugged into the port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum TrafficDirection {
    /// What it sends.
    From,
    /// What it is sent.
    Towards,
    /// Both.
    Both,
}

impl TrafficDirection {
    /// Whether packets that it sends are meant.
    pub fn is_from(self) -> bool {
        self != TrafficDirection::Towards
    }

    /// Whether packets that it is sent are meant.
    pub fn is_towards(self) -> bool {
        self != TrafficDirection::From
    }
}

/// What happens to the packets of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", tag = "action")]
pub enum TrafficAction {
    /// They are dropped.
    Block,
    /// They pass, whatever a rule of lower priority says.
    Allow,
    /// At most so many of them pass; what is beyond is dropped. All of the rule's packets at the port share it, both directions
    /// together. After a pause they may be up to 1.1 seconds (at least 128 KiB) ahead.
    #[serde(rename_all = "camelCase")]
    Limit {
        /// At least 8,000.
        bits_per_second: u64,
    },
    /// Those that are sent towards the port leave its queue before those of lower precedence; without a rule it is 0. There is a
    /// queue only where the port has a limit. Not for packets that the port sends: they queue where they are going.
    Precedence {
        /// 0 (last) to 7 (first).
        level: u8,
    },
}

/// What a packet must have; what is not said may be anything. All that is said must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Classifier {
    /// Source address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub source: Option<IpNet>,
    /// Destination address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub destination: Option<IpNet>,
    /// The IP protocol's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<u8>,
    /// Of TCP, UDP or SCTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_ports: Option<PortRange>,
    /// Of TCP, UDP or SCTP. A fragment that is not a packet's first one has no ports, and so is of no class with ports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination_ports: Option<PortRange>,
    /// The frame's source.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub source_mac: Option<MacAddr>,
    /// The frame's destination.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub destination_mac: Option<MacAddr>,
    /// Above 1,535.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ether_type: Option<u16>,
    /// Differentiated services code point: 0 to 63.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dscp: Option<u8>,
    /// The identifier in the frame's VLAN tag: 1 to 4,094.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vlan: Option<u16>,
}

/// Ports, first and last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PortRange {
    /// The first.
    pub first: u16,
    /// The last.
    pub last: u16,
}

/// A time: on these days, between these hours, within these dates. In UTC. The kernel looks at its clock for each packet, so that
/// nothing has to happen when a window opens or closes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Window {
    /// Empty = every day.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<Weekday>,
    /// Seconds of the day, the first one that belongs to it; `None` = midnight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_s: Option<u32>,
    /// Seconds of the day, the first one that no longer belongs to it; `None` = midnight. A window over midnight is two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until_s: Option<u32>,
    /// Seconds since 1970, the first one that belongs to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<u64>,
    /// Seconds since 1970, the first one that no longer belongs to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_after: Option<u64>,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)] // they say what they are
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// A forwarding path's step out of this port. Only IP packets that are addressed to one interface take it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PathHop {
    /// Higher goes first.
    pub priority: u32,
    /// One of these must match; none = all packets.
    pub classifiers: Vec<Classifier>,
    /// Where they go: the frame is addressed to this interface instead, wherever in the network it is. `None` = where they are
    /// addressed to.
    pub next: Option<MacAddr>,
    /// In one of these times; empty = always. What is on its way through the functions when a time ends still comes out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<Window>,
    /// What is plugged in passes on what others sent: packets of the class may carry any source address. The frame's own source
    /// becomes the port's.
    pub foreign: bool,
}
