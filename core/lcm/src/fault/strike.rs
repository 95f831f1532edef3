//! How a fault is brought about: operations, steps and a store that are struck once, where it was aimed.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use manifold_call::{CallError, OccurrenceId};
use manifold_store::{
    Batch, Committed, Doc, JournalEntry, Kind, Lease, OutboxRow, Page, Query, Sealer, Store, StoreError, Write,
};
use serde_json::Value;
use tokio::sync::{Notify, watch};

use super::Fault;
use crate::{
    Ending, Found, Machine, Occurrence, Operation, Outputs, Plan, PlanError, Progress, Step, StepCx, StepError, Task,
    UndoProgress,
};

/// Where the fault is aimed, and whether it has struck. Lives through the crash.
pub(super) struct Strike {
    pub(super) operation: String,
    pub(super) step: String,
    pub(super) fault: Fault,
    pub(super) struck: AtomicU32,
    pub(super) crashed: Notify,
    pub(super) occurrence: Mutex<Option<OccurrenceId>>,
}

impl Strike {
    pub(super) fn new(operation: &str, step: &str, fault: Fault) -> Self {
        Self {
            operation: operation.to_owned(),
            step: step.to_owned(),
            fault,
            struck: AtomicU32::new(0),
            crashed: Notify::new(),
            occurrence: Mutex::new(None),
        }
    }

    /// True the first time that it is asked.
    fn strikes(&self) -> bool {
        self.struck
            .compare_exchange(0, 1, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    /// The program ends here, or the step is cancelled here.
    async fn crash<T>(&self) -> T {
        self.crashed.notify_one();
        std::future::pending().await
    }
}

pub(super) struct StruckOperation {
    pub(super) inner: Arc<dyn Operation>,
    pub(super) strike: Arc<Strike>,
}

impl Operation for StruckOperation {
    fn kind(&self) -> &'static str {
        self.inner.kind()
    }
    fn version(&self) -> u32 {
        self.inner.version()
    }
    fn machine(&self) -> Machine {
        self.inner.machine()
    }
    fn subject_kind(&self) -> Kind {
        self.inner.subject_kind()
    }
    fn supports(&self, task: Task) -> bool {
        self.inner.supports(task)
    }
    fn plan(&self, occurrence: &Occurrence) -> Result<Plan, PlanError> {
        let plan = self.inner.plan(occurrence)?;
        if self.inner.kind() != self.strike.operation {
            return Ok(plan);
        }
        Ok(plan.map_steps(|planned| {
            let mut step = Arc::clone(&planned.step);
            if planned.no_return.is_some() && self.strike.fault.strikes_undo() {
                step = Arc::new(Turned(step));
            }
            if *planned.name == *self.strike.step {
                step = Arc::new(StruckStep {
                    inner: step,
                    strike: Arc::clone(&self.strike),
                });
            }
            step
        }))
    }
    fn reads(&self, occurrence: &Occurrence) -> Vec<(Kind, String)> {
        self.inner.reads(occurrence)
    }
    fn conclude(&self, ending: &Ending<'_>) -> Result<Vec<Write>, StepError> {
        if self.strike.fault.strikes_undo() && self.inner.kind() == self.strike.operation {
            return Err(StepError::internal("the conclusion is made to fail"));
        }
        self.inner.conclude(ending)
    }
    fn restore(&self, ending: &Ending<'_>) -> Result<Vec<Write>, StepError> {
        self.inner.restore(ending)
    }
    fn abandon(&self, ending: &Ending<'_>) -> Result<Vec<Write>, StepError> {
        self.inner.abandon(ending)
    }
    fn summary(&self, occurrence: &Occurrence, outputs: &Outputs) -> Value {
        self.inner.summary(occurrence, outputs)
    }
}

/// A point of no return that is not passed: everything before it was done, and can be undone.
struct Turned(Arc<dyn Step>);

#[async_trait]
impl Step for Turned {
    async fn find(&self, cx: &StepCx) -> Result<Found, StepError> {
        self.0.find(cx).await
    }

    async fn act(&self, _: &StepCx) -> Result<Progress, StepError> {
        Err(StepError::internal("the point of no return is made not to be passed"))
    }

    async fn undo(&self, cx: &StepCx, made: Option<&Value>) -> Result<UndoProgress, StepError> {
        self.0.undo(cx, made).await
    }

    fn limit(&self) -> Duration {
        self.0.limit()
    }
}

struct StruckStep {
    pub(super) inner: Arc<dyn Step>,
    pub(super) strike: Arc<Strike>,
}

#[async_trait]
impl Step for StruckStep {
    async fn find(&self, cx: &StepCx) -> Result<Found, StepError> {
        self.inner.find(cx).await
    }

