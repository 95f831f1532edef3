//! Talking to the kernel over netlink: many requests in one datagram, failures matched to what asked for them.
//!
//! A request is acknowledged by the kernel only when it fails; the last one of a datagram always. So a batch of five hundred
//! costs one system call to send and few to read. The kernel works through a datagram without pause, also when the agent is
//! killed meanwhile: what is in one batch happens wholly or (each failed request for itself) not at all.

mod message;
mod sight;

pub(crate) use message::{Message, Nest, answers, attributes, number};
pub(crate) use sight::{LinkSeen, Sight, link_of};

use manifold_nfvi_interface::ObjectId;
use netlink_sys::{Socket, SocketAddr};
use nix::libc;
use std::io;

/// How much one datagram carries: well below the send buffer.
const DATAGRAM_BYTES: usize = 192 * 1024;
/// Room for the answers to a whole datagram, were each of its requests to fail.
const BUFFER_BYTES: usize = 4 * 1024 * 1024;

/// Requests, in order, each for an object.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    requests: Vec<(ObjectId, &'static str, Message)>,
}

impl Batch {
    /// Adds a request; `what` is said when it fails: "bridge mfs… could not be made".
    pub(crate) fn push(&mut self, object: ObjectId, what: &'static str, message: Message) {
        self.requests.push((object, what, message));
    }

    /// How many requests.
    pub(crate) fn len(&self) -> usize {
        self.requests.len()
    }

    /// Whether there is nothing to do.
    pub(crate) fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }
}

/// A request that the kernel refused.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// For which object.
    pub(crate) object: ObjectId,
    /// What was tried.
    pub(crate) what: &'static str,
    /// The kernel's reason.
    pub(crate) error: io::Error,
}

/// A connection to one namespace's kernel: made on the namespace's thread.
pub(crate) struct Netlink {
    socket: Socket,
    sequence: u32,
    buffer: Vec<u8>,
}

impl Netlink {
    /// Opens one in the calling thread's namespace.
    pub(crate) fn open(protocol: isize) -> io::Result<Self> {
        let mut socket = Socket::new(protocol)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        socket.set_cap_ack(true)?;
        crate::kernel::widen_buffers(&socket, BUFFER_BYTES)?;
        Ok(Self {
            socket,
            sequence: 0,
            buffer: Vec::with_capacity(256 * 1024),
        })
    }

    /// Sends everything and waits until the kernel has done it; answers with what it refused. Goes on after a refusal.
    pub(crate) fn send(&mut self, batch: Batch) -> io::Result<Vec<Refusal>> {
        let mut refusals = Vec::new();
        let mut requests = batch.requests.into_iter().peekable();
        while requests.peek().is_some() {
            let first = self.sequence.wrapping_add(1);
            let mut told = Vec::new();
            let mut datagram = Vec::with_capacity(16 * 1024);
            while let Some((object, what, message)) = requests.next() {
                self.sequence = self.sequence.wrapping_add(1);
                told.push((object, what));
                let last = requests.peek().is_none() || datagram.len() > DATAGRAM_BYTES;
                datagram.extend_from_slice(&message.finish(self.sequence, last));
                if last {
                    break;
                }
            }
            self.socket.send(&datagram, 0)?;
            self.collect(first, &told, &mut refusals)?;
        }
        Ok(refusals)
    }

    fn collect(
        &mut self,
        first: u32,
        told: &[(ObjectId, &'static str)],
        refusals: &mut Vec<Refusal>,
    ) -> io::Result<()> {
        let last = self.sequence;
        loop {
            self.buffer.clear();
            self.socket.recv(&mut self.buffer, 0)?;
            for answer in answers(&self.buffer) {
                if answer.kind != libc::NLMSG_ERROR as u16 {
                    continue;
                }
                let code = number(answer.body, 0).map_or(0, |code| code as i32);
                let place = answer.sequence.wrapping_sub(first) as usize;
                if code != 0
                    && let Some((object, what)) = told.get(place)
                {
                    refusals.push(Refusal {
                        object: *object,
                        what,
                        error: io::Error::from_raw_os_error(-code),
                    });
                }
                if answer.sequence == last {
                    return Ok(());
                }
            }
        }
    }

    /// Sends a dump request and hands over each answer.
    pub(crate) fn dump(&mut self, message: Message, mut each: impl FnMut(u16, &[u8])) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        let sequence = self.sequence;
        self.socket.send(&message.finish(sequence, false), 0)?;
        loop {
            self.buffer.clear();
            self.socket.recv(&mut self.buffer, 0)?;
            for answer in answers(&self.buffer).filter(|answer| answer.sequence == sequence) {
                match i32::from(answer.kind) {
                    libc::NLMSG_DONE => return Ok(()),
                    libc::NLMSG_ERROR => {
                        let code = number(answer.body, 0).map_or(0, |code| code as i32);
                        return if code == 0 {
                            Ok(())
                        } else {
                            Err(io::Error::from_raw_os_error(-code))
                        };
                    }
                    _ => each(answer.kind, answer.body),
                }
            }
        }
    }

    /// Asks for one answer and gives its body.
    pub(crate) fn ask(&mut self, message: Message) -> io::Result<Vec<u8>> {
        self.sequence = self.sequence.wrapping_add(1);
        let sequence = self.sequence;
        self.socket.send(&message.finish(sequence, false), 0)?;
        loop {
            self.buffer.clear();
            self.socket.recv(&mut self.buffer, 0)?;
            let answer = answers(&self.buffer).find(|answer| answer.sequence == sequence);
            match answer {
                Some(answer) if i32::from(answer.kind) == libc::NLMSG_ERROR => {
                    let code = number(answer.body, 0).map_or(0, |code| code as i32);
                    return Err(io::Error::from_raw_os_error(-code));
                }
                Some(answer) => return Ok(answer.body.to_vec()),
                None => {}
            }
        }
    }
}

/// A socket that hears what happens in the calling thread's namespace, without blocking.
pub(crate) fn listen(protocol: isize, groups: &[u32]) -> io::Result<Socket> {
    let mut socket = Socket::new(protocol)?;
    socket.bind_auto()?;
    socket.set_non_blocking(true)?;
    crate::kernel::widen_buffers(&socket, BUFFER_BYTES)?;
    for group in groups {
        socket.add_membership(*group)?;
    }
    Ok(socket)
}
