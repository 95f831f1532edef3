//! A bootable disk: one FAT volume without partitions, with kernel, initial RAM file system, and syslinux to start them.

use crate::ImageError;
use crate::debian::output;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Room beside the files: the file system's tables and syslinux itself.
const SPARE_BYTES: u64 = 2 << 20;

const CONFIGURATION: &str = "SERIAL 0 115200\nDEFAULT guest\nPROMPT 0\nTIMEOUT 0\nLABEL guest\n  KERNEL vmlinuz\n  INITRD initrd\n  APPEND console=ttyS0 quiet\n";

/// Makes the raw disk at `disk`, with the tools that lie unpacked in `root`.
pub(crate) fn make(root: &Path, kernel: &Path, initramfs: &Path, disk: &Path) -> Result<(), ImageError> {
    let io = |source| ImageError::File {
        path: disk.to_owned(),
        source,
    };
    let bytes = fs::metadata(kernel).map_err(io)?.len() + fs::metadata(initramfs).map_err(io)?.len() + SPARE_BYTES;
    // A FAT of whole "cylinders" of 16 heads with 63 sectors: any other size makes mtools ask questions.
    let cylinders = bytes.div_ceil(512 * 16 * 63);
    fs::File::create(disk)
        .and_then(|file| file.set_len(cylinders * 512 * 16 * 63))
        .map_err(io)?;
    let configuration = disk.with_extension("cfg");
    fs::write(&configuration, CONFIGURATION).map_err(io)?;

    let tools = root.join("usr/bin");
    let tool = |name: &str| {
        let mut command = Command::new(tools.join(name));
        // mtools looks at the user's settings, and syslinux calls mtools by name.
        command.env("MTOOLSRC", "/dev/null").env("MTOOLS_SKIP_CHECK", "1");
        command.env("PATH", format!("{}:/usr/bin:/bin", tools.display()));
        command
    };
    let cylinders = cylinders.to_string();
    output(tool("mformat").arg("-i").arg(disk).args([
        "-t", &cylinders, "-h", "16", "-s", "63", "-v", "BOOT", "-N", "4d414e4f", "::",
    ]))?;
    for (file, name) in [
        (kernel, "::vmlinuz"),
        (initramfs, "::initrd"),
        (&configuration, "::syslinux.cfg"),
    ] {
        output(tool("mcopy").arg("-i").arg(disk).arg(file).arg(name))?;
    }
    output(tool("syslinux").arg("--install").arg(disk))?;
    fs::remove_file(&configuration).map_err(io)
}
