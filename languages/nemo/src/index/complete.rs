//! What could stand somewhere.

use crate::body::{is_group, model_of};
use crate::check::{Checked, MemberKind, Placed};
use crate::demand::MatchKey;
use crate::nets::Shape;
use crate::report::moved;
use crate::rules::ActionKind;
use manifold_nemo_syntax::diagnostic::FileId;

/// A body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyName {
    /// What stands at the top.
    Top,
    /// The body of a model.
    Model(String),
}

impl BodyName {
    fn model(&self) -> Option<&str> {
        match self {
            Self::Top => None,
            Self::Model(name) => Some(name),
        }
    }
}

/// Something that could stand somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// What is written.
    pub text: String,
    /// What it is.
    pub kind: CandidateKind,
    /// A few words about it.
    pub detail: String,
}

/// What a candidate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CandidateKind {
    /// A model.
    Model,
    /// A member of a body.
    Member(MemberKind),
    /// A parameter of a model.
    Parameter,
    /// An interface of a descriptor.
    Interface,
    /// A word of the language.
    Word,
}

impl Checked {
    /// The body that a place is in.
    pub fn body_at(&self, file: FileId, offset: u32) -> BodyName {
        let holds = |placed: &Placed| {
            let span = moved(placed.unit.body.span, placed.by);
            span.file == file && span.start <= offset && offset <= span.end
        };
        let found = self
            .model_order
            .iter()
            .find(|name| self.models.get(*name).is_some_and(holds));
        found.map_or(BodyName::Top, |name| BodyName::Model(name.clone()))
    }

    /// All models.
    pub fn complete_models(&self) -> Vec<Candidate> {
        let candidate = |name: &String| Candidate {
            text: name.clone(),
            kind: CandidateKind::Model,
            detail: match self.models.get(name).map(|placed| &placed.unit.leaf) {
                Some(Some(Ok(leaf))) => leaf.file.clone(),
                Some(None) => "composite".to_owned(),
                _ => String::new(),
            },
        };
        self.model_order.iter().map(candidate).collect()
    }

    /// The members of a kind of a body.
    pub fn complete_members(&self, body: &BodyName, kind: MemberKind) -> Vec<Candidate> {
        let Some(placed) = self.body(body.model()) else {
            return Vec::new();
        };
        let body = &placed.unit.body;
        let candidate = |(at, name): (usize, &manifold_nemo_syntax::script::Name)| Candidate {
            text: name.text.clone(),
            kind: CandidateKind::Member(kind),
            detail: match kind {
                MemberKind::Node => model_of(&body.nodes[at]).map_or_else(String::new, |model| model.text.clone()),
                kind => kind.noun().to_owned(),
            },
        };
        body.names(kind).enumerate().map(candidate).collect()
    }

    /// What a connection of a body can end at: its connection points, its nodes that have one, and `node:point` of all.
    pub fn complete_ends(&self, body: &BodyName) -> Vec<Candidate> {
        let mut found = self.complete_members(body, MemberKind::ConnectionPoint);
        let Some(placed) = self.body(body.model()) else {
            return found;
        };
        for node in placed.unit.body.nodes.iter().filter(|node| !is_group(node)) {
            let points = self.complete_points(body, &node.name.text);
            if points.len() == 1 {
                found.push(Candidate {
                    text: node.name.text.clone(),
                    kind: CandidateKind::Member(MemberKind::Node),
                    detail: model_of(node).map_or_else(String::new, |model| model.text.clone()),
                });
            }
            found.extend(points.into_iter().map(|point| Candidate {
                text: format!("{}:{}", node.name.text, point.text),
                ..point
            }));
        }
        found
    }

    /// The connection points of a node of a body.
    pub fn complete_points(&self, body: &BodyName, node: &str) -> Vec<Candidate> {
        let Some(model) = self.model_of_node(body, node) else {
            return Vec::new();
        };
        let points = &model.unit.body.points;
        let candidate = |point: &manifold_nemo_syntax::script::ConnectionPoint| Candidate {
            text: point.name.text.clone(),
            kind: CandidateKind::Member(MemberKind::ConnectionPoint),
            detail: match &point.interface {
                Some(interface) => format!("at VNFD:{}", interface.text),
                None => String::new(),
            },
        };
        points.iter().map(candidate).collect()
    }

    /// The parameters of the model of a node.
    pub fn complete_parameters(&self, body: &BodyName, node: &str) -> Vec<Candidate> {
        let Some(model) = self.model_of_node(body, node) else {
            return Vec::new();
        };
        let parameters = model.unit.body.parameters.iter();
        let candidate = |parameter: &manifold_nemo_syntax::script::Parameter| Candidate {
            text: parameter.name.text.clone(),
            kind: CandidateKind::Parameter,
            detail: super::kind_word(parameter.kind).to_owned(),
        };
        parameters.map(candidate).collect()
    }

    /// The interfaces of the descriptor of a leaf, and the parameters that could name one.
    pub fn complete_interfaces(&self, body: &BodyName) -> Vec<Candidate> {
        let Some(placed) = body.model().and_then(|model| self.models.get(model)) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        if let Some(Ok(leaf)) = &placed.unit.leaf {
            found.extend(leaf.interfaces.iter().map(|interface| Candidate {
                text: interface.name.clone(),
                kind: CandidateKind::Interface,
                detail: interface.role.clone(),
            }));
        }
        found.extend(placed.unit.body.parameters.iter().map(|parameter| Candidate {
            text: parameter.name.text.clone(),
            kind: CandidateKind::Parameter,
            detail: super::kind_word(parameter.kind).to_owned(),
        }));
        found
    }

    /// What an operation of a body can act on.
    pub fn complete_targets(&self, body: &BodyName) -> Vec<Candidate> {
        let kinds = [MemberKind::Flow, MemberKind::Node, MemberKind::Connection];
        kinds
            .into_iter()
            .flat_map(|kind| self.complete_members(body, kind))
            .collect()
    }

    fn model_of_node(&self, body: &BodyName, node: &str) -> Option<&Placed> {
        let placed = self.body(body.model())?;
        let node = placed.unit.body.nodes.iter().find(|other| other.name.text == *node)?;
        self.models.get(&model_of(node)?.text)
    }
}

/// Words for the types of connections, what flows match, what operations do.
pub fn words() -> [(&'static str, Vec<&'static str>); 3] {
    [
        ("Type", Shape::ALL.iter().map(|(_, word)| *word).collect()),
        ("Match", MatchKey::ALL.iter().map(|(_, names)| names[0]).collect()),
        ("Action", ActionKind::ALL.iter().map(|(_, names)| names[0]).collect()),
    ]
}
