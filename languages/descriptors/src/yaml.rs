//! YAML into a tree whose every node knows its place. Keys are kept as written, scalars as text: what a scalar means is for the
//! schema of its property to say, so `version: 1.0` is the text `1.0` where a string is wanted.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle};

use crate::code::Code;
use crate::source::{Report, Span};

/// Deepest nesting. SOL001's own needs about fifteen levels.
const DEPTH_MAX: usize = 64;

/// Most nodes of one file with its aliases spelled out. ETSI's largest type file has about 3,000.
const NODES_MAX: usize = 200_000;

/// How much text an alias copies at the cost of one node.
const TEXT_BYTES_PER_NODE: usize = 64;

/// Largest text of one file in bytes.
pub(crate) const TEXT_BYTES_MAX: usize = 8 << 20;

/// A node of the tree.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) data: Data,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Data {
    Null,
    /// The text, and whether it was written plain (without quotes).
    Scalar {
        text: String,
        plain: bool,
    },
    Seq(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A key of a mapping.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) span: Span,
}

impl Node {
    pub(crate) fn scalar(text: impl Into<String>, span: Span) -> Self {
        Self {
            span,
            data: Data::Scalar {
                text: text.into(),
                plain: false,
            },
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|(_, node)| node)
    }

    pub(crate) fn entry(&self, key: &str) -> Option<(&Key, &Node)> {
        self.entries()
            .iter()
            .find(|(k, _)| k.name == key)
            .map(|(k, node)| (k, node))
    }

    /// Entries of a mapping; none for anything else.
    pub(crate) fn entries(&self) -> &[(Key, Node)] {
        match &self.data {
            Data::Map(entries) => entries,
            _ => &[],
        }
    }

    /// Items of a sequence; none for anything else.
    pub(crate) fn items(&self) -> &[Node] {
        match &self.data {
            Data::Seq(items) => items,
            _ => &[],
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match &self.data {
            Data::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        self.data == Data::Null
    }

    /// What it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.data {
            Data::Null => "nothing",
            Data::Scalar { .. } => "a scalar",
            Data::Seq(_) => "a list",
            Data::Map(_) => "a map",
        }
    }

    /// Levels of nesting, this one counted.
    fn depth(&self) -> usize {
        match &self.data {
            Data::Null | Data::Scalar { .. } => 1,
            Data::Seq(items) => 1 + items.iter().map(Node::depth).max().unwrap_or(0),
            Data::Map(entries) => 1 + entries.iter().map(|(_, node)| node.depth()).max().unwrap_or(0),
        }
    }

    /// Nodes, keys counted too. A long text counts as several: an alias of it is a copy.
    fn count(&self) -> usize {
        let of_text = |text: &str| 1 + text.len() / TEXT_BYTES_PER_NODE;
        match &self.data {
            Data::Null => 1,
            Data::Scalar { text, .. } => of_text(text),
            Data::Seq(items) => 1 + items.iter().map(Node::count).sum::<usize>(),
            Data::Map(entries) => {
                1 + entries
                    .iter()
                    .map(|(key, node)| of_text(&key.name) + node.count())
                    .sum::<usize>()
            }
        }
    }
}

/// Reads one file. `None` after an error that leaves no tree.
pub(crate) fn parse(report: &mut Report, name: &str, bytes: &[u8]) -> Option<Node> {
    if bytes.len() > TEXT_BYTES_MAX {
        report.diagnostics.error_in(
            Code::YamlLimit,
            name,
            format!("{} bytes; at most {TEXT_BYTES_MAX} are read", bytes.len()),
        );
        return None;
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text).to_owned(),
        Err(error) => {
            let line = bytes[..error.valid_up_to()].iter().filter(|b| **b == b'\n').count() + 1;
            report
                .diagnostics
                .error_in(Code::NotUtf8, name, format!("line {line} is not UTF-8"));
            return None;
        }
    };
    let file = report.sources.add(name, text.clone());
    Loader {
        report,
        file,
        anchors: Vec::new(),
        nodes: 0,
    }
    .document(&text)
}

struct Loader<'r> {
    report: &'r mut Report,
    file: u32,
    /// Finished anchored nodes: anchor id, node, its size. A list, because files have few.
    anchors: Vec<(usize, Node, usize)>,
    nodes: usize,
}

/// A collection whose end has not come yet.
struct Open {
    anchor: usize,
    span: Span,
    items: Vec<Node>,
    entries: Vec<(Key, Node)>,
    /// Keys so far and the line of each: looking through the entries would cost the square of their number.
    seen: HashMap<String, u32>,
    key: Option<Key>,
    is_map: bool,
}

