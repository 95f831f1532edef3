//! NSs that are there and become nested ones (SOL005 6.5.3.19): they keep what they have, and a link that reaches one of their links
//! is on its networks.
//!
//! ```text
//!   request ──> adoptions (who, free, of the right NSD) ──> the flat NSD without what they consist of
//!                                                      └──> their links' networks, in the place of those that would be made
//! ```

use std::collections::{BTreeMap, BTreeSet};

use manifold_call::{CallError, Context, Outcome};
use manifold_descriptors::FlatNsd;
use manifold_sol::{InstantiateNsRequest, LocationConstraints, NestedNsInstanceData, NsState, VnfLocationConstraint};
use manifold_store::{Doc, Expect, Put};

use super::flat::{is_below, joined, link_called};
use super::layout::{Layout, PlannedNetwork};
use super::nested::Inner;
use super::network::MadeNetwork;
use crate::Nfvo;
use crate::fault::Faults;
use crate::record::{self, NS, NsLink, NsRecord};

/// An NS that takes the place of a nested one.
#[derive(Debug, Clone)]
pub(crate) struct Adoption {
    /// Of the profile.
    pub(crate) path: String,
    doc: Doc,
    ns: NsRecord,
    /// It and what it nests, by path.
    pub(crate) inside: BTreeMap<String, NsRecord>,
}

impl Adoption {
    /// One that is held already, of what an NS holds.
    pub(crate) fn held(inside: &[Inner], adopted: &Inner) -> Self {
        let within = inside.iter().filter(|inner| inner.is_within(&adopted.path));
        Self {
            path: adopted.path.clone(),
            doc: adopted.doc.clone(),
            ns: adopted.ns.clone(),
            inside: within.map(|inner| (inner.path.clone(), inner.ns.clone())).collect(),
        }
    }

    pub(crate) fn id(&self) -> &str {
        &self.ns.id
    }

    pub(crate) fn nsd_id(&self) -> &str {
        &self.ns.nsd_id
    }

    /// The write by which the NS that will hold it takes hold of it.
    pub(crate) fn claim(&self, cx: &Context, layout: &Layout) -> Outcome<Put> {
        let ns = &self.ns;
        let holder = layout.adopted.iter().find(|planned| planned.id == ns.id);
        let held = NsRecord {
            parent: holder.map(|planned| planned.parent.clone()),
            ..ns.clone()
        };
        held.put(&cx.tenant, Expect::Exactly(self.doc.revision))
    }
}

impl Nfvo {
    /// The NSs that a request wants to be nested. Errors: `NotFound`; `Conflict` (held already, without resources); `Busy`; `Invalid`
    /// (one twice, one in itself).
    pub(super) async fn adoptions(
        &self,
        cx: &Context,
        outer: &NsRecord,
        wanted: &[NestedNsInstanceData],
    ) -> Outcome<Vec<Adoption>> {
        let mut all: Vec<Adoption> = Vec::new();
        for data in wanted {
            let id = &data.nested_ns_instance_id;
            let (doc, ns): (_, NsRecord) = record::find(&*self.near.store, &cx.tenant, NS, id, "NS instance").await?;
            self.check_idle(cx, &ns).await?;
            if ns.state != NsState::Instantiated {
                let fault = CallError::conflict(format!("NS {id} shall be nested, and is NOT_INSTANTIATED"));
                return Err(fault.cure("instantiate it, or let it be made"));
            }
            if ns.id == outer.id
                || all
                    .iter()
                    .any(|one| one.ns.id == ns.id || one.path == data.ns_profile_id)
            {
                return Err(CallError::invalid(format!(
                    "NS {id} or nested NS profile {} is named twice, or the NS itself is",
                    data.ns_profile_id
                )));
            }
            let path = data.ns_profile_id.clone();
            let held = self.inside(cx, &ns).await?.into_iter();
            let held = held.map(|inner| (joined(&path, &inner.path), inner.ns));
            let inside = held.chain([(path.clone(), ns.clone())]).collect();
            all.push(Adoption { path, doc, ns, inside });
        }
        Ok(all)
    }
}

/// Networks that are there, by the link of the flat NSD that they realise.
#[derive(Debug, Default)]
pub(crate) struct Existing {
    links: BTreeMap<String, (String, NsLink)>,
}

