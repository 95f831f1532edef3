//! The service: an NSD, its links, and the VNFs whose connection points they join.

use std::collections::{BTreeMap, BTreeSet};

use crate::code::Code;
use crate::fields::{Fields, Reader, Word};
use crate::formats::Kind;
use crate::interfaces::ReadLeaf;
use crate::link::LayerProtocol;
use crate::nsd::{CpConnectivity, NsVirtualLink, Nsd, Sap, VnfProfile};
use crate::openmano::{FLAVOUR, PROVIDER, VERSION};
use crate::source::Span;
use crate::yaml::Node;

/// What stands at one end of a link.
enum End {
    /// Index of the profile.
    Vnf(usize, String),
    /// Index of the SAP.
    Sap(usize),
}

/// Reads NSD and links. `is_complete`: every VNFD that was given could be read, so that what is missing is missing.
pub(super) fn read(reader: &mut Reader, roots: &[(Kind, Node)], vnfds: &[&ReadLeaf], is_complete: bool) -> Option<Nsd> {
    let mut nsds = roots
        .iter()
        .filter(|(kind, _)| *kind == Kind::Man001Nsd)
        .map(|(_, node)| node);
    let (first, second) = (nsds.next(), nsds.next());
    if let Some(second) = second {
        reader.report.error(Code::NameTwice, second.span, "there are two NSDs");
    }
    let mut nsd = Nsd {
        descriptor_id: "service".to_owned(),
        name: "service".to_owned(),
        invariant_id: "service".to_owned(),
        designer: PROVIDER.to_owned(),
        version: VERSION.to_owned(),
        flavour_id: FLAVOUR.to_owned(),
        ..Nsd::default()
    };
    let mut wanted = Wanted::default();
    if let Some(node) = first {
        head(reader, node, &mut nsd, &mut wanted);
    }
    let by_id: BTreeMap<&str, &ReadLeaf> = vnfds
        .iter()
        .map(|read| (read.vnfd.descriptor_id.as_str(), *read))
        .collect();
    match &wanted.vnfds {
        Some(listed) => {
            let mut listed_once = BTreeSet::new();
            for word in listed {
                if !listed_once.insert(word.text.as_str()) {
                    let message = format!("the NSD lists VNFD `{}` twice", word.text);
                    reader.report.error(Code::NameTwice, word.span, message);
                    continue;
                }
                match by_id.get(word.text.as_str()) {
                    Some(read) => nsd.vnf_profiles.push(profile(reader, read, word.span)),
                    None if is_complete => {
                        let message = format!("no VNFD `{}` was given", word.text);
                        reader.unknown_name(word.span, message, &word.text, by_id.keys().copied());
                    }
                    None => {}
                }
            }
        }
        None => {
            let whole = first.map_or_else(Span::default, |node| node.span);
            nsd.vnf_profiles = by_id.values().map(|read| profile(reader, read, whole)).collect();
        }
    }
    let mut points = Points::of(&nsd, &by_id);
    let links: Option<BTreeSet<&str>> = wanted
        .vlds
        .as_ref()
        .map(|listed| listed.iter().map(|word| word.text.as_str()).collect());
    let mut seen = BTreeSet::new();
    for (_, node) in roots.iter().filter(|(kind, _)| *kind == Kind::Man001Vld) {
        let Some(mut fields) = Fields::of(reader, node, "a virtual link descriptor") else {
            continue;
        };
        let id = fields.need(reader, "id");
        fields.without_effect(reader, &["vendor", "qos", "vld_security"]);
        let _ = fields.word_or_alias(reader, "descriptor_version", "description_version");
        if fields.text(reader, "test_access").is_some_and(|text| text != "none") {
            reader.unused("a virtual link descriptor", "test_access", node.span);
        }
        let ends = fields.words(reader, "connection");
        let stated = fields.count(reader, "number_of_endpoints");
        let connectivity_type = super::connectivity(reader, &mut fields, ends.len());
        let max_bitrate = super::bitrate(reader, &mut fields);
        fields.finish(reader);
        if let Some(stated) = stated.filter(|stated| *stated as usize != ends.len()) {
            let message = format!(
                "`number_of_endpoints` is {stated}, and `connection` lists {}",
                ends.len()
            );
            reader.report.error(Code::FieldMalformed, node.span, message);
        }
        let Some(id) = id else { continue };
        if !seen.insert(id.text.clone()) {
            let message = format!("there are two virtual links `{}`", id.text);
            reader.report.error(Code::NameTwice, id.span, message);
            continue;
        }
        if links.as_ref().is_some_and(|listed| !listed.contains(id.text.as_str())) {
            let message = format!("the NSD does not name `{}`, which is left out", id.text);
            reader.report.warning(Code::LinkUnused, id.span, message);
            continue;
        }
        for end in ends {
            match points.find(reader, &nsd, &end, is_complete) {
                Some(End::Vnf(at, cpd)) => nsd.vnf_profiles[at].connectivity.push(CpConnectivity {
                    cpd,
                    virtual_link: id.text.clone(),
                    place: Some(reader.report.place(end.span)),
                }),
                Some(End::Sap(at)) => nsd.saps[at].virtual_link = Some(id.text.clone()),
                None => {}
            }
        }
        nsd.virtual_links.push(NsVirtualLink {
            id: id.text,
            connectivity_type,
            max_bitrate,
            place: Some(reader.report.place(id.span)),
            ..NsVirtualLink::default()
        });
    }
    for word in wanted.vlds.iter().flatten().filter(|word| !seen.contains(&word.text)) {
        let message = format!("no virtual link descriptor `{}` was given", word.text);
        reader.unknown_name(word.span, message, &word.text, seen.iter().map(String::as_str));
    }
    Some(nsd)
}

