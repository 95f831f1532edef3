//! Flows and operations: what a packet must have, and what happens to it.

use super::look::{Look, Target};
use crate::body::{Given, is_group};
use crate::code;
use crate::condition::Clock;
use crate::demand::{Demand, MatchKey};
use crate::nearest::nearest;
use crate::report::{Sure, Tell, listed, told};
use crate::rules::{ActionKind, Hop, hops};
use crate::statements::MemberKind;
use crate::values;
use manifold_nemo_syntax::diagnostic::Span;
use manifold_nemo_syntax::script::{
    Action, Comparison, Condition, DeleteKind, Flow, Name, Operation, Path, Property, Value,
};

/// Properties of flows that mean something.
const FLOW_PROPERTIES: [&str; 2] = ["path", "description"];

impl<'a> Look<'a> {
    pub(super) fn rules(&mut self) {
        let body = self.body;
        for flow in &body.flows {
            self.flow(flow);
        }
        let mut is_target = vec![false; body.flows.len()];
        for operation in &body.operations {
            let told_before = self.report.list.len();
            match self.operation(operation) {
                Some(flow) => is_target[flow] = true,
                // A name that leads nowhere may have been meant for any of them.
                None if self.report.list[told_before..]
                    .iter()
                    .any(|told| told.code == code::TARGET) =>
                {
                    is_target.fill(true)
                }
                None => {}
            }
        }
        for (flow, is_target) in body.flows.iter().zip(is_target) {
            if !is_target {
                let message = format!(
                    "no operation acts on the flow `{}`, so it has no effect",
                    flow.name.text
                );
                self.report.push(told(code::FLOW_UNUSED, flow.name.span, message));
            }
        }
    }

    fn flow(&mut self, flow: &Flow) {
        self.keys_once(&flow.properties);
        for property in &flow.properties {
            self.any_value(&property.value);
            if !FLOW_PROPERTIES.contains(&property.key.text.as_str()) {
                let found = super::nodes::unknown_property("flow", property, &FLOW_PROPERTIES);
                self.report.push(found);
            }
        }
        let mut seen: Vec<(MatchKey, &Property)> = Vec::new();
        for property in &flow.matches {
            let Some(key) = MatchKey::named(&property.key.text) else {
                self.any_value(&property.value);
                self.unknown_match(&property.key);
                continue;
            };
            if let Some((_, first)) = seen.iter().find(|(other, _)| *other == key) {
                self.report.push(
                    told(
                        code::DUPLICATE,
                        property.key.span,
                        format!("the flow says twice what {} is", key.name()),
                    )
                    .label(first.span, "the first time")
                    .help("leave one of them out, or make two flows"),
                );
            }
            seen.push((key, property));
            self.value(&property.value, |_| Demand::Match(key));
        }
        self.contradictions(&seen);
    }

    fn unknown_match(&mut self, key: &Name) {
        let names = || MatchKey::ALL.iter().map(|(_, names)| names[0]);
        let found = told(
            code::MATCH_KEY,
            key.span,
            format!("a packet has no `{}` that could be matched", key.text),
        )
        .help(format!("matched are {}", listed(names())));
        let plain = key.text.replace(['-', '_'], "");
        self.report.push(match nearest(&plain, names()) {
            Some(near) => found.replace(format!("write `{near}`"), key.span, near, Sure::No),
            None => found,
        });
    }

    /// Things that no packet has at once.
    fn contradictions(&mut self, seen: &[(MatchKey, &Property)]) {
        let known = |key: MatchKey| {
            let (_, property) = seen.iter().find(|(other, _)| *other == key)?;
            match self.arguments.given(&property.value) {
                Given::Value(value) => Some((value.clone(), property.span)),
                Given::Joined(_) | Given::Parameter(_) => None,
            }
        };
        let is_v6 = |key| known(key).and_then(|(value, span)| Some((values::prefix(&value).ok()?.contains(':'), span)));
        let mut found = Vec::new();
        if let (Some((source, at)), Some((destination, other))) =
            (is_v6(MatchKey::SourceAddress), is_v6(MatchKey::DestinationAddress))
            && source != destination
        {
            let message = "no packet has one address of IPv4 and one of IPv6";
            found.push(told(code::MATCH_CONFLICT, other, message).label(at, "the other address"));
        }
        let protocol = known(MatchKey::Protocol).and_then(|(value, span)| Some((values::protocol(&value).ok()?, span)));
        if let Some((protocol, at)) = protocol
            && !matches!(protocol.as_str(), "tcp" | "udp" | "sctp" | "6" | "17" | "132")
        {
            for key in [MatchKey::SourcePort, MatchKey::DestinationPort] {
                if let Some((_, span)) = known(key) {
                    let message = format!("packets of {protocol} have no ports");
                    found.push(told(code::MATCH_CONFLICT, span, message).label(at, "the protocol"));
                }
            }
        }
        found.into_iter().for_each(|told| self.report.push(told));
    }

