//! `nslcm/v2` (SOL005 6.4).

use super::{Producer, id, linked};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use manifold_call::OccurrenceId;
use manifold_http::api::{Links, accepted, created};
use manifold_http::auth::Caller;
use manifold_http::body::JsonBody;
use manifold_http::problem::Answer;
use manifold_http::query::{ListQuery, page::Page, selector::Shape};
use manifold_nfvo_interface::{CancelNsOperation, NewNs, OnNs};
use manifold_sol::{
    CancelMode, CreateNsRequest, HealNsRequest, InstantiateNsRequest, NsInstance, NsLcmOpOcc, NsState, ScaleNsRequest,
    TerminateNsRequest, UpdateNsRequest,
};
use serde_json::Value;

const INSTANCE: Shape = Shape {
    attributes: &[],
    default_exclude: &[
        "vnfInstance",
        "pnfInfo",
        "virtualLinkInfo",
        "sapInfo",
        "wanConnectionInfo",
    ],
    mandatory: &[
        "id",
        "nsInstanceName",
        "nsInstanceDescription",
        "nsdId",
        "nsdInfoId",
        "nsState",
        "_links",
    ],
};

const OCCURRENCE: Shape = Shape {
    attributes: &[],
    default_exclude: &["operationParams", "error", "resourceChanges"],
    mandatory: &[
        "id",
        "operationState",
        "nsInstanceId",
        "lcmOperationType",
        "startTime",
        "_links",
    ],
};

pub(super) fn routes(producer: Producer) -> Router {
    Router::new()
        .route("/ns_instances", get(list).post(create))
        .route("/ns_instances/{id}", get(find).delete(delete))
        .route("/ns_instances/{id}/instantiate", post(instantiate))
        .route("/ns_instances/{id}/scale", post(scale))
        .route("/ns_instances/{id}/update", post(update))
        .route("/ns_instances/{id}/heal", post(heal))
        .route("/ns_instances/{id}/terminate", post(terminate))
        .route("/ns_lcm_op_occs", get(list_operations))
        .route("/ns_lcm_op_occs/{id}", get(find_operation))
        .route("/ns_lcm_op_occs/{id}/retry", post(retry))
        .route("/ns_lcm_op_occs/{id}/rollback", post(rollback))
        .route("/ns_lcm_op_occs/{id}/continue", post(continue_operation))
        .route("/ns_lcm_op_occs/{id}/fail", post(fail))
        .route("/ns_lcm_op_occs/{id}/cancel", post(cancel))
        .with_state(producer)
}

/// The tasks that an instance's state allows are linked, and no others (SOL005 6.5.2.10).
fn show(instance: &NsInstance, links: &Links) -> Answer<Value> {
    let tasks: &[&str] = match instance.ns_state {
        NsState::NotInstantiated => &["instantiate"],
        NsState::Instantiated => &["scale", "update", "heal", "terminate"],
    };
    let path = ["ns_instances", instance.id.as_str()];
    let more: Vec<_> = tasks
        .iter()
        .map(|task| (*task, links.resource(&[path[0], path[1], task])))
        .collect();
    linked(instance, links, &path, &more)
}

fn show_operation(occurrence: &NsLcmOpOcc, links: &Links) -> Answer<Value> {
    let instance = links.resource(&["ns_instances", &occurrence.ns_instance_id]);
    let path = ["ns_lcm_op_occs", occurrence.id.as_str()];
    linked(occurrence, links, &path, &[("nsInstance", instance)])
}

fn started(links: &Links, occurrence: OccurrenceId) -> Response {
    accepted(&links.resource(&["ns_lcm_op_occs", &occurrence.to_string()]))
}

