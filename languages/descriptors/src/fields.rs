//! Mappings of descriptors that have no schema of their own kind here: each field is asked for by name, and what nobody asked for is
//! told of. Nothing is dropped without a word.

use std::collections::{BTreeMap, BTreeSet};

use crate::code::Code;
use crate::diagnostic::Diagnostics;
use crate::source::{Report, Span};
use crate::yaml::{Data, Node};

/// Longest name or value, in bytes. What is referred to often is copied often, so it shall not be long.
const WORD_BYTES_MAX: usize = 1 << 10;

/// Most bytes of a model that a descriptor is spelled out into.
pub(crate) const MODEL_BYTES_MAX: usize = 64 << 20;

/// How large a part of a model is.
pub(crate) fn weight(part: &impl serde::Serialize) -> usize {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    match serde_json::to_writer(&mut count, part) {
        Ok(()) => count.0,
        Err(_) => MODEL_BYTES_MAX,
    }
}

/// What is being read, and what is to be said about it at the end.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    pub(crate) report: Report,
    /// Fields that are known and have no place in the models: what has them, its name, where it came first, how often.
    unused: BTreeMap<(&'static str, String), (Span, usize)>,
}

impl Reader {
    /// Tells what has no place in the models, once per field, and gives all that is to be told.
    pub(crate) fn finish(mut self) -> (Report, Diagnostics) {
        for ((kind, name), (span, count)) in std::mem::take(&mut self.unused) {
            let times = if count > 1 {
                format!(" ({count} times)")
            } else {
                String::new()
            };
            let message = format!("`{name}` of {kind} has no place in the model{times}");
            self.report.warning(Code::FieldWithoutEffect, span, message);
        }
        let mut diagnostics = std::mem::take(&mut self.report.diagnostics);
        diagnostics.sort();
        (self.report, diagnostics)
    }

    /// A field that is understood and changes nothing.
    pub(crate) fn unused(&mut self, kind: &'static str, name: &str, span: Span) {
        let (_, count) = self.unused.entry((kind, name.to_owned())).or_insert((span, 0));
        *count += 1;
    }

    /// As [`Self::prose`], for what names or measures something and is short therefore.
    pub(crate) fn text(&mut self, name: &str, node: &Node) -> Option<String> {
        let text = self.prose(name, node)?;
        if text.len() > WORD_BYTES_MAX {
            let message = format!("`{name}` has {} bytes: at most {WORD_BYTES_MAX} are read", text.len());
            self.report.error(Code::FieldMalformed, node.span, message);
            return None;
        }
        Some(text)
    }

    /// A text without blanks around it. `None`: there is none, which is told of where one stands empty.
    fn prose(&mut self, name: &str, node: &Node) -> Option<String> {
        let Some(text) = node.text() else {
            if !node.is_null() {
                let message = format!("`{name}` must be a text; this is {}", node.kind());
                self.report.error(Code::FieldMalformed, node.span, message);
            }
            return None;
        };
        let trimmed = text.trim();
        if trimmed.is_empty() {
            let message = format!("`{name}` is empty, which is taken as not said");
            self.report.warning(Code::FieldEmpty, node.span, message);
            return None;
        }
        if trimmed.len() != text.len() {
            let message = format!("`{name}` has blanks around `{trimmed}`, which are left out");
            self.report.warning(Code::BlanksAround, node.span, message);
        }
        Some(trimmed.to_owned())
    }

    /// A reference to something that does not exist.
    pub(crate) fn unknown_name<'a>(
        &mut self,
        span: Span,
        message: String,
        written: &str,
        all: impl IntoIterator<Item = &'a str>,
    ) {
        let help = self.report.candidates(written, all);
        self.report.error_help(Code::NameUnknown, span, message, help);
    }
}

/// A text and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) span: Span,
}

/// One mapping that is being read.
#[derive(Debug)]
pub(crate) struct Fields<'n> {
    node: &'n Node,
    /// What it describes: `an interface`, `a VDU`.
    kind: &'static str,
    asked: BTreeSet<&'static str>,
}

impl<'n> Fields<'n> {
    /// `None`, and an error, for what is no mapping.
    pub(crate) fn of(reader: &mut Reader, node: &'n Node, kind: &'static str) -> Option<Self> {
        let is_map = matches!(node.data, Data::Map(_));
        if !is_map {
            let message = format!("{kind} must be a map; this is {}", node.kind());
            reader.report.error(Code::FieldMalformed, node.span, message);
        }
        is_map.then(|| Self {
            node,
            kind,
            asked: BTreeSet::new(),
        })
    }

    pub(crate) fn span(&self) -> Span {
        self.node.span
    }

