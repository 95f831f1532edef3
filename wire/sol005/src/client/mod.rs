//! The consumer's side: [`NfvoClient`] implements the NFVO's traits over HTTP.

mod lifecycle;
mod nsds;
mod packages;
mod pnfds;
mod scripts;

use crate::{NSD, NSLCM, Nfvo, OURS, VNFPKGM};
use manifold_call::{CallError, Context, Outcome};
use manifold_http::api::PublicRoot;
use manifold_http::client::{ApiClient, ApiClientConfig, Credentials, Reply, SetupError, Trust};
use manifold_nfvo_interface::Content;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A remote NFVO.
#[derive(Clone)]
pub struct NfvoClient {
    nsd: ApiClient,
    vnfpkgm: ApiClient,
    nslcm: ApiClient,
    ours: ApiClient,
    downloads: PathBuf,
}

impl NfvoClient {
    /// For the NFVO at `root`. Archives that are asked for are downloaded into `downloads`. Nothing is sent yet.
    pub fn new(
        root: &PublicRoot,
        credentials: &Credentials,
        trust: &Trust,
        downloads: &Path,
    ) -> Result<Self, SetupError> {
        let client = |api: &str, major: &str, versions: &[&str]| {
            ApiClient::new(ApiClientConfig {
                neighbour: "the NFVO".into(),
                root: root.clone(),
                api: api.into(),
                major: major.into(),
                version: versions.first().copied().unwrap_or_default().into(),
                credentials: credentials.clone(),
                trust: trust.clone(),
            })
        };
        Ok(Self {
            nsd: client("nsd", "v2", NSD)?,
            vnfpkgm: client("vnfpkgm", "v2", VNFPKGM)?,
            nslcm: client("nslcm", "v2", NSLCM)?,
            ours: client("manifold", "v1", OURS)?,
            downloads: downloads.into(),
        })
    }

    /// As handles.
    pub fn handles(&self) -> Nfvo {
        let all = Arc::new(self.clone());
        Nfvo {
            packages: all.clone(),
            nsds: all.clone(),
            pnfds: all.clone(),
            lifecycle: all.clone(),
            scripts: all,
        }
    }

    async fn upload_file(&self, api: &ApiClient, cx: &Context, path: &[&str], file: &Path) -> Outcome<()> {
        let open = tokio::fs::File::open(file)
            .await
            .map_err(|error| CallError::invalid(format!("{} could not be opened", file.display())).caused_by(error))?;
        let body = reqwest::Body::wrap_stream(tokio_util::io::ReaderStream::new(open));
        api.upload(cx, path, "application/zip", body).await
    }

    async fn download_file(&self, api: &ApiClient, cx: &Context, path: &[&str]) -> Outcome<Content> {
        use futures_util::StreamExt;
        use tokio::io::AsyncWriteExt;
        let stored = |error: std::io::Error| CallError::internal("the archive could not be stored").caused_by(error);
        let mut chunks = Box::pin(api.download(cx, path, "application/zip").await?);
        let file = self.downloads.join(uuid::Uuid::now_v7().to_string());
        let mut sink = tokio::fs::File::create_new(&file).await.map_err(stored)?;
        let mut size = 0;
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk?;
            size += chunk.len() as u64;
            sink.write_all(&chunk).await.map_err(stored)?;
        }
        sink.flush().await.map_err(stored)?;
        Ok(Content { file, size })
    }
}

/// The body that the answer has to have.
fn body<T>(reply: Reply<T>) -> Outcome<T> {
    reply
        .body
        .ok_or_else(|| CallError::internal("the NFVO answered without a body"))
}
