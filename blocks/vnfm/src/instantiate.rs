//! Instantiate VNF (IFA 007 7.2.3, SOL003 5.4.4). No resource is asked for before the grant is held.
//!
//! ```text
//!     grant ──> networks ──> ports of each VNFC ──> its machine ──> INSTANTIATED
//! ```
//!
//! Undone: no resource with the VNF's label is left, and it is NOT_INSTANTIATED as before. Given up: what was made is recorded,
//! the VNF counts as INSTANTIATED, and terminating it removes that.

use std::collections::BTreeMap;

use manifold_call::{CallError, Context, Outcome};
use manifold_descriptors::vnfd::DeploymentFlavour;
use manifold_lcm::{Ending, Machine, Occurrence, Operation, Outputs, Plan, PlanError, StepError, Task};
use manifold_sol::{ChangeType, GrantRequest, InstantiateVnfRequest, VnfLcmOperation};
use manifold_store::{Kind, Sealed, Write};
use manifold_vnfm_interface::{Ask, VnfInstanceId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::grant::{self, AskGrant, GRANT, Needs};
use crate::instance::{INSTANCE, Instance, Instantiated, Network};
use crate::layout::{VnfcPlan, Wish};
use crate::machine::seal_place;
use crate::neighbours::Links;
use crate::network::MakeNetwork;
use crate::occurrence::Summary;
use crate::start::{Beginning, Opening};
use crate::vnfc::{self, NewVnfcs};
use crate::vnfm::Vnfm;
use crate::{instance, start};

/// The operation's name in journals.
pub(crate) const KIND: &str = "vnf.instantiate";

/// Everything that the plan needs to know.
#[derive(Debug, Serialize, Deserialize)]
struct Params {
    vnf: VnfInstanceId,
    vnf_name: String,
    vnfd_id: String,
    request: InstantiateVnfRequest,
    /// Without boot data, which may hold secrets.
    flavour: DeploymentFlavour,
    user_data: BTreeMap<String, Sealed>,
    scale_levels: BTreeMap<String, u32>,
    vnfcs: Vec<VnfcPlan>,
}

impl Vnfm {
    pub(crate) async fn begin_instantiate(&self, cx: &Context, ask: &Ask<InstantiateVnfRequest>) -> Outcome<Beginning> {
        let opened = match self.open(cx, KIND, ask.vnf_instance_id, &ask.request).await? {
            Opening::Known(occurrence) => return Ok(Beginning::Known(occurrence)),
            Opening::Free(opened) => opened,
        };
        let (id, request) = (opened.instance.id, &ask.request);
        if opened.instance.instantiated.is_some() {
            let fault = CallError::conflict(format!("VNF instance {id} is INSTANTIATED already"));
            return Err(fault.cure("heal or scale it, or terminate it first"));
        }
        let vnfd = self.descriptor(cx, &opened.instance.vnfd_id).await?;
        let Some(mut flavour) = vnfd.flavour(&request.flavour_id).cloned() else {
            let known: Vec<&str> = vnfd.flavours.iter().map(|flavour| flavour.id.as_str()).collect();
            let (wanted, known) = (&request.flavour_id, known.join(", "));
            return Err(CallError::invalid(format!(
                "there is no deployment flavour {wanted}; there are: {known}"
            )));
        };
        let mut faults = Vec::new();
        let boot_data = take_boot_data(&mut flavour, &mut faults);
        let vnf_name = opened.instance.display_name();
        let level = request.instantiation_level_id.as_deref();
        let Some(scale_levels) = flavour.scale_levels_at(level) else {
            let known: Vec<&str> = flavour.instantiation_levels.keys().map(String::as_str).collect();
            faults.push(format!(
                "there is no instantiation level {}; there are: {}",
                level.unwrap_or_default(),
                known.join(", ")
            ));
            return Err(refused(&faults));
        };
        let counts = flavour
            .vdus
            .iter()
            .filter_map(|vdu| Some((vdu.id.clone(), flavour.instances_at_level(vdu, level)?)));
        let wish = Wish {
            vnf_name: &vnf_name,
            flavour: &flavour,
            ext_links: &request.ext_virtual_links,
            counts: counts.collect(),
            have: BTreeMap::new(),
        };
        let vnfcs = wish.lacking().unwrap_or_else(|more| {
            faults.extend(more);
            Vec::new()
        });
        if !faults.is_empty() {
            return Err(refused(&faults));
        }
        let sealer = self.store().sealer();
        let mut user_data = BTreeMap::new();
        for (vdu, content) in boot_data {
            let sealed = sealer.seal(&seal_place(id, &vdu), content.as_bytes());
            let sealed =
                sealed.map_err(|error| CallError::internal("boot data could not be sealed").caused_by(error))?;
            user_data.insert(vdu, sealed);
        }
        let vnfd_id = opened.instance.vnfd_id.clone();
        let request = request.clone();
        let params = Params {
            vnf: id,
            vnf_name,
            vnfd_id,
            request,
            flavour,
            user_data,
            scale_levels,
            vnfcs,
        };
        opened.start(cx, KIND, &params)
    }
}

/// All faults at once.
pub(crate) fn refused(faults: &[String]) -> CallError {
    CallError::invalid(faults.join("; "))
}

/// Takes the boot data out of a flavour, by VDU.
fn take_boot_data(flavour: &mut DeploymentFlavour, faults: &mut Vec<String>) -> BTreeMap<String, String> {
    let mut by_vdu = BTreeMap::new();
    for vdu in &mut flavour.vdus {
        let Some(boot_data) = vdu.boot_data.take() else {
            continue;
        };
        if !boot_data.key_values.is_empty() {
            faults.push(format!(
                "VDU {}: boot data as key-value pairs is not offered, only as text",
                vdu.id
            ));
        }
        match (boot_data.content, boot_data.source_path) {
            (Some(content), _) => {
                by_vdu.insert(vdu.id.clone(), content);
            }
            (None, Some(path)) => {
                faults.push(format!(
                    "VDU {}: boot data in a file of the package ({path}) is not offered, only as text",
                    vdu.id
                ));
            }
            (None, None) => {}
        }
    }
    by_vdu
}

/// The operation.
pub(crate) struct Instantiate(pub(crate) Links);

impl Operation for Instantiate {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn version(&self) -> u32 {
        1
    }

    fn machine(&self) -> Machine {
        Machine::Vnf
    }

    fn subject_kind(&self) -> Kind {
        INSTANCE
    }

    fn supports(&self, task: Task) -> bool {
        start::supports(task, start::Undo::Offered)
    }

    fn plan(&self, occurrence: &Occurrence) -> Result<Plan, PlanError> {
        let params: Params = occurrence.params()?;
        let links = &self.0;
        let mut plan = Plan::of(KIND);
        let ask = ask_grant(links, &params);
        let grant = plan
            .step(GRANT, ask)
            .preparation()
            .forward_only(grant::NOT_GIVEN_BACK)
            .handle();
        let mut networks = vec![grant.clone()];
        for link in &params.flavour.virtual_links {
            let network = MakeNetwork {
                links: links.clone(),
                vnf: params.vnf,
                vnf_name: params.vnf_name.clone(),
                link: link.clone(),
            };
            networks.push(plan.step(grant::network_id(&link.id), network).after(&grant).handle());
        }
        let vnfcs = NewVnfcs {
            links,
            vnf: params.vnf,
            flavour: &params.flavour,
            user_data: &params.user_data,
            vnfcs: &params.vnfcs,
            networks: BTreeMap::new(),
        };
        vnfcs.plan(&mut plan, &networks);
        Ok(plan)
    }

    fn conclude(&self, ending: &Ending<'_>) -> Result<Vec<Write>, StepError> {
        record(ending)
    }

    fn abandon(&self, ending: &Ending<'_>) -> Result<Vec<Write>, StepError> {
        record(ending)
    }

    fn summary(&self, occurrence: &Occurrence, outputs: &Outputs) -> Value {
        let mut summary = Summary::of(outputs);
        if let Ok(params) = occurrence.params::<Params>() {
            for network in networks(&params, outputs).unwrap_or_default() {
                summary.link(ChangeType::Added, &network);
            }
            for vnfc in vnfc::made(&params.vnfcs, outputs).unwrap_or_default() {
                if let Some(machine) = &vnfc.machine {
                    summary.vnfc(&vnfc.id, &vnfc.vdu, ChangeType::Added, machine);
                }
            }
        }
        summary.into_value()
    }
}

// grant: every machine, port and network at once, with the descriptor's rules for where machines stand

fn ask_grant(links: &Links, params: &Params) -> AskGrant {
    let flavour = &params.flavour;
    let networks = flavour.virtual_links.iter().map(|link| grant::add_network(&link.id));
    let needs = params
        .vnfcs
        .iter()
        .fold(Needs::default(), |needs, vnfc| needs.vnfc(flavour, vnfc, &[]));
    let request = GrantRequest {
        vnf_instance_id: params.vnf.to_string(),
        vnfd_id: params.vnfd_id.clone(),
        flavour_id: Some(flavour.id.clone()),
        operation: VnfLcmOperation::Instantiate,
        instantiation_level_id: params.request.instantiation_level_id.clone(),
        add_resources: params.vnfcs.iter().flat_map(grant::add_vnfc).chain(networks).collect(),
        placement_constraints: grant::placement(flavour, grant::named(&params.vnfcs), std::iter::empty()),
        additional_params: params.request.additional_params.clone(),
        ..GrantRequest::default()
    };
    AskGrant {
        links: links.clone(),
        request,
        needs,
    }
}

// the end: what was made is what the VNF consists of

fn record(ending: &Ending<'_>) -> Result<Vec<Write>, StepError> {
    let params: Params = ending.occurrence.params()?;
    let doc = ending.subject()?;
    let mut instance = Instance::read(doc)?;
    instance.instantiated = Some(Instantiated {
        user_data: params.user_data.clone(),
        scale_levels: params.scale_levels.clone(),
        ext_links: params.request.ext_virtual_links.clone(),
        vims: grant::vims(ending.outputs)?.into_iter().collect(),
        networks: networks(&params, ending.outputs)?,
        vnfcs: vnfc::made(&params.vnfcs, ending.outputs)?,
        flavour: params.flavour,
    });
    Ok(vec![instance.put(doc)?])
}

fn networks(params: &Params, outputs: &Outputs) -> Result<Vec<instance::Network>, StepError> {
    let made = params.flavour.virtual_links.iter();
    made.filter_map(|link| outputs.find::<Network>(&grant::network_id(&link.id)).transpose())
        .collect()
}

#[cfg(test)]
mod tests {
    use manifold_call::{CallError, ErrorKind};
    use manifold_lcm::State;
    use manifold_sol::{ExtVirtualLinkData, InstantiationState, LcmOperationState};
    use manifold_vnfm_interface::{Ask, VnfLifecycleManagement};

    use super::*;
    use crate::testing::{Site, cx, ext_link, gateway, instantiate_request};

    fn ask(site: &Site, vnf_instance_id: VnfInstanceId) -> Ask<InstantiateVnfRequest> {
        Ask {
            vnf_instance_id,
            request: instantiate_request(site.world.outside),
        }
    }

    /// No resource is asked for before the grant is held, and what something stands on is there before it.
    // proves: NFV006-VNFM-06
    #[tokio::test]
    async fn the_grant_comes_first_then_networks_ports_and_machines() {
        let site = Site::new().await;
        let id = site.created().await;
        let occurrence = site.vnfm.instantiate(&cx(), ask(&site, id)).await.unwrap();
        site.ended(occurrence, State::Completed).await;
        let asked = site.world.log.take();
        assert_eq!(asked[..2], ["grant INSTANTIATE", "network My Gateway/internal"]);
        let at = |what: &str| {
            asked
                .iter()
                .position(|call| call == what)
                .unwrap_or_else(|| panic!("{what}: {asked:?}"))
        };
        for (machine, ports) in [
            ("my-gateway-frontend-1", vec!["front_in", "access"]),
            ("my-gateway-worker-1", vec!["work_in"]),
            ("my-gateway-worker-2", vec!["work_in"]),
        ] {
            for port in ports {
                assert!(
                    at(&format!("port {machine}/{port}")) < at(&format!("machine {machine}")),
                    "{asked:?}"
                );
            }
        }
        assert_eq!(asked.len(), 1 + 1 + 4 + 3, "each once: {asked:?}");

        // Every handle that the VNF tells of is one of the VIM's, which bears the VNF's label; and the other way round.
        let found = site.find(id).await;
        assert_eq!(found.instantiation_state, InstantiationState::Instantiated);
        let info = found.instantiated_vnf_info.unwrap();
        let mut told: Vec<String> = info
            .vnfc_resource_info
            .iter()
            .map(|vnfc| vnfc.compute_resource.resource_id.clone())
            .collect();
        told.extend(
            info.vnf_virtual_link_resource_info
                .iter()
                .map(|link| link.network_resource.resource_id.clone()),
        );
        let inside = info
            .vnf_virtual_link_resource_info
            .iter()
            .flat_map(|link| &link.vnf_link_ports);
        told.extend(inside.map(|port| port.resource_handle.resource_id.clone()));
        let outside = info.ext_virtual_link_info.iter().flat_map(|link| &link.ext_link_ports);
        told.extend(outside.map(|port| port.resource_handle.resource_id.clone()));
        told.sort();
        let census = site.world.vim.census();
        let ids = |kind: &str, key: &str| -> Vec<String> {
            let items = census[kind].as_array().unwrap().iter();
            items
                .map(|item| {
                    assert_eq!(item["metadata"]["manifold:vnf"], id.to_string());
                    item[key].as_str().unwrap().to_owned()
                })
                .collect()
        };
        let mut has = ids("networks", "networkResourceId");
        has.extend(ids("ports", "resourceId"));
        has.extend(ids("computes", "computeId"));
        has.sort();
        assert_eq!(told, has);
    }

    #[tokio::test]
    async fn the_instance_tells_everything_that_it_consists_of() {
        let site = Site::new().await;
        let id = site.instantiated().await;
        let found = site.find(id).await;
        assert_eq!(found.vim_connection_info.keys().collect::<Vec<_>>(), ["vim-1"]);
        let info = found.instantiated_vnf_info.unwrap();
        assert_eq!(
            (
                info.scale_status[0].aspect_id.as_str(),
                info.scale_status[0].scale_level
            ),
            ("workers", 1)
        );
        assert_eq!(info.max_scale_levels[0].scale_level, 3);
        let vnfcs: Vec<&str> = info.vnfc_info.iter().map(|vnfc| vnfc.id.as_str()).collect();
        assert_eq!(vnfcs, ["frontend-1", "worker-1", "worker-2"]);
        let front = &info.vnfc_resource_info[0];
        assert_eq!(front.metadata["name"], "my-gateway-frontend-1");
        assert_eq!(
            (front.metadata["host"].as_str(), front.zone_id.as_deref()),
            (Some("host-0"), Some("zone-1"))
        );
        assert_eq!(
            front
                .vnfc_cp_info
                .iter()
                .map(|cp| cp.cpd_id.as_str())
                .collect::<Vec<_>>(),
            ["front_in", "access"]
        );
        // The external connection point, its port on the external link, and the VNFC's connection point name each other.
        let (ext_cp, ext_link) = (&info.ext_cp_info[0], &info.ext_virtual_link_info[0]);
        assert_eq!(ext_cp.cpd_id, "access");
        assert_eq!(ext_cp.associated_vnfc_cp_id.as_ref(), Some(&front.vnfc_cp_info[1].id));
        assert_eq!(front.vnfc_cp_info[1].vnf_ext_cp_id.as_ref(), Some(&ext_cp.id));
        assert_eq!(ext_cp.ext_link_port_id.as_ref(), Some(&ext_link.ext_link_ports[0].id));
        assert_eq!(ext_link.ext_link_ports[0].cp_instance_id.as_ref(), Some(&ext_cp.id));
        let ethernet = ext_cp.cp_protocol_info[0].ip_over_ethernet.as_ref().unwrap();
        assert_eq!(ethernet.ip_addresses[0].addresses.len(), 1);
        assert!(ethernet.mac_address.is_some());
        assert_eq!(info.vnf_virtual_link_resource_info[0].vnf_link_ports.len(), 3);

        let operations = site.vnfm.query_operations(&cx(), ()).await.unwrap();
        assert_eq!(operations.len(), 1);
        assert_eq!(operations[0].operation_state, LcmOperationState::Completed);
        assert_eq!(operations[0].operation_params["flavourId"], "default");
        assert!(operations[0].grant_id.is_some());
        let changes = operations[0].resource_changes.as_ref().unwrap();
        assert_eq!(
            (changes.affected_vnfcs.len(), changes.affected_virtual_links.len()),
            (3, 1)
        );
        assert!(operations[0].start_time.ends_with('Z'), "{}", operations[0].start_time);
    }

    #[tokio::test]
    async fn a_refused_grant_rolls_back_with_the_reason_and_without_any_resource() {
        let site = Site::new().await;
        let id = site.created().await;
        site.world
            .nfvo
            .refuse(Some(CallError::forbidden("no host has 96 MiB left")));
        let occurrence = site.vnfm.instantiate(&cx(), ask(&site, id)).await.unwrap();
        let rested = site.ended(occurrence, State::RolledBack).await;
        assert!(rested.error.unwrap().detail.contains("no host has 96 MiB left"));
        assert_eq!(site.world.log.take(), ["grant INSTANTIATE"]);
        let told = site.vnfm.find_operation(&cx(), occurrence).await.unwrap();
        assert_eq!(
            (told.operation_state, told.error.unwrap().status),
            (LcmOperationState::RolledBack, 403)
        );
        assert_eq!(
            site.find(id).await.instantiation_state,
            InstantiationState::NotInstantiated
        );
        // It can be tried again.
        site.world.nfvo.refuse(None);
        let occurrence = site.vnfm.instantiate(&cx(), ask(&site, id)).await.unwrap();
        site.ended(occurrence, State::Completed).await;
    }

    #[tokio::test]
    async fn after_a_failure_it_is_busy_until_it_is_rolled_back_to_the_world_as_before() {
        let site = Site::new().await;
        let id = site.created().await;
        let before = site.world.snapshot(&site.vnfm).await;
        site.world
            .vim
            .refuse("machine my-gateway-worker-2", 1, CallError::exhausted("no room"));
        let occurrence = site.vnfm.instantiate(&cx(), ask(&site, id)).await.unwrap();
        let rested = site.ended(occurrence, State::FailedTemp).await;
        assert_eq!(rested.error.unwrap().step.as_deref(), Some("machine/worker-2"));
        let busy = site.terminate(id).await.unwrap_err();
        assert_eq!(busy.kind, ErrorKind::Busy);
        assert!(busy.detail.contains(&occurrence.to_string()), "{busy}");
        assert_eq!(site.vnfm.delete(&cx(), id).await.unwrap_err().kind, ErrorKind::Busy);
        site.vnfm.rollback(&cx(), occurrence).await.unwrap();
        site.ended(occurrence, State::RolledBack).await;
        assert_eq!(site.world.snapshot(&site.vnfm).await, before);
        assert_eq!(
            site.vnfm.retry(&cx(), occurrence).await.unwrap_err().kind,
            ErrorKind::Conflict
        );
    }

    #[tokio::test]
    async fn a_retry_makes_only_what_lacks() {
        let site = Site::new().await;
        let id = site.created().await;
        site.world
            .vim
            .refuse("machine my-gateway-worker-2", 1, CallError::exhausted("no room"));
        let occurrence = site.vnfm.instantiate(&cx(), ask(&site, id)).await.unwrap();
        site.ended(occurrence, State::FailedTemp).await;
        site.world.log.take();
        site.vnfm.retry(&cx(), occurrence).await.unwrap();
        site.ended(occurrence, State::Completed).await;
        assert_eq!(site.world.log.take(), ["machine my-gateway-worker-2"]);
    }

    #[tokio::test]
    async fn given_up_it_tells_what_there_is_and_termination_removes_all_of_it() {
        let site = Site::new().await;
        let id = site.created().await;
        site.world
            .vim
            .refuse("machine my-gateway-worker-2", 1, CallError::exhausted("no room"));
        // Of this VNFC, one port is there and one is not: nobody will have recorded it.
        site.world.vim.refuse(
            "port my-gateway-frontend-1/access",
            1,
            CallError::exhausted("no address"),
        );
        let occurrence = site.vnfm.instantiate(&cx(), ask(&site, id)).await.unwrap();
        site.ended(occurrence, State::FailedTemp).await;
        let told = site.vnfm.fail(&cx(), occurrence).await.unwrap();
        assert_eq!(told.operation_state, LcmOperationState::Failed);
        let found = site.find(id).await;
        assert_eq!(found.instantiation_state, InstantiationState::Instantiated);
        assert_ne!(site.world.vim.counts(), (0, 0, 0));
        let occurrence = site.terminate(id).await.unwrap();
        site.ended(occurrence, State::Completed).await;
        assert_eq!(site.world.vim.counts(), (0, 0, 0));
    }

    #[tokio::test]
    async fn everything_that_is_wrong_with_a_request_is_told_at_once() {
        let site = Site::new().await;
        let id = site.created().await;
        let request = InstantiateVnfRequest {
            flavour_id: "default".to_owned(),
            ext_virtual_links: vec![ExtVirtualLinkData {
                resource_id: "here".to_owned(),
                ..ext_link(site.world.outside, &[])
            }],
            ..InstantiateVnfRequest::default()
        };
        let wrong = Ask {
            vnf_instance_id: id,
            request: request.clone(),
        };
        let error = site.vnfm.instantiate(&cx(), wrong).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid);
        for part in ["here is no network's identifier", "access is on no external link"] {
            assert!(error.detail.contains(part), "{error}");
        }
        let unknown = InstantiateVnfRequest {
            ext_virtual_links: vec![ext_link(site.world.outside, &["acces"])],
            ..request.clone()
        };
        let error = site
            .vnfm
            .instantiate(
                &cx(),
                Ask {
                    vnf_instance_id: id,
                    request: unknown,
                },
            )
            .await
            .unwrap_err();
        assert!(
            error
                .detail
                .contains("no external connection point acces; it has: access"),
            "{error}"
        );
        for (flavour_id, level) in [("other", None), ("default", Some("ten".to_owned()))] {
            let request = InstantiateVnfRequest {
                flavour_id: flavour_id.to_owned(),
                instantiation_level_id: level,
                ..request.clone()
            };
            let error = site
                .vnfm
                .instantiate(
                    &cx(),
                    Ask {
                        vnf_instance_id: id,
                        request,
                    },
                )
                .await
                .unwrap_err();
            assert_eq!(error.kind, ErrorKind::Invalid, "{error}");
        }
        assert!(site.world.log.take().is_empty());
    }

    #[tokio::test]
    async fn boot_data_that_cannot_be_given_is_refused() {
        let site = Site::new().await;
        let mut vnfd = gateway();
        let boot_data = vnfd.flavours[0].vdus[0].boot_data.as_mut().unwrap();
        (boot_data.content, boot_data.source_path) = (None, Some("Scripts/init.sh".to_owned()));
        boot_data.key_values.insert("role".to_owned(), "front".to_owned());
        site.world.nfvo.onboard(vnfd);
        let id = site.created().await;
        let error = site.vnfm.instantiate(&cx(), ask(&site, id)).await.unwrap_err();
        assert!(
            error.detail.contains("key-value") && error.detail.contains("Scripts/init.sh"),
            "{error}"
        );
    }
}
