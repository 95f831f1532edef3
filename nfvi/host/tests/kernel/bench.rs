//! The agent's speed beside its floor: printed, not asserted.

use crate::lab::*;
use manifold_host::floor::{self, Floor};
use manifold_kernel_test::Test;
use manifold_nfvi_interface::*;
use std::path::Path;
use std::time::Instant;

pub(crate) const TESTS: &[Test] = &[Test {
    name: "bench_100_ports_on_20_networks_over_4_hosts",
    limit_s: 120,
    run: bench,
}];

const HOSTS: [&str; 4] = ["a", "b", "c", "d"];
const NETWORKS: u32 = 20;

fn local(host: usize) -> String {
    format!("10.255.0.{}", host + 1)
}

fn wishes() -> Vec<Wish> {
    let mut wishes = Vec::new();
    for network in 0..NETWORKS {
        for (number, host) in HOSTS.iter().enumerate() {
            let peers: Vec<String> = (0..HOSTS.len()).filter(|other| *other != number).map(local).collect();
            let peers: Vec<&str> = peers.iter().map(String::as_str).collect();
            wishes.push(segment(
                &format!("{network}-{host}"),
                host,
                1_450,
                vxlan(network + 1, &local(number), &peers),
            ));
        }
    }
    for port in 0..100 {
        let host = HOSTS[port % 4];
        let mut tap = plugged(&format!("port-{port}"), &format!("{}-{host}", (port / 4) % 20), &[]).remove(1);
        port_mut(&mut tap).plug = Plug::Tap;
        port_mut(&mut tap).addresses = vec![ip(&format!("10.0.{}.{}", port % 20, port + 2))];
        wishes.push(tap);
    }
    wishes
}

fn bench() {
    with_agent(|agent| async move {
        ensure(&agent, &site("east", &HOSTS, 1_500)).await;
        let wishes = wishes();
        let ids: Vec<_> = wishes.iter().map(|wish| wish.id).collect();
        let (mut ours, mut again, mut gone, mut floor_made, mut floor_gone) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
        // One round shows that it works; a figure wants more.
        let rounds = std::env::var("MANIFOLD_BENCH_ROUNDS")
            .ok()
            .and_then(|rounds| rounds.parse().ok())
            .unwrap_or(1);
        for round in 0..rounds {
            let begin = Instant::now();
            assert_eq!(ensure(&agent, &wishes).await.len(), wishes.len());
            ours.push(begin.elapsed());
            let begin = Instant::now();
            assert_eq!(ensure(&agent, &wishes).await.len(), 0);
            again.push(begin.elapsed());
            let begin = Instant::now();
            agent.remove(&context(), ids.clone()).await.expect("removed");
            gone.push(begin.elapsed());

            let bare = Path::new("/run/bare");
            let spaces: Vec<_> = HOSTS
                .iter()
                .map(|host| floor::namespace(bare, id(&format!("floor-{round}-{host}"))).expect("made"))
                .collect();
            let begin = Instant::now();
            for (number, space) in spaces.iter().enumerate() {
                let work = Floor {
                    networks: NETWORKS,
                    taps: 25,
                    local: ip(&local(number)),
                    peers: (0..4)
                        .filter(|other| *other != number)
                        .map(|other| ip(&local(other)))
                        .collect(),
                };
                space.run(move || work.make()).await.expect("run").expect("made");
            }
            floor_made.push(begin.elapsed());
            let begin = Instant::now();
            for space in &spaces {
                space.run(Floor::delete).await.expect("run").expect("deleted");
            }
            floor_gone.push(begin.elapsed());
            for space in spaces {
                let id = space.id();
                drop(space);
                manifold_host::Space::unpin(bare, id).expect("unpinned");
            }
        }
        for times in [&mut ours, &mut again, &mut gone, &mut floor_made, &mut floor_gone] {
            times.sort();
        }
        let ratio = |ours: &[std::time::Duration], floor: &[std::time::Duration]| {
            ours[ours.len() / 2].as_secs_f64() / floor[floor.len() / 2].as_secs_f64()
        };
        println!(
            "realise 100 ports/20 nets/4 hosts  ours {:?}  floor {:?}  ratio {:.2}  goal <= 1.50\nremove                             ours {:?}  floor {:?}  ratio {:.2}  goal <= 1.50\nensure again                       ours {:?}",
            ours[rounds / 2],
            floor_made[rounds / 2],
            ratio(&ours, &floor_made),
            gone[rounds / 2],
            floor_gone[rounds / 2],
            ratio(&gone, &floor_gone),
            again[rounds / 2]
        );
        agent
    });
}
