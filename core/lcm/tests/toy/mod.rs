//! A toy world: boxes on a shelf, made and removed by identity, and operations whose plans are given as data.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use manifold_call::{CallError, Context, TenantId};
use manifold_lcm::fault::Arena;
use manifold_lcm::{
    Ending, Engine, Found, Machine, Occurrence, Operation, Outputs, Plan, PlanError, Progress, Registry, Start, Step,
    StepCx, StepError, Task, UndoProgress, Wait,
};
use manifold_store::{Expect, Kind, Put, SqliteStore, Store, Write};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::watch;
use uuid::Uuid;

pub(crate) const THING: Kind = Kind("toy.thing");
/// Longer than any test takes; only a hang gets there.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// The outside: what there is, and the order in which it came and went.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) boxes: Mutex<BTreeMap<Uuid, String>>,
    pub(crate) log: Mutex<Vec<String>>,
    pub(crate) at_work: Mutex<(usize, usize)>,
    pub(crate) signals: Mutex<Option<Engine>>,
}

impl World {
    pub(crate) fn log(&self, line: impl Into<String>) {
        self.log.lock().unwrap().push(line.into());
    }
    pub(crate) fn lines(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.boxes.lock().unwrap().values().cloned().collect();
        names.sort();
        names
    }
}

/// What a step does.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Wish {
    pub(crate) name: String,
    pub(crate) after: Vec<String>,
    #[serde(default)]
    pub(crate) preparation: bool,
    #[serde(default)]
    pub(crate) forward_only: bool,
    #[serde(default)]
    pub(crate) despite_failures: bool,
    /// Stays until the gate of that name is open.
    #[serde(default)]
    pub(crate) gate: Option<String>,
    /// Its box is ready only when the event has come.
    #[serde(default)]
    pub(crate) waits: bool,
    /// Its undoing stays until the gate of that name is open.
    #[serde(default)]
    pub(crate) undo_gate: Option<String>,
    /// How long it may work, milliseconds.
    #[serde(default)]
    pub(crate) limit_ms: Option<u64>,
    /// How long it waits for the event, milliseconds.
    #[serde(default)]
    pub(crate) wait_ms: Option<u64>,
}

pub(crate) fn wish(name: &str, after: &[&str]) -> Wish {
    Wish {
        name: name.to_owned(),
        after: after.iter().map(|name| (*name).to_owned()).collect(),
        ..Wish::default()
    }
}

/// How a step fails: by name, how often, and how.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fails {
    Permanently,
    Transiently,
    Fatally,
    Panicking,
    Undoing,
}

/// What a test turns: failures and gates.
#[derive(Default)]
pub(crate) struct Knobs {
    pub(crate) fails: Mutex<Vec<(String, Fails, u32)>>,
    pub(crate) gates: Mutex<BTreeMap<String, watch::Sender<bool>>>,
    pub(crate) ready: Mutex<BTreeMap<Uuid, bool>>,
    /// Boxes that wait become ready at once, with a signal.
    pub(crate) ready_at_once: Mutex<bool>,
}

impl Knobs {
    pub(crate) fn fail(&self, step: &str, how: Fails, times: u32) {
        self.fails.lock().unwrap().push((step.to_owned(), how, times));
    }
    fn takes(&self, step: &str, how: impl Fn(Fails) -> bool) -> Option<Fails> {
        let mut fails = self.fails.lock().unwrap();
        let entry = fails
            .iter_mut()
            .find(|(name, kind, left)| name == step && how(*kind) && *left > 0)?;
        entry.2 -= 1;
        Some(entry.1)
    }
    pub(crate) fn gate(&self, name: &str) -> watch::Sender<bool> {
        let mut gates = self.gates.lock().unwrap();
        gates
            .entry(name.to_owned())
            .or_insert_with(|| watch::Sender::new(false))
            .clone()
    }
    pub(crate) fn open(&self, name: &str) {
        self.gate(name).send_replace(true);
    }
}

pub(crate) struct MakeBox {
    pub(crate) wish: Wish,
    pub(crate) world: Arc<World>,
    pub(crate) knobs: Arc<Knobs>,
}

#[async_trait]
impl Step for MakeBox {
    async fn find(&self, cx: &StepCx) -> Result<Found, StepError> {
        self.world.log(format!("find {}", self.wish.name));
        if !self.world.boxes.lock().unwrap().contains_key(&cx.identity()) {
            return Ok(Found::Absent);
        }
        if self.wish.waits && !self.knobs.ready.lock().unwrap().contains_key(&cx.identity()) {
            return Ok(Found::Pending(self.event(cx)));
        }
        Found::done(&cx.identity())
    }

