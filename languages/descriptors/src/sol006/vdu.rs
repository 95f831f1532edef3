//! VDUs of SOL006.

use std::collections::BTreeMap;

use super::parts::Parts;
use super::vnfd::{Links, twice};
use crate::code::Code;
use crate::fields::{Fields, MODEL_BYTES_MAX, Names, Reader, Word, weight};
use crate::source::Span;
use crate::vnfd::{BootData, StorageKind, Vdu, VduCp, VduKind, VirtualStorage};

/// VDUs, and how their connection points are called in the text.
#[derive(Default)]
pub(super) struct Vdus {
    list: Vec<Vdu>,
    by_name: BTreeMap<String, usize>,
    points: Vec<BTreeMap<String, usize>>,
}

impl Vdus {
    pub(super) fn id(&self, at: usize) -> &str {
        &self.list[at].id
    }

    /// The VDU and its connection point that an external one exposes.
    pub(super) fn point(&self, reader: &mut Reader, vdu: &Word, cpd: &Word) -> Option<(usize, usize)> {
        let Some(at) = self.by_name.get(&vdu.text).copied() else {
            let message = format!("there is no VDU `{}`", vdu.text);
            reader.unknown_name(vdu.span, message, &vdu.text, self.by_name.keys().map(String::as_str));
            return None;
        };
        let point = self.points[at].get(&cpd.text).copied();
        if point.is_none() {
            let message = format!("VDU `{}` has no connection point `{}`", vdu.text, cpd.text);
            reader.unknown_name(cpd.span, message, &cpd.text, self.points[at].keys().map(String::as_str));
        }
        Some((at, point?))
    }

    /// Exposes a connection point: its id, unless it is exposed already.
    pub(super) fn expose(&mut self, reader: &mut Reader, vdu: usize, cp: usize, span: Span) -> Option<String> {
        let point = &mut self.list[vdu].connection_points[cp];
        if point.ext_cpd.is_some() {
            let message = format!("`{}` is exposed already", point.id);
            reader.report.error(Code::NameTwice, span, message);
            return None;
        }
        point.ext_cpd = Some(point.id.clone());
        Some(point.id.clone())
    }

