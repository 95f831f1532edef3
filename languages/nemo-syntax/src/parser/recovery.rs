//! What a word is where it stands, and where to go on after a fault.

use super::{Parser, replace};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::keyword::Keyword;
use crate::kind::SyntaxKind;

impl Parser<'_, '_, '_> {
    /// Whether the word at `n` stands as a keyword there, although a name could stand there too. It does where what follows
    /// fits the keyword and could not follow a name.
    pub(super) fn is_keyword_use(&mut self, n: usize) -> bool {
        let Some(word) = self.word(n) else { return false };
        let next = self.peek(n + 1);
        let is_plain_name = next.kind == SyntaxKind::Name && !next.word.is_some_and(Keyword::is_clause);
        let names_a_thing = next.word.is_some_and(|word| word.is_entity() || word.is_model());
        match word {
            Keyword::Create | Keyword::Import | Keyword::Update | Keyword::Delete => {
                let token = self.peek(n);
                names_a_thing || (is_plain_name && self.text(token) == word.text())
            }
            Keyword::Transaction => matches!(next.word, Some(Keyword::Begin | Keyword::End | Keyword::Commit)),
            Keyword::Query => next.kind == SyntaxKind::Name && self.is_behind_query(n + 2),
            Keyword::Notification => is_plain_name && self.word(n + 2) == Some(Keyword::On),
            Keyword::Connect => is_plain_name && self.word(n + 2) == Some(Keyword::Address),
            Keyword::Commit | Keyword::Withdraw | Keyword::Disconnect => false,
            Keyword::Engines => next.kind == SyntaxKind::Colon && self.kind(n + 2) == SyntaxKind::Ipv4,
            Keyword::At => next.word == Some(Keyword::Vnfd),
            Keyword::Vnfd => matches!(next.kind, SyntaxKind::Uri | SyntaxKind::AngleUri | SyntaxKind::String),
            Keyword::Property | Keyword::Match | Keyword::Parameter | Keyword::Digest => {
                next.kind == SyntaxKind::Name && self.kind(n + 2) == SyntaxKind::Colon
            }
            Keyword::Priority | Keyword::Every => next.kind == SyntaxKind::Int,
            Keyword::Condition => is_plain_name || matches!(next.kind, SyntaxKind::LeftParen | SyntaxKind::Bang),
            Keyword::Type | Keyword::Contain | Keyword::Endnodes | Keyword::Target | Keyword::ApplyTo => {
                is_plain_name || next.kind == SyntaxKind::Atom
            }
            word if word.is_entity() || word.is_model() || word.is_clause() => is_plain_name,
            _ => false,
        }
    }

    fn is_behind_query(&mut self, n: usize) -> bool {
        self.kind(n) == SyntaxKind::Semicolon || self.word(n) == Some(Keyword::From)
    }

    /// Whether a clause cannot go on here: a statement, a member or the body's end follows, or nothing.
    pub(super) fn at_boundary(&mut self) -> bool {
        match self.kind(0) {
            SyntaxKind::End | SyntaxKind::RightBrace => true,
            SyntaxKind::Name => self.word(0).is_some_and(|word| word.is_verb() || word.is_entity()),
            _ => false,
        }
    }

    /// Takes the `;` or tells that it lacks.
    pub(super) fn semicolon(&mut self) {
        if self.at(SyntaxKind::Semicolon) {
            self.bump();
            return;
        }
        let span = self.behind();
        let is_in_open_string = |told: &Diagnostic| told.code == codes::E_STRING && told.span.end == span.end;
        if self.diagnostics.last().is_some_and(is_in_open_string) {
            return;
        }
        let fix = replace(span, ";", "insert \";\"", true);
        let told = self.fault(codes::E_SEMI, codes::W_SEMI, span, "`;` is missing here");
        told.fix = Some(fix);
    }

    /// Skips to the end of the statement; the next token is skipped in any case, unless it is a boundary.
    pub(super) fn skip_rest(&mut self, also: &[Keyword]) {
        if self.at(SyntaxKind::Semicolon) || self.at_boundary() {
            return;
        }
        self.open(SyntaxKind::Error);
        self.bump();
        while !self.is_where_to_go_on(also) {
            self.bump();
        }
        self.close();
    }

    pub(super) fn is_where_to_go_on(&mut self, also: &[Keyword]) -> bool {
        match self.kind(0) {
            SyntaxKind::Semicolon | SyntaxKind::End | SyntaxKind::RightBrace | SyntaxKind::LeftBrace => true,
            SyntaxKind::Name => {
                let is_clause = self.word(0).is_some_and(|word| also.contains(&word));
                is_clause || (self.at_boundary() && self.is_keyword_use(0))
            }
            _ => false,
        }
    }
}
