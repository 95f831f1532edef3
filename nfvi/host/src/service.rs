//! Node services: what physical functions do. Each is a process of its own, the agent's program started again in the node's
//! namespace, so that it outlives the agent; a marker among its arguments says whose it is, and is how it is found again.

use nix::unistd::{Gid, Uid, setgid, setgroups, setuid};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// What the marker argument begins with.
pub(crate) const MARKER: &str = "--marker=manifold-service:";
/// Requests that are answered at the same time; more are closed at once.
const CONNECTIONS: usize = 64;
/// A peer that says or takes nothing for so long is left.
const PATIENCE: Duration = Duration::from_secs(10);
/// What `/bytes/N` gives at most.
const BYTES_MAX: u64 = 1 << 30;
/// The user `nobody`: a service needs no rights once it listens.
const NOBODY: u32 = 65_534;

/// The entry point of a service process: `http --port=P --body-file=F --marker=…`. Runs until it is killed.
///
/// Serves HTTP/1.1: every GET answers with the body as text/plain, but `/bytes/N` with N bytes (at most 1 GiB).
pub fn main(arguments: &[String]) -> io::Result<()> {
    let wrong = || {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            "usage: http --port=PORT --body-file=FILE [--marker=TEXT]",
        )
    };
    let value = |key: &str| arguments.iter().find_map(|argument| argument.strip_prefix(key));
    if arguments.first().is_none_or(|first| first != "http") {
        return Err(wrong());
    }
    let port = value("--port=").and_then(|port| port.parse().ok()).ok_or_else(wrong)?;
    let body = fs::read(value("--body-file=").ok_or_else(wrong)?)?;
    // Both families where the kernel has IPv6.
    let listener = TcpListener::bind(("::", port)).or_else(|_| TcpListener::bind(("0.0.0.0", port)))?;
    if Uid::effective().is_root() {
        setgroups(&[])?;
        setgid(Gid::from_raw(NOBODY))?;
        setuid(Uid::from_raw(NOBODY))?;
    }
    serve(&listener, Arc::new(body))
}

fn serve(listener: &TcpListener, body: Arc<Vec<u8>>) -> io::Result<()> {
    let open = Arc::new(AtomicUsize::new(0));
    loop {
        let (stream, _) = match listener.accept() {
            Ok(accepted) => accepted,
            // Of one connection only: the next may do.
            Err(_) => continue,
        };
        if open.fetch_add(1, Ordering::Relaxed) >= CONNECTIONS {
            open.fetch_sub(1, Ordering::Relaxed);
            continue;
        }
        let (body, counted) = (body.clone(), open.clone());
        let started = std::thread::Builder::new().stack_size(256 * 1024).spawn(move || {
            // A peer that goes away is no fault of ours, and there is nobody to tell.
            let _ = answer(&stream, &body);
            counted.fetch_sub(1, Ordering::Relaxed);
        });
        if started.is_err() {
            open.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

fn answer(stream: &TcpStream, body: &[u8]) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut head = BufReader::new(stream.take(8_192));
    let mut request = String::new();
    head.read_line(&mut request)?;
    let mut line = String::new();
    while head.read_line(&mut line)? > 2 {
        line.clear();
    }
    let mut words = request.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut out = stream;
    if method != "GET" && method != "HEAD" {
        return out.write_all(
            b"HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        );
    }
    let (kind, length) = match path.strip_prefix("/bytes/").map(str::parse::<u64>) {
        None => ("text/plain; charset=utf-8", body.len() as u64),
        Some(Ok(length)) if length <= BYTES_MAX => ("application/octet-stream", length),
        Some(_) => return out.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
    };
    write!(
        out,
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    )?;
    if method == "HEAD" {
        return Ok(());
    }
    if path.starts_with("/bytes/") {
        let zeros = [0; 16 * 1024];
        let mut left = length;
        while left > 0 {
            let now = left.min(zeros.len() as u64);
            out.write_all(&zeros[..now as usize])?;
            left -= now;
        }
        Ok(())
    } else {
        out.write_all(body)
    }
}

/// A service process that runs.
pub(crate) struct Running {
    pub(crate) marker: String,
    pub(crate) pidfd: OwnedFd,
    pub(crate) pid: Pid,
}

/// All service processes whose marker begins so.
pub(crate) fn find(prefix: &str) -> io::Result<Vec<Running>> {
    let mut running = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let entry = entry?;
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
            .and_then(Pid::from_raw)
        else {
            continue;
        };
        if marker(&entry.path(), prefix).is_none() {
            continue;
        }
        // Looked at again once the process is held: a number may have been given to another one meanwhile.
        if let Ok(pidfd) = pidfd_open(pid, PidfdFlags::empty())
            && let Some(marker) = marker(&entry.path(), prefix)
        {
            running.push(Running { marker, pidfd, pid });
        }
    }
    Ok(running)
}

fn marker(process: &Path, prefix: &str) -> Option<String> {
    let line = fs::read(process.join("cmdline")).ok()?;
    line.split(|byte| *byte == 0)
        .filter_map(|argument| std::str::from_utf8(argument).ok())
        .find(|argument| argument.starts_with(prefix))
        .map(str::to_owned)
}

impl Running {
    /// Kills it and waits until it is dead; reaps it where it is our child.
    pub(crate) fn end(&self) -> io::Result<()> {
        match pidfd_send_signal(&self.pidfd, Signal::KILL) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => {}
            Err(errno) => return Err(errno.into()),
        }
        use nix::poll::{PollFd, PollFlags, poll};
        use std::os::fd::AsFd;
        // A killed process ends as soon as it runs: 5 s are for a machine in trouble.
        match poll(&mut [PollFd::new(self.pidfd.as_fd(), PollFlags::POLLIN)], 5_000_u16) {
            Ok(0) => Err(io::Error::from(io::ErrorKind::TimedOut)),
            Ok(_) => {
                // ECHILD: an earlier agent's child, which init reaps.
                let _ = rustix::process::waitpid(Some(self.pid), rustix::process::WaitOptions::NOHANG);
                Ok(())
            }
            Err(errno) => Err(errno.into()),
        }
    }
}
