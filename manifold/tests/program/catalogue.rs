//! The catalogue over Os-Ma-nfvo by a client that others wrote: NSDs, PNFDs and VNF packages, from on-boarding to deletion.

use crate::os_ma::{Seen, curl, enter};
use crate::{cache, folder, program};
use manifold_campaign::{COMMAND, Cluster, each, wait_for};
use serde_json::{Value, json};

/// One of the three kinds of entries.
struct Kind {
    collection: String,
    version: &'static str,
    content: &'static str,
    onboarding: &'static str,
    operational: &'static str,
    usage: &'static str,
    bearer: String,
}

impl Kind {
    fn ask(&self, words: &[&str]) -> Seen {
        curl(&[&["-H", &self.bearer, "-H", self.version], words].concat())
    }

    fn at(&self, id: &str) -> String {
        format!("{}/{id}", self.collection)
    }

    /// Made, and empty: its identifier.
    fn create(&self) -> String {
        let made = self.ask(&["-H", "Content-Type: application/json", "-d", "{}", &self.collection]);
        assert_eq!(made.status, 201, "{}", made.body);
        assert_eq!(made.json()[self.onboarding], "CREATED");
        made.json()["id"].as_str().expect("an id").to_owned()
    }

    /// Made, filled and on-boarded: its identifier.
    fn onboard(&self, archive: &str) -> String {
        let id = self.create();
        let sent = self.upload(&id, archive);
        assert!([202, 204].contains(&sent.status), "{}", sent.body);
        wait_for("the entry is on-boarded", COMMAND, || {
            (self.find(&id)[self.onboarding] == "ONBOARDED").then_some(())
        });
        id
    }

    fn upload(&self, id: &str, archive: &str) -> Seen {
        let to = format!("{}/{}", self.at(id), self.content);
        let body = format!("@{archive}");
        self.ask(&[
            "-X",
            "PUT",
            "-H",
            "Content-Type: application/zip",
            "--data-binary",
            &body,
            &to,
        ])
    }

    fn find(&self, id: &str) -> Value {
        let found = self.ask(&[&self.at(id)]);
        assert_eq!(found.status, 200, "{}", found.body);
        found.json()
    }

    /// How many there are of which this is so.
    fn count(&self, filter: &str) -> usize {
        let found = self.ask(&[&format!("{}?filter={filter}", self.collection)]);
        assert_eq!(found.status, 200, "{}", found.body);
        each(&found.json()).count()
    }

    fn set(&self, id: &str, state: &str) -> Seen {
        let changes = json!({ self.operational: state }).to_string();
        let kind = "Content-Type: application/merge-patch+json";
        self.ask(&["-X", "PATCH", "-H", kind, "-d", &changes, &self.at(id)])
    }

    fn delete(&self, id: &str) -> Seen {
        self.ask(&["-X", "DELETE", &self.at(id)])
    }
}

