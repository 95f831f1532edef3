//! A VNFD of GS NFV-MAN 001 clause 6.3.1.

use std::collections::{BTreeMap, BTreeSet};

use crate::code::Code;
use crate::fields::{Fields, MODEL_BYTES_MAX, Names, Reader, Word, weight};
use crate::interfaces::Found;
use crate::link::LayerProtocol;
use crate::openmano::{ANY_VNFM, FLAVOUR, PROVIDER, VERSION};
use crate::source::Span;
use crate::tosca::units;
use crate::vnfd::{DeploymentFlavour, ExtCpInternal, SwImageDesc, SwImageSource, Vdu, VduCp, VduKind};
use crate::vnfd::{VirtualCompute, VnfExtCpd, VnfVirtualLink, Vnfd};
use crate::yaml::Node;

const MIB: f64 = 1_048_576.0;

/// A connection point of a VNFC or of the VNF, and the link that it says it is on.
struct Point {
    span: Span,
    link: Option<Word>,
}

pub(crate) fn read(reader: &mut Reader, root: &Node) -> Option<(Vnfd, Vec<Found>)> {
    let mut fields = Fields::of(reader, root, "a VNFD")?;
    let id = fields.need(reader, "id");
    let vendor = fields.text(reader, "vendor");
    let version = fields.text(reader, "version");
    let descriptor_version = fields.word_or_alias(reader, "descriptor_version", "description_version");
    let description = fields.prose(reader, "description");
    fields.without_effect(
        reader,
        &[
            "name",
            "lifecycle_event",
            "dependency",
            "monitoring_parameter",
            "auto_scale_policy",
            "manifest_file",
            "manifest_file_security",
        ],
    );
    let mut names = Names::default();
    let mut points: BTreeMap<String, Point> = BTreeMap::new();
    let mut vdus: Vec<Vdu> = Vec::new();
    for mut vdu in fields.maps(reader, "vdu", "a VDU") {
        let made = read_vdu(reader, &mut vdu, &mut names, &mut points);
        vdu.finish(reader);
        vdus.extend(made);
    }
    if vdus.is_empty() {
        reader
            .report
            .error(Code::FieldMissing, root.span, "a VNFD has no `vdu`");
    }
    let inner: BTreeSet<String> = points.keys().cloned().collect();
    let mut outer: Vec<(Word, String)> = Vec::new();
    for point in fields.maps(reader, "connection_point", "a connection point") {
        let Some((id, kind)) = read_point(reader, point, &mut points, &inner) else {
            continue;
        };
        outer.push((id, kind));
    }
    let links = read_links(reader, &mut fields, &mut points);
    let ids: BTreeSet<String> = links.iter().map(|link| link.id.clone()).collect();
    for point in points.values() {
        if let Some(link) = point.link.as_ref().filter(|link| !ids.contains(&link.text)) {
            let message = format!("there is no virtual link `{}`", link.text);
            reader.unknown_name(link.span, message, &link.text, ids.iter().map(String::as_str));
        }
    }
    let (ext_cpds, found) = expose(reader, outer, &points, &mut vdus);
    for vdu in &mut vdus {
        for cp in &mut vdu.connection_points {
            cp.virtual_link = points
                .get(&cp.id)
                .and_then(|point| Some(point.link.as_ref()?.text.clone()));
            if cp.virtual_link.is_none() && cp.ext_cpd.is_none() {
                let message = format!("`{}` of VDU `{}` is on no link and is not exposed", cp.id, vdu.id);
                let place = cp.place.clone().unwrap_or_default();
                let severity = crate::Severity::Warning;
                reader
                    .report
                    .diagnostics
                    .push_plain(severity, Code::CpUnconnected, place, message, None);
            }
        }
    }
    let whole = DeploymentFlavour {
        id: FLAVOUR.to_owned(),
        description: description.clone().unwrap_or_default(),
        vdus,
        virtual_links: links,
        ext_cpds,
        ..DeploymentFlavour::default()
    };
    let flavours = read_flavours(reader, &mut fields, whole);
    fields.finish(reader);
    let id = id?;
    let vnfd = Vnfd {
        descriptor_id: id.text.clone(),
        descriptor_version: descriptor_version.map_or_else(|| VERSION.to_owned(), |word| word.text),
        provider: vendor.unwrap_or_else(|| PROVIDER.to_owned()),
        product_name: id.text,
        software_version: version.unwrap_or_else(|| VERSION.to_owned()),
        product_info_description: description,
        vnfm_info: vec![ANY_VNFM.to_owned()],
        flavours,
        place: Some(reader.report.place(root.span)),
        ..Vnfd::default()
    };
    Some((vnfd, found))
}