    pub(super) fn tell_unconnected(&self, reader: &mut Reader) {
        for vdu in &self.list {
            for cp in vdu
                .connection_points
                .iter()
                .filter(|cp| cp.virtual_link.is_none() && cp.ext_cpd.is_none())
            {
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

    pub(super) fn into_vdus(self) -> Vec<Vdu> {
        self.list
    }
}

pub(super) fn read(
    reader: &mut Reader,
    vnfd: &mut Fields<'_>,
    parts: &Parts,
    links: &Links,
    names: &mut Names,
) -> Vdus {
    let mut vdus = Vdus::default();
    let mut spelled_out = 0;
    for mut fields in vnfd.maps(reader, "vdu", "a VDU") {
        let id = fields.need(reader, "id");
        let own = id.as_ref().map_or_else(|| "vdu".to_owned(), |id| names.give(&id.text));
        let (vdu, points) = vdu(reader, &mut fields, own, parts, links, names);
        // Computes, images and storages are repeated in each VDU that names them.
        spelled_out += weight(&vdu);
        if spelled_out > MODEL_BYTES_MAX {
            let message = "the VDUs with all that they name are more than is spelled out";
            reader.report.error(Code::ScaleLimit, fields.span(), message);
            break;
        }
        fields.finish(reader);
        let Some(id) = id else { continue };
        if vdus.by_name.contains_key(&id.text) {
            twice(reader, id.span, "VDUs", &id.text);
            continue;
        }
        vdus.by_name.insert(id.text, vdus.list.len());
        vdus.list.push(vdu);
        vdus.points.push(points);
    }
    vdus
}

fn vdu(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    id: String,
    parts: &Parts,
    links: &Links,
    names: &mut Names,
) -> (Vdu, BTreeMap<String, usize>) {
    let mut compute = None;
    if let Some(word) = fields.word(reader, "virtual-compute-desc") {
        compute = parts.computes.get(&word.text).cloned();
        if compute.is_none() {
            let message = format!("there is no virtual compute `{}`", word.text);
            reader.unknown_name(
                word.span,
                message,
                &word.text,
                parts.computes.keys().map(String::as_str),
            );
        }
    }
    let sw_image = fields
        .word(reader, "sw-image-desc")
        .and_then(|word| parts.image(reader, &word));
    let mut storages = Vec::new();
    for word in super::several(reader, fields, "virtual-storage-desc") {
        let Some(storage) = parts.storages.get(&word.text) else {
            let message = format!("there is no virtual storage `{}`", word.text);
            reader.unknown_name(
                word.span,
                message,
                &word.text,
                parts.storages.keys().map(String::as_str),
            );
            continue;
        };
        let image = storage.image.as_ref().and_then(|word| parts.image(reader, word));
        match storage.kind.or(image.as_ref().map(|_| StorageKind::Block)) {
            Some(kind) => storages.push(VirtualStorage {
                id: names.give(&word.text),
                kind,
                size_bytes: storage.size_bytes,
                sw_image: image,
            }),
            None => compute
                .get_or_insert_default()
                .virtual_local_storage_bytes
                .push(storage.size_bytes),
        }
    }
    let boot_order = boot_order(reader, fields);
    let boot_data = boot_data(reader, fields);
    let (connection_points, points) = connection_points(reader, fields, &id, links, names);
    fields.without_effect(
        reader,
        &[
            "nfvi-constraint",
            "monitoring-parameter",
            "configurable-properties",
            "alarm",
            "alternative-sw-image-desc",
            "supplemental-boot-data",
            "vdu-configuration",
            "pdu-type",
            "interface-order",
        ],
    );
    let has_image = sw_image.is_some() || storages.iter().any(|storage| storage.sw_image.is_some());
    let is_machine = compute.is_some() || has_image;
    if !is_machine {
        let message = format!("VDU `{id}` states neither its size nor an image");
        reader.report.warning(Code::NothingToRun, fields.span(), message);
    }
    let vdu = Vdu {
        name: fields.text(reader, "name").unwrap_or_else(|| id.clone()),
        description: fields.prose(reader, "description").unwrap_or_default(),
        id,
        kind: if is_machine {
            VduKind::VirtualMachine
        } else {
            VduKind::Unstated
        },
        compute,
        sw_image,
        storages,
        boot_order,
        boot_data,
        initial_number_of_instances: 1,
        min_number_of_instances: 1,
        max_number_of_instances: 1,
        connection_points,
        ..Vdu::default()
    };
    (vdu, points)
}

/// Pairs of a key and a storage, first first.
fn boot_order(reader: &mut Reader, fields: &mut Fields<'_>) -> Vec<String> {
    let mut order: Vec<(u64, String)> = Vec::new();
    for mut pair in fields.maps(reader, "boot-order", "a place in the boot order") {
        let (key, value) = (pair.number(reader, "key"), pair.need(reader, "value"));
        pair.finish(reader);
        if let Some(value) = value {
            order.push((key.unwrap_or(order.len() as u64), value.text));
        }
    }
    order.sort();
    order.into_iter().map(|(_, storage)| storage).collect()
}

fn boot_data(reader: &mut Reader, fields: &mut Fields<'_>) -> Option<BootData> {
    // Scripts are taken as they are: blanks belong to them.
    let inline = fields.get("cloud-init").and_then(|node| node.text()).map(str::to_owned);
    let file = fields
        .text(reader, "cloud-init-file")
        .map(|file| format!("cloud_init/{file}"));
    let standard = match fields.get("boot-data") {
        Some(node) if node.text().is_some() => node.text().map(str::to_owned),
        Some(node) => {
            reader.unused("a VDU", "boot-data", node.span);
            None
        }
        None => None,
    };
    let content = standard.or(inline);
    (content.is_some() || file.is_some()).then(|| BootData {
        source_path: file.filter(|_| content.is_none()),
        content,
        ..BootData::default()
    })
}

fn connection_points(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    vdu: &str,
    links: &Links,
    names: &mut Names,
) -> (Vec<VduCp>, BTreeMap<String, usize>) {
    let mut all: Vec<(u32, String, VduCp)> = Vec::new();
    let mut lines: BTreeMap<String, u32> = BTreeMap::new();
    for mut point in fields.maps(reader, "int-cpd", "a connection point") {
        let id = point.need(reader, "id");
        let link = point
            .word(reader, "int-virtual-link-desc")
            .and_then(|word| links.id(reader, &word));
        let layer_protocols = super::layer_protocols(reader, &mut point);
        let bitrate_requirement = point.number(reader, "bitrate-requirement");
        let mut vnic_type = point.text(reader, "vnic-type");
        let mut position = point.count(reader, "order");
        for mut need in point.maps(
            reader,
            "virtual-network-interface-requirement",
            "an interface requirement",
        ) {
            position = need.count(reader, "position").or(position);
            if let Some(mut nic) = need.map(reader, "virtual-interface", "a virtual interface") {
                let kind = nic.text(reader, "type").map(|kind| kind.to_ascii_lowercase());
                vnic_type = vnic_type.or(kind.filter(|kind| kind != "paravirt"));
                nic.without_effect(reader, &["bandwidth", "vpci", "mac-address"]);
                nic.finish(reader);
            }
            need.without_effect(
                reader,
                &[
                    "name",
                    "description",
                    "support-mandatory",
                    "network-interface-requirements",
                    "network-interface-requirement",
                    "nicio-requirements",
                ],
            );
            need.finish(reader);
        }
        point.without_effect(
            reader,
            &[
                "description",
                "cp-role",
                "protocol",
                "trunk-mode",
                "security-group-rule-id",
                "port-security-enabled",
            ],
        );
        point.finish(reader);
        let Some(id) = id else { continue };
        if let Some(line) = lines.get(&id.text) {
            let message = format!(
                "VDU `{vdu}` has two connection points `{}` (first in line {line})",
                id.text
            );
            reader.report.error(Code::NameTwice, id.span, message);
            continue;
        }
        lines.insert(id.text.clone(), id.span.line);
        let own = if names.is_free(&id.text) {
            names.give(&id.text)
        } else {
            names.give(&format!("{vdu}-{}", id.text))
        };
        let cp = VduCp {
            id: own,
            bitrate_requirement,
            vnic_type,
            layer_protocols,
            virtual_link: link,
            place: Some(reader.report.place(id.span)),
            ..VduCp::default()
        };
        all.push((position.unwrap_or(u32::MAX), id.text, cp));
    }
    all.sort_by_key(|(position, _, _)| *position);
    let mut points = BTreeMap::new();
    let mut list = Vec::new();
    for (at, (_, name, mut cp)) in all.into_iter().enumerate() {
        cp.order = Some(at as u32);
        points.insert(name, at);
        list.push(cp);
    }
    (list, points)
}
