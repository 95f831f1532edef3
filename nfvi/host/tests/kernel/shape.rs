//! Limits hold.

use crate::lab::*;
use manifold_kernel_test::{Test, settles};
use manifold_nfvi_interface::*;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

pub(crate) const TESTS: &[Test] = &[Test {
    name: "a_ports_limit_holds_both_ways_for_tcp",
    limit_s: 60,
    run: both_ways,
}];

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
