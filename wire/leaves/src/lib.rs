//! Where the leaves of a script come from: files beside it, the on-boarded catalogue, and the network where policy allows the host.
//!
//! ```text
//! address ──alias──> file:…                      the script's folder; a file, a package's folder, or an archive
//!                    catalog:… catalogue:…       [`Catalogue`]: what is on-boarded
//!                    https://… http://…          [`Policy`]: which hosts, resolved addresses checked and pinned, each redirect anew
//!                                 └──> cache on disk, by digest
//! ```
//! A descriptor is fetched once: what was asked for gets the same answer for as long as the source lives, and one that is in the cache is
//! not fetched again. A pinned digest is held against the bytes wherever they come from. An address that only looks like one that could
//! work is refused with the address that was probably meant; nothing is guessed.

mod address;
mod alias;
mod cache;
mod fetch;
mod file;
mod policy;
mod refusal;

pub use address::is_public;
pub use alias::Aliases;
pub use cache::Cache;
pub use policy::{Files, Host, Policy};

use manifold_descriptors::interfaces::ReadLeaf;
use manifold_nemo::leaf::{Leaf, LeafError, LeafSource};
use refusal::refuse;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use url::Url;

/// Most addresses whose answers are remembered: a script has far fewer.
const REMEMBERED_MAX: usize = 10_000;

/// What is on-boarded, by the name that stands behind `catalog:`.
pub trait Catalogue: Send + Sync {
    /// The VNF of that name. `None`: there is none. Errors: a sentence that says what is wrong with it.
    fn leaf(&self, name: &str) -> Result<Option<ReadLeaf>, String>;

    /// All names, for suggestions.
    fn names(&self) -> Vec<String>;
}

/// What leaves are made from.
#[derive(Default)]
pub struct Options {
    /// Which files may be read; `None`: none.
    pub files: Option<Files>,
    /// The catalogue, where there is one.
    pub catalogue: Option<Arc<dyn Catalogue>>,
    /// What may be fetched. The default allows no host.
    pub policy: Policy,
    /// Where what was fetched is kept; `None`: nowhere.
    pub cache: Option<Cache>,
    /// Addresses that stand for others.
    pub aliases: Aliases,
}

/// Descriptors by address.
pub struct Leaves {
    options: Options,
    known: Mutex<HashMap<String, Result<Arc<Found>, LeafError>>>,
}

/// A descriptor that was found, and the bytes that say it again elsewhere.
struct Found {
    leaf: Arc<Leaf>,
    bytes: Option<Arc<[u8]>>,
}

