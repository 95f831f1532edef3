//! The token endpoint: `POST /oauth2/token` (RFC 6749 4.4.2), with the client's credentials in Basic or in the form.

use super::clients::Known;
use super::{Secret, Tokens};
use crate::problem::Problem;
use crate::server::Peer;
use axum::body::{Body, to_bytes};
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The endpoint's path.
pub const TOKEN_PATH: &str = "/oauth2/token";

/// A token request is a few hundred bytes.
const FORM_BYTES_MAX: usize = 8 * 1024;

/// The answer (RFC 6749 5.1).
#[derive(Clone, Serialize, Deserialize)]
pub struct TokenAnswer {
    /// The token.
    pub access_token: Secret,
    /// `Bearer`.
    pub token_type: String,
    /// Seconds.
    pub expires_in: u64,
    /// What it is good for; empty = everything that the client's role may do.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
}

/// RFC 6749 5.2.
#[derive(Serialize)]
struct TokenError {
    error: &'static str,
    error_description: &'static str,
}

pub(crate) fn routes(tokens: Arc<Tokens>) -> Router {
    Router::new().route(TOKEN_PATH, post(issue)).with_state(tokens)
}

async fn issue(
    State(tokens): State<Arc<Tokens>>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match answer(&tokens, peer.map(|Extension(peer)| peer), &headers, body).await {
        Ok(answer) => no_store(Json(answer).into_response()),
        Err(response) => no_store(*response),
    }
}

fn no_store(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

fn refuse(status: StatusCode, error: &'static str, error_description: &'static str) -> Box<Response> {
    let body = Json(TokenError {
        error,
        error_description,
    });
    let mut response = (status, body).into_response();
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static("Basic realm=\"manifold\""),
        );
    }
    Box::new(response)
}

#[derive(Default)]
struct Form {
    grant_type: Option<String>,
    client_id: Option<String>,
    client_secret: Option<Secret>,
    scope: Option<String>,
}

async fn answer(
    tokens: &Arc<Tokens>,
    peer: Option<Peer>,
    headers: &HeaderMap,
    body: Body,
) -> Result<TokenAnswer, Box<Response>> {
    let bad = |why| refuse(StatusCode::BAD_REQUEST, "invalid_request", why);
    crate::body::require_one(headers, &["application/x-www-form-urlencoded"])
        .map_err(|_| bad("the request has to be application/x-www-form-urlencoded"))?;
    let bytes = to_bytes(body, FORM_BYTES_MAX)
        .await
        .map_err(|_| bad("the form is too large or broke off"))?;
    let form = read_form(&bytes).map_err(bad)?;
    let (id, secret) = match (basic(headers).map_err(bad)?, form.client_id, form.client_secret) {
        (Some(pair), _, None) => pair,
        (None, Some(id), Some(secret)) => (id, secret),
        (Some(_), _, Some(_)) => return Err(bad("credentials stand both in the header and in the form")),
        _ => {
            return Err(refuse(
                StatusCode::UNAUTHORIZED,
                "invalid_client",
                "the request carries no client credentials",
            ));
        }
    };
    let address = peer.map(|peer| peer.0.ip().to_string()).unwrap_or_default();
    let guesser = format!("{address} {id}");
    let later = |problem: Problem| Box::new(problem.into_response());
    tokens.failures.check(&guesser).map_err(later)?;
    let Some(known) = tokens.clients.verify(&id, &secret) else {
        tracing::warn!(client = %id.escape_debug(), from = %address, "A client showed a wrong secret.");
        // An emptied bucket shows itself at the next attempt.
        if let Err(problem) = tokens.failures.take(&guesser) {
            return Err(later(problem));
        }
        return Err(refuse(
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            "unknown client or wrong secret",
        ));
    };
    match form.grant_type.as_deref() {
        Some("client_credentials") => {}
        None => return Err(bad("grant_type is missing")),
        Some(_) => {
            return Err(refuse(
                StatusCode::BAD_REQUEST,
                "unsupported_grant_type",
                "only client_credentials is offered",
            ));
        }
    }
    let scope = grant_scope(known, form.scope.as_deref().unwrap_or("")).ok_or_else(|| {
        refuse(
            StatusCode::BAD_REQUEST,
            "invalid_scope",
            "the client may not ask for this scope",
        )
    })?;
    let token = tokens.issue(&id, known.role, &scope).map_err(|error| {
        tracing::error!(%error, "A token could not be signed.");
        refuse(
            StatusCode::INTERNAL_SERVER_ERROR,
            "server_error",
            "the token could not be made",
        )
    })?;
    Ok(TokenAnswer {
        access_token: Secret::new(token),
        token_type: "Bearer".to_owned(),
        expires_in: tokens.lifetime().as_secs(),
        scope,
    })
}

/// What is granted of `asked`: everything that was asked for, or nothing; without an ask, all that the client may.
fn grant_scope(known: &Known, asked: &str) -> Option<String> {
    let mut asked = asked.split_whitespace().peekable();
    if asked.peek().is_none() {
        return Some(known.scopes.join(" "));
    }
    let granted: Option<Vec<&str>> = asked
        .map(|scope| {
            let plain = scope
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || "_:-.".contains(letter));
            let may = known.scopes.is_empty() || known.scopes.iter().any(|own| own == scope);
            (plain && may).then_some(scope)
        })
        .collect();
    granted.map(|scopes| scopes.join(" "))
}

fn basic(headers: &HeaderMap) -> Result<Option<(String, Secret)>, &'static str> {
    const WRONG: &str = "the Authorization header is malformed";
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Ok(None);
    };
    let (scheme, credentials) = value.to_str().map_err(|_| WRONG)?.split_once(' ').ok_or(WRONG)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(WRONG);
    }
    let bytes = STANDARD.decode(credentials.trim()).map_err(|_| WRONG)?;
    let text = String::from_utf8(bytes).map_err(|_| WRONG)?;
    let (id, secret) = text.split_once(':').ok_or(WRONG)?;
    // RFC 6749 2.3.1: both are form-encoded before they are put together.
    Ok(Some((form_decode(id)?, Secret::new(form_decode(secret)?))))
}

fn form_decode(text: &str) -> Result<String, &'static str> {
    percent_encoding::percent_decode_str(&text.replace('+', " "))
        .decode_utf8()
        .map(|text| text.into_owned())
        .map_err(|_| "the form is not UTF-8")
}

fn read_form(bytes: &[u8]) -> Result<Form, &'static str> {
    let text = std::str::from_utf8(bytes).map_err(|_| "the form is not UTF-8")?;
    let mut form = Form::default();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = form_decode(value)?;
        let twice = match form_decode(name)?.as_str() {
            "grant_type" => form.grant_type.replace(value).is_some(),
            "client_id" => form.client_id.replace(value).is_some(),
            "client_secret" => form.client_secret.replace(Secret::new(value)).is_some(),
            "scope" => form.scope.replace(value).is_some(),
            // RFC 6749 3.2: what is not known is ignored.
            _ => false,
        };
        if twice {
            return Err("a parameter stands twice");
        }
    }
    Ok(form)
}
