//! Nested NSDs: what is compiled is read back without a fault, fits its VNFDs, and says what the script says.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod services;

use ipnet::IpNet;
use manifold_descriptors::csar::{Limits, read_package};
use manifold_descriptors::nsd::TrafficAction;
use manifold_descriptors::tosca_write::content;
use manifold_descriptors::{Descriptor, Nsd, Severity, Vnfd, check_nsd, describe};
use manifold_nemo::compile::{CompileError, Options, Packages, nsd};
use manifold_nemo::leaf::LeafFormat;
use manifold_nemo::service::{Classifier, Effect, Rule, RuleTarget, Service};
use manifold_nemo_syntax::diagnostic::Span;
use manifold_nemo_syntax::script::{Comparison, Condition, Name};
use services::{Models, amount, complex, golden, pair, text, vnfd};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;

fn options() -> Options {
    Options {
        name: "demo".to_owned(),
        ..Options::default()
    }
}

fn described(files: &BTreeMap<String, String>) -> Descriptor {
    let entry = files.keys().next().unwrap().clone();
    let files = files
        .iter()
        .map(|(path, text)| (path.clone(), text.clone().into_bytes()))
        .collect();
    let described = describe(&entry, &files, None);
    let errors = described
        .diagnostics
        .list
        .iter()
        .filter(|one| one.severity == Severity::Error)
        .count();
    assert_eq!(errors, 0, "{}", described.diagnostics.render());
    described.descriptor.unwrap()
}

/// Compiles, and holds all that comes out against what reads it.
fn compiled(service: &Service, options: &Options) -> Packages {
    let packages = nsd(service, options).unwrap();
    assert_eq!(
        packages,
        nsd(service, options).unwrap(),
        "the same service, the same bytes"
    );
    for function in &packages.functions {
        if let Some(files) = &function.files {
            let Descriptor::Vnfd(back) = described(files) else {
                panic!("no VNFD")
            };
            assert_eq!(content(&back), content(&function.vnfd));
            assert!(function.archive().unwrap().is_ok());
        }
    }
    let vnfds: Vec<&Vnfd> = packages.functions.iter().map(|function| &function.vnfd).collect();
    for service in &packages.services {
        let Descriptor::Nsd(back) = described(&service.files) else {
            panic!("no NSD")
        };
        let faults = check_nsd(&back, &vnfds, &[]);
        assert!(!faults.has_errors(), "{}", faults.render());
        assert_eq!(content(&*back), content(&service.nsd), "{:?}", service.files);
        let package = read_package(Cursor::new(service.archive().unwrap()), &Limits::default());
        assert!(!package.diagnostics.has_errors(), "{}", package.diagnostics.render());
    }
    packages
}

fn cidr(nsd: &Nsd, link: &str) -> IpNet {
    nsd.virtual_link(link).unwrap().l3[0].cidr
}

#[test]
fn the_seeds_service_is_one_nsd_per_composite() {
    let service = complex().composite(
        "main",
        &["a", "b"],
        &[("complex", "complex_vnf")],
        &[("left", &["a", "complex:input"]), ("right", &["b", "complex:output"])],
    );
    let packages = compiled(&service.service(), &options());
    assert_eq!(packages.notes, Vec::<String>::new());
    let all: String = packages
        .files()
        .iter()
        .map(|(path, text)| format!("==> {path}\n{text}\n"))
        .collect();
    golden("complex-nsd.txt", &all);
    let names: Vec<&str> = packages
        .services
        .iter()
        .map(|service| service.nsd.name.as_str())
        .collect();
    assert_eq!(names, ["complex_vnf", "demo"]);
    let (inner, outer) = (&packages.services[0].nsd, &packages.root().nsd);
    let saps: Vec<_> = inner
        .saps
        .iter()
        .map(|sap| {
            (
                sap.requirement.as_deref().unwrap(),
                sap.virtual_link.as_deref().unwrap(),
            )
        })
        .collect();
    assert_eq!(saps, [("input", "icon"), ("output", "ocon")]);
    let nested = &outer.nested_ns_profiles[0];
    assert_eq!((nested.id.as_str(), &nested.nsd_id), ("complex", &inner.descriptor_id));
    let connected: Vec<_> = nested
        .connectivity
        .iter()
        .map(|c| (c.cpd.as_str(), c.virtual_link.as_str()))
        .collect();
    assert_eq!(connected, [("input", "left"), ("output", "right")]);
    let networks: BTreeSet<IpNet> = [inner, outer]
        .iter()
        .flat_map(|nsd| &nsd.virtual_links)
        .map(|link| link.l3[0].cidr)
        .collect();
    assert_eq!(networks.len(), 5);
}

