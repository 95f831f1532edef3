//! The packages in `examples/`: without a fault or a warning, built the same every time, read back, and fitting together.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod packages;

use std::io::Cursor;
use std::path::PathBuf;

use manifold_descriptors::csar::{BuildOptions, Limits, MemoryFiles, build, read_package};
use manifold_descriptors::folder::{self, Folder};
use manifold_descriptors::link::{AffinityScope, AffinityType};
use manifold_descriptors::vnfd::{ExtCpInternal, SwImageSource, VduKind};
use manifold_descriptors::{Descriptor, FlatNsd, Nsd, Pnfd, Vnfd, check_nsd};

const ALL: [&str; 10] = [
    "minimal/vnf",
    "minimal/ns",
    "demo/gateway",
    "demo/service",
    "demo/pnf",
    "demo/ns",
    "demo/tenant-b/vnf",
    "demo/tenant-b/ns",
    "nested/segment",
    "nested/ns",
];

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../examples")
        .join(name)
}

fn descriptor(name: &str) -> Descriptor {
    let package = folder::check(&path(name), &Limits::default());
    assert!(
        package.diagnostics.is_empty(),
        "{name}:\n{}",
        package.diagnostics.render()
    );
    package.descriptor.unwrap()
}

fn vnfd(name: &str) -> Vnfd {
    let Descriptor::Vnfd(vnfd) = descriptor(name) else {
        panic!("{name} is no VNFD")
    };
    *vnfd
}

fn nsd(name: &str) -> Nsd {
    let Descriptor::Nsd(nsd) = descriptor(name) else {
        panic!("{name} is no NSD")
    };
    *nsd
}

fn pnfd(name: &str) -> Pnfd {
    let Descriptor::Pnfd(pnfd) = descriptor(name) else {
        panic!("{name} is no PNFD")
    };
    *pnfd
}

fn archive(name: &str) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let mut files = Folder::open(&path(name), &Limits::default()).unwrap();
    build(&mut files, &BuildOptions::default(), &mut bytes).unwrap();
    bytes.into_inner()
}

#[test]
fn each_builds_the_same_twice_and_reads_back_equal_and_whole() {
    for name in ALL {
        let bytes = archive(name);
        assert_eq!(bytes, archive(name), "{name}");
        let package = read_package(Cursor::new(bytes), &Limits::default());
        assert!(
            package.diagnostics.is_empty(),
            "{name}:\n{}",
            package.diagnostics.render()
        );
        assert_eq!(package.descriptor, Some(descriptor(name)));
        let manifest = package.contents.manifest.unwrap();
        assert!(
            package
                .contents
                .files
                .iter()
                .all(|(path, file)| file.is_protected || *path == manifest.path)
        );
    }
}

#[test]
fn the_parts_of_the_demo_fit_together() {
    let (gateway, service, meter) = (vnfd("demo/gateway"), vnfd("demo/service"), pnfd("demo/pnf"));
    let demo = check_nsd(&nsd("demo/ns"), &[&gateway, &service], &[&meter]);
    assert!(demo.is_empty(), "{demo}");
    let neighbour = check_nsd(&nsd("demo/tenant-b/ns"), &[&vnfd("demo/tenant-b/vnf")], &[]);
    assert!(neighbour.is_empty(), "{neighbour}");
    let minimal = check_nsd(&nsd("minimal/ns"), &[&vnfd("minimal/vnf")], &[]);
    assert!(minimal.is_empty(), "{minimal}");
}

#[test]
fn the_nested_services_are_one_network() {
    let (segment, around, one) = (nsd("nested/segment"), nsd("nested/ns"), vnfd("minimal/vnf"));
    let (flat, found) = FlatNsd::of(&around, &[&segment]);
    assert!(found.is_empty(), "{found}");
    let flat = flat.nsd;
    assert!(check_nsd(&flat, &[&one], &[]).is_empty());
    assert_eq!((flat.virtual_links.len(), flat.vnf_profiles.len()), (1, 3));
    assert_eq!(flat.virtual_links[0].l3[0].cidr.to_string(), "10.10.0.0/24");
}

#[test]
fn the_gateway_is_what_the_demo_needs() {
    let gateway = vnfd("demo/gateway");
    let flavour = gateway.flavour("default").unwrap();
    let worker = flavour.vdu("worker").unwrap();
    let count = |level| flavour.instances_at_level(worker, level);
    assert_eq!(
        (count(None), count(Some("one")), count(Some("four")), count(Some("ten"))),
        (Some(2), Some(1), Some(4), None)
    );
    assert_eq!((worker.min_number_of_instances, worker.max_number_of_instances), (1, 4));
    assert_eq!(flavour.scale_levels_at(None).unwrap()["workers"], 1);
    assert_eq!(worker.kind, VduKind::VirtualMachine);
    assert_eq!(worker.compute.as_ref().unwrap().virtual_mem_size_mib, 96);
    assert_eq!(
        worker.boot_image().unwrap().source,
        SwImageSource::Manifold { name: "guest".into() }
    );
    let rule = &flavour.affinity_rules[0];
    assert_eq!(
        (rule.kind, rule.scope),
        (AffinityType::Affinity, AffinityScope::NfviPop)
    );
    assert_eq!(rule.targets, ["worker"]);
    let order: Vec<&str> = flavour
        .vdu("frontend")
        .unwrap()
        .connection_points
        .iter()
        .map(|cp| cp.id.as_str())
        .collect();
    assert_eq!(order, ["frontend_internal", "access", "transit", "field"]);
    let field = flavour.ext_cpd("field").unwrap();
    assert_eq!(
        field.internal,
        ExtCpInternal::VduCp {
            vdu: "frontend".into(),
            cp: "field".into()
        }
    );
}

