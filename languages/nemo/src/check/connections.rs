//! Connections: shape, ends, properties; the nets that they make; and what may not be on one net.

use super::ends::Named;
use super::look::Look;
use super::nodes::unknown_property;
use crate::body::{Given, is_group};
use crate::code;
use crate::demand::Demand;
use crate::nearest::nearest;
use crate::nets::{End, Net, Segment, Shape, joined};
use crate::report::{Sure, Tell, listed, told};
use crate::signature::{Roles, Witness};
use crate::values::shown;
use manifold_nemo_syntax::diagnostic::{Diagnostic, Edit, Fix, Severity, Span};
use manifold_nemo_syntax::script::Connection;
use std::collections::HashMap;
use std::sync::Arc;

/// Properties of connections that mean something.
const CONNECTION_PROPERTIES: [&str; 8] = [
    "bandwidth",
    "ipprefix",
    "ip-prefix",
    "gatewayip",
    "gateway-ip",
    "provider",
    "vlan",
    "description",
];

impl<'a> Look<'a> {
    /// Looks at what is no leaf; answers with its nets, and for each connection point with the one that it is on.
    pub(super) fn composite(&mut self) -> (Vec<Net>, Vec<Option<usize>>) {
        self.nodes();
        self.points_of_composite();
        let body = self.body;
        let mut segments = Vec::new();
        let mut places: HashMap<(usize, End), Span> = HashMap::new();
        for (at, connection) in body.connections.iter().enumerate() {
            self.connection_properties(connection);
            for segment in self.connection(at, connection, &mut places) {
                segments.push(segment);
            }
        }
        let nets = joined(segments);
        self.merged_properties(&nets);
        self.roles(&nets, &places);
        let mut point_nets = vec![None; body.points.len()];
        for (at, net) in nets.iter().enumerate() {
            for end in &net.ends {
                if let End::Own(point) = end {
                    point_nets[*point] = Some(at);
                }
            }
        }
        self.left_open(&nets, &point_nets);
        self.rules();
        self.show_roles(&nets);
        if body.nodes.is_empty() && !body.is_root() {
            self.empty();
        }
        (nets, point_nets)
    }

    fn empty(&mut self) {
        let Some(name) = &self.body.name else { return };
        let message = format!(
            "the model `{}` has neither a descriptor nor nodes: nothing comes of it",
            name.text
        );
        self.report
            .push(told(code::MODEL_EMPTY, name.span, message).help("write `VNFD` and an address, or add nodes"));
    }

    fn connection_properties(&mut self, connection: &Connection) {
        self.keys_once(&connection.properties);
        for property in &connection.properties {
            match property.key.text.as_str() {
                "bandwidth" => {
                    let unit = property.value.unit.clone();
                    self.value(&property.value, |_| {
                        Demand::Bandwidth(unit.clone(), code::PROPERTY_VALUE)
                    });
                }
                "ipprefix" | "ip-prefix" | "gatewayip" | "gateway-ip" => {
                    self.value(&property.value, |_| Demand::Prefix)
                }
                key => {
                    self.any_value(&property.value);
                    if !CONNECTION_PROPERTIES.contains(&key) {
                        let found = unknown_property("connection", property, &CONNECTION_PROPERTIES);
                        self.report.push(found);
                    }
                }
            }
        }
    }

    fn connection(
        &mut self,
        at: usize,
        connection: &Connection,
        places: &mut HashMap<(usize, End), Span>,
    ) -> Vec<Segment> {
        let named: Vec<(Option<Named>, Span)> =
            connection.ends.iter().map(|path| (self.end(path), path.span)).collect();
        let Some(shape) = self.shape(connection) else {
            return Vec::new();
        };
        if shape == Shape::Chain {
            return self.chain(at, connection, &named, places);
        }
        let mut ends = Vec::new();
        for (named, span) in named {
            let end = match named {
                Some(Named::End(end)) => Some(end),
                Some(Named::Node(node)) => self.only_point(node, span),
                None => None,
            };
            if let Some(end) = end {
                self.add_end(at, end, span, &mut ends, places);
            }
        }
        vec![Segment {
            connection: at,
            number: None,
            shape,
            ends,
        }]
    }

