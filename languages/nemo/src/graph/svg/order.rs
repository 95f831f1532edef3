//! In which order, and at which height, the boxes of a layer stand.

use super::Side;
use super::frame::{Attached, Laid, PORT_STEP, Port};
use std::collections::BTreeMap;

/// What takes room in a layer.
#[derive(Debug, Clone)]
pub(super) enum Item {
    /// A box.
    Child {
        child: usize,
        y: f64,
        height: f64,
        gap: f64,
    },
    /// A net that passes through.
    Lane { net: usize, y: f64, height: f64 },
}

impl Item {
    fn y(&self) -> f64 {
        match self {
            Self::Child { y, .. } | Self::Lane { y, .. } => *y,
        }
    }

    fn put(&mut self, to: f64) {
        match self {
            Self::Child { y, .. } | Self::Lane { y, .. } => *y = to,
        }
    }

    /// Its height with the gap below it.
    fn room(&self) -> f64 {
        match self {
            Self::Child { height, gap, .. } => height + gap,
            Self::Lane { height, .. } => height + 8.0,
        }
    }

    /// (net, height of the end on it from the top of the item) of its ends.
    fn ends(&self, within: &[Laid], local: &[Vec<Option<usize>>]) -> Vec<(usize, f64)> {
        match self {
            Self::Lane { net, height, .. } => vec![(*net, height / 2.0)],
            Self::Child { child, .. } => {
                let ports = within[*child].ports.iter().zip(&local[*child]);
                ports.filter_map(|(port, net)| Some(((*net)?, port.y))).collect()
            }
        }
    }
}

const SWEEPS: usize = 6;

/// Orders and places everything; gives the height at which the lowest ends.
pub(super) fn arrange(
    columns: &mut [Vec<Item>],
    within: &mut [Laid],
    nets: &[Attached],
    ports: &mut [Port],
    top: f64,
) -> f64 {
    let mut local: Vec<Vec<Option<usize>>> = within.iter().map(|laid| vec![None; laid.ports.len()]).collect();
    for (at, net) in nets.iter().enumerate() {
        for (child, port) in &net.children {
            local[*child][*port] = Some(at);
        }
    }
    let mut frame_net: Vec<Option<usize>> = vec![None; ports.len()];
    for (at, net) in nets.iter().enumerate() {
        for (port, _) in &net.frame {
            frame_net[*port] = Some(at);
        }
    }
    spread(ports, top);
    for column in columns.iter_mut() {
        stack(column);
    }
    for sweep in 0..SWEEPS {
        let forward = sweep % 2 == 0;
        let order: Vec<usize> = if forward {
            (0..columns.len()).collect()
        } else {
            (0..columns.len()).rev().collect()
        };
        for at in order {
            let means = means(columns, within, ports, &local, &frame_net, Some(at));
            let wished = |item: &Item| {
                let ends = item.ends(within, &local);
                let known: Vec<f64> = ends.iter().filter_map(|(net, y)| Some(means.get(net)? - y)).collect();
                if known.is_empty() {
                    item.y()
                } else {
                    known.iter().sum::<f64>() / known.len() as f64
                }
            };
            let mut items: Vec<(f64, Item)> = columns[at].iter().map(|item| (wished(item), item.clone())).collect();
            if sweep < SWEEPS - 2 {
                items.sort_by(|(one, _), (other, _)| one.total_cmp(other));
            }
            columns[at] = settle(items);
        }
        if sweep < SWEEPS - 2 {
            sort_ports(columns, within, ports, &local, &frame_net);
        }
        let means = means(columns, within, ports, &local, &frame_net, None);
        settle_ports(ports, &frame_net, &means);
    }
    let least_item = columns.iter().flatten().map(Item::y);
    let least_port = ports.iter().map(|port| port.y - PORT_STEP / 2.0);
    let least = least_item.chain(least_port).fold(f64::INFINITY, f64::min);
    let shift = if least.is_finite() { top - least } else { 0.0 };
    ports.iter_mut().for_each(|port| port.y += shift);
    let mut bottom = ports
        .iter()
        .map(|port| port.y + PORT_STEP / 2.0)
        .fold(top + 20.0, f64::max);
    for item in columns.iter_mut().flatten() {
        item.put(item.y() + shift);
        let height = match item {
            Item::Child { height, .. } | Item::Lane { height, .. } => *height,
        };
        bottom = bottom.max(item.y() + height);
    }
    bottom
}

