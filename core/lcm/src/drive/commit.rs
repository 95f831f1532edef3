//! Writing: what is noted in between becomes one commit.

use manifold_store::{Batch, Expect, Put, StoreError};
use uuid::Uuid;

use super::{Broken, Driver, show};
use crate::journal::{EntryRef, FORMAT, Record, stream};
use crate::metrics::Metrics;
use crate::running::now_ms;
use crate::{LcmNotification, NotificationStatus, OCCURRENCE, OUTBOX_TOPIC, Occurrence, State};

impl Driver {
    pub(super) fn change(&mut self) {
        self.changed = true;
        self.seen = None;
    }

    pub(super) fn enter(&mut self, state: State) {
        let (machine, from) = (self.occurrence.machine, self.occurrence.state);
        debug_assert!(machine.moves(from, state), "{machine:?} goes from {from} to {state}");
        self.occurrence.state = state;
        self.occurrence.state_entered_ms = now_ms();
        self.occurrence.summary = match state.notification_status() {
            NotificationStatus::Start => serde_json::Value::Null,
            NotificationStatus::Result => self.operation.summary(&self.occurrence, &self.ledger.outputs),
        };
        self.change();
        self.note();
        tracing::info!(
            occ = %self.occurrence.id, op = %self.occurrence.operation, tenant = %self.occurrence.tenant,
            %state, "Operation changed its state."
        );
    }

    pub(super) fn note(&mut self) {
        let occurrence = &self.occurrence;
        self.notes.push(LcmNotification {
            id: Uuid::now_v7(),
            occurrence: occurrence.id,
            subject: occurrence.subject.clone(),
            operation: occurrence.operation.clone(),
            machine: occurrence.machine,
            state: occurrence.state,
            status: occurrence.state.notification_status(),
            tenant: occurrence.tenant.clone(),
            is_automatic: occurrence.is_automatic,
            parent: occurrence.parent,
            error: occurrence.error.clone(),
            summary: occurrence.summary.clone(),
            at_ms: occurrence.state_entered_ms,
        });
    }

    pub(super) fn record(&mut self, record: Record) -> Result<(), Broken> {
        if self.records.is_empty() {
            self.at_ms = now_ms();
        }
        self.ledger.apply(self.at_ms, &record).map_err(Broken::Journal)?;
        self.records.push(record);
        Ok(())
    }

    /// Commits everything noted so far, with whatever the batch holds; nothing when there is nothing.
    pub(super) async fn flush(&mut self, mut batch: Batch) -> Result<(), Broken> {
        let at = batch.writes.len();
        if self.changed {
            batch
                .writes
                .push(occurrence_put(&self.occurrence, self.revision)?.into());
        }
        if !self.records.is_empty() {
            let entry = EntryRef {
                format: FORMAT,
                operation: &self.occurrence.operation,
                version: self.occurrence.version,
                at_ms: self.at_ms,
                records: &self.records,
            };
            let body = serde_json::to_value(entry).map_err(|error| Broken::Journal(error.to_string()))?;
            batch = batch.append(stream(self.occurrence.id), self.ledger.seq + 1, body);
        }
        for note in &self.notes {
            let body = serde_json::to_value(note).map_err(|error| Broken::Journal(error.to_string()))?;
            batch = batch.note(OUTBOX_TOPIC, body);
        }
        if batch.is_empty() {
            return Ok(());
        }
        let appended = !self.records.is_empty();
        let committed = self.inner.store.commit(batch).await.map_err(|error| match error {
            StoreError::Conflict(conflict) => Broken::Lost(conflict),
            other => Broken::Store(other),
        })?;
        Metrics::add(&self.inner.metrics.commits_total);
        if self.changed {
            self.revision = committed.revisions[at];
        }
        self.ledger.seq += u64::from(appended);
        self.changed = false;
        self.records.clear();
        self.notes.clear();
        self.show();
        Ok(())
    }

    /// Shows how it stands to those who watch; who comes later reads the store first.
    pub(crate) fn show(&self) {
        if self.shown.receiver_count() > 0 {
            show(&self.shown, self.ledger.view(&self.occurrence, self.revision));
        }
    }
}

fn occurrence_put(occurrence: &Occurrence, revision: u64) -> Result<Put, Broken> {
    let body = serde_json::to_value(occurrence).map_err(|error| Broken::Journal(error.to_string()))?;
    let expect = if revision == 0 {
        Expect::Absent
    } else {
        Expect::Exactly(revision)
    };
    let mut put = Put::new(OCCURRENCE, occurrence.id.to_string(), expect, body)
        .tenant(Some(occurrence.tenant.as_str()))
        .index("subject", &occurrence.subject.id)
        .index("operation", &occurrence.operation)
        .index("state", occurrence.state.as_str());
    if !occurrence.state.is_terminal() {
        put = put.index("open", "yes");
    }
    Ok(put)
}
