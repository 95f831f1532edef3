//! VDUs: size, image, storages, boot data, connection points.

use std::collections::{BTreeMap, BTreeSet};

use super::image::{artifact_path, image};
use super::{AddressRequest, BootData, OsContainer, StorageKind, Vdu, VduCp, VduKind};
use super::{VirtualCompute, VirtualStorage};
use crate::code::Code;
use crate::link::{IpVersion, read as link};
use crate::source::Report;
use crate::tosca::template::{Artifact, NodeTemplate};
use crate::tosca::types::Sort;
use crate::tosca::values::Env;
use crate::yaml::{Data, Node};

pub(crate) const COMPUTE: &str = "tosca.nodes.nfv.Vdu.Compute";
pub(crate) const DEPLOYABLE_UNIT: &str = "tosca.nodes.nfv.Vdu.OsContainerDeployableUnit";
const MIB: u64 = 1 << 20;

pub(crate) fn vdus(report: &mut Report, env: &Env<'_>, artifacts: Option<&BTreeSet<String>>) -> Vec<Vdu> {
    let mut all = Vec::new();
    for node in &env.topology.nodes {
        let is = |ancestor| env.types.is_a(Sort::Node, &node.type_name, ancestor);
        if is(COMPUTE) || is(DEPLOYABLE_UNIT) {
            let containers = is(DEPLOYABLE_UNIT);
            all.push(vdu(report, env, node, artifacts, containers));
        }
    }
    connection_points(report, env, &mut all);
    all
}

fn vdu(
    report: &mut Report,
    env: &Env<'_>,
    node: &NodeTemplate,
    artifacts: Option<&BTreeSet<String>>,
    containers: bool,
) -> Vdu {
    let properties = env.node_properties(report, node);
    let compute = compute(report, env, node);
    let sw_image = image(report, env, node, &properties, artifacts);
    let mut storages = Vec::new();
    for (name, _) in node.targets("virtual_storage") {
        if let Some(target) = env.topology.node(name) {
            storages.extend(storage(report, env, target, artifacts));
        }
    }
    let has_image = sw_image.is_some()
        || storages
            .iter()
            .any(|storage: &VirtualStorage| storage.sw_image.is_some());
    let kind = match (containers, compute.is_some() || has_image) {
        (true, _) => VduKind::OsContainerDeployableUnit,
        (false, true) => VduKind::VirtualMachine,
        (false, false) => VduKind::Unstated,
    };
    if kind == VduKind::Unstated {
        report.warning(
            Code::NothingToRun,
            node.span,
            format!("VDU `{}` states neither its size nor an image", node.name),
        );
    }
    let profile = properties.get("vdu_profile");
    let bound = |key| profile.and_then(|profile| profile.u32_of(key));
    let min_number_of_instances = bound("min_number_of_instances").unwrap_or(1);
    let max_number_of_instances = bound("max_number_of_instances").unwrap_or(min_number_of_instances);
    if let Some(profile) = profile.filter(|_| min_number_of_instances > max_number_of_instances) {
        let message = format!("at least {min_number_of_instances} and at most {max_number_of_instances} instances");
        report.error(Code::InstancesOutOfRange, profile.span, message);
    }
    Vdu {
        id: node.name.clone(),
        name: properties.str_of("name"),
        description: properties.str_of("description"),
        kind,
        compute,
        sw_image,
        storages,
        boot_order: properties.texts_of("boot_order"),
        nfvi_constraints: constraints(properties.get("nfvi_constraints")),
        boot_data: boot_data(env, artifacts, report, &properties),
        initial_number_of_instances: min_number_of_instances,
        min_number_of_instances,
        max_number_of_instances,
        deltas: BTreeMap::new(),
        connection_points: Vec::new(),
        containers: os_containers(report, env, node, artifacts),
    }
}

fn constraints(node: Option<&Node>) -> Vec<String> {
    let Some(node) = node else { return vec![] };
    let listed = node.items().iter().filter_map(Node::text).map(str::to_owned);
    let mapped = node
        .entries()
        .iter()
        .map(|(key, value)| format!("{}: {}", key.name, value.text().unwrap_or_default()));
    listed.chain(mapped).collect()
}

fn compute(report: &mut Report, env: &Env<'_>, node: &NodeTemplate) -> Option<VirtualCompute> {
    let given = node.capabilities.as_ref()?.at(&["virtual_compute", "properties"])?;
    let data = env.types.capability(&node.type_name, "virtual_compute")?;
    let owner = format!("{} virtual_compute", node.name);
    let capability = env.properties(report, Sort::Data, data, Some(given), &owner, node.span);
    let memory = capability
        .get("virtual_memory")
        .and_then(|memory| memory.bytes_of("virtual_mem_size"));
    let cpu = capability.get("virtual_cpu");
    let pinning = cpu
        .and_then(|cpu| cpu.at(&["virtual_cpu_pinning", "virtual_cpu_pinning_policy"]))
        .and_then(Node::text);
    let disks = capability
        .get("virtual_local_storage")
        .map(Node::items)
        .unwrap_or_default();
    let requested = capability
        .get("requested_additional_capabilities")
        .map(Node::entries)
        .unwrap_or_default();
    Some(VirtualCompute {
        num_virtual_cpu: cpu.and_then(|cpu| cpu.u32_of("num_virtual_cpu")).unwrap_or(0),
        virtual_mem_size_mib: memory.unwrap_or(0).div_ceil(MIB),
        cpu_architecture: cpu.and_then(|cpu| cpu.text_of("cpu_architecture")),
        static_cpu_pinning: pinning == Some("static"),
        virtual_local_storage_bytes: disks
            .iter()
            .filter_map(|disk| disk.bytes_of("size_of_storage"))
            .collect(),
        requested_additional_capabilities: requested
            .iter()
            .map(|(_, c)| {
                (
                    c.str_of("requested_additional_capability_name"),
                    c.bool_of("support_mandatory").unwrap_or(false),
                )
            })
            .collect(),
    })
}

