//! NSs in NSs, once they are there: an NS is changed as a whole, by operations on the outermost one.

use std::collections::HashSet;

use manifold_call::{CallError, Context, Outcome};

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

impl Nfvo {
    /// The NS and what it holds.
    pub(super) async fn whole(&self, cx: &Context, record: &NsRecord) -> Outcome<Whole> {
        let mut whole = Whole {
            ns: record.clone(),
            own: record.clone(),
            ..Whole::default()
        };
        let mut ahead: Vec<Ahead> = Ahead::of(record, "", false).collect();
        while let Some(next) = ahead.pop() {
            let (_, inner): (_, NsRecord) =
                record::find(&*self.near.store, &cx.tenant, NS, &next.id, "nested NS instance").await?;
            ahead.extend(Ahead::of(&inner, &next.path, next.is_foreign));
            for all in [&mut whole.ns, &mut whole.own]
                .into_iter()
                .take(if next.is_foreign { 1 } else { 2 })
            {
                let vnfs = inner.vnfs.iter().cloned();
                // What was there before was named by itself, and may be named like something else.
                let key = |key: String| {
                    if next.is_foreign {
                        format!("{}/{key}", next.path)
                    } else {
                        key
                    }
                };
                all.vnfs.extend(vnfs.map(|vnf| NsVnf {
                    key: key(vnf.key.clone()),
                    ..vnf
                }));
                all.saps.extend(inner.saps.iter().cloned());
                all.vims.extend(inner.vims.iter().cloned());
            }
            if next.is_adopted {
                whole.adopted.push(inner.id.clone());
            }
            match next.is_foreign {
                true => whole.foreign.push(inner),
                false => whole.nested.push(inner),
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
        let within = |nested: &NsNested| match path {
            "" => nested.profile.clone(),
            path => format!("{path}/{}", nested.profile),
        };
        let all = record.nested.iter().rev().map(move |nested| Self {
            id: nested.id.clone(),
            path: within(nested),
            is_foreign: is_foreign || nested.is_adopted,
            is_adopted: !is_foreign && nested.is_adopted,
        });
        all.collect::<Vec<_>>().into_iter()
    }
}
