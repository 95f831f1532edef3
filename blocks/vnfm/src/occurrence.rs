//! Operation occurrences as SOL003 shows them (5.5.2.13), made of the engine's.

use manifold_call::{CallError, Context, OccurrenceId, Outcome};
use manifold_lcm::{CancelMode, EngineError, Occurrence, OccurrenceFilter, Outputs, Problem, State};
use manifold_sol::{
    AffectedVirtualLink, AffectedVnfc, CancelModeType, ChangeType, LcmOperationState, ProblemDetails, ResourceChanges,
    ResourceHandle, VnfLcmOpOcc, VnfLcmOperation,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::grant::grant_id;
use crate::instance::{INSTANCE, Machine, Network};
use crate::vnfm::Vnfm;
use crate::{connectivity, heal, instantiate, scale, terminate};

/// Occurrences that are read at a time.
const PAGE: u32 = 500;

/// What an operation tells of its outcome.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Summary {
    grant_id: Option<String>,
    resource_changes: ResourceChanges,
}

impl Summary {
    pub(crate) fn of(outputs: &Outputs) -> Self {
        Self {
            grant_id: grant_id(outputs),
            resource_changes: ResourceChanges::default(),
        }
    }

    pub(crate) fn vnfc(&mut self, id: &str, vdu: &str, change_type: ChangeType, machine: &Machine) {
        self.resource_changes.affected_vnfcs.push(AffectedVnfc {
            id: id.to_owned(),
            vdu_id: vdu.to_owned(),
            change_type,
            compute_resource: machine.handle(),
        });
    }

    pub(crate) fn link(&mut self, change_type: ChangeType, network: &Network) {
        let network_resource: ResourceHandle = network.handle();
        self.resource_changes.affected_virtual_links.push(AffectedVirtualLink {
            id: network.link.clone(),
            vnf_virtual_link_desc_id: network.link.clone(),
            change_type,
            network_resource,
        });
    }

    pub(crate) fn into_value(self) -> Value {
        // It holds nothing but text; should that ever change, an outcome without details is better than none.
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl Vnfm {
    /// The tenant's occurrence of this VNFM. Errors: `NotFound`.
    pub(crate) async fn read_occurrence(&self, cx: &Context, id: OccurrenceId) -> Outcome<Occurrence> {
        let absent = || CallError::not_found(format!("there is no VNF operation occurrence {id}"));
        match self.engine()?.occurrence(id).await {
            Ok(occurrence) if occurrence.tenant == cx.tenant && occurrence.subject.kind == INSTANCE.0 => Ok(occurrence),
            Ok(_) | Err(EngineError::NotFound(_)) => Err(absent()),
            Err(error) => Err(error.into()),
        }
    }

    /// All of the tenant's, oldest first.
    pub(crate) async fn all_occurrences(&self, cx: &Context) -> Outcome<Vec<VnfLcmOpOcc>> {
        let mut all = Vec::new();
        for kind in KINDS.map(|(kind, _)| kind) {
            let mut page_token = None;
            loop {
                let filter = OccurrenceFilter {
                    operation: Some(kind.to_owned()),
                    tenant: Some(cx.tenant.clone()),
                    page_token,
                    limit: PAGE,
                    ..OccurrenceFilter::default()
                };
                let page = self.engine()?.occurrences(filter).await?;
                all.extend(page.occurrences);
                page_token = page.next;
                if page_token.is_none() {
                    break;
                }
            }
        }
        all.sort_by_key(|occurrence| (occurrence.started_ms, occurrence.id));
        all.iter().map(to_sol).collect()
    }
}

/// The operations' kinds, and what SOL003 calls them.
const KINDS: [(&str, VnfLcmOperation); 6] = [
    (connectivity::KIND, VnfLcmOperation::ChangeExtConn),
    (instantiate::KIND, VnfLcmOperation::Instantiate),
    (scale::OUT, VnfLcmOperation::Scale),
    (scale::IN, VnfLcmOperation::Scale),
    (heal::KIND, VnfLcmOperation::Heal),
    (terminate::KIND, VnfLcmOperation::Terminate),
];

/// As SOL003 shows it. Errors: `Internal`, it is none of ours.
pub(crate) fn to_sol(occurrence: &Occurrence) -> Outcome<VnfLcmOpOcc> {
    let operation = KINDS.iter().find(|(kind, _)| *kind == occurrence.operation);
    let (_, operation) =
        operation.ok_or_else(|| CallError::internal(format!("occurrence {} is no VNF operation", occurrence.id)))?;
    let summary: Option<Summary> = Summary::deserialize(&occurrence.summary).ok();
    let (grant_id, resource_changes) = summary.map_or((None, None), |summary| {
        (summary.grant_id, Some(summary.resource_changes))
    });
    let untouched =
        |changes: &ResourceChanges| changes.affected_vnfcs.is_empty() && changes.affected_virtual_links.is_empty();
    Ok(VnfLcmOpOcc {
        id: occurrence.id.to_string(),
        operation_state: state(occurrence.state),
        state_entered_time: date_time(occurrence.state_entered_ms),
        start_time: date_time(occurrence.started_ms),
        vnf_instance_id: occurrence.subject.id.clone(),
        grant_id,
        operation: *operation,
        is_automatic_invocation: occurrence.is_automatic,
        operation_params: occurrence.params.get("request").cloned().unwrap_or(Value::Null),
        is_cancel_pending: occurrence.is_cancel_pending(),
        cancel_mode: occurrence.cancel.map(|mode| match mode {
            CancelMode::Graceful => CancelModeType::Graceful,
            CancelMode::Forceful => CancelModeType::Forceful,
        }),
        error: occurrence.error.as_ref().map(problem),
        resource_changes: resource_changes.filter(|changes| !untouched(changes)),
    })
}

fn state(state: State) -> LcmOperationState {
    match state {
        State::Starting => LcmOperationState::Starting,
        State::Processing => LcmOperationState::Processing,
        State::Completed => LcmOperationState::Completed,
        State::PartiallyCompleted => LcmOperationState::PartiallyCompleted,
        State::FailedTemp => LcmOperationState::FailedTemp,
        State::Failed => LcmOperationState::Failed,
        State::RollingBack => LcmOperationState::RollingBack,
        State::RolledBack => LcmOperationState::RolledBack,
    }
}

fn problem(problem: &Problem) -> ProblemDetails {
    let step = problem
        .step
        .as_ref()
        .map(|step| format!("step {step}: "))
        .unwrap_or_default();
    let cure = problem
        .cure
        .as_ref()
        .map(|cure| format!(" ({cure})"))
        .unwrap_or_default();
    ProblemDetails {
        title: Some(problem.kind.title().to_owned()),
        status: problem.kind.status(),
        detail: format!("{step}{}{cure}", problem.detail),
    }
}

fn date_time(ms: u64) -> String {
    let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000);
    // Only years beyond 9999 have no such form.
    moment
        .ok()
        .and_then(|moment| moment.format(&Rfc3339).ok())
        .unwrap_or_default()
}
