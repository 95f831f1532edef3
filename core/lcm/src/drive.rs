//! The driver of one occurrence: the only one who moves it. It begins what is ready, journals, waits for what comes.
//!
//! ```text
//!   pick ──> flush (one commit) ──> launch ──> wait ──> settle ──┐
//!     ^                                                          │
//!     └──────────────────────────────────────────────────────────┘
//! ```

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use manifold_call::{CallError, Deadline};
use manifold_store::{Batch, Conflict, Doc, Expect, LeaseChange, Put, StoreError};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use uuid::Uuid;

use crate::engine::Inner;
use crate::journal::{EntryRef, FORMAT, Ledger, Record, Standing, stream};
use crate::metrics::Metrics;
use crate::plan::CheckedPlan;
use crate::running::{Job, Outcome, now_ms};
use crate::{
    CancelMode, Ending, LcmNotification, NotificationStatus, OCCURRENCE, OUTBOX_TOPIC, Occurrence, OccurrenceView,
    OnFailure, Operation, Problem, Severity, State, StepCx, StepError, Task,
};

/// Steps of one occurrence at work at a time. More would not make two processors faster, and would let one large
/// network service keep all others from the neighbours.
const STEPS_AT_ONCE: usize = 32;
/// How often the ending's documents are read again when others write them meanwhile.
const END_TRIES: u32 = 8;

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

/// What the operation writes with the end.
#[derive(Clone, Copy)]
enum End {
    Conclude,
    Restore,
    Abandon,
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

/// Which steps can go, in one direction.
#[derive(Default)]
struct Course {
    /// How many must come before each.
    missing: Vec<usize>,
    ready: BTreeSet<usize>,
    /// Not at their goal.
    left: usize,
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

    // What can go.

    /// Works out which steps can go, from where they all stand.
    fn chart(&mut self) {
        let count = self.plan.steps.len();
        self.back |= self.occurrence.state == State::RollingBack;
        self.failed = !self.back && self.ledger.steps.iter().any(|step| step.standing == Standing::Failed);
        let at_goal: Vec<bool> = (0..count).map(|index| self.is_at_goal(index)).collect();
        let earlier = if self.back { &self.plan.after } else { &self.plan.before };
        let missing: Vec<usize> = earlier
            .iter()
            .map(|all| all.iter().filter(|other| !at_goal[**other]).count())
            .collect();
        let ready = (0..count)
            .filter(|index| !at_goal[*index] && missing[*index] == 0)
            .collect();
        self.course = Course {
            missing,
            ready,
            left: at_goal.iter().filter(|there| !**there).count(),
        };
    }

    fn is_at_goal(&self, index: usize) -> bool {
        let step = &self.ledger.steps[index];
        if self.back {
            !step.touched
        } else {
            matches!(step.standing, Standing::Done | Standing::Skipped)
        }
    }

    /// A step has reached its goal: those that waited for it may go.
    fn arrive(&mut self, index: usize) {
        self.course.left -= 1;
        let later = if self.back {
            &self.plan.before[index]
        } else {
            &self.plan.after[index]
        };
        for other in later {
            self.course.missing[*other] -= 1;
            let step = &self.ledger.steps[*other];
            let there = if self.back {
                !step.touched
            } else {
                matches!(step.standing, Standing::Done | Standing::Skipped)
            };
            if self.course.missing[*other] == 0 && !there {
                self.course.ready.insert(*other);
            }
        }
    }

    /// Takes ready steps, as many as may be at work, and notes the intent of each.
    fn pick(&mut self) -> Result<(), Broken> {
        let starting = self.occurrence.state == State::Starting;
        // Out of STARTING, the cancellation is why it goes back; else it ends the going.
        let stopped = self.occurrence.cancel.is_some() && !(self.back && starting);
        if self.inner.stopping.is_cancelled() || stopped || self.failed {
            return Ok(());
        }
        loop {
            if self.occurrence.state == State::Starting && !self.back && self.is_prepared() {
                self.enter(State::Processing);
            }
            let prepares = self.occurrence.state == State::Starting && !self.back;
            let room = STEPS_AT_ONCE.saturating_sub(self.running.len() + self.begin.len());
            let may = self
                .course
                .ready
                .iter()
                .copied()
                .filter(|at| !prepares || self.plan.steps[*at].preparation);
            let picked: Vec<usize> = may.take(room).collect();
            let mut arrived = false;
            for index in picked {
                self.course.ready.remove(&index);
                arrived |= if self.back {
                    self.pick_undo(index)?
                } else {
                    self.pick_act(index)?
                };
            }
            if !arrived {
                return Ok(());
            }
        }
    }

