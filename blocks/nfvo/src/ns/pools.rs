//! Address pools of a link that has a network in several PoPs: the networks share a subnet and must not share an address, because
//! each VIM chooses addresses by itself.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use manifold_descriptors::link::L3ProtocolData;
use manifold_planning::address::hosts;
use manifold_vim_interface::AddressRange;

/// Splits what a subnet has to give between sites: `needs` says how many addresses each wants at least. `fixed` addresses are
/// somebody's already. `None`: too few addresses.
pub(crate) fn split(l3: &L3ProtocolData, fixed: &BTreeSet<IpAddr>, needs: &[u128]) -> Option<Vec<Vec<AddressRange>>> {
    let mut ranges = left(l3, fixed);
    let total = ranges.iter().fold(0u128, |sum, (low, high)| {
        sum.saturating_add((high - low).saturating_add(1))
    });
    let needed: u128 = needs.iter().sum();
    let spare = total.checked_sub(needed)?;
    let share = spare / (needs.len() as u128).max(1);
    let mut pools = Vec::with_capacity(needs.len());
    for (at, need) in needs.iter().enumerate() {
        // What does not divide evenly falls to the last.
        let mut wanted = if at + 1 == needs.len() {
            u128::MAX
        } else {
            need.saturating_add(share)
        };
        let mut pool = Vec::new();
        while wanted > 0 && !ranges.is_empty() {
            let (low, high) = ranges[0];
            let size = (high - low).saturating_add(1);
            if size <= wanted {
                pool.push((low, high));
                ranges.remove(0);
                wanted = wanted.saturating_sub(size);
            } else {
                let end = low + (wanted - 1);
                pool.push((low, end));
                ranges[0] = (end + 1, high);
                wanted = 0;
            }
        }
        pools.push(pool.into_iter().map(|(low, high)| range(low, high, l3.cidr)).collect());
    }
    Some(pools)
}

/// Ranges, in order, that the subnet can give away: its pools or all hosts, without the gateway's and fixed addresses.
fn left(l3: &L3ProtocolData, fixed: &BTreeSet<IpAddr>) -> Vec<(u128, u128)> {
    let (first, last) = hosts(l3.cidr);
    let (first, last) = (number(first), number(last));
    let gateway = l3.gateway_ip.unwrap_or_else(|| address(first, l3.cidr));
    let mut ranges: Vec<(u128, u128)> = if l3.ip_allocation_pools.is_empty() {
        vec![(first, last)]
    } else {
        let pools = l3.ip_allocation_pools.iter();
        pools
            .map(|pool| (number(pool.start).max(first), number(pool.end).min(last)))
            .filter(|(low, high)| low <= high)
            .collect()
    };
    ranges.sort_unstable();
    // Pools of one subnet may overlap in a descriptor; addresses are given away once.
    let mut apart: Vec<(u128, u128)> = Vec::with_capacity(ranges.len());
    for (low, high) in ranges {
        match apart.last_mut() {
            Some((_, before)) if low <= *before => *before = high.max(*before),
            _ => apart.push((low, high)),
        }
    }
    for taken in fixed
        .iter()
        .copied()
        .chain([gateway])
        .filter(|taken| l3.cidr.contains(taken))
        .map(number)
    {
        apart = apart
            .into_iter()
            .flat_map(|(low, high)| {
                if taken < low || high < taken {
                    return vec![(low, high)];
                }
                let below = (taken > low).then(|| (low, taken - 1));
                let above = (taken < high).then(|| (taken + 1, high));
                below.into_iter().chain(above).collect()
            })
            .collect();
    }
    apart
}

fn range(low: u128, high: u128, subnet: IpNet) -> AddressRange {
    AddressRange {
        first: address(low, subnet),
        last: address(high, subnet),
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// The inverse of [`number`] in the subnet's family; a number that came from an IPv4 address fits.
fn address(number: u128, family: IpNet) -> IpAddr {
    match family {
        IpNet::V4(_) => IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(number).unwrap_or(u32::MAX))),
        IpNet::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(number)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use manifold_descriptors::link::IpVersion;
    use proptest::prelude::*;

    fn subnet(cidr: &str) -> L3ProtocolData {
        L3ProtocolData {
            name: None,
            ip_version: IpVersion::Ipv4,
            cidr: cidr.parse().unwrap(),
            ip_allocation_pools: vec![],
            gateway_ip: None,
            dhcp_enabled: true,
            ipv6_address_mode: None,
            place: None,
        }
    }

    fn count(pools: &[AddressRange]) -> u128 {
        pools
            .iter()
            .map(|pool| number(pool.last) - number(pool.first) + 1)
            .sum()
    }

    #[test]
    fn what_is_fixed_is_in_no_pool() {
        let fixed = BTreeSet::from(["10.0.0.2".parse().unwrap(), "10.0.0.5".parse().unwrap()]);
        let pools = split(&subnet("10.0.0.0/29"), &fixed, &[1, 1]).unwrap();
        let all: Vec<IpAddr> = pools
            .iter()
            .flatten()
            .flat_map(|pool| [pool.first, pool.last])
            .collect();
        assert!(fixed.iter().all(|taken| !all.contains(taken)));
        assert!(!all.contains(&"10.0.0.1".parse().unwrap()), "the gateway's");
        assert_eq!(pools.iter().map(|pool| count(pool)).sum::<u128>(), 3);
    }

    #[test]
    fn too_small_a_subnet_is_told() {
        assert_eq!(split(&subnet("10.0.0.0/29"), &BTreeSet::new(), &[4, 2]), None);
        assert!(split(&subnet("10.0.0.0/29"), &BTreeSet::new(), &[4, 1]).is_some());
    }

    proptest! {
        #[test]
        fn pools_of_sites_never_meet_and_are_large_enough(prefix in 22u8..=29, needs in prop::collection::vec(0u128..6, 1..5), fixed in prop::collection::vec(any::<u8>(), 0..6)) {
            let net = subnet(&format!("10.9.0.0/{prefix}"));
            let fixed: BTreeSet<IpAddr> = fixed.into_iter().map(|low| IpAddr::V4(Ipv4Addr::new(10, 9, 0, low))).collect();
            if let Some(pools) = split(&net, &fixed, &needs) {
                let mut all: Vec<(u128, u128)> = pools.iter().flatten().map(|pool| (number(pool.first), number(pool.last))).collect();
                for (pool, need) in pools.iter().zip(&needs) {
                    prop_assert!(count(pool) >= *need);
                }
                all.sort_unstable();
                prop_assert!(all.windows(2).all(|pair| pair[0].1 < pair[1].0));
                for (low, high) in all {
                    prop_assert!(fixed.iter().all(|taken| number(*taken) < low || number(*taken) > high));
                }
            }
        }
    }
}
