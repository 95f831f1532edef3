//! From packages to an image in the cache.

use crate::cpio::Archive;
use crate::debian::{self, Package};
use crate::{disk, kernel, qcow2};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Printed on the console, by a guest that is ready to serve.
pub const READY_MARK: &str = "MANIFOLD-GUEST-READY";

/// What must be installed to build an image; all of it is on every Debian.
pub const TOOLS: [&str; 3] = ["apt-cache", "apt-get", "dpkg-deb"];

/// Raised when what is made of the same packages and guest files changes.
const RECIPE: u32 = 1;

/// Loaded before the network, in this order. Those that a kernel has built in are left out.
const DRIVERS: [&str; 9] = [
    "drivers/virtio/virtio_ring",
    "drivers/virtio/virtio",
    "drivers/virtio/virtio_pci_modern_dev",
    "drivers/virtio/virtio_pci_legacy_dev",
    "drivers/virtio/virtio_pci",
    "drivers/block/virtio_blk",
    "net/core/failover",
    "drivers/net/net_failover",
    "drivers/net/virtio_net",
];
/// For the NoCloud disk, when there is one.
const DRIVERS_SEED: [&str; 5] = [
    "fs/nls/nls_cp437",
    "fs/nls/nls_ascii",
    "fs/nls/nls_utf8",
    "fs/fat/fat",
    "fs/fat/vfat",
];
/// For the power button.
const DRIVERS_LATE: [&str; 2] = ["drivers/acpi/button", "drivers/input/evdev"];

/// The programs of busybox that the guest's scripts and its users call.
const APPLETS: &str = "[ acpid arp arping awk base64 basename cat chmod cp cut date dd df dirname dmesg echo env expr false \
    find findfs free grep gunzip gzip halt head hexdump hostname id ifconfig init insmod ip kill killall ln ls lsmod mkdir \
    mknod mktemp more mount mv nc netstat nslookup od pidof poweroff printf ps pwd readlink reboot rm rmdir rmmod route sed \
    seq setsid sh sleep sort stat stty sync sysctl tail tar tee telnet test time timeout top touch tr traceroute true umount \
    uname uniq uptime usleep vi wc wget which xargs xxd yes";

/// The guest's own files: path, mode, contents.
const GUEST: [(&str, u32, &str); 9] = [
    ("init", 0o755, include_str!("../guest/init")),
    ("etc/inittab", 0o644, include_str!("../guest/inittab")),
    ("lib/guest/channel", 0o755, include_str!("../guest/channel")),
    ("lib/guest/http", 0o755, include_str!("../guest/http")),
    ("lib/guest/late", 0o755, include_str!("../guest/late")),
    ("lib/guest/lease", 0o755, include_str!("../guest/lease")),
    ("lib/guest/network.awk", 0o644, include_str!("../guest/network.awk")),
    ("lib/guest/power", 0o755, include_str!("../guest/power")),
    ("lib/guest/runcmd.awk", 0o644, include_str!("../guest/runcmd.awk")),
];

/// An image in the cache: the same guest, once as kernel and initial RAM file system, once as a bootable disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestImage {
    /// ELF with a PVH entry, or bzImage.
    pub kernel: PathBuf,
    /// cpio archive.
    pub initramfs: PathBuf,
    /// qcow2, boots from a BIOS.
    pub disk: PathBuf,
    /// Names recipe and packages: hexadecimal.
    pub digest: String,
}

/// What a builder does now, for whoever waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Another builder is at it; we wait for it.
    Waiting,
    /// These packages are about to be fetched.
    Downloading {
        /// `name version` of each.
        packages: Vec<String>,
        /// Of all together.
        bytes: u64,
    },
    /// Kernel and initial RAM file system are being put together.
    Assembling,
    /// The bootable disk is being made.
    Disk,
    /// The image is in its place.
    Done,
}

/// Why there is no image.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// apt does not know a package: no package lists, or not Debian.
    #[error("apt knows no package {package}: {cure}")]
    NoPackageLists {
        /// Which.
        package: String,
        /// What to do.
        cure: &'static str,
    },
    /// A tool is not installed.
    #[error("{tool} cannot be started (building the guest image needs apt-get, apt-cache and dpkg-deb)")]
    NoTool {
        /// Which.
        tool: String,
        /// Why.
        source: io::Error,
    },
    /// A tool failed.
    #[error("{tool} failed ({status}): {said}")]
    Tool {
        /// Which.
        tool: String,
        /// Its exit status.
        status: String,
        /// The last lines of what it said.
        said: String,
    },
    /// A file of the cache could not be read or written.
    #[error("{path} cannot be read or written")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The packages do not contain what they should.
    #[error("Debian's packages lack {what}: this recipe does not fit them")]
    Lacks {
        /// What is missing.
        what: String,
    },
}

/// What stands beside an image, for people.
#[derive(Serialize, Deserialize)]
struct Manifest {
    recipe: u32,
    packages: Vec<String>,
}

