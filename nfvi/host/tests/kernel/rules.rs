//! What may leave a port, and what it is given.

use crate::lab::*;
use manifold_host::kernel;
use manifold_kernel_test::{Test, settles};
use manifold_nfvi_interface::*;
use std::net::UdpSocket;
use std::time::Duration;

pub(crate) const TESTS: &[Test] = &[
    Test {
        name: "a_port_cannot_claim_anothers_mac_or_address",
        limit_s: 60,
        run: spoofing,
    },
    Test {
        name: "a_port_can_be_neither_dhcp_server_nor_router",
        limit_s: 60,
        run: servers,
    },
    Test {
        name: "a_dhcp_client_gets_the_ports_address",
        limit_s: 60,
        run: dhcp,
    },
];

fn pair(rate: Option<u64>) -> Vec<Wish> {
    let mut wishes = vec![node("a", NodeRole::Host), segment("net", "a", 1_500, None)];
    wishes.extend(plugged("p", "net", &["10.0.0.1/24", "fd00:1::1/64"]));
    wishes.extend(plugged("q", "net", &["10.0.0.2/24", "fd00:1::2/64"]));
    port_mut(&mut wishes[3]).rate_bits_per_second = rate;
    wishes
}

/// Each with a positive control: the same act is let through once the rules are off.
fn spoofing() {
    with_agent(|agent| async move {
        // With and without a limit: what is queued must not pass by the rules.
        for rate in [None, Some(100_000_000)] {
            let mut wishes = pair(rate);
            ensure(&agent, &wishes).await;
            must("q-node", &["ip", "route", "replace", "10.66.0.0/24", "dev", "eth0"]);
            must("p-node", &["ip", "addr", "replace", "10.66.0.1/24", "dev", "eth0"]);
            assert!(pings("p-node", "10.0.0.2", 56) && pings("p-node", "fd00:1::2", 56));
            let spoofed_ip = || {
                on(
                    "p-node",
                    &["ping", "-c", "2", "-i", "0.2", "-W", "1", "-I", "10.66.0.1", "10.0.0.2"],
                )
                .status
                .success()
            };
            assert!(!spoofed_ip(), "a packet from another's address came through");
            // ARP: q must not learn that 10.66.0.1 is at p.
            let arp = || {
                must("q-node", &["ip", "neigh", "flush", "dev", "eth0"]);
                on(
                    "p-node",
                    &[
                        "busybox",
                        "arping",
                        "-c",
                        "2",
                        "-w",
                        "2",
                        "-U",
                        "-s",
                        "10.66.0.1",
                        "-I",
                        "eth0",
                        "10.66.0.1",
                    ],
                );
                on("q-node", &["ping", "-c", "1", "-W", "1", "10.66.0.1"])
                    .status
                    .success()
            };
            assert!(!arp(), "an ARP answer for another's address came through");
            let spoofed_ip6 = || {
                must(
                    "p-node",
                    &["ip", "addr", "replace", "fd00:66::1/64", "dev", "eth0", "nodad"],
                );
                must(
                    "q-node",
                    &["ip", "-6", "route", "replace", "fd00:66::/64", "dev", "eth0"],
                );
                on(
                    "p-node",
                    &[
                        "ping",
                        "-c",
                        "2",
                        "-i",
                        "0.2",
                        "-W",
                        "1",
                        "-I",
                        "fd00:66::1",
                        "fd00:1::2",
                    ],
                )
                .status
                .success()
            };
            assert!(!spoofed_ip6(), "a packet from another's IPv6 address came through");
            must("p-node", &["ip", "link", "set", "eth0", "address", "02:00:00:00:66:66"]);
            assert!(silent("p-node", "10.0.0.2"), "a frame from another MAC came through");

            port_mut(&mut wishes[3]).anti_spoofing = false;
            // The port's wish also says which MAC and addresses the inside has: they are mended, so they are spoofed again.
            ensure(&agent, &wishes).await;
            must("p-node", &["ip", "link", "set", "eth0", "address", "02:00:00:00:66:66"]);
            must("p-node", &["ip", "addr", "replace", "10.66.0.1/24", "dev", "eth0"]);
            assert!(settles(Duration::from_secs(5), || pings("p-node", "10.0.0.2", 56)));
            assert!(spoofed_ip() && spoofed_ip6() && arp());
            agent
                .remove(&context(), vec![id("a"), id("p-node"), id("q-node")])
                .await
                .expect("removed");
        }
        agent
    });
}

fn advertised(node: &str) -> u64 {
    must(node, &["cat", "/proc/net/snmp6"])
        .lines()
        .find_map(|line| line.strip_prefix("Icmp6InRouterAdvertisements")?.trim().parse().ok())
        .unwrap_or(0)
}

