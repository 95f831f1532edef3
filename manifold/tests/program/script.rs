//! A script on booted machines: `examples/nemo/complex.nemo`, applied, asked about, applied again, and taken away.

use crate::{cache, folder, program};
use manifold_campaign::{COMMAND, Cluster, Services, answers, each, objects, text, wait_for};
use manifold_kernel_test::run_in;
use serde_json::Value;
use std::net::IpAddr;
use std::path::Path;

fn route(namespace: &Path, network: &str, by: &str) {
    let added = run_in(namespace, &["ip", "route", "replace", network, "via", by]);
    assert!(added.status.success(), "{added:?}");
}

/// One echo request with this many hops to live: what `ping` says.
fn ping(namespace: &Path, to: IpAddr, hops: &str) -> String {
    let words = ["ping", "-n", "-c", "1", "-W", "2", "-t", hops, &to.to_string()];
    String::from_utf8_lossy(&run_in(namespace, &words).stdout).into_owned()
}

/// Whether a connection to a port that nobody listens on is refused: a segment of TCP went there, and one came back.
fn is_refused(namespace: &Path, to: IpAddr) -> bool {
    let connect = format!("echo > /dev/tcp/{to}/9");
    let tried = run_in(namespace, &["timeout", "5", "bash", "-c", &connect]);
    String::from_utf8_lossy(&tried.stderr).contains("refused")
}

/// The machines' processes.
pub(crate) fn emulators() -> Vec<i32> {
    let pids = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let is_one = |pid: &i32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.starts_with(b"qemu-system")
    };
    let mut found: Vec<i32> = pids.filter(is_one).collect();
    found.sort_unstable();
    found
}

/// The script with more in it, beside copies of its descriptors.
fn changed(examples: &str, more: &str) -> String {
    let place = folder().join("changed");
    std::fs::create_dir_all(place.join("complex")).unwrap_or_else(|error| panic!("{}: {error}", place.display()));
    for name in ["sample_vnf.yaml", "shaper_vnf.yaml"] {
        let (from, to) = (
            Path::new(examples).join("complex").join(name),
            place.join("complex").join(name),
        );
        std::fs::copy(&from, &to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
    }
    let script = std::fs::read_to_string(Path::new(examples).join("complex.nemo"));
    let script = script.unwrap_or_else(|error| panic!("{examples}: {error}"));
    let path = place.join("complex.nemo");
    std::fs::write(&path, script + more).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    path.display().to_string()
}

/// Packets pass input, both VNFs, and output, in this order; what a change of the script blocks does not arrive while everything else
/// does, and no machine is touched; a second apply has nothing to do; a script that is deleted leaves nothing.
pub(crate) fn composite() {
    let cluster = Cluster::start(program(), &cache(), folder());
    let examples = format!("{}/../examples/nemo", env!("CARGO_MANIFEST_DIR"));
    cluster.json(&["lab", "create", &format!("{examples}/lab.toml")]);
    let before = objects(&cluster);
    let script = format!("{examples}/complex.nemo");
    let apply = ["apply", &script, "--root", "complex_vnf"];

    let plan = cluster.json(&[&apply[..], &["--dry-run"]].concat());
    let named = |kind: &str| each(&plan["create"]).filter(|part| part["kind"] == kind).count();
    assert_eq!(
        (named("NODE"), named("CONNECTION"), named("CONNECTION_POINT")),
        (2, 3, 2),
        "{plan}"
    );
    assert!(objects(&cluster) == before, "a plan makes nothing");
    let unasked = cluster.run(&apply);
    assert!(unasked.code == Some(1) && unasked.err.contains("--yes"), "{unasked:?}");
    let applied = cluster.json(&[&apply[..], &["--yes"]].concat());
    assert_eq!(applied["state"], "COMPLETED", "{applied}");

    let shown = cluster.json(&["script", "show", "complex"]);
    assert_eq!(shown["revision"], 1, "{shown}");
    let ns = text(&shown["nsInstanceId"]);
    let saps = cluster.json(&["topology", &ns])["saps"].clone();
    let address = |name: &str| {
        let sap = each(&saps).find(|sap| sap["name"] == name);
        let sap = sap.unwrap_or_else(|| panic!("no SAP {name}: {saps}"));
        text(&sap["addresses"][0])
    };
    let nodes = cluster.json(&["nemo", "query", "Query nodes;", "--script", "complex"]);
    let running = |node: &Value| node["state"] == "RUNNING" && each(&node["addresses"]).count() == 2;
    assert!(each(&nodes).count() == 2 && each(&nodes).all(running), "{nodes}");
    let router = |prefix: &str| {
        let mut all = each(&nodes).flat_map(|node| each(&node["addresses"])).map(text);
        let found = all.find(|address| address.starts_with(prefix));
        found.unwrap_or_else(|| panic!("no router on {prefix}: {nodes}"))
    };
    let here = Services.access_point(&cluster, &ns, "input");
    let there = Services.access_point(&cluster, &ns, "output");
    route(&here, "10.20.3.0/24", &router("10.20.1."));
    route(&there, "10.20.1.0/24", &router("10.20.3."));
    let output = address("output");
    let to: IpAddr = output.parse().unwrap_or_else(|error| panic!("{output}: {error}"));
    wait_for("packets through both machines", COMMAND, || {
        answers(&here, to).then_some(())
    });

    // Each of the two takes one hop away: with one hop to live it ends at the first VNF, with two at the second, with three it arrives.
    let first = ping(&here, to, "1");
    assert!(
        first.contains(&format!("From {} ", router("10.20.1."))) && first.contains("Time to live exceeded"),
        "{first}"
    );
    assert!(!ping(&here, to, "2").contains(" bytes from "));
    assert!(ping(&here, to, "3").contains(" bytes from "));
    assert!(is_refused(&here, to));

    // The script changes while machines run.
    let machines = emulators();
    assert_eq!(machines.len(), 2);
    let shut = changed(
        &examples,
        "  Flow echo Match srcip: 10.20.1.0/24, dstip: 10.20.3.0/24, proto: icmp;\n  Operation shut Target echo Priority 20 Action block;\n",
    );
    let shut = cluster.json(&["apply", &shut, "--root", "complex_vnf", "--yes"]);
    assert_eq!(shut["state"], "COMPLETED", "{shut}");
    assert!(!answers(&here, to), "blocked packets arrive");
    assert!(is_refused(&here, to), "what is not blocked does not arrive");
    assert_eq!(emulators(), machines);
    let open = cluster.json(&[&apply[..], &["--yes"]].concat());
    assert_eq!(open["state"], "COMPLETED", "{open}");
    assert!(
        answers(&here, to),
        "packets that are not blocked any more do not arrive"
    );
    assert_eq!(emulators(), machines);

    let again = cluster.json(&[&apply[..], &["--yes"]].concat());
    assert!(again["operation"].is_null(), "{again}");

    cluster.json(&["script", "delete", "complex"]);
    wait_for("nothing is left", COMMAND, || {
        (objects(&cluster) == before).then_some(())
    });
    for list in [["script", "list"], ["ns", "list"], ["package", "list"]] {
        assert_eq!(cluster.json(&list).as_array().map(Vec::len), Some(0), "{list:?}");
    }
    cluster.run(&["lab", "destroy"]).ok();
}