/// Each kind of entry is on-boarded, found by a filter, disabled, enabled and deleted; what something else uses is not deleted, what
/// is broken is not on-boarded, and what is not on-boarded is not instantiated.
// proves: NFV006-NFVO-05, NFV006-NFVO-06, NFV006-NFVO-07, NFV006-OBJ-03, NFV006-OBJ-08
pub(crate) fn curl_keeps() {
    let cluster = Cluster::start(program(), &cache(), folder());
    let (root, bearer) = enter(&cluster);
    let kind = |collection: &str, version, content, states: [&'static str; 3]| Kind {
        collection: format!("{root}/{collection}"),
        version,
        content,
        onboarding: states[0],
        operational: states[1],
        usage: states[2],
        bearer: bearer.clone(),
    };
    let packages = kind(
        "vnfpkgm/v2/vnf_packages",
        "Version: 2.4.0",
        "package_content",
        ["onboardingState", "operationalState", "usageState"],
    );
    let nsds = kind(
        "nsd/v2/ns_descriptors",
        "Version: 2.3.0",
        "nsd_content",
        ["nsdOnboardingState", "nsdOperationalState", "nsdUsageState"],
    );
    // A PNFD has no operational state.
    let pnfds = kind(
        "nsd/v2/pnf_descriptors",
        "Version: 2.3.0",
        "pnfd_content",
        ["pnfdOnboardingState", "", "pnfdUsageState"],
    );
    let archive = |name: &str| {
        let to = folder()
            .join(format!("{}.csar", name.replace('/', "-")))
            .display()
            .to_string();
        let from = format!("{}/../examples/{name}", env!("CARGO_MANIFEST_DIR"));
        cluster.run(&["package", "build", &from, "--output", &to]).ok();
        to
    };

    // An NSD whose VNFD and PNFD nobody on-boarded.
    let nsd = archive("demo/ns");
    let early = nsds.create();
    let refused = nsds.upload(&early, &nsd);
    let failure = || {
        let found = nsds.find(&early);
        (found[nsds.onboarding] != "ONBOARDED").then(|| found["onboardingFailureDetails"]["detail"].to_string())
    };
    let told = wait_for("the reason", COMMAND, || {
        failure().filter(|detail| refused.status >= 400 || detail.len() > 4)
    });
    let told = format!("{}{told}", refused.body);
    for code in ["MFD0601", "MFD0606"] {
        assert!(told.contains(code), "{told}");
    }
    assert_eq!(nsds.delete(&early).status, 204);

    let [gateway, service] = ["demo/gateway", "demo/service"].map(|name| packages.onboard(&archive(name)));
    let meter = pnfds.onboard(&archive("demo/pnf"));
    let nsd_id = nsds.onboard(&nsd);
    assert_eq!(packages.count("(eq,onboardingState,ONBOARDED)"), 2);
    assert_eq!(
        (nsds.count("(eq,nsdName,two-site)"), nsds.count("(eq,nsdName,another)")),
        (1, 0)
    );
    assert_eq!(pnfds.count(&format!("(eq,id,{meter})")), 1);
    assert_eq!(nsds.find(&nsd_id)["pnfdInfoIds"], json!([meter]), "the NS refers to it");

    // What the NSD names stays; what is broken is not taken.
    pnfds.delete(&meter).problem(409);
    let mut bytes = std::fs::read(archive("minimal/vnf")).expect("built");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    let broken = folder().join("broken.csar");
    std::fs::write(&broken, bytes).expect("written");
    let id = packages.create();
    packages.upload(&id, &broken.display().to_string());
    wait_for("the broken package is refused", COMMAND, || {
        let found = packages.find(&id);
        assert_ne!(found["onboardingState"], "ONBOARDED", "{found}");
        (!found["onboardingFailureDetails"].is_null()).then_some(())
    });
    assert_eq!(packages.delete(&id).status, 204);

    // DISABLED, nothing new is made of it; in use, it is not deleted.
    assert_eq!(nsds.set(&nsd_id, "DISABLED").status, 200);
    let ask = |id: &Value| json!({"nsdId": id, "nsName": "by-curl", "nsDescription": ""}).to_string();
    let of = nsds.find(&nsd_id)["nsdId"].clone();
    let instances = format!("{root}/nslcm/v2/ns_instances");
    let make = || nsds.ask(&["-H", "Content-Type: application/json", "-d", &ask(&of), &instances]);
    make().problem(409);
    assert_eq!(nsds.set(&nsd_id, "ENABLED").status, 200);
    let made = make();
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(nsds.find(&nsd_id)[nsds.usage], "IN_USE");
    assert_eq!(nsds.set(&nsd_id, "DISABLED").status, 200);
    nsds.delete(&nsd_id).problem(409);
    let instance = format!("{instances}/{}", made.json()["id"].as_str().expect("an id"));
    assert_eq!(nsds.ask(&["-X", "DELETE", &instance]).status, 204);

    assert_eq!(nsds.delete(&nsd_id).status, 204);
    nsds.ask(&[&nsds.at(&nsd_id)]).problem(404);
    assert_eq!(pnfds.find(&meter)[pnfds.usage], "NOT_IN_USE");
    assert_eq!(pnfds.delete(&meter).status, 204);
    pnfds.ask(&[&pnfds.at(&meter)]).problem(404);
    for id in [gateway, service] {
        packages.delete(&id).problem(409);
        assert_eq!(packages.set(&id, "DISABLED").status, 200);
        assert_eq!(packages.find(&id)[packages.usage], "NOT_IN_USE");
        assert_eq!(packages.delete(&id).status, 204);
    }
    assert_eq!(packages.count("(eq,onboardingState,ONBOARDED)"), 0);
}
