//! Drift: what somebody deletes by hand under a service is mended by the running control plane, and another service's packets do
//! not notice.

use crate::break_by_hand::breaks;
use crate::cluster::Cluster;
use crate::life::{Services, objects};
use crate::stream::{Stream, answers};
use crate::wait::wait_for;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

/// From the break to its mending, on a busy machine. Usually some tens of milliseconds.
const MEND: Duration = Duration::from_secs(30);

/// For packets to pass again: where a tap was lost the machine may have to be started anew.
const PASS: Duration = Duration::from_secs(90);

/// Panics when a break is not mended, or a packet of the service that stands is lost.
pub fn drift(program: &Path, cache: &Path, folder: &Path) {
    let cluster = Cluster::start(program, cache, folder);
    let services = Services::prepare(&cluster);
    let before = objects(&cluster);
    cluster.json(&["ns", "instantiate", "small"]);
    cluster.json(&["ns", "scale", "small", "--vnf", "worker", "--aspect", "size"]);
    let now = objects(&cluster);
    let access = services.access(&cluster, "standing");
    let visitor = services.access(&cluster, "small");
    let standing = services.addresses(&cluster, "standing", "lan");
    let small = services.addresses(&cluster, "small", "lan");
    assert_eq!((standing.len(), small.len()), (2, 2), "{standing:?} {small:?}");
    let streams: Vec<Stream> = standing.values().map(|to| Stream::begin(&access, *to)).collect();
    for to in small.values() {
        wait_for(&format!("{to} answers"), PASS, || answers(&visitor, *to).then_some(()));
    }
    let all = breaks(&before, &now);
    let kinds: BTreeSet<&str> = all.iter().filter_map(|one| one.what.split(' ').next()).collect();
    assert!(
        ["bridge", "flood", "nft", "tap"]
            .iter()
            .all(|kind| kinds.contains(kind)),
        "{kinds:?}"
    );
    let mut slowest = Duration::ZERO;
    for one in &all {
        let whole = one.look();
        assert!(whole.is_some(), "{}", one.what);
        one.strike();
        let begun = Instant::now();
        let mut seen = None;
        while seen != whole {
            assert!(
                begun.elapsed() < MEND,
                "{} is not mended: {whole:#?} became {seen:#?}",
                one.what
            );
            std::thread::sleep(Duration::from_millis(20));
            seen = one.look();
        }
        let mended = begun.elapsed();
        slowest = slowest.max(mended);
        for to in small.values() {
            wait_for(&format!("{to} answers after {}", one.what), PASS, || {
                answers(&visitor, *to).then_some(())
            });
        }
        println!(
            "drift: {}: mended after {} ms, packets pass after {} ms",
            one.what,
            mended.as_millis(),
            begun.elapsed().as_millis()
        );
        streams.iter().for_each(|stream| {
            stream.unbroken();
        });
    }
    wait_for("the same objects are there", MEND, || {
        (objects(&cluster) == now).then_some(())
    });
    let silence = streams.iter().map(Stream::longest_silence).max().unwrap_or_default();
    println!(
        "drift: {} breaks, slowest mended after {} ms; neighbours' longest silence {} ms",
        all.len(),
        slowest.as_millis(),
        silence.as_millis()
    );
    cluster.json(&["ns", "terminate", "small"]);
    wait_for("nothing of it is left", MEND, || {
        (objects(&cluster) == before).then_some(())
    });
}
