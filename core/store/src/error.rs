//! What can go wrong with the store, and who lost which race.

use std::path::PathBuf;

use crate::Expect;

/// A race that was lost, or an expectation that did not hold. Nothing of the batch was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// A document is not as expected.
    #[error("{kind} {id} was expected {}, and {}", expected_text(*.expected), found_text(*.found))]
    Revision {
        /// The document's kind.
        kind: String,
        /// The document's id.
        id: String,
        /// What the writer expected.
        expected: Expect,
        /// The revision that is there; `None`: no such document.
        found: Option<u64>,
    },
    /// A journal number is taken, or would leave a gap.
    #[error("journal {stream} goes on at {next}, not at {seq}")]
    Journal {
        /// The stream.
        stream: String,
        /// The number that the writer wanted.
        seq: u64,
        /// The number that comes next.
        next: u64,
    },
    /// Another holds the lease.
    #[error("{name} is held by {holder}")]
    Held {
        /// The lease.
        name: String,
        /// Who holds it.
        holder: String,
    },
}

fn expected_text(expected: Expect) -> String {
    match expected {
        Expect::Absent => "to be absent".to_owned(),
        Expect::Exactly(revision) => format!("at revision {revision}"),
        Expect::Any => "in any state".to_owned(),
    }
}

fn found_text(found: Option<u64>) -> String {
    match found {
        None => "is not there".to_owned(),
        Some(revision) => format!("is at revision {revision}"),
    }
}

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A race was lost; nothing was written.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// The database was written by a newer program.
    #[error("the database {} has schema {found}, and this program knows schemas up to {known}: use the newer program", .path.display())]
    NewerSchema {
        /// The database.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// The newest schema known here.
        known: u32,
    },
    /// Another process has the data directory open.
    #[error("the data directory {} is in use by another process", .path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// The data directory or a file in it could not be used.
    #[error("could not {doing} {}", .path.display())]
    Files {
        /// What was attempted.
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The database failed.
    #[error("the database could not {doing}")]
    Database {
        /// What was attempted.
        doing: &'static str,
        /// What the database said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A group of commits failed as a whole; the caller's batch was among them.
    #[error("the database could not commit: {reason}")]
    CommitFailed {
        /// What the database said.
        reason: String,
    },
    /// A document does not have the shape that its reader needs.
    #[error("{kind} {id} is malformed")]
    Malformed {
        /// The document's kind, or the journal's stream.
        kind: String,
        /// The document's id, or the entry's number.
        id: String,
        /// Where it does not fit.
        #[source]
        source: serde_json::Error,
    },
    /// A body is too large.
    #[error("{what} has {bytes} bytes, and {max} are the most")]
    TooLarge {
        /// The object.
        what: String,
        /// Its size.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// A page token that this store did not give.
    #[error("the page token is not one of this list")]
    BadPageToken,
    /// The key of the secrets is unusable.
    #[error(transparent)]
    Seal(#[from] crate::SealError),
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    pub(crate) fn database(doing: &'static str, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Database {
            doing,
            source: Box::new(source),
        }
    }

    /// The conflict, if this is one.
    pub fn conflict(&self) -> Option<&Conflict> {
        match self {
            Self::Conflict(conflict) => Some(conflict),
            _ => None,
        }
    }
}
