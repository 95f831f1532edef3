//! The agent: what of the infrastructure is wished for, and where. Its truth is the kernel; at start it adopts what is there.

mod ensure;
mod known;
mod observe;
mod remove;
mod services;

use crate::kinds;
use crate::label::{self, Labels};
use crate::place::{Place, lock};
use crate::seams::{MachineKeeper, ProbeFrom, Prober};
use crate::space::{Space, SpaceError};
use crate::want::World;
use crate::watch::{Ring, Watch};
use async_trait::async_trait;
use manifold_call::{CallError, Context, Outcome};
use manifold_nfvi_interface::{
    Capabilities, Changes, ConsoleAsk, Cursor, Filter, Infrastructure, ObjectId, ProbeAsk, ProbeSeen, Report, Seen,
    Wish, WishKind,
};
use std::collections::{HashMap, HashSet};
use std::io;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio_util::task::TaskTracker;

/// How an agent is set up.
#[derive(Clone)]
pub struct AgentConfig {
    /// Where labels, namespaces' pins and service files stand. On a file system of memory (`/run/manifold/<instance>`).
    pub run_dir: PathBuf,
    /// Names this agent's objects among those of others on the machine: 1 to 20 bytes of `[a-z0-9-]`.
    pub instance: String,
    /// The command that runs [`crate::service::main`] with the arguments that are appended to it.
    pub service_command: Arc<dyn Fn() -> Command + Send + Sync>,
}

