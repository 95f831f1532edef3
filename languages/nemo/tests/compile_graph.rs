//! Expansion and pictures: names, nets over all levels, folding, limits, and what the pictures show.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod services;

use manifold_nemo::expand::{ExpandError, Graph, InstanceKind, Limits, expand};
use manifold_nemo::graph::{dot, json, mermaid, svg};
use manifold_nemo::service::{ModelUse, Service};
use services::{Models, complex, golden};
use std::collections::{BTreeMap, BTreeSet};

fn top() -> Service {
    complex()
        .vnf("host", &["eth0", "mgmt"])
        .composite(
            "site",
            &["up", "mgmt"],
            &[
                ("complex", "complex_vnf"),
                ("second", "complex_vnf"),
                ("server", "host"),
                ("backup", "host"),
            ],
            &[
                ("uplink", &["up", "complex:input"]),
                ("middle", &["complex:output", "second:input"]),
                ("service", &["second:output", "server:eth0", "backup:eth0"]),
                ("mgmt", &["mgmt", "server:mgmt", "backup:mgmt"]),
            ],
        )
        .service()
}

fn open(service: &Service) -> Graph {
    expand(service, &Limits::default()).unwrap()
}

fn net<'a>(graph: &'a Graph, name: &str) -> (Vec<String>, &'a [String]) {
    let net = graph
        .nets
        .iter()
        .find(|net| net.name == name)
        .unwrap_or_else(|| panic!("no net {name}"));
    let end = |end: &manifold_nemo::expand::GraphEnd| format!("{}:{}", graph.instances[end.instance].name, end.point);
    (net.ends.iter().map(end).collect(), &net.points)
}

#[test]
fn instances_have_readable_names_and_nets_cross_levels() {
    let graph = open(&top());
    let names: Vec<&str> = graph.instances.iter().map(|instance| instance.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "",
            "complex",
            "complex.input_vnf",
            "complex.output_vnf",
            "second",
            "second.input_vnf",
            "second.output_vnf",
            "server",
            "backup"
        ]
    );
    let mut nets: Vec<&str> = graph.nets.iter().map(|net| net.name.as_str()).collect();
    nets.sort_unstable();
    assert_eq!(
        nets,
        ["complex.intn", "mgmt", "middle", "second.intn", "service", "uplink"]
    );
    assert_eq!(
        net(&graph, "uplink"),
        (vec!["complex.input_vnf:data_inside".to_owned()], &["up".to_owned()][..])
    );
    assert_eq!(
        net(&graph, "middle").0,
        ["complex.output_vnf:wan", "second.input_vnf:data_inside"]
    );
    // More than two ends: all of them.
    assert_eq!(
        net(&graph, "service").0,
        ["second.output_vnf:wan", "server:eth0", "backup:eth0"]
    );
    assert_eq!(
        net(&graph, "second.intn").0,
        ["second.input_vnf:data_outside", "second.output_vnf:lan"]
    );
}

#[test]
fn what_is_folded_stands_as_a_box() {
    let limits = Limits {
        fold_depth: Some(1),
        ..Limits::default()
    };
    let graph = expand(&top(), &limits).unwrap();
    assert_eq!(graph.instances.len(), 5);
    assert_eq!(graph.instances[1].kind, InstanceKind::Folded);
    assert_eq!(net(&graph, "middle").0, ["complex:output", "second:input"]);
}

#[test]
fn limits_hold() {
    let mut models = Models::default().vnf("vnf", &["a"]).composite(
        "m0",
        &["p"],
        &[("x", "vnf"), ("y", "vnf")],
        &[("n", &["p", "x:a", "y:a"])],
    );
    for level in 1..40 {
        let (name, inner) = (format!("m{level}"), format!("m{}", level - 1));
        models = models.composite(
            &name,
            &["p"],
            &[("x", &inner), ("y", &inner)],
            &[("n", &["p", "x:p", "y:p"])],
        );
    }
    // A few lines stand for a million million machines.
    let service = models.service();
    assert_eq!(
        expand(&service, &Limits::default()),
        Err(ExpandError::TooLarge { instances_max: 100_000 })
    );
    let shallow = Limits {
        depth_max: 5,
        ..Limits::default()
    };
    assert!(matches!(expand(&service, &shallow), Err(ExpandError::TooDeep { .. })));
    let mut odd = top();
    odd.composites[1].nodes[0].of = ModelUse::Composite(9);
    assert!(matches!(
        expand(&odd, &Limits::default()),
        Err(ExpandError::Malformed(_))
    ));
    let mut odd = top();
    odd.composites[1].nets[0].ends[0].point = "nowhere".to_owned();
    assert!(matches!(
        expand(&odd, &Limits::default()),
        Err(ExpandError::Malformed(_))
    ));
}

