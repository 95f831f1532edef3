//! Two network services on a lab of two hosts: `standing` stands, `small` comes and goes. What commands tell of them.

use crate::chance::Chance;
use crate::cluster::{COMMAND, Cluster};
use crate::wait::wait_for;
use manifold_kernel_test::run_in;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// Where this crate's packages and its lab are.
const HERE: &str = env!("CARGO_MANIFEST_DIR");

/// What the agent says that there is: kind, id and place of each object.
pub type Objects = BTreeSet<(String, String, String)>;

/// The services of the campaigns.
pub struct Services;

impl Services {
    /// Makes the lab, on-boards both services, and instantiates `standing`.
    pub fn prepare(cluster: &Cluster) -> Services {
        let place = |below: &str| format!("{HERE}/{below}");
        cluster.json(&["lab", "create", &place("labs/campaign.toml")]);
        for package in ["standing/vnf", "standing/ns", "small/vnf", "small/ns"] {
            cluster.json(&["package", "push", &place(&format!("packages/{package}"))]);
        }
        let occurrence = cluster.json(&["ns", "instantiate", "standing"]);
        assert_eq!(occurrence["operationState"], "COMPLETED", "{occurrence}");
        Services
    }

    /// A service's machines: name, and its address on a link.
    pub fn addresses(&self, cluster: &Cluster, ns: &str, link: &str) -> BTreeMap<String, IpAddr> {
        let topology = cluster.json(&["topology", ns]);
        let ids: Vec<&Value> = each(&topology["links"])
            .filter(|known| known["name"] == link)
            .map(|known| &known["id"])
            .collect();
        let machines = each(&topology["vnfs"]).flat_map(|vnf| each(&vnf["vnfcs"]));
        machines
            .flat_map(|machine| each(&machine["ports"]).map(move |port| (machine, port)))
            .filter(|(_, port)| ids.contains(&&port["link"]))
            .map(|(machine, port)| (text(&machine["name"]), address(&port["addresses"][0])))
            .collect()
    }

    /// The network namespace of a service's access point: the one that has the address of its SAP.
    pub fn access(&self, cluster: &Cluster, ns: &str) -> PathBuf {
        let topology = cluster.json(&["topology", ns]);
        self.namespace_of(cluster, &topology["saps"][0])
    }

    /// The same, of the SAP at the access point called so.
    pub fn access_point(&self, cluster: &Cluster, ns: &str, name: &str) -> PathBuf {
        let topology = cluster.json(&["topology", ns]);
        let sap = each(&topology["saps"]).find(|sap| sap["name"] == name);
        self.namespace_of(cluster, sap.unwrap_or_else(|| panic!("no SAP {name}: {topology}")))
    }

    fn namespace_of(&self, cluster: &Cluster, sap: &Value) -> PathBuf {
        let wanted = address(&sap["addresses"][0]).to_string();
        let pins = std::fs::read_dir(cluster.run_dir().join("netns")).unwrap_or_else(|error| panic!("netns: {error}"));
        let mut pins = pins.flatten().map(|entry| entry.path());
        let has = |pin: &PathBuf| {
            let links: Value = serde_json::from_slice(&run_in(pin, &["ip", "-j", "addr"]).stdout).unwrap_or_default();
            each(&links)
                .flat_map(|link| each(&link["addr_info"]))
                .any(|info| info["local"] == wanted.as_str())
        };
        pins.find(has)
            .unwrap_or_else(|| panic!("no namespace has the address {wanted}: {sap}"))
    }
}

