//! A small infrastructure in memory that records who asks.

use async_trait::async_trait;
use manifold_call::{CallError, Context, Outcome};
use manifold_nfvi_interface::*;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};

#[derive(Default)]
pub(crate) struct Recording {
    objects: Mutex<BTreeMap<ObjectId, Wish>>,
    contexts: Mutex<Vec<Context>>,
    changed: Mutex<Vec<ObjectId>>,
    console: Mutex<Option<String>>,
    hold: Mutex<Option<Arc<Semaphore>>>,
    wake: Notify,
    running: AtomicUsize,
    most_running: AtomicUsize,
    waiting: AtomicUsize,
}

pub(crate) fn wish(name: &str) -> Wish {
    Wish {
        id: ObjectId::named(uuid::Uuid::nil(), name),
        owner: Owner {
            manager: "vim/test".into(),
            tenant: None,
        },
        kind: WishKind::Node(NodeWish {
            name: name.into(),
            role: NodeRole::Host,
            forwarding: false,
            services: Vec::new(),
        }),
    }
}

/// Waits for a level, with a deadline.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(tokio::time::Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

struct Count<'a>(&'a AtomicUsize);

impl Drop for Count<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

impl Recording {
    pub(crate) fn refusal(what: &str) -> CallError {
        CallError::conflict(format!("no {what} today")).cure("come tomorrow")
    }

    pub(crate) fn capabilities() -> Capabilities {
        Capabilities {
            cpus: 2,
            memory_mib: 4096,
            accelerator: "tcg".into(),
            version: "test".into(),
        }
    }

    pub(crate) fn endless_probe() -> ProbeAsk {
        ProbeAsk {
            from: ObjectId::random(),
            probe: Probe::Http {
                to: "192.0.2.1".parse().unwrap(),
                port: 80,
                path: "/".into(),
            },
            limit_ms: 60_000,
        }
    }

    pub(crate) fn contexts(&self) -> Vec<Context> {
        self.contexts.lock().unwrap().clone()
    }

    pub(crate) fn running(&self) -> usize {
        self.running.load(SeqCst)
    }

    pub(crate) fn most_running(&self) -> usize {
        self.most_running.load(SeqCst)
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(SeqCst)
    }

    pub(crate) fn change(&self, id: ObjectId) {
        self.changed.lock().unwrap().push(id);
        self.wake.notify_waiters();
    }

    pub(crate) fn set_console(&self, text: String) {
        *self.console.lock().unwrap() = Some(text);
    }

    pub(crate) fn hold_ensure(&self) {
        *self.hold.lock().unwrap() = Some(Arc::new(Semaphore::new(0)));
    }

    pub(crate) fn release_ensure(&self) {
        self.hold.lock().unwrap().as_ref().unwrap().add_permits(1);
    }

    fn enter(&self, cx: &Context) -> Count<'_> {
        self.contexts.lock().unwrap().push(cx.clone());
        let now = self.running.fetch_add(1, SeqCst) + 1;
        self.most_running.fetch_max(now, SeqCst);
        Count(&self.running)
    }
}

#[async_trait]
impl Infrastructure for Recording {
    async fn ensure(&self, cx: &Context, wishes: Vec<Wish>) -> Outcome<Vec<Report>> {
        let _count = self.enter(cx);
        let hold = self.hold.lock().unwrap().clone();
        if let Some(hold) = hold {
            hold.acquire().await.unwrap().forget();
        }
        let mut objects = self.objects.lock().unwrap();
        let mut reports = Vec::new();
        for wish in wishes {
            let id = wish.id;
            let bad = matches!(&wish.kind, WishKind::Node(node) if node.name == "bad");
            let changed = !bad && objects.insert(id, wish.clone()).as_ref() != Some(&wish);
            reports.push(Report {
                id,
                failure: bad.then(|| Self::refusal("bad")),
                changed,
            });
        }
        Ok(reports)
    }

    async fn remove(&self, cx: &Context, ids: Vec<ObjectId>) -> Outcome<Vec<Report>> {
        let _count = self.enter(cx);
        let mut objects = self.objects.lock().unwrap();
        Ok(ids
            .into_iter()
            .map(|id| Report {
                id,
                failure: None,
                changed: objects.remove(&id).is_some(),
            })
            .collect())
    }

    async fn observe(&self, cx: &Context, _filter: Filter) -> Outcome<Vec<Seen>> {
        let _count = self.enter(cx);
        let objects = self.objects.lock().unwrap();
        Ok(objects
            .values()
            .map(|wish| Seen {
                id: wish.id,
                owner: wish.owner.clone(),
                kind: wish.kind.name(),
                place: "memory".into(),
                machine: None,
            })
            .collect())
    }

    async fn changes(&self, _cx: &Context, since: Cursor) -> Outcome<Changes> {
        loop {
            let woken = self.wake.notified();
            let ids: Vec<ObjectId> = self.changed.lock().unwrap().drain(..).collect();
            if !ids.is_empty() {
                return Ok(Changes {
                    cursor: since,
                    ids,
                    lost: false,
                });
            }
            self.waiting.fetch_add(1, SeqCst);
            let _count = Count(&self.waiting);
            woken.await;
        }
    }

    async fn console(&self, cx: &Context, _ask: ConsoleAsk) -> Outcome<String> {
        let _count = self.enter(cx);
        let text = self.console.lock().unwrap().clone();
        text.ok_or_else(|| Self::refusal("console"))
    }

    async fn probe(&self, cx: &Context, _ask: ProbeAsk) -> Outcome<ProbeSeen> {
        let _count = self.enter(cx);
        std::future::pending().await
    }

    async fn capabilities(&self, cx: &Context, (): ()) -> Outcome<Capabilities> {
        let _count = self.enter(cx);
        Ok(Self::capabilities())
    }
}

/// The same, with the deadline that a gate or a wire would hold it to.
pub(crate) struct Deadlined(pub(crate) Arc<Recording>);

macro_rules! deadlined {
    ($($op:ident($Ask:ty) -> $Answer:ty;)*) => {
        #[async_trait]
        impl Infrastructure for Deadlined {
            $(async fn $op(&self, cx: &Context, ask: $Ask) -> Outcome<$Answer> {
                let limit = cx.deadline.remaining();
                tokio::time::timeout(limit, self.0.$op(cx, ask)).await.unwrap_or_else(|_| Err(CallError::timed_out("late")))
            })*
        }
    };
}

deadlined! {
    ensure(Vec<Wish>) -> Vec<Report>;
    remove(Vec<ObjectId>) -> Vec<Report>;
    observe(Filter) -> Vec<Seen>;
    changes(Cursor) -> Changes;
    console(ConsoleAsk) -> String;
    probe(ProbeAsk) -> ProbeSeen;
    capabilities(()) -> Capabilities;
}
