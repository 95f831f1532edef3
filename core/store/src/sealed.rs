//! Secrets at rest: AES-256-GCM under a key that lies beside the database, readable by its owner alone.
//!
//! It keeps secrets out of backups, dumps and logs of documents. It does not protect from who may read the key file.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};

/// The file of the key in the data directory.
const KEY_FILE: &str = "seal.key";

/// A secret as it stands in a document: unreadable without the [`Sealer`] that made it. Prints `***`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(String);

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(***)")
    }
}

/// Why a secret could not be sealed or opened. Says nothing of the secret.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The key file cannot be read or made.
    #[error("could not {doing} the key file {}", .path.display())]
    KeyFile {
        /// What was attempted.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The key file does not hold a key.
    #[error("the key file {} does not hold 32 bytes", .path.display())]
    NotAKey {
        /// The file.
        path: PathBuf,
    },
    /// The key file may be read by others.
    #[error("the key file {} may be read by others (mode {mode:o}); make it 600", .path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The system gave no random bytes, or the cipher refused.
    #[error("the secret could not be sealed")]
    Seal,
    /// The value was not sealed by this key for this place.
    #[error("the secret does not open with this key in this place")]
    Open,
}

/// Seals and opens secrets with the key of one data directory.
pub struct Sealer {
    key: LessSafeKey,
    random: SystemRandom,
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(***)")
    }
}

impl Sealer {
    /// The sealer of a data directory; its key is made on first use. Errors: the key file is unreadable, exposed to
    /// others, or no key.
    pub fn open(data_dir: &Path) -> Result<Self, SealError> {
        let path = data_dir.join(KEY_FILE);
        let random = SystemRandom::new();
        let fails = |doing| {
            let path = path.clone();
            move |source| SealError::KeyFile { doing, path, source }
        };
        let mut bytes = Vec::new();
        match fs::File::open(&path) {
            Ok(file) => {
                let mode = file_mode(&file).map_err(fails("inspect"))?;
                if mode & 0o077 != 0 {
                    return Err(SealError::Exposed { path, mode });
                }
                Read::take(file, 64).read_to_end(&mut bytes).map_err(fails("read"))?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                bytes = vec![0; 32];
                random.fill(&mut bytes).map_err(|_| SealError::Seal)?;
                // A crash between making and filling must not leave a short key: written aside, synced, renamed.
                let fresh = path.with_extension("new");
                let mut file = OpenOptions::new()
                    .write(true)
                    .create(true)
                    .truncate(true)
                    .mode(0o600)
                    .open(&fresh)
                    .map_err(fails("make"))?;
                file.write_all(&bytes)
                    .and_then(|()| file.sync_all())
                    .map_err(fails("write"))?;
                fs::rename(&fresh, &path).map_err(fails("name"))?;
                fs::File::open(data_dir)
                    .and_then(|dir| dir.sync_all())
                    .map_err(fails("sync"))?;
            }
            Err(source) => return Err(fails("open")(source)),
        }
        let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| SealError::NotAKey { path })?;
        Ok(Self {
            key: LessSafeKey::new(key),
            random,
        })
    }

    /// Seals a secret for a place, such as `vim.connection/<id>`: it opens nowhere else, so that nobody who can write
    /// documents can make one object use another's secret.
    pub fn seal(&self, place: &str, secret: &[u8]) -> Result<Sealed, SealError> {
        let mut nonce = [0u8; NONCE_LEN];
        self.random.fill(&mut nonce).map_err(|_| SealError::Seal)?;
        let mut bytes = secret.to_vec();
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(place.as_bytes()),
                &mut bytes,
            )
            .map_err(|_| SealError::Seal)?;
        let mut whole = nonce.to_vec();
        whole.append(&mut bytes);
        Ok(Sealed(format!("sealed-1:{}", BASE64.encode(whole))))
    }

    /// Opens what was sealed for this place. Errors: `Open`.
    pub fn open_sealed(&self, place: &str, sealed: &Sealed) -> Result<Vec<u8>, SealError> {
        let text = sealed.0.strip_prefix("sealed-1:").ok_or(SealError::Open)?;
        let whole = BASE64.decode(text).map_err(|_| SealError::Open)?;
        let (nonce, bytes) = whole.split_at_checked(NONCE_LEN).ok_or(SealError::Open)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Open)?;
        let mut bytes = bytes.to_vec();
        let opened = self
            .key
            .open_in_place(nonce, Aad::from(place.as_bytes()), &mut bytes)
            .map_err(|_| SealError::Open)?;
        Ok(opened.to_vec())
    }
}

fn file_mode(file: &fs::File) -> io::Result<u32> {
    use std::os::unix::fs::PermissionsExt;
    Ok(file.metadata()?.permissions().mode() & 0o777)
}
