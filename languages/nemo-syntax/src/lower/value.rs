//! Values.

use super::Lowering;
use crate::kind::SyntaxKind;
use crate::script::{Value, ValueKind};
use crate::tree::{self, AstNode};

impl Lowering {
    pub(super) fn value(self, value: &tree::Value) -> Option<Value> {
        let kind = if let Some(list) = value.list() {
            ValueKind::List(self.values(list.values()))
        } else if let Some(range) = value.range() {
            let values = self.values(range.values());
            match values.as_slice() {
                [
                    Value {
                        kind: ValueKind::Integer(from),
                        ..
                    },
                    Value {
                        kind: ValueKind::Integer(to),
                        ..
                    },
                ] => ValueKind::Range(*from, *to),
                _ => ValueKind::List(values),
            }
        } else {
            scalar(value)?
        };
        Some(Value {
            kind,
            unit: value.unit().map(|unit| self.name(&unit)),
            span: self.span_of(value.syntax()),
        })
    }

    fn values(self, values: impl Iterator<Item = tree::Value>) -> Vec<Value> {
        values.filter_map(|value| self.value(&value)).collect()
    }
}

/// Text, or a number where it is one; white space within is not part of it.
fn scalar(value: &tree::Value) -> Option<ValueKind> {
    let mut tokens = value.scalar().peekable();
    let first = tokens.next()?;
    if tokens.peek().is_none()
        && first.kind() == SyntaxKind::Int
        && let Ok(number) = first.text().parse()
    {
        return Some(ValueKind::Integer(number));
    }
    let mut text = unquoted(first.text(), first.kind()).to_owned();
    for token in tokens {
        text.push_str(unquoted(token.text(), token.kind()));
    }
    Some(ValueKind::Text(text))
}

fn unquoted(text: &str, kind: SyntaxKind) -> &str {
    match kind {
        SyntaxKind::String | SyntaxKind::OpenString => text.trim_matches('"'),
        SyntaxKind::AngleUri => text.trim_matches(['<', '>']),
        _ => text,
    }
}
