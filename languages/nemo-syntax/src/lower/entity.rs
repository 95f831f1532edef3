//! Entities.

use super::Lowering;
use crate::script::{Action, Connection, ConnectionPoint, Entity, Flow, Name, Node, Operation, Path, Property};
use crate::tree::{self, AstNode};

impl Lowering {
    pub(super) fn entity(self, entity: &tree::Entity) -> Option<Entity> {
        let name = self.name(&entity.name()?);
        let span = self.span_of(entity.syntax());
        Some(match entity {
            tree::Entity::Node(node) => Entity::Node(Node {
                name,
                model: node.model().and_then(|clause| self.path(&clause.path()?)),
                contain: self.paths(node.contain().map(|clause| clause.paths())),
                properties: self.own_properties(entity),
                span,
            }),
            tree::Entity::Connection(connection) => Entity::Connection(Connection {
                name,
                shape: connection.shape().and_then(|clause| self.shape(&clause)),
                ends: self.paths(connection.ends().map(|clause| clause.paths())),
                properties: self.own_properties(entity),
                span,
            }),
            tree::Entity::Flow(flow) => Entity::Flow(Flow {
                name,
                matches: self.properties(flow.matches().map(|clause| clause.properties())),
                properties: self.own_properties(entity),
                span,
            }),
            tree::Entity::Operation(operation) => Entity::Operation(Operation {
                name,
                target: operation.target().and_then(|clause| self.path(&clause.path()?)),
                priority: operation.priority().and_then(|clause| {
                    let number = clause.number()?;
                    Some((number.text().parse().ok()?, self.span(number.text_range())))
                }),
                condition: operation
                    .condition()
                    .and_then(|clause| self.condition(&clause.condition()?)),
                actions: self.actions(operation),
                span,
            }),
            tree::Entity::ConnectionPoint(point) => Entity::ConnectionPoint(ConnectionPoint {
                name,
                interface: point.at().and_then(|clause| Some(self.name(&clause.interface()?))),
                span,
            }),
        })
    }

    fn paths(self, paths: Option<impl Iterator<Item = tree::Path>>) -> Vec<Path> {
        let paths = paths.into_iter().flatten();
        paths.filter_map(|path| self.path(&path)).collect()
    }

    /// A shape is one word; with a path's separators it is none, and stays as it is.
    fn shape(self, clause: &tree::TypeClause) -> Option<Name> {
        let path = clause.path()?;
        Some(Name {
            text: path.syntax().text().to_string(),
            span: self.span_of(path.syntax()),
        })
    }

    fn own_properties(self, entity: &tree::Entity) -> Vec<Property> {
        self.properties(entity.properties().map(|clause| clause.properties()))
    }

    fn properties(self, properties: Option<impl Iterator<Item = tree::Property>>) -> Vec<Property> {
        let properties = properties.into_iter().flatten();
        properties.filter_map(|property| self.property(&property)).collect()
    }

    fn property(self, property: &tree::Property) -> Option<Property> {
        Some(Property {
            key: self.name(&property.key()?),
            value: self.value(&property.value()?)?,
            span: self.span_of(property.syntax()),
        })
    }

    fn actions(self, operation: &tree::Operation) -> Vec<Action> {
        let actions = operation.actions().map(|clause| clause.actions());
        let lowered = actions.into_iter().flatten().filter_map(|action| {
            Some(Action {
                name: self.name(&action.name()?),
                value: action.value().and_then(|value| self.value(&value)),
                span: self.span_of(action.syntax()),
            })
        });
        lowered.collect()
    }
}
