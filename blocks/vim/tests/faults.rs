//! Whatever fails, and wherever the program dies: after an answer the outside is as the documents say, and after a failure both
//! are as before.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "outside/bench.rs"]
mod bench;
mod outside;

use bench::*;
use manifold_call::{Context, ErrorKind};
use manifold_nfvi_interface::*;
use manifold_vim_interface::*;
use outside::Fault;

/// A PoP in use: a routed pair of networks, a machine on each host, one of them on a port of its own, a SAP.
struct Stand {
    cx: Context,
    front: VirtualNetwork,
    back: VirtualNetwork,
    free: VirtualNetworkPort,
    machine: VirtualCompute,
}

async fn stand(bench: &Bench) -> Stand {
    let cx = tenant("blue");
    let front = bench.network(&cx, "front", "10.0.0.0/24").await;
    let wished = VirtualNetworkData {
        gateway_reachable: true,
        ..data("10.0.1.0/24")
    };
    let back = bench.try_network(&cx, "back", wished).await.unwrap();
    let free = bench
        .try_port(&cx, port_at(front.network_resource_id, None))
        .await
        .unwrap();
    let mut ask = bench.machine(&cx, "one", &[front.network_resource_id]).await;
    ask.location_constraints = host("host-a");
    let machine = bench.allocate(&cx, ask).await.unwrap();
    Stand {
        cx,
        front,
        back,
        free,
        machine,
    }
}

/// Every operation that touches the infrastructure.
const OPERATIONS: [&str; 9] = [
    "network",
    "sap",
    "machine",
    "connect",
    "limit",
    "stop",
    "reboot",
    "end machine",
    "end sap",
];

async fn run(bench: &Bench, stand: &Stand, operation: &str) -> Result<(), manifold_call::CallError> {
    let cx = &key(&stand.cx, operation);
    let update = |id| UpdateNetworkResource {
        network_resource_id: id,
        bandwidth: None,
        connected_networks: None,
        metadata: None,
    };
    let operate = |what| OperateCompute {
        compute_id: stand.machine.compute_id,
        compute_operation: what,
    };
    let vim = bench.vim.as_ref();
    match operation {
        "network" => {
            let wished = VirtualNetworkData {
                gateway_reachable: true,
                connected_networks: vec![stand.front.network_resource_id],
                ..data("10.0.9.0/24")
            };
            bench.try_network(cx, "more", wished).await.map(drop)
        }
        "sap" => bench
            .try_port(cx, port_at(stand.front.network_resource_id, Some("client")))
            .await
            .map(drop),
        "machine" => {
            let mut ask = bench.machine(&stand.cx, "two", &[stand.back.network_resource_id]).await;
            ask.interface_data.push(VirtualInterfaceData {
                network_id: None,
                network_port_id: Some(stand.free.resource_id),
                ip_address: Vec::new(),
                mac_address: None,
            });
            bench.allocate(cx, ask).await.map(drop)
        }
        "connect" => {
            let connected = Some(vec![stand.back.network_resource_id]);
            let ask = UpdateNetworkResource {
                connected_networks: connected,
                ..update(stand.front.network_resource_id.0)
            };
            VirtualisedNetworks::update(vim, cx, ask).await.map(drop)
        }
        "limit" => {
            let ask = UpdateNetworkResource {
                bandwidth: Some(1_000),
                ..update(stand.front.network_resource_id.0)
            };
            VirtualisedNetworks::update(vim, cx, ask).await.map(drop)
        }
        "stop" => vim.operate(cx, operate(ComputeOperation::Stop)).await.map(drop),
        "reboot" => vim.operate(cx, operate(ComputeOperation::Reboot)).await.map(drop),
        "end machine" => bench.end_machines(cx, vec![stand.machine.compute_id]).await.map(drop),
        "end sap" => {
            let of_sap = key(&stand.cx, "sap");
            let port = bench
                .try_port(&of_sap, port_at(stand.front.network_resource_id, Some("client")))
                .await?;
            bench.end_networks(cx, vec![port.resource_id.0]).await.map(drop)
        }
        other => panic!("{other}"),
    }
}

fn makes(operation: &str) -> bool {
    !operation.starts_with("end")
}