#[test]
fn properties_become_what_descriptors_have_for_them() {
    let service = Models::default()
        .vnf("vnf", &["in", "out", "mgmt"])
        .composite(
            "main",
            &["up"],
            &[("one", "vnf"), ("two", "vnf")],
            &[
                ("outer", &["up", "one:in"]),
                ("inner", &["one:out", "two:in"]),
                ("mgmt", &["one:mgmt", "two:mgmt"]),
                ("last", &["two:out"]),
            ],
        )
        .net_property("outer", "provider", text("uplink"))
        .net_property("outer", "vlan", text("100"))
        .net_property("inner", "ipprefix", text("192.168.7.9/24"))
        .net_property("inner", "bandwidth", amount(10, "mbps"))
        .net_property("inner", "latency", amount(5, "ms"))
        .net_property("mgmt", "mtu", text("1400"))
        .node_property("one", "location", text("pop-a"))
        .node_property("two", "zone", text("z1"))
        .service();
    let packages = compiled(&service, &options());
    let nsd = &packages.root().nsd;
    let outer = nsd.virtual_link("outer").unwrap();
    let l2 = outer.l2.as_ref().unwrap();
    assert_eq!((l2.provider_network(), l2.segmentation_id), (Some("uplink"), Some(100)));
    assert!(
        outer.l3.is_empty(),
        "addresses of a network outside are not ours to give"
    );
    let inner = nsd.virtual_link("inner").unwrap();
    assert_eq!(inner.l3[0].cidr.to_string(), "192.168.7.0/24");
    assert_eq!(inner.max_bitrate.root_bits_per_second, Some(10_000_000));
    assert_eq!(inner.qos.as_ref().unwrap().latency_us, Some(5_000));
    assert_eq!(inner.connectivity_type.flow_pattern.as_deref(), Some("line"));
    assert_eq!(
        nsd.virtual_link("mgmt").unwrap().l2.as_ref().unwrap().mtu_bytes,
        Some(1400)
    );
    let places: Vec<_> = nsd
        .location_constraints
        .iter()
        .map(|place| (place.profile.as_str(), place.nfvi_pop.as_deref(), place.zone.as_deref()))
        .collect();
    assert_eq!(places, [("one", Some("pop-a"), None), ("two", None, Some("z1"))]);
}

#[test]
fn a_property_that_cannot_be_is_refused_with_what_would_be_good() {
    for (key, value, wanted) in [
        ("bandwidth", text("fast"), "write a rate"),
        ("ipprefix", text("10.0.0.0/33"), "write a network"),
        ("mtu", text("-1"), "write a whole number"),
        ("loss", text("2"), "write a share"),
        ("vlan", text("4095"), "write a whole number"),
        ("gateway", text("here"), "write an address"),
    ] {
        let service = Models::default()
            .vnf("vnf", &["a"])
            .composite(
                "main",
                &[],
                &[("one", "vnf"), ("two", "vnf")],
                &[("net", &["one:a", "two:a"])],
            )
            .net_property("net", key, value);
        let refused = nsd(&service.service(), &options()).unwrap_err().to_string();
        assert!(
            refused.contains(key) && refused.contains("`net`") && refused.contains(wanted),
            "{refused}"
        );
    }
}

