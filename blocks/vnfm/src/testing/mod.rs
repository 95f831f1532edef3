//! Neighbours for tests: a VIM and an NFVO in memory that tell what they were asked, and descriptors to use with them.

mod descriptor;
mod faults;
mod lives;
mod moves;
mod nfvo;
mod vim;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use manifold_call::{Context, OccurrenceId, Outcome, TenantId};
use manifold_lcm::{Engine, Occurrence, Registry, State};
use manifold_sol::{
    CancelModeType, ChangeExtVnfConnectivityRequest, CreateVnfRequest, ExtVirtualLinkData, InstantiateVnfRequest,
    ScaleType, ScaleVnfRequest, TerminateVnfRequest, VnfExtCpConfig, VnfExtCpData, VnfInstance,
};
use manifold_store::{SqliteStore, Store};
use manifold_vim_interface::{NetworkId, VimDirectory, VimHandle};
use manifold_vnfm_interface::{Ask, NewVnf, VnfInstanceId, VnfLifecycleManagement};
use serde_json::{Value, json};

pub(crate) use descriptor::{gateway, link, vdu, vdu_cp};
pub(crate) use nfvo::Nfvo;
pub(crate) use vim::Vim;

use crate::{Neighbours, Vnfm, VnfmConfig};

/// Only a hang gets there.
const LIMIT: Duration = Duration::from_secs(60);

/// What the neighbours were asked, in order.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn tell(&self, what: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    /// What was told since the last time.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Everything around the VNFM. It outlives the VNFM, as the world does.
pub(crate) struct World {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) vim: Arc<Vim>,
    pub(crate) nfvo: Arc<Nfvo>,
    pub(crate) log: Log,
    /// A network outside of every VNF.
    pub(crate) outside: NetworkId,
    _dir: tempfile::TempDir,
}

/// A VNFM at work in a world.
pub(crate) struct Site {
    pub(crate) world: World,
    pub(crate) vnfm: Arc<Vnfm>,
    pub(crate) engine: Engine,
}

struct Vims(Arc<Vim>);

impl VimDirectory for Vims {
    fn find(&self, id: &str) -> Option<VimHandle> {
        (id == vim::ID).then(|| self.0.handle())
    }

    fn all(&self) -> Vec<VimHandle> {
        vec![self.0.handle()]
    }
}

pub(crate) fn registry(vnfm: &Vnfm) -> Registry {
    let mut registry = Registry::new();
    for operation in vnfm.operations() {
        registry.register_arc(operation).unwrap();
    }
    registry
}

impl World {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let log = Log::default();
        let vim = Arc::new(Vim::new(log.clone()));
        Self {
            store: Arc::new(SqliteStore::open(dir.path()).unwrap()),
            outside: vim.provide("outside"),
            nfvo: Arc::new(Nfvo::new(log.clone())),
            vim,
            log,
            _dir: dir,
        }
    }

    pub(crate) fn neighbours(&self, engine: &Engine) -> Neighbours {
        Neighbours {
            engine: engine.clone(),
            granting: self.nfvo.clone(),
            packages: self.nfvo.clone(),
            vims: Arc::new(Vims(Arc::clone(&self.vim))),
        }
    }

    /// All that is outside of the VNFM, and its instances as consumers see them.
    pub(crate) async fn snapshot(&self, vnfm: &Vnfm) -> Value {
        json!({ "vim": self.vim.census(), "vnfs": vnfm.query(&cx(), ()).await.unwrap() })
    }
}

/// A call on behalf of the tenant that the tests use.
pub(crate) fn cx() -> Context {
    Context::root(TenantId::from("a"))
}

impl Site {
    pub(crate) async fn new() -> Self {
        let world = World::new();
        world.nfvo.onboard(gateway());
        let vnfm = Vnfm::new(VnfmConfig::default(), Arc::clone(&world.store));
        let engine = Engine::new(Arc::clone(&world.store), registry(&vnfm));
        vnfm.connect(world.neighbours(&engine));
        engine.recover().await.unwrap();
        Self { world, vnfm, engine }
    }

    pub(crate) async fn created(&self) -> VnfInstanceId {
        created(&self.vnfm, "gateway").await
    }

