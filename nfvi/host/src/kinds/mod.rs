//! The kinds of objects: pure functions from a wish (and the wishes around it) to the links that it wants. One file per kind.

mod cable;
mod node;
mod port;
mod router;
mod segment;
mod stitch;
mod switch;

use crate::want::{Want, World};
use manifold_call::{CallError, Outcome};
use manifold_nfvi_interface::{ObjectId, Owner, Plug, Wish, WishKind};

/// Checks a wish and says which links it wants. Errors: `Invalid`, `Conflict` (it stands elsewhere or is something else).
pub(crate) fn check(wish: &Wish, world: &World<'_>) -> Outcome<Vec<Want>> {
    check_owner(&wish.owner)?;
    if let Some(known) = world.known.get(&wish.id) {
        if known.kind.name() != wish.kind.name() {
            return Err(CallError::conflict(format!(
                "{} is a {:?} already",
                wish.id,
                known.kind.name()
            )));
        }
        if known.owner != wish.owner {
            return Err(CallError::conflict(format!(
                "{} belongs to {}",
                wish.id, known.owner.manager
            )));
        }
        if !same_place(&known.kind, &wish.kind) {
            return Err(CallError::conflict(format!("{} stands elsewhere", wish.id)).cure("remove it first"));
        }
    }
    match &wish.kind {
        WishKind::Node(node) => node::check(node).map(|()| Vec::new()),
        WishKind::Switch(switch) => switch::check(wish.id, switch, world),
        WishKind::Cable(cable) => cable::check(wish.id, cable, world),
        WishKind::Segment(segment) => segment::check(wish.id, segment, world),
        WishKind::Port(port) => port::check(wish.id, port, world),
        WishKind::Router(router) => router::check(wish.id, router, world),
        WishKind::Stitch(stitch) => stitch::check(wish.id, stitch, world),
        WishKind::Machine(machine) => {
            check_node(machine.node, world)?;
            for port in &machine.interfaces {
                port::tap_of(*port, machine.node, world)?;
            }
            Ok(Vec::new())
        }
    }
}

/// Whether two wishes for one object want it in the same place: an object changes, but does not move.
fn same_place(old: &WishKind, new: &WishKind) -> bool {
    match (old, new) {
        (WishKind::Cable(old), WishKind::Cable(new)) => old
            .ends
            .iter()
            .map(|end| end.node)
            .eq(new.ends.iter().map(|end| end.node)),
        (WishKind::Switch(old), WishKind::Switch(new)) => old.node == new.node,
        (WishKind::Segment(old), WishKind::Segment(new)) => old.node == new.node,
        (WishKind::Port(old), WishKind::Port(new)) => {
            let node = |port: &manifold_nfvi_interface::PortWish| match &port.plug {
                Plug::Tap => None,
                Plug::Node { node, .. } => Some(*node),
            };
            old.segment == new.segment && node(old) == node(new)
        }
        (WishKind::Stitch(old), WishKind::Stitch(new)) => old.segment == new.segment,
        (WishKind::Machine(old), WishKind::Machine(new)) => old.node == new.node,
        _ => true,
    }
}

/// The objects that a wish stands on: when one of them fails, so does it; when one is removed, so is it.
pub(crate) fn stands_on(wish: &Wish) -> Vec<ObjectId> {
    match &wish.kind {
        WishKind::Node(_) => Vec::new(),
        WishKind::Switch(switch) => vec![switch.node],
        WishKind::Cable(cable) => cable.ends.iter().map(|end| end.node).collect(),
        WishKind::Segment(segment) => vec![segment.node],
        WishKind::Port(port) => {
            let mut on = vec![port.segment];
            if let Plug::Node { node, .. } = &port.plug {
                on.push(*node);
            }
            on
        }
        WishKind::Router(router) => router.legs.iter().map(|leg| leg.segment).collect(),
        WishKind::Stitch(stitch) => vec![stitch.segment],
        WishKind::Machine(machine) => vec![machine.node],
    }
}

/// The TapPlug of a machine's port.
pub(crate) use port::tap_of;

fn check_owner(owner: &Owner) -> Outcome<()> {
    let fits = |text: &str, extra: &[u8]| {
        (1..=40).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || extra.contains(&byte))
    };
    if !fits(&owner.manager, b"/_-") {
        return Err(CallError::invalid(
            "an owner's manager has 1 to 40 bytes of [a-z0-9/_-]",
        ));
    }
    match &owner.tenant {
        Some(tenant) if !fits(tenant.as_str(), b"_-") || tenant.as_str() == "-" => {
            Err(CallError::invalid("an owner's tenant has 1 to 40 bytes of [a-z0-9_-]"))
        }
        _ => Ok(()),
    }
}

fn check_node(id: ObjectId, world: &World<'_>) -> Outcome<()> {
    world.named(id, "node", |kind| matches!(kind, WishKind::Node(_)).then_some(()))
}

/// Smallest and largest MTU: what IPv4 demands of every link (RFC 791: 68 bytes; IPv6: 1,280, which is checked where it is
/// used), and what a veth can carry.
fn check_mtu(mtu_bytes: u32) -> Outcome<()> {
    if (68..=65_535).contains(&mtu_bytes) {
        Ok(())
    } else {
        Err(CallError::invalid(format!(
            "an MTU of {mtu_bytes} bytes is not between 68 and 65,535"
        )))
    }
}

/// A limit below 8 kbit/s would let no whole frame through.
fn check_rate(rate: Option<u64>) -> Outcome<()> {
    match rate {
        Some(rate) if rate < 8_000 => Err(CallError::invalid(format!("a limit of {rate} bit/s is below 8,000"))),
        _ => Ok(()),
    }
}
