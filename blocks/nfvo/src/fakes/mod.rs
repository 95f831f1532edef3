//! Neighbours for tests: VIMs, a WIM and a VNFM in memory that tell what they were asked, and the examples' descriptors.

mod links;
mod paths;
mod vim;
mod vnfm;
mod wim;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use manifold_call::{CallError, Context, OccurrenceId, Outcome, TenantId};
use manifold_descriptors::csar::{BuildOptions, MemoryFiles, build};
use manifold_descriptors::{Descriptor, csar::Limits, csar::read_package};
use manifold_lcm::{Engine, Occurrence, Registry};
use manifold_nfvo_interface::{NewNs, NsInstanceId, NsLifecycleManagement, OnNs};
use manifold_sol::{
    AddPnfData, CreateNsRequest, InstantiateNsRequest, NsInstance, NsdInfo, PackageOnboardingState,
    PackageOperationalState, PnfdInfo, TerminateNsRequest, VnfPkgInfo,
};
use manifold_store::{Batch, Expect, Put, SqliteStore, Store};
use manifold_vim_interface::{ImageContent, VimDirectory, VimHandle};
use manifold_wim_interface::{MscsManagement, WimDirectory};
use serde_json::{Value, json};

pub(crate) use vim::Vim;
pub(crate) use vnfm::Vnfm;
pub(crate) use wim::Wim;

use crate::catalogue::{Entry, Model};
use crate::record::{DESCRIPTOR, NS, NsRecord, VNF, VnfRecord};
use crate::{BuiltinImages, Neighbours, Nfvo, NfvoConfig, record};

/// Only a hang gets there.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// What the neighbours were asked, in order.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub(crate) fn tell(&self, what: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    /// What was told since the last time.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A lock of a fake; a test that panicked elsewhere has failed already.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Everything around the NFVO. It outlives the NFVO, as the world does.
pub(crate) struct World {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) vims: Vec<Arc<Vim>>,
    pub(crate) wim: Option<Arc<Wim>>,
    pub(crate) vnfm: Arc<Vnfm>,
    pub(crate) log: Log,
    pub(crate) dir: tempfile::TempDir,
}

/// An NFVO at work in a world.
pub(crate) struct Site {
    pub(crate) world: World,
    pub(crate) nfvo: Arc<Nfvo>,
    pub(crate) engine: Engine,
}

struct Vims(Vec<Arc<Vim>>);

impl VimDirectory for Vims {
    fn find(&self, id: &str) -> Option<VimHandle> {
        self.0.iter().find(|vim| vim.id == id).map(Vim::handle)
    }
    fn all(&self) -> Vec<VimHandle> {
        self.0.iter().map(Vim::handle).collect()
    }
}

struct Wims(Option<Arc<Wim>>);

impl WimDirectory for Wims {
    fn find(&self) -> Option<Arc<dyn MscsManagement>> {
        self.0.clone().map(|wim| wim as Arc<dyn MscsManagement>)
    }
}

struct Images;

#[async_trait]
impl BuiltinImages for Images {
    async fn content(&self, name: &str) -> Outcome<ImageContent> {
        match name {
            "guest" => Ok(ImageContent::Kernel {
                kernel: "/guest/kernel".into(),
                initramfs: "/guest/initramfs".into(),
                command_line: String::new(),
            }),
            _ => Err(CallError::not_found(format!(
                "there is no built image {name}; there is: guest"
            ))),
        }
    }
}

pub(crate) fn cx(tenant: &str) -> Context {
    Context::root(TenantId::from(tenant)).within(LIMIT)
}

