//! What a body can see around it: the models of all files, and the descriptors.

use crate::body::model_of;
use crate::code;
use crate::leaf::LeafSource;
use crate::report::{Report, Tell, told};
use crate::signature::Signature;
use crate::statements::{Folded, name_of};
use manifold_nemo_syntax::diagnostic::Span;
use manifold_nemo_syntax::script::{DeleteKind, Entity, Model, Node};
use std::collections::HashMap;
use std::sync::Arc;

/// Deepest nesting of models.
pub(crate) const NESTING_MAX: usize = 64;

/// What stands around the bodies.
pub(super) struct World<'a> {
    pub(super) leaves: &'a dyn LeafSource,
    models: HashMap<&'a str, &'a Model>,
    deleted: HashMap<(DeletedKind, &'a str), Span>,
    signatures: HashMap<&'a str, Arc<Signature>>,
}

/// As [`DeleteKind`], its synonyms put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum DeletedKind {
    Model,
    Node,
    Connection,
    Flow,
    Operation,
    Point,
}

impl DeletedKind {
    fn of(kind: DeleteKind) -> Self {
        match kind {
            DeleteKind::NodeModel | DeleteKind::TemplateDefinition => Self::Model,
            DeleteKind::Node | DeleteKind::TemplateInstance => Self::Node,
            DeleteKind::Connection => Self::Connection,
            DeleteKind::Flow => Self::Flow,
            DeleteKind::Operation => Self::Operation,
            DeleteKind::ConnectionPoint => Self::Point,
        }
    }
}

impl<'a> World<'a> {
    /// The models of all files; of those with one name, the first. The others are told of.
    pub(super) fn of(files: &'a [Folded<'a>], leaves: &'a dyn LeafSource, report: &mut Report) -> Self {
        let mut world = Self {
            leaves,
            models: HashMap::new(),
            deleted: HashMap::new(),
            signatures: HashMap::new(),
        };
        for model in files.iter().flat_map(|file| &file.models) {
            let name = &model.name;
            match world.models.get(name.text.as_str()) {
                None => drop(world.models.insert(&name.text, model)),
                Some(first) => report.push(
                    told(
                        code::DUPLICATE,
                        name.span,
                        format!("there is a model `{}` already", name.text),
                    )
                    .label(first.name.span, "the first one")
                    .help("give one of them another name; UPDATE changes a model"),
                ),
            }
        }
        for (kind, path) in files.iter().flat_map(|file| &file.deleted) {
            if let [name] = path.segments.as_slice() {
                world.deleted.insert((DeletedKind::of(*kind), &name.text), path.span);
            }
        }
        world
    }

    /// Whether this very model counts, and not another of its name.
    pub(super) fn is_the_one(&self, model: &Model) -> bool {
        self.models
            .get(model.name.text.as_str())
            .is_some_and(|counts| std::ptr::eq(*counts, model))
    }

    pub(super) fn model_names(&self) -> impl Iterator<Item = &'a str> {
        self.models.keys().copied()
    }

    pub(super) fn signature(&self, model: &str) -> Option<&Arc<Signature>> {
        self.signatures.get(model)
    }

    pub(super) fn know(&mut self, model: &'a str, signature: Arc<Signature>) {
        self.signatures.insert(model, signature);
    }

    /// Where a model is defined.
    pub(super) fn model_place(&self, model: &str) -> Option<Span> {
        self.models.get(model).map(|model| model.name.span)
    }

    /// Where a parameter of a model is declared.
    pub(super) fn parameter(&self, model: &str, parameter: &str) -> Option<Span> {
        let parameters = &self.models.get(model)?.parameters;
        parameters
            .iter()
            .find(|other| other.name.text == parameter)
            .map(|parameter| parameter.name.span)
    }

    /// Where something was taken away that is not there any more.
    pub(super) fn deleted(&self, kind: DeleteKind, name: &str) -> Option<Span> {
        self.deleted.get(&(DeletedKind::of(kind), name)).copied()
    }

    /// The models, those that are used before those that use them, and whether that cannot be: a circle is told of, and cut where it
    /// closes.
    pub(super) fn in_order(&self, models: &[&'a Model], report: &mut Report) -> (Vec<&'a Model>, bool) {
        let mut order = Order {
            world: self,
            state: HashMap::new(),
            done: Vec::with_capacity(models.len()),
            has_circles: false,
        };
        for model in models {
            order.visit(model, report);
        }
        (order.done, order.has_circles)
    }
}

