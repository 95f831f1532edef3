//! Counts what is on the machine, by means that are not the agent's: `/proc` and the file system.

use serde::Serialize;
use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What is there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Census {
    /// Processes whose command line names one of our folders.
    pub processes: BTreeSet<String>,
    /// Network namespaces that such a process is in or a mount below our folders pins. Others come and go with other programs.
    pub namespaces: BTreeSet<u64>,
    /// Mounts of this mount namespace.
    pub mounts: BTreeSet<String>,
    /// Links of this network namespace.
    pub links: BTreeSet<String>,
    /// Files below our folders.
    pub files: BTreeSet<String>,
}

impl Census {
    /// Counts now. `ours` are the folders that everything of ours is named by.
    pub fn take(ours: &[&Path]) -> std::io::Result<Census> {
        let mut census = Census::default();
        for entry in std::fs::read_dir("/proc")? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if !name.bytes().all(|byte| byte.is_ascii_digit()) || name == std::process::id().to_string() {
                continue;
            }
            // A process may end while we look: then it is not there.
            let command = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let command = String::from_utf8_lossy(&command).replace('\0', " ");
            let is_ours = ours.iter().any(|folder| command.contains(&*folder.to_string_lossy()));
            if !is_ours {
                continue;
            }
            census
                .processes
                .insert(format!("{name} {}", command.chars().take(80).collect::<String>()));
            if let Ok(found) = std::fs::metadata(entry.path().join("ns/net")) {
                census.namespaces.insert(found.ino());
            }
        }
        for line in std::fs::read_to_string("/proc/self/mounts")?.lines() {
            let place = line.split(' ').nth(1).unwrap_or_default();
            census.mounts.insert(place.to_owned());
            let is_ours = ours.iter().any(|folder| Path::new(place).starts_with(folder));
            if is_ours
                && line.starts_with("nsfs ")
                && let Ok(found) = std::fs::metadata(place)
            {
                census.namespaces.insert(found.ino());
            }
        }
        for entry in std::fs::read_dir("/sys/class/net")? {
            census.links.insert(entry?.file_name().to_string_lossy().into_owned());
        }
        for folder in ours {
            walk(folder, &mut census.files)?;
        }
        Ok(census)
    }

    /// What is here and was not there before, one line each.
    pub fn beyond(&self, before: &Census) -> Vec<String> {
        let mut lines = Vec::new();
        let mut list = |what: &str, now: &BTreeSet<String>, then: &BTreeSet<String>| {
            lines.extend(now.difference(then).map(|found| format!("{what} {found}")));
        };
        list("process", &self.processes, &before.processes);
        list("mount", &self.mounts, &before.mounts);
        list("link", &self.links, &before.links);
        list("file", &self.files, &before.files);
        lines.extend(
            self.namespaces
                .difference(&before.namespaces)
                .map(|inode| format!("network namespace {inode}")),
        );
        lines
    }
}

fn walk(folder: &Path, files: &mut BTreeSet<String>) -> std::io::Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), files)?;
        } else {
            files.insert(entry.path().display().to_string());
        }
    }
    Ok(())
}
