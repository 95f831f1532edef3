//! NSDs (IFA 013 7.2, SOL005 5).

use std::sync::Arc;

use async_trait::async_trait;
use manifold_call::{CallError, Context, Outcome};
use manifold_descriptors::{Descriptor, FlatNsd, Nsd, Pnfd, Vnfd, check_nsd};
use manifold_nfvo_interface::{Content, Modify, New, NsdInfoId, NsdManagement, Upload};
use manifold_sol::{
    CreateNsdInfoRequest, NsdInfo, NsdInfoModifications, PackageOnboardingState, PackageOperationalState, PnfdInfo,
    ProblemDetails, VnfPkgInfo,
};
use manifold_store::{Kind, Query};

use super::archive::Opened;
use super::{Catalogue, Entry, Model, check_disabled, new_id, usage};
use crate::record::{NS, NSD, NsRecord};
use crate::{Nfvo, fault, record};

impl Entry for NsdInfo {
    const KIND: Kind = NSD;
    const WHAT: &'static str = "NSD";
    fn id(&self) -> &str {
        &self.id
    }
    fn onboarding(&mut self) -> (&mut PackageOnboardingState, &mut Option<ProblemDetails>) {
        (&mut self.nsd_onboarding_state, &mut self.onboarding_failure_details)
    }
    fn descriptor_id(&self) -> Option<&str> {
        self.nsd_id.as_deref()
    }
    fn uses(&self) -> Vec<(&'static str, String)> {
        let packages = self.vnf_pkg_ids.iter().map(|id| ("package", id.clone()));
        packages
            .chain(self.pnfd_info_ids.iter().map(|id| ("pnfd", id.clone())))
            .chain(self.nested_nsd_info_ids.iter().map(|id| ("nested", id.clone())))
            .collect()
    }
}

#[async_trait]
impl NsdManagement for Nfvo {
    async fn create(&self, cx: &Context, ask: New<CreateNsdInfoRequest>) -> Outcome<NsdInfo> {
        let entry = NsdInfo {
            id: new_id(cx).to_string(),
            nsd_onboarding_state: PackageOnboardingState::Created,
            nsd_operational_state: PackageOperationalState::Disabled,
            user_defined_data: ask.0.user_defined_data,
            ..NsdInfo::default()
        };
        self.catalogue.make(cx, entry).await
    }

    async fn upload(&self, cx: &Context, ask: Upload<NsdInfoId>) -> Outcome<NsdInfo> {
        let id = ask.id.to_string();
        let (_claim, revision, mut entry) = self.catalogue.begin::<NsdInfo>(cx, &id).await?;
        let opened = self.catalogue.open(&id, &ask.file).await;
        let _gate = self.catalogue.gate().await;
        let checked = match opened {
            Ok(opened) => self.catalogue.describe_nsd(cx, &mut entry, opened).await,
            Err(error) => Err(error),
        };
        self.catalogue.end(cx, revision, entry, checked).await
    }

    async fn update(&self, cx: &Context, ask: Modify<NsdInfoId, NsdInfoModifications>) -> Outcome<NsdInfo> {
        let _gate = self.catalogue.gate().await;
        let (doc, mut entry) = self.catalogue.find::<NsdInfo>(&cx.tenant, &ask.id.to_string()).await?;
        if let Some(state) = ask.changes.nsd_operational_state {
            if entry.nsd_onboarding_state != PackageOnboardingState::Onboarded {
                return Err(CallError::conflict(format!("NSD {} is not ONBOARDED", ask.id)));
            }
            entry.nsd_operational_state = state;
        }
        entry
            .user_defined_data
            .extend(ask.changes.user_defined_data.unwrap_or_default());
        self.catalogue.write(&doc, &entry).await?;
        self.catalogue.nsd_with_usage(entry).await
    }

    async fn query(&self, cx: &Context, (): ()) -> Outcome<Vec<NsdInfo>> {
        let mut all = Vec::new();
        for entry in self.catalogue.all::<NsdInfo>(&cx.tenant).await? {
            all.push(self.catalogue.nsd_with_usage(entry).await?);
        }
        Ok(all)
    }

