//! Campaigns against the whole program, from outside: it is started, killed, rebooted and broken by hand as an operator's machine
//! would be, and judged by its answers, by packets and by the kernel's tools.
//!
//! ```text
//!   campaign chaos|reboot|drift|random ─┐                     ┌─ manifold agent, manifold up  (Cluster: started, killed, asked)
//!   tests of the program ───────────────┴─> namespaces, init ─┤
//!                                           that reaps        └─ ping, numbered               (Stream: no number is missing)
//! ```
//!
//! This is test code: whatever is not as it shall be panics with what was found; a [`Cluster`] that is dropped by a panic prints the
//! ends of its logs first. Nothing outlives the PID namespace of the test.

mod break_by_hand;
mod chance;
mod chaos;
mod cluster;
mod command;
mod drift;
mod init;
mod life;
mod random;
mod reboot;
mod stream;
mod update;
mod wait;

pub use chance::Chance;
pub use chaos::{Chaos, chaos};
pub use cluster::{COMMAND, Cluster, Victim};
pub use command::{Answer, Running};
pub use drift::drift;
pub use init::{Work, main, under_init};
pub use life::{Objects, Operations, Services, each, kernel, objects, state_of, text};
pub use random::{Prober, Random, random};
pub use reboot::reboot;
pub use stream::{Stream, answers};
pub use update::update;
pub use wait::wait_for;
