//! The SQLite store: the suite, durability under kill -9, group commit, files and their protection.

#![allow(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use manifold_store::{Batch, Expect, Kind, Put, Query, SealError, Sealed, SqliteStore, Store, StoreError, conformance};
use serde_json::json;

const ROW: Kind = Kind("test.row");

#[tokio::test]
async fn it_keeps_every_promise_of_the_trait() {
    let folders = Mutex::new(Vec::new());
    conformance::run(async || {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(folder.path()).unwrap());
        folders.lock().unwrap().push(folder);
        store
    })
    .await;
}

/// Writes without end when it is started as a child by the test below; each acknowledged number is printed.
#[test]
fn child_that_writes_until_it_is_killed() {
    let Ok(folder) = std::env::var("MANIFOLD_STORE_TEST_FOLDER") else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let store = Arc::new(SqliteStore::open(Path::new(&folder)).unwrap());
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..4 {
            let store = Arc::clone(&store);
            writers.spawn(async move {
                let stream = format!("w{writer}");
                let start = store.journal(&stream, 0, 100_000).await.unwrap().len() as u64;
                for seq in start + 1.. {
                    let row =
                        Put::new(ROW, &stream, Expect::Any, json!({ "last": seq })).index("last", seq.to_string());
                    let batch = Batch::new()
                        .write(row)
                        .append(&stream, seq, json!({}))
                        .note("row", json!(seq));
                    store.commit(batch).await.unwrap();
                    println!("acknowledged {writer} {seq}");
                }
            });
        }
        while writers.join_next().await.is_some() {}
    });
}

#[tokio::test]
async fn everything_acknowledged_survives_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged: BTreeMap<String, u64> = BTreeMap::new();
    for round in 1..=5u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "child_that_writes_until_it_is_killed",
                "--nocapture",
                "--test-threads=1",
            ])
            .env("MANIFOLD_STORE_TEST_FOLDER", folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut seen = 0;
        // Killed at another moment in each round; what was printed before it died is read to the end.
        while let Some(Ok(line)) = lines.next() {
            // The test runner's own words may stand before the first.
            if let Some(at) = line.find("acknowledged ")
                && let [_, writer, seq] = line[at..].split(' ').collect::<Vec<_>>()[..]
                && let Ok(seq) = seq.parse::<u64>()
            {
                let last = acknowledged.entry(format!("w{writer}")).or_default();
                *last = seq.max(*last);
                seen += 1;
                if seen == 100 * round + 7 {
                    child.kill().unwrap();
                }
            }
        }
        child.wait().unwrap();
        assert!(seen >= 100 * round, "the child wrote only {seen}");

        let store = SqliteStore::open(folder.path()).unwrap();
        let mut all = 0;
        for (stream, last) in &acknowledged {
            let entries = store.journal(stream, 0, 100_000).await.unwrap();
            assert!(entries.len() as u64 >= *last, "{stream}: {} of {last}", entries.len());
            assert!(
                entries.iter().zip(1..).all(|(entry, seq)| entry.seq == seq),
                "{stream} has a gap"
            );
            // The batch is whole: the document is as far as the journal.
            let row = store.get(ROW, stream).await.unwrap().unwrap();
            assert_eq!(
                (row.revision, &row.body["last"]),
                (entries.len() as u64, &json!(entries.len()))
            );
            let found = store
                .count(ROW, Query::all().equal("last", entries.len().to_string()))
                .await
                .unwrap();
            assert!(found >= 1);
            all += entries.len();
        }
        let mut rows = 0;
        let mut after = 0;
        loop {
            let page = store.outbox_after(after, 1_000).await.unwrap();
            let Some(last) = page.last() else { break };
            after = last.seq;
            rows += page.len();
        }
        assert_eq!(rows, all, "each entry has its notification");
    }
}

#[tokio::test]
async fn many_callers_share_an_fsync() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(SqliteStore::open(folder.path()).unwrap());
    let commits = (0..500).map(|at| {
        let store = Arc::clone(&store);
        async move {
            let row = Put::new(ROW, format!("{at:04}"), Expect::Absent, json!({}));
            store.commit(Batch::new().write(row)).await
        }
    });
    let mut all = tokio::task::JoinSet::new();
    for commit in commits {
        all.spawn(commit);
    }
    assert!(all.join_all().await.into_iter().all(|outcome| outcome.is_ok()));
    assert!(
        store.transactions() < 250,
        "{} transactions for 500 commits",
        store.transactions()
    );
    assert_eq!(store.count(ROW, Query::all()).await.unwrap(), 500);
}

