//! Sends probes over the lab's API and judges what came back.

use super::report::{Report, Row};
use crate::client::Session;
use crate::control::{ProbeFrom, ProbeRequest};
use anyhow::Context as _;
use manifold_nfvi_interface::{Probe, ProbeSeen};
use manifold_nfvo_interface::{NsTopology, TopologyVnfc};
use std::net::IpAddr;
use std::time::Duration;

/// A machine may still boot: two cores boot seven of them in about twenty seconds.
pub const PATIENT_MS: u32 = 60_000;

/// Nothing comes back within this time what comes back at all within a few milliseconds.
const SILENT_MS: u32 = 1_500;

/// How often a rate is measured until it is within its bounds.
const RATE_TRIES: u32 = 3;

/// What shall be seen.
#[derive(Debug, Clone)]
pub enum Expect {
    /// An answer.
    Answer,
    /// An HTTP answer that names this machine.
    Named(String),
    /// None.
    Nothing,
    /// A rate within a tenth of this, in bits per second.
    Rate(u64),
}

/// Sends probes and writes rows.
pub struct Prober<'a> {
    /// The operator's session.
    pub session: &'a Session,
    /// Where rows go.
    pub report: &'a mut Report,
}

/// A machine of a network service.
pub fn vnfc<'a>(topology: &'a NsTopology, vdu: &str, nth: usize) -> anyhow::Result<&'a TopologyVnfc> {
    let mut all: Vec<&TopologyVnfc> = topology
        .vnfs
        .iter()
        .flat_map(|vnf| &vnf.vnfcs)
        .filter(|vnfc| vnfc.vdu == vdu)
        .collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all.get(nth)
        .copied()
        .with_context(|| format!("{} has no machine {vdu} number {nth}", topology.name))
}

/// Its address on a link.
pub fn address(topology: &NsTopology, vnfc: &TopologyVnfc, link: &str, v6: bool) -> anyhow::Result<IpAddr> {
    let ids: Vec<&str> = topology
        .links
        .iter()
        .filter(|known| known.name == link)
        .map(|known| known.id.as_str())
        .collect();
    let ports = vnfc.ports.iter().filter(|port| ids.contains(&port.link.as_str()));
    ports
        .flat_map(|port| &port.addresses)
        .find(|address| address.is_ipv6() == v6)
        .copied()
        .with_context(|| {
            format!(
                "{} has no {} address on {link}",
                vnfc.name,
                if v6 { "IPv6" } else { "IPv4" }
            )
        })
}

/// From inside a machine.
pub fn inside(vnfc: &TopologyVnfc) -> anyhow::Result<ProbeFrom> {
    Ok(ProbeFrom::Machine {
        compute_id: vnfc.compute_id.parse().context("a machine's id is no UUID")?,
    })
}

/// A ping.
pub fn ping(to: IpAddr) -> Probe {
    Probe::Ping {
        to,
        source: None,
        payload_bytes: None,
    }
}

/// A ping that goes out on the wire even where no route leads.
pub fn on_link(to: IpAddr) -> Probe {
    Probe::PingOnLink { to }
}

/// A page of a machine's web server.
pub fn page(to: IpAddr) -> Probe {
    Probe::Http {
        to,
        port: 80,
        path: "/".into(),
    }
}

impl Prober<'_> {
    /// Sends one and judges it.
    pub async fn probe(&mut self, what: &str, from: ProbeFrom, probe: Probe, expect: Expect) -> anyhow::Result<()> {
        let limit_ms = match expect {
            Expect::Nothing => SILENT_MS,
            Expect::Answer | Expect::Named(_) | Expect::Rate(_) => PATIENT_MS,
        };
        let request = ProbeRequest { from, probe, limit_ms };
        let mut seen = self.send(&request).await?;
        if let Expect::Rate(_) = expect {
            // Whatever else the machine does only makes it slower: what counts is the best of a few, if none is too fast.
            for _ in 1..RATE_TRIES {
                if judge(&expect, &seen) || faster(&expect, &seen) {
                    break;
                }
                seen = self.send(&request).await?;
            }
        }
        let ok = judge(&expect, &seen);
        self.report.probe(Row {
            what: what.to_owned(),
            expected: wanted(&expect),
            seen: tell(&seen),
            ok,
        });
        Ok(())
    }

    async fn send(&self, request: &ProbeRequest) -> anyhow::Result<ProbeSeen> {
        let patience = self
            .session
            .patient(Duration::from_millis(u64::from(request.limit_ms) + 15_000));
        match self
            .session
            .lab
            .post::<ProbeSeen>(&patience, &["probes"], request)
            .await
        {
            Ok(reply) => reply.body.context("the probe told nothing"),
            Err(error) => Ok(ProbeSeen::Refused {
                why: format!("not sent: {error}"),
            }),
        }
    }
}

/// Whether a rate is beyond what its limit allows.
fn faster(expect: &Expect, seen: &ProbeSeen) -> bool {
    match (expect, seen) {
        (
            Expect::Rate(limit),
            ProbeSeen::Answered {
                bits_per_second: Some(rate),
                ..
            },
        ) => rate > limit,
        _ => false,
    }
}

fn judge(expect: &Expect, seen: &ProbeSeen) -> bool {
    match (expect, seen) {
        (Expect::Answer, ProbeSeen::Answered { .. }) => true,
        (Expect::Named(name), ProbeSeen::Answered { body, .. }) => body.contains(name.as_str()),
        (Expect::Nothing, ProbeSeen::Silent) => true,
        (Expect::Nothing, ProbeSeen::Refused { why }) => !why.starts_with("not sent:"),
        (
            Expect::Rate(limit),
            ProbeSeen::Answered {
                bits_per_second: Some(rate),
                ..
            },
        ) => rate.abs_diff(*limit) * 10 <= *limit,
        _ => false,
    }
}

fn wanted(expect: &Expect) -> String {
    match expect {
        Expect::Answer => "an answer".into(),
        Expect::Named(name) => format!("from {name}"),
        Expect::Nothing => "nothing".into(),
        Expect::Rate(limit) => format!("{} Mbit/s ±10%", limit / 1_000_000),
    }
}

fn tell(seen: &ProbeSeen) -> String {
    match seen {
        ProbeSeen::Answered {
            bits_per_second: Some(rate),
            ..
        } => format!("{:.1} Mbit/s", *rate as f64 / 1e6),
        ProbeSeen::Answered { after_us, body, .. } if body.is_empty() => {
            format!("answered after {:.1} ms", *after_us as f64 / 1e3)
        }
        ProbeSeen::Answered { after_us, body, .. } => {
            format!(
                "{:?} after {:.1} ms",
                body.lines().next().unwrap_or(""),
                *after_us as f64 / 1e3
            )
        }
        ProbeSeen::Silent => "nothing came back".into(),
        ProbeSeen::TooBig { mtu_bytes } => format!("too big for the path ({mtu_bytes:?})"),
        ProbeSeen::Refused { why } => format!("refused: {why}"),
    }
}
