//! An NSD of SOL006.

use std::collections::{BTreeMap, BTreeSet};

use super::graph;
use super::vnfd::twice;
use crate::code::Code;
use crate::fields::{Fields, Names, Reader, Word};
use crate::nsd::{CpConnectivity, NsLevel, NsProfile, NsVirtualLink, Nsd, PnfProfile, Sap, VnfProfile};
use crate::openmano::{PROVIDER, VERSION};
use crate::yaml::Node;

/// Constituents, links and their profiles by the names of the text.
#[derive(Default)]
pub(super) struct Known {
    /// Link description → id in the model.
    links: BTreeMap<String, String>,
    /// Link profile → link in the model.
    link_profiles: BTreeMap<String, String>,
    /// VNF, PNF and NS profiles.
    pub(super) profiles: BTreeMap<String, u32>,
}

impl Known {
    /// The link that a profile, or as some write it a description, names.
    pub(super) fn link(&self, reader: &mut Reader, word: &Word) -> Option<String> {
        let found = self
            .link_profiles
            .get(&word.text)
            .or_else(|| self.links.get(&word.text))
            .cloned();
        if found.is_none() {
            let message = format!("there is no virtual link `{}`", word.text);
            let all = self.link_profiles.keys().chain(self.links.keys()).map(String::as_str);
            reader.unknown_name(word.span, message, &word.text, all);
        }
        found
    }

    fn profile(&mut self, reader: &mut Reader, id: &Word) -> bool {
        if let Some(line) = self.profiles.insert(id.text.clone(), id.span.line) {
            let message = format!("there are two profiles `{}` (first in line {line})", id.text);
            reader.report.error(Code::NameTwice, id.span, message);
            return false;
        }
        true
    }
}

pub(crate) fn read(reader: &mut Reader, node: &Node) -> Option<Nsd> {
    let mut fields = Fields::of(reader, node, "an NSD")?;
    let id = fields.need(reader, "id");
    let name = fields.text(reader, "name");
    let invariant = fields.text(reader, "invariant-id");
    let mut nsd = Nsd {
        designer: fields.text(reader, "designer").unwrap_or_else(|| PROVIDER.to_owned()),
        version: fields.text(reader, "version").unwrap_or_else(|| VERSION.to_owned()),
        place: Some(reader.report.place(node.span)),
        ..Nsd::default()
    };
    fields.without_effect(
        reader,
        &[
            "description",
            "vnfd-id",
            "pnfd-id",
            "nested-nsd-id",
            "monitored-info",
            "lifecycle-management-script",
            "autoscaling-rule",
            "auto-scaling-rule",
            "service-availability",
            "signature",
            "ns-configuration",
            "_admin",
        ],
    );
    let mut names = Names::default();
    let mut known = Known::default();
    links(reader, &mut fields, &mut nsd, &mut known, &mut names);
    saps(reader, &mut fields, &mut nsd, &known, &mut names);
    let mut flavours = fields.maps(reader, "df", "a deployment flavour").into_iter();
    let vnffgs = fields.maps(reader, "vnffgd", "a forwarding graph");
    if let Some(mut df) = flavours.next() {
        flavour(reader, &mut df, &mut nsd, &mut known);
        df.finish(reader);
    } else {
        reader.report.error(Code::FieldMissing, node.span, "an NSD has no `df`");
    }
    for df in flavours {
        reader.unused("an NSD", "df after the first", df.span());
    }
    graph::read(reader, vnffgs, &mut nsd, &known);
    fields.finish(reader);
    let id = id?;
    nsd.name = name.unwrap_or_else(|| id.text.clone());
    nsd.invariant_id = invariant.unwrap_or_else(|| id.text.clone());
    nsd.descriptor_id = id.text;
    Some(nsd)
}

fn links(reader: &mut Reader, fields: &mut Fields<'_>, nsd: &mut Nsd, known: &mut Known, names: &mut Names) {
    for mut link in fields.maps(reader, "virtual-link-desc", "a virtual link") {
        let id = link.need(reader, "id");
        let description = link.prose(reader, "description").unwrap_or_default();
        let connectivity_type = super::connectivity_type(reader, &mut link);
        link.without_effect(
            reader,
            &[
                "name",
                "provider",
                "df",
                "flavour",
                "test-access",
                "security",
                "mgmt-network",
                "vim-network-name",
            ],
        );
        link.finish(reader);
        let Some(id) = id else { continue };
        if known.links.contains_key(&id.text) {
            twice(reader, id.span, "virtual links", &id.text);
            continue;
        }
        let own = names.give(&id.text);
        known.links.insert(id.text, own.clone());
        nsd.virtual_links.push(NsVirtualLink {
            id: own,
            description,
            connectivity_type,
            place: Some(reader.report.place(id.span)),
            ..NsVirtualLink::default()
        });
    }
}

