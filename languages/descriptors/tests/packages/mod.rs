//! Packages for tests: archives made byte by byte, and definitions made from the examples by one change.

#![allow(dead_code, reason = "each test program uses a part")]

use std::collections::BTreeMap;
use std::io::{Cursor, Write};

use manifold_descriptors::csar::{Limits, MemoryFiles, Package, read_package};
use manifold_descriptors::{Described, Nsd, Pnfd, Vnfd, describe};

pub(crate) const GATEWAY: &str = include_str!("../../../../examples/demo/gateway/Definitions/gateway.yaml");
pub(crate) const GATEWAY_TYPES: &str = include_str!("../../../../examples/demo/gateway/Definitions/gateway_types.yaml");
pub(crate) const SERVICE: &str = include_str!("../../../../examples/demo/service/Definitions/service.yaml");
pub(crate) const SERVICE_TYPES: &str = include_str!("../../../../examples/demo/service/Definitions/service_types.yaml");
pub(crate) const METER: &str = include_str!("../../../../examples/demo/pnf/Definitions/meter.yaml");
pub(crate) const TWO_SITE: &str = include_str!("../../../../examples/demo/ns/Definitions/two_site.yaml");

/// Text with one change that must find its place.
pub(crate) fn changed(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "nothing to change: {from}");
    text.replacen(from, to, 1)
}

pub(crate) fn files(all: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
    all.iter()
        .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
        .collect()
}

/// The gateway's VNFD with one change.
pub(crate) fn gateway(from: &str, to: &str) -> Described {
    let text = changed(GATEWAY, from, to);
    describe(
        "gateway.yaml",
        &files(&[("gateway.yaml", &text), ("gateway_types.yaml", GATEWAY_TYPES)]),
        None,
    )
}

/// The two-site NSD with one change.
pub(crate) fn two_site(from: &str, to: &str) -> Described {
    let text = changed(TWO_SITE, from, to);
    let all = [
        ("ns.yaml", text.as_str()),
        ("gateway_types.yaml", GATEWAY_TYPES),
        ("service_types.yaml", SERVICE_TYPES),
    ];
    describe("ns.yaml", &files(&all), None)
}

pub(crate) fn vnfd(described: Described) -> Vnfd {
    match described.descriptor {
        Some(manifold_descriptors::Descriptor::Vnfd(vnfd)) => *vnfd,
        other => panic!("no VNFD: {other:?}\n{}", described.diagnostics),
    }
}

pub(crate) fn nsd(described: Described) -> Nsd {
    match described.descriptor {
        Some(manifold_descriptors::Descriptor::Nsd(nsd)) => *nsd,
        other => panic!("no NSD: {other:?}\n{}", described.diagnostics),
    }
}

pub(crate) fn pnfd(described: Described) -> Pnfd {
    match described.descriptor {
        Some(manifold_descriptors::Descriptor::Pnfd(pnfd)) => *pnfd,
        other => panic!("no PNFD: {other:?}\n{}", described.diagnostics),
    }
}

pub(crate) fn good_gateway() -> Vnfd {
    vnfd(gateway("One to four workers", "One to four"))
}

pub(crate) fn good_service() -> Vnfd {
    let all = [("service.yaml", SERVICE), ("service_types.yaml", SERVICE_TYPES)];
    vnfd(describe("service.yaml", &files(&all), None))
}

pub(crate) fn good_meter() -> Pnfd {
    pnfd(describe("meter.yaml", &files(&[("meter.yaml", METER)]), None))
}

/// An archive of the gateway as the builder makes it, unpacked again to be changed.
pub(crate) fn built_gateway() -> BTreeMap<String, Vec<u8>> {
    let all = [
        ("Definitions/gateway.yaml", GATEWAY),
        ("Definitions/gateway_types.yaml", GATEWAY_TYPES),
    ];
    let mut bytes = Cursor::new(Vec::new());
    let options = manifold_descriptors::csar::BuildOptions::default();
    manifold_descriptors::csar::build(&mut MemoryFiles::new(files(&all)), &options, &mut bytes).unwrap();
    let mut zip = zip::ZipArchive::new(bytes).unwrap();
    let mut unpacked = BTreeMap::new();
    for index in 0..zip.len() {
        let mut file = zip.by_index(index).unwrap();
        let mut content = Vec::new();
        std::io::copy(&mut file, &mut content).unwrap();
        unpacked.insert(file.name().unwrap().into_owned(), content);
    }
    unpacked
}

/// Packs files as they are and reads the archive.
pub(crate) fn read(all: &BTreeMap<String, Vec<u8>>) -> Package {
    read_package(Cursor::new(packed(all)), &Limits::default())
}

pub(crate) fn packed(all: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (path, content) in all {
        zip.start_file(path.as_str(), zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// One entry of an archive made byte by byte: nothing is checked.
#[derive(Clone)]
pub(crate) struct Raw<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) content: &'a [u8],
    pub(crate) flags: u16,
    pub(crate) method: u16,
    pub(crate) mode: u32,
    /// Stated unpacked size; `None`: the true one.
    pub(crate) size: Option<u32>,
}

pub(crate) fn raw(name: &str) -> Raw<'_> {
    Raw {
        name: name.as_bytes(),
        content: b"x",
        flags: 0x800,
        method: 0,
        mode: 0o100_644,
        size: None,
    }
}

pub(crate) fn raw_archive(entries: &[Raw<'_>]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        let offset = out.len() as u32;
        let mut common = Vec::new();
        common.extend(20u16.to_le_bytes());
        common.extend(entry.flags.to_le_bytes());
        common.extend(entry.method.to_le_bytes());
        common.extend([0, 0, 0x21, 0]);
        common.extend(crc32(entry.content).to_le_bytes());
        common.extend((entry.content.len() as u32).to_le_bytes());
        common.extend(entry.size.unwrap_or(entry.content.len() as u32).to_le_bytes());
        common.extend((entry.name.len() as u16).to_le_bytes());
        common.extend(0u16.to_le_bytes());
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(entry.name);
        out.extend(entry.content);
        directory.extend(b"PK\x01\x02");
        directory.extend([20, 3]);
        directory.extend(&common);
        directory.extend([0; 6]);
        directory.extend((entry.mode << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(entry.name);
    }
    let start = out.len() as u32;
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend((entries.len() as u16).to_le_bytes());
    out.extend((entries.len() as u16).to_le_bytes());
    out.extend((directory.len() as u32).to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0, 0]);
    out
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc
}