    fn add_end(
        &mut self,
        connection: usize,
        end: End,
        span: Span,
        ends: &mut Vec<End>,
        places: &mut HashMap<(usize, End), Span>,
    ) {
        if let Some(first) = places.get(&(connection, end)) {
            self.report.push(
                told(code::SAME_END, span, "this end is named twice in one connection")
                    .label(*first, "the first time")
                    .help("leave one out, or name the other end"),
            );
            return;
        }
        places.insert((connection, end), span);
        ends.push(end);
    }

    /// Each pair of neighbours is a net; two connection points of one node next to each other are the way through it.
    fn chain(
        &mut self,
        at: usize,
        connection: &Connection,
        named: &[(Option<Named>, Span)],
        places: &mut HashMap<(usize, End), Span>,
    ) -> Vec<Segment> {
        // For each place in the chain, what it is gone into by, and what out of.
        let mut hops: Vec<(Option<End>, Option<End>, Span)> = Vec::new();
        for (index, (end, span)) in named.iter().enumerate() {
            let is_inner = index > 0 && index + 1 < named.len();
            let hop = match end {
                Some(Named::End(end @ End::Node(node, _))) => match hops.last_mut() {
                    Some((first, last, _)) if first == last && is_of_node(*last, *node) && *last != Some(*end) => {
                        *last = Some(*end);
                        places.entry((at, *end)).or_insert(*span);
                        continue;
                    }
                    _ => (Some(*end), Some(*end)),
                },
                Some(Named::End(end)) => (Some(*end), Some(*end)),
                Some(Named::Node(node))
                    if is_inner && self.models[*node].as_ref().is_some_and(|m| m.points.len() == 2) =>
                {
                    (Some(End::Node(*node, 0)), Some(End::Node(*node, 1)))
                }
                Some(Named::Node(node)) => {
                    let end = self.only_point(*node, *span);
                    (end, end)
                }
                None => (None, None),
            };
            hops.push((hop.0, hop.1, *span));
        }
        if hops.len() < 2 && named.len() >= 2 {
            let message = format!("the connection `{}` does not leave one node", connection.name.text);
            self.report.push(told(code::ENDS, connection.name.span, message));
        }
        let count = hops.len().saturating_sub(1);
        let mut segments = Vec::with_capacity(count);
        for (number, pair) in hops.windows(2).enumerate() {
            let (from, to) = (pair[0].1, pair[1].0);
            if from.is_some() && from == to {
                self.report.push(
                    told(code::SAME_END, pair[1].2, "this end follows itself in the chain")
                        .label(pair[0].2, "the first time"),
                );
            }
            let ends: Vec<End> = from.into_iter().chain(to.filter(|to| from != Some(*to))).collect();
            for (end, span) in [(from, pair[0].2), (to, pair[1].2)] {
                if let Some(end) = end {
                    places.entry((at, end)).or_insert(span);
                }
            }
            segments.push(Segment {
                connection: at,
                number: (count > 1).then_some(number + 1),
                shape: Shape::PointToPoint,
                ends,
            });
        }
        segments
    }

