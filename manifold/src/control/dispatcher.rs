//! Delivers notifications: rows of the outbox become signals for the operations that wait for them.
//!
//! A row commits with the state that it tells of, so none is lost; one may be delivered twice, which a waiting step does not
//! mind: it looks for itself.

use manifold_call::OccurrenceId;
use manifold_lcm::{Engine, LcmNotification, Machine, OUTBOX_TOPIC};
use manifold_nfvo_interface::ns_operation_event;
use manifold_store::Store;
use manifold_vnfm_interface::operation_event;
use std::sync::Arc;
use std::time::Duration;

/// Rows that are taken at once.
const ROWS: u32 = 256;

/// After a failure of the store.
const PAUSE: Duration = Duration::from_millis(500);

/// Runs until the store's outbox is gone.
pub async fn run(store: Arc<dyn Store>, engine: Engine) {
    let mut arrivals = store.outbox_watch();
    let mut after = 0;
    loop {
        match store.outbox_after(after, ROWS).await {
            Ok(rows) if rows.is_empty() => {
                if arrivals.changed().await.is_err() {
                    return;
                }
            }
            Ok(rows) => {
                for row in rows {
                    after = after.max(row.seq);
                    if row.topic == OUTBOX_TOPIC {
                        deliver(&engine, row.body);
                    }
                }
                if let Err(error) = store.outbox_done(after).await {
                    tracing::warn!(%error, "Delivered notifications could not be marked; they will be delivered again.");
                }
            }
            Err(error) => {
                tracing::warn!(%error, "The outbox could not be read; trying again.");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

fn deliver(engine: &Engine, body: serde_json::Value) {
    match serde_json::from_value::<LcmNotification>(body) {
        Ok(note) if note.machine == Machine::Vnf => {
            let id: OccurrenceId = note.occurrence;
            engine.signal(&operation_event(id));
        }
        Ok(note) => engine.signal(&ns_operation_event(note.occurrence)),
        Err(error) => tracing::error!(%error, "A notification is malformed and was dropped."),
    }
}
