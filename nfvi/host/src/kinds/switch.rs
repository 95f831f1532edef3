//! Switches: a plain bridge that joins cables inside one node.

use super::{check_mtu, check_node};
use crate::label::{Part, name};
use crate::want::{Shape, Want, World};
use manifold_call::Outcome;
use manifold_nfvi_interface::{MacAddr, ObjectId, SwitchWish};

pub(super) fn check(id: ObjectId, wish: &SwitchWish, world: &World<'_>) -> Outcome<Vec<Want>> {
    check_node(wish.node, world)?;
    check_mtu(wish.mtu_bytes)?;
    let mut bridge = Want::plain(
        wish.node,
        id,
        Part::Main,
        name::of(name::SWITCH, id),
        Shape::Bridge,
        wish.mtu_bytes,
    );
    bridge.mac = Some(MacAddr::of(id));
    Ok(vec![bridge])
}
