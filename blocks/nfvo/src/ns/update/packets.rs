//! Forwarding paths and traffic rules in an update: which are made, changed and taken away. Pure; `packet_steps` plans it.
//!
//! ```text
//!   everything made ──> take/<path> ──> vnf/<key>/connect ──> path/<nfp>@<vim>, traffic/<rule>@<vim> ──> turn ──> drop/<rule>, …
//! ```
//!
//! What only changes is changed where it is, so that no packet passes it by meanwhile. A path is taken away first if its VIM could
//! not do that, or if a VNF on it gets other ports: a port that a path holds cannot go, and no two paths take the same packets
//! elsewhere. Until `turn`, all of that has a way back. A rule that goes, goes after it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::difference::{Difference, Wish};
use super::family::Family;
use super::present::Present;
use crate::fault::Faults;
use crate::ns::layout::{Layout, PlannedLink, PlannedSap, PlannedVnf};
use crate::ns::passed::There;
use crate::ns::paths::{Packet, Packets, PlannedPath, Target};
use crate::record::NsRecord;

/// What becomes of paths and rules.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct PacketChanges {
    pub(crate) there: There,
    pub(crate) changes: Vec<PacketChange>,
}

/// What becomes of one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PacketChange {
    pub(crate) before: Option<Packet>,
    pub(crate) after: Option<Packet>,
    /// It cannot stay as it is while VNFs are connected elsewhere, or cannot be changed where it is.
    pub(crate) is_torn: bool,
}

impl PacketChange {
    /// Names it.
    pub(crate) fn step(&self) -> String {
        self.after
            .as_ref()
            .or(self.before.as_ref())
            .map(Packet::step)
            .unwrap_or_default()
    }

    /// Names the step that takes it away, or is ready to bring it back, before VNFs are connected elsewhere.
    pub(crate) fn take_step(&self) -> Option<String> {
        self.is_torn.then(|| format!("take/{}", self.step()))
    }

    /// Names the step that takes it away when there is no way back.
    pub(crate) fn drop_step(&self) -> Option<String> {
        let is_late = self.after.is_none() && !self.before.as_ref().is_some_and(|before| self.is_taken(before));
        is_late.then(|| format!("drop/{}", self.step()))
    }

    /// Whether the taking step takes it away: a rule stays, its VIM sees to its ports.
    pub(crate) fn is_taken(&self, before: &Packet) -> bool {
        self.is_torn && before.is_path()
    }
}

impl PacketChanges {
    pub(crate) fn has_drops(&self) -> bool {
        self.changes.iter().any(|change| change.drop_step().is_some())
    }

    /// What was done, into the record.
    pub(crate) fn apply(&self, record: &mut NsRecord, is_done: impl Fn(&str) -> bool) {
        for change in &self.changes {
            // Whatever was begun may be there, noted or not.
            record
                .packet_vims
                .extend(change.after.iter().map(|packet| packet.vim().to_owned()));
            let taken = change
                .take_step()
                .filter(|_| change.before.as_ref().is_some_and(Packet::is_path));
            if [taken, change.drop_step()].iter().flatten().any(|step| is_done(step)) {
                record.packets.remove(&change.step());
            }
            if let Some(after) = change.after.as_ref().filter(|after| is_done(&after.step())) {
                record.packets.insert(after.clone());
            }
        }
    }
}

/// What an update touches.
struct Touched {
    /// Keys of VNFs that are connected elsewhere.
    moved: BTreeSet<String>,
    /// VNFs, SAPs and networks that are new.
    new_vnfs: BTreeSet<String>,
    new_saps: BTreeSet<String>,
    new_networks: BTreeSet<(String, String)>,
    /// VNFs and SAPs that go.
    gone_vnfs: BTreeSet<String>,
    gone_saps: BTreeSet<String>,
    /// Links that go.
    gone_links: BTreeSet<String>,
}

impl Touched {
    fn of(record: &NsRecord, family: &Family, all: &Difference) -> Self {
        let forgotten = record
            .links
            .iter()
            .filter(|link| family.forgotten.contains(&link.info.id));
        Self {
            moved: all.connect.iter().map(|one| one.vnf.key.clone()).collect(),
            new_vnfs: all.create.vnfs.iter().map(|vnf| vnf.key.clone()).collect(),
            new_saps: all.create.saps.iter().map(|sap| sap.sapd.clone()).collect(),
            new_networks: all
                .create
                .networks
                .iter()
                .map(|network| (network.link.clone(), network.vim.clone()))
                .collect(),
            gone_vnfs: all.remove.vnfs.iter().map(|vnf| vnf.key.clone()).collect(),
            gone_saps: all.remove.saps.iter().map(|sap| sap.info.sapd_id.clone()).collect(),
            gone_links: {
                let links = all.remove.links.iter().chain(forgotten);
                links.map(|link| link.info.ns_virtual_link_desc_id.clone()).collect()
            },
        }
    }

    fn moves(&self, packet: &Packet) -> bool {
        let moves = |target: &Target| matches!(target, Target::Vnf { key, .. } if self.moved.contains(key));
        packet.targets().iter().any(moves)
    }

