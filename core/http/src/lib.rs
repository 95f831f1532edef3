//! HTTP as GS NFV-SOL 013 wants it, once for all interfaces: the server's edge and the client's base.
//!
//! ```text
//!   client ── ApiClient ──> server::serve ──> Edge ──> routes of an API ──> a block's trait
//!             token, Version                  bearer, Version, Accept,       (a role-bound handle; the role is
//!             context headers, retries        limits, metrics, panics         the token's, see auth::Principal)
//!             error_of  <──────────────────── Problem <───────────────────── CallError
//! ```
//!
//! A binding of one interface (a crate of `wire/`) is a router whose handlers look like this, and a client whose methods are
//! one line each over [`client::ApiClient`]:
//!
//! ```
//! use axum::{Router, extract::Path, response::Response, routing::get};
//! use manifold_http::{api::{Api, Links, created}, auth::Caller, body::JsonBody, problem::Answer};
//! use manifold_http::query::{ListQuery, page::Page, selector::Shape};
//!
//! const API: Api = Api::new("widgets", "v1", &["1.0.0"]);
//! const WIDGET: Shape = Shape { attributes: &["id", "parts"], default_exclude: &["parts"], mandatory: &[] };
//!
//! async fn list(caller: Caller, links: Links, query: ListQuery) -> Answer<Page> {
//!     query.check(&WIDGET)?;
//!     let found = vec![("1", serde_json::json!({"id": "1", "parts": []}))]; // producer.query(&caller.context, …).await?
//!     Ok(Page::cut(&links, &query, &WIDGET, &["widgets"], found))
//! }
//! async fn create(caller: Caller, links: Links, JsonBody(ask): JsonBody<serde_json::Value>) -> Answer<Response> {
//!     Ok(created(&links.resource(&["widgets", "2"]), ask))
//! }
//! let routes: Router = Router::new().route("/widgets", get(list).post(create));
//! ```
//!
//! The program then composes: `Edge::new(root, tokens, limits, metrics).api(API, routes).into_router()`, and [`server::serve`].

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod api;
pub mod auth;
pub mod body;
pub mod client;
pub mod conditional;
pub mod context_headers;
mod edge;
pub mod limits;
pub mod metrics;
pub mod openapi;
pub mod problem;
pub mod query;
pub mod range;
pub mod server;
pub mod tls;

pub use edge::Edge;
