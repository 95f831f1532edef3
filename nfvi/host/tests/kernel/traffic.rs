//! Rules on what a port sends and is sent.

use crate::drift::{cursor, told};
use crate::lab::*;
use crate::paths::{arrives, find, udp};
use manifold_kernel_test::{Test, settles};
use manifold_nfvi_interface::*;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

pub(crate) const TESTS: &[Test] = &[
    Test {
        name: "what_is_blocked_does_not_arrive_and_allow_goes_before_block_by_priority",
        limit_s: 60,
        run: blocked,
    },
    Test {
        name: "a_rule_holds_in_its_times_and_not_outside_them",
        limit_s: 60,
        run: times,
    },
    Test {
        name: "a_rules_limit_holds_and_what_is_of_another_class_is_not_limited",
        limit_s: 60,
        run: limited,
    },
    Test {
        name: "packets_of_higher_precedence_come_through_a_full_port",
        limit_s: 60,
        run: precedence,
    },
    Test {
        name: "a_rule_without_meaning_is_refused_and_says_why",
        limit_s: 60,
        run: refused,
    },
];

fn pair() -> Vec<Wish> {
    let mut wishes = vec![node("a", NodeRole::Host), segment("net", "a", 1_500, None)];
    wishes.extend(plugged("p", "net", &["10.0.0.1/24", "fd00:1::1/64"]));
    wishes.extend(plugged("q", "net", &["10.0.0.2/24", "fd00:1::2/64"]));
    wishes
}

fn rule(priority: u32, direction: TrafficDirection, classifier: Classifier, action: TrafficAction) -> TrafficRule {
    TrafficRule {
        priority,
        direction,
        classifier,
        action,
        windows: Vec::new(),
    }
}

fn comes(port: u16) -> bool {
    arrives("p-node", "10.0.0.1", "q-node", port)
}

fn blocked() {
    with_agent(|agent| async move {
        let mut wishes = pair();
        ensure(&agent, &wishes).await;
        assert!(comes(5_001) && comes(5_002));
        let all_udp = Classifier {
            protocol: Some(17),
            ..Classifier::default()
        };
        for (port, direction) in [
            ("p", TrafficDirection::From),
            ("q", TrafficDirection::Towards),
            ("p", TrafficDirection::Both),
            ("q", TrafficDirection::Both),
        ] {
            find(&mut wishes, port).traffic.rules = vec![rule(5, direction, udp(5_001), TrafficAction::Block)];
            assert_eq!(
                ensure(&agent, &wishes).await.into_iter().collect::<Vec<_>>(),
                [id(port)]
            );
            assert!(!comes(5_001) && comes(5_002), "{port} {direction:?}");
            // Whatever comes first in the text, the higher priority decides.
            find(&mut wishes, port).traffic.rules = vec![
                rule(5, direction, all_udp.clone(), TrafficAction::Block),
                rule(6, direction, udp(5_001), TrafficAction::Allow),
            ];
            ensure(&agent, &wishes).await;
            assert!(comes(5_001) && !comes(5_002), "{port} {direction:?}");
            assert!(pings("p-node", "10.0.0.2", 56), "what is of no class is not blocked");
            // Broken by hand: told, and mended.
            let since = cursor(&agent).await;
            must("a", &["nft", "flush", "table", "bridge", "manifold"]);
            told(&agent, since, id(port)).await;
            ensure(&agent, &wishes).await;
            assert!(comes(5_001) && !comes(5_002), "{port} {direction:?}");
            find(&mut wishes, port).traffic.rules.clear();
            ensure(&agent, &wishes).await;
            assert!(comes(5_002));
        }
        // The wrong direction is another matter.
        find(&mut wishes, "q").traffic.rules = vec![rule(5, TrafficDirection::From, udp(5_001), TrafficAction::Block)];
        ensure(&agent, &wishes).await;
        assert!(comes(5_001));
        // By addresses of either family, and by frame.
        for (address, other, classifier) in [
            (
                "10.0.0.2",
                "fd00:1::2",
                Classifier {
                    source: Some("10.0.0.1/32".parse().expect("a prefix")),
                    protocol: Some(1),
                    ..Classifier::default()
                },
            ),
            (
                "fd00:1::2",
                "10.0.0.2",
                Classifier {
                    destination: Some("fd00:1::2/128".parse().expect("a prefix")),
                    protocol: Some(58),
                    ..Classifier::default()
                },
            ),
            (
                "fd00:1::2",
                "10.0.0.2",
                Classifier {
                    ether_type: Some(0x86dd),
                    source_mac: Some(MacAddr::of(id("p"))),
                    destination_mac: Some(MacAddr::of(id("q"))),
                    dscp: Some(0),
                    ..Classifier::default()
                },
            ),
        ] {
            find(&mut wishes, "q").traffic.rules = Vec::new();
            find(&mut wishes, "p").traffic.rules = Vec::new();
            ensure(&agent, &wishes).await;
            assert!(pings("p-node", address, 56) && pings("p-node", other, 56));
            find(&mut wishes, "p").traffic.rules = vec![rule(
                1,
                TrafficDirection::From,
                classifier.clone(),
                TrafficAction::Block,
            )];
            ensure(&agent, &wishes).await;
            assert!(silent("p-node", address), "{classifier:?}");
            assert!(pings("p-node", other, 56), "{classifier:?}");
        }
        agent
    });
}

