//! Services in services: one network where a net crosses them, one operation for all of it.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use manifold_call::ErrorKind;
use manifold_descriptors::Descriptor;
use manifold_descriptors::link::{IpVersion, L3ProtocolData};
use manifold_descriptors::nsd::{CpConnectivity, LocationConstraint, NsProfile, NsVirtualLink, Nsd, Sap, VnfProfile};
use manifold_descriptors::vnfd::{DeploymentFlavour, ExtCpInternal, Vdu, VduCp, VirtualCompute, VnfExtCpd, Vnfd};
use manifold_nfvo_interface::{NsLifecycleManagement, NsTopology, OnNs};
use manifold_sol::{
    DegreeHealing, HealNsData, HealNsRequest, InstantiateNsRequest, LocationConstraints, NsInstance, NsState, SapData,
    VnfLocationConstraint,
};
use manifold_vim_interface::{NetworkId, RunningState};

use super::completed;
use crate::fakes::{Site, TWO_SITE, World, cx, locked, two_site};

/// A VNFD of one small machine with connection points of these names.
pub(super) fn vnfd(id: &str, cps: &[&str]) -> Descriptor {
    let vdu = Vdu {
        id: "vdu".into(),
        compute: Some(VirtualCompute {
            num_virtual_cpu: 1,
            virtual_mem_size_mib: 64,
            ..VirtualCompute::default()
        }),
        initial_number_of_instances: 1,
        connection_points: cps
            .iter()
            .map(|cp| VduCp {
                id: (*cp).into(),
                ext_cpd: Some((*cp).into()),
                ..VduCp::default()
            })
            .collect(),
        ..Vdu::default()
    };
    let ext_cpds = cps.iter().map(|cp| VnfExtCpd {
        id: (*cp).into(),
        requirement: None,
        internal: ExtCpInternal::VduCp {
            vdu: "vdu".into(),
            cp: (*cp).into(),
        },
        layer_protocols: vec![],
        place: None,
    });
    Descriptor::Vnfd(Box::new(Vnfd {
        descriptor_id: id.into(),
        flavours: vec![DeploymentFlavour {
            id: "only".into(),
            vdus: vec![vdu],
            ext_cpds: ext_cpds.collect(),
            ..DeploymentFlavour::default()
        }],
        ..Vnfd::default()
    }))
}

/// An NSD that is filled by the functions below.
pub(super) fn nsd(id: &str) -> Nsd {
    Nsd {
        descriptor_id: id.into(),
        flavour_id: "only".into(),
        ..Nsd::default()
    }
}

fn connections(ends: &[(&str, &str)]) -> Vec<CpConnectivity> {
    let each = ends.iter().map(|(cpd, link)| CpConnectivity {
        cpd: (*cpd).into(),
        virtual_link: (*link).into(),
        place: None,
    });
    each.collect()
}

pub(super) fn link(nsd: &mut Nsd, id: &str, cidr: &str) {
    let cidr: IpNet = cidr.parse().unwrap();
    nsd.virtual_links.push(NsVirtualLink {
        id: id.into(),
        l3: vec![L3ProtocolData {
            name: None,
            ip_version: IpVersion::Ipv4,
            cidr,
            ip_allocation_pools: vec![],
            gateway_ip: None,
            dhcp_enabled: true,
            ipv6_address_mode: None,
            place: None,
        }],
        ..NsVirtualLink::default()
    });
}

pub(super) fn vnf(nsd: &mut Nsd, id: &str, vnfd: &str, ends: &[(&str, &str)]) {
    nsd.vnf_profiles.push(VnfProfile {
        id: id.into(),
        vnfd_id: vnfd.into(),
        flavour_id: "only".into(),
        min_number_of_instances: 1,
        max_number_of_instances: 1,
        connectivity: connections(ends),
        ..VnfProfile::default()
    });
}

pub(super) fn sap(nsd: &mut Nsd, id: &str, link: &str) {
    nsd.saps.push(Sap {
        id: id.into(),
        virtual_link: Some(link.into()),
        ..Sap::default()
    });
}

