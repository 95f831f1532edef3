//! The reference-point trace of an instantiation over two sites, step by step: the VM half of GR NFV-IFA 043 5.4.5.

use crate::{cache, folder, program};
use manifold_campaign::{Cluster, each, text, wait_for};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// For records to be stored: they are gathered for a tenth of a second.
const STORED: Duration = Duration::from_secs(20);

/// What GS NFV 006 5.1 and 5.4 lets one ask of another, as far as an instantiation may need it: consumer, producer, reference
/// point, interface, operations. Written from the document, not from the program's policy.
const ALLOWED: [(&str, &str, &str, &str, &[&str]); 12] = [
    (
        "OSS",
        "NFVO",
        "Os-Ma-nfvo",
        "NsLifecycleManagement",
        &["instantiate", "progress", "find_operation", "query", "find", "topology"],
    ),
    (
        "NFVO",
        "VNFM",
        "Or-Vnfm",
        "VnfLifecycleManagement",
        &[
            "create",
            "instantiate",
            "find_operation",
            "find",
            "query",
            "query_operations",
        ],
    ),
    ("VNFM", "NFVO", "Or-Vnfm", "VnfLifecycleOperationGranting", &["grant"]),
    (
        "VNFM",
        "NFVO",
        "Or-Vnfm",
        "VnfPackageManagement",
        &["query", "find", "vnfd"],
    ),
    ("NFVO", "VIM", "Or-Vi", "VirtualisedNetworks", &["allocate", "query"]),
    (
        "NFVO",
        "VIM",
        "Or-Vi",
        "Topology",
        &[
            "query_nfvi_pop",
            "query_resource_zone",
            "query_compute_capacity",
            "query_provider_networks",
        ],
    ),
    ("NFVO", "VIM", "Or-Vi", "SoftwareImages", &["add", "query"]),
    ("NFVO", "VIM", "Or-Vi", "ComputeFlavours", &["create", "query"]),
    (
        "NFVO",
        "WIM",
        "Or-Wi",
        "MscsManagement",
        &["create", "query", "query_endpoints"],
    ),
    (
        "VNFM",
        "VIM",
        "Vi-Vnfm",
        "VirtualisedCompute",
        &["allocate", "query", "create_affinity_group"],
    ),
    ("VNFM", "VIM", "Vi-Vnfm", "VirtualisedNetworks", &["allocate", "query"]),
    (
        "VIM",
        "NFVI",
        "Nf-Vi",
        "Infrastructure",
        &["ensure", "observe", "remove"],
    ),
];

/// The WAN is infrastructure that the WIM reaches, not the VIM (5.2 NOTE 2); GS NFV 006 gives that way no name.
const TO_THE_WAN: (&str, &str, &str) = ("WIM", "NFVI", "Infrastructure");

/// A call.
struct Call<'a>(&'a Value);

impl Call<'_> {
    fn is(&self, consumer: &str, producer: &str, operation: &str) -> bool {
        let of = format!("{}.{}", text(&self.0["interface"]), text(&self.0["operation"]));
        self.0["consumer"] == consumer && self.0["producer"] == producer && of == operation
    }

    fn at(&self, site: &str) -> bool {
        self.0["producerName"] == site
    }

    fn about(&self) -> String {
        text(&self.0["subject"])
    }

    fn begun(&self) -> u64 {
        self.0["startUs"].as_u64().unwrap_or_default()
    }

    fn ended(&self) -> u64 {
        self.begun() + self.0["durationUs"].as_u64().unwrap_or_default()
    }

    fn tell(&self) -> String {
        let [consumer, producer, name, interface, operation, subject] = [
            "consumer",
            "producer",
            "producerName",
            "interface",
            "operation",
            "subject",
        ]
        .map(|key| text(&self.0[key]));
        format!("{consumer} → {producer}({name}) {interface}.{operation} {subject}")
    }
}

/// All calls of an operation.
struct Trace(Vec<Value>);

impl Trace {
    fn calls(&self) -> impl Iterator<Item = Call<'_>> {
        self.0.iter().map(Call)
    }

    /// Those of this kind, in the order of their beginnings.
    fn all(&self, consumer: &str, producer: &str, operation: &str) -> Vec<Call<'_>> {
        self.calls()
            .filter(|call| call.is(consumer, producer, operation))
            .collect()
    }

    /// The one that is about this.
    fn one<'a>(
        &'a self,
        consumer: &str,
        producer: &str,
        operation: &str,
        fits: impl Fn(&Call<'_>) -> bool,
    ) -> Call<'a> {
        let mut found = self.all(consumer, producer, operation);
        found.retain(|call| fits(call));
        assert_eq!(
            found.len(),
            1,
            "{consumer} → {producer} {operation}: {:?}",
            found.iter().map(Call::tell).collect::<Vec<_>>()
        );
        found.remove(0)
    }
}

