//! Where the agent's core meets machines and probes: it knows these traits and nothing of QEMU.

use crate::Space;
use async_trait::async_trait;
use manifold_call::Outcome;
use manifold_nfvi_interface::{MacAddr, MachineState, MachineWish, ObjectId, Owner, ProbeAsk, ProbeSeen};
use std::sync::Arc;

/// A tap that a machine shall have. It exists, persistent, up and guarded; whoever starts the machine opens it with
/// [`Space::open_tap`] (a tap has one queue: opening one that a running machine holds gives `ResourceBusy`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TapPlug {
    /// The port.
    pub port: ObjectId,
    /// The tap's name in the machine's space.
    pub interface: String,
    /// What the machine's interface shall carry.
    pub mac: MacAddr,
    /// The network's MTU.
    pub mtu_bytes: u32,
}

/// A machine that is there, running or not.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenMachine {
    /// Which.
    pub id: ObjectId,
    /// Whose, as the machine's own label says.
    pub owner: Owner,
    /// The process, for people: `qemu 4711`.
    pub place: String,
    /// What it does.
    pub state: MachineState,
}

/// Called with a machine's id whenever it ended, came up or changed unasked. Must not block.
pub type Tell = Arc<dyn Fn(ObjectId) + Send + Sync>;

/// Keeps machines. Built before the agent, with its own part of the run directory; adopts what runs when it is built.
#[async_trait]
pub trait MachineKeeper: Send + Sync {
    /// Where unasked changes are told; the agent calls it once, before anything else.
    fn tell_changes_to(&self, tell: Tell);

    /// Makes the machine as wished: started, stopped, or afresh when the generation rose. Answers whether anything was done.
    async fn ensure(
        &self,
        id: ObjectId,
        owner: &Owner,
        wish: &MachineWish,
        taps: Vec<TapPlug>,
        space: &Space,
    ) -> Outcome<bool>;

    /// Plugs a machine that runs into its taps again, where one was deleted under it and made anew. Answers whether anything was
    /// done; a machine that does not run gets its taps at its start.
    async fn plug_in(&self, _id: ObjectId, _taps: Vec<TapPlug>) -> Outcome<bool> {
        Ok(false)
    }

    /// Ends it and removes its files; absent is success (false).
    async fn remove(&self, id: ObjectId) -> Outcome<bool>;

    /// All that are there, read from the processes.
    async fn observe(&self) -> Outcome<Vec<SeenMachine>>;

    /// The end of its console log. Errors: `NotFound`.
    async fn console(&self, id: ObjectId, last_bytes: u32) -> Outcome<String>;

    /// `kvm` when a machine really booted with it, else `tcg`.
    async fn accelerator(&self) -> String;
}

/// From where a probe's packets are sent.
#[derive(Debug, Clone)]
pub enum ProbeFrom {
    /// A node's namespace.
    Node(Space),
    /// A machine, through its guest channel.
    Machine(ObjectId),
}

/// Sends probes.
#[async_trait]
pub trait Prober: Send + Sync {
    /// See [`manifold_nfvi_interface::Infrastructure::probe`].
    async fn probe(&self, ask: &ProbeAsk, from: ProbeFrom) -> Outcome<ProbeSeen>;
}
