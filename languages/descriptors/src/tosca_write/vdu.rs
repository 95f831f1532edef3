//! Machines, deployable units, their storages, images and interfaces as node templates.

use super::links::{ip_version, protocols};
use super::requirements;
use super::text::{Fields, Yaml};
use crate::vnfd::{BUILT_IMAGE_PREFIX, BootData, OsContainer, StorageKind, SwImageDesc, SwImageSource};
use crate::vnfd::{Vdu, VduCp, VduKind, VirtualCompute, VirtualStorage};

pub(super) fn node(vdu: &Vdu) -> Yaml {
    let is_unit = vdu.kind == VduKind::OsContainerDeployableUnit;
    let bounds = Fields::new()
        .with("min_number_of_instances", vdu.min_number_of_instances)
        .with("max_number_of_instances", vdu.max_number_of_instances)
        .flow();
    let (data, artifacts) = image(vdu.sw_image.as_ref());
    let properties = Fields::new()
        .with("name", &vdu.name)
        .with_some("description", (!vdu.description.is_empty()).then_some(&vdu.description))
        .with("vdu_profile", bounds)
        .with_some(
            "boot_order",
            (!vdu.boot_order.is_empty()).then(|| Yaml::words(vdu.boot_order.iter())),
        )
        .with_some(
            "nfvi_constraints",
            (!vdu.nfvi_constraints.is_empty())
                .then(|| Yaml::List(vdu.nfvi_constraints.iter().map(Into::into).collect())),
        )
        .with_some("sw_image_data", data)
        .with_some("boot_data", vdu.boot_data.as_ref().map(boot_data));
    let storages = vdu
        .storages
        .iter()
        .map(|storage| ("virtual_storage", Yaml::from(&storage.id)));
    let containers = vdu
        .containers
        .iter()
        .map(|container| ("container", Yaml::from(&container.id)));
    let needs: Vec<(&str, Yaml)> = containers.chain(storages).collect();
    let compute = vdu.compute.as_ref().map(|compute| {
        let capability = Fields::new().with("properties", virtual_compute(compute));
        Fields::new().with("virtual_compute", capability)
    });
    Fields::new()
        .with(
            "type",
            if is_unit {
                "tosca.nodes.nfv.Vdu.OsContainerDeployableUnit"
            } else {
                "tosca.nodes.nfv.Vdu.Compute"
            },
        )
        .with("properties", properties)
        .with_some("requirements", (!needs.is_empty()).then(|| requirements(needs)))
        .with_some("capabilities", compute)
        .with_some("artifacts", artifacts)
        .into()
}

