//! Queries. Each is one statement over one index.

use rusqlite::types::ToSql;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::{Doc, JournalEntry, Kind, Lease, OutboxRow, PAGE_LIMIT_MAX, Page, Query, StoreError};

/// The index entry that every document with a tenant has. The NUL keeps it apart from the callers' keys.
pub(super) const TENANT_KEY: &str = "\0tenant";
/// Documents on a page when the query does not say.
const PAGE_LIMIT_DEFAULT: u32 = 100;

fn fails(doing: &'static str) -> impl FnOnce(rusqlite::Error) -> StoreError {
    move |source| StoreError::Database { doing, source }
}

type RawDoc = (String, u64, Option<String>, String);

fn raw_doc(row: &Row<'_>) -> rusqlite::Result<RawDoc> {
    Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned(), row.get(2)?, row.get(3)?))
}

fn doc(kind: Kind, (id, revision, tenant, body): RawDoc) -> Result<Doc, StoreError> {
    let body = parse(kind.0, &id, &body)?;
    Ok(Doc { kind, id, revision, tenant, body })
}

fn parse(kind: &str, id: &dyn ToString, body: &str) -> Result<serde_json::Value, StoreError> {
    serde_json::from_str(body).map_err(|source| StoreError::Malformed {
        kind: kind.to_owned(),
        id: id.to_string(),
        source,
    })
}

pub(super) fn get(db: &Connection, kind: Kind, id: &str) -> Result<Option<Doc>, StoreError> {
    let raw = db
        .prepare_cached("SELECT id, revision, tenant, body FROM doc WHERE kind = ?1 AND id = ?2")
        .and_then(|mut statement| statement.query_row(params![kind.0, id], raw_doc).optional())
        .map_err(fails("read a document"))?;
    raw.map(|raw| doc(kind, raw)).transpose()
}

/// The statement of a query, without what it selects: the first index entry drives, the others are looked up.
fn from_where<'a>(kind: &'a Kind, query: &'a Query, after: &'a str) -> (String, Vec<&'a dyn ToSql>) {
    let mut entries: Vec<(&dyn ToSql, &dyn ToSql)> = Vec::new();
    // The caller's entries drive, as they are usually fewer than all documents of a tenant.
    entries.extend(query.equal.iter().map(|(key, value)| (key as &dyn ToSql, value as &dyn ToSql)));
    if let Some(tenant) = &query.tenant {
        entries.push((&TENANT_KEY, tenant));
    }
    let mut bound: Vec<&dyn ToSql> = vec![&kind.0, after_param(after)];
    let mut text;
    if entries.is_empty() {
        text = " FROM doc d WHERE d.kind = ?1 AND d.id > ?2".to_owned();
        return (std::mem::take(&mut text), bound);
    }
    text = String::from(
        " FROM doc_index i CROSS JOIN doc d ON d.kind = i.kind AND d.id = i.id \
         WHERE i.kind = ?1 AND i.id > ?2 AND i.key = ?3 AND i.value = ?4",
    );
    for (at, (key, value)) in entries.into_iter().enumerate() {
        bound.push(key);
        bound.push(value);
        if at > 0 {
            let (key_at, value_at) = (3 + 2 * at, 4 + 2 * at);
            text.push_str(&format!(
                " AND EXISTS (SELECT 1 FROM doc_index x WHERE x.kind = ?1 AND x.key = ?{key_at} \
                 AND x.value = ?{value_at} AND x.id = i.id)"
            ));
        }
    }
    (text, bound)
}

fn after_param<'a>(after: &'a str) -> &'a dyn ToSql {
    // A `&str` is unsized; a reference to the reference would have to outlive this call.
    let boxed: &'a dyn ToSql = Box::leak(Box::new(after.to_owned()));
    boxed
}
