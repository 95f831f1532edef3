//! What can go: the steps whose predecessors are at their goal, forwards or backwards.

use std::collections::BTreeSet;

use super::{Begin, Broken, Driver};
use crate::State;
use crate::journal::{Record, Standing};

/// Steps of one occurrence at work at a time. More would not make two processors faster, and would let one large
/// network service keep all others from the neighbours.
const STEPS_AT_ONCE: usize = 32;

/// Which steps can go, in one direction.
#[derive(Default)]
pub(super) struct Course {
    /// How many must come before each.
    pub(super) missing: Vec<usize>,
    pub(super) ready: BTreeSet<usize>,
    /// Not at their goal.
    pub(super) left: usize,
}

impl Driver {
    /// Works out which steps can go, from where they all stand.
    pub(super) fn chart(&mut self) {
        let count = self.plan.steps.len();
        self.back |= self.occurrence.state == State::RollingBack;
        self.failed = !self.back && self.ledger.steps.iter().any(|step| step.standing == Standing::Failed);
        let at_goal: Vec<bool> = (0..count).map(|index| self.is_at_goal(index)).collect();
        let earlier = if self.back { &self.plan.after } else { &self.plan.before };
        let missing: Vec<usize> = earlier
            .iter()
            .map(|all| all.iter().filter(|other| !at_goal[**other]).count())
            .collect();
        let ready = (0..count)
            .filter(|index| !at_goal[*index] && missing[*index] == 0)
            .collect();
        self.course = Course {
            missing,
            ready,
            left: at_goal.iter().filter(|there| !**there).count(),
        };
    }

    pub(super) fn is_at_goal(&self, index: usize) -> bool {
        let step = &self.ledger.steps[index];
        if self.back {
            !step.touched
        } else {
            matches!(step.standing, Standing::Done | Standing::Skipped)
        }
    }

    /// A step has reached its goal: those that waited for it may go.
    pub(super) fn arrive(&mut self, index: usize) {
        self.course.left -= 1;
        let later = if self.back {
            &self.plan.before[index]
        } else {
            &self.plan.after[index]
        };
        for other in later {
            self.course.missing[*other] -= 1;
            let step = &self.ledger.steps[*other];
            let there = if self.back {
                !step.touched
            } else {
                matches!(step.standing, Standing::Done | Standing::Skipped)
            };
            if self.course.missing[*other] == 0 && !there {
                self.course.ready.insert(*other);
            }
        }
    }

    /// Takes ready steps, as many as may be at work, and notes the intent of each.
    pub(super) fn pick(&mut self) -> Result<(), Broken> {
        let starting = self.occurrence.state == State::Starting;
        // Out of STARTING, the cancellation is why it goes back; else it ends the going.
        let stopped = self.occurrence.cancel.is_some() && !(self.back && starting);
        if self.inner.stopping.is_cancelled() || stopped || self.failed {
            return Ok(());
        }
        loop {
            if self.occurrence.state == State::Starting && !self.back && self.is_prepared() {
                self.enter(State::Processing);
            }
            let prepares = self.occurrence.state == State::Starting && !self.back;
            let room = STEPS_AT_ONCE.saturating_sub(self.running.len() + self.begin.len());
            let may = self
                .course
                .ready
                .iter()
                .copied()
                .filter(|at| !prepares || self.plan.steps[*at].preparation);
            let picked: Vec<usize> = may.take(room).collect();
            let mut arrived = false;
            for index in picked {
                self.course.ready.remove(&index);
                arrived |= if self.back {
                    self.pick_undo(index)?
                } else {
                    self.pick_act(index)?
                };
            }
            if !arrived {
                return Ok(());
            }
        }
    }

    /// Returns whether the step is at its goal without any work.
    pub(super) fn pick_act(&mut self, index: usize) -> Result<bool, Broken> {
        let planned = &self.plan.steps[index];
        let step = planned.name.to_string();
        let untouched = self.ledger.steps[index].standing == Standing::Untouched;
        let mut before = self.plan.before[index].iter();
        let lacks = before.any(|before| self.ledger.steps[*before].standing == Standing::Skipped);
        if untouched && lacks && !planned.despite_failures {
            self.record(Record::Skipped { step })?;
            self.arrive(index);
            return Ok(true);
        }
        if untouched || self.ledger.steps[index].standing == Standing::Undoing {
            self.record(Record::Intent { step })?;
        }
        self.begin.push(Begin {
            index,
            fresh: untouched,
        });
        Ok(false)
    }

    /// Returns whether the step is at its goal without any work.
    pub(super) fn pick_undo(&mut self, index: usize) -> Result<bool, Broken> {
        let step = self.plan.steps[index].name.to_string();
        if self.plan.steps[index].forward_only.is_some() {
            self.record(Record::Undone { step })?;
            self.arrive(index);
            return Ok(true);
        }
        if self.ledger.steps[index].standing != Standing::Undoing {
            self.record(Record::UndoIntent { step })?;
        }
        self.begin.push(Begin { index, fresh: false });
        Ok(false)
    }

    pub(super) fn is_prepared(&self) -> bool {
        self.plan
            .steps
            .iter()
            .zip(&self.ledger.steps)
            .all(|(planned, step)| !planned.preparation || matches!(step.standing, Standing::Done | Standing::Skipped))
    }
}
