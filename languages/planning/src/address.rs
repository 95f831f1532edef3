//! Addresses and subnets: the lowest that is free.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A range of addresses, first and last included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    /// First.
    pub first: IpAddr,
    /// Last.
    pub last: IpAddr,
}

/// Why a pool cannot be used with a subnet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPool {
    /// An end lies outside, or is of the other family.
    #[error("the range {first} to {last} does not lie in {subnet}")]
    Outside {
        /// The range's first address.
        first: IpAddr,
        /// The range's last address.
        last: IpAddr,
        /// The subnet.
        subnet: IpNet,
    },
    /// The first address is higher than the last.
    #[error("the range {first} to {last} runs backwards")]
    Backwards {
        /// The range's first address.
        first: IpAddr,
        /// The range's last address.
        last: IpAddr,
    },
}

impl Pool {
    /// Whether the range lies in the subnet and runs forwards.
    pub fn check(self, subnet: IpNet) -> Result<(), BadPool> {
        let Pool { first, last } = self;
        if !subnet.contains(&first) || !subnet.contains(&last) {
            Err(BadPool::Outside { first, last, subnet })
        } else if first > last {
            Err(BadPool::Backwards { first, last })
        } else {
            Ok(())
        }
    }
}

/// The first and the last address that a host may have in the subnet. In IPv4 the network's own and the broadcast address are no
/// hosts' (RFC 919), but in a /31 both are (RFC 3021); in IPv6 the first is the routers' anycast (RFC 4291 2.6.1), but not in a
/// /127 (RFC 6164).
pub fn hosts(subnet: IpNet) -> (IpAddr, IpAddr) {
    let (first, last) = (number(subnet.network()), number(subnet.broadcast()));
    let (first, last) = match subnet {
        IpNet::V4(net) if net.prefix_len() < 31 => (first + 1, last - 1),
        IpNet::V6(net) if net.prefix_len() < 127 => (first + 1, last),
        IpNet::V4(_) | IpNet::V6(_) => (first, last),
    };
    (address(first, subnet), address(last, subnet))
}

/// Whether a host may have this address in the subnet.
pub fn is_host(subnet: IpNet, wished: IpAddr) -> bool {
    let (first, last) = hosts(subnet);
    subnet.contains(&wished) && first <= wished && wished <= last
}

/// The lowest address of the pools (of the whole subnet when there are none) that is not taken; `None` when all are.
pub fn choose(subnet: IpNet, pools: &[Pool], taken: &BTreeSet<IpAddr>) -> Option<IpAddr> {
    let (first, last) = hosts(subnet);
    let whole = [Pool { first, last }];
    let pools = if pools.is_empty() { &whole[..] } else { pools };
    let mut ranges: Vec<(u128, u128)> = pools
        .iter()
        .filter(|pool| pool.check(subnet).is_ok())
        .map(|pool| (number(pool.first.max(first)), number(pool.last.min(last))))
        .filter(|(low, high)| low <= high)
        .collect();
    ranges.sort_unstable();
    ranges.into_iter().find_map(|(low, high)| {
        // The taken addresses in the range, in order: the first gap is the answer, however large the range is.
        let mut next = low;
        for used in taken.range(address(low, subnet)..=address(high, subnet)) {
            if number(*used) != next {
                break;
            }
            next = next.checked_add(1)?;
        }
        (next <= high).then(|| address(next, subnet))
    })
}

/// The lowest subnet of this prefix length inside `parent` that overlaps none of `taken`; `None` when all do, or when the prefix
/// is shorter than the parent's.
pub fn choose_subnet(parent: IpNet, prefix: u8, taken: &[IpNet]) -> Option<IpNet> {
    if prefix < parent.prefix_len() || prefix > parent.max_prefix_len() {
        return None;
    }
    let size_bits = u32::from(parent.max_prefix_len() - prefix);
    let end = number(parent.broadcast());
    let mut start = number(parent.network());
    loop {
        let candidate = net(address(start, parent), prefix)?;
        // Behind the one that is in the way, not one step further: a taken /8 must not cost 65,536 steps.
        let blocker = taken.iter().find(|used| crate::overlap::overlap(**used, candidate));
        let Some(blocker) = blocker else { return Some(candidate) };
        let behind = number(blocker.broadcast())
            .max(number(candidate.broadcast()))
            .checked_add(1)?;
        let mask = 1u128.checked_shl(size_bits).map_or(u128::MAX, |size| size - 1);
        start = behind.checked_add(mask)? & !mask;
        if start > end {
            return None;
        }
    }
}

