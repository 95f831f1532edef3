//! The machines of one agent.

use super::accelerator::{self, user_for};
use super::channel::Channel;
use super::home::{Home, Label};
use super::launch::{Launch, Nic};
use super::prepare::prepare;
use super::process::{Process, strays};
use super::{MachineConfig, check, console, plug, qmp};
use crate::Space;
use crate::seams::{MachineKeeper, SeenMachine, TapPlug, Tell};
use async_trait::async_trait;
use manifold_call::{CallError, Outcome};
use manifold_nfvi_interface::{MachineState, MachineWish, ObjectId, Owner, Power, Probe, ProbeSeen};
use std::collections::HashMap;
use std::fs;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::OnceCell;
use tokio::task::JoinSet;

/// How long a guest may take to power off before it is ended: within a call's default limit of 30 s.
const POWER_OFF_LIMIT: Duration = Duration::from_secs(10);
/// The same before a restart, where somebody waits for the machine to be back.
const RESTART_LIMIT: Duration = Duration::from_secs(3);
/// QEMU ends within milliseconds of `quit`.
const QUIT_LIMIT: Duration = Duration::from_secs(2);
/// What the kernel needs at most to take a killed process apart under load.
const KILL_LIMIT: Duration = Duration::from_secs(5);
/// Of the console, in the explanation of a crash.
const WHY_BYTES: u64 = 600;

/// Keeps machines; see the module.
pub struct Machines {
    config: MachineConfig,
    accelerator: OnceCell<String>,
    tell: Arc<OnceLock<Tell>>,
    slots: Mutex<HashMap<ObjectId, Arc<Slot>>>,
}

struct Slot {
    id: ObjectId,
    home: Home,
    /// Held by whoever changes the machine; looking does not need it.
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    label: Option<Label>,
    run: Option<Arc<Run>>,
}

struct Run {
    process: Process,
    generation: u64,
    accelerator: String,
    /// Its end was asked for: nobody needs to be told.
    asked: Arc<AtomicBool>,
    channel: Channel,
    // Dropped with the run: ends console reader and watcher.
    _tasks: Mutex<JoinSet<()>>,
}

impl Slot {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The run, if its process lives.
    fn running(&self) -> Option<Arc<Run>> {
        self.state().run.clone().filter(|run| !run.process.has_ended())
    }
}

impl Machines {
    /// Adopts the machines that run, and ends those of this run directory that nobody could own any more (no label).
    pub async fn open(config: MachineConfig) -> io::Result<Self> {
        fs::create_dir_all(config.run_dir.join("machines"))?;
        let machines = Self {
            config,
            accelerator: OnceCell::new(),
            tell: Arc::new(OnceLock::new()),
            slots: Mutex::new(HashMap::new()),
        };
        let ids = Home::all(&machines.config.run_dir)?;
        for (id, pid) in strays(&machines.config.run_dir, &ids)? {
            let home = machines.home(id);
            if let Some(process) = Process::hold(pid, &home.qmp(), id)? {
                tracing::warn!(machine = %id, pid, "A machine without a label was ended.");
                process.kill()?;
            }
        }
        for id in ids {
            machines.adopt(id).await?;
        }
        Ok(machines)
    }

    async fn adopt(&self, id: ObjectId) -> io::Result<()> {
        let home = self.home(id);
        let Some(mut label) = home.read_label() else {
            if let Some(process) = Process::find(&home.qmp(), id)? {
                tracing::warn!(machine = %id, pid = process.pid, "A machine without a label was ended.");
                process.kill()?;
            }
            return home.remove().map(drop);
        };
        let slot = self.slot(id);
        // A QEMU that does not answer now is still the machine when its arguments say so.
        let process = match identify(&slot).await {
            Ok(process) => Some(process),
            Err(_) => Process::find(&home.qmp(), id)?,
        };
        let run = process.map(|process| {
            tracing::info!(machine = %id, pid = process.pid, "Machine adopted.");
            self.run(&slot, process, label.run_generation, &label.accelerator)
        });
        // Its starter died before it could write down that it was up.
        if run.is_some() && !label.ran {
            (label.started, label.ran) = (true, true);
            home.write_label(&label)?;
        }
        *slot.state() = State {
            label: Some(label),
            run,
        };
        Ok(())
    }

