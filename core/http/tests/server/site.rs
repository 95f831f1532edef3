//! A listening server with one small API.

use axum::extract::{Path, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use manifold_call::{CallError, Role, TenantId};
use manifold_http::api::{Api, Links, PublicRoot, accepted, created};
use manifold_http::auth::{Caller, ClientEntry, Clients, Secret, SigningKey, Tokens};
use manifold_http::body::{JsonBody, MergePatch, OptionalJson, stream_to};
use manifold_http::client::{ApiClient, ApiClientConfig, Credentials, Trust};
use manifold_http::conditional::{IfMatch, with_etag};
use manifold_http::limits::Limits;
use manifold_http::metrics::HttpMetrics;
use manifold_http::problem::{Answer, Problem};
use manifold_http::query::{ListQuery, page::Page, selector::Shape};
use manifold_http::tls::TlsConfig;
use manifold_http::{Edge, server};
use prometheus_client::registry::Registry;
use serde::Deserialize;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) const API: Api = Api::new("widgets", "v1", &["1.2.0", "1.1.0"]).producing(&["application/zip"]);
pub(crate) const OTHER: Api = Api::new("gadgets", "v2", &["2.0.0"]);

pub(crate) const SHAPE: Shape = Shape {
    attributes: &["id", "number", "parts"],
    default_exclude: &["parts"],
    mandatory: &[],
};

/// How many widgets there are: three pages.
pub(crate) const WIDGETS: usize = 250;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewWidget {
    number: u32,
}

async fn list(_caller: Caller, links: Links, query: ListQuery) -> Answer<Page> {
    query.check(&SHAPE)?;
    let all = (0..WIDGETS).map(|number| {
        let id = format!("{number:05}");
        (id.clone(), json!({"id": id, "number": number, "parts": [{"a": 1}]}))
    });
    Ok(Page::cut(&links, &query, &SHAPE, &["widgets"], all))
}

async fn create(caller: Caller, links: Links, JsonBody(ask): JsonBody<NewWidget>) -> Response {
    let body = json!({"number": ask.number, "tenant": caller.context.tenant, "role": caller.principal.role});
    created(&links.resource(&["widgets", "a b"]), body)
}

async fn change(_caller: Caller, tag: IfMatch, MergePatch(patch): MergePatch<Value>) -> Answer<Response> {
    tag.check(7)?;
    Ok(with_etag(Json(patch).into_response(), 8))
}

async fn task(links: Links, OptionalJson(body): OptionalJson<Value>) -> Response {
    match body {
        Some(body) => Json(body).into_response(),
        None => accepted(&links.resource(&["occurrences", "o1"])),
    }
}

async fn fail(Path(kind): Path<String>) -> Answer<()> {
    Err(match kind.as_str() {
        "busy" => CallError::busy("the widget is busy").cure("wait for o1"),
        "exhausted" => CallError::exhausted("no widget is left"),
        "panic" => panic!("the secret reason"),
        _ => CallError::not_found("no such widget"),
    }
    .into())
}

async fn slow() {
    std::future::pending::<()>().await;
}

async fn upload(request: Request) -> Answer<String> {
    let limits = request.extensions().get::<Limits>().unwrap().clone();
    let (parts, body) = request.into_parts();
    let mut sink = tokio::io::sink();
    let length = stream_to(&parts.headers, body, &limits, &mut sink).await?;
    Ok(length.to_string())
}

/// Refuses the first two attempts.
fn flaky() -> Router {
    let count = Arc::new(AtomicU32::new(0));
    let answer = move || {
        let count = count.clone();
        async move {
            match count.fetch_add(1, Ordering::SeqCst) {
                0 | 1 => Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "warming up")),
                attempt => Ok(Json(attempt + 1)),
            }
        }
    };
    Router::new().route("/flaky", get(answer.clone()).post(answer))
}

pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    pub(crate) registry: Registry,
    pub(crate) tls: Option<TlsConfig>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Result<(), server::ServeError>>,
}

pub(crate) fn clients() -> Clients {
    let entry = |id: &str, role, tenants, scopes: &[&str]| ClientEntry {
        id: id.to_owned(),
        secret: Secret::new(format!("{id}'s secret +%&")),
        role,
        default_tenant: "tenant-a".into(),
        tenants,
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
    };
    Clients::new([
        entry("oss", Role::Oss, None, &[]),
        entry(
            "ccm",
            Role::Ccm,
            Some(vec![TenantId::from("tenant-b")]),
            &["gadgets:v2:all"],
        ),
    ])
    .unwrap()
}

pub(crate) fn tight() -> Limits {
    Limits {
        json_bytes: 1_000,
        upload_bytes: 100_000,
        uri_bytes: 2_000,
        request: Duration::from_millis(500),
        ..Limits::default()
    }
}

impl Site {
    pub(crate) async fn start() -> Self {
        Self::start_with(tight(), Tokens::new(clients(), SigningKey::random()), None).await
    }

    pub(crate) async fn start_with(limits: Limits, tokens: Tokens, tls: Option<TlsConfig>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::start_on(listener, limits, tokens, tls).await
    }

    pub(crate) async fn start_on(
        listener: TcpListener,
        limits: Limits,
        tokens: Tokens,
        tls: Option<TlsConfig>,
    ) -> Self {
        let address = listener.local_addr().unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let root = PublicRoot::parse(&format!("{scheme}://127.0.0.1:{}", address.port())).unwrap();
        let mut registry = Registry::default();
        let metrics = HttpMetrics::register(&mut registry);
        let routes = Router::new()
            .route("/widgets", get(list).post(create))
            .route(
                "/widgets/{id}",
                get(|| async { with_etag(Json("w").into_response(), 7) }).patch(change),
            )
            .route("/widgets/{id}/task", post(task))
            .route("/fail/{kind}", get(fail))
            .route("/slow", get(slow))
            .merge(flaky());
        let uploads = Router::new().route("/widgets/{id}/content", put(upload));
        let other = Router::new().route(
            "/gadgets",
            get(|caller: Caller| async move { Json(caller.context.tenant) }),
        );
        let router = Edge::new(root, Arc::new(tokens), limits, metrics)
            .api_with_slow(API, routes, uploads)
            .api(OTHER, other)
            .open(Router::new().route("/healthz", get(|| async { "fine" })))
            .into_router();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(server::serve(listener, router, tls.clone(), async {
            stopped.await.ok();
        }));
        Self {
            address,
            registry,
            tls,
            stop: Some(stop),
            task,
        }
    }

    pub(crate) fn root(&self) -> PublicRoot {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        PublicRoot::parse(&format!("{scheme}://{}", self.address)).unwrap()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.root().as_str())
    }

    pub(crate) fn client_with(&self, id: &str, secret: Secret, trust: Trust) -> ApiClient {
        ApiClient::new(ApiClientConfig {
            neighbour: "the widget maker".into(),
            root: self.root(),
            api: API.name.into(),
            major: API.major.into(),
            version: "1.2.0".into(),
            credentials: Credentials {
                client_id: id.into(),
                secret,
                token_url: None,
            },
            trust,
        })
        .unwrap()
    }

    pub(crate) fn client(&self) -> ApiClient {
        self.client_with("oss", Secret::new("oss's secret +%&"), Trust::Loopback)
    }

    pub(crate) async fn stop(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        self.task.await.unwrap().unwrap();
    }
}
