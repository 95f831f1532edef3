//! Random models: what is elaborated and expanded is what naive expansion of the text gives, and what writing it all out gives.

use crate::services::is_sound;
use crate::world::{FW, service};
use manifold_nemo::expand::{GraphNet, InstanceKind, Limits, expand};
use manifold_nemo::inline::inline;
use manifold_nemo::service::{ModelUse, Service};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// A composite: its nodes' models (0 is the leaf, n the n-th composite), and its connections: pairs of (node, point).
#[derive(Debug, Clone)]
struct Plan {
    nodes: Vec<usize>,
    connections: Vec<Vec<(usize, usize)>>,
}

/// Points of the leaf, and of every composite.
const LEAF_POINTS: [&str; 2] = ["a", "b"];
const POINTS: [&str; 2] = ["p", "q"];
/// What a connection's end means that is the composite's own connection point.
const OWN: usize = usize::MAX;

fn plans() -> impl Strategy<Value = Vec<Plan>> {
    let plan = |level: usize| {
        let nodes = proptest::collection::vec(0..=level, 1..4);
        nodes.prop_flat_map(|nodes| {
            let count = nodes.len();
            let end =
                (0..=count, 0usize..2).prop_map(move |(node, point)| (if node == count { OWN } else { node }, point));
            let connections = proptest::collection::vec(proptest::collection::vec(end, 2..4), 0..4);
            (Just(nodes), connections).prop_map(|(nodes, connections)| Plan { nodes, connections })
        })
    };
    (1usize..=6).prop_flat_map(move |depth| (0..depth).map(plan).collect::<Vec<_>>())
}

fn model(number: usize) -> String {
    match number {
        0 => "fw".to_owned(),
        number => format!("m{number}"),
    }
}

fn point_name(number: usize, point: usize) -> &'static str {
    if number == 0 { LEAF_POINTS[point] } else { POINTS[point] }
}

/// Each end once in a connection, in the order of the first.
fn ends(connection: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut seen = BTreeSet::new();
    connection.iter().copied().filter(|end| seen.insert(*end)).collect()
}

fn written(plans: &[Plan]) -> String {
    let mut text = FW.to_owned();
    for (at, plan) in plans.iter().enumerate() {
        text.push_str(&format!(
            "CREATE NodeModel m{};\n  ConnectionPoint p;\n  ConnectionPoint q;\n",
            at + 1
        ));
        for (number, node) in plan.nodes.iter().enumerate() {
            text.push_str(&format!("  Node n{number} Type {};\n", model(*node)));
        }
        for (number, connection) in plan.connections.iter().enumerate() {
            let ends: Vec<String> = ends(connection)
                .into_iter()
                .map(|(node, point)| match node {
                    OWN => POINTS[point].to_owned(),
                    node => format!("n{node}:{}", point_name(plan.nodes[node], point)),
                })
                .collect();
            if ends.len() > 1 {
                text.push_str(&format!(
                    "  Connection c{number} Type mesh Endnodes {};\n",
                    ends.join(", ")
                ));
            }
        }
    }
    text.push_str(&format!("\nCREATE Node top Type m{};\n", plans.len()));
    text
}

/// Sets of leaf interfaces (path of instance, point) that are one net; those of one interface left out.
type Nets = BTreeSet<BTreeSet<(String, String)>>;

/// Puts together whatever shares something, the slow and plain way.
fn merged(pairs: &[(String, String)], is_leaf: impl Fn(&str) -> bool) -> Nets {
    let mut class: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, (a, b)) in pairs.iter().enumerate() {
        class.entry(a).or_insert(2 * at);
        class.entry(b).or_insert(2 * at + 1);
    }
    loop {
        let mut has_changed = false;
        for (a, b) in pairs {
            let least = class[a.as_str()].min(class[b.as_str()]);
            for end in [a, b] {
                has_changed |= class.insert(end, least) != Some(least);
            }
        }
        if !has_changed {
            break;
        }
    }
    let mut nets: BTreeMap<usize, BTreeSet<(String, String)>> = BTreeMap::new();
    for (end, of) in &class {
        if is_leaf(end) {
            let (path, point) = end.rsplit_once(':').unwrap();
            nets.entry(*of).or_default().insert((path.to_owned(), point.to_owned()));
        }
    }
    nets.into_values().filter(|net| net.len() > 1).collect()
}

