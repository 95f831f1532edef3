//! The VIM in memory: its paths and rules.

use super::locked;
use super::vim::{Held, Vim, key, matches};
use async_trait::async_trait;
use manifold_call::{CallError, Context, Outcome, Uuid};
use manifold_vim_interface::*;
use serde_json::{Value, json};

/// All but which step made it when, sorted: one that is taken away and made again is the same one.
pub(super) fn paths(held: &Held) -> Vec<Value> {
    let bare = held.paths.values().cloned().map(|(tenant, mut path)| {
        path.nfp_id = NfpId(Uuid::nil());
        path.metadata.remove("nfvoMark");
        json!([tenant, path])
    });
    sorted(bare)
}

pub(super) fn rules(held: &Held) -> Vec<Value> {
    let bare = held.rules.values().cloned().map(|(tenant, mut rule)| {
        rule.traffic_rule_id = TrafficRuleId(Uuid::nil());
        rule.rule.metadata.remove("nfvoMark");
        json!([tenant, rule])
    });
    sorted(bare)
}

fn sorted(all: impl Iterator<Item = Value>) -> Vec<Value> {
    let mut all: Vec<Value> = all.collect();
    all.sort_by_key(Value::to_string);
    all
}

impl Vim {
    /// A port goes: a path holds it, a rule does not.
    pub(super) fn let_go(&self, port: &str) -> Outcome<()> {
        let mut held = locked(&self.held);
        let is_it = |id: &Uuid| id.to_string() == port;
        let mut paths = held.paths.values();
        if paths.any(|(_, path)| path.virtual_network_port.iter().any(|id| is_it(&id.0))) {
            return Err(CallError::conflict(format!(
                "port {port} is in use by a forwarding path"
            )));
        }
        for (_, rule) in held.rules.values_mut() {
            rule.rule.targets.retain(|target| !is_it(target));
        }
        held.rules.retain(|_, (_, rule)| !rule.rule.targets.is_empty());
        Ok(())
    }
}

#[async_trait]
impl NetworkForwardingPaths for Vim {
    async fn create(&self, cx: &Context, ask: CreateNfp) -> Outcome<Nfp> {
        self.tell(&format!("create path {}", ask.nfp_name))?;
        let id = NfpId::named(key(cx), &self.id);
        let mut held = locked(&self.held);
        let is_same = |other: &Nfp| {
            (&other.nfp_rule, other.priority) == (&ask.nfp_rule, ask.priority)
                && other.virtual_network_port != ask.virtual_network_port
                && other.virtual_network_port.first() == ask.virtual_network_port.first()
        };
        if held.paths.values().any(|(_, other)| is_same(other)) {
            return Err(CallError::conflict("another path takes these packets elsewhere"));
        }
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
        if let Some(rules) = ask.nfp_rule {
            nfp.nfp_rule = rules;
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