    async fn act(&self, cx: &StepCx) -> Result<Progress, StepError> {
        let strike = &self.strike;
        *strike.occurrence.lock().unwrap_or_else(PoisonError::into_inner) = Some(cx.occurrence().id);
        match strike.fault {
            Fault::FailsThenRetry | Fault::FailsThenRollback if strike.strikes() => {
                Err(StepError::internal("the step is made to fail"))
            }
            Fault::FailsLateThenRollback if strike.strikes() => {
                self.inner.act(cx).await?;
                Err(StepError::internal("the step is made to fail late"))
            }
            Fault::ReplyLost if strike.strikes() => {
                self.inner.act(cx).await?;
                Err(StepError::transient(CallError::timed_out(
                    "the reply is made to be lost",
                )))
            }
            Fault::CrashBeforeEffect if strike.strikes() => strike.crash().await,
            Fault::CrashBeforeRecord | Fault::CancelledThenRetry | Fault::CancelledThenRollback if strike.strikes() => {
                self.inner.act(cx).await?;
                strike.crash().await
            }
            Fault::ActsTwice if strike.strikes() => {
                self.inner.act(cx).await?;
                self.inner.act(cx).await
            }
            _ => self.inner.act(cx).await,
        }
    }

    async fn undo(&self, cx: &StepCx, made: Option<&Value>) -> Result<UndoProgress, StepError> {
        let strike = &self.strike;
        match strike.fault {
            Fault::UndoneTwice if strike.strikes() => {
                self.inner.undo(cx, made).await?;
                // The second time, as after a lost record: nobody knows what was made.
                self.inner.undo(cx, None).await
            }
            Fault::UndoFails if strike.strikes() => Err(StepError::internal("undoing is made to fail")),
            Fault::CrashBeforeUndo if strike.strikes() => strike.crash().await,
            Fault::CrashBeforeUndoRecord if strike.strikes() => {
                self.inner.undo(cx, made).await?;
                strike.crash().await
            }
            _ => self.inner.undo(cx, made).await,
        }
    }

    fn limit(&self) -> Duration {
        self.inner.limit()
    }
}

/// Crashes after the commit that holds the step's result; dead from then on.
pub(super) struct StruckStore {
    pub(super) inner: Arc<dyn Store>,
    pub(super) strike: Arc<Strike>,
    pub(super) dead: AtomicU32,
}

impl StruckStore {
    fn records_result(&self, batch: &Batch) -> bool {
        let strike = &self.strike;
        let occurrence = *strike.occurrence.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(occurrence) = occurrence else { return false };
        let stream = crate::journal::stream(occurrence);
        strike.fault == Fault::CrashAfterRecord
            && batch
                .journal
                .iter()
                .filter(|append| append.stream == stream)
                .any(|append| {
                    let records = append.body["records"].as_array().into_iter().flatten();
                    records.into_iter().any(|record| {
                        record["step"] == strike.step.as_str()
                            && (record["was"] == "done" || record["was"] == "pending")
                    })
                })
    }
}

#[async_trait]
impl Store for StruckStore {
    async fn get(&self, kind: Kind, id: &str) -> Result<Option<Doc>, StoreError> {
        self.inner.get(kind, id).await
    }
    async fn list(&self, kind: Kind, query: Query) -> Result<Page, StoreError> {
        self.inner.list(kind, query).await
    }
    async fn count(&self, kind: Kind, query: Query) -> Result<u64, StoreError> {
        self.inner.count(kind, query).await
    }
    async fn commit(&self, batch: Batch) -> Result<Committed, StoreError> {
        if self.dead.load(Ordering::Acquire) > 0 {
            std::future::pending::<()>().await;
        }
        let aimed = self.records_result(&batch);
        let committed = self.inner.commit(batch).await?;
        if aimed && self.strike.strikes() {
            self.dead.store(1, Ordering::Release);
            return self.strike.crash().await;
        }
        Ok(committed)
    }
    async fn journal(&self, stream: &str, after: u64, limit: u32) -> Result<Vec<JournalEntry>, StoreError> {
        self.inner.journal(stream, after, limit).await
    }
    async fn outbox_after(&self, after: u64, limit: u32) -> Result<Vec<OutboxRow>, StoreError> {
        self.inner.outbox_after(after, limit).await
    }
    async fn outbox_done(&self, seq: u64) -> Result<(), StoreError> {
        self.inner.outbox_done(seq).await
    }
    fn outbox_watch(&self) -> watch::Receiver<u64> {
        self.inner.outbox_watch()
    }
    async fn lease(&self, name: &str) -> Result<Option<Lease>, StoreError> {
        self.inner.lease(name).await
    }
    fn sealer(&self) -> &Sealer {
        self.inner.sealer()
    }
}
