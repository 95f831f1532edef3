//! Forwarding graphs of SOL006: which profiles they have, and the order in which their paths pass them.

use std::collections::BTreeMap;

use super::nsd::Known;
use super::vnfd::twice;
use crate::fields::{Fields, Reader, Word};
use crate::nsd::{Nfp, Nsd, Vnffg};

pub(super) fn read(reader: &mut Reader, graphs: Vec<Fields<'_>>, nsd: &mut Nsd, known: &Known) {
    let mut seen = BTreeMap::new();
    for mut fields in graphs {
        let id = fields.need(reader, "id");
        let mut graph = Vnffg::default();
        for name in ["vnf-profile-id", "pnf-profile-id", "nested-ns-profile-id"] {
            for word in super::several(reader, &mut fields, name) {
                graph.profiles.extend(profile(reader, known, word));
            }
        }
        for word in super::several(reader, &mut fields, "virtual-link-profile-id") {
            graph.virtual_links.extend(known.link(reader, &word));
        }
        for mut path in fields.maps(reader, "nfpd", "a forwarding path") {
            graph.paths.extend(self::path(reader, &mut path, known));
            path.finish(reader);
        }
        for mut element in fields.maps(reader, "nfp-position-element", "an element of a position") {
            let _ = element.need(reader, "id");
            element.without_effect(
                reader,
                &["cp-profile-id", "cpd-pool-id", "constituent-profile-elements"],
            );
            element.finish(reader);
        }
        fields.without_effect(reader, &["name", "description", "cpd-pool", "dependencies"]);
        fields.finish(reader);
        let Some(id) = id else { continue };
        if seen.insert(id.text.clone(), ()).is_some() {
            twice(reader, id.span, "forwarding graphs", &id.text);
            continue;
        }
        graph.place = Some(reader.report.place(id.span));
        graph.id = id.text;
        nsd.vnffgs.push(graph);
    }
}

fn profile(reader: &mut Reader, known: &Known, word: Word) -> Option<String> {
    if known.profiles.contains_key(&word.text) {
        return Some(word.text);
    }
    let message = format!("there is no profile `{}`", word.text);
    reader.unknown_name(
        word.span,
        message,
        &word.text,
        known.profiles.keys().map(String::as_str),
    );
    None
}

/// A path's constituents, in the order of its positions and of the elements in each.
fn path(reader: &mut Reader, fields: &mut Fields<'_>, known: &Known) -> Option<Nfp> {
    let id = fields.need(reader, "id");
    let mut positions = Vec::new();
    for mut position in fields.maps(reader, "position-desc-id", "a position") {
        let _ = position.need(reader, "id");
        for mut cp in position.maps(reader, "cp-profile-id", "a position's profile") {
            let _ = cp.need(reader, "id");
            let mut elements: Vec<(u64, Word)> = Vec::new();
            for mut element in cp.maps(reader, "constituent-profile-elements", "an element of a position") {
                let _ = element.need(reader, "id");
                let order = element.number(reader, "order").unwrap_or(elements.len() as u64);
                let base = element.need(reader, "constituent-base-element-id");
                element.without_effect(reader, &["ingress-constituent-cpd-id", "egress-constituent-cpd-id"]);
                element.finish(reader);
                elements.extend(base.map(|base| (order, base)));
            }
            cp.finish(reader);
            elements.sort_by_key(|(order, _)| *order);
            for (_, word) in elements {
                positions.extend(profile(reader, known, word));
            }
        }
        position.without_effect(
            reader,
            &["match-attributes", "nfp-position-element-id", "forwarding-behaviour"],
        );
        position.finish(reader);
    }
    fields.without_effect(reader, &["name", "description", "nfp-rule", "nfp-position-desc"]);
    Some(Nfp {
        id: id?.text,
        positions,
        ..Nfp::default()
    })
}