pub(super) fn nest(nsd: &mut Nsd, id: &str, inner: &str, ends: &[(&str, &str)]) {
    nsd.nested_ns_profiles.push(NsProfile {
        id: id.into(),
        nsd_id: inner.into(),
        flavour_id: "only".into(),
        connectivity: connections(ends),
        place: None,
    });
}

pub(super) fn at(nsd: &mut Nsd, profile: &str, pop: &str) {
    nsd.location_constraints.push(LocationConstraint {
        profile: profile.into(),
        nfvi_pop: Some(pop.into()),
        zone: None,
    });
}

fn boxed(nsd: Nsd) -> Descriptor {
    Descriptor::Nsd(Box::new(nsd))
}

/// `pair` holds two machines, a and b, on a link of its own; each also has a leg behind a SAP, `left` and `right`.
pub(super) fn pair() -> Nsd {
    let mut pair = nsd("pair");
    link(&mut pair, "between", "10.0.1.0/24");
    link(&mut pair, "west", "10.0.2.0/24");
    link(&mut pair, "east", "10.0.3.0/24");
    vnf(&mut pair, "a", "two", &[("x", "west"), ("y", "between")]);
    vnf(&mut pair, "b", "two", &[("x", "between"), ("y", "east")]);
    sap(&mut pair, "left", "west");
    sap(&mut pair, "right", "east");
    pair
}

/// Two pairs one after the other, and a machine of its own on the link on which they meet; the client plugs in on the left.
pub(super) fn row() -> Nsd {
    let mut row = nsd("row");
    link(&mut row, "lan", "192.168.1.0/24");
    link(&mut row, "middle", "192.168.2.0/24");
    link(&mut row, "wan", "192.168.3.0/24");
    vnf(&mut row, "watch", "one", &[("x", "middle")]);
    nest(&mut row, "first", "pair", &[("left", "lan"), ("right", "middle")]);
    nest(&mut row, "second", "pair", &[("left", "middle"), ("right", "wan")]);
    sap(&mut row, "client", "lan");
    row
}

pub(super) fn machines() -> Vec<Descriptor> {
    vec![vnfd("one", &["x"]), vnfd("two", &["x", "y"])]
}

/// The NSD of [`around`].
pub(super) const AROUND: &str = "around";

/// The demo's service inside of another one, which has the client's access point.
pub(super) fn around() -> Descriptor {
    let mut around = nsd(AROUND);
    link(&mut around, "street", "192.168.10.0/24");
    nest(&mut around, "demo", TWO_SITE, &[("client", "street")]);
    around.nested_ns_profiles[0].flavour_id = "default".into();
    vnf(&mut around, "watch", "one", &[("x", "street")]);
    sap(&mut around, "client", "street");
    boxed(around)
}

pub(super) fn around_request() -> InstantiateNsRequest {
    let mut request = two_site();
    request.ns_flavour_id = "only".into();
    request.add_pnf_data[0].pnf_profile_id = "demo/meter".into();
    request
}

pub(super) async fn site_with(nsds: Vec<Nsd>) -> Site {
    let world = World::new(true);
    world.onboard("a", &machines()).await;
    world
        .onboard("a", &nsds.into_iter().map(boxed).collect::<Vec<_>>())
        .await;
    world.site()
}

pub(super) fn anyhow() -> InstantiateNsRequest {
    InstantiateNsRequest {
        ns_flavour_id: "only".into(),
        ..InstantiateNsRequest::default()
    }
}

/// The network that each connection point of each VNF was plugged into: (VNF, connection point) -> (VIM, network).
pub(super) fn plugged(site: &Site) -> BTreeMap<(String, String), (String, NetworkId)> {
    let mut all = BTreeMap::new();
    for (name, request) in locked(&site.world.vnfm.requests).iter() {
        for link in &request.ext_virtual_links {
            let at = (
                link.vim_connection_id.clone().unwrap(),
                link.resource_id.parse().unwrap(),
            );
            for cp in &link.ext_cps {
                all.insert((name.clone(), cp.cpd_id.clone()), at.clone());
            }
        }
    }
    all
}

