//! What the VIM offers, one thing at a time.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "outside/bench.rs"]
mod bench;
mod outside;

use bench::*;
use manifold_call::ErrorKind;
use manifold_nfvi_interface::*;
use manifold_vim_interface::*;
use std::collections::BTreeSet;

fn segments(bench: &Bench) -> Vec<SegmentWish> {
    let wishes = bench.outside.of_kind(KindName::Segment).into_iter();
    wishes
        .filter_map(|wish| match wish.kind {
            WishKind::Segment(segment) => Some(segment),
            _ => None,
        })
        .collect()
}

fn machines(bench: &Bench) -> Vec<MachineWish> {
    let wishes = bench.outside.of_kind(KindName::Machine).into_iter();
    wishes
        .filter_map(|wish| match wish.kind {
            WishKind::Machine(machine) => Some(*machine),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn a_network_is_where_its_machines_are_and_its_parts_know_each_other() {
    let bench = Bench::new().await;
    let cx = tenant("blue");
    let network = bench.network(&cx, "front", "10.0.0.0/24").await;
    assert_eq!(bench.outside.there().len(), 0, "a network without ports is nowhere");
    assert_eq!((network.network_type.as_str(), network.mtu), ("vxlan", 1_500));

    let mut first = bench.machine(&cx, "one", &[network.network_resource_id]).await;
    first.location_constraints = host("host-a");
    let one = bench.allocate(&cx, first).await.unwrap();
    assert_eq!(segments(&bench).len(), 1);
    let mut second = bench.machine(&cx, "two", &[network.network_resource_id]).await;
    second.location_constraints = host("host-b");
    let two = bench.allocate(&cx, second).await.unwrap();

    let segments = segments(&bench);
    assert_eq!(segments.len(), 2);
    for segment in &segments {
        let Some(Transport::Vxlan { vni, local, peers }) = &segment.transport else {
            panic!("{segment:?}")
        };
        assert_eq!(Some(*vni), network.segmentation_id);
        assert_eq!(peers.len(), 1);
        assert_ne!(peers[0], *local);
        let dhcp = segment.dhcp.as_ref().unwrap();
        assert_eq!(
            (dhcp.server.to_string().as_str(), dhcp.gateway),
            ("10.0.0.1", None),
            "no router, no default route"
        );
    }
    assert_eq!(
        one.virtual_network_interface[0].ip_address,
        ["10.0.0.2".parse::<std::net::IpAddr>().unwrap()]
    );
    assert_eq!(
        two.virtual_network_interface[0].ip_address,
        ["10.0.0.3".parse::<std::net::IpAddr>().unwrap()]
    );
    assert_eq!((two.host_id.as_str(), two.zone_id.as_str()), ("host-b", "zone-2"));
    assert_eq!(
        (two.running_state, two.operational_state),
        (RunningState::Running, OperationalState::Enabled)
    );
    let told = machines(&bench)
        .into_iter()
        .find(|machine| machine.name == "one")
        .unwrap();
    let no_cloud = told.no_cloud.unwrap();
    assert!(no_cloud.meta_data.contains("local-hostname: one"));
    assert!(no_cloud.network_config.contains("dhcp4: true"));
    assert!(
        no_cloud
            .network_config
            .contains(&one.virtual_network_interface[0].mac_address)
    );

    // The implicit port goes with the machine, and the network leaves the host.
    bench.end_machines(&cx, vec![two.compute_id]).await.unwrap();
    assert_eq!(bench.outside.of_kind(KindName::Segment).len(), 1);
    assert_eq!(bench.networks(&cx).await.network_port_data.len(), 1);
    bench.end_machines(&cx, vec![one.compute_id]).await.unwrap();
    assert!(bench.outside.there().is_empty());
}

#[tokio::test]
async fn a_network_that_reaches_the_gateway_is_on_it_under_the_agreed_name() {
    let bench = Bench::new().await;
    let cx = tenant("blue");
    let wished = VirtualNetworkData {
        gateway_reachable: true,
        ..data("10.0.0.0/24")
    };
    let network = bench.try_network(&cx, "wide", wished).await.unwrap();
    let agreed = gateway_segment(node("gateway"), network.segmentation_id.unwrap());
    let there = bench.outside.there();
    let WishKind::Segment(segment) = &there[&agreed].kind else {
        panic!("no segment")
    };
    assert_eq!(segment.dhcp, None, "hosts answer leases, the gateway does not");
    let Some(Transport::Vxlan { peers, .. }) = &segment.transport else {
        panic!("no tunnel")
    };
    assert!(peers.is_empty());
    let machine = bench.machine(&cx, "one", &[network.network_resource_id]).await;
    bench.allocate(&cx, machine).await.unwrap();
    let there = bench.outside.there();
    let WishKind::Segment(segment) = &there[&agreed].kind else {
        panic!("no segment")
    };
    let Some(Transport::Vxlan { peers, .. }) = &segment.transport else {
        panic!("no tunnel")
    };
    assert_eq!(peers.len(), 1, "the gateway learns of the host");
}

#[tokio::test]
async fn the_same_key_is_the_same_thing() {
    let bench = Bench::new().await;
    let cx = key(&tenant("blue"), "the network");
    let first = bench.network(&cx, "front", "10.0.0.0/24").await;
    let again = bench.network(&cx, "front", "10.0.0.0/24").await;
    assert_eq!(first.network_resource_id, again.network_resource_id);
    let ask = bench
        .machine(&tenant("blue"), "one", &[first.network_resource_id])
        .await;
    let cx = key(&tenant("blue"), "the machine");
    let (a, b) = tokio::join!(bench.allocate(&cx, ask.clone()), bench.allocate(&cx, ask.clone()));
    assert_eq!(a.unwrap().compute_id, b.unwrap().compute_id);
    assert_eq!(bench.computes(&cx).await.len(), 1);
    let other = bench.allocate(&key(&tenant("blue"), "another"), ask).await.unwrap();
    assert_eq!(bench.computes(&cx).await.len(), 2);
    let reboot = OperateCompute {
        compute_id: other.compute_id,
        compute_operation: ComputeOperation::Reboot,
    };
    let cx = key(&tenant("blue"), "reboot once");
    bench.vim.operate(&cx, reboot.clone()).await.unwrap();
    bench.vim.operate(&cx, reboot).await.unwrap();
    let WishKind::Machine(machine) = &bench.outside.there()[&ObjectId(other.compute_id.0)].kind else {
        panic!()
    };
    assert_eq!(machine.generation, 2, "a repeated reboot is one reboot");
}

#[tokio::test]
async fn tenants_use_the_same_addresses_and_see_only_their_own() {
    let bench = Bench::new().await;
    let (blue, red) = (tenant("blue"), tenant("red"));
    let of_blue = bench.network(&blue, "front", "10.0.0.0/24").await;
    let of_red = bench.network(&red, "front", "10.0.0.0/24").await;
    assert_ne!(of_blue.segmentation_id, of_red.segmentation_id);
    let machine = bench.machine(&red, "one", &[of_blue.network_resource_id]).await;
    let refused = bench.allocate(&red, machine).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::NotFound);
    assert_eq!(bench.networks(&red).await.network_data.len(), 1);
    // To terminate what is not there is success, and what is another's is not there.
    let gone = bench
        .end_networks(&red, vec![of_blue.network_resource_id.0])
        .await
        .unwrap();
    assert_eq!(gone, [of_blue.network_resource_id.0]);
    assert_eq!(bench.networks(&blue).await.network_data.len(), 1);

    let shared = VirtualNetworkData {
        is_shared: true,
        ..data("192.0.2.0/24")
    };
    let shared = bench.try_network(&blue, "common", shared).await.unwrap();
    let machine = bench.machine(&red, "two", &[shared.network_resource_id]).await;
    bench.allocate(&red, machine).await.unwrap();
    assert!(
        bench.networks(&blue).await.network_port_data.is_empty(),
        "another tenant's port is not listed"
    );
    let refused = bench
        .end_networks(&red, vec![shared.network_resource_id.0])
        .await
        .unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Forbidden);
}

// proves: Enh632.004, ifa043.func.003
#[tokio::test]
async fn a_vnic_on_a_provider_network_is_known_as_such() {
    let bench = Bench::new().await;
    let cx = tenant("blue");
    let wished = VirtualNetworkData {
        provider_network: Some("field".into()),
        ..data("198.51.100.0/24")
    };
    let field = bench.try_network(&cx, "meters", wished).await.unwrap();
    assert_eq!(
        (field.network_type.as_str(), field.provider_network.as_deref()),
        ("provider", Some("field"))
    );
    let plain = bench.network(&cx, "front", "10.0.0.0/24").await;
    let ask = bench
        .machine(&cx, "reader", &[field.network_resource_id, plain.network_resource_id])
        .await;
    let machine = bench.allocate(&cx, ask.clone()).await.unwrap();
    assert_eq!(machine.host_id, "host-a", "the one host that reaches the network");
    let providers: Vec<Option<&str>> = machine
        .virtual_network_interface
        .iter()
        .map(|interface| interface.provider_network.as_deref())
        .collect();
    assert_eq!(providers, [Some("field"), None]);
    let known = bench
        .vim
        .query_provider_networks(&cx, QueryFilter::default())
        .await
        .unwrap();
    assert_eq!(known[0].ports, [machine.virtual_network_interface[0].network_port_id]);
    assert_eq!(known[0].networks, [field.network_resource_id]);
    assert_eq!(known[0].functions[0].name, "meter");
    let provided = segments(&bench).iter().any(
        |segment| matches!(&segment.transport, Some(Transport::Provider { cable }) if *cable == node("cable field")),
    );
    assert!(provided);
    let pinned = AllocateCompute {
        location_constraints: host("host-b"),
        ..ask
    };
    let refused = bench.allocate(&cx, pinned).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Conflict);
    assert!(
        refused.detail.contains("host-b: does not reach provider network field"),
        "{refused}"
    );
    let missing = VirtualNetworkData {
        provider_network: Some("sea".into()),
        ..VirtualNetworkData::default()
    };
    let refused = bench.try_network(&cx, "none", missing).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "there is no provider network sea in site-1 (it has field)"
    );
}