enum State {
    Open,
    Done { height: usize },
}

struct Order<'a, 'w> {
    world: &'w World<'a>,
    state: HashMap<&'a str, State>,
    done: Vec<&'a Model>,
    has_circles: bool,
}

struct Visit<'a> {
    model: &'a Model,
    next: usize,
    height: usize,
}

impl<'a> Order<'a, '_> {
    fn visit(&mut self, model: &'a Model, report: &mut Report) {
        if self.state.contains_key(model.name.text.as_str()) {
            return;
        }
        self.state.insert(&model.name.text, State::Open);
        let mut path = vec![Visit {
            model,
            next: 0,
            height: 0,
        }];
        while let Some(visit) = path.last_mut() {
            let Some(member) = visit.model.members.get(visit.next) else {
                let (model, height) = (visit.model, visit.height + 1);
                if height == NESTING_MAX + 1 {
                    let message = format!("`{}` nests models deeper than {NESTING_MAX} levels", model.name.text);
                    report.push(told(code::LIMIT, model.name.span, message));
                }
                self.state.insert(&model.name.text, State::Done { height });
                self.done.push(model);
                path.pop();
                if let Some(outer) = path.last_mut() {
                    outer.height = outer.height.max(height);
                }
                continue;
            };
            visit.next += 1;
            let Entity::Node(node) = member else { continue };
            let Some(name) = model_of(node) else { continue };
            let Some(used) = self.world.models.get(name.text.as_str()).copied() else {
                continue;
            };
            match self.state.get(used.name.text.as_str()) {
                None => {
                    self.state.insert(&used.name.text, State::Open);
                    path.push(Visit {
                        model: used,
                        next: 0,
                        height: 0,
                    });
                }
                Some(State::Done { height }) => visit.height = visit.height.max(*height),
                Some(State::Open) => {
                    self.has_circles = true;
                    report.push(circle(&path, used, node));
                }
            }
        }
    }
}

/// The way from a model to itself.
fn circle(path: &[Visit<'_>], used: &Model, closing: &Node) -> manifold_nemo_syntax::diagnostic::Diagnostic {
    let start = path
        .iter()
        .position(|visit| std::ptr::eq(visit.model, used))
        .unwrap_or(0);
    let on_circle = &path[start..];
    let mut way: Vec<&str> = on_circle.iter().map(|visit| visit.model.name.text.as_str()).collect();
    way.push(&used.name.text);
    let place = model_of(closing).map_or(closing.name.span, |name| name.span);
    let message = match on_circle {
        [_] => format!("the model `{}` has itself inside", used.name.text),
        _ => format!("the model `{}` has itself inside: {}", used.name.text, way.join(" → ")),
    };
    let mut found =
        told(code::RECURSION, place, message).help("what is made of itself has no end; take one of these nodes out");
    // The member that is looked at was counted already.
    for (visit, next) in on_circle.iter().zip(&way[1..]) {
        let looked_at = visit.next.checked_sub(1);
        let Some(node) = looked_at.and_then(|at| visit.model.members.get(at)) else {
            continue;
        };
        let name = name_of(node);
        if name.span != closing.name.span {
            found = found.label(
                name.span,
                format!("`{}` has `{}`, which is a `{next}`", visit.model.name.text, name.text),
            );
        }
    }
    found
}
