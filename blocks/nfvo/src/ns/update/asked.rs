//! A request to update an NS, read as what shall stay, go and come.

use std::collections::{BTreeMap, BTreeSet};

use manifold_call::CallError;
use manifold_descriptors::nsd::VnfProfile;
use manifold_descriptors::vnfd::DeploymentFlavour;
use manifold_descriptors::{FlatNsd, Nsd};
use manifold_sol::{
    AddPnfData, ChangeExtVnfConnectivityData, InstantiateNsRequest, InstantiateVnfData, ParamsForVnf, PnfExtCpData,
    SapData, UpdateNsRequest, UpdateType, VnfLocationConstraint,
};
use serde_json::json;

use super::difference::Wish;
use super::intent::missing;
use super::present::{Present, PresentVnf};
use crate::catalogue::nsd::Constituents;
use crate::fault::Faults;
use crate::ns::layout::nested::is_realised;
use crate::ns::layout::{PlannedVnf, Staying, StayingVnf};
use crate::ns::start::member;
use crate::record::NsSap;

/// What is asked, while it is read.
pub(super) struct Asked<'a> {
    present: &'a Present<'a>,
    new: &'a Nsd,
    constituents: &'a Constituents,
    pub(super) wish: Wish<'a>,
    pub(super) staying: Staying,
    /// What is laid out: all of the new NSD, or what is asked for only.
    pub(super) nsd: Nsd,
    pub(super) layout_request: InstantiateNsRequest,
    /// VNFs to make, in the order of their profiles' numbers.
    pub(super) news: Vec<(String, InstantiateVnfData)>,
    pub(super) faults: Faults,
}

impl<'a> Asked<'a> {
    /// `gone`: identifiers of what goes in any case.
    pub(super) fn new(
        present: &'a Present<'a>,
        flat: &'a FlatNsd,
        constituents: &'a Constituents,
        sync: bool,
        gone: BTreeSet<String>,
    ) -> Self {
        let record = present.record;
        let new = &flat.nsd;
        let mut staying = Staying {
            keys: record.vnfs.iter().map(|vnf| vnf.key.clone()).collect(),
            ..Staying::default()
        };
        let mut wan = serde_json::Map::new();
        for link in &record.links {
            let id = link.info.ns_virtual_link_desc_id.clone();
            let sites = link.networks.iter().map(|network| network.vim.clone()).collect();
            for network in &link.networks {
                if let Some(provider) = &network.provider_network {
                    staying
                        .providers
                        .insert(id.clone(), (provider.clone(), network.vim.clone()));
                }
            }
            if let Some(mscs) = &link.mscs {
                wan.insert(id.clone(), json!({ "mscsId": mscs }));
            }
            staying.links.insert(id, sites);
        }
        // A link that goes is no hindrance for what is called differently.
        staying
            .links
            .retain(|link, _| !sync || new.virtual_link(link).is_some());
        staying
            .providers
            .retain(|link, _| !sync || new.virtual_link(link).is_some());
        wan.retain(|link, _| new.virtual_link(link).is_some());
        let mut layout_request = InstantiateNsRequest::default();
        if !wan.is_empty() {
            layout_request
                .additional_params_for_ns
                .insert("wan".to_owned(), wan.into());
        }
        let mut nsd = new.clone();
        if !sync {
            nsd.saps.clear();
            nsd.pnf_profiles.clear();
        }
        Self {
            wish: Wish {
                flat,
                sync,
                gone,
                configs: BTreeMap::new(),
                additional_params: BTreeMap::new(),
            },
            present,
            new,
            constituents,
            staying,
            nsd,
            layout_request,
            news: Vec::new(),
            faults: Faults::default(),
        }
    }

    pub(super) fn read(&mut self, request: &UpdateNsRequest) {
        let mut ends = BTreeMap::new();
        match request.update_type {
            UpdateType::AssocNewNsdVersion => self.read_version(request),
            UpdateType::InstantiateVnf => self.read_news(&request.instantiate_vnf_data),
            UpdateType::RemoveVnf => self.read_gone(&request.remove_vnf_instance_id),
            UpdateType::ChangeExternalVnfConnectivity => {
                ends = self.read_moves(&request.change_ext_vnf_connectivity_data);
            }
            UpdateType::AddSap => self.read_saps(&request.add_sap),
            UpdateType::RemoveSap => self.read_gone_saps(&request.remove_sap_id),
            // Nested NSs are no constituents of the flat NSD; the rest was refused before.
            _ => {}
        }
        self.stay(&ends);
    }

