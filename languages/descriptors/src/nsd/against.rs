//! An NSD held against the descriptors of its constituents, and what can be said without them.

use std::collections::BTreeSet;

use super::{CpConnectivity, Nfp, NsVirtualLink, Nsd, PnfProfile, VnfProfile};
use crate::code::Code;
use crate::diagnostic::{Diagnostics, Place, Severity, candidates};
use crate::link::read::{overlap, overlap_error};
use crate::link::{L3ProtocolData, LayerProtocol};
use crate::pnfd::Pnfd;
use crate::vnfd::{DeploymentFlavour, ExtCpInternal, Vnfd};

/// Checks an NSD against the descriptors that it names: unknown ids, flavours, levels and connection points, protocols without
/// anything in common, addresses that overlap where they meet.
///
/// Places are those of the NSD's files; the lines themselves are not at hand any more and are not quoted.
pub fn check_nsd(nsd: &Nsd, vnfds: &[&Vnfd], pnfds: &[&Pnfd]) -> Diagnostics {
    let mut diagnostics = Diagnostics::default();
    for profile in &nsd.vnf_profiles {
        match vnfds.iter().find(|vnfd| vnfd.descriptor_id == profile.vnfd_id) {
            Some(vnfd) => check_vnf(&mut diagnostics, nsd, profile, vnfd),
            None => {
                let message = format!("`{}` uses VNFD `{}`, which is not known", profile.id, profile.vnfd_id);
                let help = candidates(&profile.vnfd_id, vnfds.iter().map(|vnfd| vnfd.descriptor_id.as_str()));
                error(&mut diagnostics, Code::UnknownVnfd, &profile.place, message, help);
            }
        }
    }
    for profile in &nsd.pnf_profiles {
        match pnfds.iter().find(|pnfd| pnfd.descriptor_id == profile.pnfd_id) {
            Some(pnfd) => check_pnf(&mut diagnostics, nsd, profile, pnfd),
            None => {
                let message = format!("`{}` uses PNFD `{}`, which is not known", profile.id, profile.pnfd_id);
                let help = candidates(&profile.pnfd_id, pnfds.iter().map(|pnfd| pnfd.descriptor_id.as_str()));
                error(&mut diagnostics, Code::UnknownPnfd, &profile.place, message, help);
            }
        }
    }
    diagnostics.sort();
    diagnostics
}

fn error(diagnostics: &mut Diagnostics, code: Code, place: &Option<Place>, message: String, help: Option<String>) {
    diagnostics.push_plain(Severity::Error, code, place.clone().unwrap_or_default(), message, help);
}

fn check_vnf(diagnostics: &mut Diagnostics, nsd: &Nsd, profile: &VnfProfile, vnfd: &Vnfd) {
    let stated = [
        ("provider", &profile.provider, &vnfd.provider),
        ("product_name", &profile.product_name, &vnfd.product_name),
    ];
    for (name, here, there) in stated {
        if !here.is_empty() && here != there {
            let message = format!(
                "`{}` has the {name} `{here}` here and `{there}` in VNFD `{}`",
                profile.id, vnfd.descriptor_id
            );
            error(diagnostics, Code::ConstituentDiffers, &profile.place, message, None);
        }
    }
    let Some(flavour) = vnfd.flavour(&profile.flavour_id) else {
        let message = format!(
            "VNFD `{}` has no deployment flavour `{}`",
            vnfd.descriptor_id, profile.flavour_id
        );
        let help = candidates(
            &profile.flavour_id,
            vnfd.flavours.iter().map(|flavour| flavour.id.as_str()),
        );
        return error(diagnostics, Code::UnknownFlavour, &profile.place, message, help);
    };
    if let Some(level) = profile
        .instantiation_level
        .as_ref()
        .filter(|level| !flavour.instantiation_levels.contains_key(*level))
    {
        let message = format!(
            "flavour `{}` of VNFD `{}` has no instantiation level `{level}`",
            flavour.id, vnfd.descriptor_id
        );
        let help = candidates(level, flavour.instantiation_levels.keys().map(String::as_str));
        error(diagnostics, Code::UnknownLevel, &profile.place, message, help);
    }
    for connection in &profile.connectivity {
        let Some(cpd) = flavour.ext_cpd(&connection.cpd) else {
            let message = format!(
                "VNFD `{}` has no external connection point `{}`",
                vnfd.descriptor_id, connection.cpd
            );
            let names = flavour
                .ext_cpds
                .iter()
                .map(|cpd| cpd.requirement.as_deref().unwrap_or(&cpd.id));
            error(
                diagnostics,
                Code::UnknownExtCp,
                &connection.place,
                message,
                candidates(&connection.cpd, names),
            );
            continue;
        };
        check_protocols(diagnostics, nsd, connection, &cpd.layer_protocols);
        if let ExtCpInternal::VduCp { vdu, .. } = &cpd.internal {
            check_internal_overlap(diagnostics, nsd, connection, flavour, vdu);
        }
    }
    for cpd in &flavour.ext_cpds {
        let is_this = |c: &CpConnectivity| flavour.ext_cpd(&c.cpd).is_some_and(|found| found.id == cpd.id);
        if !profile.connectivity.iter().any(is_this) {
            let message = format!(
                "`{}` leaves the external connection point `{}` of its VNFD open",
                profile.id, cpd.id
            );
            let place = profile.place.clone().unwrap_or_default();
            diagnostics.push_plain(Severity::Warning, Code::ExtCpUnconnected, place, message, None);
        }
    }
}

