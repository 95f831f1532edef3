//! What a diagnostic's code means.

use manifold_nemo::explain::explain as explained;

/// For people, in Markdown; `None`: there is no such code.
pub(crate) fn explain(code: &str) -> Option<String> {
    let explanation = explained(code)?;
    Some(format!(
        "# {}: {}\n\n{}\n\nWrong:\n\n```nemo\n{}\n```\n\nRight:\n\n```nemo\n{}\n```\n",
        explanation.code,
        explanation.title,
        explanation.text,
        explanation.bad.trim_end(),
        explanation.good.trim_end(),
    ))
}
