//! Whom a client believes to be the producer.

use crate::api::PublicRoot;
use crate::tls::Fingerprint;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{self, CryptoProvider};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// Whom a client believes.
#[derive(Debug, Clone)]
pub enum Trust {
    /// Plain HTTP, to a loopback address only.
    Loopback,
    /// Certificates that these authorities (PEM) signed for the name in the URL.
    Authorities(String),
    /// The one certificate with this fingerprint, whatever its names and dates say.
    Pinned(Fingerprint),
}

/// Why a client cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The token would cross a network in the clear.
    #[error("{0} is plain HTTP and no loopback address; use https")]
    Plain(String),
    /// `https` without anybody to believe.
    #[error("{0} is https; give its certificate's fingerprint or its authority")]
    NobodyTrusted(String),
    /// No certificate in the PEM.
    #[error("the authorities hold no certificate in PEM")]
    NoAuthority,
    /// Not a header value.
    #[error("{0:?} cannot stand in a Version header")]
    Version(String),
    /// Not a URL.
    #[error("{0:?} is no token URL")]
    TokenUrl(String),
    /// TLS refused its configuration.
    #[error("TLS cannot be set up")]
    Tls(#[source] rustls::Error),
    /// The HTTP client refused its configuration.
    #[error("the HTTP client cannot be set up")]
    Http(#[source] reqwest::Error),
}

pub(super) fn http_client(root: &PublicRoot, trust: &Trust, connect: Duration) -> Result<reqwest::Client, SetupError> {
    check_scheme(root.as_str(), trust)?;
    let provider = Arc::new(crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(SetupError::Tls)?;
    let mut tls = match trust {
        Trust::Loopback => builder
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth(),
        Trust::Authorities(pem) => {
            let mut roots = RootCertStore::empty();
            for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                let certificate = certificate.map_err(|_| SetupError::NoAuthority)?;
                roots.add(certificate).map_err(SetupError::Tls)?;
            }
            if roots.is_empty() {
                return Err(SetupError::NoAuthority);
            }
            builder.with_root_certificates(roots).with_no_client_auth()
        }
        Trust::Pinned(fingerprint) => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(PinnedVerifier {
                fingerprint: *fingerprint,
                provider,
            }))
            .with_no_client_auth(),
    };
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .connect_timeout(connect)
        // A redirect would carry the token elsewhere; 303 is an answer of its own here.
        .redirect(reqwest::redirect::Policy::none())
        // Control planes talk to each other directly; a proxy of the environment would see the tokens.
        .no_proxy()
        .build()
        .map_err(SetupError::Http)
}

/// Refuses plain HTTP to anywhere but this machine.
pub(super) fn check_scheme(url: &str, trust: &Trust) -> Result<(), SetupError> {
    let parsed = url::Url::parse(url).map_err(|_| SetupError::TokenUrl(url.to_owned()))?;
    if parsed.scheme() == "https" {
        return match trust {
            Trust::Loopback => Err(SetupError::NobodyTrusted(url.to_owned())),
            Trust::Authorities(_) | Trust::Pinned(_) => Ok(()),
        };
    }
    let loopback = match parsed.host() {
        Some(url::Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(url::Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    };
    if loopback {
        Ok(())
    } else {
        Err(SetupError::Plain(url.to_owned()))
    }
}

/// Believes one certificate. The handshake still proves that the other end holds its key.
#[derive(Debug)]
struct PinnedVerifier {
    fingerprint: Fingerprint,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for PinnedVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let found = Fingerprint::of(end_entity);
        if found == self.fingerprint {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(rustls::Error::General(format!(
                "the certificate has the fingerprint {found}"
            )))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        crypto::verify_tls12_signature(
            message,
            certificate,
            signed,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        crypto::verify_tls13_signature(
            message,
            certificate,
            signed,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
