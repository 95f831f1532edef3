//! What operations need to know before they start: gathered here, so that their plans are pure.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use manifold_call::{CallError, Context, Outcome};
use manifold_descriptors::Descriptor;
use manifold_sol::{
    DegreeHealing, HealNsRequest, InstantiateNsRequest, NsScaleType, NsdInfo, PackageOnboardingState,
    PackageOperationalState, ScaleNsRequest, ScaleType, ScaleVnfType, VnfInstance,
};
use manifold_vim_interface::{OperationalState, QueryFilter, RunningState, VirtualCompute};

use super::adopt::{Adoption, Existing};
use super::layout::{Question, nested};
use super::passed::There;
use super::paths::Packets;
use super::{heal, instantiate, scale, site};
use crate::Nfvo;
use crate::fault::Faults;
use crate::record::{NsRecord, NsVnf};

impl Nfvo {
    /// The NSD with this nsdId, or this id in the catalogue. Errors: `NotFound`; `Conflict` (DISABLED, not ONBOARDED).
    pub(super) async fn usable_nsd(&self, cx: &Context, nsd_id: &str) -> Outcome<NsdInfo> {
        let nsd = match self.catalogue.onboarded::<NsdInfo>(&cx.tenant, nsd_id).await? {
            Some((_, nsd)) => nsd,
            None => self
                .catalogue
                .find::<NsdInfo>(&cx.tenant, nsd_id)
                .await
                .map(|(_, nsd)| nsd)
                .map_err(|error| error.cure("on-board it"))?,
        };
        if nsd.nsd_onboarding_state != PackageOnboardingState::Onboarded {
            return Err(CallError::conflict(format!(
                "NSD {nsd_id} is {}, not ONBOARDED",
                nsd.nsd_onboarding_state.as_wire()
            ))
            .cure("upload its archive"));
        }
        if nsd.nsd_operational_state == PackageOperationalState::Disabled {
            return Err(CallError::conflict(format!("NSD {nsd_id} is DISABLED")).cure("enable it"));
        }
        Ok(nsd)
    }

    pub(super) async fn instantiation(
        &self,
        cx: &Context,
        record: &NsRecord,
        request: InstantiateNsRequest,
        adoptions: &[Adoption],
    ) -> Outcome<instantiate::Params> {
        let model = self.catalogue.model(&record.nsd_info_id).await?;
        let Descriptor::Nsd(nsd) = &model.descriptor else {
            return Err(CallError::internal(format!(
                "NSD {} holds a {}",
                record.nsd_info_id,
                model.descriptor.kind()
            )));
        };
        let constituents = self.catalogue.all_constituents(cx, nsd).await?;
        let mut flat = nested::flatten(nsd, &constituents)?;
        nested::check_enabled(&flat, &constituents, |_| true)?;
        let mut adapted = nested::adapt(&request, &mut flat);
        let existing = Existing::of(adoptions, &mut flat, &mut adapted)?;
        let survey = site::survey(&self.near, cx).await?;
        let mut layout = Question {
            ns: super::show::space(&record.id),
            ns_name: &record.name,
            request: &adapted,
            nsd: &flat.nsd,
            constituents: &constituents,
            survey: &survey,
            has_wim: self.near.wim()?.is_some(),
            staying: &super::layout::Staying::default(),
        }
        .answer()?;
        existing.take_into(&mut layout)?;
        if flat.services.len() > 1 {
            let who = (record.id.as_str(), record.name.as_str());
            nested::settle(&mut layout, &flat, &constituents, adoptions, who, std::iter::empty());
        }
        let packets = Packets::of(&flat, &layout)?;
        Ok(instantiate::Params {
            ns: record.id.clone(),
            request,
            layout,
            packets,
        })
    }

