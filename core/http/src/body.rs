//! Bodies of requests: JSON of a bounded size, merge patches, and uploads that stream.

use crate::limits::Limits;
use crate::problem::Problem;
use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use bytes::Bytes;
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::error::Category;
use tokio::io::{AsyncWrite, AsyncWriteExt};

/// The media type of partial changes (RFC 7396).
pub const MERGE_PATCH: &str = "application/merge-patch+json";

/// A JSON body: 415 for another media type, 413 when too large, 400 when it is no JSON, 422 when it is no `T`.
#[derive(Debug, Clone)]
pub struct JsonBody<T>(pub T);

/// The same, for tasks whose body may be absent: `None` when there is none.
#[derive(Debug, Clone)]
pub struct OptionalJson<T>(pub Option<T>);

/// A merge patch: `application/merge-patch+json`, or 415.
#[derive(Debug, Clone)]
pub struct MergePatch<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        require(request.headers(), "application/json")?;
        decode(&read(request).await?).map(Self)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for OptionalJson<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let typed = request.headers().get(header::CONTENT_TYPE).is_some();
        if typed {
            require(request.headers(), "application/json")?;
        }
        let bytes = read(request).await?;
        match (bytes.is_empty(), typed) {
            (true, _) => Ok(Self(None)),
            (false, true) => decode(&bytes).map(|body| Self(Some(body))),
            (false, false) => Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "the request has a body and no Content-Type",
            )),
        }
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for MergePatch<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        require(request.headers(), MERGE_PATCH)?;
        decode(&read(request).await?).map(Self)
    }
}

/// Applies a merge patch (RFC 7396 2).
pub fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(members) = target else { return };
    for (name, change) in changes {
        if change.is_null() {
            members.remove(name);
        } else {
            merge(members.entry(name.clone()).or_insert(Value::Null), change);
        }
    }
}

/// 415 unless the request's media type (without parameters) is one of the allowed ones, which is returned.
pub fn require_one<'a>(headers: &HeaderMap, allowed: &[&'a str]) -> Result<&'a str, Problem> {
    let found = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = found.map(|text| text.split(';').next().unwrap_or("").trim());
    allowed
        .iter()
        .find(|wanted| essence.is_some_and(|essence| essence.eq_ignore_ascii_case(wanted)))
        .copied()
        .ok_or_else(|| {
            Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                match found {
                    Some(found) => format!("Content-Type {found} is not accepted here"),
                    None => "the request has no Content-Type".to_owned(),
                },
            )
            .cure(format!("send {}", allowed.join(" or ")))
        })
}

fn require(headers: &HeaderMap, wanted: &'static str) -> Result<(), Problem> {
    require_one(headers, &[wanted]).map(|_| ())
}

fn decode<T: DeserializeOwned>(bytes: &Bytes) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|error| match error.classify() {
        Category::Data => Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            format!("the body does not fit: {error}"),
        ),
        Category::Io | Category::Syntax | Category::Eof => {
            Problem::bad_request(format!("the body is no JSON: {error}"))
        }
    })
}

fn too_large(limit: u64) -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("the body is larger than {limit} bytes"),
    )
}

async fn read(request: Request) -> Result<Bytes, Problem> {
    let limit = request
        .extensions()
        .get::<Limits>()
        .map_or(Limits::default().json_bytes, |limits| limits.json_bytes);
    check_length(request.headers(), limit as u64)?;
    let mut stream = request.into_body().into_data_stream();
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| Problem::bad_request("the body broke off"))?;
        if bytes.len() + chunk.len() > limit {
            return Err(too_large(limit as u64));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.into())
}

fn check_length(headers: &HeaderMap, limit: u64) -> Result<(), Problem> {
    let declared = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    match declared {
        Some(length) if length > limit => Err(too_large(limit)),
        _ => Ok(()),
    }
}

/// Streams an upload into `sink` and tells its length in bytes. 413 as soon as it is longer than `limit`, 408 when no byte
/// comes for [`Limits::upload_idle`]. What is in the sink after an error is of no use.
pub async fn stream_to(
    headers: &HeaderMap,
    body: Body,
    limits: &Limits,
    sink: &mut (impl AsyncWrite + Unpin),
) -> Result<u64, Problem> {
    let limit = limits.upload_bytes;
    check_length(headers, limit)?;
    let mut stream = body.into_data_stream();
    let mut length: u64 = 0;
    let stored = |error: std::io::Error| {
        tracing::error!(%error, "An upload could not be stored.");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the upload could not be stored")
    };
    loop {
        let next = tokio::time::timeout(limits.upload_idle, stream.next()).await;
        let chunk = match next {
            Err(_) => return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "the upload stalled")),
            Ok(None) => break,
            Ok(Some(Err(_))) => return Err(Problem::bad_request("the upload broke off")),
            Ok(Some(Ok(chunk))) => chunk,
        };
        length += chunk.len() as u64;
        if length > limit {
            return Err(too_large(limit));
        }
        sink.write_all(&chunk).await.map_err(stored)?;
    }
    sink.flush().await.map_err(stored)?;
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn merge_patches_do_what_the_examples_of_rfc_7396_say() {
        for (target, patch, result) in [
            (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
            (json!({"a":"b"}), json!({"a":null}), json!({})),
            (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
            (
                json!({"a":{"b":"c"}}),
                json!({"a":{"b":"d","c":null}}),
                json!({"a":{"b":"d"}}),
            ),
            (json!({"a":[{"b":"c"}]}), json!({"a":[1]}), json!({"a":[1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1})),
            (json!([1, 2]), json!({"a":"b","c":null}), json!({"a":"b"})),
            (json!({}), json!({"a":{"bb":{"ccc":null}}}), json!({"a":{"bb":{}}})),
        ] {
            let mut merged = target;
            merge(&mut merged, &patch);
            assert_eq!(merged, result);
        }
    }
}
