//! Statements.

use super::{
    DigestClause, Entity, FromClause, ParametersClause, Path, VnfdClause, child, children, choice, keywords, nodes,
    token,
};
use crate::keyword::Keyword;
use crate::kind::{SyntaxKind, SyntaxToken};
use rowan::ast::{AstChildren, AstNode};

nodes! {
    /// The whole text.
    Script,
    /// A node model with its body.
    Model,
    /// Its first part.
    ModelHeader,
    /// A verb and an entity.
    Instance,
    /// `DELETE kind path`.
    Delete,
    /// `Query what [From path]`.
    Query,
    /// `Transaction …`, `Commit`, `Withdraw`.
    Transaction,
    /// `Notification …`.
    Notification,
    /// What has no effect.
    Reserved,
}

choice! {
    /// A statement.
    Statement { Model, Instance, Delete, Query, Transaction, Notification, Reserved, }
}

impl Script {
    /// In the order of the text.
    pub fn statements(&self) -> AstChildren<Statement> {
        children(&self.0)
    }
}

impl Model {
    /// Its first part.
    pub fn header(&self) -> Option<ModelHeader> {
        child(&self.0)
    }

    /// The body.
    pub fn members(&self) -> AstChildren<Entity> {
        children(&self.0)
    }
}

impl ModelHeader {
    /// CREATE, IMPORT or UPDATE.
    pub fn verb(&self) -> Option<Keyword> {
        keywords(&self.0).next()
    }

    /// Its name.
    pub fn name(&self) -> Option<SyntaxToken> {
        token(&self.0, SyntaxKind::Name)
    }

    /// Its parameters.
    pub fn parameters(&self) -> Option<ParametersClause> {
        child(&self.0)
    }

    /// Where its descriptor is.
    pub fn descriptor(&self) -> Option<VnfdClause> {
        child(&self.0)
    }

    /// What its descriptor hashes to.
    pub fn digest(&self) -> Option<DigestClause> {
        child(&self.0)
    }
}

impl Instance {
    /// CREATE, IMPORT or UPDATE; `None`: it lacks.
    pub fn verb(&self) -> Option<Keyword> {
        keywords(&self.0).next()
    }

    /// What is made.
    pub fn entity(&self) -> Option<Entity> {
        child(&self.0)
    }
}

impl Delete {
    /// Of what kind.
    pub fn kind(&self) -> Option<Keyword> {
        keywords(&self.0).nth(1)
    }

    /// Which.
    pub fn path(&self) -> Option<Path> {
        child(&self.0)
    }
}

impl Query {
    /// What is asked.
    pub fn what(&self) -> Option<SyntaxToken> {
        token(&self.0, SyntaxKind::Name)
    }

    /// Of what.
    pub fn from(&self) -> Option<Path> {
        child::<FromClause>(&self.0).and_then(|clause| child(clause.syntax()))
    }
}

impl Transaction {
    /// Begin, End, Commit or Withdraw; Transaction where that lacks.
    pub fn bound(&self) -> Option<Keyword> {
        keywords(&self.0).last()
    }
}

impl Notification {
    /// Its own name, that of what it is about, and that of who hears it; fewer where some lack.
    pub fn names(&self) -> impl Iterator<Item = SyntaxToken> {
        let tokens = self.0.children_with_tokens().filter_map(rowan::NodeOrToken::into_token);
        tokens.filter(|token| token.kind() == SyntaxKind::Name)
    }

    /// The name behind a keyword.
    pub fn name_behind(&self, keyword: Keyword) -> Option<SyntaxToken> {
        let tokens = self.0.children_with_tokens().filter_map(rowan::NodeOrToken::into_token);
        let mut tokens = tokens.filter(|token| !token.kind().is_trivia());
        tokens.find(|token| token.kind() == SyntaxKind::Keyword && Keyword::of(token.text()) == Some(keyword))?;
        tokens.next().filter(|token| token.kind() == SyntaxKind::Name)
    }

    /// Its period in seconds.
    pub fn every(&self) -> Option<u64> {
        token(&self.0, SyntaxKind::Int)?.text().parse().ok()
    }
}

impl Reserved {
    /// What names it: the model's keyword, or the statement's own.
    pub fn keyword(&self) -> Option<SyntaxToken> {
        let tokens = self.0.children_with_tokens().filter_map(rowan::NodeOrToken::into_token);
        let mut keywords = tokens.filter(|token| token.kind() == SyntaxKind::Keyword);
        let first = keywords.next()?;
        let is_verb_of_model = matches!(
            Keyword::of(first.text()),
            Some(Keyword::Create | Keyword::Import | Keyword::Update)
        );
        if is_verb_of_model { keywords.next() } else { Some(first) }
    }
}
