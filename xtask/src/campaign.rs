//! Campaigns against the built program: `campaign` is a crate of its own; here it is built together with the program and started.

use crate::repository::Repository;
use anyhow::{Context, bail};
use std::path::PathBuf;
use std::process::Command;

/// Builds the program and the campaigns, and runs one. It needs root, and makes everything in namespaces of its own.
pub fn run(repository: &Repository, arguments: &[String]) -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args([
            "build",
            "--locked",
            "--package",
            "manifold",
            "--package",
            "manifold-campaign",
        ])
        .current_dir(repository.root())
        .status()
        .context("cargo cannot be started")?;
    if !built.success() {
        bail!("the build failed: {built}");
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository.root().join("target"), PathBuf::from);
    let ended = Command::new(target.join("debug/campaign"))
        .args(arguments)
        .current_dir(repository.root())
        .status()
        .context("the campaign cannot be started")?;
    if !ended.success() {
        bail!("the campaign failed: {ended}");
    }
    Ok(())
}
