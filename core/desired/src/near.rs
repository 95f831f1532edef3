//! What stands near something: objects that are wished for the same documents' sake. A bridge that is made again needs its ports
//! again, so what is near is asked for again, too.

use crate::Wished;
use manifold_call::Uuid;
use std::collections::{BTreeMap, BTreeSet};

/// The wished objects near these, themselves included where they are wished.
pub(crate) fn near<W>(ids: &[Uuid], wishes: &BTreeMap<Uuid, Wished<W>>) -> BTreeSet<Uuid> {
    let sakes: BTreeSet<Uuid> = ids
        .iter()
        .filter_map(|id| wishes.get(id))
        .flat_map(|wished| wished.documents.iter().copied())
        .collect();
    wishes
        .values()
        .filter(|wished| wished.documents.iter().any(|sake| sakes.contains(sake)))
        .map(|wished| wished.id)
        .collect()
}
