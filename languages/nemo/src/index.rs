//! What an editor wants to know: what a name means, where it is defined and used, what it can be called instead, what could stand here.
//!
//! Answers come from the units of a check, which may be of any quality: a script with faults has names that mean something, too.

mod complete;
mod rename;

pub use complete::{BodyName, Candidate, CandidateKind, words};
pub use rename::RenameError;

use crate::body::model_of;
use crate::check::{Checked, MemberKind, Occurrence, Placed, Target};
use crate::leaf::{Interface, Leaf};
use crate::report::{interface_label, moved};
use crate::values::shown;
use manifold_nemo_syntax::diagnostic::{FileId, Label, LabelPlace, Span};
use manifold_nemo_syntax::script::ParameterKind;
use std::sync::Arc;

/// Something that has a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Symbol {
    /// A model.
    Model(String),
    /// A parameter of a model.
    Parameter {
        /// The model.
        model: String,
        /// The parameter.
        name: String,
    },
    /// A member of a body.
    Member {
        /// The model; `None`: it stands at the top.
        model: Option<String>,
        /// Of what kind.
        kind: MemberKind,
        /// Its name.
        name: String,
    },
    /// An interface of the descriptor of a leaf.
    Interface {
        /// The leaf.
        model: String,
        /// The interface's external name.
        name: String,
    },
}

/// A name somewhere in a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// Where.
    pub span: Span,
    /// What it means.
    pub symbol: Symbol,
    /// The name is given here, and not used.
    pub is_definition: bool,
}

impl Checked {
    /// The models' units in the order of the files, and the root's.
    fn placed(&self) -> impl Iterator<Item = &Placed> {
        self.model_order
            .iter()
            .filter_map(|name| self.models.get(name))
            .chain([&self.root])
    }

    /// The name at a place, or just in front of it.
    pub fn mention_at(&self, file: FileId, offset: u32) -> Option<Mention> {
        let holds = |span: Span| span.file == file && span.start <= offset && offset <= span.end;
        let found = self.placed().find_map(|placed| {
            let occurrences = &placed.unit.occurrences;
            let own = |occurrence: &&Occurrence| holds(moved(occurrence.span, placed.by));
            // Of a use and a definition in one place, the use says more.
            let found = occurrences
                .iter()
                .filter(own)
                .min_by_key(|occurrence| occurrence.is_definition);
            found.map(|occurrence| (placed, *occurrence))
        });
        let (placed, occurrence) = found?;
        Some(Mention {
            span: moved(occurrence.span, placed.by),
            symbol: self.symbol(placed, occurrence.target)?,
            is_definition: occurrence.is_definition,
        })
    }

    fn symbol(&self, placed: &Placed, target: Target) -> Option<Symbol> {
        let body = &placed.unit.body;
        let model = || body.name.as_ref().map(|name| name.text.clone());
        let used = |node: usize| model_of(body.nodes.get(node)?).map(|name| name.text.clone());
        Some(match target {
            Target::This => Symbol::Model(model()?),
            Target::Parameter(at) => Symbol::Parameter {
                model: model()?,
                name: body.parameters.get(at)?.name.text.clone(),
            },
            Target::Member(kind, at) => Symbol::Member {
                model: model(),
                kind,
                name: body.names(kind).nth(at)?.text.clone(),
            },
            Target::ModelOf(node) => Symbol::Model(used(node)?),
            Target::PointOf(node, point) => {
                let model = used(node)?;
                let name = self.models.get(&model)?.unit.body.points.get(point)?.name.text.clone();
                Symbol::Member {
                    model: Some(model),
                    kind: MemberKind::ConnectionPoint,
                    name,
                }
            }
            Target::ParameterOf(node, parameter) => {
                let model = used(node)?;
                let name = self
                    .models
                    .get(&model)?
                    .unit
                    .body
                    .parameters
                    .get(parameter)?
                    .name
                    .text
                    .clone();
                Symbol::Parameter { model, name }
            }
            Target::InterfaceOf(point) => Symbol::Interface {
                model: model()?,
                name: self.interface_of(placed, point)?.1.name.clone(),
            },
        })
    }

