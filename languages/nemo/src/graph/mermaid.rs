//! Mermaid.

use super::{children, is_box, is_line};
use crate::expand::Graph;
use std::fmt::Write;

/// The graph as a Mermaid flowchart: composites are subgraphs, a net with more than two ends is a node of its own.
pub fn mermaid(graph: &Graph) -> String {
    let mut out = String::from("flowchart LR\n");
    let inside = children(graph);
    let mut nets_of: Vec<Vec<usize>> = vec![Vec::new(); graph.instances.len()];
    for (at, net) in graph.nets.iter().enumerate().filter(|(_, net)| !is_line(net)) {
        nets_of[net.scope].push(at);
    }
    // (instance, whether it is left)
    let mut waiting: Vec<(usize, bool)> = vec![(0, false)];
    while let Some((at, is_left)) = waiting.pop() {
        let instance = &graph.instances[at];
        let pad = "  ".repeat(instance.depth.max(1));
        if is_left {
            let _ = writeln!(out, "{pad}end");
            continue;
        }
        if is_box(graph, at) {
            let _ = writeln!(
                out,
                "{pad}i{at}[\"{}<br/><i>{}</i>\"]",
                quoted(&instance.label),
                quoted(&instance.model)
            );
            continue;
        }
        if at > 0 {
            let _ = writeln!(
                out,
                "{pad}subgraph i{at}[\"{} ({})\"]",
                quoted(&instance.label),
                quoted(&instance.model)
            );
            waiting.push((at, true));
        }
        for net in &nets_of[at] {
            let _ = writeln!(out, "{pad}  n{net}((\"{}\"))", quoted(&graph.nets[*net].parts[0].name));
        }
        waiting.extend(inside[at].iter().rev().map(|child| (*child, false)));
    }
    for (at, net) in graph.nets.iter().enumerate() {
        if is_line(net) {
            let [one, other] = [&net.ends[0], &net.ends[1]];
            let label = format!("{} · {} · {}", one.point, net.parts[0].name, other.point);
            let _ = writeln!(
                out,
                "  i{} ---|\"{}\"| i{}",
                one.instance,
                quoted(&label),
                other.instance
            );
            continue;
        }
        for (number, point) in net.points.iter().enumerate() {
            let _ = writeln!(out, "  p{at}_{number}([\"{}\"]) --- n{at}", quoted(point));
        }
        for end in &net.ends {
            let _ = writeln!(out, "  n{at} ---|\"{}\"| i{}", quoted(&end.point), end.instance);
        }
    }
    out
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => out.push_str("#quot;"),
            '#' => out.push_str("#35;"),
            '<' => out.push_str("#lt;"),
            '>' => out.push_str("#gt;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
