//! What the engine counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters since the engine began.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Occurrences started.
    pub started_total: AtomicU64,
    /// Occurrences that reached a terminal state.
    pub ended_total: AtomicU64,
    /// Times that an occurrence went to FAILED_TEMP.
    pub held_total: AtomicU64,
    /// Steps begun.
    pub steps_total: AtomicU64,
    /// Attempts that were repeated after a transient failure.
    pub repeats_total: AtomicU64,
    /// Journal commits.
    pub commits_total: AtomicU64,
    /// Starts refused because the engine was full.
    pub full_total: AtomicU64,
    /// Waits that were over when a look found so that no signal had asked for.
    pub missed_signals_total: AtomicU64,
}

impl Metrics {
    pub(crate) fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}
