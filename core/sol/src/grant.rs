//! VNF lifecycle operation granting (SOL003 9.5).

use crate::wire::{wire, wire_enums};
use crate::{ResourceHandle, VimConnectionInfo, VnfLcmOperation};
use std::collections::BTreeMap;

wire! {
    /// GrantRequest (SOL003 9.5.2.2).
    pub struct GrantRequest {
        /// Of which VNF.
        pub vnf_instance_id: String,
        /// The operation.
        pub vnf_lcm_op_occ_id: String,
        /// Descriptor.
        pub vnfd_id: String,
        /// Deployment flavour.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub flavour_id: Option<String>,
        /// What.
        pub operation: VnfLcmOperation,
        /// Whether the VNFM began it by itself.
        pub is_automatic_invocation: bool,
        /// Level.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub instantiation_level_id: Option<String>,
        /// To be made.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub add_resources: Vec<ResourceDefinition>,
        /// To be removed.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub remove_resources: Vec<ResourceDefinition>,
        /// Rules for where what is made may stand.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub placement_constraints: Vec<PlacementConstraint>,
        /// Kept.
        #[serde(default, skip_serializing_if = "crate::KeyValues::is_empty")]
        pub additional_params: std::collections::BTreeMap<String, serde_json::Value>,
    }
    /// ResourceDefinition (SOL003 9.5.3.2).
    pub struct ResourceDefinition {
        /// The request's own name of it.
        pub id: String,
        /// What kind.
        #[serde(rename = "type")]
        pub kind: GrantedResourceType,
        /// Machine descriptor.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub vdu_id: Option<String>,
        /// Network or other descriptor.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub resource_template_id: Option<String>,
        /// For one that exists.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub resource: Option<ResourceHandle>,
    }
    /// PlacementConstraint (SOL003 9.5.3.6).
    pub struct PlacementConstraint {
        /// Together or apart.
        pub affinity_or_anti_affinity: AffinityType,
        /// In respect of what.
        pub scope: PlacementScope,
        /// Between what.
        pub resource: Vec<ConstraintResourceRef>,
    }
    /// ConstraintResourceRef (SOL003 9.5.3.7).
    pub struct ConstraintResourceRef {
        /// How `resourceId` is meant.
        pub id_type: ConstraintIdType,
        /// A resource definition's id, or a resource's at its manager.
        pub resource_id: String,
    }
    /// Grant (SOL003 9.5.2.3).
    pub struct Grant {
        /// Identifier.
        pub id: String,
        /// Of which VNF.
        pub vnf_instance_id: String,
        /// The operation.
        pub vnf_lcm_op_occ_id: String,
        /// The managers to use.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        pub vim_connection_info: BTreeMap<String, VimConnectionInfo>,
        /// Zones to use.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub zones: Vec<ZoneInfo>,
        /// One for each of the request's `addResources`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub add_resources: Vec<GrantInfo>,
        /// One for each of the request's `removeResources`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub remove_resources: Vec<GrantInfo>,
        /// Flavours and images at the managers.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub vim_assets: Option<VimAssets>,
        /// Ours: `hosts`, by resource definition: the host that placement chose.
        #[serde(default, skip_serializing_if = "crate::KeyValues::is_empty")]
        pub additional_params: std::collections::BTreeMap<String, serde_json::Value>,
    }
    /// ZoneInfo (SOL003 9.5.3.5).
    pub struct ZoneInfo {
        /// The grant's own name of it.
        pub id: String,
        /// At the manager.
        pub zone_id: String,
        /// The manager.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub vim_connection_id: Option<String>,
    }
    /// GrantInfo (SOL003 9.5.3.3).
    pub struct GrantInfo {
        /// Which of the request's.
        pub resource_definition_id: String,
        /// The manager to use.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub vim_connection_id: Option<String>,
        /// A [`ZoneInfo`]'s id.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub zone_id: Option<String>,
    }
    /// Grant.vimAssets.
    pub struct VimAssets {
        /// Flavours by machine descriptor.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub compute_resource_flavours: Vec<VimComputeResourceFlavour>,
        /// Images by machine descriptor.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub software_images: Vec<VimSoftwareImage>,
    }
    /// VimComputeResourceFlavour (SOL003 9.5.3.10).
    pub struct VimComputeResourceFlavour {
        /// The manager.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub vim_connection_id: Option<String>,
        /// Machine descriptor.
        pub vnfd_virtual_compute_desc_id: String,
        /// Flavour there.
        pub vim_flavour_id: String,
    }
    /// VimSoftwareImage (SOL003 9.5.3.11).
    pub struct VimSoftwareImage {
        /// The manager.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub vim_connection_id: Option<String>,
        /// Image descriptor: the VDU's id here, which has one image.
        pub vnfd_software_image_id: String,
        /// Image there.
        pub vim_software_image_id: String,
    }
}

wire_enums! {
    /// Kind of a resource in a grant.
    pub enum GrantedResourceType {
        /// A machine.
        Compute,
        /// A network.
        Vl,
        /// A volume.
        Storage,
        /// A port.
        Linkport,
    }
    /// Together or apart.
    pub enum AffinityType {
        /// In the same.
        Affinity,
        /// In different ones.
        AntiAffinity,
    }
    /// What a placement rule speaks of.
    pub enum PlacementScope {
        /// A host.
        NfviNode,
        /// An NFVI-PoP.
        NfviPop,
        /// A resource zone.
        Zone,
        /// A group of zones.
        ZoneGroup,
    }
    /// How a constraint's resource id is meant.
    pub enum ConstraintIdType {
        /// A resource definition of the same request.
        Grant,
        /// A resource at its manager.
        ResMgmt,
    }
}
