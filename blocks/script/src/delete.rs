//! Taking a script's service away, what was brought in for it, and the document.

use crate::Near;
use crate::ns::{RemoveNs, TERMINATE};
use crate::offboard::Offboard;
use crate::onboard::Sort;
use crate::record::{SCRIPT, ScriptRecord};
use manifold_lcm::{Ending, Machine, Occurrence, Operation, Plan, PlanError, StepError, Task};
use manifold_store::{Expect, Kind, Write};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

pub(crate) const KIND: &str = "script.delete";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Params {
    pub(crate) record: ScriptRecord,
}

pub(crate) struct Remove {
    pub(crate) near: Arc<Near>,
}

impl Operation for Remove {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn version(&self) -> u32 {
        1
    }

    fn machine(&self) -> Machine {
        Machine::Ns
    }

    fn subject_kind(&self) -> Kind {
        SCRIPT
    }

    fn supports(&self, task: Task) -> bool {
        !matches!(task, Task::Rollback | Task::Continue)
    }

    fn plan(&self, occurrence: &Occurrence) -> Result<Plan, PlanError> {
        let Params { record } = occurrence.params()?;
        let near = || Arc::clone(&self.near);
        let mut plan = Plan::of(KIND);
        let mut before = None;
        if let Some(ns) = &record.ns {
            let step = RemoveNs {
                near: near(),
                ns: ns.clone(),
            };
            before = Some(plan.step(TERMINATE, step).forward_only(RemoveNs::FORWARD_ONLY).handle());
        }
        let nsds = record.nsds.iter().rev().map(|what| (Sort::Nsd, what));
        for (sort, what) in nsds.chain(record.packages.iter().map(|what| (Sort::Vnfd, what))) {
            let step = Offboard {
                near: near(),
                sort,
                what: what.clone(),
            };
            let added = plan.step(Offboard::step(what), step).after_all(&before);
            before = Some(added.forward_only(Offboard::FORWARD_ONLY).handle());
        }
        Ok(plan)
    }

    fn conclude(&self, ending: &Ending<'_>) -> Result<Vec<Write>, StepError> {
        let doc = ending.subject()?;
        Ok(vec![Write::delete(SCRIPT, &doc.id, Expect::Exactly(doc.revision))])
    }

    fn abandon(&self, _: &Ending<'_>) -> Result<Vec<Write>, StepError> {
        // The document stays as it was: deleting it again goes on where this one stopped.
        Ok(vec![])
    }
}
