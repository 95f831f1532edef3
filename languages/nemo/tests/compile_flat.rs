//! One VNFD of a whole service, and the faults of an earlier compiler that must not come back.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod services;

use manifold_descriptors::tosca_write::content;
use manifold_descriptors::vnfd::{DeploymentFlavour, ExtCpInternal};
use manifold_descriptors::{Descriptor, describe};
use manifold_nemo::compile::{Flat, Options, flat};
use manifold_nemo::expand::Limits;
use manifold_nemo::leaf::LeafFormat;
use manifold_nemo::service::Service;
use services::{Models, complex, golden, pair, vnfd};
use std::collections::{BTreeMap, BTreeSet};

/// Compiles and reads back.
fn compiled(service: &Service) -> Flat {
    let options = Options {
        name: "demo".to_owned(),
        ..Options::default()
    };
    let made = flat(service, &options).unwrap();
    assert_eq!(
        made,
        flat(service, &options).unwrap(),
        "the same service, the same bytes"
    );
    let files = made
        .files
        .iter()
        .map(|(path, text)| (path.clone(), text.clone().into_bytes()))
        .collect();
    let described = describe("Definitions/demo.yaml", &files, None);
    assert!(
        !described.diagnostics.has_errors(),
        "{}",
        described.diagnostics.render()
    );
    let Some(Descriptor::Vnfd(back)) = described.descriptor else {
        panic!("no VNFD")
    };
    assert_eq!(content(&back), content(&made.vnfd));
    made
}

/// What is joined: machines' interfaces by link, what is exposed by its name.
fn joined(flavour: &DeploymentFlavour) -> BTreeMap<String, BTreeSet<String>> {
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for vdu in &flavour.vdus {
        for cp in &vdu.connection_points {
            let link = cp
                .virtual_link
                .clone()
                .or_else(|| cp.ext_cpd.clone())
                .unwrap_or_else(|| cp.id.clone());
            all.entry(link)
                .or_default()
                .insert(format!("{}#{}", vdu.id, cp.order.unwrap_or(0)));
        }
    }
    for cpd in &flavour.ext_cpds {
        if let ExtCpInternal::VirtualLink { virtual_link } = &cpd.internal {
            all.entry(virtual_link.clone())
                .or_default()
                .insert(format!("({})", cpd.requirement.as_deref().unwrap()));
        }
    }
    all
}

fn on<'a>(all: &'a BTreeMap<String, BTreeSet<String>>, link: &str) -> Vec<&'a str> {
    all.get(link)
        .unwrap_or_else(|| panic!("no {link} in {all:?}"))
        .iter()
        .map(String::as_str)
        .collect()
}

#[test]
fn the_seeds_service_is_one_vnfd() {
    let service = complex().composite(
        "main",
        &["left", "right"],
        &[("complex", "complex_vnf")],
        &[("a", &["left", "complex:input"]), ("b", &["right", "complex:output"])],
    );
    let made = compiled(&service.service());
    assert_eq!(made.notes, Vec::<String>::new());
    golden("complex-flat.yaml", made.files.values().next().unwrap());
    let flavour = &made.vnfd.flavours[0];
    let machines: Vec<&str> = flavour.vdus.iter().map(|vdu| vdu.id.as_str()).collect();
    assert_eq!(machines, ["complex-input_vnf-vm", "complex-output_vnf-vm"]);
    let all = joined(flavour);
    assert_eq!(
        on(&all, "complex-intn"),
        ["complex-input_vnf-vm#1", "complex-output_vnf-vm#0"]
    );
    // What is seen outside is called as the point is, not as the connection.
    let outside: Vec<_> = flavour
        .ext_cpds
        .iter()
        .map(|cpd| (cpd.id.as_str(), cpd.requirement.as_deref().unwrap()))
        .collect();
    assert_eq!(outside, [("left", "left"), ("right", "right")]);
    assert_eq!(on(&all, "left"), ["complex-input_vnf-vm#0"]);
}

