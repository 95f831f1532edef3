//! A call from its commit to its answer.

use crate::{Done, Held, Verdict};
use manifold_call::{CallError, Context, Outcome, Uuid};
use std::collections::BTreeMap;
use tokio::sync::oneshot;

/// A call whose documents are committed and whose objects are not there (or gone) yet.
pub(crate) struct Pending<D> {
    pub(crate) cx: Context,
    pub(crate) identity: Option<Uuid>,
    /// Documents put, with what was there before.
    pub(crate) puts: Vec<(Uuid, Option<Held<D>>)>,
    pub(crate) leaves: Vec<Uuid>,
    /// Documents of others, whose objects it waits for.
    pub(crate) awaits: Vec<Uuid>,
    /// Set when the call has failed and is being taken back.
    pub(crate) failed: Option<CallError>,
    pub(crate) replies: Vec<oneshot::Sender<Outcome<Done>>>,
}

/// What a plan came to, in memory; its writes are not committed yet.
pub(crate) struct Effect<D> {
    pub(crate) puts: Vec<(Uuid, Option<Held<D>>)>,
    pub(crate) leaves: Vec<Uuid>,
    pub(crate) awaits: Vec<Uuid>,
}

impl<D> Pending<D> {
    /// The documents whose objects shall be there when it is answered.
    pub(crate) fn wished(&self) -> impl Iterator<Item = Uuid> {
        self.puts.iter().map(|(id, _)| *id).chain(self.awaits.iter().copied())
    }

    pub(crate) fn touches(&self) -> impl Iterator<Item = Uuid> {
        self.puts.iter().map(|(id, _)| *id).chain(self.leaves.iter().copied())
    }
}

pub(crate) fn failures(outcome: Outcome<Vec<Verdict>>, asked: impl Iterator<Item = Uuid>) -> BTreeMap<Uuid, CallError> {
    match outcome {
        Ok(verdicts) => {
            let told: BTreeMap<Uuid, Option<CallError>> = verdicts
                .into_iter()
                .map(|verdict| (verdict.id, verdict.failure))
                .collect();
            asked
                .filter_map(|id| match told.get(&id) {
                    Some(None) => None,
                    Some(Some(failure)) => Some((id, failure.clone())),
                    None => Some((id, CallError::internal(format!("nothing was told of {id}")))),
                })
                .collect()
        }
        Err(error) => asked.map(|id| (id, error.clone())).collect(),
    }
}

pub(crate) fn answer(replies: Vec<oneshot::Sender<Outcome<Done>>>, outcome: Outcome<Done>) {
    for reply in replies {
        // A caller that has gone away finds the result under its key.
        let _gone = reply.send(outcome.clone());
    }
}
