//! The composed control plane, on an infrastructure that only remembers: no privileges, no kernel objects, no network.
#![allow(clippy::unwrap_used)]

mod infrastructure;
mod openapi;
mod scripts;
mod vim;

use super::Plane;
use crate::config::{Config, Globals};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode, header};
use infrastructure::Remembering;
use manifold_nfvi_interface::Capabilities;
use manifold_store::SqliteStore;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use tower::ServiceExt;

/// The secret of every client here, as its file holds it.
const SECRET: &str = "of 256 bits, in earnest\n";

/// A control plane and its folder.
struct Site {
    plane: Plane,
    _folder: tempfile::TempDir,
}

fn write_secret(path: &Path, mode: u32) {
    std::fs::write(path, SECRET).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

impl Site {
    /// With a client for each of these roles, whose id is the role's name. Their secrets' files have this mode.
    async fn start(roles: &[&str], mode: u32) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let secret = folder.path().join("secret");
        write_secret(&secret, mode);
        let mut text = format!("data = {:?}\nlisten = \"127.0.0.1:0\"\n", folder.path().join("data"));
        for role in roles {
            text.push_str(&format!(
                "[[client]]\nid = {role:?}\nrole = {role:?}\nsecret_file = {secret:?}\n"
            ));
        }
        let file = folder.path().join("manifold.toml");
        std::fs::write(&file, text)?;
        let globals = Globals {
            config: Some(file),
            ..Globals::default()
        };
        let config = Config::load(&globals)?;
        let store = Arc::new(SqliteStore::open(&config.data)?);
        let capabilities = Capabilities {
            cpus: 1,
            memory_mib: 1,
            accelerator: "tcg".into(),
            version: "test".into(),
        };
        let (plane, _) = Plane::on(&config, store, Arc::new(Remembering::default()), capabilities).await?;
        Ok(Self { plane, _folder: folder })
    }

    fn router(&self) -> Router {
        self.plane.router()
    }

    async fn ask(&self, request: Request<Body>) -> (StatusCode, Value) {
        let response = self.router().oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    /// A token, which its client's secret buys.
    async fn token(&self, client: &str) -> String {
        let secret = SECRET.trim().replace(' ', "+");
        let form = format!("grant_type=client_credentials&client_id={client}&client_secret={secret}");
        let request = Request::post("/oauth2/token")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form))
            .unwrap();
        let (status, answer) = self.ask(request).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer["access_token"].as_str().unwrap().to_owned()
    }

    /// With a token, and a JSON body or none.
    async fn call(&self, token: &str, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
        // The plain major is spoken by every API: 1.0.0 or 2.0.0.
        let version = if path.split('/').nth(2) == Some("v2") {
            "2.0.0"
        } else {
            "1.0.0"
        };
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header("Version", version);
        let body = match body {
            Value::Null => Body::empty(),
            body => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
        };
        self.ask(request.body(body).unwrap()).await
    }
}
