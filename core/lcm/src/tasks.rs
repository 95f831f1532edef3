//! Starts and tasks: each becomes a driver, whose first commit is the answer.

use std::sync::Arc;
use std::time::Duration;

use manifold_call::{OccurrenceId, TenantId};
use manifold_store::{Batch, Conflict, Expect, Kind, LeaseChange, Put};
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;

use crate::drive::{Broken, Command, Driver};
use crate::engine::{Inner, Live};
use crate::journal::{Ledger, Unreadable, stream};
use crate::metrics::Metrics;
use crate::running::now_ms;
use crate::{CancelMode, EngineError, Machine, OCCURRENCE, Occurrence, Start, State, Task};

/// Operations under way at a time. Each is some kilobytes and a task; beyond this many, the neighbours are the
/// bottleneck, and a caller had better hear "later".
const RUNNING_MAX: usize = 4_096;
/// Commands that wait for a driver.
const COMMANDS_LEN: usize = 8;
/// After a failure of the store, until the driver reads it again.
const REOPEN_DELAY: Duration = Duration::from_secs(1);
/// Idempotency keys that were used: from a tenant's key to the occurrence that it started.
const KEY: Kind = Kind("lcm.key");

#[derive(Serialize, Deserialize)]
struct UsedKey {
    occurrence: OccurrenceId,
}

/// How a driver begins.
pub(crate) enum Opening {
    New(Box<Batch>),
    Task(Task),
    Again,
}

/// What there is of an occurrence.
pub(crate) enum Loaded {
    Driver(Box<Driver>, mpsc::Sender<Command>),
    Parked(String),
}

impl Inner {
    pub(crate) async fn start(self: &Arc<Self>, start: Start) -> Result<OccurrenceId, EngineError> {
        if self.stopping.is_cancelled() {
            return Err(EngineError::Stopping);
        }
        let operation = self
            .registry
            .newest(&start.operation)
            .ok_or_else(|| EngineError::UnknownOperation(start.operation.clone()))?;
        if let Some(first) = self.find_first(&start).await? {
            return Ok(first);
        }
        let running = self.running();
        if running >= RUNNING_MAX {
            Metrics::add(&self.metrics.full_total);
            return Err(EngineError::Full { running });
        }
        let at = now_ms();
        let id = start.id.unwrap_or_else(OccurrenceId::random);
        let mut occurrence = Occurrence::new(&**operation, &start, id, at);
        let plan = operation.plan(&occurrence)?.check()?;
        occurrence.steps = plan.names();
        // SOL003 5.6.2.2: an operation without a grant (Modify VNF Information) begins in PROCESSING.
        if occurrence.machine == Machine::Vnf && plan.steps.iter().any(|step| step.preparation) {
            occurrence.state = State::Starting;
        }
        let mut batch = Batch::new().lease(LeaseChange::Acquire {
            name: occurrence.subject.lease(),
            holder: id.to_string(),
            now_ms: at,
            expires_ms: None,
        });
        if let Some(key) = key_id(&start.tenant, start.idempotency_key) {
            let used = serde_json::json!({ "occurrence": id });
            batch = batch.write(Put::new(KEY, key, Expect::Absent, used).tenant(Some(start.tenant.as_str())));
        }
        batch.writes.extend(start.writes.iter().cloned());

        let ledger = Ledger::new(&occurrence.steps);
        let (commands, driver) = self.driver(Arc::clone(operation), plan, occurrence, 0, ledger);
        match self.drive(driver, commands, Opening::New(Box::new(batch))).await {
            Ok(()) => {
                Metrics::add(&self.metrics.started_total);
                Ok(id)
            }
            Err(Broken::Lost(conflict)) => {
                // The same wish may have won the race against itself.
                if let Some(first) = self.find_first(&start).await? {
                    return Ok(first);
                }
                Err(match conflict {
                    Conflict::Held { name, holder } => match holder.parse() {
                        Ok(holder) => EngineError::Busy {
                            subject: start.subject,
                            holder,
                        },
                        Err(_) => EngineError::Stale(Conflict::Held { name, holder }),
                    },
                    other => EngineError::Stale(other),
                })
            }
            Err(broken) => Err(refused(id, broken)),
        }
    }

