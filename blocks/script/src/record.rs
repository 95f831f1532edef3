//! What the store keeps of a script.

use manifold_call::{CallError, Outcome, TenantId};
use manifold_nfvo_interface::{ScriptElement, ScriptInfo, ScriptSource};
use manifold_store::{Doc, Expect, Kind, Put, Query, Store, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The documents, by tenant and name.
pub(crate) const SCRIPT: Kind = Kind("script");
/// Revisions that came true.
pub(crate) const REVISION: Kind = Kind("script.revision");

/// A script document.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ScriptRecord {
    pub(crate) name: String,
    /// The newest that came true; 0: none.
    pub(crate) revision: u64,
    pub(crate) sources: Vec<ScriptSource>,
    pub(crate) root: Option<String>,
    /// Parts by kind and name, each with what it must be equal in to be the same.
    pub(crate) elements: Vec<Part>,
    pub(crate) ns: Option<String>,
    /// The service's NSD.
    pub(crate) nsd_id: Option<String>,
    /// Everything that was on-boarded for it, by the descriptor's id: what goes when nothing needs it any more.
    pub(crate) nsds: Vec<Onboarded>,
    pub(crate) packages: Vec<Onboarded>,
    pub(crate) access_points: BTreeMap<String, String>,
    pub(crate) operation: Option<manifold_call::OccurrenceId>,
}

/// A part, and what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Part {
    #[serde(flatten)]
    pub(crate) element: ScriptElement,
    /// Hash of all that it is.
    pub(crate) digest: String,
}

/// Something that was on-boarded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Onboarded {
    /// `vnfdId` or `nsdId`.
    pub(crate) descriptor: String,
    /// The resource.
    pub(crate) id: String,
}

/// The document's id: names are a tenant's own.
pub(crate) fn id(tenant: &TenantId, name: &str) -> String {
    format!("{tenant}/{name}")
}

impl ScriptRecord {
    pub(crate) fn put(&self, tenant: &TenantId, expect: Expect) -> Outcome<Put> {
        Ok(Put::new(SCRIPT, id(tenant, &self.name), expect, json(self)?).tenant(Some(tenant.as_str())))
    }

    /// The revision's own document, which stays.
    pub(crate) fn put_revision(&self, tenant: &TenantId) -> Outcome<Put> {
        let key = format!("{}/{}", id(tenant, &self.name), self.revision);
        Ok(Put::new(REVISION, key, Expect::Any, json(&self.info(true))?)
            .tenant(Some(tenant.as_str()))
            .index("script", id(tenant, &self.name)))
    }

    pub(crate) fn info(&self, whole: bool) -> ScriptInfo {
        ScriptInfo {
            name: self.name.clone(),
            revision: self.revision,
            ns_instance_id: self.ns.clone(),
            operation: self.operation,
            root: self.root.clone(),
            sources: if whole { self.sources.clone() } else { vec![] },
            elements: if whole {
                self.elements.iter().map(|part| part.element.clone()).collect()
            } else {
                vec![]
            },
        }
    }
}

pub(crate) fn json(value: &impl Serialize) -> Outcome<serde_json::Value> {
    serde_json::to_value(value).map_err(|error| CallError::internal("a document is no JSON").caused_by(error))
}

/// The tenant's document, if there is one.
pub(crate) async fn find(store: &dyn Store, tenant: &TenantId, name: &str) -> Outcome<Option<(Doc, ScriptRecord)>> {
    let Some(doc) = store.get(SCRIPT, &id(tenant, name)).await.map_err(fault)? else {
        return Ok(None);
    };
    let record = doc.read().map_err(fault)?;
    Ok(Some((doc, record)))
}

/// All of the tenant's.
pub(crate) async fn all(store: &dyn Store, tenant: &TenantId) -> Outcome<Vec<ScriptRecord>> {
    let mut all = Vec::new();
    let mut token = None;
    loop {
        let query = Query::all()
            .tenant(tenant.as_str())
            .limit(manifold_store::PAGE_LIMIT_MAX)
            .after(token);
        let page = store.list(SCRIPT, query).await.map_err(fault)?;
        for doc in page.docs {
            all.push(doc.read().map_err(fault)?);
        }
        token = page.next;
        if token.is_none() {
            return Ok(all);
        }
    }
}

/// A store's failure as the caller sees it: a lost race can be tried again, all else is not the caller's matter.
pub(crate) fn fault(error: StoreError) -> CallError {
    match error.conflict() {
        Some(conflict) => CallError::stale(conflict.to_string()),
        None => CallError::unavailable("the store did not answer").caused_by(error),
    }
}
