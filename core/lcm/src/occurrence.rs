//! An operation occurrence, how it is started, looked at and told of.

use manifold_call::{Context, OccurrenceId, TenantId, TraceParent};
use manifold_store::{Kind, Write};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::journal::FORMAT;
use crate::{CancelMode, Machine, NotificationStatus, Operation, Problem, State, StepError};

/// The kind of the occurrences' documents.
pub const OCCURRENCE: Kind = Kind("lcm.occurrence");

/// What an operation works on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SubjectRef {
    /// The kind of its document.
    pub kind: String,
    /// Its id.
    pub id: String,
}

impl SubjectRef {
    /// The name of the lease that keeps other operations away.
    pub(crate) fn lease(&self) -> String {
        format!("lcm/{}/{}", self.kind, self.id)
    }
}

/// What the engine does by itself when the operation fails after it changed resources.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    /// Stays in FAILED_TEMP for a user to decide.
    #[default]
    Hold,
    /// Rolls back, if the operation supports that.
    Rollback,
}

/// An occurrence of an operation: `VnfLcmOpOcc` and `NsLcmOpOcc` are made of it. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Occurrence {
    /// The form of this record and of its journal.
    pub format: u32,
    /// Its id.
    pub id: OccurrenceId,
    /// The operation's kind.
    pub operation: String,
    /// The operation's version.
    pub version: u32,
    /// Its machine.
    pub machine: Machine,
    /// What it works on.
    pub subject: SubjectRef,
    /// What it was asked.
    pub params: Value,
    /// On whose behalf.
    pub tenant: TenantId,
    /// Who asked, for people.
    pub started_by: String,
    /// Whether a policy and not a person asked (`isAutomaticInvocation`).
    pub is_automatic: bool,
    /// The occurrence that it is a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<OccurrenceId>,
    /// Its place in the trace.
    pub trace: TraceParent,
    /// The key that named the wish for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<Uuid>,
    /// What to do by itself on failure.
    pub on_failure: OnFailure,
    /// Where it stands.
    pub state: State,
    /// Since when (`stateEnteredTime`).
    pub state_entered_ms: u64,
    /// When it began (`startTime`).
    pub started_ms: u64,
    /// How it is being cancelled, while that is pending (`isCancelPending`, `cancelMode`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel: Option<CancelMode>,
    /// Why it failed; kept through what follows, as SOL003 5.5.2.13 asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Problem>,
    /// What went wrong without stopping it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// What the operation tells of its outcome ([`crate::Operation::summary`]); `null` while it runs.
    #[serde(default)]
    pub summary: Value,
    /// The names of the plan's steps: a plan that differs from it is not this occurrence's.
    pub steps: Vec<String>,
    /// Why this program cannot go on with it. Never stored: another program may.
    #[serde(skip)]
    pub parked: Option<String>,
}

impl Occurrence {
    /// The occurrence that a start makes of an operation, before its plan is known: its `steps` are still empty, and it
    /// is in PROCESSING.
    pub fn new(operation: &dyn Operation, start: &Start, id: OccurrenceId, at_ms: u64) -> Self {
        Self {
            format: FORMAT,
            id,
            operation: operation.kind().to_owned(),
            version: operation.version(),
            machine: operation.machine(),
            subject: SubjectRef {
                kind: operation.subject_kind().0.to_owned(),
                id: start.subject.clone(),
            },
            params: start.params.clone(),
            tenant: start.tenant.clone(),
            started_by: start.started_by.clone(),
            is_automatic: start.is_automatic,
            parent: start.parent,
            trace: start.trace,
            idempotency_key: start.idempotency_key,
            on_failure: start.on_failure,
            state: State::Processing,
            state_entered_ms: at_ms,
            started_ms: at_ms,
            cancel: None,
            error: None,
            warnings: Vec::new(),
            summary: Value::Null,
            steps: Vec::new(),
            parked: None,
        }
    }

    /// What it was asked. Errors: the parameters are of another type.
    pub fn params<T: DeserializeOwned>(&self) -> Result<T, StepError> {
        T::deserialize(&self.params).map_err(|error| {
            StepError::internal(format!(
                "the parameters of {} {} are malformed: {error}",
                self.operation, self.id
            ))
        })
    }

    /// Whether a cancellation was asked for and has not taken effect.
    pub fn is_cancel_pending(&self) -> bool {
        self.cancel.is_some()
    }
}

/// A request to start an operation.
#[derive(Debug, Clone)]
pub struct Start {
    /// The operation's kind.
    pub operation: String,
    /// The id of what it works on.
    pub subject: String,
    /// Everything that its plan and steps need to know.
    pub params: Value,
    /// On whose behalf.
    pub tenant: TenantId,
    /// Who asks, for people.
    pub started_by: String,
    /// Whether a policy and not a person asks.
    pub is_automatic: bool,
    /// The occurrence that it is a part of.
    pub parent: Option<OccurrenceId>,
    /// Its place in the trace.
    pub trace: TraceParent,
    /// Names the wish: the same key of the same tenant again gives the first occurrence.
    pub idempotency_key: Option<Uuid>,
    /// What to do by itself on failure.
    pub on_failure: OnFailure,
    /// Documents to write in the same commit, or conditions on them.
    pub writes: Vec<Write>,
    /// The occurrence's id, when the caller must know it before; else a new one.
    pub id: Option<OccurrenceId>,
}

