//! An infrastructure in memory, for tests: it keeps what it is asked for, holds that what is named is there, can be told to
//! fail, and changes unasked when a test says so.

#![allow(dead_code)]

use async_trait::async_trait;
use manifold_call::{CallError, Context, Outcome};
use manifold_nfvi_interface::*;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::{Notify, watch};

/// What goes wrong with the next `ensure` or `remove`.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// Nothing is done, and the call fails.
    Refused,
    /// Everything is done, and the answer is lost.
    Lost,
    /// The wishes of this kind fail, the others are made.
    Kind(KindName),
    /// Nothing is wrong this time.
    None,
}

#[derive(Default)]
struct State {
    there: BTreeMap<ObjectId, Wish>,
    machines: BTreeMap<ObjectId, MachineState>,
    starting: BTreeSet<ObjectId>,
    ensure_faults: VecDeque<Fault>,
    remove_faults: VecDeque<Fault>,
    stuck: Option<ObjectId>,
    ensures: Vec<Vec<Wish>>,
    removes: Vec<Vec<ObjectId>>,
    epoch: u64,
    position: u64,
    changed: Vec<(u64, ObjectId)>,
}

pub(crate) struct Outside {
    state: Mutex<State>,
    told: Notify,
    gate: watch::Sender<bool>,
}