#[tokio::test]
async fn connected_networks_are_routed_and_known_from_both_sides() {
    let bench = Bench::new().await;
    let cx = tenant("blue");
    let front = bench.network(&cx, "front", "10.0.0.0/24").await;
    let wished = VirtualNetworkData {
        connected_networks: vec![front.network_resource_id],
        ..data("10.0.1.0/24")
    };
    let back = bench.try_network(&cx, "back", wished).await.unwrap();
    assert_eq!(back.connected_networks, [front.network_resource_id]);
    let known = bench.networks(&cx).await;
    let front_now = known
        .network_data
        .iter()
        .find(|network| network.network_resource_name == "front")
        .unwrap();
    assert_eq!(front_now.connected_networks, [back.network_resource_id]);
    let [router] = &bench.outside.of_kind(KindName::Router)[..] else {
        panic!("one router")
    };
    let WishKind::Router(router) = &router.kind else {
        panic!()
    };
    let addresses: BTreeSet<String> = router
        .legs
        .iter()
        .flat_map(|leg| &leg.addresses)
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        addresses,
        BTreeSet::from(["10.0.0.1/24".to_owned(), "10.0.1.1/24".to_owned()])
    );
    assert!(
        segments(&bench)
            .iter()
            .all(|segment| segment.dhcp.as_ref().unwrap().gateway.is_some())
    );

    let wished = VirtualNetworkData {
        connected_networks: vec![front.network_resource_id],
        ..data("10.0.1.128/25")
    };
    let refused = bench.try_network(&cx, "clash", wished).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Conflict);
    assert!(
        refused.detail.contains("network back (10.0.1.0/24)") && refused.detail.contains("network clash"),
        "{refused}"
    );

    // Both ends are free again when the connection is taken back.
    let update = UpdateNetworkResource {
        network_resource_id: back.network_resource_id.0,
        bandwidth: None,
        connected_networks: Some(Vec::new()),
        metadata: None,
    };
    VirtualisedNetworks::update(bench.vim.as_ref(), &cx, update)
        .await
        .unwrap();
    assert!(bench.outside.there().is_empty());
}

