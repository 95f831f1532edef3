//! Paging of large results (GS NFV-SOL 013 5.4.2.2): `Link: <…?nextpage_opaque_marker=…>; rel="next"`.
//!
//! A marker says after which key the next page begins, and of which query. Nothing is kept for it, so it never expires; a
//! marker that was altered, or that belongs to another query, ends in 400.

use super::{ListQuery, selector::Shape};
use crate::api::Links;
use axum::Json;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest;
use serde_json::Value;

/// The query parameter's name.
pub const PARAMETER: &str = "nextpage_opaque_marker";

/// How many resources a page holds: at a few kilobytes each it stays well below a megabyte.
pub const PAGE_SIZE: usize = 100;

/// The key after which a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker(pub String);

/// A marker that we did not give, or not for this query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the page marker does not belong to this query; ask for the first page again")]
pub struct NotOurMarker;

/// Enough to tell queries apart; not a secret, because a marker grants nothing that a filter would not.
const SUM_BYTES: usize = 8;

impl Marker {
    /// As text, bound to the query `rest`.
    pub fn encode(&self, rest: &str) -> String {
        let mut bytes = sum(&self.0, rest);
        bytes.extend_from_slice(self.0.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a marker that was made for the query `rest`.
    pub fn decode(text: &str, rest: &str) -> Result<Self, NotOurMarker> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| NotOurMarker)?;
        let (found, key) = bytes.split_at_checked(SUM_BYTES).ok_or(NotOurMarker)?;
        let key = std::str::from_utf8(key).map_err(|_| NotOurMarker)?;
        if found == sum(key, rest) {
            Ok(Self(key.to_owned()))
        } else {
            Err(NotOurMarker)
        }
    }
}

fn sum(key: &str, rest: &str) -> Vec<u8> {
    let mut digest = digest::Context::new(&digest::SHA256);
    digest.update(&(key.len() as u64).to_be_bytes());
    digest.update(key.as_bytes());
    digest.update(rest.as_bytes());
    digest.finish().as_ref().iter().copied().take(SUM_BYTES).collect()
}

/// One page of a list, as a response: an array, and the link to the next page if there is one.
#[derive(Debug, Clone)]
pub struct Page {
    items: Vec<Value>,
    link: Option<String>,
}

impl Page {
    /// From all resources of a container, each with its key, in the order of the keys: filters, selects and cuts. For
    /// containers that the store pages itself use [`Page::of`].
    pub fn cut<K: AsRef<str>>(
        links: &Links,
        query: &ListQuery,
        shape: &Shape,
        path: &[&str],
        resources: impl IntoIterator<Item = (K, Value)>,
    ) -> Self {
        let after = query.marker.as_ref().map(|marker| marker.0.as_str());
        let mut items = Vec::new();
        let mut last: Option<String> = None;
        let mut next = None;
        for (key, resource) in resources {
            if after.is_some_and(|after| key.as_ref() <= after) {
                continue;
            }
            let Some(shown) = query.show(resource, shape) else {
                continue;
            };
            if items.len() == PAGE_SIZE {
                next = last.take();
                break;
            }
            items.push(shown);
            last = Some(key.as_ref().to_owned());
        }
        Self::of(links, query, path, items, next)
    }

    /// From resources that are already filtered, selected and cut, and the key of the last one if more follow.
    pub fn of(links: &Links, query: &ListQuery, path: &[&str], items: Vec<Value>, next: Option<String>) -> Self {
        let link = next.map(|key| {
            let marker = Marker(key).encode(&query.rest);
            let and = if query.rest.is_empty() { "" } else { "&" };
            format!(
                "<{}?{}{and}{PARAMETER}={marker}>; rel=\"next\"",
                links.resource(path),
                query.rest
            )
        });
        Self { items, link }
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let mut response = Json(self.items).into_response();
        // The query came through a URI, so it can stand in a header.
        if let Some(value) = self.link.and_then(|link| HeaderValue::from_str(&link).ok()) {
            response.headers_mut().insert(header::LINK, value);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_read_only_with_its_own_query_and_unaltered() {
        let text = Marker("key-7".into()).encode("filter=(eq,a,b)");
        assert_eq!(Marker::decode(&text, "filter=(eq,a,b)"), Ok(Marker("key-7".into())));
        assert_eq!(Marker::decode(&text, "filter=(eq,a,c)"), Err(NotOurMarker));
        let mut altered = text.clone();
        altered.replace_range(..1, if text.starts_with('A') { "B" } else { "A" });
        assert_eq!(Marker::decode(&altered, "filter=(eq,a,b)"), Err(NotOurMarker));
        for garbage in ["", "x", "&&&", "AAAA"] {
            assert_eq!(Marker::decode(garbage, ""), Err(NotOurMarker));
        }
    }
}
