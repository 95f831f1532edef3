//! One connection, seen from the server: hello, then calls side by side until the peer goes, misbehaves, or we stop.

use crate::frame::{
    Answer, Ask, CALLS_MAX, FRAME_BYTES_MAX, FromClient, FromServer, HELLO, PROTOCOL, Unframable, codec, encode,
    inner_context,
};
use crate::server::Allowed;
use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt, SinkExt, StreamExt};
use manifold_call::{CallError, Context, Outcome};
use manifold_nfvi_interface::Infrastructure;
use std::collections::HashMap;
use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::codec::{FramedRead, FramedWrite, LengthDelimitedCodec};

type Reader = FramedRead<OwnedReadHalf, LengthDelimitedCodec>;
type Writer = FramedWrite<OwnedWriteHalf, LengthDelimitedCodec>;

/// Answers that wait for the peer to read; further calls keep theirs to themselves until there is room.
const ANSWERS_QUEUED: usize = 16;

/// For a peer to take one frame. One that is slower is cut off.
const WRITE: Duration = Duration::from_secs(10);

/// For the last frame: what is told is worth no longer wait, and the peer's calls are gone already.
const FAREWELL: Duration = Duration::from_secs(1);

/// Why a conversation ended, where that is worth telling the peer.
enum End {
    /// It went away, or can take nothing more.
    Gone,
    /// It broke the protocol, or may not be here, or we stop.
    Refused(CallError),
}

pub(crate) async fn converse(
    stream: UnixStream,
    infrastructure: Arc<dyn Infrastructure>,
    allowed: Arc<Allowed>,
    stopped: watch::Receiver<bool>,
) {
    let peer = stream.peer_cred();
    let (read, write) = stream.into_split();
    let (mut reader, mut writer) = (FramedRead::new(read, codec()), FramedWrite::new(write, codec()));
    let uid = match peer {
        Ok(credentials) => credentials.uid(),
        Err(error) => {
            tracing::warn!(%error, "The kernel does not tell who connected.");
            return;
        }
    };
    let end = match hello(&mut reader, uid, &allowed).await {
        Err(end) => end,
        Ok(()) => match write_frame(&mut writer, &FromServer::Welcome { protocol: PROTOCOL }).await {
            Err(end) => end,
            Ok(()) => {
                let (answers, queue) = mpsc::channel(ANSWERS_QUEUED);
                let calls = Calls {
                    infrastructure,
                    answers,
                    running: HashMap::new(),
                    tasks: JoinSet::new(),
                };
                tokio::select! {
                    end = calls.run(&mut reader, stopped) => end,
                    end = write_answers(&mut writer, queue) => end,
                }
            }
        },
    };
    if let End::Refused(error) = end {
        tracing::warn!(uid, ?error, "A connection was closed by us.");
        let farewell = FromServer::Goodbye { error };
        let told = tokio::time::timeout(FAREWELL, write_frame(&mut writer, &farewell)).await;
        if !matches!(told, Ok(Ok(()))) {
            tracing::debug!(uid, "The peer was gone before it was told why.");
        }
    }
}

async fn hello(reader: &mut Reader, uid: u32, allowed: &Allowed) -> Result<(), End> {
    let first = tokio::time::timeout(HELLO, reader.next()).await;
    let frame = first.map_err(|_| End::Refused(CallError::timed_out("no hello came in time")))?;
    match decode(frame)? {
        FromClient::Hello { protocol, .. } if protocol != PROTOCOL => Err(End::Refused(
            CallError::unsupported(format!("the agent speaks protocol {PROTOCOL}, not {protocol}"))
                .cure("run agent and control plane of the same version"),
        )),
        FromClient::Hello { role, .. } if !allowed.permits(uid, role) => Err(End::Refused(CallError::forbidden(
            format!("the user {uid} may not connect to the agent as {role}"),
        ))),
        FromClient::Hello { .. } => Ok(()),
        FromClient::Call { .. } | FromClient::Cancel { .. } => Err(End::Refused(CallError::unauthenticated(
            "the first frame has to be a hello",
        ))),
    }
}

fn decode(frame: Option<io::Result<BytesMut>>) -> Result<FromClient, End> {
    match frame {
        None => Err(End::Gone),
        Some(Ok(bytes)) => serde_json::from_slice(&bytes)
            .map_err(|error| End::Refused(CallError::invalid(format!("a frame is not understood: {error}")))),
        Some(Err(error)) if error.kind() == io::ErrorKind::InvalidData => Err(End::Refused(CallError::invalid(
            format!("a frame is larger than {FRAME_BYTES_MAX} bytes"),
        ))),
        Some(Err(_)) => Err(End::Gone),
    }
}

async fn write_frame(writer: &mut Writer, message: &FromServer) -> Result<(), End> {
    let bytes = encode(message).map_err(|_| End::Gone)?;
    send(writer, bytes).await
}

async fn send(writer: &mut Writer, bytes: Bytes) -> Result<(), End> {
    match tokio::time::timeout(WRITE, writer.send(bytes)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(End::Gone),
        Err(_) => {
            tracing::warn!("A peer does not read its answers; it is cut off.");
            Err(End::Gone)
        }
    }
}