    /// VNFs that stay, and how many there shall be of each profile.
    fn stay(&mut self, ends: &BTreeMap<String, Vec<(String, String)>>) {
        for profile in &self.new.vnf_profiles {
            let own = self.present.vnfs.iter().filter(|vnf| vnf.vnf.profile == profile.id);
            let own: Vec<_> = own.filter(|vnf| !self.wish.gone.contains(&vnf.vnf.id)).collect();
            if !self.wish.sync {
                let new = self.news.iter().filter(|(id, _)| *id == profile.id).count();
                let count = u32::try_from(own.len() + new).unwrap_or(u32::MAX);
                self.staying.counts.insert(profile.id.clone(), count);
            }
            for vnf in own {
                self.staying.vnfs.push(StayingVnf {
                    vnf: PlannedVnf {
                        key: vnf.vnf.key.clone(),
                        profile: vnf.vnf.profile.clone(),
                        name: vnf.vnf.name.clone(),
                        vnfd_id: vnf.vnf.vnfd_id.clone(),
                        package: vnf.place.package.clone(),
                        flavour_id: vnf.place.flavour_id.clone(),
                        level: profile.instantiation_level.clone(),
                        vim: vnf.vnf.vim.clone(),
                        zone: vnf.place.zone.clone(),
                        ..PlannedVnf::default()
                    },
                    ends: match ends.get(&vnf.vnf.id) {
                        Some(ends) => Some(self.in_order(profile, vnf, ends.clone())),
                        None if self.wish.sync => None,
                        None => Some(self.in_order(profile, vnf, vnf.ends.clone().unwrap_or_default())),
                    },
                    machines: vnf.machines.clone(),
                });
            }
        }
    }

    /// Connection points of a VNF in the order of its profile.
    fn in_order(
        &self,
        profile: &VnfProfile,
        vnf: &PresentVnf,
        mut ends: Vec<(String, String)>,
    ) -> Vec<(String, String)> {
        let flavour = flavour_of(self.constituents, self.present, &vnf.vnf.id, &vnf.vnf.vnfd_id);
        let known = profile.connectivity.iter().filter_map(|connection| {
            let cpd = flavour?.ext_cpd(&connection.cpd)?;
            Some(&cpd.id)
        });
        let known: Vec<&String> = known.collect();
        ends.sort_by_key(|(cpd, _)| known.iter().position(|id| *id == cpd).unwrap_or(known.len()));
        ends
    }

    /// What the new version has no place for goes: profiles that it does not name, those of another VNFD or flavour, and of the others
    /// the newest that are too many.
    fn read_version(&mut self, request: &UpdateNsRequest) {
        for vnf in &self.present.vnfs {
            let profile = self.new.vnf_profile(&vnf.vnf.profile);
            let stays = profile.is_some_and(|profile| {
                profile.vnfd_id == vnf.vnf.vnfd_id && profile.flavour_id == vnf.place.flavour_id
            });
            if !stays {
                self.wish.gone.insert(vnf.vnf.id.clone());
            }
        }
        for profile in &self.new.vnf_profiles {
            let before = self.present.nsd.vnf_profile(&profile.id);
            let is_same = before
                .is_some_and(|before| before.vnfd_id == profile.vnfd_id && before.flavour_id == profile.flavour_id);
            if let Some(before) = before.filter(|_| is_same)
                && before.instantiation_level != profile.instantiation_level
            {
                self.faults.push(
                    CallError::unsupported(format!(
                        "profile {} has another instantiation level, which its VNFs cannot be brought to",
                        profile.id
                    ))
                    .cure("scale them, and leave the level as it was"),
                );
            }
            let level = self.present.record.level_id.as_deref();
            let wanted = self.new.instances_at(
                profile,
                level.filter(|id| self.new.instantiation_levels.contains_key(*id)),
            );
            let mut own: Vec<_> = self
                .present
                .vnfs
                .iter()
                .filter(|vnf| vnf.vnf.profile == profile.id && !self.wish.gone.contains(&vnf.vnf.id))
                .collect();
            own.sort_by_key(|vnf| number(&vnf.vnf.key));
            let surplus = own.into_iter().skip(usize::try_from(wanted).unwrap_or(usize::MAX));
            self.wish.gone.extend(surplus.map(|vnf| vnf.vnf.id.clone()));
        }
        let record = self.present.record;
        let kept = record
            .saps
            .iter()
            .filter(|sap| self.nsd.saps.iter().any(|known| known.id == sap.info.sapd_id));
        let kept = kept.filter(|sap| request.add_sap.iter().all(|new| new.sapd_id != sap.info.sapd_id));
        let saps: Vec<SapData> = kept.map(sap_data).chain(request.add_sap.iter().cloned()).collect();
        self.nsd.saps.retain(|sap| is_realised(sap, &saps, self.wish.flat));
        self.layout_request.sap_data = saps;
        let pnfs = record.pnfs.iter().filter(|pnf| {
            let profile = &pnf.info.pnf_profile_id;
            self.nsd
                .pnf_profiles
                .iter()
                .any(|known| known.id == *profile && known.pnfd_id == pnf.info.pnfd_id)
                && request.add_pnf_data.iter().all(|new| new.pnf_profile_id != *profile)
        });
        let pnfs = pnfs.map(|pnf| AddPnfData {
            pnf_id: pnf.info.pnf_id.clone(),
            pnf_name: pnf.info.pnf_name.clone().unwrap_or_default(),
            pnfd_id: pnf.info.pnfd_id.clone(),
            pnf_profile_id: pnf.info.pnf_profile_id.clone(),
            cp_data: pnf
                .info
                .cp_info
                .iter()
                .map(|cp| PnfExtCpData {
                    cpd_id: Some(cp.cpd_id.clone()),
                    cp_protocol_data: cp.cp_protocol_data.clone(),
                })
                .collect(),
        });
        self.layout_request.add_pnf_data = pnfs.chain(request.add_pnf_data.iter().cloned()).collect();
    }

