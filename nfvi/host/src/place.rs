//! A place: a space and what the agent keeps open in it. Its work runs on the space's thread.

use crate::dhcp::Leases;
use crate::guard::{self, Guard};
use crate::mend::{self, Labelled};
use crate::netlink::{Batch, LinkSeen, Message, Netlink, Refusal, Sight, attributes};
use crate::space::{Space, SpaceError};
use crate::tool::Tool;
use crate::{kernel, request};
use manifold_call::CallError;
use manifold_nfvi_interface::ObjectId;
use std::collections::{HashMap, HashSet, VecDeque};
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// A listing or a transaction takes milliseconds; a kernel that needs longer is in trouble that waiting does not cure.
const NFT_LIMIT: Duration = Duration::from_secs(10);
/// Indexes that the agent chooses begin here; the kernel's own choices begin at 1.
const FIRST_INDEX: u32 = 1_000;
/// The group in which links are deleted together. Any number will do: the namespaces are ours.
const DOOMED: u32 = 0x4d46;

/// A space with its open sockets and what is known of it.
pub(crate) struct Place {
    pub(crate) space: Space,
    /// The namespace itself, for pairs that end here.
    pub(crate) namespace: Arc<File>,
    pub(crate) next_index: Arc<AtomicU32>,
    route: Mutex<Netlink>,
    filter: Mutex<Netlink>,
    guarded: Mutex<Guarded>,
    pub(crate) leases: Mutex<Leases>,
}

/// What stands in nftables, as of a generation: while the kernel's generation is the same, so is the content.
#[derive(Default)]
struct Guarded {
    known: Option<(u32, Option<Guard>)>,
    /// The last generations that were the agent's own doing: as many as can be on their way to the watch.
    own: VecDeque<u32>,
}

/// What shall be done.
#[derive(Default)]
pub(crate) struct Job {
    pub(crate) wants: Vec<Labelled>,
    /// `None` = nftables is left alone.
    pub(crate) guard: Option<Option<Guard>>,
}

