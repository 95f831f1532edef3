//! Fetching from the network: one request at a time to an address that was checked, never where policy does not allow.
//!
//! The host is resolved here, every address that it has is checked, and the connection goes to these and no others: a second answer of
//! the name server cannot lead it elsewhere. Redirects are looked at one by one, as if each were the first address.

use crate::address::is_public;
use crate::policy::Policy;
use crate::refusal::refuse;
use manifold_nemo::leaf::LeafError;
use reqwest::StatusCode;
use reqwest::header::{ACCEPT, LOCATION};
use std::net::{IpAddr, SocketAddr};
use url::{Host, Url};

/// Why nothing was fetched.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("policy does not allow the host of `{0}`")]
    HostNotAllowed(Url),
    #[error("`{0}` is plain http")]
    PlainHttp(Url),
    #[error("`{0}` is no address of http or https")]
    Scheme(Url),
    #[error("`{0}` carries a user or a password")]
    Credentials(Url),
    #[error("`{url}` is on {address}, which is no public address")]
    PrivateAddress { url: Url, address: IpAddr },
    #[error("`{0}` has no address")]
    NotResolved(Url),
    #[error("it was redirected more than {0} times")]
    TooManyRedirects(usize),
    #[error("`{0}` redirects to nowhere")]
    BadRedirect(Url),
    #[error("`{url}` answered {status}")]
    Status { url: Url, status: StatusCode },
    #[error("it has more than {0} bytes")]
    TooLarge(u64),
    #[error("it did not come within {0} seconds")]
    TooSlow(u64),
    #[error("the connection failed")]
    Connection(#[source] reqwest::Error),
    #[error("this machine gives no means to fetch anything")]
    Machine(#[source] std::io::Error),
}

impl FetchError {
    /// As people read it.
    pub(crate) fn refusal(&self, uri: &str) -> LeafError {
        let help = match self {
            Self::HostNotAllowed(url) => {
                let host = url.host_str().unwrap_or_default();
                format!("on-board the descriptor and name it `catalog:…`, save it beside the script, or allow `{host}`")
            }
            Self::PlainHttp(_) => "use https, or pin its digest and allow plain http".to_owned(),
            Self::Scheme(_) | Self::BadRedirect(_) => "name the file's own address".to_owned(),
            Self::Credentials(_) => "leave them out: a script is no place for secrets".to_owned(),
            Self::PrivateAddress { .. } => "allow private addresses if the host is yours".to_owned(),
            Self::NotResolved(_) | Self::Connection(_) => "check the address and the network".to_owned(),
            Self::TooManyRedirects(_) => "name the address that it ends at".to_owned(),
            Self::Status { .. } => "check the address".to_owned(),
            Self::TooLarge(_) => "name the descriptor itself, or raise the limit".to_owned(),
            Self::TooSlow(_) => "try again, or save it beside the script".to_owned(),
            Self::Machine(_) => "try again when it has memory and threads".to_owned(),
        };
        let cause = std::error::Error::source(self).map(chain).unwrap_or_default();
        refuse(format!("`{uri}` was not fetched: {self}{cause}"), help)
    }
}

/// `: cause: cause of the cause`.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        text.push_str(&format!(": {error}"));
        next = error.source();
    }
    text
}

