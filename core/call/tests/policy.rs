//! Who may call what: the policy as a matrix of role × interface × operation, held as a text that people review.
//!
//! The interfaces are read from the sources of `interfaces/*` (every one is declared by `interface!`, whose form is fixed), so
//! that this floor needs no edge to those above it. `GOLDEN=write` writes the text anew.
#![allow(clippy::unwrap_used)]

use manifold_call::{Context, ErrorKind, Gate, Policy, Role, Tracer};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// By producer and name: the operations in the order of the declaration.
type Interfaces = BTreeMap<(Role, String), Vec<String>>;

fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../interfaces");
    let mut found = Vec::new();
    for producer in fs::read_dir(root).unwrap() {
        for file in fs::read_dir(producer.unwrap().path().join("src")).unwrap() {
            let path = file.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    assert!(found.len() > 5, "the interfaces are not where they were");
    found
}

fn interfaces() -> Interfaces {
    let mut found = Interfaces::new();
    for (path, text) in sources() {
        let mut current: Option<(Role, String)> = None;
        for line in text.lines().map(str::trim) {
            if let Some(rest) = line.strip_prefix("pub trait ") {
                let words: Vec<&str> = rest.split_whitespace().collect();
                let [name, "as", _, "by", producer, "{"] = words[..] else {
                    continue;
                };
                let role = Role::find(&producer.to_uppercase());
                let role = role.unwrap_or_else(|| panic!("{}: {producer} is no role", path.display()));
                current = Some((role, name.to_owned()));
                found.insert(current.clone().unwrap(), Vec::new());
            } else if line == "}" {
                current = None;
            } else if let (Some(key), Some(rest)) = (&current, line.strip_prefix("async fn ")) {
                let name = rest.split('(').next().unwrap().to_owned();
                found.get_mut(key).unwrap().push(name);
            }
        }
    }
    found
}

fn matrix(policy: &Policy) -> String {
    let mut text = String::from("# producer  interface.operation: who may call it, over which reference point\n");
    for ((producer, interface), operations) in interfaces() {
        for operation in operations {
            let who: Vec<String> = Role::ALL
                .into_iter()
                .filter_map(|role| {
                    let row = policy.row(role, producer, &interface, &operation)?;
                    Some(format!("{role} ({})", row.reference_point))
                })
                .collect();
            let who = if who.is_empty() {
                "nobody".to_owned()
            } else {
                who.join(", ")
            };
            text.push_str(&format!("{producer:<5} {interface}.{operation}: {who}\n"));
        }
    }
    text
}

/// proves: NFV006-RP-11
#[test]
fn the_matrix_is_the_reviewed_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/policy.txt");
    let now = matrix(&Policy::etsi());
    if std::env::var_os("GOLDEN").is_some_and(|value| value == "write") {
        fs::write(&path, &now).unwrap();
    }
    let reviewed = fs::read_to_string(&path).unwrap_or_default();
    for line in now.lines().filter(|line| !reviewed.lines().any(|known| known == *line)) {
        eprintln!("+ {line}");
    }
    for line in reviewed.lines().filter(|line| !now.lines().any(|known| known == *line)) {
        eprintln!("- {line}");
    }
    assert_eq!(now, reviewed, "review the change, then run this test with GOLDEN=write");
}

#[test]
fn every_row_speaks_of_an_interface_and_operations_that_exist() {
    let interfaces = interfaces();
    for row in Policy::etsi().rows() {
        if row.interface == "*" {
            continue;
        }
        let operations = interfaces.get(&(row.producer, row.interface.to_owned()));
        let operations = operations.unwrap_or_else(|| panic!("{row:?}: there is no such interface"));
        for operation in row.operations.iter().filter(|operation| **operation != "*") {
            assert!(
                operations.iter().any(|known| known == operation),
                "{row:?}: there is no {operation}"
            );
        }
    }
}

/// proves: NFV006-RP-10
#[test]
fn one_interface_of_the_vim_is_offered_to_nfvo_vnfm_and_ccm_with_different_operations() {
    let policy = Policy::etsi();
    let may = |role, operation| {
        policy
            .row(role, Role::Vim, "ComputeFlavours", operation)
            .map(|row| row.reference_point)
    };
    assert_eq!(may(Role::Nfvo, "create"), Some("Or-Vi"));
    assert_eq!(may(Role::Ccm, "create"), Some("CCM–VIM"));
    assert_eq!(may(Role::Vnfm, "create"), None);
    assert_eq!(may(Role::Vnfm, "query"), Some("Vi-Vnfm"));
    assert_eq!(may(Role::Oss, "query"), None);
}

/// proves: NFV006-FW-13
#[tokio::test]
async fn a_vnfm_may_call_nothing_of_the_ccm() {
    let (tracer, _source) = Tracer::new();
    let gate = Gate::new(Role::Vnfm, Role::Ccm, "", Arc::new(Policy::etsi()), tracer);
    for operation in ["create", "query", "modify", "scale", "delete"] {
        let refused = gate
            .pass(
                &Context::root("t".into()),
                "CisClusterLifecycleManagement",
                operation,
                String::new(),
                |_| async { Ok(()) },
            )
            .await;
        assert_eq!(refused.unwrap_err().kind, ErrorKind::Forbidden);
    }
}

#[test]
fn roles_meet_only_where_gs_nfv_006_lets_them() {
    // 5.1 and Figure 5.2-3, as pairs; what stands in no pair may not meet.
    let mut pairs: Vec<(Role, Role)> = Policy::etsi()
        .rows()
        .iter()
        .map(|row| (row.consumer, row.producer))
        .collect();
    pairs.sort();
    pairs.dedup();
    assert_eq!(
        pairs,
        [
            (Role::Oss, Role::Nfvo),
            (Role::Nfvo, Role::Vnfm),
            (Role::Nfvo, Role::Vim),
            (Role::Nfvo, Role::Wim),
            (Role::Vnfm, Role::Nfvo),
            (Role::Vnfm, Role::Vim),
            (Role::Vim, Role::Nfvi),
            (Role::Wim, Role::Nfvi),
            (Role::Cism, Role::Vim),
            (Role::Ccm, Role::Vim),
            (Role::Lab, Role::Nfvi),
        ]
    );
    assert!(
        Policy::empty()
            .row(Role::Nfvo, Role::Vim, "VirtualisedCompute", "allocate")
            .is_none()
    );
}

/// proves: NFV006-SI-00
#[test]
fn no_interface_names_a_consumer() {
    for (path, text) in sources() {
        let named = text
            .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
            .any(|word| word == "Role");
        assert!(!named, "{} speaks of roles; who may call is policy", path.display());
    }
}
