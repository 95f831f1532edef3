//! NEMO: a script of ten thousand lines is read, and read again after one keystroke.

use crate::figure::{Figure, Goal, Spread, Unit};
use crate::nemo_content::Written;
use crate::stage::{self, Outcome};
use manifold_nemo_syntax::{Parse, ParseOptions, parse};
use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// A leaf, a composite of four nodes and an instance of it: 20 lines each.
const SERVICES: u32 = 500;
const ROUNDS: u32 = 30;

pub(crate) fn run() {
    stage::report(measure);
}

fn measure() -> Outcome<Vec<Figure>> {
    let text = script()?;
    let written = Written::of(&text)?;
    let lines = text.lines().count();
    let (mut whole, mut json, mut yaml) = (vec![], vec![], vec![]);
    for round in 0..=ROUNDS {
        let took = timed(|| {
            black_box(parse(&text, ParseOptions::default()).script());
        });
        let begin = Instant::now();
        black_box(written.read_json()?);
        let of_json = begin.elapsed();
        let begin = Instant::now();
        black_box(written.read_yaml()?);
        let of_yaml = begin.elapsed();
        if round > 0 {
            whole.push(took);
            json.push(of_json);
            yaml.push(of_yaml);
        }
    }
    let mut open = parse(&text, ParseOptions::default());
    if open.has_errors() {
        return Err("the script has faults".into());
    }
    open.script();
    let middle = text.len() / 2;
    let at = middle + text[middle..].find("rack-").ok_or("there is no rack")? + "rack-".len();
    let mut keystrokes = vec![];
    for _ in 0..ROUNDS {
        keystrokes.push(timed(|| keystroke(&mut open, at..at, "x")));
        keystrokes.push(timed(|| keystroke(&mut open, at..at + 1, "")));
    }
    Ok(vec![
        Figure::new(
            format!("NEMO, {lines} lines: parse and lower"),
            Unit::Milliseconds,
            Spread::of_times(&whole),
        )
        .floor("serde_json, the same content without places", Spread::of_times(&json))
        .floor("serde reads it as YAML", Spread::of_times(&yaml))
        .goal(Goal::AtMost(50.0))
        .note(written.sizes()),
        Figure::new(
            "NEMO: the same after one keystroke",
            Unit::Milliseconds,
            Spread::of_times(&keystrokes),
        )
        .floor("serde_json reads all of it again", Spread::of_times(&json))
        .floor("serde reads all of the YAML again", Spread::of_times(&yaml))
        .goal(Goal::AtMost(5.0)),
    ])
}

fn timed(what: impl FnOnce()) -> Duration {
    let begin = Instant::now();
    what();
    begin.elapsed()
}

fn keystroke(open: &mut Parse, range: std::ops::Range<usize>, text: &str) {
    open.edit(range, text);
    black_box(open.script());
}

fn script() -> Outcome<String> {
    let mut text = String::new();
    for service in 0..SERVICES {
        writeln!(
            text,
            "CREATE NodeModel leaf-{service} Property string: zone, integer: copies VNFD catalog:vnf-{service};"
        )?;
        writeln!(
            text,
            "  ConnectionPoint inside at VNFD:eth0;\n  ConnectionPoint outside at VNFD:eth1;\n"
        )?;
        writeln!(
            text,
            "CREATE NodeModel service-{service};\n  ConnectionPoint input;\n  ConnectionPoint output;"
        )?;
        for node in 0..4 {
            writeln!(
                text,
                "  Node node-{node} Type leaf-{service} Property zone: rack-{node}, copies: {node};"
            )?;
        }
        writeln!(text, "  Connection first Type p2p Endnodes input, node-0:inside;")?;
        for node in 0..3 {
            writeln!(
                text,
                "  Connection link-{node} Type p2p Endnodes node-{node}:outside, node-{}:inside;",
                node + 1
            )?;
        }
        writeln!(text, "  Connection last Type p2p Endnodes output, node-3:outside;")?;
        writeln!(text, "  Flow web Match src: 10.0.0.0/8, dst-port: 80;")?;
        writeln!(
            text,
            "  Operation through Target web Priority 10 Condition time > 08:00:00 Action go-through: node-0;"
        )?;
        writeln!(text, "CREATE Node run-{service} Type service-{service};\n")?;
    }
    Ok(text)
}
