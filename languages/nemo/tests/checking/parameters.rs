//! Parameters and their arguments.

use crate::world::{codes, of, only, service, told, under};
use manifold_nemo::service::{Effect, ModelUse};
use manifold_nemo_syntax::diagnostic::LabelPlace;
use manifold_nemo_syntax::script::ValueKind;

const LEAF: &str =
    "CREATE NodeModel m Property string: ifn VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:ifn;\n\n";

#[test]
fn an_interface_may_be_a_parameter() {
    let text = format!(
        "{LEAF}CREATE Node x Type m Property ifn: in;\nCREATE Node y Type m Property ifn: out;\nCREATE Connection c Endnodes x, y;\n"
    );
    let service = service(&text);
    let names: Vec<_> = service
        .leaves
        .iter()
        .map(|leaf| (leaf.name.as_str(), leaf.leaf.interfaces[leaf.points["a"]].name.as_str()))
        .collect();
    assert_eq!(names, [("m", "in"), ("m-2", "out")]);
}

#[test]
fn the_same_arguments_make_the_same_thing() {
    let text = format!("{LEAF}CREATE Node x Type m Property ifn: in;\nCREATE Node y Type m Property ifn: in;\n");
    assert_eq!(service(&text).leaves.len(), 1);
}

#[test]
fn a_wrong_argument_is_told_where_it_is_written_however_far_from_its_use() {
    let text = format!(
        "{LEAF}CREATE NodeModel inner Property string: port;
  Node n Type m Property ifn: port;
  ConnectionPoint p;
  Connection c Endnodes p, n;

CREATE NodeModel outer Property string: which;
  Node n Type inner Property port: which;
  ConnectionPoint p;
  Connection c Endnodes p, n;

CREATE Node x Type outer Property which: ge9;
"
    );
    let found = only(&text, "E-IFACE");
    assert_eq!(under(&text, &found), "ge9");
    assert!(
        found
            .labels
            .iter()
            .any(|label| matches!(label.place, LabelPlace::Descriptor { .. }))
    );
    let right = text.replace("ge9", "out");
    let service = service(&right);
    assert_eq!(
        service.leaves[0].leaf.interfaces[service.leaves[0].points["a"]].name,
        "out"
    );
    assert_eq!(
        service
            .composites
            .iter()
            .map(|composite| composite.name.as_str())
            .collect::<Vec<_>>(),
        ["inner", "outer", "service"]
    );
}

#[test]
fn roles_follow_the_argument() {
    let text = format!(
        "{LEAF}CREATE Node x Type m Property ifn: in;\nCREATE Node y Type m Property ifn: mgmt;\nCREATE Connection c Endnodes x, y;\n"
    );
    only(&text, "E-ROLES");
    assert!(codes(&text.replace("ifn: mgmt", "ifn: out")).is_empty());
}

#[test]
fn missing_unknown_and_wrongly_typed_arguments_are_told() {
    let model = "CREATE NodeModel m Property string: name, integer: size, range: span VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:in;\n\n";
    let node = |properties: &str| format!("{model}CREATE Node x Type m{properties};\n");
    let missing = node("");
    assert!(
        only(&missing, "E-ARGUMENT-MISSING")
            .message
            .contains("`name`, `size` and `span`")
    );
    let found = only(&node(" Property name: a, siez: 5, span: (1, 2)"), "E-ARGUMENT-UNKNOWN");
    assert_eq!(found.fix.unwrap().edits[0].text, "size");
    for (properties, wrong) in [
        (" Property name: [a, b], size: 5, span: (1, 2)", "[a, b]"),
        (" Property name: a, size: five, span: (1, 2)", "five"),
        (" Property name: a, size: 5, span: 7", "7"),
        (" Property name: a, size: 5, span: (2, 1)", "(2, 1)"),
    ] {
        let text = node(properties);
        assert_eq!(under(&text, &only(&text, "E-ARGUMENT-TYPE")), wrong);
    }
    // A number is a text, too.
    assert!(
        told(&node(" Property name: 4, size: 5, span: (1, 1)"))
            .iter()
            .all(|found| !found.code.0.starts_with('E'))
    );
}

#[test]
fn parameters_are_substituted_in_rules_properties_and_units() {
    let text = "CREATE NodeModel fw VNFD catalog:firewall;
  ConnectionPoint a at VNFD:in;

CREATE NodeModel m Property string: from, integer: rate, string: place, range: ports;
  Node n Type fw Property location: place;
  ConnectionPoint p;
  Connection c Endnodes p, n Property bandwidth: rate(kbps);
  Flow f Match srcip: from, dstport: ports, proto: tcp;
  Operation o Target f Action bandwidth: rate(gbps);

CREATE Node x Type m Property from: 10.0.0.0/8, rate: 5, place: north, ports: (80, 81);
";
    let service = service(text);
    let m = &service.composites[0];
    assert!(matches!(&m.nodes[0].properties["location"].kind, ValueKind::Text(text) if text == "north"));
    assert_eq!(m.nets[0].properties["bandwidth"].unit.as_ref().unwrap().text, "kbps");
    assert_eq!(m.rules[0].classifier.source.as_deref(), Some("10.0.0.0/8"));
    assert_eq!(m.rules[0].classifier.destination_ports, Some((80, 81)));
    assert_eq!(m.rules[0].effects, [Effect::Bandwidth(5_000_000_000)]);
    assert!(matches!(service.composites[1].nodes[0].of, ModelUse::Composite(0)));
    let wrong = text.replace("from: 10.0.0.0/8", "from: nowhere");
    let found = only(&wrong, "E-MATCH-VALUE");
    assert_eq!(under(&wrong, &found), "nowhere");
    let elsewhere = found
        .labels
        .iter()
        .any(|label| label.message.contains("matched by a flow"));
    assert!(elsewhere, "{found:#?}");
}

#[test]
fn a_parameter_of_another_type_cannot_be_handed_on() {
    let text = "CREATE NodeModel m Property integer: size VNFD catalog:firewall;
  ConnectionPoint a at VNFD:in;

CREATE NodeModel outer Property string: word;
  Node n Type m Property size: word;
  ConnectionPoint p;
  Connection c Endnodes p, n;
";
    assert_eq!(under(text, &only(text, "E-ARGUMENT-TYPE")), "word");
}

#[test]
fn unused_parameters_and_unknown_properties_are_told_gently() {
    let text = "CREATE NodeModel m Property string: never VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:in;\n\nCREATE Node x Type m Property never: a, colour: red;\n";
    assert_eq!(codes(text), ["L-PARAMETER-UNUSED", "W-PROPERTY"]);
    let close = text.replace("colour", "locaton");
    assert_eq!(
        of(&close, "W-PROPERTY")[0].fix.as_ref().unwrap().edits[0].text,
        "location"
    );
}