#[tokio::test]
async fn an_operation_that_fails_leaves_everything_as_it_was() {
    for operation in OPERATIONS.into_iter().filter(|operation| makes(operation)) {
        for fault in [
            Fault::Refused,
            Fault::Lost,
            Fault::Kind(KindName::Segment),
            Fault::Kind(KindName::Port),
            Fault::Kind(KindName::Router),
            Fault::Kind(KindName::Machine),
        ] {
            let bench = Bench::new().await;
            let stand = stand(&bench).await;
            // Made beforehand, so that both snapshots have the flavour and the image.
            bench.machine(&stand.cx, "two", &[]).await;
            let before = bench.snapshot().await;
            bench.outside.fail_ensure([fault.clone()]);
            let outcome = run(&bench, &stand, operation).await;
            bench.outside.fail_ensure([]);
            if let Err(error) = outcome {
                assert_ne!(error.kind, ErrorKind::Busy, "{operation} {fault:?}: {error}");
                let after = bench.snapshot().await;
                assert_eq!(before, after, "{operation} {fault:?}");
                // And the same call again, now that nothing fails, is done.
                run(&bench, &stand, operation)
                    .await
                    .unwrap_or_else(|error| panic!("{operation} {fault:?}: {error}"));
            } else {
                assert!(
                    matches!(fault, Fault::Kind(_)),
                    "{operation} {fault:?} must have failed"
                );
            }
            bench.stop().await;
        }
    }
}

#[tokio::test]
async fn what_could_not_be_taken_back_at_once_is_taken_back_later() {
    for operation in ["network", "sap", "machine"] {
        let bench = Bench::new().await;
        let stand = stand(&bench).await;
        bench.machine(&stand.cx, "two", &[]).await;
        let before = bench.snapshot().await;
        bench.outside.fail_ensure([Fault::Lost]);
        bench.outside.fail_remove([Fault::Refused]);
        run(&bench, &stand, operation).await.unwrap_err();
        until("everything is as before", async || bench.snapshot().await == before).await;
        bench.stop().await;
    }
}

#[tokio::test]
async fn a_termination_that_fails_is_finished_later_and_holds_what_it_reserved() {
    for fault in [
        Fault::Refused,
        Fault::Kind(KindName::Machine),
        Fault::Kind(KindName::Port),
        Fault::Lost,
    ] {
        let bench = Bench::new().await;
        let stand = stand(&bench).await;
        let bare = bench.computes(&stand.cx).await.len();
        assert_eq!(bare, 1);
        bench.outside.fail_remove([fault.clone()]);
        run(&bench, &stand, "end machine").await.unwrap_err();
        until("nothing of it is left", async || {
            let there = bench.outside.there();
            !there.contains_key(&ObjectId(stand.machine.compute_id.0))
                && !there.contains_key(&ObjectId(stand.machine.virtual_network_interface[0].network_port_id.0))
                && bench
                    .documents()
                    .await
                    .values()
                    .all(|document| document["leaving"] == false)
        })
        .await;
        run(&bench, &stand, "end machine").await.unwrap();
        bench.stop().await;
    }
}

#[tokio::test]
async fn a_crash_between_commit_and_effect_is_made_good_at_the_next_start() {
    for operation in OPERATIONS.into_iter().filter(|operation| makes(operation)) {
        let bench = Bench::new().await;
        let stand = stand(&bench).await;
        bench.machine(&stand.cx, "two", &[]).await;
        let before = bench.snapshot().await;
        bench.outside.close_gate();
        {
            let cut = run(&bench, &stand, operation);
            tokio::pin!(cut);
            until("the intent is durable", async || {
                tokio::select! {
                    biased;
                    outcome = &mut cut => panic!("{operation} ended with the gate closed: {outcome:?}"),
                    () = tokio::task::yield_now() => bench.documents().await != before.0,
                }
            })
            .await;
        }
        assert_eq!(bench.outside.there(), before.1);
        let bench = bench.restart().await;
        let asked = bench.documents().await;
        // The repeated call finds its first result, waits until that is there, and makes nothing new.
        {
            let again = run(&bench, &stand, operation);
            tokio::pin!(again);
            for _ in 0..200 {
                tokio::select! {
                    biased;
                    outcome = &mut again => panic!("{operation} ended with the gate closed: {outcome:?}"),
                    () = tokio::task::yield_now() => {}
                }
            }
            bench.outside.open_gate();
            again.await.unwrap();
        }
        assert_ne!(bench.outside.there(), before.1, "{operation}");
        assert_eq!(bench.documents().await, asked, "{operation}");
        bench.stop().await;
    }
}

