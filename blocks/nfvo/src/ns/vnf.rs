//! VNFs of an NS at the VNFM: begun there, waited for, put down.
//!
//! ```text
//!   begin ──> occurrence ──(event)──> look: COMPLETED ── done
//!                                           FAILED_TEMP ── the step fails with its reason; a retry of the step retries it
//!                                           ROLLED_BACK, FAILED ── the step fails; a retry begins another
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use manifold_call::{CallError, ErrorKind, OccurrenceId, Outcome, TenantId};
use manifold_lcm::{Found, Progress, Step, StepCx, StepError, UndoProgress, Wait};
use manifold_sol::{
    CancelModeType, CreateVnfRequest, ExtVirtualLinkData, InstantiateVnfRequest, InstantiationState, LcmOperationState,
    TerminateVnfRequest, VimConnectionInfo, VnfExtCpConfig, VnfExtCpData, VnfLcmOpOcc, VnfLcmOperation,
};
use manifold_store::{Batch, Expect, Query};
use manifold_vnfm_interface::{Ask, CancelOperation, NewVnf, VnfInstanceId, VnfLifecycleManagement, operation_event};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::layout::{PlannedNetwork, PlannedVnf};
use super::network::MadeNetwork;
use crate::near::Near;
use crate::record::{self, NS_KEY, VNF, VnfRecord};

/// How long an operation of a VNF may take: a hundred machines that boot from disks, and the VNFM's own repetitions.
pub(super) const OPERATION_LIMIT: Duration = Duration::from_secs(30 * 60);
/// Operations that ended badly before this step begins no further one.
const BEGUN_MAX: u32 = 16;
/// The type of our own VIMs (SOL003 4.4.1.6 VimConnectionInfo.vimType).
pub(crate) const VIM_TYPE: &str = "MANIFOLD.VIM.V_1";
/// The key of the metadata that says which of the NS's VNFs it is.
const MARK_KEY: &str = "nfvoMark";

/// A VNF that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MadeVnf {
    pub(crate) id: VnfInstanceId,
}

// Operations of VNFs, begun and followed.

/// Begins an operation, or finds the one that this step began before; `again`: a failed one is retried, one that ended badly is
/// begun anew. `start` must pass the context's key on.
pub(super) async fn begin<F, Fut>(
    vnfm: &dyn VnfLifecycleManagement,
    cx: &StepCx,
    part: &str,
    again: bool,
    start: F,
) -> Result<Wait, StepError>
where
    F: Fn(manifold_call::Context) -> Fut + Send + Sync,
    Fut: Future<Output = Outcome<OccurrenceId>> + Send,
{
    for n in 0..BEGUN_MAX {
        let occurrence = start(cx.context_of(&format!("{part} {n}"))).await?;
        if again {
            let found = vnfm.find_operation(&cx.context_of("look"), occurrence).await?;
            match found.operation_state {
                LcmOperationState::FailedTemp => retry(vnfm, cx, occurrence).await?,
                LcmOperationState::RolledBack | LcmOperationState::Failed => continue,
                LcmOperationState::Starting
                | LcmOperationState::Processing
                | LcmOperationState::RollingBack
                | LcmOperationState::Completed
                | LcmOperationState::PartiallyCompleted => {}
            }
        }
        return Ok(wait(occurrence));
    }
    Err(StepError::permanent(CallError::conflict(format!(
        "{BEGUN_MAX} operations of the VNF ended badly; no other is begun"
    ))))
}

/// Whether what this step does has failed before, and somebody wants it to be tried again.
pub(super) fn is_retried(cx: &StepCx) -> bool {
    cx.occurrence().error.is_some()
}

async fn retry(vnfm: &dyn VnfLifecycleManagement, cx: &StepCx, occurrence: OccurrenceId) -> Result<(), StepError> {
    match vnfm.retry(&cx.context_of("retry"), occurrence).await {
        // Somebody else was quicker.
        Err(error) if error.kind == ErrorKind::Conflict => Ok(()),
        other => Ok(other?),
    }
}

fn wait(occurrence: OccurrenceId) -> Wait {
    Wait::new(operation_event(occurrence), OPERATION_LIMIT).note(json!({ "occurrence": occurrence }))
}

/// The operation that the step waits for.
fn waited(cx: &StepCx) -> Option<OccurrenceId> {
    OccurrenceId::deserialize(cx.note()?.get("occurrence")?).ok()
}