    pub(super) async fn scaling(
        &self,
        cx: &Context,
        record: &NsRecord,
        request: ScaleNsRequest,
    ) -> Outcome<(&'static str, scale::Params)> {
        if request.scale_type == NsScaleType::ScaleNs {
            let fault = CallError::unsupported("scaling an NS by its own aspects is not offered");
            return Err(fault.cure("scale its VNFs: SCALE_VNF"));
        }
        let flat = self.flat(cx, record).await?;
        let record = &self.whole(cx, record).await?.ns;
        let vnfs = self.vnfs(cx, record).await?;
        let mut faults = Faults::default();
        let mut scaled: Vec<scale::Scaled> = Vec::new();
        for data in &request.scale_vnf_data {
            let Some(vnf) = member(record, &data.vnf_instance_id, &mut faults) else {
                continue;
            };
            if scaled.iter().any(|known| known.vnf.id == vnf.id) {
                faults.invalid(format!("VNF {} is named twice; one operation scales it once", vnf.id));
                continue;
            }
            let kind = match data.scale_vnf_type {
                ScaleVnfType::ScaleOut => ScaleType::ScaleOut,
                ScaleVnfType::ScaleIn => ScaleType::ScaleIn,
                ScaleVnfType::ScaleToInstantiationLevel | ScaleVnfType::ScaleToScaleLevels => {
                    faults.push(
                        CallError::unsupported(format!("VNF {}: scaling to a level is not offered", vnf.id))
                            .cure("scale by steps"),
                    );
                    continue;
                }
            };
            let Some(by) = &data.scale_by_step_data else {
                faults.invalid(format!("VNF {}: scaleByStepData is missing", vnf.id));
                continue;
            };
            let Some(level) = level(&vnfs, &vnf.id, &by.aspect_id, &mut faults) else {
                continue;
            };
            scaled.push(scale::Scaled {
                vnf: vnf.clone(),
                kind,
                aspect: by.aspect_id.clone(),
                steps: by.number_of_steps.unwrap_or(1),
                level,
                additional_params: by.additional_params.clone(),
            });
        }
        if request.scale_vnf_data.is_empty() {
            faults.invalid("scaleVnfData is empty");
        }
        faults.check()?;
        let ids: Vec<&str> = scaled.iter().map(|one| one.vnf.id.as_str()).collect();
        let mut taken = Vec::new();
        for adopted in flat.inside.iter().filter(|inner| inner.is_adopted) {
            let own = self.flat(cx, &adopted.ns).await?.ns;
            taken.push(scale::TakenRules {
                ns: own.id.clone(),
                rules: scale::rules_for(&own, &ids),
                there: There::of(&own),
            });
        }
        taken.retain(|one| !one.rules.is_empty());
        let rules = scale::rules_for(&flat.ns, &ids);
        let only_out = scaled.iter().all(|one| one.kind == ScaleType::ScaleOut);
        Ok((
            if only_out { scale::OUT } else { scale::IN },
            scale::Params {
                request,
                vnfs: scaled,
                rules,
                there: There::of(&flat.ns),
                taken,
            },
        ))
    }

    pub(super) async fn healing(
        &self,
        cx: &Context,
        record: &NsRecord,
        request: HealNsRequest,
    ) -> Outcome<heal::Params> {
        let record = &self.whole(cx, record).await?.ns;
        let mut faults = Faults::default();
        let mut healed: Vec<heal::Healed> = Vec::new();
        for data in &request.heal_vnf_data {
            let Some(vnf) = member(record, &data.vnf_instance_id, &mut faults) else {
                continue;
            };
            if healed.iter().any(|known| known.vnf.id == vnf.id) {
                faults.invalid(format!("VNF {} is named twice; one operation heals it once", vnf.id));
                continue;
            }
            healed.push(heal::Healed {
                vnf: vnf.clone(),
                vnfcs: data.vnfc_instance_id.clone(),
                cause: data.cause.clone(),
            });
        }
        match (&request.heal_ns_data, request.heal_vnf_data.is_empty()) {
            (Some(_), false) => faults.invalid("healNsData and healVnfData exclude each other"),
            (None, true) => faults.invalid("neither healNsData nor healVnfData is there"),
            _ => {}
        }
        if let Some(degree) = request
            .heal_ns_data
            .as_ref()
            .map(|data| data.degree_healing)
            .filter(|degree| *degree != DegreeHealing::HealRestore)
        {
            faults.push(
                CallError::unsupported(format!("healing to the degree {degree:?} is not offered"))
                    .cure("HEAL_RESTORE is"),
            );
        }
        faults.check()?;
        if request.heal_ns_data.is_some() {
            let unwell = self.unwell(cx, record).await?;
            let vnfs = record.vnfs.iter().filter(|vnf| unwell.contains(&vnf.id));
            healed.extend(vnfs.map(|vnf| heal::Healed {
                vnf: vnf.clone(),
                vnfcs: vec![],
                cause: Some("HEAL_RESTORE".to_owned()),
            }));
        }
        Ok(heal::Params { request, vnfs: healed })
    }

