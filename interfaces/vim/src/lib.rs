//! Or-Vi, Vi-Vnfm and CCM–VIM: the virtualised resources of one NFVI-PoP (GS NFV-IFA 005, GS NFV-IFA 006, GS NFV-IFA 052).
//! Producer: VIM. Which consumer may call which operation is policy (`manifold_call::Policy`), not part of the interface.
//!
//! ```text
//!   tenant ─< network ─< subnet            zone ─< host
//!      │         └────< port ──────> compute ───────┘        ─< owns many    ──> refers to
//!      ├───< affinity group <───────── compute               provider network <── network (one at most)
//!      └───< flavour, image <───────── compute               network <──connected──> network (a router joins them)
//!   tenant ─< forwarding path ──> port, port, …       tenant ─< traffic rule ──> network, port
//! ```
//!
//! A network with subnets or ports, and a port that a compute resource uses, cannot be terminated: `Conflict` names what is in
//! the way. Operations that make something are idempotent by the context's key: the same key again answers with the first
//! result. Names and cardinalities are IFA 005's; what IFA 005 leaves open and we had to decide is marked "ours".

mod compute;
mod directory;
mod flavour;
mod image;
mod network;
mod nfp;
mod topology;
mod traffic;

pub use compute::*;
pub use directory::*;
pub use flavour::*;
pub use image::*;
pub use network::*;
pub use nfp::*;
pub use topology::*;
pub use traffic::*;

use manifold_call::Subject;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Key-value pairs that the consumer attaches; the VIM keeps them and gives them no meaning.
pub type Metadata = std::collections::BTreeMap<String, String>;

/// A query's filter: SOL013's attribute filter over the answer's JSON form (`(eq,networkType,vxlan)`), which every member of the
/// answer must match. Empty = everything of the tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueryFilter {
    /// In SOL013 5.2.2's syntax. Only `eq`, `neq`, `in`, `nin`, `cont`, `ncont`.
    pub filter: String,
}

impl Subject for QueryFilter {
    fn subject(&self) -> String {
        self.filter.clone()
    }
}

/// Whether a resource works (IFA 005 8.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum OperationalState {
    /// It does.
    Enabled,
    /// It does not: not made yet, or broken and being mended.
    Disabled,
}
