//! A case as packages: a folder for each VNF, and one for the service.

use super::case::{Case, Link, Vdu, Vnf};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// A text in YAML, whatever is in it.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Identifier of a descriptor: the service's is 0, its VNFs' follow.
pub(super) fn descriptor_id(case: &Case, part: usize) -> String {
    format!("{:08x}-0000-4000-8000-{part:012x}", case.ids)
}

/// Writes them below `folder`; in the order in which they can be on-boarded.
pub(super) fn write(case: &Case, folder: &Path) -> Vec<PathBuf> {
    let vnfs = (0..case.vnfs.len()).map(|nth| (format!("vnf-{nth}"), vnfd(case, nth)));
    vnfs.chain([("ns".to_owned(), nsd(case))])
        .map(|(name, text)| {
            let package = folder.join(format!("{}-{name}", case.number));
            let file = package.join("Definitions/main.yaml");
            let written =
                std::fs::create_dir_all(package.join("Definitions")).and_then(|()| std::fs::write(&file, text));
            written.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            package
        })
        .collect()
}

/// The connection points of a VNF that others meet: link, name.
fn outer<'a>(case: &'a Case, vnf: &'a Vnf) -> impl Iterator<Item = (usize, &'a str)> {
    let all = vnf.vdus.iter().flat_map(|vdu| &vdu.on);
    all.filter(|(link, _)| case.links[*link].inside.is_none())
        .map(|(link, cp)| (*link, cp.as_str()))
}

fn protocols(link: &Link) -> &'static str {
    if link.v6.is_some() {
        "[ ipv4, ipv6 ]"
    } else {
        "[ ipv4 ]"
    }
}

/// A VNF's type, as its package and the service's both have it.
fn vnf_type(case: &Case, nth: usize) -> String {
    let vnf = &case.vnfs[nth];
    let mut text = format!(
        r#"  random.Vnf{nth}:
    derived_from: tosca.nodes.nfv.VNF
    properties:
      descriptor_id: {{ type: string, default: {id} }}
      descriptor_version: {{ type: string, default: "1.0" }}
      provider: {{ type: string, default: Chance }}
      product_name: {{ type: string, default: {product} }}
      software_version: {{ type: string, default: "1.0" }}
      vnfm_info: {{ type: list, entry_schema: {{ type: string }}, default: [ "etsivnfm:v2.0.0" ] }}
      flavour_id: {{ type: string, default: default }}
      flavour_description: {{ type: string, default: By chance }}
    requirements:
"#,
        id = descriptor_id(case, nth + 1),
        product = quoted(&vnf.product),
    );
    for (_, cp) in outer(case, vnf) {
        let _ = writeln!(
            text,
            "      - {}: {{ capability: tosca.capabilities.nfv.VirtualLinkable }}",
            quoted(cp)
        );
    }
    text
}

fn link_node(link: &Link, kind: &str) -> String {
    let [a, b, c] = link.v4;
    let mut text = format!(
        r#"    {name}:
      type: tosca.nodes.nfv.{kind}
      properties:
        connectivity_type: {{ layer_protocols: {protocols}, flow_pattern: mesh }}
        vl_profile:
          max_bitrate_requirements: {{ root: {mbit}000000 }}
          min_bitrate_requirements: {{ root: 0 }}
          virtual_link_protocol_data:
            - associated_layer_protocol: ipv4
              l3_protocol_data: {{ ip_version: ipv4, cidr: {a}.{b}.{c}.0/24, dhcp_enabled: true }}
"#,
        name = quoted(&link.name),
        protocols = protocols(link),
        mbit = link.mbit,
    );
    if let Some([d, e]) = link.v6 {
        let _ = write!(
            text,
            r#"            - associated_layer_protocol: ipv6
              l3_protocol_data: {{ ip_version: ipv6, cidr: "fd00:{d:x}:{e:x}::/64", dhcp_enabled: false }}
"#
        );
    }
    text
}

fn vnfd(case: &Case, nth: usize) -> String {
    let vnf = &case.vnfs[nth];
    let mut text = format!(
        r#"tosca_definitions_version: tosca_simple_yaml_1_3
imports:
  - etsi_nfv_sol001_vnfd_types.yaml
node_types:
{}topology_template:
  substitution_mappings:
    node_type: random.Vnf{nth}
    requirements:
"#,
        vnf_type(case, nth)
    );
    for (_, cp) in outer(case, vnf) {
        let _ = writeln!(text, "      {cp}: [ {cp}, virtual_link ]", cp = quoted(cp));
    }
    let _ = write!(text, "  node_templates:\n    VNF:\n      type: random.Vnf{nth}\n");
    for vdu in &vnf.vdus {
        text += &vdu_nodes(case, vdu);
    }
    for link in case.links.iter().filter(|link| link.inside == Some(nth)) {
        text += &link_node(link, "VnfVirtualLink");
    }
    text + &policies(vnf)
}

fn vdu_nodes(case: &Case, vdu: &Vdu) -> String {
    let name = quoted(&vdu.name);
    let (most, least) = (vdu.machines, if vdu.scales { 1 } else { vdu.machines });
    let mut text = format!(
        r#"    {name}:
      type: tosca.nodes.nfv.Vdu.Compute
      properties:
        name: {name}
        vdu_profile: {{ min_number_of_instances: {least}, max_number_of_instances: {most} }}
        sw_image_data:
          name: guest
          version: "1"
          container_format: bare
          disk_format: aki
          min_disk: 0 B
          min_ram: 96 MiB
      capabilities:
        virtual_compute:
          properties:
            virtual_cpu: {{ num_virtual_cpu: 1 }}
            virtual_memory: {{ virtual_mem_size: 96 MiB }}
      artifacts:
        sw_image: {{ type: tosca.artifacts.nfv.SwImage, file: "manifold:image/guest" }}
"#
    );
    for (order, (link, cp)) in vdu.on.iter().enumerate() {
        let link = &case.links[*link];
        let _ = write!(
            text,
            r#"    {cp}:
      type: tosca.nodes.nfv.VduCp
      properties: {{ layer_protocols: {protocols}, order: {order}, vnic_type: virtio }}
      requirements:
        - virtual_binding: {name}
"#,
            cp = quoted(cp),
            protocols = protocols(link),
        );
        if link.inside.is_some() {
            let _ = writeln!(text, "        - virtual_link: {}", quoted(&link.name));
        }
    }
    text
}

