//! Affinity and anti-affinity groups (IFA 005 7.3.1.9).

use super::{Planned, placing};
use crate::documents::{Document, Group};
use crate::world::World;
use manifold_call::{CallError, Uuid};
use manifold_desired::{Change, Decision};
use manifold_vim_interface::{AffinityGroupId, CreateAffinityGroup};

pub(super) fn create(world: World<'_>, id: Uuid, ask: CreateAffinityGroup) -> Planned {
    if world.made(id)? {
        return Ok(Decision::Stands(vec![id]));
    }
    let group = Group {
        name: ask.group_name,
        kind: ask.kind,
        scope: ask.scope,
    };
    Ok(Decision::Do(Change::put(id, world.tenant, Document::Group(group))))
}

pub(super) fn delete(world: World<'_>, ids: &[AffinityGroupId]) -> Planned {
    let mut change = Change::default();
    for id in ids.iter().map(|id| id.0) {
        let own = world.documents.find(id).filter(|held| held.tenant == *world.tenant);
        let Some(Document::Group(group)) = own.map(|held| &held.body) else {
            continue;
        };
        if let Some(member) = placing::members(world, id).next() {
            return Err(CallError::conflict(format!(
                "machine {member} is in group {}",
                group.name
            )));
        }
        change.leaves.push(id);
    }
    Ok(if change.leaves.is_empty() {
        Decision::Already
    } else {
        Decision::Do(change)
    })
}
