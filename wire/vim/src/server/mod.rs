//! The producer's side: routes that turn requests into calls of role-bound handles.

mod compute;
mod flavours;
mod images;
mod list;
mod networks;
mod paths;
mod resource;
mod topology;

use crate::{MAJOR, NAME, VERSIONS};
use axum::Router;
use manifold_call::{CallError, Role};
use manifold_http::Edge;
use manifold_http::api::Api;
use manifold_http::auth::Caller;
use manifold_http::problem::Answer;
use manifold_vim_interface::{VimDirectory, VimHandle};
use std::sync::Arc;

/// Gives the VIMs with handles bound to a role: the role of the request's token.
pub type Bind = Arc<dyn Fn(Role) -> Arc<dyn VimDirectory> + Send + Sync>;

/// What the routes need.
#[derive(Clone)]
pub struct Producer {
    bind: Bind,
}

impl Producer {
    /// `bind` gives the handles.
    pub fn new(bind: Bind) -> Self {
        Self { bind }
    }

    fn vim(&self, caller: &Caller, id: &str) -> Answer<VimHandle> {
        (self.bind)(caller.principal.role)
            .find(id)
            .ok_or_else(|| CallError::not_found(format!("there is no VIM {id:?}")).into())
    }
}

/// Adds `vim/v1` to the edge.
pub fn add_to(edge: Edge, producer: Producer) -> Edge {
    let (compute, compute_slow) = compute::routes();
    let (images, images_slow) = images::routes();
    let quick = compute
        .merge(networks::routes())
        .merge(paths::routes())
        .merge(flavours::routes())
        .merge(images)
        .merge(topology::routes());
    let below = |routes: Router<Producer>| Router::new().nest("/vims/{vimId}", routes).with_state(producer.clone());
    edge.api_with_slow(
        Api::new(NAME, MAJOR, VERSIONS),
        below(quick),
        below(compute_slow.merge(images_slow)),
    )
}
