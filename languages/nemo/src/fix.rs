//! Mending: applies what a machine may apply, until nothing of that kind is left.

use crate::check::{Options, Source, Strictness, check};
use crate::leaf::LeafSource;
use manifold_nemo_syntax::diagnostic::{Diagnostic, Edit, FileId, Fix};
use manifold_nemo_syntax::{ParseOptions, parse};

/// Most rounds: a fix may bring another one to light, and no chain of them is longer than this.
const ROUNDS_MAX: usize = 16;

/// Texts after mending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixed {
    /// In the order in which they came.
    pub texts: Vec<String>,
    /// How many fixes were applied.
    pub applied: usize,
}

/// Parses and checks texts, applies the machine-applicable fixes, and does so again until there are none.
pub fn fix(texts: &[&str], leaves: &dyn LeafSource, options: &Options) -> Fixed {
    let mut fixed = Fixed {
        texts: texts.iter().map(|text| (*text).to_owned()).collect(),
        applied: 0,
    };
    for _ in 0..ROUNDS_MAX {
        let diagnostics = all_diagnostics(&fixed.texts, leaves, options);
        let fixes: Vec<&Fix> = diagnostics.iter().filter_map(|found| found.fix.as_ref()).collect();
        let applied = apply(&mut fixed.texts, &fixes);
        if applied == 0 {
            break;
        }
        fixed.applied += applied;
    }
    fixed
}

/// What the parser and the check tell of texts; the first text is file 0.
pub fn all_diagnostics(texts: &[String], leaves: &dyn LeafSource, options: &Options) -> Vec<Diagnostic> {
    let parse = |(at, text): (usize, &String)| {
        let options = ParseOptions {
            file: FileId(at as u32),
            lenient: options.strictness == Strictness::Lenient,
        };
        parse(text, options)
    };
    let parses: Vec<_> = texts.iter().enumerate().map(parse).collect();
    let source =
        |parse: &'_ manifold_nemo_syntax::Parse| -> (FileId, std::sync::Arc<manifold_nemo_syntax::script::Script>) {
            (parse.options().file, std::sync::Arc::clone(parse.script()))
        };
    let scripts: Vec<_> = parses.iter().map(source).collect();
    let sources: Vec<Source<'_>> = parses
        .iter()
        .zip(&scripts)
        .map(|(parse, (file, script))| Source {
            file: *file,
            text: parse.text(),
            script,
        })
        .collect();
    let mut diagnostics: Vec<Diagnostic> = parses
        .iter()
        .flat_map(|parse| parse.diagnostics().iter().cloned())
        .collect();
    diagnostics.extend(check(&sources, leaves, options).diagnostics);
    diagnostics.sort_by_key(|found| (found.span.file, found.span.start));
    diagnostics
}

/// Applies those fixes that a machine may apply and that touch nothing that another one touches. Answers with how many.
pub fn apply(texts: &mut [String], fixes: &[&Fix]) -> usize {
    let mut accepted: Vec<&Edit> = Vec::new();
    let mut count = 0;
    for fix in fixes.iter().filter(|fix| fix.is_machine_applicable) {
        let is_free = |edit: &Edit| {
            let text = texts.get(edit.span.file.0 as usize);
            let is_within =
                text.is_some_and(|text| text.get(edit.span.start as usize..edit.span.end as usize).is_some());
            is_within && !accepted.iter().any(|other| touch(edit, other))
        };
        if !fix.edits.is_empty() && fix.edits.iter().all(is_free) {
            accepted.extend(&fix.edits);
            count += 1;
        }
    }
    // From the end, so that what is still to be done stays where it is.
    accepted.sort_by_key(|edit| std::cmp::Reverse((edit.span.file, edit.span.start)));
    for edit in accepted {
        texts[edit.span.file.0 as usize].replace_range(edit.span.start as usize..edit.span.end as usize, &edit.text);
    }
    count
}

/// Whether two edits share a byte, or stand next to each other: which one comes first would matter then.
fn touch(a: &Edit, b: &Edit) -> bool {
    a.span.file == b.span.file && a.span.start <= b.span.end && b.span.start <= a.span.end
}

#[cfg(test)]
mod tests {
    use super::*;
    use manifold_nemo_syntax::diagnostic::Span;

    fn replace(start: u32, end: u32, text: &str, is_machine_applicable: bool) -> Fix {
        Fix {
            title: String::new(),
            edits: vec![Edit {
                span: Span {
                    file: FileId(0),
                    start,
                    end,
                },
                text: text.to_owned(),
            }],
            is_machine_applicable,
        }
    }

    #[test]
    fn of_two_that_touch_the_same_only_the_first_is_applied() {
        let mut texts = vec!["abcdef".to_owned()];
        let fixes = [
            replace(1, 3, "X", true),
            replace(2, 4, "Y", true),
            replace(5, 6, "Z", true),
        ];
        assert_eq!(apply(&mut texts, &fixes.iter().collect::<Vec<_>>()), 2);
        assert_eq!(texts, ["aXdeZ"]);
    }

    #[test]
    fn what_a_person_has_to_look_at_is_left_alone_and_so_is_what_lies_outside() {
        let mut texts = vec!["aü".to_owned()];
        let fixes = [
            replace(0, 1, "X", false),
            replace(2, 3, "Y", true),
            replace(0, 9, "Z", true),
        ];
        assert_eq!(apply(&mut texts, &fixes.iter().collect::<Vec<_>>()), 0);
        assert_eq!(texts, ["aü"]);
    }
}
