//! Coming to rest: failures, cancellations, conclusions.

use manifold_call::CallError;
use manifold_store::{Batch, Conflict, Doc, LeaseChange};
use tokio_util::sync::CancellationToken;

use super::{Broken, Driver};
use crate::journal::Standing;
use crate::metrics::Metrics;
use crate::running::now_ms;
use crate::{Ending, OCCURRENCE, OnFailure, Problem, Severity, State, StepError, Task};

/// How often the ending's documents are read again when others write them meanwhile.
const END_TRIES: u32 = 8;

/// What the operation writes with the end.
#[derive(Clone, Copy)]
pub(super) enum End {
    Conclude,
    Restore,
    Abandon,
}

impl Driver {
    /// Why it cannot be rolled back any more; `None`: it can.
    pub(crate) fn past_return(&self) -> Option<&'static str> {
        let steps = self.plan.steps.iter().zip(&self.ledger.steps);
        let mut passed = steps.filter(|(_, step)| step.standing == Standing::Done);
        passed.find_map(|(planned, _)| planned.no_return)
    }

    /// Nothing runs, and a step failed or a cancellation was asked for.
    pub(super) async fn halt(&mut self) -> Result<(), Broken> {
        let failed = self.ledger.steps.iter().find(|step| step.standing == Standing::Failed);
        let fatal = failed.is_some_and(|step| step.fatal);
        let failure = failed.and_then(|step| step.problem.clone());
        let by_failure = failure.is_some();
        self.stop_for(failure.unwrap_or_else(cancelled), fatal, by_failure)
            .await
    }

    pub(super) async fn stop_for(&mut self, problem: Problem, fatal: bool, by_failure: bool) -> Result<(), Broken> {
        if self.occurrence.state == State::Starting {
            self.occurrence.error = Some(problem);
            self.change();
            return self.turn_back().await;
        }
        if fatal {
            self.occurrence.error = Some(problem.clone());
            self.change();
            if self.end(State::Failed, End::Abandon).await?.is_ok() {
                return Ok(());
            }
        }
        self.hold(problem);
        let rolls_back = by_failure
            && !fatal
            && self.occurrence.on_failure == OnFailure::Rollback
            && self.operation.supports(Task::Rollback)
            && self.past_return().is_none();
        if rolls_back {
            self.enter(State::RollingBack);
            return self.turn_back().await;
        }
        self.flush(Batch::new()).await
    }

    pub(super) async fn turn_back(&mut self) -> Result<(), Broken> {
        self.back = true;
        // The token of the way forward may be tripped; undoing is not what was cancelled.
        self.cancel = CancellationToken::new();
        self.chart();
        self.pick()?;
        self.backward().await
    }

    pub(super) async fn conclude(&mut self) -> Result<(), Broken> {
        if self.occurrence.state == State::Starting {
            self.enter(State::Processing);
        }
        let partial = self.ledger.steps.iter().any(|step| step.standing == Standing::Skipped);
        let to = if partial {
            State::PartiallyCompleted
        } else {
            State::Completed
        };
        match self.end(to, End::Conclude).await? {
            Ok(()) => Ok(()),
            Err(error) => {
                tracing::warn!(occ = %self.occurrence.id, error = ?error.cause, "The operation's conclusion failed.");
                let fatal = error.severity == Severity::Fatal;
                self.stop_for(Problem::new(None, &error.cause), fatal, true).await
            }
        }
    }

    /// FAILED_TEMP, because of this.
    pub(super) fn hold(&mut self, problem: Problem) {
        self.occurrence.error = Some(problem);
        self.occurrence.cancel = None;
        Metrics::add(&self.inner.metrics.held_total);
        self.enter(State::FailedTemp);
    }

    /// A terminal state, with what the operation writes for it, in one commit. The inner error is the operation's.
    pub(super) async fn end(&mut self, to: State, end: End) -> Result<Result<(), StepError>, Broken> {
        let mut lost = None;
        for _ in 0..END_TRIES {
            let docs = self.read_docs().await?;
            let ending = Ending {
                occurrence: &self.occurrence,
                outputs: &self.ledger.outputs,
                docs: &docs,
                now_ms: now_ms(),
            };
            let writes = match end {
                End::Conclude => self.operation.conclude(&ending),
                End::Restore => self.operation.restore(&ending),
                End::Abandon => self.operation.abandon(&ending),
            };
            let before = (self.occurrence.clone(), self.notes.len());
            let writes = match writes {
                Ok(writes) => writes,
                // To give up must always be possible, and STARTING has no other way out than ROLLED_BACK.
                Err(error) if matches!(end, End::Abandon) || self.occurrence.state == State::Starting => {
                    tracing::warn!(occ = %self.occurrence.id, error = ?error.cause, "The end's documents were not written.");
                    self.occurrence.warnings.push(error.cause.detail);
                    Vec::new()
                }
                Err(error) => return Ok(Err(error)),
            };
            self.occurrence.cancel = None;
            if matches!(end, End::Conclude) {
                self.occurrence.error = None;
            }
            let undone = self
                .ledger
                .steps
                .iter()
                .filter(|step| step.standing == Standing::UndoFailed);
            if matches!(end, End::Restore) {
                self.occurrence
                    .warnings
                    .extend(undone.filter_map(|step| Some(step.problem.as_ref()?.detail.clone())));
            }
            self.enter(to);
            let mut batch = Batch::new().lease(LeaseChange::Release {
                name: self.occurrence.subject.lease(),
                holder: self.occurrence.id.to_string(),
            });
            batch.writes = writes;
            match self.flush(batch).await {
                Ok(()) => {
                    Metrics::add(&self.inner.metrics.ended_total);
                    return Ok(Ok(()));
                }
                Err(Broken::Lost(Conflict::Revision { kind, id, .. })) if kind != OCCURRENCE.0 => {
                    self.occurrence = before.0;
                    self.notes.truncate(before.1);
                    lost = Some(format!("{kind} {id}"));
                }
                Err(broken) => return Err(broken),
            }
        }
        let what = lost.unwrap_or_else(|| "a document".to_owned());
        Ok(Err(StepError::permanent(CallError::stale(format!(
            "{what} changed each time that it was to be written"
        )))))
    }

    pub(super) async fn read_docs(&self) -> Result<Vec<Doc>, Broken> {
        let subject = (self.operation.subject_kind(), self.occurrence.subject.id.clone());
        let mut docs = Vec::new();
        for (kind, id) in std::iter::once(subject).chain(self.operation.reads(&self.occurrence)) {
            docs.extend(self.inner.store.get(kind, &id).await.map_err(Broken::Store)?);
        }
        Ok(docs)
    }
}

pub(super) fn cancelled() -> Problem {
    Problem::new(None, &CallError::conflict("the operation was cancelled"))
}
