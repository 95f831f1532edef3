//! Flows and operations: forwarding paths where SOL001 has words for what they do, traffic policies of ours for the rest.

use super::CompileError;
use super::identity::Names;
use super::schedule::{When, when};
use crate::service::{Classifier, Composite, Effect, Rule, RuleTarget};
use manifold_descriptors::nsd::{
    CpConnectivity, Nfp, NfpClassifier, NfpElement, NfpRule, Nsd, PortRange, TrafficAction, TrafficRule, Vnffg, Window,
    traffic,
};

/// The slowest limit that traffic can have.
const LEAST_LIMIT: u64 = 8_000;

/// Names that parts of a composite have in its NSD.
pub(crate) struct Named<'a> {
    pub(crate) composite: &'a Composite,
    /// Of nets.
    pub(crate) links: &'a [String],
    /// What the NSD calls a node's connection point.
    pub(crate) point: &'a dyn Fn(usize, &str) -> Option<String>,
}

/// Adds the forwarding graph and the traffic rules to the NSD, which has its profiles already.
pub(crate) fn rules(
    named: &Named<'_>,
    nsd: &mut Nsd,
    names: &mut Names,
    notes: &mut Vec<String>,
) -> Result<(), CompileError> {
    let mut policies = Names::default();
    let mut graph = Vnffg::default();
    for rule in &named.composite.rules {
        let schedule = match when(&rule.name, rule.condition.as_ref())? {
            When::Always => Vec::new(),
            When::In(windows) => windows,
            When::Never => {
                notes.push(format!(
                    "the condition of `{}` holds at no time: it is left out",
                    rule.name
                ));
                continue;
            }
        };
        for effect in &rule.effects {
            let action = match effect {
                Effect::GoThrough(passed) => {
                    let path = path(named, nsd, rule, passed, &schedule, names, &mut policies)?;
                    for element in &path.elements {
                        if !graph.profiles.contains(&element.profile) {
                            graph.profiles.push(element.profile.clone());
                        }
                    }
                    graph.paths.push(path);
                    continue;
                }
                Effect::Block => TrafficAction::Block,
                Effect::Allow => TrafficAction::Allow,
                Effect::Precedence(level) => TrafficAction::Precedence((*level).min(7)),
                Effect::Bandwidth(rate) => {
                    if *rate < LEAST_LIMIT {
                        notes.push(format!(
                            "`{}` limits to {rate} bits per second, and {LEAST_LIMIT} is the least that can be: it is that",
                            rule.name
                        ));
                    }
                    TrafficAction::Limit {
                        bits_per_second: LEAST_LIMIT.max(*rate),
                    }
                }
            };
            nsd.traffic_rules.push(TrafficRule {
                id: policies.give(&[&rule.name]),
                targets: targets(named, rule),
                classifier: classifier(rule)?,
                priority: priority(rule),
                action,
                schedule: schedule.clone(),
            });
        }
    }
    if graph.paths.is_empty() {
        return Ok(());
    }
    for (net, link) in named.composite.nets.iter().zip(named.links) {
        let is_passed = |node: usize| graph.profiles.contains(&named.composite.nodes[node].name);
        if net.ends.iter().any(|end| is_passed(end.node)) {
            graph.virtual_links.push(link.clone());
        }
    }
    // A forwarding graph has at least one VNF among its constituents.
    if !graph.profiles.iter().any(|profile| nsd.vnf_profile(profile).is_some()) {
        match nsd.vnf_profiles.first() {
            Some(first) => graph.profiles.push(first.id.clone()),
            None => {
                let name = &named.composite.name;
                notes.push(format!(
                    "`{name}` has no VNF of its own, so no forwarding graph can stand in it: paths through its nodes have no effect"
                ));
                return Ok(());
            }
        }
    }
    graph.id = names.give(&["forwarding", "forwarding_graph"]);
    nsd.vnffgs.push(graph);
    Ok(())
}

