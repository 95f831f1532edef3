//! What the engine promises, over a toy world: states, tasks, notifications, waits, cancellations, recovery, economy.

#![allow(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

mod toy;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use manifold_call::OccurrenceId;
use manifold_lcm::{
    CancelMode, Engine, EngineError, LcmNotification, Machine, NotificationStatus, OCCURRENCE, OccurrenceFilter,
    OnFailure, Start, State, StepState, Task,
};
use manifold_store::{Batch, Expect, Put, Store, Write};
use serde_json::json;
use toy::{Fails, LIMIT, THING, Toy, Wish, start, until, wish};
use uuid::Uuid;

fn chain() -> Vec<Wish> {
    let grant = Wish {
        preparation: true,
        ..wish("grant", &[])
    };
    vec![
        grant,
        wish("a", &["grant"]),
        wish("b", &["a"]),
        wish("c", &["b"]),
        wish("d", &["c"]),
    ]
}

async fn settled(engine: &Engine, id: OccurrenceId) -> State {
    engine.settled(id, LIMIT).await.unwrap().state
}

/// (state, status) of every notification of the occurrence.
async fn notified(toy: &Toy, id: OccurrenceId) -> Vec<(State, NotificationStatus)> {
    let rows = toy.store.outbox_after(0, 1_000).await.unwrap();
    let notes = rows
        .into_iter()
        .map(|row| serde_json::from_value::<LcmNotification>(row.body).unwrap());
    notes
        .filter(|note| note.occurrence == id)
        .map(|note| (note.state, note.status))
        .collect()
}

async fn run(engine: &Engine, start: Start) -> (OccurrenceId, State) {
    let id = engine.start(start).await.unwrap();
    (id, settled(engine, id).await)
}

#[tokio::test]
async fn a_vnf_operation_goes_through_starting_and_tells_of_each_state() {
    use NotificationStatus::{Result, Start};
    let toy = Toy::new();
    let engine = toy.engine();
    let (id, state) = run(&engine, start("vnf.stack", "one", &chain())).await;
    assert_eq!(state, State::Completed);
    assert_eq!(toy.world.names(), ["a", "b", "c", "d", "grant"]);
    assert_eq!(
        notified(&toy, id).await,
        [
            (State::Starting, Start),
            (State::Processing, Start),
            (State::Completed, Result)
        ]
    );
    let thing = toy.store.get(THING, "one").await.unwrap().unwrap();
    assert_eq!(thing.body["boxes"].as_array().unwrap().len(), 5);
    let occurrence = engine.occurrence(id).await.unwrap();
    assert_eq!(occurrence.summary, json!({ "made": 5 }));
    assert_eq!(occurrence.error, None);
}

#[tokio::test]
async fn an_operation_without_preparation_begins_in_processing() {
    let toy = Toy::new();
    let engine = toy.engine();
    for operation in ["vnf.stack", "ns.stack", "resource.stack"] {
        let (id, state) = run(&engine, start(operation, "one", &[wish("a", &[])])).await;
        assert_eq!(state, State::Completed);
        assert_eq!(notified(&toy, id).await[0].0, State::Processing);
    }
}

#[tokio::test]
async fn a_chain_of_five_steps_costs_six_commits_and_a_wide_plan_four() {
    let toy = Toy::new();
    let engine = toy.engine();
    run(&engine, start("vnf.stack", "one", &chain())).await;
    // The start, four results that are the next step's intent, the end.
    assert_eq!(engine.metrics().commits_total.load(Ordering::Relaxed), 6);

    let gated = |name: &str| Wish {
        gate: Some("all".to_owned()),
        ..wish(name, &["grant"])
    };
    let grant = Wish {
        preparation: true,
        ..wish("grant", &[])
    };
    let wide: Vec<Wish> = std::iter::once(grant)
        .chain((0..20).map(|at| gated(&format!("m{at:02}"))))
        .collect();
    let id = engine.start(start("vnf.stack", "two", &wide)).await.unwrap();
    until("all are at work", || toy.world.at_work.lock().unwrap().0 == 20).await;
    assert_eq!(engine.metrics().commits_total.load(Ordering::Relaxed), 8);
    toy.knobs.open("all");
    assert_eq!(settled(&engine, id).await, State::Completed);
}

