//! What follows for one node from all that is wished for: its port rules and its leases. Pure, but for the storing.

use crate::dhcp::{Leases, SegmentLeases};
use crate::guard::Guard;
use crate::label::name;
use crate::place::{Place, lock};
use manifold_nfvi_interface::{MacAddr, ObjectId, PortWish, Wish, WishKind};
use std::collections::HashMap;
use std::net::IpAddr;

/// The node on which a port is.
pub(super) fn node_of(known: &HashMap<ObjectId, Wish>, port: &PortWish) -> Option<ObjectId> {
    match &known.get(&port.segment)?.kind {
        WishKind::Segment(segment) => Some(segment.node),
        _ => None,
    }
}

/// A node's port rules; `None` when it has no segment.
pub(super) fn guard_of(known: &HashMap<ObjectId, Wish>, node: ObjectId) -> Option<Guard> {
    let has_segment = known
        .values()
        .any(|wish| matches!(&wish.kind, WishKind::Segment(segment) if segment.node == node));
    has_segment.then(|| {
        let mut guard = Guard::default();
        for wish in known.values() {
            if let WishKind::Port(port) = &wish.kind
                && node_of(known, port) == Some(node)
            {
                guard.port(&name::of(name::PORT, wish.id), port);
            }
        }
        guard
    })
}

/// Tells the watch what a node leases.
pub(super) fn set_leases(known: &HashMap<ObjectId, Wish>, place: &Place, indexes: &HashMap<String, u32>) {
    let node = place.space.id();
    let mut leases = Leases::default();
    let mut by_segment = HashMap::new();
    for wish in known.values() {
        if let WishKind::Segment(segment) = &wish.kind
            && segment.node == node
        {
            leases.guarded.push(wish.id);
            if let (Some(dhcp), Some(index)) = (&segment.dhcp, indexes.get(&name::of(name::SEGMENT, wish.id))) {
                by_segment.insert(wish.id, *index);
                leases.segments.insert(
                    *index,
                    SegmentLeases {
                        wish: dhcp.clone(),
                        mtu_bytes: segment.mtu_bytes,
                        server_mac: MacAddr::of(wish.id),
                        ports: HashMap::new(),
                    },
                );
            }
        }
    }
    for wish in known.values() {
        let WishKind::Port(port) = &wish.kind else { continue };
        if node_of(known, port) == Some(node) {
            leases.guarded.push(wish.id);
        }
        let segment = by_segment
            .get(&port.segment)
            .and_then(|index| leases.segments.get_mut(index));
        if let (Some(segment), Some(index)) = (segment, indexes.get(&name::of(name::PORT, wish.id))) {
            let subnet = segment.wish.subnet;
            let address = port.addresses.iter().find_map(|address| match address {
                IpAddr::V4(address) if subnet.contains(address) => Some(*address),
                _ => None,
            });
            if let Some(address) = address {
                segment.ports.insert(port.mac, (*index, address));
            }
        }
    }
    *lock(&place.leases) = leases;
}
