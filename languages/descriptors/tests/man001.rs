//! Descriptors of GS NFV-MAN 001, and what the recursive-VNF draft's own ones get wrong.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;

use manifold_descriptors::interfaces::{LeafFormat, read_leaf};
use manifold_descriptors::man001::{Set, read_set};
use manifold_descriptors::vnfd::ExtCpInternal;
use manifold_descriptors::{Code, Diagnostics, Severity};

const ROUTER: &str = include_str!("fixtures/man001/router.yaml");
const FILTER: &str = include_str!("fixtures/man001/filter.yaml");
const SERVICE: &str = include_str!("fixtures/man001/service.yaml");
const FIRST: &str = include_str!("fixtures/man001/first.yaml");
const SECOND: &str = include_str!("fixtures/man001/second.yaml");
const DRAWN_VNFD: &str = include_str!("fixtures/man001/drawn-vnfd.yaml");
const DRAWN_VLD: &str = include_str!("fixtures/man001/drawn-vld.yaml");

fn set(files: &[(&str, &str)]) -> Result<Set, Diagnostics> {
    let files: BTreeMap<String, Vec<u8>> = files
        .iter()
        .map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()))
        .collect();
    read_set(&files)
}

fn changed(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "nothing to change: {from}");
    text.replacen(from, to, 1)
}

#[test]
fn a_vnfd_becomes_one_flavour_for_each_of_its_own() {
    let read = read_leaf("router.yaml", ROUTER.as_bytes()).unwrap();
    assert_eq!(read.format, LeafFormat::Man001);
    assert_eq!(
        (read.vnfd.provider.as_str(), read.vnfd.software_version.as_str()),
        ("Example Works", "4.2")
    );
    let counts: Vec<(&str, u32)> = read
        .vnfd
        .flavours
        .iter()
        .map(|flavour| (flavour.id.as_str(), flavour.vdus[0].min_number_of_instances))
        .collect();
    assert_eq!(counts, [("small", 1), ("large", 3)]);
    let flavour = &read.vnfd.flavours[0];
    let compute = flavour.vdus[0].compute.as_ref().unwrap();
    assert_eq!((compute.num_virtual_cpu, compute.virtual_mem_size_mib), (2, 1024));
    assert_eq!(
        flavour.ext_cpd("lan").unwrap().internal,
        ExtCpInternal::VirtualLink {
            virtual_link: "inside".into()
        }
    );
    // A connection point of the VNF that is a VNFC's: that one, exposed.
    assert_eq!(
        flavour.ext_cpd("ctl").unwrap().internal,
        ExtCpInternal::VduCp {
            vdu: "engine".into(),
            cp: "ctl".into()
        }
    );
    assert_eq!(
        flavour.virtual_links[0].max_bitrate.root_bits_per_second,
        Some(2_000_000_000)
    );
    let lines: Vec<(&str, u32)> = read.interfaces.iter().map(|i| (i.name.as_str(), i.line)).collect();
    assert_eq!(lines, [("lan", 6), ("wan", 9), ("ctl", 11)]);
}

#[test]
fn a_service_is_its_links_and_the_vnfs_that_they_join() {
    let files = [
        ("r", ROUTER),
        ("f", FILTER),
        ("s", SERVICE),
        ("1", FIRST),
        ("2", SECOND),
    ];
    let set = set(&files).unwrap_or_else(|told| panic!("{told}"));
    let mut ends = Vec::new();
    for profile in &set.nsd.vnf_profiles {
        for end in &profile.connectivity {
            ends.push(format!("{}:{} {}", profile.id, end.cpd, end.virtual_link));
        }
    }
    ends.sort();
    assert_eq!(
        ends,
        [
            "filter:lan second",
            "filter:left first",
            "router:ctl second",
            "router:wan first"
        ]
    );
    assert_eq!(set.nsd.saps[0].virtual_link.as_deref(), Some("second"));
    assert_eq!(set.nsd.name, "edge");
    let unqualified = set
        .warnings
        .list
        .iter()
        .find(|d| d.code == Code::EndUnqualified)
        .unwrap();
    assert_eq!(unqualified.help.as_deref(), Some("write `filter:left`"));
}