/// Ends when the peer takes nothing more, or when every answer was written and no call is left that could give one.
async fn write_answers(writer: &mut Writer, mut queue: mpsc::Receiver<Bytes>) -> End {
    while let Some(bytes) = queue.recv().await {
        if let Err(end) = send(writer, bytes).await {
            return end;
        }
    }
    End::Refused(CallError::unavailable("the agent stops"))
}

/// The calls of one connection. Dropping it drops them all.
struct Calls {
    infrastructure: Arc<dyn Infrastructure>,
    answers: mpsc::Sender<Bytes>,
    running: HashMap<u64, Running>,
    tasks: JoinSet<u64>,
}

struct Running {
    abort: AbortHandle,
    /// A wait for changes: it has nothing to finish when we stop.
    waits: bool,
}

impl Calls {
    async fn run(mut self, reader: &mut Reader, mut stopped: watch::Receiver<bool>) -> End {
        loop {
            tokio::select! {
                _ = stopped.wait_for(|stopped| *stopped) => break,
                Some(ended) = self.tasks.join_next(), if !self.tasks.is_empty() => {
                    // A cancelled one was forgotten when it was cancelled.
                    if let Ok(id) = ended {
                        self.running.remove(&id);
                    }
                }
                frame = reader.next() => match decode(frame) {
                    Err(end) => return end,
                    Ok(message) => if let Err(end) = self.take(message) {
                        return end;
                    },
                },
            }
        }
        for running in self.running.values().filter(|running| running.waits) {
            running.abort.abort();
        }
        while self.tasks.join_next().await.is_some() {}
        // Without senders the writer ends when it has written what is queued, and with it the conversation.
        drop(self);
        std::future::pending().await
    }

    fn take(&mut self, message: FromClient) -> Result<(), End> {
        match message {
            FromClient::Hello { .. } => Err(End::Refused(CallError::invalid("a second hello"))),
            FromClient::Cancel { id } => {
                if let Some(running) = self.running.remove(&id) {
                    running.abort.abort();
                }
                Ok(())
            }
            FromClient::Call { id, .. } if self.running.contains_key(&id) => Err(End::Refused(CallError::invalid(
                format!("the call {id} is still running"),
            ))),
            FromClient::Call { id, .. } if self.running.len() >= CALLS_MAX => {
                let outcome = Err(CallError::unavailable(format!("more than {CALLS_MAX} calls at once")));
                let refusal = encode(&FromServer::Answer { id, outcome }).unwrap_or_default();
                self.answers
                    .try_send(refusal)
                    .map_err(|_| End::Refused(CallError::unavailable("too many calls, and their answers are not read")))
            }
            FromClient::Call { id, context, ask } => {
                let waits = matches!(ask, Ask::Changes(_));
                let (infrastructure, answers) = (self.infrastructure.clone(), self.answers.clone());
                let abort = self.tasks.spawn(async move {
                    let bytes = answer(id, &*infrastructure, context, ask).await;
                    // The connection ends with the writer, so there is nobody to tell if it is gone.
                    answers.send(bytes).await.ok();
                    id
                });
                self.running.insert(id, Running { abort, waits });
                Ok(())
            }
        }
    }
}

async fn answer(id: u64, infrastructure: &dyn Infrastructure, context: Context, ask: Ask) -> Bytes {
    let operation = ask.operation();
    let inner = inner_context(&context);
    let in_time = !context.deadline.remaining().is_zero();
    let called = AssertUnwindSafe(async {
        // Nobody waits any more for what is late already.
        if in_time {
            call(infrastructure, &inner, ask).await
        } else {
            std::future::pending().await
        }
    })
    .catch_unwind();
    let outcome = match tokio::time::timeout(context.deadline.remaining(), called).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Err(CallError::internal(format!(
            "the agent's {operation} panicked; its log says more"
        ))),
        Err(_) => Err(CallError::timed_out(format!(
            "the agent did not finish {operation} in time"
        ))),
    };
    let refused = match encode(&FromServer::Answer { id, outcome }) {
        Ok(bytes) => return bytes,
        Err(Unframable::TooLong(length)) => CallError::exhausted(format!(
            "the answer of {operation} takes {length} bytes, a frame holds {FRAME_BYTES_MAX}"
        ))
        .cure("ask for less, with a filter"),
        Err(Unframable::Json(error)) => {
            CallError::internal(format!("the answer of {operation} has no JSON form")).caused_by(error)
        }
    };
    encode(&FromServer::Answer {
        id,
        outcome: Err(refused),
    })
    .unwrap_or_default()
}

async fn call(infrastructure: &dyn Infrastructure, cx: &Context, ask: Ask) -> Outcome<Answer> {
    match ask {
        Ask::Ensure(wishes) => infrastructure.ensure(cx, wishes).await.map(Answer::Ensure),
        Ask::Remove(ids) => infrastructure.remove(cx, ids).await.map(Answer::Remove),
        Ask::Observe(filter) => infrastructure.observe(cx, filter).await.map(Answer::Observe),
        Ask::Changes(since) => infrastructure.changes(cx, since).await.map(Answer::Changes),
        Ask::Console(ask) => infrastructure.console(cx, ask).await.map(Answer::Console),
        Ask::Probe(ask) => infrastructure.probe(cx, ask).await.map(Answer::Probe),
        Ask::Capabilities => infrastructure.capabilities(cx, ()).await.map(Answer::Capabilities),
    }
}
