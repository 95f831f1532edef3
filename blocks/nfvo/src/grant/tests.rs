//! Granting over neighbours in memory.

use manifold_call::ErrorKind;
use manifold_lcm::State;
use manifold_nfvo_interface::{GrantAsk, VnfLifecycleOperationGranting};
use manifold_sol::{
    AffinityType, ConstraintIdType, ConstraintResourceRef, GrantRequest, GrantedResourceType, PlacementConstraint,
    PlacementScope, ResourceDefinition,
};

use crate::fakes::{DEMO, Site, TWO_SITE, World, cx, locked, two_site};

async fn instantiated() -> Site {
    let world = World::new(true);
    world.onboard("a", &DEMO).await;
    let site = world.site();
    let id = site.new_ns("a", TWO_SITE, "demo").await;
    let started = site.instantiate("a", id, two_site()).await.unwrap();
    assert_eq!(site.settled(started).await.state, State::Completed);
    site
}

/// For more workers of the gateway, apart from each other and from a machine that is there.
fn workers(site: &Site, count: usize, apart_from: &[String]) -> GrantRequest {
    let granted = locked(&site.world.vnfm.granted);
    let gateway = granted.iter().find(|grant| grant.add_resources.len() == 3).unwrap();
    let names: Vec<String> = (0..count).map(|n| format!("new-{n}")).collect();
    let new = names.iter().map(|name| ConstraintResourceRef {
        id_type: ConstraintIdType::Grant,
        resource_id: name.clone(),
    });
    let old = apart_from.iter().map(|id| ConstraintResourceRef {
        id_type: ConstraintIdType::ResMgmt,
        resource_id: id.clone(),
    });
    GrantRequest {
        vnf_instance_id: gateway.vnf_instance_id.clone(),
        vnf_lcm_op_occ_id: manifold_call::Uuid::now_v7().to_string(),
        vnfd_id: "6d1b0c52-8f4e-4a2b-9a61-3c1f6f2a0001".into(),
        add_resources: names
            .iter()
            .map(|name| ResourceDefinition {
                id: name.clone(),
                kind: GrantedResourceType::Compute,
                vdu_id: Some("worker".into()),
                ..Default::default()
            })
            .collect(),
        placement_constraints: vec![PlacementConstraint {
            affinity_or_anti_affinity: AffinityType::AntiAffinity,
            scope: PlacementScope::NfviNode,
            resource: new.chain(old).collect(),
        }],
        ..GrantRequest::default()
    }
}

