//! Trees, diagnostics and layouts of whole scripts, beside the scripts. `GOLDEN=write` writes them anew.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fmt::Write;
use std::path::Path;

use manifold_nemo_syntax::diagnostic::{Diagnostic, LabelPlace, Span};
use manifold_nemo_syntax::kind::SyntaxNode;
use manifold_nemo_syntax::{Parse, ParseOptions, format, parse};
use rowan::{NodeOrToken, WalkEvent};

fn place(parse: &Parse, span: Span) -> String {
    let before = &parse.text()[..span.start as usize];
    let row = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|char| *char != '\n').count() + 1;
    format!(
        "{row}:{column} {:?}",
        &parse.text()[span.start as usize..span.end as usize]
    )
}

fn write_told(out: &mut String, parse: &Parse, told: &Diagnostic) {
    writeln!(out, "{} {} {}", told.code, place(parse, told.span), told.message).unwrap();
    for label in &told.labels {
        if let LabelPlace::Script(span) = label.place {
            writeln!(out, "    {} {}", place(parse, span), label.message).unwrap();
        }
    }
    if let Some(help) = &told.help {
        writeln!(out, "    help: {help}").unwrap();
    }
    if let Some(fix) = &told.fix {
        let sure = if fix.is_machine_applicable { "fix" } else { "perhaps" };
        writeln!(out, "    {sure}: {}", fix.title).unwrap();
    }
}

/// Nodes and tokens without blanks.
fn write_tree(out: &mut String, root: &SyntaxNode) {
    let mut depth = 0;
    for event in root.preorder_with_tokens() {
        match event {
            WalkEvent::Enter(NodeOrToken::Node(node)) => {
                writeln!(out, "{:1$}{2:?}", "", depth * 2, node.kind()).unwrap();
                depth += 1;
            }
            WalkEvent::Leave(NodeOrToken::Node(_)) => depth -= 1,
            WalkEvent::Enter(NodeOrToken::Token(token)) if !token.text().trim().is_empty() => {
                writeln!(out, "{:1$}{2:?} {3:?}", "", depth * 2, token.kind(), token.text()).unwrap();
            }
            _ => {}
        }
    }
}

fn seen(text: &str) -> String {
    let mut out = String::new();
    for (title, lenient) in [("strict", false), ("lenient", true)] {
        let options = ParseOptions {
            lenient,
            ..ParseOptions::default()
        };
        let parse = parse(text, options);
        writeln!(out, "== {title}").unwrap();
        for told in parse.diagnostics() {
            write_told(&mut out, &parse, told);
        }
    }
    let parse = parse(text, ParseOptions::default());
    writeln!(out, "== formatted\n{}== tree", format(&parse)).unwrap();
    write_tree(&mut out, &parse.syntax());
    out
}

#[test]
fn scripts_are_seen_as_they_were() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let entries = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let mut scripts: Vec<_> = entries
        .filter(|path| path.extension().is_some_and(|end| end == "nemo"))
        .collect();
    scripts.sort();
    assert!(!scripts.is_empty());
    for script in scripts {
        let text = std::fs::read_to_string(&script).unwrap();
        let golden = script.with_extension("golden");
        let seen = seen(&text);
        if std::env::var_os("GOLDEN").is_some_and(|value| value == "write") {
            std::fs::write(&golden, &seen).unwrap();
        }
        let expected = std::fs::read_to_string(&golden).unwrap_or_default();
        assert_eq!(seen, expected, "{}: GOLDEN=write writes it anew", golden.display());
    }
}
