//! From wanted links and seen ones to requests: makes what is lacking, mends what differs, says nothing when all is equal. Pure.

use crate::label;
use crate::netlink::{Batch, LinkSeen, Sight};
use crate::request::{self, Change};
use crate::want::{Shape, Want};
use manifold_call::CallError;
use manifold_nfvi_interface::ObjectId;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A wanted link with its label.
#[derive(Debug, Clone)]
pub(crate) struct Labelled {
    pub(crate) want: Want,
    pub(crate) label: String,
    /// For a pair: where the other end goes.
    pub(crate) far: Option<FarSide>,
}

/// The namespace that a pair's other end goes to.
#[derive(Debug, Clone)]
pub(crate) struct FarSide {
    /// Stays open until the batch is sent.
    pub(crate) namespace: Arc<File>,
    /// The next index that is free there.
    pub(crate) next_index: Arc<AtomicU32>,
}

/// What is to be done in one namespace.
#[derive(Debug, Default)]
pub(crate) struct Work {
    /// Taps that must be made first, with the index that was chosen.
    pub(crate) taps: Vec<(ObjectId, String, u32)>,
    /// Makes and changes links.
    pub(crate) links: Batch,
    /// Links that need IPv6, after they were made and before they get addresses.
    pub(crate) ipv6: Vec<String>,
    /// Addresses, routes, peers, queues.
    pub(crate) rest: Batch,
    /// Objects for which something is to be done.
    pub(crate) changed: HashSet<ObjectId>,
    /// Objects for which nothing can be done.
    pub(crate) failed: Vec<(ObjectId, CallError)>,
    /// The index of every link that is there or will be, by name.
    pub(crate) indexes: HashMap<String, u32>,
}

/// Compares. `next` gives unused indexes.
pub(crate) fn mend(instance: &str, wants: &[Labelled], sight: &Sight, mut next: impl FnMut() -> u32) -> Work {
    let mut work = Work {
        indexes: sight
            .links
            .values()
            .map(|link| (link.name.clone(), link.index))
            .collect(),
        ..Work::default()
    };
    sweep(instance, wants, sight, &mut work);
    let mut order: Vec<&Labelled> = wants.iter().collect();
    order.sort_by_key(|labelled| labelled.want.rank());
    for labelled in order {
        one(labelled, sight, &mut next, &mut work);
    }
    work
}

/// Deletes what carries the label of a wanted object but is no longer one of its links: an old name, a leg, a queue.
fn sweep(instance: &str, wants: &[Labelled], sight: &Sight, work: &mut Work) {
    let mut names: HashMap<ObjectId, HashSet<&str>> = HashMap::new();
    for labelled in wants {
        names
            .entry(labelled.want.object)
            .or_default()
            .insert(&labelled.want.name);
    }
    for link in sight.links.values() {
        let Some(label) = label::read(instance, &link.alias) else {
            continue;
        };
        if names
            .get(&label.id)
            .is_some_and(|names| !names.contains(link.name.as_str()))
        {
            work.links.push(
                label.id,
                "an interface that is no longer wanted could not be removed",
                request::delete(link.index),
            );
            work.indexes.remove(&link.name);
            work.changed.insert(label.id);
        }
    }
}

fn one(labelled: &Labelled, sight: &Sight, next: &mut impl FnMut() -> u32, work: &mut Work) {
    let want = &labelled.want;
    let mut seen = sight.links.get(&want.name);
    if let Some(link) = seen
        && !ours(labelled, link)
    {
        let taken = CallError::conflict(format!(
            "interface name {} is taken by something that is not ours",
            want.name
        ));
        work.failed.push((want.object, taken));
        return;
    }
    if let Some(link) = seen
        && !same_shape(want, link)
    {
        work.links.push(
            want.object,
            "an interface of another kind could not be replaced",
            request::delete(link.index),
        );
        work.changed.insert(want.object);
        seen = None;
    }
    let index = match seen {
        Some(link) => link.index,
        None => match make(labelled, next, work) {
            Some(index) => index,
            None => return,
        },
    };
    let nothing = LinkSeen {
        mtu_bytes: if matches!(want.shape, Shape::Tap) {
            1_500
        } else {
            want.mtu_bytes
        },
        mac: want.mac.map_or([0; 6], |mac| mac.0),
        ..LinkSeen::default()
    };
    change(labelled, index, seen.unwrap_or(&nothing), work);
    rest(want, index, seen.is_some(), sight, work);
}