    fn makes(&self, packet: &Packet) -> bool {
        packet.targets().iter().any(|target| match target {
            Target::Vnf { key, .. } => self.new_vnfs.contains(key),
            Target::Sap { sapd } => self.new_saps.contains(sapd),
            Target::Network { link } => self.new_networks.contains(&(link.clone(), packet.vim().to_owned())),
        })
    }

    fn ends(&self, packet: &Packet) -> bool {
        packet.targets().iter().any(|target| match target {
            Target::Vnf { key, .. } => self.gone_vnfs.contains(key),
            Target::Sap { sapd } => self.gone_saps.contains(sapd),
            Target::Network { link } => self.gone_links.contains(link),
        })
    }
}

/// `vnfs`: those that there are afterwards. Errors, as faults: a new version says what cannot be.
pub(super) fn changes(
    present: &Present<'_>,
    (wish, family): (&Wish<'_>, &Family),
    vnfs: Vec<PlannedVnf>,
    all: &Difference,
    faults: &mut Faults,
) -> PacketChanges {
    let record = present.record;
    let wanted = wanted(record, (wish, family), vnfs, all, faults);
    let touched = Touched::of(record, family, all);
    let mut found = PacketChanges {
        there: There::of(record),
        ..PacketChanges::default()
    };
    for held in record.packets.each() {
        let after = wanted.each().find(|packet| packet.step() == held.step());
        let is_moved = touched.moves(&held) || after.as_ref().is_some_and(|after| touched.moves(after));
        let is_shaken = is_moved || touched.makes(&held) || touched.ends(&held);
        let after = match after {
            Some(after) if wish.sync => Some(after),
            // Only what the request is about; the rest of what its NSD says by now is not asked for.
            Some(after) if is_shaken || touched.makes(&after) => Some(after),
            None if wish.sync || touched.ends(&held) || family.loses(held.name()) => None,
            // A rule for what is behind a SAP, and nothing is there any more.
            None if touched.moves(&held) && !held.is_path() => None,
            Some(_) | None => Some(held.clone()),
        };
        let stays = after
            .as_ref()
            .is_some_and(|after| *after == held && !touched.makes(after));
        if stays && !is_shaken {
            continue;
        }
        let is_torn = touched.moves(&held) || !after.as_ref().is_some_and(|after| changes_in_place(&held, after));
        found.changes.push(PacketChange {
            is_torn: is_torn && (held.is_path() || touched.moves(&held)),
            before: Some(held),
            after,
        });
    }
    let is_new = |packet: &Packet| record.packets.each().all(|held| held.step() != packet.step());
    let news = wanted.each().filter(is_new);
    for after in news.filter(|after| wish.sync || touched.makes(after) || touched.moves(after)) {
        found.changes.push(PacketChange {
            before: None,
            after: Some(after),
            is_torn: false,
        });
    }
    found
}

/// Whether the VIM can make one of the other: of a path, its class and its ports.
fn changes_in_place(before: &Packet, after: &Packet) -> bool {
    match (before, after) {
        (Packet::Path(before), Packet::Path(after)) => {
            let rest = |path: &PlannedPath| (path.priority, path.schedule.clone(), path.is_from_network());
            rest(before) == rest(after)
        }
        (Packet::Rule(_), Packet::Rule(_)) => true,
        _ => false,
    }
}

/// What the NSD says of packets, for the NS as it is afterwards.
fn wanted(
    record: &NsRecord,
    (wish, family): (&Wish<'_>, &Family),
    vnfs: Vec<PlannedVnf>,
    all: &Difference,
    faults: &mut Faults,
) -> Packets {
    let stays = |sap: &&crate::record::NsSap| all.remove.saps.iter().all(|gone| gone.info.id != sap.info.id);
    let saps = record.saps.iter().filter(stays).map(|sap| PlannedSap {
        id: sap.info.id.clone(),
        sapd: sap.info.sapd_id.clone(),
        link: sap.link.clone(),
        vim: sap.vim.clone(),
        ..PlannedSap::default()
    });
    let links = record.links.iter().map(|link| PlannedLink {
        id: link.info.id.clone(),
        link: link.info.ns_virtual_link_desc_id.clone(),
        vims: link.networks.iter().map(|network| network.vim.clone()).collect(),
        ..PlannedLink::default()
    });
    let is_left = |link: &PlannedLink| {
        !family.forgotten.contains(&link.id) && all.remove.links.iter().all(|gone| gone.info.id != link.id)
    };
    let layout = Layout {
        vnfs,
        saps: saps.chain(all.create.saps.iter().cloned()).collect(),
        links: links.filter(is_left).chain(all.create.links.iter().cloned()).collect(),
        ..Layout::default()
    };
    let (packets, wrong) = Packets::read(wish.flat, &layout);
    // Who takes a VNF away takes its paths away; a version that has such a path is wrong.
    if wish.sync
        && let Err(wrong) = wrong.check()
    {
        faults.push(wrong);
    }
    packets
}
