//! Diagnostics: what is wrong, where, and what to do. A package reports all of its faults at once.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

pub use crate::code::Code;

/// Most diagnostics kept for one package; what comes after is counted. A person reads no more, and a hostile package shall
/// not fill the memory.
pub const DIAGNOSTICS_MAX: usize = 500;

/// Longest part of a source line that a diagnostic quotes, in characters.
const QUOTE_CHARACTERS_MAX: usize = 160;

/// Most names that are looked through for what was meant.
const CANDIDATES_MAX: usize = 1_000;

/// Whether a diagnostic makes the package unusable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; the package is usable.
    Warning,
    /// The package is refused.
    Error,
}

/// A place in a file of a package. Lines and columns count from 1, columns in characters; the end is exclusive.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// Path from the root of the package.
    pub file: String,
    /// Line; 0 when the whole file is meant.
    pub line: u32,
    /// Column.
    pub column: u32,
    /// Line of the end.
    pub end_line: u32,
    /// Column of the end.
    pub end_column: u32,
}

impl Place {
    /// A file as a whole.
    pub fn file(file: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            ..Self::default()
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnostic {
    /// Stable code.
    pub code: Code,
    /// Error or warning.
    pub severity: Severity,
    /// Where.
    pub place: Place,
    /// What is wrong here.
    pub message: String,
    /// What to do here, where more can be said than the code's cure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// The line of the source that the place is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_line: Option<String>,
}

impl Diagnostic {
    /// The diagnostic as people read it: headline, place, the line with carets under the place, help.
    pub fn render(&self) -> String {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let mut text = format!("{severity}[{}]: {}\n", self.code, self.message);
        let place = &self.place;
        if place.file.is_empty() {
            text.push_str("  --> the package\n");
        } else if place.line == 0 {
            let _ = writeln!(text, "  --> {}", place.file);
        } else {
            let _ = writeln!(text, "  --> {}:{}:{}", place.file, place.line, place.column);
        }
        if let Some(line) = &self.source_line {
            let number = place.line.to_string();
            let margin = " ".repeat(number.len());
            let length = line.chars().count();
            let from = (place.column.max(1) as usize - 1).min(length);
            let to = if place.end_line == place.line {
                (place.end_column as usize).saturating_sub(1)
            } else {
                length
            };
            let carets = "^".repeat(to.min(length).saturating_sub(from).max(1));
            // Tabs stay tabs, so that the carets stand where the text stands.
            let indent: String = line
                .chars()
                .take(from)
                .map(|c| if c == '\t' { '\t' } else { ' ' })
                .collect();
            let _ = writeln!(text, "{margin} |\n{number} | {line}\n{margin} | {indent}{carets}");
        }
        let _ = writeln!(text, "  help: {}", self.help.as_deref().unwrap_or(self.code.cure()));
        text
    }
}

/// All that is wrong with one package.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnostics {
    /// In the order of files and lines.
    pub list: Vec<Diagnostic>,
    /// How many more there were than are listed.
    pub left_out: usize,
    /// Whether one of those left out was an error.
    #[serde(skip)]
    error_left_out: bool,
}

impl Diagnostics {
    /// Adds one. The same code at the same place with the same message counts once.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        if self.list.len() >= DIAGNOSTICS_MAX {
            self.left_out += 1;
            self.error_left_out |= diagnostic.severity == Severity::Error;
        } else if !self.list.contains(&diagnostic) {
            self.list.push(diagnostic);
        }
    }

    /// Adds an error about a file as a whole.
    pub fn error_in(&mut self, code: Code, file: &str, message: impl Into<String>) {
        self.push_plain(Severity::Error, code, Place::file(file), message.into(), None);
    }

    /// Adds a warning about a file as a whole.
    pub fn warning_in(&mut self, code: Code, file: &str, message: impl Into<String>) {
        self.push_plain(Severity::Warning, code, Place::file(file), message.into(), None);
    }

    /// Adds a diagnostic at a place whose text is not at hand.
    pub fn push_plain(&mut self, severity: Severity, code: Code, place: Place, message: String, help: Option<String>) {
        self.push(Diagnostic {
            code,
            severity,
            place,
            message,
            help,
            source_line: None,
        });
    }

    /// Adds all of another collection.
    pub fn extend(&mut self, other: Diagnostics) {
        for diagnostic in other.list {
            self.push(diagnostic);
        }
        self.left_out += other.left_out;
        self.error_left_out |= other.error_left_out;
    }

    /// Whether there is an error.
    pub fn has_errors(&self) -> bool {
        self.error_left_out
            || self
                .list
                .iter()
                .any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Whether there is nothing at all.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The codes of the errors, in order.
    pub fn error_codes(&self) -> Vec<Code> {
        self.list
            .iter()
            .filter(|diagnostic| diagnostic.severity == Severity::Error)
            .map(|diagnostic| diagnostic.code)
            .collect()
    }

    /// Sorts by file and line.
    pub fn sort(&mut self) {
        self.list
            .sort_by(|a, b| (&a.place, a.code, &a.message).cmp(&(&b.place, b.code, &b.message)));
    }

    /// All of them as people read them.
    pub fn render(&self) -> String {
        let mut text: String = self.list.iter().map(|diagnostic| diagnostic.render() + "\n").collect();
        if self.left_out > 0 {
            let _ = writeln!(text, "… and {} more", self.left_out);
        }
        text
    }

    /// One line per diagnostic: `code severity file:line:column message`.
    pub fn summary(&self) -> String {
        let mut text = String::new();
        for d in &self.list {
            let severity = if d.severity == Severity::Error {
                "error"
            } else {
                "warning"
            };
            let _ = writeln!(
                text,
                "{} {severity} {}:{}:{} {}",
                d.code, d.place.file, d.place.line, d.place.column, d.message
            );
        }
        text
    }
}

