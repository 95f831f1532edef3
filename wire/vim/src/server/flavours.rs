//! `flavours` (IFA 005 7.3.4).

use super::Producer;
use super::list::List;
use super::resource::At;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use manifold_http::body::JsonBody;
use manifold_http::problem::Answer;
use manifold_http::query::page::Page;
use manifold_vim_interface::{ComputeFlavour, FlavourId};
use serde_json::Value;

const FLAVOURS: &str = "flavours";

pub(super) fn routes() -> Router<Producer> {
    Router::new()
        .route("/flavours", get(list).post(create))
        .route("/flavours/{id}", get(find).delete(delete))
}

/// A flavour that exists has an identifier.
fn id_of(flavour: &ComputeFlavour) -> String {
    flavour.flavour_id.map(|id| id.to_string()).unwrap_or_default()
}

async fn list(at: At, list: List) -> Answer<Page> {
    let found = at.vim.flavours.query(&at.context, list.filter()).await?;
    list.linked(&at, FLAVOURS, found, id_of)
}

async fn create(at: At, JsonBody(ask): JsonBody<ComputeFlavour>) -> Answer<Response> {
    let id = at.vim.flavours.create(&at.context, ask.clone()).await?;
    let made = ComputeFlavour {
        flavour_id: Some(id),
        ..ask
    };
    at.created(FLAVOURS, &id.to_string(), made)
}

async fn find(at: At) -> Answer<Json<Value>> {
    let filter = at.only::<FlavourId>("flavourId")?;
    let flavour = at.found(at.vim.flavours.query(&at.context, filter).await?)?;
    at.linked(FLAVOURS, &id_of(&flavour), flavour).map(Json)
}

async fn delete(at: At) -> Answer<StatusCode> {
    at.vim.flavours.delete(&at.context, at.id()?).await?;
    Ok(StatusCode::NO_CONTENT)
}
