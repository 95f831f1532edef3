use super::{Demand, Host, HostId, NoPlace, Preference, Relation, Resident, Rule, Scope, Why};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Placements that are tried before the search gives up: a second's work at most, and far more than any grant of a hundred
/// machines needs unless its rules contradict each other.
pub(super) const TRIES_MAX: u32 = 100_000;

/// A host for every demand, by the demands' names.
pub fn place(
    hosts: &[Host],
    residents: &[Resident],
    demands: &[Demand],
    rules: &[Rule],
) -> Result<BTreeMap<String, HostId>, NoPlace> {
    search(hosts, residents, demands, rules, &[], TRIES_MAX)
}

/// As [`place`], each demand at a PoP that its preferences draw it to while that leads anywhere.
pub(super) fn search(
    hosts: &[Host],
    residents: &[Resident],
    demands: &[Demand],
    rules: &[Rule],
    preferences: &[Preference],
    tries_max: u32,
) -> Result<BTreeMap<String, HostId>, NoPlace> {
    let mut hosts: Vec<Host> = hosts.to_vec();
    hosts.sort_by(|a, b| a.id.cmp(&b.id));
    let places: BTreeMap<&str, usize> = residents
        .iter()
        .filter_map(|resident| {
            let at = hosts.iter().position(|host| host.id == resident.host)?;
            Some((resident.name.as_str(), at))
        })
        .collect();
    let mut search = Search {
        hosts,
        rules,
        preferences,
        places,
        tries_left: tries_max,
        deepest: None,
    };

    let mut order: Vec<&Demand> = demands.iter().collect();
    let choices: BTreeMap<&str, usize> = demands
        .iter()
        .map(|demand| {
            let fits = (0..search.hosts.len()).filter(|at| search.refusal(demand, *at).is_none());
            (demand.name.as_str(), fits.count())
        })
        .collect();
    order.sort_by_key(|demand| (choices[demand.name.as_str()], Reverse(demand.memory_mib), &demand.name));

    if search.descend(&order, 0) {
        let placed = demands.iter().map(|demand| {
            let at = search.places[demand.name.as_str()];
            (demand.name.clone(), search.hosts[at].id.clone())
        });
        return Ok(placed.collect());
    }
    let gave_up = search.tries_left == 0;
    let (_, demand, refusals) = search.deepest.unwrap_or_default();
    Err(NoPlace {
        demand,
        refusals,
        gave_up,
    })
}

type DeadEnd = (usize, String, Vec<(HostId, Why)>);

struct Search<'a> {
    hosts: Vec<Host>,
    rules: &'a [Rule],
    preferences: &'a [Preference],
    places: BTreeMap<&'a str, usize>,
    tries_left: u32,
    deepest: Option<DeadEnd>,
}

