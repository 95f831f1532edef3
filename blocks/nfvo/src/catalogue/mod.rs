//! The catalogue: VNF packages, NSDs and PNFDs, their archives and their parsed models.
//!
//! ```text
//!   CREATED ──upload──> PROCESSING ──┬─> ONBOARDED      archive kept, model stored beside the information
//!      ^                             └─> ERROR          archive gone, every fault in the failure details; upload again
//!      └───── a crash in between ────┘ (swept at the next start)
//! ```
//!
//! A package is used by NSDs, an NSD by NS instances, a PNFD by NSDs: what is used is not deleted. A vnfdId, nsdId or pnfdId
//! names one on-boarded descriptor of a tenant.

mod archive;
mod images;
pub(crate) mod nsd;
mod package;
mod pnfd;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use manifold_call::{CallError, Context, Outcome, TenantId, Uuid};
use manifold_descriptors::Descriptor;
use manifold_sol::{PackageOnboardingState, PackageOperationalState, PackageUsageState, ProblemDetails};
use manifold_store::{Batch, Doc, Expect, Kind, Put, Query};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::fault;
use crate::near::Near;
use crate::record::{self, DESCRIPTOR};
use archive::Opened;

/// Parsed models kept in memory. A model of a large VNFD is some hundred kilobytes.
const MODELS_MAX: usize = 256;

/// A descriptor as it was on-boarded, and the hashes of the package's files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Model {
    pub(crate) descriptor: Descriptor,
    /// SHA-256 in hexadecimal, by path.
    pub(crate) files: BTreeMap<String, String>,
}

/// What the three kinds of entries have in common.
pub(crate) trait Entry: Clone + Serialize + DeserializeOwned + Send + Sync {
    const KIND: Kind;
    /// For people.
    const WHAT: &'static str;
    fn id(&self) -> &str;
    fn onboarding(&mut self) -> (&mut PackageOnboardingState, &mut Option<ProblemDetails>);
    /// What the descriptor calls itself; `None` before there is one.
    fn descriptor_id(&self) -> Option<&str>;
    /// What it uses: (index key, id).
    fn uses(&self) -> Vec<(&'static str, String)>;
}

pub(crate) struct Catalogue {
    dir: PathBuf,
    near: Arc<Near>,
    models: Mutex<HashMap<String, Arc<Model>>>,
    /// Uploads under way in this process.
    uploading: Mutex<HashSet<String>>,
    /// Held while it is decided who uses what and that is written, so that nothing is deleted that is just being taken into use.
    gate: tokio::sync::Mutex<()>,
    /// Held while an image is taken out of its archive: two at once would write the same file.
    unpacking: tokio::sync::Mutex<()>,
}

/// An upload's claim on its entry.
struct Claim<'a> {
    catalogue: &'a Catalogue,
    id: String,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.catalogue
            .uploading
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.id);
    }
}

impl Catalogue {
    pub(crate) fn new(dir: PathBuf, near: Arc<Near>) -> Self {
        Self {
            dir,
            near,
            models: Mutex::default(),
            uploading: Mutex::default(),
            gate: tokio::sync::Mutex::default(),
            unpacking: tokio::sync::Mutex::default(),
        }
    }

    /// Who decides who uses what holds this.
    pub(crate) async fn gate(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.gate.lock().await
    }

    fn archive(&self, id: &str) -> PathBuf {
        self.dir.join("archives").join(format!("{id}.csar"))
    }

    fn image_dir(&self) -> PathBuf {
        self.dir.join("images")
    }

    // Entries.

    async fn make<E: Entry>(&self, cx: &Context, entry: E) -> Outcome<E> {
        let put = put(&entry, &cx.tenant, Expect::Absent)?;
        self.near
            .store
            .commit(Batch::new().write(put))
            .await
            .map_err(fault::store)?;
        Ok(entry)
    }

    pub(crate) async fn find<E: Entry>(&self, tenant: &TenantId, id: &str) -> Outcome<(Doc, E)> {
        record::find(&*self.near.store, tenant, E::KIND, id, E::WHAT).await
    }

    async fn all<E: Entry>(&self, tenant: &TenantId) -> Outcome<Vec<E>> {
        let all = record::list(&*self.near.store, E::KIND, Query::all().tenant(tenant.as_str())).await?;
        Ok(all.into_iter().map(|(_, entry)| entry).collect())
    }

