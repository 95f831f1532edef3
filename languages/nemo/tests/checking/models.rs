//! Models, leaves, recursion, limits, the root.

use crate::world::{FW, checked, checked_with, codes, of, only, service, told, under};
use manifold_nemo::check::Options;
use manifold_nemo::service::ModelUse;
use manifold_nemo_syntax::diagnostic::{LabelPlace, Severity};

#[test]
fn a_model_that_is_used_twice_is_there_twice() {
    // An earlier implementation mapped both machines' interfaces to one net and left the other unused.
    let text = format!(
        "{FW}CREATE NodeModel video;
  Node tx Type fw;
  Node rx Type fw;
  ConnectionPoint mgmt_tx;
  ConnectionPoint mgmt_rx;
  Connection mgmt_trans Endnodes mgmt_tx, tx:m;
  Connection mgmt_recv Endnodes mgmt_rx, rx:m;
  Connection data Endnodes tx:a, rx:a;
"
    );
    let service = service(&text);
    let video = &service.composites[service.root];
    assert_eq!(service.leaves.len(), 1, "the leaf stands once, and is used twice");
    let ends: Vec<_> = video
        .nets
        .iter()
        .map(|net| {
            (
                net.name.as_str(),
                net.ends.iter().map(|end| end.node).collect::<Vec<_>>(),
            )
        })
        .collect();
    assert_eq!(
        ends,
        [("mgmt_trans", vec![0]), ("mgmt_recv", vec![1]), ("data", vec![0, 1])]
    );
    assert_eq!(video.nets[0].points, [0]);
    assert_eq!(video.nets[1].points, [1]);
    assert_eq!(
        video.points.iter().map(|point| point.name.as_str()).collect::<Vec<_>>(),
        ["mgmt_tx", "mgmt_rx"]
    );
}

#[test]
fn recursion_is_printed_as_the_way_from_the_model_to_itself() {
    let text = "CREATE NodeModel a;\n  Node x Type b;\n\nCREATE NodeModel b;\n  Node y Type c;\n\nCREATE NodeModel c;\n  Node z Type a;\n";
    let found = only(text, "E-RECURSION");
    assert!(found.message.contains("a → b → c → a"), "{}", found.message);
    assert_eq!(under(text, &found), "a");
    assert_eq!(found.labels.len(), 2);
    let own = "CREATE NodeModel a;\n  Node x Type a;\n";
    assert!(only(own, "E-RECURSION").message.contains("has itself inside"));
    assert!(checked(own).service().is_err());
}

#[test]
fn two_circles_are_two_faults_and_what_hangs_on_them_is_none() {
    let text = "CREATE NodeModel a;\n  Node x Type a;\n\nCREATE NodeModel b;\n  Node x Type c;\n\nCREATE NodeModel c;\n  Node x Type b;\n\nCREATE NodeModel d;\n  Node x Type a;\n";
    assert_eq!(of(text, "E-RECURSION").len(), 2);
}

#[test]
fn models_of_other_files_are_seen_whatever_the_order() {
    let top = "CREATE Node x Type outer;\n";
    let outer = "CREATE NodeModel outer;\n  Node f Type fw;\n  ConnectionPoint p;\n  Connection c Endnodes p, f:a;\n";
    let orders: [[&str; 3]; 3] = [[top, outer, FW], [FW, outer, top], [outer, top, FW]];
    let mut services = orders.iter().map(|texts| {
        let mut service = checked_with(texts, &Options::default()).service().unwrap();
        // Which file is which number is the caller's business.
        forget_files(&mut service);
        service
    });
    let first = services.next().unwrap();
    assert!(services.all(|service| service == first));
}

fn forget_files(service: &mut manifold_nemo::service::Service) {
    let zero = Default::default();
    for composite in &mut service.composites {
        composite.span.file = zero;
        composite.nodes.iter_mut().for_each(|node| node.span.file = zero);
        composite.nets.iter_mut().for_each(|net| net.span.file = zero);
        composite.points.iter_mut().for_each(|point| point.span.file = zero);
    }
    service.leaves.iter_mut().for_each(|leaf| leaf.span.file = zero);
}