    fn read_news(&mut self, data: &[InstantiateVnfData]) {
        if data.is_empty() {
            self.faults.push(missing("instantiateVnfData"));
        }
        for one in data {
            let Some(profile) = self.profile_of(one) else { continue };
            if let Some(place) = &one.location_constraints {
                self.layout_request.location_constraints.push(VnfLocationConstraint {
                    vnf_profile_id: profile.clone(),
                    ..place.clone()
                });
            }
            self.layout_request.additional_params_for_vnf.push(ParamsForVnf {
                vnf_profile_id: profile.clone(),
                ..ParamsForVnf::default()
            });
            self.news.push((profile, one.clone()));
        }
    }

    fn profile_of(&mut self, data: &InstantiateVnfData) -> Option<String> {
        let known: Vec<&str> = self
            .new
            .vnf_profiles
            .iter()
            .map(|profile| profile.id.as_str())
            .collect();
        match (&data.vnf_profile_id, &data.vnfd_id) {
            (Some(id), None) if self.new.vnf_profile(id).is_some() => Some(id.clone()),
            (Some(id), None) => {
                self.faults
                    .invalid(format!("the NSD has no VNF profile {id}; it has: {}", known.join(", ")));
                None
            }
            (None, Some(vnfd)) => {
                let fits = self.new.vnf_profiles.iter().filter(|profile| {
                    profile.vnfd_id == *vnfd
                        && data
                            .vnf_flavour_id
                            .as_ref()
                            .is_none_or(|flavour| profile.flavour_id == *flavour)
                });
                let fits: Vec<&str> = fits.map(|profile| profile.id.as_str()).collect();
                match fits.as_slice() {
                    [one] => Some((*one).to_owned()),
                    _ => {
                        self.faults.invalid(format!(
                            "{} VNF profiles are of VNFD {vnfd}; say vnfProfileId: {}",
                            fits.len(),
                            known.join(", ")
                        ));
                        None
                    }
                }
            }
            (Some(_), Some(_)) | (None, None) => {
                self.faults
                    .invalid("an entry of instantiateVnfData has either vnfProfileId or vnfdId");
                None
            }
        }
    }

    fn read_gone(&mut self, ids: &[String]) {
        if ids.is_empty() {
            self.faults.push(missing("removeVnfInstanceId"));
        }
        for id in ids {
            if member(self.present.record, id, &mut self.faults).is_some() {
                self.wish.gone.insert(id.clone());
            }
        }
    }

    fn read_saps(&mut self, data: &[SapData]) {
        if data.is_empty() {
            self.faults.push(missing("addSap"));
        }
        for sap in data {
            let Some(known) = self.new.saps.iter().find(|known| known.id == sap.sapd_id) else {
                let known: Vec<&str> = self.new.saps.iter().map(|sap| sap.id.as_str()).collect();
                self.faults.invalid(format!(
                    "the NSD has no SAP {}; it has: {}",
                    sap.sapd_id,
                    known.join(", ")
                ));
                continue;
            };
            let there = self
                .present
                .record
                .saps
                .iter()
                .find(|there| there.info.sapd_id == sap.sapd_id);
            if let Some(there) = there {
                self.faults.push(CallError::conflict(format!(
                    "the NS has the SAP {} already: {}",
                    sap.sapd_id, there.info.id
                )));
            }
            self.nsd.saps.push(known.clone());
            self.layout_request.sap_data.push(sap.clone());
        }
    }

