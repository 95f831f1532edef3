//! For every diagnostic code a package that has exactly this fault: the match below has an arm for each, so that a new code cannot
//! come without one. And the page of codes is the one that the program would write.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod foreign;
mod packages;

use std::collections::BTreeMap;
use std::io::{Cursor, Write};

use manifold_descriptors::csar::{Limits, read_package};
use manifold_descriptors::nsd::{NsProfile, Nsd};
use manifold_descriptors::{Code, Diagnostics, FlatNsd, check_nsd, describe, diagnostics_page, folder};
use packages::*;

fn archive(entries: &[Raw<'_>]) -> Diagnostics {
    archive_within(entries, &Limits::default())
}

fn archive_within(entries: &[Raw<'_>], limits: &Limits) -> Diagnostics {
    read_package(Cursor::new(raw_archive(entries)), limits).diagnostics
}

/// The built gateway with one file changed.
fn with(path: &str, change: impl FnOnce(String) -> String) -> Diagnostics {
    let mut all = built_gateway();
    let text = String::from_utf8(all[path].clone()).unwrap();
    all.insert(path.to_owned(), change(text).into_bytes());
    read(&all).diagnostics
}

fn with_meta(from: &str, to: &str) -> Diagnostics {
    with("TOSCA-Metadata/TOSCA.meta", |text| changed(&text, from, to))
}

fn with_manifest(from: &str, to: &str) -> Diagnostics {
    with("gateway.mf", |text| changed(&text, from, to))
}

fn only(text: &[u8]) -> Diagnostics {
    describe("a.yaml", &BTreeMap::from([("a.yaml".to_owned(), text.to_vec())]), None).diagnostics
}

fn vnf(from: &str, to: &str) -> Diagnostics {
    gateway(from, to).diagnostics
}

fn ns(from: &str, to: &str) -> Diagnostics {
    two_site(from, to).diagnostics
}

/// The NSD with one change against the good constituents.
fn ns_against(from: &str, to: &str) -> Diagnostics {
    check_nsd(
        &nsd(two_site(from, to)),
        &[&good_gateway(), &good_service()],
        &[&good_meter()],
    )
}

const IMAGE: &str = "file: \"manifold:image/guest\"";
const IMAGE_DATA: &str = "          min_ram: 96 MiB\n";

fn provoke(code: Code) -> Diagnostics {
    match code {
        Code::NotAnArchive => read_package(Cursor::new(b"no archive".to_vec()), &Limits::default()).diagnostics,
        Code::PathTraversal => archive(&[raw("a/../../etc/passwd")]),
        Code::AbsolutePath => archive(&[raw("/etc/passwd")]),
        Code::LinkEntry => archive(&[Raw {
            mode: 0o120_777,
            content: b"/etc/passwd",
            ..raw("link")
        }]),
        Code::TooManyEntries => archive_within(
            &[raw("a"), raw("b")],
            &Limits {
                entries_max: 1,
                ..Limits::default()
            },
        ),
        Code::DuplicateEntry => archive(&[raw("a.yaml"), raw("a.yaml")]),
        Code::CaseClash => archive(&[raw("Definitions/a.yaml"), raw("definitions/A.yaml")]),
        Code::EncryptedEntry => archive(&[Raw { flags: 1, ..raw("a") }]),
        Code::SuspiciousRatio => {
            let mut all = built_gateway();
            all.insert("zeros".into(), vec![0; 4 << 20]);
            read(&all).diagnostics
        }
        Code::EntryTooLarge => archive_within(
            &[raw("a")],
            &Limits {
                entry_bytes_max: 0,
                ..Limits::default()
            },
        ),
        Code::ArchiveTooLarge => archive_within(
            &[raw("a"), raw("b")],
            &Limits {
                total_bytes_max: 1,
                ..Limits::default()
            },
        ),
        Code::DamagedEntry => archive(&[Raw { method: 99, ..raw("a") }]),
        Code::BadEntryName => archive(&[raw("a\u{7}b")]),
        Code::FileAndFolder => archive(&[raw("a"), raw("a/b")]),

        Code::NoEntryDefinitions => archive(&[raw("readme.txt")]),
        Code::SeveralEntryDefinitions => archive(&[raw("a.yaml"), raw("b.yaml")]),
        Code::MetaSyntax => with_meta("CSAR-Version: 1.1\n", "CSAR-Version: 1.1\nwhat is this\n"),
        Code::MetaKeyMissing => with_meta("Created-By: Manifold\n", ""),
        Code::MetaFileMissing => with_meta("Definitions/gateway.yaml", "Definitions/gatewya.yaml"),
        Code::ManifestSyntax => with_manifest("metadata:\n", "metadata:\nwhat is this\n"),
        Code::ManifestMetadata => with_manifest("  vnf_provider_id: Manifold\n", ""),
        Code::ManifestFileMissing => {
            with_manifest("Source: Definitions/gateway.yaml", "Source: Definitions/other.yaml")
        }
        Code::HashMismatch => with("Definitions/gateway_types.yaml", |text| {
            text + "\n# changed on the way\n"
        }),
        Code::HashMalformed => with_manifest("Hash: ", "Hash: 0"),
        Code::HashAlgorithm => with_manifest("Algorithm: SHA-256", "Algorithm: MD5"),
        Code::NotInManifest => {
            let mut all = built_gateway();
            all.insert("Artifacts/extra.txt".into(), b"smuggled".to_vec());
            read(&all).diagnostics
        }
        Code::NoManifest => read(&files(&[("meter.yaml", METER)])).diagnostics,
        Code::SignatureNotVerified => with("gateway.mf", |text| {
            text + "\n-----BEGIN CMS-----\nMIIB\n-----END CMS-----\n"
        }),
        Code::ManifestDisagrees => with_manifest("vnf_product_name: gateway", "vnf_product_name: bridge"),
        Code::MetaVersion => with_meta("CSAR-Version: 1.1", "CSAR-Version: 9.9"),
        Code::DefinitionsNotImported => {
            let mut all = built_gateway();
            all.insert("Definitions/left_over.yaml".into(), METER.as_bytes().to_vec());
            read(&all).diagnostics
        }
        Code::ArtifactMissing => {
            let text = changed(GATEWAY, IMAGE, "file: ../Artifacts/Images/none.qcow2");
            let all = files(&[
                ("Definitions/gateway.yaml", &text),
                ("Definitions/gateway_types.yaml", GATEWAY_TYPES),
            ]);
            let paths = all.keys().cloned().collect();
            describe("Definitions/gateway.yaml", &all, Some(&paths)).diagnostics
        }

        Code::YamlSyntax => only(b"a: [ 1, 2\nb: }"),
        Code::DuplicateKey => {
            only(b"tosca_definitions_version: tosca_simple_yaml_1_3\ndescription: a\ndescription: b\n")
        }
        Code::YamlLimit => only(laughs().as_bytes()),
        Code::NotUtf8 => only(b"description: \xff\xfe\n"),
        Code::NotOneDocument => only(b"a: 1\n---\nb: 2\n"),

        Code::DefinitionsVersion => vnf("tosca_simple_yaml_1_3", "tosca_2_7"),
        Code::ImportMissing => vnf("- gateway_types.yaml", "- gateway_typse.yaml"),
        Code::WrongShape => vnf(
            "      requirements:\n        - virtual_binding: frontend\n        - virtual_link: internal",
            "      requirements: frontend",
        ),
        Code::UnknownType => vnf(
            "type: tosca.nodes.nfv.VnfVirtualLink",
            "type: tosca.nodes.nfv.VnfVirtualLnik",
        ),
        Code::UnknownKey => vnf(
            "    worker:\n      type:",
            "    worker:\n      propertys: {}\n      type:",
        ),
        Code::UnknownProperty => vnf("name: frontend\n", "nmae: frontend\n"),
        Code::PropertyMissing => vnf(
            "        name: worker\n        description: Does",
            "        description: Does",
        ),
        Code::WrongValueType => vnf("num_virtual_cpu: 1", "num_virtual_cpu: one"),
        Code::ConstraintViolated => vnf("flow_pattern: mesh", "flow_pattern: star"),
        Code::InputUnknown => vnf("name: frontend\n", "name: { get_input: front }\n"),
        Code::TargetUnknown => vnf("virtual_binding: frontend", "virtual_binding: frontned"),
        Code::RequirementUnknown => vnf("virtual_link: internal", "virtual_lnik: internal"),
        Code::TargetWrongType => vnf("virtual_link: internal", "virtual_link: worker"),
        Code::FunctionUnsupported => vnf("name: frontend\n", "name: { get_attribute: [ SELF, name ] }\n"),
        Code::BadDerivation => {
            let types = changed(
                GATEWAY_TYPES,
                "derived_from: tosca.nodes.nfv.VNF",
                "derived_from: manifold.demo.Gateway",
            );
            describe(
                "g.yaml",
                &files(&[("g.yaml", GATEWAY), ("gateway_types.yaml", &types)]),
                None,
            )
            .diagnostics
        }
        Code::PolicyIgnored => vnf("type: tosca.policies.nfv.AffinityRule", "type: my.policies.Own"),
        Code::RequirementMissing => vnf("        - virtual_binding: worker\n", ""),
        Code::BadSubstitution => vnf("access: [ access, virtual_link ]", "access: []"),
        Code::DefinedTwice => {
            let text = changed(
                GATEWAY,
                "  - gateway_types.yaml",
                "  - gateway_types.yaml\n  - again.yaml",
            );
            let all = [
                ("g.yaml", text.as_str()),
                ("gateway_types.yaml", GATEWAY_TYPES),
                ("again.yaml", GATEWAY_TYPES),
            ];
            describe("g.yaml", &files(&all), None).diagnostics
        }

        Code::NoDescriptor => only(b"tosca_definitions_version: tosca_simple_yaml_1_3\ntopology_template: {}\n"),
        Code::NoFlavour => {
            let frame = "tosca_definitions_version: tosca_simple_yaml_1_3\nimports: [ one.yaml, two.yaml ]\n";
            let all = [
                ("top.yaml", frame),
                ("one.yaml", GATEWAY),
                ("two.yaml", GATEWAY),
                ("gateway_types.yaml", GATEWAY_TYPES),
            ];
            describe("top.yaml", &files(&all), None).diagnostics
        }
        Code::NothingToRun => {
            let end = GATEWAY.find("    worker:\n").unwrap();
            let start = GATEWAY.find("        sw_image_data:").unwrap();
            vnf(&GATEWAY[start..end], "")
        }
        Code::ImageIncomplete => {
            let text = changed(GATEWAY, IMAGE, "file: ../Artifacts/Images/disk.qcow2");
            let text = changed(&text, "disk_format: aki", "disk_format: qcow2");
            let all = [("g.yaml", text.as_str()), ("gateway_types.yaml", GATEWAY_TYPES)];
            describe("g.yaml", &files(&all), None).diagnostics
        }
        Code::ImageArtifacts => vnf(IMAGE, "file: ../Artifacts/Images/half.kernel"),
        Code::ImageHashMismatch => {
            let checksum = format!(
                "{IMAGE_DATA}          size: 4 B\n          checksum: {{ algorithm: sha-256, hash: {} }}\n",
                "0".repeat(64)
            );
            let text = changed(GATEWAY, IMAGE, "file: ../Artifacts/Images/disk.raw");
            let text = changed(
                &changed(&text, "disk_format: aki", "disk_format: raw"),
                IMAGE_DATA,
                &checksum,
            );
            let mut all = files(&[
                ("Definitions/gateway_types.yaml", GATEWAY_TYPES),
                ("Artifacts/Images/disk.raw", "disk"),
            ]);
            all.insert("Definitions/gateway.yaml".into(), text.into_bytes());
            manifold_descriptors::csar::read_files(
                &mut manifold_descriptors::csar::MemoryFiles::new(all),
                manifold_descriptors::csar::Form::Folder,
            )
            .diagnostics
        }
        Code::AspectUnknown => vnf("aspect: workers\n", "aspect: wrokers\n"),
        Code::DeltaUnknown => vnf("step_deltas: [ one_more ]", "step_deltas: [ two_more ]"),
        Code::LevelBad => vnf("default_level: two", "default_level: tow"),
        Code::LevelDisagrees => vnf("two: { number_of_instances: 2 }", "two: { number_of_instances: 3 }"),
        Code::InstancesOutOfRange => vnf("max_number_of_instances: 4", "max_number_of_instances: 3"),
        Code::BadAddress => vnf("cidr: 10.99.0.0/24", "cidr: 10.99.0.7/24"),
        Code::SubnetsOverlap => ns("cidr: 192.168.20.0/24", "cidr: 192.168.0.0/16"),
        Code::OrderTwice => vnf("order: 3", "order: 2"),
        Code::CpUnconnected => vnf("      field: [ field, virtual_link ]\n", ""),
        Code::VnfmInfo => {
            let types = changed(GATEWAY_TYPES, "etsivnfm:v2.0.0", "ours");
            describe(
                "g.yaml",
                &files(&[("g.yaml", GATEWAY), ("gateway_types.yaml", &types)]),
                None,
            )
            .diagnostics
        }

        Code::UnknownVnfd => check_nsd(&nsd(two_site("two-site", "two")), &[&good_gateway()], &[&good_meter()]),
        Code::UnknownFlavour => {
            let mut other = good_gateway();
            other.flavours[0].id = "large".into();
            check_nsd(
                &nsd(two_site("two-site", "two")),
                &[&other, &good_service()],
                &[&good_meter()],
            )
        }
        Code::UnknownLevel => ns_against("instantiation_level: two", "instantiation_level: three"),
        Code::UnknownExtCp => {
            let mut other = good_gateway();
            other.flavours[0].ext_cpds.retain(|cpd| cpd.id != "field");
            check_nsd(
                &nsd(two_site("two-site", "two")),
                &[&other, &good_service()],
                &[&good_meter()],
            )
        }
        Code::ExtCpUnconnected => ns_against("        - field: field\n", ""),
        Code::UnknownPnfd => check_nsd(
            &nsd(two_site("two-site", "two")),
            &[&good_gateway(), &good_service()],
            &[],
        ),
        Code::ProtocolMismatch => {
            let mut other = good_meter();
            other.ext_cps[0].layer_protocols = vec![manifold_descriptors::link::LayerProtocol::Mpls];
            check_nsd(
                &nsd(two_site("two-site", "two")),
                &[&good_gateway(), &good_service()],
                &[&other],
            )
        }
        Code::LinkUnused => ns(
            "  groups:\n",
            "    spare:\n      type: tosca.nodes.nfv.NsVirtualLink\n      properties:\n        connectivity_type: { layer_protocols: [ ipv4 ] }\n        vl_profile: { max_bitrate_requirements: { root: 1 }, min_bitrate_requirements: { root: 1 } }\n\n  groups:\n",
        ),
        Code::ProfileRange => ns("min_number_of_instances: 1", "min_number_of_instances: 2"),
        Code::ConstituentDiffers => {
            let mut other = good_service();
            other.provider = "Somebody else".into();
            check_nsd(
                &nsd(two_site("two-site", "two")),
                &[&good_gateway(), &other],
                &[&good_meter()],
            )
        }

        // proves: NFV006-OBJ-05
        Code::PathBroken => two_site("  groups:\n", &a_path("nowhere")).diagnostics,
        Code::TrafficBad => {
            let rule = "  policies:\n    - bad: { type: manifold.policies.Traffic, targets: [ gateway ], properties: { action: block, \
                        classifier: { protocol: nonsense } } }\n";
            two_site("  policies:\n", rule).diagnostics
        }
        Code::GraphWithoutVnf => ns(
            "  groups:\n",
            "  groups:\n    graph: { type: tosca.groups.nfv.VNFFG, members: [ meter, field ] }\n",
        ),

        Code::UnknownNsd => nested(&[("outer", &["inner"])]),
        Code::NestedCycle => nested(&[("outer", &["inner"]), ("inner", &["outer"])]),
        Code::NestedLimit => {
            let names: Vec<String> = (0..20).map(|n| format!("level-{n}")).collect();
            let inside: Vec<[&str; 1]> = names[1..].iter().map(|name| [name.as_str()]).collect();
            let levels: Vec<(&str, &[&str])> = names
                .iter()
                .map(String::as_str)
                .zip(inside.iter().map(|one| &one[..]))
                .collect();
            nested(&levels)
        }
        Code::NestedClash => nested(&[("outer", &["a", "a/b"]), ("a", &["b"]), ("b", &[]), ("a/b", &[])]),

        Code::FolderUnreadable => {
            folder::check(std::path::Path::new("/nowhere/at/all"), &Limits::default()).diagnostics
        }
        Code::FolderLink => {
            let root = tempfile::tempdir().unwrap();
            std::os::unix::fs::symlink("/etc/passwd", root.path().join("link")).unwrap();
            folder::check(root.path(), &Limits::default()).diagnostics
        }
        Code::FolderLimit => {
            let root = tempfile::tempdir().unwrap();
            for name in ["a", "b"] {
                std::fs::File::create(root.path().join(name))
                    .unwrap()
                    .write_all(b"x")
                    .unwrap();
            }
            folder::check(
                root.path(),
                &Limits {
                    entries_max: 1,
                    ..Limits::default()
                },
            )
            .diagnostics
        }

        Code::FormatUnknown
        | Code::DescriptorKind
        | Code::FieldUnknown
        | Code::FieldWithoutEffect
        | Code::FieldMalformed
        | Code::FieldMissing
        | Code::FieldAlias
        | Code::FieldEmpty
        | Code::BlanksAround
        | Code::NameUnknown
        | Code::NameTwice
        | Code::LineEnds
        | Code::EndAmbiguous
        | Code::EndUnqualified
        | Code::ImageElsewhere
        | Code::SchemaVersion
        | Code::ScaleLimit => foreign::provoke(code),
    }
}

/// Services and what they nest, each by a profile of the same name; the first is the outermost.
fn nested(services: &[(&str, &[&str])]) -> Diagnostics {
    let service = |(id, inside): &(&str, &[&str])| Nsd {
        descriptor_id: (*id).to_owned(),
        nested_ns_profiles: inside
            .iter()
            .map(|inner| NsProfile {
                id: (*inner).to_owned(),
                nsd_id: (*inner).to_owned(),
                ..NsProfile::default()
            })
            .collect(),
        ..Nsd::default()
    };
    let all: Vec<Nsd> = services.iter().map(service).collect();
    FlatNsd::of(&all[0], &all.iter().collect::<Vec<_>>()).1
}

/// Ten levels of ten aliases each: ten thousand million nodes.
fn laughs() -> String {
    let mut text = String::from("dsl_definitions:\n  a0: &a0 [ x, x, x, x, x, x, x, x, x, x ]\n");
    for level in 1..10 {
        let alias = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("  a{level}: &a{level} [ {alias} ]\n"));
    }
    text
}

#[test]
fn every_code_has_a_package_that_has_this_fault() {
    let mut missing = Vec::new();
    for code in Code::ALL {
        let diagnostics = provoke(*code);
        if !diagnostics.list.iter().any(|diagnostic| diagnostic.code == *code) {
            missing.push(format!("{code} ({}):\n{diagnostics}", code.meaning()));
        }
    }
    assert!(missing.is_empty(), "not provoked:\n{}", missing.join("\n"));
}

#[test]
fn one_change_gives_one_fault_and_no_echo() {
    for code in [
        Code::PathTraversal,
        Code::LinkEntry,
        Code::MetaVersion,
        Code::UnknownProperty,
        Code::TargetUnknown,
        Code::WrongValueType,
        Code::OrderTwice,
        Code::UnknownVnfd,
        Code::ArtifactMissing,
        Code::BadAddress,
        Code::DuplicateKey,
    ] {
        let errors: Vec<Code> = provoke(code)
            .error_codes()
            .into_iter()
            // These two come of the one change by right: the image is no longer described, the file no longer hashes.
            .filter(|c| {
                !matches!(
                    c,
                    Code::HashMismatch | Code::ImageIncomplete | Code::ImageArtifacts | Code::NoDescriptor
                )
            })
            .collect();
        assert_eq!(errors, [code]);
    }
}

#[test]
fn a_fault_names_its_place_quotes_the_line_and_offers_candidates() {
    let text = vnf("virtual_binding: frontend", "virtual_binding: frontned").render();
    assert!(text.contains("error[MFD0411]"), "{text}");
    assert!(text.contains("--> gateway.yaml:74:28"), "{text}");
    assert!(
        text.contains("74 |         - virtual_binding: frontned\n   |                            ^^^^^^^^"),
        "{text}"
    );
    assert!(text.contains("did you mean `frontend`?"), "{text}");
}

/// A path from the SAP through the gateway, in by this connection point, as a forwarding graph.
fn a_path(ingress: &str) -> String {
    format!(
        "    web:\n      type: tosca.nodes.nfv.NFP\n      requirements: [ {{ profile_element: first }}, {{ profile_element: second }} ]\n\
         \u{20}   first: {{ type: tosca.nodes.nfv.NfpPosition, requirements: [ {{ element: at_client }} ] }}\n\
         \u{20}   second: {{ type: tosca.nodes.nfv.NfpPosition, requirements: [ {{ element: at_gateway }} ] }}\n\
         \u{20}   at_client: {{ type: tosca.nodes.nfv.NfpPositionElement, requirements: [ {{ profile_element: client }} ] }}\n\
         \u{20}   at_gateway:\n      type: tosca.nodes.nfv.NfpPositionElement\n      requirements:\n\
         \u{20}       - profile_element: {{ node: gateway, capability: {ingress} }}\n\
         \u{20}       - profile_element: {{ node: gateway, capability: transit }}\n\n\
         \u{20} groups:\n    graph: {{ type: tosca.groups.nfv.VNFFG, members: [ gateway, access, web ] }}\n"
    )
}

#[test]
fn paths_and_rules_on_packets_are_read_with_what_they_pass_and_when() {
    use manifold_descriptors::nsd::{NfpElement, PortRange, TrafficAction, Window};
    let described = two_site("  groups:\n", &a_path("access"));
    assert_eq!(described.diagnostics.summary(), "");
    let path = nsd(described).vnffgs[0].paths[0].clone();
    assert_eq!(path.positions, ["at_client", "at_gateway"]);
    let without_place = |element: &NfpElement| NfpElement {
        place: None,
        ..element.clone()
    };
    let element = |profile: &str, ingress: Option<&str>, egress: Option<&str>| NfpElement {
        id: format!("at_{profile}"),
        profile: profile.into(),
        ingress: ingress.map(str::to_owned),
        egress: egress.map(str::to_owned),
        place: None,
    };
    let passed: Vec<NfpElement> = path.elements.iter().map(without_place).collect();
    assert_eq!(
        passed,
        [
            element("client", None, None),
            element("gateway", Some("access"), Some("transit"))
        ]
    );

    let rule = "  policies:\n    - slow:\n        type: manifold.policies.Traffic\n        targets: [ transit, both_vnfs ]\n        properties:\n\
                \u{20}         action: limit\n          max_bitrate: 5000000\n          priority: 7\n\
                \u{20}         classifier: { protocol: tcp, ether_type: ipv4, destination_port_range: [ 80, 443 ], source_ip_address_prefix: 10.1.2.3/8 }\n\
                \u{20}         schedule: [ { from: \"2026-11-21T00:00:00\", daily_from: \"08:00:00\", daily_until: \"24:00:00\" } ]\n";
    let described = two_site("  policies:\n", rule);
    assert_eq!(described.diagnostics.summary(), "");
    let rule = nsd(described).traffic_rules[0].clone();
    assert_eq!(
        rule.targets,
        ["transit", "gateway", "service"],
        "a group is its members"
    );
    assert_eq!(
        (rule.priority, rule.action),
        (
            7,
            TrafficAction::Limit {
                bits_per_second: 5_000_000
            }
        )
    );
    let class = &rule.classifier;
    assert_eq!((class.protocol, class.ether_type), (Some(6), Some(0x0800)));
    assert_eq!(class.destination_port_range, Some(PortRange { lower: 80, upper: 443 }));
    assert_eq!(class.source_ip_address_prefix, "10.0.0.0/8".parse().ok());
    assert_eq!(
        rule.schedule,
        [Window {
            from: Some(1_795_219_200),
            until: None,
            daily_from: 28_800,
            daily_until: 86_400
        }]
    );
}

#[test]
fn a_forwarding_graph_with_a_vnf_is_accepted() {
    let graph = "  groups:\n    graph: { type: tosca.groups.nfv.VNFFG, members: [ gateway, meter, field ] }\n";
    let described = two_site("  groups:\n", graph);
    assert_eq!(described.diagnostics.summary(), "");
    let graph = &nsd(described).vnffgs[0];
    assert_eq!((graph.profiles.len(), graph.virtual_links.len()), (2, 1));
}

#[test]
fn all_faults_are_told_at_once() {
    let text = changed(GATEWAY, "virtual_binding: frontend", "virtual_binding: frontned");
    let text = changed(&text, "num_virtual_cpu: 1", "num_virtual_cpu: one");
    let text = changed(&text, "default_level: two", "default_level: tow");
    let described = describe(
        "g.yaml",
        &files(&[("g.yaml", &text), ("gateway_types.yaml", GATEWAY_TYPES)]),
        None,
    );
    let mut codes = described.diagnostics.error_codes();
    codes.sort();
    assert_eq!(codes, [Code::WrongValueType, Code::TargetUnknown, Code::LevelBad]);
}

#[test]
fn the_page_of_codes_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/diagnostics.md");
    let page = diagnostics_page();
    if std::env::var_os("MANIFOLD_WRITE_DOCS").is_some() {
        std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs")).unwrap();
        std::fs::write(path, &page).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == page,
        "docs/diagnostics.md is not current: run this test with MANIFOLD_WRITE_DOCS=1"
    );
}