fn saps(reader: &mut Reader, fields: &mut Fields<'_>, nsd: &mut Nsd, known: &Known, names: &mut Names) {
    let mut seen = BTreeMap::new();
    for mut sap in fields.maps(reader, "sapd", "a service access point") {
        let id = sap.need(reader, "id");
        let link = sap.word(reader, "virtual-link-desc");
        let link = sap.word(reader, "virtual-link-desc-id").or(link);
        let description = sap.prose(reader, "description").unwrap_or_default();
        let layer_protocols = super::layer_protocols(reader, &mut sap);
        sap.without_effect(
            reader,
            &[
                "cp-role",
                "protocol",
                "trunk-mode",
                "address-data",
                "associated-cpd-id",
                "sap-address-assignment",
                "security-group-rule-id",
            ],
        );
        sap.finish(reader);
        let Some(id) = id else { continue };
        if seen.insert(id.text.clone(), ()).is_some() {
            twice(reader, id.span, "service access points", &id.text);
            continue;
        }
        let own = if names.is_free(&id.text) {
            names.give(&id.text)
        } else {
            names.give(&format!("{}-sap", id.text))
        };
        nsd.saps.push(Sap {
            id: own,
            description,
            layer_protocols,
            virtual_link: link.and_then(|link| known.link(reader, &link)),
            requirement: Some(id.text),
            place: Some(reader.report.place(id.span)),
        });
    }
}

fn flavour(reader: &mut Reader, df: &mut Fields<'_>, nsd: &mut Nsd, known: &mut Known) {
    nsd.flavour_id = df.need(reader, "id").map(|id| id.text).unwrap_or_default();
    link_profiles(reader, df, nsd, known);
    for mut profile in df.maps(reader, "vnf-profile", "a VNF's profile") {
        let id = profile.need(reader, "id");
        let vnfd = profile.need(reader, "vnfd-id");
        let min = profile.count(reader, "min-number-of-instances").unwrap_or(1);
        let max = profile.count(reader, "max-number-of-instances").unwrap_or(min.max(1));
        let flavour = profile.text(reader, "flavour-id");
        let flavour = profile.text(reader, "vnf-df-id").or(flavour);
        let level = profile.text(reader, "instantiation-level");
        let level = profile.text(reader, "instantiation-level-id").or(level);
        let connectivity = connectivity(reader, &mut profile, known);
        profile.without_effect(
            reader,
            &[
                "local-affinity-or-anti-affinity-rule",
                "affinity-or-anti-affinity-group",
                "affinity-or-anti-affinity-group-id",
                "additional-params",
                "versioned-vnf-profile",
            ],
        );
        let span = profile.span();
        profile.finish(reader);
        let (Some(id), Some(vnfd)) = (id, vnfd) else { continue };
        if min > max {
            let message = format!("at least {min} and at most {max} instances");
            reader.report.error(Code::ProfileRange, span, message);
        }
        if known.profile(reader, &id) {
            nsd.vnf_profiles.push(VnfProfile {
                id: id.text,
                vnfd_id: vnfd.text,
                flavour_id: flavour.unwrap_or_default(),
                instantiation_level: level,
                min_number_of_instances: min,
                max_number_of_instances: max,
                connectivity,
                place: Some(reader.report.place(id.span)),
                ..VnfProfile::default()
            });
        }
    }
    for mut profile in df.maps(reader, "pnf-profile", "a PNF's profile") {
        let (id, pnfd) = (profile.need(reader, "id"), profile.need(reader, "pnfd-id"));
        let connectivity = connectivity(reader, &mut profile, known);
        profile.finish(reader);
        let (Some(id), Some(pnfd)) = (id, pnfd) else { continue };
        if known.profile(reader, &id) {
            nsd.pnf_profiles.push(PnfProfile {
                name: id.text.clone(),
                id: id.text,
                pnfd_id: pnfd.text,
                connectivity,
                place: Some(reader.report.place(id.span)),
            });
        }
    }
    for mut profile in df.maps(reader, "ns-profile", "a nested service's profile") {
        let (id, inner) = (profile.need(reader, "id"), profile.need(reader, "nsd-id"));
        let flavour = profile.text(reader, "ns-df-id");
        let connectivity = connectivity(reader, &mut profile, known);
        profile.without_effect(
            reader,
            &[
                "ns-instantiation-level-id",
                "min-number-of-instances",
                "max-number-of-instances",
                "affinity-or-anti-affinity-group-id",
            ],
        );
        profile.finish(reader);
        let (Some(id), Some(inner)) = (id, inner) else { continue };
        if known.profile(reader, &id) {
            nsd.nested_ns_profiles.push(NsProfile {
                id: id.text,
                nsd_id: inner.text,
                flavour_id: flavour.unwrap_or_default(),
                connectivity,
                place: Some(reader.report.place(id.span)),
            });
        }
    }
    levels(reader, df, nsd);
    df.without_effect(
        reader,
        &[
            "description",
            "scaling-aspect",
            "ns-scaling-aspect",
            "affinity-or-anti-affinity-group",
            "dependencies",
            "flavour-key",
            "priority",
        ],
    );
}

