//! Network services: their lifecycle (IFA 013 7.3, SOL005 6).
//!
//! ```text
//!   request ──> site (what the VIMs say now) ──> layout (pure) ──> params ──> plan ──> steps: network, mscs, vnf
//! ```

pub(crate) mod adopt;
mod flat;
mod heal;
mod instantiate;
pub(crate) mod layout;
mod mscs;
mod nested;
mod network;
mod packets;
mod passed;
pub(crate) mod paths;
mod pools;
mod scale;
mod see;
pub(crate) mod show;
pub(crate) mod site;
mod start;
mod terminate;
#[cfg(test)]
mod tests;
mod topology;
mod update;
pub(crate) mod vnf;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use futures_util::future::join_all;
use manifold_call::{CallError, Context, ErrorKind, OccurrenceId, Outcome, Uuid};
use manifold_lcm::{CancelMode, Occurrence, OccurrenceFilter, OnFailure, Operation, Start};
use manifold_nfvo_interface::{
    CancelNsOperation, Changes, NewNs, NsInstanceId, NsLifecycleManagement, NsTopology, OnNs, Progress,
};
use manifold_sol::{
    CancelModeType, HealNsRequest, InstantiateNsRequest, LcmOperationState, NsInstance, NsLcmOpOcc, NsState,
    ScaleNsRequest, TerminateNsRequest, UpdateNsRequest, VnfInstance,
};
use manifold_store::{Batch, Doc, Expect, Put, Query};
use manifold_vnfm_interface::CancelOperation;
use serde::Serialize;

use crate::near::Near;
use crate::record::{self, NS, NsRecord, VNF, VnfRecord};
use crate::{Nfvo, fault};

/// Every operation, for the engine's registry.
pub(crate) fn operations(near: &Arc<Near>) -> Vec<Arc<dyn Operation>> {
    let near = || Arc::clone(near);
    vec![
        Arc::new(instantiate::Instantiate { near: near() }),
        Arc::new(scale::Scale {
            near: near(),
            kind: scale::OUT,
        }),
        Arc::new(scale::Scale {
            near: near(),
            kind: scale::IN,
        }),
        Arc::new(heal::Heal { near: near() }),
        Arc::new(terminate::Terminate { near: near() }),
        Arc::new(update::Update { near: near() }),
    ]
}

#[async_trait]
impl NsLifecycleManagement for Nfvo {
    async fn create(&self, cx: &Context, ask: NewNs) -> Outcome<NsInstance> {
        let _gate = self.catalogue.gate().await;
        let nsd = self.usable_nsd(cx, &ask.0.nsd_id).await?;
        let id = match cx.idempotency_key {
            Some(key) => NsInstanceId::named(key.0, cx.tenant.as_str()),
            None => NsInstanceId::random(),
        };
        if let Ok((_, first)) = self.record(cx, id).await {
            return Ok(show::instance(&first, vec![]));
        }
        let record = NsRecord {
            id: id.to_string(),
            name: ask.0.ns_name,
            description: ask.0.ns_description,
            nsd_id: nsd.nsd_id.unwrap_or_default(),
            nsd_info_id: nsd.id,
            state: NsState::NotInstantiated,
            ..NsRecord::default()
        };
        let put = record.put(&cx.tenant, Expect::Absent)?;
        self.near
            .store
            .commit(Batch::new().write(put))
            .await
            .map_err(fault::store)?;
        Ok(show::instance(&record, vec![]))
    }

    async fn instantiate(&self, cx: &Context, ask: OnNs<InstantiateNsRequest>) -> Outcome<OccurrenceId> {
        let (doc, record) = self.record(cx, ask.ns_instance_id).await?;
        if let Some(first) = self.begun(cx, instantiate::KIND, &doc.id).await? {
            return Ok(first);
        }
        self.check_idle(cx, &record).await?;
        check_state(&record, NsState::NotInstantiated)?;
        let adoptions = self
            .adoptions(cx, &record, &ask.request.nested_ns_instance_data)
            .await?;
        let params = self.instantiation(cx, &record, ask.request, &adoptions).await?;
        let claims = adoptions.iter().map(|one| one.claim(cx, &params.layout));
        let claims = claims.collect::<Outcome<Vec<_>>>()?;
        self.start_with(cx, instantiate::KIND, &doc, record, &params, claims)
            .await
    }

