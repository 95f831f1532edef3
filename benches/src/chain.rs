//! The lifecycle engine: an operation of five steps, each after the other, that do nothing outside.

use crate::bare::Bare;
use crate::figure::{Figure, Spread, Unit};
use crate::stage::{self, Outcome};
use async_trait::async_trait;
use manifold_call::Context;
use manifold_lcm::{
    Ending, Engine, Found, Machine, Occurrence, Operation, Plan, PlanError, Progress, Registry, Start, State, Step,
    StepCx, StepError, Task, UndoProgress,
};
use manifold_store::{Kind, SqliteStore, Write};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

const STEPS: u32 = 5;
const ROUNDS: u32 = 30;
const LIMIT: Duration = Duration::from_secs(10);
const OPERATION: &str = "bench.chain";

struct Nothing;

#[async_trait]
impl Step for Nothing {
    async fn find(&self, _: &StepCx) -> Result<Found, StepError> {
        Ok(Found::Absent)
    }
    async fn act(&self, _: &StepCx) -> Result<Progress, StepError> {
        Progress::done(&())
    }
    async fn undo(&self, _: &StepCx, _: Option<&Value>) -> Result<UndoProgress, StepError> {
        Ok(UndoProgress::Done)
    }
    fn limit(&self) -> Duration {
        LIMIT
    }
}

struct Chain;

impl Operation for Chain {
    fn kind(&self) -> &'static str {
        OPERATION
    }
    fn version(&self) -> u32 {
        1
    }
    fn machine(&self) -> Machine {
        Machine::Ns
    }
    fn subject_kind(&self) -> Kind {
        Kind("bench.thing")
    }
    fn supports(&self, _: Task) -> bool {
        true
    }
    fn plan(&self, _: &Occurrence) -> Result<Plan, PlanError> {
        let mut plan = Plan::of(OPERATION);
        let mut before = None;
        for number in 0..STEPS {
            before = Some(plan.step(format!("step/{number}"), Nothing).after_all(&before).handle());
        }
        Ok(plan)
    }
    fn conclude(&self, _: &Ending<'_>) -> Result<Vec<Write>, StepError> {
        Ok(Vec::new())
    }
    fn abandon(&self, _: &Ending<'_>) -> Result<Vec<Write>, StepError> {
        Ok(Vec::new())
    }
}

pub(crate) fn run() {
    stage::report(measure);
}

fn measure() -> Outcome<Vec<Figure>> {
    let folder = stage::folder()?;
    let store = Arc::new(SqliteStore::open(&folder.join("store"))?);
    let bare = Bare::open(&folder)?;
    let mut registry = Registry::new();
    registry.register(Chain)?;
    stage::runtime()?.block_on(async {
        let engine = Engine::new(store, registry);
        engine.recover().await?;
        let (mut ours, mut floor, mut commits) = (vec![], vec![], 0);
        for round in 0..=ROUNDS {
            let before = engine.metrics().commits_total.load(Ordering::Relaxed);
            let begin = Instant::now();
            let start = Start::new(&Context::root("bench".into()), OPERATION, round, Value::Null);
            let occurrence = engine.start(start).await?;
            let settled = engine.settled(occurrence, LIMIT).await?;
            let took = begin.elapsed();
            if settled.state != State::Completed {
                return Err(format!("the chain ended in {}", settled.state).into());
            }
            commits = engine.metrics().commits_total.load(Ordering::Relaxed) - before;
            let bare_took = bare.commits(commits)?;
            if round > 0 {
                ours.push(took);
                floor.push(bare_took);
            }
        }
        engine.shutdown(LIMIT).await;
        Ok(vec![
            Figure::new(
                "operation of 5 steps in a row",
                Unit::Milliseconds,
                Spread::of_times(&ours),
            )
            .floor(format!("{commits} bare commits"), Spread::of_times(&floor)),
        ])
    })
}
