//! The header of a node model: `CREATE NodeModel name Property …, … VNFD uri Digest …;`.

use super::{Parser, Place, replace};
use crate::codes;
use crate::diagnostic::{Severity, Span};
use crate::keyword::{Keyword, nearest};
use crate::kind::SyntaxKind;
use crate::lexer::Token;

/// The clauses of a header.
const CLAUSES: &[Keyword] = &[Keyword::Property, Keyword::Vnfd, Keyword::Digest];

impl Parser<'_, '_, '_> {
    /// A verb and `NodeModel` are next. Tells how the body goes on.
    pub(super) fn model_header(&mut self) -> Place {
        let verb = self.peek(0);
        self.open(SyntaxKind::ModelHeader);
        self.bump_keyword();
        self.bump_keyword();
        self.name("a NodeModel", CLAUSES);
        let mut seen = Vec::new();
        let place = loop {
            match self.kind(0) {
                SyntaxKind::LeftBrace => {
                    self.bump();
                    break Place::Braces;
                }
                SyntaxKind::Semicolon => {
                    self.bump();
                    if self.at(SyntaxKind::LeftBrace) {
                        self.bump();
                        break Place::Braces;
                    }
                    break Place::Body;
                }
                _ if self.at_boundary() => {
                    self.semicolon();
                    break Place::Body;
                }
                _ => self.header_clause(&mut seen),
            }
        };
        self.close();
        self.import_note(verb, &seen);
        let place_of = |keyword| seen.iter().find(|(word, _)| *word == keyword).map(|(_, span)| *span);
        if let (Some(digest), None) = (place_of(Keyword::Digest), place_of(Keyword::Vnfd)) {
            self.error(
                codes::E_DIGEST,
                digest,
                "a digest pins a descriptor, and no VNFD stands here",
            );
        }
        place
    }

    /// IMPORT of a model that has a descriptor is what CREATE does.
    fn import_note(&mut self, verb: Token, seen: &[(Keyword, Span)]) {
        if verb.word == Some(Keyword::Import) && seen.iter().any(|(word, _)| *word == Keyword::Vnfd) {
            let span = self.span(verb.start, verb.end);
            let message = "IMPORT of a NodeModel is the same as CREATE; elsewhere IMPORT binds to what exists already";
            let fix = replace(span, "CREATE", "write CREATE", true);
            self.tell(codes::L_IMPORT, Severity::Lint, span, message).fix = Some(fix);
        }
    }

    fn header_clause(&mut self, seen: &mut Vec<(Keyword, Span)>) {
        match self.word(0) {
            Some(word @ (Keyword::Property | Keyword::Parameter)) => {
                self.once(seen, Keyword::Property, word.text());
                self.parameters();
            }
            Some(Keyword::Vnfd) => {
                self.once(seen, Keyword::Vnfd, "VNFD");
                self.descriptor();
            }
            Some(Keyword::Digest) => {
                self.once(seen, Keyword::Digest, "Digest");
                self.digest();
            }
            _ => self.unexpected_clause("a NodeModel", CLAUSES),
        }
    }

    pub(super) fn parameters(&mut self) {
        self.open(SyntaxKind::ParametersClause);
        self.bump_keyword();
        self.list(Self::at_key, Self::parameter);
        self.close();
    }

    fn parameter(&mut self) {
        if !self.at(SyntaxKind::Name) {
            return self.name("a parameter's type", CLAUSES);
        }
        self.open(SyntaxKind::Parameter);
        let token = self.peek(0);
        let span = self.token_span(0);
        match token.word.filter(|word| word.is_type()) {
            Some(word) => {
                self.bump_keyword();
                if word > Keyword::Range {
                    let message = format!("the type {} is reserved: its values are not checked", word.text());
                    self.tell(codes::W_RESERVED, Severity::Warning, span, message);
                }
            }
            None => {
                let text = self.text(token);
                let types = [Keyword::String, Keyword::Integer, Keyword::Range].map(Keyword::text);
                let message = format!("`{text}` is no type of a parameter: they are string, integer and range");
                let meant = nearest(text, types);
                let told = self.error(codes::E_PARAMETER, span, message);
                told.fix = meant.map(|meant| replace(span, meant, format!("write {meant}"), false));
                self.bump_as(SyntaxKind::Name);
            }
        }
        if self.colon("a parameter's type and its name") {
            self.name("a parameter", CLAUSES);
        }
        self.close();
    }

    fn descriptor(&mut self) {
        self.open(SyntaxKind::VnfdClause);
        self.bump_keyword();
        let first = self.peek(0);
        let is_word = matches!(first.kind, SyntaxKind::Name | SyntaxKind::Atom) && !self.is_keyword_use(0);
        if is_word {
            self.bump_as(SyntaxKind::Uri);
        } else if matches!(
            first.kind,
            SyntaxKind::Uri | SyntaxKind::AngleUri | SyntaxKind::String | SyntaxKind::OpenString
        ) {
            self.bump();
            while self.at(SyntaxKind::Uri) {
                self.break_in_address();
            }
        } else if self.at_placeholder() {
            self.placeholder();
        } else {
            let span = self.here();
            let found = self.found();
            let told = self.error(
                codes::E_URI,
                span,
                format!("VNFD is followed by the address of a descriptor, not by {found}"),
            );
            told.help = Some(
                "for instance `VNFD catalog:name`, `VNFD ./vnfd.yaml` or `VNFD <https://host/vnfd.yaml>`".to_owned(),
            );
        }
        self.close();
    }

    /// An address goes on after a line's end.
    fn break_in_address(&mut self) {
        let rest = self.peek(0);
        let span = self.span(self.behind, rest.start);
        let message = "the address is broken here by the end of the line";
        let fix = replace(span, "", "join the address", true);
        let told = self.fault(codes::E_URI_BREAK, codes::W_URI_FOLD, span, message);
        told.help = Some("an address in `<` `>` or quotes may be broken anywhere".to_owned());
        told.fix = Some(fix);
        self.bump();
    }

    fn digest(&mut self) {
        self.open(SyntaxKind::DigestClause);
        self.bump_keyword();
        let start = self.here();
        let mut text = String::new();
        let mut span = start;
        while (self.kind(0).is_scalar() || self.at(SyntaxKind::Colon)) && !self.is_keyword_use(0) && text.len() < 80 {
            let token = self.peek(0);
            text.push_str(self.text(token));
            span = span.to(self.token_span(0));
            let kind = if token.kind == SyntaxKind::Colon {
                SyntaxKind::Colon
            } else {
                SyntaxKind::Atom
            };
            self.bump_as(kind);
            if !self.at(SyntaxKind::Colon) && text.contains(':') && !text.ends_with(':') {
                break;
            }
        }
        let hex = text.strip_prefix("sha256:");
        let is_digest = |hex: &str| hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !hex.is_some_and(is_digest) {
            let message = "a digest is `sha256:` and 64 hexadecimal digits";
            self.error(codes::E_DIGEST, span, message);
        }
        self.close();
    }
}
