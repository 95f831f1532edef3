//! What a client may ask for at once: sizes, times, numbers.

use crate::problem::Problem;
use axum::http::StatusCode;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The bounds of a server. The defaults fit an operator's control plane on two cores.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Of a JSON body; SOL documents are kilobytes, a large NS request is tens of them.
    pub json_bytes: usize,
    /// Of an uploaded package: images of several gigabytes are usual.
    pub upload_bytes: u64,
    /// How long an upload may stand still.
    pub upload_idle: Duration,
    /// Of a URI; filters are the longest part of it.
    pub uri_bytes: usize,
    /// Requests that are being answered; the next one is told to come later.
    pub in_flight: usize,
    /// From the end of the header to the beginning of the answer.
    pub request: Duration,
    /// The same, for routes that take uploads or wait for changes.
    pub slow_request: Duration,
    /// Per client: requests per second in the long run.
    pub rate_per_second: u32,
    /// Per client: requests in one go.
    pub burst: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            json_bytes: 1024 * 1024,
            upload_bytes: 16 * 1024 * 1024 * 1024,
            upload_idle: Duration::from_secs(30),
            uri_bytes: 8 * 1024,
            in_flight: 512,
            request: Duration::from_secs(30),
            slow_request: Duration::from_secs(3_600),
            rate_per_second: 500,
            burst: 1_000,
        }
    }
}

/// How long the route that was chosen may take: an extension of its requests.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RouteLimit(pub(crate) Duration);

/// How many clients a limiter tells apart; more than that share what is left by the one that was quiet longest.
const BUCKETS_MAX: usize = 10_000;

/// A token bucket for each key.
#[derive(Debug)]
pub struct RateLimiter {
    per_second: f64,
    burst: f64,
    buckets: Mutex<HashMap<String, Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl RateLimiter {
    /// `burst` in one go, `per_second` in the long run.
    pub fn new(per_second: f64, burst: u32) -> Self {
        Self {
            per_second,
            burst: f64::from(burst),
            buckets: Mutex::default(),
        }
    }

    /// Takes one, or answers 429 with the time at which there is one again.
    pub fn take(&self, key: &str) -> Result<(), Problem> {
        self.draw(key, 1.0)
    }

    /// 429 if there is none to take; takes none.
    pub fn check(&self, key: &str) -> Result<(), Problem> {
        self.draw(key, 0.0)
    }

    fn draw(&self, key: &str, amount: f64) -> Result<(), Problem> {
        let now = Instant::now();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= BUCKETS_MAX && !buckets.contains_key(key) {
            let (per_second, burst) = (self.per_second, self.burst);
            // Full buckets say nothing that a new one would not say.
            buckets.retain(|_, bucket| bucket.tokens + elapsed(bucket, now) * per_second < burst);
            if buckets.len() >= BUCKETS_MAX {
                let oldest = buckets
                    .iter()
                    .min_by_key(|(_, bucket)| bucket.at)
                    .map(|(key, _)| key.clone());
                if let Some(oldest) = oldest {
                    buckets.remove(&oldest);
                }
            }
        }
        let bucket = buckets.entry(key.to_owned()).or_insert(Bucket {
            tokens: self.burst,
            at: now,
        });
        bucket.tokens = (bucket.tokens + elapsed(bucket, now) * self.per_second).min(self.burst);
        bucket.at = now;
        if bucket.tokens >= 1.0 {
            bucket.tokens -= amount;
            return Ok(());
        }
        let wait_s = ((1.0 - bucket.tokens) / self.per_second).ceil().clamp(1.0, 3_600.0);
        Err(
            Problem::new(StatusCode::TOO_MANY_REQUESTS, "too many requests from this client")
                .cure(format!("wait {wait_s} s"))
                .retry_after(wait_s as u32),
        )
    }
}

fn elapsed(bucket: &Bucket, now: Instant) -> f64 {
    now.saturating_duration_since(bucket.at).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_allowed_then_refused_with_the_time_to_come_back_and_others_are_not_touched() {
        let limiter = RateLimiter::new(0.001, 3);
        for _ in 0..3 {
            limiter.take("a").unwrap();
        }
        let refused = limiter.take("a").unwrap_err();
        assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
        limiter.take("b").unwrap();
    }

    #[test]
    fn the_number_of_remembered_clients_is_bounded() {
        let limiter = RateLimiter::new(0.001, 3);
        for number in 0..BUCKETS_MAX + 50 {
            limiter.take(&number.to_string()).unwrap();
        }
        assert!(limiter.buckets.lock().unwrap().len() <= BUCKETS_MAX);
    }
}
