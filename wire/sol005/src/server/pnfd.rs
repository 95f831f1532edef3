//! `nsd/v2`, the PNFDs (SOL005 5.4.5 to 5.4.7).

use super::{Producer, catalogue, id, linked};
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use manifold_call::ErrorKind;
use manifold_http::api::{Links, created};
use manifold_http::auth::Caller;
use manifold_http::body::JsonBody;
use manifold_http::limits::Limits;
use manifold_http::problem::Answer;
use manifold_http::query::{ListQuery, page::Page, selector::Shape};
use manifold_nfvo_interface::{New, PnfdInfoId, Upload};
use manifold_sol::{CreatePnfdInfoRequest, PnfdInfo};
use serde_json::Value;

const SHAPE: Shape = Shape {
    attributes: &[],
    default_exclude: &["userDefinedData"],
    mandatory: &["id", "pnfdOnboardingState", "pnfdUsageState", "_links"],
};

/// Quick routes, and those that carry archives.
pub(super) fn routes(producer: Producer) -> (Router, Router) {
    let quick = Router::new()
        .route("/pnf_descriptors", get(list).post(create))
        .route("/pnf_descriptors/{id}", get(find).delete(delete));
    let slow = Router::new().route("/pnf_descriptors/{id}/pnfd_content", get(content).put(upload));
    (quick.with_state(producer.clone()), slow.with_state(producer))
}

fn show(info: &PnfdInfo, links: &Links) -> Answer<Value> {
    let path = ["pnf_descriptors", &info.id];
    let content = links.resource(&["pnf_descriptors", &info.id, "pnfd_content"]);
    linked(info, links, &path, &[("pnfd_content", content)])
}

async fn list(State(nfvo): State<Producer>, caller: Caller, links: Links, query: ListQuery) -> Answer<Page> {
    query.check(&SHAPE)?;
    let mut found = Vec::new();
    for info in nfvo.of(&caller).pnfds.query(&caller.context, ()).await? {
        found.push((info.id.clone(), show(&info, &links)?));
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(Page::cut(&links, &query, &SHAPE, &["pnf_descriptors"], found))
}

async fn create(
    State(nfvo): State<Producer>,
    caller: Caller,
    links: Links,
    JsonBody(ask): JsonBody<CreatePnfdInfoRequest>,
) -> Answer<Response> {
    let info = nfvo.of(&caller).pnfds.create(&caller.context, New(ask)).await?;
    Ok(created(
        &links.resource(&["pnf_descriptors", &info.id]),
        show(&info, &links)?,
    ))
}

async fn find(
    State(nfvo): State<Producer>,
    caller: Caller,
    links: Links,
    Path(key): Path<String>,
) -> Answer<Json<Value>> {
    let info = nfvo.of(&caller).pnfds.find(&caller.context, id(&key)?).await?;
    Ok(Json(show(&info, &links)?))
}

async fn delete(State(nfvo): State<Producer>, caller: Caller, Path(key): Path<String>) -> Answer<StatusCode> {
    nfvo.of(&caller).pnfds.delete(&caller.context, id(&key)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn content(State(nfvo): State<Producer>, caller: Caller, Path(key): Path<String>) -> Answer<Response> {
    let content = nfvo.of(&caller).pnfds.content(&caller.context, id(&key)?).await?;
    catalogue::download(content).await
}

async fn upload(
    State(nfvo): State<Producer>,
    caller: Caller,
    Path(key): Path<String>,
    Extension(limits): Extension<Limits>,
    headers: HeaderMap,
    body: Body,
) -> Answer<Response> {
    let pnfd: PnfdInfoId = id(&key)?;
    let handles = nfvo.of(&caller);
    handles.pnfds.find(&caller.context, pnfd).await?;
    let spooled = nfvo.spool.take(&headers, body, &limits).await?;
    let ask = Upload {
        id: pnfd,
        file: spooled.file.clone(),
    };
    match handles.pnfds.upload(&caller.context, ask).await {
        // SOL005 5.4.7.3.3: the content was accepted; what is wrong with it stands in the resource.
        Ok(_) => Ok(StatusCode::ACCEPTED.into_response()),
        Err(error) if error.kind == ErrorKind::Invalid => Ok(StatusCode::ACCEPTED.into_response()),
        Err(error) => Err(error.into()),
    }
}
