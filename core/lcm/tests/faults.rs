//! The fault matrix over the toy's operations, and the proof that the matrix notices what is wrong.

#![allow(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

mod toy;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use manifold_lcm::fault::{Arena, Fault, matrix, matrix_of};
use manifold_lcm::{
    Ending, Engine, Found, Machine, Occurrence, Operation, Plan, PlanError, Progress, Registry, Start, Step, StepCx,
    StepError, Task, UndoProgress,
};
use manifold_store::{Kind, Store, Write};
use serde_json::{Value, json};
use toy::{LIMIT, THING, Toy, World};
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_in_every_step_ends_in_completion_or_in_the_world_as_before() {
    let report = matrix(async || Toy::new()).await;
    report.assert_all_right();
    // vnf: the grant has no retry (out of STARTING), three others have all; ns: all; resource: neither rollback nor
    // cancel.
    assert_eq!(report.cases, 12 + 3 * 14 + 4 * 14 + 5 * 6, "{report:?}");
    let of_ns = matrix_of(async || Toy::new(), "ns.stack").await;
    assert_eq!((of_ns.cases, of_ns.left_out), (4 * Fault::ALL.len(), 0));
}

/// Makes its boxes under identities that nobody knew before, and undoes only what it was told of.
struct Forgetful(Arc<World>);

#[async_trait]
impl Step for Forgetful {
    async fn find(&self, _cx: &StepCx) -> Result<Found, StepError> {
        Ok(Found::Absent)
    }
    async fn act(&self, _cx: &StepCx) -> Result<Progress, StepError> {
        let id = Uuid::now_v7();
        self.0.boxes.lock().unwrap().insert(id, "forgotten".to_owned());
        Progress::done(&id)
    }
    async fn undo(&self, _cx: &StepCx, made: Option<&Value>) -> Result<UndoProgress, StepError> {
        if let Some(id) = made.and_then(Value::as_str) {
            self.0.boxes.lock().unwrap().remove(&id.parse().unwrap());
        }
        Ok(UndoProgress::Done)
    }
    fn limit(&self) -> Duration {
        LIMIT
    }
}

struct ForgetfulStack(Arc<World>);

impl Operation for ForgetfulStack {
    fn kind(&self) -> &'static str {
        "ns.forgetful"
    }
    fn version(&self) -> u32 {
        1
    }
    fn machine(&self) -> Machine {
        Machine::Ns
    }
    fn subject_kind(&self) -> Kind {
        THING
    }
    fn supports(&self, _task: Task) -> bool {
        true
    }
    fn plan(&self, _occurrence: &Occurrence) -> Result<Plan, PlanError> {
        let mut plan = Plan::of("ns.forgetful");
        plan.step("box", Forgetful(Arc::clone(&self.0)));
        Ok(plan)
    }
    fn conclude(&self, _ending: &Ending<'_>) -> Result<Vec<Write>, StepError> {
        Ok(Vec::new())
    }
    fn abandon(&self, _ending: &Ending<'_>) -> Result<Vec<Write>, StepError> {
        Ok(Vec::new())
    }
}

struct ForgetfulArena(Toy);

#[async_trait]
impl Arena for ForgetfulArena {
    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.0.store)
    }
    fn registry(&self) -> Registry {
        let mut registry = Registry::new();
        registry.register(ForgetfulStack(Arc::clone(&self.0.world))).unwrap();
        registry
    }
    async fn sample(&self, _engine: &Engine, operation: &str) -> Result<Start, String> {
        Ok(toy::start(operation, "one", &[]))
    }
    async fn snapshot(&self) -> Value {
        json!({ "boxes": self.0.world.names() })
    }
    async fn check_completed(&self, _operation: &str) -> Result<(), String> {
        let names = self.0.world.names();
        if names.len() == 1 {
            Ok(())
        } else {
            Err(format!("there is {names:?}"))
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_matrix_notices_a_step_whose_identity_is_not_fixed_beforehand() {
    let report = matrix(async || ForgetfulArena(Toy::new())).await;
    let mut noticed: Vec<Fault> = report.wrong.iter().filter_map(|wrong| wrong.fault).collect();
    noticed.sort_by_key(|fault| Fault::ALL.iter().position(|other| other == fault));
    let leaks = [
        Fault::FailsLateThenRollback,
        Fault::ReplyLost,
        Fault::CrashBeforeRecord,
        Fault::ActsTwice,
        Fault::CancelledThenRetry,
        Fault::CancelledThenRollback,
    ];
    assert_eq!(noticed, leaks, "{:?}", report.wrong);
}
