//! Cables: a veth pair between two nodes. The first end's namespace makes it.

use super::{check_mtu, check_node, check_rate};
use crate::label::{Part, name};
use crate::want::{Shape, Want, World};
use manifold_call::{CallError, Outcome};
use manifold_nfvi_interface::{CableEnd, CableWish, ObjectId, WishKind};

pub(super) fn check(id: ObjectId, wish: &CableWish, world: &World<'_>) -> Outcome<Vec<Want>> {
    check_mtu(wish.mtu_bytes)?;
    check_rate(wish.rate_bits_per_second)?;
    let [home, far] = &wish.ends;
    if home.node == far.node {
        return Err(CallError::invalid("a cable joins two different nodes"));
    }
    let pair = Shape::Pair {
        far_space: far.node,
        far_name: far.interface.clone(),
        far_mac: None,
    };
    let other = Shape::Far {
        home_space: home.node,
        home_name: home.interface.clone(),
    };
    Ok(vec![
        end(id, wish, home, Part::Main, pair, world)?,
        end(id, wish, far, Part::Far, other, world)?,
    ])
}

fn end(id: ObjectId, wish: &CableWish, end: &CableEnd, part: Part, shape: Shape, world: &World<'_>) -> Outcome<Want> {
    check_node(end.node, world)?;
    if !name::allowed(&end.interface) {
        return Err(CallError::invalid(format!(
            "{:?} is no interface name (1 to 15 bytes of [A-Za-z0-9._-], not beginning with {:?})",
            end.interface,
            name::PREFIX
        )));
    }
    let mut want = Want::plain(end.node, id, part, end.interface.clone(), shape, wish.mtu_bytes);
    want.addresses = end.addresses.clone();
    want.routes = end.routes.iter().map(|(to, via)| (to.trunc(), *via)).collect();
    want.rate = wish.rate_bits_per_second;
    want.master = match end.switch {
        Some(switch) => {
            let there = world.named(switch, "switch", |kind| match kind {
                WishKind::Switch(switch) => Some(switch),
                _ => None,
            })?;
            if there.node != end.node {
                return Err(CallError::invalid(format!(
                    "switch {switch} stands in another node than this end of the cable"
                )));
            }
            Some(name::of(name::SWITCH, switch))
        }
        None => world
            .provider_of(end.node, id)
            .map(|segment| name::of(name::SEGMENT, segment)),
    };
    Ok(want)
}
