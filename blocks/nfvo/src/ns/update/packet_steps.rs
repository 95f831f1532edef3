//! The steps of an update that see to paths and rules: their places in the plan.

use std::sync::Arc;

use manifold_lcm::{Plan, StepHandle};

use super::packets::PacketChanges;
use super::{FORWARD, Update};
use crate::ns::passed::There;
use crate::ns::paths::Packet;
use crate::ns::see::{See, Shall};

impl Update {
    /// What is in the way of VNFs that are connected elsewhere, and of paths to make, is taken away; undone, it is there again.
    pub(super) fn plan_takes(
        &self,
        plan: &mut Plan,
        ns: &str,
        packets: &PacketChanges,
        made: &[StepHandle],
    ) -> Vec<StepHandle> {
        let there = Arc::new(packets.there.clone());
        let mut takes = Vec::new();
        for change in &packets.changes {
            let (Some(name), Some(before)) = (change.take_step(), &change.before) else {
                continue;
            };
            let act = if change.is_taken(before) {
                Shall::Go
            } else {
                Shall::Stay
            };
            let step = self.see(ns, &there, before, act, Shall::BeAsBefore(before.clone()));
            takes.push(plan.step(name, step).after_all(made).handle());
        }
        takes
    }

    /// New and changed ones, when all that they need is there.
    pub(super) fn plan_packets(
        &self,
        plan: &mut Plan,
        ns: &str,
        packets: &PacketChanges,
        ready: &[StepHandle],
    ) -> Vec<StepHandle> {
        let there = Arc::new(packets.there.clone());
        let mut all = Vec::new();
        for change in &packets.changes {
            let Some(after) = &change.after else { continue };
            let undo = match &change.before {
                None => Shall::Go,
                Some(before) if change.is_taken(before) => Shall::Go,
                // The step before brings it back, when its VNFs are back.
                Some(_) if change.is_torn => Shall::Stay,
                Some(before) => Shall::BeAsBefore(before.clone()),
            };
            let step = self.see(ns, &there, after, Shall::Be(after.clone()), undo);
            all.push(plan.step(after.step(), step).after_all(ready).handle());
        }
        all
    }

    /// Rules that go.
    pub(super) fn plan_drops(
        &self,
        plan: &mut Plan,
        ns: &str,
        packets: &PacketChanges,
        turn: &StepHandle,
    ) -> Vec<StepHandle> {
        let there = Arc::new(packets.there.clone());
        let mut all = Vec::new();
        for change in &packets.changes {
            let (Some(name), Some(before)) = (change.drop_step(), &change.before) else {
                continue;
            };
            let step = self.see(ns, &there, before, Shall::Go, Shall::Stay);
            let step = plan.step(name, step).after(turn).forward_only(FORWARD);
            all.push(step.handle());
        }
        all
    }

    fn see(&self, ns: &str, there: &Arc<There>, packet: &Packet, act: Shall, undo: Shall) -> See {
        See {
            near: self.near(),
            ns: ns.to_owned(),
            there: Arc::clone(there),
            packet: packet.clone(),
            act,
            undo,
        }
    }
}