/// Rows S14, S15 and S17 of the table of the draft's mistakes.
#[test]
fn the_drawn_vnfd_gets_an_alias_trimmed_blanks_empty_placeholders_and_one_error() {
    let told = read_leaf("vnf1.yaml", DRAWN_VNFD.as_bytes()).unwrap_err();
    let at = |code: Code| -> Vec<u32> {
        let with = told.list.iter().filter(|d| d.code == code);
        with.map(|d| d.place.line).collect()
    };
    assert_eq!(at(Code::FieldAlias), [2]);
    assert_eq!(at(Code::BlanksAround), [29]);
    assert_eq!(at(Code::FieldEmpty), [7, 10, 13, 17, 18, 19, 30]);
    assert_eq!(told.error_codes(), [Code::LineEnds]);
    let line = told.list.iter().find(|d| d.code == Code::LineEnds).unwrap();
    assert!(line.help.as_ref().unwrap().contains("E-LAN"), "{line:?}");
    // Mended as it says, it is read.
    let mended = changed(DRAWN_VNFD, "' E-Line'", "E-LAN");
    let read = read_leaf("vnf1.yaml", mended.as_bytes()).unwrap_or_else(|told| panic!("{told}"));
    let names: Vec<&str> = read.interfaces.iter().map(|i| i.name.as_str()).collect();
    assert_eq!(names, ["cp11", "cp12", "cp13"]);
    assert!(read.warnings.list.iter().all(|d| d.severity == Severity::Warning));
}

/// Row S16: an end that nobody has, and one that says of no VNF.
#[test]
fn the_drawn_link_dangles_and_its_other_end_is_unqualified() {
    let mended = changed(DRAWN_VNFD, "' E-Line'", "E-LAN");
    let told = set(&[("vnf1.yaml", &mended), ("vl1.yaml", DRAWN_VLD)]).unwrap_err();
    assert_eq!(told.error_codes(), [Code::NameUnknown]);
    let dangling = told.list.iter().find(|d| d.code == Code::NameUnknown).unwrap();
    assert!(dangling.message.contains("`cp01`"), "{dangling:?}");
    let bare = told.list.iter().find(|d| d.code == Code::EndUnqualified).unwrap();
    assert_eq!(bare.help.as_deref(), Some("write `vnf1:cp11`"));
    // An NSD that has the point settles the first; the second VNF of the same points makes the other ambiguous.
    let nsd = "id: ns\nvnfd: [ vnf1, vnf2 ]\nvld: [ vl1 ]\nconnection_point: [ { id: cp01 } ]\n";
    let twin = changed(&mended, "id: vnf1", "id: vnf2");
    let told = set(&[("a", &mended), ("b", &twin), ("c", nsd), ("d", DRAWN_VLD)]).unwrap_err();
    assert_eq!(told.error_codes(), [Code::EndAmbiguous]);
    let said = told.list.iter().find(|d| d.code == Code::EndAmbiguous).unwrap();
    assert_eq!(said.help.as_deref(), Some("write `vnf1:cp11` or `vnf2:cp11`"));
    let qualified = changed(DRAWN_VLD, "cp11 ]", "'vnf2:cp11' ]");
    set(&[("a", &mended), ("b", &twin), ("c", nsd), ("d", &qualified)]).unwrap_or_else(|told| panic!("{told}"));
}

#[test]
fn what_leads_to_nothing_and_what_is_there_twice_is_refused() {
    let fault = |from: &str, to: &str| {
        let told = read_leaf("r.yaml", changed(ROUTER, from, to).as_bytes()).unwrap_err();
        told.error_codes()
    };
    assert_eq!(
        fault("virtual_link_reference: inside", "virtual_link_reference: insdie"),
        [Code::NameUnknown, Code::FieldMalformed]
    );
    assert_eq!(fault("[ lan, wan, port0 ]", "[ lan, wan, port9 ]"), [Code::NameUnknown]);
    assert_eq!(fault("- id: wan", "- id: lan"), [Code::NameTwice, Code::NameUnknown]);
    assert_eq!(
        fault("vdu_reference: engine", "vdu_reference: motor"),
        [Code::NameUnknown]
    );
    assert_eq!(fault("- id: large", "- id: small"), [Code::NameTwice]);
    assert_eq!(fault("id: router\n", ""), [Code::FieldMissing]);
    assert_eq!(fault("E-LAN", "E-LANE"), [Code::FieldMalformed]);
    let of_set = |files: &[(&str, &str)]| set(files).unwrap_err().error_codes();
    assert_eq!(
        of_set(&[("r", ROUTER), ("s", SERVICE), ("1", FIRST), ("2", SECOND)])[0],
        Code::NameUnknown
    );
    let twice = changed(SECOND, "\"filter:lan\"", "left");
    assert_eq!(
        of_set(&[
            ("r", ROUTER),
            ("f", FILTER),
            ("s", SERVICE),
            ("1", FIRST),
            ("2", &twice)
        ]),
        [Code::NameTwice]
    );
    let three = changed(FIRST, "number_of_endpoints: 2", "number_of_endpoints: 3");
    assert_eq!(
        of_set(&[
            ("r", ROUTER),
            ("f", FILTER),
            ("s", SERVICE),
            ("1", &three),
            ("2", SECOND)
        ]),
        [Code::FieldMalformed]
    );
    assert_eq!(
        read_leaf("l.yaml", DRAWN_VLD.as_bytes()).unwrap_err().error_codes(),
        [Code::DescriptorKind]
    );
}
