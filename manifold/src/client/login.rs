//! `up` leaves a login beside its data, readable by its owner only; client commands enter with it.

use crate::config::Config;
use anyhow::Context as _;
use manifold_call::{Context, Deadline};
use manifold_http::api::PublicRoot;
use manifold_http::auth::Secret;
use manifold_http::client::{ApiClient, ApiClientConfig, Credentials, Trust};
use manifold_wire_sol005::Nfvo;
use manifold_wire_sol005::client::NfvoClient;
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

/// What a client needs to know.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Login {
    /// Where the APIs are.
    pub root: String,
    /// `client_id` of an OSS.
    pub client_id: String,
    /// `client_secret`
    pub client_secret: String,
    /// The tenant of requests that name none.
    pub tenant: String,
    /// Fingerprint of the server's certificate, when it is self-signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// The control plane's process.
    pub pid: u32,
}

impl Login {
    /// Writes it so that no other user can read it, complete or not at all.
    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        let next = path.with_extension("next");
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&next)?;
        serde_json::to_writer_pretty(&mut file, self)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        std::fs::rename(&next, path)?;
        Ok(())
    }

    /// Reads it.
    pub fn read(path: &Path) -> anyhow::Result<Login> {
        let text = std::fs::read_to_string(path).with_context(|| {
            format!(
                "no control plane is known in {} (start one with `manifold up`, or name its folder with --data)",
                path.display()
            )
        })?;
        serde_json::from_str(&text).with_context(|| format!("{} is damaged; restart `manifold up`", path.display()))
    }
}

/// A client of a running control plane.
pub struct Session {
    /// The NFVO's interfaces, over HTTP.
    pub nfvo: Nfvo,
    /// Our own API of the lab.
    pub lab: ApiClient,
    /// Our own API of traces.
    pub trace: ApiClient,
    tenant: String,
}

impl Session {
    /// Enters the control plane that left its login in the configured data folder.
    pub fn open(config: &Config) -> anyhow::Result<Session> {
        let login = Login::read(&config.login_file())?;
        Self::with(&login, &login.tenant, &config.data)
    }

    /// Enters with this login, on behalf of this tenant.
    pub fn with(login: &Login, tenant: &str, downloads: &Path) -> anyhow::Result<Session> {
        let root = PublicRoot::parse(&login.root)?;
        let credentials = Credentials {
            client_id: login.client_id.clone(),
            secret: Secret::new(login.client_secret.clone()),
            token_url: None,
        };
        let trust = match &login.fingerprint {
            Some(print) => Trust::Pinned(print.parse()?),
            None => Trust::Loopback,
        };
        let ours = |api: &str| {
            ApiClient::new(ApiClientConfig {
                neighbour: "the control plane".into(),
                root: root.clone(),
                api: api.into(),
                major: "v1".into(),
                version: "1.0.0".into(),
                credentials: credentials.clone(),
                trust: trust.clone(),
            })
        };
        let nfvo = NfvoClient::new(&root, &credentials, &trust, downloads)?.handles();
        Ok(Session {
            nfvo,
            lab: ours("lab")?,
            trace: ours("trace")?,
            tenant: tenant.to_owned(),
        })
    }

    /// The context of one request: a new trace, and an idempotency key, so that a retry on the way is the same request.
    pub fn cx(&self) -> Context {
        Context::root(self.tenant.as_str().into()).with_key(uuid::Uuid::now_v7())
    }

    /// The same, with this much patience.
    pub fn patient(&self, limit: Duration) -> Context {
        let mut cx = self.cx();
        cx.deadline = Deadline::within(limit);
        cx
    }
}
