//! Adoption, partial failure, removal, and what is not ours.

use crate::lab::*;
use manifold_call::ErrorKind;
use manifold_kernel_test::{Census, Test, settles};
use manifold_nfvi_interface::*;
use std::path::Path;
use std::time::Duration;

pub(crate) const TESTS: &[Test] = &[
    Test {
        name: "an_agent_that_starts_again_adopts_what_is_there",
        limit_s: 60,
        run: adoption,
    },
    Test {
        name: "after_a_reboot_the_same_wishes_make_the_same_again",
        limit_s: 60,
        run: reboot,
    },
    Test {
        name: "a_caller_that_gives_up_leaves_nothing_that_cannot_be_mended_or_removed",
        limit_s: 60,
        run: given_up,
    },
    Test {
        name: "one_wish_that_fails_stops_only_what_stands_on_it",
        limit_s: 60,
        run: partial,
    },
    Test {
        name: "removal_takes_what_hangs_on_an_object_and_leaves_the_rest",
        limit_s: 60,
        run: removal,
    },
    Test {
        name: "what_is_not_ours_is_never_touched",
        limit_s: 60,
        run: foreign,
    },
];

fn network() -> Vec<Wish> {
    let mut function = node("pnf", NodeRole::Function);
    node_mut(&mut function).services = vec![NodeService::Http {
        port: 80,
        body: "here".to_owned(),
    }];
    let mut wishes = site("east", &["a", "b"], 1_500);
    wishes.extend([
        function,
        segment("net-a", "a", 1_450, vxlan(5, "10.255.0.1", &["10.255.0.2"])),
        segment("net-b", "b", 1_450, vxlan(5, "10.255.0.2", &["10.255.0.1"])),
    ]);
    wishes.extend(plugged("p", "net-a", &["10.0.0.1/24"]));
    let mut port = plugged("q", "net-b", &["10.0.0.2/24"]).remove(1);
    if let Plug::Node { node, .. } = &mut port_mut(&mut port).plug {
        *node = id("pnf");
    }
    wishes.push(port);
    wishes
}

fn adoption() {
    with_agent(|agent| async move {
        let wishes = network();
        ensure(&agent, &wishes).await;
        let answers = || get("p-node", "10.0.0.2", 80, "/").is_ok();
        assert!(settles(Duration::from_secs(5), answers));
        let before = Census::take(&[Path::new(RUN)]);
        let mut seen = agent.observe(&context(), Filter::default()).await.expect("observed");
        let old = agent.changes(&context(), Cursor::default()).await.expect("told").cursor;
        agent.stop();
        drop(agent);
        assert!(answers(), "what a function does ended with the agent");

        let agent = crate::lab::agent().await;
        let mut again = agent.observe(&context(), Filter::default()).await.expect("observed");
        seen.sort_by_key(|seen| seen.id);
        again.sort_by_key(|seen| seen.id);
        assert_eq!(seen, again);
        assert_eq!(ensure(&agent, &wishes).await.len(), 0);
        assert!(answers());
        let after = Census::take(&[Path::new(RUN)]);
        assert!(after.beyond(&before).is_empty(), "{}", after.beyond(&before));
        // A place in the old agent's stream means nothing to the new one.
        assert!(agent.changes(&context(), old).await.expect("told").lost);
        agent
    });
}

/// The kernel's state is gone, the labels are still there (a run directory on a disk).
fn reboot() {
    with_agent(|agent| async move {
        let wishes = network();
        ensure(&agent, &wishes).await;
        agent.stop();
        drop(agent);
        for pid in String::from_utf8_lossy(&manifold_kernel_test::run(&["pgrep", "-f", "agent-service"]).stdout).lines()
        {
            manifold_kernel_test::run(&["kill", "-9", pid]);
        }
        for entry in std::fs::read_dir(Path::new(RUN).join("netns")).expect("read").flatten() {
            let unmounted = manifold_kernel_test::run(&["umount", "-l", &entry.path().display().to_string()]);
            assert!(unmounted.status.success());
        }
        let agent = crate::lab::agent().await;
        let seen = agent.observe(&context(), Filter::default()).await.expect("observed");
        assert_eq!(seen, []);
        // Without its node an object cannot be made again, and says so.
        let port = wishes.last().expect("a port").clone();
        let reports = agent.ensure(&context(), vec![port]).await.expect("answered");
        assert_eq!(
            reports[0].failure.as_ref().map(|failure| failure.kind),
            Some(ErrorKind::Conflict)
        );
        assert_eq!(ensure(&agent, &wishes).await.len(), wishes.len());
        assert!(settles(Duration::from_secs(5), || get("p-node", "10.0.0.2", 80, "/").is_ok()));
        agent
    });
}

