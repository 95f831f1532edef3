//! Scripts over HTTP, applied by the composed control plane: what is made is what the script says, a change changes what differs,
//! and what cannot come true leaves everything as it was.

use super::Site;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const LAB: &str = include_str!("../../../../campaign/labs/campaign.toml");

/// One machine with two interfaces.
const BOX: &str = "vnf:
  name: box
  description: A machine between two networks
  external-connections:
  - {name: lan, type: data, VNFC: box-vm, local_iface_name: eth0, description: inside}
  - {name: wan, type: data, VNFC: box-vm, local_iface_name: eth1, description: outside}
  VNFC:
  - name: box-vm
    description: the machine
    VNFC image: /images/box.qcow2
    vcpus: 1
    ram: 128
    bridge-ifaces:
    - {name: eth0, bandwidth: 1 Mbps}
    - {name: eth1, bandwidth: 1 Mbps}
";

const MODELS: &str = "CREATE NodeModel box VNFD file:box.yaml;
  ConnectionPoint lan at VNFD:lan;
  ConnectionPoint wan at VNFD:wan;
CREATE NodeModel pair;
  Node first Type box;
  Node second Type box;
  Connection between Type p2p Endnodes first:wan, second:lan;
  ConnectionPoint left;
  ConnectionPoint right;
  Connection l Type p2p Endnodes left, first:lan;
  Connection r Type p2p Endnodes second:wan, right;
";

fn ask(top: &str) -> Value {
    use base64::Engine as _;
    let content = base64::engine::general_purpose::STANDARD.encode(BOX);
    json!({
        "name": "demo",
        "sources": [{ "file": "models.nemo", "text": MODELS }, { "file": "demo.nemo", "text": top }],
        "descriptors": [{ "uri": "file:box.yaml", "file": "box.yaml", "content": content }],
        "images": { "/images/box.qcow2": "manifold:image/guest" },
    })
}

/// A node at the top; its connection points lead nowhere outside.
fn nodes(names: &[&str]) -> String {
    let mut text = String::new();
    for name in names {
        text.push_str(&format!("CREATE Node {name} Type pair;\n"));
    }
    let ends: Vec<String> = names
        .iter()
        .flat_map(|name| [format!("{name}:left"), format!("{name}:right")])
        .collect();
    text.push_str(&format!(
        "CREATE Connection ring Type mesh Endnodes {};\n",
        ends.join(", ")
    ));
    text
}

impl Site {
    async fn with_lab() -> (Self, String) {
        let site = Site::start(&["LAB", "OSS"], 0o600).await.unwrap();
        let (lab, oss) = (site.token("LAB").await, site.token("OSS").await);
        let (status, shown) = site
            .call(&lab, Method::PUT, "/lab/v1/lab", json!({ "text": LAB }))
            .await;
        assert_eq!(status, StatusCode::OK, "{shown}");
        (site, oss)
    }

    /// Applies and waits: the state in which the operation came to rest, and why.
    async fn applied(&self, oss: &str, body: Value) -> (String, Value) {
        let (status, answer) = self.call(oss, Method::PUT, "/manifold/v1/scripts/demo", body).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        self.rested(oss, &answer).await
    }

