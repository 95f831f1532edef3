//! `nsd/v2`, the NSDs (SOL005 5.4.2 to 5.4.4).

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
use manifold_http::body::{JsonBody, MergePatch};
use manifold_http::limits::Limits;
use manifold_http::problem::Answer;
use manifold_http::query::{ListQuery, page::Page, selector::Shape};
use manifold_nfvo_interface::{Modify, New, NsdInfoId, Upload};
use manifold_sol::{CreateNsdInfoRequest, NsdInfo, NsdInfoModifications};
use serde_json::Value;

const SHAPE: Shape = Shape {
    attributes: &[],
    default_exclude: &["userDefinedData"],
    mandatory: &[
        "id",
        "nsdOnboardingState",
        "nsdOperationalState",
        "nsdUsageState",
        "_links",
    ],
};

/// Quick routes, and those that carry archives.
pub(super) fn routes(producer: Producer) -> (Router, Router) {
    let quick = Router::new()
        .route("/ns_descriptors", get(list).post(create))
        .route("/ns_descriptors/{id}", get(find).patch(update).delete(delete));
    let slow = Router::new().route("/ns_descriptors/{id}/nsd_content", get(content).put(upload));
    (quick.with_state(producer.clone()), slow.with_state(producer))
}

fn show(info: &NsdInfo, links: &Links) -> Answer<Value> {
    let path = ["ns_descriptors", &info.id];
    let content = links.resource(&["ns_descriptors", &info.id, "nsd_content"]);
    linked(info, links, &path, &[("nsd_content", content)])
}

async fn list(State(nfvo): State<Producer>, caller: Caller, links: Links, query: ListQuery) -> Answer<Page> {
    query.check(&SHAPE)?;
    let mut found = Vec::new();
    for info in nfvo.of(&caller).nsds.query(&caller.context, ()).await? {
        found.push((info.id.clone(), show(&info, &links)?));
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(Page::cut(&links, &query, &SHAPE, &["ns_descriptors"], found))
}

async fn create(
    State(nfvo): State<Producer>,
    caller: Caller,
    links: Links,
    JsonBody(ask): JsonBody<CreateNsdInfoRequest>,
) -> Answer<Response> {
    let info = nfvo.of(&caller).nsds.create(&caller.context, New(ask)).await?;
    Ok(created(
        &links.resource(&["ns_descriptors", &info.id]),
        show(&info, &links)?,
    ))
}

async fn find(
    State(nfvo): State<Producer>,
    caller: Caller,
    links: Links,
    Path(key): Path<String>,
) -> Answer<Json<Value>> {
    let info = nfvo.of(&caller).nsds.find(&caller.context, id(&key)?).await?;
    Ok(Json(show(&info, &links)?))
}

async fn update(
    State(nfvo): State<Producer>,
    caller: Caller,
    Path(key): Path<String>,
    MergePatch(changes): MergePatch<NsdInfoModifications>,
) -> Answer<Json<NsdInfoModifications>> {
    let ask = Modify {
        id: id(&key)?,
        changes: changes.clone(),
    };
    nfvo.of(&caller).nsds.update(&caller.context, ask).await?;
    // SOL005 5.4.3.3.4: the answer repeats what was changed.
    Ok(Json(changes))
}

async fn delete(State(nfvo): State<Producer>, caller: Caller, Path(key): Path<String>) -> Answer<StatusCode> {
    nfvo.of(&caller).nsds.delete(&caller.context, id(&key)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn content(State(nfvo): State<Producer>, caller: Caller, Path(key): Path<String>) -> Answer<Response> {
    let content = nfvo.of(&caller).nsds.content(&caller.context, id(&key)?).await?;
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
    let nsd: NsdInfoId = id(&key)?;
    let handles = nfvo.of(&caller);
    handles.nsds.find(&caller.context, nsd).await?;
    let spooled = nfvo.spool.take(&headers, body, &limits).await?;
    let ask = Upload {
        id: nsd,
        file: spooled.file.clone(),
    };
    match handles.nsds.upload(&caller.context, ask).await {
        // SOL005 5.4.4.3.3: the content was accepted; what is wrong with it stands in the resource.
        Ok(_) => Ok(StatusCode::ACCEPTED.into_response()),
        Err(error) if error.kind == ErrorKind::Invalid => Ok(StatusCode::ACCEPTED.into_response()),
        Err(error) => Err(error.into()),
    }
}