fn times() {
    with_agent(|agent| async move {
        let mut wishes = pair();
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("after 1970")
            .as_secs();
        let days = [
            Weekday::Thursday,
            Weekday::Friday,
            Weekday::Saturday,
            Weekday::Sunday,
            Weekday::Monday,
            Weekday::Tuesday,
            Weekday::Wednesday,
        ];
        let today = days[usize::try_from(now / 86_400 % 7).expect("below 7")];
        let other_days: Vec<Weekday> = days.into_iter().filter(|day| *day != today).collect();
        let second = u32::try_from(now % 86_400).expect("below a day");
        // The test may run over midnight or over the hour's end: what is near to now is left out.
        let near = second.saturating_sub(3_600)..(second + 3_600).min(86_400);
        let outside = if near.start > 0 {
            (0, near.start)
        } else {
            (near.end, 86_400)
        };
        let window = Window::default;
        for (windows, holds) in [
            (
                vec![Window {
                    days: vec![today],
                    ..window()
                }],
                true,
            ),
            (
                vec![Window {
                    days: other_days.clone(),
                    ..window()
                }],
                false,
            ),
            (
                vec![Window {
                    from_s: Some(near.start),
                    until_s: Some(near.end),
                    ..window()
                }],
                true,
            ),
            (
                vec![Window {
                    from_s: Some(outside.0),
                    until_s: Some(outside.1),
                    ..window()
                }],
                false,
            ),
            (
                vec![Window {
                    not_before: Some(now - 1_000),
                    not_after: Some(now + 1_000),
                    ..window()
                }],
                true,
            ),
            (
                vec![Window {
                    not_before: Some(now + 1_000),
                    ..window()
                }],
                false,
            ),
            // One of several is enough.
            (
                vec![
                    Window {
                        days: other_days,
                        ..window()
                    },
                    Window {
                        not_after: Some(now + 1_000),
                        ..window()
                    },
                ],
                true,
            ),
        ] {
            let mut rule = rule(1, TrafficDirection::From, udp(5_001), TrafficAction::Block);
            rule.windows = windows;
            find(&mut wishes, "p").traffic.rules = vec![rule.clone()];
            ensure(&agent, &wishes).await;
            assert_eq!(comes(5_001), !holds, "{rule:?} at {now}");
            assert!(comes(5_002));
            assert_eq!(ensure(&agent, &wishes).await.len(), 0);
        }
        agent
    });
}

/// Sends for a while as fast as asked and tells what arrived, in bits per second of IP packets.
fn stream(port: u16, seconds: f64, bits_per_second: f64) -> f64 {
    const PAYLOAD: usize = 1_000;
    let server = inside("q-node", move || UdpSocket::bind(("10.0.0.2", port))).expect("bound");
    server.set_nonblocking(true).expect("set");
    let socket = inside("p-node", || UdpSocket::bind("10.0.0.1:0")).expect("bound");
    let (begin, mut buffer) = (Instant::now(), [0; 2_000]);
    let (mut sent, mut got, mut first) = (0.0, 0_u64, None);
    while begin.elapsed().as_secs_f64() < seconds {
        while sent < begin.elapsed().as_secs_f64() * bits_per_second {
            let _ = socket.send_to(&[7; PAYLOAD], ("10.0.0.2", port));
            sent += ((PAYLOAD + 28) * 8) as f64;
        }
        while server.recv_from(&mut buffer).is_ok() {
            // What may be ahead has passed after a second and a half.
            if begin.elapsed() > Duration::from_millis(1_500) {
                first.get_or_insert_with(Instant::now);
                got += (PAYLOAD + 28) as u64 * 8;
            }
        }
        std::thread::sleep(Duration::from_micros(300));
    }
    first.map_or(0.0, |first: Instant| got as f64 / first.elapsed().as_secs_f64())
}

fn limited() {
    with_agent(|agent| async move {
        let mut wishes = pair();
        let limit = TrafficAction::Limit {
            bits_per_second: 8_000_000,
        };
        for (port, direction) in [("p", TrafficDirection::From), ("q", TrafficDirection::Both)] {
            find(&mut wishes, port).traffic.rules = vec![rule(5, direction, udp(5_001), limit)];
            ensure(&agent, &wishes).await;
            let rate = stream(5_001, 4.0, 16_000_000.0);
            assert!((7_200_000.0..=8_800_000.0).contains(&rate), "{port}: {rate} bit/s");
            // It was the limit that was measured.
            let rate = stream(5_002, 3.0, 16_000_000.0);
            assert!(rate > 12_000_000.0, "{port}: {rate} bit/s");
            find(&mut wishes, port).traffic.rules.clear();
        }
        agent
    });
}

