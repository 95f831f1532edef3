//! What may be read and fetched.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// Which files a script may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// What relative names are relative to: the folder of the script.
    pub folder: PathBuf,
    /// A folder that no file may be outside of, links followed; `None`: whatever the user can read.
    pub within: Option<PathBuf>,
    /// Most bytes of a descriptor or package.
    pub bytes_max: u64,
}

impl Files {
    /// Beside a script: whatever the user can read.
    pub fn beside(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            within: None,
            bytes_max: 64 << 20,
        }
    }
}

/// A host that descriptors may be fetched from: `example.org`, or `example.org:8443` where its port is not the scheme's own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Host(pub String);

impl Host {
    fn allows(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        let wanted = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        self.0.eq_ignore_ascii_case(&wanted)
    }
}

/// What may be fetched. The default allows nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Hosts that are allowed, redirects included.
    pub hosts: Vec<Host>,
    /// Whether plain http is allowed: anybody on the way can change what comes.
    pub plain_http: bool,
    /// Whether a host may be on this machine or on a private network.
    pub private_addresses: bool,
    /// Most bytes of a descriptor or package.
    pub bytes_max: u64,
    /// Most time for all of it, redirects included.
    pub time_max: Duration,
    /// Most redirects that are followed.
    pub redirects_max: usize,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            hosts: Vec::new(),
            plain_http: false,
            private_addresses: false,
            bytes_max: 16 << 20,
            time_max: Duration::from_secs(20),
            redirects_max: 5,
        }
    }
}

impl Policy {
    /// Whether one of the hosts is this one.
    pub(crate) fn knows(&self, url: &Url) -> bool {
        self.hosts.iter().any(|host| host.allows(url))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_allowed_with_its_port_and_no_other_that_looks_like_it() {
        let policy = Policy {
            hosts: vec![
                Host("files.example".into()),
                Host("lab.example:8443".into()),
                Host("[::1]:80".into()),
            ],
            ..Policy::default()
        };
        let knows = |text: &str| policy.knows(&Url::parse(text).unwrap());
        assert!(knows("https://files.example/a") && knows("https://FILES.example:443/a"));
        assert!(knows("https://lab.example:8443/a"));
        for other in [
            "https://files.example:8080/a",
            "https://lab.example/a",
            "https://files.example.evil.example/a",
            "https://xfiles.example/a",
            "https://evil.example/files.example",
            "https://files.example@evil.example/",
        ] {
            assert!(!knows(other), "{other}");
        }
        assert!(!Policy::default().knows(&Url::parse("https://files.example/").unwrap()));
    }
}
