//! A service with its composites opened: one composite, whose nodes are all leaves. What is one network service at run time is
//! written as one, so that a change inside of it is a change of that service and of nothing else.
//!
//! ```text
//! root ── complex ─┬─ input_vnf       ──>      root ─┬─ complex.input_vnf
//!                  └─ output_vnf                     └─ complex.output_vnf
//! ```

use crate::expand::{ExpandError, Graph, InstanceKind, Limits, expand, joined};
use crate::service::{Composite, Effect, End, LeafUse, ModelUse, Net, NodeUse, Rule, RuleTarget, Service};
use manifold_nemo_syntax::script::Value;
use std::collections::BTreeMap;

/// A service without nesting. Names are those of the whole: `complex.input_vnf`. A rule that holds in a composite holds for what
/// was in it, once for each time that it is used.
pub fn inline(service: &Service, limits: &Limits) -> Result<Service, ExpandError> {
    let service = joined(service)?;
    let graph = expand(
        &service,
        &Limits {
            fold_depth: None,
            ..limits.clone()
        },
    )?;
    let malformed = || ExpandError::Malformed("an instance leads nowhere".to_owned());
    let root = service.composites.get(service.root).ok_or_else(malformed)?;
    let inlining = Inlining {
        service: &service,
        graph: &graph,
        nodes: leaves_of(&graph),
        nets: nets_of(&graph),
    };
    let mut whole = Composite {
        nodes: inlining.all_nodes(),
        nets: inlining.all_nets(root),
        rules: inlining.all_rules(),
        points: root.points.clone(),
        ..root.clone()
    };
    for point in &mut whole.points {
        point.net = whole
            .nets
            .iter()
            .zip(&graph.nets)
            .position(|(_, net)| net.points.contains(&point.name));
    }
    let leaves: Vec<LeafUse> = service.leaves.clone();
    Ok(Service {
        root: 0,
        composites: vec![whole],
        leaves,
    })
}

/// Positions of the leaves among the nodes of the whole, by instance.
fn leaves_of(graph: &Graph) -> BTreeMap<usize, usize> {
    let leaves = graph.instances.iter().enumerate();
    let leaves = leaves.filter(|(_, instance)| instance.kind == InstanceKind::Leaf);
    leaves.enumerate().map(|(node, (at, _))| (at, node)).collect()
}

/// The net of the whole that a net of a composite's instance is.
fn nets_of(graph: &Graph) -> BTreeMap<(usize, usize), usize> {
    let nets = graph.nets.iter().enumerate();
    nets.flat_map(|(at, net)| net.parts.iter().map(move |part| ((part.instance, part.net), at)))
        .collect()
}

struct Inlining<'a> {
    service: &'a Service,
    graph: &'a Graph,
    nodes: BTreeMap<usize, usize>,
    nets: BTreeMap<(usize, usize), usize>,
}

