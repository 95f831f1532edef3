//! What is asked of an NS, as a wish that it can be held against.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use manifold_call::{CallError, Context, Outcome};
use manifold_descriptors::{Descriptor, Nsd};
use manifold_nfvo_interface::{Changes, ConstituentChange, ConstituentKind};
use manifold_sol::{InstantiateNsRequest, InstantiateVnfData, UpdateNsRequest, UpdateType};
use manifold_store::Put;

use super::asked::Asked;
use super::difference::{Difference, difference};
use super::family::{self, After, Family};
use super::{Follows, Params};
use crate::Nfvo;
use crate::catalogue::Model;
use crate::fault::Faults;
use crate::ns::adopt::{Adoption, Existing};
use crate::ns::flat::FlatNs;
use crate::ns::layout::{self, Layout, PlannedVnf, Staying, nested};
use crate::ns::{show, site};
use crate::record::{NsPnf, NsRecord};

/// The update types that are offered.
const OFFERED: &str = "INSTANTIATE_VNF, REMOVE_VNF, CHANGE_EXTERNAL_VNF_CONNECTIVITY, ADD_SAP, REMOVE_SAP, ADD_NESTED_NS, REMOVE_NESTED_NS, ASSOC_NEW_NSD_VERSION";

/// What an update is about to do.
pub(crate) struct Intent {
    pub(crate) params: Params,
    /// NSs that are taken in.
    taken: Vec<Adoption>,
    /// Physical functions as they are, by their flat names.
    pnfs: Vec<NsPnf>,
}

impl Intent {
    /// The writes by which it takes hold of what is taken in.
    pub(crate) fn claims(&self, cx: &Context) -> Outcome<Vec<Put>> {
        let layout = &self.params.difference.create;
        self.taken.iter().map(|one| one.claim(cx, layout)).collect()
    }
}

impl Nfvo {
    /// What the update would change, in a client's words.
    pub(crate) async fn changes(&self, cx: &Context, record: &NsRecord, request: UpdateNsRequest) -> Outcome<Changes> {
        self.check_free(cx, record).await?;
        let Intent { params, pnfs, .. } = self.updating(cx, record, request).await?;
        let mut changes = params.difference.changes(&pnfs);
        if params.follows.nsd_info_id != record.nsd_info_id {
            let follows = ConstituentChange {
                kind: ConstituentKind::Ns,
                name: record.name.clone(),
                id: Some(record.id.clone()),
                detail: format!("follows NSD {} instead of {}", params.follows.nsd_id, record.nsd_id),
            };
            changes.change.insert(0, follows);
        }
        Ok(changes)
    }

    pub(crate) async fn updating(&self, cx: &Context, record: &NsRecord, request: UpdateNsRequest) -> Outcome<Intent> {
        if let Some(when) = &request.update_time {
            let fault = CallError::unsupported(format!("the NS is updated now or not at all, not at {when}"));
            return Err(fault.cure("leave updateTime out"));
        }
        check_type(request.update_type)?;
        let mut follows = Follows {
            nsd_id: record.nsd_id.clone(),
            nsd_info_id: record.nsd_info_id.clone(),
            flavour_id: record.flavour_id.clone(),
            level_id: record.level_id.clone(),
        };
        let old = self.catalogue.model(&record.nsd_info_id).await?;
        let mut new = Arc::clone(&old);
        let mut sync = false;
        if request.update_type == UpdateType::AssocNewNsdVersion {
            let Some(data) = &request.assoc_new_nsd_version_data else {
                return Err(missing("assocNewNsdVersionData"));
            };
            sync = data.sync.unwrap_or(false);
            let info = self.usable_nsd(cx, &data.new_nsd_id).await?;
            new = self.catalogue.model(&info.id).await?;
            check_version(nsd(&old)?, nsd(&new)?)?;
            follows.nsd_id = info.nsd_id.unwrap_or_default();
            follows.nsd_info_id = info.id;
            follows.flavour_id = Some(nsd(&new)?.flavour_id.clone());
            let level = follows.level_id.take();
            follows.level_id =
                level.filter(|level| nsd(&new).is_ok_and(|nsd| nsd.instantiation_levels.contains_key(level)));
            if !sync {
                let params = Params {
                    ns: record.id.clone(),
                    request,
                    difference: Difference::default(),
                    follows,
                };
                return Ok(Intent {
                    params,
                    taken: Vec::new(),
                    pnfs: Vec::new(),
                });
            }
        }
        let flat = self.flat(cx, record).await?;
        let wanted = family::wanted(nsd(&new)?, record, &request)?;
        let taken = self.adoptions(cx, record, &request.add_nested_ns_data).await?;
        let asked = Question {
            record,
            request: &request,
            flat: &flat,
            taken: &taken,
            sync,
            level: follows.level_id.clone(),
        };
        let difference = self.differing(cx, asked, &wanted).await?;
        Ok(Intent {
            params: Params {
                ns: record.id.clone(),
                request,
                difference,
                follows,
            },
            taken,
            pnfs: flat.ns.pnfs,
        })
    }

