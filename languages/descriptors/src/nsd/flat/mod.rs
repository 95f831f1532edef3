//! A network service with all that it nests, as one descriptor: what is instantiated at once is laid out at once.
//!
//! ```text
//!   a ── inner ─┬─ gw          gw of a's profile inner is called inner/gw
//!    └─ x       └─ lan <── SAP  lan and x are one net, if a connects the SAP to x; it is called as its outermost link: x
//! ```
//!
//! A net that crosses services has the properties of its outermost link that states them: addresses, layer 2, bit rates.

mod nets;

use std::collections::{BTreeMap, BTreeSet};

use self::nets::{Nets, net};
use super::against::{check_meetings, check_protocols};
use super::traffic::TrafficRule;
use super::{CpConnectivity, LocationConstraint, NsProfile, NsVirtualLink, Nsd, PnfProfile, Sap, VnfProfile, Vnffg};
use crate::code::Code;
use crate::diagnostic::{Diagnostics, Place, Severity, candidates};
use crate::link::{AffinityRule, AffinityType};

/// How deep services may nest.
const DEPTH_MAX: usize = 16;
/// How many services one may hold, at all depths: profiles that each hold some more grow quickly.
const SERVICES_MAX: usize = 500;

/// A network service and all that it nests.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FlatNsd {
    /// Everything: what is nested is called by its path, `inner/gw`; the service's own keeps its name.
    pub nsd: Nsd,
    /// The services: the outermost first, each after the one that holds it.
    pub services: Vec<FlatService>,
    homes: BTreeMap<String, (usize, String)>,
    /// Of graphs and traffic rules.
    packet_homes: BTreeMap<String, usize>,
}

/// One of the services.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FlatService {
    /// The profiles on the way to it: `inner/deep`; empty for the outermost.
    pub path: String,
    /// The service that holds it, by its position; `None` for the outermost.
    pub parent: Option<usize>,
    /// Its profile there.
    pub profile: String,
    /// `nsdId`.
    pub nsd_id: String,
    /// Its only flavour.
    pub flavour_id: String,
    /// Its links, each with the link of [`FlatNsd::nsd`] that it is a part of.
    pub links: BTreeMap<String, String>,
    /// Its SAPs that the service around it connects to a link, each with the net behind it.
    pub connected_saps: BTreeMap<String, String>,
}

impl FlatNsd {
    /// Lays a service flat; `known` are the descriptors that it may nest. Where there are errors, what they concern is left out.
    ///
    /// Errors: descriptors that are not known, a service in itself (with the path), SAPs that there are not, protocols without
    /// anything in common, nets that cannot be one.
    pub fn of(nsd: &Nsd, known: &[&Nsd]) -> (Self, Diagnostics) {
        let mut work = Work {
            known,
            services: Vec::new(),
            nets: Nets::default(),
            diagnostics: Diagnostics::default(),
        };
        work.enter(nsd, None, &[]);
        let flat = work.flatten();
        if work.services.len() > 1 {
            check_meetings(&mut work.diagnostics, &flat.nsd);
            flat.check_names(&mut work.diagnostics);
        }
        work.diagnostics.sort();
        (flat, work.diagnostics)
    }

    /// The service that a VNF, PNF or SAP of [`FlatNsd::nsd`] belongs to, and what it is called there.
    pub fn home(&self, name: &str) -> Option<(&FlatService, &str)> {
        let (service, own) = self.homes.get(name)?;
        Some((&self.services[*service], own))
    }

    /// A SAP that a service around its own connects to a link, by its path: its service, and the net behind it.
    pub fn behind(&self, sap: &str) -> Option<(&FlatService, &str)> {
        let nested = self.services.iter().skip(1);
        let mut found = nested.filter_map(|service| {
            let own = sap.strip_prefix(&service.path)?.strip_prefix('/')?;
            Some((service, service.connected_saps.get(own)?.as_str()))
        });
        found.next()
    }

