//! From statements to what stands at the end: CREATE, IMPORT, UPDATE and DELETE one after another, withdrawn transactions left out.
//!
//! ```text
//! statements of one file ──transactions──> those with effect ──fold──> models, members of the root
//! ```
//! A script is a wish for a state, so only what stands after its last statement counts. UPDATE and DELETE are about what stands before
//! them in the same file. UPDATE replaces the clauses that it has, and of the properties those that it names; with a model it replaces
//! the members that it names, clause by clause, and adds others.

mod merge;
mod transactions;

use crate::code;
use crate::nearest::nearest;
use crate::report::{Report, Sure, Tell, told};
use manifold_nemo_syntax::diagnostic::{Severity, Span};
use manifold_nemo_syntax::script::{DeleteKind, Entity, Model, Name, Path, Statement, Verb};
use std::borrow::Cow;
use std::collections::HashMap;

/// How strictly the language is taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Strictness {
    /// What the language's own first texts get wrong is an error.
    #[default]
    Strict,
    /// It is a warning, where it is clear what was meant.
    Lenient,
}

/// Kinds of members of a body. Each has names of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MemberKind {
    /// `Node`.
    Node,
    /// `Connection`.
    Connection,
    /// `Flow`.
    Flow,
    /// `Operation`.
    Operation,
    /// `ConnectionPoint`.
    ConnectionPoint,
}

impl MemberKind {
    /// As people say it.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Connection => "connection",
            Self::Flow => "flow",
            Self::Operation => "operation",
            Self::ConnectionPoint => "connection point",
        }
    }
}

pub(crate) fn kind_of(entity: &Entity) -> MemberKind {
    match entity {
        Entity::Node(_) => MemberKind::Node,
        Entity::Connection(_) => MemberKind::Connection,
        Entity::Flow(_) => MemberKind::Flow,
        Entity::Operation(_) => MemberKind::Operation,
        Entity::ConnectionPoint(_) => MemberKind::ConnectionPoint,
    }
}

pub(crate) fn name_of(entity: &Entity) -> &Name {
    match entity {
        Entity::Node(node) => &node.name,
        Entity::Connection(connection) => &connection.name,
        Entity::Flow(flow) => &flow.name,
        Entity::Operation(operation) => &operation.name,
        Entity::ConnectionPoint(point) => &point.name,
    }
}

pub(crate) fn span_of(entity: &Entity) -> Span {
    match entity {
        Entity::Node(node) => node.span,
        Entity::Connection(connection) => connection.span,
        Entity::Flow(flow) => flow.span,
        Entity::Operation(operation) => operation.span,
        Entity::ConnectionPoint(point) => point.span,
    }
}

/// What the statements of one file come to.
#[derive(Debug, Default)]
pub(crate) struct Folded<'a> {
    /// Models in the order in which they were made; two of one name are told of later, with those of other files.
    pub(crate) models: Vec<Cow<'a, Model>>,
    /// Members of the root.
    pub(crate) root: Vec<Cow<'a, Entity>>,
    /// What was taken away, for messages about what still uses it.
    pub(crate) deleted: Vec<(DeleteKind, &'a Path)>,
    /// Questions.
    pub(crate) queries: Vec<(&'a Name, Option<&'a Path>)>,
}

/// Folds the statements of one file.
pub(crate) fn fold<'a>(
    statements: &'a [Statement],
    text: &str,
    strictness: Strictness,
    report: &mut Report,
) -> Folded<'a> {
    let mut fold = Fold {
        models: Vec::new(),
        root: Vec::new(),
        deleted: Vec::new(),
        queries: Vec::new(),
        model_by_name: HashMap::new(),
        member_by_name: HashMap::new(),
        text,
        strictness,
        report,
    };
    let has_effect = transactions::with_effect(statements, fold.report);
    for (statement, _) in statements.iter().zip(has_effect).filter(|(_, has_effect)| *has_effect) {
        fold.statement(statement);
    }
    Folded {
        models: fold.models.into_iter().flatten().collect(),
        root: fold.root.into_iter().flatten().collect(),
        deleted: fold.deleted,
        queries: fold.queries,
    }
}

