//! Network services that are made what a new version of their NSD says, and other updates.

use manifold_call::{CallError, ErrorKind, OccurrenceId, Outcome};
use manifold_descriptors::nsd::{self, CpConnectivity, LocationConstraint, Nsd};
use manifold_descriptors::{Descriptor, Vnfd};
use manifold_lcm::State;
use manifold_nfvo_interface::{Changes, NsInstanceId, NsLifecycleManagement, OnNs};
use manifold_sol::{
    AssocNewNsdVersionData, ChangeType, NsInstance, NsLcmOperation, UpdateNsRequest, UpdateType, VnfLcmOperation,
};
use manifold_store::{Batch, Query};

use super::{before, completed, demo_site};
use crate::fakes::{DEMO, Site, TWO_SITE, cx, locked, two_site};
use crate::record::{self, VNF, VnfRecord};

/// The descriptor of the second version.
pub(super) const V2: &str = "6d1b0c52-8f4e-4a2b-9a61-3c1f6f2a0020";

/// Another version of the demo's NSD.
pub(super) fn version(change: impl FnOnce(&mut Nsd)) -> Descriptor {
    let Some(Descriptor::Nsd(nsd)) = DEMO.last() else {
        panic!("the demo's last descriptor is its NSD")
    };
    let mut nsd = nsd.clone();
    nsd.descriptor_id = V2.to_owned();
    nsd.version = "2.0".to_owned();
    change(&mut nsd);
    Descriptor::Nsd(nsd)
}

/// Everything at once: clients move to another link with their SAP, the service is another one, the link between the sites has
/// another limit for its ports, and there is a second service.
pub(super) fn everything(nsd: &mut Nsd) {
    let mut lobby = nsd.virtual_link("access").unwrap().clone();
    lobby.id = "lobby".to_owned();
    lobby.l3[0].cidr = "192.168.40.0/24".parse().unwrap();
    nsd.virtual_links.retain(|link| link.id != "access");
    nsd.virtual_links.push(lobby);
    nsd.saps[0].virtual_link = Some("lobby".to_owned());
    let gateway = nsd
        .vnf_profiles
        .iter_mut()
        .find(|profile| profile.id == "gateway")
        .unwrap();
    for connection in &mut gateway.connectivity {
        if connection.virtual_link == "access" {
            connection.virtual_link = "lobby".to_owned();
        }
    }
    let service = nsd
        .vnf_profiles
        .iter_mut()
        .find(|profile| profile.id == "service")
        .unwrap();
    service.id = "server".to_owned();
    (service.min_number_of_instances, service.max_number_of_instances) = (2, 2);
    all_at_the_second_site(nsd, "server");
    let transit = nsd.virtual_links.iter_mut().find(|link| link.id == "transit").unwrap();
    transit.max_bitrate.leaf_bits_per_second = Some(5_000_000);
}

/// Several VNFs of a profile are not to be at a site each.
pub(super) fn all_at_the_second_site(nsd: &mut Nsd, profile: &str) {
    nsd.affinity_rules.clear();
    nsd.location_constraints.push(LocationConstraint {
        profile: profile.to_owned(),
        nfvi_pop: Some("vim-2".to_owned()),
        zone: None,
    });
}

pub(super) fn to_version(sync: bool) -> UpdateNsRequest {
    to_nsd(V2, sync)
}

pub(super) fn to_nsd(nsd_id: &str, sync: bool) -> UpdateNsRequest {
    UpdateNsRequest {
        update_type: UpdateType::AssocNewNsdVersion,
        assoc_new_nsd_version_data: Some(AssocNewNsdVersionData {
            new_nsd_id: nsd_id.to_owned(),
            sync: Some(sync),
        }),
        ..UpdateNsRequest::default()
    }
}

pub(super) async fn update(site: &Site, id: NsInstanceId, request: UpdateNsRequest) -> Outcome<OccurrenceId> {
    let ask = OnNs {
        ns_instance_id: id,
        request,
    };
    NsLifecycleManagement::update(&*site.nfvo, &cx("a"), ask).await
}