impl Inlining<'_> {
    fn composite(&self, instance: usize) -> Option<&Composite> {
        match self.graph.instances[instance].of {
            ModelUse::Composite(at) => self.service.composites.get(at),
            ModelUse::Leaf(_) => None,
        }
    }

    /// The node of its composite that an instance is.
    fn node(&self, instance: usize) -> Option<&NodeUse> {
        let shown = &self.graph.instances[instance];
        let composite = self.composite(shown.parent?)?;
        composite.nodes.iter().find(|node| node.name == shown.label)
    }

    /// Where it goes is said of a leaf, or of what it is in.
    fn properties(&self, instance: usize) -> BTreeMap<String, Value> {
        let mut all = self
            .node(instance)
            .map(|node| node.properties.clone())
            .unwrap_or_default();
        let mut around = self.graph.instances[instance].parent;
        while let Some(outer) = around {
            if let Some(place) = self.node(outer).and_then(|node| node.properties.get("location")) {
                all.entry("location".to_owned()).or_insert_with(|| place.clone());
            }
            around = self.graph.instances[outer].parent;
        }
        all
    }

    fn all_nodes(&self) -> Vec<NodeUse> {
        let node = |instance: &usize| NodeUse {
            name: self.graph.instances[*instance].name.clone(),
            of: self.graph.instances[*instance].of,
            properties: self.properties(*instance),
            span: self.node(*instance).map_or_else(Default::default, |node| node.span),
        };
        let mut ordered: Vec<(&usize, &usize)> = self.nodes.iter().collect();
        ordered.sort_by_key(|(_, node)| **node);
        ordered.into_iter().map(|(instance, _)| node(instance)).collect()
    }

    /// What an outer part does not say of itself, an inner one says for the whole.
    fn all_nets(&self, root: &Composite) -> Vec<Net> {
        let net = |whole: &crate::expand::GraphNet| {
            let parts = || {
                let net = |part: &crate::expand::NetPart| self.composite(part.instance)?.nets.get(part.net);
                whole.parts.iter().filter_map(net)
            };
            let mut properties = BTreeMap::new();
            for part in parts() {
                for (key, value) in &part.properties {
                    properties.entry(key.clone()).or_insert_with(|| value.clone());
                }
            }
            let end = |end: &crate::expand::GraphEnd| {
                Some(End {
                    node: *self.nodes.get(&end.instance)?,
                    point: end.point.clone(),
                })
            };
            let points = root.points.iter().enumerate();
            Net {
                name: whole.name.clone(),
                connections: parts().flat_map(|part| part.connections.clone()).collect(),
                shape: if whole.ends.len() > 2 {
                    "mesh".to_owned()
                } else {
                    whole.shape.clone()
                },
                ends: whole.ends.iter().filter_map(end).collect(),
                points: points
                    .filter(|(_, point)| whole.points.contains(&point.name))
                    .map(|(at, _)| at)
                    .collect(),
                properties,
                span: parts().next().map_or_else(Default::default, |part| part.span),
            }
        };
        self.graph.nets.iter().map(net).collect()
    }

    fn all_rules(&self) -> Vec<Rule> {
        let mut all = Vec::new();
        for instance in 0..self.graph.instances.len() {
            let Some(composite) = self.composite(instance) else {
                continue;
            };
            for rule in &composite.rules {
                self.rule(instance, composite, rule, &mut all);
            }
        }
        // A stable sort: of one priority, outer ones come first, and then those that stand first.
        all.sort_by_key(|rule: &Rule| std::cmp::Reverse(rule.priority));
        all
    }

    /// A rule of a composite, as often as what it aims at is there.
    fn rule(&self, instance: usize, composite: &Composite, rule: &Rule, all: &mut Vec<Rule>) {
        let shown = &self.graph.instances[instance];
        let within = |name: &str| match shown.name.as_str() {
            "" => name.to_owned(),
            outer => format!("{outer}.{name}"),
        };
        let effects: Vec<Effect> = rule
            .effects
            .iter()
            .map(|effect| match effect {
                Effect::GoThrough(hops) => Effect::GoThrough(
                    hops.iter()
                        .flat_map(|hop| self.hops(instance, composite, hop))
                        .collect(),
                ),
                other => other.clone(),
            })
            .collect();
        let steers = effects.iter().any(|effect| matches!(effect, Effect::GoThrough(_)));
        let targets: Vec<Option<RuleTarget>> = match rule.target {
            Some(RuleTarget::Net(net)) => vec![self.nets.get(&(instance, net)).map(|net| RuleTarget::Net(*net))],
            Some(RuleTarget::Node(node)) => {
                let inside = self.leaves_in(self.child(instance, composite, node));
                inside.into_iter().map(|leaf| Some(RuleTarget::Node(leaf))).collect()
            }
            // Of the whole service, or steered: as it stands. Of a part: on each of its nets.
            None if shown.parent.is_none() || steers => vec![None],
            None => {
                let nets = (0..composite.nets.len()).filter_map(|net| self.nets.get(&(instance, net)));
                nets.map(|net| Some(RuleTarget::Net(*net))).collect()
            }
        };
        let many = targets.len() > 1;
        for (number, target) in targets.into_iter().enumerate() {
            let name = within(&rule.name);
            all.push(Rule {
                name: if many { format!("{name}-{}", number + 1) } else { name },
                flow: rule.flow.as_deref().map(within),
                target,
                effects: effects.clone(),
                ..rule.clone()
            });
        }
    }

    /// The instance of a node of a composite's instance.
    fn child(&self, instance: usize, composite: &Composite, node: usize) -> Option<usize> {
        let name = &composite.nodes.get(node)?.name;
        let all = self.graph.instances.iter();
        all.into_iter()
            .position(|other| other.parent == Some(instance) && other.label == *name)
    }

    /// Positions of all leaves in an instance, itself included.
    fn leaves_in(&self, instance: Option<usize>) -> Vec<usize> {
        let Some(top) = instance else { return Vec::new() };
        let is_in = |at: usize| {
            let mut around = Some(at);
            while let Some(one) = around {
                if one == top {
                    return true;
                }
                around = self.graph.instances[one].parent;
            }
            false
        };
        let inside = self.nodes.iter().filter(|(instance, _)| is_in(**instance));
        inside.map(|(_, node)| *node).collect()
    }

    /// What a packet passes where the composite says that it passes a node: the node, or, of a composite, the leaf that it goes in
    /// by and the one that it comes out by.
    fn hops(
        &self,
        instance: usize,
        composite: &Composite,
        (node, enter, leave): &(usize, Option<String>, Option<String>),
    ) -> Vec<(usize, Option<String>, Option<String>)> {
        let Some(child) = self.child(instance, composite, *node) else {
            return Vec::new();
        };
        if let Some(leaf) = self.nodes.get(&child) {
            return vec![(*leaf, enter.clone(), leave.clone())];
        }
        let inside = self.leaves_in(Some(child));
        let at = |point: &Option<String>| {
            let point = point.as_ref()?;
            let points = &self.graph.instances[child].points;
            let net = points.iter().find(|one| one.name == *point)?.net?;
            let ends = &self.graph.nets[net].ends;
            let end = ends
                .iter()
                .find(|end| self.nodes.get(&end.instance).is_some_and(|leaf| inside.contains(leaf)))?;
            Some((self.nodes[&end.instance], end.point.clone()))
        };
        match (at(enter), at(leave)) {
            (Some((first, by)), Some((last, out))) if first == last => vec![(first, Some(by), Some(out))],
            (Some((first, by)), Some((last, out))) => vec![(first, Some(by), None), (last, None, Some(out))],
            (Some((only, by)), None) => vec![(only, Some(by), None)],
            (None, Some((only, out))) => vec![(only, None, Some(out))],
            (None, None) => inside.into_iter().map(|leaf| (leaf, None, None)).collect(),
        }
    }
}
