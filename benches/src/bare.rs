//! The floor of everything durable: SQLite with the store's settings, one row a commit, and nothing around it.

use crate::stage::Outcome;
use rusqlite::{Connection, params};
use std::path::Path;
use std::time::{Duration, Instant};

/// About what a step of an operation writes.
pub(crate) const ROW_BYTES: usize = 1_024;

/// A database with one table.
pub(crate) struct Bare {
    connection: Connection,
    body: String,
}

impl Bare {
    pub(crate) fn open(folder: &Path) -> Outcome<Self> {
        let connection = Connection::open(folder.join("bare.db"))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.execute_batch("CREATE TABLE row (id INTEGER PRIMARY KEY, body TEXT NOT NULL)")?;
        Ok(Self {
            connection,
            body: "x".repeat(ROW_BYTES),
        })
    }

    /// So many commits, one after the other; how long all of them took.
    pub(crate) fn commits(&self, count: u64) -> Outcome<Duration> {
        let begin = Instant::now();
        for _ in 0..count {
            let mut insert = self.connection.prepare_cached("INSERT INTO row (body) VALUES (?1)")?;
            insert.execute(params![self.body])?;
        }
        Ok(begin.elapsed())
    }
}