    /// `wanted`: the NSD that it shall follow, as far as it shall nest what that says.
    async fn differing(&self, cx: &Context, question: Question<'_>, wanted: &Nsd) -> Outcome<Difference> {
        let Question { record, flat, sync, .. } = question;
        let mut faults = Faults::default();
        let present = self.present(cx, flat).await?;
        let constituents = self.catalogue.all_constituents(cx, wanted).await?;
        let mut after = nested::flatten(wanted, &constituents)?;
        let mut family = Family::of(
            flat,
            &after,
            question.taken,
            sync,
            &question.request.remove_nested_ns_id,
        );
        if sync {
            let invariant = self.invariants(flat).await?;
            family.check_versions(&after, &constituents, &invariant, &mut faults);
        }
        nested::check_enabled(&after, &constituents, |path| {
            flat.inside.iter().all(|inner| inner.path != path)
        })?;
        let mut adoptions = family.held(flat);
        adoptions.extend(question.taken.iter().cloned());
        let mut places = InstantiateNsRequest::default();
        let existing = Existing::of(&adoptions, &mut after, &mut places)?;
        if sync {
            family.separate(flat, &existing);
        }
        let survey = site::survey(&self.near, cx).await?;
        let gone = if sync { BTreeSet::new() } else { family.lost(flat) };
        let mut asked = Asked::new(&present, &after, &constituents, sync, gone);
        asked.read(question.request);
        let Asked {
            mut wish,
            staying,
            nsd,
            layout_request,
            news,
            faults: wrong,
            ..
        } = asked;
        wrong.check()?;
        let locations = [layout_request.location_constraints, places.location_constraints].concat();
        let layout_request = InstantiateNsRequest {
            ns_flavour_id: nsd.flavour_id.clone(),
            ns_instantiation_level_id: question.level.clone(),
            location_constraints: locations,
            ..layout_request
        };
        let mut layout = layout::Question {
            ns: show::space(&record.id),
            ns_name: &record.name,
            request: &layout_request,
            nsd: &nsd,
            constituents: &constituents,
            survey: &survey,
            has_wim: self.near.wim()?.is_some(),
            staying: &staying,
        }
        .answer()?;
        let around = After {
            layout: &layout,
            gone: &wish.gone,
            sync,
        };
        family.check_released(flat, &around, &mut faults);
        family.check_lost(flat, &around, &mut faults);
        let free = around.give_way(flat, &existing, &mut faults);
        faults.check()?;
        wish.gone.extend(free);
        existing.take_into(&mut layout)?;
        dress(&mut layout, &staying, news);
        let mut difference = difference(&present, &wish, &family, layout)?;
        if !flat.inside.is_empty() || after.services.len() > 1 {
            let is_left = |id: &String| {
                let mut gone = difference.remove.links.iter();
                !family.forgotten.contains(id) && gone.all(|gone| gone.info.id != *id)
            };
            let left = flat.ns.links.iter().filter(|link| is_left(&link.info.id));
            let left: Vec<&str> = left.map(|link| link.info.ns_virtual_link_desc_id.as_str()).collect();
            nested::settle(
                &mut difference.create,
                &after,
                &constituents,
                &adoptions,
                (&record.id, &record.name),
                left.into_iter(),
            );
        }
        if !sync {
            // What the NSD says beyond that is not asked for.
            let nested = &mut difference.create.nested;
            nested.retain(|planned| family.kept.iter().any(|held| held.id == planned.id));
        }
        difference.family = family;
        Ok(difference)
    }
}

