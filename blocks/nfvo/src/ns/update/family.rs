//! The NSs that an NS holds, before an update and after it.
//!
//! ```text
//!   held now ──┬─ made for it ──┬─ its profile stays ──> kept: its document is written again
//!              │                └─ it goes ───────────> gone: with all that it consists of
//!              └─ there before ─── its profile goes ──> released: it stays as it is, and nobody holds it
//!   named by the request ─────────────────────────────> taken: it keeps what it has
//! ```
//!
//! Those that come stand in the layout.

use std::collections::{BTreeMap, BTreeSet};

use manifold_call::{CallError, TenantId};
use manifold_descriptors::{FlatNsd, Nsd};
use manifold_lcm::{Ending, StepError};
use manifold_sol::{UpdateNsRequest, UpdateType};
use manifold_store::{Expect, Write};
use serde::{Deserialize, Serialize};

use super::intent::missing;
use crate::catalogue::nsd::Constituents;
use crate::fault::Faults;
use crate::ns::adopt::{self, Adoption, Existing};
use crate::ns::flat::{FlatNs, as_held, is_below, joined};
use crate::ns::layout::Layout;
use crate::ns::nested::Inner;
use crate::record::{NS, NsPnf, NsRecord, NsSap};

/// What becomes of the NSs that it holds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Family {
    pub(crate) kept: Vec<Held>,
    pub(crate) gone: Vec<Held>,
    pub(crate) released: Vec<Held>,
    pub(crate) taken: Vec<Held>,
    /// Links that it was on and that are another NS's, by their ids.
    pub(crate) forgotten: BTreeSet<String>,
    /// What links and VNF profiles of nested NSs are called there, by their flat names.
    pub(crate) own_names: BTreeMap<String, String>,
}

/// An NS that is held, or was, or will be.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Held {
    pub(crate) id: String,
    /// The profiles on the way to it.
    pub(crate) path: String,
    /// What it follows now.
    pub(crate) nsd_id: String,
}

impl Family {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Every NS whose document the update writes, beside the outermost.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Held> {
        self.made().chain(&self.released).chain(&self.taken)
    }

    /// Those that were made for it, each after the one that holds it or did.
    pub(crate) fn made(&self) -> impl Iterator<Item = &Held> {
        self.kept.iter().chain(&self.gone)
    }

    /// What something is called in the NS that has it.
    pub(crate) fn own_name<'a>(&'a self, flat: &'a str) -> &'a str {
        self.own_names.get(flat).map_or(flat, String::as_str)
    }

    /// What the family looks like when the NS follows `after`; `new` are taken in. In an update that does not make everything as the
    /// NSD says, only those go that are `named`, by their ids, with what they hold.
    pub(super) fn of(flat: &FlatNs, after: &FlatNsd, new: &[Adoption], sync: bool, named: &[String]) -> Self {
        let mut family = Self::default();
        let named = flat.inside.iter().filter(|inner| named.contains(&inner.ns.id));
        let named: Vec<&str> = named.map(|inner| inner.path.as_str()).collect();
        let stays = |inner: &Inner| match sync {
            true => after.services.iter().any(|service| service.path == inner.path),
            false => !named.iter().any(|path| inner.is_within(path)),
        };
        for inner in &flat.inside {
            let held = Held {
                id: inner.ns.id.clone(),
                path: inner.path.clone(),
                nsd_id: inner.ns.nsd_id.clone(),
            };
            match (inner.is_foreign, inner.is_adopted, stays(inner)) {
                (false, _, true) => family.kept.push(held),
                (false, _, false) => family.gone.push(held),
                (true, true, false) => family.released.push(held),
                (true, ..) => {}
            }
        }
        let taken = new.iter().map(|one| Held {
            id: one.id().to_owned(),
            path: one.path.clone(),
            nsd_id: one.nsd_id().to_owned(),
        });
        family.taken.extend(taken);
        let of_released: BTreeSet<&String> = family
            .released
            .iter()
            .flat_map(|gone| flat.inside.iter().filter(|inner| inner.is_within(&gone.path)))
            .flat_map(|inner| inner.ns.links.iter().map(|link| &link.info.id))
            .collect();
        let foreign = flat
            .ns
            .links
            .iter()
            .filter(|link| flat.foreign_links.contains(&link.info.id));
        let lost = foreign.filter(|link| {
            let name = &link.info.ns_virtual_link_desc_id;
            of_released.contains(&link.info.id) || (sync && after.nsd.virtual_link(name).is_none())
        });
        family.forgotten = lost.map(|link| link.info.id.clone()).collect();
        family.own_names = own_names(flat);
        family
    }