/// A router advertisement (RFC 4861 4.2) from a port's own, rightful link-local address.
fn router_advertisement(from: MacAddr) -> Vec<u8> {
    let MacAddr([a, b, c, d, e, f]) = from;
    let mut source = vec![0xfe, 0x80, 0, 0, 0, 0, 0, 0, a ^ 2, b, c, 0xff, 0xfe, d, e, f];
    let to = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    let mut message = vec![134, 0, 0, 0, 64, 0, 0x07, 0x08, 0, 0, 0, 0, 0, 0, 0, 0];
    let mut sum: u32 = 58 + 16;
    for pair in source.chunks(2).chain(to.chunks(2)).chain(message.chunks(2)) {
        sum += u32::from(u16::from_be_bytes([pair[0], pair[1]]));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    message[2..4].copy_from_slice(&(!(sum as u16)).to_be_bytes());
    let mut frame = vec![
        0x33, 0x33, 0, 0, 0, 1, a, b, c, d, e, f, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 16, 58, 255,
    ];
    frame.append(&mut source);
    frame.extend_from_slice(&to);
    frame.append(&mut message);
    frame
}

fn servers() {
    with_agent(|agent| async move {
        let mut wishes = pair(None);
        ensure(&agent, &wishes).await;
        let hear = || inside("q-node", || UdpSocket::bind("10.0.0.2:68")).expect("bound");
        let say = |port: u16| {
            inside("p-node", move || {
                UdpSocket::bind(("10.0.0.1", port)).and_then(|socket| socket.send_to(b"offer", "10.0.0.2:68"))
            })
        };
        let heard = |socket: &UdpSocket| {
            socket.set_read_timeout(Some(Duration::from_millis(500))).expect("set");
            socket.recv(&mut [0; 16]).is_ok()
        };
        let advertise = || {
            let index = link_index("p-node");
            inside("p-node", move || {
                let socket = kernel::udp_listener(1)?;
                kernel::send_frame(&socket, index, &router_advertisement(MacAddr::of(id("p"))))
            })
            .expect("sent");
        };
        // Until it comes through, for the first packets of a pair look for their neighbour; then nothing is left to be heard.
        let ordinary = |socket: &UdpSocket| {
            let through = settles(Duration::from_secs(10), || say(6_767).is_ok() && heard(socket));
            while heard(socket) {}
            through
        };
        let socket = hear();
        assert!(ordinary(&socket), "an ordinary packet did not come through");
        say(67).expect("sent");
        assert!(!heard(&socket), "a DHCP server's packet came through");
        let before = advertised("q-node");
        advertise();
        // What was sent later and is let through shows that the earlier had its time.
        assert!(ordinary(&socket));
        assert_eq!(advertised("q-node"), before, "a router advertisement came through");

        port_mut(&mut wishes[3]).anti_spoofing = false;
        ensure(&agent, &wishes).await;
        say(67).expect("sent");
        assert!(heard(&socket));
        advertise();
        assert!(settles(Duration::from_secs(5), || advertised("q-node") == before + 1));
        agent
    });
}

/// /sys tells of the namespace in which it was mounted; netlink of one's own.
fn link_index(node: &str) -> u32 {
    must(node, &["ip", "-o", "link", "show", "eth0"])
        .split(':')
        .next()
        .and_then(|index| index.trim().parse().ok())
        .expect("an index")
}

fn dhcp() {
    with_agent(|agent| async move {
        let mut wishes = site("east", &["a", "b"], 1_500);
        let mut one = segment("net-a", "a", 1_450, vxlan(5, "10.255.0.1", &["10.255.0.2"]));
        let mut two = segment("net-b", "b", 1_450, vxlan(5, "10.255.0.2", &["10.255.0.1"]));
        for segment in [&mut one, &mut two] {
            segment_mut(segment).dhcp = Some(DhcpWish {
                subnet: "10.0.0.0/24".parse().expect("a subnet"),
                server: [10, 0, 0, 1].into(),
                gateway: Some([10, 0, 0, 1].into()),
                lease_s: 3_600,
            });
        }
        wishes.extend([one, two]);
        let mut port = plugged("p", "net-a", &[]);
        port_mut(&mut port[1]).addresses = vec![ip("10.0.0.7")];
        wishes.extend(port);
        ensure(&agent, &wishes).await;

        std::fs::write("/run/script", "#!/bin/sh\n[ \"$1\" = bound ] && echo \"$ip $subnet $router $mtu $lease $serverid\" > /run/leased\nexit 0\n")
            .expect("written");
        manifold_kernel_test::run(&["chmod", "755", "/run/script"]);
        let lease = || {
            let _ = std::fs::remove_file("/run/leased");
            on(
                "p-node",
                &[
                    "busybox",
                    "udhcpc",
                    "-i",
                    "eth0",
                    "-n",
                    "-q",
                    "-f",
                    "-t",
                    "5",
                    "-T",
                    "1",
                    "-s",
                    "/run/script",
                ],
            );
            std::fs::read_to_string("/run/leased").unwrap_or_default()
        };
        assert_eq!(lease(), "10.0.0.7 255.255.255.0 10.0.0.1 1450 3600 10.0.0.1\n");

        // Another agent takes over: the lease is the same. Here, and again when the port has another address.
        agent.stop();
        drop(agent);
        let agent = crate::lab::agent().await;
        assert_eq!(lease(), "10.0.0.7 255.255.255.0 10.0.0.1 1450 3600 10.0.0.1\n");
        let place = wishes.len() - 1;
        port_mut(&mut wishes[place]).addresses = vec![ip("10.0.0.8")];
        ensure(&agent, &wishes).await;
        assert!(lease().starts_with("10.0.0.8 "));
        // No wish, no DHCP.
        for wish in &mut wishes {
            if let WishKind::Segment(segment) = &mut wish.kind {
                segment.dhcp = None;
            }
        }
        ensure(&agent, &wishes).await;
        assert_eq!(lease(), "");
        agent
    });
}
