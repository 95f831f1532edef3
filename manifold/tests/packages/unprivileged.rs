//! The agent as root, the control plane and its commands as somebody else.

use crate::images::{answers, machines};
use crate::write::{Image, ns, vnf};
use crate::{LAB, cache, folder, program};
use manifold_campaign::{Answer, COMMAND, Running, each, text, wait_for};
use manifold_kernel_test::run_in;
use serde_json::Value;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// From a process's start to its first answer.
const START: Duration = Duration::from_secs(60);

/// The control plane's user. No account is needed for a number.
const USER: u32 = 64_998;

/// A user whom the agent does not know.
const STRANGER: u32 = 64_999;

const DISK: &str = "7b000000-0000-4000-8000-000000000001";
const NS: &str = "7b000000-0000-4000-8000-000000000002";

/// Ends with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The folders of both.
struct Place {
    /// A copy that every user may run, wherever the program was built.
    program: PathBuf,
    run: PathBuf,
}

impl Place {
    fn make() -> Place {
        let place = Place {
            program: folder().join("manifold"),
            run: folder().join("run"),
        };
        std::fs::create_dir_all(&place.run).unwrap_or_else(|error| panic!("{error}"));
        std::fs::copy(program(), &place.program).unwrap_or_else(|error| panic!("{error}"));
        for (path, mode) in [(folder(), 0o755), (&*place.program, 0o755), (&*place.run, 0o755)] {
            let mode = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(path, mode).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
        for user in [USER, STRANGER] {
            let home = place.data(user);
            std::fs::create_dir_all(&home).unwrap_or_else(|error| panic!("{error}"));
            // As private as a home may be.
            let mode = std::fs::Permissions::from_mode(0o700);
            std::fs::set_permissions(&home, mode).unwrap_or_else(|error| panic!("{error}"));
            chown(&home, Some(user), Some(user)).unwrap_or_else(|error| panic!("{error}"));
        }
        place
    }

    fn data(&self, user: u32) -> PathBuf {
        folder().join(format!("data-{user}"))
    }

    /// A command of this user, without groups and with the strictest file mask.
    fn line(&self, user: u32, words: &[&str]) -> Command {
        let mut line = Command::new("setpriv");
        line.args([&format!("--reuid={user}"), &format!("--regid={user}"), "--clear-groups"])
            .args(["--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"])
            .args(["sh", "-c", "umask 077; exec \"$@\"", "sh"])
            .arg(&self.program)
            .args(words)
            .arg("--data")
            .arg(self.data(user))
            .arg("--run")
            .arg(&self.run)
            .arg("--cache")
            .arg(cache())
            .env("HOME", "/")
            .current_dir("/");
        line
    }

    fn run(&self, user: u32, words: &[&str]) -> Answer {
        Running::start(self.line(user, words)).end(COMMAND)
    }

    fn json(&self, words: &[&str]) -> Value {
        self.run(USER, &[words, &["--json"]].concat()).ok().json()
    }

    fn agent(&self) -> Process {
        let mut line = Command::new(&self.program);
        line.args(["agent", "--allow", &USER.to_string(), "--run"])
            .arg(&self.run)
            .arg("--data")
            .arg(folder().join("agent-data"))
            .arg("--cache")
            .arg(cache());
        let agent = Process(logged(line, "agent.log"));
        let socket = self.run.join("agent.sock");
        wait_for("the agent's socket", START, || UnixStream::connect(&socket).ok());
        agent
    }

    fn plane(&self) -> Process {
        let mut plane = Process(logged(self.line(USER, &["up", "--listen", "127.0.0.1:9400"]), "up.log"));
        wait_for("the control plane's login", START, || {
            if let Ok(Some(status)) = plane.0.try_wait() {
                panic!("it ended early ({status}):\n{}", log("up.log"));
            }
            self.data(USER).join("login.json").exists().then_some(())
        });
        plane
    }

    /// The namespace that has the address.
    fn having(&self, address: &str) -> PathBuf {
        let pins = std::fs::read_dir(self.run.join("netns")).unwrap_or_else(|error| panic!("netns: {error}"));
        let has = |pin: &PathBuf| {
            let found = run_in(pin, &["ip", "-j", "addr"]).stdout;
            String::from_utf8_lossy(&found).contains(&format!("\"{address}\""))
        };
        let found = pins.flatten().map(|entry| entry.path()).find(has);
        found.unwrap_or_else(|| panic!("no namespace has {address}"))
    }
}

fn logged(mut line: Command, name: &str) -> Child {
    let log = std::fs::File::create(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let same = log.try_clone().unwrap_or_else(|error| panic!("{name}: {error}"));
    line.stdin(Stdio::null()).stdout(same).stderr(log).process_group(0);
    line.spawn().unwrap_or_else(|error| panic!("{line:?}: {error}"))
}

fn log(name: &str) -> String {
    std::fs::read_to_string(folder().join(name)).unwrap_or_default()
}

/// Prints both logs when the test fails.
struct Logs;

impl Drop for Logs {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- up.log\n{}\n--- agent.log\n{}", log("up.log"), log("agent.log"));
        }
    }
}