impl std::fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.summary())
    }
}

impl std::error::Error for Diagnostics {}

/// The line of that number, cut to what is quoted.
pub(crate) fn quote(text: &str, line: u32) -> Option<String> {
    let line = text.lines().nth(line.checked_sub(1)? as usize)?;
    Some(
        line.chars()
            .take(QUOTE_CHARACTERS_MAX)
            .map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c })
            .collect(),
    )
}

/// "did you mean …": the candidates that look like what was written, or the first few of them.
pub(crate) fn candidates<'a>(written: &str, all: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut all: Vec<&str> = all.into_iter().collect();
    all.sort_unstable();
    all.dedup();
    all.truncate(CANDIDATES_MAX);
    if all.is_empty() {
        return None;
    }
    let mut near: Vec<(usize, &str)> = all
        .iter()
        .filter(|name| is_like(written, name))
        .map(|name| (distance(written, name), *name))
        .collect();
    near.sort();
    if !near.is_empty() {
        let names: Vec<String> = near.iter().take(3).map(|(_, name)| format!("`{name}`")).collect();
        return Some(format!("did you mean {}?", names.join(" or ")));
    }
    let names: Vec<String> = all.iter().take(8).map(|name| format!("`{name}`")).collect();
    let more = if all.len() > 8 { ", …" } else { "" };
    Some(format!("there is {}{more}", names.join(", ")))
}

/// Whether one name looks like a slip of the other.
pub(crate) fn is_like(written: &str, name: &str) -> bool {
    distance(written, name) <= name.len().max(3) / 3
}

/// Edit distance, case ignored; two letters that changed places count once, as people mistype. Both sides are cut to 64
/// characters: names are not longer, and the work is bounded.
fn distance(a: &str, b: &str) -> usize {
    let chars = |s: &str| s.chars().take(64).map(|c| c.to_ascii_lowercase()).collect::<Vec<_>>();
    let (a, b) = (chars(a), chars(b));
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let substitute = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = substitute.min(row[j - 1] + 1).min(rows[i - 1][j] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_under_the_place() {
        let diagnostic = Diagnostic {
            code: Code::UnknownProperty,
            severity: Severity::Error,
            place: Place {
                file: "a.yaml".into(),
                line: 3,
                column: 5,
                end_line: 3,
                end_column: 9,
            },
            message: "no `abcd`".into(),
            help: None,
            source_line: Some("    abcd: 1".into()),
        };
        let text = diagnostic.render();
        assert!(text.contains("3 |     abcd: 1\n  |     ^^^^\n"), "{text}");
    }

    #[test]
    fn candidates_come_by_likeness() {
        assert_eq!(
            candidates("layer_protocol", ["layer_protocols", "role"]).as_deref(),
            Some("did you mean `layer_protocols`?")
        );
        assert_eq!(
            candidates("x", ["alpha", "beta"]).as_deref(),
            Some("there is `alpha`, `beta`")
        );
    }

    #[test]
    fn too_many_are_counted() {
        let mut all = Diagnostics::default();
        for n in 0..DIAGNOSTICS_MAX + 7 {
            all.error_in(Code::YamlSyntax, "f", format!("{n}"));
        }
        assert_eq!((all.list.len(), all.left_out), (DIAGNOSTICS_MAX, 7));
    }
}
