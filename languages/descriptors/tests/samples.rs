//! Descriptors and packages that others wrote: each is resolved, or refused with exactly the faults that it has.
//! They are not part of this repository; where they are absent the tests say so and prove nothing.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use manifold_descriptors::csar::{Limits, Package, Signature};
use manifold_descriptors::vnfd::{SwImageSource, VduKind};
use manifold_descriptors::{Code, Described, Descriptor, Diagnostics, Vnfd, describe, folder};

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/samples");

fn sample(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(SAMPLES).join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("NOT RUN: sample {name} is absent ({})", path.display());
    None
}

fn package(name: &str) -> Option<Package> {
    Some(folder::check(
        &sample(&format!("sol001-csar/{name}"))?,
        &Limits::default(),
    ))
}

fn template(name: &str) -> Option<Described> {
    let bytes = std::fs::read(sample(&format!("tosca/{name}"))?).unwrap();
    Some(describe(name, &BTreeMap::from([(name.to_owned(), bytes)]), None))
}

/// `code line` of every error, in the order of files and lines.
fn errors(diagnostics: &Diagnostics) -> Vec<(Code, &str, u32)> {
    let errors = diagnostics
        .list
        .iter()
        .filter(|d| d.severity == manifold_descriptors::Severity::Error);
    errors
        .map(|d| {
            (
                d.code,
                d.place.file.rsplit('/').next().unwrap_or_default(),
                d.place.line,
            )
        })
        .collect()
}

fn vnfd(descriptor: &Option<Descriptor>) -> &Vnfd {
    match descriptor {
        Some(Descriptor::Vnfd(vnfd)) => vnfd,
        other => panic!("no VNFD: {other:?}"),
    }
}

#[test]
fn the_full_vm_package_resolves_and_only_its_placeholder_image_is_refused() {
    let Some(package) = package("vm_basic_lcms_max.zip") else {
        return;
    };
    let expected = [
        (Code::ImageHashMismatch, "v2_sample1_df_simple.yaml", 134),
        (Code::ImageHashMismatch, "v2_sample1_df_simple.yaml", 147),
    ];
    let found: Vec<_> = errors(&package.diagnostics);
    assert_eq!(
        found.iter().map(|e| (e.0, e.1)).collect::<Vec<_>>(),
        expected.map(|e| (e.0, e.1)),
        "{}",
        package.diagnostics
    );

    let vnfd = vnfd(&package.descriptor);
    assert_eq!(vnfd.descriptor_id, "dfe43d39-d769-5e07-9fcd-3645af82b6be");
    let flavour = vnfd.flavour("simple").unwrap();
    assert_eq!(flavour.description, "A simple flavour");
    assert_eq!(
        flavour.vdus.iter().map(|v| v.id.as_str()).collect::<Vec<_>>(),
        ["VDU1", "VDU2"]
    );
    let vdu1 = flavour.vdu("VDU1").unwrap();
    assert_eq!(vdu1.deltas["VDU1_scale"], [1, 1]);
    assert_eq!(flavour.instances_at_level(vdu1, Some("instantiation_level_2")), Some(3));
    assert_eq!(flavour.instances_at_level(vdu1, None), Some(1));
    assert_eq!(
        vdu1.compute.as_ref().unwrap().virtual_mem_size_mib,
        489,
        "512 MB in MiB, rounded up"
    );
    let image = vdu1.boot_image().unwrap();
    assert_eq!(
        image.source,
        SwImageSource::Disk {
            path: "Files/images/cirros-0.5.2-x86_64-disk.img".into()
        }
    );
    assert_eq!(vdu1.connection_points.len(), 5);
    assert_eq!(flavour.ext_cpds.len(), 5);
    assert_eq!(flavour.ext_cpd("virtual_link_external1_2").unwrap().id, "VDU2_CP1-1");
    assert_eq!(
        flavour.virtual_link("internalVL1").unwrap().l3[0].cidr.to_string(),
        "192.168.3.0/24"
    );
    assert_eq!(flavour.affinity_rules[0].targets, ["VDU1", "VDU2"]);
}

