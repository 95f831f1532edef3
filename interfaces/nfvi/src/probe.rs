//! Probes: what a packet sees. A lab needs to show that what shall connect does and what shall not does not, from the inside of
//! a machine or of a physical function. Machines answer probes only if their image runs the guest channel (the image that the
//! project builds does): a second serial port, on which one line asks and a few lines answer.

use crate::ObjectId;
use manifold_call::Subject;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use utoipa::ToSchema;

/// Sends packets from somewhere to somewhere and tells what came back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProbeAsk {
    /// A node or a machine.
    pub from: ObjectId,
    /// What is sent.
    pub probe: Probe,
    /// In milliseconds, at most 60,000: when nothing has come back by then, nothing does.
    pub limit_ms: u32,
}

/// What is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", tag = "probe")]
pub enum Probe {
    /// ICMP echo, until one is answered or the limit is reached.
    Ping {
        /// To whom.
        #[schema(value_type = String)]
        to: IpAddr,
        /// Claims this source address instead of its own: a spoofed packet.
        #[schema(value_type = Option<String>)]
        source: Option<IpAddr>,
        /// Of ICMP payload, with "do not fragment" set; `None` = 56.
        payload_bytes: Option<u32>,
    },
    /// The same, as though the target were a neighbour on the first interface: the question goes out on the wire even where no
    /// route leads there. What shall not be reached is asked for like this, so that silence means a closed network and not an
    /// empty routing table.
    PingOnLink {
        /// To whom.
        #[schema(value_type = String)]
        to: IpAddr,
    },
    /// An HTTP GET of `http://to:port/path`.
    Http {
        /// To whom.
        #[schema(value_type = String)]
        to: IpAddr,
        /// TCP port.
        port: u16,
        /// Begins with `/`.
        path: String,
    },
    /// Takes this many bytes over HTTP and tells the rate.
    Throughput {
        /// To whom; asks for `/bytes/N`.
        #[schema(value_type = String)]
        to: IpAddr,
        /// TCP port.
        port: u16,
        /// How many, at most 1 GiB.
        bytes: u64,
    },
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", tag = "outcome")]
pub enum ProbeSeen {
    /// An answer.
    Answered {
        /// From the first byte sent to the answer, in microseconds.
        after_us: u64,
        /// HTTP: the body's first 1,024 bytes. Empty for a ping.
        body: String,
        /// Throughput: payload bits per second.
        bits_per_second: Option<u64>,
    },
    /// Nothing within the limit.
    Silent,
    /// A packet larger than the path: the MTU that was reported, where it was.
    TooBig {
        /// In bytes.
        mtu_bytes: Option<u32>,
    },
    /// Refused at once: a reset, "unreachable", or the kernel would not send it.
    Refused {
        /// In the words of whoever refused.
        why: String,
    },
}

impl Subject for ProbeAsk {
    fn subject(&self) -> String {
        self.from.to_string()
    }
}
