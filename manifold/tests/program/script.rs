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

/// Packets pass input, both VNFs, and output; a second apply has nothing to do; a script that is deleted leaves nothing.
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
