//! The tree to what it says.

mod assembly;
mod condition;
mod entity;
mod shift;
mod statement;
mod value;

pub(crate) use assembly::Assembly;
pub(crate) use shift::{shift_entity, shift_statement};

use crate::diagnostic::{FileId, Span};
use crate::kind::{SyntaxNode, SyntaxToken};
use crate::script::{Name, Path};
use crate::tree;

/// Lowers one piece.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lowering {
    pub(crate) file: FileId,
    /// Where the piece begins in the text.
    pub(crate) start: u32,
}

impl Lowering {
    fn span(self, range: rowan::TextRange) -> Span {
        Span {
            file: self.file,
            start: self.start + u32::from(range.start()),
            end: self.start + u32::from(range.end()),
        }
    }

    fn span_of(self, node: &SyntaxNode) -> Span {
        self.span(node.text_range())
    }

    fn name(self, token: &SyntaxToken) -> Name {
        Name {
            text: token.text().to_owned(),
            span: self.span(token.text_range()),
        }
    }

    fn path(self, path: &tree::Path) -> Option<Path> {
        use tree::AstNode;
        let segments: Vec<Name> = path.segments().map(|token| self.name(&token)).collect();
        (!segments.is_empty()).then(|| Path {
            segments,
            span: self.span_of(path.syntax()),
        })
    }
}
