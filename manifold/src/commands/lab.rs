//! `manifold lab`: the embedded infrastructure.

use crate::client::{Session, print};
use crate::config::Config;
use crate::control::LabText;
use anyhow::Context as _;
use clap::Subcommand;
use manifold_lab::Lab;
use manifold_nfvi_interface::Seen;
use serde_json::Value;
use std::path::PathBuf;
use std::time::Duration;

/// For the largest lab that fits on one machine.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make the infrastructure that a file describes
    Create {
        /// TOML; `nfvi/lab/labs` in the sources has two
        file: PathBuf,
        /// Check the file and show what would be made
        #[arg(long)]
        dry_run: bool,
    },
    /// What is there
    Show {
        /// Every kernel object and machine, too
        #[arg(long)]
        objects: bool,
    },
    /// Take it away
    Destroy,
}

pub async fn run(config: Config, command: Command, json: bool) -> anyhow::Result<()> {
    match command {
        Command::Create { file, dry_run } => {
            let text = std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
            if dry_run {
                let lab =
                    Lab::read(&text).map_err(|found| anyhow::anyhow!("{} is not valid:\n{found}", file.display()))?;
                if json {
                    return print::value(&lab.show());
                }
                print!("{}", lab.show());
                println!("{} objects would be made", lab.wishes.len());
                return Ok(());
            }
            let session = Session::open(&config)?;
            let made = session
                .lab
                .put::<Value>(&session.patient(PATIENCE), &["lab"], &LabText { text })
                .await?;
            show(made.body.unwrap_or_default(), json)
        }
        Command::Show { objects } => {
            let session = Session::open(&config)?;
            if objects {
                let all: Vec<Seen> = session.lab.get(&session.cx(), &["objects"]).await?;
                return print::rows(json, &["ID", "KIND", "OWNER", "PLACE", "STATE"], &all, |seen| {
                    vec![
                        seen.id.to_string(),
                        format!("{:?}", seen.kind).to_lowercase(),
                        seen.owner.manager.clone(),
                        seen.place.clone(),
                        seen.machine
                            .as_ref()
                            .map(|state| format!("{state:?}"))
                            .unwrap_or_default(),
                    ]
                });
            }
            show(session.lab.get(&session.cx(), &["lab"]).await?, json)
        }
        Command::Destroy => {
            let session = Session::open(&config)?;
            session.lab.delete(&session.patient(PATIENCE), &["lab"], None).await?;
            if !json {
                println!("The lab is gone.");
            }
            Ok(())
        }
    }
}

fn show(answer: Value, json: bool) -> anyhow::Result<()> {
    if json {
        return print::value(&answer);
    }
    print!("{}", answer["text"].as_str().unwrap_or_default());
    Ok(())
}