/// Addresses follow from names: what is added does not move what is there, and an inner wish reaches the outer net.
#[test]
fn addresses_stay_where_they_are_and_go_outwards() {
    let base = |with_more: bool| {
        let mut nodes = vec![("one", "vnf"), ("two", "vnf")];
        let mut connections: Vec<(&str, &[&str])> = vec![("net", &["one:a", "two:a"])];
        if with_more {
            nodes.insert(0, ("zero", "vnf"));
            connections.insert(0, ("more", &["zero:a", "one:b"]));
        }
        Models::default()
            .vnf("vnf", &["a", "b"])
            .composite("main", &[], &nodes, &connections)
            .service()
    };
    let (less, more) = (compiled(&base(false), &options()), compiled(&base(true), &options()));
    assert_eq!(cidr(&less.root().nsd, "net"), cidr(&more.root().nsd, "net"));
    assert_ne!(less.root().nsd.descriptor_id, more.root().nsd.descriptor_id);
    assert_eq!(less.root().nsd.invariant_id, more.root().nsd.invariant_id);

    let inner = Models::default()
        .vnf("vnf", &["a", "b"])
        .composite(
            "inner",
            &["p", "q"],
            &[("x", "vnf")],
            &[("pn", &["p", "x:a"]), ("qn", &["q", "x:b"])],
        )
        .net_property("pn", "ipprefix", text("192.0.2.0/24"))
        .net_property("qn", "provider", text("uplink"));
    let service = inner.composite(
        "main",
        &[],
        &[("i", "inner"), ("y", "vnf")],
        &[("one", &["i:p", "y:a"]), ("two", &["i:q", "y:b"])],
    );
    let packages = compiled(&service.service(), &options());
    assert_eq!(cidr(&packages.root().nsd, "one").to_string(), "192.0.2.0/24");
    let two = packages.root().nsd.virtual_link("two").unwrap();
    assert_eq!(two.l2.as_ref().unwrap().provider_network(), Some("uplink"));
}

/// One wish inside, two nets outside that meet in a node: only one of them can have the addresses.
#[test]
fn a_wish_from_inside_is_not_given_to_two_nets() {
    let service = Models::default()
        .vnf("vnf", &["a", "b"])
        .composite("inner", &["p"], &[("x", "vnf")], &[("pn", &["p", "x:a"])])
        .net_property("pn", "ipprefix", text("192.0.2.0/24"))
        .composite(
            "main",
            &[],
            &[("i", "inner"), ("j", "inner"), ("y", "vnf")],
            &[("one", &["i:p", "y:a"]), ("two", &["j:p", "y:b"])],
        )
        .service();
    let packages = compiled(&service, &options());
    let nsd = &packages.root().nsd;
    assert_eq!(cidr(nsd, "one").to_string(), "192.0.2.0/24");
    assert_ne!(cidr(nsd, "two"), cidr(nsd, "one"));
}

/// Two connection points of one net inside: what is connected to them is one link outside.
#[test]
fn nets_that_a_node_joins_are_one_link() {
    let service = Models::default()
        .vnf("vnf", &["a"])
        .composite(
            "bus",
            &["p", "q"],
            &[("x", "vnf")],
            &[("n", &["p", "x:a"]), ("m", &["p", "q"])],
        )
        .composite(
            "main",
            &["out"],
            &[("b", "bus"), ("y", "vnf"), ("z", "vnf")],
            &[
                ("one", &["b:p", "y:a"]),
                ("two", &["b:q", "z:a"]),
                ("three", &["out", "b:q"]),
            ],
        )
        .service();
    let packages = compiled(&service, &options());
    let nsd = &packages.root().nsd;
    let links: Vec<&str> = nsd.virtual_links.iter().map(|link| link.id.as_str()).collect();
    assert_eq!(links, ["one"]);
    assert_eq!(nsd.virtual_links[0].description, "Connections one, two, three");
    assert_eq!(nsd.saps[0].virtual_link.as_deref(), Some("one"));
}

#[test]
fn names_that_meet_are_told_apart_and_points_keep_theirs_outside() {
    let service = Models::default()
        .vnf("vnf", &["a", "b"])
        .composite(
            "main",
            &["x", "net"],
            &[("x", "vnf"), ("y", "vnf")],
            &[("x", &["x", "x:a"]), ("net", &["net", "y:a"]), ("NS", &["x:b", "y:b"])],
        )
        .service();
    let packages = compiled(&service, &options());
    let nsd = &packages.root().nsd;
    let outside: Vec<_> = nsd.saps.iter().map(|sap| sap.requirement.as_deref().unwrap()).collect();
    assert_eq!(outside, ["x", "net"]);
}

#[test]
fn a_leaf_in_its_own_package_is_named_and_not_written() {
    let mut own = vnfd("fw", &["a"]);
    own.descriptor_id = "6d1b0c52-8f4e-4a2b-9a61-3c1f6f2a0001".to_owned();
    let service = Models::default()
        .leaf("fw", LeafFormat::Sol001, own)
        .vnf("other", &["a"])
        .composite(
            "main",
            &[],
            &[("one", "fw"), ("two", "other")],
            &[("net", &["one:a", "two:a"])],
        )
        .service();
    let packages = compiled(&service, &options());
    let files: Vec<_> = packages
        .functions
        .iter()
        .map(|f| (f.folder.as_str(), f.files.is_some()))
        .collect();
    assert_eq!(files, [("fw", false), ("other", true)]);
    let ids: Vec<&str> = packages
        .root()
        .nsd
        .vnf_profiles
        .iter()
        .map(|p| p.vnfd_id.as_str())
        .collect();
    assert_eq!(ids[0], "6d1b0c52-8f4e-4a2b-9a61-3c1f6f2a0001");
    assert_eq!((ids[1].len(), &ids[1][14..15]), (36, "8"));
}

