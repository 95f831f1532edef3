//! A piece: what is read on its own.

use rowan::{GreenNode, NodeCache};

use super::{ParseOptions, Parser, Source, replace};
use crate::codes;
use crate::diagnostic::{Diagnostic, Severity};
use crate::keyword::Keyword;
use crate::kind::SyntaxKind;

/// Where a piece stands: all that is to be known of the text before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Outside of any body.
    Top,
    /// In a body that ends where a statement begins.
    Body,
    /// In a body that ends at `}`.
    Braces,
}

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Begins a model.
    Header,
    /// A member, or what stands in its place.
    Member,
    /// `}`.
    Closer,
    /// Any other statement.
    Statement,
    /// What stands behind the last one: white space.
    Tail,
}

/// A part of the text that was read on its own.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    /// White space, then one node or token.
    pub(crate) green: GreenNode,
    pub(crate) role: Role,
    pub(crate) before: Place,
    pub(crate) after: Place,
    /// How far behind the piece's first byte lies the last one that had a say.
    pub(crate) reach: u32,
    /// Their spans count from the piece's first byte.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Piece {
    /// Reads the next piece. The last one of a text is its tail.
    pub(crate) fn read(source: &mut Source<'_>, cache: &mut NodeCache, options: ParseOptions, place: Place) -> Self {
        let start = source.position();
        let mut parser = Parser::new(source, cache, options);
        parser.builder.start_node(SyntaxKind::Piece.into());
        let (role, after) = parser.piece(place);
        parser.builder.finish_node();
        let Parser {
            builder, diagnostics, ..
        } = parser;
        Self {
            green: builder.finish(),
            role,
            before: place,
            after,
            reach: (source.seen() - start) as u32,
            diagnostics,
        }
    }

    /// In bytes.
    pub(crate) fn length(&self) -> u32 {
        self.green.text_len().into()
    }

    /// Whether it belongs to the model before it.
    pub(crate) fn is_in_body(&self) -> bool {
        matches!(self.role, Role::Member | Role::Closer) && self.before != Place::Top
    }
}

impl Parser<'_, '_, '_> {
    fn piece(&mut self, place: Place) -> (Role, Place) {
        let first = self.peek(0);
        if first.kind == SyntaxKind::End {
            if place == Place::Braces {
                self.unclosed();
            }
            self.trivia();
            return (Role::Tail, Place::Top);
        }
        if first.word.is_some_and(Keyword::is_verb) {
            if place == Place::Braces {
                self.unclosed();
            }
            self.trivia();
            return self.statement();
        }
        let has_blank_line_start = first.start > self.start && self.source.text[..first.start as usize].ends_with('\n');
        self.trivia();
        match (place, first.kind) {
            (_, SyntaxKind::Semicolon) => {
                let span = self.token_span(0);
                let fix = replace(span, "", "remove it", true);
                self.tell(codes::L_EMPTY, Severity::Lint, span, "this `;` ends nothing")
                    .fix = Some(fix);
                self.open(SyntaxKind::Empty);
                self.bump();
                self.close();
                let role = if place == Place::Top {
                    Role::Statement
                } else {
                    Role::Member
                };
                (role, place)
            }
            (Place::Braces, SyntaxKind::RightBrace) => {
                self.bump();
                if self.at(SyntaxKind::Semicolon) {
                    self.bump();
                }
                (Role::Closer, Place::Top)
            }
            (Place::Top, _) => {
                self.without_verb();
                (Role::Statement, Place::Top)
            }
            (Place::Body | Place::Braces, _) => {
                if has_blank_line_start && place == Place::Body && first.word.is_some_and(Keyword::is_entity) {
                    let span = self.token_span(0);
                    let keyword = self.text(first);
                    let message = format!("this {keyword} belongs to the model above it; nothing shows that");
                    let fix = replace(self.span(first.start, first.start), "  ", "indent it", true);
                    self.tell(codes::L_COLUMN, Severity::Lint, span, message).fix = Some(fix);
                }
                self.member();
                (Role::Member, place)
            }
        }
    }

    fn unclosed(&mut self) {
        let span = self.behind();
        let fix = replace(span, "\n}", "insert \"}\"", true);
        let told = self.error(codes::E_BRACE, span, "the body that began with `{` has no `}`");
        told.fix = Some(fix);
    }
}
