//! The VNF descriptor (IFA 011, SOL001 clause 6): what a VNF is made of, per deployment flavour.
//!
//! ```text
//! Vnfd ─< DeploymentFlavour ─┬─< Vdu ─< VduCp ──> VnfVirtualLink | exposed as a VnfExtCpd
//!                            ├─< VnfVirtualLink
//!                            ├─< VnfExtCpd ──> VduCp | VnfVirtualLink
//!                            ├─< ScalingAspect, InstantiationLevel
//!                            └─< AffinityRule ──> Vdu, VnfVirtualLink
//! ```
//! Identifiers are the names of TOSCA node templates, policies' keys and the like: those that SOL003 uses as `vduId`,
//! `cpdId`, `vnfVirtualLinkDescId`, `aspectId` and `instantiationLevelId`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::diagnostic::Place;
pub use crate::link::{AffinityRule, AffinityScope, AffinityType, Bitrate, ConnectivityType, IpPool, IpVersion};
pub use crate::link::{L2ProtocolData, L3ProtocolData, LayerProtocol};

mod flavour;
mod image;
mod levels;
mod links;
pub(crate) mod read;
mod vdu;

pub use image::BUILT_IMAGE_PREFIX;

/// A VNF descriptor with all of its deployment flavours.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Vnfd {
    /// `vnfdId`: names this descriptor among all.
    pub descriptor_id: String,
    /// Version of the descriptor.
    pub descriptor_version: String,
    /// Who provides the VNF.
    pub provider: String,
    /// Name of the product.
    pub product_name: String,
    /// Version of the software in it.
    pub software_version: String,
    /// A name for people, where one is given.
    pub product_info_name: Option<String>,
    /// A description for people, where one is given.
    pub product_info_description: Option<String>,
    /// VNFMs that may manage it, as the descriptor spells them.
    pub vnfm_info: Vec<String>,
    /// `is_autoheal_enabled` as the descriptor declares it; `None` when it says nothing.
    pub is_autoheal_enabled: Option<bool>,
    /// `is_autoscale_enabled` as the descriptor declares it; `None` when it says nothing.
    pub is_autoscale_enabled: Option<bool>,
    /// Deployment flavours, in the order of the definitions. At least one in a descriptor without faults.
    pub flavours: Vec<DeploymentFlavour>,
    /// Managed container infrastructure object packages that the descriptor names.
    pub mciops: Vec<Mciop>,
    /// Where the VNF node stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// One deployment flavour (IFA 011 7.1.8).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentFlavour {
    /// `flavourId`.
    pub id: String,
    /// Description for people.
    pub description: String,
    /// The level taken when none is asked for. `None` only when the flavour has no levels at all.
    pub default_instantiation_level: Option<String>,
    /// Levels by `instantiationLevelId`.
    pub instantiation_levels: BTreeMap<String, InstantiationLevel>,
    /// Aspects by `aspectId`.
    pub scaling_aspects: BTreeMap<String, ScalingAspect>,
    /// VDUs in the order of the definitions.
    pub vdus: Vec<Vdu>,
    /// Internal virtual links.
    pub virtual_links: Vec<VnfVirtualLink>,
    /// External connection points: what an NS can attach to.
    pub ext_cpds: Vec<VnfExtCpd>,
    /// Affinity and anti-affinity rules, groups already spelled out into their members.
    pub affinity_rules: Vec<AffinityRule>,
    /// What may be done to an instance.
    pub lcm_operations: LcmOperations,
}

/// A level at which a VNF can be instantiated.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstantiationLevel {
    /// Description for people.
    pub description: String,
    /// Scale level of each aspect; an aspect that is not named stands at 0.
    pub scale_levels: BTreeMap<String, u32>,
    /// Number of instances of each VDU where the descriptor states it; equal to what the scale levels give.
    pub vdu_instances: BTreeMap<String, u32>,
}

/// Something that can be scaled, in steps.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScalingAspect {
    /// Name for people.
    pub name: String,
    /// Description for people.
    pub description: String,
    /// Highest level; the lowest is 0.
    pub max_scale_level: u32,
    /// Names of the deltas: one for every step, or a single one that holds for all.
    pub step_deltas: Vec<String>,
}

