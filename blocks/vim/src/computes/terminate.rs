//! TerminateVirtualisedComputeResource: the machine and the ports that came with it; other ports stay and are free again.

use super::Planned;
use crate::documents::Document;
use crate::world::World;
use manifold_call::CallError;
use manifold_desired::{Change, Decision};
use manifold_vim_interface::ComputeId;
use std::collections::BTreeSet;

pub(super) fn plan(world: World<'_>, ids: &[ComputeId]) -> Planned {
    let mut change = Change::default();
    for id in ids.iter().map(|id| id.0).collect::<BTreeSet<_>>() {
        let own = world.documents.find(id).filter(|held| held.tenant == *world.tenant);
        let Some(Document::Compute(_)) = own.map(|held| &held.body) else {
            continue;
        };
        change.leaves.push(id);
        for (port_id, held, port) in world.ports().filter(|(.., port)| port.compute == Some(id)) {
            if port.implicit {
                if let Some(path) = crate::paths::using(world, port_id) {
                    return Err(CallError::conflict(format!(
                        "{port_id} of machine {id} is in use by forwarding path {path}"
                    )));
                }
                change.leaves.push(port_id);
            } else {
                let mut free = port.clone();
                free.compute = None;
                change = change.and_put(port_id, &held.tenant, Document::Port(free));
            }
        }
    }
    crate::traffic::without(world, &mut change);
    Ok(if change.leaves.is_empty() {
        Decision::Already
    } else {
        Decision::Do(change)
    })
}
