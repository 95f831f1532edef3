//! Forwarding paths: who is of the class passes the functions in their order, and nobody else.

use crate::drift::{cursor, told};
use crate::lab::*;
use manifold_kernel_test::{Test, settles};
use manifold_nfvi_interface::*;
use std::net::UdpSocket;
use std::time::Duration;

pub(crate) const TESTS: &[Test] = &[
    Test {
        name: "a_path_leads_its_class_through_both_functions_in_order_and_nobody_else",
        limit_s: 90,
        run: routed,
    },
    Test {
        name: "a_path_through_a_function_that_only_passes_frames_on_reaches_its_end",
        limit_s: 60,
        run: bridged,
    },
    Test {
        name: "a_path_crosses_from_one_network_into_the_next",
        limit_s: 60,
        run: consecutive,
    },
];

pub(crate) fn udp(port: u16) -> Classifier {
    Classifier {
        protocol: Some(17),
        destination_ports: Some(PortRange {
            first: port,
            last: port,
        }),
        ..Classifier::default()
    }
}

pub(crate) fn hop(class: &Classifier, next: Option<&str>, foreign: bool) -> PathHop {
    PathHop {
        priority: 0,
        classifiers: vec![class.clone()],
        next: next.map(|port| MacAddr::of(id(port))),
        windows: Vec::new(),
        foreign,
    }
}

pub(crate) fn find<'a>(wishes: &'a mut [Wish], name: &str) -> &'a mut PortWish {
    let wish = wishes.iter_mut().find(|wish| wish.id == id(name)).expect("wished for");
    port_mut(wish)
}

/// A second port into the node of another one.
pub(crate) fn second(name: &str, segment: &str, node: &str, interface: &str, address: &str) -> Wish {
    let mut wish = plugged(name, segment, &[address]).remove(1);
    if let Plug::Node {
        node: at,
        interface: name,
        ..
    } = &mut port_mut(&mut wish).plug
    {
        *at = id(node);
        interface.clone_into(name);
    }
    wish
}

/// A node that counts what comes in by an interface and is addressed to it, for each UDP port that is looked at.
fn counts(node: &str, interface: &str, ports: &[u16]) {
    let mut script = "add table netdev seen\n".to_owned();
    script.push_str(&format!(
        "add chain netdev seen {interface} {{ type filter hook ingress device {interface} priority 0 ; }}\n"
    ));
    for port in ports {
        script.push_str(&format!(
            "add rule netdev seen {interface} meta pkttype host udp dport {port} counter comment \"{port}\"\n"
        ));
    }
    let path = format!("/run/{node}-{interface}.nft");
    std::fs::write(&path, script).expect("written");
    must(node, &["nft", "-f", &path]);
}

fn seen(node: &str, interface: &str, port: u16) -> u64 {
    let listing = must(node, &["nft", "list", "chain", "netdev", "seen", interface]);
    let line = listing
        .lines()
        .find(|line| line.contains(&format!("comment \"{port}\"")))
        .expect("counted");
    let count = line.split("packets ").nth(1).and_then(|rest| rest.split(' ').next());
    count.and_then(|count| count.parse().ok()).expect("a number")
}

/// Whether a packet sent to a port of a UDP socket arrives; the sender's address and what was sent must be the sent one's.
pub(crate) fn arrives(from: &str, source: &str, to: &str, port: u16) -> bool {
    let bind = ip(source);
    let server = inside(to, move || UdpSocket::bind(("0.0.0.0", port))).expect("bound");
    server.set_read_timeout(Some(Duration::from_millis(300))).expect("set");
    let target = DESTINATION;
    let socket = inside(from, move || UdpSocket::bind((bind, 0))).expect("bound");
    let mut buffer = [0; 16];
    (0..5).any(|_| {
        let _ = socket.send_to(b"packet", (target, port));
        server
            .recv_from(&mut buffer)
            .is_ok_and(|(_, sender)| sender.ip() == bind)
    })
}

const DESTINATION: &str = "10.0.0.2";
const CLASS: u16 = 5_001;
const OTHER: u16 = 5_002;

/// A on one host, its functions on both, B on the other: one network.
fn chain() -> Vec<Wish> {
    let mut wishes = site("east", &["a", "b"], 1_500);
    wishes.push(segment("net-a", "a", 1_450, vxlan(9, "10.255.0.1", &["10.255.0.2"])));
    wishes.push(segment("net-b", "b", 1_450, vxlan(9, "10.255.0.2", &["10.255.0.1"])));
    wishes.extend(plugged("src", "net-a", &["10.0.0.1/24"]));
    wishes.extend(plugged("dst", "net-b", &["10.0.0.2/24"]));
    for (function, segment, last) in [("f", "net-b", 11), ("g", "net-a", 21)] {
        wishes.extend(plugged(
            &format!("{function}-in"),
            segment,
            &[&format!("10.0.0.{last}/24")],
        ));
        wishes.push(second(
            &format!("{function}-out"),
            segment,
            &format!("{function}-in-node"),
            "eth1",
            &format!("10.0.0.{}/24", last + 1),
        ));
        let node = wishes
            .iter_mut()
            .find(|wish| wish.id == id(&format!("{function}-in-node")))
            .expect("there");
        node_mut(node).forwarding = true;
    }
    wishes
}

