//! An NFVO in memory: what is on-boarded is called as its bytes say, and operations end as soon as they begin.

use async_trait::async_trait;
use manifold_call::{CallError, Context, OccurrenceId, Outcome, Uuid};
use manifold_nfvo_interface::*;
use manifold_sol::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Default)]
struct State {
    packages: BTreeMap<String, VnfPkgInfo>,
    nsds: BTreeMap<String, NsdInfo>,
    services: BTreeMap<String, NsInstance>,
    operations: BTreeMap<Uuid, NsLcmOpOcc>,
}

#[derive(Default)]
pub(super) struct Nfvo {
    state: Mutex<State>,
}

fn none(what: &str, id: impl std::fmt::Display) -> CallError {
    CallError::not_found(format!("there is no {what} {id}"))
}

/// What a resource made under this key is called, now and when it is made again.
fn named(cx: &Context) -> String {
    let key = cx.idempotency_key.expect("every step has a key").0;
    Uuid::new_v5(&key, b"made").to_string()
}

/// The descriptor that a file holds. Whoever takes a file in takes it away.
fn taken(file: &Path) -> Outcome<String> {
    let gone = |error: std::io::Error| CallError::invalid("there is no such file").caused_by(error);
    let text = std::fs::read_to_string(file).map_err(gone)?;
    std::fs::remove_file(file).map_err(gone)?;
    Ok(text)
}

impl Nfvo {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The ids of all descriptors that are on-boarded, in order.
    pub(super) fn descriptors(&self) -> Vec<String> {
        let state = self.state();
        let functions = state.packages.values().filter_map(|one| one.vnfd_id.clone());
        let mut all: Vec<String> = functions
            .chain(state.nsds.values().filter_map(|one| one.nsd_id.clone()))
            .collect();
        all.sort();
        all
    }

    /// Resources by what they are, without their ids: those made again after an undoing are others.
    pub(super) fn snapshot(&self) -> Value {
        let state = self.state();
        let mut services: Vec<_> = state
            .services
            .values()
            .map(|ns| (&ns.nsd_id, format!("{:?}", ns.ns_state)))
            .collect();
        services.sort();
        let mut packages: Vec<_> = state.packages.values().map(|one| &one.vnfd_id).collect();
        packages.sort();
        let mut nsds: Vec<_> = state.nsds.values().map(|one| &one.nsd_id).collect();
        nsds.sort();
        json!({ "services": services, "packages": packages, "nsds": nsds })
    }

    /// Begins an operation, or finds the one that this key began before; `change` is what it does.
    fn operate(
        &self,
        cx: &Context,
        id: NsInstanceId,
        change: impl FnOnce(&mut NsInstance) -> Outcome<()>,
    ) -> Outcome<OccurrenceId> {
        let mut state = self.state();
        let occurrence = Uuid::new_v5(&cx.idempotency_key.expect("every step has a key").0, b"operation");
        if !state.operations.contains_key(&occurrence) {
            let ns = state.services.get_mut(&id.to_string()).ok_or_else(|| none("NS", id))?;
            change(ns)?;
            let found = NsLcmOpOcc {
                id: occurrence.to_string(),
                ns_instance_id: id.to_string(),
                operation_state: LcmOperationState::Completed,
                ..NsLcmOpOcc::default()
            };
            state.operations.insert(occurrence, found);
        }
        Ok(OccurrenceId(occurrence))
    }
}

fn unasked<T>() -> Outcome<T> {
    Err(CallError::unsupported("no script asks for this"))
}

#[async_trait]
impl VnfPackageManagement for Nfvo {
    async fn create(&self, cx: &Context, _: New<CreateVnfPkgInfoRequest>) -> Outcome<VnfPkgInfo> {
        let id = named(cx);
        let mut state = self.state();
        let fresh = VnfPkgInfo {
            id: id.clone(),
            onboarding_state: PackageOnboardingState::Created,
            ..VnfPkgInfo::default()
        };
        Ok(state.packages.entry(id).or_insert(fresh).clone())
    }

    async fn upload(&self, _: &Context, ask: Upload<VnfPkgId>) -> Outcome<VnfPkgInfo> {
        let descriptor = taken(&ask.file)?;
        let mut state = self.state();
        let entry = state
            .packages
            .get_mut(&ask.id.to_string())
            .ok_or_else(|| none("package", ask.id))?;
        entry.vnfd_id = Some(descriptor);
        entry.onboarding_state = PackageOnboardingState::Onboarded;
        entry.operational_state = PackageOperationalState::Enabled;
        Ok(entry.clone())
    }

