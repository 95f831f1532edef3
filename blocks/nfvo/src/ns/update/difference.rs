//! What an NS is, held against what it shall be. Pure.
//!
//! ```text
//!   present (record, VNFs as the VNFM tells them, networks as the VIMs do) ─┐
//!                                                                           ├──> difference ──> plan, and what a client is shown
//!   layout around what stays, of the NSD that it shall follow ──────────────┘
//! ```

use std::collections::{BTreeMap, BTreeSet};

use manifold_call::{CallError, Uuid};
use manifold_descriptors::FlatNsd;
use manifold_descriptors::link::L3ProtocolData;
use manifold_descriptors::nsd::{NsVirtualLink, Nsd};
use manifold_sol::{ExtVirtualLinkData, VnfExtCpConfig};
use manifold_vim_interface::NetworkId;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::family::Family;
use super::packets::{self, PacketChanges};
use super::present::{Present, PresentVnf};
use crate::fault::Faults;
use crate::ns::layout::{Layout, PlannedNetwork, PlannedVnf};
use crate::ns::network::MadeNetwork;
use crate::record::{NsLink, NsNetwork, NsPnf, NsSap, NsVnf, VnfRecord};

/// What an update makes, changes and takes away.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Difference {
    /// What is made: VNFs, links with their networks, SAPs. Of PNFs, all that there are afterwards.
    pub(crate) create: Layout,
    /// Networks that are there and that something new is plugged into.
    pub(crate) used: Vec<Used>,
    /// VNFs whose connection points move.
    pub(crate) connect: Vec<Connected>,
    /// Networks whose limit changes.
    pub(crate) rates: Vec<NewRate>,
    pub(crate) remove: Removed,
    /// Identifiers of all links, by descriptor.
    pub(crate) link_ids: BTreeMap<String, String>,
    /// PNFs afterwards; `None`: as they are.
    pub(crate) pnfs: Option<Vec<NsPnf>>,
    /// Forwarding paths and traffic rules.
    #[serde(default)]
    pub(crate) packets: PacketChanges,
    /// NSs that it holds, and does not any more.
    #[serde(default, skip_serializing_if = "Family::is_empty")]
    pub(crate) family: Family,
}

/// A network that is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Used {
    pub(crate) link: String,
    pub(crate) vim: String,
    pub(crate) network: MadeNetwork,
}

/// A VNF whose connection points move.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Connected {
    pub(crate) vnf: NsVnf,
    pub(crate) moves: Vec<Moved>,
    /// What the VNFM was told of those before.
    pub(crate) before: Vec<ExtVirtualLinkData>,
    /// Where the VNF belongs, before and after: provider networks that its machines must reach.
    pub(crate) place_before: VnfRecord,
    pub(crate) place_after: VnfRecord,
    pub(crate) additional_params: BTreeMap<String, Value>,
}

/// A connection point that moves.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Moved {
    pub(crate) cpd: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) config: BTreeMap<String, VnfExtCpConfig>,
}

/// A network whose limit changes, in bits per second; 0 = none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewRate {
    pub(crate) link: String,
    pub(crate) vim: String,
    pub(crate) network: NetworkId,
    pub(crate) before: u64,
    pub(crate) after: u64,
}

/// What goes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Removed {
    pub(crate) vnfs: Vec<NsVnf>,
    pub(crate) saps: Vec<NsSap>,
    pub(crate) links: Vec<NsLink>,
}

