//! Whether the files are the ones that were packed: hashes, and what the manifest says of the package.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use super::PackageFiles;
use super::hash::{self, Hasher};
use super::manifest::Placed;
use super::package::{File, Reading};
use crate::code::Code;
use crate::describe::Descriptor;
use crate::diagnostic::{Place, Severity};
use crate::source::Span;
use crate::vnfd::{SwImageDesc, SwImageSource};

/// How many bytes of a file are hashed at a time.
const CHUNK_BYTES: usize = 64 << 10;

/// A hash that a file must have, and who says so.
pub(super) struct Wanted {
    path: String,
    algorithm: String,
    hash: String,
    place: Place,
    source_line: Option<String>,
    code: Code,
}

impl Reading {
    /// Notes a hash that a file must have, when it is a hash.
    pub(super) fn want(&mut self, path: &str, algorithm: (&str, Span), hash: (&str, Span), code: Code) {
        let name = hash::normal_name(algorithm.0);
        let Some(digits) = hash::hex_digits(&name) else {
            self.report.error(
                Code::HashAlgorithm,
                algorithm.1,
                format!("`{}` is not known here", algorithm.0),
            );
            return;
        };
        let hash_text = hash.0.to_ascii_lowercase();
        if hash_text.len() != digits || !hash_text.bytes().all(|b| b.is_ascii_hexdigit()) {
            let message = format!(
                "a {name} hash has {digits} hexadecimal digits; this has {}",
                hash_text.chars().count()
            );
            self.report.error(Code::HashMalformed, hash.1, message);
            return;
        }
        let place = self.report.place(hash.1);
        let source_line = self.report.sources.quote(hash.1.file, hash.1.line);
        self.wanted.push(Wanted {
            path: path.to_owned(),
            algorithm: name,
            hash: hash_text,
            place,
            source_line,
            code,
        });
    }

    /// SOL004 and SOL007 require these, and they must not contradict the descriptor.
    pub(super) fn check_metadata(&mut self, placed: &Placed, descriptor: Option<&Descriptor>) {
        let span = placed.metadata_span.unwrap_or(placed.start);
        let metadata = &placed.manifest.metadata;
        if placed.metadata_span.is_none() {
            self.report
                .error(Code::ManifestMetadata, span, "there is no `metadata:` section");
            return;
        }
        let Some(descriptor) = descriptor else { return };
        let (required, agree): (&[&str], Vec<(&str, &str)>) = match descriptor {
            Descriptor::Vnfd(vnfd) => (
                &[
                    "vnf_product_name",
                    "vnf_provider_id",
                    "vnf_package_version",
                    "vnf_release_date_time",
                ],
                vec![
                    ("vnf_product_name", &vnfd.product_name),
                    ("vnf_provider_id", &vnfd.provider),
                    ("vnfd_id", &vnfd.descriptor_id),
                ],
            ),
            Descriptor::Nsd(nsd) => (
                &[
                    "nsd_designer",
                    "nsd_name",
                    "nsd_file_structure_version",
                    "nsd_release_date_time",
                    "nsd_invariant_id",
                ],
                vec![
                    ("nsd_designer", &nsd.designer),
                    ("nsd_name", &nsd.name),
                    ("nsd_invariant_id", &nsd.invariant_id),
                ],
            ),
            Descriptor::Pnfd(pnfd) => (
                &[
                    "pnfd_provider",
                    "pnfd_name",
                    "pnfd_release_date_time",
                    "pnfd_archive_version",
                ],
                vec![("pnfd_provider", &pnfd.provider), ("pnfd_name", &pnfd.name)],
            ),
        };
        for key in required.iter().filter(|key| !metadata.contains_key(**key)) {
            self.report
                .error(Code::ManifestMetadata, span, format!("`{key}` is missing"));
        }
        for (key, stated) in agree {
            if let Some(value) = metadata.get(key).filter(|value| value.as_str() != stated) {
                let span = placed.key_spans.get(key).copied().unwrap_or(span);
                let message = format!("{key} is `{value}` here and `{stated}` in the descriptor");
                self.report.error(Code::ManifestDisagrees, span, message);
            }
        }
    }

    /// Checksums that the descriptor declares of image files.
    pub(super) fn want_images(&mut self, descriptor: Option<&Descriptor>) {
        let Some(Descriptor::Vnfd(vnfd)) = descriptor else {
            return;
        };
        for vdu in vnfd.flavours.iter().flat_map(|flavour| &flavour.vdus) {
            let stored = vdu.storages.iter().filter_map(|storage| storage.sw_image.as_ref());
            let contained = vdu
                .containers
                .iter()
                .filter_map(|container| container.sw_image.as_ref());
            for image in vdu.sw_image.iter().chain(stored).chain(contained) {
                self.want_image(image);
            }
        }
    }