    async fn find(&self, cx: &Context, id: NsdInfoId) -> Outcome<NsdInfo> {
        let (_, entry) = self.catalogue.find::<NsdInfo>(&cx.tenant, &id.to_string()).await?;
        self.catalogue.nsd_with_usage(entry).await
    }

    async fn delete(&self, cx: &Context, id: NsdInfoId) -> Outcome<()> {
        let id = id.to_string();
        let _gate = self.catalogue.gate().await;
        let (doc, entry) = self.catalogue.find::<NsdInfo>(&cx.tenant, &id).await?;
        check_disabled(NsdInfo::WHAT, &id, entry.nsd_operational_state)?;
        let store = &*self.near.store;
        let around = record::list::<NsdInfo>(store, NSD, Query::all().equal("nested", &id)).await?;
        let around = around
            .into_iter()
            .map(|(_, nsd)| format!("NSD {}", nsd.nsd_id.unwrap_or(nsd.id)));
        let users = record::list::<NsRecord>(store, NS, Query::all().equal("nsd", &id)).await?;
        let users = users
            .into_iter()
            .map(|(_, ns)| format!("NS instance {} ({})", ns.name, ns.id));
        let users: Vec<String> = around.chain(users).collect();
        self.catalogue.remove(&doc, &entry, &users).await
    }

    async fn content(&self, cx: &Context, id: NsdInfoId) -> Outcome<Content> {
        let (_, entry) = self.catalogue.find::<NsdInfo>(&cx.tenant, &id.to_string()).await?;
        self.catalogue.content(entry).await
    }
}

/// The descriptors that an NSD names, those that are on-boarded.
#[derive(Debug, Default)]
pub(crate) struct Constituents {
    pub(crate) packages: Vec<(VnfPkgInfo, Arc<Model>)>,
    pub(crate) pnfds: Vec<(PnfdInfo, Arc<Model>)>,
    /// Nested ones.
    pub(crate) nsds: Vec<(NsdInfo, Arc<Model>)>,
}

impl Constituents {
    pub(crate) fn vnfds(&self) -> impl Iterator<Item = (&VnfPkgInfo, &Vnfd)> {
        self.packages
            .iter()
            .filter_map(|(info, model)| match &model.descriptor {
                Descriptor::Vnfd(vnfd) => Some((info, &**vnfd)),
                Descriptor::Nsd(_) | Descriptor::Pnfd(_) => None,
            })
    }

    pub(crate) fn pnfds(&self) -> impl Iterator<Item = (&PnfdInfo, &Pnfd)> {
        self.pnfds.iter().filter_map(|(info, model)| match &model.descriptor {
            Descriptor::Pnfd(pnfd) => Some((info, &**pnfd)),
            Descriptor::Nsd(_) | Descriptor::Vnfd(_) => None,
        })
    }

    pub(crate) fn nsds(&self) -> impl Iterator<Item = (&NsdInfo, &Nsd)> {
        self.nsds.iter().filter_map(|(info, model)| match &model.descriptor {
            Descriptor::Nsd(nsd) => Some((info, &**nsd)),
            Descriptor::Pnfd(_) | Descriptor::Vnfd(_) => None,
        })
    }
}

impl Catalogue {
    /// What the NSD itself names.
    pub(crate) async fn constituents(&self, cx: &Context, nsd: &Nsd) -> Outcome<Constituents> {
        let mut all = Constituents::default();
        self.gather(cx, nsd, &mut all).await?;
        Ok(all)
    }

    /// What it and the NSDs that it nests name, at all depths.
    pub(crate) async fn all_constituents(&self, cx: &Context, nsd: &Nsd) -> Outcome<Constituents> {
        let mut all = self.constituents(cx, nsd).await?;
        let mut next = 0;
        // Each NSD is gathered once, so that this ends whatever they name.
        while let Some((_, model)) = all.nsds.get(next) {
            let model = Arc::clone(model);
            next += 1;
            if let Descriptor::Nsd(nested) = &model.descriptor {
                self.gather(cx, nested, &mut all).await?;
            }
        }
        Ok(all)
    }

