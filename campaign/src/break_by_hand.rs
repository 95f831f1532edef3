//! What an administrator can do to the kernel by hand, with `ip`, `bridge` and `nft`, and how the same tools show it mended.

use manifold_kernel_test::run_in;
use serde_json::Value;
use std::path::{Path, PathBuf};

use crate::life::{Objects, each, text};

/// Something to break.
pub(crate) struct Break {
    /// For people.
    pub(crate) what: String,
    /// Where.
    pub(crate) namespace: PathBuf,
    /// Breaks it.
    pub(crate) command: Vec<String>,
    /// What its tool shows; the same as before when it is mended.
    pub(crate) witness: Vec<String>,
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

impl Break {
    fn new(what: String, namespace: &Path, command: &str, witness: &str) -> Break {
        Break {
            what,
            namespace: namespace.into(),
            command: words(command),
            witness: words(witness),
        }
    }

    /// Does it. Panics when the tool refuses.
    pub(crate) fn strike(&self) {
        let words: Vec<&str> = self.command.iter().map(String::as_str).collect();
        let done = run_in(&self.namespace, &words);
        assert!(
            done.status.success(),
            "{}: {:?}: {}",
            self.what,
            words,
            String::from_utf8_lossy(&done.stderr)
        );
    }

    /// What the tool shows now, without what counts or is numbered anew.
    pub(crate) fn look(&self) -> Option<Vec<String>> {
        let words: Vec<&str> = self.witness.iter().map(String::as_str).collect();
        let seen = run_in(&self.namespace, &words);
        if !seen.status.success() {
            return None;
        }
        let said = String::from_utf8_lossy(&seen.stdout).into_owned();
        let mut lines: Vec<String> = match serde_json::from_str::<Value>(&said) {
            Ok(all) => each(&all).map(plain).collect(),
            Err(_) => said.lines().map(uncounted).collect(),
        };
        lines.sort();
        Some(lines)
    }
}

/// A link without its index, its counters, and the address that the kernel draws for it.
fn plain(link: &Value) -> String {
    let keys = ["ifname", "mtu", "master", "ifalias", "mac", "dst", "dev"];
    let facts: Vec<String> = keys
        .iter()
        .filter_map(|key| Some(format!("{key}={}", link.get(key)?)))
        .collect();
    let up = each(&link["flags"]).any(|flag| flag == "UP");
    format!("{} up={up}", facts.join(" "))
}

/// A rule without its counters.
fn uncounted(line: &str) -> String {
    let mut words: Vec<&str> = line.split_whitespace().collect();
    for at in 0..words.len() {
        if at > 0 && ["packets", "bytes"].contains(&words[at - 1]) {
            words[at] = "*";
        }
    }
    words.join(" ")
}

/// Everything that can be broken of the objects that `now` has beyond `before`: bridges, their flood entries, taps, and the nft
/// tables of the namespaces that they are in.
pub(crate) fn breaks(before: &Objects, now: &Objects) -> Vec<Break> {
    let mut all = Vec::new();
    let mut namespaces: Vec<PathBuf> = Vec::new();
    for (kind, id, place) in now.difference(before) {
        let Some((namespace, link)) = place.split_once(' ') else {
            continue;
        };
        let namespace = Path::new(namespace);
        if !namespace.starts_with("/") {
            continue;
        }
        match kind.as_str() {
            "segment" => {
                all.push(Break::new(
                    format!("bridge {link}"),
                    namespace,
                    &format!("ip link del {link}"),
                    "ip -j link show",
                ));
                all.push(Break::new(
                    format!("bridge {link} down"),
                    namespace,
                    &format!("ip link set {link} down"),
                    "ip -j link show",
                ));
                all.extend(floods(namespace, id));
            }
            "port" if is_tap(namespace, link) => {
                all.push(Break::new(
                    format!("tap {link}"),
                    namespace,
                    &format!("ip link del {link}"),
                    "ip -j link show",
                ));
            }
            _ => {}
        }
        if kind == "segment" && !namespaces.iter().any(|known| known == namespace) {
            namespaces.push(namespace.into());
        }
    }
    for namespace in namespaces {
        let tables = run_in(&namespace, &["nft", "list", "tables"]);
        for table in String::from_utf8_lossy(&tables.stdout)
            .lines()
            .filter_map(|line| line.strip_prefix("table "))
        {
            all.push(Break::new(
                format!("nft table {table}"),
                &namespace,
                &format!("nft delete table {table}"),
                "nft list ruleset",
            ));
        }
    }
    all
}

fn is_tap(namespace: &Path, link: &str) -> bool {
    let seen = run_in(namespace, &["ip", "-j", "-d", "link", "show", "dev", link]);
    let seen: Value = serde_json::from_slice(&seen.stdout).unwrap_or_default();
    seen[0]["linkinfo"]["info_kind"] == "tun"
}

/// The flood entries of a segment's tunnel.
fn floods(namespace: &Path, segment: &str) -> Vec<Break> {
    let links: Value =
        serde_json::from_slice(&run_in(namespace, &["ip", "-j", "link", "show"]).stdout).unwrap_or_default();
    let label = format!(":{segment}:tunnel");
    let mut all = Vec::new();
    for tunnel in each(&links)
        .filter(|link| text(&link["ifalias"]).ends_with(&label))
        .map(|link| text(&link["ifname"]))
    {
        let entries = run_in(namespace, &["bridge", "-j", "fdb", "show", "dev", &tunnel]);
        let entries: Value = serde_json::from_slice(&entries.stdout).unwrap_or_default();
        for peer in each(&entries)
            .filter(|entry| entry["mac"] == "00:00:00:00:00:00")
            .map(|entry| text(&entry["dst"]))
        {
            all.push(Break::new(
                format!("flood entry of {tunnel} to {peer}"),
                namespace,
                &format!("bridge fdb del 00:00:00:00:00:00 dev {tunnel} dst {peer}"),
                &format!("bridge -j fdb show dev {tunnel} state permanent"),
            ));
        }
    }
    all
}
