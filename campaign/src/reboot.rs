//! A simulated reboot: every process ends, every namespace and with it every link is gone, the run folder is empty. What is on disk
//! stays. Then the program is started again.

use crate::cluster::{Cluster, Victim};
use crate::life::{Services, each, kernel, objects};
use crate::stream::{Stream, answers};
use crate::wait::wait_for;
use nix::mount::{MntFlags, umount2};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getpid};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

/// For namespaces without a process or a pin to be gone, and for machines to be made again.
const PATIENCE: Duration = Duration::from_secs(60);

/// For machines to boot and answer.
const BOOT: Duration = Duration::from_secs(120);

/// Panics when anything is not as it was before, after the start.
pub fn reboot(program: &Path, cache: &Path, folder: &Path) {
    let mut cluster = Cluster::start(program, cache, folder);
    let empty = kernel(&cluster.run_dir());
    let services = Services::prepare(&cluster);
    cluster.json(&["ns", "instantiate", "small"]);
    cluster.json(&["ns", "scale", "small", "--vnf", "worker", "--aspect", "size"]);
    let access = services.access(&cluster, "standing");
    let visitor = services.access(&cluster, "small");
    let ends = |cluster: &Cluster| {
        (
            services.addresses(cluster, "standing", "lan"),
            services.addresses(cluster, "small", "lan"),
        )
    };
    let before = ends(&cluster);
    assert_eq!((before.0.len(), before.1.len()), (2, 2), "{before:?}");
    for to in before.0.values() {
        Stream::begin(&access, *to).unbroken();
    }
    for to in before.1.values() {
        Stream::begin(&visitor, *to).unbroken();
    }
    let stood = names(&cluster);

    cluster.kill(Victim::Both);
    power_off(&cluster.run_dir());
    let left = wait_for("namespaces are gone", PATIENCE, || {
        Some(kernel(&cluster.run_dir())).filter(|now| now.is_subset(&empty))
    });
    println!("reboot: nothing is left but {left:?}");

    let begun = Instant::now();
    cluster.go_on();
    let told = cluster.log("up.log");
    let told = told
        .lines()
        .rfind(|line| line.contains("brought back:"))
        .unwrap_or_else(|| panic!("up does not say what it made again:\n{told}"));
    assert!(!told.contains(" 0 objects"), "{told}");
    println!("reboot:{told} (up after {} ms)", begun.elapsed().as_millis());
    wait_for("the same objects are there", PATIENCE, || {
        (names(&cluster) == stood).then_some(())
    });
    wait_for("every machine runs", PATIENCE, || all_run(&cluster).then_some(()));
    println!(
        "reboot: all objects are there again after {} ms",
        begun.elapsed().as_millis()
    );
    assert_eq!(ends(&cluster), before, "the addresses are the same");
    let (access, visitor) = (
        services.access(&cluster, "standing"),
        services.access(&cluster, "small"),
    );
    for (from, to) in before
        .0
        .values()
        .map(|to| (&access, to))
        .chain(before.1.values().map(|to| (&visitor, to)))
    {
        wait_for(&format!("{to} answers again"), BOOT, || {
            answers(from, *to).then_some(())
        });
        Stream::begin(from, *to).unbroken();
    }
    println!(
        "reboot: every machine answers at its old address after {} ms",
        begun.elapsed().as_millis()
    );
    for ns in ["small", "standing"] {
        cluster.json(&["ns", "terminate", ns]);
    }
    cluster.run(&["lab", "destroy"]).ok();
    wait_for("nothing is left", PATIENCE, || {
        kernel(&cluster.run_dir()).is_subset(&empty).then_some(())
    });
}

/// Kind and id of every object: what does not change with a boot.
fn names(cluster: &Cluster) -> BTreeSet<(String, String)> {
    objects(cluster).into_iter().map(|(kind, id, _)| (kind, id)).collect()
}

fn all_run(cluster: &Cluster) -> bool {
    ["standing", "small"].into_iter().all(|ns| {
        let topology = cluster.json(&["topology", ns]);
        each(&topology["vnfs"])
            .flat_map(|vnf| each(&vnf["vnfcs"]))
            .all(|machine| machine["state"] == "RUNNING")
    })
}

/// Ends every process of this PID namespace but its init and this one, unpins every namespace, and empties the run folder.
fn power_off(run_dir: &Path) {
    let program = std::fs::read_link("/proc/self/exe").ok();
    assert!(
        program.is_some() && program == std::fs::read_link("/proc/1/exe").ok(),
        "only in a PID namespace of our own"
    );
    let others = || -> Vec<i32> {
        let pids = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.filter(|pid| *pid != 1 && *pid != getpid().as_raw()).collect()
    };
    for pid in others() {
        // One that ended meanwhile is what is wanted.
        let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
    }
    wait_for("every process has ended", PATIENCE, || {
        others().is_empty().then_some(())
    });
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let points: Vec<&str> = mounts
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .filter(|point| Path::new(point).starts_with(run_dir))
        .collect();
    for point in points.iter().rev() {
        umount2(*point, MntFlags::MNT_DETACH).unwrap_or_else(|errno| panic!("{point}: {errno}"));
    }
    std::fs::remove_dir_all(run_dir).unwrap_or_else(|error| panic!("{}: {error}", run_dir.display()));
}