/// What stands so far. What was deleted leaves an empty place; a name leads to the latest that has it.
struct Fold<'a, 'r> {
    models: Vec<Option<Cow<'a, Model>>>,
    root: Vec<Option<Cow<'a, Entity>>>,
    deleted: Vec<(DeleteKind, &'a Path)>,
    queries: Vec<(&'a Name, Option<&'a Path>)>,
    model_by_name: HashMap<&'a str, usize>,
    member_by_name: HashMap<(MemberKind, &'a str), usize>,
    text: &'r str,
    strictness: Strictness,
    report: &'r mut Report,
}

impl<'a> Fold<'a, '_> {
    fn statement(&mut self, statement: &'a Statement) {
        match statement {
            Statement::Model(model) => self.model(model),
            Statement::Instance { verb, entity, span } => self.instance(*verb, entity, *span),
            Statement::Delete { kind, path, .. } => self.delete(*kind, path),
            Statement::Query { what, from, .. } => self.queries.push((what, from.as_ref())),
            Statement::Transaction { .. } | Statement::Notification { .. } | Statement::Reserved { .. } => {}
        }
    }

    fn model(&mut self, model: &'a Model) {
        let name = model.name.text.as_str();
        match model.verb {
            // IMPORT of a model means CREATE.
            Verb::Create | Verb::Import => {}
            Verb::Update => match self.model_by_name.get(name) {
                Some(at) => {
                    if let Some(stands) = &mut self.models[*at] {
                        merge::model(stands.to_mut(), model);
                    }
                    return;
                }
                None => {
                    let near = nearest(name, self.model_by_name.keys().copied());
                    self.nothing_to_update("model", &model.name, near);
                }
            },
        }
        self.model_by_name.insert(name, self.models.len());
        self.models.push(Some(Cow::Borrowed(model)));
    }

    /// The verb stands at the beginning of the statement.
    fn verb_span(&self, statement: Span, verb: &str) -> Option<Span> {
        let start = statement.start as usize;
        let written = self.text.get(start..start + verb.len())?;
        written.eq_ignore_ascii_case(verb).then(|| Span {
            end: statement.start + verb.len() as u32,
            ..statement
        })
    }

    fn instance(&mut self, verb: Verb, entity: &'a Entity, span: Span) {
        let (kind, name) = (kind_of(entity), name_of(entity));
        let key = (kind, name.text.as_str());
        match verb {
            Verb::Create => {}
            Verb::Import => self.import(kind, name, span),
            Verb::Update => match self.member_by_name.get(&key) {
                Some(at) => {
                    if let Some(stands) = &mut self.root[*at] {
                        merge::entity(stands.to_mut(), entity);
                    }
                    return;
                }
                None => {
                    let near = self.nearest_member(kind, &name.text);
                    self.nothing_to_update(kind.noun(), name, near);
                }
            },
        }
        self.member_by_name.insert(key, self.root.len());
        self.root.push(Some(Cow::Borrowed(entity)));
    }

    fn import(&mut self, kind: MemberKind, name: &Name, span: Span) {
        let mut found = told(
            code::IMPORT,
            name.span,
            format!(
                "IMPORT binds the {} `{}` to equipment that exists already, and there is none to bind to",
                kind.noun(),
                name.text
            ),
        )
        .help("CREATE it from a model");
        if self.strictness == Strictness::Lenient {
            found.severity = Severity::Warning;
        }
        self.report.push(match self.verb_span(span, "IMPORT") {
            Some(verb) => found.replace("write CREATE", verb, "CREATE", Sure::No),
            None => found,
        });
    }

    fn nothing_to_update(&mut self, noun: &str, name: &Name, near: Option<&str>) {
        let message = format!(
            "there is no {noun} `{}` before this that UPDATE could change",
            name.text
        );
        let found = told(code::UPDATE, name.span, message);
        self.report.push(match near {
            Some(near) => found.replace(format!("write `{near}`"), name.span, near, Sure::No),
            None => {
                found.help("UPDATE and DELETE are about what the same file has made before; CREATE makes something new")
            }
        });
    }

    fn nearest_member(&self, kind: MemberKind, name: &str) -> Option<&'a str> {
        let known = self.member_by_name.keys().filter(|(of, _)| *of == kind);
        nearest(name, known.map(|(_, name)| *name))
    }

