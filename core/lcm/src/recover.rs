//! Going on after a restart.

use std::sync::Arc;

use manifold_call::OccurrenceId;
use manifold_store::{Batch, Doc, PAGE_LIMIT_MAX, Query};
use serde_json::Value;

use crate::engine::Inner;
use crate::journal::FORMAT;
use crate::tasks::{Loaded, Opening};
use crate::{EngineError, OCCURRENCE, Occurrence};

/// An occurrence that this program cannot go on with. It keeps its subject busy; the program that wrote it, or a newer
/// one, can finish it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// The occurrence's id, as its document has it.
    pub occurrence: String,
    /// Why, for people.
    pub reason: String,
}

/// What [`crate::Engine::recover`] found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Occurrences that go on.
    pub resumed: Vec<OccurrenceId>,
    /// Occurrences in FAILED_TEMP, which wait for a task as before.
    pub held: Vec<OccurrenceId>,
    /// Occurrences that this program cannot go on with.
    pub parked: Vec<Parked>,
}

/// Reads an occurrence's document. Errors: why it is not one of this program's.
pub(crate) fn read_occurrence(doc: &Doc) -> Result<Occurrence, String> {
    // The form is looked at before anything else: a newer one need not have our fields.
    let format = doc.body.get("format").and_then(Value::as_u64);
    if format != Some(u64::from(FORMAT)) {
        return Err(format!(
            "it has form {}, and this program knows form {FORMAT}",
            format.map_or_else(|| "unknown".to_owned(), |format| format.to_string())
        ));
    }
    doc.read().map_err(|error| match std::error::Error::source(&error) {
        Some(source) => format!("its record is broken: {source}"),
        None => error.to_string(),
    })
}

impl Inner {
    pub(crate) async fn recover(self: &Arc<Self>) -> Result<Recovered, EngineError> {
        // An engine before this one, in this process, may have handed over a commit that is not durable yet.
        self.store.commit(Batch::new()).await.map_err(EngineError::Store)?;
        let mut recovered = Recovered::default();
        let mut page_token = None;
        loop {
            let query = Query::all()
                .equal("open", "yes")
                .limit(PAGE_LIMIT_MAX)
                .after(page_token);
            let page = self.store.list(OCCURRENCE, query).await.map_err(EngineError::Store)?;
            for doc in &page.docs {
                self.recover_one(doc, &mut recovered).await?;
            }
            page_token = page.next;
            if page_token.is_none() {
                return Ok(recovered);
            }
        }
    }

    async fn recover_one(self: &Arc<Self>, doc: &Doc, recovered: &mut Recovered) -> Result<(), EngineError> {
        let mut park = |reason: String| {
            tracing::error!(occ = %doc.id, reason, "Operation is parked: this program cannot go on with it.");
            if let Ok(id) = doc.id.parse() {
                self.park(id, reason.clone());
            }
            recovered.parked.push(Parked {
                occurrence: doc.id.clone(),
                reason,
            });
        };
        let occurrence = match read_occurrence(doc) {
            Ok(occurrence) => occurrence,
            Err(reason) => {
                park(reason);
                return Ok(());
            }
        };
        let (id, state) = (occurrence.id, occurrence.state);
        if self.live().get(&id).is_some_and(|live| live.commands.is_some()) {
            return Ok(());
        }
        match self.load(occurrence, doc.revision).await? {
            Loaded::Parked(reason) => park(reason),
            Loaded::Driver(..) if !state.is_running() => recovered.held.push(id),
            Loaded::Driver(driver, commands) => match self.drive(*driver, commands, Opening::Again).await {
                Ok(()) => recovered.resumed.push(id),
                Err(broken) => park(format!("its journal cannot be continued: {broken:?}")),
            },
        }
        Ok(())
    }
}
