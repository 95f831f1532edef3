//! The one writer: a thread that owns the writing connection and commits batches in groups.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use tokio::sync::{mpsc, oneshot, watch};

use super::SizedBatch;
use super::read::TENANT_KEY;
use super::recent::Recent;
use crate::{Committed, Conflict, Delete, Doc, Expect, Kind, LeaseChange, Put, StoreError, Write};

/// Batches that wait for the writer. When it is full, callers wait in turn: at 0.4 ms a group, this is far less than
/// a second of work.
const QUEUE_LEN: usize = 1_024;
/// Batches in one transaction: enough to spread an fsync thinly, few enough that the first does not wait for the last.
const GROUP_MAX: usize = 256;

enum Job {
    Commit {
        batch: Box<SizedBatch>,
        answer: oneshot::Sender<Result<Committed, StoreError>>,
    },
    OutboxDone {
        seq: u64,
        answer: oneshot::Sender<Result<(), StoreError>>,
    },
}

/// The caller's side of the writer. Dropping it ends the thread, after what is queued.
pub(super) struct Writer {
    queue: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    transactions: Arc<AtomicU64>,
}

impl Writer {
    pub(super) fn start(connection: Connection, told: watch::Sender<u64>, recent: Arc<Recent>) -> io::Result<Self> {
        let (queue, jobs) = mpsc::channel(QUEUE_LEN);
        let transactions = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&transactions);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || run(connection, jobs, &told, &counter, &recent))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
            transactions,
        })
    }

    pub(super) fn transactions(&self) -> u64 {
        self.transactions.load(Ordering::Relaxed)
    }

    pub(super) async fn commit(&self, batch: SizedBatch) -> Result<Committed, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.send(Job::Commit {
            batch: Box::new(batch),
            answer,
        })
        .await?;
        answered.await.map_err(|_| StoreError::Closed)?
    }

    pub(super) async fn outbox_done(&self, seq: u64) -> Result<(), StoreError> {
        let (answer, answered) = oneshot::channel();
        self.send(Job::OutboxDone { seq, answer }).await?;
        answered.await.map_err(|_| StoreError::Closed)?
    }

    async fn send(&self, job: Job) -> Result<(), StoreError> {
        let queue = self.queue.as_ref().ok_or(StoreError::Closed)?;
        queue.send(job).await.map_err(|_| StoreError::Closed)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("The store's writer had panicked.");
        }
    }
}

/// Who is to be told what, once the group is durable.
enum Answer {
    Commit(
        oneshot::Sender<Result<Committed, StoreError>>,
        Option<Result<Committed, StoreError>>,
    ),
    OutboxDone(oneshot::Sender<Result<(), StoreError>>),
}

fn run(
    mut connection: Connection,
    mut jobs: mpsc::Receiver<Job>,
    told: &watch::Sender<u64>,
    transactions: &AtomicU64,
    recent: &Recent,
) {
    let mut group = Vec::new();
    while let Some(job) = jobs.blocking_recv() {
        group.push(job);
        while group.len() < GROUP_MAX
            && let Ok(job) = jobs.try_recv()
        {
            group.push(job);
        }
        if let Err(error) = commit_group(&mut connection, std::mem::take(&mut group), told, transactions, recent) {
            tracing::error!(%error, "The store's writer ends: it could no longer vouch for durability.");
            return;
        }
    }
    // Leaves one file behind instead of three; a failure loses nothing, as the log is replayed.
    if let Err(error) = connection.pragma_query(None, "wal_checkpoint", |_| Ok(())) {
        tracing::warn!(%error, "The write-ahead log was not folded in.");
    }
}

