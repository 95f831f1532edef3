//! Paths and rules that come, change and go with another version of the NSD, while everything else stays as it is.

use manifold_descriptors::Descriptor;
use manifold_descriptors::nsd::{Nfp, NfpClassifier, Nsd, TrafficAction, TrafficRule};
use manifold_lcm::State;
use manifold_nfvo_interface::NsInstanceId;
use manifold_sol::{InstantiateVnfData, SapData, UpdateNsRequest, UpdateType, VnfLcmOperation};
use manifold_vim_interface as vim;

use super::paths::{element, with_packets};
use super::updates::{V2, all_at_the_second_site, everything, names, planned, to_version, update, vnf_id};
use super::{before, completed};
use crate::fakes::{Site, TWO_SITE, World, locked, two_site};

/// The second version of the NSD with packets.
pub(super) fn second(change: impl Fn(&mut Nsd)) -> Descriptor {
    let change = |nsd: &mut Nsd| {
        nsd.descriptor_id = V2.to_owned();
        nsd.version = "2.0".to_owned();
        change(nsd);
    };
    with_packets(change).pop().unwrap()
}

/// A rule comes, one changes, one goes; a path comes.
pub(super) fn other_packets(nsd: &mut Nsd) {
    let [_, first, _] = &mut nsd.traffic_rules[..] else {
        panic!("three rules")
    };
    first.action = TrafficAction::Precedence(5);
    nsd.traffic_rules.retain(|rule| rule.id != "closed");
    nsd.traffic_rules.push(TrafficRule {
        id: "late".into(),
        targets: vec!["gateway".into()],
        classifier: NfpClassifier::default(),
        priority: 4,
        action: TrafficAction::Block,
        schedule: vec![],
    });
    nsd.vnffgs[0].paths.push(Nfp {
        id: "through".into(),
        elements: vec![element("gateway", Some("transit"), Some("access"))],
        ..Nfp::default()
    });
}

async fn at_work(change: impl Fn(&mut Nsd)) -> (Site, NsInstanceId) {
    let world = World::new(true);
    world.onboard("a", &with_packets(|_| {})).await;
    world.onboard("a", &[second(change)]).await;
    let site = world.site();
    let id = site.new_ns("a", TWO_SITE, "demo").await;
    completed(&site, site.instantiate("a", id, two_site()).await.unwrap()).await;
    site.world.log.take();
    (site, id)
}

/// Names and identifiers of what a site has.
fn packets(site: &Site) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for vim in &site.world.vims {
        let held = locked(&vim.held);
        all.extend(
            held.paths
                .values()
                .map(|(_, path)| (path.nfp_name.clone(), path.nfp_id.to_string())),
        );
        let rules = held.rules.values();
        all.extend(rules.map(|(_, rule)| (rule.rule.name.clone(), rule.traffic_rule_id.to_string())));
    }
    all.sort();
    all
}

fn path(site: &Site, name: &str) -> vim::Nfp {
    let held = locked(&site.world.vims[0].held);
    let found = held.paths.values().find(|(_, path)| path.nfp_name == name);
    found.unwrap_or_else(|| panic!("no path {name}")).1.clone()
}

