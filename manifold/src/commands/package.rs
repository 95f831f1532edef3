//! `manifold package`: CSARs from folders, checked and on-boarded.

use crate::client::{Session, print};
use crate::config::Config;
use anyhow::{Context as _, bail};
use clap::Subcommand;
use manifold_descriptors::Descriptor;
use manifold_descriptors::csar::{BuildOptions, Limits, build};
use manifold_descriptors::folder::{Folder, check};
use manifold_nfvo_interface::{New, Upload};
use manifold_sol::PackageOnboardingState;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// For an image of some gigabytes to be sent and hashed.
const PATIENCE: Duration = Duration::from_secs(600);

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make an archive of a folder
    Build {
        /// Holds `Definitions/`
        folder: PathBuf,
        /// The archive; `NAME.csar` beside the folder if absent
        #[arg(short, long)]
        output: Option<PathBuf>,
    },
    /// Say everything that is wrong with a folder or an archive
    Check {
        /// Folder or archive
        path: PathBuf,
    },
    /// On-board a folder or an archive
    Push {
        /// Folder or archive
        path: PathBuf,
    },
    /// What is on-boarded
    List,
}

pub async fn run(config: Config, command: Command, json: bool) -> anyhow::Result<()> {
    match command {
        Command::Build { folder, output } => {
            let output = output.unwrap_or_else(|| folder.with_extension("csar"));
            let descriptor = build_into(&folder, &output)?;
            if json {
                return print::value(&serde_json::json!({
                    "archive": output, "kind": descriptor.kind(), "id": descriptor.descriptor_id(),
                }));
            }
            println!(
                "{}: {} {}",
                output.display(),
                descriptor.kind(),
                descriptor.descriptor_id()
            );
            Ok(())
        }
        Command::Check { path } => {
            let package = check(&path, &Limits::default());
            if json {
                let found: Vec<_> = package
                    .diagnostics
                    .list
                    .iter()
                    .map(|found| {
                        serde_json::json!({
                            "code": found.code.to_string(), "severity": format!("{:?}", found.severity).to_lowercase(),
                            "file": found.place.file, "line": found.place.line, "column": found.place.column,
                            "message": found.message, "help": found.help,
                        })
                    })
                    .collect();
                print::value(&found)?;
            } else if !package.diagnostics.is_empty() {
                print!("{}", package.diagnostics.render());
            }
            if package.diagnostics.has_errors() {
                bail!("{}: {}", path.display(), package.diagnostics.summary());
            }
            if !json && let Some(descriptor) = &package.descriptor {
                println!(
                    "{}: {} {} is in order",
                    path.display(),
                    descriptor.kind(),
                    descriptor.descriptor_id()
                );
            }
            Ok(())
        }
        Command::Push { path } => {
            let session = Session::open(&config)?;
            let pushed = push(&session, &path).await?;
            if json {
                return print::value(
                    &serde_json::json!({"kind": pushed.kind, "id": pushed.id, "descriptorId": pushed.descriptor_id}),
                );
            }
            println!("{} {} is on-boarded ({})", pushed.kind, pushed.descriptor_id, pushed.id);
            Ok(())
        }
        Command::List => {
            let session = Session::open(&config)?;
            let mut all: Vec<[String; 5]> = Vec::new();
            for info in session.nfvo.packages.query(&session.cx(), ()).await? {
                let states = format!(
                    "{} {} {}",
                    info.onboarding_state.as_wire(),
                    info.operational_state.as_wire(),
                    info.usage_state.as_wire()
                );
                all.push([
                    "VNF".into(),
                    info.id,
                    info.vnfd_id.unwrap_or_default(),
                    info.vnf_product_name.unwrap_or_default(),
                    states,
                ]);
            }
            for info in session.nfvo.nsds.query(&session.cx(), ()).await? {
                let states = format!(
                    "{} {} {}",
                    info.nsd_onboarding_state.as_wire(),
                    info.nsd_operational_state.as_wire(),
                    info.nsd_usage_state.as_wire()
                );
                all.push([
                    "NS".into(),
                    info.id,
                    info.nsd_id.unwrap_or_default(),
                    info.nsd_name.unwrap_or_default(),
                    states,
                ]);
            }
            for info in session.nfvo.pnfds.query(&session.cx(), ()).await? {
                let states = format!(
                    "{} {}",
                    info.pnfd_onboarding_state.as_wire(),
                    info.pnfd_usage_state.as_wire()
                );
                all.push([
                    "PNF".into(),
                    info.id,
                    info.pnfd_id.unwrap_or_default(),
                    info.pnfd_name.unwrap_or_default(),
                    states,
                ]);
            }
            print::rows(json, &["KIND", "ID", "DESCRIPTOR", "NAME", "STATE"], &all, |row| {
                row.to_vec()
            })
        }
    }
}

