//! From documents to wishes: pure. The same documents always wish for the same.

use crate::documents::{Compute, Document, Image, Network, Port, Subnet, Transport};
use crate::no_cloud;
use ipnet::IpNet;
use manifold_call::{TenantId, Uuid};
use manifold_desired::{Documents, Wished};
use manifold_nfvi_interface::{
    Boot, DhcpWish, DiskFormat, HostInventory, MacAddr, MachineWish, NoCloud, ObjectId, Owner, Plug, PopInventory,
    PortWish, Power, RouterLeg, RouterWish, SegmentWish, Traffic, Transport as Carried, Wish, WishKind,
    gateway_segment,
};
use manifold_store::Sealed;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

/// How long a lease lasts. Leases are fixed, so a long one costs nothing and outlives a restart of the agent.
const LEASE_S: u32 = 86_400;

/// What documents are read with.
#[derive(Clone, Copy)]
pub struct Site<'a> {
    /// The VIM's identifier.
    pub vim_id: &'a str,
    /// What it manages.
    pub inventory: &'a PopInventory,
    /// Where its images are.
    pub image_dir: &'a Path,
    /// Opens a machine's sealed user data.
    pub open: &'a (dyn Fn(Uuid, &Sealed) -> Option<String> + Sync),
}

/// The label of a VIM's objects.
pub(crate) fn manager(vim_id: &str) -> String {
    format!("vim/{vim_id}")
}

/// A virtual network's part on a host.
fn segment(network: Uuid, node: ObjectId) -> ObjectId {
    ObjectId::named(network, &format!("segment {node}"))
}

/// Everything that the standing documents wish for.
pub fn wishes(site: Site<'_>, documents: &Documents<Document>) -> Vec<Wished<Wish>> {
    let sorted = Sorted::of(site, documents);
    let mut wishes = Vec::new();
    for (id, (tenant, network)) in &sorted.networks {
        sorted.segments(*id, tenant, network, &mut wishes);
    }
    for (id, (tenant, port)) in &sorted.ports {
        wishes.extend(sorted.port(*id, tenant, port));
    }
    for domain in &sorted.domains {
        wishes.extend(sorted.router(domain));
    }
    for (id, (tenant, compute)) in &sorted.computes {
        wishes.extend(sorted.machine(*id, tenant, compute));
    }
    wishes
}

/// Networks that routers join, by the connections asked for on either side: sets of two or more.
pub(crate) fn domains<'a>(networks: impl Iterator<Item = (Uuid, &'a Network)>) -> Vec<BTreeSet<Uuid>> {
    let networks: BTreeMap<Uuid, &Network> = networks.collect();
    let mut near: BTreeMap<Uuid, BTreeSet<Uuid>> = BTreeMap::new();
    for (id, network) in &networks {
        for other in network.connected.iter().filter(|other| networks.contains_key(other)) {
            near.entry(*id).or_default().insert(*other);
            near.entry(*other).or_default().insert(*id);
        }
    }
    let mut domains = Vec::new();
    let mut seen = BTreeSet::new();
    for start in near.keys() {
        let mut domain = BTreeSet::new();
        let mut open = vec![*start];
        while let Some(next) = open.pop() {
            if seen.insert(next) {
                domain.insert(next);
                open.extend(near.get(&next).into_iter().flatten());
            }
        }
        if domain.len() > 1 {
            domains.push(domain);
        }
    }
    domains
}

struct Domain {
    networks: BTreeSet<Uuid>,
    host: ObjectId,
}

type Of<'a, T> = BTreeMap<Uuid, (&'a TenantId, &'a T)>;

struct Sorted<'a> {
    site: Site<'a>,
    networks: Of<'a, Network>,
    /// By network.
    subnets: BTreeMap<Uuid, Vec<(Uuid, &'a Subnet)>>,
    ports: Of<'a, Port>,
    computes: Of<'a, Compute>,
    images: Of<'a, Image>,
    domains: Vec<Domain>,
    /// By port: what happens to its packets, and by which documents.
    traffic: BTreeMap<Uuid, (Traffic, BTreeSet<Uuid>)>,
    /// By network: the hosts that have ports of it, with those ports.
    places: BTreeMap<Uuid, BTreeMap<ObjectId, Vec<Uuid>>>,
}

