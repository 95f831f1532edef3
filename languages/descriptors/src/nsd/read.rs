//! An NSD out of its definitions.

use super::{
    CpConnectivity, LocationConstraint, NsProfile, NsVirtualLink, Nsd, PnfProfile, Qos, Sap, VnfProfile, Vnffg,
};
use crate::code::Code;
use crate::link::read as link;
use crate::source::Report;
use crate::tosca::template::{NodeTemplate, Topology};
use crate::tosca::types::{Sort, Types};
use crate::tosca::values::{Env, layered};
use crate::yaml::Node;

pub(crate) const NS: &str = "tosca.nodes.nfv.NS";
const VNF: &str = "tosca.nodes.nfv.VNF";
const PNF: &str = "tosca.nodes.nfv.PNF";
const LINK: &str = "tosca.nodes.nfv.NsVirtualLink";

pub(crate) fn nsd(report: &mut Report, types: &Types, topology: &Topology) -> Option<Nsd> {
    let env = Env::new(types, topology, Default::default());
    let (head, own) = header(report, &env)?;
    let mut nsd = Nsd {
        descriptor_id: head.str_of("descriptor_id"),
        name: head.str_of("name"),
        designer: head.str_of("designer"),
        version: head.str_of("version"),
        invariant_id: head.str_of("invariant_id"),
        flavour_id: head.str_of("flavour_id"),
        place: Some(report.place(head.span)),
        ..Nsd::default()
    };
    for node in topology.nodes_of(types, VNF) {
        nsd.vnf_profiles.extend(vnf_profile(report, &env, node));
    }
    for node in topology.nodes_of(types, PNF) {
        let properties = env.node_properties(report, node);
        nsd.pnf_profiles.push(PnfProfile {
            id: node.name.clone(),
            pnfd_id: properties.str_of("descriptor_id"),
            name: properties.str_of("name"),
            connectivity: connectivity(report, &env, node),
            place: Some(report.place(node.span)),
        });
    }
    for node in topology
        .nodes_of(types, NS)
        .filter(|node| Some(node.name.as_str()) != own.as_deref())
    {
        let properties = env.node_properties(report, node);
        nsd.nested_ns_profiles.push(NsProfile {
            id: node.name.clone(),
            nsd_id: properties.str_of("descriptor_id"),
            flavour_id: properties.str_of("flavour_id"),
            connectivity: connectivity(report, &env, node),
            place: Some(report.place(node.span)),
        });
    }
    for node in topology.nodes_of(types, LINK) {
        nsd.virtual_links.push(virtual_link(report, &env, node));
    }
    for node in topology.nodes_of(types, "tosca.nodes.nfv.Sap") {
        nsd.saps.push(sap(report, &env, node));
    }
    nsd.vnffgs = vnffgs(report, &env, &nsd);
    super::levels::read(report, &env, &mut nsd);
    nsd.affinity_rules = link::affinity_rules(
        report,
        &env,
        "tosca.policies.nfv.NsAffinityRule",
        "tosca.policies.nfv.NsAntiAffinityRule",
    );
    nsd.traffic_rules = super::traffic::rules(report, &env);
    nsd.location_constraints = locations(report, &env);
    super::against::check_alone(&mut report.diagnostics, &nsd);
    Some(nsd)
}

/// The effective properties of the service itself, and the name of its own node. The node whose type is substituted is the
/// service; so is one with the service's own id. Every other NS node is nested.
fn header(report: &mut Report, env: &Env<'_>) -> Option<(Node, Option<String>)> {
    let topology = env.topology;
    let substitution = topology.substitution.as_ref();
    let nodes: Vec<&NodeTemplate> = topology.nodes_of(env.types, NS).collect();
    let node_type = substitution.map(|s| s.node_type.as_str());
    let id_of = |node: &NodeTemplate| {
        let given = node
            .properties
            .as_ref()
            .and_then(|p| p.get("descriptor_id"))
            .and_then(Node::text)
            .map(str::to_owned);
        given.or_else(|| default_of(env.types, &node.type_name, "descriptor_id"))
    };
    let own_id = substitution.and_then(|s| {
        let given = s
            .properties
            .as_ref()
            .and_then(|p| p.get("descriptor_id"))
            .and_then(Node::text)
            .map(str::to_owned);
        given.or_else(|| default_of(env.types, &s.node_type, "descriptor_id"))
    });
    let own = match node_type {
        Some(node_type) => nodes
            .iter()
            .find(|node| node.type_name == node_type)
            .or_else(|| nodes.iter().find(|node| own_id.is_some() && id_of(node) == own_id)),
        None => nodes.first(),
    };
    let node_type = node_type.or(own.map(|node| node.type_name.as_str()))?;
    let span = own
        .map(|node| node.span)
        .or(substitution.map(|s| s.span))
        .unwrap_or_default();
    let layers = [
        own.and_then(|node| node.properties.as_ref()),
        substitution.and_then(|s| s.properties.as_ref()),
    ];
    let owner = own.map_or("NS", |node| node.name.as_str());
    let merged = layered(span, layers.into_iter().flatten());
    let head = env.properties(report, Sort::Node, node_type, Some(&merged), owner, span);
    Some((head, own.map(|node| node.name.clone())))
}

fn default_of(types: &Types, type_name: &str, property: &str) -> Option<String> {
    let all = types.properties(Sort::Node, type_name);
    all.into_iter()
        .find(|(name, _)| name == property)?
        .1
        .default?
        .text()
        .map(str::to_owned)
}

