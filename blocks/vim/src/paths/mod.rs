//! Network forwarding paths (IFA 005 7.10).

mod hops;

pub(crate) use hops::hops;

use crate::Vim;
use crate::documents::{Document, Path};
use crate::filter::AttributeFilter;
use crate::traffic::{check, classifier};
use crate::world::{World, check_words};
use async_trait::async_trait;
use manifold_call::{CallError, Context, Outcome, Uuid};
use manifold_desired::{Change, Decision};
use manifold_nfvi_interface::TrafficAction;
use manifold_vim_interface::{
    ChangeNfpState, CreateNfp, NetworkForwardingPaths, Nfp, NfpId, NfpRule, NfpState, OperationalState, PortId,
    QueryFilter, UpdateNfp,
};
use std::collections::{BTreeMap, BTreeSet};

/// Ports of a path, and rules of one.
const MANY: usize = 64;

#[async_trait]
impl NetworkForwardingPaths for Vim {
    async fn create(&self, cx: &Context, ask: CreateNfp) -> Outcome<Nfp> {
        check_words(&cx.tenant, &ask.nfp_name, &ask.metadata)?;
        let id = self.identity(cx, "create nfp");
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
            if let Some(total) = ask.total_vnp
                && usize::try_from(total) != Ok(ask.virtual_network_port.len())
            {
                let there = ask.virtual_network_port.len();
                return Err(CallError::invalid(format!("{there} ports are named, not {total}")));
            }
            let path = Path {
                name: ask.nfp_name,
                places: places(world, &ask.virtual_network_port, ask.from_network)?,
                rules: ask.nfp_rule,
                priority: ask.priority,
                from_network: ask.from_network,
                schedule: ask.schedule,
                enabled: true,
                metadata: ask.metadata,
            };
            check_path(world, id, &path)?;
            Ok(Decision::Do(Change::put(id, world.tenant, Document::Path(path))))
        };
        self.desired.apply(cx, Some(id), plan).await?;
        self.nfp(cx, id)
    }

    async fn query(&self, cx: &Context, filter: QueryFilter) -> Outcome<Vec<Nfp>> {
        let filter = AttributeFilter::parse(&filter.filter)?;
        Ok(filter.keep(self.nfps(cx)))
    }

    async fn update(&self, cx: &Context, ask: UpdateNfp) -> Outcome<Nfp> {
        let (inventory, tenant, id) = (self.inventory(), cx.tenant.clone(), ask.nfp_id.0);
        let plan = move |documents: &_| {
            let world = World {
                documents,
                inventory: &inventory,
                tenant: &tenant,
            };
            let before = world.path(id)?;
            let mut after = before.clone();
            if let Some(rules) = ask.nfp_rule {
                after.rules = rules;
            }
            if let Some(ports) = ask.virtual_network_port {
                after.places = places(world, &ports, after.from_network)?;
            }
            check_path(world, id, &after)?;
            Ok(if after == *before {
                Decision::Stands(vec![id])
            } else {
                Decision::Do(Change::put(id, world.tenant, Document::Path(after)))
            })
        };
        let identity = self.identity(cx, "update nfp");
        self.desired.apply(cx, Some(identity), plan).await?;
        self.nfp(cx, id)
    }

    async fn delete(&self, cx: &Context, ids: Vec<NfpId>) -> Outcome<Vec<NfpId>> {
        let (inventory, tenant, asked) = (self.inventory(), cx.tenant.clone(), ids.clone());
        let plan = move |documents: &_| {
            let world = World {
                documents,
                inventory: &inventory,
                tenant: &tenant,
            };
            let own = world.paths().filter(|(_, held, _)| held.tenant == *world.tenant);
            let leaves: Vec<Uuid> = own
                .map(|(id, ..)| id)
                .filter(|id| asked.contains(&NfpId(*id)))
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
        let identity = self.identity(cx, "delete nfps");
        let done = self.desired.apply(cx, Some(identity), plan).await?;
        let gone = crate::networks::gone(ids.into_iter().map(|id| id.0).collect(), done.staying)?;
        Ok(gone.into_iter().map(NfpId).collect())
    }

    async fn change_state(&self, cx: &Context, ask: ChangeNfpState) -> Outcome<Vec<NfpId>> {
        let (inventory, tenant, ids) = (self.inventory(), cx.tenant.clone(), ask.nfp_id.clone());
        let plan = move |documents: &_| {
            let world = World {
                documents,
                inventory: &inventory,
                tenant: &tenant,
            };
            let mut change = Change::default();
            for id in ask.nfp_id.iter().map(|id| id.0).collect::<BTreeSet<Uuid>>() {
                let mut path = world.path(id)?.clone();
                let enabled = ask.desired_state == NfpState::Enabled;
                if path.enabled != enabled {
                    path.enabled = enabled;
                    check_path(world, id, &path)?;
                    change = change.and_put(id, world.tenant, Document::Path(path));
                }
            }
            Ok(if change.puts.is_empty() {
                Decision::Stands(ask.nfp_id.iter().map(|id| id.0).collect())
            } else {
                Decision::Do(change)
            })
        };
        let identity = self.identity(cx, "change nfp state");
        self.desired.apply(cx, Some(identity), plan).await?;
        Ok(ids)
    }
}

