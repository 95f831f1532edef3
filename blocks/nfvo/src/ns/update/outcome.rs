//! What an update made and took away, into the documents and into what a client is told.

use std::collections::{BTreeMap, BTreeSet};

use manifold_lcm::{Ending, Outputs, StepError};
use manifold_sol::{AffectedNsVl, AffectedVnf, ChangeType, NsResourceChanges};
use manifold_store::{Expect, Write};

use super::difference::Difference;
use super::{Params, TURN, connect_step, is_done, remove_network_step, remove_vnf_step};
use crate::ns::instantiate::fill_made;
use crate::ns::layout::PlannedNetwork;
use crate::ns::nested;
use crate::ns::terminate::affected;
use crate::ns::vnf::{CreateVnf, MadeVnf};
use crate::record::{NS, NsLink, NsRecord, NsVnf, VNF};

/// The NS, and those that it holds and that were made for it.
pub(super) fn records(ending: &Ending<'_>, params: &Params) -> Result<Vec<NsRecord>, StepError> {
    let mut all = vec![ending.subject()?.read()?];
    let made = params.difference.family.made();
    for doc in made.filter_map(|held| ending.doc(NS, &held.id)) {
        all.push(doc.read()?);
    }
    Ok(all)
}

/// The outermost NS stands first.
pub(super) fn write(ending: &Ending<'_>, all: Vec<NsRecord>) -> Result<Vec<Write>, StepError> {
    let doc = ending.subject()?;
    let put = |record: NsRecord| {
        let expect = if record.id == doc.id {
            Expect::Exactly(doc.revision)
        } else {
            Expect::Any
        };
        let record = NsRecord {
            next_nsd: None,
            ..record
        };
        Ok(record.put(&ending.occurrence.tenant, expect)?.into())
    };
    all.into_iter().map(put).collect()
}

/// What was made and taken away, into the records; the outermost NS stands first. What was not stays as it was. Of NSs that go, and
/// of what others are called, nothing before the turn.
pub(super) fn apply(
    all: &mut Vec<NsRecord>,
    params: &Params,
    outputs: &Outputs,
    is_turned: bool,
) -> Result<Vec<Write>, StepError> {
    let difference = &params.difference;
    let (layout, gone) = (&difference.create, &difference.remove);
    let mut writes = Vec::new();
    nested::enter(all, layout)?;
    for vnf in gone.vnfs.iter().filter(|vnf| is_done(outputs, &remove_vnf_step(vnf))) {
        for record in &mut *all {
            record.vnfs.retain(|known| known.id != vnf.id);
        }
        writes.push(Write::delete(VNF, &vnf.id, Expect::Any));
    }
    let lost: BTreeSet<&String> = gone
        .sap_steps()
        .filter(|(step, _)| is_done(outputs, step))
        .map(|(_, sap)| &sap.info.id)
        .collect();
    let is_gone = |link: &NsLink| {
        let name = &link.info.ns_virtual_link_desc_id;
        let is_gone = |vim: &str| is_done(outputs, &remove_network_step(name, vim));
        link.networks.iter().all(|network| is_gone(&network.vim)) && is_done(outputs, TURN)
    };
    let links: BTreeSet<&String> = gone
        .links
        .iter()
        .filter(|link| is_gone(link))
        .map(|link| &link.info.id)
        .collect();
    for record in &mut *all {
        record.saps.retain(|sap| !lost.contains(&sap.info.id));
        record.links.retain(|known| !links.contains(&known.info.id));
        record.wan.retain(|wan| {
            let on = wan.ns_virtual_link.as_ref();
            on.is_none_or(|on| !links.contains(&on.ns_virtual_link_info_id))
        });
    }
    let sync = difference.pnfs.is_some();
    if is_turned {
        let left = gone
            .links
            .iter()
            .map(|link| &link.info.id)
            .filter(|id| !links.contains(id));
        difference.family.settle(all, layout, &left.collect(), sync);
        // What links are called changes with the NSD that is followed, and not by the way.
        let parts = if sync { &layout.parts } else { &BTreeMap::new() };
        nested::relink(all, parts, &difference.link_ids, &difference.family.forgotten);
    }
    if sync {
        all[0].pnfs.clone_from(&layout.pnfs);
    }
    fill_made(all, &params.ns, layout, outputs)?;
    let vims = layout.networks.iter().map(|network| network.vim.clone());
    all[0].vims.extend(vims);
    difference.packets.apply(&mut all[0], |step| is_done(outputs, step));
    Ok(writes)
}

pub(super) fn summary(difference: &Difference, outputs: &Outputs) -> NsResourceChanges {
    let made = difference.create.vnfs.iter().filter_map(|vnf| {
        let made: MadeVnf = outputs.find(&CreateVnf::step(&vnf.key)).ok()??;
        Some(AffectedVnf {
            vnf_instance_id: made.id.to_string(),
            vnfd_id: vnf.vnfd_id.clone(),
            vnf_profile_id: vnf.profile_in_ns().to_owned(),
            vnf_name: Some(vnf.name.clone()),
            change_type: ChangeType::Added,
        })
    });
    let moved = difference.connect.iter().map(|one| &one.vnf);
    let moved = moved.filter(|vnf| is_done(outputs, &connect_step(vnf)));
    let gone = difference.remove.vnfs.iter();
    let gone = gone.filter(|vnf| is_done(outputs, &remove_vnf_step(vnf)));
    let family = &difference.family;
    let there = |vnf: &NsVnf, change_type| AffectedVnf {
        vnf_profile_id: family.own_name(&vnf.profile).to_owned(),
        ..affected(vnf, change_type)
    };
    let called = |name: &str, own: &str, change_type| AffectedNsVl {
        ns_virtual_link_instance_id: difference.link_ids.get(name).cloned().unwrap_or_default(),
        ns_virtual_link_desc_id: own.to_owned(),
        vl_profile_id: own.to_owned(),
        change_type,
    };
    let link = |name: &String, change_type| called(name, family.own_name(name), change_type);
    let new_links = difference.create.links.iter().filter(|link| {
        let step = |vim: &String| PlannedNetwork::step(&link.link, vim);
        link.vims.iter().any(|vim| is_done(outputs, &step(vim)))
    });
    let changed: BTreeSet<&String> = difference
        .rates
        .iter()
        .filter(|rate| is_done(outputs, &format!("rate/{}@{}", rate.link, rate.vim)))
        .map(|rate| &rate.link)
        .collect();
    let lost = difference.remove.links.iter().filter(|link| {
        let step = |vim: &str| remove_network_step(&link.info.ns_virtual_link_desc_id, vim);
        link.networks
            .iter()
            .all(|network| is_done(outputs, &step(&network.vim)))
    });
    NsResourceChanges {
        affected_vnfs: made
            .chain(moved.map(|vnf| there(vnf, ChangeType::Modified)))
            .chain(gone.map(|vnf| there(vnf, ChangeType::Removed)))
            .collect(),
        affected_vls: new_links
            .map(|one| called(&one.link, one.outermost_name(), ChangeType::Added))
            .chain(changed.into_iter().map(|name| link(name, ChangeType::Modified)))
            .chain(lost.map(|one| link(&one.info.ns_virtual_link_desc_id, ChangeType::Removed)))
            .collect(),
    }
}