#[tokio::test]
async fn a_router_never_joins_two_tenants_through_a_shared_network() {
    let bench = Bench::new().await;
    let (blue, red) = (tenant("blue"), tenant("red"));
    let wished = VirtualNetworkData {
        is_shared: true,
        ..data("192.0.2.0/24")
    };
    let shared = bench.try_network(&blue, "common", wished).await.unwrap();
    let to_shared = |cidr| VirtualNetworkData {
        connected_networks: vec![shared.network_resource_id],
        ..data(cidr)
    };
    bench
        .try_network(&blue, "mine", to_shared("10.0.0.0/24"))
        .await
        .unwrap();
    let refused = bench
        .try_network(&red, "theirs", to_shared("10.0.1.0/24"))
        .await
        .unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Conflict);
    assert!(
        !refused.detail.contains("mine"),
        "the refusal tells nothing of the other tenant: {refused}"
    );
}

#[tokio::test]
async fn placement_keeps_rules_and_says_why_nothing_fits() {
    let bench = Bench::new().await;
    let cx = tenant("blue");
    let ask = CreateAffinityGroup {
        group_name: "workers".into(),
        kind: AffinityKind::AntiAffinity,
        scope: AffinityScope::NfviNode,
    };
    let group = bench.vim.create_affinity_group(&cx, ask).await.unwrap();
    let apart = AffinityConstraint {
        kind: AffinityKind::AntiAffinity,
        scope: AffinityScope::NfviNode,
        affinity_or_anti_affinity_resource_list: Vec::new(),
        affinity_or_anti_affinity_resource_group_id: Some(group),
    };
    let mut ask = bench.machine(&cx, "worker", &[]).await;
    ask.affinity_or_anti_affinity_constraints = vec![apart];
    let first = bench.allocate(&cx, ask.clone()).await.unwrap();
    let second = bench.allocate(&cx, ask.clone()).await.unwrap();
    assert_ne!(first.host_id, second.host_id);
    let refused = bench.allocate(&cx, ask).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Conflict);
    assert!(refused.detail.contains("host-a: anti-affine with worker"), "{refused}");
    let refused = bench.vim.delete_affinity_groups(&cx, vec![group]).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Conflict);

    let mut large = bench.machine(&cx, "large", &[]).await;
    large.compute_flavour_id = bench.flavour(&cx, 480).await;
    let refused = bench.allocate(&cx, large).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Exhausted);
    assert_eq!(
        refused.detail,
        "no host can take machine large: host-a: 480 MiB needed, 416 left; host-b: 480 MiB needed, 416 left"
    );
    let capacity = bench
        .vim
        .query_compute_capacity(
            &cx,
            QueryFilter {
                filter: "(eq,hostId,host-a)".into(),
            },
        )
        .await;
    assert_eq!(
        capacity.unwrap()[0].allocated,
        Capacity {
            vcpus: 1,
            memory_mib: 96
        }
    );
}

