//! `manifold nemo compile`: descriptors, written as folders.

use super::{Texts, What, leaves, texts};
use crate::client::print;
use crate::commands::image;
use crate::config::Config;
use anyhow::{Context as _, bail, ensure};
use clap::{Args, ValueEnum};
use manifold_descriptors::csar::{Csar, Limits};
use manifold_leaves::Leaves;
use manifold_nemo::compile::{Artifact, Options, flat, nsd, openmano};
use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    what: What,
    /// What to make
    #[arg(long, value_enum)]
    to: Target,
    /// Where to
    #[arg(short, long, value_name = "FOLDER", default_value = ".")]
    output: PathBuf,
    /// What the service is called; the last file's name if absent
    #[arg(long)]
    name: Option<String>,
    /// The image for what a descriptor of another language calls NAME; may be repeated
    #[arg(long = "image", value_name = "NAME=IMAGE", value_parser = image)]
    images: Vec<(String, String)>,
    /// Replace files that are there
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Target {
    /// An NSD for each composite, a VNFD for each leaf (SOL001)
    Nsd,
    /// One VNFD with the machines of all leaves (SOL001)
    Flat,
    /// A scenario of OpenMANO
    Openmano,
}

pub fn run(config: &Config, arguments: Arguments, json: bool) -> anyhow::Result<()> {
    let what = &arguments.what;
    let texts = Texts::read(&what.files)?;
    let name = arguments.name.clone().unwrap_or_else(|| texts.name());
    let leaves = leaves(config, texts.folder(), &what.leaving);
    let looked = texts.look(&leaves, what.lenient, what.root.as_deref(), Some(&name));
    let service = looked.service(&texts)?;
    let told = looked.told();
    if !told.is_empty() {
        eprint!("{}", texts.render(&told));
    }
    debug_assert!(!texts::has_errors(&told), "a service has no faults");
    let options = Options {
        name,
        images: arguments.images.into_iter().collect(),
        ..Options::default()
    };
    let mut files = BTreeMap::new();
    let notes = match arguments.to {
        Target::Nsd => {
            let made = nsd(&service, &options)?;
            for (path, text) in made.files() {
                files.insert(path, text.as_bytes().to_vec());
            }
            made.notes
        }
        Target::Flat => {
            let made = flat(&service, &options)?;
            for (path, text) in made.files {
                files.insert(format!("{}/{path}", made.folder), text.into_bytes());
            }
            for artifact in &made.artifacts {
                files.insert(
                    format!("{}/{}", made.folder, artifact.to),
                    artifact_of(&leaves, artifact)?,
                );
            }
            made.notes
        }
        Target::Openmano => {
            let made = openmano(&service, &options)?;
            files.insert(format!("{}.openmano.yaml", options.name), made.scenario.into_bytes());
            for (path, text) in made.vnfs {
                files.insert(path, text.into_bytes());
            }
            made.notes
        }
    };
    let written = write(&arguments.output, &files, arguments.force)?;
    notes.iter().for_each(|note| eprintln!("note: {note}"));
    if json {
        return print::value(&serde_json::json!({"files": written, "notes": notes}));
    }
    written.iter().for_each(|path| println!("{}", path.display()));
    Ok(())
}

/// A file out of a leaf's package.
fn artifact_of(leaves: &Leaves, artifact: &Artifact) -> anyhow::Result<Vec<u8>> {
    let told = |what: String| anyhow::anyhow!("`{}` of `{}`: {what}", artifact.from, artifact.uri);
    let bytes = leaves.bytes(&artifact.uri).map_err(|error| told(error.message))?;
    let Some(bytes) = bytes else {
        bail!(told(
            "the package is in the catalogue; name a copy of it by its file".to_owned()
        ));
    };
    let mut package = Csar::open(Cursor::new(&bytes[..]), &Limits::default()).map_err(|found| told(found.render()))?;
    let mut out = Vec::new();
    package
        .copy(&artifact.from, &mut out)
        .map_err(|error| told(error.to_string()))?;
    Ok(out)
}

/// Writes files below a folder. Errors: one is there, and shall not be replaced; nothing is written then.
pub fn write(folder: &Path, files: &BTreeMap<String, Vec<u8>>, force: bool) -> anyhow::Result<Vec<PathBuf>> {
    let paths: Vec<PathBuf> = files.keys().map(|path| folder.join(path)).collect();
    if !force {
        let there: Vec<String> = paths
            .iter()
            .filter(|path| path.exists())
            .map(|path| path.display().to_string())
            .collect();
        ensure!(
            there.is_empty(),
            "{} would be replaced; say --force if that is wanted",
            there.join(", ")
        );
    }
    for (path, bytes) in paths.iter().zip(files.values()) {
        let parent = path.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent).with_context(|| format!("making {}", parent.display()))?;
        std::fs::write(path, bytes).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(paths)
}