impl<'a> Sorted<'a> {
    fn of(site: Site<'a>, documents: &'a Documents<Document>) -> Self {
        let mut sorted = Sorted {
            site,
            networks: BTreeMap::new(),
            subnets: BTreeMap::new(),
            ports: BTreeMap::new(),
            computes: BTreeMap::new(),
            images: BTreeMap::new(),
            domains: Vec::new(),
            traffic: BTreeMap::new(),
            places: BTreeMap::new(),
        };
        for (id, held) in documents.standing() {
            let tenant = &held.tenant;
            match &held.body {
                Document::Network(network) => drop(sorted.networks.insert(id, (tenant, network))),
                Document::Subnet(subnet) => sorted.subnets.entry(subnet.network).or_default().push((id, subnet)),
                Document::Port(port) => drop(sorted.ports.insert(id, (tenant, port))),
                Document::Compute(compute) => drop(sorted.computes.insert(id, (tenant, compute))),
                Document::Image(image) => drop(sorted.images.insert(id, (tenant, image))),
                Document::Group(_) | Document::Flavour(_) | Document::Path(_) | Document::Rule(_) => {}
            }
        }
        sorted.traffic = crate::traffic::of_ports(documents);
        for (id, (_, port)) in &sorted.ports {
            if let Some(host) = sorted.host_of(port) {
                sorted
                    .places
                    .entry(port.network)
                    .or_default()
                    .entry(host.node)
                    .or_default()
                    .push(*id);
            }
        }
        sorted.domains = domains(sorted.networks.iter().map(|(id, (_, network))| (*id, *network)))
            .into_iter()
            .filter_map(|networks| {
                let host = sorted.router_host(&networks)?;
                Some(Domain { networks, host })
            })
            .collect();
        sorted
    }

    fn owner(&self, tenant: &TenantId) -> Owner {
        Owner {
            manager: manager(self.site.vim_id),
            tenant: Some(tenant.clone()),
        }
    }

