//! A VNFD: one definitions file, or a frame and a file for each of several flavours (SOL001 clause 6.11).

use std::collections::BTreeSet;

use super::links::{MAX_BITRATE_OTHERWISE, affinity, bitrate, connectivity, protocol_data, protocols};
use super::text::{Fields, Yaml};
use super::{Written, constant, definitions, free_name, levels, linkable, normal, requirements, vdu};
use crate::vnfd::{DeploymentFlavour, ExtCpInternal, LcmOperations, VnfExtCpd, VnfVirtualLink, Vnfd};

const TYPES: &str = "etsi_nfv_sol001_vnfd_types.yaml";

/// The definitions of a VNFD below `Definitions/`, the entry being `Definitions/NAME.yaml`.
pub fn vnfd(vnfd: &Vnfd, name: &str) -> Written {
    let vnfd = normal(vnfd);
    let mut written = Written::new();
    let type_name = format!("manifold.vnf.{name}");
    if let [flavour] = vnfd.flavours.as_slice() {
        let file = definitions(about(&vnfd), &[TYPES])
            .with("node_types", node_types(&vnfd, &type_name, Some(flavour)))
            .with("topology_template", topology(&vnfd, flavour, &type_name, true).spaced());
        written.insert(format!("Definitions/{name}.yaml"), file.spaced().document());
        return written;
    }
    let types = format!("{name}_types.yaml");
    let files: Vec<String> = (1..=vnfd.flavours.len())
        .map(|number| format!("{name}_flavour_{number}.yaml"))
        .collect();
    let mut imports = vec![TYPES, types.as_str()];
    imports.extend(files.iter().map(String::as_str));
    let chosen = Fields::new().with("get_input", "selected_flavour").flow();
    let frame_properties = Fields::new()
        .with("flavour_id", chosen)
        .with("flavour_description", "As chosen");
    let frame = Fields::new().with(
        "VNF",
        Fields::new()
            .with("type", &type_name)
            .with("properties", frame_properties),
    );
    let inputs = Fields::new().with("selected_flavour", Fields::new().with("type", "string").flow());
    let entry = definitions(about(&vnfd), &imports).with(
        "topology_template",
        Fields::new().with("inputs", inputs).with("node_templates", frame),
    );
    written.insert(format!("Definitions/{name}.yaml"), entry.spaced().document());
    let shared = definitions("", &[TYPES]).with("node_types", node_types(&vnfd, &type_name, None));
    written.insert(format!("Definitions/{types}"), shared.spaced().document());
    for (flavour, file) in vnfd.flavours.iter().zip(&files) {
        let body = definitions(&flavour.description, &[TYPES, &types]).with(
            "topology_template",
            topology(&vnfd, flavour, &type_name, std::ptr::eq(flavour, &vnfd.flavours[0])),
        );
        written.insert(format!("Definitions/{file}"), body.spaced().document());
    }
    written
}

fn about(vnfd: &Vnfd) -> &str {
    vnfd.product_info_description.as_deref().unwrap_or_default()
}

/// The VNF's own type, with what is the same for all flavours as constants.
fn node_types(vnfd: &Vnfd, type_name: &str, only: Option<&DeploymentFlavour>) -> Fields {
    let text = || Fields::new().with("type", "string").flow();
    let info = Fields::new()
        .with("type", "list")
        .with("entry_schema", text())
        .with("default", Yaml::words(vnfd.vnfm_info.iter()))
        .flow();
    let flavour = only.map_or_else(text, |flavour| constant(&flavour.id));
    let description = only.map_or_else(text, |flavour| constant(&flavour.description));
    let properties = Fields::new()
        .with("descriptor_id", constant(&vnfd.descriptor_id))
        .with("descriptor_version", constant(&vnfd.descriptor_version))
        .with("provider", constant(&vnfd.provider))
        .with("product_name", constant(&vnfd.product_name))
        .with("software_version", constant(&vnfd.software_version))
        .with("vnfm_info", info)
        .with("flavour_id", flavour)
        .with("flavour_description", description);
    let names: BTreeSet<&str> = vnfd
        .flavours
        .iter()
        .flat_map(|flavour| &flavour.ext_cpds)
        .filter_map(|cpd| cpd.requirement.as_deref())
        .collect();
    let body = Fields::new()
        .with("derived_from", "tosca.nodes.nfv.VNF")
        .with("properties", properties)
        .with_some("requirements", (!names.is_empty()).then(|| linkable(names)));
    Fields::new().with(type_name, body)
}

fn topology(vnfd: &Vnfd, flavour: &DeploymentFlavour, type_name: &str, has_mciops: bool) -> Fields {
    let mut mapped = Fields::new();
    for cpd in &flavour.ext_cpds {
        if let Some(requirement) = &cpd.requirement {
            mapped.put(requirement, Yaml::words([cpd.id.as_str(), "virtual_link"]));
        }
    }
    let substitution = Fields::new()
        .with("node_type", type_name)
        .with("properties", Fields::new().with("flavour_id", &flavour.id))
        .with_some("requirements", (!mapped.is_empty()).then_some(mapped));
    let (nodes, taken) = nodes(vnfd, flavour, type_name, has_mciops);
    let (mut groups, mut policies) = (Fields::new(), Vec::new());
    levels::policies(flavour, &mut policies);
    affinity(
        &flavour.affinity_rules,
        ["tosca.policies.nfv.AffinityRule", "tosca.policies.nfv.AntiAffinityRule"],
        "tosca.groups.nfv.PlacementGroup",
        |name| taken.contains(name),
        &mut groups,
        &mut policies,
    );
    Fields::new()
        .with("substitution_mappings", substitution)
        .with("node_templates", nodes.spaced())
        .with_some("groups", (!groups.is_empty()).then_some(groups))
        .with_some("policies", (!policies.is_empty()).then_some(Yaml::List(policies)))
}