fn bytes(count: u64) -> String {
    for (unit, size) in [("GiB", 1u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] {
        if count > 0 && count.is_multiple_of(size) {
            return format!("{} {unit}", count / size);
        }
    }
    format!("{count} B")
}

fn virtual_compute(compute: &VirtualCompute) -> Fields {
    let pinning = compute
        .static_cpu_pinning
        .then(|| Fields::new().with("virtual_cpu_pinning_policy", "static").flow());
    let cpu = Fields::new()
        .with("num_virtual_cpu", compute.num_virtual_cpu)
        .with_some("cpu_architecture", compute.cpu_architecture.as_ref())
        .with_some("virtual_cpu_pinning", pinning);
    let memory = Fields::new().with("virtual_mem_size", format!("{} MiB", compute.virtual_mem_size_mib));
    let disks: Vec<Yaml> = compute
        .virtual_local_storage_bytes
        .iter()
        .map(|size| Fields::new().with("size_of_storage", bytes(*size)).flow())
        .collect();
    let mut capabilities = Fields::new();
    for (name, is_mandatory) in &compute.requested_additional_capabilities {
        let body = Fields::new()
            .with("requested_additional_capability_name", name)
            .with("support_mandatory", *is_mandatory)
            .with("target_performance_parameters", Yaml::Map(vec![]));
        capabilities.put(name, body.flow());
    }
    Fields::new()
        .with("virtual_cpu", cpu.flow())
        .with("virtual_memory", memory.flow())
        .with_some(
            "virtual_local_storage",
            (!disks.is_empty()).then_some(Yaml::List(disks)),
        )
        .with_some(
            "requested_additional_capabilities",
            (!capabilities.is_empty()).then_some(capabilities),
        )
}

/// `sw_image_data` beside the artifact, or artifacts that hold their own data.
fn image(image: Option<&SwImageDesc>) -> (Option<Yaml>, Option<Yaml>) {
    let Some(image) = image else { return (None, None) };
    let checksum = |checksum: &crate::vnfd::Checksum| {
        Fields::new()
            .with("algorithm", &checksum.algorithm)
            .with("hash", &checksum.hash)
            .flow()
    };
    let data = Fields::new()
        .with("name", &image.name)
        .with("version", &image.version)
        .with_some("checksum", image.checksum.as_ref().map(checksum))
        .with("container_format", &image.container_format)
        .with("disk_format", &image.disk_format)
        .with("min_disk", bytes(image.min_disk_bytes))
        .with_some("min_ram", (image.min_ram_bytes > 0).then(|| bytes(image.min_ram_bytes)))
        .with_some("size", image.size_bytes.map(|size| format!("{size} B")));
    let artifact = |file: String| {
        Fields::new()
            .with("type", "tosca.artifacts.nfv.SwImage")
            .with("file", file)
    };
    let one = |file: String| Some(Fields::new().with("sw_image", artifact(file).flow()).into());
    match &image.source {
        SwImageSource::ByName => (Some(data.into()), None),
        SwImageSource::Manifold { name } => (Some(data.into()), one(format!("{BUILT_IMAGE_PREFIX}{name}"))),
        SwImageSource::Uri { uri } => (Some(data.into()), one(uri.clone())),
        SwImageSource::Disk { path } => (Some(data.into()), one(beside(path))),
        SwImageSource::KernelAndInitramfs {
            kernel,
            initramfs,
            initramfs_checksum,
        } => {
            let second = Fields::new()
                .with("name", &image.name)
                .with("version", &image.version)
                .with_some("checksum", initramfs_checksum.as_ref().map(checksum))
                .with("container_format", &image.container_format)
                .with("disk_format", "ari")
                .with("min_disk", "0 B");
            let both = Fields::new()
                .with("kernel", artifact(beside(kernel)).with("properties", data))
                .with("initramfs", artifact(beside(initramfs)).with("properties", second));
            (None, Some(both.into()))
        }
    }
}

/// A path from the root of the package as it is written in a file of `Definitions`.
pub(super) fn beside(path: &str) -> String {
    match path.strip_prefix("Definitions/") {
        Some(rest) => rest.to_owned(),
        None => format!("../{path}"),
    }
}

fn boot_data(data: &BootData) -> Yaml {
    let pairs = || {
        Yaml::Map(
            data.key_values
                .iter()
                .map(|(key, value)| (key.clone(), value.into()))
                .collect(),
        )
    };
    match data {
        BootData {
            content: Some(content),
            source_path: None,
            key_values,
        } if key_values.is_empty() => content.into(),
        _ => {
            let file = Fields::new()
                .with_some("content", data.content.as_ref())
                .with_some("source_path", data.source_path.as_deref().map(beside));
            Fields::new()
                .with_some("content_or_file_data", (!file.is_empty()).then_some(file))
                .with_some(
                    "kvp_data",
                    (!data.key_values.is_empty()).then(|| Fields::new().with("data", pairs())),
                )
                .into()
        }
    }
}

pub(super) fn storage(storage: &VirtualStorage) -> Yaml {
    let (name, property, size) = match storage.kind {
        StorageKind::Block => ("VirtualBlockStorage", "virtual_block_storage_data", "size_of_storage"),
        StorageKind::Object => (
            "VirtualObjectStorage",
            "virtual_object_storage_data",
            "max_size_of_storage",
        ),
        StorageKind::File => ("VirtualFileStorage", "virtual_file_storage_data", "size_of_storage"),
    };
    let protocol = (storage.kind == StorageKind::File).then_some("nfs");
    let size_data = Fields::new()
        .with(size, bytes(storage.size_bytes))
        .with_some("file_system_protocol", protocol)
        .flow();
    let (data, artifacts) = image(storage.sw_image.as_ref());
    let properties = Fields::new().with(property, size_data).with_some("sw_image_data", data);
    Fields::new()
        .with("type", format!("tosca.nodes.nfv.Vdu.{name}"))
        .with("properties", properties)
        .with_some("artifacts", artifacts)
        .into()
}

pub(super) fn container(container: &OsContainer) -> Yaml {
    let (data, artifacts) = image(container.sw_image.as_ref());
    let properties = Fields::new()
        .with("name", &container.name)
        .with_some("sw_image_data", data);
    Fields::new()
        .with("type", "tosca.nodes.nfv.Vdu.OsContainer")
        .with("properties", properties)
        .with_some("artifacts", artifacts)
        .into()
}

pub(super) fn connection_point(vdu: &str, cp: &VduCp) -> Yaml {
    let request = |request: &crate::vnfd::AddressRequest| {
        let l3 = Fields::new()
            .with_some("ip_address_type", request.ip_version.map(ip_version))
            .with("number_of_ip_address", request.number_of_ip_address);
        let address = Fields::new()
            .with("address_type", "ip_address")
            .with("l3_address_data", l3.flow());
        let protocol = request.ip_version.map_or("ipv4", ip_version);
        Yaml::from(
            Fields::new()
                .with("associated_layer_protocol", protocol)
                .with("address_data", Yaml::List(vec![address.flow()])),
        )
    };
    let wanted: Vec<Yaml> = cp.addresses.iter().map(request).collect();
    let properties = Fields::new()
        .with("layer_protocols", protocols(&cp.layer_protocols))
        .with_some("order", cp.order)
        .with_some("vnic_type", cp.vnic_type.as_ref())
        .with_some("bitrate_requirement", cp.bitrate_requirement);
    let properties = match wanted.is_empty() {
        true => properties.flow(),
        false => properties.with("protocol", Yaml::List(wanted)).into(),
    };
    let link = cp.virtual_link.as_ref().map(|link| ("virtual_link", Yaml::from(link)));
    Fields::new()
        .with("type", "tosca.nodes.nfv.VduCp")
        .with("properties", properties)
        .with(
            "requirements",
            requirements([("virtual_binding", Yaml::from(vdu))].into_iter().chain(link)),
        )
        .into()
}
