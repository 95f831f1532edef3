//! Forwarding paths and traffic rules of an NS, as its NSD and its layout have them. Pure; `packets` makes them.
//!
//! A path goes through the first instance of each VNF that it names, at the first VNFC that exposes the connection point: a VNFC
//! that is healed keeps its ports, so it keeps the path. Its packets come from whoever is on the network of its first function, or
//! from a SAP that stands first. All of a path is at one site.

use manifold_call::CallError;
use manifold_descriptors::FlatNsd;
use manifold_descriptors::nsd::{self, NfpClassifier, Nsd};
use manifold_vim_interface::{Metadata, NfpRule, PortRange, TrafficAction, TrafficDirection, TrafficRuleData, Window};
use serde::{Deserialize, Serialize};

use super::flat::is_below;
use super::layout::{Layout, PlannedVnf};
use crate::fault::Faults;

/// A path to make.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PlannedPath {
    pub(crate) name: String,
    pub(crate) vim: String,
    pub(crate) places: Vec<Place>,
    pub(crate) rules: Vec<NfpRule>,
    pub(crate) priority: u32,
    pub(crate) schedule: Vec<Window>,
}

/// What a path passes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Place {
    Sap {
        sapd: String,
    },
    /// A VNF, by the external connection points that packets go in and come out by.
    Vnf {
        key: String,
        ingress: String,
        egress: String,
    },
}

/// A traffic rule to make; its targets are filled in when they are there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PlannedRule {
    pub(crate) vim: String,
    pub(crate) targets: Vec<Target>,
    pub(crate) data: TrafficRuleData,
}

/// What a rule is for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Target {
    Network {
        link: String,
    },
    Vnf {
        key: String,
        /// Only what is on this external connection point.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cpd: Option<String>,
    },
    Sap {
        sapd: String,
    },
}

/// A path or a rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Packet {
    Path(PlannedPath),
    Rule(PlannedRule),
}

impl PlannedPath {
    /// Names the step that makes it, and it in its NS.
    pub(crate) fn step(&self) -> String {
        format!("path/{}@{}", self.name, self.vim)
    }

    /// Whether its packets come from whoever is on the network of its first function.
    pub(crate) fn is_from_network(&self) -> bool {
        !matches!(self.places.first(), Some(Place::Sap { .. }))
    }
}

impl PlannedRule {
    /// Names the step that makes it, and it in its NS.
    pub(crate) fn step(&self) -> String {
        format!("traffic/{}@{}", self.data.name, self.vim)
    }
}

impl Packet {
    /// Names the step that makes it, and it in its NS.
    pub(crate) fn step(&self) -> String {
        match self {
            Self::Path(path) => path.step(),
            Self::Rule(rule) => rule.step(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Path(path) => &path.name,
            Self::Rule(rule) => &rule.data.name,
        }
    }

    pub(crate) fn vim(&self) -> &str {
        match self {
            Self::Path(path) => &path.vim,
            Self::Rule(rule) => &rule.vim,
        }
    }

    pub(crate) fn is_path(&self) -> bool {
        matches!(self, Self::Path(_))
    }

    /// What it passes or is for.
    pub(crate) fn targets(&self) -> Vec<Target> {
        match self {
            Self::Path(path) => path.places.iter().map(Place::target).collect(),
            Self::Rule(rule) => rule.targets.clone(),
        }
    }
}

impl Place {
    fn target(&self) -> Target {
        match self {
            Self::Sap { sapd } => Target::Sap { sapd: sapd.clone() },
            Self::Vnf { key, .. } => Target::Vnf {
                key: key.clone(),
                cpd: None,
            },
        }
    }
}

/// What the NSD says of packets, at the sites of the layout.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Packets {
    pub(crate) paths: Vec<PlannedPath>,
    pub(crate) rules: Vec<PlannedRule>,
}

impl Packets {
    /// Of an NSD that is laid flat. Errors: `Unsupported` (a path through what is no VNF and no SAP, or over several sites).
    pub(crate) fn of(nsd: &FlatNsd, layout: &Layout) -> Result<Self, CallError> {
        let (packets, faults) = Self::read(nsd, layout);
        faults.check().map(|()| packets)
    }

    /// The same, with what is wrong left out.
    pub(crate) fn read(nsd: &FlatNsd, layout: &Layout) -> (Self, Faults) {
        let mut faults = Faults::default();
        let mut packets = Self::default();
        for path in nsd.nsd.vnffgs.iter().flat_map(|graph| &graph.paths) {
            packets.paths.extend(paths(nsd, layout, path, &mut faults));
        }
        for rule in &nsd.nsd.traffic_rules {
            packets.rules.extend(rules(nsd, layout, rule));
        }
        (packets, faults)
    }