pub(crate) fn whole_way() {
    let place = Place::make();
    let _logs = Logs;

    // No agent: what is missing, and the command that helps, this user's number in it.
    let alone = place.run(USER, &["up", "--listen", "127.0.0.1:9401"]);
    assert_eq!(alone.code, Some(1), "{alone:?}");
    for part in ["sudo manifold agent", "--allow 64998", &place.run.display().to_string()] {
        assert!(alone.err.contains(part), "{part}: {}", alone.err);
    }
    let _agent = place.agent();
    // An agent that does not know this user: so it is told.
    let stranger = place.run(STRANGER, &["up", "--listen", "127.0.0.1:9401"]);
    assert_eq!(stranger.code, Some(1), "{stranger:?}");
    assert!(stranger.err.contains("--allow 64999"), "{}", stranger.err);

    let _plane = place.plane();
    // Others do not get in by what lies around.
    let login = std::fs::metadata(place.data(USER).join("login.json")).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((login.uid(), login.mode() & 0o777), (USER, 0o600));
    assert_ne!(place.run(STRANGER, &["ns", "list"]).code, Some(0));

    place.json(&["lab", "create", LAB]);
    let guest = manifold_image::built(&cache()).expect("built before the test began");
    let packages = folder().join("packages");
    let disk = Image {
        name: "system",
        format: "qcow2",
        from: &guest.disk,
        stated: None,
    };
    vnf(&packages.join("vnf"), "disk", DISK, &[disk]);
    ns(&packages.join("ns"), "own", NS, &[("disk", DISK)]);
    let example = |below: &str| format!("{}/../examples/{below}", env!("CARGO_MANIFEST_DIR"));
    let path = |name: &str| packages.join(name).display().to_string();
    // A kernel from the cache, which root built, and a disk that only this user's folder has.
    for package in [example("minimal/vnf"), example("minimal/ns"), path("vnf"), path("ns")] {
        place.json(&["package", "push", &package]);
    }
    for name in ["minimal", "own"] {
        let done = place.json(&["ns", "instantiate", name]);
        assert_eq!(done["operationState"], "COMPLETED", "{done}");
    }
    let topology = place.json(&["topology", "own"]);
    let at = place.having(&text(&topology["saps"][0]["addresses"][0]));
    for (name, address) in machines(&topology) {
        answers(&at, &name, &address);
    }
    // The one without an access point says by itself that it has booted.
    let minimal = place.json(&["topology", "minimal"]);
    let states: Vec<String> = each(&minimal["vnfs"])
        .flat_map(|vnf| each(&vnf["vnfcs"]))
        .map(|machine| text(&machine["state"]))
        .collect();
    assert_eq!(states, ["RUNNING"], "{minimal}");
    owned_by(&place.data(USER), USER);

    for name in ["minimal", "own"] {
        let done = place.json(&["ns", "terminate", name]);
        assert_eq!(done["operationState"], "COMPLETED", "{done}");
    }
    place.run(USER, &["lab", "destroy"]).ok();
}

/// Nothing in the folder is anybody else's: the agent writes to places of its own.
fn owned_by(folder: &Path, user: u32) {
    for entry in std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{error}"))
        .flatten()
    {
        let found = entry.metadata().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(found.uid(), user, "{}", entry.path().display());
        if found.is_dir() {
            owned_by(&entry.path(), user);
        }
    }
}
