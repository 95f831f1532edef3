//! The suite that every implementation of [`Store`] passes: what the trait promises, each promise by name.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;

use crate::{BODY_BYTES_MAX, Batch, Conflict, Expect, Kind, LeaseChange, Put, Query, Store, StoreError, Write};

const PET: Kind = Kind("suite.pet");
const TREE: Kind = Kind("suite.tree");

/// Runs the whole suite; `make` gives an empty store at each call. Panics at the first promise that is not kept, with
/// its name in the trace.
pub async fn run(make: impl AsyncFn() -> Arc<dyn Store>) {
    revisions_guard_documents(&*make().await).await;
    a_batch_is_all_or_nothing(&*make().await).await;
    lists_are_filtered_and_paged(&*make().await).await;
    indexes_follow_their_documents(&*make().await).await;
    journals_have_one_writer(&*make().await).await;
    the_outbox_tells_and_forgets(&*make().await).await;
    leases_have_one_holder(&*make().await).await;
    of_many_writers_one_wins(make().await).await;
    limits_are_kept(&*make().await).await;
}

fn put(id: &str, expect: Expect, colour: &str) -> Put {
    Put::new(PET, id, expect, json!({ "colour": colour })).index("colour", colour)
}

async fn write(store: &dyn Store, write: impl Into<Write>) -> Result<u64, StoreError> {
    store
        .commit(Batch::new().write(write))
        .await
        .map(|committed| committed.revisions[0])
}

fn assert_revision_conflict(outcome: Result<u64, StoreError>, id: &str, found: Option<u64>) {
    match outcome {
        Err(StoreError::Conflict(Conflict::Revision {
            id: named, found: seen, ..
        })) => {
            assert_eq!(
                (named.as_str(), seen),
                (id, found),
                "the conflict names the object and what is there"
            );
        }
        other => panic!("a conflict over {id} was expected, not {other:?}"),
    }
}

async fn revisions_guard_documents(store: &dyn Store) {
    assert_eq!(store.get(PET, "cat").await.expect("reads"), None);
    assert_eq!(
        write(store, put("cat", Expect::Absent, "grey")).await.expect("is new"),
        1
    );
    assert_revision_conflict(write(store, put("cat", Expect::Absent, "red")).await, "cat", Some(1));
    assert_eq!(
        write(store, put("cat", Expect::Exactly(1), "red"))
            .await
            .expect("is at 1"),
        2
    );
    assert_revision_conflict(
        write(store, put("cat", Expect::Exactly(1), "blue")).await,
        "cat",
        Some(2),
    );
    assert_revision_conflict(write(store, put("dog", Expect::Exactly(1), "blue")).await, "dog", None);
    assert_eq!(write(store, put("cat", Expect::Any, "green")).await.expect("any"), 3);

    let cat = store.get(PET, "cat").await.expect("reads").expect("is there");
    assert_eq!((cat.revision, &cat.body), (3, &json!({ "colour": "green" })));
    assert_eq!(
        write(store, cat.replace(json!({ "colour": "white" })))
            .await
            .expect("is at 3"),
        4
    );
    assert_revision_conflict(write(store, cat.replace(json!({}))).await, "cat", Some(4));
    // The same id in another kind is another document.
    assert_eq!(store.get(TREE, "cat").await.expect("reads"), None);

    assert_revision_conflict(
        write(store, Write::delete(PET, "cat", Expect::Exactly(3))).await,
        "cat",
        Some(4),
    );
    write(store, Write::check(PET, "cat", Expect::Exactly(4)))
        .await
        .expect("is at 4");
    assert_revision_conflict(
        write(store, Write::check(PET, "cat", Expect::Absent)).await,
        "cat",
        Some(4),
    );
    write(store, Write::delete(PET, "cat", Expect::Exactly(4)))
        .await
        .expect("is at 4");
    assert_eq!(store.get(PET, "cat").await.expect("reads"), None);
    write(store, Write::delete(PET, "cat", Expect::Any))
        .await
        .expect("absence is success");
}

async fn a_batch_is_all_or_nothing(store: &dyn Store) {
    write(store, put("there", Expect::Absent, "grey"))
        .await
        .expect("is new");
    let batch = Batch::new()
        .lease(LeaseChange::Acquire {
            name: "l".into(),
            holder: "h".into(),
            now_ms: 0,
            expires_ms: None,
        })
        .write(put("new", Expect::Absent, "red"))
        .delete(PET, "there", Expect::Any)
        .append("s", 1, json!(1))
        .note("t", json!(1))
        .write(put("lost", Expect::Exactly(9), "red"));
    assert!(store.commit(batch).await.is_err());
    assert_eq!(store.get(PET, "new").await.expect("reads"), None);
    assert!(store.get(PET, "there").await.expect("reads").is_some());
    assert!(store.journal("s", 0, 10).await.expect("reads").is_empty());
    assert!(store.outbox_after(0, 10).await.expect("reads").is_empty());
    assert_eq!(store.lease("l").await.expect("reads"), None);
    assert_eq!(
        store
            .count(PET, Query::all().equal("colour", "red"))
            .await
            .expect("counts"),
        0
    );
    // Within a batch, later writes see earlier ones.
    let twice = Batch::new()
        .write(put("twice", Expect::Absent, "a"))
        .write(put("twice", Expect::Exactly(1), "b"));
    assert_eq!(store.commit(twice).await.expect("commits").revisions, [1, 2]);
    assert_eq!(
        store.commit(Batch::new()).await.expect("a barrier"),
        crate::Committed::default()
    );
}

