//! A scenario: VNFs, and the networks that join their interfaces.

use std::collections::{BTreeMap, BTreeSet};

use super::{FLAVOUR, PROVIDER, VERSION};
use crate::code::Code;
use crate::fields::{Fields, Names, Reader, Word};
use crate::link::ConnectivityType;
use crate::nsd::{CpConnectivity, NsVirtualLink, Nsd, Sap, VnfProfile};
use crate::source::Span;
use crate::yaml::{Data, Node};

pub(crate) fn read(reader: &mut Reader, root: &Node) -> Option<Nsd> {
    let mut top = Fields::of(reader, root, "a scenario's file")?;
    let version = top.word(reader, "schema_version");
    let by_version = version
        .as_ref()
        .map(|version| version.text.clone())
        .unwrap_or_else(|| "0.1".to_owned());
    if root.get("topology").is_some() {
        return first(reader, top);
    }
    let is_third = match by_version.as_str() {
        "0.2" | "2" => false,
        "0.3" | "3" => true,
        _ => {
            let span = version.map_or(root.span, |version| version.span);
            let message = format!(
                "a scenario of schema `{by_version}` is not known here: 0.1 (with `topology`), 0.2 and 0.3 are"
            );
            reader.report.error(Code::SchemaVersion, span, message);
            false
        }
    };
    let scenario = top.map(reader, "scenario", "a scenario");
    top.finish(reader);
    let mut scenario = scenario?;
    let mut made = Making::new(reader, &mut scenario);
    scenario.without_effect(reader, &["tenant_id", "public", "cloud-config"]);
    for (name, span, node) in named(reader, scenario.get("vnfs"), "vnfs") {
        let Some(mut vnf) = Fields::of(reader, node, "a VNF of a scenario") else {
            continue;
        };
        let model = vnf.word(reader, "vnf_name");
        let id = vnf.word(reader, "vnf_id");
        vnf.without_effect(reader, &["graph", "internal-connections"]);
        vnf.finish(reader);
        let model = model.or(id).map(|model| model.text);
        if model.is_none() {
            reader
                .report
                .error(Code::FieldMissing, span, format!("VNF `{name}` has no `vnf_name`"));
        }
        // Its ends are looked at all the same: one fault, no echo.
        made.vnf(reader, name, span, model.unwrap_or_default());
    }
    for (name, span, node) in named(reader, scenario.get("networks"), "networks") {
        let Some(mut network) = Fields::of(reader, node, "a network") else {
            continue;
        };
        let kind = network.word(reader, "type");
        let is_external = network.flag(reader, "external").unwrap_or(false);
        network.without_effect(reader, &["graph", "implementation"]);
        let l3 = super::ip_profile(reader, &mut network);
        let mut ends = Vec::new();
        for item in network.list(reader, "interfaces") {
            if is_third || item.get("vnf_interface").is_some() {
                let Some(mut end) = Fields::of(reader, item, "an end of a network") else {
                    continue;
                };
                let (vnf, iface) = (end.need(reader, "vnf"), end.need(reader, "vnf_interface"));
                end.without_effect(reader, &["ip_address"]);
                end.finish(reader);
                ends.extend(vnf.zip(iface));
            } else {
                ends.extend(pairs(reader, item));
            }
        }
        network.finish(reader);
        let flow_pattern = kind.and_then(|kind| super::vnf::flow_pattern(reader, &kind, ends.len()));
        made.network(reader, name, span, flow_pattern, is_external, ends);
        if let (Some(l3), Some(link)) = (l3, made.nsd.virtual_links.last_mut()) {
            link.l3.push(l3);
        }
    }
    scenario.finish(reader);
    made.done(reader)
}

