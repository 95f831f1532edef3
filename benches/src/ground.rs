//! What stages on the kernel stand on: an agent in this process, and a lab of four hosts.

use crate::stage::Outcome;
use async_trait::async_trait;
use manifold_call::{CallError, Context, Outcome as Answer};
use manifold_host::machine::{Accelerator, MachineConfig, Machines};
use manifold_host::probe::Probes;
use manifold_host::seams::{MachineKeeper, SeenMachine, TapPlug, Tell};
use manifold_host::{Agent, AgentConfig, Space};
use manifold_lab::Lab;
use manifold_nfvi_interface::{Infrastructure, MachineState, MachineWish, ObjectId, Owner, Power, Report};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

/// Where the agent's pins and labels are: in the stage's own file system of memory.
pub(crate) const RUN: &str = "/run/manifold-bench";

const LAB: &str = "
name = \"bench\"
[[pop]]
name = \"pop\"
location = \"here\"
";

/// Four hosts in one PoP.
pub(crate) fn lab() -> Outcome<Lab> {
    let host =
        |name: &str| format!("[[pop.host]]\nname = \"{name}\"\nzone = \"zone\"\nvcpus = 64\nmemory_mib = 65536\n");
    let hosts: String = ["host-a", "host-b", "host-c", "host-d"].map(host).concat();
    Ok(Lab::read(&format!("{LAB}{hosts}"))?)
}

/// An agent that makes real links and, by this keeper, machines.
pub(crate) async fn agent(machines: Arc<dyn MachineKeeper>, probes: Arc<Machines>) -> Outcome<Arc<Agent>> {
    let config = AgentConfig {
        run_dir: PathBuf::from(RUN),
        instance: "bench".to_owned(),
        service_command: Arc::new(|| {
            let mut command = Command::new("/proc/self/exe");
            command.arg("agent-service");
            command
        }),
    };
    Ok(Agent::start(config, machines, Arc::new(Probes::new(probes))).await?)
}

/// QEMU's keeper, emulating.
pub(crate) async fn machines(folder: &Path) -> Outcome<Arc<Machines>> {
    let mut config = MachineConfig::new(Path::new(RUN).join("machines"), folder.join("disks"));
    config.accelerator = Accelerator::Tcg;
    Ok(Arc::new(Machines::open(config).await?))
}

pub(crate) fn context() -> Context {
    Context::root("bench".into())
}

/// Removes everything that the agent made.
pub(crate) async fn clear(agent: &Agent) -> Outcome<()> {
    judge(&agent.destroy().await?)?;
    agent.stop();
    Ok(())
}

pub(crate) fn as_infrastructure(agent: &Arc<Agent>) -> Arc<dyn Infrastructure> {
    agent.clone()
}

pub(crate) fn judge(reports: &[Report]) -> Outcome<()> {
    match reports
        .iter()
        .find_map(|report| Some((report.id, report.failure.as_ref()?)))
    {
        None => Ok(()),
        Some((id, failure)) => Err(format!("{id}: {failure}").into()),
    }
}

/// Machines that run as soon as they are wished for, and do nothing: what is measured is everything around them.
#[derive(Default)]
pub(crate) struct Puppets {
    all: Mutex<BTreeMap<ObjectId, (Owner, MachineWish)>>,
}

#[async_trait]
impl MachineKeeper for Puppets {
    fn tell_changes_to(&self, _: Tell) {}

    async fn ensure(
        &self,
        id: ObjectId,
        owner: &Owner,
        wish: &MachineWish,
        _: Vec<TapPlug>,
        _: &Space,
    ) -> Answer<bool> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let next = (owner.clone(), wish.clone());
        Ok(all.insert(id, next.clone()) != Some(next))
    }

    async fn remove(&self, id: ObjectId) -> Answer<bool> {
        Ok(self
            .all
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&id)
            .is_some())
    }

    async fn observe(&self) -> Answer<Vec<SeenMachine>> {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = all.iter().map(|(id, (owner, wish))| SeenMachine {
            id: *id,
            owner: owner.clone(),
            place: "puppet".to_owned(),
            state: match wish.power {
                Power::On => MachineState::Running {
                    accelerator: "none".to_owned(),
                    generation: wish.generation,
                },
                Power::Off => MachineState::Stopped,
            },
        });
        Ok(seen.collect())
    }

    async fn console(&self, _: ObjectId, _: u32) -> Answer<String> {
        Err(CallError::not_found("a puppet says nothing"))
    }

    async fn accelerator(&self) -> String {
        "none".to_owned()
    }
}
