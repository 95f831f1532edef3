//! Lifecycle operations: how a block changes many things outside it, one after the other or side by side, so that it
//! can crash anywhere, be cancelled anywhere, and be undone.
//!
//! ```text
//!   Registry >── Operation ──plan(params)──> Plan >── Step: find, act, undo
//!                    │
//!   Engine ──start──> Occurrence ──< journal of steps      one at a time for each subject
//!      │                  └──> state and tasks as ETSI's machines have them
//!      └──> outbox: one row for each change of state
//! ```
//!
//! What holds:
//! * What a step will make has its identity ([`StepCx::identity`]) before the step acts, and the intent to act is
//!   durable before the effect. After a crash `find` looks for that identity; nothing is made twice, nothing leaks.
//! * Nothing is held while a step waits: no lock, no transaction, no thread. A wait is journaled, and lost signals are
//!   made up for.
//! * A plan depends on the parameters alone, so it is the same after a restart. A journal of an operation that this
//!   program does not know is parked, never misread.
//! * Undoing goes backwards through the plan, goes on after a failure, and may be repeated.
//! * Commits are counted: those steps that become ready together cost one, which also carries the results that made
//!   them ready; the end of an operation (results, documents, state, notification, lock) is one.

mod context;
mod drive;
mod engine;
mod error;
#[cfg(feature = "fault")]
pub mod fault;
mod journal;
mod machine;
mod metrics;
mod occurrence;
mod operation;
mod plan;
mod recover;
mod running;
mod signal;
mod step;
mod tasks;

pub use context::StepCx;
pub use engine::{Engine, Stopped};
pub use error::{EngineError, Problem, Severity, StepError};
pub use machine::{CancelMode, Machine, NotificationStatus, State, Task};
pub use metrics::Metrics;
pub use occurrence::{
    LcmNotification, OCCURRENCE, Occurrence, OccurrenceFilter, OccurrencePage, OccurrenceView, OnFailure, Start,
    StepState, StepView, SubjectRef,
};
pub use operation::{Ending, Operation, Outputs, Registry, RegistryError};
pub use plan::{Plan, PlanError, StepHandle, StepInPlan};
pub use recover::{Parked, Recovered};
pub use step::{Found, Progress, Step, UndoProgress, Wait};

/// The topic of this crate's rows in the store's outbox; their bodies are [`LcmNotification`]s.
pub const OUTBOX_TOPIC: &str = "lcm";
