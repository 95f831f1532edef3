//! What is read: documents, pages of them, journal entries, outbox rows, leases.

use std::fmt;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{Expect, Put, StoreError};

/// A kind of document, such as `vnf.instance`. Kinds are constants of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kind(pub &'static str);

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// A document as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Doc {
    /// Its kind.
    pub kind: Kind,
    /// Its id, unique in its kind.
    pub id: String,
    /// 1 when it was made, one more with each write.
    pub revision: u64,
    /// Whose it is; `None` for what belongs to the system.
    pub tenant: Option<String>,
    /// What it says.
    pub body: Value,
}

impl Doc {
    /// The body as a type. Errors: `Malformed`, naming the document.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, StoreError> {
        T::deserialize(&self.body).map_err(|source| StoreError::Malformed {
            kind: self.kind.0.to_owned(),
            id: self.id.clone(),
            source,
        })
    }

    /// A write of a new body that succeeds only if nobody wrote in between. The tenant stays; indexes are to be given
    /// anew, as with every put.
    pub fn replace(&self, body: Value) -> Put {
        let mut put = Put::new(self.kind, self.id.clone(), Expect::Exactly(self.revision), body);
        put.tenant = self.tenant.clone();
        put
    }
}

/// Which documents of a kind to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Index entries that a document must have, all of them.
    pub equal: Vec<(String, String)>,
    /// Only documents of this tenant.
    pub tenant: Option<String>,
    /// Where the page before ended: its `next`.
    pub page_token: Option<String>,
    /// How many documents at most; 0 means 100, and [`crate::PAGE_LIMIT_MAX`] is the most.
    pub limit: u32,
}

impl Query {
    /// Everything of the kind, first page.
    pub fn all() -> Self {
        Self::default()
    }

    /// Only documents with this index entry.
    pub fn equal(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.equal.push((key.into(), value.into()));
        self
    }

    /// Only documents of this tenant.
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// At most so many documents a page.
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = limit;
        self
    }

    /// The page that follows the one that gave this token.
    pub fn after(mut self, page_token: Option<String>) -> Self {
        self.page_token = page_token;
        self
    }
}

/// A page of documents.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// In the order of their ids.
    pub docs: Vec<Doc>,
    /// The token of the next page; `None` when this was the last.
    pub next: Option<String>,
}

/// An entry of a journal stream.
#[derive(Debug, Clone, PartialEq)]
pub struct JournalEntry {
    /// Its place in the stream, from 1.
    pub seq: u64,
    /// What it says.
    pub body: Value,
}

/// A notification that waits for delivery.
#[derive(Debug, Clone, PartialEq)]
pub struct OutboxRow {
    /// Its place among all rows that ever were; never used twice.
    pub seq: u64,
    /// What it is about, for the dispatcher to choose by.
    pub topic: String,
    /// What it says.
    pub body: Value,
}

/// Who may work on a named thing, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The thing.
    pub name: String,
    /// Who holds it.
    pub holder: String,
    /// When it may be taken by another, milliseconds since the Unix epoch; `None`: only when released.
    pub expires_ms: Option<u64>,
}