#[test]
fn one_name_for_two_models_in_two_files_is_told_with_both_places() {
    let found = checked_with(&[FW, FW], &Options::default()).diagnostics;
    assert_eq!(
        found.iter().map(|found| found.code.0).collect::<Vec<_>>(),
        ["E-DUPLICATE"]
    );
    let LabelPlace::Script(first) = &found[0].labels[0].place else {
        panic!()
    };
    assert_ne!(first.file, found[0].span.file);
}

#[test]
fn an_unknown_model_is_told_with_the_one_that_is_near() {
    let text = format!("{FW}CREATE Node x Type fv;\n");
    let found = only(&text, "E-MODEL-UNKNOWN");
    assert_eq!(found.fix.unwrap().edits[0].text, "fw");
}

#[test]
fn interfaces_are_found_by_outer_name_then_inner_name_then_machine() {
    let at = |uri: &str, name: &str| format!("CREATE NodeModel m VNFD {uri};\n  ConnectionPoint p at VNFD:{name};\n");
    let interface = |text: &str| {
        let service = service(text);
        let leaf = &service.leaves[0];
        leaf.leaf.interfaces[leaf.points["p"]].name.clone()
    };
    assert_eq!(interface(&at("catalog:firewall", "in")), "in");
    let local = at("catalog:firewall", "eth1");
    assert_eq!(
        (interface(&local).as_str(), codes(&local)),
        ("in", vec!["L-IFACE-LOCAL"])
    );
    assert_eq!(interface(&at("catalog:pair", "eth0.PAIR-vm2")), "right");
    assert_eq!(interface(&at("catalog:pair", "pair-vm1/eth0")), "left");
    let several = at("catalog:pair", "eth0");
    let found = only(&several, "E-IFACE-AMBIGUOUS");
    assert!(found.help.unwrap().contains("`pair-vm1/eth0` and `pair-vm2/eth0`"));
    assert_eq!(found.labels.len(), 2);
    only(&at("catalog:firewall", "eth9"), "E-IFACE");
}

#[test]
fn the_root_is_what_stands_at_the_top() {
    let text = format!(
        "{FW}CREATE Node x Type fw;\nCREATE Node y Type fw;\nCREATE ConnectionPoint x-b;\nCREATE Connection c Endnodes x:a, y:a;\nCREATE Connection d Endnodes x-b, y:b;\n"
    );
    let service = service(&text);
    let root = &service.composites[service.root];
    assert_eq!(root.name, "service");
    let points: Vec<_> = root.points.iter().map(|point| point.name.as_str()).collect();
    // What is not connected is called after node and point, a number behind it where that name is taken.
    assert_eq!(points, ["x-b", "x-b-2", "x-m", "y-m"]);
    for (at, point) in root.points.iter().enumerate() {
        assert!(root.nets[point.net.unwrap()].points.contains(&at), "{}", point.name);
    }
}

