//! Manifold's state: JSON documents with revisions, and what must change together with them.
//!
//! ```text
//!   document (kind, id) ──< index (key, value)        what lists are filtered on
//!   journal stream ──< entry (seq)                    what a lifecycle operation meant to do, and did
//!   outbox row (seq)                                  a notification that commits with the state it tells of
//!   lease (name) ──> holder                           who may work on a thing
//! ```
//!
//! Everything is written by [`Store::commit`]: one [`Batch`], all of it or nothing of it, durable when the call
//! returns. Documents are guarded by their revision (compare-and-swap), streams by their sequence numbers, leases by
//! their holders; a lost race is a [`Conflict`] that names the object.
//!
//! [`SqliteStore`] is the implementation for one machine. [`conformance`] (feature `conformance`) is the suite that
//! every implementation passes. Secrets enter documents only as [`Sealed`] values.

mod batch;
#[cfg(feature = "conformance")]
pub mod conformance;
mod document;
mod error;
mod sealed;
mod sqlite;

use async_trait::async_trait;
use tokio::sync::watch;

pub use batch::{Append, Batch, Committed, Delete, Expect, LeaseChange, Note, Put, Write};
pub use document::{Doc, JournalEntry, Kind, Lease, OutboxRow, Page, Query};
pub use error::{Conflict, StoreError};
pub use sealed::{SealError, Sealed, Sealer};
pub use sqlite::SqliteStore;

/// The most bytes that one document, journal entry or outbox row may have as JSON. A VNF instance of a thousand VNFCs
/// is about 2 MB; what is larger is an artefact and belongs in a file.
pub const BODY_BYTES_MAX: usize = 8 << 20;

/// The most documents that one page holds, whatever a query asks for.
pub const PAGE_LIMIT_MAX: u32 = 1_000;

/// What an implementation offers. Every method may be called from any task; none blocks the caller's thread.
///
/// A read sees at least everything that was acknowledged before it began.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// The document, or `None`.
    async fn get(&self, kind: Kind, id: &str) -> Result<Option<Doc>, StoreError>;

    /// One page of the documents of a kind that have all the query's index values, in the order of their ids.
    /// Reads no document that is not on the page. Errors: `BadPageToken`.
    async fn list(&self, kind: Kind, query: Query) -> Result<Page, StoreError>;

    /// How many documents of the kind have all the query's index values; its page token and limit do not count.
    async fn count(&self, kind: Kind, query: Query) -> Result<u64, StoreError>;

    /// Writes the whole batch or nothing, and returns when it is durable. Errors: `Conflict` (nothing was written),
    /// `TooLarge`, or a failure of the medium, after which the caller cannot know and must read.
    async fn commit(&self, batch: Batch) -> Result<Committed, StoreError>;

    /// Entries of a journal stream with `seq > after`, in order, at most `limit`.
    async fn journal(&self, stream: &str, after: u64, limit: u32) -> Result<Vec<JournalEntry>, StoreError>;

    /// Outbox rows with `seq > after`, in order, at most `limit`.
    async fn outbox_after(&self, after: u64, limit: u32) -> Result<Vec<OutboxRow>, StoreError>;

    /// Forgets the outbox rows up to and including `seq`: they are delivered, or given up.
    async fn outbox_done(&self, seq: u64) -> Result<(), StoreError>;

    /// Holds the highest outbox sequence number that is durable; changes when rows arrive.
    fn outbox_watch(&self) -> watch::Receiver<u64>;

    /// The lease of that name, expired or not, or `None`.
    async fn lease(&self, name: &str) -> Result<Option<Lease>, StoreError>;

    /// Seals and opens the secrets of this store's documents.
    fn sealer(&self) -> &Sealer;
}
