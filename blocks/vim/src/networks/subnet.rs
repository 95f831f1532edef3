//! AllocateVirtualisedNetworkResource, SUBNET.

use crate::documents::{Document, Subnet};
use crate::world::World;
use ipnet::IpNet;
use manifold_call::{CallError, Outcome, Uuid};
use manifold_desired::Change;
use manifold_planning::address::{self, Pool};
use manifold_vim_interface::{Metadata, NetworkSubnetData};
use std::collections::BTreeMap;

/// Ranges of one subnet.
const POOLS_MAX: usize = 64;

pub(super) fn allocate(
    world: World<'_>,
    id: Uuid,
    data: NetworkSubnetData,
    metadata: Metadata,
) -> Outcome<Change<Document>> {
    let network = data
        .network_id
        .ok_or_else(|| CallError::invalid("a subnet needs its network"))?
        .0;
    world.network(network)?;
    world.own(network)?;
    let subnet = checked(network, data, metadata)?;
    let there = world.subnets_of(network).map(|(_, subnet)| subnet);
    one_dhcp(there.chain([&subnet]))?;
    let subnets = [(id, subnet)];
    world.check_domains(&BTreeMap::new(), &subnets, network)?;
    let taken = world
        .ports_of(network)
        .flat_map(|(.., port)| &port.addresses)
        .any(|used| *used == subnets[0].1.gateway);
    if taken {
        return Err(CallError::conflict(format!(
            "the gateway address {} is a port's",
            subnets[0].1.gateway
        )));
    }
    let [(id, subnet)] = subnets;
    Ok(Change::put(id, world.tenant, Document::Subnet(subnet)))
}

/// A subnet that is sound in itself.
pub(super) fn checked(network: Uuid, data: NetworkSubnetData, metadata: Metadata) -> Outcome<Subnet> {
    let cidr = data.cidr;
    if cidr != cidr.trunc() {
        return Err(CallError::invalid(format!(
            "{cidr} has host bits set; the subnet would be {}",
            cidr.trunc()
        )));
    }
    let loopback = cidr.addr().is_loopback() || cidr.addr().is_multicast() || cidr.prefix_len() == 0;
    if loopback || cidr.prefix_len() > cidr.max_prefix_len() - 1 {
        return Err(CallError::invalid(format!("{cidr} cannot be a subnet")));
    }
    if data.is_dhcp_enabled && matches!(cidr, IpNet::V6(_)) {
        return Err(CallError::unsupported(format!("{cidr}: DHCP is offered for IPv4")));
    }
    let (first, _) = address::hosts(cidr);
    let gateway = data.gateway_ip.unwrap_or(first);
    if !address::is_host(cidr, gateway) {
        return Err(CallError::invalid(format!(
            "the gateway address {gateway} is no host's address in {cidr}"
        )));
    }
    if data.address_pool.len() > POOLS_MAX {
        return Err(CallError::invalid(format!(
            "a subnet has {POOLS_MAX} address ranges at most"
        )));
    }
    for range in &data.address_pool {
        let pool = Pool {
            first: range.first,
            last: range.last,
        };
        pool.check(cidr)
            .map_err(|refused| CallError::invalid(refused.to_string()))?;
    }
    let (dhcp, pools) = (data.is_dhcp_enabled, data.address_pool);
    Ok(Subnet {
        network,
        cidr,
        gateway,
        dhcp,
        pools,
        metadata,
    })
}

/// One DHCP server answers in a network, for one subnet.
pub(super) fn one_dhcp<'a>(subnets: impl Iterator<Item = &'a Subnet>) -> Outcome<()> {
    let with: Vec<String> = subnets
        .filter(|subnet| subnet.dhcp)
        .map(|subnet| subnet.cidr.to_string())
        .collect();
    if with.len() > 1 {
        return Err(CallError::unsupported(format!(
            "one subnet of a network may have DHCP, not {}",
            with.join(" and ")
        )));
    }
    Ok(())
}
