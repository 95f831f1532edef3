//! Starting QEMU: its arguments (pure), and the start itself.
//!
//! QEMU leads a session of its own and outlives the agent. It does not detach by itself (`-daemonize`): the system calls for that
//! are among those that its sandbox takes away. Files and taps are handed over as descriptors: the start runs on a thread whose
//! table of descriptors is its own, so that no other child of the agent can inherit them.

use manifold_nfvi_interface::{DiskFormat, MacAddr, MachineWish, ObjectId};
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sched::{CloneFlags, unshare};
use serde_json::json;
use std::ffi::OsString;
use std::future::Future;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::{Space, kernel};

/// What is told of QEMU's words when it cannot start.
const WORDS_BYTES_MAX: u64 = 2_000;
/// QEMU is up after some 50 ms; with two cores that boot eight machines it took two seconds.
const UP_LIMIT: Duration = Duration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// An interface of the machine: an open tap.
pub(crate) struct Nic {
    pub(crate) tap: OwnedFd,
    pub(crate) mac: MacAddr,
    pub(crate) mtu_bytes: u32,
}

/// What it boots, opened.
pub(crate) enum BootFiles {
    Kernel {
        kernel: OwnedFd,
        initramfs: OwnedFd,
        command_line: String,
    },
    Disk {
        image: OwnedFd,
        format: DiskFormat,
        layer: OwnedFd,
    },
}

/// A start, ready to be made.
pub(crate) struct Launch {
    pub(crate) program: PathBuf,
    /// The process's user and group; `None` = the agent's own.
    pub(crate) user: Option<(u32, u32)>,
    pub(crate) accelerator: String,
    pub(crate) boot: BootFiles,
    pub(crate) seed: Option<OwnedFd>,
    pub(crate) nics: Vec<Nic>,
    /// Do not run the machine's CPUs.
    pub(crate) paused: bool,
}

pub(crate) fn qmp_argument(socket: &Path) -> String {
    format!("unix:{},server=on,wait=off", escaped(socket))
}

/// A comma ends a value in QEMU's options; two stand for one.
fn escaped(path: &Path) -> String {
    path.to_string_lossy().replace(',', ",,")
}

impl Launch {
    /// The arguments. Everything that a user wrote is checked (`check`), or a word of its own (the kernel's command line).
    pub(crate) fn arguments(&self, id: ObjectId, wish: &MachineWish, home: &super::home::Home) -> Vec<String> {
        let mut words: Vec<String> = Vec::new();
        let mut put = |more: &[&str]| words.extend(more.iter().map(|word| (*word).to_owned()));
        put(&["-name", &wish.name, "-uuid", &id.to_string()]);
        put(&["-no-user-config", "-nodefaults", "-display", "none"]);
        put(&[
            "-sandbox",
            "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
        ]);
        put(&["-machine", "q35", "-accel", &self.accelerator, "-cpu", "max"]);
        put(&["-smp", &wish.vcpus.to_string(), "-m", &format!("{}M", wish.memory_mib)]);
        put(&["-qmp", &qmp_argument(&home.qmp())]);
        // Without a reader the console's output is dropped: a guest must not stand still because the agent is away.
        for (name, socket) in [("console", home.console_socket()), ("channel", home.channel_socket())] {
            put(&[
                "-chardev",
                &format!("socket,id={name},path={},server=on,wait=off", escaped(&socket)),
            ]);
            put(&["-serial", &format!("chardev:{name}")]);
        }
        if self.paused {
            put(&["-S"]);
        }
        let mut set = 0;
        let mut file = |fd: &OwnedFd| {
            set += 1;
            (
                ["-add-fd".to_owned(), format!("fd={},set={set}", fd.as_raw_fd())],
                format!("/dev/fdset/{set}"),
            )
        };
        match &self.boot {
            BootFiles::Kernel {
                kernel,
                initramfs,
                command_line,
            } => {
                let opened = |fd: &OwnedFd| format!("/proc/self/fd/{}", fd.as_raw_fd());
                put(&["-kernel", &opened(kernel), "-initrd", &opened(initramfs)]);
                put(&["-append", format!("console=ttyS0 {command_line}").trim_end()]);
            }
            BootFiles::Disk { image, format, layer } => {
                let format = match format {
                    DiskFormat::Qcow2 => "qcow2",
                    DiskFormat::Raw => "raw",
                };
                let (add, below) = file(image);
                put(&[&add[0], &add[1]]);
                let (add, above) = file(layer);
                put(&[&add[0], &add[1]]);
                let mut image = json!({"driver": format, "node-name": "image", "read-only": true,
                    "file": {"driver": "file", "filename": below, "locking": "off", "read-only": true}});
                if format == "qcow2" {
                    image["backing"] = serde_json::Value::Null;
                }
                put(&["-blockdev", &image.to_string()]);
                let layer = json!({"driver": "qcow2", "node-name": "disk", "backing": "image",
                    "file": {"driver": "file", "filename": above, "locking": "off"}});
                put(&["-blockdev", &layer.to_string()]);
                put(&["-device", "virtio-blk-pci,drive=disk,bootindex=0"]);
            }
        }
        if let Some(seed) = &self.seed {
            let (add, path) = file(seed);
            put(&[&add[0], &add[1]]);
            let seed = json!({"driver": "raw", "node-name": "seed", "read-only": true,
                "file": {"driver": "file", "filename": path, "locking": "off", "read-only": true}});
            put(&["-blockdev", &seed.to_string(), "-device", "virtio-blk-pci,drive=seed"]);
        }
        for (number, nic) in self.nics.iter().enumerate() {
            put(&["-netdev", &format!("tap,id=n{number},fd={}", nic.tap.as_raw_fd())]);
            let device = format!(
                "virtio-net-pci,netdev=n{number},mac={},host_mtu={},romfile=",
                nic.mac, nic.mtu_bytes
            );
            put(&["-device", &device]);
        }
        words
    }