/// By its label; or, before it has one, by a name that only the agent gives, or by being the other end of ours.
fn ours(labelled: &Labelled, link: &LinkSeen) -> bool {
    link.alias == labelled.label
        || link.alias.is_empty()
            && (link.name.starts_with(label::name::PREFIX)
                || matches!(labelled.want.shape, Shape::Far { .. }) && link.kind == "veth")
}

fn same_shape(want: &Want, link: &LinkSeen) -> bool {
    request::kind_of(&want.shape) == link.kind
        && match &want.shape {
            Shape::Vxlan { vni, udp_port, local } => link.vxlan == Some((*vni, *udp_port, *local)),
            _ => true,
        }
}

fn make(labelled: &Labelled, next: &mut impl FnMut() -> u32, work: &mut Work) -> Option<u32> {
    let want = &labelled.want;
    let index = next();
    match &want.shape {
        Shape::Far { .. } => {
            let lost = CallError::unavailable(format!("the end {} of a pair has not appeared", want.name));
            work.failed.push((want.object, lost));
            return None;
        }
        Shape::Tap => work.taps.push((want.object, want.name.clone(), index)),
        _ => {
            let far = labelled.far.as_ref().map(|far| {
                (
                    far.namespace.as_raw_fd(),
                    far.next_index.fetch_add(1, Ordering::Relaxed),
                )
            });
            let message = request::make(want, index, far)?;
            work.links.push(want.object, "an interface could not be made", message);
        }
    }
    work.indexes.insert(want.name.clone(), index);
    work.changed.insert(want.object);
    Some(index)
}

fn change(labelled: &Labelled, index: u32, seen: &LinkSeen, work: &mut Work) {
    let want = &labelled.want;
    let master = match &want.master {
        None => Some(0),
        Some(name) => work.indexes.get(name).copied(),
    };
    let Some(master) = master else {
        let lacking = CallError::conflict(format!(
            "{} should be a port of {}, which is not there",
            want.name,
            want.master.clone().unwrap_or_default()
        ));
        work.failed.push((want.object, lacking));
        return;
    };
    let change = Change {
        alias: (seen.alias != labelled.label).then(|| labelled.label.clone()),
        mtu_bytes: (seen.mtu_bytes != want.mtu_bytes).then_some(want.mtu_bytes),
        mac: want.mac.filter(|mac| mac.0 != seen.mac),
        master: (seen.master != master).then_some(master),
        up: !seen.up,
    };
    if change != Change::default() {
        work.changed.insert(want.object);
        work.links.push(
            want.object,
            "an interface could not be configured",
            request::change(index, &change),
        );
    }
}

