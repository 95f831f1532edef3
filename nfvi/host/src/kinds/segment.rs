//! Segments: a bridge, and a tunnel to the network's other nodes or a cable into a provider network.

use super::{check_mtu, check_node};
use crate::label::{Part, name};
use crate::want::{Shape, Want, World};
use manifold_call::{CallError, Outcome};
use manifold_nfvi_interface::{MacAddr, ObjectId, SegmentWish, Transport, WishKind};
use std::net::IpAddr;

/// RFC 7348's port, for virtual networks inside a PoP. Stitches use another one: a VXLAN is found by its port and identifier
/// alone, and both number spaces meet in a gateway.
const UNDERLAY_UDP_PORT: u16 = 4_789;

pub(super) fn check(id: ObjectId, wish: &SegmentWish, world: &World<'_>) -> Outcome<Vec<Want>> {
    check_node(wish.node, world)?;
    check_mtu(wish.mtu_bytes)?;
    if let Some(dhcp) = &wish.dhcp
        && (dhcp.lease_s < 60 || dhcp.subnet.prefix_len() > 30)
    {
        return Err(CallError::invalid(
            "DHCP needs a lease of at least 60 s and a subnet of at most 30 bits",
        ));
    }
    let bridge_name = name::of(name::SEGMENT, id);
    let tunnel_name = name::of(name::TUNNEL, id);
    let mut bridge = Want::plain(
        wish.node,
        id,
        Part::Main,
        bridge_name.clone(),
        Shape::Bridge,
        wish.mtu_bytes,
    );
    bridge.mac = Some(MacAddr::of(id));
    let mut wants = vec![bridge];
    match &wish.transport {
        None => {}
        Some(Transport::Vxlan { vni, local, peers }) => {
            check_one_vni(id, wish.node, *vni, world)?;
            let tunnel = tunnel(
                wish.node,
                id,
                (Part::Tunnel, tunnel_name),
                (*vni, UNDERLAY_UDP_PORT),
                *local,
                peers,
                wish.mtu_bytes,
                world,
            )?;
            wants.push(Want {
                master: Some(bridge_name),
                ..tunnel
            });
        }
        Some(Transport::Provider { cable }) => {
            let there = world.named(*cable, "cable", |kind| match kind {
                WishKind::Cable(cable) => Some(cable),
                _ => None,
            })?;
            let end = there.ends.iter().find(|end| end.node == wish.node);
            match end {
                None => {
                    return Err(CallError::invalid(format!(
                        "cable {cable} does not end in the segment's node"
                    )));
                }
                Some(end) if end.switch.is_some() => {
                    return Err(CallError::invalid(format!("cable {cable} ends in a switch already")));
                }
                Some(_) if there.mtu_bytes < wish.mtu_bytes => {
                    return Err(CallError::invalid(format!(
                        "an MTU of {} bytes does not fit through cable {cable} of {} bytes",
                        wish.mtu_bytes, there.mtu_bytes
                    )));
                }
                // The cable's own wish names its master; it is mended together with the segment.
                Some(_) => wants.extend(
                    super::cable::check(*cable, there, world)?
                        .into_iter()
                        .filter(|want| want.space == wish.node),
                ),
            }
        }
    }
    Ok(wants)
}

/// A VXLAN tunnel, once its local address and its MTU are known to fit.
#[allow(clippy::too_many_arguments)] // two callers, each argument a different type
pub(super) fn tunnel(
    node: ObjectId,
    object: ObjectId,
    (part, name): (Part, String),
    (vni, udp_port): (u32, u16),
    local: IpAddr,
    peers: &[IpAddr],
    mtu_bytes: u32,
    world: &World<'_>,
) -> Outcome<Want> {
    if !(1..1 << 24).contains(&vni) {
        return Err(CallError::invalid(format!("VNI {vni} is not between 1 and 16,777,215")));
    }
    if peers.len() > 1_024 {
        return Err(CallError::invalid("a tunnel has at most 1,024 peers"));
    }
    if let Some(peer) = peers
        .iter()
        .find(|peer| peer.is_ipv4() != local.is_ipv4() || **peer == local)
    {
        return Err(CallError::invalid(format!(
            "peer {peer} cannot be reached from {local}"
        )));
    }
    // Outer Ethernet is not part of the underlay's MTU, the inner one is: 14, VXLAN 8, UDP 8, IPv4 20 or IPv6 40.
    let header_bytes = if local.is_ipv4() { 50 } else { 70 };
    let Some((cable, carried)) = world.cable_with(node, local).map(|(id, cable)| (id, cable.mtu_bytes)) else {
        return Err(CallError::invalid(format!(
            "tunnel address {local} is on none of the node's cables"
        )));
    };
    if mtu_bytes + header_bytes > carried {
        return Err(CallError::invalid(format!(
            "an MTU of {mtu_bytes} bytes needs {} on cable {cable}, which has {carried}",
            mtu_bytes + header_bytes
        )));
    }
    let mut want = Want::plain(
        node,
        object,
        part,
        name,
        Shape::Vxlan { vni, udp_port, local },
        mtu_bytes,
    );
    want.floods = peers.to_vec();
    Ok(want)
}

fn check_one_vni(id: ObjectId, node: ObjectId, vni: u32, world: &World<'_>) -> Outcome<()> {
    let other = world.segments_with(node, vni).find(|other| *other != id);
    match other {
        Some(other) => Err(CallError::conflict(format!(
            "VNI {vni} is segment {other}'s on this node"
        ))),
        None => Ok(()),
    }
}