    fn shape(&mut self, connection: &Connection) -> Option<Shape> {
        let count = connection.ends.len();
        let name = &connection.name;
        let Some(word) = &connection.shape else {
            if count > 2 {
                let after = name.span.behind();
                let found = told(
                    code::SHAPE_MISSING,
                    name.span,
                    format!("the connection `{}` has {count} ends and no Type", name.text),
                );
                self.report.push(
                    found
                        .help("without Type two ends are joined (p2p); p2mp, mesh and chain join more")
                        .replace("insert `Type mesh`", after, " Type mesh", Sure::No),
                );
                return Some(Shape::Mesh);
            }
            return self.enough_ends(connection).then_some(Shape::PointToPoint);
        };
        let Some(shape) = Shape::named(&word.text) else {
            let names = || Shape::ALL.iter().map(|(_, word)| *word);
            let found = told(
                code::SHAPE,
                word.span,
                format!("`{}` is no type of a connection", word.text),
            )
            .help(format!("the types are {}", listed(names())));
            self.report.push(match nearest(&word.text, names()) {
                Some(near) => found.replace(format!("write `{near}`"), word.span, near, Sure::No),
                None => found,
            });
            // The ends are joined all the same, so that nothing else is told because of this one word.
            return Some(Shape::Mesh);
        };
        if shape == Shape::PointToPoint && count > 2 {
            let more = connection.ends[2].span.to(connection.ends[count - 1].span);
            let found = told(
                code::ENDS,
                more,
                format!(
                    "a connection of type p2p joins exactly two ends, and `{}` names {count}",
                    name.text
                ),
            );
            let mut found = found
                .label(word.span, "the type")
                .help("p2mp, mesh and chain join more; or make several connections");
            found.fix = Some(Fix {
                title: "write `mesh`".to_owned(),
                edits: vec![Edit {
                    span: word.span,
                    text: "mesh".to_owned(),
                }],
                is_machine_applicable: false,
            });
            self.report.push(found);
            return Some(Shape::Mesh);
        }
        self.enough_ends(connection).then_some(shape)
    }

    fn enough_ends(&mut self, connection: &Connection) -> bool {
        let count = connection.ends.len();
        if count >= 2 {
            return true;
        }
        let has = match count {
            0 => "no ends",
            _ => "one end",
        };
        let message = format!("the connection `{}` has {has}, and joins nothing", connection.name.text);
        self.report
            .push(told(code::ENDS, connection.name.span, message).help("write `Endnodes` and what it joins"));
        // One end is a net all the same: what is there is connected.
        count == 1
    }

    /// Connections that are one net say the same about it.
    fn merged_properties(&mut self, nets: &[Net]) {
        let body = self.body;
        for net in nets.iter().filter(|net| net.segments.len() > 1) {
            let mut said: HashMap<&str, &manifold_nemo_syntax::script::Property> = HashMap::new();
            for connection in net.connections() {
                for property in &body.connections[connection].properties {
                    let first = *said.entry(&property.key.text).or_insert(property);
                    if shown(&first.value) != shown(&property.value) {
                        let message = format!(
                            "this connection is one net with others, which has `{}: {}` already",
                            first.key.text,
                            shown(&first.value)
                        );
                        let found =
                            told(code::PROPERTY_CONFLICT, property.span, message).label(first.span, "this one counts");
                        self.report.push(found);
                    }
                }
            }
        }
    }

    fn roles_of(&self, node: usize, point: usize) -> Roles {
        let Some(signature) = &self.models[node] else {
            return Roles::default();
        };
        let Some(point) = signature.points.get(point) else {
            return Roles::default();
        };
        let mut roles = Roles {
            by_parameter: Vec::new(),
            ..point.roles.clone()
        };
        for (parameter, leaf) in &point.roles.by_parameter {
            let name = &signature.parameters[*parameter].name;
            let properties = &self.body.nodes[node].properties;
            let Some(property) = properties.iter().find(|property| property.key.text == *name) else {
                continue;
            };
            match self.arguments.given(&property.value) {
                Given::Parameter(own) => roles.name_by(own, leaf),
                Given::Value(value) => adopt(&mut roles, Roles::of_argument(leaf, value)),
                Given::Joined(value) => adopt(&mut roles, Roles::of_argument(leaf, &value)),
            }
        }
        roles
    }

