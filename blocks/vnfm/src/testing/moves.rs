//! External connection points that move to other networks.

use manifold_call::{CallError, ErrorKind};
use manifold_lcm::State;
use manifold_sol::{ChangeType, ScaleType, VnfInstance, VnfLcmOperation, VnfcResourceInfo};
use manifold_vim_interface::NetworkId;
use manifold_vnfm_interface::{Ask, VnfInstanceId, VnfLifecycleManagement};

use super::{Site, change_request, cx, ext_link};

fn vnfc<'a>(vnf: &'a VnfInstance, id: &str) -> &'a VnfcResourceInfo {
    let info = vnf.instantiated_vnf_info.as_ref().unwrap();
    info.vnfc_resource_info.iter().find(|vnfc| vnfc.id == id).unwrap()
}

/// The networks and addresses of a VNFC's machine, as its VIM has them, in the order of its interfaces.
fn plugs(site: &Site, vnf: &VnfInstance, id: &str) -> Vec<(NetworkId, String)> {
    let machine = site
        .world
        .vim
        .compute(&vnfc(vnf, id).compute_resource.resource_id)
        .unwrap();
    machine
        .virtual_network_interface
        .iter()
        .map(|nic| (nic.network_id, nic.ip_address[0].to_string()))
        .collect()
}

async fn change(site: &Site, id: VnfInstanceId, to: NetworkId, state: State) -> manifold_call::OccurrenceId {
    let occurrence = site.vnfm.change_ext_conn(&cx(), change_request(id, to)).await.unwrap();
    site.ended(occurrence, state).await;
    occurrence
}

#[tokio::test]
async fn what_moves_gets_a_new_machine_and_nothing_else_is_touched() {
    let site = Site::new().await;
    let id = site.instantiated().await;
    let elsewhere = site.world.vim.provide("elsewhere");
    let before = site.find(id).await;
    let was = plugs(&site, &before, "frontend-1");
    let occurrence = change(&site, id, elsewhere, State::Completed).await;
    let after = site.find(id).await;
    let is = plugs(&site, &after, "frontend-1");
    assert_eq!(is[0], was[0], "the internal port and its address stay");
    assert_eq!(is[1].0, elsewhere);
    for worker in ["worker-1", "worker-2"] {
        assert_eq!(vnfc(&before, worker), vnfc(&after, worker));
    }
    assert_eq!(site.world.vim.counts(), (1, 4, 3), "the old port is gone");
    let asked = site.world.log.take();
    assert_eq!(asked[0], "grant CHANGE_EXT_CONN");
    let at = |what: &str| asked.iter().position(|call| call.starts_with(what)).unwrap();
    assert!(at("port my-gateway-frontend-1/access") < at("end machine"), "{asked:?}");
    assert!(at("machine my-gateway-frontend-1") < at("end port"), "{asked:?}");
    // The first boot's data is given again.
    let machine = &vnfc(&after, "frontend-1").compute_resource.resource_id;
    assert!(site.world.vim.user_data(machine).is_some());
    let info = after.instantiated_vnf_info.unwrap();
    let [link] = info.ext_virtual_link_info.as_slice() else {
        panic!("{:?}", info.ext_virtual_link_info)
    };
    assert_eq!(link.resource_handle.resource_id, elsewhere.to_string());
    assert_eq!(link.current_vnf_ext_cp_data[0].cpd_id, "access");
    let told = site.vnfm.find_operation(&cx(), occurrence).await.unwrap();
    assert_eq!(told.operation, VnfLcmOperation::ChangeExtConn);
    let changes = told.resource_changes.unwrap().affected_vnfcs;
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].change_type, ChangeType::Modified);
}

#[tokio::test]
async fn who_comes_back_has_the_old_address_again() {
    let site = Site::new().await;
    let id = site.instantiated().await;
    let elsewhere = site.world.vim.provide("elsewhere");
    let before = plugs(&site, &site.find(id).await, "frontend-1");
    change(&site, id, elsewhere, State::Completed).await;
    change(&site, id, site.world.outside, State::Completed).await;
    assert_eq!(plugs(&site, &site.find(id).await, "frontend-1"), before);
    // Somebody else's by now: another one, and no failure.
    change(&site, id, elsewhere, State::Completed).await;
    site.world.vim.refuse(
        "port my-gateway-frontend-1/access",
        1,
        CallError::conflict("it is taken"),
    );
    change(&site, id, site.world.outside, State::Completed).await;
    let other = plugs(&site, &site.find(id).await, "frontend-1");
    assert_eq!(other[1].0, site.world.outside);
    assert_ne!(other[1].1, before[1].1);
}

