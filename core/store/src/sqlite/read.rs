//! Queries. Each is one statement over one index.

use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};

use crate::{Doc, JournalEntry, Kind, Lease, OutboxRow, PAGE_LIMIT_MAX, Page, Query, StoreError};

/// The index entry that every document with a tenant has. The NUL keeps it apart from the callers' keys.
pub(super) const TENANT_KEY: &str = "\0tenant";
/// Documents on a page when the query does not say.
const PAGE_LIMIT_DEFAULT: u32 = 100;

fn fails(doing: &'static str) -> impl FnOnce(rusqlite::Error) -> StoreError {
    move |source| StoreError::database(doing, source)
}

type RawDoc = (String, u64, Option<String>, String);

fn raw_doc(row: &Row<'_>) -> rusqlite::Result<RawDoc> {
    Ok((
        row.get(0)?,
        row.get::<_, i64>(1)?.cast_unsigned(),
        row.get(2)?,
        row.get(3)?,
    ))
}

fn doc(kind: Kind, (id, revision, tenant, body): RawDoc) -> Result<Doc, StoreError> {
    let body = parse(kind.0, &id, &body)?;
    Ok(Doc {
        kind,
        id,
        revision,
        tenant,
        body,
    })
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

/// The `FROM … WHERE …` of a query and its parameters, all of them text: the first index entry drives along the order of
/// ids, the others are looked up for each candidate.
fn from_where(kind: Kind, query: &Query, after: &str) -> (String, Vec<String>) {
    // The caller's entries go first: usually fewer documents have them than a tenant has.
    let entries = query.equal.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    let entries: Vec<_> = entries
        .chain(query.tenant.as_deref().map(|tenant| (TENANT_KEY, tenant)))
        .collect();
    let mut bound = vec![kind.0.to_owned(), after.to_owned()];
    if entries.is_empty() {
        return (" FROM doc d WHERE d.kind = ?1 AND d.id > ?2".to_owned(), bound);
    }
    let mut text = String::from(
        " FROM doc_index i CROSS JOIN doc d ON d.kind = i.kind AND d.id = i.id \
         WHERE i.kind = ?1 AND i.id > ?2 AND i.key = ?3 AND i.value = ?4",
    );
    for (at, (key, value)) in entries.into_iter().enumerate() {
        bound.push(key.to_owned());
        bound.push(value.to_owned());
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

/// Page tokens are the last id of the page before, in hex so that nobody builds on their form.
fn token_of(id: &str) -> String {
    id.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn id_of(token: &str) -> Result<String, StoreError> {
    let digits = token.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return Err(StoreError::BadPageToken);
    }
    let bytes = digits
        .chunks_exact(2)
        .map(|pair| {
            std::str::from_utf8(pair)
                .ok()
                .and_then(|pair| u8::from_str_radix(pair, 16).ok())
        })
        .collect::<Option<Vec<u8>>>();
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or(StoreError::BadPageToken)
}

fn page_statement(kind: Kind, query: &Query) -> Result<(String, Vec<String>, usize), StoreError> {
    let after = query.page_token.as_deref().map(id_of).transpose()?.unwrap_or_default();
    let limit = if query.limit == 0 {
        PAGE_LIMIT_DEFAULT
    } else {
        query.limit.min(PAGE_LIMIT_MAX)
    };
    let (tail, bound) = from_where(kind, query, &after);
    let order = if bound.len() > 2 { "i.id" } else { "d.id" };
    // One more than the page tells whether another follows.
    let text = format!(
        "SELECT d.id, d.revision, d.tenant, d.body{tail} ORDER BY {order} LIMIT {}",
        limit + 1
    );
    Ok((text, bound, limit as usize))
}

pub(super) fn list(db: &Connection, kind: Kind, query: &Query) -> Result<Page, StoreError> {
    let (text, bound, limit) = page_statement(kind, query)?;
    let mut rows = db
        .prepare_cached(&text)
        .and_then(|mut statement| {
            statement
                .query_map(params_from_iter(bound), raw_doc)?
                .collect::<Result<Vec<_>, _>>()
        })
        .map_err(fails("list documents"))?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = if more {
        rows.last().map(|(id, ..)| token_of(id))
    } else {
        None
    };
    let docs = rows.into_iter().map(|raw| doc(kind, raw)).collect::<Result<_, _>>()?;
    Ok(Page { docs, next })
}

pub(super) fn count(db: &Connection, kind: Kind, query: &Query) -> Result<u64, StoreError> {
    let (tail, bound) = from_where(kind, query, "");
    db.prepare_cached(&format!("SELECT COUNT(*){tail}"))
        .and_then(|mut statement| statement.query_row(params_from_iter(bound), |row| row.get::<_, i64>(0)))
        .map(i64::cast_unsigned)
        .map_err(fails("count documents"))
}

/// How SQLite means to run the query of a page, for the proof that it walks an index.
#[cfg(test)]
pub(super) fn explain(db: &Connection, kind: Kind, query: &Query) -> Vec<String> {
    let (text, bound, _) = page_statement(kind, query).expect("the query is good");
    let mut statement = db
        .prepare(&format!("EXPLAIN QUERY PLAN {text}"))
        .expect("the statement is good");
    let rows = statement
        .query_map(params_from_iter(bound), |row| row.get(3))
        .expect("it explains");
    rows.collect::<Result<_, _>>().expect("it explains")
}

pub(super) fn journal(db: &Connection, stream: &str, after: u64, limit: u32) -> Result<Vec<JournalEntry>, StoreError> {
    let rows: Vec<(i64, String)> = db
        .prepare_cached("SELECT seq, body FROM journal WHERE stream = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3")
        .and_then(|mut statement| {
            statement
                .query_map(params![stream, after.cast_signed(), limit], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })?
                .collect()
        })
        .map_err(fails("read a journal"))?;
    rows.into_iter()
        .map(|(seq, body)| {
            Ok(JournalEntry {
                seq: seq.cast_unsigned(),
                body: parse(stream, &seq, &body)?,
            })
        })
        .collect()
}

pub(super) fn outbox(db: &Connection, after: u64, limit: u32) -> Result<Vec<OutboxRow>, StoreError> {
    let rows: Vec<(i64, String, String)> = db
        .prepare_cached("SELECT seq, topic, body FROM outbox WHERE seq > ?1 ORDER BY seq LIMIT ?2")
        .and_then(|mut statement| {
            statement
                .query_map(params![after.cast_signed(), limit], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
                })?
                .collect()
        })
        .map_err(fails("read the outbox"))?;
    rows.into_iter()
        .map(|(seq, topic, body)| {
            let body = parse("outbox", &seq, &body)?;
            Ok(OutboxRow {
                seq: seq.cast_unsigned(),
                topic,
                body,
            })
        })
        .collect()
}

/// The highest outbox number that ever was, delivered or not.
pub(super) fn outbox_last(db: &Connection) -> Result<u64, StoreError> {
    db.query_row(
        "SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = 'outbox'",
        [],
        |row| row.get::<_, i64>(0),
    )
    .map(i64::cast_unsigned)
    .map_err(fails("read the outbox"))
}

pub(super) fn lease(db: &Connection, name: &str) -> Result<Option<Lease>, StoreError> {
    db.prepare_cached("SELECT name, holder, expires_ms FROM lease WHERE name = ?1")
        .and_then(|mut statement| {
            statement
                .query_row(params![name], |row| {
                    Ok(Lease {
                        name: row.get(0)?,
                        holder: row.get(1)?,
                        expires_ms: row.get::<_, Option<i64>>(2)?.map(i64::cast_unsigned),
                    })
                })
                .optional()
        })
        .map_err(fails("read a lease"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::sqlite::{connect, schema};

    const ROW: Kind = Kind("test.row");

    fn filled(path: &Path, rows: u32) -> Connection {
        let mut db = connect(&path.to_owned()).expect("opens");
        schema::migrate(&mut db, path).expect("migrates");
        let transaction = db.transaction().expect("begins");
        {
            let mut doc = transaction
                .prepare("INSERT INTO doc VALUES ('test.row', ?1, 1, NULL, '{}')")
                .expect("is good");
            let mut index = transaction
                .prepare("INSERT INTO doc_index VALUES ('test.row', ?1, ?2, ?3)")
                .expect("is good");
            for row in 0..rows {
                let id = format!("{row:06}");
                doc.execute(params![id]).expect("inserts");
                index
                    .execute(params!["parity", (row % 2).to_string(), id])
                    .expect("inserts");
                index
                    .execute(params!["decade", (row % 10).to_string(), id])
                    .expect("inserts");
            }
        }
        transaction.commit().expect("commits");
        db
    }

    /// Pages of a list of 100,000, of each kind of query and from its middle: SQLite walks an index, sorts nothing, and
    /// takes few steps; counted by its own virtual machine and not by a clock.
    #[test]
    fn a_page_of_a_hundred_thousand_reads_a_page() {
        let folder = tempfile::tempdir().expect("makes a folder");
        let db = filled(&folder.path().join("test.db"), 100_000);
        let middle = Some(token_of("050000"));
        for query in [
            Query::all().limit(100),
            Query::all().limit(100).after(middle.clone()),
            Query::all().equal("parity", "1").limit(100),
            Query::all().equal("parity", "1").limit(100).after(middle.clone()),
            Query::all()
                .equal("decade", "3")
                .equal("parity", "1")
                .limit(100)
                .after(middle),
        ] {
            for line in explain(&db, ROW, &query) {
                assert!(
                    line.contains("USING") && line.contains("INDEX")
                        || line.contains("PRIMARY KEY")
                        || line.contains("SUBQUERY"),
                    "{query:?}: {line}"
                );
                assert!(
                    !line.starts_with("SCAN") && !line.contains("TEMP B-TREE"),
                    "{query:?}: {line}"
                );
            }
            let (text, bound, _) = page_statement(ROW, &query).expect("is good");
            let mut statement = db.prepare(&text).expect("is good");
            let rows = statement
                .query_map(params_from_iter(bound), raw_doc)
                .expect("runs")
                .count();
            assert_eq!(rows, 101, "{query:?}");
            let steps = statement.get_status(rusqlite::StatementStatus::VmStep);
            assert!(steps < 10_000, "{query:?}: {steps} steps for a page of 100");
        }
    }
}