async fn pages(store: &dyn Store, query: Query) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut token = None;
    loop {
        let page = store.list(PET, query.clone().after(token)).await.expect("lists");
        pages.push(page.docs.iter().map(|doc| doc.id.clone()).collect());
        token = page.next;
        if token.is_none() {
            return pages;
        }
    }
}

async fn lists_are_filtered_and_paged(store: &dyn Store) {
    let mut batch = Batch::new();
    for at in 0..10 {
        let (colour, size) = (
            if at % 2 == 0 { "grey" } else { "red" },
            if at < 6 { "small" } else { "tall" },
        );
        let tenant = if at < 5 { "a" } else { "b" };
        let pet = put(&format!("p{at}"), Expect::Absent, colour)
            .index("size", size)
            .tenant(Some(tenant));
        batch = batch.write(pet);
    }
    batch = batch.write(Put::new(TREE, "p0", Expect::Absent, json!({})).index("colour", "grey"));
    store.commit(batch).await.expect("commits");

    let whole = pages(store, Query::all().limit(4)).await;
    assert_eq!(
        whole,
        [
            vec!["p0", "p1", "p2", "p3"],
            vec!["p4", "p5", "p6", "p7"],
            vec!["p8", "p9"]
        ]
    );
    assert_eq!(
        pages(store, Query::all().limit(5)).await.len(),
        2,
        "a full last page is the last"
    );
    let grey = Query::all().equal("colour", "grey").limit(3);
    assert_eq!(pages(store, grey).await, [vec!["p0", "p2", "p4"], vec!["p6", "p8"]]);
    let both = Query::all().equal("colour", "grey").equal("size", "tall");
    assert_eq!(pages(store, both.clone()).await, [vec!["p6", "p8"]]);
    assert_eq!(store.count(PET, both).await.expect("counts"), 2);
    let of_a = Query::all().equal("colour", "red").tenant("a");
    assert_eq!(pages(store, of_a).await, [vec!["p1", "p3"]]);
    assert_eq!(
        pages(store, Query::all().tenant("b")).await,
        [vec!["p5", "p6", "p7", "p8", "p9"]]
    );
    assert_eq!(
        pages(store, Query::all().equal("colour", "blue")).await,
        [Vec::<String>::new()]
    );
    assert_eq!(store.count(PET, Query::all()).await.expect("counts"), 10);
    for bad in ["x", "zz", "ff", "é"] {
        let answer = store.list(PET, Query::all().after(Some(bad.to_owned()))).await;
        assert!(matches!(answer, Err(StoreError::BadPageToken)), "{bad}: {answer:?}");
    }
}

async fn indexes_follow_their_documents(store: &dyn Store) {
    let count = async |colour: &str| {
        store
            .count(PET, Query::all().equal("colour", colour))
            .await
            .expect("counts")
    };
    write(store, put("cat", Expect::Absent, "grey").index("colour", "white"))
        .await
        .expect("is new");
    assert_eq!((count("grey").await, count("white").await), (1, 1));
    write(store, put("cat", Expect::Any, "red")).await.expect("any");
    assert_eq!(
        (count("grey").await, count("white").await, count("red").await),
        (0, 0, 1)
    );
    write(store, Write::delete(PET, "cat", Expect::Any)).await.expect("any");
    assert_eq!(count("red").await, 0);
}

async fn journals_have_one_writer(store: &dyn Store) {
    for seq in 1..=5 {
        store
            .commit(Batch::new().append("s", seq, json!({ "n": seq })))
            .await
            .expect("follows");
    }
    for wrong in [0, 1, 5, 7] {
        match store.commit(Batch::new().append("s", wrong, json!({}))).await {
            Err(StoreError::Conflict(Conflict::Journal { stream, seq, next })) => {
                assert_eq!((stream.as_str(), seq, next), ("s", wrong, 6));
            }
            other => panic!("{wrong}: {other:?}"),
        }
    }
    store
        .commit(Batch::new().append("other", 1, json!({})))
        .await
        .expect("streams are apart");
    let seqs = async |after, limit| {
        let entries = store.journal("s", after, limit).await.expect("reads");
        entries.into_iter().map(|entry| entry.seq).collect::<Vec<_>>()
    };
    assert_eq!(seqs(0, 100).await, [1, 2, 3, 4, 5]);
    assert_eq!(seqs(2, 2).await, [3, 4]);
    let mut forget = Batch::new();
    forget.forget_streams.push("s".to_owned());
    store.commit(forget).await.expect("forgets");
    assert!(seqs(0, 100).await.is_empty());
}

