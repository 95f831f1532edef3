//! A disk image in QEMU's qcow2 format, version 3: clusters of zeros are left out.

const CLUSTER_BYTES: usize = 1 << CLUSTER_BITS;
const CLUSTER_BITS: u32 = 16;
/// The entry's cluster has one reference, so it may be written in place.
const COPIED: u64 = 1 << 63;

/// The image of a raw disk whose length is a multiple of 512.
pub(crate) fn from_raw(raw: &[u8]) -> Vec<u8> {
    let clusters = raw.len().div_ceil(CLUSTER_BYTES);
    let entries_in_table = CLUSTER_BYTES / 8;
    let l2_tables = clusters.div_ceil(entries_in_table);
    let l1_clusters = (l2_tables * 8).div_ceil(CLUSTER_BYTES).max(1);

    // header, reference counts' table, L1 table; then L2 tables; then data; then the blocks of reference counts
    let l1_at = 2;
    let l2_at = l1_at + l1_clusters;
    let mut next = l2_at + l2_tables;
    let mut l2 = vec![0u64; l2_tables * entries_in_table];
    let mut data = Vec::new();
    for (entry, chunk) in l2.iter_mut().zip(raw.chunks(CLUSTER_BYTES)) {
        if chunk.iter().any(|byte| *byte != 0) {
            *entry = (next * CLUSTER_BYTES) as u64 | COPIED;
            data.extend_from_slice(chunk);
            data.resize(data.len().next_multiple_of(CLUSTER_BYTES), 0);
            next += 1;
        }
    }
    let counts_in_block = CLUSTER_BYTES / 2;
    let mut blocks = 1;
    while blocks * counts_in_block < next + blocks {
        blocks += 1;
    }

    let mut out = Vec::with_capacity((next + blocks) * CLUSTER_BYTES);
    out.extend_from_slice(b"QFI\xfb");
    put32(&mut out, 3);
    put64(&mut out, 0); // no backing file
    put32(&mut out, 0);
    put32(&mut out, CLUSTER_BITS);
    put64(&mut out, raw.len() as u64);
    put32(&mut out, 0); // not encrypted
    put32(&mut out, l2_tables as u32);
    put64(&mut out, (l1_at * CLUSTER_BYTES) as u64);
    put64(&mut out, CLUSTER_BYTES as u64); // the reference counts' table
    put32(&mut out, 1);
    put32(&mut out, 0); // no snapshots
    put64(&mut out, 0);
    put64(&mut out, 0); // no features: incompatible, compatible, clearing
    put64(&mut out, 0);
    put64(&mut out, 0);
    put32(&mut out, 4); // reference counts of 2^4 bits
    put32(&mut out, 104); // bytes of this header; the extensions' end (eight zeros) follows by padding
    pad(&mut out);
    for block in 0..blocks {
        put64(&mut out, ((next + block) * CLUSTER_BYTES) as u64);
    }
    pad(&mut out);
    for table in 0..l2_tables {
        put64(&mut out, ((l2_at + table) * CLUSTER_BYTES) as u64 | COPIED);
    }
    out.resize(l2_at * CLUSTER_BYTES, 0);
    for entry in l2 {
        put64(&mut out, entry);
    }
    out.extend_from_slice(&data);
    for _ in 0..next + blocks {
        out.extend_from_slice(&1u16.to_be_bytes());
    }
    pad(&mut out);
    out
}

fn put32(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_be_bytes());
}

fn put64(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(&value.to_be_bytes());
}

fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(CLUSTER_BYTES), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_take_no_room_and_every_cluster_is_counted_once() {
        let mut raw = vec![0; 40 * CLUSTER_BYTES];
        raw[0] = 1;
        raw[39 * CLUSTER_BYTES + 5] = 2;
        let image = from_raw(&raw);
        // header, counts' table, L1, L2, two of data, counts
        assert_eq!(image.len(), 7 * CLUSTER_BYTES);
        assert_eq!(
            &image[6 * CLUSTER_BYTES..6 * CLUSTER_BYTES + 16],
            [0, 1].repeat(7).iter().copied().chain([0, 0]).collect::<Vec<_>>()
        );
        assert_eq!(image[5 * CLUSTER_BYTES + 5], 2);
    }
}
