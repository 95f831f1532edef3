//! The VIM in memory: its paths and rules.

use super::locked;
use super::vim::{Vim, key, matches};
use async_trait::async_trait;
use manifold_call::{CallError, Context, Outcome};
use manifold_vim_interface::*;

#[async_trait]
impl NetworkForwardingPaths for Vim {
    async fn create(&self, cx: &Context, ask: CreateNfp) -> Outcome<Nfp> {
        self.tell(&format!("create path {}", ask.nfp_name))?;
        let id = NfpId::named(key(cx), &self.id);
        let mut held = locked(&self.held);
        let nfp = Nfp {
            nfp_id: id,
            nfp_name: ask.nfp_name,
            total_vnp: ask.virtual_network_port.len() as u32,
            virtual_network_port: ask.virtual_network_port,
            nfp_rule: ask.nfp_rule,
            from_network: ask.from_network,
            priority: ask.priority,
            schedule: ask.schedule,
            nfp_state: NfpState::Enabled,
            operational_state: OperationalState::Enabled,
            metadata: ask.metadata,
        };
        Ok(held.paths.entry(id).or_insert((cx.tenant.clone(), nfp)).1.clone())
    }

    async fn query(&self, cx: &Context, filter: QueryFilter) -> Outcome<Vec<Nfp>> {
        let held = locked(&self.held);
        let own = held.paths.values().filter(|(tenant, _)| *tenant == cx.tenant);
        let found = own.filter(|(_, nfp)| matches(&filter, &nfp.metadata));
        Ok(found.map(|(_, nfp)| nfp.clone()).collect())
    }

    async fn update(&self, _: &Context, ask: UpdateNfp) -> Outcome<Nfp> {
        self.tell("update path")?;
        let mut held = locked(&self.held);
        let found = held.paths.get_mut(&ask.nfp_id);
        let (_, nfp) = found.ok_or_else(|| CallError::not_found("there is no such path"))?;
        if let Some(ports) = ask.virtual_network_port {
            nfp.total_vnp = ports.len() as u32;
            nfp.virtual_network_port = ports;
        }
        Ok(nfp.clone())
    }

    async fn delete(&self, _: &Context, ids: Vec<NfpId>) -> Outcome<Vec<NfpId>> {
        self.tell("delete paths")?;
        locked(&self.held).paths.retain(|id, _| !ids.contains(id));
        Ok(ids)
    }

    async fn change_state(&self, _: &Context, _: ChangeNfpState) -> Outcome<Vec<NfpId>> {
        panic!("the NFVO switches no paths")
    }
}

#[async_trait]
impl TrafficRules for Vim {
    async fn create(&self, cx: &Context, ask: TrafficRuleData) -> Outcome<TrafficRule> {
        self.tell(&format!("create rule {}", ask.name))?;
        let id = TrafficRuleId::named(key(cx), &self.id);
        let rule = TrafficRule {
            traffic_rule_id: id,
            rule: ask,
            operational_state: OperationalState::Enabled,
        };
        let mut held = locked(&self.held);
        Ok(held.rules.entry(id).or_insert((cx.tenant.clone(), rule)).1.clone())
    }

    async fn query(&self, cx: &Context, filter: QueryFilter) -> Outcome<Vec<TrafficRule>> {
        let held = locked(&self.held);
        let own = held.rules.values().filter(|(tenant, _)| *tenant == cx.tenant);
        let found = own.filter(|(_, rule)| matches(&filter, &rule.rule.metadata));
        Ok(found.map(|(_, rule)| rule.clone()).collect())
    }

    async fn update(&self, _: &Context, ask: TrafficRule) -> Outcome<TrafficRule> {
        self.tell("update rule")?;
        let mut held = locked(&self.held);
        let found = held.rules.get_mut(&ask.traffic_rule_id);
        let (_, rule) = found.ok_or_else(|| CallError::not_found("there is no such rule"))?;
        *rule = ask;
        Ok(rule.clone())
    }

    async fn delete(&self, _: &Context, ids: Vec<TrafficRuleId>) -> Outcome<Vec<TrafficRuleId>> {
        self.tell("delete rules")?;
        locked(&self.held).rules.retain(|id, _| !ids.contains(id));
        Ok(ids)
    }
}