    async fn scale(&self, cx: &Context, ask: OnNs<ScaleNsRequest>) -> Outcome<OccurrenceId> {
        let (doc, record) = self.record(cx, ask.ns_instance_id).await?;
        for kind in [scale::OUT, scale::IN] {
            if let Some(first) = self.begun(cx, kind, &doc.id).await? {
                return Ok(first);
            }
        }
        self.check_idle(cx, &record).await?;
        check_state(&record, NsState::Instantiated)?;
        let (kind, params) = self.scaling(cx, &record, ask.request).await?;
        self.start(cx, kind, &doc, record, &params).await
    }

    async fn heal(&self, cx: &Context, ask: OnNs<HealNsRequest>) -> Outcome<OccurrenceId> {
        let (doc, record) = self.record(cx, ask.ns_instance_id).await?;
        if let Some(first) = self.begun(cx, heal::KIND, &doc.id).await? {
            return Ok(first);
        }
        self.check_idle(cx, &record).await?;
        check_state(&record, NsState::Instantiated)?;
        let params = self.healing(cx, &record, ask.request).await?;
        self.start(cx, heal::KIND, &doc, record, &params).await
    }

    async fn update(&self, cx: &Context, ask: OnNs<UpdateNsRequest>) -> Outcome<OccurrenceId> {
        let (doc, mut record) = self.record(cx, ask.ns_instance_id).await?;
        if let Some(first) = self.begun(cx, update::KIND, &doc.id).await? {
            return Ok(first);
        }
        self.check_idle(cx, &record).await?;
        check_state(&record, NsState::Instantiated)?;
        // Nobody deletes the new NSD between its being looked at and its being noted.
        let _gate = self.catalogue.gate().await;
        let intent = self.updating(cx, &record, ask.request).await?;
        record.next_nsd = Some(intent.params.follows.nsd_info_id.clone());
        let claims = intent.claims(cx)?;
        self.start_with(cx, update::KIND, &doc, record, &intent.params, claims)
            .await
    }

    async fn terminate(&self, cx: &Context, ask: OnNs<TerminateNsRequest>) -> Outcome<OccurrenceId> {
        let (doc, record) = self.record(cx, ask.ns_instance_id).await?;
        if let Some(first) = self.begun(cx, terminate::KIND, &doc.id).await? {
            return Ok(first);
        }
        self.check_idle(cx, &record).await?;
        check_state(&record, NsState::Instantiated)?;
        if let Some(when) = &ask.request.termination_time {
            let fault = CallError::unsupported(format!("the NS is terminated now or not at all, not at {when}"));
            return Err(fault.cure("leave terminationTime out"));
        }
        let params = terminate::Params::of(&self.whole(cx, &record).await?, ask.request);
        self.start(cx, terminate::KIND, &doc, record, &params).await
    }

    async fn delete(&self, cx: &Context, id: NsInstanceId) -> Outcome<()> {
        let (doc, record) = self.record(cx, id).await?;
        self.check_idle(cx, &record).await?;
        check_state(&record, NsState::NotInstantiated)?;
        // An operation that starts meanwhile has written the record.
        let batch = Batch::new().delete(NS, &record.id, Expect::Exactly(doc.revision));
        self.near.store.commit(batch).await.map_err(fault::store)?;
        Ok(())
    }

    async fn query(&self, cx: &Context, (): ()) -> Outcome<Vec<NsInstance>> {
        let all = record::list::<NsRecord>(&*self.near.store, NS, Query::all().tenant(cx.tenant.as_str())).await?;
        let vnfs = if all.iter().any(|(_, ns)| !ns.vnfs.is_empty()) {
            self.near.vnfm()?.query(cx, ()).await?
        } else {
            vec![]
        };
        Ok(all.iter().map(|(_, ns)| show::instance(ns, of_ns(ns, &vnfs))).collect())
    }

    async fn find(&self, cx: &Context, id: NsInstanceId) -> Outcome<NsInstance> {
        let (_, record) = self.record(cx, id).await?;
        let vnfs = self.vnfs(cx, &record).await?;
        Ok(show::instance(&record, vnfs))
    }

    async fn query_operations(&self, cx: &Context, (): ()) -> Outcome<Vec<NsLcmOpOcc>> {
        let mut all = Vec::new();
        let mut page_token = None;
        loop {
            let filter = OccurrenceFilter {
                tenant: Some(cx.tenant.clone()),
                page_token,
                limit: manifold_store::PAGE_LIMIT_MAX,
                ..Default::default()
            };
            let page = self.near.engine()?.occurrences(filter).await?;
            all.extend(
                page.occurrences
                    .iter()
                    .filter(|found| found.subject.kind == NS.0)
                    .map(show::occurrence),
            );
            page_token = page.next;
            if page_token.is_none() {
                return Ok(all);
            }
        }
    }