fn check_pnf(diagnostics: &mut Diagnostics, nsd: &Nsd, profile: &PnfProfile, pnfd: &Pnfd) {
    for connection in &profile.connectivity {
        match pnfd.ext_cp(&connection.cpd) {
            Some(cp) => check_protocols(diagnostics, nsd, connection, &cp.layer_protocols),
            None => {
                let message = format!(
                    "PNFD `{}` has no external connection point `{}`",
                    pnfd.descriptor_id, connection.cpd
                );
                let names = pnfd
                    .ext_cps
                    .iter()
                    .map(|cp| cp.requirement.as_deref().unwrap_or(&cp.id));
                error(
                    diagnostics,
                    Code::UnknownExtCp,
                    &connection.place,
                    message,
                    candidates(&connection.cpd, names),
                );
            }
        }
    }
}

pub(super) fn check_protocols(
    diagnostics: &mut Diagnostics,
    nsd: &Nsd,
    connection: &CpConnectivity,
    cp: &[LayerProtocol],
) {
    let Some(link) = nsd.virtual_link(&connection.virtual_link) else {
        return;
    };
    let carried = &link.connectivity_type.layer_protocols;
    // Ethernet carries whatever is above it.
    let meets = |a: &LayerProtocol| {
        carried.contains(a) || carried.contains(&LayerProtocol::Ethernet) || *a == LayerProtocol::Ethernet
    };
    if !cp.is_empty() && !carried.is_empty() && !cp.iter().any(meets) {
        let message = format!(
            "`{}` speaks {cp:?} and `{}` carries {carried:?}",
            connection.cpd, link.id
        );
        error(diagnostics, Code::ProtocolMismatch, &connection.place, message, None);
    }
}

/// A link of the service and a link inside of the VNF meet in the VDU that is on both.
fn check_internal_overlap(
    diagnostics: &mut Diagnostics,
    nsd: &Nsd,
    connection: &CpConnectivity,
    flavour: &DeploymentFlavour,
    vdu: &str,
) {
    let (Some(link), Some(vdu)) = (nsd.virtual_link(&connection.virtual_link), flavour.vdu(vdu)) else {
        return;
    };
    let inside = vdu
        .connection_points
        .iter()
        .filter_map(|cp| flavour.virtual_link(cp.virtual_link.as_deref()?));
    for internal in inside {
        if let Some((a, b)) = overlapping(&link.l3, &internal.l3) {
            let message = format!(
                "{a} of `{}` and {b} of the internal link `{}` overlap, and VDU `{}` is on both",
                link.id, internal.id, vdu.id
            );
            overlap_error(diagnostics, connection.place.clone().unwrap_or_default(), message);
        }
    }
}

fn overlapping(one: &[L3ProtocolData], other: &[L3ProtocolData]) -> Option<(ipnet::IpNet, ipnet::IpNet)> {
    let mut pairs = one.iter().flat_map(|a| other.iter().map(move |b| (a.cidr, b.cidr)));
    pairs.find(|(a, b)| overlap(a, b))
}

