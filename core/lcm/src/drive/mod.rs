//! The driver of one occurrence: the only one who moves it. It begins what is ready, journals, waits for what comes.
//!
//! ```text
//!   pick ──> flush (one commit) ──> launch ──> wait ──> settle ──┐
//!     ^                                                          │
//!     └──────────────────────────────────────────────────────────┘
//! ```

mod commit;
mod course;
mod ending;

use std::collections::HashMap;
use std::sync::Arc;

use manifold_call::Deadline;
use manifold_store::{Batch, Conflict, StoreError};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use self::course::Course;
use self::ending::{End, cancelled};
use crate::engine::Inner;
use crate::journal::{Ledger, Record, Standing};
use crate::metrics::Metrics;
use crate::plan::CheckedPlan;
use crate::running::{Job, Outcome, now_ms};
use crate::{
    CancelMode, LcmNotification, Occurrence, OccurrenceView, Operation, Problem, Severity, State, StepCx, StepError,
    Task,
};

/// What others ask of a driver.
pub(crate) enum Command {
    Cancel {
        mode: CancelMode,
        durable: oneshot::Sender<()>,
    },
}

/// Why a driver cannot go on; the occurrence is as its journal says.
#[derive(Debug)]
pub(crate) enum Broken {
    /// A race was lost: over a document of the start, the subject's lock, or the occurrence itself.
    Lost(Conflict),
    /// The store failed; what was written last is not known.
    Store(StoreError),
    /// The operation could not say what to write at its end.
    Ending(StepError),
    /// The journal would hold what cannot be read again.
    Journal(String),
}

pub(crate) struct Driver {
    pub(crate) inner: Arc<Inner>,
    pub(crate) operation: Arc<dyn Operation>,
    pub(crate) plan: CheckedPlan,
    pub(crate) occurrence: Occurrence,
    /// The revision of the occurrence's document; 0: it is not written yet.
    pub(crate) revision: u64,
    pub(crate) ledger: Ledger,
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) shown: watch::Sender<OccurrenceView>,
    // What the next commit writes.
    records: Vec<Record>,
    notes: Vec<LcmNotification>,
    changed: bool,
    at_ms: u64,
    // What is under way.
    course: Course,
    /// Whether it goes backwards: undoing, in ROLLING_BACK or out of STARTING.
    back: bool,
    /// Whether a step has failed since the last task.
    failed: bool,
    begin: Vec<Begin>,
    running: JoinSet<(u32, Outcome)>,
    by_task: HashMap<Id, usize>,
    cancel: CancellationToken,
    /// The occurrence as the steps see it; made again after each change.
    seen: Option<Arc<Occurrence>>,
}

/// A step to be launched once its intent is durable.
struct Begin {
    index: usize,
    /// Whether nothing of its incarnation can be there yet.
    fresh: bool,
}

impl Driver {
    pub(crate) fn new(
        inner: Arc<Inner>,
        operation: Arc<dyn Operation>,
        plan: CheckedPlan,
        occurrence: Occurrence,
        revision: u64,
        ledger: Ledger,
        channels: (mpsc::Receiver<Command>, watch::Sender<OccurrenceView>),
    ) -> Self {
        Self {
            inner,
            operation,
            plan,
            occurrence,
            revision,
            ledger,
            commands: channels.0,
            shown: channels.1,
            records: Vec::new(),
            notes: Vec::new(),
            changed: false,
            at_ms: now_ms(),
            course: Course::default(),
            back: false,
            failed: false,
            begin: Vec::new(),
            running: JoinSet::new(),
            by_task: HashMap::new(),
            cancel: CancellationToken::new(),
            seen: None,
        }
    }

    /// The first commit of a new occurrence, with the first steps' intents and whatever `batch` holds.
    pub(crate) async fn open_new(&mut self, batch: Batch) -> Result<(), Broken> {
        self.changed = true;
        self.note();
        self.chart();
        self.pick()?;
        self.flush(batch).await
    }

