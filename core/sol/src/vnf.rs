//! VNF lifecycle management (SOL003 5.5).

use crate::wire::{wire, wire_enums};
use crate::{CancelModeType, CpProtocolData, CpProtocolInfo, ProblemDetails, ResourceHandle};

wire! {
    /// CreateVnfRequest (SOL003 5.5.2.3).
    pub struct CreateVnfRequest {
        /// Which descriptor.
        pub vnfd_id: String,
        /// For people.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub vnf_instance_name: Option<String>,
        /// In words.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub vnf_instance_description: Option<String>,
        /// Kept.
        #[serde(default, skip_serializing_if = "crate::KeyValues::is_empty")]
        pub metadata: std::collections::BTreeMap<String, serde_json::Value>,
    }
    /// InstantiateVnfRequest (SOL003 5.5.2.4).
    pub struct InstantiateVnfRequest {
        /// Deployment flavour.
        pub flavour_id: String,
        /// Level; absent = the flavour's default.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub instantiation_level_id: Option<String>,
        /// Networks outside the VNF to connect to.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub ext_virtual_links: Vec<ExtVirtualLinkData>,
        /// The managers to use: by connection id.
        #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
        pub vim_connection_info: std::collections::BTreeMap<String, VimConnectionInfo>,
        /// For the VNF.
        #[serde(default, skip_serializing_if = "crate::KeyValues::is_empty")]
        pub additional_params: std::collections::BTreeMap<String, serde_json::Value>,
    }
    /// ExtVirtualLinkData (SOL003 4.4.1.11).
    pub struct ExtVirtualLinkData {
        /// The consumer's name of the link.
        pub id: String,
        /// The manager.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub vim_connection_id: Option<String>,
        /// The network.
        pub resource_id: String,
        /// The external connection points on it.
        pub ext_cps: Vec<VnfExtCpData>,
    }
    /// VnfExtCpData (SOL003 4.4.1.10).
    pub struct VnfExtCpData {
        /// Which external connection point descriptor.
        pub cpd_id: String,
        /// By configuration id.
        pub cp_config: std::collections::BTreeMap<String, VnfExtCpConfig>,
    }
    /// VnfExtCpConfig (SOL003 4.4.1.10a).
    pub struct VnfExtCpConfig {
        /// Addresses.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub cp_protocol_data: Vec<CpProtocolData>,
    }
    /// VimConnectionInfo (SOL003 4.4.1.6). Access information is a secret and is not kept here.
    pub struct VimConnectionInfo {
        /// The manager.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub vim_id: Option<String>,
        /// `MANIFOLD.VIM.V_1` for our own.
        pub vim_type: String,
    }
    /// ScaleVnfRequest (SOL003 5.5.2.5).
    pub struct ScaleVnfRequest {
        /// Out or in.
        #[serde(rename = "type")]
        pub kind: ScaleType,
        /// Which aspect.
        pub aspect_id: String,
        /// How many steps; absent = 1.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub number_of_steps: Option<u32>,
        /// For the VNF.
        #[serde(default, skip_serializing_if = "crate::KeyValues::is_empty")]
        pub additional_params: std::collections::BTreeMap<String, serde_json::Value>,
    }
    /// HealVnfRequest (SOL003 5.5.2.9).
    pub struct HealVnfRequest {
        /// Which VNFC instances; empty = every one that is not well.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub vnfc_instance_id: Vec<String>,
        /// Why.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub cause: Option<String>,
        /// For the VNF.
        #[serde(default, skip_serializing_if = "crate::KeyValues::is_empty")]
        pub additional_params: std::collections::BTreeMap<String, serde_json::Value>,
    }
    /// ChangeExtVnfConnectivityRequest (SOL003 5.5.2.11).
    pub struct ChangeExtVnfConnectivityRequest {
        /// Networks to connect to, with the external connection points that shall be on them from now on. Connection points that are
        /// not named stay where they are.
        pub ext_virtual_links: Vec<ExtVirtualLinkData>,
        /// The managers to use: by connection id.
        #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
        pub vim_connection_info: std::collections::BTreeMap<String, VimConnectionInfo>,
        /// For the VNF.
        #[serde(default, skip_serializing_if = "crate::KeyValues::is_empty")]
        pub additional_params: std::collections::BTreeMap<String, serde_json::Value>,
    }
    /// TerminateVnfRequest (SOL003 5.5.2.8).
    pub struct TerminateVnfRequest {
        /// How.
        pub termination_type: CancelModeType,
        /// In seconds, for a graceful one.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub graceful_termination_timeout: Option<u32>,
    }
    /// VnfInstance (SOL003 5.5.2.2).
    pub struct VnfInstance {
        /// Identifier.
        pub id: String,
        /// For people.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub vnf_instance_name: Option<String>,
        /// In words.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub vnf_instance_description: Option<String>,
        /// Descriptor.
        pub vnfd_id: String,
        /// From the descriptor.
        pub vnf_provider: String,
        /// From the descriptor.
        pub vnf_product_name: String,
        /// From the descriptor.
        pub vnf_software_version: String,
        /// From the descriptor.
        pub vnfd_version: String,
        /// The managers in use.
        #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
        pub vim_connection_info: std::collections::BTreeMap<String, VimConnectionInfo>,
        /// Whether it has resources.
        pub instantiation_state: InstantiationState,
        /// With resources only.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub instantiated_vnf_info: Option<InstantiatedVnfInfo>,
        /// Kept.
        #[serde(default, skip_serializing_if = "crate::KeyValues::is_empty")]
        pub metadata: std::collections::BTreeMap<String, serde_json::Value>,
    }
    /// VnfInstance.instantiatedVnfInfo.
    pub struct InstantiatedVnfInfo {
        /// Deployment flavour.
        pub flavour_id: String,
        /// Started or stopped.
        pub vnf_state: VnfState,
        /// Levels now.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub scale_status: Vec<ScaleInfo>,
        /// Levels at most.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub max_scale_levels: Vec<ScaleInfo>,
        /// External connection points.
        #[serde(default)]
        pub ext_cp_info: Vec<VnfExtCpInfo>,
        /// External links.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub ext_virtual_link_info: Vec<ExtVirtualLinkInfo>,
        /// Machines.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub vnfc_resource_info: Vec<VnfcResourceInfo>,
        /// Networks inside.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub vnf_virtual_link_resource_info: Vec<VnfVirtualLinkResourceInfo>,
        /// VNFC instances by their descriptors.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub vnfc_info: Vec<VnfcInfo>,
    }
    /// ScaleInfo (SOL003 4.4.1.15).
    pub struct ScaleInfo {
        /// Aspect.
        pub aspect_id: String,
        /// Level, from 0.
        pub scale_level: u32,
    }
    /// VnfExtCpInfo (SOL003 5.5.3.16).
    pub struct VnfExtCpInfo {
        /// Identifier.
        pub id: String,
        /// Descriptor.
        pub cpd_id: String,
        /// The configuration that it came from.
        pub cp_config_id: String,
        /// Addresses.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub cp_protocol_info: Vec<CpProtocolInfo>,
        /// The port of the external link.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub ext_link_port_id: Option<String>,
        /// The VNFC connection point that it is exposed by.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub associated_vnfc_cp_id: Option<String>,
    }
    /// ExtVirtualLinkInfo.
    pub struct ExtVirtualLinkInfo {
        /// The consumer's name.
        pub id: String,
        /// The network.
        pub resource_handle: ResourceHandle,
        /// Ports on it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub ext_link_ports: Vec<ExtLinkPortInfo>,
        /// As it was asked for.
        #[serde(default)]
        pub current_vnf_ext_cp_data: Vec<VnfExtCpData>,
    }
    /// ExtLinkPortInfo.
    pub struct ExtLinkPortInfo {
        /// Identifier.
        pub id: String,
        /// The port.
        pub resource_handle: ResourceHandle,
        /// The external connection point on it.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub cp_instance_id: Option<String>,
    }
    /// VnfcResourceInfo (SOL003 5.5.3.5).
    pub struct VnfcResourceInfo {
        /// Identifier of the VNFC instance.
        pub id: String,
        /// Descriptor.
        pub vdu_id: String,
        /// The machine.
        pub compute_resource: ResourceHandle,
        /// The zone that it was granted.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub zone_id: Option<String>,
        /// Its connection points.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub vnfc_cp_info: Vec<VnfcCpInfo>,
        /// Kept: `name`, `host`.
        #[serde(default, skip_serializing_if = "crate::KeyValues::is_empty")]
        pub metadata: std::collections::BTreeMap<String, serde_json::Value>,
    }
    /// VnfcCpInfo.
    pub struct VnfcCpInfo {
        /// Identifier.
        pub id: String,
        /// Descriptor.
        pub cpd_id: String,
        /// The external connection point that it exposes.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub vnf_ext_cp_id: Option<String>,
        /// Addresses.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub cp_protocol_info: Vec<CpProtocolInfo>,
        /// The port of the internal link.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub vnf_link_port_id: Option<String>,
    }
    /// VnfVirtualLinkResourceInfo (SOL003 5.5.3.6).
    pub struct VnfVirtualLinkResourceInfo {
        /// Identifier.
        pub id: String,
        /// Descriptor.
        pub vnf_virtual_link_desc_id: String,
        /// The network.
        pub network_resource: ResourceHandle,
        /// Ports on it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub vnf_link_ports: Vec<VnfLinkPortInfo>,
    }
    /// VnfLinkPortInfo.
    pub struct VnfLinkPortInfo {
        /// Identifier.
        pub id: String,
        /// The port.
        pub resource_handle: ResourceHandle,
        /// The connection point on it.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub cp_instance_id: Option<String>,
    }
    /// VnfcInfo (SOL003 5.5.3.21).
    pub struct VnfcInfo {
        /// Identifier.
        pub id: String,
        /// Descriptor.
        pub vdu_id: String,
        /// Its resources.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub vnfc_resource_info_id: Option<String>,
        /// Started or stopped.
        pub vnfc_state: VnfState,
    }
    /// VnfLcmOpOcc (SOL003 5.5.2.13).
    pub struct VnfLcmOpOcc {
        /// Identifier.
        pub id: String,
        /// State.
        pub operation_state: LcmOperationState,
        /// Since when.
        pub state_entered_time: String,
        /// Since when the operation is.
        pub start_time: String,
        /// Of which VNF.
        pub vnf_instance_id: String,
        /// The grant that it used.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub grant_id: Option<String>,
        /// What.
        pub operation: VnfLcmOperation,
        /// Whether the VNFM began it by itself.
        pub is_automatic_invocation: bool,
        /// The request.
        pub operation_params: serde_json::Value,
        /// Whether a cancel waits.
        pub is_cancel_pending: bool,
        /// How it will be cancelled.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub cancel_mode: Option<CancelModeType>,
        /// Why it failed.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub error: Option<ProblemDetails>,
        /// What became of resources.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub resource_changes: Option<ResourceChanges>,
    }
    /// VnfLcmOpOcc.resourceChanges.
    pub struct ResourceChanges {
        /// Machines.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub affected_vnfcs: Vec<AffectedVnfc>,
        /// Networks.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub affected_virtual_links: Vec<AffectedVirtualLink>,
    }
    /// AffectedVnfc (SOL003 5.5.3.13).
    pub struct AffectedVnfc {
        /// VNFC instance.
        pub id: String,
        /// Descriptor.
        pub vdu_id: String,
        /// What became of it.
        pub change_type: ChangeType,
        /// The machine.
        pub compute_resource: ResourceHandle,
    }
    /// AffectedVirtualLink (SOL003 5.5.3.14).
    pub struct AffectedVirtualLink {
        /// Instance.
        pub id: String,
        /// Descriptor.
        pub vnf_virtual_link_desc_id: String,
        /// What became of it.
        pub change_type: ChangeType,
        /// The network.
        pub network_resource: ResourceHandle,
    }
}