async fn the_outbox_tells_and_forgets(store: &dyn Store) {
    let mut told = store.outbox_watch();
    let start = *told.borrow_and_update();
    let rows = Batch::new().note("a", json!(1)).note("b", json!(2));
    let first = store.commit(rows).await.expect("commits").outbox;
    assert_eq!(first.len(), 2);
    assert!(start < first[0] && first[0] < first[1]);
    told.wait_for(|seq| *seq >= first[1]).await.expect("the store lives");
    let rows = store.outbox_after(start, 10).await.expect("reads");
    assert_eq!(
        rows.iter().map(|row| row.topic.as_str()).collect::<Vec<_>>(),
        ["a", "b"]
    );
    assert_eq!(store.outbox_after(first[0], 10).await.expect("reads").len(), 1);
    assert_eq!(store.outbox_after(start, 1).await.expect("reads")[0].seq, first[0]);
    store.outbox_done(first[1]).await.expect("forgets");
    assert!(store.outbox_after(0, 10).await.expect("reads").is_empty());
    // Numbers are not used twice, even when the table is empty.
    let next = store
        .commit(Batch::new().note("c", json!(3)))
        .await
        .expect("commits")
        .outbox;
    assert!(next[0] > first[1]);
}

async fn leases_have_one_holder(store: &dyn Store) {
    let acquire = async |holder: &str, now_ms, expires_ms| {
        let (name, holder) = ("vnf/1".to_owned(), holder.to_owned());
        store
            .commit(Batch::new().lease(LeaseChange::Acquire {
                name,
                holder,
                now_ms,
                expires_ms,
            }))
            .await
    };
    acquire("a", 100, Some(200)).await.expect("is free");
    let refused = acquire("b", 199, None).await;
    assert!(
        matches!(&refused, Err(StoreError::Conflict(Conflict::Held { name, holder })) if name == "vnf/1" && holder == "a"),
        "{refused:?}"
    );
    acquire("a", 150, Some(300)).await.expect("is renewed by its holder");
    acquire("b", 300, None).await.expect("has expired");
    assert!(
        acquire("a", u64::from(u32::MAX), None).await.is_err(),
        "one without an end does not expire"
    );
    let release = async |holder: &str| {
        let change = LeaseChange::Release {
            name: "vnf/1".to_owned(),
            holder: holder.to_owned(),
        };
        store
            .commit(Batch::new().lease(change))
            .await
            .expect("nothing is wrong with that");
    };
    release("a").await;
    assert_eq!(
        store.lease("vnf/1").await.expect("reads").expect("b holds it").holder,
        "b"
    );
    release("b").await;
    assert_eq!(store.lease("vnf/1").await.expect("reads"), None);
}

async fn of_many_writers_one_wins(store: Arc<dyn Store>) {
    write(&*store, put("cat", Expect::Absent, "grey"))
        .await
        .expect("is new");
    let mut writers = tokio::task::JoinSet::new();
    for at in 0..50 {
        let store = Arc::clone(&store);
        writers.spawn(async move {
            let own = put(&format!("own-{at:02}"), Expect::Absent, "red");
            let raced = put("cat", Expect::Exactly(1), &format!("c{at}"));
            let won = store.commit(Batch::new().write(own).write(raced)).await.is_ok();
            (at, won)
        });
    }
    let winners: BTreeSet<u32> = writers
        .join_all()
        .await
        .into_iter()
        .filter(|(_, won)| *won)
        .map(|(at, _)| at)
        .collect();
    assert_eq!(winners.len(), 1);
    let red = store
        .list(PET, Query::all().equal("colour", "red"))
        .await
        .expect("lists")
        .docs;
    assert_eq!(red.len(), 1, "the losers left nothing");
    assert!(winners.contains(&red[0].id[4..].parse().expect("ends in a number")));
}

async fn limits_are_kept(store: &dyn Store) {
    let large = json!("x".repeat(BODY_BYTES_MAX));
    let answer = write(store, Put::new(PET, "whale", Expect::Any, large)).await;
    match answer {
        Err(StoreError::TooLarge { what, .. }) => assert_eq!(what, "suite.pet whale"),
        other => panic!("{:?}", other.map(|_| ())),
    }
    assert_eq!(store.count(PET, Query::all()).await.expect("counts"), 0);
}
