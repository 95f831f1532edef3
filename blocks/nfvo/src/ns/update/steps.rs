//! The steps that only updates have.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use manifold_call::{Context, OccurrenceId};
use manifold_lcm::{Found, Progress, Step, StepCx, StepError, UndoProgress, Wait};
use manifold_sol::{ChangeExtVnfConnectivityRequest, ExtVirtualLinkData, VnfExtCpData};
use manifold_store::Batch;
use manifold_vim_interface::UpdateNetworkResource;
use manifold_vnfm_interface::{Ask, VnfInstanceId};
use manifold_wim_interface::MscsQuery;
use serde::Deserialize;
use serde_json::{Value, json};

use super::difference::{Connected, Difference, NewRate, Used};
use crate::near::Near;
use crate::ns::mscs::{whose, wim};
use crate::ns::network::{MadeNetwork, end};
use crate::ns::vnf::{Standing, begin, is_retried, look, settle, vim_connection};
use crate::record::{NsLink, NsNetwork, NsSap, VnfRecord};

/// A network of the NS that is there: steps that plug into networks find it as if it had been made.
pub(super) struct UseNetwork {
    pub(super) used: Used,
}

#[async_trait]
impl Step for UseNetwork {
    async fn find(&self, _: &StepCx) -> Result<Found, StepError> {
        Found::done(&self.used.network)
    }

    async fn act(&self, _: &StepCx) -> Result<Progress, StepError> {
        Progress::done(&self.used.network)
    }

    async fn undo(&self, _: &StepCx, _: Option<&Value>) -> Result<UndoProgress, StepError> {
        Ok(UndoProgress::Done)
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(1)
    }
}

/// The point of no return: everything is made and changed, nothing is taken away yet.
pub(super) struct Turn;

#[async_trait]
impl Step for Turn {
    async fn find(&self, _: &StepCx) -> Result<Found, StepError> {
        Found::done(&())
    }

    async fn act(&self, _: &StepCx) -> Result<Progress, StepError> {
        Progress::done(&())
    }

    async fn undo(&self, _: &StepCx, _: Option<&Value>) -> Result<UndoProgress, StepError> {
        Ok(UndoProgress::Done)
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(1)
    }
}

/// Another limit for a network.
pub(super) struct ChangeRate {
    pub(super) near: Arc<Near>,
    pub(super) rate: NewRate,
}

impl ChangeRate {
    async fn set(&self, cx: &StepCx, rate: u64) -> Result<(), StepError> {
        let ask = UpdateNetworkResource {
            network_resource_id: self.rate.network.0,
            bandwidth: Some(rate),
            connected_networks: None,
            metadata: None,
        };
        let vim = self.near.vim(&self.rate.vim)?;
        vim.networks.update(&cx.context(), ask).await?;
        Ok(())
    }
}

#[async_trait]
impl Step for ChangeRate {
    // To set it again changes nothing.
    async fn find(&self, _: &StepCx) -> Result<Found, StepError> {
        Ok(Found::Absent)
    }

    async fn act(&self, cx: &StepCx) -> Result<Progress, StepError> {
        self.set(cx, self.rate.after).await?;
        Progress::done(&())
    }

    async fn undo(&self, cx: &StepCx, _: Option<&Value>) -> Result<UndoProgress, StepError> {
        self.set(cx, self.rate.before).await?;
        Ok(UndoProgress::Done)
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(60)
    }
}

/// Connection points of a VNF move to other links.
pub(super) struct ConnectVnf {
    pub(super) near: Arc<Near>,
    pub(super) vnf: VnfInstanceId,
    pub(super) connected: Connected,
    /// Ids of the link instances, by link.
    pub(super) link_ids: BTreeMap<String, String>,
}

impl ConnectVnf {
    fn request(&self, ext_virtual_links: Vec<ExtVirtualLinkData>) -> ChangeExtVnfConnectivityRequest {
        let vim = &self.connected.vnf.vim;
        ChangeExtVnfConnectivityRequest {
            ext_virtual_links,
            vim_connection_info: [(vim.clone(), vim_connection(vim))].into(),
            additional_params: self.connected.additional_params.clone(),
        }
    }

    fn after(&self, cx: &StepCx) -> Result<Vec<ExtVirtualLinkData>, StepError> {
        let vim = &self.connected.vnf.vim;
        let mut links: Vec<ExtVirtualLinkData> = Vec::new();
        for to in &self.connected.moves {
            let network: MadeNetwork = cx.output(&Difference::network_step(&to.to, vim))?;
            let ext_cp = VnfExtCpData {
                cpd_id: to.cpd.clone(),
                cp_config: to.config.clone(),
            };
            let id = self.link_ids.get(&to.to).unwrap_or(&to.to);
            match links.iter_mut().find(|known| known.id == *id) {
                Some(known) => known.ext_cps.push(ext_cp),
                None => links.push(ExtVirtualLinkData {
                    id: id.clone(),
                    vim_connection_id: Some(vim.clone()),
                    resource_id: network.id.to_string(),
                    ext_cps: vec![ext_cp],
                }),
            }
        }
        Ok(links)
    }

    /// Grants are worked out by this: it must stand before the VNFM is asked.
    async fn place(&self, cx: &StepCx, place: &VnfRecord) -> Result<(), StepError> {
        if self.connected.place_before != self.connected.place_after {
            let put = place.put(&cx.occurrence().tenant)?;
            self.near.store.commit(Batch::new().write(put)).await?;
        }
        Ok(())
    }

