//! YAML as text: maps and lists in the order that they are given, scalars quoted only where they must be. The same tree gives the
//! same bytes.

use std::fmt::Write;

/// A tree that can be written.
#[derive(Debug, Clone, PartialEq)]
pub enum Yaml {
    /// A text; quoted where YAML would read something else.
    Text(String),
    /// A number, `true`, `false`: as it stands.
    Bare(String),
    /// A list.
    List(Vec<Yaml>),
    /// A map.
    Map(Vec<(String, Yaml)>),
    /// A map with an empty line between its entries.
    Spaced(Vec<(String, Yaml)>),
    /// The same on one line, in brackets.
    Flow(Box<Yaml>),
}

impl Yaml {
    /// On one line.
    #[must_use]
    pub fn flow(self) -> Self {
        Self::Flow(Box::new(self))
    }

    /// A list of texts on one line.
    pub fn words<T: Into<String>>(words: impl IntoIterator<Item = T>) -> Self {
        Self::List(words.into_iter().map(|word| Self::Text(word.into())).collect()).flow()
    }

    /// The document that holds this tree.
    pub fn document(&self) -> String {
        let mut out = String::new();
        match self {
            Self::Map(_) | Self::Spaced(_) | Self::List(_) if !self.is_empty() => self.block(&mut out, 0, false),
            _ => {
                self.inline(&mut out);
                out.push('\n');
            }
        }
        out
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::List(items) => items.is_empty(),
            Self::Map(entries) | Self::Spaced(entries) => entries.is_empty(),
            _ => false,
        }
    }

    /// Lines at this depth; the first one without its indentation where something stands before it already.
    fn block(&self, out: &mut String, indent: usize, mut has_begun: bool) {
        let mut line = |out: &mut String| {
            if !std::mem::take(&mut has_begun) {
                out.extend(std::iter::repeat_n(' ', indent));
            }
        };
        match self {
            Self::List(items) => {
                for item in items {
                    line(out);
                    out.push_str("- ");
                    match item {
                        Self::Map(_) | Self::Spaced(_) | Self::List(_) if !item.is_empty() => {
                            item.block(out, indent + 2, true);
                        }
                        _ => item.behind(out, indent + 2),
                    }
                }
            }
            Self::Map(entries) | Self::Spaced(entries) => {
                for (at, (key, value)) in entries.iter().enumerate() {
                    if at > 0 && matches!(self, Self::Spaced(_)) {
                        out.push('\n');
                    }
                    line(out);
                    scalar(out, key, true);
                    out.push(':');
                    match value {
                        Self::Map(_) | Self::Spaced(_) | Self::List(_) if !value.is_empty() => {
                            out.push('\n');
                            value.block(out, indent + 2, false);
                        }
                        _ => {
                            out.push(' ');
                            value.behind(out, indent + 2);
                        }
                    }
                }
            }
            other => other.behind(out, indent),
        }
    }

    /// What stands behind a key or a dash on the same line, with the end of that line.
    fn behind(&self, out: &mut String, indent: usize) {
        match self {
            Self::Text(text) if is_literal(text) => {
                out.push_str(if text.ends_with('\n') { "|\n" } else { "|-\n" });
                for line in text.lines() {
                    if !line.is_empty() {
                        out.extend(std::iter::repeat_n(' ', indent));
                        out.push_str(line);
                    }
                    out.push('\n');
                }
            }
            other => {
                other.inline(out);
                out.push('\n');
            }
        }
    }

    fn inline(&self, out: &mut String) {
        match self {
            Self::Text(text) => scalar(out, text, false),
            Self::Bare(text) => out.push_str(text),
            Self::Flow(inner) => inner.inline(out),
            Self::List(items) if items.is_empty() => out.push_str("[]"),
            Self::Map(entries) | Self::Spaced(entries) if entries.is_empty() => out.push_str("{}"),
            Self::List(items) => {
                for (at, item) in items.iter().enumerate() {
                    out.push_str(if at == 0 { "[ " } else { ", " });
                    item.inline(out);
                }
                out.push_str(" ]");
            }
            Self::Map(entries) | Self::Spaced(entries) => {
                for (at, (key, value)) in entries.iter().enumerate() {
                    out.push_str(if at == 0 { "{ " } else { ", " });
                    scalar(out, key, true);
                    out.push_str(": ");
                    value.inline(out);
                }
                out.push_str(" }");
            }
        }
    }
}

impl From<&str> for Yaml {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&String> for Yaml {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<String> for Yaml {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Yaml {
    fn from(number: u64) -> Self {
        Self::Bare(number.to_string())
    }
}

impl From<u32> for Yaml {
    fn from(number: u32) -> Self {
        Self::Bare(number.to_string())
    }
}

impl From<bool> for Yaml {
    fn from(truth: bool) -> Self {
        Self::Bare(truth.to_string())
    }
}

impl From<Fields> for Yaml {
    fn from(fields: Fields) -> Self {
        Self::Map(fields.0)
    }
}

/// A map that grows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fields(Vec<(String, Yaml)>);

impl Fields {
    /// Without entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// With one entry more.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Yaml>) -> Self {
        self.put(key, value);
        self
    }

