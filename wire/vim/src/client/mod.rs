//! The consumer's side: [`VimClient`] implements the VIM's traits over HTTP.

mod compute;
mod images;
mod networks;
mod paths;
mod topology;

use crate::{MAJOR, NAME, VERSIONS};
use manifold_call::{CallError, Context, Outcome};
use manifold_http::api::PublicRoot;
use manifold_http::client::{ApiClient, ApiClientConfig, Credentials, Reply, SetupError, Trust};
use manifold_vim_interface::{QueryFilter, VimHandle};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// One remote VIM. Cheap to clone.
#[derive(Clone)]
pub struct VimClient {
    api: ApiClient,
    vim: Arc<str>,
}

impl VimClient {
    /// For the VIM `vim` of the program at `root`. The role is the one that `credentials` stand for there. Nothing is sent yet.
    pub fn new(root: &PublicRoot, vim: &str, credentials: &Credentials, trust: &Trust) -> Result<Self, SetupError> {
        Ok(Self {
            api: ApiClient::new(ApiClientConfig {
                neighbour: format!("the VIM {vim}"),
                root: root.clone(),
                api: NAME.into(),
                major: MAJOR.into(),
                version: VERSIONS.first().copied().unwrap_or_default().into(),
                credentials: credentials.clone(),
                trust: trust.clone(),
            })?,
            vim: vim.into(),
        })
    }

    /// As a handle. It is bound to no role here; the remote side authorises and traces. Whoever wants the calls in a trace of
    /// its own binds the parts with the interface's `Bound…` types.
    pub fn handle(&self) -> VimHandle {
        let all = Arc::new(self.clone());
        VimHandle {
            id: self.vim.to_string(),
            compute: all.clone(),
            networks: all.clone(),
            paths: all.clone(),
            traffic: all.clone(),
            flavours: all.clone(),
            images: all.clone(),
            topology: all,
        }
    }

    /// The segments of a path below this VIM's tree.
    fn path<'a>(&'a self, below: &[&'a str]) -> Vec<&'a str> {
        let mut path = vec!["vims", &*self.vim];
        path.extend_from_slice(below);
        path
    }

    async fn list<T: DeserializeOwned>(&self, cx: &Context, container: &str, query: &QueryFilter) -> Outcome<Vec<T>> {
        let filter = [("filter", query.filter.as_str())];
        // An empty filter is no filter.
        let parameters = if query.filter.is_empty() {
            &filter[..0]
        } else {
            &filter[..]
        };
        self.api.list(cx, &self.path(&[container]), parameters).await
    }

    async fn post<T: DeserializeOwned>(&self, cx: &Context, below: &[&str], body: &impl Serialize) -> Outcome<T> {
        let reply = self.api.post(cx, &self.path(below), body).await?;
        self.body(reply)
    }

    async fn get<T: DeserializeOwned>(&self, cx: &Context, below: &[&str]) -> Outcome<T> {
        self.api.get(cx, &self.path(below)).await
    }

    async fn delete(&self, cx: &Context, below: &[&str]) -> Outcome<()> {
        self.api.delete(cx, &self.path(below), None).await
    }

    fn body<T>(&self, reply: Reply<T>) -> Outcome<T> {
        reply
            .body
            .ok_or_else(|| CallError::internal(format!("{} answered without a body", self.api.neighbour())))
    }
}
