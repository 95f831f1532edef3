//! What a check tells, being put together.

use crate::leaf::{Interface, Leaf};
use manifold_nemo_syntax::diagnostic::{Code, Diagnostic, Edit, FileId, Fix, Label, LabelPlace, Severity, Span};

/// Most names that one message lists.
const LISTED_MAX: usize = 12;
/// Most lines of a descriptor that one diagnostic shows.
const DESCRIPTOR_LINES_MAX: usize = 8;

/// A diagnostic without labels, help and fix. How bad it is stands in its code's first letter.
pub(crate) fn told(code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
    let severity = match code.0.as_bytes().first() {
        Some(b'L') => Severity::Lint,
        Some(b'W') => Severity::Warning,
        _ => Severity::Error,
    };
    Diagnostic {
        code,
        severity,
        span,
        message: message.into(),
        labels: Vec::new(),
        help: None,
        fix: None,
    }
}

/// How sure it is that an edit is what was meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sure {
    /// There is one thing that can have been meant.
    Yes,
    /// A person has to look.
    No,
}

/// Adds to a diagnostic.
pub(crate) trait Tell: Sized {
    fn label(self, span: Span, message: impl Into<String>) -> Self;
    fn labels(self, labels: impl IntoIterator<Item = Label>) -> Self;
    fn help(self, help: impl Into<String>) -> Self;
    /// Replaces `span` by `text`.
    fn replace(self, title: impl Into<String>, span: Span, text: impl Into<String>, sure: Sure) -> Self;
}

impl Tell for Diagnostic {
    fn label(mut self, span: Span, message: impl Into<String>) -> Self {
        self.labels.push(Label {
            place: LabelPlace::Script(span),
            message: message.into(),
        });
        self
    }

    fn labels(mut self, labels: impl IntoIterator<Item = Label>) -> Self {
        self.labels.extend(labels);
        self
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    fn replace(mut self, title: impl Into<String>, span: Span, text: impl Into<String>, sure: Sure) -> Self {
        self.fix = Some(Fix {
            title: title.into(),
            edits: vec![Edit {
                span,
                text: text.into(),
            }],
            is_machine_applicable: sure == Sure::Yes,
        });
        self
    }
}

/// The line of an interface in its descriptor.
pub(crate) fn interface_label(leaf: &Leaf, interface: &Interface, message: impl Into<String>) -> Label {
    Label {
        place: LabelPlace::Descriptor {
            file: leaf.file.clone(),
            line: interface.line,
            column: interface.column,
            end_column: interface.end_column,
            text: interface.text.clone(),
        },
        message: message.into(),
    }
}

/// The lines of several interfaces.
pub(crate) fn interface_labels<'a>(
    leaf: &'a Leaf,
    interfaces: impl IntoIterator<Item = &'a Interface> + 'a,
) -> impl Iterator<Item = Label> + 'a {
    interfaces.into_iter().take(DESCRIPTOR_LINES_MAX).map(|interface| {
        let role = match interface.role.as_str() {
            "" => String::new(),
            role => format!(", {role}"),
        };
        interface_label(leaf, interface, format!("interface `{}`{role}", interface.name))
    })
}

/// `` `a`, `b` and `c` ``, shortened when there are many.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = names.into_iter().collect();
    let more = names.len().saturating_sub(LISTED_MAX);
    names.truncate(LISTED_MAX);
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match (quoted.split_last(), more) {
        (None, _) => "none".to_owned(),
        (Some((last, [])), 0) => last.clone(),
        (Some((last, others)), 0) => format!("{} and {last}", others.join(", ")),
        (Some(_), more) => format!("{} and {more} more", quoted.join(", ")),
    }
}

/// What was found in one body, and whether any of it points to text outside of that body.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) list: Vec<Diagnostic>,
    inside: Span,
    pub(crate) points_elsewhere: bool,
}

impl Report {
    /// A report on the text of `inside`.
    pub(crate) fn on(inside: Span) -> Self {
        Self {
            list: Vec::new(),
            inside,
            points_elsewhere: false,
        }
    }

    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        let labels = diagnostic.labels.iter().filter_map(|label| match &label.place {
            LabelPlace::Script(span) => Some(*span),
            LabelPlace::Descriptor { .. } => None,
        });
        let edits = diagnostic
            .fix
            .iter()
            .flat_map(|fix| fix.edits.iter().map(|edit| edit.span));
        let inside = self.inside;
        let is_outside = |span: Span| span.file != inside.file || span.start < inside.start || span.end > inside.end;
        self.points_elsewhere |= labels.chain(edits).chain([diagnostic.span]).any(is_outside);
        self.list.push(diagnostic);
    }
}

/// A span after the text in front of it has grown or shrunk.
pub(crate) fn moved(span: Span, by: i64) -> Span {
    let moved = |offset: u32| u32::try_from(i64::from(offset) + by).unwrap_or(offset);
    Span {
        start: moved(span.start),
        end: moved(span.end),
        ..span
    }
}

/// A diagnostic whose every place lies in text that has moved.
pub(crate) fn moved_diagnostic(diagnostic: &Diagnostic, by: i64) -> Diagnostic {
    let mut diagnostic = diagnostic.clone();
    if by == 0 {
        return diagnostic;
    }
    diagnostic.span = moved(diagnostic.span, by);
    for label in &mut diagnostic.labels {
        if let LabelPlace::Script(span) = &mut label.place {
            *span = moved(*span, by);
        }
    }
    for edit in diagnostic.fix.iter_mut().flat_map(|fix| &mut fix.edits) {
        edit.span = moved(edit.span, by);
    }
    diagnostic
}

/// Diagnostics in the order of the text.
pub(crate) fn in_order(diagnostics: &mut [Diagnostic]) {
    let place = |diagnostic: &Diagnostic| -> (FileId, u32, u32) {
        let span = diagnostic.span;
        (span.file, span.start, span.end)
    };
    diagnostics.sort_by(|a, b| place(a).cmp(&place(b)).then_with(|| a.code.cmp(&b.code)));
}
