//! Real machines on the real kernel: QEMU, the project's guest image, packets. Every test has a kernel's namespaces of its own.

#![allow(clippy::unwrap_used)]

#[path = "machines/bench.rs"]
mod bench;
#[path = "machines/inside.rs"]
mod inside;
#[path = "machines/life.rs"]
mod life;
#[path = "machines/paused.rs"]
mod paused;

use std::process::ExitCode;

fn main() -> ExitCode {
    let lists = std::env::args().any(|argument| argument == "--list");
    if !lists && std::env::vars().all(|(name, _)| !name.starts_with("MANIFOLD_KERNEL_TEST_")) {
        // Out here there is a network to fetch packages from. What fails is told by the tests that need the image.
        let built = manifold_image::build(&manifold_image::standard_cache(true), &mut |step| {
            eprintln!("image: {step:?}")
        });
        if let Err(error) = built {
            eprintln!("image: {error}");
        }
    }
    manifold_kernel_test::main(&[life::TESTS, inside::TESTS, paused::TESTS].concat())
}
