//! A body: the members of one model, or those that stand at the top of the scripts, sorted by kind.

use crate::statements::MemberKind;
use manifold_nemo_syntax::diagnostic::Span;
use manifold_nemo_syntax::script::{
    Connection, ConnectionPoint, DescriptorRef, Entity, Flow, Model, Name, Node, Operation, Parameter, Value, ValueKind,
};
use std::collections::HashMap;

/// Types of nodes that mean: these nodes, in this order.
const GROUP_TYPES: [&str; 1] = ["chain-group"];

/// A body.
#[derive(Debug, Clone, Default)]
pub(crate) struct Body {
    /// `None`: the root.
    pub(crate) name: Option<Name>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) descriptor: Option<DescriptorRef>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) connections: Vec<Connection>,
    pub(crate) flows: Vec<Flow>,
    pub(crate) operations: Vec<Operation>,
    pub(crate) points: Vec<ConnectionPoint>,
    pub(crate) span: Span,
}

impl Body {
    pub(crate) fn of_model(model: &Model) -> Self {
        let mut body = Self::of_members(model.members.iter(), model.span);
        body.name = Some(model.name.clone());
        body.parameters.clone_from(&model.parameters);
        body.descriptor.clone_from(&model.descriptor);
        body
    }

    pub(crate) fn of_members<'a>(members: impl IntoIterator<Item = &'a Entity>, span: Span) -> Self {
        let mut body = Self {
            span,
            ..Self::default()
        };
        for member in members {
            match member {
                Entity::Node(node) => body.nodes.push(node.clone()),
                Entity::Connection(connection) => body.connections.push(connection.clone()),
                Entity::Flow(flow) => body.flows.push(flow.clone()),
                Entity::Operation(operation) => body.operations.push(operation.clone()),
                Entity::ConnectionPoint(point) => body.points.push(point.clone()),
            }
        }
        body
    }

    pub(crate) fn is_root(&self) -> bool {
        self.name.is_none()
    }

    /// The model's name; of the root, the empty one.
    pub(crate) fn model(&self) -> &str {
        self.name.as_ref().map_or("", |name| &name.text)
    }

    /// A model that has a descriptor, or whose connection points claim that it has one, and nothing inside.
    pub(crate) fn is_leaf(&self) -> bool {
        let claims = self.points.iter().any(|point| point.interface.is_some());
        self.descriptor.is_some() || (claims && self.nodes.is_empty() && self.connections.is_empty())
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<usize> {
        self.parameters.iter().position(|parameter| parameter.name.text == name)
    }

    /// The members' names by kind.
    pub(crate) fn names(&self, kind: MemberKind) -> impl Iterator<Item = &Name> {
        let (nodes, connections, flows, operations, points): (&[_], &[_], &[_], &[_], &[_]) = match kind {
            MemberKind::Node => (&self.nodes, &[], &[], &[], &[]),
            MemberKind::Connection => (&[], &self.connections, &[], &[], &[]),
            MemberKind::Flow => (&[], &[], &self.flows, &[], &[]),
            MemberKind::Operation => (&[], &[], &[], &self.operations, &[]),
            MemberKind::ConnectionPoint => (&[], &[], &[], &[], &self.points),
        };
        let nodes = nodes.iter().map(|node: &Node| &node.name);
        let connections = connections.iter().map(|connection: &Connection| &connection.name);
        let flows = flows.iter().map(|flow: &Flow| &flow.name);
        let operations = operations.iter().map(|operation: &Operation| &operation.name);
        let points = points.iter().map(|point: &ConnectionPoint| &point.name);
        nodes.chain(connections).chain(flows).chain(operations).chain(points)
    }
}

/// Whether a node stands for others, in their order, and is none itself.
pub(crate) fn is_group(node: &Node) -> bool {
    match &node.model {
        None => !node.contain.is_empty(),
        Some(path) => match path.segments.as_slice() {
            [name] => GROUP_TYPES.contains(&name.text.as_str()) && !node.contain.is_empty(),
            _ => false,
        },
    }
}

/// The model's name of a node that is no group.
pub(crate) fn model_of(node: &Node) -> Option<&Name> {
    if is_group(node) {
        return None;
    }
    match node.model.as_ref()?.segments.as_slice() {
        [name] => Some(name),
        _ => None,
    }
}

/// Where the members of a body are, by name.
pub(crate) struct Names<'a> {
    pub(crate) nodes: HashMap<&'a str, usize>,
    pub(crate) connections: HashMap<&'a str, usize>,
    pub(crate) flows: HashMap<&'a str, usize>,
    pub(crate) points: HashMap<&'a str, usize>,
}

impl<'a> Names<'a> {
    /// The first of a name counts; further ones are told of elsewhere.
    pub(crate) fn of(body: &'a Body) -> Self {
        let map = |kind| {
            let mut map = HashMap::new();
            for (at, name) in body.names(kind).enumerate() {
                map.entry(name.text.as_str()).or_insert(at);
            }
            map
        };
        Self {
            nodes: map(MemberKind::Node),
            connections: map(MemberKind::Connection),
            flows: map(MemberKind::Flow),
            points: map(MemberKind::ConnectionPoint),
        }
    }
}

/// What the parameters of a body stand for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arguments<'a> {
    pub(crate) parameters: &'a [Parameter],
    /// `None`: the body is looked at for itself, and nothing is known of them.
    pub(crate) values: Option<&'a std::collections::BTreeMap<String, Value>>,
}

/// A value, or the parameter that it comes from.
pub(crate) enum Given<'a> {
    Value(&'a Value),
    /// The value is written with a unit of its own.
    Joined(Value),
    Parameter(usize),
}

impl<'a> Arguments<'a> {
    pub(crate) fn given(self, value: &'a Value) -> Given<'a> {
        let ValueKind::Text(text) = &value.kind else {
            return Given::Value(value);
        };
        let Some(at) = self
            .parameters
            .iter()
            .position(|parameter| parameter.name.text == *text)
        else {
            return Given::Value(value);
        };
        match self.values {
            None => Given::Parameter(at),
            Some(values) => match (values.get(text), &value.unit) {
                (Some(argument), None) => Given::Value(argument),
                (Some(argument), Some(unit)) => Given::Joined(Value {
                    unit: Some(unit.clone()),
                    ..argument.clone()
                }),
                (None, _) => Given::Value(value),
            },
        }
    }

    /// A value with its parameters replaced, inside of lists as well.
    pub(crate) fn substituted(self, value: &Value) -> Value {
        match &value.kind {
            ValueKind::List(values) => Value {
                kind: ValueKind::List(values.iter().map(|value| self.substituted(value)).collect()),
                ..value.clone()
            },
            _ => match self.given(value) {
                Given::Value(value) => value.clone(),
                Given::Joined(value) => value,
                Given::Parameter(_) => value.clone(),
            },
        }
    }
}
