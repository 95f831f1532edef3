//! What stands between two pieces: comments and blank lines.

use super::begin_line;
use crate::kind::{SyntaxKind, SyntaxNode};
use rowan::NodeOrToken;

/// A comment between pieces.
#[derive(Debug)]
struct Comment {
    text: String,
    /// A blank line stands before it.
    has_blank: bool,
    /// It does not stand at the line's first column.
    is_indented: bool,
}

/// The white space and comments before a piece.
#[derive(Debug)]
pub(super) struct Gap {
    /// On the line on which the piece before ends.
    trailing: Vec<String>,
    /// On lines of their own.
    own_lines: Vec<Comment>,
    /// A blank line stands before the piece itself.
    has_blank: bool,
}

impl Gap {
    /// Of the text's first piece no comment stands behind another piece.
    pub(super) fn before(piece: &SyntaxNode, is_first: bool) -> Self {
        let mut gap = Self {
            trailing: Vec::new(),
            own_lines: Vec::new(),
            has_blank: false,
        };
        let (mut lines, mut is_indented) = (0, false);
        for element in piece.children_with_tokens() {
            let NodeOrToken::Token(token) = element else { break };
            match token.kind() {
                SyntaxKind::Whitespace => {
                    lines += token.text().matches('\n').count();
                    is_indented = !token.text().ends_with('\n');
                }
                SyntaxKind::Comment => {
                    let text = token.text().trim_end().to_owned();
                    if lines == 0 && gap.own_lines.is_empty() && !is_first {
                        gap.trailing.push(text);
                    } else {
                        gap.own_lines.push(Comment {
                            text,
                            has_blank: lines > 1,
                            is_indented: is_indented && lines > 0,
                        });
                    }
                    (lines, is_indented) = (0, false);
                }
                _ => break,
            }
        }
        gap.has_blank = lines > 1;
        gap
    }

    /// Writes what belongs to the line that is being written.
    pub(super) fn write_trailing(&self, out: &mut String) {
        for comment in &self.trailing {
            out.push(' ');
            out.push_str(comment);
        }
    }

    /// Writes the comments on lines of their own; tells whether a blank line is to stand before the piece.
    pub(super) fn write_own_lines(
        &self,
        out: &mut String,
        is_behind_header: bool,
        mut needs_blank: bool,
        indent: usize,
        body_indent: usize,
    ) -> bool {
        let mut is_in_body = body_indent > 0;
        let mut may_have_blank = !is_behind_header;
        for comment in &self.own_lines {
            is_in_body &= comment.is_indented;
            let indent = if is_in_body { body_indent } else { indent };
            let is_forced = needs_blank && !is_in_body;
            begin_line(out, is_forced || (comment.has_blank && may_have_blank));
            needs_blank &= !is_forced;
            may_have_blank = true;
            out.extend(std::iter::repeat_n(' ', indent));
            out.push_str(&comment.text);
        }
        needs_blank || self.has_blank
    }
}

/// Whether a piece has no token but white space and comments.
pub(super) fn is_only_trivia(piece: &SyntaxNode) -> bool {
    let mut elements = piece.children_with_tokens();
    elements.all(|element| element.kind().is_trivia())
}

/// A piece's text from its first significant token on.
pub(super) fn without_gap(piece: &SyntaxNode) -> String {
    let elements = piece.children_with_tokens();
    let significant = elements.skip_while(|element| element.kind().is_trivia());
    significant.map(|element| element.to_string()).collect()
}
