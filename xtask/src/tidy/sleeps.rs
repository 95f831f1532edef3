//! A test that sleeps and hopes fails on a slow day. A sleep is fine inside a loop that looks at a condition until a deadline;
//! the rule sees words, not meaning: the function has to have a loop and to name its deadline.

use super::ratchet::Ratchet;
use super::{Fault, Sources};
use crate::repository::Repository;
use crate::source::Source;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const LOOPS: [&str; 3] = ["loop {", "while ", "for "];
const DEADLINES: [&str; 7] = [
    "deadline",
    "timeout",
    "elapsed",
    "until",
    "limit",
    "attempt",
    "remaining",
];

pub(super) fn check(repository: &Repository, sources: &Sources) -> std::io::Result<Vec<Fault>> {
    let ratchet = Ratchet::load(repository, "sleeps")?;
    let mut faults = Vec::new();
    let mut counts: BTreeMap<PathBuf, usize> = BTreeMap::new();
    for (file, source) in sources {
        let hopes = hopes(file, source);
        counts.insert(file.clone(), hopes.len());
        if hopes.len() > ratchet.allows(file).unwrap_or(0) {
            faults.extend(hopes.into_iter().map(|line| Fault {
                file: file.clone(),
                line,
                what: "a test sleeps and hopes: wait for a condition, with a deadline".into(),
            }));
        }
    }
    faults.extend(ratchet.stale(|file| counts.get(file).is_some_and(|count| *count > 0)));
    Ok(faults)
}

/// The lines of sleeps without a loop and a deadline.
fn hopes(file: &Path, source: &Source) -> Vec<usize> {
    let lines: Vec<&str> = source.code.lines().collect();
    // Below a package: the packages of those names are no test targets themselves.
    let in_target = file.iter().skip(1).any(|part| part == "tests" || part == "benches");
    let first = match in_target {
        true => 0,
        false => lines
            .iter()
            .position(|line| line.contains("#[cfg(test)]"))
            .unwrap_or(lines.len()),
    };
    // Time that is driven by the test does not pass by itself.
    if source.code.contains("start_paused") || source.code.contains("time::pause(") {
        return Vec::new();
    }
    let begins = |line: &str| line.contains("fn ") && line.contains('(');
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate().skip(first) {
        if !line.contains("sleep(") || line.contains("fn sleep(") {
            continue;
        }
        let from = lines[..=at].iter().rposition(|line| begins(line)).unwrap_or(0);
        let to = lines[at + 1..].iter().position(|line| begins(line));
        let function = lines[from..to.map_or(lines.len(), |to| at + 1 + to)].join("\n");
        let has = |words: &[&str]| words.iter().any(|word| function.contains(word));
        if !(has(&LOOPS) && has(&DEADLINES)) {
            found.push(at + 1);
        }
    }
    found
}
