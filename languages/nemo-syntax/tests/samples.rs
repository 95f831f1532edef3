//! Scripts that others wrote: each fault of theirs is told at its place, and the fixes mend them.
//! They are not part of this repository; where they are absent the tests say so and prove nothing.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::PathBuf;

use manifold_nemo_syntax::diagnostic::{Diagnostic, FileId, Severity};
use manifold_nemo_syntax::script::{Entity, Statement};
use manifold_nemo_syntax::{Parse, ParseOptions, parse};

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/samples/nemo");

fn sample(name: &str) -> Option<String> {
    let path = PathBuf::from(SAMPLES).join(name);
    if path.exists() {
        return Some(std::fs::read_to_string(path).unwrap());
    }
    eprintln!("NOT RUN: sample {name} is absent ({})", path.display());
    None
}

fn read(text: &str, lenient: bool) -> Parse {
    let parse = parse(
        text,
        ParseOptions {
            file: FileId(7),
            lenient,
        },
    );
    assert_eq!(parse.syntax().text(), text);
    parse
}

/// `code line:column text under it` of each fault.
fn told(parse: &Parse) -> Vec<String> {
    let line = |told: &Diagnostic| {
        let (start, end) = (told.span.start as usize, told.span.end as usize);
        let before = &parse.text()[..start];
        let row = before.matches('\n').count() + 1;
        let column = start - before.rfind('\n').map_or(0, |at| at + 1) + 1;
        format!("{} {row}:{column} {:?}", told.code, &parse.text()[start..end])
    };
    parse.diagnostics().iter().map(line).collect()
}

/// The text with every machine-applicable fix applied.
fn mended(parse: &Parse) -> String {
    let mut text = parse.text().to_owned();
    let fixes = parse.diagnostics().iter().filter_map(|told| told.fix.as_ref());
    let mut edits: Vec<_> = fixes
        .filter(|fix| fix.is_machine_applicable)
        .flat_map(|fix| &fix.edits)
        .collect();
    edits.sort_by_key(|edit| edit.span.start);
    for edit in edits.iter().rev() {
        text.replace_range(edit.span.start as usize..edit.span.end as usize, &edit.text);
    }
    text
}

#[test]
fn an_address_that_a_line_breaks_is_refused_or_joined() {
    let Some(text) = sample("seed-01-import.nemo") else {
        return;
    };
    let strict = read(&text, false);
    assert_eq!(told(&strict), ["E-URI-BREAK 1:60 \"\\n\""]);
    let lenient = read(&text, true);
    assert_eq!(told(&lenient), ["W-URI-FOLD 1:60 \"\\n\""]);
    assert!(!lenient.has_errors());
    let script = lenient.script();
    let [Statement::Model(model)] = script.statements.as_slice() else {
        panic!("{script:?}")
    };
    let joined = "https://github.com/nfvlabs/openmano.git/openmano/vnfs/examples/dataplaneVNF1.yaml";
    assert_eq!(model.descriptor.as_ref().unwrap().uri, joined);
    assert_eq!(model.members.len(), 2);
    assert_eq!(told(&read(&mended(&strict), false)), [""; 0]);
}

#[test]
fn a_missing_semicolon_and_a_missing_keyword_are_mended() {
    let Some(text) = sample("seed-02-complex.nemo") else {
        return;
    };
    let strict = read(&text, false);
    assert_eq!(told(&strict), ["E-SEMI 5:27 \"\"", "E-ENDNODES 8:30 \"input_vnf\""]);
    let script = strict.script();
    let [Statement::Model(model)] = script.statements.as_slice() else {
        panic!("{script:?}")
    };
    let ends = model.members.iter().filter_map(|member| match member {
        Entity::Connection(connection) => Some(connection.ends.len()),
        _ => None,
    });
    assert_eq!(model.members.len(), 7);
    assert_eq!(ends.collect::<Vec<_>>(), [2, 2, 2]);
    let again = read(&mended(&strict), false);
    assert_eq!(told(&again), [""; 0]);
    assert!(!read(&text, true).has_errors());
}

#[test]
fn a_fragment_is_read_up_to_what_it_leaves_out() {
    let Some(text) = sample("seed-00-dmz-fragment.nemo") else {
        return;
    };
    let parse = read(&text, false);
    assert_eq!(told(&parse), ["E-MEMBER 9:1 \".\""]);
    let script = parse.script();
    let [Statement::Model(model)] = script.statements.as_slice() else {
        panic!("{script:?}")
    };
    assert_eq!((model.parameters.len(), model.members.len()), (6, 1));
}

#[test]
fn a_form_to_be_filled_in_is_told_as_such() {
    let Some(text) = sample("seed-schema-forms.nemo") else {
        return;
    };
    let parse = read(&text, false);
    assert!(parse.diagnostics().iter().all(|told| told.severity == Severity::Error));
    assert_eq!(
        told(&parse),
        [
            "E-NAME 1:18 \"<node_model_name>\"",
            "E-NAME 1:41 \"<vnfd_uri>\"",
            "E-NAME 2:18 \"<node_model_name>\"",
            "E-NAME 3:19 \"<cp_name>\"",
            "E-NAME 3:37 \"<iface_from_vnfd>\"",
        ]
    );
}
