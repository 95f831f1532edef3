//! A package as a whole: where it begins, whether its files are the ones that were packed, and what it describes.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};

use serde::{Deserialize, Serialize};

use super::manifest::{self, Manifest, Placed};
use super::meta::{self, Meta};
use super::verify::Wanted;
use super::{Csar, Limits, PackageFiles};
use crate::code::Code;
use crate::describe::{Descriptor, describe};
use crate::diagnostic::Diagnostics;
use crate::source::Report;
use crate::tosca::definitions::DefinitionFiles;
use crate::yaml::TEXT_BYTES_MAX;

/// Most bytes of all definitions of a package.
const DEFINITIONS_BYTES_MAX: usize = 64 << 20;

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

pub(super) struct Reading {
    pub(super) report: Report,
    pub(super) contents: Contents,
    pub(super) wanted: Vec<Wanted>,
    /// Definitions, to quote from.
    pub(super) texts: DefinitionFiles,
    pub(super) form: Form,
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

    pub(super) fn unreadable(&mut self, path: &str, error: &std::io::Error) {
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
}

fn is_yaml(path: &str) -> bool {
    path.ends_with(".yaml") || path.ends_with(".yml")
}