#[test]
fn the_change_package_sample_contradicts_itself_and_is_told_where() {
    let Some(package) = package("vm_change_vnfpkg_new_image.zip") else {
        return;
    };
    let codes: Vec<(Code, &str)> = errors(&package.diagnostics).into_iter().map(|e| (e.0, e.1)).collect();
    let file = "change_vnf_pkg_new_image_df_simple.yaml";
    let expected = [
        (Code::InstancesOutOfRange, file),
        (Code::ImageHashMismatch, file),
        (Code::ImageHashMismatch, file),
        (Code::LevelDisagrees, file),
        (Code::LevelDisagrees, file),
    ];
    assert_eq!(codes, expected, "{}", package.diagnostics);
    let warned = package.diagnostics.list.iter().any(|d| {
        d.code == Code::DefinitionsNotImported && d.place.file == "Definitions/change_vnf_pkg_new_image_df_volume.yaml"
    });
    assert!(warned, "the second flavour's template is imported by nothing");
    assert_eq!(vnfd(&package.descriptor).flavours.len(), 1);
}

#[test]
fn the_helm_package_is_accepted_and_its_files_are_listed() {
    let Some(package) = package("cnf_helm_v2.zip") else {
        return;
    };
    let (descriptor, contents) = package.into_result().unwrap();
    let descriptor = Some(descriptor);
    let flavour = vnfd(&descriptor).flavour("simple").unwrap();
    assert!(flavour.vdus.iter().all(|vdu| vdu.kind == VduKind::Unstated));
    assert_eq!(
        flavour.instances_at_level(&flavour.vdus[0], Some("instantiation_level_2")),
        Some(3)
    );
    let chart = &contents.files["Files/kubernetes/test-chart-0.1.0.tgz"];
    assert!(chart.is_protected, "TOSCA.meta states its hash, and the hash is right");
    assert_eq!(contents.signature, Signature::Absent);
}

#[test]
fn the_manifest_package_lists_its_kinds_and_contradicts_itself_on_one_vdu() {
    let Some(package) = package("cnf_k8s_manifests_all_kinds.zip") else {
        return;
    };
    let expected = [
        (Code::InstancesOutOfRange, "sample_cnf_df_simple.yaml", 80),
        (Code::LevelDisagrees, "sample_cnf_df_simple.yaml", 227),
        (Code::LevelDisagrees, "sample_cnf_df_simple.yaml", 229),
    ];
    assert_eq!(errors(&package.diagnostics), expected, "{}", package.diagnostics);
    let vdus: Vec<&str> = vnfd(&package.descriptor).flavours[0]
        .vdus
        .iter()
        .map(|v| v.id.as_str())
        .collect();
    assert_eq!(vdus, ["VDU1", "VDU2", "VDU3", "VDU5", "VDU6"]);
    let protected = package
        .contents
        .files
        .iter()
        .filter(|(path, file)| path.starts_with("Files/kubernetes/") && file.is_protected);
    assert_eq!(protected.count(), 28);
}

#[test]
fn the_stub_with_a_manifest_lacks_everything_that_it_names() {
    let Some(package) = package("csar_manifest_stub_ok.zip") else {
        return;
    };
    let expected = [
        (Code::MetaFileMissing, "TOSCA.meta", 4),
        (Code::MetaFileMissing, "TOSCA.meta", 7),
        (Code::ManifestMetadata, "manifest.mf", 1),
        (Code::ManifestFileMissing, "manifest.mf", 1),
        (Code::ManifestFileMissing, "manifest.mf", 5),
        (Code::ManifestFileMissing, "manifest.mf", 9),
    ];
    assert_eq!(errors(&package.diagnostics), expected, "{}", package.diagnostics);
}