fn keyed() -> manifold_call::Context {
    cx("a").with_key(manifold_call::Uuid::now_v7())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_names_place_flavour_and_image() {
    let site = instantiated().await;
    let granted = locked(&site.world.vnfm.granted).clone();
    for grant in granted {
        let assets = grant.vim_assets.unwrap();
        let vim = grant.vim_connection_info.keys().next().unwrap();
        assert!(
            grant
                .add_resources
                .iter()
                .all(|info| info.vim_connection_id.as_ref() == Some(vim))
        );
        let hosts = grant.additional_params["hosts"].as_object().unwrap();
        assert_eq!(hosts.len(), grant.add_resources.len());
        assert!(
            hosts
                .values()
                .all(|host| host.as_str().unwrap().starts_with(vim.as_str()))
        );
        assert_eq!(grant.zones[0].zone_id, "zone-1");
        assert!(!assets.compute_resource_flavours.is_empty() && !assets.software_images.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_request_again_has_the_same_answer() {
    let site = instantiated().await;
    let request = workers(&site, 2, &[]);
    let first = site.nfvo.grant(&keyed(), GrantAsk(request.clone())).await.unwrap();
    let again = site.nfvo.grant(&keyed(), GrantAsk(request)).await.unwrap();
    assert_eq!(first, again);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn machines_that_are_there_bind_the_new_ones_and_a_refusal_says_so_host_by_host() {
    let site = instantiated().await;
    let there: Vec<String> = {
        let held = locked(&site.world.vims[0].held);
        held.machines
            .values()
            .map(|(_, machine)| machine)
            .filter(|machine| machine.compute_name.starts_with("worker"))
            .map(|machine| machine.compute_id.to_string())
            .collect()
    };
    assert_eq!(there.len(), 2);
    let hosts_there: Vec<String> = locked(&site.world.vims[0].held)
        .machines
        .values()
        .filter(|(_, machine)| there.contains(&machine.compute_id.to_string()))
        .map(|(_, machine)| machine.host_id.clone())
        .collect();
    let grant = site
        .nfvo
        .grant(&keyed(), GrantAsk(workers(&site, 2, &there)))
        .await
        .unwrap();
    let hosts = grant.additional_params["hosts"].as_object().unwrap();
    assert!(
        hosts
            .values()
            .all(|host| !hosts_there.contains(&host.as_str().unwrap().to_owned()))
    );
    let refused = site
        .nfvo
        .grant(&keyed(), GrantAsk(workers(&site, 3, &there)))
        .await
        .unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Forbidden);
    for host in &site.world.vims[0].hosts {
        assert!(refused.detail.contains(host.as_str()), "{refused}");
    }
    assert!(refused.detail.contains("anti-affine with"), "{refused}");
}

/// What was granted and is not allocated counts, until its operation has ended.
// proves: NFV006-NFVO-11
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promise_is_not_made_twice() {
    let site = instantiated().await;
    // Each host has room for what stands there and one more of 96 MiB.
    *locked(&site.world.vims[0].host_size) = (8, 192);
    *locked(&site.world.vnfm.holds) = true;
    let gateway = workers(&site, 1, &[]).vnf_instance_id;
    // An operation that the VNFM runs, so that the reservation stands.
    let ask = manifold_vnfm_interface::Ask {
        vnf_instance_id: gateway.parse().unwrap(),
        request: manifold_sol::ScaleVnfRequest {
            aspect_id: "workers".into(),
            ..Default::default()
        },
    };
    let running = manifold_vnfm_interface::VnfLifecycleManagement::scale(&*site.world.vnfm, &keyed(), ask)
        .await
        .unwrap();
    let free = 4 * 192 / 96 - 3;
    let mut request = workers(&site, free, &[]);
    request.placement_constraints.clear();
    request.vnf_lcm_op_occ_id = running.to_string();
    site.nfvo.grant(&keyed(), GrantAsk(request)).await.unwrap();
    let refused = site
        .nfvo
        .grant(&keyed(), GrantAsk(workers(&site, 1, &[])))
        .await
        .unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Forbidden);
    assert!(
        refused.detail.contains("0 left") && refused.detail.contains("counts as used"),
        "{refused}"
    );

    let cancel = manifold_vnfm_interface::CancelOperation {
        operation: running,
        mode: manifold_sol::CancelModeType::Forceful,
    };
    manifold_vnfm_interface::VnfLifecycleManagement::cancel(&*site.world.vnfm, &cx("a"), cancel)
        .await
        .unwrap();
    manifold_vnfm_interface::VnfLifecycleManagement::rollback(&*site.world.vnfm, &cx("a"), running)
        .await
        .unwrap();
    site.nfvo
        .grant(&keyed(), GrantAsk(workers(&site, 1, &[])))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn grants_side_by_side_never_promise_more_than_there_is() {
    let site = instantiated().await;
    *locked(&site.world.vims[0].host_size) = (8, 192);
    *locked(&site.world.vnfm.holds) = true;
    let ask = |site: &Site| {
        let mut request = workers(site, 2, &[]);
        request.placement_constraints.clear();
        request
    };
    // Operations that the VNFM does not know have ended: one that it runs is needed for each to stand, and it runs one a VNF.
    let first = ask(&site);
    let running = manifold_vnfm_interface::Ask {
        vnf_instance_id: first.vnf_instance_id.parse().unwrap(),
        request: manifold_sol::ScaleVnfRequest {
            aspect_id: "workers".into(),
            ..Default::default()
        },
    };
    let running = manifold_vnfm_interface::VnfLifecycleManagement::scale(&*site.world.vnfm, &keyed(), running)
        .await
        .unwrap();
    let tries = (0..6).map(|_| {
        let (nfvo, mut request) = (site.nfvo.clone(), ask(&site));
        request.vnf_lcm_op_occ_id = running.to_string();
        async move { nfvo.grant(&keyed(), GrantAsk(request)).await }
    });
    let answers = futures_util::future::join_all(tries).await;
    let granted: Vec<_> = answers.into_iter().filter_map(Result::ok).collect();
    assert!(!granted.is_empty());
    assert!(
        granted.iter().all(|grant| *grant == granted[0]),
        "one operation has one grant"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_vnf_is_not_found_and_a_foreign_machine_is_refused() {
    let site = instantiated().await;
    let request = workers(&site, 1, &[]);
    let foreign = site
        .nfvo
        .grant(
            &cx("b").with_key(manifold_call::Uuid::now_v7()),
            GrantAsk(request.clone()),
        )
        .await
        .unwrap_err();
    assert_eq!(foreign.kind, ErrorKind::NotFound);
    let mut wrong = request;
    wrong.add_resources[0].vdu_id = Some("nobody".into());
    let refused = site.nfvo.grant(&keyed(), GrantAsk(wrong)).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Invalid);
}
