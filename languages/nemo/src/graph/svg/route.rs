//! Lines: between layers there are channels, in a channel each net that bends has a track of its own.

use super::frame::{Attached, Label, Laid, Port, Wire};
use super::order::Item;
use super::{Side, text_width};

const TRACK: f64 = 12.0;
const EDGE: f64 = 14.0;
const NET_SIZE: f64 = 10.0;
const PORT_SIZE: f64 = 10.5;

/// Where the layers are, and what goes between them.
pub(super) struct Channels {
    /// Left border and width of each layer.
    pub(super) columns: Vec<(f64, f64)>,
    pub(super) width: f64,
    pub(super) wires: Vec<Wire>,
    pub(super) labels: Vec<Label>,
}

/// An end of a net in a channel.
#[derive(Debug, Clone, Copy)]
struct End {
    net: usize,
    y: f64,
    /// Whether it comes from the left.
    is_left: bool,
    /// The box that it is at; `None`: a lane or the frame's border.
    child: Option<usize>,
}

struct Channel {
    ends: Vec<End>,
    /// Track of each net that bends here.
    tracks: Vec<(usize, usize)>,
    track_count: usize,
    /// Room for labels on both sides of the tracks, names of the frame's ports counted.
    rooms: [f64; 2],
    /// Room for the names of the frame's ports alone.
    names: [f64; 2],
}

pub(super) fn route(columns: &[Vec<Item>], within: &[Laid], nets: &[Attached], ports: &[Port]) -> Channels {
    let mut channels = ends(columns, within, nets, ports);
    let labelled = choose_labels(&mut channels, nets, ports);
    let mut xs: Vec<(f64, f64)> = Vec::with_capacity(columns.len());
    let mut starts: Vec<f64> = Vec::with_capacity(channels.len());
    let mut x = 0.0;
    for (at, channel) in channels.iter().enumerate() {
        starts.push(x);
        let tracks = channel.track_count as f64 * TRACK;
        x += (channel.rooms[0] + channel.rooms[1] + tracks + 2.0 * EDGE).max(40.0);
        if let Some(column) = columns.get(at) {
            let width = column.iter().map(|item| match item {
                Item::Child { child, .. } => within[*child].width,
                Item::Lane { .. } => 0.0,
            });
            let width = width.fold(0.0, f64::max);
            xs.push((x, width));
            x += width;
        }
    }
    let mut wires: Vec<Wire> = nets
        .iter()
        .map(|net| Wire {
            net: net.net,
            ..Wire::default()
        })
        .collect();
    let mut labels = Vec::new();
    for (at, channel) in channels.iter().enumerate() {
        let end_x = starts.get(at + 1).map_or(x, |_| xs[at].0);
        let edge = |end: &End| {
            let (column, is_left) = if end.is_left {
                (at.checked_sub(1), true)
            } else {
                (Some(at), false)
            };
            let inner = end.child.and_then(|child| {
                let (left, width) = xs[column?];
                let gap = (width - within[child].width) / 2.0;
                Some(if is_left { left + width - gap } else { left + gap })
            });
            inner.unwrap_or(if end.is_left { starts[at] } else { end_x })
        };
        for of in channel.ends.chunk_by(|one, other| one.net == other.net) {
            let (first, net) = (&of[0], of[0].net);
            let wire = &mut wires[net];
            let track = channel
                .tracks
                .iter()
                .find(|(of, _)| *of == net)
                .map(|(_, track)| *track);
            match track {
                None => {
                    let from = of.iter().map(&edge).fold(f64::INFINITY, f64::min);
                    let to = of.iter().map(&edge).fold(f64::NEG_INFINITY, f64::max);
                    wire.lines.push(vec![(from, first.y), (to, first.y)]);
                }
                Some(track) => {
                    let track_x = starts[at] + EDGE + channel.rooms[0] + (track as f64 + 0.5) * TRACK;
                    let ys = || of.iter().map(|end| end.y);
                    let (least, most) = (
                        ys().fold(f64::INFINITY, f64::min),
                        ys().fold(f64::NEG_INFINITY, f64::max),
                    );
                    wire.lines.push(vec![(track_x, least), (track_x, most)]);
                    for end in of {
                        wire.lines.push(vec![(edge(end), end.y), (track_x, end.y)]);
                        let both = of.iter().filter(|other| (other.y - end.y).abs() < 0.5).count() > 1;
                        if (end.y > least + 0.5 && end.y < most - 0.5) || both {
                            wire.dots.push((track_x, end.y));
                        }
                    }
                }
            }
        }
        for (net, is_left) in labelled
            .iter()
            .filter(|(of, _, _)| *of == at)
            .map(|(_, net, left)| (*net, *left))
        {
            let Some(end) = channel.ends.iter().find(|end| end.net == net && end.is_left == is_left) else {
                continue;
            };
            let text = nets[net].name.clone();
            let x = if is_left {
                starts[at] + EDGE + channel.names[0] - 6.0
            } else {
                end_x - EDGE - channel.names[1] + 6.0 - text_width(&text, NET_SIZE)
            };
            labels.push(Label {
                x,
                y: end.y - 4.0,
                text,
            });
        }
    }
    // Lanes join what comes into a layer with what leaves it.
    for (at, column) in columns.iter().enumerate() {
        let (left, width) = xs[at];
        for item in column {
            if let Item::Lane { net, y, height } = item {
                let y = y + height / 2.0;
                wires[*net].lines.push(vec![(left, y), (left + width, y)]);
            }
        }
    }
    wires.retain(|wire| !wire.lines.is_empty());
    Channels {
        columns: xs,
        width: x,
        wires,
        labels,
    }
}

