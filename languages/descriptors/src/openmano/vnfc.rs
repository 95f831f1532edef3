//! VNFCs: each is a VDU, with its size, its image and its interfaces.

use std::collections::BTreeMap;

use crate::code::Code;
use crate::fields::{Fields, Names, Reader, Word};
use crate::source::Span;
use crate::tosca::units;
use crate::vnfd::{BootData, Checksum, SwImageDesc, SwImageSource, Vdu, VduCp, VduKind, VirtualCompute};
use crate::vnfd::{StorageKind, VirtualStorage};

const GIB: u64 = 1 << 30;

/// The VNFCs of a VNF, and how their interfaces are called.
#[derive(Debug, Default)]
pub(super) struct Vnfcs {
    vdus: Vec<Vdu>,
    /// Index of a VNFC by its name in the text.
    by_name: BTreeMap<String, usize>,
    /// For each VDU: index of its connection point by the interface's name.
    interfaces: Vec<BTreeMap<String, usize>>,
}

impl Vnfcs {
    pub(super) fn index(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    pub(super) fn interface(&self, vdu: usize, name: &str) -> Option<usize> {
        self.interfaces.get(vdu)?.get(name).copied()
    }

    pub(super) fn interface_names(&self, vdu: usize) -> impl Iterator<Item = &str> {
        self.interfaces
            .get(vdu)
            .into_iter()
            .flatten()
            .map(|(name, _)| name.as_str())
    }

    pub(super) fn vdu_id(&self, vdu: usize) -> &str {
        &self.vdus[vdu].id
    }

    /// Puts a connection point onto an internal link.
    pub(super) fn join(&mut self, reader: &mut Reader, vdu: usize, cp: usize, link: &str, span: Span) {
        let point = &mut self.vdus[vdu].connection_points[cp];
        match &point.virtual_link {
            Some(other) => {
                let message = format!("`{}` is on `{other}` already", point.id);
                reader.report.error(Code::NameTwice, span, message);
            }
            None => point.virtual_link = Some(link.to_owned()),
        }
    }

    /// Exposes a connection point; its id, unless it is used already.
    pub(super) fn expose(&mut self, reader: &mut Reader, vdu: usize, cp: usize, span: Span) -> Option<String> {
        let point = &mut self.vdus[vdu].connection_points[cp];
        let other = point.virtual_link.as_deref().map(|link| format!("is on `{link}`"));
        if let Some(other) = other.or(point.ext_cpd.as_ref().map(|_| "is an external connection".to_owned())) {
            let message = format!("`{}` {other} already", point.id);
            reader.report.error(Code::NameTwice, span, message);
            return None;
        }
        point.ext_cpd = Some(point.id.clone());
        Some(point.id.clone())
    }

    pub(super) fn tell_unconnected(&self, reader: &mut Reader) {
        for vdu in &self.vdus {
            for cp in vdu
                .connection_points
                .iter()
                .filter(|cp| cp.virtual_link.is_none() && cp.ext_cpd.is_none())
            {
                let message = format!("`{}` of VNFC `{}` is on no link and is not exposed", cp.id, vdu.id);
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
        self.vdus
    }
}

pub(super) fn read(reader: &mut Reader, vnf: &mut Fields<'_>, names: &mut Names) -> Vnfcs {
    let mut vnfcs = Vnfcs::default();
    for mut fields in vnf.maps(reader, "VNFC", "a VNFC") {
        let name = fields.need(reader, "name");
        let id = name
            .as_ref()
            .map_or_else(|| "VNFC".to_owned(), |name| names.give(&name.text));
        let (vdu, interfaces) = vnfc(reader, &mut fields, id, names);
        fields.finish(reader);
        let Some(name) = name else { continue };
        if vnfcs.by_name.contains_key(&name.text) {
            let message = format!("there are two VNFCs `{}`", name.text);
            reader.report.error(Code::NameTwice, name.span, message);
            continue;
        }
        vnfcs.by_name.insert(name.text, vnfcs.vdus.len());
        vnfcs.vdus.push(vdu);
        vnfcs.interfaces.push(interfaces);
    }
    if vnfcs.vdus.is_empty() {
        reader
            .report
            .error(Code::FieldMissing, vnf.span(), "a VNF has no `VNFC`");
    }
    vnfcs
}

fn vnfc(reader: &mut Reader, fields: &mut Fields<'_>, id: String, names: &mut Names) -> (Vdu, BTreeMap<String, usize>) {
    let description = fields.prose(reader, "description").unwrap_or_default();
    let count = fields.count(reader, "count").unwrap_or(1);
    if count == 0 {
        reader
            .report
            .error(Code::FieldMalformed, fields.span(), "`count` is at least 1");
    }
    fields.without_effect(reader, &["availability_zone", "processor", "hypervisor"]);
    let size = Size {
        vcpus: fields.count(reader, "vcpus").unwrap_or(0),
        ram_mib: fields.number(reader, "ram").unwrap_or(0),
        disk_gib: fields.number(reader, "disk"),
    };
    let sw_image = image(reader, fields, &id, Some("VNFC image"));
    let mut points = Points::new(&id, names);
    let mut numa_size = Size::default();
    for mut numa in fields.maps(reader, "numas", "a NUMA node") {
        numa_size.add(reader, &mut numa);
        for mut iface in numa.maps(reader, "interfaces", "an interface") {
            let vnic_type = match iface.word(reader, "dedicated") {
                Some(word) if word.text == "no" => Some("direct".to_owned()),
                Some(word) if word.text == "yes" => Some("direct-physical".to_owned()),
                Some(word) if word.text == "yes:sriov" => Some("direct".to_owned()),
                Some(word) => {
                    let message = format!("`dedicated` is `yes`, `no` or `yes:sriov`; this is `{}`", word.text);
                    reader.report.error(Code::FieldMalformed, word.span, message);
                    None
                }
                None => None,
            };
            points.add(reader, &mut iface, vnic_type);
            iface.finish(reader);
        }
        numa.finish(reader);
    }
    for mut iface in fields.maps(reader, "bridge-ifaces", "an interface") {
        let model = iface.word(reader, "model");
        iface.without_effect(reader, &["port-security", "floating-ip"]);
        points.add(reader, &mut iface, model.map(|model| model.text));
        iface.finish(reader);
    }
    let (connection_points, interfaces) = points.done();
    let storages = devices(reader, fields, &id, names);
    let boot_data = boot_data(reader, fields);
    let compute = VirtualCompute {
        num_virtual_cpu: if numa_size.vcpus > 0 {
            numa_size.vcpus
        } else {
            size.vcpus
        },
        virtual_mem_size_mib: if numa_size.ram_mib > 0 {
            numa_size.ram_mib
        } else {
            size.ram_mib
        },
        static_cpu_pinning: numa_size.vcpus > 0,
        virtual_local_storage_bytes: size.disk_gib.map(|gib| gib.saturating_mul(GIB)).into_iter().collect(),
        ..VirtualCompute::default()
    };
    let is_stated = compute.num_virtual_cpu > 0 || compute.virtual_mem_size_mib > 0;
    if !is_stated && sw_image.is_none() {
        let message = format!("VNFC `{id}` states neither its size nor an image");
        reader.report.warning(Code::NothingToRun, fields.span(), message);
    }
    let vdu = Vdu {
        name: id.clone(),
        id,
        description,
        kind: if is_stated || sw_image.is_some() {
            VduKind::VirtualMachine
        } else {
            VduKind::Unstated
        },
        compute: is_stated.then_some(compute),
        sw_image,
        storages,
        boot_data,
        initial_number_of_instances: count,
        min_number_of_instances: count,
        max_number_of_instances: count,
        connection_points,
        ..Vdu::default()
    };
    (vdu, interfaces)
}

/// Size of a VNFC, or of one of its NUMA nodes.
#[derive(Default)]
struct Size {
    vcpus: u32,
    ram_mib: u64,
    disk_gib: Option<u64>,
}

impl Size {
    fn add(&mut self, reader: &mut Reader, numa: &mut Fields<'_>) {
        let gib = numa.number(reader, "memory").unwrap_or(0);
        self.ram_mib = self.ram_mib.saturating_add(gib.saturating_mul(1024));
        for (name, each) in [("cores", 1), ("paired-threads", 2), ("threads", 1)] {
            let count = numa.count(reader, name).unwrap_or(0);
            self.vcpus = self.vcpus.saturating_add(count.saturating_mul(each));
        }
        numa.without_effect(reader, &["cores-id", "paired-threads-id", "threads-id"]);
    }
}

/// The connection points of one VNFC while they are collected.
struct Points<'a> {
    vdu: &'a str,
    names: &'a mut Names,
    /// Place on the bus, name, point.
    points: Vec<(String, String, VduCp)>,
    by_name: BTreeMap<String, u32>,
}

impl<'a> Points<'a> {
    fn new(vdu: &'a str, names: &'a mut Names) -> Self {
        Self {
            vdu,
            names,
            points: Vec::new(),
            by_name: BTreeMap::new(),
        }
    }

    fn add(&mut self, reader: &mut Reader, iface: &mut Fields<'_>, vnic_type: Option<String>) {
        let name = iface.need(reader, "name");
        let bandwidth = iface
            .word(reader, "bandwidth")
            .and_then(|word| bits_per_second(reader, &word));
        let place_on_bus = iface.get("vpci").and_then(|node| reader.text("vpci", node));
        iface.without_effect(reader, &["mac_address"]);
        let Some(name) = name else { return };
        if let Some(line) = self.by_name.get(&name.text) {
            let message = format!(
                "VNFC `{}` has two interfaces `{}` (first in line {line})",
                self.vdu, name.text
            );
            reader.report.error(Code::NameTwice, name.span, message);
            return;
        }
        self.by_name.insert(name.text.clone(), name.span.line);
        let id = self.names.give(&format!("{}-{}", self.vdu, name.text));
        let cp = VduCp {
            id,
            bitrate_requirement: bandwidth,
            vnic_type,
            layer_protocols: super::vnf::PROTOCOLS.to_vec(),
            place: Some(reader.report.place(name.span)),
            ..VduCp::default()
        };
        // The address on the bus says which interface comes first on the machine; without one, the order of the text does.
        let key = place_on_bus.map_or_else(|| "~".to_owned(), |address| address.to_ascii_lowercase());
        self.points.push((key, name.text, cp));
    }

    fn done(mut self) -> (Vec<VduCp>, BTreeMap<String, usize>) {
        self.points.sort_by(|a, b| a.0.cmp(&b.0));
        let mut interfaces = BTreeMap::new();
        let mut points = Vec::new();
        for (at, (_, name, mut cp)) in self.points.into_iter().enumerate() {
            cp.order = Some(at as u32);
            interfaces.insert(name, at);
            points.push(cp);
        }
        (points, interfaces)
    }
}

/// `10 Gbps`.
fn bits_per_second(reader: &mut Reader, word: &Word) -> Option<u64> {
    let bits = units::parse(&word.text, units::BITRATE).map(|bits| bits as u64);
    if bits.is_none() {
        let message = format!("`{}` is no bandwidth like `10 Gbps`", word.text);
        reader.report.error(Code::FieldMalformed, word.span, message);
    }
    bits
}

/// An image by path, by URL or by name.
fn image(reader: &mut Reader, fields: &mut Fields<'_>, id: &str, path: Option<&'static str>) -> Option<SwImageDesc> {
    let by_path = path.and_then(|field| fields.word(reader, field));
    let by_name = fields.word(reader, "image name");
    let checksum = fields.word(reader, "image checksum");
    fields.without_effect(reader, &["image metadata"]);
    if let Some(checksum) = checksum {
        // OpenMANO's are MD5, which proves nothing any more.
        reader.unused("an image", "image checksum", checksum.span);
    }
    let word = by_path.or(by_name)?;
    let is_url = word.text.contains("://");
    let is_path = word.text.starts_with('/');
    if !is_url {
        let message = format!(
            "the image `{}` is looked for where the descriptor was written for",
            word.text
        );
        reader.report.warning(Code::ImageElsewhere, word.span, message);
    }
    let source = match (is_url, is_path) {
        (true, _) => SwImageSource::Uri { uri: word.text.clone() },
        (false, true) => SwImageSource::Uri {
            uri: format!("file://{}", word.text),
        },
        (false, false) => SwImageSource::ByName,
    };
    let file = word.text.rsplit('/').next().unwrap_or_default();
    let (name, disk_format) = match file.rsplit_once('.') {
        Some((stem, "qcow2")) => (stem, "qcow2"),
        Some((stem, "img" | "raw")) => (stem, "raw"),
        _ => (file, "qcow2"),
    };
    Some(SwImageDesc {
        id: id.to_owned(),
        name: name.to_owned(),
        version: super::VERSION.to_owned(),
        checksum: None::<Checksum>,
        container_format: "bare".to_owned(),
        disk_format: disk_format.to_owned(),
        min_disk_bytes: 0,
        min_ram_bytes: 0,
        size_bytes: None,
        source,
        place: Some(reader.report.place(word.span)),
    })
}

fn devices(reader: &mut Reader, fields: &mut Fields<'_>, vdu: &str, names: &mut Names) -> Vec<VirtualStorage> {
    let mut storages = Vec::new();
    for mut device in fields.maps(reader, "devices", "a device") {
        let kind = device.need(reader, "type");
        let size = device.number(reader, "size").unwrap_or(0);
        let id = names.give(&format!("{vdu}-disk"));
        let sw_image = image(reader, &mut device, &id, Some("image"));
        device.without_effect(reader, &["vpci", "xml"]);
        let span = device.span();
        device.finish(reader);
        match kind.as_ref().map(|kind| kind.text.as_str()) {
            Some("disk") => storages.push(VirtualStorage {
                id,
                kind: StorageKind::Block,
                size_bytes: size.saturating_mul(GIB),
                sw_image,
            }),
            Some("cdrom" | "xml") => reader.unused("a device", "type: cdrom or xml", span),
            Some(other) => {
                let message = format!("`{other}` is no type of a device: disk, cdrom and xml are");
                reader.report.error(Code::FieldMalformed, span, message);
            }
            None => {}
        }
    }
    storages
}

fn boot_data(reader: &mut Reader, fields: &mut Fields<'_>) -> Option<BootData> {
    let mut boot = fields.map(reader, "boot-data", "boot data")?;
    // A script is taken as it is: blanks belong to it.
    let content = boot.get("user-data").and_then(|node| node.text()).map(str::to_owned);
    boot.without_effect(reader, &["key-pairs", "users", "config-files", "boot-data-drive"]);
    boot.finish(reader);
    content.map(|content| BootData {
        content: Some(content),
        ..BootData::default()
    })
}