/// Asserted are: who called whom, that each forced order of 5.4.5 NOTE 6 holds for what runs in machines, that no resource is asked
/// for before its grant, and that the operation is complete after everything.
// proves: UC54-1, UC54-6, UC54-7, UC54-11, UC54-END, UC54-N1, UC54-N4, UC54-N5, UC54-SEG-N, NFV006-OBJ-07, NFV006-WIM-02, NFV006-WIM-03
pub(crate) fn instantiation() {
    let cluster = Cluster::start(program(), &cache(), folder());
    let here = env!("CARGO_MANIFEST_DIR");
    cluster.json(&["lab", "create", &format!("{here}/../nfvi/lab/labs/two-sites.toml")]);
    for package in ["gateway", "service", "pnf", "ns"] {
        cluster.json(&["package", "push", &format!("{here}/../examples/demo/{package}")]);
    }
    let occurrence = cluster.json(&[
        "ns",
        "instantiate",
        "two-site",
        "--at",
        "gateway=site-1",
        "--at",
        "service=site-2",
        "--pnf",
        "meter=meter",
    ]);
    assert_eq!(occurrence["operationState"], "COMPLETED", "{occurrence}");
    let id = text(&occurrence["id"]);
    let topology = cluster.json(&["topology", "two-site"]);
    let ask = || {
        cluster
            .run(&["trace", &id, "--format", "json"])
            .ok()
            .json()
            .as_array()
            .cloned()
            .unwrap_or_default()
    };
    let records = wait_for("the trace is stored", STORED, || {
        let records = ask();
        let begun = records
            .iter()
            .any(|record| Call(record).is("OSS", "NFVO", "NsLifecycleManagement.instantiate"));
        (begun && records.len() == ask().len()).then_some(records)
    });
    let trace = Trace(records);
    if std::env::var_os("MANIFOLD_SHOW_TRACE").is_some() {
        trace.calls().for_each(|call| {
            println!(
                "{:>9} {:>9} {}",
                call.begun() % 100_000_000,
                call.ended() % 100_000_000,
                call.tell()
            )
        });
    }
    only_what_is_allowed(&trace);
    connectivity(&trace, &topology);
    vnfs(&trace, &topology);
    the_end(&trace, &occurrence);
    shown_to_people(&cluster, &id);
}

fn only_what_is_allowed(trace: &Trace) {
    for call in trace.calls() {
        let [consumer, producer, point, interface, operation] =
            ["consumer", "producer", "referencePoint", "interface", "operation"].map(|key| text(&call.0[key]));
        let row = ALLOWED.iter().any(|row| {
            (row.0, row.1, row.2, row.3) == (consumer.as_str(), producer.as_str(), point.as_str(), interface.as_str())
                && row.4.contains(&operation.as_str())
        });
        let wan = (consumer.as_str(), producer.as_str(), interface.as_str()) == TO_THE_WAN;
        assert!(
            row || wan,
            "GS NFV 006 has no such call in an instantiation: {} [{point}]",
            call.tell()
        );
        // Each request has its answer, and none is a refusal.
        assert!(
            call.0["durationUs"].is_u64() && call.0["failure"].is_null(),
            "{}: {}",
            call.tell(),
            call.0["failure"]
        );
    }
    assert!(
        trace
            .calls()
            .all(|call| call.0["producer"] != "WIM" || call.0["consumer"] == "NFVO")
    );
}

/// Networks of the NS's links, the service over the WAN, and the PNF that takes nothing.
fn connectivity(trace: &Trace, topology: &Value) {
    let network = |link: &str, site: &str| {
        trace.one("NFVO", "VIM", "VirtualisedNetworks.allocate", |call| {
            call.at(site) && call.about().starts_with("network ") && call.about().contains(link)
        });
    };
    // #6 and its like at the other site; #7, on the provider network; the access link of site 1 as #8.
    for (link, site) in [
        ("transit", "site-1"),
        ("transit", "site-2"),
        ("field", "site-1"),
        ("access", "site-1"),
    ] {
        network(link, site);
    }
    // #1
    trace.one("NFVO", "WIM", "MscsManagement.create", |_| true);
    let link = |name: &str| {
        each(&topology["links"])
            .find(|link| link["name"] == name)
            .unwrap_or_else(|| panic!("{name}: {topology}"))
    };
    let transit = link("transit");
    let mut sites: Vec<String> = each(&transit["networks"])
        .map(|network| text(&network["vim"]))
        .collect();
    sites.sort();
    assert_eq!(
        sites,
        ["site-1", "site-2"],
        "one network in each PoP, and a service between"
    );
    assert!(transit["mscs"].is_string(), "{transit}");
    assert_eq!(link("field")["networks"][0]["providerNetwork"], "field");
    assert!(link("access")["mscs"].is_null() && link("field")["mscs"].is_null());
    // The PNF is connected, and not made of anything.
    assert_eq!(topology["pnfs"].as_array().map(Vec::len), Some(1));
    let computes = trace.all("VNFM", "VIM", "VirtualisedCompute.allocate");
    assert!(computes.iter().all(|call| !call.about().contains("meter")));
    assert!(
        trace.all("NFVO", "VIM", "VirtualisedCompute.allocate").is_empty(),
        "machines are the VNFM's"
    );
}

