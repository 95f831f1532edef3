//! A package as a whole: where it begins, whether its files are the ones that were packed, and what it describes.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};

use serde::{Deserialize, Serialize};

use super::hash::{self, Hasher};
use super::manifest::{self, Manifest, Placed};
use super::meta::{self, Meta};
use super::{Csar, Limits, PackageFiles};
use crate::code::Code;
use crate::describe::{Descriptor, describe};
use crate::diagnostic::{Diagnostics, Place, Severity};
use crate::source::{Report, Span};
use crate::tosca::definitions::DefinitionFiles;
use crate::vnfd::{SwImageDesc, SwImageSource};
use crate::yaml::TEXT_BYTES_MAX;

/// Most bytes of all definitions of a package.
const DEFINITIONS_BYTES_MAX: usize = 64 << 20;

/// How many bytes of a file are hashed at a time.
const CHUNK_BYTES: usize = 64 << 10;

/// Where the files are: an archive must carry a TOSCA.meta and a manifest, a folder gets them when it is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// An archive.
    Archive,
    /// A folder that an archive will be built from.
    Folder,
}

/// A package, as far as it could be read.
#[derive(Debug, Clone)]
pub struct Package {
    /// What it describes. With errors in the diagnostics it is for looking at, not for use.
    pub descriptor: Option<Descriptor>,
    /// What is in it.
    pub contents: Contents,
    /// All that is wrong with it, sorted by place.
    pub diagnostics: Diagnostics,
}

/// What is in a package.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Contents {
    /// The definitions file to start from.
    pub entry_definitions: Option<String>,
    /// The manifest, where there is one.
    pub manifest: Option<Manifest>,
    /// Whether it is signed. No signature is verified in this version.
    pub signature: Signature,
    /// All files by path, with SHA-256 hashes as computed here.
    pub files: BTreeMap<String, File>,
    /// The change history (`ETSI-Entry-Change-Log`), where named.
    pub change_log: Option<String>,
    /// Folder of licences (`ETSI-Entry-Licenses`), where named.
    pub licenses: Option<String>,
    /// Folder of tests (`ETSI-Entry-Tests`), where named.
    pub tests: Option<String>,
}

/// A file of a package.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct File {
    /// Size in bytes.
    pub size_bytes: u64,
    /// SHA-256 in hexadecimal, computed.
    pub sha256: String,
    /// Whether the manifest, TOSCA.meta or the descriptor states a hash of it, and all that do are right.
    pub is_protected: bool,
}

/// Whether a package is signed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Signature {
    /// Nothing in it is a signature.
    #[default]
    Absent,
    /// There is a signature, and it was not verified.
    NotVerified,
}

impl Package {
    /// Descriptor and contents when there is no error; else all that is wrong.
    pub fn into_result(self) -> Result<(Descriptor, Contents), Diagnostics> {
        match self.descriptor {
            Some(descriptor) if !self.diagnostics.has_errors() => Ok((descriptor, self.contents)),
            _ => Err(self.diagnostics),
        }
    }
}

/// Reads an archive: everything is checked, every byte hashed once, nothing kept but definitions.
pub fn read_package<R: Read + Seek>(reader: R, limits: &Limits) -> Package {
    match Csar::open(reader, limits) {
        Ok(mut csar) => read_files(&mut csar, Form::Archive),
        Err(diagnostics) => Package {
            descriptor: None,
            contents: Contents::default(),
            diagnostics,
        },
    }
}

/// Reads a package whose files are at hand, whatever they lie in.
pub fn read_files(files: &mut dyn PackageFiles, form: Form) -> Package {
    let mut reading = Reading {
        report: Report::default(),
        contents: Contents::default(),
        wanted: Vec::new(),
        texts: DefinitionFiles::new(),
        form,
    };
    let descriptor = reading.run(files);
    let mut diagnostics = reading.report.diagnostics;
    diagnostics.sort();
    Package {
        descriptor,
        contents: reading.contents,
        diagnostics,
    }
}

