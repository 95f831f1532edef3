//! The network service descriptor (IFA 014, SOL001 clause 7).
//!
//! ```text
//! Nsd ─┬─< VnfProfile ──> Vnfd (by descriptor id)    ┐
//!      ├─< PnfProfile ──> Pnfd (by descriptor id)    ├─< CpConnectivity ──> NsVirtualLink
//!      ├─< NsProfile  ──> Nsd  (by descriptor id)    ┘
//!      ├─< NsVirtualLink <── Sap
//!      └─< Vnffg, NsScalingAspect, NsLevel, AffinityRule
//! ```
//! Profiles, links and SAPs are called by the names of their node templates.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::diagnostic::Place;
use crate::link::{AffinityRule, Bitrate, ConnectivityType, L2ProtocolData, L3ProtocolData, LayerProtocol};

pub use traffic::{NfpClassifier, NfpRule, PortRange, TrafficAction, TrafficRule, Window};

pub(crate) mod against;
pub(crate) mod flat;
mod levels;
pub(crate) mod read;
pub mod traffic;

/// A network service descriptor.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Nsd {
    /// `nsdId`: names this descriptor among all.
    pub descriptor_id: String,
    /// Name for people.
    pub name: String,
    /// Who designed it.
    pub designer: String,
    /// Version.
    pub version: String,
    /// `nsdInvariantId`: the same over all versions.
    pub invariant_id: String,
    /// The one NS deployment flavour of the topology.
    pub flavour_id: String,
    /// VNFs.
    pub vnf_profiles: Vec<VnfProfile>,
    /// Physical functions.
    pub pnf_profiles: Vec<PnfProfile>,
    /// Nested network services.
    pub nested_ns_profiles: Vec<NsProfile>,
    /// Virtual links.
    pub virtual_links: Vec<NsVirtualLink>,
    /// Service access points.
    pub saps: Vec<Sap>,
    /// Forwarding graphs.
    pub vnffgs: Vec<Vnffg>,
    /// Aspects by id.
    pub scaling_aspects: BTreeMap<String, NsScalingAspect>,
    /// Levels by id.
    pub instantiation_levels: BTreeMap<String, NsLevel>,
    /// The level taken when none is asked for.
    pub default_instantiation_level: Option<String>,
    /// Affinity and anti-affinity rules, groups already spelled out into their members.
    pub affinity_rules: Vec<AffinityRule>,
    /// What happens to packets (`manifold.policies.Traffic`, an extension of ours).
    #[serde(default)]
    pub traffic_rules: Vec<TrafficRule>,
    /// Where profiles shall go, as far as the descriptor says so (`manifold.policies.Location`, an extension of ours).
    pub location_constraints: Vec<LocationConstraint>,
    /// Where the NS node stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// A VNF as the service uses it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VnfProfile {
    /// `vnfProfileId`: the name of the node template.
    pub id: String,
    /// `vnfdId`.
    pub vnfd_id: String,
    /// Provider, as the NSD states it; empty: it does not.
    #[serde(default)]
    pub provider: String,
    /// Product, as the NSD states it; empty: it does not.
    #[serde(default)]
    pub product_name: String,
    /// Deployment flavour.
    pub flavour_id: String,
    /// Instantiation level; `None`: the flavour's default.
    pub instantiation_level: Option<String>,
    /// Fewest instances.
    pub min_number_of_instances: u32,
    /// Most instances.
    pub max_number_of_instances: u32,
    /// What is connected to what.
    pub connectivity: Vec<CpConnectivity>,
    /// Where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// A physical function as the service uses it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PnfProfile {
    /// `pnfProfileId`: the name of the node template.
    pub id: String,
    /// `pnfdId`.
    pub pnfd_id: String,
    /// Name for people.
    pub name: String,
    /// What is connected to what.
    pub connectivity: Vec<CpConnectivity>,
    /// Where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// A nested network service.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NsProfile {
    /// `nsProfileId`: the name of the node template.
    pub id: String,
    /// `nsdId`.
    pub nsd_id: String,
    /// Flavour.
    pub flavour_id: String,
    /// What is connected to what.
    pub connectivity: Vec<CpConnectivity>,
    /// Where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// One connection of a constituent to a virtual link.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CpConnectivity {
    /// The constituent's external connection point, by the name of the requirement. Resolve it with
    /// [`DeploymentFlavour::ext_cpd`](crate::vnfd::DeploymentFlavour::ext_cpd).
    pub cpd: String,
    /// The NS virtual link.
    pub virtual_link: String,
    /// Where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// A virtual link of the network service.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NsVirtualLink {
    /// `nsVirtualLinkDescId`: the name of the node template.
    pub id: String,
    /// Description for people.
    pub description: String,
    /// Protocols and shape.
    pub connectivity_type: ConnectivityType,
    /// Layer 2 properties, where stated; [`L2ProtocolData::provider_network`] says whether it is a provider network.
    pub l2: Option<L2ProtocolData>,
    /// Subnets.
    pub l3: Vec<L3ProtocolData>,
    /// Most bits per second.
    pub max_bitrate: Bitrate,
    /// Bits per second that are promised.
    pub min_bitrate: Bitrate,
    /// Service availability level, where stated.
    pub service_availability_level: Option<u32>,
    /// Quality of service, where stated.
    pub qos: Option<Qos>,
    /// Where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// Quality of service of a virtual link.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Qos {
    /// Most latency in microseconds.
    pub latency_us: Option<u64>,
    /// Most variation of the delay in microseconds.
    pub packet_delay_variation_us: Option<u64>,
    /// Most loss, 0 to 1.
    pub packet_loss_ratio: Option<f64>,
    /// Priority, where stated.
    pub priority: Option<u32>,
}