/// Through both, F first.
fn steer(wishes: &mut [Wish], class: &Classifier, functions: [&str; 2]) {
    let [first, second] = functions;
    find(wishes, "src").traffic.hops = vec![hop(class, Some(&format!("{first}-in")), false)];
    find(wishes, &format!("{first}-out")).traffic.hops = vec![hop(class, Some(&format!("{second}-in")), true)];
    find(wishes, &format!("{second}-out")).traffic.hops = vec![hop(class, Some("dst"), true)];
}

/// What goes out of a function leaves by its second interface.
fn route(function: &str) {
    let node = format!("{function}-in-node");
    must(&node, &["ip", "route", "replace", "10.0.0.2/32", "dev", "eth1"]);
    for interface in ["eth0", "eth1"] {
        counts(&node, interface, &[CLASS, OTHER]);
    }
}

fn passed(function: &str, port: u16) -> u64 {
    seen(&format!("{function}-in-node"), "eth0", port)
}

fn routed() {
    with_agent(|agent| async move {
        let mut wishes = chain();
        ensure(&agent, &wishes).await;
        route("f");
        route("g");
        assert!(
            arrives("src-node", "10.0.0.1", "dst-node", CLASS),
            "before there is a path"
        );
        assert_eq!((passed("f", CLASS), passed("g", CLASS)), (0, 0));

        // A function that passes on what others sent is not let to, until it is part of the path.
        steer(&mut wishes, &udp(CLASS), ["f", "g"]);
        let whole = wishes.clone();
        find(&mut wishes, "f-out").traffic.hops.clear();
        ensure(&agent, &wishes).await;
        assert!(!arrives("src-node", "10.0.0.1", "dst-node", CLASS));
        assert!(passed("f", CLASS) > 0 && passed("g", CLASS) == 0);

        wishes = whole;
        let changed = ensure(&agent, &wishes).await;
        assert_eq!(changed.into_iter().collect::<Vec<_>>(), [id("f-out")]);
        assert!(arrives("src-node", "10.0.0.1", "dst-node", CLASS));
        assert!(passed("g", CLASS) > 0);
        // In order: what has passed the second one has lived two hops less.
        let lived = |node: &str| {
            must(
                node,
                &[
                    "nft", "add", "rule", "netdev", "seen", "eth0", "meta", "pkttype", "host", "ip", "ttl", "63",
                    "udp", "dport", "5001", "counter", "comment", "\"63\"",
                ],
            );
        };
        lived("g-in-node");
        assert!(arrives("src-node", "10.0.0.1", "dst-node", CLASS));
        assert!(
            seen("g-in-node", "eth0", 63) > 0,
            "the second function was not the second"
        );
        // The other class goes where it is addressed to.
        assert!(arrives("src-node", "10.0.0.1", "dst-node", OTHER));
        assert_eq!((passed("f", OTHER), passed("g", OTHER)), (0, 0));
        assert_eq!(ensure(&agent, &wishes).await.len(), 0);

        // Outside the class a function is held to its own addresses as everybody is.
        must("f-in-node", &["ip", "addr", "add", "10.0.0.77/32", "dev", "lo"]);
        assert!(!arrives("f-in-node", "10.0.0.77", "dst-node", OTHER));
        assert!(arrives("f-in-node", "10.0.0.12", "dst-node", OTHER));
        assert!(
            arrives("f-in-node", "10.0.0.77", "dst-node", CLASS),
            "the class alone is what it may pass on"
        );
        // Nor may who is no function.
        must("src-node", &["ip", "addr", "add", "10.0.0.78/32", "dev", "lo"]);
        assert!(!arrives("src-node", "10.0.0.78", "dst-node", CLASS));

        // Removed by hand: it is told, and comes back.
        let since = cursor(&agent).await;
        let name = format!("hops_{}", &id("src").0.simple().to_string()[20..]);
        must("a", &["nft", "flush", "chain", "bridge", "manifold", &name]);
        told(&agent, since, id("src")).await;
        assert_eq!(
            ensure(&agent, &wishes).await.into_iter().collect::<Vec<_>>(),
            [id("src")]
        );
        let before = passed("f", CLASS);
        assert!(arrives("src-node", "10.0.0.1", "dst-node", CLASS) && passed("f", CLASS) > before);

        // The other way round, live.
        steer(&mut wishes, &udp(CLASS), ["g", "f"]);
        ensure(&agent, &wishes).await;
        let before = seen("g-in-node", "eth0", 63);
        assert!(arrives("src-node", "10.0.0.1", "dst-node", CLASS));
        assert_eq!(
            seen("g-in-node", "eth0", 63),
            before,
            "it still came from the other one"
        );
        // Gone: as if it had never been.
        for wish in &mut wishes {
            if let WishKind::Port(port) = &mut wish.kind {
                port.traffic = Traffic::default();
            }
        }
        ensure(&agent, &wishes).await;
        let before = (passed("f", CLASS), passed("g", CLASS));
        assert!(arrives("src-node", "10.0.0.1", "dst-node", CLASS));
        assert_eq!((passed("f", CLASS), passed("g", CLASS)), before);
        assert!(!must("a", &["nft", "list", "ruleset"]).contains("hops_"));
        agent
    });
}

