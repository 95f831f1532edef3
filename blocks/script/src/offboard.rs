//! The step that takes away what the revision before had and this one has not. It comes when the service no longer needs it, and
//! nothing depends on it: what stays is taken away by the next apply.

use crate::Near;
use crate::follow::STEP_LIMIT;
use crate::onboard::{Sort, take_away};
use crate::record::Onboarded;
use async_trait::async_trait;
use manifold_lcm::{Found, Progress, Step, StepCx, StepError, UndoProgress};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

pub(crate) struct Offboard {
    pub(crate) near: Arc<Near>,
    pub(crate) sort: Sort,
    pub(crate) what: Onboarded,
}

impl Offboard {
    pub(crate) const FORWARD_ONLY: &'static str = "what nothing uses is not brought back";

    pub(crate) fn step(what: &Onboarded) -> String {
        format!("offboard/{}", what.descriptor)
    }
}

/// The name of [`Turn`].
pub(crate) const TURN: &str = "turn";

/// Where an apply stops being undone. It does nothing.
pub(crate) struct Turn;

#[async_trait]
impl Step for Turn {
    async fn find(&self, _: &StepCx) -> Result<Found, StepError> {
        Ok(Found::Absent)
    }

    async fn act(&self, _: &StepCx) -> Result<Progress, StepError> {
        Progress::done(&())
    }

    async fn undo(&self, _: &StepCx, _: Option<&Value>) -> Result<UndoProgress, StepError> {
        Ok(UndoProgress::Done)
    }

    fn limit(&self) -> Duration {
        STEP_LIMIT
    }
}

#[async_trait]
impl Step for Offboard {
    async fn find(&self, _: &StepCx) -> Result<Found, StepError> {
        Ok(Found::Absent)
    }

    async fn act(&self, cx: &StepCx) -> Result<Progress, StepError> {
        take_away(&self.near, cx, self.sort, &self.what.id).await?;
        Progress::done(&())
    }

    async fn undo(&self, _: &StepCx, _: Option<&Value>) -> Result<UndoProgress, StepError> {
        Ok(UndoProgress::Done)
    }

    fn limit(&self) -> Duration {
        STEP_LIMIT
    }
}
