//! NEMO: how much memory a script takes that was parsed and checked, and whether ten times the lines take ten times as much.
//!
//! Each size has a process of its own: what an allocator keeps of one would be there for the next.

use crate::figure::{Figure, Goal, Spread, Unit};
use crate::nemo_check::{Any, script, source};
use crate::stage::{self, Outcome};
use manifold_nemo::check::{Options, check};
use manifold_nemo_syntax::{Parse, ParseOptions};
use serde::{Deserialize, Serialize};
use std::fs;
use std::hint::black_box;
use std::process::Command;

const ROUNDS: usize = 5;
/// Tells a process how many times ten thousand lines it is to measure.
const TIMES: &str = "MANIFOLD_BENCH_NEMO_TIMES";
const TOLD: &str = "memory ";

pub(crate) fn run() {
    match std::env::var(TIMES) {
        Ok(times) => alone(&times).unwrap_or_else(|error| panic!("{error}")),
        Err(_) => stage::report(measure),
    }
}

/// What a script takes beside its text, in bytes.
#[derive(Serialize, Deserialize)]
struct Taken {
    lines: f64,
    text: f64,
    /// When it is checked and all of it is there.
    held: f64,
    /// When most was there.
    peak: f64,
}

fn measure() -> Outcome<Vec<Figure>> {
    let (mut once, mut tenfold) = (vec![], vec![]);
    for _ in 0..ROUNDS {
        once.push(taken(1)?);
        tenfold.push(taken(10)?);
    }
    let spread = |all: &[Taken], of: fn(&Taken) -> f64| Spread::of(all.iter().map(|taken| of(taken) / taken.lines));
    let figure = |all: &[Taken]| {
        let lines = all.first().map_or(0.0, |taken| taken.lines);
        let held = spread(all, |taken| taken.held);
        let note = format!(
            "{:.1} MB in all, at its peak {:.0} B/line; the text itself is {:.0} B/line",
            held.median * lines / f64::from(1 << 20),
            spread(all, |taken| taken.peak).median,
            spread(all, |taken| taken.text).median,
        );
        let name = format!("NEMO, {lines:.0} lines: memory, parsed and checked");
        Figure::new(name, Unit::BytesPerLine, held).note(note)
    };
    Ok(vec![
        figure(&once),
        figure(&tenfold)
            .floor("a tenth of the lines", spread(&once, |taken| taken.held))
            // Linear; the rest is for pages and tables that grow by doubling.
            .goal(Goal::Ratio(1.15)),
    ])
}

fn taken(times: usize) -> Outcome<Taken> {
    let output = Command::new("/proc/self/exe").env(TIMES, times.to_string()).output()?;
    let told = String::from_utf8(output.stdout)?;
    let line = told.lines().find_map(|line| line.strip_prefix(TOLD));
    Ok(serde_json::from_str(line.ok_or("a script's memory was not told")?)?)
}

fn alone(times: &str) -> Outcome<()> {
    let leaves = Any::new()?;
    let options = Options::default();
    // What is made once and what is read of the program's own file is not a script's: a small one goes first.
    let small = Parse::new(script(0)?, ParseOptions::default());
    black_box(check(&[source(&small)], &leaves, &options));
    let text = script(times.parse()?)?;
    let (lines, bytes) = (text.lines().count(), text.len());
    let before = status("VmRSS:")?;
    let parse = Parse::new(text, ParseOptions::default());
    let checked = check(&[source(&parse)], &leaves, &options);
    let (held, peak) = (status("VmRSS:")? - before, status("VmHWM:")? - before);
    if parse.has_errors() || !checked.diagnostics.is_empty() {
        return Err(format!("the script has faults: {:?}", checked.diagnostics.first()).into());
    }
    let number = |count: usize| u32::try_from(count).map(f64::from);
    let taken = Taken {
        lines: number(lines)?,
        text: number(bytes)?,
        held,
        peak,
    };
    println!("{TOLD}{}", serde_json::to_string(&taken)?);
    Ok(())
}

/// In bytes, as the kernel counts this process's pages.
fn status(key: &str) -> Outcome<f64> {
    let text = fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    let kibibytes = line.and_then(|rest| rest.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok());
    Ok(kibibytes.ok_or(format!("the kernel tells no {key}"))? * 1_024.0)
}
