//! What an editor asks.

use crate::world::{FW, checked};
use manifold_nemo::check::{Checked, MemberKind};
use manifold_nemo::index::{BodyName, RenameError, Symbol};
use manifold_nemo_syntax::diagnostic::{FileId, LabelPlace};

fn text() -> String {
    format!(
        "{FW}CREATE NodeModel outer Property string: where;
  Node f Type fw Property location: where;
  ConnectionPoint p;
  Connection c Endnodes p, f:a;
  Flow web Match dstport: 80;
  Operation o Target web Action go-through: f:b;

CREATE Node x Type outer Property where: north;
"
    )
}

fn at(checked: &Checked, text: &str, needle: &str, inside: &str) -> Symbol {
    let offset = text.find(needle).unwrap() + needle.find(inside).unwrap();
    checked
        .mention_at(FileId(0), offset as u32)
        .unwrap_or_else(|| panic!("{needle}"))
        .symbol
}

fn node(name: &str) -> Symbol {
    Symbol::Member {
        model: Some("outer".to_owned()),
        kind: MemberKind::Node,
        name: name.to_owned(),
    }
}

#[test]
fn a_name_leads_to_what_it_means_and_to_where_that_is_defined() {
    let text = text();
    let checked = checked(&text);
    assert_eq!(
        at(&checked, &text, "Type outer", "outer"),
        Symbol::Model("outer".to_owned())
    );
    assert_eq!(at(&checked, &text, "f:a;", "f"), node("f"));
    let point = at(&checked, &text, "f:a;", "a");
    let Some(LabelPlace::Script(place)) = checked.definition(&point) else {
        panic!("{point:?}")
    };
    assert!(text[place.start as usize..].starts_with("a at VNFD:in"));
    let where_ = at(&checked, &text, "where: north", "where");
    assert_eq!(where_, at(&checked, &text, "location: where", "where"));
    let interface = at(&checked, &text, "VNFD:in", "in");
    let Some(LabelPlace::Descriptor { file, text: line, .. }) = checked.definition(&interface) else {
        panic!("{interface:?}")
    };
    assert_eq!(file, "firewall.yaml");
    assert!(line.contains("name: in"));
}

#[test]
fn hover_tells_what_is_known() {
    let text = text();
    let checked = checked(&text);
    let hover = |needle: &str, inside: &str| checked.hover(&at(&checked, &text, needle, inside)).unwrap();
    assert!(hover("Type fw", "fw").contains("VNF `firewall`"));
    assert!(hover("VNFD:in", "in").contains("data"));
    assert!(hover("f:a;", "a").contains("interface `in` of firewall.yaml"));
    assert!(hover("Target web", "web").contains("dstport: 80"));
    assert!(hover("where: north", "where").contains("string"));
}

#[test]
fn renaming_reaches_every_place_and_nothing_else() {
    let text = text();
    let checked = checked(&text);
    let renamed = |symbol: &Symbol, name: &str| {
        let mut text = text.clone();
        let mut edits = checked.rename(symbol, name).unwrap();
        edits.sort_by_key(|edit| std::cmp::Reverse(edit.span.start));
        for edit in edits {
            text.replace_range(edit.span.start as usize..edit.span.end as usize, &edit.text);
        }
        text
    };
    let with = renamed(&node("f"), "filter");
    assert_eq!(
        with,
        text.replace("Node f ", "Node filter ")
            .replace("f:a", "filter:a")
            .replace("f:b", "filter:b")
    );
    let with = renamed(&Symbol::Model("fw".to_owned()), "wall");
    assert_eq!(
        with,
        text.replace("NodeModel fw", "NodeModel wall")
            .replace("Type fw", "Type wall")
    );
    let parameter = Symbol::Parameter {
        model: "outer".to_owned(),
        name: "where".to_owned(),
    };
    assert_eq!(renamed(&parameter, "place"), text.replace("where", "place"));
}

#[test]
fn names_that_are_taken_or_are_none_are_refused() {
    let checked = checked(&text());
    assert!(
        matches!(checked.rename(&node("f"), "p"), Err(RenameError::Taken(..))),
        "a point would be meant before the node"
    );
    assert!(matches!(checked.rename(&node("f"), "1f"), Err(RenameError::NoName(_))));
    assert!(matches!(checked.rename(&node("g"), "h"), Err(RenameError::Unknown)));
    assert!(matches!(
        checked.rename(&Symbol::Model("fw".to_owned()), "outer"),
        Err(RenameError::Taken(..))
    ));
    let interface = Symbol::Interface {
        model: "fw".to_owned(),
        name: "in".to_owned(),
    };
    assert_eq!(checked.rename(&interface, "out"), Err(RenameError::Foreign));
}

#[test]
fn candidates_are_those_that_fit_the_place() {
    let text = text();
    let checked = checked(&text);
    let names = |candidates: Vec<manifold_nemo::index::Candidate>| {
        candidates
            .into_iter()
            .map(|candidate| candidate.text)
            .collect::<Vec<_>>()
    };
    let inside = checked.body_at(FileId(0), text.find("Connection c").unwrap() as u32);
    assert_eq!(inside, BodyName::Model("outer".to_owned()));
    assert_eq!(names(checked.complete_ends(&inside)), ["p", "f:a", "f:b", "f:m"]);
    assert_eq!(names(checked.complete_targets(&inside)), ["web", "f", "c"]);
    assert_eq!(names(checked.complete_models()), ["fw", "outer"]);
    let leaf = BodyName::Model("fw".to_owned());
    assert_eq!(names(checked.complete_interfaces(&leaf)), ["mgmt", "in", "out"]);
    assert_eq!(checked.body_at(FileId(0), text.len() as u32), BodyName::Top);
    assert_eq!(names(checked.complete_parameters(&BodyName::Top, "x")), ["where"]);
}
