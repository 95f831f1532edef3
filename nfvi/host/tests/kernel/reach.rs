//! What reaches what.

use crate::lab::*;
use manifold_kernel_test::{Test, settles};
use manifold_nfvi_interface::*;
use std::time::Duration;

pub(crate) const TESTS: &[Test] = &[
    Test {
        name: "a_network_over_two_hosts_carries_its_mtu_and_not_a_byte_more",
        limit_s: 60,
        run: over_two_hosts,
    },
    Test {
        name: "a_router_connects_only_what_it_names",
        limit_s: 60,
        run: router,
    },
    Test {
        name: "a_provider_network_reaches_a_physical_function",
        limit_s: 60,
        run: provider,
    },
    Test {
        name: "a_stitch_joins_a_network_over_the_wan",
        limit_s: 60,
        run: stitch,
    },
];

/// Over IPv4 and IPv6 underlays; another network with the same addresses stays apart.
fn over_two_hosts() {
    with_agent(|agent| async move {
        let mut wishes = site("east", &["a", "b"], 1_500);
        wishes.extend([
            segment("blue-a", "a", 1_450, vxlan(100, "10.255.0.1", &["10.255.0.2"])),
            segment("blue-b", "b", 1_450, vxlan(100, "10.255.0.2", &["10.255.0.1"])),
            segment("green-a", "a", 1_430, vxlan(200, "fd00:255::1", &["fd00:255::2"])),
            segment("green-b", "b", 1_430, vxlan(200, "fd00:255::2", &["fd00:255::1"])),
        ]);
        wishes.extend(plugged("b1", "blue-a", &["10.0.0.1/24", "fd00:1::1/64"]));
        wishes.extend(plugged("b2", "blue-b", &["10.0.0.2/24", "fd00:1::2/64"]));
        wishes.extend(plugged("g1", "green-a", &["10.0.0.1/24"]));
        wishes.extend(plugged("g3", "green-b", &["10.0.0.3/24"]));
        ensure(&agent, &wishes).await;

        assert!(pings("b1-node", "10.0.0.2", 1_450 - 28));
        assert!(pings("b1-node", "fd00:1::2", 1_450 - 48));
        assert!(!pings("b1-node", "10.0.0.2", 1_450 - 27));
        assert!(pings("g1-node", "10.0.0.3", 1_430 - 28));
        assert!(!pings("g1-node", "10.0.0.3", 1_430 - 27));
        // The same addresses in another network: each knows only its own.
        assert!(silent("b1-node", "10.0.0.3"));
        assert!(silent("g1-node", "10.0.0.2"));
        // Nor does a tenant reach the host that carries it.
        assert!(silent("b1-node", "10.255.0.1"));
        must("b1-node", &["ip", "route", "add", "10.255.0.0/24", "dev", "eth0"]);
        assert!(silent("b1-node", "10.255.0.1"));
        assert!(must("a", &["ping", "-c", "1", "-W", "1", "10.255.0.2"]).contains("1 received"));

        // One byte too many for the underlay is refused before anything is made.
        let refused = agent
            .ensure(
                &context(),
                vec![segment("red-a", "a", 1_451, vxlan(300, "10.255.0.1", &[]))],
            )
            .await;
        let refused = manifold_report(refused);
        assert_eq!(
            refused.failure.map(|failure| failure.kind),
            Some(manifold_call::ErrorKind::Invalid)
        );
        // Nothing changes when all is as wished, but for the route that the test added: it has no next hop.
        assert_eq!(ensure(&agent, &wishes).await.len(), 0);
        agent
    });
}

fn manifold_report(reports: manifold_call::Outcome<Vec<Report>>) -> Report {
    reports.expect("answered").remove(0)
}

fn router() {
    with_agent(|agent| async move {
        let mut wishes = vec![node("a", NodeRole::Host)];
        for (name, net) in [("left", "10.1.0"), ("right", "10.2.0"), ("other", "10.3.0")] {
            wishes.push(segment(name, "a", 1_500, None));
            let mut port = plugged(&format!("p-{name}"), name, &[&format!("{net}.9/24")]);
            if let Plug::Node { gateway, .. } = &mut port_mut(&mut port[1]).plug {
                *gateway = Some(ip(&format!("{net}.1")));
            }
            wishes.extend(port);
        }
        let leg = |segment: &str, address: &str| RouterLeg {
            segment: id(segment),
            mac: MacAddr::of(id(&format!("leg-{segment}"))),
            addresses: vec![address.parse().expect("an address")],
        };
        let mut legs = vec![leg("left", "10.1.0.1/24"), leg("right", "10.2.0.1/24")];
        wishes.push(wish("router", WishKind::Router(RouterWish { legs: legs.clone() })));
        ensure(&agent, &wishes).await;
        assert!(pings("p-left-node", "10.2.0.9", 56));
        assert!(silent("p-left-node", "10.3.0.9"));
        assert!(silent("p-other-node", "10.1.0.9"));
        // A leg more, then that leg no more.
        legs.push(leg("other", "10.3.0.1/24"));
        let router = wish("router", WishKind::Router(RouterWish { legs: legs.clone() }));
        ensure(&agent, &[router]).await;
        assert!(pings("p-left-node", "10.3.0.9", 56));
        legs.pop();
        let router = wish("router", WishKind::Router(RouterWish { legs }));
        ensure(&agent, &[router]).await;
        assert!(silent("p-left-node", "10.3.0.9"));
        assert!(pings("p-left-node", "10.2.0.9", 56));
        agent
    });
}