fn vnf_profile(report: &mut Report, env: &Env<'_>, node: &NodeTemplate) -> Option<VnfProfile> {
    let properties = env.node_properties(report, node);
    let profile = properties.get("vnf_profile");
    let number = |key| profile.and_then(|profile| profile.u32_of(key)).unwrap_or(1);
    Some(VnfProfile {
        id: node.name.clone(),
        vnfd_id: properties.str_of("descriptor_id"),
        provider: properties.str_of("provider"),
        product_name: properties.str_of("product_name"),
        flavour_id: properties.str_of("flavour_id"),
        instantiation_level: profile.and_then(|profile| profile.text_of("instantiation_level")),
        min_number_of_instances: number("min_number_of_instances"),
        max_number_of_instances: number("max_number_of_instances"),
        connectivity: connectivity(report, env, node),
        place: Some(report.place(profile.map_or(node.span, |profile| profile.span))),
    })
}

/// Every requirement of a constituent that a link meets.
fn connectivity(report: &mut Report, env: &Env<'_>, node: &NodeTemplate) -> Vec<CpConnectivity> {
    let mut all = Vec::new();
    for assignment in &node.requirements {
        let Some((name, span)) = &assignment.target else {
            continue;
        };
        let Some(target) = env.topology.node(name) else {
            continue;
        };
        if !env.types.is_a(Sort::Node, &target.type_name, LINK) {
            let links = env.topology.nodes_of(env.types, LINK).map(|node| node.name.as_str());
            let message = format!("`{name}` is a {} and not a virtual link", target.type_name);
            report.error_help(Code::TargetWrongType, *span, message, report.candidates(name, links));
            continue;
        }
        all.push(CpConnectivity {
            cpd: assignment.name.clone(),
            virtual_link: name.clone(),
            place: Some(report.place(assignment.span)),
        });
    }
    all
}

fn virtual_link(report: &mut Report, env: &Env<'_>, node: &NodeTemplate) -> NsVirtualLink {
    let properties = env.node_properties(report, node);
    let (l2, l3) = link::protocol_data(report, &properties);
    let profile = properties.get("vl_profile");
    let by_name = |profile: &Node| {
        let level = profile.at(&["service_availability", "level"])?.text()?;
        level.strip_prefix("level")?.parse().ok()
    };
    NsVirtualLink {
        id: node.name.clone(),
        description: properties.str_of("description"),
        connectivity_type: link::connectivity_type(&properties),
        l2,
        l3,
        max_bitrate: link::bitrate(&properties, "max_bitrate_requirements"),
        min_bitrate: link::bitrate(&properties, "min_bitrate_requirements"),
        service_availability_level: profile.and_then(|p| p.u32_of("service_availability_level").or_else(|| by_name(p))),
        qos: profile.and_then(|profile| profile.get("qos")).map(|qos| Qos {
            latency_us: qos.micros_of("latency"),
            packet_delay_variation_us: qos.micros_of("packet_delay_variation"),
            packet_loss_ratio: qos
                .get("packet_loss_ratio")
                .and_then(Node::text)
                .and_then(|text| text.parse().ok()),
            priority: qos.u32_of("priority"),
        }),
        place: Some(report.place(node.span)),
    }
}

fn sap(report: &mut Report, env: &Env<'_>, node: &NodeTemplate) -> Sap {
    let properties = env.node_properties(report, node);
    let target = node
        .target("internal_virtual_link")
        .or_else(|| node.target("external_virtual_link"));
    let mappings = env
        .topology
        .substitution
        .as_ref()
        .map(|s| s.requirements.as_slice())
        .unwrap_or_default();
    Sap {
        id: node.name.clone(),
        description: properties.str_of("description"),
        layer_protocols: link::layer_protocols(&properties),
        virtual_link: target.map(|(name, _)| name.clone()),
        requirement: mappings
            .iter()
            .find(|mapping| mapping.node == node.name)
            .map(|mapping| mapping.name.clone()),
        place: Some(report.place(node.span)),
    }
}

fn vnffgs(report: &mut Report, env: &Env<'_>, nsd: &Nsd) -> Vec<Vnffg> {
    let groups = env
        .topology
        .groups
        .iter()
        .filter(|g| env.types.is_a(Sort::Group, &g.type_name, "tosca.groups.nfv.VNFFG"));
    groups
        .map(|group| {
            let mut graph = Vnffg {
                id: group.name.clone(),
                place: Some(report.place(group.span)),
                ..Vnffg::default()
            };
            for (member, _) in &group.members {
                let Some(node) = env.topology.node(member) else {
                    continue;
                };
                if nsd.virtual_link(member).is_some() {
                    graph.virtual_links.push(member.clone());
                } else if env.types.is_a(Sort::Node, &node.type_name, "tosca.nodes.nfv.NFP") {
                    graph.paths.push(super::traffic::path(report, env, node));
                } else {
                    graph.profiles.push(member.clone());
                }
            }
            graph
        })
        .collect()
}

fn locations(report: &mut Report, env: &Env<'_>) -> Vec<LocationConstraint> {
    let mut all = Vec::new();
    for policy in env.topology.policies_of(env.types, "manifold.policies.Location") {
        let properties = env.properties(
            report,
            Sort::Policy,
            &policy.type_name,
            policy.properties.as_ref(),
            &policy.name,
            policy.span,
        );
        for (profile, _) in policy
            .targets
            .iter()
            .flat_map(|target| env.topology.spelled_out(target))
        {
            let (nfvi_pop, zone) = (properties.text_of("nfvi_pop"), properties.text_of("zone"));
            all.push(LocationConstraint {
                profile: profile.clone(),
                nfvi_pop,
                zone,
            });
        }
    }
    all
}