#[test]
fn the_service_is_what_the_demo_needs() {
    let nsd = nsd("demo/ns");
    assert_eq!(
        nsd.virtual_link("field")
            .unwrap()
            .l2
            .as_ref()
            .unwrap()
            .provider_network(),
        Some("field")
    );
    let transit = nsd.virtual_link("transit").unwrap();
    assert!(transit.l2.is_none());
    assert_eq!(transit.max_bitrate.root_bits_per_second, Some(20_000_000));
    assert_eq!(
        transit.l3.iter().map(|l3| l3.cidr.to_string()).collect::<Vec<_>>(),
        ["192.168.20.0/24", "fd00:20::/64"]
    );
    assert_eq!(nsd.saps[0].virtual_link.as_deref(), Some("access"));
    let rule = &nsd.affinity_rules[0];
    assert_eq!(
        (rule.kind, rule.scope),
        (AffinityType::AntiAffinity, AffinityScope::NfviPop)
    );
    assert_eq!(rule.targets, ["gateway", "service"]);
    let neighbour = self::nsd("demo/tenant-b/ns");
    assert_eq!(
        neighbour.virtual_links[0].l3[0].cidr,
        nsd.virtual_link("access").unwrap().l3[0].cidr
    );
}

#[test]
fn descriptors_survive_json() {
    for name in ALL {
        let before = descriptor(name);
        let after: Descriptor = serde_json::from_str(&serde_json::to_string(&before).unwrap()).unwrap();
        assert_eq!(before, after);
    }
}

/// Proves the form with two artifacts that the crate's documentation describes.
#[test]
fn a_kernel_with_an_initramfs_is_one_image() {
    let hash = |text: &str| {
        use sha2::Digest;
        hex::encode(sha2::Sha256::digest(text))
    };
    let part = |name: &str, format: &str, content: &str| {
        format!(
            "        {name}:\n          type: tosca.artifacts.nfv.SwImage\n          file: ../Artifacts/Images/{name}\n          properties:\n            name: guest\n            version: '1'\n            checksum: {{ algorithm: SHA-256, hash: {} }}\n            container_format: bare\n            disk_format: {format}\n            min_disk: 0 B\n            size: {} B\n",
            hash(content),
            content.len()
        )
    };
    let both = format!(
        "{}{}",
        part("kernel", "aki", "the kernel"),
        part("initramfs", "ari", "its files")
    );
    let one = "        sw_image: { type: tosca.artifacts.nfv.SwImage, file: \"manifold:image/guest\" }\n";
    let text = packages::changed(packages::GATEWAY, one, &both);
    let mut files = packages::files(&[
        ("Definitions/gateway.yaml", &text),
        ("Definitions/gateway_types.yaml", packages::GATEWAY_TYPES),
        ("Artifacts/Images/kernel", "the kernel"),
        ("Artifacts/Images/initramfs", "its files"),
    ]);
    let mut bytes = Cursor::new(Vec::new());
    let built = build(
        &mut MemoryFiles::new(files.clone()),
        &BuildOptions::default(),
        &mut bytes,
    )
    .unwrap();
    let Descriptor::Vnfd(vnfd) = built.descriptor else {
        panic!("no VNFD")
    };
    let source = &vnfd.flavours[0].vdu("frontend").unwrap().boot_image().unwrap().source;
    let SwImageSource::KernelAndInitramfs {
        kernel,
        initramfs,
        initramfs_checksum,
    } = source
    else {
        panic!("{source:?}")
    };
    assert_eq!(
        (kernel.as_str(), initramfs.as_str()),
        ("Artifacts/Images/kernel", "Artifacts/Images/initramfs")
    );
    assert_eq!(initramfs_checksum.as_ref().unwrap().hash, hash("its files"));

    // The other half: a changed initramfs is noticed.
    files.insert("Artifacts/Images/initramfs".into(), b"other files".to_vec());
    let refused = build(
        &mut MemoryFiles::new(files),
        &BuildOptions::default(),
        Cursor::new(Vec::new()),
    )
    .unwrap_err();
    assert!(refused.to_string().contains("MFD0506"), "{refused}");
}
