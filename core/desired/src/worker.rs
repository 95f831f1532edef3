//! The loop: one writer of documents, one request outside at a time.

use crate::handle::{Job, Shared};
use crate::near::near;
use crate::outside::{self, Event};
use crate::pending::{Pending, answer, failures};
use crate::planning::TOGETHER;
use crate::{Done, Phase, Realm, Verdict, Wished, documents};
use manifold_call::{CallError, Outcome, Uuid};
use manifold_store::{Batch, Expect, Store, Write};
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Calls that wait for the outside; more are not planned before some have ended.
pub(crate) const WAITING: usize = 1_024;
/// A pass over everything, for what no event told.
const SAFETY_PASS: Duration = Duration::from_secs(60);
/// After a failure that belongs to no call.
const RETRY: Duration = Duration::from_millis(500);
const RETRY_MAX: Duration = Duration::from_secs(30);

/// What is known of an object outside.
pub(crate) struct Known<W> {
    /// The wish that was realised last; `None` when that is not certain.
    pub(crate) wish: Option<W>,
    /// For whose sake.
    pub(crate) documents: Vec<Uuid>,
    /// It was so, and is to be asked for again all the same: something near it changed.
    doubtful: bool,
    rank: u8,
}

enum Finished {
    Looked {
        ids: Option<Vec<Uuid>>,
        there: Outcome<Vec<Uuid>>,
    },
    Realised {
        removed: Outcome<Vec<Verdict>>,
        removals: Vec<Uuid>,
        ensured: Outcome<Vec<Verdict>>,
    },
}

type Request = Pin<Box<dyn Future<Output = Finished> + Send>>;

pub(crate) struct Worker<R: Realm> {
    pub(crate) realm: Arc<R>,
    pub(crate) store: Arc<dyn Store>,
    shared: Arc<RwLock<Shared<R>>>,
    pub(crate) pending: Vec<Pending<R::Document>>,
    /// The calls that the running request is made for, and what it ensures.
    pub(crate) served: Vec<Pending<R::Document>>,
    asked: BTreeMap<Uuid, Wished<R::Wish>>,
    /// Objects to look at.
    look: Option<Event>,
    /// Writes that the store refused and that must come before any other.
    pub(crate) unsaved: Vec<Write>,
    retry: Duration,
    retry_at: Option<Instant>,
    /// Whether everything was seen since the start: before that, nothing can be said to be gone.
    seen_all: bool,
}

impl<R: Realm> Worker<R> {
    pub(crate) fn new(realm: Arc<R>, store: Arc<dyn Store>, shared: Arc<RwLock<Shared<R>>>) -> Self {
        Self {
            realm,
            store,
            shared,
            pending: Vec::new(),
            served: Vec::new(),
            asked: BTreeMap::new(),
            look: Some(Event::All),
            unsaved: Vec::new(),
            retry: RETRY,
            retry_at: None,
            seen_all: false,
        }
    }

    pub(crate) async fn run(mut self, mut queue: mpsc::Receiver<Job<R::Document>>, mut events: mpsc::Receiver<Event>) {
        let mut request: Option<Request> = None;
        let mut safety = tokio::time::interval_at(Instant::now() + SAFETY_PASS, SAFETY_PASS);
        let mut jobs = Vec::new();
        loop {
            if request.is_none() {
                self.gather(&mut queue, &mut jobs).await;
                request = self.next_request();
            }
            let retry_at = self.retry_at;
            tokio::select! {
                taken = queue.recv_many(&mut jobs, TOGETHER), if self.pending.len() < WAITING => {
                    if taken == 0 {
                        return;
                    }
                    self.plan(std::mem::take(&mut jobs)).await;
                }
                finished = running(&mut request), if request.is_some() => {
                    request = None;
                    match finished {
                        Finished::Looked { ids, there } => self.looked(ids, there),
                        Finished::Realised { removed, removals, ensured } => self.realised(removed, &removals, ensured).await,
                    }
                }
                Some(event) = events.recv() => self.look = Some(match (self.look.take(), event) {
                    (Some(Event::All), _) | (_, Event::All) => Event::All,
                    (Some(Event::Some(mut ids)), Event::Some(more)) => {
                        ids.extend(more);
                        Event::Some(ids)
                    }
                    (None, event) => event,
                }),
                _ = safety.tick() => self.look = Some(Event::All),
                () = until(retry_at), if retry_at.is_some() => {
                    self.retry_at = None;
                    // Looked at first: what failed may be there, half there, or somebody else's trouble.
                    self.look = Some(Event::All);
                }
            }
        }
    }

