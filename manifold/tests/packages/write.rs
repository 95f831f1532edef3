//! Packages as their authors would write them, with the guest image's files as their own.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

/// A file of the package's `Artifacts/Images`.
pub(crate) struct Image<'a> {
    /// The artifact's name.
    pub(crate) name: &'a str,
    /// `qcow2`, `aki`, `ari`.
    pub(crate) format: &'a str,
    /// What is copied into the package.
    pub(crate) from: &'a Path,
    /// The checksum that the descriptor states; the file's own if absent.
    pub(crate) stated: Option<&'a str>,
}

/// The SHA-256 of a file by coreutils: what a descriptor states is not reckoned by the program under test.
pub(crate) fn sha256(file: &Path) -> String {
    let said = Command::new("sha256sum").arg(file).output();
    let said = said.unwrap_or_else(|error| panic!("sha256sum: {error}")).stdout;
    let text = String::from_utf8_lossy(&said);
    let hash = text.split(' ').next().unwrap_or_default();
    assert_eq!(hash.len(), 64, "{}: {text}", file.display());
    hash.to_owned()
}

fn put(path: &Path, text: &str) {
    let folder = path.parent().unwrap_or(Path::new("/"));
    std::fs::create_dir_all(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    std::fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

fn vnf_type(name: &str, id: &str) -> String {
    format!(
        r#"  test.{name}:
    derived_from: tosca.nodes.nfv.VNF
    properties:
      descriptor_id: {{ type: string, default: {id} }}
      descriptor_version: {{ type: string, default: "1.0" }}
      provider: {{ type: string, default: Test }}
      product_name: {{ type: string, default: {name} }}
      software_version: {{ type: string, default: "1.0" }}
      vnfm_info: {{ type: list, entry_schema: {{ type: string }}, default: [ "etsivnfm:v2.0.0" ] }}
      flavour_id: {{ type: string, default: default }}
      flavour_description: {{ type: string, default: One machine }}
    requirements:
      - net: {{ capability: tosca.capabilities.nfv.VirtualLinkable }}
"#
    )
}

/// A VNF package of one machine that boots these images.
pub(crate) fn vnf(folder: &Path, name: &str, id: &str, images: &[Image<'_>]) {
    let mut artifacts = String::new();
    for image in images {
        let file = format!("{}.{}", image.name, image.format);
        let to = folder.join("Artifacts/Images").join(&file);
        put(&to, "");
        std::fs::copy(image.from, &to).unwrap_or_else(|error| panic!("{}: {error}", to.display()));
        let size = std::fs::metadata(&to).map_or(0, |file| file.len());
        let hash = image.stated.map_or_else(|| sha256(&to), str::to_owned);
        write!(
            artifacts,
            r#"
        {name}:
          type: tosca.artifacts.nfv.SwImage
          file: ../Artifacts/Images/{file}
          properties:
            name: {name}
            version: "1"
            checksum: {{ algorithm: sha-256, hash: {hash} }}
            container_format: bare
            disk_format: {format}
            min_disk: 0 B
            min_ram: 96 MiB
            size: {size} B"#,
            name = image.name,
            format = image.format,
        )
        .unwrap_or_else(|error| panic!("{error}"));
    }
    let types = vnf_type(name, id);
    put(
        &folder.join("Definitions/vnf.yaml"),
        &format!(
            r#"tosca_definitions_version: tosca_simple_yaml_1_3
imports: [ etsi_nfv_sol001_vnfd_types.yaml ]
node_types:
{types}topology_template:
  substitution_mappings:
    node_type: test.{name}
    requirements:
      net: [ net, virtual_link ]
  node_templates:
    VNF: {{ type: test.{name} }}
    machine:
      type: tosca.nodes.nfv.Vdu.Compute
      properties:
        name: machine
        vdu_profile: {{ min_number_of_instances: 1, max_number_of_instances: 1 }}
      capabilities:
        virtual_compute:
          properties:
            virtual_cpu: {{ num_virtual_cpu: 1 }}
            virtual_memory: {{ virtual_mem_size: 192 MiB }}
      artifacts:{artifacts}
    net:
      type: tosca.nodes.nfv.VduCp
      properties: {{ layer_protocols: [ ipv4 ], order: 0, vnic_type: virtio }}
      requirements:
        - virtual_binding: machine
"#
        ),
    );
}

/// An NS of these VNFs (name, vnfdId) on one link with the access point `client`.
pub(crate) fn ns(folder: &Path, name: &str, id: &str, vnfs: &[(&str, &str)]) {
    let types: String = vnfs.iter().map(|(vnf, id)| vnf_type(vnf, id)).collect();
    let nodes: String = vnfs
        .iter()
        .map(|(vnf, _)| format!("    {vnf}:\n      type: test.{vnf}\n      requirements:\n        - net: lan\n"))
        .collect();
    put(
        &folder.join("Definitions/ns.yaml"),
        &format!(
            r#"tosca_definitions_version: tosca_simple_yaml_1_3
imports: [ etsi_nfv_sol001_nsd_types.yaml ]
node_types:
  test.NS:
    derived_from: tosca.nodes.nfv.NS
    properties:
      descriptor_id: {{ type: string, default: {id} }}
      designer: {{ type: string, default: Test }}
      version: {{ type: string, default: "1.0" }}
      name: {{ type: string, default: {name} }}
      invariant_id: {{ type: string, default: {id} }}
      flavour_id: {{ type: string, default: default }}
    requirements:
      - client: {{ capability: tosca.capabilities.nfv.VirtualLinkable }}
{types}topology_template:
  substitution_mappings:
    node_type: test.NS
    requirements:
      client: [ client, external_virtual_link ]
  node_templates:
    NS: {{ type: test.NS }}
{nodes}    client:
      type: tosca.nodes.nfv.Sap
      properties: {{ layer_protocols: [ ipv4 ], description: Where the test stands }}
      requirements:
        - internal_virtual_link: lan
    lan:
      type: tosca.nodes.nfv.NsVirtualLink
      properties:
        connectivity_type: {{ layer_protocols: [ ipv4 ], flow_pattern: mesh }}
        vl_profile:
          max_bitrate_requirements: {{ root: 1000000000 }}
          min_bitrate_requirements: {{ root: 0 }}
          virtual_link_protocol_data:
            - associated_layer_protocol: ipv4
              l3_protocol_data: {{ ip_version: ipv4, cidr: 192.168.80.0/24, dhcp_enabled: true }}
"#
        ),
    );
}