    /// The service that a graph or a traffic rule of [`FlatNsd::nsd`] stands in.
    pub fn packet_home(&self, id: &str) -> Option<&FlatService> {
        self.packet_homes.get(id).map(|service| &self.services[*service])
    }

    /// A name with a `/` of its own may look like a path.
    fn check_names(&self, diagnostics: &mut Diagnostics) {
        let nsd = &self.nsd;
        let profiles = nsd.vnf_profiles.iter().map(|profile| &profile.id);
        let profiles = profiles.chain(nsd.pnf_profiles.iter().map(|profile| &profile.id));
        let profiles = profiles.chain(self.services.iter().map(|service| &service.path));
        let links = nsd.virtual_links.iter().map(|link| &link.id);
        let saps = nsd.saps.iter().map(|sap| &sap.id);
        let graphs = nsd.vnffgs.iter().map(|graph| &graph.id);
        let packets = graphs.chain(nsd.traffic_rules.iter().map(|rule| &rule.id));
        for all in [
            profiles.collect::<Vec<_>>(),
            links.collect(),
            saps.collect(),
            packets.collect(),
        ] {
            let mut seen = BTreeSet::new();
            for twice in all.into_iter().filter(|name| !seen.insert(*name)) {
                let message = format!("two things are called `{twice}`, one of them with a `/` in its own name");
                error(diagnostics, Code::NestedClash, &nsd.place, message, None);
            }
        }
    }
}

impl Nsd {
    /// The SAP that a service around this one calls so: the requirement that it is mapped to, or its own name; the only one there is
    /// for the requirement that every network service has.
    pub fn sap_called(&self, name: &str) -> Option<&Sap> {
        let mapped = self.saps.iter().find(|sap| sap.requirement.as_deref() == Some(name));
        let named = || self.saps.iter().find(|sap| sap.id == name);
        let only = || {
            self.saps
                .first()
                .filter(|_| self.saps.len() == 1 && name == "virtual_link")
        };
        mapped.or_else(named).or_else(only)
    }
}

/// `path/name`; the outermost service's own keep their names.
fn joined(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}/{name}")
    }
}

fn error(diagnostics: &mut Diagnostics, code: Code, place: &Option<Place>, message: String, help: Option<String>) {
    diagnostics.push_plain(Severity::Error, code, place.clone().unwrap_or_default(), message, help);
}

struct Work<'a> {
    known: &'a [&'a Nsd],
    services: Vec<Entered<'a>>,
    nets: Nets,
    diagnostics: Diagnostics,
}

struct Entered<'a> {
    nsd: &'a Nsd,
    path: String,
    parent: Option<usize>,
    profile: String,
    depth: usize,
    /// The first of its links among all.
    first_link: usize,
    connected_saps: BTreeSet<String>,
}

impl Entered<'_> {
    /// The SAPs that are connected, and the nets behind them; `on`: its links and their nets.
    fn nets_behind(&self, on: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let saps = self.nsd.saps.iter().filter(|sap| self.connected_saps.contains(&sap.id));
        saps.filter_map(|sap| Some((sap.id.clone(), on.get(sap.virtual_link.as_ref()?)?.clone())))
            .collect()
    }
}