async fn list(State(nfvo): State<Producer>, caller: Caller, links: Links, query: ListQuery) -> Answer<Page> {
    let mut found = Vec::new();
    for instance in nfvo.of(&caller).lifecycle.query(&caller.context, ()).await? {
        found.push((instance.id.clone(), show(&instance, &links)?));
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(Page::cut(&links, &query, &INSTANCE, &["ns_instances"], found))
}

async fn create(
    State(nfvo): State<Producer>,
    caller: Caller,
    links: Links,
    JsonBody(ask): JsonBody<CreateNsRequest>,
) -> Answer<Response> {
    let instance = nfvo.of(&caller).lifecycle.create(&caller.context, NewNs(ask)).await?;
    Ok(created(
        &links.resource(&["ns_instances", &instance.id]),
        show(&instance, &links)?,
    ))
}

async fn find(
    State(nfvo): State<Producer>,
    caller: Caller,
    links: Links,
    Path(key): Path<String>,
) -> Answer<Json<Value>> {
    let instance = nfvo.of(&caller).lifecycle.find(&caller.context, id(&key)?).await?;
    Ok(Json(show(&instance, &links)?))
}

async fn delete(State(nfvo): State<Producer>, caller: Caller, Path(key): Path<String>) -> Answer<StatusCode> {
    nfvo.of(&caller).lifecycle.delete(&caller.context, id(&key)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn instantiate(
    State(nfvo): State<Producer>,
    caller: Caller,
    links: Links,
    Path(key): Path<String>,
    JsonBody(request): JsonBody<InstantiateNsRequest>,
) -> Answer<Response> {
    let ask = OnNs {
        ns_instance_id: id(&key)?,
        request,
    };
    Ok(started(
        &links,
        nfvo.of(&caller).lifecycle.instantiate(&caller.context, ask).await?,
    ))
}

async fn scale(
    State(nfvo): State<Producer>,
    caller: Caller,
    links: Links,
    Path(key): Path<String>,
    JsonBody(request): JsonBody<ScaleNsRequest>,
) -> Answer<Response> {
    let ask = OnNs {
        ns_instance_id: id(&key)?,
        request,
    };
    Ok(started(
        &links,
        nfvo.of(&caller).lifecycle.scale(&caller.context, ask).await?,
    ))
}

async fn update(
    State(nfvo): State<Producer>,
    caller: Caller,
    links: Links,
    Path(key): Path<String>,
    JsonBody(request): JsonBody<UpdateNsRequest>,
) -> Answer<Response> {
    let ask = OnNs {
        ns_instance_id: id(&key)?,
        request,
    };
    Ok(started(
        &links,
        nfvo.of(&caller).lifecycle.update(&caller.context, ask).await?,
    ))
}

async fn heal(
    State(nfvo): State<Producer>,
    caller: Caller,
    links: Links,
    Path(key): Path<String>,
    JsonBody(request): JsonBody<HealNsRequest>,
) -> Answer<Response> {
    let ask = OnNs {
        ns_instance_id: id(&key)?,
        request,
    };
    Ok(started(
        &links,
        nfvo.of(&caller).lifecycle.heal(&caller.context, ask).await?,
    ))
}

async fn terminate(
    State(nfvo): State<Producer>,
    caller: Caller,
    links: Links,
    Path(key): Path<String>,
    JsonBody(request): JsonBody<TerminateNsRequest>,
) -> Answer<Response> {
    let ask = OnNs {
        ns_instance_id: id(&key)?,
        request,
    };
    Ok(started(
        &links,
        nfvo.of(&caller).lifecycle.terminate(&caller.context, ask).await?,
    ))
}

async fn list_operations(State(nfvo): State<Producer>, caller: Caller, links: Links, query: ListQuery) -> Answer<Page> {
    let mut found = Vec::new();
    for occurrence in nfvo.of(&caller).lifecycle.query_operations(&caller.context, ()).await? {
        found.push((occurrence.id.clone(), show_operation(&occurrence, &links)?));
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(Page::cut(&links, &query, &OCCURRENCE, &["ns_lcm_op_occs"], found))
}

async fn find_operation(
    State(nfvo): State<Producer>,
    caller: Caller,
    links: Links,
    Path(key): Path<String>,
) -> Answer<Json<Value>> {
    let occurrence = nfvo
        .of(&caller)
        .lifecycle
        .find_operation(&caller.context, id(&key)?)
        .await?;
    Ok(Json(show_operation(&occurrence, &links)?))
}

async fn retry(State(nfvo): State<Producer>, caller: Caller, Path(key): Path<String>) -> Answer<StatusCode> {
    nfvo.of(&caller).lifecycle.retry(&caller.context, id(&key)?).await?;
    Ok(StatusCode::ACCEPTED)
}

async fn rollback(State(nfvo): State<Producer>, caller: Caller, Path(key): Path<String>) -> Answer<StatusCode> {
    nfvo.of(&caller).lifecycle.rollback(&caller.context, id(&key)?).await?;
    Ok(StatusCode::ACCEPTED)
}

async fn continue_operation(
    State(nfvo): State<Producer>,
    caller: Caller,
    Path(key): Path<String>,
) -> Answer<StatusCode> {
    nfvo.of(&caller)
        .lifecycle
        .continue_operation(&caller.context, id(&key)?)
        .await?;
    Ok(StatusCode::ACCEPTED)
}

async fn fail(
    State(nfvo): State<Producer>,
    caller: Caller,
    links: Links,
    Path(key): Path<String>,
) -> Answer<Json<Value>> {
    let occurrence = nfvo.of(&caller).lifecycle.fail(&caller.context, id(&key)?).await?;
    Ok(Json(show_operation(&occurrence, &links)?))
}

async fn cancel(
    State(nfvo): State<Producer>,
    caller: Caller,
    Path(key): Path<String>,
    JsonBody(mode): JsonBody<CancelMode>,
) -> Answer<StatusCode> {
    let ask = CancelNsOperation {
        operation: id(&key)?,
        mode: mode.cancel_mode,
    };
    nfvo.of(&caller).lifecycle.cancel(&caller.context, ask).await?;
    Ok(StatusCode::ACCEPTED)
}
