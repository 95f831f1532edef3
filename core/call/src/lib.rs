//! How functional blocks call each other: the context of a call, the kinds of failure, who may call what, and the record of it.
//!
//! ```text
//!   consumer ──(role-bound handle)──> Gate ── may this role call this operation? (policy, as data)
//!                                      │
//!                                      ├── no ──> CallError{Forbidden}, traced as refused
//!                                      └── yes ─> producer ──> traced: who, whom, what, subject, when, how long, outcome
//! ```
//!
//! An interface is declared once, with [`interface!`]: that gives the trait, the list of its operations, and the decorator
//! that binds a handle to a role. A block is handed bound handles when it is composed; the [`Context`] that it passes as an
//! argument carries no authority, so nothing that a callee or a caller writes there can forge one.

mod context;
mod error;
mod gate;
mod ids;
mod interface;
pub mod policy;
mod role;
mod subject;
mod trace;

pub use context::{Context, Deadline, IdempotencyKey, TraceParent};
pub use error::{CallError, ErrorKind, Outcome};
pub use gate::Gate;
pub use ids::{OccurrenceId, TenantId};
pub use policy::Policy;
pub use role::Role;
pub use subject::Subject;
pub use trace::{TraceRecord, TraceSource, Tracer};

/// What the macros of this crate need; not for direct use.
#[doc(hidden)]
pub mod macros {
    pub use crate::ids::{text_schema, uuid_schema};
    pub use async_trait::async_trait;
    pub use serde;
    pub use utoipa;
    pub use uuid;
}

pub use uuid::Uuid;
