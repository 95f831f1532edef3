//! Another name for something, everywhere at once.

use super::Symbol;
use crate::check::{Checked, MemberKind};
use manifold_nemo_syntax::diagnostic::{Edit, LabelPlace};

/// Why something cannot be renamed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RenameError {
    /// The new name is none: a letter, then letters, digits, `_` and `-`.
    NoName(String),
    /// Something else of the kind has it already; where, if that is in a script.
    Taken(String, Option<LabelPlace>),
    /// It is not ours: what a descriptor says is changed there.
    Foreign,
    /// It is nowhere.
    Unknown,
}

impl std::fmt::Display for RenameError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoName(name) => write!(f, "`{name}` is no name: a letter, then letters, digits, `_` and `-`"),
            Self::Taken(name, _) => write!(f, "there is a `{name}` already"),
            Self::Foreign => write!(f, "this name stands in a descriptor, and is changed there"),
            Self::Unknown => write!(f, "there is nothing here that has a name"),
        }
    }
}

impl std::error::Error for RenameError {}

impl Checked {
    /// The edits that give something another name.
    pub fn rename(&self, symbol: &Symbol, name: &str) -> Result<Vec<Edit>, RenameError> {
        let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
        if !is_name {
            return Err(RenameError::NoName(name.to_owned()));
        }
        if matches!(symbol, Symbol::Interface { .. }) {
            return Err(RenameError::Foreign);
        }
        if self.definition(symbol).is_none() {
            return Err(RenameError::Unknown);
        }
        for taken in rivals(symbol, name) {
            if taken != *symbol
                && let Some(place) = self.definition(&taken)
            {
                return Err(RenameError::Taken(name.to_owned(), Some(place)));
            }
        }
        let mentions = self.mentions(symbol);
        Ok(mentions
            .into_iter()
            .map(|mention| Edit {
                span: mention.span,
                text: name.to_owned(),
            })
            .collect())
    }
}

/// What a new name would be confused with: the same kind, and what is looked up in the same places.
fn rivals(symbol: &Symbol, name: &str) -> Vec<Symbol> {
    let name = name.to_owned();
    match symbol {
        Symbol::Model(_) => vec![Symbol::Model(name)],
        Symbol::Parameter { model, .. } => vec![Symbol::Parameter {
            model: model.clone(),
            name,
        }],
        Symbol::Interface { .. } => Vec::new(),
        Symbol::Member { model, kind, .. } => {
            let member = |kind: MemberKind| Symbol::Member {
                model: model.clone(),
                kind,
                name: name.clone(),
            };
            match kind {
                // A connection's end means a connection point before a node.
                MemberKind::Node | MemberKind::ConnectionPoint => {
                    vec![member(MemberKind::Node), member(MemberKind::ConnectionPoint)]
                }
                kind => vec![member(*kind)],
            }
        }
    }
}
