//! Software images: one disk, or a kernel with an initramfs, in the package or elsewhere.

use std::collections::BTreeSet;

use super::{Checksum, SwImageDesc, SwImageSource};
use crate::code::Code;
use crate::source::Report;
use crate::tosca::definitions::join;
use crate::tosca::template::{Artifact, NodeTemplate};
use crate::tosca::types::Sort;
use crate::tosca::values::Env;
use crate::yaml::Node;

const SW_IMAGE: &str = "tosca.artifacts.nfv.SwImage";

/// What stands before the name of an image that this program builds itself.
pub const BUILT_IMAGE_PREFIX: &str = "manifold:image/";

/// The image of a node: `sw_image_data` beside an artifact (SOL001 up to 2.6.1), or artifacts that hold the data themselves.
pub(super) fn image(
    report: &mut Report,
    env: &Env<'_>,
    node: &NodeTemplate,
    properties: &Node,
    artifacts: Option<&BTreeSet<String>>,
) -> Option<SwImageDesc> {
    let images: Vec<&Artifact> = node
        .artifacts
        .iter()
        .filter(|artifact| env.types.is_a(Sort::Artifact, &artifact.type_name, SW_IMAGE))
        .collect();
    let data = properties.get("sw_image_data");
    let data_of = |report: &mut Report, artifact: &Artifact| match (&artifact.properties, data) {
        (Some(given), _) => {
            let owner = format!("{} image", node.name);
            Some(env.properties(
                report,
                Sort::Data,
                "tosca.datatypes.nfv.SwImageData",
                Some(given),
                &owner,
                artifact.span,
            ))
        }
        (None, data) => data.cloned(),
    };
    let broken = |report: &mut Report, message: String| {
        report.error(Code::ImageArtifacts, node.span, message);
        None
    };
    match images.as_slice() {
        [] => {
            let data = data?;
            Some(describe(report, node, data, SwImageSource::ByName))
        }
        [artifact] => {
            let Some(data) = data_of(report, artifact) else {
                let message = format!("the image of `{}` has no sw_image_data", node.name);
                report.error(Code::ImageIncomplete, artifact.span, message);
                return None;
            };
            let source = source(report, env, artifact, artifacts);
            let is_part = matches!(data.str_of("disk_format").as_str(), "aki" | "ari");
            if is_part && matches!(source, SwImageSource::Disk { .. }) {
                return broken(
                    report,
                    format!("`{}` has one half of a kernel and an initramfs", node.name),
                );
            }
            Some(describe(report, node, &data, source))
        }
        [one, two] => {
            let (Some(data_one), Some(data_two)) = (data_of(report, one), data_of(report, two)) else {
                return broken(
                    report,
                    format!("`{}` has two images, and not both are described", node.name),
                );
            };
            let formats = (data_one.str_of("disk_format"), data_two.str_of("disk_format"));
            let (kernel, kernel_data, initramfs, initramfs_data) = match (formats.0.as_str(), formats.1.as_str()) {
                ("aki", "ari") => (one, data_one, two, data_two),
                ("ari", "aki") => (two, data_two, one, data_one),
                _ => {
                    return broken(
                        report,
                        format!("`{}` has two images that are not a kernel and an initramfs", node.name),
                    );
                }
            };
            let (kernel, initramfs) = (
                source(report, env, kernel, artifacts),
                source(report, env, initramfs, artifacts),
            );
            let (SwImageSource::Disk { path: kernel }, SwImageSource::Disk { path: initramfs }) = (kernel, initramfs)
            else {
                return broken(
                    report,
                    format!("kernel and initramfs of `{}` must be files of the package", node.name),
                );
            };
            let initramfs_checksum = checksum(report, &initramfs_data);
            let source = SwImageSource::KernelAndInitramfs {
                kernel,
                initramfs,
                initramfs_checksum,
            };
            Some(describe(report, node, &kernel_data, source))
        }
        _ => broken(report, format!("`{}` has {} images", node.name, images.len())),
    }
}

