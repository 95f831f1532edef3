//! The first texts of the language, with what is wrong in them, and what each fault gets.

use crate::world::{Catalogue, GLUED, checked_with, codes, lenient, of, only, sample, service, under};
use manifold_nemo::check::Options;
use manifold_nemo::fix::{all_diagnostics, fix};
use manifold_nemo::service::{End, ModelUse};
use manifold_nemo_syntax::diagnostic::{Diagnostic, LabelPlace, Severity};

fn seed(file: &str) -> Option<String> {
    sample(&format!("nemo/{file}"))
}

fn errors(found: &[Diagnostic]) -> Vec<&'static str> {
    found
        .iter()
        .filter(|found| found.severity == Severity::Error)
        .map(|found| found.code.0)
        .collect()
}

/// S1: an address broken by a line's end.
#[test]
fn an_address_that_is_broken_by_a_line_is_an_error_or_joined_with_a_warning() {
    let Some(text) = seed("seed-01-import.nemo") else {
        return;
    };
    assert!(codes(&text).contains(&"E-URI-BREAK"));
    let found = all_diagnostics(&[text], &Catalogue::new(), &lenient());
    assert!(
        found
            .iter()
            .any(|found| found.code.0 == "W-URI-FOLD" && found.fix.is_some())
    );
    assert!(!errors(&found).contains(&"E-URI-BREAK"));
}

/// S2: an address that leads nowhere. What was probably meant is offered and never taken unasked.
#[test]
fn an_address_that_leads_nowhere_comes_with_what_was_probably_meant() {
    let text = format!("CREATE NodeModel sample_vnf VNFD {GLUED};\n  ConnectionPoint data_inside at VNFD:xe0;\n");
    let found = only(&text, "E-VNFD");
    assert_eq!(under(&text, &found), GLUED);
    assert!(found.help.as_deref().unwrap().contains("catalog:"));
    let fix = found.fix.unwrap();
    assert!(fix.edits[0].text.starts_with("https://raw."));
    assert!(!fix.is_machine_applicable);
}

/// S3: interfaces that the descriptor does not have.
#[test]
fn interfaces_that_are_not_there_are_told_with_those_that_are() {
    let Some(descriptor) = sample("openmano/vnfs-dataplaneVNF1.yaml") else {
        return;
    };
    let mut catalogue = Catalogue::new();
    catalogue.add("catalog:dataplaneVNF1", "dataplaneVNF1.yaml", &descriptor);
    let text = "CREATE NodeModel sample_vnf VNFD catalog:dataplaneVNF1;
    ConnectionPoint data_inside at VNFD:ge0;
    ConnectionPoint data_outside at VNFD:ge1;
";
    let found = all_diagnostics(&[text.to_owned()], &catalogue, &Options::default());
    assert_eq!(errors(&found), ["E-IFACE", "E-IFACE"]);
    let first = &found[0];
    assert_eq!(under(text, first), "ge0");
    assert_eq!(under(text, &found[1]), "ge1");
    let help = first.help.as_deref().unwrap();
    assert!(
        help.contains("`mgmt`, `xe0`, `xe1`, `xe2` and `xe3`") && help.contains("nearest is `xe0`"),
        "{help}"
    );
    let fix = first.fix.as_ref().unwrap();
    assert_eq!((fix.edits[0].text.as_str(), fix.is_machine_applicable), ("xe0", false));
    // The labels show the descriptor's own lines.
    assert_eq!(first.labels.len(), 5);
    let line_of = |name: &str| {
        descriptor
            .lines()
            .position(|line| line.contains("-   name:") && line.ends_with(name))
            .unwrap() as u32
            + 1
    };
    for (label, name) in first.labels.iter().zip(["mgmt", "xe0", "xe1", "xe2", "xe3"]) {
        let LabelPlace::Descriptor {
            file,
            line,
            text,
            column,
            end_column,
        } = &label.place
        else {
            panic!("{label:?}")
        };
        assert_eq!(file, "dataplaneVNF1.yaml");
        assert_eq!(*line, line_of(name), "{name}");
        assert_eq!(&text[*column as usize - 1..*end_column as usize - 1], name);
    }
}

