//! Ends of links that are not VNFs: PNFs on provider networks, SAPs at access points. Their sites are given.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use manifold_call::CallError;
use manifold_descriptors::nsd::PnfProfile;
use manifold_descriptors::vnfd::ExtCpInternal;
use manifold_sol::{CpProtocolData, IpAddressData, IpAddressType, IpOverEthernetAddressData, PnfExtCpInfo, PnfInfo};

use super::{PlannedSap, Question, Wanted, fixed_addresses};
use crate::fault::Faults;
use crate::ns::site::Site;
use crate::record::NsPnf;

/// A provider network that realises a link.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OnProvider {
    pub(super) network: String,
    /// The site of the function on it; `None`: whatever site has it.
    pub(super) vim: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct Ends {
    pub(super) pnfs: Vec<NsPnf>,
    pub(super) saps: Vec<PlannedSap>,
    /// By link.
    pub(super) providers: BTreeMap<String, OnProvider>,
    /// Addresses that are taken, by link.
    pub(super) fixed: BTreeMap<String, BTreeSet<IpAddr>>,
}

impl Ends {
    /// A VNF on a provider network must be where that is.
    pub(super) fn bind(&self, wanted: &mut Wanted<'_>) {
        for (cpd, link) in &wanted.vnf.ends {
            let Some(on) = self.providers.get(link) else { continue };
            if let Some(vim) = &on.vim {
                wanted
                    .pins
                    .push((vim.clone(), format!("provider network {}", on.network)));
            }
            let internal = wanted.flavour.ext_cpd(cpd).map(|cpd| &cpd.internal);
            let vdus: Vec<&str> = match internal {
                Some(ExtCpInternal::VduCp { vdu, .. }) => vec![vdu],
                Some(ExtCpInternal::VirtualLink { virtual_link }) => {
                    let on_it = |vdu: &&manifold_descriptors::vnfd::Vdu| {
                        vdu.connection_points
                            .iter()
                            .any(|cp| cp.virtual_link.as_ref() == Some(virtual_link))
                    };
                    wanted
                        .flavour
                        .vdus
                        .iter()
                        .filter(on_it)
                        .map(|vdu| vdu.id.as_str())
                        .collect()
                }
                Some(ExtCpInternal::Open) | None => vec![],
            };
            for vdu in vdus {
                wanted
                    .vnf
                    .reaches
                    .entry(vdu.to_owned())
                    .or_default()
                    .insert(on.network.clone());
            }
        }
    }
}

pub(super) fn find(question: &Question<'_>, faults: &mut Faults) -> Ends {
    let mut ends = Ends::default();
    for link in &question.nsd.virtual_links {
        if let Some(network) = link.l2.as_ref().and_then(|l2| l2.provider_network()) {
            ends.providers.insert(
                link.id.clone(),
                OnProvider {
                    network: network.to_owned(),
                    vim: None,
                },
            );
        }
    }
    for profile in &question.nsd.pnf_profiles {
        pnf(question, profile, &mut ends, faults);
    }
    for (link, (network, vim)) in &question.staying.providers {
        ends.providers.entry(link.clone()).or_insert_with(|| OnProvider {
            network: network.clone(),
            vim: Some(vim.clone()),
        });
    }
    for (link, on) in &ends.providers {
        let has = |site: &&Site| site.provider_networks.iter().any(|net| net.name == on.network);
        if !question.survey.sites.iter().any(|site| has(&site)) {
            let mut known: Vec<String> = question
                .survey
                .sites
                .iter()
                .flat_map(|site| {
                    site.provider_networks
                        .iter()
                        .map(|net| format!("{} of {}", net.name, site.vim))
                })
                .collect();
            known.sort();
            faults.invalid(format!(
                "link {link} is on provider network {}, which no site has; there are: {}",
                on.network,
                known.join(", ")
            ));
        }
    }
    for sap in &question.nsd.saps {
        ends.saps.extend(self::sap(question, sap, faults));
    }
    for sap in &ends.saps {
        ends.fixed.entry(sap.link.clone()).or_default().extend(&sap.addresses);
    }
    ends
}