    fn interface_of<'a>(&'a self, placed: &'a Placed, point: usize) -> Option<(&'a Arc<Leaf>, &'a Interface)> {
        let Some(Ok(leaf)) = &placed.unit.leaf else { return None };
        let name = &placed.unit.body.points.get(point)?.interface.as_ref()?.text;
        match crate::interface::find(leaf, name) {
            crate::interface::Found::Named(at) | crate::interface::Found::Local(at) => {
                Some((leaf, &leaf.interfaces[at]))
            }
            _ => None,
        }
    }

    /// All places where something is named, in the order of files and text.
    pub fn mentions(&self, symbol: &Symbol) -> Vec<Mention> {
        let mut found = Vec::new();
        for placed in self.placed() {
            for occurrence in &placed.unit.occurrences {
                if self.symbol(placed, occurrence.target).as_ref() == Some(symbol) {
                    found.push(Mention {
                        span: moved(occurrence.span, placed.by),
                        symbol: symbol.clone(),
                        is_definition: occurrence.is_definition,
                    });
                }
            }
        }
        found.sort_by_key(|mention| (mention.span.file, mention.span.start));
        found.dedup();
        found
    }

    /// Every name of a file with its meaning, in the order of the text: for colours.
    pub fn mentions_in(&self, file: FileId) -> Vec<Mention> {
        let mut found: Vec<Mention> = Vec::new();
        for placed in self.placed().filter(|placed| placed.unit.body.span.file == file) {
            for occurrence in &placed.unit.occurrences {
                if let Some(symbol) = self.symbol(placed, occurrence.target) {
                    found.push(Mention {
                        span: moved(occurrence.span, placed.by),
                        symbol,
                        is_definition: occurrence.is_definition,
                    });
                }
            }
        }
        found.retain(|mention| mention.span.file == file);
        found.sort_by_key(|mention| mention.span.start);
        found
    }

    /// Where something is defined: in a script, or in a descriptor.
    pub fn definition(&self, symbol: &Symbol) -> Option<LabelPlace> {
        let here = |placed: &Placed, span: Span| Some(LabelPlace::Script(moved(span, placed.by)));
        match symbol {
            Symbol::Model(model) => {
                let placed = self.models.get(model)?;
                here(placed, placed.unit.body.name.as_ref()?.span)
            }
            Symbol::Parameter { model, name } => {
                let placed = self.models.get(model)?;
                let parameter = placed.unit.body.parameter(name)?;
                here(placed, placed.unit.body.parameters[parameter].name.span)
            }
            Symbol::Member { model, kind, name } => {
                let placed = self.body(model.as_deref())?;
                let defined = placed.unit.body.names(*kind).find(|other| other.text == *name)?;
                here(placed, defined.span)
            }
            Symbol::Interface { model, name } => {
                let (leaf, interface) = self.named_interface(model, name)?;
                let Label { place, .. } = interface_label(leaf, interface, "");
                Some(place)
            }
        }
    }

    fn body(&self, model: Option<&str>) -> Option<&Placed> {
        match model {
            None => Some(&self.root),
            Some(model) => self.models.get(model),
        }
    }

    fn named_interface(&self, model: &str, name: &str) -> Option<(&Arc<Leaf>, &Interface)> {
        let Some(Ok(leaf)) = &self.models.get(model)?.unit.leaf else {
            return None;
        };
        let interface = leaf.interfaces.iter().find(|interface| interface.name == *name)?;
        Some((leaf, interface))
    }

    /// What is known of something, as Markdown.
    pub fn hover(&self, symbol: &Symbol) -> Option<String> {
        let text = match symbol {
            Symbol::Model(model) => self.hover_model(model)?,
            Symbol::Parameter { model, name } => {
                let body = &self.models.get(model)?.unit.body;
                let parameter = &body.parameters[body.parameter(name)?];
                format!("parameter `{name}` of `{model}`: {}", kind_word(parameter.kind))
            }
            Symbol::Interface { model, name } => {
                let (leaf, interface) = self.named_interface(model, name)?;
                self.hover_interface(leaf, interface)
            }
            Symbol::Member { model, kind, name } => self.hover_member(model.as_deref(), *kind, name)?,
        };
        Some(text)
    }

    fn hover_model(&self, model: &str) -> Option<String> {
        let unit = &self.models.get(model)?.unit;
        let body = &unit.body;
        let mut text = match &unit.leaf {
            Some(Ok(leaf)) => {
                format!(
                    "leaf model `{model}`: VNF `{}`, from {} ({})",
                    leaf.name, leaf.file, leaf.format
                )
            }
            Some(Err(error)) => format!("leaf model `{model}`: {}", error.message),
            None => format!(
                "composite model `{model}`: {} nodes, {} nets",
                body.nodes.len(),
                unit.nets.len()
            ),
        };
        for parameter in &body.parameters {
            text.push_str(&format!(
                "\n- parameter `{}`: {}",
                parameter.name.text,
                kind_word(parameter.kind)
            ));
        }
        for point in &body.points {
            match &point.interface {
                Some(interface) => text.push_str(&format!("\n- `{}` at `{}`", point.name.text, interface.text)),
                None => text.push_str(&format!("\n- `{}`", point.name.text)),
            }
        }
        Some(text)
    }

    fn hover_interface(&self, leaf: &Leaf, interface: &Interface) -> String {
        let mut text = format!("interface `{}` of {}", interface.name, leaf.file);
        if !interface.role.is_empty() {
            text.push_str(&format!(", {}", interface.role));
        }
        if let (Some(vnfc), Some(local)) = (&interface.vnfc, &interface.local_name) {
            text.push_str(&format!("; `{local}` inside `{vnfc}`"));
        }
        if interface.line > 0 {
            text.push_str(&format!(
                "\n\n```yaml\n{}\n```\nline {}",
                interface.text.trim_end(),
                interface.line
            ));
        }
        text
    }

    fn hover_member(&self, model: Option<&str>, kind: MemberKind, name: &str) -> Option<String> {
        let unit = &self.body(model)?.unit;
        let body = &unit.body;
        let at = body.names(kind).position(|other| other.text == *name)?;
        Some(match kind {
            MemberKind::Node => {
                let node = &body.nodes[at];
                match model_of(node) {
                    Some(used) => {
                        let mut text = format!("node `{name}` of type `{}`", used.text);
                        for property in &node.properties {
                            text.push_str(&format!("\n- {}: {}", property.key.text, shown(&property.value)));
                        }
                        text
                    }
                    None => format!("group `{name}`"),
                }
            }
            MemberKind::Connection => {
                let connection = &body.connections[at];
                let shape = connection.shape.as_ref().map_or("p2p", |shape| &shape.text);
                let ends: Vec<String> = connection
                    .ends
                    .iter()
                    .map(|path| {
                        path.segments
                            .iter()
                            .map(|name| name.text.as_str())
                            .collect::<Vec<_>>()
                            .join(":")
                    })
                    .collect();
                format!("connection `{name}` ({shape}): {}", ends.join(", "))
            }
            MemberKind::Flow => {
                let matches = body.flows[at].matches.iter();
                let matches: Vec<String> = matches
                    .map(|found| format!("{}: {}", found.key.text, shown(&found.value)))
                    .collect();
                match matches.is_empty() {
                    true => format!("flow `{name}`: every packet"),
                    false => format!("flow `{name}`: {}", matches.join(", ")),
                }
            }
            MemberKind::Operation => {
                let operation = &body.operations[at];
                let actions = operation.actions.iter().map(|action| match &action.value {
                    Some(value) => format!("{}: {}", action.name.text, shown(value)),
                    None => action.name.text.clone(),
                });
                let priority = operation.priority.map_or(0, |(priority, _)| priority);
                format!(
                    "operation `{name}`, priority {priority}: {}",
                    actions.collect::<Vec<_>>().join(", ")
                )
            }
            MemberKind::ConnectionPoint => {
                let mut text = format!("connection point `{name}`");
                if let Some(model) = model {
                    text.push_str(&format!(" of `{model}`"));
                }
                if let Some((leaf, interface)) = self.interface_of(self.body(model)?, at) {
                    text.push_str(" at ");
                    text.push_str(&self.hover_interface(leaf, interface));
                }
                text
            }
        })
    }
}

fn kind_word(kind: Option<ParameterKind>) -> &'static str {
    match kind {
        Some(ParameterKind::String) => "string",
        Some(ParameterKind::Integer) => "integer",
        Some(ParameterKind::Range) => "range",
        Some(ParameterKind::Reserved) | None => "of a reserved type",
    }
}
