//! Update NS (IFA 013 7.3.6, SOL005 6.4.6): what an NS consists of is made what somebody wants, in one operation.
//!
//! ```text
//!   network/<link>@<vim> ─┬─> mscs/<link> ────────────┐
//!                         ├─> sap/<sapd> ─────────────┼──> rate/<link>@<vim>, vnf/<key>/connect ──> path/…, traffic/… ──> turn
//!                         ├─> vnf/<key>/instantiate ──┘
//!   vnf/<key>/create ─────┘
//!
//!   turn ──> what goes: drop/<rule> ──> vnf/<key>/remove, remove-sap/<sapd> ──> remove-mscs ──> remove-network
//! ```
//!
//! All or nothing. Everything that can fail stands before `turn`, the point of no return: what fails there is undone, and the NS is as
//! it was, with its old descriptor. What fails after it cannot be given back; it waits, and a retry goes on. An update that takes
//! nothing away has no such point. What does not differ has no step: it is not touched.
//!
//! VNFs whose connection points move are changed by their VNFM, after everything else was made: it makes the machines anew that have
//! such a connection point, so a failure elsewhere does not cost them.

mod asked;
mod difference;
mod family;
mod intent;
mod outcome;
mod packet_steps;
mod packets;
mod present;
mod show;
mod steps;

use std::collections::BTreeMap;
use std::sync::Arc;

use manifold_lcm::{Ending, Machine, Occurrence, Operation, Outputs, Plan, PlanError, StepError, StepHandle, Task};
use manifold_sol::UpdateNsRequest;
use manifold_store::{Kind, Write};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::difference::Difference;
use self::outcome::{apply, records, summary, write};
use self::steps::{ChangeRate, ConnectVnf, Gone, Remove, Turn, UseNetwork};
use super::instantiate::{mscs_step, sap_step};
use super::layout::{PlannedNetwork, PlannedWan};
use super::mscs::MakeMscs;
use super::network::{MakeNetwork, MakeSap};
use super::vnf::{CreateVnf, InstantiateVnf, RemoveVnf, parse};
use crate::near::Near;
use crate::record::{NS, NsRecord, NsVnf};

pub(crate) const KIND: &str = "ns.update";

/// Why what goes has no undo.
const FORWARD: &str = "what was taken away cannot be given back";
/// The point of no return.
const TURN: &str = "turn";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Params {
    pub(crate) ns: String,
    /// As it was asked, for the occurrence to show.
    pub(crate) request: UpdateNsRequest,
    pub(crate) difference: Difference,
    /// What the NS follows afterwards.
    pub(crate) follows: Follows,
}

/// What an NS follows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Follows {
    pub(crate) nsd_id: String,
    pub(crate) nsd_info_id: String,
    pub(crate) flavour_id: Option<String>,
    pub(crate) level_id: Option<String>,
}

pub(crate) struct Update {
    pub(crate) near: Arc<Near>,
}

impl Operation for Update {
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

    fn supports(&self, _: Task) -> bool {
        true
    }

    fn plan(&self, occurrence: &Occurrence) -> Result<Plan, PlanError> {
        let params: Params = occurrence.params()?;
        let mut plan = Plan::of(KIND);
        let made = self.plan_creation(&mut plan, &params);
        let changed = self.plan_changes(&mut plan, &params, made)?;
        if !params.difference.remove.is_empty() || params.difference.packets.has_drops() {
            self.plan_removal(&mut plan, &params, &changed)?;
        }
        Ok(plan)
    }

    fn reads(&self, occurrence: &Occurrence) -> Vec<(Kind, String)> {
        let params = occurrence.params::<Params>();
        let family = params.map(|params| params.difference.family).unwrap_or_default();
        family.all().map(|held| (NS, held.id.clone())).collect()
    }

    fn conclude(&self, ending: &Ending<'_>) -> Result<Vec<Write>, StepError> {
        let params: Params = ending.occurrence.params()?;
        let mut all = records(ending, &params)?;
        let mut writes = apply(&mut all, &params, ending.outputs, true)?;
        params.follows.clone().write(&mut all[0]);
        // Failures that were accepted leave something behind, or something out.
        all[0].doubtful |= ending.outputs.iter().count() < ending.occurrence.steps.len();
        writes.extend(params.difference.family.let_go(ending, &all)?);
        writes.extend(write(ending, all)?);
        Ok(writes)
    }