/// A path through nodes, with each by which connection points, and its one rule.
fn path(
    named: &Named<'_>,
    nsd: &Nsd,
    rule: &Rule,
    passed: &[(usize, Option<String>, Option<String>)],
    schedule: &[Window],
    names: &mut Names,
    policies: &mut Names,
) -> Result<Nfp, CompileError> {
    let id = names.give(&[&format!("{}_path", rule.name)]);
    let elements: Vec<NfpElement> = passed
        .iter()
        .enumerate()
        .map(|(at, (node, ingress, egress))| {
            let profile = &named.composite.nodes[*node].name;
            let only = only_point(named.composite, *node);
            let is_connected = |cpd: &String| connectivity(nsd, profile).iter().any(|known| known.cpd == *cpd);
            let call = |point: &Option<String>| {
                let point = point.as_ref().or(only.as_ref())?;
                (named.point)(*node, point).filter(is_connected)
            };
            let ingress = call(ingress);
            NfpElement {
                id: names.give(&[&format!("{id}_element_{}", at + 1)]),
                profile: profile.clone(),
                egress: call(egress).filter(|egress| Some(egress) != ingress.as_ref()),
                ingress,
                place: None,
            }
        })
        .collect();
    Ok(Nfp {
        id,
        positions: elements.iter().map(|element| element.id.clone()).collect(),
        elements,
        rules: vec![NfpRule {
            id: policies.give(&[&rule.name]),
            classifier: classifier(rule)?,
            priority: priority(rule),
            schedule: schedule.to_vec(),
        }],
    })
}

fn connectivity<'a>(nsd: &'a Nsd, profile: &str) -> &'a [CpConnectivity] {
    let vnfs = nsd.vnf_profiles.iter().map(|one| (&one.id, &one.connectivity));
    let nested = nsd.nested_ns_profiles.iter().map(|one| (&one.id, &one.connectivity));
    let mut all = vnfs.chain(nested);
    all.find(|(id, _)| *id == profile)
        .map_or(&[], |(_, connectivity)| connectivity)
}

/// What is above all numbers that a descriptor has counts as the highest.
fn priority(rule: &Rule) -> u32 {
    u32::try_from(rule.priority).unwrap_or(u32::MAX)
}

/// The connection point of a node that is connected at one only.
fn only_point(composite: &Composite, node: usize) -> Option<String> {
    let mut points = composite
        .nets
        .iter()
        .flat_map(|net| &net.ends)
        .filter(|end| end.node == node);
    let first = points.next()?;
    points.next().is_none().then(|| first.point.clone())
}

/// What a rule holds at: its target, or, for a flow, every link.
fn targets(named: &Named<'_>, rule: &Rule) -> Vec<String> {
    match rule.target {
        Some(RuleTarget::Node(node)) => vec![named.composite.nodes[node].name.clone()],
        Some(RuleTarget::Net(net)) => vec![named.links[net].clone()],
        None => named.links.to_vec(),
    }
}

fn classifier(rule: &Rule) -> Result<NfpClassifier, CompileError> {
    const PREFIX: &str = "write an address or a prefix: `10.0.0.0/24`";
    let of: &Classifier = &rule.classifier;
    let range = |(lower, upper): (u16, u16)| PortRange { lower, upper };
    Ok(NfpClassifier {
        source_ip_address_prefix: read(rule, "srcip", of.source.as_deref(), PREFIX, traffic::prefix)?,
        destination_ip_address_prefix: read(rule, "dstip", of.destination.as_deref(), PREFIX, traffic::prefix)?,
        protocol: read(
            rule,
            "proto",
            of.protocol.as_deref(),
            "write a protocol over IP: `tcp`",
            traffic::protocol,
        )?,
        source_port_range: of.source_ports.map(range),
        destination_port_range: of.destination_ports.map(range),
        ether_source_address: of.source_mac.clone(),
        ether_destination_address: of.destination_mac.clone(),
        ether_type: of.ether_type,
        ..NfpClassifier::default()
    })
}

fn read<T>(
    rule: &Rule,
    key: &str,
    text: Option<&str>,
    wanted: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, CompileError> {
    let Some(text) = text else { return Ok(None) };
    let value = read(text).ok_or_else(|| CompileError::Property {
        of: rule.flow.clone().unwrap_or_else(|| rule.name.clone()),
        key: key.to_owned(),
        value: text.to_owned(),
        wanted: wanted.to_owned(),
    });
    value.map(Some)
}
