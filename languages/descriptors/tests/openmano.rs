//! OpenMANO's VNFs and scenarios in the models that SOL001 is read into, and in the form that a script's leaves have.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::PathBuf;

use manifold_descriptors::interfaces::{LeafFormat, ReadLeaf, read_leaf};
use manifold_descriptors::vnfd::{ExtCpInternal, SwImageSource};
use manifold_descriptors::{Code, Diagnostics, Nsd, openmano};

const PAIR: &str = include_str!("fixtures/openmano/pair.yaml");
const CHAINS: [(&str, &str); 3] = [
    ("0.1", include_str!("fixtures/openmano/chain-01.yaml")),
    ("0.2", include_str!("fixtures/openmano/chain-02.yaml")),
    ("0.3", include_str!("fixtures/openmano/chain-03.yaml")),
];

fn vnf(text: &str) -> Result<ReadLeaf, Diagnostics> {
    read_leaf("pair.yaml", text.as_bytes())
}

fn changed(from: &str, to: &str) -> Result<ReadLeaf, Diagnostics> {
    assert!(PAIR.contains(from), "`{from}` is not in the fixture");
    vnf(&PAIR.replacen(from, to, 1))
}

fn errors(from: &str, to: &str) -> Vec<Code> {
    changed(from, to).unwrap_err().error_codes()
}

#[test]
fn a_vnf_becomes_a_vnfd_with_sizes_images_links_and_points() {
    let read = vnf(PAIR).unwrap();
    assert_eq!((read.format, read.name.as_str()), (LeafFormat::OpenMano, "pair"));
    let flavour = &read.vnfd.flavours[0];
    let first = flavour.vdu("first").unwrap();
    let compute = first.compute.as_ref().unwrap();
    assert_eq!((compute.num_virtual_cpu, compute.virtual_mem_size_mib), (2, 512));
    assert_eq!(compute.virtual_local_storage_bytes, [3 << 30]);
    assert_eq!(first.sw_image.as_ref().unwrap().source, SwImageSource::ByName);
    assert!(
        first
            .boot_data
            .as_ref()
            .unwrap()
            .content
            .as_ref()
            .unwrap()
            .starts_with("#!/bin/sh\n")
    );
    // In the order of the bus: eth2 sits before eth0.
    let order: Vec<&str> = first.connection_points.iter().map(|cp| cp.id.as_str()).collect();
    assert_eq!(order, ["first-eth2", "first-eth0", "first-eth1"]);
    assert_eq!(first.connection_points[1].bitrate_requirement, Some(100_000_000));
    let second = flavour.vdu("second").unwrap();
    assert_eq!((second.min_number_of_instances, second.max_number_of_instances), (2, 2));
    let SwImageSource::Uri { uri } = &second.sw_image.as_ref().unwrap().source else {
        panic!("an image that has a URL");
    };
    assert_eq!(uri, "https://images.example/forwarder.qcow2");
    let link = flavour.virtual_link("between").unwrap();
    assert_eq!(link.connectivity_type.flow_pattern.as_deref(), Some("line"));
    assert_eq!(link.l3[0].cidr.to_string(), "10.20.30.0/24");
    assert_eq!(link.l3[0].ip_allocation_pools[0].end.to_string(), "10.20.30.29");
    let on: Vec<&str> = flavour
        .vdus
        .iter()
        .flat_map(|vdu| &vdu.connection_points)
        .filter(|cp| cp.virtual_link.as_deref() == Some("between"))
        .map(|cp| cp.id.as_str())
        .collect();
    assert_eq!(on, ["first-eth1", "second-eth1"]);
    let west = flavour.ext_cpd("west").unwrap();
    assert_eq!(
        west.internal,
        ExtCpInternal::VduCp {
            vdu: "first".into(),
            cp: "first-eth0".into()
        }
    );
}

#[test]
fn interfaces_know_their_place_in_the_text() {
    let read = vnf(PAIR).unwrap();
    let names: Vec<&str> = read
        .interfaces
        .iter()
        .map(|interface| interface.name.as_str())
        .collect();
    assert_eq!(names, ["west", "east", "manage"]);
    let manage = &read.interfaces[2];
    assert_eq!(
        (
            manage.vnfc.as_deref(),
            manage.local_name.as_deref(),
            manage.role.as_str(),
            manage.ext_cpd.as_str()
        ),
        (Some("first"), Some("eth2"), "mgmt", "first-eth2")
    );
    assert_eq!((manage.line, manage.column, manage.end_column), (14, 11, 17));
    assert_eq!(manage.text, "  - name: manage");
}

#[test]
fn what_has_no_place_and_what_nobody_knows_is_told() {
    let read = changed(
        "  description: Two",
        "  colour: green\n  public: true\n  description: Two",
    )
    .unwrap();
    let told: Vec<(Code, u32)> = read.warnings.list.iter().map(|d| (d.code, d.place.line)).collect();
    assert_eq!(
        told,
        [
            (Code::FieldUnknown, 4),
            (Code::FieldWithoutEffect, 5),
            (Code::FieldWithoutEffect, 23),
            (Code::ImageElsewhere, 34)
        ]
    );
    assert!(read.warnings.list[0].message.contains("`colour`"));
}

