//! The journal of an occurrence: what its steps meant to do and what came of it; and the ledger, which is the journal
//! read from its beginning. Live work and recovery both go through [`Ledger::apply`], so they cannot differ.

use std::collections::HashMap;
use std::sync::Arc;

use manifold_call::OccurrenceId;
use manifold_store::{JournalEntry, Store};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{EngineError, Occurrence, OccurrenceView, Outputs, Problem, StepState, StepView};

/// The form of occurrences and journal entries that this program writes. One with a greater number is not read.
pub(crate) const FORMAT: u32 = 1;
/// Entries read at once. A page of small entries is some hundred kilobytes.
const PAGE: u32 = 500;

/// What happened to one step, or to all of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "was", rename_all = "snake_case")]
pub(crate) enum Record {
    /// It is about to act: from here on there may be an effect.
    Intent { step: String },
    /// It waits, forwards or backwards.
    Pending { step: String, wait: Waiting },
    /// Its effect is there.
    Done { step: String, output: Value, attempts: u32 },
    /// It gave up.
    Failed {
        step: String,
        problem: Problem,
        fatal: bool,
        attempts: u32,
    },
    /// It does not take place, as its own or an earlier failure was accepted.
    Skipped { step: String },
    /// It is about to be undone: from here on there may be only a part of its effect.
    UndoIntent { step: String },
    /// Its effect is gone.
    Undone { step: String },
    /// Its effect could not be taken back.
    UndoFailed {
        step: String,
        problem: Problem,
        attempts: u32,
    },
    /// Failures are forgotten, and what failed is tried again.
    Reopened,
}

/// A wait as it is journaled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Waiting {
    pub(crate) event: String,
    pub(crate) until_ms: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<Value>,
}

/// What one commit appends.
#[derive(Debug, Serialize)]
pub(crate) struct EntryRef<'a> {
    pub(crate) format: u32,
    pub(crate) operation: &'a str,
    pub(crate) version: u32,
    pub(crate) at_ms: u64,
    pub(crate) records: &'a [Record],
}

/// The same, read; its form was looked at before.
#[derive(Debug, Deserialize)]
struct Entry {
    operation: String,
    version: u32,
    at_ms: u64,
    records: Vec<Record>,
}

/// Where a step stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It has not begun, in this incarnation.
    #[default]
    Untouched,
    /// It may have an effect; nobody knows.
    Intended,
    Done,
    Failed,
    Skipped,
    /// It may have an effect, or a part of one; nobody knows.
    Undoing,
    UndoFailed,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct StepRecord {
    pub(crate) standing: Standing,
    /// Whether there may be an effect to undo.
    pub(crate) touched: bool,
    /// How often it was undone.
    pub(crate) incarnation: u32,
    pub(crate) attempts: u32,
    pub(crate) fatal: bool,
    pub(crate) wait: Option<Waiting>,
    pub(crate) problem: Option<Problem>,
    started_ms: Option<u64>,
    ended_ms: Option<u64>,
}

/// The journal, read.
#[derive(Debug, Clone)]
pub(crate) struct Ledger {
    pub(crate) steps: Vec<StepRecord>,
    pub(crate) outputs: Arc<Outputs>,
    /// The number of the last entry.
    pub(crate) seq: u64,
    names: Vec<Arc<str>>,
    by_name: HashMap<Arc<str>, usize>,
}

/// Why a journal cannot be followed.
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// It is another program's.
    Foreign(String),
    /// It is broken, or the store failed.
    Failed(EngineError),
}

impl Ledger {
    pub(crate) fn new(steps: &[String]) -> Self {
        let names: Vec<Arc<str>> = steps.iter().map(|name| Arc::from(name.as_str())).collect();
        let by_name = names
            .iter()
            .cloned()
            .enumerate()
            .map(|(index, name)| (name, index))
            .collect();
        Self {
            steps: vec![StepRecord::default(); names.len()],
            outputs: Arc::default(),
            seq: 0,
            names,
            by_name,
        }
    }

    /// Reads an occurrence's journal.
    pub(crate) async fn read(store: &dyn Store, occurrence: &Occurrence) -> Result<Self, Unreadable> {
        let mut ledger = Self::new(&occurrence.steps);
        let stream = stream(occurrence.id);
        loop {
            let entries = store
                .journal(&stream, ledger.seq, PAGE)
                .await
                .map_err(|source| Unreadable::Failed(EngineError::Store(source)))?;
            for entry in &entries {
                ledger.read_entry(occurrence, entry)?;
            }
            if entries.len() < PAGE as usize {
                return Ok(ledger);
            }
        }
    }

