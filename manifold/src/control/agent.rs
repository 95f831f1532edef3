//! Finds the host agent, and starts one when none runs.

use crate::config::Config;
use anyhow::{Context as _, bail};
use manifold_call::{Context, Role};
use manifold_nfvi_interface::{Capabilities, Infrastructure};
use manifold_wire_agent::AgentClient;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// From start to first answer; it adopts what is there before it answers.
const START: Duration = Duration::from_secs(20);

/// A connection in each of the roles in which the control plane calls the agent; which calls are made in which role is the
/// gates' business, so one connection with the widest of them is enough.
pub async fn connect(config: &Config) -> anyhow::Result<(Arc<dyn Infrastructure>, Capabilities)> {
    let socket = config.agent_socket();
    let client: Arc<dyn Infrastructure> = AgentClient::new(&socket, Role::Vim);
    let refusal = match ask(&client, Duration::from_secs(2)).await {
        Ok(found) => return Ok((client, found)),
        Err(error) => error,
    };
    let user = nix::unistd::geteuid();
    if !user.is_root() {
        // It may be that none runs, and it may be that one runs which does not know us.
        bail!(
            "no host agent answers this user at {} ({}), and starting one needs root; start it with `sudo manifold agent --run {} --allow {user}`",
            socket.display(),
            refusal.detail,
            config.run.display()
        );
    }
    start(config)?;
    let deadline = tokio::time::Instant::now() + START;
    loop {
        match ask(&client, Duration::from_secs(5)).await {
            Ok(found) => return Ok((client, found)),
            Err(error) if tokio::time::Instant::now() > deadline => {
                return Err(error).with_context(|| {
                    format!(
                        "the host agent did not begin to answer; its log is {}",
                        config.run.join("agent.log").display()
                    )
                });
            }
            // The client itself paces its attempts at a connection.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

async fn ask(client: &Arc<dyn Infrastructure>, limit: Duration) -> manifold_call::Outcome<Capabilities> {
    client
        .capabilities(&Context::root("default".into()).within(limit), ())
        .await
}

fn start(config: &Config) -> anyhow::Result<()> {
    std::fs::create_dir_all(&config.run).with_context(|| format!("making {}", config.run.display()))?;
    let log = std::fs::File::options()
        .create(true)
        .append(true)
        .open(config.run.join("agent.log"))?;
    let mut command = Command::new(std::env::current_exe()?);
    command
        .arg("agent")
        .arg("--run")
        .arg(&config.run)
        .arg("--cache")
        .arg(&config.cache)
        .arg("--log")
        .arg(&config.log)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        // A group of its own: what ends the control plane does not end the agent.
        .process_group(0);
    command.spawn().context("starting the host agent")?;
    tracing::info!(run = %config.run.display(), "Host agent started.");
    Ok(())
}
