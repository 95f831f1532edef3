//! Stitches: a second tunnel, over the WAN, in the bridge of a gateway's segment.
//!
//! Both tunnels are full meshes, and a bridge never sends a frame back where it came from: no frame runs in a circle as long as
//! a PoP has one gateway per WAN service.

use super::check_rate;
use super::port::segment;
use super::segment::tunnel;
use crate::label::{Part, name};
use crate::want::{Want, World};
use manifold_call::{CallError, Outcome};
use manifold_nfvi_interface::{ObjectId, StitchWish};

/// Not RFC 7348's: see `segment::UNDERLAY_UDP_PORT`.
const WAN_UDP_PORT: u16 = 14_789;

pub(super) fn check(id: ObjectId, wish: &StitchWish, world: &World<'_>) -> Outcome<Vec<Want>> {
    let there = segment(wish.segment, world)?;
    check_rate(wish.rate_bits_per_second)?;
    let same_gateway =
        |stitch: &StitchWish| segment(stitch.segment, world).is_ok_and(|segment| segment.node == there.node);
    let taken = world
        .stitches_with(wish.wan_vni)
        .find(|(other, stitch)| *other != id && same_gateway(stitch));
    if let Some((other, _)) = taken {
        return Err(CallError::conflict(format!(
            "WAN VNI {} is stitch {}'s on this gateway",
            wish.wan_vni, other
        )));
    }
    let tunnel = tunnel(
        there.node,
        id,
        (Part::Main, name::of(name::STITCH, id)),
        (wish.wan_vni, WAN_UDP_PORT),
        wish.local,
        &wish.peers,
        there.mtu_bytes,
        world,
    )?;
    Ok(vec![Want {
        master: Some(name::of(name::SEGMENT, wish.segment)),
        rate: wish.rate_bits_per_second,
        ..tunnel
    }])
}
