//! Fixes as code actions: one for each diagnostic that has one, and one for all that need no thought.

use super::{Look, diagnostics};
use crate::documents::Document;
use lsp_types::{
    CodeAction, CodeActionContext, CodeActionKind, CodeActionOrCommand, DocumentChanges, OneOf,
    OptionalVersionedTextDocumentIdentifier, TextDocumentEdit, TextEdit, WorkspaceEdit,
};
use manifold_nemo_syntax::diagnostic::{Diagnostic, Edit, FileId};
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

/// All fixes that need no decision. An editor that does so on saving asks for `source.fixAll`, which this is one of.
pub(crate) const FIX_ALL: CodeActionKind = CodeActionKind::new("source.fixAll.nemo");

/// What can be done about the diagnostics that touch some bytes.
pub(crate) fn actions(
    look: &Look<'_>,
    document: &Document,
    checked: &[Diagnostic],
    bytes: &Range<usize>,
    context: &CodeActionContext,
) -> Vec<CodeActionOrCommand> {
    let is_wanted = |kind: &CodeActionKind| {
        let asked = context.only.as_ref();
        asked.is_none_or(|asked| asked.iter().any(|asked| is_of(kind, asked)))
    };
    let all: Vec<&Diagnostic> = diagnostics::all(document, checked).collect();
    let mut actions = Vec::new();
    if is_wanted(&CodeActionKind::QUICKFIX) {
        for told in &all {
            let touches = told.span.start as usize <= bytes.end && told.span.end as usize >= bytes.start;
            if let Some(fix) = told.fix.as_ref().filter(|_| touches) {
                actions.push(CodeActionOrCommand::CodeAction(CodeAction {
                    title: fix.title.clone(),
                    kind: Some(CodeActionKind::QUICKFIX),
                    diagnostics: Some(vec![diagnostics::one(look, document, told)]),
                    edit: Some(edit(look, fix.edits.iter())),
                    is_preferred: Some(fix.is_machine_applicable),
                    ..CodeAction::default()
                }));
            }
        }
    }
    let fixes = sure_edits(&all);
    let is_asked = context.only.is_some() && is_wanted(&FIX_ALL);
    // Beside a single fault the action for all of them is only in the way.
    if (is_asked && !fixes.is_empty()) || (context.only.is_none() && !actions.is_empty() && count(&all) > 1) {
        actions.push(CodeActionOrCommand::CodeAction(CodeAction {
            title: "apply all fixes that need no decision".to_owned(),
            kind: Some(FIX_ALL),
            edit: Some(edit(look, fixes.into_iter())),
            ..CodeAction::default()
        }));
    }
    actions
}

/// `source.fixAll.nemo` is asked for by `source.fixAll` and by `source`.
fn is_of(kind: &CodeActionKind, asked: &CodeActionKind) -> bool {
    let (kind, asked) = (kind.as_str(), asked.as_str());
    asked.is_empty() || kind == asked || kind.strip_prefix(asked).is_some_and(|rest| rest.starts_with('.'))
}

fn count(all: &[&Diagnostic]) -> usize {
    let sure = all
        .iter()
        .filter(|told| told.fix.as_ref().is_some_and(|fix| fix.is_machine_applicable));
    sure.count()
}

/// The edits of all fixes that a machine may apply, without those that meet another's: they are right after it.
fn sure_edits<'d>(all: &[&'d Diagnostic]) -> Vec<&'d Edit> {
    let mut taken: Vec<&Edit> = Vec::new();
    for told in all {
        let Some(fix) = told.fix.as_ref().filter(|fix| fix.is_machine_applicable) else {
            continue;
        };
        let meets = |edit: &Edit| {
            taken.iter().any(|other| {
                let (a, b) = (edit.span, other.span);
                a.file == b.file && a.start <= b.end && b.start <= a.end
            })
        };
        if !fix.edits.iter().any(meets) {
            taken.extend(&fix.edits);
        }
    }
    taken
}

/// Edits as the client can apply them.
pub(crate) fn edit<'e>(look: &Look<'_>, edits: impl Iterator<Item = &'e Edit>) -> WorkspaceEdit {
    let mut by_file: BTreeMap<FileId, Vec<TextEdit>> = BTreeMap::new();
    for edit in edits {
        let range = look.range(edit.span);
        by_file
            .entry(edit.span.file)
            .or_default()
            .push(TextEdit::new(range, edit.text.clone()));
    }
    let documents = by_file
        .into_iter()
        .filter_map(|(file, edits)| Some((look.document(file)?, edits)));
    if look.client.has_versioned_edits {
        let changes = documents.filter_map(|(document, edits)| {
            Some(TextDocumentEdit {
                text_document: OptionalVersionedTextDocumentIdentifier {
                    uri: document.address.uri()?,
                    version: document.version,
                },
                edits: edits.into_iter().map(OneOf::Left).collect(),
            })
        });
        WorkspaceEdit {
            document_changes: Some(DocumentChanges::Edits(changes.collect())),
            ..WorkspaceEdit::default()
        }
    } else {
        #[allow(clippy::mutable_key_type, reason = "the protocol's type; its cell is a cache")]
        let changes: HashMap<_, _> = documents
            .filter_map(|(document, edits)| Some((document.address.uri()?, edits)))
            .collect();
        WorkspaceEdit {
            changes: Some(changes),
            ..WorkspaceEdit::default()
        }
    }
}
