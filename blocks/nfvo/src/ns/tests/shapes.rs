//! Services of any shape: whatever names, counts and connections, no address is given away twice in one routing domain, and what
//! was made is taken away.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};
use manifold_descriptors::link::{IpVersion, L3ProtocolData};
use manifold_descriptors::nsd::{CpConnectivity, NsVirtualLink, Nsd, VnfProfile};
use manifold_descriptors::vnfd::{DeploymentFlavour, ExtCpInternal, Vdu, VduCp, VirtualCompute, VnfExtCpd, Vnfd};
use manifold_descriptors::{Descriptor, check_nsd};
use manifold_lcm::State;
use manifold_sol::InstantiateNsRequest;
use proptest::prelude::*;

use crate::fakes::{World, locked};

/// A connection of a VNF: to which link.
#[derive(Debug, Clone)]
struct Shape {
    names: Vec<String>,
    /// For each VNF: machines, instances, and the links that it is on.
    vnfs: Vec<(u32, u32, Vec<usize>)>,
    links: usize,
    prefix: u8,
    /// Whether links may cross the WAN.
    apart: bool,
}

fn shape() -> impl Strategy<Value = Shape> {
    let vnf = (1u32..3, 1u32..3, prop::collection::vec(0usize..4, 1..4));
    let names = prop::collection::vec("[a-zA-Z][a-zA-Z0-9_ .@/-]{0,12}", 12);
    (
        names,
        prop::collection::vec(vnf, 1..4),
        1usize..5,
        24u8..=28,
        any::<bool>(),
    )
        .prop_map(|(names, vnfs, links, prefix, apart)| Shape {
            names,
            vnfs,
            links,
            prefix,
            apart,
        })
}

fn descriptors(shape: &Shape) -> Vec<Descriptor> {
    // Names are unique in a descriptor, as keys of a map are.
    let name = |kind: &str, at: usize| format!("{}{kind}{at}", shape.names[at % shape.names.len()]);
    let mut nsd = Nsd {
        descriptor_id: "shape".into(),
        flavour_id: "only".into(),
        ..Nsd::default()
    };
    for at in 0..shape.links {
        let cidr = Ipv4Net::new(Ipv4Addr::new(10, 1, u8::try_from(at).unwrap(), 0), shape.prefix).unwrap();
        nsd.virtual_links.push(NsVirtualLink {
            id: name("l", at),
            l3: vec![L3ProtocolData {
                name: None,
                ip_version: IpVersion::Ipv4,
                cidr: IpNet::V4(cidr),
                ip_allocation_pools: vec![],
                gateway_ip: None,
                dhcp_enabled: true,
                ipv6_address_mode: None,
                place: None,
            }],
            ..NsVirtualLink::default()
        });
    }
    let mut all = Vec::new();
    for (at, (machines, instances, on)) in shape.vnfs.iter().enumerate() {
        let mut links: Vec<usize> = on.iter().map(|link| link % shape.links).collect();
        links.sort_unstable();
        links.dedup();
        let cps: Vec<String> = (0..links.len()).map(|cp| format!("cp{cp}")).collect();
        let vdu = Vdu {
            id: "vdu".into(),
            compute: Some(VirtualCompute {
                num_virtual_cpu: 1,
                virtual_mem_size_mib: 64,
                ..VirtualCompute::default()
            }),
            initial_number_of_instances: *machines,
            connection_points: cps
                .iter()
                .map(|cp| VduCp {
                    id: cp.clone(),
                    ext_cpd: Some(cp.clone()),
                    ..VduCp::default()
                })
                .collect(),
            ..Vdu::default()
        };
        let flavour = DeploymentFlavour {
            id: "only".into(),
            vdus: vec![vdu],
            ext_cpds: cps
                .iter()
                .map(|cp| VnfExtCpd {
                    id: cp.clone(),
                    requirement: None,
                    internal: ExtCpInternal::VduCp {
                        vdu: "vdu".into(),
                        cp: cp.clone(),
                    },
                    layer_protocols: vec![],
                    place: None,
                })
                .collect(),
            ..DeploymentFlavour::default()
        };
        let vnfd = Vnfd {
            descriptor_id: format!("vnfd-{at}"),
            flavours: vec![flavour],
            ..Vnfd::default()
        };
        nsd.vnf_profiles.push(VnfProfile {
            id: name("v", at),
            vnfd_id: vnfd.descriptor_id.clone(),
            flavour_id: "only".into(),
            min_number_of_instances: *instances,
            max_number_of_instances: *instances,
            connectivity: cps
                .iter()
                .zip(&links)
                .map(|(cp, link)| CpConnectivity {
                    cpd: cp.clone(),
                    virtual_link: name("l", *link),
                    place: None,
                })
                .collect(),
            ..VnfProfile::default()
        });
        all.push(Descriptor::Vnfd(Box::new(vnfd)));
    }
    if shape.apart {
        for (at, profile) in nsd.vnf_profiles.iter().enumerate() {
            nsd.location_constraints
                .push(manifold_descriptors::nsd::LocationConstraint {
                    profile: profile.id.clone(),
                    nfvi_pop: Some(format!("site-{}", 1 + at % 2)),
                    zone: None,
                });
        }
    }
    all.push(Descriptor::Nsd(Box::new(nsd)));
    all
}

