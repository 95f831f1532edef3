//! Packages in folders: the only module here that touches the file system.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::code::Code;
use crate::csar::{Form, Limits, Package, PackageFiles, read_files, read_package};
use crate::diagnostic::Diagnostics;

/// Deepest folder of a package.
const DEPTH_MAX: usize = 32;

/// A folder that a package is built from. Hidden files and folders (`.git`, editors' leftovers) and `README.md` at its root are no
/// part of the package.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    paths: BTreeMap<String, u64>,
}

impl Folder {
    /// Lists a folder. Errors: what cannot be read, and links, which a package must not hold.
    pub fn open(root: &Path, limits: &Limits) -> Result<Self, Diagnostics> {
        let mut folder = Self {
            root: root.to_owned(),
            paths: BTreeMap::new(),
        };
        let mut diagnostics = Diagnostics::default();
        folder.list(root, "", 0, limits, &mut diagnostics);
        let total: u64 = folder.paths.values().fold(0, |sum, size| sum.saturating_add(*size));
        if folder.paths.len() as u64 > limits.entries_max || total > limits.total_bytes_max {
            let message = format!("{} files of {total} bytes; too many for a package", folder.paths.len());
            diagnostics.error_in(Code::FolderLimit, "", message);
        }
        if diagnostics.has_errors() {
            Err(diagnostics)
        } else {
            Ok(folder)
        }
    }

    fn list(&mut self, path: &Path, name: &str, depth: usize, limits: &Limits, diagnostics: &mut Diagnostics) {
        let unreadable = |diagnostics: &mut Diagnostics, name: &str, error: io::Error| {
            let shown = if name.is_empty() {
                path.display().to_string()
            } else {
                name.to_owned()
            };
            diagnostics.error_in(Code::FolderUnreadable, &shown, error.to_string());
        };
        if depth > DEPTH_MAX || self.paths.len() as u64 > limits.entries_max {
            diagnostics.error_in(Code::FolderLimit, name, "too deep, or too many files");
            return;
        }
        let entries = match fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) => return unreadable(diagnostics, name, error),
        };
        for entry in entries {
            let (entry, metadata) = match entry.and_then(|entry| entry.metadata().map(|metadata| (entry, metadata))) {
                Ok(found) => found,
                Err(error) => {
                    unreadable(diagnostics, name, error);
                    continue;
                }
            };
            let Ok(part) = entry.file_name().into_string() else {
                diagnostics.error_in(
                    Code::BadEntryName,
                    &entry.path().display().to_string(),
                    "the name is not UTF-8",
                );
                continue;
            };
            let is_note = depth == 0 && part == "README.md";
            if part.starts_with('.') || is_note {
                continue;
            }
            let name = if name.is_empty() {
                part
            } else {
                format!("{name}/{part}")
            };
            if metadata.is_dir() {
                self.list(&entry.path(), &name, depth + 1, limits, diagnostics);
            } else if metadata.is_file() {
                self.paths.insert(name, metadata.len());
            } else {
                diagnostics.error_in(Code::FolderLink, &name, "a link or special file");
            }
        }
    }
}

impl PackageFiles for Folder {
    fn paths(&self) -> &BTreeMap<String, u64> {
        &self.paths
    }

    fn open(&mut self, path: &str) -> io::Result<Box<dyn Read + '_>> {
        Ok(Box::new(File::open(self.root.join(path))?))
    }
}

/// Checks a package: a folder, or an archive.
pub fn check(path: &Path, limits: &Limits) -> Package {
    let refused = |diagnostics| Package {
        descriptor: None,
        contents: Default::default(),
        diagnostics,
    };
    let is_folder = match fs::metadata(path) {
        Ok(metadata) => metadata.is_dir(),
        Err(error) => {
            let mut diagnostics = Diagnostics::default();
            diagnostics.error_in(Code::FolderUnreadable, &path.display().to_string(), error.to_string());
            return refused(diagnostics);
        }
    };
    if is_folder {
        return match Folder::open(path, limits) {
            Ok(mut folder) => read_files(&mut folder, Form::Folder),
            Err(diagnostics) => refused(diagnostics),
        };
    }
    match File::open(path) {
        Ok(file) => read_package(io::BufReader::new(file), limits),
        Err(error) => {
            let mut diagnostics = Diagnostics::default();
            diagnostics.error_in(Code::FolderUnreadable, &path.display().to_string(), error.to_string());
            refused(diagnostics)
        }
    }
}
