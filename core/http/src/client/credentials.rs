//! A client's credentials, and the token that they were last exchanged for.

use super::trust::SetupError;
use crate::api::PublicRoot;
use crate::auth::{Secret, TOKEN_PATH, TokenAnswer};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use manifold_call::{CallError, Outcome};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// Who a client is (RFC 6749 4.4).
#[derive(Debug, Clone)]
pub struct Credentials {
    /// `client_id`
    pub client_id: String,
    /// `client_secret`
    pub secret: Secret,
    /// Where tokens are; `None` = `/oauth2/token` below the API's root.
    pub token_url: Option<String>,
}

/// A token is renewed this long before its end, or at half its life if that is shorter, so that it does not end on its way.
const MARGIN: Duration = Duration::from_secs(30);

pub(super) struct TokenCache {
    neighbour: String,
    url: String,
    basic: Secret,
    /// The lock is held while a token is asked for: a hundred callers ask once.
    held: Mutex<Option<Held>>,
}

struct Held {
    token: Secret,
    until: Instant,
}

impl TokenCache {
    pub(super) fn new(neighbour: &str, root: &PublicRoot, credentials: Credentials) -> Result<Self, SetupError> {
        let url = credentials
            .token_url
            .unwrap_or_else(|| format!("{}{TOKEN_PATH}", root.as_str()));
        let parsed = url::Url::parse(&url).map_err(|_| SetupError::TokenUrl(url.clone()))?;
        // The secret goes there; a plain URL elsewhere than the (checked) root would give it away.
        if parsed.scheme() != "https" && !root.as_str().starts_with("http://") {
            return Err(SetupError::Plain(url));
        }
        if parsed.scheme() != "https" {
            super::trust::check_scheme(&url, &super::Trust::Loopback)?;
        }
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let pair = format!(
            "{}:{}",
            encode(&credentials.client_id),
            encode(credentials.secret.reveal())
        );
        Ok(Self {
            neighbour: neighbour.to_owned(),
            url,
            basic: Secret::new(format!("Basic {}", STANDARD.encode(pair))),
            held: Mutex::new(None),
        })
    }

    /// A token that is still good for a while.
    pub(super) async fn token(&self, http: &reqwest::Client) -> Outcome<Secret> {
        let mut held = self.held.lock().await;
        if let Some(held) = held.as_ref().filter(|held| Instant::now() < held.until) {
            return Ok(held.token.clone());
        }
        let answer = self.ask(http).await?;
        let life = Duration::from_secs(answer.expires_in);
        let token = answer.access_token;
        *held = Some(Held {
            token: token.clone(),
            until: Instant::now() + life.saturating_sub(MARGIN).max(life / 2),
        });
        Ok(token)
    }

    /// Drops a token that was refused, unless there is a newer one already.
    pub(super) async fn forget(&self, token: &Secret) {
        let mut held = self.held.lock().await;
        if held.as_ref().is_some_and(|held| held.token == *token) {
            *held = None;
        }
    }

    async fn ask(&self, http: &reqwest::Client) -> Outcome<TokenAnswer> {
        let response = http
            .post(&self.url)
            .header(AUTHORIZATION, self.basic.reveal())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body("grant_type=client_credentials")
            .send()
            .await
            .map_err(|error| {
                CallError::unavailable(format!("the token endpoint of {} cannot be reached", self.neighbour))
                    .caused_by(error.without_url())
            })?;
        let status = response.status();
        if status.is_success() {
            return response.json().await.map_err(|error| {
                CallError::internal(format!(
                    "the token endpoint of {} answered with something else than a token",
                    self.neighbour
                ))
                .caused_by(error.without_url())
            });
        }
        if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
            return Err(CallError::unavailable(format!(
                "the token endpoint of {} answered {status}",
                self.neighbour
            )));
        }
        Err(
            CallError::internal(format!("{} did not accept our credentials ({status})", self.neighbour)).cure(format!(
                "check the client id and secret that are configured for {}",
                self.neighbour
            )),
        )
    }
}
