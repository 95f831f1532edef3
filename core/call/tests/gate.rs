//! What a role-bound handle does: authorises, passes on, holds to the deadline, traces.
#![allow(clippy::unwrap_used)]

use async_trait::async_trait;
use manifold_call::policy::Row;
use manifold_call::{
    CallError, Context, Deadline, ErrorKind, Gate, OccurrenceId, Outcome, Policy, Role, TraceRecord, TraceSource,
    Tracer, Uuid, interface, uuid_id,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

uuid_id! {
    /// A widget.
    pub WidgetId
}

interface! {
    /// Widgets. Producer: VIM.
    pub trait Widgets as BoundWidgets by Vim {
        /// Makes one.
        async fn allocate(ask: WidgetId) -> u32;
        /// Reads some.
        async fn query(ask: Vec<WidgetId>) -> String;
    }
}

interface! {
    /// What widgets are made of. Producer: NFVI.
    pub trait Parts as BoundParts by Nfvi {
        /// Takes one.
        async fn take(ask: ()) -> u32;
    }
}

/// Makes widgets of parts, and counts who got this far.
struct Factory {
    parts: Arc<dyn Parts>,
    reached: AtomicUsize,
}

#[async_trait]
impl Widgets for Factory {
    async fn allocate(&self, cx: &Context, _ask: WidgetId) -> Outcome<u32> {
        self.reached.fetch_add(1, Ordering::SeqCst);
        self.parts.take(cx, ()).await?;
        self.parts.take(cx, ()).await
    }

    async fn query(&self, _cx: &Context, _ask: Vec<WidgetId>) -> Outcome<String> {
        self.reached.fetch_add(1, Ordering::SeqCst);
        std::future::pending().await
    }
}

struct Stock(AtomicUsize);

#[async_trait]
impl Parts for Stock {
    async fn take(&self, _cx: &Context, (): ()) -> Outcome<u32> {
        match self.0.fetch_add(1, Ordering::SeqCst) {
            0 => Ok(1),
            _ => Err(CallError::exhausted("no part is left").cure("order some")),
        }
    }
}

struct Yard {
    factory: Arc<Factory>,
    policy: Arc<Policy>,
    tracer: Tracer,
    source: TraceSource,
}

impl Yard {
    fn new() -> Self {
        let row = |reference_point, consumer, producer, interface, operations| Row {
            reference_point,
            consumer,
            producer,
            interface,
            operations,
        };
        let policy = Arc::new(
            Policy::empty()
                .with(row("Vi-Vnfm", Role::Vnfm, Role::Vim, "Widgets", &["query"]))
                .with(row("Or-Vi", Role::Nfvo, Role::Vim, "*", &["*"]))
                .with(row("Nf-Vi", Role::Vim, Role::Nfvi, "Parts", &["*"])),
        );
        let (tracer, source) = Tracer::new();
        let gate = Gate::new(Role::Vim, Role::Nfvi, "", policy.clone(), tracer.clone());
        let parts = BoundParts::bind(Arc::new(Stock(AtomicUsize::new(0))), gate);
        Self {
            factory: Arc::new(Factory {
                parts,
                reached: AtomicUsize::new(0),
            }),
            policy,
            tracer,
            source,
        }
    }

    fn as_role(&self, consumer: Role) -> Arc<dyn Widgets> {
        let gate = Gate::new(consumer, Role::Vim, "vim-1", self.policy.clone(), self.tracer.clone());
        BoundWidgets::bind(self.factory.clone(), gate)
    }

    fn reached(&self) -> usize {
        self.factory.reached.load(Ordering::SeqCst)
    }

    async fn traced(&mut self, count: usize) -> Vec<TraceRecord> {
        let mut records = Vec::new();
        while records.len() < count {
            records.extend(self.source.take(count - records.len()).await);
        }
        records
    }
}

fn cx() -> Context {
    Context::root("tenant-a".into())
}

/// proves: NFV006-SI-00
#[test]
fn an_interface_knows_its_producer_and_operations_and_no_consumer() {
    assert_eq!(BoundWidgets::INTERFACE, "Widgets");
    assert_eq!(BoundWidgets::OPERATIONS, ["allocate", "query"]);
    assert_eq!(BoundWidgets::PRODUCER, Role::Vim);
    // The same producer, unchanged, serves whichever role a handle is bound to; the role stands in the handle's gate.
    let yard = Yard::new();
    let _handles: [Arc<dyn Widgets>; 2] = [yard.as_role(Role::Nfvo), yard.as_role(Role::Vnfm)];
}

#[tokio::test]
async fn a_refused_call_never_reaches_the_producer_and_is_traced() {
    let mut yard = Yard::new();
    let id = WidgetId::random();
    for role in Role::ALL {
        if role != Role::Nfvo {
            let refused = yard.as_role(role).allocate(&cx(), id).await.unwrap_err();
            assert_eq!(refused.kind, ErrorKind::Forbidden);
            assert!(refused.detail.contains(role.as_str()) && refused.detail.contains("Widgets.allocate"));
        }
    }
    assert_eq!(yard.reached(), 0);
    let records = yard.traced(Role::ALL.len() - 1).await;
    for record in &records {
        assert_eq!(record.failure, Some(ErrorKind::Forbidden));
        assert_eq!(
            (record.reference_point.as_str(), record.subject.as_str()),
            ("none", id.to_string().as_str())
        );
    }
    assert_eq!(yard.tracer.lost(), 0);
}

#[tokio::test]
async fn one_interface_is_offered_to_several_roles_with_different_operations() {
    let yard = Yard::new();
    let late = cx().within(Duration::from_millis(20));
    let refused = yard
        .as_role(Role::Vnfm)
        .allocate(&late, WidgetId::random())
        .await
        .unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Forbidden);
    // Allowed: it reaches the producer, which never answers.
    let queried = yard.as_role(Role::Vnfm).query(&late, vec![]).await.unwrap_err();
    assert_eq!((queried.kind, yard.reached()), (ErrorKind::TimedOut, 1));
}

