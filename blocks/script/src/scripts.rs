//! The interface: what an OSS asks of scripts.

use crate::apply::{self, Params};
use crate::compile::{Compiled, compile};
use crate::onboard::{Parcel, Sort};
use crate::record::{self, Onboarded, REVISION, ScriptRecord, fault, json};
use crate::{Scripts, delete, difference};
use async_trait::async_trait;
use manifold_call::{CallError, Context, OccurrenceId, Outcome};
use manifold_lcm::{Occurrence, OnFailure, Problem, Start, StepView};
use manifold_nfvo_interface::{
    AppliedScript, Progress, ScriptAsk, ScriptInfo, ScriptName, ScriptOperation, ScriptPlan, ScriptRevision,
    ServiceScripts, StepProgress,
};
use manifold_sol::ProblemDetails;
use manifold_store::{Doc, Expect};
use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

#[async_trait]
impl ServiceScripts for Scripts {
    async fn plan(&self, cx: &Context, ask: ScriptAsk) -> Outcome<ScriptPlan> {
        let (_, before) = self.before(cx, &ask).await?;
        let compiled = self.compile(cx, &ask).await?;
        Ok(difference::plan(
            before.revision + 1,
            &before.elements,
            &compiled.parts,
            compiled.notes,
        ))
    }

    async fn apply(&self, cx: &Context, ask: ScriptAsk) -> Outcome<AppliedScript> {
        let (doc, before) = self.before(cx, &ask).await?;
        self.check_idle(&before).await?;
        let compiled = self.compile(cx, &ask).await?;
        let plan = difference::plan(
            before.revision + 1,
            &before.elements,
            &compiled.parts,
            compiled.notes.clone(),
        );
        let is_same = before.nsd_id.as_deref() == Some(compiled.nsd.descriptor_id.as_str())
            && before.access_points == ask.access_points
            && before.ns.is_some()
            && before.revision > 0;
        if is_same && plan.is_empty() {
            return Ok(AppliedScript { plan, operation: None });
        }
        let params = params(&before, ask, compiled);
        let operation = self.start(cx, apply::KIND, doc.as_ref(), before, &params).await?;
        Ok(AppliedScript {
            plan,
            operation: Some(operation),
        })
    }

    async fn delete(&self, cx: &Context, name: ScriptName) -> Outcome<AppliedScript> {
        let (doc, record) = self.known(cx, &name).await?;
        self.check_idle(&record).await?;
        let plan = difference::plan(record.revision, &record.elements, &[], vec![]);
        let params = delete::Params { record: record.clone() };
        let operation = self.start(cx, delete::KIND, Some(&doc), record, &params).await?;
        Ok(AppliedScript {
            plan,
            operation: Some(operation),
        })
    }

    async fn query(&self, cx: &Context, (): ()) -> Outcome<Vec<ScriptInfo>> {
        let all = record::all(&*self.near.store, &cx.tenant).await?;
        Ok(all.iter().map(|record| record.info(false)).collect())
    }

    async fn find(&self, cx: &Context, name: ScriptName) -> Outcome<ScriptInfo> {
        Ok(self.known(cx, &name).await?.1.info(true))
    }

    async fn find_revision(&self, cx: &Context, ask: ScriptRevision) -> Outcome<ScriptInfo> {
        let key = format!("{}/{}", record::id(&cx.tenant, ask.name.as_str()), ask.revision);
        let doc = self.near.store.get(REVISION, &key).await.map_err(fault)?;
        let none = || CallError::not_found(format!("script {} has no revision {}", ask.name, ask.revision));
        doc.ok_or_else(none)?.read().map_err(fault)
    }

    async fn find_operation(&self, cx: &Context, id: OccurrenceId) -> Outcome<ScriptOperation> {
        let found = self.own(cx, id).await?;
        let view = self.near.neighbours()?.engine.view(id).await?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        let name = found.subject.id.split_once('/').map_or("", |(_, name)| name).to_owned();
        Ok(ScriptOperation {
            id,
            script: name,
            state: found.state.as_str().to_owned(),
            error: found.error.as_ref().map(problem),
            progress: Progress {
                state: view.occurrence.state.as_str().to_owned(),
                steps: view.steps.iter().map(|step| progress(step, now)).collect(),
            },
        })
    }

    async fn retry(&self, cx: &Context, id: OccurrenceId) -> Outcome<()> {
        self.own(cx, id).await?;
        Ok(self.near.neighbours()?.engine.retry(id).await?)
    }

    async fn rollback(&self, cx: &Context, id: OccurrenceId) -> Outcome<()> {
        self.own(cx, id).await?;
        Ok(self.near.neighbours()?.engine.rollback(id).await?)
    }

    async fn fail(&self, cx: &Context, id: OccurrenceId) -> Outcome<()> {
        self.own(cx, id).await?;
        self.near.neighbours()?.engine.fail(id).await?;
        Ok(())
    }
}

impl Scripts {
    async fn compile(&self, cx: &Context, ask: &ScriptAsk) -> Outcome<Compiled> {
        compile(ask, &*self.near.neighbours()?.packages, cx).await
    }

