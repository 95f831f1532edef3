//! What happens to packets: forwarding graphs, the paths in them with their rules, traffic rules.

use std::collections::BTreeSet;

use super::links::policy;
use super::text::{Fields, Yaml};
use super::{free_name, requirements};
use crate::nsd::traffic::{DAY, ETHER_TYPES, PROTOCOLS, months};
use crate::nsd::{Nfp, NfpClassifier, NfpElement, NfpRule, Nsd, PortRange, TrafficAction, TrafficRule, Window};

/// Each path once, however many graphs it is in.
fn paths(nsd: &Nsd) -> Vec<&Nfp> {
    let mut seen = BTreeSet::new();
    let all = nsd.vnffgs.iter().flat_map(|graph| &graph.paths);
    all.filter(|path| seen.insert(&path.id)).collect()
}

/// The nodes of paths, of their positions and of what stands there.
pub(super) fn nodes(nsd: &Nsd, taken: &BTreeSet<String>, all: &mut Fields) {
    let mut written: BTreeSet<String> = BTreeSet::new();
    for path in paths(nsd) {
        let names: Vec<String> = (1..=path.positions.len())
            .map(|number| {
                let name = free_name(&format!("{}_position_{number}", path.id), |name| {
                    taken.contains(name) || written.contains(name)
                });
                written.insert(name.clone());
                name
            })
            .collect();
        let positions = names.iter().map(|name| ("profile_element", Yaml::from(name)));
        let node = Fields::new().with("type", "tosca.nodes.nfv.NFP");
        all.put(&path.id, node.with("requirements", requirements(positions)));
        for (name, element) in names.iter().zip(&path.positions) {
            let node = Fields::new().with("type", "tosca.nodes.nfv.NfpPosition");
            let element = requirements([("element", element.into())]);
            all.put(name, node.with("requirements", element));
        }
        for id in &path.positions {
            if written.insert(id.clone()) {
                let said = path.elements.iter().find(|element| element.id == *id);
                let node = Fields::new().with("type", "tosca.nodes.nfv.NfpPositionElement");
                all.put(id, node.with_some("requirements", said.map(ends)));
            }
        }
    }
}

fn ends(element: &NfpElement) -> Yaml {
    let end = |cp: &Option<String>| match cp {
        Some(cp) => {
            let end = Fields::new().with("node", &element.profile).with("capability", cp);
            ("profile_element", end.flow())
        }
        None => ("profile_element", Yaml::from(&element.profile)),
    };
    let second = element.egress.is_some().then(|| end(&element.egress));
    requirements([end(&element.ingress)].into_iter().chain(second))
}

/// The graphs, with the rules of their paths.
pub(super) fn graphs(nsd: &Nsd, groups: &mut Fields, policies: &mut Vec<Yaml>) {
    for graph in &nsd.vnffgs {
        let paths = graph.paths.iter().map(|path| &path.id);
        let members = graph.profiles.iter().chain(&graph.virtual_links).chain(paths);
        let body = Fields::new()
            .with("type", "tosca.groups.nfv.VNFFG")
            .with("members", Yaml::words(members));
        groups.put(&graph.id, body);
    }
    // A rule of several paths is one policy. It stands where each of them has it: behind those before it, ahead of those after it.
    let mut left: Vec<(&str, &[NfpRule])> = paths(nsd)
        .iter()
        .map(|path| (path.id.as_str(), &path.rules[..]))
        .collect();
    loop {
        let firsts: Vec<&NfpRule> = left.iter().filter_map(|(_, rules)| rules.first()).collect();
        let is_late = |rule: &NfpRule| {
            left.iter()
                .any(|(_, rules)| rules.iter().skip(1).any(|late| late == rule))
        };
        let Some(rule) = firsts.iter().find(|rule| !is_late(rule)).or(firsts.first()).copied() else {
            return;
        };
        let mut targets = Vec::new();
        for (path, rules) in &mut left {
            if rules.first() == Some(rule) {
                targets.push(*path);
                *rules = &rules[1..];
            }
        }
        let properties = classifier(&rule.classifier)
            .with_some("priority", (rule.priority > 0).then_some(rule.priority))
            .with_some("schedule", schedule(&rule.schedule));
        policies.push(policy(&rule.id, "tosca.policies.nfv.NfpRule", targets, properties));
    }
}

