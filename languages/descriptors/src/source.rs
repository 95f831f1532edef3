//! The texts that are being read, and the report that collects what is wrong with them.

use crate::code::Code;
use crate::diagnostic::{DIAGNOSTICS_MAX, Diagnostic, Diagnostics, Place, Severity, candidates, quote};

/// A place in one of the [`Sources`]. Lines and columns count from 1; the end is exclusive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) file: u32,
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) end_line: u32,
    pub(crate) end_column: u32,
}

/// Texts by index.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    files: Vec<Source>,
}

/// A text, and where its lines begin: a hostile file shall not be searched from its start for each of its faults.
#[derive(Debug)]
struct Source {
    name: String,
    text: String,
    line_starts: Vec<usize>,
}

impl Sources {
    pub(crate) fn add(&mut self, name: &str, text: String) -> u32 {
        let breaks = text
            .bytes()
            .enumerate()
            .filter(|(_, byte)| *byte == b'\n')
            .map(|(at, _)| at + 1);
        let line_starts = std::iter::once(0).chain(breaks).collect();
        self.files.push(Source {
            name: name.to_owned(),
            text,
            line_starts,
        });
        (self.files.len() - 1) as u32
    }

    /// The line of that number as a diagnostic quotes it.
    pub(crate) fn quote(&self, file: u32, line: u32) -> Option<String> {
        let source = self.files.get(file as usize)?;
        let start = *source.line_starts.get(line.checked_sub(1)? as usize)?;
        quote(source.text.get(start..)?, 1)
    }

    pub(crate) fn name(&self, file: u32) -> &str {
        self.files.get(file as usize).map_or("", |source| &source.name)
    }
}

/// Collects diagnostics with the lines they stand on.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) sources: Sources,
    pub(crate) diagnostics: Diagnostics,
}

impl Report {
    pub(crate) fn place(&self, span: Span) -> Place {
        Place {
            file: self.sources.name(span.file).to_owned(),
            line: span.line,
            column: span.column,
            end_line: span.end_line,
            end_column: span.end_column,
        }
    }

    /// Whether what comes is only counted.
    fn is_full(&self) -> bool {
        self.diagnostics.list.len() >= DIAGNOSTICS_MAX
    }

    /// What may have been meant. Nothing, and at no cost, when no diagnostic is kept any more.
    pub(crate) fn candidates<'a>(&self, written: &str, all: impl IntoIterator<Item = &'a str>) -> Option<String> {
        if self.is_full() { None } else { candidates(written, all) }
    }

    pub(crate) fn error(&mut self, code: Code, span: Span, message: impl Into<String>) {
        self.push(Severity::Error, code, span, message.into(), None);
    }

    pub(crate) fn error_help(&mut self, code: Code, span: Span, message: impl Into<String>, help: Option<String>) {
        self.push(Severity::Error, code, span, message.into(), help);
    }

    pub(crate) fn warning(&mut self, code: Code, span: Span, message: impl Into<String>) {
        self.push(Severity::Warning, code, span, message.into(), None);
    }

    pub(crate) fn warning_help(&mut self, code: Code, span: Span, message: impl Into<String>, help: Option<String>) {
        self.push(Severity::Warning, code, span, message.into(), help);
    }

    fn push(&mut self, severity: Severity, code: Code, span: Span, message: String, help: Option<String>) {
        let place = self.place(span);
        let source_line = if self.is_full() {
            None
        } else {
            self.sources.quote(span.file, span.line)
        };
        self.diagnostics.push(Diagnostic {
            code,
            severity,
            place,
            message,
            help,
            source_line,
        });
    }
}
