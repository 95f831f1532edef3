//! An NSD: one definitions file with the types of the constituents in it.

use std::collections::{BTreeMap, BTreeSet};

use super::links::{affinity, policy};
use super::ns_parts::{constituent, derived, levels, ns_type, of_type, sap, virtual_link, vnf_type};
use super::text::{Fields, Yaml};
use super::{Written, constant, definitions, free_name, packets};
use crate::nsd::{NsProfile, Nsd, PnfProfile, VnfProfile};
use crate::vnfd::Vnfd;

/// An NSD with what stands in its text besides.
#[derive(Debug, Clone)]
pub struct NsdWriting<'a> {
    /// The descriptor.
    pub nsd: &'a Nsd,
    /// What the service does, for people.
    pub description: &'a str,
    /// Descriptors of its VNFs, as far as they are at hand: their types say all that these say.
    pub vnfds: &'a [&'a Vnfd],
    /// Descriptors of the nested services, as far as they are at hand.
    pub nested: &'a [&'a Nsd],
}

/// The definitions of an NSD, `Definitions/NAME.yaml`.
pub fn nsd(writing: &NsdWriting<'_>, name: &str) -> Written {
    let writer = Writer::new(writing, name);
    let nsd = writing.nsd;
    let mut mapped = Fields::new();
    for sap in &nsd.saps {
        if let Some(requirement) = &sap.requirement {
            mapped.put(requirement, Yaml::words([sap.id.as_str(), "external_virtual_link"]));
        }
    }
    let substitution = Fields::new()
        .with("node_type", &writer.own_type)
        .with_some("requirements", (!mapped.is_empty()).then_some(mapped));
    let (mut groups, mut policies) = (Fields::new(), Vec::new());
    packets::graphs(nsd, &mut groups, &mut policies);
    levels(nsd, &mut policies);
    affinity(
        &nsd.affinity_rules,
        [
            "tosca.policies.nfv.NsAffinityRule",
            "tosca.policies.nfv.NsAntiAffinityRule",
        ],
        "tosca.groups.nfv.NsPlacementGroup",
        |name| writer.taken.contains(name),
        &mut groups,
        &mut policies,
    );
    let rules = packets::names(nsd);
    for (number, place) in nsd.location_constraints.iter().enumerate() {
        let properties = Fields::new()
            .with_some("nfvi_pop", place.nfvi_pop.as_ref())
            .with_some("zone", place.zone.as_ref());
        let name = free_name(&format!("{}_place", place.profile), |name| {
            let others = &nsd.location_constraints[..number];
            rules.contains(name) || others.iter().any(|other| format!("{}_place", other.profile) == name)
        });
        policies.push(policy(
            &name,
            "manifold.policies.Location",
            [&place.profile],
            properties,
        ));
    }
    policies.extend(nsd.traffic_rules.iter().map(packets::traffic));
    let topology = Fields::new()
        .with("substitution_mappings", substitution)
        .with("node_templates", writer.nodes().spaced())
        .with_some("groups", (!groups.is_empty()).then_some(groups))
        .with_some("policies", (!policies.is_empty()).then_some(Yaml::List(policies)));
    let file = definitions(writing.description, &["etsi_nfv_sol001_nsd_types.yaml"])
        .with("node_types", writer.node_types().spaced())
        .with("topology_template", topology.spaced());
    Written::from([(format!("Definitions/{name}.yaml"), file.spaced().document())])
}

struct Writer<'a> {
    writing: &'a NsdWriting<'a>,
    own_type: String,
    own_node: String,
    /// Names of types by the id of the descriptor: VNFs, PNFs, nested services.
    types: [BTreeMap<&'a str, String>; 3],
    /// Names of nodes.
    taken: BTreeSet<String>,
}

impl<'a> Writer<'a> {
    fn new(writing: &'a NsdWriting<'a>, name: &str) -> Self {
        let nsd = writing.nsd;
        let own_type = format!("manifold.ns.{name}");
        let mut used = BTreeSet::from([own_type.clone()]);
        let mut of = |kind: &str, ids: Vec<(&'a str, String)>| {
            let mut all: BTreeMap<&'a str, String> = BTreeMap::new();
            for (id, wished) in ids {
                if !all.contains_key(id) {
                    let plain: String = wished
                        .chars()
                        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
                        .collect();
                    let name = free_name(&format!("manifold.{kind}.{plain}"), |name| used.contains(name));
                    used.insert(name.clone());
                    all.insert(id, name);
                }
            }
            all
        };
        let vnfs = nsd.vnf_profiles.iter().map(|profile| {
            let known = writing.vnfds.iter().find(|vnfd| vnfd.descriptor_id == profile.vnfd_id);
            let product = known.map_or(&profile.product_name, |vnfd| &vnfd.product_name);
            let name = if product.is_empty() { &profile.id } else { product };
            (profile.vnfd_id.as_str(), name.clone())
        });
        let pnfs = nsd
            .pnf_profiles
            .iter()
            .map(|profile| (profile.pnfd_id.as_str(), profile.id.clone()));
        let nested = nsd.nested_ns_profiles.iter().map(|profile| {
            let known = writing
                .nested
                .iter()
                .find(|nested| nested.descriptor_id == profile.nsd_id);
            (
                profile.nsd_id.as_str(),
                known.map_or(&profile.id, |nested| &nested.name).clone(),
            )
        });
        let types = [
            of("vnf", vnfs.collect()),
            of("pnf", pnfs.collect()),
            of("ns", nested.collect()),
        ];
        let taken: BTreeSet<String> = [
            nsd.vnf_profiles.iter().map(|p| &p.id).collect::<Vec<_>>(),
            nsd.pnf_profiles.iter().map(|p| &p.id).collect(),
            nsd.nested_ns_profiles.iter().map(|p| &p.id).collect(),
            nsd.virtual_links.iter().map(|link| &link.id).collect(),
            nsd.saps.iter().map(|sap| &sap.id).collect(),
            nsd.vnffgs
                .iter()
                .flat_map(|graph| &graph.paths)
                .flat_map(|path| [&path.id].into_iter().chain(&path.positions))
                .collect(),
        ]
        .concat()
        .into_iter()
        .cloned()
        .collect();
        let own_node = free_name("NS", |name| taken.contains(name));
        Self {
            writing,
            own_type,
            own_node,
            types,
            taken,
        }
    }