impl Vim {
    fn nfps(&self, cx: &Context) -> Vec<Nfp> {
        let inventory = self.inventory();
        let mut found: Vec<Nfp> = self.desired.read(|documents| {
            let world = World {
                documents,
                inventory: &inventory,
                tenant: &cx.tenant,
            };
            let own = world
                .paths()
                .filter(|(_, held, _)| !held.leaving && held.tenant == cx.tenant);
            own.map(|(id, _, path)| view(id, path)).collect()
        });
        for nfp in &mut found {
            let ports = nfp.virtual_network_port.iter().map(|port| port.0);
            if !ports.chain([nfp.nfp_id.0]).all(|id| self.desired.works(id)) {
                nfp.operational_state = OperationalState::Disabled;
            }
        }
        found
    }

    fn nfp(&self, cx: &Context, id: Uuid) -> Outcome<Nfp> {
        let found = self.nfps(cx).into_iter().find(|nfp| nfp.nfp_id.0 == id);
        found.ok_or_else(|| CallError::not_found(format!("there is no forwarding path {id}")))
    }
}

fn view(id: Uuid, path: &Path) -> Nfp {
    let ports: Vec<PortId> = path.places.iter().flatten().copied().map(PortId).collect();
    Nfp {
        nfp_id: NfpId(id),
        nfp_name: path.name.clone(),
        total_vnp: u32::try_from(ports.len()).unwrap_or(u32::MAX),
        virtual_network_port: ports,
        nfp_rule: path.rules.clone(),
        from_network: path.from_network,
        priority: path.priority,
        schedule: path.schedule.clone(),
        nfp_state: if path.enabled {
            NfpState::Enabled
        } else {
            NfpState::Disabled
        },
        operational_state: OperationalState::Enabled,
        metadata: path.metadata.clone(),
    }
}

/// Which ports are one place of the path: two in a row of one machine.
fn places(world: World<'_>, ports: &[PortId], from_network: bool) -> Outcome<Vec<Vec<Uuid>>> {
    let least = if from_network { 1 } else { 2 };
    if !(least..=MANY).contains(&ports.len()) {
        return Err(CallError::invalid(format!(
            "a path has {least} to {MANY} ports, not {}",
            ports.len()
        )));
    }
    let mut seen = BTreeSet::new();
    let mut places: Vec<Vec<Uuid>> = Vec::new();
    let mut last_machine = None;
    for (at, id) in ports.iter().map(|port| port.0).enumerate() {
        if !seen.insert(id) {
            return Err(CallError::invalid(format!("the path passes port {id} twice")));
        }
        let port = world.port(id)?;
        world.own(id)?;
        let is_first = at == 0 && !from_network;
        let is_last = at + 1 == ports.len() && !(from_network && at == 0);
        let inside = !is_first && !is_last;
        if inside && port.compute.is_none() && port.access_point.is_none() {
            return Err(CallError::conflict(format!("port {id} is on no machine"))
                .cure("make the path when its machines are there"));
        }
        let same = port.compute.is_some() && port.compute == last_machine;
        match places.last_mut() {
            Some(place) if same && place.len() < 2 => place.push(id),
            Some(place) if same => {
                return Err(CallError::invalid(format!(
                    "ports {} and {id} are one machine's, which the path would pass by three ports",
                    place[0]
                )));
            }
            before => {
                if let Some(from) = before.and_then(|place| place.last().copied())
                    && world.port(from)?.network != port.network
                {
                    return Err(CallError::invalid(format!(
                        "ports {from} and {id} are neither one machine's nor in one network"
                    )));
                }
                places.push(vec![id]);
            }
        }
        last_machine = port.compute;
    }
    if places.len() < least {
        return Err(CallError::invalid("all ports of the path are one machine's"));
    }
    Ok(places)
}

