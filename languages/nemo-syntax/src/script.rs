//! What a script says, before names are looked up: the parsed statements without layout, each part with its place.
//!
//! ```text
//! Script ─< Statement ─┬─ Model ─< Entity
//!                      ├─ Instance (CREATE, IMPORT, UPDATE) ── Entity ── Node | Connection | Flow | Operation | ConnectionPoint
//!                      ├─ Delete, Query, Transaction
//!                      └─ Reserved (OLD: understood as syntax, without effect)
//! ```
//! A part that is missing or could not be read is `None` or left out; the parser has told of it.

use crate::diagnostic::Span;

/// A script.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Script {
    /// In the order of the text.
    pub statements: Vec<Statement>,
}

/// A statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Statement {
    /// A NodeModel is defined.
    Model(Model),
    /// Something is made, bound or changed.
    Instance {
        /// CREATE, IMPORT or UPDATE.
        verb: Verb,
        /// What.
        entity: Entity,
        /// The whole statement.
        span: Span,
    },
    /// Something is taken away.
    Delete {
        /// Of what kind.
        kind: DeleteKind,
        /// Which.
        path: Path,
        /// The whole statement.
        span: Span,
    },
    /// A question about the live world.
    Query {
        /// What is asked: `nodes`, `Property`, a name.
        what: Name,
        /// Of what; `None`: of the whole service.
        from: Option<Path>,
        /// The whole statement.
        span: Span,
    },
    /// Bounds of a transaction.
    Transaction {
        /// Begin, End, Commit, Withdraw.
        bound: TransactionBound,
        /// The whole statement.
        span: Span,
    },
    /// `Notification n On e Every p RegisterListener l`, parsed and reserved.
    Notification {
        /// Its name.
        name: Name,
        /// On what.
        on: Option<Name>,
        /// Period in seconds.
        every: Option<u64>,
        /// To whom.
        listener: Option<Name>,
        /// The whole statement.
        span: Span,
    },
    /// A statement of an older form of the language: parsed, told of, without effect.
    Reserved {
        /// Its keyword.
        keyword: Name,
        /// The whole statement.
        span: Span,
    },
}

/// What is done with an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Made.
    Create,
    /// Bound to what exists.
    Import,
    /// Changed.
    Update,
}

/// What a DELETE takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the language's keywords")]
pub enum DeleteKind {
    Node,
    Connection,
    Flow,
    Operation,
    ConnectionPoint,
    NodeModel,
    TemplateInstance,
    TemplateDefinition,
}

/// A bound of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionBound {
    /// What follows happens wholly or not at all.
    Begin,
    /// The transaction ends and comes true.
    End,
    /// The same, by another word.
    Commit,
    /// The transaction ends without effect.
    Withdraw,
}

/// A name as it stands in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The name.
    pub text: String,
    /// Where.
    pub span: Span,
}

/// `a`, `a:b`, `a.b.c`: names on the way to something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// At least one.
    pub segments: Vec<Name>,
    /// The whole path.
    pub span: Span,
}

/// A node model: a leaf (it has a descriptor) or a composite (it has members), or, wrongly, both.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// CREATE, IMPORT (a synonym here) or UPDATE.
    pub verb: Verb,
    /// Its name.
    pub name: Name,
    /// Parameters.
    pub parameters: Vec<Parameter>,
    /// The VNF descriptor of a leaf.
    pub descriptor: Option<DescriptorRef>,
    /// The body.
    pub members: Vec<Entity>,
    /// The whole definition with its body.
    pub span: Span,
}

/// `string: location-fw`.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its type; `None` when it is not one of the language's (told of).
    pub kind: Option<ParameterKind>,
    /// Its name.
    pub name: Name,
    /// Both.
    pub span: Span,
}

/// The type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// Two whole numbers.
    Range,
    /// Reserved: `Boolean`, `Date`, `UUID`, `EthAddr`, `IPPrefix`.
    Reserved,
}

