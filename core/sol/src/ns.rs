//! NS lifecycle management (SOL005 6.5).

use crate::wire::{wire, wire_enums};
use crate::{
    CancelModeType, ChangeType, CpProtocolData, CpProtocolInfo, ExtVirtualLinkData, LcmOperationState, ProblemDetails,
    ResourceHandle, VnfInstance,
};

wire! {
    /// CreateNsRequest.
    pub struct CreateNsRequest {
        /// Descriptor.
        pub nsd_id: String,
        /// For people.
        pub ns_name: String,
        /// In words.
        pub ns_description: String,
    }
    /// InstantiateNsRequest (SOL005 6.5.2.11).
    pub struct InstantiateNsRequest {
        /// NS deployment flavour.
        pub ns_flavour_id: String,
        /// Where users plug in.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub sap_data: Vec<SapData>,
        /// Physical functions to connect.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub add_pnf_data: Vec<AddPnfData>,
        /// Where VNFs shall be.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub location_constraints: Vec<VnfLocationConstraint>,
        /// NSs that are there already and become nested ones.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub nested_ns_instance_data: Vec<NestedNsInstanceData>,
        /// For VNFs, by their profiles.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub additional_params_for_vnf: Vec<ParamsForVnf>,
        /// For the NS. Ours: `wan`: `{"NS VL profile": {"mscsId": …}}` names a connectivity service that somebody else set up.
        #[serde(default, skip_serializing_if = "crate::KeyValues::is_empty")]
        pub additional_params_for_ns: std::collections::BTreeMap<String, serde_json::Value>,
        /// Level; absent = the flavour's default.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub ns_instantiation_level_id: Option<String>,
    }
    /// SapData (SOL005 6.5.3.8).
    pub struct SapData {
        /// Descriptor.
        pub sapd_id: String,
        /// The access point where it is realised.
        pub sap_name: String,
        /// In words.
        pub description: String,
        /// Addresses.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub sap_protocol_data: Vec<CpProtocolData>,
    }
    /// AddPnfData (SOL005 6.5.3.14).
    pub struct AddPnfData {
        /// Identifier.
        pub pnf_id: String,
        /// The function's name in its PoP.
        pub pnf_name: String,
        /// Descriptor.
        pub pnfd_id: String,
        /// Profile in the NSD.
        pub pnf_profile_id: String,
        /// Its connection points.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub cp_data: Vec<PnfExtCpData>,
    }
    /// PnfExtCpData (SOL005 6.5.3.16).
    pub struct PnfExtCpData {
        /// Descriptor.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub cpd_id: Option<String>,
        /// Addresses.
        pub cp_protocol_data: Vec<CpProtocolData>,
    }
    /// NestedNsInstanceData (SOL005 6.5.3.19).
    pub struct NestedNsInstanceData {
        /// Which.
        pub nested_ns_instance_id: String,
        /// The profile in the NSD whose place it takes.
        pub ns_profile_id: String,
    }
    /// VnfLocationConstraint (SOL005 6.5.3.20).
    pub struct VnfLocationConstraint {
        /// Profile in the NSD.
        pub vnf_profile_id: String,
        /// Where.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub location_constraints: Option<LocationConstraints>,
    }
    /// LocationConstraints (SOL005 6.5.3.21). Ours: `vimId`, because a PoP has no country in a laboratory.
    pub struct LocationConstraints {
        /// ISO 3166.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub country_code: Option<String>,
        /// The NFVI-PoP's VIM.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub vim_id: Option<String>,
    }
    /// ParamsForVnf (SOL005 6.5.3.22).
    pub struct ParamsForVnf {
        /// Profile in the NSD.
        pub vnf_profile_id: String,
        /// Name of the instance.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub vnf_instance_name: Option<String>,
        /// For the VNF.
        #[serde(default, skip_serializing_if = "crate::KeyValues::is_empty")]
        pub additional_params: std::collections::BTreeMap<String, serde_json::Value>,
    }
    /// ScaleNsRequest (SOL005 6.5.2.14).
    pub struct ScaleNsRequest {
        /// What.
        pub scale_type: NsScaleType,
        /// For `SCALE_VNF`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub scale_vnf_data: Vec<ScaleVnfData>,
    }
    /// ScaleVnfData (SOL005 6.5.3.41).
    pub struct ScaleVnfData {
        /// Which.
        pub vnf_instance_id: String,
        /// Out or in, by step.
        pub scale_vnf_type: ScaleVnfType,
        /// With that.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub scale_by_step_data: Option<ScaleByStepData>,
    }
    /// ScaleByStepData (SOL005 6.5.3.42).
    pub struct ScaleByStepData {
        /// Aspect.
        pub aspect_id: String,
        /// Absent = 1.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub number_of_steps: Option<u32>,
        /// For the VNF.
        #[serde(default, skip_serializing_if = "crate::KeyValues::is_empty")]
        pub additional_params: std::collections::BTreeMap<String, serde_json::Value>,
    }
    /// HealNsRequest (SOL005 6.5.2.13).
    pub struct HealNsRequest {
        /// The whole NS.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub heal_ns_data: Option<HealNsData>,
        /// Or these VNFs.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub heal_vnf_data: Vec<HealVnfData>,
    }
    /// HealNsData (SOL005 6.5.3.43).
    pub struct HealNsData {
        /// How much of it.
        pub degree_healing: DegreeHealing,
    }
    /// HealVnfData (SOL005 6.5.3.44).
    pub struct HealVnfData {
        /// Which.
        pub vnf_instance_id: String,
        /// Which VNFC instances; empty = every one that is not well.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub vnfc_instance_id: Vec<String>,
        /// Why.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub cause: Option<String>,
    }
    /// TerminateNsRequest (SOL005 6.5.2.15).
    pub struct TerminateNsRequest {
        /// When; now if absent.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub termination_time: Option<String>,
    }
    /// UpdateNsRequest (SOL005 6.5.2.12): which of the others is there, `updateType` says.
    pub struct UpdateNsRequest {
        /// What.
        pub update_type: UpdateType,
        /// For `REMOVE_VNF`: which.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub remove_vnf_instance_id: Vec<String>,
        /// For `INSTANTIATE_VNF`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub instantiate_vnf_data: Vec<InstantiateVnfData>,
        /// For `CHANGE_EXTERNAL_VNF_CONNECTIVITY`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub change_ext_vnf_connectivity_data: Vec<ChangeExtVnfConnectivityData>,
        /// For `ADD_SAP`. Ours: also for `ASSOC_NEW_NSD_VERSION`, for SAPs that the new NSD adds.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub add_sap: Vec<SapData>,
        /// For `REMOVE_SAP`: which.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub remove_sap_id: Vec<String>,
        /// For `ADD_NESTED_NS`. Ours: also for `ASSOC_NEW_NSD_VERSION`, in the place of nested NSs that would be made.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub add_nested_ns_data: Vec<NestedNsInstanceData>,
        /// For `REMOVE_NESTED_NS`: which.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub remove_nested_ns_id: Vec<String>,
        /// For `ASSOC_NEW_NSD_VERSION`.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub assoc_new_nsd_version_data: Option<AssocNewNsdVersionData>,
        /// Ours: for `ASSOC_NEW_NSD_VERSION`, physical functions that the new NSD adds.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub add_pnf_data: Vec<AddPnfData>,
        /// When; now if absent.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub update_time: Option<String>,
    }
    /// InstantiateVnfData (SOL005 6.5.3.24).
    pub struct InstantiateVnfData {
        /// Profile in the NSD; this …
        #[serde(skip_serializing_if = "Option::is_none")]
        pub vnf_profile_id: Option<String>,
        /// … or descriptor and …
        #[serde(skip_serializing_if = "Option::is_none")]
        pub vnfd_id: Option<String>,
        /// … deployment flavour, which one profile has.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub vnf_flavour_id: Option<String>,
        /// Name of the instance.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub vnf_instance_name: Option<String>,
        /// For the VNF.
        #[serde(default, skip_serializing_if = "crate::KeyValues::is_empty")]
        pub additional_params: std::collections::BTreeMap<String, serde_json::Value>,
        /// Where it shall be.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub location_constraints: Option<VnfLocationConstraint>,
    }
    /// ChangeExtVnfConnectivityData (SOL005 6.5.3.33).
    pub struct ChangeExtVnfConnectivityData {
        /// Which.
        pub vnf_instance_id: String,
        /// Links of the NS, by their ids, with the connection points that shall be on them.
        pub ext_virtual_links: Vec<ExtVirtualLinkData>,
        /// For the VNF.
        #[serde(default, skip_serializing_if = "crate::KeyValues::is_empty")]
        pub additional_params: std::collections::BTreeMap<String, serde_json::Value>,
    }
    /// AssocNewNsdVersionData (SOL005 6.5.3.34).
    pub struct AssocNewNsdVersionData {
        /// The NSD; it has the `nsdInvariantId` of the one before.
        pub new_nsd_id: String,
        /// Whether the NS is made what the new NSD says; absent = not.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub sync: Option<bool>,
    }
    /// NsInstance (SOL005 6.5.2.10).
    pub struct NsInstance {
        /// Identifier.
        pub id: String,
        /// For people.
        pub ns_instance_name: String,
        /// In words.
        pub ns_instance_description: String,
        /// Descriptor.
        pub nsd_id: String,
        /// The on-boarded one.
        pub nsd_info_id: String,
        /// NS deployment flavour.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub flavour_id: Option<String>,
        /// VNFs.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub vnf_instance: Vec<VnfInstance>,
        /// PNFs.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub pnf_info: Vec<PnfInfo>,
        /// Links.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub virtual_link_info: Vec<NsVirtualLinkInfo>,
        /// SAPs.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub sap_info: Vec<SapInfo>,
        /// WAN services.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub wan_connection_info: Vec<WanConnectionInfo>,
        /// Nested NSs.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub nested_ns_instance_id: Vec<String>,
        /// Whether it has resources.
        pub ns_state: NsState,
    }
    /// PnfInfo (SOL005 6.5.3.13).
    pub struct PnfInfo {
        /// Identifier.
        pub pnf_id: String,
        /// Name.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub pnf_name: Option<String>,
        /// Descriptor.
        pub pnfd_id: String,
        /// The on-boarded one.
        pub pnfd_info_id: String,
        /// Profile in the NSD.
        pub pnf_profile_id: String,
        /// Its connection points.
        pub cp_info: Vec<PnfExtCpInfo>,
    }
    /// PnfExtCpInfo (SOL005 6.5.3.15).
    pub struct PnfExtCpInfo {
        /// Identifier.
        pub cp_instance_id: String,
        /// Descriptor.
        pub cpd_id: String,
        /// Addresses.
        #[serde(default)]
        pub cp_protocol_data: Vec<CpProtocolData>,
    }
    /// NsVirtualLinkInfo (SOL005 6.5.3.53): the handles map a link to its networks, one for each PoP.
    pub struct NsVirtualLinkInfo {
        /// Identifier.
        pub id: String,
        /// Descriptor.
        pub ns_virtual_link_desc_id: String,
        /// Profile in the NSD.
        pub ns_virtual_link_profile_id: String,
        /// Its networks.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub resource_handle: Vec<ResourceHandle>,
        /// Its ports.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub link_port: Vec<NsLinkPortInfo>,
    }
    /// NsLinkPortInfo (SOL005 6.5.3.55).
    pub struct NsLinkPortInfo {
        /// Identifier.
        pub id: String,
        /// The port.
        pub resource_handle: ResourceHandle,
        /// What is plugged in.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub ns_cp_handle: Option<NsCpHandle>,
    }
    /// NsCpHandle (SOL005 6.5.3.56).
    pub struct NsCpHandle {
        /// A VNF …
        #[serde(skip_serializing_if = "Option::is_none")]
        pub vnf_instance_id: Option<String>,
        /// … and its external connection point,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub vnf_ext_cp_instance_id: Option<String>,
        /// a PNF …
        #[serde(skip_serializing_if = "Option::is_none")]
        pub pnf_info_id: Option<String>,
        /// … and its external connection point,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub pnf_ext_cp_instance_id: Option<String>,
        /// or a SAP of the NS …
        #[serde(skip_serializing_if = "Option::is_none")]
        pub ns_instance_id: Option<String>,
        /// … with this identifier.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub ns_sap_instance_id: Option<String>,
    }
    /// SapInfo (SOL005 6.5.3.67).
    pub struct SapInfo {
        /// Identifier.
        pub id: String,
        /// Descriptor.
        pub sapd_id: String,
        /// The access point.
        pub sap_name: String,
        /// In words.
        pub description: String,
        /// Addresses.
        #[serde(default)]
        pub sap_protocol_info: Vec<CpProtocolInfo>,
        /// The port that realises it (ours).
        #[serde(skip_serializing_if = "Option::is_none")]
        pub resource_handle: Option<ResourceHandle>,
    }
    /// WanConnectionInfo (SOL005 6.5.3.82).
    pub struct WanConnectionInfo {
        /// Identifier.
        pub wan_connection_info_id: String,
        /// The NS link that it carries.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub ns_virtual_link: Option<WanNsVirtualLink>,
        /// The service.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub protocol_info: Option<WanConnectionProtocolInfo>,
    }
    /// WanConnectionInfo.nsVirtualLink.
    pub struct WanNsVirtualLink {
        /// The link.
        pub ns_virtual_link_info_id: String,
        /// Profile in the NSD.
        pub ns_virtual_link_profile_id: String,
    }
    /// WanConnectionProtocolInfo (SOL005 6.5.3.83).
    pub struct WanConnectionProtocolInfo {
        /// The service.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub mscs_info: Option<WanMscsInfo>,
    }
    /// MscsInfo (SOL005 6.5.3.85).
    pub struct WanMscsInfo {
        /// Identifier at the WIM.
        pub mscs_id: String,
        /// Name.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub mscs_name: Option<String>,
        /// `L2VPN`.
        pub mscs_type: String,
        /// In bytes.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub mtu_mscs: Option<u32>,
    }
    /// NsLcmOpOcc (SOL005 6.5.2.3).
    pub struct NsLcmOpOcc {
        /// Identifier.
        pub id: String,
        /// State.
        pub operation_state: LcmOperationState,
        /// Since when.
        pub state_entered_time: String,
        /// Of which NS.
        pub ns_instance_id: String,
        /// What.
        pub lcm_operation_type: NsLcmOperation,
        /// Since when the operation is.
        pub start_time: String,
        /// Whether the NFVO began it by itself.
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
        /// What became of constituents.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub resource_changes: Option<NsResourceChanges>,
    }
    /// NsLcmOpOcc.resourceChanges.
    pub struct NsResourceChanges {
        /// VNFs.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub affected_vnfs: Vec<AffectedVnf>,
        /// Links.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub affected_vls: Vec<AffectedNsVl>,
    }
    /// AffectedVnf (SOL005 6.5.3.2).
    pub struct AffectedVnf {
        /// Which.
        pub vnf_instance_id: String,
        /// Descriptor.
        pub vnfd_id: String,
        /// Profile in the NSD.
        pub vnf_profile_id: String,
        /// Name.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub vnf_name: Option<String>,
        /// What became of it.
        pub change_type: ChangeType,
    }
    /// AffectedVirtualLink (SOL005 6.5.3.4).
    pub struct AffectedNsVl {
        /// Which.
        pub ns_virtual_link_instance_id: String,
        /// Descriptor.
        pub ns_virtual_link_desc_id: String,
        /// Profile in the NSD.
        pub vl_profile_id: String,
        /// What became of it.
        pub change_type: ChangeType,
    }
}

