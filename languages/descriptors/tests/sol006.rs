//! SOL006's VNFDs and NSDs in the models that SOL001 is read into.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::PathBuf;

use manifold_descriptors::interfaces::{LeafFormat, ReadLeaf, read_leaf};
use manifold_descriptors::sol006::read_nsd;
use manifold_descriptors::vnfd::{AffinityScope, AffinityType, ExtCpInternal, StorageKind, SwImageSource};
use manifold_descriptors::{Code, Diagnostics, check_nsd};

const CACHE: &str = include_str!("fixtures/sol006/cache.yaml");
const DELIVERY: &str = include_str!("fixtures/sol006/delivery.yaml");

fn cache(text: &str) -> Result<ReadLeaf, Diagnostics> {
    read_leaf("cache.yaml", text.as_bytes())
}

fn changed(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "nothing to change: {from}");
    text.replacen(from, to, 1)
}

#[test]
fn a_vnfd_keeps_sizes_images_links_points_scaling_and_affinity() {
    let read = cache(CACHE).unwrap_or_else(|told| panic!("{told}"));
    assert_eq!((read.format, read.name.as_str()), (LeafFormat::Sol006, "Cache"));
    let flavour = read.vnfd.flavour("normal").unwrap();
    let store = flavour.vdu("store").unwrap();
    let compute = store.compute.as_ref().unwrap();
    assert_eq!(
        (
            compute.num_virtual_cpu,
            compute.virtual_mem_size_mib,
            compute.static_cpu_pinning
        ),
        (1, 512, true)
    );
    // The root storage is the machine's own disk; a persistent one is a volume.
    assert_eq!(compute.virtual_local_storage_bytes, [4 << 30]);
    assert_eq!(
        (store.storages[0].kind, store.storages[0].size_bytes),
        (StorageKind::Block, 10 << 30)
    );
    let image = store.boot_image().unwrap();
    assert_eq!(image.checksum.as_ref().unwrap().algorithm, "sha-256");
    assert!(matches!(&image.source, SwImageSource::Uri { uri } if uri.ends_with("/cache.qcow2")));
    let ids: Vec<&str> = flavour
        .vdus
        .iter()
        .flat_map(|v| &v.connection_points)
        .map(|cp| cp.id.as_str())
        .collect();
    assert_eq!(ids, ["outside", "inside", "store-inside", "control"]);
    let spread = flavour.virtual_link("spread").unwrap();
    assert_eq!(spread.max_bitrate.root_bits_per_second, Some(1_000_000_000));
    assert_eq!(spread.l3[0].gateway_ip.unwrap().to_string(), "10.44.0.1");
    assert_eq!(
        flavour.ext_cpd("tap").unwrap().internal,
        ExtCpInternal::VirtualLink {
            virtual_link: "spread".into()
        }
    );
    assert_eq!(store.deltas["stores"], [1, 3]);
    assert_eq!(flavour.instances_at_level(store, Some("most")), Some(5));
    assert_eq!(flavour.default_instantiation_level.as_deref(), Some("least"));
    let rule = &flavour.affinity_rules[0];
    assert_eq!(
        (rule.kind, rule.scope),
        (AffinityType::AntiAffinity, AffinityScope::NfviNode)
    );
    assert!(flavour.lcm_operations.scaling_by_more_than_one_step_supported);
    assert_eq!(read.warnings.summary(), "");
}

#[test]
fn interfaces_are_the_external_connection_points() {
    let read = cache(CACHE).unwrap();
    let all: Vec<_> = read
        .interfaces
        .iter()
        .map(|i| {
            (
                i.name.as_str(),
                i.vnfc.as_deref(),
                i.local_name.as_deref(),
                i.role.as_str(),
                i.ext_cpd.as_str(),
            )
        })
        .collect();
    assert_eq!(
        all,
        [
            ("service", Some("front"), Some("outside"), "", "outside"),
            ("control", Some("store"), Some("control"), "mgmt", "control"),
            ("tap", None, None, "", "tap")
        ]
    );
    assert_eq!(read.interfaces[0].text.trim(), "- id: service");
}