#[test]
fn the_stub_with_a_bad_hash_is_told_that_it_is_cut_short() {
    let Some(package) = package("csar_manifest_bad_hash.zip") else {
        return;
    };
    let found = errors(&package.diagnostics);
    assert!(
        found.contains(&(Code::HashMalformed, "TOSCA.meta", 9)),
        "{}",
        package.diagnostics
    );
    let others = found.iter().filter(|e| {
        !matches!(
            e.0,
            Code::MetaFileMissing | Code::ManifestFileMissing | Code::ManifestMetadata
        )
    });
    assert_eq!(
        others.count(),
        1,
        "beside the hash only files are missing: {}",
        package.diagnostics
    );
}

#[test]
fn the_nsd_with_vnf_pnf_and_sap_resolves() {
    let Some(described) = template("tosca-sol001-nsd-vnf-pnf-sap-topology.yaml") else {
        return;
    };
    assert_eq!(described.diagnostics.summary(), "");
    let Some(Descriptor::Nsd(nsd)) = described.descriptor else {
        panic!("no NSD")
    };
    assert_eq!(
        (nsd.descriptor_id.as_str(), nsd.flavour_id.as_str()),
        ("NS_ID1", "simple")
    );
    assert!(
        nsd.nested_ns_profiles.is_empty(),
        "the NS node with the service's own id is the service"
    );
    assert_eq!(nsd.vnf_profiles[0].connectivity[0].virtual_link, "InternalVirtualLink");
    assert_eq!(nsd.pnf_profiles[0].connectivity[0].virtual_link, "InternalVirtualLink");
    assert_eq!(nsd.saps[0].virtual_link.as_deref(), Some("InternalVirtualLink"));
    let link = &nsd.virtual_links[0];
    assert_eq!(link.service_availability_level, Some(7));
    assert_eq!(link.qos.as_ref().unwrap().latency_us, Some(1_000));
    assert_eq!(link.max_bitrate.leaf_bits_per_second, Some(20_000));
}

#[test]
fn the_hybrid_nsd_is_refused_for_its_old_spelling() {
    let Some(described) = template("tosca-sol001-nsd-ran-pnf-hybrid.yaml") else {
        return;
    };
    let found: Vec<(Code, u32)> = errors(&described.diagnostics).into_iter().map(|e| (e.0, e.2)).collect();
    let mut expected = vec![(Code::ImportMissing, 12), (Code::PropertyMissing, 56)];
    for first in [70, 87] {
        let lines = [
            first,
            first + 1,
            first + 3,
            first + 6,
            first + 9,
            first + 10,
            first + 11,
        ];
        expected.extend(lines.map(|line| (Code::UnknownProperty, line)));
    }
    assert_eq!(found, expected, "{}", described.diagnostics);
    let help = described
        .diagnostics
        .list
        .iter()
        .find(|d| d.place.line == 70)
        .unwrap()
        .help
        .clone();
    assert!(help.unwrap().contains("`layer_protocols`"));
}

#[test]
fn the_pnfd_is_refused_for_a_type_that_sol001_calls_otherwise() {
    let Some(described) = template("tosca-sol001-pnfd-ran-du.yaml") else {
        return;
    };
    let found: Vec<(Code, u32)> = errors(&described.diagnostics).into_iter().map(|e| (e.0, e.2)).collect();
    let expected = [
        (Code::ImportMissing, 10),
        (Code::UnknownProperty, 54),
        (Code::TargetUnknown, 57),
        (Code::UnknownType, 62),
        (Code::UnknownType, 64),
    ];
    assert_eq!(found, expected, "{}", described.diagnostics);
    assert!(described.diagnostics.render().contains("`tosca.nodes.nfv.PnfExtCp`"));
}

#[test]
fn no_sample_is_left_out() {
    for (folder, count) in [("sol001-csar", 6), ("tosca", 3)] {
        let Some(path) = sample(folder) else { return };
        assert_eq!(
            std::fs::read_dir(path).unwrap().count(),
            count,
            "a new sample in {folder} wants a test here"
        );
    }
}
