//! What fails: a step, an occurrence, a request to the engine.

use std::fmt;
use std::time::Duration;

use manifold_call::{CallError, ErrorKind, OccurrenceId};
use manifold_store::StoreError;
use serde::{Deserialize, Serialize};

use crate::{PlanError, State, Task};

/// What a step's failure means for what follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The same may succeed in a moment: the engine repeats it, within bounds.
    Transient,
    /// It will not succeed by itself: FAILED_TEMP, a user decides.
    Permanent,
    /// Neither a retry nor a rollback can succeed: FAILED.
    Fatal,
}

/// Why a step failed: for the user what stands in the cause's detail and cure, for the log its sources.
#[derive(Debug, Clone)]
pub struct StepError {
    /// What it means.
    pub severity: Severity,
    /// What happened.
    pub cause: CallError,
}

impl StepError {
    /// May succeed in a moment.
    pub fn transient(cause: CallError) -> Self {
        Self {
            severity: Severity::Transient,
            cause,
        }
    }

    /// Needs a decision.
    pub fn permanent(cause: CallError) -> Self {
        Self {
            severity: Severity::Permanent,
            cause,
        }
    }

    /// Cannot be mended by retry or rollback.
    pub fn fatal(cause: CallError) -> Self {
        Self {
            severity: Severity::Fatal,
            cause,
        }
    }

    /// A fault of ours; the detail says what was found.
    pub fn internal(detail: impl Into<String>) -> Self {
        Self::permanent(CallError::internal(detail))
    }

    /// A deadline passed.
    pub fn timed_out(what: impl fmt::Display, limit: Duration) -> Self {
        Self::permanent(CallError::timed_out(format!("{what} did not end within {limit:?}")))
    }

    /// Whether a deadline passed.
    pub fn is_timeout(&self) -> bool {
        self.cause.kind == ErrorKind::TimedOut
    }
}

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)
    }
}

impl std::error::Error for StepError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.source()
    }
}

/// A neighbour's answer decides by its kind: what may succeed later is transient, all else permanent.
impl From<CallError> for StepError {
    fn from(cause: CallError) -> Self {
        if cause.retryable() {
            Self::transient(cause)
        } else {
            Self::permanent(cause)
        }
    }
}

/// A lost race may be won next time; a failing store may recover.
impl From<StoreError> for StepError {
    fn from(source: StoreError) -> Self {
        match &source {
            StoreError::Malformed { .. } | StoreError::TooLarge { .. } => {
                Self::permanent(CallError::internal(source.to_string()).caused_by(source))
            }
            _ => Self::transient(CallError::unavailable("the store did not answer").caused_by(source)),
        }
    }
}

/// What an occurrence tells of its failure: the `error` of SOL003 and SOL005 occurrences, before it becomes
/// ProblemDetails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What kind of failure.
    pub kind: ErrorKind,
    /// In which step; `None` when no step was to blame (a cancellation, the conclusion).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// What failed, for the user.
    pub detail: String,
    /// What to do about it, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cure: Option<String>,
}

impl Problem {
    /// Of a step, or of none.
    pub fn new(step: Option<&str>, cause: &CallError) -> Self {
        Self {
            kind: cause.kind,
            step: step.map(ToOwned::to_owned),
            detail: cause.detail.clone(),
            cure: cause.cure.clone(),
        }
    }
}

/// Why the engine did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// No such occurrence.
    #[error("there is no operation occurrence {0}")]
    NotFound(OccurrenceId),
    /// Another operation has the subject (409).
    #[error("{subject} is busy with operation occurrence {holder}")]
    Busy {
        /// What is busy.
        subject: String,
        /// Who has it.
        holder: OccurrenceId,
    },
    /// The occurrence's state does not allow the task (409).
    #[error("operation occurrence {occurrence} is {state}, which does not allow {task}")]
    WrongState {
        /// The occurrence.
        occurrence: OccurrenceId,
        /// Where it stands.
        state: State,
        /// What was asked.
        task: Task,
    },
    /// The operation has gone too far to be rolled back (409).
    #[error("operation occurrence {occurrence} is past its point of no return: {why}")]
    NoReturn {
        /// The occurrence.
        occurrence: OccurrenceId,
        /// What is behind that point.
        why: &'static str,
    },
    /// The occurrence has not ended (409).
    #[error("operation occurrence {occurrence} is {state} and has not ended")]
    NotEnded {
        /// The occurrence.
        occurrence: OccurrenceId,
        /// Where it stands.
        state: State,
    },
    /// The operation does not have the task (404).
    #[error("{operation} does not support {task}")]
    NotSupported {
        /// The operation's kind.
        operation: String,
        /// What was asked.
        task: Task,
    },
    /// The key was used before, for another request.
    #[error("the idempotency key was used before for another request, occurrence {first}")]
    KeyReused {
        /// What it started then.
        first: OccurrenceId,
    },
    /// No operation of that kind is registered.
    #[error("no operation {0} is registered here")]
    UnknownOperation(String),
    /// The occurrence's journal cannot be followed by this program.
    #[error("operation occurrence {occurrence} is parked: {reason}")]
    Parked {
        /// The occurrence.
        occurrence: OccurrenceId,
        /// Why.
        reason: String,
    },
    /// The operation has no plan for these parameters.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A document that was to be written with the start has changed since it was read.
    #[error("{0}")]
    Stale(manifold_store::Conflict),
    /// More operations run than the engine takes; later.
    #[error("{running} operations run, which is the most; try again later")]
    Full {
        /// How many run.
        running: usize,
    },
    /// The operation could not say what to write at its end; the occurrence stays as it was.
    #[error("operation occurrence {occurrence} could not be ended: {source}")]
    Ending {
        /// The occurrence.
        occurrence: OccurrenceId,
        /// Why.
        source: StepError,
    },
    /// The engine stops.
    #[error("the engine is stopping")]
    Stopping,
    /// The store failed.
    #[error("the store failed")]
    Store(#[source] StoreError),
    /// A record of the journal cannot be read.
    #[error("the journal of operation occurrence {occurrence} is broken")]
    BrokenJournal {
        /// The occurrence.
        occurrence: OccurrenceId,
        /// Where.
        #[source]
        source: serde_json::Error,
    },
}

/// For blocks, whose interfaces speak of calls.
impl From<EngineError> for CallError {
    fn from(error: EngineError) -> Self {
        let detail = error.to_string();
        match error {
            EngineError::NotFound(_) => CallError::not_found(detail),
            EngineError::Busy { .. } => {
                CallError::busy(detail).cure("wait for that operation to end, or end it with retry, rollback or fail")
            }
            EngineError::WrongState { .. } | EngineError::NotEnded { .. } | EngineError::KeyReused { .. } => {
                CallError::conflict(detail)
            }
            EngineError::NoReturn { .. } => CallError::conflict(detail).cure("retry it; or continue, or fail it"),
            // SOL003 5.4.14: a task that an occurrence does not support does not exist there, a 404.
            EngineError::NotSupported { .. } => CallError::not_found(detail),
            EngineError::Parked { .. } => CallError::conflict(detail).cure("use the program that wrote it"),
            EngineError::Plan(source) => source.into_call_error(),
            EngineError::Ending { source, .. } => source.cause,
            EngineError::Stale(_) => CallError::stale(detail),
            EngineError::Full { .. } | EngineError::Stopping => CallError::unavailable(detail),
            EngineError::Store(source) => CallError::unavailable("the store did not answer").caused_by(source),
            EngineError::UnknownOperation(_) | EngineError::BrokenJournal { .. } => {
                CallError::internal(detail).caused_by(error)
            }
        }
    }
}