#[tokio::test]
async fn steps_run_side_by_side_where_the_plan_allows_and_never_more_than_the_bound() {
    let toy = Toy::new();
    let engine = toy.engine();
    let wide: Vec<Wish> = (0..50)
        .map(|at| Wish {
            gate: Some("all".to_owned()),
            ..wish(&format!("m{at:02}"), &[])
        })
        .collect();
    let id = engine.start(start("ns.stack", "one", &wide)).await.unwrap();
    until("as many as may be are at work", || {
        toy.world.at_work.lock().unwrap().0 == 32
    })
    .await;
    toy.knobs.open("all");
    assert_eq!(settled(&engine, id).await, State::Completed);
    assert_eq!(toy.world.at_work.lock().unwrap().1, 32);
    assert_eq!(toy.world.names().len(), 50);
}

#[tokio::test]
async fn one_operation_at_a_time_for_each_subject_until_it_has_ended() {
    let toy = Toy::new();
    let engine = toy.engine();
    let steps = [wish("a", &[])];
    toy.knobs.fail("a", Fails::Permanently, 1);
    let (first, state) = run(&engine, start("vnf.stack", "one", &steps)).await;
    assert_eq!(state, State::FailedTemp);
    // FAILED_TEMP is not an end: the subject stays busy, and the refusal names the holder.
    match engine.start(start("ns.stack", "one", &steps)).await {
        Err(EngineError::Busy { holder, .. }) => assert_eq!(holder, first),
        other => panic!("{other:?}"),
    }
    assert_eq!(run(&engine, start("ns.stack", "two", &steps)).await.1, State::Completed);
    assert_eq!(engine.fail(first).await.unwrap().state, State::Failed);
    assert_eq!(run(&engine, start("ns.stack", "one", &steps)).await.1, State::Completed);
}

#[tokio::test]
async fn the_same_key_gives_the_first_occurrence_and_another_wish_is_refused() {
    let toy = Toy::new();
    let engine = toy.engine();
    let key = Uuid::from_u128(7);
    let keyed = |subject: &str| Start {
        idempotency_key: Some(key),
        ..start("ns.stack", subject, &[wish("a", &[])])
    };
    let (first, second) = tokio::join!(engine.start(keyed("one")), engine.start(keyed("one")));
    let first = first.unwrap();
    assert_eq!(second.unwrap(), first);
    assert_eq!(settled(&engine, first).await, State::Completed);
    assert_eq!(engine.start(keyed("one")).await.unwrap(), first);
    assert_eq!(toy.world.names(), ["a"]);
    assert!(matches!(engine.start(keyed("two")).await, Err(EngineError::KeyReused { first: f }) if f == first));
}

#[tokio::test]
async fn a_start_whose_documents_have_changed_leaves_nothing() {
    let toy = Toy::new();
    let engine = toy.engine();
    let stale = start("ns.stack", "one", &[wish("a", &[])]).write(Write::check(THING, "one", Expect::Exactly(3)));
    assert!(matches!(engine.start(stale).await, Err(EngineError::Stale(_))));
    assert!(
        engine
            .occurrences(OccurrenceFilter::default())
            .await
            .unwrap()
            .occurrences
            .is_empty()
    );
    assert_eq!(
        run(&engine, start("ns.stack", "one", &[wish("a", &[])])).await.1,
        State::Completed
    );
}

/// Brings an occurrence into a state, and tells how to let it end.
async fn bring(toy: &Toy, engine: &Engine, operation: &str, state: State) -> OccurrenceId {
    let gate = Some("bring".to_owned());
    let steps = match state {
        State::Starting => vec![Wish {
            preparation: true,
            gate,
            ..wish("a", &[])
        }],
        State::Processing => vec![Wish { gate, ..wish("a", &[]) }],
        _ => vec![wish("a", &[]), wish("b", &["a"])],
    };
    match state {
        State::FailedTemp | State::Failed | State::RolledBack | State::RollingBack | State::PartiallyCompleted => {
            toy.knobs.fail("b", Fails::Permanently, 1);
        }
        _ => {}
    }
    let id = engine.start(start(operation, "subject", &steps)).await.unwrap();
    match state {
        State::Starting | State::Processing => {
            until("it is at work", || toy.world.at_work.lock().unwrap().0 == 1).await;
        }
        State::Completed => assert_eq!(settled(engine, id).await, State::Completed),
        _ => {
            assert_eq!(settled(engine, id).await, State::FailedTemp);
            match state {
                State::Failed => drop(engine.fail(id).await.unwrap()),
                State::RolledBack => engine.rollback(id).await.unwrap(),
                State::PartiallyCompleted => engine.continue_(id).await.unwrap(),
                _ => {}
            }
            assert!(!engine.settled(id, LIMIT).await.unwrap().state.is_running());
        }
    }
    assert_eq!(engine.occurrence(id).await.unwrap().state, state);
    id
}

