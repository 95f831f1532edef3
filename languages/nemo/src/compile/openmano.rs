//! An OpenMANO scenario (form 0.2: `vnfs` and `networks`), and OpenMANO descriptors of the leaves that are of other languages.

use super::identity::{Names, file_name};
use super::{CompileError, Options};
use crate::expand::{InstanceKind, expand, joined};
use crate::leaf::{Interface, Leaf, LeafFormat};
use crate::service::{ModelUse, Service};
use manifold_descriptors::tosca_write::{Fields, Yaml};
use manifold_descriptors::vnfd::{DeploymentFlavour, ExtCpInternal, StorageKind, SwImageSource, Vdu, VirtualStorage};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// A service as OpenMANO has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scenario {
    /// The scenario.
    pub scenario: String,
    /// Descriptors that were written, by the name of their file.
    pub vnfs: BTreeMap<String, String>,
    /// What OpenMANO has no words for.
    pub notes: Vec<String>,
}

/// An OpenMANO scenario of the whole service.
pub fn openmano(service: &Service, options: &Options) -> Result<Scenario, CompileError> {
    let service = joined(service)?;
    let graph = expand(&service, &options.limits)?;
    let mut notes: Vec<String> = Vec::new();
    let mut names = Names::default();
    let mut name_of: BTreeMap<usize, String> = BTreeMap::new();
    let mut vnfs = Fields::new();
    let mut written: BTreeMap<String, String> = BTreeMap::new();
    let mut digests: BTreeMap<String, &String> = BTreeMap::new();
    for (at, instance) in graph.instances.iter().enumerate() {
        if let (InstanceKind::Open, ModelUse::Composite(composite)) = (instance.kind, instance.of) {
            let rules = service.composites[composite].rules.iter();
            notes.extend(
                rules.map(|rule| format!("operation `{}` is left out: a scenario has no words for it", rule.name)),
            );
        }
        let ModelUse::Leaf(leaf) = instance.of else { continue };
        let of = &*service.leaves[leaf].leaf;
        let name = names.give(&[&instance.name.replace('.', "-")]);
        vnfs.put(&name, Fields::new().with("vnf_name", &of.name));
        name_of.insert(at, name);
        if of.format != LeafFormat::OpenMano {
            let file = format!("{}.yaml", file_name(&of.name));
            match digests.entry(file.clone()) {
                Entry::Vacant(entry) => {
                    written.insert(file, descriptor(of, &mut notes)?);
                    entry.insert(&of.digest);
                }
                Entry::Occupied(entry) if **entry.get() != of.digest => notes.push(format!(
                    "two descriptors call their VNF `{}`, and a scenario knows VNFs by name: the first one is taken for both",
                    of.name
                )),
                Entry::Occupied(_) => {}
            }
        }
    }
    let mut net_names = Names::default();
    let mut networks = Fields::new();
    for net in &graph.nets {
        let mut interfaces: Vec<Yaml> = Vec::new();
        for end in &net.ends {
            let (Some(vnf), ModelUse::Leaf(leaf)) = (name_of.get(&end.instance), graph.instances[end.instance].of)
            else {
                continue;
            };
            let of = &service.leaves[leaf];
            if let Some(interface) = of.points.get(&end.point).and_then(|at| of.leaf.interfaces.get(*at)) {
                interfaces.push(Fields::new().with(vnf, &interface.name).into());
            }
        }
        if interfaces.is_empty() {
            notes.push(format!("nothing is on net `{}`: it is left out", net.name));
            continue;
        }
        // From outside it is known by its connection point.
        let name = match net.points.as_slice() {
            [] => net.name.replace('.', "-"),
            [point, ..] => point.clone(),
        };
        let body = Fields::new()
            .with_some("external", (!net.points.is_empty()).then_some(true))
            .with("interfaces", Yaml::List(interfaces));
        networks.put(&net_names.give(&[&name]), body);
    }
    let scenario = Fields::new()
        .with("name", &options.name)
        .with("vnfs", vnfs)
        .with("networks", networks);
    let root = Fields::new().with("schema_version", 2u32).with("scenario", scenario);
    notes.sort();
    notes.dedup();
    Ok(Scenario {
        scenario: Yaml::from(root).document(),
        vnfs: written,
        notes,
    })
}

