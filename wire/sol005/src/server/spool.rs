//! Uploads lie here until they are complete; the NFVO then moves them into its catalogue.

use axum::body::Body;
use axum::http::HeaderMap;
use manifold_call::CallError;
use manifold_http::body::stream_to;
use manifold_http::limits::Limits;
use manifold_http::problem::Problem;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A folder for uploads that are on their way.
#[derive(Debug, Clone)]
pub struct Spool {
    folder: Arc<Path>,
}

/// A complete upload. Its file is removed when this is dropped, unless the NFVO has moved it away.
pub(super) struct Spooled {
    pub(super) file: PathBuf,
}

impl Drop for Spooled {
    fn drop(&mut self) {
        // Moved away by the catalogue, as it should: then there is nothing to remove.
        if let Err(error) = std::fs::remove_file(&self.file)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(file = %self.file.display(), %error, "A spooled upload could not be removed.");
        }
    }
}

impl Spool {
    /// Uses `folder`, which is made when absent; what an earlier run left half-uploaded there is removed.
    pub fn open(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(Self { folder: folder.into() })
    }

    pub(super) async fn take(&self, headers: &HeaderMap, body: Body, limits: &Limits) -> Result<Spooled, Problem> {
        let spooled = Spooled {
            file: self.folder.join(uuid::Uuid::now_v7().to_string()),
        };
        let failed =
            |error: io::Error| Problem::from(CallError::internal("the upload could not be stored").caused_by(error));
        let mut sink = tokio::fs::File::create_new(&spooled.file).await.map_err(failed)?;
        stream_to(headers, body, limits, &mut sink).await?;
        sink.sync_all().await.map_err(failed)?;
        Ok(spooled)
    }
}
