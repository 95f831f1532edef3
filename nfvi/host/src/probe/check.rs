//! What a probe must fulfil.

use manifold_call::{CallError, Outcome};
use manifold_nfvi_interface::{Probe, ProbeAsk};
use std::net::IpAddr;

const LIMIT_MS_MAX: u32 = 60_000;
/// The largest IPv4 packet, less its headers.
const PAYLOAD_BYTES_MAX: u32 = 65_535 - 20 - 8;
const PATH_BYTES_MAX: usize = 1_024;
const THROUGHPUT_BYTES_MAX: u64 = 1 << 30;

/// Errors: `Invalid`.
pub(crate) fn check(ask: &ProbeAsk) -> Outcome<()> {
    let refuse = |what: &str| Err(CallError::invalid(format!("a probe's {what}")));
    if !(1..=LIMIT_MS_MAX).contains(&ask.limit_ms) {
        return refuse("limit is 1 to 60,000 ms");
    }
    match &ask.probe {
        Probe::Ping {
            to,
            source,
            payload_bytes,
        } => {
            if unreachable(to) {
                return refuse("target must be a unicast address");
            }
            if source.is_some_and(|source| source.is_ipv4() != to.is_ipv4() || unreachable(&source)) {
                return refuse("source must be a unicast address of the target's kind");
            }
            if payload_bytes.is_some_and(|bytes| bytes > PAYLOAD_BYTES_MAX) {
                return refuse("payload is at most 65,507 bytes");
            }
        }
        Probe::PingOnLink { to } => {
            if unreachable(to) {
                return refuse("target must be a unicast address");
            }
        }
        Probe::Http { to, port, path } => {
            if unreachable(to) || *port == 0 {
                return refuse("target must be a unicast address and a port");
            }
            if !path.starts_with('/')
                || path.len() > PATH_BYTES_MAX
                || !path.bytes().all(|byte| byte.is_ascii_graphic())
            {
                return refuse("path begins with / and is at most 1,024 visible ASCII characters");
            }
        }
        Probe::Throughput { to, port, bytes } => {
            if unreachable(to) || *port == 0 {
                return refuse("target must be a unicast address and a port");
            }
            if !(1..=THROUGHPUT_BYTES_MAX).contains(bytes) {
                return refuse("number of bytes is 1 to 1,073,741,824");
            }
        }
    }
    Ok(())
}

fn unreachable(address: &IpAddr) -> bool {
    address.is_unspecified() || address.is_multicast() || matches!(address, IpAddr::V4(four) if four.is_broadcast())
}

#[cfg(test)]
mod tests {
    use super::*;
    use manifold_call::ErrorKind;
    use manifold_nfvi_interface::ObjectId;

    #[test]
    fn limits_hold_on_both_sides() {
        let ask = |limit_ms, probe| {
            check(&ProbeAsk {
                from: ObjectId::random(),
                probe,
                limit_ms,
            })
        };
        let four: IpAddr = "10.0.0.1".parse().unwrap();
        let ping = |to: &str, source: Option<&str>, payload_bytes| Probe::Ping {
            to: to.parse().unwrap(),
            source: source.map(|source| source.parse().unwrap()),
            payload_bytes,
        };
        let http = |path: &str| Probe::Http {
            to: four,
            port: 80,
            path: path.into(),
        };
        assert!(ask(1, ping("10.0.0.1", Some("10.0.0.2"), Some(65_507))).is_ok());
        assert!(ask(60_000, http("/a?b=c")).is_ok());
        for wrong in [
            ask(0, ping("10.0.0.1", None, None)),
            ask(60_001, ping("10.0.0.1", None, None)),
            ask(1, ping("224.0.0.1", None, None)),
            ask(1, ping("10.0.0.1", Some("fd00::1"), None)),
            ask(1, ping("10.0.0.1", None, Some(65_508))),
            ask(1, http("x")),
            ask(1, http("/a b")),
            ask(1, http("/a\nInjected: yes")),
            ask(
                1,
                Probe::Throughput {
                    to: four,
                    port: 80,
                    bytes: (1 << 30) + 1,
                },
            ),
            ask(
                1,
                Probe::Throughput {
                    to: four,
                    port: 0,
                    bytes: 1,
                },
            ),
        ] {
            assert_eq!(wrong.unwrap_err().kind, ErrorKind::Invalid);
        }
    }
}