    fn restore(&self, ending: &Ending<'_>) -> Result<Vec<Write>, StepError> {
        let params: Params = ending.occurrence.params()?;
        let mut writes = write(ending, vec![ending.subject()?.read()?])?;
        writes.extend(params.difference.family.give_back(ending)?);
        Ok(writes)
    }

    fn abandon(&self, ending: &Ending<'_>) -> Result<Vec<Write>, StepError> {
        let params: Params = ending.occurrence.params()?;
        let mut all = records(ending, &params)?;
        let is_turned = is_done(ending.outputs, TURN);
        let mut writes = apply(&mut all, &params, ending.outputs, is_turned)?;
        if is_turned {
            params.follows.clone().write(&mut all[0]);
        }
        // A step that failed may have left something: terminating looks for it.
        all[0].doubtful = true;
        if is_turned {
            writes.extend(params.difference.family.let_go(ending, &all)?);
        }
        writes.extend(write(ending, all)?);
        Ok(writes)
    }

    fn summary(&self, occurrence: &Occurrence, outputs: &Outputs) -> Value {
        let Ok(params) = occurrence.params::<Params>() else {
            return Value::Null;
        };
        serde_json::to_value(summary(&params.difference, outputs)).unwrap_or_default()
    }
}

/// Steps by what they make.
#[derive(Default)]
struct Made {
    /// By link and VIM.
    networks: BTreeMap<(String, String), StepHandle>,
    all: Vec<StepHandle>,
}

impl Update {
    fn near(&self) -> Arc<Near> {
        Arc::clone(&self.near)
    }

    fn remove(&self, what: Gone) -> Remove {
        Remove {
            near: self.near(),
            what,
        }
    }

    fn plan_creation(&self, plan: &mut Plan, params: &Params) -> Made {
        let Params { ns, difference, .. } = params;
        let layout = &difference.create;
        let mut made = Made::default();
        for used in &difference.used {
            let step = UseNetwork { used: used.clone() };
            let step = plan.step(PlannedNetwork::step(&used.link, &used.vim), step);
            let handle = step.forward_only("it was there before, and stays").handle();
            made.networks.insert((used.link.clone(), used.vim.clone()), handle);
        }
        for planned in &layout.networks {
            let step = MakeNetwork {
                near: self.near(),
                ns: ns.clone(),
                planned: planned.clone(),
            };
            let handle = plan
                .step(PlannedNetwork::step(&planned.link, &planned.vim), step)
                .handle();
            made.networks
                .insert((planned.link.clone(), planned.vim.clone()), handle);
        }
        made.all.extend(made.networks.values().cloned());
        for link in &layout.links {
            let Some(PlannedWan::Mscs {
                name,
                mtu,
                bandwidth,
                ends,
            }) = &link.wan
            else {
                continue;
            };
            let step = MakeMscs {
                near: self.near(),
                ns: ns.clone(),
                link: link.link.clone(),
                name: name.clone(),
                mtu: *mtu,
                bandwidth: *bandwidth,
                ends: ends.clone(),
            };
            let networks = made.networks.iter().filter(|((on, _), _)| *on == link.link);
            let step = plan
                .step(mscs_step(&link.link), step)
                .after_all(networks.map(|(_, step)| step));
            made.all.push(step.handle());
        }
        for sap in &layout.saps {
            let step = MakeSap {
                near: self.near(),
                ns: ns.clone(),
                planned: sap.clone(),
            };
            let network = made.networks.get(&(sap.link.clone(), sap.vim.clone()));
            let step = plan.step(sap_step(&sap.sapd), step).after_all(network);
            made.all.push(step.handle());
        }
        for vnf in &layout.vnfs {
            let create = CreateVnf {
                near: self.near(),
                ns: ns.clone(),
                planned: vnf.clone(),
            };
            let created = plan.step(CreateVnf::step(&vnf.key), create).handle();
            let instantiate = InstantiateVnf {
                near: self.near(),
                planned: vnf.clone(),
                link_ids: difference.link_ids.clone(),
            };
            let used = vnf
                .ends
                .iter()
                .filter_map(|(_, link)| made.networks.get(&(link.clone(), vnf.vim.clone())));
            let step = plan
                .step(format!("vnf/{}/instantiate", vnf.key), instantiate)
                .after(&created)
                .after_all(used);
            made.all.push(step.handle());
        }
        made
    }

