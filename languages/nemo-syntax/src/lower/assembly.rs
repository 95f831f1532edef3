//! Pieces to statements: members go into the model before them.

use super::Lowering;
use super::statement::Said;
use crate::diagnostic::FileId;
use crate::kind::SyntaxNode;
use crate::parser::Piece;
use crate::script::{Entity, Model, Statement};

/// Statements as they come together.
#[derive(Debug)]
pub(crate) struct Assembly {
    pub(crate) statements: Vec<Statement>,
    file: FileId,
    /// The last statement is a model whose body may go on.
    is_model_open: bool,
}

impl Assembly {
    pub(crate) fn new(file: FileId) -> Self {
        Self {
            statements: Vec::new(),
            file,
            is_model_open: false,
        }
    }

    /// Adds a piece that begins at `start`; `known` is what a member of an unchanged piece was before.
    pub(crate) fn add(&mut self, piece: &Piece, start: u32, known: Option<Entity>) {
        let said = match known {
            Some(entity) => Some(Said::Member(entity)),
            None => {
                let lowering = Lowering { file: self.file, start };
                lowering.piece(&SyntaxNode::new_root(piece.green.clone()))
            }
        };
        self.is_model_open &= piece.is_in_body();
        if let Some(model) = self.open_model() {
            model.span.end = start + piece.length();
        }
        match said {
            Some(Said::Header(model)) => {
                self.statements.push(Statement::Model(model));
                self.is_model_open = true;
            }
            Some(Said::Member(entity)) => {
                if let Some(model) = self.open_model() {
                    model.members.push(entity);
                }
            }
            Some(Said::Statement(statement)) => self.statements.push(statement),
            None => {}
        }
    }

    fn open_model(&mut self) -> Option<&mut Model> {
        match self.statements.last_mut() {
            Some(Statement::Model(model)) if self.is_model_open => Some(model),
            _ => None,
        }
    }
}
