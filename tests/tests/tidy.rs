//! What no compiler refuses.
#![allow(clippy::unwrap_used)]

use xtask::repository::Repository;
use xtask::tidy;

#[test]
fn the_repository_is_tidy() {
    let faults = tidy::run(&Repository::here()).unwrap();
    let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
