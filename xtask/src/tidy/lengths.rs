//! A file of more than 600 lines is two.

use super::ratchet::Ratchet;
use super::{Fault, Sources};
use crate::repository::Repository;

/// The style asks for 500; the rest is patience.
const LINES_MAX: usize = 600;

pub(super) fn check(repository: &Repository, sources: &Sources) -> std::io::Result<Vec<Fault>> {
    let ratchet = Ratchet::load(repository, "lengths")?;
    let mut faults = Vec::new();
    for (file, source) in sources {
        let lines = source.text.lines().count();
        let allowed = ratchet.allows(file).unwrap_or(LINES_MAX);
        if lines > allowed.max(LINES_MAX) {
            faults.push(Fault {
                file: file.clone(),
                line: 0,
                what: format!("{lines} lines, and {} are allowed: make it two", allowed.max(LINES_MAX)),
            });
        }
    }
    faults.extend(ratchet.stale(|file| {
        sources
            .get(file)
            .is_some_and(|source| source.text.lines().count() > LINES_MAX)
    }));
    Ok(faults)
}
