//! Files beside the script: a descriptor, an archive, or a package's folder.

use crate::policy::Files;
use crate::refusal::refuse;
use manifold_descriptors::csar::{BuildOptions, Form, Limits, MemoryFiles, PackageFiles, build, read_files};
use manifold_descriptors::folder::Folder;
use manifold_descriptors::formats::{self, Kind};
use manifold_descriptors::interfaces::{self, ReadLeaf};
use manifold_descriptors::{DefinitionFiles, Diagnostics};
use manifold_nemo::leaf::LeafError;
use percent_encoding::percent_decode_str;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

/// Most definitions files that one imports.
const IMPORTS_MAX: usize = 64;

/// What was read.
pub(crate) struct FileRead {
    /// What messages call it.
    pub(crate) name: String,
    pub(crate) leaf: ReadLeaf,
    /// What says it again elsewhere, where one file can.
    pub(crate) bytes: Option<Vec<u8>>,
}

/// The path in what stands behind `file:`. Errors: a host stands there.
pub(crate) fn path_of(uri: &str, rest: &str) -> Result<String, LeafError> {
    let path = match rest.strip_prefix("//") {
        None => rest,
        Some(with_host) => {
            let (host, path) = with_host.split_at(with_host.find('/').unwrap_or(with_host.len()));
            if !host.is_empty() && !host.eq_ignore_ascii_case("localhost") {
                let mut refusal = refuse(
                    format!("`{uri}` names the host `{host}` in a file address: files are of this machine alone"),
                    "write `file:` and a path; what is on another machine has an https address",
                );
                refusal.suggestion = Some(format!("https://{host}{path}"));
                return Err(refusal);
            }
            path
        }
    };
    let decoded = percent_decode_str(path)
        .decode_utf8()
        .ok()
        .filter(|path| !path.contains('\0'));
    match decoded {
        Some(path) if !path.is_empty() => Ok(path.into_owned()),
        _ => Err(refuse(format!("`{uri}` has no path"), "write `file:` and a path")),
    }
}

/// Reads what a path names.
pub(crate) fn read(files: &Files, uri: &str, path: &str) -> Result<FileRead, LeafError> {
    let wanted = files.folder.join(path);
    let missing = |error: std::io::Error| {
        refuse(
            format!("`{uri}` cannot be read: {error} (looked for at {})", wanted.display()),
            "names are relative to the script's folder",
        )
    };
    let found = fs::canonicalize(&wanted).map_err(missing)?;
    if let Some(within) = &files.within {
        let within = fs::canonicalize(within).map_err(missing)?;
        if !found.starts_with(&within) {
            return Err(refuse(
                format!("`{uri}` leads out of {}", within.display()),
                "keep descriptors in the script's folder",
            ));
        }
    }
    let metadata = fs::metadata(&found).map_err(missing)?;
    if metadata.is_dir() {
        return folder(files, uri, path, &found);
    }
    if !metadata.is_file() {
        return Err(refuse(
            format!("`{uri}` is no file"),
            "name a file or a package's folder",
        ));
    }
    let bytes = limited(files, &found)
        .map_err(missing)?
        .ok_or_else(|| too_large(files, uri))?;
    let name = path.to_owned();
    let is_tosca =
        !formats::is_archive(&bytes) && formats::kind_of(&name, &bytes).is_ok_and(|kind| kind == Kind::Sol001);
    if is_tosca {
        let (entry, all) = with_imports(files, &found, bytes);
        let leaf = interfaces::read_definitions(&entry, &all).map_err(|told| LeafError::unreadable(&name, &told))?;
        let bytes = sent(&entry, all);
        return Ok(FileRead { name, leaf, bytes });
    }
    let leaf = interfaces::read_leaf(&name, &bytes).map_err(|told| LeafError::unreadable(&name, &told))?;
    Ok(FileRead {
        name,
        leaf,
        bytes: Some(bytes),
    })
}

fn too_large(files: &Files, uri: &str) -> LeafError {
    refuse(
        format!("`{uri}` has more than {} bytes", files.bytes_max),
        "name the descriptor itself, or on-board the package and name it `catalog:…`",
    )
}

/// The bytes; `None`: too many.
fn limited(files: &Files, path: &Path) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?
        .take(files.bytes_max + 1)
        .read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= files.bytes_max).then_some(bytes))
}

/// A definitions file and those of its folder that it imports. What is not there is told of by who reads them.
fn with_imports(files: &Files, path: &Path, bytes: Vec<u8>) -> (String, DefinitionFiles) {
    let folder = path.parent().map(PathBuf::from).unwrap_or_default();
    let entry = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut open = interfaces::imports(&entry, &bytes);
    let mut total = bytes.len() as u64;
    let mut all = DefinitionFiles::from([(entry.clone(), bytes)]);
    while let Some(name) = open.pop() {
        if all.contains_key(&name) || all.len() > IMPORTS_MAX {
            continue;
        }
        let inside = fs::canonicalize(folder.join(&name))
            .ok()
            .filter(|found| found.starts_with(&folder) && found.is_file());
        let Some(Ok(Some(bytes))) = inside.map(|found| limited(files, &found)) else {
            continue;
        };
        total = total.saturating_add(bytes.len() as u64);
        if total > files.bytes_max {
            break;
        }
        open.extend(interfaces::imports(&name, &bytes));
        all.insert(name, bytes);
    }
    (entry, all)
}

/// One file as it is; several as a package, where they make one without their artifacts.
fn sent(entry: &str, all: DefinitionFiles) -> Option<Vec<u8>> {
    if all.len() == 1 {
        return all.into_values().next();
    }
    let placed: BTreeMap<String, Vec<u8>> = all
        .into_iter()
        .map(|(name, bytes)| (format!("Definitions/{name}"), bytes))
        .collect();
    debug_assert!(
        placed.contains_key(&format!("Definitions/{entry}")),
        "the entry is among its files"
    );
    let mut packed = Cursor::new(Vec::new());
    build(&mut MemoryFiles::new(placed), &BuildOptions::default(), &mut packed).ok()?;
    Some(packed.into_inner())
}

/// A package's folder. Its digest is over the paths and hashes of its files.
fn folder(files: &Files, uri: &str, path: &str, found: &Path) -> Result<FileRead, LeafError> {
    let limits = Limits {
        total_bytes_max: files.bytes_max,
        ..Limits::default()
    };
    let faults = |told: Diagnostics| LeafError::unreadable(path, &told);
    let mut folder = Folder::open(found, &limits).map_err(faults)?;
    let package = read_files(&mut folder, Form::Folder);
    let mut digest = Sha256::new();
    for (name, file) in &package.contents.files {
        digest.update(format!("{name}\0{}\n", file.sha256));
    }
    let digest = format!("sha256:{}", hex::encode(digest.finalize()));
    let leaf = interfaces::read_leaf_package(package, &mut folder, digest).map_err(faults)?;
    let total: u64 = folder.paths().values().sum();
    let mut packed = Cursor::new(Vec::new());
    if total > files.bytes_max {
        return Err(too_large(files, uri));
    }
    let bytes = build(&mut folder, &BuildOptions::default(), &mut packed)
        .ok()
        .map(|_| packed.into_inner());
    Ok(FileRead {
        name: path.to_owned(),
        leaf,
        bytes,
    })
}
