//! The leak census: processes, namespaces, links, addresses, nftables and mounts of every namespace, and files, as `/proc`, `ip`
//! and `nft` tell of them.

use crate::run_in;
use nix::unistd::getpid;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What there is, one line each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Census(BTreeSet<String>);

impl Census {
    /// Counts everything that this process can see, and the files below these folders.
    pub fn take(folders: &[&Path]) -> Self {
        let mut lines = BTreeSet::new();
        let mut namespaces = BTreeMap::new();
        processes(&mut lines, &mut namespaces);
        mounts(&mut lines, &mut namespaces);
        let own = fs::metadata("/proc/self/ns/net").map_or(0, |file| file.ino());
        for (inode, path) in namespaces {
            // Numbers of namespaces that came and went differ: only those that are not our own are named.
            let name = if inode == own {
                "own".to_owned()
            } else {
                path.display().to_string()
            };
            lines.insert(format!("namespace {name}"));
            for link in json(&run_in(&path, &["ip", "-j", "-d", "addr"]).stdout) {
                let text = |key: &str| link.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
                lines.insert(format!("link {name} {} {}", text("ifname"), text("ifalias")));
                for address in link.get("addr_info").and_then(Value::as_array).into_iter().flatten() {
                    lines.insert(format!(
                        "address {name} {} {}",
                        text("ifname"),
                        address.get("local").unwrap_or(&Value::Null)
                    ));
                }
            }
            for table in String::from_utf8_lossy(&run_in(&path, &["nft", "list", "tables"]).stdout).lines() {
                lines.insert(format!("nft {name} {table}"));
            }
        }
        for folder in folders {
            files(folder, &mut lines);
        }
        Self(lines)
    }

    /// What is here and was not there before.
    pub fn beyond(&self, before: &Self) -> Self {
        Self(self.0.difference(&before.0).cloned().collect())
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Census {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|line| writeln!(f, "  {line}"))
    }
}

/// Waits until a condition holds; false when it does not within the limit.
pub fn settles(limit: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    loop {
        if holds() {
            return true;
        }
        if Instant::now() > end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn processes(lines: &mut BTreeSet<String>, namespaces: &mut BTreeMap<u64, PathBuf>) {
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        if pid != getpid().as_raw() {
            let command = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let state = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
            let zombie = state
                .rsplit(')')
                .next()
                .is_some_and(|rest| rest.trim_start().starts_with('Z'));
            // The dead that wait for their parent hold nothing.
            if !zombie && !state.is_empty() {
                lines.insert(format!(
                    "process {pid} {}",
                    String::from_utf8_lossy(&command).replace('\0', " ")
                ));
            }
        }
        for task in fs::read_dir(entry.path().join("task")).into_iter().flatten().flatten() {
            let path = task.path().join("ns/net");
            if let Ok(file) = fs::metadata(&path) {
                namespaces.entry(file.ino()).or_insert(path);
            }
        }
    }
}

fn mounts(lines: &mut BTreeSet<String>, namespaces: &mut BTreeMap<u64, PathBuf>) {
    for line in fs::read_to_string("/proc/self/mountinfo").unwrap_or_default().lines() {
        let words: Vec<_> = line.split(' ').collect();
        let (Some(point), Some(kind)) = (words.get(4), line.split(" - ").nth(1)) else {
            continue;
        };
        lines.insert(format!("mount {point} {}", kind.split(' ').next().unwrap_or_default()));
        if kind.starts_with("nsfs ")
            && words.get(3).is_some_and(|root| root.starts_with("net:"))
            && let Ok(file) = fs::metadata(point)
        {
            namespaces.insert(file.ino(), PathBuf::from(point));
        }
    }
}

fn files(folder: &Path, lines: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            files(&entry.path(), lines);
        } else {
            lines.insert(format!("file {}", entry.path().display()));
        }
    }
}

fn json(bytes: &[u8]) -> Vec<Value> {
    serde_json::from_slice(bytes).unwrap_or_default()
}
