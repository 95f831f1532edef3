//! What VDUs of SOL006 name: computes, storages and images.

use std::collections::BTreeMap;

use super::vnfd::twice;
use crate::code::Code;
use crate::fields::{Fields, Reader, Word};
use crate::vnfd::{Checksum, StorageKind, SwImageDesc, SwImageSource, VirtualCompute};

const MIB: u64 = 1 << 20;

/// Most disks and capabilities of one compute, which every VDU that names it gets.
const PER_COMPUTE_MAX: usize = 64;

/// What VDUs refer to.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) computes: BTreeMap<String, VirtualCompute>,
    pub(super) storages: BTreeMap<String, Storage>,
    images: BTreeMap<String, SwImageDesc>,
}

/// A storage: the disk that a machine has anyway, or a volume of its own.
pub(super) struct Storage {
    pub(super) size_bytes: u64,
    pub(super) kind: Option<StorageKind>,
    pub(super) image: Option<Word>,
}

impl Parts {
    pub(super) fn read(reader: &mut Reader, vnfd: &mut Fields<'_>) -> Self {
        let mut parts = Self::default();
        for mut fields in vnfd.maps(reader, "virtual-compute-desc", "a virtual compute") {
            let id = fields.need(reader, "id");
            let compute = compute(reader, &mut fields);
            fields.finish(reader);
            let Some(id) = id else { continue };
            if parts.computes.insert(id.text.clone(), compute).is_some() {
                twice(reader, id.span, "virtual computes", &id.text);
            }
        }
        for mut fields in vnfd.maps(reader, "virtual-storage-desc", "a virtual storage") {
            let id = fields.need(reader, "id");
            let storage = storage(reader, &mut fields);
            fields.finish(reader);
            let Some(id) = id else { continue };
            if parts.storages.insert(id.text.clone(), storage).is_some() {
                twice(reader, id.span, "virtual storages", &id.text);
            }
        }
        for mut fields in vnfd.maps(reader, "sw-image-desc", "a software image") {
            let id = fields.need(reader, "id");
            let image = id.as_ref().map(|id| image(reader, &mut fields, id));
            fields.finish(reader);
            let (Some(id), Some(image)) = (id, image) else { continue };
            if parts.images.insert(id.text.clone(), image).is_some() {
                twice(reader, id.span, "software images", &id.text);
            }
        }
        parts
    }

    pub(super) fn image(&self, reader: &mut Reader, word: &Word) -> Option<SwImageDesc> {
        let found = self.images.get(&word.text).cloned();
        if found.is_none() {
            let message = format!("there is no software image `{}`", word.text);
            reader.unknown_name(word.span, message, &word.text, self.images.keys().map(String::as_str));
        }
        found
    }
}

fn compute(reader: &mut Reader, fields: &mut Fields<'_>) -> VirtualCompute {
    let mut compute = VirtualCompute::default();
    if let Some(mut cpu) = fields.map(reader, "virtual-cpu", "a virtual CPU") {
        compute.num_virtual_cpu = cpu.count(reader, "num-virtual-cpu").unwrap_or(0);
        compute.cpu_architecture = cpu.text(reader, "cpu-architecture");
        if let Some(mut pinning) = cpu.map(reader, "pinning", "CPU pinning") {
            compute.static_cpu_pinning = pinning.text(reader, "policy").as_deref() == Some("static");
            pinning.without_effect(reader, &["rules", "thread-policy"]);
            pinning.finish(reader);
        }
        cpu.without_effect(
            reader,
            &[
                "clock",
                "num-virtual-cpu-core",
                "virtual-cpu-oversubscription-policy",
                "oversubscription-policy",
                "vdu-cpu-requirements",
                "power-state",
                "processor",
            ],
        );
        cpu.finish(reader);
    }
    if let Some(mut memory) = fields.map(reader, "virtual-memory", "a virtual memory") {
        let bytes = super::gigabytes(reader, &mut memory, "size").unwrap_or(0);
        compute.virtual_mem_size_mib = bytes.div_ceil(MIB);
        memory.without_effect(
            reader,
            &[
                "over-subscription-policy",
                "vdu-mem-requirements",
                "numa-enabled",
                "numa-node-policy",
                "mempage-size",
            ],
        );
        memory.finish(reader);
    }
    for mut disk in fields.maps(reader, "virtual-disk", "a local disk") {
        let bytes = super::gigabytes(reader, &mut disk, "size-of-storage");
        if compute.virtual_local_storage_bytes.len() < PER_COMPUTE_MAX {
            compute.virtual_local_storage_bytes.extend(bytes);
        } else {
            let message = format!("more than {PER_COMPUTE_MAX} disks of one machine");
            reader.report.error(Code::ScaleLimit, disk.span(), message);
        }
        disk.without_effect(reader, &["type-of-storage", "vdu-storage-requirements"]);
        disk.finish(reader);
    }
    for name in ["request-additional-capability", "requested-additional-capability"] {
        for mut asked in fields.maps(reader, name, "an additional capability") {
            let capability = asked.need(reader, "requested-additional-capability-name");
            let mandatory = asked.flag(reader, "support-mandatory").unwrap_or(false);
            asked.without_effect(
                reader,
                &[
                    "min-requested-additional-capability-version",
                    "preferred-requested-additional-capability-version",
                    "target-performance-parameters",
                ],
            );
            asked.finish(reader);
            if compute.requested_additional_capabilities.len() >= PER_COMPUTE_MAX {
                let message = format!("more than {PER_COMPUTE_MAX} capabilities of one machine");
                reader.report.error(Code::ScaleLimit, fields.span(), message);
                break;
            }
            if let Some(capability) = capability {
                compute
                    .requested_additional_capabilities
                    .insert(capability.text, mandatory);
            }
        }
    }
    fields.without_effect(
        reader,
        &["logical-node", "logical-node-requirements", "compute-requirements"],
    );
    compute
}