/// What kind of thing a VDU becomes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum VduKind {
    /// `tosca.nodes.nfv.Vdu.Compute` with a virtual compute description: a virtual machine.
    #[default]
    VirtualMachine,
    /// A VDU that states neither compute nor image: its form stands in an MCIOP or another artifact.
    Unstated,
    /// `tosca.nodes.nfv.Vdu.OsContainerDeployableUnit`: a group of containers.
    OsContainerDeployableUnit,
}

/// A virtualisation deployment unit (IFA 011 7.1.6).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Vdu {
    /// `vduId`: the name of the node template.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Description for people.
    pub description: String,
    /// What an instance is.
    pub kind: VduKind,
    /// Virtual machine's size. `None` for what is not a virtual machine.
    pub compute: Option<VirtualCompute>,
    /// The image that a machine boots, unless it boots from a storage (then that storage has it).
    pub sw_image: Option<SwImageDesc>,
    /// Storages attached, in the order of the requirements.
    pub storages: Vec<VirtualStorage>,
    /// Names of storages to boot from, first first; empty: the descriptor leaves it open.
    pub boot_order: Vec<String>,
    /// `nfvi_constraints`, as `key: value` or plain strings.
    pub nfvi_constraints: Vec<String>,
    /// What the machine is given at its first boot.
    pub boot_data: Option<BootData>,
    /// Instances when every aspect stands at 0.
    pub initial_number_of_instances: u32,
    /// Fewest instances ever.
    pub min_number_of_instances: u32,
    /// Most instances ever.
    pub max_number_of_instances: u32,
    /// For each aspect that touches this VDU: how many instances step 1, step 2, … adds. As long as the aspect's highest level.
    pub deltas: BTreeMap<String, Vec<u32>>,
    /// Connection points in their order on the machine.
    pub connection_points: Vec<VduCp>,
    /// Containers of a deployable unit.
    pub containers: Vec<OsContainer>,
}

/// Size of a virtual machine.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VirtualCompute {
    /// Number of virtual CPUs.
    pub num_virtual_cpu: u32,
    /// Memory in mebibytes, rounded up.
    pub virtual_mem_size_mib: u64,
    /// CPU architecture, where stated (for example `x86_64`).
    pub cpu_architecture: Option<String>,
    /// Whether CPU pinning `static` is asked for.
    pub static_cpu_pinning: bool,
    /// Sizes of ephemeral local disks in bytes.
    pub virtual_local_storage_bytes: Vec<u64>,
    /// Names of the additional capabilities; `true` when support is mandatory.
    pub requested_additional_capabilities: BTreeMap<String, bool>,
}

/// A software image (IFA 011 7.1.6.5).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SwImageDesc {
    /// Id within the descriptor: the name of the node that carries it.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Version.
    pub version: String,
    /// Checksum of the (first) image file. `None` only for images that this program builds.
    pub checksum: Option<Checksum>,
    /// Container format (`bare`, …).
    pub container_format: String,
    /// Disk format (`qcow2`, `raw`, `aki` for a kernel, …).
    pub disk_format: String,
    /// Least disk in bytes.
    pub min_disk_bytes: u64,
    /// Least memory in bytes.
    pub min_ram_bytes: u64,
    /// Size of the image in bytes as declared. `None` only for images that this program builds.
    pub size_bytes: Option<u64>,
    /// Where the bytes are.
    pub source: SwImageSource,
    /// Where the checksum (or, without one, the description) stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// Where the bytes of a software image are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum SwImageSource {
    /// One bootable disk inside the package.
    Disk {
        /// Path from the root of the package.
        path: String,
    },
    /// A kernel (`disk_format: aki`) and its initial memory file system (`disk_format: ari`) inside the package.
    KernelAndInitramfs {
        /// Path of the kernel from the root of the package.
        kernel: String,
        /// Path of the initramfs from the root of the package.
        initramfs: String,
        /// Checksum of the initramfs, where declared.
        initramfs_checksum: Option<Checksum>,
    },
    /// `manifold:image/NAME`: an image that this program builds itself and keeps in its cache. An extension of ours.
    Manifold {
        /// The name after `manifold:image/`.
        name: String,
    },
    /// Somewhere outside of the package (an absolute URI, or an image reference in a registry).
    Uri {
        /// As the descriptor spells it.
        uri: String,
    },
    /// The descriptor describes an image and says nowhere where its bytes are: they are expected in the VIM by this name.
    ByName,
}

