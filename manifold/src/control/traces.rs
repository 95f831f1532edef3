//! Keeps the reference-point trace: gates leave records, they are stored in batches, and read back by operation.

use manifold_call::{CallError, OccurrenceId, Outcome, TenantId, TraceRecord, TraceSource};
use manifold_lcm::Engine;
use manifold_store::{Batch, Expect, Kind, Put, Query, Store};
use std::sync::Arc;
use std::time::Duration;

const CALL: Kind = Kind("trace.call");

/// Records of one commit.
const BATCH: usize = 512;

/// How long records gather before they are stored: a user who asks right after an operation waits no longer than this.
const GATHER: Duration = Duration::from_millis(100);

/// Calls that are kept: about 50 MB. The oldest go first.
const KEPT: u64 = 100_000;

/// How many stored batches pass between two looks at the number of kept calls.
const BATCHES_BETWEEN_SWEEPS: u32 = 64;

/// Stores records until every gate is gone.
pub async fn keep(mut source: TraceSource, store: Arc<dyn Store>) {
    let mut until_sweep = BATCHES_BETWEEN_SWEEPS;
    loop {
        let records = source.take(BATCH).await;
        if records.is_empty() {
            return;
        }
        if let Err(error) = write(&store, records).await {
            tracing::warn!(%error, "Part of the trace was lost.");
        }
        until_sweep -= 1;
        if until_sweep == 0 {
            until_sweep = BATCHES_BETWEEN_SWEEPS;
            if let Err(error) = sweep(&store).await {
                tracing::warn!(%error, "Old trace records could not be removed.");
            }
        }
        tokio::time::sleep(GATHER).await;
    }
}

async fn write(store: &Arc<dyn Store>, records: Vec<TraceRecord>) -> Result<(), manifold_store::StoreError> {
    let mut batch = Batch::new();
    for record in records {
        // What is made of numbers, enumerations and texts always has a JSON form.
        let Ok(body) = serde_json::to_value(&record) else {
            continue;
        };
        batch = batch
            .write(Put::new(CALL, record.call.to_string(), Expect::Any, body).index("trace", record.trace.to_string()));
    }
    store.commit(batch).await.map(|_| ())
}

async fn sweep(store: &Arc<dyn Store>) -> Result<(), manifold_store::StoreError> {
    let surplus = store.count(CALL, Query::all()).await?.saturating_sub(KEPT);
    if surplus == 0 {
        return Ok(());
    }
    // Identifiers of calls sort by time.
    let limit = u32::try_from(surplus)
        .unwrap_or(u32::MAX)
        .min(manifold_store::PAGE_LIMIT_MAX);
    let oldest = store.list(CALL, Query::all().limit(limit)).await?;
    let batch = oldest
        .docs
        .into_iter()
        .fold(Batch::new(), |batch, doc| batch.delete(CALL, doc.id, Expect::Any));
    store.commit(batch).await.map(|_| ())
}

/// The calls of an operation and of everything that it set off, in the order of their beginnings.
pub async fn of_operation(
    store: &Arc<dyn Store>,
    engine: &Engine,
    tenant: &TenantId,
    id: OccurrenceId,
) -> Outcome<Vec<TraceRecord>> {
    let unknown = || CallError::not_found(format!("there is no operation {id}"));
    let occurrence = engine.occurrence(id).await.map_err(|_| unknown())?;
    if occurrence.tenant != *tenant {
        return Err(unknown());
    }
    let failed =
        |error: manifold_store::StoreError| CallError::internal("the trace could not be read").caused_by(error);
    let mut records = Vec::new();
    let mut page = None;
    loop {
        let query = Query::all()
            .equal("trace", occurrence.trace.trace.to_string())
            .limit(manifold_store::PAGE_LIMIT_MAX);
        let found = store.list(CALL, query.after(page)).await.map_err(failed)?;
        for doc in &found.docs {
            records.push(doc.read::<TraceRecord>().map_err(failed)?);
        }
        page = found.next;
        if page.is_none() {
            break;
        }
    }
    records.sort_by_key(|record| (record.start_us, record.sequence));
    Ok(records)
}