fn rest(want: &Want, index: u32, existed: bool, sight: &Sight, work: &mut Work) {
    let before = (work.rest.len(), work.ipv6.len());
    let object = want.object;
    let queue = |parent: u32| {
        sight
            .queues
            .iter()
            .find(|(link, at, ..)| existed && *link == index && *at == parent)
    };

    let seen: Vec<_> = sight
        .addresses
        .iter()
        .filter(|(link, _)| existed && *link == index)
        .map(|(_, address)| *address)
        .collect();
    for address in seen.iter().filter(|address| !want.addresses.contains(address)) {
        work.rest.push(
            object,
            "an address could not be removed",
            request::address(index, *address, false),
        );
    }
    if want.ipv6() && (!existed || want.addresses.iter().any(|address| !seen.contains(address))) {
        work.ipv6.push(want.name.clone());
    }
    for address in want.addresses.iter().filter(|address| !seen.contains(address)) {
        work.rest.push(
            object,
            "an address could not be added",
            request::address(index, *address, true),
        );
    }

    let seen: Vec<_> = sight
        .routes
        .iter()
        .filter(|(link, ..)| existed && *link == index)
        .map(|(_, to, via)| (*to, *via))
        .collect();
    for (to, via) in seen.iter().filter(|route| !want.routes.contains(route)) {
        work.rest.push(
            object,
            "a route could not be removed",
            request::route(index, *to, *via, false),
        );
    }
    for (to, via) in want.routes.iter().filter(|route| !seen.contains(route)) {
        work.rest.push(
            object,
            "a route could not be added",
            request::route(index, *to, *via, true),
        );
    }

    let seen: Vec<_> = sight
        .floods
        .iter()
        .filter(|(link, _)| existed && *link == index)
        .map(|(_, peer)| *peer)
        .collect();
    for peer in seen.iter().filter(|peer| !want.floods.contains(peer)) {
        work.rest.push(
            object,
            "a tunnel's peer could not be removed",
            request::flood(index, *peer, false),
        );
    }
    for peer in want.floods.iter().filter(|peer| !seen.contains(peer)) {
        work.rest.push(
            object,
            "a tunnel's peer could not be added",
            request::flood(index, *peer, true),
        );
    }

    let limited = queue(request::ROOT)
        .filter(|(_, _, kind, _)| kind == "tbf")
        .map(|(.., rate)| *rate);
    match (want.rate, limited) {
        (Some(rate), seen) if seen != Some(rate / 8) => {
            work.rest.push(
                object,
                "a limit could not be set",
                request::limit(index, rate, want.mtu_bytes),
            );
        }
        (None, Some(_)) => work
            .rest
            .push(object, "a limit could not be removed", request::no_limit(index)),
        _ => {}
    }
    order(want, index, &queue, work);
    match (&want.queue, queue(request::INGRESS)) {
        (Some(name), None) => {
            if let Some(through) = work.indexes.get(name).copied() {
                work.rest
                    .push(object, "a queue could not be set", request::ingress(index));
                work.rest
                    .push(object, "a queue could not be set", request::redirect(index, through));
            }
        }
        // The device through which it went is a new one: the filter points nowhere.
        (Some(name), Some(_)) if !sight.links.contains_key(name) => {
            if let Some(through) = work.indexes.get(name).copied() {
                work.rest
                    .push(object, "a queue could not be removed", request::no_ingress(index));
                work.rest
                    .push(object, "a queue could not be set", request::ingress(index));
                work.rest
                    .push(object, "a queue could not be set", request::redirect(index, through));
            }
        }
        (None, Some(_)) => work
            .rest
            .push(object, "a queue could not be removed", request::no_ingress(index)),
        _ => {}
    }
    if (work.rest.len(), work.ipv6.len()) != before {
        work.changed.insert(object);
    }
}