impl<'a> Search<'a> {
    /// Places the demands from `depth` on; on failure everything is as it was. Recursion is as deep as there are demands, which
    /// the callers' limits bound.
    fn descend(&mut self, order: &[&'a Demand], depth: usize) -> bool {
        let Some(demand) = order.get(depth) else { return true };
        let mut candidates = Vec::new();
        let mut refusals = Vec::new();
        for at in 0..self.hosts.len() {
            match self.refusal(demand, at) {
                None => candidates.push(at),
                Some(why) => refusals.push((self.hosts[at].id.clone(), why)),
            }
        }
        if candidates.is_empty() {
            if self.deepest.as_ref().is_none_or(|(reached, ..)| depth > *reached) {
                self.deepest = Some((depth, demand.name.clone(), refusals));
            }
            return false;
        }
        let drawn = self.drawn(&demand.name);
        candidates.sort_by_key(|at| {
            let host = &self.hosts[*at];
            let draw = drawn.get(&host.id.pop).copied().unwrap_or(0);
            (Reverse(draw), Reverse(host.memory_mib_free), *at)
        });
        for at in candidates {
            if self.tries_left == 0 {
                return false;
            }
            self.tries_left -= 1;
            self.hosts[at].vcpus_free -= demand.vcpus;
            self.hosts[at].memory_mib_free -= demand.memory_mib;
            self.places.insert(demand.name.as_str(), at);
            if self.descend(order, depth + 1) {
                return true;
            }
            self.places.remove(demand.name.as_str());
            self.hosts[at].vcpus_free += demand.vcpus;
            self.hosts[at].memory_mib_free += demand.memory_mib;
        }
        false
    }

    /// How many of a demand's preferences have something in each PoP.
    fn drawn(&self, name: &str) -> BTreeMap<String, usize> {
        let mut drawn = BTreeMap::new();
        for preference in self
            .preferences
            .iter()
            .filter(|preference| preference.members.contains(name))
        {
            let members = preference
                .members
                .iter()
                .filter_map(|member| self.places.get(member.as_str()));
            let pops: BTreeSet<&String> = members
                .map(|at| &self.hosts[*at].id.pop)
                .chain(&preference.pops)
                .collect();
            for pop in pops {
                *drawn.entry(pop.clone()).or_default() += 1;
            }
        }
        drawn
    }

    /// Why the host cannot take the demand as things stand; `None` when it can.
    fn refusal(&self, demand: &Demand, at: usize) -> Option<Why> {
        let host = &self.hosts[at];
        if let Some(pop) = demand.pop.as_ref().filter(|pop| **pop != host.id.pop) {
            return Some(Why::NotThePop(pop.clone()));
        }
        if let Some(wished) = demand.host.as_ref().filter(|wished| **wished != host.id.host) {
            return Some(Why::NotTheHost(wished.clone()));
        }
        if let Some(zone) = demand.zone.as_ref().filter(|zone| **zone != host.zone) {
            return Some(Why::NotTheZone(zone.clone()));
        }
        if let Some(network) = demand.reaches.difference(&host.reaches).next() {
            return Some(Why::Unreached(network.clone()));
        }
        if let Some(why) = self.rules.iter().find_map(|rule| self.broken(rule, demand, host)) {
            return Some(why);
        }
        if demand.vcpus > host.vcpus_free {
            return Some(Why::Vcpus {
                needed: demand.vcpus,
                left: host.vcpus_free,
            });
        }
        if demand.memory_mib > host.memory_mib_free {
            return Some(Why::Memory {
                needed: demand.memory_mib,
                left: host.memory_mib_free,
            });
        }
        None
    }

    fn broken(&self, rule: &Rule, demand: &Demand, host: &Host) -> Option<Why> {
        if !rule.members.contains(&demand.name) {
            return None;
        }
        rule.members
            .iter()
            .filter(|member| **member != demand.name)
            .find_map(|member| {
                let other = &self.hosts[*self.places.get(member.as_str())?];
                let same = match rule.scope {
                    Scope::Host => other.id == host.id,
                    Scope::Zone => other.id.pop == host.id.pop && other.zone == host.zone,
                    Scope::Pop => other.id.pop == host.id.pop,
                };
                match (rule.relation, same) {
                    (Relation::Apart, true) => Some(Why::Apart(member.clone())),
                    (Relation::Together, false) => Some(Why::Elsewhere(member.clone())),
                    (Relation::Apart, false) | (Relation::Together, true) => None,
                }
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn host(name: &str, zone: &str, memory_mib: u64) -> Host {
        Host {
            id: HostId {
                pop: "site-1".into(),
                host: name.into(),
            },
            zone: zone.into(),
            vcpus_free: 8,
            memory_mib_free: memory_mib,
            reaches: BTreeSet::new(),
        }
    }
    fn demand(name: &str, memory_mib: u64) -> Demand {
        Demand {
            name: name.into(),
            vcpus: 1,
            memory_mib,
            ..Demand::default()
        }
    }
    fn rule(relation: Relation, scope: Scope, members: &[&str]) -> Rule {
        Rule {
            relation,
            scope,
            members: members.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    #[test]
    fn a_refusal_tells_each_host_and_its_reason() {
        let hosts = [host("host-a", "z1", 40), host("host-b", "z1", 500)];
        let residents = [Resident {
            name: "worker-1".into(),
            host: hosts[1].id.clone(),
        }];
        let rules = [rule(Relation::Apart, Scope::Host, &["worker-1", "worker-2"])];
        let refused = place(&hosts, &residents, &[demand("worker-2", 96)], &rules).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "no host can take worker-2: host-a: 96 MiB needed, 40 left; host-b: anti-affine with worker-1"
        );
    }

    #[test]
    fn an_earlier_choice_is_taken_back_when_a_later_demand_needs_it() {
        // The greedy choice for "a" is the roomier host-b, but then a and b, which belong together, do not both fit there.
        let hosts = [host("host-a", "z1", 200), host("host-b", "z1", 210)];
        let rules = [
            rule(Relation::Together, Scope::Host, &["a", "b"]),
            rule(Relation::Apart, Scope::Host, &["a", "c"]),
        ];
        let demands = [demand("a", 100), demand("b", 100), demand("c", 205)];
        let placed = place(&hosts, &[], &demands, &rules).unwrap();
        assert_eq!(placed["a"].host, "host-a");
        assert_eq!(placed["b"].host, "host-a");
        assert_eq!(placed["c"].host, "host-b");
    }

    #[test]
    fn pins_zones_and_provider_networks_bind() {
        let mut hosts = [host("host-a", "z1", 500), host("host-b", "z2", 500)];
        hosts[0].reaches.insert("field".into());
        let pinned = Demand {
            host: Some("host-b".into()),
            ..demand("a", 1)
        };
        assert_eq!(
            place(&hosts, &[], std::slice::from_ref(&pinned), &[]).unwrap()["a"].host,
            "host-b"
        );
        let torn = Demand {
            reaches: BTreeSet::from(["field".to_owned()]),
            ..pinned
        };
        let refused = place(&hosts, &[], &[torn], &[]).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "no host can take a: host-a: only host-b is allowed; host-b: does not reach provider network field"
        );
    }

    #[test]
    fn nothing_is_placed_where_there_is_no_host() {
        assert_eq!(
            place(&[], &[], &[demand("a", 1)], &[]).unwrap_err().to_string(),
            "no host can take a: there is no host"
        );
    }

    fn scope() -> impl Strategy<Value = Scope> {
        prop_oneof![Just(Scope::Host), Just(Scope::Zone), Just(Scope::Pop)]
    }
    fn relation() -> impl Strategy<Value = Relation> {
        prop_oneof![Just(Relation::Together), Just(Relation::Apart)]
    }

    proptest! {
        #[test]
        fn no_hard_constraint_is_ever_broken(
            sizes in prop::collection::vec((0u8..2, 0u8..2, 50u64..400, 1u32..6), 1..6),
            wishes in prop::collection::vec((10u64..150, 1u32..3, prop::option::of(0u8..2)), 1..7),
            rules in prop::collection::vec((relation(), scope(), prop::collection::btree_set(0usize..7, 2..4)), 0..4),
        ) {
            let hosts: Vec<Host> = sizes.iter().enumerate().map(|(at, (pop, zone, memory, vcpus))| Host {
                id: HostId { pop: format!("pop-{pop}"), host: format!("host-{at}") },
                zone: format!("z{zone}"), vcpus_free: *vcpus, memory_mib_free: *memory, reaches: BTreeSet::new(),
            }).collect();
            let demands: Vec<Demand> = wishes.iter().enumerate().map(|(at, (memory, vcpus, zone))| Demand {
                name: format!("m{at}"), vcpus: *vcpus, memory_mib: *memory, zone: zone.map(|zone| format!("z{zone}")), ..Demand::default()
            }).collect();
            let rules: Vec<Rule> = rules.into_iter().map(|(relation, scope, members)| Rule {
                relation, scope, members: members.into_iter().map(|at| format!("m{at}")).collect(),
            }).collect();
            let first = place(&hosts, &[], &demands, &rules);
            prop_assert_eq!(&first, &place(&hosts, &[], &demands, &rules));
            let Ok(placed) = first else { return Ok(()) };
            for host in &hosts {
                let here: Vec<&Demand> = demands.iter().filter(|demand| placed[&demand.name] == host.id).collect();
                prop_assert!(here.iter().map(|demand| demand.memory_mib).sum::<u64>() <= host.memory_mib_free);
                prop_assert!(here.iter().map(|demand| demand.vcpus).sum::<u32>() <= host.vcpus_free);
                prop_assert!(here.iter().all(|demand| demand.zone.as_ref().is_none_or(|zone| *zone == host.zone)));
            }
            let place_of = |name: &String, scope| placed.get(name).map(|id| {
                let host = hosts.iter().find(|host| host.id == *id).unwrap();
                match scope {
                    Scope::Host => format!("{}/{}", id.pop, id.host),
                    Scope::Zone => format!("{}/{}", id.pop, host.zone),
                    Scope::Pop => id.pop.clone(),
                }
            });
            for rule in &rules {
                let places: Vec<String> = rule.members.iter().filter_map(|name| place_of(name, rule.scope)).collect();
                let different: BTreeSet<&String> = places.iter().collect();
                match rule.relation {
                    Relation::Apart => prop_assert_eq!(different.len(), places.len()),
                    Relation::Together => prop_assert!(different.len() <= 1),
                }
            }
        }
    }
}
