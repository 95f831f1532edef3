//! TLS of a server: a configured certificate, or one that the program makes for itself and whose fingerprint it prints.

use rcgen::{CertificateParams, KeyPair};
use ring::digest;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, crypto};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a TLS server needs. Cheap to clone.
#[derive(Debug, Clone)]
pub struct TlsConfig {
    pub(crate) server: Arc<ServerConfig>,
    certificate_pem: Arc<str>,
    fingerprint: Fingerprint,
}

/// SHA-256 of a certificate (DER). Prints as `AB:CD:…`, as other tools do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// Of this certificate.
    pub fn of(der: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest::digest(&digest::SHA256, der).as_ref());
        Self(bytes)
    }
}

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let pairs: Vec<String> = self.0.iter().map(|byte| format!("{byte:02X}")).collect();
        f.write_str(&pairs.join(":"))
    }
}

impl std::fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// A text that is no fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no SHA-256 fingerprint (32 hexadecimal bytes, with or without colons)")]
pub struct NotAFingerprint(pub String);

impl std::str::FromStr for Fingerprint {
    type Err = NotAFingerprint;
    fn from_str(text: &str) -> Result<Self, NotAFingerprint> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.replace(':', ""), &mut bytes).map_err(|_| NotAFingerprint(text.to_owned()))?;
        Ok(Self(bytes))
    }
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read or written.
    #[error("the TLS file {path} cannot be read or made")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file holds no certificate, or no key.
    #[error("{path} holds no {what} in PEM")]
    Pem {
        /// Which.
        path: PathBuf,
        /// `certificate` or `private key`.
        what: &'static str,
    },
    /// The key and the certificate do not go together, or are of a kind that is not supported.
    #[error("the certificate and its key cannot be used")]
    Unusable(#[source] rustls::Error),
    /// A certificate could not be made.
    #[error("no certificate could be made for {names}")]
    Make {
        /// For which names.
        names: String,
        /// Why.
        #[source]
        source: rcgen::Error,
    },
}

const CERTIFICATE: &str = "tls.crt";
const KEY: &str = "tls.key";

impl TlsConfig {
    /// From PEM files: the chain, the server's own certificate first, and its key.
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let pem = fs::read_to_string(certificate).map_err(|source| TlsError::Io {
            path: certificate.to_owned(),
            source,
        })?;
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(pem.as_bytes())
            .filter_map(Result::ok)
            .collect();
        let Some(own) = chain.first() else {
            return Err(TlsError::Pem {
                path: certificate.to_owned(),
                what: "certificate",
            });
        };
        let fingerprint = Fingerprint::of(own);
        let key_pem = fs::read(key).map_err(|source| TlsError::Io {
            path: key.to_owned(),
            source,
        })?;
        let key_der = PrivateKeyDer::from_pem_slice(&key_pem).map_err(|_| TlsError::Pem {
            path: key.to_owned(),
            what: "private key",
        })?;
        let mut server = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Unusable)?
            .with_no_client_auth()
            .with_single_cert(chain, key_der)
            .map_err(TlsError::Unusable)?;
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            server: Arc::new(server),
            certificate_pem: pem.into(),
            fingerprint,
        })
    }

    /// The self-signed certificate in this folder, which is made for `names` (host names and addresses) when it is not there.
    pub fn self_signed(folder: &Path, names: &[String]) -> Result<Self, TlsError> {
        let (certificate, key) = (folder.join(CERTIFICATE), folder.join(KEY));
        if !(certificate.exists() && key.exists()) {
            let failed = |source| TlsError::Make {
                names: names.join(", "),
                source,
            };
            let pair = KeyPair::generate().map_err(failed)?;
            let made = CertificateParams::new(names.to_vec())
                .and_then(|params| params.self_signed(&pair))
                .map_err(failed)?;
            // The key first: a crash between the two leaves no certificate, and both are made again.
            write(&key, pair.serialize_pem().as_bytes(), 0o600)?;
            write(&certificate, made.pem().as_bytes(), 0o644)?;
        }
        Self::from_files(&certificate, &key)
    }

    /// What a client pins.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// What a client trusts, in PEM.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }
}

fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), TlsError> {
    let failed = |source| TlsError::Io {
        path: path.to_owned(),
        source,
    };
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)
}