    /// The on-boarded entry whose descriptor calls itself so.
    pub(crate) async fn onboarded<E: Entry>(&self, tenant: &TenantId, descriptor: &str) -> Outcome<Option<(Doc, E)>> {
        let query = Query::all().tenant(tenant.as_str()).equal("descriptor", descriptor);
        let found = record::list::<E>(&*self.near.store, E::KIND, query).await?;
        Ok(found.into_iter().find_map(|(doc, mut entry)| {
            let is_ready = *entry.onboarding().0 == PackageOnboardingState::Onboarded;
            is_ready.then_some((doc, entry))
        }))
    }

    /// Deletes an entry, its model and its archive. The caller has looked at its state and holds the gate; `users` names who uses it.
    async fn remove<E: Entry>(&self, doc: &Doc, entry: &E, users: &[String]) -> Outcome<()> {
        if !users.is_empty() {
            return Err(CallError::conflict(format!(
                "{} {} is in use by {}",
                E::WHAT,
                entry.id(),
                users.join(", ")
            )));
        }
        let batch = Batch::new()
            .delete(E::KIND, entry.id(), Expect::Exactly(doc.revision))
            .delete(DESCRIPTOR, entry.id(), Expect::Any);
        self.near.store.commit(batch).await.map_err(fault::store)?;
        self.models().remove(entry.id());
        // What is left after a failure here, the next start sweeps away.
        archive::remove(&self.archive(entry.id())).await;
        Ok(())
    }

    /// Writes an entry again.
    async fn write<E: Entry>(&self, doc: &Doc, entry: &E) -> Outcome<()> {
        let tenant = TenantId(doc.tenant.clone().unwrap_or_default());
        let put = put(entry, &tenant, Expect::Exactly(doc.revision))?;
        self.near
            .store
            .commit(Batch::new().write(put))
            .await
            .map_err(fault::store)?;
        Ok(())
    }

    // On-boarding.

