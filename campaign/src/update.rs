//! Update: a service is made what another version of its NSD says, and back again, while packets go to the machine that both versions
//! have in common.

use crate::cluster::Cluster;
use crate::life::{Services, each, objects, text};
use crate::stream::{Stream, answers};
use crate::wait::wait_for;
use serde_json::Value;
use std::net::IpAddr;
use std::path::Path;
use std::time::{Duration, Instant};

/// For a machine to boot on a busy one.
const BOOT: Duration = Duration::from_secs(90);

/// The two versions of the standing service.
const FIRST: &str = "5b0e7d8a-31c4-4a55-9a0b-7a1c00000010";
const SECOND: &str = "5b0e7d8a-31c4-4a55-9a0b-7a1c00000090";

/// Panics when what stays loses a packet, what moves does not answer where it is, or something is left over.
pub fn update(program: &Path, cache: &Path, folder: &Path) {
    let cluster = Cluster::start(program, cache, folder);
    let services = Services::prepare(&cluster);
    let next = format!("{}/packages/standing/next", env!("CARGO_MANIFEST_DIR"));
    cluster.json(&["package", "push", &next]);
    let client = services.access(&cluster, "standing");
    let before = addresses(&services, &cluster, "lan");
    let (left, right) = (of(&before, "left"), of(&before, "right"));
    let stays = machine(&cluster, "left");
    let stream = Stream::begin(&client, left);
    wait_for(&format!("{right} answers"), BOOT, || {
        answers(&client, right).then_some(())
    });

    let plan = cluster.json(&["ns", "update", "standing", "--nsd", SECOND, "--dry-run"]);
    assert_eq!(names(&plan["create"]), ["dmz", "visitor", "third-1"], "{plan}");
    assert_eq!(names(&plan["change"]), ["standing", "lan", "right-1"], "{plan}");
    assert_eq!(names(&plan["remove"]), [""; 0], "{plan}");
    let begun = Instant::now();
    let occurrence = cluster.json(&["ns", "update", "standing", "--nsd", SECOND]);
    assert_eq!(occurrence["operationState"], "COMPLETED", "{occurrence}");
    println!("update: to the second version in {} ms", begun.elapsed().as_millis());
    stream.unbroken();
    let visitor = services.access_point(&cluster, "standing", "visitor");
    let moved = of(&addresses(&services, &cluster, "dmz"), "right");
    let third = of(&addresses(&services, &cluster, "lan"), "third");
    for (from, to) in [(&visitor, moved), (&client, third)] {
        wait_for(&format!("{to} answers"), BOOT, || answers(from, to).then_some(()));
    }
    assert!(!answers(&client, right), "nobody is there any more");
    assert!(!answers(&client, moved), "the two networks are apart");
    assert_eq!(machine(&cluster, "left"), stays, "what stays is not touched");
    let same = cluster.json(&["ns", "update", "standing", "--nsd", SECOND, "--dry-run"]);
    assert_eq!(same, serde_json::json!({"create": [], "change": [], "remove": []}));

    let begun = Instant::now();
    let occurrence = cluster.json(&["ns", "update", "standing", "--nsd", FIRST]);
    assert_eq!(occurrence["operationState"], "COMPLETED", "{occurrence}");
    println!("update: back to the first in {} ms", begun.elapsed().as_millis());
    assert_eq!(
        addresses(&services, &cluster, "lan"),
        before,
        "the old address is had again"
    );
    wait_for(&format!("{right} answers"), BOOT, || {
        answers(&client, right).then_some(())
    });
    stream.unbroken();
    assert_eq!(machine(&cluster, "left"), stays);
    println!(
        "update: longest silence of what stays {} ms",
        stream.longest_silence().as_millis()
    );

    // What cannot be had is told, and nothing has changed.
    let held = objects(&cluster);
    let refused = cluster.run(&["ns", "update", "standing", "--add-vnf", "fourth"]);
    assert!(
        refused.code != Some(0) && refused.err.contains("left, right"),
        "{refused:?}"
    );
    assert_eq!(objects(&cluster), held);
    drop(stream);
    cluster.json(&["ns", "terminate", "standing"]);
    let of_ns = |what: &str| {
        objects(&cluster)
            .iter()
            .filter(|(kind, ..)| kind.contains(what))
            .count()
    };
    wait_for("nothing of it is left", BOOT, || {
        (of_ns("MACHINE") + of_ns("PORT") == 0).then_some(())
    });
}

/// Machines by what their names say of their VNFs, and their addresses on a link.
fn addresses(services: &Services, cluster: &Cluster, link: &str) -> Vec<(String, IpAddr)> {
    services.addresses(cluster, "standing", link).into_iter().collect()
}

fn of(all: &[(String, IpAddr)], profile: &str) -> IpAddr {
    let found = all.iter().find(|(name, _)| name.contains(profile));
    found.unwrap_or_else(|| panic!("no {profile} among {all:?}")).1
}

/// The identifier of a VNF's machine.
fn machine(cluster: &Cluster, profile: &str) -> String {
    let topology = cluster.json(&["topology", "standing"]);
    let vnf = each(&topology["vnfs"]).find(|vnf| vnf["profile"] == profile);
    let vnf = vnf.unwrap_or_else(|| panic!("no {profile}: {topology}"));
    text(&vnf["vnfcs"][0]["computeId"])
}

fn names(changes: &Value) -> Vec<String> {
    each(changes).map(|one| text(&one["name"])).collect()
}
