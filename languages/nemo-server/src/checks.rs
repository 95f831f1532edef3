//! Checks, beside the conversation: a check may have to wait for a descriptor, and an editor never waits.
//!
//! ```text
//! server ── Job (the newest of a document) ──> board ──> worker: descriptors, manifold_nemo ── Checked ──> server
//! ```
//! The worker finds the newest job of each document on the board and no other: what was asked while it was busy and is out of date by
//! then is never done. What was said of a descriptor's address is kept until the server says that descriptors may have changed.

use crate::descriptor;
use manifold_nemo::check::{Checker, Options};
use manifold_nemo::leaf::{Leaf, LeafError, LeafSource};
use manifold_nemo_syntax::diagnostic::{Diagnostic, FileId};
use manifold_nemo_syntax::script::Script;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Makes the source of descriptors for scripts in a folder, which relative addresses count from.
pub type LeafSources = Box<dyn Fn(&Path) -> Box<dyn LeafSource> + Send>;

/// What is known of the descriptors that scripts name, by their addresses in one spelling ([`descriptor::key`]).
pub(crate) type Leaves = BTreeMap<String, Answer>;

/// What a source says of a descriptor.
type Answer = Result<Arc<Leaf>, LeafError>;

/// A document is to be checked.
#[derive(Debug)]
pub(crate) struct Job {
    /// Which document.
    pub(crate) file: FileId,
    /// Which state of it and of those that it refers to.
    pub(crate) stamp: u64,
    /// Where its relative addresses count from.
    pub(crate) folder: PathBuf,
    /// The document, and behind it those that it refers to.
    pub(crate) sources: Vec<Source>,
}

/// A script to be checked.
#[derive(Debug)]
pub(crate) struct Source {
    /// What its spans name.
    pub(crate) file: FileId,
    /// The text that it was read from.
    pub(crate) text: String,
    /// What it says.
    pub(crate) script: Arc<Script>,
}

/// What a check has found.
#[derive(Debug)]
pub(crate) struct Checked {
    /// Which document.
    pub(crate) file: FileId,
    /// As in the [`Job`].
    pub(crate) stamp: u64,
    /// All that is wrong, in all scripts of the job.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// The descriptors that were asked for.
    pub(crate) leaves: Leaves,
}

/// What the worker tells.
#[derive(Debug)]
pub(crate) enum Told {
    /// A check is done.
    Checked(Checked),
    /// A check has to wait for a descriptor that is not on this machine.
    Waiting {
        /// Which document's.
        file: FileId,
        /// As in the [`Job`].
        stamp: u64,
    },
}

#[derive(Debug, Default)]
struct Board {
    jobs: BTreeMap<FileId, Job>,
    closed: Vec<FileId>,
    forget: bool,
    stop: bool,
}

/// The way to the worker. Dropped, it lets the worker go.
#[derive(Debug, Default)]
pub(crate) struct Checks {
    shared: Arc<(Mutex<Board>, Condvar)>,
}

impl Checks {
    /// Starts the worker; what it tells goes to `tell`, which says whether anybody still listens.
    pub(crate) fn start(sources: LeafSources, tell: impl Fn(Told) -> bool + Send + 'static) -> std::io::Result<Self> {
        let checks = Self::default();
        let shared = checks.shared.clone();
        // Nobody joins it: it may be waiting for a server far away, and an editor that quits does not.
        std::thread::Builder::new()
            .name("nemo-check".into())
            .spawn(move || work(&shared, &sources, &tell))?;
        Ok(checks)
    }

    /// Puts a job on the board, in place of an older one of the same document.
    pub(crate) fn submit(&self, job: Job) {
        self.board(|board| {
            board.jobs.insert(job.file, job);
        });
    }

    /// A document is closed: it is not checked any more, and what was kept of its checks goes.
    pub(crate) fn close(&self, file: FileId) {
        self.board(|board| {
            board.jobs.remove(&file);
            board.closed.push(file);
        });
    }

    /// Descriptors may have changed: they are read anew for the next job.
    pub(crate) fn forget_descriptors(&self) {
        self.board(|board| board.forget = true);
    }

    fn board(&self, change: impl FnOnce(&mut Board)) {
        change(&mut lock(&self.shared.0));
        self.shared.1.notify_one();
    }
}

