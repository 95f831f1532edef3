//! Tests on the real kernel. Each runs as init of PID, network and mount namespaces of its own, made before any thread or
//! runtime starts; when it ends, the kernel ends everything that it left. What it left is counted before by means that are not
//! the tested program's ([`Census`]).
//!
//! ```text
//!   nextest ─> main(tests) --exact NAME     one thread; makes the namespaces
//!                └─> itself again, as init  fresh /proc, /run, /tmp; calls the test's function; exit code = verdict
//! ```
//!
//! A test target has `harness = false` and a `main` that calls [`main`]; it answers `--list`, `--exact` and filters as
//! libtest does. Without root every test is reported as "not run", loudly and green; `MANIFOLD_KERNEL_TESTS=required` makes
//! that red, for CI.

mod census;

pub use census::{Census, settles};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::Uid;
use std::path::Path;
use std::process::{Command, ExitCode, Output};
use std::time::{Duration, Instant};

/// One test.
#[derive(Clone, Copy)]
pub struct Test {
    /// Its name: a claim.
    pub name: &'static str,
    /// When it has failed for being slow, in seconds.
    pub limit_s: u64,
    /// Panics when it fails.
    pub run: fn(),
}

const INSIDE: &str = "MANIFOLD_KERNEL_TEST_INSIDE";

/// Runs the tests that the command line names.
pub fn main(tests: &[Test]) -> ExitCode {
    if let Ok(name) = std::env::var(INSIDE) {
        return inside(tests, &name);
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    if has("--list") {
        // None is ignored.
        for test in tests.iter().filter(|_| !has("--ignored")) {
            println!("{}: test", test.name);
        }
        return ExitCode::SUCCESS;
    }
    let filters: Vec<_> = arguments
        .iter()
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    let chosen = tests.iter().filter(|test| {
        filters.is_empty()
            || filters.iter().any(|filter| {
                if has("--exact") {
                    *filter == test.name
                } else {
                    test.name.contains(filter.as_str())
                }
            })
    });
    let mut failed = 0;
    for test in chosen {
        if !Uid::effective().is_root() {
            println!("{}: NOT RUN: needs root (network, mount and PID namespaces)", test.name);
            failed += usize::from(std::env::var("MANIFOLD_KERNEL_TESTS").is_ok_and(|value| value == "required"));
            continue;
        }
        match outside(test) {
            Ok(()) => println!("{}: ok", test.name),
            Err(why) => {
                println!("{}: FAILED: {why}", test.name);
                failed += 1;
            }
        }
    }
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// In a process of its own for each test: the namespaces that it makes are for its children only.
fn outside(test: &Test) -> Result<(), String> {
    if std::env::var_os("MANIFOLD_KERNEL_TEST_OUTSIDE").is_none() {
        let status = Command::new("/proc/self/exe")
            .args(["--exact", test.name])
            .env("MANIFOLD_KERNEL_TEST_OUTSIDE", "1")
            .status()
            .map_err(|error| error.to_string())?;
        return if status.success() {
            Ok(())
        } else {
            Err("see above".to_owned())
        };
    }
    unshare(CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS)
        .map_err(|errno| format!("unshare: {errno}"))?;
    let mut init = Command::new("/proc/self/exe")
        .env(INSIDE, test.name)
        .spawn()
        .map_err(|error| error.to_string())?;
    let end = Instant::now() + Duration::from_secs(test.limit_s);
    loop {
        match init.try_wait().map_err(|error| error.to_string())? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => return Err(status.to_string()),
            None if Instant::now() > end => {
                // The death of its init ends a PID namespace with everything in it.
                init.kill()
                    .and_then(|()| init.wait())
                    .map_err(|error| error.to_string())?;
                return Err(format!("not done within {} s", test.limit_s));
            }
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}

fn inside(tests: &[Test], name: &str) -> ExitCode {
    if let Err(errno) = furnish() {
        eprintln!("{name}: the namespaces could not be furnished: {errno}");
        return ExitCode::FAILURE;
    }
    let Some(test) = tests.iter().find(|test| test.name == name) else {
        eprintln!("no test {name}");
        return ExitCode::FAILURE;
    };
    // A panic prints itself.
    match std::panic::catch_unwind(test.run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => {
            eprintln!("{}", Census::take(&[]));
            ExitCode::FAILURE
        }
    }
}

fn furnish() -> nix::Result<()> {
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    mount(Some("proc"), "/proc", Some("proc"), MsFlags::empty(), none)?;
    mount(Some("tmpfs"), "/run", Some("tmpfs"), MsFlags::empty(), none)?;
    run(&["ip", "link", "set", "lo", "up"]);
    Ok(())
}

/// Runs a tool and gives what it said and how it ended.
///
/// # Panics
/// When there is no such tool.
pub fn run(words: &[&str]) -> Output {
    match Command::new(words[0]).args(&words[1..]).env("LC_ALL", "C").output() {
        Ok(output) => output,
        Err(error) => panic!("{words:?}: {error}"),
    }
}

/// The same inside the network namespace that a file pins.
pub fn run_in(namespace: &Path, words: &[&str]) -> Output {
    let enter = format!("--net={}", namespace.display());
    let mut all = vec!["nsenter", enter.as_str()];
    all.extend_from_slice(words);
    run(&all)
}