#[tokio::test]
async fn what_is_in_use_stays_and_the_refusal_says_by_what() {
    let bench = Bench::new().await;
    let cx = tenant("blue");
    let network = bench.network(&cx, "front", "10.0.0.0/24").await;
    let port = bench
        .try_port(&cx, port_at(network.network_resource_id, None))
        .await
        .unwrap();
    assert!(bench.outside.there().is_empty(), "a port without a machine is nowhere");
    let mut ask = bench.machine(&cx, "one", &[]).await;
    let named = VirtualInterfaceData {
        network_id: None,
        network_port_id: Some(port.resource_id),
        ip_address: Vec::new(),
        mac_address: None,
    };
    ask.interface_data = vec![named];
    let machine = bench.allocate(&cx, ask.clone()).await.unwrap();
    let refused = bench.allocate(&cx, ask).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Conflict, "{refused}");
    for (id, user) in [
        (port.resource_id.0, machine.compute_id.0),
        (network.network_resource_id.0, port.resource_id.0),
    ] {
        let refused = bench.end_networks(&cx, vec![id]).await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Conflict);
        assert!(refused.detail.contains(&user.to_string()), "{refused}");
    }
    bench.end_machines(&cx, vec![machine.compute_id]).await.unwrap();
    let all: Vec<_> = [
        network.network_resource_id.0,
        network.subnet_id[0].0,
        port.resource_id.0,
    ]
    .into();
    assert_eq!(bench.end_networks(&cx, all.clone()).await.unwrap(), all);
    assert_eq!(bench.networks(&cx).await, NetworkResources::default());
}

#[tokio::test]
async fn addresses_are_checked_chosen_and_run_out() {
    let bench = Bench::new().await;
    let cx = tenant("blue");
    let network = bench.network(&cx, "tiny", "10.0.0.0/30").await;
    let id = network.network_resource_id;
    let taken = VirtualNetworkPortData {
        ip_address: vec!["10.0.0.1".parse().unwrap()],
        ..port_at(id, None)
    };
    assert_eq!(
        bench.try_port(&cx, taken).await.unwrap_err().kind,
        ErrorKind::Conflict,
        "the gateway's"
    );
    let outside = VirtualNetworkPortData {
        ip_address: vec!["10.0.0.3".parse().unwrap()],
        ..port_at(id, None)
    };
    assert_eq!(
        bench.try_port(&cx, outside).await.unwrap_err().kind,
        ErrorKind::Invalid,
        "the broadcast address"
    );
    bench.try_port(&cx, port_at(id, None)).await.unwrap();
    assert_eq!(
        bench.try_port(&cx, port_at(id, None)).await.unwrap_err().kind,
        ErrorKind::Exhausted
    );
    for cidr in ["10.0.0.1/24", "224.0.0.0/24", "10.0.0.0/32"] {
        let refused = bench.try_network(&cx, "bad", data(cidr)).await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Invalid, "{cidr}");
    }
}

