//! Refusals, as people read them.

use manifold_nemo::leaf::LeafError;

/// What is wrong, and what to do.
pub(crate) fn refuse(message: impl Into<String>, help: impl Into<String>) -> LeafError {
    LeafError {
        message: message.into(),
        help: Some(help.into()),
        suggestion: None,
    }
}

/// A VNF that the catalogue does not have, with those that it has.
pub(crate) fn unknown_name(uri: &str, name: &str, all: &[String]) -> LeafError {
    let near = all.iter().find(|known| {
        let (known, name) = (known.to_ascii_lowercase(), name.to_ascii_lowercase());
        known.starts_with(&name) || name.starts_with(&known)
    });
    let shown: Vec<String> = all.iter().take(8).map(|known| format!("`{known}`")).collect();
    let more = if all.len() > shown.len() { ", …" } else { "" };
    LeafError {
        message: format!("`{uri}`: the catalogue has no VNF `{name}`"),
        help: Some(if shown.is_empty() {
            "nothing is on-boarded yet: `manifold package onboard FILE` does it".to_owned()
        } else {
            format!("there is {}{more}", shown.join(", "))
        }),
        suggestion: near.map(|known| format!("catalog:{known}")),
    }
}
