//! Running a tool in the calling thread's namespace: input and output are files in memory, so no pipe can fill up, and it has a
//! deadline.

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::AsFd;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// A tool that runs.
pub(crate) struct Tool {
    child: Child,
    output: File,
    errors: File,
}

impl Tool {
    /// Starts it.
    pub(crate) fn start(program: &str, arguments: &[&str], input: &[u8]) -> io::Result<Self> {
        let mut given = memory()?;
        given.write_all(input)?;
        given.seek(SeekFrom::Start(0))?;
        let (output, errors) = (memory()?, memory()?);
        let child = Command::new(program)
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("LC_ALL", "C")
            // What it is told of times is UTC, as everything of ours is.
            .env("TZ", "UTC")
            .stdin(given)
            .stdout(output.try_clone()?)
            .stderr(errors.try_clone()?)
            .spawn()?;
        Ok(Self { child, output, errors })
    }

    /// Waits for it; what it wrote when it succeeded. Errors: what it complained about; `TimedOut`, after ending it.
    pub(crate) fn finish(mut self, limit: Duration) -> io::Result<Vec<u8>> {
        let end = Instant::now() + limit;
        let pid = Pid::from_child(&self.child);
        let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
            match poll(&mut [PollFd::new(pidfd.as_fd(), PollFlags::POLLIN)], timeout) {
                Ok(0) => {
                    self.child.kill()?;
                    self.child.wait()?;
                    return Err(io::Error::from(io::ErrorKind::TimedOut));
                }
                Ok(_) => break,
                Err(nix::errno::Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        if self.child.wait()?.success() {
            read(&mut self.output)
        } else {
            let said = read(&mut self.errors)?;
            Err(io::Error::other(
                String::from_utf8_lossy(&said[..said.len().min(1_000)]).into_owned(),
            ))
        }
    }
}

fn memory() -> io::Result<File> {
    Ok(File::from(memfd_create("manifold-tool", MemfdFlags::CLOEXEC)?))
}

fn read(file: &mut File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}
