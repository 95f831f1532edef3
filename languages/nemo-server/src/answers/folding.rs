//! What can be folded: bodies of models, statements and comments over several lines, transactions.

use super::Look;
use crate::documents::Document;
use crate::index::{head, span};
use lsp_types::{FoldingRange, FoldingRangeKind};
use manifold_nemo_syntax::diagnostic::Span;
use manifold_nemo_syntax::kind::SyntaxKind;
use manifold_nemo_syntax::script::{Statement, TransactionBound};

/// The folds of a document.
pub(crate) fn folds(look: &Look<'_>, document: &Document) -> Vec<FoldingRange> {
    let mut folds = Vec::new();
    let mut transaction = None;
    for statement in &document.script().statements {
        let whole = span(statement);
        folds.extend(fold(look, document, whole, FoldingRangeKind::Region));
        match statement {
            Statement::Model(model) => {
                for member in &model.members {
                    let (_, _, whole) = head(member);
                    folds.extend(fold(look, document, whole, FoldingRangeKind::Region));
                }
            }
            Statement::Transaction { bound, span } => match bound {
                TransactionBound::Begin => transaction = Some(*span),
                _ => {
                    if let Some(begin) = transaction.take() {
                        folds.extend(fold(look, document, begin.to(*span), FoldingRangeKind::Region));
                    }
                }
            },
            _ => {}
        }
    }
    folds.extend(comments(look, document));
    folds
}

fn fold(look: &Look<'_>, document: &Document, span: Span, kind: FoldingRangeKind) -> Option<FoldingRange> {
    // White space behind a body belongs to what follows.
    let text = document.text().get(span.start as usize..span.end as usize)?;
    let end = span.start + text.trim_end().len() as u32;
    let range = look.range(Span { end, ..span });
    (range.end.line > range.start.line).then(|| FoldingRange {
        start_line: range.start.line,
        end_line: range.end.line,
        kind: Some(kind),
        ..FoldingRange::default()
    })
}

/// Comments over several lines, and comments on lines that follow each other.
fn comments(look: &Look<'_>, document: &Document) -> Vec<FoldingRange> {
    let mut runs: Vec<Span> = Vec::new();
    let mut is_run = false;
    let root = document.parse().syntax();
    let elements = root
        .descendants_with_tokens()
        .filter_map(|element| element.into_token());
    for token in elements {
        let range = token.text_range();
        let here = Span {
            file: document.file,
            start: range.start().into(),
            end: range.end().into(),
        };
        match token.kind() {
            SyntaxKind::Comment => match runs.last_mut() {
                Some(run) if is_run => *run = run.to(here),
                _ => runs.push(here),
            },
            SyntaxKind::Whitespace => {
                is_run &= token.text().matches('\n').count() < 2;
                continue;
            }
            _ => {}
        }
        is_run = token.kind() == SyntaxKind::Comment;
    }
    let folds = runs
        .into_iter()
        .filter_map(|run| fold(look, document, run, FoldingRangeKind::Comment));
    folds.collect()
}
