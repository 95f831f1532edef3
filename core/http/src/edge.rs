//! The way of a request: measured, caught, bounded, authenticated, versioned, timed; then the handler.
//!
//! ```text
//! metrics ─> panics ─> URI length ─> load ─┬─> POST /oauth2/token
//!                                          ├─> GET …/api_versions
//!                                          ├─> open routes (health, metrics)
//!                                          └─> bearer ─> rate ─> scope ─> Version ─> Accept ─> time ─> handler
//! ```

use crate::api::{Api, Links, PublicRoot, VERSION};
use crate::auth::{self, Tokens};
use crate::limits::{Limits, RateLimiter, RouteLimit};
use crate::metrics::HttpMetrics;
use crate::problem::{Problem, RETRY_AFTER_S};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use std::any::Any;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument;

/// Puts APIs together into one router.
pub struct Edge {
    root: PublicRoot,
    tokens: Arc<Tokens>,
    limits: Limits,
    metrics: HttpMetrics,
    rates: Arc<RateLimiter>,
    router: Router,
}

impl Edge {
    /// With the token endpoint and nothing else yet. `root` is where clients find it.
    pub fn new(root: PublicRoot, tokens: Arc<Tokens>, limits: Limits, metrics: HttpMetrics) -> Self {
        let router = timed(seal_methods(auth::routes(tokens.clone())), limits.request);
        let rates = Arc::new(RateLimiter::new(f64::from(limits.rate_per_second), limits.burst));
        Self {
            root,
            tokens,
            limits,
            metrics,
            rates,
            router,
        }
    }

    /// Where clients find us.
    pub fn root(&self) -> &PublicRoot {
        &self.root
    }

    /// Adds an API: `routes` are below `/{name}/{major}`, behind the bearer check, and find [`Links`],
    /// [`crate::auth::Caller`] and [`Limits`] by their extractors.
    pub fn api(self, api: Api, routes: Router) -> Self {
        self.api_with_slow(api, routes, Router::new())
    }

    /// The same, with routes that take uploads or wait for changes: they have [`Limits::slow_request`] to answer.
    pub fn api_with_slow(mut self, api: Api, routes: Router, slow: Router) -> Self {
        let guard = Arc::new(Guard {
            links: Links::new(&self.root, &api),
            tokens: self.tokens.clone(),
            rates: self.rates.clone(),
            limits: self.limits.clone(),
            api: api.clone(),
        });
        let inner = timed(routes, self.limits.request).merge(timed(slow, self.limits.slow_request));
        let inner = seal(inner).layer(middleware::from_fn_with_state(guard, Guard::pass));
        let information = api.version_information(&self.root);
        let version = HeaderValue::from_static(api.preferred());
        let versions = get(move || async move { ([(VERSION, version)], Json(information)) });
        let both = Router::new()
            .route(&format!("/{}/api_versions", api.name), versions.clone())
            .route(&format!("/{}/{}/api_versions", api.name, api.major), versions);
        self.router = self
            .router
            .merge(seal_methods(both))
            .nest(&format!("/{}/{}", api.name, api.major), inner);
        self
    }

    /// Adds routes that need no token: health, metrics. They have to be harmless.
    pub fn open(mut self, routes: Router) -> Self {
        self.router = self.router.merge(timed(seal_methods(routes), self.limits.request));
        self
    }

    /// The whole.
    pub fn into_router(self) -> Router {
        let load = Arc::new(Semaphore::new(self.limits.in_flight));
        self.router
            .fallback(not_found)
            .layer(middleware::from_fn_with_state((load, self.metrics.clone()), shed))
            .layer(middleware::from_fn_with_state(self.limits.uri_bytes, bound_uri))
            .layer(CatchPanicLayer::custom(panicked))
            .layer(middleware::from_fn_with_state(self.metrics, HttpMetrics::measure))
    }
}

/// Unknown paths and verbs end in ProblemDetails.
fn seal(router: Router) -> Router {
    seal_methods(router).fallback(not_found)
}

fn seal_methods(router: Router) -> Router {
    router.method_not_allowed_fallback(async || {
        Problem::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "the resource does not support this method",
        )
    })
}

