//! `networks`, `subnets` and `ports`, one container for each kind, and `network_resources`, which holds all three as IFA 005
//! 7.4.1 speaks of them: query, update and terminate of resources whose kind the consumer need not say.

use super::Producer;
use super::list::List;
use super::resource::{At, json_of};
use crate::bodies::{Ids, NetworkChanges, NetworkKind};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use manifold_call::{CallError, Uuid};
use manifold_http::body::JsonBody;
use manifold_http::problem::Answer;
use manifold_http::query::page::Page;
use manifold_vim_interface::{
    AllocateNetworkResource, NetworkResource, NetworkResources, QueryFilter, UpdateNetworkResource,
};
use serde_json::Value;

pub(super) fn routes() -> Router<Producer> {
    Router::new()
        .route("/network_resources", get(list_all))
        .route("/network_resources/terminate", post(terminate))
        .route("/network_resources/{id}/update", post(update))
        .merge(routes_of(NetworkKind::Network))
        .merge(routes_of(NetworkKind::Subnet))
        .merge(routes_of(NetworkKind::Port))
}

fn routes_of(kind: NetworkKind) -> Router<Producer> {
    let container = format!("/{}", kind.container());
    let list = move |at: At, query: List| list(kind, at, query);
    let allocate = move |at: At, ask: JsonBody<AllocateNetworkResource>| allocate(kind, at, ask);
    let find = move |at: At| find(kind, at);
    let terminate_one = move |at: At| terminate_one(kind, at);
    Router::new()
        .route(&container, get(list).post(allocate))
        .route(&format!("{container}/{{id}}"), get(find).delete(terminate_one))
}

async fn query(at: &At, filter: QueryFilter) -> Answer<Vec<NetworkResource>> {
    let NetworkResources {
        network_data,
        subnet_data,
        network_port_data,
    } = at.vim.networks.query(&at.context, filter).await?;
    let networks = network_data.into_iter().map(NetworkResource::NetworkData);
    let subnets = subnet_data.into_iter().map(NetworkResource::SubnetData);
    let ports = network_port_data.into_iter().map(NetworkResource::NetworkPortData);
    Ok(networks.chain(subnets).chain(ports).collect())
}

fn id_of(resource: &NetworkResource) -> String {
    match resource {
        NetworkResource::NetworkData(network) => network.network_resource_id.to_string(),
        NetworkResource::SubnetData(subnet) => subnet.resource_id.to_string(),
        NetworkResource::NetworkPortData(port) => port.resource_id.to_string(),
    }
}

/// The resource itself, without the name of its kind around it.
fn inner(resource: &NetworkResource) -> Answer<Value> {
    match resource {
        NetworkResource::NetworkData(network) => json_of(network),
        NetworkResource::SubnetData(subnet) => json_of(subnet),
        NetworkResource::NetworkPortData(port) => json_of(port),
    }
}

async fn list_all(at: At, list: List) -> Answer<Page> {
    let found = query(&at, list.filter()).await?;
    list.plain(&at, "network_resources", found, |resource| {
        format!("{}/{}", NetworkKind::of(resource).container(), id_of(resource))
    })
}

async fn list(kind: NetworkKind, at: At, list: List) -> Answer<Page> {
    let found = at.vim.networks.query(&at.context, list.filter()).await?;
    let container = kind.container();
    match kind {
        NetworkKind::Network => list.linked(&at, container, found.network_data, |network| {
            network.network_resource_id.to_string()
        }),
        NetworkKind::Subnet => list.linked(&at, container, found.subnet_data, |subnet| {
            subnet.resource_id.to_string()
        }),
        NetworkKind::Port => list.linked(&at, container, found.network_port_data, |port| {
            port.resource_id.to_string()
        }),
    }
}

async fn allocate(kind: NetworkKind, at: At, JsonBody(ask): JsonBody<AllocateNetworkResource>) -> Answer<Response> {
    if NetworkKind::asked(&ask.data) != kind {
        let detail = format!(
            "{} takes requests for its own kind of network resource only",
            kind.container()
        );
        let cure = format!("POST it to {}", NetworkKind::asked(&ask.data).container());
        return Err(CallError::invalid(detail).cure(cure).into());
    }
    let made = at.vim.networks.allocate(&at.context, ask).await?;
    at.created(NetworkKind::of(&made).container(), &id_of(&made), inner(&made)?)
}

/// The path's resource, if it is of this kind.
async fn look(kind: NetworkKind, at: &At) -> Answer<Vec<NetworkResource>> {
    let found = query(at, at.only::<Uuid>(kind.id_attribute())?).await?;
    Ok(found
        .into_iter()
        .filter(|resource| NetworkKind::of(resource) == kind)
        .collect())
}

async fn find(kind: NetworkKind, at: At) -> Answer<Json<Value>> {
    let resource = at.found(look(kind, &at).await?)?;
    at.linked(kind.container(), &id_of(&resource), inner(&resource)?)
        .map(Json)
}

/// An absent resource is gone already, and so is one of another kind as far as this container goes.
async fn terminate_one(kind: NetworkKind, at: At) -> Answer<StatusCode> {
    let id: Uuid = at.id()?;
    if look(kind, &at).await?.is_empty() {
        return Ok(StatusCode::NO_CONTENT);
    }
    let gone = at.vim.networks.terminate(&at.context, vec![id]).await?;
    at.gone(id, &gone)
}

async fn terminate(at: At, JsonBody(which): JsonBody<Ids<Uuid>>) -> Answer<Json<Ids<Uuid>>> {
    let ids = at.vim.networks.terminate(&at.context, which.ids).await?;
    Ok(Json(Ids { ids }))
}

async fn update(at: At, JsonBody(changes): JsonBody<NetworkChanges>) -> Answer<Json<NetworkResource>> {
    let ask = UpdateNetworkResource {
        network_resource_id: at.id()?,
        bandwidth: changes.bandwidth,
        connected_networks: changes.connected_networks,
        metadata: changes.metadata,
    };
    Ok(Json(at.vim.networks.update(&at.context, ask).await?))
}