/// Every machine, state and task (the running states that a test can hold still): allowed or refused with the right
/// error, and a refusal changes nothing.
#[tokio::test]
async fn each_task_is_allowed_or_refused_in_each_state() {
    for (machine, operation) in [(Machine::Vnf, "vnf.stack"), (Machine::Ns, "ns.stack")] {
        for state in State::ALL
            .into_iter()
            .filter(|state| machine.has(*state) && *state != State::RollingBack)
        {
            for task in Task::ALL {
                let toy = Toy::new();
                let engine = toy.engine();
                let id = bring(&toy, &engine, operation, state).await;
                let answer = match task {
                    Task::Retry => engine.retry(id).await,
                    Task::Rollback => engine.rollback(id).await,
                    Task::Continue => engine.continue_(id).await,
                    Task::Fail => engine.fail(id).await.map(|_| ()),
                    Task::Cancel => engine.cancel(id, CancelMode::Forceful).await,
                };
                let case = format!("{machine:?} {state} {task}: {answer:?}");
                if !machine.knows(task) {
                    assert!(matches!(answer, Err(EngineError::NotSupported { .. })), "{case}");
                } else if machine.allows(state, task) {
                    assert!(answer.is_ok(), "{case}");
                } else {
                    assert!(
                        matches!(answer, Err(EngineError::WrongState { state: s, .. }) if s == state),
                        "{case}"
                    );
                }
                if answer.is_err() {
                    assert_eq!(engine.occurrence(id).await.unwrap().state, state, "{case}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_task_that_the_operation_lacks_is_refused_before_its_state_is_looked_at() {
    let toy = Toy::new();
    let engine = toy.engine();
    let (id, _) = run(&engine, start("resource.stack", "one", &[wish("a", &[])])).await;
    assert!(matches!(
        engine.rollback(id).await,
        Err(EngineError::NotSupported {
            task: Task::Rollback,
            ..
        })
    ));
    assert!(matches!(engine.retry(id).await, Err(EngineError::WrongState { .. })));
    let nobody = OccurrenceId(Uuid::nil());
    assert!(matches!(engine.retry(nobody).await, Err(EngineError::NotFound(_))));
    assert!(matches!(
        engine.cancel(nobody, CancelMode::Graceful).await,
        Err(EngineError::NotFound(_))
    ));
}

#[tokio::test]
async fn of_two_tasks_at_once_one_wins_and_the_other_meets_the_wrong_state() {
    let toy = Toy::new();
    let engine = toy.engine();
    let id = bring(&toy, &engine, "ns.stack", State::FailedTemp).await;
    let (retry, rollback) = tokio::join!(engine.retry(id), engine.rollback(id));
    assert!(retry.is_ok() != rollback.is_ok(), "{retry:?} {rollback:?}");
    for lost in [retry, rollback].into_iter().filter_map(Result::err) {
        assert!(matches!(lost, EngineError::WrongState { .. }), "{lost:?}");
    }
    let state = settled(&engine, id).await;
    assert!(matches!(state, State::Completed | State::RolledBack), "{state}");
}

#[tokio::test]
async fn a_failure_while_starting_ends_rolled_back_and_gives_the_grant_back() {
    let toy = Toy::new();
    let engine = toy.engine();
    let prepares = |name: &str, after: &[&str]| Wish {
        preparation: true,
        ..wish(name, after)
    };
    toy.knobs.fail("image", Fails::Permanently, 1);
    let steps = [
        prepares("grant", &[]),
        prepares("image", &["grant"]),
        wish("a", &["image"]),
    ];
    let (id, state) = run(&engine, start("vnf.stack", "one", &steps)).await;
    assert_eq!(state, State::RolledBack);
    assert_eq!(toy.world.names(), Vec::<String>::new());
    let states: Vec<State> = notified(&toy, id).await.into_iter().map(|(state, _)| state).collect();
    assert_eq!(states, [State::Starting, State::RolledBack]);
    let error = engine.occurrence(id).await.unwrap().error.unwrap();
    assert_eq!(
        (error.step.as_deref(), error.detail.as_str()),
        (Some("image"), "no box is left")
    );
    // The subject is free again.
    assert_eq!(
        run(&engine, start("vnf.stack", "one", &chain())).await.1,
        State::Completed
    );
}

#[tokio::test]
async fn retry_goes_on_from_the_failed_step_and_makes_nothing_twice() {
    let toy = Toy::new();
    let engine = toy.engine();
    toy.knobs.fail("b", Fails::Permanently, 1);
    let (id, state) = run(&engine, start("ns.stack", "one", &chain())).await;
    assert_eq!(state, State::FailedTemp);
    assert_eq!(engine.view(id).await.unwrap().steps[2].state, StepState::Failed);
    engine.retry(id).await.unwrap();
    assert_eq!(settled(&engine, id).await, State::Completed);
    let acts = toy.world.lines().into_iter().filter(|line| line == "act a").count();
    assert_eq!(acts, 1);
    assert_eq!(engine.occurrence(id).await.unwrap().error, None);
}

#[tokio::test]
async fn rollback_undoes_backwards_and_a_retry_after_a_broken_one_makes_other_things() {
    let toy = Toy::new();
    let engine = toy.engine();
    toy.knobs.fail("d", Fails::Permanently, 1);
    toy.knobs.fail("a", Fails::Undoing, 1);
    let (id, _) = run(&engine, start("ns.stack", "one", &chain())).await;
    let first: Vec<Uuid> = toy.world.boxes.lock().unwrap().keys().copied().collect();
    engine.rollback(id).await.unwrap();
    assert_eq!(settled(&engine, id).await, State::FailedTemp);
    assert_eq!(toy.world.names(), ["a", "grant"]);
    engine.retry(id).await.unwrap();
    assert_eq!(settled(&engine, id).await, State::Completed);
    assert_eq!(toy.world.names(), ["a", "b", "c", "d", "grant"]);
    // What was undone came back with another identity, what was not kept its own.
    let kept = toy
        .world
        .boxes
        .lock()
        .unwrap()
        .keys()
        .filter(|id| first.contains(id))
        .count();
    assert_eq!(kept, 2);
}

#[tokio::test]
async fn a_broken_undo_does_not_keep_other_branches_and_is_told() {
    let toy = Toy::new();
    let engine = toy.engine();
    let steps = [
        wish("root", &[]),
        wish("left", &["root"]),
        wish("right", &["root"]),
        wish("end", &["left", "right"]),
    ];
    toy.knobs.fail("end", Fails::Permanently, 1);
    toy.knobs.fail("left", Fails::Undoing, 1);
    let (id, _) = run(&engine, start("ns.stack", "one", &steps)).await;
    engine.rollback(id).await.unwrap();
    assert_eq!(settled(&engine, id).await, State::FailedTemp);
    // The root stays under what stands on it.
    assert_eq!(toy.world.names(), ["left", "root"]);
    let view = engine.view(id).await.unwrap();
    assert_eq!(view.occurrence.error.unwrap().detail, "left is stuck");
    assert_eq!(view.steps[1].state, StepState::UndoFailed);
    engine.rollback(id).await.unwrap();
    assert_eq!(settled(&engine, id).await, State::RolledBack);
    assert!(toy.world.names().is_empty());
}

#[tokio::test]
async fn on_failure_rollback_passes_through_failed_temp_by_itself() {
    let toy = Toy::new();
    let engine = toy.engine();
    toy.knobs.fail("c", Fails::Permanently, 1);
    let asked = start("vnf.stack", "one", &chain()).on_failure(OnFailure::Rollback);
    let (id, state) = run(&engine, asked).await;
    assert_eq!(state, State::RolledBack);
    assert!(toy.world.names().is_empty());
    let states: Vec<State> = notified(&toy, id).await.into_iter().map(|(state, _)| state).collect();
    assert_eq!(
        states,
        [
            State::Starting,
            State::Processing,
            State::FailedTemp,
            State::RollingBack,
            State::RolledBack
        ]
    );
}

#[tokio::test]
async fn continue_skips_what_failed_and_what_needs_it_and_ends_partially_completed() {
    let toy = Toy::new();
    let engine = toy.engine();
    let steps = [
        wish("a", &[]),
        wish("b", &["a"]),
        wish("needs-b", &["b"]),
        wish("needs-a", &["a"]),
        Wish {
            despite_failures: true,
            ..wish("last", &["needs-a", "needs-b"])
        },
    ];
    toy.knobs.fail("b", Fails::Permanently, 1);
    let (id, _) = run(&engine, start("ns.stack", "one", &steps)).await;
    engine.continue_(id).await.unwrap();
    assert_eq!(settled(&engine, id).await, State::PartiallyCompleted);
    assert_eq!(toy.world.names(), ["a", "last", "needs-a"]);
    let view = engine.view(id).await.unwrap();
    assert_eq!(
        (view.steps[1].state, view.steps[2].state),
        (StepState::Skipped, StepState::Skipped)
    );
}

#[tokio::test]
async fn a_fatal_failure_ends_failed_with_what_is_left_written_down() {
    let toy = Toy::new();
    let engine = toy.engine();
    toy.knobs.fail("b", Fails::Fatally, 1);
    let (_, state) = run(&engine, start("vnf.stack", "one", &chain())).await;
    assert_eq!(state, State::Failed);
    let thing = toy.store.get(THING, "one").await.unwrap().unwrap();
    assert_eq!(thing.body, json!({ "abandoned": ["a", "grant"] }));
}

#[tokio::test]
async fn transient_failures_are_repeated_and_a_panic_is_a_failure_of_its_step_alone() {
    let toy = Toy::new();
    let engine = toy.engine();
    toy.knobs.fail("a", Fails::Transiently, 2);
    let (id, state) = run(&engine, start("ns.stack", "one", &chain())).await;
    assert_eq!(state, State::Completed);
    assert_eq!(engine.view(id).await.unwrap().steps[1].attempts, 3);

    toy.knobs.fail("a", Fails::Panicking, 1);
    let (id, state) = run(&engine, start("ns.stack", "two", &chain())).await;
    assert_eq!(state, State::FailedTemp);
    assert_eq!(
        engine.occurrence(id).await.unwrap().error.unwrap().detail,
        "step a panicked"
    );
    engine.retry(id).await.unwrap();
    assert_eq!(settled(&engine, id).await, State::Completed);
}

#[tokio::test]
async fn a_graceful_cancellation_waits_for_what_runs_and_begins_nothing() {
    let toy = Toy::new();
    let engine = toy.engine();
    let steps = [
        Wish {
            gate: Some("g".to_owned()),
            ..wish("a", &[])
        },
        wish("b", &["a"]),
    ];
    let id = engine.start(start("ns.stack", "one", &steps)).await.unwrap();
    until("a is at work", || toy.world.at_work.lock().unwrap().0 == 1).await;
    engine.cancel(id, CancelMode::Graceful).await.unwrap();
    let pending = engine.occurrence(id).await.unwrap();
    assert_eq!(
        (pending.state, pending.cancel),
        (State::Processing, Some(CancelMode::Graceful))
    );
    toy.knobs.open("g");
    assert_eq!(settled(&engine, id).await, State::FailedTemp);
    assert_eq!(toy.world.names(), ["a"]);
    assert!(!engine.occurrence(id).await.unwrap().is_cancel_pending());
    engine.retry(id).await.unwrap();
    assert_eq!(settled(&engine, id).await, State::Completed);
}

#[tokio::test]
async fn a_forceful_cancellation_breaks_off_what_runs_and_the_truth_is_found_later() {
    let toy = Toy::new();
    let engine = toy.engine();
    let steps = [
        wish("a", &[]),
        Wish {
            gate: Some("never".to_owned()),
            ..wish("b", &["a"])
        },
    ];
    let id = engine.start(start("ns.stack", "one", &steps)).await.unwrap();
    until("b is at work", || toy.world.lines().contains(&"act b".to_owned())).await;
    engine.cancel(id, CancelMode::Forceful).await.unwrap();
    assert_eq!(settled(&engine, id).await, State::FailedTemp);
    assert_eq!(toy.world.at_work.lock().unwrap().0, 0);
    toy.knobs.open("never");
    engine.retry(id).await.unwrap();
    assert_eq!(settled(&engine, id).await, State::Completed);
    assert!(toy.world.lines().contains(&"find b".to_owned()));
}

#[tokio::test]
async fn a_cancellation_while_starting_ends_rolled_back_in_both_modes() {
    for mode in [CancelMode::Graceful, CancelMode::Forceful] {
        let toy = Toy::new();
        let engine = toy.engine();
        let gate = Some("g".to_owned());
        let steps = [
            Wish {
                preparation: true,
                gate,
                ..wish("grant", &[])
            },
            wish("a", &["grant"]),
        ];
        let id = engine.start(start("vnf.stack", "one", &steps)).await.unwrap();
        until("the grant is asked for", || toy.world.at_work.lock().unwrap().0 == 1).await;
        engine.cancel(id, mode).await.unwrap();
        if mode == CancelMode::Graceful {
            assert_eq!(engine.occurrence(id).await.unwrap().state, State::Starting);
            toy.knobs.open("g");
        }
        assert_eq!(settled(&engine, id).await, State::RolledBack);
        assert!(toy.world.names().is_empty());
    }
}

#[tokio::test]
async fn a_signal_wakes_a_waiting_step_and_none_is_lost() {
    let toy = Toy::new();
    let engine = toy.engine();
    let steps = [Wish {
        waits: true,
        ..wish("a", &[])
    }];
    let id = engine.start(start("ns.stack", "one", &steps)).await.unwrap();
    until("it waits", || toy.world.lines().contains(&"find a".to_owned())).await;
    let view = engine.view(id).await.unwrap();
    assert_eq!(view.steps[0].state, StepState::Pending);
    let event = view.steps[0].waiting_for.clone().unwrap();
    let made = *toy.world.boxes.lock().unwrap().keys().next().unwrap();
    toy.knobs.ready.lock().unwrap().insert(made, true);
    engine.signal("another");
    engine.signal(&event);
    assert_eq!(settled(&engine, id).await, State::Completed);
    assert_eq!(engine.metrics().missed_signals_total.load(Ordering::Relaxed), 0);

    // The event comes before anybody waits for it, a hundred times.
    *toy.knobs.ready_at_once.lock().unwrap() = true;
    let many: Vec<Wish> = (0..100)
        .map(|at| Wish {
            waits: true,
            ..wish(&format!("m{at}"), &[])
        })
        .collect();
    let id = engine.start(start("ns.stack", "two", &many)).await.unwrap();
    assert_eq!(settled(&engine, id).await, State::Completed);
    assert_eq!(
        engine.metrics().missed_signals_total.load(Ordering::Relaxed),
        0,
        "a signal was lost"
    );
}

#[tokio::test]
async fn a_wait_that_never_ends_fails_as_timed_out() {
    let toy = Toy::new();
    let engine = toy.engine();
    let steps = [Wish {
        waits: true,
        wait_ms: Some(20),
        ..wish("a", &[])
    }];
    let (id, state) = run(&engine, start("ns.stack", "one", &steps)).await;
    assert_eq!(state, State::FailedTemp);
    let error = engine.occurrence(id).await.unwrap().error.unwrap();
    assert_eq!(error.kind, manifold_call::ErrorKind::TimedOut);
}

#[tokio::test]
async fn shutdown_leaves_what_waits_and_what_hangs_to_the_next_engine() {
    let toy = Toy::new();
    let engine = toy.engine();
    let waits = engine
        .start(start(
            "ns.stack",
            "one",
            &[Wish {
                waits: true,
                ..wish("a", &[])
            }],
        ))
        .await
        .unwrap();
    let gate = Some("g".to_owned());
    let hangs = engine
        .start(start("ns.stack", "two", &[Wish { gate, ..wish("b", &[]) }]))
        .await
        .unwrap();
    until("both are under way", || {
        toy.world.lines().contains(&"find a".to_owned()) && toy.world.lines().contains(&"act b".to_owned())
    })
    .await;
    let stopped = engine.shutdown(Duration::from_millis(500)).await;
    assert_eq!((stopped.rested, stopped.broken_off), (1, 1));
    assert!(matches!(
        engine.start(start("ns.stack", "x", &[])).await,
        Err(EngineError::Stopping)
    ));

    let engine = toy.engine();
    toy.knobs.open("g");
    let mut resumed = engine.recover().await.unwrap().resumed;
    resumed.sort();
    let mut expected = vec![waits, hangs];
    expected.sort();
    assert_eq!(resumed, expected);
    assert_eq!(settled(&engine, hangs).await, State::Completed);
    let made = *toy
        .world
        .boxes
        .lock()
        .unwrap()
        .iter()
        .find(|(_, name)| *name == "a")
        .unwrap()
        .0;
    toy.knobs.ready.lock().unwrap().insert(made, true);
    engine.signal(&format!("box/{made}"));
    assert_eq!(settled(&engine, waits).await, State::Completed);
}

#[tokio::test]
async fn an_unknown_operation_or_version_or_form_is_parked_and_hurts_no_other() {
    let toy = Toy::new();
    let engine = toy.engine();
    let gate = || Some("g".to_owned());
    let mut ids = BTreeMap::new();
    for name in ["kind", "version", "form", "broken", "plan", "good"] {
        let steps = [Wish {
            gate: gate(),
            ..wish("a", &[])
        }];
        ids.insert(name, engine.start(start("ns.stack", name, &steps)).await.unwrap());
    }
    engine.crash().await;
    for (name, id) in &ids {
        let doc = toy.store.get(OCCURRENCE, &id.to_string()).await.unwrap().unwrap();
        let mut body = doc.body.clone();
        match *name {
            "kind" => body["operation"] = json!("ns.unheard"),
            "version" => body["version"] = json!(2),
            "form" => body["format"] = json!(2),
            "broken" => body["state"] = json!("DREAMING"),
            "plan" => body["steps"] = json!(["a", "b"]),
            _ => continue,
        }
        let put: Put = doc.replace(body).index("open", "yes").index("subject", *name);
        toy.store.commit(Batch::new().write(put)).await.unwrap();
    }
    toy.knobs.open("g");
    let engine = toy.engine();
    let recovered = engine.recover().await.unwrap();
    assert_eq!(recovered.resumed, [ids["good"]]);
    let reasons: BTreeMap<String, String> = recovered
        .parked
        .into_iter()
        .map(|parked| (parked.occurrence, parked.reason))
        .collect();
    let reason = |name: &str| reasons[&ids[name].to_string()].as_str();
    assert_eq!(reason("kind"), "this program does not know ns.unheard version 1");
    assert_eq!(reason("version"), "this program does not know ns.stack version 2");
    assert_eq!(reason("form"), "it has form 2, and this program knows form 1");
    assert!(reason("broken").contains("DREAMING"), "{}", reason("broken"));
    assert_eq!(reason("plan"), "this program plans other steps for ns.stack");
    assert_eq!(settled(&engine, ids["good"]).await, State::Completed);

    assert!(engine.occurrence(ids["kind"]).await.unwrap().parked.is_some());
    let refused = engine.cancel(ids["version"], CancelMode::Forceful).await;
    assert!(matches!(refused, Err(EngineError::Parked { .. })), "{refused:?}");
    // The subject of a parked occurrence stays busy.
    assert!(matches!(
        engine.start(start("ns.stack", "kind", &[])).await,
        Err(EngineError::Busy { .. })
    ));
}

#[tokio::test]
async fn a_journal_entry_of_a_newer_form_parks_the_occurrence() {
    let toy = Toy::new();
    let engine = toy.engine();
    toy.knobs.fail("b", Fails::Permanently, 1);
    let (id, _) = run(&engine, start("ns.stack", "one", &chain())).await;
    engine.crash().await;
    let stream = format!("lcm/{id}");
    let last = toy.store.journal(&stream, 0, 100).await.unwrap().last().unwrap().seq;
    let newer = json!({ "format": 9, "wonders": [] });
    toy.store
        .commit(Batch::new().append(&stream, last + 1, newer))
        .await
        .unwrap();
    let engine = toy.engine();
    let recovered = engine.recover().await.unwrap();
    assert_eq!(recovered.parked.len(), 1);
    assert!(matches!(engine.retry(id).await, Err(EngineError::Parked { .. })));
}

#[tokio::test]
async fn a_watch_shows_the_way_to_the_end_and_then_closes() {
    let toy = Toy::new();
    let engine = toy.engine();
    let steps = [
        Wish {
            gate: Some("g".to_owned()),
            ..wish("a", &[])
        },
        wish("b", &["a"]),
    ];
    let id = engine.start(start("ns.stack", "one", &steps)).await.unwrap();
    let mut watched = engine.watch(id).await.unwrap();
    assert_eq!(watched.borrow_and_update().steps[0].state, StepState::Running);
    toy.knobs.open("g");
    let mut seen = Vec::new();
    while watched.changed().await.is_ok() {
        let view = watched.borrow_and_update().clone();
        seen.push((
            view.occurrence.state,
            view.steps.iter().filter(|step| step.state == StepState::Done).count(),
        ));
    }
    assert_eq!(seen.last(), Some(&(State::Completed, 2)), "{seen:?}");
    assert!(seen.is_sorted_by_key(|(_, done)| *done), "{seen:?}");
}

#[tokio::test]
async fn occurrences_are_found_by_subject_state_operation_and_tenant() {
    let toy = Toy::new();
    let engine = toy.engine();
    toy.knobs.fail("z", Fails::Permanently, 1);
    let (failed, _) = run(&engine, start("ns.stack", "one", &[wish("z", &[])])).await;
    run(&engine, start("vnf.stack", "two", &[wish("a", &[])])).await;
    let find = async |filter: OccurrenceFilter| {
        let page = engine.occurrences(filter).await.unwrap();
        page.occurrences
            .into_iter()
            .map(|occurrence| occurrence.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(find(OccurrenceFilter::default()).await.len(), 2);
    let by_state = OccurrenceFilter {
        state: Some(State::FailedTemp),
        ..OccurrenceFilter::default()
    };
    assert_eq!(find(by_state).await, [failed]);
    let by_subject = OccurrenceFilter {
        subject: Some("one".to_owned()),
        ..OccurrenceFilter::default()
    };
    assert_eq!(find(by_subject).await, [failed]);
    let foreign = OccurrenceFilter {
        tenant: Some("tenant-b".into()),
        ..OccurrenceFilter::default()
    };
    assert!(find(foreign).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_that_others_write_meanwhile_do_not_keep_an_operation_from_ending() {
    let toy = Toy::new();
    let engine = toy.engine();
    let put = Put::new(THING, "one", Expect::Any, json!({ "drift": 0 }));
    toy.store.commit(Batch::new().write(put)).await.unwrap();
    let store: Arc<dyn Store> = Arc::clone(&toy.store);
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let drift = async move {
        let mut writes = 0;
        while !*stopped.borrow() {
            let put = Put::new(THING, "one", Expect::Any, json!({ "drift": writes }));
            store.commit(Batch::new().write(put)).await.unwrap();
            writes += 1;
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    };
    let work = async {
        for _ in 0..20 {
            assert_eq!(
                run(&engine, start("ns.stack", "one", &[wish("a", &[])])).await.1,
                State::Completed
            );
        }
        stop.send_replace(true);
    };
    tokio::join!(drift, work);
}

#[tokio::test]
async fn a_cancellation_of_a_rollback_ends_failed_temp_and_the_rollback_can_be_repeated() {
    for mode in [CancelMode::Graceful, CancelMode::Forceful] {
        let toy = Toy::new();
        let engine = toy.engine();
        let steps = [
            wish("a", &[]),
            Wish {
                undo_gate: Some("g".to_owned()),
                ..wish("b", &["a"])
            },
            wish("c", &["b"]),
        ];
        toy.knobs.fail("c", Fails::Permanently, 1);
        let (id, _) = run(&engine, start("vnf.stack", "one", &steps)).await;
        engine.rollback(id).await.unwrap();
        until("b is being undone", || {
            toy.world.lines().contains(&"undoing b".to_owned())
        })
        .await;
        assert!(matches!(
            engine.retry(id).await,
            Err(EngineError::WrongState {
                state: State::RollingBack,
                ..
            })
        ));
        assert_eq!(engine.view(id).await.unwrap().steps[1].state, StepState::Undoing);
        engine.cancel(id, mode).await.unwrap();
        if mode == CancelMode::Graceful {
            toy.knobs.open("g");
        }
        assert_eq!(settled(&engine, id).await, State::FailedTemp);
        assert!(toy.world.names().contains(&"a".to_owned()), "nothing new was begun");
        toy.knobs.open("g");
        engine.rollback(id).await.unwrap();
        assert_eq!(settled(&engine, id).await, State::RolledBack);
        assert!(toy.world.names().is_empty());
    }
}

#[tokio::test]
async fn a_step_that_works_too_long_fails_as_timed_out_and_is_looked_for_on_retry() {
    let toy = Toy::new();
    let engine = toy.engine();
    let steps = [Wish {
        gate: Some("g".to_owned()),
        limit_ms: Some(30),
        ..wish("a", &[])
    }];
    let (id, state) = run(&engine, start("ns.stack", "one", &steps)).await;
    assert_eq!(state, State::FailedTemp);
    let error = engine.occurrence(id).await.unwrap().error.unwrap();
    assert_eq!(
        (error.kind, error.step.as_deref()),
        (manifold_call::ErrorKind::TimedOut, Some("a"))
    );
    toy.knobs.open("g");
    engine.retry(id).await.unwrap();
    assert_eq!(settled(&engine, id).await, State::Completed);
    assert!(toy.world.lines().contains(&"find a".to_owned()));
}

#[tokio::test]
async fn an_ended_occurrence_can_be_forgotten_with_its_journal_and_key() {
    let toy = Toy::new();
    let engine = toy.engine();
    let key = Some(Uuid::from_u128(9));
    let keyed = || Start {
        idempotency_key: key,
        ..start("ns.stack", "one", &[wish("a", &[])])
    };
    toy.knobs.fail("a", Fails::Permanently, 1);
    let (id, _) = run(&engine, keyed()).await;
    assert!(matches!(
        engine.forget(id).await,
        Err(EngineError::NotEnded {
            state: State::FailedTemp,
            ..
        })
    ));
    engine.fail(id).await.unwrap();
    engine.forget(id).await.unwrap();
    assert!(matches!(engine.occurrence(id).await, Err(EngineError::NotFound(_))));
    assert!(toy.store.journal(&format!("lcm/{id}"), 0, 10).await.unwrap().is_empty());
    let (again, state) = run(&engine, keyed()).await;
    assert!(again != id && state == State::Completed);
}
