//! Which site each VNF goes to: all machines of all VNFs are placed at once, each VNF's together in one PoP. The hosts that this
//! finds are not kept: they show that it can be done; the grants decide.

use std::collections::{BTreeMap, BTreeSet};

use manifold_call::CallError;
use manifold_descriptors::link::{AffinityRule, AffinityScope, AffinityType};
use manifold_planning::placement::{Demand, Relation, Rule, Scope, place as find_places};

use super::{PlannedVnf, Question, Wanted};
use crate::fault::Faults;

/// Machines that are placed in one go: the search goes one call deeper for each.
const MACHINES_MAX: usize = 2_000;

pub(super) fn place(question: &Question<'_>, wanted: Vec<Wanted<'_>>, faults: &mut Faults) -> Vec<PlannedVnf> {
    let mut demands: Vec<Demand> = Vec::new();
    let mut rules: Vec<Rule> = Vec::new();
    let mut machines: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for one in &wanted {
        let Some(pin) = one_pin(one, faults) else { continue };
        let mut own: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for vdu in &one.flavour.vdus {
            let Some(compute) = &vdu.compute else { continue };
            let count = one
                .flavour
                .instances_at_level(vdu, one.vnf.level.as_deref())
                .unwrap_or(0);
            for n in 1..=count {
                let name = format!("{}/{}-{n}", one.vnf.key, vdu.id);
                own.entry(vdu.id.as_str()).or_default().insert(name.clone());
                demands.push(Demand {
                    name,
                    vcpus: compute.num_virtual_cpu,
                    memory_mib: compute.virtual_mem_size_mib,
                    pop: pin.clone(),
                    zone: one.vnf.zone.clone(),
                    host: None,
                    reaches: one.vnf.reaches.get(&vdu.id).cloned().unwrap_or_default(),
                });
            }
        }
        let all: BTreeSet<String> = own.values().flatten().cloned().collect();
        if all.is_empty() {
            faults.push(CallError::unsupported(format!(
                "VNFD {} has no virtual machine",
                one.vnfd.descriptor_id
            )));
        }
        rules.push(Rule {
            relation: Relation::Together,
            scope: Scope::Pop,
            members: all.clone(),
        });
        rules.extend(
            one.flavour
                .affinity_rules
                .iter()
                .filter_map(|rule| rule_over(rule, |target| own.get(target).cloned().unwrap_or_default())),
        );
        machines.insert(one.vnf.key.clone(), all);
    }
    if demands.len() > MACHINES_MAX {
        faults.push(CallError::exhausted(format!(
            "the NS has {} machines, and {MACHINES_MAX} are the most",
            demands.len()
        )));
        return vec![];
    }
    rules.extend(
        question
            .nsd
            .affinity_rules
            .iter()
            .flat_map(|rule| ns_rules(rule, &wanted, &machines)),
    );
    match find_places(&question.survey.hosts(), &[], &demands, &rules) {
        Ok(places) => wanted
            .into_iter()
            .filter_map(|one| {
                let machine = machines.get(&one.vnf.key)?.first()?;
                Some(PlannedVnf {
                    vim: places.get(machine)?.pop.clone(),
                    ..one.vnf
                })
            })
            .collect(),
        Err(why) => {
            let mut fault = CallError::exhausted(why.to_string());
            if !question.survey.silent.is_empty() {
                fault = fault.cure(format!("sites: {}", question.survey.names()));
            }
            faults.push(fault);
            vec![]
        }
    }
}

/// The one VIM that it must be at; the inner `None`: it may be anywhere; the outer: the pins contradict each other.
fn one_pin(one: &Wanted<'_>, faults: &mut Faults) -> Option<Option<String>> {
    let Some((first, who)) = one.pins.first() else {
        return Some(None);
    };
    if let Some((other, other_who)) = one.pins.iter().find(|(vim, _)| vim != first) {
        faults.invalid(format!(
            "VNF {} must be at {first} ({who}) and at {other} ({other_who})",
            one.vnf.key
        ));
        return None;
    }
    Some(Some(first.clone()))
}

/// A descriptor's rule over machines.
fn rule_over(rule: &AffinityRule, members: impl Fn(&str) -> BTreeSet<String>) -> Option<Rule> {
    let members: BTreeSet<String> = rule.targets.iter().flat_map(|target| members(target)).collect();
    let scope = match rule.scope {
        AffinityScope::NfviNode => Scope::Host,
        // A zone here is a group of one.
        AffinityScope::Zone | AffinityScope::ZoneGroup => Scope::Zone,
        AffinityScope::NfviPop => Scope::Pop,
        AffinityScope::NetworkLinkAndNode => return None,
    };
    let relation = match rule.kind {
        AffinityType::Affinity => Relation::Together,
        AffinityType::AntiAffinity => Relation::Apart,
    };
    (members.len() > 1).then_some(Rule {
        relation,
        scope,
        members,
    })
}

/// An NSD's rule is between VNF instances, not between the machines of one: apart means each pair of instances, machine by machine.
fn ns_rules(rule: &AffinityRule, wanted: &[Wanted<'_>], machines: &BTreeMap<String, BTreeSet<String>>) -> Vec<Rule> {
    let bound: Vec<&BTreeSet<String>> = wanted
        .iter()
        .filter(|one| rule.targets.contains(&one.vnf.profile))
        .filter_map(|one| machines.get(&one.vnf.key))
        .collect();
    let over = |members: BTreeSet<String>| {
        rule_over(
            &AffinityRule {
                targets: vec![String::new()],
                ..rule.clone()
            },
            |_| members.clone(),
        )
    };
    if rule.kind == AffinityType::Affinity {
        return over(bound.into_iter().flatten().cloned().collect())
            .into_iter()
            .collect();
    }
    let pairs = bound
        .iter()
        .enumerate()
        .flat_map(|(at, one)| bound[..at].iter().map(move |other| (one, other)));
    pairs
        .flat_map(|(one, other)| {
            one.iter()
                .flat_map(move |a| other.iter().map(move |b| BTreeSet::from([a.clone(), b.clone()])))
        })
        .filter_map(over)
        .collect()
}
