//! Virtualised compute resources (IFA 005 7.3.1).

mod allocate;
mod group;
mod operate;
mod placing;
mod terminate;
mod update;
mod view;

pub(crate) use placing::held;

use crate::filter::AttributeFilter;
use crate::networks::gone;
use crate::world::{World, check_words};
use crate::{Document, Vim};
use async_trait::async_trait;
use manifold_call::{CallError, Context, Outcome};
use manifold_nfvi_interface::{ConsoleAsk, ObjectId};
use manifold_vim_interface::{
    AffinityGroupId, AllocateCompute, ComputeId, CreateAffinityGroup, OperateCompute, QueryFilter, RunningState,
    UpdateCompute, VirtualCompute, VirtualisedCompute,
};

/// Bytes of a console's end that a caller gets.
const CONSOLE_BYTES: u32 = 65_536;
/// User data travels on a disk of a few megabytes and stands in a document of at most eight.
const USER_DATA_BYTES_MAX: usize = 1 << 20;

#[async_trait]
impl VirtualisedCompute for Vim {
    async fn allocate(&self, cx: &Context, ask: AllocateCompute) -> Outcome<VirtualCompute> {
        check_words(&cx.tenant, &ask.compute_name, &ask.metadata)?;
        let id = self.identity(cx, "allocate compute");
        let user_data = match &ask.user_data {
            Some(data) if data.content.len() > USER_DATA_BYTES_MAX => {
                return Err(CallError::invalid(format!(
                    "user data may have {USER_DATA_BYTES_MAX} bytes"
                )));
            }
            Some(data) => Some(allocate::seal(self.desired.realm(), id, data)?),
            None => None,
        };
        let (inventory, tenant) = (self.inventory(), cx.tenant.clone());
        let plan = move |documents: &_| {
            allocate::plan(
                World {
                    documents,
                    inventory: &inventory,
                    tenant: &tenant,
                },
                id,
                ask,
                user_data,
            )
        };
        self.desired.apply(cx, Some(id), plan).await?;
        self.compute_view(cx, ComputeId(id))
    }

    async fn query(&self, cx: &Context, filter: QueryFilter) -> Outcome<Vec<VirtualCompute>> {
        let filter = AttributeFilter::parse(&filter.filter)?;
        Ok(filter.keep(self.compute_views(cx)))
    }

    async fn update(&self, cx: &Context, ask: UpdateCompute) -> Outcome<VirtualCompute> {
        check_words(&cx.tenant, "", ask.metadata.as_ref().unwrap_or(&Default::default()))?;
        let identity = self.identity(cx, "update compute");
        let (inventory, tenant, id) = (self.inventory(), cx.tenant.clone(), ask.compute_id);
        let plan = move |documents: &_| {
            update::plan(
                World {
                    documents,
                    inventory: &inventory,
                    tenant: &tenant,
                },
                identity,
                ask,
            )
        };
        self.desired.apply(cx, Some(identity), plan).await?;
        self.compute_view(cx, id)
    }

    async fn terminate(&self, cx: &Context, ids: Vec<ComputeId>) -> Outcome<Vec<ComputeId>> {
        let identity = self.identity(cx, "terminate computes");
        let (inventory, tenant, asked) = (self.inventory(), cx.tenant.clone(), ids.clone());
        let plan = move |documents: &_| {
            terminate::plan(
                World {
                    documents,
                    inventory: &inventory,
                    tenant: &tenant,
                },
                &asked,
            )
        };
        let done = self.desired.apply(cx, Some(identity), plan).await?;
        let gone = gone(ids.into_iter().map(|id| id.0).collect(), done.staying)?;
        Ok(gone.into_iter().map(ComputeId).collect())
    }

    async fn operate(&self, cx: &Context, ask: OperateCompute) -> Outcome<VirtualCompute> {
        let identity = self.identity(cx, "operate compute");
        let (inventory, tenant, id) = (self.inventory(), cx.tenant.clone(), ask.compute_id);
        let crashed = self.desired.realm().doing(id.0).state == RunningState::Crashed;
        let plan = move |documents: &_| {
            operate::plan(
                World {
                    documents,
                    inventory: &inventory,
                    tenant: &tenant,
                },
                identity,
                &ask,
                crashed,
            )
        };
        self.desired.apply(cx, Some(identity), plan).await?;
        self.compute_view(cx, id)
    }

    async fn create_affinity_group(&self, cx: &Context, ask: CreateAffinityGroup) -> Outcome<AffinityGroupId> {
        check_words(&cx.tenant, &ask.group_name, &Default::default())?;
        let id = self.identity(cx, "create affinity group");
        let (inventory, tenant) = (self.inventory(), cx.tenant.clone());
        let plan = move |documents: &_| {
            group::create(
                World {
                    documents,
                    inventory: &inventory,
                    tenant: &tenant,
                },
                id,
                ask,
            )
        };
        self.desired.apply(cx, Some(id), plan).await?;
        Ok(AffinityGroupId(id))
    }

    async fn delete_affinity_groups(&self, cx: &Context, ids: Vec<AffinityGroupId>) -> Outcome<Vec<AffinityGroupId>> {
        let (inventory, tenant, asked) = (self.inventory(), cx.tenant.clone(), ids.clone());
        let plan = move |documents: &_| {
            group::delete(
                World {
                    documents,
                    inventory: &inventory,
                    tenant: &tenant,
                },
                &asked,
            )
        };
        let done = self.desired.apply(cx, None, plan).await?;
        let gone = gone(ids.into_iter().map(|id| id.0).collect(), done.staying)?;
        Ok(gone.into_iter().map(AffinityGroupId).collect())
    }

    async fn console(&self, cx: &Context, id: ComputeId) -> Outcome<String> {
        let inventory = self.inventory();
        self.desired.read(|documents| {
            let world = World {
                documents,
                inventory: &inventory,
                tenant: &cx.tenant,
            };
            world.compute(id.0).map(drop)
        })?;
        self.infrastructure
            .console(
                cx,
                ConsoleAsk {
                    machine: ObjectId(id.0),
                    last_bytes: CONSOLE_BYTES,
                },
            )
            .await
    }
}

/// The change that a plan came to, for readers of the modules here.
type Planned = Outcome<manifold_desired::Decision<Document>>;