    /// The occurrence that the start's key began before. Errors: `KeyReused`.
    async fn find_first(&self, start: &Start) -> Result<Option<OccurrenceId>, EngineError> {
        let Some(key) = key_id(&start.tenant, start.idempotency_key) else {
            return Ok(None);
        };
        let Some(doc) = self.store.get(KEY, &key).await.map_err(EngineError::Store)? else {
            return Ok(None);
        };
        let used: UsedKey = doc.read().map_err(EngineError::Store)?;
        let (first, _) = self.read(used.occurrence).await?;
        let same =
            first.operation == start.operation && first.subject.id == start.subject && first.params == start.params;
        if same {
            Ok(Some(first.id))
        } else {
            Err(EngineError::KeyReused { first: first.id })
        }
    }

    pub(crate) async fn forget(&self, id: OccurrenceId) -> Result<(), EngineError> {
        let (occurrence, revision) = self.read(id).await?;
        if !occurrence.state.is_terminal() {
            return Err(EngineError::NotEnded {
                occurrence: id,
                state: occurrence.state,
            });
        }
        let mut batch = Batch::new().delete(OCCURRENCE, id.to_string(), Expect::Exactly(revision));
        batch.forget_streams.push(stream(id));
        if let Some(key) = key_id(&occurrence.tenant, occurrence.idempotency_key) {
            batch = batch.delete(KEY, key, Expect::Any);
        }
        self.store.commit(batch).await.map_err(EngineError::Store)?;
        Ok(())
    }

    /// Retry, rollback, continue or fail.
    pub(crate) async fn task(self: &Arc<Self>, id: OccurrenceId, task: Task) -> Result<(), EngineError> {
        if self.stopping.is_cancelled() {
            return Err(EngineError::Stopping);
        }
        let (occurrence, revision) = self.read(id).await?;
        self.check_task(&occurrence, task)?;
        let (driver, commands) = match self.load(occurrence, revision).await? {
            Loaded::Driver(driver, commands) => (driver, commands),
            Loaded::Parked(reason) => return Err(EngineError::Parked { occurrence: id, reason }),
        };
        if task == Task::Rollback
            && let Some(why) = driver.past_return()
        {
            return Err(EngineError::NoReturn { occurrence: id, why });
        }
        match self.drive(*driver, commands, Opening::Task(task)).await {
            Ok(()) => Ok(()),
            // Another task was quicker, and the state is now another.
            Err(Broken::Lost(_)) => {
                let (occurrence, _) = self.read(id).await?;
                Err(EngineError::WrongState {
                    occurrence: id,
                    state: occurrence.state,
                    task,
                })
            }
            Err(broken) => Err(refused(id, broken)),
        }
    }

    pub(crate) async fn cancel(self: &Arc<Self>, id: OccurrenceId, mode: CancelMode) -> Result<(), EngineError> {
        let (occurrence, _) = self.read(id).await?;
        self.check_task(&occurrence, Task::Cancel)?;
        let commands = self.live().get(&id).and_then(|live| live.commands.clone());
        if let Some(commands) = commands {
            let (durable, answered) = oneshot::channel();
            if commands.send(Command::Cancel { mode, durable }).await.is_ok() && answered.await.is_ok() {
                return Ok(());
            }
        }
        // It came to rest meanwhile; or nobody moves it.
        let (occurrence, _) = self.read(id).await?;
        if occurrence.state.is_running() {
            let reason = "this program does not move it".to_owned();
            return Err(EngineError::Parked {
                occurrence: id,
                reason: self.parked_reason(id).unwrap_or(reason),
            });
        }
        Err(EngineError::WrongState {
            occurrence: id,
            state: occurrence.state,
            task: Task::Cancel,
        })
    }

