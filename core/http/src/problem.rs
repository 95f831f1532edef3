//! ProblemDetails (RFC 7807; GS NFV-SOL 013 6.3), made of an error in one place, and read back in one place.
//!
//! | kind | status | what it tells the client |
//! |---|---|---|
//! | `Invalid` | 422 | Well-formed, but contradicts itself, its types or its descriptor: change the request. |
//! | `Unauthenticated` | 401 | No token, or not a valid one: ask for a token. |
//! | `Forbidden` | 403 | This role or tenant may not: the same request never succeeds. |
//! | `NotFound` | 404 | No such resource for this tenant. |
//! | `Unsupported` | 404 | The task is not offered for this resource (GS NFV-SOL 003 wants 404 here, with ProblemDetails). |
//! | `Conflict` | 409 | The resource's state does not allow it: change the state first. |
//! | `Busy` | 409 | Another operation holds the resource: the same request later; `Retry-After` is set. |
//! | `Exhausted` | 409 | Something that is counted has run out: free some, or ask for less. |
//! | `Stale` | 412 | The resource changed since it was read: read it again. |
//! | `Internal` | 500 | A fault of the producer. |
//! | `Unavailable` | 503 | The same request later; `Retry-After` is set. |
//! | `TimedOut` | 504 | No answer in time; the effect may have happened: look before repeating. |
//!
//! The protocol itself adds 400 (malformed), 405, 406, 413, 414, 415, 429 and 431.
//!
//! Two extension members are ours: `kind` (kinds that share a status stay apart) and `cure` (what to do next).

use axum::Json;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use manifold_call::{CallError, ErrorKind};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// The media type of every error's body.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// What `Retry-After` says when nobody knows better, in seconds: longer than a usual lifecycle step, short enough for a person.
pub const RETRY_AFTER_S: u32 = 2;

/// The body of an error (GS NFV-SOL 013 6.3): `status` and `detail` are always there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemDetails {
    /// A URI that names the sort of problem; absent means `about:blank`.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub problem_type: Option<String>,
    /// The sort of problem, for people; the same for every occurrence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The HTTP status.
    pub status: u16,
    /// What was refused, about which object.
    pub detail: String,
    /// A URI of this very occurrence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// The error kind (ours).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<ErrorKind>,
    /// What to do next (ours).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cure: Option<String>,
    /// Members that other producers add.
    #[serde(flatten)]
    #[schema(value_type = std::collections::BTreeMap<String, Value>)]
    pub extensions: Map<String, Value>,
}

/// An error on its way to the client: ProblemDetails and the headers that go with it.
#[derive(Debug, Clone)]
pub struct Problem {
    /// The body.
    pub details: Box<ProblemDetails>,
    headers: Box<HeaderMap>,
}

/// The result of a handler.
pub type Answer<T> = Result<T, Problem>;

