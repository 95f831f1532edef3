//! Connections, nets, and what may not be joined.

use crate::world::{FW, codes, of, only, service, under};
use manifold_nemo::service::{Net, Service};

fn root_nets(service: &Service) -> &[Net] {
    &service.composites[service.root].nets
}

fn shown(service: &Service, net: &Net) -> String {
    let root = &service.composites[service.root];
    let ends: Vec<String> = net
        .ends
        .iter()
        .map(|end| format!("{}:{}", root.nodes[end.node].name, end.point))
        .collect();
    let points: Vec<&str> = net
        .points
        .iter()
        .map(|point| root.points[*point].name.as_str())
        .collect();
    format!("{} {} [{}] [{}]", net.name, net.shape, ends.join(" "), points.join(" "))
}

/// What joins something, by connection; the open ends of the root left out.
fn joined(text: &str) -> Vec<String> {
    let service = service(text);
    root_nets(&service)
        .iter()
        .filter(|net| !net.connections.is_empty())
        .map(|net| shown(&service, net))
        .collect()
}

const XYZ: &str = "CREATE Node x Type fw;\nCREATE Node y Type fw;\nCREATE Node z Type fw;\n";

#[test]
fn more_than_two_ends_are_joined_all_or_refused_and_never_dropped() {
    let p2p = format!("{FW}{XYZ}CREATE Connection c Type p2p Endnodes x:a, y:a, z:a;\n");
    let found = only(&p2p, "E-ENDS");
    assert_eq!(under(&p2p, &found), "z:a");
    assert!(!found.fix.unwrap().is_machine_applicable);
    let mesh = p2p.replace("p2p", "mesh");
    assert_eq!(joined(&mesh), ["c mesh [x:a y:a z:a] []"]);
    assert_eq!(joined(&p2p.replace("p2p", "p2mp")), ["c p2mp [x:a y:a z:a] []"]);
    only(&p2p.replace("Type p2p ", ""), "E-SHAPE-MISSING");
}

#[test]
fn two_ends_without_type_are_p2p() {
    assert_eq!(
        joined(&format!("{FW}{XYZ}CREATE Connection c Endnodes x:a, y:a;\n")),
        ["c p2p [x:a y:a] []"]
    );
}

#[test]
fn a_chain_is_a_net_for_each_pair_of_neighbours() {
    let two = "CREATE NodeModel fw VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:in;\n  ConnectionPoint b at VNFD:out;\n\n";
    let chain = |ends: &str| joined(&format!("{two}{XYZ}CREATE Connection c Type chain Endnodes {ends};\n"));
    // Gone into by the first connection point, out of by the second.
    assert_eq!(chain("x:b, y, z:a"), ["c-1 p2p [x:b y:a] []", "c-2 p2p [y:b z:a] []"]);
    // The same, said.
    assert_eq!(chain("x:b, y:a, y:b, z:a"), chain("x:b, y, z:a"));
    // The other way round.
    assert_eq!(
        chain("x:b, y:b, y:a, z:a"),
        ["c-1 p2p [x:b y:b] []", "c-2 p2p [y:a z:a] []"]
    );
    // One connection point on two nets makes them one.
    assert_eq!(chain("x:b, y:a, z:a"), ["c-1 mesh [x:b y:a z:a] []"]);
    assert_eq!(chain("x:b, y:a"), ["c p2p [x:b y:a] []"]);
}

#[test]
fn a_node_in_a_chain_that_could_be_passed_in_several_ways_has_to_say_which() {
    let text = format!("{FW}{XYZ}CREATE Connection c Type chain Endnodes x:b, y, z:a;\n");
    let found = only(&text, "E-ENDPOINT");
    assert!(found.help.unwrap().contains("`y:a`, `y:b` and `y:m`"));
}

#[test]
fn what_shares_a_point_is_one_net_however_it_is_written() {
    let text = format!("{FW}{XYZ}CREATE Connection c Endnodes x:a, y:a;\nCREATE Connection d Endnodes z:a, y:a;\n");
    assert_eq!(joined(&text), ["c mesh [x:a y:a z:a] []"]);
    let root = service(&text);
    assert_eq!(root_nets(&root)[0].connections, ["c", "d"]);
}

#[test]
fn a_bare_node_means_its_only_connection_point() {
    let one = "CREATE NodeModel one VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:in;\n\n";
    let text = format!("{one}CREATE Node x Type one;\nCREATE Node y Type one;\nCREATE Connection c Endnodes x, y;\n");
    assert_eq!(joined(&text), ["c p2p [x:a y:a] []"]);
    let several = format!("{FW}CREATE Node x Type fw;\nCREATE Node y Type fw;\nCREATE Connection c Endnodes x, y:a;\n");
    let found = only(&several, "E-ENDPOINT");
    assert_eq!(under(&several, &found), "x");
    assert!(found.help.unwrap().contains("`x:a`, `x:b` and `x:m`"));
}

