//! Names of a script: where each is defined, where it is used, and what a use has to be looked up as.
//!
//! ```text
//! Script ──Index::of──> definitions (by body, kind, name)        one document, nothing looked up
//!                       uses (name, body, how to look it up)
//!                                  │
//!            World: all documents ─┴─ resolve ──> Symbol ── definitions, occurrences (over all documents)
//! ```
//! An index knows its own script alone, so that a keystroke makes one index anew; what names mean in other scripts is looked up when it
//! is asked for.

mod gather;
mod models;
mod resolve;

pub(crate) use models::Models;
pub(crate) use resolve::{Occurrence, Role, Symbol, World};

use manifold_nemo_syntax::diagnostic::Span;
use manifold_nemo_syntax::script::{Entity, Model, Name, Script, Statement};
use std::collections::HashMap;
use std::sync::Arc;

/// What kind of thing has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names are the language's")]
pub(crate) enum Kind {
    Model,
    Parameter,
    Node,
    Connection,
    ConnectionPoint,
    Flow,
    Operation,
    /// An interface of a VNF descriptor.
    Interface,
}

impl Kind {
    /// What people call it.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Parameter => "parameter",
            Self::Node => "node",
            Self::Connection => "connection",
            Self::ConnectionPoint => "connection point",
            Self::Flow => "flow",
            Self::Operation => "operation",
            Self::Interface => "interface",
        }
    }
}

/// Where a thing belongs: a model's body, or the script itself.
pub(crate) type Body = Option<Arc<str>>;

/// Where a definition stands in its [`Script`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Index of the statement.
    pub(crate) statement: usize,
    /// Index of the member or, for a parameter, of the parameter.
    pub(crate) member: Option<usize>,
}

/// A name is given.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Definition {
    /// To what.
    pub(crate) kind: Kind,
    /// The name.
    pub(crate) name: Name,
    /// Where it belongs. A model belongs to the script.
    pub(crate) body: Body,
    /// All that is said there about the thing.
    pub(crate) whole: Span,
    /// Its place in the script.
    pub(crate) origin: Origin,
}

/// A name is used.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Use {
    /// The name.
    pub(crate) name: Name,
    /// In whose body.
    pub(crate) body: Body,
    /// What it can mean.
    pub(crate) lookup: Lookup,
}

/// How a used name is looked up.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Lookup {
    /// A model.
    Model,
    /// A segment of a path.
    Path {
        /// All segments.
        path: Arc<[Name]>,
        /// Which one this is.
        at: usize,
        /// What it leads to.
        to: Goal,
    },
    /// The key of a property: a parameter of this model, if it has it.
    Key {
        /// The model's name.
        model: Arc<str>,
    },
    /// A value, which may be a parameter of the body's model.
    Value,
    /// What stands behind `at VNFD:`: a parameter, or an interface of the descriptor.
    Interface,
}

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goal {
    /// A thing of this kind.
    One(Kind),
    /// An end of a connection: a connection point of the body, a node, or a connection point of a node.
    End,
    /// What an operation acts on: a flow, a node or a connection.
    Target,
    /// A node that packets go through, and the connection points that they go in and come out by.
    Through,
    /// Anything that has a name.
    Anything,
}

impl Goal {
    /// The kinds that the segment of a path can be of, the likeliest first.
    pub(crate) fn kinds(&self, at: usize, length: usize) -> &[Kind] {
        const NODE: &[Kind] = &[Kind::Node];
        const POINT: &[Kind] = &[Kind::ConnectionPoint];
        const END: &[Kind] = &[Kind::ConnectionPoint, Kind::Node];
        const TARGET: &[Kind] = &[Kind::Flow, Kind::Node, Kind::Connection];
        const ANYTHING: &[Kind] = &[
            Kind::Node,
            Kind::Connection,
            Kind::ConnectionPoint,
            Kind::Flow,
            Kind::Operation,
        ];
        match self {
            Self::Through if at > 0 => POINT,
            Self::Through => NODE,
            _ if at + 1 < length => NODE,
            Self::One(kind) => std::slice::from_ref(kind),
            Self::End => END,
            Self::Target => TARGET,
            Self::Anything => ANYTHING,
        }
    }
}

/// A script's names.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// In the order of the text.
    pub(crate) definitions: Vec<Definition>,
    /// In the order of the text.
    pub(crate) uses: Vec<Use>,
    models: HashMap<Arc<str>, Vec<usize>>,
    members: HashMap<(Body, Kind), HashMap<Arc<str>, Vec<usize>>>,
}

