//! The watch: one thread that hears what the kernel tells of all namespaces, sees service processes end, and answers DHCP.
//!
//! What the agent does itself is heard, too. It is told apart so: objects that are being worked on are *busy*, and are let go only
//! after everything that the kernel had told by then was read; generations of nftables are known by their number.

use crate::kernel;
use crate::label::{self, name};
use crate::netlink::{LinkSeen, answers, attributes, link_of, listen, number};
use crate::place::{Place, generation_of, lock};
use manifold_nfvi_interface::{Changes, Cursor, ObjectId};
use netlink_sys::Socket;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rustix::process::{WaitId, WaitIdOptions, waitid};
use std::collections::{HashMap, HashSet, VecDeque};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;
use tokio::sync::Notify;

/// Changes that are kept for slow consumers; beyond, they are told that they missed some.
const RING: usize = 4_096;
const RTNLGRP_LINK: u32 = 1;
const RTNLGRP_NEIGH: u32 = 3;
const RTNLGRP_TC: u32 = 4;
const RTNLGRP_IPV4_IFADDR: u32 = 5;
const RTNLGRP_IPV6_IFADDR: u32 = 9;
/// What is told of links, their tunnels' peers, queues and addresses.
const LINK_GROUPS: [u32; 5] = [
    RTNLGRP_LINK,
    RTNLGRP_NEIGH,
    RTNLGRP_TC,
    RTNLGRP_IPV4_IFADDR,
    RTNLGRP_IPV6_IFADDR,
];
const NFNLGRP_NFTABLES: u32 = 7;
const NFT_MSG_NEWGEN: u16 = 0x0a0f;

/// Changes since the agent's start.
pub(crate) struct Ring {
    epoch: u64,
    state: Mutex<RingState>,
    more: Notify,
}

#[derive(Default)]
struct RingState {
    /// The position of the first entry.
    first: u64,
    entries: VecDeque<ObjectId>,
}

impl Ring {
    pub(crate) fn new(epoch: u64) -> Self {
        Self {
            epoch,
            state: Mutex::default(),
            more: Notify::new(),
        }
    }

    pub(crate) fn push(&self, id: ObjectId) {
        let mut state = lock(&self.state);
        state.entries.push_back(id);
        if state.entries.len() > RING {
            state.entries.pop_front();
            state.first += 1;
        }
        drop(state);
        self.more.notify_waiters();
    }

    fn read(&self, since: Cursor) -> Changes {
        let state = lock(&self.state);
        let end = state.first + state.entries.len() as u64;
        let lost = since.epoch != self.epoch || since.position < state.first || since.position > end;
        let mut ids: Vec<_> = if lost {
            Vec::new()
        } else {
            state
                .entries
                .iter()
                .skip((since.position - state.first) as usize)
                .copied()
                .collect()
        };
        ids.sort_unstable();
        ids.dedup();
        Changes {
            cursor: Cursor {
                epoch: self.epoch,
                position: end,
            },
            ids,
            lost,
        }
    }

    /// Waits for changes after a position.
    pub(crate) async fn after(&self, since: Cursor, limit: Duration) -> Changes {
        let end = tokio::time::Instant::now() + limit;
        loop {
            let more = self.more.notified();
            tokio::pin!(more);
            more.as_mut().enable();
            let changes = self.read(since);
            if changes.lost || !changes.ids.is_empty() || tokio::time::timeout_at(end, more).await.is_err() {
                return changes;
            }
        }
    }
}

enum Order {
    Watch(Box<Ears>),
    Forget(ObjectId),
    Process(ObjectId, OwnedFd),
    Busy(Vec<ObjectId>),
    Free(Vec<ObjectId>),
    End,
}

/// What is heard of one namespace.
struct Ears {
    place: Arc<Place>,
    links: Socket,
    rules: Socket,
    dhcp: OwnedFd,
    /// Objects by the index of their link: only messages of links themselves carry a label.
    owners: HashMap<u32, ObjectId>,
}