    fn home(&self, id: ObjectId) -> Home {
        Home::of(&self.config.run_dir, &self.config.disk_dir, id)
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<ObjectId, Arc<Slot>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot(&self, id: ObjectId) -> Arc<Slot> {
        let make = || {
            Arc::new(Slot {
                id,
                home: self.home(id),
                turn: tokio::sync::Mutex::new(()),
                state: Mutex::default(),
            })
        };
        self.slots().entry(id).or_insert_with(make).clone()
    }

    fn find(&self, id: ObjectId) -> Outcome<Arc<Slot>> {
        let slot = self.slots().get(&id).cloned();
        slot.ok_or_else(|| CallError::not_found(format!("there is no machine {id}")))
    }

    /// Watches a process from now on.
    fn run(&self, slot: &Slot, process: Process, generation: u64, accelerator: &str) -> Arc<Run> {
        let asked = Arc::new(AtomicBool::new(false));
        let mut tasks = JoinSet::new();
        tasks.spawn(console::keep(slot.home.clone()));
        let (watched, quiet, tell, id) = (process.clone(), asked.clone(), self.tell.clone(), slot.id);
        tasks.spawn(async move {
            watched.ended().await;
            if !quiet.load(Ordering::Acquire) {
                tracing::warn!(machine = %id, pid = watched.pid, "A machine ended unasked.");
                if let Some(tell) = tell.get() {
                    tell(id);
                }
            }
        });
        Arc::new(Run {
            process,
            generation,
            accelerator: accelerator.to_owned(),
            asked,
            channel: Channel::open(slot.home.channel_socket()),
            _tasks: Mutex::new(tasks),
        })
    }

    async fn start(
        &self,
        slot: &Slot,
        owner: &Owner,
        wish: &MachineWish,
        taps: &[TapPlug],
        space: &Space,
    ) -> Outcome<()> {
        let id = slot.id;
        let fail = |what: &str, source: io::Error| {
            CallError::internal(format!("machine {} ({id}): {what}: {source}", wish.name)).caused_by(source)
        };
        // One that runs without our knowing would hold the taps.
        if let Some(stray) =
            Process::find(&slot.home.qmp(), id).map_err(|source| fail("its process cannot be looked for", source))?
        {
            end(&stray)
                .await
                .map_err(|source| fail("a process of an earlier start does not end", source))?;
        }
        let accelerator = self.accelerator().await;
        let user = user_for(&accelerator, self.config.user);
        let label = Label {
            owner: owner.clone(),
            wish: wish.clone(),
            accelerator: accelerator.clone(),
            started: false,
            ran: false,
            run_generation: wish.generation,
        };
        let ended = Label {
            started: true,
            ..label.clone()
        };
        let (home, wished, disks) = (slot.home.clone(), wish.clone(), self.config.disk_dir.clone());
        slot.state().label = Some(label.clone());
        let prepared = tokio::task::spawn_blocking(move || prepare(&home, &disks, &label, &wished, user)).await;
        let (boot, seed) = prepared.map_err(|source| fail("its start was given up", io::Error::other(source)))??;

        let mut nics = Vec::with_capacity(taps.len());
        for plug in taps {
            let tap = plug::open_tap(space, &plug.interface)
                .await
                .map_err(|source| fail(&format!("the tap {} cannot be opened", plug.interface), source))?;
            nics.push(Nic {
                tap,
                mac: plug.mac,
                mtu_bytes: plug.mtu_bytes,
            });
        }
        let launch = Launch {
            program: self.config.qemu.clone(),
            user,
            accelerator: accelerator.clone(),
            boot,
            seed,
            nics,
            paused: self.config.paused,
        };
        let arguments = launch.arguments(id, wish, &slot.home);
        let started = match launch.start(arguments, space).await {
            Ok(starting) => starting.until(|| identify(slot)).await,
            Err(error) => Err(error),
        };
        let process = match started {
            Ok(process) => process,
            Err(source) => {
                slot.state().label = Some(ended.clone());
                slot.home
                    .write_label(&ended)
                    .map_err(|source| fail("its label cannot be written", source))?;
                if let Ok(Some(half)) = Process::find(&slot.home.qmp(), id) {
                    end(&half)
                        .await
                        .map_err(|source| fail("a start that failed does not end", source))?;
                }
                return Err(match source.kind() {
                    io::ErrorKind::NotFound => {
                        CallError::unavailable(format!("{} is not installed", self.config.qemu.display()))
                            .cure("install it: `apt-get install qemu-system-x86`")
                    }
                    _ => fail("QEMU did not start", source),
                });
            }
        };
        tracing::info!(machine = %id, name = %wish.name, pid = process.pid, accelerator, "Machine started.");
        let run = self.run(slot, process, wish.generation, &accelerator);
        slot.state().run = Some(run);
        let up = Label { ran: true, ..ended };
        slot.state().label = Some(up.clone());
        let kept = slot.home.write_label(&up);
        kept.map_err(|source| fail("its label cannot be written", source))
    }

    /// Ends a run: by the power button within the limit, else at once.
    async fn stop(&self, slot: &Slot, run: &Run, power_limit: Duration) -> io::Result<()> {
        run.asked.store(true, Ordering::Release);
        let socket = slot.home.qmp();
        // A machine whose CPUs do not run cannot see its button.
        let listens = match qmp::ask(&socket, "query-status").await {
            Ok((status, _)) => status["running"] == true && qmp::ask(&socket, "system_powerdown").await.is_ok(),
            Err(_) => false,
        };
        if !(listens && run.process.ended_within(power_limit).await) {
            if let Err(error) = qmp::ask(&socket, "quit").await {
                tracing::debug!(machine = %slot.id, %error, "QEMU does not take leave.");
            }
            if !run.process.ended_within(QUIT_LIMIT).await {
                end(&run.process).await?;
            }
        }
        slot.state().run = None;
        Ok(())
    }

    /// Sends a probe from inside a machine. Errors: `NotFound`, `Conflict` (it does not run), `Unsupported` (nobody answers on
    /// its guest channel within the limit).
    pub async fn probe(&self, id: ObjectId, probe: &Probe, limit: Duration) -> Outcome<ProbeSeen> {
        self.runs(id)?.channel.probe(probe, limit).await
    }

    /// What a machine's guest knows of itself (name, identity, addresses, routes), through its guest channel. Errors: as
    /// [`Machines::probe`].
    pub async fn facts(&self, id: ObjectId, limit: Duration) -> Outcome<String> {
        self.runs(id)?.channel.facts(limit).await
    }

    fn runs(&self, id: ObjectId) -> Outcome<Arc<Run>> {
        let slot = self.find(id)?;
        slot.running()
            .ok_or_else(|| CallError::conflict(format!("machine {id} does not run")))
    }
}

#[async_trait]
impl MachineKeeper for Machines {
    fn tell_changes_to(&self, tell: Tell) {
        if self.tell.set(tell).is_err() {
            tracing::warn!("Changes of machines are told already; a second listener is ignored.");
        }
    }

