use crate::{OccurrenceId, TenantId};
use serde::{Deserialize, Serialize};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use uuid::Uuid;

/// When a call must have been answered: wall-clock milliseconds since 1970, so that it survives a wire and a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Deadline(u64);

impl Deadline {
    /// This long from now.
    pub fn within(limit: Duration) -> Self {
        Self(now_ms().saturating_add(u64::try_from(limit.as_millis()).unwrap_or(u64::MAX)))
    }

    /// What is left; zero when it has passed.
    pub fn remaining(self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(now_ms()))
    }

    /// The earlier of the two: an inner deadline never outlives the outer one.
    pub fn earlier(self, other: Deadline) -> Deadline {
        self.min(other)
    }
}

fn now_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// The same key again means the same wish again: the producer answers with its first result and makes nothing new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IdempotencyKey(pub Uuid);

/// Where a call stands in the tree of calls that one request of a user set off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceParent {
    /// The whole tree.
    pub trace: Uuid,
    /// The call that this one is made for; `None` at the root.
    pub parent: Option<Uuid>,
}

impl TraceParent {
    /// A new tree.
    pub fn root() -> Self {
        Self {
            trace: Uuid::now_v7(),
            parent: None,
        }
    }
}

/// What goes along with every call over a reference point. It carries no authority: that is in the handle (see [`crate::Gate`]).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Context {
    /// On whose behalf.
    pub tenant: TenantId,
    /// The lifecycle operation that asks, if one does.
    pub occurrence: Option<OccurrenceId>,
    /// Names the wish, so that a repeated call is the same call.
    pub idempotency_key: Option<IdempotencyKey>,
    /// When the answer has lost its value.
    pub deadline: Deadline,
    /// The caller's place in the trace.
    pub trace: TraceParent,
}

impl Context {
    /// How long a call may take when nobody said otherwise: longer than the slowest single resource (a machine's boot is not
    /// waited for inside a call), shorter than a person's patience.
    pub const DEFAULT_LIMIT: Duration = Duration::from_secs(30);

    /// For a request from outside: a new trace, the default deadline.
    pub fn root(tenant: TenantId) -> Self {
        Self {
            tenant,
            occurrence: None,
            idempotency_key: None,
            deadline: Deadline::within(Self::DEFAULT_LIMIT),
            trace: TraceParent::root(),
        }
    }

    /// The same, for this wish.
    pub fn with_key(mut self, key: Uuid) -> Self {
        self.idempotency_key = Some(IdempotencyKey(key));
        self
    }

    /// The same, answered within `limit` or not at all; never later than before.
    pub fn within(mut self, limit: Duration) -> Self {
        self.deadline = self.deadline.earlier(Deadline::within(limit));
        self
    }
}
