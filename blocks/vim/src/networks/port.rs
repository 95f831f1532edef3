//! AllocateVirtualisedNetworkResource, NETWORK_PORT; and the ports that machines bring along.

use crate::documents::{Document, Port, Subnet};
use crate::world::World;
use manifold_call::{CallError, Outcome, Uuid};
use manifold_desired::Change;
use manifold_nfvi_interface::MacAddr;
use manifold_planning::address::{self, Pool};
use manifold_planning::number;
use manifold_vim_interface::{Metadata, VirtualNetworkPortData};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

pub(super) fn allocate(
    world: World<'_>,
    id: Uuid,
    name: String,
    data: VirtualNetworkPortData,
    metadata: Metadata,
) -> Outcome<Change<Document>> {
    if let Some(wished) = &data.access_point {
        let there: Vec<&str> = world
            .inventory
            .access_points
            .iter()
            .map(|access| access.name.as_str())
            .collect();
        if !there.contains(&wished.as_str()) {
            let cure = if there.is_empty() {
                "it has none".to_owned()
            } else {
                format!("it has {}", there.join(", "))
            };
            let missing = format!("there is no access point {wished} in {}", world.inventory.pop);
            return Err(CallError::not_found(missing).cure(cure));
        }
    }
    let ask = PortAsk {
        id,
        network: data.network_id.0,
        addresses: data.ip_address,
        mac: data.mac_address,
    };
    let mut port = new_port(world, ask, &mut BTreeMap::new())?;
    port.name = name;
    port.access_point = data.access_point;
    port.bandwidth = data.bandwidth;
    port.metadata = metadata;
    Ok(Change::put(id, world.tenant, Document::Port(port)))
}

/// A port to be made.
pub(crate) struct PortAsk {
    pub(crate) id: Uuid,
    pub(crate) network: Uuid,
    /// Wished; empty = one of each subnet.
    pub(crate) addresses: Vec<IpAddr>,
    /// Wished.
    pub(crate) mac: Option<String>,
}

/// What other ports of the same call took already, by network.
pub(crate) type Taken = BTreeMap<Uuid, (BTreeSet<IpAddr>, BTreeSet<[u8; 6]>)>;

/// The port with its addresses chosen.
pub(crate) fn new_port(world: World<'_>, ask: PortAsk, also_taken: &mut Taken) -> Outcome<Port> {
    let network = world.network(ask.network)?;
    let subnets: Vec<&Subnet> = world.subnets_of(ask.network).map(|(_, subnet)| subnet).collect();
    let (more_addresses, more_macs) = also_taken.entry(ask.network).or_default();
    let mut taken = world.taken(ask.network);
    taken.extend(more_addresses.iter());
    let mut macs: BTreeSet<[u8; 6]> = world
        .ports_of(ask.network)
        .filter_map(|(.., port)| port.mac.parse::<MacAddr>().ok())
        .map(|mac| mac.0)
        .collect();
    macs.extend(more_macs.iter());

    let addresses = match ask.addresses.is_empty() {
        true => choose(&network.name, &subnets, &taken)?,
        false => wished(&network.name, &subnets, &taken, ask.addresses)?,
    };
    let mac = match ask.mac {
        None => {
            let [.., a, b, c, d, e] = *ask.id.as_bytes();
            MacAddr(
                number::choose_mac([a, b, c, d, e], &macs)
                    .ok_or_else(|| CallError::exhausted("no MAC address is left"))?,
            )
        }
        Some(text) => {
            let mac: MacAddr = text.parse().map_err(|error| CallError::invalid(format!("{error}")))?;
            if !number::is_unicast(mac.0) {
                return Err(CallError::invalid(format!("{mac} is no unicast address")));
            }
            if macs.contains(&mac.0) {
                return Err(CallError::conflict(format!(
                    "{mac} is taken in network {}",
                    network.name
                )));
            }
            mac
        }
    };
    more_addresses.extend(&addresses);
    more_macs.insert(mac.0);
    Ok(Port {
        name: String::new(),
        network: ask.network,
        compute: None,
        implicit: false,
        access_point: None,
        addresses,
        mac: mac.to_string(),
        bandwidth: None,
        metadata: Metadata::new(),
    })
}

fn choose(network: &str, subnets: &[&Subnet], taken: &BTreeSet<IpAddr>) -> Outcome<Vec<IpAddr>> {
    let one = |subnet: &&Subnet| {
        let pools: Vec<Pool> = subnet
            .pools
            .iter()
            .map(|range| Pool {
                first: range.first,
                last: range.last,
            })
            .collect();
        address::choose(subnet.cidr, &pools, taken)
            .ok_or_else(|| CallError::exhausted(format!("no address is left in {} of network {network}", subnet.cidr)))
    };
    let mut sorted = subnets.to_vec();
    sorted.sort_by_key(|subnet| subnet.cidr);
    sorted.iter().map(one).collect()
}

fn wished(
    network: &str,
    subnets: &[&Subnet],
    taken: &BTreeSet<IpAddr>,
    addresses: Vec<IpAddr>,
) -> Outcome<Vec<IpAddr>> {
    let mut seen = BTreeSet::new();
    for address in &addresses {
        if !subnets.iter().any(|subnet| address::is_host(subnet.cidr, *address)) {
            return Err(CallError::invalid(format!(
                "{address} is no host's address in any subnet of network {network}"
            )));
        }
        if taken.contains(address) || !seen.insert(*address) {
            return Err(CallError::conflict(format!("{address} is taken in network {network}")));
        }
    }
    Ok(addresses)
}