    fn descriptors(&self) -> Vec<&OwnedFd> {
        let mut all: Vec<&OwnedFd> = match &self.boot {
            BootFiles::Kernel { kernel, initramfs, .. } => vec![kernel, initramfs],
            BootFiles::Disk { image, layer, .. } => vec![image, layer],
        };
        all.extend(&self.seed);
        all.extend(self.nics.iter().map(|nic| &nic.tap));
        all
    }

    /// Starts it in a space.
    pub(crate) async fn start(self, arguments: Vec<String>, space: &Space) -> io::Result<Starting> {
        let (starting, begin) = self.begin(arguments);
        // A thread begins in its parent's namespace, and the parent is free again at once.
        space.run(begin).await.map_err(io::Error::other)??;
        Ok(starting)
    }

    /// The same, outside of every space of ours.
    pub(crate) fn start_here(self, arguments: Vec<String>) -> io::Result<Starting> {
        let (starting, begin) = self.begin(arguments);
        begin()?;
        Ok(starting)
    }

    fn begin(self, arguments: Vec<String>) -> (Starting, impl FnOnce() -> io::Result<()> + Send + 'static) {
        let (tell, failed) = oneshot::channel();
        let (settled, settles) = channel();
        let begin = move || {
            let thread = std::thread::Builder::new().name("machine-start".to_owned());
            let run = move || {
                // Two threads: the inner one has a table of its own, the outer one closes the agent's descriptors afterwards.
                let inner = std::thread::scope(|scope| scope.spawn(|| self.run(&arguments, settles)).join());
                let result = inner.unwrap_or_else(|_| Err(io::Error::other("the thread of its start panicked")));
                drop(self);
                if let Err(error) = result {
                    // Whoever started it may have gone.
                    let _ = tell.send(error);
                }
            };
            thread.spawn(run).map(drop)
        };
        (
            Starting {
                failed,
                _settled: settled,
            },
            begin,
        )
    }

    /// Ends when the process does, or when nobody waits for its start any more. Errors: QEMU's own words.
    fn run(&self, arguments: &[String], settles: Receiver<()>) -> io::Result<()> {
        unshare(CloneFlags::CLONE_FILES)?;
        for fd in self.descriptors() {
            fcntl(fd, FcntlArg::F_SETFD(FdFlag::empty()))?;
        }
        let mut command = Command::new(&self.program);
        // The pipe of its words is read until the machine is up. QEMU ignores that nobody reads afterwards.
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command.env_clear().env(
            "PATH",
            std::env::var_os("PATH").unwrap_or_else(|| OsString::from("/usr/bin:/bin")),
        );
        command.current_dir("/");
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
        kernel::detach(&mut command);
        let mut child = command.spawn()?;
        loop {
            if let Some(status) = child.try_wait()? {
                let mut words = Vec::new();
                if let Some(pipe) = child.stderr.take() {
                    pipe.take(WORDS_BYTES_MAX).read_to_end(&mut words)?;
                }
                let words = String::from_utf8_lossy(&words).trim().replace('\n', "; ");
                return Err(io::Error::other(format!("{status}: {words}")));
            }
            match settles.recv_timeout(LOOK_AGAIN) {
                Err(RecvTimeoutError::Timeout) => {}
                // It is reaped by whoever holds its descriptor.
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
    }
}

/// A QEMU that is about to be up.
pub(crate) struct Starting {
    failed: oneshot::Receiver<io::Error>,
    // Dropped: nobody waits any more.
    _settled: Sender<()>,
}

impl Starting {
    /// Tries until it is up, or has failed, or the limit has passed. Errors: QEMU's own words.
    pub(crate) async fn until<T, F: Future<Output = io::Result<T>>>(
        mut self,
        mut is_up: impl FnMut() -> F,
    ) -> io::Result<T> {
        let until = Instant::now() + UP_LIMIT;
        loop {
            let tried = tokio::select! {
                biased;
                failed = &mut self.failed => return Err(failed.unwrap_or_else(|_| io::Error::other("its start was given up"))),
                tried = is_up() => tried,
            };
            match tried {
                Err(_) if Instant::now() < until => tokio::time::sleep(LOOK_AGAIN).await,
                tried => return tried,
            }
        }
    }
}