#[tokio::test]
async fn calls_are_traced_as_a_tree_with_their_outcomes() {
    let mut yard = Yard::new();
    let mut context = cx();
    context.occurrence = Some(OccurrenceId(Uuid::now_v7()));
    let id = WidgetId::random();
    let failed = yard.as_role(Role::Nfvo).allocate(&context, id).await.unwrap_err();
    // The producer's own failure passes through unchanged.
    assert_eq!(failed, CallError::exhausted("no part is left").cure("order some"));
    let mut records = yard.traced(3).await;
    // Recorded when they end, ordered by their beginnings.
    assert_eq!(records[2].operation, "allocate");
    records.sort_by_key(|record| record.sequence);
    let [outer, first, second] = &records[..] else {
        unreachable!("three were taken")
    };
    assert!(records.iter().all(|record| record.trace == context.trace.trace));
    assert!(records.iter().all(|record| record.occurrence == context.occurrence));
    assert_eq!((outer.parent, outer.producer_name.as_str()), (None, "vim-1"));
    assert_eq!((first.parent, second.parent), (Some(outer.call), Some(outer.call)));
    assert_eq!(
        (outer.consumer, outer.producer, outer.reference_point.as_str()),
        (Role::Nfvo, Role::Vim, "Or-Vi")
    );
    assert_eq!((first.consumer, first.reference_point.as_str()), (Role::Vim, "Nf-Vi"));
    assert_eq!(
        (first.failure, second.failure, outer.failure),
        (None, Some(ErrorKind::Exhausted), Some(ErrorKind::Exhausted))
    );
    assert!(outer.start_us <= first.start_us);
}

#[tokio::test]
async fn a_call_ends_at_its_deadline_and_one_that_is_late_already_does_not_begin() {
    let mut yard = Yard::new();
    let handle = yard.as_role(Role::Nfvo);
    let late = handle
        .query(&cx().within(Duration::from_millis(30)), vec![])
        .await
        .unwrap_err();
    assert_eq!((late.kind, yard.reached()), (ErrorKind::TimedOut, 1));
    let mut over = cx();
    over.deadline = Deadline::within(Duration::ZERO);
    let over = handle.query(&over, vec![]).await.unwrap_err();
    assert_eq!((over.kind, yard.reached()), (ErrorKind::TimedOut, 1));
    let records = yard.traced(2).await;
    assert!(records.iter().all(|record| record.failure == Some(ErrorKind::TimedOut)));
}

#[test]
fn an_inner_deadline_is_never_later_than_the_outer_one() {
    let outer = cx().within(Duration::from_secs(1));
    assert_eq!(outer.clone().within(Duration::from_secs(60)).deadline, outer.deadline);
    assert!(outer.clone().within(Duration::from_millis(1)).deadline < outer.deadline);
}

#[tokio::test]
async fn the_subjects_of_many_are_told_in_a_few_words() {
    let mut yard = Yard::new();
    let ids: Vec<WidgetId> = (0..3).map(|_| WidgetId::random()).collect();
    let late = cx().within(Duration::from_millis(10));
    yard.as_role(Role::Nfvo).query(&late, ids.clone()).await.unwrap_err();
    assert_eq!(yard.traced(1).await[0].subject, format!("{} (+2 more)", ids[0]));
}
