//! A VNFD of SOL006: what all its flavours share, and the flavours.

use std::collections::{BTreeMap, BTreeSet};

use super::parts::Parts;
use super::vdu;
use crate::code::Code;
use crate::fields::{Fields, Names, Reader, Word};
use crate::interfaces::Found;
use crate::openmano::{ANY_VNFM, PROVIDER, VERSION};
use crate::source::Span;
use crate::vnfd::{DeploymentFlavour, ExtCpInternal, VnfExtCpd, VnfVirtualLink, Vnfd};
use crate::yaml::Node;

pub(crate) fn read(reader: &mut Reader, node: &Node) -> Option<(Vnfd, Vec<Found>)> {
    let mut fields = Fields::of(reader, node, "a VNFD")?;
    let id = fields.need(reader, "id");
    let product_name = fields.text(reader, "product-name");
    let name = fields.text(reader, "name");
    let description = fields.prose(reader, "description");
    let mut vnfd = Vnfd {
        provider: fields.text(reader, "provider").unwrap_or_else(|| PROVIDER.to_owned()),
        software_version: fields
            .text(reader, "software-version")
            .unwrap_or_else(|| VERSION.to_owned()),
        descriptor_version: fields.text(reader, "version").unwrap_or_else(|| VERSION.to_owned()),
        product_info_name: fields.text(reader, "product-info-name"),
        product_info_description: fields.prose(reader, "product-info-description").or(description),
        vnfm_info: super::several(reader, &mut fields, "vnfm-info")
            .into_iter()
            .map(|word| word.text)
            .collect(),
        place: Some(reader.report.place(node.span)),
        ..Vnfd::default()
    };
    if vnfd.vnfm_info.is_empty() {
        vnfd.vnfm_info.push(ANY_VNFM.to_owned());
    }
    if let Some(mut inner) = fields.map(reader, "configurable-properties", "configurable properties") {
        vnfd.is_autoheal_enabled = inner.flag(reader, "is-auto-heal-enabled");
        vnfd.is_autoscale_enabled = inner.flag(reader, "is-auto-scale-enabled");
        inner.without_effect(
            reader,
            &[
                "vnfm-interface-info",
                "vnfm-oauth-server-info",
                "vnf-oauth-server-info",
                "additional-configurable-property",
            ],
        );
        inner.finish(reader);
    }
    fields.without_effect(
        reader,
        &[
            "localization-language",
            "default-localization-language",
            "security-group-rule",
            "vnf-indicator",
            "modifiable-attributes",
            "lifecycle-management-script",
            "element-group",
            "auto-scale",
            "virtual-link-protocol",
            "kdu",
            "k8s-cluster",
            "vnf-configuration",
            "placement-groups",
            "_admin",
        ],
    );
    let mgmt = fields.word(reader, "mgmt-cp");
    let mut names = Names::default();
    let parts = Parts::read(reader, &mut fields);
    let links = links(reader, &mut fields, &mut names);
    let mut vdus = vdu::read(reader, &mut fields, &parts, &links, &mut names);
    let (ext_cpds, found) = exposed(reader, &mut fields, &mut vdus, &links, &mut names, mgmt);
    vdus.tell_unconnected(reader);
    let whole = DeploymentFlavour {
        vdus: vdus.into_vdus(),
        virtual_links: links.list,
        ext_cpds,
        ..DeploymentFlavour::default()
    };
    vnfd.flavours = super::df::read(reader, &mut fields, whole);
    fields.finish(reader);
    let id = id?;
    vnfd.product_name = product_name.or(name).unwrap_or_else(|| id.text.clone());
    vnfd.descriptor_id = id.text;
    Some((vnfd, found))
}

/// Internal links, and their ids by those of the text.
#[derive(Default)]
pub(super) struct Links {
    pub(super) list: Vec<VnfVirtualLink>,
    by_name: BTreeMap<String, usize>,
}

impl Links {
    /// The id of the link that the word names; an error when there is none.
    pub(super) fn id(&self, reader: &mut Reader, word: &Word) -> Option<String> {
        let found = self.by_name.get(&word.text).map(|at| self.list[*at].id.clone());
        if found.is_none() {
            let message = format!("there is no internal virtual link `{}`", word.text);
            reader.unknown_name(word.span, message, &word.text, self.by_name.keys().map(String::as_str));
        }
        found
    }
}

