//! A network service's life without an infrastructure: instantiate, terminate, with NFVO, VNFM, engine and store as `manifold up`
//! composes them, every state durable on a disk, and a VIM that answers at once.

use crate::bare::Bare;
use crate::figure::{Figure, Goal, Spread, Unit, milliseconds};
use crate::idle_vim::{self, IdleVim};
use crate::stage::{self, Outcome};
use async_trait::async_trait;
use manifold_call::{Context, Gate, OccurrenceId, Outcome as Answer, Policy, Role, TraceSource, Tracer};
use manifold_descriptors::csar::{BuildOptions, Limits, build};
use manifold_descriptors::folder::Folder;
use manifold_lcm::{Engine, LcmNotification, Machine, OUTBOX_TOPIC, Registry, State};
use manifold_nfvo::{BuiltinImages, Nfvo, NfvoConfig};
use manifold_nfvo_interface::{
    BoundNsLifecycleManagement, BoundVnfLifecycleOperationGranting, BoundVnfPackageManagement, New, NewNs,
    NsInstanceId, NsLifecycleManagement, NsdManagement, OnNs, Upload, VnfPackageManagement,
};
use manifold_sol::{
    CreateNsRequest, CreateNsdInfoRequest, CreateVnfPkgInfoRequest, InstantiateNsRequest, TerminateNsRequest,
};
use manifold_store::{SqliteStore, Store};
use manifold_vim_interface::{
    BoundComputeFlavours, BoundNetworkForwardingPaths, BoundSoftwareImages, BoundTopology, BoundTrafficRules,
    BoundVirtualisedCompute, BoundVirtualisedNetworks, ImageContent, VimDirectory, VimHandle,
};
use manifold_vnfm::{Vnfm, VnfmConfig};
use manifold_vnfm_interface::{BoundVnfLifecycleManagement, operation_event};
use manifold_wim_interface::{MscsManagement, WimDirectory};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const ROUNDS: usize = 40;
const WARM_UP: usize = 10;
const LIMIT: Duration = Duration::from_secs(30);
/// What `examples/minimal` calls itself.
const NSD: &str = "0d3f5c1e-6a0b-4a53-8f0e-5d5f1a0c2001";

pub(crate) fn run() {
    stage::report(measure);
}

/// The blocks, composed.
struct House {
    store: Arc<SqliteStore>,
    engine: Engine,
    vim: Arc<IdleVim>,
    nfvo: Arc<Nfvo>,
    oss: Arc<dyn NsLifecycleManagement>,
    tasks: JoinSet<()>,
}

fn context() -> Context {
    Context::root("bench".into()).with_key(uuid::Uuid::now_v7())
}

