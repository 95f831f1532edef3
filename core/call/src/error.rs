use serde::{Deserialize, Serialize};
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use utoipa::ToSchema;

/// What kind of failure a call ended in: what a caller decides on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ErrorKind {
    /// The request contradicts itself, its types or its descriptor.
    Invalid,
    /// Nobody has shown who is asking.
    Unauthenticated,
    /// The asking role or tenant may not do this.
    Forbidden,
    /// There is no such object (for this tenant).
    NotFound,
    /// The object's state does not allow it now.
    Conflict,
    /// The object is busy with another operation; the same request may succeed later.
    Busy,
    /// The object changed since the caller read it.
    Stale,
    /// Something that is counted has run out: capacity, addresses, identifiers, quota.
    Exhausted,
    /// The operation, or this form of it, is not offered for this object.
    Unsupported,
    /// The producer cannot be reached or is overloaded now.
    Unavailable,
    /// No answer in time. The effect may have happened.
    TimedOut,
    /// A fault of ours.
    Internal,
}

impl ErrorKind {
    /// Whether the same call may succeed when it is simply repeated later.
    pub fn retryable(self) -> bool {
        match self {
            ErrorKind::Busy | ErrorKind::Stale | ErrorKind::Unavailable | ErrorKind::TimedOut => true,
            ErrorKind::Invalid
            | ErrorKind::Unauthenticated
            | ErrorKind::Forbidden
            | ErrorKind::NotFound
            | ErrorKind::Conflict
            | ErrorKind::Exhausted
            | ErrorKind::Unsupported
            | ErrorKind::Internal => false,
        }
    }

    /// The HTTP status of an answer of this kind: the one place where kinds become statuses. An occurrence that failed names the
    /// one that a request would have had (GS NFV-SOL 013 6.3). `core/http` has the table of what each tells a client.
    pub fn status(self) -> u16 {
        match self {
            ErrorKind::Invalid => 422,
            ErrorKind::Unauthenticated => 401,
            ErrorKind::Forbidden => 403,
            ErrorKind::NotFound | ErrorKind::Unsupported => 404,
            ErrorKind::Conflict | ErrorKind::Busy | ErrorKind::Exhausted => 409,
            ErrorKind::Stale => 412,
            ErrorKind::Internal => 500,
            ErrorKind::Unavailable => 503,
            ErrorKind::TimedOut => 504,
        }
    }

    /// The kind in a few words, for people: the title of a ProblemDetails.
    pub fn title(self) -> &'static str {
        match self {
            ErrorKind::Invalid => "Invalid request",
            ErrorKind::Unauthenticated => "Not authenticated",
            ErrorKind::Forbidden => "Not permitted",
            ErrorKind::NotFound => "Not found",
            ErrorKind::Conflict => "State conflict",
            ErrorKind::Busy => "Busy with another operation",
            ErrorKind::Stale => "Changed in between",
            ErrorKind::Exhausted => "Capacity exhausted",
            ErrorKind::Unsupported => "Not supported for this resource",
            ErrorKind::Unavailable => "Not available now",
            ErrorKind::TimedOut => "No answer in time",
            ErrorKind::Internal => "Internal error",
        }
    }
}

/// Why a call over a reference point failed. What stands in `detail` and `cure` is for the user and crosses the wire; the
/// source is for the log and does not.
#[derive(Clone, Serialize, Deserialize)]
pub struct CallError {
    /// What a program decides on.
    pub kind: ErrorKind,
    /// What was refused, about which object: one sentence.
    pub detail: String,
    /// What to do next, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cure: Option<String>,
    #[serde(skip)]
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// The result of a call over a reference point.
pub type Outcome<T> = Result<T, CallError>;

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident => $kind:ident;)*) => {$(
        $(#[$doc])*
        pub fn $name(detail: impl Into<String>) -> Self {
            Self { kind: ErrorKind::$kind, detail: detail.into(), cure: None, source: None }
        }
    )*};
}

impl CallError {
    constructors! {
        /// The request is wrong in itself.
        invalid => Invalid;
        /// Nobody has shown who is asking.
        unauthenticated => Unauthenticated;
        /// The role or tenant may not do this.
        forbidden => Forbidden;
        /// No such object.
        not_found => NotFound;
        /// The object's state does not allow it.
        conflict => Conflict;
        /// Another operation holds the object.
        busy => Busy;
        /// The object changed in between.
        stale => Stale;
        /// Something has run out.
        exhausted => Exhausted;
        /// Not offered.
        unsupported => Unsupported;
        /// Not reachable now.
        unavailable => Unavailable;
        /// No answer in time.
        timed_out => TimedOut;
        /// A fault of ours.
        internal => Internal;
    }

    /// Adds what the user can do about it.
    pub fn cure(mut self, cure: impl Into<String>) -> Self {
        self.cure = Some(cure.into());
        self
    }

    /// Adds what the log should say below it.
    pub fn caused_by(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// See [`ErrorKind::retryable`].
    pub fn retryable(&self) -> bool {
        self.kind.retryable()
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)?;
        match &self.cure {
            Some(cure) => write!(f, " ({cure})"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self)?;
        let mut next = self.source();
        while let Some(source) = next {
            write!(f, ": {source}")?;
            next = source.source();
        }
        Ok(())
    }
}

impl StdError for CallError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

impl PartialEq for CallError {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && self.detail == other.detail && self.cure == other.cure
    }
}
