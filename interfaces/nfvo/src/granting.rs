use manifold_call::{Subject, interface};
use manifold_sol::{Grant, GrantRequest};
use serde::{Deserialize, Serialize};

interface! {
    /// VNF lifecycle operation granting (IFA 007 6.3, SOL003 9). Producer: NFVO.
    pub trait VnfLifecycleOperationGranting as BoundVnfLifecycleOperationGranting by Nfvo {
        /// May the operation use these resources, and where? Sees to it that flavours and images are at the managers that the
        /// grant names. Errors: `Forbidden` (not granted: says why, host by host where nothing fits).
        async fn grant(ask: GrantAsk) -> Grant;
    }
}

/// A grant request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GrantAsk(pub GrantRequest);

impl Subject for GrantAsk {
    fn subject(&self) -> String {
        self.0.vnf_instance_id.clone()
    }
}
