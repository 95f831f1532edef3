//! The generic fault matrix: every step of every operation, struck by every fault, without a line for any operation.
//!
//! Whoever has operations gives an [`Arena`]: a small outside world with a store, one sample start for each operation,
//! and a snapshot of the world. [`matrix`] does the rest and names every case that did not come out right:
//!
//! | the step …                                  | then                                  | must end                    |
//! |---------------------------------------------|---------------------------------------|-----------------------------|
//! | fails                                       | retry                                 | completed                   |
//! | fails                                       | rollback (if supported)               | world as before             |
//! | acts, and the reply is lost                 | the engine repeats                    | completed                   |
//! | crash before, after its effect, after its record | recover                          | completed                   |
//! | is cancelled by force after its effect      | retry, or rollback                    | completed, or as before     |
//! | acts twice                                  |                                       | completed                   |
//! | is undone twice; undoing fails; crash around undoing | rollback, recover            | world as before             |
//!
//! A crash is an engine that is ended between two instructions, and a store that takes nothing more from it; a new
//! engine on the same store and the same world then recovers. A case whose fault did not strike where it was aimed is
//! a failure, too.

mod strike;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use manifold_call::OccurrenceId;
use manifold_store::Store;
use serde_json::Value;

use self::strike::{Strike, StruckOperation, StruckStore};
use crate::{CancelMode, Engine, Machine, Occurrence, Plan, Registry, Start, State, Task};

/// How long one case may take. Only a hang gets there.
const CASE_LIMIT: Duration = Duration::from_secs(60);

/// A small outside world, made afresh for each case.
#[async_trait]
pub trait Arena: Send + Sync {
    /// The store of this world; the same at each call.
    fn store(&self) -> Arc<dyn Store>;

    /// The operations, over this world's neighbours. Called once for each life of the engine; what a block keeps in
    /// memory is made anew, what the neighbours keep stays.
    fn registry(&self) -> Registry;

    /// A start of the operation, in a world where it will succeed: what must be there before, this makes (a VNF to
    /// terminate is instantiated, with `engine`). Called once in a world.
    async fn sample(&self, engine: &Engine, operation: &str) -> Result<Start, String>;

    /// What the outside world looks like: equal values are equal worlds. It may hold documents of the block; it leaves
    /// out what grows by nature (logs, revisions, counters).
    async fn snapshot(&self) -> Value;

    /// What else must hold when the operation has completed. Errors: what does not.
    async fn check_completed(&self, _operation: &str) -> Result<(), String> {
        Ok(())
    }

    /// Called after the engine was made, before it recovers: what composition would connect (signals of neighbours).
    async fn connect(&self, _engine: &Engine) {}
}

