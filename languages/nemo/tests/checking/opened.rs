//! A service that is opened becomes one NSD: its text is read without a fault, fits its VNFDs, and holds what was said inside.

use crate::world::service;
use manifold_descriptors::nsd::{Nfp, Nsd, TrafficAction};
use manifold_descriptors::tosca_write::content;
use manifold_descriptors::{Descriptor, Vnfd, check_nsd, describe};
use manifold_nemo::compile::{Options, Packages, nsd};
use manifold_nemo::expand::Limits;
use manifold_nemo::inline::inline;
use std::collections::BTreeMap;

/// The composed model, mended, with rules of its own.
const COMPLEX: &str = "CREATE NodeModel sample_vnf VNFD catalog:sample;
    ConnectionPoint data_inside at VNFD:xe0;
    ConnectionPoint data_outside at VNFD:xe1;
CREATE NodeModel shaper_vnf VNFD catalog:shaper;
    ConnectionPoint lan at VNFD:lan;
    ConnectionPoint wan at VNFD:wan;
CREATE NodeModel complex_vnf;
    Node input_vnf Type sample_vnf;
    Node output_vnf Type shaper_vnf;
    ConnectionPoint input;
    ConnectionPoint output;
    Connection icon Type p2p Endnodes input, input_vnf:data_inside;
    Connection ocon Type p2p Endnodes output, output_vnf:wan;
    Connection intn Type p2p Endnodes input_vnf:data_outside, output_vnf:lan;
    Flow web Match dstport: 80, proto: tcp;
    Operation steer Target web Priority 5 Action go-through: [input_vnf:data_inside:data_outside, output_vnf:lan:wan];
    Operation slow Target intn Action bandwidth: 10(mbps);
    Operation closed Target output_vnf Condition (time < 08:00:00) Action block;
";

/// Compiled, and held against what reads it.
fn one(top: &str) -> (Packages, Nsd) {
    let whole = inline(&service(&format!("{COMPLEX}{top}")), &Limits::default()).unwrap();
    let image = |name: &str| (format!("{name}.qcow2"), "manifold:image/guest".to_owned());
    let options = Options {
        images: ["sample", "shaper"].map(image).into(),
        ..Options::default()
    };
    let packages = nsd(&whole, &options).unwrap();
    assert_eq!(packages.notes, Vec::<String>::new());
    let [package] = packages.services.as_slice() else {
        panic!("{} NSDs", packages.services.len())
    };
    let files: BTreeMap<String, Vec<u8>> = package
        .files
        .iter()
        .map(|(path, text)| (path.clone(), text.clone().into_bytes()))
        .collect();
    let described = describe(files.keys().next().unwrap(), &files, None);
    assert!(described.diagnostics.is_empty(), "{}", described.diagnostics.render());
    let Some(Descriptor::Nsd(back)) = described.descriptor else {
        panic!("no NSD")
    };
    assert_eq!(content(&*back), content(&package.nsd));
    let vnfds: Vec<&Vnfd> = packages.functions.iter().map(|function| &function.vnfd).collect();
    let faults = check_nsd(&back, &vnfds, &[]);
    assert!(!faults.has_errors(), "{}", faults.render());
    let nsd = package.nsd.clone();
    (packages, nsd)
}

fn profiles(nsd: &Nsd) -> Vec<&str> {
    nsd.vnf_profiles.iter().map(|profile| profile.id.as_str()).collect()
}

fn passed(path: &Nfp) -> Vec<(&str, Option<&str>, Option<&str>)> {
    let elements = path.elements.iter();
    elements
        .map(|element| {
            let (ingress, egress) = (element.ingress.as_deref(), element.egress.as_deref());
            (element.profile.as_str(), ingress, egress)
        })
        .collect()
}

