//! The demo's services on its lab of two sites, with nobody saying what goes where.

use crate::{cache, folder, program};
use manifold_campaign::{Cluster, each, text};
use serde_json::Value;
use std::collections::BTreeMap;

const HERE: &str = env!("CARGO_MANIFEST_DIR");

/// Where each VNF is.
fn sites(topology: &Value) -> BTreeMap<String, String> {
    let vnfs = each(&topology["vnfs"]);
    vnfs.map(|vnf| (text(&vnf["name"]), text(&vnf["vim"]))).collect()
}

/// The gateway goes to the meter's site, the service to the other; what shares a link and is bound by nothing shares a site, and
/// takes nothing of the WAN, on which there would not be room for it.
pub(crate) fn are_found() {
    let cluster = Cluster::start(program(), &cache(), folder());
    cluster.json(&["lab", "create", &format!("{HERE}/../nfvi/lab/labs/two-sites.toml")]);
    for package in ["gateway", "service", "pnf", "ns", "tenant-b/vnf", "tenant-b/ns"] {
        cluster.json(&["package", "push", &format!("{HERE}/../examples/demo/{package}")]);
    }
    let done = cluster.json(&["ns", "instantiate", "two-site", "--pnf", "meter=meter"]);
    assert_eq!(done["operationState"], "COMPLETED", "{done}");
    let topology = cluster.json(&["topology", "two-site"]);
    let at = sites(&topology);
    let (gateway, service) = (&*at["two-site-gateway"], &*at["two-site-service"]);
    assert_eq!((gateway, service), ("site-1", "site-2"), "{topology}");
    let done = cluster.json(&["ns", "instantiate", "neighbour"]);
    assert_eq!(done["operationState"], "COMPLETED", "{done}");
    let topology = cluster.json(&["topology", "neighbour"]);
    let at = sites(&topology);
    assert_eq!(at["neighbour-probe_a"], at["neighbour-probe_b"], "{topology}");

    // Asked for at two sites, it would need more than the WAN has: refused by link and sites; rolled back,
    // nothing of it stays.
    let refused = cluster.run(&[
        "ns",
        "instantiate",
        "neighbour",
        "--name",
        "torn",
        "--at",
        "probe_a=site-1",
        "--at",
        "probe_b=site-2",
    ]);
    assert!(refused.code.is_some_and(|code| code != 0), "{refused:?}");
    for part in ["link lan between site-1 and site-2", "max_bitrate_requirements"] {
        assert!(refused.err.contains(part), "{part}: {}", refused.err);
    }
    let operations = cluster.json(&["op", "list"]);
    let mut open = each(&operations).filter(|operation| operation["operationState"] == "FAILED_TEMP");
    let open = text(&open.next().expect("it can be retried or rolled back")["id"]);
    assert!(refused.err.contains(&open), "{open}: {}", refused.err);
    cluster.run(&["op", "rollback", &open]).ok();
    let torn = cluster.json(&["ns", "show", "torn"]);
    assert_eq!(torn["nsState"], "NOT_INSTANTIATED", "{torn}");
    assert!(each(&cluster.json(&["topology", "torn"])["vnfs"]).next().is_none());
    cluster.run(&["ns", "terminate", "torn"]).ok();
    for name in ["neighbour", "two-site"] {
        let done = cluster.json(&["ns", "terminate", name]);
        assert_eq!(done["operationState"], "COMPLETED", "{done}");
    }
    cluster.run(&["lab", "destroy"]).ok();
}
