//! Lab files: the examples are right, and what is wrong is told with its place.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use manifold_lab::Lab;
use manifold_nfvi_interface::{CableWish, NodeRole, ObjectId, WishKind};
use std::collections::BTreeSet;

const TWO_SITES: &str = include_str!("../labs/two-sites.toml");
const ONE_SITE: &str = include_str!("../labs/one-site.toml");

fn cables(lab: &Lab) -> Vec<&CableWish> {
    lab.wishes
        .iter()
        .filter_map(|wish| match &wish.kind {
            WishKind::Cable(cable) => Some(cable),
            _ => None,
        })
        .collect()
}

fn nodes(lab: &Lab, wanted: NodeRole) -> Vec<(ObjectId, &str)> {
    lab.wishes
        .iter()
        .filter_map(|wish| match &wish.kind {
            WishKind::Node(node) if node.role == wanted => Some((wish.id, node.name.as_str())),
            _ => None,
        })
        .collect()
}

/// Every end stands on a node and a switch of the same lab, no interface name is used twice in a node or too long, no address
/// twice on the underlay.
fn holds_together(lab: &Lab) {
    let ids: BTreeSet<ObjectId> = lab.wishes.iter().map(|wish| wish.id).collect();
    assert_eq!(ids.len(), lab.wishes.len(), "ids are unique");
    let mut interfaces = BTreeSet::new();
    let mut addresses = BTreeSet::new();
    for end in cables(lab).iter().flat_map(|cable| &cable.ends) {
        assert!(ids.contains(&end.node));
        assert!(end.switch.is_none_or(|switch| ids.contains(&switch)));
        assert!(end.interface.len() <= 15, "{}", end.interface);
        assert!(
            interfaces.insert((end.node, end.interface.clone())),
            "{} twice",
            end.interface
        );
        for address in &end.addresses {
            assert!(addresses.insert(address.addr()), "{address} twice");
        }
    }
    for pop in &lab.pops {
        for host in &pop.hosts {
            assert!(addresses.contains(&host.underlay));
            assert!(pop.zones.contains(&host.zone));
            assert!(host.provider_cables.values().all(|cable| ids.contains(cable)));
        }
    }
}

#[test]
fn the_two_site_example_is_two_pops_a_wan_a_meter_and_a_client() {
    let lab = Lab::read(TWO_SITES).unwrap();
    holds_together(&lab);
    assert_eq!(nodes(&lab, NodeRole::Host).len(), 4);
    assert_eq!(nodes(&lab, NodeRole::Gateway).len(), 2);
    assert_eq!(
        nodes(&lab, NodeRole::Function),
        [(
            lab.pops[0].provider_networks[0].functions[0].node,
            "two-sites/site-1/meter"
        )]
    );
    assert_eq!(lab.pops[0].access_points[0].host, lab.pops[0].hosts[0].node);
    let wan = lab.wan.as_ref().unwrap();
    assert_eq!(wan.capacity_bits_per_second, 1_000_000_000);
    assert_eq!(
        wan.gateways.keys().collect::<Vec<_>>(),
        ["site-1/gateway", "site-2/gateway"]
    );
    for pop in &lab.pops {
        let gateway = pop.gateway.as_ref().unwrap();
        assert_eq!(wan.gateways[&gateway.connectivity_service_endpoint].wan, gateway.wan);
    }
    assert_eq!(lab, Lab::read(TWO_SITES).unwrap(), "the same file is the same lab");
    the_table_shows_it(&lab.show().to_string());
}

fn the_table_shows_it(table: &str) {
    let lines: Vec<&str> = table.lines().map(str::trim_end).collect();
    assert_eq!(lines[0], "lab two-sites");
    assert_eq!(
        lines[1],
        "  site-1        host          host-a                100.64.0.11  zone-1  8 vCPU  2048 MiB  on field"
    );
    assert_eq!(
        lines.last().unwrap(),
        &"                wan           wan                   1000 Mbit/s  joins site-1/gateway, site-2/gateway"
    );
}

#[test]
fn one_site_needs_no_wan() {
    let lab = Lab::read(ONE_SITE).unwrap();
    holds_together(&lab);
    assert!(lab.wan.is_none() && lab.pops[0].gateway.is_none());
}

#[test]
fn the_underlay_may_be_ipv6() {
    let lab = Lab::read(&TWO_SITES.replace("underlay = \"ipv4\"", "underlay = \"ipv6\"")).unwrap();
    holds_together(&lab);
    assert!(
        lab.pops
            .iter()
            .flat_map(|pop| &pop.hosts)
            .all(|host| host.underlay.is_ipv6())
    );
}

#[test]
fn every_fault_is_told_with_its_place_and_the_candidates() {
    let text = r#"name = "Lab!"
[[pop]]
name = "site-1"
[[pop.host]]
name = "host-a"
zone = "z"
vcpus = 0
memory_mib = 512
[[pop.host]]
name = "host-a"
zone = "z"
vcpus = 1
memory_mib = 512
[pop.gateway]
name = "gateway"
[[pop.access_point]]
name = "client"
host = "host-x"
[[pop.provider_network]]
name = "a-name-that-is-long"
mtu = 1500
hosts = []
[[pop.provider_network.function]]
name = "meter"
addresses = ["10.0.0.0/24"]
"#;
    let told: Vec<String> = Lab::read(text).unwrap_err().0.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "1:8: \"Lab!\" is no name here: 1 to 30 of a-z, 0-9, - and _",
            "7:9: a host's vcpus must be more than 0",
            "10:8: \"host-a\" stands already in line 5",
            "15:8: a gateway leads to the WAN, and the lab has no [wan]",
            "18:8: there is no host \"host-x\" in this PoP (it has host-a, host-a)",
            "20:8: \"a-name-that-is-long\" is no name here: 1 to 12 of a-z, 0-9, - and _",
            "25:14: 10.0.0.0/24 is a network's own address, not a function's",
        ]
    );
}

#[test]
fn grammar_and_unknown_fields_are_told_with_their_place() {
    let unknown = Lab::read("name = \"x\"\ncolour = 1\n").unwrap_err();
    assert_eq!((unknown.0[0].line, unknown.0[0].column), (2, 1));
    assert!(unknown.0[0].message.contains("colour"), "{unknown}");
    let grammar = Lab::read("name = \n").unwrap_err();
    assert_eq!(grammar.0[0].line, 1);
    assert!(
        Lab::read("name = \"x\"")
            .unwrap_err()
            .to_string()
            .contains("at least one [[pop]]")
    );
}