impl Removed {
    /// SAPs with the names of their steps: an operation that was given up may have left two of one descriptor.
    pub(crate) fn sap_steps(&self) -> impl Iterator<Item = (String, &NsSap)> {
        self.saps.iter().enumerate().map(|(at, sap)| {
            let sapd = &sap.info.sapd_id;
            match self.saps[..at]
                .iter()
                .filter(|before| before.info.sapd_id == *sapd)
                .count()
            {
                0 => (format!("remove-sap/{sapd}"), sap),
                n => (format!("remove-sap/{sapd}/{n}"), sap),
            }
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.vnfs.is_empty() && self.saps.is_empty() && self.links.is_empty()
    }
}

/// What the NS shall be, as far as the layout does not say it.
pub(crate) struct Wish<'a> {
    /// The NSD that it shall follow, laid flat.
    pub(crate) flat: &'a FlatNsd,
    /// The whole of it: what the NSD does not name goes. Else only what is named in `gone` does.
    pub(crate) sync: bool,
    /// Identifiers of VNFs, SAPs and links that go.
    pub(crate) gone: BTreeSet<String>,
    /// Configurations of connection points, by VNF and descriptor, where somebody said them.
    pub(crate) configs: BTreeMap<(String, String), BTreeMap<String, VnfExtCpConfig>>,
    /// For VNFs whose connection points move.
    pub(crate) additional_params: BTreeMap<String, BTreeMap<String, Value>>,
}

/// Errors: every fault at once; `Unsupported`, what cannot change while it is there.
pub(crate) fn difference(
    present: &Present<'_>,
    wish: &Wish<'_>,
    family: &Family,
    mut layout: Layout,
) -> Result<Difference, CallError> {
    let mut faults = Faults::default();
    let record = present.record;
    let vnfs_after = layout.vnfs.clone();
    let staying: BTreeMap<String, PlannedVnf> = layout
        .vnfs
        .iter()
        .filter(|vnf| record.vnfs.iter().any(|known| known.key == vnf.key))
        .map(|vnf| (vnf.key.clone(), vnf.clone()))
        .collect();
    layout.vnfs.retain(|vnf| !staying.contains_key(&vnf.key));
    let mut all = Difference {
        pnfs: wish.sync.then(|| layout.pnfs.clone()),
        ..Difference::default()
    };
    all.remove = removed(present, wish, &mut layout);
    all.link_ids = record
        .links
        .iter()
        .map(|link| (link.info.ns_virtual_link_desc_id.clone(), link.info.id.clone()))
        .chain(layout.links.iter().map(|link| (link.link.clone(), link.id.clone())))
        .collect();
    for vnf in &present.vnfs {
        if let Some(after) = staying.get(&vnf.vnf.key) {
            all.connect.extend(moved(vnf, after, wish, &mut faults));
        }
    }
    all.create = layout;
    rates(present, wish, &mut all, &mut faults);
    used(present, &mut all, &mut faults);
    all.packets = packets::changes(present, (wish, family), vnfs_after, &all, &mut faults);
    faults.check().map(|()| all)
}

/// What goes; of the layout's SAPs, those that are there as they shall be are taken out.
fn removed(present: &Present<'_>, wish: &Wish<'_>, layout: &mut Layout) -> Removed {
    let record = present.record;
    let mut gone = Removed {
        vnfs: record
            .vnfs
            .iter()
            .filter(|vnf| wish.gone.contains(&vnf.id))
            .cloned()
            .collect(),
        ..Removed::default()
    };
    let planned = std::mem::take(&mut layout.saps);
    for sap in &record.saps {
        let stays = planned.iter().any(|after| is_same(sap, after));
        if wish.gone.contains(&sap.info.id) || (wish.sync && !stays) {
            gone.saps.push(sap.clone());
        }
    }
    for mut sap in planned {
        if record
            .saps
            .iter()
            .any(|known| is_same(known, &sap) && !wish.gone.contains(&known.info.id))
        {
            continue;
        }
        // The one that goes has its identifier until it is gone.
        if record.saps.iter().any(|known| known.info.id == sap.id) {
            sap.id = Uuid::new_v5(&crate::ns::show::space(&sap.id), b"again").to_string();
        }
        layout.saps.push(sap);
    }
    let goes = |link: &&NsLink| {
        let name = &link.info.ns_virtual_link_desc_id;
        wish.gone.contains(&link.info.id) || (wish.sync && wish.flat.nsd.virtual_link(name).is_none())
    };
    // Networks of an NS that was there before stay that one's.
    let own = record
        .links
        .iter()
        .filter(|link| !present.foreign_links.contains(&link.info.id));
    gone.links = own.filter(goes).cloned().collect();
    gone
}

fn is_same(sap: &NsSap, planned: &crate::ns::layout::PlannedSap) -> bool {
    sap.info.sapd_id == planned.sapd
        && sap.link == planned.link
        && sap.info.sap_name == planned.name
        && sap.vim == planned.vim
}

fn moved(vnf: &PresentVnf, after: &PlannedVnf, wish: &Wish<'_>, faults: &mut Faults) -> Option<Connected> {
    let now = vnf.ends.as_ref()?;
    let place_after = VnfRecord {
        reaches: after.reaches.clone(),
        ..vnf.place.clone()
    };
    let mut moves = Vec::new();
    for (cpd, to) in &after.ends {
        let from = now.iter().find(|(known, _)| known == cpd).map(|(_, link)| link.clone());
        let config = wish.configs.get(&(vnf.vnf.id.clone(), cpd.clone()));
        if from.as_ref() == Some(to) && config.is_none() {
            continue;
        }
        let usual = || [(format!("{cpd}-config"), VnfExtCpConfig::default())].into();
        moves.push(Moved {
            cpd: cpd.clone(),
            from: from.unwrap_or_default(),
            to: to.clone(),
            config: config.cloned().unwrap_or_else(usual),
        });
    }
    for (cpd, link) in now {
        if !after.ends.iter().any(|(known, _)| known == cpd) {
            faults.push(
                CallError::unsupported(format!(
                    "VNF {} has {cpd} on link {link}, and it would be on none",
                    vnf.vnf.name
                ))
                .cure("connect it to another link, or take the VNF away"),
            );
        }
    }
    if moves.is_empty() {
        return None;
    }
    let is_moving = |cpd: &str| moves.iter().any(|one| one.cpd == cpd);
    let before = vnf.ext_links.iter().filter_map(|link| {
        let mut link = link.clone();
        link.ext_cps.retain(|cp| is_moving(&cp.cpd_id));
        (!link.ext_cps.is_empty()).then_some(link)
    });
    Some(Connected {
        before: before.collect(),
        vnf: vnf.vnf.clone(),
        moves,
        place_before: vnf.place.clone(),
        place_after,
        additional_params: wish.additional_params.get(&vnf.vnf.id).cloned().unwrap_or_default(),
    })
}

/// Links that stay: what may change of them, and what may not.
fn rates(present: &Present<'_>, wish: &Wish<'_>, all: &mut Difference, faults: &mut Faults) {
    if !wish.sync {
        return;
    }
    let is_own = |link: &&NsLink| !present.foreign_links.contains(&link.info.id);
    for link in present.record.links.iter().filter(is_own) {
        let id = &link.info.ns_virtual_link_desc_id;
        let Some(after) = wish.flat.nsd.virtual_link(id) else {
            continue;
        };
        if let Some(before) = present.nsd.virtual_link(id) {
            fixed(link, before, after, present.nsd, &wish.flat.nsd, faults);
        }
        let wanted = limit(after);
        for network in &link.networks {
            let Some(now) = present.rates.get(&network.id) else {
                faults.push(CallError::conflict(format!(
                    "the network of link {id} at {} is not there any more",
                    network.vim
                )));
                continue;
            };
            if *now != wanted {
                all.rates.push(NewRate {
                    link: id.clone(),
                    vim: network.vim.clone(),
                    network: network.id,
                    before: *now,
                    after: wanted,
                });
            }
        }
    }
}

/// The limit of each port of a link's networks; 0 = none.
fn limit(link: &NsVirtualLink) -> u64 {
    let rate = link.max_bitrate;
    rate.leaf_bits_per_second.or(rate.root_bits_per_second).unwrap_or(0)
}

fn fixed(link: &NsLink, before: &NsVirtualLink, after: &NsVirtualLink, old: &Nsd, new: &Nsd, faults: &mut Faults) {
    let bare = |all: &[L3ProtocolData]| -> Vec<L3ProtocolData> {
        let bare = |one: &L3ProtocolData| L3ProtocolData {
            name: None,
            place: None,
            ..one.clone()
        };
        all.iter().map(bare).collect()
    };
    let mut what = Vec::new();
    if bare(&before.l3) != bare(&after.l3) {
        what.push("its subnets");
    }
    let mtu = |link: &NsVirtualLink| link.l2.as_ref().and_then(|l2| l2.mtu_bytes);
    if mtu(before) != mtu(after) {
        what.push("its MTU");
    }
    let provider = |link: &NsVirtualLink| link.l2.as_ref().and_then(|l2| l2.provider_network().map(str::to_owned));
    if provider(before) != provider(after) {
        what.push("its provider network");
    }
    let physical = |nsd: &Nsd| -> BTreeSet<(String, String)> {
        let on_it = nsd.pnf_profiles.iter().flat_map(|pnf| {
            let here = pnf.connectivity.iter().filter(|cp| cp.virtual_link == before.id);
            here.map(|cp| (pnf.id.clone(), cp.cpd.clone()))
        });
        on_it.collect()
    };
    if physical(old) != physical(new) {
        what.push("its physical functions");
    }
    let guaranteed = |link: &NsVirtualLink| {
        link.max_bitrate
            .root_bits_per_second
            .or(link.min_bitrate.root_bits_per_second)
    };
    if link.mscs.is_some() && guaranteed(before) != guaranteed(after) {
        what.push("the bandwidth of its service on the WAN");
    }
    if !what.is_empty() {
        faults.push(
            CallError::unsupported(format!(
                "link {} changes {}, which cannot change while it is there",
                before.id,
                what.join(", ")
            ))
            .cure("give the changed link a new name: it is made beside the old one, and what is on it moves"),
        );
    }
}

/// Networks that are there and that something new or moved is plugged into. Errors: a link does not reach that site.
fn used(present: &Present<'_>, all: &mut Difference, faults: &mut Faults) {
    let new: BTreeSet<(String, String)> = all
        .create
        .networks
        .iter()
        .map(|network| (network.link.clone(), network.vim.clone()))
        .collect();
    let vnfs = all
        .create
        .vnfs
        .iter()
        .flat_map(|vnf| vnf.ends.iter().map(|(_, link)| (link.clone(), vnf.vim.clone())));
    let saps = all.create.saps.iter().map(|sap| (sap.link.clone(), sap.vim.clone()));
    let moves = all
        .connect
        .iter()
        .flat_map(|one| one.moves.iter().map(|to| (to.to.clone(), one.vnf.vim.clone())));
    let wanted: BTreeSet<(String, String)> = vnfs.chain(saps).chain(moves).filter(|end| !new.contains(end)).collect();
    for (link, vim) in wanted {
        let known = present
            .record
            .links
            .iter()
            .find(|known| known.info.ns_virtual_link_desc_id == link);
        let network = known.and_then(|known| known.networks.iter().find(|network| network.vim == vim));
        if let Some(network) = network {
            let network = made(network);
            all.used.push(Used { link, vim, network });
            continue;
        }
        let sites: Vec<&str> = known
            .map(|known| known.networks.iter().map(|network| network.vim.as_str()).collect())
            .unwrap_or_default();
        faults.push(
            CallError::unsupported(format!(
                "link {link} is at {}, and would have to reach {vim}, which cannot change while it is there",
                sites.join(", ")
            ))
            .cure("put the VNF where the link is, or give the NS another link for it"),
        );
    }
}

fn made(network: &NsNetwork) -> MadeNetwork {
    MadeNetwork {
        id: network.id,
        subnets: network.subnets.clone(),
        segmentation_id: network.segmentation_id,
        provider_network: network.provider_network.clone(),
    }
}

impl Difference {
    /// Names the steps of networks.
    pub(crate) fn network_step(link: &str, vim: &str) -> String {
        PlannedNetwork::step(link, vim)
    }
}