impl Problem {
    /// A problem of the protocol itself, which no error kind stands for.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            details: Box::new(ProblemDetails {
                problem_type: None,
                title: status.canonical_reason().map(str::to_owned),
                status: status.as_u16(),
                detail: detail.into(),
                instance: None,
                kind: None,
                cure: None,
                extensions: Map::new(),
            }),
            headers: Box::default(),
        }
    }

    /// 400: malformed.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// Adds what the client can do about it.
    pub fn cure(mut self, cure: impl Into<String>) -> Self {
        self.details.cure = Some(cure.into());
        self
    }

    /// Adds a header; one whose value cannot stand in a header is left out.
    pub fn header(mut self, name: header::HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    /// Says when to come back.
    pub fn retry_after(self, seconds: u32) -> Self {
        self.header(header::RETRY_AFTER, &seconds.to_string())
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.details.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl From<CallError> for Problem {
    fn from(error: CallError) -> Self {
        let status = StatusCode::from_u16(error.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if error.kind == ErrorKind::Internal {
            tracing::error!(error = ?error, "A request ended in a fault of ours.");
        }
        let mut problem = Problem::new(status, error.detail);
        problem.details.title = Some(error.kind.title().to_owned());
        problem.details.kind = Some(error.kind);
        problem.details.cure = error.cure;
        match error.kind {
            ErrorKind::Busy | ErrorKind::Unavailable => problem.retry_after(RETRY_AFTER_S),
            ErrorKind::Unauthenticated => problem.header(header::WWW_AUTHENTICATE, "Bearer"),
            ErrorKind::Invalid
            | ErrorKind::Forbidden
            | ErrorKind::NotFound
            | ErrorKind::Conflict
            | ErrorKind::Stale
            | ErrorKind::Exhausted
            | ErrorKind::Unsupported
            | ErrorKind::TimedOut
            | ErrorKind::Internal => problem,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        let status = self.status();
        let mut response = (status, Json(&self.details)).into_response();
        response.headers_mut().extend(*self.headers);
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        response
    }
}

/// What a neighbour's error answer means to us. Its 401 is our misconfiguration and never our caller's 401; its 429 and 503
/// are "later". A `kind` member is believed where it fits the status.
pub fn error_of(neighbour: &str, status: StatusCode, body: &[u8]) -> CallError {
    let details = serde_json::from_slice::<ProblemDetails>(body).ok();
    let told = details.as_ref().map_or_else(
        || format!("{neighbour} answered {status} without saying why"),
        |details| details.detail.clone(),
    );
    if status == StatusCode::UNAUTHORIZED {
        return CallError::internal(format!("{neighbour} did not accept our credentials")).cure(format!(
            "check the client id and secret that are configured for {neighbour}"
        ));
    }
    let kind = details
        .as_ref()
        .and_then(|details| details.kind)
        .filter(|kind| kind.status() == status.as_u16())
        .unwrap_or_else(|| kind_of(status));
    let mut error = CallError::internal(told);
    error.kind = kind;
    error.cure = details.and_then(|details| details.cure);
    error
}

fn kind_of(status: StatusCode) -> ErrorKind {
    match status.as_u16() {
        403 => ErrorKind::Forbidden,
        404 | 410 => ErrorKind::NotFound,
        405 | 406 | 415 | 501 => ErrorKind::Unsupported,
        408 | 504 => ErrorKind::TimedOut,
        409 => ErrorKind::Conflict,
        412 => ErrorKind::Stale,
        429 | 502 | 503 => ErrorKind::Unavailable,
        507 => ErrorKind::Exhausted,
        // The catch-all of client errors is 400 (GS NFV-SOL 013 6.4).
        400..=499 => ErrorKind::Invalid,
        _ => ErrorKind::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [ErrorKind; 12] = [
        ErrorKind::Invalid,
        ErrorKind::Unauthenticated,
        ErrorKind::Forbidden,
        ErrorKind::NotFound,
        ErrorKind::Conflict,
        ErrorKind::Busy,
        ErrorKind::Stale,
        ErrorKind::Exhausted,
        ErrorKind::Unsupported,
        ErrorKind::Unavailable,
        ErrorKind::TimedOut,
        ErrorKind::Internal,
    ];

    #[test]
    fn every_kind_but_unauthenticated_survives_the_wire_with_detail_and_cure() {
        for kind in KINDS {
            let mut error = CallError::internal("what was refused").cure("what to do");
            error.kind = kind;
            let problem = Problem::from(error.clone());
            let body = serde_json::to_vec(&problem.details).unwrap();
            let back = error_of("the VIM", problem.status(), &body);
            if kind == ErrorKind::Unauthenticated {
                assert_eq!(back.kind, ErrorKind::Internal);
                assert!(!back.detail.contains("what was refused"));
            } else {
                assert_eq!(back, error);
            }
        }
    }

    #[test]
    fn a_kind_that_contradicts_the_status_is_not_believed() {
        let body = br#"{"status":503,"detail":"x","kind":"NOT_FOUND"}"#;
        assert_eq!(
            error_of("the VIM", StatusCode::SERVICE_UNAVAILABLE, body).kind,
            ErrorKind::Unavailable
        );
    }

    #[test]
    fn an_answer_that_is_no_problem_details_is_still_translated() {
        let error = error_of("the VIM", StatusCode::TOO_MANY_REQUESTS, b"<html>slow down</html>");
        assert_eq!(error.kind, ErrorKind::Unavailable);
        assert!(error.detail.contains("the VIM answered 429"));
    }
}
