//! Building a package: the same files give the same bytes, whenever and wherever.

use std::io::{self, Read, Seek, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipWriter};

use super::hash::Hasher;
use super::package::{Contents, Form, read_files};
use super::{PackageFiles, meta};
use crate::describe::Descriptor;
use crate::diagnostic::Diagnostics;

/// What cannot be read from the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildOptions {
    /// When the package was released, in the form of RFC 3339. There is no clock here: the default is the earliest time that an
    /// archive can hold, so that the same files give the same package.
    pub release_date_time: String,
    /// Version of the package; the descriptor's own where `None`.
    pub package_version: Option<String>,
}

impl Default for BuildOptions {
    fn default() -> Self {
        Self {
            release_date_time: "1980-01-01T00:00:00Z".into(),
            package_version: None,
        }
    }
}

/// A package that was built.
#[derive(Debug, Clone)]
pub struct Built {
    /// What it describes.
    pub descriptor: Descriptor,
    /// What is in it, the files that the build wrote not counted.
    pub contents: Contents,
    /// Warnings.
    pub diagnostics: Diagnostics,
}

/// Why no package was built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The files have faults.
    #[error("the package has faults:\n{0}")]
    Faults(Diagnostics),
    /// The archive could not be written, or a file could not be read any more.
    #[error("the archive could not be written")]
    Io(#[source] io::Error),
}

/// Checks the files and writes them as an archive: entries sorted, times fixed, a TOSCA.meta and a manifest with a SHA-256 hash
/// of every file. A TOSCA.meta among the files says where to begin and is written anew; so is a manifest at the root.
pub fn build<W: Write + Seek>(
    files: &mut dyn PackageFiles,
    options: &BuildOptions,
    sink: W,
) -> Result<Built, BuildError> {
    let package = read_files(files, Form::Folder);
    let diagnostics = package.diagnostics.clone();
    let (descriptor, contents) = package.into_result().map_err(BuildError::Faults)?;
    let entry = contents
        .entry_definitions
        .clone()
        .expect("a package with a descriptor has entry definitions");
    let stem = entry.rsplit('/').next().unwrap_or(&entry);
    let manifest_path = format!("{}.mf", stem.rsplit_once('.').map_or(stem, |(stem, _)| stem));

    let is_written_here = |path: &str| path == meta::PATH || (path.ends_with(".mf") && !path.contains('/'));
    let taken: Vec<&String> = contents.files.keys().filter(|path| !is_written_here(path)).collect();
    let meta_text = meta_text(&entry, &manifest_path, &taken);
    let mut hashes: Vec<(String, String)> = taken
        .iter()
        .map(|path| ((*path).clone(), contents.files[*path].sha256.clone()))
        .collect();
    hashes.push((meta::PATH.to_owned(), super::hash::sha256(meta_text.as_bytes())));
    hashes.sort();
    let manifest_text = manifest_text(&descriptor, options, &hashes);

    let mut names: Vec<&str> = taken.iter().map(|path| path.as_str()).collect();
    names.extend([meta::PATH, manifest_path.as_str()]);
    names.sort_unstable();
    let mut zip = ZipWriter::new(sink);
    for name in names {
        let size = contents.files.get(name).map_or(0, |file| file.size_bytes);
        let entry_options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default())
            .system(System::Unix)
            .unix_permissions(0o644)
            .large_file(size > u64::from(u32::MAX));
        zip.start_file(name, entry_options)
            .map_err(|error| BuildError::Io(io::Error::other(error)))?;
        if name == meta::PATH {
            zip.write_all(meta_text.as_bytes()).map_err(BuildError::Io)?;
        } else if name == manifest_path {
            zip.write_all(manifest_text.as_bytes()).map_err(BuildError::Io)?;
        } else {
            copy(files, name, &contents.files[name].sha256, &mut zip).map_err(BuildError::Io)?;
        }
    }
    zip.finish().map_err(|error| BuildError::Io(io::Error::other(error)))?;
    Ok(Built {
        descriptor,
        contents,
        diagnostics,
    })
}