fn number(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(v4) => v4.to_bits(),
        IpAddr::V6(_) => panic!("shapes have IPv4 only"),
    }
}

/// Pools of one link's networks never meet: they are one routing domain, joined by the WAN.
fn check_pools(world: &World) {
    let mut links: BTreeMap<(String, IpNet), Vec<(u32, u32)>> = BTreeMap::new();
    for vim in &world.vims {
        for (_, network, subnets) in locked(&vim.held).networks.values() {
            for subnet in subnets {
                let pools = links
                    .entry((network.network_resource_name.clone(), subnet.cidr))
                    .or_default();
                if subnet.address_pool.is_empty() {
                    pools.push((number(subnet.cidr.network()), number(subnet.cidr.broadcast())));
                }
                pools.extend(
                    subnet
                        .address_pool
                        .iter()
                        .map(|pool| (number(pool.first), number(pool.last))),
                );
            }
        }
    }
    for (link, mut pools) in links {
        pools.sort_unstable();
        assert!(
            pools.windows(2).all(|pair| pair[0].1 < pair[1].0),
            "{link:?}: {pools:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn a_service_of_any_shape_shares_no_address_and_leaves_nothing(shape in shape()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let descriptors = descriptors(&shape);
            let (Some(Descriptor::Nsd(nsd)), vnfds) = (descriptors.last(), &descriptors[..descriptors.len() - 1]) else { unreachable!() };
            let vnfds: Vec<&Vnfd> = vnfds.iter().filter_map(|one| if let Descriptor::Vnfd(vnfd) = one { Some(&**vnfd) } else { None }).collect();
            assert!(!check_nsd(nsd, &vnfds, &[]).has_errors(), "the shape is a valid NSD");
            let world = World::new(true);
            world.onboard("a", &descriptors).await;
            let site = world.site();
            let id = site.new_ns("a", "shape", &shape.names[0]).await;
            let request = InstantiateNsRequest { ns_flavour_id: "only".into(), ..InstantiateNsRequest::default() };
            let started = site.instantiate("a", id, request).await.unwrap();
            let ended = site.settled(started).await;
            assert_eq!(ended.state, State::Completed, "{:?}", ended.error);
            check_pools(&site.world);
            let vnfs: u32 = shape.vnfs.iter().map(|(_, instances, _)| instances).sum();
            assert_eq!(site.show("a", id).await.vnf_instance.len(), vnfs as usize);
            let started = site.terminate("a", id).await.unwrap();
            assert_eq!(site.settled(started).await.state, State::Completed);
            assert!(site.world.is_empty(), "{:#}", site.world.snapshot().await);
        });
    }
}
