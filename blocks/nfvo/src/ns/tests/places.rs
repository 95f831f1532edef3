//! Where VNFs go when nobody says where.

use std::collections::BTreeMap;

use manifold_call::ErrorKind;
use manifold_descriptors::Descriptor;
use manifold_descriptors::csar::{Limits, read_package};
use manifold_lcm::State;
use manifold_sol::{InstantiateNsRequest, LocationConstraints, VnfLocationConstraint};

use crate::fakes::{DEMO, Site, TWO_SITE, World, archive_of, locked, two_site};

/// The NSD of `examples/demo/tenant-b`.
const NEIGHBOUR: &str = "6d1b0c52-8f4e-4a2b-9a61-3c1f6f2a0020";

fn neighbour() -> Vec<Descriptor> {
    ["demo/tenant-b/vnf", "demo/tenant-b/ns"]
        .map(|path| {
            let package = read_package(std::io::Cursor::new(archive_of(path)), &Limits::default());
            package.into_result().unwrap().0
        })
        .to_vec()
}

fn anywhere() -> InstantiateNsRequest {
    InstantiateNsRequest {
        ns_flavour_id: "default".to_owned(),
        ..InstantiateNsRequest::default()
    }
}

/// At which VIM each VNF's machines are, by its profile; and the number of services on the WAN.
async fn places(site: &Site, nsd: &str, request: InstantiateNsRequest) -> (BTreeMap<String, String>, usize) {
    let id = site.new_ns("a", nsd, "ns").await;
    let started = site.instantiate("a", id, request).await.unwrap();
    let occurrence = site.settled(started).await;
    assert_eq!(occurrence.state, State::Completed, "{:?}", occurrence.error);
    let ns = site.show("a", id).await;
    let vnfs = ns.vnf_instance.iter().map(|vnf| {
        let info = vnf.instantiated_vnf_info.as_ref().unwrap();
        let handle = &info.vnfc_resource_info[0].compute_resource;
        let vim = handle.vim_connection_id.clone().or(handle.vim_id.clone()).unwrap();
        (vnf.vnf_instance_name.clone().unwrap(), vim)
    });
    (vnfs.collect(), ns.wan_connection_info.len())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn vnfs_of_one_link_are_at_one_site_and_ask_nothing_of_the_wan() {
    let world = World::new(true);
    world.onboard("a", &neighbour()).await;
    let site = world.site();
    let (at, services) = places(&site, NEIGHBOUR, anywhere()).await;
    assert_eq!(at.len(), 2);
    assert_eq!(at["ns-probe_a"], at["ns-probe_b"]);
    assert_eq!(services, 0);
    assert!(!site.world.log.take().iter().any(|line| line.starts_with("wim")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn vnfs_of_one_link_are_apart_where_one_site_has_no_room_for_both() {
    let world = World::new(true);
    world.onboard("a", &neighbour()).await;
    let site = world.site();
    for vim in &site.world.vims {
        *locked(&vim.host_size) = (1, 100);
    }
    let hosts = manifold_vim_interface::QueryFilter::default;
    let handle = crate::fakes::Vim::handle(&site.world.vims[0]);
    let known = handle
        .topology
        .query_compute_capacity(&crate::fakes::cx("a"), hosts())
        .await;
    let room = known.unwrap().len();
    let (at, services) = places(&site, NEIGHBOUR, anywhere()).await;
    // One machine fits on a host: two at one site if that has two hosts, else one at each.
    let is_split = at["ns-probe_a"] != at["ns-probe_b"];
    assert_eq!((is_split, services), (room == 1, usize::from(room == 1)));
}

/// The gateway goes to where the meter is, because only that site has the meter's provider network; the service to the other, by the
/// NSD's rule. Nobody says where.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_reaches_a_physical_function_goes_to_its_site() {
    let world = World::new(true);
    world.onboard("a", &DEMO).await;
    let site = world.site();
    // The other site has far more room.
    *locked(&site.world.vims[1].host_size) = (64, 65_536);
    let request = two_site();
    assert!(request.location_constraints.is_empty());
    let (at, services) = places(&site, TWO_SITE, request).await;
    assert_eq!(at["ns-gateway"], "vim-1");
    assert_eq!(at["ns-service"], "vim-2");
    assert_eq!(services, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_for_weighs_more_than_nearness() {
    let world = World::new(true);
    world.onboard("a", &neighbour()).await;
    let site = world.site();
    let place = |profile: &str, vim: &str| VnfLocationConstraint {
        vnf_profile_id: profile.to_owned(),
        location_constraints: Some(LocationConstraints {
            country_code: None,
            vim_id: Some(vim.to_owned()),
        }),
    };
    let mut request = anywhere();
    request.location_constraints = vec![place("probe_b", "vim-2")];
    let (at, _) = places(&site, NEIGHBOUR, request).await;
    assert_eq!(
        (&*at["ns-probe_a"], &*at["ns-probe_b"]),
        ("vim-2", "vim-2"),
        "the other one follows"
    );
    let mut request = anywhere();
    request.location_constraints = vec![place("probe_a", "vim-1"), place("probe_b", "vim-2")];
    let (at, services) = places(&site, NEIGHBOUR, request).await;
    assert_eq!(
        (&*at["ns-probe_a"], &*at["ns-probe_b"], services),
        ("vim-1", "vim-2", 1)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_place_that_is_asked_for_is_the_place() {
    let world = World::new(true);
    world.onboard("a", &DEMO).await;
    let site = world.site();
    let id = site.new_ns("a", TWO_SITE, "demo").await;
    let mut request = two_site();
    // The gateway must be where the meter is; asked for elsewhere, both reasons are named.
    request.location_constraints = vec![VnfLocationConstraint {
        vnf_profile_id: "gateway".into(),
        location_constraints: Some(LocationConstraints {
            country_code: None,
            vim_id: Some("vim-2".into()),
        }),
    }];
    let refused = site.instantiate("a", id, request).await.unwrap_err();
    assert!(
        refused.detail.contains("vim-1 (provider network field)") && refused.detail.contains("vim-2 (the request)"),
        "{refused}"
    );
}

/// Refused, by kind: names these culprits, and this way out.
async fn refused(site: &Site, nsd: &str, request: InstantiateNsRequest, kind: ErrorKind, says: &[&str], cure: &str) {
    let id = site.new_ns("a", nsd, "ns").await;
    let refused = site.instantiate("a", id, request).await.unwrap_err();
    assert_eq!(refused.kind, kind, "{refused}");
    for part in says {
        assert!(refused.detail.contains(part), "{part}: {refused}");
    }
    assert!(
        refused.cure.as_ref().is_some_and(|told| told.contains(cure)),
        "{cure}: {refused}"
    );
    assert!(site.world.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_finds_no_place_is_named_with_a_way_out() {
    let world = World::new(true);
    world.onboard("a", &neighbour()).await;
    let site = world.site();
    for vim in &site.world.vims {
        *locked(&vim.host_size) = (8, 10);
    }
    let says = ["VNF probe_a-1", "vim-1/vim-1-host-a: 96 MiB needed, 10 left"];
    refused(
        &site,
        NEIGHBOUR,
        anywhere(),
        ErrorKind::Exhausted,
        &says,
        "terminate what",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unsaid_or_unknown_physical_function_is_refused_with_a_way_out() {
    let world = World::new(true);
    world.onboard("a", &DEMO).await;
    let site = world.site();
    let says = ["PNF profile meter", "addPnfData"];
    refused(
        &site,
        TWO_SITE,
        anywhere(),
        ErrorKind::Invalid,
        &says,
        "--pnf meter=NAME",
    )
    .await;
    let mut request = two_site();
    request.add_pnf_data[0].pnf_name = "meteor".to_owned();
    let says = ["function meteor", "PNF profile meter", "vim-1, vim-2"];
    refused(
        &site,
        TWO_SITE,
        request,
        ErrorKind::Invalid,
        &says,
        "functions there are: meter",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_wan_cannot_carry_is_told_by_link_and_sites() {
    let world = World::new(true);
    world.onboard("a", &DEMO).await;
    let site = world.site();
    *locked(&site.world.wim.as_ref().unwrap().room) = Some(1_000_000);
    let id = site.new_ns("a", TWO_SITE, "ns").await;
    let started = site.instantiate("a", id, two_site()).await.unwrap();
    let error = site.settled(started).await.error.unwrap();
    assert!(
        error.detail.contains("link transit between vim-1 and vim-2"),
        "{}",
        error.detail
    );
    assert!(
        error
            .cure
            .as_ref()
            .is_some_and(|cure| cure.contains("max_bitrate_requirements")),
        "{error:?}"
    );
}
