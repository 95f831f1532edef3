//! Network services by chance: whatever is valid is instantiated, connects what shares a link and nothing else, and leaves nothing.
//!
//! Two stand side by side, sometimes on the same subnets. What a case is comes from its seed and number alone, and its descriptors
//! are kept in the test's folder until that goes.

mod ask;
mod case;
mod write;

pub use ask::Prober;

use crate::chance::Chance;
use crate::cluster::{COMMAND, Cluster};
use crate::life::{each, kernel, objects, text};
use crate::wait::wait_for;
use case::{Case, neighbours};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;
use std::time::Instant;

const LAB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../nfvi/lab/labs/two-sites.toml");

/// Silences are waited for: this many for two cases.
const SILENCES_MAX: usize = 4;

/// What to play.
#[derive(Debug, Clone, Copy)]
pub struct Random {
    /// How many cases; they stand in twos.
    pub cases: u64,
    /// What they follow from.
    pub seed: u64,
    /// The first one; even.
    pub first: u64,
}

/// Where packets come from and go to: a machine, or the access point.
#[derive(Debug)]
struct End {
    what: String,
    from: Value,
    /// Case and link, and the addresses there.
    on: BTreeMap<(u64, usize), Vec<IpAddr>>,
}

impl End {
    fn shares_with(&self, other: &End) -> bool {
        self.on.keys().any(|link| other.on.contains_key(link))
    }

    fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.on.values().flatten().copied()
    }
}

/// Panics when a case is not as it shall be.
pub fn random(program: &Path, cache: &Path, folder: &Path, what: Random) {
    println!("random: seed {}, {} cases from {}", what.seed, what.cases, what.first);
    let cluster = Cluster::start(program, cache, folder);
    let empty = kernel(&cluster.run_dir());
    cluster.json(&["lab", "create", LAB]);
    let packages = folder.join("packages");
    let (begin, end) = (what.first & !1, what.first + what.cases);
    for number in (begin..end).step_by(2) {
        let cases = neighbours(what.seed, number);
        let standing = if number + 1 < end { &cases[..] } else { &cases[..1] };
        together(&cluster, &packages, what.seed, standing);
    }
    cluster.run(&["lab", "destroy"]).ok();
    wait_for("nothing is left", COMMAND, || {
        (objects(&cluster).is_empty() && kernel(&cluster.run_dir()).is_subset(&empty)).then_some(())
    });
}

/// Instantiates them, asks each end for the others, and terminates them.
fn together(cluster: &Cluster, packages: &Path, seed: u64, cases: &[Case]) {
    let before = objects(cluster);
    let begun = Instant::now();
    let mut ends = Vec::new();
    let mut services = Vec::new();
    for case in cases {
        println!("random: seed {seed} case {}: {case:?}", case.number);
        for package in write::write(case, packages) {
            let package = package.to_str().expect("the folder's name is a text");
            cluster.json(&["package", "push", package]);
        }
        let occurrence = cluster.json(&["ns", "instantiate", &write::descriptor_id(case, 0)]);
        assert_eq!(occurrence["operationState"], "COMPLETED", "{occurrence}");
        let ns = text(&occurrence["nsInstanceId"]);
        ends.extend(learn(case, &cluster.json(&["topology", &ns])));
        services.push(ns);
    }
    let instantiated = begun.elapsed();
    let prober = Prober::enter(cluster);
    let answers = connected(&prober, &ends);
    let silences = separate(&prober, &ends, &mut Chance::of(seed, cases[0].number));
    for ns in &services {
        cluster.json(&["ns", "terminate", ns]);
    }
    let mut now = objects(cluster);
    let end = Instant::now() + COMMAND;
    while now != before {
        let left: Vec<_> = now.symmetric_difference(&before).collect();
        assert!(Instant::now() < end, "not as before: {left:#?}");
        std::thread::sleep(std::time::Duration::from_millis(50));
        now = objects(cluster);
    }
    println!(
        "random: instantiated after {} ms; {answers} pings answered, {silences} not; nothing left after {} ms",
        instantiated.as_millis(),
        begun.elapsed().as_millis()
    );
}

