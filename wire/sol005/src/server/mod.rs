//! The producer's side: routes that turn requests into calls of role-bound handles.

mod catalogue;
mod lifecycle;
mod nsd;
mod ours;
mod pnfd;
mod scripts;
mod spool;
mod vnfpkgm;

pub use spool::Spool;

use crate::{NSD, NSLCM, Nfvo, OURS, VNFPKGM};
use manifold_call::{CallError, Role};
use manifold_http::Edge;
use manifold_http::api::{Api, Links};
use manifold_http::problem::Problem;
use serde::Serialize;
use serde_json::{Value, json};
use std::str::FromStr;
use std::sync::Arc;

/// Gives the NFVO's interfaces bound to a role: the role of the request's token.
pub type Bind = Arc<dyn Fn(Role) -> Nfvo + Send + Sync>;

/// What the routes need.
#[derive(Clone)]
pub struct Producer {
    bind: Bind,
    spool: Spool,
}

impl Producer {
    /// `bind` gives the handles, `spool` takes uploads until they are complete.
    pub fn new(bind: Bind, spool: Spool) -> Self {
        Self { bind, spool }
    }

    fn of(&self, caller: &manifold_http::auth::Caller) -> Nfvo {
        (self.bind)(caller.principal.role)
    }
}

/// Adds `nsd/v2`, `vnfpkgm/v2`, `nslcm/v2` and `manifold/v1` to the edge.
pub fn add_to(edge: Edge, producer: Producer) -> Edge {
    const ZIP: &[&str] = &["application/zip"];
    let (nsd, nsd_content) = catalogue::modifiable_routes::<nsd::Nsds>(producer.clone());
    let (pnfd, pnfd_content) = catalogue::routes::<pnfd::Pnfds>(producer.clone());
    let (packages, package_content) = catalogue::modifiable_routes::<vnfpkgm::VnfPackages>(producer.clone());
    edge.api_with_slow(
        Api::new("nsd", "v2", NSD).producing(ZIP),
        nsd.merge(pnfd),
        nsd_content.merge(pnfd_content),
    )
    .api_with_slow(
        Api::new("vnfpkgm", "v2", VNFPKGM).producing(ZIP),
        packages,
        package_content,
    )
    .api(Api::new("nslcm", "v2", NSLCM), lifecycle::routes(producer.clone()))
    .api(Api::new("manifold", "v1", OURS), ours::routes(producer))
}

/// Reads an id of the path; what is no id names nothing that exists.
fn id<T: FromStr>(text: &str) -> Result<T, Problem> {
    text.parse()
        .map_err(|_| Problem::from(CallError::not_found(format!("there is no resource {text:?}"))))
}

/// The resource with `_links.self`, and the links to its tasks.
fn linked(resource: impl Serialize, links: &Links, path: &[&str], more: &[(&str, String)]) -> Result<Value, Problem> {
    let mut value = serde_json::to_value(resource).map_err(|error| {
        Problem::from(CallError::internal("a resource could not be written as JSON").caused_by(error))
    })?;
    let mut all = json!({ "self": links.link(path) });
    for (name, href) in more {
        all[*name] = json!({ "href": href });
    }
    value["_links"] = all;
    Ok(value)
}
