//! Transactions: what a withdrawn one says has no effect; what is begun is ended, and nothing is ended that was not begun.

use crate::code;
use crate::report::{Report, Sure, Tell, told};
use manifold_nemo_syntax::script::{Statement, TransactionBound};

/// For each statement, whether it has an effect.
pub(super) fn with_effect(statements: &[Statement], report: &mut Report) -> Vec<bool> {
    let mut has_effect = vec![true; statements.len()];
    let mut open = None;
    for (at, statement) in statements.iter().enumerate() {
        let Statement::Transaction { bound, span } = statement else {
            continue;
        };
        match (bound, open) {
            (TransactionBound::Begin, None) => open = Some((at, *span)),
            (TransactionBound::Begin, Some((_, begun))) => report.push(
                told(code::TRANSACTION, *span, "a transaction begins inside of another one")
                    .label(begun, "that one begins here")
                    .help("end it first: transactions do not nest"),
            ),
            (TransactionBound::End | TransactionBound::Commit, Some(_)) => open = None,
            (TransactionBound::Withdraw, Some((begun, _))) => {
                has_effect[begun..at].fill(false);
                open = None;
            }
            (bound, None) => {
                let word = match bound {
                    TransactionBound::Withdraw => "withdrawn",
                    _ => "ended",
                };
                report.push(
                    told(
                        code::TRANSACTION,
                        *span,
                        format!("no transaction has begun that could be {word}"),
                    )
                    .help("write `Transaction Begin;` where it begins, or leave this out"),
                );
            }
        }
    }
    if let Some((_, begun)) = open {
        let last = statements.last().map_or(begun, span_of);
        report.push(
            told(code::TRANSACTION, begun, "this transaction is never ended").replace(
                "end it after the last statement",
                last.behind(),
                "\nTransaction End;\n",
                Sure::No,
            ),
        );
    }
    has_effect
}

fn span_of(statement: &Statement) -> manifold_nemo_syntax::diagnostic::Span {
    match statement {
        Statement::Model(model) => model.span,
        Statement::Instance { span, .. }
        | Statement::Delete { span, .. }
        | Statement::Query { span, .. }
        | Statement::Transaction { span, .. }
        | Statement::Notification { span, .. }
        | Statement::Reserved { span, .. } => *span,
    }
}