    async fn gather(&self, cx: &Context, nsd: &Nsd, all: &mut Constituents) -> Outcome<()> {
        for profile in &nsd.vnf_profiles {
            if all.vnfds().any(|(_, vnfd)| vnfd.descriptor_id == profile.vnfd_id) {
                continue;
            }
            if let Some((_, info)) = self.onboarded::<VnfPkgInfo>(&cx.tenant, &profile.vnfd_id).await? {
                let model = self.model(&info.id).await?;
                all.packages.push((info, model));
            }
        }
        for profile in &nsd.pnf_profiles {
            if all.pnfds().any(|(_, pnfd)| pnfd.descriptor_id == profile.pnfd_id) {
                continue;
            }
            if let Some((_, info)) = self.onboarded::<PnfdInfo>(&cx.tenant, &profile.pnfd_id).await? {
                let model = self.model(&info.id).await?;
                all.pnfds.push((info, model));
            }
        }
        for profile in &nsd.nested_ns_profiles {
            if all.nsds().any(|(_, nested)| nested.descriptor_id == profile.nsd_id) {
                continue;
            }
            if let Some((_, info)) = self.onboarded::<NsdInfo>(&cx.tenant, &profile.nsd_id).await? {
                let model = self.model(&info.id).await?;
                all.nsds.push((info, model));
            }
        }
        Ok(())
    }

    async fn describe_nsd(&self, cx: &Context, entry: &mut NsdInfo, opened: Opened) -> Outcome<Model> {
        let Descriptor::Nsd(nsd) = &opened.model.descriptor else {
            return Err(CallError::invalid(format!(
                "the archive holds a {}, not an NSD",
                opened.model.descriptor.kind()
            )));
        };
        let named = self.constituents(cx, nsd).await?;
        let all = self.all_constituents(cx, nsd).await?;
        let vnfds: Vec<&Vnfd> = all.vnfds().map(|(_, vnfd)| vnfd).collect();
        let pnfds: Vec<&Pnfd> = all.pnfds().map(|(_, pnfd)| pnfd).collect();
        let nsds: Vec<&Nsd> = all.nsds().map(|(_, nsd)| nsd).collect();
        // Laid flat: links of nested services meet where the services meet.
        let (flat, mut diagnostics) = FlatNsd::of(nsd, &nsds);
        diagnostics.extend(check_nsd(&flat.nsd, &vnfds, &pnfds));
        diagnostics.sort();
        if diagnostics.has_errors() {
            return Err(CallError::invalid(format!(
                "the NSD is refused:\n{}",
                diagnostics.render()
            )));
        }
        entry.nsd_id = Some(nsd.descriptor_id.clone());
        entry.nsd_name = Some(nsd.name.clone());
        entry.nsd_version = Some(nsd.version.clone());
        entry.nsd_designer = Some(nsd.designer.clone());
        entry.nsd_invariant_id = Some(nsd.invariant_id.clone());
        entry.vnf_pkg_ids = named.vnfds().map(|(info, _)| info.id.clone()).collect();
        entry.pnfd_info_ids = named.pnfds().map(|(info, _)| info.id.clone()).collect();
        entry.nested_nsd_info_ids = named.nsds().map(|(info, _)| info.id.clone()).collect();
        entry.nsd_operational_state = PackageOperationalState::Enabled;
        Ok(opened.model)
    }

    async fn nsd_with_usage(&self, mut entry: NsdInfo) -> Outcome<NsdInfo> {
        let users = self
            .near
            .store
            .count(NS, Query::all().equal("nsd", &entry.id))
            .await
            .map_err(fault::store)?;
        entry.nsd_usage_state = usage(users);
        Ok(entry)
    }
}
