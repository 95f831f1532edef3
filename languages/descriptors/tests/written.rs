//! What is written as SOL001 is read back equal.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod packages;

use std::collections::BTreeMap;
use std::io::BufReader;
use std::path::PathBuf;

use manifold_descriptors::csar::{Limits, read_package};
use manifold_descriptors::link::{AffinityRule, AffinityScope, AffinityType};
use manifold_descriptors::nsd::{
    Nfp, NfpClassifier, NfpElement, NfpRule, PortRange, TrafficAction, TrafficRule, Vnffg, Window,
};
use manifold_descriptors::tosca_write::{self, NsdWriting, Written, content};
use manifold_descriptors::vnfd::{
    DeploymentFlavour, ExtCpInternal, LayerProtocol, StorageKind, SwImageDesc, SwImageSource, Vdu, VduCp,
    VirtualCompute, VirtualStorage, VnfExtCpd, VnfVirtualLink,
};
use manifold_descriptors::{Descriptor, Nsd, Vnfd, describe};

fn read(written: &Written, entry: &str) -> Descriptor {
    let files: BTreeMap<String, Vec<u8>> = written
        .iter()
        .map(|(path, text)| (path.clone(), text.clone().into_bytes()))
        .collect();
    let described = describe(entry, &files, None);
    assert!(
        !described.diagnostics.has_errors() && described.not_imported.is_empty(),
        "{}\n{}",
        described.diagnostics.render(),
        written.values().cloned().collect::<Vec<_>>().join("\n---\n")
    );
    described.descriptor.unwrap()
}

fn again(vnfd: &Vnfd) -> Vnfd {
    let written = tosca_write::vnfd(vnfd, "it");
    assert_eq!(written, tosca_write::vnfd(vnfd, "it"));
    let Descriptor::Vnfd(back) = read(&written, "Definitions/it.yaml") else {
        panic!("no VNFD")
    };
    *back
}

fn nsd_again(nsd: &Nsd, vnfds: &[&Vnfd]) -> Nsd {
    let writing = NsdWriting {
        nsd,
        description: "A service",
        vnfds,
        nested: &[],
    };
    let Descriptor::Nsd(back) = read(&tosca_write::nsd(&writing, "it"), "Definitions/it.yaml") else {
        panic!("no NSD")
    };
    *back
}

#[test]
fn descriptors_of_the_examples_come_back_equal() {
    for vnfd in [packages::good_gateway(), packages::good_service()] {
        assert_eq!(content(&tosca_write::normal(&vnfd)), content(&vnfd));
        assert_eq!(content(&again(&vnfd)), content(&vnfd));
    }
    let nsd = packages::nsd(packages::two_site("Clients and the gateway", "Clients"));
    let (gateway, service) = (packages::good_gateway(), packages::good_service());
    assert_eq!(content(&nsd_again(&nsd, &[&gateway, &service])), content(&nsd));
    assert_eq!(content(&nsd_again(&nsd, &[])), content(&nsd));
}

/// Other people's packages: scaling, storages, containers, several flavours.
#[test]
fn descriptors_of_others_come_back_equal() {
    let samples = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/samples");
    if !samples.is_dir() {
        eprintln!("SKIPPED: {} is not there", samples.display());
        return;
    }
    let mut seen = 0;
    for name in [
        "vm_basic_lcms_max",
        "vm_change_vnfpkg_new_image",
        "cnf_helm_v2",
        "cnf_k8s_manifests_all_kinds",
    ] {
        let path = samples.join(format!("sol001-csar/{name}.zip"));
        let package = read_package(BufReader::new(std::fs::File::open(path).unwrap()), &Limits::default());
        let has_errors = package.diagnostics.has_errors();
        let Some(Descriptor::Vnfd(vnfd)) = package.descriptor else {
            panic!("{name}: {}", package.diagnostics)
        };
        // What contradicts itself is read, for looking at; it cannot be read without a fault a second time either.
        if has_errors {
            continue;
        }
        seen += 1;
        assert_eq!(content(&tosca_write::normal(&vnfd)), content(&vnfd), "{name}");
        assert_eq!(content(&again(&vnfd)), content(&vnfd), "{name}");
    }
    assert!(seen > 0);
    for name in [
        "tosca-sol001-nsd-vnf-pnf-sap-topology",
        "tosca-sol001-nsd-ran-pnf-hybrid",
    ] {
        let bytes = std::fs::read(samples.join(format!("tosca/{name}.yaml"))).unwrap();
        let described = describe("a.yaml", &BTreeMap::from([("a.yaml".to_owned(), bytes)]), None);
        if let Some(Descriptor::Nsd(nsd)) = described.descriptor.filter(|_| !described.diagnostics.has_errors()) {
            assert_eq!(content(&nsd_again(&nsd, &[])), content(&nsd), "{name}");
        }
    }
}

