//! Updates of one part: VNFs, SAPs and connections that come and go one by one.

use super::completed;
use super::updates::{all_at_the_second_site, at_work, planned, to_version, update, vnf_id};
use crate::fakes::locked;
use manifold_call::ErrorKind;
use manifold_nfvo_interface::ConstituentKind;
use manifold_sol::{
    ChangeExtVnfConnectivityData, ExtVirtualLinkData, InstantiateVnfData, SapData, UpdateNsRequest, UpdateType,
    VnfExtCpData,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn vnfs_are_made_and_taken_away_one_by_one() {
    let (site, id) = at_work(|nsd| all_at_the_second_site(nsd, "service")).await;
    let started = update(&site, id, to_version(true)).await.unwrap();
    completed(&site, started).await;
    let was = site.world.snapshot().await;
    let data = |name: &str| InstantiateVnfData {
        vnf_profile_id: Some("service".to_owned()),
        vnf_instance_name: Some(name.to_owned()),
        ..InstantiateVnfData::default()
    };
    let request = UpdateNsRequest {
        update_type: UpdateType::InstantiateVnf,
        instantiate_vnf_data: vec![data("second"), data("third")],
        ..UpdateNsRequest::default()
    };
    let started = update(&site, id, request).await.unwrap();
    completed(&site, started).await;
    let ns = site.show("a", id).await;
    let (second, third) = (vnf_id(&ns, "second"), vnf_id(&ns, "third"));
    assert_eq!(ns.vnf_instance.len(), 4);
    let log = site.world.log.take();
    assert!(
        !log.iter().any(|line| line.contains("network") || line.contains("port")),
        "{log:#?}"
    );
    let request = UpdateNsRequest {
        update_type: UpdateType::RemoveVnf,
        remove_vnf_instance_id: vec![second, third],
        ..UpdateNsRequest::default()
    };
    let started = update(&site, id, request).await.unwrap();
    completed(&site, started).await;
    assert_eq!(site.world.snapshot().await, was);
    let request = UpdateNsRequest {
        update_type: UpdateType::RemoveVnf,
        remove_vnf_instance_id: vec!["nobody".to_owned()],
        ..UpdateNsRequest::default()
    };
    assert_eq!(update(&site, id, request).await.unwrap_err().kind, ErrorKind::NotFound);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn saps_come_and_go() {
    let (site, id) = at_work(|_| {}).await;
    let ns = site.show("a", id).await;
    let add = || UpdateNsRequest {
        update_type: UpdateType::AddSap,
        add_sap: vec![SapData {
            sapd_id: "client".to_owned(),
            sap_name: "client".to_owned(),
            ..SapData::default()
        }],
        ..UpdateNsRequest::default()
    };
    assert_eq!(
        update(&site, id, add()).await.unwrap_err().kind,
        ErrorKind::Conflict,
        "it is there"
    );
    let request = UpdateNsRequest {
        update_type: UpdateType::RemoveSap,
        remove_sap_id: vec![ns.sap_info[0].id.clone()],
        ..UpdateNsRequest::default()
    };
    let started = update(&site, id, request).await.unwrap();
    completed(&site, started).await;
    assert!(site.show("a", id).await.sap_info.is_empty());
    assert!(locked(&site.world.vims[0].held).ports.is_empty());
    let started = update(&site, id, add()).await.unwrap();
    completed(&site, started).await;
    assert_eq!(site.show("a", id).await.sap_info[0].sapd_id, "client");
    assert_eq!(locked(&site.world.vims[0].held).ports.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_point_moves_to_another_link_of_the_ns() {
    let (site, id) = at_work(|_| {}).await;
    let ns = site.show("a", id).await;
    let request = |link: &str, cpd: &str| UpdateNsRequest {
        update_type: UpdateType::ChangeExternalVnfConnectivity,
        change_ext_vnf_connectivity_data: vec![ChangeExtVnfConnectivityData {
            vnf_instance_id: vnf_id(&ns, "demo-gateway"),
            ext_virtual_links: vec![ExtVirtualLinkData {
                id: link.to_owned(),
                ext_cps: vec![VnfExtCpData {
                    cpd_id: cpd.to_owned(),
                    ..VnfExtCpData::default()
                }],
                ..ExtVirtualLinkData::default()
            }],
            ..ChangeExtVnfConnectivityData::default()
        }],
        ..UpdateNsRequest::default()
    };
    assert_eq!(
        update(&site, id, request("nowhere", "access")).await.unwrap_err().kind,
        ErrorKind::NotFound
    );
    assert_eq!(
        update(&site, id, request("transit", "uplink")).await.unwrap_err().kind,
        ErrorKind::Invalid
    );
    let plan = planned(&site, id, request("transit", "access")).await.unwrap();
    assert_eq!(plan.change.len(), 1);
    assert_eq!(plan.change[0].kind, ConstituentKind::Vnf);
    assert!(
        plan.change[0].detail.contains("access from access to transit"),
        "{plan:?}"
    );
    let started = update(&site, id, request("transit", "access")).await.unwrap();
    completed(&site, started).await;
    assert!(
        planned(&site, id, request("transit", "access"))
            .await
            .unwrap()
            .is_empty()
    );
    // The NSD says otherwise, and to follow it brings it back.
    let started = update(&site, id, to_version(true)).await.unwrap();
    completed(&site, started).await;
    let log = site.world.log.take();
    assert_eq!(
        log.iter()
            .filter(|line| *line == "vnfm change_ext_conn demo-gateway")
            .count(),
        2,
        "{log:#?}"
    );
}