fn read_vdu(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    names: &mut Names,
    points: &mut BTreeMap<String, Point>,
) -> Option<Vdu> {
    let id = fields.need(reader, "id");
    let image = fields.word(reader, "vm_image");
    let cpus = fields.word(reader, "computation_requirement");
    let memory = fields.word(reader, "virtual_memory_resource_element");
    fields.without_effect(
        reader,
        &[
            "virtual_network_bandwidth_resource",
            "lifecycle_event",
            "constraint",
            "high_availability",
            "scale_in_out",
            "monitoring_parameter",
        ],
    );
    // MAN 001 leaves the form of sizes open: what is a number of CPUs and a size with its unit is understood.
    let num_virtual_cpu = cpus.and_then(|word| {
        let number = word.text.parse::<u32>().ok();
        if number.is_none() {
            reader.unused("a VDU", "computation_requirement", word.span);
        }
        number
    });
    let virtual_mem_size_mib = memory.and_then(|word| {
        let bytes = units::parse(&word.text, units::SIZE);
        if bytes.is_none() {
            reader.unused("a VDU", "virtual_memory_resource_element", word.span);
        }
        bytes.map(|bytes| (bytes / MIB).ceil() as u64)
    });
    let mut connection_points = Vec::new();
    for mut vnfc in fields.maps(reader, "vnfc", "a VNFC") {
        let _ = vnfc.need(reader, "id");
        for point in vnfc.maps(reader, "connection_point", "a connection point") {
            let no_inner = BTreeSet::new();
            let Some((id, kind)) = read_point(reader, point, points, &no_inner) else {
                continue;
            };
            connection_points.push(VduCp {
                id: id.text,
                order: Some(connection_points.len() as u32),
                vnic_type: (!kind.is_empty() && !kind.eq_ignore_ascii_case("nic")).then_some(kind),
                layer_protocols: vec![LayerProtocol::Ethernet],
                place: Some(reader.report.place(id.span)),
                ..VduCp::default()
            });
        }
        vnfc.finish(reader);
    }
    let id = id?;
    let given = names.give(&id.text);
    if given != id.text {
        let message = format!("there are two VDUs `{}`", id.text);
        reader.report.error(Code::NameTwice, id.span, message);
    }
    let sw_image = image.map(|word| sw_image(reader, &given, word));
    let is_stated = num_virtual_cpu.is_some() || virtual_mem_size_mib.is_some();
    if !is_stated && sw_image.is_none() {
        let message = format!("VDU `{given}` states neither its size nor an image");
        reader.report.warning(Code::NothingToRun, id.span, message);
    }
    Some(Vdu {
        id: given.clone(),
        name: given,
        kind: if is_stated || sw_image.is_some() {
            VduKind::VirtualMachine
        } else {
            VduKind::Unstated
        },
        compute: is_stated.then(|| VirtualCompute {
            num_virtual_cpu: num_virtual_cpu.unwrap_or(0),
            virtual_mem_size_mib: virtual_mem_size_mib.unwrap_or(0),
            ..VirtualCompute::default()
        }),
        sw_image,
        initial_number_of_instances: 1,
        min_number_of_instances: 1,
        max_number_of_instances: 1,
        connection_points,
        ..Vdu::default()
    })
}

