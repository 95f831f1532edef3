//! Rules: each operation with its flow, its values replaced by what the arguments say.

use super::place::Place;
use crate::body::{Arguments, Body, is_group};
use crate::check::Placed;
use crate::demand::MatchKey;
use crate::rules::{ActionKind, hops};
use crate::service::{Classifier, Effect, Rule, RuleTarget};
use crate::values;
use manifold_nemo_syntax::script::{Flow, Operation, Value};

/// The rules of a body, by falling priority, then in the order of the text.
pub(super) fn rules(placed: &Placed, node_at: &[Option<usize>], arguments: Arguments<'_>) -> Vec<Rule> {
    let reading = Reading {
        placed,
        body: &placed.unit.body,
        node_at,
        arguments,
        place: Place(placed.by),
    };
    let mut rules: Vec<Rule> = reading
        .body
        .operations
        .iter()
        .flat_map(|operation| reading.rules_of(operation))
        .collect();
    rules.sort_by_key(|rule| std::cmp::Reverse(rule.priority));
    rules
}

struct Reading<'a> {
    placed: &'a Placed,
    body: &'a Body,
    node_at: &'a [Option<usize>],
    arguments: Arguments<'a>,
    place: Place,
}

impl Reading<'_> {
    fn value(&self, value: &Value) -> Value {
        self.arguments.substituted(&self.place.value(value.clone()))
    }

    /// One, or one for each node of a group, or for each net of a chain.
    fn rules_of(&self, operation: &Operation) -> Vec<Rule> {
        let Some(target) = operation.target.as_ref().and_then(|path| path.segments.first()) else {
            return Vec::new();
        };
        let body = self.body;
        let flow = body.flows.iter().find(|flow| flow.name.text == target.text);
        let node = body.nodes.iter().position(|node| node.name.text == target.text);
        let connection = body
            .connections
            .iter()
            .position(|connection| connection.name.text == target.text);
        let rule = |name: String, target: Option<RuleTarget>| Rule {
            name,
            flow: flow.map(|flow| flow.name.text.clone()),
            target,
            classifier: flow.map(|flow| self.classifier(flow)).unwrap_or_default(),
            priority: operation.priority.map_or(0, |(priority, _)| priority),
            condition: operation
                .condition
                .as_ref()
                .map(|condition| self.place.condition(condition, &|value| self.value(value))),
            effects: self.effects(operation),
            span: self.place.of(operation.span),
        };
        let name = &operation.name.text;
        let several = |targets: Vec<RuleTarget>, names: Vec<&str>| match targets.as_slice() {
            [one] => vec![rule(name.clone(), Some(*one))],
            _ => {
                let numbered = targets.iter().zip(names);
                numbered
                    .map(|(target, of)| rule(format!("{name}-{of}"), Some(*target)))
                    .collect()
            }
        };
        match (flow, node, connection) {
            (Some(_), _, _) => vec![rule(name.clone(), None)],
            (None, Some(node), _) => {
                let members = self.members(node);
                let names = members.iter().map(|at| body.nodes[*at].name.text.as_str()).collect();
                several(
                    members
                        .iter()
                        .filter_map(|at| self.node_at[*at])
                        .map(RuleTarget::Node)
                        .collect(),
                    names,
                )
            }
            (None, None, Some(connection)) => {
                let nets = self.placed.unit.nets.iter().enumerate();
                let on = |segment: &crate::nets::Segment| segment.connection == connection;
                let nets: Vec<usize> = nets
                    .filter(|(_, net)| net.segments.iter().any(on))
                    .map(|(at, _)| at)
                    .collect();
                let numbers: Vec<String> = (1..=nets.len()).map(|number| number.to_string()).collect();
                several(
                    nets.into_iter().map(RuleTarget::Net).collect(),
                    numbers.iter().map(String::as_str).collect(),
                )
            }
            (None, None, None) => Vec::new(),
        }
    }

    /// The nodes that a node stands for: itself, unless it is a group.
    fn members(&self, node: usize) -> Vec<usize> {
        let body = self.body;
        if !is_group(&body.nodes[node]) {
            return vec![node];
        }
        let named = body.nodes[node].contain.iter().filter_map(|path| path.segments.first());
        named
            .filter_map(|name| body.nodes.iter().position(|node| node.name.text == name.text))
            .collect()
    }

    fn classifier(&self, flow: &Flow) -> Classifier {
        let mut classifier = Classifier::default();
        for property in &flow.matches {
            let value = self.value(&property.value);
            match MatchKey::named(&property.key.text) {
                Some(MatchKey::SourceAddress) => classifier.source = values::prefix(&value).ok(),
                Some(MatchKey::DestinationAddress) => classifier.destination = values::prefix(&value).ok(),
                Some(MatchKey::Protocol) => classifier.protocol = values::protocol(&value).ok(),
                Some(MatchKey::SourcePort) => classifier.source_ports = values::ports(&value).ok(),
                Some(MatchKey::DestinationPort) => classifier.destination_ports = values::ports(&value).ok(),
                Some(MatchKey::SourceMac) => classifier.source_mac = values::mac(&value).ok(),
                Some(MatchKey::DestinationMac) => classifier.destination_mac = values::mac(&value).ok(),
                Some(MatchKey::EtherType) => classifier.ether_type = values::ether_type(&value).ok(),
                None => {}
            }
        }
        classifier
    }

    fn effects(&self, operation: &Operation) -> Vec<Effect> {
        let effect = |action: &manifold_nemo_syntax::script::Action| {
            let value = action.value.as_ref();
            match ActionKind::named(&action.name.text)? {
                ActionKind::GoThrough => Some(Effect::GoThrough(self.way(value?))),
                ActionKind::Block => Some(Effect::Block),
                ActionKind::Allow => Some(Effect::Allow),
                ActionKind::Bandwidth => values::bandwidth(&self.value(value?))
                    .ok()
                    .map(|(rate, _)| Effect::Bandwidth(rate)),
                ActionKind::Precedence => values::precedence(&self.value(value?)).ok().map(Effect::Precedence),
            }
        };
        operation.actions.iter().filter_map(effect).collect()
    }

    fn way(&self, value: &Value) -> Vec<(usize, Option<String>, Option<String>)> {
        let mut way = Vec::new();
        for hop in hops(value).unwrap_or_default() {
            let Some(node) = self.body.nodes.iter().position(|node| node.name.text == hop.node) else {
                continue;
            };
            for member in self.members(node) {
                if let Some(at) = self.node_at[member] {
                    way.push((at, hop.by.map(str::to_owned), hop.out.map(str::to_owned)));
                }
            }
        }
        way
    }
}
