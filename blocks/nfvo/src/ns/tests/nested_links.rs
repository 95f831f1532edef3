//! Links of nested services that an update joins or separates, and services that are taken in half.

use std::collections::BTreeSet;

use manifold_call::ErrorKind;
use manifold_descriptors::nsd::Nsd;
use manifold_nfvo_interface::{NsInstanceId, NsLifecycleManagement};
use manifold_sol::{
    ChangeExtVnfConnectivityData, ExtVirtualLinkData, InstantiateNsRequest, NestedNsInstanceData, UpdateNsRequest,
    UpdateType, VnfExtCpData,
};

use super::adopt::alone;
use super::completed;
use super::nested::{anyhow, at, link, nest, networks, nsd, pair, query, site_with, vnf};
use super::updates::{to_nsd, update, vnf_id};
use crate::fakes::{Site, cx, locked};

/// A pair and a machine, all at one site; the pair's left is connected to the machine's link, or to nothing.
fn beside(id: &str, ends: &[(&str, &str)]) -> Nsd {
    let mut nsd = nsd(id);
    link(&mut nsd, "x", "192.168.1.0/24");
    vnf(&mut nsd, "watch", "one", &[("x", "x")]);
    nest(&mut nsd, "inner", "pair", ends);
    at(&mut nsd, "watch", "vim-1");
    at(&mut nsd, "inner", "vim-1");
    nsd
}

fn names(site: &Site) -> BTreeSet<String> {
    networks(site).into_iter().map(|(_, name)| name).collect()
}