    async fn ensure(
        &self,
        id: ObjectId,
        owner: &Owner,
        wish: &MachineWish,
        taps: Vec<TapPlug>,
        space: &Space,
    ) -> Outcome<bool> {
        check::check(wish)?;
        let slot = self.slot(id);
        let _turn = slot.turn.lock().await;
        let running = slot.running();
        if let Some(run) = &running
            && wish.generation < run.generation
        {
            return Err(CallError::stale(format!(
                "machine {id} runs in generation {}, {} is wished",
                run.generation, wish.generation
            )));
        }
        let broken = |source: io::Error| {
            CallError::internal(format!("machine {} ({id}): {source}", wish.name)).caused_by(source)
        };
        match (wish.power, running) {
            (Power::On, Some(run)) if run.generation == wish.generation => {
                note(&slot, owner, wish).map_err(broken)?;
                plug::rejoin(&run.process, &taps).map_err(broken)
            }
            (Power::On, Some(run)) => {
                self.stop(&slot, &run, RESTART_LIMIT).await.map_err(broken)?;
                self.start(&slot, owner, wish, &taps, space).await.map(|()| true)
            }
            (Power::On, None) if has_crashed(&slot, wish) => {
                note(&slot, owner, wish).map_err(broken)?;
                Ok(false)
            }
            (Power::On, None) => self.start(&slot, owner, wish, &taps, space).await.map(|()| true),
            (Power::Off, Some(run)) => {
                // The wish first: should the agent die now, its successor sees a machine that shall be off.
                note(&slot, owner, wish).map_err(broken)?;
                self.stop(&slot, &run, POWER_OFF_LIMIT).await.map_err(broken)?;
                Ok(true)
            }
            (Power::Off, None) => note(&slot, owner, wish).map_err(broken),
        }
    }

    async fn plug_in(&self, id: ObjectId, taps: Vec<TapPlug>) -> Outcome<bool> {
        let Ok(slot) = self.find(id) else { return Ok(false) };
        let _turn = slot.turn.lock().await;
        let Some(run) = slot.running() else { return Ok(false) };
        plug::rejoin(&run.process, &taps).map_err(|source| {
            CallError::internal(format!("machine {id} cannot be plugged in again: {source}")).caused_by(source)
        })
    }