    /// Links that are on a network of an NS that is there and that they are not connected to any more are none of its own either.
    pub(super) fn separate(&mut self, flat: &FlatNs, existing: &Existing) {
        let foreign = flat
            .ns
            .links
            .iter()
            .filter(|link| flat.foreign_links.contains(&link.info.id));
        let apart = foreign.filter(|link| !existing.has(&link.info.ns_virtual_link_desc_id, &link.info.id));
        self.forgotten.extend(apart.map(|link| link.info.id.clone()));
    }

    /// Whether something is of a service that goes or is let go, by its flat name.
    pub(super) fn loses(&self, name: &str) -> bool {
        let mut all = self.gone.iter().chain(&self.released);
        all.any(|held| is_below(&held.path, name))
    }

    /// Those that stay as they are, as they were taken in.
    pub(super) fn held(&self, flat: &FlatNs) -> Vec<Adoption> {
        let stays = |id: &str| self.released.iter().all(|gone| gone.id != id);
        let adopted = flat
            .inside
            .iter()
            .filter(|inner| inner.is_adopted && stays(&inner.ns.id));
        adopted.map(|inner| Adoption::held(&flat.inside, inner)).collect()
    }

    /// Identifiers of the VNFs, SAPs and links of those that go.
    pub(super) fn lost(&self, flat: &FlatNs) -> BTreeSet<String> {
        let is_gone = |id: &str| self.gone.iter().any(|gone| gone.id == id);
        let (mut lost, mut left) = (BTreeSet::new(), BTreeSet::new());
        left.extend(flat.outermost_links.iter().cloned());
        for inner in &flat.inside {
            let links = inner.ns.links.iter().map(|link| link.info.id.clone());
            if is_gone(&inner.ns.id) {
                lost.extend(links);
                lost.extend(inner.ns.vnfs.iter().map(|vnf| vnf.id.clone()));
                lost.extend(inner.ns.saps.iter().map(|sap| sap.info.id.clone()));
            } else {
                left.extend(links);
            }
        }
        lost.retain(|id| !left.contains(id));
        lost
    }

    /// Faults: a kept NS would follow an NSD that is no version of its own; `invariant`: of what each follows now, by its id.
    pub(super) fn check_versions(
        &self,
        after: &FlatNsd,
        constituents: &Constituents,
        invariant: &BTreeMap<String, String>,
        faults: &mut Faults,
    ) {
        for kept in &self.kept {
            let service = after.services.iter().find(|service| service.path == kept.path);
            let Some(service) = service.filter(|service| service.nsd_id != kept.nsd_id) else {
                continue;
            };
            let mut next = constituents
                .nsds()
                .filter(|(_, nsd)| nsd.descriptor_id == service.nsd_id);
            let next = next.next().map(|(_, nsd)| &nsd.invariant_id);
            if next != invariant.get(&kept.id) {
                faults.push(
                    CallError::invalid(format!(
                        "nested NS {} is of NSD {} and would be of {}, which is no version of that",
                        kept.path, kept.nsd_id, service.nsd_id
                    ))
                    .cure("give the other service a profile of its own: it is made beside this one, which goes"),
                );
            }
        }
    }

    /// Faults: something is on a network of an NS that would be let go.
    pub(super) fn check_released(&self, flat: &FlatNs, after: &After<'_>, faults: &mut Faults) {
        let forgotten = flat
            .ns
            .links
            .iter()
            .filter(|link| self.forgotten.contains(&link.info.id));
        for net in forgotten.map(|link| &link.info.ns_virtual_link_desc_id) {
            let on = after.on(net, flat);
            if !on.is_empty() {
                faults.push(
                    CallError::conflict(format!(
                        "link {net} is a network of an NS that it would no longer be connected to, and on it is {}",
                        on.join(", ")
                    ))
                    .cure("connect it to another link first, or take it away"),
                );
            }
        }
    }

