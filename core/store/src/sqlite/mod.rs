//! The store of one machine: SQLite in WAL mode, synchronous FULL.
//!
//! ```text
//!   callers ──bounded queue──> writer thread ──one transaction, one fsync──> WAL
//!   callers ──> documents lately written, in memory; else
//!           ──> blocking thread ──> one of a few reader connections
//! ```
//!
//! Group commit: while the writer waits for the disk, batches gather; each then gets a savepoint in the next
//! transaction, so one conflict spoils no neighbour, and one fsync serves them all.

mod read;
mod recent;
mod schema;
mod writer;

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{Semaphore, watch};

use self::recent::Recent;
use self::writer::Writer;
use crate::{
    BODY_BYTES_MAX, Batch, Committed, Doc, JournalEntry, Kind, Lease, OutboxRow, Page, Query, Sealer, Store,
    StoreError, Write,
};

/// The database in the data directory.
const DATABASE_FILE: &str = "manifold.db";
/// Locked while a process has the data directory open.
const LOCK_FILE: &str = "lock";
/// Readers beside the writer. Reads are short and the page cache is shared by the system; more would only wait for the
/// same two processors.
const READERS: usize = 4;

/// The store in a directory of its own.
pub struct SqliteStore {
    writer: Writer,
    readers: Arc<Readers>,
    recent: Arc<Recent>,
    outbox_seq: watch::Receiver<u64>,
    sealer: Sealer,
    /// Held open, and so locked, as long as the store lives.
    _lock: File,
}

struct Readers {
    free: Mutex<Vec<Connection>>,
    permits: Semaphore,
}

impl SqliteStore {
    /// Opens the store of a data directory, and makes both when they do not exist. Blocks: call it before the async
    /// runtime is busy. Errors: `InUse` (another process has it), `NewerSchema`, `Files`, `Database`, `Seal`.
    pub fn open(data_dir: &Path) -> Result<Self, StoreError> {
        let files = |doing, path: &Path| {
            let path = path.to_owned();
            move |source| StoreError::Files { doing, path, source }
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(data_dir)
            .map_err(files("make", data_dir))?;
        let lock = lock(data_dir)?;
        let path = data_dir.join(DATABASE_FILE);
        // Made here so that it never exists with a wider mode; SQLite gives its WAL files the mode of the database.
        OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path)
            .map_err(files("make", &path))?;
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600))
            .map_err(files("protect", &path))?;
        let sealer = Sealer::open(data_dir)?;

        let mut connection = connect(&path)?;
        schema::migrate(&mut connection, &path)?;
        let last_seq = read::outbox_last(&connection)?;
        let free = (0..READERS).map(|_| reader(&path)).collect::<Result<Vec<_>, _>>()?;
        let (told, outbox_seq) = watch::channel(last_seq);
        let recent = Arc::<Recent>::default();
        let writer =
            Writer::start(connection, told, Arc::clone(&recent)).map_err(files("start the writer of", &path))?;
        let readers = Arc::new(Readers {
            free: Mutex::new(free),
            permits: Semaphore::new(READERS),
        });
        Ok(Self {
            writer,
            readers,
            recent,
            outbox_seq,
            sealer,
            _lock: lock,
        })
    }

    /// How many transactions were committed so far that waited for the disk, each with one fsync. For measuring group commit.
    pub fn transactions(&self) -> u64 {
        self.writer.transactions()
    }

    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let readers = Arc::clone(&self.readers);
        let work = async move {
            let _permit = readers.permits.acquire().await.map_err(|_| StoreError::Closed)?;
            let pool = Arc::clone(&readers);
            tokio::task::spawn_blocking(move || {
                let taken = pool.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let connection = taken.expect("there are as many connections as permits");
                // The connection goes back even when the query panics, or the pool would shrink.
                let answer = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| query(&connection)));
                pool.free
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(connection);
                answer.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .await
            .map_err(|_| StoreError::Closed)?
        };
        work.await
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn get(&self, kind: Kind, id: &str) -> Result<Option<Doc>, StoreError> {
        if let Some(doc) = self.recent.find(kind, id) {
            return Ok(Some(doc));
        }
        let id = id.to_owned();
        self.read(move |db| read::get(db, kind, &id)).await
    }

    async fn list(&self, kind: Kind, query: Query) -> Result<Page, StoreError> {
        self.read(move |db| read::list(db, kind, &query)).await
    }

    async fn count(&self, kind: Kind, query: Query) -> Result<u64, StoreError> {
        self.read(move |db| read::count(db, kind, &query)).await
    }

    async fn commit(&self, batch: Batch) -> Result<Committed, StoreError> {
        self.writer.commit(sized(batch)?).await
    }

    async fn journal(&self, stream: &str, after: u64, limit: u32) -> Result<Vec<JournalEntry>, StoreError> {
        let stream = stream.to_owned();
        self.read(move |db| read::journal(db, &stream, after, limit)).await
    }

    async fn outbox_after(&self, after: u64, limit: u32) -> Result<Vec<OutboxRow>, StoreError> {
        self.read(move |db| read::outbox(db, after, limit)).await
    }

    async fn outbox_done(&self, seq: u64) -> Result<(), StoreError> {
        self.writer.outbox_done(seq).await
    }

    fn outbox_watch(&self) -> watch::Receiver<u64> {
        self.outbox_seq.clone()
    }

    async fn lease(&self, name: &str) -> Result<Option<Lease>, StoreError> {
        let name = name.to_owned();
        self.read(move |db| read::lease(db, &name)).await
    }

    fn sealer(&self) -> &Sealer {
        &self.sealer
    }
}

