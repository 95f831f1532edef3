//! Services in services, laid flat.

use manifold_descriptors::link::{AffinityRule, AffinityScope, AffinityType, L2ProtocolData, LayerProtocol};
use manifold_descriptors::nsd::{CpConnectivity, LocationConstraint, NsProfile, NsVirtualLink, Sap, VnfProfile};
use manifold_descriptors::{Code, FlatNsd, Nsd};

fn on(cpd: &str, link: &str) -> CpConnectivity {
    CpConnectivity {
        cpd: cpd.into(),
        virtual_link: link.into(),
        place: None,
    }
}

fn link(id: &str) -> NsVirtualLink {
    NsVirtualLink {
        id: id.into(),
        ..NsVirtualLink::default()
    }
}

fn vnf(id: &str, link: &str) -> VnfProfile {
    VnfProfile {
        id: id.into(),
        min_number_of_instances: 1,
        connectivity: vec![on("x", link)],
        ..VnfProfile::default()
    }
}

fn sap(id: &str, requirement: Option<&str>, link: &str) -> Sap {
    Sap {
        id: id.into(),
        requirement: requirement.map(str::to_owned),
        virtual_link: Some(link.into()),
        ..Sap::default()
    }
}

fn nested(id: &str, nsd: &str, connectivity: Vec<CpConnectivity>) -> NsProfile {
    NsProfile {
        id: id.into(),
        nsd_id: nsd.into(),
        connectivity,
        ..NsProfile::default()
    }
}

/// `deep` in `inner` in `outer`: the link of `deep` reaches to the one of `outer`.
fn three() -> [Nsd; 3] {
    let deep = Nsd {
        descriptor_id: "deep".into(),
        vnf_profiles: vec![vnf("gw", "lan"), vnf("store", "own")],
        virtual_links: vec![link("lan"), link("own")],
        saps: vec![sap("port", Some("uplink"), "lan")],
        ..Nsd::default()
    };
    let inner = Nsd {
        descriptor_id: "inner".into(),
        nested_ns_profiles: vec![nested("d", "deep", vec![on("uplink", "through")])],
        virtual_links: vec![link("through")],
        saps: vec![sap("out", None, "through")],
        ..Nsd::default()
    };
    let outer = Nsd {
        descriptor_id: "outer".into(),
        vnf_profiles: vec![vnf("probe", "net")],
        nested_ns_profiles: vec![nested("i", "inner", vec![on("out", "net")])],
        virtual_links: vec![link("net")],
        ..Nsd::default()
    };
    [outer, inner, deep]
}

fn flat([outer, inner, deep]: &[Nsd; 3]) -> FlatNsd {
    let (flat, diagnostics) = FlatNsd::of(outer, &[inner, deep]);
    assert_eq!(diagnostics.summary(), "");
    flat
}

#[test]
fn a_link_is_called_as_the_outermost_that_it_reaches() {
    let flat = flat(&three());
    let links: Vec<&str> = flat.nsd.virtual_links.iter().map(|link| link.id.as_str()).collect();
    assert_eq!(links, ["net", "i/d/own"]);
    let ends: Vec<(&str, &str)> = flat
        .nsd
        .vnf_profiles
        .iter()
        .map(|profile| (profile.id.as_str(), profile.connectivity[0].virtual_link.as_str()))
        .collect();
    assert_eq!(ends, [("probe", "net"), ("i/d/gw", "net"), ("i/d/store", "i/d/own")]);
    assert!(flat.nsd.saps.is_empty(), "each is connected");
    let (service, own) = flat.home("i/d/gw").unwrap();
    assert_eq!(
        (service.path.as_str(), service.nsd_id.as_str(), own),
        ("i/d", "deep", "gw")
    );
    assert_eq!(service.links["lan"], "net");
}

#[test]
fn a_net_has_what_the_outermost_of_its_links_states() {
    let mut services = three();
    let l2 = |mtu| {
        Some(L2ProtocolData {
            mtu_bytes: Some(mtu),
            ..L2ProtocolData::default()
        })
    };
    services[1].virtual_links[0].l2 = l2(1_400);
    services[2].virtual_links[0].l2 = l2(1_300);
    assert_eq!(flat(&services).nsd.virtual_links[0].l2, l2(1_400));
}

#[test]
fn rules_and_places_of_a_nested_service_are_those_of_its_vnfs() {
    let mut services = three();
    services[0].location_constraints.push(LocationConstraint {
        profile: "i".into(),
        nfvi_pop: Some("east".into()),
        zone: None,
    });
    services[0].affinity_rules.push(AffinityRule {
        id: "apart".into(),
        kind: AffinityType::AntiAffinity,
        scope: AffinityScope::NfviNode,
        targets: vec!["probe".into(), "i".into()],
    });
    let flat = flat(&services);
    let places: Vec<&str> = flat
        .nsd
        .location_constraints
        .iter()
        .map(|place| place.profile.as_str())
        .collect();
    assert_eq!(places, ["i/d/gw", "i/d/store"]);
    let rules: Vec<&[String]> = flat
        .nsd
        .affinity_rules
        .iter()
        .map(|rule| rule.targets.as_slice())
        .collect();
    assert_eq!(rules, [["i/d/gw", "probe"], ["i/d/store", "probe"]]);
}

#[test]
fn a_sap_that_is_not_there_or_speaks_otherwise_is_refused() {
    let [mut outer, inner, mut deep] = three();
    outer.nested_ns_profiles[0].connectivity[0].cpd = "outt".into();
    let (_, found) = FlatNsd::of(&outer, &[&inner, &deep]);
    assert_eq!(found.error_codes(), [Code::UnknownExtCp]);
    assert!(found.render().contains("did you mean `out`?"), "{found}");

    let [outer, mut inner, _] = three();
    inner.virtual_links[0].connectivity_type.layer_protocols = vec![LayerProtocol::Mpls];
    deep.saps[0].layer_protocols = vec![LayerProtocol::Ipv4];
    let (_, found) = FlatNsd::of(&outer, &[&inner, &deep]);
    assert_eq!(found.error_codes(), [Code::ProtocolMismatch]);
}

/// Each service holds two of the next: two to the power of the depth.
#[test]
fn services_that_multiply_are_refused_soon() {
    let services: Vec<Nsd> = (0..16)
        .map(|n| Nsd {
            descriptor_id: format!("s{n}"),
            nested_ns_profiles: ["a", "b"].map(|id| nested(id, &format!("s{}", n + 1), vec![])).to_vec(),
            ..Nsd::default()
        })
        .chain([Nsd {
            descriptor_id: "s16".into(),
            ..Nsd::default()
        }])
        .collect();
    let (flat, found) = FlatNsd::of(&services[0], &services.iter().collect::<Vec<_>>());
    assert!(found.error_codes().contains(&Code::NestedLimit));
    assert!(flat.services.len() <= 500);
}
