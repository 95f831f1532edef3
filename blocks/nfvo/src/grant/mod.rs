//! VNF lifecycle operation granting (IFA 007 6.3, SOL003 9).
//!
//! ```text
//!   request ──> whose VNF, at which VIM ──> place (capacity − reservations, constraints) ──> flavours, images ──> grant, kept
//!                                              └── nothing fits: Forbidden, host by host
//! ```
//!
//! What a grant promises is reserved until the VNF's operation has ended. A grant for resources is a document: the same request
//! again has the same answer. A request that only gives back needs none.

pub(crate) mod assets;
mod reserve;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use manifold_call::{CallError, Context, Outcome, Uuid};
use manifold_descriptors::Descriptor;
use manifold_descriptors::vnfd::DeploymentFlavour;
use manifold_nfvo_interface::{GrantAsk, VnfLifecycleOperationGranting};
use manifold_planning::placement::{Demand, HostId, Relation, Resident, Rule, Scope, place};
use manifold_sol::{
    AffinityType, ConstraintIdType, Grant, GrantInfo, GrantRequest, GrantedResourceType, PlacementScope,
    ResourceDefinition, VimAssets, ZoneInfo,
};
use manifold_store::{Batch, Expect, Put};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::Nfvo;
use crate::fault::{self, Faults};
use crate::ns::layout::cure;
use crate::ns::site::{self, Site};
use crate::ns::vnf::vim_connection;
use crate::record::{self, GRANT, VNF, VnfRecord};
use reserve::{Reservation, Reserved};

/// How often a grant is worked out again because another one was quicker.
const TRIES_MAX: u32 = 16;

/// A grant and what it answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct GrantRecord {
    request: GrantRequest,
    grant: Grant,
}

#[async_trait]
impl VnfLifecycleOperationGranting for Nfvo {
    async fn grant(&self, cx: &Context, ask: GrantAsk) -> Outcome<Grant> {
        let request = ask.0;
        let store = &*self.near.store;
        let (_, vnf) =
            record::find::<VnfRecord>(store, &cx.tenant, VNF, &request.vnf_instance_id, "VNF instance").await?;
        if vnf.vnfd_id != request.vnfd_id {
            return Err(CallError::invalid(format!(
                "VNF {} is of VNFD {}, not {}",
                vnf.id, vnf.vnfd_id, request.vnfd_id
            )));
        }
        if request
            .add_resources
            .iter()
            .all(|resource| resource.kind != GrantedResourceType::Compute)
        {
            return Ok(answer(&request, &vnf, &BTreeMap::new(), None, &[]));
        }
        self.grant_resources(cx, request, vnf).await
    }
}

impl Nfvo {
    /// The answer that the same request has had.
    async fn granted(&self, cx: &Context, request: &GrantRequest) -> Outcome<Option<Grant>> {
        let doc = self
            .near
            .store
            .get(GRANT, &request.vnf_lcm_op_occ_id)
            .await
            .map_err(fault::store)?;
        let Some(doc) = doc.filter(|doc| doc.tenant.as_deref() == Some(cx.tenant.as_str())) else {
            return Ok(None);
        };
        let first: GrantRecord = doc.read().map_err(fault::store)?;
        Ok((first.request == *request).then_some(first.grant))
    }

