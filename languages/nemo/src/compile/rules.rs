//! Flows and operations: forwarding paths where SOL001 has words for what they do, traffic policies of ours for the rest.

use super::CompileError;
use super::identity::Names;
use super::schedule::schedule;
use crate::service::{Classifier, Composite, Effect, Rule, RuleTarget};
use manifold_descriptors::nsd::{Nfp, Nsd, Vnffg};
use manifold_descriptors::tosca_write::{Element, Fields, Path, Traffic, Yaml};

/// What the rules of a composite become.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    pub(crate) paths: Vec<Path>,
    pub(crate) traffic: Vec<Traffic>,
}

/// Names that parts of a composite have in its NSD.
pub(crate) struct Named<'a> {
    pub(crate) composite: &'a Composite,
    /// Of nets.
    pub(crate) links: &'a [String],
    /// What the NSD calls a node's connection point.
    pub(crate) point: &'a dyn Fn(usize, &str) -> Option<String>,
}

/// Adds the forwarding graph to the NSD and gives what stands in its text besides.
pub(crate) fn rules(
    named: &Named<'_>,
    nsd: &mut Nsd,
    names: &mut Names,
    notes: &mut Vec<String>,
) -> Result<Rules, CompileError> {
    let mut made = Rules::default();
    let mut policies = Names::default();
    let mut graph = Vnffg::default();
    for rule in &named.composite.rules {
        let windows = schedule(&rule.name, rule.condition.as_ref())?;
        for effect in &rule.effects {
            match effect {
                Effect::GoThrough(passed) => {
                    let path = path(named, rule, passed, windows.clone(), names, &mut policies);
                    let mut told = Nfp::default();
                    told.id.clone_from(&path.id);
                    told.positions = path.elements.iter().map(|element| element.id.clone()).collect();
                    graph.paths.push(told);
                    for element in &path.elements {
                        if !graph.profiles.contains(&element.profile) {
                            graph.profiles.push(element.profile.clone());
                        }
                    }
                    made.paths.push(path);
                }
                effect => made.traffic.push(Traffic {
                    id: policies.give(&[&rule.name]),
                    targets: targets(named, rule),
                    properties: traffic(rule, effect, windows.clone()),
                }),
            }
        }
    }
    if made.paths.is_empty() {
        return Ok(made);
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
                made.paths.clear();
                return Ok(made);
            }
        }
    }
    graph.id = names.give(&["forwarding", "forwarding_graph"]);
    nsd.vnffgs.push(graph);
    Ok(made)
}

fn path(
    named: &Named<'_>,
    rule: &Rule,
    passed: &[(usize, Option<String>, Option<String>)],
    windows: Option<Yaml>,
    names: &mut Names,
    policies: &mut Names,
) -> Path {
    let id = names.give(&[&format!("{}_path", rule.name)]);
    let elements = passed
        .iter()
        .enumerate()
        .map(|(at, (node, ingress, egress))| {
            let only = only_point(named.composite, *node);
            let call = |point: &Option<String>| (named.point)(*node, point.as_ref().or(only.as_ref())?);
            let ingress = call(ingress);
            Element {
                id: names.give(&[&format!("{id}_element_{}", at + 1)]),
                profile: named.composite.nodes[*node].name.clone(),
                egress: call(egress).filter(|egress| Some(egress) != ingress.as_ref()),
                ingress,
            }
        })
        .collect();
    let properties = classifier(&rule.classifier)
        .with("priority", rule.priority)
        .with_some("schedule", windows);
    let rule = manifold_descriptors::tosca_write::Rule {
        id: policies.give(&[&rule.name]),
        properties,
    };
    Path {
        id,
        elements,
        rules: vec![rule],
    }
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

fn traffic(rule: &Rule, effect: &Effect, windows: Option<Yaml>) -> Fields {
    let head = Fields::new().with("priority", rule.priority);
    let said = match effect {
        Effect::Bandwidth(rate) => head.with("action", "limit").with("max_bitrate", *rate),
        Effect::Precedence(class) => head.with("action", "precedence").with("precedence", u32::from(*class)),
        Effect::Allow => head.with("action", "allow"),
        Effect::Block | Effect::GoThrough(_) => head.with("action", "block"),
    };
    let matched = classifier(&rule.classifier);
    said.with_some("classifier", (!matched.is_empty()).then_some(matched))
        .with_some("schedule", windows)
}

fn classifier(of: &Classifier) -> Fields {
    let range =
        |(first, last): (u16, u16)| Yaml::List(vec![Yaml::from(u32::from(first)), Yaml::from(u32::from(last))]).flow();
    let ether_type = of.ether_type.map(|number| match number {
        0x0800 => "ipv4".to_owned(),
        0x86dd => "ipv6".to_owned(),
        other => format!("0x{other:04x}"),
    });
    Fields::new()
        .with_some("ether_source_address", of.source_mac.as_ref())
        .with_some("ether_destination_address", of.destination_mac.as_ref())
        .with_some("ether_type", ether_type)
        .with_some("protocol", of.protocol.as_ref())
        .with_some("source_ip_address_prefix", of.source.as_ref())
        .with_some("destination_ip_address_prefix", of.destination.as_ref())
        .with_some("source_port_range", of.source_ports.map(range))
        .with_some("destination_port_range", of.destination_ports.map(range))
}
