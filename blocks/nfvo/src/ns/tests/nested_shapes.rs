//! Services in services of any shape: who is on one network is who is on one net, however the net is cut into links; and what was
//! made is taken away.

use std::collections::{BTreeMap, BTreeSet};

use manifold_descriptors::nsd::Nsd;
use manifold_descriptors::{Descriptor, FlatNsd};
use manifold_lcm::State;
use manifold_nfvo_interface::NsLifecycleManagement;
use proptest::prelude::*;

use super::nested::{anyhow, at, link, nest, nsd, plugged, sap, vnf, vnfd};
use crate::fakes::{Site, World, cx, locked};

/// Services that each may hold those after them: four levels at most.
const LEVELS: usize = 4;

/// A service: everything by numbers, which are taken modulo what there is.
#[derive(Debug, Clone)]
struct Shape {
    links: usize,
    /// For each VNF the links that it is on, and its site.
    vnfs: Vec<(Vec<usize>, Option<bool>)>,
    saps: Vec<usize>,
    /// For each nested service: how far below, and for each of its SAPs the link that it is connected to.
    nested: Vec<(usize, Vec<Option<usize>>)>,
}

fn shape() -> impl Strategy<Value = Shape> {
    let vnf = (prop::collection::vec(0usize..8, 1..4), prop::option::of(any::<bool>()));
    let connected = prop::collection::vec(prop::option::weighted(0.8, 0usize..8), 4);
    (
        1usize..4,
        prop::collection::vec(vnf, 0..3),
        prop::collection::vec(0usize..8, 0..4),
        prop::collection::vec((1usize..3, connected), 0..3),
    )
        .prop_map(|(links, vnfs, saps, nested)| Shape {
            links,
            vnfs,
            saps,
            nested,
        })
}

fn service(level: usize) -> String {
    format!("service-{level}")
}

/// The links that a VNF is on: each once.
fn links_of(shape: &Shape, on: &[usize]) -> Vec<usize> {
    let links: BTreeSet<usize> = on.iter().map(|link| link % shape.links).collect();
    links.into_iter().collect()
}

/// The services inside of a service: which, and for each SAP of theirs the link that it is connected to.
fn inside(shapes: &[Shape], level: usize) -> Vec<(usize, BTreeMap<usize, usize>)> {
    let below = shapes[level]
        .nested
        .iter()
        .filter(|(down, _)| level + down < shapes.len());
    below
        .map(|(down, connected)| {
            let inner = level + down;
            let saps = 0..shapes[inner].saps.len();
            let on = saps.filter_map(|sap| connected[sap].map(|link| (sap, link % shapes[level].links)));
            (inner, on.collect())
        })
        .collect()
}

fn descriptors(shapes: &[Shape]) -> Vec<Descriptor> {
    let cps = ["x0", "x1", "x2"];
    let mut all: Vec<Descriptor> = (1..=3).map(|n| vnfd(&format!("vnfd-{n}"), &cps[..n])).collect();
    for (level, shape) in shapes.iter().enumerate() {
        let mut nsd = nsd(&service(level));
        for at in 0..shape.links {
            link(&mut nsd, &format!("l{at}"), &format!("10.{level}.{at}.0/24"));
        }
        for (n, (on, place)) in shape.vnfs.iter().enumerate() {
            let links: Vec<String> = links_of(shape, on).iter().map(|link| format!("l{link}")).collect();
            let ends: Vec<(&str, &str)> = cps.iter().copied().zip(links.iter().map(String::as_str)).collect();
            let name = format!("v{n}");
            vnf(&mut nsd, &name, &format!("vnfd-{}", ends.len()), &ends);
            if let Some(is_first) = place {
                at(&mut nsd, &name, if *is_first { "site-1" } else { "site-2" });
            }
        }
        // The outermost service has no access points here.
        for (n, on) in shape.saps.iter().enumerate().filter(|_| level > 0) {
            sap(&mut nsd, &format!("s{n}"), &format!("l{}", on % shape.links));
        }
        for (n, (inner, connected)) in inside(shapes, level).into_iter().enumerate() {
            let ends: Vec<(String, String)> = connected
                .iter()
                .map(|(sap, link)| (format!("s{sap}"), format!("l{link}")))
                .collect();
            let ends: Vec<(&str, &str)> = ends.iter().map(|(sap, link)| (sap.as_str(), link.as_str())).collect();
            nest(&mut nsd, &format!("n{n}"), &service(inner), &ends);
        }
        all.push(Descriptor::Nsd(Box::new(nsd)));
    }
    all
}

/// The nets, worked out naively: links as vertices, connected SAPs as edges, and a walk from each connection point.
#[derive(Default)]
struct Naive {
    edges: BTreeMap<(String, usize), Vec<(String, usize)>>,
    /// (VNF, connection point) -> link.
    ends: BTreeMap<(String, String), (String, usize)>,
    services: usize,
}

