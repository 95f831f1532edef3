//! Compute flavours (IFA 005 7.3.4, information element 8.4.2).

use crate::{Metadata, QueryFilter};
use manifold_call::{Subject, interface, uuid_id};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

uuid_id! {
    /// A compute flavour.
    pub FlavourId
}

interface! {
    /// Compute flavours (IFA 005 7.3.4). Producer: VIM.
    pub trait ComputeFlavours as BoundComputeFlavours by Vim {
        /// Makes one. Errors: `Invalid` (no CPU, less than 64 MiB).
        async fn create(ask: ComputeFlavour) -> FlavourId;
        /// Those that match.
        async fn query(filter: QueryFilter) -> Vec<ComputeFlavour>;
        /// Removes one; machines that were made of it stay as they are. Absent is success.
        async fn delete(id: FlavourId) -> FlavourId;
    }
}

/// A size of machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ComputeFlavour {
    /// Chosen by the VIM from the context's key when absent.
    #[serde(default)]
    pub flavour_id: Option<FlavourId>,
    /// For people.
    pub name: String,
    /// Number of virtual CPUs, 1 to 64.
    pub num_virtual_cpu: u32,
    /// In mebibytes.
    pub virtual_mem_size: u64,
    /// Kept.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub metadata: Metadata,
}

impl Subject for ComputeFlavour {
    fn subject(&self) -> String {
        self.name.clone()
    }
}
