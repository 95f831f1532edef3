//! Listening: connections are bounded, headers have a limit in size and time, shutdown lets requests end within a grace time.

use crate::tls::TlsConfig;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

/// Open connections: each costs at most [`HEADER_BYTES_MAX`] of buffer, so together at most 64 MiB in the worst case.
const CONNECTIONS_MAX: usize = 1_024;

/// Of a request's header, with the request line.
const HEADER_BYTES_MAX: usize = 64 * 1024;

/// Fields in a header; browsers and OSS clients send about twenty.
const HEADERS_MAX: usize = 64;

/// From the first byte of a connection, or of the next request on it, to the end of the header; and for the TLS handshake.
const HEADER_TIME: Duration = Duration::from_secs(10);

/// How long requests may take to end after shutdown began.
const GRACE: Duration = Duration::from_secs(10);

/// After an accept error such as "too many open files" there is no use in trying at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The other end of the connection: an extension of every request.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Why a server did not begin.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Tokens and secrets would cross a network in the clear.
    #[error("{0} is not a loopback address, so it has to be served over TLS")]
    TlsRequired(SocketAddr),
    /// The listener does not know its address.
    #[error("the listener is not usable")]
    Listener(#[source] io::Error),
}

/// Serves until `shutdown` resolves; then takes no more connections, lets the requests end for at most ten seconds, and
/// returns when every connection is closed. Plain HTTP is served on loopback only.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    tls: Option<TlsConfig>,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ServeError> {
    let address = listener.local_addr().map_err(ServeError::Listener)?;
    if tls.is_none() && !address.ip().is_loopback() {
        return Err(ServeError::TlsRequired(address));
    }
    let acceptor = tls.map(|tls| TlsAcceptor::from(tls.server));
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut shutdown => break,
            Some(_ended) = connections.join_next(), if !connections.is_empty() => continue,
            // When every place is taken the next client waits in the kernel's queue.
            accepted = async {
                let place = places.clone().acquire_owned().await;
                (place, listener.accept().await)
            } => accepted,
        };
        let (place, (stream, peer)) = match accepted {
            (Ok(place), Ok(accepted)) => (place, accepted),
            (_, Err(error)) => {
                tracing::warn!(%error, "A connection could not be accepted.");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
            (Err(_), Ok(_)) => break,
        };
        let (router, acceptor, watcher) = (router.clone(), acceptor.clone(), graceful.watcher());
        connections.spawn(async move {
            let _place = place;
            converse(stream, peer, router, acceptor, watcher).await;
        });
    }
    drop(listener);
    if tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::warn!(
            open = connections.len(),
            "Connections were cut off: their requests did not end in time."
        );
    }
    connections.shutdown().await;
    Ok(())
}

async fn converse(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    acceptor: Option<TlsAcceptor>,
    watcher: Watcher,
) {
    // Answers are small; waiting for more of them only delays them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, %error, "The connection ended before it began.");
        return;
    }
    match acceptor {
        None => http(stream, peer, router, watcher).await,
        Some(acceptor) => match tokio::time::timeout(HEADER_TIME, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => http(stream, peer, router, watcher).await,
            Ok(Err(error)) => tracing::debug!(%peer, %error, "A TLS handshake failed."),
            Err(_) => tracing::debug!(%peer, "A TLS handshake took too long."),
        },
    }
}

async fn http(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    router: Router,
    watcher: Watcher,
) {
    let service = router.map_request(move |mut request: hyper::Request<hyper::body::Incoming>| -> Request {
        request.extensions_mut().insert(Peer(peer));
        request.map(Body::new)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_buf_size(HEADER_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%peer, %error, "A connection ended in an error.");
    }
}
