//! Configuration: a file, then the environment, then flags; the later one wins.
//!
//! The file is TOML, `/etc/manifold.toml` unless `--config` or `MANIFOLD_CONFIG` names another; an absent default file is no
//! fault. Unknown keys are refused by name. `docs/configuration.md` tells all keys.

use anyhow::{Context as _, bail};
use clap::Args;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Where the file is when nobody says.
const DEFAULT_FILE: &str = "/etc/manifold.toml";

/// What every command takes.
#[derive(Debug, Clone, Default, Args)]
pub struct Globals {
    /// Configuration file (TOML)
    #[arg(long, global = true, env = "MANIFOLD_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Data folder of the control plane
    #[arg(long, global = true, env = "MANIFOLD_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Run folder of the host agent; its socket is `agent.sock` in it
    #[arg(long, global = true, env = "MANIFOLD_RUN", value_name = "DIR")]
    pub run: Option<PathBuf>,
    /// Folder for images that are built or downloaded once
    #[arg(long, global = true, env = "MANIFOLD_CACHE", value_name = "DIR")]
    pub cache: Option<PathBuf>,
    /// Answer in JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// Log lines as JSON
    #[arg(long, global = true, env = "MANIFOLD_LOG_JSON")]
    pub log_json: bool,
    /// What to log, such as `info` or `manifold_vim=debug`
    #[arg(long, global = true, env = "MANIFOLD_LOG", value_name = "FILTER")]
    pub log: Option<String>,
}

/// The file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    data: Option<PathBuf>,
    run: Option<PathBuf>,
    cache: Option<PathBuf>,
    log: Option<String>,
    log_json: Option<bool>,
    listen: Option<SocketAddr>,
    public_root: Option<String>,
    tls_certificate: Option<PathBuf>,
    tls_key: Option<PathBuf>,
    tenant: Option<String>,
    external_wim: Option<bool>,
    accelerator: Option<String>,
    #[serde(default)]
    client: Vec<Client>,
}

/// A client of the APIs: one table `[[client]]` of the file.
///
/// ```toml
/// [[client]]
/// id = "cluster-manager"
/// role = "CCM"                                  # GS NFV 006's names: OSS, NFVO, VNFM, VIM, CCM, CISM, …
/// secret_file = "/etc/manifold/cluster-manager" # its owner's only: mode 0600 or 0400
/// tenant = "clusters"                           # optional: of requests that name none
/// tenants = ["clusters-test"]                   # optional: others that it may name; ["*"] = any
/// ```
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// Its `client_id`.
    pub id: String,
    /// The role in which all its calls are made.
    pub role: String,
    /// Holds its secret, which never stands in the configuration itself.
    pub secret_file: PathBuf,
    /// The tenant of its requests that name none; absent = the program's.
    pub tenant: Option<String>,
    /// The other tenants that it may name; `*` = any.
    #[serde(default)]
    pub tenants: Vec<String>,
}

/// What the program runs with.
#[derive(Debug, Clone)]
pub struct Config {
    /// Data folder of the control plane.
    pub data: PathBuf,
    /// Run folder of the host agent.
    pub run: PathBuf,
    /// Images.
    pub cache: PathBuf,
    /// Log filter.
    pub log: String,
    /// Log lines as JSON.
    pub log_json: bool,
    /// Where the APIs listen.
    pub listen: SocketAddr,
    /// Where clients find the APIs, if not where they listen.
    pub public_root: Option<String>,
    /// Certificate and key in PEM; absent = self-signed where TLS is needed.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// The tenant of requests that name none.
    pub tenant: String,
    /// The WAN is somebody else's: no Or-Wi call is made (GS NFV 006 5.2).
    pub external_wim: bool,
    /// `auto`, `kvm` or `tcg`.
    pub accelerator: String,
    /// Who may use the APIs beside the commands of this machine.
    pub clients: Vec<Client>,
}

