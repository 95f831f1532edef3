//! Parts of an NSD: the types of services and VNFs, links, SAPs, levels.

use std::collections::BTreeSet;

use super::links::{MAX_BITRATE_OTHERWISE, bitrate, connectivity, policy, protocol_data, protocols};
use super::text::{Fields, Yaml};
use super::{constant, linkable, requirements};
use crate::nsd::{CpConnectivity, NsVirtualLink, Nsd, Qos, Sap, VnfProfile};
use crate::vnfd::Vnfd;

pub(super) fn derived(from: &str, properties: Fields, names: BTreeSet<&str>) -> Fields {
    Fields::new()
        .with("derived_from", from)
        .with("properties", properties)
        .with_some("requirements", (!names.is_empty()).then(|| linkable(names)))
}

pub(super) fn ns_type(nsd: &Nsd, flavour_id: &str, names: BTreeSet<&str>) -> Fields {
    let properties = Fields::new()
        .with("descriptor_id", constant(&nsd.descriptor_id))
        .with("designer", constant(&nsd.designer))
        .with("version", constant(&nsd.version))
        .with("name", constant(&nsd.name))
        .with("invariant_id", constant(&nsd.invariant_id))
        .with("flavour_id", constant(flavour_id));
    derived("tosca.nodes.nfv.NS", properties, names)
}

/// What the type of a VNF says of provider and product.
pub(super) fn of_type<'a>(first: &'a VnfProfile, known: Option<&'a Vnfd>) -> (&'a str, &'a str) {
    match known {
        Some(vnfd) => (&vnfd.provider, &vnfd.product_name),
        None => (&first.provider, &first.product_name),
    }
}

pub(super) fn vnf_type<'a>(
    id: &str,
    first: &'a VnfProfile,
    known: Option<&'a Vnfd>,
    connections: impl Iterator<Item = &'a CpConnectivity>,
) -> Fields {
    let mut names: BTreeSet<&str> = connections.map(|connection| connection.cpd.as_str()).collect();
    if let Some(flavour) = known.and_then(|vnfd| vnfd.flavour(&first.flavour_id)) {
        names.extend(flavour.ext_cpds.iter().filter_map(|cpd| cpd.requirement.as_deref()));
    }
    let (provider, product) = of_type(first, known);
    let info = known.map(|vnfd| vnfd.vnfm_info.as_slice()).unwrap_or_default();
    let info = Fields::new()
        .with("type", "list")
        .with("entry_schema", Fields::new().with("type", "string").flow())
        .with("default", Yaml::words(info));
    let description = known
        .and_then(|vnfd| vnfd.flavour(&first.flavour_id))
        .map_or("", |flavour| flavour.description.as_str());
    let properties = Fields::new()
        .with("descriptor_id", constant(id))
        .with(
            "descriptor_version",
            constant(known.map_or("", |vnfd| &vnfd.descriptor_version)),
        )
        .with("provider", constant(provider))
        .with("product_name", constant(product))
        .with(
            "software_version",
            constant(known.map_or("", |vnfd| &vnfd.software_version)),
        )
        .with("vnfm_info", info.flow())
        .with("flavour_id", constant(&first.flavour_id))
        .with("flavour_description", constant(description));
    derived("tosca.nodes.nfv.VNF", properties, names)
}

pub(super) fn constituent(type_name: &str, properties: Fields, connectivity: &[CpConnectivity]) -> Fields {
    let links = connectivity
        .iter()
        .map(|c| (c.cpd.as_str(), Yaml::from(&c.virtual_link)));
    Fields::new()
        .with("type", type_name)
        .with("properties", properties)
        .with_some("requirements", (!connectivity.is_empty()).then(|| requirements(links)))
}

pub(super) fn sap(sap: &Sap) -> Fields {
    let link = sap
        .virtual_link
        .as_ref()
        .map(|link| requirements([("internal_virtual_link", link.into())]));
    let properties = Fields::new()
        .with("layer_protocols", protocols(&sap.layer_protocols))
        .with_some("description", (!sap.description.is_empty()).then_some(&sap.description));
    Fields::new()
        .with("type", "tosca.nodes.nfv.Sap")
        .with("properties", properties)
        .with_some("requirements", link)
}

