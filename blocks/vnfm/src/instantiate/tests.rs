//! The order of calls, what is asked for, what is undone.

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

// proves: NFV006-NFVO-11
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
