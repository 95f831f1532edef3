//! Probes over the lab's API, by curl.

use crate::cluster::Cluster;
use crate::command::Running;
use crate::life::text;
use serde_json::{Value, json};
use std::net::IpAddr;
use std::process::Command;
use std::time::Duration;

/// A machine may still boot.
const PATIENT_MS: u32 = 60_000;

/// Nothing comes back within this time what comes back at all within a few milliseconds.
const SILENT_MS: u32 = 1_500;

/// Longer than any probe.
const LIMIT: Duration = Duration::from_secs(80);

/// An operator's way to the lab's API.
pub struct Prober {
    root: String,
    bearer: String,
}

fn curl(arguments: &[&str]) -> Value {
    let mut line = Command::new("curl");
    line.args(["-sS", "-g", "--fail-with-body", "--noproxy", "*", "--max-time", "75"])
        .args(arguments);
    Running::start(line).end(LIMIT).ok().json()
}

impl Prober {
    /// Enters with the control plane's login.
    pub fn enter(cluster: &Cluster) -> Prober {
        let (root, user) = cluster.login();
        let token = curl(&[
            "-u",
            &user,
            "-d",
            "grant_type=client_credentials",
            &format!("{root}/oauth2/token"),
        ]);
        let bearer = format!("Authorization: Bearer {}", text(&token["access_token"]));
        Prober { root, bearer }
    }

    fn send(&self, from: &Value, probe: &Value, limit_ms: u32) -> Value {
        let ask = json!({"from": from, "probe": probe, "limitMs": limit_ms}).to_string();
        curl(&[
            "-H",
            &self.bearer,
            "-H",
            "Version: 1.0.0",
            "-H",
            "Content-Type: application/json",
            "-d",
            &ask,
            &format!("{}/lab/v1/probes", self.root),
        ])
    }

    /// Panics unless a ping is answered.
    pub fn reaches(&self, what: &str, from: &Value, to: IpAddr) {
        let seen = self.send(from, &json!({"probe": "ping", "to": to}), PATIENT_MS);
        assert_eq!(seen["outcome"], "answered", "{what}: {from} pinged {to}: {seen}");
    }

    /// Panics unless a page is given: what blocks pings alone lets it pass.
    pub fn fetches(&self, what: &str, from: &Value, to: IpAddr) {
        let probe = json!({"probe": "http", "to": to, "port": 80, "path": "/"});
        let seen = self.send(from, &probe, PATIENT_MS);
        assert_eq!(seen["outcome"], "answered", "{what}: {from} asked {to}: {seen}");
    }

    /// Panics when a ping is answered that is sent on the first interface's wire.
    pub fn does_not_reach(&self, what: &str, from: &Value, to: IpAddr) {
        let seen = self.send(from, &json!({"probe": "pingOnLink", "to": to}), SILENT_MS);
        let sent = !text(&seen["why"]).starts_with("not sent");
        assert!(
            sent && (seen["outcome"] == "silent" || seen["outcome"] == "refused"),
            "{what}: {from} pinged {to}: {seen}"
        );
    }
}
