//! AllocateVirtualisedNetworkResource, NETWORK.

use super::subnet;
use crate::documents::{Document, Network, Transport};
use crate::world::World;
use manifold_call::{CallError, Outcome, Uuid};
use manifold_desired::Change;
use manifold_nfvi_interface::PopInventory;
use manifold_planning::number;
use manifold_vim_interface::{Metadata, VirtualNetworkData};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Segment identifiers that the VIM chooses from; lower ones are for those who wish for one.
const CHOSEN_VNIS: std::ops::RangeInclusive<u32> = 10_000..=16_777_215;
const VNI_MAX: u32 = 16_777_215;
/// What VXLAN puts before an Ethernet frame, with the outer IP header and the inner Ethernet header (RFC 7348 5).
const OVERHEAD_IPV4_BYTES: u32 = 50;
const OVERHEAD_IPV6_BYTES: u32 = 70;
/// Ethernet's, and what every guest expects.
const MTU_USUAL: u32 = 1_500;
/// The least that carries IPv6 (RFC 8200 5).
const MTU_LEAST: u32 = 1_280;
/// Subnets that may be made with a network.
const SUBNETS_MAX: usize = 16;

pub(super) fn allocate(
    world: World<'_>,
    id: Uuid,
    name: String,
    data: VirtualNetworkData,
    metadata: Metadata,
) -> Outcome<Change<Document>> {
    let transport = transport(world, &data)?;
    let mtu = mtu(world, &data, &transport)?;
    for other in &data.connected_networks {
        world.network(other.0)?;
    }
    if data.layer3_attributes.len() > SUBNETS_MAX {
        return Err(CallError::invalid(format!(
            "a network is made with {SUBNETS_MAX} subnets at most"
        )));
    }
    let network = Network {
        name,
        bandwidth: data.bandwidth.unwrap_or(0),
        transport,
        shared: data.is_shared,
        connected: data.connected_networks.iter().map(|other| other.0).collect(),
        gateway_reachable: data.gateway_reachable,
        mtu,
        metadata,
    };
    let mut subnets = Vec::new();
    for (at, attributes) in data.layer3_attributes.into_iter().enumerate() {
        if attributes.network_id.is_some_and(|named| named.0 != id) {
            return Err(CallError::invalid(
                "a subnet that is made with a network cannot name another one",
            ));
        }
        let subnet_id = Uuid::new_v5(&id, format!("subnet {at}").as_bytes());
        subnets.push((subnet_id, subnet::checked(id, attributes, Metadata::new())?));
    }
    subnet::one_dhcp(subnets.iter().map(|(_, subnet)| subnet))?;
    let networks = BTreeMap::from([(id, network)]);
    world.check_domains(&networks, &subnets, id)?;

    let mut change = Change::default();
    for (id, network) in networks {
        change = change.and_put(id, world.tenant, Document::Network(network));
    }
    for (id, subnet) in subnets {
        change = change.and_put(id, world.tenant, Document::Subnet(subnet));
    }
    Ok(change)
}

fn transport(world: World<'_>, data: &VirtualNetworkData) -> Outcome<Transport> {
    let kind = match (data.network_type.as_deref(), &data.provider_network) {
        (None, Some(_)) => "provider",
        (named, _) => named.unwrap_or("vxlan"),
    };
    match (kind, &data.provider_network) {
        ("vxlan", None) => Ok(Transport::Vxlan {
            vni: vni(world, data.segmentation_id)?,
        }),
        ("vxlan", Some(_)) => Err(CallError::invalid("a network of type vxlan has no provider network")),
        ("provider", None) => Err(CallError::invalid(
            "a network of type provider names its provider network",
        )),
        ("provider", Some(name)) => {
            let there: Vec<&str> = world
                .inventory
                .provider_networks
                .iter()
                .map(|known| known.name.as_str())
                .collect();
            if !there.contains(&name.as_str()) {
                let cure = if there.is_empty() {
                    "it has none".to_owned()
                } else {
                    format!("it has {}", there.join(", "))
                };
                let missing = format!("there is no provider network {name} in {}", world.inventory.pop);
                return Err(CallError::not_found(missing).cure(cure));
            }
            if data.segmentation_id.is_some() {
                return Err(CallError::invalid("a provider network has no segment identifier"));
            }
            if data.gateway_reachable {
                return Err(CallError::unsupported(
                    "a provider network does not reach the PoP's gateway",
                ));
            }
            Ok(Transport::Provider { network: name.clone() })
        }
        (other, _) => Err(CallError::unsupported(format!(
            "networks of type {other} are not offered; vxlan and provider are"
        ))),
    }
}

fn vni(world: World<'_>, wished: Option<u32>) -> Outcome<u32> {
    let taken = world.vnis();
    match wished {
        Some(vni) if vni == 0 || vni > VNI_MAX => Err(CallError::invalid(format!(
            "{vni} is no segment identifier: 1 to {VNI_MAX}"
        ))),
        Some(vni) if taken.contains(&vni) => Err(CallError::conflict(format!("segment identifier {vni} is in use"))),
        Some(vni) => Ok(vni),
        None => number::choose(CHOSEN_VNIS, &taken)
            .ok_or_else(|| CallError::exhausted(format!("no segment identifier is left in {}", world.inventory.pop))),
    }
}

/// What a virtual network of the PoP may carry at most, in bytes: what every host's underlay, and the WAN if it is to reach that,
/// leave beside the tunnel's headers.
pub(crate) fn most(pop: &PopInventory, to_the_wan: bool) -> u32 {
    let overhead = |address: IpAddr| {
        if address.is_ipv4() {
            OVERHEAD_IPV4_BYTES
        } else {
            OVERHEAD_IPV6_BYTES
        }
    };
    let hosts = pop
        .hosts
        .iter()
        .map(|host| host.underlay_mtu_bytes.saturating_sub(overhead(host.underlay)));
    let gateway = pop.gateway.as_ref().filter(|_| to_the_wan);
    let wan = gateway.map(|gateway| gateway.wan_mtu_bytes.saturating_sub(overhead(gateway.wan)));
    hosts.chain(wan).min().unwrap_or(MTU_USUAL)
}

/// What the network's frames may carry: what was wished, or the usual, as far as the equipment lets it.
fn mtu(world: World<'_>, data: &VirtualNetworkData, transport: &Transport) -> Outcome<u32> {
    let pop = world.inventory;
    let most = match transport {
        Transport::Provider { network } => {
            let provider = pop.provider_networks.iter().find(|known| known.name == *network);
            provider.map_or(MTU_USUAL, |known| known.mtu_bytes)
        }
        Transport::Vxlan { .. } if data.gateway_reachable && pop.gateway.is_none() => {
            return Err(CallError::unsupported(format!("{} has no gateway to the WAN", pop.pop)));
        }
        Transport::Vxlan { .. } => most(pop, data.gateway_reachable),
    };
    match data.mtu {
        Some(wished) if wished > most => Err(CallError::invalid(format!(
            "an MTU of {wished} bytes, and {most} are the most that reach everywhere here"
        ))),
        Some(wished) if wished < MTU_LEAST => Err(CallError::invalid(format!(
            "an MTU of {wished} bytes, and {MTU_LEAST} are the least"
        ))),
        Some(wished) => Ok(wished),
        None => Ok(most.min(MTU_USUAL)),
    }
}
