//! Network forwarding paths (IFA 005 7.10 and 8.4.7): who is of a class passes these ports in this order.

use crate::{Metadata, OperationalState, PortId, QueryFilter, Window};
use ipnet::IpNet;
use manifold_call::{Subject, interface, uuid_id};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

uuid_id! {
    /// A network forwarding path.
    pub NfpId
}

interface! {
    /// Network forwarding paths (IFA 005 7.10). Producer: VIM.
    ///
    /// A path uses its ports: a port that a path uses, and a machine that brought such a port along, cannot be terminated.
    pub trait NetworkForwardingPaths as BoundNetworkForwardingPaths by Vim {
        /// Makes a path; it holds when this answers. Errors: `NotFound` (a port), `Invalid` (two ports in a row that are neither
        /// one machine's nor in one network; a rule that fits no packet), `Conflict` (a port of a function is on no machine; at a
        /// port the same class takes another path already: names both).
        async fn create(ask: CreateNfp) -> Nfp;
        /// The tenant's paths that match.
        async fn query(filter: QueryFilter) -> Vec<Nfp>;
        /// Gives a path other rules, or (ours) other ports, without a moment in which neither holds.
        async fn update(ask: UpdateNfp) -> Nfp;
        /// Ends paths: their packets go where they are addressed to. Answers with those that are gone; absent counts as gone.
        async fn delete(ids: Vec<NfpId>) -> Vec<NfpId>;
        /// Lets paths hold, or not, without forgetting them. Answers with those that are so now.
        async fn change_state(ask: ChangeNfpState) -> Vec<NfpId>;
    }
}

/// CreateNfp.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreateNfp {
    /// For people (ours).
    #[serde(default)]
    pub nfp_name: String,
    /// The ports in the order in which they are passed, 1 to 64, none of them twice: where the packets come from, each
    /// function's port that they go in by and the one that they come out by, and where they go to. A function with one port
    /// stands there once. The last one may be a function's way out: then its packets go where they are addressed to.
    pub virtual_network_port: Vec<PortId>,
    /// How many ports; `None` or that many.
    #[serde(default)]
    pub total_vnp: Option<u32>,
    /// The class: who fits one of these (IFA 005 has one). None = every packet.
    #[serde(default)]
    pub nfp_rule: Vec<NfpRule>,
    /// The path begins at a function, whose way in is the first port: who is on that network, besides what the path passes, is
    /// where the packets come from, whoever is plugged in later, too (ours). Not what routers and gateways bring there.
    #[serde(default)]
    pub from_network: bool,
    /// Of two paths that fit a packet, the one with the higher number counts (ours).
    #[serde(default)]
    pub priority: u32,
    /// In one of these times; empty = always (ours).
    #[serde(default)]
    pub schedule: Vec<Window>,
    /// Kept.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub metadata: Metadata,
}

/// What a packet must have (IFA 005 8.4.7.3, as SOL001 spells it); what is not said may be anything. At least one of its
/// attributes is said in what IFA 005 speaks of; we take one that says nothing for every packet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct NfpRule {
    /// The frame's destination.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ether_destination_address: Option<String>,
    /// The frame's source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ether_source_address: Option<String>,
    /// Above 1,535.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ether_type: Option<u16>,
    /// 1 to 4,094.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vlan_tag: Option<u16>,
    /// The IP protocol's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<u8>,
    /// 0 to 63.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dscp: Option<u8>,
    /// Of TCP, UDP or SCTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_port_range: Option<PortRange>,
    /// Of TCP, UDP or SCTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination_port_range: Option<PortRange>,
    /// Source address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub source_ip_address_prefix: Option<IpNet>,
    /// Destination address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub destination_ip_address_prefix: Option<IpNet>,
}

/// Ports of TCP, UDP or SCTP, first and last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PortRange {
    /// The first.
    pub lower: u16,
    /// The last.
    pub upper: u16,
}

/// Whether a path holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum NfpState {
    /// It does.
    Enabled,
    /// It does not: packets go where they are addressed to.
    Disabled,
}

/// A path.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Nfp {
    /// Identifier.
    pub nfp_id: NfpId,
    /// Name (ours).
    pub nfp_name: String,
    /// See [`CreateNfp::virtual_network_port`].
    pub virtual_network_port: Vec<PortId>,
    /// How many they are.
    pub total_vnp: u32,
    /// The class.
    pub nfp_rule: Vec<NfpRule>,
    /// See [`CreateNfp::from_network`].
    #[serde(default)]
    pub from_network: bool,
    /// See [`CreateNfp::priority`].
    pub priority: u32,
    /// See [`CreateNfp::schedule`].
    #[serde(default)]
    pub schedule: Vec<Window>,
    /// Whether it shall hold.
    pub nfp_state: NfpState,
    /// Whether everything is as wished (ours).
    pub operational_state: OperationalState,
    /// Kept.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub metadata: Metadata,
}

/// UpdateNfp. What is absent stays as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateNfp {
    /// Which.
    pub nfp_id: NfpId,
    /// The class from now on.
    #[serde(default)]
    pub nfp_rule: Option<Vec<NfpRule>>,
    /// The ports from now on (ours).
    #[serde(default)]
    pub virtual_network_port: Option<Vec<PortId>>,
}

/// ChangeNfpState.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangeNfpState {
    /// Which.
    #[schema(value_type = Vec<String>)]
    pub nfp_id: Vec<NfpId>,
    /// What they shall be.
    pub desired_state: NfpState,
}

impl Subject for CreateNfp {
    fn subject(&self) -> String {
        self.nfp_name.clone()
    }
}
impl Subject for UpdateNfp {
    fn subject(&self) -> String {
        self.nfp_id.to_string()
    }
}
impl Subject for ChangeNfpState {
    fn subject(&self) -> String {
        let ids: Vec<String> = self.nfp_id.iter().map(NfpId::to_string).collect();
        ids.join(" ")
    }
}