#[tokio::test]
async fn a_call_repeated_after_a_crash_fails_as_the_first_would_have() {
    let bench = Bench::new().await;
    let stand = stand(&bench).await;
    bench.machine(&stand.cx, "two", &[]).await;
    bench.outside.close_gate();
    let before = bench.documents().await;
    {
        let cut = run(&bench, &stand, "machine");
        tokio::pin!(cut);
        until("the intent is durable", async || {
            tokio::select! {
                biased;
                outcome = &mut cut => panic!("it ended with the gate closed: {outcome:?}"),
                () = tokio::task::yield_now() => bench.documents().await != before,
            }
        })
        .await;
    }
    let bench = bench.restart().await;
    // The start's own request, and the one that is made for the repeated call.
    bench
        .outside
        .fail_ensure([Fault::Kind(KindName::Machine), Fault::Kind(KindName::Machine)]);
    {
        let again = run(&bench, &stand, "machine");
        tokio::pin!(again);
        tokio::select! {
            biased;
            outcome = &mut again => panic!("it ended with the gate closed: {outcome:?}"),
            () = tokio::task::yield_now() => bench.outside.open_gate(),
        }
        let error = again.await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Exhausted, "{error}");
    }
    // It is still wished for, and tried again.
    run(&bench, &stand, "machine").await.unwrap();
    bench.stop().await;
}

#[tokio::test]
async fn a_machine_whose_start_a_crash_overtook_is_known_to_run() {
    let bench = Bench::new().await;
    let stand = stand(&bench).await;
    let id = stand.machine.compute_id;
    bench.outside.is_starting(ObjectId(id.0));
    let bench = bench.restart().await;
    until("it runs", async || {
        let machines = bench.computes(&stand.cx).await;
        machines
            .iter()
            .any(|machine| machine.compute_id == id && machine.running_state == RunningState::Running)
    })
    .await;
    bench.stop().await;
}

#[tokio::test]
async fn a_crash_while_something_leaves_is_made_good_at_the_next_start() {
    let bench = Bench::new().await;
    let stand = stand(&bench).await;
    bench
        .outside
        .fail_remove([Fault::Refused, Fault::Refused, Fault::Refused]);
    run(&bench, &stand, "end machine").await.unwrap_err();
    let bench = bench.restart().await;
    until("it has left", async || {
        bench
            .documents()
            .await
            .values()
            .all(|document| document["leaving"] == false)
            && bench.outside.of_kind(KindName::Machine).is_empty()
            && bench.outside.of_kind(KindName::Port).is_empty()
    })
    .await;
    assert!(bench.computes(&stand.cx).await.is_empty());
}

#[tokio::test]
async fn a_start_removes_what_nobody_wishes_and_touches_nobody_elses() {
    let bench = Bench::new().await;
    let stand = stand(&bench).await;
    let stray = |id: &str, manager: &str| Wish {
        id: node(id),
        owner: Owner {
            manager: manager.into(),
            tenant: None,
        },
        kind: WishKind::Switch(SwitchWish {
            node: node("host-a"),
            mtu_bytes: 1_500,
        }),
    };
    bench.outside.place(stray("ours", "vim/site-1"));
    bench.outside.place(stray("another's", "vim/site-2"));
    let bench = bench.restart().await;
    until("the stray object is gone", async || {
        !bench.outside.there().contains_key(&node("ours"))
    })
    .await;
    assert!(bench.outside.there().contains_key(&node("another's")));
    assert!(
        bench
            .outside
            .there()
            .contains_key(&ObjectId(stand.machine.compute_id.0))
    );
}

#[tokio::test]
async fn what_is_taken_away_by_hand_comes_back() {
    let bench = Bench::new().await;
    let stand = stand(&bench).await;
    run(&bench, &stand, "connect").await.unwrap();
    let whole = bench.outside.there();
    for id in whole.keys() {
        bench.outside.take_away(*id);
        until("it is back", async || bench.outside.there() == whole).await;
    }
}