/// The same model twice: each instance has interfaces of its own, and every point leads somewhere.
#[test]
fn one_model_twice_is_two_instances() {
    let service = Models::default()
        .vnf("video", &["mgmt", "in", "out"])
        .composite(
            "main",
            &["mgmt_tx", "mgmt_trans", "a", "b"],
            &[("tx", "video"), ("trans", "video")],
            &[
                ("c1", &["mgmt_tx", "tx:mgmt"]),
                ("c2", &["mgmt_trans", "trans:mgmt"]),
                ("c3", &["a", "tx:in"]),
                ("c4", &["tx:out", "trans:in"]),
                ("c5", &["b", "trans:out"]),
            ],
        )
        .service();
    let made = compiled(&service);
    let all = joined(&made.vnfd.flavours[0]);
    assert_eq!(on(&all, "mgmt_tx"), ["tx-vm#0"]);
    assert_eq!(on(&all, "mgmt_trans"), ["trans-vm#0"]);
    assert_eq!(on(&all, "c4"), ["trans-vm#1", "tx-vm#2"]);
}

#[test]
fn more_than_two_ends_are_all_joined() {
    let service = Models::default()
        .vnf("vnf", &["a", "b"])
        .composite(
            "main",
            &["up", "too"],
            &[("x", "vnf"), ("y", "vnf"), ("z", "vnf")],
            &[
                ("bus", &["x:a", "y:a", "z:a"]),
                ("outer", &["up", "too", "x:b", "y:b", "z:b"]),
            ],
        )
        .service();
    let made = compiled(&service);
    let all = joined(&made.vnfd.flavours[0]);
    assert_eq!(on(&all, "bus"), ["x-vm#0", "y-vm#0", "z-vm#0"]);
    assert_eq!(on(&all, "outer"), ["(too)", "(up)", "x-vm#1", "y-vm#1", "z-vm#1"]);
}

/// Numbers and names follow from the script, not from how things are stored: twenty instances keep the order of the text.
#[test]
fn numbering_is_that_of_the_text() {
    let names: Vec<String> = (0..20).rev().map(|at| format!("n{at}")).collect();
    let nodes: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "vnf")).collect();
    let ends: Vec<String> = names.iter().map(|name| format!("{name}:a")).collect();
    let ends: Vec<&str> = ends.iter().map(String::as_str).collect();
    let service = Models::default()
        .vnf("vnf", &["a"])
        .composite("main", &[], &nodes, &[("net", &ends)])
        .service();
    let made = compiled(&service);
    let machines: Vec<String> = made.vnfd.flavours[0].vdus.iter().map(|vdu| vdu.id.clone()).collect();
    let wished: Vec<String> = names.iter().map(|name| format!("{name}-vm")).collect();
    assert_eq!(machines, wished);
}

/// An interface that is a link inside of its VNF: whatever is connected to it is on that link.
#[test]
fn links_of_leaves_are_joined_with_nets() {
    let service = Models::default()
        .leaf("pair", LeafFormat::Sol001, pair("pair"))
        .vnf("vnf", &["a"])
        .composite(
            "main",
            &["front", "back"],
            &[("p", "pair"), ("q", "pair"), ("x", "vnf")],
            &[
                ("c1", &["front", "p:front"]),
                ("c2", &["p:back", "x:a", "back"]),
                ("c3", &["q:front"]),
            ],
        )
        .service();
    let made = compiled(&service);
    let flavour = &made.vnfd.flavours[0];
    let all = joined(flavour);
    assert_eq!(on(&all, "c2"), ["(back)", "p-vm#1", "p-worker#0", "x-vm#0"]);
    assert_eq!(on(&all, "front"), ["p-vm#0"]);
    // The second instance keeps its link to itself.
    assert_eq!(on(&all, "q-inside"), ["q-vm#1", "q-worker#0"]);
    let rules: Vec<_> = flavour
        .affinity_rules
        .iter()
        .map(|rule| (rule.id.as_str(), rule.targets.join(" ")))
        .collect();
    assert_eq!(
        rules,
        [
            ("p-apart", "p-vm p-worker".to_owned()),
            ("q-apart", "q-vm q-worker".to_owned())
        ]
    );
}

/// `a-b` with `c` and `a` with `b-c` would have one name.
#[test]
fn names_that_would_be_one_stay_two() {
    let service = Models::default()
        .vnf("vnf", &["a"])
        .composite(
            "in",
            &["p"],
            &[("b-vm", "vnf"), ("b", "vnf")],
            &[("n", &["p", "b-vm:a", "b:a"])],
        )
        .composite(
            "main",
            &["p"],
            &[("a", "in"), ("a-b", "vnf")],
            &[("n", &["p", "a:p", "a-b:a"])],
        )
        .service();
    let made = compiled(&service);
    let machines: BTreeSet<&str> = made.vnfd.flavours[0].vdus.iter().map(|vdu| vdu.id.as_str()).collect();
    assert_eq!(machines.len(), 3, "{machines:?}");
}