impl<'a> Work<'a> {
    /// A service and what it nests; `around`: the ids of those that it is in, the outermost first. Goes as deep as services nest,
    /// and no deeper than [`DEPTH_MAX`].
    fn enter(&mut self, nsd: &'a Nsd, within: Option<(usize, &NsProfile)>, around: &[&str]) {
        let at = self.services.len();
        let profile = within.map(|(_, profile)| profile.id.clone()).unwrap_or_default();
        let first_link = self.nets.next.len();
        self.nets.next.extend(first_link..first_link + nsd.virtual_links.len());
        self.services.push(Entered {
            nsd,
            path: within.map_or_else(String::new, |(parent, _)| joined(&self.services[parent].path, &profile)),
            parent: within.map(|(parent, _)| parent),
            profile,
            depth: around.len(),
            first_link,
            connected_saps: BTreeSet::new(),
        });
        let around: Vec<&str> = around.iter().copied().chain([nsd.descriptor_id.as_str()]).collect();
        for profile in &nsd.nested_ns_profiles {
            let name = joined(&self.services[at].path, &profile.id);
            if around.contains(&profile.nsd_id.as_str()) {
                let way = around.join(" -> ");
                let message = format!("`{name}` uses an NSD that it is a part of: {way} -> {}", profile.nsd_id);
                error(&mut self.diagnostics, Code::NestedCycle, &profile.place, message, None);
                continue;
            }
            let Some(inner) = self.known.iter().find(|known| known.descriptor_id == profile.nsd_id) else {
                let message = format!("`{name}` uses NSD `{}`, which is not known", profile.nsd_id);
                let help = candidates(&profile.nsd_id, self.known.iter().map(|nsd| nsd.descriptor_id.as_str()));
                error(&mut self.diagnostics, Code::UnknownNsd, &profile.place, message, help);
                continue;
            };
            if around.len() >= DEPTH_MAX || self.services.len() >= SERVICES_MAX {
                let message =
                    format!("`{name}`: services nest {DEPTH_MAX} deep at most, and one holds {SERVICES_MAX} at most");
                error(&mut self.diagnostics, Code::NestedLimit, &profile.place, message, None);
                return;
            }
            if !profile.flavour_id.is_empty() && profile.flavour_id != inner.flavour_id {
                let message = format!(
                    "`{name}` has the flavour `{}`, and NSD `{}` has `{}`",
                    profile.flavour_id, inner.descriptor_id, inner.flavour_id
                );
                error(
                    &mut self.diagnostics,
                    Code::ConstituentDiffers,
                    &profile.place,
                    message,
                    None,
                );
            }
            let inner_at = self.services.len();
            self.enter(inner, Some((at, profile)), &around);
            for connection in &profile.connectivity {
                self.connect(at, inner_at, profile, connection);
            }
        }
    }

    /// A link of a service to the link behind a SAP of one that it holds.
    fn connect(&mut self, outer_at: usize, inner_at: usize, profile: &NsProfile, connection: &CpConnectivity) {
        let (outer, inner) = (self.services[outer_at].nsd, self.services[inner_at].nsd);
        let diagnostics = &mut self.diagnostics;
        let Some(sap) = inner.sap_called(&connection.cpd) else {
            let message = format!(
                "NSD `{}` of `{}` has no SAP `{}`",
                inner.descriptor_id, profile.id, connection.cpd
            );
            let names = inner
                .saps
                .iter()
                .map(|sap| sap.requirement.as_deref().unwrap_or(&sap.id));
            let help = candidates(&connection.cpd, names);
            return error(diagnostics, Code::UnknownExtCp, &connection.place, message, help);
        };
        let position = |nsd: &Nsd, id: &str| nsd.virtual_links.iter().position(|link| link.id == id);
        let behind = sap.virtual_link.as_deref().and_then(|link| position(inner, link));
        let Some(behind) = behind else {
            let message = format!(
                "SAP `{}` of NSD `{}` has no link behind it",
                sap.id, inner.descriptor_id
            );
            return error(diagnostics, Code::UnknownExtCp, &connection.place, message, None);
        };
        let Some(before) = position(outer, &connection.virtual_link) else {
            return;
        };
        check_protocols(diagnostics, outer, connection, &sap.layer_protocols);
        let carried = &inner.virtual_links[behind].connectivity_type.layer_protocols;
        check_protocols(diagnostics, outer, connection, carried);
        let (before, behind) = (
            self.services[outer_at].first_link + before,
            self.services[inner_at].first_link + behind,
        );
        self.nets.join(before, behind);
        self.services[inner_at].connected_saps.insert(sap.id.clone());
    }

