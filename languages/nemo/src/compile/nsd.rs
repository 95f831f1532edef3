//! A composite as an NSD: nodes as profiles, nets as virtual links, connection points as SAPs that the outer NSD connects.

use super::addresses::Pool;
use super::identity::{Names, file_name, id_of};
use super::leaf::{Function, function, outside_name};
use super::nets::{Wish, wishes};
use super::properties::Properties;
use super::rules::{Named, rules};
use super::{CompileError, FunctionPackage, Options, Packages, ServicePackage};
use crate::expand::joined;
use crate::service::{Composite, ModelUse, Service};
use ipnet::IpNet;
use manifold_descriptors::Vnfd;
use manifold_descriptors::link::LayerProtocol;
use manifold_descriptors::nsd::{CpConnectivity, LocationConstraint, NsProfile, NsVirtualLink, Nsd, Sap, VnfProfile};
use manifold_descriptors::tosca_write::{self, NsdWriting};
use std::collections::BTreeMap;

/// The one deployment flavour of an NSD that is compiled.
const FLAVOUR: &str = "default";

/// A nested NSD per composite, inner ones first, and the packages of the leaves.
pub fn nsd(service: &Service, options: &Options) -> Result<Packages, CompileError> {
    let service = joined(service)?;
    let used = used(&service);
    let mut compiling = Compiling::new(&service, &used, options)?;
    for (at, composite) in service.composites.iter().enumerate() {
        if used.composites[at] {
            compiling.composite(at, composite)?;
        }
    }
    Ok(compiling.packages())
}

/// What the root leads to.
pub(crate) struct Used {
    composites: Vec<bool>,
    leaves: Vec<bool>,
}

pub(crate) fn used(service: &Service) -> Used {
    let mut used = Used {
        composites: vec![false; service.composites.len()],
        leaves: vec![false; service.leaves.len()],
    };
    if let Some(root) = used.composites.get_mut(service.root) {
        *root = true;
    }
    // Whoever uses another one stands behind it.
    for (at, composite) in service.composites.iter().enumerate().rev() {
        if !used.composites[at] {
            continue;
        }
        for node in &composite.nodes {
            match node.of {
                ModelUse::Composite(inner) => used.composites[inner] = true,
                ModelUse::Leaf(leaf) => used.leaves[leaf] = true,
            }
        }
    }
    used
}

struct Compiling<'a> {
    service: &'a Service,
    options: &'a Options,
    wishes: Vec<Vec<Wish>>,
    /// Of every net of every composite.
    networks: Vec<Vec<Vec<IpNet>>>,
    functions: Vec<FunctionPackage>,
    /// Index in `functions` of each leaf that is used.
    function_of: BTreeMap<usize, usize>,
    services: Vec<ServicePackage>,
    /// Index in `services` of each composite.
    service_of: BTreeMap<usize, usize>,
    folders: Names,
    notes: Vec<String>,
}

impl<'a> Compiling<'a> {
    fn new(service: &'a Service, used: &Used, options: &'a Options) -> Result<Self, CompileError> {
        let mut notes = Vec::new();
        let mut folders = Names::default();
        let mut functions: Vec<FunctionPackage> = Vec::new();
        let mut function_of = BTreeMap::new();
        let mut order: Vec<usize> = (0..service.leaves.len()).filter(|leaf| used.leaves[*leaf]).collect();
        order.sort_by_key(|leaf| (&service.leaves[*leaf].name, &service.leaves[*leaf].leaf.uri));
        for at in order {
            let Function {
                mut package,
                notes: told,
            } = function(&service.leaves[at], options)?;
            let known = functions
                .iter()
                .position(|other| other.vnfd.descriptor_id == package.vnfd.descriptor_id);
            let index = known.unwrap_or_else(|| {
                notes.extend(told);
                package.folder = folders.give(&[&package.folder]);
                functions.push(package);
                functions.len() - 1
            });
            function_of.insert(at, index);
        }
        let wishes = wishes(service)?;
        let networks = networks(service, used, &wishes, &functions)?;
        Ok(Self {
            service,
            options,
            wishes,
            networks,
            functions,
            function_of,
            services: Vec::new(),
            service_of: BTreeMap::new(),
            folders,
            notes,
        })
    }

