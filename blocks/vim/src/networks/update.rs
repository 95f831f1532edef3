//! UpdateVirtualisedNetworkResource: limits, connections, metadata. A subnet's family, CIDR and network cannot change.

use crate::documents::Document;
use crate::world::World;
use manifold_call::{CallError, Outcome};
use manifold_desired::{Change, Decision};
use manifold_vim_interface::UpdateNetworkResource;
use std::collections::BTreeMap;

pub(super) fn update(world: World<'_>, ask: UpdateNetworkResource) -> Outcome<Decision<Document>> {
    let id = ask.network_resource_id;
    let missing = || CallError::not_found(format!("there is no network, subnet or port {id}"));
    let held = world
        .documents
        .find(id)
        .filter(|held| !held.leaving && world.sees(held))
        .ok_or_else(missing)?;
    world.own(id)?;
    let before = held.body.clone();
    let mut after = held.body.clone();
    match &mut after {
        Document::Network(network) => {
            if let Some(bandwidth) = ask.bandwidth {
                network.bandwidth = bandwidth;
            }
            if let Some(metadata) = ask.metadata {
                network.metadata = metadata;
            }
            if let Some(connected) = ask.connected_networks {
                for other in &connected {
                    world.network(other.0)?;
                }
                network.connected = connected
                    .iter()
                    .map(|other| other.0)
                    .filter(|other| *other != id)
                    .collect();
                world.check_domains(&BTreeMap::from([(id, network.clone())]), &[], id)?;
            }
        }
        Document::Subnet(subnet) => {
            refuse(
                ask.bandwidth.is_some() || ask.connected_networks.is_some(),
                "a subnet has neither limit nor connections",
            )?;
            if let Some(metadata) = ask.metadata {
                subnet.metadata = metadata;
            }
        }
        Document::Port(port) => {
            refuse(ask.connected_networks.is_some(), "networks are connected, not ports")?;
            if let Some(bandwidth) = ask.bandwidth {
                port.bandwidth = Some(bandwidth);
            }
            if let Some(metadata) = ask.metadata {
                port.metadata = metadata;
            }
        }
        Document::Compute(_)
        | Document::Group(_)
        | Document::Flavour(_)
        | Document::Image(_)
        | Document::Path(_)
        | Document::Rule(_) => return Err(missing()),
    }
    Ok(if after == before {
        Decision::Stands(vec![id])
    } else {
        Decision::Do(Change::put(id, world.tenant, after))
    })
}

fn refuse(wrong: bool, why: &str) -> Outcome<()> {
    if wrong { Err(CallError::invalid(why)) } else { Ok(()) }
}