/// A composite, and the same written out by hand: one thing but for names.
#[test]
fn a_composite_is_what_it_would_be_written_out() {
    let nested = complex().composite(
        "main",
        &["left", "right"],
        &[("one", "complex_vnf"), ("two", "complex_vnf")],
        &[
            ("a", &["left", "one:input"]),
            ("b", &["one:output", "two:input"]),
            ("c", &["two:output", "right"]),
        ],
    );
    let by_hand = Models::default()
        .vnf("sample_vnf", &["data_inside", "data_outside"])
        .vnf("shaper_vnf", &["lan", "wan"])
        .composite(
            "main",
            &["left", "right"],
            &[
                ("one-input_vnf", "sample_vnf"),
                ("one-output_vnf", "shaper_vnf"),
                ("two-input_vnf", "sample_vnf"),
                ("two-output_vnf", "shaper_vnf"),
            ],
            &[
                ("a", &["left", "one-input_vnf:data_inside"]),
                ("one-intn", &["one-input_vnf:data_outside", "one-output_vnf:lan"]),
                ("b", &["one-output_vnf:wan", "two-input_vnf:data_inside"]),
                ("two-intn", &["two-input_vnf:data_outside", "two-output_vnf:lan"]),
                ("c", &["two-output_vnf:wan", "right"]),
            ],
        );
    let (one, other) = (compiled(&nested.service()), compiled(&by_hand.service()));
    assert_eq!(joined(&one.vnfd.flavours[0]), joined(&other.vnfd.flavours[0]));
    let outside = |flat: &Flat| {
        flat.vnfd.flavours[0]
            .ext_cpds
            .iter()
            .map(|cpd| cpd.id.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(outside(&one), outside(&other));
    let machines = |flat: &Flat| {
        flat.vnfd.flavours[0]
            .vdus
            .iter()
            .map(|vdu| vdu.id.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(machines(&one), machines(&other));
}

#[test]
fn files_of_the_leaves_are_named_with_where_they_go() {
    let mut own = vnfd("fw", &["a"]);
    own.flavours[0].vdus[0].sw_image.as_mut().unwrap().source = manifold_descriptors::vnfd::SwImageSource::Disk {
        path: "Artifacts/Images/fw.img".to_owned(),
    };
    let image = own.flavours[0].vdus[0].sw_image.as_mut().unwrap();
    image.disk_format = "qcow2".to_owned();
    image.size_bytes = Some(1);
    image.checksum = Some(manifold_descriptors::vnfd::Checksum {
        algorithm: "sha-256".to_owned(),
        hash: "0".repeat(64),
    });
    let service = Models::default()
        .leaf("fw", LeafFormat::Sol001, own)
        .composite(
            "main",
            &["p"],
            &[("x", "fw"), ("y", "fw")],
            &[("n", &["p", "x:a", "y:a"])],
        )
        .service();
    let made = compiled(&service);
    assert_eq!(made.artifacts.len(), 1);
    let artifact = &made.artifacts[0];
    assert_eq!(
        (artifact.uri.as_str(), artifact.from.as_str()),
        ("catalog:fw", "Artifacts/Images/fw.img")
    );
    assert_eq!(artifact.to, "Artifacts/fw/Artifacts/Images/fw.img");
    let text = made.files.values().next().unwrap();
    assert_eq!(
        text.matches("file: \"../Artifacts/fw/Artifacts/Images/fw.img\"")
            .count(),
        2,
        "{text}"
    );
}

#[test]
fn too_much_is_refused() {
    let options = Options {
        limits: Limits {
            instances_max: 3,
            ..Limits::default()
        },
        ..Options::default()
    };
    let service = complex()
        .composite("main", &[], &[("one", "complex_vnf")], &[("n", &["one:input"])])
        .service();
    assert!(
        flat(&service, &options)
            .unwrap_err()
            .to_string()
            .contains("more than 3 instances")
    );
}