/// A handle on the watch.
pub(crate) struct Watch {
    instance: String,
    orders: Mutex<(VecDeque<Order>, UnixStream)>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Watch {
    pub(crate) fn start(instance: String, ring: Arc<Ring>) -> io::Result<Arc<Self>> {
        let (wake, woken) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        woken.set_nonblocking(true)?;
        let watch = Arc::new(Self {
            instance: instance.clone(),
            orders: Mutex::new((VecDeque::new(), wake)),
            thread: Mutex::default(),
        });
        let orders = watch.clone();
        let thread = Builder::new().name("watch".to_owned()).spawn(move || {
            Watcher {
                instance,
                ring,
                woken,
                ears: Vec::new(),
                processes: Vec::new(),
                busy: HashMap::new(),
            }
            .run(&orders);
        })?;
        *lock(&watch.thread) = Some(thread);
        Ok(watch)
    }

    fn order(&self, order: Order) {
        let mut orders = lock(&self.orders);
        orders.0.push_back(order);
        // A full pipe means that the watch is about to wake anyway.
        let _ = orders.1.write(&[1]);
    }

    /// Begins to listen in a namespace.
    pub(crate) async fn add(&self, place: &Arc<Place>) -> io::Result<()> {
        let open = || -> io::Result<_> {
            Ok((
                listen(netlink_sys::protocols::NETLINK_ROUTE, &LINK_GROUPS)?,
                listen(netlink_sys::protocols::NETLINK_NETFILTER, &[NFNLGRP_NFTABLES])?,
                kernel::udp_listener(67)?,
            ))
        };
        let (links, rules, dhcp) = place.space.run(open).await.map_err(io::Error::other)??;
        // Read after the sockets were opened: what appears in between is told, too.
        let there = place.links().await.map_err(io::Error::other)?;
        let owner = |link: &LinkSeen| Some((link.index, label::read(&self.instance, &link.alias)?.id));
        let owners = there.links.values().filter_map(owner).collect();
        self.order(Order::Watch(Box::new(Ears {
            place: place.clone(),
            links,
            rules,
            dhcp,
            owners,
        })));
        Ok(())
    }

    /// Ceases to listen in a namespace, and closes what was open there.
    pub(crate) fn forget(&self, space: ObjectId) {
        self.order(Order::Forget(space));
    }

    /// Tells of the object when the process ends.
    pub(crate) fn process(&self, object: ObjectId, pidfd: OwnedFd) {
        self.order(Order::Process(object, pidfd));
    }

    /// Holds these objects' changes back: the agent is about to make them itself. The guard lets them go.
    pub(crate) fn busy(self: &Arc<Self>, ids: Vec<ObjectId>) -> Busy {
        self.order(Order::Busy(ids.clone()));
        Busy {
            watch: self.clone(),
            ids,
        }
    }

    /// Ends the thread.
    pub(crate) fn end(&self) {
        self.order(Order::End);
        if let Some(thread) = lock(&self.thread).take()
            && thread.join().is_err()
        {
            tracing::error!("The watch had ended in a panic.");
        }
    }
}

/// Objects that the agent works on.
pub(crate) struct Busy {
    watch: Arc<Watch>,
    ids: Vec<ObjectId>,
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.watch.order(Order::Free(std::mem::take(&mut self.ids)));
    }
}

struct Watcher {
    instance: String,
    ring: Arc<Ring>,
    woken: UnixStream,
    ears: Vec<Ears>,
    processes: Vec<(ObjectId, OwnedFd)>,
    /// How often each object is being worked on.
    busy: HashMap<ObjectId, usize>,
}