    /// With one entry more if there is a value.
    #[must_use]
    pub fn with_some(self, key: &str, value: Option<impl Into<Yaml>>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// Adds an entry.
    pub fn put(&mut self, key: &str, value: impl Into<Yaml>) {
        self.0.push((key.to_owned(), value.into()));
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The map on one line.
    pub fn flow(self) -> Yaml {
        Yaml::from(self).flow()
    }

    /// The map with an empty line between its entries.
    pub fn spaced(self) -> Yaml {
        Yaml::Spaced(self.0)
    }
}

/// Several lines that a literal block holds as they are.
fn is_literal(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    body.contains('\n')
        && !body.ends_with('\n')
        && !body.starts_with(['\n', ' ', '\t'])
        && text
            .chars()
            .all(|c| c == '\n' || c == '\t' || (!c.is_control() && !is_break(c)))
}

/// What some readers of YAML take for the end of a line, and the mark that they skip at the start of a text.
fn is_break(c: char) -> bool {
    matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// Words that are read as something else than text.
const RESERVED: [&str; 11] = [
    "true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf",
];

fn is_plain(text: &str, is_key: bool) -> bool {
    let Some(first) = text.chars().next() else {
        return false;
    };
    let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/') || (!is_key && c == ' ');
    let starts = first.is_ascii_alphabetic() || first == '_';
    // A whole number and an address are plain, too: what reads them asks for the type. Not so `1.0`, `1e5`, `007`, `12:30`.
    let is_address =
        |text: &str| text.split('.').count() == 4 && text.bytes().all(|b| b.is_ascii_digit() || b".".contains(&b));
    let is_network = text.split_once('/').is_some_and(|(address, length)| {
        is_address(address) && !length.is_empty() && length.bytes().all(|b| b.is_ascii_digit())
    });
    let is_measure = text.split_once(' ').is_some_and(|(number, unit)| {
        let is_unit = unit.len() <= 4 && unit.bytes().all(|b| b.is_ascii_alphabetic());
        !unit.is_empty() && is_unit && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
    });
    let is_value = is_address(text) || is_network || (is_measure && !is_key);
    (starts && text.chars().all(inside) && !text.ends_with(' ') || is_value)
        && !RESERVED.iter().any(|word| text.eq_ignore_ascii_case(word))
}

fn scalar(out: &mut String, text: &str, is_key: bool) {
    if is_plain(text, is_key) {
        return out.push_str(text);
    }
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || is_break(c) => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Report;
    use crate::yaml::{Node, parse};

    fn read(text: &str) -> Node {
        let mut report = Report::default();
        let node = parse(&mut report, "t.yaml", text.as_bytes());
        assert!(report.diagnostics.is_empty(), "{}\n{text}", report.diagnostics);
        node.expect("there is a document")
    }

    #[test]
    fn every_text_comes_back() {
        let texts = [
            "",
            " ",
            "a",
            "a b",
            "a ",
            "true",
            "Yes",
            "~",
            "12",
            "1.0",
            "1e5",
            "-",
            "- a",
            "a: b",
            "a #b",
            "#",
            "\"",
            "\\",
            "'",
            "{a}",
            "[a",
            "a\nb",
            "a\nb\n",
            "a\n\nb\n",
            "\na",
            " a\nb",
            "a\nb\n\n",
            "a\r\nb",
            "\u{7}",
            "ä\u{2028}b",
            "a\tb\n\tc",
            "192.0.2.0/24",
            "fd00::/64",
            "%a",
            "@a",
            "&a",
            "*a",
            "!a",
            "|",
            ">",
            "?",
            "a:",
            "\u{feff}a\nb",
            "x\n  y\nz",
            "12:30:00",
            "0x10",
            "on",
        ];
        for text in texts {
            let tree: Yaml = Fields::new()
                .with("block", text)
                .with(
                    "list",
                    Yaml::List(vec![text.into(), Fields::new().with(text, text).into()]),
                )
                .with("flow", Fields::new().with(text, Yaml::words([text])).flow())
                .into();
            let document = tree.document();
            let node = read(&document);
            assert_eq!(node.get("block").and_then(Node::text), Some(text), "{document}");
            let list = node.get("list").expect("it is there").items();
            assert_eq!(list[0].text(), Some(text), "{document}");
            assert_eq!(list[1].get(text).and_then(Node::text), Some(text), "{document}");
            let flow = node.get("flow").and_then(|flow| flow.get(text)).expect("it is there");
            assert_eq!(flow.items()[0].text(), Some(text), "{document}");
        }
    }

    #[test]
    fn what_is_empty_stays_what_it_is() {
        let tree: Yaml = Fields::new()
            .with("list", Yaml::List(vec![]))
            .with("map", Yaml::Map(vec![]))
            .with(
                "nested",
                Yaml::List(vec![Yaml::List(vec!["a".into()]), Yaml::Map(vec![])]),
            )
            .into();
        assert_eq!(tree.document(), "list: []\nmap: {}\nnested:\n  - - a\n  - {}\n");
        read(&tree.document());
    }
}
