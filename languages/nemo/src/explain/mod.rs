//! What each code means, with a script that has the fault and one that has not.
//!
//! The examples use descriptors of a catalogue for examples: `catalog:firewall` has the interfaces `mgmt` (`eth0` inside, of type mgmt),
//! `in` and `out` (`eth1`, `eth2`, of type data); `catalog:pair` has two machines, `pair-vm1` and `pair-vm2`, each with an `eth0`, which are
//! `left` and `right` outside.

mod connections;
mod models;
mod names;
mod rules;

use manifold_nemo_syntax::codes::{self, Explanation};

macro_rules! explanations {
    ($($name:ident, $title:literal, $text:literal, bad $bad:literal, good $good:literal;)*) => {
        /// Explanations.
        pub(super) const EXPLANATIONS: &[manifold_nemo_syntax::codes::Explanation] = &[$(
            manifold_nemo_syntax::codes::Explanation { code: crate::code::$name, title: $title, text: $text, bad: $bad, good: $good },
        )*];
    };
}
use explanations;

/// All codes, the parser's first.
pub fn all() -> impl Iterator<Item = &'static Explanation> {
    codes::EXPLANATIONS.iter().chain(own())
}

/// Those of the check alone.
pub fn own() -> impl Iterator<Item = &'static Explanation> {
    names::EXPLANATIONS
        .iter()
        .chain(models::EXPLANATIONS)
        .chain(connections::EXPLANATIONS)
        .chain(rules::EXPLANATIONS)
}

/// What a code means.
pub fn explain(code: &str) -> Option<&'static Explanation> {
    all().find(|explanation| explanation.code.0.eq_ignore_ascii_case(code))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_code_is_explained_once() {
        let explained: Vec<_> = own().map(|explanation| explanation.code).collect();
        let unique: HashSet<_> = explained.iter().collect();
        assert_eq!(unique.len(), explained.len());
        let lacking: Vec<_> = crate::code::ALL.iter().filter(|code| !unique.contains(code)).collect();
        assert!(lacking.is_empty(), "not explained: {lacking:?}");
        assert_eq!(explained.len(), crate::code::ALL.len());
    }

    #[test]
    fn the_parser_and_the_check_share_no_code() {
        let syntax: HashSet<_> = codes::EXPLANATIONS.iter().map(|explanation| explanation.code).collect();
        let shared: Vec<_> = crate::code::ALL.iter().filter(|code| syntax.contains(code)).collect();
        assert!(shared.is_empty(), "{shared:?}");
    }

    #[test]
    fn a_code_is_found_in_any_case() {
        assert_eq!(explain("e-iface").map(|found| found.code.0), Some("E-IFACE"));
        assert_eq!(explain("e-semi").map(|found| found.code.0), Some("E-SEMI"));
        assert!(explain("E-NOTHING").is_none());
    }
}