/// What strikes a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// `act` fails before any effect; then retry.
    FailsThenRetry,
    /// `act` fails before any effect; then rollback.
    FailsThenRollback,
    /// `act` has its effect and then fails for good; then rollback.
    FailsLateThenRollback,
    /// `act` has its effect, and the answer is lost.
    ReplyLost,
    /// The program ends before the effect.
    CrashBeforeEffect,
    /// The program ends after the effect and before its record.
    CrashBeforeRecord,
    /// The program ends after the record.
    CrashAfterRecord,
    /// `act` runs twice.
    ActsTwice,
    /// All is done, then undone, this step twice.
    UndoneTwice,
    /// Undoing fails once; then rollback again.
    UndoFails,
    /// Cancelled by force after its effect and before its record; then retry.
    CancelledThenRetry,
    /// Cancelled by force after its effect and before its record; then rollback.
    CancelledThenRollback,
    /// The program ends before the effect is undone.
    CrashBeforeUndo,
    /// The program ends after the effect was undone and before the record.
    CrashBeforeUndoRecord,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Fault; 14] = [
        Fault::FailsThenRetry,
        Fault::FailsThenRollback,
        Fault::FailsLateThenRollback,
        Fault::ReplyLost,
        Fault::CrashBeforeEffect,
        Fault::CrashBeforeRecord,
        Fault::CrashAfterRecord,
        Fault::ActsTwice,
        Fault::UndoneTwice,
        Fault::UndoFails,
        Fault::CancelledThenRetry,
        Fault::CancelledThenRollback,
        Fault::CrashBeforeUndo,
        Fault::CrashBeforeUndoRecord,
    ];

    /// Whether the operation is to be rolled back in this case.
    fn rolls_back(self) -> bool {
        match self {
            Fault::FailsThenRollback
            | Fault::FailsLateThenRollback
            | Fault::CancelledThenRollback
            | Fault::UndoneTwice
            | Fault::UndoFails
            | Fault::CrashBeforeUndo
            | Fault::CrashBeforeUndoRecord => true,
            Fault::FailsThenRetry
            | Fault::CancelledThenRetry
            | Fault::ReplyLost
            | Fault::CrashBeforeEffect
            | Fault::CrashBeforeRecord
            | Fault::CrashAfterRecord
            | Fault::ActsTwice => false,
        }
    }

    /// Whether the fault strikes while the step is undone, after everything was done.
    fn strikes_undo(self) -> bool {
        match self {
            Fault::UndoneTwice | Fault::UndoFails | Fault::CrashBeforeUndo | Fault::CrashBeforeUndoRecord => true,
            Fault::FailsThenRetry
            | Fault::CancelledThenRetry
            | Fault::CancelledThenRollback
            | Fault::FailsThenRollback
            | Fault::FailsLateThenRollback
            | Fault::ReplyLost
            | Fault::CrashBeforeEffect
            | Fault::CrashBeforeRecord
            | Fault::CrashAfterRecord
            | Fault::ActsTwice => false,
        }
    }

    fn crashes(self) -> bool {
        match self {
            Fault::CrashBeforeEffect
            | Fault::CrashBeforeRecord
            | Fault::CrashAfterRecord
            | Fault::CrashBeforeUndo
            | Fault::CrashBeforeUndoRecord => true,
            Fault::FailsThenRetry
            | Fault::CancelledThenRetry
            | Fault::CancelledThenRollback
            | Fault::FailsThenRollback
            | Fault::FailsLateThenRollback
            | Fault::ReplyLost
            | Fault::ActsTwice
            | Fault::UndoneTwice
            | Fault::UndoFails => false,
        }
    }
}

/// A case that did not come out right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The operation.
    pub operation: String,
    /// The step.
    pub step: String,
    /// The fault.
    pub fault: Option<Fault>,
    /// What was wrong.
    pub what: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            operation,
            step,
            fault,
            what,
        } = self;
        match fault {
            Some(fault) => write!(f, "{operation}, step {step}, {fault:?}: {what}"),
            None => write!(f, "{operation}: {what}"),
        }
    }
}

/// What the matrix came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Cases that were run.
    pub cases: usize,
    /// Cases that do not apply: rolling back an operation or a step that cannot be undone.
    pub left_out: usize,
    /// Cases that did not come out right.
    pub wrong: Vec<Wrong>,
}

impl Report {
    /// Panics with every wrong case, one a line, or when nothing was run.
    #[track_caller]
    pub fn assert_all_right(&self) {
        assert!(self.cases > 0, "the fault matrix has no case");
        let lines: Vec<String> = self.wrong.iter().map(ToString::to_string).collect();
        assert!(
            lines.is_empty(),
            "{} of {} cases are wrong:\n{}",
            lines.len(),
            self.cases,
            lines.join("\n")
        );
    }
}

/// Runs every fault over every step of every operation that the arena's registry holds; `make` makes a fresh world.
pub async fn matrix<A: Arena>(make: impl AsyncFn() -> A) -> Report {
    let kinds: Vec<String> = make().await.registry().kinds().map(ToOwned::to_owned).collect();
    let mut report = Report::default();
    for kind in kinds {
        let one = matrix_of(&make, &kind).await;
        report.cases += one.cases;
        report.left_out += one.left_out;
        report.wrong.extend(one.wrong);
    }
    report
}

/// The same, of one operation.
pub async fn matrix_of<A: Arena>(make: impl AsyncFn() -> A, operation: &str) -> Report {
    let mut report = Report::default();
    let wrong = |step: &str, fault, what| Wrong {
        operation: operation.to_owned(),
        step: step.to_owned(),
        fault,
        what,
    };
    // The run without a fault says which steps there are, and that the sample is good.
    let known = match plain_run(&make().await, operation).await {
        Ok(known) => known,
        Err(what) => {
            report.cases = 1;
            report.wrong.push(wrong("", None, what));
            return report;
        }
    };
    for step in &known.steps {
        for fault in Fault::ALL {
            if !applies(fault, step, &known) {
                report.left_out += 1;
                continue;
            }
            report.cases += 1;
            let arena = make().await;
            let case = Case {
                arena: &arena,
                operation,
                step,
                fault,
            };
            let outcome = tokio::time::timeout(CASE_LIMIT, case.run()).await;
            if let Err(what) = outcome.unwrap_or_else(|_| Err(format!("it did not end within {CASE_LIMIT:?}"))) {
                report.wrong.push(wrong(&step.name, Some(fault), what));
            }
        }
    }
    report
}