/// Where images are kept when nobody says otherwise: `$XDG_CACHE_HOME/manifold`, or `/var/cache/manifold` for root, or
/// `~/.cache/manifold`.
pub fn standard_cache(is_root: bool) -> PathBuf {
    match std::env::var_os("XDG_CACHE_HOME").filter(|dir| Path::new(dir).is_absolute()) {
        Some(dir) => PathBuf::from(dir).join("manifold"),
        None if is_root => PathBuf::from("/var/cache/manifold"),
        None => PathBuf::from(std::env::var_os("HOME").unwrap_or_else(|| "/tmp".into())).join(".cache/manifold"),
    }
}

/// The newest image of this recipe that is in the cache, whatever its packages' versions; nothing is built or fetched.
pub fn built(cache: &Path) -> Option<GuestImage> {
    let recipe = recipe_digest();
    let ours = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        name.is_some_and(|name| name.starts_with(&recipe))
    };
    let mut found: Vec<_> = listing(&cache.join("image"))
        .ok()?
        .into_iter()
        .filter(ours)
        .filter_map(|path| Some((fs::metadata(path.join("manifest.json")).ok()?.modified().ok()?, path)))
        .collect();
    found.sort();
    found.pop().map(|(_, path)| image_at(&path))
}

/// The image made of what apt offers now: from the cache, or built. Blocks for some ten seconds when it must build. Where apt
/// knows no packages but an older image is in the cache, that one is given.
pub fn build(cache: &Path, progress: &mut dyn FnMut(Progress)) -> Result<GuestImage, ImageError> {
    let packages = match debian::choose() {
        Ok(packages) => packages,
        Err(error) => return built(cache).ok_or(error),
    };
    let home = cache.join("image");
    let place = home.join(digest(&packages));
    if place.is_dir() {
        return Ok(image_at(&place));
    }
    fs::create_dir_all(&home).map_err(at(&home))?;
    let lock_path = home.join(".lock");
    let lock = File::create(&lock_path).map_err(at(&lock_path))?;
    if lock.try_lock().is_err() {
        progress(Progress::Waiting);
        lock.lock().map_err(at(&lock_path))?;
    }
    if place.is_dir() {
        return Ok(image_at(&place));
    }
    // Under the lock nobody else builds: what is there is what a builder left that was killed.
    let making = home.join(".making");
    if making.exists() {
        fs::remove_dir_all(&making).map_err(at(&making))?;
    }
    let done = assemble(&packages, &making, progress).and_then(|()| {
        fs::rename(making.join("image"), &place).map_err(at(&place))?;
        File::open(&home)
            .and_then(|folder| folder.sync_all())
            .map_err(at(&home))
    });
    let cleared = fs::remove_dir_all(&making).map_err(at(&making));
    done.and(cleared)?;
    progress(Progress::Done);
    Ok(image_at(&place))
}

fn assemble(packages: &[Package], making: &Path, progress: &mut dyn FnMut(Progress)) -> Result<(), ImageError> {
    let [debs, root, image] = ["debs", "root", "image"].map(|name| making.join(name));
    for folder in [&debs, &root, &image] {
        fs::create_dir_all(folder).map_err(at(folder))?;
    }
    let named = packages
        .iter()
        .map(|package| format!("{} {}", package.name, package.version));
    let named: Vec<String> = named.collect();
    progress(Progress::Downloading {
        packages: named.clone(),
        bytes: packages.iter().map(|package| package.bytes).sum(),
    });
    debian::fetch(packages, &debs, &root)?;

    progress(Progress::Assembling);
    let archive = initramfs(&root)?;
    write(&image.join("initramfs"), &archive)?;
    let packed_kernel = root_file(&root, &["boot"], "vmlinuz-")?;
    let bytes = fs::read(&packed_kernel).map_err(at(&packed_kernel))?;
    write(&image.join("vmlinux"), &kernel::unpack(&bytes).unwrap_or(bytes))?;

    progress(Progress::Disk);
    // On the disk both are packed: reading through the BIOS costs more than unpacking.
    let packed = making.join("initramfs.gz");
    let mut zipped = GzEncoder::new(Vec::new(), Compression::new(9));
    let zipped = zipped
        .write_all(&archive)
        .and_then(|()| zipped.finish())
        .map_err(at(&packed))?;
    write(&packed, &zipped)?;
    let raw = making.join("disk.raw");
    disk::make(&root, &packed_kernel, &packed, &raw)?;
    write(
        &image.join("disk.qcow2"),
        &qcow2::from_raw(&fs::read(&raw).map_err(at(&raw))?),
    )?;

    let manifest = Manifest {
        recipe: RECIPE,
        packages: named,
    };
    let manifest = serde_json::to_vec_pretty(&manifest).expect("a manifest of strings and numbers is JSON");
    write(&image.join("manifest.json"), &manifest)
}