fn storage(
    report: &mut Report,
    env: &Env<'_>,
    node: &NodeTemplate,
    artifacts: Option<&BTreeSet<String>>,
) -> Option<VirtualStorage> {
    let properties = env.node_properties(report, node);
    let kinds = [
        (
            "VirtualBlockStorage",
            StorageKind::Block,
            "virtual_block_storage_data",
            "size_of_storage",
        ),
        (
            "VirtualObjectStorage",
            StorageKind::Object,
            "virtual_object_storage_data",
            "max_size_of_storage",
        ),
        (
            "VirtualFileStorage",
            StorageKind::File,
            "virtual_file_storage_data",
            "size_of_storage",
        ),
    ];
    let is = |name: &str| {
        env.types
            .is_a(Sort::Node, &node.type_name, &format!("tosca.nodes.nfv.Vdu.{name}"))
    };
    let (_, kind, data, size) = kinds.into_iter().find(|(name, ..)| is(name))?;
    Some(VirtualStorage {
        id: node.name.clone(),
        kind,
        size_bytes: properties.get(data).and_then(|data| data.bytes_of(size)).unwrap_or(0),
        sw_image: image(report, env, node, &properties, artifacts),
    })
}

fn os_containers(
    report: &mut Report,
    env: &Env<'_>,
    unit: &NodeTemplate,
    artifacts: Option<&BTreeSet<String>>,
) -> Vec<OsContainer> {
    let mut all = Vec::new();
    for (name, _) in unit.targets("container") {
        let Some(node) = env.topology.node(name) else { continue };
        let properties = env.node_properties(report, node);
        let sw_image = image(report, env, node, &properties, artifacts);
        all.push(OsContainer {
            id: node.name.clone(),
            name: properties.str_of("name"),
            sw_image,
        });
    }
    all
}

fn boot_data(
    env: &Env<'_>,
    artifacts: Option<&BTreeSet<String>>,
    report: &mut Report,
    properties: &Node,
) -> Option<BootData> {
    let node = properties.get("boot_data")?;
    if let Some(text) = node.text() {
        return Some(BootData {
            content: Some(text.to_owned()),
            ..BootData::default()
        });
    }
    let Data::Map(_) = &node.data else {
        report.error(
            Code::WrongValueType,
            node.span,
            format!("`boot_data` must be a text or a map; this is {}", node.kind()),
        );
        return None;
    };
    let file = node.get("content_or_file_data");
    let source_path = file.and_then(|file| file.get("source_path")).and_then(|path| {
        let text = path.text()?;
        let artifact = Artifact {
            type_name: String::new(),
            file: text.to_owned(),
            span: path.span,
            properties: None,
        };
        Some(artifact_path(report, env, &artifact, artifacts))
    });
    let pairs = node.at(&["kvp_data", "data"]).map(Node::entries).unwrap_or_default();
    Some(BootData {
        content: file.and_then(|file| file.text_of("content")),
        source_path,
        key_values: pairs
            .iter()
            .map(|(key, value)| (key.name.clone(), value.text().unwrap_or_default().to_owned()))
            .collect(),
    })
}

// connection points

fn connection_points(report: &mut Report, env: &Env<'_>, vdus: &mut [Vdu]) {
    for node in env.topology.nodes_of(env.types, "tosca.nodes.nfv.VduCp") {
        let properties = env.node_properties(report, node);
        let cp = VduCp {
            id: node.name.clone(),
            order: properties.u32_of("order"),
            bitrate_requirement: properties.u64_of("bitrate_requirement"),
            vnic_type: properties.text_of("vnic_type"),
            layer_protocols: link::layer_protocols(&properties),
            virtual_link: node.target("virtual_link").map(|(name, _)| name.clone()),
            ext_cpd: None,
            addresses: addresses(&properties),
            place: Some(report.place(node.span)),
        };
        let Some((vdu, _)) = node.target("virtual_binding") else {
            continue;
        };
        let Some(vdu) = vdus.iter_mut().find(|v| &v.id == vdu) else {
            continue;
        };
        if let Some(twin) = vdu
            .connection_points
            .iter()
            .find(|other| cp.order.is_some() && other.order == cp.order)
        {
            let span = properties.get("order").map_or(node.span, |order| order.span);
            let message = format!("`{}` and `{}` of VDU `{}` have the same order", twin.id, cp.id, vdu.id);
            report.error(Code::OrderTwice, span, message);
        }
        vdu.connection_points.push(cp);
    }
    for vdu in vdus {
        // Points without an order come last, in the order of the definitions.
        vdu.connection_points.sort_by_key(|cp| cp.order.unwrap_or(u32::MAX));
    }
}

fn addresses(properties: &Node) -> Vec<AddressRequest> {
    let protocols = properties.get("protocol").map(Node::items).unwrap_or_default();
    let data = protocols
        .iter()
        .flat_map(|protocol| protocol.get("address_data").map(Node::items).unwrap_or_default());
    data.filter_map(|data| data.get("l3_address_data"))
        .map(|l3| AddressRequest {
            ip_version: match l3.str_of("ip_address_type").as_str() {
                "ipv4" => Some(IpVersion::Ipv4),
                "ipv6" => Some(IpVersion::Ipv6),
                _ => None,
            },
            number_of_ip_address: l3.u32_of("number_of_ip_address").unwrap_or(1),
        })
        .collect()
}
