//! A VNF: its VNFCs, what joins them inside, and what can be connected to from outside.

use std::collections::{BTreeMap, BTreeSet};

use super::vnfc::{self, Vnfcs};
use super::{ANY_VNFM, FLAVOUR, PROVIDER, VERSION};
use crate::code::Code;
use crate::fields::{Fields, Names, Reader, Word};
use crate::interfaces::Found;
use crate::link::{ConnectivityType, LayerProtocol};
use crate::vnfd::{DeploymentFlavour, ExtCpInternal, VnfExtCpd, VnfVirtualLink, Vnfd};
use crate::yaml::Node;

/// What a link of virtual machines carries.
pub(crate) const PROTOCOLS: [LayerProtocol; 1] = [LayerProtocol::Ethernet];

pub(crate) fn read(reader: &mut Reader, root: &Node) -> Option<(Vnfd, Vec<Found>)> {
    let mut top = Fields::of(reader, root, "a VNF's file")?;
    if let Some(version) = top.word(reader, "schema_version")
        && !matches!(version.text.as_str(), "0.1" | "1" | "0.2" | "2")
    {
        let message = format!("a VNF of schema `{}` is not known: 0.1 and 0.2 are", version.text);
        reader.report.error(Code::SchemaVersion, version.span, message);
    }
    let vnf = top.map(reader, "vnf", "a VNF");
    top.finish(reader);
    let mut vnf = vnf?;
    let name = vnf.need(reader, "name");
    let description = vnf.prose(reader, "description");
    let class = vnf.text(reader, "class");
    vnf.without_effect(reader, &["public", "tenant_id", "default_user", "default-user"]);
    if vnf.flag(reader, "physical") == Some(true) {
        let message = "a physical function is described by a PNFD";
        reader.report.error(Code::DescriptorKind, vnf.span(), message);
    }
    let mut names = Names::default();
    let mut vnfcs = vnfc::read(reader, &mut vnf, &mut names);
    let virtual_links = internal(reader, &mut vnf, &mut vnfcs, &mut names);
    let (ext_cpds, found) = external(reader, &mut vnf, &mut vnfcs);
    let span = vnf.span();
    vnf.finish(reader);
    vnfcs.tell_unconnected(reader);
    let name = name?;
    let flavour = DeploymentFlavour {
        id: FLAVOUR.to_owned(),
        description: description.clone().unwrap_or_default(),
        vdus: vnfcs.into_vdus(),
        virtual_links,
        ext_cpds,
        ..DeploymentFlavour::default()
    };
    let vnfd = Vnfd {
        descriptor_id: name.text.clone(),
        descriptor_version: VERSION.to_owned(),
        provider: class.unwrap_or_else(|| PROVIDER.to_owned()),
        product_name: name.text,
        software_version: VERSION.to_owned(),
        product_info_description: description,
        vnfm_info: vec![ANY_VNFM.to_owned()],
        flavours: vec![flavour],
        place: Some(reader.report.place(span)),
        ..Vnfd::default()
    };
    Some((vnfd, found))
}

/// The VNFC and the interface that an element names: index of the VDU and of its connection point.
fn element(reader: &mut Reader, vnfcs: &Vnfcs, vnfc: Option<Word>, iface: Option<Word>) -> Option<(usize, usize)> {
    let (vnfc, iface) = (vnfc?, iface?);
    let Some(vdu) = vnfcs.index(&vnfc.text) else {
        let message = format!("there is no VNFC `{}`", vnfc.text);
        reader.unknown_name(vnfc.span, message, &vnfc.text, vnfcs.names());
        return None;
    };
    let Some(cp) = vnfcs.interface(vdu, &iface.text) else {
        let message = format!("VNFC `{}` has no interface `{}`", vnfc.text, iface.text);
        reader.unknown_name(iface.span, message, &iface.text, vnfcs.interface_names(vdu));
        return None;
    };
    Some((vdu, cp))
}

