//! The tokens of a text, cut as they are asked for.

use crate::kind::SyntaxKind;
use crate::lexer::{Lexer, Token};

/// A text and its tokens from some place on.
pub(crate) struct Source<'t> {
    pub(crate) text: &'t str,
    lexer: Lexer<'t>,
    tokens: Vec<Token>,
    /// Which of `tokens` are neither white space nor comments.
    significant: Vec<u32>,
    /// The next one of `significant`.
    cursor: usize,
    /// The next one of `tokens` that is in no tree yet.
    taken: usize,
    /// End of the line on which the last token ends, as far as it is known.
    line_end: usize,
}

impl<'t> Source<'t> {
    pub(crate) fn new(text: &'t str, at: usize) -> Self {
        Self {
            text,
            lexer: Lexer::new(text, at),
            tokens: Vec::new(),
            significant: Vec::new(),
            cursor: 0,
            taken: 0,
            line_end: at,
        }
    }

    /// The `n`th significant token from here; 0 is the next one.
    pub(crate) fn peek(&mut self, n: usize) -> Token {
        while self.significant.len() <= self.cursor + n {
            let Some(token) = self.lexer.next() else {
                let end = self.text.len() as u32;
                return Token {
                    kind: SyntaxKind::End,
                    word: None,
                    start: end,
                    end,
                };
            };
            if !token.kind.is_trivia() {
                self.significant.push(self.tokens.len() as u32);
            }
            self.tokens.push(token);
        }
        self.tokens[self.significant[self.cursor + n] as usize]
    }

    /// White space and comments before the next significant token, or before the text's end.
    pub(crate) fn trivia(&mut self) -> Option<Token> {
        self.peek(0);
        let token = *self.tokens.get(self.taken)?;
        self.taken += usize::from(token.kind.is_trivia());
        token.kind.is_trivia().then_some(token)
    }

    /// Takes the next significant token; white space before it has been taken.
    pub(crate) fn take(&mut self) {
        self.cursor += 1;
        self.taken += 1;
    }

    /// First byte that is in no tree yet.
    pub(crate) fn position(&self) -> usize {
        match self.tokens.get(self.taken) {
            Some(token) => token.start as usize,
            None => self.tokens.last().map_or(self.line_end, |token| token.end as usize),
        }
    }

    /// The byte after the last one that had a say in any token so far. Whether a token ends where it does depends on no more
    /// than the rest of its line, the text's end included.
    pub(crate) fn seen(&mut self) -> usize {
        let end = self.tokens.last().map_or(0, |token| token.end as usize);
        if end >= self.line_end {
            let rest = &self.text.as_bytes()[end..];
            self.line_end = rest
                .iter()
                .position(|byte| *byte == b'\n')
                .map_or(self.text.len(), |at| end + at)
                + 1;
        }
        self.line_end.max(self.lexer.seen())
    }
}