/// S4 and S5: a missing `;`, a missing `Endnodes`. S8: a model that the text only speaks of.
#[test]
fn the_composed_model_has_its_three_faults_each_at_its_place() {
    let Some(text) = seed("seed-02-complex.nemo") else {
        return;
    };
    let import = "CREATE NodeModel sample_vnf VNFD catalog:sample;\n    ConnectionPoint data_inside at VNFD:xe0;\n    ConnectionPoint data_outside at VNFD:xe1;\n";
    let whole = format!("{import}{text}");
    let found = all_diagnostics(std::slice::from_ref(&whole), &Catalogue::new(), &Options::default());
    let mut seen = errors(&found);
    seen.sort_unstable();
    assert_eq!(seen, ["E-ENDNODES", "E-MODEL-UNKNOWN", "E-SEMI"], "{found:#?}");
    let semi = found.iter().find(|found| found.code.0 == "E-SEMI").unwrap();
    assert!(
        whole[..semi.span.start as usize].ends_with("ConnectionPoint output"),
        "the caret stands behind the last word"
    );
    let model = found.iter().find(|found| found.code.0 == "E-MODEL-UNKNOWN").unwrap();
    assert_eq!(under(&whole, model), "shaper_vnf");
    assert!(model.help.as_deref().unwrap().contains("give the file"));
}

/// S6: indentation means nothing, and is missed.
#[test]
fn a_member_at_the_margin_is_a_lint() {
    let text = "CREATE NodeModel fw VNFD catalog:firewall;\nConnectionPoint a at VNFD:in;\n";
    assert_eq!(codes(text), ["L-COLUMN"]);
}

/// S7: `:` and `.` mean the same.
#[test]
fn both_separators_give_the_same_service() {
    let text = "CREATE NodeModel fw VNFD catalog:firewall;
  ConnectionPoint a at VNFD:in;
  ConnectionPoint b at VNFD:out;

CREATE Node x Type fw;
CREATE Node y Type fw;
CREATE Connection c Endnodes x:a, y:b;
";
    assert_eq!(service(text), service(&text.replace("x:a, y:b", "x.a, y.b")));
}

/// S9: words of the language are names where that is clear.
#[test]
fn input_and_output_and_even_keywords_are_names() {
    let text = "CREATE NodeModel fw VNFD catalog:firewall;
  ConnectionPoint input at VNFD:in;
  ConnectionPoint output at VNFD:out;

CREATE NodeModel outer;
  Node Node Type fw;
  ConnectionPoint input;
  ConnectionPoint output;
  Connection qos Endnodes input, Node:input;
  Connection middle Endnodes output, Node:output;

CREATE Node sample_vnf Type outer;
";
    let service = service(text);
    assert_eq!(service.composites[0].nets[0].name, "qos");
}

/// S10: a descriptor is needed if and only if a connection point is at one of its interfaces.
#[test]
fn a_descriptor_is_needed_if_and_only_if_a_point_is_at_its_interface() {
    let text = "CREATE NodeModel m;\n  ConnectionPoint a at VNFD:in;\n";
    let found = only(text, "E-NO-VNFD");
    assert_eq!(under(text, &found), "in");
    only(
        "CREATE NodeModel m VNFD catalog:firewall;\n  ConnectionPoint a;\n",
        "E-POINT-AT",
    );
    // The same in a composite, which the earlier implementation let pass.
    let composite = "CREATE NodeModel fw VNFD catalog:firewall;
  ConnectionPoint a at VNFD:in;

CREATE NodeModel m;
  Node n Type fw;
  ConnectionPoint q at VNFD:q1;
  Connection c Endnodes q, n;
";
    assert_eq!(under(composite, &only(composite, "E-NO-VNFD")), "q1");
}

