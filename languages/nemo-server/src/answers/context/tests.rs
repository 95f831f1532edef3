//! What is wanted at a place that is marked by `|`.

use super::*;
use crate::address::Address;
use crate::documents::Documents;
use std::path::Path;

/// What is wanted at `|`, and what is typed there.
fn at(text: &str) -> Option<(Wanted, String)> {
    let offset = text.find('|').unwrap();
    let text = text.replace('|', "");
    let mut documents = Documents::default();
    let address = Address::of_file(Path::new("/nowhere/x.nemo"));
    let file = documents.open(address, 1, text.clone()).unwrap();
    let found = context(documents.get(file).unwrap(), offset as u32)?;
    Some((found.wanted, text[found.typed].to_owned()))
}

fn wanted(text: &str) -> Option<Wanted> {
    at(text).map(|(wanted, _)| wanted)
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn statements_begin_with_a_verb_or_an_entity() {
    assert_eq!(wanted("|"), Some(Wanted::Start));
    assert_eq!(at("CREATE Node a Type b;\nCR|"), Some((Wanted::Start, "CR".to_owned())));
    assert_eq!(wanted("CREATE |"), Some(Wanted::Entity(Keyword::Create)));
    assert_eq!(wanted("DELETE No|"), Some(Wanted::Entity(Keyword::Delete)));
    assert_eq!(wanted("CREATE Node |"), None);
    assert_eq!(wanted("UPDATE Node |"), Some(Wanted::Existing(Keyword::Node, vec![])));
    assert_eq!(
        wanted("DELETE ConnectionPoint a:|"),
        Some(Wanted::Existing(Keyword::ConnectionPoint, names(&["a"])))
    );
    assert_eq!(
        wanted("Transaction |"),
        Some(Wanted::Words(&[Keyword::Begin, Keyword::End, Keyword::Commit]))
    );
    assert_eq!(wanted("Query Type From |"), Some(Wanted::Anything));
}

#[test]
fn clauses_come_in_any_order_and_once() {
    assert_eq!(wanted("CREATE Node a |"), Some(Wanted::Clause(Keyword::Node, vec![])));
    assert_eq!(
        wanted("CREATE Node a Type m P|"),
        Some(Wanted::Clause(Keyword::Node, vec![Keyword::Type]))
    );
    assert_eq!(wanted("CREATE Node a Type |"), Some(Wanted::Model));
    assert_eq!(wanted("CREATE Connection a Type |"), Some(Wanted::Shape));
    assert_eq!(
        wanted("CREATE Node a Type m Property |"),
        Some(Wanted::Key(Keyword::Node, Some("m".to_owned())))
    );
    assert_eq!(
        wanted("CREATE Node a Type m Property k: v, l|"),
        Some(Wanted::Key(Keyword::Node, Some("m".to_owned())))
    );
    assert_eq!(
        wanted("CREATE Node a Type m Property k: |"),
        Some(Wanted::Value(Keyword::Node, "k".to_owned()))
    );
}

#[test]
fn ends_are_paths() {
    let in_body = |rest: &str| wanted(&format!("CREATE NodeModel m;\n  Connection c Type p2p Endnodes {rest}"));
    assert_eq!(in_body("|"), Some(Wanted::End(vec![])));
    assert_eq!(in_body("a, |"), Some(Wanted::End(vec![])));
    assert_eq!(in_body("a, b:|"), Some(Wanted::End(names(&["b"]))));
    assert_eq!(in_body("a, b:c|"), Some(Wanted::End(names(&["b"]))));
    assert_eq!(in_body("a, b.c|"), Some(Wanted::End(names(&["b"]))));
    assert!(matches!(
        in_body("a, b |"),
        Some(Wanted::Clause(Keyword::Connection, _))
    ));
}

#[test]
fn a_leaf_speaks_of_its_descriptor() {
    assert_eq!(
        wanted("CREATE NodeModel m VNFD f.yaml;\n ConnectionPoint a at |"),
        Some(Wanted::AtVnfd)
    );
    assert_eq!(
        at("CREATE NodeModel m VNFD f.yaml;\n ConnectionPoint a at VNFD:ge|"),
        Some((Wanted::Interface, "ge".to_owned()))
    );
    assert_eq!(
        wanted("CREATE NodeModel m VNFD f.yaml;\n ConnectionPoint a at VNFD:|;"),
        Some(Wanted::Interface)
    );
    assert_eq!(wanted("CREATE NodeModel m Property |"), Some(Wanted::ParameterType));
    assert_eq!(wanted("CREATE NodeModel m Property string: |"), None);
}

#[test]
fn operations_act_on_flows_and_send_packets_through_nodes() {
    assert_eq!(wanted("CREATE Operation o Target |"), Some(Wanted::Target));
    assert_eq!(wanted("CREATE Operation o Action |"), Some(Wanted::Action));
    let through = |path: &[&str]| Some(Wanted::ActionValue("go-through".to_owned(), names(path)));
    assert_eq!(wanted("CREATE Operation o Action go-through: |"), through(&[]));
    assert_eq!(wanted("CREATE Operation o Action go-through: [a, |"), through(&[]));
    assert_eq!(wanted("CREATE Operation o Action go-through: [a, b:|"), through(&["b"]));
    assert_eq!(wanted("CREATE Flow f Match |"), Some(Wanted::MatchKey));
    assert_eq!(
        wanted("CREATE Flow f Match proto: |"),
        Some(Wanted::Value(Keyword::Match, "proto".to_owned()))
    );
    assert_eq!(wanted("CREATE Operation o Condition |"), Some(Wanted::State));
}

#[test]
fn a_statement_that_lacks_its_end_does_not_hide_the_next_one() {
    let text = "CREATE NodeModel m;\n ConnectionPoint output\n Connection c Type |";
    assert_eq!(wanted(text), Some(Wanted::Shape));
    assert_eq!(
        wanted("CREATE Node a Type b\nCREATE |"),
        Some(Wanted::Entity(Keyword::Create))
    );
}

#[test]
fn nothing_is_proposed_in_comments_and_texts() {
    for text in ["// CREATE |", "# |", "/* | */", "CREATE Node a Property k: \"|\""] {
        assert_eq!(wanted(text), None, "{text}");
    }
    assert_eq!(wanted("/* a */ |"), Some(Wanted::Start));
}
