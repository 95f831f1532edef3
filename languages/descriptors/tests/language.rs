//! What TOSCA allows in definitions: inputs, functions, flavours in files of their own, nested services, scaling of services.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod packages;

use manifold_descriptors::{Code, Descriptor, check_nsd, describe};
use packages::*;

#[test]
fn a_frame_with_a_template_per_flavour_gives_the_frames_values_to_each() {
    let frame = "tosca_definitions_version: tosca_simple_yaml_1_3
imports: [ small.yaml, large.yaml ]
topology_template:
  inputs:
    selected_flavour: { type: string }
    maker: { type: string, default: Somebody }
  node_templates:
    VNF:
      type: manifold.demo.Gateway
      properties:
        flavour_id: { get_input: selected_flavour }
        provider: { concat: [ { get_input: maker }, ' & sons' ] }
        product_name: { get_property: [ SELF, provider ] }
";
    let types = changed(GATEWAY_TYPES, "constraints: [ valid_values: [ default ] ], ", "");
    let small = changed(GATEWAY, "flavour_id: default", "flavour_id: small");
    let small = changed(
        &small,
        "topology_template:\n",
        "topology_template:\n  inputs:\n    provider: { type: string }\n",
    );
    let small = changed(
        &small,
        "        name: frontend\n",
        "        name: { get_input: provider }\n",
    );
    let large = changed(GATEWAY, "flavour_id: default", "flavour_id: large");
    let all = [
        ("top.yaml", frame),
        ("small.yaml", &small),
        ("large.yaml", &large),
        ("gateway_types.yaml", &types),
    ];
    let described = describe("top.yaml", &files(&all), None);
    assert_eq!(described.diagnostics.summary(), "");
    let vnfd = vnfd(described);
    assert_eq!(
        vnfd.flavours.iter().map(|f| f.id.as_str()).collect::<Vec<_>>(),
        ["small", "large"]
    );
    assert_eq!(
        (vnfd.provider.as_str(), vnfd.product_name.as_str()),
        ("Somebody & sons", "Somebody & sons")
    );
    assert_eq!(
        vnfd.flavour("small").unwrap().vdu("frontend").unwrap().name,
        "Somebody & sons"
    );
}

#[test]
fn a_service_holds_vnfs_pnfs_nested_services_and_links_and_scales() {
    let more = "    inner:
      type: tosca.nodes.nfv.NS
      properties: { descriptor_id: other, designer: a, version: '1', name: b, invariant_id: c, flavour_id: d }
      requirements:
        - virtual_link: transit

  groups:
";
    let policies = "  policies:
    - aspects:
        type: tosca.policies.nfv.NsScalingAspects
        properties: { aspects: { more: { name: more, ns_scale_levels: { 0: { description: few }, 1: { description: many } } } } }
    - mapping:
        type: tosca.policies.nfv.VnfToLevelMapping
        targets: [ service ]
        properties: { aspect: more, number_of_instances: { 0: 1, 1: 3 } }
    - levels:
        type: tosca.policies.nfv.NsInstantiationLevels
        properties: { ns_levels: { few: { description: few }, many: { description: many } }, default_level: few }
    - level_mapping:
        type: tosca.policies.nfv.VnfToInstantiationLevelMapping
        targets: [ service ]
        properties: { number_of_instances: { few: 1, many: 3 } }
    - here:
        type: manifold.policies.Location
        targets: [ gateway ]
        properties: { nfvi_pop: east }
";
    let text = changed(TWO_SITE, "  groups:\n", more);
    let text = changed(&text, "  policies:\n", policies);
    let text = changed(
        &text,
        "{ min_number_of_instances: 1, max_number_of_instances: 1 }",
        "{ min_number_of_instances: 1, max_number_of_instances: 3 }",
    );
    let all = [
        ("ns.yaml", text.as_str()),
        ("gateway_types.yaml", GATEWAY_TYPES),
        ("service_types.yaml", SERVICE_TYPES),
    ];
    let described = describe("ns.yaml", &files(&all), None);
    assert_eq!(described.diagnostics.summary(), "");
    let nsd = nsd(described);
    assert_eq!(
        (nsd.vnf_profiles.len(), nsd.pnf_profiles.len(), nsd.virtual_links.len()),
        (2, 1, 3)
    );
    assert_eq!(nsd.nested_ns_profiles[0].nsd_id, "other");
    assert_eq!(nsd.nested_ns_profiles[0].connectivity[0].virtual_link, "transit");
    assert_eq!(nsd.scaling_aspects["more"].levels[&1]["service"], 3);
    let service = nsd.vnf_profile("service").unwrap();
    assert_eq!(
        (nsd.instances_at(service, None), nsd.instances_at(service, Some("many"))),
        (1, 3)
    );
    assert_eq!(nsd.location_constraints[0].nfvi_pop.as_deref(), Some("east"));
}

#[test]
fn addresses_that_meet_in_one_machine_must_not_overlap() {
    // Inside of the VNF the front end is on 10.99.0.0/24 already.
    let clash = nsd(two_site("cidr: 192.168.10.0/24", "cidr: 10.99.0.0/16"));
    let found = check_nsd(&clash, &[&good_gateway(), &good_service()], &[&good_meter()]);
    assert_eq!(found.error_codes(), [Code::SubnetsOverlap], "{found}");
    assert_eq!(found.list[0].place.file, "ns.yaml");
    // Two links that meet nowhere may have the same addresses: the workers' network and a link that only the service is on.
    let apart = nsd(two_site("cidr: 192.168.20.0/24", "cidr: 10.98.0.0/24"));
    assert!(check_nsd(&apart, &[&good_gateway(), &good_service()], &[&good_meter()]).is_empty());
}

#[test]
fn what_definitions_describe_is_told_by_what_they_substitute() {
    let kind = |name: &str, text: &str| {
        let all = [
            (name, text),
            ("gateway_types.yaml", GATEWAY_TYPES),
            ("service_types.yaml", SERVICE_TYPES),
        ];
        describe(name, &files(&all), None)
            .descriptor
            .map(|descriptor: Descriptor| descriptor.kind())
    };
    assert_eq!(kind("a.yaml", GATEWAY), Some("VNFD"));
    assert_eq!(kind("a.yaml", TWO_SITE), Some("NSD"));
    assert_eq!(kind("a.yaml", METER), Some("PNFD"));
}
