//! What holds of the wishes of any documents.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "outside/bench.rs"]
mod bench;
mod outside;

use bench::inventory;
use manifold_call::{TenantId, Uuid};
use manifold_desired::Documents;
use manifold_nfvi_interface::*;
use manifold_vim::{Compute, Document, Image, Network, Port, Site, Subnet, wishes};
use manifold_vim_interface::Metadata;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

fn id(what: &str, at: usize) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("{what} {at}").as_bytes())
}

#[derive(Debug, Clone)]
struct Shape {
    /// Gateway reachable, realised by the provider network, connected to that network.
    networks: Vec<(bool, bool, Option<usize>)>,
    /// On host-b, and the networks of its ports.
    machines: Vec<(bool, Vec<usize>)>,
    /// Ports at the access point, by network; ports that are nowhere, by network.
    saps: Vec<usize>,
    loose: Vec<usize>,
}

fn shape() -> impl Strategy<Value = Shape> {
    let networks = prop::collection::vec(
        (any::<bool>(), prop::bool::weighted(0.2), prop::option::of(0usize..5)),
        1..5,
    );
    let machines = prop::collection::vec((any::<bool>(), prop::collection::vec(0usize..5, 0..3)), 0..5);
    let some = || prop::collection::vec(0usize..5, 0..3);
    (networks, machines, some(), some()).prop_map(|(networks, machines, saps, loose)| Shape {
        networks,
        machines,
        saps,
        loose,
    })
}

fn documents(shape: &Shape) -> Documents<Document> {
    let tenant = TenantId::from("blue");
    let mut all: Vec<(Uuid, TenantId, Document)> = Vec::new();
    let count = shape.networks.len();
    let image = Image {
        name: "guest".into(),
        provider: String::new(),
        version: String::new(),
        format: "kernel".into(),
        command_line: String::new(),
        checksum: "0".into(),
        size: 1,
        metadata: Metadata::new(),
    };
    all.push((id("image", 0), tenant.clone(), Document::Image(image)));
    for (at, (gateway, provider, connected)) in shape.networks.iter().enumerate() {
        let transport = match provider {
            true => manifold_vim::Transport::Provider {
                network: "field".into(),
            },
            false => manifold_vim::Transport::Vxlan {
                vni: 10_000 + at as u32,
            },
        };
        let connected = connected.map(|other| other % count).filter(|other| *other != at);
        let network = Network {
            name: format!("n{at}"),
            bandwidth: 0,
            transport,
            shared: false,
            connected: connected.map(|other| id("network", other)).into_iter().collect(),
            gateway_reachable: *gateway && !provider,
            mtu: 1_500,
            metadata: Metadata::new(),
        };
        all.push((id("network", at), tenant.clone(), Document::Network(network)));
        let subnet = Subnet {
            network: id("network", at),
            cidr: format!("10.0.{at}.0/24").parse().unwrap(),
            gateway: format!("10.0.{at}.1").parse().unwrap(),
            dhcp: true,
            pools: Vec::new(),
            metadata: Metadata::new(),
        };
        all.push((id("subnet", at), tenant.clone(), Document::Subnet(subnet)));
    }
    let mut ports = 0;
    let mut port = |network: usize, compute: Option<Uuid>, sap: bool| {
        ports += 1;
        let network = network % count;
        let body = Port {
            name: String::new(),
            network: id("network", network),
            compute,
            implicit: false,
            access_point: sap.then(|| "client".to_owned()),
            addresses: vec![format!("10.0.{network}.{}", 1 + ports).parse().unwrap()],
            mac: format!("02:00:00:00:00:{ports:02x}"),
            bandwidth: None,
            metadata: Metadata::new(),
        };
        (id("port", ports), body)
    };
    for (at, (second, networks)) in shape.machines.iter().enumerate() {
        let compute_id = id("compute", at);
        // The provider network is reached from host-a alone, as placement would see to.
        let provided = networks.iter().any(|network| shape.networks[network % count].1);
        let of_it: Vec<(Uuid, Port)> = networks
            .iter()
            .map(|network| port(*network, Some(compute_id), false))
            .collect();
        let (host, zone) = if *second && !provided {
            ("host-b", "zone-2")
        } else {
            ("host-a", "zone-1")
        };
        let compute = Compute {
            name: format!("m{at}"),
            flavour: Uuid::nil(),
            vcpus: 1,
            memory_mib: 96,
            image: id("image", 0),
            ports: of_it.iter().map(|(id, _)| *id).collect(),
            host: host.into(),
            zone: zone.into(),
            rules: Vec::new(),
            meta_data: String::new(),
            network_config: String::new(),
            user_data: None,
            on: true,
            generation: 1,
            applied: Vec::new(),
            metadata: Metadata::new(),
        };
        all.push((compute_id, tenant.clone(), Document::Compute(compute)));
        all.extend(
            of_it
                .into_iter()
                .map(|(id, port)| (id, tenant.clone(), Document::Port(port))),
        );
    }
    let reached = |network: &&usize| !shape.networks[**network % count].1;
    for (network, sap) in shape
        .saps
        .iter()
        .filter(reached)
        .map(|network| (network, true))
        .chain(shape.loose.iter().map(|network| (network, false)))
    {
        let (id, port) = port(*network, None, sap);
        all.push((id, tenant.clone(), Document::Port(port)));
    }
    Documents::of(all)
}

