//! Laws over random plans: each effect comes after those it needs; undoing goes back the same way; a crash anywhere
//! changes neither.

#![allow(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

mod toy;

use std::collections::BTreeMap;

use manifold_lcm::State;
use proptest::prelude::*;
use toy::{Fails, LIMIT, Toy, Wish, start, wish};

/// A plan of up to 12 steps, each after some of those before it.
fn plans() -> impl Strategy<Value = Vec<Wish>> {
    proptest::collection::vec(any::<u16>(), 1..12).prop_map(|masks| {
        let name = |at: usize| format!("s{at:02}");
        let steps = masks.iter().enumerate().map(|(at, mask)| {
            let after: Vec<String> = (0..at).filter(|other| mask >> other & 1 == 1).map(name).collect();
            wish(&name(at), &after.iter().map(String::as_str).collect::<Vec<_>>())
        });
        steps.collect()
    })
}

fn position(lines: &[String], line: &str) -> Option<usize> {
    lines.iter().position(|other| other == line)
}

fn block_on(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(work);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn effects_follow_the_plan_and_are_undone_against_it(steps in plans(), failing in any::<prop::sample::Index>()) {
        block_on(async {
            let toy = Toy::new();
            let engine = toy.engine();
            let failing = &steps[failing.index(steps.len())].name;
            toy.knobs.fail(failing, Fails::Permanently, 1);
            let id = engine.start(start("ns.stack", "one", &steps)).await.unwrap();
            assert_eq!(engine.settled(id, LIMIT).await.unwrap().state, State::FailedTemp);
            let lines = toy.world.lines();
            for step in &steps {
                let Some(acted) = position(&lines, &format!("act {}", step.name)) else { continue };
                for before in &step.after {
                    let made = position(&lines, &format!("made {before}"));
                    assert!(made.is_some_and(|made| made < acted), "{} before {before}: {lines:?}", step.name);
                }
            }
            engine.rollback(id).await.unwrap();
            assert_eq!(engine.settled(id, LIMIT).await.unwrap().state, State::RolledBack);
            assert!(toy.world.names().is_empty());
            let lines = toy.world.lines();
            for step in &steps {
                let Some(undone) = position(&lines, &format!("undo {}", step.name)) else { continue };
                for before in &step.after {
                    let earlier = position(&lines, &format!("undo {before}"));
                    assert!(earlier.is_some_and(|earlier| earlier > undone), "{} and {before}: {lines:?}", step.name);
                }
            }
        });
    }

    /// Crashes at random moments, until it is done: each step has acted with one identity, and everything is there once.
    #[test]
    fn crashes_at_any_moment_lose_nothing_and_make_nothing_twice(
        steps in plans(),
        moments in proptest::collection::vec(0usize..30, 0..5),
    ) {
        block_on(async {
            let toy = Toy::new();
            let mut engine = toy.engine();
            let id = engine.start(start("ns.stack", "one", &steps)).await.unwrap();
            for moment in moments {
                for _ in 0..moment {
                    tokio::task::yield_now().await;
                }
                engine.crash().await;
                engine = toy.engine();
                let recovered = engine.recover().await.unwrap();
                assert!(recovered.parked.is_empty(), "{recovered:?}");
            }
            assert_eq!(engine.settled(id, LIMIT).await.unwrap().state, State::Completed);
            let mut counts = BTreeMap::new();
            for name in toy.world.names() {
                *counts.entry(name).or_insert(0) += 1;
            }
            let expected: BTreeMap<String, i32> = steps.iter().map(|step| (step.name.clone(), 1)).collect();
            assert_eq!(counts, expected);
        });
    }
}
