//! Leaves with their arguments: which interface each connection point is at.

use super::place::Place;
use super::{Elaboration, Given};
use crate::check::Placed;
use crate::interface::{Found, find};
use crate::leaf::Leaf;
use crate::service::{LeafUse, ModelUse};
use manifold_nemo_syntax::script::ValueKind;
use std::sync::Arc;

impl Elaboration<'_> {
    pub(super) fn leaf(&mut self, placed: &Placed, leaf: Arc<Leaf>, given: Given) -> ModelUse {
        let body = &placed.unit.body;
        let interface = |name: &str| {
            let name = match given.get(name).map(|value| &value.kind) {
                Some(ValueKind::Text(named)) => named,
                _ => name,
            };
            match find(&leaf, name) {
                Found::Named(at) | Found::Local(at) => Some(at),
                Found::Several(_) | Found::None => None,
            }
        };
        let points = body.points.iter().filter_map(|point| {
            let at = interface(&point.interface.as_ref()?.text)?;
            Some((point.name.text.clone(), at))
        });
        let points = points.collect();
        let made = LeafUse {
            name: self.name(body.model()),
            model: body.model().to_owned(),
            points,
            leaf,
            span: Place(placed.by).of(body.span),
            arguments: given,
        };
        self.leaves.push(made);
        ModelUse::Leaf(self.leaves.len() - 1)
    }
}