    /// Faults: something that stays is on a link of an NS that goes.
    pub(super) fn check_lost(&self, flat: &FlatNs, after: &After<'_>, faults: &mut Faults) {
        let lost = flat.ns.links.iter().filter(|link| after.gone.contains(&link.info.id));
        for net in lost.map(|link| &link.info.ns_virtual_link_desc_id) {
            let on = after.on(net, flat);
            if !on.is_empty() {
                faults.push(
                    CallError::conflict(format!("link {net} would go, and on it is {}", on.join(", ")))
                        .cure("connect it to another link first, or take it away"),
                );
            }
        }
    }

    /// Nobody holds those that go; those that stay follow what the layout says, if all of it is wanted.
    /// One that goes and has something left, because that could not be taken away, stays until it has nothing; `left`: links that are
    /// there and shall not be.
    pub(super) fn settle(&self, all: &mut Vec<NsRecord>, layout: &Layout, left: &BTreeSet<&String>, sync: bool) {
        let has_something = |record: &NsRecord| {
            let own = record.links.iter().any(|link| left.contains(&link.info.id));
            own || !record.vnfs.is_empty() || !record.saps.is_empty()
        };
        let stuck = all
            .iter()
            .filter(|record| has_something(record))
            .map(|record| record.id.clone());
        let stuck: BTreeSet<String> = stuck.collect();
        // What holds one of these stays as well, or nobody would find it.
        let is_stuck = |held: &Held| {
            let mut below = self.gone.iter().filter(|other| stuck.contains(&other.id));
            below.any(|other| other.path == held.path || is_below(&held.path, &other.path))
        };
        let gone = self.gone.iter().filter(|held| !is_stuck(held));
        let lost: BTreeSet<&String> = gone.chain(&self.released).map(|held| &held.id).collect();
        all.retain(|record| !lost.contains(&record.id));
        for record in all {
            record.nested.retain(|nested| !lost.contains(&nested.id));
            let planned = layout.nested.iter().find(|planned| planned.id == record.id);
            if let Some(planned) = planned.filter(|_| sync) {
                record.nsd_id.clone_from(&planned.nsd_id);
                record.nsd_info_id.clone_from(&planned.nsd_info_id);
                record.flavour_id = Some(planned.flavour_id.clone());
                record.pnfs.clone_from(&planned.pnfs);
            }
        }
    }

    /// The documents of those that are not held any more; `all` are those that are.
    pub(super) fn let_go(&self, ending: &Ending<'_>, all: &[NsRecord]) -> Result<Vec<Write>, StepError> {
        let is_held = |held: &&Held| all.iter().any(|record| record.id == held.id);
        let gone = self.gone.iter().filter(|held| !is_held(held));
        let mut writes: Vec<Write> = gone.map(|gone| Write::delete(NS, &gone.id, Expect::Any)).collect();
        writes.extend(released(ending, &self.released)?);
        Ok(writes)
    }

    /// Those that were taken in are not, because it failed.
    pub(super) fn give_back(&self, ending: &Ending<'_>) -> Result<Vec<Write>, StepError> {
        released(ending, &self.taken)
    }
}

/// What there is afterwards.
pub(super) struct After<'a> {
    pub(super) layout: &'a Layout,
    /// Identifiers of what goes.
    pub(super) gone: &'a BTreeSet<String>,
    /// The layout has all SAPs and PNFs, not the new ones alone.
    pub(super) sync: bool,
}

impl After<'_> {
    /// Names of what is on a link.
    fn on(&self, net: &str, flat: &FlatNs) -> Vec<String> {
        let layout = self.layout;
        let mut on: BTreeSet<&String> = BTreeSet::new();
        let vnfs = layout
            .vnfs
            .iter()
            .filter(|vnf| vnf.ends.iter().any(|(_, on)| on == net));
        on.extend(vnfs.map(|vnf| &vnf.name));
        on.extend(layout.saps.iter().filter(|sap| sap.link == net).map(|sap| &sap.sapd));
        let is_on = |pnf: &&NsPnf| pnf.links.values().any(|on| on == net);
        on.extend(layout.pnfs.iter().filter(is_on).map(|pnf| &pnf.info.pnf_profile_id));
        if !self.sync {
            let stays = |sap: &&NsSap| sap.link == net && !self.gone.contains(&sap.info.id);
            on.extend(flat.ns.saps.iter().filter(stays).map(|sap| &sap.info.sapd_id));
            on.extend(flat.ns.pnfs.iter().filter(is_on).map(|pnf| &pnf.info.pnf_profile_id));
        }
        on.into_iter().cloned().collect()
    }

    /// Own links that nobody is on give way to those of an NS that is taken in: their identifiers. Faults: somebody is.
    pub(super) fn give_way(&self, flat: &FlatNs, existing: &Existing, faults: &mut Faults) -> Vec<String> {
        let mut free = Vec::new();
        for (own, other) in existing.replaced(&flat.ns) {
            let name = &own.info.ns_virtual_link_desc_id;
            let on = self.on(name, flat);
            if on.is_empty() {
                free.push(own.info.id.clone());
                continue;
            }
            faults.push(
                CallError::conflict(format!(
                    "link {name} and {} of the nested NS would be one, and are networks of their own already; on {name} is {}",
                    other.info.ns_virtual_link_desc_id,
                    on.join(", ")
                ))
                .cure("connect the nested NS to a link that nothing is on"),
            );
        }
        free
    }
}