    async fn find_operation(&self, cx: &Context, id: OccurrenceId) -> Outcome<NsLcmOpOcc> {
        self.own(cx, id).await.map(|found| show::occurrence(&found))
    }

    async fn retry(&self, cx: &Context, id: OccurrenceId) -> Outcome<()> {
        self.own(cx, id).await?;
        Ok(self.near.engine()?.retry(id).await?)
    }

    async fn rollback(&self, cx: &Context, id: OccurrenceId) -> Outcome<()> {
        self.own(cx, id).await?;
        Ok(self.near.engine()?.rollback(id).await?)
    }

    async fn continue_operation(&self, cx: &Context, id: OccurrenceId) -> Outcome<()> {
        self.own(cx, id).await?;
        Ok(self.near.engine()?.continue_(id).await?)
    }

    async fn fail(&self, cx: &Context, id: OccurrenceId) -> Outcome<NsLcmOpOcc> {
        self.own(cx, id).await?;
        Ok(show::occurrence(&self.near.engine()?.fail(id).await?))
    }

    async fn cancel(&self, cx: &Context, ask: CancelNsOperation) -> Outcome<()> {
        let found = self.own(cx, ask.operation).await?;
        let mode = match ask.mode {
            CancelModeType::Graceful => CancelMode::Graceful,
            CancelModeType::Forceful => CancelMode::Forceful,
        };
        self.near.engine()?.cancel(ask.operation, mode).await?;
        // SOL005 6.6.2: forceful also means those of the VNFs.
        match ask.mode {
            CancelModeType::Graceful => Ok(()),
            CancelModeType::Forceful => self.cancel_vnfs(cx, &found.subject.id).await,
        }
    }

    async fn progress(&self, cx: &Context, id: OccurrenceId) -> Outcome<Progress> {
        self.own(cx, id).await?;
        let view = self.near.engine()?.view(id).await?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(show::progress(
            &view,
            u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
        ))
    }

    async fn plan_update(&self, cx: &Context, ask: OnNs<UpdateNsRequest>) -> Outcome<Changes> {
        let (_, record) = self.record(cx, ask.ns_instance_id).await?;
        check_state(&record, NsState::Instantiated)?;
        self.changes(cx, &record, ask.request).await
    }

    async fn topology(&self, cx: &Context, id: NsInstanceId) -> Outcome<NsTopology> {
        let (_, record) = self.record(cx, id).await?;
        let whole = self.whole(cx, &record).await?;
        let vnfs = self.vnfs(cx, &whole.ns).await?;
        topology::topology(&self.near, cx, record, &whole, &vnfs).await
    }
}

impl Nfvo {
    /// The tenant's NS.
    async fn record(&self, cx: &Context, id: NsInstanceId) -> Outcome<(Doc, NsRecord)> {
        record::find(&*self.near.store, &cx.tenant, NS, &id.to_string(), "NS instance").await
    }

    /// The tenant's occurrence of an NS operation.
    async fn own(&self, cx: &Context, id: OccurrenceId) -> Outcome<Occurrence> {
        let none = || CallError::not_found(format!("there is no NS operation occurrence {id}"));
        let found = self.near.engine()?.occurrence(id).await?;
        if found.subject.kind == NS.0 && found.tenant == cx.tenant {
            Ok(found)
        } else {
            Err(none())
        }
    }