impl Leaves {
    /// With these sources.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            known: Mutex::new(HashMap::new()),
        }
    }

    /// What is to be sent along with a script, so that another reads the same: the bytes of a descriptor that does not come from the
    /// catalogue. A package's folder is packed.
    pub fn bytes(&self, uri: &str) -> Result<Option<Arc<[u8]>>, LeafError> {
        Ok(self.found(uri, None)?.bytes.clone())
    }

    fn found(&self, uri: &str, pinned: Option<&str>) -> Result<Arc<Found>, LeafError> {
        let key = pinned.map_or_else(|| uri.to_owned(), |digest| format!("{uri} {digest}"));
        if let Some(found) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return found.clone();
        }
        let found = self.look(uri, pinned).map(Arc::new);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() < REMEMBERED_MAX {
            // Two threads may have looked at once: the first answer stays.
            return known.entry(key).or_insert(found).clone();
        }
        found
    }

    fn look(&self, uri: &str, pinned: Option<&str>) -> Result<Found, LeafError> {
        let pinned = pinned.map(digest).transpose()?;
        let address = self.options.aliases.resolve(uri);
        let found = self.at(uri, &address, pinned.as_deref())?;
        match pinned {
            Some(pinned) if pinned != found.leaf.digest => Err(refuse(
                format!(
                    "`{uri}` is not the descriptor that was pinned: it is {}",
                    found.leaf.digest
                ),
                "check who changed it; write the new digest if the change is wanted",
            )),
            _ => Ok(found),
        }
    }

    fn at(&self, uri: &str, address: &str, pinned: Option<&str>) -> Result<Found, LeafError> {
        let (scheme, rest) = match address.split_once(':') {
            // A name with a colon in its path is no scheme.
            Some((scheme, rest)) if !scheme.is_empty() && !scheme.contains(['/', '.']) => (scheme, rest),
            _ => return self.file(uri, address),
        };
        match scheme.to_ascii_lowercase().as_str() {
            "file" => self.file(uri, &file::path_of(uri, rest)?),
            "catalog" | "catalogue" => self.catalogue(uri, rest),
            "http" | "https" => self.network(uri, address, pinned),
            other => Err(refuse(
                format!("`{uri}`: nothing is known behind `{other}:`"),
                "name a file (`file:…`), a VNF of the catalogue (`catalog:…`), or an https address",
            )),
        }
    }

    fn file(&self, uri: &str, path: &str) -> Result<Found, LeafError> {
        let Some(files) = &self.options.files else {
            return Err(refuse(
                format!("`{uri}` is a file, and files are not read here"),
                "on-board the VNF package and name it `catalog:…`",
            ));
        };
        let read = file::read(files, uri, path)?;
        Ok(Found {
            leaf: Arc::new(Leaf::new(uri, &read.name, read.leaf)),
            bytes: read.bytes.map(Arc::from),
        })
    }

    fn catalogue(&self, uri: &str, name: &str) -> Result<Found, LeafError> {
        let Some(catalogue) = &self.options.catalogue else {
            return Err(refuse(
                format!("`{uri}` is in a catalogue, and there is none here"),
                "run `manifold up`, or name a file",
            ));
        };
        let name = name.trim_start_matches('/');
        match catalogue.leaf(name) {
            Ok(Some(read)) => Ok(Found {
                leaf: Arc::new(Leaf::new(uri, uri, read)),
                bytes: None,
            }),
            Ok(None) => Err(refusal::unknown_name(uri, name, &catalogue.names())),
            Err(message) => Err(refuse(
                format!("`{uri}`: {message}"),
                "on-board a package that can be used",
            )),
        }
    }

    fn network(&self, uri: &str, address: &str, pinned: Option<&str>) -> Result<Found, LeafError> {
        let url = Url::parse(address).map_err(|error| {
            refuse(
                format!("`{uri}` is no address: {error}"),
                "write the whole address of the descriptor",
            )
        })?;
        if let Some(meant) = alias::plain_file_of(&url) {
            return Err(LeafError {
                message: format!(
                    "`{uri}` is the address of a git repository with a path behind it: nothing can be fetched there"
                ),
                help: Some("name the file itself, or make the address an alias of a VNF of the catalogue".to_owned()),
                suggestion: Some(meant),
            });
        }
        let cached = self.options.cache.as_ref();
        let kept = cached.and_then(|cache| match pinned {
            Some(digest) => cache.by_digest(digest),
            None => cache.by_address(url.as_str()),
        });
        let bytes = match kept {
            Some(bytes) => bytes,
            None => {
                let bytes = fetch::fetch(&self.options.policy, &url).map_err(|error| error.refusal(uri))?;
                if let Some(cache) = cached {
                    cache.keep(url.as_str(), &bytes);
                }
                bytes
            }
        };
        let name = url
            .path_segments()
            .and_then(|mut segments| segments.next_back().map(str::to_owned))
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| uri.to_owned());
        let leaf = Leaf::read(uri, &name, &bytes)?;
        Ok(Found {
            leaf: Arc::new(leaf),
            bytes: Some(Arc::from(bytes)),
        })
    }
}

impl LeafSource for Leaves {
    fn leaf(&self, uri: &str, digest: Option<&str>) -> Result<Arc<Leaf>, LeafError> {
        Ok(self.found(uri, digest)?.leaf.clone())
    }
}

/// A pinned digest as digests are compared.
fn digest(written: &str) -> Result<String, LeafError> {
    let hash = written.strip_prefix("sha256:").unwrap_or_default().to_ascii_lowercase();
    if hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(format!("sha256:{hash}"));
    }
    Err(refuse(
        format!("`{written}` is no digest"),
        "write `sha256:` and 64 hexadecimal digits",
    ))
}
