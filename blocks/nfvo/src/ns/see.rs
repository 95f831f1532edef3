//! The step that sees to it that a VIM has a path or rule as it shall be.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use manifold_lcm::{Found, Progress, Step, StepCx, StepError, UndoProgress};
use manifold_vim_interface::{TrafficRule, TrafficRuleData, UpdateNfp, VimHandle};
use serde_json::Value;

use super::packets::{paths_of, rules_of};
use super::passed::{PACKET_KEY, Passed, There};
use super::paths::{Packet, PlannedPath, PlannedRule};
use crate::near::Near;
use crate::record::NS_KEY;

/// How it shall be.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) enum Shall {
    /// As it is.
    #[default]
    Stay,
    /// Not there.
    Go,
    /// So, on what was there before.
    BeAsBefore(Packet),
    /// So, on what there is afterwards.
    Be(Packet),
}

/// One path or rule; it is found by the name of its step, which it carries.
pub(super) struct See {
    pub(super) near: Arc<Near>,
    pub(super) ns: String,
    pub(super) there: Arc<There>,
    pub(super) packet: Packet,
    pub(super) act: Shall,
    pub(super) undo: Shall,
}

impl See {
    async fn see(&self, cx: &StepCx, shall: &Shall) -> Result<(), StepError> {
        let vim = self.near.vim(self.packet.vim())?;
        let (packet, is_before) = match shall {
            Shall::Stay => return Ok(()),
            Shall::Go => return self.end(cx, &vim).await,
            Shall::BeAsBefore(packet) => (packet, true),
            Shall::Be(packet) => (packet, false),
        };
        let passed = Passed {
            near: &self.near,
            cx,
            there: &self.there,
            is_before,
        };
        match packet {
            Packet::Path(path) => self.path(cx, &vim, &passed, path).await,
            Packet::Rule(rule) => self.rule(cx, &vim, &passed, rule).await,
        }
    }

    async fn path(
        &self,
        cx: &StepCx,
        vim: &VimHandle,
        passed: &Passed<'_>,
        path: &PlannedPath,
    ) -> Result<(), StepError> {
        let ask = passed.path(&self.ns, path).await?;
        let name = self.packet.step();
        let mut held = paths_of(vim, cx, NS_KEY, &self.ns).await?.into_iter();
        let Some(held) = held.find(|held| held.metadata.get(PACKET_KEY) == Some(&name)) else {
            vim.paths.create(&cx.context_of("make"), ask).await?;
            return Ok(());
        };
        if held.nfp_rule != ask.nfp_rule || held.virtual_network_port != ask.virtual_network_port {
            let ask = UpdateNfp {
                nfp_id: held.nfp_id,
                nfp_rule: Some(ask.nfp_rule),
                virtual_network_port: Some(ask.virtual_network_port),
            };
            vim.paths.update(&cx.context_of("change"), ask).await?;
        }
        Ok(())
    }

    async fn rule(
        &self,
        cx: &StepCx,
        vim: &VimHandle,
        passed: &Passed<'_>,
        rule: &PlannedRule,
    ) -> Result<(), StepError> {
        let ask = passed.rule(&self.ns, rule).await?;
        let name = self.packet.step();
        let mut held = rules_of(vim, cx, NS_KEY, &self.ns).await?.into_iter();
        let Some(held) = held.find(|held| held.rule.metadata.get(PACKET_KEY) == Some(&name)) else {
            vim.traffic.create(&cx.context_of("make"), ask).await?;
            return Ok(());
        };
        // Its mark stays that of the step that made it.
        let ask = TrafficRuleData {
            metadata: held.rule.metadata.clone(),
            ..ask
        };
        if held.rule != ask {
            let ask = TrafficRule { rule: ask, ..held };
            vim.traffic.update(&cx.context_of("change"), ask).await?;
        }
        Ok(())
    }

    async fn end(&self, cx: &StepCx, vim: &VimHandle) -> Result<(), StepError> {
        let name = self.packet.step();
        if self.packet.is_path() {
            let mut held = paths_of(vim, cx, NS_KEY, &self.ns).await?;
            held.retain(|path| path.metadata.get(PACKET_KEY) == Some(&name));
            let ids: Vec<_> = held.into_iter().map(|path| path.nfp_id).collect();
            if !ids.is_empty() {
                vim.paths.delete(&cx.context_of("delete"), ids).await?;
            }
        } else {
            let mut held = rules_of(vim, cx, NS_KEY, &self.ns).await?;
            held.retain(|rule| rule.rule.metadata.get(PACKET_KEY) == Some(&name));
            let ids: Vec<_> = held.into_iter().map(|rule| rule.traffic_rule_id).collect();
            if !ids.is_empty() {
                vim.traffic.delete(&cx.context_of("delete"), ids).await?;
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Step for See {
    // It looks before it acts.
    async fn find(&self, _: &StepCx) -> Result<Found, StepError> {
        Ok(Found::Absent)
    }

    async fn act(&self, cx: &StepCx) -> Result<Progress, StepError> {
        self.see(cx, &self.act).await?;
        Progress::done(&())
    }

    async fn undo(&self, cx: &StepCx, _: Option<&Value>) -> Result<UndoProgress, StepError> {
        self.see(cx, &self.undo).await?;
        Ok(UndoProgress::Done)
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(60)
    }
}
