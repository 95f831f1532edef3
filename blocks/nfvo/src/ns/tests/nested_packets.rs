//! What nested services say of packets holds for what they consist of.

use std::collections::BTreeSet;

use manifold_descriptors::nsd::{Nfp, NfpClassifier, Nsd, TrafficAction, TrafficRule, Vnffg};
use manifold_sol::NestedNsInstanceData;
use manifold_vim_interface::NetworkId;

use super::adopt::alone;
use super::nested::{anyhow, pair, row, site_with};
use super::paths::element;
use super::{before, completed};
use crate::fakes::{Site, locked};

/// A pair whose inner link is closed, and whose packets go through its first machine and then its second.
pub(super) fn with_packets() -> Nsd {
    let mut pair = pair();
    pair.traffic_rules.push(TrafficRule {
        id: "closed".into(),
        targets: vec!["between".into(), "east".into(), "b".into()],
        classifier: NfpClassifier::default(),
        priority: 1,
        action: TrafficAction::Block,
        schedule: vec![],
    });
    pair.vnffgs.push(Vnffg {
        id: "graph".into(),
        profiles: vec!["a".into(), "b".into()],
        virtual_links: vec!["between".into()],
        paths: vec![Nfp {
            id: "through".into(),
            positions: vec!["at_a".into(), "at_b".into()],
            elements: vec![element("a", Some("x"), Some("y")), element("b", None, None)],
            rules: vec![],
        }],
        place: None,
    });
    pair
}

/// Names of paths and rules at the first site, and the networks that the rules are for.
fn packets(site: &Site) -> (Vec<String>, Vec<String>, BTreeSet<String>) {
    let held = locked(&site.world.vims[0].held);
    let mut paths: Vec<String> = held.paths.values().map(|(_, path)| path.nfp_name.clone()).collect();
    let mut rules: Vec<String> = held.rules.values().map(|(_, rule)| rule.rule.name.clone()).collect();
    paths.sort();
    rules.sort();
    let targets = held.rules.values().flat_map(|(_, rule)| &rule.rule.targets);
    let networks = targets.filter_map(|target| held.networks.get(&NetworkId(*target)));
    let networks = networks.map(|(_, network, _)| network.network_resource_name.clone());
    (paths, rules, networks.collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paths_and_rules_of_nested_services_are_made_for_each_of_them() {
    let site = site_with(vec![with_packets(), row()]).await;
    let id = site.new_ns("a", "row", "row").await;
    completed(&site, site.instantiate("a", id, anyhow()).await.unwrap()).await;
    let (paths, rules, networks) = packets(&site);
    assert_eq!(paths, ["first_through", "second_through"]);
    assert_eq!(rules, ["first_closed", "second_closed"]);
    let of_each = ["row.first_between", "row.second_between", "row.middle", "row.wan"];
    assert_eq!(
        networks,
        of_each.map(str::to_owned).into(),
        "a link behind a SAP is the net that it is connected to"
    );
    let log = site.world.log.take();
    before(
        &log,
        "vnfm instantiate row-second-b",
        "vim-1 create path second_through",
    );
    completed(&site, site.terminate("a", id).await.unwrap()).await;
    assert!(site.world.is_empty(), "{:#}", site.world.snapshot().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_taken_in_keeps_its_paths_and_rules_and_gets_no_second_ones() {
    let site = site_with(vec![with_packets(), row()]).await;
    let pair = site.new_ns("a", "pair", "pair").await;
    completed(&site, site.instantiate("a", pair, alone()).await.unwrap()).await;
    let mut request = anyhow();
    request.nested_ns_instance_data.push(NestedNsInstanceData {
        nested_ns_instance_id: pair.to_string(),
        ns_profile_id: "first".into(),
    });
    let id = site.new_ns("a", "row", "row").await;
    completed(&site, site.instantiate("a", id, request).await.unwrap()).await;
    let (paths, rules, _) = packets(&site);
    assert_eq!(paths, ["second_through", "through"]);
    assert_eq!(rules, ["closed", "second_closed"]);
    completed(&site, site.terminate("a", id).await.unwrap()).await;
    let (paths, rules, _) = packets(&site);
    assert_eq!((paths, rules), (vec!["through".to_owned()], vec!["closed".to_owned()]));
}
