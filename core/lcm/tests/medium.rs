//! A store that fails now and then, before or after it wrote: operations end all the same, and nothing is made twice.

#![allow(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

mod toy;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use manifold_lcm::{Engine, EngineError, OccurrenceFilter, State};
use manifold_store::{
    Batch, Committed, Doc, JournalEntry, Kind, Lease, OutboxRow, Page, Query, Sealer, Store, StoreError,
};
use tokio::sync::watch;
use toy::{LIMIT, Toy, start, wish};

/// Fails one commit, the one of that number.
struct Failing {
    inner: Arc<dyn Store>,
    commits: AtomicU32,
    at: u32,
    writes_first: bool,
}

#[async_trait]
impl Store for Failing {
    async fn commit(&self, batch: Batch) -> Result<Committed, StoreError> {
        let fails = self.commits.fetch_add(1, Ordering::SeqCst) == self.at;
        if fails && !self.writes_first {
            return Err(StoreError::CommitFailed {
                reason: "made to fail".to_owned(),
            });
        }
        let committed = self.inner.commit(batch).await?;
        if fails {
            return Err(StoreError::CommitFailed {
                reason: "made to fail late".to_owned(),
            });
        }
        Ok(committed)
    }
    async fn get(&self, kind: Kind, id: &str) -> Result<Option<Doc>, StoreError> {
        self.inner.get(kind, id).await
    }
    async fn list(&self, kind: Kind, query: Query) -> Result<Page, StoreError> {
        self.inner.list(kind, query).await
    }
    async fn count(&self, kind: Kind, query: Query) -> Result<u64, StoreError> {
        self.inner.count(kind, query).await
    }
    async fn journal(&self, stream: &str, after: u64, limit: u32) -> Result<Vec<JournalEntry>, StoreError> {
        self.inner.journal(stream, after, limit).await
    }
    async fn outbox_after(&self, after: u64, limit: u32) -> Result<Vec<OutboxRow>, StoreError> {
        self.inner.outbox_after(after, limit).await
    }
    async fn outbox_done(&self, seq: u64) -> Result<(), StoreError> {
        self.inner.outbox_done(seq).await
    }
    fn outbox_watch(&self) -> watch::Receiver<u64> {
        self.inner.outbox_watch()
    }
    async fn lease(&self, name: &str) -> Result<Option<Lease>, StoreError> {
        self.inner.lease(name).await
    }
    fn sealer(&self) -> &Sealer {
        self.inner.sealer()
    }
}

#[tokio::test]
async fn whichever_commit_fails_the_operation_ends_and_nothing_is_made_twice() {
    let steps = [wish("a", &[]), wish("b", &["a"])];
    let cases = (0..4)
        .flat_map(|at| [(at, true), (at, false)])
        .map(async |(at, writes_first)| {
            let toy = Toy::new();
            let store = Failing {
                inner: Arc::clone(&toy.store),
                commits: AtomicU32::new(0),
                at,
                writes_first,
            };
            let engine = Engine::new(Arc::new(store), toy.registry());
            let started = engine.start(start("ns.stack", "one", &steps)).await;
            if at == 0 {
                // The caller cannot know; whether it began is in the store, and what began is moved.
                assert!(matches!(started, Err(EngineError::Store(_))), "{started:?}");
            }
            let found = engine
                .occurrences(OccurrenceFilter::default())
                .await
                .unwrap()
                .occurrences;
            assert_eq!(found.len(), usize::from(at > 0 || writes_first));
            for occurrence in found {
                toy::until("it has ended", || toy.world.names().len() == 2).await;
                let settled = tokio::time::timeout(LIMIT, async {
                    loop {
                        let now = engine.settled(occurrence.id, LIMIT).await.unwrap();
                        if !now.state.is_running() {
                            return now;
                        }
                        tokio::task::yield_now().await;
                    }
                });
                assert_eq!(settled.await.unwrap().state, State::Completed, "{at} {writes_first}");
                assert_eq!(toy.world.names(), ["a", "b"]);
            }
            engine.shutdown(LIMIT).await;
        });
    futures_util::future::join_all(cases).await;
}