    /// Answers with the flow that is acted on.
    fn operation(&mut self, operation: &Operation) -> Option<usize> {
        let name = &operation.name;
        let target = match &operation.target {
            Some(target) => self.target(target),
            None => {
                let message = format!("the operation `{}` has no Target", name.text);
                self.report.push(
                    told(code::OPERATION, name.span, message).help("write `Target` and a flow, a node or a connection"),
                );
                None
            }
        };
        if operation.actions.is_empty() {
            let message = format!("the operation `{}` has no Action", name.text);
            let kinds = listed(ActionKind::ALL.iter().map(|(_, names)| names[0]));
            self.report
                .push(told(code::OPERATION, name.span, message).help(format!("the actions are {kinds}")));
        }
        if let Some(condition) = &operation.condition {
            self.condition(condition);
        }
        let mut done: Vec<(ActionKind, &Action)> = Vec::new();
        for action in &operation.actions {
            let Some(kind) = ActionKind::named(&action.name.text) else {
                action.value.iter().for_each(|value| self.any_value(value));
                self.unknown_action(&action.name);
                continue;
            };
            self.action(kind, action);
            let conflict = done.iter().find(|(other, _)| {
                *other == kind || matches!((*other, kind), (ActionKind::Block, _) | (_, ActionKind::Block))
            });
            if let Some((other, first)) = conflict {
                let message = if *other == kind {
                    format!("`{}` is said twice in one operation", kind.name())
                } else {
                    format!(
                        "packets that are dropped cannot also be subject to `{}`",
                        if kind == ActionKind::Block {
                            other.name()
                        } else {
                            kind.name()
                        }
                    )
                };
                let found = told(code::ACTION_CONFLICT, action.span, message).label(first.span, "the other action");
                self.report
                    .push(found.help("leave one of them out, or make two operations with priorities"));
            }
            done.push((kind, action));
        }
        target
    }

    /// A flow, then a node, then a connection.
    fn target(&mut self, path: &Path) -> Option<usize> {
        let [name] = path.segments.as_slice() else {
            let message = "a target is a flow, a node or a connection of the same body";
            self.report.push(told(code::TARGET, path.span, message));
            return None;
        };
        let key = name.text.as_str();
        let found = [
            (MemberKind::Flow, self.names.flows.get(key).copied()),
            (MemberKind::Node, self.names.nodes.get(key).copied()),
            (MemberKind::Connection, self.names.connections.get(key).copied()),
        ];
        if let Some((kind, at)) = found.into_iter().find_map(|(kind, at)| at.map(|at| (kind, at))) {
            self.means(name.span, Target::Member(kind, at));
            return (kind == MemberKind::Flow).then_some(at);
        }
        let mut told = told(
            code::TARGET,
            name.span,
            format!("there is no flow, node or connection `{}` here", name.text),
        );
        if self.body.is_root() {
            for kind in [DeleteKind::Flow, DeleteKind::Node, DeleteKind::Connection] {
                if let Some(place) = self.world.deleted(kind, key) {
                    self.report.push(told.label(place, "it is deleted here"));
                    return None;
                }
            }
        }
        let names = self
            .names
            .flows
            .keys()
            .chain(self.names.nodes.keys())
            .chain(self.names.connections.keys());
        told = match nearest(key, names.copied()) {
            Some(near) => told.replace(format!("write `{near}`"), name.span, near, Sure::No),
            None => told.help(format!(
                "the flows are {}",
                listed(self.body.flows.iter().map(|flow| flow.name.text.as_str()))
            )),
        };
        self.report.push(told);
        None
    }

    fn unknown_action(&mut self, name: &Name) {
        let names = || ActionKind::ALL.iter().map(|(_, names)| names[0]);
        let all = ActionKind::ALL.iter().flat_map(|(_, names)| names.iter().copied());
        let found = told(code::ACTION, name.span, format!("there is no action `{}`", name.text))
            .help(format!("the actions are {}", listed(names())));
        self.report.push(match nearest(&name.text, all) {
            Some(near) => found.replace(format!("write `{near}`"), name.span, near, Sure::No),
            None => found,
        });
    }

