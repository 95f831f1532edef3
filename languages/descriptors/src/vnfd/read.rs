//! A VNFD out of its definitions: the entry may be the one flavour, or a frame that imports a template per flavour (SOL001 clause 6.11).

use std::collections::{BTreeMap, BTreeSet};

use super::{DeploymentFlavour, LcmOperations, Vnfd};
use crate::code::Code;
use crate::source::Report;
use crate::tosca::template::{NodeTemplate, Topology};
use crate::tosca::types::{Sort, Types};
use crate::tosca::values::{Env, layered};
use crate::yaml::{Data, Key, Node};

pub(crate) const VNF: &str = "tosca.nodes.nfv.VNF";

/// Reads the VNFD of these topologies, the entry's first.
pub(crate) fn vnfd(
    report: &mut Report,
    types: &Types,
    topologies: &[Topology],
    artifacts: Option<&BTreeSet<String>>,
) -> Option<Vnfd> {
    let is_flavour = |topology: &Topology| {
        topology
            .substitution
            .as_ref()
            .is_some_and(|substitution| types.is_a(Sort::Node, &substitution.node_type, VNF))
    };
    let entry = topologies.first()?;
    let entry_vnf = entry.nodes_of(types, VNF).next();
    let mut templates: Vec<&Topology> = topologies.iter().filter(|topology| is_flavour(topology)).collect();
    if templates.is_empty() && entry_vnf.is_some() {
        templates.push(entry);
    }
    // The frame gives values only when it is not itself a flavour.
    let frame = entry_vnf.filter(|_| !templates.iter().any(|topology| std::ptr::eq(*topology, entry)));
    let mut vnfd = Vnfd::default();
    for topology in templates {
        let (head, env_given) = header(report, types, frame.map(|node| (entry, node)), topology);
        let env = Env::new(types, topology, env_given);
        let flavour = super::flavour::read(report, &env, &head, artifacts);
        if vnfd.flavours.is_empty() {
            vnfd = describe(report, &head, vnfd);
        }
        if !flavour.id.is_empty() && vnfd.flavour(&flavour.id).is_some() {
            report.error(
                Code::NoFlavour,
                head.span,
                format!("there are two deployment flavours `{}`", flavour.id),
            );
            continue;
        }
        vnfd.flavours.push(flavour);
        vnfd.mciops.extend(super::flavour::mciops(report, &env, artifacts));
    }
    vnfd.mciops.sort_by(|a, b| a.id.cmp(&b.id));
    vnfd.mciops.dedup();
    Some(vnfd)
}

/// The effective properties of the VNF node in a flavour's template, and the values that its inputs get from the frame.
fn header(
    report: &mut Report,
    types: &Types,
    frame: Option<(&Topology, &NodeTemplate)>,
    topology: &Topology,
) -> (Node, BTreeMap<String, Node>) {
    let own = topology.nodes_of(types, VNF).next();
    let substitution = topology.substitution.as_ref();
    let node_type = substitution
        .map(|s| s.node_type.as_str())
        .or(own.map(|node| node.type_name.as_str()))
        .unwrap_or(VNF);
    let span = own
        .map(|node| node.span)
        .or(substitution.map(|s| s.span))
        .or(frame.map(|(_, node)| node.span))
        .unwrap_or_default();
    let property = |of: Option<&Node>, name: &str| of.and_then(|node| node.get(name)).cloned();
    let flavour_id = property(substitution.and_then(|s| s.properties.as_ref()), "flavour_id")
        .or_else(|| property(own.and_then(|node| node.properties.as_ref()), "flavour_id"))
        .filter(|node| node.text().is_some());

    let mut given: BTreeMap<String, Node> = BTreeMap::new();
    let mut from_frame: Vec<(Key, Node)> = Vec::new();
    if let Some((frame_topology, frame_node)) = frame {
        let mut inputs = BTreeMap::new();
        let frame_properties = frame_node.properties.as_ref();
        // The frame leaves the choice of the flavour to who instantiates: `flavour_id: { get_input: … }`.
        let chosen_by = frame_properties
            .and_then(|p| p.at(&["flavour_id", "get_input"]))
            .and_then(Node::text);
        if let (Some(input), Some(flavour_id)) = (chosen_by, &flavour_id) {
            inputs.insert(input.to_owned(), flavour_id.clone());
        }
        let env = Env::new(types, frame_topology, inputs);
        for (key, value) in frame_properties.map(Node::entries).unwrap_or_default() {
            if let Some(value) = env.evaluate(report, value, &frame_node.name, 0) {
                given.insert(key.name.clone(), value.clone());
                from_frame.push((key.clone(), value));
            }
        }
    }
    let layers = [
        own.and_then(|node| node.properties.as_ref()),
        substitution.and_then(|s| s.properties.as_ref()),
    ];
    let from_frame = Node {
        span,
        data: Data::Map(from_frame),
    };
    let merged = layered(span, std::iter::once(&from_frame).chain(layers.into_iter().flatten()));
    let env = Env::new(types, topology, given.clone());
    let owner = own.map_or("VNF", |node| node.name.as_str());
    let head = env.properties(report, Sort::Node, node_type, Some(&merged), owner, span);
    (head, given)
}

