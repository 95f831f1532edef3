//! Actions of operations, and the nodes that a flow goes through.

use manifold_nemo_syntax::diagnostic::Span;
use manifold_nemo_syntax::script::{Value, ValueKind};

/// What an action does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ActionKind {
    /// The packets pass nodes.
    GoThrough,
    /// They are dropped.
    Block,
    /// They pass.
    Allow,
    /// At most so many of them a second.
    Bandwidth,
    /// Before others, or after them.
    Precedence,
}

impl ActionKind {
    /// Each with its names, the first being ours.
    pub(crate) const ALL: [(ActionKind, &'static [&'static str]); 5] = [
        (Self::GoThrough, &["go-through", "gothrough", "go_through", "redirect"]),
        (Self::Block, &["block", "deny", "drop"]),
        (Self::Allow, &["allow", "permit", "accept"]),
        (Self::Bandwidth, &["bandwidth", "qos-bandwidth", "rate", "rate-limit"]),
        (Self::Precedence, &["priority", "precedence", "qos", "qos-priority"]),
    ];

    pub(crate) fn named(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        Self::ALL
            .iter()
            .find(|(_, names)| names.contains(&name.as_str()))
            .map(|(kind, _)| *kind)
    }

    pub(crate) fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(kind, _)| *kind == self)
            .map_or("", |(_, names)| names[0])
    }
}

/// A node on the way of a flow, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hop<'a> {
    pub(crate) node: &'a str,
    /// The connection point that is gone in by.
    pub(crate) by: Option<&'a str>,
    /// The one that is come out by.
    pub(crate) out: Option<&'a str>,
    pub(crate) span: Span,
    /// Where the node's name itself stands.
    pub(crate) mentions: Vec<Span>,
}

/// The place of the first word of a text that is written bare or in quotes.
fn first_word(text: &str, word: &str, span: Span) -> Option<Span> {
    let quotes = (span.end - span.start).checked_sub(text.len() as u32)?;
    let lead = (text.len() - text.trim_start().len()) as u32;
    let start = span.start + quotes / 2 + lead;
    matches!(quotes, 0 | 2).then_some(Span {
        start,
        end: start + word.len() as u32,
        ..span
    })
}

/// The nodes that a value names: `fw`, `fw:in`, `fw:in:out`, or a list of such. Two neighbours `fw:in, fw:out` are one node, gone into by
/// the first and out of by the second. `Err`: where something else stands.
pub(crate) fn hops(value: &Value) -> Result<Vec<Hop<'_>>, Span> {
    let values = match &value.kind {
        ValueKind::List(values) => values.as_slice(),
        _ => std::slice::from_ref(value),
    };
    let mut hops: Vec<Hop<'_>> = Vec::new();
    for value in values {
        let ValueKind::Text(text) = &value.kind else {
            return Err(value.span);
        };
        let mut parts = text.split([':', '.']).map(str::trim);
        let mut hop = Hop {
            node: parts.next().unwrap_or_default(),
            by: parts.next(),
            out: parts.next(),
            span: value.span,
            mentions: Vec::new(),
        };
        let mention = first_word(text, hop.node, value.span);
        if hop.node.is_empty() || parts.next().is_some() {
            return Err(value.span);
        }
        match hops.last_mut() {
            Some(last)
                if last.node == hop.node
                    && last.out.is_none()
                    && last.by.is_some()
                    && hop.out.is_none()
                    && hop.by.is_some() =>
            {
                last.out = hop.by;
                last.mentions.extend(mention);
            }
            _ => {
                hop.mentions.extend(mention);
                hops.push(hop);
            }
        }
    }
    Ok(hops)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str) -> Value {
        Value {
            kind: ValueKind::Text(text.to_owned()),
            unit: None,
            span: Span::default(),
        }
    }

    #[test]
    fn two_points_of_one_node_next_to_each_other_are_the_way_through_it() {
        let value = Value {
            kind: ValueKind::List(vec![word("fw:in"), word("fw:out"), word("cache"), word("ids.a:b")]),
            ..word("")
        };
        let hops = hops(&value).unwrap();
        let seen: Vec<_> = hops.iter().map(|hop| (hop.node, hop.by, hop.out)).collect();
        assert_eq!(
            seen,
            [
                ("fw", Some("in"), Some("out")),
                ("cache", None, None),
                ("ids", Some("a"), Some("b"))
            ]
        );
    }

    #[test]
    fn what_is_no_name_is_told_by_its_place() {
        assert!(hops(&word("a:b:c:d")).is_err());
        assert!(hops(&word("")).is_err());
        let number = Value {
            kind: ValueKind::Integer(4),
            ..word("")
        };
        assert!(hops(&number).is_err());
    }
}
