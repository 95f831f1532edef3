//! Ports: a tap for a machine, or a pair into another node.

use super::{check_node, check_rate};
use crate::label::{Part, name};
use crate::seams::TapPlug;
use crate::traffic;
use crate::want::{Shape, Want, World};
use ipnet::IpNet;
use manifold_call::{CallError, Outcome};
use manifold_nfvi_interface::{MacAddr, ObjectId, Plug, PortWish, SegmentWish, WishKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(super) fn check(id: ObjectId, wish: &PortWish, world: &World<'_>) -> Outcome<Vec<Want>> {
    let segment = segment(wish.segment, world)?;
    check_rate(wish.rate_bits_per_second)?;
    if wish.mac.0[0] & 1 != 0 || wish.mac == MacAddr([0; 6]) {
        return Err(CallError::invalid(format!(
            "{} is no address of one interface",
            wish.mac
        )));
    }
    if wish.addresses.len() > 64 {
        return Err(CallError::invalid("a port has at most 64 addresses"));
    }
    traffic::check(&wish.traffic)?;
    let main_name = name::of(name::PORT, id);
    let queue_name = name::of(name::QUEUE, id);
    let mut main = Want::plain(
        segment.node,
        id,
        Part::Main,
        main_name.clone(),
        Shape::Tap,
        segment.mtu_bytes,
    );
    main.master = Some(name::of(name::SEGMENT, wish.segment));
    main.rate = wish.rate_bits_per_second;
    if main.rate.is_some() {
        main.precedences = traffic::precedences(&wish.traffic);
    }
    match &wish.plug {
        Plug::Tap => {
            let mut wants = vec![];
            // What a machine sends has left its queues when it enters the tap: it is queued, and so shaped, in a device of its
            // own before it goes on.
            if wish.rate_bits_per_second.is_some() {
                let mut queue = Want::plain(
                    segment.node,
                    id,
                    Part::Queue,
                    queue_name.clone(),
                    Shape::Queue,
                    segment.mtu_bytes,
                );
                queue.rate = wish.rate_bits_per_second;
                wants.push(queue);
                main.queue = Some(queue_name);
            }
            wants.push(main);
            Ok(wants)
        }
        Plug::Node {
            node,
            interface,
            addresses,
            gateway,
        } => {
            check_node(*node, world)?;
            if *node == segment.node {
                return Err(CallError::invalid(
                    "a port is plugged into another node than its segment's",
                ));
            }
            if !name::allowed(interface) {
                return Err(CallError::invalid(format!("{interface:?} is no interface name")));
            }
            if let Some(address) = addresses
                .iter()
                .find(|address| !wish.addresses.contains(&address.addr()))
            {
                return Err(CallError::invalid(format!(
                    "{address} is not one of the port's addresses"
                )));
            }
            main.shape = Shape::Pair {
                far_space: *node,
                far_name: interface.clone(),
                far_mac: Some(wish.mac),
            };
            let home = Shape::Far {
                home_space: segment.node,
                home_name: main_name,
            };
            let mut far = Want::plain(*node, id, Part::Far, interface.clone(), home, segment.mtu_bytes);
            far.mac = Some(wish.mac);
            far.addresses = addresses.clone();
            far.rate = wish.rate_bits_per_second;
            far.routes = gateway.iter().map(|gateway| (everywhere(*gateway), *gateway)).collect();
            Ok(vec![main, far])
        }
    }
}

/// The tap of a machine's port, which must be on the machine's node.
pub(crate) fn tap_of(id: ObjectId, node: ObjectId, world: &World<'_>) -> Outcome<TapPlug> {
    let port = world.named(id, "port", |kind| match kind {
        WishKind::Port(port) => Some(port),
        _ => None,
    })?;
    let segment = segment(port.segment, world)?;
    if port.plug != Plug::Tap || segment.node != node {
        return Err(CallError::invalid(format!("port {id} is no tap on the machine's node")));
    }
    Ok(TapPlug {
        port: id,
        interface: name::of(name::PORT, id),
        mac: port.mac,
        mtu_bytes: segment.mtu_bytes,
    })
}

pub(super) fn segment<'a>(id: ObjectId, world: &World<'a>) -> Outcome<&'a SegmentWish> {
    world.named(id, "segment", |kind| match kind {
        WishKind::Segment(segment) => Some(segment),
        _ => None,
    })
}

fn everywhere(family: IpAddr) -> IpNet {
    let any = match family {
        IpAddr::V4(_) => IpAddr::from(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::from(Ipv6Addr::UNSPECIFIED),
    };
    IpNet::new(any, 0).expect("zero is a prefix length of both families")
}