/// A batch whose bodies are text already and within the limit: the writer's time is everyone's, the caller's its own.
pub(crate) struct SizedBatch {
    pub(crate) batch: Batch,
    pub(crate) writes: Vec<String>,
    pub(crate) journal: Vec<String>,
    pub(crate) outbox: Vec<String>,
}

fn sized(batch: Batch) -> Result<SizedBatch, StoreError> {
    let text = |what: &dyn Fn() -> String, body: &serde_json::Value| {
        let text = body.to_string();
        if text.len() > BODY_BYTES_MAX {
            return Err(StoreError::TooLarge {
                what: what(),
                bytes: text.len(),
                max: BODY_BYTES_MAX,
            });
        }
        Ok(text)
    };
    let writes = batch
        .writes
        .iter()
        .map(|write| match write {
            Write::Put(put) => text(&|| format!("{} {}", put.kind, put.id), &put.body),
            Write::Delete(_) | Write::Check(_) => Ok(String::new()),
        })
        .collect::<Result<_, _>>()?;
    let journal = batch
        .journal
        .iter()
        .map(|entry| text(&|| format!("an entry of journal {}", entry.stream), &entry.body))
        .collect::<Result<_, _>>()?;
    let outbox = batch
        .outbox
        .iter()
        .map(|note| text(&|| format!("a notification about {}", note.topic), &note.body))
        .collect::<Result<_, _>>()?;
    Ok(SizedBatch {
        batch,
        writes,
        journal,
        outbox,
    })
}

fn lock(data_dir: &Path) -> Result<File, StoreError> {
    let path = data_dir.join(LOCK_FILE);
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(&path)
        .map_err(|source| StoreError::Files {
            doing: "make",
            path: path.clone(),
            source,
        })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse {
            path: data_dir.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(StoreError::Files {
            doing: "lock",
            path,
            source,
        }),
    }
}

fn connect(path: &PathBuf) -> Result<Connection, StoreError> {
    let fails = |doing| move |source| StoreError::database(doing, source);
    // The folder's lock keeps other processes out, so the file's own locks can be held once and for all, and the index of the log in
    // this process's memory: a transaction takes a dozen of them otherwise.
    let connection =
        Connection::open_with_flags_and_vfs(path, OpenFlags::default(), "unix-excl").map_err(fails("open"))?;
    // Readers and the writer never block one another in WAL mode; only a checkpoint may, for moments.
    connection
        .busy_timeout(std::time::Duration::from_secs(5))
        .map_err(fails("set its patience"))?;
    connection
        .pragma_update(None, "journal_mode", "WAL")
        .map_err(fails("use a write-ahead log"))?;
    connection
        .pragma_update(None, "synchronous", "FULL")
        .map_err(fails("use full durability"))?;
    connection
        .pragma_update(None, "foreign_keys", true)
        .map_err(fails("hold references"))?;
    connection
        .pragma_update(None, "temp_store", "MEMORY")
        .map_err(fails("keep its savepoints in memory"))?;
    // Every query has one index to go by: without this, SQLite prepares a statement anew for each new value that it is asked with.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map_err(fails("keep its plans"))?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

fn reader(path: &PathBuf) -> Result<Connection, StoreError> {
    let connection = connect(path)?;
    connection
        .pragma_update(None, "query_only", true)
        .map_err(|source| StoreError::database("make a reader", source))?;
    Ok(connection)
}
