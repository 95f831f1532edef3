//! Machines of VNFC instances: made on ports that are there, stopped, ended.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use futures_util::StreamExt;
use manifold_call::CallError;
use manifold_lcm::{Found, Progress, Step, StepCx, StepError, UndoProgress, Wait};
use manifold_store::Sealed;
use manifold_vim_interface::{
    AllocateCompute, ComputeId, ComputeOperation, OperateCompute, QueryFilter, RunningState, UserData, UserDataMethod,
    VimHandle, VirtualCompute, VirtualInterfaceData,
};
use manifold_vnfm_interface::VnfInstanceId;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::grant::{Granted, machine_id};
use crate::instance::{Machine, Port};
use crate::label;
use crate::neighbours::Links;
use crate::network::all_gone;
use crate::port::{self, Slot, filled};

/// A machine runs some hundred milliseconds after it was asked for, or when its image was copied; its boot is not waited for.
const LIMIT: Duration = Duration::from_secs(120);

/// Machines that are told to stop at a time: enough to be quick, few enough that a VIM's queue is not filled by one VNF.
const STOPS_AT_ONCE: usize = 16;

/// What a graceful stop may take beyond its time, because the engine looks less often the longer it waits.
const STOP_SLACK: Duration = Duration::from_secs(60);

/// Where the boot data of a VDU is sealed to.
pub(crate) fn seal_place(vnf: VnfInstanceId, vdu: &str) -> String {
    format!("vnf/{vnf}/boot-data/{vdu}")
}

/// Makes the machine of one VNFC.
pub(crate) struct MakeMachine {
    pub(crate) links: Links,
    pub(crate) vnf: VnfInstanceId,
    pub(crate) vnfc: String,
    pub(crate) vdu: String,
    pub(crate) host_name: String,
    pub(crate) has_image: bool,
    pub(crate) user_data: Option<Sealed>,
    pub(crate) ports: Plugs,
}

/// The ports to plug in.
pub(crate) enum Plugs {
    /// Those that the operation's own step made.
    Made,
    /// Those that there are.
    There(Vec<Port>),
    /// Both.
    Mixed(Vec<Slot>),
}

impl MakeMachine {
    fn vim(&self, granted: &Granted) -> Result<VimHandle, StepError> {
        Ok(self.links.vim(&granted.vim_of(&machine_id(&self.vnfc))?)?)
    }

    fn user_data(&self) -> Result<Option<UserData>, StepError> {
        let Some(sealed) = &self.user_data else { return Ok(None) };
        let opened = self
            .links
            .store
            .sealer()
            .open_sealed(&seal_place(self.vnf, &self.vdu), sealed);
        let opened = opened.map_err(|error| {
            CallError::internal(format!("the boot data of {} cannot be opened", self.vdu)).caused_by(error)
        })?;
        let content = String::from_utf8(opened)
            .map_err(|_| CallError::internal(format!("the boot data of {} is no text", self.vdu)))?;
        Ok(Some(UserData {
            content,
            method: UserDataMethod::NoCloud,
        }))
    }

    fn ask(&self, cx: &StepCx, granted: &Granted, vim: &str) -> Result<AllocateCompute, StepError> {
        let ports = match &self.ports {
            Plugs::There(ports) => ports.clone(),
            Plugs::Made => cx.output(&port::step_name(&self.vnfc))?,
            Plugs::Mixed(slots) => filled(slots, &cx.output::<Vec<Port>>(&port::step_name(&self.vnfc))?)?,
        };
        let interface = |port: &Port| VirtualInterfaceData {
            network_id: None,
            network_port_id: Some(port.id),
            ip_address: Vec::new(),
            mac_address: None,
        };
        Ok(AllocateCompute {
            compute_name: self.host_name.clone(),
            compute_flavour_id: granted.flavour_of(&self.vdu, vim)?,
            vc_image_id: self.has_image.then(|| granted.image_of(&self.vdu, vim)).transpose()?,
            interface_data: ports.iter().map(interface).collect(),
            // Who granted has placed the machine already, by all rules at once.
            affinity_or_anti_affinity_constraints: Vec::new(),
            location_constraints: granted.location_of(&self.vnfc),
            user_data: self.user_data()?,
            metadata: label::labels(self.vnf, cx.identity(), &self.vnfc),
        })
    }
}

