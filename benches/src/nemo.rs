//! NEMO: a script of ten thousand lines is read, and read again after one keystroke.

use crate::figure::{Figure, Goal, Spread, Unit};
use crate::stage::{self, Outcome};
use manifold_nemo_syntax::{Parse, ParseOptions, parse};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// A leaf, a composite of four nodes and an instance of it: 20 lines each.
const SERVICES: u32 = 500;
const ROUNDS: u32 = 30;

pub(crate) fn run() {
    stage::report(measure);
}

/// What is read as fast as anything can be that gives typed values: the same content as JSON, by serde.
#[derive(Deserialize)]
struct Document {
    models: Vec<Model>,
}

#[derive(Deserialize)]
struct Model {
    name: String,
    members: Vec<Member>,
}

#[derive(Deserialize)]
struct Member {
    kind: String,
    name: String,
    #[serde(default)]
    ends: Vec<String>,
    #[serde(default)]
    properties: BTreeMap<String, String>,
}

fn measure() -> Outcome<Vec<Figure>> {
    let text = script()?;
    let json = document(&text)?;
    let lines = text.lines().count();
    let (mut whole, mut floor) = (vec![], vec![]);
    for round in 0..=ROUNDS {
        let took = timed(|| {
            black_box(parse(&text, ParseOptions::default()).script());
        });
        let begin = Instant::now();
        black_box(read(&json)?);
        let bare = begin.elapsed();
        if round > 0 {
            whole.push(took);
            floor.push(bare);
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
        .floor(
            "serde_json, the same names and ends, without places",
            Spread::of_times(&floor),
        )
        .goal(Goal::AtMost(50.0))
        .note("no YAML reader for serde is among our crates; JSON is the harder floor"),
        Figure::new(
            "NEMO: the same after one keystroke",
            Unit::Milliseconds,
            Spread::of_times(&keystrokes),
        )
        .floor("serde_json reads all of it again", Spread::of_times(&floor))
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

fn read(json: &str) -> Outcome<usize> {
    let document: Document = serde_json::from_str(json)?;
    let members = document.models.iter().flat_map(|model| &model.members);
    let length = |member: &Member| member.kind.len() + member.name.len() + member.ends.len() + member.properties.len();
    let names: usize = document.models.iter().map(|model| model.name.len()).sum();
    Ok(names + members.map(length).sum::<usize>())
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

/// The models of a script as JSON.
fn document(text: &str) -> Outcome<String> {
    use manifold_nemo_syntax::script::{Entity, Statement};
    let parse = parse(text, ParseOptions::default());
    let member = |entity: &Entity| match entity {
        Entity::Node(node) => {
            let model = node.model.iter().flat_map(|path| &path.segments).map(|name| &name.text);
            let properties = node.properties.iter().map(|property| (&property.key.text, "rack-0"));
            let properties: BTreeMap<_, _> = properties.collect();
            serde_json::json!({
                "kind": "Node", "name": node.name.text, "ends": model.collect::<Vec<_>>(), "properties": properties,
            })
        }
        Entity::Connection(connection) => {
            let ends = connection.ends.iter().map(|path| {
                let names: Vec<&str> = path.segments.iter().map(|name| name.text.as_str()).collect();
                names.join(":")
            });
            serde_json::json!({
                "kind": "Connection", "name": connection.name.text, "ends": ends.collect::<Vec<_>>(),
            })
        }
        Entity::Flow(flow) => serde_json::json!({ "kind": "Flow", "name": flow.name.text }),
        Entity::Operation(operation) => serde_json::json!({ "kind": "Operation", "name": operation.name.text }),
        Entity::ConnectionPoint(point) => serde_json::json!({ "kind": "ConnectionPoint", "name": point.name.text }),
    };
    let models = parse
        .script()
        .statements
        .iter()
        .filter_map(|statement| match statement {
            Statement::Model(model) => {
                let members: Vec<_> = model.members.iter().map(member).collect();
                Some(serde_json::json!({ "name": model.name.text, "members": members }))
            }
            _ => None,
        });
    let document = serde_json::json!({ "models": models.collect::<Vec<_>>() });
    Ok(serde_json::to_string(&document)?)
}