fn source(
    report: &mut Report,
    env: &Env<'_>,
    artifact: &Artifact,
    artifacts: Option<&BTreeSet<String>>,
) -> SwImageSource {
    if let Some(name) = artifact.file.strip_prefix(BUILT_IMAGE_PREFIX) {
        return SwImageSource::Manifold { name: name.to_owned() };
    }
    if artifact.file.contains("://") {
        return SwImageSource::Uri {
            uri: artifact.file.clone(),
        };
    }
    SwImageSource::Disk {
        path: artifact_path(report, env, artifact, artifacts),
    }
}

/// The path of an artifact from the root of the package. It is relative to the definitions file; many packages write it from the
/// root, which is taken when nothing is at the right place.
pub(super) fn artifact_path(
    report: &mut Report,
    env: &Env<'_>,
    artifact: &Artifact,
    artifacts: Option<&BTreeSet<String>>,
) -> String {
    let right = join(&env.topology.path, &artifact.file);
    let Some(known) = artifacts else {
        return right.unwrap_or_else(|| artifact.file.clone());
    };
    let from_root = join("", &artifact.file);
    let found = [&right, &from_root]
        .into_iter()
        .flatten()
        .find(|path| known.contains(*path));
    if let Some(path) = found {
        return path.clone();
    }
    let file = artifact.file.rsplit('/').next().unwrap_or_default();
    let near = known
        .iter()
        .map(String::as_str)
        .filter(|path| path.rsplit('/').next().is_some_and(|name| name.contains(file)));
    let help = report.candidates(&artifact.file, near);
    report.error_help(
        Code::ArtifactMissing,
        artifact.span,
        format!("`{}` is not in the package", artifact.file),
        help,
    );
    right.unwrap_or_else(|| artifact.file.clone())
}

fn describe(report: &mut Report, node: &NodeTemplate, data: &Node, source: SwImageSource) -> SwImageDesc {
    let checksum = checksum(report, data);
    let size_bytes = data.bytes_of("size");
    // An image that this program builds has no bytes yet when the descriptor is written; one in a registry is known by its digest.
    let must_state = !matches!(source, SwImageSource::Manifold { .. } | SwImageSource::Uri { .. });
    for key in ["checksum", "size"] {
        if must_state && data.get(key).is_none() {
            let message = format!("the image of `{}` does not state its {key}", node.name);
            report.error(Code::ImageIncomplete, data.span, message);
        }
    }
    SwImageDesc {
        id: node.name.clone(),
        name: data.str_of("name"),
        version: data.str_of("version"),
        checksum,
        container_format: data.str_of("container_format"),
        disk_format: data.str_of("disk_format"),
        min_disk_bytes: data.bytes_of("min_disk").unwrap_or(0),
        min_ram_bytes: data.bytes_of("min_ram").unwrap_or(0),
        size_bytes,
        source,
        place: Some(report.place(data.at(&["checksum", "hash"]).unwrap_or(data).span)),
    }
}

fn checksum(report: &mut Report, data: &Node) -> Option<Checksum> {
    let node = data.get("checksum")?;
    let algorithm_node = node.get("algorithm")?;
    let hash_node = node.get("hash")?;
    let algorithm = crate::csar::hash::normal_name(algorithm_node.text().unwrap_or_default());
    let hash = hash_node.text().unwrap_or_default().to_ascii_lowercase();
    match crate::csar::hash::hex_digits(&algorithm) {
        None => report.error(
            Code::HashAlgorithm,
            algorithm_node.span,
            format!("`{algorithm}` is not known here"),
        ),
        Some(digits) if hash.len() != digits || !hash.bytes().all(|b| b.is_ascii_hexdigit()) => {
            let message = format!(
                "a {algorithm} hash has {digits} hexadecimal digits; this has {}",
                hash.len()
            );
            report.error(Code::HashMalformed, hash_node.span, message);
        }
        Some(_) => {}
    }
    Some(Checksum { algorithm, hash })
}
