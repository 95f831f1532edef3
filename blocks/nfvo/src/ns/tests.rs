//! Network services over neighbours in memory.

mod adopt;
mod constituents;
mod dotted;
mod faults;
mod nested;
mod nested_links;
mod nested_packets;
mod nested_shapes;
mod nested_updates;
mod packet_scaling;
mod packet_updates;
mod paths;
mod places;
mod shapes;
mod single_updates;
mod updates;

use std::collections::BTreeSet;

use manifold_call::ErrorKind;
use manifold_lcm::State;
use manifold_nfvo_interface::{CancelNsOperation, NsLifecycleManagement, OnNs};
use manifold_sol::{
    CancelModeType, DegreeHealing, HealNsData, HealNsRequest, LcmOperationState, LocationConstraints, NsScaleType,
    NsState, ScaleByStepData, ScaleNsRequest, ScaleVnfData, ScaleVnfType, VnfLcmOperation, VnfLocationConstraint,
};
use manifold_vim_interface::RunningState;
use serde_json::json;

use crate::fakes::{DEMO, Site, TWO_SITE, World, cx, locked, two_site};

async fn demo_site(with_wim: bool) -> Site {
    let world = World::new(with_wim);
    world.onboard("a", &DEMO).await;
    world.site()
}

async fn completed(site: &Site, id: manifold_call::OccurrenceId) {
    let occurrence = site.settled(id).await;
    assert_eq!(occurrence.state, State::Completed, "{:?}", occurrence.error);
}

fn before(log: &[String], first: &str, then: &str) {
    let at = |what: &str| {
        log.iter()
            .position(|line| line.starts_with(what))
            .unwrap_or_else(|| panic!("no {what} in {log:#?}"))
    };
    assert!(at(first) < at(then), "{first} comes before {then}: {log:#?}");
}

/// The virtual machines' half of the use case: the networks of a VNF come before its instantiation, the service on the WAN after
/// the networks that it joins, the grant inside the instantiation.
// proves: UC54-6, UC54-7, UC54-11, UC54-SEG-N, UC54-END
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ns_over_two_sites_is_made_in_the_order_of_the_use_case_and_taken_away_whole() {
    let site = demo_site(true).await;
    let id = site.new_ns("a", TWO_SITE, "demo").await;
    let started = site.instantiate("a", id, two_site()).await.unwrap();
    completed(&site, started).await;
    let log = site.world.log.take();

    for (first, then) in [
        ("vim-1 allocate network demo.access", "vnfm instantiate demo-gateway"),
        ("vim-1 allocate network demo.transit", "vnfm instantiate demo-gateway"),
        ("vim-1 allocate network demo.field", "vnfm instantiate demo-gateway"),
        ("vim-2 allocate network demo.transit", "vnfm instantiate demo-service"),
        ("vim-1 allocate network demo.transit", "wim create demo.transit"),
        ("vim-2 allocate network demo.transit", "wim create demo.transit"),
        (
            "vim-1 allocate network demo.access",
            "vim-1 allocate port sap.client at client",
        ),
        (
            "vnfm instantiate demo-gateway",
            "vnfm asks for a grant for demo-gateway",
        ),
    ] {
        before(&log, first, then);
    }
    let networks = log.iter().filter(|line| line.contains("allocate network")).count();
    assert_eq!(
        networks, 4,
        "one for each site of each link, none for the physical function: {log:#?}"
    );

    let ns = site.show("a", id).await;
    assert_eq!(ns.ns_state, NsState::Instantiated);
    let transit = ns
        .virtual_link_info
        .iter()
        .find(|link| link.ns_virtual_link_desc_id == "transit")
        .unwrap();
    let vims: BTreeSet<_> = transit
        .resource_handle
        .iter()
        .map(|handle| handle.vim_id.as_deref().unwrap())
        .collect();
    assert_eq!(vims, BTreeSet::from(["vim-1", "vim-2"]), "one network for each site");
    assert_eq!(transit.link_port.len(), 2);
    assert!(
        transit
            .link_port
            .iter()
            .all(|port| port.ns_cp_handle.as_ref().unwrap().vnf_instance_id.is_some())
    );
    let access = ns
        .virtual_link_info
        .iter()
        .find(|link| link.ns_virtual_link_desc_id == "access")
        .unwrap();
    assert!(
        access
            .link_port
            .iter()
            .any(|port| port.ns_cp_handle.as_ref().unwrap().ns_sap_instance_id.is_some())
    );
    assert_eq!(ns.wan_connection_info.len(), 1);
    assert_eq!(ns.pnf_info[0].cp_info[0].cpd_id, "field");
    assert_eq!(ns.sap_info[0].sap_name, "client");
    {
        let services = locked(&site.world.wim.as_ref().unwrap().services);
        let (_, service) = services.values().next().unwrap();
        assert_eq!(
            (service.mtu_mscs, service.bandwidth),
            (1_400, Some(20_000_000)),
            "the smaller gateway's, the link's"
        );
        let held = locked(&site.world.vims[0].held);
        let (_, field, subnets) = held
            .networks
            .values()
            .find(|(_, network, _)| network.network_resource_name == "demo.field")
            .unwrap();
        assert_eq!(field.provider_network.as_deref(), Some("field"));
        let meter: std::net::IpAddr = "192.168.30.10".parse().unwrap();
        assert!(
            subnets[0]
                .address_pool
                .iter()
                .all(|pool| meter < pool.first || pool.last < meter),
            "the meter's address is taken"
        );
    }
    let topology = site.nfvo.topology(&cx("a"), id).await.unwrap();
    assert_eq!(topology.vnfs.iter().map(|vnf| vnf.vnfcs.len()).sum::<usize>(), 4);
    assert!(
        topology
            .vnfs
            .iter()
            .flat_map(|vnf| &vnf.vnfcs)
            .all(|vnfc| vnfc.state == "RUNNING")
    );

    let started = site.terminate("a", id).await.unwrap();
    completed(&site, started).await;
    let log = site.world.log.take();
    before(&log, "vnfm delete", "wim terminate");
    assert!(
        log.iter().rposition(|line| line.contains("terminate networks"))
            > log.iter().position(|line| line == "wim terminate")
    );
    assert!(site.world.is_empty(), "{:#}", site.world.snapshot().await);
    assert_eq!(site.show("a", id).await.ns_state, NsState::NotInstantiated);
    NsLifecycleManagement::delete(&*site.nfvo, &cx("a"), id).await.unwrap();
    assert_eq!(
        NsLifecycleManagement::find(&*site.nfvo, &cx("a"), id)
            .await
            .unwrap_err()
            .kind,
        ErrorKind::NotFound
    );
}

