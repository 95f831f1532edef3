//! `manifold op`: lifecycle operations of network services.

use crate::client::{Session, follow::follow, print};
use crate::config::Config;
use clap::Subcommand;
use manifold_call::OccurrenceId;
use manifold_nfvo_interface::CancelNsOperation;
use manifold_sol::{CancelModeType, NsLcmOpOcc};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// All operations
    List,
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
    /// FAILED_TEMP: accept the failures and finish the rest
    Continue {
        /// Its id
        id: OccurrenceId,
    },
    /// FAILED_TEMP: give up; what was made stays and can be terminated
    Fail {
        /// Its id
        id: OccurrenceId,
    },
    /// Stop a running operation
    Cancel {
        /// Its id
        id: OccurrenceId,
        /// Break off what has begun, too
        #[arg(long)]
        forceful: bool,
    },
}

pub async fn run(config: Config, command: Command, json: bool) -> anyhow::Result<()> {
    let session = Session::open(&config)?;
    let lifecycle = &session.nfvo.lifecycle;
    match command {
        Command::List => {
            let mut all = lifecycle.query_operations(&session.cx(), ()).await?;
            all.sort_by(|a, b| a.start_time.cmp(&b.start_time));
            print::rows(
                json,
                &["ID", "OPERATION", "NS", "STATE", "STARTED", "ERROR"],
                &all,
                |occurrence| {
                    vec![
                        occurrence.id.clone(),
                        occurrence.lcm_operation_type.as_wire(),
                        occurrence.ns_instance_id.clone(),
                        occurrence.operation_state.as_wire(),
                        occurrence.start_time.clone(),
                        occurrence
                            .error
                            .as_ref()
                            .map(|error| error.detail.clone())
                            .unwrap_or_default(),
                    ]
                },
            )
        }
        Command::Show { id } => {
            let occurrence = lifecycle.find_operation(&session.cx(), id).await?;
            let progress = lifecycle.progress(&session.cx(), id).await?;
            if json {
                return print::value(&serde_json::json!({"operation": occurrence, "progress": progress}));
            }
            tell(&occurrence);
            print::rows(
                false,
                &["STEP", "STATE", "TOOK", "TRIES", "ERROR"],
                &progress.steps,
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
        Command::Watch { id } => finish(follow(&session, id, json).await?, json),
        Command::Retry { id } => {
            lifecycle.retry(&session.cx(), id).await?;
            finish(follow(&session, id, json).await?, json)
        }
        Command::Rollback { id } => {
            lifecycle.rollback(&session.cx(), id).await?;
            // ROLLED_BACK is what was asked for, so the state is told and is no failure.
            let outcome = follow(&session, id, json).await;
            let occurrence = lifecycle.find_operation(&session.cx(), id).await?;
            match occurrence.operation_state {
                manifold_sol::LcmOperationState::RolledBack => finish(occurrence, json),
                _ => outcome.and_then(|occurrence| finish(occurrence, json)),
            }
        }
        Command::Continue { id } => {
            lifecycle.continue_operation(&session.cx(), id).await?;
            finish(follow(&session, id, json).await?, json)
        }
        Command::Fail { id } => finish(lifecycle.fail(&session.cx(), id).await?, json),
        Command::Cancel { id, forceful } => {
            let mode = if forceful {
                CancelModeType::Forceful
            } else {
                CancelModeType::Graceful
            };
            lifecycle
                .cancel(&session.cx(), CancelNsOperation { operation: id, mode })
                .await?;
            finish(lifecycle.find_operation(&session.cx(), id).await?, json)
        }
    }
}

fn tell(occurrence: &NsLcmOpOcc) {
    println!(
        "{} {} of NS {}",
        occurrence.lcm_operation_type.as_wire(),
        occurrence.operation_state.as_wire(),
        occurrence.ns_instance_id
    );
    println!(
        "started {}, in this state since {}",
        occurrence.start_time, occurrence.state_entered_time
    );
    if let Some(error) = &occurrence.error {
        println!("error: {}", error.detail);
    }
}

fn finish(occurrence: NsLcmOpOcc, json: bool) -> anyhow::Result<()> {
    if json {
        return print::value(&occurrence);
    }
    tell(&occurrence);
    Ok(())
}
