//! Services in services are updated as one: what they hold comes, stays and goes by one operation on the outermost.

use std::collections::{BTreeMap, BTreeSet};

use manifold_call::ErrorKind;
use manifold_descriptors::Descriptor;
use manifold_descriptors::nsd::Nsd;
use manifold_lcm::State;
use manifold_nfvo_interface::{NsInstanceId, NsLifecycleManagement, NsTopology, TopologyLink};
use manifold_sol::{NestedNsInstanceData, NsState, UpdateNsRequest, UpdateType, VnfLcmOperation};

use super::adopt::alone;
use super::nested::{anyhow, at, link, nest, networks, nsd, pair, plugged, query, row, sap, site_with, vnf};
use super::nested_packets::with_packets;
use super::updates::{V2, names, planned, to_nsd, update, vnf_id};
use super::{before, completed};
use crate::fakes::{Site, cx, locked};

/// The demo's next version in the service around it, and a pair beside.
pub(super) const MORE_AROUND: &str = "more-around";
/// The service around, with a street of its own and nothing inside.
pub(super) const NOTHING_INSIDE: &str = "nothing-inside";

/// What [`super::nested::around`] is updated to.
pub(super) fn next_around() -> Vec<Descriptor> {
    let mut more = nsd(MORE_AROUND);
    link(&mut more, "street", "192.168.10.0/24");
    nest(&mut more, "demo", V2, &[("client", "street")]);
    more.nested_ns_profiles[0].flavour_id = "default".into();
    nest(&mut more, "more", "pair", &[]);
    vnf(&mut more, "watch", "one", &[("x", "street")]);
    sap(&mut more, "client", "street");
    let mut nothing = nsd(NOTHING_INSIDE);
    link(&mut nothing, "road", "192.168.10.0/24");
    vnf(&mut nothing, "watch", "one", &[("x", "road")]);
    sap(&mut nothing, "client", "road");
    [pair(), more, nothing]
        .map(|nsd| Descriptor::Nsd(Box::new(nsd)))
        .to_vec()
}

/// Another version of a pair: its inner link is limited, and a third machine is on it.
fn other_pair() -> Nsd {
    let mut pair = with_packets();
    pair.descriptor_id = "pair-2".into();
    pair.virtual_links[0].max_bitrate.leaf_bits_per_second = Some(7_000_000);
    vnf(&mut pair, "c", "one", &[("x", "between")]);
    pair
}

/// Another version of a row: the first pair is of another version, the second one went, and a third stands in its place.
fn other_row() -> Nsd {
    let mut row = row();
    row.descriptor_id = "row-2".into();
    row.nested_ns_profiles[0].nsd_id = "pair-2".into();
    row.nested_ns_profiles.pop();
    nest(&mut row, "third", "pair", &[("left", "middle"), ("right", "wan")]);
    row
}

async fn at_work(more: Vec<Nsd>) -> (Site, NsInstanceId) {
    let site = site_with([vec![pair(), row()], more].concat()).await;
    let id = site.new_ns("a", "row", "row").await;
    completed(&site, site.instantiate("a", id, anyhow()).await.unwrap()).await;
    site.world.log.take();
    (site, id)
}

fn request(update_type: UpdateType) -> UpdateNsRequest {
    UpdateNsRequest {
        update_type,
        ..UpdateNsRequest::default()
    }
}

/// Names of links, by the NS that has them.
fn shape(topology: &NsTopology) -> BTreeMap<String, BTreeSet<String>> {
    let own = topology.links.iter().map(|link| link.name.clone()).collect();
    let mut all: BTreeMap<_, _> = [(topology.name.clone(), own)].into();
    all.extend(topology.nested.iter().flat_map(shape));
    all
}