#[test]
fn faults_have_codes_places_and_candidates() {
    assert_eq!(
        errors("VNFC: second\n    local", "VNFC: secnod\n    local"),
        [Code::NameUnknown]
    );
    let told = changed("local_iface_name: eth2", "local_iface_name: eth7").unwrap_err();
    let text = told.render();
    assert!(text.contains("pair.yaml:17:23"), "{text}");
    assert!(text.contains("did you mean `eth0`"), "{text}");
    assert_eq!(errors("- name: east", "- name: west"), [Code::NameTwice]);
    assert_eq!(
        errors("local_iface_name: eth2", "local_iface_name: eth1"),
        [Code::NameTwice]
    );
    assert_eq!(errors("  name: pair\n", ""), [Code::FieldMissing]);
    assert_eq!(errors("vcpus: 2", "vcpus: two"), [Code::FieldMalformed]);
    assert_eq!(errors("\"0.2\"", "\"0.9\""), [Code::SchemaVersion]);
    assert_eq!(
        errors("    - { VNFC: second, local_iface_name: eth1 }\n", ""),
        [Code::LineEnds]
    );
    assert_eq!(errors("10.20.30.0/24", "10.20.30.0/240"), [Code::BadAddress]);
}

fn scenario(text: &str) -> Nsd {
    let (nsd, _) = openmano::read_scenario("chain.yaml", text.as_bytes()).unwrap_or_else(|d| panic!("{d}"));
    nsd
}

#[test]
fn a_scenario_of_each_schema_says_the_same() {
    for (version, text) in CHAINS {
        let nsd = scenario(text);
        assert_eq!(nsd.name, "chain", "{version}");
        let mut ends: Vec<(String, String, String)> = Vec::new();
        for profile in &nsd.vnf_profiles {
            assert_eq!(profile.vnfd_id, "pair");
            for end in &profile.connectivity {
                ends.push((profile.id.clone(), end.cpd.clone(), end.virtual_link.clone()));
            }
        }
        ends.sort();
        let end = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
        assert_eq!(
            ends,
            [
                end("left", "east", "middle"),
                end("left", "west", "outside"),
                end("right", "west", "middle")
            ],
            "{version}"
        );
        assert_eq!(nsd.saps.len(), 1, "{version}");
        assert_eq!(nsd.saps[0].virtual_link.as_deref(), Some("outside"));
    }
}

#[test]
fn faults_of_a_scenario_are_told_at_their_place() {
    let fault = |from: &str, to: &str| {
        let text = CHAINS[1].1;
        assert!(text.contains(from));
        openmano::read_scenario("s.yaml", text.replacen(from, to, 1).as_bytes()).unwrap_err()
    };
    let told = fault("- right: west", "- rihgt: west");
    assert_eq!(told.error_codes(), [Code::NameUnknown]);
    assert!(told.render().contains("did you mean `right`"), "{}", told.render());
    assert_eq!(fault("- right: west", "- left: east").error_codes(), [Code::NameTwice]);
    assert_eq!(fault("\"0.2\"", "\"7\"").error_codes(), [Code::SchemaVersion]);
    assert_eq!(fault("{ vnf_name: pair }", "{}").error_codes(), [Code::FieldMissing]);
    assert_eq!(
        openmano::read_scenario("s.yaml", PAIR.as_bytes())
            .unwrap_err()
            .error_codes(),
        [Code::DescriptorKind]
    );
    assert_eq!(vnf(CHAINS[1].1).unwrap_err().error_codes(), [Code::DescriptorKind]);
}

/// Descriptors that others wrote, from beside the repository; a clone alone has none.
fn samples() -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/samples/openmano");
    if !folder.is_dir() {
        eprintln!("SKIPPED: {} is not here", folder.display());
    }
    folder.is_dir().then_some(folder)
}

#[test]
fn samples_of_others_are_read_without_errors() {
    let Some(folder) = samples() else { return };
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let bytes = std::fs::read(&path).unwrap();
        let (_, warnings) = openmano::read(&name, &bytes).unwrap_or_else(|d| panic!("{name}:\n{d}"));
        assert!(
            !warnings.list.iter().any(|d| d.code == Code::FieldUnknown),
            "{name}:\n{warnings}"
        );
        seen += 1;
    }
    assert!(seen >= 7);
}

#[test]
fn the_interfaces_of_the_first_dataplane_sample_are_those_that_it_lists() {
    let Some(folder) = samples() else { return };
    let bytes = std::fs::read(folder.join("vnfs-dataplaneVNF1.yaml")).unwrap();
    let read = read_leaf("dataplaneVNF1.yaml", &bytes).unwrap();
    let all: Vec<(&str, &str, &str)> = read
        .interfaces
        .iter()
        .map(|i| (i.name.as_str(), i.local_name.as_deref().unwrap(), i.role.as_str()))
        .collect();
    assert_eq!(
        all,
        [
            ("mgmt", "eth0", "mgmt"),
            ("xe0", "xe0", "data"),
            ("xe1", "xe1", "data"),
            ("xe2", "xe2", "data"),
            ("xe3", "xe3", "data")
        ]
    );
    let vdu = &read.vnfd.flavours[0].vdus[0];
    let compute = vdu.compute.as_ref().unwrap();
    // Seven pairs of threads, 16 GiB of huge pages.
    assert_eq!((compute.num_virtual_cpu, compute.virtual_mem_size_mib), (14, 16 * 1024));
}