    pub(crate) fn shared(&self) -> RwLockWriteGuard<'_, Shared<R>> {
        self.shared.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) async fn commit(&mut self, writes: Vec<Write>) -> Outcome<()> {
        let mut batch = Batch {
            writes: self.unsaved.clone(),
            ..Batch::default()
        };
        batch.writes.extend(writes);
        if batch.is_empty() {
            return Ok(());
        }
        match self.store.commit(batch).await {
            Ok(_) => {
                self.unsaved.clear();
                Ok(())
            }
            Err(error) => {
                tracing::error!(realm = self.realm.instance(), %error, "the desired state could not be written");
                Err(CallError::internal("the desired state could not be written").caused_by(error))
            }
        }
    }

    /// What is to be asked of the outside now: a look first if one is due, then whatever differs.
    fn next_request(&mut self) -> Option<Request> {
        if let Some(event) = self.look.take() {
            let ids = match event {
                Event::All => None,
                Event::Some(ids) => Some(ids),
            };
            let realm = self.realm.clone();
            return Some(Box::pin(async move {
                let there = realm.observe(&outside::own(), ids.clone()).await;
                Finished::Looked { ids, there }
            }));
        }
        // A failure that belongs to no call waits for its time, lest a call's neighbours be asked for without end.
        if self.pending.is_empty() && self.retry_at.is_some() {
            return None;
        }
        let (removals, mut ensures) = self.difference();
        if self.pending.is_empty() && removals.is_empty() && ensures.is_empty() && !self.anything_left() {
            return None;
        }
        self.served = std::mem::take(&mut self.pending);
        let cx = self
            .served
            .first()
            .map_or_else(outside::own, |call| outside::on_behalf(&call.cx));
        ensures.sort_by_key(|wished| self.realm.rank(&wished.wish));
        let wishes: Vec<R::Wish> = ensures.iter().map(|wished| wished.wish.clone()).collect();
        {
            // Uncertain from the moment of asking on: a lost answer must not be mistaken for "never made".
            let mut shared = self.shared();
            for wished in &ensures {
                let rank = self.realm.rank(&wished.wish);
                let fresh = || Known {
                    wish: None,
                    documents: Vec::new(),
                    doubtful: false,
                    rank,
                };
                let known = shared.known.entry(wished.id).or_insert_with(fresh);
                if known.wish.as_ref() != Some(&wished.wish) {
                    known.wish = None;
                }
                known.documents.clone_from(&wished.documents);
            }
        }
        self.asked = ensures.into_iter().map(|wished| (wished.id, wished)).collect();
        let realm = self.realm.clone();
        Some(Box::pin(async move {
            let removed = match removals.is_empty() {
                true => Ok(Vec::new()),
                false => realm.remove(&cx, removals.clone()).await,
            };
            let ensured = match wishes.is_empty() {
                true => Ok(Vec::new()),
                false => realm.ensure(&cx, wishes).await,
            };
            Finished::Realised {
                removed,
                removals,
                ensured,
            }
        }))
    }

    /// Leaving documents for whose sake nothing is left outside.
    fn left(&self, shared: &Shared<R>) -> BTreeSet<Uuid> {
        if !self.seen_all {
            return BTreeSet::new();
        }
        let under_way = self
            .pending
            .iter()
            .filter(|call| call.failed.is_none())
            .flat_map(|call| &call.leaves);
        let under_way: BTreeSet<&Uuid> = under_way.collect();
        let needed: BTreeSet<&Uuid> = shared.known.values().flat_map(|known| &known.documents).collect();
        let held = shared.documents.held.iter();
        let left = held.filter(|(id, held)| held.leaving && !needed.contains(id) && !under_way.contains(id));
        left.map(|(id, _)| *id).collect()
    }

    fn anything_left(&self) -> bool {
        let shared = self.shared.read().unwrap_or_else(PoisonError::into_inner);
        !self.left(&shared).is_empty()
    }

    /// Wishes that are not known to be realised, and known objects that nobody wishes for, last made first.
    pub(crate) fn difference(&self) -> (Vec<Uuid>, Vec<Wished<R::Wish>>) {
        let mut shared = self.shared();
        let wishes = self.realm.wishes(&shared.documents);
        let wished: BTreeSet<Uuid> = wishes.iter().map(|wished| wished.id).collect();
        let mut surplus: Vec<(u8, Uuid)> = shared
            .known
            .iter()
            .filter(|(id, _)| !wished.contains(id))
            .map(|(id, known)| (known.rank, *id))
            .collect();
        surplus.sort_unstable_by(|a, b| b.cmp(a));
        let mut lacking = Vec::new();
        for wished in wishes {
            match shared.known.get_mut(&wished.id) {
                Some(known) if !known.doubtful && known.wish.as_ref() == Some(&wished.wish) => {
                    known.documents = wished.documents;
                }
                _ => lacking.push(wished),
            }
        }
        (surplus.into_iter().map(|(_, id)| id).collect(), lacking)
    }

    fn wishes(&self) -> BTreeMap<Uuid, Wished<R::Wish>> {
        let wishes = self.realm.wishes(&self.shared().documents);
        wishes.into_iter().map(|wished| (wished.id, wished)).collect()
    }

    /// Takes a look into account: what is gone, doubtful or nobody's is uncertain from now on, so the next request mends it.
    fn looked(&mut self, ids: Option<Vec<Uuid>>, there: Outcome<Vec<Uuid>>) {
        let there: BTreeSet<Uuid> = match there {
            Ok(there) => there.into_iter().collect(),
            Err(error) => {
                tracing::warn!(realm = self.realm.instance(), %error, "the infrastructure could not be observed");
                self.retry_later();
                // Without a look nothing is known to be there: the next request wishes for it all.
                return;
            }
        };
        let wishes = self.wishes();
        let mut guard = self.shared();
        let shared = &mut *guard;
        // What is looked at, and what stands for the same documents' sake: a bridge that is made again needs its ports again.
        let scope: BTreeSet<Uuid> = match &ids {
            None => wishes.keys().chain(shared.known.keys()).copied().collect(),
            Some(ids) => {
                let named = ids
                    .iter()
                    .filter(|id| wishes.contains_key(id) || shared.known.contains_key(id));
                near(ids, &wishes).into_iter().chain(named.copied()).collect()
            }
        };
        for id in &scope {
            match wishes.get(id) {
                Some(wished) => {
                    let named = ids.as_ref().is_none_or(|ids| ids.contains(id));
                    let before = shared.known.remove(id).and_then(|known| known.wish);
                    let known = Known {
                        wish: before.filter(|_| !named || there.contains(id)),
                        documents: wished.documents.clone(),
                        doubtful: true,
                        rank: self.realm.rank(&wished.wish),
                    };
                    shared.known.insert(*id, known);
                }
                // Gone already, unless the look found it.
                None if ids.is_none() => drop(shared.known.remove(id)),
                None => {}
            }
        }
        for id in there.into_iter().filter(|id| !wishes.contains_key(id)) {
            let nobodys = Known {
                wish: None,
                documents: Vec::new(),
                doubtful: true,
                rank: u8::MAX,
            };
            shared.known.entry(id).or_insert(nobodys);
        }
        drop(guard);
        self.seen_all |= ids.is_none();
    }

    async fn realised(&mut self, removed: Outcome<Vec<Verdict>>, removals: &[Uuid], ensured: Outcome<Vec<Verdict>>) {
        let asked = std::mem::take(&mut self.asked);
        let unremoved = failures(removed, removals.iter().copied());
        let unmade = failures(ensured, asked.keys().copied());
        {
            let mut shared = self.shared();
            for id in removals.iter().filter(|id| !unremoved.contains_key(id)) {
                shared.known.remove(id);
            }
            for (id, wished) in &asked {
                if let Some(known) = shared.known.get_mut(id) {
                    known.wish = Some(wished.wish.clone()).filter(|_| !unmade.contains_key(id));
                    known.doubtful = false;
                }
            }
        }
        let mut writes = Vec::new();
        let mut answers = Vec::new();
        let mut blamed = BTreeSet::new();
        for mut call in std::mem::take(&mut self.served) {
            let failure = unmade.iter().find(|(id, _)| {
                asked
                    .get(id)
                    .is_some_and(|wished| call.wished().any(|id| wished.documents.contains(&id)))
            });
            match failure {
                // It made nothing, so there is nothing to take back; the objects stay wished for.
                Some((_, error)) if !call.awaits.is_empty() => {
                    call.failed = Some(error.clone());
                    answers.push(call);
                }
                Some((id, error)) if call.failed.is_none() => {
                    blamed.insert(*id);
                    call.failed = Some(error.clone());
                    writes.extend(self.take_back(&mut call));
                    self.pending.push(call);
                }
                _ => answers.push(call),
            }
        }
        let gone = self.drop_left(&mut writes);
        if let Err(error) = self.commit(writes.clone()).await {
            self.unsaved.extend(writes);
            tracing::warn!(realm = self.realm.instance(), %error, "written with the next commit");
        }
        for call in answers {
            self.settle(&call);
            let staying = call
                .leaves
                .iter()
                .filter(|id| !gone.contains(id))
                .filter_map(|id| self.staying(*id, &unremoved));
            let outcome = match call.failed {
                Some(error) => Err(error),
                None => Ok(Done {
                    staying: staying.collect(),
                }),
            };
            answer(call.replies, outcome);
        }
        let orphaned = unmade.keys().any(|id| !blamed.contains(id)) || !unremoved.is_empty();
        if orphaned {
            for (id, error) in unmade.iter().filter(|(id, _)| !blamed.contains(id)).chain(&unremoved) {
                tracing::warn!(realm = self.realm.instance(), object = %id, %error, "not as wished");
            }
            self.retry_later();
        } else {
            self.retry = RETRY;
        }
    }

    /// The failed call's documents as before; those that it made leave, and hold what they reserved until their objects are gone.
    fn take_back(&self, call: &mut Pending<R::Document>) -> Vec<Write> {
        let mut shared = self.shared();
        let instance = self.realm.instance();
        let mut writes = Vec::new();
        for (id, before) in &call.puts {
            match before {
                Some(before) => {
                    writes.extend(documents::put(R::KIND, instance, *id, before));
                    shared.documents.held.insert(*id, before.clone());
                }
                None => {
                    if let Some(held) = shared.documents.held.get_mut(id) {
                        held.leaving = true;
                        writes.extend(documents::put(R::KIND, instance, *id, held));
                    }
                }
            }
        }
        for id in std::mem::take(&mut call.leaves) {
            if let Some(held) = shared.documents.held.get_mut(&id) {
                held.leaving = false;
                writes.extend(documents::put(R::KIND, instance, id, held));
            }
        }
        call.leaves = call
            .puts
            .iter()
            .filter(|(_, before)| before.is_none())
            .map(|(id, _)| *id)
            .collect();
        writes
    }

    /// Forgets the leaving documents for whose sake nothing is left outside.
    fn drop_left(&self, writes: &mut Vec<Write>) -> BTreeSet<Uuid> {
        let mut shared = self.shared();
        let gone = self.left(&shared);
        for id in &gone {
            shared.documents.held.remove(id);
            writes.push(Write::delete(R::KIND, id.to_string(), Expect::Any));
        }
        gone
    }

    pub(crate) fn settle(&self, call: &Pending<R::Document>) {
        let mut shared = self.shared();
        for (id, _) in &call.puts {
            if let Some(held) = shared.documents.held.get_mut(id) {
                held.phase = Phase::Settled;
            }
        }
    }

    /// Why a document that shall leave has not: the failure of one of its objects.
    fn staying(&self, id: Uuid, unremoved: &BTreeMap<Uuid, CallError>) -> Option<(Uuid, CallError)> {
        let shared = self.shared.read().unwrap_or_else(PoisonError::into_inner);
        shared.documents.held.get(&id)?;
        let of_it = unremoved.iter().find(|(object, _)| {
            shared
                .known
                .get(object)
                .is_some_and(|known| known.documents.contains(&id))
        });
        let error = of_it.map_or_else(
            || CallError::busy(format!("{id} is still leaving")),
            |(_, error)| error.clone(),
        );
        Some((id, error))
    }

    fn retry_later(&mut self) {
        self.retry_at.get_or_insert_with(|| Instant::now() + self.retry);
        self.retry = (self.retry * 2).min(RETRY_MAX);
    }
}

async fn running(request: &mut Option<Request>) -> Finished {
    match request {
        Some(request) => request.await,
        None => std::future::pending().await,
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
