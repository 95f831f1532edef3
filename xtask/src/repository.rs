//! The files of the repository.

use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// A repository's root.
#[derive(Debug, Clone)]
pub struct Repository {
    root: PathBuf,
}

impl Repository {
    /// The one that this program was built from.
    pub fn here() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("xtask is a folder of the repository");
        Self::at(root)
    }

    /// Another one.
    pub fn at(root: &Path) -> Self {
        Self { root: root.into() }
    }

    /// Its root folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The statements that the project is measured by; not part of the repository, and absent from a user's clone.
    pub fn checklist(&self) -> PathBuf {
        self.root.join("../shared/spec/checklist.jsonl")
    }

    /// Files whose name ends like this, relative to the root, sorted; without build output and hidden folders.
    pub fn files(&self, ending: &str) -> std::io::Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        let walk = WalkDir::new(&self.root).sort_by_file_name().into_iter();
        for entry in walk.filter_entry(|entry| entry.depth() == 0 || !skipped(&entry.file_name().to_string_lossy())) {
            let entry = entry?;
            if entry.file_type().is_file() && entry.file_name().to_string_lossy().ends_with(ending) {
                let path = entry.path().strip_prefix(&self.root);
                found.push(path.map_or_else(|_| entry.path().to_owned(), Path::to_owned));
            }
        }
        Ok(found)
    }

    /// A file's text.
    pub fn read(&self, file: &Path) -> std::io::Result<String> {
        std::fs::read_to_string(self.root.join(file))
    }

    /// The folders of the packages, relative to the root.
    pub fn packages(&self) -> std::io::Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for manifest in self.files("Cargo.toml")? {
            if self.read(&manifest)?.lines().any(|line| line.trim() == "[package]") {
                found.push(manifest.parent().map(Path::to_owned).unwrap_or_default());
            }
        }
        Ok(found)
    }
}

fn skipped(name: &str) -> bool {
    name.starts_with('.') || name == "target"
}
