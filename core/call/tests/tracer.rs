//! The trace never slows down a call: when its consumer is behind, records are lost, the newest first, and counted.
#![allow(clippy::unwrap_used)]

use manifold_call::{Context, Gate, Policy, Role, Tracer};
use std::sync::Arc;

async fn calls(gate: &Gate, count: u64) {
    let cx = Context::root("tenant-a".into());
    for number in 0..count {
        gate.pass(&cx, "Infrastructure", "observe", number.to_string(), |_| async {
            Ok(())
        })
        .await
        .unwrap();
    }
}

#[tokio::test]
async fn a_full_queue_loses_the_newest_records_counts_them_and_recovers() {
    let (tracer, mut source) = Tracer::new();
    let gate = Gate::new(Role::Vim, Role::Nfvi, "", Arc::new(Policy::etsi()), tracer.clone());
    let mut room = 0;
    while tracer.lost() == 0 {
        calls(&gate, 1).await;
        room += 1;
    }
    // The last one found no room.
    let kept = room - 1;
    calls(&gate, 9).await;
    assert_eq!(tracer.lost(), 10);
    let mut records = Vec::new();
    while records.len() < kept {
        records.extend(source.take(1_000).await);
    }
    assert_eq!(records.len(), kept);
    assert!(
        records
            .iter()
            .enumerate()
            .all(|(index, record)| record.sequence == index as u64)
    );
    calls(&gate, 1).await;
    assert_eq!(source.take(10).await.len(), 1);
    assert_eq!(tracer.lost(), 10);
}

#[tokio::test]
async fn calls_go_on_when_nobody_takes_the_trace_and_the_end_is_told_to_the_taker() {
    let (tracer, source) = Tracer::new();
    let gate = Gate::new(Role::Vim, Role::Nfvi, "", Arc::new(Policy::etsi()), tracer.clone());
    drop(source);
    calls(&gate, 3).await;
    assert_eq!(tracer.lost(), 3);
    let (tracer, mut source) = Tracer::new();
    let gate = Gate::new(Role::Vim, Role::Nfvi, "", Arc::new(Policy::etsi()), tracer);
    calls(&gate, 2).await;
    drop(gate);
    assert_eq!(source.take(10).await.len(), 2);
    assert!(source.take(10).await.is_empty());
}
