//! Names that say nothing, notes that were to be temporary, and `unsafe` outside its one module.

use super::ratchet::Ratchet;
use super::{Fault, Sources};
use crate::repository::Repository;

/// Modules of these names gather what belongs elsewhere.
const NAMES: [&str; 5] = ["utils", "util", "common", "helpers", "misc"];

/// In code. Written so that this file does not hold them.
const CALLS: [&str; 3] = [
    concat!("dbg", "!("),
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
];

/// In comments.
const NOTES: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

/// Where calls of the kernel are made that have no safe form.
const UNSAFE: &str = "nfvi/host/src/kernel";

pub(super) fn check(repository: &Repository, sources: &Sources) -> std::io::Result<Vec<Fault>> {
    let ratchet = Ratchet::load(repository, "names")?;
    let mut faults = Vec::new();
    for (file, source) in sources {
        let mut fault = |line: usize, what: String| {
            faults.push(Fault {
                file: file.clone(),
                line,
                what,
            });
        };
        let names = file.with_extension("");
        for name in names.iter().map(|part| part.to_string_lossy()) {
            if NAMES.contains(&&*name) && ratchet.allows(file).is_none() {
                fault(0, format!("{name:?} says nothing; name the module after its one idea"));
            }
        }
        for (at, line) in source.code.lines().enumerate() {
            for call in CALLS.iter().filter(|call| holds(line, call)) {
                fault(at + 1, format!("{call}…) is not for commits"));
            }
            if !file.starts_with(UNSAFE) && holds(line, "unsafe") {
                fault(at + 1, format!("unsafe code stands in {UNSAFE} only"));
            }
        }
        for (at, line) in source.comments.lines().enumerate() {
            for note in NOTES.iter().filter(|note| holds(line, note)) {
                fault(at + 1, format!("{note}: do it, or open an issue"));
            }
        }
    }
    faults.extend(ratchet.stale(|file| sources.contains_key(file)));
    Ok(faults)
}

/// As a whole word.
fn holds(line: &str, word: &str) -> bool {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(is_word) && (word.ends_with('(') || !after.is_some_and(is_word))
    })
}
