//! Operations of the NFVO, begun and followed by a step.

use manifold_call::{CallError, Context, ErrorKind, IdempotencyKey, OccurrenceId, Outcome};
use manifold_lcm::{StepCx, StepError, Wait};
use manifold_nfvo_interface::{NsLifecycleManagement, ns_operation_event};
use manifold_sol::{LcmOperationState, NsLcmOpOcc};
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

/// How long an operation of an NS may take: that of its VNFs, one after the other at worst, and the NFVO's own repetitions.
const OPERATION_LIMIT: Duration = Duration::from_secs(60 * 60);
/// How long a call may take with its repetitions.
pub(crate) const STEP_LIMIT: Duration = Duration::from_secs(120);
/// Operations that ended badly before a step begins no further one.
const BEGUN_MAX: u32 = 8;

/// How an operation stands.
pub(crate) enum Standing {
    Running(Wait),
    Completed,
    /// It ended otherwise, and why.
    Ended(CallError),
    /// It waits in FAILED_TEMP, and why.
    Held(CallError),
}

/// Begins an operation, or finds the one that this step began before. One that was rolled back is begun anew; one that was held is
/// retried. `start` must pass the context's key on.
pub(crate) async fn begin<F, Fut>(
    nfvo: &dyn NsLifecycleManagement,
    cx: &StepCx,
    part: &str,
    start: F,
) -> Result<Standing, StepError>
where
    F: Fn(Context) -> Fut + Send + Sync,
    Fut: Future<Output = Outcome<OccurrenceId>> + Send,
{
    for n in 0..BEGUN_MAX {
        let occurrence = start(cx.context_of(&format!("{part} {n}"))).await?;
        match look(nfvo, cx, occurrence).await? {
            Standing::Ended(_) => {}
            Standing::Held(_) => {
                match nfvo.retry(&cx.context_of("retry"), occurrence).await {
                    // Somebody else was quicker.
                    Err(error) if error.kind != ErrorKind::Conflict => return Err(error.into()),
                    _ => {}
                }
                return Ok(Standing::Running(wait(occurrence)));
            }
            standing => return Ok(standing),
        }
    }
    Err(StepError::permanent(CallError::conflict(format!(
        "{BEGUN_MAX} operations of the NS ended badly; no other is begun"
    ))))
}

/// The context of a creation: undoing repeats it under the same key, to learn what was made.
pub(crate) fn creation(cx: &StepCx) -> Context {
    Context {
        idempotency_key: Some(IdempotencyKey(cx.identity_of("made"))),
        ..cx.context_of("create")
    }
}

/// The operation that the step waits for.
pub(crate) fn waited(cx: &StepCx) -> Option<OccurrenceId> {
    OccurrenceId::deserialize(cx.note()?.get("occurrence")?).ok()
}

pub(crate) async fn look(
    nfvo: &dyn NsLifecycleManagement,
    cx: &StepCx,
    occurrence: OccurrenceId,
) -> Result<Standing, StepError> {
    let found = nfvo.find_operation(&cx.context_of("look"), occurrence).await?;
    Ok(match found.operation_state {
        LcmOperationState::Starting | LcmOperationState::Processing | LcmOperationState::RollingBack => {
            Standing::Running(wait(occurrence))
        }
        LcmOperationState::Completed | LcmOperationState::PartiallyCompleted => Standing::Completed,
        LcmOperationState::FailedTemp => Standing::Held(reason(&found)),
        LcmOperationState::Failed | LcmOperationState::RolledBack => Standing::Ended(reason(&found)),
    })
}

/// Brings the open operation of an NS to its end, so that another can begin: rolls back what is held, cancels what runs. `None`:
/// none is open.
pub(crate) async fn settle(nfvo: &dyn NsLifecycleManagement, cx: &StepCx, ns: &str) -> Result<Option<Wait>, StepError> {
    let all = nfvo.query_operations(&cx.context_of("operations"), ()).await?;
    let is_open = |found: &NsLcmOpOcc| {
        !matches!(
            found.operation_state,
            LcmOperationState::Completed
                | LcmOperationState::PartiallyCompleted
                | LcmOperationState::Failed
                | LcmOperationState::RolledBack
        )
    };
    let Some(open) = all
        .into_iter()
        .find(|found| found.ns_instance_id == ns && is_open(found))
    else {
        return Ok(None);
    };
    let occurrence: OccurrenceId = open
        .id
        .parse()
        .map_err(|_| StepError::internal("the NFVO's operation has no UUID"))?;
    if open.operation_state == LcmOperationState::FailedTemp {
        let rolled = match nfvo.rollback(&cx.context_of("rollback"), occurrence).await {
            Err(error) if error.kind == ErrorKind::Unsupported => {
                nfvo.fail(&cx.context_of("fail"), occurrence).await.map(drop)
            }
            other => other,
        };
        match rolled {
            // It has moved meanwhile: looked at again.
            Err(error) if error.kind != ErrorKind::Conflict => return Err(error.into()),
            _ => {}
        }
    }
    Ok(Some(wait(occurrence)))
}

fn wait(occurrence: OccurrenceId) -> Wait {
    Wait::new(ns_operation_event(occurrence), OPERATION_LIMIT).note(json!({ "occurrence": occurrence }))
}

/// Why an operation failed, as a failure of ours.
fn reason(found: &NsLcmOpOcc) -> CallError {
    let what = format!(
        "{} of NS {} is {}",
        found.lcm_operation_type.as_wire(),
        found.ns_instance_id,
        found.operation_state.as_wire()
    );
    let Some(problem) = &found.error else {
        return CallError::conflict(what);
    };
    let detail = format!("{what}: {}", problem.detail);
    match problem.status {
        403 => CallError::forbidden(detail),
        404 => CallError::not_found(detail),
        400 | 422 => CallError::invalid(detail),
        504 => CallError::timed_out(detail),
        _ => CallError::conflict(detail),
    }
}
