//! Making a service equal to its script.
//!
//! ```text
//!   vnfd/<id>… ──> nsd/<id> (inner) ──> nsd/<id> (the service's) ──┬──> ns/create ──> ns/instantiate
//!                                                                  └──> ns/update ──> offboard/<id>…
//! ```
//!
//! Undone: the NS follows its old NSD again or is gone, and what was brought in is taken out; the document is at its old revision.

use crate::Near;
use crate::ns::{CREATE, CreateNs, INSTANTIATE, InstantiateNs, MadeNs, UPDATE, UpdateNs};
use crate::offboard::{Offboard, TURN, Turn};
use crate::onboard::{Brought, Onboard, Parcel, Sort};
use crate::record::{Onboarded, SCRIPT, ScriptRecord};
use manifold_lcm::{Ending, Machine, Occurrence, Operation, Outputs, Plan, PlanError, StepError, Task};
use manifold_store::{Expect, Kind, Write};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

pub(crate) const KIND: &str = "script.apply";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Params {
    /// The document as it shall be, but for what the steps find out.
    pub(crate) record: ScriptRecord,
    /// VNFDs first, then NSDs, inner ones first.
    pub(crate) parcels: Vec<Parcel>,
    /// The service's NSD's.
    pub(crate) flavour: String,
    /// The NS that there is, and the NSD that it follows.
    pub(crate) ns: Option<(String, String)>,
    /// What the revision before had and this one has not.
    pub(crate) nsds_gone: Vec<Onboarded>,
    pub(crate) packages_gone: Vec<Onboarded>,
}

pub(crate) struct Apply {
    pub(crate) near: Arc<Near>,
}

impl Operation for Apply {
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
        // A service that is half a script is nobody's wish.
        !matches!(task, Task::Continue)
    }

    fn plan(&self, occurrence: &Occurrence) -> Result<Plan, PlanError> {
        let params: Params = occurrence.params()?;
        let near = || Arc::clone(&self.near);
        let mut plan = Plan::of(KIND);
        let mut functions = Vec::new();
        let mut last = None;
        for parcel in &params.parcels {
            let step = Onboard {
                near: near(),
                parcel: parcel.clone(),
            };
            let added = plan.step(parcel.step(), step);
            match parcel.sort {
                // VNFDs need nothing of one another.
                Sort::Vnfd => functions.push(added.handle()),
                Sort::Nsd => last = Some(added.after_all(&functions).after_all(&last).handle()),
            }
        }
        let record = &params.record;
        let nsd_id = record.nsd_id.clone().unwrap_or_default();
        let made = match &params.ns {
            None => {
                let create = CreateNs {
                    near: near(),
                    name: record.name.clone(),
                    nsd_id,
                };
                let created = plan
                    .step(CREATE, create)
                    .after_all(&functions)
                    .after_all(&last)
                    .handle();
                let instantiate = InstantiateNs {
                    near: near(),
                    flavour: params.flavour.clone(),
                    access_points: record.access_points.clone(),
                };
                plan.step(INSTANTIATE, instantiate).after(&created).handle()
            }
            Some((ns, before)) => {
                let update = UpdateNs {
                    near: near(),
                    ns: ns.clone(),
                    nsd_id,
                    before: before.clone(),
                    access_points: record.access_points.clone(),
                };
                plan.step(UPDATE, update)
                    .after_all(&functions)
                    .after_all(&last)
                    .handle()
            }
        };
        let mut before = made;
        // What nothing needs any more is not brought back: from here on the apply is finished, not undone.
        if !params.nsds_gone.is_empty() || !params.packages_gone.is_empty() {
            let turn = plan.step(TURN, Turn).after(&before);
            before = turn.no_return(Offboard::FORWARD_ONLY).handle();
        }
        // Outer NSDs before inner ones, and packages when no NSD names them any more.
        let gone = params.nsds_gone.iter().rev().map(|what| (Sort::Nsd, what));
        for (sort, what) in gone.chain(params.packages_gone.iter().map(|what| (Sort::Vnfd, what))) {
            let step = Offboard {
                near: near(),
                sort,
                what: what.clone(),
            };
            before = plan
                .step(Offboard::step(what), step)
                .after(&before)
                .forward_only(Offboard::FORWARD_ONLY)
                .handle();
        }
        Ok(plan)
    }

    fn conclude(&self, ending: &Ending<'_>) -> Result<Vec<Write>, StepError> {
        let params: Params = ending.occurrence.params()?;
        let doc = ending.subject()?;
        let mut record = params.record;
        record.operation = Some(ending.occurrence.id);
        if let Some(made) = ending.outputs.find::<MadeNs>(CREATE)? {
            record.ns = Some(made.id);
        }
        for parcel in &params.parcels {
            let brought: Brought = ending.outputs.get(&parcel.step())?;
            // What was there before is not this document's to take away.
            if brought.is_ours {
                let list = match brought.sort {
                    Sort::Vnfd => &mut record.packages,
                    Sort::Nsd => &mut record.nsds,
                };
                list.push(brought.onboarded);
            }
        }
        let tenant = &ending.occurrence.tenant;
        Ok(vec![
            record.put(tenant, Expect::Exactly(doc.revision))?.into(),
            record.put_revision(tenant)?.into(),
        ])
    }

    fn restore(&self, ending: &Ending<'_>) -> Result<Vec<Write>, StepError> {
        let doc = ending.subject()?;
        let record: ScriptRecord = doc.read()?;
        // A document that never came true has nothing to tell.
        if record.revision == 0 {
            return Ok(vec![Write::delete(SCRIPT, &doc.id, Expect::Exactly(doc.revision))]);
        }
        Ok(vec![])
    }

    fn abandon(&self, ending: &Ending<'_>) -> Result<Vec<Write>, StepError> {
        let params: Params = ending.occurrence.params()?;
        let doc = ending.subject()?;
        let mut record: ScriptRecord = doc.read()?;
        // What was made is known, so that a deletion or the next apply can take it away.
        if let Some(made) = ending.outputs.find::<MadeNs>(CREATE)? {
            record.ns = Some(made.id);
            record.nsd_id.clone_from(&params.record.nsd_id);
        }
        for parcel in &params.parcels {
            match ending.outputs.find::<Brought>(&parcel.step())? {
                Some(brought) if brought.is_ours => match brought.sort {
                    Sort::Vnfd => record.packages.push(brought.onboarded),
                    Sort::Nsd => record.nsds.push(brought.onboarded),
                },
                _ => {}
            }
        }
        Ok(vec![
            record
                .put(&ending.occurrence.tenant, Expect::Exactly(doc.revision))?
                .into(),
        ])
    }

    fn summary(&self, _: &Occurrence, outputs: &Outputs) -> Value {
        outputs
            .find::<MadeNs>(CREATE)
            .ok()
            .flatten()
            .map_or(Value::Null, |made| serde_json::json!({ "nsInstanceId": made.id }))
    }
}
