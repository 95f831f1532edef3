//! Which site each VNF goes to: all machines of all VNFs are placed at once, each VNF's together in one PoP, and VNFs of one link
//! near to each other and to the link's other ends where every rule and the room allow it: what crosses the WAN takes from what
//! little there is of it. The hosts that this finds are not kept: they show that it can be done; the grants decide.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use manifold_call::CallError;
use manifold_descriptors::link::{AffinityRule, AffinityScope, AffinityType};
use manifold_planning::placement::{
    Demand, HostId, NoPlace, Preference, Relation, Resident, Rule, Scope, Why, place_near,
};

use super::ends::Ends;
use super::{PlannedVnf, Question, Wanted};
use crate::fault::Faults;

/// Machines that are placed in one go: the search goes one call deeper for each.
const MACHINES_MAX: usize = 2_000;

pub(super) fn place(
    question: &Question<'_>,
    ends: &Ends,
    wanted: Vec<Wanted<'_>>,
    faults: &mut Faults,
) -> Vec<PlannedVnf> {
    let mut demands: Vec<Demand> = Vec::new();
    let mut rules: Vec<Rule> = Vec::new();
    let mut machines: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for one in &wanted {
        if let Some(there) = one.machines {
            machines.insert(one.vnf.key.clone(), there.clone());
            continue;
        }
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
    let near = preferences(question, ends, &wanted, &machines);
    match place_near(&question.survey.hosts(), &residents(question), &demands, &rules, &near) {
        Ok(places) => wanted
            .into_iter()
            .filter_map(|one| {
                if one.machines.is_some() {
                    return Some(one.vnf);
                }
                let machine = machines.get(&one.vnf.key)?.first()?;
                Some(PlannedVnf {
                    vim: places.get(machine)?.pop.clone(),
                    ..one.vnf
                })
            })
            .collect(),
        Err(why) => {
            faults.push(no_place(question, &machines, &why));
            vec![]
        }
    }
}

/// Machines of VNFs that are there already, for rules that bind new ones to them.
fn residents(question: &Question<'_>) -> Vec<Resident> {
    let own: BTreeSet<&String> = question.staying.vnfs.iter().flat_map(|vnf| &vnf.machines).collect();
    let hosts = question
        .survey
        .sites
        .iter()
        .flat_map(|site| site.hosts.iter().map(move |host| (site, host)));
    hosts
        .flat_map(|(site, host)| {
            host.computes.iter().map(move |compute| Resident {
                name: compute.to_string(),
                host: HostId {
                    pop: site.vim.clone(),
                    host: host.host_id.clone(),
                },
            })
        })
        .filter(|resident| own.contains(&resident.name))
        .collect()
}

/// What found no place, why not, and what to do about it.
fn no_place(question: &Question<'_>, machines: &BTreeMap<String, BTreeSet<String>>, why: &NoPlace) -> CallError {
    let vnf = machines.iter().find(|(_, own)| own.contains(&why.demand));
    let vnf = vnf.map_or("?", |(vnf, _)| vnf.as_str());
    let mut cure = cure(why);
    if !question.survey.silent.is_empty() {
        cure = format!("{cure}; asked: {}", question.survey.names());
    }
    CallError::exhausted(format!("VNF {vnf} finds no place: {why}")).cure(cure)
}

/// What would help, by what stands in the way.
pub(crate) fn cure(why: &NoPlace) -> String {
    let is = |what: fn(&Why) -> bool| why.refusals.iter().any(|(_, why)| what(why));
    let mut ways = Vec::new();
    if why.refusals.is_empty() {
        ways.push("make a lab that has hosts: `manifold lab create FILE`");
    }
    if is(|why| matches!(why, Why::Vcpus { .. } | Why::Memory { .. })) {
        ways.push("terminate what is not needed any more, or give the sites more or larger hosts");
    }
    if is(|why| matches!(why, Why::Unreached(_))) {
        ways.push("attach the provider network to a host");
    }
    if is(|why| matches!(why, Why::Apart(_) | Why::Elsewhere(_))) {
        ways.push("loosen the descriptors' affinity rules, or add the hosts that they need");
    }
    if is(|why| matches!(why, Why::NotThePop(_) | Why::NotTheZone(_) | Why::NotTheHost(_))) {
        ways.push("ask for another place, or for none");
    }
    ways.join("; ")
}

/// Who would like to be near to whom: by link, those first that cannot be at two sites, then those that may carry most.
fn preferences(
    question: &Question<'_>,
    ends: &Ends,
    wanted: &[Wanted<'_>],
    machines: &BTreeMap<String, BTreeSet<String>>,
) -> Vec<Preference> {
    let mut links: Vec<_> = question.nsd.virtual_links.iter().collect();
    links.sort_by_key(|link| {
        let is_bound = ends.providers.contains_key(&link.id);
        // Nothing is said of it: it may carry anything.
        let rate = link.max_bitrate.root_bits_per_second.unwrap_or(u64::MAX);
        (Reverse(is_bound), Reverse(rate))
    });
    let of = |link: &str| {
        let on_it = wanted
            .iter()
            .filter(|one| one.machines.is_none() && one.vnf.ends.iter().any(|(_, on)| on == link));
        let there = wanted.iter().filter(|one| one.machines.is_some());
        let there = there.filter(|one| one.vnf.ends.iter().any(|(_, on)| on == link));
        let saps = ends.saps.iter().filter(|sap| sap.link == link).map(|sap| &sap.vim);
        let pnfs = ends.pnfs.iter().filter(|pnf| pnf.links.values().any(|on| on == link));
        Preference {
            members: on_it
                .filter_map(|one| machines.get(&one.vnf.key))
                .flatten()
                .cloned()
                .collect(),
            pops: saps
                .chain(pnfs.map(|pnf| &pnf.vim))
                .chain(there.map(|one| &one.vnf.vim))
                .cloned()
                .collect(),
        }
    };
    links.iter().map(|link| of(&link.id)).collect()
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
