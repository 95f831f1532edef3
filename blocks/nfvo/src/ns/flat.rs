//! An NS with all that it nests, by the names of its NSD laid flat: what several NSs have is looked at, and changed, as one.
//!
//! ```text
//!   NS ───────── lan                    ┐                 lan                  a link is called as the outermost of the NSs that
//!    └─ inner ── lan (west), between, a ┴─ flat ──> inner/between, inner/a     have it calls it
//! ```

use std::collections::{BTreeMap, BTreeSet};

use manifold_call::{CallError, Context, Outcome};
use manifold_descriptors::{Descriptor, FlatNsd, Nsd};

use super::layout::nested;
use super::nested::Inner;
use crate::Nfvo;
use crate::record::{NsLink, NsPnf, NsRecord, NsSap, NsVnf};

/// An NS with all that was made for it.
#[derive(Debug, Clone, Default)]
pub(crate) struct FlatNs {
    /// Everything by its flat name.
    pub(crate) ns: NsRecord,
    /// What it holds, whoever made it.
    pub(crate) inside: Vec<Inner>,
    /// Its NSD laid flat, as far as it nests now what that says.
    pub(crate) nsd: FlatNsd,
    /// Ids of the links that the NS itself has.
    pub(crate) outermost_links: BTreeSet<String>,
    /// Of its links, those whose networks are those of an NS that was there before.
    pub(crate) foreign_links: BTreeSet<String>,
}

impl Nfvo {
    /// Errors: what the NSD nests is not there any more.
    pub(super) async fn flat(&self, cx: &Context, record: &NsRecord) -> Outcome<FlatNs> {
        let model = self.catalogue.model(&record.nsd_info_id).await?;
        let Descriptor::Nsd(nsd) = &model.descriptor else {
            return Err(CallError::internal(format!("an NSD is a {}", model.descriptor.kind())));
        };
        let nsd = as_held(nsd, record);
        if record.nested.is_empty() {
            let (nsd, _) = FlatNsd::of(&nsd, &[]);
            return Ok(flat(record, Vec::new(), nsd));
        }
        let constituents = self.catalogue.all_constituents(cx, &nsd).await?;
        let inside = self.inside(cx, record).await?;
        let nsd = nested::flatten(&nsd, &constituents)?;
        Ok(flat(record, inside, nsd))
    }
}

/// The NSD without the profiles of NSs that were taken out.
pub(crate) fn as_held(nsd: &Nsd, record: &NsRecord) -> Nsd {
    let mut nsd = nsd.clone();
    nsd.nested_ns_profiles
        .retain(|profile| record.nested.iter().any(|nested| nested.profile == profile.id));
    nsd
}

fn flat(record: &NsRecord, inside: Vec<Inner>, nsd: FlatNsd) -> FlatNs {
    let mut ns = NsRecord {
        vnfs: Vec::new(),
        saps: Vec::new(),
        pnfs: Vec::new(),
        links: Vec::new(),
        ..record.clone()
    };
    let own = inside.iter().filter(|inner| !inner.is_foreign);
    let own = own.map(|inner| (inner.path.as_str(), &inner.ns));
    // Names of links, by their ids: the outermost NS comes first.
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    for (path, part) in [("", record)].into_iter().chain(own) {
        let service = nsd.services.iter().find(|service| service.path == path);
        for link in &part.links {
            if names.contains_key(&link.info.id) {
                continue;
            }
            let own = &link.info.ns_virtual_link_desc_id;
            let net = service.and_then(|service| service.links.get(own));
            let name = net.cloned().unwrap_or_else(|| joined(path, own));
            // Two networks that the NSD would have as one: what was asked for was never carried out, or was given up.
            let is_taken = names.values().any(|known| *known == name);
            let name = if is_taken { joined(path, own) } else { name };
            names.insert(link.info.id.clone(), name.clone());
            let mut link = link.clone();
            link.also.clear();
            link.info.ns_virtual_link_desc_id.clone_from(&name);
            link.info.ns_virtual_link_profile_id = name;
            ns.links.push(link);
        }
        let on = |own: &String| {
            let id = link_called(part, own).map(|link| &link.info.id);
            id.and_then(|id| names.get(id))
                .cloned()
                .unwrap_or_else(|| joined(path, own))
        };
        ns.vnfs.extend(part.vnfs.iter().map(|vnf| NsVnf {
            profile: joined(path, &vnf.profile),
            ..vnf.clone()
        }));
        ns.saps.extend(part.saps.iter().map(|sap| {
            let mut sap = NsSap {
                link: on(&sap.link),
                ..sap.clone()
            };
            sap.info.sapd_id = joined(path, &sap.info.sapd_id);
            sap
        }));
        ns.pnfs.extend(part.pnfs.iter().map(|pnf| {
            let links = pnf.links.iter().map(|(cpd, link)| (cpd.clone(), on(link)));
            let mut pnf = NsPnf {
                links: links.collect(),
                ..pnf.clone()
            };
            pnf.info.pnf_profile_id = joined(path, &pnf.info.pnf_profile_id);
            pnf
        }));
        ns.vims.extend(part.vims.iter().cloned());
    }
    let foreign = inside.iter().filter(|inner| inner.is_foreign);
    let foreign = foreign.flat_map(|inner| inner.ns.links.iter().map(|link| link.info.id.clone()));
    let foreign_links = foreign.filter(|id| names.contains_key(id)).collect();
    FlatNs {
        ns,
        inside,
        nsd,
        outermost_links: record.links.iter().map(|link| link.info.id.clone()).collect(),
        foreign_links,
    }
}

/// The link of an NS by one of its names there.
pub(crate) fn link_called<'a>(record: &'a NsRecord, name: &str) -> Option<&'a NsLink> {
    let is_it =
        |link: &&NsLink| link.info.ns_virtual_link_desc_id == name || link.also.iter().any(|other| other == name);
    record.links.iter().find(is_it)
}

/// Whether something is in the nested NS of this path, by its flat name.
pub(crate) fn is_below(path: &str, name: &str) -> bool {
    name.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
}

/// `path/name`; what the NS itself has keeps its name.
pub(crate) fn joined(path: &str, name: &str) -> String {
    match path {
        "" => name.to_owned(),
        path => format!("{path}/{name}"),
    }
}
