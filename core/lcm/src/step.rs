//! A step: one kind of effect on one neighbour, that can be looked for, brought about and undone.

use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use serde_json::Value;

use crate::{StepCx, StepError};

/// What `find` saw of a step's effect.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// It is not there.
    Absent,
    /// It is on its way.
    Pending(Wait),
    /// It is there; the step's output.
    Done(Value),
}

/// What `act` came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// The effect is there; the step's output.
    Done(Value),
    /// The effect is on its way; `find` will tell.
    Pending(Wait),
}

/// What `undo` came to.
#[derive(Debug, Clone, PartialEq)]
pub enum UndoProgress {
    /// The effect is gone, or never was.
    Done,
    /// It is going; `undo` is asked again when the event comes.
    Pending(Wait),
}

/// A wait for something outside. It is journaled and holds nothing. The step is asked again when the event is
/// signalled ([`crate::Engine::signal`]), after a restart, and now and then in case the signal was lost.
#[derive(Debug, Clone, PartialEq)]
pub struct Wait {
    /// The event's name, agreed between who waits and who signals, such as `vim.machine/<id>`.
    pub event: String,
    /// How long at most; then the step fails as timed out. Counted from the first wait and kept over restarts.
    pub deadline: Duration,
    /// What `find` shall know when it is asked again, such as the id of a job ([`StepCx::note`]).
    pub note: Option<Value>,
}

impl Wait {
    /// For an event, at most so long.
    pub fn new(event: impl Into<String>, deadline: Duration) -> Self {
        Self {
            event: event.into(),
            deadline,
            note: None,
        }
    }

    /// With something to know later.
    pub fn note(mut self, note: Value) -> Self {
        self.note = Some(note);
        self
    }
}

fn output(value: &impl Serialize) -> Result<Value, StepError> {
    serde_json::to_value(value).map_err(|error| StepError::internal(format!("an output is no JSON: {error}")))
}

impl Found {
    /// There, with this output.
    pub fn done(value: &impl Serialize) -> Result<Self, StepError> {
        output(value).map(Self::Done)
    }
}

impl Progress {
    /// Done, with this output.
    pub fn done(value: &impl Serialize) -> Result<Self, StepError> {
        output(value).map(Self::Done)
    }
}

/// One step of a plan. Its implementation holds the neighbours that it calls; what it shall do stands in itself, in the
/// occurrence's parameters and in the outputs of the steps before it.
///
/// Any of the three may be dropped at any `.await` (a deadline, a forceful cancellation, a crash) and may be repeated.
#[async_trait]
pub trait Step: Send + Sync {
    /// Whether the effect is there already, by [`StepCx::identity`]. Asked after a crash, before a retry, and when a
    /// wait ends; not before the very first act.
    async fn find(&self, cx: &StepCx) -> Result<Found, StepError>;

    /// Brings the effect about.
    async fn act(&self, cx: &StepCx) -> Result<Progress, StepError>;

    /// Takes the effect back; absence is success. `made` is the output; `None` means that nobody knows whether there
    /// is an effect: look by identity.
    async fn undo(&self, cx: &StepCx, made: Option<&Value>) -> Result<UndoProgress, StepError>;

    /// How long `find` and `act`, or `undo`, may work with all repetitions, waits not counted.
    fn limit(&self) -> Duration;
}
