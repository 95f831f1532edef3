//! `nfvi_pops`, `zones`, `capacity` and `provider_networks`: read only.

use super::Producer;
use super::list::List;
use super::resource::At;
use axum::Router;
use axum::routing::get;
use manifold_http::problem::Answer;
use manifold_http::query::page::Page;

pub(super) fn routes() -> Router<Producer> {
    Router::new()
        .route("/nfvi_pops", get(pops))
        .route("/zones", get(zones))
        .route("/capacity", get(capacity))
        .route("/provider_networks", get(provider_networks))
}

async fn pops(at: At, list: List) -> Answer<Page> {
    let found = at.vim.topology.query_nfvi_pop(&at.context, list.filter()).await?;
    list.plain(&at, "nfvi_pops", found, |pop| pop.nfvi_pop_id.clone())
}

async fn zones(at: At, list: List) -> Answer<Page> {
    let found = at.vim.topology.query_resource_zone(&at.context, list.filter()).await?;
    list.plain(&at, "zones", found, |zone| zone.zone_id.clone())
}

async fn capacity(at: At, list: List) -> Answer<Page> {
    let topology = &at.vim.topology;
    let found = topology.query_compute_capacity(&at.context, list.filter()).await?;
    list.plain(&at, "capacity", found, |host| host.host_id.clone())
}

async fn provider_networks(at: At, list: List) -> Answer<Page> {
    let topology = &at.vim.topology;
    let found = topology.query_provider_networks(&at.context, list.filter()).await?;
    list.plain(&at, "provider_networks", found, |network| network.name.clone())
}
