//! Looking at one body: what it holds, what is wrong with it, what it shows to those who use it.

use super::world::World;
use crate::body::{Arguments, Body, Names};
use crate::code;
use crate::demand::Demand;
use crate::leaf::{Leaf, LeafError};
use crate::nets::Net;
use crate::report::{Report, Tell, told};
use crate::signature::Signature;
use crate::statements::MemberKind;
use manifold_nemo_syntax::diagnostic::Span;
use manifold_nemo_syntax::script::{Property, Value};
use std::collections::HashMap;
use std::sync::Arc;

/// Most members of one body.
pub(crate) const MEMBERS_MAX: usize = 50_000;
/// Most parameters of one model.
pub(crate) const PARAMETERS_MAX: usize = 256;

/// A body that was looked at.
#[derive(Debug)]
pub(crate) struct Unit {
    pub(crate) body: Body,
    pub(crate) signature: Arc<Signature>,
    pub(crate) diagnostics: Vec<manifold_nemo_syntax::diagnostic::Diagnostic>,
    pub(crate) occurrences: Vec<Occurrence>,
    /// Of a leaf.
    pub(crate) leaf: Option<Result<Arc<Leaf>, LeafError>>,
    /// Of a composite.
    pub(crate) nets: Vec<Net>,
    /// For each connection point of a composite, its net.
    pub(crate) point_nets: Vec<Option<usize>>,
    /// The models that it uses, as they were.
    pub(crate) uses: Vec<(String, Option<Arc<Signature>>)>,
    /// All that was found can be told again when nothing but the place of this text has changed.
    pub(crate) keeps: bool,
}

/// A name somewhere in a body, and what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Occurrence {
    pub(crate) span: Span,
    pub(crate) target: Target,
    pub(crate) is_definition: bool,
}

/// What a name means, told by numbers of the body that it stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// The model that this is the body of.
    This,
    /// One of its parameters.
    Parameter(usize),
    /// One of its members.
    Member(MemberKind, usize),
    /// The model of one of its nodes.
    ModelOf(usize),
    /// A connection point of the model of one of its nodes.
    PointOf(usize, usize),
    /// A parameter of the model of one of its nodes.
    ParameterOf(usize, usize),
    /// The interface that one of its connection points is at.
    InterfaceOf(usize),
}

/// The work on one body.
pub(super) struct Look<'a> {
    pub(super) body: &'a Body,
    pub(super) names: Names<'a>,
    pub(super) world: &'a World<'a>,
    pub(super) arguments: Arguments<'a>,
    pub(super) report: Report,
    pub(super) signature: Signature,
    pub(super) occurrences: Vec<Occurrence>,
    /// For each node, its model's signature.
    pub(super) models: Vec<Option<Arc<Signature>>>,
    pub(super) uses: HashMap<&'a str, Option<Arc<Signature>>>,
    pub(super) is_used: Vec<bool>,
}

/// Looks at a body.
pub(super) fn look(body: Body, world: &World<'_>) -> Unit {
    let mut unit = Unit {
        signature: Arc::default(),
        diagnostics: Vec::new(),
        occurrences: Vec::new(),
        leaf: None,
        nets: Vec::new(),
        point_nets: Vec::new(),
        uses: Vec::new(),
        keeps: true,
        body,
    };
    let body = &unit.body;
    let mut look = Look {
        body,
        names: Names::of(body),
        world,
        arguments: Arguments {
            parameters: &body.parameters,
            values: None,
        },
        report: Report::on(body.span),
        signature: Signature::shallow(body),
        occurrences: Vec::new(),
        models: Vec::new(),
        uses: HashMap::new(),
        is_used: vec![false; body.parameters.len()],
    };
    if !look.is_within_limits() {
        unit.diagnostics = look.report.list;
        unit.signature = Arc::new(look.signature);
        return unit;
    }
    look.definitions();
    let leaf = if body.is_leaf() && !body.is_root() {
        look.leaf()
    } else {
        None
    };
    if !body.is_leaf() || body.is_root() {
        let (nets, point_nets) = look.composite();
        unit.nets = nets;
        unit.point_nets = point_nets;
    }
    look.unused_parameters();
    look.occurrences
        .sort_by_key(|occurrence| (occurrence.span.file, occurrence.span.start));
    unit.keeps = !look.report.points_elsewhere;
    unit.diagnostics = look.report.list;
    unit.signature = Arc::new(look.signature);
    unit.occurrences = look.occurrences;
    unit.uses = look
        .uses
        .into_iter()
        .map(|(name, signature)| (name.to_owned(), signature))
        .collect();
    unit.leaf = leaf;
    unit
}

