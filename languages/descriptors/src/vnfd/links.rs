//! Internal virtual links and external connection points.

use super::{DeploymentFlavour, ExtCpInternal, Vdu, VduKind, VnfExtCpd, VnfVirtualLink};
use crate::code::Code;
use crate::diagnostic::Severity;
use crate::link::read as link;
use crate::source::Report;
use crate::tosca::types::Sort;
use crate::tosca::values::Env;

pub(crate) fn virtual_links(report: &mut Report, env: &Env<'_>) -> Vec<VnfVirtualLink> {
    let mut all = Vec::new();
    for node in env.topology.nodes_of(env.types, "tosca.nodes.nfv.VnfVirtualLink") {
        let properties = env.node_properties(report, node);
        let (l2, l3) = link::protocol_data(report, &properties);
        all.push(VnfVirtualLink {
            id: node.name.clone(),
            description: properties.str_of("description"),
            connectivity_type: link::connectivity_type(&properties),
            l2,
            l3,
            max_bitrate: link::bitrate(&properties, "max_bitrate_requirements"),
            min_bitrate: link::bitrate(&properties, "min_bitrate_requirements"),
            place: Some(report.place(node.span)),
        });
    }
    all
}

/// What substitution_mappings expose, and every VnfExtCp besides.
pub(crate) fn ext_cpds(report: &mut Report, env: &Env<'_>, vdus: &mut [Vdu]) -> Vec<VnfExtCpd> {
    let mut all: Vec<VnfExtCpd> = Vec::new();
    let mappings = env
        .topology
        .substitution
        .as_ref()
        .map(|s| s.requirements.as_slice())
        .unwrap_or_default();
    for mapping in mappings {
        let Some(node) = env.topology.node(&mapping.node) else {
            continue;
        };
        if !env.types.is_a(Sort::Node, &node.type_name, "tosca.nodes.nfv.Cp") {
            let message = format!(
                "`{}` is mapped to `{}`, which is no connection point",
                mapping.name, node.name
            );
            report.error(Code::TargetWrongType, mapping.span, message);
            continue;
        }
        all.push(ext_cpd(report, env, &node.name, Some(mapping.name.clone()), vdus));
    }
    let nodes: Vec<&str> = env
        .topology
        .nodes_of(env.types, "tosca.nodes.nfv.VnfExtCp")
        .map(|node| node.name.as_str())
        .collect();
    for name in nodes {
        if !all.iter().any(|cpd| cpd.id == name) {
            all.push(ext_cpd(report, env, name, None, vdus));
        }
    }
    all
}

fn ext_cpd(report: &mut Report, env: &Env<'_>, name: &str, requirement: Option<String>, vdus: &mut [Vdu]) -> VnfExtCpd {
    let node = env.topology.node(name).expect("the caller found the node");
    let mut internal = ExtCpInternal::Open;
    for vdu in vdus {
        if let Some(cp) = vdu.connection_points.iter_mut().find(|cp| cp.id == name) {
            cp.ext_cpd = Some(name.to_owned());
            internal = ExtCpInternal::VduCp {
                vdu: vdu.id.clone(),
                cp: name.to_owned(),
            };
        }
    }
    let behind = node
        .target("internal_virtual_link")
        .or_else(|| node.target("virtual_link"));
    if let (ExtCpInternal::Open, Some((virtual_link, _))) = (&internal, behind) {
        internal = ExtCpInternal::VirtualLink {
            virtual_link: virtual_link.clone(),
        };
    }
    let properties = env.node_properties(report, node);
    VnfExtCpd {
        id: name.to_owned(),
        requirement,
        internal,
        layer_protocols: link::layer_protocols(&properties),
        place: Some(report.place(node.span)),
    }
}

/// A virtual machine's interface that leads nowhere. Containers are on their cluster's network without saying so (GR NFV-IFA 043
/// clause 6.2.6), so theirs are left alone.
pub(crate) fn check_unconnected(report: &mut Report, flavour: &DeploymentFlavour) {
    for vdu in flavour.vdus.iter().filter(|vdu| vdu.kind == VduKind::VirtualMachine) {
        for cp in vdu
            .connection_points
            .iter()
            .filter(|cp| cp.virtual_link.is_none() && cp.ext_cpd.is_none())
        {
            let message = format!("`{}` of VDU `{}` is on no link and is not exposed", cp.id, vdu.id);
            let place = cp.place.clone().unwrap_or_default();
            report
                .diagnostics
                .push_plain(Severity::Warning, Code::CpUnconnected, place, message, None);
        }
    }
}

/// Two internal links that meet in one VDU must not have addresses in common: the machine could not tell them apart.
pub(crate) fn check_overlaps(report: &mut Report, flavour: &DeploymentFlavour) {
    for vdu in &flavour.vdus {
        let mut links: Vec<&VnfVirtualLink> = vdu
            .connection_points
            .iter()
            .filter_map(|cp| flavour.virtual_link(cp.virtual_link.as_deref()?))
            .collect();
        links.dedup_by(|a, b| a.id == b.id);
        for (at, one) in links.iter().enumerate() {
            for other in links[..at].iter().filter(|other| other.id != one.id) {
                for (a, b) in one.l3.iter().flat_map(|a| other.l3.iter().map(move |b| (a, b))) {
                    if link::overlap(&a.cidr, &b.cidr) {
                        let message = format!(
                            "{} of `{}` and {} of `{}` overlap, and VDU `{}` is on both",
                            a.cidr, one.id, b.cidr, other.id, vdu.id
                        );
                        link::overlap_error(&mut report.diagnostics, a.place.clone().unwrap_or_default(), message);
                    }
                }
            }
        }
    }
}