#[test]
fn without_nodes_at_the_top_the_one_unused_model_is_the_root() {
    let outer = |name: &str| {
        format!("CREATE NodeModel {name};\n  Node f Type fw;\n  ConnectionPoint p;\n  Connection c Endnodes p, f:a;\n")
    };
    let one = format!("{FW}{}", outer("outer"));
    let root = |text: &str, options: &Options| {
        checked_with(&[text], options)
            .service()
            .map(|service| service.composites[service.root].name.clone())
    };
    assert_eq!(root(&one, &Options::default()).unwrap(), "outer");
    let two = format!("{one}{}", outer("other"));
    let refused = root(&two, &Options::default()).unwrap_err();
    assert_eq!(refused[0].code.0, "E-ROOT");
    assert!(
        refused[0].message.contains("`outer` and `other`"),
        "{}",
        refused[0].message
    );
    assert!(codes(&two).is_empty(), "a library of models is no fault");
    let asked = |name: &str| Options {
        root: Some(name.to_owned()),
        ..Options::default()
    };
    assert_eq!(root(&two, &asked("other")).unwrap(), "other");
    let refused = root(&two, &asked("othr")).unwrap_err();
    assert!(refused[0].help.as_deref().unwrap().contains("`other`"));
    // A leaf alone is a service of one node.
    let alone = checked(FW).service().unwrap();
    let composite = &alone.composites[alone.root];
    assert_eq!(composite.nodes[0].name, "fw");
    assert!(matches!(composite.nodes[0].of, ModelUse::Leaf(0)));
    assert_eq!(
        composite
            .points
            .iter()
            .map(|point| point.name.as_str())
            .collect::<Vec<_>>(),
        ["fw-a", "fw-b", "fw-m"]
    );
}

#[test]
fn nothing_is_no_service() {
    assert_eq!(checked("").service().unwrap_err()[0].code.0, "E-ROOT");
}

#[test]
fn a_deep_nest_is_looked_at_and_a_deeper_one_is_refused_without_falling_over() {
    let nest = |depth: usize| {
        let mut text = FW.to_owned();
        let mut inner = "fw".to_owned();
        for level in 0..depth {
            let end = if level == 0 { "n:a" } else { "n:p" };
            text.push_str(&format!("CREATE NodeModel m{level};\n  Node n Type {inner};\n  ConnectionPoint p;\n  Connection c Endnodes p, {end};\n\n"));
            inner = format!("m{level}");
        }
        text
    };
    assert_eq!(service(&nest(63)).composites.len(), 63);
    assert!(codes(&nest(64)).contains(&"E-LIMIT"));
    assert!(codes(&nest(3_000)).contains(&"E-LIMIT"));
}

#[test]
fn a_service_that_doubles_with_each_level_is_refused_and_not_put_out() {
    let mut text = FW.to_owned();
    let mut inner = "fw".to_owned();
    for level in 0..40 {
        text.push_str(&format!(
            "CREATE NodeModel m{level};\n  Node x Type {inner};\n  Node y Type {inner};\n  ConnectionPoint p;\n  ConnectionPoint a;\n  Connection c Type mesh Endnodes p, a, x:a, y:a;\n\n"
        ));
        inner = format!("m{level}");
    }
    let refused = checked(&text).service().unwrap_err();
    assert_eq!(refused[0].code.0, "E-LIMIT");
}

#[test]
fn a_crowd_of_parameters_is_refused() {
    let parameters: Vec<String> = (0..300).map(|at| format!("string: p{at}")).collect();
    let text = format!(
        "CREATE NodeModel m Property {} VNFD catalog:firewall;\n",
        parameters.join(", ")
    );
    only(&text, "E-LIMIT");
}

#[test]
fn many_faults_are_counted_and_not_all_kept() {
    let mut text = String::new();
    for at in 0..3_000 {
        text.push_str(&format!("CREATE Node n{at} Type nothing{at};\n"));
    }
    let checked = checked(&text);
    assert_eq!(checked.diagnostics.len() + checked.left_out, 3_000);
    assert_eq!(checked.diagnostics.len(), manifold_nemo::check::DIAGNOSTICS_MAX);
    assert!(checked.has_errors());
}

#[test]
fn a_node_without_connections_inside_of_a_model_is_alone_and_at_the_top_it_is_open() {
    let text =
        format!("{FW}CREATE NodeModel m;\n  Node x Type fw;\n  Node y Type fw;\n  Connection c Endnodes x:a, x:b;\n");
    assert_eq!(codes(&text), ["W-NODE-ALONE"]);
    assert!(
        told(&format!("{FW}CREATE Node x Type fw;\n"))
            .iter()
            .all(|found| found.severity != Severity::Warning)
    );
}
