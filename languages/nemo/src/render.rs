//! Diagnostics as people read them: the headline, the line with carets under what is meant, the other places with their lines (those of
//! a descriptor included), and what to do.

use manifold_nemo_syntax::diagnostic::{Diagnostic, FileId, LabelPlace, Severity, Span};
use std::fmt::Write as _;

/// Most characters of a line that are shown.
const LINE_CHARACTERS_MAX: usize = 160;
/// Characters that are shown in front of what is meant, when a line is cut.
const LEAD_CHARACTERS: usize = 60;

/// The texts that diagnostics are about, with their names for people.
#[derive(Debug, Clone, Default)]
pub struct Files<'a> {
    files: Vec<(FileId, &'a str, &'a str)>,
}

impl<'a> Files<'a> {
    /// No texts yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more text.
    #[must_use]
    pub fn with(mut self, file: FileId, name: &'a str, text: &'a str) -> Self {
        self.files.push((file, name, text));
        self
    }

    fn find(&self, file: FileId) -> (&'a str, &'a str) {
        let found = self.files.iter().find(|(id, _, _)| *id == file);
        found.map_or(("?", ""), |(_, name, text)| (name, text))
    }
}

/// A place within one line.
struct Shown<'a> {
    file: &'a str,
    line: usize,
    text: &'a str,
    /// In characters, from 0, the end exclusive.
    from: usize,
    to: usize,
}

impl<'a> Shown<'a> {
    fn of_span(span: Span, files: &Files<'a>) -> Self {
        let (file, text) = files.find(span.file);
        let start = text.floor_char_boundary(span.start as usize);
        let end = text.floor_char_boundary(span.end as usize).max(start);
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let line = text[line_start..line_end].trim_end_matches('\r');
        let characters = |to: usize| {
            text[line_start..to.min(line_start + line.len()).max(line_start)]
                .chars()
                .count()
        };
        Self {
            file,
            line: text[..line_start].matches('\n').count() + 1,
            text: line,
            from: characters(start),
            to: characters(end),
        }
    }
}

/// One diagnostic.
pub fn render(diagnostic: &Diagnostic, files: &Files<'_>) -> String {
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Lint => "lint",
    };
    let mut text = format!("{severity}[{}]: {}\n", diagnostic.code, plain(&diagnostic.message));
    let main = Shown::of_span(diagnostic.span, files);
    let descriptor_line = |place: &LabelPlace| match place {
        LabelPlace::Script(span) => Shown::of_span(*span, files).line,
        LabelPlace::Descriptor { line, .. } => *line as usize,
    };
    let highest = diagnostic
        .labels
        .iter()
        .map(|label| descriptor_line(&label.place))
        .chain([main.line])
        .max();
    let width = highest.unwrap_or(1).to_string().len();
    let has_text = files.files.iter().any(|(file, _, _)| *file == diagnostic.span.file);
    if has_text {
        excerpt(&mut text, "-->", &main, '^', "", width);
    }
    for label in &diagnostic.labels {
        match &label.place {
            LabelPlace::Script(span) => {
                excerpt(
                    &mut text,
                    ":::",
                    &Shown::of_span(*span, files),
                    '-',
                    &label.message,
                    width,
                );
            }
            LabelPlace::Descriptor { file, line: 0, .. } => {
                let _ = writeln!(text, "{:width$} ::: {}: {}", "", plain(file), plain(&label.message));
            }
            LabelPlace::Descriptor {
                file,
                line,
                column,
                end_column,
                text: line_text,
            } => {
                let from = (*column as usize).saturating_sub(1);
                let shown = Shown {
                    file,
                    line: *line as usize,
                    text: line_text,
                    from,
                    to: (*end_column as usize).saturating_sub(1).max(from),
                };
                excerpt(&mut text, ":::", &shown, '-', &label.message, width);
            }
        }
    }
    if let Some(help) = &diagnostic.help {
        let _ = writeln!(text, "{:width$} = help: {}", "", plain(help));
    }
    if let Some(fix) = &diagnostic.fix {
        let how = if fix.is_machine_applicable { "fix" } else { "perhaps" };
        let _ = writeln!(text, "{:width$} = {how}: {}", "", plain(&fix.title));
    }
    text
}

/// Diagnostics one after another, and how many of each kind there are.
pub fn render_all(diagnostics: &[Diagnostic], files: &Files<'_>) -> String {
    let mut text = String::new();
    for diagnostic in diagnostics {
        text.push_str(&render(diagnostic, files));
        text.push('\n');
    }
    let count = |severity| {
        diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.severity == severity)
            .count()
    };
    let counted = [
        (count(Severity::Error), "error", "errors"),
        (count(Severity::Warning), "warning", "warnings"),
        (count(Severity::Lint), "lint", "lints"),
    ];
    let told = counted.into_iter().filter(|(count, _, _)| *count > 0);
    let told: Vec<String> = told
        .map(|(count, one, many)| format!("{count} {}", if count == 1 { one } else { many }))
        .collect();
    if !told.is_empty() {
        let _ = writeln!(text, "{}", told.join(", "));
    }
    text
}