fn initramfs(root: &Path) -> Result<Vec<u8>, ImageError> {
    let mut archive = Archive::default();
    for folder in ["dev", "proc", "sys", "run", "tmp", "etc", "root"] {
        archive.directory(folder);
    }
    let read = |path: &Path| fs::read(path).map_err(at(path));
    let programs = ["bin", "usr/bin"];
    let busybox = root_file(root, &programs, "busybox")?;
    archive.file("bin/busybox", 0o755, read(&busybox)?);
    for applet in APPLETS.split_whitespace() {
        archive.link(&format!("bin/{applet}"), "busybox");
    }
    let ping = root_file(root, &programs, "ping")?;
    archive.file("bin/ping", 0o755, read(&ping)?);
    for (name, file) in debian::libraries(root, &ping)? {
        archive.file(&name, 0o755, read(&file)?);
    }
    for (path, mode, contents) in GUEST {
        archive.file(path, mode, contents.as_bytes().to_vec());
    }
    let modules = listing(&root.join("lib/modules")).or_else(|_| listing(&root.join("usr/lib/modules")))?;
    let modules = modules.first().ok_or_else(|| ImageError::Lacks {
        what: "kernel modules".to_owned(),
    })?;
    for (folder, drivers) in [("", &DRIVERS[..]), ("seed/", &DRIVERS_SEED), ("late/", &DRIVERS_LATE)] {
        for (number, driver) in drivers.iter().enumerate() {
            if let Some(bytes) = module(modules, driver, &busybox)? {
                let name = driver.rsplit('/').next().unwrap_or(driver);
                archive.file(&format!("lib/modules/{folder}{number:02}-{name}.ko"), 0o644, bytes);
            }
        }
    }
    Ok(archive.bytes())
}

/// A kernel module, unpacked; `None` when the kernel has it built in.
fn module(modules: &Path, name: &str, busybox: &Path) -> Result<Option<Vec<u8>>, ImageError> {
    let plain = modules.join(format!("kernel/{name}.ko"));
    if plain.exists() {
        return fs::read(&plain).map(Some).map_err(at(&plain));
    }
    let packed = modules.join(format!("kernel/{name}.ko.xz"));
    if packed.exists() {
        // Newer Debian kernels pack their modules; the busybox that we fetched unpacks them.
        let ran = Command::new(busybox).args(["xz", "-dc"]).arg(&packed).output();
        return ran.map(|done| Some(done.stdout)).map_err(at(&packed));
    }
    let builtin = modules.join("modules.builtin");
    let list = fs::read_to_string(&builtin).map_err(at(&builtin))?;
    match list.lines().any(|line| line == format!("kernel/{name}.ko")) {
        true => Ok(None),
        false => Err(ImageError::Lacks {
            what: format!("the kernel module {name}"),
        }),
    }
}

fn root_file(root: &Path, folders: &[&str], prefix: &str) -> Result<PathBuf, ImageError> {
    for folder in folders {
        let Ok(entries) = listing(&root.join(folder)) else {
            continue;
        };
        let mut fits = entries.into_iter().filter(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with(prefix))
        });
        if let Some(path) = fits.next() {
            return Ok(path);
        }
    }
    Err(ImageError::Lacks {
        what: prefix.to_owned(),
    })
}

/// Names an image: by its recipe, then by what it was made of.
fn digest(packages: &[Package]) -> String {
    let mut hash = Sha256::new();
    for package in packages {
        hash.update(format!("{} {}\n", package.name, package.version));
    }
    format!("{}-{}", recipe_digest(), hex::encode(&hash.finalize()[..8]))
}

/// Changes with whatever this crate puts into an image.
fn recipe_digest() -> String {
    let mut hash = Sha256::new();
    hash.update(format!(
        "{RECIPE}\n{DRIVERS:?}{DRIVERS_SEED:?}{DRIVERS_LATE:?}{APPLETS}\n"
    ));
    for (path, mode, contents) in GUEST {
        hash.update(format!("{path} {mode} {}\n{contents}", contents.len()));
    }
    hex::encode(&hash.finalize()[..8])
}

fn image_at(place: &Path) -> GuestImage {
    GuestImage {
        kernel: place.join("vmlinux"),
        initramfs: place.join("initramfs"),
        disk: place.join("disk.qcow2"),
        digest: place
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default(),
    }
}

/// What is in a folder, in order of names.
pub(crate) fn listing(folder: &Path) -> Result<Vec<PathBuf>, ImageError> {
    let entries = fs::read_dir(folder).map_err(at(folder))?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()
        .map_err(at(folder))?;
    paths.sort();
    Ok(paths)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), ImageError> {
    let file = File::create(path).and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    file.map_err(at(path))
}

fn at(path: &Path) -> impl Fn(io::Error) -> ImageError {
    let path = path.to_owned();
    move |source| ImageError::File {
        path: path.clone(),
        source,
    }
}
