use super::{NfvoClient, body};
use async_trait::async_trait;
use manifold_call::{CallError, Context, OccurrenceId, Outcome};
use manifold_nfvo_interface::{
    CancelNsOperation, Changes, NewNs, NsInstanceId, NsLifecycleManagement, NsTopology, OnNs, Progress,
};
use manifold_sol::{
    CancelMode, HealNsRequest, InstantiateNsRequest, NsInstance, NsLcmOpOcc, ScaleNsRequest, TerminateNsRequest,
    UpdateNsRequest,
};
use serde::Serialize;
use serde_json::Value;

impl NfvoClient {
    async fn start(
        &self,
        cx: &Context,
        ns: NsInstanceId,
        task: &str,
        request: &impl Serialize,
    ) -> Outcome<OccurrenceId> {
        let reply = self
            .nslcm
            .post::<Value>(cx, &["ns_instances", &ns.to_string(), task], request)
            .await?;
        reply
            .location_id()
            .and_then(|id| id.parse().ok())
            .ok_or_else(|| CallError::internal("the NFVO accepted the task but named no occurrence"))
    }

    async fn task(&self, cx: &Context, id: OccurrenceId, task: &str) -> Outcome<()> {
        self.nslcm
            .post_empty::<Value>(cx, &["ns_lcm_op_occs", &id.to_string(), task])
            .await?;
        Ok(())
    }
}

#[async_trait]
impl NsLifecycleManagement for NfvoClient {
    async fn create(&self, cx: &Context, ask: NewNs) -> Outcome<NsInstance> {
        body(self.nslcm.post(cx, &["ns_instances"], &ask.0).await?)
    }
    async fn instantiate(&self, cx: &Context, ask: OnNs<InstantiateNsRequest>) -> Outcome<OccurrenceId> {
        self.start(cx, ask.ns_instance_id, "instantiate", &ask.request).await
    }
    async fn scale(&self, cx: &Context, ask: OnNs<ScaleNsRequest>) -> Outcome<OccurrenceId> {
        self.start(cx, ask.ns_instance_id, "scale", &ask.request).await
    }
    async fn update(&self, cx: &Context, ask: OnNs<UpdateNsRequest>) -> Outcome<OccurrenceId> {
        self.start(cx, ask.ns_instance_id, "update", &ask.request).await
    }
    async fn heal(&self, cx: &Context, ask: OnNs<HealNsRequest>) -> Outcome<OccurrenceId> {
        self.start(cx, ask.ns_instance_id, "heal", &ask.request).await
    }
    async fn terminate(&self, cx: &Context, ask: OnNs<TerminateNsRequest>) -> Outcome<OccurrenceId> {
        self.start(cx, ask.ns_instance_id, "terminate", &ask.request).await
    }
    async fn delete(&self, cx: &Context, id: NsInstanceId) -> Outcome<()> {
        self.nslcm.delete(cx, &["ns_instances", &id.to_string()], None).await
    }
    async fn query(&self, cx: &Context, (): ()) -> Outcome<Vec<NsInstance>> {
        self.nslcm.list(cx, &["ns_instances"], &[("all_fields", "")]).await
    }
    async fn find(&self, cx: &Context, id: NsInstanceId) -> Outcome<NsInstance> {
        self.nslcm.get(cx, &["ns_instances", &id.to_string()]).await
    }
    async fn query_operations(&self, cx: &Context, (): ()) -> Outcome<Vec<NsLcmOpOcc>> {
        self.nslcm.list(cx, &["ns_lcm_op_occs"], &[("all_fields", "")]).await
    }
    async fn find_operation(&self, cx: &Context, id: OccurrenceId) -> Outcome<NsLcmOpOcc> {
        self.nslcm.get(cx, &["ns_lcm_op_occs", &id.to_string()]).await
    }
    async fn retry(&self, cx: &Context, id: OccurrenceId) -> Outcome<()> {
        self.task(cx, id, "retry").await
    }
    async fn rollback(&self, cx: &Context, id: OccurrenceId) -> Outcome<()> {
        self.task(cx, id, "rollback").await
    }
    async fn continue_operation(&self, cx: &Context, id: OccurrenceId) -> Outcome<()> {
        self.task(cx, id, "continue").await
    }
    async fn fail(&self, cx: &Context, id: OccurrenceId) -> Outcome<NsLcmOpOcc> {
        body(
            self.nslcm
                .post_empty(cx, &["ns_lcm_op_occs", &id.to_string(), "fail"])
                .await?,
        )
    }
    async fn cancel(&self, cx: &Context, ask: CancelNsOperation) -> Outcome<()> {
        let mode = CancelMode { cancel_mode: ask.mode };
        self.nslcm
            .post::<Value>(cx, &["ns_lcm_op_occs", &ask.operation.to_string(), "cancel"], &mode)
            .await?;
        Ok(())
    }
    async fn progress(&self, cx: &Context, id: OccurrenceId) -> Outcome<Progress> {
        self.ours
            .get(cx, &["ns_lcm_op_occs", &id.to_string(), "progress"])
            .await
    }
    async fn plan_update(&self, cx: &Context, ask: OnNs<UpdateNsRequest>) -> Outcome<Changes> {
        let path = ["ns_instances", &ask.ns_instance_id.to_string(), "update_plan"];
        body(self.ours.post(cx, &path, &ask.request).await?)
    }
    async fn topology(&self, cx: &Context, id: NsInstanceId) -> Outcome<NsTopology> {
        self.ours.get(cx, &["ns_instances", &id.to_string(), "topology"]).await
    }
}
