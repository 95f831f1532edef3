//! `manifold/v1`: what SOL005 has no resource for. Ours.

use super::{Producer, id};
use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use manifold_http::auth::Caller;
use manifold_http::body::JsonBody;
use manifold_http::problem::Answer;
use manifold_nfvo_interface::{Changes, NsTopology, OnNs, Progress};
use manifold_sol::UpdateNsRequest;

pub(super) fn routes(producer: Producer) -> Router {
    Router::new()
        .route("/ns_lcm_op_occs/{id}/progress", get(progress))
        .route("/ns_instances/{id}/topology", get(topology))
        .route("/ns_instances/{id}/update_plan", post(plan_update))
        .with_state(producer)
}

async fn progress(State(nfvo): State<Producer>, caller: Caller, Path(key): Path<String>) -> Answer<Json<Progress>> {
    Ok(Json(
        nfvo.of(&caller).lifecycle.progress(&caller.context, id(&key)?).await?,
    ))
}

async fn topology(State(nfvo): State<Producer>, caller: Caller, Path(key): Path<String>) -> Answer<Json<NsTopology>> {
    Ok(Json(
        nfvo.of(&caller).lifecycle.topology(&caller.context, id(&key)?).await?,
    ))
}

async fn plan_update(
    State(nfvo): State<Producer>,
    caller: Caller,
    Path(key): Path<String>,
    JsonBody(request): JsonBody<UpdateNsRequest>,
) -> Answer<Json<Changes>> {
    let ask = OnNs {
        ns_instance_id: id(&key)?,
        request,
    };
    Ok(Json(
        nfvo.of(&caller).lifecycle.plan_update(&caller.context, ask).await?,
    ))
}