    /// The first commit after a task. The caller has checked that the task is allowed.
    pub(crate) async fn open_task(&mut self, task: Task) -> Result<(), Broken> {
        match task {
            Task::Retry => {
                self.record(Record::Reopened)?;
                self.enter(State::Processing);
            }
            Task::Continue => {
                let failed =
                    (0..self.plan.steps.len()).filter(|at| self.ledger.steps[*at].standing == Standing::Failed);
                for index in failed.collect::<Vec<_>>() {
                    let step = self.plan.steps[index].name.to_string();
                    self.record(Record::Skipped { step })?;
                }
                self.record(Record::Reopened)?;
                self.enter(State::Processing);
            }
            Task::Rollback => {
                self.record(Record::Reopened)?;
                self.enter(State::RollingBack);
            }
            Task::Fail => return self.end(State::Failed, End::Abandon).await?.map_err(Broken::Ending),
            Task::Cancel => {}
        }
        self.chart();
        self.pick()?;
        self.flush(Batch::new()).await
    }

    /// Takes up what a driver before this one left: an engine of an earlier process, or one whose store failed.
    pub(crate) fn open_again(&mut self) -> Result<(), Broken> {
        self.chart();
        self.pick()
    }

    /// Moves the occurrence until it rests.
    pub(crate) async fn run(&mut self) -> Result<(), Broken> {
        if self.back {
            self.backward().await
        } else {
            self.forward().await
        }
    }

    async fn forward(&mut self) -> Result<(), Broken> {
        loop {
            if self.is_idle() {
                if self.inner.stopping.is_cancelled() {
                    return self.flush(Batch::new()).await;
                }
                if self.occurrence.cancel.is_some() || self.failed {
                    return self.halt().await;
                }
                if self.course.left == 0 {
                    return self.conclude().await;
                }
            }
            self.turn().await?;
        }
    }

    async fn backward(&mut self) -> Result<(), Broken> {
        let starting = self.occurrence.state == State::Starting;
        loop {
            if self.is_idle() {
                if self.inner.stopping.is_cancelled() {
                    return self.flush(Batch::new()).await;
                }
                if !starting && self.occurrence.cancel.is_some() {
                    self.hold(cancelled());
                    return self.flush(Batch::new()).await;
                }
                // What cannot be undone in STARTING is no resource: it is told, and does not hold the subject.
                if self.course.left == 0 || starting {
                    return match self.end(State::RolledBack, End::Restore).await? {
                        Ok(()) => Ok(()),
                        Err(error) => {
                            self.hold(Problem::new(None, &error.cause));
                            self.flush(Batch::new()).await
                        }
                    };
                }
                let failed = self
                    .ledger
                    .steps
                    .iter()
                    .filter(|step| step.standing == Standing::UndoFailed);
                let mut problems: Vec<Problem> = failed.filter_map(|step| step.problem.clone()).collect();
                let first = if problems.is_empty() {
                    cancelled()
                } else {
                    problems.remove(0)
                };
                self.occurrence
                    .warnings
                    .extend(problems.into_iter().map(|problem| problem.detail));
                self.hold(first);
                return self.flush(Batch::new()).await;
            }
            self.turn().await?;
        }
    }

    /// One turn of the loop: journal what was picked and settled, launch it, wait for the next.
    async fn turn(&mut self) -> Result<(), Broken> {
        self.flush(Batch::new()).await?;
        self.launch();
        tokio::select! {
            joined = self.running.join_next_with_id(), if !self.running.is_empty() => {
                // Steps that end together shall share a commit: let those that are about to end do so.
                tokio::task::yield_now().await;
                let mut next = joined;
                while let Some(joined) = next {
                    self.settle(joined)?;
                    next = self.running.try_join_next_with_id();
                }
            }
            Some(command) = self.commands.recv() => self.obey(command).await?,
        }
        self.pick()
    }

    fn is_idle(&self) -> bool {
        self.running.is_empty() && self.begin.is_empty()
    }

