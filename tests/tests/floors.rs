//! The floors of ARCHITECTURE.md: which crate may use which. A failure names the forbidden edge.
#![allow(clippy::unwrap_used)]

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use toml::{Table, Value};
use xtask::repository::Repository;

fn metadata() -> Metadata {
    let root = Repository::here();
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    MetadataCommand::new()
        .manifest_path(root.root().join("Cargo.toml"))
        .other_options(["--offline".into(), "--filter-platform".into(), target])
        .exec()
        .unwrap_or_else(|error| panic!("cargo metadata: {error}"))
}

/// `core/store`, `blocks/vim`, `manifold`: where a crate stands in the house.
fn place(metadata: &Metadata, package: &Package) -> String {
    let folder = package.manifest_path.parent().unwrap();
    folder.strip_prefix(&metadata.workspace_root).unwrap().to_string()
}

/// One crate of ours that uses another.
struct Edge {
    from: String,
    to: String,
    /// In its tests only.
    tests: bool,
}

fn edges(metadata: &Metadata) -> Vec<Edge> {
    let ours: BTreeMap<&str, String> = metadata
        .workspace_packages()
        .into_iter()
        .map(|package| (package.name.as_str(), place(metadata, package)))
        .collect();
    let mut edges = Vec::new();
    for package in metadata.workspace_packages() {
        for dependency in &package.dependencies {
            if let Some(to) = ours.get(dependency.name.as_str()) {
                edges.push(Edge {
                    from: ours[package.name.as_str()].clone(),
                    to: to.clone(),
                    tests: dependency.kind == DependencyKind::Development,
                });
            }
        }
    }
    edges
}

/// What the rule of a place allows: places, or a floor with `/` at its end.
struct Rule {
    uses: &'static [&'static str],
    /// In tests, beside those.
    tests: &'static [&'static str],
}

const ANY: &str = "";

/// `None` = the house has no such place.
fn rule(place: &str) -> Option<Rule> {
    let (floor, name) = place.split_once('/').unwrap_or((place, ""));
    let uses: &[&str] = match (floor, name) {
        ("core", "store" | "call" | "sol") => &[],
        ("core", "lcm") => &["core/store", "core/call"],
        ("core", "desired") => &["core/store", "core/call", "core/lcm"],
        ("core", "http") => &["core/call", "core/sol"],
        ("interfaces", _) => &["core/call", "core/sol"],
        ("languages", "nemo") => &["languages/nemo-syntax", "languages/descriptors"],
        ("languages", "nemo-server" | "import") => &["languages/"],
        ("languages", _) => &[],
        ("nfvi", "host") => &["interfaces/", "core/call"],
        ("nfvi", "lab") => &["interfaces/", "core/call"],
        ("nfvi", "image" | "kernel-test") => &[],
        ("adapters", _) => &["interfaces/", "core/call"],
        ("blocks", _) => &[
            "interfaces/",
            "languages/",
            "core/lcm",
            "core/desired",
            "core/store",
            "core/call",
            "core/sol",
        ],
        // Descriptors for a script, from files and the network.
        ("wire", "leaves") => &["languages/"],
        ("wire", _) => &["interfaces/", "core/http", "core/sol", "core/call"],
        ("manifold" | "tests" | "benches" | "campaign", "") => &[ANY],
        ("xtask", "") => &[],
        _ => return None,
    };
    let tests: &[&str] = match (floor, name) {
        ("nfvi", "host" | "lab") => &["nfvi/", "wire/agent"],
        // A block is tried on the inventory of a lab's document, which is data and touches no kernel.
        ("blocks", _) => &["nfvi/lab"],
        _ => &[],
    };
    Some(Rule { uses, tests })
}

impl Rule {
    fn allows(&self, edge: &Edge) -> bool {
        let within = |allowed: &[&str]| {
            allowed.iter().any(|place| match place.strip_suffix('/') {
                Some(floor) => edge.to.split('/').next() == Some(floor),
                None => *place == ANY || edge.to == *place,
            })
        };
        within(self.uses) || (edge.tests && (edge.from == edge.to || within(self.tests)))
    }
}

/// The edges that no rule allows, as text.
fn forbidden<'a>(edges: impl IntoIterator<Item = &'a Edge>) -> Vec<String> {
    let mut found = Vec::new();
    for edge in edges {
        let allowed = rule(&edge.from).is_some_and(|rule| rule.allows(edge));
        if !allowed {
            let when = if edge.tests { " (in its tests)" } else { "" };
            found.push(format!("{} may not use {}{when}", edge.from, edge.to));
        }
    }
    found
}

/// Edges that break a rule and wait to be taken out: no new one may come, and one that is gone has to leave the list.
const WAITING: [(&str, &str); 3] = [
    // A test of VIM and WIM on a real lab belongs into `tests/` or `manifold/`.
    ("nfvi/lab", "core/store"),
    ("nfvi/lab", "blocks/vim"),
    ("nfvi/lab", "blocks/wim"),
];