async fn gone(site: &Site, id: NsInstanceId) {
    completed(site, site.terminate("a", id).await.unwrap()).await;
    assert!(site.world.is_empty(), "{:#}", site.world.snapshot().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_and_paths_come_change_and_go_while_vnfs_stay() {
    let (site, id) = at_work(|nsd| {
        other_packets(nsd);
        let service = nsd.vnf_profiles.iter_mut().find(|profile| profile.id == "service");
        let service = service.unwrap();
        (service.min_number_of_instances, service.max_number_of_instances) = (2, 2);
        all_at_the_second_site(nsd, "service");
    })
    .await;
    let (was, ns) = (packets(&site), site.show("a", id).await);
    let plan = planned(&site, id, to_version(true)).await.unwrap();
    assert_eq!(
        names(&plan.create),
        ["VNF service-2", "NFP through", "TRAFFIC_RULE late"]
    );
    assert_eq!(names(&plan.change), ["NS demo", "TRAFFIC_RULE first"]);
    assert_eq!(names(&plan.remove), ["TRAFFIC_RULE closed"]);
    assert!(site.world.log.take().is_empty(), "a plan makes nothing");

    completed(&site, update(&site, id, to_version(true)).await.unwrap()).await;
    let log = site.world.log.take();
    before(&log, "vnfm instantiate demo-service-2", "vim-1 create path through");
    before(&log, "vim-1 create rule late", "vim-1 delete rules");
    before(&log, "vim-1 update rule", "vim-1 delete rules");
    let touches =
        |line: &&String| line.contains("terminate") || line.contains("change_ext") || line.contains("network");
    assert_eq!(log.iter().find(touches), None, "{log:#?}");
    let is = packets(&site);
    let kept: Vec<_> = was.iter().filter(|packet| is.contains(packet)).collect();
    let kept: Vec<&str> = kept.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        kept,
        ["first", "slow", "slow", "web"],
        "changed where it is, or not at all"
    );
    let all: Vec<&str> = is.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(all, ["first", "late", "slow", "slow", "through", "web"]);
    assert_eq!(path(&site, "through").total_vnp, 2);
    let now = site.show("a", id).await;
    for name in ["demo-gateway", "demo-service"] {
        assert_eq!(vnf_id(&now, name), vnf_id(&ns, name));
    }
    assert_eq!(now.vnf_instance.len(), 3);
    assert!(planned(&site, id, to_version(true)).await.unwrap().is_empty());

    let mut back = to_version(true);
    back.assoc_new_nsd_version_data.as_mut().unwrap().new_nsd_id = TWO_SITE.to_owned();
    completed(&site, update(&site, id, back).await.unwrap()).await;
    let names: Vec<String> = packets(&site).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["closed", "first", "slow", "slow", "web"]);
    gone(&site, id).await;
}

/// The port that it goes through is another one afterwards, and a port that a path holds cannot go.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_path_over_a_vnf_that_moves_is_made_anew_or_brought_back() {
    let change = |nsd: &mut Nsd| {
        everything(nsd);
        other_packets(nsd);
    };
    for fails in [
        None,
        Some(VnfLcmOperation::Instantiate),
        Some(VnfLcmOperation::ChangeExtConn),
    ] {
        let (site, id) = at_work(change).await;
        let (was, web) = (site.world.snapshot().await, path(&site, "web"));
        *locked(&site.world.vnfm.fails) = fails;
        let started = update(&site, id, to_version(true)).await.unwrap();
        let ended = site.settled(started).await;
        if fails.is_some() {
            assert_eq!(ended.state, State::RolledBack, "{fails:?} {:?}", ended.error);
            assert_eq!(site.world.snapshot().await, was, "{fails:?}");
            assert_eq!(path(&site, "web").virtual_network_port, web.virtual_network_port);
            completed(&site, update(&site, id, to_version(true)).await.unwrap()).await;
        } else {
            assert_eq!(ended.state, State::Completed, "{:?}", ended.error);
            let log = site.world.log.take();
            before(&log, "vim-1 delete paths", "vnfm change_ext_conn demo-gateway");
            before(&log, "vnfm change_ext_conn demo-gateway", "vim-1 create path web");
            before(&log, "vnfm change_ext_conn demo-gateway", "vim-1 update rule");
        }
        let is = path(&site, "web").virtual_network_port;
        assert_ne!(is[0], web.virtual_network_port[0], "another SAP");
        assert_ne!(is[1], web.virtual_network_port[1], "another link");
        assert_eq!(is[2], web.virtual_network_port[2], "the same link");
        assert!(planned(&site, id, to_version(true)).await.unwrap().is_empty());
        gone(&site, id).await;
    }
}

