//! The block: how it is composed, and its interface, each operation of which lies in a file of its own.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use manifold_call::{CallError, Context, OccurrenceId, Outcome};
use manifold_lcm::{CancelMode, Engine, EngineError, Operation};
use manifold_sol::{
    CancelModeType, ChangeExtVnfConnectivityRequest, HealVnfRequest, InstantiateVnfRequest, ScaleVnfRequest,
    TerminateVnfRequest, VnfInstance, VnfLcmOpOcc,
};
use manifold_store::{Query, Store, StoreError};
use manifold_vnfm_interface::{Ask, CancelOperation, NewVnf, VnfInstanceId, VnfLifecycleManagement};

use crate::connectivity::Change;
use crate::heal::Heal;
use crate::instance::{INSTANCE, Instance};
use crate::instantiate::Instantiate;
use crate::neighbours::{Links, Neighbours, Outside};
use crate::occurrence::to_sol;
use crate::scale::{ScaleIn, ScaleOut};
use crate::terminate::Terminate;

/// How often a start that lost a race is tried: each loss means that another start won, after which the instance is busy.
pub(crate) const START_TRIES: u32 = 3;

/// Instances that are read at a time.
const PAGE: u32 = 500;

/// What can be set.
#[derive(Debug, Clone)]
pub struct VnfmConfig {
    /// How long machines may take to stop in a graceful termination, where neither the request nor the descriptor says.
    pub graceful_termination: Duration,
}

impl Default for VnfmConfig {
    /// Thirty seconds: a guest that handles a power button is down in less.
    fn default() -> Self {
        Self {
            graceful_termination: Duration::from_secs(30),
        }
    }
}

/// The VNF manager.
///
/// It is built in two moves, because the engine needs its operations before it exists, and it needs the engine:
/// [`Vnfm::new`], then an engine with [`Vnfm::operations`] in its registry, then [`Vnfm::connect`], then the engine's `recover`.
pub struct Vnfm {
    config: VnfmConfig,
    links: Links,
    engine: OnceLock<Engine>,
}

impl Vnfm {
    /// A VNFM over a store. Until it is connected, everything answers `Unavailable`.
    pub fn new(config: VnfmConfig, store: Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self {
            config,
            links: Links::new(store),
            engine: OnceLock::new(),
        })
    }

    /// Its lifecycle operations, for the engine's registry.
    pub fn operations(&self) -> Vec<Arc<dyn Operation>> {
        let links = || self.links.clone();
        vec![
            Arc::new(Instantiate(links())),
            Arc::new(ScaleOut(links())),
            Arc::new(ScaleIn(links())),
            Arc::new(Heal(links())),
            Arc::new(Change(links())),
            Arc::new(Terminate(links())),
        ]
    }

    /// Connects it. The first connection holds; a second one changes nothing.
    pub fn connect(&self, neighbours: Neighbours) {
        if self.links.connect(&neighbours) {
            // Nothing reads the engine before: `outside` is set first, and `engine` by whoever set it.
            drop(self.engine.set(neighbours.engine));
        }
    }

    pub(crate) fn config(&self) -> &VnfmConfig {
        &self.config
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.links.store
    }

    pub(crate) fn links(&self) -> &Links {
        &self.links
    }

    pub(crate) fn outside(&self) -> Outcome<&Outside> {
        self.links.outside()
    }

    pub(crate) fn engine(&self) -> Outcome<&Engine> {
        self.engine
            .get()
            .ok_or_else(|| CallError::unavailable("the VNFM is not connected to its neighbours yet"))
    }
}

pub(crate) fn store_failed(error: StoreError) -> CallError {
    CallError::unavailable("the store did not answer").caused_by(error)
}

pub(crate) fn changed_each_time(id: VnfInstanceId) -> CallError {
    CallError::stale(format!("VNF instance {id} changed each time that it was to be written"))
}