/// Finds every machine where the case has it, and the access point; panics when there are more, fewer or others.
fn learn(case: &Case, topology: &Value) -> Vec<End> {
    let mut ends = Vec::new();
    let place = |id: &Value, vnf: Option<(usize, &str)>| -> (u64, usize) {
        let link = each(&topology["links"]).find(|link| link["id"] == *id);
        let link = link.unwrap_or_else(|| panic!("no link {id}: {topology}"));
        let place = case.links.iter().position(|known| {
            let inside = known.inside.map(|nth| Some(nth) == vnf.map(|(nth, _)| nth));
            link["name"] == known.name.as_str()
                && inside.unwrap_or(true)
                && link["inside"].is_null() != inside.is_some()
        });
        (
            case.number,
            place.unwrap_or_else(|| panic!("link {link} is none of {case:#?}")),
        )
    };
    let mut wanted: BTreeMap<(&str, &str), u64> = case
        .vnfs
        .iter()
        .flat_map(|vnf| {
            vnf.vdus
                .iter()
                .map(|vdu| ((vnf.name.as_str(), vdu.name.as_str()), vdu.machines))
        })
        .collect();
    for vnf in each(&topology["vnfs"]) {
        let nth = case.vnfs.iter().position(|known| vnf["profile"] == known.name.as_str());
        let nth = nth.unwrap_or_else(|| panic!("VNF {vnf} is none of {case:#?}"));
        for machine in each(&vnf["vnfcs"]) {
            let known = &case.vnfs[nth];
            let vdu = known.vdus.iter().find(|vdu| machine["vdu"] == vdu.name.as_str());
            let vdu = vdu.unwrap_or_else(|| panic!("{machine} is none of {case:#?}"));
            if let Some(count) = wanted.get_mut(&(known.name.as_str(), vdu.name.as_str())) {
                *count = count
                    .checked_sub(1)
                    .unwrap_or_else(|| panic!("one {} too many: {topology}", vdu.name));
            }
            let on: BTreeMap<(u64, usize), Vec<IpAddr>> = each(&machine["ports"])
                .map(|port| {
                    let place = place(&port["link"], Some((nth, &known.name)));
                    (place, inside_subnet(case, place.1, &port["addresses"]))
                })
                .collect();
            let links: BTreeSet<usize> = on.keys().map(|(_, link)| *link).collect();
            assert_eq!(
                links,
                vdu.on.iter().map(|(link, _)| *link).collect(),
                "{machine}: {case:#?}"
            );
            ends.push(End {
                what: text(&machine["name"]),
                from: json!({"from": "machine", "computeId": machine["computeId"]}),
                on,
            });
        }
    }
    assert!(
        wanted.values().all(|count| *count == 0),
        "missing: {wanted:?}: {topology}"
    );
    let saps: Vec<&Value> = each(&topology["saps"]).collect();
    assert_eq!(saps.len(), usize::from(case.sap.is_some()), "{topology}");
    for sap in saps {
        let place = place(&sap["link"], None);
        assert_eq!(Some(place.1), case.sap, "{sap}");
        ends.push(End {
            what: "the access point".into(),
            from: json!({"from": "accessPoint", "pop": "site-1", "name": "client"}),
            on: [(place, inside_subnet(case, place.1, &sap["addresses"]))].into(),
        });
    }
    ends
}

/// The addresses on a link: one of each family that it has, in its subnets.
fn inside_subnet(case: &Case, link: usize, addresses: &Value) -> Vec<IpAddr> {
    let link = &case.links[link];
    let all: Vec<IpAddr> = each(addresses)
        .map(|address| {
            text(address)
                .parse()
                .unwrap_or_else(|error| panic!("{address}: {error}"))
        })
        .collect();
    let is_in = |address: &IpAddr| match address {
        IpAddr::V4(v4) => v4.octets()[..3] == link.v4,
        IpAddr::V6(v6) => link.v6.is_some_and(|[d, e]| v6.segments()[..4] == [0xfd00, d, e, 0]),
    };
    let families: BTreeSet<bool> = all.iter().map(IpAddr::is_ipv6).collect();
    assert!(
        all.iter().all(is_in) && families.len() == all.len() && all.len() == 1 + usize::from(link.v6.is_some()),
        "{addresses} on {link:?}"
    );
    all
}

/// Everyone pings everyone on each link that they share. How often that was.
fn connected(prober: &Prober, ends: &[End]) -> usize {
    let mut answers = 0;
    for (nth, from) in ends.iter().enumerate() {
        for (_, to) in ends.iter().enumerate().filter(|(other, _)| *other != nth) {
            for (link, addresses) in from.on.keys().filter_map(|link| to.on.get_key_value(link)) {
                for address in addresses {
                    let what = format!("{} → {} on {link:?}", from.what, to.what);
                    prober.reaches(&what, &from.from, *address);
                    answers += 1;
                }
            }
        }
    }
    answers
}

/// Some who share no link do not reach each other; the source reaches itself, which tells that it runs. How often that was.
fn separate(prober: &Prober, ends: &[End], chance: &mut Chance) -> usize {
    let mut pairs: Vec<(&End, &End, IpAddr)> = Vec::new();
    for from in ends {
        // The same subnet elsewhere has the same addresses: one that somebody near has as well is no proof.
        let near: BTreeSet<IpAddr> = ends
            .iter()
            .filter(|end| from.shares_with(end))
            .flat_map(End::addresses)
            .collect();
        for to in ends.iter().filter(|to| !from.shares_with(to)) {
            let far = to
                .addresses()
                .filter(|address| address.is_ipv4() && !near.contains(address));
            pairs.extend(far.map(|address| (from, to, address)));
        }
    }
    let mut silences = 0;
    while silences < SILENCES_MAX && !pairs.is_empty() {
        let (from, to, address) = pairs.swap_remove(chance.below(pairs.len() as u64) as usize);
        let own = from.addresses().next().expect("everyone is on a link");
        prober.reaches(&format!("{} → itself", from.what), &from.from, own);
        let what = format!("{} → {}, which is on no link of its own", from.what, to.what);
        prober.does_not_reach(&what, &from.from, address);
        silences += 1;
    }
    silences
}