fn sw_image(reader: &mut Reader, id: &str, word: Word) -> SwImageDesc {
    let is_url = word.text.contains("://");
    if !is_url {
        let message = format!(
            "the image `{}` is looked for where the descriptor was written for",
            word.text
        );
        reader.report.warning(Code::ImageElsewhere, word.span, message);
    }
    let place = Some(reader.report.place(word.span));
    let source = if is_url {
        SwImageSource::Uri { uri: word.text.clone() }
    } else {
        SwImageSource::ByName
    };
    SwImageDesc {
        id: id.to_owned(),
        name: word.text.rsplit('/').next().unwrap_or_default().to_owned(),
        version: VERSION.to_owned(),
        checksum: None,
        container_format: "bare".to_owned(),
        disk_format: "qcow2".to_owned(),
        min_disk_bytes: 0,
        min_ram_bytes: 0,
        size_bytes: None,
        source,
        place,
    }
}

/// Reads a connection point and notes it; its id and type. One of the VNF may have the id of a VNFC's: it is that one, exposed.
fn read_point(
    reader: &mut Reader,
    mut fields: Fields<'_>,
    points: &mut BTreeMap<String, Point>,
    inner: &BTreeSet<String>,
) -> Option<(Word, String)> {
    let id = fields.need(reader, "id");
    let kind = fields.text(reader, "type").unwrap_or_default();
    let link = fields.word(reader, "virtual_link_reference");
    fields.finish(reader);
    let id = id?;
    if inner.contains(&id.text) {
        let point = points.get_mut(&id.text).expect("the inner ones are all noted");
        point.link = point.link.take().or(link);
        return Some((id, kind));
    }
    let point = Point { span: id.span, link };
    if let Some(other) = points.get(&id.text) {
        let message = format!(
            "there are two connection points `{}` (first in line {})",
            id.text, other.span.line
        );
        reader.report.error(Code::NameTwice, id.span, message);
        return None;
    }
    points.insert(id.text.clone(), point);
    Some((id, kind))
}

fn read_links(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    points: &mut BTreeMap<String, Point>,
) -> Vec<VnfVirtualLink> {
    let mut links: Vec<VnfVirtualLink> = Vec::new();
    let mut seen = BTreeSet::new();
    for mut link in fields.maps(reader, "virtual_link", "a virtual link") {
        let id = link.need(reader, "id");
        let ends = link.words(reader, "connection_points_references");
        let connectivity_type = super::connectivity(reader, &mut link, ends.len());
        let max_bitrate = super::bitrate(reader, &mut link);
        link.without_effect(reader, &["qos", "test_access"]);
        link.finish(reader);
        let Some(id) = id else { continue };
        if !seen.insert(id.text.clone()) {
            let message = format!("there are two virtual links `{}`", id.text);
            reader.report.error(Code::NameTwice, id.span, message);
            continue;
        }
        for end in ends {
            match points.get_mut(&end.text) {
                None => {
                    let message = format!("there is no connection point `{}`", end.text);
                    reader.unknown_name(end.span, message, &end.text, points.keys().map(String::as_str));
                }
                Some(point) => match &point.link {
                    Some(other) if other.text != id.text => {
                        let message = format!(
                            "`{}` says in line {} that it is on `{}`",
                            end.text, other.span.line, other.text
                        );
                        reader.report.error(Code::FieldMalformed, end.span, message);
                    }
                    Some(_) => {}
                    None => point.link = Some(id.clone()),
                },
            }
        }
        links.push(VnfVirtualLink {
            id: id.text,
            connectivity_type,
            max_bitrate,
            place: Some(reader.report.place(id.span)),
            ..VnfVirtualLink::default()
        });
    }
    links
}

