//! `ETag` and `If-Match` over revisions (RFC 9110 8.8.3, 13.1.1): 412 when the resource changed since it was read.

use crate::problem::Problem;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

/// Adds the entity tag of this revision to a response.
pub fn with_etag(mut response: Response, revision: u64) -> Response {
    if let Ok(value) = HeaderValue::from_str(&tag(revision)) {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
}

fn tag(revision: u64) -> String {
    format!("\"{revision}\"")
}

/// The request's `If-Match`: an extractor. Absent, or `*`, fits every revision.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IfMatch(Option<Vec<String>>);

impl IfMatch {
    /// 412 unless the resource still has one of the revisions that were named.
    pub fn check(&self, revision: u64) -> Result<(), Problem> {
        match &self.0 {
            Some(tags) if !tags.contains(&tag(revision)) => Err(Problem::new(
                StatusCode::PRECONDITION_FAILED,
                "the resource changed since it was read",
            )
            .cure("read it again")),
            _ => Ok(()),
        }
    }

    /// The revision, where exactly one of ours was named: for a compare-and-swap in the store.
    pub fn revision(&self) -> Option<u64> {
        match self.0.as_deref() {
            Some([only]) => only.trim_matches('"').parse().ok(),
            _ => None,
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let mut tags = Vec::new();
        for value in parts.headers.get_all(header::IF_MATCH) {
            let text = value
                .to_str()
                .map_err(|_| Problem::bad_request("If-Match is malformed"))?;
            // Our tags hold no commas, so splitting there cannot make one of ours out of another's.
            tags.extend(text.split(',').map(|tag| tag.trim().to_owned()));
        }
        if tags.is_empty() || tags.iter().any(|tag| tag == "*") {
            Ok(Self(None))
        } else {
            Ok(Self(Some(tags)))
        }
    }
}
