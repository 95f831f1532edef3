//! Golden files: tests that compare with one write it anew when `GOLDEN=write` is set.

use crate::repository::Repository;
use anyhow::{Context, bail};
use std::collections::BTreeSet;
use std::path::{Component, Path};
use std::process::Command;

/// The tests that a file belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    /// The unit tests of the library.
    Lib,
    /// Those of the program.
    Bins,
    /// One of the test targets.
    Test(String),
    /// All of these: the file is a module that several share.
    Tests,
}

impl Target {
    /// `root`: where the package's folder is.
    fn of(root: &Path, package: &Path, file: &Path) -> Self {
        let below = file.strip_prefix(package).unwrap_or(file);
        let mut parts = below.components();
        if parts.next() != Some(Component::Normal("tests".as_ref())) {
            let has_lib = root.join(package).join("src/lib.rs").exists();
            return if has_lib { Self::Lib } else { Self::Bins };
        }
        let name = parts.next().map(|part| Path::new(part.as_os_str()));
        match name.and_then(Path::file_stem).map(|stem| stem.to_string_lossy()) {
            Some(name) if parts.next().is_none() => Self::Test(name.into_owned()),
            Some(name) => {
                let folder = root.join(package).join("tests").join(&*name);
                if folder.join("main.rs").exists() {
                    Self::Test(name.into_owned())
                } else {
                    Self::Tests
                }
            }
            None => Self::Tests,
        }
    }

    fn words(&self) -> Vec<&str> {
        match self {
            Self::Lib => vec!["--lib"],
            Self::Bins => vec!["--bins"],
            Self::Test(name) => vec!["--test", name],
            Self::Tests => vec!["--tests"],
        }
    }
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
            targets.insert((package.clone(), Target::of(repository.root(), package, &file)));
        }
    }
    for (package, target) in targets {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        let manifest = repository.root().join(&package).join("Cargo.toml");
        cargo.args(["test", "--quiet", "--manifest-path"]).arg(manifest);
        cargo.args(target.words());
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
