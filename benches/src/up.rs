//! `manifold up`: from the start of its process to the first authorised answer, with an agent that runs already; and how much
//! memory both hold when nobody wants anything.
//!
//! The floor of a start is the same program that tells its version and ends.

use crate::figure::{Figure, Goal, Spread, Unit, milliseconds};
use crate::ground::context;
use crate::stage::{self, Outcome};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use manifold_call::Role;
use manifold_nfvi_interface::Infrastructure;
use manifold_wire_agent::AgentClient;
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 11;
/// Until it answers; only a hang gets there.
const LIMIT: Duration = Duration::from_secs(20);
/// Between two looks for what is about to be there.
const LOOK_AGAIN: Duration = Duration::from_micros(200);
/// Nobody asks anything for so long before memory is read.
const IDLE: Duration = Duration::from_secs(2);
const RUN: &str = "/run/manifold-bench-up";

pub(crate) fn run() {
    stage::report(measure);
}

/// Ends its process when it goes.
struct Running(Child);

impl Running {
    fn stop(mut self) -> Outcome<()> {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.0.id())?);
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM)?;
        let ended = self.0.wait()?;
        if ended.success() {
            Ok(())
        } else {
            Err(format!("it ended with {ended}").into())
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already, or the namespace's end ends it.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Program {
    path: PathBuf,
    config: PathBuf,
}

