//! Which box of a frame stands how far to the right, and on which border its ports are.

use super::Side;
use super::frame::Attached;
use std::collections::VecDeque;

/// A layer for each box: its distance from what the frame's first connection point leads to. What is not connected to that begins
/// at the left again.
pub(super) fn layers(count: usize, nets: &[Attached], first: Option<usize>) -> Vec<usize> {
    let mut nets_of: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (at, net) in nets.iter().enumerate() {
        for (child, _) in &net.children {
            nets_of[*child].push(at);
        }
    }
    let mut layer: Vec<Option<usize>> = vec![None; count];
    let mut is_seen = vec![false; nets.len()];
    let mut waiting: VecDeque<usize> = VecDeque::new();
    if let Some(net) = first {
        is_seen[net] = true;
        for (child, _) in &nets[net].children {
            layer[*child] = Some(0);
            waiting.push_back(*child);
        }
    }
    for start in 0..count {
        if layer[start].is_none() && waiting.is_empty() {
            layer[start] = Some(0);
            waiting.push_back(start);
        }
        while let Some(child) = waiting.pop_front() {
            let next = layer[child].map_or(0, |layer| layer + 1);
            for net in &nets_of[child] {
                if std::mem::replace(&mut is_seen[*net], true) {
                    continue;
                }
                for (other, _) in &nets[*net].children {
                    if layer[*other].is_none() {
                        layer[*other] = Some(next);
                        waiting.push_back(*other);
                    }
                }
            }
        }
        if layer[start].is_none() {
            layer[start] = Some(0);
            waiting.push_back(start);
        }
    }
    layer.into_iter().map(Option::unwrap_or_default).collect()
}

/// The border of the frame that a connection point is on: near to what it leads to.
pub(super) fn frame_side(number: usize, net: Option<&Attached>, layer: &[usize], last: usize) -> Side {
    let even = if number.is_multiple_of(2) {
        Side::Left
    } else {
        Side::Right
    };
    let Some(net) = net.filter(|net| !net.children.is_empty() && last > 0) else {
        return even;
    };
    let sum: usize = net.children.iter().map(|(child, _)| layer[*child]).sum();
    match (2 * sum).cmp(&(last * net.children.len())) {
        std::cmp::Ordering::Less => Side::Left,
        std::cmp::Ordering::Greater => Side::Right,
        std::cmp::Ordering::Equal => even,
    }
}

/// The border of a box that a port is on: towards the rest of its net.
pub(super) fn port_side(own: usize, number: usize, net: &Attached, layer: &[usize], last: usize) -> Side {
    let here = layer[own] as f64;
    let mut sum = 0.0;
    let mut count = 0.0;
    for (child, _) in net.children.iter().filter(|(child, _)| *child != own) {
        sum += layer[*child] as f64 - here;
        count += 1.0;
    }
    for (_, side) in &net.frame {
        sum += match side {
            Side::Left => -1.0 - here,
            Side::Right => last as f64 + 1.0 - here,
        };
        count += 1.0;
    }
    match (count > 0.0).then(|| sum / count) {
        Some(mean) if mean < 0.0 => Side::Left,
        Some(mean) if mean > 0.0 => Side::Right,
        Some(_) => Side::Right,
        None if number.is_multiple_of(2) => Side::Left,
        None => Side::Right,
    }
}