#[tokio::test]
async fn who_stays_where_it_is_keeps_its_machine() {
    let site = Site::new().await;
    let id = site.instantiated().await;
    let before = site.find(id).await;
    change(&site, id, site.world.outside, State::Completed).await;
    let after = site.find(id).await;
    assert_eq!(
        vnfc(&before, "frontend-1").compute_resource,
        vnfc(&after, "frontend-1").compute_resource
    );
    assert!(site.world.log.take().is_empty(), "no grant, no machine");
}

/// What scales later is on the new network, too.
#[tokio::test]
async fn later_machines_are_on_the_new_network() {
    let site = Site::new().await;
    let mut gateway = super::gateway();
    gateway.descriptor_id = "wide".to_owned();
    let flavour = &mut gateway.flavours[0];
    flavour.vdus[1].connection_points.push(super::vdu_cp("access", None));
    flavour.vdus[0].connection_points.pop();
    site.world.nfvo.onboard(gateway);
    let id = super::created(&site.vnfm, "wide").await;
    let ask = Ask {
        vnf_instance_id: id,
        request: super::instantiate_request(site.world.outside),
    };
    let occurrence = site.vnfm.instantiate(&cx(), ask).await.unwrap();
    site.ended(occurrence, State::Completed).await;
    let elsewhere = site.world.vim.provide("elsewhere");
    change(&site, id, elsewhere, State::Completed).await;
    let occurrence = site.scale(id, ScaleType::ScaleOut, 1).await.unwrap();
    site.ended(occurrence, State::Completed).await;
    let vnf = site.find(id).await;
    for worker in ["worker-1", "worker-2", "worker-3"] {
        assert_eq!(plugs(&site, &vnf, worker)[1].0, elsewhere, "{worker}");
    }
}

#[tokio::test]
async fn every_fault_of_a_change_is_told_and_nothing_is_touched() {
    let site = Site::new().await;
    let id = site.created().await;
    let refused = site
        .vnfm
        .change_ext_conn(&cx(), change_request(id, site.world.outside))
        .await
        .unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Conflict, "NOT_INSTANTIATED");
    let id = site.instantiated().await;
    let before = site.world.snapshot(&site.vnfm).await;
    let mut ask = change_request(id, site.world.outside);
    ask.request.ext_virtual_links[0].resource_id = "no-uuid".to_owned();
    let mut unknown = ext_link(site.world.outside, &["uplink"]);
    unknown.id = "other".to_owned();
    ask.request.ext_virtual_links.push(unknown);
    let refused = site.vnfm.change_ext_conn(&cx(), ask).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Invalid);
    assert!(
        refused.detail.contains("no-uuid") && refused.detail.contains("uplink"),
        "{refused}"
    );
    assert_eq!(site.world.snapshot(&site.vnfm).await, before);
}

/// Ports that cannot be had leave the machines running; a change given up there can be taken back whole.
#[tokio::test]
async fn given_up_before_a_machine_went_it_is_taken_back_without_a_trace() {
    let site = Site::new().await;
    let id = site.instantiated().await;
    let elsewhere = site.world.vim.provide("elsewhere");
    let before = site.find(id).await;
    site.world
        .vim
        .refuse("end machine", 1, CallError::conflict("the machine is held"));
    let occurrence = change(&site, id, elsewhere, State::FailedTemp).await;
    assert_eq!(
        site.vnfm.rollback(&cx(), occurrence).await.unwrap_err().kind,
        ErrorKind::Unsupported
    );
    site.vnfm.fail(&cx(), occurrence).await.unwrap();
    assert_eq!(site.world.vim.counts(), (1, 5, 3), "the new port was made");
    change(&site, id, site.world.outside, State::Completed).await;
    let after = site.find(id).await;
    assert_eq!(vnfc(&before, "frontend-1"), vnfc(&after, "frontend-1"));
    assert_eq!(site.world.vim.counts(), (1, 4, 3));
}

/// Given up between the two machines: taken back, the VNFC is on its old ports.
#[tokio::test]
async fn given_up_without_a_machine_it_gets_one_on_its_old_ports() {
    let site = Site::new().await;
    let id = site.instantiated().await;
    let elsewhere = site.world.vim.provide("elsewhere");
    let before = plugs(&site, &site.find(id).await, "frontend-1");
    site.world.vim.refuse(
        "machine my-gateway-frontend-1",
        1,
        CallError::exhausted("no host has room"),
    );
    let occurrence = change(&site, id, elsewhere, State::FailedTemp).await;
    site.vnfm.fail(&cx(), occurrence).await.unwrap();
    assert_eq!(site.world.vim.counts().2, 2);
    change(&site, id, site.world.outside, State::Completed).await;
    assert_eq!(plugs(&site, &site.find(id).await, "frontend-1"), before);
    assert_eq!(site.world.vim.counts(), (1, 4, 3));
}
