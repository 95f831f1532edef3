//! The layout of an NS: which VNF goes to which site, which networks that takes, how addresses are divided, what the WAN carries.
//! Pure: descriptors, request and sites in, layout or every fault out.
//!
//! ```text
//!   ends (PNFs, SAPs) ──> provider networks ──> placement of VNFs ──> sites of each link ──> networks, pools, MSCS
//! ```

mod ends;
mod links;
pub(crate) mod nested;
mod place;
mod stay;

pub(crate) use nested::{Home, LinkPart, PlannedAdopted, PlannedNested};
pub(crate) use place::cure;
pub(crate) use stay::{Staying, StayingVnf};

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use manifold_call::{CallError, Uuid};
use manifold_descriptors::vnfd::DeploymentFlavour;
use manifold_descriptors::{Nsd, Pnfd, Vnfd};
use manifold_sol::{CpProtocolData, InstantiateNsRequest, PnfdInfo, VnfPkgInfo};
use manifold_vim_interface::VirtualNetworkData;
use serde::{Deserialize, Serialize};

use super::network::MadeNetwork;
use super::site::Survey;
use crate::catalogue::nsd::Constituents;
use crate::fault::Faults;
use crate::record::NsPnf;

/// What an instantiation will make.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Layout {
    pub(crate) vnfs: Vec<PlannedVnf>,
    pub(crate) links: Vec<PlannedLink>,
    pub(crate) networks: Vec<PlannedNetwork>,
    pub(crate) saps: Vec<PlannedSap>,
    pub(crate) pnfs: Vec<NsPnf>,
    /// Each after the one that holds it.
    #[serde(default)]
    pub(crate) nested: Vec<PlannedNested>,
    #[serde(default)]
    pub(crate) adopted: Vec<PlannedAdopted>,
    /// What links that are there, and stay, are in each NS that they reach: as in [`PlannedLink::parts`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) parts: BTreeMap<String, Vec<LinkPart>>,
}

/// A VNF to make.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PlannedVnf {
    /// `<profile>-<n>`: unique in the NS.
    pub(crate) key: String,
    pub(crate) profile: String,
    pub(crate) name: String,
    pub(crate) vnfd_id: String,
    pub(crate) package: String,
    pub(crate) flavour_id: String,
    pub(crate) level: Option<String>,
    pub(crate) vim: String,
    pub(crate) zone: Option<String>,
    /// Provider networks that a machine must reach, by VDU.
    pub(crate) reaches: BTreeMap<String, BTreeSet<String>>,
    /// External connection points and the links that they are on.
    pub(crate) ends: Vec<(String, String)>,
    pub(crate) additional_params: BTreeMap<String, serde_json::Value>,
    /// The nested NS that it is in; `None`: in the NS itself.
    #[serde(default)]
    pub(crate) home: Option<Home>,
}

/// A link.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PlannedLink {
    /// Of the instance.
    pub(crate) id: String,
    /// In the NSD, laid flat.
    pub(crate) link: String,
    pub(crate) vims: Vec<String>,
    pub(crate) wan: Option<PlannedWan>,
    /// What it is in each NS that it reaches, the outermost first; empty: a link of the NS itself, by its own name.
    #[serde(default)]
    pub(crate) parts: Vec<LinkPart>,
}

/// What carries a link between its sites.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum PlannedWan {
    /// A service that the WIM is asked for.
    Mscs {
        name: String,
        mtu: u32,
        bandwidth: Option<u64>,
        /// (VIM, connectivity service endpoint).
        ends: Vec<(String, String)>,
    },
    /// A service that somebody else set up (GS NFV 006 5.2).
    External { mscs_id: String, mtu: u32 },
}

/// A network to make.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PlannedNetwork {
    pub(crate) link: String,
    pub(crate) vim: String,
    pub(crate) name: String,
    pub(crate) data: VirtualNetworkData,
    /// It is there: another NS has it, and it stays that one's.
    #[serde(default)]
    pub(crate) existing: Option<MadeNetwork>,
}

/// A SAP to make.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PlannedSap {
    /// Of the instance.
    pub(crate) id: String,
    pub(crate) sapd: String,
    /// The access point.
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) link: String,
    pub(crate) vim: String,
    pub(crate) addresses: Vec<IpAddr>,
    /// The nested NS that it is of; `None`: of the NS itself.
    #[serde(default)]
    pub(crate) home: Option<Home>,
}

impl PlannedVnf {
    /// Its profile, as the descriptor of its own NS calls it.
    pub(crate) fn profile_in_ns(&self) -> &str {
        self.home.as_ref().map_or(&self.profile, |home| &home.name)
    }
}

impl PlannedNetwork {
    /// Names the step and its output.
    pub(crate) fn step(link: &str, vim: &str) -> String {
        format!("network/{link}@{vim}")
    }
}