fn link_profiles(reader: &mut Reader, df: &mut Fields<'_>, nsd: &mut Nsd, known: &mut Known) {
    let at: BTreeMap<String, usize> = nsd
        .virtual_links
        .iter()
        .enumerate()
        .map(|(at, link)| (link.id.clone(), at))
        .collect();
    for mut profile in df.maps(reader, "virtual-link-profile", "a link's profile") {
        let id = profile.need(reader, "id");
        let link = profile.need(reader, "virtual-link-desc-id");
        let max = super::bitrate(
            reader,
            &mut profile,
            ["max-bitrate-requirements", "max-bit-rate-requirements"],
        );
        let min = super::bitrate(
            reader,
            &mut profile,
            ["min-bitrate-requirements", "min-bit-rate-requirements"],
        );
        let (l2, l3) = super::subnet::protocol_data(reader, &mut profile);
        profile.without_effect(
            reader,
            &[
                "flavour-id",
                "ip-profile",
                "local-affinity-or-anti-affinity-rule",
                "affinity-or-anti-affinity-group-id",
                "service-availability",
            ],
        );
        profile.finish(reader);
        let (Some(id), Some(link)) = (id, link) else { continue };
        let Some(own) = known.links.get(&link.text) else {
            let message = format!("there is no virtual link `{}`", link.text);
            reader.unknown_name(link.span, message, &link.text, known.links.keys().map(String::as_str));
            continue;
        };
        let made = &mut nsd.virtual_links[at[own]];
        (made.max_bitrate, made.min_bitrate, made.l2, made.l3) = (max, min, l2, l3);
        if known.link_profiles.insert(id.text.clone(), own.clone()).is_some() {
            twice(reader, id.span, "link profiles", &id.text);
        }
    }
}

/// What a constituent is connected to.
fn connectivity(reader: &mut Reader, profile: &mut Fields<'_>, known: &Known) -> Vec<CpConnectivity> {
    let mut all = Vec::new();
    let mut seen = BTreeMap::new();
    for mut connection in profile.maps(reader, "virtual-link-connectivity", "a connection to a link") {
        let link = connection.need(reader, "virtual-link-profile-id");
        let points = connection.get("constituent-cpd-id");
        let mut cpds = Vec::new();
        for item in points.map(Node::items).unwrap_or_default() {
            if item.text().is_some() {
                let text = reader.text("constituent-cpd-id", item);
                cpds.extend(text.map(|text| Word { text, span: item.span }));
                continue;
            }
            let Some(mut point) = Fields::of(reader, item, "a connection point of a constituent") else {
                continue;
            };
            cpds.extend(point.need(reader, "constituent-cpd-id"));
            point.without_effect(reader, &["constituent-base-element-id", "ip-address", "cpd-id"]);
            point.finish(reader);
        }
        if points.is_some_and(|points| points.items().is_empty()) {
            let message = "`constituent-cpd-id` must be a list that is not empty";
            reader.report.error(Code::FieldMalformed, connection.span(), message);
        }
        connection.finish(reader);
        let Some(link) = link.and_then(|link| known.link(reader, &link)) else {
            continue;
        };
        for cpd in cpds {
            if let Some(line) = seen.insert(cpd.text.clone(), cpd.span.line) {
                let message = format!("`{}` is connected already (line {line})", cpd.text);
                reader.report.error(Code::NameTwice, cpd.span, message);
                continue;
            }
            all.push(CpConnectivity {
                place: Some(reader.report.place(cpd.span)),
                cpd: cpd.text,
                virtual_link: link.clone(),
            });
        }
    }
    all
}

fn levels(reader: &mut Reader, df: &mut Fields<'_>, nsd: &mut Nsd) {
    let profiles: BTreeSet<String> = nsd.vnf_profiles.iter().map(|profile| profile.id.clone()).collect();
    let mut first = None;
    for mut level in df.maps(reader, "ns-instantiation-level", "an instantiation level") {
        let id = level.need(reader, "id");
        let mut made = NsLevel {
            description: level.prose(reader, "description").unwrap_or_default(),
            ..NsLevel::default()
        };
        for mut mapping in level.maps(reader, "vnf-to-level-mapping", "a VNF's level") {
            let (profile, count) = (
                mapping.need(reader, "vnf-profile-id"),
                mapping.count(reader, "number-of-instances"),
            );
            mapping.finish(reader);
            let Some(profile) = profile else { continue };
            if profiles.contains(&profile.text) {
                made.vnf_instances.insert(profile.text, count.unwrap_or(1));
            } else {
                let message = format!("there is no VNF profile `{}`", profile.text);
                reader.unknown_name(
                    profile.span,
                    message,
                    &profile.text,
                    profiles.iter().map(String::as_str),
                );
            }
        }
        level.without_effect(reader, &["virtual-link-to-level-mapping", "ns-to-level-mapping"]);
        level.finish(reader);
        let Some(id) = id else { continue };
        first.get_or_insert(id.text.clone());
        if nsd.instantiation_levels.insert(id.text.clone(), made).is_some() {
            twice(reader, id.span, "instantiation levels", &id.text);
        }
    }
    let stated = df.text(reader, "default-ns-instantiation-level");
    let stated = df.text(reader, "default-ns-instantiation-level-id").or(stated);
    nsd.default_instantiation_level = stated.filter(|id| nsd.instantiation_levels.contains_key(id)).or(first);
}
