//! Traffic rules for VNFs that grow and shrink.

use manifold_descriptors::Descriptor;
use manifold_lcm::State;
use manifold_nfvo_interface::{NsLifecycleManagement, OnNs};
use manifold_sol::{NestedNsInstanceData, ScaleVnfType};
use manifold_vim_interface::TrafficRule;

use super::paths::with_packets;
use super::updates::vnf_id;
use super::{completed, nested, scale};
use crate::fakes::{Site, TWO_SITE, World, cx, locked, two_site};

/// Each worker meets the clients by itself.
fn workers_at_access() -> Vec<Descriptor> {
    let mut all = with_packets(|_| {});
    for descriptor in &mut all {
        let Descriptor::Vnfd(vnfd) = descriptor else { continue };
        for flavour in &mut vnfd.flavours {
            let mut access = Vec::new();
            for vdu in &mut flavour.vdus {
                let (moved, left) = vdu.connection_points.drain(..).partition(|cp| cp.id == "access");
                (access, vdu.connection_points) = ([access, moved].concat(), left);
            }
            if let Some(worker) = flavour.vdus.iter_mut().find(|vdu| vdu.id == "worker") {
                worker.connection_points.append(&mut access);
            }
        }
    }
    all
}

fn first(site: &Site) -> TrafficRule {
    let held = locked(&site.world.vims[0].held);
    let found = held.rules.values().find(|(_, rule)| rule.rule.name == "first");
    found.unwrap().1.clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_for_a_vnf_is_for_the_ports_that_scaling_makes() {
    let world = World::new(true);
    world.onboard("a", &workers_at_access()).await;
    let site = world.site();
    let id = site.new_ns("a", TWO_SITE, "demo").await;
    completed(&site, site.instantiate("a", id, two_site()).await.unwrap()).await;
    let gateway = vnf_id(&site.show("a", id).await, "demo-gateway");
    let (was, all) = (first(&site), site.world.snapshot().await);

    // The rule cannot be changed: undone, everything is as before.
    *locked(&site.world.vims[0].fails) = Some("update rule".to_owned());
    let ask = async |kind| {
        let ask = OnNs {
            ns_instance_id: id,
            request: scale(&gateway, kind, 2),
        };
        NsLifecycleManagement::scale(&*site.nfvo, &cx("a"), ask).await.unwrap()
    };
    let started = ask(ScaleVnfType::ScaleOut).await;
    assert_eq!(site.settled(started).await.state, State::FailedTemp);
    site.nfvo.rollback(&cx("a"), started).await.unwrap();
    let ended = site.settled(started).await;
    assert_eq!(ended.state, State::RolledBack, "{:?}", ended.error);
    assert_eq!(site.world.snapshot().await, all);

    completed(&site, ask(ScaleVnfType::ScaleOut).await).await;
    let is = first(&site);
    assert_eq!(is.traffic_rule_id, was.traffic_rule_id);
    assert_eq!(is.rule.targets.len(), was.rule.targets.len() + 2);
    completed(&site, ask(ScaleVnfType::ScaleIn).await).await;
    assert_eq!(first(&site).rule.targets.len(), was.rule.targets.len());
    completed(&site, site.terminate("a", id).await.unwrap()).await;
    assert!(site.world.is_empty(), "{:#}", site.world.snapshot().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_of_a_service_that_was_taken_in_is_for_the_ports_that_scaling_makes_too() {
    let world = World::new(true);
    world.onboard("a", &workers_at_access()).await;
    world.onboard("a", &nested::machines()).await;
    world.onboard("a", &[nested::around()]).await;
    let site = world.site();
    let demo = site.new_ns("a", TWO_SITE, "demo").await;
    completed(&site, site.instantiate("a", demo, two_site()).await.unwrap()).await;
    let gateway = vnf_id(&site.show("a", demo).await, "demo-gateway");
    let mut request = nested::anyhow();
    request.nested_ns_instance_data.push(NestedNsInstanceData {
        nested_ns_instance_id: demo.to_string(),
        ns_profile_id: "demo".into(),
    });
    let around = site.new_ns("a", nested::AROUND, "around").await;
    completed(&site, site.instantiate("a", around, request).await.unwrap()).await;
    let was = first(&site).rule.targets.len();
    let ask = OnNs {
        ns_instance_id: around,
        request: scale(&gateway, ScaleVnfType::ScaleOut, 2),
    };
    let lifecycle: &dyn NsLifecycleManagement = &*site.nfvo;
    completed(&site, lifecycle.scale(&cx("a"), ask).await.unwrap()).await;
    assert_eq!(first(&site).rule.targets.len(), was + 2);
    completed(&site, site.terminate("a", around).await.unwrap()).await;
    completed(&site, site.terminate("a", demo).await.unwrap()).await;
    assert!(site.world.is_empty(), "{:#}", site.world.snapshot().await);
}
