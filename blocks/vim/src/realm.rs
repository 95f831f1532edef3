//! The VIM's side of the desired-state loop: its documents, its infrastructure, and what its machines do now.

use crate::VimConfig;
use crate::documents::Document;
use crate::wishes::{self, Site, manager};
use async_trait::async_trait;
use manifold_call::{CallError, Context, Outcome, TenantId, Uuid};
use manifold_desired::{Documents, News, Realm, Verdict, Wished};
use manifold_nfvi_interface::{
    Cursor, Filter, Infrastructure, MachineState, ObjectId, Power, Report, Seen, Wish, WishKind,
};
use manifold_store::{Kind, Sealed, Store};
use manifold_vim_interface::{ComputeId, RunningState};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::broadcast;

/// Events that a slow subscriber may fall behind: every machine of a full PoP crashing at once.
const EVENTS: usize = 1_024;
/// An owner's label holds 40 bytes, and `vim/` stands before the identifier.
const VIM_ID_BYTES_MAX: usize = 36;
/// Bytes of a console's end or a fault that are kept in memory for each machine.
const FAULT_BYTES: usize = 2_048;

/// A machine whose running state changed unasked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComputeEvent {
    /// Which.
    pub compute_id: ComputeId,
    /// Whose.
    pub tenant: Option<TenantId>,
    /// What it does now.
    pub running_state: RunningState,
    /// Why, where that is known.
    pub fault: Option<String>,
}

/// What a machine does, as far as was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Doing {
    pub(crate) state: RunningState,
    pub(crate) fault: Option<String>,
}

type Open = Box<dyn Fn(Uuid, &Sealed) -> Option<String> + Send + Sync>;

pub(crate) struct PopRealm {
    pub(crate) config: VimConfig,
    store: Arc<dyn Store>,
    infrastructure: Arc<dyn Infrastructure>,
    doing: Mutex<BTreeMap<Uuid, Doing>>,
    events: broadcast::Sender<ComputeEvent>,
    open: Open,
}

/// Where a machine's user data is sealed for.
pub(crate) fn seal_place(compute: Uuid) -> String {
    format!("vim.compute/{compute}")
}

impl PopRealm {
    pub(crate) fn new(
        config: VimConfig,
        store: Arc<dyn Store>,
        infrastructure: Arc<dyn Infrastructure>,
    ) -> Outcome<Self> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
        let id = &config.vim_id;
        if id.is_empty() || id.len() > VIM_ID_BYTES_MAX || !id.chars().all(allowed) {
            return Err(CallError::invalid(format!(
                "{id:?} is no VIM identifier: 1 to {VIM_ID_BYTES_MAX} of a-z, 0-9, - and _"
            )));
        }
        let sealer = store.clone();
        let open = move |id: Uuid, sealed: &Sealed| {
            let bytes = sealer.sealer().open_sealed(&seal_place(id), sealed).ok()?;
            String::from_utf8(bytes).ok()
        };
        let (events, _) = broadcast::channel(EVENTS);
        Ok(Self {
            config,
            store,
            infrastructure,
            doing: Mutex::default(),
            events,
            open: Box::new(open),
        })
    }

    pub(crate) fn site(&self) -> Site<'_> {
        Site {
            vim_id: &self.config.vim_id,
            inventory: &self.config.inventory,
            image_dir: &self.config.image_dir,
            open: self.open.as_ref(),
        }
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<ComputeEvent> {
        self.events.subscribe()
    }

    /// That every secret opens: a machine must not be started again without what it was given.
    pub(crate) fn check_secrets(&self, documents: &Documents<Document>) -> Outcome<()> {
        let closed = documents.standing().find(|(id, held)| match &held.body {
            Document::Compute(compute) => compute
                .user_data
                .as_ref()
                .is_some_and(|sealed| (self.open)(*id, sealed).is_none()),
            _ => false,
        });
        match closed {
            None => Ok(()),
            Some((id, _)) => Err(
                CallError::internal(format!("the user data of machine {id} does not open"))
                    .cure("put back the key file that belongs to this data directory"),
            ),
        }
    }

    pub(crate) fn seal(&self, compute: Uuid, secret: &str) -> Outcome<Sealed> {
        let sealed = self.store.sealer().seal(&seal_place(compute), secret.as_bytes());
        sealed.map_err(|error| CallError::internal("the user data could not be sealed").caused_by(error))
    }

    fn all_doing(&self) -> MutexGuard<'_, BTreeMap<Uuid, Doing>> {
        self.doing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn doing(&self, compute: Uuid) -> Doing {
        let unknown = Doing {
            state: RunningState::Unknown,
            fault: None,
        };
        self.all_doing().get(&compute).cloned().unwrap_or(unknown)
    }

    fn saw(&self, seen: &Seen) {
        let id = seen.id.0;
        let Some(machine) = &seen.machine else { return };
        let now = match machine {
            MachineState::Running { .. } => Doing {
                state: RunningState::Running,
                fault: None,
            },
            MachineState::Stopped => Doing {
                state: RunningState::Stopped,
                fault: None,
            },
            MachineState::Crashed { why } => Doing {
                state: RunningState::Crashed,
                fault: Some(why.chars().take(FAULT_BYTES).collect()),
            },
        };
        let crashed = now.state == RunningState::Crashed;
        let before = self.all_doing().insert(id, now.clone());
        // What is told is a change: the first look after a start tells of crashes only, which nobody may have been told of.
        if before.map_or(crashed, |before| before.state != now.state) {
            let event = ComputeEvent {
                compute_id: ComputeId(id),
                tenant: seen.owner.tenant.clone(),
                running_state: now.state,
                fault: now.fault,
            };
            // Nobody subscribed: nobody to tell.
            let _unheard = self.events.send(event);
        }
    }
}

