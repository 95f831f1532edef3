//! The engine: starts operations, answers for them, stops.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use manifold_call::OccurrenceId;
use manifold_store::{Query, Store};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::drive::{Command, show};
use crate::journal::{Ledger, Unreadable};
use crate::recover::read_occurrence;
use crate::signal::Signals;
use crate::{
    CancelMode, EngineError, Metrics, OCCURRENCE, Occurrence, OccurrenceFilter, OccurrencePage, OccurrenceView,
    Recovered, Registry, Start, Task,
};

/// Steps of all occurrences at work at a time, waits not counted. It bounds what the neighbours and the store are asked
/// at once; a step at work is mostly one call that is under way.
const PLACES: usize = 256;

/// What [`Engine::shutdown`] left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped {
    /// Occurrences that came to rest in time: nothing of theirs was under way any more.
    pub rested: usize,
    /// Occurrences that were broken off; what became of their steps is found out by the next `recover`.
    pub broken_off: usize,
}

pub(crate) struct Inner {
    pub(crate) registry: Registry,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) metrics: Metrics,
    pub(crate) signals: Signals,
    pub(crate) places: Semaphore,
    pub(crate) stopping: CancellationToken,
    /// Counts the steps at work, for those who must know that none is left.
    pub(crate) tracker: TaskTracker,
    live: Mutex<HashMap<OccurrenceId, Live>>,
    parked: Mutex<HashMap<OccurrenceId, String>>,
    drivers: Mutex<JoinSet<()>>,
}

/// An occurrence that has not ended.
pub(crate) struct Live {
    pub(crate) shown: watch::Sender<OccurrenceView>,
    /// Of its driver; `None` while it waits for a task.
    pub(crate) commands: Option<mpsc::Sender<Command>>,
}

impl Inner {
    pub(crate) fn live(&self) -> MutexGuard<'_, HashMap<OccurrenceId, Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn park(&self, id: OccurrenceId, reason: String) {
        self.parked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id, reason);
    }

    pub(crate) fn parked_reason(&self, id: OccurrenceId) -> Option<String> {
        self.parked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
            .cloned()
    }

    fn drivers(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.drivers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many occurrences are being moved.
    pub(crate) fn running(&self) -> usize {
        let mut drivers = self.drivers();
        reap(&mut drivers);
        drivers.len()
    }

    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut drivers = self.drivers();
        reap(&mut drivers);
        drivers.spawn(work);
    }

    /// The occurrence and its document's revision.
    pub(crate) async fn read(&self, id: OccurrenceId) -> Result<(Occurrence, u64), EngineError> {
        let doc = self
            .store
            .get(OCCURRENCE, &id.to_string())
            .await
            .map_err(EngineError::Store)?;
        let doc = doc.ok_or(EngineError::NotFound(id))?;
        let mut occurrence = read_occurrence(&doc).map_err(|reason| EngineError::Parked { occurrence: id, reason })?;
        occurrence.parked = self.parked_reason(id);
        Ok((occurrence, doc.revision))
    }

    async fn view(&self, id: OccurrenceId) -> Result<OccurrenceView, EngineError> {
        let (occurrence, revision) = self.read(id).await?;
        match Ledger::read(&*self.store, &occurrence).await {
            Ok(ledger) => Ok(ledger.view(&occurrence, revision)),
            Err(Unreadable::Foreign(reason)) => Err(EngineError::Parked { occurrence: id, reason }),
            Err(Unreadable::Failed(error)) => Err(error),
        }
    }
}

fn reap(drivers: &mut JoinSet<()>) {
    while let Some(ended) = drivers.try_join_next() {
        if let Err(error) = ended
            && error.is_panic()
        {
            tracing::error!(%error, "An operation's driver panicked; the operation goes on after a restart.");
        }
    }
}

/// Runs the operations of one block. A cheap handle: clones are the same engine. It works until
/// [`Engine::shutdown`], whether handles are left or not.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

impl Engine {
    /// An engine over a store. Call [`Engine::recover`] before the first start.
    pub fn new(store: Arc<dyn Store>, registry: Registry) -> Self {
        Self {
            inner: Arc::new(Inner {
                registry,
                store,
                metrics: Metrics::default(),
                signals: Signals::default(),
                places: Semaphore::new(PLACES),
                stopping: CancellationToken::new(),
                tracker: TaskTracker::new(),
                live: Mutex::default(),
                parked: Mutex::default(),
                drivers: Mutex::new(JoinSet::new()),
            }),
        }
    }

    /// The operations that it knows.
    pub fn registry(&self) -> &Registry {
        &self.inner.registry
    }