    /// Changes of what is there come when everything is made.
    fn plan_changes(&self, plan: &mut Plan, params: &Params, made: Made) -> Result<Vec<StepHandle>, PlanError> {
        let difference = &params.difference;
        let takes = self.plan_takes(plan, &params.ns, &difference.packets, &made.all);
        let mut all = made.all.clone();
        all.extend(takes.iter().cloned());
        for rate in &difference.rates {
            let step = ChangeRate {
                near: self.near(),
                rate: rate.clone(),
            };
            let name = format!("rate/{}@{}", rate.link, rate.vim);
            all.push(plan.step(name, step).after_all(&made.all).handle());
        }
        for connected in &difference.connect {
            let step = ConnectVnf {
                near: self.near(),
                vnf: parse(&connected.vnf.id)?,
                connected: connected.clone(),
                link_ids: difference.link_ids.clone(),
            };
            let step = plan.step(connect_step(&connected.vnf), step);
            all.push(step.after_all(&made.all).after_all(&takes).handle());
        }
        all.extend(self.plan_packets(plan, &params.ns, &difference.packets, &all));
        Ok(all)
    }

    fn plan_removal(&self, plan: &mut Plan, params: &Params, before: &[StepHandle]) -> Result<(), PlanError> {
        let gone = &params.difference.remove;
        let turn = plan.step(TURN, Turn).after_all(before).no_return(FORWARD).handle();
        let drops = self.plan_drops(plan, &params.ns, &params.difference.packets, &turn);
        let mut free = vec![turn.clone()];
        free.extend(drops.iter().cloned());
        for vnf in &gone.vnfs {
            let step = RemoveVnf {
                near: self.near(),
                vnf: parse(&vnf.id)?,
            };
            let step = plan.step(remove_vnf_step(vnf), step).after(&turn).after_all(&drops);
            free.push(step.forward_only(FORWARD).handle());
        }
        for (name, sap) in gone.sap_steps() {
            let step = plan.step(name, self.remove(Gone::Sap(sap.clone())));
            let step = step.after(&turn).after_all(&drops);
            free.push(step.forward_only(FORWARD).handle());
        }
        for link in &gone.links {
            let mut then = free.clone();
            let name = &link.info.ns_virtual_link_desc_id;
            if link.mscs.is_some() {
                let step = self.remove(Gone::Service {
                    ns: params.ns.clone(),
                    link: link.clone(),
                });
                let step = plan.step(format!("remove-mscs/{name}"), step).after_all(&free);
                then = vec![step.forward_only(FORWARD).handle()];
            }
            for network in &link.networks {
                let step = self.remove(Gone::Network(network.clone()));
                plan.step(remove_network_step(name, &network.vim), step)
                    .after_all(&then)
                    .forward_only(FORWARD);
            }
        }
        Ok(())
    }
}

fn connect_step(vnf: &NsVnf) -> String {
    format!("vnf/{}/connect", vnf.key)
}

fn remove_vnf_step(vnf: &NsVnf) -> String {
    format!("vnf/{}/remove", vnf.key)
}

fn remove_network_step(link: &str, vim: &str) -> String {
    format!("remove-network/{link}@{vim}")
}

fn is_done(outputs: &Outputs, step: &str) -> bool {
    outputs.iter().any(|(name, _)| name == step)
}

impl Follows {
    fn write(self, record: &mut NsRecord) {
        record.nsd_id = self.nsd_id;
        record.nsd_info_id = self.nsd_info_id;
        record.flavour_id = self.flavour_id;
        record.level_id = self.level_id;
    }
}
