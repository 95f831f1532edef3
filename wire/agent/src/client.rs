//! The control plane's side: an [`Infrastructure`] that is the agent at the other end of the socket.

use crate::frame::{
    Answer, Ask, CALLS_MAX, FRAME_BYTES_MAX, FromClient, FromServer, HELLO, PROTOCOL, Unframable, codec, encode,
    inner_context,
};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use manifold_call::{CallError, Context, Outcome, Role};
use manifold_nfvi_interface::{
    Capabilities, Changes, ConsoleAsk, Cursor, Filter, Infrastructure, ObjectId, ProbeAsk, ProbeSeen, Report, Seen,
    Wish,
};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex as SyncMutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Mutex, Semaphore, mpsc, oneshot};
use tokio_util::codec::{FramedRead, FramedWrite, LengthDelimitedCodec};
use tokio_util::task::AbortOnDropHandle;

/// Frames that wait to be written; callers wait (within their deadlines) for room.
const FRAMES_QUEUED: usize = 32;

/// Of these calls may wait for changes, so that they never take every place.
const WAITS_MAX: usize = CALLS_MAX / 2;

/// Between attempts at a connection: the first pause, and the longest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// A client of the agent. Connects when it is first called, and again after the connection was lost; between two attempts
/// calls fail at once with `Unavailable`.
pub struct AgentClient {
    path: PathBuf,
    role: Role,
    link: Mutex<Link>,
    next_id: AtomicU64,
    /// One less than the server's bound: a cancelled call may still be ending there.
    calls: Arc<Semaphore>,
    waits: Arc<Semaphore>,
}

#[derive(Default)]
struct Link {
    connection: Option<Arc<Connection>>,
    not_before: Option<Instant>,
    pause: Duration,
}

type Pending = SyncMutex<HashMap<u64, oneshot::Sender<Outcome<Answer>>>>;

struct Connection {
    frames: mpsc::Sender<Bytes>,
    pending: Arc<Pending>,
    driver: AbortOnDropHandle<()>,
}

impl AgentClient {
    /// A client that calls in this role; nothing is sent yet.
    pub fn new(path: &Path, role: Role) -> Arc<Self> {
        Arc::new(Self {
            path: path.to_owned(),
            role,
            link: Mutex::default(),
            next_id: AtomicU64::new(1),
            calls: Arc::new(Semaphore::new(CALLS_MAX / 2 - 1)),
            waits: Arc::new(Semaphore::new(WAITS_MAX)),
        })
    }

    async fn call(&self, cx: &Context, ask: Ask) -> Outcome<Answer> {
        let operation = ask.operation();
        match tokio::time::timeout(cx.deadline.remaining(), self.exchange(cx, ask)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(CallError::timed_out(format!(
                "the agent did not answer {operation} in time"
            ))),
        }
    }

    async fn exchange(&self, cx: &Context, ask: Ask) -> Outcome<Answer> {
        let places = if matches!(ask, Ask::Changes(_)) {
            &self.waits
        } else {
            &self.calls
        };
        let _place = places.acquire().await.map_err(|_| gone())?;
        let connection = self.connection().await?;
        let operation = ask.operation();
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let frame = encode(&FromClient::Call {
            id,
            context: inner_context(cx),
            ask,
        })
        .map_err(|error| match error {
            Unframable::TooLong(length) => CallError::invalid(format!(
                "the request {operation} takes {length} bytes, a frame holds {FRAME_BYTES_MAX}"
            ))
            .cure("ask in smaller parts"),
            Unframable::Json(error) => {
                CallError::internal(format!("the request {operation} has no JSON form")).caused_by(error)
            }
        })?;
        let (answer, answered) = oneshot::channel();
        lock(&connection.pending).insert(id, answer);
        let mut forget = Forget {
            connection: &connection,
            id,
            sent: false,
        };
        connection.frames.send(frame).await.map_err(|_| gone())?;
        forget.sent = true;
        answered.await.unwrap_or_else(|_| Err(gone()))
    }

    /// The connection, made anew if there is none and it is time.
    async fn connection(&self) -> Outcome<Arc<Connection>> {
        let mut link = self.link.lock().await;
        if let Some(connection) = link
            .connection
            .as_ref()
            .filter(|connection| !connection.driver.is_finished())
        {
            return Ok(connection.clone());
        }
        link.connection = None;
        if link.not_before.is_some_and(|time| Instant::now() < time) {
            return Err(self.unreachable());
        }
        match self.connect().await {
            Ok(connection) => {
                let connection = Arc::new(connection);
                *link = Link {
                    connection: Some(connection.clone()),
                    ..Link::default()
                };
                Ok(connection)
            }
            Err(error) => {
                link.pause = (link.pause * 2).clamp(PAUSE.0, PAUSE.1);
                link.not_before = Some(Instant::now() + link.pause);
                Err(error)
            }
        }
    }

    fn unreachable(&self) -> CallError {
        CallError::unavailable(format!("the agent cannot be reached on {}", self.path.display()))
            .cure("see whether `manifold agent` runs")
    }

