//! Packages: CSAR archives (SOL004 for VNFs, SOL007 for network services and PNFs).
//!
//! ```text
//! bytes ──archive──> Csar (names checked, nothing unpacked) ──package──> Package: descriptor, contents, diagnostics
//!                                                              ^
//! folder ──────────────────────────────────────────────────────┴──build──> bytes, the same ones every time
//! ```
//! An archive is refused by name for: `..` and absolute paths, links and other special files, encrypted entries, more entries or
//! more bytes than the [`Limits`], entries that unpack to far more than they weigh, duplicate names, and names that differ in case
//! only (a package is unpacked on file systems that do not tell them apart, where one would replace the other after the check).

use std::collections::BTreeMap;
use std::io::{self, Read};

mod archive;
mod build;
pub(crate) mod hash;
mod manifest;
mod meta;
mod package;
mod verify;

pub use archive::{ArchiveError, Csar, Limits};
pub use build::{BuildError, BuildOptions, Built, build};
pub use manifest::{Manifest, ManifestSource};
pub use package::{Contents, File, Form, Package, Signature, read_files, read_package};

/// Files of a package, wherever they are.
pub trait PackageFiles {
    /// Path from the root of the package → size in bytes. Folders are not listed.
    fn paths(&self) -> &BTreeMap<String, u64>;

    /// Opens a file that is listed. Errors: it cannot be read.
    fn open(&mut self, path: &str) -> io::Result<Box<dyn Read + '_>>;
}

/// Files in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryFiles {
    files: BTreeMap<String, Vec<u8>>,
    paths: BTreeMap<String, u64>,
}

impl MemoryFiles {
    /// Of these files, by path from the root of the package.
    pub fn new(files: BTreeMap<String, Vec<u8>>) -> Self {
        let paths = files
            .iter()
            .map(|(path, bytes)| (path.clone(), bytes.len() as u64))
            .collect();
        Self { files, paths }
    }
}

impl PackageFiles for MemoryFiles {
    fn paths(&self) -> &BTreeMap<String, u64> {
        &self.paths
    }

    fn open(&mut self, path: &str) -> io::Result<Box<dyn Read + '_>> {
        let bytes = self
            .files
            .get(path)
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        Ok(Box::new(bytes.as_slice()))
    }
}
