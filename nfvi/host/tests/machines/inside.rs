//! What a machine's inside sees, through its guest channel and by packets both ways.

use crate::bench::{BOOT, with_image};
use manifold_host::seams::{MachineKeeper, ProbeFrom};
use manifold_kernel_test::Test;
use manifold_nfvi_interface::{MachineWish, ObjectId, Probe, ProbeSeen};
use std::io::{Read, Write};
use std::time::Duration;

pub(crate) const TESTS: &[Test] = &[Test {
    name: "machine_sees_its_no_cloud_data_and_probes_from_inside",
    limit_s: 150,
    run: inside,
}];

fn ping(to: &str, source: Option<&str>, payload_bytes: Option<u32>) -> Probe {
    Probe::Ping {
        to: to.parse().unwrap(),
        source: source.map(|source| source.parse().unwrap()),
        payload_bytes,
    }
}

fn inside() {
    with_image(async |bench| {
        let far = ["10.88.0.2/24", "fd88::2/64"];
        let (id, (plug, no_cloud)) = (
            ObjectId::random(),
            bench.plug("tap0", ["10.88.0.1/24", "fd88::1/64"], far).await,
        );
        bench
            .ensure(
                id,
                &MachineWish {
                    no_cloud: Some(no_cloud),
                    ..bench.wish()
                },
                &[plug],
            )
            .await;

        let facts = bench.machines.facts(id, BOOT).await.unwrap();
        for fact in ["gateway-1\ni-4711\n", "inet 10.88.0.2/24", "inet6 fd88::2/64"] {
            assert!(facts.contains(fact), "{fact} is not in {facts}");
        }

        let limit = Duration::from_secs(5);
        let from = || ProbeFrom::Machine(id);
        let answered = |seen: &ProbeSeen| matches!(seen, ProbeSeen::Answered { .. });
        // MTU 1,400: the last payload that fits, and the first that does not, in both directions and both families.
        for (there, back, fits) in [("10.88.0.1", "10.88.0.2", 1_372), ("fd88::1", "fd88::2", 1_352)] {
            for (from, to) in [(from(), there), (bench.here(), back)] {
                let seen = bench.probe(from.clone(), ping(to, None, Some(fits)), limit).await;
                assert!(answered(&seen), "{from:?} {to} {seen:?}");
                let seen = bench.probe(from.clone(), ping(to, None, Some(fits + 1)), limit).await;
                assert_eq!(seen, ProbeSeen::TooBig { mtu_bytes: Some(1_400) }, "{from:?} {to}");
            }
        }
        let seen = bench
            .probe(from(), ping("10.88.0.77", None, None), Duration::from_secs(1))
            .await;
        assert_eq!(seen, ProbeSeen::Silent);
        let seen = bench.probe(from(), ping("fd99::1", None, None), limit).await;
        assert!(
            matches!(&seen, ProbeSeen::Refused { why } if why.contains("unreachable")),
            "{seen:?}"
        );

        // A spoofed packet really leaves, with the address that it claims, and the claim is gone afterwards.
        let watch = bench.space.run(|| sniffer("tap0")).await.unwrap();
        bench
            .probe(
                from(),
                ping("10.88.0.1", Some("10.88.0.66"), None),
                Duration::from_secs(1),
            )
            .await;
        assert!(carried(&watch, [10, 88, 0, 66]), "no packet from 10.88.0.66");
        assert!(!bench.machines.facts(id, limit).await.unwrap().contains("10.88.0.66"));
        bench
            .probe(
                bench.here(),
                ping("10.88.0.2", Some("10.88.0.67"), None),
                Duration::from_secs(1),
            )
            .await;
        assert!(carried(&watch, [10, 88, 0, 67]), "no packet from 10.88.0.67");

        // HTTP and rate from inside, against a server in the node.
        let to = "10.88.0.1".parse().unwrap();
        let refused = bench
            .probe(
                from(),
                Probe::Http {
                    to,
                    port: 8080,
                    path: "/".into(),
                },
                limit,
            )
            .await;
        assert!(
            matches!(&refused, ProbeSeen::Refused { why } if why.contains("refused")),
            "{refused:?}"
        );
        let listener = bench
            .space
            .run(|| std::net::TcpListener::bind("10.88.0.1:8080").unwrap())
            .await
            .unwrap();
        std::thread::spawn(move || listener.incoming().for_each(|stream| answer(stream.unwrap())));
        let page = bench
            .probe(
                from(),
                Probe::Http {
                    to,
                    port: 8080,
                    path: "/x".into(),
                },
                limit,
            )
            .await;
        assert!(
            matches!(&page, ProbeSeen::Answered { body, .. } if body == "GET /x"),
            "{page:?}"
        );
        let rate = bench
            .probe(
                from(),
                Probe::Throughput {
                    to,
                    port: 8080,
                    bytes: 10_000_000,
                },
                limit,
            )
            .await;
        println!("{rate:?}");
        assert!(
            matches!(
                rate,
                ProbeSeen::Answered {
                    bits_per_second: Some(50_000_000..),
                    ..
                }
            ),
            "{rate:?}"
        );
        bench.machines.remove(id).await.unwrap();
    });
}

fn answer(mut stream: std::net::TcpStream) {
    let mut request = [0; 2_000];
    let got = stream.read(&mut request).unwrap();
    let line = String::from_utf8_lossy(&request[..got])
        .lines()
        .next()
        .unwrap()
        .replace(" HTTP/1.1", "")
        .replace(" HTTP/1.0", "");
    let body = match line.strip_prefix("GET /bytes/") {
        Some(bytes) => vec![0; bytes.parse().unwrap()],
        None => line.into_bytes(),
    };
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    // The asker may leave early.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
}

/// Hears every frame of an interface.
fn sniffer(interface: &str) -> std::os::fd::OwnedFd {
    use nix::sys::socket::{
        AddressFamily, SockFlag, SockProtocol, SockType, setsockopt, socket, sockopt::BindToDevice,
    };
    let fd = socket(
        AddressFamily::Packet,
        SockType::Raw,
        SockFlag::SOCK_NONBLOCK,
        SockProtocol::EthAll,
    )
    .unwrap();
    let _ = setsockopt(&fd, BindToDevice, &interface.into());
    fd
}

fn carried(sniffer: &std::os::fd::OwnedFd, source: [u8; 4]) -> bool {
    let mut frame = [0; 2_000];
    while let Ok(got) = nix::unistd::read(sniffer, &mut frame) {
        if got >= 34 && frame[12..14] == [8, 0] && frame[26..30] == source {
            return true;
        }
    }
    false
}