    async fn act(&self, cx: &StepCx) -> Result<Progress, StepError> {
        let name = &self.wish.name;
        {
            let mut at_work = self.world.at_work.lock().unwrap();
            at_work.0 += 1;
            at_work.1 = at_work.1.max(at_work.0);
        }
        let _leaves = Leaves(Arc::clone(&self.world));
        self.world.log(format!("act {name}"));
        if let Some(gate) = &self.wish.gate {
            let mut gate = self.knobs.gate(gate).subscribe();
            gate.wait_for(|open| *open)
                .await
                .map_err(|_| StepError::internal("the gate is gone"))?;
        }
        match self.knobs.takes(name, |kind| kind != Fails::Undoing) {
            Some(Fails::Permanently) => return Err(StepError::permanent(CallError::exhausted("no box is left"))),
            Some(Fails::Transiently) => return Err(StepError::transient(CallError::unavailable("come later"))),
            Some(Fails::Fatally) => return Err(StepError::fatal(CallError::internal("the shelf is broken"))),
            Some(Fails::Panicking) => panic!("made to panic"),
            _ => {}
        }
        self.world.boxes.lock().unwrap().insert(cx.identity(), name.clone());
        self.world.log(format!("made {name}"));
        if self.wish.waits {
            if *self.knobs.ready_at_once.lock().unwrap() {
                self.knobs.ready.lock().unwrap().insert(cx.identity(), true);
                if let Some(engine) = &*self.world.signals.lock().unwrap() {
                    // Before the engine has begun to wait: nothing may be lost.
                    engine.signal(&self.event(cx).event);
                }
            }
            return Ok(Progress::Pending(self.event(cx)));
        }
        Progress::done(&cx.identity())
    }

    async fn undo(&self, cx: &StepCx, made: Option<&Value>) -> Result<UndoProgress, StepError> {
        let name = &self.wish.name;
        if self.knobs.takes(name, |kind| kind == Fails::Undoing).is_some() {
            return Err(StepError::permanent(CallError::conflict(format!("{name} is stuck"))));
        }
        if let Some(gate) = &self.wish.undo_gate {
            self.world.log(format!("undoing {name}"));
            let mut gate = self.knobs.gate(gate).subscribe();
            gate.wait_for(|open| *open)
                .await
                .map_err(|_| StepError::internal("the gate is gone"))?;
        }
        if let Some(made) = made {
            assert_eq!(made, &json!(cx.identity()));
        }
        self.world.log(format!("undo {name}"));
        self.world.boxes.lock().unwrap().remove(&cx.identity());
        Ok(UndoProgress::Done)
    }

    fn limit(&self) -> Duration {
        self.wish.limit_ms.map_or(LIMIT, Duration::from_millis)
    }
}

impl MakeBox {
    fn event(&self, cx: &StepCx) -> Wait {
        let deadline = self.wish.wait_ms.map_or(LIMIT, Duration::from_millis);
        Wait::new(format!("box/{}", cx.identity()), deadline)
    }
}

struct Leaves(Arc<World>);

impl Drop for Leaves {
    fn drop(&mut self) {
        self.0.at_work.lock().unwrap().0 -= 1;
    }
}

/// An operation whose plan is its parameters.
pub(crate) struct Stack {
    pub(crate) kind: &'static str,
    pub(crate) version: u32,
    pub(crate) machine: Machine,
    pub(crate) tasks: Vec<Task>,
    pub(crate) world: Arc<World>,
    pub(crate) knobs: Arc<Knobs>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Params {
    pub(crate) wishes: Vec<Wish>,
}

impl Operation for Stack {
    fn kind(&self) -> &'static str {
        self.kind
    }
    fn version(&self) -> u32 {
        self.version
    }
    fn machine(&self) -> Machine {
        self.machine
    }
    fn subject_kind(&self) -> Kind {
        THING
    }
    fn supports(&self, task: Task) -> bool {
        self.tasks.contains(&task)
    }
    fn plan(&self, occurrence: &Occurrence) -> Result<Plan, PlanError> {
        let params: Params = occurrence.params()?;
        let mut plan = Plan::of(self.kind);
        let mut handles = BTreeMap::new();
        for wish in params.wishes {
            let step = MakeBox {
                wish: wish.clone(),
                world: Arc::clone(&self.world),
                knobs: Arc::clone(&self.knobs),
            };
            let mut planned = plan
                .step(&wish.name, step)
                .after_all(wish.after.iter().map(|name| &handles[name]));
            if wish.preparation {
                planned = planned.preparation();
            }
            if wish.forward_only {
                planned = planned.forward_only("a box of this kind is glued to the shelf");
            }
            if wish.despite_failures {
                planned = planned.despite_failures();
            }
            handles.insert(wish.name, planned.handle());
        }
        Ok(plan)
    }
    fn conclude(&self, ending: &Ending<'_>) -> Result<Vec<Write>, StepError> {
        write(
            ending,
            json!({ "boxes": ending.outputs.iter().map(|(step, _)| step).collect::<Vec<_>>() }),
        )
    }
    fn abandon(&self, ending: &Ending<'_>) -> Result<Vec<Write>, StepError> {
        write(
            ending,
            json!({ "abandoned": ending.outputs.iter().map(|(step, _)| step).collect::<Vec<_>>() }),
        )
    }
    fn summary(&self, _occurrence: &Occurrence, outputs: &Outputs) -> Value {
        json!({ "made": outputs.iter().count() })
    }
}

