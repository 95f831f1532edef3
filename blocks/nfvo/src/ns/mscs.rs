//! Multi-site connectivity services of an NS at the WIM.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use manifold_call::{CallError, ErrorKind};
use manifold_lcm::{Found, Progress, Step, StepCx, StepError, UndoProgress};
use manifold_wim_interface::{MscsData, MscsEndpoint, MscsId, MscsManagement, MscsQuery, MscsType};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::layout::PlannedNetwork;
use super::network::MadeNetwork;
use crate::near::Near;

/// A service that was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MadeMscs {
    pub(crate) id: MscsId,
    pub(crate) name: String,
    pub(crate) mtu: u32,
}

pub(super) fn wim(near: &Near) -> Result<Arc<dyn MscsManagement>, StepError> {
    let wim = near.wim()?;
    wim.ok_or_else(|| {
        CallError::unavailable("the WIM that was there when the operation began is not there any more").into()
    })
}

/// Says in a service's description whose it is; services have no metadata.
pub(super) fn whose(ns: &str) -> String {
    format!("NS {ns}")
}

/// A service between the networks of one link.
pub(super) struct MakeMscs {
    pub(super) near: Arc<Near>,
    pub(super) ns: String,
    pub(super) link: String,
    pub(super) name: String,
    pub(super) mtu: u32,
    pub(super) bandwidth: Option<u64>,
    pub(super) ends: Vec<(String, String)>,
}

impl MakeMscs {
    /// The WIM's refusal, with what it means for the NS.
    fn of_link(&self, mut error: CallError) -> CallError {
        let sites: Vec<&str> = self.ends.iter().map(|(vim, _)| vim.as_str()).collect();
        error.detail = format!("link {} between {}: {}", self.link, sites.join(" and "), error.detail);
        if error.kind == ErrorKind::Exhausted && error.cure.is_none() {
            return error.cure(
                "terminate what uses the WAN, ask for one site for all VNFs of the link, \
                 or lower its max_bitrate_requirements in the NSD",
            );
        }
        error
    }

    /// Which of the NS's services this is, in its incarnation.
    fn description(&self, cx: &StepCx) -> String {
        format!("{} {}", whose(&self.ns), cx.identity())
    }
}

#[async_trait]
impl Step for MakeMscs {
    // The same key again answers with the first result.
    async fn find(&self, _: &StepCx) -> Result<Found, StepError> {
        Ok(Found::Absent)
    }

    async fn act(&self, cx: &StepCx) -> Result<Progress, StepError> {
        let mut mscs_endpoints = Vec::new();
        for (vim, gateway) in &self.ends {
            let network: MadeNetwork = cx.output(&PlannedNetwork::step(&self.link, vim))?;
            let vn_segment_id = network.segmentation_id.ok_or_else(|| {
                StepError::permanent(CallError::conflict(format!(
                    "the network of link {} at {vim} has no segment that a gateway could pick up",
                    self.link
                )))
            })?;
            mscs_endpoints.push(MscsEndpoint {
                connectivity_service_endpoint_id: gateway.clone(),
                vim_id: vim.clone(),
                vn_segment_id,
            });
        }
        let ask = MscsData {
            mscs_name: self.name.clone(),
            mscs_description: Some(self.description(cx)),
            mscs_type: MscsType::L2vpn,
            mtu_mscs: self.mtu,
            bandwidth: self.bandwidth,
            mscs_endpoints,
        };
        let made = wim(&self.near)?.create(&cx.context(), ask).await;
        let made = made.map_err(|error| self.of_link(error))?;
        Progress::done(&MadeMscs {
            id: made.mscs_id,
            name: made.mscs_name,
            mtu: made.mtu_mscs,
        })
    }

    async fn undo(&self, cx: &StepCx, made: Option<&Value>) -> Result<UndoProgress, StepError> {
        let wim = wim(&self.near)?;
        let made = made
            .map(MadeMscs::deserialize)
            .transpose()
            .map_err(|error| StepError::internal(error.to_string()))?;
        let ids: Vec<MscsId> = match made {
            Some(made) => vec![made.id],
            None => {
                let description = self.description(cx);
                let all = wim.query(&cx.context_of("find"), MscsQuery::default()).await?;
                all.into_iter()
                    .filter(|mscs| mscs.mscs_description.as_ref() == Some(&description))
                    .map(|mscs| mscs.mscs_id)
                    .collect()
            }
        };
        for id in ids {
            wim.terminate(&cx.context_of(&id.to_string()), id).await?;
        }
        Ok(UndoProgress::Done)
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(60)
    }
}

/// Ends every service that the WIM has of the NS.
pub(super) struct RemoveMscs {
    pub(super) near: Arc<Near>,
    pub(super) ns: String,
}

#[async_trait]
impl Step for RemoveMscs {
    async fn find(&self, _: &StepCx) -> Result<Found, StepError> {
        Ok(Found::Absent)
    }

    async fn act(&self, cx: &StepCx) -> Result<Progress, StepError> {
        let wim = wim(&self.near)?;
        let whose = whose(&self.ns);
        for mscs in wim.query(&cx.context_of("find"), MscsQuery::default()).await? {
            if mscs
                .mscs_description
                .as_ref()
                .is_some_and(|text| text.starts_with(&whose))
            {
                wim.terminate(&cx.context_of(&mscs.mscs_id.to_string()), mscs.mscs_id)
                    .await?;
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