    fn read_entry(&mut self, occurrence: &Occurrence, raw: &JournalEntry) -> Result<(), Unreadable> {
        // The form is looked at before anything else: a newer one need not have our fields.
        let format = raw.body.get("format").and_then(Value::as_u64);
        if format != Some(u64::from(FORMAT)) {
            return Err(Unreadable::Foreign(format!(
                "journal entry {} has form {}, and this program knows form {FORMAT}",
                raw.seq,
                format.map_or_else(|| "unknown".to_owned(), |format| format.to_string()),
            )));
        }
        let entry = Entry::deserialize(&raw.body).map_err(|source| {
            Unreadable::Failed(EngineError::BrokenJournal {
                occurrence: occurrence.id,
                source,
            })
        })?;
        if entry.operation != occurrence.operation || entry.version != occurrence.version {
            return Err(Unreadable::Foreign(format!(
                "journal entry {} is of {} version {}",
                raw.seq, entry.operation, entry.version
            )));
        }
        for record in &entry.records {
            self.apply(entry.at_ms, record).map_err(Unreadable::Foreign)?;
        }
        self.seq = raw.seq;
        Ok(())
    }

    /// Takes a record in. Errors: it is about a step that the occurrence does not have.
    pub(crate) fn apply(&mut self, at_ms: u64, record: &Record) -> Result<(), String> {
        let name = match record {
            Record::Intent { step }
            | Record::Pending { step, .. }
            | Record::Done { step, .. }
            | Record::Failed { step, .. }
            | Record::Skipped { step }
            | Record::UndoIntent { step }
            | Record::Undone { step }
            | Record::UndoFailed { step, .. } => step,
            Record::Reopened => {
                for step in &mut self.steps {
                    if matches!(step.standing, Standing::Failed | Standing::UndoFailed) {
                        *step = StepRecord {
                            standing: Standing::Intended,
                            attempts: 0,
                            wait: None,
                            ..step.clone()
                        };
                    }
                }
                return Ok(());
            }
        };
        let index = *self
            .by_name
            .get(name.as_str())
            .ok_or_else(|| format!("its plan has no step {name}"))?;
        let step = &mut self.steps[index];
        match record {
            Record::Intent { .. } => {
                step.standing = Standing::Intended;
                step.touched = true;
                step.started_ms = Some(at_ms);
                step.ended_ms = None;
                step.attempts = 0;
                step.problem = None;
                step.wait = None;
            }
            Record::Pending { wait, .. } => step.wait = Some(wait.clone()),
            Record::Done { output, attempts, .. } => {
                step.standing = Standing::Done;
                step.attempts = *attempts;
                step.problem = None;
                step.wait = None;
                step.ended_ms = Some(at_ms);
                Arc::make_mut(&mut self.outputs).set(name.clone(), output.clone());
            }
            Record::Failed {
                problem,
                fatal,
                attempts,
                ..
            } => {
                step.standing = Standing::Failed;
                step.attempts = *attempts;
                step.fatal = *fatal;
                step.problem = Some(problem.clone());
                step.wait = None;
                step.ended_ms = Some(at_ms);
            }
            Record::Skipped { .. } => {
                step.standing = Standing::Skipped;
                step.wait = None;
                step.ended_ms = Some(at_ms);
            }
            Record::UndoIntent { .. } => {
                step.standing = Standing::Undoing;
                step.started_ms = Some(at_ms);
                step.ended_ms = None;
                step.wait = None;
                step.attempts = 0;
            }
            Record::Undone { .. } => {
                *step = StepRecord {
                    incarnation: step.incarnation + 1,
                    started_ms: step.started_ms,
                    ended_ms: Some(at_ms),
                    ..StepRecord::default()
                };
                Arc::make_mut(&mut self.outputs).forget(name);
            }
            Record::UndoFailed { problem, attempts, .. } => {
                step.standing = Standing::UndoFailed;
                step.attempts = *attempts;
                step.problem = Some(problem.clone());
                step.wait = None;
                step.ended_ms = Some(at_ms);
            }
            Record::Reopened => {}
        }
        Ok(())
    }

    /// For people.
    pub(crate) fn view(&self, occurrence: &Occurrence, revision: u64) -> OccurrenceView {
        let steps = self.names.iter().zip(&self.steps).map(|(name, step)| StepView {
            name: name.to_string(),
            state: match step.standing {
                Standing::Intended if step.wait.is_some() => StepState::Pending,
                Standing::Untouched if step.incarnation > 0 => StepState::Undone,
                Standing::Untouched => StepState::Waiting,
                Standing::Intended => StepState::Running,
                Standing::Done => StepState::Done,
                Standing::Failed => StepState::Failed,
                Standing::Skipped => StepState::Skipped,
                Standing::Undoing => StepState::Undoing,
                Standing::UndoFailed => StepState::UndoFailed,
            },
            started_ms: step.started_ms,
            ended_ms: step.ended_ms,
            attempts: step.attempts,
            waiting_for: step.wait.as_ref().map(|wait| wait.event.clone()),
            error: step.problem.clone(),
        });
        OccurrenceView {
            occurrence: occurrence.clone(),
            steps: steps.collect(),
            order: (revision, self.seq),
        }
    }
}

/// The store's journal stream of an occurrence.
pub(crate) fn stream(id: OccurrenceId) -> String {
    format!("lcm/{id}")
}