fn excerpt(text: &mut String, arrow: &str, shown: &Shown<'_>, mark: char, message: &str, width: usize) {
    let characters: Vec<char> = shown.text.chars().collect();
    let from = shown.from.min(characters.len());
    let to = shown.to.clamp(from, characters.len());
    let first = if characters.len() > LINE_CHARACTERS_MAX {
        from.saturating_sub(LEAD_CHARACTERS)
    } else {
        0
    };
    let last = characters.len().min(first + LINE_CHARACTERS_MAX);
    let cut = |is_cut: bool| if is_cut { "…" } else { "" };
    let line: String = plain(&characters[first..last].iter().collect::<String>());
    // Tabs stay tabs, so that the marks stand where the text stands.
    let indent: String = characters[first..from]
        .iter()
        .map(|c| if *c == '\t' { '\t' } else { ' ' })
        .collect();
    let marks = mark.to_string().repeat(to.min(last).saturating_sub(from).max(1));
    let number = shown.line;
    let lead = if first > 0 { " " } else { "" };
    let _ = writeln!(
        text,
        "{:width$}{arrow} {}:{number}:{}",
        " ",
        plain(shown.file),
        shown.from + 1
    );
    let _ = writeln!(text, "{:width$} |", "");
    let _ = writeln!(
        text,
        "{number:width$} | {}{line}{}",
        cut(first > 0),
        cut(last < characters.len())
    );
    let note = if message.is_empty() {
        String::new()
    } else {
        format!(" {}", plain(message))
    };
    let _ = writeln!(text, "{:width$} | {lead}{indent}{marks}{note}", "");
}

/// Text that does nothing to a terminal but stand there.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() && c != '\t' { '\u{FFFD}' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use manifold_nemo_syntax::diagnostic::{Code, Label};

    fn at(start: u32, end: u32) -> Diagnostic {
        Diagnostic {
            code: Code("E-X"),
            severity: Severity::Error,
            span: Span {
                file: FileId(0),
                start,
                end,
            },
            message: "wrong".to_owned(),
            labels: Vec::new(),
            help: None,
            fix: None,
        }
    }

    #[test]
    fn carets_stand_under_what_is_meant_behind_tabs_and_wide_letters() {
        let text = "a\n\tü bad;\n";
        let start = text.find("bad").unwrap() as u32;
        let files = Files::new().with(FileId(0), "f.nemo", text);
        let rendered = render(&at(start, start + 3), &files);
        assert_eq!(
            rendered,
            "error[E-X]: wrong\n --> f.nemo:2:4\n  |\n2 | \tü bad;\n  | \t  ^^^\n"
        );
    }

    #[test]
    fn a_place_of_several_lines_is_marked_to_the_end_of_its_first() {
        let files = Files::new().with(FileId(0), "f", "one\ntwo");
        assert!(render(&at(1, 7), &files).ends_with("1 | one\n  |  ^^\n"));
    }

    #[test]
    fn what_a_terminal_would_obey_is_not_printed() {
        let mut diagnostic = at(0, 1);
        diagnostic.message = "\u{1b}[2J".to_owned();
        let files = Files::new().with(FileId(0), "f", "\u{1b}[31m");
        assert!(!render(&diagnostic, &files).contains('\u{1b}'));
    }

    #[test]
    fn a_long_line_is_cut_around_what_is_meant() {
        let text = format!("{}bad{}", "x".repeat(1_000), "y".repeat(1_000));
        let rendered = render(&at(1_000, 1_003), &Files::new().with(FileId(0), "f", &text));
        assert!(rendered.lines().all(|line| line.chars().count() < 200), "{rendered}");
        assert!(rendered.contains("bad"));
        assert!(rendered.contains("^^^"));
    }

    #[test]
    fn places_out_of_bounds_are_no_danger() {
        let mut diagnostic = at(50, 40);
        diagnostic.labels.push(Label {
            place: LabelPlace::Descriptor {
                file: "d".to_owned(),
                line: 3,
                column: 90,
                end_column: 10,
                text: "short".to_owned(),
            },
            message: "there".to_owned(),
        });
        let rendered = render(&diagnostic, &Files::new().with(FileId(0), "f", "ü"));
        assert!(rendered.contains("there"));
    }
}
