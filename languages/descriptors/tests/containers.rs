//! VNFs made of containers: read and listed, though this version deploys none.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod packages;

use manifold_descriptors::vnfd::{ExtCpInternal, SwImageSource, VduKind};
use manifold_descriptors::{Code, Descriptor, describe};
use packages::files;

const CONTAINERS: &str = r#"tosca_definitions_version: tosca_simple_yaml_1_3
imports: [ "https://forge.etsi.org/rep/nfv/SOL001/raw/v4.4.1/etsi_nfv_sol001_vnfd_types.yaml" ]
topology_template:
  substitution_mappings:
    node_type: tosca.nodes.nfv.VNF
    requirements:
      virtual_link: [ front, virtual_link ]
  node_templates:
    VNF:
      type: tosca.nodes.nfv.VNF
      properties:
        descriptor_id: 3d9e6c0e-0000-4000-8000-000000000001
        descriptor_version: "1.0"
        provider: Somebody
        product_name: pods
        software_version: "1.0"
        vnfm_info: [ "etsivnfm:v2.0.0" ]
        flavour_id: default
        flavour_description: Two containers in one pod
        configurable_properties: { is_autoheal_enabled: true, anything_else: 1 }
    pod:
      type: tosca.nodes.nfv.Vdu.OsContainerDeployableUnit
      properties:
        name: pod
        vdu_profile: { min_number_of_instances: 1, max_number_of_instances: 3 }
      requirements:
        - container: web
        - container: side
    web:
      type: tosca.nodes.nfv.Vdu.OsContainer
      properties: { name: web }
      artifacts:
        sw_image:
          type: tosca.artifacts.nfv.SwImage
          file: docker://registry.example/web:1
          properties: { name: web, version: "1", container_format: docker, disk_format: raw, min_disk: 0 B }
    side:
      type: tosca.nodes.nfv.Vdu.OsContainer
      properties: { name: side }
    front:
      type: tosca.nodes.nfv.VduCp
      properties: { layer_protocols: [ ipv4 ] }
      requirements: [ { virtual_binding: pod } ]
    cluster_only:
      type: tosca.nodes.nfv.VduCp
      properties: { layer_protocols: [ ipv4 ] }
      requirements: [ { virtual_binding: pod } ]
    chart:
      type: tosca.nodes.nfv.Mciop
      requirements: [ { associatedVdu: pod } ]
      artifacts:
        mciop: { type: tosca.artifacts.nfv.HelmChart, file: Files/chart.tgz }
"#;

/// A connection point that is only on its cluster's own network names no virtual link, and that is no fault.
#[test]
fn a_vnf_of_containers_is_listed_with_its_mciop() {
    // proves: SOL-6.2.6-7
    let described = describe("pods.yaml", &files(&[("pods.yaml", CONTAINERS)]), None);
    assert_eq!(described.diagnostics.summary(), "");
    let Some(Descriptor::Vnfd(vnfd)) = described.descriptor else {
        panic!("no VNFD")
    };
    assert_eq!(vnfd.is_autoheal_enabled, Some(true));
    let pod = &vnfd.flavours[0].vdus[0];
    assert_eq!(pod.kind, VduKind::OsContainerDeployableUnit);
    assert_eq!(
        pod.containers.iter().map(|c| c.id.as_str()).collect::<Vec<_>>(),
        ["web", "side"]
    );
    let image = pod.containers[0].sw_image.as_ref().unwrap();
    assert_eq!(
        image.source,
        SwImageSource::Uri {
            uri: "docker://registry.example/web:1".into()
        }
    );
    assert!(pod.connection_points.iter().all(|cp| cp.virtual_link.is_none()));
    let front = vnfd.flavours[0].ext_cpd("virtual_link").unwrap();
    assert_eq!(
        front.internal,
        ExtCpInternal::VduCp {
            vdu: "pod".into(),
            cp: "front".into()
        }
    );
    assert_eq!(vnfd.mciops[0].associated_vdus, ["pod"]);
    assert_eq!(vnfd.mciops[0].artifact.as_deref(), Some("Files/chart.tgz"));
}

#[test]
fn an_mciop_that_is_not_in_the_package_is_missed() {
    // proves: NFV006-OBJ-13
    let all = files(&[("pods.yaml", CONTAINERS)]);
    let with = |path: &str| {
        let paths = ["pods.yaml", path].map(str::to_owned).into();
        describe("pods.yaml", &all, Some(&paths)).diagnostics
    };
    assert_eq!(with("Files/chart.tgz").summary(), "");
    assert_eq!(with("Files/other.tgz").error_codes(), [Code::ArtifactMissing]);
}
