//! Terminate NS (IFA 013 7.3.7, SOL005 6.4.8).
//!
//! ```text
//!   packets@<vim> ──> vnf/<id> … side by side ──> saps@<vim> ──> mscs ──> networks@<vim>
//! ```
//!
//! Forward only: what is gone stays gone, and whoever wants it back instantiates again. What is absent counts as gone, and what
//! the record does not know, because an operation was given up, is looked for.

use std::collections::BTreeSet;
use std::sync::Arc;

use manifold_lcm::{Ending, Machine, Occurrence, Operation, Outputs, Plan, PlanError, StepError, Task};
use manifold_sol::{AffectedNsVl, AffectedVnf, ChangeType, NsResourceChanges, NsState, TerminateNsRequest};
use manifold_store::{Expect, Kind, Write};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::adopt;
use super::mscs::RemoveMscs;
use super::nested::Whole;
use super::network::RemoveNetworks;
use super::packets::RemovePackets;
use super::vnf::{RemoveStrays, RemoveVnf, parse};
use crate::near::Near;
use crate::record::{NS, NsRecord, NsVnf, VNF};

pub(crate) const KIND: &str = "ns.terminate";

/// Why no step has an undo.
const FORWARD: &str = "what was taken away cannot be given back; the NS can be instantiated again";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Params {
    pub(crate) ns: String,
    pub(crate) request: TerminateNsRequest,
    pub(crate) vnfs: Vec<NsVnf>,
    /// (instance, link in the NSD).
    pub(crate) links: Vec<(String, String)>,
    pub(crate) vims: BTreeSet<String>,
    pub(crate) has_saps: BTreeSet<String>,
    #[serde(default)]
    pub(crate) packet_vims: BTreeSet<String>,
    pub(crate) asked_wim: bool,
    pub(crate) doubtful: bool,
    /// NSs in it, at all depths: they go with it.
    #[serde(default)]
    pub(crate) nested: Vec<String>,
    /// NSs in it that were there before: they stay, and are nobody's again.
    #[serde(default)]
    pub(crate) adopted: Vec<String>,
}

impl Params {
    /// Of an NS as it is [whole](super::nested::Whole).
    pub(crate) fn of(whole: &Whole, request: TerminateNsRequest) -> Self {
        let record = &whole.own;
        Self {
            ns: record.id.clone(),
            request,
            vnfs: record.vnfs.clone(),
            links: whole
                .own_links()
                .map(|link| (link.info.id.clone(), link.info.ns_virtual_link_desc_id.clone()))
                .collect(),
            vims: record.vims.clone(),
            has_saps: record.saps.iter().map(|sap| sap.vim.clone()).collect(),
            packet_vims: record.packet_vims.clone(),
            asked_wim: record.asked_wim,
            doubtful: record.doubtful,
            nested: whole.nested.iter().map(|nested| nested.id.clone()).collect(),
            adopted: whole.adopted.clone(),
        }
    }
}

pub(crate) struct Terminate {
    pub(crate) near: Arc<Near>,
}

