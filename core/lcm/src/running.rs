//! One step at work: look, act, repeat, wait; or undo, repeat, wait.

use std::sync::Arc;
use std::time::Duration;

use manifold_call::{CallError, Deadline};
use serde_json::Value;
use tokio::time::{Instant, timeout};

use crate::engine::Inner;
use crate::journal::Waiting;
use crate::metrics::Metrics;
use crate::plan::Planned;
use crate::{Found, Progress, Severity, StepCx, StepError, UndoProgress, Wait};

/// Attempts of a step that fails transiently: with the delays below they span six seconds, in which a neighbour can
/// restart. Who needs longer waits for an event.
const ATTEMPTS_MAX: u32 = 8;
const REPEAT_DELAY_MIN: Duration = Duration::from_millis(50);
const REPEAT_DELAY_MAX: Duration = Duration::from_secs(5);
/// How soon, and at least how often, a waiting step looks without being told.
const LOOK_DELAY_MIN: Duration = Duration::from_secs(1);
const LOOK_DELAY_MAX: Duration = Duration::from_secs(30);

/// What a step's work came to.
#[derive(Debug)]
pub(crate) enum Outcome {
    Done(Value),
    Undone,
    /// To be journaled, then gone on with.
    Waiting(Waiting),
    Failed(StepError),
    /// The engine stops; nothing is decided.
    Paused,
}

/// A step about to work.
pub(crate) struct Job {
    pub(crate) inner: Arc<Inner>,
    pub(crate) planned: Planned,
    pub(crate) cx: StepCx,
    /// Whether an earlier attempt may have had an effect.
    pub(crate) look_first: bool,
    pub(crate) waiting: Option<Waiting>,
}

