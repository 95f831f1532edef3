//! The privileged host agent: everything that touches the kernel. Produces Nf-Vi (`manifold_nfvi_interface`).
//!
//! ```text
//!   Agent ── ensure, remove, observe, changes ──> per node: Space (namespace + its thread) ──> netlink batches, nft, sysctls
//!     │                                                                                        
//!     ├──> seams::MachineKeeper (machine: QEMU)      ├──> watch (one thread: kernel events, DHCP)
//!     └──> seams::Prober (probe)                     └──> labels (<run>/objects: what each object was wished to be)
//! ```

pub mod kernel;
pub mod machine;
pub mod probe;
pub mod seams;
mod space;

pub use space::{Space, SpaceError};
