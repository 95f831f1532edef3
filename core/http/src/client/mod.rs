//! The client's half: what every client of an API needs, so that a client of one interface is only its operations.
//!
//! Each call carries token, `Version`, and the [`Context`] as headers; ends at the context's deadline; is repeated with
//! back-off only where that is safe (the request did not leave, or the method is idempotent, or the wish has a key); and
//! fails with a [`CallError`] that says what the neighbour's answer means to us ([`crate::problem::error_of`]).

mod credentials;
mod trust;

pub use credentials::Credentials;
pub use trust::{SetupError, Trust};

use crate::api::{PublicRoot, VERSION};
use crate::body::MERGE_PATCH;
use crate::problem::error_of;
use crate::{api, context_headers};
use bytes::Bytes;
use credentials::TokenCache;
use futures_util::{Stream, StreamExt};
use manifold_call::{CallError, Context, Outcome};
use reqwest::header::{ACCEPT, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_MATCH, LINK, LOCATION, RETRY_AFTER};
use reqwest::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// Largest JSON answer that is read, in bytes: a page of a hundred large resources is a few megabytes.
const ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Pages of one list: a hundred thousand resources at a hundred a page.
const PAGES_MAX: usize = 1_000;

/// Attempts at one request, the first included: with the pauses below they span about two seconds.
const ATTEMPTS_MAX: u32 = 5;

/// The first pause; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The longest pause that a `Retry-After` can ask for.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// For one connection to be made.
const CONNECT: Duration = Duration::from_secs(5);

/// Where an API is and how to get in.
#[derive(Debug, Clone)]
pub struct ApiClientConfig {
    /// What errors and logs call the producer: `the VIM site-1`.
    pub neighbour: String,
    /// Where it is.
    pub root: PublicRoot,
    /// Name in the URI: `nslcm`.
    pub api: String,
    /// Major version in the URI: `v2`.
    pub major: String,
    /// What the `Version` header says.
    pub version: String,
    /// Who we are.
    pub credentials: Credentials,
    /// Whom we believe to be the producer.
    pub trust: Trust,
}

/// A client of one API. Cheap to clone.
#[derive(Clone)]
pub struct ApiClient {
    inner: Arc<Inner>,
}

struct Inner {
    neighbour: String,
    prefix: String,
    version: HeaderValue,
    http: reqwest::Client,
    tokens: TokenCache,
}

/// A successful answer.
#[derive(Debug, Clone)]
pub struct Reply<T> {
    /// The status.
    pub status: StatusCode,
    /// Where the new resource or the occurrence is.
    pub location: Option<String>,
    /// The resource's entity tag.
    pub etag: Option<String>,
    /// The body; `None` when there was none.
    pub body: Option<T>,
}

impl<T> Reply<T> {
    /// The last segment of the location: the id of what was made, or of the occurrence.
    pub fn location_id(&self) -> Option<&str> {
        self.location.as_deref()?.trim_end_matches('/').rsplit('/').next()
    }
}

/// A request that can be sent more than once.
struct Ask<'a> {
    method: Method,
    path: &'a [&'a str],
    query: String,
    accept: &'a str,
    if_match: Option<&'a str>,
    body: Option<(&'static str, Bytes)>,
}

impl<'a> Ask<'a> {
    fn new(method: Method, path: &'a [&'a str]) -> Self {
        Self {
            method,
            path,
            query: String::new(),
            accept: "application/json",
            if_match: None,
            body: None,
        }
    }

    fn json(mut self, media_type: &'static str, body: &impl Serialize) -> Outcome<Self> {
        let bytes = serde_json::to_vec(body)
            .map_err(|error| CallError::internal("a request has no JSON form").caused_by(error))?;
        self.body = Some((media_type, bytes.into()));
        Ok(self)
    }
}

