//! Speed and size: each figure beside its floor, both measured in the same run, because a machine that is busy is slow for both.
//!
//! ```text
//!   cargo bench -p manifold-benches [-- NAME…] [--json]
//!
//!   main ──(itself again, one process for each stage)──> stage ── "figure {…}", "skip …" on standard output
//!                                                          │
//!     store, lcm, lifecycle   a folder on a disk ──────────┤
//!     nemo, nemo_…            nothing but memory ──────────┤
//!     realise, up, machine    PID, network and mount namespaces of their own besides; the kernel ends what they leave
//! ```
//!
//! What is measured alternates with its floor, after a warm-up; the figure is the median. What cannot run is named, with what it
//! lacks. Nothing stays behind: the folder goes with its stage, however that ends.

mod bare;
mod chain;
mod commits;
mod figure;
mod ground;
mod idle_vim;
mod lifecycle;
mod machine;
mod nemo;
mod nemo_check;
mod nemo_compile;
mod nemo_content;
mod nemo_memory;
mod realise;
mod stage;
mod up;

pub use stage::main;
