//! `docs/conformance.md` says what the tests say.
#![allow(clippy::unwrap_used)]

use xtask::conformance::{DOCUMENT, checklist, claims, listed, wanted_and_found};
use xtask::repository::Repository;

#[test]
fn the_document_is_what_the_tests_claim() {
    let (wanted, found) = wanted_and_found(&Repository::here()).unwrap_or_else(|error| panic!("{error:#}"));
    for line in wanted.lines().filter(|line| !found.lines().any(|known| known == *line)) {
        eprintln!("+ {line}");
    }
    for line in found.lines().filter(|line| !wanted.lines().any(|known| known == *line)) {
        eprintln!("- {line}");
    }
    assert!(wanted == found, "{DOCUMENT} is out of date: cargo xtask conformance");
}

#[test]
fn the_document_lists_every_statement_of_the_checklist_and_no_other() {
    let repository = Repository::here();
    let found = listed(&repository.read(DOCUMENT.as_ref()).unwrap());
    assert_eq!(found.len(), 443);
    if !repository.checklist().exists() {
        eprintln!(
            "not run in full: {} is absent, as in any plain clone",
            repository.checklist().display()
        );
        return;
    }
    assert_eq!(found, checklist(&repository).unwrap());
}

#[test]
fn every_claim_belongs_to_a_test() {
    let claims = claims(&Repository::here()).unwrap_or_else(|error| panic!("{error:#}"));
    assert!(!claims.is_empty());
}
