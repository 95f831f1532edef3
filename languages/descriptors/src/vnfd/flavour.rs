//! One deployment flavour out of its topology template.

use std::collections::BTreeSet;

use super::{DeploymentFlavour, Mciop};
use crate::link::read as link;
use crate::source::Report;
use crate::tosca::definitions::join;
use crate::tosca::values::Env;
use crate::yaml::Node;

/// Reads a flavour. `head` holds the effective properties of the VNF node.
pub(crate) fn read(
    report: &mut Report,
    env: &Env<'_>,
    head: &Node,
    artifacts: Option<&BTreeSet<String>>,
) -> DeploymentFlavour {
    let mut flavour = super::read::flavour_head(head);
    flavour.virtual_links = super::links::virtual_links(report, env);
    flavour.vdus = super::vdu::vdus(report, env, artifacts);
    flavour.ext_cpds = super::links::ext_cpds(report, env, &mut flavour.vdus);
    super::links::check_unconnected(report, &flavour);
    super::links::check_overlaps(report, &flavour);
    super::levels::read(report, env, &mut flavour);
    flavour.affinity_rules = link::affinity_rules(
        report,
        env,
        "tosca.policies.nfv.AffinityRule",
        "tosca.policies.nfv.AntiAffinityRule",
    );
    flavour
}

/// MCIOPs of a template.
pub(crate) fn mciops(env: &Env<'_>) -> Vec<Mciop> {
    let nodes = env.topology.nodes_of(env.types, "tosca.nodes.nfv.Mciop");
    nodes
        .map(|node| Mciop {
            id: node.name.clone(),
            artifact: node
                .artifacts
                .first()
                .map(|a| join(&env.topology.path, &a.file).unwrap_or_else(|| a.file.clone())),
            associated_vdus: ["associatedVdu", "associated_vdu"]
                .into_iter()
                .flat_map(|name| node.targets(name))
                .map(|(vdu, _)| vdu.clone())
                .collect(),
        })
        .collect()
}
