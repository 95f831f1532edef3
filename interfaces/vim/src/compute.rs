//! Virtualised compute resources (IFA 005 7.3.1, information elements 8.4.3).

use crate::{FlavourId, ImageId, Metadata, NetworkId, OperationalState, PortId, QueryFilter};
use manifold_call::{Subject, interface, uuid_id};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use utoipa::ToSchema;

uuid_id! {
    /// A virtualised compute resource.
    pub ComputeId
}
uuid_id! {
    /// An affinity or anti-affinity group.
    pub AffinityGroupId
}

interface! {
    /// Virtualised compute (IFA 005 7.3.1). Producer: VIM.
    pub trait VirtualisedCompute as BoundVirtualisedCompute by Vim {
        /// Makes a virtual machine and starts it; answers when it runs (it may still boot). Errors: `NotFound` (flavour, image,
        /// network or port), `Exhausted` (no host has room; says what was asked and what is left), `Conflict` (a port is taken;
        /// constraints contradict each other).
        async fn allocate(ask: AllocateCompute) -> VirtualCompute;
        /// The tenant's machines that match.
        async fn query(filter: QueryFilter) -> Vec<VirtualCompute>;
        /// Changes metadata, or adds interfaces to a stopped machine.
        async fn update(ask: UpdateCompute) -> VirtualCompute;
        /// Ends machines and gives back their implicit ports. Best effort for each: answers with those that are gone. An id that
        /// does not exist counts as gone.
        async fn terminate(ids: Vec<ComputeId>) -> Vec<ComputeId>;
        /// Starts, stops or reboots.
        async fn operate(ask: OperateCompute) -> VirtualCompute;
        /// Makes a group for constraints to refer to.
        async fn create_affinity_group(ask: CreateAffinityGroup) -> AffinityGroupId;
        /// Removes groups; `Conflict` while a machine is in one.
        async fn delete_affinity_groups(ids: Vec<AffinityGroupId>) -> Vec<AffinityGroupId>;
        /// The end of a machine's console log (ours).
        async fn console(id: ComputeId) -> String;
    }
}

/// What AllocateVirtualisedComputeResource takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AllocateCompute {
    /// Host name inside, too.
    pub compute_name: String,
    /// Size.
    pub compute_flavour_id: FlavourId,
    /// `None` = an empty virtualisation container.
    pub vc_image_id: Option<ImageId>,
    /// Interfaces, in the order in which the machine sees them.
    #[serde(default)]
    pub interface_data: Vec<VirtualInterfaceData>,
    /// Where it may stand with respect to others.
    #[serde(default)]
    pub affinity_or_anti_affinity_constraints: Vec<AffinityConstraint>,
    /// Zone and host that it must be in.
    #[serde(default)]
    pub location_constraints: Option<LocationConstraints>,
    /// For the machine's first boot.
    #[serde(default)]
    pub user_data: Option<UserData>,
    /// Kept.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub metadata: Metadata,
}

/// An interface to make: on a port that exists, or on a network (then a port is made with the machine, and goes with it).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VirtualInterfaceData {
    /// Exactly one of this …
    pub network_id: Option<NetworkId>,
    /// … and this.
    pub network_port_id: Option<PortId>,
    /// Wished addresses, with `network_id` only; empty = the VIM chooses.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub ip_address: Vec<IpAddr>,
    /// Wished MAC address, with `network_id` only.
    #[serde(default)]
    pub mac_address: Option<String>,
}

/// Where a machine must be. Ours where IFA 005 says only "location constraints".
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LocationConstraints {
    /// In this resource zone.
    pub zone_id: Option<String>,
    /// On this host: what a grant decided.
    pub host_id: Option<String>,
}

/// First-boot data (IFA 005 UserData). Its content may hold secrets: it is sealed in the store and printed nowhere.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserData {
    /// What cloud-init reads as user-data.
    pub content: String,
    /// How it reaches the machine.
    pub method: UserDataMethod,
}

impl std::fmt::Debug for UserData {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserData")
            .field("content", &"***")
            .field("method", &self.method)
            .finish()
    }
}

/// How user data reaches a machine. The embedded infrastructure offers NoCloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UserDataMethod {
    /// A disk labelled CIDATA.
    NoCloud,
    /// A disk labelled config-2.
    ConfigDrivePlaintext,
    /// The same, as MIME parts.
    ConfigDriveMimeMultipart,
    /// An HTTP service at a link-local address.
    MetadataService,
}

