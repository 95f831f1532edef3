//! Unpacks a Linux kernel (bzImage) so that the guest need not do it: under emulation that takes 0.3 s of each start.
//! The boot protocol tells where the packed kernel lies (`payload_offset`, Documentation/arch/x86/boot.rst).

use flate2::read::GzDecoder;
use std::io::Read;

/// No kernel is larger.
const UNPACKED_BYTES_MAX: usize = 256 << 20;

/// The ELF kernel inside a bzImage, when it can be started directly (PVH) and is packed in a way that we read (gzip, LZ4);
/// else `None`: the bzImage itself boots as well, only later.
pub(crate) fn unpack(image: &[u8]) -> Option<Vec<u8>> {
    let field = |at: usize| Some(u32::from_le_bytes(image.get(at..at + 4)?.try_into().ok()?) as usize);
    if image.get(0x202..0x206)? != b"HdrS" {
        return None;
    }
    let setup_sectors = usize::from(*image.get(0x1f1)?).max(1);
    let start = (setup_sectors + 1) * 512 + field(0x248)?;
    let packed = image.get(start..start.checked_add(field(0x24c)?)?)?;
    let kernel = match packed {
        [0x1f, 0x8b, ..] => {
            let mut out = Vec::new();
            GzDecoder::new(packed)
                .take(UNPACKED_BYTES_MAX as u64)
                .read_to_end(&mut out)
                .ok()?;
            out
        }
        // The last four bytes are the unpacked length, put there by the kernel's build.
        [0x02, 0x21, 0x4c, 0x18, ..] => lz4_legacy(packed.get(4..packed.len().checked_sub(4)?)?)?,
        _ => return None,
    };
    (kernel.starts_with(b"\x7fELF") && has_pvh_entry(&kernel)).then_some(kernel)
}

/// LZ4's legacy frame: blocks, each after its length.
fn lz4_legacy(mut packed: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    while let Some((length, rest)) = packed.split_first_chunk() {
        let length = u32::from_le_bytes(*length) as usize;
        lz4_block(rest.get(..length)?, &mut out)?;
        packed = &rest[length..];
    }
    Some(out)
}

/// LZ4's block format: runs of literals and copies of what was before, within the block.
fn lz4_block(mut packed: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let block_start = out.len();
    loop {
        let (&token, rest) = packed.split_first()?;
        packed = rest;
        let literals = length(usize::from(token >> 4), &mut packed)?;
        out.extend_from_slice(packed.get(..literals)?);
        packed = &packed[literals..];
        if out.len() > UNPACKED_BYTES_MAX {
            return None;
        }
        if packed.is_empty() {
            return Some(());
        }
        let (back, rest) = packed.split_first_chunk()?;
        packed = rest;
        let back = usize::from(u16::from_le_bytes(*back));
        let count = length(usize::from(token & 15), &mut packed)? + 4;
        let from = out
            .len()
            .checked_sub(back)
            .filter(|from| *from >= block_start && back > 0)?;
        if count > UNPACKED_BYTES_MAX {
            return None;
        }
        if back >= count {
            out.extend_from_within(from..from + count);
        } else {
            // The copy overlaps itself: it repeats the last `back` bytes.
            out.reserve(count);
            for at in from..from + count {
                out.push(out[at]);
            }
        }
    }
}

fn length(nibble: usize, packed: &mut &[u8]) -> Option<usize> {
    let mut length = nibble;
    if nibble == 15 {
        loop {
            let (&more, rest) = packed.split_first()?;
            *packed = rest;
            length = length.checked_add(usize::from(more))?;
            if more != 255 {
                break;
            }
        }
    }
    Some(length)
}

/// Whether the ELF notes hold Xen's PHYS32_ENTRY (18), by which a machine's firmware starts a kernel directly.
fn has_pvh_entry(elf: &[u8]) -> bool {
    let note = [4u32.to_le_bytes(), 8u32.to_le_bytes(), 18u32.to_le_bytes()].concat();
    let short = [4u32.to_le_bytes(), 4u32.to_le_bytes(), 18u32.to_le_bytes()].concat();
    [note, short].iter().any(|head| {
        let mut whole = head.clone();
        whole.extend_from_slice(b"Xen\0");
        elf.windows(whole.len()).any(|window| window == whole)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_block_with_an_overlapping_copy_unpacks() {
        let mut out = Vec::new();
        // two literals, a copy of 8 from 2 back, one literal
        lz4_block(&[0x24, b'a', b'b', 2, 0, 0x10, b'!'], &mut out).unwrap();
        assert_eq!(out, b"ababababab!");
    }

    #[test]
    fn what_is_no_kernel_is_left_alone() {
        assert_eq!(unpack(b""), None);
        assert_eq!(unpack(&[0; 4096]), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = lz4_legacy(&bytes);
        }
    }
}
