//! `manifold apply`: what a script describes is made to be so.

use super::nemo::{Leaving, Texts, leaves};
use super::{image, package, script};
use crate::client::{Session, follow::follow_script, print};
use crate::config::Config;
use anyhow::{anyhow, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use manifold_leaves::Leaves;
use manifold_nemo::leaf::{LeafFormat, LeafSource};
use manifold_nemo_syntax::Parse;
use manifold_nemo_syntax::script::Statement;
use manifold_nfvo_interface::{ScriptAsk, ScriptDescriptor, ScriptPlan, ScriptSource};
use std::collections::BTreeMap;
use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Files of one script; what one defines can be used in all of them. Descriptors are looked for beside the first one
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// What the script is called; the last file's name if absent
    #[arg(long)]
    name: Option<String>,
    /// The model that is the service, where no nodes stand at the top
    #[arg(long, value_name = "MODEL")]
    root: Option<String>,
    /// The access point that a connection point of the service is at; the one of its name, if absent; may be repeated
    #[arg(long = "sap", value_name = "POINT=ACCESS_POINT", value_parser = pair)]
    saps: Vec<(String, String)>,
    /// The image for what a descriptor of another language calls NAME; may be repeated
    #[arg(long = "image", value_name = "NAME=IMAGE", value_parser = image)]
    images: Vec<(String, String)>,
    /// Let pass, with a warning, what printed drafts of the language leave out
    #[arg(long)]
    lenient: bool,
    /// Show what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Return as soon as the operation has begun
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    leaving: Leaving,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((point, place)) if !point.is_empty() && !place.is_empty() => Ok((point.to_owned(), place.to_owned())),
        _ => Err(format!("{text:?} is not of the form POINT=ACCESS_POINT")),
    }
}

pub async fn run(config: Config, arguments: Arguments, json: bool) -> anyhow::Result<()> {
    let session = Session::open(&config)?;
    let texts = Texts::read(&arguments.files)?;
    let name = arguments.name.clone().unwrap_or_else(|| texts.name());
    let leaves = leaves(&config, texts.folder(), &arguments.leaving);
    let looked = texts.look(&leaves, arguments.lenient, arguments.root.as_deref(), Some(&name));
    looked.service(&texts)?;
    let sources = texts.names().iter().zip(texts.all());
    let mut ask = ScriptAsk {
        name,
        sources: sources
            .map(|(file, text)| ScriptSource {
                file: file.clone(),
                text: text.clone(),
            })
            .collect(),
        descriptors: descriptors(&leaves, looked.parses())?,
        root: arguments.root,
        lenient: arguments.lenient,
        expected_revision: None,
        access_points: arguments.saps.into_iter().collect(),
        images: arguments.images.into_iter().collect(),
    };
    let missing = packages_missing(&session, &leaves, looked.parses()).await?;
    if !missing.is_empty() && arguments.dry_run {
        let all: Vec<&str> = missing.keys().map(String::as_str).collect();
        eprintln!("an apply would first on-board {}", all.join(", "));
    } else {
        for (uri, bytes) in &missing {
            let file = tempfile(bytes)?;
            let pushed = package::push(&session, &file.0).await?;
            eprintln!("{} {} is on-boarded, for {uri}", pushed.kind, pushed.descriptor_id);
        }
    }
    let plan = session.nfvo.scripts.plan(&session.cx(), ask.clone()).await?;
    if arguments.dry_run {
        if json {
            return print::value(&plan);
        }
        show(&ask.name, &plan);
        return Ok(());
    }
    if !json {
        show(&ask.name, &plan);
    }
    if !plan.is_empty() && !arguments.yes && !agreed(json)? {
        bail!("nothing was done");
    }
    // What was shown is what is done: if somebody else was faster, this is refused.
    ask.expected_revision = Some(plan.revision.saturating_sub(1));
    let name = ask.name.clone();
    let applied = session.nfvo.scripts.apply(&session.cx(), ask).await?;
    let Some(id) = applied.operation else {
        if json {
            return print::value(&applied);
        }
        println!("{name} is as the script says already");
        return Ok(());
    };
    if arguments.no_wait {
        if json {
            return print::value(&applied);
        }
        println!("operation {id} has begun");
        return Ok(());
    }
    let ended = follow_script(&session, id, "COMPLETED", json).await?;
    script::tell(&session, &name, &ended, json).await
}

