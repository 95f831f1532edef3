use crate::{ConsoleAsk, KindName, MachineState, ObjectId, Owner, ProbeAsk, ProbeSeen, Wish};
use manifold_call::{CallError, Subject, interface};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

interface! {
    /// Hosts, links, virtual networks, machines (Nf-Vi, ours). Producer: the host agent.
    pub trait Infrastructure as BoundInfrastructure by Nfvi {
        /// Makes, or mends, everything that is wished; what is already so is left alone, and no other object is touched. Answers
        /// with one report for each wish, in their order: one that failed does not stop those that do not depend on it.
        /// Errors: `Invalid` (a wish contradicts itself or names an object that is neither wished nor there).
        async fn ensure(wishes: Vec<Wish>) -> Vec<Report>;

        /// Removes these and whatever hangs on them (a node's links, a segment's ports). Absent is success. Goes on after a
        /// failure and reports each.
        async fn remove(ids: Vec<ObjectId>) -> Vec<Report>;

        /// What is there, read from the kernel and the machines, not from memory.
        async fn observe(filter: Filter) -> Vec<Seen>;

        /// Waits until something of ours changed without being asked (an object vanished, a machine ended or came up), or the
        /// context's deadline passes; then tells which. Pass the last answer's `cursor` to miss nothing; a cursor from before
        /// the agent's start answers at once with `lost`, and the consumer observes anew.
        async fn changes(since: Cursor) -> Changes;

        /// The end of a machine's console log.
        async fn console(ask: ConsoleAsk) -> String;

        /// Sends packets from inside a node or a machine. Errors: `Unsupported` (the machine's image has no guest channel).
        async fn probe(ask: ProbeAsk) -> ProbeSeen;

        /// What the machine under the agent can do.
        async fn capabilities(ask: ()) -> Capabilities;
    }
}

/// What became of one wish, or one removal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Which.
    pub id: ObjectId,
    /// `None` when it is as wished (or gone, for a removal).
    pub failure: Option<CallError>,
    /// Whether anything had to be done.
    pub changed: bool,
}

/// Which objects to look at; `Filter::default()` is all of ours.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Filter {
    /// Only this manager's.
    pub manager: Option<String>,
    /// Only these; empty = all.
    pub ids: Vec<ObjectId>,
    /// Only these kinds; empty = all.
    pub kinds: Vec<KindName>,
}

impl Subject for Filter {
    fn subject(&self) -> String {
        self.manager.clone().unwrap_or_default()
    }
}

/// An object that is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// Which.
    pub id: ObjectId,
    /// Whose.
    pub owner: Owner,
    /// What.
    pub kind: KindName,
    /// What people look for with `ip`, `nft` or `ps`: namespace, interface, process.
    pub place: String,
    /// For a machine.
    pub machine: Option<MachineState>,
}

/// Where a consumer stands in the stream of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cursor {
    /// The agent's start, as it told; 0 = none yet.
    pub epoch: u64,
    /// Position since then.
    pub position: u64,
}

impl Subject for Cursor {
    fn subject(&self) -> String {
        String::new()
    }
}

/// What changed unasked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Changes {
    /// Pass this next time.
    pub cursor: Cursor,
    /// Objects to look at again. May name objects in which nothing is amiss.
    pub ids: Vec<ObjectId>,
    /// True when changes may have been missed: look at everything.
    pub lost: bool,
}

/// What the machine under the agent offers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Capabilities {
    /// Logical CPUs.
    pub cpus: u32,
    /// In mebibytes.
    pub memory_mib: u64,
    /// `kvm` when a machine really booted with it, else `tcg`.
    pub accelerator: String,
    /// The agent's program version.
    pub version: String,
}
