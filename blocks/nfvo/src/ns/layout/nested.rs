//! Nested NSs: a service that nests others is laid out as one, and then what each of them has of it is worked out.
//!
//! ```text
//!   NSD, nested NSDs ──FlatNsd──> one NSD ──Question──> Layout ──settle──> what is whose
//! ```

use std::collections::BTreeMap;

use manifold_call::{CallError, Uuid};
use manifold_descriptors::nsd::Sap;
use manifold_descriptors::{FlatNsd, Nsd};
use manifold_sol::{InstantiateNsRequest, PackageOperationalState, SapData, VnfLocationConstraint};
use serde::{Deserialize, Serialize};

use super::{Layout, PlannedLink};
use crate::catalogue::nsd::Constituents;
use crate::fault::Faults;
use crate::ns::adopt::Adoption;
use crate::record::NsPnf;

/// A nested NS to make.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PlannedNested {
    /// Of the instance.
    pub(crate) id: String,
    /// The instance that holds it.
    pub(crate) parent: String,
    /// Its profile there.
    pub(crate) profile: String,
    /// The profiles on the way to it.
    #[serde(default)]
    pub(crate) path: String,
    pub(crate) name: String,
    pub(crate) nsd_id: String,
    pub(crate) nsd_info_id: String,
    pub(crate) flavour_id: String,
    pub(crate) pnfs: Vec<NsPnf>,
}

/// An NS that is there and becomes a nested one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PlannedAdopted {
    pub(crate) id: String,
    /// The instance that will hold it.
    pub(crate) parent: String,
    /// Its profile there.
    pub(crate) profile: String,
    /// The profiles on the way to it.
    #[serde(default)]
    pub(crate) path: String,
}

/// Where something is that is in a nested NS.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Home {
    pub(crate) ns: String,
    /// What its descriptor calls it.
    pub(crate) name: String,
}

/// What a link is in one NS.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LinkPart {
    pub(crate) ns: String,
    /// In its descriptor; the first stands for all.
    pub(crate) names: Vec<String>,
}

/// The default name of what has a path in an NS: as the nested NS is called, so its constituents.
pub(super) fn name(ns: &str, path: &str) -> String {
    format!("{ns}-{}", path.replace('/', "-"))
}

/// The NSD with all that it nests. Errors: every fault of that.
pub(crate) fn flatten(nsd: &Nsd, constituents: &Constituents) -> Result<FlatNsd, CallError> {
    let known: Vec<&Nsd> = constituents.nsds().map(|(_, nsd)| nsd).collect();
    let (flat, diagnostics) = FlatNsd::of(nsd, &known);
    if diagnostics.has_errors() {
        let text = diagnostics.render();
        return Err(CallError::invalid(format!("what the NSD nests does not fit:\n{text}"))
            .cure("on-board the NSDs that it nests, or mend it"));
    }
    Ok(flat)
}

/// Errors: a service that is to be made is of an NSD that is DISABLED; `is_new` is asked with its path.
pub(crate) fn check_enabled(
    flat: &FlatNsd,
    constituents: &Constituents,
    is_new: impl Fn(&str) -> bool,
) -> Result<(), CallError> {
    let mut faults = Faults::default();
    for service in flat.services.iter().skip(1).filter(|service| is_new(&service.path)) {
        let info = constituents.nsds().find(|(_, nsd)| nsd.descriptor_id == service.nsd_id);
        if let Some((info, _)) =
            info.filter(|(info, _)| info.nsd_operational_state == PackageOperationalState::Disabled)
        {
            faults.push(
                CallError::invalid(format!(
                    "{} needs NSD {}, which is DISABLED ({})",
                    service.path, service.nsd_id, info.id
                ))
                .cure("set its operational state to ENABLED"),
            );
        }
    }
    faults.check()
}

/// The request as the flat NSD is asked: a place for a nested NS is one for each VNF in it. A SAP of a nested NS that its parent
/// leaves open is realised only if the request says where.
pub(crate) fn adapt(request: &InstantiateNsRequest, flat: &mut FlatNsd) -> InstantiateNsRequest {
    let mut saps = std::mem::take(&mut flat.nsd.saps);
    saps.retain(|sap| is_realised(sap, &request.sap_data, flat));
    flat.nsd.saps = saps;
    let each = |place: &VnfLocationConstraint| {
        let members = flat.members(&place.vnf_profile_id).into_iter();
        members
            .map(|vnf_profile_id| VnfLocationConstraint {
                vnf_profile_id,
                ..place.clone()
            })
            .collect::<Vec<_>>()
    };
    InstantiateNsRequest {
        location_constraints: request.location_constraints.iter().flat_map(each).collect(),
        ..request.clone()
    }
}

