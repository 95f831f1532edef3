//! One deployment flavour out of its topology template.

use std::collections::BTreeSet;

use super::{DeploymentFlavour, Mciop};
use crate::link::read as link;
use crate::source::Report;
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

/// MCIOPs of a template. Each must be in the package.
pub(crate) fn mciops(report: &mut Report, env: &Env<'_>, artifacts: Option<&BTreeSet<String>>) -> Vec<Mciop> {
    let mut all = Vec::new();
    for node in env.topology.nodes_of(env.types, "tosca.nodes.nfv.Mciop") {
        let artifact = node
            .artifacts
            .first()
            .map(|artifact| super::image::artifact_path(report, env, artifact, artifacts));
        let targets = ["associatedVdu", "associated_vdu"]
            .into_iter()
            .flat_map(|name| node.targets(name));
        all.push(Mciop {
            id: node.name.clone(),
            artifact,
            associated_vdus: targets.map(|(vdu, _)| vdu.clone()).collect(),
        });
    }
    all
}
