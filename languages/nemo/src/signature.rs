//! What those who use a model see of it: its parameters with what is demanded of them, and its connection points with what they lead
//! to. A body is checked against the signatures of the models that it uses, and never against their insides.

use crate::body::Body;
use crate::demand::Demand;
use crate::interface::{Found, find};
use crate::leaf::Leaf;
use crate::report::interface_label;
use manifold_nemo_syntax::diagnostic::Label;
use manifold_nemo_syntax::script::{ConnectionPoint, Entity, Model, Parameter, ParameterKind, Value, ValueKind};
use std::collections::HashMap;
use std::sync::Arc;

/// Most demands that are kept of one parameter.
const DEMANDS_MAX: usize = 64;

/// A signature. Equal ones are interchangeable: it holds no places in scripts.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Signature {
    pub(crate) is_leaf: bool,
    pub(crate) parameters: Vec<ParameterSignature>,
    pub(crate) points: Vec<PointSignature>,
    point_by_name: HashMap<String, usize>,
}

/// A parameter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ParameterSignature {
    pub(crate) name: String,
    pub(crate) kind: Option<ParameterKind>,
    pub(crate) demands: Vec<Demand>,
}

/// A connection point.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PointSignature {
    pub(crate) name: String,
    pub(crate) roles: Roles,
}

/// What kinds of interfaces a connection point leads to, each with one that is of that kind.
#[derive(Debug, Clone, Default)]
pub(crate) struct Roles {
    pub(crate) mgmt: Option<Arc<Witness>>,
    pub(crate) data: Option<Arc<Witness>>,
    /// Interfaces that these parameters will name.
    pub(crate) by_parameter: Vec<(usize, Arc<Leaf>)>,
}

impl PartialEq for Roles {
    fn eq(&self, other: &Self) -> bool {
        self.mgmt == other.mgmt
            && self.data == other.data
            && self.by_parameter.len() == other.by_parameter.len()
            && self
                .by_parameter
                .iter()
                .zip(&other.by_parameter)
                .all(|(ours, theirs)| ours.0 == theirs.0 && (Arc::ptr_eq(&ours.1, &theirs.1) || ours.1 == theirs.1))
    }
}

/// An interface that shows a role.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Witness {
    /// From the connection point inwards: `input`, `sample_vnf`, `xe0`.
    pub(crate) path: String,
    pub(crate) label: Arc<Label>,
}

impl Roles {
    /// Those of an interface.
    pub(crate) fn of_interface(leaf: &Leaf, at: usize) -> Self {
        let interface = &leaf.interfaces[at];
        let witness = || {
            let message = format!("interface `{}` is of type {}", interface.name, interface.role);
            Arc::new(Witness {
                path: interface.name.clone(),
                label: Arc::new(interface_label(leaf, interface, message)),
            })
        };
        let mut roles = Self::default();
        match interface.role.as_str() {
            "mgmt" | "management" => roles.mgmt = Some(witness()),
            "data" => roles.data = Some(witness()),
            _ => {}
        }
        roles
    }

    /// Those of the interface that a value names; none, when it names none.
    pub(crate) fn of_argument(leaf: &Leaf, value: &Value) -> Self {
        match &value.kind {
            ValueKind::Text(name) => match find(leaf, name) {
                Found::Named(at) | Found::Local(at) => Self::of_interface(leaf, at),
                Found::Several(_) | Found::None => Self::default(),
            },
            _ => Self::default(),
        }
    }

    /// Takes over what is not there yet, seen from outside of the node that has it.
    pub(crate) fn join(&mut self, other: &Roles, node: &str) {
        let outer = |witness: &Arc<Witness>| {
            Arc::new(Witness {
                path: format!("{node}:{}", witness.path),
                label: Arc::clone(&witness.label),
            })
        };
        if self.mgmt.is_none() {
            self.mgmt = other.mgmt.as_ref().map(outer);
        }
        if self.data.is_none() {
            self.data = other.data.as_ref().map(outer);
        }
        for (parameter, leaf) in &other.by_parameter {
            self.name_by(*parameter, leaf);
        }
    }

    /// A parameter names the interface. Each is kept once, however many ways lead to it.
    pub(crate) fn name_by(&mut self, parameter: usize, leaf: &Arc<Leaf>) {
        let is_same = |(other, of): &(usize, Arc<Leaf>)| *other == parameter && Arc::ptr_eq(of, leaf);
        if !self.by_parameter.iter().any(is_same) {
            self.by_parameter.push((parameter, Arc::clone(leaf)));
        }
    }
}

impl Signature {
    /// What is known of a body before it is checked.
    pub(crate) fn shallow(body: &Body) -> Self {
        Self::of(body.is_leaf(), &body.parameters, body.points.iter())
    }

    /// The same, of a model.
    pub(crate) fn shallow_of_model(model: &Model) -> Self {
        let points = model.members.iter().filter_map(|member| match member {
            Entity::ConnectionPoint(point) => Some(point),
            _ => None,
        });
        Self::of(model.descriptor.is_some(), &model.parameters, points)
    }

    fn of<'a>(is_leaf: bool, parameters: &[Parameter], points: impl Iterator<Item = &'a ConnectionPoint>) -> Self {
        let mut signature = Self {
            is_leaf,
            ..Self::default()
        };
        for parameter in parameters {
            signature.parameters.push(ParameterSignature {
                name: parameter.name.text.clone(),
                kind: parameter.kind,
                demands: Vec::new(),
            });
        }
        for point in points {
            let at = signature.points.len();
            if let std::collections::hash_map::Entry::Vacant(place) =
                signature.point_by_name.entry(point.name.text.clone())
            {
                place.insert(at);
            }
            signature.points.push(PointSignature {
                name: point.name.text.clone(),
                roles: Roles::default(),
            });
        }
        signature
    }

    pub(crate) fn point(&self, name: &str) -> Option<usize> {
        self.point_by_name.get(name).copied()
    }

    pub(crate) fn point_names(&self) -> impl Iterator<Item = &str> {
        self.points.iter().map(|point| point.name.as_str())
    }

    pub(crate) fn demand(&mut self, parameter: usize, demand: Demand) {
        if let Some(parameter) = self.parameters.get_mut(parameter)
            && parameter.demands.len() < DEMANDS_MAX
            && !parameter.demands.contains(&demand)
        {
            parameter.demands.push(demand);
        }
    }
}