struct Known {
    steps: Vec<KnownStep>,
    machine: Machine,
    rollback: bool,
    retry: bool,
    cancel: bool,
}

struct KnownStep {
    name: String,
    preparation: bool,
    forward_only: bool,
    /// Whether it comes after the point of no return.
    beyond: bool,
}

fn applies(fault: Fault, step: &KnownStep, known: &Known) -> bool {
    // Out of STARTING there is only ROLLED_BACK: a failure there can always be rolled back, and never be retried.
    let starting = step.preparation && known.machine == Machine::Vnf;
    match fault {
        _ if fault.rolls_back() && step.beyond => false,
        Fault::FailsThenRetry => known.retry && !starting,
        Fault::FailsThenRollback => known.rollback || starting,
        Fault::FailsLateThenRollback => (known.rollback || starting) && !step.forward_only,
        Fault::CancelledThenRetry => known.cancel && known.retry && !starting,
        Fault::CancelledThenRollback => known.cancel && (known.rollback || starting) && !step.forward_only,
        _ if fault.strikes_undo() => known.rollback && !step.forward_only,
        _ => true,
    }
}

async fn plain_run(arena: &impl Arena, operation: &str) -> Result<Known, String> {
    let registry = arena.registry();
    let newest = Arc::clone(registry.newest(operation).ok_or("it is not registered")?);
    let engine = Engine::new(arena.store(), registry);
    arena.connect(&engine).await;
    let start = arena.sample(&engine, operation).await?;
    let id = engine
        .start(start)
        .await
        .map_err(|error| format!("the sample does not start: {error}"))?;
    let occurrence = settled(&engine, id).await?;
    expect_completed(&occurrence)?;
    arena.check_completed(operation).await?;
    engine.shutdown(CASE_LIMIT).await;
    let plan = newest
        .plan(&occurrence)
        .and_then(Plan::check)
        .map_err(|error| error.to_string())?;
    let mut steps: Vec<KnownStep> = Vec::with_capacity(plan.steps.len());
    // A step is added after those that it comes after, whose handles it needs.
    for (planned, before) in plan.steps.iter().zip(&plan.before) {
        let beyond = |at: &usize| steps[*at].beyond || plan.steps[*at].no_return.is_some();
        steps.push(KnownStep {
            name: planned.name.to_string(),
            preparation: planned.preparation,
            forward_only: planned.forward_only.is_some(),
            beyond: before.iter().any(beyond),
        });
    }
    Ok(Known {
        steps,
        machine: newest.machine(),
        rollback: newest.supports(Task::Rollback),
        retry: newest.supports(Task::Retry),
        cancel: newest.supports(Task::Cancel),
    })
}

struct Case<'a, A> {
    arena: &'a A,
    operation: &'a str,
    step: &'a KnownStep,
    fault: Fault,
}

