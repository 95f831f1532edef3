//! `software_images` (IFA 005 7.2). Files are named by their paths on the VIM's file system.

use super::Producer;
use super::list::List;
use super::resource::At;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use manifold_http::body::JsonBody;
use manifold_http::problem::Answer;
use manifold_http::query::page::Page;
use manifold_vim_interface::{AddImage, ImageId};
use serde_json::Value;

const IMAGES: &str = "software_images";

/// Quick ones, and the one that copies files of gigabytes.
pub(super) fn routes() -> (Router<Producer>, Router<Producer>) {
    let quick = Router::new()
        .route("/software_images", get(list))
        .route("/software_images/{id}", get(find).delete(delete));
    (quick, Router::new().route("/software_images", post(add)))
}

async fn list(at: At, list: List) -> Answer<Page> {
    let found = at.vim.images.query(&at.context, list.filter()).await?;
    list.linked(&at, IMAGES, found, |image| image.id.to_string())
}

async fn add(at: At, JsonBody(ask): JsonBody<AddImage>) -> Answer<Response> {
    let image = at.vim.images.add(&at.context, ask).await?;
    at.created(IMAGES, &image.id.to_string(), &image)
}

async fn find(at: At) -> Answer<Json<Value>> {
    let filter = at.only::<ImageId>("id")?;
    let image = at.found(at.vim.images.query(&at.context, filter).await?)?;
    at.linked(IMAGES, &image.id.to_string(), &image).map(Json)
}

async fn delete(at: At) -> Answer<StatusCode> {
    at.vim.images.delete(&at.context, at.id()?).await?;
    Ok(StatusCode::NO_CONTENT)
}
