//! A call's [`Context`] over HTTP: what goes along, and how it is read back. None of it carries authority.
//!
//! | header | |
//! |---|---|
//! | `Manifold-Tenant` | on whose behalf; checked against what the client may name |
//! | `Manifold-Occurrence` | the lifecycle operation that asks (UUID) |
//! | `Idempotency-Key` | the wish's name (UUID) |
//! | `Manifold-Deadline-Ms` | what is left of the deadline, so that the clocks need not agree |
//! | `Manifold-Trace` | `trace` or `trace/parent` (UUIDs) |

use crate::problem::Problem;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use manifold_call::{Context, Deadline, IdempotencyKey, OccurrenceId, TenantId, TraceParent, Uuid};
use std::time::Duration;

const TENANT: HeaderName = HeaderName::from_static("manifold-tenant");
const OCCURRENCE: HeaderName = HeaderName::from_static("manifold-occurrence");
const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const DEADLINE: HeaderName = HeaderName::from_static("manifold-deadline-ms");
const TRACE: HeaderName = HeaderName::from_static("manifold-trace");

/// Longest name of a tenant, in bytes: what a label on a kernel object holds.
const TENANT_BYTES_MAX: usize = 40;

/// The headers of a request that is made for this context.
pub fn write(context: &Context, headers: &mut HeaderMap) {
    let mut put = |name: HeaderName, value: String| {
        // UUIDs and numbers always fit; a tenant that does not would be refused by the producer anyway.
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    };
    put(TENANT, context.tenant.to_string());
    if let Some(occurrence) = context.occurrence {
        put(OCCURRENCE, occurrence.0.to_string());
    }
    if let Some(key) = context.idempotency_key {
        put(KEY, key.0.to_string());
    }
    put(DEADLINE, context.deadline.remaining().as_millis().to_string());
    put(
        TRACE,
        match context.trace.parent {
            Some(parent) => format!("{}/{parent}", context.trace.trace),
            None => context.trace.trace.to_string(),
        },
    );
}

/// The context that a request's headers ask for; what is absent is new. `tenant` decides who may be named.
pub fn read(
    headers: &HeaderMap,
    limit: Duration,
    tenant: impl FnOnce(Option<TenantId>) -> Result<TenantId, Problem>,
) -> Result<Context, Problem> {
    let text = |name: &HeaderName| match headers.get(name).map(|value| value.to_str()) {
        None => Ok(None),
        Some(Ok(text)) => Ok(Some(text)),
        Some(Err(_)) => Err(malformed(name)),
    };
    let uuid = |name: &HeaderName, text: &str| Uuid::parse_str(text).map_err(|_| malformed(name));
    let asked = match text(&TENANT)? {
        Some(name) if !tenant_fits(name) => return Err(malformed(&TENANT)),
        other => other.map(TenantId::from),
    };
    let mut context = Context::root(tenant(asked)?);
    context.deadline = Deadline::within(limit);
    context.occurrence = text(&OCCURRENCE)?
        .map(|text| uuid(&OCCURRENCE, text).map(OccurrenceId))
        .transpose()?;
    context.idempotency_key = text(&KEY)?
        .map(|text| uuid(&KEY, text.trim_matches('"')).map(IdempotencyKey))
        .transpose()?;
    if let Some(text) = text(&DEADLINE)? {
        let left = text.parse::<u64>().map_err(|_| malformed(&DEADLINE))?;
        context = context.within(Duration::from_millis(left));
    }
    if let Some(text) = text(&TRACE)? {
        let (trace, parent) = match text.split_once('/') {
            Some((trace, parent)) => (trace, Some(uuid(&TRACE, parent)?)),
            None => (text, None),
        };
        context.trace = TraceParent {
            trace: uuid(&TRACE, trace)?,
            parent,
        };
    }
    Ok(context)
}

fn tenant_fits(name: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || matches!(letter, '_' | '-');
    !name.is_empty() && name.len() <= TENANT_BYTES_MAX && name.chars().all(plain)
}

fn malformed(name: &HeaderName) -> Problem {
    Problem::bad_request(format!("the header {name} is malformed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_survives_its_headers_and_its_deadline_never_grows() {
        let mut context = Context::root("tenant-a".into()).with_key(Uuid::now_v7());
        context.occurrence = Some(OccurrenceId(Uuid::now_v7()));
        context.trace.parent = Some(Uuid::now_v7());
        let mut headers = HeaderMap::new();
        write(&context, &mut headers);
        let back = read(&headers, Duration::from_secs(3_600), |tenant| {
            tenant.ok_or_else(|| Problem::bad_request("no tenant"))
        })
        .unwrap();
        assert_eq!(back.tenant, context.tenant);
        assert_eq!(back.occurrence, context.occurrence);
        assert_eq!(back.idempotency_key, context.idempotency_key);
        assert_eq!(back.trace, context.trace);
        assert!(back.deadline.remaining() <= Context::DEFAULT_LIMIT);
    }

    #[test]
    fn malformed_context_headers_are_refused_by_name() {
        for (name, value) in [
            (TENANT, "Bad Tenant"),
            (TENANT, ""),
            (OCCURRENCE, "7"),
            (KEY, "x"),
            (DEADLINE, "-1"),
            (TRACE, "a/b"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name.clone(), HeaderValue::from_static(value));
            let refused = read(&headers, Duration::from_secs(1), |_| Ok("t".into())).unwrap_err();
            assert!(refused.details.detail.contains(name.as_str()), "{refused:?}");
        }
    }
}