impl<A: Arena> Case<'_, A> {
    async fn run(&self) -> Result<(), String> {
        let store = self.arena.store();
        // The sample is prepared by an engine without faults.
        let calm = Engine::new(Arc::clone(&store), self.arena.registry());
        self.arena.connect(&calm).await;
        let start = self.arena.sample(&calm, self.operation).await?;
        calm.shutdown(CASE_LIMIT).await;
        let before = self.arena.snapshot().await;

        let strike = Arc::new(Strike::new(self.operation, &self.step.name, self.fault));
        let mut engine = self.engine(&strike);
        self.arena.connect(&engine).await;
        let id = engine
            .start(start)
            .await
            .map_err(|error| format!("it does not start: {error}"))?;
        if self.fault.strikes_undo() {
            // Its conclusion is made to fail, so that every step was done.
            let held = settled(&engine, id).await?;
            expect_state(&held, State::FailedTemp)?;
            engine
                .rollback(id)
                .await
                .map_err(|error| format!("it does not roll back: {error}"))?;
        }
        if self.fault.crashes() {
            tokio::select! {
                () = strike.crashed.notified() => {}
                rested = settled(&engine, id) => {
                    return Err(format!("it came to rest without the crash: {}", rested?.state));
                }
            }
            engine.crash().await;
            engine = self.engine(&strike);
            self.arena.connect(&engine).await;
            let recovered = engine
                .recover()
                .await
                .map_err(|error| format!("it does not recover: {error}"))?;
            // The record of the last step is the end of the operation.
            let state = engine.occurrence(id).await.map_err(|error| error.to_string())?.state;
            if !recovered.resumed.contains(&id) && !state.is_terminal() {
                return Err(format!("it is {state} and was not resumed: {recovered:?}"));
            }
        }
        if matches!(self.fault, Fault::CancelledThenRetry | Fault::CancelledThenRollback) {
            tokio::select! {
                () = strike.crashed.notified() => {}
                rested = settled(&engine, id) => {
                    return Err(format!("it came to rest before it was cancelled: {}", rested?.state));
                }
            }
            let cancelled = engine.cancel(id, CancelMode::Forceful).await;
            cancelled.map_err(|error| format!("it cannot be cancelled: {error}"))?;
        }
        let mut rested = settled(&engine, id).await?;
        if rested.state == State::FailedTemp {
            let task = match self.fault {
                Fault::FailsThenRetry | Fault::CancelledThenRetry => engine.retry(id).await,
                Fault::FailsThenRollback
                | Fault::FailsLateThenRollback
                | Fault::CancelledThenRollback
                | Fault::UndoFails => engine.rollback(id).await,
                _ => return Err(format!("it failed: {:?}", rested.error)),
            };
            task.map_err(|error| format!("the task is refused: {error}"))?;
            rested = settled(&engine, id).await?;
        }
        let struck = strike.struck.load(Ordering::Acquire);
        if struck != 1 {
            return Err(format!("the fault struck {struck} times where it was aimed"));
        }
        if self.fault.rolls_back() {
            expect_state(&rested, State::RolledBack)?;
            if !rested.warnings.is_empty() {
                return Err(format!("not everything was undone: {:?}", rested.warnings));
            }
            let after = self.arena.snapshot().await;
            if after != before {
                return Err(format!("the world is not as before: {}", difference(&before, &after)));
            }
        } else {
            expect_completed(&rested)?;
            self.arena.check_completed(self.operation).await?;
        }
        let lease = store
            .lease(&rested.subject.lease())
            .await
            .map_err(|error| error.to_string())?;
        if lease.is_some() {
            return Err("its subject is still busy".to_owned());
        }
        engine.shutdown(CASE_LIMIT).await;
        Ok(())
    }

    fn engine(&self, strike: &Arc<Strike>) -> Engine {
        let mut registry = Registry::new();
        for operation in self.arena.registry().all() {
            let struck = StruckOperation {
                inner: Arc::clone(operation),
                strike: Arc::clone(strike),
            };
            registry
                .register(struck)
                .expect("the arena's registry holds each operation once");
        }
        let store = StruckStore {
            inner: self.arena.store(),
            strike: Arc::clone(strike),
            dead: AtomicU32::new(0),
        };
        Engine::new(Arc::new(store), registry)
    }
}

async fn settled(engine: &Engine, id: OccurrenceId) -> Result<Occurrence, String> {
    let occurrence = engine
        .settled(id, CASE_LIMIT)
        .await
        .map_err(|error| error.to_string())?;
    if occurrence.state.is_running() {
        return Err(format!("it is {} for ever", occurrence.state));
    }
    Ok(occurrence)
}

fn expect_completed(occurrence: &Occurrence) -> Result<(), String> {
    expect_state(occurrence, State::Completed)
}

fn expect_state(occurrence: &Occurrence, state: State) -> Result<(), String> {
    if occurrence.state == state {
        return Ok(());
    }
    Err(format!(
        "it is {} and not {state}: {:?}",
        occurrence.state, occurrence.error
    ))
}

/// The first place where two worlds differ.
fn difference(before: &Value, after: &Value) -> String {
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            let keys = old.keys().chain(new.keys());
            for key in keys {
                let (was, is) = (
                    old.get(key).unwrap_or(&Value::Null),
                    new.get(key).unwrap_or(&Value::Null),
                );
                if was != is {
                    return format!("{key}: {}", difference(was, is));
                }
            }
            "nothing".to_owned()
        }
        _ => format!("was {before}, is {after}"),
    }
}