/// The port takes 4 Mbit/s and is sent 12 of the one class; the other one, 1 Mbit/s, comes through whole.
fn precedence() {
    with_agent(|agent| async move {
        let mut wishes = pair();
        find(&mut wishes, "q").rate_bits_per_second = Some(4_000_000);
        ensure(&agent, &wishes).await;
        let flood = |seconds: f64| {
            let end = Arc::new(AtomicBool::new(false));
            let sent = Arc::new(AtomicU64::new(0));
            let (until, count) = (end.clone(), sent.clone());
            let socket = inside("p-node", || UdpSocket::bind("10.0.0.1:0")).expect("bound");
            let thread = std::thread::spawn(move || {
                let begin = Instant::now();
                while !until.load(Ordering::Relaxed) {
                    let due = (begin.elapsed().as_secs_f64() * 12_000_000.0 / 8_224.0) as u64;
                    while count.load(Ordering::Relaxed) < due {
                        let _ = socket.send_to(&[1; 1_000], "10.0.0.2:5002");
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                    std::thread::sleep(Duration::from_micros(300));
                }
            });
            let rate = stream(5_001, seconds, 1_000_000.0);
            end.store(true, Ordering::Relaxed);
            thread.join().expect("ended");
            rate
        };
        let before = flood(3.0);
        assert!(before < 700_000.0, "the port is not full: {before} bit/s came through");
        let level = |level| TrafficAction::Precedence { level };
        find(&mut wishes, "q").traffic.rules = vec![rule(1, TrafficDirection::Towards, udp(5_001), level(7))];
        assert_eq!(ensure(&agent, &wishes).await.into_iter().collect::<Vec<_>>(), [id("q")]);
        assert_eq!(ensure(&agent, &wishes).await.len(), 0);
        let with = flood(3.0);
        assert!(with > 900_000.0, "{with} bit/s of the class came through");
        // The limit still holds, and lower goes behind higher.
        let rate = stream(5_001, 3.0, 12_000_000.0);
        assert!((3_600_000.0..=4_400_000.0).contains(&rate), "{rate} bit/s");
        find(&mut wishes, "q").traffic.rules = vec![
            rule(1, TrafficDirection::Towards, udp(5_001), level(3)),
            rule(1, TrafficDirection::Towards, udp(5_002), level(5)),
        ];
        ensure(&agent, &wishes).await;
        let behind = flood(3.0);
        assert!(
            behind < 300_000.0,
            "{behind} bit/s of the lower precedence came through"
        );
        // The queue taken away by hand comes back.
        let since = cursor(&agent).await;
        let interface = format!("mfp{}", &id("q").0.simple().to_string()[20..]);
        must("a", &["tc", "qdisc", "del", "dev", &interface, "parent", "1:1"]);
        told(&agent, since, id("q")).await;
        assert_eq!(ensure(&agent, &wishes).await.into_iter().collect::<Vec<_>>(), [id("q")]);
        assert!(must("a", &["tc", "qdisc", "show", "dev", &interface]).contains("htb 2:"));
        find(&mut wishes, "q").traffic.rules.clear();
        ensure(&agent, &wishes).await;
        assert!(!must("a", &["tc", "qdisc", "show", "dev", &interface]).contains("htb"));
        assert_eq!(ensure(&agent, &wishes).await.len(), 0);
        assert!(settles(Duration::from_secs(5), || pings("p-node", "10.0.0.2", 56)));
        agent
    });
}

fn refused() {
    with_agent(|agent| async move {
        let mut wishes = pair();
        ensure(&agent, &wishes).await;
        let ports = |first, last| Some(PortRange { first, last });
        let block = TrafficAction::Block;
        let class = Classifier::default;
        for (classifier, action, word) in [
            (
                Classifier {
                    source_ports: ports(9, 8),
                    ..class()
                },
                block,
                "9 to 8",
            ),
            (
                Classifier {
                    source_ports: ports(1, 8),
                    protocol: Some(1),
                    ..class()
                },
                block,
                "protocol 1",
            ),
            (
                Classifier {
                    dscp: Some(64),
                    ..class()
                },
                block,
                "64",
            ),
            (
                Classifier {
                    vlan: Some(0),
                    ..class()
                },
                block,
                "VLAN 0",
            ),
            (
                Classifier {
                    ether_type: Some(0x0806),
                    protocol: Some(17),
                    ..class()
                },
                block,
                "0x0806",
            ),
            (
                Classifier {
                    source: Some("10.0.0.0/8".parse().expect("a prefix")),
                    destination: Some("fd00::/8".parse().expect("a prefix")),
                    ..class()
                },
                block,
                "fd00::/8",
            ),
            (class(), TrafficAction::Limit { bits_per_second: 7_999 }, "7999"),
            (class(), TrafficAction::Precedence { level: 8 }, "8"),
        ] {
            find(&mut wishes, "p").traffic.rules = vec![rule(1, TrafficDirection::Both, classifier.clone(), action)];
            let reports = agent.ensure(&context(), wishes.clone()).await.expect("answered");
            let failure = reports
                .iter()
                .find_map(|report| report.failure.clone())
                .expect("refused");
            assert!(failure.detail.contains(word), "{failure:?}");
        }
        agent
    });
}