    /// Whether the field is written at all.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.node.get(name).is_some()
    }

    /// The field's value; a null is none.
    pub(crate) fn get(&mut self, name: &'static str) -> Option<&'n Node> {
        self.asked.insert(name);
        self.node.get(name).filter(|node| !node.is_null())
    }

    /// A text; empty ones count as absent.
    pub(crate) fn word(&mut self, reader: &mut Reader, name: &'static str) -> Option<Word> {
        let node = self.get(name)?;
        let text = reader.text(name, node)?;
        Some(Word { text, span: node.span })
    }

    pub(crate) fn text(&mut self, reader: &mut Reader, name: &'static str) -> Option<String> {
        self.word(reader, name).map(|word| word.text)
    }

    /// A text for people, of any length.
    pub(crate) fn prose(&mut self, reader: &mut Reader, name: &'static str) -> Option<String> {
        let node = self.get(name)?;
        reader.prose(name, node)
    }

    /// A text that must be there.
    pub(crate) fn need(&mut self, reader: &mut Reader, name: &'static str) -> Option<Word> {
        let word = self.word(reader, name);
        let is_told = self.node.get(name).is_some_and(|node| {
            !matches!(node.data, Data::Null | Data::Scalar { .. }) // its shape was refused already
        });
        if word.is_none() && !is_told {
            let message = format!("{} has no `{name}`", self.kind);
            reader.report.error(Code::FieldMissing, self.node.span, message);
        }
        word
    }

    /// A whole number.
    pub(crate) fn number(&mut self, reader: &mut Reader, name: &'static str) -> Option<u64> {
        let word = self.word(reader, name)?;
        let number = word.text.parse().ok();
        if number.is_none() {
            let message = format!("`{name}` must be a whole number; this is `{}`", word.text);
            reader.report.error(Code::FieldMalformed, word.span, message);
        }
        number
    }

    /// A whole number that is small enough to count things.
    pub(crate) fn count(&mut self, reader: &mut Reader, name: &'static str) -> Option<u32> {
        let number = self.number(reader, name)?;
        let count = u32::try_from(number).ok();
        if count.is_none() {
            let span = self.node.get(name).map_or(self.node.span, |node| node.span);
            let message = format!("`{name}` cannot be {number}: at most {} is", u32::MAX);
            reader.report.error(Code::FieldMalformed, span, message);
        }
        count
    }

    /// Yes or no.
    pub(crate) fn flag(&mut self, reader: &mut Reader, name: &'static str) -> Option<bool> {
        let word = self.word(reader, name)?;
        match word.text.as_str() {
            "true" | "True" | "yes" => Some(true),
            "false" | "False" | "no" => Some(false),
            _ => {
                let message = format!("`{name}` must be true or false; this is `{}`", word.text);
                reader.report.error(Code::FieldMalformed, word.span, message);
                None
            }
        }
    }

    /// A mapping inside.
    pub(crate) fn map(&mut self, reader: &mut Reader, name: &'static str, kind: &'static str) -> Option<Fields<'n>> {
        let node = self.get(name)?;
        Fields::of(reader, node, kind)
    }

    /// The items of a list.
    pub(crate) fn list(&mut self, reader: &mut Reader, name: &'static str) -> &'n [Node] {
        let Some(node) = self.get(name) else { return &[] };
        if !matches!(node.data, Data::Seq(_)) {
            let is_empty = node.text().is_some_and(|text| text.trim().is_empty());
            if is_empty {
                let _ = reader.text(name, node);
            } else {
                let message = format!("`{name}` must be a list; this is {}", node.kind());
                reader.report.error(Code::FieldMalformed, node.span, message);
            }
        }
        node.items()
    }

    /// The mappings of a list.
    pub(crate) fn maps(&mut self, reader: &mut Reader, name: &'static str, kind: &'static str) -> Vec<Fields<'n>> {
        let items = self.list(reader, name);
        items.iter().filter_map(|item| Fields::of(reader, item, kind)).collect()
    }

    /// The texts of a list.
    pub(crate) fn words(&mut self, reader: &mut Reader, name: &'static str) -> Vec<Word> {
        let mut words = Vec::new();
        for item in self.list(reader, name) {
            if let Some(text) = reader.text(name, item) {
                words.push(Word { text, span: item.span });
            }
        }
        words
    }

    /// A text under its right name, or under another that means it, with a warning.
    pub(crate) fn word_or_alias(
        &mut self,
        reader: &mut Reader,
        name: &'static str,
        alias: &'static str,
    ) -> Option<Word> {
        let right = self.word(reader, name);
        self.asked.insert(alias);
        let Some((key, _)) = self.node.entry(alias) else {
            return right;
        };
        let message = format!("`{alias}` is taken for `{name}`");
        reader.report.warning(Code::FieldAlias, key.span, message);
        let other = self.word(reader, alias);
        right.or(other)
    }

    /// Fields that the format knows and that have no place in the models.
    pub(crate) fn without_effect(&mut self, reader: &mut Reader, names: &[&'static str]) {
        for name in names {
            self.asked.insert(name);
            if let Some((key, node)) = self.node.entry(name) {
                match node.text() {
                    Some(text) if text.trim().is_empty() => {
                        let _ = reader.text(name, node);
                    }
                    _ if node.is_null() => {}
                    _ => reader.unused(self.kind, name, key.span),
                }
            }
        }
    }

    /// Names every field that nobody asked for.
    pub(crate) fn finish(self, reader: &mut Reader) {
        for (key, _) in self.node.entries() {
            if !self.asked.contains(key.name.as_str()) {
                let help = reader.report.candidates(&key.name, self.asked.iter().copied());
                let message = format!("{} has no field `{}`: it was not read", self.kind, key.name);
                reader.report.warning_help(Code::FieldUnknown, key.span, message, help);
            }
        }
    }
}

/// Gives out names, each once.
#[derive(Debug, Default)]
pub(crate) struct Names {
    taken: BTreeSet<String>,
    /// The last number that was put behind a name.
    numbers: BTreeMap<String, usize>,
}

impl Names {
    /// Whether nobody has the name yet.
    pub(crate) fn is_free(&self, name: &str) -> bool {
        !self.taken.contains(name)
    }

    /// The name itself when it is free; else with the first free number behind it.
    pub(crate) fn give(&mut self, wished: &str) -> String {
        if self.taken.insert(wished.to_owned()) {
            return wished.to_owned();
        }
        let number = self.numbers.entry(wished.to_owned()).or_insert(1);
        loop {
            *number += 1;
            let name = format!("{wished}-{number}");
            if self.taken.insert(name.clone()) {
                return name;
            }
        }
    }
}
