//! Graphviz.

use super::{children, is_box, is_line};
use crate::expand::{Graph, GraphEnd};
use std::fmt::Write;

/// The graph in Graphviz' language: composites are clusters, a net with more than two ends is a node of its own.
pub fn dot(graph: &Graph) -> String {
    let mut out = String::from(
        "graph service {\n  rankdir=LR;\n  fontname=\"sans-serif\";\n  node [shape=box, fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\", fontsize=10];\n",
    );
    let inside = children(graph);
    let mut nets_of: Vec<Vec<usize>> = vec![Vec::new(); graph.instances.len()];
    for (at, net) in graph.nets.iter().enumerate().filter(|(_, net)| !is_line(net)) {
        nets_of[net.scope].push(at);
    }
    // Clusters are opened and closed in the order of the instances, which come with what is inside them behind them.
    let mut waiting: Vec<Step> = vec![Step::Open(0)];
    while let Some(step) = waiting.pop() {
        let (at, is_open) = match step {
            Step::Open(at) => (at, true),
            Step::Close(at) => (at, false),
        };
        let instance = &graph.instances[at];
        let pad = "  ".repeat(instance.depth.max(1));
        if !is_open {
            let _ = writeln!(out, "{pad}}}");
            continue;
        }
        if is_box(graph, at) {
            let _ = writeln!(
                out,
                "{pad}i{at} [label=\"{}\\n{}\"];",
                quoted(&instance.label),
                quoted(&instance.model)
            );
            continue;
        }
        if at > 0 {
            let _ = writeln!(out, "{pad}subgraph cluster_{at} {{");
            let _ = writeln!(
                out,
                "{pad}  label=\"{} ({})\";",
                quoted(&instance.label),
                quoted(&instance.model)
            );
            waiting.push(Step::Close(at));
        }
        for net in &nets_of[at] {
            let name = &graph.nets[*net].parts[0].name;
            let _ = writeln!(
                out,
                "{pad}  n{net} [shape=ellipse, fontsize=10, label=\"{}\"];",
                quoted(name)
            );
        }
        waiting.extend(inside[at].iter().rev().map(|child| Step::Open(*child)));
    }
    for (at, net) in graph.nets.iter().enumerate() {
        if is_line(net) {
            let [one, other] = [&net.ends[0], &net.ends[1]];
            let _ = writeln!(
                out,
                "  i{} -- i{} [label=\"{}\", taillabel=\"{}\", headlabel=\"{}\"];",
                one.instance,
                other.instance,
                quoted(&net.parts[0].name),
                quoted(&one.point),
                quoted(&other.point)
            );
            continue;
        }
        for (number, point) in net.points.iter().enumerate() {
            let _ = writeln!(out, "  p{at}_{number} [shape=plaintext, label=\"{}\"];", quoted(point));
            let _ = writeln!(out, "  p{at}_{number} -- n{at};");
        }
        for GraphEnd { instance, point } in &net.ends {
            let _ = writeln!(out, "  n{at} -- i{instance} [headlabel=\"{}\"];", quoted(point));
        }
    }
    out.push_str("}\n");
    out
}

enum Step {
    Open(usize),
    Close(usize),
}

fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace(['\n', '\r'], " ")
}