/// `VNFD <uri> [Digest sha256:...]`.
#[derive(Debug, Clone, PartialEq)]
pub struct DescriptorRef {
    /// The address, without the brackets, quotes and white space that may stand around and in it.
    pub uri: String,
    /// Where it stands.
    pub span: Span,
    /// `sha256:` and 64 hexadecimal digits: what the descriptor must hash to.
    pub digest: Option<Name>,
}

/// A member of a body, or what a statement makes.
#[derive(Debug, Clone, PartialEq)]
pub enum Entity {
    /// A node.
    Node(Node),
    /// A connection.
    Connection(Connection),
    /// A flow.
    Flow(Flow),
    /// An operation.
    Operation(Operation),
    /// A connection point.
    ConnectionPoint(ConnectionPoint),
}

/// `Node n Type m Property k: v`.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Its name.
    pub name: Name,
    /// Its model.
    pub model: Option<Path>,
    /// Nodes that it holds.
    pub contain: Vec<Path>,
    /// Properties: arguments of the model's parameters.
    pub properties: Vec<Property>,
    /// The whole of it.
    pub span: Span,
}

/// `Connection c Type p2p Endnodes a, b:c Property k: v`.
#[derive(Debug, Clone, PartialEq)]
pub struct Connection {
    /// Its name.
    pub name: Name,
    /// Its shape; a word that is no shape stays, for the checker to tell of.
    pub shape: Option<Name>,
    /// What it joins.
    pub ends: Vec<Path>,
    /// Properties.
    pub properties: Vec<Property>,
    /// The whole of it.
    pub span: Span,
}

/// `Flow f Match k: v Property k: v`.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    /// Its name.
    pub name: Name,
    /// What a packet must have to be of it.
    pub matches: Vec<Property>,
    /// Properties.
    pub properties: Vec<Property>,
    /// The whole of it.
    pub span: Span,
}

/// `Operation o Target t Priority 1 Condition c Action a: v`.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// Its name.
    pub name: Name,
    /// The flow, node or connection that it acts on.
    pub target: Option<Path>,
    /// Higher goes first.
    pub priority: Option<(u64, Span)>,
    /// When.
    pub condition: Option<Condition>,
    /// What, in order.
    pub actions: Vec<Action>,
    /// The whole of it.
    pub span: Span,
}

/// `go-through: fw`, `block`.
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    /// Its name.
    pub name: Name,
    /// With what.
    pub value: Option<Value>,
    /// Both.
    pub span: Span,
}

/// `ConnectionPoint p [at VNFD:iface]`.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnectionPoint {
    /// Its name.
    pub name: Name,
    /// The descriptor's interface: `iface`, `iface.VNFC` or `VNFC/iface`; or the name of a parameter that names it.
    pub interface: Option<Name>,
    /// The whole of it.
    pub span: Span,
}

/// `key: value`.
#[derive(Debug, Clone, PartialEq)]
pub struct Property {
    /// What.
    pub key: Name,
    /// How.
    pub value: Value,
    /// Both.
    pub span: Span,
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// What.
    pub kind: ValueKind,
    /// The unit in brackets behind it.
    pub unit: Option<Name>,
    /// The whole of it.
    pub span: Span,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub enum ValueKind {
    /// A word, a quoted text, an address, a date…: as it stands, without quotes.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// `[a, b]`.
    List(Vec<Value>),
    /// `(1, 5)`.
    Range(i64, i64),
}

/// When an operation holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// One of them.
    Any(Vec<Condition>),
    /// All of them.
    All(Vec<Condition>),
    /// Not that.
    Not(Box<Condition>),
    /// A comparison.
    Term {
        /// What is compared: `time`, `date`, or a measured state.
        name: Name,
        /// How.
        comparison: Comparison,
        /// With what.
        value: Value,
        /// The whole term.
        span: Span,
    },
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "they say what they are")]
pub enum Comparison {
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    /// `*`: within a range.
    Between,
}
