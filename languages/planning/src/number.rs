//! Numbers that must be unique somewhere: segment identifiers in a PoP, MAC addresses in a network.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

/// The lowest number of the range that is not taken; `None` when all are.
pub fn choose(range: RangeInclusive<u32>, taken: &BTreeSet<u32>) -> Option<u32> {
    let mut next = *range.start();
    for used in taken.range(range.clone()) {
        if *used != next {
            break;
        }
        next = next.checked_add(1)?;
    }
    range.contains(&next).then_some(next)
}

/// The locally administered unicast MAC address (IEEE 802 9.2) that the seed gives; the next one up while that is taken. `None`
/// when all 2^40 are, which is never.
pub fn choose_mac(seed: [u8; 5], taken: &BTreeSet<[u8; 6]>) -> Option<[u8; 6]> {
    let start = u64::from_be_bytes([0, 0, 0, seed[0], seed[1], seed[2], seed[3], seed[4]]);
    (0..=taken.len() as u64)
        .map(|step| mac((start + step) & 0xff_ffff_ffff))
        .find(|mac| !taken.contains(mac))
}

fn mac(low: u64) -> [u8; 6] {
    let [_, _, _, a, b, c, d, e] = low.to_be_bytes();
    [0x02, a, b, c, d, e]
}

/// Whether an interface may carry the address: unicast, and not all zero.
pub fn is_unicast(mac: [u8; 6]) -> bool {
    mac[0] & 1 == 0 && mac != [0; 6]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_lowest_free_number_is_chosen_until_none_is_left() {
        assert_eq!(choose(5..=7, &BTreeSet::from([5, 7])), Some(6));
        assert_eq!(choose(5..=7, &BTreeSet::from([5, 6, 7])), None);
        assert_eq!(choose(u32::MAX..=u32::MAX, &BTreeSet::from([u32::MAX])), None);
    }

    proptest! {
        #[test]
        fn macs_are_unicast_and_never_taken(seed in any::<[u8; 5]>(), count in 1usize..20) {
            let mut taken = BTreeSet::new();
            for _ in 0..count {
                let chosen = choose_mac(seed, &taken).unwrap();
                prop_assert!(is_unicast(chosen));
                prop_assert!(taken.insert(chosen));
            }
        }
    }
}
