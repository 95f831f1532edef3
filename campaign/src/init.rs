//! Each campaign runs in fresh PID, network and mount namespaces, below an init that reaps what loses its parent, as an init does:
//! a machine whose agent was killed is an orphan, and must not seem to live when it has ended.

use manifold_kernel_test::Test;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::wait::{WaitStatus, wait};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Names the work that a process shall do below its init.
const WORK: &str = "MANIFOLD_CAMPAIGN_WORK";

/// Something to do in fresh namespaces.
#[derive(Clone, Copy)]
pub struct Work {
    /// Its name: a claim.
    pub name: &'static str,
    /// When it has failed for being slow, in seconds.
    pub limit_s: u64,
    /// Whether it boots machines from the guest image.
    pub guest: bool,
    /// Panics when it fails.
    pub run: fn(),
    /// `|| under_init(NAME)`: made by [`crate::work!`].
    pub init: fn(),
}

/// A [`Work`] of a name, a limit in seconds, and a function; with `guest` if it boots machines.
#[macro_export]
macro_rules! work {
    ($name:literal, $limit_s:expr, $run:path) => {
        $crate::work!($name, $limit_s, $run, false)
    };
    ($name:literal, $limit_s:expr, $run:path, guest) => {
        $crate::work!($name, $limit_s, $run, true)
    };
    ($name:literal, $limit_s:expr, $run:path, $guest:literal) => {
        $crate::Work {
            name: $name,
            limit_s: $limit_s,
            guest: $guest,
            run: $run,
            init: || $crate::under_init($name),
        }
    };
}

/// The `main` of a test target: runs the works that the command line names, each in namespaces of its own. `cache` has the guest
/// image, or gets it: there is no way to the network from inside the namespaces.
pub fn main(works: &[Work], cache: &Path) -> ExitCode {
    if let Ok(name) = std::env::var(WORK) {
        let Some(work) = works.iter().find(|work| work.name == name) else {
            eprintln!("no work {name}");
            return ExitCode::FAILURE;
        };
        furnish();
        return match std::panic::catch_unwind(work.run) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let named = |work: &&Work| arguments.iter().any(|argument| work.name == argument);
    if let Some(work) = works.iter().filter(|work| work.guest).find(named)
        && let Err(why) = guest(cache)
    {
        println!(
            "{}: NOT RUN: needs the guest image, which could not be built: {why}",
            work.name
        );
        let required = std::env::var("MANIFOLD_KERNEL_TESTS").is_ok_and(|value| value == "required");
        return if required { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    }
    let tests: Vec<Test> = works
        .iter()
        .map(|work| Test {
            name: work.name,
            limit_s: work.limit_s,
            run: work.init,
        })
        .collect();
    manifold_kernel_test::main(&tests)
}

/// Builds the guest image unless it is there.
fn guest(cache: &Path) -> Result<(), String> {
    if manifold_image::built(cache).is_some() {
        return Ok(());
    }
    manifold_image::build(cache, &mut |_| {})
        .map(drop)
        .map_err(|error| error.to_string())
}

/// Does the work in a child, and reaps until that ends. Panics when the child fails.
#[doc(hidden)]
#[allow(
    clippy::zombie_processes,
    reason = "an init waits for whatever ends, this child included"
)]
pub fn under_init(name: &str) {
    let child = Command::new("/proc/self/exe")
        .env(WORK, name)
        .spawn()
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let worker = i32::try_from(child.id()).expect("process ids are positive");
    loop {
        match wait() {
            Ok(WaitStatus::Exited(pid, code)) if pid.as_raw() == worker => {
                assert_eq!(code, 0, "{name} failed");
                return;
            }
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid.as_raw() == worker => {
                panic!("{name} was ended by {signal}")
            }
            Ok(_) => {}
            Err(errno) => panic!("{name}: waiting for it: {errno}"),
        }
    }
}

/// What a machine of its own would have: no pins of another's namespaces, an empty /tmp, and a /sys that shows this network
/// namespace.
fn furnish() {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let pins = mounts
        .lines()
        .filter(|line| line.contains(" - nsfs "))
        .filter_map(|line| line.split(' ').nth(4));
    for pin in pins {
        umount2(pin, MntFlags::MNT_DETACH).unwrap_or_else(|errno| panic!("{pin} could not be unmounted: {errno}"));
    }
    let ours = under_tmp().map(|folder| {
        let kept = std::fs::File::open(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        (folder, kept)
    });
    for (kind, place) in [("tmpfs", "/tmp"), ("sysfs", "/sys")] {
        if let Err(errno) = mount(Some(kind), place, Some(kind), MsFlags::empty(), None::<&str>) {
            panic!("{place} could not be mounted: {errno}");
        }
    }
    if let Some((folder, kept)) = ours {
        let bound = std::fs::create_dir(&folder)
            .map_err(|error| error.to_string())
            .and_then(|()| {
                let kept = format!("/proc/self/fd/{}", kept.as_raw_fd());
                mount(
                    Some(kept.as_str()),
                    &folder,
                    None::<&str>,
                    MsFlags::MS_BIND | MsFlags::MS_REC,
                    None::<&str>,
                )
                .map_err(|errno| errno.to_string())
            });
        if let Err(error) = bound {
            panic!("{} could not be kept in the empty /tmp: {error}", folder.display());
        }
    }
}

/// The folder of /tmp that the running program is in, when somebody builds there: it must stay to be seen.
fn under_tmp() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let first = program.strip_prefix("/tmp").ok()?.components().next()?;
    Some(Path::new("/tmp").join(first))
}