impl World {
    /// Two sites as the demo has them, the first with the meter and the access point.
    pub(crate) fn new(with_wim: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&dir.path().join("store")).unwrap());
        let log = Log::default();
        let vims = vec![
            Vim::new("vim-1", log.clone(), true),
            Vim::new("vim-2", log.clone(), false),
        ];
        let wim = with_wim.then(|| Arc::new(Wim::new(log.clone())));
        let vnfm = Vnfm::new(vims.clone(), log.clone());
        Self {
            store,
            vims,
            wim,
            vnfm,
            log,
            dir,
        }
    }

    /// A new life of the NFVO.
    pub(crate) fn nfvo(&self) -> Arc<Nfvo> {
        Nfvo::new(
            NfvoConfig {
                catalogue_dir: self.dir.path().join("catalogue"),
            },
            Arc::clone(&self.store),
        )
    }

    pub(crate) fn registry(nfvo: &Nfvo) -> Registry {
        let mut registry = Registry::new();
        for operation in nfvo.operations() {
            registry.register_arc(operation).unwrap();
        }
        registry
    }

    pub(crate) fn connect(&self, nfvo: &Arc<Nfvo>, engine: &Engine) {
        self.vnfm.ask_for_grants_at(Arc::clone(nfvo) as _);
        self.vnfm.signal(engine.clone());
        nfvo.connect(Neighbours {
            engine: engine.clone(),
            vnfm: Arc::clone(&self.vnfm) as _,
            vims: Arc::new(Vims(self.vims.clone())),
            wim: Arc::new(Wims(self.wim.clone())),
            images: Arc::new(Images),
        });
    }

    pub(crate) fn site(self) -> Site {
        let nfvo = self.nfvo();
        let engine = Engine::new(Arc::clone(&self.store), Self::registry(&nfvo));
        self.connect(&nfvo, &engine);
        Site {
            world: self,
            nfvo,
            engine,
        }
    }

    /// Descriptors into the catalogue, without archives.
    pub(crate) async fn onboard(&self, tenant: &str, descriptors: &[Descriptor]) {
        for descriptor in descriptors {
            let id = manifold_call::Uuid::now_v7().to_string();
            let name = Some(descriptor.descriptor_id().to_owned());
            let (ready, enabled) = (PackageOnboardingState::Onboarded, PackageOperationalState::Enabled);
            let entry = match descriptor {
                Descriptor::Vnfd(_) => put(VnfPkgInfo {
                    id: id.clone(),
                    vnfd_id: name,
                    onboarding_state: ready,
                    operational_state: enabled,
                    ..Default::default()
                }),
                Descriptor::Nsd(_) => put(NsdInfo {
                    id: id.clone(),
                    nsd_id: name,
                    nsd_onboarding_state: ready,
                    nsd_operational_state: enabled,
                    ..Default::default()
                }),
                Descriptor::Pnfd(_) => put(PnfdInfo {
                    id: id.clone(),
                    pnfd_id: name,
                    pnfd_onboarding_state: ready,
                    ..Default::default()
                }),
            };
            let model = Model {
                descriptor: descriptor.clone(),
                files: BTreeMap::new(),
            };
            let model = Put::new(DESCRIPTOR, &id, Expect::Absent, record::json(&model).unwrap());
            let batch = Batch::new()
                .write(entry.tenant(Some(tenant)))
                .write(model.tenant(Some(tenant)));
            self.store.commit(batch).await.unwrap();
        }
        self.vnfm.learn(descriptors);
    }

    /// What is outside, and the NFVO's own records, without what differs by nature.
    pub(crate) async fn snapshot(&self) -> Value {
        let query = manifold_store::Query::all;
        let ns = record::list::<NsRecord>(&*self.store, NS, query()).await.unwrap();
        let vnfs = record::list::<VnfRecord>(&*self.store, VNF, query()).await.unwrap();
        json!({
            "vims": self.vims.iter().map(|vim| vim.snapshot()).collect::<Vec<_>>(),
            "wim": self.wim.as_ref().map(|wim| wim.snapshot()),
            "vnfm": self.vnfm.snapshot(),
            "ns": ns.into_iter().map(|(_, ns)| NsRecord { operation: None, ..ns }).collect::<Vec<_>>(),
            "vnfs": vnfs.into_iter().map(|(_, vnf)| vnf).collect::<Vec<_>>(),
        })
    }

    /// Whether no manager has anything.
    pub(crate) fn is_empty(&self) -> bool {
        self.vims.iter().all(|vim| vim.is_empty())
            && self.wim.as_ref().is_none_or(|wim| wim.is_empty())
            && self.vnfm.is_empty()
    }
}

