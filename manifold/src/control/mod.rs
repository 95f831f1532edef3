//! The control plane: makes the blocks, hands each its neighbours bound to its role, serves their APIs, and ends in order.
//!
//! ```text
//!   Edge (HTTP) ── OSS ──> NFVO <──Or-Vnfm──> VNFM            Dispatcher: outbox ──> engine's waits
//!                            │ Or-Vi  Or-Wi      │ Vi-Vnfm    Traces: gates ──> store
//!                            ▼      ▼            ▼
//!                        VIM (one a PoP)  WIM ─────Nf-Vi──> agent
//!                            └──── Sites: which exist; follow the lab ────┘
//! ```

mod agent;
mod api;
mod clients;
mod dispatcher;
mod images;
mod lab;
mod metrics;
mod openapi;
mod plane;
mod sites;
#[cfg(test)]
mod tests;
mod traces;

pub use api::{LabText, ProbeFrom, ProbeRequest};
pub use plane::Plane;
