//! Diagnostics of a script: what is wrong, where, what stands elsewhere that has to do with it, and the edit that mends it.

use serde::Serialize;
use std::fmt;

/// A source text among those that are looked at together. What it stands for is known to whoever gave the number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct FileId(pub u32);

/// A part of a text: byte offsets, the end exclusive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Span {
    /// In which text.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// The byte after the last one.
    pub end: u32,
}

impl Span {
    /// From here to the end of another span of the same text.
    pub fn to(self, other: Span) -> Span {
        Span {
            end: other.end.max(self.end),
            ..self
        }
    }

    /// The place just behind this one.
    pub fn behind(self) -> Span {
        Span {
            start: self.end,
            ..self
        }
    }
}

/// Whether a script with this diagnostic can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Style, or something that is allowed and surprises.
    Lint,
    /// Worth knowing; the script is usable.
    Warning,
    /// The script is refused.
    Error,
}

/// A replacement of a part of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edit {
    /// What is replaced; empty: an insertion.
    pub span: Span,
    /// By what.
    pub text: String,
}

/// What mends a fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// In the imperative: `insert ";"`.
    pub title: String,
    /// The edits, none overlapping another.
    pub edits: Vec<Edit>,
    /// Whether a machine may apply it unasked: there is one thing that can have been meant.
    pub is_machine_applicable: bool,
}

/// A place in a text, or in a descriptor, that has to do with a fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Label {
    /// Where.
    pub place: LabelPlace,
    /// What is to be seen there.
    pub message: String,
}

/// Where a label points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum LabelPlace {
    /// Into a script.
    Script(Span),
    /// Into a descriptor: lines and columns count from 1.
    Descriptor {
        /// Its address or path, as people know it.
        file: String,
        /// Line.
        line: u32,
        /// Column.
        column: u32,
        /// Column after the last one, on the same line.
        end_column: u32,
        /// The line's text.
        text: String,
    },
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Stable code, explained by `manifold nemo explain`.
    pub code: Code,
    /// How bad.
    pub severity: Severity,
    /// Where.
    pub span: Span,
    /// What is wrong here, with the names that are meant.
    pub message: String,
    /// Other places.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<Label>,
    /// What to do, where no edit can be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// The edit that mends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<Fix>,
}

/// A diagnostic's code: `E-SEMI`, `W-URI-FOLD`, `L-COLUMN`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Code(pub &'static str);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
