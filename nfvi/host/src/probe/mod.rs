//! Probes: packets sent from inside a node or a machine, and what came back.
//!
//! From a node: our own sockets, opened in its namespace by a thread that ends with the probe. From a machine: a question on its
//! guest channel, answered by the guest's own tools.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod check;
mod fetch;
mod packet;
mod ping;

use crate::Space;
use crate::machine::Machines;
use crate::seams::{ProbeFrom, Prober};
use async_trait::async_trait;
use manifold_call::{CallError, Outcome};
use manifold_nfvi_interface::{Probe, ProbeAsk, ProbeSeen};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, oneshot};

/// Probes from nodes at a time, each a thread: as many as a connectivity matrix of a lab has rows.
const THREADS_MAX: usize = 64;

/// Sends probes from nodes and machines.
pub struct Probes {
    machines: Arc<Machines>,
    threads: Arc<Semaphore>,
}

impl Probes {
    /// With the machines through whose guest channels probes go.
    pub fn new(machines: Arc<Machines>) -> Self {
        Self {
            machines,
            threads: Arc::new(Semaphore::new(THREADS_MAX)),
        }
    }
}

#[async_trait]
impl Prober for Probes {
    async fn probe(&self, ask: &ProbeAsk, from: ProbeFrom) -> Outcome<ProbeSeen> {
        check::check(ask)?;
        let limit = Duration::from_millis(u64::from(ask.limit_ms));
        match from {
            ProbeFrom::Machine(id) => self.machines.probe(id, &ask.probe, limit).await,
            ProbeFrom::Node(space) => {
                let permit = self.threads.clone().acquire_owned().await;
                let _permit = permit.map_err(|_| CallError::unavailable("the agent is ending"))?;
                from_node(&space, ask.probe.clone(), limit).await
            }
        }
    }
}

async fn from_node(space: &Space, probe: Probe, limit: Duration) -> Outcome<ProbeSeen> {
    let gone = || CallError::unavailable("the node's namespace is going away");
    let (tell, told) = oneshot::channel();
    let work = move || {
        // A thread begins in its parent's namespace; the space's own thread must not wait for packets.
        std::thread::Builder::new().name("probe".to_owned()).spawn(move || {
            let until = Instant::now() + limit;
            let seen = match probe {
                Probe::Ping {
                    to,
                    source,
                    payload_bytes,
                } => ping::ping(to, source, payload_bytes, until),
                Probe::PingOnLink { to } => ping::on_link(to, until),
                Probe::Http { to, port, path } => fetch::page((to, port).into(), &path, until),
                Probe::Throughput { to, port, bytes } => fetch::rate((to, port).into(), bytes, until),
            };
            drop(tell.send(seen));
        })
    };
    let started = space.run(work).await.map_err(|error| gone().caused_by(error))?;
    started.map_err(|error| CallError::exhausted("no thread for a probe").caused_by(error))?;
    told.await
        .map_err(|_| gone())?
        .map_err(|error| CallError::internal(format!("the probe could not be sent: {error}")).caused_by(error))
}
