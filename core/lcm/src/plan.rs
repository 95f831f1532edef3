//! A plan: which steps there are, and which comes after which.

use std::collections::HashSet;
use std::sync::Arc;

use manifold_call::CallError;
use petgraph::graph::{DiGraph, NodeIndex};

use crate::Step;

/// The most steps of a plan. A network service of 500 VNFs has a step for each and a few more; a plan beyond this is a
/// loop that ran away.
const STEPS_MAX: usize = 10_000;

/// Names a step of a plan while the plan is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepHandle {
    index: usize,
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PlanError {
    /// Two steps have the same name.
    #[error("the plan of {operation} has two steps named {step}")]
    DuplicateStep {
        /// The operation.
        operation: String,
        /// The name.
        step: String,
    },
    /// Steps wait for one another.
    #[error("the plan of {operation} has a cycle through {step}")]
    Cycle {
        /// The operation.
        operation: String,
        /// One of the steps.
        step: String,
    },
    /// A preparation comes after a step that changes resources.
    #[error("in the plan of {operation}, the preparation {step} comes after {before}, which is none")]
    LatePreparation {
        /// The operation.
        operation: String,
        /// The preparation.
        step: String,
        /// What it comes after.
        before: String,
    },
    /// There are too many steps.
    #[error("the plan of {operation} has {steps} steps, and {STEPS_MAX} are the most")]
    TooLarge {
        /// The operation.
        operation: String,
        /// How many.
        steps: usize,
    },
    /// The operation refuses the parameters.
    #[error("{0}")]
    Refused(CallError),
}

impl PlanError {
    pub(crate) fn into_call_error(self) -> CallError {
        match self {
            PlanError::Refused(cause) => cause,
            other => CallError::internal(other.to_string()),
        }
    }
}

impl From<CallError> for PlanError {
    fn from(cause: CallError) -> Self {
        PlanError::Refused(cause)
    }
}

impl From<crate::StepError> for PlanError {
    fn from(error: crate::StepError) -> Self {
        PlanError::Refused(error.cause)
    }
}

#[derive(Clone)]
pub(crate) struct Planned {
    pub(crate) name: Arc<str>,
    pub(crate) step: Arc<dyn Step>,
    pub(crate) preparation: bool,
    pub(crate) forward_only: Option<&'static str>,
    pub(crate) no_return: Option<&'static str>,
    pub(crate) despite_failures: bool,
}

/// Steps and their order. Made by [`crate::Operation::plan`] from the parameters alone.
pub struct Plan {
    operation: String,
    steps: Vec<Planned>,
    edges: Vec<(usize, usize)>,
}

impl Plan {
    /// An empty plan of an operation.
    pub fn of(operation: impl Into<String>) -> Self {
        Self {
            operation: operation.into(),
            steps: Vec::new(),
            edges: Vec::new(),
        }
    }

    /// Adds a step. Its name is its identity in the journal: the same parameters give the same names.
    pub fn step(&mut self, name: impl AsRef<str>, step: impl Step + 'static) -> StepInPlan<'_> {
        self.boxed(name, Box::new(step))
    }

    /// Adds a step whose type is not known here.
    pub fn boxed(&mut self, name: impl AsRef<str>, step: Box<dyn Step>) -> StepInPlan<'_> {
        let index = self.steps.len();
        self.steps.push(Planned {
            name: name.as_ref().into(),
            step: Arc::from(step),
            preparation: false,
            forward_only: None,
            no_return: None,
            despite_failures: false,
        });
        StepInPlan { plan: self, index }
    }

    /// The names of the steps, in the order in which they were added.
    pub fn step_names(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().map(|step| &*step.name)
    }

    /// Each step with those that it comes after, for tests of plans and for pictures.
    pub fn shape(&self) -> Vec<(&str, Vec<&str>)> {
        let before = |step: usize| {
            self.edges
                .iter()
                .filter(move |(_, to)| *to == step)
                .map(|(from, _)| *from)
        };
        let steps = self.steps.iter().enumerate();
        steps
            .map(|(index, step)| (&*step.name, before(index).map(|from| &*self.steps[from].name).collect()))
            .collect()
    }

    /// Replaces each step by what the function makes of it; for decorators.
    #[cfg(feature = "fault")]
    pub(crate) fn map_steps(mut self, mut make: impl FnMut(&Planned) -> Arc<dyn Step>) -> Self {
        for planned in &mut self.steps {
            planned.step = make(planned);
        }
        self
    }