/// What ends in each channel, and the tracks that it needs.
fn ends(columns: &[Vec<Item>], within: &[Laid], nets: &[Attached], ports: &[Port]) -> Vec<Channel> {
    let mut all: Vec<Vec<End>> = vec![Vec::new(); columns.len() + 1];
    let mut tops = vec![0.0; within.len()];
    let mut column_of = vec![0; within.len()];
    for (at, column) in columns.iter().enumerate() {
        for item in column {
            match item {
                Item::Child { child, y, .. } => {
                    tops[*child] = *y;
                    column_of[*child] = at;
                }
                Item::Lane { net, y, height } => {
                    let end = |is_left| End {
                        net: *net,
                        y: y + height / 2.0,
                        is_left,
                        child: None,
                    };
                    all[at].push(end(false));
                    all[at + 1].push(end(true));
                }
            }
        }
    }
    for (at, net) in nets.iter().enumerate() {
        for (child, port) in &net.children {
            let port = &within[*child].ports[*port];
            let is_left = port.side == Side::Right;
            all[column_of[*child] + usize::from(is_left)].push(End {
                net: at,
                y: tops[*child] + port.y,
                is_left,
                child: Some(*child),
            });
        }
        for (port, side) in &net.frame {
            let is_left = *side == Side::Left;
            let channel = if is_left { 0 } else { columns.len() };
            all[channel].push(End {
                net: at,
                y: ports[*port].y,
                is_left,
                child: None,
            });
        }
    }
    all.into_iter().map(channel).collect()
}

fn channel(mut ends: Vec<End>) -> Channel {
    ends.sort_by(|one, other| one.net.cmp(&other.net).then(one.y.total_cmp(&other.y)));
    let mut bends: Vec<(f64, f64, usize)> = Vec::new();
    for of in ends.chunk_by(|one, other| one.net == other.net) {
        let (least, most) = (of[0].y, of[of.len() - 1].y);
        if most - least > 0.5 || of.len() == 1 && of[0].child.is_some() {
            bends.push((least, most, of[0].net));
        }
    }
    bends.retain(|(least, most, _)| most - least > 0.5);
    bends.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.total_cmp(&other.1)));
    let mut free_from: Vec<f64> = Vec::new();
    let mut tracks = Vec::new();
    for (least, most, net) in bends {
        let track = free_from
            .iter()
            .position(|free| *free + 6.0 < least)
            .unwrap_or(free_from.len());
        if track == free_from.len() {
            free_from.push(most);
        } else {
            free_from[track] = most;
        }
        tracks.push((net, track));
    }
    Channel {
        ends,
        tracks,
        track_count: free_from.len(),
        rooms: [0.0; 2],
        names: [0.0; 2],
    }
}

/// One place for the name of each net: (channel, net, whether on the left).
fn choose_labels(channels: &mut [Channel], nets: &[Attached], ports: &[Port]) -> Vec<(usize, usize, bool)> {
    let last = channels.len() - 1;
    for port in ports {
        let (channel, side) = match port.side {
            Side::Left => (0, 0),
            Side::Right => (last, 1),
        };
        let names = &mut channels[channel].names[side];
        *names = names.max(text_width(&port.name, PORT_SIZE) + 12.0);
    }
    let mut ends_of: Vec<Vec<(usize, End)>> = vec![Vec::new(); nets.len()];
    for (at, channel) in channels.iter().enumerate() {
        channel.ends.iter().for_each(|end| ends_of[end.net].push((at, *end)));
    }
    let mut chosen = Vec::new();
    for (at, net) in nets.iter().enumerate() {
        // The name of a port says it already.
        if net.frame.iter().any(|(port, _)| ports[*port].name == net.name) {
            continue;
        }
        let place = |wants_box: bool, is_left: bool| {
            let fits = |(_, end): &&(usize, End)| end.is_left == is_left && (end.child.is_some() || !wants_box);
            ends_of[at].iter().find(fits).map(|(channel, _)| *channel)
        };
        let found = place(true, true).map(|channel| (channel, true));
        let found = found.or_else(|| place(true, false).map(|channel| (channel, false)));
        let found = found.or_else(|| place(false, true).map(|channel| (channel, true)));
        if let Some((channel, is_left)) = found {
            chosen.push((channel, at, is_left));
        }
    }
    chosen.sort_unstable();
    for (channel, net, is_left) in &chosen {
        let room = &mut channels[*channel].rooms[usize::from(!*is_left)];
        *room = room.max(text_width(&nets[*net].name, NET_SIZE));
    }
    for channel in channels.iter_mut() {
        for side in [0, 1] {
            channel.rooms[side] += channel.names[side];
        }
    }
    chosen
}
