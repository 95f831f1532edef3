//! What operation occurrences of VNFs and of NSs have in common: why one failed, how one is cancelled.

use crate::wire::{wire, wire_enums};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

wire! {
    /// RFC 7807 with SOL013's obligations: what an occurrence keeps of its failure.
    pub struct ProblemDetails {
        /// Short.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub title: Option<String>,
        /// HTTP status that this would be.
        pub status: u16,
        /// One sentence.
        pub detail: String,
    }
}

wire_enums! {
    /// Graceful or forceful (CancelMode, TerminateVnfRequest.terminationType).
    pub enum CancelModeType {
        /// What has begun ends; nothing new begins.
        Graceful,
        /// What has begun is broken off.
        Forceful,
    }
}

/// The body of a cancel task (SOL003 5.5.2.14, SOL005 6.5.2.16).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CancelMode {
    /// How.
    pub cancel_mode: CancelModeType,
}
