//! `TOSCA-Metadata/TOSCA.meta`: where a package begins (TOSCA 1.3 clause 6.2, SOL004 clause 4.1.2).

use crate::code::Code;
use crate::source::{Report, Span};

/// Where it stands.
pub(crate) const PATH: &str = "TOSCA-Metadata/TOSCA.meta";

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) span: Span,
}

/// Blocks of `Name: value` lines, parted by empty lines. The first is about the package, the others about one file each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Meta {
    pub(crate) blocks: Vec<Vec<Entry>>,
}

impl Meta {
    /// A value of the first block. Names are compared without case: both `Created-By` and `Created-by` are about.
    pub(crate) fn get(&self, name: &str) -> Option<&Entry> {
        find(self.blocks.first()?, name)
    }
}

/// A value of a block.
pub(crate) fn find<'a>(block: &'a [Entry], name: &str) -> Option<&'a Entry> {
    block.iter().find(|entry| entry.name.eq_ignore_ascii_case(name))
}

/// The span of a whole line of text.
pub(crate) fn line_span(file: u32, line: usize, text: &str) -> Span {
    let line = line as u32 + 1;
    Span {
        file,
        line,
        column: 1,
        end_line: line,
        end_column: text.chars().count() as u32 + 1,
    }
}

pub(crate) fn read(report: &mut Report, text: &str) -> Meta {
    let file = report.sources.add(PATH, text.to_owned());
    let mut meta = Meta::default();
    let mut block: Vec<Entry> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let span = line_span(file, number, line);
        if line.trim().is_empty() {
            if !block.is_empty() {
                meta.blocks.push(std::mem::take(&mut block));
            }
        } else if let (Some(rest), Some(last)) = (line.strip_prefix(' '), block.last_mut()) {
            // A line that begins with a space goes on with the value before it.
            last.value.push_str(rest);
        } else if let Some((name, value)) = line.split_once(':') {
            block.push(Entry {
                name: name.trim().to_owned(),
                value: value.trim().to_owned(),
                span,
            });
        } else {
            report.error(Code::MetaSyntax, span, "this line is not `Name: value`");
        }
    }
    if !block.is_empty() {
        meta.blocks.push(block);
    }
    check(report, file, &meta);
    meta
}

fn check(report: &mut Report, file: u32, meta: &Meta) {
    let start = Span {
        file,
        line: 1,
        column: 1,
        end_line: 1,
        end_column: 1,
    };
    let versions = [
        ("TOSCA-Meta-File-Version", ["1.0", "1.1"]),
        ("CSAR-Version", ["1.1", "1.0"]),
    ];
    for (name, known) in versions {
        match meta.get(name) {
            Some(entry) if !known.contains(&entry.value.as_str()) => {
                report.error(
                    Code::MetaVersion,
                    entry.span,
                    format!("{name} {} is not known here", entry.value),
                );
            }
            Some(_) => {}
            None => report.error(Code::MetaKeyMissing, start, format!("`{name}` is missing")),
        }
    }
    for name in ["Created-By", "Entry-Definitions"] {
        if meta.get(name).is_none_or(|entry| entry.value.is_empty()) {
            report.error(Code::MetaKeyMissing, start, format!("`{name}` is missing"));
        }
    }
}