    fn node_types(&self) -> Fields {
        let nsd = self.writing.nsd;
        let saps = nsd.saps.iter().filter_map(|sap| sap.requirement.as_deref());
        let mut all = Fields::new().with(&self.own_type, ns_type(nsd, &nsd.flavour_id, saps.collect()));
        let [vnfs, pnfs, nested] = &self.types;
        for (id, name) in vnfs {
            let profiles: Vec<&VnfProfile> = nsd.vnf_profiles.iter().filter(|p| p.vnfd_id == *id).collect();
            let known = self.writing.vnfds.iter().find(|vnfd| vnfd.descriptor_id == *id);
            let connections = profiles.iter().flat_map(|profile| &profile.connectivity);
            all.put(name, vnf_type(id, profiles[0], known.copied(), connections));
        }
        for (id, name) in pnfs {
            let profiles: Vec<&PnfProfile> = nsd.pnf_profiles.iter().filter(|p| p.pnfd_id == *id).collect();
            let names: BTreeSet<&str> = profiles
                .iter()
                .flat_map(|p| &p.connectivity)
                .map(|c| c.cpd.as_str())
                .collect();
            let properties = Fields::new()
                .with("descriptor_id", constant(*id))
                .with("function_description", constant(""))
                .with("provider", constant(""))
                .with("version", constant(""))
                .with("descriptor_invariant_id", constant(*id))
                .with("name", constant(&profiles[0].name));
            all.put(name, derived("tosca.nodes.nfv.PNF", properties, names));
        }
        for (id, name) in nested {
            let profiles: Vec<&NsProfile> = nsd.nested_ns_profiles.iter().filter(|p| p.nsd_id == *id).collect();
            let mut names: BTreeSet<&str> = profiles
                .iter()
                .flat_map(|p| &p.connectivity)
                .map(|c| c.cpd.as_str())
                .collect();
            let unknown = Nsd {
                descriptor_id: (*id).to_owned(),
                invariant_id: (*id).to_owned(),
                name: profiles[0].id.clone(),
                ..Nsd::default()
            };
            let known = self.writing.nested.iter().find(|nested| nested.descriptor_id == *id);
            let known = known.copied().unwrap_or(&unknown);
            names.extend(known.saps.iter().filter_map(|sap| sap.requirement.as_deref()));
            all.put(name, ns_type(known, &profiles[0].flavour_id, names));
        }
        all
    }

    fn nodes(&self) -> Fields {
        let nsd = self.writing.nsd;
        let [vnfs, pnfs, nested] = &self.types;
        let mut all = Fields::new().with(&self.own_node, Fields::new().with("type", &self.own_type));
        for profile in &nsd.vnf_profiles {
            let known = self
                .writing
                .vnfds
                .iter()
                .find(|vnfd| vnfd.descriptor_id == profile.vnfd_id);
            let first = nsd
                .vnf_profiles
                .iter()
                .find(|p| p.vnfd_id == profile.vnfd_id)
                .unwrap_or(profile);
            let (provider, product) = of_type(first, known.copied());
            let bounds = Fields::new()
                .with_some("instantiation_level", profile.instantiation_level.as_ref())
                .with("min_number_of_instances", profile.min_number_of_instances)
                .with("max_number_of_instances", profile.max_number_of_instances);
            let properties = Fields::new()
                .with_some("provider", (profile.provider != provider).then_some(&profile.provider))
                .with_some(
                    "product_name",
                    (profile.product_name != product).then_some(&profile.product_name),
                )
                .with("flavour_id", &profile.flavour_id)
                .with("vnf_profile", bounds.flow());
            all.put(
                &profile.id,
                constituent(&vnfs[profile.vnfd_id.as_str()], properties, &profile.connectivity),
            );
        }
        for profile in &nsd.pnf_profiles {
            let properties = Fields::new().with("name", &profile.name);
            all.put(
                &profile.id,
                constituent(&pnfs[profile.pnfd_id.as_str()], properties, &profile.connectivity),
            );
        }
        for profile in &nsd.nested_ns_profiles {
            let properties = Fields::new().with("flavour_id", &profile.flavour_id);
            all.put(
                &profile.id,
                constituent(&nested[profile.nsd_id.as_str()], properties, &profile.connectivity),
            );
        }
        nsd.saps.iter().for_each(|one| all.put(&one.id, sap(one)));
        nsd.virtual_links
            .iter()
            .for_each(|link| all.put(&link.id, virtual_link(link)));
        packets::nodes(nsd, &self.taken, &mut all);
        all
    }
}