/// A descriptor of form 0.1 from the model.
fn descriptor(leaf: &Leaf, notes: &mut Vec<String>) -> Result<String, CompileError> {
    let Some(flavour) = leaf.vnfd.flavours.first() else {
        return Err(CompileError::NoFlavour {
            leaf: leaf.name.clone(),
        });
    };
    let mut external: Vec<Yaml> = Vec::new();
    for interface in &leaf.interfaces {
        match place(interface, flavour) {
            Some((vdu, local)) => external.push(
                Fields::new()
                    .with("name", &interface.name)
                    .with("type", role(&interface.role))
                    .with("VNFC", vdu)
                    .with("local_iface_name", local)
                    .into(),
            ),
            None => notes.push(format!(
                "`{}` of `{}` leads to no machine: its OpenMANO descriptor goes without it",
                interface.name, leaf.name
            )),
        }
    }
    let mut internal: Vec<Yaml> = Vec::new();
    for link in &flavour.virtual_links {
        let on_it = flavour.vdus.iter().flat_map(|vdu| {
            let points = vdu
                .connection_points
                .iter()
                .filter(|cp| cp.virtual_link.as_ref() == Some(&link.id));
            points.map(move |cp| {
                Fields::new()
                    .with("VNFC", &vdu.id)
                    .with("local_iface_name", &cp.id)
                    .flow()
            })
        });
        let elements: Vec<Yaml> = on_it.collect();
        internal.push(
            Fields::new()
                .with("name", &link.id)
                .with("type", "bridge")
                .with("elements", Yaml::List(elements))
                .into(),
        );
    }
    let machines: Vec<Yaml> = flavour.vdus.iter().map(machine).collect();
    let vnf = Fields::new()
        .with("name", &leaf.name)
        .with("external-connections", Yaml::List(external))
        .with_some(
            "internal-connections",
            (!internal.is_empty()).then_some(Yaml::List(internal)),
        )
        .with("VNFC", Yaml::List(machines));
    Ok(Yaml::from(Fields::new().with("vnf", vnf)).document())
}

fn role(role: &str) -> &str {
    match role {
        "mgmt" | "data" => role,
        _ => "bridge",
    }
}

/// The machine behind an interface, and what the interface is called there.
fn place<'a>(interface: &Interface, flavour: &'a DeploymentFlavour) -> Option<(&'a str, &'a str)> {
    match &flavour.ext_cpd(&interface.ext_cpd)?.internal {
        ExtCpInternal::VduCp { vdu, cp } => {
            let vdu = flavour.vdu(vdu)?;
            let cp = vdu.connection_points.iter().find(|known| known.id == *cp)?;
            Some((&vdu.id, &cp.id))
        }
        ExtCpInternal::VirtualLink { .. } | ExtCpInternal::Open => None,
    }
}

fn machine(vdu: &Vdu) -> Yaml {
    let image = vdu.boot_image().map(|image| match &image.source {
        SwImageSource::Disk { path } => path.clone(),
        SwImageSource::KernelAndInitramfs { kernel, .. } => kernel.clone(),
        SwImageSource::Uri { uri } => uri.clone(),
        SwImageSource::Manifold { name } => format!("manifold:image/{name}"),
        SwImageSource::ByName => image.name.clone(),
    });
    let interface = |cp: &manifold_descriptors::vnfd::VduCp| Fields::new().with("name", &cp.id).into();
    let interfaces: Vec<Yaml> = vdu.connection_points.iter().map(interface).collect();
    Fields::new()
        .with("name", &vdu.id)
        .with_some("description", (!vdu.description.is_empty()).then_some(&vdu.description))
        .with_some("VNFC image", image)
        .with_some("vcpus", vdu.compute.as_ref().map(|compute| compute.num_virtual_cpu))
        .with_some("ram", vdu.compute.as_ref().map(|compute| compute.virtual_mem_size_mib))
        .with_some("disk", disk_gib(&vdu.storages))
        .with("bridge-ifaces", Yaml::List(interfaces))
        .into()
}

/// Size in GiB of the largest block storage, rounded up.
fn disk_gib(storages: &[VirtualStorage]) -> Option<u64> {
    let blocks = storages.iter().filter(|storage| storage.kind == StorageKind::Block);
    blocks.map(|storage| storage.size_bytes.div_ceil(1 << 30)).max()
}