impl Program {
    fn command(&self, word: &str, data: &Path) -> Command {
        let mut command = Command::new(&self.path);
        command
            .arg(word)
            .arg("--config")
            .arg(&self.config)
            .arg("--data")
            .arg(data)
            .args(["--run", RUN]);
        command.args(["--cache", "/var/cache/manifold", "--log", "warn"]);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    /// Starts the control plane and asks it; how long both took.
    fn up(&self, data: &Path) -> Outcome<(Running, Duration)> {
        let begin = Instant::now();
        let running = Running(self.command("up", data).args(["--listen", "127.0.0.1:0"]).spawn()?);
        let login: Value = serde_json::from_slice(&appears(&data.join("login.json"), running.0.id())?)?;
        let text = |key: &str| login[key].as_str().unwrap_or_default();
        let authority = text("root")
            .strip_prefix("http://")
            .ok_or("the control plane speaks no HTTP on loopback")?;
        let basic = STANDARD.encode(format!("{}:{}", text("clientId"), text("clientSecret")));
        let form = "grant_type=client_credentials";
        let head = format!(
            "POST /oauth2/token HTTP/1.1\r\nAuthorization: Basic {basic}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}",
            form.len()
        );
        let answer: Value = serde_json::from_str(&ask(authority, &head, form)?)?;
        let token = answer["access_token"].as_str().ok_or("the answer holds no token")?;
        let head = format!(
            "GET /nslcm/v2/ns_instances HTTP/1.1\r\nAuthorization: Bearer {token}\r\nVersion: 2.3.0\r\nAccept: application/json"
        );
        ask(authority, &head, "")?;
        Ok((running, begin.elapsed()))
    }
}

/// The login of this very process, once it is written.
fn appears(path: &Path, pid: u32) -> Outcome<Vec<u8>> {
    let end = Instant::now() + LIMIT;
    let of_this = format!("\"pid\": {pid}");
    while Instant::now() < end {
        match fs::read(path) {
            Ok(bytes) if String::from_utf8_lossy(&bytes).contains(&of_this) => return Ok(bytes),
            _ => std::thread::sleep(LOOK_AGAIN),
        }
    }
    Err(format!("{} did not appear within {LIMIT:?}", path.display()).into())
}

/// One request on a connection of its own; the body of a 200.
fn ask(authority: &str, head: &str, body: &str) -> Outcome<String> {
    let mut stream = TcpStream::connect(authority)?;
    stream.set_read_timeout(Some(LIMIT))?;
    write!(stream, "{head}\r\nHost: {authority}\r\nConnection: close\r\n\r\n{body}")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("the answer broke off")?;
    match head.split(' ').nth(1) {
        Some("200") => Ok(body.to_owned()),
        _ => Err(format!("it answered {answer}").into()),
    }
}

fn measure() -> Outcome<Vec<Figure>> {
    let folder = stage::folder()?;
    let config = folder.join("manifold.toml");
    fs::write(&config, "accelerator = \"tcg\"\n")?;
    let program = Program {
        path: program()?,
        config,
    };
    let agent = Running(program.command("agent", &folder.join("agent")).spawn()?);
    stage::runtime()?.block_on(answers())?;
    let (mut first, mut later, mut floor) = (vec![], vec![], vec![]);
    for round in 0..=ROUNDS {
        let data = folder.join(format!("data-{round}"));
        let (running, fresh) = program.up(&data)?;
        running.stop()?;
        let (running, again) = program.up(&data)?;
        running.stop()?;
        let begin = Instant::now();
        let told = Command::new(&program.path)
            .arg("--version")
            .stdout(Stdio::null())
            .status()?;
        let bare = begin.elapsed();
        if !told.success() {
            return Err("the program does not tell its version".into());
        }
        if round > 0 {
            first.push(fresh);
            later.push(again);
            floor.push(bare);
        }
    }
    let (control, _) = program.up(&folder.join("data-0"))?;
    std::thread::sleep(IDLE);
    let memory = [&agent, &control].map(|running| Memory::of(running.0.id()));
    let [of_agent, of_control] = memory;
    let (of_agent, of_control) = (of_agent?, of_control?);
    control.stop()?;
    agent.stop()?;
    let start = Figure::new(
        "up to first authorised 200",
        Unit::Milliseconds,
        Spread::of_times(&first),
    )
    .floor("the same program's --version", Spread::of_times(&floor))
    .goal(Goal::AtMost(150.0))
    .note(format!(
        "on an empty data folder; on one that is there: {:.0} ms",
        Spread::of(later.iter().map(|time| milliseconds(*time))).median
    ));
    let resident = Spread::of([of_agent.resident + of_control.resident]);
    let memory = Figure::new("resident memory idle, both", Unit::Mebibytes, resident)
        .goal(Goal::AtMost(60.0))
        .note(format!(
            "control plane {:.1} MB, agent {:.1} MB; pages that both share counted once: {:.1} MB",
            of_control.resident,
            of_agent.resident,
            of_agent.proportional + of_control.proportional
        ));
    Ok(vec![start, memory])
}

async fn answers() -> Outcome<()> {
    let client = AgentClient::new(&Path::new(RUN).join("agent.sock"), Role::Vim);
    let end = Instant::now() + LIMIT;
    loop {
        match client.capabilities(&context(), ()).await {
            Ok(_) => return Ok(()),
            Err(error) if Instant::now() > end => return Err(error.into()),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// In mebibytes.
struct Memory {
    resident: f64,
    proportional: f64,
}

impl Memory {
    fn of(pid: u32) -> Outcome<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
        let read = |key: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(key));
            let kibibytes = line.and_then(|rest| rest.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok());
            kibibytes
                .map(|size| size / 1_024.0)
                .ok_or(format!("the kernel tells no {key}"))
        };
        Ok(Self {
            resident: read("Rss:")?,
            proportional: read("Pss:")?,
        })
    }
}

/// The program, built as it is released. `MANIFOLD_PROGRAM` names another one.
fn program() -> Outcome<PathBuf> {
    if let Some(path) = std::env::var_os("MANIFOLD_PROGRAM") {
        return Ok(path.into());
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--release", "--offline", "--quiet", "-p", "manifold"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdout(Stdio::null())
        .status()?;
    if !built.success() {
        return Err("the program does not build".into());
    }
    let own = std::env::current_exe()?;
    let place = own.ancestors().nth(2).ok_or("this program lies in no target folder")?;
    Ok(place.join("manifold"))
}