fn profile(reader: &mut Reader, read: &ReadLeaf, span: Span) -> VnfProfile {
    VnfProfile {
        id: read.vnfd.descriptor_id.clone(),
        vnfd_id: read.vnfd.descriptor_id.clone(),
        flavour_id: read
            .vnfd
            .flavours
            .first()
            .map_or_else(|| FLAVOUR.to_owned(), |flavour| flavour.id.clone()),
        min_number_of_instances: 1,
        max_number_of_instances: 1,
        place: Some(reader.report.place(span)),
        ..VnfProfile::default()
    }
}

/// What an NSD lists; `None`: it lists nothing of that kind, and all that is given belongs to it.
#[derive(Default)]
struct Wanted {
    vnfds: Option<Vec<Word>>,
    vlds: Option<Vec<Word>>,
}

fn head(reader: &mut Reader, node: &Node, nsd: &mut Nsd, wanted: &mut Wanted) {
    let Some(mut fields) = Fields::of(reader, node, "an NSD") else {
        return;
    };
    nsd.place = Some(reader.report.place(node.span));
    if let Some(id) = fields.need(reader, "id") {
        nsd.descriptor_id = id.text.clone();
        nsd.name = id.text.clone();
        nsd.invariant_id = id.text;
    }
    nsd.designer = fields.text(reader, "vendor").unwrap_or_else(|| PROVIDER.to_owned());
    nsd.version = fields.text(reader, "version").unwrap_or_else(|| VERSION.to_owned());
    let _ = fields.word_or_alias(reader, "descriptor_version", "description_version");
    if fields.has("vnfd") {
        wanted.vnfds = Some(fields.words(reader, "vnfd"));
    }
    if fields.has("vld") {
        wanted.vlds = Some(fields.words(reader, "vld"));
    }
    fields.without_effect(
        reader,
        &[
            "vnffgd",
            "lifecycle_event",
            "vnf_dependency",
            "monitoring_parameter",
            "service_deployment_flavour",
            "auto_scale_policy",
            "pnfd",
            "nsd_security",
        ],
    );
    let mut seen = BTreeSet::new();
    for mut point in fields.maps(reader, "connection_point", "a connection point") {
        let id = point.need(reader, "id");
        point.without_effect(reader, &["type"]);
        point.finish(reader);
        let Some(id) = id else { continue };
        if !seen.insert(id.text.clone()) {
            let message = format!("there are two connection points `{}`", id.text);
            reader.report.error(Code::NameTwice, id.span, message);
            continue;
        }
        nsd.saps.push(Sap {
            id: id.text.clone(),
            requirement: Some(id.text),
            layer_protocols: vec![LayerProtocol::Ethernet],
            place: Some(reader.report.place(id.span)),
            ..Sap::default()
        });
    }
    fields.finish(reader);
}

