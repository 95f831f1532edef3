//! A service put together: each composite once per set of arguments, with its nodes, nets, points and rules; leaves shared.
//!
//! ```text
//! Service ── root ──> Composite ─┬─< NodeUse ──> Composite | LeafUse
//!                                ├─< Net ──< End (node, its connection point)
//!                                ├─< Point ──> Net                 (what the outside can connect to)
//!                                └─< Rule (a Flow with the Operations on it)
//! ```
//! The size is that of the script, not that of what it makes: a model that is used a thousand times stands here once.
//!
//! A point of a composite is an alias of the net inside: where the composite is used and the point is connected, the inner net and
//! the outer one are one net. The root composite is the script itself: its top-level nodes, connections and points. What a top-level
//! node leaves unconnected is a point of the root (`node-point`).

use crate::leaf::Leaf;
use manifold_nemo_syntax::diagnostic::Span;
use manifold_nemo_syntax::script::{Condition, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A service.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// Index of the root in [`Self::composites`].
    pub root: usize,
    /// Inner ones before those that use them.
    pub composites: Vec<Composite>,
    /// The leaves.
    pub leaves: Vec<LeafUse>,
}

/// A composite model with one set of arguments.
#[derive(Debug, Clone, PartialEq)]
pub struct Composite {
    /// Readable, unique, and stable: the model's name, with a number behind it where it is used with several sets of arguments.
    pub name: String,
    /// The model's name.
    pub model: String,
    /// Arguments by parameter.
    pub arguments: BTreeMap<String, Value>,
    /// In the order of the text.
    pub nodes: Vec<NodeUse>,
    /// In the order of the text.
    pub nets: Vec<Net>,
    /// In the order of the text.
    pub points: Vec<Point>,
    /// By falling priority, then in the order of the text.
    pub rules: Vec<Rule>,
    /// Where the model is defined.
    pub span: Span,
}

/// A leaf model with one set of arguments.
#[derive(Debug, Clone, PartialEq)]
pub struct LeafUse {
    /// As [`Composite::name`].
    pub name: String,
    /// The model's name.
    pub model: String,
    /// Its descriptor.
    pub leaf: Arc<Leaf>,
    /// Connection points by name, with the index of their interface in [`Leaf::interfaces`].
    pub points: BTreeMap<String, usize>,
    /// Arguments by parameter.
    pub arguments: BTreeMap<String, Value>,
    /// Where the model is defined.
    pub span: Span,
}

/// A node of a composite.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeUse {
    /// Its name in the composite.
    pub name: String,
    /// What it is.
    pub of: ModelUse,
    /// Its properties, those of the model's parameters included. `location: pop` says where it goes.
    pub properties: BTreeMap<String, Value>,
    /// Where it stands.
    pub span: Span,
}

/// What a node is an instance of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ModelUse {
    /// Index in [`Service::composites`].
    Composite(usize),
    /// Index in [`Service::leaves`].
    Leaf(usize),
}

/// A net of a composite: what its connections and points join.
#[derive(Debug, Clone, PartialEq)]
pub struct Net {
    /// The first connection's name; the point's, where there is no connection.
    pub name: String,
    /// All connections that are this net, the first one first.
    pub connections: Vec<String>,
    /// `p2p`, `p2mp` or `mesh`. A connection of type `chain` is a `p2p` net for each pair of neighbours in it.
    pub shape: String,
    /// Nodes' connection points on it, in the order of the text.
    pub ends: Vec<End>,
    /// Indices in [`Composite::points`]: what of the outside it is. A net that has any is external.
    pub points: Vec<usize>,
    /// `bandwidth: 10(mbps)`, `ipprefix: 10.0.0.0/24`, `provider: …`.
    pub properties: BTreeMap<String, Value>,
    /// Where its first connection stands.
    pub span: Span,
}

/// A connection point of a node of the same composite.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct End {
    /// Index in [`Composite::nodes`].
    pub node: usize,
    /// The connection point of its model.
    pub point: String,
}

/// A connection point of a composite.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Its name.
    pub name: String,
    /// Index in [`Composite::nets`]; `None`: nothing inside is connected to it (told of).
    pub net: Option<usize>,
    /// Where it stands.
    pub span: Span,
}

/// What happens to the packets of a flow.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// The operation's name.
    pub name: String,
    /// The flow's name; `None`: the operation's target is a node or a net, and all its packets are meant.
    pub flow: Option<String>,
    /// The target when it is not a flow.
    pub target: Option<RuleTarget>,
    /// What a packet must have.
    pub classifier: Classifier,
    /// Higher goes first.
    pub priority: u64,
    /// When.
    pub condition: Option<Condition>,
    /// What happens.
    pub effects: Vec<Effect>,
    /// Where the operation stands.
    pub span: Span,
}

/// What an operation acts on when that is not a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleTarget {
    /// Index in [`Composite::nodes`].
    Node(usize),
    /// Index in [`Composite::nets`].
    Net(usize),
}

/// What a packet must have, as far as it is said. Addresses are prefixes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Classifier {
    /// `srcip`.
    pub source: Option<String>,
    /// `dstip`.
    pub destination: Option<String>,
    /// `proto`: `tcp`, `udp`, `icmp` or a number.
    pub protocol: Option<String>,
    /// `srcport`, first and last.
    pub source_ports: Option<(u16, u16)>,
    /// `dstport`, first and last.
    pub destination_ports: Option<(u16, u16)>,
    /// `srcmac`.
    pub source_mac: Option<String>,
    /// `dstmac`.
    pub destination_mac: Option<String>,
    /// `ethtype`.
    pub ether_type: Option<u16>,
}

/// What happens to packets.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// They pass these nodes (indices in [`Composite::nodes`]) in this order: (node, connection point that they go in by, the one
    /// that they come out by). `None`: the node has one net that fits, and it is found.
    GoThrough(Vec<(usize, Option<String>, Option<String>)>),
    /// They are dropped.
    Block,
    /// They pass, whatever a rule of lower priority says.
    Allow,
    /// At most so many bits per second of them pass.
    Bandwidth(u64),
    /// They leave before packets of lower priority: 0 (last) to 7 (first).
    Precedence(u8),
}
