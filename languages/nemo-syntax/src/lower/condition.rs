//! Conditions. The parser bounds how deep they are nested.

use super::Lowering;
use crate::kind::SyntaxKind;
use crate::script::{Comparison, Condition};
use crate::tree::{self, AstNode};

impl Lowering {
    pub(super) fn condition(self, condition: &tree::Condition) -> Option<Condition> {
        match condition {
            tree::Condition::Any(any) => one_or(self.conditions(any.parts()), Condition::Any),
            tree::Condition::All(all) => one_or(self.conditions(all.parts()), Condition::All),
            tree::Condition::Not(not) => Some(Condition::Not(Box::new(self.condition(&not.inner()?)?))),
            tree::Condition::Group(group) => self.condition(&group.inner()?),
            tree::Condition::Term(term) => Some(Condition::Term {
                name: self.name(&term.name()?),
                comparison: comparison(term.comparison()?)?,
                value: self.value(&term.value()?)?,
                span: self.span_of(term.syntax()),
            }),
        }
    }

    fn conditions(self, parts: impl Iterator<Item = tree::Condition>) -> Vec<Condition> {
        parts.filter_map(|part| self.condition(&part)).collect()
    }
}

/// A part that lacks makes the condition smaller, not stranger.
fn one_or(mut parts: Vec<Condition>, several: fn(Vec<Condition>) -> Condition) -> Option<Condition> {
    if parts.len() > 1 {
        Some(several(parts))
    } else {
        parts.pop()
    }
}

fn comparison(kind: SyntaxKind) -> Option<Comparison> {
    Some(match kind {
        SyntaxKind::EqualEqual => Comparison::Equal,
        SyntaxKind::NotEqual => Comparison::NotEqual,
        SyntaxKind::Greater => Comparison::Greater,
        SyntaxKind::Less => Comparison::Less,
        SyntaxKind::GreaterEqual => Comparison::GreaterOrEqual,
        SyntaxKind::LessEqual => Comparison::LessOrEqual,
        SyntaxKind::Star => Comparison::Between,
        _ => return None,
    })
}