/// As descriptors of other languages are: interfaces of two machines have the same names, and other ones outside.
fn foreign() -> Vnfd {
    let cp = |id: &str, order, link: Option<&str>| VduCp {
        id: id.into(),
        order: Some(order),
        layer_protocols: vec![LayerProtocol::Ethernet],
        virtual_link: link.map(str::to_owned),
        ..VduCp::default()
    };
    let machine = |id: &str| Vdu {
        id: id.into(),
        name: id.into(),
        compute: Some(VirtualCompute {
            num_virtual_cpu: 2,
            virtual_mem_size_mib: 1000,
            ..VirtualCompute::default()
        }),
        sw_image: Some(SwImageDesc {
            id: "image".into(),
            name: "linux".into(),
            version: "1".into(),
            checksum: None,
            container_format: "bare".into(),
            disk_format: "qcow2".into(),
            min_disk_bytes: 3_000_000,
            min_ram_bytes: 0,
            size_bytes: None,
            source: SwImageSource::Uri {
                uri: "https://images.example/linux.qcow2".into(),
            },
            place: None,
        }),
        storages: vec![VirtualStorage {
            id: "disk".into(),
            kind: StorageKind::Block,
            size_bytes: 10 << 30,
            sw_image: None,
        }],
        initial_number_of_instances: 1,
        min_number_of_instances: 1,
        max_number_of_instances: 1,
        connection_points: vec![cp("eth0", 0, None), cp("eth1", 1, Some("vm1"))],
        ..Vdu::default()
    };
    let outside = |id: &str, vdu: &str| VnfExtCpd {
        id: id.into(),
        requirement: None,
        internal: ExtCpInternal::VduCp {
            vdu: vdu.into(),
            cp: "eth0".into(),
        },
        layer_protocols: vec![LayerProtocol::Ethernet],
        place: None,
    };
    Vnfd {
        descriptor_id: "two".into(),
        descriptor_version: "1".into(),
        provider: "Example".into(),
        product_name: "two machines: the \"second\" is first".into(),
        software_version: "1".into(),
        vnfm_info: vec!["etsivnfm:v2.0.0".into()],
        flavours: vec![DeploymentFlavour {
            id: "default".into(),
            vdus: vec![machine("vm1"), machine("vm2")],
            // Named as a machine is.
            virtual_links: vec![VnfVirtualLink {
                id: "vm1".into(),
                ..VnfVirtualLink::default()
            }],
            ext_cpds: vec![outside("mgmt", "vm1"), outside("data", "vm2")],
            affinity_rules: vec![AffinityRule {
                id: "apart".into(),
                kind: AffinityType::AntiAffinity,
                scope: AffinityScope::NfviNode,
                targets: vec!["vm1".into(), "vm2".into()],
            }],
            ..DeploymentFlavour::default()
        }],
        ..Vnfd::default()
    }
}

#[test]
fn a_foreign_descriptor_gets_names_that_tosca_can_hold() {
    let vnfd = foreign();
    let normal = tosca_write::normal(&vnfd);
    assert_eq!(tosca_write::normal(&normal), normal);
    let back = again(&vnfd);
    let flavour = back.flavour("default").unwrap();
    // From outside all is called as before, and leads to the same place.
    for (name, machine) in [("mgmt", "vm1"), ("data", "vm2")] {
        let cpd = flavour.ext_cpd(name).unwrap();
        let ExtCpInternal::VduCp { vdu, cp } = &cpd.internal else {
            panic!("{cpd:?}")
        };
        assert_eq!((vdu.as_str(), cp.as_str()), (machine, name));
    }
    // The link that had a machine's name joins the same two interfaces.
    let link = &flavour.virtual_links[0].id;
    assert_ne!(link, "vm1");
    for vdu in &flavour.vdus {
        assert_eq!(vdu.connection_points[1].virtual_link.as_ref(), Some(link));
        assert_eq!(vdu.storages[0].size_bytes, 10 << 30);
    }
    assert_eq!(flavour.affinity_rules, vnfd.flavours[0].affinity_rules);
}

