//! Traffic rules, and what they and the forwarding paths come down to at each port.

use crate::Vim;
use crate::documents::{Document, Port, Rule};
use crate::filter::AttributeFilter;
use crate::paths::hops;
use crate::world::{World, check_words};
use async_trait::async_trait;
use manifold_call::{CallError, Context, ErrorKind, Outcome, Uuid};
use manifold_desired::{Change, Decision, Documents};
use manifold_nfvi_interface as nfvi;
use manifold_nfvi_interface::{Classifier, MacAddr, Traffic};
use manifold_vim_interface::{
    NfpRule, OperationalState, PortRange, QueryFilter, TrafficAction, TrafficDirection, TrafficRule, TrafficRuleData,
    TrafficRuleId, TrafficRules, Weekday, Window,
};
use std::collections::{BTreeMap, BTreeSet};

/// Networks and ports of one rule.
const TARGETS_MAX: usize = 1_024;
/// Times of one rule: as many as the infrastructure takes.
const WINDOWS_MAX: usize = 128;
const DAY_S: u32 = 86_400;

#[async_trait]
impl TrafficRules for Vim {
    async fn create(&self, cx: &Context, ask: TrafficRuleData) -> Outcome<TrafficRule> {
        check_words(&cx.tenant, &ask.name, &ask.metadata)?;
        let id = self.identity(cx, "create traffic rule");
        let (inventory, tenant) = (self.inventory(), cx.tenant.clone());
        let plan = move |documents: &_| {
            let world = World {
                documents,
                inventory: &inventory,
                tenant: &tenant,
            };
            if world.made(id)? {
                return Ok(Decision::Stands(vec![id]));
            }
            check_rule(world, &ask)?;
            Ok(Decision::Do(Change::put(id, world.tenant, Document::Rule(Rule(ask)))))
        };
        self.desired.apply(cx, Some(id), plan).await?;
        self.traffic_rule(cx, id)
    }

    async fn query(&self, cx: &Context, filter: QueryFilter) -> Outcome<Vec<TrafficRule>> {
        let filter = AttributeFilter::parse(&filter.filter)?;
        Ok(filter.keep(self.traffic_rules(cx)))
    }

    async fn update(&self, cx: &Context, ask: TrafficRule) -> Outcome<TrafficRule> {
        check_words(&cx.tenant, &ask.rule.name, &ask.rule.metadata)?;
        let (inventory, tenant, id) = (self.inventory(), cx.tenant.clone(), ask.traffic_rule_id.0);
        let plan = move |documents: &_| {
            let world = World {
                documents,
                inventory: &inventory,
                tenant: &tenant,
            };
            let before = world.rule(id)?;
            check_rule(world, &ask.rule)?;
            Ok(if before.0 == ask.rule {
                Decision::Stands(vec![id])
            } else {
                Decision::Do(Change::put(id, world.tenant, Document::Rule(Rule(ask.rule))))
            })
        };
        let identity = self.identity(cx, "update traffic rule");
        self.desired.apply(cx, Some(identity), plan).await?;
        self.traffic_rule(cx, id)
    }

    async fn delete(&self, cx: &Context, ids: Vec<TrafficRuleId>) -> Outcome<Vec<TrafficRuleId>> {
        let (inventory, tenant, asked) = (self.inventory(), cx.tenant.clone(), ids.clone());
        let plan = move |documents: &_| {
            let world = World {
                documents,
                inventory: &inventory,
                tenant: &tenant,
            };
            let own = world.rules().filter(|(_, held, _)| held.tenant == *world.tenant);
            let leaves: Vec<Uuid> = own
                .map(|(id, ..)| id)
                .filter(|id| asked.contains(&TrafficRuleId(*id)))
                .collect();
            Ok(if leaves.is_empty() {
                Decision::Already
            } else {
                Decision::Do(Change {
                    puts: Vec::new(),
                    leaves,
                })
            })
        };
        let identity = self.identity(cx, "delete traffic rules");
        let done = self.desired.apply(cx, Some(identity), plan).await?;
        let gone = crate::networks::gone(ids.into_iter().map(|id| id.0).collect(), done.staying)?;
        Ok(gone.into_iter().map(TrafficRuleId).collect())
    }
}

impl Vim {
    fn traffic_rules(&self, cx: &Context) -> Vec<TrafficRule> {
        let inventory = self.inventory();
        let mut found: Vec<TrafficRule> = self.desired.read(|documents| {
            let world = World {
                documents,
                inventory: &inventory,
                tenant: &cx.tenant,
            };
            let own = world
                .rules()
                .filter(|(_, held, _)| !held.leaving && held.tenant == cx.tenant);
            let view = own.map(|(id, _, rule)| TrafficRule {
                traffic_rule_id: TrafficRuleId(id),
                rule: rule.0.clone(),
                operational_state: OperationalState::Enabled,
            });
            view.collect()
        });
        for rule in &mut found {
            if !self.desired.works(rule.traffic_rule_id.0) {
                rule.operational_state = OperationalState::Disabled;
            }
        }
        found
    }

