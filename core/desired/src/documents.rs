use manifold_call::{CallError, Outcome, TenantId, Uuid};
use manifold_store::{Expect, Kind, Put, Query, Store, Write};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Under this index a realm finds its documents again.
const INSTANCE: &str = "instance";

/// What is happening to a document; lives in memory alone: after a restart everything is settled or leaving.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Nothing.
    Settled,
    /// It is being made: it may yet vanish.
    Making,
    /// It is being changed, and may yet be as before.
    Changing,
}

/// A document in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Held<D> {
    /// What it says.
    pub body: D,
    /// Whose it is.
    pub tenant: TenantId,
    /// It is wished no more, and stays until its objects are gone.
    pub leaving: bool,
    /// What is happening to it.
    pub phase: Phase,
}

/// All documents of a realm.
#[derive(Debug, Clone)]
pub struct Documents<D> {
    pub(crate) held: BTreeMap<Uuid, Held<D>>,
}

impl<D> Documents<D> {
    /// The document, leaving or not.
    pub fn find(&self, id: Uuid) -> Option<&Held<D>> {
        self.held.get(&id)
    }

    /// Every document, those that leave as well: whatever they reserve is not free yet.
    pub fn all(&self) -> impl Iterator<Item = (Uuid, &Held<D>)> {
        self.held.iter().map(|(id, held)| (*id, held))
    }

    /// The documents that shall be.
    pub fn standing(&self) -> impl Iterator<Item = (Uuid, &Held<D>)> {
        self.all().filter(|(_, held)| !held.leaving)
    }

    /// For tests of pure functions over documents.
    pub fn of(documents: impl IntoIterator<Item = (Uuid, TenantId, D)>) -> Self {
        let held = documents.into_iter().map(|(id, tenant, body)| {
            (
                id,
                Held {
                    body,
                    tenant,
                    leaving: false,
                    phase: Phase::Settled,
                },
            )
        });
        Self { held: held.collect() }
    }
}

/// As it stands in the store.
#[derive(Serialize, Deserialize)]
struct Stored<D> {
    leaving: bool,
    body: D,
}

pub(crate) fn put<D: Serialize>(kind: Kind, instance: &str, id: Uuid, held: &Held<D>) -> Outcome<Write> {
    let stored = Stored {
        leaving: held.leaving,
        body: &held.body,
    };
    let body = serde_json::to_value(stored)
        .map_err(|error| CallError::internal(format!("{kind} {id} has no JSON form")).caused_by(error))?;
    // Any revision: this process alone writes the realm's documents, in the order of its plans.
    let put = Put::new(kind, id.to_string(), Expect::Any, body)
        .tenant(Some(held.tenant.as_str()))
        .index(INSTANCE, instance);
    Ok(Write::Put(put))
}

pub(crate) async fn load<D: DeserializeOwned>(store: &dyn Store, kind: Kind, instance: &str) -> Outcome<Documents<D>> {
    let mut held = BTreeMap::new();
    let mut query = Query::all().equal(INSTANCE, instance).limit(1_000);
    loop {
        let page = store
            .list(kind, query.clone())
            .await
            .map_err(|error| unreadable(kind, error))?;
        for doc in page.docs {
            let stored: Stored<D> = doc.read().map_err(|error| unreadable(kind, error))?;
            let id = doc.id.parse().map_err(|error| unreadable(kind, error))?;
            let tenant = TenantId(doc.tenant.unwrap_or_default());
            held.insert(
                id,
                Held {
                    body: stored.body,
                    tenant,
                    leaving: stored.leaving,
                    phase: Phase::Settled,
                },
            );
        }
        match page.next {
            Some(next) => query = query.after(Some(next)),
            None => return Ok(Documents { held }),
        }
    }
}

fn unreadable(kind: Kind, error: impl std::error::Error + Send + Sync + 'static) -> CallError {
    CallError::internal(format!("the documents of kind {kind} could not be read")).caused_by(error)
}
