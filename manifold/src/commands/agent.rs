//! `manifold agent`, and the process that a physical function's service is.

use super::start_logging;
use crate::config::Config;
use anyhow::{Context as _, bail};
use clap::Args;
use manifold_call::Role;
use manifold_host::machine::{Accelerator, MachineConfig, Machines, Trial};
use manifold_host::probe::Probes;
use manifold_host::{Agent, AgentConfig};
use manifold_wire_agent::{AgentListener, Allowed, serve};
use std::process::Command;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};

#[derive(Debug, Args)]
pub struct Arguments {
    /// User who may connect beside root: the control plane's
    #[arg(long, value_name = "UID", env = "MANIFOLD_AGENT_ALLOW")]
    allow: Vec<u32>,
    /// Remove everything that this agent ever made, and exit
    #[arg(long)]
    destroy: bool,
}

#[derive(Debug, Args)]
pub struct ServiceArguments {
    /// As the agent gives them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Calls are short; long ones have threads of their own.
const WORKERS: usize = 2;

/// Only the owner of the socket may use it, unless other users are allowed; who connects is checked besides.
const SOCKET_MODE: (u32, u32) = (0o600, 0o666);

pub fn run(config: Config, arguments: Arguments) -> anyhow::Result<()> {
    if !nix::unistd::geteuid().is_root() {
        bail!("the host agent makes network namespaces and machines, which needs root; use `sudo manifold agent`");
    }
    start_logging(&config);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        std::fs::create_dir_all(&config.run).with_context(|| format!("making {}", config.run.display()))?;
        let program = std::env::current_exe()?;
        let machines = Arc::new(
            Machines::open(machine_config(&config)?)
                .await
                .context("adopting the machines that run")?,
        );
        let prober = Arc::new(Probes::new(machines.clone()));
        let agent = Agent::start(
            AgentConfig {
                run_dir: config.run.clone(),
                instance: instance(&config),
                service_command: Arc::new(move || {
                    let mut command = Command::new(&program);
                    command.arg("agent-service").arg("--");
                    command
                }),
            },
            machines,
            prober,
        )
        .await?;
        if arguments.destroy {
            let reports = agent.destroy().await?;
            let failures: Vec<String> = reports
                .iter()
                .filter_map(|report| Some(format!("{}: {}", report.id, report.failure.as_ref()?)))
                .collect();
            agent.stop();
            if failures.is_empty() {
                println!("{} objects removed.", reports.len());
                return Ok(());
            }
            bail!(
                "{} objects could not be removed:\n{}",
                failures.len(),
                failures.join("\n")
            );
        }
        let mut allowed = Allowed::nobody();
        let own = nix::unistd::geteuid().as_raw();
        for uid in std::iter::once(own).chain(arguments.allow.iter().copied()) {
            for role in [Role::Vim, Role::Wim, Role::Lab] {
                allowed = allowed.permit(uid, role);
            }
        }
        let mode = if arguments.allow.is_empty() {
            SOCKET_MODE.0
        } else {
            SOCKET_MODE.1
        };
        let listener = AgentListener::bind(&config.agent_socket(), mode).await?;
        tracing::info!(socket = %config.agent_socket().display(), "Host agent answers.");
        serve(listener, agent.clone(), allowed, async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        })
        .await;
        // Namespaces, links and machines stay: another agent takes them over.
        agent.stop();
        Ok(())
    })
}

/// The guest image is what KVM is tried with; where it is not built yet, machines are emulated until the agent starts again.
fn machine_config(config: &Config) -> anyhow::Result<MachineConfig> {
    // It keeps `machines` below both: sockets and labels in the one, what machines wrote, which outlives a reboot, in the other.
    let mut machines = MachineConfig::new(config.run.clone(), config.data.clone());
    machines.accelerator = match config.accelerator.as_str() {
        "kvm" => Accelerator::Kvm,
        "tcg" => Accelerator::Tcg,
        _ => Accelerator::Auto,
    };
    machines.trial = manifold_image::built(&config.cache).map(|image| Trial {
        kernel: image.kernel,
        initramfs: image.initramfs,
        ready_mark: manifold_image::READY_MARK.to_owned(),
    });
    Ok(machines)
}

/// Agents of one machine differ in their run folders; the name is made of that.
fn instance(config: &Config) -> String {
    let text = config.run.to_string_lossy();
    let id = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, text.as_bytes())
        .simple()
        .to_string();
    format!("m-{}", &id[..12])
}

/// Runs until it is killed.
pub fn service(arguments: ServiceArguments) -> anyhow::Result<()> {
    manifold_host::service::main(&arguments.arguments).context("serving in a node")
}
