//! TerminateVirtualisedNetworkResource: ports, subnets, networks, in any order. What is in use stays, and the refusal says by what.

use crate::documents::Document;
use crate::world::World;
use manifold_call::{CallError, Outcome, Uuid};
use manifold_desired::{Change, Decision};
use std::collections::BTreeSet;

pub(super) fn plan(world: World<'_>, ids: &[Uuid]) -> Outcome<Decision<Document>> {
    let asked: BTreeSet<Uuid> = ids.iter().copied().collect();
    let mut leaves = Vec::new();
    for id in &asked {
        let Some(held) = world.documents.find(*id).filter(|held| world.sees(held)) else {
            continue;
        };
        world.own(*id)?;
        let in_use = |by: &str, other: Uuid| Err(CallError::conflict(format!("{id} is in use by {by} {other}")));
        match &held.body {
            Document::Network(_) => {
                if let Some((port, ..)) = world.ports_of(*id).find(|(port, ..)| !asked.contains(port)) {
                    return in_use("port", port);
                }
                if let Some((subnet, _)) = world.subnets_of(*id).find(|(subnet, _)| !asked.contains(subnet)) {
                    return in_use("subnet", subnet);
                }
            }
            Document::Subnet(subnet) => {
                let uses = |address| subnet.cidr.contains(address);
                let mut ports = world.ports_of(subnet.network);
                let user = ports.find(|(port, _, body)| !asked.contains(port) && body.addresses.iter().any(uses));
                if let Some((port, ..)) = user {
                    return in_use("port", port);
                }
            }
            Document::Port(port) => {
                let user = port
                    .compute
                    .filter(|compute| world.documents.find(*compute).is_some_and(|held| !held.leaving));
                if let Some(compute) = user {
                    return in_use("machine", compute);
                }
                if let Some(path) = crate::paths::using(world, *id) {
                    return in_use("forwarding path", path);
                }
            }
            Document::Compute(_)
            | Document::Group(_)
            | Document::Flavour(_)
            | Document::Image(_)
            | Document::Path(_)
            | Document::Rule(_) => continue,
        }
        leaves.push(*id);
    }
    // Connections that were asked for on the other side end with the network.
    let mut change = Change {
        puts: Vec::new(),
        leaves,
    };
    for (id, held, network) in world.networks() {
        let ends = network.connected.intersection(&asked).next().is_some();
        if ends && !held.leaving && !asked.contains(&id) {
            let mut network = network.clone();
            network.connected.retain(|other| !change.leaves.contains(other));
            change = change.and_put(id, &held.tenant, Document::Network(network));
        }
    }
    crate::traffic::without(world, &mut change);
    Ok(if change.leaves.is_empty() {
        Decision::Already
    } else {
        Decision::Do(change)
    })
}
