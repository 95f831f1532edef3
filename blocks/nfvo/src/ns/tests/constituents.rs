//! What a network service consists of: VNFs, PNFs, nested NSs and links, each told under its own list.

use manifold_call::ErrorKind;
use manifold_descriptors::Descriptor;
use manifold_nfvo_interface::{NsLifecycleManagement, OnNs};
use manifold_sol::{HealNsRequest, HealVnfData, InstantiateNsRequest, ScaleVnfType, UpdateNsRequest, UpdateType};

use super::nested::{link, machines, nest, nsd, pair, vnf};
use super::{completed, scale};
use crate::fakes::{DEMO, World, cx, two_site};

/// A service with a physical function of the demo's on its provider network, a machine there, and a pair beside.
fn of_all_kinds() -> Vec<Descriptor> {
    let Some(Descriptor::Nsd(demo)) = DEMO.last() else {
        panic!("the demo's last descriptor is its NSD")
    };
    let mut service = nsd("of-all-kinds");
    service.virtual_links.extend(demo.virtual_link("field").cloned());
    link(&mut service, "lan", "192.168.1.0/24");
    vnf(&mut service, "watch", "two", &[("x", "field"), ("y", "lan")]);
    service.pnf_profiles.extend(demo.pnf_profiles.iter().cloned());
    nest(&mut service, "inner", "pair", &[("left", "lan")]);
    [pair(), service].map(|nsd| Descriptor::Nsd(Box::new(nsd))).to_vec()
}

// proves: NFV006-OBJ-01, NFV006-OBJ-02
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_kind_has_its_list_and_a_physical_function_has_no_life() {
    let world = World::new(true);
    world.onboard("a", &DEMO).await;
    world.onboard("a", &machines()).await;
    world.onboard("a", &of_all_kinds()).await;
    let site = world.site();
    let id = site.new_ns("a", "of-all-kinds", "all").await;
    let request = InstantiateNsRequest {
        ns_flavour_id: "only".into(),
        add_pnf_data: two_site().add_pnf_data,
        ..InstantiateNsRequest::default()
    };
    completed(&site, site.instantiate("a", id, request).await.unwrap()).await;
    let is = site.show("a", id).await;
    let links: Vec<&str> = is
        .virtual_link_info
        .iter()
        .map(|link| link.ns_virtual_link_desc_id.as_str())
        .collect();
    assert_eq!(
        (is.vnf_instance.len(), is.pnf_info.len(), links),
        (1, 1, vec!["field", "lan"])
    );
    assert_eq!(is.nested_ns_instance_id.len(), 1);

    // Only its connectivity is managed: it is no VNF that could be healed, scaled, or taken away as one.
    let meter = is.pnf_info[0].pnf_id.clone();
    site.world.log.take();
    let lifecycle: &dyn NsLifecycleManagement = &*site.nfvo;
    let heal = HealNsRequest {
        heal_vnf_data: vec![HealVnfData {
            vnf_instance_id: meter.clone(),
            ..HealVnfData::default()
        }],
        ..HealNsRequest::default()
    };
    let update = UpdateNsRequest {
        update_type: UpdateType::RemoveVnf,
        remove_vnf_instance_id: vec![meter.clone()],
        ..UpdateNsRequest::default()
    };
    let ask = OnNs {
        ns_instance_id: id,
        request: scale(&meter, ScaleVnfType::ScaleOut, 1),
    };
    let mut refused = vec![lifecycle.scale(&cx("a"), ask).await.unwrap_err()];
    let ask = OnNs {
        ns_instance_id: id,
        request: heal,
    };
    refused.push(lifecycle.heal(&cx("a"), ask).await.unwrap_err());
    let ask = OnNs {
        ns_instance_id: id,
        request: update,
    };
    refused.push(lifecycle.update(&cx("a"), ask).await.unwrap_err());
    for error in refused {
        assert_eq!(error.kind, ErrorKind::NotFound, "{error}");
        assert!(error.detail.contains("all-watch"), "it names what there is: {error}");
    }
    assert!(site.world.log.take().is_empty());
    completed(&site, site.terminate("a", id).await.unwrap()).await;
    assert!(site.world.is_empty(), "{:#}", site.world.snapshot().await);
}