/// What the NSD alone shows.
pub(crate) fn check_alone(diagnostics: &mut Diagnostics, nsd: &Nsd) {
    for profile in &nsd.vnf_profiles {
        let (least, most) = (profile.min_number_of_instances, profile.max_number_of_instances);
        if least > most {
            let message = format!("`{}` has at least {least} and at most {most} instances", profile.id);
            error(diagnostics, Code::ProfileRange, &profile.place, message, None);
        }
        for (id, level) in &nsd.instantiation_levels {
            let Some(count) = level
                .vnf_instances
                .get(&profile.id)
                .filter(|count| **count < least || **count > most)
            else {
                continue;
            };
            let message = format!(
                "level `{id}` has {count} instances of `{}`, whose profile allows {least} to {most}",
                profile.id
            );
            error(diagnostics, Code::ProfileRange, &profile.place, message, None);
        }
    }
    check_graphs(diagnostics, nsd);
    check_meetings(diagnostics, nsd);
    let vnfs = nsd.vnf_profiles.iter().map(|profile| &profile.connectivity);
    let pnfs = nsd.pnf_profiles.iter().map(|profile| &profile.connectivity);
    let nested = nsd.nested_ns_profiles.iter().map(|profile| &profile.connectivity);
    let connections = vnfs.chain(pnfs).chain(nested).flatten();
    let saps = nsd.saps.iter().filter_map(|sap| sap.virtual_link.as_deref());
    let used: BTreeSet<&str> = saps.chain(connections.map(|c| c.virtual_link.as_str())).collect();
    for link in nsd.virtual_links.iter().filter(|link| !used.contains(link.id.as_str())) {
        let message = format!("nothing is connected to `{}`", link.id);
        diagnostics.push_plain(
            Severity::Warning,
            Code::LinkUnused,
            link.place.clone().unwrap_or_default(),
            message,
            None,
        );
    }
}

/// Links that meet in one function have addresses of their own. In a nested service they need not meet in one function: that is
/// looked at where all is laid flat.
pub(super) fn check_meetings(diagnostics: &mut Diagnostics, nsd: &Nsd) {
    let vnfs = nsd.vnf_profiles.iter().map(|p| (p.id.as_str(), &p.connectivity));
    let pnfs = nsd.pnf_profiles.iter().map(|p| (p.id.as_str(), &p.connectivity));
    let mut seen: BTreeSet<(&str, &str)> = BTreeSet::new();
    for (profile, connectivity) in vnfs.chain(pnfs) {
        let links: Vec<&NsVirtualLink> = connectivity
            .iter()
            .filter_map(|c| nsd.virtual_link(&c.virtual_link))
            .collect();
        for (at, one) in links.iter().enumerate() {
            for other in links[..at].iter().filter(|other| other.id != one.id) {
                let pair = if one.id < other.id {
                    (one.id.as_str(), other.id.as_str())
                } else {
                    (other.id.as_str(), one.id.as_str())
                };
                let Some((a, b)) = overlapping(&one.l3, &other.l3).filter(|_| seen.insert(pair)) else {
                    continue;
                };
                let place = one
                    .l3
                    .iter()
                    .find(|l3| l3.cidr == a)
                    .and_then(|l3| l3.place.clone())
                    .unwrap_or_default();
                let message = format!(
                    "{a} of `{}` and {b} of `{}` overlap, and both meet in `{profile}`",
                    one.id, other.id
                );
                overlap_error(diagnostics, place, message);
            }
        }
    }
}

fn check_graphs(diagnostics: &mut Diagnostics, nsd: &Nsd) {
    for graph in &nsd.vnffgs {
        if !graph.profiles.iter().any(|profile| nsd.vnf_profile(profile).is_some()) {
            let message = format!("forwarding graph `{}` has no VNF among its constituents", graph.id);
            error(diagnostics, Code::GraphWithoutVnf, &graph.place, message, None);
        }
        for path in &graph.paths {
            check_path(diagnostics, nsd, path);
        }
    }
}

/// That what a path passes is there, and connected where it says so.
fn check_path(diagnostics: &mut Diagnostics, nsd: &Nsd, path: &Nfp) {
    for element in &path.elements {
        let vnfs = nsd.vnf_profiles.iter().map(|p| (&p.id, &p.connectivity));
        let pnfs = nsd.pnf_profiles.iter().map(|p| (&p.id, &p.connectivity));
        let nested = nsd.nested_ns_profiles.iter().map(|p| (&p.id, &p.connectivity));
        let mut all = vnfs.chain(pnfs).chain(nested);
        if nsd.saps.iter().any(|sap| sap.id == element.profile) {
            continue;
        }
        let Some((_, connectivity)) = all.find(|(id, _)| **id == element.profile) else {
            let message = format!(
                "path `{}` passes `{}`, which is no profile and no SAP",
                path.id, element.profile
            );
            let names = nsd.vnf_profiles.iter().map(|profile| profile.id.as_str());
            let help = candidates(
                &element.profile,
                names.chain(nsd.saps.iter().map(|sap| sap.id.as_str())),
            );
            error(diagnostics, Code::PathBroken, &element.place, message, help);
            continue;
        };
        for cp in element.ingress.iter().chain(&element.egress) {
            if !connectivity.iter().any(|connection| connection.cpd == *cp) {
                let message = format!(
                    "path `{}` passes `{}` by `{cp}`, which is not connected",
                    path.id, element.profile
                );
                let names = connectivity.iter().map(|connection| connection.cpd.as_str());
                let help = candidates(cp, names);
                error(diagnostics, Code::PathBroken, &element.place, message, help);
            }
        }
    }
}
