//! An operation: what a block offers to the engine.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use manifold_call::CallError;
use manifold_store::{Doc, Kind, Write};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Machine, Occurrence, Plan, PlanError, StepError, Task};

/// The outputs of the steps that are done.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outputs {
    by_step: BTreeMap<String, Value>,
}

impl Outputs {
    /// The output of a step. Errors: it has none, or it is of another type.
    pub fn get<T: DeserializeOwned>(&self, step: &str) -> Result<T, StepError> {
        self.find(step)?
            .ok_or_else(|| StepError::internal(format!("step {step} has no output")))
    }

    /// The output of a step, `None` when it has none. Errors: it is of another type.
    pub fn find<T: DeserializeOwned>(&self, step: &str) -> Result<Option<T>, StepError> {
        let Some(value) = self.by_step.get(step) else {
            return Ok(None);
        };
        T::deserialize(value).map(Some).map_err(|error| {
            StepError::permanent(
                CallError::internal(format!("the output of step {step} is of another type")).caused_by(error),
            )
        })
    }

    /// All of them, in the order of the steps' names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.by_step.iter().map(|(step, value)| (step.as_str(), value))
    }

    /// Those of the steps whose names begin so: `machine/` for the steps `machine/a`, `machine/b`.
    pub fn starting_with<T: DeserializeOwned>(&self, prefix: &str) -> Result<Vec<(&str, T)>, StepError> {
        let steps = self.by_step.range(prefix.to_owned()..).map(|(step, _)| step.as_str());
        steps
            .take_while(|step| step.starts_with(prefix))
            .map(|step| Ok((step, self.get(step)?)))
            .collect()
    }

    /// Sets a step's output; for tests of what reads outputs.
    pub fn insert(&mut self, step: impl Into<String>, output: &impl Serialize) -> Result<(), StepError> {
        let value = serde_json::to_value(output).map_err(|error| StepError::internal(error.to_string()))?;
        self.set(step.into(), value);
        Ok(())
    }

    pub(crate) fn value(&self, step: &str) -> Option<&Value> {
        self.by_step.get(step)
    }

    pub(crate) fn set(&mut self, step: String, output: Value) {
        self.by_step.insert(step, output);
    }

    pub(crate) fn forget(&mut self, step: &str) {
        self.by_step.remove(step);
    }
}

/// What an operation knows when an occurrence ends.
#[derive(Debug)]
pub struct Ending<'a> {
    /// The occurrence.
    pub occurrence: &'a Occurrence,
    /// What the steps gave; without those that did not get done.
    pub outputs: &'a Outputs,
    /// The documents that the operation asked to read ([`Operation::reads`]) and the subject, those that exist, as they
    /// are now. The occurrence has its subject alone, but others may write documents that are not its subject's: writes
    /// that expect these revisions and lose the race are made again.
    pub docs: &'a [Doc],
    /// Now, for documents that tell when (milliseconds since 1970).
    pub now_ms: u64,
}

impl Ending<'_> {
    /// The subject's document. Errors: there is none.
    pub fn subject(&self) -> Result<&Doc, StepError> {
        let subject = &self.occurrence.subject;
        self.docs
            .iter()
            .find(|doc| doc.kind.0 == subject.kind && doc.id == subject.id)
            .ok_or_else(|| StepError::internal(format!("{} {} is not there", subject.kind, subject.id)))
    }

    /// A document that the operation asked for.
    pub fn doc(&self, kind: Kind, id: &str) -> Option<&Doc> {
        self.docs.iter().find(|doc| doc.kind == kind && doc.id == id)
    }
}

/// A lifecycle operation. Everything here is pure: no I/O, no clock, no randomness; what it needs to know stands in the
/// parameters, which are journaled at the start. The neighbours that its steps call are held by the operation.
pub trait Operation: Send + Sync + 'static {
    /// Its name, such as `vnf.instantiate`.
    fn kind(&self) -> &'static str;

    /// The version of its plan, parameters and outputs. It changes whenever a journal that was begun before could not
    /// be followed by the new plan; the old version may stay registered beside the new one.
    fn version(&self) -> u32;

    /// Which states and tasks its occurrences have.
    fn machine(&self) -> Machine;

    /// The kind of document that it works on.
    fn subject_kind(&self) -> Kind;

    /// Whether its occurrences can be asked for the task, if the machine knows it.
    fn supports(&self, task: Task) -> bool;

    /// The steps and their order. Errors: the parameters are refused.
    fn plan(&self, occurrence: &Occurrence) -> Result<Plan, PlanError>;

    /// Documents beside the subject that the ends below want to read.
    fn reads(&self, _occurrence: &Occurrence) -> Vec<(Kind, String)> {
        Vec::new()
    }

    /// What to write when the operation has completed, in the same commit.
    fn conclude(&self, ending: &Ending<'_>) -> Result<Vec<Write>, StepError>;

    /// What to write when everything was undone, in the same commit: what the writes of the start had changed.
    fn restore(&self, _ending: &Ending<'_>) -> Result<Vec<Write>, StepError> {
        Ok(Vec::new())
    }

    /// What to write when the operation is given up (FAILED), in the same commit: enough that what is left can still
    /// be terminated.
    fn abandon(&self, ending: &Ending<'_>) -> Result<Vec<Write>, StepError>;

    /// What a result tells beside the state: affected VNFCs, resource changes.
    fn summary(&self, _occurrence: &Occurrence, _outputs: &Outputs) -> Value {
        Value::Null
    }
}

/// Why an operation was not registered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("operation {kind} version {version} is registered twice")]
pub struct RegistryError {
    kind: &'static str,
    version: u32,
}

/// The operations that an engine knows.
#[derive(Clone, Default)]
pub struct Registry {
    operations: HashMap<(String, u32), Arc<dyn Operation>>,
    newest: BTreeMap<String, u32>,
}

impl Registry {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an operation. Errors: this version of it is there already.
    pub fn register(&mut self, operation: impl Operation) -> Result<(), RegistryError> {
        self.register_arc(Arc::new(operation))
    }

    /// The same, for one that is shared.
    pub fn register_arc(&mut self, operation: Arc<dyn Operation>) -> Result<(), RegistryError> {
        let (kind, version) = (operation.kind(), operation.version());
        if self.operations.contains_key(&(kind.to_owned(), version)) {
            return Err(RegistryError { kind, version });
        }
        self.operations.insert((kind.to_owned(), version), operation);
        let newest = self.newest.entry(kind.to_owned()).or_insert(version);
        *newest = version.max(*newest);
        Ok(())
    }

    /// The kinds of operations.
    pub fn kinds(&self) -> impl Iterator<Item = &str> {
        self.newest.keys().map(String::as_str)
    }

    /// The newest version of an operation.
    pub fn newest(&self, kind: &str) -> Option<&Arc<dyn Operation>> {
        self.version(kind, *self.newest.get(kind)?)
    }

    /// One version of an operation.
    pub fn version(&self, kind: &str, version: u32) -> Option<&Arc<dyn Operation>> {
        self.operations.get(&(kind.to_owned(), version))
    }

    /// Every version of every operation.
    pub fn all(&self) -> impl Iterator<Item = &Arc<dyn Operation>> {
        self.operations.values()
    }
}