    /// Each path, then each rule.
    pub(crate) fn each(&self) -> impl Iterator<Item = Packet> {
        let paths = self.paths.iter().cloned().map(Packet::Path);
        paths.chain(self.rules.iter().cloned().map(Packet::Rule))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.paths.is_empty() && self.rules.is_empty()
    }

    pub(crate) fn insert(&mut self, packet: Packet) {
        self.remove(&packet.step());
        match packet {
            Packet::Path(path) => self.paths.push(path),
            Packet::Rule(rule) => self.rules.push(rule),
        }
    }

    /// By the name of its step.
    pub(crate) fn remove(&mut self, step: &str) {
        self.paths.retain(|path| path.step() != step);
        self.rules.retain(|rule| rule.step() != step);
    }

    /// The VIMs that it asks for something.
    pub(crate) fn vims(&self) -> impl Iterator<Item = &String> {
        let paths = self.paths.iter().map(|path| &path.vim);
        paths.chain(self.rules.iter().map(|rule| &rule.vim))
    }
}

/// A path of the NSD: one at the VIM for each of its rules, which have priorities and times of their own.
fn paths(flat: &FlatNsd, layout: &Layout, path: &nsd::Nfp, faults: &mut Faults) -> Vec<PlannedPath> {
    let mut places = Vec::new();
    let mut sites: Vec<&str> = Vec::new();
    let mut before: Option<&str> = None;
    for (at, element) in path.elements.iter().enumerate() {
        // Packets from or to behind a SAP that is connected are those of the net that it is connected to.
        if let Some((_, net)) = flat.behind(&element.profile)
            && (at == 0 || at + 1 == path.elements.len())
        {
            before = Some(net);
            continue;
        }
        if let Some(sap) = layout.saps.iter().find(|sap| sap.sapd == element.profile) {
            sites.push(&sap.vim);
            before = Some(&sap.link);
            places.push(Place::Sap { sapd: sap.sapd.clone() });
            continue;
        }
        let Some(vnf) = layout.vnfs.iter().find(|vnf| vnf.profile == element.profile) else {
            faults.push(
                CallError::unsupported(format!(
                    "path {} goes through {}, which is no VNF and no realised SAP of the NS",
                    path.id, element.profile
                ))
                .cure("let the path go through VNFs of the NSD that it stands in"),
            );
            return Vec::new();
        };
        sites.push(&vnf.vim);
        let Some((ingress, egress)) = ends(&flat.nsd, vnf, element, before) else {
            faults.invalid(format!(
                "path {}: {} has no connection point of that name, or none",
                path.id, element.profile
            ));
            return Vec::new();
        };
        before = vnf
            .ends
            .iter()
            .find(|(cpd, _)| *cpd == egress)
            .map(|(_, link)| link.as_str());
        places.push(Place::Vnf {
            key: vnf.key.clone(),
            ingress,
            egress,
        });
    }
    let Some(vim) = sites.first() else { return Vec::new() };
    if let Some(other) = sites.iter().find(|site| site != &vim) {
        faults.push(
            CallError::unsupported(format!("path {} would cross from site {vim} to {other}", path.id))
                .cure("ask for one site for all that it goes through"),
        );
        return Vec::new();
    }
    let made = |name: &str, rules: Vec<NfpRule>, priority: u32, schedule: &[nsd::Window]| PlannedPath {
        name: name.to_owned(),
        vim: (*vim).to_owned(),
        places: places.clone(),
        rules,
        priority,
        schedule: schedule.iter().map(window).collect(),
    };
    if path.rules.is_empty() {
        return vec![made(&path.id, Vec::new(), 0, &[])];
    }
    let name = |rule: &nsd::NfpRule| match path.rules.len() {
        1 => path.id.clone(),
        _ => format!("{}.{}", path.id, rule.id),
    };
    let each = |rule: &nsd::NfpRule| made(&name(rule), classes(&rule.classifier), rule.priority, &rule.schedule);
    path.rules.iter().map(each).collect()
}

/// The connection points, by their descriptors' ids, that packets go in and come out by. What is not said: in from the link that
/// the path comes from, out by the other one of two.
fn ends(nsd: &Nsd, vnf: &PlannedVnf, element: &nsd::NfpElement, before: Option<&str>) -> Option<(String, String)> {
    let connectivity = nsd.vnf_profile(&vnf.profile).map(|profile| &profile.connectivity)?;
    // Both are in the order of the profile.
    let called = |name: &String| {
        let at = connectivity.iter().position(|connection| connection.cpd == *name)?;
        vnf.ends.get(at).map(|(cpd, _)| cpd.clone())
    };
    let ingress = match &element.ingress {
        Some(name) => called(name)?,
        None => {
            let near = vnf.ends.iter().find(|(_, link)| Some(link.as_str()) == before);
            near.or(vnf.ends.first())?.0.clone()
        }
    };
    let egress = match (&element.egress, &element.ingress, &vnf.ends[..]) {
        (Some(name), ..) => called(name)?,
        (None, None, [one, other]) => {
            let other = if one.0 == ingress { other } else { one };
            other.0.clone()
        }
        _ => ingress.clone(),
    };
    Some((ingress, egress))
}

