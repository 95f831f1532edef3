//! The reference-point trace: who called whom, what, about what, when, for how long, with what outcome.
//!
//! A record is made when a call ends. Records go through a bounded queue to one consumer, which stores them; when the queue is
//! full the record is dropped and counted, because a trace must never slow down or fail the call that it describes.

use crate::{ErrorKind, OccurrenceId, Role};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc;
use utoipa::ToSchema;
use uuid::Uuid;

/// One call over one reference point.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TraceRecord {
    /// The whole tree of calls.
    #[schema(value_type = String)]
    pub trace: Uuid,
    /// This call.
    #[schema(value_type = String)]
    pub call: Uuid,
    /// The call that it was made for.
    #[schema(value_type = Option<String>)]
    pub parent: Option<Uuid>,
    /// The lifecycle operation that asked.
    pub occurrence: Option<OccurrenceId>,
    /// Who asked.
    pub consumer: Role,
    /// Who was asked.
    pub producer: Role,
    /// The producer's name where several of one role exist (a VIM's id); empty otherwise.
    pub producer_name: String,
    /// The reference point's name in GS NFV 006 5.4, or the service interface's.
    pub reference_point: String,
    /// The interface.
    pub interface: String,
    /// The operation.
    pub operation: String,
    /// What it was about.
    pub subject: String,
    /// Order of the beginnings within this process; ties of the clock are broken by it.
    pub sequence: u64,
    /// Beginning, in microseconds since 1970.
    pub start_us: u64,
    /// Duration in microseconds.
    pub duration_us: u64,
    /// `None` for success.
    pub failure: Option<ErrorKind>,
}

/// Enough for the records of about ten instantiations of a hundred ports that end in the same moment (a few hundred calls
/// each), at about half a kilobyte a record.
const QUEUE_RECORDS: usize = 4_096;

/// Where gates leave their records. Cheap to clone.
#[derive(Clone)]
pub struct Tracer {
    queue: mpsc::Sender<TraceRecord>,
    lost: Arc<AtomicU64>,
    sequence: Arc<AtomicU64>,
}

/// The consumer's end.
pub struct TraceSource {
    queue: mpsc::Receiver<TraceRecord>,
}

impl Tracer {
    /// A tracer and the end from which its records are taken.
    pub fn new() -> (Tracer, TraceSource) {
        let (send, receive) = mpsc::channel(QUEUE_RECORDS);
        let tracer = Tracer {
            queue: send,
            lost: Arc::default(),
            sequence: Arc::default(),
        };
        (tracer, TraceSource { queue: receive })
    }

    /// Leaves a record, or counts it as lost when the consumer is behind.
    pub fn record(&self, record: TraceRecord) {
        if self.queue.try_send(record).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many records found the queue full.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    pub(crate) fn next_sequence(&self) -> u64 {
        self.sequence.fetch_add(1, Ordering::Relaxed)
    }
}

impl TraceSource {
    /// Waits for at least one record and takes up to `most`; empty when every tracer is gone.
    pub async fn take(&mut self, most: usize) -> Vec<TraceRecord> {
        let mut records = Vec::new();
        self.queue.recv_many(&mut records, most).await;
        records
    }
}