#[test]
fn an_own_connection_point_goes_before_a_node_of_the_same_name() {
    let text = format!("{FW}CREATE Node x Type fw;\nCREATE ConnectionPoint x;\nCREATE Connection c Endnodes x, x:a;\n");
    assert_eq!(joined(&text), ["c p2p [x:a] [x]"]);
}

#[test]
fn a_connection_and_a_connection_point_may_have_one_name() {
    let text = format!(
        "{FW}CREATE Node x Type fw;\nCREATE ConnectionPoint mgmt2;\nCREATE Connection mgmt2 Endnodes mgmt2, x:m;\n"
    );
    assert_eq!(joined(&text), ["mgmt2 p2p [x:m] [mgmt2]"]);
}

#[test]
fn what_is_inside_of_a_node_cannot_be_reached() {
    let text =
        format!("{FW}CREATE Node x Type fw;\nCREATE ConnectionPoint p;\nCREATE Connection c Endnodes x:a:b, p;\n");
    let found = only(&text, "E-ENDPOINT");
    assert_eq!(under(&text, &found), "x:a:b");
}

#[test]
fn the_names_that_users_got_wrong_are_told_with_what_they_meant() {
    let text = format!(
        "{FW}CREATE Node ids_1 Type fw;\nCREATE Node sh3 Type fw;\nCREATE Connection c Endnodes ids1:a, sh3:c;\n"
    );
    let node = of(&text, "E-NODE-UNKNOWN");
    assert_eq!(node[0].fix.as_ref().unwrap().edits[0].text, "ids_1");
    let point = of(&text, "E-POINT-UNKNOWN");
    assert_eq!(under(&text, &point[0]), "c");
    assert!(point[0].help.as_deref().unwrap().contains("`a`, `b` and `m`"));
    // A model's name where its node is meant.
    let model =
        format!("{FW}CREATE Node x Type fw;\nCREATE Node y Type fw;\nCREATE Connection c Endnodes fw:a, y:a;\n");
    let found = only(&model, "E-NODE-UNKNOWN");
    assert!(found.help.unwrap().contains("`fw` is a model"));
}

#[test]
fn management_and_data_are_not_joined_even_when_models_lie_between() {
    let straight =
        format!("{FW}CREATE Node x Type fw;\nCREATE Node y Type fw;\nCREATE Connection c Endnodes x:a, y:m;\n");
    let found = only(&straight, "E-ROLES");
    assert!(
        found.message.contains("mgmt `y:mgmt`") && found.message.contains("data `x:in`"),
        "{}",
        found.message
    );
    assert_eq!(under(&straight, &found), "y:m");
    assert_eq!(
        found.labels.len(),
        3,
        "the other end, and a line of the descriptor for each"
    );

    let deep = format!(
        "{FW}CREATE NodeModel inner;
  Node f Type fw;
  ConnectionPoint p;
  Connection c Endnodes p, f:m;

CREATE NodeModel middle;
  Node i Type inner;
  ConnectionPoint p;
  Connection c Endnodes p, i;

CREATE Node x Type fw;
CREATE Node deep Type middle;
CREATE Connection c Endnodes x:a, deep;
"
    );
    let found = only(&deep, "E-ROLES");
    assert!(found.message.contains("`deep:i:f:mgmt`"), "{}", found.message);
    // A bridge goes with both, and nothing said goes with everything.
    assert!(codes(&deep.replace("p, f:m", "p, f:b")).is_empty());
}

#[test]
fn connections_that_meet_only_at_a_point_are_checked_as_the_one_net_that_they_are() {
    let text = format!(
        "{FW}CREATE Node x Type fw;
CREATE Node y Type fw;
CREATE ConnectionPoint p;
CREATE Connection c Endnodes x:a, p;
CREATE Connection d Endnodes y:m, p;
"
    );
    only(&text, "E-ROLES");
}

#[test]
fn joining_points_without_a_node_is_a_way_through() {
    let text = format!(
        "{FW}CREATE NodeModel wire;
  Node f Type fw;
  ConnectionPoint p;
  ConnectionPoint q;
  ConnectionPoint r;
  Connection c Endnodes p, q;
  Connection d Endnodes r, f:a;

CREATE Node w Type wire;
"
    );
    let service = service(&text);
    let wire = service
        .composites
        .iter()
        .find(|composite| composite.name == "wire")
        .unwrap();
    assert_eq!(wire.nets[0].points, [0, 1]);
    assert!(wire.nets[0].ends.is_empty());
}
