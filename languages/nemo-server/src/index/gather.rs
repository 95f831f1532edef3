//! From a script to its definitions and uses.

use super::{Body, Definition, Goal, Index, Kind, Lookup, Origin, Use, head};
use manifold_nemo_syntax::diagnostic::Span;
use manifold_nemo_syntax::script::{
    Action, Condition, DeleteKind, Entity, Model, Name, Path, Property, Script, Statement, Value, ValueKind, Verb,
};
use std::sync::Arc;

/// Values within values that are looked into.
const VALUE_DEPTH_MAX: usize = 32;

pub(super) fn gather(script: &Script) -> Index {
    let mut gathering = Gathering::default();
    for (at, statement) in script.statements.iter().enumerate() {
        gathering.statement(at, statement);
    }
    gathering.index
}

#[derive(Default)]
struct Gathering {
    index: Index,
    body: Body,
}

impl Gathering {
    fn statement(&mut self, at: usize, statement: &Statement) {
        let origin = Origin {
            statement: at,
            member: None,
        };
        match statement {
            Statement::Model(model) => {
                self.model(at, model);
                self.body = None;
            }
            Statement::Instance { verb, entity, span } => {
                let (kind, name, _) = head(entity);
                match verb {
                    Verb::Create | Verb::Import => self.define(kind, name, *span, origin),
                    // What is changed was defined elsewhere.
                    Verb::Update => self.path(std::slice::from_ref(name), Goal::One(kind)),
                }
                self.entity(entity);
            }
            Statement::Delete { kind, path, .. } => match kind {
                DeleteKind::NodeModel | DeleteKind::TemplateDefinition => self.used(&path.segments[..], Lookup::Model),
                DeleteKind::Node | DeleteKind::TemplateInstance => self.path(&path.segments, Goal::One(Kind::Node)),
                DeleteKind::Connection => self.path(&path.segments, Goal::One(Kind::Connection)),
                DeleteKind::Flow => self.path(&path.segments, Goal::One(Kind::Flow)),
                DeleteKind::Operation => self.path(&path.segments, Goal::One(Kind::Operation)),
                DeleteKind::ConnectionPoint => self.path(&path.segments, Goal::One(Kind::ConnectionPoint)),
            },
            Statement::Query { from, .. } => {
                if let Some(from) = from {
                    self.path(&from.segments, Goal::Anything);
                }
            }
            Statement::Transaction { .. } | Statement::Notification { .. } | Statement::Reserved { .. } => {}
        }
    }

    fn model(&mut self, at: usize, model: &Model) {
        let origin = |member| Origin { statement: at, member };
        match model.verb {
            Verb::Create | Verb::Import => self.define(Kind::Model, &model.name, model.span, origin(None)),
            Verb::Update => self.used(std::slice::from_ref(&model.name), Lookup::Model),
        }
        self.body = Some(model.name.text.as_str().into());
        for (number, parameter) in model.parameters.iter().enumerate() {
            self.define(Kind::Parameter, &parameter.name, parameter.span, origin(Some(number)));
        }
        for (number, entity) in model.members.iter().enumerate() {
            let (kind, name, whole) = head(entity);
            self.define(kind, name, whole, origin(Some(number)));
            self.entity(entity);
        }
    }

    fn entity(&mut self, entity: &Entity) {
        match entity {
            Entity::Node(node) => {
                if let Some(model) = &node.model {
                    self.used(&model.segments, Lookup::Model);
                }
                for inner in &node.contain {
                    self.path(&inner.segments, Goal::One(Kind::Node));
                }
                let model = node.model.as_ref().and_then(last);
                for property in &node.properties {
                    if let Some(model) = model {
                        let model = model.text.as_str().into();
                        self.used(std::slice::from_ref(&property.key), Lookup::Key { model });
                    }
                    self.value(&property.value, 0);
                }
            }
            Entity::Connection(connection) => {
                for end in &connection.ends {
                    self.path(&end.segments, Goal::End);
                }
                self.properties(&connection.properties);
            }
            Entity::Flow(flow) => {
                self.properties(&flow.matches);
                self.properties(&flow.properties);
            }
            Entity::Operation(operation) => {
                if let Some(target) = &operation.target {
                    self.path(&target.segments, Goal::Target);
                }
                if let Some(condition) = &operation.condition {
                    self.condition(condition, 0);
                }
                for action in &operation.actions {
                    self.action(action);
                }
            }
            Entity::ConnectionPoint(point) => {
                if let Some(interface) = &point.interface {
                    self.used(std::slice::from_ref(interface), Lookup::Interface);
                }
            }
        }
    }