/// The leaves that a script names, but for those of the catalogue.
fn named(parses: &[Parse]) -> BTreeMap<String, Option<String>> {
    let mut all = BTreeMap::new();
    for parse in parses {
        for statement in &parse.script().statements {
            if let Statement::Model(model) = statement
                && let Some(descriptor) = &model.descriptor
                && !descriptor.uri.starts_with("catalog:")
            {
                let digest = descriptor.digest.as_ref().map(|digest| digest.text.clone());
                all.insert(descriptor.uri.clone(), digest);
            }
        }
    }
    all
}

/// What the control plane cannot read by itself.
fn descriptors(leaves: &Leaves, parses: &[Parse]) -> anyhow::Result<Vec<ScriptDescriptor>> {
    let mut all = Vec::new();
    for (uri, digest) in named(parses) {
        let leaf = leaves
            .leaf(&uri, digest.as_deref())
            .map_err(|error| anyhow!(error.message))?;
        let Some(bytes) = leaves.bytes(&uri).map_err(|error| anyhow!(error.message))? else {
            continue;
        };
        all.push(ScriptDescriptor {
            file: leaf.file.clone(),
            content: STANDARD.encode(&bytes),
            uri,
        });
    }
    Ok(all)
}

/// Packages of SOL001 that a script names by their files and that are not on-boarded yet: by address, with their bytes. Descriptors
/// alone are no packages: the control plane makes packages of them itself.
async fn packages_missing(
    session: &Session,
    leaves: &Leaves,
    parses: &[Parse],
) -> anyhow::Result<BTreeMap<String, std::sync::Arc<[u8]>>> {
    let is_text = |name: &str| name.ends_with(".yaml") || name.ends_with(".yml");
    let mut found = BTreeMap::new();
    for (uri, digest) in named(parses) {
        let leaf = leaves
            .leaf(&uri, digest.as_deref())
            .map_err(|error| anyhow!(error.message))?;
        if leaf.format != LeafFormat::Sol001 || is_text(&leaf.uri) || is_text(&leaf.file) {
            continue;
        }
        if let Some(bytes) = leaves.bytes(&uri).map_err(|error| anyhow!(error.message))? {
            found.insert(uri, (leaf.vnfd.descriptor_id.clone(), bytes));
        }
    }
    if found.is_empty() {
        return Ok(BTreeMap::new());
    }
    let there = session.nfvo.packages.query(&session.cx(), ()).await?;
    let is_there = |id: &str| there.iter().any(|package| package.vnfd_id.as_deref() == Some(id));
    Ok(found
        .into_iter()
        .filter(|(_, (id, _))| !is_there(id))
        .map(|(uri, (_, bytes))| (uri, bytes))
        .collect())
}

/// A file that is gone when it is no longer needed.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // It lies among temporary files; whoever cleans those up takes it along.
        drop(std::fs::remove_file(&self.0));
    }
}

fn tempfile(bytes: &[u8]) -> anyhow::Result<Scratch> {
    let path = std::env::temp_dir().join(format!("manifold-{}.csar", uuid::Uuid::now_v7()));
    let scratch = Scratch(path);
    std::fs::File::create_new(&scratch.0)?.write_all(bytes)?;
    Ok(scratch)
}

/// On a terminal, by asking. Errors: there is nobody to ask.
fn agreed(json: bool) -> anyhow::Result<bool> {
    let stdin = std::io::stdin();
    ensure!(
        !json && stdin.is_terminal(),
        "nobody is there to agree to the plan; say --yes if it shall be done, --dry-run if it shall only be shown"
    );
    eprint!("Shall it be done? [y/N] ");
    let mut answer = String::new();
    stdin.lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// A plan, as people read it.
pub fn show(name: &str, plan: &ScriptPlan) {
    for note in &plan.notes {
        eprintln!("note: {}", note.trim_end());
    }
    if plan.is_empty() {
        println!("{name}: no part of it changes");
        return;
    }
    println!("{name}, revision {}:", plan.revision);
    for (sign, parts) in [("+", &plan.create), ("~", &plan.change), ("-", &plan.remove)] {
        for part in parts {
            let kind = format!("{:?}", part.kind);
            println!("  {sign} {kind:15} {}  {}", part.name, part.detail);
        }
    }
    println!(
        "  {} new, {} changed, {} gone",
        plan.create.len(),
        plan.change.len(),
        plan.remove.len()
    );
}
