//! A frame laid out: where its boxes, ports, lines and labels are.

use super::layers::{frame_side, layers, port_side};
use super::order::{Item, arrange};
use super::route::{Channels, route};
use super::{Side, text_width};
use crate::expand::{Graph, InstanceKind};
use crate::graph::children;

const TITLE: f64 = 42.0;
const FRAME_TITLE: f64 = 34.0;
pub(super) const PORT_STEP: f64 = 22.0;
const GAP: f64 = 26.0;
const LANE: f64 = 14.0;

/// An instance with its place and what is in it, measured from its upper left corner.
pub(super) struct Laid {
    pub(super) instance: usize,
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) ports: Vec<Port>,
    pub(super) children: Vec<(Laid, f64, f64)>,
    pub(super) wires: Vec<Wire>,
    pub(super) labels: Vec<Label>,
}

impl Laid {
    /// The same with left and right exchanged.
    fn mirror(&mut self) {
        let width = self.width;
        for port in &mut self.ports {
            port.side = match port.side {
                Side::Left => Side::Right,
                Side::Right => Side::Left,
            };
        }
        for (child, x, _) in &mut self.children {
            *x = width - *x - child.width;
            child.mirror();
        }
        for wire in &mut self.wires {
            let lines = wire.lines.iter_mut().flatten();
            lines.chain(&mut wire.dots).for_each(|(x, _)| *x = width - *x);
        }
        for label in &mut self.labels {
            label.x = width - label.x - text_width(&label.text, 10.0);
        }
    }
}

/// A connection point on a border.
#[derive(Debug, Clone)]
pub(super) struct Port {
    pub(super) name: String,
    pub(super) net: Option<usize>,
    pub(super) side: Side,
    pub(super) y: f64,
}

/// The lines of a net in one frame.
#[derive(Debug, Default)]
pub(super) struct Wire {
    pub(super) net: usize,
    pub(super) lines: Vec<Vec<(f64, f64)>>,
    pub(super) dots: Vec<(f64, f64)>,
}

/// A net's name.
#[derive(Debug)]
pub(super) struct Label {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) text: String,
}

/// A net as one frame sees it.
#[derive(Debug, Default)]
pub(super) struct Attached {
    /// Index in the graph.
    pub(super) net: usize,
    /// Its name in this frame.
    pub(super) name: String,
    /// (child, index of its port).
    pub(super) children: Vec<(usize, usize)>,
    /// (connection point of the frame, border).
    pub(super) frame: Vec<(usize, Side)>,
}

/// The whole graph, inner frames first.
pub(super) fn lay(graph: &Graph) -> Laid {
    let inside = children(graph);
    let mut names: Vec<Vec<(usize, &str)>> = vec![Vec::new(); graph.instances.len()];
    for (at, net) in graph.nets.iter().enumerate() {
        for part in &net.parts {
            names[part.instance].push((at, &part.name));
        }
    }
    let mut done: Vec<Option<Laid>> = (0..graph.instances.len()).map(|_| None).collect();
    // What is inside has a higher number than what it is in.
    for at in (0..graph.instances.len()).rev() {
        let laid = if graph.instances[at].kind == InstanceKind::Open {
            let within: Vec<Laid> = inside[at].iter().filter_map(|child| done[*child].take()).collect();
            frame(graph, at, within, &names[at])
        } else {
            leaf(graph, at)
        };
        done[at] = Some(laid);
    }
    done[0].take().expect("a graph has a root")
}

/// A box whose ports get their borders from the frame that it is in.
fn leaf(graph: &Graph, at: usize) -> Laid {
    let instance = &graph.instances[at];
    let port = |point: &crate::expand::InstancePoint| Port {
        name: point.name.clone(),
        net: point.net,
        side: Side::Left,
        y: 0.0,
    };
    Laid {
        instance: at,
        width: 0.0,
        height: 0.0,
        ports: instance.points.iter().map(port).collect(),
        children: Vec::new(),
        wires: Vec::new(),
        labels: Vec::new(),
    }
}

/// Puts the ports of a box in their order and gives it the size that it needs.
fn size(graph: &Graph, laid: &mut Laid) {
    let instance = &graph.instances[laid.instance];
    let mut counts = [0usize; 2];
    let mut widths = [0f64; 2];
    for port in &laid.ports {
        let side = usize::from(port.side == Side::Right);
        counts[side] += 1;
        widths[side] = widths[side].max(text_width(&port.name, 10.5));
    }
    let rows = counts[0].max(counts[1]).max(1);
    let title = text_width(&instance.label, 13.0).max(text_width(&instance.model, 10.5)) + 24.0;
    laid.width = title.max(widths[0] + widths[1] + 44.0).max(96.0);
    laid.height = TITLE + rows as f64 * PORT_STEP + 8.0;
    let mut next = counts.map(|count| TITLE + (rows - count.min(rows)) as f64 * PORT_STEP / 2.0 + PORT_STEP / 2.0);
    for port in &mut laid.ports {
        let next = &mut next[usize::from(port.side == Side::Right)];
        port.y = *next;
        *next += PORT_STEP;
    }
}