/// Copies a file and makes sure that it still is the one whose hash stands in the manifest.
fn copy(files: &mut dyn PackageFiles, path: &str, sha256: &str, sink: &mut dyn Write) -> io::Result<()> {
    let mut hasher = Hasher::new("sha-256").expect("SHA-256 is known");
    let mut file = files.open(path)?;
    let mut chunk = vec![0; 64 << 10];
    loop {
        let n = file.read(&mut chunk)?;
        if n == 0 {
            break;
        }
        hasher.update(&chunk[..n]);
        sink.write_all(&chunk[..n])?;
    }
    if hasher.finish() != sha256 {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("`{path}` changed while the package was built"),
        ));
    }
    Ok(())
}

fn meta_text(entry: &str, manifest: &str, files: &[&String]) -> String {
    let mut text = format!(
        "TOSCA-Meta-File-Version: 1.0\nCSAR-Version: 1.1\nCreated-By: Manifold\nEntry-Definitions: {entry}\nETSI-Entry-Manifest: {manifest}\n"
    );
    let log = files.iter().find(|path| {
        matches!(
            path.as_str(),
            "ChangeLog.txt" | "Files/ChangeLog.txt" | "Artifacts/ChangeLog.txt"
        )
    });
    if let Some(log) = log {
        text.push_str(&format!("ETSI-Entry-Change-Log: {log}\n"));
    }
    for (key, name) in [("ETSI-Entry-Licenses", "Licenses"), ("ETSI-Entry-Tests", "Tests")] {
        let folders = [name.to_owned(), format!("Files/{name}"), format!("Artifacts/{name}")];
        if let Some(folder) = folders
            .iter()
            .find(|folder| files.iter().any(|path| path.starts_with(&format!("{folder}/"))))
        {
            text.push_str(&format!("{key}: {folder}\n"));
        }
    }
    text
}

fn manifest_text(descriptor: &Descriptor, options: &BuildOptions, hashes: &[(String, String)]) -> String {
    let released = options.release_date_time.as_str();
    let version = |own: &str| options.package_version.clone().unwrap_or_else(|| own.to_owned());
    let mut lines: Vec<(&str, String)> = match descriptor {
        Descriptor::Vnfd(vnfd) => vec![
            ("vnfd_id", vnfd.descriptor_id.clone()),
            ("vnf_product_name", vnfd.product_name.clone()),
            ("vnf_provider_id", vnfd.provider.clone()),
            ("vnf_package_version", version(&vnfd.descriptor_version)),
            ("vnf_software_version", vnfd.software_version.clone()),
            ("vnf_release_date_time", released.to_owned()),
            ("vnfm_info", vnfd.vnfm_info.join(",")),
        ],
        Descriptor::Nsd(nsd) => vec![
            ("nsd_designer", nsd.designer.clone()),
            ("nsd_invariant_id", nsd.invariant_id.clone()),
            ("nsd_name", nsd.name.clone()),
            ("nsd_release_date_time", released.to_owned()),
            ("nsd_file_structure_version", version(&nsd.version)),
        ],
        Descriptor::Pnfd(pnfd) => vec![
            ("pnfd_provider", pnfd.provider.clone()),
            ("pnfd_name", pnfd.name.clone()),
            ("pnfd_release_date_time", released.to_owned()),
            ("pnfd_archive_version", version(&pnfd.version)),
        ],
    };
    lines.push(("compatible_specification_versions", "2.6.1,3.3.1,4.4.1".to_owned()));
    let mut text = String::from("metadata:\n");
    for (key, value) in lines.into_iter().filter(|(_, value)| !value.is_empty()) {
        // A line break in a value would begin a line of its own.
        let value: String = value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        text.push_str(&format!("  {key}: {value}\n"));
    }
    for (path, sha256) in hashes {
        text.push_str(&format!("\nSource: {path}\nAlgorithm: SHA-256\nHash: {sha256}\n"));
    }
    text
}
