//! The script: a model for each VNF, a node for each use of one, a connection for each network.

use crate::ImportError;
use crate::names::Names;
use manifold_descriptors::Nsd;
use manifold_descriptors::nsd::{NsVirtualLink, VnfProfile};
use manifold_nemo_syntax::{ParseOptions, format, parse};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Most nodes that one profile becomes.
const INSTANCES_MAX: u32 = 100;

/// A VNF as a leaf model.
pub(crate) struct Model {
    pub(crate) name: String,
    pub(crate) uri: String,
    /// The descriptor's id, which services name.
    pub(crate) id: String,
    /// Connection point by interface.
    pub(crate) interfaces: BTreeMap<String, String>,
    /// The flavour that a leaf is: the descriptor's first.
    pub(crate) flavour: String,
}

/// The script's name and text.
pub(crate) fn write(
    nsd: Option<&Nsd>,
    models: &[Model],
    notes: &mut Vec<String>,
) -> Result<(String, String), ImportError> {
    let mut text = String::new();
    for model in models {
        let _ = writeln!(text, "CREATE NodeModel {} VNFD {};", model.name, model.uri);
        for point in model.interfaces.values() {
            let _ = writeln!(text, "ConnectionPoint {point} at VNFD:{point};");
        }
    }
    let mut names = Names::default();
    let name = match nsd {
        Some(nsd) => {
            service(&mut text, nsd, models, notes)?;
            names.give(&nsd.name, notes)
        }
        None => {
            // A VNF alone: one of it, with all that it has left open to the outside.
            let mut nodes = Names::default();
            for model in models {
                let node = nodes.give(&format!("{}-1", model.name), notes);
                let _ = writeln!(text, "CREATE Node {node} Type {};", model.name);
            }
            models
                .first()
                .map_or_else(|| "service".to_owned(), |model| model.name.clone())
        }
    };
    Ok((name, format(&parse(&text, ParseOptions::default()))))
}

/// A node and its model.
struct Node<'m> {
    names: Vec<String>,
    model: &'m Model,
}

fn listed<'a>(all: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = all.take(12).map(|name| format!("`{name}`")).collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

fn service(text: &mut String, nsd: &Nsd, models: &[Model], notes: &mut Vec<String>) -> Result<(), ImportError> {
    let mut nodes = Names::default();
    let mut of_profile: Vec<Node<'_>> = Vec::new();
    for profile in &nsd.vnf_profiles {
        let Some(model) = models.iter().find(|model| model.id == profile.vnfd_id) else {
            return Err(ImportError::VnfMissing {
                service: nsd.name.clone(),
                vnf: profile.vnfd_id.clone(),
                given: listed(models.iter().map(|model| model.id.as_str())),
            });
        };
        if ![model.flavour.as_str(), "", "default"].contains(&profile.flavour_id.as_str()) {
            notes.push(format!(
                "`{}` asks for the flavour `{}`: a node is of the first, `{}`",
                profile.id, profile.flavour_id, model.flavour
            ));
        }
        let names: Vec<String> = (0..instances(nsd, profile, notes))
            .map(|_| nodes.give(&profile.id, &mut Vec::new()))
            .collect();
        for name in names.iter().filter(|name| **name != profile.id) {
            notes.push(format!("`{}` is called `{name}`", profile.id));
        }
        for name in &names {
            let _ = writeln!(text, "CREATE Node {name} Type {};", model.name);
        }
        of_profile.push(Node { names, model });
    }
    left_out(nsd, notes);
    let mut on_link: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (profile, node) in nsd.vnf_profiles.iter().zip(&of_profile) {
        for end in &profile.connectivity {
            let Some(point) = node.model.interfaces.get(&end.cpd) else {
                return Err(ImportError::InterfaceMissing {
                    service: nsd.name.clone(),
                    node: profile.id.clone(),
                    interface: end.cpd.clone(),
                    vnf: node.model.id.clone(),
                    given: listed(node.model.interfaces.keys().map(String::as_str)),
                });
            };
            let ends = node.names.iter().map(|name| format!("{name}:{point}"));
            on_link.entry(&end.virtual_link).or_default().extend(ends);
        }
    }
    let (mut points, mut connections) = (Names::default(), Names::default());
    for link in &nsd.virtual_links {
        let ends = on_link.remove(link.id.as_str()).unwrap_or_default();
        connection(text, nsd, link, ends, &mut points, &mut connections, notes);
    }
    Ok(())
}

/// How many nodes a profile is.
fn instances(nsd: &Nsd, profile: &VnfProfile, notes: &mut Vec<String>) -> u32 {
    let count = nsd.instances_at(profile, None);
    if !(1..=INSTANCES_MAX).contains(&count) {
        notes.push(format!(
            "`{}` asks for {count} instances: nodes are 1 to {INSTANCES_MAX}",
            profile.id
        ));
    }
    count.clamp(1, INSTANCES_MAX)
}

/// What a script has no place for, or this import does not write.
fn left_out(nsd: &Nsd, notes: &mut Vec<String>) {
    for (what, count) in [
        ("physical functions", nsd.pnf_profiles.len()),
        ("nested services", nsd.nested_ns_profiles.len()),
        ("forwarding graphs", nsd.vnffgs.len()),
        ("scaling aspects", nsd.scaling_aspects.len()),
        ("affinity rules", nsd.affinity_rules.len()),
    ] {
        if count > 0 {
            notes.push(format!("{count} {what} are left out"));
        }
    }
}

fn connection(
    text: &mut String,
    nsd: &Nsd,
    link: &NsVirtualLink,
    mut ends: Vec<String>,
    points: &mut Names,
    connections: &mut Names,
    notes: &mut Vec<String>,
) {
    if ends.is_empty() {
        notes.push(format!("nothing is on `{}`: it is left out", link.id));
        return;
    }
    let mut outer: BTreeSet<String> = nsd
        .saps
        .iter()
        .filter(|sap| sap.virtual_link.as_ref() == Some(&link.id))
        .map(|sap| sap.requirement.clone().unwrap_or_else(|| sap.id.clone()))
        .collect();
    // A network with one end leads outside, or nobody would be there to be reached.
    if outer.is_empty() && ends.len() == 1 {
        outer.insert(link.id.clone());
    }
    let mut all = Vec::new();
    for name in outer {
        let point = points.give(&name, notes);
        let _ = writeln!(text, "CREATE ConnectionPoint {point};");
        all.push(point);
    }
    all.append(&mut ends);
    let shape = match (all.len(), link.connectivity_type.flow_pattern.as_deref()) {
        (2, _) => "p2p",
        (_, Some("tree")) => "p2mp",
        _ => "mesh",
    };
    let name = connections.give(&link.id, notes);
    let mut properties = Vec::new();
    if let Some(subnet) = link.l3.first() {
        properties.push(format!("ipprefix: {}", subnet.cidr));
    }
    if let Some(bits) = link.max_bitrate.root_bits_per_second.filter(|bits| *bits > 0) {
        properties.push(match bits % 1_000_000 {
            0 => format!("bandwidth: {}(mbps)", bits / 1_000_000),
            _ => format!("bandwidth: {}(kbps)", bits.div_ceil(1000)),
        });
    }
    let properties = if properties.is_empty() {
        String::new()
    } else {
        format!(" Property {}", properties.join(", "))
    };
    let _ = writeln!(
        text,
        "CREATE Connection {name} Type {shape} Endnodes {}{properties};",
        all.join(", ")
    );
}
