//! The texts that are being read, and the report that collects what is wrong with them.

use crate::code::Code;
use crate::diagnostic::{Diagnostic, Diagnostics, Place, Severity, quote};

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
    files: Vec<(String, String)>,
}

impl Sources {
    pub(crate) fn add(&mut self, name: &str, text: String) -> u32 {
        self.files.push((name.to_owned(), text));
        (self.files.len() - 1) as u32
    }

    pub(crate) fn text(&self, file: u32) -> &str {
        self.files.get(file as usize).map_or("", |(_, text)| text)
    }

    pub(crate) fn name(&self, file: u32) -> &str {
        self.files.get(file as usize).map_or("", |(name, _)| name)
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
        let source_line = quote(self.sources.text(span.file), span.line);
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
