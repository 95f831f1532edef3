//! Asks the infrastructure for a lab, and to take it away.

use crate::Lab;
use manifold_call::{CallError, Context, Outcome};
use manifold_nfvi_interface::{Filter, Infrastructure, ObjectId, Report};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Failures that a message spells out; the rest it counts.
const FAILURES_TOLD: usize = 5;

/// The manager that a lab's objects are labelled with.
pub fn manager(lab: &str) -> String {
    format!("lab/{lab}")
}

/// Makes, or mends, everything of the lab, and removes what an earlier file of the same name had and this one has not. Answers
/// with how many objects had to be touched. Errors: the first failure's kind, with each failure told.
pub async fn apply(lab: &Lab, infrastructure: &Arc<dyn Infrastructure>, cx: &Context) -> Outcome<usize> {
    let wished: BTreeSet<ObjectId> = lab.wishes.iter().map(|wish| wish.id).collect();
    let there = seen(&lab.name, infrastructure, cx).await?;
    let surplus: Vec<ObjectId> = there.into_iter().filter(|id| !wished.contains(id)).collect();
    let mut touched = 0;
    if !surplus.is_empty() {
        touched += judge("remove", &infrastructure.remove(cx, surplus).await?)?;
    }
    touched += judge("make", &infrastructure.ensure(cx, lab.wishes.clone()).await?)?;
    Ok(touched)
}

/// Removes everything of the lab of this name, and whatever hangs on it. A lab that is not there is success.
pub async fn destroy(lab: &str, infrastructure: &Arc<dyn Infrastructure>, cx: &Context) -> Outcome<usize> {
    let there = seen(lab, infrastructure, cx).await?;
    if there.is_empty() {
        return Ok(0);
    }
    judge("remove", &infrastructure.remove(cx, there).await?)
}

async fn seen(lab: &str, infrastructure: &Arc<dyn Infrastructure>, cx: &Context) -> Outcome<Vec<ObjectId>> {
    let filter = Filter {
        manager: Some(manager(lab)),
        ..Filter::default()
    };
    let mut seen = infrastructure.observe(cx, filter).await?;
    // What depends on others first.
    seen.sort_by_key(|seen| (std::cmp::Reverse(seen.kind), seen.id));
    Ok(seen.into_iter().map(|seen| seen.id).collect())
}

fn judge(doing: &str, reports: &[Report]) -> Outcome<usize> {
    let failures: Vec<(&Report, &CallError)> = reports
        .iter()
        .filter_map(|report| Some((report, report.failure.as_ref()?)))
        .collect();
    let Some((_, first)) = failures.first() else {
        return Ok(reports.iter().filter(|report| report.changed).count());
    };
    let told: Vec<String> = failures
        .iter()
        .take(FAILURES_TOLD)
        .map(|(report, failure)| format!("{}: {failure}", report.id))
        .collect();
    let mut error = (*first).clone();
    error.detail = format!(
        "could not {doing} {} of {} objects of the lab: {}",
        failures.len(),
        reports.len(),
        told.join("; ")
    );
    error.cure = None;
    Err(error)
}