impl ApiClient {
    /// A client; nothing is sent yet.
    pub fn new(config: ApiClientConfig) -> Result<Self, SetupError> {
        let http = trust::http_client(&config.root, &config.trust, CONNECT)?;
        let version =
            HeaderValue::from_str(&config.version).map_err(|_| SetupError::Version(config.version.clone()))?;
        let tokens = TokenCache::new(&config.neighbour, &config.root, config.credentials)?;
        Ok(Self {
            inner: Arc::new(Inner {
                prefix: format!("{}/{}/{}", config.root.as_str(), config.api, config.major),
                neighbour: config.neighbour,
                version,
                http,
                tokens,
            }),
        })
    }

    /// What errors call the producer.
    pub fn neighbour(&self) -> &str {
        &self.inner.neighbour
    }

    /// Reads a resource.
    pub async fn get<T: DeserializeOwned>(&self, cx: &Context, path: &[&str]) -> Outcome<T> {
        self.get_reply(cx, path).await.and_then(|reply| self.body_of(reply))
    }

    /// Reads a resource with its entity tag.
    pub async fn get_reply<T: DeserializeOwned>(&self, cx: &Context, path: &[&str]) -> Outcome<Reply<T>> {
        self.exchange(cx, Ask::new(Method::GET, path)).await
    }

