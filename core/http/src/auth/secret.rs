//! Secrets, which never print, and their salted hashes.

use ring::pbkdf2;
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::num::NonZeroU32;

/// A secret in the clear. Prints as `***`; serialises as it is, for the one file or request that it belongs into.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// From text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// 256 random bits, in hexadecimal.
    pub fn random() -> Self {
        Self(hex::encode(random_bytes::<32>()))
    }

    /// The text itself: call it only where it leaves for its destination.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Bytes from the system's generator.
pub(crate) fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .expect("the kernel's random generator answers once the system has booted");
    bytes
}

/// PBKDF2-HMAC-SHA256 of a secret. Our own secrets hold 256 bits, so this many rounds (about 2 ms) only slow down guesses at
/// secrets that people chose.
#[derive(Clone)]
pub struct SecretHash {
    salt: [u8; 16],
    hash: [u8; 32],
}

const ROUNDS: NonZeroU32 = NonZeroU32::new(10_000).expect("ten thousand is not zero");

impl SecretHash {
    /// With a fresh salt.
    pub fn of(secret: &Secret) -> Self {
        let salt = random_bytes();
        let mut hash = [0; 32];
        pbkdf2::derive(
            pbkdf2::PBKDF2_HMAC_SHA256,
            ROUNDS,
            &salt,
            secret.0.as_bytes(),
            &mut hash,
        );
        Self { salt, hash }
    }

    /// Compares in constant time.
    pub fn fits(&self, secret: &Secret) -> bool {
        pbkdf2::verify(
            pbkdf2::PBKDF2_HMAC_SHA256,
            ROUNDS,
            &self.salt,
            secret.0.as_bytes(),
            &self.hash,
        )
        .is_ok()
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(***)")
    }
}