    fn properties(&mut self, properties: &[Property]) {
        for property in properties {
            self.value(&property.value, 0);
        }
    }

    fn condition(&mut self, condition: &Condition, depth: usize) {
        if depth == VALUE_DEPTH_MAX {
            return;
        }
        match condition {
            Condition::Any(parts) | Condition::All(parts) => {
                parts.iter().for_each(|part| self.condition(part, depth + 1));
            }
            Condition::Not(inner) => self.condition(inner, depth + 1),
            Condition::Term { value, .. } => self.value(value, 0),
        }
    }

    /// `go-through: a, b:in:out` names nodes; the value of any other action may be a parameter.
    fn action(&mut self, action: &Action) {
        let Some(value) = &action.value else { return };
        if !action.name.text.eq_ignore_ascii_case("go-through") {
            return self.value(value, 0);
        }
        let inner = match &value.kind {
            ValueKind::List(values) => values.as_slice(),
            _ => std::slice::from_ref(value),
        };
        for value in inner {
            if let ValueKind::Text(text) = &value.kind {
                let is_quoted = value.span.end - value.span.start != text.len() as u32;
                if !is_quoted {
                    self.path(&split(text, value.span), Goal::Through);
                }
            }
        }
    }

    fn value(&mut self, value: &Value, depth: usize) {
        match &value.kind {
            ValueKind::Text(text) if value.unit.is_none() && is_name(text) => {
                let name = Name {
                    text: text.clone(),
                    span: value.span,
                };
                // What stands in quotes is a text, not a parameter.
                if value.span.end - value.span.start == text.len() as u32 && self.body.is_some() {
                    self.used(&[name], Lookup::Value);
                }
            }
            ValueKind::List(values) if depth < VALUE_DEPTH_MAX => {
                values.iter().for_each(|value| self.value(value, depth + 1));
            }
            _ => {}
        }
    }

    fn define(&mut self, kind: Kind, name: &Name, whole: Span, origin: Origin) {
        if name.text.is_empty() {
            return;
        }
        self.index.definitions.push(Definition {
            kind,
            name: name.clone(),
            body: self.body.clone(),
            whole,
            origin,
        });
    }

    /// The last of some names is used.
    fn used(&mut self, names: &[Name], lookup: Lookup) {
        if let Some(name) = names.last() {
            self.index.uses.push(Use {
                name: name.clone(),
                body: self.body.clone(),
                lookup,
            });
        }
    }

    fn path(&mut self, segments: &[Name], to: Goal) {
        let path: Arc<[Name]> = segments.into();
        for (at, name) in segments.iter().enumerate() {
            let lookup = Lookup::Path {
                path: path.clone(),
                at,
                to,
            };
            self.used(std::slice::from_ref(name), lookup);
        }
    }
}

fn last(path: &Path) -> Option<&Name> {
    path.segments.last()
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// `fw:lan` as the names `fw` and `lan`.
fn split(text: &str, span: Span) -> Vec<Name> {
    let mut start = span.start;
    let mut names = Vec::new();
    for part in text.split([':', '.']) {
        let end = start + part.len() as u32;
        names.push(Name {
            text: part.to_owned(),
            span: Span { start, end, ..span },
        });
        start = end + 1;
    }
    names.retain(|name| !name.text.is_empty());
    names
}