    fn traffic_rule(&self, cx: &Context, id: Uuid) -> Outcome<TrafficRule> {
        let found = self.traffic_rules(cx).into_iter();
        let found = found.into_iter().find(|rule| rule.traffic_rule_id.0 == id);
        found.ok_or_else(|| CallError::not_found(format!("there is no traffic rule {id}")))
    }
}

fn check_rule(world: World<'_>, rule: &TrafficRuleData) -> Outcome<()> {
    if !(1..=TARGETS_MAX).contains(&rule.targets.len()) {
        return Err(CallError::invalid(format!(
            "a rule is for 1 to {TARGETS_MAX} networks and ports, not for {}",
            rule.targets.len()
        )));
    }
    for target in &rule.targets {
        let missing = |error: &CallError| error.kind == ErrorKind::NotFound;
        match (world.network(*target).map(drop), world.port(*target).map(drop)) {
            (Ok(()), _) | (_, Ok(())) => world.own(*target)?,
            (Err(network), Err(port)) if missing(&network) && missing(&port) => {
                return Err(CallError::not_found(format!(
                    "there is no network and no port {target}"
                )));
            }
            (Err(network), Err(port)) => return Err(if missing(&network) { port } else { network }),
        }
    }
    check(&rule.classifier, action(rule.action), &rule.schedule)
}

/// What the infrastructure would refuse is refused here, in the words of who asked.
pub(crate) fn check(rule: &NfpRule, action: nfvi::TrafficAction, schedule: &[Window]) -> Outcome<()> {
    let refuse = |why: String| Err(CallError::invalid(why));
    let class = classifier(rule)?;
    if let (Some(source), Some(destination)) = (class.source, class.destination)
        && source.addr().is_ipv4() != destination.addr().is_ipv4()
    {
        return refuse(format!(
            "no packet goes from {source} to {destination}: they are of two families"
        ));
    }
    for ports in [class.source_ports, class.destination_ports].into_iter().flatten() {
        if ports.first > ports.last {
            return refuse(format!("ports {} to {} are none", ports.first, ports.last));
        }
        if let Some(protocol) = class.protocol.filter(|protocol| ![6, 17, 132].contains(protocol)) {
            return refuse(format!("protocol {protocol} has no ports"));
        }
    }
    if let Some(dscp) = class.dscp.filter(|dscp| *dscp > 63) {
        return refuse(format!("a DSCP of {dscp} is above 63"));
    }
    if let Some(vlan) = class.vlan.filter(|vlan| !(1..=4_094).contains(vlan)) {
        return refuse(format!("VLAN {vlan} is not between 1 and 4,094"));
    }
    let of_ip = class.source.or(class.destination).is_some()
        || class.protocol.is_some()
        || class.dscp.is_some()
        || class.source_ports.or(class.destination_ports).is_some();
    if let Some(kind) = class.ether_type
        && (kind < 1_536 || of_ip && ![0x0800, 0x86dd].contains(&kind))
    {
        return refuse(format!("no frame of Ethernet type {kind:#06x} has what is asked for"));
    }
    match action {
        nfvi::TrafficAction::Limit { bits_per_second } if bits_per_second < 8_000 => {
            return refuse(format!("a limit of {bits_per_second} bit/s is below 8,000"));
        }
        nfvi::TrafficAction::Precedence { level } if level > 7 => {
            return refuse(format!("a precedence of {level} is above 7"));
        }
        _ => {}
    }
    if schedule.len() > WINDOWS_MAX {
        return refuse(format!("a rule has at most {WINDOWS_MAX} times"));
    }
    for window in schedule {
        let (from, until) = (window.from_s.unwrap_or(0), window.until_s.unwrap_or(DAY_S));
        let ends = window.not_after.unwrap_or(8_000_000_000);
        if from >= until || until > DAY_S || ends > 8_000_000_000 || window.not_before.unwrap_or(0) >= ends {
            return Err(CallError::invalid(format!("no second is in the time {window:?}"))
                .cure("a time over midnight is two windows"));
        }
    }
    Ok(())
}

/// As the infrastructure reads it. Errors: `Invalid` (an address that is none).
pub(crate) fn classifier(rule: &NfpRule) -> Outcome<Classifier> {
    let mac = |text: &Option<String>| {
        let read = text.as_ref().map(|text| text.parse::<MacAddr>());
        read.transpose().map_err(|error| CallError::invalid(format!("{error}")))
    };
    let ports = |range: PortRange| nfvi::PortRange {
        first: range.lower,
        last: range.upper,
    };
    Ok(Classifier {
        source: rule.source_ip_address_prefix,
        destination: rule.destination_ip_address_prefix,
        protocol: rule.protocol,
        source_ports: rule.source_port_range.map(ports),
        destination_ports: rule.destination_port_range.map(ports),
        source_mac: mac(&rule.ether_source_address)?,
        destination_mac: mac(&rule.ether_destination_address)?,
        ether_type: rule.ether_type,
        dscp: rule.dscp,
        vlan: rule.vlan_tag,
    })
}

