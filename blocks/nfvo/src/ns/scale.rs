//! Scale NS (IFA 013 7.3.4, SOL005 6.4.5): VNFs of the NS, by steps of their aspects, side by side.
//!
//! Two operations: scaling out can be undone by scaling in; what scaling in took away, nothing gives back as it was.
//!
//! A traffic rule for a VNF is for all of its ports, so it is given those that scaling out made; ports that go take themselves out of
//! it. A forwarding path stays where it is: at the first VNFC, which scaling never takes away.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use manifold_call::Context;
use manifold_lcm::{
    Ending, Found, Machine, Occurrence, Operation, Outputs, Plan, PlanError, Progress, Step, StepCx, StepError, Task,
    UndoProgress,
};
use manifold_sol::{ChangeType, NsResourceChanges, ScaleNsRequest, ScaleType, ScaleVnfRequest};
use manifold_store::{Kind, Write};
use manifold_vnfm_interface::{Ask, VnfInstanceId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::passed::There;
use super::paths::{Packet, PlannedRule, Target};
use super::see::{See, Shall};
use super::terminate::affected;
use super::vnf::{Standing, begin, is_retried, look, parse, settle};
use crate::near::Near;
use crate::record::{NS, NsRecord, NsVnf};

pub(crate) const OUT: &str = "ns.scale-out";
pub(crate) const IN: &str = "ns.scale-in";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Params {
    pub(crate) request: ScaleNsRequest,
    pub(crate) vnfs: Vec<Scaled>,
    /// Those that are for a VNF of these.
    #[serde(default)]
    pub(crate) rules: Vec<PlannedRule>,
    /// What the rules are for.
    #[serde(default)]
    pub(crate) there: There,
    /// Rules of NSs that were taken in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) taken: Vec<TakenRules>,
}

/// Rules of an NS that was there before it was nested: they are its own, with what it calls its VNFs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TakenRules {
    pub(crate) ns: String,
    pub(crate) rules: Vec<PlannedRule>,
    pub(crate) there: There,
}

/// The NS's rules that are for one of these VNFs, which are named by their ids; `flat`: the NS laid flat.
pub(crate) fn rules_for(flat: &NsRecord, vnfs: &[&str]) -> Vec<PlannedRule> {
    let scaled = |key: &str| {
        flat.vnfs
            .iter()
            .any(|vnf| vnf.key == key && vnfs.contains(&vnf.id.as_str()))
    };
    let is_for = |target: &Target| matches!(target, Target::Vnf { key, .. } if scaled(key));
    let rules = flat.packets.rules.iter();
    rules.filter(|rule| rule.targets.iter().any(is_for)).cloned().collect()
}

/// One VNF to scale.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Scaled {
    pub(crate) vnf: NsVnf,
    pub(crate) kind: ScaleType,
    pub(crate) aspect: String,
    pub(crate) steps: u32,
    /// The aspect's level before.
    pub(crate) level: u32,
    pub(crate) additional_params: BTreeMap<String, Value>,
}

pub(crate) struct Scale {
    pub(crate) near: Arc<Near>,
    /// [`OUT`] or [`IN`].
    pub(crate) kind: &'static str,
}

impl Operation for Scale {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn version(&self) -> u32 {
        1
    }

    fn machine(&self) -> Machine {
        Machine::Ns
    }

    fn subject_kind(&self) -> Kind {
        NS
    }

    fn supports(&self, task: Task) -> bool {
        task != Task::Rollback || self.kind == OUT
    }

