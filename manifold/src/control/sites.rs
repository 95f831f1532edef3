//! Which VIMs and which WIM there are. They come with a lab and go with it.

use manifold_call::{Gate, Outcome, Policy, Role, Tracer};
use manifold_nfvi_interface::{BoundInfrastructure, Infrastructure, PopInventory, WanInventory};
use manifold_store::Store;
use manifold_vim::{Vim, VimConfig};
use manifold_vim_interface::{
    BoundComputeFlavours, BoundNetworkForwardingPaths, BoundSoftwareImages, BoundTopology, BoundTrafficRules,
    BoundVirtualisedCompute, BoundVirtualisedNetworks, VimDirectory, VimHandle,
};
use manifold_wim::{Wim, WimConfig};
use manifold_wim_interface::{BoundMscsManagement, MscsManagement, WimDirectory};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What a producer's handles are bound with.
#[derive(Clone)]
pub struct Binding {
    /// Who may call what.
    pub policy: Arc<Policy>,
    /// Where calls are recorded.
    pub tracer: Tracer,
}

impl Binding {
    /// A gate from one role to another.
    pub fn gate(&self, consumer: Role, producer: Role, name: &str) -> Gate {
        Gate::new(consumer, producer, name, self.policy.clone(), self.tracer.clone())
    }
}

#[derive(Default)]
struct Known {
    vims: BTreeMap<String, Arc<Vim>>,
    wim: Option<Arc<Wim>>,
}

/// All sites.
#[derive(Clone)]
pub struct Sites {
    known: Arc<RwLock<Known>>,
    binding: Binding,
    store: Arc<dyn Store>,
    infrastructure: Arc<dyn Infrastructure>,
    image_dir: PathBuf,
    external_wim: bool,
}

/// The reconcile loops of the present sites; dropped, they end.
#[derive(Default)]
pub struct Loops {
    stop: Option<watch::Sender<bool>>,
    tasks: JoinSet<()>,
}

impl Loops {
    /// Ends them and waits.
    pub async fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            stop.send_replace(true);
        }
        while self.tasks.join_next().await.is_some() {}
    }
}

impl Sites {
    /// None yet. `infrastructure` is the agent, unbound.
    pub fn new(
        binding: Binding,
        store: Arc<dyn Store>,
        infrastructure: Arc<dyn Infrastructure>,
        image_dir: PathBuf,
        external_wim: bool,
    ) -> Self {
        Self {
            known: Arc::default(),
            binding,
            store,
            infrastructure,
            image_dir,
            external_wim,
        }
    }

    /// Makes the managers of these PoPs and this WAN, and starts their loops; the ones before are gone.
    /// Errors: documents that cannot be read.
    pub async fn open(&self, pops: &[PopInventory], wan: Option<&WanInventory>) -> Outcome<Loops> {
        let mut known = Known::default();
        let mut loops = Loops::default();
        let (stop, stopped) = watch::channel(false);
        for pop in pops {
            let gate = self.binding.gate(Role::Vim, Role::Nfvi, &pop.pop);
            let config = VimConfig {
                vim_id: pop.pop.clone(),
                inventory: pop.clone(),
                image_dir: self.image_dir.join(&pop.pop),
            };
            let bound = BoundInfrastructure::bind(self.infrastructure.clone(), gate);
            let vim = Vim::open(config, self.store.clone(), bound).await?;
            let (running, stopped) = (vim.clone(), stopped.clone());
            loops.tasks.spawn(async move { running.run(stopped).await });
            known.vims.insert(pop.pop.clone(), vim);
        }
        if let Some(wan) = wan.filter(|_| !self.external_wim) {
            let gate = self.binding.gate(Role::Wim, Role::Nfvi, &wan.wan);
            let config = WimConfig {
                wim_id: wan.wan.clone(),
                inventory: wan.clone(),
            };
            let bound = BoundInfrastructure::bind(self.infrastructure.clone(), gate);
            let wim = Wim::open(config, self.store.clone(), bound).await?;
            let running = wim.clone();
            loops.tasks.spawn(async move { running.run(stopped).await });
            known.wim = Some(wim);
        }
        loops.stop = Some(stop);
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(loops)
    }

    /// Forgets all of them.
    pub fn close(&self) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Known::default();
    }

    /// As one consumer sees them.
    pub fn seen_by(&self, role: Role) -> Arc<SeenBy> {
        Arc::new(SeenBy {
            sites: self.clone(),
            role,
        })
    }
}

/// The sites, bound to a role.
pub struct SeenBy {
    sites: Sites,
    role: Role,
}

impl SeenBy {
    fn handle(&self, id: &str, vim: &Arc<Vim>) -> VimHandle {
        let gate = || self.sites.binding.gate(self.role, Role::Vim, id);
        VimHandle {
            id: id.to_owned(),
            compute: BoundVirtualisedCompute::bind(vim.clone(), gate()),
            networks: BoundVirtualisedNetworks::bind(vim.clone(), gate()),
            paths: BoundNetworkForwardingPaths::bind(vim.clone(), gate()),
            traffic: BoundTrafficRules::bind(vim.clone(), gate()),
            flavours: BoundComputeFlavours::bind(vim.clone(), gate()),
            images: BoundSoftwareImages::bind(vim.clone(), gate()),
            topology: BoundTopology::bind(vim.clone(), gate()),
        }
    }
}

impl VimDirectory for SeenBy {
    fn find(&self, id: &str) -> Option<VimHandle> {
        let known = self.sites.known.read().unwrap_or_else(PoisonError::into_inner);
        known.vims.get(id).map(|vim| self.handle(id, vim))
    }

    fn all(&self) -> Vec<VimHandle> {
        let known = self.sites.known.read().unwrap_or_else(PoisonError::into_inner);
        known.vims.iter().map(|(id, vim)| self.handle(id, vim)).collect()
    }
}

impl WimDirectory for SeenBy {
    fn find(&self) -> Option<Arc<dyn MscsManagement>> {
        let known = self.sites.known.read().unwrap_or_else(PoisonError::into_inner);
        let wim = known.wim.clone()?;
        Some(BoundMscsManagement::bind(
            wim,
            self.sites.binding.gate(self.role, Role::Wim, "wan"),
        ))
    }
}
