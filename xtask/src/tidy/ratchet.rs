//! Numbers that may only fall: `path number` a line, `#` begins a comment.

use super::Fault;
use crate::repository::Repository;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub(super) struct Ratchet {
    file: PathBuf,
    allowed: BTreeMap<PathBuf, usize>,
}

impl Ratchet {
    /// Reads `xtask/ratchets/{name}.txt`; absent is empty. A line that cannot be read allows nothing.
    pub(super) fn load(repository: &Repository, name: &str) -> std::io::Result<Self> {
        let file = Path::new("xtask/ratchets").join(format!("{name}.txt"));
        let text = match repository.read(&file) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            text => text?,
        };
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let allowed = lines.filter_map(|line| {
            let (path, number) = line.trim().rsplit_once(' ')?;
            Some((PathBuf::from(path.trim()), number.parse().ok()?))
        });
        Ok(Self {
            allowed: allowed.collect(),
            file,
        })
    }

    /// What this file may have, if the list knows it.
    pub(super) fn allows(&self, file: &Path) -> Option<usize> {
        self.allowed.get(file).copied()
    }

    /// A fault for each entry that is not needed: `needed` says whether a file still is.
    pub(super) fn stale(&self, needed: impl Fn(&Path) -> bool) -> Vec<Fault> {
        let stale = self.allowed.keys().filter(|file| !needed(file));
        stale
            .map(|file| Fault {
                file: self.file.clone(),
                line: 0,
                what: format!("{} does not need its entry any more: take it out", file.display()),
            })
            .collect()
    }
}
