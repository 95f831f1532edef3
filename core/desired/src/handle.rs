use crate::worker::{Known, Worker};
use crate::{Documents, Realm, documents, outside};
use manifold_call::{CallError, Context, Outcome, TenantId, Uuid};
use manifold_store::Store;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use tokio::sync::{mpsc, oneshot, watch};

/// Calls that wait to be planned: those of about ten instantiations of a hundred ports in the same moment. Each is a few hundred
/// bytes; a caller that finds the queue full is told to come again.
const QUEUE_CALLS: usize = 1_024;

/// What a call does to the documents.
#[derive(Debug, Clone, PartialEq)]
pub struct Change<D> {
    /// Documents made or replaced.
    pub puts: Vec<(Uuid, TenantId, D)>,
    /// Documents that shall go, with their objects.
    pub leaves: Vec<Uuid>,
}

impl<D> Default for Change<D> {
    fn default() -> Self {
        Self {
            puts: Vec::new(),
            leaves: Vec::new(),
        }
    }
}

impl<D> Change<D> {
    /// Makes or replaces one document.
    pub fn put(id: Uuid, tenant: &TenantId, body: D) -> Self {
        Self::default().and_put(id, tenant, body)
    }

    /// And this one.
    pub fn and_put(mut self, id: Uuid, tenant: &TenantId, body: D) -> Self {
        self.puts.push((id, tenant.clone(), body));
        self
    }
}

/// What a plan comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision<D> {
    /// There is nothing to do, and nothing to wait for.
    Already,
    /// These documents say what the call wants. It is answered when what they wish for is there: they may have been committed by a
    /// process that ended before it was.
    Stands(Vec<Uuid>),
    /// This is to be done.
    Do(Change<D>),
}

/// How a call ended.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Done {
    /// Documents that could not leave yet, and why; they are tried again until they can.
    pub staying: Vec<(Uuid, CallError)>,
}

pub(crate) type Plan<D> = Box<dyn FnOnce(&Documents<D>) -> Outcome<Decision<D>> + Send>;

pub(crate) struct Job<D> {
    pub(crate) cx: Context,
    pub(crate) identity: Option<Uuid>,
    pub(crate) plan: Plan<D>,
    pub(crate) reply: oneshot::Sender<Outcome<Done>>,
}

/// What readers may see.
pub(crate) struct Shared<R: Realm> {
    pub(crate) documents: Documents<R::Document>,
    pub(crate) known: BTreeMap<Uuid, Known<R::Wish>>,
}

/// A realm's desired state.
pub struct Desired<R: Realm> {
    realm: Arc<R>,
    store: Arc<dyn Store>,
    shared: Arc<RwLock<Shared<R>>>,
    jobs: mpsc::Sender<Job<R::Document>>,
    queue: Mutex<Option<mpsc::Receiver<Job<R::Document>>>>,
}

impl<R: Realm> Desired<R> {
    /// Loads the documents. Nothing is done outside before [`Desired::run`].
    pub async fn open(realm: Arc<R>, store: Arc<dyn Store>) -> Outcome<Self> {
        let documents = documents::load(store.as_ref(), R::KIND, realm.instance()).await?;
        let (jobs, queue) = mpsc::channel(QUEUE_CALLS);
        Ok(Self {
            realm,
            store,
            shared: Arc::new(RwLock::new(Shared {
                documents,
                known: BTreeMap::new(),
            })),
            jobs,
            queue: Mutex::new(Some(queue)),
        })
    }

    /// What the realm is made of.
    pub fn realm(&self) -> &R {
        &self.realm
    }

    /// Looks at the documents.
    pub fn read<T>(&self, look: impl FnOnce(&Documents<R::Document>) -> T) -> T {
        look(&self.shared.read().unwrap_or_else(PoisonError::into_inner).documents)
    }

    /// Whether everything that the document wishes for is there, as far as was told.
    pub fn works(&self, document: Uuid) -> bool {
        let shared = self.shared.read().unwrap_or_else(PoisonError::into_inner);
        let mut known = shared
            .known
            .values()
            .filter(|known| known.documents.contains(&document));
        known.all(|known| known.wish.is_some())
    }

    /// Plans, commits, realises. `plan` sees every document and decides; it runs once, while no other does. Calls of one
    /// `identity` at the same time are one call. Errors: those of the plan; `Busy` (a document is in another call's hands);
    /// `Unavailable` (too many calls wait, or the loop does not run); what the outside said, after everything is taken back.
    pub async fn apply(
        &self,
        cx: &Context,
        identity: Option<Uuid>,
        plan: impl FnOnce(&Documents<R::Document>) -> Outcome<Decision<R::Document>> + Send + 'static,
    ) -> Outcome<Done> {
        let (reply, answer) = oneshot::channel();
        let job = Job {
            cx: cx.clone(),
            identity,
            plan: Box::new(plan),
            reply,
        };
        self.jobs.try_send(job).map_err(|_| {
            CallError::unavailable(format!("{} has {QUEUE_CALLS} calls waiting", self.realm.instance()))
                .cure("repeat the call a moment later")
        })?;
        match tokio::time::timeout(cx.deadline.remaining(), answer).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(CallError::unavailable(format!("{} is stopping", self.realm.instance()))),
            Err(_) => Err(CallError::timed_out(format!(
                "{} did not finish in time",
                self.realm.instance()
            ))),
        }
    }

    /// Works until told to stop: answers calls, follows changes outside, mends. Call it once; what is under way when it stops
    /// is durable, and the next start goes on with it.
    pub async fn run(&self, mut shutdown: watch::Receiver<bool>) {
        let taken = self.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(queue) = taken else {
            tracing::error!(
                realm = self.realm.instance(),
                "the loop of desired state was started twice"
            );
            return;
        };
        let (tell, events) = mpsc::channel(outside::EVENTS);
        let worker = Worker::new(self.realm.clone(), self.store.clone(), self.shared.clone());
        tokio::select! {
            () = worker.run(queue, events) => {}
            () = outside::follow(self.realm.as_ref(), tell) => {}
            // A sender that is gone means that nobody will ever say stop: the program is ending.
            _ = shutdown.wait_for(|stop| *stop) => {}
        }
    }
}
