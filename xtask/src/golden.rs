//! Golden files: tests that compare with one write it anew when `GOLDEN=write` is set.

use crate::repository::Repository;
use anyhow::{Context, bail};
use std::collections::BTreeSet;
use std::path::{Component, Path};
use std::process::Command;

/// Which test target of which package a file belongs to: `None` = the package's own unit tests.
fn target_of(package: &Path, file: &Path) -> Option<String> {
    let below = file.strip_prefix(package).ok()?;
    let mut parts = below.components();
    if parts.next() != Some(Component::Normal("tests".as_ref())) {
        return None;
    }
    let Some(Component::Normal(name)) = parts.next() else {
        return None;
    };
    Some(Path::new(name).file_stem()?.to_string_lossy().into_owned())
}

/// Runs the tests that know golden files, so that they write them.
pub fn write(repository: &Repository) -> anyhow::Result<()> {
    let packages = repository.packages()?;
    let mut targets = BTreeSet::new();
    for file in repository.files(".rs")? {
        if !repository.read(&file)?.contains("var_os(\"GOLDEN\")") {
            continue;
        }
        // The innermost folder that holds the file.
        let package = packages.iter().filter(|package| file.starts_with(package)).max();
        if let Some(package) = package {
            targets.insert((package.clone(), target_of(package, &file)));
        }
    }
    for (package, target) in targets {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        let manifest = repository.root().join(&package).join("Cargo.toml");
        cargo.args(["test", "--quiet", "--manifest-path"]).arg(manifest);
        match &target {
            Some(name) => cargo.args(["--test", name]),
            None => cargo.arg("--lib"),
        };
        let status = cargo
            .env("GOLDEN", "write")
            .status()
            .context("cargo cannot be started")?;
        if !status.success() {
            bail!("the tests of {} failed: {status}", package.display());
        }
    }
    Ok(())
}