fn made(vim: &VimHandle, compute: VirtualCompute) -> Machine {
    Machine {
        vim: vim.id.clone(),
        id: compute.compute_id,
        zone: compute.zone_id,
        host: compute.host_id,
    }
}

#[async_trait]
impl Step for MakeMachine {
    async fn find(&self, cx: &StepCx) -> Result<Found, StepError> {
        let vim = self.vim(&Granted::of(cx)?)?;
        let found = vim
            .compute
            .query(&cx.context_of("find"), label::made_by(cx.identity()))
            .await?;
        match found.into_iter().next() {
            None => Ok(Found::Absent),
            // It is wished for, and does not run (yet): asking again by the same key waits for that.
            Some(compute) if compute.running_state != RunningState::Running => Ok(Found::Absent),
            Some(compute) => Found::done(&made(&vim, compute)),
        }
    }

    async fn act(&self, cx: &StepCx) -> Result<Progress, StepError> {
        let granted = Granted::of(cx)?;
        let vim = self.vim(&granted)?;
        let ask = self.ask(cx, &granted, &vim.id)?;
        let compute = vim.compute.allocate(&cx.context(), ask).await?;
        Progress::done(&made(&vim, compute))
    }

    async fn undo(&self, cx: &StepCx, made: Option<&Value>) -> Result<UndoProgress, StepError> {
        let vim = self.vim(&Granted::of(cx)?)?;
        let ids = match made.and_then(|made| Machine::deserialize(made).ok()) {
            Some(machine) => vec![machine.id],
            None => {
                let filter = label::made_by(cx.identity());
                let found = vim.compute.query(&cx.context_of("find"), filter).await?;
                found.iter().map(|compute| compute.compute_id).collect()
            }
        };
        end(cx, &vim, ids).await?;
        Ok(UndoProgress::Done)
    }

    fn limit(&self) -> Duration {
        LIMIT
    }
}

/// The machines at one VIM that a step is about, also those that nobody recorded.
pub(crate) struct Machines {
    pub(crate) links: Links,
    pub(crate) vnf: VnfInstanceId,
    pub(crate) vim: String,
    /// `None`: of every VNFC.
    pub(crate) vnfc: Option<String>,
}

impl Machines {
    async fn query(&self, cx: &StepCx, vim: &VimHandle) -> Result<Vec<VirtualCompute>, StepError> {
        let filter: QueryFilter = match &self.vnfc {
            None => label::owned_by(self.vnf),
            Some(vnfc) => label::part_of(self.vnf, vnfc),
        };
        Ok(vim.compute.query(&cx.context_of("find"), filter).await?)
    }
}

/// Ends machines; their ports stay.
pub(crate) struct RemoveMachines(pub(crate) Machines);

#[async_trait]
impl Step for RemoveMachines {
    async fn find(&self, cx: &StepCx) -> Result<Found, StepError> {
        let left = self.0.query(cx, &self.0.links.vim(&self.0.vim)?).await?;
        if left.is_empty() {
            Found::done(&Vec::<ComputeId>::new())
        } else {
            Ok(Found::Absent)
        }
    }

    async fn act(&self, cx: &StepCx) -> Result<Progress, StepError> {
        let vim = self.0.links.vim(&self.0.vim)?;
        let ids: Vec<ComputeId> = self
            .0
            .query(cx, &vim)
            .await?
            .iter()
            .map(|compute| compute.compute_id)
            .collect();
        end(cx, &vim, ids.clone()).await?;
        Progress::done(&ids)
    }

    async fn undo(&self, _cx: &StepCx, _made: Option<&Value>) -> Result<UndoProgress, StepError> {
        Ok(UndoProgress::Done)
    }

    fn limit(&self) -> Duration {
        LIMIT
    }
}

/// Stops machines and waits until they have stopped, or the time for it is over: then they are ended as they are.
pub(crate) struct StopMachines {
    pub(crate) machines: Machines,
    pub(crate) patience: Duration,
}

impl StopMachines {
    async fn running(&self, cx: &StepCx, vim: &VimHandle) -> Result<Vec<ComputeId>, StepError> {
        let found = self.machines.query(cx, vim).await?;
        let running = found
            .iter()
            .filter(|compute| compute.running_state == RunningState::Running);
        Ok(running.map(|compute| compute.compute_id).collect())
    }

