//! The tables, and how a database of an older program becomes one of this.

use std::path::Path;

use rusqlite::Connection;

use crate::StoreError;

/// Each migration takes a database from the schema of its index to the next. Written once, never changed afterwards.
const MIGRATIONS: &[&str] = &["
    -- Bodies may be large, so documents are found through the key's own b-tree, not kept in it.
    CREATE TABLE doc (
        kind     TEXT    NOT NULL,
        id       TEXT    NOT NULL,
        revision INTEGER NOT NULL,
        tenant   TEXT,
        body     TEXT    NOT NULL,
        PRIMARY KEY (kind, id)
    );
    -- In the order of a filtered page: a page is one range of this b-tree.
    CREATE TABLE doc_index (
        kind  TEXT NOT NULL,
        key   TEXT NOT NULL,
        value TEXT NOT NULL,
        id    TEXT NOT NULL,
        PRIMARY KEY (kind, key, value, id)
    ) WITHOUT ROWID;
    CREATE INDEX doc_index_of ON doc_index (kind, id);
    CREATE TABLE journal (
        stream TEXT    NOT NULL,
        seq    INTEGER NOT NULL,
        body   TEXT    NOT NULL,
        PRIMARY KEY (stream, seq)
    ) WITHOUT ROWID;
    CREATE TABLE outbox (
        seq   INTEGER PRIMARY KEY AUTOINCREMENT,
        topic TEXT NOT NULL,
        body  TEXT NOT NULL
    );
    CREATE TABLE lease (
        name       TEXT PRIMARY KEY,
        holder     TEXT NOT NULL,
        expires_ms INTEGER
    ) WITHOUT ROWID;
"];

/// Brings the database to the newest schema, in one transaction. Errors: `NewerSchema`.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let fails = |doing| move |source| StoreError::database(doing, source);
    let found: u32 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(fails("tell its schema"))?;
    let known = u32::try_from(MIGRATIONS.len()).expect("there are few migrations");
    if found > known {
        return Err(StoreError::NewerSchema {
            path: path.to_owned(),
            found,
            known,
        });
    }
    if found == known {
        return Ok(());
    }
    let transaction = connection.transaction().map_err(fails("begin a migration"))?;
    for migration in &MIGRATIONS[found as usize..] {
        transaction.execute_batch(migration).map_err(fails("migrate"))?;
    }
    transaction
        .pragma_update(None, "user_version", known)
        .map_err(fails("note its schema"))?;
    transaction.commit().map_err(fails("commit a migration"))
}