fn partial() {
    with_agent(|agent| async move {
        let mut wishes = vec![
            node("a", NodeRole::Host),
            segment("good", "a", 1_500, None),
            segment("bad", "a", 1_500, vxlan(0, "10.0.0.1", &[])),
        ];
        wishes.extend(plugged("p", "good", &["10.0.0.1/24"]));
        wishes.extend(plugged("q", "bad", &["10.0.0.2/24"]));
        wishes.extend(plugged("r", "good", &["10.0.0.3/24"]));
        let reports = agent.ensure(&context(), wishes.clone()).await.expect("answered");
        assert_eq!(reports.len(), wishes.len());
        for report in &reports {
            let fails = [id("bad"), id("q")].contains(&report.id);
            assert_eq!(
                report.failure.as_ref().map(|failure| failure.kind),
                fails.then_some(ErrorKind::Invalid),
                "{report:?}"
            );
        }
        assert!(pings("p-node", "10.0.0.3", 56));
        // Nothing of the refused ones is there.
        let seen = agent.observe(&context(), Filter::default()).await.expect("observed");
        assert!(seen.iter().all(|seen| ![id("bad"), id("q")].contains(&seen.id)));
        agent
    });
}

fn removal() {
    with_agent(|agent| async move {
        let wishes = network();
        ensure(&agent, &wishes).await;
        let reports = agent
            .remove(&context(), vec![id("net-a"), ObjectId::random()])
            .await
            .expect("answered");
        assert!(reports.iter().all(|report| report.failure.is_none()), "{reports:?}");
        assert_eq!(
            reports.iter().map(|report| report.changed).collect::<Vec<_>>(),
            [true, false]
        );
        let seen = agent.observe(&context(), Filter::default()).await.expect("observed");
        let there = |name: &str| seen.iter().any(|seen| seen.id == id(name));
        assert!(!there("net-a") && !there("p"));
        assert!(there("net-b") && there("q") && there("a") && there("p-node"));
        assert!(!must("a", &["ip", "-o", "link"]).contains(": mf"));
        assert_eq!(must("a", &["nft", "list", "tables"]), "");
        assert!(!must("p-node", &["ip", "-o", "link"]).contains("eth0"));
        // Wished for again, it is there again.
        ensure(&agent, &wishes).await;
        assert!(settles(Duration::from_secs(5), || pings("p-node", "10.0.0.2", 56)));
        agent
    });
}

fn foreign() {
    with_agent(|agent| async move {
        ensure(&agent, &[node("a", NodeRole::Host), node("b", NodeRole::Host)]).await;
        must("a", &["ip", "link", "add", "theirs", "type", "bridge"]);
        must(
            "a",
            &[
                "ip",
                "link",
                "set",
                "theirs",
                "alias",
                "manifold:other:lab/x:-:switch:00000000-0000-0000-0000-000000000000:main",
            ],
        );
        let wish = cable(
            "c",
            1_500,
            [cable_end("a", "theirs", None, None), cable_end("b", "eth0", None, None)],
        );
        let reports = agent.ensure(&context(), vec![wish]).await.expect("answered");
        assert_eq!(
            reports[0].failure.as_ref().map(|failure| failure.kind),
            Some(ErrorKind::Conflict)
        );
        agent.remove(&context(), vec![id("c")]).await.expect("answered");
        let seen = agent.observe(&context(), Filter::default()).await.expect("observed");
        assert_eq!(seen.len(), 2, "{seen:?}");
        must("a", &["ip", "link", "show", "theirs"]);
        agent
    });
}

/// A caller that gives up at any moment leaves nothing that the same wishes do not mend and removal does not take.
fn given_up() {
    with_agent(|agent| async move {
        let wishes = network();
        for after_us in [0, 200, 1_000, 3_000, 6_000, 10_000, 15_000, 20_000] {
            let limit = Duration::from_micros(after_us);
            // Whether it got through does not matter: either way the next one must.
            let _ = tokio::time::timeout(limit, agent.ensure(&context(), wishes.clone())).await;
            ensure(&agent, &wishes).await;
            assert_eq!(ensure(&agent, &wishes).await.len(), 0);
            assert!(settles(Duration::from_secs(5), || pings("p-node", "10.0.0.2", 56)));
            let _ = tokio::time::timeout(limit, agent.remove(&context(), vec![id("a"), id("net-b"), id("pnf")])).await;
            let ids = wishes.iter().map(|wish| wish.id).collect();
            let reports = agent.remove(&context(), ids).await.expect("answered");
            assert!(reports.iter().all(|report| report.failure.is_none()), "{reports:?}");
            assert_eq!(
                agent.observe(&context(), Filter::default()).await.expect("observed"),
                []
            );
        }
        agent
    });
}