    fn composite(&mut self, at: usize, composite: &Composite) -> Result<(), CompileError> {
        let is_root = at == self.service.root;
        let name = if is_root { &self.options.name } else { &composite.name };
        // Nodes keep their names, connection points come next, nets last.
        let mut names = Names::default();
        composite.nodes.iter().for_each(|node| drop(names.give(&[&node.name])));
        let saps: Vec<String> = composite
            .points
            .iter()
            .map(|point| names.give(&[&point.name, &format!("{}_sap", point.name)]))
            .collect();
        let links: Vec<String> = composite
            .nets
            .iter()
            .map(|net| names.give(&[&net.name, &format!("{}_net", net.name)]))
            .collect();
        let mut nsd = Nsd {
            name: name.clone(),
            designer: self.options.designer.clone(),
            version: self.options.version.clone(),
            invariant_id: id_of(&["ns", &self.options.name, if is_root { "" } else { &composite.name }]),
            flavour_id: FLAVOUR.to_owned(),
            ..Nsd::default()
        };
        for (net_at, link) in links.iter().enumerate() {
            nsd.virtual_links.push(self.link(at, net_at, link));
        }
        self.profiles(composite, &links, &mut nsd)?;
        for (point, sap) in composite.points.iter().zip(&saps) {
            let Some(net) = point.net else {
                self.notes.push(format!(
                    "nothing in `{name}` is connected to its `{}`: there is no SAP for it",
                    point.name
                ));
                continue;
            };
            nsd.saps.push(Sap {
                id: sap.clone(),
                description: String::new(),
                layer_protocols: vec![LayerProtocol::Ethernet],
                virtual_link: Some(links[net].clone()),
                requirement: Some(point.name.clone()),
                place: None,
            });
        }
        let told = {
            let point = |node: usize, point: &str| self.outside(composite, node, point);
            let named = Named {
                composite,
                links: &links,
                point: &point,
            };
            let mut told = Vec::new();
            rules(&named, &mut nsd, &mut names, &mut told)?;
            told
        };
        self.notes.extend(told);
        let folder = self
            .folders
            .give(&[&file_name(name), &format!("{}-ns", file_name(name))]);
        let vnfds: Vec<&Vnfd> = self.functions.iter().map(|package| &package.vnfd).collect();
        let nested: Vec<&Nsd> = self.services.iter().map(|package| &package.nsd).collect();
        let write = |nsd: &Nsd| {
            let writing = NsdWriting {
                nsd,
                description: "",
                vnfds: &vnfds,
                nested: &nested,
            };
            tosca_write::nsd(&writing, &folder)
        };
        // An NSD is known by what it says: another text is another descriptor.
        let texts: String = write(&nsd).into_values().collect();
        nsd.descriptor_id = id_of(&["nsd", &texts]);
        let files = write(&nsd);
        self.service_of.insert(at, self.services.len());
        self.services.push(ServicePackage {
            composite: composite.name.clone(),
            folder,
            files,
            nsd,
        });
        Ok(())
    }

    fn link(&self, composite: usize, net: usize, id: &str) -> NsVirtualLink {
        let (wish, networks) = (&self.wishes[composite][net], &self.networks[composite][net]);
        let connections = &self.service.composites[composite].nets[net].connections;
        NsVirtualLink {
            id: id.to_owned(),
            description: match connections.as_slice() {
                [_, _, ..] => format!("Connections {}", connections.join(", ")),
                _ => String::new(),
            },
            connectivity_type: wish.connectivity(networks),
            l2: wish.l2.clone(),
            l3: wish.subnets(networks),
            max_bitrate: wish.max_bitrate,
            min_bitrate: wish.min_bitrate,
            service_availability_level: None,
            qos: wish.qos.clone(),
            place: None,
        }
    }

