//! An infrastructure that keeps what it is asked for.

use async_trait::async_trait;
use manifold_call::{CallError, Context, Outcome};
use manifold_nfvi_interface::*;
use std::collections::BTreeMap;
use std::sync::Mutex;

#[derive(Default)]
pub struct Remembering {
    kept: Mutex<BTreeMap<ObjectId, Wish>>,
}

fn report(id: ObjectId) -> Report {
    Report {
        id,
        failure: None,
        changed: true,
    }
}

#[async_trait]
impl Infrastructure for Remembering {
    async fn ensure(&self, _: &Context, wishes: Vec<Wish>) -> Outcome<Vec<Report>> {
        let reports = wishes.iter().map(|wish| report(wish.id)).collect();
        let wishes = wishes.into_iter().map(|wish| (wish.id, wish));
        self.kept.lock().unwrap().extend(wishes);
        Ok(reports)
    }

    async fn remove(&self, _: &Context, ids: Vec<ObjectId>) -> Outcome<Vec<Report>> {
        self.kept.lock().unwrap().retain(|id, _| !ids.contains(id));
        Ok(ids.into_iter().map(report).collect())
    }

    async fn observe(&self, _: &Context, filter: Filter) -> Outcome<Vec<Seen>> {
        let kept = self.kept.lock().unwrap();
        let of = |wish: &&Wish| filter.manager.as_ref().is_none_or(|name| *name == wish.owner.manager);
        let seen = kept.values().filter(of).map(|wish| Seen {
            id: wish.id,
            owner: wish.owner.clone(),
            kind: wish.kind.name(),
            place: String::new(),
            machine: None,
        });
        Ok(seen.collect())
    }

    /// Nothing changes unasked.
    async fn changes(&self, cx: &Context, since: Cursor) -> Outcome<Changes> {
        tokio::time::timeout(cx.deadline.remaining(), std::future::pending::<()>())
            .await
            .ok();
        Ok(Changes {
            cursor: since,
            ids: vec![],
            lost: false,
        })
    }

    async fn console(&self, _: &Context, _: ConsoleAsk) -> Outcome<String> {
        Err(CallError::unsupported("there are no machines here"))
    }

    async fn probe(&self, _: &Context, _: ProbeAsk) -> Outcome<ProbeSeen> {
        Err(CallError::unsupported("nothing moves here"))
    }

    async fn capabilities(&self, _: &Context, (): ()) -> Outcome<Capabilities> {
        Err(CallError::unsupported("nobody asks"))
    }
}