#[test]
fn images_of_other_languages_are_mapped_or_told_of() {
    let mut foreign = vnfd("linux", &["eth0"]);
    let image = foreign.flavours[0].vdus[0].sw_image.as_mut().unwrap();
    image.source = manifold_descriptors::vnfd::SwImageSource::Disk {
        path: "/images/linux.qcow2".to_owned(),
    };
    image.disk_format = "qcow2".to_owned();
    let service = Models::default()
        .leaf("linux", LeafFormat::OpenMano, foreign)
        .composite("main", &["p"], &[("one", "linux")], &[("net", &["p", "one:eth0"])])
        .service();
    let told = nsd(&service, &options()).unwrap().notes;
    assert!(told.len() == 1 && told[0].contains("/images/linux.qcow2"), "{told:?}");
    let mapped = Options {
        images: BTreeMap::from([("linux.qcow2".to_owned(), "manifold:image/guest".to_owned())]),
        ..options()
    };
    assert_eq!(compiled(&service, &mapped).notes, Vec::<String>::new());
}

fn rule(name: &str, effect: Effect) -> Rule {
    Rule {
        name: name.to_owned(),
        flow: Some("web".to_owned()),
        target: None,
        classifier: Classifier {
            source: Some("10.0.0.0/8".to_owned()),
            protocol: Some("tcp".to_owned()),
            destination_ports: Some((80, 443)),
            ether_type: Some(0x0800),
            ..Classifier::default()
        },
        priority: 7,
        condition: None,
        effects: vec![effect],
        span: Span::default(),
    }
}

fn chain() -> Models {
    Models::default().vnf("vnf", &["a", "b"]).composite(
        "main",
        &["in"],
        &[("src", "vnf"), ("fw", "vnf"), ("dst", "vnf")],
        &[
            ("first", &["in", "src:a"]),
            ("middle", &["src:b", "fw:a"]),
            ("last", &["fw:b", "dst:a"]),
        ],
    )
}

#[test]
fn flows_and_operations_become_paths_and_policies() {
    let office = Condition::Term {
        name: Name {
            text: "time".to_owned(),
            span: Span::default(),
        },
        comparison: Comparison::Less,
        value: text("18:00:00"),
        span: Span::default(),
    };
    let service = chain()
        .rule(rule(
            "chain",
            Effect::GoThrough(vec![(1, Some("a".into()), Some("b".into())), (2, None, None)]),
        ))
        .rule(Rule {
            condition: Some(office),
            ..rule("night", Effect::Block)
        })
        .rule(Rule {
            flow: None,
            target: Some(RuleTarget::Net(2)),
            classifier: Classifier::default(),
            ..rule("slow", Effect::Bandwidth(5_000_000))
        })
        .rule(Rule {
            target: Some(RuleTarget::Node(1)),
            ..rule("first", Effect::Precedence(7))
        })
        .rule(rule("pass", Effect::Allow))
        .service();
    let packages = compiled(&service, &options());
    assert_eq!(packages.notes, Vec::<String>::new());
    let graph = &packages.root().nsd.vnffgs[0];
    assert_eq!(graph.profiles, ["fw", "dst"]);
    assert_eq!(graph.virtual_links, ["middle", "last"]);
    let path = &graph.paths[0];
    let passed: Vec<_> = path
        .elements
        .iter()
        .map(|element| {
            (
                element.profile.as_str(),
                element.ingress.as_deref(),
                element.egress.as_deref(),
            )
        })
        .collect();
    assert_eq!(passed, [("fw", Some("a"), Some("b")), ("dst", Some("a"), None)]);
    assert_eq!((path.rules[0].id.as_str(), path.rules[0].priority), ("chain", 7));
    let actions: Vec<_> = packages
        .root()
        .nsd
        .traffic_rules
        .iter()
        .map(|rule| (rule.id.as_str(), rule.action, rule.targets.len(), rule.schedule.len()))
        .collect();
    let limit = TrafficAction::Limit {
        bits_per_second: 5_000_000,
    };
    assert_eq!(
        actions,
        [
            ("night", TrafficAction::Block, 3, 1),
            ("slow", limit, 1, 0),
            ("first", TrafficAction::Precedence(7), 1, 0),
            ("pass", TrafficAction::Allow, 3, 0)
        ]
    );
    golden("rules-nsd.yaml", packages.root().files.values().next().unwrap());
}

