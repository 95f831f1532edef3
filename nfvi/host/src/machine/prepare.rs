//! What a machine's start needs of the file system: its folder and label, its images, its seed.

use super::home::{Home, Label};
use super::launch::BootFiles;
use super::{overlay, seed};
use manifold_call::{CallError, Outcome};
use manifold_nfvi_interface::{Boot, MachineWish};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, chown};
use std::path::Path;

/// Folder, label, seed and boot files: everything that touches the disk before a start.
pub(super) fn prepare(
    home: &Home,
    disks: &Path,
    label: &Label,
    wish: &MachineWish,
    user: Option<(u32, u32)>,
) -> Outcome<(BootFiles, Option<OwnedFd>)> {
    let name = &wish.name;
    let fail = |source: io::Error| {
        CallError::internal(format!("machine {name}: its files cannot be written: {source}")).caused_by(source)
    };
    home.write_label(label).map_err(fail)?;
    home.make_qemu_folder(user).map_err(fail)?;
    let open = |path: &Path| {
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(nix::libc::O_NONBLOCK)
            .open(path);
        match file.and_then(|file| Ok((file.metadata()?.is_file(), file))) {
            Ok((true, file)) => Ok(file),
            Ok((false, _)) => Err(CallError::invalid(format!(
                "machine {name}: {} is no file",
                path.display()
            ))),
            Err(error) => Err(CallError::invalid(format!(
                "machine {name}: {} cannot be read: {error}",
                path.display()
            ))),
        }
    };
    let boot = match &wish.boot {
        Boot::Kernel {
            kernel,
            initramfs,
            command_line,
        } => BootFiles::Kernel {
            kernel: readable(open(kernel)?, &home.folder.join("kernel"), user).map_err(fail)?,
            initramfs: readable(open(initramfs)?, &home.folder.join("initramfs"), user).map_err(fail)?,
            command_line: command_line.clone(),
        },
        Boot::Disk { image, format } => {
            let mut file = open(image)?;
            let bytes = overlay::disk_bytes(&mut file, *format).map_err(|fault| {
                CallError::invalid(format!(
                    "machine {name}: {} is no image to boot from: {fault}",
                    image.display()
                ))
            })?;
            fs::create_dir_all(disks).map_err(fail)?;
            let layer = overlay::open(&home.disk, bytes).map_err(fail)?;
            BootFiles::Disk {
                image: file.into(),
                format: *format,
                layer: layer.into(),
            }
        }
    };
    let seed = match &wish.no_cloud {
        None => None,
        Some(files) => {
            seed::write(&home.seed(), files).map_err(fail)?;
            Some(File::open(home.seed()).map_err(fail)?.into())
        }
    };
    Ok((boot, seed))
}

/// QEMU opens kernel and initial RAM file system itself, by the descriptor's path, and so as its own user: what that user may
/// not read is copied for it.
fn readable(mut file: File, copy: &Path, user: Option<(u32, u32)>) -> io::Result<OwnedFd> {
    let Some((uid, gid)) = user.filter(|_| file.metadata().is_ok_and(|meta| meta.mode() & 0o004 == 0)) else {
        return Ok(file.into());
    };
    let mut own = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o400)
        .open(copy)?;
    io::copy(&mut file, &mut own)?;
    chown(copy, Some(uid), Some(gid))?;
    File::open(copy).map(OwnedFd::from)
}