/// A checksum as a descriptor declares it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Checksum {
    /// Algorithm in lower case: `sha-224`, `sha-256`, `sha-384`, `sha-512`.
    pub algorithm: String,
    /// Lower-case hexadecimal digits.
    pub hash: String,
}

/// A storage of a VDU.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VirtualStorage {
    /// `virtualStorageDescId`: the name of the node template.
    pub id: String,
    /// What kind of storage.
    pub kind: StorageKind,
    /// Size in bytes (an object storage may be without bound: 0).
    pub size_bytes: u64,
    /// The image put on a block storage, where there is one.
    pub sw_image: Option<SwImageDesc>,
}

/// Kinds of storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StorageKind {
    /// A volume.
    Block,
    /// An object store.
    Object,
    /// A file share.
    File,
}

/// What a machine is given at its first boot (SOL001 `boot_data`).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BootData {
    /// The text itself: offered to the machine as NoCloud `user-data`.
    pub content: Option<String>,
    /// Path in the package of a file that holds the text.
    pub source_path: Option<String>,
    /// Key-value pairs: offered to the machine as NoCloud `meta-data`.
    pub key_values: BTreeMap<String, String>,
}

/// A connection point of a VDU.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VduCp {
    /// `cpdId`: the name of the node template.
    pub id: String,
    /// Position of the interface on the machine, where stated.
    pub order: Option<u32>,
    /// Bits per second, where stated.
    pub bitrate_requirement: Option<u64>,
    /// `normal`, `virtio`, `direct-physical`, …
    pub vnic_type: Option<String>,
    /// Protocols spoken.
    pub layer_protocols: Vec<LayerProtocol>,
    /// The internal virtual link that it is on, if it is.
    pub virtual_link: Option<String>,
    /// The id of the external connection point that exposes it directly, if one does.
    pub ext_cpd: Option<String>,
    /// How many addresses of each IP version are asked for, where stated.
    pub addresses: Vec<AddressRequest>,
    /// Where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// Addresses that a connection point asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AddressRequest {
    /// IP version; `None` when the descriptor leaves it open.
    pub ip_version: Option<IpVersion>,
    /// How many.
    pub number_of_ip_address: u32,
}

/// An internal virtual link.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VnfVirtualLink {
    /// `vnfVirtualLinkDescId`: the name of the node template.
    pub id: String,
    /// Description for people.
    pub description: String,
    /// Protocols and shape.
    pub connectivity_type: ConnectivityType,
    /// Layer 2 properties, where stated.
    pub l2: Option<L2ProtocolData>,
    /// Subnets: at most one per entry of `virtual_link_protocol_data`.
    pub l3: Vec<L3ProtocolData>,
    /// Most bits per second.
    pub max_bitrate: Bitrate,
    /// Bits per second that are promised.
    pub min_bitrate: Bitrate,
    /// Where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// An external connection point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VnfExtCpd {
    /// `cpdId`: the name of the node template that is exposed.
    pub id: String,
    /// The requirement of the VNF's node type that is mapped to it: what an NSD writes. Often equal to `id`.
    pub requirement: Option<String>,
    /// What lies behind it.
    pub internal: ExtCpInternal,
    /// Protocols spoken.
    pub layer_protocols: Vec<LayerProtocol>,
    /// Where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// What lies behind an external connection point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum ExtCpInternal {
    /// A connection point of a VDU, exposed as it is.
    VduCp {
        /// The VDU.
        vdu: String,
        /// The connection point.
        cp: String,
    },
    /// An internal virtual link: everything on it is reached.
    VirtualLink {
        /// The link.
        virtual_link: String,
    },
    /// Nothing (a service offered by containers, or a descriptor that leaves it open).
    Open,
}

/// An MCIOP named by the descriptor (SOL001 `tosca.nodes.nfv.Mciop`).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mciop {
    /// The name of the node template.
    pub id: String,
    /// Path of the artifact in the package.
    pub artifact: Option<String>,
    /// VDUs that it deploys.
    pub associated_vdus: Vec<String>,
}

/// A container of a deployable unit (SOL001 `tosca.nodes.nfv.Vdu.OsContainer`).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OsContainer {
    /// The name of the node template.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Its image, where one is described.
    pub sw_image: Option<SwImageDesc>,
}

