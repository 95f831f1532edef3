//! Names as NEMO can write them.

use manifold_nemo_syntax::keyword::Keyword;
use std::collections::BTreeSet;

/// Gives each name once.
#[derive(Debug, Default)]
pub(crate) struct Names(BTreeSet<String>);

impl Names {
    /// The name, or the nearest one that NEMO can write and that nothing else has; a note where it is another.
    pub(crate) fn give(&mut self, wished: &str, notes: &mut Vec<String>) -> String {
        let plain = plain(wished);
        let numbered = (2u32..).map(|number| format!("{plain}-{number}"));
        let name = std::iter::once(plain.clone())
            .chain(numbered)
            .find(|name| !self.0.contains(name))
            .expect("numbers do not end before names do");
        self.0.insert(name.clone());
        if name != wished {
            notes.push(format!("`{wished}` is called `{name}`"));
        }
        name
    }
}

/// Letters, digits, `_` and `-`, a letter first, and no keyword.
fn plain(wished: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let mut name: String = wished.chars().map(|c| if is_plain(c) { c } else { '-' }).collect();
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || Keyword::of(&name).is_some() {
        name.insert_str(0, "n-");
    }
    name
}