/// Who has a connection point of which name, and what is taken.
struct Points {
    /// Connection point → profiles that have it.
    owners: BTreeMap<String, Vec<usize>>,
    profiles: BTreeMap<String, usize>,
    saps: BTreeMap<String, usize>,
    taken: BTreeMap<(Option<usize>, String), u32>,
}

impl Points {
    fn of(nsd: &Nsd, by_id: &BTreeMap<&str, &ReadLeaf>) -> Self {
        let mut owners: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut profiles = BTreeMap::new();
        for (at, profile) in nsd.vnf_profiles.iter().enumerate() {
            profiles.insert(profile.id.clone(), at);
            let interfaces = by_id
                .get(profile.vnfd_id.as_str())
                .map(|read| read.interfaces.as_slice());
            for interface in interfaces.unwrap_or_default() {
                owners.entry(interface.name.clone()).or_default().push(at);
            }
        }
        let saps = nsd
            .saps
            .iter()
            .enumerate()
            .map(|(at, sap)| (sap.id.clone(), at))
            .collect();
        Self {
            owners,
            profiles,
            saps,
            taken: BTreeMap::new(),
        }
    }

    fn find(&mut self, reader: &mut Reader, nsd: &Nsd, end: &Word, is_complete: bool) -> Option<End> {
        let (found, key) = match end.text.split_once(':') {
            Some((vnf, cp)) => {
                let Some(at) = self.profiles.get(vnf).copied() else {
                    if is_complete {
                        let message = format!("there is no VNF `{vnf}`");
                        reader.unknown_name(end.span, message, vnf, self.profiles.keys().map(String::as_str));
                    }
                    return None;
                };
                if !self.owners.get(cp).is_some_and(|owners| owners.contains(&at)) {
                    let of_it = self.owners.iter().filter(|(_, owners)| owners.contains(&at));
                    let message = format!("VNF `{vnf}` has no connection point `{cp}`");
                    reader.unknown_name(end.span, message, cp, of_it.map(|(name, _)| name.as_str()));
                    return None;
                }
                (End::Vnf(at, cp.to_owned()), (Some(at), cp.to_owned()))
            }
            None => self.bare(reader, nsd, end, is_complete)?,
        };
        if let Some(line) = self.taken.get(&key) {
            let message = format!("`{}` is on another link already (line {line})", end.text);
            reader.report.error(Code::NameTwice, end.span, message);
            return None;
        }
        self.taken.insert(key, end.span.line);
        Some(found)
    }

    /// An end without its VNF: a point of the service, or of the one VNF that has such a point.
    fn bare(
        &self,
        reader: &mut Reader,
        nsd: &Nsd,
        end: &Word,
        is_complete: bool,
    ) -> Option<(End, (Option<usize>, String))> {
        if let Some(at) = self.saps.get(&end.text) {
            return Some((End::Sap(*at), (None, end.text.clone())));
        }
        let written = |at: usize| format!("{}:{}", nsd.vnf_profiles[at].id, end.text);
        match self.owners.get(&end.text).map(Vec::as_slice) {
            None | Some([]) => {
                if is_complete {
                    let message = format!("no VNF and no NSD here has a connection point `{}`", end.text);
                    reader.unknown_name(end.span, message, &end.text, self.owners.keys().map(String::as_str));
                }
                None
            }
            Some([at]) => {
                let help = Some(format!("write `{}`", written(*at)));
                let message = format!("`{}` does not say of which VNF it is; one only has it", end.text);
                reader
                    .report
                    .warning_help(Code::EndUnqualified, end.span, message, help);
                Some((End::Vnf(*at, end.text.clone()), (Some(*at), end.text.clone())))
            }
            Some(several) => {
                let names: Vec<String> = several.iter().take(8).map(|at| format!("`{}`", written(*at))).collect();
                let message = format!("`{}` could be of {} VNFs", end.text, several.len());
                let help = Some(format!("write {}", names.join(" or ")));
                reader.report.error_help(Code::EndAmbiguous, end.span, message, help);
                None
            }
        }
    }
}