/// A path that is called differently takes the same packets: the old one must be gone before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_path_gets_another_name_another_class_another_priority() {
    let (site, id) = at_work(|nsd| {
        let path = &mut nsd.vnffgs[0].paths[0];
        path.id = "net".into();
        path.elements[1].egress = None;
    })
    .await;
    let was = path(&site, "web").nfp_id;
    let plan = planned(&site, id, to_version(true)).await.unwrap();
    assert_eq!(
        (names(&plan.create), names(&plan.remove)),
        (vec!["NFP net".to_owned()], vec!["NFP web".to_owned()])
    );
    completed(&site, update(&site, id, to_version(true)).await.unwrap()).await;
    before(&site.world.log.take(), "vim-1 delete paths", "vim-1 create path net");
    assert_ne!(path(&site, "net").nfp_id, was);
    gone(&site, id).await;

    for (is_in_place, priority) in [(true, 3), (false, 8)] {
        let (site, id) = at_work(move |nsd| {
            let rule = &mut nsd.vnffgs[0].paths[0].rules[0];
            (rule.classifier.protocol, rule.priority) = (Some(17), priority);
        })
        .await;
        let was = path(&site, "web").nfp_id;
        completed(&site, update(&site, id, to_version(true)).await.unwrap()).await;
        let is = path(&site, "web");
        assert_eq!((is.priority, is.nfp_rule[0].protocol), (priority, Some(17)));
        assert_eq!(is.nfp_id == was, is_in_place);
        gone(&site, id).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_sap_has_goes_and_comes_with_it() {
    let (site, id) = at_work(|_| {}).await;
    let names = |site: &Site| packets(site).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    let was = names(&site);
    let request = UpdateNsRequest {
        update_type: UpdateType::RemoveSap,
        remove_sap_id: vec![site.show("a", id).await.sap_info[0].id.clone()],
        ..UpdateNsRequest::default()
    };
    completed(&site, update(&site, id, request).await.unwrap()).await;
    assert_eq!(names(&site), ["first", "slow", "slow"]);
    let request = UpdateNsRequest {
        update_type: UpdateType::AddSap,
        add_sap: vec![SapData {
            sapd_id: "client".to_owned(),
            sap_name: "client".to_owned(),
            ..SapData::default()
        }],
        ..UpdateNsRequest::default()
    };
    completed(&site, update(&site, id, request).await.unwrap()).await;
    assert_eq!(names(&site), was);
    gone(&site, id).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_of_a_profile_is_for_all_its_vnfs_whoever_comes_and_goes() {
    let (site, id) = at_work(|nsd| {
        all_at_the_second_site(nsd, "service");
        nsd.traffic_rules[1].targets = vec!["service".into()];
    })
    .await;
    completed(&site, update(&site, id, to_version(true)).await.unwrap()).await;
    let first = |site: &Site| {
        let held = locked(&site.world.vims[1].held);
        let found = held.rules.values().find(|(_, rule)| rule.rule.name == "first");
        found.unwrap().1.clone()
    };
    let was = first(&site);
    assert_eq!(was.rule.targets.len(), 1);
    let request = UpdateNsRequest {
        update_type: UpdateType::InstantiateVnf,
        instantiate_vnf_data: vec![InstantiateVnfData {
            vnf_profile_id: Some("service".to_owned()),
            vnf_instance_name: Some("another".to_owned()),
            ..InstantiateVnfData::default()
        }],
        ..UpdateNsRequest::default()
    };
    let plan = planned(&site, id, request.clone()).await.unwrap();
    assert_eq!(names(&plan.change), ["TRAFFIC_RULE first"]);
    completed(&site, update(&site, id, request).await.unwrap()).await;
    let is = first(&site);
    assert_eq!((is.traffic_rule_id, is.rule.targets.len()), (was.traffic_rule_id, 2));
    let request = UpdateNsRequest {
        update_type: UpdateType::RemoveVnf,
        remove_vnf_instance_id: vec![vnf_id(&site.show("a", id).await, "another")],
        ..UpdateNsRequest::default()
    };
    completed(&site, update(&site, id, request).await.unwrap()).await;
    assert_eq!(first(&site), was);
    gone(&site, id).await;
}