    async fn begin(
        &self,
        cx: &StepCx,
        part: &str,
        again: bool,
        links: Vec<ExtVirtualLinkData>,
    ) -> Result<Wait, StepError> {
        let (vnfm, request) = (self.near.vnfm()?, self.request(links));
        let start = |context: Context| {
            let (vnfm, request) = (Arc::clone(vnfm), request.clone());
            async move {
                vnfm.change_ext_conn(
                    &context,
                    Ask {
                        vnf_instance_id: self.vnf,
                        request,
                    },
                )
                .await
            }
        };
        begin(&**vnfm, cx, part, again, start).await
    }
}

#[async_trait]
impl Step for ConnectVnf {
    async fn find(&self, cx: &StepCx) -> Result<Found, StepError> {
        match look(&**self.near.vnfm()?, cx).await? {
            // The same key again answers with the first occurrence.
            Standing::None => Ok(Found::Absent),
            Standing::Running(wait) => Ok(Found::Pending(wait)),
            Standing::Completed(occurrence) => Found::done(&occurrence),
            Standing::Ended(why) => Err(StepError::permanent(why)),
        }
    }

    async fn act(&self, cx: &StepCx) -> Result<Progress, StepError> {
        self.place(cx, &self.connected.place_after).await?;
        let links = self.after(cx)?;
        Ok(Progress::Pending(
            self.begin(cx, "connect", is_retried(cx), links).await?,
        ))
    }

    /// Back to where they were, whatever became of the change: a VNF that is there already is told so at once.
    async fn undo(&self, cx: &StepCx, _: Option<&Value>) -> Result<UndoProgress, StepError> {
        let vnfm = self.near.vnfm()?;
        let is_back = is_way_back(cx);
        match look(&**vnfm, cx).await {
            Ok(Standing::Running(wait)) if is_back => return Ok(UndoProgress::Pending(back(wait))),
            Ok(Standing::Running(wait)) => return Ok(UndoProgress::Pending(wait)),
            Ok(Standing::Completed(_)) if is_back => {
                self.place(cx, &self.connected.place_before).await?;
                return Ok(UndoProgress::Done);
            }
            Err(error) if is_back => return Err(error),
            Ok(_) | Err(_) => {}
        }
        if !is_back && let Some(wait) = settle(&self.near, cx, self.vnf).await? {
            return Ok(UndoProgress::Pending(wait));
        }
        let wait = self
            .begin(cx, "reconnect", is_back, self.connected.before.clone())
            .await?;
        Ok(UndoProgress::Pending(back(wait)))
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(120)
    }
}

/// Marks the wait for the way back.
fn back(wait: Wait) -> Wait {
    let mut note = wait.note.clone().unwrap_or_else(|| json!({}));
    if let Some(note) = note.as_object_mut() {
        note.insert("back".to_owned(), json!(true));
    }
    wait.note(note)
}

fn is_way_back(cx: &StepCx) -> bool {
    #[derive(Deserialize)]
    struct Note {
        occurrence: OccurrenceId,
        back: bool,
    }
    cx.note()
        .and_then(|note| Note::deserialize(note).ok())
        .is_some_and(|note| note.back && note.occurrence.0 != manifold_call::Uuid::nil())
}

/// Takes away what is not a VNF. What is gone already is gone.
pub(super) struct Remove {
    pub(super) near: Arc<Near>,
    pub(super) what: Gone,
}

/// What goes.
pub(super) enum Gone {
    /// The port of a SAP.
    Sap(NsSap),
    /// What carries a link between its sites, if the NS has made it.
    Service { ns: String, link: NsLink },
    /// A network of a link.
    Network(NsNetwork),
}

impl Remove {
    async fn service(&self, cx: &StepCx, ns: &str, link: &NsLink) -> Result<(), StepError> {
        let wim = wim(&self.near)?;
        let whose = whose(ns);
        for mscs in wim.query(&cx.context_of("find"), MscsQuery::default()).await? {
            let id = mscs.mscs_id;
            // One that somebody else set up is not the NS's to end.
            let is_own = mscs.mscs_description.is_some_and(|text| text.starts_with(&whose));
            if is_own && link.mscs.as_ref() == Some(&id.to_string()) {
                wim.terminate(&cx.context_of(&id.to_string()), id).await?;
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Step for Remove {
    async fn find(&self, _: &StepCx) -> Result<Found, StepError> {
        Ok(Found::Absent)
    }

    async fn act(&self, cx: &StepCx) -> Result<Progress, StepError> {
        match &self.what {
            Gone::Sap(sap) => {
                let port = sap.info.resource_handle.as_ref();
                if let Some(id) = port.and_then(|port| port.resource_id.parse().ok()) {
                    end(&self.near.vim(&sap.vim)?, cx, vec![id]).await?;
                }
            }
            Gone::Service { ns, link } => self.service(cx, ns, link).await?,
            Gone::Network(network) => {
                let subnets = network.subnets.iter().map(|subnet| subnet.0);
                let ids = subnets.chain([network.id.0]).collect();
                end(&self.near.vim(&network.vim)?, cx, ids).await?;
            }
        }
        Progress::done(&())
    }

    async fn undo(&self, _: &StepCx, _: Option<&Value>) -> Result<UndoProgress, StepError> {
        Ok(UndoProgress::Done)
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(120)
    }
}