#[test]
fn every_crate_uses_only_what_its_floor_allows() {
    let metadata = metadata();
    for package in metadata.workspace_packages() {
        let place = place(&metadata, package);
        assert!(
            rule(&place).is_some(),
            "{place} stands on no floor: give it one, here and in ARCHITECTURE.md"
        );
    }
    let edges = edges(&metadata);
    let waits = |edge: &Edge| edge.tests && WAITING.contains(&(edge.from.as_str(), edge.to.as_str()));
    for (from, to) in WAITING {
        let there = edges
            .iter()
            .any(|edge| waits(edge) && edge.from == from && edge.to == to);
        assert!(there, "{from} does not use {to} any more: take it out of WAITING");
    }
    let found = forbidden(edges.iter().filter(|edge| !waits(edge)));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn edges_that_would_break_the_house_are_named() {
    let edge = |from: &str, to: &str, tests| Edge {
        from: from.into(),
        to: to.into(),
        tests,
    };
    let bad = [
        edge("blocks/vim", "blocks/wim", false),
        edge("blocks/vim", "blocks/wim", true),
        edge("blocks/nfvo", "nfvi/host", false),
        edge("blocks/nfvo", "nfvi/lab", false),
        edge("blocks/nfvo", "wire/vim", false),
        edge("blocks/nfvo", "core/http", false),
        edge("core/store", "core/call", false),
        edge("core/lcm", "core/http", false),
        edge("interfaces/vim", "interfaces/nfvi", false),
        edge("languages/planning", "core/call", false),
        edge("nfvi/host", "core/store", false),
        edge("nfvi/host", "nfvi/image", false),
        edge("wire/vim", "blocks/vim", true),
        edge("wire/vim", "core/store", false),
        edge("xtask", "manifold", false),
        edge("elsewhere", "core/call", false),
    ];
    assert_eq!(forbidden(&bad).len(), bad.len());
    assert_eq!(forbidden(&bad[..1]), ["blocks/vim may not use blocks/wim"]);
    let good = [
        edge("blocks/vim", "interfaces/nfvi", false),
        edge("core/lcm", "core/lcm", true),
        edge("nfvi/host", "nfvi/image", true),
        edge("manifold", "blocks/vim", false),
    ];
    assert_eq!(forbidden(&good), [""; 0]);
}

/// All crates that this one is built with, tests left aside.
fn built_with<'a>(metadata: &'a Metadata, package: &Package) -> BTreeSet<&'a str> {
    let resolve = metadata.resolve.as_ref().unwrap();
    let nodes: BTreeMap<&PackageId, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let names: BTreeMap<&PackageId, &str> = metadata
        .packages
        .iter()
        .map(|package| (&package.id, package.name.as_str()))
        .collect();
    let mut found = BTreeSet::new();
    let mut open = vec![&nodes[&package.id].id];
    while let Some(id) = open.pop() {
        for dependency in &nodes[id].deps {
            let normal = dependency
                .dep_kinds
                .iter()
                .any(|kind| kind.kind == DependencyKind::Normal);
            if normal && found.insert(names[&dependency.pkg]) {
                open.push(&nodes[&dependency.pkg].id);
            }
        }
    }
    found
}

/// Bytes in, model or diagnostics out.
#[test]
fn languages_are_built_with_nothing_that_waits_or_connects() {
    let metadata = metadata();
    let mut seen = 0;
    for package in metadata.workspace_packages() {
        if place(&metadata, package).starts_with("languages/") {
            let built = built_with(&metadata, package);
            for banned in [
                "tokio",
                "mio",
                "async-std",
                "reqwest",
                "hyper",
                "rusqlite",
                "nix",
                "rustix",
                "rand",
            ] {
                assert!(!built.contains(banned), "{} is built with {banned}", package.name);
            }
            // The other side: what it is built with is seen at all.
            assert!(built.contains("serde"), "{}: {built:?}", package.name);
            seen += 1;
        }
    }
    assert!(seen >= 2);
}

/// SQL, netlink and HTTP servers each have one door.
#[test]
fn heavy_crates_stay_behind_their_doors() {
    let metadata = metadata();
    for package in metadata.workspace_packages() {
        let place = place(&metadata, package);
        for dependency in package
            .dependencies
            .iter()
            .filter(|found| found.kind == DependencyKind::Normal)
        {
            let doors: &[&str] = match dependency.name.as_str() {
                // The benches measure the bare thing beside ours.
                "rusqlite" => &["core/store", "benches"],
                "netlink-sys" | "netlink-packet-core" | "netlink-packet-route" => &["nfvi/host", "benches"],
                "hyper" | "jsonwebtoken" | "tokio-rustls" | "rcgen" => &["core/http"],
                "zip" | "saphyr-parser" => &["languages/descriptors"],
                // What NEMO is measured beside; a descriptor is read with its lines and columns, which serde has not.
                "yaml_serde" => &["benches"],
                "anyhow" => &["manifold", "xtask"],
                _ => continue,
            };
            assert!(
                doors.contains(&place.as_str()),
                "{place} uses {}, which stands behind {}",
                dependency.name,
                doors.join(" and ")
            );
        }
    }
}

fn manifest(path: &Path) -> Table {
    std::fs::read_to_string(path).unwrap().parse().unwrap()
}

fn inherits(value: Option<&Value>) -> bool {
    value.and_then(|value| value.get("workspace")) == Some(&Value::Boolean(true))
}

#[test]
fn every_crate_inherits_lints_and_versions() {
    let mut faults = Vec::new();
    for package in metadata().workspace_packages() {
        let manifest = manifest(package.manifest_path.as_std_path());
        let mut fault = |what: &str| faults.push(format!("{}: {what}", package.name));
        if !inherits(manifest.get("lints")) {
            fault("[lints] workspace = true is missing");
        }
        for key in ["version", "edition", "rust-version", "license", "publish"] {
            if !inherits(manifest["package"].get(key)) {
                fault(&format!("{key}.workspace = true is missing"));
            }
        }
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let Some(Value::Table(dependencies)) = manifest.get(kind) else {
                continue;
            };
            for (name, dependency) in dependencies {
                // A crate may name itself, or one of ours, by its path: there is no version in that.
                let ours = dependency.get("path").is_some() && dependency.get("version").is_none();
                if !inherits(Some(dependency)) && !ours {
                    fault(&format!(
                        "{name} has a version of its own; the workspace's table has it"
                    ));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