    async fn rested(&self, oss: &str, answer: &Value) -> (String, Value) {
        let path = format!(
            "/manifold/v1/script_operations/{}",
            answer["operation"].as_str().unwrap()
        );
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let (status, shown) = self.call(oss, Method::GET, &path, Value::Null).await;
            assert_eq!(status, StatusCode::OK, "{shown}");
            let state = shown["state"].as_str().unwrap().to_owned();
            if !matches!(state.as_str(), "STARTING" | "PROCESSING" | "ROLLING_BACK") {
                return (state, shown);
            }
            assert!(Instant::now() < deadline, "{shown}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn count(&self, oss: &str, path: &str) -> usize {
        let (status, all) = self.call(oss, Method::GET, path, Value::Null).await;
        assert_eq!(status, StatusCode::OK, "{all}");
        all.as_array().unwrap().len()
    }

    /// VNF instances of the one NS, by name.
    async fn vnfs(&self, oss: &str) -> std::collections::BTreeMap<String, String> {
        let (_, all) = self.call(oss, Method::GET, "/nslcm/v2/ns_instances", Value::Null).await;
        let path = format!("/nslcm/v2/ns_instances/{}", all[0]["id"].as_str().unwrap());
        let (_, ns) = self.call(oss, Method::GET, &path, Value::Null).await;
        let vnf = |vnf: &Value| {
            (
                vnf["vnfInstanceName"].as_str().unwrap().to_owned(),
                vnf["id"].as_str().unwrap().to_owned(),
            )
        };
        ns["vnfInstance"].as_array().unwrap().iter().map(vnf).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_script_comes_true_changes_and_goes() {
    let (site, oss) = Site::with_lab().await;

    // Looked at first: everything would be new, and nothing is made.
    let dry = "/manifold/v1/scripts/demo?dryRun=true";
    let (status, plan) = site.call(&oss, Method::PUT, dry, ask(&nodes(&["a"]))).await;
    assert_eq!(status, StatusCode::OK, "{plan}");
    let names = |list: &Value| -> Vec<String> {
        list.as_array()
            .unwrap()
            .iter()
            .map(|part| part["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(&plan["create"]), ["a.first", "a.second", "a.between", "ring"]);
    assert_eq!(site.count(&oss, "/nslcm/v2/ns_instances").await, 0);

    let (state, shown) = site.applied(&oss, ask(&nodes(&["a"]))).await;
    assert_eq!(state, "COMPLETED", "{shown}");
    let before = site.vnfs(&oss).await;
    assert_eq!(before.len(), 2, "{before:?}");

    // The same again is nothing to do.
    let (status, same) = site
        .call(&oss, Method::PUT, "/manifold/v1/scripts/demo", ask(&nodes(&["a"])))
        .await;
    assert_eq!((status, &same["operation"]), (StatusCode::OK, &Value::Null), "{same}");

    // A second node comes; what was there stays the same instances.
    let (state, shown) = site.applied(&oss, ask(&nodes(&["a", "b"]))).await;
    assert_eq!(state, "COMPLETED", "{shown}");
    let after = site.vnfs(&oss).await;
    assert_eq!(after.len(), 4, "{after:?}");
    assert!(
        before.iter().all(|(name, id)| after.get(name) == Some(id)),
        "{before:?} {after:?}"
    );
    assert_eq!(
        site.count(&oss, "/nsd/v2/ns_descriptors").await,
        1,
        "the old version is gone"
    );
    let (_, info) = site
        .call(&oss, Method::GET, "/manifold/v1/scripts/demo", Value::Null)
        .await;
    assert_eq!(info["revision"], 2);
    let (_, first) = site
        .call(&oss, Method::GET, "/manifold/v1/scripts/demo/revisions/1", Value::Null)
        .await;
    assert_eq!(first["revision"], 1);

    // Changed by somebody else meanwhile: refused.
    let mut stale = ask(&nodes(&["a"]));
    stale["expectedRevision"] = json!(1);
    let (status, refused) = site.call(&oss, Method::PUT, "/manifold/v1/scripts/demo", stale).await;
    assert_eq!(status, StatusCode::PRECONDITION_FAILED, "{refused}");

    let (status, going) = site
        .call(&oss, Method::DELETE, "/manifold/v1/scripts/demo", Value::Null)
        .await;
    assert_eq!(status, StatusCode::ACCEPTED, "{going}");
    let (state, shown) = site.rested(&oss, &going).await;
    assert_eq!(state, "COMPLETED", "{shown}");
    for path in [
        "/nslcm/v2/ns_instances",
        "/nsd/v2/ns_descriptors",
        "/vnfpkgm/v2/vnf_packages",
        "/manifold/v1/scripts",
    ] {
        assert_eq!(site.count(&oss, path).await, 0, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_script_that_cannot_come_true_leaves_nothing_and_one_that_is_wrong_is_told_whole() {
    let (site, oss) = Site::with_lab().await;
    let wrong =
        "CREATE Node a Type pear;\nCREATE Node b Type pair\nCREATE Connection c Type p2p Endnodes b:left, b:top;\n";
    let (status, refused) = site
        .call(&oss, Method::PUT, "/manifold/v1/scripts/demo", ask(wrong))
        .await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{refused}");
    let detail = refused["detail"].as_str().unwrap();
    for part in ["3 faults", "demo.nemo:1:", "demo.nemo:2:", "demo.nemo:3:"] {
        assert!(detail.contains(part), "{part}: {detail}");
    }

    // A place that no site has: found when the service is laid out, after the packages came in. All of it is taken back.
    let nowhere = "CREATE Node a Type pair Property location: atlantis;\n\
        CREATE Connection ring Type p2p Endnodes a:left, a:right;\n";
    let (state, shown) = site.applied(&oss, ask(nowhere)).await;
    assert_eq!(state, "ROLLED_BACK", "{shown}");
    assert!(
        shown["error"]["detail"].as_str().unwrap().contains("atlantis"),
        "{shown}"
    );
    for path in [
        "/nslcm/v2/ns_instances",
        "/nsd/v2/ns_descriptors",
        "/vnfpkgm/v2/vnf_packages",
        "/manifold/v1/scripts",
    ] {
        assert_eq!(site.count(&oss, path).await, 0, "{path}");
    }
}