/// A hash that a file must have, and who says so.
struct Wanted {
    path: String,
    algorithm: String,
    hash: String,
    place: Place,
    source_line: Option<String>,
    code: Code,
}

struct Reading {
    report: Report,
    contents: Contents,
    wanted: Vec<Wanted>,
    /// Definitions, to quote from.
    texts: DefinitionFiles,
    form: Form,
}

impl Reading {
    fn run(&mut self, files: &mut dyn PackageFiles) -> Option<Descriptor> {
        let paths: BTreeSet<String> = files.paths().keys().cloned().collect();
        let meta = self.meta(files, &paths);
        let entry = self.entry(files, &paths, meta.as_ref());
        let placed = self.manifest(files, &paths, meta.as_ref(), entry.as_deref());
        self.signature(&paths, meta.as_ref(), placed.as_ref());
        let descriptor = entry.as_ref().and_then(|entry| self.definitions(files, &paths, entry));
        if let Some(placed) = &placed {
            self.check_metadata(placed, descriptor.as_ref());
        }
        self.contents.entry_definitions = entry;
        self.want_images(descriptor.as_ref());
        self.hash_all(files);
        if let (Some(placed), Form::Archive) = (&placed, self.form) {
            self.uncovered(placed);
        }
        self.contents.manifest = placed.map(|placed| placed.manifest);
        descriptor
    }

