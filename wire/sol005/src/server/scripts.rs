//! `manifold/v1/scripts` and `manifold/v1/script_operations`: NEMO scripts as documents with revisions. Ours.

use super::{Producer, id, linked};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use manifold_call::CallError;
use manifold_http::api::{Links, accepted_with};
use manifold_http::auth::Caller;
use manifold_http::body::JsonBody;
use manifold_http::problem::{Answer, Problem};
use manifold_http::query::{ListQuery, page::Page, selector::Shape};
use manifold_nfvo_interface::{AppliedScript, ScriptAsk, ScriptInfo, ScriptName, ScriptOperation, ScriptRevision};
use serde::Deserialize;
use serde_json::Value;

const SCRIPT: Shape = Shape {
    attributes: &[],
    default_exclude: &["sources", "elements"],
    mandatory: &["name", "revision", "_links"],
};

pub(super) fn routes() -> Router<Producer> {
    Router::new()
        .route("/scripts", get(list))
        .route("/scripts/{name}", get(find).put(apply).delete(delete))
        .route("/scripts/{name}/revisions/{revision}", get(find_revision))
        .route("/script_operations/{id}", get(find_operation))
        .route("/script_operations/{id}/retry", post(retry))
        .route("/script_operations/{id}/rollback", post(rollback))
        .route("/script_operations/{id}/fail", post(fail))
}

/// What stands after `?` of an apply.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct How {
    #[serde(default)]
    dry_run: bool,
}

fn show(info: &ScriptInfo, links: &Links) -> Answer<Value> {
    let path = ["scripts", info.name.as_str()];
    let operation = info
        .operation
        .map(|id| links.resource(&["script_operations", &id.to_string()]));
    let more: Vec<_> = operation.map(|href| ("operation", href)).into_iter().collect();
    linked(info, links, &path, &more)
}

/// 202 with the operation's `Location`; 200 where there is nothing to do.
fn begun(applied: &AppliedScript, links: &Links) -> Response {
    match applied.operation {
        Some(id) => accepted_with(&links.resource(&["script_operations", &id.to_string()]), applied),
        None => Json(applied).into_response(),
    }
}

/// The body names the document that the path names. Errors: it names another one.
fn named(key: &str, ask: ScriptAsk) -> Answer<ScriptAsk> {
    if ask.name == key {
        return Ok(ask);
    }
    let told = CallError::invalid(format!(
        "the request is for script {key:?} and its body for {:?}",
        ask.name
    ));
    Err(Problem::from(told.cure("name the same script in both")))
}

async fn list(State(nfvo): State<Producer>, caller: Caller, links: Links, query: ListQuery) -> Answer<Page> {
    let mut found = Vec::new();
    for info in nfvo.of(&caller).scripts.query(&caller.context, ()).await? {
        found.push((info.name.clone(), show(&info, &links)?));
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(Page::cut(&links, &query, &SCRIPT, &["scripts"], found))
}

async fn find(
    State(nfvo): State<Producer>,
    caller: Caller,
    links: Links,
    Path(key): Path<String>,
) -> Answer<Json<Value>> {
    let name = ScriptName::from(key.as_str());
    let info = nfvo.of(&caller).scripts.find(&caller.context, name).await?;
    Ok(Json(show(&info, &links)?))
}

async fn find_revision(
    State(nfvo): State<Producer>,
    caller: Caller,
    links: Links,
    Path((key, revision)): Path<(String, String)>,
) -> Answer<Json<Value>> {
    let ask = ScriptRevision {
        name: ScriptName::from(key.as_str()),
        revision: id(&revision)?,
    };
    let info = nfvo.of(&caller).scripts.find_revision(&caller.context, ask).await?;
    let latest = links.resource(&["scripts", &key]);
    let shown = linked(
        &info,
        &links,
        &["scripts", &key, "revisions", &revision],
        &[("script", latest)],
    )?;
    Ok(Json(shown))
}

async fn apply(
    State(nfvo): State<Producer>,
    caller: Caller,
    links: Links,
    Path(key): Path<String>,
    how: Result<Query<How>, QueryRejection>,
    JsonBody(ask): JsonBody<ScriptAsk>,
) -> Answer<Response> {
    let ask = named(&key, ask)?;
    let Query(how) = how.map_err(|refused| Problem::from(CallError::invalid(refused.body_text())))?;
    if how.dry_run {
        let plan = nfvo.of(&caller).scripts.plan(&caller.context, ask).await?;
        return Ok(Json(plan).into_response());
    }
    let applied = nfvo.of(&caller).scripts.apply(&caller.context, ask).await?;
    Ok(begun(&applied, &links))
}

async fn delete(
    State(nfvo): State<Producer>,
    caller: Caller,
    links: Links,
    Path(key): Path<String>,
) -> Answer<Response> {
    let applied = nfvo
        .of(&caller)
        .scripts
        .delete(&caller.context, ScriptName::from(key.as_str()))
        .await?;
    Ok(begun(&applied, &links))
}

async fn find_operation(
    State(nfvo): State<Producer>,
    caller: Caller,
    links: Links,
    Path(key): Path<String>,
) -> Answer<Json<Value>> {
    let found: ScriptOperation = nfvo
        .of(&caller)
        .scripts
        .find_operation(&caller.context, id(&key)?)
        .await?;
    let script = links.resource(&["scripts", &found.script]);
    Ok(Json(linked(
        &found,
        &links,
        &["script_operations", &key],
        &[("script", script)],
    )?))
}

async fn retry(State(nfvo): State<Producer>, caller: Caller, Path(key): Path<String>) -> Answer<StatusCode> {
    nfvo.of(&caller).scripts.retry(&caller.context, id(&key)?).await?;
    Ok(StatusCode::ACCEPTED)
}

async fn rollback(State(nfvo): State<Producer>, caller: Caller, Path(key): Path<String>) -> Answer<StatusCode> {
    nfvo.of(&caller).scripts.rollback(&caller.context, id(&key)?).await?;
    Ok(StatusCode::ACCEPTED)
}

async fn fail(State(nfvo): State<Producer>, caller: Caller, Path(key): Path<String>) -> Answer<StatusCode> {
    nfvo.of(&caller).scripts.fail(&caller.context, id(&key)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
