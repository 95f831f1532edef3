//! What is explained is so: each example of a fault has it, and its cure has none.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;

use manifold_nemo_syntax::codes::{EXPLANATIONS, explain};
use manifold_nemo_syntax::diagnostic::{Code, Edit};
use manifold_nemo_syntax::{Parse, ParseOptions, TEXT_BYTES_MAX, format, parse};

fn read(text: &str, code: Code) -> Parse {
    let lenient = code.0.starts_with("W-");
    parse(
        text,
        ParseOptions {
            lenient,
            ..ParseOptions::default()
        },
    )
}

fn codes(parse: &Parse) -> BTreeSet<Code> {
    parse.diagnostics().iter().map(|told| told.code).collect()
}

fn mended(parse: &Parse) -> String {
    let fixes = parse.diagnostics().iter().filter_map(|told| told.fix.as_ref());
    let sure = fixes.filter(|fix| fix.is_machine_applicable);
    let mut edits: Vec<&Edit> = sure.flat_map(|fix| &fix.edits).collect();
    edits.sort_by_key(|edit| edit.span.start);
    let mut text = parse.text().to_owned();
    for edit in edits.iter().rev() {
        text.replace_range(edit.span.start as usize..edit.span.end as usize, &edit.text);
    }
    text
}

#[test]
fn every_example_has_its_fault_and_every_cure_has_none() {
    for explanation in EXPLANATIONS.iter().filter(|explanation| !explanation.bad.is_empty()) {
        let code = explanation.code;
        let bad = read(explanation.bad, code);
        assert_eq!(codes(&bad), BTreeSet::from([code]), "{}", explanation.bad);
        let good = read(explanation.good, code);
        assert_eq!(good.diagnostics(), [], "{}", explanation.good);
    }
}

#[test]
fn a_fix_that_a_machine_may_apply_mends() {
    let mut mends = 0;
    for explanation in EXPLANATIONS {
        let bad = read(explanation.bad, explanation.code);
        let text = mended(&bad);
        if text == bad.text() {
            continue;
        }
        mends += 1;
        let again = read(&text, explanation.code);
        assert_eq!(again.diagnostics(), [], "{text}");
        assert_eq!(format(&again), explanation.good, "{text}");
    }
    assert!(mends >= 9, "{mends}");
}

#[test]
fn codes_are_in_order_and_found_in_any_case() {
    let order = |code: Code| ("EWL".find(&code.0[..1]), code);
    assert!(EXPLANATIONS.is_sorted_by(|one, other| order(one.code) < order(other.code)));
    assert_eq!(explain("e-semi").map(|found| found.code.0), Some("E-SEMI"));
    assert_eq!(explain("E-NONE"), None);
}

#[test]
fn of_too_large_a_text_nothing_is_read_until_it_is_smaller() {
    let text = " ".repeat(TEXT_BYTES_MAX) + "CREATE Node n Type m;";
    let mut read = Parse::new(text, ParseOptions::default());
    assert_eq!(codes(&read), BTreeSet::from([Code("E-SIZE")]));
    assert!(read.script().statements.is_empty());
    read.edit(0..TEXT_BYTES_MAX, "");
    assert_eq!(read.diagnostics(), []);
    assert_eq!(read.script().statements.len(), 1);
}

#[test]
fn faults_beyond_measure_are_counted_not_told() {
    let parse = parse(&"CREATE Node;\n".repeat(5_000), ParseOptions::default());
    assert_eq!(parse.diagnostics().len(), 1_001);
    assert_eq!(parse.diagnostics().last().unwrap().code, Code("E-MANY"));
}

#[test]
fn nesting_is_bounded() {
    let deep = |count: usize| format!("CREATE Operation o Condition {}a == 1;", "(".repeat(count));
    for (count, code) in [(65, "E-DEPTH"), (100_000, "E-DEPTH")] {
        assert_eq!(
            codes(&parse(&deep(count), ParseOptions::default())),
            BTreeSet::from([Code(code)])
        );
    }
    let closed = format!(
        "CREATE Operation o Condition {}a == 1{};",
        "!(".repeat(32),
        ")".repeat(32)
    );
    assert_eq!(parse(&closed, ParseOptions::default()).diagnostics(), []);
}
