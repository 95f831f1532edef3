//! The privileged host agent: everything that touches the kernel. Produces Nf-Vi (`manifold_nfvi_interface`).
//!
//! ```text
//!   Agent ─ ensure, remove, observe, changes
//!     │  wishes ──> kinds (pure: which links?) ──> mend (pure: which requests?) ──> Place: Space (namespace + thread), netlink, nft
//!     ├──> watch   one thread: what the kernel tells of all namespaces; DHCP
//!     ├──> label   <run>/objects/<id>.json: what each object was wished to be; an alias on each link: whose it is
//!     ├──> service processes of physical functions
//!     └──> seams   MachineKeeper (machine: QEMU), Prober (probe)
//! ```
//!
//! Kept in memory: the wishes (read again from their files at start), the namespaces' threads and sockets, and what nftables held
//! at its last generation. Everything else is read from the kernel when it is needed. Nothing without our label is touched.

mod agent;
mod dhcp;
pub mod floor;
mod guard;
pub mod kernel;
mod kinds;
mod label;
pub mod machine;
mod mend;
mod netlink;
mod place;
pub mod probe;
mod request;
pub mod seams;
pub mod service;
mod space;
mod tool;
mod traffic;
mod want;
mod watch;

pub use agent::{Agent, AgentConfig, AgentError};
pub use space::{Space, SpaceError};