    fn wait(&self, until_ms: u64) -> Wait {
        Wait::new(
            format!("vnf-stopped:{}", self.machines.vnf),
            self.patience.saturating_add(STOP_SLACK),
        )
        .note(json!({ "untilMs": until_ms }))
    }
}

#[async_trait]
impl Step for StopMachines {
    async fn find(&self, cx: &StepCx) -> Result<Found, StepError> {
        // Without a note nobody was told to stop, as far as is known: tell them again.
        let Some(until_ms) = cx.note().and_then(|note| note["untilMs"].as_u64()) else {
            return Ok(Found::Absent);
        };
        let left = self.running(cx, &self.machines.links.vim(&self.machines.vim)?).await?;
        if left.is_empty() || now_ms() >= until_ms {
            Found::done(&left)
        } else {
            Ok(Found::Pending(self.wait(until_ms)))
        }
    }

    async fn act(&self, cx: &StepCx) -> Result<Progress, StepError> {
        let vim = self.machines.links.vim(&self.machines.vim)?;
        let until_ms = now_ms().saturating_add(u64::try_from(self.patience.as_millis()).unwrap_or(u64::MAX));
        let running = self.running(cx, &vim).await?;
        let stops = running.into_iter().map(|id| {
            let ask = OperateCompute {
                compute_id: id,
                compute_operation: ComputeOperation::Stop,
            };
            let context = cx.context_of(&format!("stop {id}"));
            let vim = &vim;
            async move { (id, vim.compute.operate(&context, ask).await) }
        });
        let mut stops = futures_util::stream::iter(stops).buffer_unordered(STOPS_AT_ONCE);
        while let Some((id, stopped)) = stops.next().await {
            if let Err(error) = stopped {
                // It is ended next, stopped or not.
                tracing::warn!(vnf = %self.machines.vnf, compute = %id, ?error, "A machine was not stopped gracefully.");
            }
        }
        if self.running(cx, &vim).await?.is_empty() {
            Progress::done(&Vec::<ComputeId>::new())
        } else {
            Ok(Progress::Pending(self.wait(until_ms)))
        }
    }

    async fn undo(&self, _cx: &StepCx, _made: Option<&Value>) -> Result<UndoProgress, StepError> {
        Ok(UndoProgress::Done)
    }

    fn limit(&self) -> Duration {
        LIMIT
    }
}

/// Ends machines. Errors: some are left; names them.
async fn end(cx: &StepCx, vim: &VimHandle, ids: Vec<ComputeId>) -> Result<(), StepError> {
    if ids.is_empty() {
        return Ok(());
    }
    // Another set is another wish: what is left over by one call is asked for again by the next.
    let part = format!(
        "end {}",
        ids.iter().map(ComputeId::to_string).collect::<Vec<_>>().join(" ")
    );
    let gone = vim.compute.terminate(&cx.context_of(&part), ids.clone()).await?;
    all_gone(
        "machines",
        &vim.id,
        ids.iter().filter(|id| !gone.contains(id)).map(ComputeId::to_string),
    )
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use manifold_lcm::OCCURRENCE;
    use manifold_store::Query;

    use crate::INSTANCE;
    use crate::testing::Site;

    #[tokio::test]
    async fn boot_data_reaches_the_machine_and_stands_nowhere_in_clear() {
        let site = Site::new().await;
        let id = site.instantiated().await;
        let info = site.find(id).await.instantiated_vnf_info.unwrap();
        let data = |at: usize| {
            site.world
                .vim
                .user_data(&info.vnfc_resource_info[at].compute_resource.resource_id)
        };
        assert_eq!(data(0).unwrap().content, "#cloud-config top-secret");
        assert!(data(1).is_none());
        for kind in [INSTANCE, OCCURRENCE] {
            for doc in site.world.store.list(kind, Query::all()).await.unwrap().docs {
                assert!(!doc.body.to_string().contains("top-secret"), "{kind} {}", doc.id);
                let entries = site
                    .world
                    .store
                    .journal(&format!("lcm/{}", doc.id), 0, 1_000)
                    .await
                    .unwrap();
                assert!(
                    entries
                        .iter()
                        .all(|entry| !entry.body.to_string().contains("top-secret"))
                );
            }
        }
    }
}
