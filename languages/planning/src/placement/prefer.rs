//! Preferences, one after the other: each is held if the hard constraints and the preferences before it leave a way to.

use super::search::{TRIES_MAX, search};
use super::{Demand, Host, HostId, NoPlace, Preference, Relation, Resident, Rule, Scope};
use std::collections::{BTreeMap, BTreeSet};

/// Placements tried for one preference; a preference is not worth more.
const TRIES_PER_PREFERENCE_MAX: u32 = 5_000;

/// A host for every demand, by the demands' names, as [`super::place`] finds one: if that finds a placement, so does this. A
/// preference that stands earlier counts for more. One that cannot be held whole still draws its members together.
pub fn place_near(
    hosts: &[Host],
    residents: &[Resident],
    demands: &[Demand],
    rules: &[Rule],
    preferences: &[Preference],
) -> Result<BTreeMap<String, HostId>, NoPlace> {
    let mut best = search(hosts, residents, demands, rules, preferences, TRIES_MAX)
        // What draws a demand changes the order of trying alone, but a bounded search depends on that, too.
        .or_else(|_| search(hosts, residents, demands, rules, &[], TRIES_MAX))?;
    let mut held = Held {
        demands: demands.to_vec(),
        rules: rules.to_vec(),
    };
    for preference in preferences {
        let anchor = match preference.pops.first() {
            Some(only) if preference.pops.len() == 1 => Some(only),
            _ => None,
        };
        // Near to what is there already, or else near to each other.
        let ways = anchor.map(Some).into_iter().chain([None]);
        for with in ways.filter_map(|anchor| held.with(preference, anchor)) {
            if !with.is_held_by(&best, preference) {
                match search(
                    hosts,
                    residents,
                    &with.demands,
                    &with.rules,
                    preferences,
                    TRIES_PER_PREFERENCE_MAX,
                ) {
                    Ok(better) => best = better,
                    Err(_) => continue,
                }
            }
            held = with;
            break;
        }
    }
    Ok(best)
}

/// The hard constraints, and the preferences that are held, as if they were hard ones.
struct Held {
    demands: Vec<Demand>,
    rules: Vec<Rule>,
}

impl Held {
    /// With a preference, and its members in the PoP `anchor`. `None`: that contradicts what is known without a search.
    fn with(&self, preference: &Preference, anchor: Option<&String>) -> Option<Held> {
        let members = &preference.members;
        let is_torn = |rule: &Rule| {
            // A member that is no demand binds nobody.
            let looks = |name: &&String| self.demands.iter().any(|demand| demand.name == **name);
            let both = rule.members.intersection(members).filter(looks).count() > 1;
            both && rule.relation == Relation::Apart && rule.scope == Scope::Pop
        };
        if self.rules.iter().any(is_torn) {
            return None;
        }
        let pins = self.demands.iter().filter(|demand| members.contains(&demand.name));
        let pins: BTreeSet<&String> = pins.filter_map(|demand| demand.pop.as_ref()).chain(anchor).collect();
        if pins.len() > 1 {
            return None;
        }
        let pin = pins.first().map(|pop| (*pop).clone());
        let mut demands = self.demands.clone();
        if pin.is_some() {
            for demand in demands.iter_mut().filter(|demand| members.contains(&demand.name)) {
                demand.pop.clone_from(&pin);
            }
        }
        let mut rules = self.rules.clone();
        rules.push(Rule {
            relation: Relation::Together,
            scope: Scope::Pop,
            members: members.clone(),
        });
        Some(Held { demands, rules })
    }

