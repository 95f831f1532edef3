//! Services in services: `examples/nested`, one service at each of two sites inside of a third.

use crate::script::emulators;
use crate::{cache, folder, program};
use manifold_campaign::{COMMAND, Cluster, Prober, each, objects, text, wait_for};
use serde_json::{Value, json};
use std::net::IpAddr;

/// The machine of the only VNF of a service: where it is asked, and its address.
fn machine(ns: &Value) -> (Value, IpAddr) {
    let vnfc = &ns["vnfs"][0]["vnfcs"][0];
    let address = text(&vnfc["ports"][0]["addresses"][0]);
    let from = json!({"from": "machine", "computeId": vnfc["computeId"]});
    (from, address.parse().unwrap_or_else(|_| panic!("no address: {ns}")))
}

/// Another version of the outer service: the right one goes, and a third one comes in its stead.
fn another_version(examples: &str) -> String {
    let place = folder().join("nested-2");
    let (from, to) = (
        format!("{examples}/nested/ns/Definitions/nested.yaml"),
        place.join("Definitions"),
    );
    std::fs::create_dir_all(&to).unwrap_or_else(|error| panic!("{}: {error}", to.display()));
    let text = std::fs::read_to_string(&from).unwrap_or_else(|error| panic!("{from}: {error}"));
    let text = text
        .replace(
            "0d3f5c1e-6a0b-4a53-8f0e-5d5f1a0c4001",
            "0d3f5c1e-6a0b-4a53-8f0e-5d5f1a0c4002",
        )
        .replace("\n    right:\n", "\n    third:\n");
    let file = to.join("nested.yaml");
    std::fs::write(&file, text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    place.display().to_string()
}

/// A nested service comes and another one goes while the rest carries packets on the same machines.
fn updated(cluster: &Cluster, prober: &Prober) {
    let here = env!("CARGO_MANIFEST_DIR");
    let (before, was) = (emulators(), cluster.json(&["topology", "outer"]));
    let package = cluster.json(&["package", "push", &another_version(&format!("{here}/../examples"))]);
    let nsd = text(&package["id"]);
    let plan = cluster.json(&["ns", "update", "outer", "--nsd", &nsd, "--dry-run"]);
    let kinds = |list: &str| {
        each(&plan[list])
            .filter(|one| one["kind"] == "NS")
            .map(|one| text(&one["name"]))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (kinds("create"), kinds("remove")),
        (vec!["third".to_owned()], vec!["right".to_owned()]),
        "{plan}"
    );
    let done = cluster.json(&["ns", "update", "outer", "--nsd", &nsd]);
    assert_eq!(done["operationState"], "COMPLETED", "{done}");
    let is = cluster.json(&["topology", "outer"]);
    let names: Vec<String> = each(&is["nested"]).map(|ns| text(&ns["name"])).collect();
    assert_eq!(names, ["outer-left", "outer-third"], "{is}");
    assert_eq!(
        is["nested"][0]["vnfs"][0]["vnfcs"],
        was["nested"][0]["vnfs"][0]["vnfcs"]
    );
    let after = emulators();
    assert_eq!(
        after.iter().filter(|pid| before.contains(pid)).count(),
        2,
        "two stay: {before:?} {after:?}"
    );
    assert_eq!(after.len(), 3, "one of them is new: {before:?} {after:?}");
    let ends = [machine(&is), machine(&is["nested"][0]), machine(&is["nested"][1])];
    for (from, (_, to)) in ends.iter().map(|(from, _)| from).zip(ends.iter().cycle().skip(1)) {
        prober.reaches("nested services after an update", from, *to);
    }
    let taken = cluster.json(&["ns", "update", "outer", "--remove-nested", "outer-third"]);
    assert_eq!(taken["operationState"], "COMPLETED", "{taken}");
    assert_eq!(
        emulators(),
        after.into_iter().filter(|pid| before.contains(pid)).collect::<Vec<_>>()
    );
    prober.reaches("nested services, one fewer", &ends[0].0, ends[1].1);
}

/// Instantiated by one operation over two sites, on one subnet, which the outermost link states; the nested ones are read and not
/// changed by themselves; taken away by one operation.
pub(crate) fn services() {
    let cluster = Cluster::start(program(), &cache(), folder());
    let here = env!("CARGO_MANIFEST_DIR");
    cluster.json(&["lab", "create", &format!("{here}/../nfvi/lab/labs/two-sites.toml")]);
    let before = objects(&cluster);
    for package in ["minimal/vnf", "nested/segment", "nested/ns"] {
        cluster.json(&["package", "push", &format!("{here}/../examples/{package}")]);
    }
    let places = ["--at", "left=site-1", "--at", "right/one=site-2"];
    let made = cluster.json(&[&["ns", "instantiate", "nested", "--name", "outer"], &places[..]].concat());
    assert_eq!(made["operationState"], "COMPLETED", "{made}");

    let topology = cluster.json(&["topology", "outer"]);
    assert_eq!(topology["nested"].as_array().map(Vec::len), Some(2), "{topology}");
    let (left, right) = (&topology["nested"][0], &topology["nested"][1]);
    let link = &topology["links"][0];
    assert!(!link["mscs"].is_null(), "it crosses the WAN: {link}");
    for inner in [left, right] {
        assert_eq!(
            inner["links"][0]["id"], link["id"],
            "one link in all of them: {topology}"
        );
    }
    let prober = Prober::enter(&cluster);
    let ends = [machine(&topology), machine(left), machine(right)];
    for (at, (from, _)) in ends.iter().enumerate() {
        for (_, to) in ends
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != at)
            .map(|(_, end)| end)
        {
            assert!(
                to.to_string().starts_with("10.10.0."),
                "of the outermost link's subnet: {to}"
            );
            prober.reaches("nested services", from, *to);
        }
    }

    let names: Vec<String> = each(&cluster.json(&["ns", "list"]))
        .map(|ns| text(&ns["nsInstanceName"]))
        .collect();
    assert_eq!(names.len(), 3, "{names:?}");
    let refused = cluster.run(&["ns", "terminate", "outer-left"]);
    assert!(
        refused.code == Some(4) && refused.err.contains("nested in NS outer"),
        "{refused:?}"
    );
    let said = cluster.run(&["topology", "outer"]).ok();
    assert!(said.out.contains("├─ NS outer-left"), "{}", said.out);

    updated(&cluster, &prober);
    cluster.json(&["ns", "terminate", "outer"]);
    wait_for("nothing is left", COMMAND, || {
        (objects(&cluster) == before).then_some(())
    });
    assert_eq!(cluster.json(&["ns", "list"]).as_array().map(Vec::len), Some(0));
    cluster.run(&["lab", "destroy"]).ok();
}