fn rules(flat: &FlatNsd, layout: &Layout, rule: &nsd::TrafficRule) -> Vec<PlannedRule> {
    let mut at: Vec<(String, Target)> = Vec::new();
    for target in &rule.targets {
        let saps = layout.saps.iter().filter(|sap| sap.sapd == *target);
        at.extend(saps.map(|sap| (sap.vim.clone(), Target::Sap { sapd: sap.sapd.clone() })));
        let vnfs = layout.vnfs.iter();
        let vnfs = vnfs.filter(|vnf| vnf.profile == *target || is_below(target, &vnf.profile));
        let whole = |vnf: &PlannedVnf| Target::Vnf {
            key: vnf.key.clone(),
            cpd: None,
        };
        at.extend(vnfs.map(|vnf| (vnf.vim.clone(), whole(vnf))));
        // Behind a SAP that is connected are connection points of its service.
        if let Some((service, net)) = flat.behind(target) {
            for vnf in layout.vnfs.iter().filter(|vnf| is_below(&service.path, &vnf.profile)) {
                let on = vnf.ends.iter().filter(|(_, link)| link == net);
                let on = on.map(|(cpd, _)| Target::Vnf {
                    key: vnf.key.clone(),
                    cpd: Some(cpd.clone()),
                });
                at.extend(on.map(|target| (vnf.vim.clone(), target)));
            }
        }
        for link in layout.links.iter().filter(|link| link.link == *target) {
            let network = Target::Network {
                link: link.link.clone(),
            };
            at.extend(link.vims.iter().map(|vim| (vim.clone(), network.clone())));
        }
    }
    let mut vims: Vec<&String> = at.iter().map(|(vim, _)| vim).collect();
    vims.sort();
    vims.dedup();
    let mut all = Vec::new();
    for vim in vims {
        let here = at.iter().filter(|(at, _)| at == vim);
        let targets: Vec<Target> = here.map(|(_, target)| target.clone()).collect();
        let classes = classes(&rule.classifier);
        for (number, classifier) in classes.iter().enumerate() {
            let name = match classes.len() {
                1 => rule.id.clone(),
                _ => format!("{}.{}", rule.id, number + 1),
            };
            all.push(PlannedRule {
                vim: vim.clone(),
                targets: targets.clone(),
                data: TrafficRuleData {
                    name,
                    targets: Vec::new(),
                    direction: TrafficDirection::Both,
                    classifier: classifier.clone(),
                    priority: rule.priority,
                    action: match rule.action {
                        nsd::TrafficAction::Block => TrafficAction::Block,
                        nsd::TrafficAction::Allow => TrafficAction::Allow,
                        nsd::TrafficAction::Limit { bits_per_second } => TrafficAction::Limit { bits_per_second },
                        nsd::TrafficAction::Precedence(level) => TrafficAction::Precedence { level },
                    },
                    schedule: rule.schedule.iter().map(window).collect(),
                    metadata: Metadata::new(),
                },
            });
        }
    }
    all
}

/// A classifier as the VIM reads it: one for each VLAN.
fn classes(of: &NfpClassifier) -> Vec<NfpRule> {
    let range = |range: nsd::PortRange| PortRange {
        lower: range.lower,
        upper: range.upper,
    };
    let one = |vlan_tag: Option<u16>| NfpRule {
        ether_destination_address: of.ether_destination_address.clone(),
        ether_source_address: of.ether_source_address.clone(),
        ether_type: of.ether_type,
        vlan_tag,
        protocol: of.protocol,
        dscp: of.dscp,
        source_port_range: of.source_port_range.map(range),
        destination_port_range: of.destination_port_range.map(range),
        source_ip_address_prefix: of.source_ip_address_prefix,
        destination_ip_address_prefix: of.destination_ip_address_prefix,
    };
    if of.vlan_tag.is_empty() {
        vec![one(None)]
    } else {
        of.vlan_tag.iter().map(|vlan| one(Some(*vlan))).collect()
    }
}

fn window(of: &nsd::Window) -> Window {
    Window {
        days: Vec::new(),
        from_s: Some(of.daily_from),
        until_s: Some(of.daily_until),
        not_before: of.from,
        not_after: of.until,
    }
}