impl Naive {
    fn enter(&mut self, shapes: &[Shape], level: usize, name: &str) {
        self.services += 1;
        let shape = &shapes[level];
        for (n, (on, _)) in shape.vnfs.iter().enumerate() {
            for (cp, link) in links_of(shape, on).into_iter().enumerate() {
                let end = (format!("{name}-v{n}"), format!("x{cp}"));
                self.ends.insert(end, (name.to_owned(), link));
            }
        }
        for (n, (inner, connected)) in inside(shapes, level).into_iter().enumerate() {
            let below = format!("{name}-n{n}");
            for (sap, link) in connected {
                let behind = (below.clone(), shapes[inner].saps[sap] % shapes[inner].links);
                let before = (name.to_owned(), link);
                self.edges.entry(before.clone()).or_default().push(behind.clone());
                self.edges.entry(behind).or_default().push(before);
            }
            self.enter(shapes, inner, &below);
        }
    }

    /// All links of the net of a link: the first of them names it.
    fn net(&self, of: &(String, usize)) -> (String, usize) {
        let mut seen = BTreeSet::from([of.clone()]);
        let mut ahead = vec![of.clone()];
        while let Some(next) = ahead.pop() {
            let more = self.edges.get(&next).into_iter().flatten();
            ahead.extend(more.filter(|link| seen.insert((*link).clone())).cloned());
        }
        seen.into_iter().next().unwrap()
    }
}

/// The segments that the managers made, those that the WAN joins as one.
fn domains(site: &Site) -> BTreeMap<(String, String), String> {
    let mut domain = BTreeMap::new();
    let mut segments = BTreeMap::new();
    for vim in &site.world.vims {
        for (id, (_, network, _)) in &locked(&vim.held).networks {
            domain.insert((vim.id.clone(), id.to_string()), id.to_string());
            segments.insert((vim.id.clone(), network.segmentation_id.unwrap()), id.to_string());
        }
    }
    for (_, service) in locked(&site.world.wim.as_ref().unwrap().services).values() {
        let joined = service.mscs_endpoints.iter();
        let joined: BTreeSet<&String> = joined
            .map(|end| &segments[&(end.vim_id.clone(), end.vn_segment_id)])
            .collect();
        for one in domain.values_mut().filter(|one| joined.contains(&**one)) {
            *one = service.mscs_id.to_string();
        }
    }
    domain
}

/// Two ends are on one network exactly if they are on one net.
fn check(site: &Site, naive: &Naive) {
    let (plugged, domains) = (plugged(site), domains(site));
    assert_eq!(
        plugged.keys().collect::<Vec<_>>(),
        naive.ends.keys().collect::<Vec<_>>()
    );
    let mut made: BTreeMap<(String, usize), BTreeSet<String>> = BTreeMap::new();
    for (end, link) in &naive.ends {
        let (vim, network) = &plugged[end];
        let domain = domains[&(vim.clone(), network.to_string())].clone();
        made.entry(naive.net(link)).or_default().insert(domain);
    }
    assert!(
        made.values().all(|domains| domains.len() == 1),
        "a net is cut: {made:?}"
    );
    let all: BTreeSet<&String> = made.values().flatten().collect();
    assert_eq!(all.len(), made.len(), "two nets are one: {made:?}");
    let of_networks: BTreeSet<&String> = domains.values().collect();
    assert_eq!(of_networks, all, "a network that nobody is on");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]
    #[test]
    fn nets_of_services_in_services_are_the_networks_that_are_made(shapes in prop::collection::vec(shape(), 1..=LEVELS)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let mut naive = Naive::default();
            naive.enter(&shapes, 0, "ns");
            let descriptors = descriptors(&shapes);
            let nsds: Vec<&Nsd> = descriptors.iter().filter_map(|one| if let Descriptor::Nsd(nsd) = one { Some(&**nsd) } else { None }).collect();
            let (flat, found) = FlatNsd::of(nsds[0], &nsds);
            assert!(!found.has_errors(), "the shape is valid: {found}");
            assert_eq!(flat.services.len(), naive.services);
            let world = World::new(true);
            world.onboard("a", &descriptors).await;
            let site = world.site();
            let id = site.new_ns("a", &service(0), "ns").await;
            let started = site.instantiate("a", id, anyhow()).await.unwrap();
            let ended = site.settled(started).await;
            assert_eq!(ended.state, State::Completed, "{:?}", ended.error);
            check(&site, &naive);
            let all = NsLifecycleManagement::query(&*site.nfvo, &cx("a"), ()).await.unwrap();
            assert_eq!(all.len(), naive.services, "each is an instance of its own");
            let started = site.terminate("a", id).await.unwrap();
            assert_eq!(site.settled(started).await.state, State::Completed);
            assert!(site.world.is_empty(), "{:#}", site.world.snapshot().await);
            let left = NsLifecycleManagement::query(&*site.nfvo, &cx("a"), ()).await.unwrap();
            assert_eq!(left.len(), 1);
        });
    }
}