/// The two sites' parts of one subnet, and the addresses that nobody may give away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sites_of_a_link_share_its_subnets_and_no_address() {
    let site = demo_site(true).await;
    let id = site.new_ns("a", TWO_SITE, "demo").await;
    let started = site.instantiate("a", id, two_site()).await.unwrap();
    completed(&site, started).await;
    let pools: Vec<_> = site
        .world
        .vims
        .iter()
        .map(|vim| {
            let held = locked(&vim.held);
            let (_, _, subnets) = held
                .networks
                .values()
                .find(|(_, network, _)| network.network_resource_name == "demo.transit")
                .unwrap();
            assert_eq!(subnets.len(), 2, "IPv4 and IPv6");
            subnets
                .iter()
                .map(|subnet| subnet.address_pool.clone())
                .collect::<Vec<_>>()
        })
        .collect();
    for (one, other) in pools[0].iter().zip(&pools[1]) {
        for (a, b) in one.iter().flat_map(|a| other.iter().map(move |b| (a, b))) {
            assert!(a.last < b.first || b.last < a.first, "{a:?} and {b:?}");
        }
    }
}

// proves: NFV006-FW-14
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_wan_is_somebody_elses_no_call_is_made_to_a_wim() {
    let site = demo_site(false).await;
    let id = site.new_ns("a", TWO_SITE, "demo").await;
    let refused = site.instantiate("a", id, two_site()).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Invalid);
    assert!(
        refused.to_string().contains("additionalParamsForNs.wan.transit.mscsId"),
        "{refused}"
    );
    assert!(site.world.is_empty());

    // With a WIM at hand, too: what is named is used.
    for with_wim in [false, true] {
        let site = demo_site(with_wim).await;
        let id = site.new_ns("a", TWO_SITE, "demo").await;
        let mut request = two_site();
        request.additional_params_for_ns.insert(
            "wan".into(),
            json!({ "transit": { "mscsId": "leased-7", "vnSegmentIds": { "vim-1": 77 } } }),
        );
        let started = site.instantiate("a", id, request).await.unwrap();
        completed(&site, started).await;
        let ns = site.show("a", id).await;
        let mscs = ns.wan_connection_info[0]
            .protocol_info
            .as_ref()
            .unwrap()
            .mscs_info
            .as_ref()
            .unwrap();
        assert_eq!(mscs.mscs_id, "leased-7");
        assert!(
            locked(&site.world.vims[0].held)
                .networks
                .values()
                .any(|(_, network, _)| network.segmentation_id == Some(77))
        );
        let started = site.terminate("a", id).await.unwrap();
        completed(&site, started).await;
        assert!(!site.world.log.take().iter().any(|line| line.starts_with("wim")));
        assert!(site.world.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_of_a_request_is_told_at_once_and_nothing_is_made() {
    let world = World::new(true);
    world.onboard("a", &DEMO[1..]).await;
    let site = world.site();
    let id = site.new_ns("a", TWO_SITE, "demo").await;
    let mut request = two_site();
    request.ns_flavour_id = "other".into();
    request.add_pnf_data[0].pnf_name = "nobody".into();
    request.location_constraints = vec![VnfLocationConstraint {
        vnf_profile_id: "service".into(),
        location_constraints: Some(LocationConstraints {
            country_code: None,
            vim_id: Some("vim-9".into()),
        }),
    }];
    request.sap_data = vec![manifold_sol::SapData {
        sapd_id: "client".into(),
        sap_name: "nowhere".into(),
        ..Default::default()
    }];
    let refused = site.instantiate("a", id, request).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Invalid);
    for part in [
        "flavour",
        "0001, which is not on-boarded",
        "no provider network has a function nobody",
        "vim-9",
        "access point nowhere",
    ] {
        assert!(refused.detail.contains(part), "{part}: {}", refused.detail);
    }
    assert!(site.world.is_empty());
    assert_eq!(site.show("a", id).await.ns_state, NsState::NotInstantiated);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fits_nowhere_is_told_host_by_host() {
    let site = demo_site(true).await;
    *locked(&site.world.vims[1].host_size) = (8, 64);
    let id = site.new_ns("a", TWO_SITE, "demo").await;
    let refused = site.instantiate("a", id, two_site()).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Exhausted);
    assert!(
        refused.detail.contains("vim-2-host-a: 96 MiB needed, 64 left"),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_tenants_use_the_same_names_and_addresses_and_see_nothing_of_each_other() {
    let world = World::new(true);
    world.onboard("a", &DEMO).await;
    world.onboard("b", &DEMO).await;
    let site = world.site();
    let (of_a, of_b) = (
        site.new_ns("a", TWO_SITE, "demo").await,
        site.new_ns("b", TWO_SITE, "demo").await,
    );
    let started_a = site.instantiate("a", of_a, two_site()).await.unwrap();
    let started_b = site.instantiate("b", of_b, two_site()).await.unwrap();
    completed(&site, started_a).await;
    completed(&site, started_b).await;

    let b = cx("b");
    let foreign = |error: manifold_call::CallError| assert_eq!(error.kind, ErrorKind::NotFound, "{error}");
    foreign(NsLifecycleManagement::find(&*site.nfvo, &b, of_a).await.unwrap_err());
    foreign(site.terminate("b", of_a).await.unwrap_err());
    foreign(NsLifecycleManagement::delete(&*site.nfvo, &b, of_a).await.unwrap_err());
    foreign(site.nfvo.find_operation(&b, started_a).await.unwrap_err());
    foreign(site.nfvo.retry(&b, started_a).await.unwrap_err());
    foreign(site.nfvo.topology(&b, of_a).await.unwrap_err());
    assert_eq!(
        NsLifecycleManagement::query(&*site.nfvo, &b, ()).await.unwrap().len(),
        1
    );
    assert_eq!(site.nfvo.query_operations(&b, ()).await.unwrap().len(), 1);

    let started = site.terminate("b", of_b).await.unwrap();
    completed(&site, started).await;
    assert_eq!(site.show("a", of_a).await.vnf_instance.len(), 2);
    assert_eq!(
        locked(&site.world.vims[0].held).networks.len(),
        3,
        "the other tenant's are still there"
    );
}

/// One operation at a time; a failure holds the NS until somebody decides.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_vnf_holds_the_ns_with_its_reason_and_a_retry_goes_on() {
    let site = demo_site(true).await;
    let id = site.new_ns("a", TWO_SITE, "demo").await;
    *locked(&site.world.vnfm.fails) = Some(VnfLcmOperation::Instantiate);
    let started = site.instantiate("a", id, two_site()).await.unwrap();
    let held = site.settled(started).await;
    assert_eq!(held.state, State::FailedTemp);
    let shown = site.nfvo.find_operation(&cx("a"), started).await.unwrap();
    assert_eq!(shown.operation_state, LcmOperationState::FailedTemp);
    assert!(shown.error.unwrap().detail.contains("the fake was told to fail"));

    let busy = site.terminate("a", id).await.unwrap_err();
    assert_eq!(busy.kind, ErrorKind::Busy);
    assert!(busy.detail.contains(&started.to_string()), "it is named: {busy}");
    let busy = NsLifecycleManagement::delete(&*site.nfvo, &cx("a"), id)
        .await
        .unwrap_err();
    assert_eq!(busy.kind, ErrorKind::Busy);

    site.nfvo.retry(&cx("a"), started).await.unwrap();
    completed(&site, started).await;
    let log = site.world.log.take();
    assert_eq!(log.iter().filter(|line| *line == "vnfm retry").count(), 1);
    assert_eq!(
        log.iter().filter(|line| line.starts_with("vnfm instantiate")).count(),
        2,
        "none twice: {log:#?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_instantiation_rolls_back_to_nothing() {
    let site = demo_site(true).await;
    let id = site.new_ns("a", TWO_SITE, "demo").await;
    *locked(&site.world.vnfm.fails) = Some(VnfLcmOperation::Instantiate);
    let started = site.instantiate("a", id, two_site()).await.unwrap();
    assert_eq!(site.settled(started).await.state, State::FailedTemp);
    site.nfvo.rollback(&cx("a"), started).await.unwrap();
    assert_eq!(site.settled(started).await.state, State::RolledBack);
    assert!(site.world.is_empty(), "{:#}", site.world.snapshot().await);
    assert_eq!(site.show("a", id).await.ns_state, NsState::NotInstantiated);
    // And it can be done anew.
    let started = site.instantiate("a", id, two_site()).await.unwrap();
    completed(&site, started).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_given_up_is_found_and_taken_away_by_terminating() {
    let site = demo_site(true).await;
    let id = site.new_ns("a", TWO_SITE, "demo").await;
    *locked(&site.world.vnfm.fails) = Some(VnfLcmOperation::Instantiate);
    let started = site.instantiate("a", id, two_site()).await.unwrap();
    assert_eq!(site.settled(started).await.state, State::FailedTemp);
    site.nfvo.fail(&cx("a"), started).await.unwrap();
    assert_eq!(
        site.show("a", id).await.ns_state,
        NsState::Instantiated,
        "there is something to terminate"
    );
    let started = site.terminate("a", id).await.unwrap();
    completed(&site, started).await;
    assert!(site.world.is_empty(), "{:#}", site.world.snapshot().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_that_is_accepted_leaves_a_part_of_the_ns() {
    let site = demo_site(true).await;
    let id = site.new_ns("a", TWO_SITE, "demo").await;
    *locked(&site.world.vims[0].fails) = Some("allocate port".into());
    let started = site.instantiate("a", id, two_site()).await.unwrap();
    assert_eq!(site.settled(started).await.state, State::FailedTemp);
    site.nfvo.continue_operation(&cx("a"), started).await.unwrap();
    assert_eq!(site.settled(started).await.state, State::PartiallyCompleted);
    let ns = site.show("a", id).await;
    assert_eq!((ns.sap_info.len(), ns.vnf_instance.len()), (0, 2));
    let started = site.terminate("a", id).await.unwrap();
    completed(&site, started).await;
    assert!(site.world.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelling_by_force_also_cancels_what_runs_on_the_vnfs() {
    let site = demo_site(true).await;
    let id = site.new_ns("a", TWO_SITE, "demo").await;
    *locked(&site.world.vnfm.holds) = true;
    let started = site.instantiate("a", id, two_site()).await.unwrap();
    let both_run = async {
        loop {
            let running = site.nfvo.progress(&cx("a"), started).await.unwrap();
            if running.steps.iter().filter(|step| step.state == "WAITING").count() == 2 {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(crate::fakes::LIMIT, both_run).await.unwrap();
    site.nfvo
        .cancel(
            &cx("a"),
            CancelNsOperation {
                operation: started,
                mode: CancelModeType::Forceful,
            },
        )
        .await
        .unwrap();
    assert_eq!(site.settled(started).await.state, State::FailedTemp);
    assert_eq!(
        site.world
            .log
            .take()
            .iter()
            .filter(|line| *line == "vnfm cancel")
            .count(),
        2
    );
    *locked(&site.world.vnfm.holds) = false;
    site.nfvo.rollback(&cx("a"), started).await.unwrap();
    assert_eq!(site.settled(started).await.state, State::RolledBack);
    assert!(site.world.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_wish_again_is_the_same_operation() {
    let site = demo_site(true).await;
    let id = site.new_ns("a", TWO_SITE, "demo").await;
    let keyed = cx("a").with_key(manifold_call::Uuid::now_v7());
    let ask = || OnNs {
        ns_instance_id: id,
        request: two_site(),
    };
    let first = NsLifecycleManagement::instantiate(&*site.nfvo, &keyed, ask())
        .await
        .unwrap();
    completed(&site, first).await;
    assert_eq!(
        NsLifecycleManagement::instantiate(&*site.nfvo, &keyed, ask())
            .await
            .unwrap(),
        first
    );
    let other = site.instantiate("a", id, two_site()).await.unwrap_err();
    assert_eq!(other.kind, ErrorKind::Conflict, "{other}");
}

fn scale(vnf: &str, kind: ScaleVnfType, steps: u32) -> ScaleNsRequest {
    ScaleNsRequest {
        scale_type: NsScaleType::ScaleVnf,
        scale_vnf_data: vec![ScaleVnfData {
            vnf_instance_id: vnf.into(),
            scale_vnf_type: kind,
            scale_by_step_data: Some(ScaleByStepData {
                aspect_id: "workers".into(),
                number_of_steps: Some(steps),
                ..Default::default()
            }),
        }],
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn vnfs_are_scaled_and_healed_in_an_ns() {
    let site = demo_site(true).await;
    let id = site.new_ns("a", TWO_SITE, "demo").await;
    let started = site.instantiate("a", id, two_site()).await.unwrap();
    completed(&site, started).await;
    let gateway = site
        .show("a", id)
        .await
        .vnf_instance
        .into_iter()
        .find(|vnf| vnf.vnf_instance_name.as_deref() == Some("demo-gateway"))
        .unwrap()
        .id;
    let machines = || locked(&site.world.vims[0].held).machines.len();
    assert_eq!(machines(), 3);
    let run = async |request| {
        let ask = OnNs {
            ns_instance_id: id,
            request,
        };
        let started = NsLifecycleManagement::scale(&*site.nfvo, &cx("a"), ask).await.unwrap();
        completed(&site, started).await;
    };
    run(scale(&gateway, ScaleVnfType::ScaleOut, 1)).await;
    assert_eq!(machines(), 4);
    run(scale(&gateway, ScaleVnfType::ScaleIn, 1)).await;
    assert_eq!(machines(), 3);

    let heal = async || {
        let request = HealNsRequest {
            heal_ns_data: Some(HealNsData {
                degree_healing: DegreeHealing::HealRestore,
            }),
            ..Default::default()
        };
        let started = NsLifecycleManagement::heal(
            &*site.nfvo,
            &cx("a"),
            OnNs {
                ns_instance_id: id,
                request,
            },
        )
        .await
        .unwrap();
        completed(&site, started).await;
        site.world
            .log
            .take()
            .iter()
            .filter(|line| line.starts_with("vnfm heal"))
            .count()
    };
    assert_eq!(heal().await, 0, "nothing is unwell");
    locked(&site.world.vims[0].held)
        .machines
        .values_mut()
        .next()
        .unwrap()
        .1
        .running_state = RunningState::Crashed;
    assert_eq!(heal().await, 1, "one of the two VNFs is");
    assert!(
        locked(&site.world.vims[0].held)
            .machines
            .values()
            .all(|(_, machine)| machine.running_state == RunningState::Running)
    );

    let mut wrong = scale("nobody", ScaleVnfType::ScaleOut, 1);
    wrong.scale_vnf_data.push(ScaleVnfData {
        scale_by_step_data: None,
        ..scale(&gateway, ScaleVnfType::ScaleOut, 1).scale_vnf_data[0].clone()
    });
    let refused = NsLifecycleManagement::scale(
        &*site.nfvo,
        &cx("a"),
        OnNs {
            ns_instance_id: id,
            request: wrong,
        },
    )
    .await
    .unwrap_err();
    assert!(
        refused.detail.contains("has no VNF nobody") && refused.detail.contains("scaleByStepData is missing"),
        "{refused}"
    );
}
