//! What a step knows when it is asked.

use std::sync::Arc;
use std::time::Duration;

use manifold_call::{Context, Deadline, IdempotencyKey};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{Occurrence, Outputs, StepError};

/// The situation of a step: its occurrence, its identity, what came before it.
#[derive(Debug, Clone)]
pub struct StepCx {
    pub(crate) occurrence: Arc<Occurrence>,
    pub(crate) step: Arc<str>,
    /// How often this step was undone before: what is made after that is another thing.
    pub(crate) incarnation: u32,
    pub(crate) attempt: u32,
    pub(crate) undoing: bool,
    pub(crate) deadline: Deadline,
    pub(crate) outputs: Arc<Outputs>,
    pub(crate) note: Option<Value>,
    pub(crate) cancel: CancellationToken,
}

impl StepCx {
    /// The situation of a step that no engine runs, for the tests of steps.
    #[cfg(feature = "fault")]
    pub fn alone(occurrence: Occurrence, step: &str, outputs: Outputs, limit: Duration) -> Self {
        Self {
            occurrence: Arc::new(occurrence),
            step: step.into(),
            incarnation: 0,
            attempt: 1,
            undoing: false,
            deadline: Deadline::within(limit),
            outputs: Arc::new(outputs),
            note: None,
            cancel: CancellationToken::new(),
        }
    }

    /// The occurrence, as it was when the step began.
    pub fn occurrence(&self) -> &Occurrence {
        &self.occurrence
    }

    /// The step's name.
    pub fn step(&self) -> &str {
        &self.step
    }

    /// The operation's parameters.
    pub fn params<T: DeserializeOwned>(&self) -> Result<T, StepError> {
        self.occurrence.params()
    }

    /// The output of a step that came before. Errors: it has none yet (the plan lacks an `after`, or its failure was
    /// accepted), or it is of another type.
    pub fn output<T: DeserializeOwned>(&self, step: &str) -> Result<T, StepError> {
        self.outputs.get(step)
    }

    /// The same, `None` when it has none.
    pub fn find_output<T: DeserializeOwned>(&self, step: &str) -> Result<Option<T>, StepError> {
        self.outputs.find(step)
    }

    /// All outputs so far.
    pub fn outputs(&self) -> &Outputs {
        &self.outputs
    }

    /// The identity of what the step makes: the same in each attempt and after each restart. Another one after the
    /// step was undone, as producers remember what they once made for an identity.
    pub fn identity(&self) -> Uuid {
        identity(&self.occurrence, &self.step, self.incarnation)
    }

    /// The identity of one of several things that the step makes.
    pub fn identity_of(&self, part: &str) -> Uuid {
        Uuid::new_v5(&self.identity(), part.as_bytes())
    }

    /// The key of the step's one call: the same for the same wish, another for undoing.
    pub fn idempotency_key(&self) -> Uuid {
        self.idempotency_key_of("")
    }

    /// The key of one of several calls of the step.
    pub fn idempotency_key_of(&self, part: &str) -> Uuid {
        let wish = if self.undoing { "undo" } else { "act" };
        self.identity_of(&format!("{wish} {part}"))
    }

    /// The context of the step's one call to a neighbour.
    pub fn context(&self) -> Context {
        self.context_of("")
    }

    /// The context of one of several calls to neighbours; the part names it in the idempotency key.
    pub fn context_of(&self, part: &str) -> Context {
        Context {
            tenant: self.occurrence.tenant.clone(),
            occurrence: Some(self.occurrence.id),
            idempotency_key: Some(IdempotencyKey(self.idempotency_key_of(part))),
            // One call shall not use up all the time that repetitions need.
            deadline: self.deadline.earlier(Deadline::within(Context::DEFAULT_LIMIT)),
            trace: self.occurrence.trace,
        }
    }

    /// Which attempt this is, from 1.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// How long the step may still work.
    pub fn remaining(&self) -> Duration {
        self.deadline.remaining()
    }

    /// What the wait before carried, if the step has waited.
    pub fn note(&self) -> Option<&Value> {
        self.note.as_ref()
    }

    /// Whether the occurrence is being cancelled: a step of many parts may stop between two.
    pub fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// Completes when the occurrence is being cancelled.
    pub async fn cancelled(&self) {
        self.cancel.cancelled().await;
    }
}

pub(crate) fn identity(occurrence: &Occurrence, step: &str, incarnation: u32) -> Uuid {
    let name = if incarnation == 0 {
        step.to_owned()
    } else {
        format!("{step} {incarnation}")
    };
    Uuid::new_v5(&occurrence.id.0, name.as_bytes())
}