/// A task's refusal. An operation that does not have the task is `Unsupported` (SOL003 5.4.15.3.1 answers 404), a state that does
/// not allow it `Conflict`.
fn task_refused(error: EngineError) -> CallError {
    match error {
        EngineError::NotSupported { .. } => CallError::unsupported(error.to_string()),
        other => other.into(),
    }
}

/// Begins an operation and starts it; begins again when another start came between.
macro_rules! start {
    ($self:ident, $cx:ident, $ask:ident, $begin:ident) => {{
        for _ in 0..START_TRIES {
            if let Some(occurrence) = $self.launch($self.$begin($cx, &$ask).await?).await? {
                return Ok(occurrence);
            }
        }
        Err(changed_each_time($ask.vnf_instance_id))
    }};
}

#[async_trait]
impl VnfLifecycleManagement for Vnfm {
    async fn create(&self, cx: &Context, ask: NewVnf) -> Outcome<VnfInstance> {
        self.create_instance(cx, ask).await
    }

    async fn instantiate(&self, cx: &Context, ask: Ask<InstantiateVnfRequest>) -> Outcome<OccurrenceId> {
        start!(self, cx, ask, begin_instantiate)
    }

    async fn scale(&self, cx: &Context, ask: Ask<ScaleVnfRequest>) -> Outcome<OccurrenceId> {
        start!(self, cx, ask, begin_scale)
    }

    async fn heal(&self, cx: &Context, ask: Ask<HealVnfRequest>) -> Outcome<OccurrenceId> {
        start!(self, cx, ask, begin_heal)
    }

    async fn change_ext_conn(&self, cx: &Context, ask: Ask<ChangeExtVnfConnectivityRequest>) -> Outcome<OccurrenceId> {
        start!(self, cx, ask, begin_change)
    }

    async fn terminate(&self, cx: &Context, ask: Ask<TerminateVnfRequest>) -> Outcome<OccurrenceId> {
        start!(self, cx, ask, begin_terminate)
    }

    async fn delete(&self, cx: &Context, id: VnfInstanceId) -> Outcome<()> {
        self.delete_instance(cx, id).await
    }

    async fn query(&self, cx: &Context, _ask: ()) -> Outcome<Vec<VnfInstance>> {
        let mut instances = Vec::new();
        let mut page_token = None;
        loop {
            let query = Query::all().tenant(cx.tenant.as_str()).limit(PAGE).after(page_token);
            let page = self.store().list(INSTANCE, query).await.map_err(store_failed)?;
            for doc in &page.docs {
                instances.push(Instance::read(doc).map_err(|error| error.cause)?.to_sol());
            }
            page_token = page.next;
            if page_token.is_none() {
                return Ok(instances);
            }
        }
    }

    async fn find(&self, cx: &Context, id: VnfInstanceId) -> Outcome<VnfInstance> {
        self.read(cx, id).await.map(|(_, instance)| instance.to_sol())
    }

    async fn query_operations(&self, cx: &Context, _ask: ()) -> Outcome<Vec<VnfLcmOpOcc>> {
        self.all_occurrences(cx).await
    }

    async fn find_operation(&self, cx: &Context, id: OccurrenceId) -> Outcome<VnfLcmOpOcc> {
        to_sol(&self.read_occurrence(cx, id).await?)
    }

    async fn retry(&self, cx: &Context, id: OccurrenceId) -> Outcome<()> {
        self.read_occurrence(cx, id).await?;
        self.engine()?.retry(id).await.map_err(task_refused)
    }

    async fn rollback(&self, cx: &Context, id: OccurrenceId) -> Outcome<()> {
        self.read_occurrence(cx, id).await?;
        self.engine()?.rollback(id).await.map_err(task_refused)
    }

    async fn fail(&self, cx: &Context, id: OccurrenceId) -> Outcome<VnfLcmOpOcc> {
        self.read_occurrence(cx, id).await?;
        to_sol(&self.engine()?.fail(id).await.map_err(task_refused)?)
    }