/// What the layout of an NS is worked out from.
pub(crate) struct Question<'a> {
    pub(crate) ns: Uuid,
    pub(crate) ns_name: &'a str,
    pub(crate) request: &'a InstantiateNsRequest,
    /// Laid flat: what is nested is called by its path.
    pub(crate) nsd: &'a Nsd,
    pub(crate) constituents: &'a Constituents,
    pub(crate) survey: &'a Survey,
    pub(crate) has_wim: bool,
    pub(crate) staying: &'a Staying,
}

/// An instance of a profile, before it has a place.
struct Wanted<'a> {
    vnf: PlannedVnf,
    vnfd: &'a Vnfd,
    flavour: &'a DeploymentFlavour,
    /// VIMs that it must be at, and who says so.
    pins: Vec<(String, String)>,
    /// Its machines, if it is there already.
    machines: Option<&'a std::collections::BTreeSet<String>>,
}

impl Question<'_> {
    fn vnfd(&self, id: &str) -> Option<(&VnfPkgInfo, &Vnfd)> {
        self.constituents.vnfds().find(|(_, vnfd)| vnfd.descriptor_id == id)
    }

    fn pnfd(&self, id: &str) -> Option<(&PnfdInfo, &Pnfd)> {
        self.constituents.pnfds().find(|(_, pnfd)| pnfd.descriptor_id == id)
    }

    /// The id of a part of the instance: the same whenever the same instance is laid out.
    fn part(&self, name: &str) -> String {
        Uuid::new_v5(&self.ns, name.as_bytes()).to_string()
    }

    /// The layout. Errors: every fault at once.
    pub(crate) fn answer(&self) -> Result<Layout, CallError> {
        let mut faults = Faults::default();
        self.check_names(&mut faults);
        let ends = ends::find(self, &mut faults);
        let wanted = self.wanted(&ends, &mut faults);
        let vnfs = place::place(self, &ends, wanted, &mut faults);
        let layout = links::lay(self, &ends, vnfs, &mut faults);
        faults.check().map(|()| layout)
    }

    /// Everything that the request or the NSD names exists.
    fn check_names(&self, faults: &mut Faults) {
        let (nsd, request) = (self.nsd, self.request);
        if request.ns_flavour_id != nsd.flavour_id {
            faults.invalid(format!(
                "the NSD has the flavour {}, not {}",
                nsd.flavour_id, request.ns_flavour_id
            ));
        }
        if let Some(level) = request
            .ns_instantiation_level_id
            .as_ref()
            .filter(|level| !nsd.instantiation_levels.contains_key(*level))
        {
            let known: Vec<&str> = nsd.instantiation_levels.keys().map(String::as_str).collect();
            faults.invalid(format!("the NSD has no level {level}; it has: {}", known.join(", ")));
        }
        let params = request
            .additional_params_for_vnf
            .iter()
            .map(|params| &params.vnf_profile_id);
        let places = request.location_constraints.iter().map(|place| &place.vnf_profile_id);
        for profile in params
            .chain(places)
            .filter(|profile| nsd.vnf_profile(profile).is_none())
        {
            faults.invalid(format!("the NSD has no VNF profile {profile}"));
        }
        for sap in request
            .sap_data
            .iter()
            .filter(|sap| !nsd.saps.iter().any(|known| known.id == sap.sapd_id))
        {
            faults.invalid(format!("the NSD has no SAP {}", sap.sapd_id));
        }
        for pnf in request
            .add_pnf_data
            .iter()
            .filter(|pnf| !nsd.pnf_profiles.iter().any(|known| known.id == pnf.pnf_profile_id))
        {
            faults.invalid(format!("the NSD has no PNF profile {}", pnf.pnf_profile_id));
        }
        // Only what is laid flat is laid out.
        for nested in &nsd.nested_ns_profiles {
            faults.push(
                CallError::unsupported(format!(
                    "the NSD nests another NS, {} (NSD {}), and that is done by an instantiation alone",
                    nested.id, nested.nsd_id
                ))
                .cure("terminate the NS, and instantiate it anew"),
            );
        }
    }

    /// The VNF instances that the level asks for.
    fn wanted(&self, ends: &ends::Ends, faults: &mut Faults) -> Vec<Wanted<'_>> {
        let mut all = Vec::new();
        for profile in &self.nsd.vnf_profiles {
            let Some((package, vnfd)) = self.vnfd(&profile.vnfd_id) else {
                faults.push(
                    CallError::invalid(format!(
                        "profile {} needs VNFD {}, which is not on-boarded",
                        profile.id, profile.vnfd_id
                    ))
                    .cure("on-board its VNF package"),
                );
                continue;
            };
            let level_id = self.request.ns_instantiation_level_id.as_deref();
            let count = self
                .staying
                .count(&profile.id)
                .unwrap_or_else(|| self.nsd.instances_at(profile, level_id));
            let new = self.staying.new_numbers(&profile.id, count);
            if package.operational_state == manifold_sol::PackageOperationalState::Disabled && !new.is_empty() {
                faults.push(
                    CallError::invalid(format!(
                        "profile {} needs VNFD {}, whose package {} is DISABLED",
                        profile.id, profile.vnfd_id, package.id
                    ))
                    .cure("set its operational state to ENABLED"),
                );
            }
            let Some(flavour) = vnfd.flavour(&profile.flavour_id) else {
                let known: Vec<&str> = vnfd.flavours.iter().map(|flavour| flavour.id.as_str()).collect();
                faults.invalid(format!(
                    "profile {} needs the flavour {} of VNFD {}, which has: {}",
                    profile.id,
                    profile.flavour_id,
                    profile.vnfd_id,
                    known.join(", ")
                ));
                continue;
            };
            let level = profile.instantiation_level.clone();
            if flavour.scale_levels_at(level.as_deref()).is_none() {
                let known: Vec<&str> = flavour.instantiation_levels.keys().map(String::as_str).collect();
                faults.invalid(format!(
                    "profile {} needs the level {} of flavour {} of VNFD {}, which has: {}",
                    profile.id,
                    level.as_deref().unwrap_or("by default"),
                    flavour.id,
                    profile.vnfd_id,
                    known.join(", ")
                ));
                continue;
            }
            let mut connected = Vec::new();
            for connection in &profile.connectivity {
                match flavour.ext_cpd(&connection.cpd) {
                    Some(cpd) => connected.push((cpd.id.clone(), connection.virtual_link.clone())),
                    None => faults.invalid(format!(
                        "VNFD {} has no external connection point {}",
                        profile.vnfd_id, connection.cpd
                    )),
                }
            }
            for there in self.staying.of(&profile.id) {
                let mut wanted = there.wanted(&connected, vnfd, flavour);
                ends.bind(&mut wanted);
                wanted.pins.clear();
                all.push(wanted);
            }
            let params = self
                .request
                .additional_params_for_vnf
                .iter()
                .find(|params| params.vnf_profile_id == profile.id);
            for n in new {
                let given = params.and_then(|params| params.vnf_instance_name.clone());
                let name = given.unwrap_or_else(|| nested::name(self.ns_name, &profile.id));
                let mut wanted = Wanted {
                    vnf: PlannedVnf {
                        key: format!("{}-{n}", profile.id),
                        profile: profile.id.clone(),
                        name: if count > 1 || n > 1 {
                            format!("{name}-{n}")
                        } else {
                            name
                        },
                        vnfd_id: profile.vnfd_id.clone(),
                        package: package.id.clone(),
                        flavour_id: profile.flavour_id.clone(),
                        level: level.clone(),
                        ends: connected.clone(),
                        additional_params: params
                            .map(|params| params.additional_params.clone())
                            .unwrap_or_default(),
                        ..PlannedVnf::default()
                    },
                    vnfd,
                    flavour,
                    pins: self.staying.pins(&connected),
                    machines: None,
                };
                ends.bind(&mut wanted);
                self.locate(&mut wanted, faults);
                all.push(wanted);
            }
        }
        all
    }

    /// What the request and the NSD say of its place.
    fn locate(&self, wanted: &mut Wanted<'_>, faults: &mut Faults) {
        let profile = wanted.vnf.profile.clone();
        let asked = self
            .request
            .location_constraints
            .iter()
            .filter(|place| place.vnf_profile_id == profile);
        for place in asked.filter_map(|place| place.location_constraints.as_ref()) {
            if let Some(country) = &place.country_code {
                faults.push(
                    CallError::unsupported(format!(
                        "profile {profile} shall be in country {country}; sites here have none"
                    ))
                    .cure("give a vimId"),
                );
            }
            if let Some(vim) = &place.vim_id {
                self.pin(wanted, vim, "the request", faults);
            }
        }
        for place in self
            .nsd
            .location_constraints
            .iter()
            .filter(|place| place.profile == profile)
        {
            if let Some(pop) = &place.nfvi_pop {
                self.pin(wanted, pop, "the NSD", faults);
            }
            wanted.vnf.zone = place.zone.clone().or(wanted.vnf.zone.take());
        }
    }

    fn pin(&self, wanted: &mut Wanted<'_>, name: &str, who: &str, faults: &mut Faults) {
        match self.survey.called(name) {
            Some(site) => wanted.pins.push((site.vim.clone(), who.to_owned())),
            None => faults.invalid(format!(
                "profile {} shall be at {name}, as {who} says, and there is no such site; there are: {}",
                wanted.vnf.profile,
                self.survey.names()
            )),
        }
    }
}

/// Fixed addresses of a connection point. Errors: those that are no addresses.
fn fixed_addresses(data: &[CpProtocolData]) -> Result<Vec<IpAddr>, CallError> {
    let ip = data
        .iter()
        .filter_map(|data| data.ip_over_ethernet.as_ref())
        .flat_map(|ether| &ether.ip_addresses);
    ip.flat_map(|ip| &ip.fixed_addresses)
        .map(|text| {
            text.parse()
                .map_err(|_| CallError::invalid(format!("the request fixes the address {text}, which is none")))
        })
        .collect()
}

/// A name for the manager, which people read there: letters, digits, `.`, `-` and `_` only, so that it needs no quoting in filters.
pub(crate) fn plain(name: &str) -> String {
    name.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || ".-_".contains(c) {
                c
            } else {
                '_'
            }
        })
        .collect()
}
