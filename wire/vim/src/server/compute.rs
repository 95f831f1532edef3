//! `compute_resources` and `affinity_groups` (IFA 005 7.3.1).

use super::Producer;
use super::list::List;
use super::resource::At;
use crate::bodies::{AffinityGroup, ComputeChanges, Console, Ids, Operate};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use manifold_http::body::JsonBody;
use manifold_http::problem::Answer;
use manifold_http::query::page::Page;
use manifold_vim_interface::{
    AffinityGroupId, AllocateCompute, ComputeId, CreateAffinityGroup, OperateCompute, UpdateCompute, VirtualCompute,
};
use serde_json::Value;

const COMPUTES: &str = "compute_resources";
const GROUPS: &str = "affinity_groups";

/// Quick ones, and those that wait for a machine to change.
pub(super) fn routes() -> (Router<Producer>, Router<Producer>) {
    let quick = Router::new()
        .route("/compute_resources", get(list))
        .route("/compute_resources/{id}", get(find))
        .route("/compute_resources/{id}/console", get(console))
        .route("/affinity_groups", post(create_group))
        .route("/affinity_groups/terminate", post(delete_groups))
        .route("/affinity_groups/{id}", delete(delete_group));
    let slow = Router::new()
        .route("/compute_resources", post(allocate))
        .route("/compute_resources/terminate", post(terminate))
        .route("/compute_resources/{id}", delete(terminate_one))
        .route("/compute_resources/{id}/operate", post(operate))
        .route("/compute_resources/{id}/update", post(update));
    (quick, slow)
}

fn show(at: &At, compute: &VirtualCompute) -> Answer<Json<Value>> {
    at.linked(COMPUTES, &compute.compute_id.to_string(), compute).map(Json)
}

async fn list(at: At, list: List) -> Answer<Page> {
    let found = at.vim.compute.query(&at.context, list.filter()).await?;
    list.linked(&at, COMPUTES, found, |compute| compute.compute_id.to_string())
}

async fn allocate(at: At, JsonBody(ask): JsonBody<AllocateCompute>) -> Answer<Response> {
    let compute = at.vim.compute.allocate(&at.context, ask).await?;
    at.created(COMPUTES, &compute.compute_id.to_string(), &compute)
}

async fn find(at: At) -> Answer<Json<Value>> {
    let filter = at.only::<ComputeId>("computeId")?;
    show(&at, &at.found(at.vim.compute.query(&at.context, filter).await?)?)
}

async fn update(at: At, JsonBody(changes): JsonBody<ComputeChanges>) -> Answer<Json<Value>> {
    let ask = UpdateCompute {
        compute_id: at.id()?,
        network_interface_new: changes.network_interface_new,
        metadata: changes.metadata,
    };
    show(&at, &at.vim.compute.update(&at.context, ask).await?)
}

async fn operate(at: At, JsonBody(task): JsonBody<Operate>) -> Answer<Json<Value>> {
    let ask = OperateCompute {
        compute_id: at.id()?,
        compute_operation: task.compute_operation,
    };
    show(&at, &at.vim.compute.operate(&at.context, ask).await?)
}

async fn console(at: At) -> Answer<Json<Console>> {
    let console = at.vim.compute.console(&at.context, at.id()?).await?;
    Ok(Json(Console { console }))
}

async fn terminate(at: At, JsonBody(which): JsonBody<Ids<ComputeId>>) -> Answer<Json<Ids<ComputeId>>> {
    let ids = at.vim.compute.terminate(&at.context, which.ids).await?;
    Ok(Json(Ids { ids }))
}

async fn terminate_one(at: At) -> Answer<StatusCode> {
    let id: ComputeId = at.id()?;
    at.gone(id, &at.vim.compute.terminate(&at.context, vec![id]).await?)
}

async fn create_group(at: At, JsonBody(group): JsonBody<CreateAffinityGroup>) -> Answer<Response> {
    let id = at.vim.compute.create_affinity_group(&at.context, group.clone()).await?;
    let made = AffinityGroup {
        affinity_group_id: id,
        group,
    };
    at.created(GROUPS, &id.to_string(), made)
}

async fn delete_groups(at: At, JsonBody(which): JsonBody<Ids<AffinityGroupId>>) -> Answer<Json<Ids<AffinityGroupId>>> {
    let ids = at.vim.compute.delete_affinity_groups(&at.context, which.ids).await?;
    Ok(Json(Ids { ids }))
}

async fn delete_group(at: At) -> Answer<StatusCode> {
    let id: AffinityGroupId = at.id()?;
    let gone = at.vim.compute.delete_affinity_groups(&at.context, vec![id]).await?;
    at.gone(id, &gone)
}
