//! How the store's failures and several faults at once become one error for the caller.

use manifold_call::{CallError, ErrorKind};
use manifold_store::StoreError;

/// A store's failure as the caller sees it: a lost race can be tried again, all else is not the caller's matter.
pub(crate) fn store(error: StoreError) -> CallError {
    match error.conflict() {
        Some(conflict) => CallError::stale(conflict.to_string()),
        None => CallError::unavailable("the store did not answer").caused_by(error),
    }
}

/// Everything that is wrong with a request, gathered before anything is refused.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Faults {
    found: Vec<CallError>,
}

impl Faults {
    pub(crate) fn invalid(&mut self, detail: impl Into<String>) {
        self.push(CallError::invalid(detail));
    }

    pub(crate) fn push(&mut self, fault: CallError) {
        if !self.found.contains(&fault) {
            self.found.push(fault);
        }
    }

    /// Nothing, or one error that tells all. Its kind is that of the faults if they agree, else that the request is invalid.
    pub(crate) fn check(self) -> Result<(), CallError> {
        let mut faults = self.found.into_iter();
        let Some(first) = faults.next() else { return Ok(()) };
        let Some(second) = faults.next() else { return Err(first) };
        let all: Vec<CallError> = [first, second].into_iter().chain(faults).collect();
        let kind = if all.iter().all(|fault| fault.kind == all[0].kind) {
            all[0].kind
        } else {
            ErrorKind::Invalid
        };
        let lines: Vec<String> = all.iter().map(ToString::to_string).collect();
        let mut error = CallError::invalid(format!("{} faults: {}", lines.len(), lines.join("; ")));
        error.kind = kind;
        Err(error)
    }
}
