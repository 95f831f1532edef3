//! NSs in NSs, once they are there: an NS is changed as a whole, by operations on the outermost one.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use manifold_call::{CallError, Context, Outcome};
use manifold_lcm::StepError;
use manifold_sol::NsState;
use manifold_store::Doc;

use super::flat::{is_below, joined, link_called};
use super::layout::{Layout, LinkPart};
use crate::Nfvo;
use crate::record::{self, NS, NsLink, NsNested, NsRecord, NsVnf};

/// An NS with what it holds at all depths.
#[derive(Debug, Clone, Default)]
pub(crate) struct Whole {
    /// The NS, with the VNFs and SAPs of all.
    pub(crate) ns: NsRecord,
    /// The same, without what was there before it.
    pub(crate) own: NsRecord,
    /// Those that were made for it, as they are: each after the one that holds it.
    pub(crate) nested: Vec<NsRecord>,
    /// Those that were there before, and what those hold; likewise.
    pub(crate) foreign: Vec<NsRecord>,
    /// Of the foreign, those that it took in itself.
    pub(crate) adopted: Vec<String>,
}

impl Whole {
    /// The links that were made for it: each once, as the outermost NS that it reaches has it. Those of what was there before stay.
    pub(super) fn own_links(&self) -> impl Iterator<Item = &NsLink> {
        let foreign = self.foreign.iter().flat_map(|ns| &ns.links);
        let mut seen: HashSet<&str> = foreign.map(|link| link.info.id.as_str()).collect();
        let all = [&self.own].into_iter().chain(&self.nested).flat_map(|ns| &ns.links);
        all.filter(move |link| seen.insert(link.info.id.as_str()))
    }
}

/// An NS inside of another one, at whatever depth.
#[derive(Debug, Clone)]
pub(crate) struct Inner {
    /// The profiles on the way to it.
    pub(crate) path: String,
    pub(crate) doc: Doc,
    pub(crate) ns: NsRecord,
    /// Whether it was there before the outermost NS.
    pub(crate) is_foreign: bool,
    /// Of the foreign, whether the NS took it in itself.
    pub(crate) is_adopted: bool,
}

impl Inner {
    pub(crate) fn is_within(&self, path: &str) -> bool {
        self.path == path || is_below(path, &self.path)
    }
}

impl Nfvo {
    /// What an NS holds, at all depths: each after the one that holds it.
    pub(super) async fn inside(&self, cx: &Context, record: &NsRecord) -> Outcome<Vec<Inner>> {
        let mut all = Vec::new();
        let mut ahead: Vec<Ahead> = Ahead::of(record, "", false).collect();
        while let Some(next) = ahead.pop() {
            let (doc, ns): (_, NsRecord) =
                record::find(&*self.near.store, &cx.tenant, NS, &next.id, "nested NS instance").await?;
            ahead.extend(Ahead::of(&ns, &next.path, next.is_foreign));
            all.push(Inner {
                path: next.path,
                doc,
                ns,
                is_foreign: next.is_foreign,
                is_adopted: next.is_adopted,
            });
        }
        Ok(all)
    }

    /// The NS and what it holds.
    pub(super) async fn whole(&self, cx: &Context, record: &NsRecord) -> Outcome<Whole> {
        let mut whole = Whole {
            ns: record.clone(),
            own: record.clone(),
            ..Whole::default()
        };
        for inner in self.inside(cx, record).await? {
            let Inner { ns, is_foreign, .. } = inner;
            for all in [&mut whole.ns, &mut whole.own]
                .into_iter()
                .take(if is_foreign { 1 } else { 2 })
            {
                // What was there before was named by itself, and may be named like something else.
                let key = |key: String| match is_foreign {
                    true => format!("{}/{key}", inner.path),
                    false => key,
                };
                all.vnfs.extend(ns.vnfs.iter().cloned().map(|vnf| NsVnf {
                    key: key(vnf.key.clone()),
                    ..vnf
                }));
                all.saps.extend(ns.saps.iter().cloned());
                all.vims.extend(ns.vims.iter().cloned());
            }
            if inner.is_adopted {
                whole.adopted.push(ns.id.clone());
            }
            match is_foreign {
                true => whole.foreign.push(ns),
                false => whole.nested.push(ns),
            }
        }
        Ok(whole)
    }

    /// Errors: `Conflict`, naming the NS that holds it.
    pub(super) async fn check_free(&self, cx: &Context, record: &NsRecord) -> Outcome<()> {
        let Some(parent) = &record.parent else { return Ok(()) };
        let (_, outer): (_, NsRecord) = record::find(&*self.near.store, &cx.tenant, NS, parent, "NS instance").await?;
        Err(CallError::conflict(format!(
            "NS {} ({}) is nested in NS {} ({parent}), which holds it",
            record.id, record.name, outer.name
        ))
        .cure(format!("ask for it by an operation on NS {parent}")))
    }
}