impl Look<'_> {
    fn is_within_limits(&mut self) -> bool {
        let body = self.body;
        let members =
            body.nodes.len() + body.connections.len() + body.flows.len() + body.operations.len() + body.points.len();
        let place = body.name.as_ref().map_or(body.span, |name| name.span);
        for (count, limit, what) in [
            (members, MEMBERS_MAX, "members"),
            (body.parameters.len(), PARAMETERS_MAX, "parameters"),
        ] {
            if count > limit {
                let message = format!("{count} {what} in one body; {limit} are allowed");
                self.report
                    .push(told(code::LIMIT, place, message).help("part it into several models"));
                return false;
            }
        }
        true
    }

    /// Names that are given here: each once per kind.
    fn definitions(&mut self) {
        if let Some(name) = &self.body.name {
            self.occurrences.push(Occurrence {
                span: name.span,
                target: Target::This,
                is_definition: true,
            });
        }
        let mut seen: HashMap<(Option<MemberKind>, &str), Span> = HashMap::new();
        let parameters = self.body.parameters.iter().enumerate();
        let parameters = parameters.map(|(at, parameter)| (None, &parameter.name, Target::Parameter(at)));
        let of_kind = |kind| {
            let names = self.body.names(kind).enumerate();
            names.map(move |(at, name)| (Some(kind), name, Target::Member(kind, at)))
        };
        let members = parameters
            .chain(of_kind(MemberKind::Node))
            .chain(of_kind(MemberKind::Connection))
            .chain(of_kind(MemberKind::Flow))
            .chain(of_kind(MemberKind::Operation))
            .chain(of_kind(MemberKind::ConnectionPoint));
        for (kind, name, target) in members {
            self.occurrences.push(Occurrence {
                span: name.span,
                target,
                is_definition: true,
            });
            if let Some(first) = seen.insert((kind, &name.text), name.span) {
                let noun = kind.map_or("parameter", MemberKind::noun);
                self.report.push(
                    told(
                        code::DUPLICATE,
                        name.span,
                        format!("there is a {noun} `{}` already", name.text),
                    )
                    .label(first, "the first one")
                    .help("give one of them another name"),
                );
            }
        }
    }

    fn unused_parameters(&mut self) {
        for (at, parameter) in self.body.parameters.iter().enumerate() {
            if !self.is_used[at] {
                let message = format!("the parameter `{}` is used nowhere in its model", parameter.name.text);
                self.report
                    .push(told(code::PARAMETER_UNUSED, parameter.name.span, message));
            }
        }
    }

    /// A name that means something.
    pub(super) fn means(&mut self, span: Span, target: Target) {
        self.occurrences.push(Occurrence {
            span,
            target,
            is_definition: false,
        });
    }

    /// A value that comes from a parameter: it is used, and has to do for what stands here.
    pub(super) fn parameter_used(&mut self, parameter: usize, span: Span, demand: Option<Demand>) {
        self.is_used[parameter] = true;
        self.means(span, Target::Parameter(parameter));
        if let Some(demand) = demand {
            self.signature.demand(parameter, demand);
        }
    }

    /// A value that has to do for what stands here, or whose parameter has to.
    pub(super) fn value(&mut self, value: &Value, demand: impl Fn(&Value) -> Demand) {
        match self.arguments.given(value) {
            crate::body::Given::Parameter(at) => self.parameter_used(at, value.span, Some(demand(value))),
            crate::body::Given::Value(_) | crate::body::Given::Joined(_) => {
                if let Some(problem) = demand(value).check(value) {
                    self.report.push(problem.at(value.span));
                }
            }
        }
    }

    /// A value that may be anything: the parameters in it are used.
    pub(super) fn any_value(&mut self, value: &Value) {
        use manifold_nemo_syntax::script::ValueKind;
        match &value.kind {
            ValueKind::List(values) => values.iter().for_each(|value| self.any_value(value)),
            _ => {
                if let crate::body::Given::Parameter(at) = self.arguments.given(value) {
                    self.parameter_used(at, value.span, None);
                }
            }
        }
    }

    /// Each key once.
    pub(super) fn keys_once(&mut self, properties: &[Property]) {
        for (at, property) in properties.iter().enumerate() {
            let first = properties[..at]
                .iter()
                .find(|other| other.key.text == property.key.text);
            if let Some(first) = first {
                self.report.push(
                    told(
                        code::DUPLICATE,
                        property.key.span,
                        format!("`{}` is said twice", property.key.text),
                    )
                    .label(first.span, "the first time")
                    .help("leave one of them out"),
                );
            }
        }
    }
}