impl Watcher {
    fn run(mut self, watch: &Watch) {
        let mut buffer = Vec::with_capacity(256 * 1024);
        loop {
            if let Err(error) = self.wait() {
                tracing::error!(%error, "The watch cannot wait for events.");
                std::thread::sleep(Duration::from_millis(100)); // not to spin on a lasting fault
            }
            let mut drained = [0; 256];
            while self.woken.read(&mut drained).is_ok_and(|got| got == drained.len()) {}
            // Orders that free objects were given after the kernel told of what was done to them: so they are taken first,
            // then everything is read, then they are carried out. Orders to hold back are carried out before reading.
            let orders: Vec<_> = lock(&watch.orders).0.drain(..).collect();
            for order in &orders {
                if let Order::Busy(ids) = order {
                    for id in ids {
                        *self.busy.entry(*id).or_default() += 1;
                    }
                }
            }
            self.read_all(&mut buffer);
            for order in orders {
                match order {
                    Order::End => return,
                    Order::Busy(_) => {}
                    Order::Watch(ears) => self.ears.push(*ears),
                    Order::Forget(space) => self.ears.retain(|ears| ears.place.space.id() != space),
                    Order::Process(object, pidfd) => self.processes.push((object, pidfd)),
                    Order::Free(ids) => {
                        for id in ids {
                            if let Some(count) = self.busy.get_mut(&id) {
                                *count -= 1;
                                if *count == 0 {
                                    self.busy.remove(&id);
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    fn wait(&self) -> io::Result<()> {
        let mut fds: Vec<BorrowedFd<'_>> = vec![self.woken.as_fd()];
        for ears in &self.ears {
            fds.extend([borrow(&ears.links), borrow(&ears.rules), ears.dhcp.as_fd()]);
        }
        fds.extend(self.processes.iter().map(|(_, pidfd)| pidfd.as_fd()));
        let mut polled: Vec<_> = fds.into_iter().map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
        match poll(&mut polled, PollTimeout::NONE) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    fn read_all(&mut self, buffer: &mut Vec<u8>) {
        let mut told = HashSet::new();
        for ears in &mut self.ears {
            ears.read_links(&self.instance, buffer, &mut told);
            ears.read_rules(buffer, &mut told);
            ears.read_dhcp(buffer);
        }
        self.processes.retain(|(object, pidfd)| {
            let ended = poll(&mut [PollFd::new(pidfd.as_fd(), PollFlags::POLLIN)], PollTimeout::ZERO)
                .is_ok_and(|count| count > 0);
            if ended {
                // Ours is reaped; ECHILD for an earlier agent's, which init reaps.
                let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
                let _ = waitid(WaitId::PidFd(pidfd.as_fd()), options);
                told.insert(*object);
            }
            !ended
        });
        for id in told {
            if !self.busy.contains_key(&id) {
                self.ring.push(id);
            }
        }
    }
}

impl Ears {
    fn read_links(&mut self, instance: &str, buffer: &mut Vec<u8>, told: &mut HashSet<ObjectId>) {
        while receive(&self.links, buffer, &self.place, told) {
            for answer in answers(buffer) {
                match answer.kind {
                    libc::RTM_NEWLINK | libc::RTM_DELLINK => {
                        let Some(link) = link_of(answer.body) else { continue };
                        let Some(label) = label::read(instance, &link.alias) else {
                            continue;
                        };
                        let gone = answer.kind == libc::RTM_DELLINK;
                        if gone {
                            self.owners.remove(&link.index);
                        } else {
                            self.owners.insert(link.index, label.id);
                        }
                        let loose = link.master == 0 && name::has_master(&link.name);
                        if gone || !link.up || loose {
                            told.insert(label.id);
                        }
                    }
                    // Index of the link: `struct ifaddrmsg` and `struct tcmsg` both have it at 4.
                    libc::RTM_DELADDR | libc::RTM_DELQDISC => {
                        told.extend(number(answer.body, 4).and_then(|index| self.owners.get(&index)));
                    }
                    libc::RTM_DELNEIGH => {
                        let flood = attributes(answer.body.get(12..).unwrap_or_default())
                            .any(|(kind, value)| kind == libc::NDA_LLADDR && value == [0; 6]);
                        if flood && let Some(id) = number(answer.body, 4).and_then(|index| self.owners.get(&index)) {
                            told.insert(*id);
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    fn read_rules(&mut self, buffer: &mut Vec<u8>, told: &mut HashSet<ObjectId>) {
        while receive(&self.rules, buffer, &self.place, told) {
            let foreign = answers(buffer)
                .filter(|answer| answer.kind == NFT_MSG_NEWGEN)
                .filter_map(|answer| generation_of(answer.body))
                .any(|generation| !self.place.made_generation(generation));
            if foreign {
                // Which port's rules it was does not show: each segment's consumer looks again.
                told.extend(lock(&self.place.leases).guarded.iter().copied());
            }
        }
    }

    fn read_dhcp(&mut self, buffer: &mut Vec<u8>) {
        buffer.resize(2_048, 0);
        // Bounded, so that a port that floods requests starves nobody else.
        for _ in 0..64 {
            let Ok((length, interface)) = kernel::receive_frame(&self.dhcp, buffer) else {
                return;
            };
            let reply = lock(&self.place.leases).answer(interface, &buffer[..length]);
            if let Some(reply) = reply
                && let Err(error) = kernel::send_frame(&self.dhcp, reply.interface_index, &reply.frame)
            {
                tracing::debug!(%error, "A DHCP answer could not be sent; the client asks again.");
            }
        }
    }
}

/// Takes one datagram; false when there is none. When some were dropped, everything in the place may have changed.
fn receive(socket: &Socket, buffer: &mut Vec<u8>, place: &Place, told: &mut HashSet<ObjectId>) -> bool {
    buffer.clear();
    buffer.reserve(64 * 1024);
    match socket.recv(buffer, libc::MSG_DONTWAIT) {
        Ok(_) => true,
        Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => {
            told.insert(place.space.id());
            told.extend(lock(&place.leases).guarded.iter().copied());
            true
        }
        Err(_) => false,
    }
}

fn borrow(socket: &Socket) -> BorrowedFd<'_> {
    kernel::borrow_fd(socket)
}