#[tokio::test]
async fn two_stores_never_share_a_folder_and_files_are_the_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let store = SqliteStore::open(&data).unwrap();
    store
        .commit(Batch::new().write(Put::new(ROW, "1", Expect::Any, json!({}))))
        .await
        .unwrap();
    assert!(matches!(SqliteStore::open(&data), Err(StoreError::InUse { .. })));
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    let mut files = 0;
    for entry in std::fs::read_dir(&data).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        files += 1;
    }
    assert!(files >= 4, "database, log, key and lock");
    drop(store);
    assert!(SqliteStore::open(&data).unwrap().get(ROW, "1").await.unwrap().is_some());
}

#[test]
fn a_database_of_a_newer_program_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    drop(SqliteStore::open(folder.path()).unwrap());
    let database = folder.path().join("manifold.db");
    rusqlite::Connection::open(&database)
        .unwrap()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    match SqliteStore::open(folder.path()) {
        Err(error @ StoreError::NewerSchema { found: 99, .. }) => {
            assert!(error.to_string().contains("manifold.db has schema 99"), "{error}");
        }
        other => panic!("{:?}", other.map(|_| ())),
    }
}

#[test]
fn secrets_open_in_their_place_alone_and_are_never_printed() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let sealed = store.sealer().seal("vim/1", b"hunter2").unwrap();
    let text = serde_json::to_string(&sealed).unwrap();
    assert!(!text.contains("hunter2") && !format!("{sealed:?}").contains("hunter2"));
    assert_ne!(
        sealed,
        store.sealer().seal("vim/1", b"hunter2").unwrap(),
        "a nonce is never used twice"
    );
    drop(store);

    let store = SqliteStore::open(folder.path()).unwrap();
    let read: Sealed = serde_json::from_str(&text).unwrap();
    assert_eq!(store.sealer().open_sealed("vim/1", &read).unwrap(), b"hunter2");
    assert!(matches!(
        store.sealer().open_sealed("vim/2", &read),
        Err(SealError::Open)
    ));
    for broken in [
        "\"\"",
        "\"sealed-1:\"",
        "\"sealed-1:AAAA\"",
        "\"sealed-1:?\"",
        "\"sealed-2:AAAA\"",
    ] {
        let broken: Sealed = serde_json::from_str(broken).unwrap();
        assert!(matches!(
            store.sealer().open_sealed("vim/1", &broken),
            Err(SealError::Open)
        ));
    }
    drop(store);
    let key = folder.path().join("seal.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(
        SqliteStore::open(folder.path()),
        Err(StoreError::Seal(SealError::Exposed { mode: 0o644, .. }))
    ));
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(&key, b"short").unwrap();
    assert!(matches!(
        SqliteStore::open(folder.path()),
        Err(StoreError::Seal(SealError::NotAKey { .. }))
    ));
}

/// What a document is told to be out of memory is what the database holds: after every kind of write, also when many of them
/// shared a transaction, and when some of them were refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_is_told_as_the_database_holds_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(SqliteStore::open(folder.path()).unwrap());
    for round in 0..50u64 {
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..24u64 {
            let store = Arc::clone(&store);
            writers.spawn(async move {
                let id = format!("row-{}", writer % 4);
                let put =
                    |expect| Put::new(ROW, id.as_str(), expect, json!({ "by": writer, "in": round })).tenant(Some("t"));
                let batch = match writer % 3 {
                    0 => Batch::new().write(put(Expect::Any)),
                    1 => Batch::new()
                        .write(put(Expect::Any))
                        .delete(ROW, id.as_str(), Expect::Any),
                    _ => Batch::new().write(put(Expect::Exactly(round / 2))),
                };
                match store.commit(batch).await {
                    Err(StoreError::Conflict(_)) | Ok(_) => {}
                    Err(error) => panic!("{error}"),
                }
            });
        }
        while let Some(ended) = writers.join_next().await {
            ended.unwrap();
        }
        let held = store.list(ROW, Query::all()).await.unwrap().docs;
        for number in 0..4 {
            let id = format!("row-{number}");
            let told = store.get(ROW, &id).await.unwrap();
            assert_eq!(
                told.as_ref(),
                held.iter().find(|doc| doc.id == id),
                "round {round}, {id}"
            );
        }
    }
}

/// Delivered rows are gone for every reader at once, although nothing waits for the disk.
#[tokio::test]
async fn marking_rows_as_delivered_costs_no_fsync_and_is_seen_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let committed = store.commit(Batch::new().note("row", json!(1))).await.unwrap();
    let before = store.transactions();
    store.outbox_done(committed.outbox[0]).await.unwrap();
    assert_eq!(store.transactions(), before);
    assert!(store.outbox_after(0, 10).await.unwrap().is_empty());
    store.commit(Batch::new().note("row", json!(2))).await.unwrap();
    assert_eq!(store.transactions(), before + 1);
}