fn internal(reader: &mut Reader, vnf: &mut Fields<'_>, vnfcs: &mut Vnfcs, names: &mut Names) -> Vec<VnfVirtualLink> {
    let mut links = Vec::new();
    let mut seen = BTreeSet::new();
    for mut link in vnf.maps(reader, "internal-connections", "an internal connection") {
        let name = link.need(reader, "name");
        let description = link.prose(reader, "description").unwrap_or_default();
        let kind = link.word(reader, "type");
        link.without_effect(reader, &["implementation"]);
        let l3 = super::ip_profile(reader, &mut link);
        let elements = link.maps(reader, "elements", "an element of an internal connection");
        let ends = elements.len();
        let id = name.as_ref().map(|name| {
            if !seen.insert(name.text.clone()) {
                let message = format!("there are two internal connections `{}`", name.text);
                reader.report.error(Code::NameTwice, name.span, message);
            }
            names.give(&name.text)
        });
        for mut fields in elements {
            let (vnfc, iface) = (fields.need(reader, "VNFC"), fields.need(reader, "local_iface_name"));
            fields.without_effect(reader, &["ip_address"]);
            let span = fields.span();
            if let (Some(id), Some((vdu, cp))) = (&id, element(reader, vnfcs, vnfc, iface)) {
                vnfcs.join(reader, vdu, cp, id, span);
            }
            fields.finish(reader);
        }
        let flow_pattern = kind.and_then(|kind| flow_pattern(reader, &kind, ends));
        let span = link.span();
        link.finish(reader);
        let Some(id) = id else { continue };
        links.push(VnfVirtualLink {
            id,
            description,
            connectivity_type: ConnectivityType {
                layer_protocols: PROTOCOLS.to_vec(),
                flow_pattern,
            },
            l3: l3.into_iter().collect(),
            place: Some(reader.report.place(span)),
            ..VnfVirtualLink::default()
        });
    }
    links
}

/// The shape of a link of that type. One that joins two ends only is refused for more.
pub(super) fn flow_pattern(reader: &mut Reader, kind: &Word, ends: usize) -> Option<String> {
    match kind.text.to_ascii_lowercase().as_str() {
        "ptp" | "e-line" | "link" => {
            if ends != 2 {
                let message = format!("`{}` joins exactly two interfaces; here are {ends}", kind.text);
                let help = Some("write `type: e-lan` (schema 0.1: `type: data`), which joins any number".to_owned());
                reader.report.error_help(Code::LineEnds, kind.span, message, help);
            }
            Some("line".to_owned())
        }
        "bridge" | "data" | "e-lan" | "dataplane" | "dataplane_net" | "bridge_net" => Some("mesh".to_owned()),
        "e-tree" => Some("tree".to_owned()),
        "external_network" => None,
        _ => {
            let message = format!("`{}` is no type of a network", kind.text);
            reader.report.error(Code::FieldMalformed, kind.span, message);
            None
        }
    }
}

fn external(reader: &mut Reader, vnf: &mut Fields<'_>, vnfcs: &mut Vnfcs) -> (Vec<VnfExtCpd>, Vec<Found>) {
    let (mut cpds, mut found) = (Vec::new(), Vec::new());
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for mut fields in vnf.maps(reader, "external-connections", "an external connection") {
        let name = fields.need(reader, "name");
        let role = fields.need(reader, "type");
        let (vnfc, iface) = (fields.need(reader, "VNFC"), fields.need(reader, "local_iface_name"));
        fields.without_effect(reader, &["description", "mgmt", "implementation"]);
        let span = fields.span();
        fields.finish(reader);
        if let Some(role) = &role
            && !matches!(role.text.as_str(), "mgmt" | "bridge" | "data" | "e-line" | "e-lan")
        {
            let message = format!("`{}` is no type of an interface: mgmt, bridge and data are", role.text);
            reader.report.error(Code::FieldMalformed, role.span, message);
        }
        let (vnfc_name, iface_name) = (vnfc.clone(), iface.clone());
        let Some((vdu, cp)) = element(reader, vnfcs, vnfc, iface) else {
            continue;
        };
        let (Some(name), Some(vnfc), Some(iface)) = (name, vnfc_name, iface_name) else {
            continue;
        };
        if let Some(line) = seen.get(&name.text) {
            let message = format!(
                "there are two external connections `{}` (first in line {line})",
                name.text
            );
            reader.report.error(Code::NameTwice, name.span, message);
            continue;
        }
        seen.insert(name.text.clone(), name.span.line);
        let Some(id) = vnfcs.expose(reader, vdu, cp, span) else {
            continue;
        };
        cpds.push(VnfExtCpd {
            id: id.clone(),
            requirement: Some(name.text.clone()),
            internal: ExtCpInternal::VduCp {
                vdu: vnfcs.vdu_id(vdu).to_owned(),
                cp: id.clone(),
            },
            layer_protocols: PROTOCOLS.to_vec(),
            place: Some(reader.report.place(name.span)),
        });
        found.push(Found {
            name: name.text,
            span: name.span,
            vnfc: Some(vnfc.text),
            local_name: Some(iface.text),
            role: role.map(|role| role.text).unwrap_or_default(),
            ext_cpd: id,
        });
    }
    (cpds, found)
}
