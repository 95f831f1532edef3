//! Nets of a body: what its connections and connection points join.
//!
//! A connection of type `p2p`, `p2mp` or `mesh` is one net of all of its ends. A `chain` is a net for each pair of neighbours in it,
//! except that two connection points of one node next to each other are the way through that node. A node that stands in the middle of
//! a chain without `:point`, and has exactly two connection points, is gone into by the first and out of by the second.
//!
//! What is on two nets makes them one: a net is a class of ends, and connections are what it is made of.

use std::collections::{BTreeMap, HashMap};

/// Where a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum End {
    /// A connection point of the body.
    Own(usize),
    /// A node's connection point: numbers of the node in the body and of the point in its model.
    Node(usize, usize),
}

/// A part of a connection whose ends are one net.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) connection: usize,
    /// Its number in a chain of several nets, from 1.
    pub(crate) number: Option<usize>,
    pub(crate) shape: Shape,
    pub(crate) ends: Vec<End>,
}

/// Shapes of connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Exactly two ends.
    PointToPoint,
    /// A root and leaves.
    PointToMultipoint,
    /// Each with each.
    Mesh,
    /// One after another.
    Chain,
}

impl Shape {
    pub(crate) const ALL: [(Shape, &'static str); 4] = [
        (Self::PointToPoint, "p2p"),
        (Self::PointToMultipoint, "p2mp"),
        (Self::Mesh, "mesh"),
        (Self::Chain, "chain"),
    ];

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, word)| word.eq_ignore_ascii_case(name))
            .map(|(shape, _)| *shape)
    }

    pub(crate) fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(shape, _)| *shape == self)
            .map_or("", |(_, word)| word)
    }
}

/// A net.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Net {
    /// Its segments, in the order of the text.
    pub(crate) segments: Vec<Segment>,
    /// Its ends, each once, in the order of the text.
    pub(crate) ends: Vec<End>,
}

impl Net {
    /// The connections, each once.
    pub(crate) fn connections(&self) -> Vec<usize> {
        let mut connections: Vec<usize> = self.segments.iter().map(|segment| segment.connection).collect();
        connections.dedup();
        connections
    }

    /// Its shape: that of its connection; of several, what their number of ends makes of it.
    pub(crate) fn shape(&self) -> Shape {
        match self.segments.as_slice() {
            [one] => one.shape,
            _ if self.ends.len() == 2 => Shape::PointToPoint,
            _ => Shape::Mesh,
        }
    }
}

/// Puts segments together that share an end. The nets are in the order of their first segments.
pub(crate) fn joined(segments: Vec<Segment>) -> Vec<Net> {
    let mut leader: Vec<usize> = (0..segments.len()).collect();
    let mut first_with: HashMap<End, usize> = HashMap::new();
    for (at, segment) in segments.iter().enumerate() {
        for end in &segment.ends {
            let other = *first_with.entry(*end).or_insert(at);
            let (a, b) = (root(&mut leader, at), root(&mut leader, other));
            // The earlier one leads, so that a net has the name of its first connection.
            leader[a.max(b)] = a.min(b);
        }
    }
    let mut nets: BTreeMap<usize, Net> = BTreeMap::new();
    let mut has_end: std::collections::HashSet<End> = std::collections::HashSet::new();
    for (at, segment) in segments.into_iter().enumerate() {
        let net = nets.entry(root(&mut leader, at)).or_insert_with(|| Net {
            segments: Vec::new(),
            ends: Vec::new(),
        });
        net.ends
            .extend(segment.ends.iter().copied().filter(|end| has_end.insert(*end)));
        net.segments.push(segment);
    }
    nets.into_values().collect()
}

fn root(leader: &mut [usize], mut at: usize) -> usize {
    while leader[at] != at {
        leader[at] = leader[leader[at]];
        at = leader[at];
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(connection: usize, ends: &[End]) -> Segment {
        Segment {
            connection,
            number: None,
            shape: Shape::PointToPoint,
            ends: ends.to_vec(),
        }
    }

    #[test]
    fn what_shares_an_end_is_one_net_however_late_that_shows() {
        let (a, b, c, d) = (End::Own(0), End::Node(0, 0), End::Node(1, 0), End::Node(1, 1));
        let nets = joined(vec![segment(0, &[a, b]), segment(1, &[c, d]), segment(2, &[b, c])]);
        assert_eq!(nets.len(), 1);
        assert_eq!(nets[0].ends, [a, b, c, d]);
        assert_eq!(nets[0].connections(), [0, 1, 2]);
        assert_eq!(nets[0].shape(), Shape::Mesh);
    }

    #[test]
    fn what_shares_nothing_stays_apart_in_the_order_of_the_text() {
        let nets = joined(vec![
            segment(4, &[End::Own(1), End::Own(2)]),
            segment(5, &[End::Own(3), End::Node(0, 0)]),
        ]);
        assert_eq!(nets.iter().map(Net::connections).collect::<Vec<_>>(), [[4], [5]]);
    }
}
