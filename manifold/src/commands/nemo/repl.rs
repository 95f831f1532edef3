//! `manifold nemo repl`: questions, one after the other, about a script in files or about a service that runs.
//!
//! ```text
//! line ─> text up to `;` ─> query::answer ─> table or JSON
//! ```
//! Each question looks anew: what is told is what runs now. On a terminal lines are edited, recalled, and completed with the
//! language's words; elsewhere questions are read as they come, and the program fails if one of them has no answer.

use super::query::{self, Of};
use crate::config::Config;
use anyhow::{Context as _, bail};
use clap::Args;
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::history::MemHistory;
use rustyline::{Editor, Helper, Highlighter, Hinter, Validator};
use std::io::IsTerminal as _;

/// What can be asked for, and what one can say.
const WORDS: [&str; 8] = [
    "Query ",
    "nodes",
    "connections",
    "operations",
    "connectionpoints",
    "From ",
    "help",
    "quit",
];
const HELP: &str = "Query nodes;               what stands in the service, with what its machines do
Query connections;         what joins them
Query operations;          what happens to packets
Query connectionpoints;    where the service meets the outside
Query nodes From left;     those inside of left
quit                       or Ctrl-D";
/// Bytes of a question.
const QUESTION_MAX: usize = 64 << 10;

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    of: Of,
}

/// Words, completed.
#[derive(Helper, Hinter, Highlighter, Validator)]
struct Words;

impl Completer for Words {
    type Candidate = String;

    fn complete(&self, line: &str, at: usize, _: &rustyline::Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        let before = &line[..at];
        let from = before.rfind([' ', ';']).map_or(0, |space| space + 1);
        let begun = before[from..].to_ascii_lowercase();
        let fits = WORDS
            .iter()
            .filter(|word| word.to_ascii_lowercase().starts_with(&begun))
            .map(|word| (*word).to_owned());
        Ok((from, fits.collect()))
    }
}

/// What a line adds to what was typed before.
#[derive(Debug, PartialEq)]
enum Said {
    Quit,
    Help,
    /// Whole questions; what is left waits for its `;`.
    Questions(Vec<String>),
}

/// Takes whole questions out of what was typed.
fn said(typed: &mut String, line: &str) -> Said {
    if typed.trim().is_empty() {
        match line.trim().trim_end_matches(';') {
            "quit" | "exit" => return Said::Quit,
            "help" | "?" => return Said::Help,
            _ => {}
        }
    }
    typed.push_str(line);
    typed.push('\n');
    let mut questions = Vec::new();
    while let Some(end) = typed.find(';') {
        let question: String = typed.drain(..=end).collect();
        questions.push(question.trim().to_owned());
    }
    if typed.trim().is_empty() {
        typed.clear();
    }
    Said::Questions(questions)
}

pub fn run(config: &Config, arguments: Arguments, json: bool) -> anyhow::Result<()> {
    let of = arguments.of.settled(config)?;
    let talks = std::io::stdin().is_terminal();
    let mut editor: Editor<Words, MemHistory> =
        Editor::with_history(rustyline::Config::default(), MemHistory::new()).context("reading questions")?;
    editor.set_helper(Some(Words));
    let (first, next) = match talks {
        true => (format!("{}> ", of.title()), "... ".to_owned()),
        false => (String::new(), String::new()),
    };
    if talks {
        println!(
            "Questions about {}, each with a `;` at its end; `help` tells more.",
            of.title()
        );
    }
    let mut typed = String::new();
    let mut unanswered = 0_usize;
    loop {
        let line = match editor.readline(if typed.is_empty() { &first } else { &next }) {
            Ok(line) => line,
            Err(ReadlineError::Interrupted) if talks => {
                typed.clear();
                continue;
            }
            Err(ReadlineError::Eof | ReadlineError::Interrupted) => break,
            Err(error) => return Err(error).context("reading questions"),
        };
        if typed.len() + line.len() > QUESTION_MAX {
            bail!("a question has {QUESTION_MAX} bytes at most");
        }
        let questions = match said(&mut typed, &line) {
            Said::Quit => break,
            Said::Help => {
                println!("{HELP}");
                continue;
            }
            Said::Questions(questions) => questions,
        };
        for question in questions {
            editor.add_history_entry(&question).context("keeping a question")?;
            if let Err(error) = query::answer(config, &of, &question, json) {
                unanswered += 1;
                eprintln!("{error:#}");
            }
        }
    }
    if !typed.trim().is_empty() {
        eprintln!("the last question lacks its `;`");
        unanswered += 1;
    }
    match unanswered {
        0 => Ok(()),
        // Who sits before it has seen why.
        _ if talks => Ok(()),
        1 => bail!("a question has no answer"),
        count => bail!("{count} questions have no answer"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_end_with_their_sign_and_may_go_over_lines() {
        let mut typed = String::new();
        assert_eq!(said(&mut typed, "Query nodes"), Said::Questions(Vec::new()));
        // A word of the program is a word of the question here.
        let whole = Said::Questions(vec!["Query nodes\nFrom help;".into(), "Query operations;".into()]);
        assert_eq!(said(&mut typed, "From help; Query operations;"), whole);
        assert_eq!(typed, "");
        assert_eq!(said(&mut typed, " help "), Said::Help);
        assert_eq!(said(&mut typed, "quit;"), Said::Quit);
    }

    #[test]
    fn words_are_completed_in_any_case() {
        let history = MemHistory::new();
        let context = rustyline::Context::new(&history);
        let found = |line: &str| Words.complete(line, line.len(), &context).ok();
        assert_eq!(found("qu"), Some((0, vec!["Query ".to_owned(), "quit".to_owned()])));
        assert_eq!(
            found("Query CON"),
            Some((6, vec!["connections".to_owned(), "connectionpoints".to_owned()]))
        );
    }
}
