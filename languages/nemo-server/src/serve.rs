//! The conversation: messages in, messages out, in the order that the protocol wants.
//!
//! ```text
//! input ──reader thread──> queue ──> Conversation ──> Server (answers, notes) ──> output
//!                            ^                          │ jobs
//!                            └────── worker thread <────┘
//! ```
//! Requests are answered in their order, on one thread; what takes long (checks, descriptors) is the worker's. When the queue is empty,
//! and not before, what has changed is given to the worker: ten keystrokes that came at once are one check.

use crate::checks::{Checks, LeafSources, Told};
use crate::pending::Pending;
use crate::server::Server;
use crate::transport::{self, Frame};
use lsp_server::{ErrorCode, Message, Request, Response};
use std::io::{self, BufReader, Read, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};

/// Messages that wait. When the queue is full, the client waits.
const QUEUE: usize = 256;

/// How a conversation came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// `shutdown`, then `exit`.
    Orderly,
    /// `exit` alone, or the client was gone.
    Abrupt,
}

impl Ending {
    /// The status that the protocol wants a process to end with.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Orderly => 0,
            Self::Abrupt => 1,
        }
    }
}

enum Event {
    Frame(Frame),
    Broken(io::Error),
    Told(Told),
}

/// Serves one client until it ends the conversation. Errors: the streams failed, or the client's framing did.
pub fn serve(input: impl Read + Send + 'static, output: impl Write, sources: LeafSources) -> io::Result<Ending> {
    let (queue, events) = sync_channel(QUEUE);
    let pending = Arc::new(Pending::default());
    let telling = queue.clone();
    let checks = Checks::start(sources, move |told| telling.send(Event::Told(told)).is_ok())?;
    let noted = pending.clone();
    // It ends with its stream or with the conversation, whichever it sees first.
    std::thread::Builder::new()
        .name("nemo-read".into())
        .spawn(move || read(input, &queue, &noted))?;
    Conversation {
        output,
        pending,
        server: Server::new(checks),
        phase: Phase::New,
    }
    .run(&events)
}

fn read(input: impl Read, queue: &SyncSender<Event>, pending: &Pending) {
    let mut input = BufReader::new(input);
    loop {
        let event = match transport::read(&mut input) {
            Ok(frame) => Event::Frame(frame),
            Err(error) => Event::Broken(error),
        };
        let is_last = match &event {
            Event::Frame(Frame::Message(message)) => {
                pending.note(message);
                matches!(message, Message::Notification(note) if note.method == "exit")
            }
            Event::Frame(Frame::End) | Event::Broken(_) => true,
            _ => false,
        };
        if queue.send(event).is_err() || is_last {
            return;
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing but `initialize` is answered.
    New,
    /// Everything is.
    Running,
    /// Nothing is any more.
    Down,
}

struct Conversation<W> {
    output: W,
    pending: Arc<Pending>,
    server: Server,
    phase: Phase,
}

impl<W: Write> Conversation<W> {
    fn run(mut self, events: &Receiver<Event>) -> io::Result<Ending> {
        loop {
            let event = match events.try_recv() {
                Ok(event) => event,
                Err(TryRecvError::Empty) => {
                    self.server.idle();
                    self.flush()?;
                    match events.recv() {
                        Ok(event) => event,
                        Err(_) => return Ok(Ending::Abrupt),
                    }
                }
                Err(TryRecvError::Disconnected) => return Ok(Ending::Abrupt),
            };
            match event {
                Event::Frame(Frame::Message(Message::Request(request))) => self.request(request)?,
                Event::Frame(Frame::Message(Message::Notification(note))) if note.method == "exit" => {
                    return Ok(match self.phase {
                        Phase::Down => Ending::Orderly,
                        Phase::New | Phase::Running => Ending::Abrupt,
                    });
                }
                Event::Frame(Frame::Message(Message::Notification(note))) => {
                    if self.phase == Phase::Running {
                        self.server.note(note);
                    }
                }
                // What the server asks of a client, it can do without.
                Event::Frame(Frame::Message(Message::Response(_))) => {}
                Event::Frame(Frame::Malformed(refusal)) => transport::write_refusal(&mut self.output, &refusal)?,
                Event::Frame(Frame::End) => return Ok(Ending::Abrupt),
                Event::Broken(error) => return Err(error),
                Event::Told(told) => self.server.told(told),
            }
            self.flush()?;
        }
    }

    fn request(&mut self, request: Request) -> io::Result<()> {
        let refuse = |request: &Request, code: ErrorCode, message: &str| {
            Response::new_err(request.id.clone(), code as i32, message.to_owned())
        };
        let response = match (self.phase, request.method.as_str()) {
            _ if self.pending.is_cancelled(&request.id) => refuse(&request, ErrorCode::RequestCanceled, "cancelled"),
            (Phase::New, "initialize") => match self.server.initialize(request.params) {
                Ok(result) => {
                    self.phase = Phase::Running;
                    Response::new_ok(request.id, result)
                }
                Err(error) => Response::new_err(request.id, ErrorCode::InvalidParams as i32, error.to_string()),
            },
            (Phase::New, _) => refuse(&request, ErrorCode::ServerNotInitialized, "initialize comes first"),
            (Phase::Running, "initialize") => refuse(&request, ErrorCode::InvalidRequest, "initialize comes once"),
            (Phase::Running, "shutdown") => {
                self.phase = Phase::Down;
                self.server.shut_down();
                Response::new_ok(request.id, ())
            }
            (Phase::Running, _) => {
                self.server.request(request);
                return Ok(());
            }
            (Phase::Down, _) => refuse(&request, ErrorCode::InvalidRequest, "the server is shut down"),
        };
        self.send(response.into())
    }

    /// Sends what the server has to say.
    fn flush(&mut self) -> io::Result<()> {
        let pending = self.pending.clone();
        for message in self.server.take_outgoing(&|id| pending.is_cancelled(id)) {
            self.send(message)?;
        }
        Ok(())
    }

    fn send(&mut self, message: Message) -> io::Result<()> {
        if let Message::Response(response) = &message {
            self.pending.done(&response.id);
        }
        transport::write(&mut self.output, &message)
    }
}
