//! Leaves: the descriptor is read, and each connection point is at one of its interfaces.

use super::look::{Look, Target};
use crate::body::Given;
use crate::code;
use crate::demand::Demand;
use crate::interface::{Found, find};
use crate::leaf::{Leaf, LeafError};
use crate::report::{Sure, Tell, told};
use crate::signature::Roles;
use crate::statements::MemberKind;
use manifold_nemo_syntax::script::{ConnectionPoint, Name, Value, ValueKind};
use std::sync::Arc;

impl Look<'_> {
    /// Looks at a leaf; answers with its descriptor, if it names one.
    pub(super) fn leaf(&mut self) -> Option<Result<Arc<Leaf>, LeafError>> {
        self.nothing_inside();
        let Some(descriptor) = &self.body.descriptor else {
            self.no_descriptor();
            return None;
        };
        let answer = self.world.leaves.leaf(
            &descriptor.uri,
            descriptor.digest.as_ref().map(|digest| digest.text.as_str()),
        );
        let leaf = match &answer {
            Ok(leaf) => Arc::clone(leaf),
            Err(error) => {
                let mut found = told(code::VNFD, descriptor.span, error.message.clone());
                found.help.clone_from(&error.help);
                self.report.push(match &error.suggestion {
                    Some(address) => {
                        found.replace(format!("write `{address}`"), descriptor.span, address.clone(), Sure::No)
                    }
                    None => found,
                });
                // Parameters that would have named an interface are used all the same.
                for point in &self.body.points {
                    if let Some(interface) = &point.interface {
                        self.any_value(&word(interface));
                    }
                }
                return Some(answer);
            }
        };
        for (at, point) in self.body.points.iter().enumerate() {
            match &point.interface {
                Some(interface) => self.point_at(at, interface, &leaf),
                None => self.point_without_interface(point, &leaf),
            }
        }
        Some(answer)
    }

    /// A descriptor is the whole of a leaf.
    fn nothing_inside(&mut self) {
        let Some(descriptor) = &self.body.descriptor else {
            return;
        };
        let kinds = [
            MemberKind::Node,
            MemberKind::Connection,
            MemberKind::Flow,
            MemberKind::Operation,
        ];
        let found = kinds
            .into_iter()
            .find_map(|kind| self.body.names(kind).next().map(|name| (kind, name)));
        if let Some((kind, name)) = found {
            self.report.push(
                told(
                    code::LEAF_COMPOSITE,
                    name.span,
                    format!(
                        "the model `{}` has a descriptor, so it cannot have the {} `{}` inside",
                        self.body.model(),
                        kind.noun(),
                        name.text
                    ),
                )
                .label(descriptor.span, "the descriptor says what is inside")
                .help("make a second model that has the node and what belongs to it, and use this one in it"),
            );
        }
    }

    fn no_descriptor(&mut self) {
        let Some(model) = &self.body.name else { return };
        for point in &self.body.points {
            let Some(interface) = &point.interface else { continue };
            self.any_value(&word(interface));
            self.report.push(
                told(
                    code::NO_VNFD,
                    interface.span,
                    format!(
                        "`at VNFD:{}` needs a descriptor, and the model `{}` names none",
                        interface.text, model.text
                    ),
                )
                .label(model.span, "here `VNFD <address>` is missing")
                .help(format!("write `NodeModel {} VNFD <address>;`", model.text)),
            );
        }
    }

    fn point_at(&mut self, at: usize, interface: &Name, leaf: &Arc<Leaf>) {
        let value = word(interface);
        if let Given::Parameter(parameter) = self.arguments.given(&value) {
            self.parameter_used(parameter, interface.span, Some(Demand::Interface(Arc::clone(leaf))));
            self.signature.points[at].roles.name_by(parameter, leaf);
            return;
        }
        if let Some(problem) = crate::demand::interface_problem(leaf, &interface.text) {
            self.report.push(problem.at(interface.span));
        }
        if let Found::Named(interface_at) | Found::Local(interface_at) = find(leaf, &interface.text) {
            self.signature.points[at].roles = Roles::of_interface(leaf, interface_at);
            self.means(interface.span, Target::InterfaceOf(at));
        }
    }

    fn point_without_interface(&mut self, point: &ConnectionPoint, leaf: &Leaf) {
        let found = told(
            code::POINT_AT,
            point.name.span,
            format!(
                "the connection point `{}` of a leaf does not say at which interface it is",
                point.name.text
            ),
        );
        self.report.push(match find(leaf, &point.name.text) {
            Found::Named(at) => {
                let text = format!(" at VNFD:{}", leaf.interfaces[at].name);
                found.replace(
                    format!("insert `{}`", text.trim()),
                    point.name.span.behind(),
                    text,
                    Sure::Yes,
                )
            }
            _ => found.help("write `at VNFD:` and the name of the interface"),
        });
    }

    /// `at VNFD:…` in what is no leaf.
    pub(super) fn points_of_composite(&mut self) {
        for point in &self.body.points {
            let Some(interface) = &point.interface else { continue };
            self.any_value(&word(interface));
            let (message, help) = match &self.body.name {
                Some(model) => (
                    format!(
                        "the model `{}` has nodes, and no descriptor whose interface this could be",
                        model.text
                    ),
                    "leave `at VNFD:…` out, and connect the point to a node inside",
                ),
                None => (
                    "outside of a model there is no descriptor whose interface this could be".to_owned(),
                    "leave `at VNFD:…` out, and connect the point to a node",
                ),
            };
            self.report
                .push(told(code::NO_VNFD, interface.span, message).help(help));
        }
    }
}

/// A name as a value.
pub(super) fn word(name: &Name) -> Value {
    Value {
        kind: ValueKind::Text(name.text.clone()),
        unit: None,
        span: name.span,
    }
}
