//! VNF packages, NSDs and PNFDs (SOL005 5.5, 9.5).

use crate::wire::{wire, wire_enums};

wire! {
    /// CreateVnfPkgInfoRequest (SOL005 9.5.2.2).
    pub struct CreateVnfPkgInfoRequest {
        /// Kept.
        #[serde(default, skip_serializing_if = "crate::KeyValues::is_empty")]
        pub user_defined_data: std::collections::BTreeMap<String, serde_json::Value>,
    }
    /// VnfPkgInfo (SOL005 9.5.2.5).
    pub struct VnfPkgInfo {
        /// Identifier.
        pub id: String,
        /// From here on: known once on-boarded.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub vnfd_id: Option<String>,
        /// From the descriptor.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub vnf_provider: Option<String>,
        /// From the descriptor.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub vnf_product_name: Option<String>,
        /// From the descriptor.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub vnf_software_version: Option<String>,
        /// From the descriptor.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub vnfd_version: Option<String>,
        /// Of the archive.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub checksum: Option<Checksum>,
        /// Images in it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub software_images: Vec<VnfPackageSoftwareImageInfo>,
        /// How far on-boarding is.
        pub onboarding_state: PackageOnboardingState,
        /// Whether new instances may use it.
        pub operational_state: PackageOperationalState,
        /// Whether instances use it.
        pub usage_state: PackageUsageState,
        /// Why on-boarding failed.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub onboarding_failure_details: Option<crate::ProblemDetails>,
        /// Kept.
        #[serde(default, skip_serializing_if = "crate::KeyValues::is_empty")]
        pub user_defined_data: std::collections::BTreeMap<String, serde_json::Value>,
    }
    /// Checksum (algorithm and hexadecimal hash).
    pub struct Checksum {
        /// `SHA-256`.
        pub algorithm: String,
        /// Hexadecimal.
        pub hash: String,
    }
    /// VnfPackageSoftwareImageInfo (SOL005 9.5.3.2), as far as our packages say.
    pub struct VnfPackageSoftwareImageInfo {
        /// Identifier in the package.
        pub id: String,
        /// Name.
        pub name: String,
        /// Version.
        pub version: String,
        /// Of the image.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub checksum: Option<Checksum>,
        /// QCOW2, RAW, …
        pub disk_format: String,
        /// In the archive.
        pub image_path: String,
    }
    /// VnfPkgInfoModifications (SOL005 9.5.2.1).
    pub struct VnfPkgInfoModifications {
        /// New operational state.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub operational_state: Option<PackageOperationalState>,
        /// Merged into the kept ones.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub user_defined_data: Option<std::collections::BTreeMap<String, serde_json::Value>>,
    }
    /// CreateNsdInfoRequest (SOL005 5.5.2.3).
    pub struct CreateNsdInfoRequest {
        /// Kept.
        #[serde(default, skip_serializing_if = "crate::KeyValues::is_empty")]
        pub user_defined_data: std::collections::BTreeMap<String, serde_json::Value>,
    }
    /// NsdInfo (SOL005 5.5.2.2).
    pub struct NsdInfo {
        /// Identifier.
        pub id: String,
        /// From the descriptor.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub nsd_id: Option<String>,
        /// From the descriptor.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub nsd_name: Option<String>,
        /// From the descriptor.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub nsd_version: Option<String>,
        /// From the descriptor.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub nsd_designer: Option<String>,
        /// From the descriptor.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub nsd_invariant_id: Option<String>,
        /// VNF packages that it needs, by their ids.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub vnf_pkg_ids: Vec<String>,
        /// PNFDs that it needs, by their ids.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub pnfd_info_ids: Vec<String>,
        /// NSDs that it nests, by their ids.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub nested_nsd_info_ids: Vec<String>,
        /// How far on-boarding is.
        pub nsd_onboarding_state: PackageOnboardingState,
        /// Why on-boarding failed.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub onboarding_failure_details: Option<crate::ProblemDetails>,
        /// Whether new instances may use it.
        pub nsd_operational_state: PackageOperationalState,
        /// Whether instances use it.
        pub nsd_usage_state: PackageUsageState,
        /// Kept.
        #[serde(default, skip_serializing_if = "crate::KeyValues::is_empty")]
        pub user_defined_data: std::collections::BTreeMap<String, serde_json::Value>,
    }
    /// NsdInfoModifications (SOL005 5.5.2.1).
    pub struct NsdInfoModifications {
        /// New operational state.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub nsd_operational_state: Option<PackageOperationalState>,
        /// Merged into the kept ones.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub user_defined_data: Option<std::collections::BTreeMap<String, serde_json::Value>>,
    }
    /// CreatePnfdInfoRequest (SOL005 5.5.2.6).
    pub struct CreatePnfdInfoRequest {
        /// Kept.
        #[serde(default, skip_serializing_if = "crate::KeyValues::is_empty")]
        pub user_defined_data: std::collections::BTreeMap<String, serde_json::Value>,
    }
    /// PnfdInfo (SOL005 5.5.2.5).
    pub struct PnfdInfo {
        /// Identifier.
        pub id: String,
        /// From the descriptor.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub pnfd_id: Option<String>,
        /// From the descriptor.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub pnfd_name: Option<String>,
        /// From the descriptor.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub pnfd_version: Option<String>,
        /// From the descriptor.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub pnfd_provider: Option<String>,
        /// How far on-boarding is.
        pub pnfd_onboarding_state: PackageOnboardingState,
        /// Why on-boarding failed.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub onboarding_failure_details: Option<crate::ProblemDetails>,
        /// Whether instances use it.
        pub pnfd_usage_state: PackageUsageState,
        /// Kept.
        #[serde(default, skip_serializing_if = "crate::KeyValues::is_empty")]
        pub user_defined_data: std::collections::BTreeMap<String, serde_json::Value>,
    }
}

wire_enums! {
    /// PackageOnboardingStateType (SOL005 9.5.4.3); NSDs and PNFDs the same.
    pub enum PackageOnboardingState {
        /// Without content.
        Created,
        /// Content is coming.
        Uploading,
        /// Content is being checked.
        Processing,
        /// Ready.
        Onboarded,
        /// Refused; the details say why.
        Error,
    }
    /// PackageOperationalStateType.
    pub enum PackageOperationalState {
        /// Not for new instances.
        Disabled,
        /// For new instances.
        Enabled,
    }
    /// PackageUsageStateType.
    pub enum PackageUsageState {
        /// No instance uses it.
        NotInUse,
        /// Some do.
        InUse,
    }
}
