//! What a request is about: the VIM and the resource that its path names, on whose behalf, and the links of the answer.

use super::Producer;
use axum::extract::{FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use manifold_call::{CallError, Context};
use manifold_http::api::{Links, created};
use manifold_http::auth::Caller;
use manifold_http::problem::{Answer, Problem};
use manifold_vim_interface::{QueryFilter, VimHandle};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::str::FromStr;

/// An extractor of every route below `/vims/{vimId}`.
pub(super) struct At {
    /// Its handles are bound to the caller's role.
    pub(super) vim: VimHandle,
    /// For the call.
    pub(super) context: Context,
    links: Links,
    /// The path's `{id}`; empty on a container.
    id: String,
}

impl FromRequestParts<Producer> for At {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, producer: &Producer) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, producer).await?;
        let links = Links::from_request_parts(parts, producer).await?;
        let Path(mut names) = Path::<BTreeMap<String, String>>::from_request_parts(parts, producer)
            .await
            .map_err(|_| Problem::bad_request("the path is malformed"))?;
        let vim = producer.vim(&caller, names.get("vimId").map_or("", String::as_str))?;
        Ok(Self {
            vim,
            context: caller.context,
            links,
            id: names.remove("id").unwrap_or_default(),
        })
    }
}

impl At {
    /// The identifier in the path; what is no identifier names nothing that exists.
    pub(super) fn id<T: FromStr>(&self) -> Answer<T> {
        self.id.parse().map_err(|_| self.missing())
    }

    fn missing(&self) -> Problem {
        CallError::not_found(format!("there is no resource {:?}", self.id)).into()
    }

    /// The filter that only the path's resource matches.
    pub(super) fn only<T: FromStr + ToString>(&self, attribute: &str) -> Answer<QueryFilter> {
        let id: T = self.id()?;
        Ok(QueryFilter {
            filter: format!("(eq,{attribute},{})", id.to_string()),
        })
    }

    /// What [`At::only`] found, or 404.
    pub(super) fn found<T>(&self, found: Vec<T>) -> Answer<T> {
        found.into_iter().next().ok_or_else(|| self.missing())
    }

    pub(super) fn links(&self) -> &Links {
        &self.links
    }

    /// The resource with `_links.self`.
    pub(super) fn linked(&self, container: &str, id: &str, resource: impl Serialize) -> Answer<Value> {
        let mut value = json_of(resource)?;
        value["_links"] = json!({ "self": self.links.link(&["vims", &self.vim.id, container, id]) });
        Ok(value)
    }

    /// 201 with the resource.
    pub(super) fn created(&self, container: &str, id: &str, resource: impl Serialize) -> Answer<Response> {
        Ok(created(
            &self.links.resource(&["vims", &self.vim.id, container, id]),
            self.linked(container, id, resource)?,
        ))
    }

    /// 204 if the path's resource is among those that are gone; a producer that could not end it without an error of its own
    /// has to be asked again.
    pub(super) fn gone<T: PartialEq>(&self, id: T, gone: &[T]) -> Answer<StatusCode> {
        match gone.contains(&id) {
            true => Ok(StatusCode::NO_CONTENT),
            false => Err(CallError::busy(format!("the resource {:?} could not be ended yet", self.id)).into()),
        }
    }
}

pub(super) fn json_of(resource: impl Serialize) -> Answer<Value> {
    serde_json::to_value(resource).map_err(|error| {
        CallError::internal("a resource could not be written as JSON")
            .caused_by(error)
            .into()
    })
}