    /// The document as it is; an empty one where there is none. Errors: `Stale`.
    async fn before(&self, cx: &Context, ask: &ScriptAsk) -> Outcome<(Option<Doc>, ScriptRecord)> {
        let found = record::find(&*self.near.store, &cx.tenant, &ask.name).await?;
        let (doc, record) = match found {
            Some((doc, record)) => (Some(doc), record),
            None => (None, ScriptRecord::default()),
        };
        match ask.expected_revision {
            Some(expected) if expected != record.revision => Err(CallError::stale(format!(
                "script {} is at revision {}, and {expected} was to be changed",
                ask.name, record.revision
            ))
            .cure("look at it again, and apply the change to what it is now")),
            _ => Ok((doc, record)),
        }
    }

    async fn known(&self, cx: &Context, name: &ScriptName) -> Outcome<(Doc, ScriptRecord)> {
        let found = record::find(&*self.near.store, &cx.tenant, name.as_str()).await?;
        found.ok_or_else(|| {
            CallError::not_found(format!("there is no script {name}"))
                .cure("`manifold script list` shows those that there are")
        })
    }

    /// The tenant's operation on a script.
    async fn own(&self, cx: &Context, id: OccurrenceId) -> Outcome<Occurrence> {
        let found = self.near.neighbours()?.engine.occurrence(id).await?;
        if found.subject.kind == record::SCRIPT.0 && found.tenant == cx.tenant {
            Ok(found)
        } else {
            Err(CallError::not_found(format!("there is no operation {id} on a script")))
        }
    }

    /// Errors: `Busy`, naming the operation.
    async fn check_idle(&self, record: &ScriptRecord) -> Outcome<()> {
        let Some(last) = record.operation else { return Ok(()) };
        match self.near.neighbours()?.engine.occurrence(last).await {
            Ok(found) if !found.state.is_terminal() => Err(CallError::busy(format!(
                "script {} is busy with operation {last}, which is {}",
                record.name, found.state
            ))
            .cure("wait for that operation to end, or end it with `manifold script retry|rollback|fail`")),
            Ok(_) | Err(manifold_lcm::EngineError::NotFound(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn start(
        &self,
        cx: &Context,
        kind: &str,
        doc: Option<&Doc>,
        before: ScriptRecord,
        params: &(impl serde::Serialize + Named),
    ) -> Outcome<OccurrenceId> {
        let id = OccurrenceId::random();
        let record = ScriptRecord {
            name: params.name().to_owned(),
            operation: Some(id),
            ..before
        };
        let expect = doc.map_or(Expect::Absent, |doc| Expect::Exactly(doc.revision));
        let subject = record::id(&cx.tenant, params.name());
        let start = Start::new(cx, kind, &subject, json(params)?)
            .with_id(id)
            .on_failure(OnFailure::Rollback)
            .write(record.put(&cx.tenant, expect)?);
        Ok(self.near.neighbours()?.engine.start(start).await?)
    }
}

trait Named {
    fn name(&self) -> &str;
}

impl Named for Params {
    fn name(&self) -> &str {
        &self.record.name
    }
}

impl Named for delete::Params {
    fn name(&self) -> &str {
        &self.record.name
    }
}

fn params(before: &ScriptRecord, ask: ScriptAsk, compiled: Compiled) -> Params {
    let functions = compiled
        .functions
        .iter()
        .map(|one| Parcel::new(Sort::Vnfd, one.descriptor.clone(), &one.bytes));
    let services = compiled
        .services
        .iter()
        .map(|one| Parcel::new(Sort::Nsd, one.descriptor.clone(), &one.bytes));
    let parcels: Vec<Parcel> = functions.chain(services).collect();
    let kept: BTreeSet<&str> = parcels.iter().map(|parcel| parcel.descriptor.as_str()).collect();
    let split = |all: &[Onboarded]| -> (Vec<Onboarded>, Vec<Onboarded>) {
        all.iter()
            .cloned()
            .partition(|one| kept.contains(one.descriptor.as_str()))
    };
    let (nsds, nsds_gone) = split(&before.nsds);
    let (packages, packages_gone) = split(&before.packages);
    let ns = before.ns.clone().zip(before.nsd_id.clone());
    Params {
        record: ScriptRecord {
            name: ask.name,
            revision: before.revision + 1,
            sources: ask.sources,
            root: ask.root,
            elements: compiled.parts,
            ns: before.ns.clone(),
            nsd_id: Some(compiled.nsd.descriptor_id),
            nsds,
            packages,
            access_points: ask.access_points,
            operation: None,
        },
        parcels,
        flavour: compiled.nsd.flavour_id,
        ns,
        nsds_gone,
        packages_gone,
    }
}

fn progress(step: &StepView, now_ms: u64) -> StepProgress {
    StepProgress {
        name: step.name.clone(),
        state: step.state.told().to_owned(),
        duration_ms: step.duration_ms(now_ms),
        attempts: step.attempts,
        error: step.error.as_ref().map(|error| error.detail.clone()),
    }
}

/// Why it failed, with the status that the same failure has as an answer.
fn problem(error: &Problem) -> ProblemDetails {
    ProblemDetails {
        title: error.step.clone(),
        status: error.kind.status(),
        detail: error.detail.clone(),
    }
}
