//! Entities.

use super::{
    ActionClause, AtClause, ConditionClause, ContainClause, EndnodesClause, MatchClause, PriorityClause,
    PropertyClause, TargetClause, TypeClause, child, choice, nodes, token,
};
use crate::kind::{SyntaxKind, SyntaxToken};
use rowan::ast::AstNode;

nodes! {
    /// `Node …`
    Node,
    /// `Connection …`, `Link …`
    Connection,
    /// `Flow …`
    Flow,
    /// `Operation …`, `Policy …`
    Operation,
    /// `ConnectionPoint …`
    ConnectionPoint,
}

choice! {
    /// An entity.
    Entity { Node, Connection, Flow, Operation, ConnectionPoint, }
}

impl Entity {
    /// Its name.
    pub fn name(&self) -> Option<SyntaxToken> {
        token(self.syntax(), SyntaxKind::Name)
    }

    /// Its properties.
    pub fn properties(&self) -> Option<PropertyClause> {
        child(self.syntax())
    }
}

impl Node {
    /// Its model.
    pub fn model(&self) -> Option<TypeClause> {
        child(&self.0)
    }

    /// Nodes that it holds.
    pub fn contain(&self) -> Option<ContainClause> {
        child(&self.0)
    }
}

impl Connection {
    /// Its shape.
    pub fn shape(&self) -> Option<TypeClause> {
        child(&self.0)
    }

    /// What it joins.
    pub fn ends(&self) -> Option<EndnodesClause> {
        child(&self.0)
    }
}

impl Flow {
    /// What its packets have.
    pub fn matches(&self) -> Option<MatchClause> {
        child(&self.0)
    }
}

impl Operation {
    /// On what it acts.
    pub fn target(&self) -> Option<TargetClause> {
        child(&self.0)
    }

    /// Higher goes first.
    pub fn priority(&self) -> Option<PriorityClause> {
        child(&self.0)
    }

    /// When it holds.
    pub fn condition(&self) -> Option<ConditionClause> {
        child(&self.0)
    }

    /// What it does.
    pub fn actions(&self) -> Option<ActionClause> {
        child(&self.0)
    }
}

impl ConnectionPoint {
    /// At which interface of the descriptor it is.
    pub fn at(&self) -> Option<AtClause> {
        child(&self.0)
    }
}