    async fn cancel(&self, cx: &Context, ask: CancelOperation) -> Outcome<()> {
        self.read_occurrence(cx, ask.operation).await?;
        let mode = match ask.mode {
            CancelModeType::Graceful => CancelMode::Graceful,
            CancelModeType::Forceful => CancelMode::Forceful,
        };
        self.engine()?.cancel(ask.operation, mode).await.map_err(task_refused)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use manifold_call::ErrorKind;
    use manifold_lcm::State;
    use manifold_sol::ScaleType;

    use super::*;
    use crate::testing::{Site, World, cx, instantiate_request, scale_request};

    #[tokio::test]
    async fn before_it_is_connected_it_says_later() {
        let world = World::new();
        let vnfm = Vnfm::new(VnfmConfig::default(), Arc::clone(&world.store));
        let id = VnfInstanceId::random();
        let request = instantiate_request(world.outside);
        let error = vnfm
            .instantiate(
                &cx(),
                Ask {
                    vnf_instance_id: id,
                    request,
                },
            )
            .await
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unavailable);
        assert_eq!(
            vnfm.find_operation(&cx(), OccurrenceId::random())
                .await
                .unwrap_err()
                .kind,
            ErrorKind::Unavailable
        );
    }

    /// Two wishes at once: one wins, the other is told who did.
    #[tokio::test]
    async fn one_operation_at_a_time_works_on_an_instance() {
        let site = Site::new().await;
        let id = site.instantiated().await;
        let ask = || Ask {
            vnf_instance_id: id,
            request: scale_request(ScaleType::ScaleOut, 1),
        };
        let (cx_one, cx_two) = (cx(), cx());
        let (one, two) = tokio::join!(site.vnfm.scale(&cx_one, ask()), site.vnfm.scale(&cx_two, ask()));
        let (won, lost) = match (one, two) {
            (Ok(won), Err(lost)) | (Err(lost), Ok(won)) => (won, lost),
            other => panic!("{other:?}"),
        };
        assert_eq!(lost.kind, ErrorKind::Busy);
        assert!(lost.detail.contains(&won.to_string()), "{lost}");
        site.ended(won, State::Completed).await;
        assert_eq!(site.world.vim.counts(), (1, 5, 4));
    }

    #[tokio::test]
    async fn tasks_are_refused_where_the_state_does_not_allow_them() {
        let site = Site::new().await;
        site.instantiated().await;
        let id = site.vnfm.query_operations(&cx(), ()).await.unwrap()[0]
            .id
            .parse()
            .unwrap();
        let cancel = CancelOperation {
            operation: id,
            mode: CancelModeType::Graceful,
        };
        let refused = [
            site.vnfm.retry(&cx(), id).await.err(),
            site.vnfm.rollback(&cx(), id).await.err(),
            site.vnfm.fail(&cx(), id).await.err(),
            site.vnfm.cancel(&cx(), cancel).await.err(),
        ];
        for error in refused {
            assert_eq!(error.unwrap().kind, ErrorKind::Conflict);
        }
        assert_eq!(
            site.vnfm.retry(&cx(), OccurrenceId::random()).await.unwrap_err().kind,
            ErrorKind::NotFound
        );
    }

    /// A commit costs 0.4 ms: an instantiation of three VNFCs is to have as few as its stages, not as its resources.
    #[tokio::test]
    async fn commits_grow_with_stages_and_not_with_resources() {
        let site = Site::new().await;
        let commits = || site.engine.metrics().commits_total.load(Ordering::Relaxed);
        let id = site.instantiated().await;
        // Start, granted, network, ports, machines as they come, end.
        assert!(commits() <= 9, "{}", commits());
        let before = commits();
        let occurrence = site.terminate(id).await.unwrap();
        site.ended(occurrence, State::Completed).await;
        assert!(commits() - before <= 6, "{}", commits() - before);
    }
}