/// `manifold.policies.Traffic`.
pub(super) fn traffic(rule: &TrafficRule) -> Yaml {
    let head = Fields::new().with("priority", rule.priority);
    let said = match rule.action {
        TrafficAction::Block => head.with("action", "block"),
        TrafficAction::Allow => head.with("action", "allow"),
        TrafficAction::Limit { bits_per_second } => head.with("action", "limit").with("max_bitrate", bits_per_second),
        TrafficAction::Precedence(level) => head.with("action", "precedence").with("precedence", u32::from(level)),
    };
    let matched = classifier(&rule.classifier);
    let properties = said
        .with_some("classifier", (!matched.is_empty()).then_some(matched))
        .with_some("schedule", schedule(&rule.schedule));
    policy(&rule.id, "manifold.policies.Traffic", &rule.targets, properties)
}

/// Names of policies that are rules.
pub(super) fn names(nsd: &Nsd) -> BTreeSet<&str> {
    let of_paths = paths(nsd).into_iter().flat_map(|path| &path.rules);
    let of_paths = of_paths.map(|rule| rule.id.as_str());
    of_paths
        .chain(nsd.traffic_rules.iter().map(|rule| rule.id.as_str()))
        .collect()
}

fn classifier(of: &NfpClassifier) -> Fields {
    let ports =
        |range: PortRange| Yaml::List(vec![u32::from(range.lower).into(), u32::from(range.upper).into()]).flow();
    let vlans = || Yaml::List(of.vlan_tag.iter().map(|vlan| u32::from(*vlan).into()).collect()).flow();
    let ether_type = of.ether_type.map(|number| {
        let known = ETHER_TYPES.iter().find(|(_, known)| *known == number);
        known.map_or_else(|| format!("0x{number:04x}"), |(name, _)| (*name).to_owned())
    });
    let protocol = of.protocol.map(|number| {
        let known = PROTOCOLS.iter().find(|(_, known)| *known == number);
        known.map_or_else(|| Yaml::from(u32::from(number)), |(name, _)| Yaml::from(*name))
    });
    let address = |prefix: &ipnet::IpNet| prefix.to_string();
    Fields::new()
        .with_some("ether_source_address", of.ether_source_address.as_ref())
        .with_some("ether_destination_address", of.ether_destination_address.as_ref())
        .with_some("ether_type", ether_type)
        .with_some("vlan_tag", (!of.vlan_tag.is_empty()).then(vlans))
        .with_some("protocol", protocol)
        .with_some("dscp", of.dscp.map(u32::from))
        .with_some(
            "source_ip_address_prefix",
            of.source_ip_address_prefix.as_ref().map(address),
        )
        .with_some(
            "destination_ip_address_prefix",
            of.destination_ip_address_prefix.as_ref().map(address),
        )
        .with_some("source_port_range", of.source_port_range.map(ports))
        .with_some("destination_port_range", of.destination_port_range.map(ports))
}

fn schedule(windows: &[Window]) -> Option<Yaml> {
    let item = |window: &Window| {
        Fields::new()
            .with_some("from", window.from.map(moment))
            .with_some("until", window.until.map(moment))
            .with("daily_from", clock(window.daily_from))
            .with("daily_until", clock(window.daily_until))
            .flow()
    };
    (!windows.is_empty()).then(|| Yaml::List(windows.iter().map(item).collect()))
}

/// `2026-01-31T12:00:00`.
fn moment(seconds: u64) -> String {
    // The calendar comes again after 400 years.
    const CYCLE: u64 = 146_097;
    let days = seconds / u64::from(DAY);
    let (mut year, mut day) = (1970 + days / CYCLE * 400, days % CYCLE);
    loop {
        let months = months(year);
        let whole: u64 = months.iter().sum();
        if day >= whole {
            day -= whole;
            year += 1;
            continue;
        }
        let mut month = 1;
        for length in months {
            if day < length {
                break;
            }
            day -= length;
            month += 1;
        }
        let second = u32::try_from(seconds % u64::from(DAY)).expect("a day has few seconds");
        return format!("{year:04}-{month:02}-{:02}T{}", day + 1, clock(second));
    }
}

/// `08:00:00`, up to `24:00:00`.
fn clock(seconds: u32) -> String {
    format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nsd::traffic::moment as read;

    #[test]
    fn moments_that_are_written_are_read_again() {
        // The last second of some days, and the first of the next: every 13th day up to the end of the year 2200.
        for day in (0..84_358).step_by(13) {
            for second in [day * u64::from(DAY), (day + 1) * u64::from(DAY) - 1] {
                assert_eq!(read(&moment(second)), Some(second), "{}", moment(second));
            }
        }
        assert_eq!(moment(951_825_601), "2000-02-29T12:00:01");
        assert_eq!(moment(7_289_654_399), "2200-12-31T23:59:59");
        assert_eq!(moment(253_402_300_799), "9999-12-31T23:59:59");
    }
}