/// S11: the model with parameters, of which the draft prints the beginning.
#[test]
fn the_model_with_parameters_is_whole_and_its_types_are_looked_up() {
    let whole = "CREATE NodeModel dmz
  Property string: location-fw, string: location-n2, string: ipprefix, string: gatewayip, string: srcip, string: subnodes-n2;
  Node fw1 Type fw Property location: location-fw, operating-mode: layer3;
  Node n1 Type chain-group Contain fw1;
  Node n2 Type l2-group Property location: location-n2, ip-prefix: ipprefix, gateway-ip: gatewayip, sub-nodes: subnodes-n2;
  Connection c1 Type p2p Endnodes n1, n2;
  Flow f1 Match dst-ip: ipprefix, src-ip: srcip, dst-port: 80;
  Operation o1 Target f1 Priority 0 Action deny;
";
    let models: Vec<_> = of(whole, "E-MODEL-UNKNOWN")
        .iter()
        .map(|found| under(whole, found).to_owned())
        .collect();
    assert_eq!(models, ["fw", "l2-group"]);
    assert!(
        of(whole, "E-MODEL-UNKNOWN")[1]
            .help
            .as_deref()
            .unwrap()
            .contains("mesh")
    );
    let group = of(whole, "E-ENDPOINT");
    assert!(group[0].message.contains("group") && group[0].help.as_deref().unwrap().contains("`fw1`"));
    assert!(!codes(whole).contains(&"L-PARAMETER-UNUSED"));
}

/// S12: IMPORT of a model is CREATE.
#[test]
fn import_of_a_model_is_create_with_a_note() {
    let text =
        "IMPORT NodeModel fw VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:in;\n\nCREATE Node n Type fw;\n";
    assert_eq!(codes(text), ["L-IMPORT"]);
    assert_eq!(service(text), service(&text.replace("IMPORT", "CREATE")));
}

/// The whole of it, mended by machine as far as a machine can, and by two words of a person.
#[test]
fn the_composed_model_passes_once_it_is_mended() {
    let (Some(import), Some(complex)) = (seed("seed-01-import.nemo"), seed("seed-02-complex.nemo")) else {
        return;
    };
    let shaper = "CREATE NodeModel shaper_vnf VNFD catalog:shaper;\n  ConnectionPoint lan at VNFD:lan;\n  ConnectionPoint wan at VNFD:wan;\n";
    let fixed = fix(&[&import, &complex, shaper], &Catalogue::new(), &Options::default());
    assert!(fixed.applied >= 3, "{}", fixed.applied);
    // What a machine may not guess: where the descriptor is, and which interfaces were meant.
    let texts: Vec<String> = fixed
        .texts
        .iter()
        .map(|text| {
            text.replace(GLUED, "catalog:sample")
                .replace("VNFD:ge0", "VNFD:xe0")
                .replace("VNFD:ge1", "VNFD:xe1")
        })
        .collect();
    let left = all_diagnostics(&texts, &Catalogue::new(), &Options::default());
    assert!(errors(&left).is_empty(), "{left:#?}\n{texts:#?}");

    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let service = checked_with(&texts, &Options::default()).service().unwrap();
    let root = &service.composites[service.root];
    assert_eq!(root.name, "complex_vnf");
    let names: Vec<_> = root.nodes.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(names, ["input_vnf", "output_vnf"]);
    let end = |node: usize, point: &str| End {
        node,
        point: point.to_owned(),
    };
    let nets: Vec<_> = root
        .nets
        .iter()
        .map(|net| (net.name.as_str(), net.ends.clone(), net.points.clone()))
        .collect();
    assert_eq!(
        nets,
        [
            ("icon", vec![end(0, "data_inside")], vec![0]),
            ("ocon", vec![end(1, "wan")], vec![1]),
            ("intn", vec![end(0, "data_outside"), end(1, "lan")], vec![]),
        ]
    );
    let leaf = |at: usize| match root.nodes[at].of {
        ModelUse::Leaf(leaf) => &service.leaves[leaf],
        ModelUse::Composite(_) => panic!("no leaf"),
    };
    assert_eq!(leaf(0).leaf.interfaces[leaf(0).points["data_inside"]].name, "xe0");
    assert_eq!(leaf(1).leaf.interfaces[leaf(1).points["wan"]].name, "wan");
}