impl Loader<'_> {
    fn span(&self, span: saphyr_parser::Span) -> Span {
        Span {
            file: self.file,
            line: span.start.line() as u32,
            column: span.start.col() as u32 + 1,
            end_line: span.end.line() as u32,
            end_column: span.end.col() as u32 + 1,
        }
    }

    fn document(mut self, text: &str) -> Option<Node> {
        let mut open: Vec<Open> = Vec::new();
        let mut root: Option<Node> = None;
        let mut documents = 0;
        for event in Parser::new_from_str(text) {
            let (event, span) = match event {
                Ok((event, span)) => (event, self.span(span)),
                Err(error) => {
                    let mark = error.marker();
                    let (line, column) = (mark.line() as u32, mark.col() as u32 + 1);
                    let span = Span {
                        file: self.file,
                        line,
                        column,
                        end_line: line,
                        end_column: column + 1,
                    };
                    self.report.error(Code::YamlSyntax, span, error.info().to_owned());
                    return None;
                }
            };
            let (anchor, node) = match event {
                Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => continue,
                Event::DocumentStart(_) => {
                    documents += 1;
                    if documents > 1 {
                        self.report
                            .error(Code::NotOneDocument, span, "a second document begins here");
                        return None;
                    }
                    continue;
                }
                Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _) if open.len() >= DEPTH_MAX => {
                    let _ = anchor;
                    self.report
                        .error(Code::YamlLimit, span, format!("nested deeper than {DEPTH_MAX} levels"));
                    return None;
                }
                Event::SequenceStart(anchor, _) => {
                    open.push(Open {
                        anchor,
                        span,
                        items: vec![],
                        entries: vec![],
                        seen: HashMap::new(),
                        key: None,
                        is_map: false,
                    });
                    continue;
                }
                Event::MappingStart(anchor, _) => {
                    open.push(Open {
                        anchor,
                        span,
                        items: vec![],
                        entries: vec![],
                        seen: HashMap::new(),
                        key: None,
                        is_map: true,
                    });
                    continue;
                }
                Event::Alias(anchor) => {
                    let found = self.anchors.iter().find(|(id, _, _)| *id == anchor);
                    let Some((_, node, size)) = found else {
                        self.report.error(
                            Code::YamlSyntax,
                            span,
                            "an alias inside of what it stands for, or of nothing",
                        );
                        return None;
                    };
                    if open.len() + node.depth() > DEPTH_MAX {
                        self.report.error(
                            Code::YamlLimit,
                            span,
                            format!("nested deeper than {DEPTH_MAX} levels, aliases spelled out"),
                        );
                        return None;
                    }
                    let (node, size) = (node.clone(), *size);
                    self.nodes += size;
                    (0, Node { span, ..node })
                }
                Event::Scalar(text, style, anchor, tag) => {
                    let plain = style == ScalarStyle::Plain && tag.is_none();
                    let is_null = plain && matches!(text.as_ref(), "" | "~" | "null" | "Null" | "NULL");
                    let data = if is_null {
                        Data::Null
                    } else {
                        Data::Scalar {
                            text: text.into_owned(),
                            plain,
                        }
                    };
                    (anchor, Node { span, data })
                }
                Event::SequenceEnd | Event::MappingEnd => {
                    let done = open.pop().expect("the parser ends only what it began");
                    let mut span_whole = done.span;
                    let last = done
                        .items
                        .last()
                        .map(|n| n.span)
                        .or(done.entries.last().map(|(_, n)| n.span));
                    if let Some(last) = last {
                        (span_whole.end_line, span_whole.end_column) = (last.end_line, last.end_column);
                    }
                    let data = if done.is_map {
                        Data::Map(done.entries)
                    } else {
                        Data::Seq(done.items)
                    };
                    (done.anchor, Node { span: span_whole, data })
                }
            };
            self.nodes += 1;
            if self.nodes > NODES_MAX {
                self.report.error(
                    Code::YamlLimit,
                    node.span,
                    format!("more than {NODES_MAX} nodes, aliases spelled out"),
                );
                return None;
            }
            if anchor > 0 {
                let size = node.count();
                self.anchors.retain(|(id, _, _)| *id != anchor);
                self.anchors.push((anchor, node.clone(), size));
                self.nodes += size;
            }
            match open.last_mut() {
                None => root = Some(node),
                Some(parent) if !parent.is_map => parent.items.push(node),
                Some(parent) => match parent.key.take() {
                    None => parent.key = Some(self.key(node)?),
                    Some(key) => {
                        if let Some(line) = parent.seen.get(&key.name) {
                            let message = format!("`{}` stands here a second time (first in line {line})", key.name);
                            self.report.error(Code::DuplicateKey, key.span, message);
                        } else {
                            parent.seen.insert(key.name.clone(), key.span.line);
                            parent.entries.push((key, node));
                        }
                    }
                },
            }
        }
        if root.is_none() {
            let name = self.report.sources.name(self.file).to_owned();
            self.report
                .diagnostics
                .error_in(Code::NotOneDocument, &name, "the file is empty");
        }
        root
    }

    fn key(&mut self, node: Node) -> Option<Key> {
        match node.data {
            Data::Scalar { text, .. } => Some(Key {
                name: text,
                span: node.span,
            }),
            Data::Null => Some(Key {
                name: String::new(),
                span: node.span,
            }),
            Data::Seq(_) | Data::Map(_) => {
                self.report.error(Code::YamlSyntax, node.span, "a key must be a scalar");
                None
            }
        }
    }
}
