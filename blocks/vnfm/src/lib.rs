//! VNFM: the lifecycle of VNF instances (GS NFV 006 5.3.2), offered on Or-Vnfm; it asks the NFVO for grants and the VIMs for
//! resources (Vi-Vnfm).
//!
//! ```text
//!   Vnfm ──start──> engine ──> operation ──> steps ──┬─grant────> NFVO
//!    │                                               └─resources─> VIM, by the labels "manifold:vnf", "manifold:key"
//!    └─< VNF instance ──> descriptor                                   ─< owns many    ──> refers to
//!             ├─< VNFC ──> machine ─< port
//!             └─< internal link ──> network
//! ```
//!
//! What it keeps: one document for each instance (`instance.rs` has its form), which an operation writes once when it ends. What it
//! does not keep is the state of resources: that is asked of the VIM when it matters. Every resource carries the instance's
//! identifier as a label, so that what an operation made and never recorded is still found by termination.
//!
//! One file for each operation: parameters, what is refused, plan, what is written at the end, tests. The steps that several
//! operations share stand with what they make: `grant.rs`, `network.rs`, `port.rs`, `machine.rs`.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test ends at what it did not expect"))]

mod connectivity;
mod create;
mod delete;
mod grant;
mod heal;
mod instance;
mod instantiate;
mod label;
mod layout;
mod machine;
mod neighbours;
mod network;
mod occurrence;
mod port;
mod scale;
mod start;
mod terminate;
#[cfg(test)]
mod testing;
mod vnfc;
mod vnfm;

pub use instance::INSTANCE;
pub use neighbours::Neighbours;
pub use vnfm::{Vnfm, VnfmConfig};