async fn query(site: &Site) -> BTreeMap<String, NsInstance> {
    let all = NsLifecycleManagement::query(&*site.nfvo, &cx("a"), ()).await.unwrap();
    all.into_iter().map(|ns| (ns.ns_instance_name.clone(), ns)).collect()
}

pub(super) fn networks(site: &Site) -> BTreeSet<(String, String)> {
    let all = site.world.vims.iter().flat_map(|vim| {
        let held = locked(&vim.held);
        let names = held
            .networks
            .values()
            .map(|(_, network, _)| network.network_resource_name.clone());
        names.map(|name| (vim.id.clone(), name)).collect::<Vec<_>>()
    });
    all.collect()
}

/// The links that an operation says it touched.
async fn links_of(site: &Site, operation: manifold_call::OccurrenceId) -> Vec<String> {
    let shown = site.nfvo.find_operation(&cx("a"), operation).await.unwrap();
    let links = shown.resource_changes.unwrap().affected_vls.into_iter();
    let mut names: Vec<String> = links.map(|link| link.vl_profile_id).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_net_that_crosses_services_is_one_network_and_everything_comes_and_goes_at_once() {
    let site = site_with(vec![pair(), row()]).await;
    let id = site.new_ns("a", "row", "row").await;
    let started = site.instantiate("a", id, anyhow()).await.unwrap();
    completed(&site, started).await;

    let names: Vec<String> = networks(&site).into_iter().map(|(_, name)| name).collect();
    let wished = [
        "row.first_between",
        "row.lan",
        "row.middle",
        "row.second_between",
        "row.wan",
    ];
    assert_eq!(names, wished, "no network for a link behind a SAP that is connected");
    let on = plugged(&site);
    let net = |vnf: &str, cp: &str| on[&(vnf.to_owned(), cp.to_owned())].1;
    assert_eq!(net("row-first-b", "y"), net("row-watch", "x"));
    assert_eq!(net("row-second-a", "x"), net("row-watch", "x"));
    assert_eq!(net("row-first-a", "y"), net("row-first-b", "x"));
    assert_ne!(
        net("row-first-a", "y"),
        net("row-second-a", "y"),
        "each instance has its own"
    );
    {
        let held = locked(&site.world.vims[0].held);
        let other = locked(&site.world.vims[1].held);
        let all = held.networks.values().chain(other.networks.values());
        let of = |name: &str| {
            let mut found = all
                .clone()
                .filter(|(_, network, _)| network.network_resource_name == name);
            found.next().unwrap().2[0].cidr.to_string()
        };
        assert_eq!(of("row.middle"), "192.168.2.0/24", "addresses are the outermost link's");
        assert_eq!(of("row.first_between"), "10.0.1.0/24");
        assert_eq!(
            held.ports.len() + other.ports.len(),
            1,
            "the client's access point alone"
        );
    }

    let all = query(&site).await;
    let (row, first, second) = (&all["row"], &all["row-first"], &all["row-second"]);
    assert_eq!(row.nested_ns_instance_id, [first.id.clone(), second.id.clone()]);
    assert_eq!((row.vnf_instance.len(), first.vnf_instance.len()), (1, 2));
    assert_eq!(first.ns_state, NsState::Instantiated);
    assert_eq!(first.nsd_id, "pair");
    let link = |ns: &NsInstance, name: &str| {
        let mut all = ns.virtual_link_info.iter();
        all.find(|link| link.ns_virtual_link_desc_id == name).unwrap().clone()
    };
    let (middle, east) = (link(row, "middle"), link(first, "east"));
    assert_eq!((&middle.id, &middle.resource_handle), (&east.id, &east.resource_handle));
    assert_eq!(
        (middle.link_port.len(), east.link_port.len()),
        (1, 1),
        "each tells of its own ports"
    );
    let topology = site.nfvo.topology(&cx("a"), id).await.unwrap();
    let shape: Vec<(&str, usize)> = topology
        .nested
        .iter()
        .map(|ns| (ns.name.as_str(), ns.vnfs.len()))
        .collect();
    assert_eq!(shape, [("row-first", 2), ("row-second", 2)]);
    let id_in = |ns: &NsTopology, name: &str| ns.links.iter().find(|link| link.name == name).unwrap().id.clone();
    assert_eq!(id_in(&topology, "middle"), id_in(&topology.nested[1], "west"));

    let made = links_of(&site, started).await;
    assert_eq!(made, ["between", "between", "lan", "middle", "wan"]);
    let started = site.terminate("a", id).await.unwrap();
    completed(&site, started).await;
    assert_eq!(links_of(&site, started).await, made, "each once");
    assert!(site.world.is_empty(), "{:#}", site.world.snapshot().await);
    let left = query(&site).await;
    assert_eq!(left.keys().collect::<Vec<_>>(), ["row"], "nested ones are gone");
    assert!(left["row"].nested_ns_instance_id.is_empty());
    // And again.
    let started = site.instantiate("a", id, anyhow()).await.unwrap();
    completed(&site, started).await;
    assert_eq!(query(&site).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_nested_is_changed_through_what_holds_it_alone() {
    let site = site_with(vec![pair(), row()]).await;
    let id = site.new_ns("a", "row", "row").await;
    let started = site.instantiate("a", id, anyhow()).await.unwrap();
    completed(&site, started).await;
    let inner: manifold_nfvo_interface::NsInstanceId = query(&site).await["row-first"].id.parse().unwrap();
    let heal = HealNsRequest {
        heal_ns_data: Some(HealNsData {
            degree_healing: DegreeHealing::HealRestore,
        }),
        ..HealNsRequest::default()
    };
    let on = |request: HealNsRequest, id| OnNs {
        ns_instance_id: id,
        request,
    };
    let refused = [
        site.terminate("a", inner).await.unwrap_err(),
        NsLifecycleManagement::heal(&*site.nfvo, &cx("a"), on(heal.clone(), inner))
            .await
            .unwrap_err(),
        NsLifecycleManagement::delete(&*site.nfvo, &cx("a"), inner)
            .await
            .unwrap_err(),
        site.instantiate("a", inner, anyhow()).await.unwrap_err(),
    ];
    for refused in refused {
        assert_eq!(refused.kind, ErrorKind::Conflict, "{refused}");
        assert!(
            refused.detail.contains(&id.to_string()),
            "the holder is named: {refused}"
        );
    }
    assert_eq!(site.show("a", inner).await.vnf_instance.len(), 2, "it can be read");

    // A machine of the nested one crashes; healing the whole heals it.
    let crashed = {
        let mut held = site.world.vims.iter().map(|vim| locked(&vim.held));
        let mut held = held.find(|held| !held.machines.is_empty()).unwrap();
        let (_, machine) = held.machines.values_mut().next().unwrap();
        machine.running_state = RunningState::Crashed;
        machine.metadata["manifold:vnf"].clone()
    };
    let started = NsLifecycleManagement::heal(&*site.nfvo, &cx("a"), on(heal, id))
        .await
        .unwrap();
    completed(&site, started).await;
    let shown = site.nfvo.find_operation(&cx("a"), started).await.unwrap();
    let affected = shown.resource_changes.unwrap().affected_vnfs;
    assert_eq!(
        affected
            .iter()
            .map(|vnf| vnf.vnf_instance_id.as_str())
            .collect::<Vec<_>>(),
        [crashed]
    );
}

/// Two SAPs on one inner link: what they are connected to is one network.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_that_a_nested_service_joins_are_one_network() {
    let mut hub = nsd("hub");
    link(&mut hub, "inside", "10.0.1.0/24");
    sap(&mut hub, "one", "inside");
    sap(&mut hub, "two", "inside");
    let mut outer = nsd("outer");
    link(&mut outer, "left", "192.168.1.0/24");
    link(&mut outer, "right", "192.168.2.0/24");
    vnf(&mut outer, "a", "one", &[("x", "left")]);
    vnf(&mut outer, "b", "one", &[("x", "right")]);
    nest(&mut outer, "hub", "hub", &[("one", "left"), ("two", "right")]);
    at(&mut outer, "a", "site-1");
    at(&mut outer, "b", "site-2");
    let site = site_with(vec![hub, outer]).await;
    let id = site.new_ns("a", "outer", "o").await;
    let started = site.instantiate("a", id, anyhow()).await.unwrap();
    completed(&site, started).await;
    let wished = [("vim-1", "o.left"), ("vim-2", "o.left")].map(|(vim, name)| (vim.to_owned(), name.to_owned()));
    assert_eq!(networks(&site), BTreeSet::from(wished));
    let ns = site.show("a", id).await;
    assert_eq!((ns.virtual_link_info.len(), ns.wan_connection_info.len()), (1, 1));
    let topology = site.nfvo.topology(&cx("a"), id).await.unwrap();
    assert_eq!(topology.links[0].name, "left = right");
    assert_eq!(topology.nested[0].links[0].id, topology.links[0].id);
    let started = site.terminate("a", id).await.unwrap();
    completed(&site, started).await;
    assert!(site.world.is_empty());
}

/// The request says where by path: for a VNF in a nested service, for the whole of one, and for a SAP that its parent leaves open.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn places_are_asked_for_by_path() {
    let mut row = row();
    row.saps.clear();
    row.nested_ns_profiles[0].connectivity.remove(0);
    let site = site_with(vec![pair(), row]).await;
    let id = site.new_ns("a", "row", "row").await;
    let request = InstantiateNsRequest {
        location_constraints: vec![
            place("first/a", "vim-1"),
            place("first/b", "vim-2"),
            place("second", "vim-2"),
        ],
        sap_data: vec![SapData {
            sapd_id: "first/left".into(),
            sap_name: "client".into(),
            ..SapData::default()
        }],
        ..anyhow()
    };
    let mut wrong = request.clone();
    wrong.location_constraints.push(place("third/a", "vim-1"));
    wrong.sap_data[0].sapd_id = "first/right".into();
    let refused = site.instantiate("a", id, wrong).await.unwrap_err();
    assert!(refused.detail.contains("no VNF profile third/a"), "{refused}");
    assert!(
        refused.detail.contains("no SAP first/right"),
        "it is connected: {refused}"
    );

    let started = site.instantiate("a", id, request).await.unwrap();
    completed(&site, started).await;
    let on = plugged(&site);
    let vim = |vnf: &str| on[&(vnf.to_owned(), "x".to_owned())].0.as_str();
    assert_eq!((vim("row-first-a"), vim("row-first-b")), ("vim-1", "vim-2"));
    assert_eq!((vim("row-second-a"), vim("row-second-b")), ("vim-2", "vim-2"));
    let first = &query(&site).await["row-first"];
    assert_eq!(first.sap_info[0].sapd_id, "left");
    assert_eq!(first.wan_connection_info.len(), 1, "its inner link crosses the WAN");
}

/// Told before anything is made.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_fit_together_is_refused() {
    let site = site_with(vec![row()]).await;
    let id = site.new_ns("a", "row", "row").await;
    let refused = site.instantiate("a", id, anyhow()).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Invalid);
    assert!(
        refused.detail.contains("`first` uses NSD `pair`, which is not known"),
        "{refused}"
    );

    let mut square = pair();
    square.flavour_id = "square".into();
    let site = site_with(vec![square, row()]).await;
    let id = site.new_ns("a", "row", "row").await;
    let refused = site.instantiate("a", id, anyhow()).await.unwrap_err();
    assert!(refused.detail.contains("`first` has the flavour `only`"), "{refused}");

    let mut round = pair();
    nest(&mut round, "again", "row", &[]);
    let site = site_with(vec![round, row()]).await;
    let id = site.new_ns("a", "row", "row").await;
    let refused = site.instantiate("a", id, anyhow()).await.unwrap_err();
    assert!(refused.detail.contains("row -> pair -> row"), "{refused}");
    assert!(site.world.is_empty());
}

pub(super) fn place(profile: &str, vim: &str) -> VnfLocationConstraint {
    VnfLocationConstraint {
        vnf_profile_id: profile.into(),
        location_constraints: Some(LocationConstraints {
            country_code: None,
            vim_id: Some(vim.into()),
        }),
    }
}