    async fn remove(&self, id: ObjectId) -> Outcome<bool> {
        let slot = self.slot(id);
        let _turn = slot.turn.lock().await;
        let broken = |source: io::Error| {
            CallError::internal(format!("machine {id} cannot be removed: {source}")).caused_by(source)
        };
        let run = slot.state().run.take();
        let mut there = run.is_some();
        if let Some(run) = run {
            run.asked.store(true, Ordering::Release);
            // Asked, QEMU leaves its files in order; a machine that is to vanish needs no more courtesy.
            if qmp::ask(&slot.home.qmp(), "quit").await.is_err() || !run.process.ended_within(QUIT_LIMIT).await {
                end(&run.process).await.map_err(broken)?;
            }
        }
        if let Some(stray) = Process::find(&slot.home.qmp(), id).map_err(broken)? {
            there = true;
            end(&stray).await.map_err(broken)?;
        }
        there |= slot.home.remove().map_err(broken)?;
        self.slots().remove(&id);
        Ok(there)
    }

    async fn observe(&self) -> Outcome<Vec<SeenMachine>> {
        let mut slots: Vec<_> = self.slots().values().cloned().collect();
        slots.sort_by_key(|slot| slot.id);
        Ok(slots.iter().filter_map(|slot| seen(slot)).collect())
    }

    async fn console(&self, id: ObjectId, last_bytes: u32) -> Outcome<String> {
        let slot = self.find(id)?;
        console::tail(
            &slot.home.console_log(),
            u64::from(last_bytes).min(console::LOG_BYTES_MAX),
        )
        .map_err(|source| {
            CallError::internal(format!("the console log of machine {id} cannot be read: {source}")).caused_by(source)
        })
    }

    async fn accelerator(&self) -> String {
        self.accelerator
            .get_or_init(|| accelerator::choose(&self.config))
            .await
            .clone()
    }
}

fn seen(slot: &Slot) -> Option<SeenMachine> {
    let running = slot.running();
    let label = slot.state().label.clone()?;
    let place = running.as_ref().map_or_else(
        || "qemu (not running)".to_owned(),
        |run| format!("qemu {}", run.process.pid),
    );
    let state = match running {
        Some(run) => MachineState::Running {
            accelerator: run.accelerator.clone(),
            generation: run.generation,
        },
        None if label.wish.power == Power::Off => MachineState::Stopped,
        // Being started, or left by an agent that died over it: nothing that ran has crashed, and whoever wishes for it ensures it.
        None if !label.started => MachineState::Stopped,
        None => {
            let tail = console::tail(&slot.home.console_log(), WHY_BYTES).unwrap_or_default();
            MachineState::Crashed {
                why: format!("its process ended; the console's last words: {}", tail.trim()),
            }
        }
    };
    Some(SeenMachine {
        id: slot.id,
        owner: label.owner,
        place,
        state,
    })
}

/// Whether the machine came up in the wished generation, and ended unasked.
fn has_crashed(slot: &Slot, wish: &MachineWish) -> bool {
    slot.state()
        .label
        .as_ref()
        .is_some_and(|label| label.ran && label.wish.power == Power::On && label.run_generation == wish.generation)
}

/// Writes down what is wished; whether it was anything new.
fn note(slot: &Slot, owner: &Owner, wish: &MachineWish) -> io::Result<bool> {
    let mut state = slot.state();
    let label = match &state.label {
        Some(label) if label.owner == *owner && label.wish == *wish => return Ok(false),
        Some(label) => Label {
            owner: owner.clone(),
            wish: wish.clone(),
            ..label.clone()
        },
        None => Label {
            owner: owner.clone(),
            wish: wish.clone(),
            accelerator: String::new(),
            started: false,
            ran: false,
            run_generation: wish.generation,
        },
    };
    slot.home.write_label(&label)?;
    state.label = Some(label);
    Ok(true)
}

/// Asks whoever listens on the machine's socket who it is, and takes hold of it.
async fn identify(slot: &Slot) -> io::Result<Process> {
    let socket = slot.home.qmp();
    let pid = qmp::ask(&socket, "query-uuid").await.map_err(io::Error::other)?.1.pid;
    let nobody = || io::Error::other(format!("who listens at {} is not the machine", socket.display()));
    let process = pid
        .and_then(|pid| Process::hold(pid, &socket, slot.id).transpose())
        .ok_or_else(nobody)??;
    // Asked again with the process in hand: it lives, and it says that it is the machine.
    let (said, peer) = qmp::ask(&socket, "query-uuid").await.map_err(io::Error::other)?;
    match said["UUID"].as_str() {
        Some(uuid) if uuid == slot.id.to_string() && peer.pid == Some(process.pid) => Ok(process),
        _ => Err(nobody()),
    }
}

async fn end(process: &Process) -> io::Result<()> {
    process.kill()?;
    match process.ended_within(KILL_LIMIT).await {
        true => Ok(()),
        false => Err(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("process {} does not end", process.pid),
        )),
    }
}
