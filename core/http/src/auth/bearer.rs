//! From a bearer token to the principal, and from the request to the [`Context`] of its call.

use super::Tokens;
use super::token::Refused;
use crate::api::Api;
use crate::context_headers;
use crate::limits::{RateLimiter, RouteLimit};
use crate::problem::Problem;
use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use manifold_call::{Context, Role, TenantId};

/// Who is asking, as the token proves: an extractor, behind the bearer check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The client.
    pub client_id: String,
    /// The role of all its calls.
    pub role: Role,
    /// The tenant of requests that name none.
    pub default_tenant: TenantId,
    /// The other tenants that it may name; `None` = any.
    pub tenants: Option<Vec<TenantId>>,
    /// What the token is good for; empty = every API.
    pub scopes: Vec<String>,
}

impl Principal {
    /// The tenant on whose behalf a request is made; 403 for one that the client may not name.
    pub fn tenant(&self, asked: Option<TenantId>) -> Result<TenantId, Problem> {
        let Some(asked) = asked else {
            return Ok(self.default_tenant.clone());
        };
        let may = asked == self.default_tenant || self.tenants.as_ref().is_none_or(|tenants| tenants.contains(&asked));
        if may {
            Ok(asked)
        } else {
            Err(Problem::new(
                StatusCode::FORBIDDEN,
                format!("the client {} may not act for the tenant {asked}", self.client_id),
            ))
        }
    }
}

/// The principal and the context of the call that the request asks for: the extractor of most handlers. The deadline is the
/// earlier of the client's and the route's own.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who.
    pub principal: Principal,
    /// For the call.
    pub context: Context,
}

fn principal(parts: &Parts) -> Result<Principal, Problem> {
    parts
        .extensions
        .get::<Principal>()
        .cloned()
        .ok_or_else(|| unauthenticated("the request carries no token", None))
}

impl<S: Send + Sync> FromRequestParts<S> for Principal {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        principal(parts)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let principal = principal(parts)?;
        let limit = parts
            .extensions
            .get::<RouteLimit>()
            .map_or(Context::DEFAULT_LIMIT, |limit| limit.0);
        let context = context_headers::read(&parts.headers, limit, |tenant| principal.tenant(tenant))?;
        Ok(Self { principal, context })
    }
}

const REALM: &str = "Bearer realm=\"manifold\"";

fn unauthenticated(detail: &str, error: Option<&str>) -> Problem {
    let challenge = match error {
        Some(error) => format!("{REALM}, error=\"{error}\""),
        // RFC 6750 3.1: a request without any token gets no error code.
        None => REALM.to_owned(),
    };
    Problem::new(StatusCode::UNAUTHORIZED, detail)
        .cure("ask for a token at /oauth2/token")
        .header(header::WWW_AUTHENTICATE, &challenge)
}

fn token_of(headers: &HeaderMap) -> Result<&str, Problem> {
    let malformed = || {
        Problem::bad_request("the Authorization header is malformed")
            .header(header::WWW_AUTHENTICATE, &format!("{REALM}, error=\"invalid_request\""))
    };
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Err(unauthenticated("the request carries no token", None));
    };
    if values.next().is_some() {
        return Err(malformed());
    }
    let (scheme, token) = value
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .ok_or_else(malformed)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(unauthenticated("the request carries no bearer token", None));
    }
    Ok(token.trim())
}

/// Puts the [`Principal`] into the request, or refuses it.
pub(crate) fn authenticate(tokens: &Tokens, rates: &RateLimiter, request: &mut Request) -> Result<(), Problem> {
    let principal = match tokens.check(token_of(request.headers())?) {
        Ok(principal) => principal,
        Err(Refused::Malformed) => {
            return Err(Problem::bad_request("the token is malformed")
                .header(header::WWW_AUTHENTICATE, &format!("{REALM}, error=\"invalid_request\"")));
        }
        Err(Refused::Invalid) => {
            return Err(unauthenticated(
                "the token is not valid (any more)",
                Some("invalid_token"),
            ));
        }
    };
    rates.take(&principal.client_id)?;
    request.extensions_mut().insert(principal);
    Ok(())
}

/// 403 unless the token is good for the API.
pub(crate) fn permit_scope(api: &Api, request: &Request) -> Result<(), Problem> {
    let Some(principal) = request.extensions().get::<Principal>() else {
        return Ok(());
    };
    let wanted = format!("{}:{}:all", api.name, api.major);
    if principal.scopes.is_empty() || principal.scopes.contains(&wanted) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        format!("the token's scope does not hold {wanted}"),
    )
    .cure("ask for a token with that scope")
    .header(
        header::WWW_AUTHENTICATE,
        &format!("{REALM}, error=\"insufficient_scope\", scope=\"{wanted}\""),
    ))
}
