//! Hostile and damaged archives, and texts that no honest packer writes: refused by name, never a panic.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod packages;

use std::io::{Cursor, Write};

use manifold_descriptors::csar::{ArchiveError, Csar, Limits, read_package};
use manifold_descriptors::{Code, Diagnostics, describe};
use packages::*;

fn refusals(entries: &[Raw<'_>]) -> Vec<(Code, String)> {
    let diagnostics = read_package(Cursor::new(raw_archive(entries)), &Limits::default()).diagnostics;
    diagnostics.list.into_iter().map(|d| (d.code, d.place.file)).collect()
}

#[test]
fn every_hostile_name_is_refused_by_name() {
    for (name, code) in [
        ("../x", Code::PathTraversal),
        ("a/../../x", Code::PathTraversal),
        ("a\\..\\..\\x", Code::PathTraversal),
        ("/etc/passwd", Code::AbsolutePath),
        ("\\\\server\\share", Code::AbsolutePath),
        ("C:\\x", Code::AbsolutePath),
        ("a\\b", Code::BadEntryName),
        ("a//b", Code::BadEntryName),
        ("./a", Code::BadEntryName),
        ("ab:c", Code::BadEntryName),
        ("", Code::BadEntryName),
    ] {
        assert_eq!(refusals(&[raw(name)]), [(code, name.to_owned())]);
    }
    let long = "x".repeat(2_000);
    assert_eq!(refusals(&[raw(&long)])[0].0, Code::BadEntryName);
    assert_eq!(
        refusals(&[Raw {
            name: b"a\xff",
            ..raw("")
        }])[0]
            .0,
        Code::BadEntryName
    );
}

#[test]
fn links_devices_and_twins_are_refused_by_name() {
    for mode in [0o120_777, 0o020_666, 0o060_666, 0o010_644, 0o140_755] {
        assert_eq!(
            refusals(&[Raw { mode, ..raw("a") }]),
            [(Code::LinkEntry, "a".to_owned())]
        );
    }
    assert_eq!(
        refusals(&[raw("a"), raw("b"), raw("a")]),
        [(Code::DuplicateEntry, "a".to_owned())]
    );
    assert_eq!(
        refusals(&[raw("Ä.txt"), raw("ä.txt")]),
        [(Code::CaseClash, "ä.txt".to_owned())]
    );
    assert_eq!(
        refusals(&[raw("a"), raw("a/b/c")]),
        [(Code::FileAndFolder, "a".to_owned())]
    );
}

#[test]
fn all_of_an_archives_faults_are_told_at_once() {
    let codes: Vec<Code> = refusals(&[raw("../x"), raw("/y"), Raw { flags: 1, ..raw("z") }])
        .into_iter()
        .map(|r| r.0)
        .collect();
    assert_eq!(codes.len(), 3);
}

#[test]
fn a_hundred_thousand_entries_are_refused_before_they_are_looked_at() {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for n in 0..100_000 {
        zip.start_file(format!("{n}"), options).unwrap();
    }
    let diagnostics = read_package(zip.finish().unwrap(), &Limits::default()).diagnostics;
    assert_eq!(diagnostics.error_codes(), [Code::TooManyEntries]);
    assert!(diagnostics.list[0].message.contains("100000"), "{diagnostics}");
}

#[test]
fn a_bomb_is_refused_by_what_it_declares_and_by_what_it_does() {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("bomb", zip::write::SimpleFileOptions::default())
        .unwrap();
    zip.write_all(&vec![0; 8 << 20]).unwrap();
    let mut bytes = zip.finish().unwrap().into_inner();
    let honest = read_package(Cursor::new(bytes.clone()), &Limits::default()).diagnostics;
    assert_eq!(honest.error_codes(), [Code::SuspiciousRatio]);

    // The same archive with a directory that declares 10 bytes.
    let declared = ((8 << 20) as u32).to_le_bytes();
    let places: Vec<usize> = (0..bytes.len() - 4)
        .filter(|at| bytes[*at..at + 4] == declared)
        .collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at..at + 4].copy_from_slice(&10u32.to_le_bytes());
    }
    let lying: Diagnostics = read_package(Cursor::new(bytes), &Limits::default()).diagnostics;
    assert!(lying.error_codes().contains(&Code::DamagedEntry), "{lying}");
}