fn frame(graph: &Graph, at: usize, mut within: Vec<Laid>, names: &[(usize, &str)]) -> Laid {
    let instance = &graph.instances[at];
    let mut nets: Vec<Attached> = Vec::new();
    let mut index: std::collections::BTreeMap<usize, usize> = std::collections::BTreeMap::new();
    for (net, name) in names {
        index.entry(*net).or_insert_with(|| {
            nets.push(Attached {
                net: *net,
                name: (*name).to_owned(),
                ..Attached::default()
            });
            nets.len() - 1
        });
    }
    for (child, laid) in within.iter().enumerate() {
        for (number, port) in laid.ports.iter().enumerate() {
            if let Some(at) = port.net.and_then(|net| index.get(&net)) {
                nets[*at].children.push((child, number));
            }
        }
    }
    let local = |net: Option<usize>| net.and_then(|net| index.get(&net).copied());
    let first = instance.points.iter().find_map(|point| local(point.net));
    let layer = layers(within.len(), &nets, first);
    let last = layer.iter().copied().max().unwrap_or(0);
    let mut ports: Vec<Port> = Vec::new();
    for (number, point) in instance.points.iter().enumerate() {
        let net = local(point.net);
        let side = frame_side(number, net.map(|net| &nets[net]), &layer, last);
        if let Some(net) = net {
            nets[net].frame.push((number, side));
        }
        ports.push(Port {
            name: point.name.clone(),
            net: point.net,
            side,
            y: 0.0,
        });
    }
    for (child, laid) in within.iter_mut().enumerate() {
        if graph.instances[laid.instance].kind == InstanceKind::Open {
            let turned = laid.ports.iter().enumerate().map(|(number, port)| {
                let net = port.net.and_then(|net| index.get(&net)).map(|net| &nets[*net]);
                let wished = net.map(|net| port_side(child, number, net, &layer, last));
                wished.map_or(0, |wished| if wished == port.side { -1 } else { 1 })
            });
            if turned.sum::<i32>() > 0 {
                laid.mirror();
            }
            continue;
        }
        for (number, port) in laid.ports.iter_mut().enumerate() {
            let unconnected = Attached::default();
            let net = port
                .net
                .and_then(|net| index.get(&net))
                .map_or(&unconnected, |net| &nets[*net]);
            port.side = port_side(child, number, net, &layer, last);
        }
        size(graph, laid);
    }
    let mut columns = columns(&within, &nets, &layer, last);
    let top = FRAME_TITLE + 14.0;
    let bottom = arrange(&mut columns, &mut within, &nets, &mut ports, top);
    let Channels {
        columns: xs,
        width,
        wires,
        labels,
    } = route(&columns, &within, &nets, &ports);
    let mut laid = Laid {
        instance: at,
        width: width.max(text_width(&instance.label, 13.0) + text_width(&instance.model, 10.5) + 44.0),
        height: bottom + 20.0,
        ports,
        children: Vec::new(),
        wires,
        labels,
    };
    let mut places: Vec<(f64, f64)> = vec![(0.0, 0.0); within.len()];
    for (column, x) in columns.iter().zip(&xs) {
        for item in column {
            if let Item::Child { child, y, .. } = item {
                places[*child] = (x.0 + (x.1 - within[*child].width) / 2.0, *y);
            }
        }
    }
    laid.children = within
        .into_iter()
        .zip(places)
        .map(|(child, (x, y))| (child, x, y))
        .collect();
    laid
}

/// Boxes by layer, and lanes for the nets that pass by them.
fn columns(within: &[Laid], nets: &[Attached], layer: &[usize], last: usize) -> Vec<Vec<Item>> {
    let mut columns: Vec<Vec<Item>> = vec![Vec::new(); if within.is_empty() { 0 } else { last + 1 }];
    for (child, laid) in within.iter().enumerate() {
        columns[layer[child]].push(Item::Child {
            child,
            y: 0.0,
            height: laid.height,
            gap: GAP,
        });
    }
    for (at, net) in nets.iter().enumerate() {
        let of_children = net
            .children
            .iter()
            .map(|(child, port)| match within[*child].ports[*port].side {
                Side::Left => layer[*child],
                Side::Right => layer[*child] + 1,
            });
        let of_frame = net.frame.iter().map(|(_, side)| match side {
            Side::Left => 0,
            Side::Right => columns.len(),
        });
        let channels: Vec<usize> = of_children.chain(of_frame).collect();
        let (Some(least), Some(most)) = (channels.iter().min(), channels.iter().max()) else {
            continue;
        };
        for column in &mut columns[*least..*most] {
            column.push(Item::Lane {
                net: at,
                y: 0.0,
                height: LANE,
            });
        }
    }
    columns
}
