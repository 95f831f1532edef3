//! What holds of every text.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod texts;

use manifold_nemo_syntax::diagnostic::{Diagnostic, FileId, LabelPlace, Span};
use manifold_nemo_syntax::{Parse, ParseOptions, format, parse};
use proptest::prelude::*;
use texts::{edits, scripts, soup};

fn options(lenient: bool) -> ParseOptions {
    ParseOptions {
        file: FileId(3),
        lenient,
    }
}

fn spans(told: &Diagnostic) -> Vec<Span> {
    let labels = told.labels.iter().filter_map(|label| match label.place {
        LabelPlace::Script(span) => Some(span),
        LabelPlace::Descriptor { .. } => None,
    });
    let edits = told.fix.iter().flat_map(|fix| &fix.edits).map(|edit| edit.span);
    [told.span].into_iter().chain(labels).chain(edits).collect()
}

/// Every byte is in the tree, and every place that is told of is in the text.
fn is_sound(text: &str) -> Result<(), TestCaseError> {
    for lenient in [false, true] {
        let parse = parse(text, options(lenient));
        prop_assert_eq!(parse.syntax().text().to_string(), text);
        for told in parse.diagnostics() {
            for span in spans(told) {
                prop_assert_eq!(span.file, FileId(3));
                prop_assert!(text.get(span.start as usize..span.end as usize).is_some(), "{:?}", told);
            }
        }
        parse.script();
    }
    Ok(())
}

fn are_equal(one: &Parse, other: &Parse) -> Result<(), TestCaseError> {
    prop_assert_eq!(one.text(), other.text());
    prop_assert_eq!(format!("{:#?}", one.syntax()), format!("{:#?}", other.syntax()));
    prop_assert_eq!(one.diagnostics(), other.diagnostics());
    prop_assert_eq!(one.script(), other.script());
    Ok(())
}

fn edits_as_full_parse(text: &str, edits: &[(usize, usize, String)]) -> Result<(), TestCaseError> {
    let mut edited = parse(text, options(false));
    edited.script();
    for (start, length, new) in edits {
        let start = edited.text().floor_char_boundary(start % (edited.text().len() + 1));
        let end = edited.text().floor_char_boundary(start + length);
        edited.edit(start..end, new);
        are_equal(&edited, &parse(edited.text(), options(false)))?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_kept(text in "(?s).{0,200}") {
        is_sound(&text)?;
    }

    #[test]
    fn any_words_are_kept(text in soup()) {
        is_sound(&text)?;
    }

    #[test]
    fn a_script_has_no_faults(text in scripts()) {
        is_sound(&text)?;
        let parse = parse(&text, options(false));
        prop_assert_eq!(parse.diagnostics(), &[], "{}", text);
    }

    #[test]
    fn an_edit_gives_what_a_full_parse_gives(text in scripts(), edits in edits()) {
        edits_as_full_parse(&text, &edits)?;
    }

    #[test]
    fn an_edit_of_words_gives_what_a_full_parse_gives(text in soup(), edits in edits()) {
        edits_as_full_parse(&text, &edits)?;
    }
}

/// What a text says apart from its layout: no white space, no case, one sign for the separators.
fn bare(text: &str) -> String {
    let kept = text.chars().filter(|char| !char.is_whitespace() && *char != '\u{feff}');
    kept.map(|char| if char == '.' { ':' } else { char.to_ascii_lowercase() })
        .collect()
}

fn formats(text: &str) -> Result<String, TestCaseError> {
    let formatted = format(&parse(text, options(false)));
    prop_assert_eq!(bare(&formatted), bare(text), "{}", formatted);
    let again = format(&parse(&formatted, options(false)));
    prop_assert_eq!(&again, &formatted);
    Ok(formatted)
}

/// A script with every place taken out, and the separators of paths as they are printed.
fn without_places(parse: &Parse) -> String {
    let debug = format!("{:#?}", parse.script());
    let lines = debug.lines().map(str::trim);
    lines
        .filter(|line| !line.starts_with("start: ") && !line.starts_with("end: "))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_formatted_script_says_the_same(text in scripts()) {
        let formatted = formats(&text)?;
        let again = parse(&formatted, options(false));
        prop_assert_eq!(again.diagnostics(), &[]);
        prop_assert_eq!(without_places(&again), without_places(&parse(&text, options(false))));
    }

    #[test]
    fn words_in_any_order_are_formatted_once_and_for_all(text in soup()) {
        formats(&text)?;
    }
}
