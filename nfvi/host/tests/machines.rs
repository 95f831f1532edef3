//! Real machines on the real kernel: QEMU, the project's guest image, packets. Every test has a kernel's namespaces of its own.

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
    manifold_kernel_test::main(&[life::TESTS, inside::TESTS, paused::TESTS].concat())
}