pub(super) async fn planned(site: &Site, id: NsInstanceId, request: UpdateNsRequest) -> Outcome<Changes> {
    let ask = OnNs {
        ns_instance_id: id,
        request,
    };
    site.nfvo.plan_update(&cx("a"), ask).await
}

/// The demo at work, and a second version of its NSD on-boarded.
pub(super) async fn at_work(change: impl FnOnce(&mut Nsd)) -> (Site, NsInstanceId) {
    let site = demo_site(true).await;
    site.world.onboard("a", &[version(change)]).await;
    let id = site.new_ns("a", TWO_SITE, "demo").await;
    let started = site.instantiate("a", id, two_site()).await.unwrap();
    completed(&site, started).await;
    site.world.log.take();
    (site, id)
}

pub(super) fn names(changes: &[manifold_nfvo_interface::ConstituentChange]) -> Vec<String> {
    changes
        .iter()
        .map(|one| format!("{} {}", one.kind.as_wire(), one.name))
        .collect()
}

pub(super) fn vnf_id(ns: &NsInstance, name: &str) -> String {
    let found = ns
        .vnf_instance
        .iter()
        .find(|vnf| vnf.vnf_instance_name.as_deref() == Some(name));
    found.unwrap_or_else(|| panic!("no {name}")).id.clone()
}