#[test]
fn every_root_form_says_the_same() {
    let bare: String = CACHE
        .lines()
        .skip(2)
        .map(|line| {
            let line = line.strip_prefix("  - ").or(line.strip_prefix("    ")).unwrap();
            format!("{line}\n")
        })
        .collect();
    let wrapped: String = bare.lines().map(|line| format!("  {line}\n")).collect();
    let listed = wrapped.replacen("  id", "- id", 1);
    let first = cache(CACHE).unwrap();
    for text in [
        bare.clone(),
        format!("vnfd:\n{wrapped}"),
        format!("vnfd:\n{listed}"),
        format!("etsi-nfv-vnfd:vnfd:\n{wrapped}"),
    ] {
        let read = cache(&text).unwrap_or_else(|told| panic!("{text}\n{told}"));
        let without_places = |read: &ReadLeaf| {
            let flavour = &read.vnfd.flavours[0];
            (
                flavour.instantiation_levels.clone(),
                flavour.scaling_aspects.clone(),
                flavour.affinity_rules.clone(),
                read.interfaces.len(),
            )
        };
        assert_eq!(without_places(&read), without_places(&first));
    }
    // JSON is YAML too.
    let json = r#"{ "etsi-nfv-vnfd:vnfd": [ { "id": "j", "vdu": [], "ext-cpd": [] } ] }"#;
    assert_eq!(cache(json).unwrap().name, "j");
    let two = format!("vnfd:\n{listed}{}", listed.replacen("id: cache", "id: other", 1));
    assert_eq!(cache(&two).unwrap_err().error_codes(), [Code::FormatUnknown]);
    assert_eq!(
        cache("vnfd:vnfd-catalog: {}\n").unwrap_err().error_codes(),
        [Code::FormatUnknown]
    );
}

#[test]
fn faults_have_codes_and_places() {
    let fault = |from: &str, to: &str| cache(&changed(CACHE, from, to)).unwrap_err().error_codes();
    assert_eq!(
        fault("virtual-compute-desc: small", "virtual-compute-desc: smal"),
        [Code::NameUnknown]
    );
    assert_eq!(
        fault("sw-image-desc: cache-image", "sw-image-desc: other"),
        [Code::NameUnknown]
    );
    assert_eq!(fault("vdu-id: front", "vdu-id: frnt"), [Code::NameUnknown]);
    assert_eq!(fault("cpd: outside", "cpd: outsde"), [Code::NameUnknown]);
    assert_eq!(fault("mgmt-cp: control", "mgmt-cp: contrl"), [Code::NameUnknown]);
    assert_eq!(fault("size: 0.5", "size: much"), [Code::FieldMalformed]);
    assert_eq!(fault("- id: tap", "- id: service"), [Code::NameTwice]);
    assert_eq!(
        fault("step-deltas: [ one, three ]", "step-deltas: [ one, four ]"),
        [Code::NameUnknown, Code::LevelDisagrees]
    );
    assert_eq!(
        fault("scale-level: 2 }", "scale-level: 3 }"),
        [Code::LevelDisagrees, Code::LevelBad]
    );
    assert_eq!(
        fault(
            "[ { vdu-id: store, number-of-instances: 5 } ]",
            "[ { vdu-id: store, number-of-instances: 4 } ]"
        ),
        [Code::LevelDisagrees]
    );
    assert_eq!(
        fault("max-scale-level: 2", "max-scale-level: 4000000000"),
        [Code::ScaleLimit, Code::DeltaUnknown, Code::NameUnknown]
    );
    assert_eq!(fault("algorithm: sha-256", "algorithm: md5"), [Code::HashAlgorithm]);
    assert_eq!(fault("cidr: 10.44.0.0/24", "cidr: 10.44.0.0/99"), [Code::BadAddress]);
}

#[test]
fn what_nobody_knows_is_named() {
    let read = cache(&changed(
        CACHE,
        "provider: Example Works",
        "provider: Example Works\n    favourite: yes",
    ))
    .unwrap();
    assert_eq!(read.warnings.list.len(), 1);
    assert_eq!(read.warnings.list[0].code, Code::FieldUnknown);
    assert!(read.warnings.list[0].message.contains("`favourite`"));
}