fn taking(ns: NsInstanceId, profile: &str) -> Vec<NestedNsInstanceData> {
    vec![NestedNsInstanceData {
        nested_ns_instance_id: ns.to_string(),
        ns_profile_id: profile.into(),
    }]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_that_a_version_joins_are_joined_also_when_it_was_associated_before() {
    let (apart, joined) = (beside("apart", &[]), beside("joined", &[("left", "x")]));
    let site = site_with(vec![pair(), apart, joined]).await;
    let id = site.new_ns("a", "apart", "ns").await;
    completed(&site, site.instantiate("a", id, anyhow()).await.unwrap()).await;
    let own = ["ns.inner_between", "ns.inner_east", "ns.inner_west", "ns.x"].map(str::to_owned);
    assert_eq!(names(&site), own.clone().into());
    for _ in 0..2 {
        completed(&site, update(&site, id, to_nsd("joined", false)).await.unwrap()).await;
        assert_eq!(
            names(&site),
            own.clone().into(),
            "nothing was asked for but the version"
        );
        site.world.log.take();
        completed(&site, update(&site, id, to_nsd("joined", true)).await.unwrap()).await;
        let log = site.world.log.take();
        assert!(
            log.iter().any(|line| line == "vnfm change_ext_conn ns-inner-a"),
            "{log:#?}"
        );
        let joined = ["ns.inner_between", "ns.inner_east", "ns.x"].map(str::to_owned);
        assert_eq!(names(&site), joined.into());
        // And apart again.
        completed(&site, update(&site, id, to_nsd("apart", true)).await.unwrap()).await;
        assert_eq!(names(&site), own.clone().into());
    }
    completed(&site, site.terminate("a", id).await.unwrap()).await;
    assert!(site.world.is_empty(), "{:#}", site.world.snapshot().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_on_the_network_of_a_service_that_was_taken_in_is_not_separated_without_a_word() {
    let (apart, joined) = (beside("apart", &[]), beside("joined", &[("left", "x")]));
    let site = site_with(vec![pair(), apart, joined]).await;
    let standing = site.new_ns("a", "pair", "pair").await;
    completed(&site, site.instantiate("a", standing, alone()).await.unwrap()).await;
    let id = site.new_ns("a", "joined", "ns").await;
    let request = InstantiateNsRequest {
        nested_ns_instance_data: taking(standing, "inner"),
        ..anyhow()
    };
    completed(&site, site.instantiate("a", id, request).await.unwrap()).await;
    let refused = update(&site, id, to_nsd("apart", true)).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Conflict, "{refused}");
    assert!(
        refused
            .detail
            .contains("no longer be connected to, and on it is ns-watch"),
        "{refused}"
    );
    completed(&site, site.terminate("a", id).await.unwrap()).await;
    completed(&site, site.terminate("a", standing).await.unwrap()).await;
    assert!(site.world.is_empty(), "{:#}", site.world.snapshot().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_service_is_not_taken_in_nor_is_one_in_the_place_of_a_deeper_one() {
    let mut outer = nsd("outer");
    nest(&mut outer, "half", "apart", &[]);
    let site = site_with(vec![pair(), beside("apart", &[]), outer]).await;
    let half = site.new_ns("a", "apart", "half").await;
    completed(&site, site.instantiate("a", half, anyhow()).await.unwrap()).await;
    let inner = query(&site).await["half-inner"].id.clone();
    let remove = UpdateNsRequest {
        update_type: UpdateType::RemoveNestedNs,
        remove_nested_ns_id: vec![inner],
        ..UpdateNsRequest::default()
    };
    completed(&site, update(&site, half, remove).await.unwrap()).await;
    let id = site.new_ns("a", "outer", "ns").await;
    let request = InstantiateNsRequest {
        nested_ns_instance_data: taking(half, "half"),
        ..anyhow()
    };
    let refused = site.instantiate("a", id, request).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Conflict, "{refused}");
    assert!(refused.detail.contains("half/inner is not there"), "{refused}");

    completed(&site, site.instantiate("a", id, anyhow()).await.unwrap()).await;
    let standing = site.new_ns("a", "pair", "pair").await;
    completed(&site, site.instantiate("a", standing, alone()).await.unwrap()).await;
    let deeper = UpdateNsRequest {
        update_type: UpdateType::AddNestedNs,
        add_nested_ns_data: taking(standing, "half/inner"),
        ..UpdateNsRequest::default()
    };
    let refused = update(&site, id, deeper).await.unwrap_err();
    assert!(refused.detail.contains("no nested NS profile half/inner"), "{refused}");
    for ns in [id, half, standing] {
        completed(&site, site.terminate("a", ns).await.unwrap()).await;
    }
    assert!(site.world.is_empty(), "{:#}", site.world.snapshot().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_is_let_go_is_free_of_the_rules_that_were_for_it() {
    let mut joined = beside("joined", &[("left", "x")]);
    joined.traffic_rules = super::nested_packets::with_packets().traffic_rules;
    joined.traffic_rules[0].targets = vec!["x".into()];
    let site = site_with(vec![pair(), joined]).await;
    let standing = site.new_ns("a", "pair", "pair").await;
    completed(&site, site.instantiate("a", standing, alone()).await.unwrap()).await;
    let id = site.new_ns("a", "joined", "ns").await;
    let request = InstantiateNsRequest {
        nested_ns_instance_data: taking(standing, "inner"),
        ..anyhow()
    };
    completed(&site, site.instantiate("a", id, request).await.unwrap()).await;
    let rules = || locked(&site.world.vims[0].held).rules.len();
    assert_eq!(rules(), 1);
    let watch = UpdateNsRequest {
        update_type: UpdateType::RemoveVnf,
        remove_vnf_instance_id: vec![vnf_id(&query(&site).await["ns"], "ns-watch")],
        ..UpdateNsRequest::default()
    };
    completed(&site, update(&site, id, watch).await.unwrap()).await;
    assert_eq!(rules(), 1, "it is for the link");
    let release = UpdateNsRequest {
        update_type: UpdateType::RemoveNestedNs,
        remove_nested_ns_id: vec![standing.to_string()],
        ..UpdateNsRequest::default()
    };
    completed(&site, update(&site, id, release).await.unwrap()).await;
    assert_eq!(rules(), 0);
    for ns in [id, standing] {
        completed(&site, site.terminate("a", ns).await.unwrap()).await;
    }
    assert!(site.world.is_empty(), "{:#}", site.world.snapshot().await);
}

/// Puts a connection point of a VNF of the nested pair on a link, by what the pair or the service calls that.
async fn connect(site: &Site, id: NsInstanceId, (vnf, cpd): (&str, &str), link: &str) {
    let topology = site.nfvo.topology(&cx("a"), id).await.unwrap();
    let mut links = topology.links.iter().chain(&topology.nested[0].links);
    let ext_virtual_links = vec![ExtVirtualLinkData {
        id: links.find(|known| known.name == link).unwrap().id.clone(),
        ext_cps: vec![VnfExtCpData {
            cpd_id: cpd.into(),
            ..VnfExtCpData::default()
        }],
        ..ExtVirtualLinkData::default()
    }];
    let request = UpdateNsRequest {
        update_type: UpdateType::ChangeExternalVnfConnectivity,
        change_ext_vnf_connectivity_data: vec![ChangeExtVnfConnectivityData {
            vnf_instance_id: vnf_id(&query(site).await["ns-inner"], vnf),
            ext_virtual_links,
            ..ChangeExtVnfConnectivityData::default()
        }],
        ..UpdateNsRequest::default()
    };
    completed(site, update(site, id, request).await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_for_a_sap_that_is_connected_is_for_whatever_is_behind_it() {
    let mut closed = pair();
    closed.traffic_rules = super::nested_packets::with_packets().traffic_rules;
    closed.traffic_rules[0].targets = vec!["left".into()];
    let site = site_with(vec![closed, beside("joined", &[("left", "x")])]).await;
    let id = site.new_ns("a", "joined", "ns").await;
    completed(&site, site.instantiate("a", id, anyhow()).await.unwrap()).await;
    let targets = || {
        let held = locked(&site.world.vims[0].held);
        held.rules
            .values()
            .map(|(_, rule)| rule.rule.targets.len())
            .collect::<Vec<_>>()
    };
    assert_eq!(targets(), [1], "the left machine's, and not what else is on the link");
    connect(&site, id, ("ns-inner-b", "y"), "x").await;
    assert_eq!(targets(), [2]);
    connect(&site, id, ("ns-inner-a", "x"), "east").await;
    assert_eq!(targets(), [1]);
    connect(&site, id, ("ns-inner-b", "y"), "east").await;
    assert_eq!(targets(), [0; 0], "nothing is behind it");
    connect(&site, id, ("ns-inner-a", "x"), "x").await;
    assert_eq!(targets(), [1]);
    completed(&site, site.terminate("a", id).await.unwrap()).await;
    assert!(site.world.is_empty(), "{:#}", site.world.snapshot().await);
}