fn links(reader: &mut Reader, fields: &mut Fields<'_>, names: &mut Names) -> Links {
    let mut links = Links::default();
    for mut link in fields.maps(reader, "int-virtual-link-desc", "an internal virtual link") {
        let id = link.need(reader, "id");
        let description = link.prose(reader, "description").unwrap_or_default();
        let connectivity_type = super::connectivity_type(reader, &mut link);
        link.without_effect(
            reader,
            &[
                "name",
                "flavour",
                "test-access",
                "monitoring-parameter",
                "monitoring-parameters",
            ],
        );
        link.finish(reader);
        let Some(id) = id else { continue };
        if links.by_name.contains_key(&id.text) {
            let message = format!("there are two internal virtual links `{}`", id.text);
            reader.report.error(Code::NameTwice, id.span, message);
            continue;
        }
        links.by_name.insert(id.text.clone(), links.list.len());
        links.list.push(VnfVirtualLink {
            id: names.give(&id.text),
            description,
            connectivity_type,
            place: Some(reader.report.place(id.span)),
            ..VnfVirtualLink::default()
        });
    }
    links
}

fn exposed(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    vdus: &mut vdu::Vdus,
    links: &Links,
    names: &mut Names,
    mgmt: Option<Word>,
) -> (Vec<VnfExtCpd>, Vec<Found>) {
    let (mut cpds, mut found) = (Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for mut point in fields.maps(reader, "ext-cpd", "an external connection point") {
        let id = point.need(reader, "id");
        let layer_protocols = super::layer_protocols(reader, &mut point);
        let role = point.text(reader, "cp-role");
        let link = point.word(reader, "int-virtual-link-desc");
        let inner = point.map(reader, "int-cpd", "an inner connection point");
        point.without_effect(
            reader,
            &[
                "description",
                "protocol",
                "trunk-mode",
                "virtual-network-interface-requirement",
                "port-security-enabled",
                "security-group-rule-id",
                "k8s-cluster-net",
                "nicio-requirements",
            ],
        );
        let span = point.span();
        point.finish(reader);
        let mut target: Option<(usize, usize, String)> = None;
        let has_inner = inner.is_some();
        if let Some(mut inner) = inner {
            let (vdu, cpd) = (inner.need(reader, "vdu-id"), inner.need(reader, "cpd"));
            inner.finish(reader);
            target = vdu.zip(cpd).and_then(|(vdu, cpd)| {
                let (v, c) = vdus.point(reader, &vdu, &cpd)?;
                Some((v, c, cpd.text))
            });
        }
        let Some(id) = id else { continue };
        if !seen.insert(id.text.clone()) {
            let message = format!("there are two external connection points `{}`", id.text);
            reader.report.error(Code::NameTwice, id.span, message);
            continue;
        }
        let (internal, own, vnfc, local_name) = match (target, link) {
            (Some((vdu, cp, local)), _) => {
                let Some(own) = vdus.expose(reader, vdu, cp, span) else {
                    continue;
                };
                let vdu = vdus.id(vdu).to_owned();
                let internal = ExtCpInternal::VduCp {
                    vdu: vdu.clone(),
                    cp: own.clone(),
                };
                (internal, own, Some(vdu), Some(local))
            }
            (None, Some(link)) => {
                let Some(virtual_link) = links.id(reader, &link) else {
                    continue;
                };
                (
                    ExtCpInternal::VirtualLink { virtual_link },
                    names.give(&id.text),
                    None,
                    None,
                )
            }
            (None, None) => {
                if !has_inner {
                    let message = format!("`{}` leads to nothing inside", id.text);
                    reader.report.warning(Code::CpUnconnected, id.span, message);
                }
                (ExtCpInternal::Open, names.give(&id.text), None, None)
            }
        };
        let is_mgmt = mgmt.as_ref().is_some_and(|mgmt| mgmt.text == id.text);
        cpds.push(VnfExtCpd {
            id: own.clone(),
            requirement: Some(id.text.clone()),
            internal,
            layer_protocols,
            place: Some(reader.report.place(id.span)),
        });
        found.push(Found {
            name: id.text,
            span: id.span,
            vnfc,
            local_name,
            role: role.unwrap_or_else(|| if is_mgmt { "mgmt" } else { "" }.to_owned()),
            ext_cpd: own,
        });
    }
    if let Some(mgmt) = mgmt.filter(|mgmt| !seen.contains(&mgmt.text)) {
        let message = format!("there is no external connection point `{}`", mgmt.text);
        reader.unknown_name(mgmt.span, message, &mgmt.text, seen.iter().map(String::as_str));
    }
    (cpds, found)
}

/// A name that occurs twice, told where it does so the second time.
pub(super) fn twice(reader: &mut Reader, span: Span, what: &str, name: &str) {
    reader
        .report
        .error(Code::NameTwice, span, format!("there are two {what} `{name}`"));
}