    fn check_task(&self, occurrence: &Occurrence, task: Task) -> Result<(), EngineError> {
        let id = occurrence.id;
        if let Some(reason) = &occurrence.parked {
            return Err(EngineError::Parked {
                occurrence: id,
                reason: reason.clone(),
            });
        }
        let operation = self
            .registry
            .version(&occurrence.operation, occurrence.version)
            .ok_or_else(|| EngineError::Parked {
                occurrence: id,
                reason: unknown(occurrence),
            })?;
        // The operation's word comes before the state's: what does not exist (404) cannot be in the wrong state (409).
        if !occurrence.machine.knows(task) || !operation.supports(task) {
            return Err(EngineError::NotSupported {
                operation: occurrence.operation.clone(),
                task,
            });
        }
        if !occurrence.machine.allows(occurrence.state, task) {
            return Err(EngineError::WrongState {
                occurrence: id,
                state: occurrence.state,
                task,
            });
        }
        Ok(())
    }

    /// Makes a driver of what the store holds.
    pub(crate) async fn load(self: &Arc<Self>, occurrence: Occurrence, revision: u64) -> Result<Loaded, EngineError> {
        if let Some(reason) = &occurrence.parked {
            return Ok(Loaded::Parked(reason.clone()));
        }
        let Some(operation) = self.registry.version(&occurrence.operation, occurrence.version) else {
            return Ok(Loaded::Parked(unknown(&occurrence)));
        };
        let ledger = match Ledger::read(&*self.store, &occurrence).await {
            Ok(ledger) => ledger,
            Err(Unreadable::Foreign(reason)) => return Ok(Loaded::Parked(reason)),
            Err(Unreadable::Failed(error @ EngineError::BrokenJournal { .. })) => {
                return Ok(Loaded::Parked(error.to_string()));
            }
            Err(Unreadable::Failed(error)) => return Err(error),
        };
        let plan = match operation.plan(&occurrence).and_then(crate::Plan::check) {
            Ok(plan) => plan,
            Err(error) => return Ok(Loaded::Parked(format!("it has no plan any more: {error}"))),
        };
        if plan.names() != occurrence.steps {
            let reason = format!("this program plans other steps for {}", occurrence.operation);
            return Ok(Loaded::Parked(reason));
        }
        let (commands, driver) = self.driver(Arc::clone(operation), plan, occurrence, revision, ledger);
        Ok(Loaded::Driver(Box::new(driver), commands))
    }

    fn driver(
        self: &Arc<Self>,
        operation: Arc<dyn crate::Operation>,
        plan: crate::plan::CheckedPlan,
        occurrence: Occurrence,
        revision: u64,
        ledger: Ledger,
    ) -> (mpsc::Sender<Command>, Driver) {
        let (sender, commands) = mpsc::channel(COMMANDS_LEN);
        let shown = self.live().get(&occurrence.id).map(|live| live.shown.clone());
        let shown = shown.unwrap_or_else(|| watch::Sender::new(ledger.view(&occurrence, revision)));
        let driver = Driver::new(
            Arc::clone(self),
            operation,
            plan,
            occurrence,
            revision,
            ledger,
            (commands, shown),
        );
        (sender, driver)
    }

