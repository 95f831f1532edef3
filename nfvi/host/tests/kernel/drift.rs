//! What somebody breaks by hand is told, and mended alone.

use crate::lab::*;
use manifold_call::Context;
use manifold_host::Agent;
use manifold_kernel_test::Test;
use manifold_nfvi_interface::*;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

pub(crate) const TESTS: &[Test] = &[Test {
    name: "what_is_broken_by_hand_is_told_and_mended_and_neighbours_lose_nothing",
    limit_s: 120,
    run: drift,
}];

pub(crate) async fn cursor(agent: &Agent) -> Cursor {
    let at_once = Context::root("test".into()).within(Duration::from_millis(1));
    agent.changes(&at_once, Cursor::default()).await.expect("told").cursor
}

/// Waits until a change of this object is told.
pub(crate) async fn told(agent: &Agent, mut since: Cursor, wanted: ObjectId) {
    let cx = Context::root("test".into()).within(Duration::from_secs(5));
    loop {
        let changes = agent.changes(&cx, since).await.expect("told");
        assert!(!changes.lost && !changes.ids.is_empty(), "nothing was told of {wanted}");
        if changes.ids.contains(&wanted) {
            return;
        }
        since = changes.cursor;
    }
}

fn stream(from: &str, to: &str) -> Child {
    Command::new("nsenter")
        .arg(format!("--net={}", pin(from).display()))
        .args(["ping", "-n", "-q", "-i", "0.02", to])
        .stdout(Stdio::piped())
        .spawn()
        .expect("started")
}

fn lost(mut stream: Child) -> String {
    // SIGINT lets it say its sums; it is nsenter's process, which has become ping.
    manifold_kernel_test::run(&["kill", "-INT", &stream.id().to_string()]);
    let mut said = String::new();
    std::io::Read::read_to_string(stream.stdout.as_mut().expect("piped"), &mut said).expect("read");
    stream.wait().expect("reaped");
    said
}

fn drift() {
    with_agent(|agent| async move {
        let mut wishes = site("east", &["a", "b"], 1_500);
        for (net, vni) in [("blue", 100), ("green", 200)] {
            wishes.push(segment(
                &format!("{net}-a"),
                "a",
                1_450,
                vxlan(vni, "10.255.0.1", &["10.255.0.2"]),
            ));
            wishes.push(segment(
                &format!("{net}-b"),
                "b",
                1_450,
                vxlan(vni, "10.255.0.2", &["10.255.0.1"]),
            ));
            wishes.extend(plugged(&format!("{net}-1"), &format!("{net}-a"), &["10.0.0.1/24"]));
            wishes.extend(plugged(&format!("{net}-2"), &format!("{net}-b"), &["10.0.0.2/24"]));
        }
        let mut tap = plugged("tap", "blue-a", &[]).remove(1);
        port_mut(&mut tap).plug = Plug::Tap;
        wishes.push(tap);
        ensure(&agent, &wishes).await;
        assert!(pings("blue-1-node", "10.0.0.2", 56) && pings("green-1-node", "10.0.0.2", 56));
        let neighbour = stream("green-1-node", "10.0.0.2");

        let name = |letter: char, object: &str| format!("mf{letter}{}", &id(object).0.simple().to_string()[20..]);
        let bridge = name('s', "blue-a");
        let tunnel = name('x', "blue-a");
        let tap = name('p', "tap");
        let breaks: [(&str, Vec<&str>); 6] = [
            ("blue-a", vec!["ip", "link", "del", &bridge]),
            (
                "blue-a",
                vec![
                    "bridge",
                    "fdb",
                    "del",
                    "00:00:00:00:00:00",
                    "dev",
                    &tunnel,
                    "dst",
                    "10.255.0.2",
                ],
            ),
            ("tap", vec!["nft", "delete", "table", "bridge", "manifold"]),
            ("tap", vec!["ip", "link", "del", &tap]),
            ("blue-a", vec!["ip", "link", "set", &bridge, "down"]),
            ("tap", vec!["ip", "link", "set", &tap, "nomaster"]),
        ];
        for (object, command) in breaks {
            let since = cursor(&agent).await;
            must("a", &command);
            told(&agent, since, id(object)).await;
            let changed = ensure(&agent, &wishes).await;
            assert!(changed.contains(&id(object)), "{command:?}: {changed:?}");
            assert!(
                !changed.contains(&id("green-a")) && !changed.contains(&id("blue-b")),
                "{command:?}: {changed:?}"
            );
            assert_eq!(ensure(&agent, &wishes).await.len(), 0, "{command:?}");
            assert!(pings("blue-1-node", "10.0.0.2", 56), "{command:?}");
            must("a", &["ip", "link", "show", &tap]);
            must("a", &["nft", "list", "table", "bridge", "manifold"]);
        }
        // An address inside a node, heard by an agent that found everything made.
        agent.stop();
        drop(agent);
        let agent = crate::lab::agent().await;
        let since = cursor(&agent).await;
        must("blue-1-node", &["ip", "addr", "flush", "dev", "eth0"]);
        told(&agent, since, id("blue-1")).await;
        assert_eq!(
            ensure(&agent, &wishes).await.into_iter().collect::<Vec<_>>(),
            [id("blue-1")]
        );
        assert!(pings("blue-1-node", "10.0.0.2", 56));
        let said = lost(neighbour);
        assert!(said.contains(" 0% packet loss"), "{said}");
        agent
    });
}