/// Errors: full durability could not be had back.
fn commit_group(
    connection: &mut Connection,
    group: Vec<Job>,
    told: &watch::Sender<u64>,
    transactions: &AtomicU64,
    recent: &Recent,
) -> rusqlite::Result<()> {
    let mut answers = Vec::with_capacity(group.len());
    let mut work = Vec::with_capacity(group.len());
    for job in group {
        match job {
            Job::Commit { batch, answer } => {
                answers.push(Answer::Commit(answer, None));
                work.push(Ok(batch));
            }
            Job::OutboxDone { seq, answer } => {
                answers.push(Answer::OutboxDone(answer));
                work.push(Err(seq));
            }
        }
    }
    recent.forget(
        work.iter()
            .flatten()
            .flat_map(|batch| batch.batch.writes.iter().filter_map(changed)),
    );
    // That rows were delivered need not reach the disk before the next commit does: after a failure of the power they are
    // delivered again, which every receiver takes.
    let marks_only = work.iter().all(Result::is_err);
    let done = if marks_only {
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        let done = write_group(connection, &work, &mut answers);
        connection.pragma_update(None, "synchronous", "FULL")?;
        done
    } else {
        transactions.fetch_add(1, Ordering::Relaxed);
        write_group(connection, &work, &mut answers)
    };
    match &done {
        Ok(()) => recent.keep(written(work, &answers)),
        Err(error) => {
            tracing::error!(%error, "A group of commits failed.");
            recent.clear();
        }
    }
    let failed = || StoreError::CommitFailed {
        reason: done.as_ref().err().map_or_else(String::new, ToString::to_string),
    };
    let mut last_seq = 0;
    for answer in answers {
        // A caller that has gone away reads the store when it comes back.
        match answer {
            Answer::Commit(answer, outcome) => {
                let outcome = outcome.filter(|_| done.is_ok()).unwrap_or_else(|| Err(failed()));
                if let Ok(committed) = &outcome {
                    last_seq = last_seq.max(committed.outbox.last().copied().unwrap_or(0));
                }
                drop(answer.send(outcome));
            }
            Answer::OutboxDone(answer) => {
                drop(answer.send(if done.is_ok() { Ok(()) } else { Err(failed()) }));
            }
        }
    }
    if last_seq > 0 {
        told.send_replace(last_seq);
    }
    Ok(())
}

/// The document that a write changes.
fn changed(write: &Write) -> Option<(Kind, &str)> {
    match write {
        Write::Put(Put { kind, id, .. }) | Write::Delete(Delete { kind, id, .. }) => Some((*kind, id)),
        Write::Check(_) => None,
    }
}

/// What a group that is durable left of the documents that it wrote, each with its length.
fn written(work: Vec<Result<Box<SizedBatch>, u64>>, answers: &[Answer]) -> impl Iterator<Item = (Doc, usize)> {
    // Batches of one group may write, write again and delete the same document: what comes last is there.
    let mut docs = HashMap::new();
    for (work, answer) in work.into_iter().zip(answers) {
        let (Ok(sized), Answer::Commit(_, Some(Ok(committed)))) = (work, answer) else {
            continue;
        };
        let writes = sized.batch.writes.into_iter().zip(&committed.revisions);
        for ((write, revision), text) in writes.zip(&sized.writes) {
            match write {
                Write::Put(Put {
                    kind, id, tenant, body, ..
                }) => {
                    let key = (kind, id.clone());
                    let revision = *revision;
                    let doc = Doc {
                        kind,
                        id,
                        revision,
                        tenant,
                        body,
                    };
                    docs.insert(key, (doc, text.len()));
                }
                Write::Delete(Delete { kind, id, .. }) => drop(docs.remove(&(kind, id))),
                Write::Check(_) => {}
            }
        }
    }
    docs.into_values()
}