/// Schema 0.1: a topology of nodes, some of which are networks, and connections.
fn first(reader: &mut Reader, mut top: Fields<'_>) -> Option<Nsd> {
    let mut made = Making::new(reader, &mut top);
    top.without_effect(reader, &["tenant_id", "public"]);
    let topology = top.map(reader, "topology", "a topology");
    top.finish(reader);
    let mut topology = topology?;
    let mut networks: BTreeMap<String, (Span, bool)> = BTreeMap::new();
    for (name, span, node) in named(reader, topology.get("nodes"), "nodes") {
        let Some(mut fields) = Fields::of(reader, node, "a node of a topology") else {
            continue;
        };
        let kind = fields.need(reader, "type");
        let model = fields.word(reader, "VNF model");
        let model = fields.word(reader, "model").or(model);
        let model = model.or(fields.word(reader, "vnf_id"));
        fields.without_effect(reader, &["graph"]);
        fields.finish(reader);
        let Some(kind) = kind else { continue };
        match (kind.text.as_str(), model) {
            ("VNF", Some(model)) => made.vnf(reader, name, span, model.text),
            ("VNF", None) => {
                reader
                    .report
                    .error(Code::FieldMissing, span, format!("VNF `{name}` has no `VNF model`"));
                made.vnf(reader, name, span, String::new());
            }
            ("network" | "other_network" | "external_network", _) => {
                networks.insert(name, (span, kind.text == "external_network"));
            }
            (other, _) => {
                let message =
                    format!("`{other}` is no type of a node: VNF, network, other_network and external_network are");
                reader.report.error(Code::FieldMalformed, kind.span, message);
            }
        }
    }
    // A connection that names a network puts its other ends onto that network.
    let mut onto: BTreeMap<String, Vec<(Word, Word)>> = BTreeMap::new();
    for (name, span, node) in named(reader, topology.get("connections"), "connections") {
        let Some(mut fields) = Fields::of(reader, node, "a connection") else {
            continue;
        };
        let kind = fields.word(reader, "type");
        fields.without_effect(reader, &["graph"]);
        let mut ends = Vec::new();
        let nodes = fields.get("nodes");
        match nodes.map(|nodes| &nodes.data) {
            Some(Data::Seq(items)) => items.iter().for_each(|item| ends.extend(pairs(reader, item))),
            Some(_) => ends.extend(pairs(reader, nodes.unwrap_or(node))),
            None => reader
                .report
                .error(Code::FieldMissing, span, format!("connection `{name}` has no `nodes`")),
        }
        fields.finish(reader);
        let named = ends.iter().position(|(node, _)| networks.contains_key(&node.text));
        match named {
            Some(at) => {
                let (network, _) = ends.remove(at);
                onto.entry(network.text).or_default().extend(ends);
            }
            None => {
                let is_external = kind.as_ref().is_some_and(|kind| kind.text == "external_network");
                let pattern = kind.and_then(|kind| super::vnf::flow_pattern(reader, &kind, ends.len()));
                made.network(reader, name, span, pattern, is_external, ends);
            }
        }
    }
    for (name, (span, is_external)) in networks {
        let ends = onto.remove(&name).unwrap_or_default();
        made.network(reader, name, span, None, is_external, ends);
    }
    topology.finish(reader);
    made.done(reader)
}

/// The entries of a mapping by name.
fn named<'n>(reader: &mut Reader, node: Option<&'n Node>, what: &str) -> Vec<(String, Span, &'n Node)> {
    let Some(node) = node else { return vec![] };
    if !matches!(node.data, Data::Map(_)) {
        let message = format!("`{what}` must be a map; this is {}", node.kind());
        reader.report.error(Code::FieldMalformed, node.span, message);
    }
    node.entries()
        .iter()
        .map(|(key, value)| (key.name.clone(), key.span, value))
        .collect()
}

/// `node: interface`, once or several times in one mapping; the interface of a network is nothing.
fn pairs(reader: &mut Reader, item: &Node) -> Vec<(Word, Word)> {
    if item.entries().is_empty() {
        let message = format!("an end is written `vnf: interface`; this is {}", item.kind());
        reader.report.error(Code::FieldMalformed, item.span, message);
    }
    let mut ends = Vec::new();
    for (key, value) in item.entries() {
        if value.text().is_none() && !value.is_null() {
            let message = format!(
                "the interface of `{}` must be a name; this is {}",
                key.name,
                value.kind()
            );
            reader.report.error(Code::FieldMalformed, value.span, message);
            continue;
        }
        let word = |text: &str, span| Word {
            text: text.trim().to_owned(),
            span,
        };
        ends.push((
            word(&key.name, key.span),
            word(value.text().unwrap_or_default(), value.span),
        ));
    }
    ends
}

/// The NSD while it is made.
struct Making {
    nsd: Nsd,
    has_name: bool,
    names: Names,
    /// Index of a profile by the VNF's name.
    profiles: BTreeMap<String, usize>,
    /// Ends that are connected.
    connected: BTreeMap<(String, String), String>,
    networks: BTreeSet<String>,
}

