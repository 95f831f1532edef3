//! Metrics of a server: how many requests, how long, how many are refused for load. Labels have few values: paths are the
//! routes' own, never the clients'.

use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::time::Instant;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    path: String,
    method: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    path: String,
    method: &'static str,
    status: &'static str,
}

/// The metrics of one server. Cheap to clone.
#[derive(Debug, Clone)]
pub struct HttpMetrics {
    requests: Family<Outcome, Counter>,
    duration: Family<Route, Histogram, fn() -> Histogram>,
    in_flight: Gauge,
    shed: Counter,
}

/// From a lookup in memory (1 ms) to a request that a person gives up on, in seconds.
fn durations() -> Histogram {
    Histogram::new([
        0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
    ])
}

impl HttpMetrics {
    /// Makes and registers them: `http_requests_total`, `http_request_duration_seconds`, `http_requests_in_flight`,
    /// `http_requests_shed_total`.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            requests: Family::default(),
            duration: Family::new_with_constructor(durations),
            in_flight: Gauge::default(),
            shed: Counter::default(),
        };
        registry.register(
            "http_requests",
            "Requests that were answered, by route, method and class of status",
            metrics.requests.clone(),
        );
        registry.register(
            "http_request_duration_seconds",
            "From the end of the request's header to the beginning of the answer",
            metrics.duration.clone(),
        );
        registry.register(
            "http_requests_in_flight",
            "Requests that are being answered",
            metrics.in_flight.clone(),
        );
        registry.register(
            "http_requests_shed",
            "Requests that were refused because too many were being answered",
            metrics.shed.clone(),
        );
        metrics
    }

    pub(crate) fn shed(&self) {
        self.shed.inc();
    }

    pub(crate) async fn measure(State(metrics): State<HttpMetrics>, request: Request, next: Next) -> Response {
        let path = request
            .extensions()
            .get::<MatchedPath>()
            .map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
        let method = method_name(request.method());
        let started = Instant::now();
        // A client that goes away drops this future: the guard counts down all the same.
        let _guard = InFlight::enter(metrics.in_flight.clone());
        let response = next.run(request).await;
        let took = started.elapsed();
        tracing::debug!(
            path,
            method,
            status = response.status().as_u16(),
            took_us = took.as_micros(),
            "Answered."
        );
        let route = Route {
            path: path.clone(),
            method,
        };
        metrics.duration.get_or_create(&route).observe(took.as_secs_f64());
        let status = status_class(response.status());
        metrics.requests.get_or_create(&Outcome { path, method, status }).inc();
        response
    }
}

struct InFlight(Gauge);

impl InFlight {
    fn enter(gauge: Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

fn method_name(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        _ => "other",
    }
}

fn status_class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}
