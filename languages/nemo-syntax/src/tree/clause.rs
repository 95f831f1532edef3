//! Clauses.

use super::{Action, Condition, Parameter, Path, Property, child, children, nodes, token};
use crate::kind::{SyntaxKind, SyntaxToken};
use rowan::ast::AstChildren;

nodes! {
    /// `Property type: name, …` of a model.
    ParametersClause,
    /// `VNFD address`
    VnfdClause,
    /// `Digest sha256:…`
    DigestClause,
    /// `at VNFD:interface`
    AtClause,
    /// `Type …`
    TypeClause,
    /// `Contain …`
    ContainClause,
    /// `Property key: value, …`
    PropertyClause,
    /// `Endnodes …`
    EndnodesClause,
    /// `Match key: value, …`
    MatchClause,
    /// `Target …`
    TargetClause,
    /// `Priority …`
    PriorityClause,
    /// `Condition …`
    ConditionClause,
    /// `Action …`
    ActionClause,
    /// `From …`
    FromClause,
}

impl ParametersClause {
    /// In the order of the text.
    pub fn parameters(&self) -> AstChildren<Parameter> {
        children(&self.0)
    }
}

impl VnfdClause {
    /// The parts of the address: one, unless a line's end breaks it.
    pub fn parts(&self) -> impl Iterator<Item = SyntaxToken> {
        let tokens = self.0.children_with_tokens().filter_map(rowan::NodeOrToken::into_token);
        tokens.filter(|token| {
            matches!(
                token.kind(),
                SyntaxKind::Uri | SyntaxKind::AngleUri | SyntaxKind::String | SyntaxKind::OpenString | SyntaxKind::Name
            )
        })
    }

    /// The address, without brackets, quotes, and white space in it.
    pub fn uri(&self) -> String {
        let mut uri = String::new();
        for part in self.parts() {
            let text = part.text().trim_matches(|char| matches!(char, '<' | '>' | '"'));
            uri.extend(text.chars().filter(|char| !char.is_whitespace()));
        }
        uri
    }
}

impl DigestClause {
    /// Its words.
    pub fn parts(&self) -> impl Iterator<Item = SyntaxToken> {
        let tokens = self.0.children_with_tokens().filter_map(rowan::NodeOrToken::into_token);
        tokens.filter(|token| matches!(token.kind(), SyntaxKind::Atom | SyntaxKind::Colon))
    }
}

impl AtClause {
    /// The interface.
    pub fn interface(&self) -> Option<SyntaxToken> {
        token(&self.0, SyntaxKind::Atom).or_else(|| token(&self.0, SyntaxKind::Name))
    }
}

impl TypeClause {
    /// The model or the shape.
    pub fn path(&self) -> Option<Path> {
        child(&self.0)
    }
}

impl ContainClause {
    /// The nodes.
    pub fn paths(&self) -> AstChildren<Path> {
        children(&self.0)
    }
}

impl EndnodesClause {
    /// The ends.
    pub fn paths(&self) -> AstChildren<Path> {
        children(&self.0)
    }
}

impl PropertyClause {
    /// In the order of the text.
    pub fn properties(&self) -> AstChildren<Property> {
        children(&self.0)
    }
}

impl MatchClause {
    /// In the order of the text.
    pub fn properties(&self) -> AstChildren<Property> {
        children(&self.0)
    }
}

impl TargetClause {
    /// The target.
    pub fn path(&self) -> Option<Path> {
        child(&self.0)
    }
}

impl PriorityClause {
    /// The number.
    pub fn number(&self) -> Option<SyntaxToken> {
        token(&self.0, SyntaxKind::Int)
    }
}

impl ConditionClause {
    /// The condition.
    pub fn condition(&self) -> Option<Condition> {
        child(&self.0)
    }
}

impl ActionClause {
    /// In the order of the text.
    pub fn actions(&self) -> AstChildren<Action> {
        children(&self.0)
    }
}
