//! No text makes the readers panic, hang, or take more than they are allowed: fixtures with pieces cut, doubled and swapped, and texts
//! that ask for more than is given.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;

use manifold_descriptors::interfaces::read_leaf;
use manifold_descriptors::{Code, man001, openmano, sol006};
use proptest::prelude::*;

const FIXTURES: [&str; 13] = [
    include_str!("fixtures/openmano/pair.yaml"),
    include_str!("fixtures/openmano/chain-01.yaml"),
    include_str!("fixtures/openmano/chain-02.yaml"),
    include_str!("fixtures/openmano/chain-03.yaml"),
    include_str!("fixtures/sol006/cache.yaml"),
    include_str!("fixtures/sol006/delivery.yaml"),
    include_str!("fixtures/man001/router.yaml"),
    include_str!("fixtures/man001/filter.yaml"),
    include_str!("fixtures/man001/service.yaml"),
    include_str!("fixtures/man001/first.yaml"),
    include_str!("fixtures/man001/second.yaml"),
    include_str!("fixtures/man001/drawn-vnfd.yaml"),
    include_str!("fixtures/man001/drawn-vld.yaml"),
];

const PIECES: [&str; 16] = [
    "",
    "~",
    "[]",
    "{}",
    "''",
    "' x'",
    "-1",
    "18446744073709551616",
    "4294967295",
    "[[[[]]]]",
    "{a: {b: c}}",
    "&a [*a]",
    "*a",
    "1e308",
    "\"\\0\"",
    "x:y",
];

/// Everything that reads these bytes; errors of one are as good as answers.
fn read_all(bytes: &[u8]) {
    if let Ok(read) = read_leaf("hostile", bytes) {
        let flavour = &read.vnfd.flavours[0];
        for interface in &read.interfaces {
            assert!(flavour.ext_cpds.iter().any(|cpd| cpd.id == interface.ext_cpd));
        }
        manifold_descriptors::tosca_write::vnfd(&read.vnfd, "hostile");
    }
    let _ = openmano::read_scenario("hostile", bytes);
    let _ = sol006::read_nsd("hostile", bytes);
    let _ = man001::read_set(&BTreeMap::from([("hostile".to_owned(), bytes.to_vec())]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn values_of_any_kind_stand_anywhere(fixture in 0..FIXTURES.len(), changes in prop::collection::vec((any::<prop::sample::Index>(), 0..PIECES.len()), 1..4)) {
        let mut lines: Vec<String> = FIXTURES[fixture].lines().map(str::to_owned).collect();
        for (at, piece) in changes {
            let at = at.index(lines.len());
            if let Some((key, _)) = lines[at].clone().split_once(':') {
                lines[at] = format!("{key}: {}", PIECES[piece]);
            }
        }
        read_all(lines.join("\n").as_bytes());
    }

    #[test]
    fn lines_are_lost_doubled_and_moved(fixture in 0..FIXTURES.len(), changes in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..6)) {
        let mut lines: Vec<&str> = FIXTURES[fixture].lines().collect();
        for (from, to) in changes {
            let line = lines[from.index(lines.len())];
            let to = to.index(lines.len());
            if to % 3 == 0 && lines.len() > 1 { lines.remove(to); } else { lines.insert(to, line); }
        }
        read_all(lines.join("\n").as_bytes());
    }

    #[test]
    fn bytes_of_any_kind(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        read_all(&bytes);
    }
}

fn codes(text: &str) -> Vec<Code> {
    read_leaf("large", text.as_bytes()).map_or_else(|told| told.error_codes(), |_| vec![])
}

#[test]
fn a_long_text_behind_many_aliases_is_refused_before_it_is_spelled_out() {
    let text = format!(
        "vnfd:\n  id: &a {}\n  names: [ {} ]\n",
        "x".repeat(1 << 20),
        vec!["*a"; 100_000].join(", ")
    );
    assert_eq!(codes(&text), [Code::YamlLimit]);
}

#[test]
fn what_each_machine_repeats_is_limited() {
    // One image with long names, taken by very many machines.
    let long = "i".repeat(1000);
    let mut text = format!(
        "vnfd:\n  id: many\n  sw-image-desc: [ {{ id: a, name: {long}, image: 'https://x/{long}', version: {long} }} ]\n  vdu:\n"
    );
    for at in 0..30_000 {
        text.push_str(&format!("  - {{ id: v{at}, sw-image-desc: a }}\n"));
    }
    assert!(codes(&text).contains(&Code::ScaleLimit));
    let flavours: String = (0..20_000).map(|at| format!("  - {{ id: f{at} }}\n")).collect();
    let text = format!(
        "vnfd:\n  id: many\n  product-info-description: x\n  vdu: [ {{ id: v, description: {} }} ]\n  df:\n{flavours}",
        "d".repeat(100_000)
    );
    assert!(codes(&text).contains(&Code::ScaleLimit));
    let flavours: String = (0..20_000).map(|at| format!("- {{ id: f{at} }}\n")).collect();
    let text = format!(
        "id: m\nvdu: [ {{ id: v }} ]\ndescription: {}\nconnection_point: []\ndeployment_flavour:\n{flavours}",
        "d".repeat(100_000)
    );
    assert!(codes(&text).contains(&Code::ScaleLimit));
}

#[test]
fn very_many_names_that_lead_nowhere_are_counted_and_not_compared_one_by_one() {
    let ends: String = (0..10_000)
        .map(|at| format!("- {{ name: n{at}, type: data, VNFC: w{at}, local_iface_name: x }}\n"))
        .collect();
    let machines: String = (0..5_000)
        .map(|at| format!("- {{ name: v{at}, image name: i }}\n"))
        .collect();
    let text = format!("vnf:\n name: large\n external-connections:\n{ends} VNFC:\n{machines}").replace("\n-", "\n -");
    let told = read_leaf("large", text.as_bytes()).unwrap_err();
    assert!(told.has_errors() && told.left_out > 5_000);
}
