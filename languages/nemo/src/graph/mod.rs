//! Pictures of a service: its instances as boxes, composites as frames around what is in them, connection points on the borders, nets
//! as lines.
//!
//! ```text
//! Service ──expand (folded to a depth)──> Graph ──┬─> json     all of it, for programs
//!                                                 ├─> dot      for Graphviz
//!                                                 ├─> mermaid  for documents that draw it themselves
//!                                                 └─> svg      laid out here
//! ```
//! The same graph gives the same bytes.

mod dot;
mod mermaid;
mod svg;

use crate::expand::{Graph, GraphNet, InstanceKind};

pub use dot::dot;
pub use mermaid::mermaid;
pub use svg::svg;

/// The graph as JSON.
pub fn json(graph: &Graph) -> String {
    let mut text = serde_json::to_string_pretty(graph).expect("a graph is plain data with text keys");
    text.push('\n');
    text
}

/// Instances directly inside of each instance.
fn children(graph: &Graph) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new(); graph.instances.len()];
    for (at, instance) in graph.instances.iter().enumerate() {
        if let Some(parent) = instance.parent {
            all[parent].push(at);
        }
    }
    all
}

fn is_box(graph: &Graph, at: usize) -> bool {
    graph.instances[at].kind != InstanceKind::Open
}

/// A net that is a plain line between two boxes.
fn is_line(net: &GraphNet) -> bool {
    net.ends.len() == 2 && net.points.is_empty()
}