/// How the operation stands that the step waits for.
pub(super) enum Standing {
    /// The step waits for none, or it is not known any more.
    None,
    Running(Wait),
    Completed(OccurrenceId),
    /// It ended otherwise, and why.
    Ended(CallError),
}

/// Looks at it. Errors: it is in FAILED_TEMP; says why.
pub(super) async fn look(vnfm: &dyn VnfLifecycleManagement, cx: &StepCx) -> Result<Standing, StepError> {
    let Some(occurrence) = waited(cx) else {
        return Ok(Standing::None);
    };
    let found = match vnfm.find_operation(&cx.context_of("look"), occurrence).await {
        Ok(found) => found,
        Err(error) if error.kind == ErrorKind::NotFound => return Ok(Standing::None),
        Err(error) => return Err(error.into()),
    };
    Ok(match found.operation_state {
        LcmOperationState::Starting | LcmOperationState::Processing | LcmOperationState::RollingBack => {
            Standing::Running(wait(occurrence))
        }
        LcmOperationState::Completed | LcmOperationState::PartiallyCompleted => Standing::Completed(occurrence),
        LcmOperationState::FailedTemp => return Err(StepError::permanent(reason(&found))),
        LcmOperationState::Failed | LcmOperationState::RolledBack => Standing::Ended(reason(&found)),
    })
}

/// Why an operation failed, as a failure of ours: the VNFM's status becomes the kind that it stands for, where that tells the user
/// something.
fn reason(found: &VnfLcmOpOcc) -> CallError {
    let what = format!(
        "{} of VNF {} is {}",
        found.operation.as_wire(),
        found.vnf_instance_id,
        found.operation_state.as_wire()
    );
    match &found.error {
        Some(problem) => {
            let detail = format!("{what}: {}", problem.detail);
            match problem.status {
                403 => CallError::forbidden(detail),
                404 => CallError::not_found(detail),
                409 => CallError::conflict(detail),
                400 | 422 => CallError::invalid(detail),
                504 => CallError::timed_out(detail),
                _ => CallError::conflict(detail),
            }
        }
        None => CallError::conflict(what),
    }
}

fn is_open(found: &VnfLcmOpOcc) -> bool {
    match found.operation_state {
        LcmOperationState::Starting
        | LcmOperationState::Processing
        | LcmOperationState::RollingBack
        | LcmOperationState::FailedTemp => true,
        LcmOperationState::Completed
        | LcmOperationState::PartiallyCompleted
        | LcmOperationState::Failed
        | LcmOperationState::RolledBack => false,
    }
}

/// Brings the open operation of a VNF, if there is one, to its end: cancels what runs, rolls back what failed, but
/// lets a termination go on. `None`: none is open.
pub(super) async fn settle(near: &Near, cx: &StepCx, vnf: VnfInstanceId) -> Result<Option<Wait>, StepError> {
    let vnfm = near.vnfm()?;
    let id = vnf.to_string();
    let all = vnfm.query_operations(&cx.context_of("operations"), ()).await?;
    let Some(open) = all
        .into_iter()
        .find(|found| found.vnf_instance_id == id && is_open(found))
    else {
        return Ok(None);
    };
    let occurrence: OccurrenceId = open
        .id
        .parse()
        .map_err(|_| StepError::internal("the VNFM's operation has no UUID"))?;
    let is_termination = open.operation == VnfLcmOperation::Terminate;
    let done = match open.operation_state {
        LcmOperationState::FailedTemp if is_termination => {
            retry(&**vnfm, cx, occurrence).await.map_err(|error| error.cause)
        }
        LcmOperationState::FailedTemp => match vnfm.rollback(&cx.context_of("rollback"), occurrence).await {
            // Scaling in and healing have no way back: what is there is what there is.
            Err(error) if matches!(error.kind, ErrorKind::Unsupported | ErrorKind::NotFound) => {
                vnfm.fail(&cx.context_of("fail"), occurrence).await.map(|_| ())
            }
            other => other,
        },
        LcmOperationState::RollingBack => Ok(()),
        _ if is_termination => Ok(()),
        _ => {
            vnfm.cancel(
                &cx.context_of("cancel"),
                CancelOperation {
                    operation: occurrence,
                    mode: CancelModeType::Forceful,
                },
            )
            .await
        }
    };
    match done {
        // It has moved meanwhile: looked at again.
        Err(error) if error.kind != ErrorKind::Conflict => Err(error.into()),
        _ => Ok(Some(wait(occurrence))),
    }
}

