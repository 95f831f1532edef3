//! Applying and destroying a lab, against an infrastructure that remembers what it was asked.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use async_trait::async_trait;
use manifold_call::{CallError, Context, ErrorKind, Outcome, TenantId};
use manifold_lab::{Lab, apply, destroy};
use manifold_nfvi_interface::*;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

#[derive(Default)]
struct Remembering {
    there: Mutex<BTreeMap<ObjectId, Wish>>,
    refuses: Mutex<Option<ObjectId>>,
}

#[async_trait]
impl Infrastructure for Remembering {
    async fn ensure(&self, _: &Context, wishes: Vec<Wish>) -> Outcome<Vec<Report>> {
        let refused = *self.refuses.lock().unwrap();
        let mut there = self.there.lock().unwrap();
        let reports = wishes.into_iter().map(|wish| {
            if Some(wish.id) == refused {
                return Report {
                    id: wish.id,
                    failure: Some(CallError::exhausted("no room")),
                    changed: false,
                };
            }
            let changed = there.get(&wish.id) != Some(&wish);
            let id = wish.id;
            there.insert(id, wish);
            Report {
                id,
                failure: None,
                changed,
            }
        });
        Ok(reports.collect())
    }
    async fn remove(&self, _: &Context, ids: Vec<ObjectId>) -> Outcome<Vec<Report>> {
        let mut there = self.there.lock().unwrap();
        let gone = |id: ObjectId, changed| Report {
            id,
            failure: None,
            changed,
        };
        Ok(ids
            .into_iter()
            .map(|id| gone(id, there.remove(&id).is_some()))
            .collect())
    }
    async fn observe(&self, _: &Context, filter: Filter) -> Outcome<Vec<Seen>> {
        let there = self.there.lock().unwrap();
        let seen = there.values().filter(|wish| {
            filter
                .manager
                .as_ref()
                .is_none_or(|manager| *manager == wish.owner.manager)
        });
        let seen = seen.map(|wish| Seen {
            id: wish.id,
            owner: wish.owner.clone(),
            kind: wish.kind.name(),
            place: String::new(),
            machine: None,
        });
        Ok(seen.collect())
    }
    async fn changes(&self, _: &Context, _: Cursor) -> Outcome<Changes> {
        Err(CallError::unsupported("not asked for here"))
    }
    async fn console(&self, _: &Context, _: ConsoleAsk) -> Outcome<String> {
        Err(CallError::unsupported("not asked for here"))
    }
    async fn probe(&self, _: &Context, _: ProbeAsk) -> Outcome<ProbeSeen> {
        Err(CallError::unsupported("not asked for here"))
    }
    async fn capabilities(&self, _: &Context, (): ()) -> Outcome<Capabilities> {
        Err(CallError::unsupported("not asked for here"))
    }
}

#[tokio::test]
async fn a_lab_is_applied_once_changed_by_a_new_file_and_destroyed_alone() {
    let remembering = Arc::new(Remembering::default());
    let infrastructure: Arc<dyn Infrastructure> = remembering.clone();
    let cx = Context::root(TenantId::from("operator"));
    let two = Lab::read(include_str!("../labs/two-sites.toml")).unwrap();
    let one = Lab::read(include_str!("../labs/one-site.toml")).unwrap();

    assert_eq!(apply(&two, &infrastructure, &cx).await.unwrap(), two.wishes.len());
    assert_eq!(
        apply(&two, &infrastructure, &cx).await.unwrap(),
        0,
        "what is so already is left alone"
    );
    apply(&one, &infrastructure, &cx).await.unwrap();

    // The same lab without its access point: the node goes.
    let text = include_str!("../labs/one-site.toml");
    let smaller = Lab::read(&text[..text.find("[[pop.access_point]]").unwrap()]).unwrap();
    apply(&smaller, &infrastructure, &cx).await.unwrap();
    assert_eq!(
        remembering.there.lock().unwrap().len(),
        two.wishes.len() + smaller.wishes.len()
    );

    destroy("one-site", &infrastructure, &cx).await.unwrap();
    assert_eq!(
        remembering.there.lock().unwrap().len(),
        two.wishes.len(),
        "the other lab is untouched"
    );
    destroy("two-sites", &infrastructure, &cx).await.unwrap();
    assert_eq!(
        destroy("two-sites", &infrastructure, &cx).await.unwrap(),
        0,
        "absent is success"
    );
    assert!(remembering.there.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_failure_is_told_with_its_object_and_kind() {
    let remembering = Arc::new(Remembering::default());
    let infrastructure: Arc<dyn Infrastructure> = remembering.clone();
    let cx = Context::root(TenantId::from("operator"));
    let lab = Lab::read(include_str!("../labs/one-site.toml")).unwrap();
    let refused = lab.wishes[2].id;
    *remembering.refuses.lock().unwrap() = Some(refused);
    let error = apply(&lab, &infrastructure, &cx).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Exhausted);
    assert!(
        error.detail.contains(&refused.to_string()) && error.detail.contains("no room"),
        "{error}"
    );
}