fn expose(
    reader: &mut Reader,
    outer: Vec<(Word, String)>,
    points: &BTreeMap<String, Point>,
    vdus: &mut [Vdu],
) -> (Vec<VnfExtCpd>, Vec<Found>) {
    let (mut cpds, mut found) = (Vec::new(), Vec::new());
    let mut places: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for (v, vdu) in vdus.iter().enumerate() {
        for (c, cp) in vdu.connection_points.iter().enumerate() {
            places.insert(cp.id.clone(), (v, c));
        }
    }
    for (id, kind) in outer {
        let inside = places.get(&id.text).copied();
        let link = points.get(&id.text).and_then(|point| point.link.as_ref());
        let internal = match (inside, link) {
            (Some((vdu, cp)), _) => {
                vdus[vdu].connection_points[cp].ext_cpd = Some(id.text.clone());
                ExtCpInternal::VduCp {
                    vdu: vdus[vdu].id.clone(),
                    cp: id.text.clone(),
                }
            }
            (None, Some(link)) => ExtCpInternal::VirtualLink {
                virtual_link: link.text.clone(),
            },
            (None, None) => {
                let message = format!("`{}` leads to nothing inside", id.text);
                reader.report.warning(Code::CpUnconnected, id.span, message);
                ExtCpInternal::Open
            }
        };
        let vnfc = inside.map(|(vdu, _)| vdus[vdu].id.clone());
        cpds.push(VnfExtCpd {
            id: id.text.clone(),
            requirement: Some(id.text.clone()),
            internal,
            layer_protocols: vec![LayerProtocol::Ethernet],
            place: Some(reader.report.place(id.span)),
        });
        found.push(Found {
            local_name: vnfc.is_some().then(|| id.text.clone()),
            vnfc,
            role: kind,
            ext_cpd: id.text.clone(),
            name: id.text,
            span: id.span,
        });
    }
    (cpds, found)
}

/// Flavours with their numbers of instances; one that holds everything where the descriptor has none.
fn read_flavours(reader: &mut Reader, fields: &mut Fields<'_>, whole: DeploymentFlavour) -> Vec<DeploymentFlavour> {
    let mut flavours: Vec<DeploymentFlavour> = Vec::new();
    let listed = fields.maps(reader, "deployment_flavour", "a deployment flavour");
    let indices: BTreeMap<&str, usize> = whole
        .vdus
        .iter()
        .enumerate()
        .map(|(at, vdu)| (vdu.id.as_str(), at))
        .collect();
    // Each flavour repeats the whole.
    let each = weight(&whole);
    let mut seen = BTreeSet::new();
    for mut listed in listed {
        if !flavours.is_empty() && each.saturating_mul(flavours.len() + 1) > MODEL_BYTES_MAX {
            let message = "so many deployment flavours of so large a VNF are not spelled out";
            reader.report.error(Code::ScaleLimit, listed.span(), message);
            break;
        }
        let id = listed.need(reader, "id");
        listed.without_effect(reader, &["flavour_key", "constraint"]);
        let mut flavour = whole.clone();
        for mut part in listed.maps(reader, "constituent_vdu", "a constituent VDU") {
            let vdu = part.need(reader, "vdu_reference");
            let count = part.count(reader, "number_of_instances");
            part.without_effect(reader, &["constituent_vnfc"]);
            part.finish(reader);
            let Some(vdu) = vdu else { continue };
            match indices.get(vdu.text.as_str()) {
                Some(at) => {
                    let known = &mut flavour.vdus[*at];
                    let count = count.unwrap_or(1);
                    known.initial_number_of_instances = count;
                    known.min_number_of_instances = count;
                    known.max_number_of_instances = count;
                }
                None => {
                    let message = format!("there is no VDU `{}`", vdu.text);
                    reader.unknown_name(vdu.span, message, &vdu.text, indices.keys().copied());
                }
            }
        }
        listed.finish(reader);
        let Some(id) = id else { continue };
        if !seen.insert(id.text.clone()) {
            let message = format!("there are two deployment flavours `{}`", id.text);
            reader.report.error(Code::NameTwice, id.span, message);
            continue;
        }
        flavour.id = id.text;
        flavours.push(flavour);
    }
    if flavours.is_empty() { vec![whole] } else { flavours }
}
