//! Services that are there and are taken into another one.

use std::collections::BTreeSet;

use manifold_call::ErrorKind;
use manifold_lcm::State;
use manifold_nfvo_interface::{NsInstanceId, NsLifecycleManagement};
use manifold_sol::{InstantiateNsRequest, NestedNsInstanceData, SapData, VnfLcmOperation};

use super::completed;
use super::nested::{anyhow, networks, pair, place, plugged, row, site_with};
use crate::fakes::{Site, cx, locked};

/// `pair` is there already; `row` takes it in as its first.
async fn adopted(site: &Site) -> (NsInstanceId, InstantiateNsRequest) {
    let pair = site.new_ns("a", "pair", "pair").await;
    let started = site.instantiate("a", pair, alone()).await.unwrap();
    completed(site, started).await;
    let request = InstantiateNsRequest {
        nested_ns_instance_data: vec![NestedNsInstanceData {
            nested_ns_instance_id: pair.to_string(),
            ns_profile_id: "first".into(),
        }],
        ..anyhow()
    };
    (pair, request)
}

/// A pair by itself, all of it at the site of the client's access point.
pub(super) fn alone() -> InstantiateNsRequest {
    let sap = |sapd: &str| SapData {
        sapd_id: sapd.into(),
        sap_name: "client".into(),
        ..SapData::default()
    };
    InstantiateNsRequest {
        location_constraints: ["a", "b"].map(|profile| place(profile, "vim-1")).to_vec(),
        sap_data: ["left", "right"].map(sap).to_vec(),
        ..anyhow()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_there_is_taken_in_with_its_networks_and_stays() {
    let site = site_with(vec![pair(), row()]).await;
    let (pair, request) = adopted(&site).await;
    let before = networks(&site);
    let id = site.new_ns("a", "row", "row").await;
    let started = site.instantiate("a", id, request.clone()).await.unwrap();
    completed(&site, started).await;
    let made: BTreeSet<String> = networks(&site)
        .difference(&before)
        .map(|(_, name)| name.clone())
        .collect();
    assert_eq!(
        made,
        ["row.second_between", "row.wan"].map(str::to_owned).into(),
        "not lan and middle: these are there"
    );
    let on = plugged(&site);
    let at = |vnf: &str, cp: &str| on[&(vnf.to_owned(), cp.to_owned())].clone();
    assert_eq!(at("row-watch", "x"), at("pair-b", "y"));
    assert_eq!(at("row-second-a", "x"), at("pair-b", "y"));
    assert_eq!(site.show("a", id).await.nested_ns_instance_id.len(), 2);

    let refused = site.terminate("a", pair).await.unwrap_err();
    assert!(refused.detail.contains(&id.to_string()), "{refused}");
    let other = site.new_ns("a", "row", "other").await;
    let refused = site.instantiate("a", other, request).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Conflict, "one holds it: {refused}");

    let started = site.terminate("a", id).await.unwrap();
    completed(&site, started).await;
    assert_eq!(networks(&site), before);
    assert_eq!(site.show("a", pair).await.vnf_instance.len(), 2);
    let started = site.terminate("a", pair).await.unwrap();
    completed(&site, started).await;
    assert!(site.world.is_empty(), "{:#}", site.world.snapshot().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_taken_in_is_refused_with_the_reason_and_what_fails_lets_go() {
    let site = site_with(vec![pair(), row()]).await;
    let (pair, request) = adopted(&site).await;
    let id = site.new_ns("a", "row", "row").await;
    let with = |change: &dyn Fn(&mut InstantiateNsRequest)| {
        let mut request = request.clone();
        change(&mut request);
        request
    };
    let second = NestedNsInstanceData {
        nested_ns_instance_id: id.to_string(),
        ns_profile_id: "second".into(),
    };
    for (request, says) in [
        (
            with(&|request| request.nested_ns_instance_data[0].ns_profile_id = "third".into()),
            "no nested NS profile third",
        ),
        (
            with(&|request| request.nested_ns_instance_data.push(second.clone())),
            "NOT_INSTANTIATED",
        ),
        (
            with(&|request| {
                request
                    .nested_ns_instance_data
                    .push(request.nested_ns_instance_data[0].clone())
            }),
            "twice",
        ),
        (
            with(&|request| request.location_constraints.push(place("watch", "vim-2"))),
            "must be at vim-2",
        ),
    ] {
        let refused = site.instantiate("a", id, request).await.unwrap_err();
        assert!(refused.detail.contains(says), "{says}: {refused}");
    }
    // Two that are there, which the new one would join.
    let twin = site.new_ns("a", "pair", "twin").await;
    let started = site.instantiate("a", twin, alone()).await.unwrap();
    completed(&site, started).await;
    let both = with(&|request| {
        request.nested_ns_instance_data.push(NestedNsInstanceData {
            nested_ns_instance_id: twin.to_string(),
            ns_profile_id: "second".into(),
        });
    });
    let refused = site.instantiate("a", id, both).await.unwrap_err();
    assert!(refused.detail.contains("networks of their own already"), "{refused}");

    let before = networks(&site);
    *locked(&site.world.vnfm.fails) = Some(VnfLcmOperation::Instantiate);
    let started = site.instantiate("a", id, request).await.unwrap();
    assert_eq!(site.settled(started).await.state, State::FailedTemp);
    let held = site.terminate("a", pair).await.unwrap_err();
    assert_eq!(held.kind, ErrorKind::Conflict, "{held}");
    site.nfvo.rollback(&cx("a"), started).await.unwrap();
    assert_eq!(site.settled(started).await.state, State::RolledBack);
    assert_eq!(networks(&site), before);
    let started = site.terminate("a", pair).await.unwrap();
    completed(&site, started).await;
}