impl Existing {
    /// Takes what is adopted out of what is to be made. VNFs on a network that is at one site only are asked to be there.
    pub(crate) fn of(
        adoptions: &[Adoption],
        flat: &mut FlatNsd,
        request: &mut InstantiateNsRequest,
    ) -> Result<Self, CallError> {
        let mut existing = Self::default();
        let mut faults = Faults::default();
        for adoption in adoptions {
            let service = flat
                .services
                .iter()
                .skip(1)
                .find(|service| service.path == adoption.path);
            let Some(service) = service else {
                faults.invalid(format!("the NSD has no nested NS profile {}", adoption.path));
                continue;
            };
            let ns = &adoption.ns;
            if service.nsd_id != ns.nsd_id {
                faults.invalid(format!(
                    "nested NS profile {} is of NSD {}, and NS {} of {}",
                    adoption.path, service.nsd_id, ns.id, ns.nsd_id
                ));
                continue;
            }
            for service in &flat.services {
                if is_below(&adoption.path, &service.path) && !adoption.inside.contains_key(&service.path) {
                    faults.push(
                        CallError::conflict(format!(
                            "NS {} does not nest all that its NSD says: {} is not there",
                            ns.id, service.path
                        ))
                        .cure("update it to what its NSD says first"),
                    );
                }
                if let Some(there) = adoption.inside.get(&service.path) {
                    for (name, net) in &service.links {
                        existing.add(net, there, name, &mut faults);
                    }
                }
            }
        }
        let is_there = |name: &str| {
            let home = flat.home(name);
            home.is_some_and(|(service, _)| adoptions.iter().any(|one| one.inside.contains_key(&service.path)))
        };
        let mut nsd = flat.nsd.clone();
        nsd.vnf_profiles.retain(|profile| !is_there(&profile.id));
        nsd.pnf_profiles.retain(|profile| !is_there(&profile.id));
        nsd.saps.retain(|sap| !is_there(&sap.id));
        nsd.location_constraints.retain(|place| !is_there(&place.profile));
        let is_ours = |id: &str| {
            let home = flat.packet_home(id);
            home.is_none_or(|service| !adoptions.iter().any(|one| one.inside.contains_key(&service.path)))
        };
        nsd.vnffgs.retain(|graph| is_ours(&graph.id));
        nsd.traffic_rules.retain(|rule| is_ours(&rule.id));
        flat.nsd = nsd;
        for profile in &flat.nsd.vnf_profiles {
            let links = profile
                .connectivity
                .iter()
                .filter_map(|end| existing.links.get(&end.virtual_link));
            for (_, link) in links.filter(|(_, link)| link.networks.len() == 1) {
                request.location_constraints.push(VnfLocationConstraint {
                    vnf_profile_id: profile.id.clone(),
                    location_constraints: Some(LocationConstraints {
                        country_code: None,
                        vim_id: Some(link.networks[0].vim.clone()),
                    }),
                });
            }
        }
        faults.check().map(|()| existing)
    }

    /// Whether a link of the flat NSD is on that link's networks.
    pub(crate) fn has(&self, net: &str, id: &str) -> bool {
        self.links.get(net).is_some_and(|(_, link)| link.info.id == id)
    }

    /// Links that the NS has with networks of its own, and that are those of an NS that is taken in from now on: (own, the other's).
    pub(crate) fn replaced<'a>(&'a self, record: &'a NsRecord) -> impl Iterator<Item = (&'a NsLink, &'a NsLink)> {
        record.links.iter().filter_map(|own| {
            let (_, other) = self.links.get(&own.info.ns_virtual_link_desc_id)?;
            (other.info.id != own.info.id).then_some((own, other))
        })
    }

    /// A link of an NS that is there; `net`: what it is in the flat NSD.
    fn add(&mut self, net: &str, ns: &NsRecord, name: &str, faults: &mut Faults) {
        let Some(link) = link_called(ns, name).filter(|link| !link.networks.is_empty()) else {
            return;
        };
        match self.links.get(net) {
            Some((other, known)) if known.info.id != link.info.id => faults.push(
                CallError::conflict(format!(
                    "link {net} would be {name} of NS {} and a link of NS {other}, which are networks of their own already",
                    ns.id
                ))
                .cure("let one of the two NSs be made anew"),
            ),
            Some(_) => {}
            None => {
                self.links.insert(net.to_owned(), (ns.id.clone(), link.clone()));
            }
        }
    }

    /// Puts the networks into the place of those that would be made. Errors: an end at a site that they do not reach.
    pub(crate) fn take_into(self, layout: &mut Layout) -> Result<(), CallError> {
        let mut faults = Faults::default();
        for planned in &mut layout.networks {
            let Some((ns, link)) = self.links.get(&planned.link) else {
                continue;
            };
            match link.networks.iter().find(|network| network.vim == planned.vim) {
                Some(network) => {
                    planned.existing = Some(MadeNetwork {
                        id: network.id,
                        subnets: network.subnets.clone(),
                        segmentation_id: network.segmentation_id,
                        provider_network: network.provider_network.clone(),
                    });
                }
                None => faults.push(out_of_reach(planned, ns, link)),
            }
        }
        for planned in &mut layout.links {
            if let Some((_, link)) = self.links.get(&planned.link) {
                planned.id = link.info.id.clone();
                planned.wan = None;
            }
        }
        faults.check()
    }
}

fn out_of_reach(planned: &PlannedNetwork, ns: &str, link: &NsLink) -> CallError {
    let sites: BTreeSet<&str> = link.networks.iter().map(|network| network.vim.as_str()).collect();
    CallError::invalid(format!(
        "link {} has an end at {}, and the network of NS {ns} that it is on is at {} only",
        planned.link,
        planned.vim,
        sites.into_iter().collect::<Vec<_>>().join(", ")
    ))
    .cure("ask for these sites, or let the nested NS be made anew")
}

/// The record of an NS that is held, as it is when nobody holds it any more.
pub(super) fn released(doc: &Doc, tenant: &manifold_call::TenantId) -> Outcome<Put> {
    let ns: NsRecord = doc.read().map_err(crate::fault::store)?;
    let free = NsRecord { parent: None, ..ns };
    free.put(tenant, Expect::Exactly(doc.revision))
}
