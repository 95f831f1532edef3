//! What VNF packages, NSDs and PNFDs have in common on the wire: the download of an archive.

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use manifold_call::CallError;
use manifold_http::problem::{Answer, Problem};
use manifold_nfvo_interface::Content;
use tokio_util::io::ReaderStream;

pub(super) async fn download(content: Content) -> Answer<Response> {
    let file = tokio::fs::File::open(&content.file)
        .await
        .map_err(|error| Problem::from(CallError::internal("the archive could not be opened").caused_by(error)))?;
    let headers = [
        (header::CONTENT_TYPE, "application/zip".to_owned()),
        (header::CONTENT_LENGTH, content.size.to_string()),
    ];
    Ok((headers, Body::from_stream(ReaderStream::new(file))).into_response())
}