impl Config {
    /// Reads the file and lays the environment and the flags over it.
    pub fn load(globals: &Globals) -> anyhow::Result<Config> {
        let file = read(globals.config.as_deref())?;
        let root = nix::unistd::geteuid().is_root();
        let state = || -> PathBuf {
            if root {
                "/var/lib/manifold".into()
            } else {
                home(".local/state/manifold")
            }
        };
        let run = || -> PathBuf {
            if root {
                "/run/manifold".into()
            } else {
                home(".local/state/manifold/run")
            }
        };
        let cache = || -> PathBuf {
            if root {
                "/var/cache/manifold".into()
            } else {
                home(".cache/manifold")
            }
        };
        let tls = match (file.tls_certificate, file.tls_key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => bail!("the configuration names only one of tls_certificate and tls_key; give both"),
        };
        let accelerator = file.accelerator.unwrap_or_else(|| "auto".into());
        if !["auto", "kvm", "tcg"].contains(&accelerator.as_str()) {
            bail!("accelerator is {accelerator:?}; it can be auto, kvm or tcg");
        }
        Ok(Config {
            data: globals.data.clone().or(file.data).unwrap_or_else(state),
            run: globals.run.clone().or(file.run).unwrap_or_else(run),
            cache: globals.cache.clone().or(file.cache).unwrap_or_else(cache),
            log: globals
                .log
                .clone()
                .or(file.log)
                .unwrap_or_else(|| "warn,manifold=info".into()),
            log_json: globals.log_json || file.log_json.unwrap_or(false),
            listen: file.listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 9_400))),
            public_root: file.public_root,
            tls,
            tenant: file.tenant.unwrap_or_else(|| "default".into()),
            external_wim: file.external_wim.unwrap_or(false),
            accelerator,
            clients: file.client,
        })
    }

    /// The agent's socket.
    pub fn agent_socket(&self) -> PathBuf {
        self.run.join("agent.sock")
    }

    /// How client commands find and enter the control plane.
    pub fn login_file(&self) -> PathBuf {
        self.data.join("login.json")
    }
}

fn read(named: Option<&Path>) -> anyhow::Result<File> {
    let path = named.unwrap_or(Path::new(DEFAULT_FILE));
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => return Ok(File::default()),
        Err(error) => return Err(error).with_context(|| format!("reading the configuration {}", path.display())),
    };
    toml::from_str(&text).with_context(|| format!("in the configuration {}", path.display()))
}

fn home(below: &str) -> PathBuf {
    std::env::var_os("HOME")
        .map_or_else(|| PathBuf::from("/tmp"), PathBuf::from)
        .join(below)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    const PAGE: &str = include_str!("../../docs/configuration.md");

    /// The keys of a table, as serde names them when it meets one that it does not know.
    fn keys<T: serde::de::DeserializeOwned>() -> Vec<String> {
        let refused = toml::from_str::<T>("no_such_key = 1")
            .err()
            .expect("unknown keys are refused");
        let (_, expected) = refused
            .message()
            .split_once("expected one of")
            .expect("the keys are told");
        expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    }

    #[test]
    fn the_page_tells_every_key_variable_and_flag() {
        let (of_the_file, of_a_client) = (keys::<File>(), keys::<Client>());
        assert!(
            of_the_file.len() >= 13 && of_a_client.len() == 5,
            "{of_the_file:?} {of_a_client:?}"
        );
        let mut wanted: Vec<_> = of_the_file.into_iter().filter(|key| key != "client").collect();
        wanted.extend(of_a_client);
        let command = crate::commands::Cli::command();
        let below = command.get_subcommands().flat_map(clap::Command::get_arguments);
        for argument in command.get_arguments().chain(below) {
            wanted.extend(argument.get_env().map(|name| name.to_string_lossy().into_owned()));
            wanted.extend(
                argument
                    .get_env()
                    .and(argument.get_long())
                    .map(|flag| format!("--{flag}")),
            );
        }
        let missing: Vec<_> = wanted
            .iter()
            .filter(|name| !PAGE.contains(&format!("| `{name}`")))
            .collect();
        assert!(missing.is_empty(), "docs/configuration.md does not tell {missing:?}");
        assert!(PAGE.contains("[[client]]"));
    }
}