pub(super) fn virtual_link(link: &NsVirtualLink) -> Fields {
    let profile = Fields::new()
        .with(
            "max_bitrate_requirements",
            bitrate(&link.max_bitrate, MAX_BITRATE_OTHERWISE),
        )
        .with("min_bitrate_requirements", bitrate(&link.min_bitrate, 0))
        .with_some("service_availability_level", link.service_availability_level)
        .with_some("qos", link.qos.as_ref().and_then(qos))
        .with_some("virtual_link_protocol_data", protocol_data(link.l2.as_ref(), &link.l3));
    let properties = Fields::new()
        .with_some(
            "description",
            (!link.description.is_empty()).then_some(&link.description),
        )
        .with("connectivity_type", connectivity(&link.connectivity_type))
        .with("vl_profile", profile);
    Fields::new()
        .with("type", "tosca.nodes.nfv.NsVirtualLink")
        .with("properties", properties)
}

/// Latency and its variation are both demanded: where one is said, the other is as much.
pub(super) fn qos(qos: &Qos) -> Option<Yaml> {
    let latency = qos.latency_us.or(qos.packet_delay_variation_us)?;
    let variation = qos.packet_delay_variation_us.unwrap_or(latency);
    let fields = Fields::new()
        .with("latency", format!("{latency} us"))
        .with("packet_delay_variation", format!("{variation} us"))
        .with_some(
            "packet_loss_ratio",
            qos.packet_loss_ratio.map(|ratio| Yaml::Bare(ratio.to_string())),
        )
        .with_some("priority", qos.priority);
    Some(fields.flow())
}

pub(super) fn levels(nsd: &Nsd, policies: &mut Vec<Yaml>) {
    const NOTHING: [&str; 0] = [];
    if !nsd.scaling_aspects.is_empty() {
        let mut aspects = Fields::new();
        for (id, aspect) in &nsd.scaling_aspects {
            aspects.put(
                id,
                Fields::new()
                    .with("name", &aspect.name)
                    .with("description", &aspect.description),
            );
        }
        let properties = Fields::new().with("aspects", aspects);
        policies.push(policy(
            "scaling",
            "tosca.policies.nfv.NsScalingAspects",
            NOTHING,
            properties,
        ));
    }
    for (id, aspect) in &nsd.scaling_aspects {
        for profile in &nsd.vnf_profiles {
            let mut counts = Fields::new();
            for (level, instances) in &aspect.levels {
                if let Some(count) = instances.get(&profile.id) {
                    counts.put(&level.to_string(), *count);
                }
            }
            if !counts.is_empty() {
                let properties = Fields::new().with("aspect", id).with("number_of_instances", counts);
                let name = format!("{}_by_{id}", profile.id);
                policies.push(policy(
                    &name,
                    "tosca.policies.nfv.VnfToLevelMapping",
                    [&profile.id],
                    properties,
                ));
            }
        }
    }
    if nsd.instantiation_levels.is_empty() {
        return;
    }
    let mut all = Fields::new();
    for (id, level) in &nsd.instantiation_levels {
        all.put(id, Fields::new().with("description", &level.description));
    }
    let properties = Fields::new()
        .with_some("default_level", nsd.default_instantiation_level.as_ref())
        .with("ns_levels", all);
    policies.push(policy(
        "levels",
        "tosca.policies.nfv.NsInstantiationLevels",
        NOTHING,
        properties,
    ));
    for profile in &nsd.vnf_profiles {
        let mut counts = Fields::new();
        for (id, level) in &nsd.instantiation_levels {
            if let Some(count) = level.vnf_instances.get(&profile.id) {
                counts.put(id, *count);
            }
        }
        if !counts.is_empty() {
            let properties = Fields::new().with("number_of_instances", counts);
            let name = format!("{}_levels", profile.id);
            policies.push(policy(
                &name,
                "tosca.policies.nfv.VnfToInstantiationLevelMapping",
                [&profile.id],
                properties,
            ));
        }
    }
}