    fn want_image(&mut self, image: &SwImageDesc) {
        let files: Vec<(&String, _)> = match &image.source {
            SwImageSource::Disk { path } => vec![(path, image.checksum.as_ref())],
            SwImageSource::KernelAndInitramfs {
                kernel,
                initramfs,
                initramfs_checksum,
            } => {
                vec![
                    (kernel, image.checksum.as_ref()),
                    (initramfs, initramfs_checksum.as_ref()),
                ]
            }
            SwImageSource::Manifold { .. } | SwImageSource::Uri { .. } | SwImageSource::ByName => return,
        };
        for (path, checksum) in files {
            // A malformed one is already reported where it stands.
            let Some(checksum) = checksum.filter(|c| hash::hex_digits(&c.algorithm) == Some(c.hash.len())) else {
                continue;
            };
            let place = image.place.clone().unwrap_or_else(|| Place::file(path.clone()));
            let text = self
                .texts
                .get(&place.file)
                .and_then(|bytes| std::str::from_utf8(bytes).ok())
                .unwrap_or_default();
            self.wanted.push(Wanted {
                path: path.clone(),
                algorithm: checksum.algorithm.clone(),
                hash: checksum.hash.clone(),
                source_line: crate::diagnostic::quote(text, place.line),
                place,
                code: Code::ImageHashMismatch,
            });
        }
    }

    /// Reads every file once: SHA-256 for all, and whatever else somebody stated.
    pub(super) fn hash_all(&mut self, files: &mut dyn PackageFiles) {
        let mut by_path: BTreeMap<String, Vec<Wanted>> = BTreeMap::new();
        for wanted in std::mem::take(&mut self.wanted) {
            by_path.entry(wanted.path.clone()).or_default().push(wanted);
        }
        let listed: Vec<String> = files.paths().keys().cloned().collect();
        let mut chunk = vec![0; CHUNK_BYTES];
        for path in listed {
            let wanted = by_path.remove(&path).unwrap_or_default();
            let mut algorithms: BTreeSet<&str> = wanted.iter().map(|w| w.algorithm.as_str()).collect();
            algorithms.insert("sha-256");
            let mut hashers: Vec<(&str, Hasher)> = algorithms
                .into_iter()
                .filter_map(|name| Some((name, Hasher::new(name)?)))
                .collect();
            let mut size_bytes = 0;
            let read = files.open(&path).and_then(|mut file| {
                loop {
                    let n = file.read(&mut chunk)?;
                    if n == 0 {
                        return Ok(());
                    }
                    size_bytes += n as u64;
                    hashers.iter_mut().for_each(|(_, hasher)| hasher.update(&chunk[..n]));
                }
            });
            if let Err(error) = read {
                self.unreadable(&path, &error);
                continue;
            }
            let hashes: BTreeMap<&str, String> = hashers
                .into_iter()
                .map(|(name, hasher)| (name, hasher.finish()))
                .collect();
            let mut is_protected = !wanted.is_empty();
            for w in &wanted {
                let Some(real) = hashes.get(w.algorithm.as_str()).filter(|real| **real != w.hash) else {
                    continue;
                };
                is_protected = false;
                self.report.diagnostics.push(crate::diagnostic::Diagnostic {
                    code: w.code,
                    severity: Severity::Error,
                    place: w.place.clone(),
                    message: format!("`{path}` has the {} hash {real}; {} is stated", w.algorithm, w.hash),
                    help: None,
                    source_line: w.source_line.clone(),
                });
            }
            let sha256 = hashes.get("sha-256").cloned().unwrap_or_default();
            self.contents.files.insert(
                path,
                File {
                    size_bytes,
                    sha256,
                    is_protected,
                },
            );
        }
    }

    /// Files that no hash protects, though there is a manifest. The manifest cannot hold its own; a signature covers it.
    pub(super) fn uncovered(&mut self, placed: &Placed) {
        let free = |path: &str| {
            path == placed.manifest.path
                || [".cms", ".p7s", ".sig", ".cert", ".pem"]
                    .iter()
                    .any(|end| path.ends_with(end))
        };
        let listed: BTreeSet<&str> = placed
            .manifest
            .sources
            .iter()
            .map(|source| source.source.as_str())
            .collect();
        let bare: Vec<String> = self
            .contents
            .files
            .keys()
            .filter(|path| !free(path) && !listed.contains(path.as_str()))
            .cloned()
            .collect();
        for path in bare {
            self.report
                .diagnostics
                .warning_in(Code::NotInManifest, &path, "the manifest does not list this file");
        }
    }
}