fn provider() {
    with_agent(|agent| async move {
        let mut function = node("pnf", NodeRole::Function);
        node_mut(&mut function).services = vec![NodeService::Http {
            port: 80,
            body: "I am physical".to_owned(),
        }];
        let mut wishes = vec![
            function,
            node("a", NodeRole::Host),
            node("fabric", NodeRole::Fabric),
            wish(
                "provider",
                WishKind::Switch(SwitchWish {
                    node: id("fabric"),
                    mtu_bytes: 1_500,
                }),
            ),
            cable(
                "pnf-cable",
                1_500,
                [
                    cable_end("pnf", "eth0", Some("192.0.2.10/24"), None),
                    cable_end("fabric", "to-pnf", None, Some("provider")),
                ],
            ),
            cable(
                "a-cable",
                1_500,
                [
                    cable_end("fabric", "to-a", None, Some("provider")),
                    cable_end("a", "provider", None, None),
                ],
            ),
            segment("ext", "a", 1_500, Some(Transport::Provider { cable: id("a-cable") })),
        ];
        wishes.extend(plugged("p", "ext", &["192.0.2.20/24"]));
        ensure(&agent, &wishes).await;
        assert!(pings("p-node", "192.0.2.10", 1_472));
        let said = || get("p-node", "192.0.2.10", 80, "/").is_ok_and(|(body, _)| body == b"I am physical");
        assert!(settles(Duration::from_secs(5), said));
        assert_eq!(
            get("p-node", "192.0.2.10", 80, "/bytes/100000").expect("served").1,
            100_000
        );
        assert_eq!(ensure(&agent, &wishes).await.len(), 0);
        agent
    });
}

fn stitch() {
    with_agent(|agent| async move {
        let mut wishes = vec![
            node("wan", NodeRole::Wan),
            wish(
                "wan-switch",
                WishKind::Switch(SwitchWish {
                    node: id("wan"),
                    mtu_bytes: 1_550,
                }),
            ),
        ];
        for (site, number) in [("one", 1), ("two", 2)] {
            let gateway = format!("gw-{site}");
            let host = format!("host-{site}");
            wishes.extend([
                node(&gateway, NodeRole::Gateway),
                node(&host, NodeRole::Host),
                cable(
                    &format!("{site}-underlay"),
                    1_550,
                    [
                        cable_end(&gateway, "lan", Some("10.9.0.1/24"), None),
                        cable_end(&host, "uplink", Some("10.9.0.2/24"), None),
                    ],
                ),
                cable(
                    &format!("{site}-wan"),
                    1_550,
                    [
                        cable_end(&gateway, "wan", Some(&format!("198.51.100.{number}/24")), None),
                        cable_end("wan", &format!("to-{site}"), None, Some("wan-switch")),
                    ],
                ),
                // The same identifiers at both sites, and on the WAN, too.
                segment(
                    &format!("{site}-host"),
                    &host,
                    1_500,
                    vxlan(7, "10.9.0.2", &["10.9.0.1"]),
                ),
                segment(
                    &format!("{site}-gw"),
                    &gateway,
                    1_500,
                    vxlan(7, "10.9.0.1", &["10.9.0.2"]),
                ),
                wish(
                    &format!("{site}-stitch"),
                    WishKind::Stitch(StitchWish {
                        segment: id(&format!("{site}-gw")),
                        wan_vni: 7,
                        local: ip(&format!("198.51.100.{number}")),
                        peers: vec![ip(&format!("198.51.100.{}", 3 - number))],
                        rate_bits_per_second: Some(20_000_000),
                    }),
                ),
            ]);
            wishes.extend(plugged(
                &format!("p-{site}"),
                &format!("{site}-host"),
                &[&format!("10.0.0.{number}/24")],
            ));
        }
        ensure(&agent, &wishes).await;
        assert!(pings("p-one-node", "10.0.0.2", 1_472));
        assert_eq!(ensure(&agent, &wishes).await.len(), 0);
        let rate = crate::shape::download("p-one-node", "p-two-node", "10.0.0.2", 5_000_000);
        assert!((18_000_000..=22_000_000).contains(&rate), "{rate} bit/s");
        // Without the stitch the sites are two.
        agent.remove(&context(), vec![id("one-stitch")]).await.expect("removed");
        assert!(silent("p-one-node", "10.0.0.2"));
        agent
    });
}