    /// The occurrence that this very wish began before. It is looked for before anything else: the wish is not wrong only because
    /// it has come true. The engine looks again when it starts.
    async fn begun(&self, cx: &Context, kind: &str, ns: &str) -> Outcome<Option<OccurrenceId>> {
        let Some(key) = cx.idempotency_key else { return Ok(None) };
        match self.near.engine()?.occurrence(wished(key.0, kind, ns)).await {
            Ok(found) if found.tenant == cx.tenant => Ok(Some(found.id)),
            Ok(_) | Err(manifold_lcm::EngineError::NotFound(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Errors: `Conflict`, naming the NS that holds it; `Busy`, naming the occurrence.
    async fn check_idle(&self, cx: &Context, record: &NsRecord) -> Outcome<()> {
        self.check_free(cx, record).await?;
        let Some(last) = record.operation.as_ref().and_then(|id| id.parse::<OccurrenceId>().ok()) else {
            return Ok(());
        };
        match self.near.engine()?.occurrence(last).await {
            Ok(found) if !found.state.is_terminal() => Err(CallError::busy(format!(
                "NS {} is busy with operation occurrence {last}, which is {}",
                record.id, found.state
            ))
            .cure("wait for that operation to end, or end it with retry, rollback, continue or fail")),
            Ok(_) | Err(manifold_lcm::EngineError::NotFound(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn start(
        &self,
        cx: &Context,
        kind: &str,
        doc: &Doc,
        record: NsRecord,
        params: &impl Serialize,
    ) -> Outcome<OccurrenceId> {
        self.start_with(cx, kind, doc, record, params, vec![]).await
    }

    /// Starts an operation that takes hold of other documents, too.
    async fn start_with(
        &self,
        cx: &Context,
        kind: &str,
        doc: &Doc,
        record: NsRecord,
        params: &impl Serialize,
        claims: Vec<Put>,
    ) -> Outcome<OccurrenceId> {
        let id = match cx.idempotency_key {
            Some(key) => wished(key.0, kind, &doc.id),
            None => OccurrenceId::random(),
        };
        let record = NsRecord {
            operation: Some(id.to_string()),
            ..record
        };
        // The wish is known by its occurrence's id; the engine's own comparison would refuse it when sites have changed meanwhile.
        let mut start = Start::new(cx, kind, &doc.id, record::json(params)?).with_id(id);
        start.idempotency_key = None;
        if kind == update::KIND {
            start = start.on_failure(OnFailure::Rollback);
        }
        let start = start.write(record.put(&cx.tenant, Expect::Exactly(doc.revision))?);
        let start = claims.into_iter().fold(start, Start::write);
        match self.near.engine()?.start(start).await {
            Ok(id) => Ok(id),
            Err(error) => {
                // The same wish may have won the race against itself.
                match self.begun(cx, kind, &doc.id).await? {
                    Some(first) => Ok(first),
                    None => Err(error.into()),
                }
            }
        }
    }

    /// The NS's VNFs as the VNFM tells them; those that it does not know are left out.
    async fn vnfs(&self, cx: &Context, record: &NsRecord) -> Outcome<Vec<VnfInstance>> {
        if record.vnfs.is_empty() {
            return Ok(vec![]);
        }
        let vnfm = self.near.vnfm()?;
        let asked = record
            .vnfs
            .iter()
            .filter_map(|vnf| vnf::parse(&vnf.id).ok())
            .map(|id| vnfm.find(cx, id));
        let mut found = Vec::new();
        for answer in join_all(asked).await {
            match answer {
                Ok(vnf) => found.push(vnf),
                Err(error) if error.kind == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// Cancels what runs on VNFs of the NS. What has ended meanwhile needs no cancelling.
    async fn cancel_vnfs(&self, cx: &Context, ns: &str) -> Outcome<()> {
        let known = record::list::<VnfRecord>(&*self.near.store, VNF, Query::all().equal("ns", ns)).await?;
        let mut known: HashSet<String> = known.into_iter().map(|(_, vnf)| vnf.id).collect();
        let (_, record): (_, NsRecord) = record::find(&*self.near.store, &cx.tenant, NS, ns, "NS instance").await?;
        known.extend(self.whole(cx, &record).await?.ns.vnfs.into_iter().map(|vnf| vnf.id));
        let vnfm = self.near.vnfm()?;
        for found in vnfm.query_operations(cx, ()).await? {
            let is_running = matches!(
                found.operation_state,
                LcmOperationState::Starting | LcmOperationState::Processing | LcmOperationState::RollingBack
            );
            let Ok(operation) = found.id.parse::<OccurrenceId>() else {
                continue;
            };
            if !is_running || !known.contains(&found.vnf_instance_id) {
                continue;
            }
            match vnfm
                .cancel(
                    cx,
                    CancelOperation {
                        operation,
                        mode: CancelModeType::Forceful,
                    },
                )
                .await
            {
                Err(error) if !matches!(error.kind, ErrorKind::Conflict | ErrorKind::NotFound) => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

/// The occurrence that a wish begins: the same for the same wish.
fn wished(key: Uuid, kind: &str, ns: &str) -> OccurrenceId {
    OccurrenceId(Uuid::new_v5(&key, format!("{kind} {ns}").as_bytes()))
}

fn of_ns(ns: &NsRecord, vnfs: &[VnfInstance]) -> Vec<VnfInstance> {
    vnfs.iter()
        .filter(|vnf| ns.vnfs.iter().any(|known| known.id == vnf.id))
        .cloned()
        .collect()
}

fn check_state(record: &NsRecord, wanted: NsState) -> Outcome<()> {
    if record.state == wanted {
        return Ok(());
    }
    let state = record.state.as_wire();
    let fault = CallError::conflict(format!("NS {} is {state}", record.id));
    Err(match wanted {
        NsState::Instantiated => fault.cure("instantiate it first"),
        NsState::NotInstantiated => fault.cure("terminate it first"),
    })
}