    async fn update(&self, _: &Context, ask: Modify<VnfPkgId, VnfPkgInfoModifications>) -> Outcome<VnfPkgInfo> {
        let mut state = self.state();
        let entry = state
            .packages
            .get_mut(&ask.id.to_string())
            .ok_or_else(|| none("package", ask.id))?;
        if entry.onboarding_state != PackageOnboardingState::Onboarded {
            return Err(CallError::conflict("it is not ONBOARDED"));
        }
        entry.operational_state = ask.changes.operational_state.unwrap_or(entry.operational_state);
        Ok(entry.clone())
    }

    async fn query(&self, _: &Context, (): ()) -> Outcome<Vec<VnfPkgInfo>> {
        Ok(self.state().packages.values().cloned().collect())
    }

    async fn find(&self, _: &Context, id: VnfPkgId) -> Outcome<VnfPkgInfo> {
        self.state()
            .packages
            .get(&id.to_string())
            .cloned()
            .ok_or_else(|| none("package", id))
    }

    async fn delete(&self, _: &Context, id: VnfPkgId) -> Outcome<()> {
        let mut state = self.state();
        let entry = state.packages.get(&id.to_string()).ok_or_else(|| none("package", id))?;
        if entry.operational_state == PackageOperationalState::Enabled && entry.vnfd_id.is_some() {
            return Err(CallError::internal("it is ENABLED"));
        }
        state.packages.remove(&id.to_string());
        Ok(())
    }

    async fn content(&self, _: &Context, _: VnfPkgId) -> Outcome<Content> {
        unasked()
    }

    async fn vnfd(&self, _: &Context, _: VnfdId) -> Outcome<Value> {
        unasked()
    }
}

#[async_trait]
impl NsdManagement for Nfvo {
    async fn create(&self, cx: &Context, _: New<CreateNsdInfoRequest>) -> Outcome<NsdInfo> {
        let id = named(cx);
        let mut state = self.state();
        let fresh = NsdInfo {
            id: id.clone(),
            nsd_onboarding_state: PackageOnboardingState::Created,
            ..NsdInfo::default()
        };
        Ok(state.nsds.entry(id).or_insert(fresh).clone())
    }

    async fn upload(&self, _: &Context, ask: Upload<NsdInfoId>) -> Outcome<NsdInfo> {
        let descriptor = taken(&ask.file)?;
        let mut state = self.state();
        let entry = state
            .nsds
            .get_mut(&ask.id.to_string())
            .ok_or_else(|| none("NSD", ask.id))?;
        entry.nsd_id = Some(descriptor);
        entry.nsd_onboarding_state = PackageOnboardingState::Onboarded;
        entry.nsd_operational_state = PackageOperationalState::Enabled;
        Ok(entry.clone())
    }

    async fn update(&self, _: &Context, ask: Modify<NsdInfoId, NsdInfoModifications>) -> Outcome<NsdInfo> {
        let mut state = self.state();
        let entry = state
            .nsds
            .get_mut(&ask.id.to_string())
            .ok_or_else(|| none("NSD", ask.id))?;
        if entry.nsd_onboarding_state != PackageOnboardingState::Onboarded {
            return Err(CallError::conflict("it is not ONBOARDED"));
        }
        entry.nsd_operational_state = ask.changes.nsd_operational_state.unwrap_or(entry.nsd_operational_state);
        Ok(entry.clone())
    }

    async fn query(&self, _: &Context, (): ()) -> Outcome<Vec<NsdInfo>> {
        Ok(self.state().nsds.values().cloned().collect())
    }

    async fn find(&self, _: &Context, id: NsdInfoId) -> Outcome<NsdInfo> {
        self.state()
            .nsds
            .get(&id.to_string())
            .cloned()
            .ok_or_else(|| none("NSD", id))
    }

    async fn delete(&self, _: &Context, id: NsdInfoId) -> Outcome<()> {
        let mut state = self.state();
        let entry = state.nsds.get(&id.to_string()).ok_or_else(|| none("NSD", id))?;
        if entry.nsd_operational_state == PackageOperationalState::Enabled && entry.nsd_id.is_some() {
            return Err(CallError::internal("it is ENABLED"));
        }
        if state
            .services
            .values()
            .any(|ns| Some(&ns.nsd_id) == entry.nsd_id.as_ref())
        {
            return Err(CallError::internal("an NS follows it"));
        }
        state.nsds.remove(&id.to_string());
        Ok(())
    }