fn write_group(
    connection: &mut Connection,
    work: &[Result<Box<SizedBatch>, u64>],
    answers: &mut [Answer],
) -> rusqlite::Result<()> {
    let mut transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Alone, a batch needs no savepoint, and no copies of the pages that it changes: the transaction itself is what it spoils.
    if let ([Ok(batch)], [Answer::Commit(_, outcome)]) = (work, &mut *answers) {
        let applied = outcome.insert(apply(&transaction, batch));
        return match applied {
            Ok(_) => transaction.commit(),
            Err(_) => transaction.rollback(),
        };
    }
    for (work, answer) in work.iter().zip(answers) {
        match (work, answer) {
            (Ok(batch), Answer::Commit(_, outcome)) => *outcome = Some(in_savepoint(&mut transaction, batch)),
            (Err(seq), _) => {
                transaction
                    .prepare_cached("DELETE FROM outbox WHERE seq <= ?1")?
                    .execute(params![seq.cast_signed()])?;
            }
            (Ok(_), Answer::OutboxDone(_)) => {}
        }
        // A full disk or a failing one ends the transaction by itself; what follows would commit one by one.
        if transaction.is_autocommit() {
            return Err(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ABORT_ROLLBACK),
                Some("the transaction was rolled back by a failure of the medium".to_owned()),
            ));
        }
    }
    transaction.commit()
}

fn in_savepoint(transaction: &mut Transaction<'_>, batch: &SizedBatch) -> Result<Committed, StoreError> {
    let database = |doing| move |source| StoreError::database(doing, source);
    let savepoint = transaction.savepoint().map_err(database("begin a batch"))?;
    let committed = apply(&savepoint, batch)?;
    savepoint.commit().map_err(database("end a batch"))?;
    Ok(committed)
}

fn apply(db: &Connection, sized: &SizedBatch) -> Result<Committed, StoreError> {
    let database = |doing| move |source| StoreError::database(doing, source);
    let batch = &sized.batch;
    let mut committed = Committed::default();
    for change in &batch.leases {
        apply_lease(db, change)?;
    }
    for (write, body) in batch.writes.iter().zip(&sized.writes) {
        committed.revisions.push(apply_write(db, write, body)?);
    }
    for stream in &batch.forget_streams {
        db.prepare_cached("DELETE FROM journal WHERE stream = ?1")
            .and_then(|mut statement| statement.execute(params![stream]))
            .map_err(database("forget a journal"))?;
    }
    for (entry, body) in batch.journal.iter().zip(&sized.journal) {
        let next = db
            .prepare_cached("SELECT COALESCE(MAX(seq), 0) + 1 FROM journal WHERE stream = ?1")
            .and_then(|mut statement| statement.query_row(params![entry.stream], |row| row.get::<_, i64>(0)))
            .map_err(database("read a journal's end"))?
            .cast_unsigned();
        if next != entry.seq {
            return Err(Conflict::Journal {
                stream: entry.stream.clone(),
                seq: entry.seq,
                next,
            }
            .into());
        }
        db.prepare_cached("INSERT INTO journal (stream, seq, body) VALUES (?1, ?2, ?3)")
            .and_then(|mut statement| statement.execute(params![entry.stream, next.cast_signed(), body]))
            .map_err(database("append to a journal"))?;
    }
    for (note, body) in batch.outbox.iter().zip(&sized.outbox) {
        db.prepare_cached("INSERT INTO outbox (topic, body) VALUES (?1, ?2)")
            .and_then(|mut statement| statement.execute(params![note.topic, body]))
            .map_err(database("append to the outbox"))?;
        committed.outbox.push(db.last_insert_rowid().cast_unsigned());
    }
    Ok(committed)
}