fn action(action: TrafficAction) -> nfvi::TrafficAction {
    match action {
        TrafficAction::Block => nfvi::TrafficAction::Block,
        TrafficAction::Allow => nfvi::TrafficAction::Allow,
        TrafficAction::Limit { bits_per_second } => nfvi::TrafficAction::Limit { bits_per_second },
        TrafficAction::Precedence { level } => nfvi::TrafficAction::Precedence { level },
    }
}

pub(crate) fn window(window: &Window) -> nfvi::Window {
    let day = |day: &Weekday| match day {
        Weekday::Monday => nfvi::Weekday::Monday,
        Weekday::Tuesday => nfvi::Weekday::Tuesday,
        Weekday::Wednesday => nfvi::Weekday::Wednesday,
        Weekday::Thursday => nfvi::Weekday::Thursday,
        Weekday::Friday => nfvi::Weekday::Friday,
        Weekday::Saturday => nfvi::Weekday::Saturday,
        Weekday::Sunday => nfvi::Weekday::Sunday,
    };
    nfvi::Window {
        days: window.days.iter().map(day).collect(),
        from_s: window.from_s,
        until_s: window.until_s,
        not_before: window.not_before,
        not_after: window.not_after,
    }
}

/// By port: what happens to its packets, and the documents that say so.
pub(crate) fn of_ports(documents: &Documents<Document>) -> BTreeMap<Uuid, (Traffic, BTreeSet<Uuid>)> {
    let mut ports: BTreeMap<Uuid, &Port> = BTreeMap::new();
    let (mut paths, mut rules) = (Vec::new(), Vec::new());
    for (id, held) in documents.standing() {
        match &held.body {
            Document::Port(port) => drop(ports.insert(id, port)),
            Document::Path(path) => paths.push((id, path)),
            Document::Rule(rule) => rules.push((id, &rule.0)),
            _ => {}
        }
    }
    let mut all: BTreeMap<Uuid, (Traffic, BTreeSet<Uuid>)> = BTreeMap::new();
    for (id, path) in paths {
        for (port, hop) in hops(path, &ports) {
            let (traffic, by) = all.entry(port).or_default();
            traffic.hops.push(hop);
            by.insert(id);
        }
    }
    for (id, rule) in rules {
        for (port, of_port) in &ports {
            for made in at_port(rule, *port, of_port, &ports) {
                let (traffic, by) = all.entry(*port).or_default();
                traffic.rules.push(made);
                by.insert(id);
            }
        }
    }
    all
}

/// What a rule says at a port.
fn at_port(rule: &TrafficRuleData, id: Uuid, port: &Port, ports: &BTreeMap<Uuid, &Port>) -> Vec<nfvi::TrafficRule> {
    let Ok(class) = classifier(&rule.classifier) else {
        return Vec::new();
    };
    let made = |direction, classifier: Classifier| nfvi::TrafficRule {
        priority: rule.priority,
        direction,
        classifier,
        action: action(rule.action),
        windows: rule.schedule.iter().map(window).collect(),
    };
    let of_network = rule.targets.contains(&port.network);
    let of_port = rule.targets.contains(&id);
    let (from, towards) = match (of_network, rule.direction) {
        (true, _) | (false, TrafficDirection::Both) => (true, true),
        (false, TrafficDirection::From) => (true, false),
        (false, TrafficDirection::Towards) => (false, true),
    };
    if !matches!(rule.action, TrafficAction::Precedence { .. }) {
        let direction = match (from, towards) {
            (true, true) => nfvi::TrafficDirection::Both,
            (true, false) => nfvi::TrafficDirection::From,
            _ => nfvi::TrafficDirection::Towards,
        };
        return if of_network || of_port {
            vec![made(direction, class)]
        } else {
            Vec::new()
        };
    }
    // A queue is where packets are going: what a port sends is known at the others by its address.
    let direction = nfvi::TrafficDirection::Towards;
    let mut all = Vec::new();
    if of_network || of_port && towards {
        all.push(made(direction, class.clone()));
    }
    if !of_network && rule.direction != TrafficDirection::Towards && class.source_mac.is_none() {
        let senders = rule.targets.iter().filter(|target| **target != id);
        let senders = senders.filter_map(|target| ports.get(target));
        for sender in senders.filter(|sender| sender.network == port.network) {
            let of_sender = Classifier {
                source_mac: sender.mac.parse().ok(),
                ..class.clone()
            };
            all.push(made(direction, of_sender));
        }
    }
    all
}

/// What leaves leaves the rules that are for it, and a rule that is left for nothing leaves, too.
pub(crate) fn without(world: World<'_>, change: &mut Change<Document>) {
    let leaving: BTreeSet<Uuid> = change.leaves.iter().copied().collect();
    for (id, held, rule) in world.rules().filter(|(_, held, _)| !held.leaving) {
        let mut left = rule.0.clone();
        left.targets.retain(|target| !leaving.contains(target));
        if left.targets.is_empty() {
            change.leaves.push(id);
        } else if left.targets.len() < rule.0.targets.len() {
            let body = Document::Rule(Rule(left));
            *change = std::mem::take(change).and_put(id, &held.tenant, body);
        }
    }
}
