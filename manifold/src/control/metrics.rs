//! What `/metrics` tells beside HTTP: the lifecycle engine's counters and the trace's losses.

use manifold_call::Tracer;
use manifold_lcm::Engine;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use std::fmt;
use std::sync::atomic::Ordering;

/// Reads the counters when it is asked.
pub struct Counters {
    /// The engine.
    pub engine: Engine,
    /// The tracer.
    pub tracer: Tracer,
}

impl fmt::Debug for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Counters")
    }
}

impl Collector for Counters {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let engine = self.engine.metrics();
        let all = [
            (
                "lcm_started",
                "Lifecycle operations begun",
                engine.started_total.load(Ordering::Relaxed),
            ),
            (
                "lcm_ended",
                "Lifecycle operations that came to a final state",
                engine.ended_total.load(Ordering::Relaxed),
            ),
            (
                "lcm_held",
                "Times that an operation went to FAILED_TEMP",
                engine.held_total.load(Ordering::Relaxed),
            ),
            ("lcm_steps", "Steps begun", engine.steps_total.load(Ordering::Relaxed)),
            (
                "lcm_repeats",
                "Attempts repeated after a passing failure",
                engine.repeats_total.load(Ordering::Relaxed),
            ),
            (
                "lcm_commits",
                "Commits of the journal",
                engine.commits_total.load(Ordering::Relaxed),
            ),
            (
                "lcm_full",
                "Operations refused because the engine was full",
                engine.full_total.load(Ordering::Relaxed),
            ),
            (
                "lcm_missed_signals",
                "Waits that were over without a notification",
                engine.missed_signals_total.load(Ordering::Relaxed),
            ),
            (
                "trace_lost",
                "Reference-point calls whose record found the queue full",
                self.tracer.lost(),
            ),
        ];
        for (name, help, value) in all {
            let counter = ConstCounter::new(value);
            let name = format!("manifold_{name}");
            let metric = encoder.encode_descriptor(&name, help, None, counter.metric_type())?;
            counter.encode(metric)?;
        }
        Ok(())
    }
}
