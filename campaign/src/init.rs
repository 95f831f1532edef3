//! Each campaign runs in fresh PID, network and mount namespaces, below an init that reaps what loses its parent, as an init does:
//! a machine whose agent was killed is an orphan, and must not seem to live when it has ended.

use manifold_kernel_test::Test;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::wait::{WaitStatus, wait};
use std::path::Path;
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
    /// Panics when it fails.
    pub run: fn(),
    /// `|| under_init(NAME)`: made by [`crate::work!`].
    pub init: fn(),
}

/// A [`Work`] of a name, a limit in seconds, and a function.
#[macro_export]
macro_rules! work {
    ($name:literal, $limit_s:expr, $run:path) => {
        $crate::Work {
            name: $name,
            limit_s: $limit_s,
            run: $run,
            init: || $crate::under_init($name),
        }
    };
}

/// The `main` of a test target: runs the works that the command line names, each in namespaces of its own.
pub fn main(works: &[Work]) -> ExitCode {
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
    for (kind, place) in [("tmpfs", "/tmp"), ("sysfs", "/sys")] {
        if let Err(errno) = mount(Some(kind), place, Some(kind), MsFlags::empty(), None::<&str>) {
            panic!("{place} could not be mounted: {errno}");
        }
    }
}

/// Whether the guest image is in the cache, or can be built into it; says why not, by name and loudly, and panics where it is
/// required (`MANIFOLD_KERNEL_TESTS=required`).
pub fn needs_guest(name: &str, cache: &Path) -> bool {
    if manifold_image::built(cache).is_some() {
        return true;
    }
    let Err(error) = manifold_image::build(cache, &mut |_| {}) else {
        return true;
    };
    println!("{name}: NOT RUN: needs the guest image, which could not be built: {error}");
    assert!(
        std::env::var("MANIFOLD_KERNEL_TESTS").map_or(true, |value| value != "required"),
        "{name}: not run, and kernel tests are required"
    );
    false
}
