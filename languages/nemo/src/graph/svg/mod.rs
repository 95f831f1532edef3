//! A picture of our own layout.
//!
//! ```text
//! inner frames first:  layers (boxes from left to right by their distance from the first connection point)
//!                        └─> order (few crossings) ─> heights (straight lines) ─> channels (a track for each net that bends)
//! then outside in:     frames, boxes, ports, lines, labels are drawn
//! ```

mod frame;
mod layers;
mod order;
mod route;

use crate::expand::{Graph, InstanceKind};
use frame::{Laid, lay};
use std::fmt::Write;

/// Space around the picture.
const MARGIN: f64 = 16.0;
const PORT: f64 = 8.0;

const STYLE: &str = "\
text{font-family:'DejaVu Sans','Segoe UI',Helvetica,Arial,sans-serif;fill:#1f2a3d}\
.title{font-size:13px;font-weight:600}.model{font-size:10.5px;fill:#66738a}\
.port{font-size:10.5px;fill:#35435c}.net{font-size:10px;font-style:italic;fill:#5a6a84}\
.frame{stroke:#9fb0cb;stroke-width:1.2}.leaf{fill:#fff;stroke:#2f5597;stroke-width:1.5}\
.folded{fill:#eaf0fb;stroke:#2f5597;stroke-width:1.5;stroke-dasharray:5 3}\
.wire{fill:none;stroke:#6b7c99;stroke-width:1.6;stroke-linejoin:round}\
.outer{stroke:#b4530f}.dot{fill:#6b7c99}.outerdot{fill:#b4530f}\
.pin{fill:#2f5597;stroke:#fff;stroke-width:1}.outerpin{fill:#b4530f;stroke:#fff;stroke-width:1}";

/// Fills of frames by depth.
const FILLS: [&str; 4] = ["#fbfcfe", "#f2f6fc", "#e8eff9", "#dfe8f5"];

/// Which border a port is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

/// The graph as an SVG document.
pub fn svg(graph: &Graph) -> String {
    let root = lay(graph);
    let (width, height) = (root.width + 2.0 * MARGIN, root.height + 2.0 * MARGIN);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\">\n<style>{STYLE}</style>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    let mut drawing = Drawing { graph, out: &mut out };
    drawing.frame(&root, MARGIN, MARGIN);
    out.push_str("</svg>\n");
    out
}

/// Width of a text of this size.
fn text_width(text: &str, size: f64) -> f64 {
    text.chars().count() as f64 * size * 0.62
}

struct Drawing<'a> {
    graph: &'a Graph,
    out: &'a mut String,
}

impl Drawing<'_> {
    fn frame(&mut self, laid: &Laid, x: f64, y: f64) {
        let instance = &self.graph.instances[laid.instance];
        let class = match instance.kind {
            InstanceKind::Leaf => "leaf",
            InstanceKind::Folded => "folded",
            InstanceKind::Open => "frame",
        };
        let fill = match instance.kind {
            InstanceKind::Open => format!(" fill=\"{}\"", FILLS[instance.depth % FILLS.len()]),
            _ => String::new(),
        };
        let _ = writeln!(
            self.out,
            "<rect class=\"{class}\"{fill} x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"6\"/>",
            laid.width, laid.height
        );
        if instance.kind == InstanceKind::Open {
            let title_width = text_width(&instance.label, 13.0);
            self.text("title", x + 12.0, y + 20.0, "start", &instance.label);
            if instance.model != instance.label {
                self.text("model", x + 20.0 + title_width, y + 20.0, "start", &instance.model);
            }
        } else {
            let middle = x + laid.width / 2.0;
            self.text("title", middle, y + 19.0, "middle", &instance.label);
            self.text("model", middle, y + 33.0, "middle", &instance.model);
        }
        for wire in &laid.wires {
            let class = if self.is_outer(wire.net) { "wire outer" } else { "wire" };
            let mut path = String::new();
            for line in &wire.lines {
                for (at, (px, py)) in line.iter().enumerate() {
                    let _ = write!(path, "{}{:.1} {:.1}", if at == 0 { 'M' } else { 'L' }, x + px, y + py);
                }
            }
            let _ = writeln!(self.out, "<path class=\"{class}\" d=\"{path}\"/>");
            let class = if self.is_outer(wire.net) { "outerdot" } else { "dot" };
            for (px, py) in &wire.dots {
                let _ = writeln!(
                    self.out,
                    "<circle class=\"{class}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"2.6\"/>",
                    x + px,
                    y + py
                );
            }
        }
        for (child, cx, cy) in &laid.children {
            self.frame(child, x + cx, y + cy);
        }
        for label in &laid.labels {
            self.text("net", x + label.x, y + label.y, "start", &label.text);
        }
        for port in &laid.ports {
            let (edge, anchor, text_x) = match port.side {
                Side::Left => (x, "start", x + PORT / 2.0 + 4.0),
                Side::Right => (x + laid.width, "end", x + laid.width - PORT / 2.0 - 4.0),
            };
            let class = match port.net {
                Some(net) if self.is_outer(net) => "outerpin",
                _ => "pin",
            };
            let _ = writeln!(
                self.out,
                "<rect class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{PORT}\" height=\"{PORT}\"/>",
                edge - PORT / 2.0,
                y + port.y - PORT / 2.0
            );
            // In a frame a line begins at the port: the name stands above it.
            let lift = if instance.kind == InstanceKind::Open { -4.0 } else { 3.6 };
            self.text("port", text_x, y + port.y + lift, anchor, &port.name);
        }
    }

    fn is_outer(&self, net: usize) -> bool {
        !self.graph.nets[net].points.is_empty()
    }

    fn text(&mut self, class: &str, x: f64, y: f64, anchor: &str, text: &str) {
        let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let anchor = if anchor == "start" {
            String::new()
        } else {
            format!(" text-anchor=\"{anchor}\"")
        };
        let _ = writeln!(
            self.out,
            "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\"{anchor}>{escaped}</text>"
        );
    }
}
