//! From a path to the hops of its ports: pure.
//!
//! Whoever is of the class and leaves a place is sent to the way into the next one. What leaves a function carries the addresses
//! of others; it may, for this class. A last port that is a function's way out sends where its packets are addressed to.

use super::class;
use crate::documents::Path;
use manifold_call::Uuid;
use manifold_nfvi_interface::{MacAddr, PathHop};

/// By port; `mac` knows a port's address. Nothing when a port is missing: half a path would lead its packets into nowhere.
pub(crate) fn hops(path: &Path, mac: &impl Fn(Uuid) -> Option<MacAddr>) -> Vec<(Uuid, PathHop)> {
    let whole = path.places.iter().flatten().all(|port| mac(*port).is_some());
    if !path.enabled || !whole {
        return Vec::new();
    }
    let mut hops = Vec::new();
    for (at, place) in path.places.iter().enumerate() {
        let Some(from) = place.last() else { continue };
        let next = path.places.get(at + 1).and_then(|place| place.first());
        // The place where the packets come from sends its own; every other one those of others.
        let foreign = at > 0;
        if next.is_none() && place.len() < 2 {
            continue;
        }
        let hop = PathHop {
            priority: path.priority,
            classifiers: class(path),
            next: next.and_then(|port| mac(*port)),
            foreign,
        };
        hops.push((*from, hop));
    }
    hops
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    fn path(places: &[&[u128]]) -> Path {
        Path {
            name: "path".to_owned(),
            places: places
                .iter()
                .map(|place| place.iter().copied().map(port).collect())
                .collect(),
            rules: Vec::new(),
            priority: 3,
            enabled: true,
            metadata: Default::default(),
        }
    }

    fn mac(id: Uuid) -> Option<MacAddr> {
        let last = id.as_bytes()[15];
        (last < 9).then_some(MacAddr([2, 0, 0, 0, 0, last]))
    }

    fn led(path: &Path) -> Vec<(u8, Option<u8>, bool)> {
        hops(path, &mac)
            .into_iter()
            .map(|(from, hop)| (from.as_bytes()[15], hop.next.map(|mac| mac.0[5]), hop.foreign))
            .collect()
    }

    #[test]
    fn each_place_leads_to_the_next_one() {
        let through_two = path(&[&[1], &[2, 3], &[4], &[5]]);
        assert_eq!(
            led(&through_two),
            [(1, Some(2), false), (3, Some(4), true), (4, Some(5), true)]
        );
    }

    #[test]
    fn a_last_function_sends_where_its_packets_are_addressed_to() {
        assert_eq!(led(&path(&[&[1], &[2, 3]])), [(1, Some(2), false), (3, None, true)]);
    }

    #[test]
    fn what_is_switched_off_or_not_whole_leads_nowhere() {
        let mut off = path(&[&[1], &[2]]);
        off.enabled = false;
        assert_eq!(led(&off), []);
        assert_eq!(led(&path(&[&[1], &[9], &[2]])), []);
    }
}
