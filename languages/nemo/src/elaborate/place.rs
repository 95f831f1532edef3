//! Where the parts of a body stand now, when the text in front of it has changed since it was looked at.

use crate::report::moved;
use manifold_nemo_syntax::diagnostic::Span;
use manifold_nemo_syntax::script::{Condition, Name, Value, ValueKind};

/// How far a body has moved.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place(pub(super) i64);

impl Place {
    pub(super) fn of(self, span: Span) -> Span {
        moved(span, self.0)
    }

    fn name(self, name: Name) -> Name {
        Name {
            span: self.of(name.span),
            ..name
        }
    }

    /// A value of the body itself. One that came in as an argument has the place that it had there.
    pub(super) fn value(self, value: Value) -> Value {
        if self.0 == 0 {
            return value;
        }
        Value {
            kind: match value.kind {
                ValueKind::List(values) => ValueKind::List(values.into_iter().map(|value| self.value(value)).collect()),
                kind => kind,
            },
            unit: value.unit.map(|unit| self.name(unit)),
            span: self.of(value.span),
        }
    }

    pub(super) fn condition(self, condition: &Condition, value: &impl Fn(&Value) -> Value) -> Condition {
        let all = |conditions: &[Condition]| conditions.iter().map(|inner| self.condition(inner, value)).collect();
        match condition {
            Condition::Any(conditions) => Condition::Any(all(conditions)),
            Condition::All(conditions) => Condition::All(all(conditions)),
            Condition::Not(inner) => Condition::Not(Box::new(self.condition(inner, value))),
            Condition::Term {
                name,
                comparison,
                value: compared,
                span,
            } => Condition::Term {
                name: self.name(name.clone()),
                comparison: *comparison,
                value: value(compared),
                span: self.of(*span),
            },
        }
    }
}
