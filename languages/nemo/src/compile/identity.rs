//! Identifiers made of what they identify, and names that files and nodes can have.

use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// A UUID (version 8: of a kind of our own) that is the same for the same parts, and another one for others.
pub(crate) fn id_of(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let digest = hash.finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    bytes[6] = (bytes[6] & 0x0f) | 0x80;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let digits = hex::encode(bytes);
    let (a, rest) = digits.split_at(8);
    let (b, rest) = rest.split_at(4);
    let (c, rest) = rest.split_at(4);
    let (d, e) = rest.split_at(4);
    format!("{a}-{b}-{c}-{d}-{e}")
}

/// Whether a text has the form of a UUID.
pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// A name as files can have it.
pub(crate) fn file_name(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' || c == '_' {
                c
            } else {
                '_'
            }
        })
        .collect();
    let plain: String = plain.chars().take(100).collect();
    if plain.is_empty() { "_".to_owned() } else { plain }
}

/// Names of which each is given once.
#[derive(Debug, Default)]
pub(crate) struct Names(BTreeSet<String>);

impl Names {
    /// The first wished name that is free, else the last one with a number behind it.
    pub(crate) fn give(&mut self, wished: &[&str]) -> String {
        let last = wished.last().copied().unwrap_or("it");
        let free = wished
            .iter()
            .find(|name| !self.0.contains(**name))
            .map(|name| (*name).to_owned());
        let numbered = || {
            (2u64..)
                .map(|number| format!("{last}-{number}"))
                .find(|name| !self.0.contains(name))
        };
        let name = free.or_else(numbered).expect("numbers do not end before names do");
        self.0.insert(name.clone());
        name
    }
}