/// What was done.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) changed: HashSet<ObjectId>,
    /// Interfaces whose rules changed.
    pub(crate) reguarded: HashSet<String>,
    pub(crate) failed: Vec<(ObjectId, CallError)>,
    /// Every interface's index.
    pub(crate) indexes: HashMap<String, u32>,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Place {
    /// Opens what the agent needs in a space.
    pub(crate) async fn open(space: Space) -> Result<Arc<Self>, SpaceError> {
        let path = space.path().to_owned();
        let fail = |source| SpaceError::Make {
            path: path.clone(),
            source,
        };
        let namespace = Arc::new(File::open(&path).map_err(fail)?);
        let open = || -> io::Result<_> {
            let mut route = Netlink::open(netlink_sys::protocols::NETLINK_ROUTE)?;
            let filter = Netlink::open(netlink_sys::protocols::NETLINK_NETFILTER)?;
            let highest = Sight::links(&mut route)?.links.values().map(|link| link.index).max();
            Ok((route, filter, highest.unwrap_or(0)))
        };
        let (route, filter, highest) = space.run(open).await?.map_err(fail)?;
        Ok(Arc::new(Self {
            space,
            namespace,
            next_index: Arc::new(AtomicU32::new(FIRST_INDEX.max(highest + 1))),
            route: Mutex::new(route),
            filter: Mutex::new(filter),
            guarded: Mutex::default(),
            leases: Mutex::default(),
        }))
    }

    /// Prepares a new namespace: nothing of the host's own answers in it unless asked to.
    pub(crate) async fn settle(self: &Arc<Self>, forwarding: bool) -> Result<(), SpaceError> {
        let path = self.space.path().to_owned();
        let place = self.clone();
        let settle = move || -> io::Result<()> {
            forward(forwarding)?;
            for (key, value) in [
                // Links get IPv6 when they get an IPv6 address: bridges and taps never do.
                ("net/ipv6/conf/default/disable_ipv6", "1"),
                ("net/ipv6/conf/default/accept_ra", "0"),
                ("net/ipv6/conf/all/accept_ra", "0"),
                // An address is answered for where it is, and nowhere else.
                ("net/ipv4/conf/all/arp_ignore", "1"),
                ("net/ipv4/conf/all/arp_announce", "2"),
                ("net/ipv4/conf/all/accept_redirects", "0"),
                ("net/ipv4/conf/default/accept_redirects", "0"),
                ("net/ipv4/conf/all/send_redirects", "0"),
                ("net/ipv4/conf/default/send_redirects", "0"),
                // A packet may come in where the answer does not go out: routes are the operator's.
                ("net/ipv4/conf/all/rp_filter", "0"),
                ("net/ipv4/conf/default/rp_filter", "0"),
                ("net/ipv4/ping_group_range", "0 2147483647"),
            ] {
                sysctl(key, value)?;
            }
            for table in ["ip", "ip6", "arp"] {
                // Absent where br_netfilter is no part of the kernel.
                let key = format!("net/bridge/bridge-nf-call-{table}tables");
                if Path::new("/proc/sys").join(&key).exists() {
                    sysctl(&key, "0")?;
                }
            }
            let mut batch = Batch::default();
            let up = request::Change {
                up: true,
                ..Default::default()
            };
            batch.push(
                place.space.id(),
                "the loopback interface could not be brought up",
                request::change(1, &up),
            );
            match lock(&place.route).send(batch)?.pop() {
                Some(refusal) => Err(refusal.error),
                None => Ok(()),
            }
        };
        self.space
            .run(settle)
            .await?
            .map_err(|source| SpaceError::Make { path, source })
    }

    /// Whether it forwards; set again.
    pub(crate) async fn set_forwarding(&self, forwarding: bool) -> Result<bool, SpaceError> {
        let path = self.space.path().to_owned();
        let set = move || {
            let there = fs::read_to_string("/proc/sys/net/ipv4/ip_forward")?.trim() == "1";
            if there != forwarding {
                forward(forwarding)?;
            }
            io::Result::Ok(there != forwarding)
        };
        self.space
            .run(set)
            .await?
            .map_err(|source| SpaceError::Make { path, source })
    }

    /// Makes and mends.
    pub(crate) async fn work(self: &Arc<Self>, instance: String, job: Job) -> Result<Done, SpaceError> {
        let place = self.clone();
        self.space
            .run(move || {
                let objects: Vec<_> = job.wants.iter().map(|labelled| labelled.want.object).collect();
                place.work_here(&instance, job).unwrap_or_else(|error| Done {
                    // The conversation with the kernel itself failed: nobody's wish can be vouched for.
                    failed: objects
                        .into_iter()
                        .map(|object| (object, kernel_error("the kernel does not answer", &error)))
                        .collect(),
                    ..Done::default()
                })
            })
            .await
    }

    fn work_here(&self, instance: &str, job: Job) -> io::Result<Done> {
        let mut done = Done::default();
        let mut route = lock(&self.route);
        let compare = |route: &mut Netlink| -> io::Result<_> {
            let sight = Sight::whole(route)?;
            let next = || self.next_index.fetch_add(1, Ordering::Relaxed);
            let work = mend::mend(instance, &job.wants, &sight, next);
            let refused = make_taps(&work.taps);
            Ok((work, refused))
        };
        // The rules stand before any link is up; meanwhile taps, still down and on no bridge, are made. A thread that is started
        // here is in this namespace, too.
        let (guarded, compared) = match &job.guard {
            None => (Ok(HashSet::new()), compare(&mut route)),
            Some(wanted) => thread::scope(|scope| {
                let rules = scope.spawn(|| self.set_guard(wanted.as_ref()));
                let compared = compare(&mut route);
                let ended = |_| Err(io::Error::other("the thread that sets rules has panicked"));
                (rules.join().unwrap_or_else(ended), compared)
            }),
        };
        let (work, taps_refused) = compared?;
        done.failed = work.failed;
        done.failed.extend(taps_refused);
        match guarded {
            Ok(interfaces) => done.reguarded = interfaces,
            Err(error) => {
                // Without rules no link comes up, and no tap stays.
                let mut batch = Batch::default();
                for (object, _, index) in work.taps {
                    batch.push(object, "a tap could not be removed", request::delete(index));
                }
                let failure = kernel_error("the port rules could not be set", &error);
                done.failed = job
                    .wants
                    .iter()
                    .map(|labelled| (labelled.want.object, failure.clone()))
                    .collect();
                if !batch.is_empty() {
                    done.failed.extend(route.send(batch)?.into_iter().map(refused));
                }
                return Ok(done);
            }
        }
        done.changed = work.changed;
        let mut refusals = if work.links.is_empty() {
            Vec::new()
        } else {
            route.send(work.links)?
        };
        for interface in work.ipv6 {
            // A link that could not be made has no such file, and its refusal is told already.
            let key = format!("net/ipv6/conf/{interface}/disable_ipv6");
            if let Err(error) = sysctl(&key, "0")
                && error.kind() != io::ErrorKind::NotFound
            {
                return Err(error);
            }
        }
        if !work.rest.is_empty() {
            refusals.extend(route.send(work.rest)?);
        }
        done.failed.extend(refusals.into_iter().map(refused));
        done.indexes = work.indexes;
        Ok(done)
    }

    /// Sets the rules; answers with the interfaces for which something changed.
    fn set_guard(&self, wanted: Option<&Guard>) -> io::Result<HashSet<String>> {
        // Held throughout: whoever hears of the new generation waits until it is known to be ours.
        let mut guarded = lock(&self.guarded);
        let before = self.generation()?;
        let seen = match &guarded.known {
            Some((generation, guard)) if *generation == before => guard.clone(),
            _ if before <= 1 => None, // a namespace without any transaction yet
            _ => guard::observe(&Tool::start("nft", &["-j", "list", "ruleset"], b"")?.finish(NFT_LIMIT)?),
        };
        if seen.as_ref() == wanted {
            guarded.known = Some((before, seen));
            return Ok(HashSet::new());
        }
        let script = guard::transaction(seen.as_ref(), wanted);
        guarded.known = None;
        Tool::start("nft", &["-f", "-"], script.as_bytes())?.finish(NFT_LIMIT)?;
        let after = self.generation()?;
        if after == before.wrapping_add(1) {
            guarded.known = Some((after, wanted.cloned()));
            guarded.own.push_back(after);
            if guarded.own.len() > 64 {
                guarded.own.pop_front();
            }
        }
        let nothing = Guard::default();
        let wanted = wanted.unwrap_or(&nothing);
        Ok(match &seen {
            Some(seen) => wanted.differing(seen),
            None => wanted.interfaces(),
        }
        .into_iter()
        .collect())
    }

    /// Whether a generation of nftables is the agent's own doing. Waits while one is being made.
    pub(crate) fn made_generation(&self, generation: u32) -> bool {
        lock(&self.guarded).own.contains(&generation)
    }

    fn generation(&self) -> io::Result<u32> {
        // NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN; `struct nfgenmsg` of no family.
        let body = lock(&self.filter).ask(Message::new(0x0a10, 0, &[0; 4]))?;
        generation_of(&body).ok_or_else(|| io::Error::other("nftables told no generation"))
    }

    /// Reads the links.
    pub(crate) async fn links(self: &Arc<Self>) -> Result<Sight, SpaceError> {
        let place = self.clone();
        let path = self.space.path().to_owned();
        self.space
            .run(move || Sight::links(&mut lock(&place.route)))
            .await?
            .map_err(|source| SpaceError::Make { path, source })
    }

    /// Deletes the links of these objects, all at once, and sets the rules that remain; answers with the objects that had one.
    pub(crate) async fn delete(
        self: &Arc<Self>,
        doomed: impl Fn(&LinkSeen) -> Option<ObjectId> + Send + 'static,
        guard: Option<Option<Guard>>,
    ) -> Result<Done, SpaceError> {
        let place = self.clone();
        let path = self.space.path().to_owned();
        let delete = move || -> io::Result<Done> {
            let mut done = Done::default();
            {
                let mut route = lock(&place.route);
                let sight = Sight::links(&mut route)?;
                let mut batch = Batch::default();
                for link in sight.links.values() {
                    if let Some(object) = doomed(link) {
                        batch.push(
                            object,
                            "an interface could not be removed",
                            request::join_group(link.index, DOOMED),
                        );
                        done.changed.insert(object);
                    }
                }
                if !batch.is_empty() {
                    batch.push(
                        place.space.id(),
                        "interfaces could not be removed",
                        request::delete_group(DOOMED),
                    );
                    // The other end of a pair may be deleted in its own namespace at this moment, and takes this one with it.
                    let refusals = route.send(batch)?.into_iter();
                    let gone = |refusal: &Refusal| refusal.error.raw_os_error() == Some(libc::ENODEV);
                    done.failed
                        .extend(refusals.filter(|refusal| !gone(refusal)).map(refused));
                }
            }
            // The rules go after the links: no frame leaves without them.
            if let Some(wanted) = guard {
                place.set_guard(wanted.as_ref())?;
            }
            Ok(done)
        };
        self.space
            .run(delete)
            .await?
            .map_err(|source| SpaceError::Remove { path, source })
    }
}

