//! Values, properties, actions.

use logos::Logos;

use super::{Parser, shortened};
use crate::codes;
use crate::kind::SyntaxKind;

impl Parser<'_, '_, '_> {
    /// `key: value`.
    pub(super) fn property(&mut self) {
        if self.at_glued() {
            return self.glued(SyntaxKind::Property);
        }
        if !matches!(self.kind(0), SyntaxKind::Name | SyntaxKind::Atom) || self.is_keyword_use(0) {
            return self.name("a property", &[]);
        }
        self.open(SyntaxKind::Property);
        self.name("a property", &[]);
        if self.colon("a property and its value") {
            self.value();
        }
        self.close();
    }

    /// `name` or `name: value`.
    pub(super) fn action(&mut self) {
        if self.at_glued() {
            return self.glued(SyntaxKind::Action);
        }
        if !matches!(self.kind(0), SyntaxKind::Name | SyntaxKind::Atom) || self.is_keyword_use(0) {
            return self.name("an action", &[]);
        }
        self.open(SyntaxKind::Action);
        self.name("an action", &[]);
        if self.at(SyntaxKind::Colon) {
            self.bump();
            self.value();
        }
        self.close();
    }

    /// A key of hexadecimal letters that was taken for the first part of the address behind its `:`, as in `a:fe80::1`.
    fn at_glued(&mut self) -> bool {
        let token = self.peek(0);
        let text = self.text(token);
        let is_address = matches!(token.kind, SyntaxKind::Ipv6 | SyntaxKind::Mac);
        let is_name_first = text.starts_with(|first: char| first.is_ascii_alphabetic());
        is_address && is_name_first && text.split_once(':').is_some_and(|(_, rest)| !rest.starts_with(':'))
    }

    fn glued(&mut self, node: SyntaxKind) {
        self.open(node);
        let token = self.peek(0);
        let (key, rest) = self.text(token).split_once(':').unwrap_or_default();
        self.builder.token(SyntaxKind::Name.into(), key);
        self.builder.token(SyntaxKind::Colon.into(), ":");
        self.builder.start_node(SyntaxKind::Value.into());
        let mut lexer = SyntaxKind::lexer(rest);
        let kind = match lexer.next() {
            Some(Ok(kind)) if lexer.remainder().is_empty() && kind.is_scalar() => kind,
            _ => SyntaxKind::Atom,
        };
        self.builder.token(kind.into(), rest);
        self.source.take();
        self.behind = token.end;
        self.rest_of_scalar();
        self.unit();
        self.close();
        self.close();
    }

    pub(super) fn value(&mut self) {
        let kind = self.kind(0);
        let is_scalar = kind.is_scalar() && !self.is_keyword_use(0);
        if !is_scalar && !matches!(kind, SyntaxKind::LeftBracket | SyntaxKind::LeftParen) {
            let span = self.behind();
            let message = format!("a value is missing here, before {}", self.found());
            self.error(codes::E_VALUE, span, message);
            return;
        }
        self.open(SyntaxKind::Value);
        match kind {
            SyntaxKind::LeftBracket => self.several(SyntaxKind::List, SyntaxKind::RightBracket, "]"),
            SyntaxKind::LeftParen => self.several(SyntaxKind::Range, SyntaxKind::RightParen, ")"),
            _ => {
                self.scalar();
                self.unit();
            }
        }
        self.close();
    }

    /// A scalar; every `:` behind the first word is part of it.
    fn scalar(&mut self) {
        self.scalar_token();
        self.rest_of_scalar();
    }

    fn rest_of_scalar(&mut self) {
        while self.at(SyntaxKind::Colon) {
            self.bump();
            if !self.kind(0).is_scalar() || self.is_keyword_use(0) {
                let span = self.behind();
                self.error(codes::E_VALUE, span, "the rest of the value is missing here");
                break;
            }
            self.scalar_token();
        }
    }

    fn scalar_token(&mut self) {
        let token = self.peek(0);
        let span = self.token_span(0);
        let text = self.text(token);
        match token.kind {
            SyntaxKind::Ipv4 if !is_ipv4(text) => {
                let message = format!("`{text}` is no address: its numbers go to 255, the length behind `/` to 32");
                self.error(codes::E_VALUE, span, message);
            }
            SyntaxKind::Int if text.parse::<i64>().is_err() => {
                let message = format!("`{}` is too large a number", shortened(text));
                self.error(codes::E_INTEGER, span, message);
            }
            _ => {}
        }
        self.bump();
    }

    /// `(kbps)`.
    fn unit(&mut self) {
        if !self.at(SyntaxKind::LeftParen) {
            return;
        }
        self.open(SyntaxKind::ValueUnit);
        self.bump();
        if matches!(self.kind(0), SyntaxKind::Name | SyntaxKind::Atom) {
            self.bump_as(SyntaxKind::Name);
        } else {
            let span = self.behind();
            self.error(codes::E_VALUE, span, "a unit is missing here, for instance `kbps`");
        }
        self.closing(SyntaxKind::RightParen, ")");
        self.close();
    }

    fn closing(&mut self, kind: SyntaxKind, text: &str) {
        if self.at(kind) {
            return self.bump();
        }
        let span = self.behind();
        let fix = super::replace(span, text, format!("insert \"{text}\""), true);
        self.error(codes::E_VALUE, span, format!("`{text}` is missing here"))
            .fix = Some(fix);
    }

    /// A list or a range: scalars with commas between them.
    fn several(&mut self, node: SyntaxKind, last: SyntaxKind, last_text: &str) {
        let start = self.here();
        self.open(node);
        self.bump();
        let mut count = 0;
        let mut are_integers = true;
        while self.kind(0).is_scalar() && !self.is_keyword_use(0) {
            are_integers &= self.at(SyntaxKind::Int) && self.kind(1) != SyntaxKind::Colon;
            self.open(SyntaxKind::Value);
            self.scalar();
            self.close();
            count += 1;
            if !self.at(SyntaxKind::Comma) {
                break;
            }
            self.bump();
        }
        let is_range = count == 2 && are_integers;
        let span = start.to(self.behind());
        self.closing(last, last_text);
        self.close();
        if count == 0 {
            self.error(
                codes::E_VALUE,
                span,
                "at least one value is expected between the brackets",
            );
        } else if node == SyntaxKind::Range && !is_range && count != 2 {
            self.error(codes::E_VALUE, span, "a range is two values: `(1, 5)`");
        }
    }

    /// Skips what was told to be wrong.
    pub(super) fn skip_scalar(&mut self) {
        if self.kind(0).is_scalar() && !self.is_keyword_use(0) {
            self.open(SyntaxKind::Error);
            self.bump();
            self.close();
        }
    }

    /// A whole number.
    pub(super) fn integer(&mut self, what: &str) {
        if !self.at(SyntaxKind::Int) {
            let span = self.here();
            let message = format!("{what} is a whole number, not {}", self.found());
            self.error(codes::E_INTEGER, span, message);
            return self.skip_scalar();
        }
        let token = self.peek(0);
        let span = self.token_span(0);
        let text = self.text(token);
        if text.parse::<i64>().is_err() {
            let message = format!("`{}` is too large a number", shortened(text));
            self.error(codes::E_INTEGER, span, message);
        }
        self.bump();
    }
}

fn is_ipv4(text: &str) -> bool {
    let (address, length) = text
        .split_once('/')
        .map_or((text, None), |(address, length)| (address, Some(length)));
    let is_length = |length: &str| length.parse::<u8>().is_ok_and(|length| length <= 32);
    address.split('.').all(|part| part.parse::<u8>().is_ok()) && length.is_none_or(is_length)
}
