//! Paths, properties, values, conditions.

use super::{child, children, choice, nodes, token};
use crate::keyword::Keyword;
use crate::kind::{SyntaxKind, SyntaxToken};
use rowan::ast::{AstChildren, AstNode};

nodes! {
    /// `a`, `a:b`
    Path,
    /// `type: name`
    Parameter,
    /// `key: value`
    Property,
    /// `name`, `name: value`
    Action,
    /// A value and its unit.
    Value,
    /// `[a, b]`
    List,
    /// `(a, b)`
    Range,
    /// `(kbps)`
    ValueUnit,
    /// `a || b`
    Any,
    /// `a && b`
    All,
    /// `!a`
    Not,
    /// `(a)`
    Group,
    /// `name == value`
    Term,
}

choice! {
    /// A condition.
    Condition { Any, All, Not, Group, Term, }
}

impl Path {
    /// Its names.
    pub fn segments(&self) -> impl Iterator<Item = SyntaxToken> {
        let tokens = self.0.children_with_tokens().filter_map(rowan::NodeOrToken::into_token);
        tokens.filter(|token| token.kind() == SyntaxKind::Name)
    }
}

impl Parameter {
    /// Its type, where that is one of the language's.
    pub fn kind(&self) -> Option<Keyword> {
        Keyword::of(token(&self.0, SyntaxKind::Keyword)?.text())
    }

    /// Its name.
    pub fn name(&self) -> Option<SyntaxToken> {
        let tokens = self.0.children_with_tokens().filter_map(rowan::NodeOrToken::into_token);
        let mut behind_colon = tokens.skip_while(|token| token.kind() != SyntaxKind::Colon);
        behind_colon.find(|token| token.kind() == SyntaxKind::Name)
    }
}

impl Property {
    /// What.
    pub fn key(&self) -> Option<SyntaxToken> {
        token(&self.0, SyntaxKind::Name)
    }

    /// How.
    pub fn value(&self) -> Option<Value> {
        child(&self.0)
    }
}

impl Action {
    /// Its name.
    pub fn name(&self) -> Option<SyntaxToken> {
        token(&self.0, SyntaxKind::Name)
    }

    /// With what.
    pub fn value(&self) -> Option<Value> {
        child(&self.0)
    }
}

impl Value {
    /// The tokens of a scalar.
    pub fn scalar(&self) -> impl Iterator<Item = SyntaxToken> {
        let tokens = self.0.children_with_tokens().filter_map(rowan::NodeOrToken::into_token);
        tokens.filter(|token| !token.kind().is_trivia())
    }

    /// A list.
    pub fn list(&self) -> Option<List> {
        child(&self.0)
    }

    /// A range.
    pub fn range(&self) -> Option<Range> {
        child(&self.0)
    }

    /// The unit.
    pub fn unit(&self) -> Option<SyntaxToken> {
        token(child::<ValueUnit>(&self.0)?.syntax(), SyntaxKind::Name)
    }
}

impl List {
    /// In the order of the text.
    pub fn values(&self) -> AstChildren<Value> {
        children(&self.0)
    }
}

impl Range {
    /// In the order of the text.
    pub fn values(&self) -> AstChildren<Value> {
        children(&self.0)
    }
}

impl Any {
    /// Its parts.
    pub fn parts(&self) -> AstChildren<Condition> {
        children(&self.0)
    }
}

impl All {
    /// Its parts.
    pub fn parts(&self) -> AstChildren<Condition> {
        children(&self.0)
    }
}

impl Not {
    /// What does not hold.
    pub fn inner(&self) -> Option<Condition> {
        child(&self.0)
    }
}

impl Group {
    /// What stands in the brackets.
    pub fn inner(&self) -> Option<Condition> {
        child(&self.0)
    }
}

impl Term {
    /// What is compared.
    pub fn name(&self) -> Option<SyntaxToken> {
        token(&self.0, SyntaxKind::Name)
    }

    /// How.
    pub fn comparison(&self) -> Option<SyntaxKind> {
        let tokens = self.0.children_with_tokens().filter_map(rowan::NodeOrToken::into_token);
        let mut kinds = tokens.map(|token| token.kind());
        kinds.find(|kind| (SyntaxKind::EqualEqual..=SyntaxKind::Star).contains(kind))
    }

    /// With what.
    pub fn value(&self) -> Option<Value> {
        child(&self.0)
    }
}