/// Reads NFTA_GEN_ID.
pub(crate) fn generation_of(body: &[u8]) -> Option<u32> {
    attributes(body.get(4..)?)
        .find(|(kind, _)| *kind == 1)
        .and_then(|(_, value)| value.try_into().ok())
        .map(u32::from_be_bytes)
}

fn make_taps(taps: &[(ObjectId, String, u32)]) -> Vec<(ObjectId, CallError)> {
    let make = |(object, interface, index): &(ObjectId, String, u32)| {
        let options = kernel::TapOptions {
            persistent: true,
            index: Some(*index),
            owner_uid: None,
        };
        let error = kernel::open_tap(interface, options).err()?;
        Some((*object, kernel_error("a tap could not be made", &error)))
    };
    taps.iter().filter_map(make).collect()
}

fn forward(forwarding: bool) -> io::Result<()> {
    let value = if forwarding { "1" } else { "0" };
    sysctl("net/ipv4/ip_forward", value)?;
    sysctl("net/ipv6/conf/all/forwarding", value)
}

fn sysctl(key: &str, value: &str) -> io::Result<()> {
    fs::write(Path::new("/proc/sys").join(key), value)
}

fn refused(refusal: Refusal) -> (ObjectId, CallError) {
    (refusal.object, kernel_error(refusal.what, &refusal.error))
}

fn kernel_error(what: &str, error: &io::Error) -> CallError {
    CallError::internal(format!("{what}: {error}"))
}
