//! NSs in NSs, once they are there: an NS is changed as a whole, by operations on the outermost one.

use manifold_call::{CallError, Context, Outcome};

use crate::Nfvo;
use crate::record::{self, NS, NsRecord};

/// An NS with what it holds at all depths.
#[derive(Debug, Clone, Default)]
pub(crate) struct Whole {
    /// The NS, with the VNFs and SAPs of all.
    pub(crate) ns: NsRecord,
    /// Those in it, as they are: each after the one that holds it.
    pub(crate) nested: Vec<NsRecord>,
}

impl Nfvo {
    /// The NS and what it holds.
    pub(super) async fn whole(&self, cx: &Context, record: &NsRecord) -> Outcome<Whole> {
        let mut whole = Whole {
            ns: record.clone(),
            nested: Vec::new(),
        };
        let mut below = record.nested.clone();
        below.reverse();
        while let Some(next) = below.pop() {
            let (_, inner): (_, NsRecord) =
                record::find(&*self.near.store, &cx.tenant, NS, &next.id, "nested NS instance").await?;
            below.extend(inner.nested.iter().rev().cloned());
            whole.ns.vnfs.extend(inner.vnfs.iter().cloned());
            whole.ns.saps.extend(inner.saps.iter().cloned());
            whole.ns.vims.extend(inner.vims.iter().cloned());
            whole.nested.push(inner);
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