impl House {
    async fn build(folder: &Path) -> Outcome<Self> {
        let store = Arc::new(SqliteStore::open(&folder.join("data"))?);
        let (tracer, records) = Tracer::new();
        let policy = Arc::new(Policy::etsi());
        let gate = |consumer, producer, name: &str| Gate::new(consumer, producer, name, policy.clone(), tracer.clone());
        let vim = Arc::new(IdleVim::default());
        let seen_by = |role| {
            let gate = gate(role, Role::Vim, idle_vim::ID);
            Arc::new(Vims(VimHandle {
                id: idle_vim::ID.to_owned(),
                compute: BoundVirtualisedCompute::bind(vim.clone(), gate.clone()),
                networks: BoundVirtualisedNetworks::bind(vim.clone(), gate.clone()),
                paths: BoundNetworkForwardingPaths::bind(vim.clone(), gate.clone()),
                traffic: BoundTrafficRules::bind(vim.clone(), gate.clone()),
                flavours: BoundComputeFlavours::bind(vim.clone(), gate.clone()),
                images: BoundSoftwareImages::bind(vim.clone(), gate.clone()),
                topology: BoundTopology::bind(vim.clone(), gate),
            }))
        };
        let nfvo = Nfvo::new(
            NfvoConfig {
                catalogue_dir: folder.join("catalogue"),
            },
            store.clone(),
        );
        let vnfm = Vnfm::new(VnfmConfig::default(), store.clone());
        let mut registry = Registry::new();
        for operation in nfvo.operations().into_iter().chain(vnfm.operations()) {
            registry.register_arc(operation)?;
        }
        let engine = Engine::new(store.clone(), registry);
        vnfm.connect(manifold_vnfm::Neighbours {
            engine: engine.clone(),
            granting: BoundVnfLifecycleOperationGranting::bind(nfvo.clone(), gate(Role::Vnfm, Role::Nfvo, "nfvo")),
            packages: BoundVnfPackageManagement::bind(nfvo.clone(), gate(Role::Vnfm, Role::Nfvo, "nfvo")),
            vims: seen_by(Role::Vnfm),
        });
        nfvo.connect(manifold_nfvo::Neighbours {
            engine: engine.clone(),
            vnfm: BoundVnfLifecycleManagement::bind(vnfm, gate(Role::Nfvo, Role::Vnfm, "vnfm")),
            vims: seen_by(Role::Nfvo),
            wim: Arc::new(NoWim),
            images: Arc::new(NoImages),
        });
        nfvo.recover().await?;
        engine.recover().await?;
        let mut tasks = JoinSet::new();
        tasks.spawn(drain(records));
        tasks.spawn(deliver(store.clone(), engine.clone()));
        let oss = BoundNsLifecycleManagement::bind(nfvo.clone(), gate(Role::Oss, Role::Nfvo, "nfvo"));
        Ok(Self {
            store,
            engine,
            vim,
            nfvo,
            oss,
            tasks,
        })
    }

    /// On-boards the example's VNF package and NSD.
    async fn on_board(&self, folder: &Path) -> Outcome<()> {
        let package =
            VnfPackageManagement::create(&*self.nfvo, &context(), New(CreateVnfPkgInfoRequest::default())).await?;
        let upload = Upload {
            id: package.id.parse()?,
            file: archive(folder, "vnf")?,
        };
        VnfPackageManagement::upload(&*self.nfvo, &context(), upload).await?;
        let nsd = NsdManagement::create(&*self.nfvo, &context(), New(CreateNsdInfoRequest::default())).await?;
        let upload = Upload {
            id: nsd.id.parse()?,
            file: archive(folder, "ns")?,
        };
        NsdManagement::upload(&*self.nfvo, &context(), upload).await?;
        Ok(())
    }

    async fn completed(&self, occurrence: OccurrenceId) -> Outcome<()> {
        let ended = self.engine.settled(occurrence, LIMIT).await?;
        if ended.state == State::Completed {
            Ok(())
        } else {
            Err(format!("{} is in {}: {:?}", ended.operation, ended.state, ended.error).into())
        }
    }

    /// One life: how long instantiation and termination took. Its NS is created before and deleted after.
    async fn live(&self) -> Outcome<[Duration; 2]> {
        let request = CreateNsRequest {
            nsd_id: NSD.to_owned(),
            ns_name: "one".to_owned(),
            ns_description: String::new(),
        };
        let id: NsInstanceId = self.oss.create(&context(), NewNs(request)).await?.id.parse()?;
        let request = InstantiateNsRequest {
            ns_flavour_id: "default".to_owned(),
            ..InstantiateNsRequest::default()
        };
        let begin = Instant::now();
        let ask = OnNs {
            ns_instance_id: id,
            request,
        };
        self.completed(self.oss.instantiate(&context(), ask).await?).await?;
        let instantiated = begin.elapsed();
        let ask = OnNs {
            ns_instance_id: id,
            request: TerminateNsRequest::default(),
        };
        self.completed(self.oss.terminate(&context(), ask).await?).await?;
        let terminated = begin.elapsed() - instantiated;
        self.oss.delete(&context(), id).await?;
        if !self.vim.is_empty() {
            return Err("something was left at the VIM".into());
        }
        Ok([instantiated, terminated])
    }
}