/// What comes in is put out as it is, whoever it is from or to: a function below layer 3.
fn bridged() {
    with_agent(|agent| async move {
        let mut wishes = chain();
        let class = udp(CLASS);
        find(&mut wishes, "src").traffic.hops = vec![hop(&class, Some("f-in"), false)];
        find(&mut wishes, "f-out").traffic.hops = vec![hop(&class, Some("dst"), true)];
        let node = wishes
            .iter_mut()
            .find(|wish| wish.id == id("f-in-node"))
            .expect("there");
        node_mut(node).forwarding = false;
        ensure(&agent, &wishes).await;
        must("f-in-node", &["tc", "qdisc", "add", "dev", "eth0", "ingress"]);
        let everything = ["protocol", "ip", "u32", "match", "ip", "protocol", "17", "0xff"];
        let out = ["action", "mirred", "egress", "redirect", "dev", "eth1"];
        let mut words = vec!["tc", "filter", "add", "dev", "eth0", "parent", "ffff:"];
        words.extend(everything);
        words.extend(out);
        must("f-in-node", &words);
        counts("dst-node", "eth0", &[CLASS, OTHER]);
        must(
            "dst-node",
            &[
                "nft",
                "add",
                "rule",
                "netdev",
                "seen",
                "eth0",
                "ether",
                "saddr",
                &MacAddr::of(id("f-out")).to_string(),
                "counter",
                "comment",
                "\"1\"",
            ],
        );
        assert!(arrives("src-node", "10.0.0.1", "dst-node", CLASS));
        assert!(seen("dst-node", "eth0", 1) > 0, "it did not come from the function");
        // Nobody has learnt that the sender is at the function: its other packets still get answers.
        assert!(settles(Duration::from_secs(5), || pings("src-node", "10.0.0.2", 56)));
        assert!(arrives("src-node", "10.0.0.1", "dst-node", OTHER));
        agent
    });
}

/// One function between two networks: it is the router, for this class alone.
fn consecutive() {
    with_agent(|agent| async move {
        let mut wishes = vec![
            node("a", NodeRole::Host),
            segment("near", "a", 1_500, None),
            segment("far", "a", 1_500, None),
        ];
        wishes.extend(plugged("src", "near", &["192.0.2.1/24"]));
        wishes.extend(plugged("f-in", "near", &["192.0.2.11/24"]));
        wishes.push(second("f-out", "far", "f-in-node", "eth1", "10.0.0.12/24"));
        wishes.extend(plugged("g-in", "far", &["10.0.0.21/24"]));
        wishes.extend(plugged("dst", "far", &["10.0.0.2/24"]));
        for function in ["f-in-node", "g-in-node"] {
            let node = wishes.iter_mut().find(|wish| wish.id == id(function)).expect("there");
            node_mut(node).forwarding = true;
        }
        let class = Classifier {
            source: Some("192.0.2.0/24".parse().expect("a prefix")),
            ..udp(CLASS)
        };
        find(&mut wishes, "src").traffic.hops = vec![hop(&class, Some("f-in"), false)];
        find(&mut wishes, "f-out").traffic.hops = vec![hop(&class, Some("g-in"), true)];
        // By the interface that it came in by.
        find(&mut wishes, "g-in").traffic.hops = vec![hop(&class, Some("dst"), true)];
        ensure(&agent, &wishes).await;
        // Somebody must answer for the destination's address on the near side; nobody else does.
        must(
            "src-node",
            &[
                "ip",
                "neigh",
                "replace",
                "192.0.2.99",
                "lladdr",
                "02:00:00:00:00:99",
                "dev",
                "eth0",
            ],
        );
        must(
            "src-node",
            &["ip", "route", "replace", "10.0.0.0/24", "via", "192.0.2.99"],
        );
        counts("g-in-node", "eth0", &[CLASS, OTHER]);
        assert!(arrives("src-node", "192.0.2.1", "dst-node", CLASS));
        assert!(passed("g", CLASS) > 0);
        assert!(!arrives("src-node", "192.0.2.1", "dst-node", OTHER));
        agent
    });
}
