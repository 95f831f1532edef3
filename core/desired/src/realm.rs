use crate::Documents;
use async_trait::async_trait;
use manifold_call::{CallError, Context, Outcome, Uuid};
use manifold_store::Kind;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What a manager is made of: its documents, what they wish for, and the outside that fulfils wishes.
#[async_trait]
pub trait Realm: Send + Sync + 'static {
    /// What is kept.
    type Document: Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static;
    /// What is asked of the outside.
    type Wish: Clone + PartialEq + Send + Sync + 'static;
    /// Where the realm stands in the stream of changes outside.
    type Cursor: Clone + Default + Send + Sync + 'static;

    /// The documents' kind in the store.
    const KIND: Kind;

    /// Tells this realm's documents from those of others of the kind.
    fn instance(&self) -> &str;

    /// Everything that the standing documents wish for. Pure and total: the same documents, the same wishes. No id twice.
    fn wishes(&self, documents: &Documents<Self::Document>) -> Vec<Wished<Self::Wish>>;

    /// What must exist before what: lower first, removed last.
    fn rank(&self, wish: &Self::Wish) -> u8;

    /// Makes or mends. One verdict for each wish. It may be repeated at any time: what only a changed wish may mend (a machine that
    /// crashed is its user's to heal) stays as it is.
    async fn ensure(&self, cx: &Context, wishes: Vec<Self::Wish>) -> Outcome<Vec<Verdict>>;

    /// Removes. One verdict for each id.
    async fn remove(&self, cx: &Context, ids: Vec<Uuid>) -> Outcome<Vec<Verdict>>;

    /// What is there of the realm's objects: of these, or of all.
    async fn observe(&self, cx: &Context, ids: Option<Vec<Uuid>>) -> Outcome<Vec<Uuid>>;

    /// Waits for a change that nobody of the realm asked for, at most until the context's deadline.
    async fn changes(&self, cx: &Context, since: Self::Cursor) -> Outcome<News<Self::Cursor>>;
}

/// A wish, and for whose sake it is made.
#[derive(Debug, Clone, PartialEq)]
pub struct Wished<W> {
    /// The object.
    pub id: Uuid,
    /// What it shall be.
    pub wish: W,
    /// The documents that need it: a call fails when a wish that its documents need does.
    pub documents: Vec<Uuid>,
}

/// What became of a wish or a removal.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The object.
    pub id: Uuid,
    /// `None` when it is as wished, or gone.
    pub failure: Option<CallError>,
}

/// What changed outside.
#[derive(Debug, Clone)]
pub struct News<C> {
    /// Where to go on.
    pub cursor: C,
    /// Objects to look at.
    pub ids: Vec<Uuid>,
    /// Changes may have been missed: look at everything.
    pub lost: bool,
}