impl Operation for Terminate {
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
        let near = || Arc::clone(&self.near);
        let mut plan = Plan::of(KIND);
        let mut packets = Vec::new();
        for vim in &params.packet_vims {
            let step = RemovePackets {
                near: near(),
                ns: params.ns.clone(),
                vim: vim.clone(),
            };
            let step = plan.step(format!("packets@{vim}"), step).forward_only(FORWARD);
            packets.push(step.handle());
        }
        let mut before = packets.clone();
        for vnf in &params.vnfs {
            let step = RemoveVnf {
                near: near(),
                vnf: parse(&vnf.id)?,
            };
            before.push(
                plan.step(format!("vnf/{}", vnf.key), step)
                    .after_all(&packets)
                    .forward_only(FORWARD)
                    .handle(),
            );
        }
        if params.doubtful {
            let step = RemoveStrays {
                near: near(),
                ns: params.ns.clone(),
            };
            before.push(
                plan.step("vnf-strays", step)
                    .after_all(&before.clone())
                    .forward_only(FORWARD)
                    .handle(),
            );
        }
        let mut then = before.clone();
        for vim in &params.has_saps {
            let step = RemoveNetworks {
                near: near(),
                ns: params.ns.clone(),
                vim: vim.clone(),
                ports_only: true,
            };
            then.push(
                plan.step(format!("saps@{vim}"), step)
                    .after_all(&before)
                    .forward_only(FORWARD)
                    .handle(),
            );
        }
        if params.asked_wim {
            let step = RemoveMscs {
                near: near(),
                ns: params.ns.clone(),
            };
            then = vec![plan.step("mscs", step).after_all(&then).forward_only(FORWARD).handle()];
        }
        for vim in &params.vims {
            let step = RemoveNetworks {
                near: near(),
                ns: params.ns.clone(),
                vim: vim.clone(),
                ports_only: false,
            };
            plan.step(format!("networks@{vim}"), step)
                .after_all(&then)
                .forward_only(FORWARD);
        }
        Ok(plan)
    }

    fn reads(&self, occurrence: &Occurrence) -> Vec<(Kind, String)> {
        let adopted = occurrence
            .params::<Params>()
            .map(|params| params.adopted)
            .unwrap_or_default();
        adopted.into_iter().map(|id| (NS, id)).collect()
    }

    fn conclude(&self, ending: &Ending<'_>) -> Result<Vec<Write>, StepError> {
        let params: Params = ending.occurrence.params()?;
        let doc = ending.subject()?;
        let record: NsRecord = doc.read()?;
        let all_gone = ending.outputs.iter().count() == ending.occurrence.steps.len();
        // Failures that were accepted leave something behind: it is terminated again, or nobody would know of it any more.
        let record = if all_gone {
            NsRecord {
                id: record.id,
                name: record.name,
                description: record.description,
                nsd_id: record.nsd_id,
                nsd_info_id: record.nsd_info_id,
                state: NsState::NotInstantiated,
                ..NsRecord::default()
            }
        } else {
            NsRecord {
                doubtful: true,
                ..record
            }
        };
        let mut writes = vec![
            record
                .put(&ending.occurrence.tenant, Expect::Exactly(doc.revision))?
                .into(),
        ];
        if all_gone {
            writes.extend(params.vnfs.iter().map(|vnf| Write::delete(VNF, &vnf.id, Expect::Any)));
            writes.extend(params.nested.iter().map(|id| Write::delete(NS, id, Expect::Any)));
            for held in params.adopted.iter().filter_map(|id| ending.doc(NS, id)) {
                writes.push(adopt::released(held, &ending.occurrence.tenant)?.into());
            }
        }
        Ok(writes)
    }

    fn abandon(&self, ending: &Ending<'_>) -> Result<Vec<Write>, StepError> {
        let doc = ending.subject()?;
        let record: NsRecord = doc.read()?;
        let record = NsRecord {
            doubtful: true,
            ..record
        };
        Ok(vec![
            record
                .put(&ending.occurrence.tenant, Expect::Exactly(doc.revision))?
                .into(),
        ])
    }

    fn summary(&self, occurrence: &Occurrence, outputs: &Outputs) -> Value {
        let Ok(params) = occurrence.params::<Params>() else {
            return Value::Null;
        };
        let is_done = |step: &str| outputs.iter().any(|(name, _)| name == step);
        let vnfs = params.vnfs.iter().filter(|vnf| is_done(&format!("vnf/{}", vnf.key)));
        let networks_gone = params.vims.iter().all(|vim| is_done(&format!("networks@{vim}")));
        let changes = NsResourceChanges {
            affected_vnfs: vnfs.map(|vnf| affected(vnf, ChangeType::Removed)).collect(),
            affected_vls: params
                .links
                .iter()
                .filter(|_| networks_gone)
                .map(|(id, link)| AffectedNsVl {
                    ns_virtual_link_instance_id: id.clone(),
                    ns_virtual_link_desc_id: link.clone(),
                    vl_profile_id: link.clone(),
                    change_type: ChangeType::Removed,
                })
                .collect(),
        };
        serde_json::to_value(changes).unwrap_or_default()
    }
}

pub(super) fn affected(vnf: &NsVnf, change_type: ChangeType) -> AffectedVnf {
    AffectedVnf {
        vnf_instance_id: vnf.id.clone(),
        vnfd_id: vnf.vnfd_id.clone(),
        vnf_profile_id: vnf.profile.clone(),
        vnf_name: Some(vnf.name.clone()),
        change_type,
    }
}
