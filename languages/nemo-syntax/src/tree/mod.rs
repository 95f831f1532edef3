//! The tree by its meaning: each kind of node as a type, its parts as methods.
//!
//! ```text
//! Script ─< Model ── ModelHeader, Members
//!        ├< Instance ── Node | Connection | Flow | Operation | ConnectionPoint ─< clauses ─< Path, Property, Action, Condition
//!        └< Delete, Query, Transaction, Notification, Reserved
//! ```
//! A part that lacks in the text is `None`.

mod clause;
mod entity;
mod statement;
mod value;

pub use clause::{
    ActionClause, AtClause, ConditionClause, ContainClause, DigestClause, EndnodesClause, FromClause, MatchClause,
    ParametersClause, PriorityClause, PropertyClause, TargetClause, TypeClause, VnfdClause,
};
pub use entity::{Connection, ConnectionPoint, Entity, Flow, Node, Operation};
pub use rowan::ast::{AstChildren, AstNode};
pub use statement::{
    Delete, Instance, Model, ModelHeader, Notification, Query, Reserved, Script, Statement, Transaction,
};
pub use value::{
    Action, All, Any, Condition, Group, List, Not, Parameter, Path, Property, Range, Term, Value, ValueUnit,
};

use crate::keyword::Keyword;
use crate::kind::{Nemo, SyntaxKind, SyntaxNode, SyntaxToken};

/// Declares node types.
macro_rules! nodes {
    ($($(#[$meta:meta])* $name:ident,)*) => {
        $(
            $(#[$meta])*
            #[derive(Debug, Clone, PartialEq, Eq, Hash)]
            pub struct $name($crate::kind::SyntaxNode);

            impl rowan::ast::AstNode for $name {
                type Language = $crate::kind::Nemo;

                fn can_cast(kind: $crate::kind::SyntaxKind) -> bool {
                    kind == $crate::kind::SyntaxKind::$name
                }

                fn cast(node: $crate::kind::SyntaxNode) -> Option<Self> {
                    Self::can_cast(node.kind()).then_some(Self(node))
                }

                fn syntax(&self) -> &$crate::kind::SyntaxNode {
                    &self.0
                }
            }
        )*
    };
}
use nodes;

/// Declares a choice between node types.
macro_rules! choice {
    ($(#[$meta:meta])* $name:ident { $($variant:ident,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[allow(missing_docs, reason = "the variants are the types of their names")]
        pub enum $name { $($variant($variant),)* }

        impl rowan::ast::AstNode for $name {
            type Language = $crate::kind::Nemo;

            fn can_cast(kind: $crate::kind::SyntaxKind) -> bool {
                matches!(kind, $($crate::kind::SyntaxKind::$variant)|*)
            }

            fn cast(node: $crate::kind::SyntaxNode) -> Option<Self> {
                match node.kind() {
                    $($crate::kind::SyntaxKind::$variant => $variant::cast(node).map(Self::$variant),)*
                    _ => None,
                }
            }

            fn syntax(&self) -> &$crate::kind::SyntaxNode {
                match self { $(Self::$variant(node) => node.syntax(),)* }
            }
        }
    };
}
use choice;

/// The first token of a kind among a node's own.
fn token(node: &SyntaxNode, kind: SyntaxKind) -> Option<SyntaxToken> {
    let mut tokens = node.children_with_tokens().filter_map(rowan::NodeOrToken::into_token);
    tokens.find(|token| token.kind() == kind)
}

/// A node's own keywords.
fn keywords(node: &SyntaxNode) -> impl Iterator<Item = Keyword> {
    let tokens = node.children_with_tokens().filter_map(rowan::NodeOrToken::into_token);
    tokens
        .filter(|token| token.kind() == SyntaxKind::Keyword)
        .filter_map(|token| Keyword::of(token.text()))
}

/// The first child of a type.
fn child<N: AstNode<Language = Nemo>>(node: &SyntaxNode) -> Option<N> {
    rowan::ast::support::child(node)
}

/// All children of a type.
fn children<N: AstNode<Language = Nemo>>(node: &SyntaxNode) -> AstChildren<N> {
    rowan::ast::support::children(node)
}
