//! What crosses the socket.

use bytes::Bytes;
use manifold_call::{CallError, Context, Outcome, Role};
use manifold_nfvi_interface::{
    Capabilities, Changes, ConsoleAsk, Cursor, Filter, ObjectId, ProbeAsk, ProbeSeen, Report, Seen, Wish,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio_util::codec::LengthDelimitedCodec;

/// The protocol that this crate speaks. Raised when an older peer would misread a frame.
pub const PROTOCOL: u32 = 1;

/// Largest frame, without its length: about twenty thousand wishes.
pub const FRAME_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Calls that one connection may have running: reconcile loops of a handful of managers, each with a few dozen.
pub const CALLS_MAX: usize = 128;

/// How much earlier the inner of two deadlines is: a round trip on this machine takes well below a millisecond, a busy one ten.
pub(crate) const TRANSIT: Duration = Duration::from_millis(25);

/// For the hello to come, and to be answered.
pub(crate) const HELLO: Duration = Duration::from_secs(5);

/// From a client.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FromClient {
    /// The first frame, and only the first.
    Hello {
        /// See [`PROTOCOL`].
        protocol: u32,
        /// In which role all calls of this connection are made.
        role: Role,
    },
    /// A call.
    Call {
        /// Chosen by the client; not one that is still running.
        id: u64,
        /// Of the call.
        context: Context,
        /// The operation and its argument.
        ask: Ask,
    },
    /// Nobody waits for this call any more.
    Cancel {
        /// Which.
        id: u64,
    },
}

/// From the server.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FromServer {
    /// The hello was accepted.
    Welcome {
        /// See [`PROTOCOL`].
        protocol: u32,
    },
    /// The last frame: why the server closes the connection.
    Goodbye {
        /// Why.
        error: CallError,
    },
    /// A call has ended.
    Answer {
        /// Which.
        id: u64,
        /// How.
        outcome: Outcome<Answer>,
    },
}

/// An operation of the interface with its argument.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "operation", content = "ask")]
pub enum Ask {
    /// `ensure`
    Ensure(Vec<Wish>),
    /// `remove`
    Remove(Vec<ObjectId>),
    /// `observe`
    Observe(Filter),
    /// `changes`
    Changes(Cursor),
    /// `console`
    Console(ConsoleAsk),
    /// `probe`
    Probe(ProbeAsk),
    /// `capabilities`
    Capabilities,
}

/// An operation's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "operation", content = "answer")]
pub enum Answer {
    /// `ensure`
    Ensure(Vec<Report>),
    /// `remove`
    Remove(Vec<Report>),
    /// `observe`
    Observe(Vec<Seen>),
    /// `changes`
    Changes(Changes),
    /// `console`
    Console(String),
    /// `probe`
    Probe(ProbeSeen),
    /// `capabilities`
    Capabilities(Capabilities),
}

impl Ask {
    /// The operation's name in the interface.
    pub fn operation(&self) -> &'static str {
        match self {
            Ask::Ensure(_) => "ensure",
            Ask::Remove(_) => "remove",
            Ask::Observe(_) => "observe",
            Ask::Changes(_) => "changes",
            Ask::Console(_) => "console",
            Ask::Probe(_) => "probe",
            Ask::Capabilities => "capabilities",
        }
    }
}

pub(crate) fn codec() -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder()
        .max_frame_length(FRAME_BYTES_MAX)
        .new_codec()
}

/// Why a message does not become a frame.
pub(crate) enum Unframable {
    /// It has no JSON form.
    Json(serde_json::Error),
    /// It is longer than a frame holds: this many bytes.
    TooLong(usize),
}

pub(crate) fn encode(message: &impl Serialize) -> Result<Bytes, Unframable> {
    let bytes = serde_json::to_vec(message).map_err(Unframable::Json)?;
    match bytes.len() {
        length if length > FRAME_BYTES_MAX => Err(Unframable::TooLong(length)),
        _ => Ok(bytes.into()),
    }
}

/// The same context, with an end that lies a little before `cx`'s own.
pub(crate) fn inner_context(cx: &Context) -> Context {
    let left = cx.deadline.remaining();
    cx.clone().within(left.saturating_sub(TRANSIT).max(left / 2))
}
