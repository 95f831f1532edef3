//! QEMU's process: found by its arguments, held by a descriptor (pidfd), so that a reused number is never mistaken for it.

use manifold_nfvi_interface::ObjectId;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rustix::process::{
    Pid, PidfdFlags, PidfdGetfdFlags, Signal, WaitId, WaitIdOptions, pidfd_getfd, pidfd_open, pidfd_send_signal, waitid,
};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A process of ours.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    fd: Arc<AsyncFd<OwnedFd>>,
}

impl Process {
    /// Takes hold of a process if it is the QEMU of this machine: its arguments name the machine's own socket. Needs a runtime.
    pub(crate) fn hold(pid: i32, qmp: &Path, id: ObjectId) -> io::Result<Option<Self>> {
        let Some(number) = Pid::from_raw(pid) else {
            return Ok(None);
        };
        let fd = match pidfd_open(number, PidfdFlags::NONBLOCK) {
            Err(rustix::io::Errno::SRCH) => return Ok(None),
            fd => fd?,
        };
        // Read after the descriptor was taken: what it says is said of the process that we hold.
        if !is_machine(pid, qmp, id) {
            return Ok(None);
        }
        #[allow(
            deprecated,
            reason = "its replacement is unsafe; what it guards against, a descriptor that is closed early, an OwnedFd excludes"
        )]
        let fd = Arc::new(AsyncFd::with_interest(fd, Interest::READABLE)?);
        Ok(Some(Self { pid, fd }))
    }

    /// Looks through all processes for a machine's.
    pub(crate) fn find(qmp: &Path, id: ObjectId) -> io::Result<Option<Self>> {
        for entry in std::fs::read_dir("/proc")? {
            let Ok(entry) = entry else { continue };
            if let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok())
                && is_machine(pid, qmp, id)
                && let Some(process) = Self::hold(pid, qmp, id)?
            {
                return Ok(Some(process));
            }
        }
        Ok(None)
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&self) -> bool {
        let mut fds = [PollFd::new(self.fd.get_ref().as_fd(), PollFlags::POLLIN)];
        let ended = matches!(poll(&mut fds, PollTimeout::ZERO), Ok(ready) if ready > 0);
        if ended {
            // If it was started by this agent it is ours to reap; otherwise, or a second time, there is nothing to do.
            let _ = waitid(
                WaitId::PidFd(self.fd.get_ref().as_fd()),
                WaitIdOptions::EXITED | WaitIdOptions::NOHANG,
            );
        }
        ended
    }

    /// Waits for its end.
    pub(crate) async fn ended(&self) {
        while !self.has_ended() {
            match self.fd.readable().await {
                Ok(mut guard) if !self.has_ended() => guard.clear_ready(),
                // The runtime is going away: nobody waits any more.
                _ => return,
            }
        }
    }

    /// Waits for its end, this long; whether it came.
    pub(crate) async fn ended_within(&self, limit: Duration) -> bool {
        tokio::time::timeout(limit, self.ended()).await.is_ok()
    }

    /// One of its descriptors, for us, too.
    pub(crate) fn descriptor(&self, number: i32) -> io::Result<OwnedFd> {
        Ok(pidfd_getfd(self.fd.get_ref(), number, PidfdGetfdFlags::empty())?)
    }

    /// Ends it, without asking. Absent is success.
    pub(crate) fn kill(&self) -> io::Result<()> {
        match pidfd_send_signal(self.fd.get_ref(), Signal::KILL) {
            Err(rustix::io::Errno::SRCH) | Ok(()) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }
}

/// A zombie has no arguments: it is no machine.
fn is_machine(pid: i32, qmp: &Path, id: ObjectId) -> bool {
    let Ok(arguments) = std::fs::read(format!("/proc/{pid}/cmdline")) else {
        return false;
    };
    let (id, socket) = (id.to_string(), super::launch::qmp_argument(qmp));
    let has = |wanted: &str| arguments.split(|byte| *byte == 0).any(|word| word == wanted.as_bytes());
    has(&id) && has(&socket)
}

/// Machines of this run directory that run although it has no folder for them.
pub(crate) fn strays(run_dir: &Path, known: &[ObjectId]) -> io::Result<Vec<(ObjectId, i32)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let Ok(entry) = entry else { continue };
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let Ok(arguments) = std::fs::read(entry.path().join("cmdline")) else {
            continue;
        };
        let mut words = arguments
            .split(|byte| *byte == 0)
            .filter_map(|word| std::str::from_utf8(word).ok());
        let id = words
            .by_ref()
            .find(|word| *word == "-uuid")
            .and_then(|_| words.next())
            .and_then(|id| id.parse().ok());
        let Some(id) = id.filter(|id| !known.contains(id)) else {
            continue;
        };
        if is_machine(pid, &super::home::Home::of(run_dir, run_dir, id).qmp(), id) {
            found.push((id, pid));
        }
    }
    Ok(found)
}