/// Nested NSs that an operation makes or takes in, among those that there are: `all` has the outermost and what it holds.
pub(super) fn enter(all: &mut Vec<NsRecord>, layout: &Layout) -> Result<(), StepError> {
    let hold = |all: &mut [NsRecord], parent: &str, inner: NsNested| {
        let parent = of(all, parent)?;
        if parent.nested.iter().all(|known| known.id != inner.id) {
            parent.nested.push(inner);
        }
        Ok::<(), StepError>(())
    };
    for nested in &layout.nested {
        let inner = NsNested {
            profile: nested.profile.clone(),
            id: nested.id.clone(),
            is_adopted: false,
        };
        hold(all, &nested.parent, inner)?;
        if all.iter().all(|known| known.id != nested.id) {
            all.push(NsRecord {
                id: nested.id.clone(),
                name: nested.name.clone(),
                nsd_id: nested.nsd_id.clone(),
                nsd_info_id: nested.nsd_info_id.clone(),
                state: NsState::Instantiated,
                flavour_id: Some(nested.flavour_id.clone()),
                pnfs: nested.pnfs.clone(),
                parent: Some(nested.parent.clone()),
                ..NsRecord::default()
            });
        }
    }
    for adopted in &layout.adopted {
        let inner = NsNested {
            profile: adopted.profile.clone(),
            id: adopted.id.clone(),
            is_adopted: true,
        };
        hold(all, &adopted.parent, inner)?;
    }
    Ok(())
}

/// One of them.
pub(super) fn of<'a>(all: &'a mut [NsRecord], ns: &str) -> Result<&'a mut NsRecord, StepError> {
    all.iter_mut()
        .find(|record| record.id == ns)
        .ok_or_else(|| StepError::internal(format!("the plan has no NS {ns}")))
}

/// Gives links that stay the names that they have in each NS from now on; `ids`: theirs, by their flat names.
pub(super) fn relink(
    all: &mut [NsRecord],
    parts: &BTreeMap<String, Vec<LinkPart>>,
    ids: &BTreeMap<String, String>,
    forgotten: &BTreeSet<String>,
) {
    let mut known: BTreeMap<String, NsLink> = BTreeMap::new();
    for link in all.iter().flat_map(|record| &record.links) {
        known.entry(link.info.id.clone()).or_insert_with(|| link.clone());
    }
    let parts: BTreeMap<&String, &Vec<LinkPart>> = parts
        .iter()
        .filter_map(|(net, parts)| Some((ids.get(net)?, parts)))
        .collect();
    for record in all {
        let on = |record: &NsRecord, name: &str| link_called(record, name).map(|link| link.info.id.clone());
        let saps: Vec<_> = record.saps.iter().map(|sap| on(record, &sap.link)).collect();
        let named = |id: &String| {
            let own = parts.get(id)?.iter().find(|part| part.ns == record.id)?;
            own.names.split_first()
        };
        record.links.retain(|link| {
            let id = &link.info.id;
            !forgotten.contains(id) && (!parts.contains_key(id) || named(id).is_some())
        });
        for link in &mut record.links {
            if let Some((name, also)) = named(&link.info.id) {
                call(link, name, also);
            }
        }
        for id in parts.keys() {
            if let Some((name, also)) = named(id)
                && record.links.iter().all(|link| link.info.id != **id)
                && let Some(link) = known.get(*id)
            {
                let mut link = link.clone();
                call(&mut link, name, also);
                record
                    .vims
                    .extend(link.networks.iter().map(|network| network.vim.clone()));
                record.links.push(link);
            }
        }
        for (sap, id) in record.saps.iter_mut().zip(saps) {
            let link = record.links.iter().find(|link| Some(&link.info.id) == id.as_ref());
            if let Some(link) = link {
                sap.link.clone_from(&link.info.ns_virtual_link_desc_id);
            }
        }
    }
}

fn call(link: &mut NsLink, name: &str, also: &[String]) {
    link.info.ns_virtual_link_desc_id = name.to_owned();
    link.info.ns_virtual_link_profile_id = name.to_owned();
    link.also = also.to_vec();
}

/// A nested NS that is still to be read.
struct Ahead {
    id: String,
    path: String,
    /// Whether it was there before the outermost NS.
    is_foreign: bool,
    is_adopted: bool,
}

impl Ahead {
    /// What an NS holds, the last first: the next to be read is taken from the end.
    fn of(record: &NsRecord, path: &str, is_foreign: bool) -> impl Iterator<Item = Self> {
        let all = record.nested.iter().rev().map(move |nested| Self {
            id: nested.id.clone(),
            path: joined(path, &nested.profile),
            is_foreign: is_foreign || nested.is_adopted,
            is_adopted: !is_foreign && nested.is_adopted,
        });
        all.collect::<Vec<_>>().into_iter()
    }
}
