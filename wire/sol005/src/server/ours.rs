//! `manifold/v1`: what SOL005 has no resource for. Ours.

use super::{Producer, id};
use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use manifold_http::auth::Caller;
use manifold_http::problem::Answer;
use manifold_nfvo_interface::{NsTopology, Progress};

pub(super) fn routes(producer: Producer) -> Router {
    Router::new()
        .route("/ns_lcm_op_occs/{id}/progress", get(progress))
        .route("/ns_instances/{id}/topology", get(topology))
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