    fn text(&mut self, files: &mut dyn PackageFiles, path: &str) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let read = files
            .open(path)
            .and_then(|file| file.take(TEXT_BYTES_MAX as u64 + 1).read_to_end(&mut bytes));
        match read {
            Ok(_) => Some(bytes),
            Err(error) => {
                self.unreadable(path, &error);
                None
            }
        }
    }

    fn unreadable(&mut self, path: &str, error: &std::io::Error) {
        let code = if self.form == Form::Archive {
            Code::DamagedEntry
        } else {
            Code::FolderUnreadable
        };
        self.report.diagnostics.error_in(code, path, error.to_string());
    }

    fn meta(&mut self, files: &mut dyn PackageFiles, paths: &BTreeSet<String>) -> Option<Meta> {
        if !paths.contains(meta::PATH) {
            return None;
        }
        let bytes = self.text(files, meta::PATH)?;
        let Ok(text) = String::from_utf8(bytes) else {
            self.report.diagnostics.error_in(Code::NotUtf8, meta::PATH, "not UTF-8");
            return None;
        };
        let meta = meta::read(&mut self.report, &text);
        let mut named = |key: &str| {
            let entry = meta.get(key)?;
            let is_there = paths.contains(&entry.value)
                || paths
                    .iter()
                    .any(|path| path.starts_with(&format!("{}/", entry.value.trim_end_matches('/'))));
            if !is_there {
                self.report.error(
                    Code::MetaFileMissing,
                    entry.span,
                    format!("`{}` is not in the package", entry.value),
                );
            }
            Some(entry.value.clone())
        };
        self.contents.change_log = named("ETSI-Entry-Change-Log");
        self.contents.licenses = named("ETSI-Entry-Licenses");
        self.contents.tests = named("ETSI-Entry-Tests");
        named("ETSI-Entry-Certificate");
        // Blocks about single files (SOL004 puts hashes into the manifest; some packers put them here).
        for block in meta.blocks.iter().skip(1) {
            let Some(name) = meta::find(block, "Name").or_else(|| meta::find(block, "Source")) else {
                continue;
            };
            if !paths.contains(&name.value) {
                let help = self.report.candidates(&name.value, paths.iter().map(String::as_str));
                let message = format!("`{}` is not in the package", name.value);
                self.report.error_help(Code::MetaFileMissing, name.span, message, help);
            }
            if let (Some(algorithm), Some(hash)) = (meta::find(block, "Algorithm"), meta::find(block, "Hash")) {
                let (algorithm, hash) = (
                    (algorithm.value.as_str(), algorithm.span),
                    (hash.value.as_str(), hash.span),
                );
                self.want(&name.value, algorithm, hash, Code::HashMismatch);
            }
        }
        Some(meta)
    }

    /// Notes a hash that a file must have, when it is a hash.
    fn want(&mut self, path: &str, algorithm: (&str, Span), hash: (&str, Span), code: Code) {
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

    fn entry(&mut self, files: &mut dyn PackageFiles, paths: &BTreeSet<String>, meta: Option<&Meta>) -> Option<String> {
        if let Some(meta) = meta {
            let entry = meta.get("Entry-Definitions")?;
            if paths.contains(&entry.value) {
                return Some(entry.value.clone());
            }
            let definitions = paths.iter().filter(|path| is_yaml(path)).map(String::as_str);
            let help = self.report.candidates(&entry.value, definitions);
            let message = format!("the entry definitions `{}` are not in the package", entry.value);
            self.report.error_help(Code::MetaFileMissing, entry.span, message, help);
            return None;
        }
        let at_root: Vec<&String> = paths
            .iter()
            .filter(|path| is_yaml(path) && !path.contains('/'))
            .collect();
        let in_definitions: Vec<&String> = paths
            .iter()
            .filter(|path| is_yaml(path) && path.starts_with("Definitions/"))
            .collect();
        let choice = match (at_root.as_slice(), self.form) {
            // A folder needs no TOSCA.meta: the one definitions file that no other imports is the entry.
            ([], Form::Folder) => self.not_imported(files, &in_definitions),
            _ => at_root.into_iter().cloned().collect(),
        };
        match choice.as_slice() {
            [one] => return Some(one.clone()),
            [] => {
                let inner = paths
                    .iter()
                    .any(|path| path.ends_with(".csar") || path.ends_with(".zip"));
                let message = if inner {
                    "this is an envelope around another archive: take out the inner one"
                } else {
                    "nothing says where the package begins"
                };
                self.report.diagnostics.error_in(Code::NoEntryDefinitions, "", message);
            }
            several => {
                let message = format!("any of {} could be the one to start from", several.join(", "));
                self.report
                    .diagnostics
                    .error_in(Code::SeveralEntryDefinitions, "", message);
            }
        }
        None
    }

    fn not_imported(&mut self, files: &mut dyn PackageFiles, definitions: &[&String]) -> Vec<String> {
        let mut texts = DefinitionFiles::new();
        for path in definitions {
            if let Some(bytes) = self.text(files, path) {
                texts.insert((*path).clone(), bytes);
            }
        }
        let imported: BTreeSet<String> = texts
            .iter()
            .flat_map(|(path, bytes)| crate::tosca::definitions::imports_of(path, bytes))
            .collect();
        texts
            .into_keys()
            .filter(|path| !imported.contains(path) && !crate::tosca::definitions::is_etsi(path))
            .collect()
    }

    fn manifest(
        &mut self,
        files: &mut dyn PackageFiles,
        paths: &BTreeSet<String>,
        meta: Option<&Meta>,
        entry: Option<&str>,
    ) -> Option<Placed> {
        if self.form == Form::Folder {
            return None;
        }
        let named = meta.and_then(|meta| meta.get("ETSI-Entry-Manifest").or_else(|| meta.get("Entry-Manifest")));
        let at_root: Vec<&String> = paths
            .iter()
            .filter(|path| path.ends_with(".mf") && !path.contains('/'))
            .collect();
        let beside = entry
            .and_then(|entry| entry.rsplit_once('.'))
            .map(|(stem, _)| format!("{stem}.mf"));
        let path = match (named, at_root.as_slice()) {
            (Some(named), _) if paths.contains(&named.value) => named.value.clone(),
            (Some(named), _) => {
                let message = format!("the manifest `{}` is not in the package", named.value);
                self.report.error(Code::MetaFileMissing, named.span, message);
                return None;
            }
            (None, [one]) => (*one).clone(),
            _ => match beside.filter(|path| paths.contains(path)) {
                Some(path) => path,
                None => {
                    self.report
                        .diagnostics
                        .warning_in(Code::NoManifest, "", "the package has no manifest");
                    return None;
                }
            },
        };
        let bytes = self.text(files, &path)?;
        let Ok(text) = String::from_utf8(bytes) else {
            self.report.diagnostics.error_in(Code::NotUtf8, &path, "not UTF-8");
            return None;
        };
        let placed = manifest::read(&mut self.report, &path, &text);
        for (source, [start, hash_span, algorithm_span]) in placed.manifest.sources.iter().zip(&placed.places) {
            if source.source.contains("://") {
                continue;
            }
            if !paths.contains(&source.source) {
                let help = self.report.candidates(&source.source, paths.iter().map(String::as_str));
                let message = format!("`{}` is not in the package", source.source);
                self.report.error_help(Code::ManifestFileMissing, *start, message, help);
            }
            match (&source.algorithm, &source.hash) {
                (Some(algorithm), Some(hash)) => {
                    let (algorithm, hash) = ((algorithm.as_str(), *algorithm_span), (hash.as_str(), *hash_span));
                    self.want(&source.source, algorithm, hash, Code::HashMismatch);
                }
                _ => self
                    .report
                    .error(Code::HashMalformed, *start, "the source has no algorithm or no hash"),
            }
        }
        Some(placed)
    }

    fn signature(&mut self, paths: &BTreeSet<String>, meta: Option<&Meta>, placed: Option<&Placed>) {
        let by_file = paths
            .iter()
            .find(|path| [".cms", ".p7s", ".sig"].iter().any(|end| path.ends_with(end)));
        let in_manifest = placed
            .filter(|placed| placed.manifest.has_signature)
            .map(|placed| placed.manifest.path.clone());
        let by_meta = meta
            .and_then(|meta| meta.get("ETSI-Entry-Certificate"))
            .map(|entry| entry.value.clone());
        if let Some(file) = by_file.cloned().or(in_manifest).or(by_meta) {
            self.contents.signature = Signature::NotVerified;
            self.report
                .diagnostics
                .warning_in(Code::SignatureNotVerified, &file, "the signature was not verified");
        }
    }

    fn definitions(
        &mut self,
        files: &mut dyn PackageFiles,
        paths: &BTreeSet<String>,
        entry: &str,
    ) -> Option<Descriptor> {
        let mut texts = DefinitionFiles::new();
        let mut total = 0;
        for path in paths.iter().filter(|path| is_yaml(path)) {
            let Some(bytes) = self.text(files, path) else { continue };
            total += bytes.len();
            if total > DEFINITIONS_BYTES_MAX {
                let message = format!("more than {DEFINITIONS_BYTES_MAX} bytes of YAML in the package");
                self.report.diagnostics.error_in(Code::YamlLimit, path, message);
                return None;
            }
            texts.insert(path.clone(), bytes);
        }
        let described = describe(entry, &texts, Some(paths));
        self.report.diagnostics.extend(described.diagnostics);
        let folder = entry.rsplit_once('/').map_or("", |(folder, _)| folder);
        for path in described.not_imported {
            let beside = path.rsplit_once('/').map_or("", |(folder, _)| folder) == folder;
            if beside {
                self.report
                    .diagnostics
                    .warning_in(Code::DefinitionsNotImported, &path, "nothing imports this file");
            }
        }
        self.texts = texts;
        described.descriptor
    }

    /// SOL004 and SOL007 require these, and they must not contradict the descriptor.
    fn check_metadata(&mut self, placed: &Placed, descriptor: Option<&Descriptor>) {
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
    fn want_images(&mut self, descriptor: Option<&Descriptor>) {
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
    fn hash_all(&mut self, files: &mut dyn PackageFiles) {
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
    fn uncovered(&mut self, placed: &Placed) {
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

fn is_yaml(path: &str) -> bool {
    path.ends_with(".yaml") || path.ends_with(".yml")
}