    /// Its store.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.inner.store
    }

    /// What it counts.
    pub fn metrics(&self) -> &Metrics {
        &self.inner.metrics
    }

    /// Starts an operation: occurrence, lock on the subject, the start's own writes and the first steps' intents are
    /// durable, in one commit, when this returns. Errors: `Busy`, `KeyReused`, `Plan` (parameters refused), `Stale`
    /// (one of the start's writes), `UnknownOperation`, `Full`, `Stopping`, `Store`.
    pub async fn start(&self, start: Start) -> Result<OccurrenceId, EngineError> {
        self.inner.start(start).await
    }

    /// FAILED_TEMP → PROCESSING: goes on from where it failed. Errors: `NotFound`, `NotSupported`, `WrongState`, `Parked`.
    pub async fn retry(&self, id: OccurrenceId) -> Result<(), EngineError> {
        self.inner.task(id, Task::Retry).await
    }

    /// FAILED_TEMP → ROLLING_BACK. Errors as for `retry`.
    pub async fn rollback(&self, id: OccurrenceId) -> Result<(), EngineError> {
        self.inner.task(id, Task::Rollback).await
    }

    /// FAILED_TEMP → PROCESSING (NS): accepts the failures and finishes the rest. Errors as for `retry`.
    pub async fn continue_(&self, id: OccurrenceId) -> Result<(), EngineError> {
        self.inner.task(id, Task::Continue).await
    }

    /// FAILED_TEMP → FAILED, at once. Answers with the occurrence. Errors as for `retry`.
    pub async fn fail(&self, id: OccurrenceId) -> Result<Occurrence, EngineError> {
        self.inner.task(id, Task::Fail).await?;
        self.occurrence(id).await
    }

    /// Asks for a cancellation; returns when that is durable, not when it has taken effect. Errors as for `retry`.
    pub async fn cancel(&self, id: OccurrenceId, mode: CancelMode) -> Result<(), EngineError> {
        self.inner.cancel(id, mode).await
    }

    /// Tells that an event has come: every step that waits for it looks again.
    pub fn signal(&self, event: &str) {
        self.inner.signals.signal(event);
    }

    /// The occurrence. Errors: `NotFound`, `Store`.
    pub async fn occurrence(&self, id: OccurrenceId) -> Result<Occurrence, EngineError> {
        self.inner.read(id).await.map(|(occurrence, _)| occurrence)
    }

    /// The occurrence and its steps. Errors: `NotFound`, `Store`, `BrokenJournal`.
    pub async fn view(&self, id: OccurrenceId) -> Result<OccurrenceView, EngineError> {
        self.inner.view(id).await
    }

    /// Occurrences by filter.
    pub async fn occurrences(&self, filter: OccurrenceFilter) -> Result<OccurrencePage, EngineError> {
        let mut query = Query::all().limit(filter.limit).after(filter.page_token);
        // The subject first: it is the narrowest, and the first drives the search.
        if let Some(subject) = filter.subject {
            query = query.equal("subject", subject);
        }
        if let Some(state) = filter.state {
            query = query.equal("state", state.as_str());
        }
        if let Some(operation) = filter.operation {
            query = query.equal("operation", operation);
        }
        if let Some(tenant) = filter.tenant {
            query = query.tenant(tenant.0);
        }
        let page = self
            .inner
            .store
            .list(OCCURRENCE, query)
            .await
            .map_err(EngineError::Store)?;
        let mut occurrences = Vec::with_capacity(page.docs.len());
        for doc in &page.docs {
            match read_occurrence(doc) {
                Ok(mut occurrence) => {
                    occurrence.parked = self.inner.parked_reason(occurrence.id);
                    occurrences.push(occurrence);
                }
                // One that is not ours shall not hide the others; asked for by its id, it says why.
                Err(reason) => tracing::warn!(occ = %doc.id, reason, "An occurrence is left out of a list."),
            }
        }
        Ok(OccurrencePage {
            occurrences,
            next: page.next,
        })
    }

    /// Follows an occurrence: the receiver holds the newest view and changes with each; its sender goes when the
    /// occurrence has ended.
    pub async fn watch(&self, id: OccurrenceId) -> Result<watch::Receiver<OccurrenceView>, EngineError> {
        // Subscribed before it is read: what happens between is shown, and the older of two views does not replace
        // the newer.
        let live = self
            .inner
            .live()
            .get(&id)
            .map(|live| (live.shown.clone(), live.shown.subscribe()));
        let view = self.inner.view(id).await?;
        match live {
            Some((shown, receiver)) => {
                show(&shown, view);
                Ok(receiver)
            }
            None => Ok(watch::channel(view).1),
        }
    }

    /// Waits until the occurrence has ended or is in FAILED_TEMP, at most so long; then tells how it stands.
    pub async fn settled(&self, id: OccurrenceId, limit: Duration) -> Result<Occurrence, EngineError> {
        let rests = |view: &OccurrenceView| !view.occurrence.state.is_running();
        let mut watched = self.watch(id).await?;
        // An error means that nobody moves it any more: then the store tells how it stands.
        drop(tokio::time::timeout(limit, watched.wait_for(rests)).await);
        self.occurrence(id).await
    }

    /// Forgets an occurrence that has ended, with its journal and its idempotency key. Errors: `NotFound`, `NotEnded`.
    pub async fn forget(&self, id: OccurrenceId) -> Result<(), EngineError> {
        self.inner.forget(id).await
    }

    /// Goes on with everything that was under way when the program last ended. Call it once, before the first start.
    pub async fn recover(&self) -> Result<Recovered, EngineError> {
        self.inner.recover().await
    }

    /// Begins nothing new, waits at most so long for running steps, and leaves the rest to the next `recover`.
    pub async fn shutdown(&self, limit: Duration) -> Stopped {
        self.inner.stopping.cancel();
        let mut drivers = std::mem::take(&mut *self.inner.drivers());
        let all = drivers.len();
        let rest = async { while drivers.join_next().await.is_some() {} };
        drop(tokio::time::timeout(limit, rest).await);
        let broken_off = drivers.len();
        drivers.shutdown().await;
        self.inner.tracker.close();
        self.inner.tracker.wait().await;
        Stopped {
            rested: all - broken_off,
            broken_off,
        }
    }

    /// Ends at once, as a crash would: nothing more is journaled. When it returns, no step is at work.
    #[cfg(feature = "fault")]
    pub async fn crash(&self) {
        let mut drivers = std::mem::take(&mut *self.inner.drivers());
        drivers.shutdown().await;
        self.inner.stopping.cancel();
        self.inner.tracker.close();
        self.inner.tracker.wait().await;
    }
}