impl Index {
    /// Of a script.
    pub(crate) fn of(script: &Script) -> Self {
        let mut index = gather::gather(script);
        index.definitions.sort_by_key(|definition| definition.name.span.start);
        index.uses.sort_by_key(|used| used.name.span.start);
        for (at, definition) in index.definitions.iter().enumerate() {
            let name: Arc<str> = definition.name.text.as_str().into();
            match definition.kind {
                Kind::Model => index.models.entry(name).or_default().push(at),
                kind => index
                    .members
                    .entry((definition.body.clone(), kind))
                    .or_default()
                    .entry(name)
                    .or_default()
                    .push(at),
            }
        }
        index
    }

    /// Models of a name, as the script defines them.
    pub(crate) fn models(&self, name: &str) -> impl Iterator<Item = &Definition> {
        self.models
            .get(name)
            .into_iter()
            .flatten()
            .map(|&at| &self.definitions[at])
    }

    /// Names of all models.
    pub(crate) fn model_names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.models.keys()
    }

    /// Things of a kind and a name in a body.
    pub(crate) fn members(&self, body: &Body, kind: Kind, name: &str) -> impl Iterator<Item = &Definition> {
        self.members
            .get(&(body.clone(), kind))
            .and_then(|names| names.get(name))
            .into_iter()
            .flatten()
            .map(|&at| &self.definitions[at])
    }

    /// All things of a kind in a body, in the order of the text.
    pub(crate) fn members_of_kind(&self, body: &Body, kind: Kind) -> Vec<&Definition> {
        let names = self.members.get(&(body.clone(), kind));
        let mut found: Vec<usize> = names
            .into_iter()
            .flat_map(|names| names.values().flatten().copied())
            .collect();
        found.sort_unstable();
        found.into_iter().map(|at| &self.definitions[at]).collect()
    }

    /// The definition whose name is at a byte; the byte behind a name counts, for a cursor stands there after typing it.
    pub(crate) fn definition_at(&self, offset: u32) -> Option<&Definition> {
        let behind = self
            .definitions
            .partition_point(|definition| definition.name.span.start <= offset);
        let candidate = &self.definitions[behind.checked_sub(1)?];
        (offset <= candidate.name.span.end).then_some(candidate)
    }

    /// The use at a byte. One that begins there goes before one that ends there.
    pub(crate) fn use_at(&self, offset: u32) -> Option<&Use> {
        let behind = self.uses.partition_point(|used| used.name.span.start <= offset);
        let candidate = &self.uses[behind.checked_sub(1)?];
        (offset <= candidate.name.span.end).then_some(candidate)
    }

    /// The body that a byte is in.
    pub(crate) fn body_at(&self, script: &Script, offset: u32) -> Body {
        let at = script
            .statements
            .partition_point(|statement| span(statement).start <= offset);
        match script.statements.get(at.checked_sub(1)?) {
            Some(Statement::Model(model)) => Some(model.name.text.as_str().into()),
            _ => None,
        }
    }
}

impl Definition {
    /// The model that it is, or that it belongs to as a parameter or member.
    pub(crate) fn model<'s>(&self, script: &'s Script) -> Option<&'s Model> {
        match script.statements.get(self.origin.statement)? {
            Statement::Model(model) => Some(model),
            _ => None,
        }
    }

    /// The entity that it is.
    pub(crate) fn entity<'s>(&self, script: &'s Script) -> Option<&'s Entity> {
        match script.statements.get(self.origin.statement)? {
            Statement::Model(model) => model.members.get(self.origin.member?),
            Statement::Instance { entity, .. } => Some(entity),
            _ => None,
        }
    }
}

/// A statement's place.
pub(crate) fn span(statement: &Statement) -> Span {
    match statement {
        Statement::Model(model) => model.span,
        Statement::Instance { span, .. }
        | Statement::Delete { span, .. }
        | Statement::Query { span, .. }
        | Statement::Transaction { span, .. }
        | Statement::Notification { span, .. }
        | Statement::Reserved { span, .. } => *span,
    }
}

/// An entity's kind, name and place.
pub(crate) fn head(entity: &Entity) -> (Kind, &Name, Span) {
    match entity {
        Entity::Node(node) => (Kind::Node, &node.name, node.span),
        Entity::Connection(connection) => (Kind::Connection, &connection.name, connection.span),
        Entity::Flow(flow) => (Kind::Flow, &flow.name, flow.span),
        Entity::Operation(operation) => (Kind::Operation, &operation.name, operation.span),
        Entity::ConnectionPoint(point) => (Kind::ConnectionPoint, &point.name, point.span),
    }
}
