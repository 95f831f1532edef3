//! Control plane and agent as an operator meets them.

use crate::{cache, folder, program};
use manifold_campaign::{Cluster, Running, Victim, each, wait_for};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);

/// `up` starts the agent when none runs; the agent and what it made outlive the control plane, which finds both again.
pub(crate) fn agent_outlives() {
    let mut cluster = Cluster::start(program(), &cache(), folder());
    cluster.kill(Victim::Both);
    cluster.start_plane();
    let agents = || {
        let pids = std::fs::read_dir("/proc")
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path());
        let line = |path: std::path::PathBuf| {
            String::from_utf8_lossy(&std::fs::read(path.join("cmdline")).ok()?)
                .replace('\0', " ")
                .into()
        };
        pids.filter_map(line)
            .filter(|line: &String| line.contains("manifold agent "))
            .count()
    };
    assert_eq!(agents(), 1, "started by `up`");
    let lab = format!("{}/../nfvi/lab/labs/one-site.toml", env!("CARGO_MANIFEST_DIR"));
    let made = cluster.json(&["lab", "create", &lab]);
    assert_eq!(made["state"], "READY", "{made}");
    let before = manifold_campaign::objects(&cluster);
    assert!(before.len() > 4, "{before:?}");
    cluster.stop_plane();
    assert!(
        !cluster.data_dir().join("login.json").exists(),
        "an orderly end takes the login away"
    );
    assert_eq!(agents(), 1, "it outlives the control plane");
    cluster.start_plane();
    assert_eq!(manifold_campaign::objects(&cluster), before);
    assert!(
        !cluster.log("up.log").contains("objects made again"),
        "nothing had to be made again:\n{}",
        cluster.log("up.log")
    );
    // A second control plane on the same data is refused, and the first goes on.
    let second = Running::start(cluster.line(&["up", "--listen", "127.0.0.1:0"])).end(PATIENCE);
    assert!(second.code.is_some_and(|code| code != 0), "{second:?}");
    cluster.run(&["lab", "destroy"]).ok();
    wait_for("the lab is gone", PATIENCE, || {
        manifold_campaign::objects(&cluster).is_empty().then_some(())
    });
    cluster.stop_plane();
    assert_eq!(agents(), 1);
}

/// Each error names what it is about; each kind has its exit code.
pub(crate) fn culprits() {
    let cluster = Cluster::start(program(), &cache(), folder());
    let fails = |words: &[&str], code: i32, culprits: &[&str]| {
        let said = cluster.run(words);
        assert_eq!(said.code, Some(code), "{words:?}: {}{}", said.out, said.err);
        for culprit in culprits {
            assert!(
                said.err.contains(culprit),
                "{words:?} does not name {culprit}: {}",
                said.err
            );
        }
        assert!(
            said.err.starts_with("manifold: ") && said.out.is_empty(),
            "{words:?}: {said:?}"
        );
    };
    let nobody = "00000000-0000-4000-8000-000000000000";
    fails(&["ns", "show", "nowhere"], 3, &["nowhere", "manifold ns list"]);
    fails(&["ns", "terminate", "nowhere"], 3, &["nowhere"]);
    fails(&["topology", "nowhere"], 3, &["nowhere"]);
    fails(&["vnf", "show", "nowhere"], 3, &["nowhere", "manifold vnf list"]);
    fails(&["op", "show", nobody], 3, &[nobody]);
    fails(&["trace", nobody], 3, &[nobody]);
    fails(
        &["ns", "instantiate", "nothing"],
        3,
        &["nothing", "manifold package push"],
    );
    fails(&["lab", "show"], 3, &["lab", "manifold lab create"]);
    fails(&["lab", "create", "/nowhere.toml"], 1, &["/nowhere.toml"]);
    fails(&["package", "push", "/nowhere"], 1, &["/nowhere"]);

    let here = env!("CARGO_MANIFEST_DIR");
    let example = |below: &str| format!("{here}/../examples/{below}");
    // An NSD whose VNFD is not there is refused, and nothing of it stays.
    fails(
        &["package", "push", &example("minimal/ns")],
        1,
        &["0d3f5c1e-6a0b-4a53-8f0e-5d5f1a0c1001"],
    );
    assert_eq!(cluster.json(&["package", "list"]).as_array().map(Vec::len), Some(0));
    for package in ["minimal/vnf", "minimal/ns"] {
        cluster.json(&["package", "push", &example(package)]);
    }
    let listed = cluster.json(&["package", "list"]);
    assert_eq!(each(&listed).count(), 2, "{listed}");
    // Nor is an NSD that nests one which is not there.
    fails(
        &["package", "push", &example("nested/ns")],
        1,
        &["0d3f5c1e-6a0b-4a53-8f0e-5d5f1a0c3001", "`left`", "`right`"],
    );
    // The same descriptor a second time.
    fails(
        &["package", "push", &example("minimal/vnf")],
        4,
        &["0d3f5c1e-6a0b-4a53-8f0e-5d5f1a0c1001"],
    );
    // No lab, so no site: refused before anything is made, and no instance stays.
    let said = cluster.run(&["ns", "instantiate", "minimal"]);
    assert!(
        said.code.is_some_and(|code| code != 0) && !said.err.is_empty(),
        "{said:?}"
    );
    assert_eq!(cluster.json(&["ns", "list"]).as_array().map(Vec::len), Some(0));
    let dry = cluster.json(&["ns", "instantiate", "minimal", "--at", "one=site-1", "--dry-run"]);
    assert_eq!(
        dry["instantiate"]["locationConstraints"][0]["vnfProfileId"], "one",
        "{dry}"
    );

    let one = format!("{here}/../nfvi/lab/labs/one-site.toml");
    let two = format!("{here}/../nfvi/lab/labs/two-sites.toml");
    cluster.json(&["lab", "create", &one]);
    fails(&["lab", "create", &two], 4, &["one-site"]);
    let said = cluster.run(&["ns", "instantiate", "minimal", "--at", "one=site-9"]);
    assert!(
        said.code.is_some_and(|code| code != 0) && said.err.contains("site-9"),
        "{said:?}"
    );
    assert_eq!(cluster.json(&["ns", "list"]).as_array().map(Vec::len), Some(0));
    cluster.run(&["lab", "destroy"]).ok();
    // What lists, lists in JSON.
    for words in [
        &["ns", "list"][..],
        &["vnf", "list"],
        &["op", "list"],
        &["lab", "show", "--objects"],
    ] {
        assert!(cluster.json(words).is_array(), "{words:?}");
    }
}
