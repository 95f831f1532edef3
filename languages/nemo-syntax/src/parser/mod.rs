//! Tokens to a lossless tree, piece by piece.
//!
//! A *piece* is a statement, the header of a model, or a member of its body: what a parser can read on its own when it knows
//! whether it stands in a body ([`Place`]). So a changed text is read anew only where it changed ([`crate::Parse::edit`]).
//!
//! No fault ends the reading: what is expected and lacks is told and done without; what is not expected is skipped, as an
//! [`SyntaxKind::Error`] node, up to the next `;` or the next word that can only begin something.

mod clause;
mod condition;
mod entity;
mod model;
mod piece;
mod recovery;
mod source;
mod statement;
mod value;

pub(crate) use piece::{Piece, Place, Role};
pub(crate) use source::Source;

use rowan::{Checkpoint, GreenNodeBuilder, NodeCache};

use crate::codes;
use crate::diagnostic::{Code, Diagnostic, Edit, FileId, Fix, Severity, Span};
use crate::keyword::Keyword;
use crate::kind::SyntaxKind;
use crate::lexer::Token;

/// How a text is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ParseOptions {
    /// What the spans of diagnostics and of the script name.
    pub file: FileId,
    /// Some faults that drafts of the language print themselves are warnings.
    pub lenient: bool,
}

/// Reads one piece.
struct Parser<'t, 's, 'c> {
    source: &'s mut Source<'t>,
    options: ParseOptions,
    builder: GreenNodeBuilder<'c>,
    /// The piece's first byte; spans count from here.
    start: u32,
    /// End of the last significant token that was taken; the piece's first byte before that.
    behind: u32,
    diagnostics: Vec<Diagnostic>,
}

impl<'t, 's, 'c> Parser<'t, 's, 'c> {
    fn new(source: &'s mut Source<'t>, cache: &'c mut NodeCache, options: ParseOptions) -> Self {
        let start = source.position() as u32;
        Self {
            source,
            options,
            builder: GreenNodeBuilder::with_cache(cache),
            start,
            behind: start,
            diagnostics: Vec::new(),
        }
    }

    fn peek(&mut self, n: usize) -> Token {
        self.source.peek(n)
    }

    fn kind(&mut self, n: usize) -> SyntaxKind {
        self.source.peek(n).kind
    }

    fn word(&mut self, n: usize) -> Option<Keyword> {
        self.source.peek(n).word
    }

    fn at(&mut self, kind: SyntaxKind) -> bool {
        self.kind(0) == kind
    }

    fn at_word(&mut self, keyword: Keyword) -> bool {
        self.word(0) == Some(keyword)
    }

    fn text(&self, token: Token) -> &'t str {
        &self.source.text[token.start as usize..token.end as usize]
    }

    /// Puts the white space and comments that stand here into the tree.
    fn trivia(&mut self) {
        while let Some(token) = self.source.trivia() {
            let text = self.text(token);
            self.builder.token(token.kind.into(), text);
            if token.kind == SyntaxKind::Comment && text.starts_with("/*") && (text.len() < 4 || !text.ends_with("*/"))
            {
                let opening = self.span(token.start, token.start + 2);
                self.error(codes::E_COMMENT, opening, "this comment has no end");
            }
        }
    }

    /// Puts the next token into the tree.
    fn bump(&mut self) {
        let kind = self.kind(0);
        self.bump_as(kind);
    }

    fn bump_as(&mut self, kind: SyntaxKind) {
        let token = self.peek(0);
        if token.kind == SyntaxKind::End {
            return;
        }
        self.trivia();
        self.builder.token(kind.into(), self.text(token));
        self.source.take();
        self.behind = token.end;
        if token.kind == SyntaxKind::OpenString {
            let span = self.span(token.start, token.end);
            self.error(codes::E_STRING, span, "this text has no closing quote on its line");
        }
    }

    /// Puts the next token into the tree as a keyword, whatever its case.
    fn bump_keyword(&mut self) {
        let token = self.peek(0);
        self.bump_as(SyntaxKind::Keyword);
        let text = self.text(token);
        if let Some(keyword) = token.word.filter(|keyword| keyword.text() != text) {
            let span = self.span(token.start, token.end);
            let message = format!("the keyword {} is written `{text}` here", keyword.text());
            let fix = replace(span, keyword.text(), format!("write {}", keyword.text()), true);
            self.tell(codes::L_CASE, Severity::Lint, span, message).fix = Some(fix);
        }
    }

    /// Begins a node. A token must follow that will be in it.
    fn open(&mut self, kind: SyntaxKind) {
        self.trivia();
        self.builder.start_node(kind.into());
    }

    fn checkpoint(&mut self) -> Checkpoint {
        self.trivia();
        self.builder.checkpoint()
    }

    fn open_at(&mut self, checkpoint: Checkpoint, kind: SyntaxKind) {
        self.builder.start_node_at(checkpoint, kind.into());
    }

    fn close(&mut self) {
        self.builder.finish_node();
    }

    // spans and diagnostics

    fn span(&self, start: u32, end: u32) -> Span {
        Span {
            file: self.options.file,
            start: start - self.start,
            end: end - self.start,
        }
    }

    fn token_span(&mut self, n: usize) -> Span {
        let token = self.peek(n);
        self.span(token.start, token.end)
    }

    /// The place just behind the last token.
    fn behind(&self) -> Span {
        self.span(self.behind, self.behind)
    }

    /// The next token, or, at the text's end, the place behind the last one.
    fn here(&mut self) -> Span {
        if self.at(SyntaxKind::End) {
            self.behind()
        } else {
            self.token_span(0)
        }
    }

    /// The next token as a sentence names it.
    fn found(&mut self) -> String {
        let token = self.peek(0);
        match token.kind {
            SyntaxKind::End => "the end of the text".to_owned(),
            _ => format!("`{}`", shortened(self.text(token))),
        }
    }

    fn tell(&mut self, code: Code, severity: Severity, span: Span, message: impl Into<String>) -> &mut Diagnostic {
        self.diagnostics.push(Diagnostic {
            code,
            severity,
            span,
            message: message.into(),
            labels: Vec::new(),
            help: None,
            fix: None,
        });
        self.diagnostics.last_mut().expect("one has just been pushed")
    }

    fn error(&mut self, code: Code, span: Span, message: impl Into<String>) -> &mut Diagnostic {
        self.tell(code, Severity::Error, span, message)
    }

    /// An error, or, where faults of the drafts are let pass, a warning.
    fn fault(&mut self, strict: Code, lenient: Code, span: Span, message: impl Into<String>) -> &mut Diagnostic {
        if self.options.lenient {
            self.tell(lenient, Severity::Warning, span, message)
        } else {
            self.error(strict, span, message)
        }
    }
}

/// A fix of one edit.
fn replace(span: Span, text: impl Into<String>, title: impl Into<String>, is_machine_applicable: bool) -> Fix {
    Fix {
        title: title.into(),
        edits: vec![Edit {
            span,
            text: text.into(),
        }],
        is_machine_applicable,
    }
}

/// Not more of a text than a message can hold.
fn shortened(text: &str) -> String {
    const CHARS_MAX: usize = 40;
    let mut chars = text.chars();
    let start: String = chars.by_ref().take(CHARS_MAX).collect();
    if chars.next().is_none() { start } else { start + "…" }
}