fn write(ending: &Ending<'_>, body: Value) -> Result<Vec<Write>, StepError> {
    let put = match ending.subject() {
        Ok(doc) => doc.replace(body),
        Err(_) => Put::new(THING, ending.occurrence.subject.id.clone(), Expect::Absent, body),
    };
    Ok(vec![put.into()])
}

/// A world with its store and operations.
pub(crate) struct Toy {
    pub(crate) world: Arc<World>,
    pub(crate) knobs: Arc<Knobs>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) data: tempfile::TempDir,
}

impl Toy {
    pub(crate) fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(data.path()).unwrap());
        Self {
            world: Arc::default(),
            knobs: Arc::default(),
            store,
            data,
        }
    }

    pub(crate) fn operation(&self, kind: &'static str, version: u32, machine: Machine, tasks: &[Task]) -> Stack {
        let (world, knobs) = (Arc::clone(&self.world), Arc::clone(&self.knobs));
        Stack {
            kind,
            version,
            machine,
            tasks: tasks.to_vec(),
            world,
            knobs,
        }
    }

    pub(crate) fn registry(&self) -> Registry {
        let mut registry = Registry::new();
        registry
            .register(self.operation("vnf.stack", 1, Machine::Vnf, &Task::ALL))
            .unwrap();
        registry
            .register(self.operation("ns.stack", 1, Machine::Ns, &Task::ALL))
            .unwrap();
        let only_forward = [Task::Retry, Task::Fail];
        registry
            .register(self.operation("resource.stack", 1, Machine::Resource, &only_forward))
            .unwrap();
        registry
    }

    pub(crate) fn engine(&self) -> Engine {
        let engine = Engine::new(Arc::clone(&self.store), self.registry());
        *self.world.signals.lock().unwrap() = Some(engine.clone());
        engine
    }
}

pub(crate) fn start(operation: &str, subject: &str, wishes: &[Wish]) -> Start {
    let cx = Context::root(TenantId::from("tenant-a"));
    Start::new(&cx, operation, subject, json!({ "wishes": wishes }))
}

pub(crate) fn reopen(path: &Path) -> Arc<dyn Store> {
    Arc::new(SqliteStore::open(path).unwrap())
}

/// Waits until a line stands in the world's log.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let waited = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(LIMIT, waited)
        .await
        .unwrap_or_else(|_| panic!("never: {what}"));
}

#[async_trait]
impl Arena for Toy {
    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }
    fn registry(&self) -> Registry {
        Toy::registry(self)
    }
    async fn sample(&self, _engine: &Engine, operation: &str) -> Result<Start, String> {
        *self.knobs.ready_at_once.lock().unwrap() = true;
        let mut wishes = vec![
            Wish {
                preparation: true,
                ..wish("grant", &[])
            },
            wish("network", &["grant"]),
            wish("volume", &["grant"]),
            Wish {
                waits: true,
                ..wish("machine", &["network", "volume"])
            },
            Wish {
                forward_only: true,
                ..wish("announce", &["machine"])
            },
        ];
        if operation != "resource.stack" {
            wishes.pop();
        }
        Ok(start(operation, "thing-1", &wishes))
    }
    async fn snapshot(&self) -> Value {
        json!({ "boxes": self.world.names() })
    }
    async fn check_completed(&self, operation: &str) -> Result<(), String> {
        let expected: &[&str] = if operation == "resource.stack" {
            &["announce", "grant", "machine", "network", "volume"]
        } else {
            &["grant", "machine", "network", "volume"]
        };
        let names = self.world.names();
        if names == expected {
            Ok(())
        } else {
            Err(format!("there is {names:?}"))
        }
    }
    async fn connect(&self, engine: &Engine) {
        *self.world.signals.lock().unwrap() = Some(engine.clone());
    }
}
