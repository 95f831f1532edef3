//! What is written: one batch, all of it or nothing of it.

use serde_json::Value;

use crate::Kind;

/// What must be true of a document for a write to take place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// There is no such document.
    Absent,
    /// It is there and has this revision.
    Exactly(u64),
    /// Whatever there is.
    Any,
}

/// Makes or replaces a document, together with its index entries.
#[derive(Debug, Clone, PartialEq)]
pub struct Put {
    /// The document's kind.
    pub kind: Kind,
    /// The document's id.
    pub id: String,
    /// What must be true before.
    pub expect: Expect,
    /// Whose it is.
    pub tenant: Option<String>,
    /// What it says.
    pub body: Value,
    /// What lists may filter on; replaces all earlier entries. A key may have several values.
    pub indexes: Vec<(String, String)>,
}

impl Put {
    /// A put without tenant and indexes.
    pub fn new(kind: Kind, id: impl Into<String>, expect: Expect, body: Value) -> Self {
        Self {
            kind,
            id: id.into(),
            expect,
            tenant: None,
            body,
            indexes: Vec::new(),
        }
    }

    /// Sets whose it is.
    pub fn tenant(mut self, tenant: Option<impl Into<String>>) -> Self {
        self.tenant = tenant.map(Into::into);
        self
    }

    /// Adds an index entry.
    pub fn index(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.indexes.push((key.into(), value.into()));
        self
    }
}

/// Deletes a document and its index entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delete {
    /// The document's kind.
    pub kind: Kind,
    /// The document's id.
    pub id: String,
    /// What must be true before; with `Any`, absence is success.
    pub expect: Expect,
}

/// One write of a document.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// Make or replace.
    Put(Put),
    /// Delete.
    Delete(Delete),
    /// Nothing is written; the expectation must hold for the batch to take place.
    Check(Delete),
}

impl From<Put> for Write {
    fn from(put: Put) -> Self {
        Self::Put(put)
    }
}

impl Write {
    /// A deletion.
    pub fn delete(kind: Kind, id: impl Into<String>, expect: Expect) -> Self {
        Self::Delete(Delete {
            kind,
            id: id.into(),
            expect,
        })
    }

    /// A condition on a document that is not written.
    pub fn check(kind: Kind, id: impl Into<String>, expect: Expect) -> Self {
        Self::Check(Delete {
            kind,
            id: id.into(),
            expect,
        })
    }
}

/// An entry for a journal stream. The writer numbers its entries without gap from 1: a number that is taken is a
/// conflict, so two writers of one stream cannot both go on.
#[derive(Debug, Clone, PartialEq)]
pub struct Append {
    /// The stream.
    pub stream: String,
    /// The entry's place in it.
    pub seq: u64,
    /// What it says.
    pub body: Value,
}

/// A notification to be delivered once the batch is durable.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// What it is about.
    pub topic: String,
    /// What it says.
    pub body: Value,
}

/// A change of a lease. Time is the caller's: the store has no clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaseChange {
    /// Takes or renews it. Conflict `Held` when another holds it and it has not expired at `now_ms`.
    Acquire {
        /// The thing.
        name: String,
        /// Who wants it.
        holder: String,
        /// Now, milliseconds since the Unix epoch.
        now_ms: u64,
        /// When it shall expire; `None`: never.
        expires_ms: Option<u64>,
    },
    /// Gives it up; nothing happens when the holder does not hold it.
    Release {
        /// The thing.
        name: String,
        /// Who held it.
        holder: String,
    },
}

/// What [`crate::Store::commit`] writes, all of it or nothing of it. An empty batch is a barrier: it is answered when
/// all that was handed over before it is durable or refused.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    /// Documents.
    pub writes: Vec<Write>,
    /// Journal entries.
    pub journal: Vec<Append>,
    /// Journal streams to forget.
    pub forget_streams: Vec<String>,
    /// Notifications.
    pub outbox: Vec<Note>,
    /// Leases.
    pub leases: Vec<LeaseChange>,
}

impl Batch {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a write.
    pub fn write(mut self, write: impl Into<Write>) -> Self {
        self.writes.push(write.into());
        self
    }

    /// Adds a deletion.
    pub fn delete(self, kind: Kind, id: impl Into<String>, expect: Expect) -> Self {
        self.write(Write::delete(kind, id, expect))
    }

    /// Adds a journal entry.
    pub fn append(mut self, stream: impl Into<String>, seq: u64, body: Value) -> Self {
        self.journal.push(Append {
            stream: stream.into(),
            seq,
            body,
        });
        self
    }

    /// Adds a notification.
    pub fn note(mut self, topic: impl Into<String>, body: Value) -> Self {
        self.outbox.push(Note {
            topic: topic.into(),
            body,
        });
        self
    }

    /// Adds a change of a lease.
    pub fn lease(mut self, change: LeaseChange) -> Self {
        self.leases.push(change);
        self
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
            && self.journal.is_empty()
            && self.forget_streams.is_empty()
            && self.outbox.is_empty()
            && self.leases.is_empty()
    }
}

/// What a commit brought about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Committed {
    /// The revision of each document that was put, in the order of the batch's writes; 0 for deletions and checks.
    pub revisions: Vec<u64>,
    /// The sequence number of each outbox row, in the order of the batch.
    pub outbox: Vec<u64>,
}