/// A placement rule (IFA 005 8.4.8).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AffinityConstraint {
    /// Together or apart.
    #[serde(rename = "type")]
    pub kind: AffinityKind,
    /// What they share or do not share.
    pub scope: AffinityScope,
    /// Exactly one of: these resources …
    #[serde(default)]
    pub affinity_or_anti_affinity_resource_list: Vec<ComputeId>,
    /// … or the members of this group; the new resource joins it.
    #[serde(default)]
    pub affinity_or_anti_affinity_resource_group_id: Option<AffinityGroupId>,
}

/// Together or apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AffinityKind {
    /// In the same.
    Affinity,
    /// In different ones.
    AntiAffinity,
}

/// What a placement rule speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AffinityScope {
    /// A host.
    NfviNode,
    /// A resource zone.
    Zone,
    /// An NFVI-PoP.
    NfviPop,
}

/// CreateComputeResourceAffinityOrAntiAffinityConstraintsGroup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreateAffinityGroup {
    /// For people.
    pub group_name: String,
    /// Together or apart.
    #[serde(rename = "type")]
    pub kind: AffinityKind,
    /// What they share or do not share.
    pub scope: AffinityScope,
}

/// A virtual machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VirtualCompute {
    /// Identifier.
    pub compute_id: ComputeId,
    /// Name.
    pub compute_name: String,
    /// Size.
    pub flavour_id: FlavourId,
    /// What it boots.
    pub vc_image_id: Option<ImageId>,
    /// Number of virtual CPUs.
    pub virtual_cpu: u32,
    /// In mebibytes.
    pub virtual_memory: u64,
    /// In the order in which the machine sees them.
    pub virtual_network_interface: Vec<VirtualNetworkInterface>,
    /// The zone that it is in.
    pub zone_id: String,
    /// The host that it is on.
    pub host_id: String,
    /// Whether it is as wished.
    pub operational_state: OperationalState,
    /// What it does now.
    pub running_state: RunningState,
    /// Why it is not as wished, when it is not (ours).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// Kept.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub metadata: Metadata,
}

/// What a machine does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum RunningState {
    /// Runs.
    Running,
    /// Stopped as wished.
    Stopped,
    /// Ended although it should run.
    Crashed,
    /// The infrastructure has not told yet.
    Unknown,
}

/// A machine's interface.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VirtualNetworkInterface {
    /// The port's identifier.
    pub resource_id: PortId,
    /// The machine.
    pub owner_id: ComputeId,
    /// The network.
    pub network_id: NetworkId,
    /// The port.
    pub network_port_id: PortId,
    /// Addresses.
    #[schema(value_type = Vec<String>)]
    pub ip_address: Vec<IpAddr>,
    /// MAC address.
    pub mac_address: String,
    /// In bits per second; 0 = no limit.
    pub bandwidth: u64,
    /// Whether it works.
    pub operational_state: OperationalState,
    /// The infrastructure provider network that it reaches, if its network is realised by one (ours for Enh632.004 of
    /// GR NFV-IFA 043).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_network: Option<String>,
}

/// UpdateVirtualisedComputeResource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateCompute {
    /// Which.
    pub compute_id: ComputeId,
    /// Interfaces to add.
    #[serde(default)]
    pub network_interface_new: Vec<VirtualInterfaceData>,
    /// Replaces the metadata when given.
    #[serde(default)]
    pub metadata: Option<Metadata>,
}

/// OperateVirtualisedComputeResource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OperateCompute {
    /// Which.
    pub compute_id: ComputeId,
    /// What to do with it.
    pub compute_operation: ComputeOperation,
}

/// What can be done with a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ComputeOperation {
    /// Start a stopped or crashed one.
    Start,
    /// Stop it; ports and disk stay.
    Stop,
    /// Start afresh.
    Reboot,
}

impl Subject for AllocateCompute {
    fn subject(&self) -> String {
        self.compute_name.clone()
    }
}
impl Subject for UpdateCompute {
    fn subject(&self) -> String {
        self.compute_id.to_string()
    }
}
impl Subject for OperateCompute {
    fn subject(&self) -> String {
        self.compute_id.to_string()
    }
}
impl Subject for CreateAffinityGroup {
    fn subject(&self) -> String {
        self.group_name.clone()
    }
}
