//! What stands after all statements.

use crate::world::{FW, checked, codes, of, only, service, under};

fn nodes(text: &str) -> Vec<String> {
    let service = service(text);
    service.composites[service.root]
        .nodes
        .iter()
        .map(|node| node.name.clone())
        .collect()
}

#[test]
fn what_is_deleted_is_not_there_and_what_still_uses_it_is_told_where_it_went() {
    let text = format!("{FW}CREATE Node x Type fw;\nCREATE Node y Type fw;\nCREATE Connection c Endnodes x:a, y:a;\n");
    assert_eq!(nodes(&format!("{text}DELETE Connection c;\nDELETE Node y;\n")), ["x"]);
    let dangling = format!("{text}DELETE Node y;\n");
    let found = only(&dangling, "E-NODE-UNKNOWN");
    assert!(found.labels[0].message.contains("deleted here"));
    let model = format!("{FW}CREATE Node x Type fw;\nDELETE NodeModel fw;\n");
    assert!(
        only(&model, "E-MODEL-UNKNOWN").labels[0]
            .message
            .contains("deleted here")
    );
}

#[test]
fn what_is_made_again_after_it_was_deleted_is_there() {
    assert_eq!(
        nodes(&format!(
            "{FW}CREATE Node x Type fw;\nDELETE Node x;\nCREATE Node x Type fw;\n"
        )),
        ["x"]
    );
}

#[test]
fn a_member_is_deleted_out_of_a_model() {
    let text = format!("{FW}DELETE ConnectionPoint fw:m;\nCREATE Node x Type fw;\n");
    let leaf = &service(&text).leaves[0];
    assert_eq!(leaf.points.keys().collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn deletions_that_delete_nothing_are_told() {
    let typo = format!("{FW}DELETE Connection Connectiondmz1.c2;\n");
    assert_eq!(under(&typo, &only(&typo, "E-DELETE-UNKNOWN")), "Connectiondmz1");
    let inside = format!("{FW}CREATE Node x Type fw;\nDELETE ConnectionPoint x:a;\n");
    assert!(only(&inside, "E-DELETE-UNKNOWN").message.contains("that of its model"));
    let near = format!("{FW}CREATE Node sa3 Type fw;\nDELETE Node sa4;\n");
    assert_eq!(only(&near, "E-DELETE-UNKNOWN").fix.unwrap().edits[0].text, "sa3");
}

#[test]
fn update_replaces_the_clauses_that_it_has_and_the_properties_that_it_names() {
    let text = format!(
        "{FW}CREATE Node x Type fw Property location: north, zone: z1;
CREATE Node y Type fw;
CREATE Connection c Endnodes x:a, y:a Property bandwidth: 1(mbps);
UPDATE Node x Property location: south;
UPDATE Connection c Endnodes x:b, y:b;
"
    );
    let service = service(&text);
    let root = &service.composites[service.root];
    let properties: Vec<_> = root.nodes[0]
        .properties
        .iter()
        .map(|(key, value)| format!("{key}: {:?}", value.kind))
        .collect();
    assert_eq!(properties, ["location: Text(\"south\")", "zone: Text(\"z1\")"]);
    assert_eq!(root.nets[0].ends[0].point, "b");
    assert!(root.nets[0].properties.contains_key("bandwidth"));
}

#[test]
fn update_of_a_model_changes_and_adds_members() {
    let text = "CREATE NodeModel fw VNFD catalog:firewall;
  ConnectionPoint a at VNFD:in;

UPDATE NodeModel fw;
  ConnectionPoint a at VNFD:out;
  ConnectionPoint b at VNFD:mgmt;

CREATE Node x Type fw;
";
    let leaf = &service(text).leaves[0];
    let at: Vec<_> = leaf
        .points
        .iter()
        .map(|(name, at)| (name.as_str(), leaf.leaf.interfaces[*at].name.as_str()))
        .collect();
    assert_eq!(at, [("a", "out"), ("b", "mgmt")]);
    let near = text.replace("UPDATE NodeModel fw", "UPDATE NodeModel fv");
    assert_eq!(
        of(&near, "E-UPDATE-UNKNOWN")[0].fix.as_ref().unwrap().edits[0].text,
        "fw"
    );
}

#[test]
fn a_withdrawn_transaction_has_no_effect() {
    let text = format!(
        "{FW}CREATE Node x Type fw;\nTransaction Begin;\nDELETE Node x;\nCREATE Node broken Type nothing;\nWithdraw;\n"
    );
    assert_eq!(nodes(&text), ["x"]);
    assert!(codes(&text).is_empty());
    let kept = text.replace("Withdraw;", "Transaction End;");
    only(&kept, "E-MODEL-UNKNOWN");
}

#[test]
fn bounds_of_transactions_have_to_fit() {
    let begin = "Transaction Begin;\n";
    only(begin, "E-TRANSACTION-BOUNDS");
    only("Commit;\n", "E-TRANSACTION-BOUNDS");
    only("Withdraw;\n", "E-TRANSACTION-BOUNDS");
    let nested = format!("{begin}{begin}Transaction End;\n");
    assert_eq!(only(&nested, "E-TRANSACTION-BOUNDS").span.start as usize, begin.len());
    assert!(codes(&format!("{begin}Commit;\n{begin}Transaction End;\n")).is_empty());
}

#[test]
fn import_of_a_node_is_refused_or_read_as_create() {
    let text = format!("{FW}IMPORT Node x Type fw;\n");
    let found = only(&text, "E-IMPORT");
    assert_eq!(found.fix.unwrap().edits[0].text, "CREATE");
    let lenient = crate::world::checked_with(&[&text], &crate::world::lenient());
    assert!(!lenient.has_errors());
    assert_eq!(lenient.service().unwrap().composites[0].nodes[0].name, "x");
}

#[test]
fn questions_about_nothing_are_told() {
    assert_eq!(
        codes(&format!(
            "{FW}CREATE Node firewall Type fw;\nQuery Property From firewal;\n"
        )),
        ["W-QUERY-UNKNOWN"]
    );
    assert!(
        codes(&format!(
            "{FW}CREATE Node firewall Type fw;\nQuery Property From firewall;\nQuery nodes;\n"
        ))
        .is_empty()
    );
}

#[test]
fn names_of_one_kind_are_given_once() {
    let text = format!("{FW}CREATE Node x Type fw;\nCREATE Node x Type fw;\n");
    let found = only(&text, "E-DUPLICATE");
    assert_eq!(found.labels.len(), 1);
    assert!(checked(&text).service().is_err());
}
