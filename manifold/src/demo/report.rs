//! What the demo tells: as it goes for people, as one document for scripts.

use crate::client::print;
use serde::Serialize;
use std::time::Instant;

/// A step of the demo.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// What was done.
    pub what: String,
    /// In milliseconds.
    pub took_ms: u64,
}

/// One probe of the matrix.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// What it shows.
    pub what: String,
    /// What shall be seen.
    pub expected: String,
    /// What was seen.
    pub seen: String,
    /// Whether these agree.
    pub ok: bool,
}

/// The whole.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// In order.
    pub steps: Vec<Step>,
    /// All probes.
    pub probes: Vec<Row>,
    /// What was left behind; empty as it should be.
    pub left_behind: Vec<String>,
    /// Of the control plane and the agent together, in kibibytes, with the services running.
    pub resident_kib: u64,
    #[serde(skip)]
    quiet: bool,
}

impl Report {
    /// An empty one; `quiet` prints nothing as it goes.
    pub fn new(quiet: bool) -> Self {
        Self {
            quiet,
            ..Self::default()
        }
    }

    /// Whether nothing is printed as it goes.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Tells that something begins.
    pub fn begin(&self, what: &str) {
        if !self.quiet {
            println!("· {what}");
        }
    }

    /// Tells that it is done.
    pub fn done(&mut self, what: &str, begun: Instant) {
        let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        if !self.quiet {
            println!("✓ {what} ({})", print::span(took_ms));
        }
        self.steps.push(Step {
            what: what.to_owned(),
            took_ms,
        });
    }

    /// Prints text for people.
    pub fn say(&self, text: &str) {
        if !self.quiet {
            println!("{text}");
        }
    }

    /// Adds a probe's row.
    pub fn probe(&mut self, row: Row) {
        if !self.quiet {
            let mark = if row.ok { "✓" } else { "✗" };
            println!("  {mark} {:<66} {:<14} {}", row.what, row.expected, row.seen);
        }
        self.probes.push(row);
    }

    /// How many probes did not show what they shall.
    pub fn failures(&self) -> usize {
        self.probes.iter().filter(|row| !row.ok).count()
    }
}