/// The elements of an array; none of anything else.
pub fn each(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A text; empty for anything else.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn address(value: &Value) -> IpAddr {
    text(value)
        .parse()
        .unwrap_or_else(|error| panic!("{value} is no address: {error}"))
}

/// What the agent says that there is.
pub fn objects(cluster: &Cluster) -> Objects {
    let all = cluster.json(&["lab", "show", "--objects"]);
    each(&all)
        .map(|seen| (text(&seen["kind"]), text(&seen["id"]), text(&seen["place"])))
        .collect()
}

/// What the kernel says that there is: namespaces, links, addresses, nft tables, mounts, and the processes of machines.
pub fn kernel(run_dir: &Path) -> BTreeSet<String> {
    let census = manifold_kernel_test::Census::take(&[&run_dir.join("objects"), &run_dir.join("machines")]).to_string();
    let counts = |line: &&str| !line.starts_with("process ") || line.contains("qemu-system");
    census
        .lines()
        .map(str::trim)
        .filter(counts)
        .map(str::to_owned)
        .collect()
}

/// Which states an NS lifecycle operation can be in after it was seen in another (SOL005 V3.7.1, 6.6.2.2), with those between not
/// seen. Terminal ones are left by nobody.
fn may_follow(before: Option<&str>, now: &str) -> bool {
    const RUNNING: [&str; 3] = ["PROCESSING", "FAILED_TEMP", "ROLLING_BACK"];
    const TERMINAL: [&str; 4] = ["COMPLETED", "PARTIALLY_COMPLETED", "FAILED", "ROLLED_BACK"];
    match before {
        Some(state) if TERMINAL.contains(&state) => now == state,
        _ => RUNNING.contains(&now) || TERMINAL.contains(&now),
    }
}

/// All lifecycle operations, as they are seen again and again.
#[derive(Default)]
pub struct Operations {
    known: BTreeMap<String, String>,
}

impl Operations {
    /// Looks at all of them; panics when one is in a state that it must not be in after the one before. Gives those that still
    /// are in one of `states`.
    fn look(&mut self, cluster: &Cluster, states: &[&str]) -> Vec<String> {
        let mut found = Vec::new();
        for occurrence in each(&cluster.json(&["op", "list"])) {
            let (id, now) = (text(&occurrence["id"]), text(&occurrence["operationState"]));
            let before = self.known.get(&id).map(String::as_str);
            assert!(
                may_follow(before, &now),
                "operation {id} went from {before:?} to {now}: {occurrence}"
            );
            if states.contains(&now.as_str()) {
                found.push(id.clone());
            }
            self.known.insert(id, now);
        }
        found
    }

    /// Waits until none runs, and brings those that failed for the time being to an end, by retry or rollback as chance has it.
    /// Gives what was done, for the record.
    pub fn rest(&mut self, cluster: &Cluster, chance: &mut Chance) -> Vec<String> {
        let mut done = Vec::new();
        for _ in 0..4 {
            wait_for("every operation rests", COMMAND, || {
                self.look(cluster, &["STARTING", "PROCESSING", "ROLLING_BACK"])
                    .is_empty()
                    .then_some(())
            });
            let failed = self.look(cluster, &["FAILED_TEMP"]);
            if failed.is_empty() {
                return done;
            }
            for id in failed {
                let cure = if chance.coin() { "retry" } else { "rollback" };
                let answer = cluster.run(&["op", cure, &id, "--json"]);
                done.push(format!("{cure} ({})", answer.code.unwrap_or(-1)));
                // An operation that cannot be rolled back says so by 404, which is 3.
                if cure == "rollback" && answer.code == Some(3) {
                    let answer = cluster.run(&["op", "retry", &id, "--json"]);
                    done.push(format!("retry ({})", answer.code.unwrap_or(-1)));
                }
            }
        }
        let failed = self.look(cluster, &["FAILED_TEMP"]);
        let why: Vec<String> = failed
            .iter()
            .map(|id| cluster.run(&["op", "show", id, "--json"]).out)
            .collect();
        assert!(
            why.is_empty(),
            "neither retry nor rollback ends them:\n{}",
            why.join("\n")
        );
        done
    }
}

/// The state of a network service by name; `None` when there is none.
pub fn state_of(cluster: &Cluster, name: &str) -> Option<String> {
    let all = cluster.json(&["ns", "list"]);
    each(&all)
        .find(|ns| ns["nsInstanceName"] == name)
        .map(|ns| text(&ns["nsState"]))
}

#[cfg(test)]
mod tests {
    use super::may_follow;

    #[test]
    fn an_operation_that_ended_stays_so_and_starting_is_no_state_of_an_ns_operation() {
        assert!(may_follow(None, "PROCESSING") && may_follow(Some("FAILED_TEMP"), "ROLLED_BACK"));
        assert!(may_follow(Some("COMPLETED"), "COMPLETED"));
        assert!(!may_follow(Some("COMPLETED"), "PROCESSING") && !may_follow(Some("ROLLED_BACK"), "COMPLETED"));
        assert!(!may_follow(None, "STARTING") && !may_follow(None, ""));
    }
}