    /// A management interface and one for data are not on one net.
    fn roles(&mut self, nets: &[Net], places: &HashMap<(usize, End), Span>) {
        for net in nets {
            let mut seen: [Option<(Span, Arc<Witness>, usize)>; 2] = [None, None];
            for segment in &net.segments {
                for end in &segment.ends {
                    let End::Node(node, point) = end else { continue };
                    let roles = self.roles_of(*node, *point);
                    let (side, witness) = match (roles.mgmt, roles.data) {
                        (Some(mgmt), None) => (0, mgmt),
                        (None, Some(data)) => (1, data),
                        _ => continue,
                    };
                    let Some(span) = places.get(&(segment.connection, *end)).copied() else {
                        continue;
                    };
                    if let Some((other_span, other, other_node)) = &seen[1 - side] {
                        let found = self.mixed(side, span, &witness, *node, *other_span, other, *other_node);
                        self.report.push(found);
                        break;
                    }
                    seen[side].get_or_insert((span, witness, *node));
                }
            }
        }
    }

    #[allow(clippy::too_many_arguments, reason = "two ends, told side by side")]
    fn mixed(
        &self,
        side: usize,
        span: Span,
        witness: &Witness,
        node: usize,
        other_span: Span,
        other: &Witness,
        other_node: usize,
    ) -> Diagnostic {
        let name = |node: usize, witness: &Witness| format!("{}:{}", self.body.nodes[node].name.text, witness.path);
        let word = |side: usize| if side == 0 { "mgmt" } else { "data" };
        told(
            code::ROLES,
            span,
            format!(
                "a net cannot join {} `{}` with {} `{}`",
                word(side),
                name(node, witness),
                word(1 - side),
                name(other_node, other)
            ),
        )
        .label(other_span, format!("this end is {}", word(1 - side)))
        .labels([&witness.label, &other.label].map(|label| (**label).clone()))
        .help("connect interfaces of one type")
    }

    /// What nothing is connected to. At the top this is how a service meets the world.
    fn left_open(&mut self, nets: &[Net], point_nets: &[Option<usize>]) {
        let body = self.body;
        for (point, net) in body.points.iter().zip(point_nets) {
            if net.is_none() {
                let message = format!(
                    "nothing inside is connected to the connection point `{}`",
                    point.name.text
                );
                self.report
                    .push(told(code::POINT_OPEN, point.name.span, message).help("connect it, or leave it out"));
            }
        }
        if body.is_root() {
            return;
        }
        let mut is_connected = vec![false; body.nodes.len()];
        for end in nets.iter().flat_map(|net| &net.ends) {
            if let End::Node(node, _) = end {
                is_connected[*node] = true;
            }
        }
        // After an error about an end, a node that seems to be alone may only be misspelt there.
        if self.report.list.iter().any(|told| told.severity == Severity::Error) {
            return;
        }
        for (at, node) in body.nodes.iter().enumerate() {
            let has_points = self.models[at]
                .as_ref()
                .is_some_and(|signature| !signature.points.is_empty());
            if has_points && !is_connected[at] && !is_group(node) {
                let message = format!("nothing is connected to the node `{}`", node.name.text);
                self.report.push(told(code::NODE_ALONE, node.name.span, message));
            }
        }
    }

    /// What the connection points lead to.
    fn show_roles(&mut self, nets: &[Net]) {
        for net in nets {
            let points: Vec<usize> = net
                .ends
                .iter()
                .filter_map(|end| match end {
                    End::Own(point) => Some(*point),
                    End::Node(..) => None,
                })
                .collect();
            if points.is_empty() {
                continue;
            }
            let mut joined = Roles::default();
            for end in &net.ends {
                if let End::Node(node, point) = end {
                    let roles = self.roles_of(*node, *point);
                    joined.join(&roles, &self.body.nodes[*node].name.text);
                }
            }
            for point in points {
                self.signature.points[point].roles = joined.clone();
            }
        }
    }
}

fn is_of_node(end: Option<End>, node: usize) -> bool {
    matches!(end, Some(End::Node(of, _)) if of == node)
}

fn adopt(roles: &mut Roles, others: Roles) {
    roles.mgmt = roles.mgmt.take().or(others.mgmt);
    roles.data = roles.data.take().or(others.data);
}
