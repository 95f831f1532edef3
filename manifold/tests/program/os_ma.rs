//! Os-Ma-nfvo by a client that others wrote.

use crate::{cache, folder, program};
use manifold_campaign::{Answer, Cluster, Running};
use serde_json::{Value, json};
use std::process::Command;
use std::time::Duration;

/// What curl saw.
pub(crate) struct Seen {
    pub(crate) status: u16,
    headers: String,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// ProblemDetails (SOL013 6.3) of this status.
    pub(crate) fn problem(&self, status: u16) {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let body = self.json();
        assert_eq!(body["status"], status);
        assert!(
            body["detail"].as_str().is_some_and(|detail| !detail.is_empty()),
            "{body}"
        );
    }
}

pub(crate) fn curl(arguments: &[&str]) -> Seen {
    let mut line = Command::new("curl");
    line.args(["-sS", "-i", "--max-time", "20", "-g"]).args(arguments);
    let Answer { out, .. } = Running::start(line).end(Duration::from_secs(25)).ok();
    let (headers, body) = out
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("no headers: {out:?}"));
    let status = headers.split(' ').nth(1).and_then(|status| status.parse().ok());
    Seen {
        status: status.unwrap_or_else(|| panic!("no status: {headers}")),
        headers: headers.into(),
        body: body.into(),
    }
}

/// Where the APIs are, and the header that a token makes.
pub(crate) fn enter(cluster: &Cluster) -> (String, String) {
    let (root, user) = cluster.login();
    let token = curl(&[
        "-u",
        &user,
        "-d",
        "grant_type=client_credentials",
        &format!("{root}/oauth2/token"),
    ]);
    let token = token.json()["access_token"].as_str().expect("a token").to_owned();
    (root, format!("Authorization: Bearer {token}"))
}

/// A token by client credentials, resources with their versions, and every refusal as ETSI has it.
// proves: NFV006-SEC-01, NFV006-EXT-01
pub(crate) fn curl_asks() {
    let cluster = Cluster::start(program(), &cache(), folder());
    let (root, user) = cluster.login();
    let at = |path: &str| format!("{root}{path}");

    let refused = curl(&[
        "-u",
        "oss:wrong",
        "-d",
        "grant_type=client_credentials",
        &at("/oauth2/token"),
    ]);
    assert_eq!(refused.status, 401, "{}", refused.body);
    let token = curl(&["-u", &user, "-d", "grant_type=client_credentials", &at("/oauth2/token")]);
    assert_eq!(token.status, 200, "{}", token.body);
    let token = token.json();
    assert_eq!(
        token["token_type"].as_str().map(str::to_lowercase).as_deref(),
        Some("bearer"),
        "{token}"
    );
    let bearer = format!(
        "Authorization: Bearer {}",
        token["access_token"].as_str().expect("a token")
    );

    let instances = at("/nslcm/v2/ns_instances");
    let version = "Version: 2.3.0";
    let listed = curl(&["-H", &bearer, "-H", version, &instances]);
    assert_eq!((listed.status, listed.json()), (200, json!([])), "{}", listed.body);
    assert_eq!(listed.header("version"), Some("2.3.0"));

    curl(&["-H", version, &instances]).problem(401);
    curl(&["-H", "Authorization: Bearer nothing", "-H", version, &instances]).problem(400);
    // Another's signature under the same claims.
    let (claims, signature) = bearer.rsplit_once('.').expect("a JWT");
    let forged = format!("{claims}.{}", signature.chars().rev().collect::<String>());
    curl(&["-H", &forged, "-H", version, &instances]).problem(401);
    curl(&["-H", &bearer, "-H", "Version: 9.9.9", &instances]).problem(406);
    curl(&["-H", &bearer, &instances]).problem(400);
    curl(&["-H", &bearer, "-H", version, &format!("{instances}/nobody")]).problem(404);
    curl(&["-H", &bearer, "-H", version, "-X", "PUT", &instances]).problem(405);
    let unknown =
        json!({"nsdId": "00000000-0000-4000-8000-000000000000", "nsName": "x", "nsDescription": ""}).to_string();
    let post = |body: &str, kind: &str| curl(&["-H", &bearer, "-H", version, "-H", kind, "-d", body, &instances]);
    let refused = post(&unknown, "Content-Type: application/json");
    assert!((400..500).contains(&refused.status), "{}", refused.body);
    refused.problem(refused.status);
    post("{", "Content-Type: application/json").problem(400);
    post(&unknown, "Content-Type: text/plain").problem(415);

    let versions = curl(&["-H", &bearer, &at("/nslcm/api_versions")]);
    assert_eq!(versions.status, 200, "{}", versions.body);
    let names: Vec<String> = versions.json()["apiVersions"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|one| Some(one["version"].as_str()?.to_owned()))
        .collect();
    assert!(names.contains(&"2.3.0".to_owned()), "{names:?}");

    // A whole resource's life, but for an infrastructure.
    let example = |below: &str| format!("{}/../examples/{below}", env!("CARGO_MANIFEST_DIR"));
    for package in ["minimal/vnf", "minimal/ns"] {
        cluster.json(&["package", "push", &example(package)]);
    }
    let ask =
        json!({"nsdId": "0d3f5c1e-6a0b-4a53-8f0e-5d5f1a0c2001", "nsName": "by-curl", "nsDescription": "made by curl"})
            .to_string();
    let made = post(&ask, "Content-Type: application/json");
    assert_eq!(made.status, 201, "{}", made.body);
    let resource = made.header("location").expect("where it is").to_owned();
    let body = made.json();
    assert_eq!(
        (&body["nsState"], &body["nsInstanceName"]),
        (&json!("NOT_INSTANTIATED"), &json!("by-curl"))
    );
    assert_eq!(body["_links"]["self"]["href"], resource.as_str(), "{body}");
    assert!(
        body["_links"]["instantiate"].is_object() && body["_links"]["terminate"].is_null(),
        "{body}"
    );
    let filtered = format!("{instances}?filter=(eq,nsInstanceName,by-curl)");
    assert_eq!(
        curl(&["-H", &bearer, "-H", version, &filtered])
            .json()
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    let filtered = format!("{instances}?filter=(eq,nsInstanceName,another)");
    assert_eq!(curl(&["-H", &bearer, "-H", version, &filtered]).json(), json!([]));
    // What is not instantiated cannot be terminated.
    let terminate = format!("{resource}/terminate");
    curl(&[
        "-H",
        &bearer,
        "-H",
        version,
        "-H",
        "Content-Type: application/json",
        "-d",
        "{}",
        &terminate,
    ])
    .problem(409);
    assert_eq!(
        curl(&["-H", &bearer, "-H", version, "-X", "DELETE", &resource]).status,
        204
    );
    curl(&["-H", &bearer, "-H", version, &resource]).problem(404);
    let metrics = curl(&[&at("/metrics")]);
    assert!(
        metrics.status == 200 && metrics.body.contains("# EOF"),
        "{}",
        metrics.body
    );
}