fn stack(column: &mut [Item]) {
    let mut y = 0.0;
    for item in column {
        item.put(y);
        y += item.room();
    }
}

/// Ports of the frame below each other.
fn spread(ports: &mut [Port], top: f64) {
    let mut next = [top; 2];
    for port in ports {
        let next = &mut next[usize::from(port.side == Side::Right)];
        port.y = *next;
        *next += PORT_STEP;
    }
}

/// The mean height of each net's ends: of all in the layers, or, for one layer, of those beside it.
fn means(
    columns: &[Vec<Item>],
    within: &[Laid],
    ports: &[Port],
    local: &[Vec<Option<usize>>],
    frame_net: &[Option<usize>],
    beside: Option<usize>,
) -> BTreeMap<usize, f64> {
    let mut sums: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
    let mut add = |net: usize, y: f64| {
        let (sum, count) = sums.entry(net).or_default();
        *sum += y;
        *count += 1.0;
    };
    let near = match beside {
        None => 0..columns.len(),
        Some(own) => own.saturating_sub(1)..(own + 2).min(columns.len()),
    };
    for at in near.filter(|at| beside != Some(*at)) {
        for item in &columns[at] {
            item.ends(within, local)
                .into_iter()
                .for_each(|(net, y)| add(net, item.y() + y));
        }
    }
    for (port, net) in ports.iter().zip(frame_net) {
        let is_near = beside.is_some_and(|own| match port.side {
            Side::Left => own == 0,
            Side::Right => own + 1 == columns.len(),
        });
        if let Some(net) = net.filter(|_| is_near) {
            add(net, port.y);
        }
    }
    sums.into_iter().map(|(net, (sum, count))| (net, sum / count)).collect()
}

/// As near to the wished heights as the order and the room allow.
fn settle(items: Vec<(f64, Item)>) -> Vec<Item> {
    let mut placed: Vec<Item> = Vec::with_capacity(items.len());
    let mut next = f64::NEG_INFINITY;
    let mut off = 0.0;
    let count = items.len().max(1) as f64;
    for (wished, mut item) in items {
        let y = wished.max(next);
        off += y - wished;
        item.put(y);
        next = y + item.room();
        placed.push(item);
    }
    // What was pushed down is pushed down by half only, together with what is above it.
    let shift = off / count;
    for item in &mut placed {
        item.put(item.y() - shift);
    }
    placed
}

fn settle_ports(ports: &mut [Port], frame_net: &[Option<usize>], means: &BTreeMap<usize, f64>) {
    for side in [Side::Left, Side::Right] {
        let mut order: Vec<(f64, usize)> = ports
            .iter()
            .enumerate()
            .filter(|(_, port)| port.side == side)
            .map(|(at, port)| {
                (
                    frame_net[at].and_then(|net| means.get(&net).copied()).unwrap_or(port.y),
                    at,
                )
            })
            .collect();
        order.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
        let mut next = f64::NEG_INFINITY;
        for (wished, at) in order {
            ports[at].y = wished.max(next);
            next = ports[at].y + PORT_STEP;
        }
    }
}

/// Ports of boxes in the order of what they lead to. Those of frames inside stay where their inside has them.
fn sort_ports(
    columns: &[Vec<Item>],
    within: &mut [Laid],
    ports: &[Port],
    local: &[Vec<Option<usize>>],
    frame_net: &[Option<usize>],
) {
    for (at, column) in columns.iter().enumerate() {
        let means = means(columns, within, ports, local, frame_net, Some(at));
        for item in column {
            let Item::Child { child, .. } = item else { continue };
            if !within[*child].children.is_empty() {
                continue;
            }
            for side in [Side::Left, Side::Right] {
                let laid = &mut within[*child];
                let mut heights: Vec<f64> = Vec::new();
                let mut order: Vec<(f64, usize)> = Vec::new();
                for (number, port) in laid.ports.iter().enumerate().filter(|(_, port)| port.side == side) {
                    heights.push(port.y);
                    let mean = local[*child][number].and_then(|net| means.get(&net).copied());
                    order.push((mean.unwrap_or(f64::INFINITY), number));
                }
                heights.sort_by(f64::total_cmp);
                order.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
                for ((_, number), y) in order.into_iter().zip(heights) {
                    laid.ports[number].y = y;
                }
            }
        }
    }
}