    /// Returns whether the step is at its goal without any work.
    fn pick_act(&mut self, index: usize) -> Result<bool, Broken> {
        let planned = &self.plan.steps[index];
        let step = planned.name.to_string();
        let untouched = self.ledger.steps[index].standing == Standing::Untouched;
        let mut before = self.plan.before[index].iter();
        let lacks = before.any(|before| self.ledger.steps[*before].standing == Standing::Skipped);
        if untouched && lacks && !planned.despite_failures {
            self.record(Record::Skipped { step })?;
            self.arrive(index);
            return Ok(true);
        }
        if untouched || self.ledger.steps[index].standing == Standing::Undoing {
            self.record(Record::Intent { step })?;
        }
        self.begin.push(Begin {
            index,
            fresh: untouched,
        });
        Ok(false)
    }

    /// Returns whether the step is at its goal without any work.
    fn pick_undo(&mut self, index: usize) -> Result<bool, Broken> {
        let step = self.plan.steps[index].name.to_string();
        if self.plan.steps[index].forward_only.is_some() {
            self.record(Record::Undone { step })?;
            self.arrive(index);
            return Ok(true);
        }
        if self.ledger.steps[index].standing != Standing::Undoing {
            self.record(Record::UndoIntent { step })?;
        }
        self.begin.push(Begin { index, fresh: false });
        Ok(false)
    }

    fn is_prepared(&self) -> bool {
        self.plan
            .steps
            .iter()
            .zip(&self.ledger.steps)
            .all(|(planned, step)| !planned.preparation || matches!(step.standing, Standing::Done | Standing::Skipped))
    }

    // Steps at work.

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

    // Coming to rest.

    /// Nothing runs, and a step failed or a cancellation was asked for.
    async fn halt(&mut self) -> Result<(), Broken> {
        let failed = self.ledger.steps.iter().find(|step| step.standing == Standing::Failed);
        let fatal = failed.is_some_and(|step| step.fatal);
        let failure = failed.and_then(|step| step.problem.clone());
        let by_failure = failure.is_some();
        self.stop_for(failure.unwrap_or_else(cancelled), fatal, by_failure)
            .await
    }

    async fn stop_for(&mut self, problem: Problem, fatal: bool, by_failure: bool) -> Result<(), Broken> {
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
            && self.operation.supports(Task::Rollback);
        if rolls_back {
            self.enter(State::RollingBack);
            return self.turn_back().await;
        }
        self.flush(Batch::new()).await
    }

    async fn turn_back(&mut self) -> Result<(), Broken> {
        self.back = true;
        // The token of the way forward may be tripped; undoing is not what was cancelled.
        self.cancel = CancellationToken::new();
        self.chart();
        self.pick()?;
        self.backward().await
    }