/// Which lifecycle operations an instance supports and how (IFA 011 7.1.5).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LcmOperations {
    /// Names as SOL001 spells them (`instantiate`, `scale`, `heal`, …) that the descriptor configures.
    pub configured: Vec<String>,
    /// Whether one scale operation may take several steps.
    pub scaling_by_more_than_one_step_supported: bool,
    /// Causes of healing that the VNF understands.
    pub heal_causes: Vec<String>,
    /// Least graceful termination time in milliseconds, where stated.
    pub min_graceful_termination_timeout_ms: Option<u64>,
}

impl Vnfd {
    /// The flavour of that id.
    pub fn flavour(&self, id: &str) -> Option<&DeploymentFlavour> {
        self.flavours.iter().find(|flavour| flavour.id == id)
    }
}

impl DeploymentFlavour {
    /// The VDU of that id.
    pub fn vdu(&self, id: &str) -> Option<&Vdu> {
        self.vdus.iter().find(|vdu| vdu.id == id)
    }

    /// The internal virtual link of that id.
    pub fn virtual_link(&self, id: &str) -> Option<&VnfVirtualLink> {
        self.virtual_links.iter().find(|link| link.id == id)
    }

    /// The external connection point that an NSD (by requirement) or SOL003 (by `cpdId`) calls so.
    pub fn ext_cpd(&self, name: &str) -> Option<&VnfExtCpd> {
        self.ext_cpds
            .iter()
            .find(|cpd| cpd.requirement.as_deref() == Some(name))
            .or_else(|| self.ext_cpds.iter().find(|cpd| cpd.id == name))
    }

    /// The level of that id; of the default one for `None`.
    pub fn instantiation_level(&self, id: Option<&str>) -> Option<&InstantiationLevel> {
        let id = id.or(self.default_instantiation_level.as_deref())?;
        self.instantiation_levels.get(id)
    }

    /// How many instances of a VDU a level has (the default one for `None`): as the level states it, else as its scale levels give
    /// it. `None` when there is no level of that name.
    pub fn instances_at_level(&self, vdu: &Vdu, level: Option<&str>) -> Option<u32> {
        let scale_levels = self.scale_levels_at(level)?;
        let stated = self
            .instantiation_level(level)
            .and_then(|level| level.vdu_instances.get(&vdu.id).copied());
        Some(stated.unwrap_or_else(|| vdu.instances_at(&scale_levels)))
    }

    /// The scale level of every aspect at an instantiation level (the default one for `None`; all 0 where there are no levels).
    /// `None` when there is no level of that name.
    pub fn scale_levels_at(&self, level: Option<&str>) -> Option<BTreeMap<String, u32>> {
        let stated = match level.or(self.default_instantiation_level.as_deref()) {
            Some(id) => Some(self.instantiation_levels.get(id)?),
            None => None,
        };
        let of = |aspect: &String| {
            stated
                .and_then(|level| level.scale_levels.get(aspect))
                .copied()
                .unwrap_or(0)
        };
        Some(
            self.scaling_aspects
                .keys()
                .map(|aspect| (aspect.clone(), of(aspect)))
                .collect(),
        )
    }
}

impl Vdu {
    /// Number of instances when the aspects stand at these levels. Saturates; a level above the highest counts as the highest.
    pub fn instances_at(&self, scale_levels: &BTreeMap<String, u32>) -> u32 {
        let mut count = self.initial_number_of_instances;
        for (aspect, steps) in &self.deltas {
            let level = scale_levels.get(aspect).copied().unwrap_or(0) as usize;
            count = steps
                .iter()
                .take(level)
                .fold(count, |sum, step| sum.saturating_add(*step));
        }
        count
    }

    /// The image that this VDU boots: its own, or that of the storage it boots from.
    pub fn boot_image(&self) -> Option<&SwImageDesc> {
        let by_order = || {
            self.boot_order
                .iter()
                .filter_map(|id| self.storages.iter().find(|s| &s.id == id))
        };
        self.sw_image
            .as_ref()
            .or_else(|| by_order().find_map(|storage| storage.sw_image.as_ref()))
            .or_else(|| self.storages.iter().find_map(|storage| storage.sw_image.as_ref()))
    }
}
