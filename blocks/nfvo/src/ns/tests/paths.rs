//! What an NSD says of packets is made at the sites, goes through the ports that are there, and goes with the NS.

use manifold_call::ErrorKind;
use manifold_descriptors::Descriptor;
use manifold_descriptors::nsd::{
    Nfp, NfpClassifier, NfpElement, NfpRule, Nsd, PortRange, TrafficAction, TrafficRule, Vnffg, Window,
};
use manifold_vim_interface as vim;

use super::{before, completed};
use crate::fakes::{DEMO, TWO_SITE, World, locked, two_site};

/// The demo with a path from the client through the gateway, and rules for a link, a VNF and the SAP.
pub(super) fn with_packets(change: impl Fn(&mut Nsd)) -> Vec<Descriptor> {
    let mut all = DEMO.clone();
    for descriptor in &mut all {
        let Descriptor::Nsd(nsd) = descriptor else { continue };
        let classifier = NfpClassifier {
            protocol: Some(6),
            destination_port_range: Some(PortRange { lower: 80, upper: 443 }),
            vlan_tag: vec![5, 6],
            ..NfpClassifier::default()
        };
        nsd.vnffgs.push(Vnffg {
            id: "graph".into(),
            profiles: vec!["gateway".into()],
            virtual_links: vec!["access".into()],
            paths: vec![Nfp {
                id: "web".into(),
                positions: vec!["at_client".into(), "at_gateway".into()],
                elements: vec![
                    element("client", None, None),
                    element("gateway", Some("access"), Some("transit")),
                ],
                rules: vec![NfpRule {
                    id: "tcp".into(),
                    classifier: classifier.clone(),
                    priority: 3,
                    schedule: vec![],
                }],
            }],
            place: None,
        });
        let rule = |id: &str, target: &str, action: TrafficAction| TrafficRule {
            id: id.into(),
            targets: vec![target.into()],
            classifier: NfpClassifier::default(),
            priority: 1,
            action,
            schedule: vec![Window {
                from: None,
                until: Some(2_000_000_000),
                daily_from: 3_600,
                daily_until: 7_200,
            }],
        };
        nsd.traffic_rules = vec![
            rule(
                "slow",
                "transit",
                TrafficAction::Limit {
                    bits_per_second: 10_000,
                },
            ),
            rule("first", "gateway", TrafficAction::Precedence(7)),
            rule("closed", "client", TrafficAction::Block),
        ];
        change(nsd);
    }
    all
}

pub(super) fn element(profile: &str, ingress: Option<&str>, egress: Option<&str>) -> NfpElement {
    NfpElement {
        id: format!("at_{profile}"),
        profile: profile.into(),
        ingress: ingress.map(str::to_owned),
        egress: egress.map(str::to_owned),
        place: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paths_and_rules_are_made_after_what_they_need_and_taken_away_before_it() {
    let world = World::new(true);
    world.onboard("a", &with_packets(|_| {})).await;
    let site = world.site();
    let id = site.new_ns("a", TWO_SITE, "demo").await;
    completed(&site, site.instantiate("a", id, two_site()).await.unwrap()).await;
    let log = site.world.log.take();
    before(&log, "vnfm instantiate demo-gateway", "vim-1 create path web");
    before(
        &log,
        "vim-1 allocate port sap.client at client",
        "vim-1 create path web",
    );
    before(&log, "vim-2 allocate network demo.transit", "vim-2 create rule slow");
    {
        let held = locked(&site.world.vims[0].held);
        let (_, path) = held.paths.values().next().unwrap();
        assert_eq!((held.paths.len(), path.total_vnp, path.from_network), (1, 3, false));
        assert_eq!((path.nfp_rule.len(), path.priority), (2, 3), "one class for each VLAN");
        assert!(
            held.ports.contains_key(&path.virtual_network_port[0]),
            "it begins at the SAP's port"
        );
        let actions: Vec<_> = held.rules.values().map(|(_, rule)| rule.rule.action).collect();
        assert_eq!(actions.len(), 3);
        let slow = held.rules.values().find(|(_, rule)| rule.rule.name == "slow").unwrap();
        let limit = vim::TrafficAction::Limit {
            bits_per_second: 10_000,
        };
        assert_eq!(slow.1.rule.action, limit);
        let network = vim::NetworkId(slow.1.rule.targets[0]);
        assert_eq!(held.networks[&network].1.network_resource_name, "demo.transit");
        assert_eq!(slow.1.rule.schedule[0].from_s, Some(3_600));
        assert_eq!(
            locked(&site.world.vims[1].held).rules.len(),
            1,
            "the link is at both sites"
        );
    }
    completed(&site, site.terminate("a", id).await.unwrap()).await;
    let log = site.world.log.take();
    before(&log, "vim-1 delete paths", "vnfm terminate");
    assert!(site.world.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_path_over_two_sites_or_through_a_physical_function_is_refused_by_name() {
    for (profile, word) in [("service", "would cross from site"), ("meter", "goes through meter")] {
        let world = World::new(true);
        let add = |nsd: &mut Nsd| {
            let passed = element(profile, None, None);
            nsd.vnffgs.last_mut().unwrap().paths[0].elements.push(passed);
        };
        world.onboard("a", &with_packets(add)).await;
        let site = world.site();
        let id = site.new_ns("a", TWO_SITE, "demo").await;
        let refused = site.instantiate("a", id, two_site()).await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Unsupported, "{refused:?}");
        assert!(refused.detail.contains(word), "{refused:?}");
    }
}