/// A service access point.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sap {
    /// `sapdId`: the name of the node template.
    pub id: String,
    /// Description for people.
    pub description: String,
    /// Protocols spoken.
    pub layer_protocols: Vec<LayerProtocol>,
    /// The NS virtual link behind it.
    pub virtual_link: Option<String>,
    /// The requirement of the NS's node type that is mapped to it, where one is.
    pub requirement: Option<String>,
    /// Where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// A forwarding graph: its paths and its constituents.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Vnffg {
    /// `vnffgdId`: the name of the group.
    pub id: String,
    /// Constituent VNF, PNF and nested NS profiles.
    pub profiles: Vec<String>,
    /// Constituent virtual links.
    pub virtual_links: Vec<String>,
    /// Forwarding paths, each a sequence of positions: (profile or SAP, connection points).
    pub paths: Vec<Nfp>,
    /// Where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// A network forwarding path.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Nfp {
    /// The name of the node template.
    pub id: String,
    /// Names of the positions' elements in order.
    pub positions: Vec<String>,
    /// What stands at them, in the same order, as far as the descriptor says.
    #[serde(default)]
    pub elements: Vec<NfpElement>,
    /// Which packets take it: those that fit one. Empty: all.
    #[serde(default)]
    pub rules: Vec<NfpRule>,
}

/// What stands at a position of a path.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NfpElement {
    /// The name of the node template.
    pub id: String,
    /// A VNF, PNF or NS profile, or a SAP.
    pub profile: String,
    /// The connection point that packets go in by; `None`: the only one that fits.
    pub ingress: Option<String>,
    /// The one that they come out by; `None`: the same, or the only other one.
    pub egress: Option<String>,
    /// Where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// A scaling aspect of the network service.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NsScalingAspect {
    /// Name for people.
    pub name: String,
    /// Description for people.
    pub description: String,
    /// For each scale level: how many instances of each VNF profile.
    pub levels: BTreeMap<u32, BTreeMap<String, u32>>,
}

/// A level at which the service can be instantiated.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NsLevel {
    /// Description for people.
    pub description: String,
    /// How many instances of each VNF profile; a profile that is not named has its least number.
    pub vnf_instances: BTreeMap<String, u32>,
}

/// Where a profile shall go. An extension of ours: `manifold.policies.Location`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LocationConstraint {
    /// The profile.
    pub profile: String,
    /// NFVI-PoP, by the name that the operator gave it.
    pub nfvi_pop: Option<String>,
    /// Resource zone in it.
    pub zone: Option<String>,
}

impl Nsd {
    /// The virtual link of that id.
    pub fn virtual_link(&self, id: &str) -> Option<&NsVirtualLink> {
        self.virtual_links.iter().find(|link| link.id == id)
    }

    /// The VNF profile of that id.
    pub fn vnf_profile(&self, id: &str) -> Option<&VnfProfile> {
        self.vnf_profiles.iter().find(|profile| profile.id == id)
    }

    /// How many instances of a profile a level asks for (the default level for `None`; the profile's least number where the
    /// descriptor states nothing).
    pub fn instances_at(&self, profile: &VnfProfile, level: Option<&str>) -> u32 {
        level
            .or(self.default_instantiation_level.as_deref())
            .and_then(|id| self.instantiation_levels.get(id))
            .and_then(|level| level.vnf_instances.get(&profile.id).copied())
            .unwrap_or(profile.min_number_of_instances)
    }
}