    fn profiles(&mut self, composite: &Composite, links: &[String], nsd: &mut Nsd) -> Result<(), CompileError> {
        let mut connected: Vec<Vec<CpConnectivity>> = vec![Vec::new(); composite.nodes.len()];
        for (net, link) in composite.nets.iter().zip(links) {
            for end in &net.ends {
                let Some(cpd) = self.outside(composite, end.node, &end.point) else {
                    let node = &composite.nodes[end.node].name;
                    self.notes.push(format!(
                        "`{node}:{}` leads to nothing inside: `{link}` is not connected to it",
                        end.point
                    ));
                    continue;
                };
                let of = &mut connected[end.node];
                if !of.iter().any(|known| known.cpd == cpd) {
                    of.push(CpConnectivity {
                        cpd,
                        virtual_link: link.clone(),
                        place: None,
                    });
                }
            }
        }
        for (node, connectivity) in composite.nodes.iter().zip(connected) {
            let properties = Properties::new(&node.name, &node.properties);
            let (nfvi_pop, zone) = (properties.word(&["location"])?, properties.word(&["zone"])?);
            if nfvi_pop.is_some() || zone.is_some() {
                nsd.location_constraints.push(LocationConstraint {
                    profile: node.name.clone(),
                    nfvi_pop,
                    zone,
                });
            }
            match node.of {
                ModelUse::Leaf(leaf) => {
                    let vnfd = &self.functions[self.function_of[&leaf]].vnfd;
                    let flavour = vnfd.flavours.first().expect("a function without flavours was refused");
                    let count = 1;
                    nsd.vnf_profiles.push(VnfProfile {
                        id: node.name.clone(),
                        vnfd_id: vnfd.descriptor_id.clone(),
                        provider: vnfd.provider.clone(),
                        product_name: vnfd.product_name.clone(),
                        flavour_id: flavour.id.clone(),
                        instantiation_level: None,
                        min_number_of_instances: count,
                        max_number_of_instances: count,
                        connectivity,
                        place: None,
                    });
                }
                ModelUse::Composite(inner) => {
                    let inner = &self.services[self.service_of[&inner]].nsd;
                    nsd.nested_ns_profiles.push(NsProfile {
                        id: node.name.clone(),
                        nsd_id: inner.descriptor_id.clone(),
                        flavour_id: inner.flavour_id.clone(),
                        connectivity,
                        place: None,
                    });
                }
            }
        }
        Ok(())
    }

    /// What an NSD calls a connection point of a node; `None`: there is nothing behind it.
    fn outside(&self, composite: &Composite, node: usize, point: &str) -> Option<String> {
        match composite.nodes.get(node)?.of {
            ModelUse::Leaf(leaf) => outside_name(&self.service.leaves[leaf], point),
            ModelUse::Composite(inner) => {
                let points = &self.service.composites[inner].points;
                let found = points.iter().find(|known| known.name == point && known.net.is_some());
                found.map(|point| point.name.clone())
            }
        }
    }

    fn packages(self) -> Packages {
        Packages {
            services: self.services,
            functions: self.functions,
            notes: self.notes,
        }
    }
}

/// The networks of every net: those that it says, or one of its own; none for a provider's that says none.
fn networks(
    service: &Service,
    used: &Used,
    wishes: &[Vec<Wish>],
    functions: &[FunctionPackage],
) -> Result<Vec<Vec<Vec<IpNet>>>, CompileError> {
    let of_leaves = functions
        .iter()
        .flat_map(|package| &package.vnfd.flavours)
        .flat_map(|flavour| &flavour.virtual_links)
        .flat_map(|link| link.l3.iter().map(|l3| &l3.cidr));
    let mut pool = Pool::without(wishes.iter().flatten().flat_map(|wish| &wish.networks).chain(of_leaves));
    let mut all: Vec<Vec<Vec<IpNet>>> = Vec::with_capacity(wishes.len());
    let (mut names, mut places) = (Vec::new(), Vec::new());
    for (at, of) in wishes.iter().enumerate() {
        all.push(of.iter().map(|wish| wish.networks.clone()).collect());
        for (net, wish) in of.iter().enumerate() {
            if used.composites[at] && wish.networks.is_empty() && !wish.is_provided() {
                let composite = &service.composites[at];
                names.push(format!("{}:{}", composite.name, composite.nets[net].name));
                places.push((at, net));
            }
        }
    }
    for ((at, net), network) in places.into_iter().zip(pool.give(&names)?) {
        all[at][net] = vec![network];
    }
    Ok(all)
}