/// Takes a VNF's resources away, and then the VNF itself if it shall go. `None`: done.
pub(super) async fn put_down(
    near: &Near,
    cx: &StepCx,
    vnf: VnfInstanceId,
    and_delete: bool,
) -> Result<Option<Wait>, StepError> {
    let vnfm = near.vnfm()?;
    let waits = match look(&**vnfm, cx).await {
        Ok(Standing::Running(wait)) => return Ok(Some(wait)),
        Ok(Standing::Completed(_) | Standing::Ended(_)) => true,
        Ok(Standing::None) => false,
        // What failed while it was being put down was not always begun here: a failed instantiation is what shall be undone.
        Err(error) => match waited_for_termination(&**vnfm, cx).await? {
            true => return Err(error),
            false => false,
        },
    };
    let instance = match vnfm.find(&cx.context_of("find"), vnf).await {
        Ok(instance) => instance,
        Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let is_empty = instance.instantiation_state == InstantiationState::NotInstantiated;
    if is_empty && !and_delete {
        return settle(near, cx, vnf).await;
    }
    let asked = if is_empty {
        vnfm.delete(&cx.context_of("delete"), vnf).await.map(|()| None)
    } else {
        let request = TerminateVnfRequest {
            termination_type: CancelModeType::Forceful,
            graceful_termination_timeout: None,
        };
        let again = waits || is_retried(cx) || cx.attempt() > 1;
        let start = |context: manifold_call::Context| {
            let (vnfm, request) = (Arc::clone(vnfm), request.clone());
            async move {
                vnfm.terminate(
                    &context,
                    Ask {
                        vnf_instance_id: vnf,
                        request,
                    },
                )
                .await
            }
        };
        begin(&**vnfm, cx, "terminate", again, start)
            .await
            .map(Some)
            .map_err(|error| error.cause)
    };
    match asked {
        Ok(wait) => Ok(wait),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind == ErrorKind::Busy => settle(near, cx, vnf).await,
        Err(error) => Err(error.into()),
    }
}

async fn waited_for_termination(vnfm: &dyn VnfLifecycleManagement, cx: &StepCx) -> Result<bool, StepError> {
    let Some(occurrence) = waited(cx) else { return Ok(false) };
    let found = vnfm.find_operation(&cx.context_of("look"), occurrence).await?;
    Ok(found.operation == VnfLcmOperation::Terminate)
}

// create: a VNF instance without resources, and the note of where it belongs

pub(super) struct CreateVnf {
    pub(super) near: Arc<Near>,
    pub(super) ns: String,
    pub(super) planned: PlannedVnf,
}

impl CreateVnf {
    pub(super) fn step(key: &str) -> String {
        format!("vnf/{key}/create")
    }

    async fn note(&self, tenant: &TenantId, id: VnfInstanceId) -> Result<Progress, StepError> {
        let planned = &self.planned;
        let record = VnfRecord {
            id: id.to_string(),
            ns: self.ns.clone(),
            profile: planned.profile.clone(),
            package: planned.package.clone(),
            vnfd_id: planned.vnfd_id.clone(),
            flavour_id: planned.flavour_id.clone(),
            vim: planned.vim.clone(),
            zone: planned.zone.clone(),
            reaches: planned.reaches.clone(),
        };
        self.near.store.commit(Batch::new().write(record.put(tenant)?)).await?;
        Progress::done(&MadeVnf { id })
    }

    /// The instance that carries this step's mark.
    async fn marked(&self, cx: &StepCx) -> Result<Option<VnfInstanceId>, StepError> {
        let mark = json!(cx.identity());
        let all = self.near.vnfm()?.query(&cx.context_of("find"), ()).await?;
        let found = all.into_iter().find(|vnf| vnf.metadata.get(MARK_KEY) == Some(&mark));
        found.map(|vnf| parse(&vnf.id)).transpose()
    }
}

pub(super) fn parse(id: &str) -> Result<VnfInstanceId, StepError> {
    id.parse()
        .map_err(|_| StepError::internal(format!("the VNFM's instance {id} has no UUID")))
}

#[async_trait]
impl Step for CreateVnf {
    async fn find(&self, cx: &StepCx) -> Result<Found, StepError> {
        match self.marked(cx).await? {
            None => Ok(Found::Absent),
            Some(id) => match self.note(&cx.occurrence().tenant, id).await? {
                Progress::Done(made) => Ok(Found::Done(made)),
                Progress::Pending(wait) => Ok(Found::Pending(wait)),
            },
        }
    }

    async fn act(&self, cx: &StepCx) -> Result<Progress, StepError> {
        let mut metadata: BTreeMap<String, Value> = [
            (NS_KEY.to_owned(), json!(self.ns)),
            (MARK_KEY.to_owned(), json!(cx.identity())),
            ("vnfProfileId".to_owned(), json!(self.planned.profile_in_ns())),
        ]
        .into();
        if let Some(home) = &self.planned.home {
            metadata.insert("nestedNsInstanceId".to_owned(), json!(home.ns));
        }
        let request = CreateVnfRequest {
            vnfd_id: self.planned.vnfd_id.clone(),
            vnf_instance_name: Some(self.planned.name.clone()),
            vnf_instance_description: None,
            metadata,
        };
        let made = self.near.vnfm()?.create(&cx.context(), NewVnf(request)).await?;
        self.note(&cx.occurrence().tenant, parse(&made.id)?).await
    }

    async fn undo(&self, cx: &StepCx, made: Option<&Value>) -> Result<UndoProgress, StepError> {
        let id = match made
            .map(MadeVnf::deserialize)
            .transpose()
            .map_err(|error| StepError::internal(error.to_string()))?
        {
            Some(made) => Some(made.id),
            None => self.marked(cx).await?,
        };
        let Some(id) = id else { return Ok(UndoProgress::Done) };
        // The note first: without the VNF nobody could find it any more.
        self.near
            .store
            .commit(Batch::new().delete(VNF, id.to_string(), Expect::Any))
            .await?;
        match self.near.vnfm()?.delete(&cx.context(), id).await {
            Err(error) if error.kind != ErrorKind::NotFound => Err(error.into()),
            _ => Ok(UndoProgress::Done),
        }
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(60)
    }
}

// instantiate: the VNF's resources, on the networks of the NS

pub(super) struct InstantiateVnf {
    pub(super) near: Arc<Near>,
    pub(super) planned: PlannedVnf,
    /// Ids of the link instances, by link.
    pub(super) link_ids: BTreeMap<String, String>,
}

impl InstantiateVnf {
    fn vnf(&self, cx: &StepCx) -> Result<VnfInstanceId, StepError> {
        Ok(cx.output::<MadeVnf>(&CreateVnf::step(&self.planned.key))?.id)
    }

    fn request(&self, cx: &StepCx) -> Result<InstantiateVnfRequest, StepError> {
        let planned = &self.planned;
        let mut ext_virtual_links: Vec<ExtVirtualLinkData> = Vec::new();
        for (cpd, link) in &planned.ends {
            let network: MadeNetwork = cx.output(&PlannedNetwork::step(link, &planned.vim))?;
            let ext_cp = VnfExtCpData {
                cpd_id: cpd.clone(),
                cp_config: [(format!("{cpd}-config"), VnfExtCpConfig::default())].into(),
            };
            let resource_id = network.id.to_string();
            match ext_virtual_links
                .iter_mut()
                .find(|known| known.resource_id == resource_id)
            {
                Some(known) => known.ext_cps.push(ext_cp),
                None => ext_virtual_links.push(ExtVirtualLinkData {
                    id: self.link_ids.get(link).cloned().unwrap_or_else(|| link.clone()),
                    vim_connection_id: Some(planned.vim.clone()),
                    resource_id,
                    ext_cps: vec![ext_cp],
                }),
            }
        }
        Ok(InstantiateVnfRequest {
            flavour_id: planned.flavour_id.clone(),
            instantiation_level_id: planned.level.clone(),
            ext_virtual_links,
            vim_connection_info: [(planned.vim.clone(), vim_connection(&planned.vim))].into(),
            additional_params: planned.additional_params.clone(),
        })
    }
}

/// How the VNFM is told of a VIM.
pub(crate) fn vim_connection(vim: &str) -> VimConnectionInfo {
    VimConnectionInfo {
        vim_id: Some(vim.to_owned()),
        vim_type: VIM_TYPE.to_owned(),
    }
}

#[async_trait]
impl Step for InstantiateVnf {
    async fn find(&self, cx: &StepCx) -> Result<Found, StepError> {
        match look(&**self.near.vnfm()?, cx).await? {
            // The same key again answers with the first occurrence.
            Standing::None => Ok(Found::Absent),
            Standing::Running(wait) => Ok(Found::Pending(wait)),
            Standing::Completed(occurrence) => Found::done(&occurrence),
            Standing::Ended(why) => Err(StepError::permanent(why)),
        }
    }

    async fn act(&self, cx: &StepCx) -> Result<Progress, StepError> {
        let (vnf, request, vnfm) = (self.vnf(cx)?, self.request(cx)?, self.near.vnfm()?);
        let start = |context: manifold_call::Context| {
            let (vnfm, request) = (Arc::clone(vnfm), request.clone());
            async move {
                vnfm.instantiate(
                    &context,
                    Ask {
                        vnf_instance_id: vnf,
                        request,
                    },
                )
                .await
            }
        };
        Ok(Progress::Pending(
            begin(&**vnfm, cx, "instantiate", is_retried(cx), start).await?,
        ))
    }

    async fn undo(&self, cx: &StepCx, _: Option<&Value>) -> Result<UndoProgress, StepError> {
        match put_down(&self.near, cx, self.vnf(cx)?, false).await? {
            Some(wait) => Ok(UndoProgress::Pending(wait)),
            None => Ok(UndoProgress::Done),
        }
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(120)
    }
}

// remove: terminate and delete

pub(super) struct RemoveVnf {
    pub(super) near: Arc<Near>,
    pub(super) vnf: VnfInstanceId,
}

#[async_trait]
impl Step for RemoveVnf {
    async fn find(&self, cx: &StepCx) -> Result<Found, StepError> {
        match look(&**self.near.vnfm()?, cx).await? {
            Standing::Running(wait) => Ok(Found::Pending(wait)),
            // Then it is deleted, or asked for again.
            Standing::None | Standing::Completed(_) | Standing::Ended(_) => Ok(Found::Absent),
        }
    }

    async fn act(&self, cx: &StepCx) -> Result<Progress, StepError> {
        match put_down(&self.near, cx, self.vnf, true).await? {
            Some(wait) => Ok(Progress::Pending(wait)),
            None => Progress::done(&()),
        }
    }

    async fn undo(&self, _: &StepCx, _: Option<&Value>) -> Result<UndoProgress, StepError> {
        Ok(UndoProgress::Done)
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(120)
    }
}

/// VNFs of the NS that no record knows: an operation was given up between making one and noting it.
pub(super) struct RemoveStrays {
    pub(super) near: Arc<Near>,
    pub(super) ns: String,
}

#[async_trait]
impl Step for RemoveStrays {
    async fn find(&self, cx: &StepCx) -> Result<Found, StepError> {
        match look(&**self.near.vnfm()?, cx).await? {
            Standing::Running(wait) => Ok(Found::Pending(wait)),
            Standing::None | Standing::Completed(_) | Standing::Ended(_) => Ok(Found::Absent),
        }
    }

    async fn act(&self, cx: &StepCx) -> Result<Progress, StepError> {
        let whose = json!(self.ns);
        let all = self.near.vnfm()?.query(&cx.context_of("strays"), ()).await?;
        for stray in all.into_iter().filter(|vnf| vnf.metadata.get(NS_KEY) == Some(&whose)) {
            if let Some(wait) = put_down(&self.near, cx, parse(&stray.id)?, true).await? {
                return Ok(Progress::Pending(wait));
            }
        }
        // None of its VNFs is there any more; where they belonged would hold their packages.
        let query = Query::all().equal("ns", &self.ns);
        let places = record::list::<VnfRecord>(&*self.near.store, VNF, query).await?;
        if !places.is_empty() {
            let batch = places
                .iter()
                .fold(Batch::new(), |batch, (doc, _)| batch.delete(VNF, &doc.id, Expect::Any));
            self.near.store.commit(batch).await?;
        }
        Progress::done(&())
    }

    async fn undo(&self, _: &StepCx, _: Option<&Value>) -> Result<UndoProgress, StepError> {
        Ok(UndoProgress::Done)
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(120)
    }
}
