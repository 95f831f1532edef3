//! A machine's own disk: an empty qcow2 layer over an image that it never writes to. Neither layer names a file: QEMU is
//! handed descriptors, so an image cannot make it open anything (qcow2 backing and data files are refused).

use manifold_nfvi_interface::DiskFormat;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

const CLUSTER_BITS: u32 = 16;
const CLUSTER_BYTES: u64 = 1 << CLUSTER_BITS;
/// What one entry of the first-level table covers.
const COVERED_BY_L1_ENTRY: u64 = CLUSTER_BYTES * (CLUSTER_BYTES / 8);
/// 16 TiB: keeps the tables of a hostile size small.
const DISK_BYTES_MAX: u64 = 1 << 44;
/// Incompatible features: an external data file.
const EXTERNAL_DATA: u64 = 1 << 2;

/// Why an image cannot be booted from.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImageFault {
    #[error("it cannot be read: {0}")]
    Read(#[from] io::Error),
    #[error("it is no qcow2 image (of version 2 or 3)")]
    NotQcow2,
    #[error("it rests on another file, which is not followed; flatten it with `qemu-img convert -O qcow2`")]
    Chained,
    #[error("its length of {0} bytes is no disk's (a multiple of 512, at most 16 TiB)")]
    Length(u64),
}

/// The length of the disk that an image holds, in bytes.
pub(crate) fn disk_bytes(image: &mut File, format: DiskFormat) -> Result<u64, ImageFault> {
    let bytes = match format {
        DiskFormat::Raw => image.metadata()?.len(),
        DiskFormat::Qcow2 => {
            let mut header = [0; 80];
            image.read_exact(&mut header).map_err(|_| ImageFault::NotQcow2)?;
            let field = |at: usize| u64::from_be_bytes(header[at..at + 8].try_into().expect("eight bytes"));
            let version = u32::from_be_bytes(header[4..8].try_into().expect("four bytes"));
            if !header.starts_with(b"QFI\xfb") || !(2..=3).contains(&version) {
                return Err(ImageFault::NotQcow2);
            }
            let features = if version == 3 { field(72) } else { 0 };
            if field(8) != 0 || features & EXTERNAL_DATA != 0 {
                return Err(ImageFault::Chained);
            }
            field(24)
        }
    };
    match bytes {
        1..=DISK_BYTES_MAX if bytes % 512 == 0 => Ok(bytes),
        _ => Err(ImageFault::Length(bytes)),
    }
}

/// Makes an empty layer of this length, when there is none, and opens it.
pub(crate) fn open(path: &Path, disk_bytes: u64) -> io::Result<File> {
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)?;
    if file.metadata()?.len() == 0 {
        file.write_all(&empty_layer(disk_bytes))?;
        file.sync_all()?;
    }
    Ok(file)
}

/// Header, reference counts' table, their first block, and a first-level table of zeros.
fn empty_layer(disk_bytes: u64) -> Vec<u8> {
    let entries = disk_bytes.div_ceil(COVERED_BY_L1_ENTRY);
    let l1_clusters = (entries * 8).div_ceil(CLUSTER_BYTES).max(1);
    let mut out = Vec::new();
    out.extend_from_slice(b"QFI\xfb");
    put32(&mut out, 3);
    put64(&mut out, 0); // the layer below is QEMU's business, not the file's
    put32(&mut out, 0);
    put32(&mut out, CLUSTER_BITS);
    put64(&mut out, disk_bytes);
    put32(&mut out, 0); // not encrypted
    put32(
        &mut out,
        u32::try_from(entries).expect("a disk of at most 16 TiB has 32,768 entries"),
    );
    put64(&mut out, 3 * CLUSTER_BYTES); // first-level table
    put64(&mut out, CLUSTER_BYTES); // reference counts' table
    put32(&mut out, 1);
    put32(&mut out, 0); // no snapshots
    put64(&mut out, 0);
    put64(&mut out, 0); // no features: incompatible, compatible, clearing
    put64(&mut out, 0);
    put64(&mut out, 0);
    put32(&mut out, 4); // reference counts of 2^4 bits
    put32(&mut out, 104); // bytes of this header
    pad(&mut out);
    put64(&mut out, 2 * CLUSTER_BYTES);
    pad(&mut out);
    for _ in 0..3 + l1_clusters {
        out.extend_from_slice(&1u16.to_be_bytes());
    }
    pad(&mut out);
    out.resize(out.len() + (l1_clusters * CLUSTER_BYTES) as usize, 0);
    out
}

fn put32(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_be_bytes());
}

fn put64(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(&value.to_be_bytes());
}

fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(CLUSTER_BYTES as usize), 0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Seek;

    fn image(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.rewind().unwrap();
        file
    }

    #[test]
    fn a_layer_is_an_image_of_the_same_length() {
        let layer = empty_layer(48 << 20);
        assert_eq!(disk_bytes(&mut image(&layer), DiskFormat::Qcow2).unwrap(), 48 << 20);
        assert_eq!(layer.len() as u64, 4 * CLUSTER_BYTES);
    }

    #[test]
    fn an_image_that_leads_elsewhere_is_refused() {
        let mut backed = empty_layer(1 << 20);
        backed[15] = 200;
        assert!(matches!(
            disk_bytes(&mut image(&backed), DiskFormat::Qcow2),
            Err(ImageFault::Chained)
        ));
        let mut external = empty_layer(1 << 20);
        external[79] = 4;
        assert!(matches!(
            disk_bytes(&mut image(&external), DiskFormat::Qcow2),
            Err(ImageFault::Chained)
        ));
        assert!(matches!(
            disk_bytes(&mut image(b"#!/bin/sh"), DiskFormat::Qcow2),
            Err(ImageFault::NotQcow2)
        ));
        assert!(matches!(
            disk_bytes(&mut image(b"odd"), DiskFormat::Raw),
            Err(ImageFault::Length(3))
        ));
        assert!(matches!(
            disk_bytes(
                &mut image(&{
                    let mut huge = empty_layer(1 << 20);
                    huge[24] = 1;
                    huge
                }),
                DiskFormat::Qcow2
            ),
            Err(ImageFault::Length(_))
        ));
    }
}