/// #5 and #11: each VNF after the networks that it is on, its resources after its grant.
fn vnfs(trace: &Trace, topology: &Value) {
    let links: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("gateway", &["access", "transit", "field"][..]),
        ("service", &["transit"]),
    ]);
    let mut machines = 0;
    for vnf in each(&topology["vnfs"]) {
        let (id, site) = (text(&vnf["id"]), text(&vnf["vim"]));
        let instantiate = trace.one("NFVO", "VNFM", "VnfLifecycleManagement.instantiate", |call| {
            call.about() == id
        });
        for link in links[text(&vnf["profile"]).as_str()] {
            for made in trace.all("NFVO", "VIM", "VirtualisedNetworks.allocate") {
                // Network and subnets; a SAP's port is no VNF's matter.
                if made.at(&site) && made.about().contains(link) && !made.about().starts_with("port ") {
                    assert!(
                        made.ended() <= instantiate.begun(),
                        "{} ends after {} begins",
                        made.tell(),
                        instantiate.tell()
                    );
                }
            }
        }
        let grant = trace.one("VNFM", "NFVO", "VnfLifecycleOperationGranting.grant", |call| {
            call.about() == id
        });
        assert!(instantiate.begun() <= grant.begun());
        let own: Vec<Call<'_>> = trace
            .calls()
            .filter(|call| {
                call.0["consumer"] == "VNFM" && call.0["producer"] == "VIM" && call.0["operation"] == "allocate"
            })
            .filter(|call| call.0["occurrence"] == grant.0["occurrence"])
            .collect();
        assert!(!own.is_empty(), "NOTE 4: the VNFM asks the VIM for {id}");
        for call in &own {
            assert!(grant.ended() <= call.begun(), "{} before its grant", call.tell());
            assert!(
                call.at(&site),
                "{} is at {site}: {}",
                text(&vnf["profile"]),
                call.tell()
            );
        }
        machines += own
            .iter()
            .filter(|call| call.0["interface"] == "VirtualisedCompute")
            .count();
    }
    let shown = each(&topology["vnfs"]).flat_map(|vnf| each(&vnf["vnfcs"])).count();
    assert_eq!((machines, shown), (4, 4), "a front end, two workers, a web server");
}

/// The operation is complete when everything is.
fn the_end(trace: &Trace, occurrence: &Value) {
    let end = text(&occurrence["stateEnteredTime"]);
    let effects = ["allocate", "create", "instantiate", "grant", "ensure"];
    let last = trace
        .calls()
        .filter(|call| call.0["consumer"] != "OSS" && effects.contains(&text(&call.0["operation"]).as_str()));
    let last = last.map(|call| call.ended()).max().unwrap_or_default();
    let end_us = microseconds(&end);
    // The time of the state is told in milliseconds or finer.
    assert!(
        last < end_us + 1_000,
        "the last effect ended at {last}, the operation at {end_us} ({end})"
    );
}

/// Microseconds since 1970 of an RFC 3339 time, by `date`.
fn microseconds(time: &str) -> u64 {
    let said = manifold_kernel_test::run(&["date", "--date", time, "+%s%6N"]);
    String::from_utf8_lossy(&said.stdout)
        .trim()
        .parse()
        .unwrap_or_else(|error| panic!("{time}: {error}"))
}

fn shown_to_people(cluster: &Cluster, id: &str) {
    let told = cluster.run(&["trace", id]).ok().out;
    assert!(
        told.contains("NFVO → WIM MscsManagement.create") && told.contains("[Or-Wi]"),
        "{told}"
    );
    let drawn = cluster.run(&["trace", id, "--format", "mermaid"]).ok().out;
    assert!(
        drawn.starts_with("sequenceDiagram\n") && drawn.contains("NFVO->>VNFM: instantiate"),
        "{drawn}"
    );
    let graph = cluster.run(&["topology", "two-site", "--format", "dot"]).ok().out;
    assert!(
        graph.starts_with("graph \"two-site\"") && graph.trim_end().ends_with('}'),
        "{graph}"
    );
}
