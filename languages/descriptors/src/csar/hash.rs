//! Hashes of files, by the names that SOL004 and SOL001 give the algorithms.

use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

/// `SHA-256` as `sha-256`; `sha256` and `SHA_256` too.
pub(crate) fn normal_name(name: &str) -> String {
    let plain: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    match plain
        .strip_prefix("sha")
        .filter(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
    {
        Some(bits) => format!("sha-{bits}"),
        None => name.to_ascii_lowercase(),
    }
}

/// How many hexadecimal digits a hash of this algorithm has; `None` for an algorithm that is not known here. MD5 and SHA-1 are
/// not: they show damage but no intent.
pub(crate) fn hex_digits(normal_name: &str) -> Option<usize> {
    match normal_name {
        "sha-224" => Some(56),
        "sha-256" => Some(64),
        "sha-384" => Some(96),
        "sha-512" => Some(128),
        _ => None,
    }
}

/// A hash that grows with what it is fed.
pub(crate) enum Hasher {
    Sha224(Sha224),
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
}

impl Hasher {
    pub(crate) fn new(normal_name: &str) -> Option<Self> {
        Some(match normal_name {
            "sha-224" => Self::Sha224(Sha224::new()),
            "sha-256" => Self::Sha256(Sha256::new()),
            "sha-384" => Self::Sha384(Sha384::new()),
            "sha-512" => Self::Sha512(Sha512::new()),
            _ => return None,
        })
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha224(hash) => hash.update(bytes),
            Self::Sha256(hash) => hash.update(bytes),
            Self::Sha384(hash) => hash.update(bytes),
            Self::Sha512(hash) => hash.update(bytes),
        }
    }

    pub(crate) fn finish(self) -> String {
        match self {
            Self::Sha224(hash) => hex::encode(hash.finalize()),
            Self::Sha256(hash) => hex::encode(hash.finalize()),
            Self::Sha384(hash) => hex::encode(hash.finalize()),
            Self::Sha512(hash) => hex::encode(hash.finalize()),
        }
    }
}

/// SHA-256 of some bytes in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