fn measure() -> Outcome<Vec<Figure>> {
    let folder = stage::folder()?;
    let bare = Bare::open(&folder)?;
    stage::runtime()?.block_on(async {
        let mut house = House::build(&folder).await?;
        house.on_board(&folder).await?;
        let (mut lives, mut floor) = (vec![], vec![]);
        let (mut journaled, mut transactions) = (vec![], vec![]);
        for round in 0..WARM_UP + ROUNDS {
            let journal = || house.engine.metrics().commits_total.load(Ordering::Relaxed);
            let before = (journal(), house.store.transactions());
            let took = house.live().await?;
            let after = (journal() - before.0, house.store.transactions() - before.1);
            let bare_took = bare.commits(after.1)?;
            if round >= WARM_UP {
                lives.push(took);
                floor.push(bare_took);
                journaled.push(after.0 as f64);
                transactions.push(after.1 as f64);
            }
        }
        house.engine.shutdown(LIMIT).await;
        house.tasks.shutdown().await;
        let of = |which: usize| Spread::of(lives.iter().map(|life| milliseconds(life[which]))).median;
        let whole = Spread::of(lives.iter().map(|life| milliseconds(life[0] + life[1])));
        let (journaled, transactions) = (Spread::of(journaled).median, Spread::of(transactions).median);
        Ok(vec![
            Figure::new("instantiate → terminate, one-VNF NS, idle VIM", Unit::Milliseconds, whole)
                .floor(format!("{transactions:.0} bare commits"), Spread::of_times(&floor))
                .goal(Goal::AtMost(10.0))
                .note(format!(
                    "instantiate {:.1} ms, terminate {:.1} ms; {journaled:.0} commits of the engine, {transactions:.0} fsyncs in all (with create and delete)",
                    of(0),
                    of(1)
                )),
        ])
    })
}

/// Builds the archive of one of `examples/minimal`'s packages.
fn archive(folder: &Path, package: &str) -> Outcome<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../examples/minimal")
        .join(package);
    let mut files = Folder::open(&source, &Limits::default()).map_err(|faults| faults.to_string())?;
    let path = folder.join(format!("{package}.csar"));
    build(&mut files, &BuildOptions::default(), std::fs::File::create(&path)?)?;
    Ok(path)
}

/// Takes trace records, so that the queue never fills.
async fn drain(mut records: TraceSource) {
    while !records.take(512).await.is_empty() {}
}

/// Tells operations of the ends of those that they wait for.
async fn deliver(store: Arc<SqliteStore>, engine: Engine) {
    let mut arrivals = store.outbox_watch();
    let mut after = 0;
    while let Ok(rows) = store.outbox_after(after, 256).await {
        if rows.is_empty() {
            if arrivals.changed().await.is_err() {
                return;
            }
            continue;
        }
        for row in rows {
            after = after.max(row.seq);
            if row.topic == OUTBOX_TOPIC
                && let Ok(note) = serde_json::from_value::<LcmNotification>(row.body)
                && note.machine == Machine::Vnf
            {
                engine.signal(&operation_event(note.occurrence));
            }
        }
        if store.outbox_done(after).await.is_err() {
            return;
        }
    }
}

struct Vims(VimHandle);

impl VimDirectory for Vims {
    fn find(&self, id: &str) -> Option<VimHandle> {
        (id == self.0.id).then(|| self.0.clone())
    }
    fn all(&self) -> Vec<VimHandle> {
        vec![self.0.clone()]
    }
}

struct NoWim;

impl WimDirectory for NoWim {
    fn find(&self) -> Option<Arc<dyn MscsManagement>> {
        None
    }
}

/// Images by name alone: nothing boots here.
struct NoImages;

#[async_trait]
impl BuiltinImages for NoImages {
    async fn content(&self, name: &str) -> Answer<ImageContent> {
        Ok(ImageContent::Kernel {
            kernel: PathBuf::from(name),
            initramfs: PathBuf::from(name),
            command_line: String::new(),
        })
    }
}