    fn plan(&self, occurrence: &Occurrence) -> Result<Plan, PlanError> {
        let params: Params = occurrence.params()?;
        let mut plan = Plan::of(self.kind);
        let mut done = Vec::new();
        for scaled in params.vnfs {
            let name = format!("vnf/{}/scale", scaled.vnf.key);
            let step = ScaleVnf {
                near: Arc::clone(&self.near),
                vnf: parse(&scaled.vnf.id)?,
                scaled,
            };
            let mut step = plan.step(name, step);
            if self.kind == IN {
                step = step.forward_only("what scaling in took away, nothing gives back as it was");
            }
            done.push(step.handle());
        }
        let own = TakenRules {
            ns: occurrence.subject.id.clone(),
            rules: params.rules,
            there: params.there,
        };
        for TakenRules { ns, rules, there } in std::iter::once(own).chain(params.taken) {
            let there = Arc::new(there);
            for rule in rules {
                let name = match ns == occurrence.subject.id {
                    true => rule.step(),
                    false => format!("{}/{ns}", rule.step()),
                };
                let rule = Packet::Rule(rule);
                let step = See {
                    near: Arc::clone(&self.near),
                    ns: ns.clone(),
                    there: Arc::clone(&there),
                    packet: rule.clone(),
                    act: Shall::Be(rule),
                    undo: Shall::Stay,
                };
                plan.step(name, step).after_all(&done);
            }
        }
        Ok(plan)
    }

    fn conclude(&self, _: &Ending<'_>) -> Result<Vec<Write>, StepError> {
        Ok(vec![])
    }

    fn abandon(&self, _: &Ending<'_>) -> Result<Vec<Write>, StepError> {
        Ok(vec![])
    }

    fn summary(&self, occurrence: &Occurrence, outputs: &Outputs) -> Value {
        let Ok(params) = occurrence.params::<Params>() else {
            return Value::Null;
        };
        let done = params.vnfs.iter().filter(|scaled| {
            outputs
                .iter()
                .any(|(step, _)| step == format!("vnf/{}/scale", scaled.vnf.key))
        });
        let changes = NsResourceChanges {
            affected_vnfs: done.map(|scaled| affected(&scaled.vnf, ChangeType::Modified)).collect(),
            affected_vls: vec![],
        };
        serde_json::to_value(changes).unwrap_or_default()
    }
}

struct ScaleVnf {
    near: Arc<Near>,
    vnf: VnfInstanceId,
    scaled: Scaled,
}

impl ScaleVnf {
    async fn begin(&self, cx: &StepCx, kind: ScaleType, steps: u32) -> Result<manifold_lcm::Wait, StepError> {
        let vnfm = self.near.vnfm()?;
        let request = ScaleVnfRequest {
            kind,
            aspect_id: self.scaled.aspect.clone(),
            number_of_steps: Some(steps),
            additional_params: self.scaled.additional_params.clone(),
        };
        let start = |context: Context| {
            let (vnfm, request) = (Arc::clone(vnfm), request.clone());
            async move {
                vnfm.scale(
                    &context,
                    Ask {
                        vnf_instance_id: self.vnf,
                        request,
                    },
                )
                .await
            }
        };
        begin(&**vnfm, cx, "scale", is_retried(cx), start).await
    }

    /// The aspect's level now.
    async fn level(&self, cx: &StepCx) -> Result<u32, StepError> {
        let instance = self.near.vnfm()?.find(&cx.context_of("find"), self.vnf).await?;
        let info = instance.instantiated_vnf_info.unwrap_or_default();
        let aspect = info
            .scale_status
            .iter()
            .find(|scale| scale.aspect_id == self.scaled.aspect);
        Ok(aspect.map_or(0, |scale| scale.scale_level))
    }
}

#[async_trait]
impl Step for ScaleVnf {
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
        Ok(Progress::Pending(
            self.begin(cx, self.scaled.kind, self.scaled.steps).await?,
        ))
    }

    /// Of scaling out: back to the level before.
    async fn undo(&self, cx: &StepCx, _: Option<&Value>) -> Result<UndoProgress, StepError> {
        // What it waited for may be the scaling out, which failed: that is what is rolled back now.
        if let Ok(Standing::Running(wait)) = look(&**self.near.vnfm()?, cx).await {
            return Ok(UndoProgress::Pending(wait));
        }
        if let Some(wait) = settle(&self.near, cx, self.vnf).await? {
            return Ok(UndoProgress::Pending(wait));
        }
        let above = self.level(cx).await?.saturating_sub(self.scaled.level);
        if above == 0 {
            return Ok(UndoProgress::Done);
        }
        Ok(UndoProgress::Pending(self.begin(cx, ScaleType::ScaleIn, above).await?))
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(120)
    }
}