    /// An instance with two workers.
    pub(crate) async fn instantiated(&self) -> VnfInstanceId {
        let id = self.created().await;
        let ask = Ask {
            vnf_instance_id: id,
            request: instantiate_request(self.world.outside),
        };
        let occurrence = self.vnfm.instantiate(&cx(), ask).await.unwrap();
        self.ended(occurrence, State::Completed).await;
        self.world.log.take();
        id
    }

    pub(crate) async fn settled(&self, id: OccurrenceId) -> Occurrence {
        self.engine.settled(id, LIMIT).await.unwrap()
    }

    /// Waits until the occurrence rests, and checks in which state.
    #[track_caller]
    pub(crate) fn ended(&self, id: OccurrenceId, state: State) -> impl Future<Output = Occurrence> + '_ {
        let caller = std::panic::Location::caller();
        async move {
            let occurrence = self.settled(id).await;
            assert_eq!(occurrence.state, state, "{:?}, asked at {caller}", occurrence.error);
            occurrence
        }
    }

    pub(crate) async fn find(&self, id: VnfInstanceId) -> VnfInstance {
        self.vnfm.find(&cx(), id).await.unwrap()
    }

    pub(crate) async fn scale(&self, id: VnfInstanceId, kind: ScaleType, steps: u32) -> Outcome<OccurrenceId> {
        self.vnfm
            .scale(
                &cx(),
                Ask {
                    vnf_instance_id: id,
                    request: scale_request(kind, steps),
                },
            )
            .await
    }

    pub(crate) async fn terminate(&self, id: VnfInstanceId) -> Outcome<OccurrenceId> {
        self.vnfm
            .terminate(
                &cx(),
                Ask {
                    vnf_instance_id: id,
                    request: terminate_request(),
                },
            )
            .await
    }
}

pub(crate) async fn created(vnfm: &Vnfm, vnfd: &str) -> VnfInstanceId {
    let request = CreateVnfRequest {
        vnfd_id: vnfd.to_owned(),
        vnf_instance_name: Some("My Gateway".to_owned()),
        ..CreateVnfRequest::default()
    };
    vnfm.create(&cx(), NewVnf(request)).await.unwrap().id.parse().unwrap()
}

/// An external link for connection points, without wishes for addresses.
pub(crate) fn ext_link(network: NetworkId, cpds: &[&str]) -> ExtVirtualLinkData {
    let ext_cps = cpds.iter().map(|cpd| VnfExtCpData {
        cpd_id: (*cpd).to_owned(),
        cp_config: [(format!("{cpd}-config"), VnfExtCpConfig::default())].into(),
    });
    ExtVirtualLinkData {
        id: "ext".to_owned(),
        vim_connection_id: Some(vim::ID.to_owned()),
        resource_id: network.to_string(),
        ext_cps: ext_cps.collect(),
    }
}

pub(crate) fn instantiate_request(outside: NetworkId) -> InstantiateVnfRequest {
    InstantiateVnfRequest {
        flavour_id: "default".to_owned(),
        ext_virtual_links: vec![ext_link(outside, &["access"])],
        ..InstantiateVnfRequest::default()
    }
}

/// The front end's leg outside moves to another network.
pub(crate) fn change_request(vnf: VnfInstanceId, to: NetworkId) -> Ask<ChangeExtVnfConnectivityRequest> {
    let link = ExtVirtualLinkData {
        id: format!("ext-{to}"),
        ..ext_link(to, &["access"])
    };
    Ask {
        vnf_instance_id: vnf,
        request: ChangeExtVnfConnectivityRequest {
            ext_virtual_links: vec![link],
            ..ChangeExtVnfConnectivityRequest::default()
        },
    }
}

pub(crate) fn scale_request(kind: ScaleType, steps: u32) -> ScaleVnfRequest {
    ScaleVnfRequest {
        kind,
        aspect_id: "workers".to_owned(),
        number_of_steps: Some(steps),
        ..ScaleVnfRequest::default()
    }
}

pub(crate) fn terminate_request() -> TerminateVnfRequest {
    TerminateVnfRequest {
        termination_type: CancelModeType::Forceful,
        graceful_termination_timeout: None,
    }
}