    /// Reads a whole container, page by page. `query` is what stands after `?`, as `filter` and selectors.
    pub async fn list<T: DeserializeOwned>(
        &self,
        cx: &Context,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Outcome<Vec<T>> {
        let mut all = Vec::new();
        let mut next = encode_query(query);
        for _ in 0..PAGES_MAX {
            let mut ask = Ask::new(Method::GET, path);
            ask.query = next;
            let (headers, bytes) = self
                .bounded(cx, async {
                    let response = self.send(cx, &ask).await?;
                    let headers = response.headers().clone();
                    Ok((headers, self.read(response).await?))
                })
                .await?;
            all.extend(self.decode::<Vec<T>>(&bytes)?);
            match next_query(&headers) {
                Some(query) => next = query,
                None => return Ok(all),
            }
        }
        Err(
            CallError::exhausted(format!("{} lists more than {PAGES_MAX} pages", self.inner.neighbour))
                .cure("ask with a filter"),
        )
    }

    /// Creates a resource, or asks for a task.
    pub async fn post<T: DeserializeOwned>(
        &self,
        cx: &Context,
        path: &[&str],
        body: &impl Serialize,
    ) -> Outcome<Reply<T>> {
        let ask = Ask::new(Method::POST, path).json("application/json", body)?;
        self.exchange(cx, ask).await
    }

    /// Asks for a task that has no body.
    pub async fn post_empty<T: DeserializeOwned>(&self, cx: &Context, path: &[&str]) -> Outcome<Reply<T>> {
        self.exchange(cx, Ask::new(Method::POST, path)).await
    }

    /// Replaces a resource.
    pub async fn put<T: DeserializeOwned>(
        &self,
        cx: &Context,
        path: &[&str],
        body: &impl Serialize,
    ) -> Outcome<Reply<T>> {
        let ask = Ask::new(Method::PUT, path).json("application/json", body)?;
        self.exchange(cx, ask).await
    }

    /// The same, with what stands after `?`.
    pub async fn put_with<T: DeserializeOwned>(
        &self,
        cx: &Context,
        path: &[&str],
        query: &[(&str, &str)],
        body: &impl Serialize,
    ) -> Outcome<Reply<T>> {
        let mut ask = Ask::new(Method::PUT, path).json("application/json", body)?;
        ask.query = encode_query(query);
        self.exchange(cx, ask).await
    }

    /// Changes parts of a resource by a merge patch; `etag` = only if it still is the one that was read.
    pub async fn patch<T: DeserializeOwned>(
        &self,
        cx: &Context,
        path: &[&str],
        body: &impl Serialize,
        etag: Option<&str>,
    ) -> Outcome<Reply<T>> {
        let mut ask = Ask::new(Method::PATCH, path).json(MERGE_PATCH, body)?;
        ask.if_match = etag;
        self.exchange(cx, ask).await
    }

    /// Deletes a resource.
    pub async fn delete(&self, cx: &Context, path: &[&str], etag: Option<&str>) -> Outcome<()> {
        let mut ask = Ask::new(Method::DELETE, path);
        ask.if_match = etag;
        self.exchange::<serde_json::Value>(cx, ask).await.map(|_| ())
    }

    /// Asks for the deletion of a resource that takes its time.
    pub async fn delete_reply<T: DeserializeOwned>(&self, cx: &Context, path: &[&str]) -> Outcome<Reply<T>> {
        self.exchange(cx, Ask::new(Method::DELETE, path)).await
    }

    /// Uploads what `body` yields, once: a stream cannot be repeated.
    pub async fn upload(&self, cx: &Context, path: &[&str], content_type: &str, body: reqwest::Body) -> Outcome<()> {
        self.bounded(cx, async {
            let mut ask = Ask::new(Method::PUT, path);
            ask.accept = "*/*";
            let token = self.inner.tokens.token(&self.inner.http).await?;
            let request = self
                .request(cx, &ask, &token)
                .header(CONTENT_TYPE, content_type)
                .body(body);
            let response = request.send().await.map_err(|error| self.broken(error))?;
            if response.status().is_success() {
                return Ok(());
            }
            Err(self.failure(response).await)
        })
        .await
    }

    /// Downloads a resource of another media type; the context's deadline holds until its first byte.
    pub async fn download(
        &self,
        cx: &Context,
        path: &[&str],
        accept: &str,
    ) -> Outcome<impl Stream<Item = Outcome<Bytes>> + Send + use<>> {
        let mut ask = Ask::new(Method::GET, path);
        ask.accept = accept;
        let response = self.bounded(cx, self.send(cx, &ask)).await?;
        let client = self.clone();
        Ok(response
            .bytes_stream()
            .map(move |chunk| chunk.map_err(|error| client.broken(error))))
    }

    async fn exchange<T: DeserializeOwned>(&self, cx: &Context, ask: Ask<'_>) -> Outcome<Reply<T>> {
        self.bounded(cx, async {
            let response = self.send(cx, &ask).await?;
            let status = response.status();
            let text = |name| {
                let value: Option<&HeaderValue> = response.headers().get(name);
                value.and_then(|value| value.to_str().ok()).map(str::to_owned)
            };
            let (location, etag) = (text(LOCATION), text(ETAG));
            let bytes = self.read(response).await?;
            let body = match bytes.is_empty() {
                true => None,
                false => Some(self.decode(&bytes)?),
            };
            Ok(Reply {
                status,
                location,
                etag,
                body,
            })
        })
        .await
    }

    fn body_of<T>(&self, reply: Reply<T>) -> Outcome<T> {
        reply
            .body
            .ok_or_else(|| CallError::internal(format!("{} answered without a body", self.inner.neighbour)))
    }

    /// Sends until an answer is a success, the error is final, or the attempts are used up.
    async fn send(&self, cx: &Context, ask: &Ask<'_>) -> Outcome<reqwest::Response> {
        let repeatable = ask.method.is_idempotent() || cx.idempotency_key.is_some();
        let mut pause = FIRST_PAUSE;
        let mut renewed = false;
        let mut attempt = 1;
        loop {
            let token = self.inner.tokens.token(&self.inner.http).await?;
            let (error, wait) = match self.request(cx, ask, &token).send().await {
                Ok(response) if response.status().is_success() || response.status() == StatusCode::SEE_OTHER => {
                    return Ok(response);
                }
                Ok(response) if response.status() == StatusCode::UNAUTHORIZED && !renewed => {
                    // The producer may have a new key, or our token just ended: it did not look at the request.
                    self.inner.tokens.forget(&token).await;
                    renewed = true;
                    continue;
                }
                Ok(response) => {
                    let later = matches!(response.status().as_u16(), 429 | 502 | 503) && repeatable;
                    let wait = retry_after(response.headers())
                        .unwrap_or(pause)
                        .max(pause)
                        .min(PAUSE_MAX);
                    let error = self.failure(response).await;
                    if !later {
                        return Err(error);
                    }
                    (error, wait)
                }
                Err(error) => {
                    let again = error.is_connect() || (repeatable && error.is_request());
                    let error = self.broken(error);
                    if !again {
                        return Err(error);
                    }
                    (error, pause)
                }
            };
            if attempt == ATTEMPTS_MAX || cx.deadline.remaining() <= wait {
                return Err(error);
            }
            tokio::time::sleep(wait).await;
            attempt += 1;
            pause *= 2;
        }
    }

    fn request(&self, cx: &Context, ask: &Ask<'_>, token: &crate::auth::Secret) -> reqwest::RequestBuilder {
        let mut url = api::join(&self.inner.prefix, ask.path);
        if !ask.query.is_empty() {
            url.push('?');
            url.push_str(&ask.query);
        }
        let mut headers = HeaderMap::new();
        context_headers::write(cx, &mut headers);
        headers.insert(VERSION, self.inner.version.clone());
        let mut request = self
            .inner
            .http
            .request(ask.method.clone(), url)
            .headers(headers)
            .header(ACCEPT, ask.accept)
            .bearer_auth(token.reveal());
        if let Some(etag) = ask.if_match {
            request = request.header(IF_MATCH, etag);
        }
        if let Some((media_type, bytes)) = &ask.body {
            request = request.header(CONTENT_TYPE, *media_type).body(bytes.clone());
        }
        request
    }

    async fn failure(&self, response: reqwest::Response) -> CallError {
        let status = response.status();
        let body = self.read(response).await.unwrap_or_default();
        error_of(&self.inner.neighbour, status, &body)
    }

    async fn read(&self, response: reqwest::Response) -> Outcome<Bytes> {
        let mut bytes = Vec::new();
        let mut stream = response.bytes_stream();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|error| self.broken(error))?;
            if bytes.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(CallError::exhausted(format!(
                    "the answer of {} is larger than {ANSWER_BYTES_MAX} bytes",
                    self.inner.neighbour
                ))
                .cure("ask with a filter"));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes.into())
    }

    fn decode<T: DeserializeOwned>(&self, bytes: &[u8]) -> Outcome<T> {
        serde_json::from_slice(bytes).map_err(|error| {
            CallError::internal(format!(
                "{} answered with something that does not fit",
                self.inner.neighbour
            ))
            .caused_by(error)
        })
    }

    fn broken(&self, error: reqwest::Error) -> CallError {
        // The URL may hold names of other tenants' objects; the neighbour's name is enough.
        CallError::unavailable(format!("{} cannot be reached", self.inner.neighbour)).caused_by(error.without_url())
    }

    async fn bounded<T>(&self, cx: &Context, work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
        match tokio::time::timeout(cx.deadline.remaining(), work).await {
            Ok(outcome) => outcome,
            Err(_) => Err(CallError::timed_out(format!(
                "{} did not answer in time",
                self.inner.neighbour
            ))),
        }
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

fn encode_query(query: &[(&str, &str)]) -> String {
    let mut encoded = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in query {
        match value.is_empty() {
            true => encoded.append_key_only(name),
            false => encoded.append_pair(name, value),
        };
    }
    encoded.finish()
}

/// The query of the next page. Only the query is taken from the link: the token goes to the configured root and nowhere else.
fn next_query(headers: &HeaderMap) -> Option<String> {
    headers.get_all(LINK).iter().find_map(|value| {
        let text = value.to_str().ok()?;
        text.split(',').find_map(|link| {
            let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
            let next = parameters
                .split(';')
                .any(|parameter| matches!(parameter.trim(), "rel=\"next\"" | "rel=next"));
            next.then(|| target.split_once('?').map(|(_, query)| query.to_owned()))?
        })
    })
}
