//! Spaces: network namespaces, each with one thread of its own that lives in it and never anywhere else.
//!
//! A space is pinned by a bind mount at `<run>/netns/<object id>`, so it outlives the agent. All work in it is a closure that
//! its thread runs ([`Space::run`]); closures run one after the other. A thread that entered a namespace is never given back
//! to a pool: it ends with the [`Space`]'s last clone.
//!
//! What a neighbour module uses:
//! - [`Space::open_tap`] opens (or makes) a tap inside and gives its descriptor;
//! - [`Space::spawn`] starts a process inside, as the leader of its own session, so that it outlives the agent;
//! - [`Space::run`] for anything else (sockets that are opened in a closure stay in the namespace wherever they are used);
//! - [`Space::run_blocking`], the same from a thread that may block.

use crate::kernel::{self, TapOptions};
use manifold_nfvi_interface::ObjectId;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, setns, unshare};
use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use tokio::sync::oneshot;

/// Work waiting for a space's thread: as much as callers that each wait for their answer can queue. Beyond, callers wait.
const QUEUE: usize = 64;
/// A thread that only sends netlink messages and writes small files needs no more.
const STACK_BYTES: usize = 512 * 1024;

type Job = Box<dyn FnOnce() + Send>;

/// Why there is no working in a space.
#[derive(Debug, thiserror::Error)]
pub enum SpaceError {
    /// The namespace could not be made or pinned.
    #[error("network namespace {path} could not be made: {source}")]
    Make {
        /// Its pin.
        path: PathBuf,
        /// The kernel's reason.
        source: io::Error,
    },
    /// The pin holds no namespace (the machine was rebooted, or somebody unmounted it).
    #[error("{path} pins no network namespace")]
    Absent {
        /// The pin.
        path: PathBuf,
    },
    /// The pin could not be taken away.
    #[error("network namespace {path} could not be removed: {source}")]
    Remove {
        /// Its pin.
        path: PathBuf,
        /// The kernel's reason.
        source: io::Error,
    },
    /// The space's thread has ended.
    #[error("the thread of network namespace {path} has ended")]
    Ended {
        /// The pin.
        path: PathBuf,
    },
}

/// A network namespace of ours. Clones are the same space.
#[derive(Clone)]
pub struct Space {
    inner: Arc<Inner>,
}

struct Inner {
    id: ObjectId,
    path: PathBuf,
    jobs: Option<SyncSender<Job>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl std::fmt::Debug for Space {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Space({})", self.inner.path.display())
    }
}

impl Space {
    /// Where the pin of an object's namespace is.
    pub fn path_of(run_dir: &Path, id: ObjectId) -> PathBuf {
        run_dir.join("netns").join(id.to_string())
    }

    /// Makes a namespace and pins it.
    pub fn make(run_dir: &Path, id: ObjectId) -> Result<Self, SpaceError> {
        let path = Self::path_of(run_dir, id);
        let fail = |source| SpaceError::Make {
            path: path.clone(),
            source,
        };
        fs::create_dir_all(run_dir.join("netns")).map_err(fail)?;
        File::create(&path).map_err(fail)?;
        let pin = path.clone();
        let made = Self::start(id, path.clone(), move || {
            unshare(CloneFlags::CLONE_NEWNET)?;
            mount(
                Some("/proc/thread-self/ns/net"),
                &pin,
                None::<&str>,
                MsFlags::MS_BIND,
                None::<&str>,
            )
        });
        made.map_err(|source| {
            // Nothing was mounted: the file is all that there is.
            match fs::remove_file(&path) {
                Ok(()) => fail(source),
                Err(second) => fail(io::Error::other(format!("{source}; and the pin stays: {second}"))),
            }
        })
    }

    /// Enters a namespace that is pinned already. Errors: [`SpaceError::Absent`].
    pub fn enter(run_dir: &Path, id: ObjectId) -> Result<Self, SpaceError> {
        let path = Self::path_of(run_dir, id);
        let absent = |_| SpaceError::Absent { path: path.clone() };
        let pin = File::open(&path).map_err(absent)?;
        // EINVAL when the file is a plain file: the mount is gone.
        Self::start(id, path.clone(), move || setns(pin, CloneFlags::CLONE_NEWNET)).map_err(absent)
    }

