//! UpdateVirtualisedComputeResource: metadata; interfaces of a stopped machine.

use super::operate::remember;
use super::{Planned, allocate};
use crate::documents::{Document, Port};
use crate::world::World;
use manifold_call::{CallError, Uuid};
use manifold_desired::{Change, Decision};
use manifold_vim_interface::UpdateCompute;

pub(super) fn plan(world: World<'_>, key: Uuid, ask: UpdateCompute) -> Planned {
    let id = ask.compute_id.0;
    let mut compute = world.compute(id)?.clone();
    if compute.applied.contains(&key) {
        return Ok(Decision::Stands(vec![id]));
    }
    if let Some(metadata) = ask.metadata {
        compute.metadata = metadata;
    }
    let mut change = Change::default();
    if !ask.network_interface_new.is_empty() {
        if compute.on {
            return Err(CallError::conflict(format!("machine {id} runs")).cure("stop it before interfaces are added"));
        }
        if compute.ports.len() + ask.network_interface_new.len() > allocate::INTERFACES_MAX {
            let most = allocate::INTERFACES_MAX;
            return Err(CallError::invalid(format!("a machine has {most} interfaces at most")));
        }
        // The key sets these ports' ids apart from those that the machine was made with.
        let new = allocate::interfaces(world, id, &ask.network_interface_new)?;
        let new: Vec<(Uuid, Port)> = new
            .into_iter()
            .map(|(port_id, port)| {
                if port.implicit {
                    (Uuid::new_v5(&key, port_id.as_bytes()), port)
                } else {
                    (port_id, port)
                }
            })
            .collect();
        let host = world.inventory.hosts.iter().find(|host| host.name == compute.host);
        for (_, port) in &new {
            let provider = world.network_provider(port.network);
            let reached = |provider: &str| host.is_some_and(|host| host.provider_cables.contains_key(provider));
            if let Some(provider) = provider.filter(|provider| !reached(provider)) {
                let why = format!("host {} does not reach provider network {provider}", compute.host);
                return Err(CallError::conflict(why));
            }
        }
        let mut ports: Vec<Port> = Vec::new();
        for port in &compute.ports {
            ports.push(world.port(*port)?.clone());
        }
        ports.extend(new.iter().map(|(_, port)| port.clone()));
        compute.network_config = network_config(world, &ports);
        compute.ports.extend(new.iter().map(|(port_id, _)| *port_id));
        for (port_id, port) in new {
            change = change.and_put(port_id, world.tenant, Document::Port(port));
        }
    }
    remember(&mut compute.applied, key);
    Ok(Decision::Do(change.and_put(
        id,
        world.tenant,
        Document::Compute(compute),
    )))
}

fn network_config(world: World<'_>, ports: &[Port]) -> String {
    allocate::network_config(world, ports.iter())
}