/// The other side of equality: one thing changed is seen.
#[test]
fn content_tells_different_descriptors_apart() {
    let (one, mut other) = (foreign(), foreign());
    assert_eq!(content(&one), content(&other));
    other.flavours[0].vdus[1].connection_points[0].order = Some(7);
    assert_ne!(content(&one), content(&other));
}

/// Two graphs that share a path, rules of one path and of both, every action, everything that a packet may have to have.
#[test]
fn paths_and_rules_on_packets_come_back_equal() {
    let every = NfpClassifier {
        source_ip_address_prefix: "2001:db8::/32".parse().ok(),
        destination_ip_address_prefix: "10.0.0.1/32".parse().ok(),
        protocol: Some(58),
        source_port_range: Some(PortRange {
            lower: 1,
            upper: 65_535,
        }),
        destination_port_range: Some(PortRange { lower: 80, upper: 80 }),
        ether_source_address: Some("02:00:00:00:00:01".into()),
        ether_destination_address: Some("02:00:00:00:00:02".into()),
        ether_type: Some(0x88cc),
        dscp: Some(46),
        vlan_tag: vec![1, 4_094],
    };
    let window = |from, until, daily_from, daily_until| Window {
        from,
        until,
        daily_from,
        daily_until,
    };
    let times = vec![
        window(Some(1_795_219_200), Some(7_289_654_399), 0, 86_400),
        window(None, None, 1, 2),
        window(None, Some(1), 86_399, 86_400),
    ];
    let rule = |id: &str, protocol| NfpRule {
        id: id.into(),
        classifier: NfpClassifier {
            protocol,
            ..every.clone()
        },
        priority: 7,
        schedule: times.clone(),
    };
    let element = |id: &str, profile: &str, ingress: Option<&str>, egress: Option<&str>| NfpElement {
        id: id.into(),
        profile: profile.into(),
        ingress: ingress.map(str::to_owned),
        egress: egress.map(str::to_owned),
        place: None,
    };
    let path = |id: &str, elements: &[NfpElement], rules: &[NfpRule]| Nfp {
        id: id.into(),
        positions: elements.iter().map(|element| element.id.clone()).collect(),
        elements: elements.to_vec(),
        rules: rules.to_vec(),
    };
    let both = rule("both", None);
    let there = path(
        "there",
        &[
            element("from.client", "client", None, None),
            element("there_position_1", "gateway", Some("access"), Some("transit")),
        ],
        &[both.clone(), rule("there_1", Some(6))],
    );
    let out_alone = element("out", "gateway", None, Some("access"));
    let back = path("back", &[out_alone], &[rule("back_1", Some(200)), both]);
    let anything = path("anything", &[element("in", "gateway", Some("transit"), None)], &[]);
    let graph = |id: &str, paths: &[&Nfp]| Vnffg {
        id: id.into(),
        profiles: vec!["gateway".into()],
        virtual_links: vec!["transit".into()],
        paths: paths.iter().map(|path| (*path).clone()).collect(),
        place: None,
    };
    let mut nsd = packages::nsd(packages::two_site("Clients and the gateway", "Clients"));
    nsd.vnffgs = vec![graph("one", &[&there, &back]), graph("two", &[&there, &anything])];
    let actions = [
        TrafficAction::Block,
        TrafficAction::Allow,
        TrafficAction::Limit { bits_per_second: 8_000 },
        TrafficAction::Precedence(7),
    ];
    nsd.traffic_rules = (0..)
        .zip(actions)
        .map(|(number, action)| TrafficRule {
            id: format!("rule.{number}"),
            targets: vec!["gateway".into(), "transit".into(), "client".into()],
            classifier: if number == 0 {
                NfpClassifier::default()
            } else {
                every.clone()
            },
            priority: u32::MAX - number,
            action,
            schedule: if number == 0 { Vec::new() } else { times.clone() },
        })
        .collect();
    assert_eq!(content(&nsd_again(&nsd, &[])), content(&nsd));
}