    /// Checks the plan and works out its order.
    pub(crate) fn check(self) -> Result<CheckedPlan, PlanError> {
        let Self {
            operation,
            steps,
            edges,
        } = self;
        if steps.len() > STEPS_MAX {
            return Err(PlanError::TooLarge {
                operation,
                steps: steps.len(),
            });
        }
        let mut names = HashSet::with_capacity(steps.len());
        for step in &steps {
            if !names.insert(Arc::clone(&step.name)) {
                return Err(PlanError::DuplicateStep {
                    operation,
                    step: step.name.to_string(),
                });
            }
        }
        let mut graph = DiGraph::<(), ()>::with_capacity(steps.len(), edges.len());
        for _ in &steps {
            graph.add_node(());
        }
        let mut before = vec![Vec::new(); steps.len()];
        let mut after = vec![Vec::new(); steps.len()];
        for (from, to) in edges {
            if before[to].contains(&from) {
                continue;
            }
            if steps[to].preparation && !steps[from].preparation {
                return Err(PlanError::LatePreparation {
                    operation,
                    step: steps[to].name.to_string(),
                    before: steps[from].name.to_string(),
                });
            }
            graph.add_edge(NodeIndex::new(from), NodeIndex::new(to), ());
            before[to].push(from);
            after[from].push(to);
        }
        if let Err(cycle) = petgraph::algo::toposort(&graph, None) {
            let step = steps[cycle.node_id().index()].name.to_string();
            return Err(PlanError::Cycle { operation, step });
        }
        Ok(CheckedPlan { steps, before, after })
    }
}

/// A step that was just added to a plan.
pub struct StepInPlan<'a> {
    plan: &'a mut Plan,
    index: usize,
}

impl StepInPlan<'_> {
    /// The step begins when that one is done. Returns the handle of this step; may be chained.
    pub fn after(self, earlier: &StepHandle) -> Self {
        self.plan.edges.push((earlier.index, self.index));
        self
    }

    /// The step begins when all those are done.
    pub fn after_all<'h>(self, earlier: impl IntoIterator<Item = &'h StepHandle>) -> Self {
        for handle in earlier {
            self.plan.edges.push((handle.index, self.index));
        }
        self
    }

    /// The step changes no resource: it runs in STARTING (the grant), before every step that is no preparation.
    pub fn preparation(self) -> Self {
        self.plan.steps[self.index].preparation = true;
        self
    }

    /// The step has no undo, because of `why` (one line). Rolling back passes over it.
    pub fn forward_only(self, why: &'static str) -> Self {
        self.plan.steps[self.index].forward_only = Some(why);
        self
    }

    /// Once the step is done, the operation is not rolled back any more, because of `why` (one line): it is retried, continued or
    /// given up. Steps after it may take away what nobody could give back.
    pub fn no_return(self, why: &'static str) -> Self {
        self.plan.steps[self.index].no_return = Some(why);
        self
    }

    /// The step runs even when a step before it failed and the failure was accepted (`continue`); otherwise it is
    /// skipped with it.
    pub fn despite_failures(self) -> Self {
        self.plan.steps[self.index].despite_failures = true;
        self
    }

    /// The step's handle, for later steps to come after it.
    pub fn handle(&self) -> StepHandle {
        StepHandle { index: self.index }
    }
}

/// A plan without duplicates and cycles.
pub(crate) struct CheckedPlan {
    pub(crate) steps: Vec<Planned>,
    pub(crate) before: Vec<Vec<usize>>,
    pub(crate) after: Vec<Vec<usize>>,
}

impl CheckedPlan {
    pub(crate) fn names(&self) -> Vec<String> {
        self.steps.iter().map(|step| step.name.to_string()).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use async_trait::async_trait;
    use serde_json::Value;

    use super::*;
    use crate::{Found, Progress, StepCx, StepError, UndoProgress};

    struct Nothing;

    #[async_trait]
    impl Step for Nothing {
        async fn find(&self, _cx: &StepCx) -> Result<Found, StepError> {
            Ok(Found::Absent)
        }
        async fn act(&self, _cx: &StepCx) -> Result<Progress, StepError> {
            Progress::done(&())
        }
        async fn undo(&self, _cx: &StepCx, _made: Option<&Value>) -> Result<UndoProgress, StepError> {
            Ok(UndoProgress::Done)
        }
        fn limit(&self) -> Duration {
            Duration::ZERO
        }
    }

    #[test]
    fn duplicates_cycles_and_late_preparations_are_refused_by_name() {
        let mut twice = Plan::of("op");
        twice.step("a", Nothing);
        twice.step("a", Nothing);
        assert!(matches!(twice.check(), Err(PlanError::DuplicateStep { step, .. }) if step == "a"));

        let mut round = Plan::of("op");
        let a = round.step("a", Nothing).handle();
        let b = round.step("b", Nothing).after(&a).handle();
        round.edges.push((b.index, a.index));
        assert!(matches!(round.check(), Err(PlanError::Cycle { .. })));

        let mut late = Plan::of("op");
        let a = late.step("a", Nothing).handle();
        late.step("grant", Nothing).after(&a).preparation();
        let refused = late.check().map(|_| ()).expect_err("it is late");
        assert_eq!(
            refused.to_string(),
            "in the plan of op, the preparation grant comes after a, which is none"
        );
    }

    #[test]
    fn a_plan_tells_its_shape() {
        let mut plan = Plan::of("op");
        let a = plan.step("a", Nothing).handle();
        let b = plan.step("b", Nothing).handle();
        plan.step("c", Nothing).after_all([&a, &b]).after(&a);
        assert_eq!(plan.shape(), [("a", vec![]), ("b", vec![]), ("c", vec!["a", "b", "a"])]);
        assert_eq!(plan.check().map(|plan| plan.before[2].clone()), Ok(vec![0, 1]));
    }
}