fn released(ending: &Ending<'_>, all: &[Held]) -> Result<Vec<Write>, StepError> {
    let tenant: &TenantId = &ending.occurrence.tenant;
    let docs = all.iter().filter_map(|held| ending.doc(NS, &held.id));
    docs.map(|doc| Ok(adopt::released(doc, tenant)?.into())).collect()
}

fn own_names(flat: &FlatNs) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    let own = flat.inside.iter().filter(|inner| !inner.is_foreign);
    for inner in own {
        for vnf in &inner.ns.vnfs {
            names.insert(joined(&inner.path, &vnf.profile), vnf.profile.clone());
        }
        for link in &inner.ns.links {
            let known = flat.ns.links.iter().find(|known| known.info.id == link.info.id);
            let Some(name) = known.map(|known| &known.info.ns_virtual_link_desc_id) else {
                continue;
            };
            // The outermost NS that has it comes first; the service's own links are called as they are.
            if !flat.outermost_links.contains(&link.info.id) {
                names
                    .entry(name.clone())
                    .or_insert_with(|| link.info.ns_virtual_link_desc_id.clone());
            }
        }
    }
    names
}

/// The NSD with the nested NSs that a request leaves and adds. Errors: profiles and NSs that there are not.
pub(super) fn wanted(nsd: &Nsd, record: &NsRecord, request: &UpdateNsRequest) -> Result<Nsd, CallError> {
    let mut faults = Faults::default();
    let is_held = |profile: &str| record.nested.iter().any(|nested| nested.profile == profile);
    for data in &request.add_nested_ns_data {
        let profile = &data.ns_profile_id;
        if is_held(profile) {
            faults.push(
                CallError::conflict(format!("the NS has a nested NS of profile {profile} already"))
                    .cure("take that out first: REMOVE_NESTED_NS"),
            );
        } else if nsd.nested_ns_profiles.iter().all(|known| known.id != *profile) {
            let known: Vec<&str> = nsd.nested_ns_profiles.iter().map(|known| known.id.as_str()).collect();
            faults.invalid(format!(
                "the NSD has no nested NS profile {profile}; it has: {}",
                known.join(", ")
            ));
        }
    }
    let mut wanted = match request.update_type {
        UpdateType::AssocNewNsdVersion => nsd.clone(),
        _ => as_held(nsd, record),
    };
    if request.update_type == UpdateType::AddNestedNs {
        if request.add_nested_ns_data.is_empty() {
            faults.push(missing("addNestedNsData"));
        }
        let added = |id: &String| request.add_nested_ns_data.iter().any(|data| data.ns_profile_id == *id);
        wanted.nested_ns_profiles = nsd.nested_ns_profiles.clone();
        wanted
            .nested_ns_profiles
            .retain(|profile| is_held(&profile.id) || added(&profile.id));
    }
    if request.update_type == UpdateType::RemoveNestedNs {
        if request.remove_nested_ns_id.is_empty() {
            faults.push(missing("removeNestedNsId"));
        }
        for id in &request.remove_nested_ns_id {
            match record.nested.iter().find(|nested| nested.id == *id) {
                Some(nested) => wanted.nested_ns_profiles.retain(|profile| profile.id != nested.profile),
                None => {
                    let known = record.nested.iter();
                    let known: Vec<String> = known
                        .map(|nested| format!("{} ({})", nested.id, nested.profile))
                        .collect();
                    faults.push(CallError::not_found(format!(
                        "the NS nests no NS {id}; it nests: {}",
                        known.join(", ")
                    )));
                }
            }
        }
    }
    faults.check().map(|()| wanted)
}
