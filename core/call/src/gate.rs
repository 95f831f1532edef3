use crate::{CallError, Context, ErrorKind, Outcome, Policy, Role, TraceParent, TraceRecord, Tracer};
use std::future::Future;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use uuid::Uuid;

/// Stands between a consumer and a producer: authorises by the consumer's role, passes on, traces. The role is fixed when the
/// handle is made, by composition or by the wire from an authenticated token.
#[derive(Clone)]
pub struct Gate {
    consumer: Role,
    producer: Role,
    producer_name: Arc<str>,
    policy: Arc<Policy>,
    tracer: Tracer,
}

impl Gate {
    /// For calls of `consumer` to `producer`, of which `producer_name` tells one from others of its role.
    pub fn new(consumer: Role, producer: Role, producer_name: &str, policy: Arc<Policy>, tracer: Tracer) -> Self {
        Self {
            consumer,
            producer,
            producer_name: producer_name.into(),
            policy,
            tracer,
        }
    }

    /// Who calls through this gate.
    pub fn consumer(&self) -> Role {
        self.consumer
    }

    /// Authorises, then runs `call` with a context one level down in the trace, then records it. A call that outlives its
    /// deadline is dropped and ends as [`ErrorKind::TimedOut`].
    pub async fn pass<T, F, Fut>(
        &self,
        cx: &Context,
        interface: &'static str,
        operation: &'static str,
        subject: String,
        call: F,
    ) -> Outcome<T>
    where
        F: FnOnce(Context) -> Fut,
        Fut: Future<Output = Outcome<T>>,
    {
        let id = Uuid::now_v7();
        let sequence = self.tracer.next_sequence();
        let start_us = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| u64::try_from(since.as_micros()).unwrap_or(u64::MAX));
        let started = Instant::now();
        let row = self.policy.row(self.consumer, self.producer, interface, operation);
        let outcome = match row {
            None => Err(CallError::forbidden(format!(
                "{} may not call {interface}.{operation} of the {}",
                self.consumer, self.producer
            ))),
            // Nobody waits for the answer any more: better no effect than one that nobody learns of.
            Some(_) if cx.deadline.remaining().is_zero() => Err(CallError::timed_out(format!(
                "the time for {interface}.{operation} was over before it began"
            ))),
            Some(_) => {
                let mut inner = cx.clone();
                inner.trace = TraceParent {
                    trace: cx.trace.trace,
                    parent: Some(id),
                };
                match tokio::time::timeout(cx.deadline.remaining(), call(inner)).await {
                    Ok(outcome) => outcome,
                    Err(_) => Err(CallError::timed_out(format!(
                        "the {} did not answer {interface}.{operation} in time",
                        self.producer
                    ))),
                }
            }
        };
        self.tracer.record(TraceRecord {
            trace: cx.trace.trace,
            call: id,
            parent: cx.trace.parent,
            occurrence: cx.occurrence,
            consumer: self.consumer,
            producer: self.producer,
            producer_name: self.producer_name.to_string(),
            reference_point: row.map_or_else(|| "none".to_owned(), |row| row.reference_point.to_owned()),
            interface: interface.to_owned(),
            operation: operation.to_owned(),
            subject,
            sequence,
            start_us,
            duration_us: u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
            failure: outcome
                .as_ref()
                .err()
                .map(|error: &CallError| -> ErrorKind { error.kind }),
        });
        outcome
    }
}
