//! Stages: each measures in a process of its own and says what it found.

use crate::figure::Figure;
use manifold_kernel_test::Test;
use serde::Serialize;
use std::error::Error;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// What a measurement comes to.
pub(crate) type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Why a stage cannot run here: what is lacking.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Lacking(pub(crate) String);

/// Names the stage to the process that is to be it.
const STAGE: &str = "MANIFOLD_BENCH_STAGE";
/// Names its folder.
const FOLDER: &str = "MANIFOLD_BENCH_FOLDER";

struct Stage {
    test: Test,
    /// In namespaces of its own, which only root can make.
    isolated: bool,
}

const fn stage(name: &'static str, isolated: bool, limit_s: u64, run: fn()) -> Stage {
    Stage {
        test: Test { name, limit_s, run },
        isolated,
    }
}

const STAGES: &[Stage] = &[
    stage("store", false, 120, crate::commits::run),
    stage("lcm", false, 120, crate::chain::run),
    stage("nemo", false, 120, crate::nemo::run),
    stage("nemo_check", false, 120, crate::nemo_check::run),
    stage("nemo_memory", false, 120, crate::nemo_memory::run),
    stage("nemo_compile", false, 120, crate::nemo_compile::run),
    stage("lifecycle", false, 120, crate::lifecycle::run),
    stage("realise", true, 600, crate::realise::run),
    // The program may have to be built first.
    stage("up", true, 1_800, crate::up::run),
    stage("machine", true, 600, crate::machine::run),
];

/// Runs the stages that the command line names, or all; `scratch` is a folder on a disk.
pub fn main(scratch: &Path) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "agent-service") {
        let served = manifold_host::service::main(&arguments[1..]);
        return if served.is_ok() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        };
    }
    if let Some(name) = std::env::var_os(STAGE) {
        return inside(&name);
    }
    let names: Vec<&String> = arguments
        .iter()
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    if let Some(unknown) = names
        .iter()
        .find(|name| STAGES.iter().all(|stage| stage.test.name != **name))
    {
        let known: Vec<&str> = STAGES.iter().map(|stage| stage.test.name).collect();
        eprintln!("there is no stage {unknown}; there are {}", known.join(", "));
        return ExitCode::FAILURE;
    }
    let as_json = arguments.iter().any(|argument| argument == "--json");
    let mut report = Report::begin();
    if !as_json {
        println!("{}, {}; load {}", report.date, report.machine, report.load_at_start);
    }
    for stage in STAGES
        .iter()
        .filter(|stage| names.is_empty() || names.iter().any(|name| *name == stage.test.name))
    {
        for said in outside(stage, scratch) {
            if !as_json {
                println!("{said}");
            }
            report.take(said);
        }
    }
    report.load_at_end = load();
    if as_json {
        println!("{}", serde_json::to_string_pretty(&report).unwrap_or_default());
    } else {
        println!("load at the end {}", report.load_at_end);
    }
    if report.failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// What a stage said.
enum Said {
    Figure(Box<Figure>),
    Skipped(String),
    Failed(String),
}

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Said::Figure(figure) => figure.fmt(f),
            Said::Skipped(text) => write!(f, "NOT RUN: {text}"),
            Said::Failed(text) => write!(f, "FAILED: {text}"),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    date: String,
    machine: String,
    load_at_start: String,
    load_at_end: String,
    figures: Vec<Figure>,
    not_run: Vec<String>,
    failed: Vec<String>,
}

impl Report {
    fn begin() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let cpus = std::thread::available_parallelism().map_or(0, usize::from);
        let kernel = read("/proc/sys/kernel/osrelease");
        let model = read("/proc/cpuinfo");
        let model = model
            .lines()
            .find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
        Self {
            date: OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default(),
            machine: format!("{cpus} CPUs ({}), Linux {}", model.unwrap_or("unknown"), kernel.trim()),
            load_at_start: load(),
            load_at_end: String::new(),
            figures: Vec::new(),
            not_run: Vec::new(),
            failed: Vec::new(),
        }
    }

    fn take(&mut self, said: Said) {
        match said {
            Said::Figure(figure) => self.figures.push(*figure),
            Said::Skipped(text) => self.not_run.push(text),
            Said::Failed(text) => self.failed.push(text),
        }
    }
}

/// Of the last one, five and fifteen minutes.
fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

fn outside(stage: &Stage, scratch: &Path) -> Vec<Said> {
    let name = stage.test.name;
    if stage.isolated && !nix::unistd::geteuid().is_root() {
        return vec![Said::Skipped(format!(
            "{name}: needs root (network, mount and PID namespaces)"
        ))];
    }
    match spawn(name, scratch) {
        Ok(said) => said,
        Err(error) => vec![Said::Failed(format!("{name}: {error}"))],
    }
}

fn spawn(name: &str, scratch: &Path) -> Outcome<Vec<Said>> {
    fs::create_dir_all(scratch)?;
    let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(scratch)?;
    let output = Command::new("/proc/self/exe")
        .args(["--exact", name])
        .env(STAGE, name)
        .env(FOLDER, folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()?
        .wait_with_output()?;
    let mut all = Vec::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        if let Some(figure) = line.strip_prefix("figure ") {
            all.push(Said::Figure(Box::new(serde_json::from_str(figure)?)));
        } else if let Some(why) = line.strip_prefix("lacking ") {
            all.push(Said::Skipped(format!("{name}: {why}")));
        }
    }
    if !output.status.success() {
        all.push(Said::Failed(format!("{name}: {}", output.status)));
    }
    folder.close()?;
    Ok(all)
}

fn inside(name: &OsStr) -> ExitCode {
    let Some(stage) = STAGES.iter().find(|stage| name == stage.test.name) else {
        eprintln!("no stage {name:?}");
        return ExitCode::FAILURE;
    };
    if stage.isolated {
        return manifold_kernel_test::main(&[stage.test]);
    }
    (stage.test.run)();
    ExitCode::SUCCESS
}

/// The stage's folder: on a disk, and removed when the stage has ended.
pub(crate) fn folder() -> Outcome<PathBuf> {
    Ok(std::env::var_os(FOLDER).ok_or("no folder was given")?.into())
}

/// As the control plane's and the agent's.
pub(crate) fn runtime() -> Outcome<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?)
}

/// Measures and says so.
///
/// # Panics
/// When the measurement fails.
pub(crate) fn report(measure: impl FnOnce() -> Outcome<Vec<Figure>>) {
    let said = measure().and_then(|figures| {
        figures.iter().try_for_each(|figure| {
            println!("figure {}", serde_json::to_string(figure)?);
            Ok(())
        })
    });
    match said {
        Ok(()) => {}
        Err(error) if error.is::<Lacking>() => println!("lacking {error}"),
        Err(error) => panic!("{error}"),
    }
}
