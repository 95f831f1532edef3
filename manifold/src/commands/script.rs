//! `manifold script`: scripts that were applied, and operations on them.

use super::apply::show;
use crate::client::{Session, follow::follow_script, print};
use crate::config::Config;
use anyhow::bail;
use clap::Subcommand;
use manifold_call::OccurrenceId;
use manifold_nfvo_interface::{ScriptInfo, ScriptName, ScriptOperation, ScriptRevision};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// All scripts
    List,
    /// One script: its texts and its parts
    Show {
        /// Its name
        name: String,
        /// As it was then
        #[arg(long)]
        revision: Option<u64>,
    },
    /// Take away the service, what was on-boarded for it, and the script
    Delete {
        /// Its name
        name: String,
        /// Return as soon as the operation has begun
        #[arg(long)]
        no_wait: bool,
    },
    /// Operations on scripts
    #[command(subcommand)]
    Op(Task),
}

#[derive(Debug, Subcommand)]
pub enum Task {
    /// One operation and its steps
    Show {
        /// Its id
        id: OccurrenceId,
    },
    /// Follow an operation to its end
    Watch {
        /// Its id
        id: OccurrenceId,
    },
    /// FAILED_TEMP: go on where it stopped
    Retry {
        /// Its id
        id: OccurrenceId,
    },
    /// FAILED_TEMP: undo what was done
    Rollback {
        /// Its id
        id: OccurrenceId,
    },
    /// FAILED_TEMP: give up; what was made stays, and the script is as it was
    Fail {
        /// Its id
        id: OccurrenceId,
    },
}

pub async fn run(config: Config, command: Command, json: bool) -> anyhow::Result<()> {
    let session = Session::open(&config)?;
    let scripts = &session.nfvo.scripts;
    match command {
        Command::List => {
            let all = scripts.query(&session.cx(), ()).await?;
            print::rows(json, &["NAME", "REVISION", "NS", "OPERATION"], &all, |info| {
                vec![
                    info.name.clone(),
                    info.revision.to_string(),
                    info.ns_instance_id.clone().unwrap_or_default(),
                    info.operation.map(|id| id.to_string()).unwrap_or_default(),
                ]
            })
        }
        Command::Show { name, revision } => {
            let name = ScriptName::from(name);
            let info = match revision {
                Some(revision) => {
                    scripts
                        .find_revision(&session.cx(), ScriptRevision { name, revision })
                        .await?
                }
                None => scripts.find(&session.cx(), name).await?,
            };
            if json { print::value(&info) } else { tell_all(&info) }
        }
        Command::Delete { name, no_wait } => {
            let applied = scripts.delete(&session.cx(), ScriptName::from(name.as_str())).await?;
            let Some(id) = applied.operation.filter(|_| !no_wait) else {
                return if json {
                    print::value(&applied)
                } else {
                    begun(applied.operation)
                };
            };
            if !json {
                show(&name, &applied.plan);
            }
            let ended = follow_script(&session, id, "COMPLETED", json).await?;
            if json {
                return print::value(&ended);
            }
            println!("{name} is gone");
            Ok(())
        }
        Command::Op(task) => operation(&session, task, json).await,
    }
}

fn begun(id: Option<OccurrenceId>) -> anyhow::Result<()> {
    match id {
        Some(id) => println!("operation {id} has begun"),
        None => println!("there is nothing to do"),
    }
    Ok(())
}

async fn operation(session: &Session, task: Task, json: bool) -> anyhow::Result<()> {
    let scripts = &session.nfvo.scripts;
    let ended = match task {
        Task::Show { id } => scripts.find_operation(&session.cx(), id).await?,
        Task::Watch { id } => follow_script(session, id, "COMPLETED", json).await?,
        Task::Retry { id } => {
            scripts.retry(&session.cx(), id).await?;
            follow_script(session, id, "COMPLETED", json).await?
        }
        Task::Rollback { id } => {
            scripts.rollback(&session.cx(), id).await?;
            follow_script(session, id, "ROLLED_BACK", json).await?
        }
        Task::Fail { id } => {
            scripts.fail(&session.cx(), id).await?;
            scripts.find_operation(&session.cx(), id).await?
        }
    };
    if json {
        return print::value(&ended);
    }
    println!("{} {} of script {}", ended.id, ended.state, ended.script);
    if let Some(error) = &ended.error {
        println!("error: {}", error.detail);
    }
    print::rows(
        false,
        &["STEP", "STATE", "TOOK", "TRIES", "ERROR"],
        &ended.progress.steps,
        |step| {
            vec![
                step.name.clone(),
                step.state.clone(),
                print::span(step.duration_ms),
                step.attempts.to_string(),
                step.error.clone().unwrap_or_default(),
            ]
        },
    )
}

/// What an apply has led to.
pub async fn tell(session: &Session, name: &str, ended: &ScriptOperation, json: bool) -> anyhow::Result<()> {
    if json {
        return print::value(ended);
    }
    let info = session.nfvo.scripts.find(&session.cx(), ScriptName::from(name)).await?;
    let Some(ns) = &info.ns_instance_id else {
        bail!("{name} has no network service, though its operation came to its end");
    };
    println!("{name} is at revision {}, network service {ns}", info.revision);
    println!("see it with `manifold topology {ns}`");
    Ok(())
}

fn tell_all(info: &ScriptInfo) -> anyhow::Result<()> {
    println!(
        "{} revision {}, network service {}",
        info.name,
        info.revision,
        info.ns_instance_id.as_deref().unwrap_or("none")
    );
    for part in &info.elements {
        let kind = format!("{:?}", part.kind);
        println!("  {kind:15} {}  {}", part.name, part.detail);
    }
    for source in &info.sources {
        println!("\n// {}\n{}", source.file, source.text.trim_end());
    }
    Ok(())
}
