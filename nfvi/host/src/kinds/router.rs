//! Routers: a namespace with a leg in each segment that it names, and nothing else in it: it can forward nowhere else.

use super::port::segment;
use crate::label::{Part, name};
use crate::want::{Shape, Want, World};
use manifold_call::{CallError, Outcome};
use manifold_nfvi_interface::{ObjectId, RouterLeg, RouterWish};

pub(super) fn check(id: ObjectId, wish: &RouterWish, world: &World<'_>) -> Outcome<Vec<Want>> {
    if wish.legs.is_empty() || wish.legs.len() > 64 {
        return Err(CallError::invalid("a router has 1 to 64 legs"));
    }
    let mut wants = Vec::new();
    let mut node = None;
    for (place, leg) in wish.legs.iter().enumerate() {
        let there = segment(leg.segment, world)?;
        if *node.get_or_insert(there.node) != there.node {
            return Err(CallError::invalid("a router's segments are on one node"));
        }
        if wish.legs[..place].iter().any(|other| other.segment == leg.segment) {
            return Err(CallError::invalid(format!("two legs in segment {}", leg.segment)));
        }
        let (home_name, far_name) = names(id, leg);
        let pair = Shape::Pair {
            far_space: id,
            far_name: far_name.clone(),
            far_mac: Some(leg.mac),
        };
        let mut home = Want::plain(there.node, id, Part::Main, home_name.clone(), pair, there.mtu_bytes);
        home.master = Some(name::of(name::SEGMENT, leg.segment));
        let inside = Shape::Far {
            home_space: there.node,
            home_name,
        };
        let mut far = Want::plain(id, id, Part::Far, far_name, inside, there.mtu_bytes);
        far.mac = Some(leg.mac);
        far.addresses = leg.addresses.clone();
        wants.extend([home, far]);
    }
    Ok(wants)
}

/// A leg's names follow from the router and the segment, so they stay when other legs come and go.
fn names(router: ObjectId, leg: &RouterLeg) -> (String, String) {
    let leg = ObjectId::named(router.0, &leg.segment.to_string());
    (name::of(name::LEG, leg), name::of(name::LEG_INSIDE, leg))
}