/// A random source that is the same every time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most.max(1)
    }
}

fn by_chance(chance: &mut Chance) -> Service {
    let mut models = Models::default().vnf("two", &["a", "b"]).vnf("three", &["a", "b", "c"]);
    let mut known: Vec<(String, Vec<String>)> = vec![
        ("two".to_owned(), vec!["a".to_owned(), "b".to_owned()]),
        ("three".to_owned(), vec!["a".to_owned(), "b".to_owned(), "c".to_owned()]),
    ];
    for level in 0..1 + chance.below(6) {
        let nodes: Vec<(String, usize)> = (0..1 + chance.below(4))
            .map(|at| (format!("n{at}"), chance.below(known.len())))
            .collect();
        let points: Vec<String> = (0..chance.below(4)).map(|at| format!("p{at}")).collect();
        let mut ends: Vec<Vec<String>> = vec![Vec::new(); 1 + chance.below(5)];
        let slots = ends.len() + 1;
        for (node, model) in &nodes {
            for point in &known[*model].1 {
                // Each is on one net at most.
                if let Some(net) = ends.get_mut(chance.below(slots)) {
                    net.push(format!("{node}:{point}"));
                }
            }
        }
        for point in &points {
            let at = chance.below(ends.len());
            ends[at].push(point.clone());
        }
        let lists: Vec<(String, Vec<&str>)> = ends
            .iter()
            .enumerate()
            .filter(|(_, ends)| !ends.is_empty())
            .map(|(at, ends)| (format!("c{at}"), ends.iter().map(String::as_str).collect()))
            .collect();
        let connections: Vec<(&str, &[&str])> = lists
            .iter()
            .map(|(name, ends)| (name.as_str(), ends.as_slice()))
            .collect();
        let used: Vec<(&str, &str)> = nodes
            .iter()
            .map(|(node, model)| (node.as_str(), known[*model].0.as_str()))
            .collect();
        let name = format!("m{level}");
        let outside: Vec<&str> = points.iter().map(String::as_str).collect();
        models = models.composite(&name, &outside, &used, &connections);
        known.push((name, points.clone()));
    }
    models.service()
}

/// Slowly and without cleverness: every interface is followed outwards until nothing changes.
fn naive(service: &Service) -> BTreeSet<BTreeSet<String>> {
    type Places = Vec<BTreeSet<String>>;
    fn inside(service: &Service, at: usize, prefix: &str, all: &mut Places) -> BTreeMap<String, usize> {
        let of = &service.composites[at];
        let mut children = Vec::new();
        for node in &of.nodes {
            let name = format!("{prefix}{}", node.name);
            children.push(match node.of {
                ModelUse::Leaf(leaf) => service.leaves[leaf]
                    .points
                    .keys()
                    .map(|point| {
                        all.push(BTreeSet::from([format!("{name}:{point}")]));
                        (point.clone(), all.len() - 1)
                    })
                    .collect(),
                ModelUse::Composite(inner) => inside(service, inner, &format!("{name}."), all),
            });
        }
        let mut points = BTreeMap::new();
        for point in &of.points {
            all.push(BTreeSet::from([format!("{prefix}({})", point.name)]));
            points.insert(point.name.clone(), all.len() - 1);
        }
        for net in &of.nets {
            let mut on_it: Vec<usize> = net.ends.iter().map(|end| children[end.node][&end.point]).collect();
            on_it.extend(net.points.iter().map(|point| points[&of.points[*point].name]));
            let whole: BTreeSet<String> = on_it.iter().flat_map(|at| all[*at].clone()).collect();
            // Everything that has anything in common is one.
            for place in all.iter_mut() {
                if !place.is_disjoint(&whole) {
                    place.extend(whole.iter().cloned());
                }
            }
        }
        points
    }
    let mut all = Vec::new();
    inside(service, service.root, "", &mut all);
    loop {
        let before = all.clone();
        for at in 0..all.len() {
            for other in 0..all.len() {
                if !all[at].is_disjoint(&all[other]) {
                    let more = all[other].clone();
                    all[at].extend(more);
                }
            }
        }
        if before == all {
            break;
        }
    }
    let is_seen = |name: &String| !name.contains(".(");
    all.into_iter()
        .map(|place| {
            place
                .into_iter()
                .filter(|name| is_seen(name))
                .collect::<BTreeSet<String>>()
        })
        .filter(|place| !place.is_empty())
        .collect()
}

