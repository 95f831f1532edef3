//! PNFDs (IFA 013 7.2, SOL005 5).

use async_trait::async_trait;
use manifold_call::{CallError, Context, Outcome};
use manifold_descriptors::Descriptor;
use manifold_nfvo_interface::{Content, New, PnfdInfoId, PnfdManagement, Upload};
use manifold_sol::{CreatePnfdInfoRequest, NsdInfo, PackageOnboardingState, PnfdInfo, ProblemDetails};
use manifold_store::{Kind, Query};

use super::archive::Opened;
use super::{Entry, Model, new_id, usage};
use crate::record::{NSD, PNFD};
use crate::{Nfvo, fault, record};

impl Entry for PnfdInfo {
    const KIND: Kind = PNFD;
    const WHAT: &'static str = "PNFD";
    fn id(&self) -> &str {
        &self.id
    }
    fn onboarding(&mut self) -> (&mut PackageOnboardingState, &mut Option<ProblemDetails>) {
        (&mut self.pnfd_onboarding_state, &mut self.onboarding_failure_details)
    }
    fn descriptor_id(&self) -> Option<&str> {
        self.pnfd_id.as_deref()
    }
    fn uses(&self) -> Vec<(&'static str, String)> {
        vec![]
    }
}

#[async_trait]
impl PnfdManagement for Nfvo {
    async fn create(&self, cx: &Context, ask: New<CreatePnfdInfoRequest>) -> Outcome<PnfdInfo> {
        let entry = PnfdInfo {
            id: new_id(cx).to_string(),
            pnfd_onboarding_state: PackageOnboardingState::Created,
            user_defined_data: ask.0.user_defined_data,
            ..PnfdInfo::default()
        };
        self.catalogue.make(cx, entry).await
    }

    async fn upload(&self, cx: &Context, ask: Upload<PnfdInfoId>) -> Outcome<PnfdInfo> {
        let id = ask.id.to_string();
        let (_claim, revision, mut entry) = self.catalogue.begin::<PnfdInfo>(cx, &id).await?;
        let opened = self.catalogue.open(&id, &ask.file).await;
        let checked = opened.and_then(|opened| describe(&mut entry, opened));
        let _gate = self.catalogue.gate().await;
        self.catalogue.end(cx, revision, entry, checked).await
    }

    async fn query(&self, cx: &Context, (): ()) -> Outcome<Vec<PnfdInfo>> {
        let mut all = Vec::new();
        for entry in self.catalogue.all::<PnfdInfo>(&cx.tenant).await? {
            all.push(self.pnfd_with_usage(entry).await?);
        }
        Ok(all)
    }

    async fn find(&self, cx: &Context, id: PnfdInfoId) -> Outcome<PnfdInfo> {
        let (_, entry) = self.catalogue.find::<PnfdInfo>(&cx.tenant, &id.to_string()).await?;
        self.pnfd_with_usage(entry).await
    }

    async fn delete(&self, cx: &Context, id: PnfdInfoId) -> Outcome<()> {
        let id = id.to_string();
        let _gate = self.catalogue.gate().await;
        let (doc, entry) = self.catalogue.find::<PnfdInfo>(&cx.tenant, &id).await?;
        let users = record::list::<NsdInfo>(&*self.near.store, NSD, Query::all().equal("pnfd", &id)).await?;
        let users: Vec<String> = users
            .into_iter()
            .map(|(_, nsd)| format!("NSD {}", nsd.nsd_id.unwrap_or(nsd.id)))
            .collect();
        self.catalogue.remove(&doc, &entry, &users).await
    }

    async fn content(&self, cx: &Context, id: PnfdInfoId) -> Outcome<Content> {
        let (_, entry) = self.catalogue.find::<PnfdInfo>(&cx.tenant, &id.to_string()).await?;
        self.catalogue.content(entry).await
    }
}

impl Nfvo {
    async fn pnfd_with_usage(&self, mut entry: PnfdInfo) -> Outcome<PnfdInfo> {
        let users = self
            .near
            .store
            .count(NSD, Query::all().equal("pnfd", &entry.id))
            .await
            .map_err(fault::store)?;
        entry.pnfd_usage_state = usage(users);
        Ok(entry)
    }
}

fn describe(entry: &mut PnfdInfo, opened: Opened) -> Outcome<Model> {
    let Descriptor::Pnfd(pnfd) = &opened.model.descriptor else {
        return Err(CallError::invalid(format!(
            "the archive holds a {}, not a PNFD",
            opened.model.descriptor.kind()
        )));
    };
    entry.pnfd_id = Some(pnfd.descriptor_id.clone());
    entry.pnfd_name = Some(pnfd.name.clone());
    entry.pnfd_version = Some(pnfd.version.clone());
    entry.pnfd_provider = Some(pnfd.provider.clone());
    Ok(opened.model)
}
