//! The steps that make forwarding paths and traffic rules at the VIMs, and take them away.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use manifold_call::{CallError, Uuid};
use manifold_lcm::{Found, Progress, Step, StepCx, StepError, UndoProgress};
use manifold_sol::VnfInstance;
use manifold_vim_interface::{CreateNfp, NfpId, PortId, QueryFilter, TrafficRuleData, TrafficRuleId, VimHandle};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::instantiate::sap_step;
use super::layout::PlannedNetwork;
use super::network::{MARK_KEY, MadeNetwork, MadePort, metadata};
use super::paths::{Place, PlannedPath, PlannedRule, Target};
use super::vnf::{CreateVnf, MadeVnf};
use crate::near::Near;
use crate::record::NS_KEY;

/// The VIM's ports of a VNF; with a connection point, only its. Each with that connection point's descriptor.
async fn ports(near: &Near, cx: &StepCx, key: &str, cpd: Option<&str>) -> Result<Vec<PortId>, StepError> {
    let made: MadeVnf = cx.output(&CreateVnf::step(key))?;
    let vnf: VnfInstance = near
        .vnfm()?
        .find(&cx.context_of(&format!("find {key}")), made.id)
        .await?;
    let info = vnf.instantiated_vnf_info.unwrap_or_default();
    let is_asked = |instance: Option<&String>| {
        let Some(cpd) = cpd else { return true };
        let known = info.ext_cp_info.iter().find(|cp| Some(&cp.id) == instance);
        known.map_or(instance.is_some_and(|id| id == cpd), |cp| cp.cpd_id == cpd)
    };
    let all = info.ext_virtual_link_info.iter().flat_map(|link| &link.ext_link_ports);
    let asked = all.filter(|port| is_asked(port.cp_instance_id.as_ref()));
    let read = |id: &String| {
        id.parse::<Uuid>()
            .map(PortId)
            .map_err(|_| StepError::internal(format!("the VNFM calls a port {id}, which is no port of a VIM")))
    };
    asked.map(|port| read(&port.resource_handle.resource_id)).collect()
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Made {
    id: Uuid,
}

fn made(made: Option<&Value>) -> Result<Option<Uuid>, StepError> {
    let made = made.map(Made::deserialize).transpose();
    made.map(|made| made.map(|made| made.id))
        .map_err(|error| StepError::internal(error.to_string()))
}

/// What carries a value in its metadata, whatever it is.
fn carrying(key: &str, value: &str) -> QueryFilter {
    QueryFilter {
        filter: format!("(eq,metadata/{key},{value})"),
    }
}

async fn paths_of(vim: &VimHandle, cx: &StepCx, key: &str, value: &str) -> Result<Vec<NfpId>, StepError> {
    let found = vim
        .paths
        .query(&cx.context_of("find paths"), carrying(key, value))
        .await?;
    let own = found
        .into_iter()
        .filter(|path| path.metadata.get(key).is_some_and(|is| is == value));
    Ok(own.map(|path| path.nfp_id).collect())
}

async fn rules_of(vim: &VimHandle, cx: &StepCx, key: &str, value: &str) -> Result<Vec<TrafficRuleId>, StepError> {
    let found = vim
        .traffic
        .query(&cx.context_of("find rules"), carrying(key, value))
        .await?;
    let own = found
        .into_iter()
        .filter(|rule| rule.rule.metadata.get(key).is_some_and(|is| is == value));
    Ok(own.map(|rule| rule.traffic_rule_id).collect())
}

/// One path, when what it goes through is there.
pub(super) struct MakePath {
    pub(super) near: Arc<Near>,
    pub(super) ns: String,
    pub(super) planned: PlannedPath,
}

impl MakePath {
    /// Names the step.
    pub(super) fn step(planned: &PlannedPath) -> String {
        format!("path/{}@{}", planned.name, planned.vim)
    }
}

#[async_trait]
impl Step for MakePath {
    // The same key again answers with the first result.
    async fn find(&self, _: &StepCx) -> Result<Found, StepError> {
        Ok(Found::Absent)
    }

    async fn act(&self, cx: &StepCx) -> Result<Progress, StepError> {
        let mut passed: Vec<PortId> = Vec::new();
        for place in &self.planned.places {
            match place {
                Place::Sap { sapd } => {
                    let port: MadePort = cx.output(&sap_step(sapd))?;
                    passed.push(PortId(port.id));
                }
                Place::Vnf { key, ingress, egress } => {
                    let mut ways = vec![ingress];
                    ways.extend(Some(egress).filter(|egress| *egress != ingress));
                    for cpd in ways {
                        let found = ports(&self.near, cx, key, Some(cpd)).await?;
                        let first = found.first().ok_or_else(|| {
                            StepError::permanent(CallError::conflict(format!(
                                "path {}: VNF {key} has no port for its connection point {cpd}",
                                self.planned.name
                            )))
                        })?;
                        passed.push(*first);
                    }
                }
            }
        }
        let vim = self.near.vim(&self.planned.vim)?;
        let ask = CreateNfp {
            nfp_name: super::layout::plain(&self.planned.name),
            virtual_network_port: passed,
            total_vnp: None,
            nfp_rule: self.planned.rules.clone(),
            from_network: !matches!(self.planned.places.first(), Some(Place::Sap { .. })),
            priority: self.planned.priority,
            schedule: self.planned.schedule.clone(),
            metadata: metadata(&self.ns, cx),
        };
        let path = vim.paths.create(&cx.context(), ask).await?;
        Progress::done(&Made { id: path.nfp_id.0 })
    }

    async fn undo(&self, cx: &StepCx, output: Option<&Value>) -> Result<UndoProgress, StepError> {
        let vim = self.near.vim(&self.planned.vim)?;
        let ids = match made(output)? {
            Some(id) => vec![NfpId(id)],
            None => paths_of(&vim, cx, MARK_KEY, &cx.identity().to_string()).await?,
        };
        if !ids.is_empty() {
            vim.paths.delete(&cx.context_of("delete"), ids).await?;
        }
        Ok(UndoProgress::Done)
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(60)
    }
}

/// One traffic rule at one site.
pub(super) struct MakeRule {
    pub(super) near: Arc<Near>,
    pub(super) ns: String,
    pub(super) planned: PlannedRule,
}

impl MakeRule {
    /// Names the step.
    pub(super) fn step(planned: &PlannedRule) -> String {
        format!("traffic/{}@{}", planned.data.name, planned.vim)
    }
}

#[async_trait]
impl Step for MakeRule {
    async fn find(&self, _: &StepCx) -> Result<Found, StepError> {
        Ok(Found::Absent)
    }

    async fn act(&self, cx: &StepCx) -> Result<Progress, StepError> {
        let mut targets = Vec::new();
        for target in &self.planned.targets {
            match target {
                Target::Network { link } => {
                    let network: MadeNetwork = cx.output(&PlannedNetwork::step(link, &self.planned.vim))?;
                    targets.push(network.id.0);
                }
                Target::Sap { sapd } => targets.push(cx.output::<MadePort>(&sap_step(sapd))?.id),
                Target::Vnf { key } => {
                    let found = ports(&self.near, cx, key, None).await?;
                    targets.extend(found.into_iter().map(|port| port.0));
                }
            }
        }
        let vim = self.near.vim(&self.planned.vim)?;
        let ask = TrafficRuleData {
            targets,
            metadata: metadata(&self.ns, cx),
            ..self.planned.data.clone()
        };
        let rule = vim.traffic.create(&cx.context(), ask).await?;
        Progress::done(&Made {
            id: rule.traffic_rule_id.0,
        })
    }

    async fn undo(&self, cx: &StepCx, output: Option<&Value>) -> Result<UndoProgress, StepError> {
        let vim = self.near.vim(&self.planned.vim)?;
        let ids = match made(output)? {
            Some(id) => vec![TrafficRuleId(id)],
            None => rules_of(&vim, cx, MARK_KEY, &cx.identity().to_string()).await?,
        };
        if !ids.is_empty() {
            vim.traffic.delete(&cx.context_of("delete"), ids).await?;
        }
        Ok(UndoProgress::Done)
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(60)
    }
}

/// Takes away every path and rule that a VIM has of the NS: before its ports, which paths hold.
pub(super) struct RemovePackets {
    pub(super) near: Arc<Near>,
    pub(super) ns: String,
    pub(super) vim: String,
}

#[async_trait]
impl Step for RemovePackets {
    async fn find(&self, _: &StepCx) -> Result<Found, StepError> {
        Ok(Found::Absent)
    }

    async fn act(&self, cx: &StepCx) -> Result<Progress, StepError> {
        let vim = self.near.vim(&self.vim)?;
        let paths = paths_of(&vim, cx, NS_KEY, &self.ns).await?;
        if !paths.is_empty() {
            vim.paths.delete(&cx.context_of("delete paths"), paths).await?;
        }
        let rules = rules_of(&vim, cx, NS_KEY, &self.ns).await?;
        if !rules.is_empty() {
            vim.traffic.delete(&cx.context_of("delete rules"), rules).await?;
        }
        Progress::done(&())
    }

    async fn undo(&self, _: &StepCx, _: Option<&Value>) -> Result<UndoProgress, StepError> {
        Ok(UndoProgress::Done)
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(60)
    }
}
