//! A host agent and a control plane on folders of their own: started, killed, asked.

use crate::command::{Answer, Running};
use crate::life::text;
use crate::wait::wait_for;
use serde_json::Value;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// From start to first answer, on a machine whose cores boot other machines meanwhile.
const START: Duration = Duration::from_secs(90);

/// The longest command: an instantiation or a termination, told by its end.
pub const COMMAND: Duration = Duration::from_secs(120);

/// Where the control plane listens: the network namespace is ours alone, so a restart is found at the same place.
const LISTEN: &str = "127.0.0.1:9400";

/// Who is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Victim {
    /// The control plane.
    Plane,
    /// The host agent.
    Agent,
    /// Both, the control plane first.
    Both,
}

impl Victim {
    /// Each.
    pub const ALL: [Victim; 3] = [Victim::Plane, Victim::Agent, Victim::Both];
}

/// Both processes, and their folders.
pub struct Cluster {
    program: PathBuf,
    cache: PathBuf,
    folder: PathBuf,
    agent: Option<Child>,
    plane: Option<Child>,
}

impl Cluster {
    /// Starts both on an empty folder.
    pub fn start(program: &Path, cache: &Path, folder: &Path) -> Cluster {
        std::fs::create_dir_all(folder.join("run")).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut cluster = Cluster {
            program: program.into(),
            cache: cache.into(),
            folder: folder.into(),
            agent: None,
            plane: None,
        };
        cluster.go_on();
        cluster
    }

    /// Starts whatever does not run, the agent first, and waits until it answers.
    pub fn go_on(&mut self) {
        if self.agent.is_none() {
            self.start_agent();
        }
        if self.plane.is_none() {
            self.start_plane();
        }
    }

    /// Starts the agent, and waits until its socket takes connections.
    pub fn start_agent(&mut self) {
        std::fs::create_dir_all(self.run_dir()).unwrap_or_else(|error| panic!("the run folder: {error}"));
        let mut child = self.spawn("agent", &[]);
        let socket = self.run_dir().join("agent.sock");
        wait_for("the agent's socket", START, || {
            self.still_runs(&mut child, "agent.log");
            UnixStream::connect(&socket).ok()
        });
        self.agent = Some(child);
    }

    /// Starts the control plane, and waits until it can be entered.
    pub fn start_plane(&mut self) {
        let mut child = self.spawn("up", &["--listen", LISTEN]);
        wait_for("the control plane's login", START, || {
            self.still_runs(&mut child, "up.log");
            let text = std::fs::read_to_string(self.data_dir().join("login.json")).ok()?;
            let login: Value = serde_json::from_str(&text).ok()?;
            // A killed one left its login behind.
            (login["pid"] == child.id()).then_some(())
        });
        self.plane = Some(child);
    }

    fn still_runs(&self, child: &mut Child, log: &str) {
        if let Ok(Some(status)) = child.try_wait() {
            panic!("it ended early ({status}):\n{}", self.tail(log));
        }
    }

    fn spawn(&self, command: &str, more: &[&str]) -> Child {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.join(format!("{command}.log")))
            .unwrap_or_else(|error| panic!("{command}.log: {error}"));
        let same = log.try_clone().unwrap_or_else(|error| panic!("{command}.log: {error}"));
        let mut line = self.line(&[command]);
        line.args(more).stdin(Stdio::null()).stdout(same).stderr(log);
        line.spawn()
            .unwrap_or_else(|error| panic!("manifold {command}: {error}"))
    }

    /// A command line of the program with this cluster's folders.
    pub fn line(&self, words: &[&str]) -> Command {
        let mut line = Command::new(&self.program);
        line.args(words)
            .arg("--data")
            .arg(self.data_dir())
            .arg("--run")
            .arg(self.run_dir())
            .arg("--cache")
            .arg(&self.cache);
        line.args(["--log", "warn,manifold=info"]);
        line
    }

    /// Runs a command to its end.
    pub fn run(&self, words: &[&str]) -> Answer {
        Running::start(self.line(words)).end(COMMAND)
    }

    /// Runs a command that shall succeed, and gives its JSON.
    pub fn json(&self, words: &[&str]) -> Value {
        self.run(&[words, &["--json"]].concat()).ok().json()
    }

    /// Ends processes as SIGKILL does, and reaps them.
    pub fn kill(&mut self, victim: Victim) {
        let plane = self.plane.take_if(|_| victim != Victim::Agent);
        let agent = self.agent.take_if(|_| victim != Victim::Plane);
        let mut dead: Vec<Child> = plane.into_iter().chain(agent).collect();
        for child in &mut dead {
            child.kill().unwrap_or_else(|error| panic!("kill: {error}"));
        }
        for mut child in dead {
            child.wait().unwrap_or_else(|error| panic!("wait: {error}"));
        }
    }

    /// Asks the control plane to end in order, and waits.
    pub fn stop_plane(&mut self) {
        let Some(mut child) = self.plane.take() else { return };
        let pid = nix::unistd::Pid::from_raw(i32::try_from(child.id()).expect("process ids are positive"));
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM)
            .unwrap_or_else(|errno| panic!("SIGTERM: {errno}"));
        wait_for("the control plane's end", START, || child.try_wait().ok().flatten());
    }

    /// Where the APIs are, and the client and its secret as `curl -u` takes them.
    pub fn login(&self) -> (String, String) {
        let file = self.data_dir().join("login.json");
        let login = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let login: Value = serde_json::from_str(&login).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let user = format!("{}:{}", text(&login["clientId"]), text(&login["clientSecret"]));
        (text(&login["root"]), user)
    }

    /// The control plane's folder.
    pub fn data_dir(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The agent's folder.
    pub fn run_dir(&self) -> PathBuf {
        self.folder.join("run")
    }

    /// All of a log.
    pub fn log(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.join(name)).unwrap_or_default()
    }

    fn tail(&self, name: &str) -> String {
        let text = self.log(name);
        let lines: Vec<&str> = text.lines().collect();
        format!(
            "--- the end of {name}\n{}\n",
            lines[lines.len().saturating_sub(30)..].join("\n")
        )
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}{}", self.tail("up.log"), self.tail("agent.log"));
        }
        self.kill(Victim::Both);
    }
}
