//! The demo, as a user runs it, judged by its own report and by a census that is not its own.

use crate::{cache, program};
use manifold_campaign::{Running, each, text};
use manifold_kernel_test::Census;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Eight machines boot on two busy cores, and four seconds' worth of bytes are measured.
const LIMIT: Duration = Duration::from_secs(380);

/// What the matrix must hold: each that shall not reach beside one that does.
const ROWS: [&str; 12] = [
    "client → gateway over the SAP",
    "gateway → service across the sites, IPv4",
    "gateway → service across the sites, IPv6",
    "gateway → service across the sites, HTTP",
    "gateway → meter on the provider network, HTTP",
    "another link: worker → service",
    "another link: client → meter",
    "a spoofed source: gateway → service",
    "the rate over the WAN",
    "the new worker",
    "at its old address",
    "after termination: client → gateway",
];

/// Instantiated, measured with packets, scaled, healed, terminated, gone: over two sites, with a PNF, and a neighbour on the same
/// addresses.
// proves: NFV006-VNFM-01, NFV006-NFVO-01, NFV006-NFVO-09, NFV006-NFVO-18, UC54-POST-1, UC54-SEG-3, UC54-SEG-4
pub(crate) fn whole() {
    let cache = cache();
    let before = Census::take(&[Path::new("/tmp"), Path::new("/run")]);
    let mut line = Command::new(program());
    line.args(["demo", "--json", "--cache"]).arg(&cache);
    let answer = Running::start(line).end(LIMIT);
    let report = answer.json();
    let wrong: Vec<_> = each(&report["probes"]).filter(|row| row["ok"] != true).collect();
    assert!(wrong.is_empty(), "{wrong:#?}\n{}", answer.err);
    let rows: Vec<String> = each(&report["probes"]).map(|row| text(&row["what"])).collect();
    for wanted in ROWS {
        assert!(
            rows.iter().any(|row| row.contains(wanted)),
            "{wanted:?} is not among {rows:#?}"
        );
    }
    for step in ["instantiated", "scaled out", "healed", "terminated", "the lab is gone"] {
        assert!(
            each(&report["steps"]).any(|done| text(&done["what"]).contains(step)),
            "{step}: {}",
            report["steps"]
        );
    }
    assert_eq!(report["leftBehind"].as_array().map(Vec::len), Some(0), "{report}");
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    let left = Census::take(&[Path::new("/tmp"), Path::new("/run")]).beyond(&before);
    assert!(left.is_empty(), "left behind, by /proc, ip and nft:\n{left}");
    for done in each(&report["steps"]) {
        println!("demo: {} ({} ms)", text(&done["what"]), done["tookMs"]);
    }
    println!("demo: {} probes; {} KiB resident", rows.len(), report["residentKib"]);
}