    /// Claims the entry for an upload: PROCESSING, durably.
    async fn begin<E: Entry>(&self, cx: &Context, id: &str) -> Outcome<(Claim<'_>, u64, E)> {
        let (doc, mut entry) = self.find::<E>(&cx.tenant, id).await?;
        if !self
            .uploading
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id.to_owned())
        {
            return Err(CallError::conflict(format!("{} {id} is being uploaded", E::WHAT)));
        }
        let claim = Claim {
            catalogue: self,
            id: id.to_owned(),
        };
        let (state, failure) = entry.onboarding();
        if *state == PackageOnboardingState::Onboarded {
            return Err(
                CallError::conflict(format!("{} {id} has content", E::WHAT)).cure("make another one for other content")
            );
        }
        *state = PackageOnboardingState::Processing;
        *failure = None;
        let put = put(&entry, &cx.tenant, Expect::Exactly(doc.revision))?;
        let committed = self
            .near
            .store
            .commit(Batch::new().write(put))
            .await
            .map_err(fault::store)?;
        Ok((claim, committed.revisions[0], entry))
    }

    /// Moves the archive into the catalogue and reads it. Errors: every fault of it.
    async fn open(&self, id: &str, file: &Path) -> Outcome<Opened> {
        archive::take_in(file, &self.archive(id)).await
    }

    /// ONBOARDED, unless there is a fault or another descriptor of that name; then ERROR, and the fault is the answer.
    /// The caller holds the gate since it looked at what the entry uses.
    async fn end<E: Entry>(&self, cx: &Context, revision: u64, mut entry: E, checked: Outcome<Model>) -> Outcome<E> {
        let checked = match checked {
            Ok(model) => self.refuse_twins(cx, &entry).await.map(|()| model),
            Err(error) => Err(error),
        };
        let id = entry.id().to_owned();
        let mut batch = Batch::new();
        let refusal = match checked {
            Ok(model) => {
                *entry.onboarding().0 = PackageOnboardingState::Onboarded;
                let put = Put::new(DESCRIPTOR, &id, Expect::Any, record::json(&model)?);
                batch = batch.write(put.tenant(Some(cx.tenant.as_str())));
                None
            }
            Err(error) => {
                // What a refused descriptor says of itself is not kept: neither its id nor that it is ENABLED.
                entry = self.find::<E>(&cx.tenant, &id).await?.1;
                let (state, failure) = entry.onboarding();
                *state = PackageOnboardingState::Error;
                *failure = Some(problem(&error));
                Some(error)
            }
        };
        let batch = batch.write(put(&entry, &cx.tenant, Expect::Exactly(revision))?);
        self.near.store.commit(batch).await.map_err(fault::store)?;
        match refusal {
            None => Ok(entry),
            Some(error) => {
                archive::remove(&self.archive(&id)).await;
                Err(error)
            }
        }
    }

    async fn refuse_twins<E: Entry>(&self, cx: &Context, entry: &E) -> Outcome<()> {
        let Some(descriptor) = entry.descriptor_id() else {
            return Ok(());
        };
        match self.onboarded::<E>(&cx.tenant, descriptor).await? {
            Some((_, other)) if other.id() != entry.id() => Err(CallError::conflict(format!(
                "{descriptor} is on-boarded already, as {} {}",
                E::WHAT,
                other.id()
            ))
            .cure("delete that one first, or give the new descriptor an id of its own")),
            _ => Ok(()),
        }
    }

    // Models.

    fn models(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Model>>> {
        self.models.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The parsed model of an on-boarded entry.
    pub(crate) async fn model(&self, id: &str) -> Outcome<Arc<Model>> {
        if let Some(model) = self.models().get(id) {
            return Ok(Arc::clone(model));
        }
        let doc = self.near.store.get(DESCRIPTOR, id).await.map_err(fault::store)?;
        let doc = doc.ok_or_else(|| CallError::not_found(format!("there is no descriptor of {id}")))?;
        let model = Arc::new(doc.read::<Model>().map_err(fault::store)?);
        let mut models = self.models();
        if models.len() >= MODELS_MAX {
            models.clear();
        }
        models.insert(id.to_owned(), Arc::clone(&model));
        Ok(model)
    }

    // Sweeping.

    /// What a crash left: entries in PROCESSING go back to CREATED, archives of nobody go.
    pub(crate) async fn sweep(&self) -> Outcome<()> {
        let mut keep = HashSet::new();
        self.sweep_kind::<manifold_sol::VnfPkgInfo>(&mut keep).await?;
        self.sweep_kind::<manifold_sol::NsdInfo>(&mut keep).await?;
        self.sweep_kind::<manifold_sol::PnfdInfo>(&mut keep).await?;
        let swept = archive::sweep(&self.dir.join("archives"), keep).await?;
        let half_done = archive::sweep_half_done(&self.image_dir()).await?;
        if swept + half_done > 0 {
            tracing::info!(
                archives = swept,
                images = half_done,
                "Files that a crash had left were removed."
            );
        }
        Ok(())
    }

    async fn sweep_kind<E: Entry>(&self, keep: &mut HashSet<PathBuf>) -> Outcome<()> {
        for (doc, mut entry) in record::list::<E>(&*self.near.store, E::KIND, Query::all()).await? {
            let (state, _) = entry.onboarding();
            match *state {
                PackageOnboardingState::Onboarded => {
                    keep.insert(self.archive(entry.id()));
                }
                PackageOnboardingState::Processing | PackageOnboardingState::Uploading => {
                    *state = PackageOnboardingState::Created;
                    self.write(&doc, &entry).await?;
                }
                PackageOnboardingState::Created | PackageOnboardingState::Error => {}
            }
        }
        Ok(())
    }
}

/// A new entry's id: the same for the same wish.
fn new_id(cx: &Context) -> Uuid {
    match cx.idempotency_key {
        Some(key) => Uuid::new_v5(&key.0, cx.tenant.as_str().as_bytes()),
        None => Uuid::now_v7(),
    }
}

fn put<E: Entry>(entry: &E, tenant: &TenantId, expect: Expect) -> Outcome<Put> {
    let mut put = Put::new(E::KIND, entry.id(), expect, record::json(entry)?).tenant(Some(tenant.as_str()));
    if let Some(descriptor) = entry.descriptor_id() {
        put = put.index("descriptor", descriptor);
    }
    for (key, id) in entry.uses() {
        put = put.index(key, id);
    }
    Ok(put)
}

/// A failed on-boarding as its entry keeps it: what the caller was told.
fn problem(error: &CallError) -> ProblemDetails {
    crate::ns::show::problem(error.kind, "On-boarding failed", error.to_string())
}

fn usage(count: u64) -> PackageUsageState {
    if count > 0 {
        PackageUsageState::InUse
    } else {
        PackageUsageState::NotInUse
    }
}

/// Errors: `Conflict` when it is enabled.
fn check_disabled(what: &str, id: &str, state: PackageOperationalState) -> Outcome<()> {
    match state {
        PackageOperationalState::Disabled => Ok(()),
        PackageOperationalState::Enabled => {
            Err(CallError::conflict(format!("{what} {id} is ENABLED"))
                .cure("set its operational state to DISABLED first"))
        }
    }
}