    /// Takes away the pin of a namespace, mounted or not. Absent is success (false). The namespace dies when its last process,
    /// socket and thread does.
    pub fn unpin(run_dir: &Path, id: ObjectId) -> Result<bool, SpaceError> {
        let path = Self::path_of(run_dir, id);
        let fail = |source| SpaceError::Remove {
            path: path.clone(),
            source,
        };
        loop {
            match umount2(&path, MntFlags::MNT_DETACH) {
                Ok(()) => continue, // should somebody have mounted twice
                Err(nix::errno::Errno::EINVAL | nix::errno::Errno::ENOENT) => break,
                Err(errno) => return Err(fail(errno.into())),
            }
        }
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(fail(error)),
        }
    }

    fn start(
        id: ObjectId,
        path: PathBuf,
        enter: impl FnOnce() -> nix::Result<()> + Send + 'static,
    ) -> io::Result<Self> {
        let (jobs, queue) = sync_channel::<Job>(QUEUE);
        let (entered, wait) = sync_channel(1);
        let thread = Builder::new()
            .name(format!("ns-{}", &id.to_string()[24..]))
            .stack_size(STACK_BYTES)
            .spawn(move || {
                let result = enter();
                let inside = result.is_ok();
                if entered.send(result).is_ok() && inside {
                    work(&queue);
                }
            })?;
        wait.recv()
            .map_err(|_| io::Error::other("the namespace's thread ended at once"))??;
        Ok(Self {
            inner: Arc::new(Inner {
                id,
                path,
                jobs: Some(jobs),
                thread: Mutex::new(Some(thread)),
            }),
        })
    }

    /// The object whose namespace it is.
    pub fn id(&self) -> ObjectId {
        self.inner.id
    }

    /// The pin: what `nsenter --net=` takes.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Runs a closure on the space's thread and waits for its answer.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, SpaceError> {
        let (answer, wait) = oneshot::channel();
        self.post(Box::new(move || drop(answer.send(work()))))?;
        wait.await.map_err(|_| self.ended())
    }

    /// The same from a thread that may block. Never call it on the space's own thread: it would wait for itself.
    pub fn run_blocking<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, SpaceError> {
        let (answer, wait) = sync_channel(1);
        self.post(Box::new(move || drop(answer.send(work()))))?;
        wait.recv().map_err(|_| self.ended())
    }

    fn post(&self, job: Job) -> Result<(), SpaceError> {
        let jobs = self.inner.jobs.as_ref().ok_or_else(|| self.ended())?;
        jobs.send(job).map_err(|_| self.ended())
    }

    fn ended(&self) -> SpaceError {
        SpaceError::Ended {
            path: self.inner.path.clone(),
        }
    }

    /// Opens a tap inside; see [`kernel::open_tap`].
    pub async fn open_tap(&self, interface: &str, options: TapOptions) -> io::Result<OwnedFd> {
        let interface = interface.to_owned();
        self.run(move || kernel::open_tap(&interface, options))
            .await
            .map_err(io::Error::other)?
    }

    /// Starts a process inside, detached from the agent: it leads its own session and outlives the agent. The caller sets its
    /// user (`CommandExt::uid`, `gid`), descriptors and arguments, and reaps it.
    pub async fn spawn(&self, mut command: Command) -> io::Result<Child> {
        kernel::detach(&mut command);
        self.run(move || command.spawn()).await.map_err(io::Error::other)?
    }

    /// Runs a process inside, attached to the agent, and waits for what it says. For the short tools that the agent itself uses.
    pub async fn output(&self, mut command: Command) -> io::Result<std::process::Output> {
        let child = self.run(move || command.spawn()).await.map_err(io::Error::other)??;
        tokio::task::spawn_blocking(move || child.wait_with_output())
            .await
            .map_err(io::Error::other)?
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.jobs = None;
        let thread = self.thread.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.thread().id() != std::thread::current().id()
            && thread.join().is_err()
        {
            tracing::error!(namespace = %self.path.display(), "The thread of a namespace had ended in a panic.");
        }
    }
}

fn work(queue: &Receiver<Job>) {
    while let Ok(job) = queue.recv() {
        // A job that panics must not take the space with it: its caller sees that no answer comes.
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(job)).is_err() {
            tracing::error!("Work in a namespace panicked.");
        }
    }
}