    async fn connect(&self) -> Outcome<Connection> {
        let stream = UnixStream::connect(&self.path)
            .await
            .map_err(|error| self.unreachable().caused_by(error))?;
        let (read, write) = stream.into_split();
        let (mut reader, mut writer) = (FramedRead::new(read, codec()), FramedWrite::new(write, codec()));
        let greeting = async {
            let hello = encode(&FromClient::Hello {
                protocol: PROTOCOL,
                role: self.role,
            });
            writer.send(hello.unwrap_or_default()).await.ok()?;
            let frame = reader.next().await?.ok()?;
            serde_json::from_slice::<FromServer>(&frame).ok()
        };
        match tokio::time::timeout(HELLO, greeting).await {
            Ok(Some(FromServer::Welcome { protocol: PROTOCOL })) => {}
            Ok(Some(FromServer::Goodbye { error })) => return Err(error),
            Ok(Some(_)) => {
                return Err(CallError::unsupported("the agent speaks another protocol")
                    .cure("run agent and control plane of the same version"));
            }
            Ok(None) | Err(_) => return Err(self.unreachable()),
        }
        let (frames, queue) = mpsc::channel(FRAMES_QUEUED);
        let pending = Arc::new(Pending::default());
        let driver = tokio::spawn(drive(reader, writer, queue, pending.clone()));
        Ok(Connection {
            frames,
            pending,
            driver: AbortOnDropHandle::new(driver),
        })
    }
}

fn gone() -> CallError {
    CallError::unavailable("the agent went away before it answered")
}

fn misfit() -> CallError {
    CallError::internal("the agent answered another question")
}

fn lock(pending: &Pending) -> std::sync::MutexGuard<'_, HashMap<u64, oneshot::Sender<Outcome<Answer>>>> {
    pending.lock().unwrap_or_else(PoisonError::into_inner)
}

/// When the caller goes before the answer came, the agent is told.
struct Forget<'a> {
    connection: &'a Connection,
    id: u64,
    sent: bool,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        let waited = lock(&self.connection.pending).remove(&self.id).is_some();
        if waited
            && self.sent
            && let Ok(frame) = encode(&FromClient::Cancel { id: self.id })
        {
            // Without room the call runs on until its deadline, which the agent knows.
            self.connection.frames.try_send(frame).ok();
        }
    }
}

/// Moves frames both ways until either fails; then every call that still waits learns so.
async fn drive(
    mut reader: FramedRead<OwnedReadHalf, LengthDelimitedCodec>,
    mut writer: FramedWrite<OwnedWriteHalf, LengthDelimitedCodec>,
    mut queue: mpsc::Receiver<Bytes>,
    pending: Arc<Pending>,
) {
    let write = async {
        while let Some(frame) = queue.recv().await {
            if writer.send(frame).await.is_err() {
                break;
            }
        }
        // The reader tells why: a goodbye may be on its way.
        std::future::pending::<CallError>().await
    };
    let read = async {
        loop {
            let Some(Ok(frame)) = reader.next().await else {
                return gone();
            };
            match serde_json::from_slice(&frame) {
                Ok(FromServer::Answer { id, outcome }) => {
                    if let Some(waiting) = lock(&pending).remove(&id) {
                        // The caller may have gone in this moment.
                        waiting.send(outcome).ok();
                    }
                }
                Ok(FromServer::Goodbye { error }) => return error,
                Ok(FromServer::Welcome { .. }) => return misfit(),
                Err(error) => return misfit().caused_by(error),
            }
        }
    };
    let why = tokio::select! {
        why = read => why,
        why = write => why,
    };
    queue.close();
    tracing::info!(error = ?why, "The connection to the agent ended.");
    for (_, waiting) in lock(&pending).drain() {
        waiting.send(Err(why.clone())).ok();
    }
}

macro_rules! ask {
    ($self:ident, $cx:ident, $ask:expr, $answer:ident) => {
        match $self.call($cx, $ask).await? {
            Answer::$answer(answer) => Ok(answer),
            _ => Err(misfit()),
        }
    };
}

#[async_trait]
impl Infrastructure for AgentClient {
    async fn ensure(&self, cx: &Context, wishes: Vec<Wish>) -> Outcome<Vec<Report>> {
        ask!(self, cx, Ask::Ensure(wishes), Ensure)
    }

    async fn remove(&self, cx: &Context, ids: Vec<ObjectId>) -> Outcome<Vec<Report>> {
        ask!(self, cx, Ask::Remove(ids), Remove)
    }

    async fn observe(&self, cx: &Context, filter: Filter) -> Outcome<Vec<Seen>> {
        ask!(self, cx, Ask::Observe(filter), Observe)
    }

    async fn changes(&self, cx: &Context, since: Cursor) -> Outcome<Changes> {
        ask!(self, cx, Ask::Changes(since), Changes)
    }

    async fn console(&self, cx: &Context, ask: ConsoleAsk) -> Outcome<String> {
        ask!(self, cx, Ask::Console(ask), Console)
    }

    async fn probe(&self, cx: &Context, ask: ProbeAsk) -> Outcome<ProbeSeen> {
        ask!(self, cx, Ask::Probe(ask), Probe)
    }

    async fn capabilities(&self, cx: &Context, (): ()) -> Outcome<Capabilities> {
        ask!(self, cx, Ask::Capabilities, Capabilities)
    }
}