async fn not_found() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "there is no such resource")
}

fn panicked(cause: Box<dyn Any + Send + 'static>) -> Response {
    let said = cause
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| cause.downcast_ref::<&str>().copied())
        .unwrap_or("nothing");
    tracing::error!(said, "A handler panicked.");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "a fault of ours; the log says more").into_response()
}

async fn bound_uri(State(limit): State<usize>, request: Request, next: Next) -> Response {
    let uri = request.uri();
    let length = uri.path().len() + uri.query().map_or(0, |query| query.len() + 1);
    if length > limit {
        return Problem::new(
            StatusCode::URI_TOO_LONG,
            format!("the URI is longer than {limit} bytes"),
        )
        .into_response();
    }
    next.run(request).await
}

async fn shed(State((load, metrics)): State<(Arc<Semaphore>, HttpMetrics)>, request: Request, next: Next) -> Response {
    match load.try_acquire() {
        Ok(_permit) => next.run(request).await,
        Err(_) => {
            metrics.shed();
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too many requests are being answered")
                .retry_after(RETRY_AFTER_S)
                .into_response()
        }
    }
}

/// Answers 504 when a route takes longer than `limit`; its future is dropped.
fn timed(router: Router, limit: Duration) -> Router {
    router.layer(middleware::from_fn_with_state(limit, expire))
}

async fn expire(State(limit): State<Duration>, mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(RouteLimit(limit));
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(
            StatusCode::GATEWAY_TIMEOUT,
            "no answer in time; the effect may have happened",
        )
        .into_response(),
    }
}

/// What stands before the routes of one API.
struct Guard {
    api: Api,
    links: Links,
    tokens: Arc<Tokens>,
    rates: Arc<RateLimiter>,
    limits: Limits,
}

impl Guard {
    async fn pass(State(guard): State<Arc<Guard>>, mut request: Request, next: Next) -> Response {
        let checked = guard.check(&mut request);
        let spoken = checked.as_ref().copied().unwrap_or(guard.api.preferred());
        let mut response = match checked {
            Ok(_) => {
                let client = request
                    .extensions()
                    .get::<auth::Principal>()
                    .map(|principal| principal.client_id.clone())
                    .unwrap_or_default();
                let span = tracing::info_span!("http", api = guard.api.name, method = %request.method(), %client);
                next.run(request).instrument(span).await
            }
            Err(problem) => problem.into_response(),
        };
        response
            .headers_mut()
            .entry(VERSION)
            .or_insert(HeaderValue::from_static(spoken));
        response
    }

    fn check(&self, request: &mut Request) -> Result<&'static str, Problem> {
        auth::authenticate(&self.tokens, &self.rates, request)?;
        auth::permit_scope(&self.api, request)?;
        let version = self.api.negotiate(request.headers().get(VERSION))?;
        self.check_accept(request.headers())?;
        request.extensions_mut().insert(self.links.clone());
        request.extensions_mut().insert(self.limits.clone());
        Ok(version)
    }

    /// 406 when nothing of what the client takes can come. No `Accept` takes everything.
    fn check_accept(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let mut named = false;
        for value in headers.get_all(header::ACCEPT) {
            let text = value
                .to_str()
                .map_err(|_| Problem::bad_request("Accept is malformed"))?;
            for range in text.split(',') {
                named = true;
                let mut parts = range.split(';').map(str::trim);
                let essence = parts.next().unwrap_or("");
                let refused = parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
                if !refused && self.produces(essence) {
                    return Ok(());
                }
            }
        }
        if named {
            return Err(
                Problem::new(StatusCode::NOT_ACCEPTABLE, "nothing that Accept names is produced here")
                    .cure("accept application/json"),
            );
        }
        Ok(())
    }

    fn produces(&self, range: &str) -> bool {
        let fits = |media_type: &str| {
            let kind = media_type.split('/').next().unwrap_or("");
            range.eq_ignore_ascii_case(media_type)
                || range
                    .strip_suffix("/*")
                    .is_some_and(|prefix| prefix.eq_ignore_ascii_case(kind))
        };
        range == "*/*" || fits("application/json") || self.api.also_produces.iter().any(|media_type| fits(media_type))
    }
}
