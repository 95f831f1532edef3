use super::{NfvoClient, body};
use async_trait::async_trait;
use manifold_call::{Context, OccurrenceId, Outcome};
use manifold_nfvo_interface::{
    AppliedScript, ScriptAsk, ScriptInfo, ScriptName, ScriptOperation, ScriptPlan, ScriptRevision, ServiceScripts,
};
use serde_json::Value;

impl NfvoClient {
    async fn script_task(&self, cx: &Context, id: OccurrenceId, task: &str) -> Outcome<()> {
        let path = ["script_operations", &id.to_string(), task];
        self.ours.post_empty::<Value>(cx, &path).await?;
        Ok(())
    }
}

#[async_trait]
impl ServiceScripts for NfvoClient {
    async fn plan(&self, cx: &Context, ask: ScriptAsk) -> Outcome<ScriptPlan> {
        let dry = [("dryRun", "true")];
        body(self.ours.put_with(cx, &["scripts", &ask.name], &dry, &ask).await?)
    }
    async fn apply(&self, cx: &Context, ask: ScriptAsk) -> Outcome<AppliedScript> {
        body(self.ours.put(cx, &["scripts", &ask.name], &ask).await?)
    }
    async fn delete(&self, cx: &Context, name: ScriptName) -> Outcome<AppliedScript> {
        body(self.ours.delete_reply(cx, &["scripts", name.as_str()]).await?)
    }
    async fn query(&self, cx: &Context, (): ()) -> Outcome<Vec<ScriptInfo>> {
        self.ours.list(cx, &["scripts"], &[]).await
    }
    async fn find(&self, cx: &Context, name: ScriptName) -> Outcome<ScriptInfo> {
        self.ours.get(cx, &["scripts", name.as_str()]).await
    }
    async fn find_revision(&self, cx: &Context, ask: ScriptRevision) -> Outcome<ScriptInfo> {
        let revision = ask.revision.to_string();
        self.ours
            .get(cx, &["scripts", ask.name.as_str(), "revisions", &revision])
            .await
    }
    async fn find_operation(&self, cx: &Context, id: OccurrenceId) -> Outcome<ScriptOperation> {
        self.ours.get(cx, &["script_operations", &id.to_string()]).await
    }
    async fn retry(&self, cx: &Context, id: OccurrenceId) -> Outcome<()> {
        self.script_task(cx, id, "retry").await
    }
    async fn rollback(&self, cx: &Context, id: OccurrenceId) -> Outcome<()> {
        self.script_task(cx, id, "rollback").await
    }
    async fn fail(&self, cx: &Context, id: OccurrenceId) -> Outcome<()> {
        self.script_task(cx, id, "fail").await
    }
}