/// A PNF: it is there already, and only its place is looked up.
fn pnf(question: &Question<'_>, profile: &PnfProfile, ends: &mut Ends, faults: &mut Faults) {
    let Some(data) = question
        .request
        .add_pnf_data
        .iter()
        .find(|data| data.pnf_profile_id == profile.id)
    else {
        faults.push(
            CallError::invalid(format!(
                "the NSD has the PNF profile {}, and the request says nothing of it in addPnfData",
                profile.id
            ))
            .cure(format!(
                "say which function of a provider network it is: `--pnf {}=NAME`",
                profile.id
            )),
        );
        return;
    };
    if data.pnfd_id != profile.pnfd_id {
        faults.invalid(format!(
            "PNF profile {} is of PNFD {}, not {}",
            profile.id, profile.pnfd_id, data.pnfd_id
        ));
    }
    let Some((info, pnfd)) = question.pnfd(&profile.pnfd_id) else {
        faults.push(
            CallError::invalid(format!(
                "PNF profile {} needs PNFD {}, which is not on-boarded",
                profile.id, profile.pnfd_id
            ))
            .cure("on-board it"),
        );
        return;
    };
    let sites = question.survey.sites.iter();
    let places: Vec<(&Site, &str, &[IpAddr])> = sites
        .flat_map(|site| {
            site.provider_networks.iter().flat_map(move |net| {
                let here = net.functions.iter().filter(|function| function.name == data.pnf_name);
                here.map(move |function| (site, net.name.as_str(), function.addresses.as_slice()))
            })
        })
        .collect();
    if places.is_empty() {
        let known: BTreeSet<&str> = question
            .survey
            .sites
            .iter()
            .flat_map(|site| site.provider_networks.iter().flat_map(|net| &net.functions))
            .map(|function| function.name.as_str())
            .collect();
        faults.push(
            CallError::invalid(format!(
                "no provider network has a function {} for PNF profile {}; asked: {}",
                data.pnf_name,
                profile.id,
                question.survey.names()
            ))
            .cure(format!(
                "functions there are: {}",
                known.into_iter().collect::<Vec<_>>().join(", ")
            )),
        );
        return;
    }
    let mut cp_info = Vec::new();
    let mut links = BTreeMap::new();
    let mut vim = places[0].0.vim.clone();
    for connection in &profile.connectivity {
        let Some(cp) = pnfd.ext_cp(&connection.cpd) else {
            faults.invalid(format!(
                "PNFD {} has no connection point {}",
                profile.pnfd_id, connection.cpd
            ));
            continue;
        };
        let link = &connection.virtual_link;
        let stated = ends.providers.get(link).map(|on| on.network.clone());
        let place = places
            .iter()
            .find(|(_, network, _)| stated.as_deref().is_none_or(|stated| stated == *network));
        let Some((site, network, addresses)) = place else {
            let on: Vec<String> = places
                .iter()
                .map(|(site, network, _)| format!("{network} of {}", site.vim))
                .collect();
            let stated = stated.unwrap_or_default();
            faults.invalid(format!(
                "link {link} is on provider network {stated}, and {} is on {}",
                data.pnf_name,
                on.join(", ")
            ));
            continue;
        };
        vim = site.vim.clone();
        if let Some(OnProvider { vim: Some(other), .. }) = ends.providers.get(link)
            && *other != site.vim
        {
            faults.invalid(format!(
                "link {link} has physical functions at {other} and at {}; a provider network ends at its site",
                site.vim
            ));
        }
        ends.providers.insert(
            link.clone(),
            OnProvider {
                network: (*network).to_owned(),
                vim: Some(site.vim.clone()),
            },
        );
        let given = data.cp_data.iter().find(|cp_data| {
            cp_data
                .cpd_id
                .as_ref()
                .is_none_or(|id| *id == cp.id || *id == connection.cpd)
        });
        let own = match fixed_addresses(given.map(|given| given.cp_protocol_data.as_slice()).unwrap_or_default()) {
            Ok(own) => own,
            Err(fault) => {
                faults.push(fault);
                vec![]
            }
        };
        ends.fixed
            .entry(link.clone())
            .or_default()
            .extend(own.iter().chain(*addresses));
        links.insert(cp.id.clone(), link.clone());
        cp_info.push(PnfExtCpInfo {
            cp_instance_id: question.part(&format!("pnf/{}/{}", profile.id, cp.id)),
            cpd_id: cp.id.clone(),
            cp_protocol_data: if own.is_empty() {
                vec![fixed(addresses)]
            } else {
                vec![fixed(&own)]
            },
        });
    }
    let info = PnfInfo {
        pnf_id: data.pnf_id.clone(),
        pnf_name: Some(data.pnf_name.clone()),
        pnfd_id: profile.pnfd_id.clone(),
        pnfd_info_id: info.id.clone(),
        pnf_profile_id: profile.id.clone(),
        cp_info,
    };
    ends.pnfs.push(NsPnf { info, vim, links });
}

/// Addresses as protocol data.
fn fixed(addresses: &[IpAddr]) -> CpProtocolData {
    let of = |kind: IpAddressType, is: fn(&IpAddr) -> bool| {
        let mine: Vec<String> = addresses
            .iter()
            .filter(|address| is(address))
            .map(ToString::to_string)
            .collect();
        (!mine.is_empty()).then(|| IpAddressData {
            kind,
            fixed_addresses: mine,
            ..IpAddressData::default()
        })
    };
    let ip_addresses = [
        of(IpAddressType::Ipv4, IpAddr::is_ipv4),
        of(IpAddressType::Ipv6, IpAddr::is_ipv6),
    ];
    CpProtocolData {
        ip_over_ethernet: Some(IpOverEthernetAddressData {
            mac_address: None,
            ip_addresses: ip_addresses.into_iter().flatten().collect(),
        }),
        ..CpProtocolData::default()
    }
}

/// A SAP: its access point is the one that the request names, or the one called like the SAP itself.
fn sap(question: &Question<'_>, sap: &manifold_descriptors::nsd::Sap, faults: &mut Faults) -> Option<PlannedSap> {
    let link = sap.virtual_link.clone()?;
    let data = question.request.sap_data.iter().find(|data| data.sapd_id == sap.id);
    let name = data.map_or(&sap.id, |data| &data.sap_name);
    let mut known = Vec::new();
    for site in &question.survey.sites {
        if site.pop.access_points.contains(name) {
            let addresses = fixed_addresses(data.map(|data| data.sap_protocol_data.as_slice()).unwrap_or_default());
            return Some(PlannedSap {
                id: question.part(&format!("sap/{}", sap.id)),
                sapd: sap.id.clone(),
                name: name.clone(),
                description: data.map_or(&sap.description, |data| &data.description).clone(),
                link,
                vim: site.vim.clone(),
                addresses: addresses.unwrap_or_else(|fault| {
                    faults.push(fault);
                    vec![]
                }),
                home: None,
            });
        }
        known.extend(
            site.pop
                .access_points
                .iter()
                .map(|point| format!("{point} at {}", site.vim)),
        );
    }
    faults.push(
        CallError::invalid(format!(
            "SAP {} needs the access point {name}, which no site has; there are: {}",
            sap.id,
            known.join(", ")
        ))
        .cure("name one of them in sapData, or call the SAP as one of them is called"),
    );
    None
}