#[test]
fn random_services_expand_as_a_naive_expansion_does() {
    let mut chance = Chance(7);
    let mut crossing = 0;
    for _ in 0..150 {
        let service = by_chance(&mut chance);
        let Ok(graph) = expand(
            &service,
            &Limits {
                instances_max: 150,
                ..Limits::default()
            },
        ) else {
            continue;
        };
        let mut places: BTreeSet<BTreeSet<String>> = BTreeSet::new();
        let mut connected: BTreeSet<String> = BTreeSet::new();
        for net in &graph.nets {
            let ends = net
                .ends
                .iter()
                .map(|end| format!("{}:{}", graph.instances[end.instance].name, end.point));
            let place: BTreeSet<String> = ends
                .chain(net.points.iter().map(|point| format!("({point})")))
                .collect();
            connected.extend(place.iter().cloned());
            crossing += usize::from(net.parts.len() > 2);
            if !place.is_empty() {
                places.insert(place);
            }
        }
        for instance in graph
            .instances
            .iter()
            .filter(|instance| instance.kind == InstanceKind::Leaf)
        {
            for point in &instance.points {
                let name = format!("{}:{}", instance.name, point.name);
                assert_eq!(point.net.is_some(), connected.contains(&name), "{name}");
                if point.net.is_none() {
                    places.insert(BTreeSet::from([name]));
                }
            }
        }
        for point in &graph.instances[0].points {
            if point.net.is_none() {
                places.insert(BTreeSet::from([format!("({})", point.name)]));
            }
        }
        assert_eq!(places, naive(&service));
        svg(&graph);
    }
    assert!(crossing > 50, "{crossing}");
}

#[test]
fn every_form_shows_all() {
    let graph = open(&top());
    golden("site.dot", &dot(&graph));
    golden("site.mmd", &mermaid(&graph));
    golden("site.json", &json(&graph));
    golden("site.svg", &svg(&graph));
    let folded = Limits {
        fold_depth: Some(1),
        ..Limits::default()
    };
    golden("site-folded.svg", &svg(&expand(&top(), &folded).unwrap()));
    golden("complex.svg", &svg(&open(&complex().service())));
    let picture = svg(&graph);
    for name in [
        "input_vnf",
        "sample_vnf",
        "data_inside",
        "uplink",
        "intn",
        "mgmt",
        "complex_vnf",
    ] {
        assert!(picture.contains(&format!(">{name}<")), "{name}");
    }
}

/// Boxes of one frame do not lie on each other, and every line is within the picture.
#[test]
fn pictures_of_random_services_have_room() {
    let mut chance = Chance(11);
    for _ in 0..100 {
        let service = by_chance(&mut chance);
        let Ok(graph) = expand(
            &service,
            &Limits {
                instances_max: 200,
                ..Limits::default()
            },
        ) else {
            continue;
        };
        let picture = svg(&graph);
        let number = |line: &str, key: &str| -> f64 {
            let from = line.find(&format!(" {key}=\"")).unwrap() + key.len() + 3;
            line[from..].split('"').next().unwrap().parse().unwrap()
        };
        let boxes: Vec<[f64; 4]> = picture
            .lines()
            .filter(|line| line.starts_with("<rect class=\"leaf\"") || line.starts_with("<rect class=\"frame\""))
            .map(|line| ["x", "y", "width", "height"].map(|key| number(line, key)))
            .collect();
        for (at, one) in boxes.iter().enumerate() {
            for other in &boxes[..at] {
                let apart = |axis: usize| {
                    one[axis] + one[axis + 2] <= other[axis] + 0.2 || other[axis] + other[axis + 2] <= one[axis] + 0.2
                };
                let within = |inner: &[f64; 4], outer: &[f64; 4]| {
                    (0..2).all(|axis| {
                        inner[axis] >= outer[axis] && inner[axis] + inner[axis + 2] <= outer[axis] + outer[axis + 2]
                    })
                };
                assert!(
                    apart(0) || apart(1) || within(one, other) || within(other, one),
                    "{one:?} {other:?}\n{picture}"
                );
            }
        }
    }
}