fn site(inventory: &PopInventory) -> Site<'_> {
    Site {
        vim_id: "site-1",
        inventory,
        image_dir: Path::new("/images"),
        open: &|_, _| None,
    }
}

proptest! {
    #[test]
    fn wishes_hold_together(shape in shape()) {
        let inventory = inventory();
        let documents = documents(&shape);
        let wished = wishes(site(&inventory), &documents);
        prop_assert_eq!(&wished, &wishes(site(&inventory), &documents), "the same documents, the same wishes");

        let by_id: BTreeMap<ObjectId, &WishKind> = wished.iter().map(|wished| (wished.wish.id, &wished.wish.kind)).collect();
        prop_assert_eq!(by_id.len(), wished.len(), "no object twice");
        prop_assert!(wished.iter().all(|wished| wished.id == wished.wish.id.0 && !wished.documents.is_empty()));
        prop_assert!(wished.iter().flat_map(|wished| &wished.documents).all(|sake| documents.find(*sake).is_some()));
        let segment = |id: &ObjectId| match by_id.get(id) {
            Some(WishKind::Segment(segment)) => Some(segment),
            _ => None,
        };

        // What is named is wished, and on the node where it is needed.
        let (mut machines, mut plugged) = (0, 0);
        for kind in by_id.values() {
            match kind {
                WishKind::Port(port) => {
                    plugged += 1;
                    prop_assert!(segment(&port.segment).is_some());
                }
                WishKind::Machine(machine) => {
                    machines += 1;
                    for interface in &machine.interfaces {
                        let Some(WishKind::Port(port)) = by_id.get(interface) else { panic!("a port is missing") };
                        prop_assert_eq!(segment(&port.segment).unwrap().node, machine.node);
                        prop_assert_eq!(&port.plug, &Plug::Tap);
                    }
                }
                WishKind::Router(router) => {
                    let nodes: BTreeSet<ObjectId> = router.legs.iter().map(|leg| segment(&leg.segment).unwrap().node).collect();
                    prop_assert_eq!(nodes.len(), 1, "a router stands on one node");
                    prop_assert!(router.legs.len() > 1);
                }
                _ => {}
            }
        }
        prop_assert_eq!(machines, shape.machines.len());
        let saps = shape.saps.iter().filter(|network| !shape.networks[**network % shape.networks.len()].1).count();
        prop_assert_eq!(plugged, saps + shape.machines.iter().map(|(_, networks)| networks.len()).sum::<usize>());

        // The parts of a network know exactly each other.
        let mut ends: BTreeMap<u32, Vec<(std::net::IpAddr, BTreeSet<std::net::IpAddr>)>> = BTreeMap::new();
        for kind in by_id.values() {
            if let WishKind::Segment(SegmentWish { transport: Some(Transport::Vxlan { vni, local, peers }), .. }) = kind {
                ends.entry(*vni).or_default().push((*local, peers.iter().copied().collect()));
            }
        }
        for parts in ends.values() {
            for (local, peers) in parts {
                let others: BTreeSet<_> = parts.iter().map(|(other, _)| *other).filter(|other| other != local).collect();
                prop_assert_eq!(&others, peers);
            }
        }
    }
}
