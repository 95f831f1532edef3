//! On which host: the constraints of the call and of its groups, the networks that must be reachable, what is left.

use crate::documents::Transport;
use crate::world::World;
use manifold_call::{CallError, Outcome, Uuid};
use manifold_nfvi_interface::HostInventory;
use manifold_planning::placement::{self, Demand, Host, HostId, Relation, Resident, Rule, Scope, Why};
use manifold_vim_interface::{AffinityConstraint, AffinityKind, AffinityScope, Capacity, LocationConstraints};
use std::collections::{BTreeMap, BTreeSet};

pub(super) struct Size<'a> {
    pub(super) name: &'a str,
    pub(super) vcpus: u32,
    pub(super) memory_mib: u64,
}

/// By host: what machines hold, those that leave too.
pub(crate) fn held(world: World<'_>) -> BTreeMap<&str, Capacity> {
    let mut held: BTreeMap<&str, Capacity> = BTreeMap::new();
    for (.., compute) in world.computes() {
        let of_host = held.entry(&compute.host).or_default();
        of_host.vcpus += compute.vcpus;
        of_host.memory_mib += compute.memory_mib;
    }
    held
}

/// The call's constraints as rules. Errors: `Invalid`, `NotFound` (a machine or group that a constraint names).
pub(super) fn rules(world: World<'_>, compute: Uuid, constraints: &[AffinityConstraint]) -> Outcome<Vec<Rule>> {
    let mut rules = Vec::new();
    for constraint in constraints {
        let (mut kind, mut scope) = (constraint.kind, constraint.scope);
        let list = &constraint.affinity_or_anti_affinity_resource_list;
        let mut members: BTreeSet<Uuid> = match constraint.affinity_or_anti_affinity_resource_group_id {
            Some(group) if list.is_empty() => {
                let known = world.group(group.0)?;
                if (known.kind, known.scope) != (kind, scope) {
                    let said = format!("group {} is of {:?} by {:?}", known.name, known.kind, known.scope);
                    return Err(CallError::invalid(said).cure("repeat the group's type and scope in the constraint"));
                }
                (kind, scope) = (known.kind, known.scope);
                members(world, group.0).collect()
            }
            None if !list.is_empty() => {
                for other in list {
                    world.compute(other.0)?;
                }
                list.iter().map(|other| other.0).collect()
            }
            _ => return Err(CallError::invalid("a constraint names either resources or a group")),
        };
        members.insert(compute);
        // A list says nothing about its members among each other: one rule with each of them.
        let sets: Vec<BTreeSet<Uuid>> = match constraint.affinity_or_anti_affinity_resource_group_id {
            Some(_) => vec![members],
            None => members
                .iter()
                .filter(|id| **id != compute)
                .map(|id| BTreeSet::from([compute, *id]))
                .collect(),
        };
        rules.extend(sets.into_iter().map(|set| Rule {
            relation: match kind {
                AffinityKind::Affinity => Relation::Together,
                AffinityKind::AntiAffinity => Relation::Apart,
            },
            scope: match scope {
                AffinityScope::NfviNode => Scope::Host,
                AffinityScope::Zone => Scope::Zone,
                AffinityScope::NfviPop => Scope::Pop,
            },
            members: set.iter().map(|id| name(world, *id)).collect(),
        }));
    }
    Ok(rules)
}

/// The machines that joined the group.
pub(super) fn members(world: World<'_>, group: Uuid) -> impl Iterator<Item = Uuid> {
    let joined = move |constraint: &AffinityConstraint| {
        constraint
            .affinity_or_anti_affinity_resource_group_id
            .is_some_and(|named| named.0 == group)
    };
    let standing = world.computes().filter(|(_, held, _)| !held.leaving);
    standing
        .filter(move |(.., compute)| compute.rules.iter().any(joined))
        .map(|(id, ..)| id)
}

/// What a refusal calls a machine: by its name, and by its id lest two of one name be taken for one.
fn name(world: World<'_>, id: Uuid) -> String {
    match world.computes().find(|(compute, ..)| *compute == id) {
        Some((.., compute)) => format!("{} ({id})", compute.name),
        None => id.to_string(),
    }
}

/// The host that fits. Errors: `Exhausted` when room is lacking somewhere, `Conflict` when the constraints alone leave no host;
/// both with each host's reason. `NotFound`, for a zone or host that is not there.
pub(super) fn place<'a>(
    world: World<'a>,
    id: Uuid,
    size: Size<'_>,
    networks: BTreeSet<Uuid>,
    location: LocationConstraints,
    rules: Vec<Rule>,
) -> Outcome<&'a HostInventory> {
    let inventory = world.inventory;
    let hosts_there = || {
        inventory
            .hosts
            .iter()
            .map(|host| host.name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    if let Some(zone) = location.zone_id.as_ref().filter(|zone| !inventory.zones.contains(zone)) {
        let missing = format!("there is no resource zone {zone} in {}", inventory.pop);
        return Err(CallError::not_found(missing).cure(format!("it has {}", inventory.zones.join(", "))));
    }
    if let Some(host) = location
        .host_id
        .as_ref()
        .filter(|host| !inventory.hosts.iter().any(|known| known.name == **host))
    {
        let missing = format!("there is no host {host} in {}", inventory.pop);
        return Err(CallError::not_found(missing).cure(format!("it has {}", hosts_there())));
    }

    let used = held(world);
    let host_id = |host: &str| HostId {
        pop: inventory.pop.clone(),
        host: host.to_owned(),
    };
    let hosts: Vec<Host> = inventory
        .hosts
        .iter()
        .map(|host| {
            let used = used.get(host.name.as_str()).copied().unwrap_or_default();
            Host {
                id: host_id(&host.name),
                zone: host.zone.clone(),
                vcpus_free: host.vcpus.saturating_sub(used.vcpus),
                memory_mib_free: host.memory_mib.saturating_sub(used.memory_mib),
                reaches: host.provider_cables.keys().cloned().collect(),
            }
        })
        .collect();
    let residents: Vec<Resident> = world
        .computes()
        .filter(|(other, held, _)| !held.leaving && *other != id)
        .map(|(other, _, compute)| Resident {
            name: name(world, other),
            host: host_id(&compute.host),
        })
        .collect();
    let reaches = networks.iter().filter_map(|network| {
        world
            .networks()
            .find(|(known, ..)| known == network)
            .and_then(|(.., network)| match &network.transport {
                Transport::Provider { network } => Some(network.clone()),
                Transport::Vxlan { .. } => None,
            })
    });
    let demand = Demand {
        name: id.to_string(),
        vcpus: size.vcpus,
        memory_mib: size.memory_mib,
        pop: None,
        zone: location.zone_id,
        host: location.host_id,
        reaches: reaches.collect(),
    };
    match placement::place(&hosts, &residents, std::slice::from_ref(&demand), &rules) {
        Ok(placed) => {
            let chosen = &placed[&demand.name];
            let host = inventory.hosts.iter().find(|host| host.name == chosen.host);
            host.ok_or_else(|| CallError::internal(format!("the chosen host {} is not there", chosen.host)))
        }
        Err(mut refused) => {
            refused.demand = format!("machine {}", size.name);
            let room = |why: &Why| matches!(why, Why::Vcpus { .. } | Why::Memory { .. });
            if refused.refusals.iter().any(|(_, why)| room(why)) || refused.refusals.is_empty() {
                Err(CallError::exhausted(refused.to_string()))
            } else {
                Err(CallError::conflict(refused.to_string()))
            }
        }
    }
}