fn connection(nsd: &mut Nsd, profile: &str, cpd: &str, link: &str) {
    let profile = nsd.vnf_profiles.iter_mut().find(|known| known.id == profile).unwrap();
    profile.connectivity.retain(|connection| connection.cpd != cpd);
    profile.connectivity.push(CpConnectivity {
        cpd: cpd.to_owned(),
        virtual_link: link.to_owned(),
        place: None,
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_version_is_made_so_in_one_operation_and_what_stays_is_not_touched() {
    let (site, id) = at_work(everything).await;
    let was = site.show("a", id).await;
    let machines: Vec<_> = locked(&site.world.vims[0].held).machines.keys().copied().collect();

    let plan = planned(&site, id, to_version(true)).await.unwrap();
    assert!(site.world.log.take().is_empty(), "a plan makes nothing");
    assert_eq!(
        names(&plan.create),
        ["VL lobby", "SAP client", "VNF server-1", "VNF server-2"]
    );
    assert_eq!(
        names(&plan.change),
        ["NS demo", "VL transit", "VL transit", "VNF gateway-1"]
    );
    assert_eq!(names(&plan.remove), ["VNF service-1", "SAP client", "VL access"]);

    let started = update(&site, id, to_version(true)).await.unwrap();
    completed(&site, started).await;
    let log = site.world.log.take();
    for (first, then) in [
        ("vim-1 allocate network demo.lobby", "vnfm change_ext_conn demo-gateway"),
        ("vim-1 allocate network demo.lobby", "vim-1 allocate port sap.client"),
        ("vnfm instantiate demo-server-1", "vnfm change_ext_conn demo-gateway"),
        ("vnfm instantiate demo-server-2", "vim-2 update network to 5000000"),
        ("vnfm change_ext_conn demo-gateway", "vnfm terminate demo-service"),
    ] {
        before(&log, first, then);
    }
    assert_eq!(
        log.last().unwrap(),
        "vim-1 terminate networks and ports",
        "the old link goes last"
    );
    assert!(
        !log.iter()
            .any(|line| line.contains("demo.transit") || line.starts_with("wim")),
        "{log:#?}"
    );

    let is = site.show("a", id).await;
    assert_eq!(is.nsd_id, V2);
    assert_eq!(vnf_id(&is, "demo-gateway"), vnf_id(&was, "demo-gateway"));
    let links: Vec<&str> = is
        .virtual_link_info
        .iter()
        .map(|link| link.ns_virtual_link_desc_id.as_str())
        .collect();
    assert_eq!(links, ["transit", "field", "lobby"]);
    assert_eq!(
        is.virtual_link_info[0].resource_handle,
        was.virtual_link_info
            .iter()
            .find(|link| link.ns_virtual_link_desc_id == "transit")
            .unwrap()
            .resource_handle
    );
    assert_eq!(is.sap_info.len(), 1);
    assert_ne!(is.sap_info[0].id, was.sap_info[0].id);
    assert_eq!(is.wan_connection_info, was.wan_connection_info);
    assert_eq!(is.pnf_info, was.pnf_info);
    let lobby = is.virtual_link_info.last().unwrap();
    assert!(
        lobby
            .link_port
            .iter()
            .any(|port| port.ns_cp_handle.as_ref().unwrap().vnf_ext_cp_instance_id.as_deref() == Some("access")),
        "the gateway is on it: {lobby:#?}"
    );
    assert_eq!(
        locked(&site.world.vims[0].held)
            .machines
            .keys()
            .copied()
            .collect::<Vec<_>>(),
        machines
    );

    let told = site.nfvo.find_operation(&cx("a"), started).await.unwrap();
    assert_eq!(told.lcm_operation_type, NsLcmOperation::Update);
    let changes = told.resource_changes.unwrap();
    let of = |kind| {
        changes
            .affected_vnfs
            .iter()
            .filter(|vnf| vnf.change_type == kind)
            .count()
    };
    assert_eq!(
        (of(ChangeType::Added), of(ChangeType::Modified), of(ChangeType::Removed)),
        (2, 1, 1)
    );
    assert_eq!(changes.affected_vls.len(), 3);

    // Now it is what the version says, and the same again does nothing.
    assert!(planned(&site, id, to_version(true)).await.unwrap().is_empty());
    let started = update(&site, id, to_version(true)).await.unwrap();
    completed(&site, started).await;
    assert!(site.world.log.take().is_empty());
    let started = site.terminate("a", id).await.unwrap();
    completed(&site, started).await;
    assert!(site.world.is_empty(), "{:#}", site.world.snapshot().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_and_back_again_is_where_it_was() {
    let (site, id) = at_work(everything).await;
    let vims = |site: &Site| {
        let of = |vim: &crate::fakes::Vim| {
            let held = locked(&vim.held);
            (held.networks.len(), held.ports.len(), held.machines.len())
        };
        site.world.vims.iter().map(|vim| of(vim)).collect::<Vec<_>>()
    };
    let was = vims(&site);
    let started = update(&site, id, to_version(true)).await.unwrap();
    completed(&site, started).await;
    let mut back = to_version(true);
    back.assoc_new_nsd_version_data.as_mut().unwrap().new_nsd_id = TWO_SITE.to_owned();
    let started = update(&site, id, back).await.unwrap();
    completed(&site, started).await;
    assert_eq!(vims(&site), was);
    assert_eq!(site.show("a", id).await.nsd_id, TWO_SITE);
}

/// Whatever fails before the first removal, the NS is as it was: its old descriptor, its old constituents.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_before_the_first_removal_is_rolled_back_by_itself() {
    for fails in [VnfLcmOperation::Instantiate, VnfLcmOperation::ChangeExtConn] {
        let (site, id) = at_work(everything).await;
        let was = site.world.snapshot().await;
        *locked(&site.world.vnfm.fails) = Some(fails);
        let started = update(&site, id, to_version(true)).await.unwrap();
        let ended = site.settled(started).await;
        assert_eq!(ended.state, State::RolledBack, "{fails:?} {:?}", ended.error);
        assert_eq!(site.world.snapshot().await, was, "{fails:?}");
        let shown = site.nfvo.find_operation(&cx("a"), started).await.unwrap();
        assert!(shown.error.unwrap().detail.contains("the fake was told to fail"));
        // And it can be done anew.
        let started = update(&site, id, to_version(true)).await.unwrap();
        completed(&site, started).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_after_it_is_not_rolled_back_and_a_retry_goes_on() {
    let (site, id) = at_work(everything).await;
    *locked(&site.world.vnfm.fails) = Some(VnfLcmOperation::Terminate);
    let started = update(&site, id, to_version(true)).await.unwrap();
    let held = site.settled(started).await;
    assert_eq!(held.state, State::FailedTemp);
    let refused = site.nfvo.rollback(&cx("a"), started).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Conflict);
    assert!(refused.detail.contains("point of no return"), "{refused}");
    site.nfvo.retry(&cx("a"), started).await.unwrap();
    completed(&site, started).await;
    assert!(planned(&site, id, to_version(true)).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn given_up_it_can_be_terminated_whole() {
    let (site, id) = at_work(everything).await;
    *locked(&site.world.vnfm.fails) = Some(VnfLcmOperation::Terminate);
    let started = update(&site, id, to_version(true)).await.unwrap();
    assert_eq!(site.settled(started).await.state, State::FailedTemp);
    site.nfvo.fail(&cx("a"), started).await.unwrap();
    let ns = site.show("a", id).await;
    assert_eq!(ns.nsd_id, V2, "everything is there that the new version says");
    assert_eq!(ns.vnf_instance.len(), 4, "and what it does not say, still");
    // Of a VNF whose making was not noted any more, it is known where it belonged.
    let stray = VnfRecord {
        id: "stray".to_owned(),
        ns: id.to_string(),
        ..VnfRecord::default()
    };
    let put = stray.put(&cx("a").tenant).unwrap();
    site.world.store.commit(Batch::new().write(put)).await.unwrap();
    let started = site.terminate("a", id).await.unwrap();
    completed(&site, started).await;
    assert!(site.world.is_empty(), "{:#}", site.world.snapshot().await);
    let places = record::list::<VnfRecord>(&*site.world.store, VNF, Query::all()).await;
    assert!(places.unwrap().is_empty(), "they would hold their packages");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_synchronisation_only_the_descriptor_changes() {
    let (site, id) = at_work(everything).await;
    let started = update(&site, id, to_version(false)).await.unwrap();
    completed(&site, started).await;
    assert!(site.world.log.take().is_empty());
    let ns = site.show("a", id).await;
    assert_eq!((ns.nsd_id.as_str(), ns.vnf_instance.len()), (V2, 2));
    // What lacks is still known.
    let plan = planned(&site, id, to_version(true)).await.unwrap();
    assert_eq!(names(&plan.remove), ["VNF service-1", "SAP client", "VL access"]);
    let started = update(&site, id, to_version(true)).await.unwrap();
    completed(&site, started).await;
    assert!(planned(&site, id, to_version(true)).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_grow_and_shrink_by_the_newest() {
    let (site, id) = at_work(|nsd| {
        let service = nsd
            .vnf_profiles
            .iter_mut()
            .find(|profile| profile.id == "service")
            .unwrap();
        (service.min_number_of_instances, service.max_number_of_instances) = (3, 3);
        all_at_the_second_site(nsd, "service");
    })
    .await;
    let was = site.show("a", id).await;
    let started = update(&site, id, to_version(true)).await.unwrap();
    completed(&site, started).await;
    let is = site.show("a", id).await;
    assert_eq!(is.vnf_instance.len(), 4);
    assert_eq!(vnf_id(&is, "demo-service"), vnf_id(&was, "demo-service"));
    let mut back = to_version(true);
    back.assoc_new_nsd_version_data.as_mut().unwrap().new_nsd_id = TWO_SITE.to_owned();
    let plan = planned(&site, id, back.clone()).await.unwrap();
    assert_eq!(names(&plan.remove), ["VNF service-2", "VNF service-3"]);
    let started = update(&site, id, back).await.unwrap();
    completed(&site, started).await;
    assert_eq!(
        vnf_id(&site.show("a", id).await, "demo-service"),
        vnf_id(&was, "demo-service")
    );
}

/// Another VNFD in a profile is another VNF: the new one comes before the old one goes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vnf_of_another_descriptor_is_replaced() {
    let site = demo_site(true).await;
    let Some(Descriptor::Vnfd(service)) = DEMO.get(1) else {
        panic!("the second is the service")
    };
    let other = Vnfd {
        descriptor_id: "another-service".to_owned(),
        ..(**service).clone()
    };
    let nsd = version(|nsd| {
        let service = nsd
            .vnf_profiles
            .iter_mut()
            .find(|profile| profile.id == "service")
            .unwrap();
        service.vnfd_id = "another-service".to_owned();
    });
    site.world.onboard("a", &[Descriptor::Vnfd(other.into()), nsd]).await;
    let id = site.new_ns("a", TWO_SITE, "demo").await;
    let started = site.instantiate("a", id, two_site()).await.unwrap();
    completed(&site, started).await;
    let plan = planned(&site, id, to_version(true)).await.unwrap();
    assert_eq!(
        (names(&plan.create), names(&plan.remove)),
        (vec!["VNF service-2".to_owned()], vec!["VNF service-1".to_owned()])
    );
    let started = update(&site, id, to_version(true)).await.unwrap();
    completed(&site, started).await;
    let log = site.world.log.take();
    before(&log, "vnfm instantiate demo-service-2", "vnfm terminate demo-service");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_change_while_it_is_there_is_refused_with_all_that_is_wrong() {
    let (site, id) = at_work(|nsd| {
        for link in &mut nsd.virtual_links {
            link.l3[0].cidr = "10.7.0.0/16".parse().unwrap();
        }
        let transit = nsd.virtual_links.iter_mut().find(|link| link.id == "transit").unwrap();
        transit.max_bitrate.root_bits_per_second = Some(1_000_000);
        connection(nsd, "service", "transit", "access");
    })
    .await;
    let refused = update(&site, id, to_version(true)).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Unsupported);
    for part in [
        "link access changes its subnets",
        "link transit changes its subnets, the bandwidth of its service on the WAN",
        "link access is at vim-1, and would have to reach vim-2",
    ] {
        assert!(refused.detail.contains(part), "{part}: {refused}");
    }
    let refused = planned(&site, id, to_version(true)).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Unsupported, "the plan says the same");
    assert!(site.world.log.take().is_empty());

    for (change, part) in [
        (
            (|nsd: &mut Nsd| nsd.invariant_id = "another".to_owned()) as fn(&mut Nsd),
            "is no version of",
        ),
        (
            |nsd| nsd.nested_ns_profiles.push(Default::default()),
            "which is not known",
        ),
        (
            |nsd| {
                let mut graph = nsd::Vnffg::default();
                graph.paths.push(nsd::Nfp {
                    elements: vec![super::paths::element("meter", None, None)],
                    ..nsd::Nfp::default()
                });
                nsd.vnffgs.push(graph);
            },
            "goes through meter",
        ),
        (
            |nsd| {
                let gateway = nsd
                    .vnf_profiles
                    .iter_mut()
                    .find(|profile| profile.id == "gateway")
                    .unwrap();
                gateway.connectivity.retain(|connection| connection.cpd != "access");
            },
            "has access on link access, and it would be on none",
        ),
        (
            |nsd| nsd.vnf_profiles[0].instantiation_level = None,
            "another instantiation level",
        ),
        (
            |nsd| nsd.vnf_profiles[0].vnfd_id = "nowhere".to_owned(),
            "VNFD nowhere, which is not on-boarded",
        ),
    ] {
        let (site, id) = at_work(change).await;
        let refused = update(&site, id, to_version(true)).await.unwrap_err();
        assert!(refused.to_string().contains(part), "{part}: {refused}");
        assert!(site.world.log.take().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_update_types_are_refused_and_those_that_are_offered_are_named() {
    let (site, id) = at_work(|_| {}).await;
    for update_type in [UpdateType::AddVnf, UpdateType::OperateVnf, UpdateType::MoveVnf] {
        let request = UpdateNsRequest {
            update_type,
            ..UpdateNsRequest::default()
        };
        let refused: CallError = update(&site, id, request).await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Unsupported);
        assert!(refused.cure.unwrap().contains("INSTANTIATE_VNF"));
    }
    let new = site.new_ns("a", TWO_SITE, "other").await;
    assert_eq!(
        update(&site, new, to_version(true)).await.unwrap_err().kind,
        ErrorKind::Conflict
    );
    assert_eq!(
        planned(&site, new, to_version(true)).await.unwrap_err().kind,
        ErrorKind::Conflict
    );
}