fn verdicts(reports: Vec<Report>) -> Vec<Verdict> {
    reports
        .into_iter()
        .map(|report| Verdict {
            id: report.id.0,
            failure: report.failure,
        })
        .collect()
}

#[async_trait]
impl Realm for PopRealm {
    type Document = Document;
    type Wish = Wish;
    type Cursor = Cursor;

    const KIND: Kind = Kind("vim.resource");

    fn instance(&self) -> &str {
        &self.config.vim_id
    }

    fn wishes(&self, documents: &Documents<Document>) -> Vec<Wished<Wish>> {
        wishes::wishes(self.site(), documents)
    }

    fn rank(&self, wish: &Wish) -> u8 {
        wish.kind.name() as u8
    }

    async fn ensure(&self, cx: &Context, wishes: Vec<Wish>) -> Outcome<Vec<Verdict>> {
        let machines: BTreeMap<ObjectId, Power> = wishes
            .iter()
            .filter_map(|wish| match &wish.kind {
                WishKind::Machine(machine) => Some((wish.id, machine.power)),
                _ => None,
            })
            .collect();
        let reports = self.infrastructure.ensure(cx, wishes).await?;
        let mut doing = self.all_doing();
        for report in reports.iter().filter(|report| report.failure.is_none()) {
            let state = match machines.get(&report.id) {
                Some(Power::On) => RunningState::Running,
                Some(Power::Off) => RunningState::Stopped,
                None => continue,
            };
            let now = Doing { state, fault: None };
            // A crashed one that nothing was done to has not been started again by being asked for. One that was seen while it was
            // being started has come up meanwhile.
            let crashed = |doing: &Doing| doing.state == RunningState::Crashed;
            if report.changed || !doing.get(&report.id.0).is_some_and(crashed) {
                doing.insert(report.id.0, now);
            }
        }
        drop(doing);
        Ok(verdicts(reports))
    }

    async fn remove(&self, cx: &Context, ids: Vec<Uuid>) -> Outcome<Vec<Verdict>> {
        let reports = self
            .infrastructure
            .remove(cx, ids.into_iter().map(ObjectId).collect())
            .await?;
        let mut doing = self.all_doing();
        for report in reports.iter().filter(|report| report.failure.is_none()) {
            doing.remove(&report.id.0);
        }
        drop(doing);
        Ok(verdicts(reports))
    }

    async fn observe(&self, cx: &Context, ids: Option<Vec<Uuid>>) -> Outcome<Vec<Uuid>> {
        let filter = Filter {
            manager: Some(manager(&self.config.vim_id)),
            ids: ids.unwrap_or_default().into_iter().map(ObjectId).collect(),
            kinds: Vec::new(),
        };
        let seen = self.infrastructure.observe(cx, filter).await?;
        seen.iter().for_each(|seen| self.saw(seen));
        Ok(seen.iter().map(|seen| seen.id.0).collect())
    }

    async fn changes(&self, cx: &Context, since: Cursor) -> Outcome<News<Cursor>> {
        let changes = self.infrastructure.changes(cx, since).await?;
        Ok(News {
            cursor: changes.cursor,
            ids: changes.ids.into_iter().map(|id| id.0).collect(),
            lost: changes.lost,
        })
    }
}
