//! Heal NS (IFA 013 7.3.5, SOL005 6.4.7): VNFs of the NS, side by side. The VNFM makes anew what is not well.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use manifold_call::Context;
use manifold_lcm::{
    Ending, Found, Machine, Occurrence, Operation, Outputs, Plan, PlanError, Progress, Step, StepCx, StepError, Task,
    UndoProgress,
};
use manifold_sol::{ChangeType, HealNsRequest, HealVnfRequest, NsResourceChanges};
use manifold_store::{Kind, Write};
use manifold_vnfm_interface::{Ask, VnfInstanceId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::terminate::affected;
use super::vnf::{Standing, begin, is_retried, look, parse};
use crate::near::Near;
use crate::record::{NS, NsVnf};

pub(crate) const KIND: &str = "ns.heal";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Params {
    pub(crate) request: HealNsRequest,
    pub(crate) vnfs: Vec<Healed>,
}

/// One VNF to heal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Healed {
    pub(crate) vnf: NsVnf,
    pub(crate) vnfcs: Vec<String>,
    pub(crate) cause: Option<String>,
}

pub(crate) struct Heal {
    pub(crate) near: Arc<Near>,
}

impl Operation for Heal {
    fn kind(&self) -> &'static str {
        KIND
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
        task != Task::Rollback
    }

    fn plan(&self, occurrence: &Occurrence) -> Result<Plan, PlanError> {
        let params: Params = occurrence.params()?;
        let mut plan = Plan::of(KIND);
        for healed in params.vnfs {
            let name = format!("vnf/{}/heal", healed.vnf.key);
            let step = HealVnf {
                near: Arc::clone(&self.near),
                vnf: parse(&healed.vnf.id)?,
                healed,
            };
            plan.step(name, step)
                .forward_only("nobody wants back what was not well");
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
        let done = params.vnfs.iter().filter(|healed| {
            outputs
                .iter()
                .any(|(step, _)| step == format!("vnf/{}/heal", healed.vnf.key))
        });
        let changes = NsResourceChanges {
            affected_vnfs: done.map(|healed| affected(&healed.vnf, ChangeType::Modified)).collect(),
            affected_vls: vec![],
        };
        serde_json::to_value(changes).unwrap_or_default()
    }
}

struct HealVnf {
    near: Arc<Near>,
    vnf: VnfInstanceId,
    healed: Healed,
}

#[async_trait]
impl Step for HealVnf {
    async fn find(&self, cx: &StepCx) -> Result<Found, StepError> {
        match look(&**self.near.vnfm()?, cx).await? {
            Standing::None => Ok(Found::Absent),
            Standing::Running(wait) => Ok(Found::Pending(wait)),
            Standing::Completed(occurrence) => Found::done(&occurrence),
            Standing::Ended(why) => Err(StepError::permanent(why)),
        }
    }

    async fn act(&self, cx: &StepCx) -> Result<Progress, StepError> {
        let vnfm = self.near.vnfm()?;
        let request = HealVnfRequest {
            vnfc_instance_id: self.healed.vnfcs.clone(),
            cause: self.healed.cause.clone(),
            additional_params: Default::default(),
        };
        let start = |context: Context| {
            let (vnfm, request) = (Arc::clone(vnfm), request.clone());
            async move {
                vnfm.heal(
                    &context,
                    Ask {
                        vnf_instance_id: self.vnf,
                        request,
                    },
                )
                .await
            }
        };
        Ok(Progress::Pending(
            begin(&**vnfm, cx, "heal", is_retried(cx), start).await?,
        ))
    }

    async fn undo(&self, _: &StepCx, _: Option<&Value>) -> Result<UndoProgress, StepError> {
        Ok(UndoProgress::Done)
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(120)
    }
}