fn put<E: Entry>(entry: E) -> Put {
    Put::new(E::KIND, entry.id(), Expect::Absent, record::json(&entry).unwrap())
        .index("descriptor", entry.descriptor_id().unwrap())
}

impl Site {
    pub(crate) async fn new_ns(&self, tenant: &str, nsd: &str, name: &str) -> NsInstanceId {
        let request = CreateNsRequest {
            nsd_id: nsd.to_owned(),
            ns_name: name.to_owned(),
            ns_description: String::new(),
        };
        self.nfvo.create_ns(tenant, request).await.unwrap().id.parse().unwrap()
    }

    pub(crate) async fn instantiate(
        &self,
        tenant: &str,
        id: NsInstanceId,
        request: InstantiateNsRequest,
    ) -> Outcome<OccurrenceId> {
        NsLifecycleManagement::instantiate(
            &*self.nfvo,
            &cx(tenant),
            OnNs {
                ns_instance_id: id,
                request,
            },
        )
        .await
    }

    pub(crate) async fn terminate(&self, tenant: &str, id: NsInstanceId) -> Outcome<OccurrenceId> {
        let ask = OnNs {
            ns_instance_id: id,
            request: TerminateNsRequest::default(),
        };
        NsLifecycleManagement::terminate(&*self.nfvo, &cx(tenant), ask).await
    }

    pub(crate) async fn show(&self, tenant: &str, id: NsInstanceId) -> NsInstance {
        NsLifecycleManagement::find(&*self.nfvo, &cx(tenant), id).await.unwrap()
    }

    pub(crate) async fn settled(&self, id: OccurrenceId) -> Occurrence {
        self.engine.settled(id, LIMIT).await.unwrap()
    }
}

impl Nfvo {
    pub(crate) async fn create_ns(&self, tenant: &str, request: CreateNsRequest) -> Outcome<NsInstance> {
        NsLifecycleManagement::create(self, &cx(tenant), NewNs(request)).await
    }
}

/// The examples of the repository: what users begin with is what is tested.
pub(crate) fn example(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(path)
}

/// An example as an archive.
pub(crate) fn archive_of(path: &str) -> Vec<u8> {
    let root = example(path);
    let mut files = BTreeMap::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                files.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    packed(files)
}

/// One file of definitions as an archive.
pub(crate) fn archive_with(name: &str, text: &str) -> Vec<u8> {
    packed([(name.to_owned(), text.as_bytes().to_vec())].into())
}

fn packed(files: BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    build(&mut MemoryFiles::new(files), &BuildOptions::default(), &mut bytes).unwrap();
    bytes.into_inner()
}

/// The demo's descriptors.
pub(crate) static DEMO: LazyLock<Vec<Descriptor>> = LazyLock::new(|| {
    let read = |path| {
        let package = read_package(std::io::Cursor::new(archive_of(path)), &Limits::default());
        package.into_result().unwrap().0
    };
    ["demo/gateway", "demo/service", "demo/pnf", "demo/ns"]
        .map(read)
        .to_vec()
});

/// Of the demo's NSD.
pub(crate) const TWO_SITE: &str = "6d1b0c52-8f4e-4a2b-9a61-3c1f6f2a0010";

/// An instantiation of the demo's NS.
pub(crate) fn two_site() -> InstantiateNsRequest {
    InstantiateNsRequest {
        ns_flavour_id: "default".to_owned(),
        add_pnf_data: vec![AddPnfData {
            pnf_id: "meter-1".to_owned(),
            pnf_name: "meter".to_owned(),
            pnfd_id: "6d1b0c52-8f4e-4a2b-9a61-3c1f6f2a0003".to_owned(),
            pnf_profile_id: "meter".to_owned(),
            cp_data: vec![],
        }],
        ..InstantiateNsRequest::default()
    }
}
