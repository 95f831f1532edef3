//! Documents as they were last written, kept in memory: who writes a document mostly reads it next, and a reader's thread costs
//! more than the reading. The process has the database for itself, so what the writer wrote is what there is.
//!
//! Only the writer puts documents in, once they are durable, and it takes them out before it commits anything newer: at no moment
//! is an older one told than a query of the database would tell.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::{Doc, Kind};

/// Of all bodies as JSON, in bytes, in each of the two halves: together the documents of a hundred operations under way.
const HALF_BYTES: usize = 2 << 20;
/// What is larger is read from the database: it would drive out everything else.
const BODY_BYTES_MAX: usize = 64 << 10;

/// Documents by kind and id. The older half goes when the younger one is full.
#[derive(Default)]
pub(super) struct Recent(RwLock<Halves>);

#[derive(Default)]
struct Halves {
    young: HashMap<Kind, HashMap<String, Doc>>,
    old: HashMap<Kind, HashMap<String, Doc>>,
    young_bytes: usize,
}

impl Recent {
    pub(super) fn find(&self, kind: Kind, id: &str) -> Option<Doc> {
        let halves = self.read();
        let of = |half: &HashMap<Kind, HashMap<String, Doc>>| half.get(&kind).and_then(|docs| docs.get(id)).cloned();
        of(&halves.young).or_else(|| of(&halves.old))
    }

    /// Forgets documents that are about to change.
    pub(super) fn forget<'a>(&self, ids: impl Iterator<Item = (Kind, &'a str)>) {
        let mut halves = self.write();
        let Halves { young, old, .. } = &mut *halves;
        for (kind, id) in ids {
            for half in [&mut *young, &mut *old] {
                if let Some(docs) = half.get_mut(&kind) {
                    docs.remove(id);
                }
            }
        }
    }

    /// Takes in documents that are durable, each with the length of its body as JSON.
    pub(super) fn keep(&self, docs: impl Iterator<Item = (Doc, usize)>) {
        let mut halves = self.write();
        for (doc, bytes) in docs.filter(|(_, bytes)| *bytes <= BODY_BYTES_MAX) {
            if halves.young_bytes + bytes > HALF_BYTES {
                halves.old = std::mem::take(&mut halves.young);
                halves.young_bytes = 0;
            }
            halves.young_bytes += bytes;
            halves.young.entry(doc.kind).or_default().insert(doc.id.clone(), doc);
        }
    }

    /// Forgets everything: what is in the database is not known.
    pub(super) fn clear(&self) {
        *self.write() = Halves::default();
    }

    fn read(&self) -> RwLockReadGuard<'_, Halves> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Halves> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}