    /// Sends to work what was picked; its intent is durable.
    fn launch(&mut self) {
        for Begin { index, fresh } in std::mem::take(&mut self.begin) {
            let occurrence = Arc::clone(self.seen.get_or_insert_with(|| Arc::new(self.occurrence.clone())));
            let step = &self.ledger.steps[index];
            let planned = self.plan.steps[index].clone();
            let span = tracing::info_span!(
                "step",
                occ = %occurrence.id,
                op = %occurrence.operation,
                step = %planned.name,
                tenant = %occurrence.tenant,
                undoing = self.back,
            );
            let job = Job {
                inner: Arc::clone(&self.inner),
                cx: StepCx {
                    occurrence,
                    step: Arc::clone(&planned.name),
                    incarnation: step.incarnation,
                    attempt: step.attempts,
                    undoing: self.back,
                    deadline: Deadline::within(planned.step.limit()),
                    outputs: Arc::clone(&self.ledger.outputs),
                    note: step.wait.as_ref().and_then(|wait| wait.note.clone()),
                    cancel: self.cancel.clone(),
                },
                planned,
                look_first: !fresh,
                waiting: step.wait.clone(),
            };
            Metrics::add(&self.inner.metrics.steps_total);
            let id = self
                .running
                .spawn(self.inner.tracker.track_future(job.run()).instrument(span))
                .id();
            self.by_task.insert(id, index);
        }
    }

    /// Notes what a step's work came to.
    fn settle(&mut self, joined: Result<(Id, (u32, Outcome)), JoinError>) -> Result<(), Broken> {
        let id = joined.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let index = self
            .by_task
            .remove(&id)
            .expect("each task was entered when it was spawned");
        let step = self.plan.steps[index].name.to_string();
        let (attempts, outcome) = match joined {
            Ok((_, rest)) => rest,
            Err(error) if error.is_cancelled() => return Ok(()),
            Err(_) => (1, Outcome::Failed(StepError::internal(format!("step {step} panicked")))),
        };
        self.ledger.steps[index].attempts = attempts;
        match outcome {
            Outcome::Done(output) => {
                self.record(Record::Done { step, output, attempts })?;
                self.arrive(index);
            }
            Outcome::Undone => {
                self.record(Record::Undone { step })?;
                self.arrive(index);
            }
            Outcome::Waiting(wait) => {
                self.record(Record::Pending { step, wait })?;
                self.begin.push(Begin { index, fresh: false });
            }
            Outcome::Failed(error) => {
                tracing::warn!(
                    occ = %self.occurrence.id, op = %self.occurrence.operation, step, attempts,
                    error = ?error.cause, "Step failed."
                );
                let problem = Problem::new(Some(&step), &error.cause);
                if self.back {
                    self.record(Record::UndoFailed {
                        step,
                        problem,
                        attempts,
                    })?;
                } else {
                    let fatal = error.severity == Severity::Fatal;
                    self.record(Record::Failed {
                        step,
                        problem,
                        fatal,
                        attempts,
                    })?;
                    self.failed = true;
                }
            }
            Outcome::Paused => {}
        }
        Ok(())
    }

    async fn obey(&mut self, command: Command) -> Result<(), Broken> {
        let Command::Cancel { mode, durable } = command;
        if self.back && self.occurrence.state == State::Starting {
            // It goes back already.
            let _ = durable.send(());
            return Ok(());
        }
        if self.occurrence.cancel != Some(CancelMode::Forceful) {
            self.occurrence.cancel = Some(mode);
            self.change();
        }
        self.flush(Batch::new()).await?;
        // Who asked may have gone away.
        let _ = durable.send(());
        self.cancel.cancel();
        if mode == CancelMode::Forceful {
            self.running.abort_all();
            while let Some(joined) = self.running.join_next_with_id().await {
                self.settle(joined)?;
            }
            self.begin.clear();
        }
        Ok(())
    }
}

/// Replaces a view by a newer one.
pub(crate) fn show(shown: &watch::Sender<OccurrenceView>, view: OccurrenceView) {
    shown.send_if_modified(|old| {
        let newer = view.order > old.order;
        if newer {
            *old = view;
        }
        newer
    });
}