fn net(address: IpAddr, prefix: u8) -> Option<IpNet> {
    match address {
        IpAddr::V4(v4) => Ipv4Net::new(v4, prefix).ok().map(IpNet::V4),
        IpAddr::V6(v6) => Ipv6Net::new(v6, prefix).ok().map(IpNet::V6),
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// The inverse of [`number`] in the subnet's family; callers stay inside the subnet, so an IPv4 number fits.
fn address(number: u128, family: IpNet) -> IpAddr {
    match family {
        IpNet::V4(_) => IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(number).unwrap_or(u32::MAX))),
        IpNet::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(number)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn net_of(text: &str) -> IpNet {
        text.parse().unwrap()
    }
    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_networks_own_and_the_broadcast_address_are_never_chosen() {
        let taken = BTreeSet::from([ip("10.0.0.1")]);
        assert_eq!(choose(net_of("10.0.0.0/30"), &[], &taken), Some(ip("10.0.0.2")));
        let taken = BTreeSet::from([ip("10.0.0.1"), ip("10.0.0.2")]);
        assert_eq!(choose(net_of("10.0.0.0/30"), &[], &taken), None);
        assert_eq!(
            choose(net_of("10.0.0.0/31"), &[], &BTreeSet::new()),
            Some(ip("10.0.0.0"))
        );
    }

    #[test]
    fn a_v6_subnet_starts_behind_the_routers_anycast() {
        assert_eq!(choose(net_of("fd00::/64"), &[], &BTreeSet::new()), Some(ip("fd00::1")));
    }

    #[test]
    fn pools_are_used_and_nothing_else() {
        let pools = [Pool {
            first: ip("10.0.0.10"),
            last: ip("10.0.0.11"),
        }];
        let mut taken = BTreeSet::new();
        for expected in [Some(ip("10.0.0.10")), Some(ip("10.0.0.11")), None] {
            let chosen = choose(net_of("10.0.0.0/24"), &pools, &taken);
            assert_eq!(chosen, expected);
            taken.extend(chosen);
        }
    }

    #[test]
    fn a_pool_outside_or_backwards_is_refused() {
        let subnet = net_of("10.0.0.0/24");
        let outside = Pool {
            first: ip("10.0.0.1"),
            last: ip("10.0.1.1"),
        };
        assert!(matches!(outside.check(subnet), Err(BadPool::Outside { .. })));
        let backwards = Pool {
            first: ip("10.0.0.9"),
            last: ip("10.0.0.1"),
        };
        assert!(matches!(backwards.check(subnet), Err(BadPool::Backwards { .. })));
        let family = Pool {
            first: ip("fd00::1"),
            last: ip("fd00::2"),
        };
        assert!(matches!(family.check(subnet), Err(BadPool::Outside { .. })));
    }

    proptest! {
        #[test]
        fn chosen_addresses_are_hosts_of_the_subnet_and_differ(base in any::<u32>(), prefix in 20u8..=30, count in 1usize..40) {
            let subnet = IpNet::V4(Ipv4Net::new(Ipv4Addr::from_bits(base), prefix).unwrap().trunc());
            let mut taken = BTreeSet::new();
            for _ in 0..count {
                let Some(chosen) = choose(subnet, &[], &taken) else {
                    prop_assert_eq!(taken.len(), (1usize << (32 - prefix)) - 2);
                    break;
                };
                prop_assert!(is_host(subnet, chosen));
                prop_assert!(taken.insert(chosen));
            }
        }

        #[test]
        fn chosen_subnets_lie_inside_and_overlap_nothing(count in 1usize..30, prefix in 18u8..=24, blocker in any::<u16>()) {
            let parent = net_of("10.7.0.0/16");
            let mut taken = vec![IpNet::V4(Ipv4Net::new(Ipv4Addr::new(10, 7, (blocker >> 8) as u8, blocker as u8), 27).unwrap().trunc())];
            for _ in 0..count {
                let Some(chosen) = choose_subnet(parent, prefix, &taken) else { break };
                prop_assert!(parent.contains(&chosen));
                prop_assert!(taken.iter().all(|used| !crate::overlap::overlap(*used, chosen)));
                taken.push(chosen);
            }
        }
    }
}
