//! The NFVO's interfaces: Os-Ma-nfvo (GS NFV-IFA 013, SOL005) towards the OSS, and its side of Or-Vnfm (GS NFV-IFA 007, SOL003:
//! granting, packages) towards the VNFM. Producer: NFVO.
//!
//! ```text
//!   NSD ──> VNF package, PNFD, nested NSD         NS instance ──> NSD
//!                                                      ├─< VNF instance (at a VNFM)
//!                                                      ├─< PNF, SAP
//!                                                      └─< NS virtual link ──> network (one for each PoP), MSCS (between PoPs)
//! ```
//!
//! What an NSD or an instance uses cannot be deleted: `Conflict` names who uses it.

mod event;
mod granting;
mod lifecycle;
mod package;
mod script;
mod topology;
mod update;

pub use event::ns_operation_event;
pub use granting::*;
pub use lifecycle::*;
pub use package::*;
pub use script::*;
pub use topology::*;
pub use update::*;