    fn action(&mut self, kind: ActionKind, action: &Action) {
        let Some(value) = &action.value else {
            let example = match kind {
                ActionKind::Block | ActionKind::Allow => return,
                ActionKind::GoThrough => "go-through: firewall",
                ActionKind::Bandwidth => "bandwidth: 10(mbps)",
                ActionKind::Precedence => "priority: 5",
            };
            let message = format!("`{}` needs a value", action.name.text);
            self.report
                .push(told(code::ACTION_VALUE, action.name.span, message).help(format!("write `{example}`")));
            return;
        };
        match kind {
            ActionKind::GoThrough => self.go_through(value),
            ActionKind::Block | ActionKind::Allow => {
                self.any_value(value);
                let message = format!("`{}` takes no value", action.name.text);
                let behind = action.name.span.behind();
                let found = told(code::ACTION_VALUE, value.span, message);
                self.report
                    .push(found.replace("leave it out", behind.to(value.span), "", Sure::Yes));
            }
            ActionKind::Bandwidth => {
                let unit = value.unit.clone();
                self.value(value, |_| Demand::Bandwidth(unit.clone(), code::ACTION_VALUE));
            }
            ActionKind::Precedence => self.value(value, |_| Demand::Precedence),
        }
    }

    fn go_through(&mut self, value: &Value) {
        let hops = match hops(value) {
            Ok(hops) => hops,
            Err(span) => {
                let message = "the way of a flow is made of nodes";
                self.report.push(
                    told(code::ACTION_VALUE, span, message)
                        .help("write `fw`, `fw:in`, `fw:in:out`, or a list `[fw, cache]`"),
                );
                return;
            }
        };
        for hop in &hops {
            self.hop(hop);
        }
    }

    fn hop(&mut self, hop: &Hop<'_>) {
        let Some(node) = self.names.nodes.get(hop.node).copied() else {
            let name = Name {
                text: hop.node.to_owned(),
                span: hop.span,
            };
            let mut found = self.unknown_node(&name);
            if hop.by.is_some() {
                // The edit would take the points away with the name.
                found.fix = None;
            }
            if let Some(parameter) = self.body.parameter(hop.node) {
                self.is_used[parameter] = true;
                found = found.help("a parameter cannot name the way of a flow: write the node's name here");
            }
            self.report.push(found);
            return;
        };
        for span in &hop.mentions {
            self.means(*span, Target::Member(MemberKind::Node, node));
        }
        let Some(signature) = self.models[node].clone() else {
            if is_group(&self.body.nodes[node]) && hop.by.is_some() {
                let message = format!("`{}` is a group and has no connection points", hop.node);
                self.report.push(told(code::ACTION_VALUE, hop.span, message));
            }
            return;
        };
        for point in [hop.by, hop.out].into_iter().flatten() {
            if signature.point(point).is_none() {
                let message = format!("the node `{}` has no connection point `{point}`", hop.node);
                let list = listed(signature.point_names());
                let found = told(code::POINT_UNKNOWN, hop.span, message).help(format!("it has {list}"));
                self.report.push(found);
            }
        }
    }

    fn condition(&mut self, condition: &Condition) {
        let mut left = vec![condition];
        while let Some(condition) = left.pop() {
            match condition {
                Condition::Any(all) | Condition::All(all) => left.extend(all.iter().rev()),
                Condition::Not(inner) => left.push(inner),
                Condition::Term {
                    name,
                    comparison,
                    value,
                    span,
                } => self.term(name, *comparison, value, *span),
            }
        }
    }

    fn term(&mut self, name: &Name, comparison: Comparison, value: &Value, span: Span) {
        if let Some(clock) = Clock::named(&name.text) {
            self.value(value, |_| Demand::Moment(clock, comparison));
            return;
        }
        let message = format!(
            "nothing measures `{}` yet: this can be checked, and is refused when it shall be applied",
            name.text
        );
        let found = told(code::MEASURED, span, message);
        self.report.push(match nearest(&name.text, Clock::NAMES) {
            Some(near) => found.replace(format!("write `{near}`"), name.span, near, Sure::No),
            None => found.help("conditions on `time`, `date` and `fulltime` can be applied"),
        });
        match comparison {
            Comparison::Equal | Comparison::NotEqual => self.any_value(value),
            Comparison::Between => match &value.kind {
                manifold_nemo_syntax::script::ValueKind::Range(first, last) if first <= last => {}
                _ => {
                    let message = format!("`{}` is no range that ends after it begins", values::shown(value));
                    self.report
                        .push(told(code::CONDITION, value.span, message).help("write `(10, 20)`"));
                }
            },
            Comparison::Greater | Comparison::Less | Comparison::GreaterOrEqual | Comparison::LessOrEqual => {
                self.value(value, |_| Demand::Number);
            }
        }
    }
}
