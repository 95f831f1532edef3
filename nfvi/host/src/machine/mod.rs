//! Machines: QEMU, started, watched and ended.
//!
//! ```text
//!   ensure ─ check ─ label (home) ─ open taps, image, seed ─ launch ─ QMP: who are you? ─> Run { process, console, channel }
//!   observe ── the process's descriptor (pidfd)                remove ── QMP quit, else SIGKILL by descriptor; files go
//! ```
//!
//! What is kept is the label in the run directory; all else is read from the processes. An agent that starts adopts what runs:
//! a label, and a QEMU that answers on the label's socket with the machine's id as its UUID.
//!
//! When a machine is started: when it is wished on and does not run: it never ran, it was off, its machine was rebooted, its start
//! failed. One that came up and ended unasked has crashed: that is told by a change and by `observe` (`Crashed`), and it stays so
//! until a higher generation is wished. Healing is the decision of whoever wishes, and `ensure` may be repeated at any time
//! without taking that decision. A machine whose start did not come to its end is `Stopped`: nothing that ran has crashed. A
//! machine that runs is left alone unless the generation rose; anything else that is wished differently (memory, disk, user data)
//! is noted and holds from its next start on.
//!
//! Off is asked for at the power button; a guest that does not listen is ended after a while.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod accelerator;
mod channel;
mod check;
mod console;
mod home;
mod keeper;
mod launch;
mod overlay;
mod plug;
mod prepare;
mod process;
mod qmp;
mod seed;

pub use accelerator::Accelerator;
pub use keeper::Machines;
pub use qmp::QmpError;

use std::path::PathBuf;

/// How machines are kept.
#[derive(Debug, Clone)]
pub struct MachineConfig {
    /// For labels, sockets and logs; gone with a reboot.
    pub run_dir: PathBuf,
    /// For what machines wrote to their disks; outlives a reboot.
    pub disk_dir: PathBuf,
    /// KVM or emulation.
    pub accelerator: Accelerator,
    /// What is booted to try KVM; without it, `Auto` is emulation.
    pub trial: Option<Trial>,
    /// QEMU's user and group; `None` = the agent's own.
    pub user: Option<(u32, u32)>,
    /// QEMU's program.
    pub qemu: PathBuf,
    /// Make machines without running their CPUs: they are up in 50 ms, answer QMP, and never boot. For trying out faults.
    pub paused: bool,
}

/// A guest that tells on its console when it is up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// See [`manifold_nfvi_interface::Boot::Kernel`].
    pub kernel: PathBuf,
    /// See [`manifold_nfvi_interface::Boot::Kernel`].
    pub initramfs: PathBuf,
    /// What it prints.
    pub ready_mark: String,
}

impl MachineConfig {
    /// Machines of an agent with this run directory: QEMU from the path, as the user `manifold-machine` where there is one, else
    /// as `nobody`; as the agent's own user when the agent is not root and so cannot choose.
    pub fn new(run_dir: PathBuf, disk_dir: PathBuf) -> Self {
        Self {
            run_dir,
            disk_dir,
            accelerator: Accelerator::Auto,
            trial: None,
            user: standard_user(),
            qemu: "qemu-system-x86_64".into(),
            paused: false,
        }
    }
}

/// `nobody` of every Linux distribution.
const NOBODY: (u32, u32) = (65_534, 65_534);

fn standard_user() -> Option<(u32, u32)> {
    if !nix::unistd::geteuid().is_root() {
        return None;
    }
    match nix::unistd::User::from_name("manifold-machine") {
        Ok(Some(user)) => Some((user.uid.as_raw(), user.gid.as_raw())),
        _ => Some(NOBODY),
    }
}
