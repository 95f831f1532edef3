//! Limits hold.

use crate::lab::*;
use manifold_host::kernel;
use manifold_kernel_test::{Test, settles};
use manifold_nfvi_interface::*;
use std::fs::File;
use std::io::Write;
use std::net::UdpSocket;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

pub(crate) const TESTS: &[Test] = &[
    Test {
        name: "a_ports_limit_holds_both_ways_for_tcp",
        limit_s: 60,
        run: both_ways,
    },
    Test {
        name: "a_taps_limit_holds_and_so_do_its_rules",
        limit_s: 60,
        run: tap,
    },
];

/// Takes bytes over HTTP and gives the rate in bits per second. The rate is what is claimed, so here time is what is measured.
pub(crate) fn download(from: &str, server: &str, address: &str, bytes: u64) -> u64 {
    std::fs::write("/run/body", "x").expect("written");
    let program = std::env::current_exe().expect("this program has a path");
    let mut service = Command::new("nsenter")
        .arg(format!("--net={}", pin(server).display()))
        .arg(program)
        .args(["agent-service", "http", "--port=8080", "--body-file=/run/body"])
        .stdin(Stdio::null())
        .spawn()
        .expect("started");
    let up = settles(Duration::from_secs(5), || get(from, address, 8_080, "/").is_ok());
    assert!(up, "the server does not answer");
    let begin = Instant::now();
    let got = get(from, address, 8_080, &format!("/bytes/{bytes}"));
    let took = begin.elapsed();
    service.kill().expect("killed");
    service.wait().expect("reaped");
    assert_eq!(got.map(|(_, length)| length).ok(), Some(bytes));
    (bytes as f64 * 8.0 / took.as_secs_f64()) as u64
}

fn both_ways() {
    with_agent(|agent| async move {
        let mut wishes = vec![node("a", NodeRole::Host), segment("net", "a", 1_500, None)];
        wishes.extend(plugged("slow", "net", &["10.0.0.1/24"]));
        wishes.extend(plugged("fast", "net", &["10.0.0.2/24"]));
        port_mut(&mut wishes[3]).rate_bits_per_second = Some(20_000_000);
        ensure(&agent, &wishes).await;
        for (client, server, address) in [
            ("slow-node", "fast-node", "10.0.0.2"),
            ("fast-node", "slow-node", "10.0.0.1"),
        ] {
            let rate = download(client, server, address, 5_000_000);
            assert!((18_000_000..=22_000_000).contains(&rate), "{client}: {rate} bit/s");
        }
        assert_eq!(ensure(&agent, &wishes).await.len(), 0);
        // Without the limit it is much faster: it was the limit that was measured.
        port_mut(&mut wishes[3]).rate_bits_per_second = None;
        assert_eq!(
            ensure(&agent, &wishes).await.into_iter().collect::<Vec<_>>(),
            [id("slow")]
        );
        let rate = download("slow-node", "fast-node", "10.0.0.2", 5_000_000);
        assert!(rate > 60_000_000, "{rate} bit/s");
        agent
    });
}

/// What a machine sends through its tap is shaped, and the queue is no way around the rules.
fn tap() {
    with_agent(|agent| async move {
        let mut wishes = vec![node("a", NodeRole::Host), segment("net", "a", 1_500, None)];
        wishes.extend(plugged("q", "net", &["10.0.0.2/24"]));
        let mut port = plugged("vm", "net", &[]).remove(1);
        port_mut(&mut port).plug = Plug::Tap;
        port_mut(&mut port).addresses = vec![ip("10.0.0.1")];
        port_mut(&mut port).rate_bits_per_second = Some(10_000_000);
        wishes.push(port);
        ensure(&agent, &wishes).await;
        assert_eq!(ensure(&agent, &wishes).await.len(), 0);

        let interface = format!("mfp{}", &id("vm").0.simple().to_string()[20..]);
        let tap = inside("a", move || kernel::open_tap(&interface, kernel::TapOptions::default())).expect("opened");
        let tap = File::from(tap);
        let to = must("q-node", &["ip", "-o", "link", "show", "eth0"]);
        let to: MacAddr = to
            .split("link/ether ")
            .nth(1)
            .and_then(|rest| rest.split(' ').next())
            .expect("a MAC")
            .parse()
            .expect("a MAC");
        let server = inside("q-node", || UdpSocket::bind("10.0.0.2:5000")).expect("bound");
        server.set_read_timeout(Some(Duration::from_millis(500))).expect("set");

        let good = udp_frame(MacAddr::of(id("vm")), to, [10, 0, 0, 1], 1_400);
        let spoofed = udp_frame(MacAddr::of(id("vm")), to, [10, 0, 0, 9], 1_400);
        let send = |frame: &[u8]| (&tap).write_all(frame).is_ok();
        let mut buffer = [0; 2_000];
        // The spoofed ones first: had they come through, they would be what is received.
        assert!((0..5).all(|_| send(&spoofed)) && send(&good));
        let (_, from) = server
            .recv_from(&mut buffer)
            .expect("the rightful packet comes through");
        assert_eq!(from.ip(), ip("10.0.0.1"));
        assert!(
            server.recv_from(&mut buffer).is_err(),
            "more than the one rightful packet came through"
        );

        // Twice the limit for a second and a half: what arrives is the limit.
        let begin = Instant::now();
        let (mut got, mut sent, mut first) = (0_u64, 0_u64, None);
        server.set_nonblocking(true).expect("set");
        while begin.elapsed() < Duration::from_millis(2_500) {
            while sent as f64 * 8.0 < begin.elapsed().as_secs_f64() * 20_000_000.0 && send(&good) {
                sent += good.len() as u64 - 12;
            }
            while server.recv_from(&mut buffer).is_ok() {
                // The burst is over after half a second.
                if begin.elapsed() > Duration::from_millis(500) {
                    first.get_or_insert_with(Instant::now);
                    got += good.len() as u64 - 12;
                }
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        let rate = (got * 8) as f64 / first.expect("something arrived").elapsed().as_secs_f64();
        assert!(
            (9_000_000.0..=11_000_000.0).contains(&rate),
            "{rate} bit/s of {sent} bytes sent"
        );
        agent
    });
}

/// A UDP packet to 10.0.0.2:5000 as a tap takes it: virtio header, Ethernet, IPv4, UDP without checksum.
fn udp_frame(from: MacAddr, to: MacAddr, source: [u8; 4], payload_bytes: u16) -> Vec<u8> {
    let mut frame = vec![0; 12];
    frame.extend_from_slice(&to.0);
    frame.extend_from_slice(&from.0);
    frame.extend_from_slice(&[0x08, 0, 0x45, 0]);
    frame.extend_from_slice(&(payload_bytes + 28).to_be_bytes());
    let mut rest = vec![0, 0, 0x40, 0, 64, 17, 0, 0];
    rest.extend_from_slice(&source);
    rest.extend_from_slice(&[10, 0, 0, 2]);
    let mut sum: u32 = 0x4500 + u32::from(payload_bytes + 28);
    sum += rest
        .chunks(2)
        .map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])))
        .sum::<u32>();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    rest[6..8].copy_from_slice(&(!(sum as u16)).to_be_bytes());
    frame.extend_from_slice(&rest);
    for word in [5_001, 5_000, payload_bytes + 8, 0] {
        frame.extend_from_slice(&u16::to_be_bytes(word));
    }
    frame.resize(frame.len() + usize::from(payload_bytes), 0);
    frame
}
