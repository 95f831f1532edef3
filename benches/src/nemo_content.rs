//! What a script says, as somebody would have to write it without NEMO: the same names, ends and values in JSON and in YAML, which
//! serde reads into structs. Places in the text are left out, and so is all checking: nothing that gives typed values does less.

use crate::stage::Outcome;
use manifold_nemo_syntax::diagnostic::Span;
use manifold_nemo_syntax::script::{Condition, Entity, Name, ParameterKind, Path, Property, Statement};
use manifold_nemo_syntax::{ParseOptions, parse};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A script's content in both forms.
pub(crate) struct Written {
    pub(crate) json: String,
    pub(crate) yaml: String,
}

/// What is read of either.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Content {
    models: Vec<Model>,
    /// What stands at the top.
    nodes: Vec<Member>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Model {
    name: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    parameters: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    vnfd: Option<String>,
    members: Vec<Member>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Member {
    kind: Kind,
    name: String,
    /// A node's model, a connection's shape.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    of: Option<String>,
    /// A connection point's interface, an operation's target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ends: Vec<String>,
    /// Values as they stand in the script, units included.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    properties: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    matches: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    priority: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    condition: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    actions: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    Node,
    Connection,
    Flow,
    Operation,
    ConnectionPoint,
}

impl Written {
    /// The content of a script; what is written is read again and is the same.
    pub(crate) fn of(script: &str) -> Outcome<Self> {
        let content = Reading { text: script }.content()?;
        let written = Self {
            json: serde_json::to_string(&content)?,
            yaml: yaml_serde::to_string(&content)?,
        };
        if written.read_json()? == content && written.read_yaml()? == content {
            Ok(written)
        } else {
            Err("what is read is not what was written".into())
        }
    }

    pub(crate) fn read_json(&self) -> Outcome<Content> {
        Ok(serde_json::from_str(&self.json)?)
    }

    pub(crate) fn read_yaml(&self) -> Outcome<Content> {
        Ok(yaml_serde::from_str(&self.yaml)?)
    }

    /// How long the texts are.
    pub(crate) fn sizes(&self) -> String {
        format!(
            "as YAML {} lines of {} kB, as JSON {} kB",
            self.yaml.lines().count(),
            self.yaml.len() >> 10,
            self.json.len() >> 10
        )
    }
}

/// A script's parts become text again.
struct Reading<'a> {
    text: &'a str,
}

impl Reading<'_> {
    fn content(&self) -> Outcome<Content> {
        let parsed = parse(self.text, ParseOptions::default());
        let mut content = Content::default();
        for statement in &parsed.script().statements {
            match statement {
                Statement::Model(model) => content.models.push(Model {
                    name: named(&model.name),
                    parameters: model
                        .parameters
                        .iter()
                        .map(|one| (named(&one.name), word(one.kind).to_owned()))
                        .collect(),
                    vnfd: model.descriptor.as_ref().map(|descriptor| descriptor.uri.clone()),
                    members: model.members.iter().map(|member| self.member(member)).collect(),
                }),
                Statement::Instance { entity, .. } => content.nodes.push(self.member(entity)),
                other => return Err(format!("this is not written in other forms: {other:?}").into()),
            }
        }
        Ok(content)
    }

    fn member(&self, entity: &Entity) -> Member {
        let (kind, name) = match entity {
            Entity::Node(node) => (Kind::Node, &node.name),
            Entity::Connection(connection) => (Kind::Connection, &connection.name),
            Entity::Flow(flow) => (Kind::Flow, &flow.name),
            Entity::Operation(operation) => (Kind::Operation, &operation.name),
            Entity::ConnectionPoint(point) => (Kind::ConnectionPoint, &point.name),
        };
        let mut member = Member {
            kind,
            name: named(name),
            of: None,
            at: None,
            ends: Vec::new(),
            properties: BTreeMap::new(),
            matches: BTreeMap::new(),
            priority: None,
            condition: None,
            actions: BTreeMap::new(),
        };
        match entity {
            Entity::Node(node) => {
                member.of = node.model.as_ref().map(path);
                member.properties = self.properties(&node.properties);
            }
            Entity::Connection(connection) => {
                member.of = connection.shape.as_ref().map(named);
                member.ends = connection.ends.iter().map(path).collect();
                member.properties = self.properties(&connection.properties);
            }
            Entity::Flow(flow) => {
                member.matches = self.properties(&flow.matches);
                member.properties = self.properties(&flow.properties);
            }
            Entity::Operation(operation) => {
                member.at = operation.target.as_ref().map(path);
                member.priority = operation.priority.map(|(priority, _)| priority);
                member.condition = operation.condition.as_ref().and_then(span).map(|span| self.said(span));
                let actions = operation.actions.iter();
                let value = |value: &_| self.said(*value);
                member.actions = actions
                    .map(|action| {
                        let given = action.value.as_ref().map(|given| given.span);
                        (named(&action.name), given.as_ref().map(value).unwrap_or_default())
                    })
                    .collect();
            }
            Entity::ConnectionPoint(point) => member.at = point.interface.as_ref().map(named),
        }
        member
    }

    fn properties(&self, all: &[Property]) -> BTreeMap<String, String> {
        all.iter()
            .map(|one| (named(&one.key), self.said(one.value.span)))
            .collect()
    }

    fn said(&self, span: Span) -> String {
        self.text[span.start as usize..span.end as usize].to_owned()
    }
}

fn named(name: &Name) -> String {
    name.text.clone()
}

fn path(path: &Path) -> String {
    let names: Vec<&str> = path.segments.iter().map(|name| name.text.as_str()).collect();
    names.join(":")
}

fn word(kind: Option<ParameterKind>) -> &'static str {
    match kind {
        Some(ParameterKind::String) => "string",
        Some(ParameterKind::Integer) => "integer",
        Some(ParameterKind::Range) => "range",
        Some(ParameterKind::Reserved) | None => "reserved",
    }
}

/// From the first term of a condition to the last. `None`: it has no term.
fn span(condition: &Condition) -> Option<Span> {
    match condition {
        Condition::Any(all) | Condition::All(all) => {
            let first = all.first().and_then(span)?;
            Some(first.to(all.last().and_then(span)?))
        }
        Condition::Not(inner) => span(inner),
        Condition::Term { span, .. } => Some(*span),
    }
}