/// Fetches the bytes at an address. It blocks; a thread of its own runs it, so that it does not matter what the caller runs on.
pub(crate) fn fetch(policy: &Policy, url: &Url) -> Result<Vec<u8>, FetchError> {
    // Nothing is started for what is refused anyway.
    check(policy, url)?;
    std::thread::scope(|scope| {
        let worker = std::thread::Builder::new().name("fetch".to_owned());
        let worker = worker.spawn_scoped(scope, || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(FetchError::Machine)?;
            let fetched = runtime.block_on(async {
                let limit = tokio::time::timeout(policy.time_max, follow(policy, url));
                limit
                    .await
                    .unwrap_or(Err(FetchError::TooSlow(policy.time_max.as_secs())))
            });
            // A name server that does not answer shall not hold us beyond the limit.
            runtime.shutdown_background();
            fetched
        });
        let worker = worker.map_err(FetchError::Machine)?;
        worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// What an address itself says about whether it is allowed.
fn check(policy: &Policy, url: &Url) -> Result<(), FetchError> {
    match url.scheme() {
        "https" => {}
        "http" if policy.plain_http => {}
        "http" => return Err(FetchError::PlainHttp(url.clone())),
        _ => return Err(FetchError::Scheme(url.clone())),
    }
    if !url.username().is_empty() || url.password().is_some() {
        let mut shown = url.clone();
        // These fail only for addresses without a host.
        let _ = shown.set_username("");
        let _ = shown.set_password(None);
        return Err(FetchError::Credentials(shown));
    }
    if policy.knows(url) {
        Ok(())
    } else {
        Err(FetchError::HostNotAllowed(url.clone()))
    }
}

/// The addresses of a host, every one of them allowed.
async fn resolve(policy: &Policy, url: &Url) -> Result<Vec<SocketAddr>, FetchError> {
    let port = url.port_or_known_default().unwrap_or(443);
    let addresses: Vec<SocketAddr> = match url.host() {
        Some(Host::Ipv4(address)) => vec![SocketAddr::from((address, port))],
        Some(Host::Ipv6(address)) => vec![SocketAddr::from((address, port))],
        Some(Host::Domain(name)) => match tokio::net::lookup_host((name, port)).await {
            Ok(found) => found.collect(),
            Err(_) => vec![],
        },
        None => vec![],
    };
    if addresses.is_empty() {
        return Err(FetchError::NotResolved(url.clone()));
    }
    let forbidden = addresses
        .iter()
        .map(SocketAddr::ip)
        .find(|address| !policy.private_addresses && !is_public(*address));
    match forbidden {
        Some(address) => Err(FetchError::PrivateAddress {
            url: url.clone(),
            address,
        }),
        None => Ok(addresses),
    }
}

async fn follow(policy: &Policy, first: &Url) -> Result<Vec<u8>, FetchError> {
    let mut url = first.clone();
    for _ in 0..=policy.redirects_max {
        check(policy, &url)?;
        let response = ask(policy, &url).await?;
        let status = response.status();
        if status.is_redirection() {
            let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            let next = location.and_then(|location| url.join(location).ok());
            let next = next.ok_or_else(|| FetchError::BadRedirect(url.clone()))?;
            if url.scheme() == "https" && next.scheme() != "https" {
                // Whoever asked for https did not ask for this.
                return Err(FetchError::PlainHttp(next));
            }
            url = next;
            continue;
        }
        if status != StatusCode::OK {
            return Err(FetchError::Status { url, status });
        }
        return body(policy, response).await;
    }
    Err(FetchError::TooManyRedirects(policy.redirects_max))
}

async fn ask(policy: &Policy, url: &Url) -> Result<reqwest::Response, FetchError> {
    let addresses = resolve(policy, url).await?;
    let mut client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        // A proxy would resolve the name again, and reach what we may not.
        .no_proxy()
        .referer(false)
        .pool_max_idle_per_host(0);
    if let Some(Host::Domain(name)) = url.host() {
        client = client.resolve_to_addrs(name, &addresses);
    }
    // What TLS needs; a program that has chosen its own keeps it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = client.build().map_err(FetchError::Connection)?;
    let request = client
        .get(url.clone())
        .header(ACCEPT, "application/yaml, application/zip, text/plain, */*");
    request.send().await.map_err(FetchError::Connection)
}

async fn body(policy: &Policy, mut response: reqwest::Response) -> Result<Vec<u8>, FetchError> {
    if response
        .content_length()
        .is_some_and(|length| length > policy.bytes_max)
    {
        return Err(FetchError::TooLarge(policy.bytes_max));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(FetchError::Connection)? {
        if (bytes.len() + chunk.len()) as u64 > policy.bytes_max {
            return Err(FetchError::TooLarge(policy.bytes_max));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