    fn host(&self, name: &str) -> Option<&'a HostInventory> {
        self.site.inventory.hosts.iter().find(|host| host.name == name)
    }

    /// Where the port is: with its machine, or at its access point; `None` while it is nowhere.
    fn host_of(&self, port: &Port) -> Option<&'a HostInventory> {
        if let Some((_, compute)) = port.compute.and_then(|compute| self.computes.get(&compute)) {
            return self.host(&compute.host);
        }
        let name = port.access_point.as_ref()?;
        let access = self
            .site
            .inventory
            .access_points
            .iter()
            .find(|access| access.name == *name)?;
        self.site.inventory.hosts.iter().find(|host| host.node == access.host)
    }

    /// A host that all the networks can be on, the same for the same networks: chosen by their first one's id, so that routers
    /// spread over the hosts.
    fn router_host(&self, networks: &BTreeSet<Uuid>) -> Option<ObjectId> {
        let reaches = |host: &&HostInventory| {
            networks.iter().all(|id| match &self.networks[id].1.transport {
                Transport::Vxlan { .. } => true,
                Transport::Provider { network } => host.provider_cables.contains_key(network),
            })
        };
        let hosts: Vec<&HostInventory> = self.site.inventory.hosts.iter().filter(reaches).collect();
        let first = networks.first()?.as_u128();
        let count = u128::try_from(hosts.len()).ok().filter(|count| *count > 0)?;
        let at = usize::try_from(first % count).ok()?;
        Some(hosts[at].node)
    }

    fn domain_of(&self, network: Uuid) -> Option<&Domain> {
        self.domains.iter().find(|domain| domain.networks.contains(&network))
    }

    fn segments(&self, id: Uuid, tenant: &TenantId, network: &Network, wishes: &mut Vec<Wished<Wish>>) {
        // By node: for whose sake the network is there, besides its own.
        let mut nodes = self.places.get(&id).cloned().unwrap_or_default();
        let domain = self.domain_of(id);
        if let Some(domain) = domain {
            let sakes = domain.networks.iter().filter(|other| **other != id);
            nodes.entry(domain.host).or_default().extend(sakes);
        }
        let dhcp = self.dhcp(id, domain.is_some());
        let wish = |object: ObjectId, node: ObjectId, carried: Carried, dhcp: Option<DhcpWish>, sakes: &[Uuid]| {
            let kind = SegmentWish {
                node,
                mtu_bytes: network.mtu,
                transport: Some(carried),
                dhcp,
            };
            let mut documents = vec![id];
            documents.extend(self.subnet_ids(id));
            documents.extend(sakes);
            let wish = Wish {
                id: object,
                owner: self.owner(tenant),
                kind: WishKind::Segment(kind),
            };
            Wished {
                id: object.0,
                wish,
                documents,
            }
        };
        match &network.transport {
            Transport::Provider { network: provider } => {
                for (node, sakes) in &nodes {
                    let host = self.site.inventory.hosts.iter().find(|host| host.node == *node);
                    let Some(cable) = host.and_then(|host| host.provider_cables.get(provider)) else {
                        continue;
                    };
                    let carried = Carried::Provider { cable: *cable };
                    wishes.push(wish(segment(id, *node), *node, carried, dhcp.clone(), sakes));
                }
            }
            Transport::Vxlan { vni } => {
                let gateway = self
                    .site
                    .inventory
                    .gateway
                    .as_ref()
                    .filter(|_| network.gateway_reachable);
                let hosts = self
                    .site
                    .inventory
                    .hosts
                    .iter()
                    .filter(|host| nodes.contains_key(&host.node));
                let mut ends: Vec<(ObjectId, ObjectId, IpAddr)> = hosts
                    .map(|host| (segment(id, host.node), host.node, host.underlay))
                    .collect();
                ends.extend(
                    gateway.map(|gateway| (gateway_segment(gateway.node, *vni), gateway.node, gateway.underlay)),
                );
                for (object, node, local) in &ends {
                    let others = ends
                        .iter()
                        .map(|(.., address)| *address)
                        .filter(|address| address != local);
                    let peers: BTreeSet<IpAddr> = others.collect();
                    let carried = Carried::Vxlan {
                        vni: *vni,
                        local: *local,
                        peers: peers.into_iter().collect(),
                    };
                    let sakes = nodes.get(node);
                    let dhcp = dhcp.clone().filter(|_| sakes.is_some());
                    wishes.push(wish(*object, *node, carried, dhcp, sakes.map_or(&[], Vec::as_slice)));
                }
            }
        }
    }

    fn dhcp(&self, network: Uuid, routed: bool) -> Option<DhcpWish> {
        self.subnets_of(network)
            .find_map(|subnet| match (subnet.cidr, subnet.gateway, subnet.dhcp) {
                (IpNet::V4(net), IpAddr::V4(server), true) => Some(DhcpWish {
                    subnet: net,
                    server,
                    gateway: Some(server).filter(|_: &Ipv4Addr| routed),
                    lease_s: LEASE_S,
                }),
                _ => None,
            })
    }

    fn subnet_ids(&self, network: Uuid) -> impl Iterator<Item = Uuid> + '_ {
        self.subnets.get(&network).into_iter().flatten().map(|(id, _)| *id)
    }

    fn subnets_of(&self, network: Uuid) -> impl Iterator<Item = &'a Subnet> + '_ {
        self.subnets
            .get(&network)
            .into_iter()
            .flatten()
            .map(|(_, subnet)| *subnet)
    }

    fn port(&self, id: Uuid, tenant: &TenantId, port: &Port) -> Option<Wished<Wish>> {
        let host = self.host_of(port)?;
        let (_, network) = self.networks.get(&port.network)?;
        let mac: MacAddr = port.mac.parse().ok()?;
        let plug = match (&port.compute, &port.access_point) {
            (None, Some(name)) => {
                let access = self
                    .site
                    .inventory
                    .access_points
                    .iter()
                    .find(|access| access.name == *name)?;
                let subnets: Vec<&Subnet> = self.subnets_of(port.network).collect();
                let routed = self.domain_of(port.network).is_some();
                let first = port.addresses.first();
                let home = subnets
                    .iter()
                    .find(|subnet| first.is_some_and(|first| subnet.cidr.contains(first)));
                Plug::Node {
                    node: access.node,
                    interface: format!("net-{}", &id.simple().to_string()[24..]),
                    addresses: with_prefixes(&port.addresses, &subnets),
                    gateway: home.filter(|_| routed).map(|subnet| subnet.gateway),
                }
            }
            _ => Plug::Tap,
        };
        let (traffic, by) = self.traffic.get(&id).cloned().unwrap_or_default();
        let limit = port.bandwidth.unwrap_or(network.bandwidth);
        let kind = PortWish {
            segment: segment(port.network, host.node),
            plug,
            mac,
            addresses: port.addresses.clone(),
            anti_spoofing: true,
            rate_bits_per_second: Some(limit).filter(|limit| *limit > 0),
            traffic,
        };
        let wish = Wish {
            id: ObjectId(id),
            owner: self.owner(tenant),
            kind: WishKind::Port(kind),
        };
        Some(Wished {
            id,
            wish,
            documents: [id, port.network].into_iter().chain(port.compute).chain(by).collect(),
        })
    }

    fn router(&self, domain: &Domain) -> Option<Wished<Wish>> {
        let legs: Vec<RouterLeg> = domain
            .networks
            .iter()
            .filter_map(|id| {
                let gateways = self
                    .subnets_of(*id)
                    .filter_map(|subnet| net(subnet.gateway, subnet.cidr.prefix_len()));
                let addresses: Vec<IpNet> = gateways.collect();
                let mac = MacAddr::of(ObjectId::named(*id, "router"));
                let leg = RouterLeg {
                    segment: segment(*id, domain.host),
                    mac,
                    addresses,
                };
                Some(leg).filter(|leg| !leg.addresses.is_empty())
            })
            .collect();
        if legs.len() < 2 {
            return None;
        }
        let subnets = domain.networks.iter().flat_map(|id| self.subnet_ids(*id));
        let documents = domain.networks.iter().copied().chain(subnets).collect();
        let first = *domain.networks.first()?;
        let id = ObjectId::named(first, "router");
        let owner = self.owner(self.networks.get(&first)?.0);
        let wish = Wish {
            id,
            owner,
            kind: WishKind::Router(RouterWish { legs }),
        };
        Some(Wished {
            id: id.0,
            wish,
            documents,
        })
    }

    fn machine(&self, id: Uuid, tenant: &TenantId, compute: &Compute) -> Option<Wished<Wish>> {
        let host = self.host(&compute.host)?;
        let (_, image) = self.images.get(&compute.image)?;
        let files = self.site.image_dir.join(&image.checksum);
        let disk = |format| Boot::Disk {
            image: files.join("disk"),
            format,
        };
        let boot = match image.format.as_str() {
            "kernel" => Boot::Kernel {
                kernel: files.join("kernel"),
                initramfs: files.join("initramfs"),
                command_line: image.command_line.clone(),
            },
            "qcow2" => disk(DiskFormat::Qcow2),
            _ => disk(DiskFormat::Raw),
        };
        let user_data = match &compute.user_data {
            Some(sealed) => (self.site.open)(id, sealed).unwrap_or_default(),
            None => no_cloud::EMPTY_USER_DATA.to_owned(),
        };
        let kind = MachineWish {
            node: host.node,
            name: no_cloud::host_name(&compute.name),
            vcpus: compute.vcpus,
            memory_mib: compute.memory_mib,
            boot,
            interfaces: compute.ports.iter().map(|port| ObjectId(*port)).collect(),
            no_cloud: Some(NoCloud {
                meta_data: compute.meta_data.clone(),
                user_data,
                network_config: compute.network_config.clone(),
            }),
            power: if compute.on { Power::On } else { Power::Off },
            generation: compute.generation,
        };
        let wish = Wish {
            id: ObjectId(id),
            owner: self.owner(tenant),
            kind: WishKind::Machine(Box::new(kind)),
        };
        Some(Wished {
            id,
            wish,
            documents: vec![id],
        })
    }
}

/// The addresses with the prefix lengths of their subnets; an address of no subnet stands for itself alone.
pub(crate) fn with_prefixes(addresses: &[IpAddr], subnets: &[&Subnet]) -> Vec<IpNet> {
    let prefixed = addresses.iter().map(|address| {
        let subnet = subnets.iter().find(|subnet| subnet.cidr.contains(address));
        let prefix = subnet.map(|subnet| subnet.cidr.prefix_len());
        prefix
            .and_then(|prefix| net(*address, prefix))
            .unwrap_or_else(|| IpNet::from(*address))
    });
    prefixed.collect()
}

fn net(address: IpAddr, prefix: u8) -> Option<IpNet> {
    IpNet::new(address, prefix).ok()
}