impl Nfvo {
    /// The `nsdInvariantId` of what each NS inside follows now, by its id.
    async fn invariants(&self, flat: &FlatNs) -> Outcome<BTreeMap<String, String>> {
        let mut all = BTreeMap::new();
        for inner in flat.inside.iter().filter(|inner| !inner.is_foreign) {
            let model = self.catalogue.model(&inner.ns.nsd_info_id).await?;
            all.insert(inner.ns.id.clone(), nsd(&model)?.invariant_id.clone());
        }
        Ok(all)
    }
}

/// What an update is asked for.
struct Question<'a> {
    record: &'a NsRecord,
    request: &'a UpdateNsRequest,
    flat: &'a FlatNs,
    taken: &'a [Adoption],
    /// Everything shall be as the NSD says.
    sync: bool,
    level: Option<String>,
}

fn nsd(model: &Model) -> Outcome<&Nsd> {
    match &model.descriptor {
        Descriptor::Nsd(nsd) => Ok(nsd),
        other => Err(CallError::internal(format!("an NSD is a {}", other.kind()))),
    }
}

pub(super) fn missing(what: &str) -> CallError {
    CallError::invalid(format!("the update has no {what}"))
}

fn check_type(asked: UpdateType) -> Outcome<()> {
    use UpdateType::{
        AddNestedNs, AddSap, AddVnf, AssocNewNsdVersion, ChangeExternalVnfConnectivity, InstantiateVnf, RemoveNestedNs,
        RemoveSap, RemoveVnf,
    };
    match asked {
        InstantiateVnf | RemoveVnf | ChangeExternalVnfConnectivity | AddSap | RemoveSap | AddNestedNs | RemoveNestedNs
        | AssocNewNsdVersion => Ok(()),
        AddVnf => Err(CallError::unsupported(
            "ADD_VNF is not offered: a VNF belongs to one NS from its making on, so there is none that an NS could take in",
        )
        .cure("INSTANTIATE_VNF makes one")),
        other => Err(CallError::unsupported(format!("updateType {} is not offered", other.as_wire()))
            .cure(format!("these are: {OFFERED}"))),
    }
}

fn check_version(old: &Nsd, new: &Nsd) -> Outcome<()> {
    if old.invariant_id != new.invariant_id {
        return Err(CallError::invalid(format!(
            "NSD {} is no version of NSD {}: its nsdInvariantId is {}, not {}",
            new.descriptor_id, old.descriptor_id, new.invariant_id, old.invariant_id
        ))
        .cure("only another version of the same NSD can be associated"));
    }
    Ok(())
}

/// Gives new VNFs the names and parameters that were asked for.
fn dress(layout: &mut Layout, staying: &Staying, news: Vec<(String, InstantiateVnfData)>) {
    let mut free: Vec<&mut PlannedVnf> = layout
        .vnfs
        .iter_mut()
        .filter(|vnf| !staying.keys.contains(&vnf.key))
        .collect();
    for (profile, data) in news {
        let Some(at) = free.iter().position(|vnf| vnf.profile == profile) else {
            continue;
        };
        let vnf = free.remove(at);
        vnf.name = data.vnf_instance_name.unwrap_or_else(|| std::mem::take(&mut vnf.name));
        vnf.additional_params = data.additional_params;
    }
}
