//! A PNFD out of its definitions.

use super::{PnfExtCp, Pnfd};
use crate::code::Code;
use crate::link::read as link;
use crate::source::Report;
use crate::tosca::template::Topology;
use crate::tosca::types::{Sort, Types};
use crate::tosca::values::{Env, layered};

pub(crate) const PNF: &str = "tosca.nodes.nfv.PNF";

pub(crate) fn pnfd(report: &mut Report, types: &Types, topology: &Topology) -> Option<Pnfd> {
    let env = Env::new(types, topology, Default::default());
    let own = topology.nodes_of(types, PNF).next();
    let substitution = topology.substitution.as_ref();
    let node_type = substitution
        .map(|s| s.node_type.as_str())
        .or(own.map(|node| node.type_name.as_str()))?;
    let span = own
        .map(|node| node.span)
        .or(substitution.map(|s| s.span))
        .unwrap_or_default();
    let layers = [
        own.and_then(|node| node.properties.as_ref()),
        substitution.and_then(|s| s.properties.as_ref()),
    ];
    let merged = layered(span, layers.into_iter().flatten());
    let owner = own.map_or("PNF", |node| node.name.as_str());
    let head = env.properties(report, Sort::Node, node_type, Some(&merged), owner, span);
    let mappings = substitution.map(|s| s.requirements.as_slice()).unwrap_or_default();
    for mapping in mappings {
        let node = topology.node(&mapping.node);
        if let Some(node) = node.filter(|node| !types.is_a(Sort::Node, &node.type_name, "tosca.nodes.nfv.Cp")) {
            let message = format!(
                "`{}` is mapped to `{}`, which is no connection point",
                mapping.name, node.name
            );
            report.error(Code::TargetWrongType, mapping.span, message);
        }
    }
    let mut ext_cps = Vec::new();
    for node in topology.nodes_of(types, "tosca.nodes.nfv.PnfExtCp") {
        let properties = env.node_properties(report, node);
        ext_cps.push(PnfExtCp {
            id: node.name.clone(),
            requirement: mappings
                .iter()
                .find(|mapping| mapping.node == node.name)
                .map(|mapping| mapping.name.clone()),
            layer_protocols: link::layer_protocols(&properties),
            place: Some(report.place(node.span)),
        });
    }
    Some(Pnfd {
        descriptor_id: head.str_of("descriptor_id"),
        descriptor_invariant_id: head.str_of("descriptor_invariant_id"),
        name: head.str_of("name"),
        function_description: head.str_of("function_description"),
        provider: head.str_of("provider"),
        version: head.str_of("version"),
        ext_cps,
        place: Some(report.place(head.span)),
    })
}
