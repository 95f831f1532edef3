//! `manifold up`.

use super::start_logging;
use crate::client::print;
use crate::config::Config;
use crate::control::Plane;
use clap::Args;
use std::net::SocketAddr;
use tokio::signal::unix::{SignalKind, signal};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Where the APIs listen; TLS is used where that is not a loopback address
    #[arg(long, env = "MANIFOLD_LISTEN", value_name = "ADDR")]
    listen: Option<SocketAddr>,
}

/// Two workers: what the control plane does is wait.
const WORKERS: usize = 2;

pub fn run(mut config: Config, arguments: Arguments) -> anyhow::Result<()> {
    if let Some(listen) = arguments.listen {
        config.listen = listen;
    }
    start_logging(&config);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let begun = std::time::Instant::now();
        let (plane, started) = Plane::start(&config).await?;
        let took = print::span(u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX));
        println!("Manifold is up after {took}: {}", started.login.root);
        println!(
            "  APIs     {}/{{nsd,vnfpkgm,nslcm}}/v2, /{{manifold,vim,lab,trace}}/v1, /openapi, /metrics",
            started.login.root
        );
        println!(
            "  log in   POST {}/oauth2/token as the client in {}",
            started.login.root,
            config.login_file().display()
        );
        println!(
            "           (the manifold commands do that by themselves: --data {})",
            config.data.display()
        );
        if let Some(fingerprint) = &started.login.fingerprint {
            println!("  TLS      self-signed, {fingerprint}");
        }
        let found = &started.capabilities;
        println!(
            "  agent    {} CPUs, {} MiB, machines run on {}",
            found.cpus, found.memory_mib, found.accelerator
        );
        if started.remade > 0 || started.resumed > 0 {
            println!(
                "  brought back: {} objects made again, {} operations go on",
                started.remade, started.resumed
            );
        }
        plane
            .serve(async {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
            })
            .await
    })
}