fn apply_write(db: &Connection, write: &Write, body: &str) -> Result<u64, StoreError> {
    let (kind, id, expect) = match write {
        Write::Put(Put { kind, id, expect, .. })
        | Write::Delete(Delete { kind, id, expect })
        | Write::Check(Delete { kind, id, expect }) => (kind.0, id.as_str(), *expect),
    };
    let found = db
        .prepare_cached("SELECT revision FROM doc WHERE kind = ?1 AND id = ?2")
        .and_then(|mut statement| {
            statement
                .query_row(params![kind, id], |row| row.get::<_, i64>(0))
                .optional()
        })
        .map_err(|source| StoreError::database("read a revision", source))?
        .map(i64::cast_unsigned);
    let holds = match expect {
        Expect::Any => true,
        Expect::Absent => found.is_none(),
        Expect::Exactly(revision) => found == Some(revision),
    };
    if !holds {
        return Err(Conflict::Revision {
            kind: kind.to_owned(),
            id: id.to_owned(),
            expected: expect,
            found,
        }
        .into());
    }
    match write {
        Write::Put(put) => {
            apply_put(db, put, body, found).map_err(|source| StoreError::database("write a document", source))
        }
        Write::Delete(_) => {
            let gone = db
                .prepare_cached("DELETE FROM doc_index WHERE kind = ?1 AND id = ?2")
                .and_then(|mut statement| statement.execute(params![kind, id]))
                .and_then(|_| db.prepare_cached("DELETE FROM doc WHERE kind = ?1 AND id = ?2"))
                .and_then(|mut statement| statement.execute(params![kind, id]));
            gone.map(|_| 0)
                .map_err(|source| StoreError::database("delete a document", source))
        }
        Write::Check(_) => Ok(0),
    }
}

fn apply_put(db: &Connection, put: &Put, body: &str, found: Option<u64>) -> rusqlite::Result<u64> {
    let revision = found.unwrap_or(0) + 1;
    db.prepare_cached(
        "INSERT INTO doc (kind, id, revision, tenant, body) VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT (kind, id) DO UPDATE SET revision = ?3, tenant = ?4, body = ?5",
    )?
    .execute(params![put.kind.0, put.id, revision.cast_signed(), put.tenant, body])?;
    if found.is_some() {
        db.prepare_cached("DELETE FROM doc_index WHERE kind = ?1 AND id = ?2")?
            .execute(params![put.kind.0, put.id])?;
    }
    let mut insert =
        db.prepare_cached("INSERT OR IGNORE INTO doc_index (kind, key, value, id) VALUES (?1, ?2, ?3, ?4)")?;
    for (key, value) in &put.indexes {
        insert.execute(params![put.kind.0, key, value, put.id])?;
    }
    if let Some(tenant) = &put.tenant {
        insert.execute(params![put.kind.0, TENANT_KEY, tenant, put.id])?;
    }
    Ok(revision)
}

fn apply_lease(db: &Connection, change: &LeaseChange) -> Result<(), StoreError> {
    let database = |doing| move |source| StoreError::database(doing, source);
    match change {
        LeaseChange::Acquire {
            name,
            holder,
            now_ms,
            expires_ms,
        } => {
            let held: Option<(String, Option<i64>)> = db
                .prepare_cached("SELECT holder, expires_ms FROM lease WHERE name = ?1")
                .and_then(|mut statement| {
                    statement
                        .query_row(params![name], |row| Ok((row.get(0)?, row.get(1)?)))
                        .optional()
                })
                .map_err(database("read a lease"))?;
            if let Some((other, expires)) = held
                && other != *holder
                && expires.is_none_or(|expires| expires.cast_unsigned() > *now_ms)
            {
                return Err(Conflict::Held {
                    name: name.clone(),
                    holder: other,
                }
                .into());
            }
            db.prepare_cached(
                "INSERT INTO lease (name, holder, expires_ms) VALUES (?1, ?2, ?3) \
                 ON CONFLICT (name) DO UPDATE SET holder = ?2, expires_ms = ?3",
            )
            .and_then(|mut statement| statement.execute(params![name, holder, expires_ms.map(u64::cast_signed)]))
            .map_err(database("take a lease"))?;
        }
        LeaseChange::Release { name, holder } => {
            db.prepare_cached("DELETE FROM lease WHERE name = ?1 AND holder = ?2")
                .and_then(|mut statement| statement.execute(params![name, holder]))
                .map_err(database("release a lease"))?;
        }
    }
    Ok(())
}
