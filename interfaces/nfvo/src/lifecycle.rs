use manifold_call::{OccurrenceId, Subject, interface, uuid_id};
use manifold_sol::{
    CancelModeType, CreateNsRequest, HealNsRequest, InstantiateNsRequest, NsInstance, NsLcmOpOcc, ScaleNsRequest,
    TerminateNsRequest, UpdateNsRequest,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

uuid_id! {
    /// An NS instance.
    pub NsInstanceId
}

interface! {
    /// NS lifecycle management (IFA 013 7.3, SOL005 6). Producer: NFVO.
    pub trait NsLifecycleManagement as BoundNsLifecycleManagement by Nfvo {
        /// Makes an instance, NOT_INSTANTIATED, without resources.
        async fn create(ask: NewNs) -> NsInstance;
        /// Gives it constituents. Errors: `Conflict` (already INSTANTIATED), `Busy`, `Invalid` (all faults at once).
        async fn instantiate(ask: OnNs<InstantiateNsRequest>) -> OccurrenceId;
        /// Scales VNFs in it.
        async fn scale(ask: OnNs<ScaleNsRequest>) -> OccurrenceId;
        /// Changes what it consists of: all of it or nothing. What fails before the first removal is rolled back; what fails after it
        /// waits to be retried. Errors: `Conflict` (NOT_INSTANTIATED), `Busy`, `Unsupported` (update types; names those that are
        /// offered), `Invalid` (all faults at once).
        async fn update(ask: OnNs<UpdateNsRequest>) -> OccurrenceId;
        /// Heals it, or VNFs in it.
        async fn heal(ask: OnNs<HealNsRequest>) -> OccurrenceId;
        /// Takes everything away that was made for it.
        async fn terminate(ask: OnNs<TerminateNsRequest>) -> OccurrenceId;
        /// Forgets an instance without resources.
        async fn delete(id: NsInstanceId) -> ();
        /// All of the tenant's.
        async fn query(ask: ()) -> Vec<NsInstance>;
        /// One.
        async fn find(id: NsInstanceId) -> NsInstance;
        /// All of the tenant's operation occurrences.
        async fn query_operations(ask: ()) -> Vec<NsLcmOpOcc>;
        /// One.
        async fn find_operation(id: OccurrenceId) -> NsLcmOpOcc;
        /// FAILED_TEMP: goes on where it stopped.
        async fn retry(id: OccurrenceId) -> ();
        /// FAILED_TEMP: undoes what was done. `Unsupported` for operations that cannot be undone.
        async fn rollback(id: OccurrenceId) -> ();
        /// FAILED_TEMP: accepts the failures and finishes the rest.
        async fn continue_operation(id: OccurrenceId) -> ();
        /// FAILED_TEMP: gives up; what was made stays and can be terminated.
        async fn fail(id: OccurrenceId) -> NsLcmOpOcc;
        /// PROCESSING, ROLLING_BACK: stops it.
        async fn cancel(ask: CancelNsOperation) -> ();
        /// Steps of an operation, with their states and times, for progress displays (ours).
        async fn progress(id: OccurrenceId) -> Progress;
        /// What an update would change; nothing is (ours). Errors: those of the update itself, but for `Busy`.
        async fn plan_update(ask: OnNs<UpdateNsRequest>) -> crate::Changes;
        /// An NS as a graph (ours).
        async fn topology(id: NsInstanceId) -> crate::NsTopology;
    }
}

/// A request to make an NS instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NewNs(pub CreateNsRequest);

impl Subject for NewNs {
    fn subject(&self) -> String {
        self.0.ns_name.clone()
    }
}

/// A request about an NS instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OnNs<T> {
    /// Which.
    pub ns_instance_id: NsInstanceId,
    /// What.
    pub request: T,
}

impl<T> Subject for OnNs<T> {
    fn subject(&self) -> String {
        self.ns_instance_id.to_string()
    }
}

/// A cancel task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CancelNsOperation {
    /// Which.
    pub operation: OccurrenceId,
    /// How.
    pub mode: CancelModeType,
}

impl Subject for CancelNsOperation {
    fn subject(&self) -> String {
        self.operation.to_string()
    }
}

/// How far an operation is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// State of the occurrence, as on the wire.
    pub state: String,
    /// In the order of the plan.
    pub steps: Vec<StepProgress>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StepProgress {
    /// Its name in the plan.
    pub name: String,
    /// `PENDING`, `RUNNING`, `WAITING`, `DONE`, `FAILED`, `UNDOING`, `UNDONE`.
    pub state: String,
    /// How long it ran or has been running, in milliseconds.
    pub duration_ms: u64,
    /// How often it was tried.
    pub attempts: u32,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}