/// Why an agent does not start.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The instance's name is none.
    #[error("{0:?} is no instance name (1 to 20 bytes of [a-z0-9-])")]
    Instance(String),
    /// The run directory cannot be used.
    #[error("run directory {path}: {source}")]
    RunDir {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The watch does not start.
    #[error("the watch over the kernel's events could not start: {0}")]
    Watch(#[source] io::Error),
    /// A namespace that is there cannot be taken over.
    #[error("a namespace could not be adopted: {0}")]
    Adopt(#[source] SpaceError),
}

/// The host agent. Produces [`Infrastructure`].
pub struct Agent {
    config: AgentConfig,
    labels: Labels,
    machines: Arc<dyn MachineKeeper>,
    prober: Arc<dyn Prober>,
    ring: Arc<Ring>,
    watch: Arc<Watch>,
    /// One change of links at a time: wishes of several callers meet in the same namespaces.
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
    me: Weak<Agent>,
    /// Work that its caller may have given up: it is done to its end all the same, for half of a namespace helps nobody.
    work: TaskTracker,
}

/// What is wished for, and the places where it stands.
#[derive(Default)]
struct State {
    known: HashMap<ObjectId, Wish>,
    places: HashMap<ObjectId, Arc<Place>>,
}

impl Agent {
    /// Starts, and adopts what an earlier agent of the same instance left.
    pub async fn start(
        config: AgentConfig,
        machines: Arc<dyn MachineKeeper>,
        prober: Arc<dyn Prober>,
    ) -> Result<Arc<Self>, AgentError> {
        let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if !(1..=20).contains(&config.instance.len()) || !config.instance.bytes().all(letters) {
            return Err(AgentError::Instance(config.instance));
        }
        let run_dir = |source| AgentError::RunDir {
            path: config.run_dir.clone(),
            source,
        };
        let labels = Labels::open(&config.run_dir).map_err(run_dir)?;
        let known = labels.read_all().map_err(run_dir)?;
        let started = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::from_nanos(1));
        let ring = Arc::new(Ring::new(u64::try_from(started.as_nanos()).unwrap_or(1)));
        let watch = Watch::start(config.instance.clone(), ring.clone()).map_err(AgentError::Watch)?;
        let agent = Arc::new_cyclic(|me| Self {
            config,
            labels,
            machines,
            prober,
            ring: ring.clone(),
            watch,
            turn: tokio::sync::Mutex::default(),
            state: Mutex::new(State {
                known,
                places: HashMap::new(),
            }),
            me: me.clone(),
            work: TaskTracker::new(),
        });
        agent.machines.tell_changes_to(Arc::new(move |id| ring.push(id)));
        agent.adopt().await.map_err(AgentError::Adopt)?;
        agent.sweep_labels().await;
        agent.adopt_services().map_err(AgentError::Watch)?;
        Ok(agent)
    }

    async fn adopt(&self) -> Result<(), SpaceError> {
        let spaces: Vec<_> = lock(&self.state)
            .known
            .values()
            .filter_map(|wish| match &wish.kind {
                WishKind::Node(node) => Some((wish.id, node.forwarding)),
                WishKind::Router(_) => Some((wish.id, true)),
                _ => None,
            })
            .collect();
        for (id, forwarding) in spaces {
            match Space::enter(&self.config.run_dir, id) {
                Ok(space) => {
                    let place = self.open(space).await?;
                    // Its maker may have died before it was settled.
                    place.settle(forwarding).await?;
                    let indexes = place
                        .links()
                        .await?
                        .links
                        .into_values()
                        .map(|link| (link.name, link.index))
                        .collect();
                    known::set_leases(&lock(&self.state).known, &place, &indexes);
                }
                // Wished for, but gone (a reboot): whoever wishes for it ensures it again.
                Err(SpaceError::Absent { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        self.sweep_pins()
    }

    async fn to_the_end<F>(&self, work: impl FnOnce(Arc<Self>) -> F) -> Outcome<Vec<Report>>
    where
        F: Future<Output = Outcome<Vec<Report>>> + Send + 'static,
    {
        let me = self
            .me
            .upgrade()
            .ok_or_else(|| CallError::unavailable("the agent is ending"))?;
        let done = self.work.spawn(work(me)).await;
        done.unwrap_or_else(|error| Err(CallError::internal("the agent's work has panicked").caused_by(error)))
    }

    /// Opens a space and listens in it.
    async fn open(&self, space: Space) -> Result<Arc<Place>, SpaceError> {
        let (id, path) = (space.id(), space.path().to_owned());
        let place = Place::open(space).await?;
        self.watch
            .add(&place)
            .await
            .map_err(|source| SpaceError::Make { path, source })?;
        lock(&self.state).places.insert(id, place.clone());
        Ok(place)
    }

    /// Takes away pins that no label speaks of: made by an agent that died before it could write or after it had removed one.
    fn sweep_pins(&self) -> Result<(), SpaceError> {
        let folder = self.config.run_dir.join("netns");
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let Some(id) = entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse::<ObjectId>().ok())
            else {
                continue;
            };
            if !lock(&self.state).known.contains_key(&id) {
                Space::unpin(&self.config.run_dir, id)?;
            }
        }
        Ok(())
    }

    /// Takes away labels of which nothing is there: left by an agent that died before its first effect or after its last one. Who
    /// wishes for such an object sees that it is not there and ensures it; nobody else would ever ask for it again.
    async fn sweep_labels(&self) {
        let places: Vec<_> = lock(&self.state).places.values().cloned().collect();
        let mut there: HashSet<ObjectId> = places.iter().map(|place| place.space.id()).collect();
        let mut names: HashSet<String> = HashSet::new();
        for place in &places {
            let Ok(sight) = place.links().await else { return };
            for link in sight.links.into_values() {
                there.extend(label::read(&self.config.instance, &link.alias).map(|label| label.id));
                names.insert(link.name);
            }
        }
        let Ok(machines) = self.machines.observe().await else {
            return;
        };
        there.extend(machines.into_iter().map(|machine| machine.id));
        let known: Vec<ObjectId> = {
            let state = lock(&self.state);
            let world = World::new(&state.known, &[]);
            // Where the node itself is gone (a reboot), its objects wait for it.
            let waits = |wish: &Wish| match &wish.kind {
                WishKind::Node(_) | WishKind::Router(_) => true,
                _ => kinds::check(wish, &world)
                    .is_ok_and(|wants| wants.iter().any(|want| !state.places.contains_key(&want.space))),
            };
            state
                .known
                .values()
                .filter(|wish| !waits(wish))
                .map(|wish| wish.id)
                .collect()
        };
        for id in known {
            // A tap whose maker died before it could label it has its name.
            if there.contains(&id) || names.contains(&label::name::of(label::name::PORT, id)) {
                continue;
            }
            match self.labels.remove(id) {
                Ok(()) => drop(lock(&self.state).known.remove(&id)),
                Err(error) => tracing::warn!(object = %id, %error, "A label of nothing could not be removed."),
            }
        }
    }

    fn place(&self, id: ObjectId) -> Option<Arc<Place>> {
        lock(&self.state).places.get(&id).cloned()
    }

    /// Removes everything of this instance, and its run directory as far as it is the agent's own.
    pub async fn destroy(&self) -> Outcome<Vec<Report>> {
        let all = lock(&self.state).known.keys().copied().collect();
        let reports = self.remove_all(all).await?;
        for folder in ["objects", "netns", "services"] {
            // Not empty: something could not be removed and was reported.
            let _ = std::fs::remove_dir(self.config.run_dir.join(folder));
        }
        Ok(reports)
    }

    /// Stops watching; everything that was made stays as it is.
    pub fn stop(&self) {
        self.watch.end();
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.watch.end();
    }
}

#[async_trait]
impl Infrastructure for Agent {
    async fn ensure(&self, _cx: &Context, wishes: Vec<Wish>) -> Outcome<Vec<Report>> {
        self.to_the_end(|agent| async move { agent.ensure_all(wishes).await })
            .await
    }

    async fn remove(&self, _cx: &Context, ids: Vec<ObjectId>) -> Outcome<Vec<Report>> {
        self.to_the_end(|agent| async move { agent.remove_all(ids).await })
            .await
    }

    async fn observe(&self, _cx: &Context, filter: Filter) -> Outcome<Vec<Seen>> {
        self.observe_all(&filter).await
    }

    async fn changes(&self, cx: &Context, since: Cursor) -> Outcome<Changes> {
        // A little before the deadline, so that the answer still arrives.
        let limit = cx.deadline.remaining().saturating_sub(Duration::from_millis(200));
        Ok(self.ring.after(since, limit).await)
    }

    async fn console(&self, _cx: &Context, ask: ConsoleAsk) -> Outcome<String> {
        self.machines.console(ask.machine, ask.last_bytes).await
    }

    async fn probe(&self, _cx: &Context, ask: ProbeAsk) -> Outcome<ProbeSeen> {
        let kind = lock(&self.state).known.get(&ask.from).map(|wish| wish.kind.name());
        let from = match kind {
            Some(manifold_nfvi_interface::KindName::Machine) => ProbeFrom::Machine(ask.from),
            Some(manifold_nfvi_interface::KindName::Node) => {
                let place = self.place(ask.from);
                ProbeFrom::Node(
                    place
                        .ok_or_else(|| CallError::not_found(format!("node {} is not there", ask.from)))?
                        .space
                        .clone(),
                )
            }
            _ => return Err(CallError::not_found(format!("{} is no node and no machine", ask.from))),
        };
        self.prober.probe(&ask, from).await
    }

    async fn capabilities(&self, _cx: &Context, (): ()) -> Outcome<Capabilities> {
        let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let kibibytes: u64 = memory
            .lines()
            .find_map(|line| line.strip_prefix("MemTotal:"))
            .and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok())
            .unwrap_or(0);
        Ok(Capabilities {
            cpus: std::thread::available_parallelism()
                .map_or(1, |count| u32::try_from(count.get()).unwrap_or(u32::MAX)),
            memory_mib: kibibytes / 1_024,
            accelerator: self.machines.accelerator().await,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        })
    }
}
