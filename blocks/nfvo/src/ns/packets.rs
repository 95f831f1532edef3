//! The steps that make forwarding paths and traffic rules at the VIMs, and take them away.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use manifold_call::Uuid;
use manifold_lcm::{Found, Progress, Step, StepCx, StepError, UndoProgress};
use manifold_vim_interface::{Nfp, NfpId, QueryFilter, TrafficRule, TrafficRuleId, VimHandle};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::network::MARK_KEY;
use super::passed::{Passed, There};
use super::paths::{PlannedPath, PlannedRule};
use crate::near::Near;
use crate::record::NS_KEY;

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

pub(super) async fn paths_of(vim: &VimHandle, cx: &StepCx, key: &str, value: &str) -> Result<Vec<Nfp>, StepError> {
    let mut found = vim
        .paths
        .query(&cx.context_of("find paths"), carrying(key, value))
        .await?;
    found.retain(|path| path.metadata.get(key).is_some_and(|is| is == value));
    Ok(found)
}

pub(super) async fn rules_of(
    vim: &VimHandle,
    cx: &StepCx,
    key: &str,
    value: &str,
) -> Result<Vec<TrafficRule>, StepError> {
    let mut found = vim
        .traffic
        .query(&cx.context_of("find rules"), carrying(key, value))
        .await?;
    found.retain(|rule| rule.rule.metadata.get(key).is_some_and(|is| is == value));
    Ok(found)
}

fn path_ids(all: Vec<Nfp>) -> Vec<NfpId> {
    all.into_iter().map(|path| path.nfp_id).collect()
}

fn rule_ids(all: Vec<TrafficRule>) -> Vec<TrafficRuleId> {
    all.into_iter().map(|rule| rule.traffic_rule_id).collect()
}

/// Looks for what steps of the same operation have made.
fn new<'a>(near: &'a Arc<Near>, cx: &'a StepCx) -> Passed<'a> {
    static NOTHING: There = There {
        vnfs: BTreeMap::new(),
        saps: BTreeMap::new(),
        networks: BTreeMap::new(),
    };
    Passed {
        near,
        cx,
        there: &NOTHING,
        is_before: false,
    }
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
        planned.step()
    }
}

#[async_trait]
impl Step for MakePath {
    // The same key again answers with the first result.
    async fn find(&self, _: &StepCx) -> Result<Found, StepError> {
        Ok(Found::Absent)
    }

    async fn act(&self, cx: &StepCx) -> Result<Progress, StepError> {
        let vim = self.near.vim(&self.planned.vim)?;
        let ask = new(&self.near, cx).path(&self.ns, &self.planned).await?;
        let path = vim.paths.create(&cx.context(), ask).await?;
        Progress::done(&Made { id: path.nfp_id.0 })
    }

    async fn undo(&self, cx: &StepCx, output: Option<&Value>) -> Result<UndoProgress, StepError> {
        let vim = self.near.vim(&self.planned.vim)?;
        let ids = match made(output)? {
            Some(id) => vec![NfpId(id)],
            None => path_ids(paths_of(&vim, cx, MARK_KEY, &cx.identity().to_string()).await?),
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
        planned.step()
    }
}

#[async_trait]
impl Step for MakeRule {
    async fn find(&self, _: &StepCx) -> Result<Found, StepError> {
        Ok(Found::Absent)
    }

    async fn act(&self, cx: &StepCx) -> Result<Progress, StepError> {
        let vim = self.near.vim(&self.planned.vim)?;
        let ask = new(&self.near, cx).rule(&self.ns, &self.planned).await?;
        let rule = vim.traffic.create(&cx.context(), ask).await?;
        Progress::done(&Made {
            id: rule.traffic_rule_id.0,
        })
    }

    async fn undo(&self, cx: &StepCx, output: Option<&Value>) -> Result<UndoProgress, StepError> {
        let vim = self.near.vim(&self.planned.vim)?;
        let ids = match made(output)? {
            Some(id) => vec![TrafficRuleId(id)],
            None => rule_ids(rules_of(&vim, cx, MARK_KEY, &cx.identity().to_string()).await?),
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
        let paths = path_ids(paths_of(&vim, cx, NS_KEY, &self.ns).await?);
        if !paths.is_empty() {
            vim.paths.delete(&cx.context_of("delete paths"), paths).await?;
        }
        let rules = rule_ids(rules_of(&vim, cx, NS_KEY, &self.ns).await?);
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
