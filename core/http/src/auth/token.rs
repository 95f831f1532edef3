//! Making and checking tokens: JWT (RFC 7519) with HMAC-SHA256. Only this program makes them and only it checks them, so a
//! key that both ends share is one secret in one place; a signature pair would add nothing.

use super::secret::random_bytes;
use super::{Clients, Principal};
use crate::limits::RateLimiter;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use manifold_call::Role;
use serde::{Deserialize, Serialize};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use uuid::Uuid;

/// The key of all tokens.
#[derive(Clone)]
pub struct SigningKey([u8; 32]);

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(***)")
    }
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error("the token key {path} cannot be read or made")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file holds something else.
    #[error("{path} is no token key (32 bytes); remove it and every client asks for a new token")]
    Length {
        /// Which file.
        path: PathBuf,
    },
}

impl SigningKey {
    /// A key that nobody else has; tokens end with the process.
    pub fn random() -> Self {
        Self(random_bytes())
    }

    /// The key in this file, which is made (mode 0600) when it is not there: tokens outlive a restart.
    pub fn load_or_create(path: &Path) -> Result<Self, KeyError> {
        let failed = |source| KeyError::Io {
            path: path.to_owned(),
            source,
        };
        match fs::read(path) {
            Ok(bytes) => bytes
                .try_into()
                .map(Self)
                .map_err(|_| KeyError::Length { path: path.to_owned() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = Self::random();
                let mut file = OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .mode(0o600)
                    .open(path)
                    .map_err(failed)?;
                file.write_all(&key.0).and_then(|()| file.sync_all()).map_err(failed)?;
                Ok(key)
            }
            Err(error) => Err(failed(error)),
        }
    }
}

/// What stands in a token.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    role: String,
    scope: String,
    iat: u64,
    exp: u64,
    jti: Uuid,
}

const ISSUER: &str = "manifold";

/// How long a token lives unless configured otherwise: short enough that a stolen one is soon worthless.
const LIFETIME: Duration = Duration::from_secs(3_600);

/// Failed attempts per client and address: in one go, and per second in the long run (one in ten seconds).
const FAILURES: (u32, f64) = (10, 0.1);

/// The authority: the clients, the key, and how often somebody guessed wrong.
#[derive(Debug)]
pub struct Tokens {
    pub(crate) clients: Clients,
    key: SigningKey,
    lifetime: Duration,
    pub(crate) failures: RateLimiter,
}

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It is no JWT at all (RFC 6750 3.1 `invalid_request`).
    Malformed,
    /// Expired, not ours, or of a client that is gone or changed (`invalid_token`).
    Invalid,
}

impl Tokens {
    /// With the default lifetime of an hour.
    pub fn new(clients: Clients, key: SigningKey) -> Self {
        Self {
            clients,
            key,
            lifetime: LIFETIME,
            failures: RateLimiter::new(FAILURES.1, FAILURES.0),
        }
    }

    /// The same, with tokens of this lifetime.
    pub fn with_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// How long a token lives.
    pub fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// A token for a client that has shown its secret.
    pub(crate) fn issue(
        &self,
        client_id: &str,
        role: Role,
        scope: &str,
    ) -> Result<String, jsonwebtoken::errors::Error> {
        let now = now_s();
        let claims = Claims {
            iss: ISSUER.to_owned(),
            sub: client_id.to_owned(),
            role: role.as_str().to_owned(),
            scope: scope.to_owned(),
            iat: now,
            exp: now + self.lifetime.as_secs(),
            jti: Uuid::now_v7(),
        };
        jsonwebtoken::encode(
            &Header::new(Algorithm::HS256),
            &claims,
            &EncodingKey::from_secret(&self.key.0),
        )
    }

    /// Whose token it is. The client has to be known still, and in the same role: taking a client out of the configuration
    /// ends its tokens.
    pub(crate) fn check(&self, token: &str) -> Result<Principal, Refused> {
        if jsonwebtoken::decode_header(token).is_err() {
            return Err(Refused::Malformed);
        }
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "iss", "sub"]);
        let claims = jsonwebtoken::decode::<Claims>(token, &DecodingKey::from_secret(&self.key.0), &validation)
            .map_err(|_| Refused::Invalid)?
            .claims;
        let known = self.clients.get(&claims.sub).ok_or(Refused::Invalid)?;
        if known.role.as_str() != claims.role {
            return Err(Refused::Invalid);
        }
        Ok(Principal {
            client_id: claims.sub,
            role: known.role,
            default_tenant: known.default_tenant.clone(),
            tenants: known.tenants.clone(),
            scopes: claims.scope.split_whitespace().map(str::to_owned).collect(),
        })
    }
}

fn now_s() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