    async fn content(&self, _: &Context, _: NsdInfoId) -> Outcome<Content> {
        unasked()
    }
}

#[async_trait]
impl NsLifecycleManagement for Nfvo {
    async fn create(&self, cx: &Context, ask: NewNs) -> Outcome<NsInstance> {
        let id = named(cx);
        let mut state = self.state();
        if !state
            .nsds
            .values()
            .any(|nsd| nsd.nsd_id.as_ref() == Some(&ask.0.nsd_id))
        {
            return Err(none("NSD", ask.0.nsd_id));
        }
        let fresh = NsInstance {
            id: id.clone(),
            nsd_id: ask.0.nsd_id,
            ns_state: NsState::NotInstantiated,
            ..NsInstance::default()
        };
        Ok(state.services.entry(id).or_insert(fresh).clone())
    }

    async fn instantiate(&self, cx: &Context, ask: OnNs<InstantiateNsRequest>) -> Outcome<OccurrenceId> {
        self.operate(cx, ask.ns_instance_id, |ns| match ns.ns_state {
            NsState::NotInstantiated => {
                ns.ns_state = NsState::Instantiated;
                Ok(())
            }
            NsState::Instantiated => Err(CallError::conflict("it is INSTANTIATED")),
        })
    }

    async fn update(&self, cx: &Context, ask: OnNs<UpdateNsRequest>) -> Outcome<OccurrenceId> {
        let new = ask
            .request
            .assoc_new_nsd_version_data
            .expect("a new version")
            .new_nsd_id;
        self.operate(cx, ask.ns_instance_id, |ns| {
            ns.nsd_id = new;
            Ok(())
        })
    }

    async fn terminate(&self, cx: &Context, ask: OnNs<TerminateNsRequest>) -> Outcome<OccurrenceId> {
        self.operate(cx, ask.ns_instance_id, |ns| {
            ns.ns_state = NsState::NotInstantiated;
            Ok(())
        })
    }

    async fn delete(&self, _: &Context, id: NsInstanceId) -> Outcome<()> {
        let mut state = self.state();
        match state.services.get(&id.to_string()).map(|ns| ns.ns_state) {
            None => Err(none("NS", id)),
            Some(NsState::Instantiated) => Err(CallError::conflict("it is INSTANTIATED")),
            Some(NsState::NotInstantiated) => {
                state.services.remove(&id.to_string());
                Ok(())
            }
        }
    }

    async fn query(&self, _: &Context, (): ()) -> Outcome<Vec<NsInstance>> {
        Ok(self.state().services.values().cloned().collect())
    }

    async fn find(&self, _: &Context, id: NsInstanceId) -> Outcome<NsInstance> {
        self.state()
            .services
            .get(&id.to_string())
            .cloned()
            .ok_or_else(|| none("NS", id))
    }

    async fn query_operations(&self, _: &Context, (): ()) -> Outcome<Vec<NsLcmOpOcc>> {
        Ok(self.state().operations.values().cloned().collect())
    }

    async fn find_operation(&self, _: &Context, id: OccurrenceId) -> Outcome<NsLcmOpOcc> {
        self.state()
            .operations
            .get(&id.0)
            .cloned()
            .ok_or_else(|| none("operation", id))
    }

    async fn scale(&self, _: &Context, _: OnNs<ScaleNsRequest>) -> Outcome<OccurrenceId> {
        unasked()
    }

    async fn heal(&self, _: &Context, _: OnNs<HealNsRequest>) -> Outcome<OccurrenceId> {
        unasked()
    }

    async fn retry(&self, _: &Context, _: OccurrenceId) -> Outcome<()> {
        unasked()
    }

    async fn rollback(&self, _: &Context, _: OccurrenceId) -> Outcome<()> {
        unasked()
    }

    async fn continue_operation(&self, _: &Context, _: OccurrenceId) -> Outcome<()> {
        unasked()
    }

    async fn fail(&self, _: &Context, _: OccurrenceId) -> Outcome<NsLcmOpOcc> {
        unasked()
    }

    async fn cancel(&self, _: &Context, _: CancelNsOperation) -> Outcome<()> {
        unasked()
    }

    async fn progress(&self, _: &Context, _: OccurrenceId) -> Outcome<Progress> {
        unasked()
    }

    async fn plan_update(&self, _: &Context, _: OnNs<UpdateNsRequest>) -> Outcome<Changes> {
        unasked()
    }

    async fn topology(&self, _: &Context, _: NsInstanceId) -> Outcome<NsTopology> {
        unasked()
    }
}
