//! Profiles, links, paths and rules whose names have dots, as those of a service that was opened into one.

use std::collections::BTreeSet;

use manifold_descriptors::nsd::{Nfp, NfpElement, NfpRule, TrafficAction, TrafficRule, Vnffg};
use manifold_nfvo_interface::NsLifecycleManagement;
use manifold_sol::NsState;

use super::completed;
use super::nested::{anyhow, link, networks, nsd, plugged, sap, site_with, vnf};
use crate::fakes::{cx, locked};

fn opened() -> manifold_descriptors::Nsd {
    let mut opened = nsd("opened");
    for (id, cidr) in [
        ("complex.icon", "10.0.1.0/24"),
        ("complex.intn", "10.0.2.0/24"),
        ("complex.ocon", "10.0.3.0/24"),
    ] {
        link(&mut opened, id, cidr);
    }
    let ends = [("x", "complex.icon"), ("y", "complex.intn")];
    vnf(&mut opened, "complex.input_vnf", "two", &ends);
    let ends = [("x", "complex.intn"), ("y", "complex.ocon")];
    vnf(&mut opened, "complex.output_vnf", "two", &ends);
    sap(&mut opened, "client", "complex.icon");
    let element = |profile: &str| NfpElement {
        id: format!("at.{profile}"),
        profile: profile.into(),
        ingress: Some("x".into()),
        egress: Some("y".into()),
        place: None,
    };
    let elements = vec![element("complex.input_vnf"), element("complex.output_vnf")];
    opened.vnffgs.push(Vnffg {
        id: "forwarding".into(),
        profiles: vec!["complex.input_vnf".into(), "complex.output_vnf".into()],
        virtual_links: vec!["complex.intn".into()],
        paths: vec![Nfp {
            id: "complex.steer_path".into(),
            positions: elements.iter().map(|element| element.id.clone()).collect(),
            elements,
            rules: vec![NfpRule {
                id: "complex.steer".into(),
                ..NfpRule::default()
            }],
        }],
        place: None,
    });
    opened.traffic_rules = vec![TrafficRule {
        id: "complex.slow".into(),
        targets: vec!["complex.intn".into(), "complex.output_vnf".into()],
        classifier: Default::default(),
        priority: 0,
        action: TrafficAction::Block,
        schedule: vec![],
    }];
    opened
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_with_dots_are_names() {
    let site = site_with(vec![opened()]).await;
    let id = site.new_ns("a", "opened", "demo").await;
    completed(&site, site.instantiate("a", id, anyhow()).await.unwrap()).await;
    let ns = site.show("a", id).await;
    assert_eq!(ns.ns_state, NsState::Instantiated);
    let profiles: BTreeSet<&str> = ns
        .vnf_instance
        .iter()
        .map(|vnf| vnf.vnf_instance_name.as_deref().unwrap_or_default())
        .collect();
    assert_eq!(
        profiles,
        BTreeSet::from(["demo-complex.input_vnf", "demo-complex.output_vnf"])
    );
    assert_eq!((networks(&site).len(), plugged(&site).len()), (3, 4));
    {
        let held = locked(&site.world.vims[0].held);
        let paths: Vec<_> = held.paths.values().map(|(_, path)| path.nfp_name.as_str()).collect();
        assert_eq!(paths, ["complex.steer_path"]);
        let (_, rule) = held.rules.values().next().unwrap();
        assert_eq!(rule.rule.name, "complex.slow");
        assert_eq!(rule.rule.targets.len(), 3, "a network and two ports");
    }
    let topology = site.nfvo.topology(&cx("a"), id).await.unwrap();
    let shown = serde_json::to_string(&topology).unwrap();
    assert!(
        shown.contains("complex.output_vnf") && shown.contains("complex.intn"),
        "{shown}"
    );
    completed(&site, site.terminate("a", id).await.unwrap()).await;
    assert!(site.world.is_empty());
}
