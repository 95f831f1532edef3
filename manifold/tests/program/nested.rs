//! Services in services: `examples/nested`, one service at each of two sites inside of a third.

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

    cluster.json(&["ns", "terminate", "outer"]);
    wait_for("nothing is left", COMMAND, || {
        (objects(&cluster) == before).then_some(())
    });
    assert_eq!(cluster.json(&["ns", "list"]).as_array().map(Vec::len), Some(0));
    cluster.run(&["lab", "destroy"]).ok();
}
