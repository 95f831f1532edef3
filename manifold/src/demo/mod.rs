//! `manifold demo`: a network service over two sites, instantiated, proven with packets, shown, and removed.
//!
//! It is `manifold up` on a throw-away folder and a script that is its client over HTTP: what it does, a user can do.

mod census;
mod cluster;
mod matrix;
mod packages;
mod prober;
mod report;
mod script;
mod services;

use crate::config::Config;
use clap::Args;
use std::io::Write;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Leave it running for the other commands
    #[arg(long)]
    keep: bool,
    /// Say what would be made, and make nothing
    #[arg(long)]
    dry_run: bool,
}

const PLAN: &str = "\
Manifold shows a network service over two sites. It is about to make, on this machine and nowhere else:
  - in namespaces of its own (this machine's network stays as it is): two NFVI-PoPs of two hosts each, a gateway each, a WAN
    between them, a provider network with a physical function, an access point for clients
  - seven small virtual machines (96 MiB each; about 200 MiB with the emulator), once one machine more
  - a folder for the control plane and one for the host agent below /tmp; images in the cache folder, which stay there
Everything but the images is removed at the end, also when something fails.
";

/// Runs the demo.
pub async fn run(config: Config, arguments: Arguments, json: bool) -> anyhow::Result<()> {
    if !json {
        print!("{PLAN}");
        std::io::stdout().flush()?;
    }
    if arguments.dry_run {
        return Ok(());
    }
    if !nix::unistd::geteuid().is_root() {
        anyhow::bail!("the demo makes network namespaces and machines, which needs root; use `sudo manifold demo`");
    }
    script::play(config, arguments.keep, json).await
}
