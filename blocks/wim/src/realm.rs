//! The WIM's side of the desired-state loop.

use crate::WimConfig;
use crate::mscs::Mscs;
use crate::wishes::{self, manager};
use async_trait::async_trait;
use manifold_call::{CallError, Context, Outcome, Uuid};
use manifold_desired::{Documents, News, Realm, Verdict, Wished};
use manifold_nfvi_interface::{Cursor, Filter, Infrastructure, ObjectId, Report, Wish};
use manifold_store::Kind;
use std::sync::Arc;

/// An owner's label holds 40 bytes, and `wim/` stands before the identifier.
const WIM_ID_BYTES_MAX: usize = 36;

pub(crate) struct WanRealm {
    pub(crate) config: WimConfig,
    infrastructure: Arc<dyn Infrastructure>,
}

impl WanRealm {
    pub(crate) fn new(config: WimConfig, infrastructure: Arc<dyn Infrastructure>) -> Outcome<Self> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
        let id = &config.wim_id;
        if id.is_empty() || id.len() > WIM_ID_BYTES_MAX || !id.chars().all(allowed) {
            return Err(CallError::invalid(format!(
                "{id:?} is no WIM identifier: 1 to {WIM_ID_BYTES_MAX} of a-z, 0-9, - and _"
            )));
        }
        Ok(Self { config, infrastructure })
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
impl Realm for WanRealm {
    type Document = Mscs;
    type Wish = Wish;
    type Cursor = Cursor;

    const KIND: Kind = Kind("wim.mscs");

    fn instance(&self) -> &str {
        &self.config.wim_id
    }

    fn wishes(&self, documents: &Documents<Mscs>) -> Vec<Wished<Wish>> {
        wishes::wishes(&self.config.wim_id, &self.config.inventory, documents)
    }

    fn rank(&self, wish: &Wish) -> u8 {
        wish.kind.name() as u8
    }

    async fn ensure(&self, cx: &Context, wishes: Vec<Wish>) -> Outcome<Vec<Verdict>> {
        self.infrastructure.ensure(cx, wishes).await.map(verdicts)
    }

    async fn remove(&self, cx: &Context, ids: Vec<Uuid>) -> Outcome<Vec<Verdict>> {
        self.infrastructure
            .remove(cx, ids.into_iter().map(ObjectId).collect())
            .await
            .map(verdicts)
    }

    async fn observe(&self, cx: &Context, ids: Option<Vec<Uuid>>) -> Outcome<Vec<Uuid>> {
        let filter = Filter {
            manager: Some(manager(&self.config.wim_id)),
            ids: ids.unwrap_or_default().into_iter().map(ObjectId).collect(),
            kinds: Vec::new(),
        };
        let seen = self.infrastructure.observe(cx, filter).await?;
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