fn nodes(vnfd: &Vnfd, flavour: &DeploymentFlavour, type_name: &str, has_mciops: bool) -> (Fields, BTreeSet<String>) {
    let mut all: Vec<(String, Yaml)> = Vec::new();
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut put = |name: &str, node: Yaml| {
        if taken.insert(name.to_owned()) {
            all.push((name.to_owned(), node));
        }
    };
    for vdu in &flavour.vdus {
        put(&vdu.id, vdu::node(vdu));
        vdu.containers.iter().for_each(|one| put(&one.id, vdu::container(one)));
        vdu.storages.iter().for_each(|one| put(&one.id, vdu::storage(one)));
    }
    for vdu in &flavour.vdus {
        for cp in &vdu.connection_points {
            put(&cp.id, vdu::connection_point(&vdu.id, cp));
        }
    }
    for cpd in &flavour.ext_cpds {
        if !matches!(cpd.internal, ExtCpInternal::VduCp { .. }) {
            put(&cpd.id, ext_cp(cpd));
        }
    }
    flavour
        .virtual_links
        .iter()
        .for_each(|link| put(&link.id, virtual_link(link)));
    if has_mciops {
        for mciop in &vnfd.mciops {
            let artifact = mciop.artifact.as_deref().map(|path| {
                let artifact = Fields::new()
                    .with("type", "tosca.artifacts.nfv.HelmChart")
                    .with("file", vdu::beside(path));
                Fields::new().with("chart", artifact.flow())
            });
            let vdus = mciop
                .associated_vdus
                .iter()
                .map(|vdu| ("associatedVdu", Yaml::from(vdu)));
            let node = Fields::new()
                .with("type", "tosca.nodes.nfv.Mciop")
                .with_some("artifacts", artifact)
                .with("requirements", requirements(vdus));
            put(&mciop.id, node.into());
        }
    }
    let own = free_name("VNF", |name| taken.contains(name));
    let mut fields = Fields::new().with(&own, vnf_node(vnfd, flavour, type_name));
    all.into_iter().for_each(|(name, node)| fields.put(&name, node));
    taken.insert(own);
    (fields, taken)
}

/// The VNF itself, with what its type does not say.
fn vnf_node(vnfd: &Vnfd, flavour: &DeploymentFlavour, type_name: &str) -> Fields {
    let configurable = Fields::new()
        .with_some("is_autoscale_enabled", vnfd.is_autoscale_enabled)
        .with_some("is_autoheal_enabled", vnfd.is_autoheal_enabled);
    let properties = Fields::new()
        .with_some("product_info_name", vnfd.product_info_name.as_ref())
        .with_some("product_info_description", vnfd.product_info_description.as_ref())
        .with("flavour_description", &flavour.description)
        .with_some(
            "configurable_properties",
            (!configurable.is_empty()).then(|| configurable.flow()),
        )
        .with_some("lcm_operations_configuration", lcm_operations(&flavour.lcm_operations));
    Fields::new().with("type", type_name).with("properties", properties)
}

fn lcm_operations(operations: &LcmOperations) -> Option<Fields> {
    if operations.configured.is_empty() {
        return None;
    }
    let mut all = Fields::new();
    for name in &operations.configured {
        let body = match name.as_str() {
            "scale" => Fields::new().with(
                "scaling_by_more_than_one_step_supported",
                operations.scaling_by_more_than_one_step_supported,
            ),
            "scale_to_level" => Fields::new().with("arbitrary_target_levels_supported", true),
            "heal" => Fields::new().with_some(
                "causes",
                (!operations.heal_causes.is_empty()).then(|| Yaml::words(operations.heal_causes.iter())),
            ),
            "terminate" => Fields::new().with(
                "min_graceful_termination_timeout",
                format!("{} ms", operations.min_graceful_termination_timeout_ms.unwrap_or(0)),
            ),
            "operate" => Fields::new().with("min_graceful_stop_timeout", "0 s"),
            _ => Fields::new(),
        };
        all.put(name, body.flow());
    }
    Some(all)
}

fn ext_cp(cpd: &VnfExtCpd) -> Yaml {
    let link = match &cpd.internal {
        ExtCpInternal::VirtualLink { virtual_link } => Some(virtual_link),
        _ => None,
    };
    Fields::new()
        .with("type", "tosca.nodes.nfv.VnfExtCp")
        .with(
            "properties",
            Fields::new()
                .with("layer_protocols", protocols(&cpd.layer_protocols))
                .flow(),
        )
        .with_some(
            "requirements",
            link.map(|link| requirements([("internal_virtual_link", link.into())])),
        )
        .into()
}

fn virtual_link(link: &VnfVirtualLink) -> Yaml {
    let profile = Fields::new()
        .with(
            "max_bitrate_requirements",
            bitrate(&link.max_bitrate, MAX_BITRATE_OTHERWISE),
        )
        .with("min_bitrate_requirements", bitrate(&link.min_bitrate, 0))
        .with_some("virtual_link_protocol_data", protocol_data(link.l2.as_ref(), &link.l3));
    let properties = Fields::new()
        .with_some(
            "description",
            (!link.description.is_empty()).then_some(&link.description),
        )
        .with("connectivity_type", connectivity(&link.connectivity_type))
        .with("vl_profile", profile);
    Fields::new()
        .with("type", "tosca.nodes.nfv.VnfVirtualLink")
        .with("properties", properties)
        .into()
}
