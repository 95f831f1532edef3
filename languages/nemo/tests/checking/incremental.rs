//! A check that remembers tells the same as one that does not, and looks only at what has changed.

use crate::world::{Catalogue, FW};
use manifold_nemo::check::{Checked, Checker, Options, Source, check};
use manifold_nemo_syntax::diagnostic::FileId;
use manifold_nemo_syntax::{ParseOptions, parse};
use proptest::prelude::*;

fn again(checker: &mut Checker, texts: &[String]) -> Checked {
    let parses: Vec<_> = texts
        .iter()
        .enumerate()
        .map(|(at, text)| {
            let options = ParseOptions {
                file: FileId(at as u32),
                ..ParseOptions::default()
            };
            parse(text, options)
        })
        .collect();
    let sources: Vec<Source<'_>> = parses
        .iter()
        .map(|parse| Source {
            file: parse.options().file,
            text: parse.text(),
            script: parse.script(),
        })
        .collect();
    let catalogue = Catalogue::new();
    let kept = checker.check(&sources, &catalogue, &Options::default());
    let fresh = check(&sources, &catalogue, &Options::default());
    assert_eq!(kept.diagnostics, fresh.diagnostics, "{texts:#?}");
    assert_eq!(kept.service().ok(), fresh.service().ok());
    for (at, text) in texts.iter().enumerate() {
        assert_eq!(
            kept.mentions_in(FileId(at as u32)),
            fresh.mentions_in(FileId(at as u32)),
            "{text}"
        );
    }
    kept
}

fn models(count: usize) -> String {
    let mut text = FW.to_owned();
    for at in 0..count {
        text.push_str(&format!(
            "CREATE NodeModel m{at};\n  Node f Type fw Property location: north;\n  ConnectionPoint p;\n  Connection c Endnodes p, f:a;\n  Flow w Match dstport: {};\n  Operation o Target w Condition time > 08:00:00 Action block;\n\n",
            at + 1
        ));
    }
    text.push_str("CREATE Node x Type m0;\nCREATE Node y Type m1;\nCREATE Connection c Endnodes x, y;\n");
    text
}

#[test]
fn a_keystroke_in_one_model_looks_at_that_model_only() {
    let mut checker = Checker::default();
    let text = models(50);
    again(&mut checker, std::slice::from_ref(&text));
    assert_eq!(checker.looked_at(), 52);
    again(&mut checker, std::slice::from_ref(&text));
    assert_eq!(checker.looked_at(), 0);
    let inside = text.replacen("dstport: 7;", "dstport: 777;", 1);
    again(&mut checker, std::slice::from_ref(&inside));
    assert_eq!(
        checker.looked_at(),
        1,
        "what stands behind has moved and is told at its new place"
    );
    // What users of a model see has changed: they are looked at, too.
    let renamed = inside.replacen(
        "  ConnectionPoint b at VNFD:out;\n",
        "  ConnectionPoint bb at VNFD:out;\n",
        1,
    );
    again(&mut checker, std::slice::from_ref(&renamed));
    assert_eq!(checker.looked_at(), 51);
    // Text between the models changes nothing.
    again(&mut checker, &[format!("// a word\n{renamed}")]);
    assert_eq!(checker.looked_at(), 0);
}

#[test]
fn a_fault_that_points_elsewhere_is_told_at_its_new_place() {
    let mut checker = Checker::default();
    let text = format!("{FW}CREATE Node x Type fw;\nCREATE Connection c Endnodes x:nothing, x:a;\n");
    again(&mut checker, std::slice::from_ref(&text));
    again(&mut checker, &[format!("\n\n{text}")]);
    again(
        &mut checker,
        &[text.replace(
            "  ConnectionPoint m at VNFD:mgmt;\n",
            "  ConnectionPoint nothing at VNFD:mgmt;\n",
        )],
    );
}

#[test]
fn a_model_that_comes_from_another_file_may_come_and_go() {
    let mut checker = Checker::default();
    let user = "CREATE Node x Type fw;\n".to_owned();
    let lacking = again(&mut checker, &[user.clone(), String::new()]);
    assert!(lacking.has_errors());
    let there = again(&mut checker, &[user.clone(), FW.to_owned()]);
    assert!(!there.has_errors());
    assert!(again(&mut checker, &[user, String::new()]).has_errors());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn after_any_edits_it_is_as_if_everything_were_new(edits in proptest::collection::vec((0usize..2_000, 0usize..12, "[a-f:;, \n]{0,6}"), 1..8)) {
        let mut checker = Checker::default();
        let mut text = models(4);
        again(&mut checker, std::slice::from_ref(&text));
        for (start, length, new) in edits {
            let start = start.min(text.len());
            let end = (start + length).min(text.len());
            text.replace_range(start..end, &new);
            again(&mut checker, std::slice::from_ref(&text));
        }
    }
}