impl Start {
    /// For a call: tenant, key, trace and parent are the context's.
    pub fn new(cx: &Context, operation: impl Into<String>, subject: impl ToString, params: Value) -> Self {
        Self {
            operation: operation.into(),
            subject: subject.to_string(),
            params,
            tenant: cx.tenant.clone(),
            started_by: cx.tenant.to_string(),
            is_automatic: false,
            parent: cx.occurrence,
            trace: cx.trace,
            idempotency_key: cx.idempotency_key.map(|key| key.0),
            on_failure: OnFailure::Hold,
            writes: Vec::new(),
            id: None,
        }
    }

    /// With a document written in the same commit.
    pub fn write(mut self, write: impl Into<Write>) -> Self {
        self.writes.push(write.into());
        self
    }

    /// With another policy on failure.
    pub fn on_failure(mut self, policy: OnFailure) -> Self {
        self.on_failure = policy;
        self
    }

    /// With the name of who asks.
    pub fn started_by(mut self, who: impl Into<String>) -> Self {
        self.started_by = who.into();
        self
    }

    /// With an id that the caller chose.
    pub fn with_id(mut self, id: OccurrenceId) -> Self {
        self.id = Some(id);
        self
    }
}

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StepState {
    /// Not begun.
    Waiting,
    /// Meant to act; in the journal before the effect.
    Running,
    /// Waits for an event.
    Pending,
    /// Its effect is there.
    Done,
    /// It failed.
    Failed,
    /// It failed, or something before it did, and that was accepted.
    Skipped,
    /// Its effect is being taken back.
    Undoing,
    /// Its effect is gone.
    Undone,
    /// Its effect could not be taken back.
    UndoFailed,
}

impl StepState {
    /// As users are told of it: `PENDING` has not begun, `WAITING` waits for an event.
    pub fn told(self) -> &'static str {
        match self {
            StepState::Waiting => "PENDING",
            StepState::Running => "RUNNING",
            StepState::Pending => "WAITING",
            StepState::Done => "DONE",
            StepState::Failed | StepState::UndoFailed => "FAILED",
            StepState::Skipped => "SKIPPED",
            StepState::Undoing => "UNDOING",
            StepState::Undone => "UNDONE",
        }
    }
}

/// A step for people to see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepView {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub state: StepState,
    /// When it was last begun.
    pub started_ms: Option<u64>,
    /// When it last came to rest.
    pub ended_ms: Option<u64>,
    /// Attempts of the last run.
    pub attempts: u32,
    /// What it waits for.
    pub waiting_for: Option<String>,
    /// Why it failed.
    pub error: Option<Problem>,
}

impl StepView {
    /// How long it ran, or has been running at `now_ms`.
    pub fn duration_ms(&self, now_ms: u64) -> u64 {
        self.started_ms
            .map_or(0, |began| self.ended_ms.unwrap_or(now_ms).saturating_sub(began))
    }
}

/// An occurrence and its steps, in the plan's order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OccurrenceView {
    /// The occurrence.
    pub occurrence: Occurrence,
    /// Its steps.
    pub steps: Vec<StepView>,
    /// Which of two views is newer: the document's revision, then the journal's number.
    #[serde(skip)]
    pub(crate) order: (u64, u64),
}

/// Which occurrences to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OccurrenceFilter {
    /// Of this subject.
    pub subject: Option<String>,
    /// Of this kind of operation.
    pub operation: Option<String>,
    /// In this state.
    pub state: Option<State>,
    /// Of this tenant.
    pub tenant: Option<TenantId>,
    /// Where the page before ended.
    pub page_token: Option<String>,
    /// How many at most; 0 means 100.
    pub limit: u32,
}

/// A page of occurrences.
#[derive(Debug, Clone, PartialEq)]
pub struct OccurrencePage {
    /// The occurrences, oldest first.
    pub occurrences: Vec<Occurrence>,
    /// The token of the next page.
    pub next: Option<String>,
}

/// The body of an outbox row: an occurrence has entered a state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LcmNotification {
    /// The notification's own id: the same row delivered twice is the same notification.
    pub id: Uuid,
    /// The occurrence.
    pub occurrence: OccurrenceId,
    /// What it works on.
    pub subject: SubjectRef,
    /// The operation's kind.
    pub operation: String,
    /// Its machine.
    pub machine: Machine,
    /// The state entered.
    pub state: State,
    /// Under way or outcome.
    pub status: NotificationStatus,
    /// On whose behalf.
    pub tenant: TenantId,
    /// Whether a policy asked.
    pub is_automatic: bool,
    /// The occurrence that it is a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<OccurrenceId>,
    /// Why it failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Problem>,
    /// The operation's summary, in results only.
    #[serde(default)]
    pub summary: Value,
    /// When, milliseconds since 1970.
    pub at_ms: u64,
}
