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

/// A package like an example's, with other words in its definitions.
fn other(example: &str, words: &[(&str, &str)]) -> String {
    let examples = format!("{}/../examples/nested", env!("CARGO_MANIFEST_DIR"));
    let name = match example {
        "ns" => "nested.yaml",
        other => &format!("{other}.yaml"),
    };
    let from = format!("{examples}/{example}/Definitions/{name}");
    let mut text = std::fs::read_to_string(&from).unwrap_or_else(|error| panic!("{from}: {error}"));
    for (word, by) in words {
        assert!(text.contains(word), "{from} has no {word:?}");
        text = text.replace(word, by);
    }
    let place = folder().join(format!("{example}-2"));
    let to = place.join("Definitions");
    std::fs::create_dir_all(&to).unwrap_or_else(|error| panic!("{}: {error}", to.display()));
    let file = to.join(name);
    std::fs::write(&file, text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    place.display().to_string()
}

const OUTER: [&str; 2] = [
    "0d3f5c1e-6a0b-4a53-8f0e-5d5f1a0c4001",
    "0d3f5c1e-6a0b-4a53-8f0e-5d5f1a0c4002",
];
const SEGMENT: [&str; 2] = [
    "0d3f5c1e-6a0b-4a53-8f0e-5d5f1a0c3001",
    "0d3f5c1e-6a0b-4a53-8f0e-5d5f1a0c3002",
];
/// Of the second version of what is nested: nobody is pinged through the SAP.
const CLOSED: &str = "
  policies:
    - closed:
        type: manifold.policies.Traffic
        targets: [ uplink ]
        properties: { action: block, priority: 1, classifier: { protocol: icmp } }

  node_templates:
    NS:
";

/// One nested service stays and follows another version, one goes, one comes, while the machines that stay carry packets; a rule that
/// the new version has for its SAP holds at what is behind that, and for nothing else.
fn updated(cluster: &Cluster, prober: &Prober) {
    let (before, was) = (emulators(), cluster.json(&["topology", "outer"]));
    let segment = [(SEGMENT[0], SEGMENT[1]), ("\n  node_templates:\n    NS:\n", CLOSED)];
    cluster.json(&["package", "push", &other("segment", &segment)]);
    let outer = [
        (OUTER[0], OUTER[1]),
        (SEGMENT[0], SEGMENT[1]),
        ("\n    right:\n", "\n    third:\n"),
    ];
    let nsd = text(&cluster.json(&["package", "push", &other("ns", &outer)])["id"]);
    let plan = cluster.json(&["ns", "update", "outer", "--nsd", &nsd, "--dry-run"]);
    let nested = |list: &str| {
        let kinds = each(&plan[list]).filter(|one| one["kind"] == "NS");
        kinds.map(|one| text(&one["name"])).collect::<Vec<_>>()
    };
    assert_eq!(nested("create"), ["third"], "{plan}");
    assert_eq!(nested("change"), ["outer", "left"], "{plan}");
    assert_eq!(nested("remove"), ["right"], "{plan}");
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
    let stay: Vec<i32> = after.iter().copied().filter(|pid| before.contains(pid)).collect();
    assert_eq!(
        (stay.len(), after.len()),
        (2, 3),
        "one of them is new: {before:?} {after:?}"
    );

    let [outer, left, third] = [&is, &is["nested"][0], &is["nested"][1]].map(machine);
    for (from, to) in [(&outer, &left), (&left, &third), (&third, &outer)] {
        prober.fetches("nested services after an update", &from.0, to.1);
        prober.does_not_reach("what the rule blocks", &from.0, to.1);
    }
    let taken = cluster.json(&["ns", "update", "outer", "--remove-nested", "third"]);
    assert_eq!(taken["operationState"], "COMPLETED", "{taken}");
    assert_eq!(emulators(), stay);
    prober.fetches("nested services, one fewer", &outer.0, left.1);
    prober.does_not_reach("what the rule still blocks", &outer.0, left.1);
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
