//! One VNFD with the machines of all leaves: composites dissolve, their nets become internal links, the root's connection points the
//! VNF's.

use super::addresses::Pool;
use super::identity::{Names, file_name, id_of};
use super::leaf::descriptor;
use super::nets::{Wish, wishes};
use super::{CompileError, Options};
use crate::expand::{Graph, InstanceKind, expand, joined};
use crate::service::{LeafUse, ModelUse, Service};
use ipnet::IpNet;
use manifold_descriptors::Vnfd;
use manifold_descriptors::link::{AffinityRule, LayerProtocol};
use manifold_descriptors::tosca_write::{self, content};
use manifold_descriptors::vnfd::{
    DeploymentFlavour, ExtCpInternal, InstantiationLevel, SwImageDesc, SwImageSource, Vdu, VnfExtCpd, VnfVirtualLink,
};
use std::collections::{BTreeMap, BTreeSet};

/// A service as one VNF.
#[derive(Debug, Clone, PartialEq)]
pub struct Flat {
    /// Name of the folder.
    pub folder: String,
    /// Texts by path in the folder.
    pub files: BTreeMap<String, String>,
    /// The descriptor.
    pub vnfd: Vnfd,
    /// Files of the leaves' own packages that belong into this one.
    pub artifacts: Vec<Artifact>,
    /// What one VNFD has no words for.
    pub notes: Vec<String>,
}

/// A file of a leaf's package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Artifact {
    /// Address of the leaf's descriptor.
    pub uri: String,
    /// Path in the leaf's package.
    pub from: String,
    /// Path in this one.
    pub to: String,
}

/// One VNFD for the whole service.
pub fn flat(service: &Service, options: &Options) -> Result<Flat, CompileError> {
    let service = joined(service)?;
    let graph = expand(&service, &options.limits)?;
    let flattening = Flattening {
        service: &service,
        options,
        graph: &graph,
        names: Names::default(),
        leaves: BTreeMap::new(),
        flavour: DeploymentFlavour {
            id: "default".to_owned(),
            description: "All machines of the service".to_owned(),
            ..DeploymentFlavour::default()
        },
        artifacts: BTreeSet::new(),
        notes: Vec::new(),
    };
    flattening.run()
}

/// Of every net of every composite.
type Wishes = Vec<Vec<Wish>>;

/// A leaf of the graph with the names that its parts have in the result.
struct Placed {
    /// By the name in its own descriptor.
    names: BTreeMap<String, String>,
    flavour: DeploymentFlavour,
}

struct Flattening<'a> {
    service: &'a Service,
    options: &'a Options,
    graph: &'a Graph,
    names: Names,
    /// By index of the instance.
    leaves: BTreeMap<usize, Placed>,
    flavour: DeploymentFlavour,
    artifacts: BTreeSet<Artifact>,
    notes: Vec<String>,
}

/// What is one link in the end: nets, links of leaves, and the interfaces on them.
#[derive(Default)]
struct Link {
    net: Option<usize>,
    /// (leaf, link in it).
    inner: Vec<(usize, String)>,
    /// Interfaces outside of the links of leaves, by their new names.
    interfaces: Vec<String>,
}

fn dashed(name: &str) -> String {
    name.replace('.', "-")
}