wire_enums! {
    /// Out or in.
    pub enum ScaleType {
        /// More.
        ScaleOut,
        /// Fewer.
        ScaleIn,
    }
    /// Whether an instance has resources.
    pub enum InstantiationState {
        /// It has none.
        NotInstantiated,
        /// It has.
        Instantiated,
    }
    /// Started or stopped (VnfOperationalStateType).
    pub enum VnfState {
        /// Runs.
        Started,
        /// Stopped.
        Stopped,
    }
    /// LcmOperationStateType (SOL003 5.5.4.3), with SOL005's (6.5.4.4): an NS operation has no STARTING, a VNF operation no
    /// PARTIALLY_COMPLETED.
    pub enum LcmOperationState {
        /// Waits for its grant.
        Starting,
        /// Runs.
        Processing,
        /// Done.
        Completed,
        /// NS only: done but for failures that were accepted.
        PartiallyCompleted,
        /// Waits for a decision.
        FailedTemp,
        /// Given up.
        Failed,
        /// Being undone.
        RollingBack,
        /// Undone.
        RolledBack,
    }
    /// LcmOperationType (SOL003 5.5.4.5), those that are offered.
    pub enum VnfLcmOperation {
        /// Instantiate.
        Instantiate,
        /// Scale.
        Scale,
        /// Heal.
        Heal,
        /// Terminate.
        Terminate,
        /// Change external connectivity.
        ChangeExtConn,
    }
    /// What became of a resource.
    pub enum ChangeType {
        /// Made.
        Added,
        /// Gone.
        Removed,
        /// Changed.
        Modified,
        /// On its way to exist, when a failure stopped it.
        Temporary,
    }
}