#[tokio::test]
async fn a_sap_is_an_interface_in_its_access_point() {
    let bench = Bench::new().await;
    let cx = tenant("blue");
    let network = bench.network(&cx, "front", "10.0.0.0/24").await;
    let port = bench
        .try_port(&cx, port_at(network.network_resource_id, Some("client")))
        .await
        .unwrap();
    let there = bench.outside.there();
    let WishKind::Port(wish) = &there[&ObjectId(port.resource_id.0)].kind else {
        panic!()
    };
    let Plug::Node {
        node: at,
        interface,
        addresses,
        gateway,
    } = &wish.plug
    else {
        panic!("{wish:?}")
    };
    assert_eq!((*at, *gateway), (node("client"), None));
    assert!(interface.len() <= 15);
    assert_eq!(addresses[0].to_string(), "10.0.0.2/24");
    assert!(segments(&bench).iter().all(|segment| segment.node == node("host-b")));
    let refused = bench
        .try_port(&cx, port_at(network.network_resource_id, Some("door")))
        .await
        .unwrap_err();
    assert_eq!(
        refused.to_string(),
        "there is no access point door in site-1 (it has client)"
    );
}

#[tokio::test]
async fn user_data_reaches_the_machine_and_nothing_else() {
    let bench = Bench::new().await;
    let cx = tenant("blue");
    let secret = "the-password-is-swordfish";
    let mut ask = bench.machine(&cx, "one", &[]).await;
    ask.user_data = Some(UserData {
        content: secret.into(),
        method: UserDataMethod::NoCloud,
    });
    let machine = bench.allocate(&cx, ask).await.unwrap();
    assert_eq!(machines(&bench)[0].no_cloud.as_ref().unwrap().user_data, secret);
    assert!(
        !serde_json::to_string(&bench.documents().await)
            .unwrap()
            .contains("swordfish")
    );
    assert!(!format!("{machine:?} {:?}", bench.outside.there()).contains("swordfish"));
    let bench = bench.restart().await;
    until("the machine is wished again with its user data", async || {
        bench.outside.asked_for(ObjectId(machine.compute_id.0)) > 1
    })
    .await;
    assert_eq!(machines(&bench)[0].no_cloud.as_ref().unwrap().user_data, secret);
}

#[tokio::test]
async fn limits_mtu_and_queries() {
    let bench = Bench::new().await;
    let cx = tenant("blue");
    let wished = VirtualNetworkData {
        bandwidth: Some(10_000_000),
        mtu: Some(9_001),
        ..data("10.0.0.0/24")
    };
    let refused = bench.try_network(&cx, "large", wished.clone()).await.unwrap_err();
    assert!(refused.detail.contains("8950"), "{refused}");
    let network = bench
        .try_network(
            &cx,
            "large",
            VirtualNetworkData {
                mtu: Some(8_950),
                ..wished
            },
        )
        .await
        .unwrap();
    let port = bench
        .try_port(&cx, port_at(network.network_resource_id, Some("client")))
        .await
        .unwrap();
    let rate = |bench: &Bench| match &bench.outside.there()[&ObjectId(port.resource_id.0)].kind {
        WishKind::Port(port) => port.rate_bits_per_second,
        _ => None,
    };
    assert_eq!(rate(&bench), Some(10_000_000));
    let update = |id, bandwidth| UpdateNetworkResource {
        network_resource_id: id,
        bandwidth: Some(bandwidth),
        connected_networks: None,
        metadata: None,
    };
    VirtualisedNetworks::update(bench.vim.as_ref(), &cx, update(port.resource_id.0, 0))
        .await
        .unwrap();
    assert_eq!(rate(&bench), None);
    let filter = |text: &str| QueryFilter { filter: text.into() };
    let found = VirtualisedNetworks::query(bench.vim.as_ref(), &cx, filter("(eq,networkResourceName,large)")).await;
    assert_eq!(found.unwrap().network_data.len(), 1);
    let refused = VirtualisedNetworks::query(bench.vim.as_ref(), &cx, filter("(like,a,b)"))
        .await
        .unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Invalid);
}