/// Straight from the plans: every instance's own ends as `path:point`, joined as its connections say.
fn naive(plans: &[Plan]) -> (BTreeSet<String>, Nets) {
    let mut leaves = BTreeSet::new();
    let mut pairs = Vec::new();
    let mut left = vec![("top".to_owned(), plans.len())];
    while let Some((path, number)) = left.pop() {
        if number == 0 {
            leaves.insert(path);
            continue;
        }
        let plan = &plans[number - 1];
        for connection in &plan.connections {
            let ends: Vec<String> = ends(connection)
                .into_iter()
                .map(|(node, point)| match node {
                    OWN => format!("{path}:{}", POINTS[point]),
                    node => format!("{path}/n{node}:{}", point_name(plan.nodes[node], point)),
                })
                .collect();
            pairs.extend(ends.windows(2).map(|pair| (pair[0].clone(), pair[1].clone())));
        }
        left.extend(
            plan.nodes
                .iter()
                .enumerate()
                .map(|(at, node)| (format!("{path}/n{at}"), *node)),
        );
    }
    let nets = merged(&pairs, |end| leaves.contains(end.rsplit_once(':').unwrap().0));
    (leaves, nets)
}

/// From the service, by walking every instance.
fn walked(service: &Service) -> (BTreeSet<String>, Nets) {
    let mut leaves = BTreeSet::new();
    let mut pairs = Vec::new();
    let mut left = vec![(String::new(), service.root)];
    while let Some((path, at)) = left.pop() {
        let composite = &service.composites[at];
        let inner = |name: &str| {
            if path.is_empty() {
                name.to_owned()
            } else {
                format!("{path}/{name}")
            }
        };
        for (number, net) in composite.nets.iter().enumerate() {
            let own = format!("{path}#net{number}:x");
            for end in &net.ends {
                pairs.push((
                    own.clone(),
                    format!("{}:{}", inner(&composite.nodes[end.node].name), end.point),
                ));
            }
            for point in &net.points {
                pairs.push((own.clone(), format!("{path}:{}", composite.points[*point].name)));
            }
        }
        for node in &composite.nodes {
            match node.of {
                ModelUse::Leaf(_) => drop(leaves.insert(inner(&node.name))),
                ModelUse::Composite(of) => left.push((inner(&node.name), of)),
            }
        }
    }
    let nets = merged(&pairs, |end| leaves.contains(end.rsplit_once(':').unwrap().0));
    (leaves, nets)
}

/// From the expander.
fn expanded(service: &Service) -> (BTreeSet<String>, Nets) {
    let graph = expand(service, &Limits::default()).unwrap();
    let path = |at: usize| graph.instances[at].name.replace('.', "/");
    let leaves = (0..graph.instances.len())
        .filter(|at| graph.instances[*at].kind == InstanceKind::Leaf)
        .map(path);
    let ends = |net: &GraphNet| {
        net.ends
            .iter()
            .map(|end| (path(end.instance), end.point.clone()))
            .collect::<BTreeSet<_>>()
    };
    (
        leaves.collect(),
        graph.nets.iter().map(ends).filter(|net| net.len() > 1).collect(),
    )
}

/// The same as one flat script: every leaf at the top, every net one connection.
fn by_hand(leaves: &BTreeSet<String>, nets: &Nets) -> String {
    let flat = |path: &str| path.replace('/', "_");
    let mut text = FW.to_owned();
    for leaf in leaves {
        text.push_str(&format!("CREATE Node {} Type fw;\n", flat(leaf)));
    }
    for (at, net) in nets.iter().enumerate() {
        let ends: Vec<String> = net
            .iter()
            .map(|(path, point)| format!("{}:{point}", flat(path)))
            .collect();
        text.push_str(&format!(
            "CREATE Connection net{at} Type mesh Endnodes {};\n",
            ends.join(", ")
        ));
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_nested_service_is_its_naive_expansion_and_what_a_person_would_write_out(plans in plans()) {
        let (leaves, nets) = naive(&plans);
        prop_assume!(leaves.len() <= 500);
        let nested = service(&written(&plans));
        is_sound(&nested);
        prop_assert_eq!(&walked(&nested), &(leaves.clone(), nets.clone()));
        prop_assert_eq!(&expanded(&nested), &(leaves.clone(), nets.clone()));
        let opened = inline(&nested, &Limits::default()).unwrap();
        is_sound(&opened);
        prop_assert_eq!(&expanded(&opened), &(leaves.clone(), nets.clone()));
        prop_assume!(!leaves.is_empty());
        let (flat_leaves, flat_nets) = walked(&service(&by_hand(&leaves, &nets)));
        let flat = |path: &str| path.replace('/', "_");
        prop_assert_eq!(flat_leaves, leaves.iter().map(|path| flat(path)).collect::<BTreeSet<_>>());
        let nets: Nets = nets.iter().map(|net| net.iter().map(|(path, point)| (flat(path), point.clone())).collect()).collect();
        prop_assert_eq!(flat_nets, nets);
    }
}