/// That the path's rules fit packets, and that no other one wants the same packets elsewhere.
fn check_path(world: World<'_>, id: Uuid, path: &Path) -> Outcome<()> {
    if path.rules.len() > MANY {
        return Err(CallError::invalid(format!("a path has at most {MANY} rules")));
    }
    for rule in &path.rules {
        check(rule, TrafficAction::Block, &[])?;
    }
    check(&NfpRule::default(), TrafficAction::Block, &path.schedule)?;
    if !path.enabled {
        return Ok(());
    }
    let wanted = steps(world, path);
    for (other_id, held, other) in world.paths().filter(|(_, held, other)| !held.leaving && other.enabled) {
        if other_id == id || other.priority != path.priority {
            continue;
        }
        let Some(rule) = same_class(&path.rules, &other.rules) else {
            continue;
        };
        let apart = steps(world, other)
            .into_iter()
            .find(|(from, to)| wanted.get(from).is_some_and(|wanted| wanted != to));
        if let Some((from, _)) = apart {
            let whose = if held.tenant == *world.tenant {
                format!("{} ({other_id})", other.name)
            } else {
                other_id.to_string()
            };
            let class = match rule {
                None => "every packet".to_owned(),
                Some(rule) => format!("the class {}", serde_json::to_string(rule).unwrap_or_default()),
            };
            return Err(CallError::conflict(format!(
                "at {from}, {class} takes forwarding path {whose} already, which goes elsewhere"
            ))
            .cure("give the paths different priorities"));
        }
    }
    Ok(())
}

/// By the port that packets leave, or the network that they come from: the port that they go to.
fn steps(world: World<'_>, path: &Path) -> BTreeMap<Uuid, Uuid> {
    let first = path.places.first().and_then(|place| place.first()).copied();
    let entrance = first.filter(|_| path.from_network).and_then(|first| {
        let (.., port) = world.ports().find(|(id, ..)| *id == first)?;
        Some((port.network, first))
    });
    let pairs = path.places.windows(2).filter_map(|pair| {
        let from = pair[0].last()?;
        Some((*from, *pair[1].first()?))
    });
    pairs.chain(entrance).collect()
}

/// A rule that both have; `Some(None)`: both are of every packet.
fn same_class<'a>(one: &'a [NfpRule], other: &[NfpRule]) -> Option<Option<&'a NfpRule>> {
    if one.is_empty() && other.is_empty() {
        return Some(None);
    }
    one.iter().find(|rule| other.contains(rule)).map(Some)
}

/// A standing path that passes the port.
pub(crate) fn using(world: World<'_>, port: Uuid) -> Option<Uuid> {
    let mut paths = world.paths().filter(|(_, held, _)| !held.leaving);
    let passes = |path: &Path| path.places.iter().flatten().any(|passed| *passed == port);
    paths.find(|(.., path)| passes(path)).map(|(id, ..)| id)
}

/// A path's class, as the infrastructure reads it.
pub(crate) fn class(path: &Path) -> Vec<manifold_nfvi_interface::Classifier> {
    path.rules.iter().filter_map(|rule| classifier(rule).ok()).collect()
}