impl Drop for Checks {
    fn drop(&mut self) {
        self.board(|board| board.stop = true);
    }
}

/// A board is whole at every moment, whoever has panicked.
fn lock(board: &Mutex<Board>) -> MutexGuard<'_, Board> {
    board.lock().unwrap_or_else(PoisonError::into_inner)
}

fn work(shared: &(Mutex<Board>, Condvar), sources: &LeafSources, tell: &dyn Fn(Told) -> bool) {
    let mut folders: BTreeMap<PathBuf, Remembering<'_>> = BTreeMap::new();
    // What does not change between two checks of a document is looked at once.
    let mut checkers: BTreeMap<FileId, Checker> = BTreeMap::new();
    loop {
        let job = {
            let idle = |board: &mut Board| board.jobs.is_empty() && !board.stop;
            let board = shared.1.wait_while(lock(&shared.0), idle);
            let mut board = board.unwrap_or_else(PoisonError::into_inner);
            if board.stop {
                return;
            }
            if std::mem::take(&mut board.forget) {
                folders.clear();
                checkers.clear();
            }
            for file in board.closed.drain(..) {
                checkers.remove(&file);
            }
            board.jobs.pop_first().map(|(_, job)| job)
        };
        let Some(job) = job else { continue };
        let leaves = folders
            .entry(job.folder.clone())
            .or_insert_with(|| Remembering::new(sources(&job.folder), job.folder.clone(), tell));
        leaves.begin(job.file, job.stamp);
        let checker = checkers.entry(job.file).or_default();
        let checked = Checked {
            file: job.file,
            stamp: job.stamp,
            diagnostics: diagnostics(checker, &job, leaves),
            leaves: leaves.asked_for(),
        };
        // A script that nobody else holds can be changed where it stands.
        drop(job);
        if !tell(Told::Checked(checked)) {
            return;
        }
    }
}

fn diagnostics(checker: &mut Checker, job: &Job, leaves: &dyn LeafSource) -> Vec<Diagnostic> {
    let sources = job.sources.iter().map(|source| manifold_nemo::check::Source {
        file: source.file,
        text: &source.text,
        script: &source.script,
    });
    let sources: Vec<_> = sources.collect();
    checker.check(&sources, leaves, &Options::default()).diagnostics
}

/// A source that says the same of an address each time, and tells when somebody has to wait for it.
struct Remembering<'t> {
    source: Box<dyn LeafSource>,
    folder: PathBuf,
    tell: &'t dyn Fn(Told) -> bool,
    /// By address and digest.
    known: RefCell<BTreeMap<(String, Option<String>), Answer>>,
    asked: RefCell<Leaves>,
    job: RefCell<(FileId, u64)>,
}

impl<'t> Remembering<'t> {
    fn new(source: Box<dyn LeafSource>, folder: PathBuf, tell: &'t dyn Fn(Told) -> bool) -> Self {
        Self {
            source,
            folder,
            tell,
            known: RefCell::default(),
            asked: RefCell::default(),
            job: RefCell::default(),
        }
    }

    fn begin(&self, file: FileId, stamp: u64) {
        self.asked.borrow_mut().clear();
        *self.job.borrow_mut() = (file, stamp);
    }

    fn asked_for(&self) -> Leaves {
        self.asked.take()
    }
}

impl LeafSource for Remembering<'_> {
    fn leaf(&self, uri: &str, digest: Option<&str>) -> Result<Arc<Leaf>, LeafError> {
        let key = (uri.to_owned(), digest.map(str::to_owned));
        let known = self.known.borrow().get(&key).cloned();
        let answer = known.unwrap_or_else(|| {
            let is_far = uri.starts_with("http:") || uri.starts_with("https:");
            if is_far {
                let (file, stamp) = *self.job.borrow();
                // Whether anybody listens shows when the check is done.
                let _ = (self.tell)(Told::Waiting { file, stamp });
            }
            let answer = self.source.leaf(uri, digest);
            self.known.borrow_mut().insert(key, answer.clone());
            answer
        });
        self.asked
            .borrow_mut()
            .insert(descriptor::key(Some(&self.folder), uri), answer.clone());
        answer
    }
}