    async fn grant_resources(&self, cx: &Context, request: GrantRequest, vnf: VnfRecord) -> Outcome<Grant> {
        let model = self.catalogue.model(&vnf.package).await?;
        let Descriptor::Vnfd(vnfd) = &model.descriptor else {
            return Err(CallError::internal(format!(
                "VNF package {} holds a {}",
                vnf.package,
                model.descriptor.kind()
            )));
        };
        let flavour_id = request.flavour_id.as_ref().unwrap_or(&vnf.flavour_id);
        let flavour = vnfd
            .flavour(flavour_id)
            .ok_or_else(|| CallError::invalid(format!("VNFD {} has no flavour {flavour_id}", vnfd.descriptor_id)))?;
        let demands = demands(&request, &vnf, flavour)?;
        let vdus: BTreeSet<&str> = computes(&request)
            .filter_map(|resource| resource.vdu_id.as_deref())
            .collect();
        let vim = self.near.vim(&vnf.vim)?;
        let mut assets: Option<VimAssets> = None;
        for _ in 0..TRIES_MAX {
            if let Some(first) = self.granted(cx, &request).await? {
                return Ok(first);
            }
            let reserved = Reserved::read(&self.near, cx, &vim, &request.vnf_lcm_op_occ_id).await?;
            let site = site::ask(cx, &vim).await?;
            let places = find_places(&request, &demands, &site, &reserved)?;
            // Once is enough: what was made available stays so.
            let assets = match &assets {
                Some(assets) => assets.clone(),
                None => {
                    let made = self
                        .make_available(cx, &vim, &vnf.package, &model, flavour, &vdus)
                        .await?;
                    assets.insert(made).clone()
                }
            };
            let grant = answer(&request, &vnf, &places, Some(assets), &site.hosts);
            let reservation = Reservation::of(cx, &request, &demands, &places, &site);
            let body = record::json(&GrantRecord {
                request: request.clone(),
                grant: grant.clone(),
            })?;
            let put = Put::new(GRANT, &request.vnf_lcm_op_occ_id, Expect::Any, body)
                .tenant(Some(cx.tenant.as_str()))
                .index("vnf", &vnf.id);
            let batch = reserved
                .with(reservation)?
                .into_iter()
                .fold(Batch::new().write(put), Batch::write);
            match self.near.store.commit(batch).await {
                Ok(_) => return Ok(grant),
                // Another grant at this VIM was quicker: there is less left now.
                Err(error) if error.conflict().is_some() => {}
                Err(error) => return Err(fault::store(error)),
            }
        }
        Err(CallError::busy(format!(
            "other grants at VIM {} were quicker, {TRIES_MAX} times",
            vnf.vim
        ))
        .cure("retry the operation"))
    }
}

fn computes(request: &GrantRequest) -> impl Iterator<Item = &ResourceDefinition> {
    request
        .add_resources
        .iter()
        .filter(|resource| resource.kind == GrantedResourceType::Compute)
}

/// What looks for a place. Errors: every definition that is not of the descriptor.
fn demands(request: &GrantRequest, vnf: &VnfRecord, flavour: &DeploymentFlavour) -> Outcome<Vec<Demand>> {
    let mut faults = Faults::default();
    let mut all: Vec<Demand> = Vec::new();
    for resource in computes(request) {
        let vdu = resource.vdu_id.as_ref().and_then(|id| flavour.vdu(id));
        let Some((vdu, compute)) = vdu.and_then(|vdu| Some((vdu, vdu.compute.as_ref()?))) else {
            faults.invalid(format!(
                "resource {} is of VDU {}, which is no machine of the flavour",
                resource.id,
                resource.vdu_id.as_deref().unwrap_or("?")
            ));
            continue;
        };
        if all.iter().any(|known| known.name == resource.id) {
            faults.invalid(format!("two resources are called {}", resource.id));
        }
        all.push(Demand {
            name: resource.id.clone(),
            vcpus: compute.num_virtual_cpu,
            memory_mib: compute.virtual_mem_size_mib,
            pop: Some(vnf.vim.clone()),
            zone: vnf.zone.clone(),
            host: None,
            reaches: vnf.reaches.get(&vdu.id).cloned().unwrap_or_default(),
        });
    }
    faults.check().map(|()| all)
}