/// The archive appears whole or not at all.
fn build_into(folder: &Path, output: &Path) -> anyhow::Result<Descriptor> {
    let limits = Limits::default();
    let mut files =
        Folder::open(folder, &limits).map_err(|found| anyhow::anyhow!("{}:\n{}", folder.display(), found.render()))?;
    let mut next = output.as_os_str().to_owned();
    next.push(".next");
    let next = PathBuf::from(next);
    let file = File::create(&next).with_context(|| format!("making {}", next.display()))?;
    let mut sink = std::io::BufWriter::new(file);
    let outcome = build(&mut files, &BuildOptions::default(), &mut sink)
        .map_err(anyhow::Error::from)
        .and_then(|built| {
            sink.flush()?;
            std::fs::rename(&next, output)?;
            Ok(built.descriptor)
        });
    if outcome.is_err() {
        // The failure that is told is the first one.
        let _ = std::fs::remove_file(&next);
    }
    outcome.with_context(|| format!("building {}", output.display()))
}

/// What was on-boarded.
pub struct Pushed {
    /// `VNF`, `NS` or `PNF`.
    pub kind: &'static str,
    /// The on-boarded resource.
    pub id: String,
    /// What the descriptor calls itself.
    pub descriptor_id: String,
}

/// Builds if need be, uploads, and takes the resource away again when it is refused.
pub async fn push(session: &Session, path: &Path) -> anyhow::Result<Pushed> {
    let scratch = std::env::temp_dir().join(format!("manifold-{}.csar", uuid::Uuid::now_v7()));
    let (archive, descriptor) = if path.is_dir() {
        let descriptor = build_into(path, &scratch)?;
        (scratch.as_path(), descriptor)
    } else {
        let package = check(path, &Limits::default());
        let (descriptor, _) = package
            .into_result()
            .map_err(|found| anyhow::anyhow!("{}:\n{}", path.display(), found.render()))?;
        (path, descriptor)
    };
    let outcome = upload(session, archive, &descriptor).await;
    if archive == scratch {
        std::fs::remove_file(&scratch)?;
    }
    outcome
}

async fn upload(session: &Session, archive: &Path, descriptor: &Descriptor) -> anyhow::Result<Pushed> {
    let descriptor_id = descriptor.descriptor_id().to_owned();
    let file = archive.to_owned();
    let (patient, nfvo) = (session.patient(PATIENCE), &session.nfvo);
    let (kind, id, failure) = match descriptor {
        Descriptor::Vnfd(_) => {
            let made = nfvo.packages.create(&session.cx(), New::default()).await?;
            let id = made.id.parse()?;
            let outcome = nfvo.packages.upload(&patient, Upload { id, file }).await;
            let failure = failure(outcome.map(|info| (info.onboarding_state, info.onboarding_failure_details)));
            if failure.is_some() {
                nfvo.packages.delete(&session.cx(), id).await?;
            }
            ("VNF", made.id, failure)
        }
        Descriptor::Nsd(_) => {
            let made = nfvo.nsds.create(&session.cx(), New::default()).await?;
            let id = made.id.parse()?;
            let outcome = nfvo.nsds.upload(&patient, Upload { id, file }).await;
            let failure = failure(outcome.map(|info| (info.nsd_onboarding_state, info.onboarding_failure_details)));
            if failure.is_some() {
                nfvo.nsds.delete(&session.cx(), id).await?;
            }
            ("NS", made.id, failure)
        }
        Descriptor::Pnfd(_) => {
            let made = nfvo.pnfds.create(&session.cx(), New::default()).await?;
            let id = made.id.parse()?;
            let outcome = nfvo.pnfds.upload(&patient, Upload { id, file }).await;
            let failure = failure(outcome.map(|info| (info.pnfd_onboarding_state, info.onboarding_failure_details)));
            if failure.is_some() {
                nfvo.pnfds.delete(&session.cx(), id).await?;
            }
            ("PNF", made.id, failure)
        }
    };
    match failure {
        None => Ok(Pushed {
            kind,
            id,
            descriptor_id,
        }),
        Some(error) => Err(error.context(format!("{kind} {descriptor_id} was refused"))),
    }
}

fn failure(
    outcome: manifold_call::Outcome<(PackageOnboardingState, Option<manifold_sol::ProblemDetails>)>,
) -> Option<anyhow::Error> {
    match outcome {
        Err(error) => Some(error.into()),
        Ok((PackageOnboardingState::Onboarded, _)) => None,
        Ok((state, details)) => {
            let why = details.map_or_else(|| format!("it is {}", state.as_wire()), |details| details.detail);
            Some(anyhow::anyhow!(why))
        }
    }
}