impl Job {
    /// Works until there is something to journal. Returns the attempts so far.
    pub(crate) async fn run(mut self) -> (u32, Outcome) {
        let limit = self.planned.step.limit();
        if let Some(waiting) = self.waiting.take() {
            let mut until = waiting;
            match self.wait(&mut until, limit).await {
                Look::Rest(outcome) => return (self.cx.attempt, outcome),
                Look::ActAgain => self.look_first = false,
            }
        }
        let end = Instant::now() + limit;
        loop {
            self.cx.attempt += 1;
            self.cx.deadline = Deadline::within(end.saturating_duration_since(Instant::now()));
            let tried = self
                .within(end.saturating_duration_since(Instant::now()), self.attempt())
                .await;
            let error = match tried {
                Some(Ok(outcome)) => return (self.cx.attempt, outcome),
                Some(Err(error)) => error,
                None => {
                    let error = StepError::timed_out(format_args!("step {}", self.planned.name), limit);
                    return (self.cx.attempt, Outcome::Failed(error));
                }
            };
            let delay = delay(self.cx.attempt, REPEAT_DELAY_MIN, REPEAT_DELAY_MAX);
            let may_repeat = error.severity == Severity::Transient
                && self.cx.attempt < ATTEMPTS_MAX
                && Instant::now() + delay < end
                && !self.cx.is_cancelled();
            if !may_repeat {
                return (self.cx.attempt, Outcome::Failed(error));
            }
            tracing::warn!(attempt = self.cx.attempt, error = ?error.cause, "Step failed and is repeated.");
            Metrics::add(&self.inner.metrics.repeats_total);
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                () = self.inner.stopping.cancelled() => return (self.cx.attempt, Outcome::Paused),
                () = self.cx.cancel.cancelled() => return (self.cx.attempt, Outcome::Failed(error)),
            }
            // What failed may have had its effect before.
            self.look_first = true;
        }
    }

    async fn attempt(&self) -> Result<Outcome, StepError> {
        if self.cx.undoing {
            return Ok(match self.undo().await? {
                UndoProgress::Done => Outcome::Undone,
                UndoProgress::Pending(wait) => Outcome::Waiting(journaled(wait)),
            });
        }
        if self.look_first {
            match self.planned.step.find(&self.cx).await? {
                Found::Absent => {}
                Found::Pending(wait) => return Ok(Outcome::Waiting(journaled(wait))),
                Found::Done(output) => return Ok(Outcome::Done(output)),
            }
        }
        Ok(match self.planned.step.act(&self.cx).await? {
            Progress::Done(output) => Outcome::Done(output),
            Progress::Pending(wait) => Outcome::Waiting(journaled(wait)),
        })
    }

    async fn undo(&self) -> Result<UndoProgress, StepError> {
        let made = self.cx.outputs.value(&self.planned.name);
        self.planned.step.undo(&self.cx, made).await
    }

    /// Runs work in one of the engine's places, for at most so long; `None`: it took longer.
    async fn within<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        // The place is not part of the step's time: a full engine shall not fail steps.
        let _place = self.inner.places.acquire().await.ok()?;
        timeout(limit, work).await.ok()
    }

    /// Waits for an event. It registers first and looks then, so that a signal between the two is not lost.
    async fn wait(&mut self, waiting: &mut Waiting, limit: Duration) -> Look {
        let inner = Arc::clone(&self.inner);
        let mut looks = 0;
        let mut unasked = false;
        let mut failures = 0;
        loop {
            let registration = inner.signals.register(&waiting.event);
            let notified = registration.notify.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();

            self.cx.note.clone_from(&waiting.note);
            self.cx.deadline = Deadline::within(limit);
            let seen = if self.cx.undoing {
                self.within(limit, self.undo()).await.map(|seen| {
                    seen.map(|progress| match progress {
                        UndoProgress::Done => Seen::Rest(Outcome::Undone),
                        UndoProgress::Pending(wait) => Seen::StillPending(wait),
                    })
                })
            } else {
                self.within(limit, self.planned.step.find(&self.cx)).await.map(|seen| {
                    seen.map(|found| match found {
                        Found::Absent => Seen::Gone,
                        Found::Done(output) => Seen::Rest(Outcome::Done(output)),
                        Found::Pending(wait) => Seen::StillPending(wait),
                    })
                })
            };
            match seen {
                Some(Ok(Seen::Rest(outcome))) => {
                    if unasked {
                        Metrics::add(&self.inner.metrics.missed_signals_total);
                    }
                    return Look::Rest(outcome);
                }
                Some(Ok(Seen::StillPending(wait))) if wait.event != waiting.event => {
                    return Look::Rest(Outcome::Waiting(journaled(wait)));
                }
                Some(Ok(Seen::StillPending(_))) => failures = 0,
                Some(Ok(Seen::Gone)) if self.cx.attempt < ATTEMPTS_MAX => return Look::ActAgain,
                Some(Ok(Seen::Gone)) => {
                    let gone = format!(
                        "what step {} began is gone each time that it is begun",
                        self.planned.name
                    );
                    return Look::Rest(Outcome::Failed(StepError::permanent(CallError::conflict(gone))));
                }
                Some(Err(error)) if error.severity == Severity::Transient && failures < ATTEMPTS_MAX => {
                    tracing::warn!(error = ?error.cause, "Looking for a step's effect failed and is repeated.");
                    failures += 1;
                }
                Some(Err(error)) => return Look::Rest(Outcome::Failed(error)),
                None if failures < ATTEMPTS_MAX => failures += 1,
                None => {
                    let error = StepError::timed_out(format_args!("looking for step {}", self.planned.name), limit);
                    return Look::Rest(Outcome::Failed(error));
                }
            }
            let left = Duration::from_millis(waiting.until_ms.saturating_sub(now_ms()));
            if left.is_zero() {
                let what = format!(
                    "step {} waited for {}, which did not come in time",
                    self.planned.name, waiting.event
                );
                return Look::Rest(Outcome::Failed(StepError::permanent(CallError::timed_out(what))));
            }
            looks += 1;
            tokio::select! {
                () = &mut notified => (looks, unasked) = (0, false),
                () = tokio::time::sleep(left.min(delay(looks, LOOK_DELAY_MIN, LOOK_DELAY_MAX))) => unasked = true,
                () = self.inner.stopping.cancelled() => return Look::Rest(Outcome::Paused),
            }
        }
    }
}

enum Look {
    Rest(Outcome),
    ActAgain,
}

enum Seen {
    Rest(Outcome),
    StillPending(Wait),
    Gone,
}

fn journaled(wait: Wait) -> Waiting {
    let deadline_ms = u64::try_from(wait.deadline.as_millis()).unwrap_or(u64::MAX);
    Waiting {
        event: wait.event,
        until_ms: now_ms().saturating_add(deadline_ms),
        note: wait.note,
    }
}

fn delay(times: u32, min: Duration, max: Duration) -> Duration {
    min.saturating_mul(1 << times.saturating_sub(1).min(16)).min(max)
}

/// Now, milliseconds since 1970.
pub(crate) fn now_ms() -> u64 {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
