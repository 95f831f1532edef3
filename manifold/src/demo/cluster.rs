//! The processes of the demo: a host agent and a control plane on throw-away folders.

use crate::client::Login;
use crate::config::Config;
use anyhow::{Context as _, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// From the start of the control plane to its login.
const START: Duration = Duration::from_secs(40);

/// For an orderly end; then it is ended without order.
const END: Duration = Duration::from_secs(20);

/// Both processes.
pub struct Cluster {
    /// Holds `data` and `run`.
    pub folder: PathBuf,
    config: Config,
    agent: Option<Child>,
    plane: Option<Child>,
}

impl Cluster {
    /// Starts the agent, then the control plane, and waits until it can be entered.
    pub async fn start(config: &Config, folder: &Path) -> anyhow::Result<(Cluster, Login)> {
        let mut config = config.clone();
        config.data = folder.join("data");
        config.run = folder.join("run");
        std::fs::create_dir_all(&config.run)?;
        let mut cluster = Cluster {
            folder: folder.to_owned(),
            config,
            agent: None,
            plane: None,
        };
        cluster.agent = Some(cluster.spawn("agent", &[])?);
        cluster.plane = Some(cluster.spawn("up", &["--listen", "127.0.0.1:0"])?);
        let login_file = cluster.config.login_file();
        let begun = Instant::now();
        while !login_file.exists() {
            if let Some(status) = cluster.ended()? {
                bail!("a process of the demo ended early ({status}):\n{}", cluster.logs());
            }
            if begun.elapsed() > START {
                bail!("the control plane did not begin to answer:\n{}", cluster.logs());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let login = Login::read(&login_file)?;
        Ok((cluster, login))
    }

    fn spawn(&self, command: &str, more: &[&str]) -> anyhow::Result<Child> {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.join(format!("{command}.log")))?;
        let mut child = Command::new(std::env::current_exe()?);
        child
            .arg(command)
            .args(more)
            .arg("--data")
            .arg(&self.config.data)
            .arg("--run")
            .arg(&self.config.run)
            .arg("--cache")
            .arg(&self.config.cache)
            .arg("--log")
            .arg(&self.config.log)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0);
        child.spawn().with_context(|| format!("starting `manifold {command}`"))
    }

    /// The status of a process that ended.
    fn ended(&mut self) -> std::io::Result<Option<std::process::ExitStatus>> {
        for child in [&mut self.agent, &mut self.plane].into_iter().flatten() {
            if let Some(status) = child.try_wait()? {
                return Ok(Some(status));
            }
        }
        Ok(None)
    }

    /// The configuration that enters this control plane.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The end of both logs, for a failure's message.
    pub fn logs(&self) -> String {
        let tail = |name: &str| {
            let text = std::fs::read_to_string(self.folder.join(name)).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            format!("--- {name}\n{}", lines[lines.len().saturating_sub(15)..].join("\n"))
        };
        format!("{}\n{}", tail("up.log"), tail("agent.log"))
    }

    /// Resident memory of both processes, in kibibytes.
    pub fn resident_kib(&self) -> u64 {
        let of = |child: &Option<Child>| {
            let pid = child.as_ref().map(Child::id)?;
            let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
            status.lines().find_map(|line| {
                line.strip_prefix("VmRSS:")?
                    .trim()
                    .split(' ')
                    .next()?
                    .parse::<u64>()
                    .ok()
            })
        };
        of(&self.agent).unwrap_or(0) + of(&self.plane).unwrap_or(0)
    }

    /// Ends the control plane, has the agent remove whatever is left, and removes the folder.
    pub async fn end(mut self) -> anyhow::Result<()> {
        for child in [self.plane.take(), self.agent.take()].into_iter().flatten() {
            finish(child).await?;
        }
        let removed = self.spawn("agent", &["--destroy"])?.wait()?;
        if !removed.success() {
            bail!("the agent could not remove everything:\n{}", self.logs());
        }
        std::fs::remove_dir_all(&self.folder).with_context(|| format!("removing {}", self.folder.display()))
    }

    /// Lets both go on after this process.
    pub fn leave(mut self) {
        self.agent.take();
        self.plane.take();
    }
}

async fn finish(mut child: Child) -> anyhow::Result<()> {
    let pid = Pid::from_raw(i32::try_from(child.id())?);
    if child.try_wait()?.is_none() {
        kill(pid, Signal::SIGTERM)?;
    }
    let begun = Instant::now();
    while child.try_wait()?.is_none() {
        if begun.elapsed() > END {
            child.kill()?;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}