wire_enums! {
    /// Whether an NS has resources.
    pub enum NsState {
        /// It has none.
        NotInstantiated,
        /// It has.
        Instantiated,
    }
    /// What an NS scaling scales.
    pub enum NsScaleType {
        /// VNFs in it.
        ScaleVnf,
        /// The NS itself.
        ScaleNs,
    }
    /// How a VNF in an NS is scaled.
    pub enum ScaleVnfType {
        /// More, by steps.
        ScaleOut,
        /// Fewer, by steps.
        ScaleIn,
        /// To a level.
        ScaleToInstantiationLevel,
        /// To levels of aspects.
        #[serde(rename = "SCALE_TO_SCALE_LEVEL(S)")]
        ScaleToScaleLevels,
    }
    /// What an update changes (SOL005 6.5.2.12).
    pub enum UpdateType {
        /// Takes existing VNFs in.
        AddVnf,
        /// Takes VNFs away.
        RemoveVnf,
        /// Makes VNFs.
        InstantiateVnf,
        /// Another deployment flavour of VNFs.
        ChangeVnfDf,
        /// Starts and stops VNFs.
        OperateVnf,
        /// Names and properties of VNFs.
        ModifyVnfInformation,
        /// Which links VNFs are on.
        ChangeExternalVnfConnectivity,
        /// Other packages of VNFs.
        #[serde(rename = "CHANGE_VNFPKG")]
        ChangeVnfPkg,
        /// Makes SAPs. ETSI's OpenAPI spells it with a blank, its text does not.
        #[serde(alias = "ADD SAP")]
        AddSap,
        /// Takes SAPs away.
        RemoveSap,
        /// Takes existing NSs in.
        AddNestedNs,
        /// Lets nested NSs go.
        RemoveNestedNs,
        /// Another version of the NSD.
        AssocNewNsdVersion,
        /// VNFs to another NS.
        MoveVnf,
        /// Makes forwarding graphs.
        AddVnffg,
        /// Takes forwarding graphs away.
        RemoveVnffg,
        /// Changes forwarding graphs.
        UpdateVnffg,
        /// Another deployment flavour.
        ChangeNsDf,
        /// Connects physical functions.
        AddPnf,
        /// Changes physical functions.
        ModifyPnf,
        /// Disconnects physical functions.
        RemovePnf,
        /// Snapshots of VNFs.
        CreateVnfSnapshot,
        /// VNFs as they were in a snapshot.
        RevertVnfToSnapshot,
        /// Forgets snapshots.
        DeleteVnfSnapshotInfo,
        /// What is known of the WAN.
        ModifyWanConnectionInfo,
        /// Makes links.
        CreateNsVirtualLink,
        /// Takes links away.
        DeleteNsVirtualLink,
    }
    /// How much of an NS is healed.
    pub enum DegreeHealing {
        /// All that is not well.
        HealRestore,
        /// Quality of service.
        HealQos,
        /// Start afresh.
        HealReset,
        /// Partly.
        PartialHealing,
    }
    /// NS operations (SOL005 6.5.4.3), those that are offered.
    pub enum NsLcmOperation {
        /// Instantiate.
        Instantiate,
        /// Scale.
        Scale,
        /// Update.
        Update,
        /// Terminate.
        Terminate,
        /// Heal.
        Heal,
    }
}