/// A host for each resource. Errors: `Forbidden`, host by host.
fn find_places(
    request: &GrantRequest,
    demands: &[Demand],
    site: &Site,
    reserved: &Reserved,
) -> Outcome<BTreeMap<String, HostId>> {
    // Machines that are being replaced give their place back only when they are gone, so they count; they bind no rule.
    let leaving: BTreeSet<&str> = request
        .remove_resources
        .iter()
        .filter_map(|resource| resource.resource.as_ref())
        .map(|handle| handle.resource_id.as_str())
        .collect();
    let residents: Vec<Resident> = site
        .hosts
        .iter()
        .flat_map(|host| {
            let id = HostId {
                pop: site.vim.clone(),
                host: host.host_id.clone(),
            };
            host.computes.iter().map(move |compute| Resident {
                name: compute.to_string(),
                host: id.clone(),
            })
        })
        .filter(|resident| !leaving.contains(resident.name.as_str()))
        .collect();
    let rules: Vec<Rule> = request
        .placement_constraints
        .iter()
        .map(|constraint| Rule {
            relation: match constraint.affinity_or_anti_affinity {
                AffinityType::Affinity => Relation::Together,
                AffinityType::AntiAffinity => Relation::Apart,
            },
            scope: match constraint.scope {
                PlacementScope::NfviNode => Scope::Host,
                PlacementScope::Zone | PlacementScope::ZoneGroup => Scope::Zone,
                PlacementScope::NfviPop => Scope::Pop,
            },
            members: constraint
                .resource
                .iter()
                .filter(|member| match member.id_type {
                    ConstraintIdType::Grant => true,
                    ConstraintIdType::ResMgmt => !leaving.contains(member.resource_id.as_str()),
                })
                .map(|member| member.resource_id.clone())
                .collect(),
        })
        .collect();
    let hosts = reserved.less(site.hosts());
    place(&hosts, &residents, demands, &rules).map_err(|why| {
        let mut text = why.to_string();
        if reserved.is_some() {
            text.push_str("; what other operations were granted and do not use yet counts as used");
        }
        CallError::forbidden(text).cure(cure(&why))
    })
}

/// The grant. Pure.
fn answer(
    request: &GrantRequest,
    vnf: &VnfRecord,
    places: &BTreeMap<String, HostId>,
    vim_assets: Option<VimAssets>,
    hosts: &[manifold_vim_interface::ComputeCapacity],
) -> Grant {
    let zone_of = |resource: &str| {
        let host = &places.get(resource)?.host;
        hosts
            .iter()
            .find(|known| known.host_id == *host)
            .map(|known| known.zone_id.clone())
    };
    let zones: BTreeSet<String> = places.keys().filter_map(|resource| zone_of(resource)).collect();
    let add = request.add_resources.iter().map(|resource| GrantInfo {
        resource_definition_id: resource.id.clone(),
        vim_connection_id: Some(vnf.vim.clone()),
        zone_id: zone_of(&resource.id).map(|zone| zone_name(&zone)),
    });
    let remove = request.remove_resources.iter().map(|resource| GrantInfo {
        resource_definition_id: resource.id.clone(),
        vim_connection_id: Some(vnf.vim.clone()),
        zone_id: None,
    });
    let chosen: BTreeMap<&String, &String> = places.iter().map(|(resource, place)| (resource, &place.host)).collect();
    Grant {
        id: Uuid::new_v5(&crate::ns::show::space(&request.vnf_lcm_op_occ_id), b"grant").to_string(),
        vnf_instance_id: request.vnf_instance_id.clone(),
        vnf_lcm_op_occ_id: request.vnf_lcm_op_occ_id.clone(),
        vim_connection_info: [(vnf.vim.clone(), vim_connection(&vnf.vim))].into(),
        zones: zones
            .into_iter()
            .map(|zone| ZoneInfo {
                id: zone_name(&zone),
                zone_id: zone,
                vim_connection_id: Some(vnf.vim.clone()),
            })
            .collect(),
        add_resources: add.collect(),
        remove_resources: remove.collect(),
        vim_assets,
        additional_params: if chosen.is_empty() {
            BTreeMap::new()
        } else {
            [("hosts".to_owned(), json!(chosen))].into()
        },
    }
}

/// A zone's name in a grant.
fn zone_name(zone: &str) -> String {
    format!("zone-{zone}")
}