    /// Gives the driver a task of its own. Returns when its first commit is durable, or was refused. The caller may go
    /// away meanwhile: the occurrence is moved all the same.
    pub(crate) async fn drive(
        self: &Arc<Self>,
        mut driver: Driver,
        mut commands: mpsc::Sender<Command>,
        opening: Opening,
    ) -> Result<(), Broken> {
        let (opened, answer) = oneshot::channel();
        let inner = Arc::clone(self);
        let id = driver.occurrence.id;
        let work = async move {
            let first = match opening {
                Opening::New(batch) => driver.open_new(*batch).await,
                Opening::Task(task) => driver.open_task(task).await,
                Opening::Again => driver.open_again(),
            };
            match first {
                Ok(()) => {
                    inner.enlist(&driver, &commands);
                    drop(opened.send(Ok(())));
                }
                Err(broken) => {
                    // What a failing store was given last may be there: then it must be moved, whatever the caller
                    // was told.
                    let unknown = matches!(broken, Broken::Store(_));
                    drop(opened.send(Err(broken)));
                    if !unknown {
                        return;
                    }
                    let Some(next) = inner.reopen(id, driver).await else {
                        return;
                    };
                    (driver, commands) = next;
                    inner.enlist(&driver, &commands);
                }
            }
            while driver.occurrence.state.is_running() {
                match driver.run().await {
                    Ok(()) => break,
                    Err(broken) => {
                        tracing::error!(occ = %id, ?broken, "The operation's driver lost its footing and begins again.");
                        match inner.reopen(id, driver).await {
                            Some((next, sender)) => {
                                (driver, commands) = (next, sender);
                                inner.enlist(&driver, &commands);
                            }
                            None => return inner.delist(id, &commands, true),
                        }
                    }
                }
            }
            inner.delist(id, &commands, driver.occurrence.state.is_terminal());
        };
        self.spawn(work);
        // Unanswered: the engine was stopped by force.
        answer
            .await
            .unwrap_or(Err(Broken::Store(manifold_store::StoreError::Closed)))
    }

    /// After a failure: reads again what is durable, and goes on from there. `None`: there is nothing to move.
    async fn reopen(self: &Arc<Self>, id: OccurrenceId, broken: Driver) -> Option<(Driver, mpsc::Sender<Command>)> {
        // Its running steps end before another driver looks at what they did.
        drop(broken);
        loop {
            tokio::select! {
                () = tokio::time::sleep(REOPEN_DELAY) => {}
                () = self.stopping.cancelled() => return None,
            }
            let loaded = match self.read(id).await {
                Ok((occurrence, _)) if !occurrence.state.is_running() => return None,
                Ok((occurrence, revision)) => self.load(occurrence, revision).await,
                Err(EngineError::NotFound(_)) => return None,
                Err(error) => Err(error),
            };
            match loaded {
                Ok(Loaded::Driver(mut driver, commands)) => match driver.open_again() {
                    Ok(()) => return Some((*driver, commands)),
                    Err(error) => tracing::error!(occ = %id, ?error, "The operation cannot go on."),
                },
                Ok(Loaded::Parked(reason)) => {
                    self.park(id, reason);
                    return None;
                }
                Err(error) => tracing::error!(occ = %id, %error, "The store does not answer."),
            }
        }
    }

    fn enlist(&self, driver: &Driver, commands: &mpsc::Sender<Command>) {
        let live = Live {
            shown: driver.shown.clone(),
            commands: Some(commands.clone()),
        };
        self.live().insert(driver.occurrence.id, live);
        driver.show();
    }

    fn delist(&self, id: OccurrenceId, commands: &mpsc::Sender<Command>, ended: bool) {
        let mut live = self.live();
        // A task may have given it another driver already.
        let own = |live: &Live| {
            live.commands
                .as_ref()
                .is_some_and(|theirs| theirs.same_channel(commands))
        };
        if live.get(&id).is_some_and(own) {
            if ended {
                live.remove(&id);
            } else if let Some(live) = live.get_mut(&id) {
                live.commands = None;
            }
        }
    }
}

fn key_id(tenant: &TenantId, key: Option<Uuid>) -> Option<String> {
    key.map(|key| format!("{tenant}/{key}"))
}

pub(crate) fn unknown(occurrence: &Occurrence) -> String {
    format!(
        "this program does not know {} version {}",
        occurrence.operation, occurrence.version
    )
}

fn refused(id: OccurrenceId, broken: Broken) -> EngineError {
    match broken {
        Broken::Lost(conflict) => EngineError::Stale(conflict),
        Broken::Store(source) => EngineError::Store(source),
        Broken::Ending(source) => EngineError::Ending { occurrence: id, source },
        Broken::Journal(reason) => EngineError::Parked { occurrence: id, reason },
    }
}
