//! The project's small guest image, built from Debian's packages and kept in a cache.
//!
//! ```text
//!   apt-get download ─> kernel, busybox-static, iputils-ping + its libraries, syslinux, mtools        (packages, in the cache)
//!        │ dpkg-deb -x
//!        ├─> vmlinux      the kernel, unpacked where we can: an emulated machine then starts 0.3 s sooner
//!        ├─> initramfs    busybox, drivers, `guest/*`; not compressed for the same reason (another 0.3 s)
//!        └─> disk.qcow2   both on a FAT volume that syslinux boots from a BIOS
//! ```
//!
//! The guest reads a NoCloud disk (meta-data, network-config version 2, user-data), serves HTTP on port 80 (`/`, `/bytes/N`),
//! answers ping and the guest channel (`guest/channel`), and powers off at the press of its button.
//!
//! An image lives in `<cache>/image/<digest>/`; the digest covers the recipe (this crate's guest files and its version) and the
//! packages' versions. It appears there whole or not at all, and two builders at once build it once. Nothing needs root.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod cpio;
mod debian;
mod disk;
mod kernel;
mod qcow2;
mod recipe;

pub use recipe::{GuestImage, ImageError, Progress, READY_MARK, TOOLS, build, built, standard_cache};
