//! OperateVirtualisedComputeResource: START, STOP, REBOOT.

use super::Planned;
use crate::documents::Document;
use crate::world::World;
use manifold_call::{CallError, Uuid};
use manifold_desired::{Change, Decision};
use manifold_vim_interface::{ComputeOperation, OperateCompute};

/// Keys of past operations that a machine remembers: as many as a caller may have unanswered at once, doubled.
pub(super) const APPLIED_MAX: usize = 16;

pub(super) fn plan(world: World<'_>, key: Uuid, ask: &OperateCompute, crashed: bool) -> Planned {
    let id = ask.compute_id.0;
    let mut compute = world.compute(id)?.clone();
    if compute.applied.contains(&key) {
        return Ok(Decision::Stands(vec![id]));
    }
    match ask.compute_operation {
        ComputeOperation::Start if compute.on && !crashed => return Ok(Decision::Stands(vec![id])),
        ComputeOperation::Stop if !compute.on => return Ok(Decision::Stands(vec![id])),
        ComputeOperation::Start => {
            compute.on = true;
            compute.generation += 1;
        }
        ComputeOperation::Stop => compute.on = false,
        ComputeOperation::Reboot if compute.on => compute.generation += 1,
        ComputeOperation::Reboot => {
            return Err(CallError::conflict(format!("machine {id} is stopped")).cure("start it"));
        }
    }
    remember(&mut compute.applied, key);
    Ok(Decision::Do(Change::put(id, world.tenant, Document::Compute(compute))))
}

/// Adds the key, and forgets the oldest when there are too many.
pub(super) fn remember(applied: &mut Vec<Uuid>, key: Uuid) {
    applied.push(key);
    let surplus = applied.len().saturating_sub(APPLIED_MAX);
    applied.drain(..surplus);
}