    fn flatten(&mut self) -> FlatNsd {
        let names = self.net_names();
        let mut flat = FlatNsd::default();
        if let Some(root) = self.services.first() {
            // What only the outermost service has: its head and its levels.
            flat.nsd = Nsd {
                vnf_profiles: vec![],
                pnf_profiles: vec![],
                nested_ns_profiles: vec![],
                virtual_links: vec![],
                saps: vec![],
                affinity_rules: vec![],
                location_constraints: vec![],
                vnffgs: vec![],
                traffic_rules: vec![],
                ..root.nsd.clone()
            };
        }
        let mut links: BTreeMap<&str, Vec<(usize, &NsVirtualLink)>> = BTreeMap::new();
        for (at, service) in self.services.iter().enumerate() {
            let own = service.nsd.virtual_links.iter().enumerate();
            let own = own.map(|(n, link)| (link, names[service.first_link + n].as_str()));
            let mut on = BTreeMap::new();
            for (link, name) in own {
                on.insert(link.id.clone(), name.to_owned());
                links.entry(name).or_default().push((service.depth, link));
            }
            flat.add(at, service, &on);
            flat.services.push(FlatService {
                path: service.path.clone(),
                parent: service.parent,
                profile: service.profile.clone(),
                nsd_id: service.nsd.descriptor_id.clone(),
                flavour_id: service.nsd.flavour_id.clone(),
                connected_saps: service.nets_behind(&on),
                links: on,
            });
        }
        flat.spread();
        // In the order of the descriptors, the outermost first.
        let mut seen = BTreeSet::new();
        for name in names.iter().filter(|name| seen.insert(name.as_str())) {
            let mut parts = links.remove(name.as_str()).unwrap_or_default();
            parts.sort_by_key(|(depth, _)| *depth);
            flat.nsd.virtual_links.extend(net(name, &parts, &mut self.diagnostics));
        }
        flat
    }

    /// For each link what its net is called: as its outermost link, the first of them.
    fn net_names(&mut self) -> Vec<String> {
        let mut outermost: BTreeMap<usize, (usize, String)> = BTreeMap::new();
        for service in &self.services {
            for (n, link) in service.nsd.virtual_links.iter().enumerate() {
                let net = self.nets.root(service.first_link + n);
                let known = outermost.get(&net).map(|(depth, _)| *depth);
                if known.is_none_or(|known| service.depth < known) {
                    outermost.insert(net, (service.depth, joined(&service.path, &link.id)));
                }
            }
        }
        (0..self.nets.next.len())
            .map(|at| outermost[&self.nets.root(at)].1.clone())
            .collect()
    }
}

impl FlatNsd {
    /// The constituents of a service, its rules and its open SAPs; `on`: its links and the nets that they are.
    fn add(&mut self, at: usize, service: &Entered<'_>, on: &BTreeMap<String, String>) {
        let (nsd, path) = (service.nsd, &service.path);
        let connected = |connectivity: &[CpConnectivity]| -> Vec<CpConnectivity> {
            let each = connectivity.iter().map(|connection| CpConnectivity {
                virtual_link: on
                    .get(&connection.virtual_link)
                    .unwrap_or(&connection.virtual_link)
                    .clone(),
                ..connection.clone()
            });
            each.collect()
        };
        let mut homes = Vec::new();
        let mut called = |own: &str| {
            let name = joined(path, own);
            homes.push((name.clone(), (at, own.to_owned())));
            name
        };
        for profile in &nsd.vnf_profiles {
            let mut flat = VnfProfile {
                id: called(&profile.id),
                connectivity: connected(&profile.connectivity),
                ..profile.clone()
            };
            if at > 0 {
                // A nested service is at its default level: the levels of the outermost do not name what it holds.
                flat.min_number_of_instances = nsd.instances_at(profile, None);
            }
            self.nsd.vnf_profiles.push(flat);
        }
        for profile in &nsd.pnf_profiles {
            self.nsd.pnf_profiles.push(PnfProfile {
                id: called(&profile.id),
                connectivity: connected(&profile.connectivity),
                ..profile.clone()
            });
        }
        for sap in nsd.saps.iter().filter(|sap| !service.connected_saps.contains(&sap.id)) {
            self.nsd.saps.push(Sap {
                id: called(&sap.id),
                virtual_link: sap
                    .virtual_link
                    .as_ref()
                    .map(|link| on.get(link).unwrap_or(link).clone()),
                ..sap.clone()
            });
        }
        self.homes.extend(homes);
        let here: Vec<AffinityRule> = nsd
            .affinity_rules
            .iter()
            .map(|rule| AffinityRule {
                id: joined(path, &rule.id),
                targets: rule.targets.iter().map(|target| joined(path, target)).collect(),
                ..rule.clone()
            })
            .collect();
        self.nsd.affinity_rules.extend(here);
        let here = nsd.location_constraints.iter().map(|place| LocationConstraint {
            profile: joined(path, &place.profile),
            ..place.clone()
        });
        self.nsd.location_constraints.extend(here);
        self.add_packets(at, service, on);
    }