    fn read_gone_saps(&mut self, ids: &[String]) {
        if ids.is_empty() {
            self.faults.push(missing("removeSapId"));
        }
        for id in ids {
            if self.present.record.saps.iter().any(|sap| sap.info.id == *id) {
                self.wish.gone.insert(id.clone());
                continue;
            }
            let saps = self.present.record.saps.iter();
            let known: Vec<String> = saps
                .map(|sap| format!("{} ({})", sap.info.id, sap.info.sapd_id))
                .collect();
            self.faults.push(CallError::not_found(format!(
                "the NS has no SAP {id}; it has: {}",
                known.join(", ")
            )));
        }
    }

    /// Where connection points shall be, by VNF: those that are not named stay.
    fn read_moves(&mut self, data: &[ChangeExtVnfConnectivityData]) -> BTreeMap<String, Vec<(String, String)>> {
        if data.is_empty() {
            self.faults.push(missing("changeExtVnfConnectivityData"));
        }
        let mut all: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        for one in data {
            let id = &one.vnf_instance_id;
            let Some(known) = member(self.present.record, id, &mut self.faults) else {
                continue;
            };
            let Some(now) = self
                .present
                .vnfs
                .iter()
                .find(|vnf| vnf.vnf.id == *id)
                .and_then(|vnf| vnf.ends.clone())
            else {
                self.faults
                    .push(CallError::conflict(format!("VNF {id} is not INSTANTIATED")));
                continue;
            };
            let vnfd_id = known.vnfd_id.clone();
            let ends = all.entry(id.clone()).or_insert(now);
            for link in &one.ext_virtual_links {
                let Some(to) = link_called(self.present, &link.id) else {
                    let links = self.present.record.links.iter();
                    let known: Vec<String> = links
                        .map(|link| format!("{} ({})", link.info.id, link.info.ns_virtual_link_desc_id))
                        .collect();
                    self.faults.push(CallError::not_found(format!(
                        "the NS has no link {}; it has: {}",
                        link.id,
                        known.join(", ")
                    )));
                    continue;
                };
                for cp in &link.ext_cps {
                    let Some(cpd) = flavour_of(self.constituents, self.present, id, &vnfd_id)
                        .and_then(|flavour| flavour.ext_cpd(&cp.cpd_id))
                    else {
                        self.faults
                            .invalid(format!("VNFD {vnfd_id} has no external connection point {}", cp.cpd_id));
                        continue;
                    };
                    ends.retain(|(known, _)| *known != cpd.id);
                    ends.push((cpd.id.clone(), to.clone()));
                    if !cp.cp_config.is_empty() {
                        self.wish
                            .configs
                            .insert((id.clone(), cpd.id.clone()), cp.cp_config.clone());
                    }
                }
            }
            self.wish
                .additional_params
                .insert(id.clone(), one.additional_params.clone());
        }
        all
    }
}

/// A link by its identifier or its descriptor.
fn link_called(present: &Present<'_>, id: &str) -> Option<String> {
    let mut links = present.record.links.iter().map(|link| &link.info);
    links
        .find(|info| info.id == id || info.ns_virtual_link_desc_id == id)
        .map(|info| info.ns_virtual_link_desc_id.clone())
}

fn flavour_of<'a>(
    constituents: &'a Constituents,
    present: &Present<'_>,
    id: &str,
    vnfd_id: &str,
) -> Option<&'a DeploymentFlavour> {
    let place = present.vnfs.iter().find(|vnf| vnf.vnf.id == id)?;
    let (_, vnfd) = constituents.vnfds().find(|(_, vnfd)| vnfd.descriptor_id == vnfd_id)?;
    vnfd.flavour(&place.place.flavour_id)
}

/// The number of a VNF in its profile.
fn number(key: &str) -> u32 {
    key.rsplit_once('-')
        .and_then(|(_, n)| n.parse().ok())
        .unwrap_or(u32::MAX)
}

fn sap_data(sap: &NsSap) -> SapData {
    SapData {
        sapd_id: sap.info.sapd_id.clone(),
        sap_name: sap.info.sap_name.clone(),
        description: sap.info.description.clone(),
        sap_protocol_data: vec![],
    }
}
