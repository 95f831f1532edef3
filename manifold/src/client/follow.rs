//! Follows an operation to its end: which step of which operation runs, since when.

use super::{Session, print};
use anyhow::bail;
use indicatif::{ProgressBar, ProgressStyle};
use manifold_call::OccurrenceId;
use manifold_nfvo_interface::{Progress, ScriptOperation};
use manifold_sol::{LcmOperationState, NsLcmOpOcc};
use std::time::Duration;

/// How often progress is asked for: a person's eye does not need more.
const PACE: Duration = Duration::from_millis(150);

/// The longest operation that a command waits for.
const PATIENCE: Duration = Duration::from_secs(1_800);

/// On a terminal, the steps of an operation.
struct Bar(ProgressBar);

impl Bar {
    fn new(quiet: bool) -> anyhow::Result<Self> {
        let bar = if quiet {
            ProgressBar::hidden()
        } else {
            ProgressBar::new(1)
        };
        bar.set_style(ProgressStyle::with_template(
            "  {bar:24} {pos}/{len} {elapsed:>5} {wide_msg}",
        )?);
        bar.enable_steady_tick(Duration::from_millis(100));
        Ok(Self(bar))
    }

    fn show(&self, progress: &Progress) {
        self.0.set_length(progress.steps.len() as u64);
        let done = progress
            .steps
            .iter()
            .filter(|step| matches!(step.state.as_str(), "DONE" | "UNDONE"))
            .count();
        self.0.set_position(done as u64);
        let running: Vec<&str> = progress
            .steps
            .iter()
            .filter(|step| matches!(step.state.as_str(), "RUNNING" | "WAITING" | "UNDOING"))
            .map(|step| step.name.as_str())
            .collect();
        self.0
            .set_message(format!("{}: {}", progress.state, running.join(", ")));
    }

    fn clear(&self) {
        self.0.finish_and_clear();
    }
}

/// Waits until the operation rests; a bar on a terminal tells its steps. Errors: it did not complete; says why and what can be
/// done next.
pub async fn follow(session: &Session, id: OccurrenceId, quiet: bool) -> anyhow::Result<NsLcmOpOcc> {
    let bar = Bar::new(quiet)?;
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let mut ticks = tokio::time::interval(PACE);
    loop {
        ticks.tick().await;
        let progress = session.nfvo.lifecycle.progress(&session.cx(), id).await?;
        bar.show(&progress);
        let occurrence = session.nfvo.lifecycle.find_operation(&session.cx(), id).await?;
        match occurrence.operation_state {
            LcmOperationState::Starting | LcmOperationState::Processing | LcmOperationState::RollingBack => {}
            LcmOperationState::Completed | LcmOperationState::PartiallyCompleted => {
                bar.clear();
                return Ok(occurrence);
            }
            state @ (LcmOperationState::FailedTemp | LcmOperationState::Failed | LcmOperationState::RolledBack) => {
                bar.clear();
                let why = occurrence
                    .error
                    .as_ref()
                    .map_or("no reason was told", |error| error.detail.as_str());
                let next = match state {
                    LcmOperationState::FailedTemp => {
                        format!("; go on with `manifold op retry|rollback|continue|fail {id}`")
                    }
                    _ => String::new(),
                };
                bail!("operation {id} is {}: {why}{next}", state.as_wire());
            }
        }
        if tokio::time::Instant::now() > deadline {
            bar.clear();
            bail!(
                "operation {id} still runs after {}; follow it with `manifold op watch {id}`",
                print::span(1_800_000)
            );
        }
    }
}

/// The same for an operation on a script. `wanted` is the state that is no failure.
pub async fn follow_script(
    session: &Session,
    id: OccurrenceId,
    wanted: &str,
    quiet: bool,
) -> anyhow::Result<ScriptOperation> {
    let bar = Bar::new(quiet)?;
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let mut ticks = tokio::time::interval(PACE);
    loop {
        ticks.tick().await;
        let operation = session.nfvo.scripts.find_operation(&session.cx(), id).await?;
        bar.show(&operation.progress);
        let state = operation.state.as_str();
        if !matches!(state, "STARTING" | "PROCESSING" | "ROLLING_BACK") {
            bar.clear();
            if state == wanted {
                return Ok(operation);
            }
            let why = operation
                .error
                .as_ref()
                .map_or("no reason was told", |error| error.detail.as_str());
            let next = match state {
                "FAILED_TEMP" => format!("; go on with `manifold script op retry|rollback|fail {id}`"),
                _ => String::new(),
            };
            bail!("operation {id} is {state}: {why}{next}");
        }
        if tokio::time::Instant::now() > deadline {
            bar.clear();
            bail!(
                "operation {id} still runs after {}; follow it with `manifold script op watch {id}`",
                print::span(1_800_000)
            );
        }
    }
}