#[tokio::test]
async fn a_bridge_that_is_made_again_has_its_ports_made_again() {
    let bench = Bench::new().await;
    let stand = stand(&bench).await;
    let port = ObjectId(stand.machine.virtual_network_interface[0].network_port_id.0);
    let WishKind::Port(wish) = &bench.outside.there()[&port].kind else {
        panic!()
    };
    let (segment, asked) = (wish.segment, bench.outside.asked_for(port));
    bench.outside.take_away(segment);
    until("the port is asked for again", async || {
        bench.outside.asked_for(port) > asked
    })
    .await;
    let machine = ObjectId(stand.machine.compute_id.0);
    assert_eq!(bench.outside.asked_for(machine), 1, "the machine is not touched");
}

#[tokio::test]
async fn a_crashed_machine_is_reported_and_left_to_its_manager() {
    let bench = Bench::new().await;
    let stand = stand(&bench).await;
    let mut events = bench.vim.subscribe();
    let machine = ObjectId(stand.machine.compute_id.0);
    bench.outside.crash(machine);
    let event = events.recv().await.unwrap();
    assert_eq!(
        (event.compute_id, event.running_state),
        (stand.machine.compute_id, RunningState::Crashed)
    );
    assert_eq!(
        (event.tenant, event.fault.as_deref()),
        (Some(stand.cx.tenant.clone()), Some("kernel panic"))
    );
    let seen = bench.computes(&stand.cx).await.remove(0);
    assert_eq!(
        (seen.running_state, seen.operational_state),
        (RunningState::Crashed, OperationalState::Disabled)
    );

    // Neither a pass over everything nor a restart starts it again.
    let other = bench.outside.there().into_keys().find(|id| *id != machine).unwrap();
    bench.outside.take_away(other);
    until("the pass is over", async || bench.outside.there().contains_key(&other)).await;
    let bench = bench.restart().await;
    until("the restarted VIM has looked", async || {
        bench.computes(&stand.cx).await[0].running_state != RunningState::Unknown
    })
    .await;
    bench.outside.take_away(other);
    until("what the restarted VIM mended is there", async || {
        bench.outside.there().contains_key(&other)
    })
    .await;
    assert!(matches!(
        bench.outside.machine(machine),
        Some(MachineState::Crashed { .. })
    ));
    assert_eq!(bench.computes(&stand.cx).await[0].running_state, RunningState::Crashed);

    let start = OperateCompute {
        compute_id: stand.machine.compute_id,
        compute_operation: ComputeOperation::Start,
    };
    let healed = bench.vim.operate(&stand.cx, start).await.unwrap();
    assert_eq!(
        (healed.running_state, healed.operational_state),
        (RunningState::Running, OperationalState::Enabled)
    );
}

#[tokio::test]
async fn after_a_reboot_everything_is_there_again_with_the_same_addresses() {
    let bench = Bench::new().await;
    let stand = stand(&bench).await;
    run(&bench, &stand, "connect").await.unwrap();
    let whole = bench.snapshot().await;
    bench.outside.reboot();
    until("everything is there again", async || bench.snapshot().await == whole).await;
    assert_eq!(bench.computes(&stand.cx).await[0].running_state, RunningState::Running);
}

#[tokio::test]
async fn calls_that_come_together_share_their_requests() {
    let bench = Bench::new().await;
    let cx = tenant("blue");
    let network = bench.network(&cx, "front", "10.0.0.0/16").await.network_resource_id;
    bench.try_port(&cx, port_at(network, Some("client"))).await.unwrap();
    let before = bench.outside.ensures();
    bench.outside.close_gate();
    let bench = std::sync::Arc::new(bench);
    let mut calls = tokio::task::JoinSet::new();
    for at in 0..100 {
        let (bench, cx) = (bench.clone(), key(&cx, &format!("port {at}")));
        calls.spawn(async move {
            bench
                .try_port(&cx, port_at(network, Some("client")))
                .await
                .unwrap()
                .ip_address[0]
        });
    }
    until("all are durable", async || {
        bench.networks(&cx).await.network_port_data.len() == 101
    })
    .await;
    bench.outside.open_gate();
    let addresses: std::collections::BTreeSet<_> = calls.join_all().await.into_iter().collect();
    assert_eq!(addresses.len(), 100, "no address twice");
    // The first one or few go alone, the rest together: planning is not held up by a request that is out.
    assert!(
        bench.outside.ensures() - before <= 3,
        "{} requests",
        bench.outside.ensures() - before
    );
}
