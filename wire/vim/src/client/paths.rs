use super::VimClient;
use crate::bodies::{Ids, PathChanges};
use async_trait::async_trait;
use manifold_call::{Context, Outcome};
use manifold_vim_interface::{
    ChangeNfpState, CreateNfp, NetworkForwardingPaths, Nfp, NfpId, QueryFilter, TrafficRule, TrafficRuleData,
    TrafficRuleId, TrafficRules, UpdateNfp,
};

#[async_trait]
impl NetworkForwardingPaths for VimClient {
    async fn create(&self, cx: &Context, ask: CreateNfp) -> Outcome<Nfp> {
        self.post(cx, &["forwarding_paths"], &ask).await
    }
    async fn query(&self, cx: &Context, filter: QueryFilter) -> Outcome<Vec<Nfp>> {
        self.list(cx, "forwarding_paths", &filter).await
    }
    async fn update(&self, cx: &Context, ask: UpdateNfp) -> Outcome<Nfp> {
        let changes = PathChanges {
            nfp_rule: ask.nfp_rule,
            virtual_network_port: ask.virtual_network_port,
        };
        let id = ask.nfp_id.to_string();
        self.post(cx, &["forwarding_paths", &id, "update"], &changes).await
    }
    async fn delete(&self, cx: &Context, ids: Vec<NfpId>) -> Outcome<Vec<NfpId>> {
        let gone: Ids<NfpId> = self.post(cx, &["forwarding_paths", "delete"], &Ids { ids }).await?;
        Ok(gone.ids)
    }
    async fn change_state(&self, cx: &Context, ask: ChangeNfpState) -> Outcome<Vec<NfpId>> {
        let changed: Ids<NfpId> = self.post(cx, &["forwarding_paths", "change_state"], &ask).await?;
        Ok(changed.ids)
    }
}

#[async_trait]
impl TrafficRules for VimClient {
    async fn create(&self, cx: &Context, ask: TrafficRuleData) -> Outcome<TrafficRule> {
        self.post(cx, &["traffic_rules"], &ask).await
    }
    async fn query(&self, cx: &Context, filter: QueryFilter) -> Outcome<Vec<TrafficRule>> {
        self.list(cx, "traffic_rules", &filter).await
    }
    async fn update(&self, cx: &Context, ask: TrafficRule) -> Outcome<TrafficRule> {
        let id = ask.traffic_rule_id.to_string();
        let reply = self.api.put(cx, &self.path(&["traffic_rules", &id]), &ask.rule).await?;
        self.body(reply)
    }
    async fn delete(&self, cx: &Context, ids: Vec<TrafficRuleId>) -> Outcome<Vec<TrafficRuleId>> {
        let gone: Ids<TrafficRuleId> = self.post(cx, &["traffic_rules", "delete"], &Ids { ids }).await?;
        Ok(gone.ids)
    }
}
