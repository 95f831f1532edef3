//! `manifold import`: descriptors of other systems as a NEMO script with VNF packages.

use super::image;
use super::nemo::write;
use crate::client::print;
use anyhow::Context as _;
use clap::{Args, ValueEnum};
use manifold_descriptors::interfaces::LeafFormat;
use manifold_import::{Options, import};
use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct Arguments {
    /// What they are written in
    #[arg(value_enum)]
    format: Language,
    /// A scenario or NSD with the descriptors of its VNFs, or VNFs alone
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Where to
    #[arg(short, long, value_name = "FOLDER", default_value = ".")]
    output: PathBuf,
    /// The image for what a descriptor calls NAME; may be repeated
    #[arg(long = "image", value_name = "NAME=IMAGE", value_parser = image)]
    images: Vec<(String, String)>,
    /// Replace files that are there
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Language {
    /// VNFs and scenarios of OpenMANO
    Openmano,
    /// GS NFV-SOL 006, as Open Source MANO writes it
    Sol006,
    /// GS NFV-MAN 001
    Man001,
}

pub fn run(arguments: Arguments, json: bool) -> anyhow::Result<()> {
    let format = match arguments.format {
        Language::Openmano => LeafFormat::OpenMano,
        Language::Sol006 => LeafFormat::Sol006,
        Language::Man001 => LeafFormat::Man001,
    };
    let mut files = BTreeMap::new();
    for path in &arguments.files {
        let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        files.insert(path.display().to_string(), bytes);
    }
    let options = Options {
        images: arguments.images.into_iter().collect(),
    };
    let made = import(format, &files, &options)?;
    let texts = made
        .files
        .into_iter()
        .map(|(path, text)| (path, text.into_bytes()))
        .collect();
    let written = write(&arguments.output, &texts, arguments.force)?;
    if !made.warnings.is_empty() {
        eprint!("{}", made.warnings.render());
    }
    made.notes.iter().for_each(|note| eprintln!("note: {note}"));
    if json {
        return print::value(&serde_json::json!({"script": made.script, "files": written, "notes": made.notes}));
    }
    written.iter().for_each(|path| println!("{}", path.display()));
    Ok(())
}