    /// Graphs and traffic rules: what they name is called by its path, and a link as its net.
    fn add_packets(&mut self, at: usize, service: &Entered<'_>, on: &BTreeMap<String, String>) {
        let path = &service.path;
        let called = |name: &String| on.get(name).cloned().unwrap_or_else(|| joined(path, name));
        for graph in &service.nsd.vnffgs {
            let mut graph = Vnffg {
                id: joined(path, &graph.id),
                profiles: graph.profiles.iter().map(|profile| joined(path, profile)).collect(),
                virtual_links: graph.virtual_links.iter().map(called).collect(),
                ..graph.clone()
            };
            for nfp in &mut graph.paths {
                nfp.id = joined(path, &nfp.id);
                for element in &mut nfp.elements {
                    element.profile = joined(path, &element.profile);
                }
            }
            self.packet_homes.insert(graph.id.clone(), at);
            self.nsd.vnffgs.push(graph);
        }
        for rule in &service.nsd.traffic_rules {
            let rule = TrafficRule {
                id: joined(path, &rule.id),
                targets: rule.targets.iter().map(called).collect(),
                ..rule.clone()
            };
            self.packet_homes.insert(rule.id.clone(), at);
            self.nsd.traffic_rules.push(rule);
        }
    }

    /// VNF profiles that a name stands for: its own, or all of the nested service of that name.
    pub fn members(&self, name: &str) -> Vec<String> {
        if !self.services.iter().skip(1).any(|service| service.path == name) {
            return vec![name.to_owned()];
        }
        let is_inside = |path: &str| path == name || path.strip_prefix(name).is_some_and(|rest| rest.starts_with('/'));
        let inside = self.nsd.vnf_profiles.iter().map(|profile| &profile.id);
        inside
            .filter(|id| self.home(id).is_some_and(|(service, _)| is_inside(&service.path)))
            .cloned()
            .collect()
    }

    /// Rules and places of nested services become those of their VNFs. Apart means each of one from each of the other.
    fn spread(&mut self) {
        let mut rules = Vec::new();
        for rule in std::mem::take(&mut self.nsd.affinity_rules) {
            let members: Vec<Vec<String>> = rule.targets.iter().map(|target| self.members(target)).collect();
            if rule.kind == AffinityType::Affinity || members.concat() == rule.targets {
                let targets = members.concat();
                rules.push(AffinityRule { targets, ..rule });
                continue;
            }
            for (at, one) in members.iter().enumerate() {
                for other in &members[..at] {
                    let pairs = one
                        .iter()
                        .flat_map(|a| other.iter().map(move |b| vec![a.clone(), b.clone()]));
                    rules.extend(pairs.map(|targets| AffinityRule {
                        targets,
                        ..rule.clone()
                    }));
                }
            }
        }
        self.nsd.affinity_rules = rules;
        let places = std::mem::take(&mut self.nsd.location_constraints);
        let each = |place: LocationConstraint| {
            let members = self.members(&place.profile).into_iter();
            members
                .map(move |profile| LocationConstraint {
                    profile,
                    ..place.clone()
                })
                .collect::<Vec<_>>()
        };
        let places = places.into_iter().flat_map(each).collect();
        self.nsd.location_constraints = places;
    }
}