    fn delete(&mut self, kind: DeleteKind, path: &'a Path) {
        let of_member = match kind {
            DeleteKind::Node | DeleteKind::TemplateInstance => Some(MemberKind::Node),
            DeleteKind::Connection => Some(MemberKind::Connection),
            DeleteKind::Flow => Some(MemberKind::Flow),
            DeleteKind::Operation => Some(MemberKind::Operation),
            DeleteKind::ConnectionPoint => Some(MemberKind::ConnectionPoint),
            DeleteKind::NodeModel | DeleteKind::TemplateDefinition => None,
        };
        match (of_member, path.segments.as_slice()) {
            (None, [model]) => match self.model_by_name.remove(model.text.as_str()) {
                Some(at) => {
                    self.models[at] = None;
                    self.deleted.push((kind, path));
                }
                None => {
                    let near = nearest(&model.text, self.model_by_name.keys().copied());
                    self.nothing_to_delete("model", model, near);
                }
            },
            (Some(member), [name]) => match self.member_by_name.remove(&(member, name.text.as_str())) {
                Some(at) => {
                    self.root[at] = None;
                    self.deleted.push((kind, path));
                }
                None => {
                    let near = self.nearest_member(member, &name.text);
                    self.nothing_to_delete(member.noun(), name, near);
                }
            },
            (Some(member), [model, name]) => self.delete_from_model(member, model, name),
            _ => self.report.push(
                told(code::DELETE, path.span, "this names no member of a model")
                    .help("write the name of what stands at the top, or `model:member`"),
            ),
        }
    }

    /// `DELETE Connection dmz:c2`.
    fn delete_from_model(&mut self, kind: MemberKind, model: &'a Name, name: &'a Name) {
        let at = self.model_by_name.get(model.text.as_str());
        let Some(stands) = at.and_then(|at| self.models[*at].as_mut()) else {
            if self
                .member_by_name
                .contains_key(&(MemberKind::Node, model.text.as_str()))
            {
                let message = format!("the inside of the node `{}` is that of its model", model.text);
                self.report.push(
                    told(code::DELETE, model.span, message)
                        .help("name the model instead of the node, or give the node another model"),
                );
            } else {
                let near = nearest(&model.text, self.model_by_name.keys().copied());
                self.nothing_to_delete("model", model, near);
            }
            return;
        };
        let is_meant = |member: &Entity| kind_of(member) == kind && name_of(member).text == name.text;
        if stands.members.iter().any(is_meant) {
            stands.to_mut().members.retain(|member| !is_meant(member));
            return;
        }
        let known = stands.members.iter().filter(|member| kind_of(member) == kind);
        let near = nearest(&name.text, known.map(|member| name_of(member).text.as_str())).map(str::to_owned);
        self.nothing_to_delete(kind.noun(), name, near.as_deref());
    }

    fn nothing_to_delete(&mut self, noun: &str, name: &Name, near: Option<&str>) {
        let message = format!(
            "there is no {noun} `{}` before this that DELETE could take away",
            name.text
        );
        let found = told(code::DELETE, name.span, message);
        self.report.push(match near {
            Some(near) => found.replace(format!("write `{near}`"), name.span, near, Sure::No),
            None => found,
        });
    }
}
