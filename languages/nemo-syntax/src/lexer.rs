//! Text to tokens. Every byte is in a token.
//!
//! Words are cut without looking around, but for one thing: behind `VNFD` stands an address, which ends at white space or `;`.

use logos::Logos;

use crate::keyword::Keyword;
use crate::kind::SyntaxKind;

/// A token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: SyntaxKind,
    /// Which keyword its text would be.
    pub word: Option<Keyword>,
    /// First byte.
    pub start: u32,
    /// The byte after the last one.
    pub end: u32,
}

/// An address in brackets or quotes is at most so long; where its end is not found by then, there is none.
const URI_BYTES_MAX: usize = 4_096;

/// What the tokens before allow at the next place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Any,
    /// Behind `VNFD`.
    Address,
    /// Behind an address; whether a line has ended since.
    MoreOfAddress(bool),
}

/// Cuts a text into tokens.
#[derive(Debug)]
pub struct Lexer<'t> {
    text: &'t str,
    inner: logos::Lexer<'t, SyntaxKind>,
    at: usize,
    next: Next,
    /// The furthest byte that had a say in any token so far, where that is not on the token's own line.
    seen: usize,
}

impl<'t> Lexer<'t> {
    /// Begins at a byte that is the first of a token.
    pub fn new(text: &'t str, at: usize) -> Self {
        let mut inner = SyntaxKind::lexer(text);
        inner.bump(at);
        Self {
            text,
            inner,
            at,
            next: Next::Any,
            seen: at,
        }
    }

    /// See the field.
    pub(crate) fn seen(&self) -> usize {
        self.seen
    }

    /// The address that begins here.
    fn address(&mut self) -> Option<(SyntaxKind, usize)> {
        let rest = &self.text.as_bytes()[self.at..];
        let first = *rest.first()?;
        if matches!((self.next, first), (Next::Address, b'<' | b'"')) {
            let close = if first == b'<' { b'>' } else { b'"' };
            let window = &rest[1..rest.len().min(URI_BYTES_MAX)];
            let end = window.iter().position(|byte| *byte == close);
            self.seen = self.at + end.map_or(window.len(), |end| end + 1) + 1;
            let is_one = |end: &usize| first == b'"' || window[..*end].iter().any(is_of_address);
            let kind = if first == b'<' {
                SyntaxKind::AngleUri
            } else {
                SyntaxKind::String
            };
            return end.filter(is_one).map(|end| (kind, end + 2));
        }
        let is_comment = first == b'/' && matches!(rest.get(1), Some(b'/' | b'*'));
        let may_begin = match self.next {
            Next::Address => first.is_ascii_alphanumeric() || matches!(first, b'/' | b'.' | b'~'),
            Next::MoreOfAddress(has_line_ended) => has_line_ended && first == b'/',
            Next::Any => false,
        };
        if !may_begin || is_comment {
            return None;
        }
        let is_out = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b';' | b'"' | b'<' | b'>' | b'{' | b'}');
        let end = rest.iter().position(is_out).unwrap_or(rest.len());
        let looks_like_one = rest[..end].iter().any(is_of_address);
        looks_like_one.then_some((SyntaxKind::Uri, end))
    }
}

/// Whether a byte can be in an address and not in a name.
fn is_of_address(byte: &u8) -> bool {
    matches!(byte, b':' | b'/' | b'.')
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        if self.at == self.text.len() {
            return None;
        }
        let start = self.at;
        let address = if self.next == Next::Any { None } else { self.address() };
        let (kind, word) = match address {
            Some((kind, length)) => {
                self.inner.bump(length);
                self.at += length;
                (kind, None)
            }
            None => {
                let kind = self.inner.next()?.unwrap_or(SyntaxKind::Unknown);
                self.at = self.inner.span().end;
                let is_name = kind == SyntaxKind::Name;
                (kind, is_name.then(|| Keyword::of(&self.text[start..self.at])).flatten())
            }
        };
        let text = &self.text[start..self.at];
        self.next = match (kind, self.next) {
            (SyntaxKind::Name, _) if word == Some(Keyword::Vnfd) => Next::Address,
            (SyntaxKind::Uri, Next::Address | Next::MoreOfAddress(_)) => Next::MoreOfAddress(false),
            (SyntaxKind::Whitespace | SyntaxKind::Comment, Next::Address) => Next::Address,
            (SyntaxKind::Whitespace, Next::MoreOfAddress(has)) => Next::MoreOfAddress(has || text.contains('\n')),
            _ => Next::Any,
        };
        Some(Token {
            kind,
            word,
            start: start as u32,
            end: self.at as u32,
        })
    }
}