/// The classes beneath a limit. Each is known by the queue of what waits in it.
fn order<'a>(want: &Want, index: u32, queue: &impl Fn(u32) -> Option<&'a (u32, u32, String, u64)>, work: &mut Work) {
    let object = want.object;
    // Whoever takes the limit away takes it along.
    let Some(rate) = want.rate else { return };
    let is = |parent: u32, kind: &str| queue(parent).is_some_and(|(_, _, seen, _)| seen == kind);
    let limited = queue(request::ROOT).is_some_and(|(_, _, kind, _)| kind == "tbf");
    let there = limited && is(request::BENEATH, "htb");
    if want.precedences.is_empty() {
        if there {
            work.rest.push(
                object,
                "an order of packets could not be removed",
                request::no_order(index, rate, want.mtu_bytes),
            );
        }
        return;
    }
    if !there {
        work.rest
            .push(object, "an order of packets could not be set", request::order(index));
    }
    for precedence in 0..=7 {
        let class = request::class_of(precedence);
        match (want.precedences.contains(&precedence), there && is(class, "bfifo")) {
            (true, false) => {
                let what = "a precedence could not be set";
                work.rest.push(object, what, request::class(index, precedence));
                work.rest
                    .push(object, what, request::waiting(index, precedence, rate, want.mtu_bytes));
            }
            (false, true) => {
                work.rest.push(
                    object,
                    "a precedence could not be removed",
                    request::no_class(index, class),
                );
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::Part;
    use manifold_nfvi_interface::MacAddr;

    const LABEL: &str = "manifold:test:lab/x:-:port:00000000-0000-0000-0000-000000000001:main";

    fn tap() -> Labelled {
        let object: ObjectId = "00000000-0000-0000-0000-000000000001".parse().expect("an id");
        let mut want = Want::plain(
            object,
            object,
            Part::Main,
            "mfp000000000001".to_owned(),
            Shape::Tap,
            1_450,
        );
        want.rate = Some(8_000_000);
        want.queue = Some("mfi000000000001".to_owned());
        Labelled {
            want,
            label: LABEL.to_owned(),
            far: None,
        }
    }

    fn queue() -> Labelled {
        let mut queue = tap();
        queue.want.name = "mfi000000000001".to_owned();
        queue.want.shape = Shape::Queue;
        queue.want.queue = None;
        queue
    }

    /// What the kernel shows once everything was done.
    fn made() -> Sight {
        let link = |name: &str, kind: &str, index: u32| LinkSeen {
            index,
            name: name.to_owned(),
            alias: LABEL.to_owned(),
            kind: kind.to_owned(),
            up: true,
            mtu_bytes: 1_450,
            mac: MacAddr([2, 0, 0, 0, 0, 1]).0,
            ..LinkSeen::default()
        };
        let links = [link("mfp000000000001", "tun", 5), link("mfi000000000001", "ifb", 6)];
        Sight {
            links: links.into_iter().map(|link| (link.name.clone(), link)).collect(),
            queues: vec![
                (5, request::ROOT, "tbf".to_owned(), 1_000_000),
                (6, request::ROOT, "tbf".to_owned(), 1_000_000),
                (5, request::INGRESS, "ingress".to_owned(), 0),
            ],
            ..Sight::default()
        }
    }

    fn work(sight: &Sight) -> Work {
        let mut index = 1_000;
        mend("test", &[tap(), queue()], sight, || {
            index += 1;
            index
        })
    }

    #[test]
    fn nothing_is_said_when_all_is_as_wished() {
        let work = work(&made());
        assert!(work.links.is_empty() && work.rest.is_empty() && work.taps.is_empty() && work.changed.is_empty());
        assert!(work.failed.is_empty());
    }

    #[test]
    fn from_nothing_everything_is_made_and_what_stands_on_what_is_in_order() {
        let work = work(&Sight::default());
        assert_eq!(work.taps.len(), 1);
        // Queue made and configured, tap configured; then two limits, and the way into the queue: a hook and a filter.
        assert_eq!((work.links.len(), work.rest.len()), (3, 4));
        assert!(work.failed.is_empty());
    }

    #[test]
    fn a_queue_that_was_lost_is_made_and_joined_again() {
        let mut sight = made();
        sight.links.remove("mfi000000000001");
        sight.queues.retain(|(link, ..)| *link != 6);
        let work = work(&sight);
        assert_eq!((work.taps.len(), work.links.len(), work.rest.len()), (0, 2, 4));
    }

    #[test]
    fn an_interface_of_somebody_elses_is_refused_and_left_alone() {
        let mut sight = made();
        for link in sight.links.values_mut() {
            link.alias = "theirs".to_owned();
        }
        let work = work(&sight);
        assert_eq!(work.failed.len(), 2);
        assert!(work.links.is_empty() && work.rest.is_empty());
    }

    #[test]
    fn an_old_interface_of_the_same_object_is_swept() {
        let mut sight = made();
        let mut old = sight.links["mfi000000000001"].clone();
        (old.name, old.index) = ("old".to_owned(), 9);
        sight.links.insert(old.name.clone(), old);
        let work = work(&sight);
        assert_eq!((work.links.len(), work.rest.len()), (1, 0));
    }
}
