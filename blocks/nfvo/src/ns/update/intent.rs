//! What is asked of an NS, as a wish that it can be held against.

use std::sync::Arc;

use manifold_call::{CallError, Context, Outcome};
use manifold_descriptors::{Descriptor, Nsd};
use manifold_nfvo_interface::{Changes, ConstituentChange, ConstituentKind};
use manifold_sol::{InstantiateNsRequest, InstantiateVnfData, UpdateNsRequest, UpdateType};

use super::asked::Asked;
use super::difference::{Difference, difference};
use super::{Follows, Params};
use crate::Nfvo;
use crate::catalogue::Model;
use crate::fault::Faults;
use crate::ns::layout::{Layout, PlannedVnf, Question, Staying};
use crate::ns::{show, site};
use crate::record::NsRecord;

/// The update types that are offered.
const OFFERED: &str =
    "INSTANTIATE_VNF, REMOVE_VNF, CHANGE_EXTERNAL_VNF_CONNECTIVITY, ADD_SAP, REMOVE_SAP, ASSOC_NEW_NSD_VERSION";

impl Nfvo {
    /// What the update would change, in a client's words.
    pub(crate) async fn changes(&self, cx: &Context, record: &NsRecord, request: UpdateNsRequest) -> Outcome<Changes> {
        let params = self.updating(cx, record, request).await?;
        let mut changes = params.difference.changes(&record.pnfs);
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

    pub(crate) async fn updating(&self, cx: &Context, record: &NsRecord, request: UpdateNsRequest) -> Outcome<Params> {
        if let Some(when) = &request.update_time {
            let fault = CallError::unsupported(format!("the NS is updated now or not at all, not at {when}"));
            return Err(fault.cure("leave updateTime out"));
        }
        check_type(request.update_type)?;
        check_flat(record)?;
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
                return Ok(Params {
                    ns: record.id.clone(),
                    request,
                    difference: Difference::default(),
                    follows,
                });
            }
        }
        let difference = self
            .differing(cx, record, &request, (nsd(&old)?, nsd(&new)?), sync, &follows)
            .await?;
        Ok(Params {
            ns: record.id.clone(),
            request,
            difference,
            follows,
        })
    }

    async fn differing(
        &self,
        cx: &Context,
        record: &NsRecord,
        request: &UpdateNsRequest,
        (old, new): (&Nsd, &Nsd),
        sync: bool,
        follows: &Follows,
    ) -> Outcome<Difference> {
        let present = self.present(cx, record, old).await?;
        let constituents = self.catalogue.constituents(cx, new).await?;
        let survey = site::survey(&self.near, cx).await?;
        let mut asked = Asked::new(&present, new, &constituents, sync);
        asked.read(request);
        let Asked {
            wish,
            staying,
            nsd,
            layout_request,
            news,
            faults,
            ..
        } = asked;
        faults.check()?;
        let layout_request = InstantiateNsRequest {
            ns_flavour_id: nsd.flavour_id.clone(),
            ns_instantiation_level_id: follows.level_id.clone(),
            ..layout_request
        };
        let mut layout = Question {
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
        dress(&mut layout, &staying, news);
        difference(&present, &wish, layout)
    }
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
        AddSap, AddVnf, AssocNewNsdVersion, ChangeExternalVnfConnectivity, InstantiateVnf, RemoveSap, RemoveVnf,
    };
    match asked {
        InstantiateVnf | RemoveVnf | ChangeExternalVnfConnectivity | AddSap | RemoveSap | AssocNewNsdVersion => Ok(()),
        AddVnf => Err(CallError::unsupported(
            "ADD_VNF is not offered: a VNF belongs to one NS from its making on, so there is none that an NS could take in",
        )
        .cure("INSTANTIATE_VNF makes one")),
        other => Err(CallError::unsupported(format!("updateType {} is not offered", other.as_wire()))
            .cure(format!("these are: {OFFERED}"))),
    }
}

/// Links go through nested NSs, and an update looks at one NS alone.
fn check_flat(record: &NsRecord) -> Outcome<()> {
    if let Some(outer) = &record.parent {
        return Err(CallError::unsupported(format!(
            "NS {} is nested in NS {outer}, and is not updated",
            record.id
        )));
    }
    if record.nested.is_empty() {
        return Ok(());
    }
    let nested: Vec<&str> = record.nested.iter().map(|nested| nested.profile.as_str()).collect();
    Err(CallError::unsupported(format!(
        "an NS that nests others is not updated; it nests {}",
        nested.join(", ")
    ))
    .cure("terminate it, and instantiate it anew"))
}

fn check_version(old: &Nsd, new: &Nsd) -> Outcome<()> {
    if old.invariant_id != new.invariant_id {
        return Err(CallError::invalid(format!(
            "NSD {} is no version of NSD {}: its nsdInvariantId is {}, not {}",
            new.descriptor_id, old.descriptor_id, new.invariant_id, old.invariant_id
        ))
        .cure("only another version of the same NSD can be associated"));
    }
    let mut faults = Faults::default();
    for nested in old.nested_ns_profiles.iter().chain(&new.nested_ns_profiles) {
        faults.push(
            CallError::unsupported(format!(
                "an NS that nests others cannot be updated, and {} is nested",
                nested.id
            ))
            .cure("terminate it, and instantiate the new version"),
        );
    }
    faults.check()
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