impl Outside {
    pub(crate) fn new() -> Arc<Self> {
        let state = State {
            epoch: 1,
            ..State::default()
        };
        Arc::new(Self {
            state: Mutex::new(state),
            told: Notify::new(),
            gate: watch::channel(true).0,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn fail_ensure(&self, faults: impl IntoIterator<Item = Fault>) {
        self.state().ensure_faults.extend(faults);
    }

    pub(crate) fn fail_remove(&self, faults: impl IntoIterator<Item = Fault>) {
        self.state().remove_faults.extend(faults);
    }

    /// The next removal of this object fails.
    pub(crate) fn fail_remove_of(&self, id: ObjectId) {
        self.state().stuck = Some(id);
    }

    /// Calls to `ensure` wait until the gate is opened again.
    pub(crate) fn close_gate(&self) {
        self.gate.send_replace(false);
    }

    pub(crate) fn open_gate(&self) {
        self.gate.send_replace(true);
    }

    pub(crate) fn there(&self) -> BTreeMap<ObjectId, Wish> {
        self.state().there.clone()
    }

    pub(crate) fn of_kind(&self, kind: KindName) -> Vec<Wish> {
        self.there()
            .into_values()
            .filter(|wish| wish.kind.name() == kind)
            .collect()
    }

    pub(crate) fn ensures(&self) -> usize {
        self.state().ensures.len()
    }

    pub(crate) fn removes(&self) -> usize {
        self.state().removes.len()
    }

    /// How often this object was asked for.
    pub(crate) fn asked_for(&self, id: ObjectId) -> usize {
        self.state()
            .ensures
            .iter()
            .flatten()
            .filter(|wish| wish.id == id)
            .count()
    }

    /// Somebody else's object, or a stray one of ours.
    pub(crate) fn place(&self, wish: Wish) {
        self.state().there.insert(wish.id, wish);
    }

    /// Somebody removes it by hand.
    pub(crate) fn take_away(&self, id: ObjectId) {
        let mut state = self.state();
        state.there.remove(&id);
        state.machines.remove(&id);
        state.tell(id);
        drop(state);
        self.told.notify_waiters();
    }

    pub(crate) fn crash(&self, machine: ObjectId) {
        let mut state = self.state();
        state.machines.insert(
            machine,
            MachineState::Crashed {
                why: "kernel panic".into(),
            },
        );
        state.tell(machine);
        drop(state);
        self.told.notify_waiters();
    }

    /// Until it is asked for, the machine is seen as one that has not come up.
    pub(crate) fn is_starting(&self, machine: ObjectId) {
        self.state().starting.insert(machine);
    }

    /// What a machine does.
    pub(crate) fn machine(&self, id: ObjectId) -> Option<MachineState> {
        self.state().machines.get(&id).cloned()
    }

    /// The whole machine starts anew: nothing is there any more.
    pub(crate) fn reboot(&self) {
        let mut state = self.state();
        state.there.clear();
        state.machines.clear();
        state.changed.clear();
        state.epoch += 1;
        drop(state);
        self.told.notify_waiters();
    }
}

impl State {
    fn tell(&mut self, id: ObjectId) {
        self.position += 1;
        self.changed.push((self.position, id));
    }

    /// Asked for again in the same generation, a machine that crashed stays as it is.
    fn has_crashed(&self, id: ObjectId, machine: &MachineWish) -> bool {
        let crashed = matches!(self.machines.get(&id), Some(MachineState::Crashed { .. }));
        let before = self.there.get(&id).map(|wish| &wish.kind);
        let same = matches!(before, Some(WishKind::Machine(before)) if before.generation == machine.generation);
        crashed && same && machine.power == Power::On
    }

    fn missing(&self, wish: &Wish, asked: &BTreeSet<ObjectId>) -> Option<ObjectId> {
        let needs: Vec<ObjectId> = match &wish.kind {
            WishKind::Port(port) => vec![port.segment],
            WishKind::Router(router) => router.legs.iter().map(|leg| leg.segment).collect(),
            WishKind::Machine(machine) => machine.interfaces.clone(),
            WishKind::Stitch(stitch) => vec![stitch.segment],
            _ => Vec::new(),
        };
        needs
            .into_iter()
            .find(|id| !asked.contains(id) && !self.there.contains_key(id))
    }
}

fn report(id: ObjectId, failure: Option<CallError>) -> Report {
    Report {
        id,
        failure,
        changed: true,
    }
}

#[async_trait]
impl Infrastructure for Outside {
    async fn ensure(&self, _: &Context, wishes: Vec<Wish>) -> Outcome<Vec<Report>> {
        let mut gate = self.gate.subscribe();
        gate.wait_for(|open| *open).await.unwrap();
        let mut state = self.state();
        state.ensures.push(wishes.clone());
        let fault = state.ensure_faults.pop_front().unwrap_or(Fault::None);
        if matches!(fault, Fault::Refused) {
            return Err(CallError::unavailable("the agent does not answer"));
        }
        let asked: BTreeSet<ObjectId> = wishes.iter().map(|wish| wish.id).collect();
        let mut reports = Vec::new();
        let mut sorted = wishes;
        sorted.sort_by_key(|wish| wish.kind.name());
        for wish in sorted {
            if matches!(fault, Fault::Kind(kind) if kind == wish.kind.name()) {
                reports.push(report(wish.id, Some(CallError::exhausted("the kernel has no room"))));
                continue;
            }
            if let Some(missing) = state.missing(&wish, &asked) {
                let why = format!("{} names {missing}, which is not there", wish.id);
                reports.push(report(wish.id, Some(CallError::invalid(why))));
                continue;
            }
            if let WishKind::Machine(machine) = &wish.kind {
                if state.has_crashed(wish.id, machine) {
                    reports.push(Report {
                        changed: false,
                        ..report(wish.id, None)
                    });
                    continue;
                }
                let now = match machine.power {
                    Power::On => MachineState::Running {
                        accelerator: "tcg".into(),
                        generation: machine.generation,
                    },
                    Power::Off => MachineState::Stopped,
                };
                state.machines.insert(wish.id, now);
            }
            let id = wish.id;
            state.starting.remove(&id);
            let before = state.there.insert(id, wish);
            reports.push(Report {
                changed: before.as_ref() != state.there.get(&id),
                ..report(id, None)
            });
        }
        match fault {
            Fault::Lost => Err(CallError::timed_out("no answer in time")),
            _ => Ok(reports),
        }
    }

    async fn remove(&self, _: &Context, ids: Vec<ObjectId>) -> Outcome<Vec<Report>> {
        let mut state = self.state();
        state.removes.push(ids.clone());
        let fault = state.remove_faults.pop_front().unwrap_or(Fault::None);
        if matches!(fault, Fault::Refused) {
            return Err(CallError::unavailable("the agent does not answer"));
        }
        let mut reports = Vec::new();
        for id in ids {
            let kind = state.there.get(&id).map(|wish| wish.kind.name());
            let stuck = state.stuck.take_if(|stuck| *stuck == id).is_some();
            if stuck || matches!(fault, Fault::Kind(faulty) if Some(faulty) == kind) {
                reports.push(report(id, Some(CallError::internal("the kernel would not"))));
                continue;
            }
            state.there.remove(&id);
            state.machines.remove(&id);
            reports.push(report(id, None));
        }
        match fault {
            Fault::Lost => Err(CallError::timed_out("no answer in time")),
            _ => Ok(reports),
        }
    }

    async fn observe(&self, _: &Context, filter: Filter) -> Outcome<Vec<Seen>> {
        let state = self.state();
        let wanted = |wish: &&Wish| {
            filter
                .manager
                .as_ref()
                .is_none_or(|manager| *manager == wish.owner.manager)
                && (filter.ids.is_empty() || filter.ids.contains(&wish.id))
        };
        let seen = state.there.values().filter(wanted).map(|wish| Seen {
            id: wish.id,
            owner: wish.owner.clone(),
            kind: wish.kind.name(),
            place: String::new(),
            machine: match state.machines.get(&wish.id) {
                Some(_) if state.starting.contains(&wish.id) => Some(MachineState::Stopped),
                does => does.cloned(),
            },
        });
        Ok(seen.collect())
    }

    async fn changes(&self, cx: &Context, since: Cursor) -> Outcome<Changes> {
        loop {
            let told = self.told.notified();
            tokio::pin!(told);
            told.as_mut().enable();
            {
                let state = self.state();
                let cursor = Cursor {
                    epoch: state.epoch,
                    position: state.position,
                };
                if since.epoch != state.epoch {
                    return Ok(Changes {
                        cursor,
                        ids: Vec::new(),
                        lost: true,
                    });
                }
                let new = state.changed.iter().filter(|(position, _)| *position > since.position);
                let ids: Vec<ObjectId> = new.map(|(_, id)| *id).collect();
                if !ids.is_empty() {
                    return Ok(Changes {
                        cursor,
                        ids,
                        lost: false,
                    });
                }
            }
            if tokio::time::timeout(cx.deadline.remaining(), told).await.is_err() {
                return Ok(Changes {
                    cursor: since,
                    ids: Vec::new(),
                    lost: false,
                });
            }
        }
    }

    async fn console(&self, _: &Context, ask: ConsoleAsk) -> Outcome<String> {
        Ok(format!("console of {}", ask.machine))
    }

    async fn probe(&self, _: &Context, _: ProbeAsk) -> Outcome<ProbeSeen> {
        Err(CallError::unsupported("nothing moves here"))
    }

    async fn capabilities(&self, _: &Context, (): ()) -> Outcome<Capabilities> {
        Ok(Capabilities {
            cpus: 2,
            memory_mib: 4_096,
            accelerator: "tcg".into(),
            version: "test".into(),
        })
    }
}
