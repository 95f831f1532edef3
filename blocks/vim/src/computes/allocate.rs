//! AllocateVirtualisedComputeResource.

use super::{Planned, placing};
use crate::documents::{Compute, Document, Port};
use crate::networks::{PortAsk, new_port};
use crate::no_cloud::{self, Interface};
use crate::realm::PopRealm;
use crate::world::World;
use manifold_call::{CallError, Outcome, Uuid};
use manifold_desired::{Change, Decision};
use manifold_store::Sealed;
use manifold_vim_interface::{AllocateCompute, UserData, UserDataMethod, VirtualInterfaceData};
use std::collections::BTreeMap;

/// A machine's interfaces: QEMU's q35 has 31 slots, and disks and the guest channel need theirs.
pub(super) const INTERFACES_MAX: usize = 16;

/// Errors: `Unsupported` for any method but NoCloud.
pub(super) fn seal(realm: &PopRealm, id: Uuid, data: &UserData) -> Outcome<Sealed> {
    match data.method {
        UserDataMethod::NoCloud => realm.seal(id, &data.content),
        other => Err(CallError::unsupported(format!(
            "user data by {other:?} is not offered; NO_CLOUD is"
        ))),
    }
}

pub(super) fn plan(world: World<'_>, id: Uuid, ask: AllocateCompute, user_data: Option<Sealed>) -> Planned {
    if world.made(id)? {
        return Ok(Decision::Stands(vec![id]));
    }
    let flavour = world.flavour(ask.compute_flavour_id.0)?;
    let image = ask.vc_image_id.ok_or_else(|| {
        CallError::unsupported("an empty virtualisation container is not offered").cure("name a software image")
    })?;
    world.image(image.0)?;
    let ports = interfaces(world, id, &ask.interface_data)?;
    let rules = placing::rules(world, id, &ask.affinity_or_anti_affinity_constraints)?;
    let size = placing::Size {
        name: &ask.compute_name,
        vcpus: flavour.vcpus,
        memory_mib: flavour.memory_mib,
    };
    let networks = ports.iter().map(|(_, port)| port.network).collect();
    let host = placing::place(
        world,
        id,
        size,
        networks,
        ask.location_constraints.unwrap_or_default(),
        rules,
    )?;

    let compute = Compute {
        meta_data: no_cloud::meta_data(id, &ask.compute_name),
        network_config: network_config(world, ports.iter().map(|(_, port)| port)),
        name: ask.compute_name,
        flavour: ask.compute_flavour_id.0,
        vcpus: flavour.vcpus,
        memory_mib: flavour.memory_mib,
        image: image.0,
        ports: ports.iter().map(|(port, _)| *port).collect(),
        host: host.name.clone(),
        zone: host.zone.clone(),
        rules: ask.affinity_or_anti_affinity_constraints,
        user_data,
        on: true,
        generation: 1,
        applied: Vec::new(),
        metadata: ask.metadata,
    };
    let mut change = Change::put(id, world.tenant, Document::Compute(compute));
    for (port_id, port) in ports {
        change = change.and_put(port_id, world.tenant, Document::Port(port));
    }
    Ok(Decision::Do(change))
}

/// The machine's ports, those that exist and those that come with it, each as it shall be.
pub(super) fn interfaces(world: World<'_>, compute: Uuid, asks: &[VirtualInterfaceData]) -> Outcome<Vec<(Uuid, Port)>> {
    if asks.len() > INTERFACES_MAX {
        return Err(CallError::invalid(format!(
            "a machine has {INTERFACES_MAX} interfaces at most"
        )));
    }
    let mut ports: Vec<(Uuid, Port)> = Vec::new();
    let mut taken = BTreeMap::new();
    for (at, ask) in asks.iter().enumerate() {
        let (id, mut port) = match (ask.network_id, ask.network_port_id) {
            (Some(network), None) => {
                let id = Uuid::new_v5(&compute, format!("port {} {at}", network.0).as_bytes());
                let (addresses, mac) = (ask.ip_address.clone(), ask.mac_address.clone());
                let mut port = new_port(
                    world,
                    PortAsk {
                        id,
                        network: network.0,
                        addresses,
                        mac,
                    },
                    &mut taken,
                )?;
                port.implicit = true;
                (id, port)
            }
            (None, Some(named)) => {
                if !ask.ip_address.is_empty() || ask.mac_address.is_some() {
                    return Err(CallError::invalid("an interface on a port has the port's addresses"));
                }
                (named.0, world.port(named.0)?.clone())
            }
            _ => return Err(CallError::invalid("an interface names either a network or a port")),
        };
        if let Some(user) = port.compute.filter(|user| *user != compute) {
            return Err(CallError::conflict(format!("port {id} is machine {user}'s")));
        }
        if let Some(access) = &port.access_point {
            return Err(CallError::conflict(format!(
                "port {id} is plugged into access point {access}"
            )));
        }
        if ports.iter().any(|(other, _)| *other == id) {
            return Err(CallError::conflict(format!("port {id} is named twice")));
        }
        port.compute = Some(compute);
        ports.push((id, port));
    }
    Ok(ports)
}

/// What the machine reads about its interfaces at its first boot.
pub(super) fn network_config<'a>(world: World<'a>, ports: impl Iterator<Item = &'a Port>) -> String {
    let interfaces: Vec<Interface<'_>> = ports
        .map(|port| Interface {
            port,
            subnets: world.subnets_of(port.network).map(|(_, subnet)| subnet).collect(),
            mtu: world
                .networks()
                .find(|(id, ..)| *id == port.network)
                .map_or(1_500, |(.., network)| network.mtu),
            routed: !world.connected(port.network).is_empty(),
        })
        .collect();
    no_cloud::network_config(&interfaces)
}