/// A SAP of the NS itself always is; that of a nested NS, if somebody says where.
pub(crate) fn is_realised(sap: &Sap, given: &[SapData], flat: &FlatNsd) -> bool {
    let is_nested = flat.home(&sap.id).is_some_and(|(service, _)| service.parent.is_some());
    !is_nested || given.iter().any(|data| data.sapd_id == sap.id)
}

/// Says of everything in a layout which NS it is of. `ns`: the id of the outermost, which is called `ns_name`. Of what is adopted
/// nothing is in the layout, and it keeps what it has. `there`: links that are there and stay.
pub(crate) fn settle<'a>(
    layout: &mut Layout,
    flat: &FlatNsd,
    constituents: &Constituents,
    adoptions: &[Adoption],
    (ns, ns_name): (&str, &str),
    there: impl Iterator<Item = &'a str>,
) {
    let adoption = |path: &str| adoptions.iter().find_map(|one| Some((one, one.inside.get(path)?)));
    let space = crate::ns::show::space(ns);
    let ids: Vec<String> = flat
        .services
        .iter()
        .map(|service| match service.parent {
            None => ns.to_owned(),
            Some(_) => match adoption(&service.path) {
                Some((_, there)) => there.id.clone(),
                None => Uuid::new_v5(&space, format!("ns/{}", service.path).as_bytes()).to_string(),
            },
        })
        .collect();
    let parts = |net: &str| {
        let own = flat.services.iter().zip(&ids);
        let own = own.filter(|(service, _)| adoption(&service.path).is_none());
        let parts = own.map(|(service, id)| {
            let here = service.links.iter().filter(|(_, to)| *to == net);
            LinkPart {
                ns: id.clone(),
                names: here.map(|(name, _)| name.clone()).collect(),
            }
        });
        parts.filter(|part| !part.names.is_empty()).collect::<Vec<_>>()
    };
    for link in &mut layout.links {
        link.parts = parts(&link.link);
    }
    layout.parts = there.map(|net| (net.to_owned(), parts(net))).collect();
    let home = |name: &str| {
        let (service, own) = flat.home(name)?;
        let at = flat.services.iter().position(|known| known.path == service.path)?;
        (at > 0).then(|| Home {
            ns: ids[at].clone(),
            name: own.to_owned(),
        })
    };
    for vnf in &mut layout.vnfs {
        vnf.home = home(&vnf.profile);
    }
    for sap in &mut layout.saps {
        sap.home = home(&sap.sapd);
    }
    let mut pnfs: BTreeMap<String, Vec<NsPnf>> = BTreeMap::new();
    for mut pnf in std::mem::take(&mut layout.pnfs) {
        let at = home(&pnf.info.pnf_profile_id);
        let of = at.as_ref().map_or(ns, |home| home.ns.as_str()).to_owned();
        for link in pnf.links.values_mut() {
            *link = layout.name_in(link, &of).to_owned();
        }
        if let Some(home) = at {
            pnf.info.pnf_profile_id = home.name;
        }
        pnfs.entry(of).or_default().push(pnf);
    }
    layout.pnfs = pnfs.remove(ns).unwrap_or_default();
    for (service, id) in flat.services.iter().zip(&ids) {
        let Some(parent) = service.parent else { continue };
        if let Some((adoption, _)) = adoption(&service.path) {
            if adoption.path == service.path {
                layout.adopted.push(PlannedAdopted {
                    id: id.clone(),
                    parent: ids[parent].clone(),
                    profile: service.profile.clone(),
                    path: service.path.clone(),
                });
            }
            continue;
        }
        let info = constituents.nsds().find(|(_, nsd)| nsd.descriptor_id == service.nsd_id);
        layout.nested.push(PlannedNested {
            id: id.clone(),
            parent: ids[parent].clone(),
            profile: service.profile.clone(),
            path: service.path.clone(),
            name: name(ns_name, &service.path),
            nsd_id: service.nsd_id.clone(),
            nsd_info_id: info.map(|(info, _)| info.id.clone()).unwrap_or_default(),
            flavour_id: service.flavour_id.clone(),
            pnfs: pnfs.remove(id).unwrap_or_default(),
        });
    }
}

impl PlannedLink {
    /// What the outermost NS that it reaches calls it.
    pub(crate) fn outermost_name(&self) -> &str {
        let first = self.parts.first().and_then(|part| part.names.first());
        first.unwrap_or(&self.link)
    }
}

impl Layout {
    /// What a link is called in one of the NSs.
    pub(crate) fn name_in<'a>(&'a self, link: &'a str, ns: &str) -> &'a str {
        let planned = self.links.iter().find(|planned| planned.link == link);
        let parts = planned.map(|planned| &planned.parts).or_else(|| self.parts.get(link));
        let part = parts.and_then(|parts| parts.iter().find(|part| part.ns == ns));
        part.and_then(|part| part.names.first()).map_or(link, String::as_str)
    }
}