#[test]
fn an_nsd_fits_the_vnfd_that_it_names() {
    let (nsd, warnings) = read_nsd("delivery.yaml", DELIVERY.as_bytes()).unwrap_or_else(|told| panic!("{told}"));
    let told: Vec<Code> = warnings.list.iter().map(|d| d.code).collect();
    assert!(told.iter().all(|code| *code == Code::FieldWithoutEffect), "{warnings}");
    let vnfd = cache(CACHE).unwrap().vnfd;
    let against = check_nsd(&nsd, &[&vnfd], &[]);
    assert!(!against.has_errors(), "{against}");
    assert_eq!(
        (nsd.designer.as_str(), nsd.invariant_id.as_str()),
        ("Example Works", "delivery-all")
    );
    assert_eq!(nsd.saps[0].virtual_link.as_deref(), Some("users"));
    assert_eq!(
        nsd.virtual_link("users").unwrap().l3[0].cidr.to_string(),
        "10.50.0.0/24"
    );
    assert_eq!(
        nsd.virtual_link("users").unwrap().max_bitrate.root_bits_per_second,
        Some(500_000_000)
    );
    assert_eq!(nsd.vnf_profile("near").unwrap().connectivity.len(), 2);
    let graph = &nsd.vnffgs[0];
    assert_eq!((graph.profiles.len(), graph.virtual_links.len()), (2, 1));
    assert_eq!(graph.paths[0].positions, ["near", "far"]);
}

#[test]
fn faults_of_an_nsd_are_told() {
    let fault = |from: &str, to: &str| {
        let text = changed(DELIVERY, from, to);
        read_nsd("d.yaml", text.as_bytes()).unwrap_err().error_codes()
    };
    assert_eq!(
        fault("virtual-link-desc-id: users", "virtual-link-desc-id: usres")[0],
        Code::NameUnknown
    );
    assert_eq!(
        fault("vnf-profile-id: [ near, far ]", "vnf-profile-id: [ near, mid ]"),
        [Code::NameUnknown]
    );
    assert_eq!(fault("- id: far\n", "- id: near\n")[0], Code::NameUnknown);
    assert_eq!(
        fault("  - id: far\n      vnfd-id: cache\n", "  - id: far\n"),
        [Code::NameUnknown, Code::NameUnknown, Code::FieldMissing]
    );
    assert_eq!(
        read_nsd("v.yaml", CACHE.as_bytes()).unwrap_err().error_codes(),
        [Code::DescriptorKind]
    );
}

/// Descriptors that others wrote, from beside the repository; a clone alone has none.
fn sample(name: &str) -> Option<Vec<u8>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/samples/sol006")
        .join(name);
    let bytes = std::fs::read(&path).ok();
    if bytes.is_none() {
        eprintln!("SKIPPED: {} is not here", path.display());
    }
    bytes
}

#[test]
fn a_charmed_vnfd_of_others_is_read_and_its_scaling_kept_within_its_bounds() {
    let Some(bytes) = sample("sol006-vnfd-3charmed-scale-heal-alarm.yaml") else {
        return;
    };
    let read = read_leaf("charmed.yaml", &bytes).unwrap_or_else(|told| panic!("{told}"));
    assert!(
        !read.warnings.list.iter().any(|d| d.code == Code::FieldUnknown),
        "{}",
        read.warnings
    );
    let flavour = &read.vnfd.flavours[0];
    let data = flavour.vdu("dataVM").unwrap();
    // Ten steps of one over one instance are eleven, and ten are allowed: the last step is left out, with a word.
    assert_eq!(
        (data.max_number_of_instances, data.deltas["scale_dataVM"].len()),
        (10, 9)
    );
    assert!(read.warnings.list.iter().any(|d| d.code == Code::InstancesOutOfRange));
    let names: Vec<&str> = read.interfaces.iter().map(|i| i.name.as_str()).collect();
    assert_eq!(names, ["vnf-mgmt-ext", "vnf-data-ext"]);
    assert_eq!(read.interfaces[0].role, "mgmt");
}

#[test]
fn the_nsd_of_others_that_names_a_profile_it_does_not_have_is_refused_there() {
    let Some(bytes) = sample("sol006-nsd-cirros-vnffg.yaml") else {
        return;
    };
    let told = read_nsd("vnffg.yaml", &bytes).unwrap_err();
    assert_eq!(told.error_codes(), [Code::NameUnknown, Code::NameUnknown]);
    assert!(
        told.list
            .iter()
            .filter(|d| d.code == Code::NameUnknown)
            .all(|d| d.message.contains("`Mid-vnf1`"))
    );
}