#[test]
fn a_composed_model_that_is_used_is_one_descriptor_with_its_rules() {
    let (packages, nsd) = one("CREATE Node complex Type complex_vnf;\n");
    assert_eq!(packages.functions.len(), 2);
    assert_eq!(profiles(&nsd), ["complex.input_vnf", "complex.output_vnf"]);
    assert!(nsd.nested_ns_profiles.is_empty());
    let link = nsd.virtual_link("complex.intn").unwrap();
    let joined: Vec<_> = nsd
        .vnf_profiles
        .iter()
        .flat_map(|profile| {
            profile
                .connectivity
                .iter()
                .map(|c| (&*profile.id, &*c.cpd, &*c.virtual_link))
        })
        .filter(|(.., on)| *on == link.id)
        .map(|(profile, cpd, _)| (profile, cpd))
        .collect();
    assert_eq!(joined, [("complex.input_vnf", "xe1"), ("complex.output_vnf", "lan")]);
    assert_eq!(nsd.saps.len(), 2, "what is left open leads outside");

    let [graph] = nsd.vnffgs.as_slice() else {
        panic!("{:?}", nsd.vnffgs)
    };
    let [path] = graph.paths.as_slice() else {
        panic!("{graph:?}")
    };
    assert_eq!(
        passed(path),
        [
            ("complex.input_vnf", Some("xe0"), Some("xe1")),
            ("complex.output_vnf", Some("lan"), Some("wan"))
        ]
    );
    let rule = &path.rules[0];
    assert_eq!(
        (rule.id.as_str(), rule.priority, rule.classifier.protocol),
        ("complex.steer", 5, Some(6))
    );
    let rules: Vec<_> = nsd
        .traffic_rules
        .iter()
        .map(|rule| {
            (
                rule.id.as_str(),
                rule.action,
                rule.targets.join(" "),
                rule.schedule.len(),
            )
        })
        .collect();
    let limit = TrafficAction::Limit {
        bits_per_second: 10_000_000,
    };
    assert_eq!(
        rules,
        [
            ("complex.slow", limit, "complex.intn".to_owned(), 0),
            (
                "complex.closed",
                TrafficAction::Block,
                "complex.output_vnf".to_owned(),
                1
            )
        ]
    );
}

/// Two in one, and one that is the two put together: each has rules of its own, by names that do not meet.
#[test]
fn what_is_used_more_than_once_and_deeper_down_is_still_one_descriptor() {
    let (packages, nsd) = one("CREATE NodeModel row;
    Node first Type complex_vnf;
    Node second Type complex_vnf;
    ConnectionPoint west;
    ConnectionPoint east;
    Connection start Type p2p Endnodes west, first:input;
    Connection middle Type p2p Endnodes first:output, second:input;
    Connection end Type p2p Endnodes second:output, east;
    Flow all Match proto: udp;
    Operation both Target all Priority 9 Action go-through: [first:input:output, second:input:output];
CREATE Node a Type row;
CREATE Node b Type row;
CREATE Connection between Type p2p Endnodes a:east, b:west;
CREATE Flow ssh Match dstport: 22, proto: tcp;
CREATE Operation no_ssh Target ssh Action block;
");
    assert_eq!(packages.functions.len(), 2, "leaves are shared");
    assert_eq!(nsd.vnf_profiles.len(), 8);
    assert_eq!(profiles(&nsd)[..2], ["a.first.input_vnf", "a.first.output_vnf"]);
    let paths: Vec<&Nfp> = nsd.vnffgs.iter().flat_map(|graph| &graph.paths).collect();
    let of = |name: &str| {
        let mut found = paths.iter().filter(|path| path.rules[0].id == name);
        let path = found.next().unwrap_or_else(|| panic!("no {name} in {paths:#?}"));
        assert!(found.next().is_none());
        passed(path)
    };
    assert_eq!(paths.len(), 6);
    assert_eq!(of("b.second.steer").len(), 2);
    let through: Vec<&str> = of("a.both").iter().map(|(profile, ..)| *profile).collect();
    assert_eq!(
        through,
        [
            "a.first.input_vnf",
            "a.first.output_vnf",
            "a.second.input_vnf",
            "a.second.output_vnf"
        ]
    );
    let no_ssh = nsd.traffic_rules.iter().find(|rule| rule.id == "no_ssh").unwrap();
    assert_eq!(no_ssh.targets.len(), nsd.virtual_links.len());
}