    /// VNFs of the NS with a machine that is gone, broken or crashed, as the VIMs see it now.
    async fn unwell(&self, cx: &Context, record: &NsRecord) -> Outcome<BTreeSet<String>> {
        let vnfs = self.vnfs(cx, record).await?;
        let machines = self.machines(cx, &vnfs).await?;
        let is_well = |machine: &VirtualCompute| {
            machine.operational_state == OperationalState::Enabled && machine.running_state != RunningState::Crashed
        };
        let has_unwell = |vnf: &&VnfInstance| {
            let info = vnf.instantiated_vnf_info.iter();
            info.flat_map(|info| &info.vnfc_resource_info)
                .any(|vnfc| !machines.get(&vnfc.compute_resource.resource_id).is_some_and(is_well))
        };
        Ok(vnfs.iter().filter(has_unwell).map(|vnf| vnf.id.clone()).collect())
    }

    /// The machines of VNFs, asked for now, by their identifiers at the VIMs. Errors: a VIM does not answer.
    pub(super) async fn machines(
        &self,
        cx: &Context,
        vnfs: &[VnfInstance],
    ) -> Outcome<BTreeMap<String, VirtualCompute>> {
        let info = vnfs.iter().filter_map(|vnf| vnf.instantiated_vnf_info.as_ref());
        let handles = info
            .flat_map(|info| &info.vnfc_resource_info)
            .map(|vnfc| &vnfc.compute_resource);
        let vims: BTreeSet<&String> = handles
            .filter_map(|handle| handle.vim_connection_id.as_ref().or(handle.vim_id.as_ref()))
            .collect();
        let vims = vims
            .into_iter()
            .map(|vim| self.near.vim(vim))
            .collect::<Outcome<Vec<_>>>()?;
        let mut all = BTreeMap::new();
        for answer in join_all(vims.iter().map(|vim| vim.compute.query(cx, QueryFilter::default()))).await {
            all.extend(
                answer?
                    .into_iter()
                    .map(|machine| (machine.compute_id.to_string(), machine)),
            );
        }
        Ok(all)
    }
}

pub(super) fn member<'a>(record: &'a NsRecord, id: &str, faults: &mut Faults) -> Option<&'a NsVnf> {
    let found = record.vnfs.iter().find(|vnf| vnf.id == id);
    if found.is_none() {
        let known: Vec<String> = record
            .vnfs
            .iter()
            .map(|vnf| format!("{} ({})", vnf.id, vnf.name))
            .collect();
        faults.push(CallError::not_found(format!(
            "NS {} has no VNF {id}; it has: {}",
            record.id,
            known.join(", ")
        )));
    }
    found
}

/// The level of an aspect now.
fn level(vnfs: &[VnfInstance], id: &str, aspect: &str, faults: &mut Faults) -> Option<u32> {
    let info = vnfs
        .iter()
        .find(|vnf| vnf.id == id)
        .and_then(|vnf| vnf.instantiated_vnf_info.as_ref());
    let known = info.map(|info| info.scale_status.as_slice()).unwrap_or_default();
    let found = known.iter().find(|scale| scale.aspect_id == aspect);
    if found.is_none() {
        let known: Vec<&str> = known.iter().map(|scale| scale.aspect_id.as_str()).collect();
        faults.invalid(format!(
            "VNF {id} has no scaling aspect {aspect}; it has: {}",
            known.join(", ")
        ));
    }
    found.map(|scale| scale.scale_level)
}
