//! Entities: nodes, connections, flows, operations and connection points.

use super::{Parser, replace, shortened};
use crate::codes;
use crate::keyword::{Keyword, nearest};
use crate::kind::SyntaxKind;

/// How a kind of entity is written.
struct Form {
    node: SyntaxKind,
    /// As a sentence names it.
    title: &'static str,
    clauses: &'static [Keyword],
}

impl Form {
    fn of(keyword: Keyword) -> &'static Self {
        match keyword {
            Keyword::Node => &Form {
                node: SyntaxKind::Node,
                title: "a Node",
                clauses: &[Keyword::Type, Keyword::Contain, Keyword::Property],
            },
            Keyword::Connection | Keyword::Link => &Form {
                node: SyntaxKind::Connection,
                title: "a Connection",
                clauses: &[Keyword::Type, Keyword::Endnodes, Keyword::Property],
            },
            Keyword::Flow => &Form {
                node: SyntaxKind::Flow,
                title: "a Flow",
                clauses: &[Keyword::Match, Keyword::Property],
            },
            Keyword::Operation | Keyword::Policy => &Form {
                node: SyntaxKind::Operation,
                title: "an Operation",
                clauses: &[
                    Keyword::Target,
                    Keyword::ApplyTo,
                    Keyword::Priority,
                    Keyword::Condition,
                    Keyword::Action,
                ],
            },
            _ => &Form {
                node: SyntaxKind::ConnectionPoint,
                title: "a ConnectionPoint",
                clauses: &[Keyword::At],
            },
        }
    }
}

impl Parser<'_, '_, '_> {
    /// A member of a body.
    pub(super) fn member(&mut self) {
        let first = self.peek(0);
        if first.word.is_some_and(Keyword::is_entity) {
            return self.entity();
        }
        let span = self.token_span(0);
        let text = shortened(self.text(first));
        let entities = Keyword::ALL.iter().filter(|word| word.is_entity() || word.is_verb());
        let meant = nearest(&text, entities.map(|word| word.text()));
        let message = format!("neither a member of the model's body nor a statement begins with `{text}`");
        let told = self.error(codes::E_MEMBER, span, message);
        told.fix = meant.map(|meant| replace(span, meant, format!("write {meant}"), false));
        self.junk();
    }

    /// An entity's keyword is next.
    pub(super) fn entity(&mut self) {
        let Some(keyword) = self.word(0) else { return };
        let form = Form::of(keyword);
        self.open(form.node);
        self.bump_keyword();
        self.name(form.title, form.clauses);
        let mut seen = Vec::new();
        loop {
            if self.at(SyntaxKind::Semicolon) || self.at_boundary() {
                break self.semicolon();
            }
            match self.word(0).filter(|word| form.clauses.contains(word)) {
                Some(word) => {
                    let as_one = if word == Keyword::ApplyTo {
                        Keyword::Target
                    } else {
                        word
                    };
                    self.once(&mut seen, as_one, word.text());
                    self.clause(word);
                }
                None if form.node == SyntaxKind::Connection && self.at_bare_ends() => {
                    self.once(&mut seen, Keyword::Endnodes, "Endnodes");
                    self.bare_ends();
                }
                None => self.unexpected_clause(form.title, form.clauses),
            }
        }
        self.close();
    }

    /// A list of ends without its keyword.
    fn at_bare_ends(&mut self) -> bool {
        let next = self.kind(1);
        match self.kind(0) {
            SyntaxKind::Atom => true,
            SyntaxKind::Name => matches!(next, SyntaxKind::Comma | SyntaxKind::Colon | SyntaxKind::Dot),
            _ => false,
        }
    }

    fn bare_ends(&mut self) {
        let first = self.peek(0);
        let span = self.token_span(0);
        let place = self.span(first.start, first.start);
        let fix = replace(place, "Endnodes ", "insert \"Endnodes\"", true);
        let told = self.fault(
            codes::E_ENDNODES,
            codes::W_ENDNODES,
            span,
            "the keyword Endnodes is missing before the ends",
        );
        told.fix = Some(fix);
        self.open(SyntaxKind::EndnodesClause);
        self.ends();
        self.close();
    }
}