    async fn conclude(&mut self) -> Result<(), Broken> {
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
    fn hold(&mut self, problem: Problem) {
        self.occurrence.error = Some(problem);
        self.occurrence.cancel = None;
        Metrics::add(&self.inner.metrics.held_total);
        self.enter(State::FailedTemp);
    }

    /// A terminal state, with what the operation writes for it, in one commit. The inner error is the operation's.
    async fn end(&mut self, to: State, end: End) -> Result<Result<(), StepError>, Broken> {
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

    async fn read_docs(&self) -> Result<Vec<Doc>, Broken> {
        let subject = (self.operation.subject_kind(), self.occurrence.subject.id.clone());
        let mut docs = Vec::new();
        for (kind, id) in std::iter::once(subject).chain(self.operation.reads(&self.occurrence)) {
            docs.extend(self.inner.store.get(kind, &id).await.map_err(Broken::Store)?);
        }
        Ok(docs)
    }

    // Writing.

    fn change(&mut self) {
        self.changed = true;
        self.seen = None;
    }

    fn enter(&mut self, state: State) {
        let (machine, from) = (self.occurrence.machine, self.occurrence.state);
        debug_assert!(machine.moves(from, state), "{machine:?} goes from {from} to {state}");
        self.occurrence.state = state;
        self.occurrence.state_entered_ms = now_ms();
        self.occurrence.summary = match state.notification_status() {
            NotificationStatus::Start => serde_json::Value::Null,
            NotificationStatus::Result => self.operation.summary(&self.occurrence, &self.ledger.outputs),
        };
        self.change();
        self.note();
        tracing::info!(
            occ = %self.occurrence.id, op = %self.occurrence.operation, tenant = %self.occurrence.tenant,
            %state, "Operation changed its state."
        );
    }

    fn note(&mut self) {
        let occurrence = &self.occurrence;
        self.notes.push(LcmNotification {
            id: Uuid::now_v7(),
            occurrence: occurrence.id,
            subject: occurrence.subject.clone(),
            operation: occurrence.operation.clone(),
            machine: occurrence.machine,
            state: occurrence.state,
            status: occurrence.state.notification_status(),
            tenant: occurrence.tenant.clone(),
            is_automatic: occurrence.is_automatic,
            parent: occurrence.parent,
            error: occurrence.error.clone(),
            summary: occurrence.summary.clone(),
            at_ms: occurrence.state_entered_ms,
        });
    }

    fn record(&mut self, record: Record) -> Result<(), Broken> {
        if self.records.is_empty() {
            self.at_ms = now_ms();
        }
        self.ledger.apply(self.at_ms, &record).map_err(Broken::Journal)?;
        self.records.push(record);
        Ok(())
    }

    /// Commits everything noted so far, with whatever the batch holds; nothing when there is nothing.
    async fn flush(&mut self, mut batch: Batch) -> Result<(), Broken> {
        let at = batch.writes.len();
        if self.changed {
            batch
                .writes
                .push(occurrence_put(&self.occurrence, self.revision)?.into());
        }
        if !self.records.is_empty() {
            let entry = EntryRef {
                format: FORMAT,
                operation: &self.occurrence.operation,
                version: self.occurrence.version,
                at_ms: self.at_ms,
                records: &self.records,
            };
            let body = serde_json::to_value(entry).map_err(|error| Broken::Journal(error.to_string()))?;
            batch = batch.append(stream(self.occurrence.id), self.ledger.seq + 1, body);
        }
        for note in &self.notes {
            let body = serde_json::to_value(note).map_err(|error| Broken::Journal(error.to_string()))?;
            batch = batch.note(OUTBOX_TOPIC, body);
        }
        if batch.is_empty() {
            return Ok(());
        }
        let appended = !self.records.is_empty();
        let committed = self.inner.store.commit(batch).await.map_err(|error| match error {
            StoreError::Conflict(conflict) => Broken::Lost(conflict),
            other => Broken::Store(other),
        })?;
        Metrics::add(&self.inner.metrics.commits_total);
        if self.changed {
            self.revision = committed.revisions[at];
        }
        self.ledger.seq += u64::from(appended);
        self.changed = false;
        self.records.clear();
        self.notes.clear();
        self.show();
        Ok(())
    }

    /// Shows how it stands to those who watch; who comes later reads the store first.
    pub(crate) fn show(&self) {
        if self.shown.receiver_count() > 0 {
            show(&self.shown, self.ledger.view(&self.occurrence, self.revision));
        }
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

fn cancelled() -> Problem {
    Problem::new(None, &CallError::conflict("the operation was cancelled"))
}

fn occurrence_put(occurrence: &Occurrence, revision: u64) -> Result<Put, Broken> {
    let body = serde_json::to_value(occurrence).map_err(|error| Broken::Journal(error.to_string()))?;
    let expect = if revision == 0 {
        Expect::Absent
    } else {
        Expect::Exactly(revision)
    };
    let mut put = Put::new(OCCURRENCE, occurrence.id.to_string(), expect, body)
        .tenant(Some(occurrence.tenant.as_str()))
        .index("subject", &occurrence.subject.id)
        .index("operation", &occurrence.operation)
        .index("state", occurrence.state.as_str());
    if !occurrence.state.is_terminal() {
        put = put.index("open", "yes");
    }
    Ok(put)
}