/// How many machines there are: fixed by an initial delta, or at the default level of an aspect for each VDU that scales.
fn policies(vnf: &Vnf) -> String {
    let mut text = "  policies:\n".to_owned();
    for (nth, vdu) in vnf.vdus.iter().enumerate() {
        let (name, first) = (quoted(&vdu.name), if vdu.scales { 1 } else { vdu.machines });
        let _ = write!(
            text,
            r#"    - initial_{nth}:
        type: tosca.policies.nfv.VduInitialDelta
        targets: [ {name} ]
        properties: {{ initial_delta: {{ number_of_instances: {first} }} }}
"#
        );
    }
    let scaling: Vec<(usize, String)> = (0..)
        .zip(&vnf.vdus)
        .filter(|(_, vdu)| vdu.scales)
        .map(|(nth, vdu)| (nth, quoted(&vdu.name)))
        .collect();
    if scaling.is_empty() {
        return text;
    }
    text +=
        "    - scaling:\n        type: tosca.policies.nfv.ScalingAspects\n        properties:\n          aspects:\n";
    for (nth, _) in &scaling {
        let _ = writeln!(
            text,
            "            aspect_{nth}: {{ name: aspect_{nth}, description: d, max_scale_level: 1, step_deltas: [ more ] }}"
        );
    }
    text += "    - levels:\n        type: tosca.policies.nfv.InstantiationLevels\n        properties:\n          default_level: high\n          levels:\n";
    for (level, at) in [("low", 0), ("high", 1)] {
        let _ = writeln!(
            text,
            "            {level}:\n              description: {level}\n              scale_info:"
        );
        for (nth, _) in &scaling {
            let _ = writeln!(text, "                aspect_{nth}: {{ scale_level: {at} }}");
        }
    }
    for (nth, name) in &scaling {
        let _ = write!(
            text,
            r#"    - steps_{nth}:
        type: tosca.policies.nfv.VduScalingAspectDeltas
        targets: [ {name} ]
        properties: {{ aspect: aspect_{nth}, deltas: {{ more: {{ number_of_instances: 1 }} }} }}
    - at_levels_{nth}:
        type: tosca.policies.nfv.VduInstantiationLevels
        targets: [ {name} ]
        properties: {{ levels: {{ low: {{ number_of_instances: 1 }}, high: {{ number_of_instances: 2 }} }} }}
"#
        );
    }
    text
}

fn nsd(case: &Case) -> String {
    let mut text = format!(
        r#"tosca_definitions_version: tosca_simple_yaml_1_3
imports:
  - etsi_nfv_sol001_nsd_types.yaml
node_types:
  random.Ns:
    derived_from: tosca.nodes.nfv.NS
    properties:
      descriptor_id: {{ type: string, default: {id} }}
      designer: {{ type: string, default: Chance }}
      version: {{ type: string, default: "1.0" }}
      name: {{ type: string, default: {name} }}
      invariant_id: {{ type: string, default: {invariant} }}
      flavour_id: {{ type: string, default: default }}
"#,
        id = descriptor_id(case, 0),
        invariant = descriptor_id(case, 0xffff),
        name = quoted(&case.name),
    );
    if case.sap.is_some() {
        text += "    requirements:\n      - client: { capability: tosca.capabilities.nfv.VirtualLinkable }\n";
    }
    for nth in 0..case.vnfs.len() {
        text += &vnf_type(case, nth);
    }
    text += "topology_template:\n  substitution_mappings:\n    node_type: random.Ns\n";
    if case.sap.is_some() {
        text += "    requirements:\n      client: [ client, external_virtual_link ]\n";
    }
    text += "  node_templates:\n    NS:\n      type: random.Ns\n";
    for (nth, vnf) in case.vnfs.iter().enumerate() {
        let _ = writeln!(
            text,
            "    {}:\n      type: random.Vnf{nth}\n      requirements:",
            quoted(&vnf.name)
        );
        for (link, cp) in outer(case, vnf) {
            let _ = writeln!(text, "        - {}: {}", quoted(cp), quoted(&case.links[link].name));
        }
    }
    if let Some(link) = case.sap {
        let link = &case.links[link];
        let _ = write!(
            text,
            r#"    client:
      type: tosca.nodes.nfv.Sap
      properties: {{ layer_protocols: {protocols} }}
      requirements:
        - internal_virtual_link: {name}
"#,
            protocols = protocols(link),
            name = quoted(&link.name),
        );
    }
    for link in case.links.iter().filter(|link| link.inside.is_none()) {
        text += &link_node(link, "NsVirtualLink");
    }
    if let Some(scope) = case.apart {
        let _ = write!(
            text,
            r#"  groups:
    first_two:
      type: tosca.groups.nfv.NsPlacementGroup
      members: [ {}, {} ]
  policies:
    - apart:
        type: tosca.policies.nfv.NsAntiAffinityRule
        targets: [ first_two ]
        properties: {{ scope: {scope} }}
"#,
            quoted(&case.vnfs[0].name),
            quoted(&case.vnfs[1].name),
        );
    }
    text
}
