//! What was fetched, kept on disk by the digest of its bytes.
//!
//! ```text
//! FOLDER/sha256/DIGEST        the bytes
//! FOLDER/addresses/HASH       the digest that an address gave
//! ```
//! Files get their name when they are whole. What is not what its name says is not used.

use manifold_descriptors::interfaces::digest_of;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A folder of descriptors by digest. Of one that cannot be written, nothing is kept, and all else goes on.
#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
    bytes_max: u64,
}

impl Cache {
    /// In this folder, which is made when something is kept; at most so many bytes, the oldest leave first.
    pub fn new(folder: impl Into<PathBuf>, bytes_max: u64) -> Self {
        Self {
            folder: folder.into(),
            bytes_max,
        }
    }

    fn digests(&self) -> PathBuf {
        self.folder.join("sha256")
    }

    fn address(&self, address: &str) -> PathBuf {
        let name = digest_of(address.as_bytes());
        self.folder.join("addresses").join(name.trim_start_matches("sha256:"))
    }

    /// The bytes of that digest.
    pub(crate) fn by_digest(&self, digest: &str) -> Option<Vec<u8>> {
        let path = self.digests().join(digest.strip_prefix("sha256:")?);
        let bytes = read(&path, self.bytes_max)?;
        let is_whole = digest_of(&bytes) == digest;
        if !is_whole {
            let _ = fs::remove_file(&path);
        }
        is_whole.then_some(bytes)
    }

    /// The bytes that an address gave.
    pub(crate) fn by_address(&self, address: &str) -> Option<Vec<u8>> {
        let digest = String::from_utf8(read(&self.address(address), 128)?).ok()?;
        let hash = digest.strip_prefix("sha256:")?;
        let is_digest = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        self.by_digest(is_digest.then_some(&digest)?)
    }

    /// Keeps what an address gave. A disk that is full costs the cache, not the answer.
    pub(crate) fn keep(&self, address: &str, bytes: &[u8]) {
        if bytes.len() as u64 > self.bytes_max {
            return;
        }
        let digest = digest_of(bytes);
        let path = self.digests().join(digest.trim_start_matches("sha256:"));
        if write(&path, bytes).is_some() && write(&self.address(address), digest.as_bytes()).is_some() {
            self.shrink(&path);
        }
    }

    /// Removes the oldest until the rest fits; never the one that was kept last.
    fn shrink(&self, last: &Path) {
        let Ok(entries) = fs::read_dir(self.digests()) else {
            return;
        };
        let mut files: Vec<(SystemTime, PathBuf, u64)> = entries
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let metadata = entry.metadata().ok()?;
                Some((metadata.modified().ok()?, entry.path(), metadata.len()))
            })
            .collect();
        let mut total: u64 = files.iter().map(|(_, _, size)| size).sum();
        files.sort();
        for (_, path, size) in files.iter().filter(|(_, path, _)| path != last) {
            if total <= self.bytes_max {
                break;
            }
            if fs::remove_file(path).is_ok() {
                total -= size;
            }
        }
    }
}

fn read(path: &Path, bytes_max: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = fs::File::open(path).ok()?;
    file.take(bytes_max + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 <= bytes_max).then_some(bytes)
}

fn write(path: &Path, bytes: &[u8]) -> Option<()> {
    let folder = path.parent()?;
    fs::create_dir_all(folder).ok()?;
    let mut file = tempfile::NamedTempFile::new_in(folder).ok()?;
    file.write_all(bytes).ok()?;
    file.persist(path).ok()?;
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_comes_back_by_digest_and_by_address_until_it_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path(), 1 << 20);
        assert_eq!(cache.by_address("https://a.example/x"), None);
        cache.keep("https://a.example/x", b"descriptor");
        let digest = digest_of(b"descriptor");
        assert_eq!(cache.by_digest(&digest).unwrap(), b"descriptor");
        assert_eq!(cache.by_address("https://a.example/x").unwrap(), b"descriptor");
        let path = folder.path().join("sha256").join(digest.trim_start_matches("sha256:"));
        fs::write(&path, b"changed").unwrap();
        assert_eq!(cache.by_address("https://a.example/x"), None);
        assert!(!path.exists());
    }

    #[test]
    fn the_oldest_leave_when_the_folder_is_full() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path(), 250);
        for name in ["a", "b", "c"] {
            cache.keep(name, name.repeat(100).as_bytes());
        }
        assert_eq!(cache.by_address("c").unwrap().len(), 100);
        let kept = ["a", "b", "c"]
            .iter()
            .filter(|name| cache.by_address(name).is_some())
            .count();
        assert_eq!(kept, 2);
        cache.keep("large", &[b'x'; 251]);
        assert_eq!(cache.by_address("large"), None);
    }
}
