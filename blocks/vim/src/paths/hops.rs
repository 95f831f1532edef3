//! From a path to the hops of its ports: pure.
//!
//! Whoever is of the class and leaves a place is sent to the way into the next one. What leaves a function carries the addresses
//! of others; it may, for this class. A last port that is a function's way out sends where its packets are addressed to.

use super::class;
use crate::documents::{Path, Port};
use crate::traffic::window;
use manifold_call::Uuid;
use manifold_nfvi_interface::{MacAddr, PathHop};
use std::collections::BTreeMap;

/// By port. Nothing when a port is missing: half a path would lead its packets into nowhere.
pub(crate) fn hops(path: &Path, ports: &BTreeMap<Uuid, &Port>) -> Vec<(Uuid, PathHop)> {
    let mac = |port: &Uuid| -> Option<MacAddr> { ports.get(port)?.mac.parse().ok() };
    let passed: Vec<&Uuid> = path.places.iter().flatten().collect();
    if !path.enabled || !passed.iter().all(|port| mac(port).is_some()) {
        return Vec::new();
    }
    let hop = |next: Option<&Uuid>, foreign: bool| PathHop {
        priority: path.priority,
        classifiers: class(path),
        next: next.and_then(mac),
        windows: path.schedule.iter().map(window).collect(),
        foreign,
    };
    let mut hops = Vec::new();
    if let Some(first) = passed.first().filter(|_| path.from_network) {
        let network = ports.get(*first).map(|port| port.network);
        let others = ports
            .iter()
            .filter(|(id, port)| Some(port.network) == network && !passed.contains(id));
        hops.extend(others.map(|(id, _)| (*id, hop(Some(*first), false))));
    }
    for (at, place) in path.places.iter().enumerate() {
        let Some(from) = place.last() else { continue };
        let next = path.places.get(at + 1).and_then(|place| place.first());
        // Where the packets come from sends its own; a function sends those of others.
        let is_function = at > 0 || path.from_network;
        let is_end = next.is_none() && place.len() < 2 && !(at == 0 && path.from_network);
        if !is_end {
            hops.push((*from, hop(next, is_function)));
        }
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
            from_network: false,
            schedule: Vec::new(),
            metadata: Default::default(),
        }
    }

    fn led(path: &Path) -> Vec<(u8, Option<u8>, bool)> {
        let known: Vec<(Uuid, Port)> = (1..9_u8)
            .map(|last| {
                let known = Port {
                    name: String::new(),
                    // The third and the eighth are in another network.
                    network: port(u128::from(last == 3 || last == 8)),
                    compute: None,
                    implicit: false,
                    access_point: None,
                    addresses: Vec::new(),
                    mac: MacAddr([2, 0, 0, 0, 0, last]).to_string(),
                    bandwidth: None,
                    metadata: Default::default(),
                };
                (port(u128::from(last)), known)
            })
            .collect();
        let ports = known.iter().map(|(id, port)| (*id, port)).collect();
        hops(path, &ports)
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
    fn a_path_from_a_network_begins_at_each_of_its_other_ports() {
        let mut path = path(&[&[2, 3]]);
        path.from_network = true;
        let mut wanted: Vec<_> = [1, 4, 5, 6, 7].map(|from| (from, Some(2), false)).to_vec();
        wanted.push((3, None, true));
        assert_eq!(led(&path), wanted);
    }

    #[test]
    fn what_is_switched_off_or_not_whole_leads_nowhere() {
        let mut off = path(&[&[1], &[2]]);
        off.enabled = false;
        assert_eq!(led(&off), []);
        assert_eq!(led(&path(&[&[1], &[9], &[2]])), []);
    }
}