#[test]
fn an_operation_on_measured_state_is_refused_by_name() {
    let load = Condition::Term {
        name: Name {
            text: "cpu-load".to_owned(),
            span: Span::default(),
        },
        comparison: Comparison::Greater,
        value: text("80"),
        span: Span::default(),
    };
    let service = chain().rule(Rule {
        condition: Some(load),
        ..rule("busy", Effect::Block)
    });
    let refused = nsd(&service.service(), &options()).unwrap_err();
    assert!(
        matches!(&refused, CompileError::MeasuredState { rule, state } if rule == "busy" && state == "cpu-load"),
        "{refused}"
    );
}

/// What a descriptor cannot say as it is said is told.
#[test]
fn a_rule_that_never_holds_and_a_limit_too_low_are_told_of() {
    let term = |comparison| Condition::Term {
        name: Name {
            text: "time".to_owned(),
            span: Span::default(),
        },
        comparison,
        value: text("18:00:00"),
        span: Span::default(),
    };
    let never = Condition::All(vec![term(Comparison::Less), term(Comparison::Greater)]);
    let service = chain()
        .rule(Rule {
            condition: Some(never),
            ..rule("never", Effect::Block)
        })
        .rule(Rule {
            priority: u64::MAX,
            ..rule("slow", Effect::Bandwidth(1))
        })
        .service();
    let packages = compiled(&service, &options());
    let [one] = packages.root().nsd.traffic_rules.as_slice() else {
        panic!("{:?}", packages.root().nsd.traffic_rules)
    };
    let least = TrafficAction::Limit { bits_per_second: 8_000 };
    assert_eq!((one.id.as_str(), one.action, one.priority), ("slow", least, u32::MAX));
    let [never, slow] = packages.notes.as_slice() else {
        panic!("{:?}", packages.notes)
    };
    assert!(never.contains("`never`") && slow.contains("`slow`"), "{never} {slow}");
}

/// The order in which models come makes no difference to what is compiled.
#[test]
fn the_order_of_definitions_does_not_matter() {
    let build = |turned: bool| {
        let mut models = Models::default();
        models = if turned {
            models.vnf("two", &["a"]).vnf("one", &["a", "b"])
        } else {
            models.vnf("one", &["a", "b"]).vnf("two", &["a"])
        };
        let left = |models: Models| {
            models.composite(
                "left",
                &["p"],
                &[("x", "one"), ("y", "two")],
                &[("n", &["p", "x:a"]), ("m", &["x:b", "y:a"])],
            )
        };
        let right = |models: Models| models.composite("right", &["p"], &[("x", "two")], &[("n", &["p", "x:a"])]);
        models = if turned {
            left(right(models))
        } else {
            right(left(models))
        };
        models
            .composite("main", &[], &[("l", "left"), ("r", "right")], &[("n", &["l:p", "r:p"])])
            .service()
    };
    let (one, other) = (compiled(&build(false), &options()), compiled(&build(true), &options()));
    assert_eq!(one.files(), other.files());
    assert_eq!(one.root(), other.root());
}

#[test]
fn a_vnf_of_two_machines_is_written_whole() {
    let service = Models::default()
        .leaf("pair", LeafFormat::Sol006, pair("pair"))
        .composite(
            "main",
            &["p", "q"],
            &[("one", "pair")],
            &[("n", &["p", "one:front"]), ("m", &["q", "one:back"])],
        )
        .service();
    let packages = compiled(&service, &options());
    golden(
        "pair-vnfd.yaml",
        packages.functions[0].files.as_ref().unwrap().values().next().unwrap(),
    );
}

/// What could only come of a fault in the program is refused all the same.
#[test]
fn a_service_that_leads_nowhere_is_refused() {
    let mut recursive = chain().service();
    recursive.composites[0].nodes[0].of = manifold_nemo::service::ModelUse::Composite(0);
    assert!(matches!(nsd(&recursive, &options()), Err(CompileError::Expand(_))));
}
