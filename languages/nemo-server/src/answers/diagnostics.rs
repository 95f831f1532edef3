//! Diagnostics as an editor shows them.

use super::Look;
use crate::descriptor;
use crate::documents::{DOCUMENT_BYTES_MAX, Document};
use lsp_types::{
    CodeDescription, DiagnosticRelatedInformation, DiagnosticSeverity, Location, NumberOrString, Position, Range, Uri,
};
use manifold_nemo_syntax::diagnostic::{Diagnostic, Label, LabelPlace, Severity};
use std::str::FromStr;

/// Diagnostics that one document shows.
const SHOWN_MAX: usize = 1000;
/// What stands behind every one of them.
pub(crate) const SOURCE: &str = "nemo";

/// What is wrong in a document: what its parser says, and what a check said of it.
pub(crate) fn all<'d>(document: &'d Document, checked: &'d [Diagnostic]) -> impl Iterator<Item = &'d Diagnostic> {
    let parsed = document.parse().diagnostics().iter();
    let checked = checked.iter().filter(|told| told.span.file == document.file);
    parsed.chain(checked).take(SHOWN_MAX)
}

/// As the protocol writes them.
pub(crate) fn published(look: &Look<'_>, document: &Document, checked: &[Diagnostic]) -> Vec<lsp_types::Diagnostic> {
    if document.is_too_large() {
        return vec![lsp_types::Diagnostic {
            severity: Some(DiagnosticSeverity::ERROR),
            source: Some(SOURCE.to_owned()),
            message: format!("the text is larger than {DOCUMENT_BYTES_MAX} bytes and is not looked at"),
            ..lsp_types::Diagnostic::default()
        }];
    }
    all(document, checked).map(|told| one(look, document, told)).collect()
}

/// One of them.
pub(crate) fn one(look: &Look<'_>, document: &Document, told: &Diagnostic) -> lsp_types::Diagnostic {
    let mut message = told.message.clone();
    let mut related = Vec::new();
    for label in &told.labels {
        match place(look, document, label) {
            Some(location) if look.client.has_related => related.push(DiagnosticRelatedInformation {
                location,
                message: label.message.clone(),
            }),
            _ => {
                message.push('\n');
                message.push_str(&in_words(look, label));
            }
        }
    }
    if let Some(help) = &told.help {
        message.push_str("\nhelp: ");
        message.push_str(help);
    }
    lsp_types::Diagnostic {
        range: look.range(told.span),
        severity: Some(match told.severity {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
            Severity::Lint => DiagnosticSeverity::INFORMATION,
        }),
        code: Some(NumberOrString::String(told.code.to_string())),
        code_description: explanation(look, told.code.0).map(|href| CodeDescription { href }),
        source: Some(SOURCE.to_owned()),
        message,
        related_information: (!related.is_empty()).then_some(related),
        tags: None,
        data: None,
    }
}

fn explanation(look: &Look<'_>, code: &str) -> Option<Uri> {
    let base = look
        .client
        .explain_base
        .as_ref()
        .filter(|_| look.client.has_code_links)?;
    Uri::from_str(&format!("{base}{code}")).ok()
}

/// Where a label points, if an editor can open it.
fn place(look: &Look<'_>, document: &Document, label: &Label) -> Option<Location> {
    match &label.place {
        LabelPlace::Script(span) => look.location(*span),
        LabelPlace::Descriptor {
            file,
            line,
            column,
            end_column,
            ..
        } => {
            let address = descriptor::text_file(document.folder(), file)?;
            let position = |column: u32| Position::new(line.saturating_sub(1), column.saturating_sub(1));
            Some(Location::new(
                address.uri()?,
                Range::new(position(*column), position(*end_column)),
            ))
        }
    }
}

/// A label that no editor can open, as a line of the message.
fn in_words(look: &Look<'_>, label: &Label) -> String {
    match &label.place {
        LabelPlace::Script(span) => {
            let file = look
                .document(span.file)
                .map_or("?", |document| document.address.as_str());
            let at = look.range(*span).start;
            format!("{file}:{}:{}: {}", at.line + 1, at.character + 1, label.message)
        }
        LabelPlace::Descriptor { file, line, text, .. } => {
            format!("{file}:{line}: {}: {}", label.message, text.trim())
        }
    }
}