fn links(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn id_of(links: &[TopologyLink], name: &str) -> String {
    links.iter().find(|link| link.name == name).unwrap().id.clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_version_adds_changes_and_takes_away_what_is_nested_and_touches_nothing_else() {
    let (site, id) = at_work(vec![other_pair(), other_row()]).await;
    let was = query(&site).await;
    let plugged_before = plugged(&site);

    let plan = planned(&site, id, to_nsd("row-2", true)).await.unwrap();
    assert!(site.world.log.take().is_empty(), "a plan makes nothing");
    let made = [
        "VL third/between",
        "VNF first/c-1",
        "VNF third/a-1",
        "VNF third/b-1",
        "NS third",
    ];
    let made = [&made[..], &["NFP first/through", "TRAFFIC_RULE first/closed"]].concat();
    assert_eq!(names(&plan.create), made);
    assert_eq!(names(&plan.change), ["NS row", "NS first", "VL first/between"]);
    assert_eq!(
        names(&plan.remove),
        ["NS second", "VNF second/a-1", "VNF second/b-1", "VL second/between"]
    );

    completed(&site, update(&site, id, to_nsd("row-2", true)).await.unwrap()).await;
    let log = site.world.log.take();
    before(&log, "vnfm instantiate row-third-a", "vnfm terminate row-second-a");
    assert!(!log.iter().any(|line| line.contains("row-first-a")), "{log:#?}");
    let names: Vec<String> = networks(&site).into_iter().map(|(_, name)| name).collect();
    let wished = [
        "row.first_between",
        "row.lan",
        "row.middle",
        "row.third_between",
        "row.wan",
    ];
    assert_eq!(names, wished);
    let on = plugged(&site);
    let at = |vnf: &str, cp: &str| on[&(vnf.to_owned(), cp.to_owned())].clone();
    assert_eq!(at("row-third-a", "x"), at("row-watch", "x"), "one net still");
    assert_eq!(at("row-first-c", "x"), at("row-first-a", "y"));
    assert_eq!(
        plugged_before[&("row-second-b".into(), "y".into())],
        at("row-third-b", "y")
    );

    let is = query(&site).await;
    assert_eq!(is.keys().collect::<Vec<_>>(), ["row", "row-first", "row-third"]);
    let (row, first, third) = (&is["row"], &is["row-first"], &is["row-third"]);
    assert_eq!((row.nsd_id.as_str(), first.nsd_id.as_str()), ("row-2", "pair-2"));
    assert_eq!(row.nested_ns_instance_id, [first.id.clone(), third.id.clone()]);
    assert_eq!(
        (&first.id, third.ns_state),
        (&was["row-first"].id, NsState::Instantiated)
    );
    assert_eq!(
        vnf_id(first, "row-first-a"),
        vnf_id(&was["row-first"], "row-first-a"),
        "what stays is the same"
    );
    assert_eq!((first.vnf_instance.len(), third.vnf_instance.len()), (3, 2));
    let topology = site.nfvo.topology(&cx("a"), id).await.unwrap();
    let inner = links(&["between", "east", "west"]);
    let all = [
        ("row", links(&["lan", "middle", "wan"])),
        ("row-first", inner.clone()),
        ("row-third", inner),
    ];
    assert_eq!(
        shape(&topology),
        all.map(|(name, links)| (name.to_owned(), links)).into()
    );

    // And back, with the names that links have by now.
    completed(&site, update(&site, id, to_nsd("row", true)).await.unwrap()).await;
    let is = query(&site).await;
    assert_eq!(is.keys().collect::<Vec<_>>(), ["row", "row-first", "row-second"]);
    assert_eq!(is["row-first"].nsd_id, "pair");
    completed(&site, site.terminate("a", id).await.unwrap()).await;
    assert!(site.world.is_empty(), "{:#}", site.world.snapshot().await);
    assert_eq!(query(&site).await.keys().collect::<Vec<_>>(), ["row"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_inner_link_that_is_joined_to_an_outer_one_becomes_that_one() {
    let mut joined = row();
    joined.descriptor_id = "row-2".into();
    joined.nested_ns_profiles[1].connectivity[1].virtual_link = "lan".into();
    joined.virtual_links.retain(|link| link.id != "wan");
    let (site, id) = at_work(vec![joined]).await;
    completed(&site, update(&site, id, to_nsd("row-2", true)).await.unwrap()).await;
    let names: BTreeSet<String> = networks(&site).into_iter().map(|(_, name)| name).collect();
    assert_eq!(
        names,
        links(&["row.first_between", "row.lan", "row.middle", "row.second_between"])
    );
    let topology = site.nfvo.topology(&cx("a"), id).await.unwrap();
    assert_eq!(shape(&topology)["row"], links(&["lan", "middle"]));
    let (lan, second) = (&topology.links, &topology.nested[1].links);
    assert_eq!(id_of(lan, "lan"), id_of(second, "east"));
    completed(&site, site.terminate("a", id).await.unwrap()).await;
    assert!(site.world.is_empty(), "{:#}", site.world.snapshot().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vnf_of_a_nested_service_and_a_nested_service_are_taken_away_by_themselves() {
    let (site, id) = at_work(vec![]).await;
    let was = query(&site).await;
    let remove = UpdateNsRequest {
        remove_vnf_instance_id: vec![vnf_id(&was["row-first"], "row-first-a")],
        ..request(UpdateType::RemoveVnf)
    };
    completed(&site, update(&site, id, remove).await.unwrap()).await;
    let is = query(&site).await;
    assert_eq!(
        (is["row"].vnf_instance.len(), is["row-first"].vnf_instance.len()),
        (1, 1)
    );

    let second = |id: &str| UpdateNsRequest {
        remove_nested_ns_id: vec![id.to_owned()],
        ..request(UpdateType::RemoveNestedNs)
    };
    let refused = planned(&site, id, second("nobody")).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::NotFound);
    assert!(refused.detail.contains("second"), "{refused}");
    let ask = second(&was["row-second"].id);
    let plan = planned(&site, id, ask.clone()).await.unwrap();
    assert_eq!(
        names(&plan.remove),
        ["NS second", "VNF second/a-1", "VNF second/b-1", "VL second/between"]
    );
    completed(&site, update(&site, id, ask).await.unwrap()).await;
    let is = query(&site).await;
    assert_eq!(is.keys().collect::<Vec<_>>(), ["row", "row-first"]);
    let left: BTreeSet<String> = networks(&site).into_iter().map(|(_, name)| name).collect();
    assert_eq!(left, links(&["row.first_between", "row.lan", "row.middle", "row.wan"]));

    // A nested one is changed through the one that holds it.
    let inner: NsInstanceId = is["row-first"].id.parse().unwrap();
    let refused = planned(&site, inner, request(UpdateType::RemoveVnf)).await.unwrap_err();
    assert!(refused.detail.contains(&id.to_string()), "{refused}");
    assert!(update(&site, inner, request(UpdateType::RemoveVnf)).await.is_err());
    completed(&site, site.terminate("a", id).await.unwrap()).await;
    assert!(site.world.is_empty(), "{:#}", site.world.snapshot().await);
}

/// A pair on a link that nothing else is on, and a machine beside it.
fn shell(id: &str, watch: &str) -> Nsd {
    let mut shell = nsd(id);
    link(&mut shell, "lan", "192.168.1.0/24");
    link(&mut shell, "beside", "192.168.2.0/24");
    vnf(&mut shell, "watch", "one", &[("x", watch)]);
    at(&mut shell, "watch", "vim-1");
    nest(&mut shell, "inner", "pair", &[("left", "lan")]);
    shell
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_there_is_taken_in_and_let_go_while_the_other_one_runs() {
    let site = site_with(vec![pair(), shell("shell", "beside"), shell("shell-2", "lan")]).await;
    let standing = site.new_ns("a", "pair", "pair").await;
    completed(&site, site.instantiate("a", standing, alone()).await.unwrap()).await;
    let before = networks(&site);
    let id = site.new_ns("a", "shell", "shell").await;
    completed(&site, site.instantiate("a", id, anyhow()).await.unwrap()).await;
    let take = UpdateNsRequest {
        add_nested_ns_data: vec![NestedNsInstanceData {
            nested_ns_instance_id: standing.to_string(),
            ns_profile_id: "inner".into(),
        }],
        ..request(UpdateType::AddNestedNs)
    };
    let refused = update(&site, id, take.clone()).await.unwrap_err();
    assert!(refused.detail.contains("REMOVE_NESTED_NS") || refused.to_string().contains("REMOVE_NESTED_NS"));
    let remove = |inner: &str| UpdateNsRequest {
        remove_nested_ns_id: vec![inner.to_owned()],
        ..request(UpdateType::RemoveNestedNs)
    };
    let inner = query(&site).await["shell-inner"].id.clone();
    completed(&site, update(&site, id, remove(&inner)).await.unwrap()).await;
    let mut alone = networks(&site);

    let plan = planned(&site, id, take.clone()).await.unwrap();
    assert_eq!(names(&plan.create), ["NS inner"]);
    assert_eq!(
        names(&plan.remove),
        ["VL lan"],
        "nothing is on it, and it is the other one's from now on"
    );
    alone.retain(|(_, name)| name != "shell.lan");
    completed(&site, update(&site, id, take.clone()).await.unwrap()).await;
    assert_eq!(networks(&site), alone, "it keeps what it has");
    let is = query(&site).await;
    assert_eq!(is["shell"].nested_ns_instance_id, [standing.to_string()]);
    let refused = site.terminate("a", standing).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Conflict);

    // The machine goes over to the network of the one that was taken in.
    completed(&site, update(&site, id, to_nsd("shell-2", true)).await.unwrap()).await;
    let log = site.world.log.take();
    assert!(
        log.iter().any(|line| line == "vnfm change_ext_conn shell-watch"),
        "{log:#?}"
    );
    let topology = site.nfvo.topology(&cx("a"), id).await.unwrap();
    assert_eq!(shape(&topology)["shell"], links(&["beside", "lan"]));
    let inner = &topology.nested[0].links;
    assert_eq!(id_of(&topology.links, "lan"), id_of(inner, "west"));
    let refused = update(&site, id, remove(&standing.to_string())).await.unwrap_err();
    assert!(refused.detail.contains("on it is shell-watch"), "{refused}");

    completed(&site, update(&site, id, to_nsd("shell", true)).await.unwrap()).await;
    completed(&site, update(&site, id, remove(&standing.to_string())).await.unwrap()).await;
    assert_eq!(query(&site).await["pair"].ns_state, NsState::Instantiated);
    completed(&site, site.terminate("a", id).await.unwrap()).await;
    assert_eq!(networks(&site), before);
    completed(&site, site.terminate("a", standing).await.unwrap()).await;
    assert!(site.world.is_empty(), "{:#}", site.world.snapshot().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_nested_service_cannot_become_is_refused_with_the_reason() {
    let mut stranger = pair();
    stranger.descriptor_id = "stranger".into();
    stranger.invariant_id = "of its own".into();
    let mut with_stranger = row();
    with_stranger.descriptor_id = "row-2".into();
    with_stranger.nested_ns_profiles[0].nsd_id = "stranger".into();
    let (site, id) = at_work(vec![stranger, with_stranger]).await;
    let refused = planned(&site, id, to_nsd("row-2", true)).await.unwrap_err();
    assert!(refused.detail.contains("which is no version of that"), "{refused}");
    for (kind, says) in [
        (UpdateType::AddNestedNs, "addNestedNsData"),
        (UpdateType::RemoveNestedNs, "removeNestedNsId"),
    ] {
        let refused = planned(&site, id, request(kind)).await.unwrap_err();
        assert!(refused.detail.contains(says), "{refused}");
    }
    let started = NsLifecycleManagement::query_operations(&*site.nfvo, &cx("a"), ())
        .await
        .unwrap();
    assert_eq!(started.len(), 1, "the instantiation alone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_nsd_no_longer_says_stays_until_somebody_asks_for_it() {
    let mut pair_2 = pair();
    pair_2.descriptor_id = "pair-2".into();
    let (site, id) = at_work(vec![pair_2, other_row()]).await;
    let all: Vec<String> = networks(&site).into_iter().map(|(_, name)| name).collect();
    completed(&site, update(&site, id, to_nsd("row-2", false)).await.unwrap()).await;
    // The version nests no second one: it stays, whatever else is asked for.
    let is = site.show("a", id).await;
    let client = UpdateNsRequest {
        remove_sap_id: vec![is.sap_info[0].id.clone()],
        ..request(UpdateType::RemoveSap)
    };
    let plan = planned(&site, id, client.clone()).await.unwrap();
    assert_eq!(
        (names(&plan.create).len(), names(&plan.remove)),
        (0, vec!["SAP client".to_owned()])
    );
    completed(&site, update(&site, id, client).await.unwrap()).await;
    let is = query(&site).await;
    assert_eq!(is.keys().collect::<Vec<_>>(), ["row", "row-first", "row-second"]);
    let topology = site.nfvo.topology(&cx("a"), id).await.unwrap();
    let inner = links(&["between", "east", "west"]);
    assert_eq!(
        (&shape(&topology)["row-first"], &shape(&topology)["row-second"]),
        (&inner, &inner)
    );
    assert_eq!(
        networks(&site).into_iter().map(|(_, name)| name).collect::<Vec<_>>(),
        all
    );

    // Asked for, the first one follows its other version, although the service has followed its own for long.
    completed(&site, update(&site, id, to_nsd("row-2", true)).await.unwrap()).await;
    let is = query(&site).await;
    assert_eq!(is.keys().collect::<Vec<_>>(), ["row", "row-first", "row-third"]);
    assert_eq!(is["row-first"].nsd_id, "pair-2");
    completed(&site, site.terminate("a", id).await.unwrap()).await;
    assert!(site.world.is_empty(), "{:#}", site.world.snapshot().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_go_with_the_service_that_has_them_and_what_is_in_use_holds_its_link() {
    let mut closing = with_packets();
    closing.traffic_rules[0].targets = vec!["east".into()];
    closing.vnffgs.clear();
    let site = site_with(vec![closing, row()]).await;
    let id = site.new_ns("a", "row", "row").await;
    completed(&site, site.instantiate("a", id, anyhow()).await.unwrap()).await;
    let rules = || {
        let held = locked(&site.world.vims[0].held);
        let mut names: Vec<String> = held.rules.values().map(|(_, rule)| rule.rule.name.clone()).collect();
        names.sort();
        names
    };
    assert_eq!(rules(), ["first_closed", "second_closed"]);
    let is = query(&site).await;
    let take = UpdateNsRequest {
        remove_nested_ns_id: vec![is["row-first"].id.clone()],
        ..request(UpdateType::RemoveNestedNs)
    };
    completed(&site, update(&site, id, take).await.unwrap()).await;
    assert_eq!(
        rules(),
        ["second_closed"],
        "its link is the service's and stays, its rule does not"
    );

    // The machine of the service itself goes over to a link of the one that is to be taken out.
    let watch = vnf_id(&is["row"], "row-watch");
    let topology = site.nfvo.topology(&cx("a"), id).await.unwrap();
    let between = id_of(&topology.nested[0].links, "between");
    let to = manifold_sol::ExtVirtualLinkData {
        id: between,
        ext_cps: vec![manifold_sol::VnfExtCpData {
            cpd_id: "x".into(),
            ..Default::default()
        }],
        ..Default::default()
    };
    let connect = UpdateNsRequest {
        change_ext_vnf_connectivity_data: vec![manifold_sol::ChangeExtVnfConnectivityData {
            vnf_instance_id: watch,
            ext_virtual_links: vec![to],
            ..Default::default()
        }],
        ..request(UpdateType::ChangeExternalVnfConnectivity)
    };
    completed(&site, update(&site, id, connect).await.unwrap()).await;
    let take = UpdateNsRequest {
        remove_nested_ns_id: vec![is["row-second"].id.clone()],
        ..request(UpdateType::RemoveNestedNs)
    };
    let refused = update(&site, id, take).await.unwrap_err();
    assert!(
        refused
            .detail
            .contains("link second/between would go, and on it is row-watch"),
        "{refused}"
    );
    completed(&site, site.terminate("a", id).await.unwrap()).await;
    assert!(site.world.is_empty(), "{:#}", site.world.snapshot().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nested_service_of_which_something_could_not_be_taken_away_is_still_known() {
    let (site, id) = at_work(vec![]).await;
    let second = query(&site).await["row-second"].id.clone();
    *locked(&site.world.vnfm.fails) = Some(VnfLcmOperation::Terminate);
    let take = UpdateNsRequest {
        remove_nested_ns_id: vec![second.clone()],
        ..request(UpdateType::RemoveNestedNs)
    };
    let started = update(&site, id, take.clone()).await.unwrap();
    assert_eq!(site.settled(started).await.state, State::FailedTemp);
    site.nfvo.fail(&cx("a"), started).await.unwrap();
    let is = query(&site).await;
    assert!(!is["row-second"].vnf_instance.is_empty(), "{:?}", is["row-second"]);
    *locked(&site.world.vnfm.fails) = None;
    completed(&site, update(&site, id, take).await.unwrap()).await;
    assert_eq!(query(&site).await.keys().collect::<Vec<_>>(), ["row", "row-first"]);
    completed(&site, site.terminate("a", id).await.unwrap()).await;
    assert!(site.world.is_empty(), "{:#}", site.world.snapshot().await);
}