impl Flattening<'_> {
    fn run(mut self) -> Result<Flat, CompileError> {
        // What the outside sees keeps its names whatever is inside.
        for point in &self.graph.instances[0].points {
            self.names.give(&[&point.name]);
        }
        let mut known: BTreeMap<usize, Vnfd> = BTreeMap::new();
        for (at, instance) in self.graph.instances.iter().enumerate() {
            let ModelUse::Leaf(leaf) = instance.of else { continue };
            let of = &self.service.leaves[leaf];
            if let std::collections::btree_map::Entry::Vacant(entry) = known.entry(leaf) {
                let vnfd = descriptor(&of.leaf, self.options, &mut self.notes);
                entry.insert(vnfd);
            }
            let vnfd = &known[&leaf];
            let flavour = vnfd
                .flavours
                .first()
                .cloned()
                .ok_or_else(|| CompileError::NoFlavour { leaf: of.name.clone() })?;
            self.place(at, of, flavour);
        }
        let exposed = self.links()?;
        self.levels();
        self.flavour.ext_cpds.extend(exposed);
        self.notes_of_rules();
        let vnfd = Vnfd {
            descriptor_id: String::new(),
            descriptor_version: self.options.version.clone(),
            provider: self.options.designer.clone(),
            product_name: self.options.name.clone(),
            software_version: self.options.version.clone(),
            vnfm_info: vec!["etsivnfm:v2.0.0".to_owned()],
            flavours: vec![self.flavour],
            ..Vnfd::default()
        };
        let mut vnfd = tosca_write::normal(&vnfd);
        vnfd.descriptor_id = id_of(&["vnfd", &content(&vnfd)]);
        let folder = file_name(&self.options.name);
        Ok(Flat {
            files: tosca_write::vnfd(&vnfd, &folder),
            folder,
            vnfd,
            artifacts: self.artifacts.into_iter().collect(),
            notes: self.notes,
        })
    }

    /// Names for all parts of a leaf, and its machines.
    fn place(&mut self, at: usize, of: &LeafUse, mut flavour: DeploymentFlavour) {
        let prefix = dashed(&self.graph.instances[at].name);
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        let own: Vec<&String> = flavour
            .vdus
            .iter()
            .flat_map(|vdu| {
                let storages = vdu.storages.iter().map(|storage| &storage.id);
                let points = vdu.connection_points.iter().map(|cp| &cp.id);
                std::iter::once(&vdu.id).chain(storages).chain(points)
            })
            .chain(flavour.virtual_links.iter().map(|link| &link.id))
            .chain(flavour.scaling_aspects.keys())
            .collect();
        for name in own {
            if !names.contains_key(name) {
                let given = self.names.give(&[&format!("{prefix}-{name}")]);
                names.insert(name.clone(), given);
            }
        }
        for vdu in &mut flavour.vdus {
            self.machine(vdu, &names, of);
        }
        for rule in &flavour.affinity_rules {
            let targets = rule
                .targets
                .iter()
                .map(|target| names.get(target).unwrap_or(target).clone());
            self.flavour.affinity_rules.push(AffinityRule {
                id: format!("{prefix}-{}", rule.id),
                targets: targets.collect(),
                ..rule.clone()
            });
        }
        self.leaves.insert(at, Placed { names, flavour });
    }

    fn machine(&mut self, vdu: &mut Vdu, names: &BTreeMap<String, String>, of: &LeafUse) {
        let new = |name: &String| names.get(name).unwrap_or(name).clone();
        vdu.id = new(&vdu.id);
        vdu.boot_order = vdu.boot_order.iter().map(new).collect();
        vdu.deltas = std::mem::take(&mut vdu.deltas)
            .into_iter()
            .map(|(aspect, steps)| (new(&aspect), steps))
            .collect();
        if let Some(image) = &mut vdu.sw_image {
            image.id.clone_from(&vdu.id);
            self.artifact(image, of);
        }
        for storage in &mut vdu.storages {
            storage.id = new(&storage.id);
            if let Some(image) = &mut storage.sw_image {
                image.id.clone_from(&storage.id);
                self.artifact(image, of);
            }
        }
        if let Some(path) = vdu.boot_data.as_mut().and_then(|data| data.source_path.as_mut()) {
            self.moved(path, of);
        }
        for cp in &mut vdu.connection_points {
            cp.id = new(&cp.id);
            cp.ext_cpd = None;
        }
    }

    fn artifact(&mut self, image: &mut SwImageDesc, of: &LeafUse) {
        match &mut image.source {
            SwImageSource::Disk { path } => self.moved(path, of),
            SwImageSource::KernelAndInitramfs { kernel, initramfs, .. } => {
                self.moved(kernel, of);
                self.moved(initramfs, of);
            }
            SwImageSource::Manifold { .. } | SwImageSource::Uri { .. } | SwImageSource::ByName => {}
        }
    }

    /// A file of a leaf's package gets a folder of that leaf's model here.
    fn moved(&mut self, path: &mut String, of: &LeafUse) {
        let to = format!("Artifacts/{}/{path}", file_name(&of.name));
        let from = std::mem::replace(path, to.clone());
        self.artifacts.insert(Artifact {
            uri: of.leaf.uri.clone(),
            from,
            to,
        });
    }

    /// Puts every interface on its link; gives what the outside can connect to.
    fn links(&mut self) -> Result<Vec<VnfExtCpd>, CompileError> {
        let links = self.gather();
        let (wishes, given) = self.networks()?;
        let mut exposed: Vec<VnfExtCpd> = Vec::new();
        let mut link_of: BTreeMap<String, String> = BTreeMap::new();
        let mut direct: BTreeMap<String, String> = BTreeMap::new();
        for link in &links {
            let points = link
                .net
                .map(|net| self.graph.nets[net].points.as_slice())
                .unwrap_or_default();
            if let ([point], [interface], []) = (points, link.interfaces.as_slice(), link.inner.as_slice()) {
                direct.insert(interface.clone(), point.clone());
                continue;
            }
            if link.interfaces.is_empty() && link.inner.is_empty() {
                if let Some(net) = link.net.map(|net| &self.graph.nets[net]) {
                    self.notes
                        .push(format!("nothing is on net `{}`: it is left out", net.name));
                }
                continue;
            }
            let id = match link.net {
                Some(net) => self.names.give(&[&dashed(&self.graph.nets[net].name)]),
                None => {
                    let (leaf, name) = &link.inner[0];
                    self.leaves[leaf].names[name].clone()
                }
            };
            let made = self.link(id.clone(), link, &wishes, &given);
            self.flavour.virtual_links.push(made);
            link_of.extend(link.interfaces.iter().map(|interface| (interface.clone(), id.clone())));
            for (leaf, name) in &link.inner {
                let placed = &self.leaves[leaf];
                let on = |cp: &&manifold_descriptors::vnfd::VduCp| cp.virtual_link.as_ref() == Some(name);
                let on_it = placed
                    .flavour
                    .vdus
                    .iter()
                    .flat_map(|vdu| &vdu.connection_points)
                    .filter(on);
                link_of.extend(on_it.map(|cp| (cp.id.clone(), id.clone())));
            }
            for point in points {
                exposed.push(VnfExtCpd {
                    id: point.clone(),
                    requirement: Some(point.clone()),
                    internal: ExtCpInternal::VirtualLink {
                        virtual_link: id.clone(),
                    },
                    layer_protocols: vec![LayerProtocol::Ethernet],
                    place: None,
                });
            }
        }
        for placed in self.leaves.values_mut() {
            for mut vdu in std::mem::take(&mut placed.flavour.vdus) {
                for cp in &mut vdu.connection_points {
                    cp.virtual_link = link_of.get(&cp.id).cloned();
                    if let Some(point) = direct.get(&cp.id) {
                        cp.id.clone_from(point);
                        cp.ext_cpd = Some(point.clone());
                        exposed.push(VnfExtCpd {
                            id: point.clone(),
                            requirement: Some(point.clone()),
                            internal: ExtCpInternal::VduCp {
                                vdu: vdu.id.clone(),
                                cp: point.clone(),
                            },
                            layer_protocols: cp.layer_protocols.clone(),
                            place: None,
                        });
                    }
                }
                self.flavour.vdus.push(vdu);
            }
        }
        // As the root has them.
        let order = |cpd: &VnfExtCpd| {
            self.graph.instances[0]
                .points
                .iter()
                .position(|point| point.name == cpd.id)
        };
        exposed.sort_by_key(order);
        for point in &self.graph.instances[0].points {
            if !exposed.iter().any(|cpd| cpd.id == point.name) {
                self.notes.push(format!(
                    "nothing is connected to `{}`: the VNF has no such connection point",
                    point.name
                ));
            }
        }
        Ok(exposed)
    }

    /// Interfaces and links of leaves by the net that they are on.
    fn gather(&mut self) -> Vec<Link> {
        let mut links: Vec<Link> = Vec::new();
        let mut of_inner: BTreeMap<(usize, String), usize> = BTreeMap::new();
        for (net_at, net) in self.graph.nets.iter().enumerate() {
            let mut at = links.len();
            links.push(Link {
                net: Some(net_at),
                ..Link::default()
            });
            for end in &net.ends {
                let Some(placed) = self.leaves.get(&end.instance) else {
                    continue;
                };
                let ModelUse::Leaf(leaf) = self.graph.instances[end.instance].of else {
                    continue;
                };
                let cpd = super::leaf::outside_name(&self.service.leaves[leaf], &end.point)
                    .and_then(|name| placed.flavour.ext_cpd(&name).cloned());
                match cpd.map(|cpd| cpd.internal) {
                    Some(ExtCpInternal::VduCp { cp, .. }) => links[at].interfaces.push(placed.names[&cp].clone()),
                    Some(ExtCpInternal::VirtualLink { virtual_link }) => {
                        let key = (end.instance, virtual_link);
                        match of_inner.get(&key).copied() {
                            // Two nets meet inside of a leaf: they are one.
                            Some(other) if other != at => {
                                let moved = std::mem::take(&mut links[at]);
                                of_inner.values_mut().filter(|of| **of == at).for_each(|of| *of = other);
                                links[other].interfaces.extend(moved.interfaces);
                                links[other].inner.extend(moved.inner);
                                let names =
                                    [&links[other].net, &moved.net].map(|net| net.map(|net| &self.graph.nets[net]));
                                if let [Some(first), Some(second)] =
                                    names.map(|net| net.filter(|net| !net.points.is_empty()))
                                {
                                    self.notes.push(format!(
                                        "`{}` and `{}` meet inside of `{}` and become one link",
                                        first.name, second.name, self.graph.instances[end.instance].name
                                    ));
                                }
                                at = other;
                            }
                            Some(_) => {}
                            None => {
                                of_inner.insert(key.clone(), at);
                                links[at].inner.push(key);
                            }
                        }
                    }
                    Some(ExtCpInternal::Open) | None => self.notes.push(format!(
                        "`{}:{}` leads to no machine: it is left out of `{}`",
                        self.graph.instances[end.instance].name, end.point, net.name
                    )),
                }
            }
        }
        for (at, placed) in &self.leaves {
            for link in &placed.flavour.virtual_links {
                let key = (*at, link.id.clone());
                if !of_inner.contains_key(&key) {
                    links.push(Link {
                        inner: vec![key],
                        ..Link::default()
                    });
                }
            }
        }
        links.retain(|link| link.net.is_some() || !link.inner.is_empty());
        links
    }

    /// The wishes of all nets, and a subnet for each net of the graph that says none.
    fn networks(&self) -> Result<(Wishes, BTreeMap<usize, IpNet>), CompileError> {
        let wishes = wishes(self.service)?;
        let of_leaves = self.leaves.values().flat_map(|placed| &placed.flavour.virtual_links);
        let of_leaves = of_leaves.flat_map(|link| link.l3.iter().map(|l3| &l3.cidr));
        let mut pool = Pool::without(wishes.iter().flatten().flat_map(|wish| &wish.networks).chain(of_leaves));
        let silent: Vec<usize> = (0..self.graph.nets.len())
            .filter(|net| {
                let wish = self.wish(*net, &wishes);
                wish.networks.is_empty() && !wish.is_provided()
            })
            .collect();
        let names: Vec<String> = silent.iter().map(|net| self.graph.nets[*net].name.clone()).collect();
        let given = silent.into_iter().zip(pool.give(&names)?).collect();
        Ok((wishes, given))
    }

    fn wish<'w>(&self, net: usize, wishes: &'w [Vec<Wish>]) -> &'w Wish {
        let part = &self.graph.nets[net].parts[0];
        let ModelUse::Composite(composite) = self.graph.instances[part.instance].of else {
            unreachable!("nets are parts of composites");
        };
        &wishes[composite][part.net]
    }

    fn link(&self, id: String, of: &Link, wishes: &[Vec<Wish>], given: &BTreeMap<usize, IpNet>) -> VnfVirtualLink {
        let inner = of
            .inner
            .iter()
            .filter_map(|(leaf, name)| self.leaves[leaf].flavour.virtual_link(name));
        let first = inner.clone().next();
        let Some(net) = of.net else {
            let link = first.expect("a link without a net is one of a leaf");
            return VnfVirtualLink { id, ..link.clone() };
        };
        let wish = self.wish(net, wishes);
        let own: Vec<_> = inner.flat_map(|link| &link.l3).cloned().collect();
        let networks: Vec<IpNet> = match (&wish.networks, given.get(&net)) {
            (said, _) if !said.is_empty() => said.clone(),
            (_, Some(given)) if own.is_empty() => vec![*given],
            _ => Vec::new(),
        };
        VnfVirtualLink {
            id,
            description: String::new(),
            connectivity_type: wish.connectivity(&networks),
            l2: wish.l2.clone().or_else(|| first.and_then(|link| link.l2.clone())),
            l3: if networks.is_empty() {
                own.into_iter().take(1).collect()
            } else {
                wish.subnets(&networks)
            },
            max_bitrate: wish.max_bitrate,
            min_bitrate: wish.min_bitrate,
            place: None,
        }
    }

    /// The aspects of all leaves, and one level at which each leaf stands as its own default says.
    fn levels(&mut self) {
        let mut level = InstantiationLevel {
            description: "Every VNF as its own descriptor has it by default".to_owned(),
            ..InstantiationLevel::default()
        };
        let mut has_levels = false;
        for placed in self.leaves.values() {
            let flavour = &placed.flavour;
            has_levels |= !flavour.instantiation_levels.is_empty() || !flavour.scaling_aspects.is_empty();
            for (id, at) in flavour.scale_levels_at(None).unwrap_or_default() {
                level.scale_levels.insert(placed.names[&id].clone(), at);
            }
            for (id, aspect) in &flavour.scaling_aspects {
                self.flavour
                    .scaling_aspects
                    .insert(placed.names[id].clone(), aspect.clone());
            }
            if let Some(default) = flavour.instantiation_level(None) {
                for (vdu, count) in &default.vdu_instances {
                    if let Some(name) = placed.names.get(vdu) {
                        level.vdu_instances.insert(name.clone(), *count);
                    }
                }
            }
        }
        if has_levels {
            self.flavour.instantiation_levels.insert("default".to_owned(), level);
            self.flavour.default_instantiation_level = Some("default".to_owned());
        }
    }

    fn notes_of_rules(&mut self) {
        for instance in &self.graph.instances {
            if let (InstanceKind::Open, ModelUse::Composite(composite)) = (instance.kind, instance.of) {
                for rule in &self.service.composites[composite].rules {
                    let scope = if instance.name.is_empty() {
                        &instance.model
                    } else {
                        &instance.name
                    };
                    self.notes.push(format!(
                        "operation `{}` of `{scope}` is left out: a VNFD has no words for what happens to packets",
                        rule.name
                    ));
                }
            }
        }
        self.notes.sort();
        self.notes.dedup();
    }
}
