//! Or-Vnfm, the VNFM's side (GS NFV 006 5.4.3, GS NFV-IFA 007 7.2, SOL003 5): the lifecycle of VNF instances. Producer: VNFM.
//!
//! ```text
//!   VNF instance ──(one at a time)──> operation occurrence
//!        │                                  STARTING → PROCESSING → COMPLETED, or FAILED_TEMP → retry | rollback | fail
//!        └─< VNFC instance, internal link, external connection point
//! ```
//!
//! A lifecycle operation answers with the identifier of its occurrence as soon as that is journaled; how it went is told by the
//! occurrence, and by notifications to those who subscribed. The same idempotency key again answers with the same occurrence.

use manifold_call::{OccurrenceId, Subject, interface, uuid_id};
use manifold_sol::{
    CancelModeType, ChangeExtVnfConnectivityRequest, CreateVnfRequest, HealVnfRequest, InstantiateVnfRequest,
    ScaleVnfRequest, TerminateVnfRequest, VnfInstance, VnfLcmOpOcc,
};
use serde::{Deserialize, Serialize};

uuid_id! {
    /// A VNF instance.
    pub VnfInstanceId
}

interface! {
    /// VNF lifecycle management (IFA 007 7.2, SOL003 5.4). Producer: VNFM.
    pub trait VnfLifecycleManagement as BoundVnfLifecycleManagement by Vnfm {
        /// Makes an instance, NOT_INSTANTIATED, without resources. Errors: `Invalid` (no such descriptor, or not enabled).
        async fn create(ask: NewVnf) -> VnfInstance;
        /// Gives it resources. Errors: `Conflict` (already INSTANTIATED), `Busy` (another operation runs; names it), `Invalid`
        /// (flavour, level, connection points: all faults at once).
        async fn instantiate(ask: Ask<InstantiateVnfRequest>) -> OccurrenceId;
        /// More or fewer VNFC instances, along an aspect. Errors as above; `Invalid` beyond the aspect's levels.
        async fn scale(ask: Ask<ScaleVnfRequest>) -> OccurrenceId;
        /// Makes VNFC instances anew that are not well, with their addresses.
        async fn heal(ask: Ask<HealVnfRequest>) -> OccurrenceId;
        /// Moves external connection points to other networks. A VNFC instance with such a connection point gets a new machine: its
        /// identity, name, other ports and addresses stay; what it held in memory and on its disk does not. VNFC instances without
        /// one are not touched. Errors: `Conflict` (NOT_INSTANTIATED), `Busy`, `Invalid` (all faults at once).
        async fn change_ext_conn(ask: Ask<ChangeExtVnfConnectivityRequest>) -> OccurrenceId;
        /// Takes its resources away. Errors: `Conflict` (NOT_INSTANTIATED), `Busy`.
        async fn terminate(ask: Ask<TerminateVnfRequest>) -> OccurrenceId;
        /// Forgets an instance without resources. Errors: `Conflict` (INSTANTIATED), `Busy`.
        async fn delete(id: VnfInstanceId) -> ();
        /// All of the tenant's instances.
        async fn query(ask: ()) -> Vec<VnfInstance>;
        /// One.
        async fn find(id: VnfInstanceId) -> VnfInstance;
        /// All of the tenant's operation occurrences.
        async fn query_operations(ask: ()) -> Vec<VnfLcmOpOcc>;
        /// One.
        async fn find_operation(id: OccurrenceId) -> VnfLcmOpOcc;
        /// FAILED_TEMP: goes on where it stopped. Errors: `Conflict` in any other state.
        async fn retry(id: OccurrenceId) -> ();
        /// FAILED_TEMP: undoes what was done. Errors: `Conflict`; `Unsupported` for operations that cannot be undone.
        async fn rollback(id: OccurrenceId) -> ();
        /// FAILED_TEMP: gives up; what was made stays and can be terminated.
        async fn fail(id: OccurrenceId) -> VnfLcmOpOcc;
        /// STARTING, PROCESSING, ROLLING_BACK: stops it.
        async fn cancel(ask: CancelOperation) -> ();
    }
}

/// A request to make a VNF instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NewVnf(pub CreateVnfRequest);

impl Subject for NewVnf {
    fn subject(&self) -> String {
        self.0
            .vnf_instance_name
            .clone()
            .unwrap_or_else(|| self.0.vnfd_id.clone())
    }
}

/// A request about a VNF instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ask<T> {
    /// Which.
    pub vnf_instance_id: VnfInstanceId,
    /// What.
    pub request: T,
}

impl<T> Subject for Ask<T> {
    fn subject(&self) -> String {
        self.vnf_instance_id.to_string()
    }
}

/// A cancel task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CancelOperation {
    /// Which.
    pub operation: OccurrenceId,
    /// How.
    pub mode: CancelModeType,
}

impl Subject for CancelOperation {
    fn subject(&self) -> String {
        self.operation.to_string()
    }
}

/// Told to subscribers when an occurrence changes its state (SOL003 5.5.2.17 VnfLcmOperationOccurrenceNotification).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VnfLcmNotification {
    /// Of which VNF.
    pub vnf_instance_id: VnfInstanceId,
    /// The occurrence, as `find_operation` would tell it.
    pub vnf_lcm_op_occ_id: OccurrenceId,
}

/// The lifecycle engine's event that a step waits for until an occurrence of the VNFM comes to rest; the dispatcher of
/// notifications signals it.
pub fn operation_event(id: OccurrenceId) -> String {
    format!("vnf-lcm-op-occ:{id}")
}