#[test]
fn one_flipped_byte_of_a_package_is_noticed() {
    let all = built_gateway();
    for path in all.keys() {
        let mut changed = all.clone();
        let bytes = changed.get_mut(path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        assert!(read(&changed).diagnostics.has_errors(), "{path}");
    }
    assert!(!read(&all).diagnostics.has_errors());
}

#[test]
fn a_file_is_copied_out_and_a_damaged_one_says_so() {
    let mut csar = Csar::open(Cursor::new(packed(&built_gateway())), &Limits::default()).unwrap();
    let mut text = Vec::new();
    csar.copy("Definitions/gateway.yaml", &mut text).unwrap();
    assert_eq!(text, GATEWAY.as_bytes());
    assert!(matches!(
        csar.copy("none", &mut text),
        Err(ArchiveError::NoSuchEntry { .. })
    ));

    let mut bytes = raw_archive(&[raw("a")]);
    let at = bytes.iter().position(|b| *b == b'x').unwrap();
    bytes[at] = b'y';
    let mut csar = Csar::open(Cursor::new(bytes), &Limits::default()).unwrap();
    assert!(matches!(
        csar.copy("a", &mut Vec::new()),
        Err(ArchiveError::Damaged { .. })
    ));
}

#[test]
fn no_cut_and_no_missing_line_makes_the_reader_panic() {
    let read = |text: &str| {
        let all = files(&[("g.yaml", text), ("gateway_types.yaml", GATEWAY_TYPES)]);
        let _ = describe("g.yaml", &all, None).diagnostics.render();
    };
    let lines: Vec<&str> = GATEWAY.lines().collect();
    for at in 0..lines.len() {
        read(&lines[..at].join("\n"));
        let without: Vec<&str> = lines
            .iter()
            .enumerate()
            .filter(|(n, _)| *n != at)
            .map(|(_, line)| *line)
            .collect();
        read(&without.join("\n"));
        // Each value in turn a list, a map, nothing.
        if let Some((key, _)) = lines[at].split_once(": ") {
            for value in [
                "[ 1 ]",
                "{ a: b }",
                "",
                "-1",
                "99999999999999999999",
                "{ get_input: x }",
            ] {
                let mut changed = lines.clone();
                let line = format!("{key}: {value}");
                changed[at] = &line;
                read(&changed.join("\n"));
            }
        }
    }
    let package = packed(&built_gateway());
    for at in (0..package.len()).step_by(97) {
        let _ = read_package(Cursor::new(package[..at].to_vec()), &Limits::default());
        let mut flipped = package.clone();
        flipped[at] ^= 0x55;
        let _ = read_package(Cursor::new(flipped), &Limits::default());
    }
}

#[test]
fn properties_that_name_each_other_cost_no_more_than_is_allowed() {
    // Thirty nodes, each the one before it twice over: 2^30 texts, were they all written out.
    let mut text =
        String::from("tosca_definitions_version: tosca_simple_yaml_1_3\ntopology_template:\n  node_templates:\n");
    for n in 0..30 {
        let before = format!("{{ get_property: [ n{}, name ] }}", n + 1);
        text.push_str(&format!(
            "    n{n}:\n      type: tosca.nodes.nfv.Vdu.Compute\n      properties: {{ name: {{ concat: [ {before}, {before} ] }}, vdu_profile: {{ min_number_of_instances: 1, max_number_of_instances: 1 }} }}\n"
        ));
    }
    let vnf = "    v:\n      type: tosca.nodes.nfv.VNF\n";
    let described = describe("a.yaml", &files(&[("a.yaml", &(text + vnf))]), None);
    assert!(described.diagnostics.error_codes().contains(&Code::FunctionUnsupported));
}

#[test]
fn a_file_of_faults_only_is_read_in_no_more_time_than_its_size_allows() {
    // Each of 60,000 lines is a fault; what is kept is bounded, and so is the work for what is not.
    let mut text = String::from(
        "tosca_definitions_version: tosca_simple_yaml_1_3\ntopology_template:\n  node_templates:\n    v:\n",
    );
    text.push_str("      type: tosca.nodes.nfv.VNF\n      properties:\n");
    for n in 0..60_000 {
        text.push_str(&format!("        wrong_{n}: 1\n"));
    }
    let described = describe("a.yaml", &files(&[("a.yaml", &text)]), None);
    assert_eq!(
        described.diagnostics.list.len(),
        manifold_descriptors::diagnostic::DIAGNOSTICS_MAX
    );
    assert!(described.diagnostics.left_out > 59_000);
}
