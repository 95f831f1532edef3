//! What is granted and may not be allocated yet. One document for each VIM holds it, so that two grants at once cannot promise
//! the same place: whoever writes second works it out again.
//!
//! A reservation ends with the operation that it is for, which is found out at the next grant: nothing has to be written when an
//! operation ends. Machines of the operation that are allocated already count once: they are recognised by the VNFM's metadata
//! `manifold:vnf`; a VNFM that writes none makes the NFVO count them twice until the operation has ended, never too little.

use std::collections::{BTreeMap, BTreeSet};

use manifold_call::{Context, ErrorKind, OccurrenceId, Outcome, TenantId};
use manifold_planning::placement::{Demand, Host, HostId};
use manifold_sol::{GrantRequest, LcmOperationState};
use manifold_store::{Expect, Put, Write};
use manifold_vim_interface::{ComputeId, QueryFilter, VimHandle};
use serde::{Deserialize, Serialize};

use crate::fault;
use crate::near::Near;
use crate::ns::site::Site;
use crate::record::{self, GRANT, RESERVATIONS};

/// The key of a machine's metadata that names its VNF.
const VNF_KEY: &str = "manifold:vnf";

/// What one operation was granted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Reservation {
    tenant: TenantId,
    vnf: String,
    occurrence: String,
    /// (host, virtual CPUs, memory in mebibytes), one for each machine.
    machines: Vec<(String, u32, u64)>,
    /// Machines that were there before.
    before: BTreeSet<ComputeId>,
}

impl Reservation {
    pub(super) fn of(
        cx: &Context,
        request: &GrantRequest,
        demands: &[Demand],
        places: &BTreeMap<String, HostId>,
        site: &Site,
    ) -> Self {
        let machines = demands
            .iter()
            .filter_map(|demand| Some((places.get(&demand.name)?.host.clone(), demand.vcpus, demand.memory_mib)));
        Self {
            tenant: cx.tenant.clone(),
            vnf: request.vnf_instance_id.clone(),
            occurrence: request.vnf_lcm_op_occ_id.clone(),
            machines: machines.collect(),
            before: site
                .hosts
                .iter()
                .flat_map(|host| host.computes.iter().copied())
                .collect(),
        }
    }

    /// Whether the operation has ended. One that the VNFM does not know was never begun, or is forgotten.
    async fn has_ended(&self, near: &Near, cx: &Context) -> Outcome<bool> {
        let Ok(occurrence) = self.occurrence.parse::<OccurrenceId>() else {
            return Ok(true);
        };
        let context = Context {
            tenant: self.tenant.clone(),
            ..cx.clone()
        };
        match near.vnfm()?.find_operation(&context, occurrence).await {
            Ok(found) => Ok(match found.operation_state {
                LcmOperationState::Completed
                | LcmOperationState::PartiallyCompleted
                | LcmOperationState::Failed
                | LcmOperationState::RolledBack => true,
                LcmOperationState::Starting
                | LcmOperationState::Processing
                | LcmOperationState::FailedTemp
                | LcmOperationState::RollingBack => false,
            }),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// What of it is not allocated yet.
    async fn outstanding(&self, cx: &Context, vim: &VimHandle) -> Outcome<Vec<(String, u32, u64)>> {
        let context = Context {
            tenant: self.tenant.clone(),
            ..cx.clone()
        };
        let filter = QueryFilter {
            filter: format!("(eq,metadata/{VNF_KEY},{})", self.vnf),
        };
        let mut left = self.machines.clone();
        for machine in vim.compute.query(&context, filter).await? {
            if self.before.contains(&machine.compute_id) || machine.metadata.get(VNF_KEY) != Some(&self.vnf) {
                continue;
            }
            let same = |(host, vcpus, memory): &(String, u32, u64)| {
                *host == machine.host_id && *vcpus == machine.virtual_cpu && *memory == machine.virtual_memory
            };
            if let Some(at) = left.iter().position(same) {
                left.remove(at);
            }
        }
        Ok(left)
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Reservations {
    open: Vec<Reservation>,
}

/// A VIM's reservations, as they were read.
pub(super) struct Reserved {
    vim: String,
    revision: u64,
    open: Vec<Reservation>,
    /// Operations that have ended: their grants are forgotten with the next write.
    ended: Vec<String>,
    by_host: BTreeMap<String, (u32, u64)>,
}

impl Reserved {
    pub(super) async fn read(near: &Near, cx: &Context, vim: &VimHandle, own: &str) -> Outcome<Self> {
        let doc = near.store.get(RESERVATIONS, &vim.id).await.map_err(fault::store)?;
        let kept: Reservations = doc
            .as_ref()
            .map(manifold_store::Doc::read)
            .transpose()
            .map_err(fault::store)?
            .unwrap_or_default();
        let mut reserved = Self {
            vim: vim.id.clone(),
            revision: doc.map_or(0, |doc| doc.revision),
            open: vec![],
            ended: vec![],
            by_host: BTreeMap::new(),
        };
        // What was granted for the same operation before is replaced.
        for reservation in kept
            .open
            .into_iter()
            .filter(|reservation| reservation.occurrence != own)
        {
            if reservation.has_ended(near, cx).await? {
                reserved.ended.push(reservation.occurrence);
                continue;
            }
            for (host, vcpus, memory) in reservation.outstanding(cx, vim).await? {
                let sum = reserved.by_host.entry(host).or_default();
                *sum = (sum.0.saturating_add(vcpus), sum.1.saturating_add(memory));
            }
            reserved.open.push(reservation);
        }
        Ok(reserved)
    }

    /// Whether anything is.
    pub(super) fn is_some(&self) -> bool {
        !self.by_host.is_empty()
    }

    /// Hosts with what is left of them beside the reservations.
    pub(super) fn less(&self, mut hosts: Vec<Host>) -> Vec<Host> {
        for host in &mut hosts {
            if let Some((vcpus, memory)) = self.by_host.get(&host.id.host) {
                host.vcpus_free = host.vcpus_free.saturating_sub(*vcpus);
                host.memory_mib_free = host.memory_mib_free.saturating_sub(*memory);
            }
        }
        hosts
    }

    /// The writes that add one, if nobody wrote in between.
    pub(super) fn with(self, new: Reservation) -> Outcome<Vec<Write>> {
        let mut open = self.open;
        let forgotten = self.ended.iter().filter(|ended| **ended != new.occurrence);
        let mut writes: Vec<Write> = forgotten
            .map(|ended| Write::delete(GRANT, ended, Expect::Any))
            .collect();
        open.push(new);
        let expect = if self.revision == 0 {
            Expect::Absent
        } else {
            Expect::Exactly(self.revision)
        };
        writes.push(Put::new(RESERVATIONS, self.vim, expect, record::json(&Reservations { open })?).into());
        Ok(writes)
    }
}