    /// Whether a placement that holds all the others holds this one as well.
    fn is_held_by(&self, placed: &BTreeMap<String, HostId>, preference: &Preference) -> bool {
        let members = || {
            self.demands
                .iter()
                .filter(|demand| preference.members.contains(&demand.name))
        };
        let pops: BTreeSet<&String> = members()
            .filter_map(|demand| placed.get(&demand.name))
            .map(|host| &host.pop)
            .collect();
        pops.len() <= 1
            && members().all(|demand| {
                demand
                    .pop
                    .as_ref()
                    .is_none_or(|pin| pops.first().is_none_or(|pop| *pop == pin))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::super::place;
    use super::*;
    use proptest::prelude::*;

    fn host(pop: &str, name: &str, memory_mib: u64) -> Host {
        Host {
            id: HostId {
                pop: pop.into(),
                host: name.into(),
            },
            zone: "z".into(),
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
    fn names(of: &[&str]) -> BTreeSet<String> {
        of.iter().map(|name| (*name).to_owned()).collect()
    }
    fn near(members: &[&str], pops: &[&str]) -> Preference {
        Preference {
            members: names(members),
            pops: names(pops),
        }
    }
    fn apart(members: &[&str]) -> Rule {
        Rule {
            relation: Relation::Apart,
            scope: Scope::Pop,
            members: names(members),
        }
    }
    fn pops(placed: &BTreeMap<String, HostId>) -> Vec<&str> {
        placed.values().map(|host| host.pop.as_str()).collect()
    }

    #[test]
    fn neighbours_share_a_pop_that_balance_alone_would_not_give_them() {
        let hosts = [host("p1", "a", 500), host("p2", "b", 450)];
        let demands = [demand("x", 100), demand("y", 100)];
        assert_eq!(pops(&place(&hosts, &[], &demands, &[]).unwrap()), ["p1", "p2"]);
        let placed = place_near(&hosts, &[], &demands, &[], &[near(&["x", "y"], &[])]).unwrap();
        assert_eq!(pops(&placed), ["p1", "p1"]);
        // The roomiest host is where they do not both fit.
        let hosts = [host("p1", "a", 500), host("p2", "b", 300), host("p2", "c", 300)];
        let demands = [demand("x", 280), demand("y", 280)];
        let placed = place_near(&hosts, &[], &demands, &[], &[near(&["x", "y"], &[])]).unwrap();
        assert_eq!(pops(&placed), ["p2", "p2"]);
    }

    #[test]
    fn members_go_to_where_the_other_ends_are() {
        let hosts = [host("p1", "a", 500), host("p2", "b", 300)];
        let demands = [demand("x", 100), demand("y", 100)];
        let placed = place_near(&hosts, &[], &demands, &[], &[near(&["x", "y"], &["p2"])]).unwrap();
        assert_eq!(pops(&placed), ["p2", "p2"]);
        // No room for both there: together is better than near to something else.
        let demands = [demand("x", 200), demand("y", 200)];
        let placed = place_near(&hosts, &[], &demands, &[], &[near(&["x", "y"], &["p2"])]).unwrap();
        assert_eq!(pops(&placed), ["p1", "p1"]);
    }

    #[test]
    fn who_must_be_apart_is_and_the_third_joins_one_of_them() {
        let hosts = [host("p1", "a", 500), host("p2", "b", 500), host("p3", "c", 2_000)];
        let demands = ["x", "y", "z"].map(|name| demand(name, 50));
        let mut demands = demands.to_vec();
        demands[0].pop = Some("p1".into());
        demands[1].pop = Some("p2".into());
        let wish = [near(&["x", "y", "z"], &[])];
        let placed = place_near(&hosts, &[], &demands, &[apart(&["x", "y"])], &wish).unwrap();
        assert_eq!(pops(&placed), ["p1", "p2", "p1"]);
    }

    #[test]
    fn who_looks_for_no_place_tears_nobody_apart() {
        let hosts = [host("p1", "a", 500), host("p2", "b", 450)];
        let demands = [demand("x", 100), demand("y", 100)];
        let wish = [near(&["x", "y", "gone"], &[])];
        let placed = place_near(&hosts, &[], &demands, &[apart(&["x", "gone"])], &wish).unwrap();
        assert_eq!(pops(&placed), ["p1", "p1"]);
    }

    #[test]
    fn an_earlier_preference_counts_for_more() {
        // x is wanted by both, and neither place has room for all three.
        let hosts = [host("p1", "a", 200), host("p2", "b", 200)];
        let demands = ["x", "y", "z"].map(|name| demand(name, 100));
        let (xy, xz) = (near(&["x", "y"], &[]), near(&["x", "z"], &[]));
        let placed = place_near(&hosts, &[], &demands, &[], &[xy.clone(), xz.clone()]).unwrap();
        assert_eq!(placed["x"].pop, placed["y"].pop);
        let placed = place_near(&hosts, &[], &demands, &[], &[xz, xy]).unwrap();
        assert_eq!(placed["x"].pop, placed["z"].pop);
    }

    fn rule() -> impl Strategy<Value = Rule> {
        let relation = prop_oneof![Just(Relation::Together), Just(Relation::Apart)];
        let scope = prop_oneof![Just(Scope::Host), Just(Scope::Pop)];
        (relation, scope, members()).prop_map(|(relation, scope, members)| Rule {
            relation,
            scope,
            members,
        })
    }
    fn members() -> impl Strategy<Value = BTreeSet<String>> {
        prop::collection::btree_set((0u8..6).prop_map(|at| format!("m{at}")), 2..4)
    }
    fn preference() -> impl Strategy<Value = Preference> {
        let pops = prop::collection::btree_set((0u8..3).prop_map(|at| format!("p{at}")), 0..3);
        (members(), pops).prop_map(|(members, pops)| Preference { members, pops })
    }
    fn is_kept(rule: &Rule, placed: &BTreeMap<String, HostId>) -> bool {
        let places: Vec<_> = rule.members.iter().filter_map(|name| placed.get(name)).collect();
        let different: BTreeSet<_> = places
            .iter()
            .map(|host| (&host.pop, (rule.scope == Scope::Host).then_some(&host.host)))
            .collect();
        match rule.relation {
            Relation::Apart => different.len() == places.len(),
            Relation::Together => different.len() <= 1,
        }
    }

    proptest! {
        #[test]
        fn preferences_break_no_hard_constraint_and_hide_no_placement(
            sizes in prop::collection::vec((0u8..3, 50u64..400), 1..6),
            wishes in prop::collection::vec((10u64..150, prop::option::of(0u8..3)), 1..6),
            rules in prop::collection::vec(rule(), 0..4),
            preferences in prop::collection::vec(preference(), 0..5),
        ) {
            let hosts: Vec<Host> = sizes.iter().enumerate().map(|(at, (pop, memory))| host(&format!("p{pop}"), &format!("h{at}"), *memory)).collect();
            let demands: Vec<Demand> = wishes.iter().enumerate().map(|(at, (memory, pop))| Demand {
                pop: pop.map(|pop| format!("p{pop}")), ..demand(&format!("m{at}"), *memory)
            }).collect();
            let plain = place(&hosts, &[], &demands, &rules);
            let found = place_near(&hosts, &[], &demands, &rules, &preferences);
            prop_assert_eq!(&found, &place_near(&hosts, &[], &demands, &rules, &preferences));
            prop_assert_eq!(plain.is_ok(), found.is_ok());
            let Ok(placed) = found else { return Ok(()) };
            for host in &hosts {
                let here = demands.iter().filter(|demand| placed[&demand.name] == host.id);
                prop_assert!(here.map(|demand| demand.memory_mib).sum::<u64>() <= host.memory_mib_free);
            }
            for demand in &demands {
                prop_assert!(demand.pop.as_ref().is_none_or(|pop| *pop == placed[&demand.name].pop));
            }
            for rule in &rules {
                prop_assert!(is_kept(rule, &placed), "{rule:?} {placed:?}");
            }
            // What is wished for first is had whenever it can be.
            if let Some(first) = preferences.first() {
                let as_rule = Rule { relation: Relation::Together, scope: Scope::Pop, members: first.members.clone() };
                let can = place(&hosts, &[], &demands, &[rules.clone(), vec![as_rule.clone()]].concat()).is_ok();
                prop_assert_eq!(can, is_kept(&as_rule, &placed), "{:?} {:?}", first, placed);
            }
        }
    }
}
