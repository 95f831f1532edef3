//! Nf-Vi (GS NFV 006 5.4.7): what a VIM, a WIM and the lab ask of the infrastructure. ETSI leaves this reference point to
//! implementations; this one is ours. Producer: the host agent (`nfvi/host`).
//!
//! The consumer owns the wish, the producer reports what it sees. A wish names an object by an [`ObjectId`] that the consumer
//! chose beforehand, so a lost answer leaks nothing: `ensure` the same wishes again, or `remove` the ids.
//!
//! ```text
//!   Node (a host, a gateway, a switch, the WAN, a physical function: a network namespace)
//!     ├── Cable ────────> Node            a point-to-point link between two nodes, with addresses and MTU
//!     ├── Switch                          a plain bridge in a node, joining cables: a PoP's underlay, a provider network, the WAN
//!     ├── Segment                         a virtual network's presence on a node: bridge + VXLAN to its peers (or a cable/VLAN-less
//!     │     │                             uplink into a provider network)
//!     │     ├── Port                      where something plugs in: a tap for a machine, a veth into a function or a probe
//!     │     └── Port …
//!     ├── Router ───────> Segment, Segment   forwards between the segments that it names, and no others
//!     ├── Stitch ───────> Segment         at a gateway: joins a virtual network to a WAN service (VXLAN over the WAN, rate-limited)
//!     └── Machine ──────> Port …          a QEMU machine with its disks, user data and console
//! ```
//!
//! Every object carries its [`Owner`] as a label on the kernel object itself; nothing without the label is ever touched.
//! Within one `ensure`, order does not matter: the producer makes things in the order in which they depend on each other.

mod infrastructure;
mod inventory;
mod machine;
mod network;
mod node;
mod probe;
mod traffic;
mod wish;

pub use infrastructure::*;
pub use inventory::*;
pub use machine::*;
pub use network::*;
pub use node::*;
pub use probe::*;
pub use traffic::*;
pub use wish::*;