impl Making {
    fn new(reader: &mut Reader, fields: &mut Fields<'_>) -> Self {
        let name = fields.need(reader, "name").map(|name| name.text);
        fields.without_effect(reader, &["description"]);
        Self {
            has_name: name.is_some(),
            nsd: Nsd {
                descriptor_id: name.clone().unwrap_or_default(),
                invariant_id: name.clone().unwrap_or_default(),
                name: name.unwrap_or_default(),
                designer: PROVIDER.to_owned(),
                version: VERSION.to_owned(),
                flavour_id: FLAVOUR.to_owned(),
                place: Some(reader.report.place(fields.span())),
                ..Nsd::default()
            },
            names: Names::default(),
            profiles: BTreeMap::new(),
            connected: BTreeMap::new(),
            networks: BTreeSet::new(),
        }
    }

    fn vnf(&mut self, reader: &mut Reader, name: String, span: Span, model: String) {
        let id = self.names.give(&name);
        self.profiles.insert(name, self.nsd.vnf_profiles.len());
        self.nsd.vnf_profiles.push(VnfProfile {
            id,
            vnfd_id: model,
            flavour_id: FLAVOUR.to_owned(),
            min_number_of_instances: 1,
            max_number_of_instances: 1,
            place: Some(reader.report.place(span)),
            ..VnfProfile::default()
        });
    }

    fn network(
        &mut self,
        reader: &mut Reader,
        name: String,
        span: Span,
        flow_pattern: Option<String>,
        is_external: bool,
        ends: Vec<(Word, Word)>,
    ) {
        if !self.networks.insert(name.clone()) {
            reader
                .report
                .error(Code::NameTwice, span, format!("there are two networks `{name}`"));
        }
        let id = self.names.give(&name);
        for (vnf, iface) in ends {
            let Some(profile) = self.profiles.get(&vnf.text).copied() else {
                let message = format!("there is no VNF `{}` in the scenario", vnf.text);
                reader.unknown_name(vnf.span, message, &vnf.text, self.profiles.keys().map(String::as_str));
                continue;
            };
            if iface.text.is_empty() {
                let message = format!("`{}` is connected by no interface", vnf.text);
                reader.report.error(Code::FieldMissing, vnf.span, message);
                continue;
            }
            let end = (vnf.text.clone(), iface.text.clone());
            if let Some(other) = self.connected.get(&end) {
                let message = format!("`{}` of `{}` is on `{other}` already", iface.text, vnf.text);
                reader.report.error(Code::NameTwice, iface.span, message);
                continue;
            }
            self.connected.insert(end, name.clone());
            self.nsd.vnf_profiles[profile].connectivity.push(CpConnectivity {
                cpd: iface.text,
                virtual_link: id.clone(),
                place: Some(reader.report.place(iface.span)),
            });
        }
        let place = Some(reader.report.place(span));
        if is_external {
            self.nsd.saps.push(Sap {
                id: self.names.give(&format!("{name}-sap")),
                layer_protocols: super::vnf::PROTOCOLS.to_vec(),
                virtual_link: Some(id.clone()),
                requirement: Some(name.clone()),
                place: place.clone(),
                ..Sap::default()
            });
        }
        self.nsd.virtual_links.push(NsVirtualLink {
            id,
            connectivity_type: ConnectivityType {
                layer_protocols: super::vnf::PROTOCOLS.to_vec(),
                flow_pattern,
            },
            place,
            ..NsVirtualLink::default()
        });
    }

    fn done(self, reader: &mut Reader) -> Option<Nsd> {
        let connected: BTreeSet<&str> = self
            .nsd
            .vnf_profiles
            .iter()
            .flat_map(|profile| profile.connectivity.iter().map(|c| c.virtual_link.as_str()))
            .collect();
        for link in self
            .nsd
            .virtual_links
            .iter()
            .filter(|link| !connected.contains(link.id.as_str()))
        {
            let place = link.place.clone().unwrap_or_default();
            let message = format!("network `{}` connects nothing", link.id);
            let severity = crate::Severity::Warning;
            reader
                .report
                .diagnostics
                .push_plain(severity, Code::LinkUnused, place, message, None);
        }
        self.has_name.then_some(self.nsd)
    }
}