fn describe(report: &mut Report, head: &Node, vnfd: Vnfd) -> Vnfd {
    let configurable = head.get("configurable_properties");
    let vnfm_info = head.texts_of("vnfm_info");
    if let Some(info) = head.get("vnfm_info") {
        for item in info.items() {
            let text = item.text().unwrap_or_default();
            if !is_vnfm_info(text) {
                report.warning(
                    Code::VnfmInfo,
                    item.span,
                    format!("`{text}` names no VNFM in SOL001's form"),
                );
            }
        }
    }
    Vnfd {
        descriptor_id: head.str_of("descriptor_id"),
        descriptor_version: head.str_of("descriptor_version"),
        provider: head.str_of("provider"),
        product_name: head.str_of("product_name"),
        software_version: head.str_of("software_version"),
        product_info_name: head.text_of("product_info_name"),
        product_info_description: head.text_of("product_info_description"),
        vnfm_info,
        is_autoheal_enabled: configurable.and_then(|c| c.bool_of("is_autoheal_enabled")),
        is_autoscale_enabled: configurable.and_then(|c| c.bool_of("is_autoscale_enabled")),
        place: Some(report.place(head.span)),
        ..vnfd
    }
}

fn is_vnfm_info(text: &str) -> bool {
    let version = |v: &str| {
        let parts: Vec<&str> = v.split('.').collect();
        parts.len() == 3
            && parts
                .iter()
                .all(|p| (1..=2).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit()))
    };
    if let Some(v) = text.strip_prefix("etsivnfm:v") {
        return version(v);
    }
    match text.split_once(':') {
        Some((number, name)) => {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'.' || b == b'-';
            !number.is_empty()
                && number.bytes().all(|b| b.is_ascii_digit())
                && !name.is_empty()
                && name.bytes().all(plain)
        }
        None => false,
    }
}

/// What the VNF's properties say about a flavour's lifecycle operations.
pub(crate) fn lcm_operations(head: &Node) -> LcmOperations {
    let Some(node) = head.get("lcm_operations_configuration") else {
        return LcmOperations::default();
    };
    LcmOperations {
        configured: node.entries().iter().map(|(key, _)| key.name.clone()).collect(),
        scaling_by_more_than_one_step_supported: node
            .get("scale")
            .and_then(|scale| scale.bool_of("scaling_by_more_than_one_step_supported"))
            .unwrap_or(false),
        heal_causes: node.get("heal").map(|heal| heal.texts_of("causes")).unwrap_or_default(),
        min_graceful_termination_timeout_ms: node
            .get("terminate")
            .and_then(|terminate| terminate.micros_of("min_graceful_termination_timeout"))
            .map(|micros| micros.div_ceil(1000)),
    }
}

/// An empty flavour with what the VNF's properties say about it.
pub(crate) fn flavour_head(head: &Node) -> DeploymentFlavour {
    DeploymentFlavour {
        id: head.str_of("flavour_id"),
        description: head.str_of("flavour_description"),
        lcm_operations: lcm_operations(head),
        ..DeploymentFlavour::default()
    }
}
