//! Packages on real machines: images that they bring along, sites that they find; and a control plane that is not root's.

#[path = "packages/images.rs"]
mod images;
#[path = "packages/sites.rs"]
mod sites;
#[path = "packages/unprivileged.rs"]
mod unprivileged;
#[path = "packages/write.rs"]
mod write;

use manifold_campaign::{Work, work};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The program under test.
fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_manifold"))
}

/// Where the guest image is kept; built once.
fn cache() -> PathBuf {
    std::env::var_os("MANIFOLD_CACHE").map_or_else(|| "/var/cache/manifold".into(), PathBuf::from)
}

/// Everything of a test: its /tmp is its own.
fn folder() -> &'static Path {
    Path::new("/tmp/manifold-test")
}

/// Two hosts at one site, with the access point `client`.
const LAB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../nfvi/lab/labs/one-site.toml");

const WORKS: &[Work] = &[
    work!(
        "machine_images_that_packages_bring_along_boot_and_answer",
        170,
        images::boot,
        guest
    ),
    work!(
        "machine_a_control_plane_without_privileges_does_all_that_root_s_does",
        170,
        unprivileged::whole_way,
        guest
    ),
    work!(
        "machine_services_find_their_sites_without_being_told",
        170,
        sites::are_found,
        guest
    ),
];

fn main() -> ExitCode {
    manifold_campaign::main(WORKS, &cache())
}
