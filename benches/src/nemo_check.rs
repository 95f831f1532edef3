//! NEMO: a script of ten thousand lines is read and checked, and checked again after one keystroke in its middle.

use crate::figure::{Figure, Goal, Spread, Unit};
use crate::nemo_content::Written;
use crate::stage::{self, Outcome};
use manifold_nemo::check::{Checker, Options, Source, check};
use manifold_nemo::leaf::{Leaf, LeafError, LeafSource};
use manifold_nemo_syntax::{Parse, ParseOptions};
use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Composites of 14 lines each in ten thousand lines; each has the one before it inside, up to this depth.
const COMPOSITES: usize = 700;
const DEPTH: usize = 40;
/// Nodes at the top in ten thousand lines, a line each.
const NODES: usize = 190;
const ROUNDS: u32 = 30;

const VNFD: &str = "vnf:
  name: firewall
  external-connections:
  - { name: mgmt, type: mgmt, VNFC: vm, local_iface_name: eth0 }
  - { name: in, type: data, VNFC: vm, local_iface_name: eth1 }
  - { name: out, type: data, VNFC: vm, local_iface_name: eth2 }
  VNFC:
  - name: vm
    VNFC image: https://images.example/firewall.qcow2
    vcpus: 1
    ram: 256
    bridge-ifaces: [ { name: eth0 }, { name: eth1 }, { name: eth2 } ]
";

pub(crate) fn run() {
    stage::report(measure);
}

/// One descriptor, whatever the address.
pub(crate) struct Any(Arc<Leaf>);

impl Any {
    pub(crate) fn new() -> Outcome<Self> {
        let leaf = Leaf::read("catalog:firewall", "firewall.yaml", VNFD.as_bytes()).map_err(|error| error.message)?;
        Ok(Self(Arc::new(leaf)))
    }
}

impl LeafSource for Any {
    fn leaf(&self, _: &str, _: Option<&str>) -> Result<Arc<Leaf>, LeafError> {
        Ok(Arc::clone(&self.0))
    }
}

fn measure() -> Outcome<Vec<Figure>> {
    let leaves = Any::new()?;
    let text = script(1)?;
    let lines = text.lines().count();
    let options = Options::default();
    let written = Written::of(&text)?;

    let (mut whole, mut parses, mut services) = (vec![], vec![], vec![]);
    let (mut json, mut yaml) = (vec![], vec![]);
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        let parse = Parse::new(text.clone(), ParseOptions::default());
        parse.script();
        parses.push(begin.elapsed());
        let checked = check(&[source(&parse)], &leaves, &options);
        whole.push(begin.elapsed());
        if parse.has_errors() || !checked.diagnostics.is_empty() {
            return Err(format!("the script has faults: {:?}", checked.diagnostics.first()).into());
        }
        let begin = Instant::now();
        black_box(checked.service()).map_err(|found| format!("{found:?}"))?;
        services.push(begin.elapsed());
        let begin = Instant::now();
        let content = written.read_json()?;
        json.push(begin.elapsed());
        drop(black_box(content));
        let begin = Instant::now();
        let content = written.read_yaml()?;
        yaml.push(begin.elapsed());
        drop(black_box(content));
    }

    let mut open = Parse::new(text.clone(), ParseOptions::default());
    let mut checker = Checker::default();
    checker.check(&[source(&open)], &leaves, &options);
    let middle = text.len() / 2;
    let at = middle + text[middle..].find("dstport: 8").ok_or("there is no port")? + "dstport: 8".len();
    let (mut keystrokes, mut edits) = (vec![], vec![]);
    for round in 0..2 * ROUNDS {
        let begin = Instant::now();
        match round % 2 {
            0 => open.edit(at..at, "1"),
            _ => open.edit(at..at + 1, ""),
        }
        open.script();
        edits.push(begin.elapsed());
        black_box(checker.check(&[source(&open)], &leaves, &options));
        keystrokes.push(begin.elapsed());
        if checker.looked_at() != 1 {
            return Err(format!("{} bodies were looked at", checker.looked_at()).into());
        }
    }
    let milliseconds = |times: &[Duration]| Spread::of_times(times).median;
    Ok(vec![
        Figure::new(
            format!("NEMO, {lines} lines: parse and check"),
            Unit::Milliseconds,
            Spread::of_times(&whole),
        )
        .floor("parse alone", Spread::of_times(&parses))
        .floor("serde_json reads the same content", Spread::of_times(&json))
        .floor("serde reads it as YAML", Spread::of_times(&yaml))
        .goal(Goal::AtMost(50.0))
        .note(written.sizes())
        .note(format!(
            "the service is put together in {:.2} ms more",
            milliseconds(&services)
        )),
        Figure::new(
            "NEMO: parse and check after one keystroke",
            Unit::Milliseconds,
            Spread::of_times(&keystrokes),
        )
        .floor("parse alone", Spread::of_times(&edits))
        .goal(Goal::AtMost(5.0)),
    ])
}

pub(crate) fn source(parse: &Parse) -> Source<'_> {
    Source {
        file: parse.options().file,
        text: parse.text(),
        script: parse.script(),
    }
}

/// So many times ten thousand lines.
pub(crate) fn script(times: usize) -> Outcome<String> {
    let mut text = String::from(
        "CREATE NodeModel fw VNFD catalog:firewall;
  ConnectionPoint a at VNFD:in;
  ConnectionPoint b at VNFD:out;
  ConnectionPoint m at VNFD:mgmt;

",
    );
    for at in 0..times * COMPOSITES {
        let inner = match at % DEPTH {
            0 => "fw".to_owned(),
            _ => format!("m{} Property place: place", at - 1),
        };
        write!(
            text,
            "CREATE NodeModel m{at} Property string: place;
  Node first Type fw Property location: place;
  Node second Type fw Property location: north;
  Node third Type {inner};
  ConnectionPoint a;
  ConnectionPoint b;
  ConnectionPoint m;
  Connection in Type p2p Endnodes a, first:a;
  Connection out Type p2p Endnodes third:b, b Property bandwidth: 10(mbps);
  Connection middle Type chain Endnodes first:b, second:a, second:b, third:a;
  Connection manage Type mesh Endnodes m, first:m, second:m, third:m;
  Flow web Match proto: tcp, dstport: 80;
  Operation o Target web Priority 3 Condition time > 08:00:00 Action go-through: [first, second];

"
        )?;
    }
    for at in 0..times * NODES {
        writeln!(text, "CREATE Node n{at} Type m{at} Property place: south;")?;
    }
    Ok(text)
}