fn storage(reader: &mut Reader, fields: &mut Fields<'_>) -> Storage {
    let kind = fields.word(reader, "type-of-storage");
    let mut size_bytes = super::gigabytes(reader, fields, "size-of-storage").unwrap_or(0);
    let mut stated = None;
    for (name, kind) in [
        ("block-storage-data", StorageKind::Block),
        ("object-storage-data", StorageKind::Object),
        ("file-system-storage-data", StorageKind::File),
    ] {
        let Some(mut data) = fields.map(reader, name, "the data of a storage") else {
            continue;
        };
        stated = Some(kind);
        let field = if kind == StorageKind::Object {
            "max-size-of-storage"
        } else {
            "size-of-storage"
        };
        size_bytes = super::gigabytes(reader, &mut data, field).unwrap_or(size_bytes);
        data.without_effect(
            reader,
            &[
                "rdma-enabled",
                "vdu-storage-requirements",
                "file-system-protocol",
                "int-virtual-link-desc",
            ],
        );
        data.finish(reader);
    }
    let image = fields.word(reader, "sw-image-desc");
    fields.without_effect(
        reader,
        &[
            "rdma-enabled",
            "vdu-storage-requirements",
            "vdu-storage-requirement",
            "per-vnfc-instance",
        ],
    );
    let by_type = kind.and_then(|word| {
        let name = crate::formats::local(&word.text).to_ascii_lowercase();
        match name.as_str() {
            "root-storage" | "ephemeral-storage" | "swap-storage" => None,
            "block" | "block-storage" | "volume" | "persistent-storage" => Some(StorageKind::Block),
            "object" | "object-storage" => Some(StorageKind::Object),
            "file" | "file-storage" => Some(StorageKind::File),
            _ => {
                let message = format!("`{}` is no type of storage that is known here", word.text);
                reader.report.error(Code::FieldMalformed, word.span, message);
                None
            }
        }
    });
    Storage {
        size_bytes,
        kind: stated.or(by_type),
        image,
    }
}

fn image(reader: &mut Reader, fields: &mut Fields<'_>, id: &Word) -> SwImageDesc {
    let name = fields.text(reader, "name").unwrap_or_else(|| id.text.clone());
    let file = fields.word(reader, "image").or(fields.word(reader, "sw-image"));
    let checksum = match fields.get("checksum") {
        Some(node) if node.text().is_none() => {
            let inner = fields.map(reader, "checksum", "a checksum");
            inner.and_then(|mut inner| {
                let (algorithm, hash) = (inner.need(reader, "algorithm"), inner.need(reader, "hash"));
                inner.finish(reader);
                checksum(reader, algorithm?, hash?)
            })
        }
        Some(node) => {
            // The form before 2.7: a hash, and nothing about how it is made.
            reader.unused("a software image", "checksum", node.span);
            None
        }
        None => None,
    };
    let source = match &file {
        Some(word) if word.text.contains("://") => SwImageSource::Uri { uri: word.text.clone() },
        Some(word) if word.text.contains('/') => SwImageSource::Disk {
            path: word.text.trim_start_matches('/').to_owned(),
        },
        _ => SwImageSource::ByName,
    };
    if source == SwImageSource::ByName {
        let message = format!("the image `{name}` is looked for where the descriptor was written for");
        reader.report.warning(Code::ImageElsewhere, id.span, message);
    }
    let desc = SwImageDesc {
        id: id.text.clone(),
        version: fields
            .text(reader, "version")
            .unwrap_or_else(|| crate::openmano::VERSION.to_owned()),
        checksum,
        container_format: fields
            .text(reader, "container-format")
            .unwrap_or_else(|| "bare".to_owned())
            .to_ascii_lowercase(),
        disk_format: fields
            .text(reader, "disk-format")
            .unwrap_or_else(|| "qcow2".to_owned())
            .to_ascii_lowercase(),
        min_disk_bytes: super::gigabytes(reader, fields, "min-disk").unwrap_or(0),
        min_ram_bytes: super::gigabytes(reader, fields, "min-ram").unwrap_or(0),
        size_bytes: super::gigabytes(reader, fields, "size"),
        source,
        name: match file {
            Some(word) if !word.text.contains('/') => word.text,
            _ => name,
        },
        place: Some(reader.report.place(id.span)),
    };
    fields.without_effect(
        reader,
        &[
            "provider",
            "operating-system",
            "supported-virtualization-environment",
            "supported-virtualisation-environment",
            "vim-type",
        ],
    );
    desc
}

fn checksum(reader: &mut Reader, algorithm: Word, hash: Word) -> Option<Checksum> {
    let name = crate::csar::hash::normal_name(&algorithm.text);
    let Some(digits) = crate::csar::hash::hex_digits(&name) else {
        let message = format!("`{}` is not known here", algorithm.text);
        reader.report.error(Code::HashAlgorithm, algorithm.span, message);
        return None;
    };
    let text = hash.text.to_ascii_lowercase();
    if text.len() != digits || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let message = format!("a {name} hash has {digits} hexadecimal digits");
        reader.report.error(Code::HashMalformed, hash.span, message);
        return None;
    }
    Some(Checksum {
        algorithm: name,
        hash: text,
    })
}
