//! The engine: starts operations, answers for them, stops.

use std::sync::Arc;
use std::time::Duration;

use manifold_call::OccurrenceId;
use manifold_store::Store;
use tokio::sync::watch;

use crate::{
    CancelMode, EngineError, Metrics, Occurrence, OccurrenceFilter, OccurrencePage, OccurrenceView, Recovered,
    Registry, Start,
};

/// What [`Engine::shutdown`] left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped {
    /// Occurrences whose running steps came to rest in time.
    pub rested: usize,
    /// Occurrences that were broken off; what became of their steps is found out by the next `recover`.
    pub broken_off: usize,
}

struct Inner {
    registry: Registry,
    store: Arc<dyn Store>,
    metrics: Metrics,
}

/// Runs the operations of one block. A cheap handle: clones are the same engine.
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
    pub async fn start(&self, _start: Start) -> Result<OccurrenceId, EngineError> {
        todo!()
    }

    /// FAILED_TEMP → PROCESSING: goes on from where it failed. Errors: `NotFound`, `NotSupported`, `WrongState`, `Parked`.
    pub async fn retry(&self, _id: OccurrenceId) -> Result<(), EngineError> {
        todo!()
    }

    /// FAILED_TEMP → ROLLING_BACK. Errors as for `retry`.
    pub async fn rollback(&self, _id: OccurrenceId) -> Result<(), EngineError> {
        todo!()
    }

    /// FAILED_TEMP → PROCESSING (NS): accepts the failures and finishes the rest. Errors as for `retry`.
    pub async fn continue_(&self, _id: OccurrenceId) -> Result<(), EngineError> {
        todo!()
    }

    /// FAILED_TEMP → FAILED, at once. Answers with the occurrence. Errors as for `retry`.
    pub async fn fail(&self, _id: OccurrenceId) -> Result<Occurrence, EngineError> {
        todo!()
    }

    /// Asks for a cancellation; returns when that is durable, not when it has taken effect. Errors as for `retry`.
    pub async fn cancel(&self, _id: OccurrenceId, _mode: CancelMode) -> Result<(), EngineError> {
        todo!()
    }

    /// Tells that an event has come: every step that waits for it looks again.
    pub fn signal(&self, _event: &str) {
        todo!()
    }

    /// The occurrence. Errors: `NotFound`, `Store`.
    pub async fn occurrence(&self, _id: OccurrenceId) -> Result<Occurrence, EngineError> {
        todo!()
    }

    /// The occurrence and its steps. Errors: `NotFound`, `Store`, `BrokenJournal`.
    pub async fn view(&self, _id: OccurrenceId) -> Result<OccurrenceView, EngineError> {
        todo!()
    }

    /// Occurrences by filter.
    pub async fn occurrences(&self, _filter: OccurrenceFilter) -> Result<OccurrencePage, EngineError> {
        todo!()
    }

    /// Follows an occurrence: the receiver holds the newest view and changes with each; its sender goes when the
    /// occurrence has ended.
    pub async fn watch(&self, _id: OccurrenceId) -> Result<watch::Receiver<OccurrenceView>, EngineError> {
        todo!()
    }

    /// Waits until the occurrence has ended or is in FAILED_TEMP, at most so long; then tells how it stands.
    pub async fn settled(&self, _id: OccurrenceId, _limit: Duration) -> Result<Occurrence, EngineError> {
        todo!()
    }

    /// Goes on with everything that was under way when the program last ended. Call it once, before the first start.
    pub async fn recover(&self) -> Result<Recovered, EngineError> {
        todo!()
    }

    /// Begins nothing new, waits at most so long for running steps, and leaves the rest to the next `recover`.
    pub async fn shutdown(&self, _limit: Duration) -> Stopped {
        todo!()
    }
}
